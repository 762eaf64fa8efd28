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

enum {
    MOVES_LONG = 100,
    MOVES_SHORT = 3,
    OTHERS = 8,
    GAP_US = 60,
    GAP_BUSY_US = 2000,
    BACKLOG = 32768,
    LONGEST_CYCLES = 62500
};

static bool long_form(void)
{
    return getenv("FLUE_BENCH") != NULL;
}

/* The long form measures once, not with a second seed. */
static bool measured_already(void)
{
    static uint64_t first;
    first = first != 0 ? first : check_seed;
    return long_form() && check_seed != first;
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
    uint64_t first_us = long_form() ? 100000 : 5000, span_us = long_form() ? 50000 : 5000;
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
    /* What waited at the beginning, up to a window each, is read later: only the long form is exact. */
    CHECK(!long_form() || (out < STREAMS_LINE_MBPS && in < STREAMS_LINE_MBPS), "more than the line carries: %.1f and %.1f Mb/s",
          out, in);
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

/* ---- moves -----------------------------------------------------------------------------------------------------------------
 */

enum step { HOLD, LOAD, START, FREEZE, RELEASE, STEPS };

struct times {
    double cycles[STEPS][MOVES_LONG];
    unsigned count;
};

/* Adapter time in cycles, clocked or not. */
static double cycles_now(const struct streams *s)
{
    struct flue_sim_stats st;
    flue_sim_stats(s->sim, &st);
    return (double)st.cycles + (double)st.skipped_us * STREAMS_CLOCK_KHZ / 1000;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One connection goes in, sends, and goes out with data in flight, from the command's doorbell to what its completion says,
 * `streams` others being busy. */
static void move_once(struct streams *s, unsigned i, struct times *t)
{
    struct flue_sim_conn_state state = streams_state(s, i), back;
    struct stream *st = &s->stream[i];
    static const uint8_t bytes[BACKLOG];
    double at[STEPS + 1];
    size_t queued;
    bool good;
    at[HOLD] = cycles_now(s);
    streams_hold(s, i);
    at[LOAD] = cycles_now(s);
    good = flue_sim_conn_load(st->conn, &state) == FLUE_OK;
    at[START] = cycles_now(s);
    good = good && flue_sim_conn_start(st->conn) == FLUE_OK;
    double started = cycles_now(s);
    CHECK(good && flue_conn_send(st->ring, bytes, BACKLOG, &queued) == FLUE_OK, "%s", flue_sim_host_error(s->host));
    CHECK(flue_conn_kick(st->ring, false, false) == FLUE_OK);
    unsigned gap_us = s->count == 0 ? GAP_US : GAP_BUSY_US;
    (void)streams_run(s, gap_us + t->count * 7 % gap_us); /* it sends, nobody answers */
    at[FREEZE] = cycles_now(s);
    good = good && flue_sim_conn_freeze(st->conn, &back) == FLUE_OK;
    at[RELEASE] = cycles_now(s);
    good = good && flue_sim_conn_release(st->conn) == FLUE_OK;
    at[STEPS] = cycles_now(s);
    CHECK(good && back.snd_una == state.snd_una && back.snd_max != back.snd_una, "%s", flue_sim_host_error(s->host));
    for (unsigned k = 0; k < STEPS; k++)
        t->cycles[k][t->count] = (k == START ? started : at[k + 1]) - at[k];
    t->count++;
    flue_sim_conn_close(st->conn);
}

/* The adapter's part of a move, alone and beside streams that fill the line both ways. */
static void measure_moves(unsigned others)
{
    static const char *const NAMES[STEPS] = {"hold", "load", "start", "freeze", "release"};
    static struct times t;
    unsigned moves = long_form() ? MOVES_LONG : MOVES_SHORT;
    struct streams *s = streams_open(others);
    t.count = 0;
    s->send = s->receive = true;
    (void)streams_run(s, 5000);
    move_once(s, STREAMS_MAX - 1, &t); /* makes neighbor and path */
    t.count = 0;
    while (t.count < moves && check_failures == 0)
        move_once(s, STREAMS_MAX - 1, &t);
    for (unsigned k = 0; k < STEPS && check_failures == 0; k++) {
        qsort(t.cycles[k], moves, sizeof t.cycles[k][0], by_size);
        const char *under = others == 0 ? "nothing else to do" : "beside 8 connections that fill a line of 1 Gb/s both ways";
        printf("BENCH move_median/%s/%u %.0f cycles W=32, 62.5 MHz, from doorbell to completion, of %u, %s\n", NAMES[k], others,
               t.cycles[k][moves / 2], moves, under);
        printf("BENCH move_p99/%s/%u %.0f cycles W=32, 62.5 MHz, from doorbell to completion, of %u, %s\n", NAMES[k], others,
               t.cycles[k][moves - 1 - moves / 100], moves, under);
        CHECK(t.cycles[k][moves / 2] < LONGEST_CYCLES, "%s: %.0f cycles", NAMES[k], t.cycles[k][moves / 2]);
    }
    streams_close(s);
}

TEST(time_of_a_move_in_the_adapter)
{
    if (measured_already())
        return;
    measure_moves(0);
    measure_moves(OTHERS);
}

TEST_MAIN(1)
