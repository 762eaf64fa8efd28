/* Connections of flue/sim_host.h: hold, load, start, query, freeze. */
#include "host_internal.h"

#include <stdlib.h>
#include <string.h>

#include "flue/ndis/types.h"

enum { STARTS_MAX = 4, FLAG_TIMESTAMPS = 1, FLAG_SACK = 2, FLAG_SCALE = 4, TTL_DEFAULT = 64 };
enum { SRTT_STEP_US = 125, RTTVAR_STEP_US = 250 }; /* ticks of 1 ms, 3 and 2 fraction bits */

void flue_sim_conn_state_init(struct flue_sim_conn_state *s)
{
    *s = (struct flue_sim_conn_state){.timestamps = true,
                                      .sack = true,
                                      .window_scaling = true,
                                      .snd_scale = 2,
                                      .rcv_scale = 2,
                                      .mss = 1460,
                                      .state = TcpConnectionEstablished,
                                      .rcv_wnd = 65536,
                                      .rcv_buf = 65536,
                                      .snd_wnd = 65536,
                                      .max_snd_wnd = 65536,
                                      .cwnd = 14480,
                                      .ssthresh = UINT32_MAX,
                                      .retransmit_ms = FLUE_SIM_NOT_RUNNING,
                                      .ts_recent_age_ms = FLUE_SIM_NOT_RUNNING,
                                      .ttl = TTL_DEFAULT};
}

/* ---- state and words ---------------------------------------------------------------------------------------------------- */

static bool fin_received(uint8_t state)
{
    return state >= TcpConnectionCloseWait;
}

static bool fin_sent(uint8_t state)
{
    return state == TcpConnectionFinWait1 || state == TcpConnectionFinWait2 || state >= TcpConnectionClosing;
}

static uint32_t ports_of(const struct flue_sim_ends *ends)
{
    return ends->port_peer | (uint32_t)ends->port_adapter << FLUE_WIRE_TCP_CONST_LOCAL_PORT_SHIFT;
}

static uint32_t steps(uint32_t us, uint32_t step)
{
    uint32_t n = us / step;
    return us != 0 && n == 0 ? 1 : n < 0xFFFF ? n : 0xFFFF;
}

void host_state_pack(const struct flue_sim_conn_state *s, const struct flue_sim_ends *ends, uint32_t words[HOST_TCP_WORDS])
{
    memset(words, 0, HOST_TCP_WORDS * 4);
    struct flue_wire_tcp_const *c = (void *)words;
    struct flue_wire_tcp_cached *k = (void *)(words + HOST_TCP_CACHED);
    struct flue_wire_tcp_delegated *d = (void *)(words + HOST_TCP_DELEGATED);

    c->word0 = (s->timestamps ? FLAG_TIMESTAMPS : 0u) | (s->sack ? FLAG_SACK : 0u) | (s->window_scaling ? FLAG_SCALE : 0u) |
               (uint32_t)s->snd_scale << FLUE_WIRE_TCP_CONST_SND_WIND_SCALE_SHIFT |
               (uint32_t)s->rcv_scale << FLUE_WIRE_TCP_CONST_RCV_WIND_SCALE_SHIFT;
    c->ports = ports_of(ends);
    c->word2 = s->mss;
    k->initial_rcv_wnd = s->rcv_buf;
    k->ka_timeout = k->ka_interval = k->max_rt = UINT32_MAX;
    k->word8 = s->ttl | (uint32_t)s->tos << FLUE_WIRE_TCP_CACHED_TOS_SHIFT;
    d->word0 = s->state;
    d->rcv_nxt = s->rcv_nxt;
    d->rcv_wnd = s->rcv_wnd;
    d->snd_una = s->snd_una;
    d->snd_nxt = s->snd_nxt;
    d->snd_max = s->snd_max;
    d->snd_wnd = s->snd_wnd;
    d->max_snd_wnd = s->max_snd_wnd;
    d->send_wl1 = s->snd_wl1;
    d->cwnd = s->cwnd;
    d->ssthresh = s->ssthresh;
    d->word11 = steps(s->srtt_us, SRTT_STEP_US) | steps(s->rttvar_us, RTTVAR_STEP_US) << FLUE_WIRE_TCP_DELEGATED_RTT_VAR_SHIFT;
    d->ts_recent = s->ts_recent;
    d->ts_recent_age = s->ts_recent_age_ms;
    d->ts_time = s->ts_clock;
    d->word16 = s->dup_acks | (uint32_t)s->probes << FLUE_WIRE_TCP_DELEGATED_SND_WND_PROBE_COUNT_SHIFT |
                (uint32_t)s->timeouts << FLUE_WIRE_TCP_DELEGATED_REXMIT_COUNT_SHIFT;
    d->ka_timeout_delta = FLUE_SIM_NOT_RUNNING;
    d->rexmit_timeout_delta = s->retransmit_ms;
    d->send_backlog = s->unacked_bytes;
}

