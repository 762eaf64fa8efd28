#include "moves.h"

#include <stdlib.h>
#include <string.h>

enum {
    RING = 1 << LIVE_RING_LOG2,
    FLAG_TIMESTAMPS = 1, /* const state */
    FLAG_SACK = 2,
    FLAG_SCALE = 4,
    TRIES = 8, /* of START and RELEASE */
    LIMIT_US = 100000,
    STEP_US = 200,
    TICK_US = 1000,
    CHUNK = 4096,
};

const char *const move_in_step[MOVE_IN_STEPS] = {"hold", "marker", "freeze", "drain", "snapshot", "load", "start"};
const char *const move_out_step[MOVE_OUT_STEPS] = {"freeze", "restore", "release", "marker", "kept frames"};

static uint64_t now_of(const struct moving *m)
{
    return flue_sim_time_us(m->live.rig->t->rig->sim);
}

/* ---- the host's stack --------------------------------------------------------------------------------------------------- */

static struct flue_tcp_ends mirror(const struct flue_tcp_ends *e)
{
    struct flue_tcp_ends m = {.ipv6 = e->ipv6, .port_here = e->port_there, .port_there = e->port_here};
    memcpy(m.mac_here, e->mac_there, sizeof m.mac_here);
    memcpy(m.mac_there, e->mac_here, sizeof m.mac_there);
    memcpy(m.ip_here, e->ip_there, sizeof m.ip_here);
    memcpy(m.ip_there, e->ip_here, sizeof m.ip_there);
    return m;
}

static void on_emit(void *user, uint64_t now_us, const struct flue_tcp_seg *seg, const uint8_t *payload)
{
    struct moving *m = user;
    struct flue_tcp_ends ends = mirror(&m->live.ends);
    uint8_t frame[FLUE_TCP_FRAME_HEADERS + 2048];
    (void)now_us;
    size_t len = flue_tcp_frame_build(&ends, seg, payload, frame);
    CHECK(rig_put(m->live.rig->t->rig, frame, len, 1, &(struct flue_tx_packet){0}) == FLUE_OK);
}

static void home_receive(void *user, const struct rig_frame *f)
{
    struct moving *m = user;
    struct flue_tcp_ends ends = mirror(&m->live.ends);
    struct flue_tcp_seg seg;
    const uint8_t *payload;
    if (flue_tcp_frame_parse(&ends, f->data, f->len, &seg, &payload))
        (void)flue_tcp_host_receive(&m->home, now_of(m), &seg, payload);
}

static void home_open(struct moving *m, const struct flue_tcp *record, const uint8_t *queued)
{
    struct flue_tcp_host_config config = {.record = *record, .latency_us = 5, .emit = on_emit, .user = m};
    CHECK(flue_tcp_host_open(&m->home, &config, now_of(m)));
    for (uint32_t i = 0; i < record->send_limit - record->snd_una; i++)
        m->home.send_ring[(record->snd_una + i) & m->home.send_mask] = queued[i];
    m->live.home = &m->home;
}

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

static struct flue_tcp fresh(const struct moving *m)
{
    struct flue_tcp r = m->live.peer.t; /* the mirror of the peer as it was opened */
    r.mode = FLUE_TCP_EMPTY;
    r.rcv_nxt = r.rcv_edge = r.consumed = r.last_ack_sent = r.snd_wl1 = m->live.start.rcv;
    r.rcv_adv = m->live.start.rcv + r.snd_wnd;
    r.snd_una = r.snd_max = r.send_limit = r.snd_wl2 = m->live.start.snd;
    r.ts_offset = 1000 - (uint32_t)(now_of(m) / TICK_US);
    return r;
}

void moving_open(struct moving *m, struct detour *d, const struct live_start *start, bool inside)
{
    memset(m, 0, sizeof *m);
    m->detour = d;
    d->plain = home_receive;
    d->plain_user = m;
    if (inside) {
        live_open(d->rig, &m->live, start);
        return;
    }
    live_prepare(d->rig, &m->live, start);
    struct flue_tcp record = fresh(m);
    home_open(m, &record, NULL);
}

void moving_close(struct moving *m)
{
    if (m->live.home)
        flue_tcp_host_close(&m->home);
    else
        live_freeze(&m->live); /* it says nothing to a peer that is gone */
    m->live.home = NULL;
    m->detour->plain = NULL;
    live_run(m->live.rig, STEP_US); /* what was on its way */
    live_close(&m->live);
}

/* ---- states ------------------------------------------------------------------------------------------------------------- */

