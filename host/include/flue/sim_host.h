/*
 * A host for the simulated adapter: driver, firmware, receive buffers, and connections that are loaded in any legal state and
 * used through the host interface.  With flue/sim.h a program owns everything: time, the wire, the state.
 *
 *   flue_sim_open(&cfg, &sim);                             flue/sim.h
 *   flue_sim_host_open(sim, NULL, &host);
 *   flue_sim_conn_state_init(&state);                      ESTABLISHED, nothing in flight; then change what shall differ
 *   flue_sim_conn_hold(host, &ends, 17, 17, &conn);        from here on its frames come to `received`, diverted
 *   flue_sim_conn_load(conn, &state);                      the record is in the engine; nothing was sent
 *   flue_sim_conn_start(conn);                             the engine has it, and sends one ACK (HND-001)
 *   flue_conn_send(flue_sim_conn_ring(conn), ...);         flue/conn.h: send, receive, shut down, look; then flue_conn_kick()
 *   flue_sim_wire_send(sim, frame, len);                   flue/sim.h: what the peer does
 *   flue_sim_host_run(host, 1000, &why);                   1 ms passes
 *   flue_sim_wire_recv(sim, frame, sizeof frame, &len, &at_us);
 *   flue_sim_conn_freeze(conn, &state);                    it comes back; the bytes of its rings with flue_conn_peek_*()
 *   flue_sim_conn_close(conn);  flue_sim_host_close(host);  flue_sim_close(sim);
 *
 * sim/example/script.c is a whole program.  Units are in the names; sequence numbers, counts and ports are numbers of this
 * machine; addresses are bytes in network order.  Legal states: docs/spec/tcp-requirements.md section 14, HND-005, HND-006;
 * the fields are those of TCP_OFFLOAD_STATE_CONST, _CACHED and _DELEGATED (docs/control-layouts.md), named as in RFC 9293.
 *
 * One thread at a time for simulator and host together.  Commands let adapter time pass (some 50 to 100 us each), never more
 * than the limit of flue/admin.h.  Every error leaves a sentence in flue_sim_host_error().
 */
#ifndef FLUE_SIM_HOST_H
#define FLUE_SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flue/conn.h"
#include "flue/core.h"
#include "flue/sim.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque; from flue_sim_host_open() to flue_sim_host_close(). */
struct flue_sim_host;

/* Opaque; from flue_sim_conn_hold() to flue_sim_conn_close(). */
struct flue_sim_conn;

/* All zero, or a null pointer, means the values in brackets. */
struct flue_sim_host_params {
    size_t ring_bytes;            /* for the rings of all connections, a multiple of 64 KB [4 MB] */
    struct flue_adapter *adapter; /* an adapter of this simulator that is open, its admin queue started: handlers, receive
                                     queue and close stay the caller's [null: opened here] */
    void *ctx;
    /* A frame that is not a running connection's: for the host's stack, or diverted (done->diverted).  Borrowed for the call,
     * which comes from inside flue_poll(); not with an adapter of the caller's.  [given up] */
    void (*received)(void *ctx, const uint8_t *frame, const struct flue_rx_done *done);
    /* As in struct flue_conns_params; `conn` is that of flue_sim_conn_ring().  [not told] */
    void (*event)(void *ctx, struct flue_conn *conn, unsigned what);
};

/*
 * Driver, firmware and ring memory for a simulator; connection offload on for both IP versions, ticks of 1 ms.  What failed:
 * flue_sim_open_error().
 *
 * Returns FLUE_EARG     a parameter out of range
 *         FLUE_EUNSUPP  the adapter has no processor or holds no connections
 *         FLUE_ESTATE   params->adapter's admin queue does not run, or its connections were started already
 *         FLUE_ENOMEM, FLUE_EDEVICE, FLUE_ETIMEOUT, FLUE_EMONITOR  as flue_adapter_open() and flue_admin_start()
 */
FLUE_MUST_CHECK enum flue_err flue_sim_host_open(struct flue_sim *sim, const struct flue_sim_host_params *params,
                                                 struct flue_sim_host **host);

