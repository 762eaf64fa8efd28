/*
 * Moving sockets in and out: the order of steps of linux-host.md 4.2 and 4.3.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "flue/admin.h"
#include "flue/control.h"
#include "flue/move.h"
#include "flue/ndis/status.h"
#include "flue/ndis/types.h"

#define STEP_US           200u
#define HELD_MAX          256u
#define TREE_BYTES        4096u
#define SNAPSHOTS_MAX     8u
#define STARTS_MAX        4u
#define TICKS             1000u
#define FOREVER           UINT32_MAX
#define STATE_CLOSE_WAIT  7u
#define STATE_ESTABLISHED 4u
#define TTL_DEFAULT       64u

enum { WORDS_NEIGHBOR = 6, WORDS_PATH = 9, WORDS_TCP = 35, TCP_CACHED = 4, TCP_DELEGATED = 13 };

/* A neighbor and a path in the adapter, for a pair of addresses; kept until the end. */
struct route {
    struct route *next;
    bool ipv6;
    uint8_t local[16], remote[16];
    uint32_t neighbor, path; /* handles */
    uint32_t mtu;
};

/* A connection that is in the adapter, or on its way. */
struct moved {
    struct moved *next;
    struct flue_conn *conn;
    struct route *route;
    uint32_t handle;
    uint32_t last;               /* number of the newest diverted frame */
    struct flue_tcp_state state; /* without buffers */
    bool keep;                   /* diverted frames are kept for the kernel */
};

struct held {
    struct held *next;
    uint32_t handle;
    struct flue_rx_done done;
    uint8_t frame[];
};

struct flue_mover {
    struct flue_adapter *adapter;
    struct flue_port *port;
    struct flue_admin *admin;
    struct flue_conns *conns;
    struct flue_mover_params params;
    struct flue_mem tree;
    struct route *routes;
    struct moved *moved;
    struct held *held, **held_end;
    unsigned held_count, given_up;
    uint32_t marker; /* handle of the newest one */
    uint64_t adapter_us;
    char error[160];
};

__attribute__((format(printf, 3, 4))) static enum flue_err fail(struct flue_mover *m, enum flue_err err, const char *format,
                                                                ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(m->error, sizeof m->error, format, args);
    va_end(args);
    return err;
}

const char *flue_mover_error(const struct flue_mover *m)
{
    return m->error;
}

static uint64_t now_us(struct flue_mover *m)
{
    uint64_t us = 0;
    return flue_time_us(m->adapter, &us) == FLUE_OK ? us : 0;
}

/* ---- adapter commands ---------------------------------------------------------------------------------------------------- */

static enum flue_err command(struct flue_mover *m, const struct flue_sqe *sqe, const char *what, struct flue_admin_done *done)
{
    uint64_t before = now_us(m);
    enum flue_err err = flue_admin_call(m->admin, sqe, NULL, 0, done);
    m->adapter_us += now_us(m) - before;
    if (err != FLUE_OK)
        return fail(m, err, "%s: %s", what, flue_err_name(err));
    if (done->status != NDIS_STATUS_SUCCESS)
        return fail(m, FLUE_ESTATE, "%s: %s", what, flue_ndis_status_name((NDIS_STATUS)done->status));
    return FLUE_OK;
}

struct node {
    unsigned kind, depth, type;
    uint32_t handle;
    uint32_t *state;
    unsigned words;
    uint32_t status;
    unsigned detail;
};

/* A tree of a few nodes through the queue; statuses, handles and states come back. */
static enum flue_err tree_run(struct flue_mover *m, uint32_t opcode, struct node *node, unsigned count, const char *what)
{
    uint32_t *w = m->tree.addr, *n = w + sizeof(struct flue_tree_header) / 4;
    uint32_t at = (uint32_t)(sizeof(struct flue_tree_header) + count * sizeof(struct flue_tree_node)), bytes = at;
    struct flue_admin_done done;

