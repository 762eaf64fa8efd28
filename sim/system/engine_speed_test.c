/*
 * Goodput of the RTL engine against the reference TCP (streams.h), each way alone and both at once; how fast that is simulated;
 * and the adapter's part of the time of a move.  Prints BENCH lines.
 *
 * The regular form is short and has few connections; with FLUE_BENCH in the environment (make bench) 1, 8 and 64 connections
 * are measured for 50 ms after the first 100 ms.
 */
#include <time.h>

#include "streams.h"
#include "test/check.h"

enum { MOVES_LONG = 100, MOVES_SHORT = 8, OTHERS = 8, GAP_US = 700 };

static bool long_form(void)
{
    return getenv("FLUE_BENCH") != NULL;
}

/* Measured once: the second round of a regular run repeats the small form with another seed. */
static bool measured_already(void)
{
    static uint64_t seed;
    bool again = long_form() && seed != 0 && seed != check_seed;
    seed = seed != 0 ? seed : check_seed;
    return again;
}

static double clock_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- goodput ---------------------------------------------------------------------------------------------------------------
 */

static void measure(unsigned count, bool send, bool receive, double least_mbps)
{
    uint64_t first_us = long_form() ? 100000 : 8000, span_us = long_form() ? 50000 : 8000;
    struct streams *s = streams_open(count);
    struct flue_sim_stats before, after;
    uint64_t peers[2], adapter[2];

    s->send = send;
    s->receive = receive;
    (void)streams_run(s, first_us);
    flue_sim_stats(s->sim, &before);
    streams_received(s, &peers[0], &adapter[0]);
    double wall = clock_s(CLOCK_MONOTONIC), own = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    (void)streams_run(s, span_us);
    wall = clock_s(CLOCK_MONOTONIC) - wall;
    own = clock_s(CLOCK_PROCESS_CPUTIME_ID) - own;
    flue_sim_stats(s->sim, &after);
    streams_received(s, &peers[1], &adapter[1]);

    double us = (double)(after.time_us - before.time_us), cycles = (double)(after.cycles - before.cycles);
    double out = (double)(peers[1] - peers[0]) * 8 / us, in = (double)(adapter[1] - adapter[0]) * 8 / us;
    double skipped = (double)(after.skipped_us - before.skipped_us) / us;
    const char *way = send && receive ? "both" : send ? "send" : "receive";
    char under[160];
    snprintf(under, sizeof under,
             "W=32, 62.5 MHz, 1 Gb/s line, round trip 0.2 ms, no loss, %" PRIu64 " ms after the first %" PRIu64 " ms",
             span_us / 1000, first_us / 1000);
    if (send && receive) {
        printf("BENCH goodput/both_send/%u %.1f Mb/s %s\n", count, out, under);
        printf("BENCH goodput/both_receive/%u %.1f Mb/s %s\n", count, in, under);
    } else {
        printf("BENCH goodput/%s/%u %.1f Mb/s %s\n", way, count, send ? out : in, under);
    }
    printf("BENCH engine_sim/%s/%u %.0f cycles/s of wall time, peers and programs included\n", way, count, cycles / wall);
    printf("BENCH engine_sim_cpu/%s/%u %.0f cycles/s of processor time, the same run\n", way, count, cycles / own);
    printf("BENCH engine_skipped/%s/%u %.4f of-time adapter time that was not clocked, the same run\n", way, count, skipped);
    CHECK(!send || out >= least_mbps, "%s with %u connections: %.1f Mb/s to the peers", way, count, out);
    CHECK(!receive || in >= least_mbps, "%s with %u connections: %.1f Mb/s to the adapter", way, count, in);
    CHECK(out < STREAMS_LINE_MBPS && in < STREAMS_LINE_MBPS, "more than the line carries: %.1f and %.1f Mb/s", out, in);
    CHECK_EQ(after.rx_stalled, 0);
    streams_close(s);
}

TEST(goodput_against_the_reference_tcp)
{
    static const unsigned COUNTS[] = {1, 8, 64};
    if (measured_already())
        return;
    if (!long_form()) {
        measure(1, true, false, 500);
        measure(1, false, true, 500);
        measure(8, true, true, 400);
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        measure(COUNTS[i], true, false, 500);
        measure(COUNTS[i], false, true, 500);
        measure(COUNTS[i], true, true, 400);
    }
}

TEST_MAIN(1)
