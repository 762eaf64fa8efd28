#include "streams.h"

#include <stdlib.h>
#include <string.h>

#include "test/check.h"

enum {
    WIDTH = 32,
    CHUNK = 16384,
    LOOK_US = 50,        /* the programs look so often */
    PEER_AHEAD_US = 100, /* of the line, queued by the peers, beyond which their data waits, as under the limits of a kernel */
    PORT = 7000,
    RING_FEW = 17,
    RING_MANY = 16,
    FEW = 8,
    SCALE = 2,
    RING_MEMORY = 16 << 20,
    LINE_OVERHEAD = 24, /* byte times of a frame */
};

static uint8_t byte_of(uint64_t i, unsigned number, bool from_peer)
{
    return (uint8_t)((i * 2654435761u + number * 97u + from_peer) >> 13);
}

static uint32_t first_sent(unsigned number)
{
    return number * 0x9E3779B9u;
}

static uint32_t first_received(unsigned number)
{
    return ~first_sent(number);
}

/* ---- the line --------------------------------------------------------------------------------------------------------------
 */

static bool seen_before(uint32_t *end, const struct flue_tcp_seg *seg)
{
    bool again = seg->len > 0 && flue_tcp_before(seg->seq, *end);
    if (flue_tcp_before(*end, seg->seq + seg->len))
        *end = seg->seq + seg->len;
    return again;
}

static void emit(void *user, uint64_t at_us, const struct flue_tcp_seg *seg, const uint8_t *payload)
{
    struct stream *st = user;
    uint8_t frame[FLUE_TCP_FRAME_HEADERS + 2048];
    (void)at_us; /* now */
    st->all->peer_again += seen_before(&st->peer_end, seg);
    size_t len = flue_tcp_frame_build(&st->peer_ends, seg, payload, frame);
    struct streams *s = st->all;
    uint64_t now_ns = flue_sim_time_us(s->sim) * 1000;
    s->line_free_ns = (s->line_free_ns > now_ns ? s->line_free_ns : now_ns) + (len + LINE_OVERHEAD) * 8000 / STREAMS_LINE_MBPS;
    CHECK(flue_sim_wire_send(s->sim, frame, len) == FLUE_OK);
}

/* A frame has reached the peers: its port says whose it is. */
static void on_frame(void *user, const uint8_t *frame, size_t len, uint64_t time_us)
{
    struct streams *s = *(struct streams **)user;
    struct flue_tcp_seg seg;
    const uint8_t *payload;
    unsigned i = len > 37 ? (unsigned)(frame[36] << 8 | frame[37]) - PORT : STREAMS_MAX;
    if (s != NULL && i < s->count && s->stream[i].peer.send_ring != NULL &&
        flue_tcp_frame_parse(&s->stream[i].peer_ends, frame, len, &seg, &payload)) {
        s->adapter_again += seen_before(&s->stream[i].adapter_end, &seg);
        (void)flue_tcp_host_receive(&s->stream[i].peer, time_us, &seg, payload);
    }
}

/* The peers in turn: data only while their line takes frames, ACKs always; returns when to come again. */
static uint64_t peers_run(struct streams *s, uint64_t now)
{
    uint64_t next = UINT64_MAX;
    unsigned first = s->first;
    for (unsigned k = 0; k < s->count; k++) {
        struct stream *st = &s->stream[(first + k) % s->count];
        if (st->peer.send_ring == NULL)
            continue;
        bool full = s->line_free_ns > (now + PEER_AHEAD_US) * 1000;
        if (!full && st->peer.wants)
            s->first = st->number + 1; /* the others come before it next time */
        st->peer.line_full = full;
        flue_tcp_host_run(&st->peer, now);
        CHECK(st->peer.broken == NULL, "peer %u: %s", st->number, st->peer.broken);
        uint64_t at = flue_tcp_host_next(&st->peer, now), room = s->line_free_ns / 1000 - PEER_AHEAD_US + 1;
        next = at > now && at < next ? at : next;
        next = st->peer.wants && room < next ? room : next;
    }
    return next;
}

/* ---- the programs ----------------------------------------------------------------------------------------------------------
 */

