/* Context values. */
#include "handle.h"

#include <stdlib.h>

#define INDEX_BITS      20u
#define KIND_SHIFT      (sizeof(uintptr_t) * 8 - 2)
#define GENERATION_BITS (KIND_SHIFT - INDEX_BITS)
#define GENERATION_MAX  (((uintptr_t)1 << GENERATION_BITS) - 1)
#define NO_SLOT         UINT32_MAX

void handles_init(struct handles *handles)
{
    *handles = (struct handles){.free_first = NO_SLOT, .free_last = NO_SLOT};
}

void handles_free(struct handles *handles)
{
    free(handles->slots);
    handles_init(handles);
}

static void put_free(struct handles *handles, uint32_t index)
{
    handles->slots[index].next = NO_SLOT;
    if (handles->free_last == NO_SLOT)
        handles->free_first = index;
    else
        handles->slots[handles->free_last].next = index;
    handles->free_last = index;
}

static uint32_t take_free(struct handles *handles)
{
    uint32_t index = handles->free_first;

    if (index != NO_SLOT) {
        handles->free_first = handles->slots[index].next;
        if (handles->free_first == NO_SLOT)
            handles->free_last = NO_SLOT;
        return index;
    }
    if (handles->count == handles->room) {
        uint32_t room = handles->room == 0 ? 64 : handles->room * 2;
        struct handle_slot *slots = room <= 1u << INDEX_BITS ? realloc(handles->slots, room * sizeof *handles->slots) : NULL;
        if (slots == NULL)
            return NO_SLOT;
        handles->slots = slots;
        handles->room = room;
    }
    handles->slots[handles->count] = (struct handle_slot){.generation = 1};
    return handles->count++;
}

void *handle_new(struct handles *handles, unsigned kind, void *object)
{
    uint32_t index = take_free(handles);
    struct handle_slot *slot;

    if (index == NO_SLOT)
        return NULL;
    slot = &handles->slots[index];
    slot->object = object;
    slot->kind = (uint8_t)kind;
    return (void *)((uintptr_t)kind << KIND_SHIFT | slot->generation << INDEX_BITS | index);
}

static struct handle_slot *find(const struct handles *handles, const void *value)
{
    uintptr_t v = (uintptr_t)value, index = v & ((1u << INDEX_BITS) - 1);
    struct handle_slot *slot;

    if (index >= handles->count)
        return NULL;
    slot = &handles->slots[index];
    if (slot->object == NULL || slot->kind != v >> KIND_SHIFT || slot->generation != (v >> INDEX_BITS & GENERATION_MAX))
        return NULL;
    return slot;
}

void *handle_find(const struct handles *handles, const void *value)
{
    const struct handle_slot *slot = find(handles, value);

    return slot == NULL ? NULL : slot->object;
}

void handle_drop(struct handles *handles, const void *value)
{
    struct handle_slot *slot = find(handles, value);

    if (slot == NULL)
        return;
    slot->object = NULL;
    slot->generation = slot->generation == GENERATION_MAX ? 1 : slot->generation + 1;
    put_free(handles, (uint32_t)(slot - handles->slots));
}
