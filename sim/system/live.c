/* A live connection between the adapter and the reference TCP. */
#include "live.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_US = 200, CHUNK = 4096, PORT = 5000, COMMAND_LIMIT_US = 2000000 };
enum { FLAG_TIMESTAMPS = 1, FLAG_SACK = 2, FLAG_SCALE = 4, ESTABLISHED = 4 };

uint8_t live_byte(uint64_t i, unsigned which)
{
    return (uint8_t)((i * 2654435761u + which * 97u) >> 13);
}

/* ---- the line of the peer ------------------------------------------------------------------------------------------------ */

static void queue_put(struct live_rig *rig, struct live_frame *queue, unsigned first, unsigned *count, uint64_t at_us,
                      const uint8_t *frame, size_t len)
{
    if (rig->drop_percent > 0 && flue_rng_below(&rig->t->rig->rng, 100) < rig->drop_percent) {
        rig->lost++;
        return;
    }
    if (*count == LIVE_QUEUE) {
        rig->lost++;
        return;
    }
    struct live_frame *f = &queue[(first + (*count)++) % LIVE_QUEUE];
    f->at_us = at_us;
    f->len = len;
    f->data = malloc(len);
    memcpy(f->data, frame, len);
}

static void on_emit(void *user, uint64_t now_us, const struct flue_tcp_seg *seg, const uint8_t *payload)
{
    struct live *live = user;
    struct live_rig *rig = live->rig;
    uint8_t frame[FLUE_TCP_FRAME_HEADERS + 2048];
    size_t len = flue_tcp_frame_build(&live->ends, seg, payload, frame);
    queue_put(rig, rig->to_adapter, rig->to_adapter_first, &rig->to_adapter_count, now_us + live->start.delay_us, frame, len);
}

/* HND-001: neither the right edge nor the timestamp goes back, whoever has the connection. */
static void no_step_back(struct live *live, const struct flue_tcp_seg *seg)
{
    uint32_t edge = seg->ack + ((uint32_t)seg->wnd << live->start.scale);
    if (seg->flags & FLUE_TCP_RST)
        return;
    CHECK(!live->heard || flue_tcp_upto(live->heard_edge, edge), "the window's edge goes back from %u to %u", live->heard_edge,
          edge);
    CHECK(!live->heard || !seg->has_ts || flue_tcp_upto(live->heard_time, seg->ts_val), "the timestamp goes back from %u to %u",
          live->heard_time, seg->ts_val);
    live->heard = true;
    live->heard_edge = edge;
    live->heard_time = seg->ts_val;
}

static void frame_to_peer(struct live_rig *rig, const struct live_frame *f, uint64_t now_us)
{
    struct flue_tcp_seg seg;
    const uint8_t *payload;
    for (unsigned i = 0; i < LIVE_CONNECTIONS; i++) {
        struct live *live = rig->live[i];
        if (live && flue_tcp_frame_parse(&live->ends, f->data, f->len, &seg, &payload)) {
            no_step_back(live, &seg);
            (void)flue_tcp_host_receive(&live->peer, now_us, &seg, payload);
            return;
        }
    }
    CHECK(!"a frame of no connection left the adapter");
}

static uint64_t delay_of(struct live_rig *rig)
{
    for (unsigned i = 0; i < LIVE_CONNECTIONS; i++)
        if (rig->live[i])
            return rig->live[i]->start.delay_us;
    return 0;
}

static uint64_t line_next(const struct live_rig *rig)
{
    uint64_t next = FLUE_TCP_NEVER;
    if (rig->to_peer_count > 0)
        next = rig->to_peer[rig->to_peer_first].at_us;
    if (rig->to_adapter_count > 0 && rig->to_adapter[rig->to_adapter_first].at_us < next)
        next = rig->to_adapter[rig->to_adapter_first].at_us;
    return next;
}

static void line_run(struct live_rig *rig, uint64_t now_us)
{
    while (rig->to_peer_count > 0 && rig->to_peer[rig->to_peer_first].at_us <= now_us) {
        struct live_frame f = rig->to_peer[rig->to_peer_first];
        rig->to_peer_first = (rig->to_peer_first + 1) % LIVE_QUEUE;
        rig->to_peer_count--;
        frame_to_peer(rig, &f, now_us);
        free(f.data);
    }
    while (rig->to_adapter_count > 0 && rig->to_adapter[rig->to_adapter_first].at_us <= now_us) {
        struct live_frame f = rig->to_adapter[rig->to_adapter_first];
        rig->to_adapter_first = (rig->to_adapter_first + 1) % LIVE_QUEUE;
        rig->to_adapter_count--;
        CHECK(flue_sim_wire_send(rig->t->rig->sim, f.data, f.len) == FLUE_OK);
        free(f.data);
    }
}

