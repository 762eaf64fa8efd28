/*
 * Lockstep of the RTL engine with the reference model: every reason, action and field of the record, event by event.
 *
 * PROGRAM [--seed N] [--events N]   events of each run: 70,000 unless given
 * PROGRAM --long N [--seed N]       N events over tables of 2, 8 and 64 connections, with progress; fails when a reason or a
 *                                   situation is met less than once in 10,000 events (1,000 times in 10 million)
 */
#include "lockstep.h"
#include "subject_rtl.h"

#include "check.h"

#include <time.h>

enum { EVENTS_FOR_ONE = 20000, EVENTS_FOR_ONE_LONG = 10000, PROGRESS = 500000 };

static const unsigned TABLES[] = {2, 8, 64};
enum { TABLE_COUNT = sizeof TABLES / sizeof TABLES[0] };

static uint64_t run_events = 70000;
static struct lockstep_result sum; /* of the round's runs */

static bool run_table(unsigned rows, const struct lockstep_options *options)
{
    struct tcp_subject *model = tcp_subject_model(rows), *rtl = tcp_subject_rtl(rows);
    struct lockstep_result result;
    bool same = lockstep_run(model, rtl, options, &result);
    lockstep_add(&sum, &result);
    tcp_subject_model_free(model);
    tcp_subject_rtl_free(rtl);
    return same && result.events == options->events;
}

static void check_table(unsigned rows)
{
    const struct lockstep_options options = {.seed = check_seed, .events = run_events};
    CHECK(run_table(rows, &options));
}

/* TCP-020 to TCP-061, TCP-070 to TCP-100, TCP-120 to TCP-131, TCP-140 to TCP-147, TCP-170 to TCP-178, TCP-200 to TCP-213 */
TEST(two_connections_agree_with_the_model_in_every_event)
{
    sum = (struct lockstep_result){.events = 0};
    check_table(2);
}

TEST(eight_connections_agree_with_the_model_in_every_event)
{
    check_table(8);
}

TEST(sixty_four_connections_agree_with_the_model_in_every_event)
{
    check_table(64);
}

/* Of the three runs before. */
TEST(every_reason_and_situation_was_met_often_enough)
{
    lockstep_print(stdout, &sum);
    CHECK_EQ(lockstep_below(stdout, &sum, sum.events / EVENTS_FOR_ONE), 0);
}

/* ---- the long form ---- */

static int run_long(uint64_t events, uint64_t seed)
{
    bool good = true;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("seed %" PRIu64 ", %" PRIu64 " events\n", seed, events);
    for (unsigned i = 0; good && i < TABLE_COUNT; i++) {
        uint64_t part = events * (i + 1) / TABLE_COUNT - events * i / TABLE_COUNT;
        const struct lockstep_options options = {.seed = seed + i, .events = part, .progress = PROGRESS};
        printf("%u connections (seed %" PRIu64 ")\n", TABLES[i], seed + i);
        good = run_table(TABLES[i], &options);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    lockstep_print(stdout, &sum);
    unsigned below = lockstep_below(stdout, &sum, events / EVENTS_FOR_ONE_LONG);
    printf("%" PRIu64 " events without a difference%s, %.0f s\n", good ? sum.events : sum.events - 1,
           good ? "" : " before the one above", (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    printf("%u passed, %u failed, 0 skipped\n", good + !below, !good + (below > 0));
    return good && !below ? 0 : 1;
}

/* The value of an option that is taken out of the arguments; `otherwise` when it is not there. */
static uint64_t take_option(int *argc, char **argv, const char *name, uint64_t otherwise)
{
    for (int i = 1; i + 1 < *argc; i++) {
        if (strcmp(argv[i], name))
            continue;
        uint64_t value = strtoull(argv[i + 1], NULL, 0);
        memmove(argv + i, argv + i + 2, (size_t)(*argc - i - 1) * sizeof argv[0]); /* the end mark too */
        *argc -= 2;
        return value;
    }
    return otherwise;
}

int main(int argc, char **argv)
{
    uint64_t longer = take_option(&argc, argv, "--long", 0);
    run_events = take_option(&argc, argv, "--events", run_events);
    if (longer == 0)
        return check_main(argc, argv, 20001);
    uint64_t fresh;
    if (getrandom(&fresh, sizeof fresh, 0) != sizeof fresh)
        fresh = 20002;
    return run_long(longer, take_option(&argc, argv, "--seed", fresh & 0xFFFFFFFF));
}
