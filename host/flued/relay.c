/* Adopted connections: their life, and their moves. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "relay_internal.h"

#define RINGS_BYTES   (64u << 20)
#define RING_LOG2     21u
#define WINDOW_BYTES  (1 << (RING_LOG2 - 1)) /* the kernel announces no more: a window must fit a ring */
#define WAIT_LIMIT_US 15000000u
#define RETRY_US      1000000u /* after a move by itself that did not happen */

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void window_clamp(int fd)
{
    int bytes = WINDOW_BYTES;
    if (setsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &bytes, sizeof bytes) != 0)
        log_line(LOG_WARN, "TCP_WINDOW_CLAMP: %s", strerror(errno));
}

static bool watch_fd(struct relays *s, int fd)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = NULL};
    return epoll_ctl(s->d->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0;
}

static void relay_free(struct relays *s, struct relay *r)
{
    const struct linger reset = {.l_onoff = 1}; /* close() resets */
    struct relay **p = &s->first;
    while (*p != r)
        p = &(*p)->next;
    *p = r->next;
    relay_look(s, r, false, &s->ended[s->ended_count++ % ENDED_KEPT]);
    if (r->conn != NULL && (r->broken ? flue_move_abort : flue_move_end)(s->mover, r->conn) != FLUE_OK)
        log_line(LOG_WARN, "connection %u: %s", r->view.id, flue_mover_error(s->mover));
    if (r->conn == NULL && r->broken && setsockopt(r->tcp_fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) != 0)
        log_line(LOG_WARN, "SO_LINGER: %s", strerror(errno));
    close(r->local_fd);
    close(r->tcp_fd);
    free(r->out.data);
    free(r->in.data);
    free(r);
}

struct relays *relays_open(struct daemon *d)
{
    struct relays *s = calloc(1, sizeof *s);
    if (s == NULL)
        log_line(LOG_ERROR, "connections: no memory");
    else
        s->d = d;
    return s;
}

void relays_close(struct relays *s)
{
    if (s == NULL)
        return;
    struct flue_move_times times;
    for (struct relay *r = s->first; r != NULL; r = r->next)
        if (r->conn != NULL) {
            const char *wrong = relay_move(s, r->view.id, RELAY_KERNEL, &times);
            if (wrong != NULL)
                log_line(LOG_WARN, "connection %u at the end: %s", r->view.id, wrong);
        }
    while (s->first != NULL)
        relay_free(s, s->first);
    flue_mover_close(s->mover);
    free(s);
}

const char *relay_adopt(struct relays *s, int fd, int *local, unsigned *id)
{
    int pair[2], type = 0, flags;
    socklen_t len = sizeof type;
    struct relay *r = calloc(1, sizeof *r);

    if (r == NULL)
        return "no memory";
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM ||
        (len = sizeof r->view.local, getsockname(fd, (struct sockaddr *)&r->view.local, &len) != 0) ||
        (len = sizeof r->view.remote, getpeername(fd, (struct sockaddr *)&r->view.remote, &len) != 0) ||
        (r->view.local.ss_family != AF_INET && r->view.local.ss_family != AF_INET6)) {
        free(r);
        return "the descriptor is no connected TCP socket";
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        free(r);
        return "no local socket";
    }
    window_clamp(fd);
    r->local_fd = pair[0];
    r->tcp_fd = fd;
    flags = fcntl(pair[0], F_GETFL);
    (void)fcntl(pair[0], F_SETFL, flags | O_NONBLOCK);
    r->view.id = ++s->last_id;
    r->next = s->first;
    s->first = r;
    if (!watch_fd(s, pair[0]) || !watch_fd(s, fd))
        log_line(LOG_WARN, "connection %u: epoll: %s", r->view.id, strerror(errno));
    *local = pair[1];
    *id = r->view.id;
    return NULL;
}

/* ---- moves ------------------------------------------------------------------------------------------------------------ */

static void on_conn(void *ctx, struct flue_conn *conn, unsigned what)
{
    (void)ctx;
    (void)conn;
    (void)what; /* every connection is looked at in every turn; the event only ends the loop's sleep */
}

