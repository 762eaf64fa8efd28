/* Internet checksum sums (RFC 1071). */
#include "flue/sum.h"

#include <endian.h>
#include <string.h>

uint16_t flue_sum(const void *data, size_t len_bytes)
{
    const uint8_t *p = data;
    uint64_t sum = 0;

    /* Native words: byte order cancels in one's-complement arithmetic, one swap at the end is enough (RFC 1071, 2B). */
    for (; len_bytes >= 4; p += 4, len_bytes -= 4) {
        uint32_t word;
        memcpy(&word, p, 4);
        sum += word;
    }
    if (len_bytes > 0) {
        uint32_t word = 0;
        memcpy(&word, p, len_bytes);
        sum += word;
    }
    sum = (sum >> 32) + (sum & 0xFFFFFFFFu);
    sum = (sum >> 32) + (sum & 0xFFFFFFFFu);
    return be16toh(flue_sum_fold((uint32_t)sum));
}

uint16_t flue_sum_pseudo(const void *addresses, size_t addr_bytes, uint8_t protocol, uint32_t l4_len_bytes)
{
    uint16_t sum = flue_sum(addresses, addr_bytes);
    sum = flue_sum_add(sum, protocol);
    return flue_sum_add(sum, flue_sum_fold(l4_len_bytes));
}
