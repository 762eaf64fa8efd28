/*
 * Random numbers of a run: one printed seed, one independent stream a purpose, so that drawing more in one place changes
 * nothing in another.  xoshiro256++ seeded through splitmix64 (Blackman, Vigna; public domain algorithms).
 */
#ifndef FLUE_RNG_H
#define FLUE_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct flue_rng {
    uint64_t s[4];
};

static inline uint64_t flue_splitmix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* The stream of `purpose` (a short name) under `seed`. */
static inline void flue_rng_init(struct flue_rng *rng, uint64_t seed, const char *purpose)
{
    uint64_t state = seed ^ UINT64_C(0xCBF29CE484222325);
    for (const char *c = purpose; *c; c++)
        state = (state ^ (uint8_t)*c) * UINT64_C(0x100000001B3);
    for (int i = 0; i < 4; i++)
        rng->s[i] = flue_splitmix(&state);
}

static inline uint64_t flue_rng_next(struct flue_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t sum = s[0] + s[3];
    uint64_t out = ((sum << 23) | (sum >> 41)) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return out;
}

/* 0 to limit - 1, evenly; limit at least 1 and below 2^32. */
static inline uint32_t flue_rng_below(struct flue_rng *rng, uint64_t limit)
{
    return (uint32_t)(((flue_rng_next(rng) >> 32) * limit) >> 32);
}

/* A probability as flue_rng_hit() takes it: 0 never, 2^32 always. */
static inline uint64_t flue_rng_odds(double probability)
{
    if (probability <= 0)
        return 0;
    return probability >= 1 ? UINT64_C(1) << 32 : (uint64_t)(probability * 4294967296.0);
}

/* True with the given odds; draws nothing when they are 0. */
static inline bool flue_rng_hit(struct flue_rng *rng, uint64_t odds)
{
    return odds && (flue_rng_next(rng) >> 32) < odds;
}

#endif
