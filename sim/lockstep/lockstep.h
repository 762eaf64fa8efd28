/*
 * Two subjects, the same random events: they must agree in every reason, action and field of the record.
 *
 * The events are what an adapter can raise: legal and hostile segments around the edges of window, ranges and flight, from the
 * wire and forwarded, doorbells right and wrong, turns, ends of turns and ACKs, placements in order and sometimes failing,
 * timers at and beside their deadlines, commands, and now and then a row that fails its check.  Each connection is loaded in a
 * random legal state, lives, is frozen, cleared and loaded again.
 * The first subject's record steers the choice; it should be the model.
 */
#ifndef FLUE_LOCKSTEP_H
#define FLUE_LOCKSTEP_H

#include "subject.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a run should meet beside the reasons: SITUATION(name, what it is). */
#define LOCKSTEP_SITUATION_LIST(SITUATION)                                                                                     \
    SITUATION(FAST_SACK, "fast recovery begins, with SACK")                                                                    \
    SITUATION(FAST_PLAIN, "fast recovery begins, without SACK")                                                                \
    SITUATION(PARTIAL_ACK, "first partial ACK of a recovery without SACK")                                                     \
    SITUATION(FAST_OVER, "fast recovery ends")                                                                                 \
    SITUATION(LOSS_OVER, "recovery after a timeout ends")                                                                      \
    SITUATION(LIMITED_TRANSMIT, "new data above cwnd on the first duplicate ACKs")                                             \
    SITUATION(NINTH_RANGE, "a ninth range of the peer is forgotten")                                                           \
    SITUATION(ALL_RANGES_HELD, "the fourth out-of-order range is taken")                                                       \
    SITUATION(FILLED, "in-order data joins a held range")                                                                      \
    SITUATION(DSACK_BELOW, "a duplicate below the edge is reported")                                                           \
    SITUATION(DSACK_ABOVE, "a duplicate above the edge is reported, its range behind it")                                      \
    SITUATION(LOWERED_ACK, "an ACK number below RCV.NXT, by rounding of the window")                                           \
    SITUATION(CLOSED_WINDOW, "a window of 0 is announced")                                                                     \
    SITUATION(REOPENED, "a doorbell reopens the window")                                                                       \
    SITUATION(PROBE_SENT, "a window probe leaves")                                                                             \
    SITUATION(SWS_OVERRIDE, "a short segment leaves after the persist timer")                                                  \
    SITUATION(WINDOW_SHRUNK, "the peer moves its right edge left")                                                             \
    SITUATION(KARN, "a retransmission ends the timing of a segment")                                                           \
    SITUATION(SAMPLE, "a round trip is measured")                                                                              \
    SITUATION(DOUBT, "the third expiry in a row is told")                                                                      \
    SITUATION(FIN_SENT, "our FIN leaves for the first time")                                                                   \
    SITUATION(FIN_AGAIN, "our FIN leaves again")                                                                               \
    SITUATION(FIN_ABOVE_GAP, "the peer's FIN above a gap")                                                                     \
    SITUATION(FIN_TAKEN, "the peer's FIN is reached")                                                                          \
    SITUATION(CLOSING, "both sides close at once")                                                                             \
    SITUATION(TIME_WAIT, "TIME_WAIT is reached")                                                                               \
    SITUATION(LAST_ACK_OVER, "LAST_ACK ends")                                                                                  \
    SITUATION(OLD_TIMESTAMP, "TS.Recent is older than 24 days")                                                                \
    SITUATION(FORWARDED, "a forwarded segment is placed")                                                                      \
    SITUATION(MANY_ACKS, "an ACK waits because seven are in flight")                                                           \
    SITUATION(MANY_PLACED, "a segment finds 63 placements in flight")                                                          \
    SITUATION(DRAINED, "a freeze had to wait for what was in flight")                                                          \
    SITUATION(LOADED, "command LOAD")                                                                                          \
    SITUATION(STARTED, "command START")                                                                                        \
    SITUATION(FREEZE, "command FREEZE")                                                                                        \
    SITUATION(CLEARED, "command CLEAR")                                                                                        \
    SITUATION(ABORTED, "command ABORT")                                                                                        \
    SITUATION(SNAPSHOT, "command SNAPSHOT")                                                                                    \
    SITUATION(RCV_WRAP, "the peer's sequence numbers wrap")                                                                    \
    SITUATION(SND_WRAP, "our sequence numbers wrap")

enum lockstep_situation {
#define LOCKSTEP_X(name, text) LOCKSTEP_##name,
    LOCKSTEP_SITUATION_LIST(LOCKSTEP_X)
#undef LOCKSTEP_X
        LOCKSTEP_SITUATIONS
};

struct lockstep_options {
    uint64_t seed;
    uint64_t events;
    bool quiet;        /* nothing to stdout: for tests of the lockstep itself */
    uint64_t progress; /* a line each so many events; 0: none */
};

struct lockstep_result {
    uint64_t events;                    /* done, the differing one included */
    uint64_t reasons[FLUE_TCP_REASONS]; /* of the first subject */
    uint64_t situations[LOCKSTEP_SITUATIONS];
    uint64_t loads; /* connections that were loaded */
    bool differ;    /* the subjects disagreed */
    bool broken;    /* the first one violated an invariant */
};

/* Run until done or the first difference, which is printed with the last 20 events of its connection; true: none. */
bool lockstep_run(struct tcp_subject *first, struct tcp_subject *second, const struct lockstep_options *options,
                  struct lockstep_result *result);

/* Add the counts of one run to a sum. */
void lockstep_add(struct lockstep_result *sum, const struct lockstep_result *one);

/* "reason count" lines and those of the situations, the rarest first. */
void lockstep_print(FILE *to, const struct lockstep_result *result);

/* Name each reason and situation that was met less than `least` times; returns how many those are. */
unsigned lockstep_below(FILE *to, const struct lockstep_result *result, uint64_t least);

/* seen.c: what one event was, beside its reason. */
void lockstep_see(uint64_t situations[LOCKSTEP_SITUATIONS], const struct flue_tcp *before, const struct flue_tcp_event *event,
                  const struct flue_tcp_actions *actions, const struct flue_tcp *after, uint64_t now_us);

#ifdef __cplusplus
}
#endif
#endif