static uint32_t ticks(uint32_t until, uint64_t now_us)
{
    int32_t left = (int32_t)(until - (uint32_t)now_us);
    return left > 0 ? (uint32_t)left / TICK_US : 0;
}

static uint32_t half(uint32_t value)
{
    return value < 0xFFFF ? value : 0xFFFF;
}

/* What the host's stack held: the record less its out-of-order ranges (HND-007), all that was received is with the program. */
static void give_up(struct moving *m, uint32_t state[TCP_WORDS], struct flue_conn_begin *begin)
{
    const struct flue_tcp *r = &m->home.t;
    uint64_t now = now_of(m);
    struct flue_wire_tcp_const *c = (void *)state;
    struct flue_wire_tcp_cached *k = (void *)(state + TCP_CACHED);
    struct flue_wire_tcp_delegated *d = (void *)(state + TCP_DELEGATED);

    c->word0 = (r->ts ? FLAG_TIMESTAMPS : 0) | (r->sack ? FLAG_SACK : 0) | (r->snd_scale ? FLAG_SCALE : 0) |
               r->snd_scale << FLUE_WIRE_TCP_CONST_SND_WIND_SCALE_SHIFT |
               r->rcv_scale << FLUE_WIRE_TCP_CONST_RCV_WIND_SCALE_SHIFT;
    c->ports = (uint32_t)m->live.ends.port_here | (uint32_t)m->live.ends.port_there << FLUE_WIRE_TCP_CONST_LOCAL_PORT_SHIFT;
    c->word2 = 1460;
    k->initial_rcv_wnd = RING;
    k->word8 = 64;
    d->word0 = r->state;
    d->rcv_nxt = r->rcv_nxt;
    d->rcv_wnd = r->rcv_adv - r->rcv_nxt;
    d->snd_una = r->snd_una;
    d->snd_nxt = r->recovery == FLUE_TCP_LOSS ? r->high_rxt : r->snd_max;
    d->snd_max = r->snd_max;
    d->snd_wnd = r->snd_wnd;
    d->max_snd_wnd = r->max_snd_wnd;
    d->send_wl1 = r->snd_wl1;
    d->cwnd = r->cwnd;
    d->ssthresh = r->ssthresh;
    d->word11 = half(r->srtt8 / TICK_US) | half(r->rttvar4 / TICK_US) << 16;
    d->ts_recent = r->ts_recent;
    d->ts_recent_age = r->ts_valid ? 0 : UINT32_MAX;
    d->ts_time = (uint32_t)(now / TICK_US) + r->ts_offset;
    d->ka_timeout_delta = UINT32_MAX;
    d->rexmit_timeout_delta = r->rto_on && r->snd_una != r->snd_max ? ticks(r->rto_at, now) : UINT32_MAX;
    d->send_backlog = m->home.written - r->snd_una;
    *begin = (struct flue_conn_begin){.snd_una = r->snd_una,
                                      .send_limit = m->home.written,
                                      .rcv_nxt = r->rcv_nxt - (m->home.fin ? 1u : 0u),
                                      .fin_received = m->home.fin};
}

/* The other way round, from the delegated state that came back. */
static struct flue_tcp take_back(struct moving *m, const struct flue_wire_tcp_delegated *d, uint32_t send_limit)
{
    const struct live_start *s = &m->live.start;
    uint64_t now = now_of(m);
    struct flue_tcp r = {.state = d->word0 & 15,
                         .ts = s->timestamps,
                         .sack = s->sack,
                         .snd_scale = s->scale,
                         .rcv_scale = s->scale,
                         .mss = m->live.peer.t.mss,
                         .mss_rcv = LIVE_MSS,
                         .rcv_buf = RING,
                         .snd_buf = RING,
                         .limit = 15,
                         .generation = 1,
                         .rcv_nxt = d->rcv_nxt,
                         .rcv_edge = d->rcv_nxt,
                         .last_ack_sent = d->rcv_nxt,
                         .rcv_adv = d->rcv_nxt + d->rcv_wnd,
                         .snd_una = d->snd_una,
                         .snd_max = d->snd_max,
                         .send_limit = send_limit,
                         .snd_wnd = d->snd_wnd,
                         .max_snd_wnd = d->max_snd_wnd,
                         .snd_wl1 = d->send_wl1,
                         .snd_wl2 = d->snd_una,
                         .cwnd = d->cwnd,
                         .ssthresh = d->ssthresh,
                         .srtt8 = (d->word11 & 0xFFFF) * TICK_US,
                         .rttvar4 = (d->word11 >> 16) * TICK_US,
                         .ts_recent = d->ts_recent,
                         .ts_valid = d->ts_recent_age != UINT32_MAX,
                         .ts_age = (uint32_t)(now >> 20),
                         .ts_offset = d->ts_time - (uint32_t)(now / TICK_US)};
    bool fin = r.state == FLUE_TCP_CLOSE_WAIT;
    r.rtt_valid = r.srtt8 != 0;
    r.fin_valid = fin;
    r.fin_seq = r.rcv_nxt - fin;
    r.consumed = r.rcv_nxt - fin;
    if (d->snd_nxt != d->snd_max) {
        r.recover_valid = 1;
        r.recovery = FLUE_TCP_LOSS;
        r.recover = d->snd_max;
        r.high_rxt = d->snd_nxt;
    }
    if (d->rexmit_timeout_delta != UINT32_MAX && d->snd_una != d->snd_max) {
        r.rto_on = 1;
        r.rto_at = (uint32_t)m->frozen_us + d->rexmit_timeout_delta * TICK_US; /* its time goes on */
    }
    return r;
}

