/*
 * A connection that moves between the adapter's host and the adapter, step by step, in virtual time.  The host's stack is a
 * second reference TCP: it sends and receives through the ordinary queues, and what it gives up and takes back are the words
 * that a kernel gives and takes (docs/tcp.md section 8).
 */
#ifndef FLUE_MOVES_H
#define FLUE_MOVES_H

#include "detour.h"

/* Steps; gap i lies before step i, the last one behind the last step. */
enum { MOVE_IN_STEPS = 7, MOVE_OUT_STEPS = 5 };
extern const char *const move_in_step[MOVE_IN_STEPS], *const move_out_step[MOVE_OUT_STEPS];

struct moving {
    struct live live;
    struct flue_tcp_host home; /* live.home points to it while it has the connection */
    struct detour *detour;
    uint64_t frozen_us; /* when the adapter gave it up */
    uint32_t forwarded; /* number of the newest frame that was forwarded or given up */
};

/* A connection that is the host's, or the adapter's, from the beginning. */
void moving_open(struct moving *m, struct detour *d, const struct live_start *start, bool inside);
void moving_close(struct moving *m);

/* One step of a move. */
void move_in(struct moving *m, unsigned step);
void move_out(struct moving *m, unsigned step);

/* The program at the adapter's host, wherever the connection is. */
void moving_push(struct moving *m, uint64_t until);
void moving_pull(struct moving *m);
void moving_finish(struct moving *m);
bool moving_ended(struct moving *m, enum flue_tcp_end *end, bool *peer_finished);

/* Until both programs have received so much; false when `limit_us` was not enough. */
bool moving_exchange(struct moving *m, uint64_t to_peer, uint64_t to_host, uint64_t limit_us);

#endif