/*
 * Close every connection and, when it was opened here, the adapter.  Before flue_sim_close(); null is allowed.  In an adapter
 * of the caller's, neighbors and paths stay until its admin queue stops.
 */
void flue_sim_host_close(struct flue_sim_host *host);

/* What the last call that failed found, one sentence; "" before.  Valid until the next call. */
const char *flue_sim_host_error(const struct flue_sim_host *host);

/* The driver, for packets, statistics and settings (flue/core.h). */
struct flue_adapter *flue_sim_host_adapter(struct flue_sim_host *host);

/*
 * Let duration_us of adapter time pass and serve the driver's queues meanwhile; with `until` as flue_sim_advance(), but an
 * interrupt is served and does not end it.
 *
 * Returns FLUE_OK       *why: FLUE_SIM_LIMIT or FLUE_SIM_FRAME
 *         FLUE_EDEVICE, FLUE_EMONITOR, and what flue_sim_advance() returns
 */
FLUE_MUST_CHECK enum flue_err flue_sim_host_run(struct flue_sim_host *host, uint64_t duration_us, unsigned until,
                                                enum flue_sim_why *why);

/* Send one frame of the host's own stack, as it is (no offload); copied.  FLUE_EAGAIN: too many are under way; run first. */
FLUE_MUST_CHECK enum flue_err flue_sim_host_send(struct flue_sim_host *host, const uint8_t *frame, size_t len_bytes);

/* ---- connections ------------------------------------------------------------------------------------------------- */

/* Who speaks with whom. */
struct flue_sim_ends {
    bool ipv6;
    uint8_t mac_adapter[6], mac_peer[6];
    uint8_t ip_adapter[16], ip_peer[16]; /* IPv4: the first four bytes */
    uint16_t port_adapter, port_peer;
    uint16_t path_mtu; /* bytes of an IP packet; 0 = 1500 */
};

#define FLUE_SIM_NOT_RUNNING UINT32_MAX /* a timer, or an age, that is not */

/* What a connection is: everything the record is made of (HND-005), and what it is made into. */
struct flue_sim_conn_state {
    /* Agreed with the SYNs; unchanged for life. */
    bool timestamps, sack, window_scaling;
    uint8_t snd_scale, rcv_scale; /* shifts of the peer's window and of ours, 0 to 14 */
    uint16_t mss;                 /* that the peer takes, 88 to 65,535 */

    uint8_t state; /* TCP_OFFLOAD_CONNECTION_STATE (flue/ndis/types.h), TcpConnectionEstablished to TcpConnectionLastAck */

    /* Receiving.  From CLOSE_WAIT, CLOSING and LAST_ACK on rcv_nxt counts the peer's FIN. */
    uint32_t rcv_nxt;
    uint32_t rcv_wnd; /* bytes announced beyond rcv_nxt */
    uint32_t rcv_buf; /* bytes that may ever be announced, at least rcv_wnd, at most the receive ring */

    /* Sending.  In FIN_WAIT1, FIN_WAIT2, CLOSING and LAST_ACK snd_max counts our FIN. */
    uint32_t snd_una, snd_nxt, snd_max;     /* snd_nxt below snd_max: retransmission after a timeout goes on there */
    uint32_t snd_wnd, max_snd_wnd, snd_wl1; /* bytes beyond snd_una; the largest so far; segment that told it */
    uint32_t cwnd, ssthresh;                /* bytes; a cwnd below one segment is taken as the initial one */
    uint32_t srtt_us, rttvar_us;            /* 0 = no sample yet; kept in steps of 125 and 250 us */
    uint32_t retransmit_ms;                 /* until the timer expires, or FLUE_SIM_NOT_RUNNING */
    uint8_t dup_acks, timeouts, probes;     /* in a row */
    uint32_t ts_recent, ts_recent_age_ms;   /* FLUE_SIM_NOT_RUNNING: none yet */
    uint32_t ts_clock;                      /* own timestamp clock now, ms */
    uint8_t ttl, tos;                       /* hop limit and traffic class of what it sends */

