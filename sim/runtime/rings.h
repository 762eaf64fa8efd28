/*
 * Ring rules, watched from outside: what the driver writes to the queue registers, and every entry the adapter writes to the
 * event ring and to the admin completion ring.  Entries come one after the other, each whole, with the right phase, never over
 * one that was not consumed; the index of a queue only moves forward and never past what the driver gave; ACQ_TAIL never runs
 * ahead of what is in memory, ASQ_HEAD never past the doorbell; no more completions come than submissions were fetched.
 */
#ifndef FLUE_RINGS_H
#define FLUE_RINGS_H

#include <stdbool.h>
#include <stdint.h>
#include "hostmem.h"
#include "monitor.h"

struct flue_rings {
    struct flue_monitor *mon;
    struct flue_hostmem *mem;
    uint32_t eq_base, eq_cfg;
    bool eq_on, eq_lost; /* lost: an event write failed, what follows is not known */
    bool diverted;       /* a DIVERT event came: the completion of its frame is due */
    uint16_t eq_head, eq_next;
    struct {
        bool on;
        uint16_t tail, done;
    } queue[2]; /* transmit, receive */
    uint64_t events;

    struct {
        uint32_t cq_base, cq_cfg;
        bool on, lost;       /* lost: a completion's write failed, what follows is not known */
        uint16_t head, next; /* completions: the driver's index, the next one to come */
        uint16_t tail;       /* submissions: the driver's index */
        uint16_t fetched;    /* ASQ_HEAD as last read */
        uint16_t done;       /* completions that were no notice */
        uint64_t entries;
    } admin;
};

void flue_rings_init(struct flue_rings *rings, struct flue_hostmem *mem, struct flue_monitor *mon);

/* The driver wrote a register. */
void flue_rings_write(struct flue_rings *rings, uint32_t offset, uint32_t value);

/* The driver read a register. */
void flue_rings_read(struct flue_rings *rings, uint32_t offset, uint32_t value);

#endif
