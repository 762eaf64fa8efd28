#include "stream_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

enum { MOST = 4096 };                   /* expected packets of one sink in one test */

static struct bench_packet expected[BENCH_IDS][MOST];
static size_t expected_count[BENCH_IDS];

struct bench_packet *expect_packet(int sink, size_t len) {
    CHECK(expected_count[sink] < MOST);
    uint8_t *data = malloc(len);
    CHECK(data);
    bench_random_bytes(data, len);
    struct bench_packet *packet = &expected[sink][expected_count[sink]++];
    *packet = (struct bench_packet){.data = data, .len = len};
    return packet;
}

void check_expected(int sink) {
    size_t count = expected_count[sink];
    expected_count[sink] = 0;
    CHECK_EQ(count, bench_arrived(sink));
    for (size_t i = 0; i < count; i++) {
        struct bench_packet got, *want = &expected[sink][i];
        CHECK(bench_take(sink, &got));
        CHECK_BYTES(want->data, want->len, got.data, got.len);
        CHECK_EQ(want->bad, got.bad);
        CHECK_EQ(want->skip, got.skip);
        CHECK(bench_bits_equal(&want->user, &got.user));
        CHECK(bench_bits_equal(&want->user_last, &got.user_last));
        free((void *)(uintptr_t)want->data);
    }
}

void check_full_rate(const char *block, int width, struct bench_stats stats) {
    char name[64];
    double rate = bench_beats_per_cycle(stats);
    snprintf(name, sizeof name, "beats_per_cycle/%s/%u", block, 8 * lanes(width));
    bench_report(name, rate, "beats/cycle", "no idle, no back-pressure");
    CHECK_EQ(stats.beats, stats.last_cycle - stats.first_cycle + 1);
}
