/*
 * Goodput of the RTL engine against the reference TCP (streams.h), each way alone and both at once; how fast that is simulated;
 * and the adapter's part of the time of a move.  Prints BENCH lines.
 *
 * The regular form is short and has few connections; with FLUE_BENCH in the environment (make bench) 1, 8 and 64 connections
 * are measured for 50 ms each way after the first 100 ms (FLUE_BENCH_CONNECTIONS: only so many).
 */
#include <time.h>

#include "streams.h"
#include "test/check.h"

enum {
    MOVES_LONG = 100,
    MOVES_SHORT = 3,
    OTHERS = 8,
    GAP_US = 60,
    GAP_BUSY_US = 1000,
    FLOOR_MBPS = 400,
    BACKLOG = 32768,
    LONGEST_CYCLES = 62500
};

static bool long_form(void)
{
    return getenv("FLUE_BENCH") != NULL;
}

/* Once is enough: a second seed draws other first values of registers and no other load. */
static bool measured_already(void)
{
    static uint64_t first;
    first = first != 0 ? first : check_seed;
    return check_seed != first;
}

static double clock_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- goodput ---------------------------------------------------------------------------------------------------------------
 */

static const char UNDER[] = "W=32, 62.5 MHz, 1 Gb/s line, round trip 0.2 ms, no loss";

/* Cycles and time of the next span_us, and what the programs received meanwhile, in Mb/s. */
struct span {
    struct flue_sim_stats before, after;
    double wall_s, own_s, us, cycles, out_mbps, in_mbps, skipped;
};

static struct span measure(struct streams *s, uint64_t span_us)
{
    struct span m;
    uint64_t peers[2], adapter[2];
    flue_sim_stats(s->sim, &m.before);
    streams_received(s, &peers[0], &adapter[0]);
    m.wall_s = clock_s(CLOCK_MONOTONIC);
    m.own_s = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    (void)streams_run(s, span_us);
    m.wall_s = clock_s(CLOCK_MONOTONIC) - m.wall_s;
    m.own_s = clock_s(CLOCK_PROCESS_CPUTIME_ID) - m.own_s;
    flue_sim_stats(s->sim, &m.after);
    streams_received(s, &peers[1], &adapter[1]);
    m.us = (double)(m.after.time_us - m.before.time_us);
    m.cycles = (double)(m.after.cycles - m.before.cycles);
    m.out_mbps = (double)(peers[1] - peers[0]) * 8 / m.us;
    m.in_mbps = (double)(adapter[1] - adapter[0]) * 8 / m.us;
    m.skipped = (double)(m.after.skipped_us - m.before.skipped_us) / m.us;
    return m;
}

/* When settle_us have passed: what the way before left in the rings is gone. */
static void measure_way(struct streams *s, bool send, bool receive, uint64_t settle_us, uint64_t span_us)
{
    const char *way = send && receive ? "both" : send ? "send" : "receive";
    s->send = send;
    s->receive = receive;
    (void)streams_run(s, settle_us);
    struct span m = measure(s, span_us);
    if (send && receive) {
        printf("BENCH goodput/both_send/%u %.1f Mb/s %s\n", s->count, m.out_mbps, UNDER);
        printf("BENCH goodput/both_receive/%u %.1f Mb/s %s\n", s->count, m.in_mbps, UNDER);
    } else {
        printf("BENCH goodput/%s/%u %.1f Mb/s %s\n", way, s->count, send ? m.out_mbps : m.in_mbps, UNDER);
    }
    printf("BENCH engine_sim/%s/%u %.0f cycles/s of wall time, peers and programs included\n", way, s->count,
           m.cycles / m.wall_s);
    printf("BENCH engine_sim_cpu/%s/%u %.0f cycles/s of processor time, the same run\n", way, s->count, m.cycles / m.own_s);
    printf("BENCH engine_skipped/%s/%u %.4f of-time adapter time that was not clocked, the same run\n", way, s->count,
           m.skipped);
    CHECK(!send || m.out_mbps >= FLOOR_MBPS, "%s with %u connections: %.1f Mb/s to the peers", way, s->count, m.out_mbps);
    CHECK(!receive || m.in_mbps >= FLOOR_MBPS, "%s with %u connections: %.1f Mb/s to the adapter", way, s->count, m.in_mbps);
    /* What waited at the beginning, up to a window each, is read later: only the long form is exact. */
    CHECK(!long_form() || (m.out_mbps < STREAMS_LINE_MBPS && m.in_mbps < STREAMS_LINE_MBPS),
          "more than the line carries: %.1f and %.1f Mb/s", m.out_mbps, m.in_mbps);
}

static void measure_count(unsigned count)
{
    uint64_t first_us = long_form() ? 100000 : 5000, settle_us = long_form() ? 50000 : 3000,
             span_us = long_form() ? 50000 : 4000;
    struct streams *s = streams_open(count);
    struct flue_sim_stats end;
    measure_way(s, true, false, first_us, span_us);
    measure_way(s, false, true, settle_us, span_us);
    measure_way(s, true, true, settle_us, span_us);
    s->send = s->receive = false;
    (void)streams_run(s, settle_us);
    struct span rest = measure(s, span_us);
    printf("BENCH engine_skipped/rest/%u %.4f of-time adapter time that was not clocked, connections without traffic\n", count,
           rest.skipped);
    CHECK(rest.skipped > 0.9, "%.4f of the time is skipped at rest", rest.skipped);
    flue_sim_stats(s->sim, &end);
    CHECK_EQ(end.rx_stalled, 0);
    CHECK(s->adapter_again == 0 && s->peer_again == 0, "%" PRIu64 " and %" PRIu64 " segments were sent again, none was lost",
          s->adapter_again, s->peer_again);
    streams_close(s);
}

TEST(goodput_against_the_reference_tcp)
{
    static const unsigned COUNTS[] = {1, 8, 64};
    if (measured_already())
        return;
    if (!long_form())
        measure_count(2);
    const char *only = getenv("FLUE_BENCH_CONNECTIONS");
    for (unsigned i = 0; i < 3 && long_form(); i++)
        if (only == NULL || strtoul(only, NULL, 10) == COUNTS[i])
            measure_count(COUNTS[i]);
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
