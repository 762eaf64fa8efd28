/*
 * Objects, the part that every command runs through: inline where the layer is known, once more in object.c for the rest.
 */
#ifndef FLUE_FW_OBJECT_H
#define FLUE_FW_OBJECT_H

#include "fw.h"

#define GENERATION_STEP (1u << FLUE_ROW_HEAD_GENERATION_SHIFT)

/* Where the guard is: the last word of a row. */
INLINE uint32_t object_guard_word(uint32_t layer)
{
    return layer == TCP ? 63 : 15;
}

INLINE void object_put_guard(uint32_t layer, uint32_t row, uint32_t generation, uint32_t parent)
{
    hw_row_put((enum flue_table)layer, row, object_guard_word(layer),
               FLUE_ROW_GUARD_GUARD_USED_MASK | generation << 1 | IN_FIELD(parent, FLUE_ROW_GUARD_GUARD_PARENT));
}

/* Why a handle is not that of a living object of this layer. */
COLD detail_t object_miss(uint32_t handle, uint32_t layer, uint32_t word);

/* Row and word 0 of the living object whose handle is in memory.  An object that is corrupt is found only when asked for. */
INLINE detail_t object_seek(const uint32_t *in, uint32_t layer, bool corrupt_too, uint32_t *row, uint32_t *word0)
{
    uint32_t handle = *in, index = half_of(in, 0);
    if (RARE((handle ^ IN_FIELD(layer, FLUE_HANDLE_KIND)) & FLUE_HANDLE_KIND_MASK) || RARE(index >= fw.size[layer]))
        return refused(object_miss(handle, layer, 0));
    uint32_t word = hw_row_get((enum flue_table)layer, index, W_STATE);
    if (object_errors())
        word = hw_row_get((enum flue_table)layer, index, W_STATE);
    if (RARE((word ^ handle) & FLUE_HANDLE_GENERATION_MASK) || RARE(row_state(word) <= FLUE_ROW_BUILDING))
        return refused(object_miss(handle, layer, word));
    *row = index;
    *word0 = word;
    return RARE(word & FLUE_ROW_HEAD_CORRUPT_MASK) && !corrupt_too ? FLUE_AD_CORRUPT : FLUE_AD_NONE;
}

/* A free row, now BUILDING; `none` is the status when there is none or as many as may be are in use. */
INLINE detail_t object_take_row(uint32_t layer, NDIS_STATUS none, uint32_t *row_out, uint32_t *generation_out)
{
    if (RARE(fw.used[layer] >= fw.most[layer]))
        return refused(admin_refuse(none));
    uint32_t row = fw.free[layer];
    if (row == NO_ROW) {
        row = fw.fresh[layer];
        if (RARE(row >= fw.size[layer]))
            hw_trap(FW_TRAP_CHAIN);
        fw.fresh[layer] = row + 1;
    } else {
        uint32_t next = hw_row_get((enum flue_table)layer, row, W_LINK);
        if (object_errors() || RARE(next >= fw.size[layer] && next != NO_ROW)) {
            row = object_chained(layer);
            if (row == NO_ROW)
                return refused(admin_refuse(none));
            next = hw_row_get((enum flue_table)layer, row, W_LINK);
        }
        fw.free[layer] = next;
    }
    uint32_t generation = hw_row_get((enum flue_table)layer, row, W_STATE) & FLUE_ROW_HEAD_GENERATION_MASK;
    if (RARE(generation == 0))
        generation = GENERATION_STEP;
    hw_row_put((enum flue_table)layer, row, W_STATE, generation | FLUE_ROW_BUILDING);
    fw.used[layer]++;
    *row_out = row;
    *generation_out = generation;
    return FLUE_AD_NONE;
}

/* The row becomes free, unless the notice of its error still waits: then it stays BUILDING until that was told. */
INLINE void object_free_row(uint32_t layer, uint32_t row)
{
    uint32_t word = hw_row_get((enum flue_table)layer, row, W_STATE);
    uint32_t generation = word & FLUE_ROW_HEAD_GENERATION_MASK;
    if (RARE(word & FLUE_ROW_HEAD_CORRUPT_MASK))
        fw.recount = true;
    if (RARE(word & PENDING_ERROR)) {
        hw_row_put((enum flue_table)layer, row, W_STATE, generation | FLUE_ROW_BUILDING | PENDING_ERROR);
        return;
    }
    generation = (generation + GENERATION_STEP) & FLUE_ROW_HEAD_GENERATION_MASK;
    if (RARE(generation == 0))
        generation = GENERATION_STEP;
    hw_row_put((enum flue_table)layer, row, W_STATE, generation | FLUE_ROW_FREE); /* first: until then its link is its parent */
    hw_row_put((enum flue_table)layer, row, object_guard_word(layer), generation << 1);
    hw_row_put((enum flue_table)layer, row, W_LINK, fw.free[layer]);
    fw.free[layer] = row;
    fw.used[layer]--;
    if (RARE(fw.recount)) {
        fw.recount = false;
        object_count();
    }
}

#endif
