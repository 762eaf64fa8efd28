/*
 * One direction of the wire: a queue of frames in flight and what may happen to them.  The text of the rules is described at
 * flue_sim_wire_set() in flue/sim.h.  Times are adapter time in ns.
 */
#ifndef FLUE_WIRE_H
#define FLUE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flue/err.h"
#include "flue/sim.h"
#include "rng.h"

#define FLUE_WIRE_RULES    32
#define FLUE_WIRE_OVERHEAD 24u /* preamble, FCS and gap, byte times a frame */
#define FLUE_WIRE_COMMENT  96

enum flue_wire_action {
    FLUE_WIRE_DROP,
    FLUE_WIRE_DUP,
    FLUE_WIRE_REORDER,
    FLUE_WIRE_FLIP,
    FLUE_WIRE_TRUNCATE,
    FLUE_WIRE_DAMAGE,
    FLUE_WIRE_ACTIONS
};

/* What an exact trigger asks of a frame. */
struct flue_wire_match {
    uint64_t first, last; /* frame number range, 0 = any */
    uint64_t every;       /* 0 = any */
    uint32_t len_min, len_max;
    uint32_t flags; /* kinds that must all be there, KIND_* of wire.c */
    uint64_t limit; /* xN, 0 = no limit */
};

struct flue_wire_rule {
    enum flue_wire_action action;
    bool exact; /* match decides, else odds */
    uint64_t odds;
    struct flue_wire_match match;
    uint64_t matched; /* frames for which the match was true */
    bool has_value;
    uint64_t value;   /* bit, length or frames to wait for */
    uint64_t hold_ns; /* reorder */
};

struct flue_wire_rules {
    struct flue_wire_rule rule[FLUE_WIRE_RULES];
    unsigned rules;
    uint64_t burst_enter, burst_leave, burst_loss; /* odds */
    uint64_t delay_ns, jitter_ns;
    uint64_t rate_bps; /* 0 = none */
    uint32_t queue;    /* frames that may wait for the rate, 0 = no limit */
};

struct flue_wire_frame {
    struct flue_wire_frame *next;
    uint64_t due_ns;
    uint32_t wait_frames; /* held back until so many passed */
    uint32_t len;
    uint32_t cap;
    bool bad;                        /* damage: the receiver's FCS check fails */
    char comment[FLUE_WIRE_COMMENT]; /* what was done to it, "" = nothing */
    uint8_t data[];
};

/* Tells of a frame as it is put on the wire; comment "" unless it is dropped. */
typedef void flue_wire_note_fn(void *user, const uint8_t *frame, size_t len, uint64_t now_ns, const char *comment);

struct flue_wire {
    struct flue_wire_rules rules;
    struct flue_rng rng[FLUE_WIRE_ACTIONS]; /* one stream an action, so that one rule does not shift another's choices */
    struct flue_rng burst_rng, jitter_rng;
    bool burst_bad;
    uint64_t frames;                     /* put so far: the number exact triggers count */
    struct flue_wire_frame *head, *tail; /* in order of due_ns */
    struct flue_wire_frame *held;        /* held back by reorder, any order */
    struct flue_wire_frame *spare;       /* for reuse */
    size_t waiting;                      /* frames in both lists */
    uint64_t line_free_ns;               /* the rate's line is busy until then */
    uint64_t last_due_ns;                /* of the last frame that keeps order */
    uint64_t *sent_ns;                   /* ring: when the frames that wait for the rate will have left */
    uint32_t sent_cap, sent_head, sent_count;
    struct flue_sim_wire_stats stats;
    flue_wire_note_fn *note;
    void *user;
};

/* Read rules.  FLUE_EARG: error (error_len bytes) names the item and what is wrong with it; *rules is then not to be used. */
FLUE_MUST_CHECK enum flue_err flue_wire_parse(struct flue_wire_rules *rules, const char *text, char *error, size_t error_len);

/* A wire without rules; name makes its random streams its own. */
void flue_wire_init(struct flue_wire *wire, uint64_t seed, const char *name, flue_wire_note_fn *note, void *user);
void flue_wire_free(struct flue_wire *wire);

/* Rules from now on; frames in flight stay as they are. */
FLUE_MUST_CHECK enum flue_err flue_wire_set(struct flue_wire *wire, const struct flue_wire_rules *rules);

/* Put a frame on it; copied. */
FLUE_MUST_CHECK enum flue_err flue_wire_put(struct flue_wire *wire, uint64_t now_ns, const uint8_t *frame, size_t len);

/* When the next frame arrives; UINT64_MAX when there is none. */
static inline uint64_t flue_wire_due_ns(const struct flue_wire *wire)
{
    uint64_t due = wire->head ? wire->head->due_ns : UINT64_MAX;
    for (const struct flue_wire_frame *f = wire->held; f; f = f->next)
        if (f->due_ns < due)
            due = f->due_ns;
    return due;
}

/* The next frame that has arrived by now, NULL if none; give it back with flue_wire_done(). */
struct flue_wire_frame *flue_wire_take(struct flue_wire *wire, uint64_t now_ns);
void flue_wire_done(struct flue_wire *wire, struct flue_wire_frame *frame);

#endif
