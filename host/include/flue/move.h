/*
 * Moving an established socket of Linux into the adapter and back (docs/spec/linux-host.md section 4, docs/tcp.md; HND-001 to
 * HND-009).
 *
 *   in     entry held, marker, repair mode, transmit queue empty, snapshot, silence, load, frames forwarded, start
 *   out    freeze, restore, release, marker, frames that were held meanwhile
 *
 * The calls block while the adapter works (milliseconds of its time) and serve its queues meanwhile; they must not be called
 * from a handler.  One thread at a time, as the adapter.
 */
#ifndef FLUE_MOVE_H
#define FLUE_MOVE_H

#include "flue/conn.h"
#include "flue/linux.h"
#include "flue/socket.h"

#ifdef __cplusplus
extern "C" {
#endif

struct flue_mover;

struct flue_mover_params {
    size_t ring_bytes;  /* for all connections together, a multiple of 64 KB */
    unsigned ring_log2; /* of each of a connection's two rings, 16 to 25 */
    uint32_t limit_us;  /* adapter time that a wait may take */
    void *ctx;
    void (*event)(void *ctx, struct flue_conn *conn, unsigned what); /* as in flue_conns_params */
};

/* When a move began and how long its parts took, microseconds of adapter time. */
struct flue_move_times {
    uint64_t began_us;
    uint64_t total_us, adapter_us; /* adapter: its commands */
    enum flue_tcp_at at;           /* state it was moved in; into the adapter: as the kernel had it */
    unsigned held;                 /* frames that were diverted meanwhile: forwarded or given up (in), delivered late (out) */
};

/*
 * Start to move connections of an adapter whose port and admin queue work.  Ends with flue_mover_close(); every connection must
 * be out or closed then.
 *
 * Returns FLUE_EUNSUPP the adapter has no TCP engine
 *         FLUE_ESTATE  connections are offloaded already, or the admin queue does not run
 *         FLUE_ENOMEM, FLUE_EARG, FLUE_EDEVICE, FLUE_ETIMEOUT
 */
FLUE_MUST_CHECK enum flue_err flue_mover_open(struct flue_adapter *adapter, struct flue_port *port,
                                              const struct flue_mover_params *params, struct flue_mover **mover);
void flue_mover_close(struct flue_mover *mover);

/* Sentence that says why the last move did not happen.  Valid until the next. */
const char *flue_mover_error(const struct flue_mover *mover);

/* For the handlers of adapter and port: diverted frames and markers. */
void flue_mover_diverted(struct flue_mover *mover, const struct flue_rx_done *done, const uint8_t *frame);
void flue_mover_marker(struct flue_mover *mover, uint32_t conn_handle, uint32_t number);

/*
 * Into the adapter.  fd stays open, silent and in repair mode, for the way back.
 *
 * Connections that have begun to close are moved too; a FIN that was queued and not sent (state->fin_queued) is the caller's to
 * queue again.
 *
 * state   out: what the kernel held; unread bytes are the caller's to deliver first, and *unsent of `unacked`'s last bytes did
 * not fit the send ring: the caller sends them first.  Cleared by the caller.
 *
 * Returns FLUE_ESTATE   the socket cannot be moved, or connection offload is off: the connection is the kernel's as before
 * (HND-009) FLUE_ENOMEM   no ring, no entry: likewise FLUE_EIO      the kernel refused; when it had let go already, the
 * connection was put back, or, if that failed, is lost
 */
FLUE_MUST_CHECK enum flue_err flue_move_in(struct flue_mover *mover, int fd, struct flue_conn **conn,
                                           struct flue_tcp_state *state, size_t *unsent, struct flue_move_times *times);

/*
 * Out of the adapter, into fd; conn is closed.  state as in flue_move_in(): unread bytes are the caller's, *unsent bytes at the
 * end of `unacked` are to be sent first.
 *
 * In TIME_WAIT too: the kernel's own answers for the rest of it (TCP-204).
 *
 * Returns FLUE_ESTATE   it has ended: flue_move_end() is left
 *         FLUE_EIO      the kernel refused, or it ended meanwhile; the connection is lost
 */
FLUE_MUST_CHECK enum flue_err flue_move_out(struct flue_mover *mover, struct flue_conn *conn, int fd,
                                            struct flue_tcp_state *state, size_t *unsent, struct flue_move_times *times);

/* What the engine says of a connection in the adapter, coherent. */
struct flue_move_view {
    uint32_t rcv_wnd, snd_wnd;   /* bytes announced, and that the peer announces */
    uint32_t unread, unacked;    /* bytes, as the engine knows them */
    uint32_t cwnd, ssthresh;     /* bytes */
    uint32_t srtt_us, rttvar_us; /* in steps of 125 and 250 us */
    unsigned timeouts;           /* in a row */
};
FLUE_MUST_CHECK enum flue_err flue_move_look(struct flue_mover *mover, struct flue_conn *conn, struct flue_move_view *view);

/* Whether a frame the kernel sends belongs to a connection that is in the adapter: it must not leave (HND-004). */
bool flue_mover_withholds(const struct flue_mover *mover, const uint8_t *frame, size_t len_bytes);

/* End it with a reset (TCP-206, TCP-207), then as flue_move_end(). */
FLUE_MUST_CHECK enum flue_err flue_move_abort(struct flue_mover *mover, struct flue_conn *conn);

/* The connection ended in the adapter: its entry and rings are freed. */
FLUE_MUST_CHECK enum flue_err flue_move_end(struct flue_mover *mover, struct flue_conn *conn);

#ifdef __cplusplus
}
#endif
#endif
