#include "bench.h"
#include "stream_test.h"

/* Take one packet of the arbiter, compare it with the next one expected of its input (its mark's low byte), return the input.
 */
static int take_from(int width, struct bench_packet *got)
{
    CHECK(bench_take(ARB + width, got));
    int input = (int)bench_bits_get(&got->user, 0, 8);
    CHECK(input < ARB_INPUTS);
    check_next_expected(ARB + width + 8 * input, got);
    return input;
}

static void queue_packets(int width, int input, unsigned count, size_t longest)
{
    int id = ARB + width + 8 * input;
    for (unsigned i = 0; i < count; i++) {
        struct bench_packet *packet = expect_packet(id, bench_random_in(1, longest));
        packet->bad = bench_chance(20);
        bench_bits_set(&packet->user, 0, 8, (uint64_t)input);
        bench_bits_set(&packet->user, 8, 24, i);
        bench_put(id, packet);
    }
}

static void arb_run(unsigned packets, size_t longest)
{
    struct bench_packet got;
    for (int width = 0; width < WIDTHS; width++)
        for (int input = 0; input < ARB_INPUTS; input++)
            queue_packets(width, input, packets, longest);
    bench_drain(2000000);
    for (int width = 0; width < WIDTHS; width++) {
        CHECK_EQ(packets * ARB_INPUTS, bench_arrived(ARB + width));
        for (unsigned i = 0; i < packets * ARB_INPUTS; i++)
            take_from(width, &got);
    }
}

/* Packets of all inputs come out whole, each input's in its order, none lost or mixed. */
TEST(arbiter_keeps_packets_whole)
{
    bench_mode_random();
    arb_run(100, 400);
    bench_mode_random();
    arb_run(200, 6);
}

/* Inputs that always offer a packet take turns one by one, without a cycle lost between packets. */
TEST(arbiter_takes_turns_at_a_beat_a_cycle)
{
    enum { PACKETS = 30 };
    struct bench_packet got;
    for (int width = 0; width < WIDTHS; width++)
        for (int input = 0; input < ARB_INPUTS; input++)
            queue_packets(width, input, PACKETS, 200);
    bench_drain(100000);
    for (int width = 0; width < WIDTHS; width++) {
        check_full_rate("stream_arb", width, bench_sink_stats(ARB + width));
        int last = take_from(width, &got);
        for (int i = 1; i < PACKETS * ARB_INPUTS; i++) {
            int input = take_from(width, &got);
            CHECK_EQ((last + 1) % ARB_INPUTS, input);
            last = input;
        }
    }
}

/* A single busy input has the output to itself. */
TEST(arbiter_gives_all_to_a_single_input)
{
    struct bench_packet got;
    for (int width = 0; width < WIDTHS; width++)
        queue_packets(width, 2, 20, 100);
    bench_drain(100000);
    for (int width = 0; width < WIDTHS; width++) {
        struct bench_stats stats = bench_sink_stats(ARB + width);
        CHECK_EQ(stats.beats, stats.last_cycle - stats.first_cycle + 1);
        for (int i = 0; i < 20; i++)
            CHECK_EQ(2, take_from(width, &got));
    }
}