    memset(w, 0, TREE_BYTES);
    for (unsigned i = 0; i < count; i++)
        bytes += node[i].words * 4;
    w[0] = htole32(FLUE_TREE_MAGIC);
    w[1] = htole32(FLUE_TREE_VERSION);
    w[2] = htole32(count);
    w[3] = htole32(bytes);
    for (unsigned i = 0; i < count; i++, n += sizeof(struct flue_tree_node) / 4) {
        bool with = node[i].words > 0;
        n[0] = htole32(node[i].kind | node[i].depth << FLUE_TREE_NODE_DEPTH_SHIFT |
                       node[i].type << FLUE_TREE_NODE_STATE_TYPE_SHIFT | (with ? 1u << FLUE_TREE_NODE_REVISION_SHIFT : 0));
        n[1] = htole32(with ? at : 0);
        n[2] = htole32(node[i].words * 4);
        n[5] = htole32(node[i].handle);
        for (unsigned k = 0; k < node[i].words; k++)
            w[at / 4 + k] = htole32(node[i].state[k]);
        at += node[i].words * 4;
    }
    struct flue_sqe sqe = {.word0 = opcode, .word1 = m->tree.region, .length = bytes};
    enum flue_err err = command(m, &sqe, what, &done);
    n = w + sizeof(struct flue_tree_header) / 4;
    for (unsigned i = 0; err == FLUE_OK && i < count; i++, n += sizeof(struct flue_tree_node) / 4) {
        node[i].handle = le32toh(n[5]);
        node[i].status = le32toh(n[6]);
        for (unsigned k = 0; k < node[i].words; k++)
            node[i].state[k] = le32toh(w[le32toh(n[1]) / 4 + k]);
        node[i].detail = le32toh(n[7]) & FLUE_TREE_NODE_DETAIL_MASK;
    }
    /* The deepest one that was refused says why: those above only follow. */
    for (unsigned i = count; err == FLUE_OK && i-- > 0;)
        if (node[i].status != (uint32_t)NDIS_STATUS_SUCCESS)
            return fail(m, FLUE_ESTATE, "%s, node %u: %s, detail %u", what, i,
                        flue_ndis_status_name((NDIS_STATUS)node[i].status), node[i].detail);
    return err;
}

/* ---- frames and markers ------------------------------------------------------------------------------------------------ */

void flue_mover_marker(struct flue_mover *m, uint32_t handle, uint32_t number)
{
    (void)number;
    m->marker = handle;
}

static struct moved *by_handle(struct flue_mover *m, uint32_t handle)
{
    for (struct moved *c = m->moved; c != NULL; c = c->next)
        if (c->handle == handle)
            return c;
    return NULL;
}

void flue_mover_diverted(struct flue_mover *m, const struct flue_rx_done *done, const uint8_t *frame)
{
    struct moved *c = by_handle(m, done->conn_handle);
    if (c == NULL)
        return;
    c->last = done->number;
    struct held *h = c->keep && m->held_count < HELD_MAX ? malloc(sizeof *h + done->len_bytes) : NULL;
    if (h == NULL) { /* the network repairs it (HND-003) */
        m->given_up++;
        return;
    }
    h->next = NULL;
    h->handle = done->conn_handle;
    h->done = *done;
    memcpy(h->frame, frame, done->len_bytes);
    *m->held_end = h;
    m->held_end = &h->next;
    m->held_count++;
}

/* Frames that were kept go to the kernel, in order; `deliver` false: they are forgotten. */
static void held_flush(struct flue_mover *m, bool deliver)
{
    while (m->held != NULL) {
        struct held *h = m->held;
        m->held = h->next;
        h->done.diverted = false;
        h->done.cookie = NULL;
        if (deliver)
            flue_port_deliver(m->port, &h->done, h->frame);
        free(h);
    }
    m->held_end = &m->held;
    m->held_count = 0;
}

/* Let the adapter work for a moment and serve its queues. */
static enum flue_err breathe(struct flue_mover *m)
{
    unsigned handled;
    enum flue_err err = flue_adapter_wait_us(m->adapter, STEP_US);
    if (err == FLUE_OK)
        err = flue_poll(m->adapter, 1000, &handled);
    return err == FLUE_OK ? flue_port_refill(m->port) : err;
}

static enum flue_err marker_await(struct flue_mover *m, uint32_t handle)
{
    uint64_t end = now_us(m) + m->params.limit_us;
    while (m->marker != handle) {
        enum flue_err err = breathe(m);
        if (err != FLUE_OK)
            return fail(m, err, "waiting for a marker: %s", flue_err_name(err));
        if (now_us(m) > end)
            return fail(m, FLUE_ETIMEOUT, "no marker came");
    }
    m->marker = 0;
    return FLUE_OK;
}

/* What the kernel had queued leaves the adapter (linux-host.md 4.2 step 4). */
static enum flue_err transmit_drain(struct flue_mover *m)
{
    uint64_t end = now_us(m) + m->params.limit_us;
    bool blocked = true;
    while (blocked || flue_tx_outstanding(m->adapter) > 0) {
        enum flue_err err = flue_port_send(m->port, &blocked);
        if (err == FLUE_OK)
            err = breathe(m);
        if (err != FLUE_OK)
            return fail(m, err, "emptying the transmit queue: %s", flue_err_name(err));
        if (now_us(m) > end)
            return fail(m, FLUE_ETIMEOUT, "the transmit queue does not become empty");
    }
    return FLUE_OK;
}