/* ---- steps -------------------------------------------------------------------------------------------------------------- */

static void marker_await(struct moving *m)
{
    struct rig *r = m->live.rig->t->rig;
    uint64_t end = now_of(m) + LIMIT_US;
    while (r->marker != m->live.handle && now_of(m) < end && live_run(m->live.rig, 50)) {
    }
    CHECK(r->marker == m->live.handle, "no marker came");
    r->marker = 0;
}

static void in_load(struct moving *m)
{
    uint32_t state[TCP_WORDS] = {0};
    struct flue_conn_begin begin;
    give_up(m, state, &begin);
    for (uint32_t seq = begin.snd_una; seq != begin.send_limit; seq++)
        CHECK(flue_conn_fill(m->live.conn, seq, &m->home.send_ring[seq & m->home.send_mask], 1) == FLUE_OK);
    flue_tcp_host_close(&m->home);
    live_load(&m->live, state, &begin);
}

static void in_start(struct moving *m)
{
    unsigned tries = 0;
    do {
        detour_forward(m->detour);
        m->forwarded = m->detour->newest;
    } while (!live_begin(&m->live, &m->forwarded) && ++tries < TRIES && live_run(m->live.rig, 50));
    CHECK(tries < TRIES, "START was answered \"again\" %u times", tries);
}

void move_in(struct moving *m, unsigned step)
{
    struct rig *r = m->live.rig->t->rig;
    uint64_t end = now_of(m) + LIMIT_US;
    switch (step) {
    case 0:
        r->marker = 0;
        live_hold(&m->live);
        m->detour->newest = 0;
        break;
    case 1:
        marker_await(m);
        break;
    case 2:
        flue_tcp_host_command(&m->home, now_of(m), FLUE_TCP_FREEZE);
        while (!m->home.frozen && now_of(m) < end && live_run(m->live.rig, 20)) {
        }
        CHECK(m->home.frozen);
        break;
    case 3:
        while (flue_tx_outstanding(r->adapter) > 0 && now_of(m) < end && live_run(m->live.rig, 20)) {
        }
        CHECK_EQ(flue_tx_outstanding(r->adapter), 0);
        break;
    case 4:
        moving_pull(m); /* the program has it all */
        m->live.home = NULL;
        break;
    case 5:
        in_load(m);
        break;
    case 6:
        in_start(m);
        break;
    default:
        CHECK(!"no such step");
    }
}

static void out_freeze(struct moving *m)
{
    struct tree tree;
    uint32_t none[TCP_WORDS] = {0};
    tree_clear(&tree);
    tree_add(&tree, FLUE_NODE_REFERENCE, 0, TcpOffloadDelegatedState, none)->handle = m->live.handle;
    trees_run(m->live.rig->t, FLUE_OP_TERMINATE | FLUE_SQE_KEEP_ENTRY_MASK, &tree);
    CHECK(tree.item[0].status == TREE_OK, "freeze: %08X detail %u", tree.item[0].status, tree.item[0].detail);
    memcpy(&m->live.frozen, tree.item[0].state, sizeof m->live.frozen);
    m->frozen_us = now_of(m);
}

