/* Forwarded frames as the driver puts them, and what it makes of their completions. */
#include "core_rig.h"
#include "flue/forward.h"
#include "flue/regs.h"

enum { FRAMES = 2, LEN = 100 };

#define HANDLE (3u << 30 | 5u << 16 | 7u)

static unsigned fates[FLUE_FORWARD_LOST + 1], sum;

static void on_done(void *ctx, void *cookie, enum flue_forwarded what)
{
    (void)ctx;
    fates[what]++;
    sum++;
    if (cookie != NULL)
        *(enum flue_forwarded *)cookie = what;
}

static const struct flue_forward_params params = {.frames = FRAMES, .frame_bytes = LEN, .done = on_done};
static const struct flue_rx_done diverted = {.len_bytes = LEN, .diverted = true, .conn_handle = HANDLE};
static struct flue_forward *f;

static void open_forward(void)
{
    memset(fates, 0, sizeof fates);
    sum = 0;
    open_rig();
    CHECK_EQ(flue_forward_start(rig.a, &params, &f), FLUE_OK);
}

static void close_forward(void)
{
    flue_forward_stop(f);
    close_rig();
}

/* The slot has the mark, the length and the handle, and nothing else. */
TEST(a_forwarded_frame_is_a_slot_with_its_handle)
{
    uint8_t frame[LEN];
    open_forward();
    for (unsigned i = 0; i < LEN; i++)
        frame[i] = (uint8_t)i;
    struct flue_rx_done tagged = diverted;
    tagged.len_bytes = LEN - 4;
    tagged.vlan = true;
    tagged.vlan_tci = 0x6123;
    CHECK_EQ(flue_forward_put(f, &tagged, frame, NULL), FLUE_OK);
    struct mock_slot packet = mock_slot(&rig.m, FLUE_REG_TXQ_BASE, FLUE_REG_TXQ_CFG, 0);
    struct mock_slot frag = mock_slot(&rig.m, FLUE_REG_TXQ_BASE, FLUE_REG_TXQ_CFG, 1);
    CHECK_EQ(packet.w[0], FLUE_SK_PACKET | FLUE_SLOT_PACKET_FORWARD_MASK | (uint32_t)LEN << FLUE_SLOT_PACKET_LENGTH_SHIFT);
    CHECK_EQ(packet.w[1], 0);
    CHECK_EQ(packet.w[2], 0);
    CHECK_EQ(packet.w[3], HANDLE);
    CHECK_EQ(frag.w[1], LEN);
    CHECK_EQ(flue_forward_outstanding(f), 1);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(fates[FLUE_FORWARD_DONE], 1);
    CHECK_EQ(rig.tx_total, 0); /* no packet of the program came back */
    close_forward();
}

/* CH-099: each status has its meaning. */
TEST(each_status_of_a_forwarded_frame_has_its_meaning)
{
    static const struct {
        uint8_t status;
        enum flue_forwarded meaning;
    } rows[] = {{FLUE_ST_OK, FLUE_FORWARD_DONE},
                {FLUE_ST_NOT_TAKEN, FLUE_FORWARD_NOT_TAKEN},
                {FLUE_ST_NO_SEGMENT, FLUE_FORWARD_BAD},
                {FLUE_ST_TOO_LONG, FLUE_FORWARD_BAD},
                {FLUE_ST_WRONG_CONN, FLUE_FORWARD_FOREIGN},
                {FLUE_ST_DMA_READ, FLUE_FORWARD_LOST},
                {FLUE_ST_ABORTED, FLUE_FORWARD_LOST}};
    uint8_t frame[LEN] = {0};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum flue_forwarded what = FLUE_FORWARD_LOST;
        open_forward();
        CHECK_EQ(flue_forward_put(f, &diverted, frame, &what), FLUE_OK);
        mock_tx_done(&rig.m, 2, rows[i].status);
        CHECK_EQ(poll_all(), FLUE_OK);
        CHECK_EQ(what, rows[i].meaning);
        CHECK_EQ(sum, 1);
        close_forward();
    }
}

