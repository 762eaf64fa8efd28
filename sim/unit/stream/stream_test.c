#include "stream_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { MOST = 4096 }; /* expected packets of one sink in one test */

static struct bench_packet expected[BENCH_IDS][MOST];
static size_t expected_count[BENCH_IDS];
static size_t expected_next[BENCH_IDS]; /* check_next_expected() is here */

/* What a failed test left behind is not expected in the next one. */
static void forget_other_tests(void)
{
    static unsigned test;
    if (test == bench_test_number())
        return;
    test = bench_test_number();
    for (int id = 0; id < BENCH_IDS; id++)
        forget_expected(id);
}

void forget_expected(int sink)
{
    for (size_t i = 0; i < expected_count[sink]; i++)
        free((void *)(uintptr_t)expected[sink][i].data);
    expected_count[sink] = expected_next[sink] = 0;
}

void unexpect_packet(int sink)
{
    expected_count[sink]--;
    free((void *)(uintptr_t)expected[sink][expected_count[sink]].data);
}

struct bench_packet *expect_packet(int sink, size_t len)
{
    forget_other_tests();
    CHECK(expected_count[sink] < MOST);
    uint8_t *data = malloc(len);
    CHECK(data);
    bench_random_bytes(data, len);
    struct bench_packet *packet = &expected[sink][expected_count[sink]++];
    *packet = (struct bench_packet){.data = data, .len = len};
    return packet;
}

void check_packet(const struct bench_packet *want, const struct bench_packet *got)
{
    CHECK_BYTES(want->data, want->len, got->data, got->len);
    CHECK_EQ(want->bad, got->bad);
    CHECK_EQ(want->skip, got->skip);
    CHECK(bench_bits_equal(&want->user, &got->user));
    CHECK(bench_bits_equal(&want->user_last, &got->user_last));
}

void check_expected(int sink)
{
    CHECK_EQ(expected_count[sink], bench_arrived(sink));
    for (size_t i = 0; i < expected_count[sink]; i++) {
        struct bench_packet got;
        CHECK(bench_take(sink, &got));
        check_packet(&expected[sink][i], &got);
    }
    forget_expected(sink);
}

void check_next_expected(int queue, const struct bench_packet *got)
{
    CHECK(expected_next[queue] < expected_count[queue]);
    check_packet(&expected[queue][expected_next[queue]++], got);
    if (expected_next[queue] == expected_count[queue])
        forget_expected(queue);
}

size_t check_expected_some(int sink)
{
    size_t next = 0, missing = 0;
    struct bench_packet got;
    while (bench_take(sink, &got)) {
        while (next < expected_count[sink] && memcmp(&expected[sink][next].user, &got.user, sizeof got.user) != 0) {
            next++;
            missing++;
        }
        CHECK(next < expected_count[sink]);
        check_packet(&expected[sink][next++], &got);
    }
    missing += expected_count[sink] - next;
    forget_expected(sink);
    return missing;
}

void check_full_rate(const char *block, int width, struct bench_stats stats)
{
    char name[64];
    double rate = bench_beats_per_cycle(stats);
    snprintf(name, sizeof name, "beats_per_cycle/%s/%u", block, 8 * lanes(width));
    bench_report(name, rate, "beats/cycle", "no idle, no back-pressure");
    CHECK_EQ(stats.beats, stats.last_cycle - stats.first_cycle + 1);
}
