#include "bench.h"

/* What goes in comes out: bytes, bad, both kinds of user bits, at every width. */
TEST(packets_arrive_as_they_were_sent) {
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
TEST(a_full_stream_has_no_gap) {
    uint8_t bytes[640] = {0};
    for (int i = 0; i < 20; i++)
        bench_send(1, bytes, sizeof bytes, false, NULL);
    bench_drain(10000);
    CHECK_EQ(20 * 640 / 8, bench_sink_stats(1).beats);
    CHECK(bench_beats_per_cycle(bench_sink_stats(1)) == 1.0);
}

/* A signal that the bench drives is seen, and counted while it is high. */
TEST(signals_are_driven_and_counted) {
    bench_set(0, 2, 3, 5);
    bench_run(1);
    bench_set(0, 2, 3, 0);
    bench_run(2);
    CHECK_EQ(1, bench_count(0, 2));
    CHECK_EQ(0, bench_count(0, 3));
    CHECK_EQ(1, bench_count(0, 4));
    CHECK_EQ(0, bench_get(0, 0, 8));
}
