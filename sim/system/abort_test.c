/*
 * Drain, reset and errors of the bus in the middle of traffic, at random points: every packet and buffer comes back exactly
 * once, no access follows the end of a drain, and traffic goes on.
 */
#include "lso.h"
#include "rig.h"

enum { PACKETS = 400 };

/* Traffic of all kinds, counted by cookie. */
struct traffic {
    struct rig *rig;
    unsigned put, back;
    uint8_t seen[PACKETS]; /* completions by cookie */
    unsigned ok, aborted, failed;
};

static struct traffic traffic;

static void put_some(struct traffic *t, unsigned n)
{
    static uint8_t frame[20000];
    struct rig *rig = t->rig;
    for (; n && t->put < PACKETS; n--) {
        struct flue_tx_packet p = {.cookie = (void *)(uintptr_t)(t->put + 1)};
        struct flue_frag frag[FLUE_TX_FRAGS_MAX];
        struct flue_frames_shape shape = {
            .ip = flue_rng_below(&rig->rng, 2) ? 4 : 6, .l4 = FLUE_FRAMES_TCP, .payload = 1 + flue_rng_below(&rig->rng, 1300)};
        size_t len = flue_frames_build(&rig->frames_state, &shape, frame);
        if (flue_rng_below(&rig->rng, 3) == 0) { /* a large send of up to 12 frames */
            struct flue_pkt_hdr h;
            flue_pkt_parse(frame, len, &h);
            uint16_t partial = flue_pkt_pseudo(frame, &h, 0);
            frame[h.l4_off + 16] = (uint8_t)(partial >> 8);
            frame[h.l4_off + 17] = (uint8_t)partial;
            frame[h.l4_off + 13] &= (uint8_t) ~(FLUE_PKT_SYN | FLUE_PKT_RST | FLUE_PKT_URG);
            len = h.pay_off + 1 + flue_rng_below(&rig->rng, 12000);
            p.lso = 1000 | (uint32_t)h.l4_off << 20 | 1u << 30 | (h.is_ipv6 ? 1u << 31 : 0);
        }
        p.frag_count = rig_load(rig, frame, len, 1 + flue_rng_below(&rig->rng, 6), frag);
        p.frags = frag;
        if (flue_tx_put(rig->adapter, &p) != FLUE_OK)
            break;
        t->put++;
    }
    enum flue_err err = flue_tx_kick(rig->adapter);
    CHECK(err == FLUE_OK || err == FLUE_ESTATE, "%s", flue_err_name(err));
    for (unsigned i = flue_rng_below(&rig->rng, 6); i; i--) {
        struct flue_frames_shape shape = flue_frames_shape(&rig->frames_state, 1000);
        size_t len = flue_frames_build(&rig->frames_state, &shape, frame);
        if (flue_rng_below(&rig->rng, 3) == 0)
            len = flue_frames_damage(&rig->frames_state, frame, len);
        if (len <= 1514)
            CHECK(flue_sim_wire_send(rig->sim, frame, len) == FLUE_OK);
    }
}

/* Account for completions since the last time. */
static void account(struct traffic *t)
{
    struct flue_tx_done *d;
    while ((d = rig_next_done(t->rig)) != NULL) {
        unsigned cookie = (unsigned)(uintptr_t)d->cookie;
        CHECK(cookie >= 1 && cookie <= t->put, "cookie %u", cookie);
        if (cookie < 1 || cookie > t->put)
            continue;
        CHECK(!t->seen[cookie - 1]++, "width %u: packet %u came back twice", t->rig->width, cookie);
        CHECK(cookie == ++t->back, "width %u: packet %u came back as number %u", t->rig->width, cookie, t->back);
        if (d->status == FLUE_ST_OK)
            t->ok++;
        else if (d->status == FLUE_ST_ABORTED)
            t->aborted++;
        else
            t->failed++;
    }
}

