#include "bench.h"

#include <stdio.h>
#include <string.h>

/* flue_tcp_sched: who may send.  The tests play the engine: a turn is answered with what it sent. */
enum { SIZES = 3, MOST = 1024, TURNS = 4, BUDGET = 16384 };
enum { WISH = 0, RESULT = 1, SENT = 2 };

static const unsigned connections[SIZES] = {2, 64, MOST};

static int id(int g, int n)
{
    return 4 * g + n;
}

static void wish(int g, unsigned index, bool wants)
{
    struct bench_bits b = {0};
    bench_bits_set(&b, 0, 1, wants);
    bench_bits_set(&b, 1, 16, index);
    bench_send(id(g, WISH), "", 1, false, &b);
}

static void result(int g, bool sent, unsigned bytes)
{
    struct bench_bits b = {0};
    bench_bits_set(&b, 0, 17, bytes);
    bench_bits_set(&b, 17, 1, sent);
    bench_send(id(g, RESULT), "", 1, false, &b);
}

/* Frames leave long after the result of their turn. */
static void sent(int g)
{
    while (bench_waiting(id(g, RESULT)))
        bench_run(1);
    bench_run(2);
    bench_send(id(g, SENT), "", 1, false, NULL);
}

static bool take_turn(int g, unsigned *index)
{
    struct bench_packet p;
    if (!bench_take(id(g, 0), &p))
        return false;
    CHECK_EQ(BUDGET, bench_bits_get(&p.user, 0, 17));
    *index = (unsigned)bench_bits_get(&p.user, 17, 16);
    CHECK(*index < connections[g]);
    return true;
}

static void start(void)
{
    for (int g = 0; g < SIZES; g++)
        bench_set(g, 0, 1, 1);
    bench_run(MOST + 10); /* after reset */
}

/* The next turn, within the cycles that a new round and two passes over all take; false if none comes. */
static bool wait_turn(int g, unsigned *index)
{
    for (unsigned i = 0; i < 8 * connections[g] + 40; i++) {
        if (take_turn(g, index))
            return true;
        bench_run(1);
    }
    return false;
}

/* Each that wants gets one turn, in the order of the rows, and none that does not want. */
TEST(each_that_wants_gets_its_turn)
{
    start();
    for (int g = 0; g < SIZES; g++) {
        bool wants[MOST] = {false}, got[MOST] = {false};
        unsigned count = 0, index = 0;
        CHECK_EQ(1, bench_get(g, 0, 1));
        for (unsigned i = 0; i < connections[g]; i++) {
            wants[i] = g == 0 || bench_chance(20);
            count += wants[i];
            if (wants[i])
                wish(g, i, true);
        }
        for (unsigned i = 0; i < count; i++) {
            CHECK(wait_turn(g, &index));
            CHECK(wants[index] && !got[index]);
            got[index] = true;
            result(g, true, 1000);
            sent(g);
        }
        CHECK(!wait_turn(g, &index));
        CHECK_EQ(1, bench_get(g, 0, 1));
    }
}

/* Never more than four turns are out; a turn is over with `sent`, or at once when nothing was sent. */
TEST(four_turns_are_out_at_most)
{
    start();
    for (int g = 0; g < SIZES; g++) {
        unsigned index;
        for (unsigned i = 0; i < 12; i++) {
            if (i < TURNS || i % 2 == 0) {
                wish(g, i % connections[g], true);
                CHECK(wait_turn(g, &index) == (i < TURNS));
            }
            if (i < TURNS) {
                result(g, true, 100);
            } else if (i % 2 == 0) {
                sent(g);
                CHECK(wait_turn(g, &index));
                result(g, true, 100);
            } else {
                wish(g, i % connections[g], true);
                sent(g);
                CHECK(wait_turn(g, &index));
                result(g, false, 0); /* idle: the place is free again */
                wish(g, i % connections[g], true);
                CHECK(wait_turn(g, &index));
                result(g, true, 100);
            }
        }
        wish(g, 0, true);
        CHECK(!wait_turn(g, &index));
        CHECK_EQ(0, bench_get(g, 0, 1)); /* one wants */
        wish(g, 0, false);
        bench_run(10);
        CHECK_EQ(1, bench_get(g, 0, 1));
    }
}

/* A turn needs room for what it sends, and its result before the next one. */
TEST(a_turn_waits_for_room_and_for_the_result_before)
{
    start();
    for (int g = 0; g < SIZES; g++) {
        unsigned index;
        bench_set(g, 0, 1, 0);
        wish(g, 0, true);
        wish(g, 1, true);
        CHECK(!wait_turn(g, &index));
        bench_set(g, 0, 1, 1);
        CHECK(wait_turn(g, &index));
        CHECK(!wait_turn(g, &index));
        CHECK_EQ(0, bench_get(g, 0, 1));
        result(g, false, 0);
        CHECK(wait_turn(g, &index));
        result(g, false, 0);
    }
}

