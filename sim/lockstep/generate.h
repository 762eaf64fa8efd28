/* Random records and events for lockstep runs. */
#ifndef FLUE_LOCKSTEP_GENERATE_H
#define FLUE_LOCKSTEP_GENERATE_H

#include "rng.h"
#include "tcp.h"

enum { GENERATE_PLACING = 64 };

/* What is outside of a connection's record, and the mood its events are drawn in. */
struct generate_row {
    uint32_t after[GENERATE_PLACING]; /* placements in flight, oldest first */
    unsigned placing;
    unsigned mood; /* MOOD_ bits of generate.c */
    unsigned mood_left;
};

/* A legal record, mode EMPTY. */
void generate_record(struct flue_rng *rng, uint64_t now_us, struct flue_tcp *record);

/* The next event of a connection; may move the time forward.  Returns false: write a new record and load it instead. */
bool generate_event(struct flue_rng *rng, struct generate_row *row, const struct flue_tcp *record, uint64_t *now_us,
                    struct flue_tcp_event *event);

/* What the event did to the row. */
void generate_done(struct generate_row *row, const struct flue_tcp_event *event, const struct flue_tcp_actions *actions);

/* generate_segment.c */
void generate_segment(struct flue_rng *rng, const struct flue_tcp *record, bool gaps, bool duplicates,
                      struct flue_tcp_seg *seg);

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
