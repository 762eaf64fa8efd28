/*
 * The words of the dialogues (dialogue.h) on the whole adapter: connections are loaded through flue/sim_host.h, the peer's
 * segments are frames on the wire, the program uses the connection's rings.
 *
 * What the wire does not show is not asked: reasons, verdicts, records.  An act takes some 100 us of adapter time; the script's
 * clock stands still meanwhile.  A timer may fire up to LATE_US after its deadline (the sweep, docs/tcp.md section 4): who
 * expects a segment waits so long for it, and the script's clock goes on with it.  Silence is asked for at the exact time.
 */
#include "talk_adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flue/sim_host.h"
#include "tcp_frame.h"

enum {
    PORT = 7300,
    QUIET_US = 60,
    QUIET_ROUNDS = 100,
    LATE_US = 2500,
    TURN = 16384,
    SEND_LOG2 = 20,
    RECEIVE_LOG2 = 16,
    BYTES = 1 << 17
};

static struct flue_sim *sim;
static struct flue_sim_host *host;
static struct flue_sim_conn *conn;
static struct flue_tcp_ends peer_ends;
static uint32_t read_upto, highest; /* of the program; end of what was sent so far */
static unsigned act_first;          /* first segment of this act in t->out */

static void fail(struct talk *t, const char *text)
{
    if (t->failures++ < 6)
        printf("  %s (adapter, first numbers 0x%x 0x%x): %s\n", t->name, t->iss, t->irs, text);
}

void talk_check(struct talk *t, bool holds, const char *file, int line, const char *text)
{
    char what[300];
    const char *base = strrchr(file, '/');
    snprintf(what, sizeof what, "%s:%d: %s", base ? base + 1 : file, line, text);
    if (!holds)
        fail(t, what);
}

void talk_equal(struct talk *t, uint64_t seen, uint64_t want, const char *file, int line, const char *text)
{
    char what[200];
    snprintf(what, sizeof what, "%s is %llu, should be %llu", text, (unsigned long long)seen, (unsigned long long)want);
    talk_check(t, seen == want, file, line, what);
}

static void must(struct talk *t, enum flue_err err)
{
    if (err != FLUE_OK)
        fail(t, flue_sim_host_error(host)[0] != 0 ? flue_sim_host_error(host) : flue_err_name(err));
}

/* ---- segments that leave ----------------------------------------------------------------------------------------------------
 */

static void keep(struct talk *t, const struct flue_tcp_seg *seg)
{
    struct flue_tcp_tx tx = {.seq = seg->seq, .len = seg->len, .ack = seg->ack, .wnd = seg->wnd, .mss = seg->len};
    uint32_t end = seg->seq + seg->len + ((seg->flags & FLUE_TCP_FIN) ? 1 : 0);
    tx.fin = (seg->flags & FLUE_TCP_FIN) != 0;
    tx.psh = (seg->flags & FLUE_TCP_PSH) != 0;
    tx.kind = seg->flags & FLUE_TCP_RST ? FLUE_TCP_TX_RST : seg->len > 0 || tx.fin ? FLUE_TCP_TX_DATA : FLUE_TCP_TX_ACK;
    tx.resend = tx.kind == FLUE_TCP_TX_DATA && flue_tcp_before(seg->seq, highest);
    tx.ts_ecr = seg->ts_ecr;
    tx.blocks = seg->blocks;
    memcpy(tx.block, seg->block, sizeof tx.block);
    if (tx.kind == FLUE_TCP_TX_DATA && flue_tcp_before(highest, end))
        highest = end;
    if (tx.kind == FLUE_TCP_TX_DATA && tx.len > t->setup.mss)
        fail(t, "a segment is longer than the peer takes");
    if (seg->has_ts != t->setup.ts)
        fail(t, "timestamps were agreed and are missing, or the other way round (TCP-170)");
    /* Segments of one turn are one. */
    struct flue_tcp_tx *last = t->out_count > act_first && t->out_count > t->out_first ? &t->out[t->out_count - 1] : NULL;
    if (last && last->kind == FLUE_TCP_TX_DATA && tx.kind == FLUE_TCP_TX_DATA && last->seq + last->len == tx.seq &&
        last->resend == tx.resend && last->len + tx.len <= TURN) {
        tx.seq = last->seq;
        tx.len += last->len;
        tx.mss = last->mss;
        *last = tx;
    } else if (t->out_count < TALK_OUT) {
        t->out[t->out_count++] = tx;
    } else {
        fail(t, "too many segments");
    }
}

