/*
 * Connections, watched from outside: what the engine decides (rtl/flue_tcp_watch.sv), every frame on both wires, and the rings
 * in host memory.  Always on.  For each connection, from the event that loads it:
 *
 *   bytes      what becomes the host's is what came on the wire, in order, each byte once, and in its place of the ring
 *   ranges     out-of-order ranges and SACK blocks are those that the placed segments make; no byte is placed twice that was
 *              accepted, none beyond the window
 *   edge       neither the right edge nor the ACK number of what leaves goes back; no byte is acknowledged that is not stored
 *   flight     new bytes lie inside the peer's window, what is in flight inside the congestion window
 *   timer      whenever something is owed a deadline is armed, and the timers know it
 *   sent       what leaves is what was ordered, segment by segment, with well-formed options; bytes are those of the send ring,
 *              bytes sent again those of the first time; TSval never goes back, TTL, traffic class and flow label stay
 *   freeze     with the freeze everything ordered has left, and nothing is ordered after it
 *   record     flue_tcp_invariant() after every event
 *
 * Addresses of a row are learnt from the first frame of it that the tables find, or that leaves as it was ordered.  A record
 * that fails its check, or a placement or read that failed, ends the judgement of what depends on it.
 */
#ifndef FLUE_WATCH_H
#define FLUE_WATCH_H

#include "hostmem.h"
#include "model.h"
#include "monitor.h"
#include "tcp.h"

enum {
    FLUE_WATCH_ROWS = 1024,
    FLUE_WATCH_RECENT = 4096,
    FLUE_WATCH_PENDING = 64,
    FLUE_WATCH_ORDERS = 16,
    FLUE_WATCH_FLOWS = 128
};

/* Addresses of a connection as a frame from the peer has them. */
struct flue_watch_ends {
    bool ipv6, tagged;
    uint16_t vlan, port_here, port_there;
    uint8_t here[16], there[16];
};

/* Bytes of a stream by sequence number, as first seen; `state` 0: not seen, 1: so, 2: seen with several values. */
struct flue_watch_bytes {
    uint8_t *value, *state;
    uint32_t size; /* a power of two; 0: none */
};

/* Something the engine ordered: what of it is on the wire. */
struct flue_watch_order {
    struct flue_tcp_tx tx;
    uint32_t at; /* next sequence number */
    bool whole;
};

struct flue_watch_row {
    bool live;  /* loaded: `r` is its record */
    bool lost;  /* a row that failed its check: not judged until it is loaded again */
    bool known; /* `ends` is */
    bool ip_known;
    bool forwarded; /* frames came from the driver too: bytes may be new that were not seen on the wire */
    bool deadline_on;
    uint32_t deadline;
    uint32_t ip_constant; /* of the frames that left: TTL or hop limit, traffic class, flow label */
    struct flue_watch_ends ends;
    struct flue_tcp r;
    uint32_t ring[4]; /* words of flue_tcp_rings */
    struct flue_watch_bytes in, out;
    uint32_t out_from, out_to; /* sequence numbers that `out` holds */

    uint32_t accepted; /* what the placed segments make of it: end of the in-order bytes */
    struct flue_tcp_range range[FLUE_TCP_HELD + 1];
    unsigned ranges;

    uint32_t edge, last_ack; /* announced by what left last */
    struct {
        struct flue_tcp was, is;
    } traced[4]; /* events with which something leaves, their orders not here yet */
    unsigned traces;
    struct flue_tcp_tx told[4]; /* the other way round */
    unsigned tellings;
    struct flue_watch_order order[FLUE_WATCH_ORDERS]; /* oldest first */
    unsigned orders;
};

struct flue_watch_frame {
    uint8_t *data;
    size_t len;
};

/* The newest TSval of a connection, whoever runs it. */
struct flue_watch_flow {
    struct flue_watch_ends ends;
    bool known, engine; /* engine: it was the engine's */
    uint32_t tsval;
};

struct flue_watch {
    struct flue_monitor *mon;
    const struct flue_hostmem *mem;
    struct flue_watch_row *row[FLUE_WATCH_ROWS];
    unsigned rows; /* one past the highest */
    struct flue_watch_frame recent[FLUE_WATCH_RECENT];
    unsigned recent_next;
    struct flue_watch_flow flow[FLUE_WATCH_FLOWS];
    unsigned flows;
    struct {
        unsigned row;
        bool judged;
        struct flue_tcp was, is;
    } segment[FLUE_WATCH_PENDING]; /* segment events without their verdict */
    unsigned segments;
    struct {
        enum flue_tcp_verdict verdict;
        struct flue_tcp_place place;
    } verdict[FLUE_WATCH_PENDING]; /* the other way round */
    unsigned verdicts;
    uint64_t events, frames, bytes; /* judged: events, frames that left, bytes that became the host's */
};

void flue_watch_init(struct flue_watch *w, struct flue_monitor *mon, const struct flue_hostmem *mem);
void flue_watch_free(struct flue_watch *w);

/* A flue_model_watch_fn; user is the struct flue_watch. */
void flue_watch_engine(void *user, enum flue_model_watch what, unsigned row, unsigned a, const uint32_t *data);

/* What flue_watch_engine() does with them. */
void flue_watch_trace(struct flue_watch *w, unsigned row, enum flue_tcp_event_kind kind, enum flue_tcp_reason reason,
                      const struct flue_tcp *record);
void flue_watch_verdict(struct flue_watch *w, enum flue_tcp_verdict verdict, const struct flue_tcp_place *place);
void flue_watch_order(struct flue_watch *w, unsigned row, const struct flue_tcp_tx *tx);
void flue_watch_sent(struct flue_watch *w, unsigned row, bool turn, bool failed);
void flue_watch_found(struct flue_watch *w, unsigned row, const struct flue_watch_ends *ends, bool forwarded);
void flue_watch_ring(struct flue_watch *w, unsigned row, unsigned word, uint32_t value);
void flue_watch_deadline(struct flue_watch *w, unsigned row, bool on, uint32_t at_us);
void flue_watch_reset(struct flue_watch *w);

/* A frame that is whole, without a fault, on the wire: towards the adapter and from it (watch_wire.c). */
void flue_watch_frame_in(struct flue_watch *w, const uint8_t *frame, size_t len);
void flue_watch_frame_out(struct flue_watch *w, const uint8_t *frame, size_t len);

/* Between the two files. */
void flue_watch_begin(struct flue_watch *w, struct flue_watch_row *row);                 /* it was loaded */
void flue_watch_delivered(struct flue_watch *w, unsigned index, uint32_t l, uint32_t r); /* bytes became the host's */
void flue_watch_learnt(struct flue_watch *w, struct flue_watch_row *row);
void flue_watch_forget(struct flue_watch_row *row); /* its bytes */

#endif