bool live_run(struct live_rig *rig, uint64_t us)
{
    struct rig *r = rig->t->rig;
    uint64_t end_us = flue_sim_time_us(r->sim) + us;
    unsigned before = check_failures;

    while (flue_sim_time_us(r->sim) < end_us && check_failures == before) {
        uint64_t now = flue_sim_time_us(r->sim), next = end_us, at;
        enum flue_sim_why why;
        unsigned handled;
        line_run(rig, now);
        for (unsigned i = 0; i < LIVE_CONNECTIONS; i++)
            if (rig->live[i]) {
                flue_tcp_host_run(&rig->live[i]->peer, now);
                CHECK(rig->live[i]->peer.broken == NULL, "the peer: %s", rig->live[i]->peer.broken);
                at = flue_tcp_host_next(&rig->live[i]->peer, now);
                next = at < next ? at : next;
                if (rig->live[i]->home) {
                    flue_tcp_host_run(rig->live[i]->home, now);
                    at = flue_tcp_host_next(rig->live[i]->home, now);
                    next = at < next ? at : next;
                }
            }
        at = line_next(rig);
        next = at < next ? at : next;
        enum flue_err err =
            flue_sim_advance(r->sim, next > now ? next - now : 1, FLUE_SIM_UNTIL_IRQ | FLUE_SIM_UNTIL_FRAME, &why);
        CHECK(err == FLUE_OK, "%s: %s", flue_err_name(err), flue_sim_violation(r->sim) ? flue_sim_violation(r->sim) : "");
        err = flue_poll(r->adapter, 1000, &handled);
        CHECK(err == FLUE_OK, "%s: %s", flue_err_name(err),
              flue_adapter_fault(r->adapter) ? flue_adapter_fault(r->adapter) : "");
        rig_refill(r);
        for (struct rig_frame *f; (f = rig_next_out(r)) != NULL;)
            queue_put(rig, rig->to_peer, rig->to_peer_first, &rig->to_peer_count, flue_sim_time_us(r->sim) + delay_of(rig),
                      f->data, f->len);
        for (struct rig_frame *f; (f = rig_next_in(r)) != NULL;)
            if (rig->received) /* else diverted ones are given up, which the network repairs */
                rig->received(rig, f);
    }
    return check_failures == before;
}

/* ---- rig ----------------------------------------------------------------------------------------------------------------- */

struct live_rig *live_rig_open(unsigned width, bool rough, size_t ring_bytes)
{
    struct live_rig *rig = calloc(1, sizeof *rig);
    if (!rig)
        exit(1);
    rig->t = trees_open(width, rough);
    struct flue_cfg_connection config;
    CHECK(trees_config(rig->t, FLUE_CFG_CONNECTION, false, &config, sizeof config));
    config.ticks_per_second = 1000;
    CHECK(trees_config(rig->t, FLUE_CFG_CONNECTION, true, &config, sizeof config));
    CHECK(flue_conns_start(rig->t->rig->adapter, &(struct flue_conns_params){.ring_bytes = ring_bytes}, &rig->conns) ==
          FLUE_OK);
    return rig;
}

void live_rig_close(struct live_rig *rig)
{
    for (; rig->to_peer_count > 0; rig->to_peer_count--)
        free(rig->to_peer[(rig->to_peer_first + rig->to_peer_count - 1) % LIVE_QUEUE].data);
    for (; rig->to_adapter_count > 0; rig->to_adapter_count--)
        free(rig->to_adapter[(rig->to_adapter_first + rig->to_adapter_count - 1) % LIVE_QUEUE].data);
    flue_conns_stop(rig->conns);
    trees_close(rig->t);
    free(rig);
}

/* ---- opening ---------------------------------------------------------------------------------------------------------------
 */

static void addresses(struct live *live, unsigned number)
{
    struct flue_tcp_ends *e = &live->ends;
    static const uint8_t prefix[16] = {0x20, 0x01, 0x0d, 0xb8};
    e->ipv6 = live->start.ipv6;
    memcpy(e->mac_here, (uint8_t[]){2, 0, 0, 0, 1, (uint8_t)number}, 6);
    memcpy(e->mac_there, (uint8_t[]){2, 0, 0, 0, 2, (uint8_t)number}, 6);
    if (e->ipv6) {
        memcpy(e->ip_here, prefix, 16);
        memcpy(e->ip_there, prefix, 16);
        e->ip_here[15] = 1;
        e->ip_there[15] = 2;
        e->ip_here[14] = e->ip_there[14] = (uint8_t)number;
    } else {
        memcpy(e->ip_here, (uint8_t[]){192, 0, 2, (uint8_t)(2 * number + 1)}, 4);
        memcpy(e->ip_there, (uint8_t[]){192, 0, 2, (uint8_t)(2 * number + 2)}, 4);
    }
    e->port_here = (uint16_t)(PORT + number);
    e->port_there = (uint16_t)(PORT + 1000 + number);
}