/* What has reached the peer; when the newest did. */
static bool collect(struct talk *t, uint64_t *at_us)
{
    static uint8_t frame[2048];
    struct flue_tcp_seg seg;
    const uint8_t *payload;
    size_t len;
    bool any = false;
    while (flue_sim_wire_recv(sim, frame, sizeof frame, &len, at_us) == FLUE_OK) {
        any = true;
        if (len <= sizeof frame && flue_tcp_frame_parse(&peer_ends, frame, len, &seg, &payload))
            keep(t, &seg);
        else
            fail(t, "a frame left that is not of the connection");
    }
    return any;
}

static void run(struct talk *t, uint64_t us, unsigned until)
{
    enum flue_sim_why why;
    must(t, flue_sim_host_run(host, us, until, &why));
}

void settle(struct talk *t)
{
    uint64_t at_us;
    for (unsigned i = 0; i < QUIET_ROUNDS && t->failures == 0; i++) {
        run(t, QUIET_US, 0);
        if (!collect(t, &at_us) && flue_sim_is_idle(sim))
            return;
    }
    fail(t, "no end of what it sends");
}

static void begin_act(struct talk *t)
{
    uint64_t now = flue_sim_time_us(sim);
    t->now_us = t->now_us > now ? t->now_us : now;
    act_first = t->out_count;
}

/* ---- acts -------------------------------------------------------------------------------------------------------------------
 */

static uint32_t or_else(uint32_t value, uint32_t other)
{
    return value ? value : other;
}

static void defaults(struct talk *t, struct setup s)
{
    s.mss = or_else(s.mss, 1000);
    s.cwnd = or_else(s.cwnd, 10);
    s.rcv_buf = or_else(s.rcv_buf, 64000);
    s.wnd = s.closed_wnd ? 0 : or_else(s.wnd, 60000);
    s.rtt_us = or_else(s.rtt_us, 10000);
    t->setup = s;
}

static void start(struct talk *t)
{
    uint64_t at_us;
    must(t, flue_sim_conn_start(conn));
    settle(t);
    collect(t, &at_us);
    if (t->out_count != 1 || t->out[0].kind != FLUE_TCP_TX_ACK || t->out[0].ack != t->irs || t->out[0].seq != t->iss)
        fail(t, "not one ACK by starting (HND-001)");
    forget_out(t);
    t->now_us = flue_sim_time_us(sim);
}

void talk_open(struct talk *t, struct setup setup)
{
    struct flue_sim_ends ends = {.mac_adapter = {2, 0, 0, 0, 0, 1},
                                 .mac_peer = {2, 0, 0, 0, 0, 2},
                                 .ip_adapter = {192, 0, 2, 1},
                                 .ip_peer = {192, 0, 2, 2},
                                 .port_adapter = PORT,
                                 .port_peer = PORT + 1};
    struct flue_sim_conn_state state;
    uint64_t at_us;
    flue_sim_conn_close(conn);
    conn = NULL;
    run(t, QUIET_US, 0);
    for (size_t len; flue_sim_wire_recv(sim, (uint8_t[1]){0}, 1, &len, &at_us) == FLUE_OK;) {
    }
    defaults(t, setup);
    const struct setup *s = &t->setup;
    uint32_t window = (s->rcv_buf - s->rcv_buf / 32) >> s->rcv_scale;
    flue_sim_conn_state_init(&state);
    state.timestamps = s->ts;
    state.sack = s->sack;
    state.snd_scale = (uint8_t)s->snd_scale;
    state.rcv_scale = (uint8_t)s->rcv_scale;
    state.window_scaling = s->snd_scale + s->rcv_scale > 0;
    state.mss = (uint16_t)(s->mss + (s->ts ? 12u : 0)); /* the option is counted in what the peer said */
    state.rcv_nxt = state.snd_wl1 = read_upto = t->irs;
    state.rcv_wnd = (window < 65535 ? window : 65535) << s->rcv_scale;
    state.rcv_buf = s->rcv_buf;
    state.snd_una = state.snd_nxt = state.snd_max = highest = t->iss;
    state.snd_wnd = state.max_snd_wnd = s->wnd >> s->snd_scale << s->snd_scale;
    state.cwnd = s->cwnd * s->mss;
    state.ssthresh = s->ssthresh ? s->ssthresh * s->mss : 1u << 30;
    state.srtt_us = s->no_rtt ? 0 : s->rtt_us;
    state.rttvar_us = s->no_rtt ? 0 : s->rtt_us / 2;
    state.ts_recent = 1000;
    state.ts_recent_age_ms = s->ts ? 0 : FLUE_SIM_NOT_RUNNING;
    t->r.ts_recent = 1000;
    t->out_first = t->out_count = act_first = 0;
    peer_ends = (struct flue_tcp_ends){.port_here = ends.port_peer, .port_there = ends.port_adapter};
    memcpy(peer_ends.mac_here, ends.mac_peer, 6);
    memcpy(peer_ends.mac_there, ends.mac_adapter, 6);
    memcpy(peer_ends.ip_here, ends.ip_peer, 16);
    memcpy(peer_ends.ip_there, ends.ip_adapter, 16);
    must(t, flue_sim_conn_hold(host, &ends, SEND_LOG2, RECEIVE_LOG2, &conn));
    if (t->failures == 0)
        must(t, flue_sim_conn_load(conn, &state));
    if (t->failures == 0)
        start(t);
}

