/*
 * The kernel's side of a move: what an established TCP socket of Linux holds, read and put back through TCP_REPAIR
 * (docs/spec/linux-host.md sections 3 and 4; HND-001, HND-002).
 *
 * Into the adapter: freeze, snapshot, (drop what the kernel still emits), silence.  Back: restore, then write the unsent bytes
 * and the frames that were held.  Nothing here knows of an adapter; the caller keeps frames of the connection away from the
 * kernel from before freeze until after restore, or what is read is stale.
 *
 * CAP_NET_ADMIN over the socket's network namespace is needed.
 */
#ifndef FLUE_SOCKET_H
#define FLUE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "flue/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* States of RFC 9293 that a connection can be moved in, numbered as TCP_OFFLOAD_CONNECTION_STATE. */
enum flue_tcp_at {
    FLUE_TCP_ESTABLISHED = 4,
    FLUE_TCP_FIN_WAIT1,
    FLUE_TCP_FIN_WAIT2,
    FLUE_TCP_CLOSE_WAIT,
    FLUE_TCP_CLOSING,
    FLUE_TCP_LAST_ACK,
    FLUE_TCP_TIME_WAIT, /* only out of the adapter */
};

/* The peer's FIN was received in order: it is counted in rcv_nxt. */
static inline bool flue_tcp_fin_received(enum flue_tcp_at at)
{
    return at >= FLUE_TCP_CLOSE_WAIT;
}

/* Our FIN was sent and is not acknowledged: it has sequence number snd_nxt - 1. */
static inline bool flue_tcp_fin_owed(enum flue_tcp_at at)
{
    return at == FLUE_TCP_FIN_WAIT1 || at == FLUE_TCP_CLOSING || at == FLUE_TCP_LAST_ACK;
}

/* Our FIN was sent and acknowledged: it is counted in snd_una. */
static inline bool flue_tcp_fin_acked(enum flue_tcp_at at)
{
    return at == FLUE_TCP_FIN_WAIT2 || at == FLUE_TCP_TIME_WAIT;
}

/* Our FIN was sent. */
static inline bool flue_tcp_fin_sent(enum flue_tcp_at at)
{
    return flue_tcp_fin_owed(at) || flue_tcp_fin_acked(at);
}

/* One connection, as RFC 9293 names it.  Sequence numbers in host order, times in microseconds, sizes in bytes. */
struct flue_tcp_state {
    struct sockaddr_storage local, remote;
    bool timestamps, sack, window_scale; /* agreed */
    bool ts_us;                          /* the timestamp clock counts microseconds, else milliseconds */
    uint8_t snd_wind_scale;              /* of windows the peer announces */
    uint8_t rcv_wind_scale;              /* of ours */
    uint16_t remote_mss;
    enum flue_tcp_at at;
    bool fin_queued; /* the program ended its stream, and the FIN was not sent: it is the caller's to end again */

    uint32_t rcv_nxt, rcv_wnd;
    uint32_t snd_una, snd_nxt;
    uint32_t snd_wnd, max_snd_wnd, snd_wl1;
    uint32_t ts_value;                   /* own timestamp clock at the snapshot, in its unit */
    uint32_t cwnd_bytes, ssthresh_bytes; /* read only: the kernel takes neither back */
    uint32_t srtt_us, rttvar_us;         /* read only */

    uint8_t *unread; /* received, not read: [rcv_nxt - unread_bytes, rcv_nxt), without the FIN */
    size_t unread_bytes;
    uint8_t *unacked; /* [snd_una, snd_una + unacked_bytes): sent up to snd_nxt, the rest not sent yet */
    size_t unacked_bytes;
    int reuse_addr;   /* SO_REUSEADDR, which repair mode changes */
    int window_clamp; /* for the way back: bytes the kernel may announce at most; 0 = its own choice */
};

/* Name of a state of TCP_INFO. */
const char *flue_socket_state_name(unsigned kernel_state);

/* What the last flue_socket_*() of this thread was doing when it failed: "TCP_REPAIR on".  Static storage. */
const char *flue_socket_error(void);

/*
 * Repair mode on.  The protocol goes on (linux-host.md 4.1): frames must be kept away before.
 *
 * Returns FLUE_EIO    errno, flue_socket_error()
 *         FLUE_ESTATE its state is none of enum flue_tcp_at, which flue_socket_error() names; untouched
 */
FLUE_MUST_CHECK enum flue_err flue_socket_freeze(int fd, struct flue_tcp_state *state);

/* Repair mode off again without a packet: the socket stays the kernel's (a move that was given up before silence). */
FLUE_MUST_CHECK enum flue_err flue_socket_thaw(int fd, const struct flue_tcp_state *state);

/*
 * Read everything; the socket is in repair mode.  Buffers are freed by flue_tcp_state_clear(), on failure already.
 *
 * Returns FLUE_EAGAIN something moved while it was read: call again
 *         FLUE_ESTATE it ended
 *         FLUE_ENOMEM, FLUE_EIO
 */
FLUE_MUST_CHECK enum flue_err flue_socket_snapshot(int fd, struct flue_tcp_state *state);

/*
 * The socket lets go of the connection without a packet.  The descriptor stays, in repair mode, for flue_socket_restore(), and
 * bound to the local address, with the application's SO_REUSEADDR: nobody else gets the port meanwhile (linux-host.md 4.7, 15).
 */
FLUE_MUST_CHECK enum flue_err flue_socket_silence(int fd, const struct flue_tcp_state *state);

/*
 * Put the connection into fd: the silenced descriptor or a new socket of the family.  Of `unacked` the part below snd_nxt goes
 * in as sent; *unsent gets how many bytes at its end are left for ordinary send().  No packet leaves.
 *
 * The kernel takes back ESTABLISHED and, with our FIN sent, FIN_WAIT1.  The rest is up to what the peer had said, which the
 * caller delivers as a frame of the peer (linux-host.md 4.4): sequence number rcv_nxt, one less and with FIN when
 * flue_tcp_fin_received(), acknowledging snd_una.  Needed in all other states; the kernel then is in the same state, but in
 * CLOSING for LAST_ACK, which differs only by the kernel's TIME_WAIT at the end.
 *
 * Returns FLUE_EIO   errno, flue_socket_error(); fd holds nothing and is to be closed
 *         FLUE_EARG  the state contradicts itself (HND-006); untouched
 */
FLUE_MUST_CHECK enum flue_err flue_socket_restore(int fd, const struct flue_tcp_state *state, size_t *unsent);

/* Free the buffers. */
void flue_tcp_state_clear(struct flue_tcp_state *state);

#ifdef __cplusplus
}
#endif
#endif
