/*
 * Slots and events between their fields and their words.  Field places come from flue/layout.h alone.
 */
#ifndef FLUE_CORE_SLOTS_H
#define FLUE_CORE_SLOTS_H

#include <endian.h>
#include <stdint.h>
#include "flue/layout.h"

/* Place a value into field NAME, take field NAME out of a word. */
#define FLUE_PUT(NAME, value) (((uint32_t)(value) << FLUE_##NAME##_SHIFT) & FLUE_##NAME##_MASK)
#define FLUE_GET(NAME, word)  (((word)&FLUE_##NAME##_MASK) >> FLUE_##NAME##_SHIFT)

/* One entry of any ring in host memory: little-endian words. */
struct ring_entry {
    uint32_t w_le[4];
};
static_assert(sizeof(struct ring_entry) == FLUE_SLOT_BYTES, "one slot");

static inline void ring_entry_store(struct ring_entry *entry, uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3)
{
    entry->w_le[0] = htole32(w0);
    entry->w_le[1] = htole32(w1);
    entry->w_le[2] = htole32(w2);
    entry->w_le[3] = htole32(w3);
}

#endif