void host_state_unpack(const uint32_t *delegated, struct flue_sim_conn_state *s)
{
    const struct flue_wire_tcp_delegated *d = (const void *)delegated;

    s->state = (uint8_t)(d->word0 & FLUE_WIRE_TCP_DELEGATED_STATE_MASK);
    s->rcv_nxt = d->rcv_nxt;
    s->rcv_wnd = d->rcv_wnd;
    s->snd_una = d->snd_una;
    s->snd_nxt = d->snd_nxt;
    s->snd_max = d->snd_max;
    s->snd_wnd = d->snd_wnd;
    s->max_snd_wnd = d->max_snd_wnd;
    s->snd_wl1 = d->send_wl1;
    s->cwnd = d->cwnd;
    s->ssthresh = d->ssthresh;
    s->srtt_us = (d->word11 & FLUE_WIRE_TCP_DELEGATED_SRTT_MASK) * SRTT_STEP_US;
    s->rttvar_us = (d->word11 >> FLUE_WIRE_TCP_DELEGATED_RTT_VAR_SHIFT) * RTTVAR_STEP_US;
    s->retransmit_ms = d->rexmit_timeout_delta;
    s->dup_acks = (uint8_t)d->word16;
    s->probes = (uint8_t)(d->word16 >> FLUE_WIRE_TCP_DELEGATED_SND_WND_PROBE_COUNT_SHIFT);
    s->timeouts = (uint8_t)(d->word16 >> FLUE_WIRE_TCP_DELEGATED_REXMIT_COUNT_SHIFT);
    s->ts_recent = d->ts_recent;
    s->ts_recent_age_ms = d->ts_recent_age;
    s->ts_clock = d->ts_time;
    s->unacked = NULL;
    s->unacked_bytes = d->send_backlog;
    s->unread_bytes = d->receive_backlog;
}

/* ---- hold, load, start -------------------------------------------------------------------------------------------------- */

static enum flue_err entry_make(struct flue_sim_conn *c)
{
    struct flue_admin_done done;
    struct flue_ring_place send, recv;
    struct flue_sqe hold = {.word0 = FLUE_OP_HOLD, .handle = c->route->path, .arg = {ports_of(&c->ends)}};
    enum flue_err err = host_command(c->host, &hold, "hold", &done);
    if (err != FLUE_OK)
        return err;
    c->handle = done.result;
    flue_conn_places(c->ring, &send, &recv);
    struct flue_sqe rings = {
        .word0 = FLUE_OP_RINGS,
        .handle = c->handle,
        .arg = {send.region | (uint32_t)send.log2 << 8 | (uint32_t)recv.region << 16 | (uint32_t)recv.log2 << 24, send.offset,
                recv.offset}};
    return host_command(c->host, &rings, "rings", &done);
}

enum flue_err flue_sim_conn_hold(struct flue_sim_host *h, const struct flue_sim_ends *ends, unsigned send_log2,
                                 unsigned recv_log2, struct flue_sim_conn **out)
{
    if (out == NULL)
        return FLUE_EARG;
    *out = NULL;
    if (h == NULL || ends == NULL)
        return FLUE_EARG;
    struct flue_sim_conn *c = calloc(1, sizeof *c);
    if (c == NULL)
        return host_fail(h, FLUE_ENOMEM, "hold");
    c->host = h;
    c->ends = *ends;
    enum flue_err err = flue_conn_open(h->conns, send_log2, recv_log2, &c->ring);
    if (err != FLUE_OK)
        (void)host_fail(h, err, "rings of 2^%u and 2^%u bytes", send_log2, recv_log2);
    else
        err = host_route(h, ends, &c->route);
    c->next = h->list;
    h->list = c;
    if (err == FLUE_OK)
        err = entry_make(c);
    if (err != FLUE_OK) {
        flue_sim_conn_close(c);
        return err;
    }
    *out = c;
    return FLUE_OK;
}

