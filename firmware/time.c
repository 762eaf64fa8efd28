/*
 * Ticks: protocol time cut at ticks_per_second, counted from time 0.
 */
#include "fw.h"

COLD void time_start(void)
{
    uint32_t rate = fw.config.connection.ticks_per_second;
    fw.tick_us = rate == 10 ? 100000 : rate == 100 ? 10000 : 1000;
    fw.tick_base = fw.tick_base_hi = 0;
    fw.ticks = 0;
}

/* Ticks of at most half an hour: the same in one word. */
static uint32_t divide(uint32_t *past)
{
    uint32_t step = fw.tick_us, bit = 1, sum = 0, left = *past;
    while (step <= left >> 1) {
        step <<= 1;
        bit <<= 1;
    }
    for (; bit; step >>= 1, bit >>= 1)
        if (left >= step) {
            left -= step;
            sum += bit;
        }
    *past = left;
    return sum;
}

static void begun(uint64_t at_us)
{
    fw.tick_base = (uint32_t)at_us;
    fw.tick_base_hi = (uint32_t)(at_us >> 32);
}

/* Ticks went by.  Divides by shift and subtract: as many steps as the time since the last call has bits, at most 63.
 */
uint32_t time_advance(uint64_t now_us)
{
    uint64_t past = now_us - ((uint64_t)fw.tick_base_hi << 32 | fw.tick_base);
    if (past >> 31 == 0) {
        uint32_t left = (uint32_t)past;
        fw.ticks += divide(&left);
        begun(now_us - left);
        return fw.ticks;
    }
    uint64_t step = fw.tick_us;
    uint32_t shift = 0;
    while (step <= past >> 1) {
        step <<= 1;
        shift++;
    }
    uint32_t sum = 0; /* modulo 2^32 */
    for (;; step >>= 1, shift--) {
        if (past >= step) {
            past -= step;
            sum += shift < 32 ? 1u << shift : 0;
        }
        if (shift == 0)
            break;
    }
    begun(now_us - past);
    fw.ticks += sum;
    return fw.ticks;
}
