/* Adopted connections: bytes between a program's local socket and wherever its TCP connection lives. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "relay.h"

#define CHUNK_BYTES   65536u
#define RINGS_BYTES   (64u << 20)
#define RING_LOG2     21u
#define WINDOW_BYTES  (1 << (RING_LOG2 - 1)) /* the kernel announces no more: a window must fit a ring */
#define WAIT_LIMIT_US 5000000u
#define ROUNDS_MAX    4u /* of a connection in one turn */
#define RATE_SPAN_US  500000u
#define ENDED_KEPT    64u

enum { TCP_INFO_WORDS = 70, TCP_INFO_RCV_WND = 58 };

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
    struct relay_view view;
};

struct relays {
    struct daemon *d;
    struct flue_mover *mover; /* null: nothing was moved yet, or the adapter has no engine */
    struct relay *first;
    unsigned last_id, ended_count;
    struct relay_view ended[ENDED_KEPT]; /* the last ones, as they ended */
};

/* ---- buffers ------------------------------------------------------------------------------------------------------- */

static size_t left(const struct buffer *b)
{
    return b->len - b->at;
}

/* Room for at least one more byte at the end. */
static bool room(struct buffer *b)
{
    if (b->at == b->len)
        b->at = b->len = 0;
    if (b->data == NULL) {
        b->data = malloc(CHUNK_BYTES);
        b->cap = b->data != NULL ? CHUNK_BYTES : 0;
    }
    return b->len < b->cap;
}

/* Bytes go behind those that are there, or (front) before them. */
static bool insert(struct buffer *b, const uint8_t *data, size_t len, bool front)
{
    size_t have = left(b), cap = have + len > CHUNK_BYTES ? have + len : CHUNK_BYTES;
    if (len == 0)
        return true;
    uint8_t *all = malloc(cap);
    if (all == NULL)
        return false;
    if (front)
        memcpy(all, data, len);
    if (have > 0)
        memcpy(all + (front ? len : 0), b->data + b->at, have);
    if (!front)
        memcpy(all + have, data, len);
    free(b->data);
    *b = (struct buffer){.data = all, .len = have + len, .cap = cap};
    return true;
}

/* ---- copying ------------------------------------------------------------------------------------------------------- */

/* Ends of the bytes that were acknowledged and received, without the FINs. */
static uint32_t bytes_acked(const struct flue_tcp_state *s)
{
    return s->snd_una - (flue_tcp_fin_acked(s->at) ? 1u : 0u);
}

static uint32_t bytes_received(const struct flue_tcp_state *s)
{
    return s->rcv_nxt - (flue_tcp_fin_received(s->at) ? 1u : 0u);
}

/* What the adapter carried since the move in. */
static void carried(const struct relay *r, uint32_t snd_una, uint32_t rcv_nxt, struct relay_view *view)
{
    view->sent_adapter += snd_una - r->una_in;
    view->received_adapter += rcv_nxt - r->nxt_in;
}

static void end(struct relay *r)
{
    r->broken = true;
}

/* The program closed its socket with bytes in it, or before bytes that came later: nobody will read them (TCP-207). */
static void desert(struct relay *r)
{
    r->deserted = true;
    end(r);
}

static bool local_read(struct relay *r)
{
    if (r->local_over || !room(&r->out))
        return false;
    ssize_t n = recv(r->local_fd, r->out.data + r->out.len, r->out.cap - r->out.len, MSG_DONTWAIT);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            desert(r);
        return false;
    }
    r->local_over = n == 0;
    r->out.len += (size_t)n;
    r->view.sent += (uint64_t)n;
    return true;
}

static bool local_write(struct relay *r)
{
    if (left(&r->in) == 0) {
        if (!r->net_over || r->in_told)
            return false;
        r->in_told = true;
        (void)shutdown(r->local_fd, SHUT_WR);
        return true;
    }
    ssize_t n = send(r->local_fd, r->in.data + r->in.at, left(&r->in), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            desert(r);
        return false;
    }
    r->in.at += (size_t)n;
    r->view.received += (uint64_t)n;
    return n > 0;
}

static bool kernel_write(struct relay *r)
{
    if (left(&r->out) == 0) {
        if (!r->local_over || r->out_told)
            return false;
        r->out_told = true;
        (void)shutdown(r->tcp_fd, SHUT_WR);
        return true;
    }
    ssize_t n = send(r->tcp_fd, r->out.data + r->out.at, left(&r->out), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            end(r);
        return false;
    }
    r->out.at += (size_t)n;
    return n > 0;
}

static bool kernel_read(struct relay *r)
{
    if (r->net_over || !room(&r->in))
        return false;
    ssize_t n = recv(r->tcp_fd, r->in.data + r->in.len, r->in.cap - r->in.len, MSG_DONTWAIT);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            end(r);
        return false;
    }
    r->net_over = n == 0;
    r->in.len += (size_t)n;
    return true;
}

static bool adapter_write(struct relay *r)
{
    size_t n = 0;
    if (left(&r->out) == 0) {
        if (!r->local_over || r->out_told)
            return false;
        r->out_told = true;
        if (flue_conn_shutdown(r->conn) != FLUE_OK)
            end(r);
        return true;
    }
    enum flue_err err = flue_conn_send(r->conn, r->out.data + r->out.at, left(&r->out), &n);
    if (err != FLUE_OK && err != FLUE_EAGAIN)
        end(r);
    r->out.at += n;
    return n > 0;
}