enum flue_err flue_sim_conn_load(struct flue_sim_conn *c, const struct flue_sim_conn_state *s)
{
    uint32_t words[HOST_TCP_WORDS];
    if (c == NULL || s == NULL)
        return FLUE_EARG;
    struct flue_sim_host *h = c->host;
    if (c->phase != CONN_HELD)
        return host_fail(h, FLUE_ESTATE, "load: it is loaded already");
    uint32_t sent = s->snd_max - s->snd_una - (fin_sent(s->state) && s->snd_max != s->snd_una ? 1 : 0);
    if (s->snd_max - s->snd_una > 1u << 30 || s->unacked_bytes < sent || (s->unacked == NULL && s->unacked_bytes > 0))
        return host_fail(h, FLUE_EARG, "load: %u bytes are in flight, %u were given", sent,
                         s->unacked != NULL ? s->unacked_bytes : 0);
    if (s->unread_bytes > 0)
        return host_fail(h, FLUE_EARG, "load: unread bytes stay with the host, the ring begins empty");
    if (s->snd_scale > 14 || s->rcv_scale > 14)
        return host_fail(h, FLUE_EARG, "load: a window scale of %u and %u, the largest is 14", s->snd_scale, s->rcv_scale);
    enum flue_err err = flue_conn_fill(c->ring, s->snd_una, s->unacked, s->unacked_bytes);
    if (err != FLUE_OK)
        return host_fail(h, err, "load: %u bytes into the send ring", s->unacked_bytes);
    host_state_pack(s, &c->ends, words);
    struct host_node node[3] = {{.kind = FLUE_NODE_REFERENCE, .type = NeighborOffloadState, .handle = c->route->neighbor},
                                {.kind = FLUE_NODE_REFERENCE,
                                 .depth = 1,
                                 .type = c->ends.ipv6 ? Ip6OffloadState : Ip4OffloadState,
                                 .handle = c->route->path},
                                {.kind = FLUE_NODE_NEW,
                                 .depth = 2,
                                 .type = TcpOffloadState,
                                 .handle = c->handle,
                                 .state = words,
                                 .words = HOST_TCP_WORDS}};
    err = host_tree(h, FLUE_OP_INITIATE | FLUE_SQE_LOAD_ONLY_MASK, node, 3, "load");
    if (err != FLUE_OK)
        return err;
    bool fin_in = fin_received(s->state), acked = fin_sent(s->state) && s->snd_max == s->snd_una;
    struct flue_conn_begin begin = {.row = (uint16_t)(c->handle & FLUE_HANDLE_INDEX_MASK),
                                    .generation =
                                        (uint16_t)((c->handle & FLUE_HANDLE_GENERATION_MASK) >> FLUE_HANDLE_GENERATION_SHIFT),
                                    .snd_una = s->snd_una - (acked ? 1 : 0),
                                    .send_limit = s->snd_una - (acked ? 1 : 0) + s->unacked_bytes,
                                    .rcv_nxt = s->rcv_nxt - (fin_in ? 1 : 0),
                                    .fin_marked = fin_sent(s->state),
                                    .fin_received = fin_in};
    c->phase = CONN_LOADED;
    c->loaded = *s;
    c->loaded.unacked = NULL;
    err = flue_conn_attach(c->ring, &begin);
    return err == FLUE_OK ? err : host_fail(h, err, "load: the rings");
}

enum flue_err flue_sim_conn_start(struct flue_sim_conn *c)
{
    struct flue_admin_done done;
    uint32_t last = 0;
    if (c == NULL)
        return FLUE_EARG;
    if (c->phase != CONN_LOADED)
        return host_fail(c->host, FLUE_ESTATE, "start: it is not loaded, or was started");
    for (unsigned i = 0; i < STARTS_MAX; i++) {
        struct flue_sqe sqe = {.word0 = FLUE_OP_START, .handle = c->handle, .arg = {last}};
        enum flue_err err = host_command(c->host, &sqe, "start", &done);
        if (err == FLUE_OK) {
            c->phase = CONN_STARTED;
            return FLUE_OK;
        }
        if (err != FLUE_ESTATE)
            return err;
        last = done.result; /* the newest frame that was diverted */
    }
    return host_fail(c->host, FLUE_EAGAIN, "start: diverted frames kept coming");
}

struct flue_conn *flue_sim_conn_ring(struct flue_sim_conn *c)
{
    return c->ring;
}

uint32_t flue_sim_conn_handle(const struct flue_sim_conn *c)
{
    return c->handle;
}