static const char *mover_need(struct relays *s)
{
    struct flue_mover_params params = {
        .ring_bytes = RINGS_BYTES, .ring_log2 = RING_LOG2, .limit_us = WAIT_LIMIT_US, .ctx = s, .event = on_conn};
    if (s->mover != NULL)
        return NULL;
    switch (flue_mover_open(s->d->adapter, s->d->port, &params, &s->mover)) {
    case FLUE_OK:
        return NULL;
    case FLUE_EUNSUPP:
        return "this adapter has no connections";
    case FLUE_ENOMEM:
        return "no memory for the rings";
    default:
        return "the management processor does not take connections now";
    }
}

/* Ends of the bytes that were acknowledged and received, without the FINs. */
static uint32_t bytes_acked(const struct flue_tcp_state *s)
{
    return s->snd_una - (flue_tcp_fin_acked(s->at) ? 1u : 0u);
}

static uint32_t bytes_received(const struct flue_tcp_state *s)
{
    return s->rcv_nxt - (flue_tcp_fin_received(s->at) ? 1u : 0u);
}

static const char *into_adapter(struct relays *s, struct relay *r)
{
    struct flue_tcp_state state;
    struct flue_move_times times;
    size_t unsent;
    const char *wrong = mover_need(s);
    if (wrong != NULL)
        return wrong;
    enum flue_err err = flue_move_in(s->mover, r->tcp_fd, &r->conn, &state, &unsent, &times);
    if (err != FLUE_OK) {
        if (err == FLUE_EIO)
            relay_break(r);
        return flue_mover_error(s->mover);
    }
    if (!relay_insert(&r->in, state.unread, state.unread_bytes, false) ||
        !relay_insert(&r->out, state.unacked + state.unacked_bytes - unsent, unsent, true))
        relay_break(r);
    r->out_told = flue_tcp_fin_sent(state.at);
    r->una_in = bytes_acked(&state);
    r->nxt_in = bytes_received(&state);
    r->view.moves_in++;
    r->view.in = times;
    r->view.held += times.held;
    flue_tcp_state_clear(&state);
    log_line(LOG_DEBUG, "connection %u: into the adapter, %" PRIu64 " us", r->view.id, times.total_us);
    return NULL;
}

static const char *into_kernel(struct relays *s, struct relay *r)
{
    struct flue_tcp_state state;
    struct flue_move_times times;
    size_t unsent;
    enum flue_err err = flue_move_out(s->mover, r->conn, r->tcp_fd, &state, &unsent, &times);
    if (err != FLUE_OK) {
        if (err != FLUE_ESTATE) {
            r->conn = NULL;
            relay_break(r);
        }
        return flue_mover_error(s->mover);
    }
    relay_carried(r, bytes_acked(&state), bytes_received(&state), &r->view);
    r->conn = NULL;
    if (!relay_insert(&r->in, state.unread, state.unread_bytes, false) ||
        !relay_insert(&r->out, state.unacked + state.unacked_bytes - unsent, unsent, true))
        relay_break(r);
    r->out_told = flue_tcp_fin_sent(state.at);
    r->kernel_from = r->view.sent + r->view.received;
    r->view.held += times.held;
    r->view.out = times;
    flue_tcp_state_clear(&state);
    log_line(LOG_DEBUG, "connection %u: back to the kernel, %" PRIu64 " us", r->view.id, times.total_us);
    return NULL;
}

const char *relay_move(struct relays *s, unsigned id, enum relay_place to, struct flue_move_times *times)
{
    struct relay *r = s->first;
    *times = (struct flue_move_times){0};
    while (r != NULL && r->view.id != id)
        r = r->next;
    if (r == NULL)
        return "there is no such connection";
    if (r->broken)
        return "it has ended";
    if ((r->conn != NULL) == (to == RELAY_ADAPTER))
        return NULL;
    const char *wrong = to == RELAY_ADAPTER ? into_adapter(s, r) : into_kernel(s, r);
    if (wrong != NULL)
        return wrong;
    if (to == RELAY_KERNEL)
        r->view.moves_out++;
    *times = to == RELAY_ADAPTER ? r->view.in : r->view.out;
    return NULL;
}

void relays_diverted(struct relays *s, const struct flue_rx_done *done, const uint8_t *frame)
{
    if (s != NULL && s->mover != NULL)
        flue_mover_diverted(s->mover, done, frame);
}

