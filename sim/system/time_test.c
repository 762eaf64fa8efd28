/*
 * Time: interrupts are moderated, idle time is skipped, a run repeats from its seed, and its log replays on the same model.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"

static void put_plain(struct rig *rig, size_t len)
{
    static uint8_t frame[1514];
    memset(frame, 0x33, sizeof frame);
    frame[12] = 0x88;
    frame[13] = 0xB5;
    CHECK(rig_put(rig, frame, len, 2, &(struct flue_tx_packet){0}) == FLUE_OK);
}

/* Adapter time from now until the interrupt, polling it away afterwards. */
static uint64_t until_irq(struct rig *rig, uint64_t limit_us)
{
    enum flue_sim_why why;
    unsigned handled;
    uint64_t t0 = flue_sim_time_us(rig->sim);
    CHECK(flue_sim_advance(rig->sim, limit_us, FLUE_SIM_UNTIL_IRQ, &why) == FLUE_OK, "%s", flue_sim_violation(rig->sim));
    CHECK(why == FLUE_SIM_IRQ, "width %u: no interrupt within %" PRIu64 " us", rig->width, limit_us);
    uint64_t t = flue_sim_time_us(rig->sim) - t0;
    CHECK(flue_poll(rig->adapter, 1000, &handled) == FLUE_OK);
    return t;
}

TEST(interrupts_keep_their_distance_and_a_number_of_events_ends_it)
{
    static const unsigned WIDTHS[] = {32, 64, 128};
    for (unsigned i = 0; i < 3; i++) {
        struct rig *rig =
            rig_open(&(struct rig_options){.width = WIDTHS[i], .params = {.irq_distance_us = 500, .irq_events = 4}});
        put_plain(rig, 100);
        until_irq(rig, 1000); /* whatever distance was still open */
        put_plain(rig, 100);
        uint64_t one = until_irq(rig, 2000);
        CHECK(one >= 490 && one <= 501, "width %u: one event after %" PRIu64 " us", WIDTHS[i], one);
        for (unsigned k = 0; k < 4; k++)
            put_plain(rig, 100);
        uint64_t four = until_irq(rig, 2000);
        CHECK(four < 50, "width %u: four events after %" PRIu64 " us", WIDTHS[i], four);
        struct flue_sim_stats st;
        flue_sim_stats(rig->sim, &st);
        CHECK(st.cycles < 20000, "width %u: %" PRIu64 " cycles", WIDTHS[i], st.cycles);
        CHECK_EQ(rig->dones, 6);
        rig_close(rig);
    }
}

/* An hour of adapter time between two frames costs next to no cycles, and time goes on in the adapter. */
RIG_TEST(an_idle_hour_is_skipped)
{
    enum { HOUR_US = 3600000000u };
    struct flue_sim_stats a, b;
    enum flue_sim_why why;
    uint64_t t0, t1;
    rig_expect_alive(rig);
    CHECK(flue_time_us(rig->adapter, &t0) == FLUE_OK);
    flue_sim_stats(rig->sim, &a);
    CHECK(flue_sim_advance(rig->sim, HOUR_US, 0, &why) == FLUE_OK);
    flue_sim_stats(rig->sim, &b);
    CHECK(b.cycles - a.cycles < 1000, "%" PRIu64 " cycles", b.cycles - a.cycles);
    CHECK(flue_time_us(rig->adapter, &t1) == FLUE_OK);
    CHECK(t1 - t0 >= HOUR_US && t1 - t0 < HOUR_US + 10, "%" PRIu64 " us passed in the adapter", t1 - t0);
    rig_expect_alive(rig);
}

/* Traffic both ways over bad wires; returns a hash of all that came out. */
static uint64_t run(unsigned width, const char *log)
{
    static uint8_t frame[FLUE_FRAMES_MAX];
    struct rig *rig = rig_open(&(struct rig_options){.width = width, .rough = true, .log_path = log});
    uint64_t hash = 0;
    flue_sim_allow_bad_checksums(rig->sim, true);
    CHECK(flue_sim_wire_set(rig->sim, FLUE_SIM_WIRE_TX, "drop=0.05,reorder=0.05,delay=20us:40us") == FLUE_OK);
    CHECK(flue_sim_wire_set(rig->sim, FLUE_SIM_WIRE_RX, "drop=0.05,dup=0.05,flip=0.05,truncate=0.05,rate=1G,queue=20") ==
          FLUE_OK);
    for (unsigned i = 0; i < 60; i++) {
        struct flue_frames_shape shape = flue_frames_shape(&rig->frames_state, 1000);
        size_t len = flue_frames_build(&rig->frames_state, &shape, frame);
        if (len <= 1514) {
            CHECK(rig_put(rig, frame, len, 3, &(struct flue_tx_packet){0}) == FLUE_OK);
            CHECK(flue_sim_wire_send(rig->sim, frame, len) == FLUE_OK);
        }
        if (i % 7 == 0)
            CHECK(rig_settle(rig), "%s", flue_sim_violation(rig->sim));
    }
    CHECK(rig_settle(rig));
    struct flue_sim_stats st;
    flue_sim_stats(rig->sim, &st);
    CHECK_EQ(st.wire_tx.frames_in, st.wire_tx.frames_out + st.wire_tx.dropped);
    CHECK_EQ(st.wire_rx.frames_in,
             st.wire_rx.frames_out + st.wire_rx.dropped + st.wire_rx.queue_dropped - st.wire_rx.duplicated);
    for (unsigned i = 0; i < rig->outs + rig->ins; i++) {
        struct rig_frame *f = i < rig->outs ? &rig->out[i] : &rig->in[i - rig->outs];
        for (size_t k = 0; k < f->len; k++)
            hash = (hash ^ f->data[k]) * UINT64_C(0x100000001B3);
    }
    rig_close(rig);
    return hash ^ st.cycles << 20 ^ st.time_us;
}

TEST(a_run_repeats_from_its_seed_and_its_log_replays)
{
    static const unsigned WIDTHS[] = {32, 64, 128};
    char dir[] = "/tmp/flue_time_XXXXXX", log[64], fst[64];
    struct flue_sim_replay_result r;
    REQUIRE(mkdtemp(dir) != NULL);
    snprintf(log, sizeof log, "%s/run.flog", dir);
    snprintf(fst, sizeof fst, "%s/run.fst", dir);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t first = run(WIDTHS[i], log), again = run(WIDTHS[i], NULL);
        CHECK(first == again, "width %u: the same seed gave another run", WIDTHS[i]);
        CHECK(flue_sim_replay(log, NULL, 0, 0, NULL, &r) == FLUE_OK, "%s", flue_sim_open_error());
        CHECK(r.equal && r.width == WIDTHS[i] && r.seed == check_seed && r.cycles > 10000,
              "width %u: differs at %" PRIu64 " us", WIDTHS[i], r.differs_at_us);

        /* With waves, where a traced model was built (perhaps from other sources: it need not agree). */
        enum flue_err err = flue_sim_replay(log, fst, 100, 200, NULL, &r);
        struct stat st;
        CHECK(err == FLUE_EUNSUPP || (err == FLUE_OK && stat(fst, &st) == 0 && st.st_size > 1000), "width %u: %s %s", WIDTHS[i],
              flue_err_name(err), flue_sim_open_error());
        unlink(fst);
    }
    unlink(log);
    rmdir(dir);
}

TEST_MAIN(1)