void peer(struct talk *t, struct says says)
{
    static const uint8_t payload[2048];
    uint8_t frame[FLUE_TCP_FRAME_HEADERS + sizeof payload];
    struct flue_tcp_seg seg = {.seq = t->irs + says.seq, .ack = t->iss + says.ack, .len = (uint16_t)says.len};
    if (t->failures > 0)
        return;
    if (says.len > sizeof payload) {
        fail(t, "a frame so long does not pass the wire");
        return;
    }
    seg.wnd = (uint16_t)((says.closed_wnd ? 0 : or_else(says.wnd, t->setup.wnd)) >> t->setup.snd_scale);
    seg.flags = says.no_flags ? 0 : says.flags ? says.flags : FLUE_TCP_ACK;
    seg.has_ts = t->setup.ts && !says.no_ts;
    seg.ts_val = or_else(says.ts_val, t->r.ts_recent);
    if (seg.has_ts && (int32_t)(seg.ts_val - t->r.ts_recent) > 0)
        t->r.ts_recent = seg.ts_val; /* the newest so far */
    seg.ts_ecr = says.ts_ecr;
    seg.blocks = says.blocks;
    for (unsigned i = 0; i < says.blocks; i++)
        seg.block[i] = (struct flue_tcp_range){t->iss + says.block[i][0], t->iss + says.block[i][1]};
    begin_act(t);
    must(t, flue_sim_wire_send(sim, frame, flue_tcp_frame_build(&peer_ends, &seg, payload, frame)));
    settle(t);
}

static void kick(struct talk *t)
{
    must(t, flue_conn_kick(flue_sim_conn_ring(conn), false, false));
    settle(t);
}

void app_writes(struct talk *t, uint32_t bytes)
{
    static const uint8_t data[BYTES];
    size_t sent = 0;
    if (t->failures > 0)
        return;
    begin_act(t);
    must(t, flue_conn_send(flue_sim_conn_ring(conn), data, bytes < BYTES ? bytes : BYTES, &sent));
    if (sent != bytes)
        fail(t, "the send ring is too small for the script");
    kick(t);
}

void app_reads(struct talk *t, uint32_t upto)
{
    static uint8_t data[BYTES];
    uint32_t want = t->irs + upto - read_upto;
    size_t got = 0;
    if (t->failures > 0)
        return;
    begin_act(t);
    must(t, flue_conn_recv(flue_sim_conn_ring(conn), data, want < BYTES ? want : BYTES, &got));
    read_upto += (uint32_t)got;
    if (got != want)
        fail(t, "the program cannot read so much");
    kick(t);
}

void app_closes(struct talk *t)
{
    if (t->failures > 0)
        return;
    begin_act(t);
    must(t, flue_conn_shutdown(flue_sim_conn_ring(conn)));
    kick(t);
}

void pass_us(struct talk *t, uint64_t us)
{
    uint64_t now = flue_sim_time_us(sim), at_us;
    if (t->failures > 0)
        return;
    act_first = t->out_count;
    t->now_us += us;
    if (t->now_us > now)
        run(t, t->now_us - now, 0);
    collect(t, &at_us);
}

/* ---- expectations
 * ------------------------------------------------------------------------------------------------------------ */

/* A timer's work may be late. */
static void wait_late(struct talk *t)
{
    uint64_t at_us;
    act_first = t->out_count;
    run(t, LATE_US, FLUE_SIM_UNTIL_FRAME);
    if (!collect(t, &at_us))
        return;
    t->now_us = at_us;
    settle(t);
}