/* ---- routes ------------------------------------------------------------------------------------------------------------ */

static void address_of(const struct sockaddr_storage *a, uint8_t bytes[16], uint16_t *port)
{
    memset(bytes, 0, 16);
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)a;
        memcpy(bytes, &in->sin_addr, 4);
        *port = ntohs(in->sin_port);
    } else {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
        memcpy(bytes, &in6->sin6_addr, 16);
        *port = ntohs(in6->sin6_port);
    }
}

static uint32_t word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Our MAC and the peer's, by the socket's own namespace.  The peer is on the link: routers and IPv6 neighbors come later. */
static enum flue_err macs_get(struct flue_mover *m, int fd, const struct flue_tcp_state *s, uint8_t here[6], uint8_t there[6],
                              uint32_t *mtu)
{
    struct ifreq ifr = {0};
    struct arpreq arp = {0};

    if (s->remote.ss_family != AF_INET)
        return fail(m, FLUE_EUNSUPP, "the neighbor table is read for IPv4 only");
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", flue_tap_name(flue_port_tap(m->port)));
    if (ioctl(fd, SIOCGIFHWADDR, &ifr) != 0)
        return fail(m, FLUE_EIO, "hardware address of %s: %s", ifr.ifr_name, strerror(errno));
    memcpy(here, ifr.ifr_hwaddr.sa_data, 6);
    if (ioctl(fd, SIOCGIFMTU, &ifr) != 0)
        return fail(m, FLUE_EIO, "MTU of %s: %s", ifr.ifr_name, strerror(errno));
    *mtu = (uint32_t)ifr.ifr_mtu;
    memcpy(&arp.arp_pa, &s->remote, sizeof(struct sockaddr_in));
    snprintf(arp.arp_dev, sizeof arp.arp_dev, "%s", ifr.ifr_name);
    if (ioctl(fd, SIOCGARP, &arp) != 0 || !(arp.arp_flags & ATF_COM))
        return fail(m, FLUE_ESTATE, "the peer is no neighbor on %s", ifr.ifr_name);
    memcpy(there, arp.arp_ha.sa_data, 6);
    return FLUE_OK;
}

static enum flue_err route_make(struct flue_mover *m, int fd, const struct flue_tcp_state *s, struct route *r)
{
    uint8_t here[6] = {0}, there[6] = {0};
    enum flue_err err = macs_get(m, fd, s, here, there, &r->mtu);
    if (err != FLUE_OK)
        return err;
    uint32_t neighbor[WORDS_NEIGHBOR] = {word(here), (uint32_t)here[4] | (uint32_t)here[5] << 8, word(there),
                                         (uint32_t)there[4] | (uint32_t)there[5] << 8};
    uint32_t path[WORDS_PATH] = {0};
    for (unsigned i = 0; i < 4; i++) {
        path[i] = word(r->local + 4 * i);
        path[4 + i] = word(r->remote + 4 * i);
    }
    path[8] = r->mtu;
    struct node node[2] = {
        {.kind = FLUE_NODE_NEW, .type = NeighborOffloadState, .state = neighbor, .words = WORDS_NEIGHBOR},
        {.kind = FLUE_NODE_NEW,
         .depth = 1,
         .type = r->ipv6 ? Ip6OffloadState : Ip4OffloadState,
         .state = path,
         .words = WORDS_PATH},
    };
    err = tree_run(m, FLUE_OP_INITIATE, node, 2, "neighbor and path");
    r->neighbor = node[0].handle;
    r->path = node[1].handle;
    return err;
}

static enum flue_err route_of(struct flue_mover *m, int fd, const struct flue_tcp_state *s, struct route **out)
{
    struct route want = {.ipv6 = s->local.ss_family == AF_INET6}, *r;
    uint16_t port;
    address_of(&s->local, want.local, &port);
    address_of(&s->remote, want.remote, &port);
    for (r = m->routes; r != NULL; r = r->next)
        if (r->ipv6 == want.ipv6 && memcmp(r->local, want.local, 16) == 0 && memcmp(r->remote, want.remote, 16) == 0)
            break;
    if (r == NULL) {
        enum flue_err err = route_make(m, fd, s, &want);
        if (err != FLUE_OK)
            return err;
        r = malloc(sizeof *r);
        if (r == NULL)
            return FLUE_ENOMEM;
        *r = want;
        r->next = m->routes;
        m->routes = r;
    }
    *out = r;
    return FLUE_OK;
}

