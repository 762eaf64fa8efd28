/*
 * Host memory as the adapter's bus sees it: an AXI4 subordinate.  A bus address is the address in this process.
 *
 * Once a cycle, flue_hostmem_step() looks at what the bus did and sets the inputs of the next cycle.  Reads of one id are
 * answered in order, of different ids in any order when `reorder` is set.  With `reorder`, written bytes become visible only
 * with their response, so that an event posted too early shows.
 */
#ifndef FLUE_HOSTMEM_H
#define FLUE_HOSTMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flue/err.h"
#include "flue/sim.h"
#include "model.h"
#include "monitor.h"
#include "rng.h"

enum {
    FLUE_HOSTMEM_MAPS = 64,
    FLUE_HOSTMEM_BURSTS = 64,
    FLUE_HOSTMEM_ERRORS = 16,
    FLUE_HOSTMEM_RANGES = 2,
    FLUE_HOSTMEM_ROWS = 16,
    FLUE_HOSTMEM_BURST_BYTES = 4096,
};

struct flue_hostmem_map {
    uint64_t base, end;
};

/* A row of the adapter's region table, as the driver wrote it. */
struct flue_hostmem_row {
    uint64_t base, bytes;
    bool valid, write;
    uint64_t changed_cycle;
    struct flue_hostmem_map before; /* what it allowed until then: accesses under way may still come */
    bool before_write;
};

struct flue_hostmem_read {
    uint64_t addr; /* of the first beat, aligned */
    uint64_t end;  /* of the mapped memory it lies in */
    uint64_t ready_cycle;
    uint16_t beats, beat;
    uint8_t id;
    bool failed; /* every beat answers with an error */
};

struct flue_hostmem_write {
    uint64_t addr;
    uint64_t ready_cycle;
    uint16_t beats; /* of the address; 0 = not there yet */
    uint16_t data_beats;
    uint8_t id;
    bool data_done, answered, failed, visible;
    uint8_t data[FLUE_HOSTMEM_BURST_BYTES];
    uint64_t strobe[256];
};

/* Sees every write to a watched range as it becomes visible; bytes is NULL for one that failed. */
typedef void flue_hostmem_watch_fn(void *user, unsigned range, uint64_t addr, const uint8_t *bytes, size_t len);

struct flue_hostmem {
    unsigned bytes; /* of a beat */
    struct flue_sim_memory config;
    uint64_t stall_odds, read_error_odds, write_error_odds;
    bool quiet; /* no stalls, latency 1, in order */
    struct flue_rng rng, error_rng;
    struct flue_monitor *mon;

    struct flue_hostmem_map map[FLUE_HOSTMEM_MAPS];
    unsigned maps;
    struct flue_hostmem_row row[FLUE_HOSTMEM_ROWS];
    bool rows_known; /* the driver wrote the region table: rows are checked too */

    struct flue_sim_memory_error error[FLUE_HOSTMEM_ERRORS];
    unsigned errors;

    struct flue_hostmem_read read[FLUE_HOSTMEM_BURSTS]; /* oldest first */
    unsigned reads;
    unsigned current;                                     /* index of the burst whose beat is on the bus */
    struct flue_hostmem_write write[FLUE_HOSTMEM_BURSTS]; /* ring */
    uint32_t write_head, write_aw, write_w;               /* free running: oldest, next address, next data */
    uint32_t answer;                                      /* slot whose response is on the bus */
    bool busy;

    struct {
        bool ar, aw, w;
    } stalled;                  /* offered but not taken in the last cycle */
    struct flue_model_out last; /* then */

    struct {
        uint64_t lo, hi;
    } range[FLUE_HOSTMEM_RANGES]; /* what is watched */
    flue_hostmem_watch_fn *watch;
    void *watch_user;

    uint64_t read_bursts, write_bursts, read_bytes, write_bytes, injected;
};

void flue_hostmem_init(struct flue_hostmem *mem, unsigned width, uint64_t seed, struct flue_monitor *mon);

/* FLUE_EARG: a knob is out of range; nothing changed. */
FLUE_MUST_CHECK enum flue_err flue_hostmem_set(struct flue_hostmem *mem, const struct flue_sim_memory *config);
FLUE_MUST_CHECK enum flue_err flue_hostmem_arm(struct flue_hostmem *mem, const struct flue_sim_memory_error *error);

FLUE_MUST_CHECK enum flue_err flue_hostmem_map(struct flue_hostmem *mem, void *addr, size_t len);
void flue_hostmem_unmap(struct flue_hostmem *mem, uint64_t base);

/* The driver wrote word 0 to 3 of a row of the region table. */
void flue_hostmem_row_write(struct flue_hostmem *mem, unsigned row, unsigned word, uint32_t value);

/* Inputs while nothing is going on; also after a bus reset. */
void flue_hostmem_reset(struct flue_hostmem *mem, struct flue_model_in *in);

/* After a cycle with these inputs and outputs: account for it and set the memory's inputs of the next. */
void flue_hostmem_step(struct flue_hostmem *mem, struct flue_model_in *in, const struct flue_model_out *out);

#define FLUE_HOSTMEM_OUT (FLUE_OUT_AXI_ARVALID | FLUE_OUT_AXI_AWVALID | FLUE_OUT_AXI_WVALID)

#endif