static uint32_t word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint32_t ports(const struct live *live)
{
    return (uint32_t)live->ends.port_here | (uint32_t)live->ends.port_there << FLUE_WIRE_TCP_CONST_LOCAL_PORT_SHIFT;
}

/* Neighbor and path below it. */
static void put_path(struct live *live)
{
    struct trees *t = live->rig->t;
    const struct flue_tcp_ends *e = &live->ends;
    struct tree tree;
    uint32_t neighbor[NEIGHBOR_WORDS] = {word(e->mac_there), (uint32_t)e->mac_there[4] | (uint32_t)e->mac_there[5] << 8,
                                         word(e->mac_here), (uint32_t)e->mac_here[4] | (uint32_t)e->mac_here[5] << 8};
    uint32_t path[PATH_WORDS] = {0};
    for (unsigned i = 0; i < (e->ipv6 ? 4u : 1u); i++) {
        path[i] = word(e->ip_there + 4 * i);
        path[4 + i] = word(e->ip_here + 4 * i);
    }
    path[8] = 1500;
    tree_clear(&tree);
    (void)tree_add(&tree, FLUE_NODE_NEW, 0, NeighborOffloadState, neighbor);
    (void)tree_add(&tree, FLUE_NODE_NEW, 1, e->ipv6 ? Ip6OffloadState : Ip4OffloadState, path);
    trees_run(t, FLUE_OP_INITIATE, &tree);
    CHECK(tree.item[0].status == TREE_OK && tree.item[1].status == TREE_OK);
    live->neighbor = tree.item[0].handle;
    live->path = tree.item[1].handle;
}

void live_hold(struct live *live)
{
    struct trees *t = live->rig->t;
    struct flue_admin_done done;
    struct flue_ring_place send, recv;
    CHECK(flue_conn_open(live->rig->conns, LIVE_RING_LOG2, LIVE_RING_LOG2, &live->conn) == FLUE_OK);
    flue_conn_places(live->conn, &send, &recv);
    struct flue_sqe hold = {.word0 = FLUE_OP_HOLD, .handle = live->path, .arg = {ports(live), 1, 0}};
    CHECK(trees_command(t, &hold, &done) && done.status == TREE_OK, "hold: %08X detail %u", done.status, done.detail);
    live->handle = done.result;
    struct flue_sqe rings = {
        .word0 = FLUE_OP_RINGS,
        .handle = live->handle,
        .arg = {send.region | (uint32_t)send.log2 << 8 | (uint32_t)recv.region << 16 | (uint32_t)recv.log2 << 24, send.offset,
                recv.offset}};
    CHECK(trees_command(t, &rings, &done) && done.status == TREE_OK, "rings: %08X detail %u", done.status, done.detail);
}

static uint32_t window_of(const struct live_start *s)
{
    uint32_t most = 1u << LIVE_RING_LOG2;
    uint32_t window = s->window != 0 ? s->window : most / 2;
    uint32_t field = 65535u << s->scale;
    return window < field ? window : field;
}

static void load(struct live *live)
{
    const struct live_start *s = &live->start;
    uint32_t state[TCP_WORDS] = {0}, window = window_of(s);
    struct flue_wire_tcp_const *c = (void *)state;
    struct flue_wire_tcp_cached *k = (void *)(state + TCP_CACHED);
    struct flue_wire_tcp_delegated *d = (void *)(state + TCP_DELEGATED);

    c->word0 = (s->timestamps ? FLAG_TIMESTAMPS : 0) | (s->sack ? FLAG_SACK : 0) | (s->scale ? FLAG_SCALE : 0) |
               s->scale << FLUE_WIRE_TCP_CONST_SND_WIND_SCALE_SHIFT | s->scale << FLUE_WIRE_TCP_CONST_RCV_WIND_SCALE_SHIFT;
    c->ports = ports(live);
    c->word2 = 1460;
    k->initial_rcv_wnd = 1u << LIVE_RING_LOG2;
    k->word8 = 64;
    d->word0 = ESTABLISHED;
    d->rcv_nxt = d->send_wl1 = s->rcv;
    d->rcv_wnd = window;
    d->snd_una = d->snd_nxt = d->snd_max = s->snd;
    d->snd_wnd = d->max_snd_wnd = window;
    d->cwnd = 10 * LIVE_MSS;
    d->ssthresh = UINT32_MAX;
    d->ts_recent_age = UINT32_MAX;
    d->ts_time = 1000;
    d->ka_timeout_delta = d->rexmit_timeout_delta = UINT32_MAX;
    live_load(live, state, &(struct flue_conn_begin){.snd_una = s->snd, .send_limit = s->snd, .rcv_nxt = s->rcv});
}

