/*
 * One's-complement sums of the Internet checksum (RFC 1071), and the pseudo-header conventions of task-offload.md 3.1.1.
 *
 * A sum is 16 bits in host order of big-endian words: what a checksum field holds, read as a number.
 */
#ifndef FLUE_SUM_H
#define FLUE_SUM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* a +' b: addition with end-around carry. */
static inline uint16_t flue_sum_add(uint16_t a, uint16_t b)
{
    uint32_t s = (uint32_t)a + b;
    return (uint16_t)(s + (s >> 16));
}

/* a -' b: the sum s with s +' b = a. */
static inline uint16_t flue_sum_sub(uint16_t a, uint16_t b)
{
    return flue_sum_add(a, (uint16_t)~b);
}

/* A 32-bit number folded to a sum. */
static inline uint16_t flue_sum_fold(uint32_t v)
{
    return flue_sum_add((uint16_t)(v >> 16), (uint16_t)v);
}

/* Sum of len bytes; an odd last byte is the high half of a word.  data may have any alignment. */
uint16_t flue_sum(const void *data, size_t len_bytes);

/*
 * Pseudo-header sum S(src, dst, protocol, L4 length), not complemented.
 *
 * addresses  source, then destination, as in the IP header
 * addr_bytes both together: 8 for IPv4, 32 for IPv6
 */
uint16_t flue_sum_pseudo(const void *addresses, size_t addr_bytes, uint8_t protocol, uint32_t l4_len_bytes);

/* Linux's sum of a super-segment (with its L4 length) to that of LSO (without): P0 = Pfull -' L4len. */
static inline uint16_t flue_sum_without_length(uint16_t full, uint32_t l4_len_bytes)
{
    return flue_sum_sub(full, flue_sum_fold(l4_len_bytes));
}

#ifdef __cplusplus
}
#endif
#endif
