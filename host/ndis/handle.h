/*
 * Context values: kind, generation and index in a pointer's bits.  A value that was never given out, whose object is gone
 * or is of another kind is found out, never followed.
 */
#ifndef FLUE_NDIS_HANDLE_H
#define FLUE_NDIS_HANDLE_H

#include "flue/err.h"

#include <stdint.h>

struct handle_slot {
    void *object; /* null: free */
    uintptr_t generation;
    uint32_t next; /* free */
    uint8_t kind;
};

struct handles {
    struct handle_slot *slots;
    uint32_t count, room;
    uint32_t free_first, free_last; /* oldest first: a generation comes back as late as possible */
};

void handles_init(struct handles *handles);
void handles_free(struct handles *handles);

/* kind: 1 to 3.  Null without memory. */
void *handle_new(struct handles *handles, unsigned kind, void *object);
void handle_drop(struct handles *handles, const void *value);

/* The object, null for a value that stands for nothing. */
void *handle_find(const struct handles *handles, const void *value);

#endif