/* A wish that is taken back before its turn is no turn. */
TEST(a_wish_can_be_taken_back)
{
    start();
    for (int g = 0; g < SIZES; g++) {
        unsigned index;
        bench_set(g, 0, 1, 0);
        for (unsigned i = 0; i < connections[g]; i++)
            wish(g, i, true);
        for (unsigned i = 0; i < connections[g]; i++)
            if (i != 1)
                wish(g, i, false);
        while (bench_waiting(id(g, WISH)))
            bench_run(1);
        bench_set(g, 0, 1, 1);
        CHECK(wait_turn(g, &index));
        CHECK_EQ(1, index);
        result(g, true, 1);
        CHECK(!wait_turn(g, &index));
        CHECK_EQ(1, bench_get(g, 0, 1));
    }
}

/*
 * Connections that want all the time get the same bytes, whatever one of their turns carries: a window's worth of one
 * segment or the whole budget.
 */
TEST(bytes_are_shared_evenly)
{
    static uint64_t bytes[MOST];
    static unsigned turn_bytes[MOST];
    start();
    for (int g = 0; g < 2; g++) {
        unsigned n = connections[g], out = 0, most_out = 0, index;
        memset(bytes, 0, sizeof bytes);
        for (unsigned i = 0; i < n; i++) {
            turn_bytes[i] = i % 3 == 0 ? BUDGET : i % 3 == 1 ? 1448 : (unsigned)bench_random_in(1448, BUDGET);
            wish(g, i, true);
        }
        uint64_t total = 0;
        while (total < (uint64_t)n * BUDGET * 20) {
            CHECK(wait_turn(g, &index));
            unsigned used = turn_bytes[index];
            result(g, true, used);
            wish(g, index, true);
            bytes[index] += used;
            total += used;
            out++;
            most_out = out > most_out ? out : most_out;
            while (out && (out == TURNS || bench_chance(50))) {
                sent(g);
                out--;
            }
        }
        uint64_t low = UINT64_MAX, high = 0;
        for (unsigned i = 0; i < n; i++) {
            low = bytes[i] < low ? bytes[i] : low;
            high = bytes[i] > high ? bytes[i] : high;
        }
        char name[64];
        snprintf(name, sizeof name, "spread/tcp_sched/%u", n);
        bench_report(name, (double)(high - low) / BUDGET, "budgets", "after 20 budgets each");
        CHECK(high - low < 3 * BUDGET);
        CHECK_EQ(TURNS, most_out);
    }
}

/* All at random: turns only for wishes, four out at most, nobody is forgotten. */
TEST(wishes_come_and_go_at_random)
{
    for (int g = 0; g < SIZES; g++) {
        static unsigned wishes[MOST];
        unsigned n = connections[g], out = 0, turns = 0;
        start();
        memset(wishes, 0, sizeof wishes);
        bench_sink_mode(id(g, 0), BENCH_BURSTS, 30);
        for (int step = 0; step < 20000; step++) {
            unsigned index;
            if (bench_chance(g == 2 ? 30 : 10) && bench_waiting(id(g, WISH)) < 2) {
                index = (unsigned)bench_random_in(0, n - 1);
                wish(g, index, true);
                wishes[index]++; /* several may become one turn */
            }
            if (bench_chance(2))
                bench_set(g, 0, 1, bench_chance(80));
            bench_run(1);
            if (take_turn(g, &index)) {
                CHECK(wishes[index]);
                wishes[index]--;
                CHECK(out < TURNS);
                turns++;
                if (bench_chance(80)) {
                    result(g, true, (unsigned)bench_random_in(0, 20000));
                    out++;
                } else {
                    result(g, false, 0);
                }
            }
            if (out && bench_chance(10)) {
                sent(g);
                out--;
            }
        }
        CHECK(turns > 100);
        bench_set(g, 0, 1, 1);
        bench_sink_mode(id(g, 0), BENCH_FULL, 0);
        for (;;) { /* what is left, with every turn over at once */
            unsigned index;
            while (out) {
                sent(g);
                out--;
            }
            if (!wait_turn(g, &index))
                break;
            CHECK(wishes[index]);
            wishes[index]--;
            result(g, false, 0);
        }
        CHECK_EQ(1, bench_get(g, 0, 1));
    }
}
