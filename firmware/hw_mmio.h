/*
 * hw.h on the processor: accesses of record mmio and of the tables, inline.  The build gives it to every file with
 * -include hw_mmio.h; nothing else in the firmware holds an address or says volatile.
 *
 * The core stands still while a table word, the sleep of wait_event or the status of a DMA or table command is on its way, so
 * nothing here waits in a loop.  The hardware ends every one of them, with an error if need be; a DMA begun after the drain
 * was answered waits until the drain is over.
 */
#ifndef FLUE_FW_HW_MMIO_H
#define FLUE_FW_HW_MMIO_H
#ifndef __ASSEMBLER__ /* -include also reaches start.S */

#include "hw.h"
#include "trap.h"

/* Inlined everywhere, never emitted: hw.h declares these as plain functions. */
#define HW_INLINE extern inline __attribute__((gnu_inline, always_inline))

static_assert((uint32_t)FLUE_TRAP_MMIO == FLUE_MMIO_BASE, "trap.h");
static_assert(FLUE_TRAP_MMIO_CAUSE == offsetof(struct flue_mmio, trap_cause), "trap.h");
static_assert(FLUE_TRAP_MMIO_PC == offsetof(struct flue_mmio, trap_pc), "trap.h");

#define HW_MMIO ((volatile struct flue_mmio *)(uintptr_t)FLUE_MMIO_BASE)

/* ---- time and events ---- */

HW_INLINE uint64_t hw_time_us(void)
{
    uint32_t low = HW_MMIO->time_lo; /* latches the high word */
    return (uint64_t)HW_MMIO->time_hi << 32 | low;
}

HW_INLINE uint32_t hw_events(void)
{
    return HW_MMIO->event;
}

HW_INLINE void hw_event_clear(uint32_t events)
{
    HW_MMIO->event = events;
}

HW_INLINE uint32_t hw_sleep(void)
{
    return HW_MMIO->wait_event;
}

HW_INLINE void hw_deadline(uint64_t time_us)
{
    HW_MMIO->deadline_lo = (uint32_t)time_us;
    HW_MMIO->deadline_hi = (uint32_t)(time_us >> 32); /* arms it */
}

HW_INLINE void hw_status(uint32_t word)
{
    HW_MMIO->status = word;
}

HW_INLINE uint32_t hw_boot(void)
{
    return HW_MMIO->boot;
}

HW_INLINE void hw_seed(uint32_t seed[4])
{
    for (unsigned i = 0; i < 4; i++)
        seed[i] = HW_MMIO->seed[i];
}

HW_INLINE void hw_table_sizes(uint32_t *connections, uint32_t *paths, uint32_t *neighbors)
{
    uint32_t word = HW_MMIO->tables0;
    *connections = (word & FLUE_MMIO_CONNECTIONS_MASK) >> FLUE_MMIO_CONNECTIONS_SHIFT;
    *paths = (word & FLUE_MMIO_PATHS_MASK) >> FLUE_MMIO_PATHS_SHIFT;
    *neighbors = (HW_MMIO->tables1 & FLUE_MMIO_NEIGHBORS_MASK) >> FLUE_MMIO_NEIGHBORS_SHIFT;
}

/* ---- admin rings ---- */

HW_INLINE struct hw_ring hw_asq(void)
{
    return (struct hw_ring){HW_MMIO->asq_base, HW_MMIO->asq_cfg, (uint16_t)HW_MMIO->asq_tail};
}

HW_INLINE struct hw_ring hw_acq(void)
{
    return (struct hw_ring){HW_MMIO->acq_base, HW_MMIO->acq_cfg, (uint16_t)HW_MMIO->acq_head};
}

HW_INLINE uint32_t hw_asq_base(void)
{
    return HW_MMIO->asq_base;
}

HW_INLINE uint32_t hw_asq_cfg(void)
{
    return HW_MMIO->asq_cfg;
}

HW_INLINE uint32_t hw_acq_base(void)
{
    return HW_MMIO->acq_base;
}

HW_INLINE uint32_t hw_acq_cfg(void)
{
    return HW_MMIO->acq_cfg;
}

HW_INLINE uint32_t hw_asq_tail(void)
{
    return HW_MMIO->asq_tail;
}

HW_INLINE uint32_t hw_acq_head(void)
{
    return HW_MMIO->acq_head;
}

HW_INLINE void hw_asq_head(uint32_t index)
{
    HW_MMIO->asq_head = index;
}

HW_INLINE void hw_acq_tail(uint32_t index)
{
    HW_MMIO->acq_tail = index;
}

/* ---- DMA; the memory clobber because the hardware reads and writes what `local` points to ---- */

HW_INLINE void hw_dma_begin_read(uint32_t region, uint32_t offset, void *local, uint32_t bytes)
{
    HW_MMIO->dma_region = region;
    HW_MMIO->dma_offset = offset;
    HW_MMIO->dma_local = (uint32_t)(uintptr_t)local;
    __asm__ volatile("" ::: "memory");
    HW_MMIO->dma_start = bytes;
}

