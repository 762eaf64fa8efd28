/*
 * Ring memory of the connections: one region, given out in powers of two, and bytes in and out of a ring.
 */
#include <string.h>
#include "conn_internal.h"

static bool unit_used(const struct flue_conns *conns, unsigned unit)
{
    return (conns->used[unit / 8] >> (unit % 8) & 1) != 0;
}

static void units_mark(struct flue_conns *conns, unsigned first, unsigned count, bool used)
{
    for (unsigned unit = first; unit < first + count; unit++)
        if (used)
            conns->used[unit / 8] = (uint8_t)(conns->used[unit / 8] | 1u << (unit % 8));
        else
            conns->used[unit / 8] = (uint8_t)(conns->used[unit / 8] & ~(1u << (unit % 8)));
}

/* First fit at a multiple of its size, so that pieces join again by themselves. */
enum flue_err ring_reserve(struct flue_conns *conns, unsigned log2, struct byte_ring *ring)
{
    unsigned count = 1u << (log2 - FLUE_RING_LOG2_MIN);
    for (unsigned first = 0; first + count <= conns->units; first += count) {
        unsigned n = 0;
        while (n < count && !unit_used(conns, first + n))
            n++;
        if (n < count)
            continue;
        units_mark(conns, first, count, true);
        *ring = (struct byte_ring){.addr = (uint8_t *)conns->pool.addr + (size_t)first * RING_UNIT,
                                   .offset = first * RING_UNIT,
                                   .size = 1u << log2,
                                   .log2 = (uint8_t)log2};
        return FLUE_OK;
    }
    return FLUE_ENOMEM;
}

void ring_release(struct flue_conns *conns, struct byte_ring *ring)
{
    if (ring->addr != NULL)
        units_mark(conns, ring->offset / RING_UNIT, ring->size / RING_UNIT, false);
    ring->addr = NULL;
}

void ring_write(struct byte_ring *ring, uint32_t seq, const void *data, size_t len)
{
    uint32_t at = seq & (ring->size - 1);
    size_t first = len < ring->size - at ? len : ring->size - at;
    memcpy(ring->addr + at, data, first);
    memcpy(ring->addr, (const uint8_t *)data + first, len - first);
}

void ring_read(const struct byte_ring *ring, uint32_t seq, void *data, size_t len)
{
    uint32_t at = seq & (ring->size - 1);
    size_t first = len < ring->size - at ? len : ring->size - at;
    memcpy(data, ring->addr + at, first);
    memcpy((uint8_t *)data + first, ring->addr, len - first);
}