static void out_restore(struct moving *m)
{
    static uint8_t queued[RING];
    const struct flue_wire_tcp_delegated *d = &m->live.frozen;
    struct flue_conn_view view;
    uint8_t byte;
    CHECK(flue_conn_look(m->live.conn, &view) == FLUE_OK);
    struct flue_tcp record = take_back(m, d, view.send_limit); /* queued, whether the engine was told or not */
    CHECK(flue_conn_detach(m->live.conn, d->snd_una, record.consumed) == FLUE_OK);
    for (; m->live.received < record.consumed - m->live.start.rcv; m->live.received++) {
        CHECK(flue_conn_peek_received(m->live.conn, m->live.start.rcv + (uint32_t)m->live.received, &byte, 1) == FLUE_OK);
        CHECK(byte == live_byte(m->live.received, 1), "byte %llu of the frozen ring", (unsigned long long)m->live.received);
    }
    CHECK(flue_conn_peek_sent(m->live.conn, d->snd_una, queued, view.send_limit - d->snd_una) == FLUE_OK);
    home_open(m, &record, queued);
    if (record.fin_valid)
        m->home.fin = true;
}

static void out_release(struct moving *m)
{
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_OP_RELEASE, .handle = m->live.handle};
    m->live.rig->t->rig->marker = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        CHECK(trees_command(m->live.rig->t, &sqe, &done));
        if (done.status == TREE_OK)
            return;
        live_run(m->live.rig, 50);
    }
    CHECK(!"RELEASE is refused", "status %08X, detail %u", done.status, done.detail);
}

void move_out(struct moving *m, unsigned step)
{
    switch (step) {
    case 0:
        out_freeze(m);
        break;
    case 1:
        out_restore(m);
        break;
    case 2:
        out_release(m);
        break;
    case 3:
        marker_await(m);
        break;
    case 4:
        live_run(m->live.rig, 1); /* what was received is handed over */
        for (unsigned i = 0; i < m->detour->kept_count; i++)
            home_receive(m, &m->detour->kept[i]);
        detour_forget(m->detour);
        break;
    default:
        CHECK(!"no such step");
    }
}

/* ---- the program -------------------------------------------------------------------------------------------------------- */

void moving_push(struct moving *m, uint64_t until)
{
    uint8_t data[CHUNK];
    size_t sent = 1;
    if (!m->live.home) {
        live_push(&m->live, until);
        CHECK(flue_conn_kick(m->live.conn, false, false) == FLUE_OK);
        return;
    }
    while (m->live.sent < until && sent > 0) {
        size_t n = until - m->live.sent < CHUNK ? (size_t)(until - m->live.sent) : CHUNK;
        for (size_t i = 0; i < n; i++)
            data[i] = live_byte(m->live.sent + i, 0);
        sent = flue_tcp_host_write(&m->home, now_of(m), data, n);
        m->live.sent += sent;
    }
}

void moving_pull(struct moving *m)
{
    uint8_t data[CHUNK];
    size_t got;
    if (!m->live.home) {
        live_pull(&m->live);
        return;
    }
    while ((got = flue_tcp_host_read(&m->home, now_of(m), data, CHUNK)) > 0) {
        for (size_t i = 0; i < got; i++)
            CHECK(data[i] == live_byte(m->live.received + i, 1), "byte %llu at the host",
                  (unsigned long long)(m->live.received + i));
        m->live.received += got;
    }
}

void moving_finish(struct moving *m)
{
    if (m->live.home) {
        flue_tcp_host_finish(&m->home, now_of(m));
        return;
    }
    CHECK(flue_conn_shutdown(m->live.conn) == FLUE_OK);
    CHECK(flue_conn_kick(m->live.conn, false, false) == FLUE_OK);
}

bool moving_ended(struct moving *m, enum flue_tcp_end *end, bool *peer_finished)
{
    struct flue_conn_view view;
    if (m->live.home) {
        *end = m->home.ended;
        *peer_finished = m->home.fin;
    } else {
        uint8_t byte;
        size_t got;
        CHECK(flue_conn_look(m->live.conn, &view) == FLUE_OK);
        *end = view.ended > FLUE_TCP_END_FIN ? (enum flue_tcp_end)view.ended : FLUE_TCP_END_NONE;
        *peer_finished = view.readable == 0 && flue_conn_recv(m->live.conn, &byte, 1, &got) == FLUE_OK;
    }
    return *end != FLUE_TCP_END_NONE;
}

bool moving_exchange(struct moving *m, uint64_t to_peer, uint64_t to_host, uint64_t limit_us)
{
    uint64_t end_us = now_of(m) + limit_us;
    for (;;) {
        moving_push(m, to_peer);
        live_peer_push(&m->live, to_host);
        moving_pull(m);
        live_peer_pull(&m->live);
        if (m->live.received == to_host && m->live.peer_received == to_peer)
            return true;
        if (now_of(m) >= end_us || !live_run(m->live.rig, STEP_US))
            return false;
    }
}
