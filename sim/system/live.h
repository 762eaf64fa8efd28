/*
 * A live connection: the adapter with driver, firmware and engine on one side of the wire, the reference TCP on the other, both
 * in virtual time.  The test is the program at both ends.
 */
#ifndef FLUE_LIVE_H
#define FLUE_LIVE_H

#include "flue/conn.h"
#include "tcp_frame.h"
#include "tcp_host.h"
#include "trees.h"

enum {
    LIVE_RING_LOG2 = 17,
    LIVE_MSS = 1448,
    LIVE_CONNECTIONS = 8,
    LIVE_QUEUE = 512, /* frames of one direction on the far side's line */
};

/* How a connection begins. */
struct live_start {
    bool ipv6, timestamps, sack;
    unsigned scale;
    uint32_t snd, rcv; /* first sequence numbers of adapter and peer */
    uint32_t window;   /* of both, bytes; 0 = the ring */
    uint64_t delay_us; /* one way, of the peer's line */
};

struct live_frame {
    uint64_t at_us;
    size_t len;
    uint8_t *data;
};

/* One connection and its peer. */
struct live {
    struct live_rig *rig;
    struct live_start start;
    struct flue_conn *conn;
    uint32_t neighbor, path, handle; /* of the device */
    struct flue_tcp_ends ends;       /* as the peer sees them */
    struct flue_tcp_host peer;
    struct flue_tcp_host *home;        /* the stack of the adapter's host while it has the connection, else null */
    bool heard;                        /* the peer has: */
    uint32_t heard_edge, heard_time;   /* the furthest right edge, the newest timestamp */
    uint64_t sent, received;           /* bytes of the program at the adapter */
    uint64_t peer_sent, peer_received; /* of the program at the peer */
    struct flue_wire_tcp_delegated frozen;
};

struct live_rig {
    struct trees *t;
    struct flue_conns *conns;
    struct live *live[LIVE_CONNECTIONS];
    struct live_frame to_peer[LIVE_QUEUE], to_adapter[LIVE_QUEUE];
    unsigned to_peer_first, to_peer_count, to_adapter_first, to_adapter_count;
    unsigned drop_percent; /* of the frames towards the peer and from it */
    uint64_t lost;
    unsigned number; /* connections so far */
    void *user;
    void (*received)(struct live_rig *rig, const struct rig_frame *frame); /* of the driver: plain and diverted ones */
};

struct live_rig *live_rig_open(unsigned width, bool rough, size_t ring_bytes);
void live_rig_close(struct live_rig *rig);

/* Hold, rings, load, start; the peer is the mirror of it. */
void live_open(struct live_rig *rig, struct live *live, const struct live_start *start);

/* The same in steps: neighbor, path and peer; hold, rings, load; start, false when the answer was "again" with the number
 * *last.
 */
void live_prepare(struct live_rig *rig, struct live *live, const struct live_start *start);
void live_enter(struct live *live);
bool live_begin(struct live *live, uint32_t *last);

/* The parts of live_enter(): hold with rings, load of any state; row and generation are put into the positions. */
void live_hold(struct live *live);
void live_load(struct live *live, const uint32_t state[TCP_WORDS], const struct flue_conn_begin *positions);

/* Freeze: the delegated state comes back, its rings stay readable. */
void live_freeze(struct live *live);
void live_close(struct live *live);

/* Let both sides work for so long; true while nothing is wrong. */
bool live_run(struct live_rig *rig, uint64_t us);

/* Programs: push up to `bytes`, check up to what is there.  Byte i of a stream is live_byte(i, which). */
uint8_t live_byte(uint64_t i, unsigned which);
void live_push(struct live *live, uint64_t until);
void live_pull(struct live *live);
void live_peer_push(struct live *live, uint64_t until);
void live_peer_pull(struct live *live);

/* Run until both programs have received so much, at most `limit_us`; false when that was not enough. */
bool live_exchange(struct live_rig *rig, struct live **live, unsigned count, uint64_t to_peer, uint64_t to_adapter,
                   uint64_t limit_us);

#endif