/* ---- in ------------------------------------------------------------------------------------------------------------------ */

static uint32_t ports_of(const struct flue_tcp_state *s)
{
    uint8_t bytes[16];
    uint16_t local, remote;
    address_of(&s->local, bytes, &local);
    address_of(&s->remote, bytes, &remote);
    return remote | (uint32_t)local << FLUE_WIRE_TCP_CONST_LOCAL_PORT_SHIFT;
}

static enum flue_err entry_hold(struct flue_mover *m, struct moved *c)
{
    struct flue_admin_done done;
    struct flue_ring_place send, recv;
    struct flue_sqe hold = {.word0 = FLUE_OP_HOLD, .handle = c->route->path, .arg = {ports_of(&c->state), 0, 0}};
    m->marker = 0;
    enum flue_err err = command(m, &hold, "hold", &done);
    if (err != FLUE_OK)
        return err;
    c->handle = done.result;
    err = marker_await(m, c->handle);
    flue_conn_places(c->conn, &send, &recv);
    struct flue_sqe rings = {
        .word0 = FLUE_OP_RINGS,
        .handle = c->handle,
        .arg = {send.region | (uint32_t)send.log2 << 8 | (uint32_t)recv.region << 16 | (uint32_t)recv.log2 << 24, send.offset,
                recv.offset}};
    return err == FLUE_OK ? command(m, &rings, "rings", &done) : err;
}

static enum flue_err entry_release(struct flue_mover *m, struct moved *c)
{
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_OP_RELEASE, .handle = c->handle};
    m->marker = 0;
    enum flue_err err = command(m, &sqe, "release", &done);
    return err == FLUE_OK ? marker_await(m, c->handle) : err;
}

static enum flue_err snapshot(struct flue_mover *m, int fd, struct flue_tcp_state *s)
{
    enum flue_err err = FLUE_EAGAIN;
    for (unsigned i = 0; err == FLUE_EAGAIN && i < SNAPSHOTS_MAX; i++)
        err = flue_socket_snapshot(fd, s);
    if (err == FLUE_OK)
        return FLUE_OK;
    return fail(m, err, "snapshot: %s: %s", flue_socket_error(),
                err == FLUE_EAGAIN ? "it does not hold still" : strerror(errno));
}

/* Half a ring is announced: what is on its way when the connection moves again still fits (CH-029). */
static void tcp_state_fill(const struct flue_tcp_state *s, size_t queued, uint32_t ring_bytes, uint32_t state[WORDS_TCP])
{
    struct flue_wire_tcp_const *c = (void *)state;
    struct flue_wire_tcp_cached *k = (void *)(state + TCP_CACHED);
    struct flue_wire_tcp_delegated *d = (void *)(state + TCP_DELEGATED);
    uint32_t srtt = s->srtt_us * 8 / TICKS, rttvar = s->rttvar_us * 4 / TICKS;

    c->word0 = (s->timestamps ? TCP_FLAG_TIMESTAMP_ENABLED : 0u) | (s->sack ? TCP_FLAG_SACK_ENABLED : 0u) |
               (s->window_scale ? TCP_FLAG_WINDOW_SCALING_ENABLED : 0u) |
               (uint32_t)s->snd_wind_scale << FLUE_WIRE_TCP_CONST_SND_WIND_SCALE_SHIFT |
               (uint32_t)s->rcv_wind_scale << FLUE_WIRE_TCP_CONST_RCV_WIND_SCALE_SHIFT;
    c->ports = ports_of(s);
    c->word2 = s->remote_mss;
    k->initial_rcv_wnd = s->rcv_wnd > ring_bytes / 2 ? s->rcv_wnd : ring_bytes / 2;
    k->word8 = TTL_DEFAULT;
    d->word0 = s->close_wait ? STATE_CLOSE_WAIT : STATE_ESTABLISHED;
    d->rcv_nxt = s->rcv_nxt;
    d->rcv_wnd = s->rcv_wnd;
    d->snd_una = s->snd_una;
    d->snd_nxt = d->snd_max = s->snd_nxt;
    d->snd_wnd = s->snd_wnd;
    d->max_snd_wnd = s->max_snd_wnd;
    d->send_wl1 = s->snd_wl1;
    d->cwnd = s->cwnd_bytes;
    d->ssthresh = s->ssthresh_bytes;
    d->word11 = (srtt < 0xFFFF ? srtt : 0xFFFF) | (rttvar < 0xFFFF ? rttvar : 0xFFFF) << 16;
    d->ts_recent_age = FOREVER; /* the kernel does not tell TS.Recent */
    d->ts_time = s->ts_value + 1;
    d->ka_timeout_delta = FOREVER;
    d->rexmit_timeout_delta = s->snd_nxt == s->snd_una ? FOREVER : 200;
    d->send_backlog = (uint32_t)queued;
}