static void adapter_program(struct streams *s, struct stream *st)
{
    uint8_t data[CHUNK];
    size_t n = CHUNK;
    while (s->send && n == CHUNK) {
        for (unsigned i = 0; i < CHUNK; i++)
            data[i] = byte_of(st->sent + i, st->number, false);
        enum flue_err err = flue_conn_send(st->ring, data, CHUNK, &n);
        CHECK(err == FLUE_OK || err == FLUE_EAGAIN, "%s", flue_err_name(err));
        st->sent += n;
    }
    while (flue_conn_recv(st->ring, data, CHUNK, &n) == FLUE_OK && n > 0)
        for (size_t i = 0; i < n; i++, st->received++)
            if (data[i] != byte_of(st->received, st->number, true)) {
                CHECK(!"a byte arrived wrong at the adapter", "%u: byte %" PRIu64, st->number, st->received);
                return;
            }
    CHECK(flue_conn_kick(st->ring, false, false) == FLUE_OK);
}

static void peer_program(struct streams *s, struct stream *st, uint64_t now)
{
    uint8_t data[CHUNK];
    size_t n = CHUNK;
    while (s->receive && n == CHUNK) {
        for (unsigned i = 0; i < CHUNK; i++)
            data[i] = byte_of(st->peer_sent + i, st->number, true);
        n = flue_tcp_host_write(&st->peer, now, data, CHUNK);
        st->peer_sent += n;
    }
    while ((n = flue_tcp_host_read(&st->peer, now, data, CHUNK)) > 0)
        for (size_t i = 0; i < n; i++, st->peer_received++)
            if (data[i] != byte_of(st->peer_received, st->number, false)) {
                CHECK(!"a byte arrived wrong at the peer", "%u: byte %" PRIu64, st->number, st->peer_received);
                return;
            }
}

bool streams_run(struct streams *s, uint64_t us)
{
    uint64_t end = flue_sim_time_us(s->sim) + us;
    unsigned before = check_failures;
    while (check_failures == before) {
        uint64_t now = flue_sim_time_us(s->sim);
        enum flue_sim_why why;
        if (now >= end)
            break;
        if (now >= s->look_us) {
            for (unsigned i = 0; i < s->count; i++)
                if (s->stream[i].peer.send_ring != NULL) {
                    adapter_program(s, &s->stream[i]);
                    peer_program(s, &s->stream[i], flue_sim_time_us(s->sim));
                }
            s->look_us = now + LOOK_US;
        }
        now = flue_sim_time_us(s->sim); /* doorbells take time */
        uint64_t next = peers_run(s, now);
        next = next < s->look_us ? next : s->look_us;
        next = next < end ? next : end;
        enum flue_err err = flue_sim_host_run(s->host, next > now ? next - now : 1, FLUE_SIM_UNTIL_FRAME, &why);
        CHECK(err == FLUE_OK, "%s", flue_sim_host_error(s->host));
    }
    return check_failures == before;
}

void streams_received(const struct streams *s, uint64_t *at_peers, uint64_t *at_adapter)
{
    *at_peers = *at_adapter = 0;
    for (unsigned i = 0; i < s->count; i++) {
        *at_peers += s->stream[i].peer_received;
        *at_adapter += s->stream[i].received;
    }
}

/* ---- opening ---------------------------------------------------------------------------------------------------------------
 */

struct flue_sim_conn_state streams_state(struct streams *s, unsigned i)
{
    struct flue_sim_conn_state state;
    uint32_t ring = 1u << s->ring_log2;
    flue_sim_conn_state_init(&state);
    state.snd_scale = state.rcv_scale = SCALE;
    state.snd_una = state.snd_nxt = state.snd_max = first_sent(i);
    state.rcv_nxt = state.snd_wl1 = first_received(i);
    state.rcv_wnd = state.rcv_buf = state.snd_wnd = state.max_snd_wnd = ring;
    state.cwnd = 10 * STREAMS_MSS;
    state.ts_clock = 1000;
    return state;
}