    /* Load: copied into the send ring, from snd_una on: what was sent and not acknowledged, then what is queued.
     * Freeze and query: null, and how many there are. */
    const void *unacked;
    uint32_t unacked_bytes;
    uint32_t unread_bytes; /* freeze and query: received, in the ring, not read by the host; load: must be 0 */
};

/* ESTABLISHED with timestamps, SACK and a scale of 2, MSS 1460, all sequence numbers 0, 64 KB windows both ways, 10 segments of
 * congestion window, no sample, nothing in flight. */
void flue_sim_conn_state_init(struct flue_sim_conn_state *state);

/*
 * Make the entry of a connection and its rings, 1 << log2 bytes each: frames of it are diverted from now on (HND-001).
 *
 * Returns FLUE_EARG    a ring size outside FLUE_RING_LOG2_MIN to _MAX
 *         FLUE_ENOMEM  no ring memory left
 *         FLUE_ESTATE  the adapter refused: a table is full, or there is a connection with these ends
 *         FLUE_EDEVICE, FLUE_ETIMEOUT, FLUE_EMONITOR
 */
FLUE_MUST_CHECK enum flue_err flue_sim_conn_hold(struct flue_sim_host *host, const struct flue_sim_ends *ends,
                                                 unsigned send_log2, unsigned recv_log2, struct flue_sim_conn **conn);

/*
 * Load a held connection.  Nothing leaves by it; its timers run.  state is copied, state->unacked too.
 *
 * Returns FLUE_EARG    more bytes than the send ring, or fewer than are in flight
 *         FLUE_ESTATE  it is loaded already; or the firmware found the state not legal, flue_sim_host_error() has its words
 *         FLUE_EDEVICE, FLUE_ETIMEOUT, FLUE_EMONITOR
 */
FLUE_MUST_CHECK enum flue_err flue_sim_conn_load(struct flue_sim_conn *conn, const struct flue_sim_conn_state *state);

/*
 * Frames that come from now on are the engine's; those diverted so far are given up, which the network repairs.
 * FLUE_EAGAIN: diverted frames kept coming; run and call again.  FLUE_ESTATE: not loaded.
 */
FLUE_MUST_CHECK enum flue_err flue_sim_conn_start(struct flue_sim_conn *conn);

/* Its rings, for flue_conn_send(), _recv(), _shutdown(), _kick(), _look() and _peek_*().  Lives as long as conn. */
struct flue_conn *flue_sim_conn_ring(struct flue_sim_conn *conn);

/* Handle of the adapter, as in struct flue_rx_done. */
uint32_t flue_sim_conn_handle(const struct flue_sim_conn *conn);

/* What the engine holds now, coherent; it goes on.  FLUE_ESTATE: not loaded. */
FLUE_MUST_CHECK enum flue_err flue_sim_conn_query(struct flue_sim_conn *conn, struct flue_sim_conn_state *state);

/*
 * Stop it: an ACK that was owed leaves, then nothing (HND-001, HND-002).  Its entry stays: frames of it are diverted until
 * flue_sim_conn_release().  The rings stay readable until flue_sim_conn_close().  *state is what a later load may be given,
 * with the bytes of the rings. FLUE_ESTATE: not loaded, or it could not be stopped.
 */
FLUE_MUST_CHECK enum flue_err flue_sim_conn_freeze(struct flue_sim_conn *conn, struct flue_sim_conn_state *state);

/* Give the entry of a held or frozen connection back; frames of it are the host's from now on.  FLUE_ESTATE: neither of these.
 */
FLUE_MUST_CHECK enum flue_err flue_sim_conn_release(struct flue_sim_conn *conn);

/* Reset it: an RST leaves, the connection is closed (status `aborted`).  FLUE_ESTATE: not running. */
FLUE_MUST_CHECK enum flue_err flue_sim_conn_abort(struct flue_sim_conn *conn);

/* Forget it, in whatever phase; its rings are free.  Null is allowed. */
void flue_sim_conn_close(struct flue_sim_conn *conn);

#ifdef __cplusplus
}
#endif
#endif
