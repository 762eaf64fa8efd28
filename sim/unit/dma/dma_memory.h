/*
 * Host memory behind the AXI4 ports of the DMA bench, one instance a bus width.
 *
 * It holds the registered regions, stalls and reorders as configured, and checks every access: inside a region, inside 4 KB,
 * stable while it waits, data beats as announced.  The first broken rule is kept until memory_check() fails the test.
 */
#ifndef DMA_MEMORY_H
#define DMA_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MEMORIES = 5,
    REGIONS = 16,
    MEMORY_PAGE = 4096,
    MEMORY_BLOCK = 256 /* unit of injected errors */
};

struct region {
    uint64_t base;
    uint32_t size; /* bytes the adapter may touch */
    bool valid, writable;
    uint8_t *data;   /* whole pages */
    uint8_t *shadow; /* what the test expects there */
    bool *faulty;    /* blocks that answer with an error (and are written all the same) */
    size_t room;     /* bytes of data: size rounded up to pages */
};

struct memory_mode {
    unsigned ar_stall, aw_stall, w_stall; /* percent of the cycles without ready */
    unsigned r_gap;                       /* percent of the cycles without a beat although there is one */
    unsigned latency_min, latency_max;    /* cycles from address to first beat, from last beat to response */
    bool interleave;                      /* beats of different ids mix; else burst by burst, ids in any order */
    bool aw_waits_for_w;                  /* as the bus allows */
};

struct memory {
    int lanes;
    struct region regions[REGIONS];
    struct memory_mode mode;
    uint64_t r_beats, r_first, r_last; /* since memory_clear(): beats and cycles of the read data channel */
    uint64_t w_beats, w_first, w_last;
    unsigned reads_open[4], reads_open_most[4]; /* bursts by id */
    unsigned writes_open, writes_open_most;
    uint64_t reads_failed, writes_failed; /* bursts answered with an error */
};

extern struct memory memories[MEMORIES];

/* Forget the regions, set the mode to an ideal memory. */
void memory_clear(struct memory *memory);

/* Make index a region with random content. */
void memory_region(struct memory *memory, unsigned index, uint64_t base, uint32_t size, bool writable);

/* Fails the running test if a rule was broken.  Called in every cycle. */
void memory_check(void *unused);

#endif
