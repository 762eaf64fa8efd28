/*
 * A test program of the runtime: TEST(name) { ... } with CHECK()s, then TEST_MAIN.
 *
 * PROGRAM [--seed N] [name ...]   runs all tests, or those named; without --seed the randomized parts run with a fixed seed and
 * with a fresh one.  The closing line is "N passed, N failed, N skipped".
 */
#ifndef FLUE_CHECK_H
#define FLUE_CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct check_test {
    const char *name;
    void (*run)(void);
    struct check_test *next;
};

/* Weak: one of each a program, whichever of its files include this. */
__attribute__((weak)) struct check_test *check_first;
__attribute__((weak)) struct check_test **check_end = &check_first;
__attribute__((weak)) unsigned check_failures; /* of the running test */
__attribute__((weak)) uint64_t check_seed;     /* of the running round */

#define TEST(test)                                                                                                             \
    static void test(void);                                                                                                    \
    static struct check_test test##_entry = {#test, test, NULL};                                                               \
    __attribute__((constructor)) static void test##_add(void)                                                                  \
    {                                                                                                                          \
        *check_end = &test##_entry;                                                                                            \
        check_end = &test##_entry.next;                                                                                        \
    }                                                                                                                          \
    static void test(void)

/* A condition that must hold; says what was seen. */
#define CHECK(cond, ...)                                                                                                       \
    do {                                                                                                                       \
        if (!(cond) && check_failures++ < 5) {                                                                                 \
            printf("  %s:%d: %s:", __FILE__, __LINE__, #cond);                                                                 \
            printf(" " __VA_ARGS__);                                                                                           \
            printf("\n");                                                                                                      \
        }                                                                                                                      \
    } while (0)

#define CHECK_EQ(seen, want)                                                                                                   \
    do {                                                                                                                       \
        uint64_t seen_ = (uint64_t)(seen), want_ = (uint64_t)(want);                                                           \
        CHECK(seen_ == want_, #seen " is %" PRIu64 " (0x%" PRIx64 "), should be %" PRIu64, seen_, seen_, want_);               \
    } while (0)

/* As CHECK, but ends the test. */
#define REQUIRE(cond, ...)                                                                                                     \
    do {                                                                                                                       \
        bool holds_ = (cond);                                                                                                  \
        CHECK(holds_, #cond " " __VA_ARGS__);                                                                                  \
        if (!holds_)                                                                                                           \
            return;                                                                                                            \
    } while (0)

__attribute__((unused)) static int check_main(int argc, char **argv, uint64_t fixed_seed)
{
    unsigned passed = 0, failed = 0, rounds = 2;
    uint64_t seeds[2] = {fixed_seed, 0};
    int first_name = 1;
    if (getrandom(&seeds[1], sizeof seeds[1], 0) != sizeof seeds[1])
        seeds[1] = fixed_seed + 1;
    seeds[1] &= 0xFFFFFFFF;
    if (argc > 2 && !strcmp(argv[1], "--seed")) {
        seeds[0] = strtoull(argv[2], NULL, 0);
        rounds = 1;
        first_name = 3;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned r = 0; r < rounds; r++) {
        check_seed = seeds[r];
        printf("seed %" PRIu64 "\n", check_seed);
        for (struct check_test *t = check_first; t; t = t->next) {
            bool wanted = first_name >= argc;
            for (int i = first_name; i < argc; i++)
                wanted |= !strcmp(argv[i], t->name);
            if (!wanted)
                continue;
            check_failures = 0;
            t->run();
            if (check_failures) {
                printf("FAIL %s (--seed %" PRIu64 " %s): %u checks\n", t->name, check_seed, t->name, check_failures);
                failed++;
            } else {
                passed++;
            }
        }
    }
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed ? 1 : 0;
}

#define TEST_MAIN(fixed_seed)                                                                                                  \
    int main(int argc, char **argv)                                                                                            \
    {                                                                                                                          \
        return check_main(argc, argv, fixed_seed);                                                                             \
    }

#endif
