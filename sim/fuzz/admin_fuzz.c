/*
 * The control plane of the driver against a device that answers whatever the input says.
 *
 * Input: operations of one byte, some with bytes behind them.  Whatever happens, every command that was accepted ends exactly
 * once by the end, FLUE_EDEVICE always has its sentence, and nothing crashes or waits without end.
 */
#include "../../host/test/mock.c" /* the scriptable adapter of the host tests */
#include "../../host/test/rig.h"
#include "flue/admin.h"

struct input {
    const uint8_t *data;
    size_t len;
};

static uint32_t take(struct input *in, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes && in->len > 0; i++, in->len--)
        value |= (uint32_t)*in->data++ << 8 * i;
    return value;
}

static void require(bool truth)
{
    if (!truth)
        abort();
}

static struct rig rig;
static struct flue_admin *admin;
static unsigned put, back[RIG_COOKIES], total, traps;
static bool again; /* submit from inside the handler */

static enum flue_err submit(uint32_t opcode, uint32_t length)
{
    struct flue_sqe sqe = {.word0 = FLUE_PUT(SQE_OPCODE, opcode), .length = length};
    if (put == RIG_COOKIES)
        return FLUE_EAGAIN;
    enum flue_err err = flue_admin_submit(admin, &sqe, rig_cookie(put));
    if (err == FLUE_OK)
        put++;
    return err;
}

static void done(void *ctx, const struct flue_admin_done *d)
{
    (void)ctx;
    back[rig_number(d->cookie)]++;
    total++;
    if (again)
        (void)submit(FLUE_OP_LIST, 64);
}

static void trapped(void *ctx, const struct flue_admin_trap *trap)
{
    (void)ctx;
    (void)trap;
    require(flue_admin_outstanding(admin) == 0);
    traps++;
}

static void start(void)
{
    static const uint32_t image[4] = {1, 2, 3, 4};
    struct flue_admin_params params = {
        .image = image, .image_bytes = sizeof image, .log2_commands = 3, .timeout_us = 2000, .seed = {1}};
    struct flue_admin_handlers handlers = {.done = done, .trapped = trapped};
    require(flue_admin_start(rig.a, &params, &handlers, &admin) == FLUE_OK);
}

static void judge(enum flue_err err)
{
    require(err != FLUE_EDEVICE || flue_adapter_fault(rig.a) != NULL);
    require(err != FLUE_EARG);
}

/* An answer that is true of a submission near the tail, up to what the bytes spoil. */
static void plausible_answer(struct input *in)
{
    uint32_t spoil = take(in, 2);
    uint16_t index = (uint16_t)(*mock_reg(&rig.m, FLUE_REG_ASQ_TAIL) - 1 - (spoil & 7));
    mock_answer(&rig.m, index, (spoil & 8) != 0 ? 0 : 0xC0000001, spoil >> 12, spoil >> 4 & 0xFF);
}

static void time_passes(struct mock *m)
{
    m->on_wait = NULL;
    mock_answer(m, (uint16_t)(*mock_reg(m, FLUE_REG_ASQ_TAIL) - 1), 0, 0, 0);
}

static void step(struct input *in)
{
    struct flue_admin_done answer;
    struct flue_sqe sqe = {.word0 = FLUE_OP_GET_CONFIG};
    uint32_t a, b, c, d;
    unsigned handled;

    switch (take(in, 1) % 14) {
    case 0:
    case 1:
        a = take(in, 2);
        judge(submit(a & 15, a >> 4));
        break;
    case 2:
    case 3:
        judge(flue_poll(rig.a, 1 + take(in, 1), &handled));
        break;
    case 4:
    case 5:
        plausible_answer(in);
        break;
    case 6:
        a = take(in, 4);
        b = take(in, 4);
        c = take(in, 4);
        d = take(in, 4);
        mock_cqe(&rig.m, a, b, c, d);
        break;
    case 7: /* a notice */
        a = take(in, 1);
        mock_cqe(&rig.m, FLUE_PUT(CQE_KIND, a), 0, a << 26 | 0x00010000, 0);
        break;
    case 8: /* registers say anything */
        a = take(in, 1);
        b = take(in, 2);
        static const uint32_t regs[] = {FLUE_REG_ASQ_HEAD, FLUE_REG_ACQ_TAIL, FLUE_REG_FW_STATUS, FLUE_REG_IRQ_CAUSE};
        *mock_reg(&rig.m, regs[a % 4]) = a % 4 == 2 ? b << 12 | b : b;
        break;
    case 9:
        a = take(in, 1);
        mock_trap(&rig.m, a, a << 2);
        break;
    case 10:
        rig.m.fw_deaf = (take(in, 1) & 1) != 0;
        judge(flue_admin_check(admin, 200));
        break;
    case 11:
        a = take(in, 1);
        rig.m.fw_never_ready = (a & 3) == 3;
        rig.m.fw_never_stops = (a & 0x3C) == 0x3C;
        judge((a & 0x40) != 0 ? flue_adapter_reset(rig.a) : flue_admin_restart(admin));
        break;
    case 12:
        a = take(in, 1);
        rig.m.on_wait = (a & 1) != 0 ? time_passes : NULL;
        b = a;
        judge(flue_admin_call(admin, &sqe, (a & 2) != 0 ? &b : NULL, (a & 2) != 0 ? 4 : 0, &answer));
        break;
    case 13:
        again = !again;
        for (unsigned i = take(in, 1); i > 0; i--) {
            judge(flue_poll(rig.a, 8, &handled));
            (void)rig.m.link.ops->wait(&rig.m.link, 100);
        }
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};

    put = total = traps = 0;
    again = false;
    memset(back, 0, sizeof back);
    require(rig_open(&rig, 4, 3) == FLUE_OK);
    start();
    while (in.len > 0)
        step(&in);
    again = false;
    flue_adapter_close(rig.a);
    require(rig.m.maps == 0);
    require(total == put);
    for (unsigned i = 0; i < put; i++)
        require(back[i] == 1);
    return 0;
}