static enum flue_err entry_load(struct flue_mover *m, struct moved *c, const struct flue_tcp_state *s, size_t queued)
{
    uint32_t state[WORDS_TCP] = {0}, ring_bytes = 1u << m->params.ring_log2;
    tcp_state_fill(s, queued, ring_bytes, state);
    struct node node[3] = {
        {.kind = FLUE_NODE_REFERENCE, .type = NeighborOffloadState, .handle = c->route->neighbor},
        {.kind = FLUE_NODE_REFERENCE,
         .depth = 1,
         .type = c->route->ipv6 ? Ip6OffloadState : Ip4OffloadState,
         .handle = c->route->path},
        {.kind = FLUE_NODE_NEW, .depth = 2, .type = TcpOffloadState, .handle = c->handle, .state = state, .words = WORDS_TCP},
    };
    enum flue_err err = tree_run(m, FLUE_OP_INITIATE | FLUE_SQE_LOAD_ONLY_MASK, node, 3, "load");
    if (err != FLUE_OK)
        return err;
    struct flue_conn_begin begin = {.row = (uint16_t)(c->handle & FLUE_HANDLE_INDEX_MASK),
                                    .generation =
                                        (uint16_t)((c->handle & FLUE_HANDLE_GENERATION_MASK) >> FLUE_HANDLE_GENERATION_SHIFT),
                                    .snd_una = s->snd_una,
                                    .send_limit = s->snd_una + (uint32_t)queued,
                                    .rcv_nxt = s->rcv_nxt - (s->close_wait ? 1u : 0u),
                                    .fin_received = s->close_wait};
    return flue_conn_attach(c->conn, &begin);
}

static enum flue_err entry_start(struct flue_mover *m, struct moved *c)
{
    struct flue_admin_done done;
    for (unsigned i = 0; i < STARTS_MAX; i++) {
        struct flue_sqe sqe = {.word0 = FLUE_OP_START, .handle = c->handle, .arg = {c->last, 0, 0}};
        uint64_t before = now_us(m);
        enum flue_err err = flue_admin_call(m->admin, &sqe, NULL, 0, &done);
        m->adapter_us += now_us(m) - before;
        if (err != FLUE_OK)
            return fail(m, err, "start: %s", flue_err_name(err));
        if (done.status == NDIS_STATUS_SUCCESS)
            return FLUE_OK;
        c->last = done.result;
        err = breathe(m);
        if (err != FLUE_OK)
            return fail(m, err, "start: %s", flue_err_name(err));
    }
    return fail(m, FLUE_ETIMEOUT, "start was answered \"again\" %u times", STARTS_MAX);
}

static void moved_drop(struct flue_mover *m, struct moved *c)
{
    struct moved **p = &m->moved;
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    flue_conn_close(c->conn);
    free(c);
}

/* The kernel has let go: give the connection back to it. */
static enum flue_err put_back(struct flue_mover *m, int fd, const struct flue_tcp_state *s)
{
    char why[sizeof m->error];
    size_t unsent;
    memcpy(why, m->error, sizeof why);
    if (flue_socket_restore(fd, s, &unsent) != FLUE_OK)
        return fail(m, FLUE_EIO, "%.60s; and the kernel does not take it back: %s", why, flue_socket_error());
    for (const uint8_t *p = s->unacked + s->unacked_bytes - unsent; unsent > 0;) {
        ssize_t n = send(fd, p, unsent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            return fail(m, FLUE_EIO, "%.60s; and %zu bytes are lost: %s", why, unsent, strerror(errno));
        p += n;
        unsent -= (size_t)n;
    }
    return FLUE_ESTATE;
}

enum flue_err flue_move_in(struct flue_mover *m, int fd, struct flue_conn **conn, struct flue_tcp_state *state, size_t *unsent,
                           struct flue_move_times *times)
{
    uint64_t began = now_us(m);
    uint32_t ring_bytes = 1u << m->params.ring_log2;
    struct moved *c = calloc(1, sizeof *c);
    socklen_t len = sizeof c->state.local;