HW_INLINE void hw_dma_begin_write(uint32_t region, uint32_t offset, const void *local, uint32_t bytes)
{
    HW_MMIO->dma_region = region;
    HW_MMIO->dma_offset = offset;
    HW_MMIO->dma_local = (uint32_t)(uintptr_t)local;
    __asm__ volatile("" ::: "memory");
    HW_MMIO->dma_start = bytes | FLUE_MMIO_TO_HOST_MASK;
}

HW_INLINE bool hw_dma_end(void)
{
    uint32_t status = HW_MMIO->dma_status; /* the core stands still until it is over */
    __asm__ volatile("" ::: "memory");
    return status == 0; /* ST_OK, not busy */
}

/* ---- tables ---- */

HW_INLINE volatile uint32_t *hw_mmio_row(enum flue_table table, uint32_t row, uint32_t word)
{
    return (volatile uint32_t *)(uintptr_t)((uint32_t)FLUE_MMIO_TABLES + ((uint32_t)table << 24) + (row << 8) + (word << 2));
}

HW_INLINE uint32_t hw_row_get(enum flue_table table, uint32_t row, uint32_t word)
{
    return *hw_mmio_row(table, row, word);
}

HW_INLINE void hw_row_put(enum flue_table table, uint32_t row, uint32_t word, uint32_t value)
{
    *hw_mmio_row(table, row, word) = value;
}

HW_INLINE void hw_row_begin_get(enum flue_table table, uint32_t row, uint32_t word, uint32_t *local, uint32_t words)
{
    HW_MMIO->dma_offset = (uint32_t)(uintptr_t)hw_mmio_row(table, row, word);
    HW_MMIO->dma_local = (uint32_t)(uintptr_t)local;
    __asm__ volatile("" ::: "memory");
    HW_MMIO->dma_start = words * 4 | FLUE_MMIO_ROW_MASK;
}

HW_INLINE void hw_row_begin_put(enum flue_table table, uint32_t row, uint32_t word, const uint32_t *local, uint32_t words)
{
    HW_MMIO->dma_offset = (uint32_t)(uintptr_t)hw_mmio_row(table, row, word);
    HW_MMIO->dma_local = (uint32_t)(uintptr_t)local;
    __asm__ volatile("" ::: "memory");
    HW_MMIO->dma_start = words * 4 | FLUE_MMIO_ROW_MASK | FLUE_MMIO_TO_HOST_MASK;
}

#define HW_ENGINE(side, row, word)                                                                                             \
    (*(volatile uint32_t *)(uintptr_t)(FLUE_MMIO_ENGINE | (uint32_t)(side) << 25 | (row) << 9 | (uint32_t)(word) << 2))

HW_INLINE uint32_t hw_record_get(uint32_t row, uint32_t word)
{
    return HW_ENGINE(0, row, word);
}

HW_INLINE void hw_record_put(uint32_t row, uint32_t word, uint32_t value)
{
    HW_ENGINE(0, row, word) = value;
}

HW_INLINE uint32_t hw_port_get(uint32_t row, uint32_t reg)
{
    return HW_ENGINE(1, row, reg);
}

HW_INLINE void hw_port_put(uint32_t row, uint32_t reg, uint32_t value)
{
    HW_ENGINE(1, row, reg) = value;
}

HW_INLINE void hw_table_begin(enum flue_table_op op, uint32_t index)
{
    HW_MMIO->table_cmd = (uint32_t)op << FLUE_MMIO_OP_SHIFT | index << FLUE_MMIO_INDEX_SHIFT;
}

HW_INLINE enum flue_table_result hw_table_end(uint32_t *found)
{
    uint32_t status = HW_MMIO->table_status; /* the core stands still until it is over */
    if (found)
        *found = (status & FLUE_MMIO_FOUND_MASK) >> FLUE_MMIO_FOUND_SHIFT;
    return (enum flue_table_result)((status & FLUE_MMIO_RESULT_MASK) >> FLUE_MMIO_RESULT_SHIFT);
}

HW_INLINE void hw_table_key(const uint32_t *key, unsigned words)
{
    for (unsigned i = 0; i < words; i++)
        HW_MMIO->table_key[i] = key[i];
}

HW_INLINE void hw_table_seed(const uint32_t seed[4])
{
    for (unsigned i = 0; i < 4; i++)
        HW_MMIO->table_seed[i] = seed[i];
}

HW_INLINE uint32_t hw_table_error(void)
{
    return HW_MMIO->table_error;
}

/* ---- end of the line ---- */

HW_INLINE _Noreturn void hw_trap(uint32_t cause)
{
    uint32_t pc;
    __asm__ volatile("auipc %0, 0" : "=r"(pc));
    HW_MMIO->trap_pc = pc;
    HW_MMIO->trap_cause = cause;
    for (;;) {
    }
}

#endif
#endif