static void peer_open(struct streams *s, struct stream *st)
{
    uint32_t rcv = first_sent(st->number), snd = first_received(st->number), ring = 1u << s->ring_log2;
    struct flue_tcp r = {.state = FLUE_TCP_ESTABLISHED, .ts = 1, .sack = 1, .snd_scale = SCALE, .rcv_scale = SCALE};
    r.mss = r.mss_rcv = STREAMS_MSS;
    r.rcv_buf = r.snd_buf = r.snd_wnd = r.max_snd_wnd = ring;
    r.limit = 15;
    r.generation = 1;
    r.rcv_nxt = r.rcv_edge = r.consumed = r.last_ack_sent = r.snd_wl1 = rcv;
    r.rcv_adv = rcv + ring;
    r.snd_una = r.snd_max = r.send_limit = r.snd_wl2 = snd;
    r.cwnd = 10 * STREAMS_MSS;
    r.ssthresh = UINT32_MAX;
    r.ts_offset = 77777;
    struct flue_tcp_host_config config = {.record = r, .latency_us = 5, .emit = emit, .user = st};
    CHECK(flue_tcp_host_open(&st->peer, &config, flue_sim_time_us(s->sim)));
}

void streams_hold(struct streams *s, unsigned i)
{
    struct stream *st = &s->stream[i];
    st->all = s;
    st->number = i;
    st->adapter_end = first_sent(i);
    st->peer_end = first_received(i);
    st->ends = (struct flue_sim_ends){.mac_adapter = {2, 0, 0, 0, 0, 1},
                                      .mac_peer = {2, 0, 0, 0, 0, 2},
                                      .ip_adapter = {192, 0, 2, 1},
                                      .ip_peer = {192, 0, 2, 2},
                                      .port_adapter = (uint16_t)(PORT + 1000 + i),
                                      .port_peer = (uint16_t)(PORT + i)};
    st->peer_ends = (struct flue_tcp_ends){.port_here = st->ends.port_peer, .port_there = st->ends.port_adapter};
    memcpy(st->peer_ends.mac_here, st->ends.mac_peer, 6);
    memcpy(st->peer_ends.mac_there, st->ends.mac_adapter, 6);
    memcpy(st->peer_ends.ip_here, st->ends.ip_peer, 16);
    memcpy(st->peer_ends.ip_there, st->ends.ip_adapter, 16);
    CHECK(flue_sim_conn_hold(s->host, &st->ends, s->ring_log2, s->ring_log2, &st->conn) == FLUE_OK, "%u: %s", i,
          flue_sim_host_error(s->host));
    st->ring = flue_sim_conn_ring(st->conn);
}

struct streams *streams_open(unsigned count)
{
    static struct streams *current; /* for on_frame: the simulator is open before there are streams */
    struct flue_sim_config cfg;
    struct streams *s = calloc(1, sizeof *s);
    if (s == NULL)
        exit(1);
    flue_sim_config_init(&cfg);
    cfg.width = WIDTH;
    cfg.clock_khz = STREAMS_CLOCK_KHZ;
    cfg.line_mbps = STREAMS_LINE_MBPS;
    cfg.wire_tx = cfg.wire_rx = "delay=100us";
    cfg.seed = check_seed;
    cfg.on_frame = on_frame;
    cfg.user = &current;
    current = NULL;
    struct flue_sim_host_params params = {.ring_bytes = RING_MEMORY};
    if (flue_sim_open(&cfg, &s->sim) != FLUE_OK || flue_sim_host_open(s->sim, &params, &s->host) != FLUE_OK) {
        printf("%s\n", flue_sim_open_error());
        exit(1);
    }
    current = s;
    s->count = count;
    s->ring_log2 = count > FEW ? RING_MANY : RING_FEW;
    for (unsigned i = 0; i < count && check_failures == 0; i++) {
        struct flue_sim_conn_state state = streams_state(s, i);
        streams_hold(s, i);
        CHECK(flue_sim_conn_load(s->stream[i].conn, &state) == FLUE_OK, "%u: %s", i, flue_sim_host_error(s->host));
        peer_open(s, &s->stream[i]);
        CHECK(flue_sim_conn_start(s->stream[i].conn) == FLUE_OK, "%u: %s", i, flue_sim_host_error(s->host));
    }
    return s;
}

void streams_close(struct streams *s)
{
    flue_sim_host_close(s->host);
    CHECK(flue_sim_violation(s->sim) == NULL, "%s", flue_sim_violation(s->sim));
    CHECK(flue_sim_close(s->sim) == FLUE_OK);
    for (unsigned i = 0; i < s->count; i++)
        if (s->stream[i].peer.send_ring != NULL)
            flue_tcp_host_close(&s->stream[i].peer);
    free(s);
}
