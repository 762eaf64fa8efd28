#include "bench.h"
#include "stream_test.h"

enum { DROP_BAD, DROP_FULL, STALLED }; /* bits of the status signals */
enum { DEPTH = 64, FRAMES = 8 };       /* parameters of the frame FIFOs in stream_tb.sv */

static void send_frame(int id, size_t len, uint16_t meta, bool bad)
{
    struct bench_packet *want = expect_packet(id, len), sent = *want;

    sent.bad = bad;
    bench_bits_set(&sent.user_last, 0, 16, meta);
    bench_put(id, &sent);
    want->user = sent.user_last;
    if (bad)
        unexpect_packet(id);
}

/* A frame comes out only when it is in whole: however slowly it came, its beats then leave without a gap. */
TEST(frames_leave_without_a_gap)
{
    for (int width = 0; width < WIDTHS; width++) {
        bench_source_mode(FRAME_FIFO + width, BENCH_BURSTS, 80);
        send_frame(FRAME_FIFO + width, 30 * lanes(width), 7, false);
    }
    bench_drain(100000);
    for (int width = 0; width < WIDTHS; width++) {
        struct bench_stats in = bench_source_stats(FRAME_FIFO + width), out = bench_sink_stats(FRAME_FIFO + width);
        check_expected(FRAME_FIFO + width);
        CHECK_EQ(30, out.last_cycle - out.first_cycle + 1);
        CHECK(out.first_cycle > in.last_cycle);
    }
}

/* Bad frames vanish and are counted one by one; the good ones around them come out with their own meta data. */
TEST(bad_frames_vanish)
{
    unsigned bad_count[WIDTHS] = {0};

    bench_mode_random();
    for (int width = 0; width < WIDTHS; width++)
        for (int i = 0; i < 200; i++) {
            bool bad = bench_chance(50);
            bad_count[width] += bad;
            send_frame(FRAME_FIFO + width, bench_random_in(1, 20 * lanes(width)), (uint16_t)i, bad);
        }
    bench_drain(1000000);
    for (int width = 0; width < WIDTHS; width++) {
        check_expected(FRAME_FIFO + width);
        CHECK_EQ(bad_count[width], bench_count(FRAME_FIFO + width, DROP_BAD));
        CHECK_EQ(0, bench_count(FRAME_FIFO + width, DROP_FULL));
    }
}

/* The longest frame, DEPTH - 2 beats, fits, good or bad, one after the other. */
TEST(longest_frames_fit)
{
    for (int width = 0; width < WIDTHS; width++)
        for (int i = 0; i < 10; i++)
            send_frame(FRAME_FIFO + width, (DEPTH - 2) * lanes(width), (uint16_t)i, i % 3 == 1);
    bench_drain(100000);
    for (int width = 0; width < WIDTHS; width++)
        check_expected(FRAME_FIFO + width);
}

/* With DROP_FULL the input never stalls; frames that find no room vanish whole and are counted, all others come out. */
TEST(overflow_drops_whole_frames)
{
    unsigned bad_count[WIDTHS] = {0};

    bench_mode_random();
    for (int width = 0; width < WIDTHS; width++) {
        bench_source_mode(FRAME_DROP + width, BENCH_RANDOM, 10);
        bench_sink_mode(FRAME_DROP + width, BENCH_BURSTS, 60);
        for (int i = 0; i < 1000; i++) {
            bool bad = bench_chance(10);
            bad_count[width] += bad;
            send_frame(FRAME_DROP + width, bench_random_in(1, (bench_chance(10) ? 80 : 10) * lanes(width)), (uint16_t)i, bad);
        }
    }
    bench_drain(1000000);
    for (int width = 0; width < WIDTHS; width++) {
        size_t missing = check_expected_some(FRAME_DROP + width);
        CHECK(missing > 0);
        CHECK_EQ(missing, bench_count(FRAME_DROP + width, DROP_FULL));
        CHECK_EQ(bad_count[width], bench_count(FRAME_DROP + width, DROP_BAD));
        CHECK_EQ(0, bench_count(FRAME_DROP + width, STALLED));
    }
}

/* One-beat frames into a full store: the last one that fits is kept, and room is found again at once. */
TEST(overflow_by_single_beats)
{
    for (int width = 0; width < WIDTHS; width++)
        for (int i = 0; i < 400; i++)
            send_frame(FRAME_DROP + width, bench_random_in(1, lanes(width)), (uint16_t)i, false);
    bench_mode_all(BENCH_RANDOM, 0, 50);
    bench_drain(100000);
    for (int width = 0; width < WIDTHS; width++) {
        size_t missing = check_expected_some(FRAME_DROP + width);
        CHECK(missing > 0);
        CHECK_EQ(missing, bench_count(FRAME_DROP + width, DROP_FULL));
        /* Half of the cycles take a beat, so about half of the frames pass. */
        CHECK(missing < 260);
    }
}

/* With the output stopped, FRAMES - 1 frames are kept, or DEPTH beats of them, whichever is reached first. */
TEST(stores_keep_what_they_promise)
{
    for (int width = 0; width < WIDTHS; width++) {
        bench_sink_mode(FRAME_DROP + width, BENCH_RANDOM, 100);
        for (int i = 0; i < 20; i++)
            send_frame(FRAME_DROP + width, lanes(width), (uint16_t)i, false);
    }
    bench_run(100);
    for (int width = 0; width < WIDTHS; width++) {
        CHECK_EQ(20 - (FRAMES - 1), bench_count(FRAME_DROP + width, DROP_FULL));
        bench_sink_mode(FRAME_DROP + width, BENCH_FULL, 0);
    }
    bench_drain(1000);
    for (int width = 0; width < WIDTHS; width++)
        CHECK_EQ(20 - (FRAMES - 1), check_expected_some(FRAME_DROP + width));
    /* 5 frames of 12 beats: 60 of the 62 beats of the memory, the first two of them already at the output. */
    for (int width = 0; width < WIDTHS; width++) {
        bench_sink_mode(FRAME_DROP + width, BENCH_RANDOM, 100);
        for (int i = 0; i < 7; i++)
            send_frame(FRAME_DROP + width, 12 * lanes(width), (uint16_t)(100 + i), false);
    }
    bench_run(200);
    for (int width = 0; width < WIDTHS; width++) {
        CHECK_EQ(20 - (FRAMES - 1) + 2, bench_count(FRAME_DROP + width, DROP_FULL));
        bench_sink_mode(FRAME_DROP + width, BENCH_FULL, 0);
    }
    bench_drain(1000);
    for (int width = 0; width < WIDTHS; width++)
        CHECK_EQ(2, check_expected_some(FRAME_DROP + width));
}
