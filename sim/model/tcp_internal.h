/* Between the files of the reference TCP. */
#ifndef FLUE_MODEL_TCP_INTERNAL_H
#define FLUE_MODEL_TCP_INTERNAL_H

#include "tcp.h"

/* One event on its way. */
struct tcp_step {
    struct flue_tcp *t;
    uint32_t now;      /* low 32 bits of the time */
    uint32_t age_unit; /* the time in units of 2^20 us */
    enum flue_tcp_end ended;
    bool doubt, refused, loaded;
    struct flue_tcp_actions *out;
};

#define before flue_tcp_before
#define upto   flue_tcp_upto

static inline uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline uint32_t earlier(uint32_t a, uint32_t b)
{
    return before(a, b) ? a : b;
}

static inline uint32_t later(uint32_t a, uint32_t b)
{
    return before(a, b) ? b : a;
}

/* tcp_accept.c: sections 3.1 */
void tcp_segment(struct tcp_step *x, const struct flue_tcp_seg *seg);

/* tcp_payload.c: step 11 and 12 of a segment, placed */
void tcp_payload(struct tcp_step *x, const struct flue_tcp_seg *seg);
void tcp_placed(struct tcp_step *x, uint32_t after, bool ok);
void tcp_advance(struct tcp_step *x); /* rcv_nxt and the step of state, each event */

/* tcp_ack.c: section 3.2 */
void tcp_acknowledge(struct tcp_step *x, const struct flue_tcp_seg *seg);

/* tcp_lost.c: section 3.3 and the ranges of the peer */
bool tcp_mark(struct tcp_step *x, const struct flue_tcp_seg *seg); /* true: at least one byte was new */
void tcp_unmark(struct flue_tcp *t);                               /* below snd_una */
uint32_t tcp_lost_edge(const struct flue_tcp *t);
uint32_t tcp_pipe(const struct flue_tcp *t);
uint32_t tcp_unsacked(const struct flue_tcp *t, uint32_t from);              /* first unsacked byte at or above */
uint32_t tcp_run_end(const struct flue_tcp *t, uint32_t from, uint32_t end); /* of the unsacked bytes from there */

/* tcp_turn.c: section 3.4 */
void tcp_turn(struct tcp_step *x, uint32_t budget);
bool tcp_would_send(const struct flue_tcp *t);

/* tcp_out.c: section 3.5 */
unsigned tcp_blocks(const struct flue_tcp *t, struct flue_tcp_range *block);
void tcp_stamp(struct tcp_step *x, enum flue_tcp_tx_kind kind, uint32_t seq); /* what every segment takes along */
void tcp_ack_left(struct flue_tcp *t);                                        /* a segment whose ACK the peer uses */
void tcp_ack_out(struct tcp_step *x);
bool tcp_reopens(const struct flue_tcp *t);

/* tcp_timer.c: section 3.6 */
uint32_t tcp_rto_us(const struct flue_tcp *t);
void tcp_sample(struct flue_tcp *t, uint32_t rtt_us);
void tcp_timer(struct tcp_step *x);
void tcp_arm(struct tcp_step *x); /* end of every event: persist, and a timer whenever something is owed */
bool tcp_deadline(const struct flue_tcp *t, uint32_t *at);

/* cc_newreno.c: section 3.8 */
void tcp_cc_ack(struct flue_tcp *t, uint32_t acked, uint32_t flight_before);
void tcp_cc_loss(struct flue_tcp *t, uint32_t flight);
void tcp_cc_timeout(struct flue_tcp *t, uint32_t flight);

enum { TCP_CWND_MAX = 1 << 30 };

#endif
