#include "bench.h"

#include <stdio.h>
#include <string.h>

/* flue_tcp_timer: deadlines become events. */
enum { SIZES = 3, MOST = 1024, FIRST = 16, TICK_US = 1024 };

static const unsigned connections[SIZES] = {2, 64, MOST};
static uint64_t now_us;

static struct row {
    bool on;
    uint64_t at;
    unsigned may; /* events of deadlines that were over when they were replaced: they may come */
} rows[SIZES][MOST];

static void set_now(uint64_t us)
{
    now_us = us;
    bench_set(FIRST, 0, 64, us);
}

static void set(int g, unsigned index, bool on, uint64_t at)
{
    struct bench_bits b = {0};
    struct row *r = &rows[g][index];
    bench_bits_set(&b, 0, 32, (uint32_t)at);
    bench_bits_set(&b, 32, 1, on);
    bench_bits_set(&b, 33, 16, index);
    bench_send(FIRST + g, "", 1, false, &b);
    if (r->on && r->at <= now_us)
        r->may++;
    r->on = on;
    r->at = at;
}

static void applied(void)
{
    for (int g = 0; g < SIZES; g++)
        while (bench_waiting(FIRST + g))
            bench_run(1);
    bench_run(4);
}

/* Take what has come: each event is of a deadline that is over. */
static unsigned take_events(int g)
{
    struct bench_packet p;
    unsigned count = 0;
    while (bench_take(FIRST + g, &p)) {
        unsigned index = (unsigned)bench_bits_get(&p.user, 0, 16);
        CHECK(index < connections[g]);
        struct row *r = &rows[g][index];
        count++;
        if (r->on && r->at <= now_us)
            r->on = false;
        else if (r->may)
            r->may--;
        else
            bench_fail(__FILE__, __LINE__, "event of row %u of %u, %s, at time %llu, its deadline %llu", index, connections[g],
                       r->on ? "not over" : "without a deadline", (unsigned long long)now_us, (unsigned long long)r->at);
    }
    return count;
}

static bool idle(int g)
{
    return bench_get(FIRST + g, 0, 1) != 0;
}

static bool has_deadline(int g)
{
    return bench_get(FIRST + g, 65, 1) != 0;
}

static uint64_t deadline(int g)
{
    return bench_get(FIRST + g, 1, 64);
}

/* Run until no sweep is under way; every event is taken. */
static void settle(void)
{
    bench_run(4);
    for (int g = 0; g < SIZES; g++)
        for (int i = 0; !idle(g); i++) {
            CHECK(i < 20000);
            bench_run(1);
        }
    bench_run(4);
}

static void start(void)
{
    memset(rows, 0, sizeof rows);
    set_now(now_us + bench_random_in(1, 1u << 20));
    bench_run(MOST + 10); /* after reset */
    settle();
    for (int g = 0; g < SIZES; g++) {
        CHECK(idle(g));
        CHECK(!has_deadline(g));
    }
}

/* A deadline becomes one event, not early, and not later than a tick. */
TEST(a_deadline_is_one_event_in_its_time)
{
    start();
    for (int round = 0; round < 30; round++) {
        uint64_t at = now_us + bench_random_in(0, 5000);
        unsigned index[SIZES];
        bool came[SIZES] = {false};
        for (int g = 0; g < SIZES; g++) {
            index[g] = (unsigned)bench_random_in(0, connections[g] - 1);
            set(g, index[g], true, at);
        }
        applied();
        for (;;) {
            settle();
            bool all = true;
            for (int g = 0; g < SIZES; g++) {
                unsigned count = take_events(g); /* checks that it is over */
                CHECK(count <= (came[g] ? 0 : 1));
                came[g] |= count != 0;
                all &= came[g];
            }
            if (all)
                break;
            CHECK(now_us < at + TICK_US);
            set_now(now_us + bench_random_in(1, 300));
        }
        for (int i = 0; i < 3; i++) {
            set_now(now_us + TICK_US);
            settle();
            for (int g = 0; g < SIZES; g++)
                CHECK_EQ(0, take_events(g));
        }
    }
}

/* A deadline that is moved or switched off before it is over gives no event in its old place. */
TEST(a_moved_deadline_counts_where_it_is)
{
    start();
    for (int g = 0; g < SIZES; g++) {
        set(g, 0, true, now_us + 1000);
        set(g, 1, true, now_us + 1000);
        set(g, 0, true, now_us + 9000);
        set(g, 1, false, now_us + 1000);
    }
    applied();
    for (int step = 0; step < 30; step++) {
        set_now(now_us + 500);
        settle();
        for (int g = 0; g < SIZES; g++)
            (void)take_events(g); /* checks each */
    }
    for (int g = 0; g < SIZES; g++) {
        CHECK(!rows[g][0].on);
        CHECK(!has_deadline(g));
    }
}

