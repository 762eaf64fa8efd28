/*
 * What the files of the control plane share: admin.c (life), processor.c (load, start, trap), admin_queue.c (commands).
 */
#ifndef FLUE_CORE_ADMIN_PARTS_H
#define FLUE_CORE_ADMIN_PARTS_H

#include "../../firmware/trap.h" /* where the processor leaves its registers */
#include "internal.h"

/* A flue_admin_call() that waits for its answer. */
struct admin_call {
    struct flue_admin_done done;
    bool answered, cut; /* cut: ended without an answer */
};

/* A command that was accepted and is not done. */
struct admin_command {
    void *cookie;
    struct admin_call *call; /* who waits; null = the handler is told */
    uint32_t length;         /* bytes of its buffer */
    uint16_t id;             /* slot and, above it, how often the slot was used */
    uint8_t opcode;
    bool busy;
    bool used;     /* since the start; then id is that of the last one */
    bool internal; /* a flue_admin_call(), whether somebody still waits or not */
};

enum admin_state {
    ADMIN_STOPPED, /* nothing is in flight */
    ADMIN_STARTS,
    ADMIN_RUNS
};

/* Answer that did not come while so many polls found nothing: time to look at the clock. */
#define ADMIN_POLLS_A_LOOK 32u

#define ADMIN_CALL_BYTES   4096u

struct flue_admin {
    struct flue_adapter *a;
    struct flue_admin_handlers handlers;
    struct flue_admin_info info;
    enum admin_state state;
    bool stop_wanted; /* flue_admin_stop() inside a handler */
    bool waiting;     /* a call polls: it must find everything in place afterwards */
    uint32_t timeout_us;
    uint32_t seed[4]; /* all zero = new random words at each start */

    uint32_t *image; /* words in host order */
    uint32_t image_words;

    struct flue_mem mem;            /* submissions, completions, buffer of flue_admin_call() */
    uint32_t *sq_le;                /* 16 words an entry */
    const volatile uint32_t *cq_le; /* 4 words an entry */
    uint32_t cq_offset, call_offset;
    uint16_t size; /* entries of each ring, a power of two */
    uint8_t log2_size;
    uint16_t sq_tail, cq_head; /* run freely modulo 2^16 */

    struct admin_command *command; /* by slot of the command id, not of the ring */
    uint16_t *free_slot;           /* stack of size - outstanding slots */
    uint16_t outstanding;
    bool call_lost; /* a call gave up; its buffer is the adapter's until the answer */

    bool announced;      /* IRQ_CAUSE.admin was seen since the last look at the ring */
    unsigned idle_polls; /* since the last completion, while one is awaited */
    uint64_t quiet_since_us;
};

/* A bound on adapter time; a clock that stands still is bounded by the number of steps. */
struct limit {
    uint64_t start_us, limit_us;
    uint64_t steps;
};

enum flue_err limit_begin(struct flue_adapter *a, struct limit *limit, uint32_t limit_us);

/* Poll, let a little time pass; FLUE_ETIMEOUT when the limit is reached. */
enum flue_err limit_step(struct flue_adapter *a, struct limit *limit);

/* The processor misbehaves, the rest of the adapter works on: remember how.  Returns FLUE_EDEVICE. */
enum flue_err adapter_fault_set(struct flue_adapter *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Stop the processor: after it none of its DMA is under way.  FLUE_EDEVICE when it does not stop: the adapter is distrusted. */
enum flue_err processor_halt(struct flue_admin *admin);

/* Load the image, describe the rings, start, wait until it is ready. */
enum flue_err processor_start(struct flue_admin *admin, bool cold);

/* What it left behind when it trapped. */
enum flue_err processor_trap_read(struct flue_admin *admin, struct flue_admin_trap *trap);

/* Look after the processor when it was silent for a while: trap, stopped queue, no answer.  It is stopped then. */
enum flue_err processor_watch(struct flue_admin *admin);

/* Empty rings and no command, as a start wants them.  Nothing may be in flight. */
void admin_rings_clear(struct flue_admin *admin);

/* True when flue_admin_stop() was called inside a handler and is done now: admin is gone. */
bool admin_stop_if_wanted(struct flue_admin *admin);

/* End every command in flight with NDIS_STATUS_REQUEST_ABORTED. */
void admin_end_all(struct flue_admin *admin);

#endif
