/*
 * All the firmware knows of hardware.  On the processor hw_mmio.h implements this inline; in the host build
 * firmware/host/ does, over a table model, so that every other file is tested, sanitized and fuzzed as it is.
 * Rules: docs/control-plane.md sections 4 to 6.  Records: flue/control.h.
 */
#ifndef FLUE_FW_HW_H
#define FLUE_FW_HW_H

#include <stdbool.h>
#include <stdint.h>
#include "flue/control.h"

/* ---- time and events ---- */

uint64_t hw_time_us(void);
uint32_t hw_events(void); /* FLUE_MMIO_*_MASK bits of register event */
void hw_event_clear(uint32_t events);
uint32_t hw_sleep(void);            /* returns when an event is pending; returns the events */
void hw_deadline(uint64_t time_us); /* UINT64_MAX = none */
void hw_status(uint32_t word);      /* register status */
uint32_t hw_boot(void);             /* register boot */
void hw_seed(uint32_t seed[4]);     /* the host's SEED */
void hw_table_sizes(uint32_t *connections, uint32_t *paths, uint32_t *neighbors);

/* ---- admin rings, as the host set them up ---- */

struct hw_ring {
    uint32_t base;  /* offset in the region */
    uint32_t cfg;   /* region 7:0, log2 11:8, enable 16: as ASQ_CFG */
    uint16_t index; /* the driver's: submissions tail, completions head */
};
struct hw_ring hw_asq(void);
struct hw_ring hw_acq(void);
uint32_t hw_asq_base(void), hw_asq_cfg(void), hw_acq_base(void), hw_acq_cfg(void);
uint32_t hw_asq_tail(void); /* the driver's indices alone */
uint32_t hw_acq_head(void);
void hw_asq_head(uint32_t index); /* of these two the lower 16 bits */
void hw_acq_tail(uint32_t index); /* also raises the interrupt cause */

/* ---- DMA: word-aligned both sides, length a multiple of 4, 4 to 4096 bytes; false = refused or failed, nothing known of the
 * data.  One at a time: begin, do other things, end.  Until the end the data may not be touched, or not be there. ---- */

void hw_dma_begin_read(uint32_t region, uint32_t offset, void *local, uint32_t bytes);
void hw_dma_begin_write(uint32_t region, uint32_t offset, const void *local, uint32_t bytes);
bool hw_dma_end(void);

static inline bool hw_dma_read(uint32_t region, uint32_t offset, void *local, uint32_t bytes)
{
    hw_dma_begin_read(region, offset, local, bytes);
    return hw_dma_end();
}

static inline bool hw_dma_write(uint32_t region, uint32_t offset, const void *local, uint32_t bytes)
{
    hw_dma_begin_write(region, offset, local, bytes);
    return hw_dma_end();
}

/* ---- tables; rows and words are in range, checked by the caller ---- */

uint32_t hw_row_get(enum flue_table table, uint32_t row, uint32_t word);
void hw_row_put(enum flue_table table, uint32_t row, uint32_t word, uint32_t value);

/* ---- TCP engine: words of a record (row 0xFFFF: the snapshot), registers of its port; without an engine they read 0 ---- */

uint32_t hw_record_get(uint32_t row, uint32_t word);
void hw_record_put(uint32_t row, uint32_t word, uint32_t value);
uint32_t hw_port_get(uint32_t row, uint32_t reg);
void hw_port_put(uint32_t row, uint32_t reg, uint32_t value);

/* Words of a row, by the same engine as DMA: hw_dma_end() ends it, always true. */
void hw_row_begin_get(enum flue_table table, uint32_t row, uint32_t word, uint32_t *local, uint32_t words);
void hw_row_begin_put(enum flue_table table, uint32_t row, uint32_t word, const uint32_t *local, uint32_t words);

/* A table command, one at a time: begin, do other things, end. */
void hw_table_begin(enum flue_table_op op, uint32_t index);
enum flue_table_result hw_table_end(uint32_t *found); /* found may be null */
static inline enum flue_table_result hw_table_cmd(enum flue_table_op op, uint32_t index, uint32_t *found)
{
    hw_table_begin(op, index);
    return hw_table_end(found);
}
void hw_table_key(const uint32_t *key, unsigned words);
void hw_table_seed(const uint32_t seed[4]);
uint32_t hw_table_error(void); /* oldest table_error word, taken; 0 = none */

/* ---- end of the line ---- */

_Noreturn void hw_trap(uint32_t cause); /* a firmware assertion: cause 16 and up; stops the processor */

#endif
