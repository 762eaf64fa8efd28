/* Frames of the host among those of the wire: nothing is lost, cut or taken for another. */
#include <string.h>

#include "bench.h"

enum { WIDTHS = 5, HOST = 8, WIRE_FRAMES = 250, HOST_FRAMES = 50, LONGEST = 1522, MARK = 0x80 };

static uint8_t frame[LONGEST];

/* The first byte says whose it is; the rest are random. */
static size_t make(bool host, unsigned shortest)
{
    size_t len = bench_random_in(shortest, bench_chance(80) ? 200 : LONGEST);
    bench_random_bytes(frame, len);
    frame[0] = (uint8_t)(host ? frame[0] | MARK : frame[0] & ~MARK);
    return len;
}

static struct {
    uint8_t data[LONGEST];
    size_t len;
    bool bad;
} sent[2][WIRE_FRAMES];

static void put(int id, bool host, unsigned n)
{
    sent[host][n].len = make(host, 60);
    sent[host][n].bad = bench_chance(10);
    memcpy(sent[host][n].data, frame, sent[host][n].len);
    bench_send(id, frame, sent[host][n].len, sent[host][n].bad, NULL);
}

static void expect_all(int g)
{
    unsigned next[2] = {0, 0};
    struct bench_packet out, end;
    for (unsigned i = 0; i < WIRE_FRAMES + HOST_FRAMES; i++) {
        CHECK(bench_take(g, &out));
        bool host = out.data[0] & MARK;
        unsigned n = next[host]++;
        CHECK(n < (host ? HOST_FRAMES : WIRE_FRAMES));
        CHECK_BYTES(sent[host][n].data, sent[host][n].len, out.data, out.len);
        CHECK_EQ(sent[host][n].bad, out.bad);
        CHECK(bench_take(HOST + g, &end));
        CHECK_EQ(host, bench_bits_get(&end.user, 0, 1));
    }
    CHECK_EQ(0, bench_arrived(g));
    CHECK_EQ(0, bench_arrived(HOST + g));
    CHECK_EQ(HOST_FRAMES, bench_count(g, 1));
}

/* CH-096, HND-003: whatever the wire brings, at any rate up to a beat each cycle, and however slow the blocks behind are with a
 * beat while it pauses. */
TEST(both_streams_leave_whole_in_order_and_told_apart)
{
    for (int g = 0; g < WIDTHS; g++)
        for (unsigned idle = 0; idle <= 60; idle += 20) {
            bench_reset();
            bench_source_mode(HOST + g, BENCH_FULL, 0);
            bench_source_mode(g, idle < 40 ? BENCH_RANDOM : BENCH_BURSTS, idle);
            bench_sink_mode(g, BENCH_RANDOM, idle / 4);
            bench_sink_mode(HOST + g, BENCH_FULL, 0);
            for (unsigned n = 0; n < WIRE_FRAMES; n++)
                put(g, false, n);
            for (unsigned n = 0; n < HOST_FRAMES; n++)
                put(HOST + g, true, n);
            bench_drain(400000);
            expect_all(g);
        }
}

/* One of them is under way at a time: the next enters when the one before is behind the checks. */
TEST(a_frame_of_the_host_waits_for_the_end_of_the_one_before)
{
    for (int g = 0; g < WIDTHS; g++) {
        struct bench_packet first, second, end;
        bench_reset();
        bench_sink_mode(g, BENCH_FULL, 0);
        bench_sink_mode(HOST + g, BENCH_FULL, 0);
        put(HOST + g, true, 0);
        put(HOST + g, true, 1);
        bench_drain(5000);
        CHECK(bench_take(g, &first) && bench_take(g, &second) && bench_take(HOST + g, &end));
        CHECK(second.first_cycle > end.last_cycle);
        CHECK(second.first_cycle < end.last_cycle + 4);
    }
}

/* The wire alone passes with the latency that is promised. */
TEST(the_wire_waits_three_cycles)
{
    for (int g = 0; g < WIDTHS; g++) {
        struct bench_packet out;
        bench_reset();
        bench_sink_mode(g, BENCH_FULL, 0);
        put(g, false, 0);
        bench_drain(5000);
        CHECK(bench_take(g, &out));
        CHECK_EQ(3, out.first_cycle - bench_source_stats(g).first_cycle);
    }
}