void relays_marker(struct relays *s, uint32_t conn_handle, uint32_t number)
{
    if (s != NULL && s->mover != NULL)
        flue_mover_marker(s->mover, conn_handle, number);
}

bool relays_withhold(const struct relays *s, const uint8_t *frame, size_t len_bytes)
{
    return s != NULL && s->mover != NULL && flue_mover_withholds(s->mover, frame, len_bytes);
}

/* Both streams are over, or it broke: nothing is left to do. */
static bool over(struct relays *s, struct relay *r)
{
    struct flue_conn_view view;
    if (r->conn != NULL && !r->broken && !r->quiet && flue_conn_look(r->conn, &view) == FLUE_OK &&
        view.state == FLUE_TCP_TIME_WAIT) {
        r->quiet = true;
        const char *wrong = into_kernel(s, r); /* who keeps the quiet time (TCP-204) */
        if (wrong != NULL)
            log_line(LOG_WARN, "connection %u, TIME_WAIT: %s", r->view.id, wrong);
    }
    if (r->broken)
        return true;
    if (!r->out_told || !r->in_told)
        return false;
    return r->conn == NULL || flue_conn_look(r->conn, &view) != FLUE_OK || view.ended > 1;
}

/*
 * Moves by itself (--offload-after, --upload-idle): in, when the kernel has carried so many bytes of it; out, when nothing was
 * carried for so long.
 */
static void by_itself(struct relays *s, struct relay *r, uint64_t now_us)
{
    const struct options *o = s->d->options;
    struct flue_move_times times;
    uint64_t total = r->view.sent + r->view.received;
    struct flue_conn_view view;
    bool owed = r->conn != NULL && flue_conn_look(r->conn, &view) == FLUE_OK && (int32_t)(view.send_limit - view.snd_una) > 0;
    if (total != r->total || owed || r->active_us == 0)
        r->active_us = now_us;
    r->total = total;
    if (r->broken || now_us < r->retry_us)
        return;
    bool in = r->conn == NULL && o->offload_after > 0 && total - r->kernel_from >= o->offload_after;
    bool out = r->conn != NULL && o->upload_idle_us > 0 && now_us - r->active_us >= o->upload_idle_us;
    if (!in && !out)
        return;
    const char *wrong = relay_move(s, r->view.id, in ? RELAY_ADAPTER : RELAY_KERNEL, &times);
    r->retry_us = now_us + RETRY_US;
    if (wrong != NULL)
        log_line(LOG_WARN, "connection %u does not move %s by itself: %s", r->view.id, in ? "in" : "out", wrong);
    else
        log_line(LOG_INFO, "connection %u moved %s by itself", r->view.id, in ? "in" : "out");
}

bool relays_next_us(const struct relays *s, uint64_t *at_us)
{
    bool any = false;
    for (const struct relay *r = s != NULL ? s->first : NULL; r != NULL; r = r->next) {
        uint64_t due = r->active_us + s->d->options->upload_idle_us;
        if (r->conn == NULL || s->d->options->upload_idle_us == 0)
            continue;
        due = due > r->retry_us ? due : r->retry_us;
        *at_us = any && *at_us < due ? *at_us : due;
        any = true;
    }
    return any;
}

void relays_wire(struct relays *s, const uint8_t *frame, size_t len_bytes)
{
    struct relay_segment segment;
    if (s == NULL || s->first == NULL || !relay_wire_segment(frame, len_bytes, &segment))
        return;
    for (struct relay *r = s->first; r != NULL; r = r->next)
        if (relay_wire_take(&r->wire, &r->view, &segment))
            break;
}

bool relays_run(struct relays *s)
{
    bool any = false;
    uint64_t now_us = s->first != NULL ? flue_sim_time_us(s->d->sim) : 0;
    for (struct relay *r = s->first, *next; r != NULL; r = next) {
        next = r->next;
        any |= relay_copy(r);
        relay_rate_take(&r->out_rate, now_us, r->view.sent);
        relay_rate_take(&r->in_rate, now_us, r->view.received);
        by_itself(s, r, now_us);
        if (over(s, r)) {
            if (r->deserted)
                log_line(LOG_INFO, "connection %u: the program left before its streams were over: reset", r->view.id);
            else if (r->broken)
                log_line(LOG_WARN, "connection %u ended before its streams were over", r->view.id);
            relay_free(s, r);
        }
    }
    return any;
}
