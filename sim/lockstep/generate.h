/* Random records and events for lockstep runs. */
#ifndef FLUE_LOCKSTEP_GENERATE_H
#define FLUE_LOCKSTEP_GENERATE_H

#include "rng.h"
#include "tcp.h"

enum { GENERATE_PLACING = 64 };

/*
 * Moods make what chance alone would not: full queues, four gaps, long recoveries, many timeouts.  In a mood without
 * completions nothing that was ordered comes to its end.
 */
enum {
    GENERATE_NO_SENT = 1,
    GENERATE_NO_PLACED = 2,
    GENERATE_NO_TURN = 4,
    GENERATE_GAPS = 8,        /* segments above gaps */
    GENERATE_DUPLICATES = 16, /* ACKs that repeat */
    GENERATE_TIMERS = 32,
    GENERATE_SILENT = 64, /* no segments */
    GENERATE_COMB = 128,  /* the peer reports many short ranges */
    GENERATE_FLOOD = 256, /* short segments in order, nothing is placed */
    GENERATE_ALL = 511
};

/* What is outside of a connection's record, and the mood its events are drawn in. */
struct generate_row {
    uint32_t after[GENERATE_PLACING]; /* placements in flight, oldest first */
    unsigned placing;
    unsigned mood; /* GENERATE_ bits */
    unsigned mood_left;
    bool wants;        /* a turn would send */
    bool bad;          /* the row fails its check */
    unsigned bad_left; /* events until it is made good */
};

/* A legal record, mode EMPTY. */
void generate_record(struct flue_rng *rng, uint64_t now_us, struct flue_tcp *record);

/* The next event of a connection; may move the time forward.  Returns false: write a new record and load it instead. */
bool generate_event(struct flue_rng *rng, struct generate_row *row, const struct flue_tcp *record, uint64_t *now_us,
                    struct flue_tcp_event *event);

/* What the event did to the row. */
void generate_done(struct generate_row *row, const struct flue_tcp_event *event, const struct flue_tcp_actions *actions);

/* Whether a bit of the row should change before the next event, and that it did. */
bool generate_flip(struct flue_rng *rng, const struct generate_row *row, const struct flue_tcp *record);
void generate_flipped(struct generate_row *row);

/* generate_segment.c */
void generate_segment(struct flue_rng *rng, const struct flue_tcp *record, unsigned mood, struct flue_tcp_seg *seg);

static inline bool one_in(struct flue_rng *rng, unsigned n)
{
    return flue_rng_below(rng, n) == 0;
}

/* An index drawn by weight; the sum is at most 2^31. */
static inline unsigned by_weight(struct flue_rng *rng, const unsigned *weight, unsigned count)
{
    unsigned sum = 0, i = 0;
    for (unsigned k = 0; k < count; k++)
        sum += weight[k];
    for (unsigned at = flue_rng_below(rng, sum); at >= weight[i]; i++)
        at -= weight[i];
    return i;
}

#endif
