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

/* One connection, as RFC 9293 names it.  Sequence numbers in host order, times in microseconds, sizes in bytes. */
struct flue_tcp_state {
    struct sockaddr_storage local, remote;
    bool timestamps, sack, window_scale; /* agreed */
    bool ts_us;                          /* the timestamp clock counts microseconds, else milliseconds */
    uint8_t snd_wind_scale;              /* of windows the peer announces */
    uint8_t rcv_wind_scale;              /* of ours */
    uint16_t remote_mss;
    bool close_wait; /* the peer's FIN was received: CLOSE_WAIT, else ESTABLISHED */

    uint32_t rcv_nxt, rcv_wnd; /* rcv_nxt is after the FIN in CLOSE_WAIT */
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

/* What the last flue_socket_*() of this thread was doing when it failed: "TCP_REPAIR on".  Static storage. */
const char *flue_socket_error(void);

/*
 * Repair mode on.  The protocol goes on (linux-host.md 4.1): frames must be kept away before.
 *
 * Returns FLUE_EIO    errno, flue_socket_error()
 *         FLUE_ESTATE the socket cannot be moved: it is neither ESTABLISHED nor CLOSE_WAIT, or closes; untouched
 */
FLUE_MUST_CHECK enum flue_err flue_socket_freeze(int fd, struct flue_tcp_state *state);

/* Repair mode off again without a packet: the socket stays the kernel's (a move that was given up before silence). */
FLUE_MUST_CHECK enum flue_err flue_socket_thaw(int fd, const struct flue_tcp_state *state);

/*
 * Read everything; the socket is in repair mode.  Buffers are freed by flue_tcp_state_clear(), on failure already.
 *
 * Returns FLUE_EAGAIN something moved while it was read: call again
 *         FLUE_ENOMEM, FLUE_EIO
 */
FLUE_MUST_CHECK enum flue_err flue_socket_snapshot(int fd, struct flue_tcp_state *state);

/* The socket lets go of the connection without a packet; the descriptor stays, in repair mode, for flue_socket_restore().
 * Its 4-tuple is free in the kernel from here on: the caller keeps a placeholder (linux-host.md 4.7, 15). */
FLUE_MUST_CHECK enum flue_err flue_socket_silence(int fd);

/*
 * Put the connection into fd: the silenced descriptor or a new socket of the family.  Of `unacked` the part below snd_nxt goes
 * in as sent; *unsent gets how many bytes at its end are left for ordinary send().  In CLOSE_WAIT the caller then delivers a
 * FIN with sequence number rcv_nxt - 1 (linux-host.md 4.4).  No packet leaves.
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