void live_load(struct live *live, const uint32_t state[TCP_WORDS], const struct flue_conn_begin *positions)
{
    struct trees *t = live->rig->t;
    struct tree tree;
    tree_clear(&tree);
    tree_add(&tree, FLUE_NODE_REFERENCE, 0, NeighborOffloadState, NULL)->handle = live->neighbor;
    tree_add(&tree, FLUE_NODE_REFERENCE, 1, live->start.ipv6 ? Ip6OffloadState : Ip4OffloadState, NULL)->handle = live->path;
    tree_add(&tree, FLUE_NODE_NEW, 2, TcpOffloadState, state)->handle = live->handle;
    uint32_t bytes = tree_marshal(t, &tree);
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_OP_INITIATE | FLUE_SQE_LOAD_ONLY_MASK, .word1 = t->mem.region, .length = bytes};
    CHECK(trees_command(t, &sqe, &done) && done.status == TREE_OK, "initiate: %08X", done.status);
    tree_unmarshal(t, &tree);
    CHECK(tree.item[2].status == TREE_OK, "load: %08X detail %u", tree.item[2].status, tree.item[2].detail);
    struct flue_conn_begin begin = *positions;
    begin.row = (uint16_t)(live->handle & FLUE_HANDLE_INDEX_MASK);
    begin.generation = (uint16_t)((live->handle & FLUE_HANDLE_GENERATION_MASK) >> FLUE_HANDLE_GENERATION_SHIFT);
    CHECK(flue_conn_attach(live->conn, &begin) == FLUE_OK);
}

bool live_begin(struct live *live, uint32_t *last)
{
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_OP_START, .handle = live->handle, .arg = {*last, 0, 0}};
    CHECK(trees_command(live->rig->t, &sqe, &done));
    if (done.status == TREE_OK)
        return true;
    *last = done.result;
    return false;
}

static void peer_open(struct live *live)
{
    const struct live_start *s = &live->start;
    uint32_t window = window_of(s);
    struct flue_tcp r = {.state = FLUE_TCP_ESTABLISHED,
                         .ts = s->timestamps,
                         .sack = s->sack,
                         .snd_scale = s->scale,
                         .rcv_scale = s->scale,
                         .mss = (s->ipv6 ? 1440u : 1460u) - (s->timestamps ? 12u : 0),
                         .mss_rcv = LIVE_MSS,
                         .rcv_buf = 1u << LIVE_RING_LOG2,
                         .snd_buf = 1u << LIVE_RING_LOG2,
                         .limit = 15,
                         .generation = 1,
                         .rcv_nxt = s->snd,
                         .rcv_edge = s->snd,
                         .consumed = s->snd,
                         .last_ack_sent = s->snd,
                         .rcv_adv = s->snd + window,
                         .snd_una = s->rcv,
                         .snd_max = s->rcv,
                         .send_limit = s->rcv,
                         .snd_wnd = window,
                         .max_snd_wnd = window,
                         .snd_wl1 = s->snd,
                         .snd_wl2 = s->rcv,
                         .cwnd = 10 * LIVE_MSS,
                         .ssthresh = UINT32_MAX,
                         .ts_offset = 77777};
    struct flue_tcp_host_config config = {.record = r, .latency_us = 5, .emit = on_emit, .user = live};
    CHECK(flue_tcp_host_open(&live->peer, &config, flue_sim_time_us(live->rig->t->rig->sim)));
}

void live_prepare(struct live_rig *rig, struct live *live, const struct live_start *start)
{
    unsigned slot = 0;
    memset(live, 0, sizeof *live);
    live->rig = rig;
    live->start = *start;
    addresses(live, rig->number++);
    put_path(live);
    peer_open(live);
    while (slot < LIVE_CONNECTIONS && rig->live[slot])
        slot++;
    CHECK(slot < LIVE_CONNECTIONS);
    rig->live[slot] = live;
}

void live_enter(struct live *live)
{
    live_hold(live);
    load(live);
}