static void run(struct traffic *t, uint64_t cycles)
{
    enum flue_sim_why why;
    unsigned handled;
    enum flue_err err = flue_sim_run(t->rig->sim, cycles, 0, &why);
    CHECK(err == FLUE_OK, "width %u: %s", t->rig->width, flue_sim_violation(t->rig->sim));
    if (flue_rng_below(&t->rig->rng, 2) == 0) {
        err = flue_poll(t->rig->adapter, 1000, &handled);
        CHECK(err == FLUE_OK, "width %u: poll: %s %s", t->rig->width, flue_err_name(err), flue_adapter_fault(t->rig->adapter));
        account(t);
        rig_refill(t->rig);
    }
}

static unsigned buffers_out(const struct rig *rig)
{
    unsigned n = 0;
    for (unsigned i = 0; i < RIG_BUFFERS; i++)
        n += rig->buffer_out[i];
    return n;
}

static void start(struct rig *rig)
{
    memset(&traffic, 0, sizeof traffic);
    traffic.rig = rig;
    rig_forget(rig);
}

RIG_TEST(a_drain_anywhere_in_traffic_returns_everything_and_ends_all_access)
{
    uint8_t frame[60] = {[12] = 0x88, [13] = 0xB5};
    struct flue_sim_stats before, after;
    enum flue_sim_why why;
    for (unsigned round = 0; round < 6 && !check_failures; round++) {
        start(rig);
        for (unsigned i = flue_rng_below(&rig->rng, 12); i; i--) {
            put_some(&traffic, flue_rng_below(&rig->rng, 20));
            run(&traffic, flue_rng_below(&rig->rng, 3000));
        }
        put_some(&traffic, 10);
        run(&traffic, flue_rng_below(&rig->rng, 400));
        enum flue_err err = flue_adapter_drain(rig->adapter);
        CHECK(err == FLUE_OK, "width %u: drain: %s %s %s", rig->width, flue_err_name(err), flue_adapter_fault(rig->adapter),
              flue_sim_violation(rig->sim));
        account(&traffic);
        CHECK(traffic.back == traffic.put && !traffic.failed, "width %u: %u of %u came back, %u failed", rig->width,
              traffic.back, traffic.put, traffic.failed);
        CHECK_EQ(buffers_out(rig), 0);

        flue_sim_stats(rig->sim, &before);
        for (unsigned i = 0; i < 5; i++)
            CHECK(flue_sim_wire_send(rig->sim, frame, sizeof frame) == FLUE_OK);
        CHECK(flue_sim_advance(rig->sim, 5000, 0, &why) == FLUE_OK, "%s", flue_sim_violation(rig->sim));
        flue_sim_stats(rig->sim, &after);
        CHECK_EQ(after.dma_read_bursts + after.dma_write_bursts, before.dma_read_bursts + before.dma_write_bursts);

        err = flue_adapter_resume(rig->adapter);
        CHECK(err == FLUE_OK, "width %u: resume: %s", rig->width, flue_err_name(err));
        rig_refill(rig);
        CHECK(rig_settle(rig));
        rig_expect_alive(rig);
    }
}

RIG_TEST(a_reset_anywhere_in_traffic_returns_everything)
{
    for (unsigned round = 0; round < 6 && !check_failures; round++) {
        start(rig);
        for (unsigned i = flue_rng_below(&rig->rng, 12); i; i--) {
            put_some(&traffic, flue_rng_below(&rig->rng, 20));
            run(&traffic, flue_rng_below(&rig->rng, 3000));
        }
        put_some(&traffic, 10);
        run(&traffic, flue_rng_below(&rig->rng, 400));
        enum flue_err err = flue_adapter_reset(rig->adapter);
        CHECK(err == FLUE_OK, "width %u: reset: %s %s %s", rig->width, flue_err_name(err), flue_adapter_fault(rig->adapter),
              flue_sim_violation(rig->sim));
        account(&traffic);
        CHECK(traffic.back == traffic.put && !traffic.failed, "width %u: %u of %u came back, %u failed", rig->width,
              traffic.back, traffic.put, traffic.failed);
        rig_refill(rig);
        CHECK(rig_settle(rig));
        rig_expect_alive(rig);
    }
}

