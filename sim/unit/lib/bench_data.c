#include <string.h>

#include "bench_internal.h"

uint64_t bench_test_state, bench_flow_state;

/* ---- random numbers (SplitMix64) ---- */

uint64_t bench_draw(uint64_t *state)
{
    *state += 0x9E3779B97F4A7C15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t bench_random(void)
{
    return bench_draw(&bench_test_state);
}

uint64_t bench_random_in(uint64_t low, uint64_t high)
{
    uint64_t span = high - low + 1;
    return span == 0 ? bench_random() : low + bench_random() % span;
}

bool bench_chance(unsigned percent)
{
    return bench_random() % 100 < percent;
}

void bench_fill(uint64_t *state, void *data, size_t len)
{
    uint8_t *out = data;
    for (size_t i = 0; i < len; i += 8) {
        uint64_t value = bench_draw(state);
        memcpy(out + i, &value, len - i < 8 ? len - i : 8);
    }
}

void bench_random_bytes(void *data, size_t len)
{
    bench_fill(&bench_test_state, data, len);
}

void bench_random_bits(struct bench_bits *bits, unsigned width)
{
    memset(bits, 0, sizeof *bits);
    for (unsigned lsb = 0; lsb < width; lsb += 64)
        bench_bits_set(bits, lsb, width - lsb < 64 ? width - lsb : 64, bench_random());
}

/* ---- bit vectors ---- */

void bench_bits_set(struct bench_bits *bits, unsigned lsb, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width && lsb + i < BENCH_BITS; i++) {
        uint32_t bit = UINT32_C(1) << ((lsb + i) % 32);
        if (value >> i & 1)
            bits->w[(lsb + i) / 32] |= bit;
        else
            bits->w[(lsb + i) / 32] &= ~bit;
    }
}

uint64_t bench_bits_get(const struct bench_bits *bits, unsigned lsb, unsigned width)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < width && lsb + i < BENCH_BITS; i++)
        value |= (uint64_t)(bits->w[(lsb + i) / 32] >> ((lsb + i) % 32) & 1) << i;
    return value;
}

bool bench_bits_equal(const struct bench_bits *a, const struct bench_bits *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}
