/* What the files of adopted connections share. */
#ifndef FLUED_RELAY_INTERNAL_H
#define FLUED_RELAY_INTERNAL_H

#include "relay.h"

#define CHUNK_BYTES 65536u
#define ENDED_KEPT  64u

/* Bytes on their way in one direction; grows only by a move. */
struct buffer {
    uint8_t *data;
    size_t at, len, cap;
};

/* Of a counter that grows, over the last whole span. */
struct rate {
    uint64_t at_us, value;
    uint32_t kbps;
};

struct relay {
    struct relay *next;
    int local_fd, tcp_fd;
    struct flue_conn *conn;  /* in the adapter */
    struct buffer out, in;   /* to the network, to the program */
    bool local_over;         /* the program's stream ended */
    bool net_over;           /* the peer's stream ended */
    bool out_told, in_told;  /* and the other side knows */
    bool broken;             /* bytes are lost: both sides are told so */
    bool deserted;           /* the program is gone and left something unread */
    uint32_t una_in, nxt_in; /* at the last move in, without FINs */
    struct relay_wire wire;
    struct rate out_rate, in_rate;
    bool quiet;           /* the kernel was asked to keep its quiet time */
    uint64_t kernel_from; /* bytes both ways when the kernel got it */
    uint64_t total;       /* now */
    uint64_t active_us;   /* when that last grew */
    uint64_t retry_us;    /* not moved by itself before */
    struct relay_view view;
};

struct relays {
    struct daemon *d;
    struct flue_mover *mover; /* null: nothing was moved yet, or the adapter has no engine */
    struct relay *first;
    unsigned last_id, ended_count;
    struct relay_view ended[ENDED_KEPT]; /* the last ones, as they ended */
};

/* ---- copying (relay_copy.c) -------------------------------------------------------------------------------------------- */

/* Bytes go behind those that are there, or (front) before them; false without memory. */
bool relay_insert(struct buffer *b, const uint8_t *data, size_t len, bool front);

/* What can be copied now; true when something was. */
bool relay_copy(struct relay *r);

static inline void relay_break(struct relay *r)
{
    r->broken = true;
}

/* ---- looks (relay_view.c) ---------------------------------------------------------------------------------------------- */

void relay_rate_take(struct rate *r, uint64_t now_us, uint64_t value);

/* What the adapter carried since the move in, added to the view's: ends of the bytes acknowledged and received, without FINs.
 */
void relay_carried(const struct relay *r, uint32_t snd_una, uint32_t rcv_nxt, struct relay_view *view);
void relay_look(const struct relays *s, const struct relay *r, bool asks, struct relay_view *view);

#endif