/* Errors on 1 % of all bursts: requests fail one by one, queues that stop are brought back, all is counted and comes back. */
RIG_TEST(errors_of_the_bus_all_over_leave_the_adapter_working)
{
    struct flue_sim_memory clean = {0}, faulty = {.read_error = 0.01, .write_error = 0.003, .latency_max = 40, .reorder = true};
    for (unsigned round = 0; round < 3 && !check_failures; round++) {
        start(rig);
        CHECK(flue_sim_memory_set(rig->sim, &faulty) == FLUE_OK);
        for (unsigned i = 0; i < 25 && !check_failures; i++) {
            put_some(&traffic, 12);
            run(&traffic, 4000);
            for (enum flue_queue_id q = FLUE_Q_TX; q <= FLUE_Q_RX; q++)
                if (flue_queue_stopped(rig->adapter, q)) {
                    enum flue_err err = flue_queue_recover(rig->adapter, q);
                    CHECK(err == FLUE_OK || err == FLUE_EDEVICE || err == FLUE_ETIMEOUT, "%s", flue_err_name(err));
                }
            if (flue_queue_stopped(rig->adapter, FLUE_Q_EVENTS)) {
                enum flue_err err = flue_adapter_reset(rig->adapter);
                CHECK(err == FLUE_OK, "width %u: reset: %s", rig->width, flue_err_name(err));
            }
            account(&traffic);
            rig_refill(rig);
        }
        CHECK(flue_sim_memory_set(rig->sim, &clean) == FLUE_OK);
        enum flue_err err = flue_adapter_reset(rig->adapter);
        CHECK(err == FLUE_OK, "width %u: reset: %s %s", rig->width, flue_err_name(err), flue_adapter_fault(rig->adapter));
        account(&traffic);
        CHECK(traffic.back == traffic.put, "width %u: %u of %u came back", rig->width, traffic.back, traffic.put);
        CHECK(traffic.failed + traffic.aborted > 0 && traffic.ok > 0, "width %u: %u ok, %u failed, %u aborted", rig->width,
              traffic.ok, traffic.failed, traffic.aborted);
        rig_refill(rig);
        CHECK(rig_settle(rig));
        rig_expect_alive(rig);
    }
}

/* Frames cut anywhere, options of length 0, impossible lengths: each that is a frame is delivered as it came. */
RIG_TEST(whatever_comes_from_the_wire_is_delivered_as_it_is)
{
    static uint8_t sent[60][FLUE_FRAMES_MAX];
    size_t len[60];
    for (unsigned round = 0; round < 4; round++) {
        unsigned runts = 0, good = 0;
        rig_forget(rig);
        for (unsigned i = 0; i < 60; i++) {
            struct flue_frames_shape shape = flue_frames_shape(&rig->frames_state, 400);
            struct flue_pkt_hdr h;
            len[i] = flue_frames_build(&rig->frames_state, &shape, sent[i]);
            flue_pkt_parse(sent[i], len[i], &h);
            if (i % 4 == 0)
                len[i] = 1 + flue_rng_below(&rig->rng, len[i]); /* cut anywhere */
            else if (i % 4 == 1 && h.is_tcp && h.tcp_opts)
                sent[i][h.l4_off + 21] = 0; /* option of length 0 */
            else if (i % 4 == 1 && h.is_ipv4 && h.ip_opts)
                sent[i][h.l3_off + 21] = 0;
            else if (i % 4 == 2)
                len[i] = flue_frames_damage(&rig->frames_state, sent[i], len[i]);
            CHECK(flue_sim_wire_send(rig->sim, sent[i], len[i]) == FLUE_OK);
            runts += len[i] < 14;
            if (i % 10 == 9)
                CHECK(rig_settle(rig), "width %u: %s", rig->width, flue_sim_violation(rig->sim));
        }
        for (unsigned i = 0; i < 60; i++) {
            if (len[i] < 14)
                continue;
            struct rig_frame *in = rig_next_in(rig);
            good += in && in->len == len[i] && !memcmp(in->data, sent[i], len[i]);
        }
        CHECK(good + runts == 60, "width %u: %u delivered, %u too short", rig->width, good, runts);
        CHECK(!rig_next_in(rig));
    }
}

TEST_MAIN(1)
