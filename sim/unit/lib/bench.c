#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_internal.h"

static struct bench_test *first_test;
static struct bench_test *last_test;
static struct bench_test *running;
static jmp_buf leave_test;
static bool test_failed;
static const char *skip_reason;
static unsigned test_number;
static bool counts_rules;
static unsigned broken_rules;

static uint64_t seed = 1;
static uint64_t cycle;
static void (*cycle_step)(void *context);
static void *cycle_context;
uint64_t bench_quiet = 256;

/* ---- failures ---- */

void bench_fail(const char *file, int line, const char *format, ...)
{
    va_list args;
    printf("%s:%d: %s, cycle %" PRIu64 ": ", file, line, running ? running->name : "-", cycle);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf(" (--seed %" PRIu64 ")\n", seed);
    test_failed = true;
    longjmp(leave_test, 1);
}

void bench_rule_broken(int sink, const char *format, ...)
{
    broken_rules++;
    if (test_failed || counts_rules)
        return;
    va_list args;
    va_start(args, format);
    printf("sink %d, %s, cycle %" PRIu64 ": stream rule broken: ", sink, running ? running->name : "-", cycle);
    vprintf(format, args);
    printf(" (--seed %" PRIu64 ")\n", seed);
    va_end(args);
    test_failed = true;
}

void bench_count_broken_rules(void)
{
    counts_rules = true;
}

unsigned bench_broken_rules(void)
{
    return broken_rules;
}

void bench_check_eq(const char *file, int line, const char *what, uint64_t expected, uint64_t actual)
{
    if (expected != actual)
        bench_fail(file, line, "%s: expected %" PRIu64 " (0x%" PRIx64 "), actual %" PRIu64 " (0x%" PRIx64 ")", what, expected,
                   expected, actual, actual);
}

static void print_bytes(const char *title, const uint8_t *data, size_t len, size_t around)
{
    size_t begin = around > 8 ? around - 8 : 0;
    printf("  %s, %zu bytes, from byte %zu:", title, len, begin);
    for (size_t i = begin; i < len && i < begin + 24; i++)
        printf(" %02x", (unsigned)data[i]);
    printf("\n");
}

void bench_check_bytes(const char *file, int line, const char *what, const void *expected, size_t expected_len,
                       const void *actual, size_t actual_len)
{
    const uint8_t *want = expected;
    const uint8_t *got = actual;
    size_t common = expected_len < actual_len ? expected_len : actual_len;
    size_t at = 0;
    while (at < common && want[at] == got[at])
        at++;
    if (at == expected_len && at == actual_len)
        return;
    print_bytes("expected", want, expected_len, at);
    print_bytes("actual", got, actual_len, at);
    bench_fail(file, line, "%s differs at byte %zu", what, at);
}

void bench_skip(const char *reason)
{
    skip_reason = reason;
    longjmp(leave_test, 1);
}

/* ---- clock ---- */

static void clock_once(bool rst)
{
    if (cycle_step && !rst)
        cycle_step(cycle_context);
    bench_top_clock(rst);
    cycle++;
}

void bench_run(uint64_t cycles)
{
    for (uint64_t i = 0; i < cycles; i++) {
        clock_once(false);
        if (test_failed)
            longjmp(leave_test, 1);
    }
}

void bench_reset(void)
{
    for (int i = 0; i < 4; i++)
        clock_once(true);
    bench_ports_clear();
    bench_last_moved = cycle;
}

uint64_t bench_cycle(void)
{
    return cycle;
}

unsigned bench_test_number(void)
{
    return test_number;
}

void bench_on_cycle(void (*step)(void *context), void *context)
{
    cycle_step = step;
    cycle_context = context;
}

void bench_drain(uint64_t limit)
{
    uint64_t end = cycle + limit;
    bench_last_moved = cycle;
    while (cycle - bench_last_moved < bench_quiet || bench_ports_busy(false)) {
        if (cycle == end) {
            bench_ports_busy(true);
            bench_fail(__FILE__, __LINE__, "not drained after %" PRIu64 " cycles", limit);
        }
        bench_run(1);
    }
}

double bench_beats_per_cycle(struct bench_stats stats)
{
    return stats.beats ? (double)stats.beats / (double)(stats.last_cycle - stats.first_cycle + 1) : 0.0;
}

void bench_report(const char *name, double value, const char *unit, const char *conditions)
{
    printf("BENCH %s %.6g %s %s\n", name, value, unit, conditions);
}

/* ---- the program ---- */

void bench_register(struct bench_test *test)
{
    if (last_test)
        last_test->next = test;
    else
        first_test = test;
    last_test = test;
}

static uint64_t hash(const char *text)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001B3);
    return h;
}

static void run_test(struct bench_test *test)
{
    running = test;
    test_number++;
    test_failed = false;
    skip_reason = NULL;
    counts_rules = false;
    broken_rules = 0;
    bench_test_state = seed * UINT64_C(0x2545F4914F6CDD1D) ^ hash(test->name);
    bench_flow_state = ~bench_test_state;
    bench_quiet = 256;
    bench_on_cycle(NULL, NULL);
    bench_ports_default();
    if (setjmp(leave_test) == 0) {
        bench_reset();
        test->body();
    }
    running = NULL;
}

static int usage(void)
{
    fprintf(stderr, "usage: bench [--seed N] [--only NAME] [--list] [--wave FILE]\n");
    return 2;
}

int bench_main(int argc, char **argv)
{
    const char *only = NULL;
    unsigned passed = 0, failed = 0, skipped = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            for (struct bench_test *test = first_test; test; test = test->next)
                printf("%s\n", test->name);
            return 0;
        }
        if (i + 1 == argc)
            return usage();
        if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--only") == 0)
            only = argv[++i];
        else if (strcmp(argv[i], "--wave") == 0)
            i++; /* main.cpp opened it */
        else
            return usage();
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("seed %" PRIu64 "\n", seed);
    for (struct bench_test *test = first_test; test; test = test->next) {
        if (only && strcmp(only, test->name) != 0)
            continue;
        run_test(test);
        printf("%s %s%s%s\n",
               test_failed   ? "FAIL"
               : skip_reason ? "SKIP"
                             : "ok  ",
               test->name, skip_reason ? ": " : "", skip_reason ? skip_reason : "");
        failed += test_failed;
        skipped += !test_failed && skip_reason;
        passed += !test_failed && !skip_reason;
    }
    bench_ports_free();
    if (passed + failed + skipped == 0)
        fprintf(stderr, "no test is called %s\n", only ? only : "anything");
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    return failed || passed + skipped == 0;
}