static bool adapter_read(struct relay *r)
{
    size_t n = 0;
    if (r->net_over || !room(&r->in))
        return false;
    enum flue_err err = flue_conn_recv(r->conn, r->in.data + r->in.len, r->in.cap - r->in.len, &n);
    if (err == FLUE_EAGAIN)
        return false;
    if (err != FLUE_OK) {
        end(r);
        return false;
    }
    r->net_over = n == 0;
    r->in.len += n;
    return true;
}

static bool copy(struct relay *r)
{
    bool any = false, some = true;
    for (unsigned i = 0; some && i < ROUNDS_MAX && !r->broken; i++) {
        some = local_read(r);
        some |= r->conn != NULL ? adapter_write(r) : kernel_write(r);
        some |= !r->broken && (r->conn != NULL ? adapter_read(r) : kernel_read(r));
        some |= local_write(r);
        any |= some;
    }
    if (r->conn != NULL && !r->broken && flue_conn_kick(r->conn, left(&r->out) > 0, !r->net_over) != FLUE_OK)
        end(r);
    return any;
}

/* ---- looks ----------------------------------------------------------------------------------------------------------- */

/* What the kernel says of a connection it has, in the words of the engine's view. */
static void kernel_look(const struct relay *r, struct relay_view *view)
{
    union { /* this header's structure ends before tcpi_rcv_wnd (linux-host.md 3.2) */
        struct tcp_info info;
        uint32_t word[TCP_INFO_WORDS];
    } now = {.word = {0}};
    socklen_t len = sizeof now;
    if (getsockopt(r->tcp_fd, IPPROTO_TCP, TCP_INFO, &now, &len) != 0)
        return;
    view->state = flue_socket_state_name(now.info.tcpi_state);
    view->engine = (struct flue_move_view){.cwnd = now.info.tcpi_snd_cwnd * now.info.tcpi_snd_mss,
                                           .ssthresh = now.info.tcpi_snd_ssthresh,
                                           .rcv_wnd = now.word[TCP_INFO_RCV_WND],
                                           .snd_wnd = now.info.tcpi_snd_wnd,
                                           .srtt_us = now.info.tcpi_rtt,
                                           .rttvar_us = now.info.tcpi_rttvar,
                                           .timeouts = now.info.tcpi_retransmits};
}

const char *relay_state_name(unsigned state)
{
    static const char *const name[] = {"CLOSED",    "LISTEN",     "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT1",
                                       "FIN_WAIT2", "CLOSE_WAIT", "CLOSING",  "LAST_ACK", "TIME_WAIT"};
    return state < sizeof name / sizeof name[0] ? name[state] : "?";
}

static void engine_look(const struct relays *s, const struct relay *r, bool asks, struct relay_view *view)
{
    if (flue_conn_look(r->conn, &view->now) == FLUE_OK) {
        carried(r, view->now.snd_una - (view->now.snd_una - view->now.send_limit == 1 ? 1u : 0u), view->now.rcv_nxt, view);
        view->state = relay_state_name(view->now.state);
    }
    if (asks && flue_move_look(s->mover, r->conn, &view->engine) != FLUE_OK)
        log_line(LOG_WARN, "connection %u: %s", r->view.id, flue_mover_error(s->mover));
}

static void view_take(const struct relays *s, const struct relay *r, bool asks, struct relay_view *view)
{
    *view = r->view;
    view->place = r->conn != NULL ? RELAY_ADAPTER : RELAY_KERNEL;
    view->ended = r->broken;
    view->state = "";
    view->out_kbps = r->out_rate.kbps;
    view->in_kbps = r->in_rate.kbps;
    view->again = r->wire.again;
    if (r->conn != NULL)
        engine_look(s, r, asks, view);
    else
        kernel_look(r, view);
}

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
    view_take(s, r, false, &s->ended[s->ended_count++ % ENDED_KEPT]);
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
            end(r);
        return flue_mover_error(s->mover);
    }
    if (!insert(&r->in, state.unread, state.unread_bytes, false) ||
        !insert(&r->out, state.unacked + state.unacked_bytes - unsent, unsent, true))
        end(r);
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
            end(r);
        }
        return flue_mover_error(s->mover);
    }
    carried(r, bytes_acked(&state), bytes_received(&state), &r->view);
    r->conn = NULL;
    if (!insert(&r->in, state.unread, state.unread_bytes, false) ||
        !insert(&r->out, state.unacked + state.unacked_bytes - unsent, unsent, true))
        end(r);
    r->out_told = flue_tcp_fin_sent(state.at);
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
    if (r->conn != NULL && !r->broken && flue_conn_look(r->conn, &view) == FLUE_OK && view.state == FLUE_TCP_TIME_WAIT) {
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

static void rate_take(struct rate *r, uint64_t now_us, uint64_t value)
{
    if (now_us - r->at_us < RATE_SPAN_US)
        return;
    r->kbps = r->at_us == 0 ? 0 : (uint32_t)((value - r->value) * 8000 / (now_us - r->at_us));
    r->at_us = now_us;
    r->value = value;
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
        any |= copy(r);
        rate_take(&r->out_rate, now_us, r->view.sent);
        rate_take(&r->in_rate, now_us, r->view.received);
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

void relays_each(const struct relays *s, bool asks, void (*each)(void *ctx, const struct relay_view *view), void *ctx)
{
    for (const struct relay *r = s->first; r != NULL; r = r->next) {
        struct relay_view view;
        view_take(s, r, asks, &view);
        each(ctx, &view);
    }
}

void relays_each_ended(const struct relays *s, void (*each)(void *ctx, const struct relay_view *view), void *ctx)
{
    for (unsigned i = s->ended_count > ENDED_KEPT ? s->ended_count - ENDED_KEPT : 0; i < s->ended_count; i++)
        each(ctx, &s->ended[i % ENDED_KEPT]);
}