/* A frame that found no room goes again, a bounded number of times. */
TEST(a_frame_that_found_no_room_is_put_again)
{
    uint8_t frame[LEN] = {0};
    open_forward();
    CHECK_EQ(flue_forward_put(f, &diverted, frame, NULL), FLUE_OK);
    unsigned rounds = 0;
    for (; sum == 0 && rounds < 100; rounds++) {
        mock_tx_done(&rig.m, (uint16_t)(2 * rounds + 2), FLUE_ST_NO_ROOM);
        CHECK_EQ(poll_all(), FLUE_OK);
    }
    CHECK_EQ(rounds, 16);
    CHECK_EQ(fates[FLUE_FORWARD_LOST], 1);
    CHECK_EQ(flue_forward_outstanding(f), 0);
    close_forward();
}

TEST(a_status_of_forwarded_frames_on_another_packet_is_refused)
{
    for (uint8_t status = FLUE_ST_NOT_TAKEN; status <= FLUE_ST_WRONG_CONN; status++) {
        open_rig();
        put_one(0);
        mock_tx_done(&rig.m, 2, status);
        CHECK_EQ(poll_all(), FLUE_EDEVICE);
        close_rig();
    }
    open_forward();
    CHECK_EQ(flue_forward_put(f, &diverted, (uint8_t[LEN]){0}, NULL), FLUE_OK);
    mock_tx_done(&rig.m, 2, FLUE_ST_WRONG_CONN + 1);
    CHECK_EQ(poll_all(), FLUE_EDEVICE);
    close_forward();
}

TEST(bad_arguments_of_forward_change_nothing)
{
    uint8_t frame[LEN + 1] = {0};
    struct flue_forward *second;
    struct flue_rx_done d;
    open_forward();
    CHECK_EQ(flue_forward_start(rig.a, &params, &second), FLUE_ESTATE);
    struct flue_forward_params bad[] = {params, params, params, params, params};
    bad[0].frames = 0;
    bad[1].frames = 65;
    bad[2].frame_bytes = 0;
    bad[3].frame_bytes = 65537;
    bad[4].done = NULL;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_EQ(flue_forward_start(rig.a, &bad[i], &second), FLUE_EARG);
    d = diverted, d.diverted = false;
    CHECK_EQ(flue_forward_put(f, &d, frame, NULL), FLUE_EARG);
    d = diverted, d.status = FLUE_ST_DMA_WRITE;
    CHECK_EQ(flue_forward_put(f, &d, frame, NULL), FLUE_EARG);
    d = diverted, d.len_bytes = 0;
    CHECK_EQ(flue_forward_put(f, &d, frame, NULL), FLUE_EARG);
    d = diverted, d.len_bytes = LEN + 1;
    CHECK_EQ(flue_forward_put(f, &d, frame, NULL), FLUE_EARG);
    d = diverted, d.vlan = true; /* its tag makes it too long */
    CHECK_EQ(flue_forward_put(f, &d, frame, NULL), FLUE_EARG);
    d = diverted, d.conn_handle = 0;
    CHECK_EQ(flue_forward_put(f, &d, frame, NULL), FLUE_EARG);
    struct flue_frag frag = {.region = rig.mem.region, .offset = 0, .len_bytes = LEN};
    struct flue_tx_packet packet = {.frags = &frag, .frag_count = 1, .forward = HANDLE, .csum = 1};
    CHECK_EQ(flue_tx_put(rig.a, &packet), FLUE_EARG);
    for (unsigned i = 0; i < FRAMES; i++)
        CHECK_EQ(flue_forward_put(f, &diverted, frame, NULL), FLUE_OK);
    CHECK_EQ(flue_forward_put(f, &diverted, frame, NULL), FLUE_EAGAIN);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    mock_tx_done(&rig.m, 4, FLUE_ST_OK);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(fates[FLUE_FORWARD_DONE], FRAMES);
    close_forward();
}

/* Stopped, nothing is told any more, and the memory is given back when the adapter has let go of the last frame. */
TEST(what_is_stopped_tells_nothing_more)
{
    open_forward();
    CHECK_EQ(flue_forward_put(f, &diverted, (uint8_t[LEN]){0}, NULL), FLUE_OK);
    flue_forward_stop(f);
    close_rig();
    CHECK_EQ(sum, 0);
}
