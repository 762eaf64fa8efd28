/*
 * An adapter that does what a test says: registers that keep what is written, the few reactions the contract promises
 * (reset, drain, disabled queues), a transcript of every write, and events posted by hand, true or not.
 */
#ifndef FLUE_TEST_MOCK_H
#define FLUE_TEST_MOCK_H

#include "flue/control.h"
#include "flue/core.h"
#include "slots.h"

#define MOCK_MAPS  16u
#define MOCK_LOG   65536u
#define MOCK_REGS  16384u
#define MOCK_FW_KB 8u

struct mock_write {
    uint32_t offset, value;
};

struct mock {
    struct flue_link link;   /* first: the driver's pointer is ours */
    uint32_t reg[MOCK_REGS]; /* by word */
    struct {
        void *addr; /* null: free */
        size_t len_bytes;
        uint64_t bus_addr;
    } map[MOCK_MAPS];
    unsigned maps; /* in use */
    struct mock_write log[MOCK_LOG];
    unsigned log_count;
    uint16_t eq_tail; /* events posted */
    uint64_t waited_us;
    uint32_t fw[MOCK_FW_KB * 256u]; /* memory of the processor */
    uint16_t acq_tail;              /* admin completions posted */

    /* What it is told to do. */
    unsigned fail_in; /* the nth access from now fails, 0 = none */
    enum flue_err fail_with;
    bool map_fails;
    bool reset_stuck, drain_stuck, busy_stuck;
    bool fw_never_ready, fw_never_stops, fw_deaf; /* deaf: no heartbeat */
    bool clock_stands;
    uint32_t fw_start_trap;          /* cause of a trap as soon as it runs, 0 = none */
    uint32_t fw_bad_word;            /* bits that do not stick in its memory */
    void (*on_wait)(struct mock *m); /* something happens while time passes */
    void (*on_write)(struct mock *m, uint32_t offset, uint32_t value);
};

void mock_init(struct mock *m);

/* Bytes behind {region, offset} as the region table has them; null when not covered. */
void *mock_memory(struct mock *m, unsigned region, uint32_t offset, size_t len_bytes);

/* A slot of a ring, as words in host order. */
struct mock_slot {
    uint32_t w[4];
};
struct mock_slot mock_slot(struct mock *m, uint32_t base_reg, uint32_t cfg_reg, uint16_t index);

/* Post an event; word 3 gets the phase. */
void mock_event(struct mock *m, uint32_t w0, uint32_t w1, uint32_t w2);
void mock_tx_done(struct mock *m, uint16_t index, uint8_t status);
void mock_rx_done(struct mock *m, uint16_t index, uint32_t len_bytes, uint32_t w2);
void mock_queue_event(struct mock *m, uint32_t kind, uint32_t queue, uint16_t index, uint32_t code);

/* ---- admin queue ---- */

/* Submission that the driver put at an index, in host order. */
struct flue_sqe mock_sqe(struct mock *m, uint16_t index);

/* Command id of a submission. */
uint16_t mock_command_id(struct mock *m, uint16_t index);

/* Post an entry as the firmware does: words 0 to 2, detail, phase, then ACQ_TAIL and the cause. */
void mock_cqe(struct mock *m, uint32_t w0, uint32_t status, uint32_t result, uint32_t w3);

/* Answer the submission at an index. */
void mock_answer(struct mock *m, uint16_t index, uint32_t status, uint32_t result, uint32_t detail);

/* The processor traps, with xn = 0x1000 + n in its record. */
void mock_trap(struct mock *m, uint32_t cause, uint32_t pc);

/* Position in the log of the last write to a register, -1 when there is none. */
int mock_last_write(const struct mock *m, uint32_t offset);

static inline uint32_t *mock_reg(struct mock *m, uint32_t offset)
{
    return &m->reg[offset / 4];
}

#endif
