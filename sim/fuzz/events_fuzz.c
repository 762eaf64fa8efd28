/*
 * The driver core against a device that posts whatever the input says.
 *
 * Input: operations of one byte, some with bytes behind them.  Whatever happens, every cookie that was accepted comes back
 * exactly once by the end, nothing crashes, and no call outside its contract is reported as good.
 */
#include "../../host/test/mock.c" /* the scriptable adapter of the host tests */
#include "../../host/test/rig.h"

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
static unsigned tx_put, rx_put;

/* An event that is true of the oldest packet or buffer, up to what the next byte spoils. */
static void plausible_event(struct input *in, bool transmit)
{
    uint32_t spoil = take(in, 1);
    uint16_t index = (uint16_t)(*mock_reg(&rig.m, transmit ? FLUE_REG_TXQ_TAIL : FLUE_REG_RXQ_TAIL) -
                                (transmit ? 2 * (spoil & 7) : (spoil & 7)));
    if (transmit)
        mock_tx_done(&rig.m, index, (uint8_t)(spoil >> 3));
    else
        mock_rx_done(&rig.m, index, 60 + (spoil << 3), spoil >> 5);
}

static void step(struct input *in)
{
    unsigned handled;
    uint32_t a, b, c;
    enum flue_err err;

    switch (take(in, 1) % 12) {
    case 0:
    case 1:
        if (tx_put < RIG_COOKIES && rig_put(&rig, tx_put, 0) == FLUE_OK)
            tx_put++;
        break;
    case 2:
        if (rx_put < RIG_COOKIES && rig_rx_put(&rig, rx_put) == FLUE_OK)
            rx_put++;
        break;
    case 3:
        err = flue_tx_kick(rig.a);
        err = err == FLUE_OK ? flue_rx_kick(rig.a) : err;
        require(err == FLUE_OK || err == FLUE_EDEVICE || err == FLUE_ESTATE);
        break;
    case 4:
        err = flue_poll(rig.a, 1 + take(in, 1), &handled);
        require((err == FLUE_OK) == (flue_adapter_fault(rig.a) == NULL));
        break;
    case 5:
        a = take(in, 4);
        b = take(in, 4);
        c = take(in, 4);
        mock_event(&rig.m, a, b, c);
        break;
    case 6:
    case 7:
        plausible_event(in, true);
        break;
    case 8:
        plausible_event(in, false);
        break;
    case 9:
        a = take(in, 1);
        mock_queue_event(&rig.m, FLUE_EV_QUEUE_ERROR + a % 3, a / 3 % 4, (uint16_t)take(in, 2), a / 12);
        break;
    case 10:
        err = flue_queue_recover(rig.a, (enum flue_queue_id)(take(in, 1) % 3));
        require(err == FLUE_OK || err == FLUE_EDEVICE || err == FLUE_ESTATE || err == FLUE_EARG);
        break;
    case 11:
        err = take(in, 1) & 1 ? flue_adapter_reset(rig.a) : flue_adapter_drain(rig.a);
        if (err == FLUE_OK && flue_adapter_resume(rig.a) == FLUE_EARG)
            abort();
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};

    tx_put = rx_put = 0;
    require(rig_open(&rig, 4, 3) == FLUE_OK);
    while (in.len > 0)
        step(&in);
    flue_adapter_close(rig.a);
    require(rig.m.maps == 0);
    require(rig.tx_total == tx_put && rig.rx_total == rx_put);
    for (unsigned i = 0; i < tx_put; i++)
        require(rig.tx_back[i] == 1);
    for (unsigned i = 0; i < rx_put; i++)
        require(rig.rx_back[i] == 1);
    return 0;
}
