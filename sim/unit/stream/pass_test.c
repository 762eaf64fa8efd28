#include <string.h>

#include "bench.h"
#include "stream_test.h"

/* Modules that pass a packet unchanged (the frame FIFOs if it is good), and the sides their rate is measured on. */
static const struct {
    int module;
    const char *name;
    bool marks; /* the mark of the packet comes out */
} passers[] = {
    {REG, "stream_reg", true},         {FIFO, "fifo", true},          {PACKET_FIFO, "packet_fifo", false},
    {FRAME_FIFO, "frame_fifo", false}, {WIDER, "stream_width", true}, {NARROWER, "stream_width", true},
};
enum { PASSERS = sizeof passers / sizeof passers[0] };

/* Longest frame that the frame FIFOs of the bench take: DEPTH - 2 beats. */
static size_t longest_frame(int width, size_t limit)
{
    return limit < 62 * lanes(width) ? limit : 62 * lanes(width);
}

/* Queue a packet that is expected to come out unchanged. */
static void pass_packet(int passer, int width, size_t len, bool bad)
{
    int id = passers[passer].module + width;
    struct bench_packet *want = expect_packet(id, len), sent = *want;

    sent.bad = bad;
    bench_random_bits(&sent.user, 32);
    bench_random_bits(&sent.user_last, 16);
    bench_put(id, &sent);
    want->bad = bad;
    if (passers[passer].marks)
        want->user = sent.user;
    if (passers[passer].module == FRAME_FIFO)
        want->user = sent.user_last;
    if (passers[passer].module == FRAME_FIFO && bad)
        unexpect_packet(id);
}

static void pass_run(unsigned packets, size_t longest)
{
    for (int passer = 0; passer < PASSERS; passer++)
        for (int width = 0; width < WIDTHS; width++)
            for (unsigned i = 0; i < packets; i++)
                pass_packet(passer, width, bench_random_in(1, longest_frame(width, longest)), bench_chance(20));
    bench_drain(4000000);
    for (int passer = 0; passer < PASSERS; passer++)
        for (int width = 0; width < WIDTHS; width++)
            check_expected(passers[passer].module + width);
}

/* Every packet leaves as it came, at any pattern of idle and back-pressure: none lost, doubled, reordered or changed. */
TEST(packets_pass_unchanged)
{
    bench_mode_random();
    pass_run(100, 1000);
}

/* The same without any idle cycle, and with packets of one to a few bytes. */
TEST(packets_pass_unchanged_back_to_back)
{
    pass_run(200, 300);
}

TEST(runts_pass_unchanged)
{
    bench_mode_random();
    pass_run(300, 5);
}

/* A sink that takes almost nothing fills every store; a source that gives almost nothing drains them. */
TEST(full_and_empty_stores_lose_nothing)
{
    bench_mode_all(BENCH_BURSTS, 10, 90);
    pass_run(60, 400);
    bench_mode_all(BENCH_BURSTS, 90, 10);
    pass_run(60, 400);
}

/* Nothing of what was inside before a reset comes out after it. */
TEST(reset_empties_everything)
{
    for (int round = 0; round < 20; round++) {
        bench_mode_random();
        for (int passer = 0; passer < PASSERS; passer++)
            for (int width = 0; width < WIDTHS; width++) {
                for (int i = 0; i < 5; i++)
                    pass_packet(passer, width, bench_random_in(1, longest_frame(width, 500)), false);
                forget_expected(passers[passer].module + width);
            }
        bench_run(bench_random_in(1, 150));
        bench_reset();
        pass_run(3, 200);
    }
}

/* A beat in every cycle, packets back to back; a change of width: on its narrow side. */
TEST(streams_move_a_beat_a_cycle)
{
    for (int passer = 0; passer < PASSERS; passer++)
        for (int width = 0; width < WIDTHS; width++)
            for (int i = 0; i < 12; i++)
                pass_packet(passer, width, 40 * lanes(width), false);
    bench_drain(400000);
    for (int passer = 0; passer < PASSERS; passer++)
        for (int width = 0; width < WIDTHS; width++) {
            int id = passers[passer].module + width;
            bool to_wide = id == NARROWER || (passers[passer].module == WIDER && width < 4);
            check_expected(id);
            check_full_rate(passers[passer].name, width, to_wide ? bench_source_stats(id) : bench_sink_stats(id));
        }
}

/* The small FIFO holds exactly DEPTH words (16), counts them, and takes no more. */
TEST(fifo_holds_its_depth_and_counts)
{
    for (int width = 0; width < WIDTHS; width++) {
        uint8_t word[64] = {0};
        bench_sink_mode(FIFO + width, BENCH_RANDOM, 100);
        for (int i = 0; i < 20; i++)
            bench_send(FIFO + width, word, 1, false, NULL);
    }
    bench_run(50);
    for (int width = 0; width < WIDTHS; width++) {
        CHECK_EQ(16, bench_source_stats(FIFO + width).beats);
        CHECK_EQ(16, bench_get(FIFO + width, 0, 5));
        bench_sink_mode(FIFO + width, BENCH_FULL, 0);
    }
    bench_drain(1000);
    for (int width = 0; width < WIDTHS; width++) {
        CHECK_EQ(20, bench_arrived(FIFO + width));
        CHECK_EQ(0, bench_get(FIFO + width, 0, 5));
    }
}

/* The packet FIFO takes DEPTH beats before it stalls: DEPTH - 2 in its memory and 2 at its output. */
TEST(packet_fifo_holds_its_depth)
{
    for (int width = 0; width < WIDTHS; width++) {
        uint8_t word[64] = {0};
        bench_sink_mode(PACKET_FIFO + width, BENCH_RANDOM, 100);
        for (int i = 0; i < 60; i++)
            bench_send(PACKET_FIFO + width, word, 1, false, NULL);
    }
    bench_run(200);
    for (int width = 0; width < WIDTHS; width++)
        CHECK_EQ(32, bench_source_stats(PACKET_FIFO + width).beats);
}