const struct flue_tcp_tx *next_out(struct talk *t)
{
    if (t->out_first == t->out_count && t->failures == 0)
        wait_late(t);
    return t->out_first < t->out_count ? &t->out[t->out_first++] : 0;
}

void forget_out(struct talk *t)
{
    t->out_first = t->out_count = act_first = 0;
}

static void mismatch(struct talk *t, const struct flue_tcp_tx *tx, const char *want)
{
    static const char *const KINDS[] = {"data", "ACK", "RST"};
    char text[300];
    if (!tx)
        snprintf(text, sizeof text, "expected %s, saw silence", want);
    else
        snprintf(text, sizeof text, "expected %s, saw %s%s%s seq %u len %u ack %u", want, KINDS[tx->kind % 3],
                 tx->resend ? " again" : "", tx->fin ? " FIN" : "", tx->seq - t->iss, tx->len, tx->ack - t->irs);
    fail(t, text);
}

static const struct flue_tcp_tx *expect_turn(struct talk *t, uint32_t seq, uint32_t len, bool resend, bool fin)
{
    const struct flue_tcp_tx *tx = next_out(t);
    char want[100];
    snprintf(want, sizeof want, "data%s%s seq %u len %u", resend ? " again" : "", fin ? " FIN" : "", seq, len);
    if (tx && tx->kind == FLUE_TCP_TX_DATA && tx->seq == t->iss + seq && tx->len > len && !fin && len > 0) {
        struct flue_tcp_tx *rest = &t->out[--t->out_first]; /* two turns that followed each other */
        rest->seq += len;
        rest->len -= len;
        return tx;
    }
    if (!tx || tx->kind != FLUE_TCP_TX_DATA || tx->seq != t->iss + seq || tx->len != len || tx->resend != resend ||
        tx->fin != fin)
        mismatch(t, tx, want);
    return tx;
}

void expect_data(struct talk *t, uint32_t seq, uint32_t len)
{
    expect_turn(t, seq, len, false, false);
}

void expect_again(struct talk *t, uint32_t seq, uint32_t len)
{
    expect_turn(t, seq, len, true, false);
}

const struct flue_tcp_tx *expect_fin(struct talk *t, uint32_t seq, uint32_t len)
{
    return expect_turn(t, seq, len, false, true);
}

const struct flue_tcp_tx *expect_ack(struct talk *t, uint32_t ack)
{
    static const struct flue_tcp_tx NONE;
    const struct flue_tcp_tx *tx = next_out(t);
    char want[100];
    snprintf(want, sizeof want, "ACK %u", ack);
    if (!tx || tx->kind != FLUE_TCP_TX_ACK || tx->ack != t->irs + ack || tx->seq != highest)
        mismatch(t, tx, want);
    return tx ? tx : &NONE;
}

void expect_blocks(struct talk *t, const struct flue_tcp_tx *tx, unsigned count, const uint32_t (*block)[2])
{
    bool same = tx->blocks == count;
    for (unsigned i = 0; same && i < count; i++)
        same = tx->block[i].left == t->irs + block[i][0] && tx->block[i].right == t->irs + block[i][1];
    if (!same)
        fail(t, "other SACK blocks than expected");
}

void expect_silence(struct talk *t)
{
    if (t->out_first < t->out_count)
        mismatch(t, &t->out[t->out_first++], "silence");
}

/* ---- life -------------------------------------------------------------------------------------------------------------------
 */

bool talk_adapter_open(uint64_t seed)
{
    struct flue_sim_config cfg;
    flue_sim_config_init(&cfg);
    cfg.width = 32;
    cfg.clock_khz = 62500;
    cfg.seed = seed;
    if (flue_sim_open(&cfg, &sim) == FLUE_OK && flue_sim_host_open(sim, NULL, &host) == FLUE_OK)
        return true;
    printf("%s\n", flue_sim_open_error());
    return false;
}

bool talk_adapter_close(void)
{
    flue_sim_conn_close(conn);
    conn = NULL;
    flue_sim_host_close(host);
    if (flue_sim_violation(sim) != NULL)
        printf("  %s\n", flue_sim_violation(sim));
    return flue_sim_close(sim) == FLUE_OK;
}

static struct dialogue *first, **end = &first;

void dialogue_add(struct dialogue *dialogue)
{
    *end = dialogue;
    end = &dialogue->next;
}

const struct dialogue *talk_adapter_find(const char *name)
{
    const struct dialogue *d = first;
    while (d != NULL && strcmp(d->name, name) != 0)
        d = d->next;
    return d;
}
