/*
 * The firmware compiled for the host: the same sources over a model of the tables, the rings' registers and the DMA.
 * Several instances may live in one process; each belongs to one thread at a time.
 */
#ifndef FLUE_FW_HOST_H
#define FLUE_FW_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flue/control.h"

#ifdef __cplusplus
extern "C" {
#endif

struct fw_host;

/* What the world does for an instance; ctx is handed to each. */
struct fw_host_ops {
    void *ctx;
    bool (*dma)(void *ctx, uint32_t region, uint32_t offset, void *local, uint32_t bytes, bool to_host); /* false: refused */
    uint64_t (*time_us)(void *ctx);              /* null: time stands at 0 */
    void (*acq_tail)(void *ctx, uint16_t index); /* completions were written; null: not wanted */
    void (*asq_head)(void *ctx, uint16_t index);
};

struct fw_host_sizes {
    uint32_t connections, paths, neighbors;
};

/* Registers the host writes. */
struct fw_host_ring {
    uint32_t base, cfg; /* as ASQ_BASE, ASQ_CFG */
    uint16_t index;     /* submissions tail, completions head */
};

struct fw_host *fw_host_new(const struct fw_host_sizes *sizes, const struct fw_host_ops *ops); /* null: no memory */
void fw_host_delete(struct fw_host *host);

/* Start the processor (again): cold forgets the tables. */
void fw_host_start(struct fw_host *host, bool cold, const uint32_t seed[4]);

/* Write the ring registers; sets the event doorbell. */
void fw_host_rings(struct fw_host *host, const struct fw_host_ring *asq, const struct fw_host_ring *acq);
void fw_host_event(struct fw_host *host, uint32_t events, bool level); /* FLUE_MMIO_PING_MASK, FLUE_MMIO_DRAIN_MASK */

/* Run until it sleeps.  false: it has trapped (or was stopped by fw_host_stop_after()). */
bool fw_host_run(struct fw_host *host);

uint32_t fw_host_status(const struct fw_host *host); /* register status: heartbeat, ready, quiet */
uint32_t fw_host_trap(const struct fw_host *host);   /* cause, 0 = none */
uint16_t fw_host_asq_head(const struct fw_host *host);
uint16_t fw_host_acq_tail(const struct fw_host *host);
bool fw_host_asleep(const struct fw_host *host);

/* ---- for tests ---- */

uint32_t fw_host_rows(const struct fw_host *host, enum flue_table table);

/* Words of the tables, without their check. */
uint32_t fw_host_word(const struct fw_host *host, enum flue_table table, uint32_t row, uint32_t word);
void fw_host_set_word(struct fw_host *host, enum flue_table table, uint32_t row, uint32_t word, uint32_t value);
void fw_host_flip(struct fw_host *host, enum flue_table table, uint32_t row, uint32_t word,
                  unsigned bit); /* 0-31 data, 32-35 parity */
bool fw_host_find(struct fw_host *host, enum flue_table table, const uint32_t *key, uint32_t *row); /* as the wire lookup */
unsigned fw_host_indexed(const struct fw_host *host, enum flue_table table);                        /* entries in an index */
void fw_host_full(struct fw_host *host, unsigned inserts); /* answer this many inserts with FULL */
unsigned fw_host_reseeds(const struct fw_host *host);

/* Stop dead after this many further hw.h calls (0: never); fw_host_run() returns false with trap 0.  Then start again. */
void fw_host_stop_after(struct fw_host *host, uint64_t calls);
uint64_t fw_host_calls(const struct fw_host *host);

#ifdef __cplusplus
}
#endif
#endif
