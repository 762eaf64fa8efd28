/* Runner of the host tests. */
#include "check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TESTS_MAX 256u

static struct {
    const char *name;
    check_fn *fn;
} tests[TESTS_MAX];
static unsigned test_count;
static jmp_buf leave;
static enum { RUNS = 0, FAILED, SKIPPED } outcome;
static uint64_t random_state;
static unsigned long long seed = 1;

void check_register(const char *name, check_fn *fn)
{
    if (test_count == TESTS_MAX)
        abort();
    tests[test_count].name = name;
    tests[test_count++].fn = fn;
}

_Noreturn void check_failed(const char *file, int line, const char *format, ...)
{
    va_list args;
    const char *base = strrchr(file, '/');
    printf("     %s:%d: ", base != NULL ? base + 1 : file, line);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf(" (seed %llu)\n", seed);
    outcome = FAILED;
    longjmp(leave, 1);
}

_Noreturn void check_skip(const char *reason)
{
    printf("     %s\n", reason);
    outcome = SKIPPED;
    longjmp(leave, 1);
}

uint32_t check_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % below;
}

static void random_start(const char *name)
{
    random_state = seed * 0x9E3779B97F4A7C15u;
    for (const char *c = name; *c != '\0'; c++)
        random_state = (random_state ^ (uint8_t)*c) * 0x100000001B3u;
    random_state |= 1;
}

/* A test leaves by its end or by longjmp(). */
static void run(const char *name, check_fn *fn)
{
    outcome = RUNS;
    random_start(name);
    if (setjmp(leave) == 0)
        fn();
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    unsigned count[3] = {0};

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--only") == 0)
            only = argv[i + 1];
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 0);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned i = 0; i < test_count; i++) {
        if (only != NULL && strcmp(only, tests[i].name) != 0)
            continue;
        run(tests[i].name, tests[i].fn);
        count[outcome]++;
        printf("%s %s\n", outcome == RUNS ? "ok  " : outcome == FAILED ? "FAIL" : "SKIP", tests[i].name);
    }
    printf("seed %llu\n%u passed, %u failed, %u skipped\n", seed, count[RUNS], count[FAILED], count[SKIPPED]);
    return count[FAILED] > 0 || count[RUNS] + count[SKIPPED] == 0;
}