/* ---- and back ----------------------------------------------------------------------------------------------------------- */

static enum flue_err state_take(struct flue_sim_conn *c, uint32_t opcode, const char *what, struct flue_sim_conn_state *s)
{
    uint32_t words[HOST_TCP_WORDS - HOST_TCP_DELEGATED] = {0};
    struct host_node node = {.kind = FLUE_NODE_REFERENCE,
                             .type = TcpOffloadDelegatedState,
                             .handle = c->handle,
                             .state = words,
                             .words = HOST_TCP_WORDS - HOST_TCP_DELEGATED};
    if (c->phase != CONN_LOADED && c->phase != CONN_STARTED)
        return host_fail(c->host, FLUE_ESTATE, "%s: it is not loaded", what);
    enum flue_err err = host_tree(c->host, opcode, &node, 1, what);
    *s = c->loaded;
    if (err == FLUE_OK)
        host_state_unpack(words, s);
    return err;
}

enum flue_err flue_sim_conn_query(struct flue_sim_conn *c, struct flue_sim_conn_state *s)
{
    struct flue_conn_view view;
    if (c == NULL || s == NULL)
        return FLUE_EARG;
    enum flue_err err = state_take(c, FLUE_OP_QUERY, "query", s);
    if (err != FLUE_OK)
        return err;
    err = flue_conn_look(c->ring, &view);
    if (err != FLUE_OK)
        return host_fail(c->host, err, "query: the rings");
    /* A query's own backlogs are sizes that are recommended, not what is there. */
    s->unacked_bytes = s->snd_una == view.send_limit + 1 ? 0 : view.send_limit - s->snd_una;
    s->unread_bytes = s->rcv_nxt - (fin_received(s->state) ? 1 : 0) - view.consumed;
    return FLUE_OK;
}

enum flue_err flue_sim_conn_freeze(struct flue_sim_conn *c, struct flue_sim_conn_state *s)
{
    if (c == NULL || s == NULL)
        return FLUE_EARG;
    enum flue_err err = state_take(c, FLUE_OP_TERMINATE | FLUE_SQE_KEEP_ENTRY_MASK, "freeze", s);
    if (err != FLUE_OK)
        return err;
    c->phase = CONN_FROZEN;
    err = flue_conn_detach(c->ring, s->snd_una, s->rcv_nxt - (fin_received(s->state) ? 1 : 0));
    return err == FLUE_OK ? err : host_fail(c->host, err, "freeze: the rings");
}

enum flue_err flue_sim_conn_abort(struct flue_sim_conn *c)
{
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_OP_ABORT};
    if (c == NULL)
        return FLUE_EARG;
    if (c->phase != CONN_STARTED)
        return host_fail(c->host, FLUE_ESTATE, "abort: it does not run");
    sqe.handle = c->handle;
    return host_command(c->host, &sqe, "abort", &done);
}

enum flue_err flue_sim_conn_release(struct flue_sim_conn *c)
{
    struct flue_admin_done done;
    struct flue_sqe release = {.word0 = FLUE_OP_RELEASE};
    if (c == NULL)
        return FLUE_EARG;
    if (c->phase == CONN_LOADED || c->phase == CONN_STARTED)
        return host_fail(c->host, FLUE_ESTATE, "release: it is not frozen");
    if (c->phase == CONN_RELEASED || c->handle == 0)
        return host_fail(c->host, FLUE_ESTATE, "release: there is no entry");
    release.handle = c->handle;
    enum flue_err err = host_command(c->host, &release, "release", &done);
    c->phase = err == FLUE_OK ? CONN_RELEASED : c->phase;
    return err;
}

void flue_sim_conn_close(struct flue_sim_conn *c)
{
    if (c == NULL)
        return;
    struct flue_sim_host *h = c->host;
    struct flue_sim_conn_state ignored;
    char kept[sizeof h->error];
    memcpy(kept, h->error, sizeof kept); /* closing says nothing */
    if (c->phase == CONN_LOADED || c->phase == CONN_STARTED)
        (void)!flue_sim_conn_freeze(c, &ignored);
    if (c->phase == CONN_HELD || c->phase == CONN_FROZEN)
        (void)!flue_sim_conn_release(c);
    memcpy(h->error, kept, sizeof kept);
    for (struct flue_sim_conn **at = &h->list; *at != NULL; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            break;
        }
    flue_conn_close(c->ring);
    free(c);
}
