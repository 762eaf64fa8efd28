/* A socket goes into the adapter (linux-host.md 4.2). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "move_internal.h"

#define SNAPSHOTS_MAX 8u

static enum flue_err snapshot(struct flue_mover *m, int fd, struct flue_tcp_state *s)
{
    enum flue_err err = FLUE_EAGAIN;
    for (unsigned i = 0; err == FLUE_EAGAIN && i < SNAPSHOTS_MAX; i++)
        err = flue_socket_snapshot(fd, s);
    if (err == FLUE_OK)
        return FLUE_OK;
    return move_fail(m, err, "snapshot: %s%s%s", flue_socket_error(), err == FLUE_ESTATE ? "" : ": ",
                     err == FLUE_EAGAIN   ? "it does not hold still"
                     : err == FLUE_ESTATE ? ""
                                          : strerror(errno));
}

/* The entry goes; the sentence that says why the move failed stays. */
static void release_quietly(struct flue_mover *m, struct moved *c)
{
    char why[sizeof m->error];
    memcpy(why, m->error, sizeof why);
    (void)!move_entry_release(m, c);
    memcpy(m->error, why, sizeof why);
}

/* The kernel has let go: give the connection back to it. */
static enum flue_err put_back(struct flue_mover *m, struct moved *c, int fd, const struct flue_tcp_state *s)
{
    char why[sizeof m->error];
    size_t unsent;
    memcpy(why, m->error, sizeof why);
    if (move_kernel_take(m, c, fd, s, &unsent) != FLUE_OK)
        return move_fail(m, FLUE_EIO, "%.60s; and the kernel does not take it back: %s", why, flue_socket_error());
    for (const uint8_t *p = s->unacked + s->unacked_bytes - unsent; unsent > 0;) {
        ssize_t n = send(fd, p, unsent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            return move_fail(m, FLUE_EIO, "%.60s; and %zu bytes are lost: %s", why, unsent, strerror(errno));
        p += n;
        unsent -= (size_t)n;
    }
    if (s->fin_queued && shutdown(fd, SHUT_WR) != 0)
        return move_fail(m, FLUE_EIO, "%.60s; and its end is lost: %s", why, strerror(errno));
    return FLUE_ESTATE;
}

enum flue_err flue_move_in(struct flue_mover *m, int fd, struct flue_conn **conn, struct flue_tcp_state *state, size_t *unsent,
                           struct flue_move_times *times)
{
    uint64_t began = move_now_us(m);
    uint32_t ring_bytes = 1u << m->params.ring_log2;
    struct moved *c = calloc(1, sizeof *c);
    socklen_t len = sizeof c->state.local;

    *conn = NULL;
    *unsent = 0;
    memset(state, 0, sizeof *state);
    m->adapter_us = 0;
    m->given_up = m->forwarded = 0;
    if (c == NULL)
        return move_fail(m, FLUE_ENOMEM, "no memory");
    c->next = m->moved;
    m->moved = c;
    if (getsockname(fd, (struct sockaddr *)&c->state.local, &len) != 0 ||
        (len = sizeof c->state.remote, getpeername(fd, (struct sockaddr *)&c->state.remote, &len) != 0)) {
        moved_drop(m, c);
        return move_fail(m, FLUE_ESTATE, "not connected: %s", strerror(errno));
    }
    enum flue_err err = move_route_of(m, &c->state, &c->route);
    if (err == FLUE_OK) {
        err = flue_conn_open(m->conns, m->params.ring_log2, m->params.ring_log2, &c->conn);
        if (err != FLUE_OK)
            (void)move_fail(m, err, "no room for its rings");
    }
    if (err == FLUE_OK)
        err = move_entry_hold(m, c);
    bool frozen = false;
    if (err == FLUE_OK) {
        c->keep = true; /* until the kernel let go, held frames are its own */
        err = flue_socket_freeze(fd, state);
        frozen = err == FLUE_OK;
        if (!frozen)
            (void)move_fail(m, err, "repair mode: %s%s%s", flue_socket_error(), err == FLUE_EIO ? ": " : "",
                            err == FLUE_EIO ? strerror(errno) : "");
    }
    if (err == FLUE_OK)
        err = move_transmit_drain(m);
    if (err == FLUE_OK)
        err = snapshot(m, fd, state);
    if (err == FLUE_OK && (state->ts_us || state->rcv_wnd > ring_bytes || state->snd_nxt - state->snd_una > ring_bytes))
        err = move_fail(m, FLUE_ESTATE,
                        state->ts_us ? "timestamps in microseconds are not carried"
                                     : "its windows (%u, %u bytes) are larger than a ring",
                        state->rcv_wnd, state->snd_nxt - state->snd_una);
    if (err == FLUE_OK) {
        c->silent = true;
        err = flue_socket_silence(fd, state);
        if (err != FLUE_OK)
            (void)move_fail(m, err, "%s: %s", flue_socket_error(), strerror(errno));
    }
    if (err != FLUE_OK) { /* the connection is the kernel's as before (HND-009) */
        if (frozen && flue_socket_thaw(fd, state) != FLUE_OK)
            err = FLUE_EIO;
        if (c->handle != 0)
            release_quietly(m, c);
        move_held_flush(m, true);
        flue_tcp_state_clear(state);
        moved_drop(m, c);
        return err;
    }
    size_t queued = state->unacked_bytes < ring_bytes ? state->unacked_bytes : ring_bytes;
    err = flue_conn_fill(c->conn, state->snd_una, state->unacked, queued);
    if (err == FLUE_OK)
        err = move_entry_load(m, c, state, queued);
    if (err == FLUE_OK)
        err = move_entry_start(m, c);
    c->running = err == FLUE_OK;
    if (err == FLUE_OK)
        err = move_held_forward(m); /* what came while START was answered */
    c->keep = false;
    if (err != FLUE_OK) {
        err = put_back(m, c, fd, state);
        release_quietly(m, c);
        move_held_flush(m, true);
        moved_drop(m, c);
        return err;
    }
    c->state = *state;
    c->state.unread = c->state.unacked = NULL;
    c->state.unread_bytes = c->state.unacked_bytes = 0;
    flue_conn_ctx_set(c->conn, NULL);
    *conn = c->conn;
    *unsent = state->unacked_bytes - queued;
    *times = (struct flue_move_times){.began_us = began,
                                      .total_us = move_now_us(m) - began,
                                      .adapter_us = m->adapter_us,
                                      .at = !state->fin_queued                 ? state->at
                                            : flue_tcp_fin_received(state->at) ? FLUE_TCP_LAST_ACK
                                                                               : FLUE_TCP_FIN_WAIT1,
                                      .held = m->forwarded + m->given_up};
    return FLUE_OK;
}
