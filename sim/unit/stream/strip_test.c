#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "stream_test.h"

/* Queue a packet of which the first count bytes are to go; one that is not longer is expected to vanish. */
static void strip_packet(int width, size_t len, unsigned count, bool bad)
{
    uint8_t data[2048];
    struct bench_packet sent = {.data = data, .len = len, .bad = bad};

    bench_random_bytes(data, len);
    bench_random_bits(&sent.user, 32);
    if (count < len) {
        struct bench_packet *want = expect_packet(STRIP + width, len - count);
        memcpy((uint8_t *)(uintptr_t)want->data, data + count, len - count);
        want->bad = bad;
        want->user = sent.user;
    }
    bench_bits_set(&sent.user, 32, 8, count);
    bench_put(STRIP + width, &sent);
}

/* The first bytes of a packet go, any number of them; a packet that has no more vanishes. */
TEST(strip_removes_the_first_bytes)
{
    bench_mode_random();
    for (int width = 0; width < WIDTHS; width++)
        for (int i = 0; i < 300; i++)
            strip_packet(width, bench_random_in(1, bench_chance(30) ? 20 : 600),
                         (unsigned)bench_random_in(0, bench_chance(50) ? 20 : 255), bench_chance(10));
    bench_drain(1000000);
    for (int width = 0; width < WIDTHS; width++)
        check_expected(STRIP + width);
}

TEST(strip_takes_a_beat_a_cycle)
{
    for (int width = 0; width < WIDTHS; width++)
        for (int i = 0; i < 20; i++)
            strip_packet(width, 8 * lanes(width), 3, false);
    bench_drain(100000);
    for (int width = 0; width < WIDTHS; width++) {
        check_expected(STRIP + width);
        check_full_rate("strip", width, bench_source_stats(STRIP + width));
    }
}

static void prepend_packet(int width, size_t len, unsigned head_len, bool bad)
{
    uint8_t data[2048], head[16];
    struct bench_packet sent = {.data = data, .len = len, .bad = bad};
    struct bench_packet *want = expect_packet(PREPEND + width, len + head_len);

    bench_random_bytes(data, len);
    bench_random_bytes(head, sizeof head);
    memcpy((uint8_t *)(uintptr_t)want->data, head, head_len);
    memcpy((uint8_t *)(uintptr_t)want->data + head_len, data, len);
    bench_random_bits(&sent.user, 32);
    want->user = sent.user;
    want->bad = bad;
    bench_bits_set(&sent.user, 32, 8, head_len);
    for (unsigned i = 0; i < sizeof head; i++)
        bench_bits_set(&sent.user, 40 + 8 * i, 8, head[i]);
    bench_put(PREPEND + width, &sent);
}

/* The head, 0 to 16 bytes, stands before the packet. */
TEST(prepend_puts_the_head_first)
{
    bench_mode_random();
    for (int width = 0; width < WIDTHS; width++)
        for (int i = 0; i < 300; i++)
            prepend_packet(width, bench_random_in(1, bench_chance(30) ? 20 : 600), (unsigned)bench_random_in(0, 16),
                           bench_chance(10));
    bench_drain(1000000);
    for (int width = 0; width < WIDTHS; width++)
        check_expected(PREPEND + width);
}

/* A head of whole words costs its own beats and nothing else. */
TEST(prepend_makes_a_beat_a_cycle)
{
    for (int width = 0; width < 3; width++)
        for (int i = 0; i < 20; i++)
            prepend_packet(width, 10 * lanes(width), 16, false);
    bench_drain(100000);
    for (int width = 0; width < 3; width++) {
        check_expected(PREPEND + width);
        check_full_rate("prepend", width, bench_sink_stats(PREPEND + width));
    }
}