    *conn = NULL;
    *unsent = 0;
    memset(state, 0, sizeof *state);
    m->adapter_us = 0;
    m->given_up = 0;
    if (c == NULL)
        return fail(m, FLUE_ENOMEM, "no memory");
    c->next = m->moved;
    m->moved = c;
    if (getsockname(fd, (struct sockaddr *)&c->state.local, &len) != 0 ||
        (len = sizeof c->state.remote, getpeername(fd, (struct sockaddr *)&c->state.remote, &len) != 0)) {
        moved_drop(m, c);
        return fail(m, FLUE_ESTATE, "not connected: %s", strerror(errno));
    }
    enum flue_err err = route_of(m, fd, &c->state, &c->route);
    if (err == FLUE_OK) {
        err = flue_conn_open(m->conns, m->params.ring_log2, m->params.ring_log2, &c->conn);
        if (err != FLUE_OK)
            (void)fail(m, err, "no room for its rings");
    }
    if (err == FLUE_OK)
        err = entry_hold(m, c);
    bool frozen = false;
    if (err == FLUE_OK) {
        c->keep = true; /* until the kernel let go, held frames are its own */
        err = flue_socket_freeze(fd, state);
        frozen = err == FLUE_OK;
        if (!frozen)
            (void)fail(m, err, "repair mode: %s: %s", flue_socket_error(), err == FLUE_EIO ? strerror(errno) : "its state");
    }
    if (err == FLUE_OK)
        err = transmit_drain(m);
    if (err == FLUE_OK)
        err = snapshot(m, fd, state);
    if (err == FLUE_OK && (state->ts_us || state->rcv_wnd > ring_bytes || state->snd_nxt - state->snd_una > ring_bytes))
        err = fail(m, FLUE_ESTATE,
                   state->ts_us ? "timestamps in microseconds are not carried"
                                : "its windows (%u, %u bytes) are larger than a ring",
                   state->rcv_wnd, state->snd_nxt - state->snd_una);
    if (err == FLUE_OK) {
        err = flue_socket_silence(fd);
        if (err != FLUE_OK)
            (void)fail(m, err, "%s: %s", flue_socket_error(), strerror(errno));
    }
    if (err != FLUE_OK) { /* the connection is the kernel's as before (HND-009) */
        if (frozen && flue_socket_thaw(fd, state) != FLUE_OK)
            err = FLUE_EIO;
        if (c->handle != 0)
            (void)!entry_release(m, c);
        held_flush(m, true);
        flue_tcp_state_clear(state);
        moved_drop(m, c);
        return err;
    }
    m->given_up += m->held_count;
    held_flush(m, false); /* the peer sends them again */
    c->keep = false;
    size_t queued = state->unacked_bytes < ring_bytes ? state->unacked_bytes : ring_bytes;
    err = flue_conn_fill(c->conn, state->snd_una, state->unacked, queued);
    if (err == FLUE_OK)
        err = entry_load(m, c, state, queued);
    if (err == FLUE_OK)
        err = entry_start(m, c);
    if (err != FLUE_OK) {
        (void)!entry_release(m, c);
        moved_drop(m, c);
        return put_back(m, fd, state);
    }
    c->state = *state;
    c->state.unread = c->state.unacked = NULL;
    c->state.unread_bytes = c->state.unacked_bytes = 0;
    flue_conn_ctx_set(c->conn, NULL);
    *conn = c->conn;
    *unsent = state->unacked_bytes - queued;
    *times = (struct flue_move_times){.total_us = now_us(m) - began, .adapter_us = m->adapter_us, .held = m->given_up};
    return FLUE_OK;
}

/* ---- out ------------------------------------------------------------------------------------------------------------------
 */

static struct moved *by_conn(struct flue_mover *m, const struct flue_conn *conn)
{
    for (struct moved *c = m->moved; c != NULL; c = c->next)
        if (c->conn == conn)
            return c;
    return NULL;
}

static enum flue_err entry_freeze(struct flue_mover *m, struct moved *c, bool keep_entry, uint32_t *state)
{
    struct node node = {.kind = FLUE_NODE_REFERENCE,
                        .type = TcpOffloadDelegatedState,
                        .handle = c->handle,
                        .state = state,
                        .words = WORDS_TCP - TCP_DELEGATED};
    return tree_run(m, FLUE_OP_TERMINATE | (keep_entry ? FLUE_SQE_KEEP_ENTRY_MASK : 0), &node, 1, "freeze");
}

/* What the rings hold of a frozen connection, as the kernel's queues. */
static enum flue_err state_back(struct flue_mover *m, struct moved *c, const struct flue_wire_tcp_delegated *d,
                                struct flue_tcp_state *s)
{
    struct flue_conn_view view;
    *s = c->state;
    s->rcv_nxt = d->rcv_nxt;
    s->rcv_wnd = d->rcv_wnd;
    s->snd_una = d->snd_una;
    s->snd_nxt = d->snd_max;
    s->snd_wnd = d->snd_wnd;
    s->max_snd_wnd = d->max_snd_wnd;
    s->snd_wl1 = d->send_wl1;
    s->ts_value = d->ts_time;
    s->window_clamp = (int)(1u << (m->params.ring_log2 - 1));
    enum flue_err err = flue_conn_detach(c->conn, d->snd_una, d->rcv_nxt);
    if (err == FLUE_OK)
        err = flue_conn_look(c->conn, &view);
    if (err != FLUE_OK)
        return fail(m, err, "the frozen state: %s", flue_err_name(err));
    s->unread_bytes = view.readable;
    s->unacked_bytes = view.send_limit - d->snd_una;
    s->unread = malloc(s->unread_bytes + 1);
    s->unacked = malloc(s->unacked_bytes + 1);
    if (s->unread == NULL || s->unacked == NULL)
        return fail(m, FLUE_ENOMEM, "no memory");
    err = flue_conn_peek_received(c->conn, view.consumed, s->unread, s->unread_bytes);
    if (err == FLUE_OK)
        err = flue_conn_peek_sent(c->conn, d->snd_una, s->unacked, s->unacked_bytes);
    return err;
}

enum flue_err flue_move_out(struct flue_mover *m, struct flue_conn *conn, int fd, struct flue_tcp_state *state, size_t *unsent,
                            struct flue_move_times *times)
{
    uint64_t began = now_us(m);
    struct moved *c = by_conn(m, conn);
    struct flue_conn_view view;
    uint32_t words[WORDS_TCP - TCP_DELEGATED] = {0};