/* Skipping: nothing happens before deadline_us_o, and going from one to the next loses nothing and needs few steps. */
TEST(time_can_be_skipped_from_deadline_to_deadline)
{
    static const uint64_t far[] = {50, 5000, 40000, 60000000, 1500000000};
    start();
    for (int round = 0; round < 40; round++) {
        int g = (int)bench_random_in(0, SIZES - 1);
        unsigned count = connections[g] < 20 ? 2 : 20, events = 0, jumps = 0;
        uint64_t last = 0;
        for (unsigned i = 0; i < count; i++) {
            uint64_t at = now_us + bench_random_in(1, far[round % 5]);
            set(g, i * (connections[g] / count), true, at);
            last = at > last ? at : last;
        }
        applied();
        settle();
        events += take_events(g);
        while (has_deadline(g)) {
            CHECK(idle(g));
            CHECK(deadline(g) > now_us);
            CHECK(deadline(g) <= last + TICK_US);
            set_now(deadline(g) - 1);
            settle();
            CHECK_EQ(0, take_events(g));
            set_now(now_us + 1);
            settle();
            events += take_events(g);
            jumps++;
            CHECK(jumps <= 2 * count);
        }
        CHECK_EQ(count, events);
    }
}

/* A jump far beyond many deadlines: each comes once. */
TEST(a_jump_beyond_many_deadlines_gives_each_once)
{
    start();
    for (int round = 0; round < 5; round++) {
        for (int g = 0; g < SIZES; g++)
            for (unsigned i = 0; i < connections[g]; i++)
                if (bench_chance(70))
                    set(g, i, true, now_us + bench_random_in(0, 400000000));
        applied();
        set_now(now_us + 400000000 + bench_random_in(0, 100000000));
        settle();
        set_now(now_us + TICK_US);
        settle();
        for (int g = 0; g < SIZES; g++) {
            (void)take_events(g);
            for (unsigned i = 0; i < connections[g]; i++)
                CHECK(!rows[g][i].on && !rows[g][i].may);
            CHECK(!has_deadline(g));
        }
    }
}

/* TCP-132: with a full table and all deadlines at once, the last event comes within a tick: 64,000 cycles at 62.5 MHz. */
TEST(a_full_table_is_served_within_a_tick)
{
    start();
    for (int g = 0; g < SIZES; g++) {
        bench_sink_mode(FIRST + g, BENCH_RANDOM, 75); /* an event in 4 cycles */
        for (unsigned i = 0; i < connections[g]; i++)
            set(g, i, true, now_us + 100);
    }
    applied();
    uint64_t begin = bench_cycle();
    set_now(now_us + 2 * TICK_US);
    settle();
    unsigned count = take_events(2);
    CHECK_EQ(MOST, count);
    bench_report("cycles/tcp_timer/1024", (double)(bench_cycle() - begin), "cycles",
                 "1,024 deadlines at once, an event in 4 cycles");
    CHECK(bench_cycle() - begin < 64000);
}

/* TCP-132: deadlines are set, moved and switched off while time runs and sweeps go: none is lost, none comes twice. */
TEST(deadlines_change_at_any_time)
{
    start();
    for (int g = 0; g < SIZES; g++)
        bench_sink_mode(FIRST + g, BENCH_BURSTS, 40);
    unsigned events = 0;
    for (int step = 0; step < 60000; step++) {
        int g = (int)bench_random_in(0, SIZES - 1);
        if (bench_waiting(FIRST + g) < 2 && bench_chance(40)) {
            unsigned index = (unsigned)bench_random_in(0, connections[g] - 1);
            if (bench_chance(85)) /* the engine may set one that is over */
                set(g, index, true, now_us + bench_random_in(0, 4000) - (now_us > 50 ? bench_random_in(0, 50) : 0));
            else
                set(g, index, false, bench_random());
        }
        if (bench_chance(50))
            set_now(now_us + (bench_chance(2) ? bench_random_in(1, 20000) : bench_random_in(0, 30)));
        bench_run(bench_random_in(1, 3));
        for (int i = 0; i < SIZES; i++)
            events += take_events(i);
    }
    CHECK(events > 5000);
    for (int g = 0; g < SIZES; g++)
        bench_sink_mode(FIRST + g, BENCH_FULL, 0);
    applied();
    for (int i = 0; i < 8; i++) {
        set_now(now_us + TICK_US);
        settle();
        for (int g = 0; g < SIZES; g++)
            (void)take_events(g);
    }
    for (int g = 0; g < SIZES; g++)
        for (unsigned i = 0; i < connections[g]; i++)
            CHECK(!rows[g][i].on);
}
