/*
 * The known stream of bytes that the programs here move: every side can say what comes next, so that content is compared and
 * not trusted.
 */
#ifndef FLUE_LIVE_STREAM_H
#define FLUE_LIVE_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SEED_UP    0x75706C696E6Bu
#define SEED_DOWN  0x646F776Eu
#define FNV_OFFSET 0xCBF29CE484222325u
#define FNV_PRIME  0x100000001B3u

struct stream {
    uint64_t seed;
    uint64_t at;   /* bytes so far */
    uint64_t hash; /* FNV-1a of them, by 8-byte words */
    double seconds;
};

/* The stream's 8-byte word at a place: the same on both sides, different everywhere (splitmix64). */
static inline uint64_t word_at(uint64_t seed, uint64_t at)
{
    uint64_t z = seed + (at / 8 + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Blocks begin at multiples of 8 and are multiples of 8 long. */
static inline void block_make(struct stream *s, uint8_t *block, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = word_at(s->seed, s->at + i);
        memcpy(block + i, &word, 8);
        s->hash = (s->hash ^ word) * FNV_PRIME;
    }
}

#endif