void live_open(struct live_rig *rig, struct live *live, const struct live_start *start)
{
    uint32_t last = 0;
    unsigned tries = 0;
    live_prepare(rig, live, start);
    live_enter(live);
    while (!live_begin(live, &last) && ++tries < 4) {
    }
    CHECK(tries < 4, "start was refused %u times", tries);
}

void live_freeze(struct live *live)
{
    struct trees *t = live->rig->t;
    struct tree tree;
    uint32_t none[TCP_WORDS] = {0};
    tree_clear(&tree);
    struct tree_item *item = tree_add(&tree, FLUE_NODE_REFERENCE, 0, TcpOffloadDelegatedState, none);
    item->handle = live->handle;
    trees_run(t, FLUE_OP_TERMINATE, &tree);
    CHECK(tree.item[0].status == TREE_OK, "freeze: %08X detail %u", tree.item[0].status, tree.item[0].detail);
    memcpy(&live->frozen, tree.item[0].state, sizeof live->frozen);
    CHECK(flue_conn_detach(live->conn, live->frozen.snd_una, live->frozen.rcv_nxt) == FLUE_OK);
}

void live_close(struct live *live)
{
    for (unsigned i = 0; i < LIVE_CONNECTIONS; i++)
        if (live->rig->live[i] == live)
            live->rig->live[i] = NULL;
    flue_conn_close(live->conn);
    flue_tcp_host_close(&live->peer);
}

/* ---- programs ---------------------------------------------------------------------------------------------------------------
 */

void live_push(struct live *live, uint64_t until)
{
    uint8_t data[CHUNK];
    size_t sent = 1;
    while (live->sent < until && sent > 0) {
        size_t n = until - live->sent < CHUNK ? (size_t)(until - live->sent) : CHUNK;
        for (size_t i = 0; i < n; i++)
            data[i] = live_byte(live->sent + i, 0);
        enum flue_err err = flue_conn_send(live->conn, data, n, &sent);
        CHECK(err == FLUE_OK || err == FLUE_EAGAIN, "%s", flue_err_name(err));
        live->sent += sent;
    }
}

void live_pull(struct live *live)
{
    uint8_t data[CHUNK];
    size_t got = 1;
    while (got > 0) {
        enum flue_err err = flue_conn_recv(live->conn, data, CHUNK, &got);
        CHECK(err == FLUE_OK || err == FLUE_EAGAIN, "%s", flue_err_name(err));
        for (size_t i = 0; i < got; i++)
            if (data[i] != live_byte(live->received + i, 1)) {
                CHECK(!"a byte arrived wrong at the adapter", "byte %llu", (unsigned long long)(live->received + i));
                break;
            }
        live->received += got;
    }
    CHECK(flue_conn_kick(live->conn, false, false) == FLUE_OK);
}

void live_peer_push(struct live *live, uint64_t until)
{
    uint8_t data[CHUNK];
    uint64_t now = flue_sim_time_us(live->rig->t->rig->sim);
    size_t sent = 1;
    while (live->peer_sent < until && sent > 0) {
        size_t n = until - live->peer_sent < CHUNK ? (size_t)(until - live->peer_sent) : CHUNK;
        for (size_t i = 0; i < n; i++)
            data[i] = live_byte(live->peer_sent + i, 1);
        sent = flue_tcp_host_write(&live->peer, now, data, n);
        live->peer_sent += sent;
    }
}

void live_peer_pull(struct live *live)
{
    uint8_t data[CHUNK];
    uint64_t now = flue_sim_time_us(live->rig->t->rig->sim);
    size_t got;
    while ((got = flue_tcp_host_read(&live->peer, now, data, CHUNK)) > 0) {
        for (size_t i = 0; i < got; i++)
            if (data[i] != live_byte(live->peer_received + i, 0)) {
                CHECK(!"a byte arrived wrong at the peer", "byte %llu", (unsigned long long)(live->peer_received + i));
                break;
            }
        live->peer_received += got;
    }
}

bool live_exchange(struct live_rig *rig, struct live **live, unsigned count, uint64_t to_peer, uint64_t to_adapter,
                   uint64_t limit_us)
{
    uint64_t end_us = flue_sim_time_us(rig->t->rig->sim) + limit_us;
    for (;;) {
        bool done = true;
        for (unsigned i = 0; i < count; i++) {
            live_push(live[i], to_peer);
            live_peer_push(live[i], to_adapter);
            live_pull(live[i]);
            live_peer_pull(live[i]);
            done = done && live[i]->received == to_adapter && live[i]->peer_received == to_peer;
        }
        if (done)
            return true;
        if (flue_sim_time_us(rig->t->rig->sim) >= end_us || !live_run(rig, STEP_US))
            return false;
    }
}
