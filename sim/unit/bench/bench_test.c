#include "bench.h"

/* What goes in comes out: bytes, bad, both kinds of user bits, at every width. */
TEST(packets_arrive_as_they_were_sent)
{
    enum { PACKETS = 200 };
    static uint8_t bytes[5][PACKETS][300];
    static struct bench_packet sent[5][PACKETS];

    bench_mode_random();
    for (int id = 0; id < 5; id++)
        for (int i = 0; i < PACKETS; i++) {
            struct bench_packet *packet = &sent[id][i];
            bench_random_bytes(bytes[id][i], sizeof bytes[id][i]);
            *packet = (struct bench_packet){.data = bytes[id][i], .len = bench_random_in(1, 300), .bad = bench_chance(20)};
            bench_random_bits(&packet->user, 40);
            bench_random_bits(&packet->user_last, 16);
            bench_put(id, packet);
        }
    bench_drain(1000000);
    for (int id = 0; id < 5; id++) {
        CHECK_EQ(PACKETS, bench_arrived(id));
        for (int i = 0; i < PACKETS; i++) {
            struct bench_packet got;
            CHECK(bench_take(id, &got));
            CHECK_BYTES(sent[id][i].data, sent[id][i].len, got.data, got.len);
            CHECK_EQ(sent[id][i].bad, got.bad);
            CHECK(bench_bits_equal(&sent[id][i].user, &got.user));
            CHECK(bench_bits_equal(&sent[id][i].user_last, &got.user_last));
        }
    }
}

/* Without idle and back-pressure one beat moves in every cycle. */
TEST(a_full_stream_has_no_gap)
{
    uint8_t bytes[640] = {0};
    for (int i = 0; i < 20; i++)
        bench_send(1, bytes, sizeof bytes, false, NULL);
    bench_drain(10000);
    CHECK_EQ(20 * 640 / 8, bench_sink_stats(1).beats);
    CHECK(bench_beats_per_cycle(bench_sink_stats(1)) == 1.0);
}

/* A signal that the bench drives is seen, and counted while it is high. */
TEST(signals_are_driven_and_counted)
{
    bench_set(0, 2, 3, 5);
    bench_run(1);
    bench_set(0, 2, 3, 0);
    bench_run(2);
    CHECK_EQ(1, bench_count(0, 2));
    CHECK_EQ(0, bench_count(0, 3));
    CHECK_EQ(1, bench_count(0, 4));
    CHECK_EQ(0, bench_get(0, 0, 8));
}

enum { VALID = 1, LAST = 2, BAD = 4 };

/* Drive the raw stream of sink 5 for one cycle. */
static void drive(unsigned flags, unsigned keep, uint32_t data, unsigned user)
{
    bench_set(1, 0, 40, flags | (uint64_t)keep << 3 | (uint64_t)data << 7 | (uint64_t)user << 39);
    bench_run(1);
}

/* Each stream rule, broken once, is seen once: by the sink that is to take the beat, or that does not take it. */
TEST(sinks_see_broken_rules)
{
    static const struct {
        const char *what;
        bool stalls;
        unsigned beats[2][4]; /* flags, keep, data, user of two beats in a row */
    } cases[] = {
        {"keep with a hole", false, {{VALID | LAST, 0x5, 1, 0}, {VALID | LAST, 0xF, 1, 0}}},
        {"keep that begins late", false, {{VALID | LAST, 0xE, 1, 0}, {VALID | LAST, 0xF, 1, 0}}},
        {"empty keep", false, {{VALID | LAST, 0x0, 1, 0}, {VALID | LAST, 0xF, 1, 0}}},
        {"keep not full before last", false, {{VALID, 0x7, 1, 0}, {VALID | LAST, 0xF, 1, 0}}},
        {"user changes inside a packet", false, {{VALID, 0xF, 1, 0}, {VALID | LAST, 0xF, 1, 1}}},
        {"offer taken back", true, {{VALID | LAST, 0xF, 1, 0}, {0, 0xF, 1, 0}}},
        {"data changes on offer", true, {{VALID | LAST, 0xF, 1, 0}, {VALID | LAST, 0xF, 2, 0}}},
        {"keep changes on offer", true, {{VALID | LAST, 0xF, 1, 0}, {VALID | LAST, 0x7, 1, 0}}},
        {"last changes on offer", true, {{VALID | LAST, 0xF, 1, 0}, {VALID, 0xF, 1, 0}}},
        {"bad changes on offer", true, {{VALID | LAST, 0xF, 1, 0}, {VALID | LAST | BAD, 0xF, 1, 0}}},
        {"user changes on offer", true, {{VALID | LAST, 0xF, 1, 0}, {VALID | LAST, 0xF, 1, 1}}},
    };
    bench_count_broken_rules();
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned before = bench_broken_rules();
        bench_reset();
        bench_sink_mode(5, BENCH_RANDOM, cases[i].stalls ? 100 : 0);
        bench_run(2);
        CHECK_EQ(!cases[i].stalls, bench_get(1, 0, 1));
        for (int beat = 0; beat < 2; beat++)
            drive(cases[i].beats[beat][0], cases[i].beats[beat][1], cases[i].beats[beat][2], cases[i].beats[beat][3]);
        drive(0, 0, 0, 0);
        bench_reset();
        if (bench_broken_rules() == before)
            bench_fail(__FILE__, __LINE__, "not seen: %s", cases[i].what);
    }
}

/* What is allowed is not called broken: a beat that stalls unchanged, lanes that keep leaves out, bad before last. */
TEST(sinks_allow_what_is_allowed)
{
    bench_sink_mode(5, BENCH_RANDOM, 100);
    bench_run(2);
    drive(VALID | BAD, 0xF, 1, 1);
    drive(VALID, 0xF, 1, 1);
    bench_sink_mode(5, BENCH_FULL, 0);
    drive(VALID, 0xF, 1, 1);
    drive(VALID | LAST, 0x1, 0x12345678, 1);
    drive(0, 0, 0, 0);
    bench_run(2);
    struct bench_packet got;
    CHECK(bench_take(5, &got));
    CHECK_EQ(0x78, got.data[got.len - 1]);
    CHECK_EQ(0, bench_arrived(5));
}
