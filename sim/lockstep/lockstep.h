/*
 * Two subjects, the same random events: they must agree in every reason, action and field of the record.
 *
 * The events are what an adapter can raise: legal and hostile segments around the edges of window, ranges and flight,
 * doorbells right and wrong, turns, ends of turns and ACKs, placements in order and sometimes failing, timers at and beside
 * their deadlines, commands.  Each connection is loaded in a random legal state, lives, is frozen, cleared and loaded again.
 * The first subject's record steers the choice; it should be the model.
 */
#ifndef FLUE_LOCKSTEP_H
#define FLUE_LOCKSTEP_H

#include "subject.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lockstep_options {
    uint64_t seed;
    uint64_t events;
    bool quiet; /* nothing to stdout: for tests of the lockstep itself */
};

struct lockstep_result {
    uint64_t events;                    /* done, the differing one included */
    uint64_t reasons[FLUE_TCP_REASONS]; /* of the first subject */
    uint64_t loads;                     /* connections that were loaded */
    bool differ;                        /* the subjects disagreed */
    bool broken;                        /* the first one violated an invariant */
};

/* Run until done or the first difference, which is printed with the last 20 events of its connection; true: none. */
bool lockstep_run(struct tcp_subject *first, struct tcp_subject *second, const struct lockstep_options *options,
                  struct lockstep_result *result);

/* "reason count" lines, the rarest first. */
void lockstep_print_reasons(FILE *to, const struct lockstep_result *result);

#ifdef __cplusplus
}
#endif
#endif