    *unsent = 0;
    memset(state, 0, sizeof *state);
    m->adapter_us = 0;
    m->given_up = 0;
    if (c == NULL)
        return fail(m, FLUE_EARG, "no connection of this mover");
    enum flue_err err = flue_conn_look(conn, &view);
    if (err != FLUE_OK)
        return fail(m, err, "%s", flue_err_name(err));
    if (view.state != STATE_ESTABLISHED || view.ended != 0)
        return fail(m, FLUE_ESTATE, "it closes in the adapter");
    c->keep = true;
    err = entry_freeze(m, c, true, words);
    if (err != FLUE_OK) {
        c->keep = false;
        return err;
    }
    const struct flue_wire_tcp_delegated *d = (const void *)words;
    err = state_back(m, c, d, state);
    if (err == FLUE_OK) {
        struct flue_tcp_state kernel = *state; /* what was received is delivered by the caller */
        kernel.unread_bytes = 0;
        err = flue_socket_restore(fd, &kernel, unsent);
        if (err != FLUE_OK)
            (void)fail(m, err, "the kernel refuses: %s: %s", flue_socket_error(), strerror(errno));
    }
    enum flue_err released = entry_release(m, c);
    *times = (struct flue_move_times){.adapter_us = m->adapter_us, .held = m->held_count + m->given_up};
    held_flush(m, err == FLUE_OK);
    moved_drop(m, c);
    times->total_us = now_us(m) - began;
    if (err != FLUE_OK)
        flue_tcp_state_clear(state);
    return err != FLUE_OK ? err : released;
}

enum flue_err flue_move_look(struct flue_mover *m, struct flue_conn *conn, struct flue_move_view *view)
{
    struct moved *c = by_conn(m, conn);
    uint32_t words[WORDS_TCP - TCP_DELEGATED] = {0};
    struct node node = {
        .kind = FLUE_NODE_REFERENCE, .type = TcpOffloadDelegatedState, .state = words, .words = WORDS_TCP - TCP_DELEGATED};
    if (c == NULL)
        return fail(m, FLUE_EARG, "no connection of this mover");
    node.handle = c->handle;
    enum flue_err err = tree_run(m, FLUE_OP_QUERY, &node, 1, "query");
    if (err != FLUE_OK)
        return err;
    const struct flue_wire_tcp_delegated *d = (const void *)words;
    *view = (struct flue_move_view){.rcv_wnd = d->rcv_wnd,
                                    .snd_wnd = d->snd_wnd,
                                    .unread = d->receive_backlog,
                                    .unacked = d->snd_max - d->snd_una,
                                    .cwnd = d->cwnd,
                                    .ssthresh = d->ssthresh,
                                    .srtt_us = (d->word11 & 0xFFFF) * (1000000u / TICKS / 8),
                                    .rttvar_us = (d->word11 >> 16) * (1000000u / TICKS / 4),
                                    .timeouts = d->word16 >> FLUE_WIRE_TCP_DELEGATED_REXMIT_COUNT_SHIFT};
    return FLUE_OK;
}

enum flue_err flue_move_end(struct flue_mover *m, struct flue_conn *conn)
{
    struct moved *c = by_conn(m, conn);
    uint32_t words[WORDS_TCP - TCP_DELEGATED] = {0};
    if (c == NULL)
        return fail(m, FLUE_EARG, "no connection of this mover");
    enum flue_err err = entry_freeze(m, c, false, words);
    moved_drop(m, c);
    return err;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------
 */

/* One configuration record, changed; little-endian words. */
static enum flue_err config_change(struct flue_mover *m, uint32_t group, void *record, size_t bytes,
                                   void (*change)(uint32_t *words))
{
    struct flue_admin_done done;
    struct flue_sqe get = {.word0 = FLUE_OP_GET_CONFIG, .arg = {group}}, set = {.word0 = FLUE_OP_SET_CONFIG, .arg = {group}};
    enum flue_err err = flue_admin_call(m->admin, &get, record, bytes, &done);
    if (err != FLUE_OK || done.status != NDIS_STATUS_SUCCESS)
        return err != FLUE_OK ? err : FLUE_EDEVICE;
    change(record);
    err = flue_admin_call(m->admin, &set, record, bytes, &done);
    return err != FLUE_OK ? err : done.status == NDIS_STATUS_SUCCESS ? FLUE_OK : FLUE_ESTATE;
}

/* The kernel's timestamps count milliseconds. */
static void ticks_change(uint32_t *words)
{
    words[0] = htole32(TICKS);
}

/* Linux's interfaces frame as IEEE 802.3 (TO-171: in force before anything is offloaded). */
static void framing_change(uint32_t *words)
{
    words[0] |= htole32(FLUE_CFG_SWITCHES_ENCAP_IPV4_MASK | FLUE_CFG_SWITCHES_ENCAP_IPV6_MASK);
}

enum flue_err flue_mover_open(struct flue_adapter *adapter, struct flue_port *port, const struct flue_mover_params *params,
                              struct flue_mover **out)
{
    if (out == NULL)
        return FLUE_EARG;
    *out = NULL;
    if (adapter == NULL || port == NULL || params == NULL)
        return FLUE_EARG;
    struct flue_admin *admin = flue_adapter_admin(adapter);
    if (admin == NULL || !flue_admin_runs(admin))
        return FLUE_ESTATE;
    struct flue_mover *m = calloc(1, sizeof *m);
    if (m == NULL)
        return FLUE_ENOMEM;
    m->adapter = adapter;
    m->port = port;
    m->admin = admin;
    m->params = *params;
    m->held_end = &m->held;
    struct flue_conns_params conns = {.ring_bytes = params->ring_bytes, .ctx = params->ctx, .event = params->event};
    struct flue_cfg_connection connection;
    struct flue_cfg_switches switches;
    enum flue_err err = config_change(m, FLUE_CFG_CONNECTION, &connection, sizeof connection, ticks_change);
    if (err == FLUE_OK)
        err = config_change(m, FLUE_CFG_SWITCHES, &switches, sizeof switches, framing_change);
    if (err == FLUE_OK)
        err = flue_mem_alloc(adapter, TREE_BYTES, FLUE_ACCESS_READ_WRITE, &m->tree);
    if (err == FLUE_OK)
        err = flue_conns_start(adapter, &conns, &m->conns);
    if (err != FLUE_OK) {
        flue_mover_close(m);
        return err;
    }
    *out = m;
    return FLUE_OK;
}

void flue_mover_close(struct flue_mover *m)
{
    if (m == NULL)
        return;
    held_flush(m, false);
    while (m->moved != NULL)
        moved_drop(m, m->moved);
    while (m->routes != NULL) {
        struct route *r = m->routes;
        m->routes = r->next;
        free(r);
    }
    flue_conns_stop(m->conns);
    if (m->tree.addr != NULL && flue_mem_free(m->adapter, &m->tree) != FLUE_OK)
        m->tree.addr = NULL;
    free(m);
}
