/*
 * The tests of the host library: TEST(name) { ... } with CHECK(), and a main in check.c.
 *
 *   program [--only NAME] [--seed N]
 *
 * A failed CHECK ends its test and prints where, what and the seed.  The last line is "N passed, N failed, N skipped".
 */
#ifndef FLUE_TEST_CHECK_H
#define FLUE_TEST_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef void check_fn(void);
void check_register(const char *name, check_fn *fn);

#define TEST(name)                                                                                                             \
    static void test_##name(void);                                                                                             \
    __attribute__((constructor)) static void register_##name(void)                                                             \
    {                                                                                                                          \
        check_register(#name, test_##name);                                                                                    \
    }                                                                                                                          \
    static void test_##name(void)

_Noreturn void check_failed(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define CHECK(condition)                                                                                                       \
    do {                                                                                                                       \
        if (!(condition))                                                                                                      \
            check_failed(__FILE__, __LINE__, "%s", #condition);                                                                \
    } while (0)

#define CHECK_EQ(actual, expected)                                                                                             \
    do {                                                                                                                       \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);                                            \
        if (actual_ != expected_)                                                                                              \
            check_failed(__FILE__, __LINE__, "%s is %lld (0x%llX), expected %lld (0x%llX)", #actual, actual_,                  \
                         (unsigned long long)actual_, expected_, (unsigned long long)expected_);                               \
    } while (0)

/* The test cannot run here; counted as skipped. */
_Noreturn void check_skip(const char *reason);

/* Random numbers from the seed and the test's name. */
uint32_t check_random(uint32_t below);

#endif
