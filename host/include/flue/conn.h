/*
 * Connections in the adapter: their rings and the plain way to use them (docs/tcp.md section 7).
 *
 * A connection has two rings in memory that the adapter reaches; byte at sequence number s lives at s modulo the ring's size.
 * Life:
 *
 *   flue_conns_start()                        once an adapter: ring memory, status lines
 *   flue_conn_open()                          rings are reserved; their place goes down with the RINGS command
 *   flue_conn_fill()                          bytes the kernel had sent or queued
 *   flue_conn_attach()                        the record is loaded: row, generation, positions
 *   flue_conn_send() _recv() _shutdown()      as a stream socket; flue_conn_kick() tells the adapter
 *   flue_conn_detach()                        the record is frozen: nothing changes any more
 *   flue_conn_peek_sent() _peek_received()    what goes back to the kernel
 *   flue_conn_close()                         the rings are free
 *
 * The adapter is not trusted: a position that cannot be true makes every later call of the adapter return FLUE_EDEVICE.  One
 * thread at a time, as the adapter; none of the calls blocks.
 */
#ifndef FLUE_CONN_H
#define FLUE_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flue/core.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLUE_RING_LOG2_MIN 16u /* 64 KB */
#define FLUE_RING_LOG2_MAX 25u /* 32 MB */

struct flue_conns;
struct flue_conn;

/* What happened, bits. */
#define FLUE_CONN_WRITABLE 0x1u /* armed: room in the send ring */
#define FLUE_CONN_READABLE 0x2u /* armed: bytes or the peer's end to read */
#define FLUE_CONN_CHANGED  0x4u /* state, end, doubt or a refused doorbell: look at flue_conn_look() */

struct flue_conns_params {
    size_t ring_bytes; /* memory for all rings together, a multiple of 64 KB, to 4 GB - 4 KB */
    void *ctx;
    void (*event)(void *ctx, struct flue_conn *conn, unsigned what); /* from inside flue_poll(); may be null */
};

/*
 * Ring memory and status lines of an adapter.  Ends with flue_conns_stop(), before flue_adapter_close().
 *
 * Returns FLUE_ENOMEM  no memory, or no region row left (two are needed)
 *         FLUE_EUNSUPP the adapter holds no connections
 *         FLUE_ESTATE  they were started already
 */
FLUE_MUST_CHECK enum flue_err flue_conns_start(struct flue_adapter *adapter, const struct flue_conns_params *params,
                                               struct flue_conns **conns);

/* Every connection must be closed.  Null is allowed. */
void flue_conns_stop(struct flue_conns *conns);

/*
 * Reserve the rings of a connection, each 1 << log2 bytes.  Ends with flue_conn_close().
 *
 * Returns FLUE_EARG    a size outside FLUE_RING_LOG2_MIN to _MAX
 *         FLUE_ENOMEM  no room for them now
 */
FLUE_MUST_CHECK enum flue_err flue_conn_open(struct flue_conns *conns, unsigned send_log2, unsigned recv_log2,
                                             struct flue_conn **conn);
void flue_conn_close(struct flue_conn *conn);

/* Where a ring is, as the RINGS command names it. */
struct flue_ring_place {
    uint8_t region;
    uint8_t log2;
    uint32_t offset;
};
void flue_conn_places(const struct flue_conn *conn, struct flue_ring_place *send, struct flue_ring_place *recv);

/* Put bytes into the send ring before the load, [seq, seq + len); len is at most the ring.  FLUE_EARG, FLUE_ESTATE. */
FLUE_MUST_CHECK enum flue_err flue_conn_fill(struct flue_conn *conn, uint32_t seq, const void *data, size_t len);

/* The record as it was loaded. */
struct flue_conn_begin {
    uint16_t row;        /* of the handle */
    uint16_t generation; /* of the handle */
    uint8_t state;       /* as in struct flue_conn_view, until the adapter tells */
    uint32_t snd_una;
    uint32_t send_limit; /* end of what was filled */
    uint32_t rcv_nxt;    /* everything below was read elsewhere */
    bool fin_marked;     /* our FIN follows send_limit; when it is acknowledged, snd_una is one above send_limit */
    bool fin_received;   /* the peer's FIN came; it is not counted in rcv_nxt */
};

/* From now on the connection works.  FLUE_EARG: row out of range or in use, or more bytes than the ring; FLUE_ESTATE. */
FLUE_MUST_CHECK enum flue_err flue_conn_attach(struct flue_conn *conn, const struct flue_conn_begin *begin);

/*
 * Queue bytes; copied before return.  *sent is 0 to len.
 *
 * Returns FLUE_EAGAIN  no room: arm, kick and wait for FLUE_CONN_WRITABLE
 *         FLUE_ESTATE  not attached, shut down, or ended
 */
FLUE_MUST_CHECK enum flue_err flue_conn_send(struct flue_conn *conn, const void *data, size_t len, size_t *sent);

/*
 * Take received bytes; their room is announced to the peer with the next kick.  *got 0 with FLUE_OK: the peer's stream is over.
 *
 * Returns FLUE_EAGAIN  nothing there: arm, kick and wait for FLUE_CONN_READABLE
 *         FLUE_ESTATE  not attached; or reset, timed out or aborted, and everything was read
 */
FLUE_MUST_CHECK enum flue_err flue_conn_recv(struct flue_conn *conn, void *data, size_t cap, size_t *got);

/* Our stream ends behind what was queued. */
FLUE_MUST_CHECK enum flue_err flue_conn_shutdown(struct flue_conn *conn);

/* Tell the adapter of sends, reads and the end, and ask for events; nothing to tell costs nothing. */
FLUE_MUST_CHECK enum flue_err flue_conn_kick(struct flue_conn *conn, bool arm_send, bool arm_receive);

/* How it stands, from the status line. */
struct flue_conn_view {
    uint8_t state;       /* TCP_OFFLOAD_CONNECTION_STATE, chimney.md 1.8 */
    uint8_t ended;       /* tcp_end_e of docs/tcp.md: 0 none, 1 FIN, 2 reset, 3 closed, 4 timeout, 5 aborted */
    bool doubt;          /* three timeouts in a row (TCP-130) */
    bool fin_marked;     /* flue_conn_shutdown() was called, or it came so */
    bool refused;        /* a doorbell contradicted the record: a fault of this library */
    uint32_t snd_una;    /* acknowledged below */
    uint32_t send_limit; /* queued below */
    uint32_t rcv_nxt;    /* without the peer's FIN */
    uint32_t consumed;
    size_t send_room, readable; /* bytes */
};
FLUE_MUST_CHECK enum flue_err flue_conn_look(struct flue_conn *conn, struct flue_conn_view *view);

/* The record is frozen at these positions (the terminate's answer; rcv_nxt without the peer's FIN); the rings stay readable. */
FLUE_MUST_CHECK enum flue_err flue_conn_detach(struct flue_conn *conn, uint32_t snd_una, uint32_t rcv_nxt);

/* Copy of ring bytes [seq, seq + len): of the queued ones not acknowledged, of the received ones not read.  FLUE_EARG outside.
 */
FLUE_MUST_CHECK enum flue_err flue_conn_peek_sent(const struct flue_conn *conn, uint32_t seq, void *data, size_t len);
FLUE_MUST_CHECK enum flue_err flue_conn_peek_received(const struct flue_conn *conn, uint32_t seq, void *data, size_t len);

/* What the caller keeps with a connection. */
void flue_conn_ctx_set(struct flue_conn *conn, void *ctx);
void *flue_conn_ctx(const struct flue_conn *conn);

#ifdef __cplusplus
}
#endif
#endif
