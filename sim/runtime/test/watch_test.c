/*
 * The monitors of connections: a conversation of the reference TCP goes through without a word; with one thing in it spoilt,
 * the rule that was broken is named.
 */
#include "watch.h"

#include "check.h"
#include "packet.h"
#include "tcp_frame.h"

enum { LOG2 = 16, RING = 1 << LOG2, MSS = 1000, ROW = 5, FRAME = 2048, TCP_AT = 34, OPTIONS_AT = 54 };

/* First sequence numbers: both wrap on the way. */
static const uint32_t ISS = 0xFFFFFC00, IRS = 0xFFFFF800;

/* What is changed on its way to the monitor. */
enum spoil {
    NOTHING,
    A_PLACED_BYTE,
    A_PLACE_BELOW,
    A_PLACE_BEYOND,
    A_HELD_RANGE,
    THE_IN_ORDER_END,
    A_SACK_BLOCK,
    NO_SACK_BLOCK,
    THE_RIGHT_EDGE,
    THE_ACK_NUMBER,
    AN_EARLY_ACK,
    TOO_LARGE_A_WINDOW,
    BEYOND_THE_PEERS_WINDOW,
    ABOVE_CWND,
    BYTES_NOT_GIVEN,
    NO_TIMER,
    A_DEADLINE_NOT_ARMED,
    A_BYTE_SENT_AGAIN,
    A_BYTE_OF_THE_RING,
    A_MISSING_SEGMENT,
    A_REPEATED_SEGMENT,
    A_SEQUENCE_NUMBER,
    THE_WINDOW_ON_THE_WIRE,
    PUSH,
    AN_OPTION_LENGTH,
    AN_UNKNOWN_OPTION,
    AN_ECN_BIT,
    ECN_CAPABLE,
    NO_DF,
    THE_TTL,
    THE_CLOCK,
    NO_TIMESTAMP,
    FROZEN_TOO_EARLY,
    SENT_AFTER_THE_FREEZE,
    A_LOST_TURN,
    SPOILS
};

static const char *const SAYS[SPOILS] = {
    [A_PLACED_BYTE] = "in the receive ring",
    [A_PLACE_BELOW] = "written again",
    [A_PLACE_BEYOND] = "beyond the announced window",
    [A_HELD_RANGE] = "out-of-order ranges",
    [THE_IN_ORDER_END] = "in-order bytes end",
    [A_SACK_BLOCK] = "SACK blocks are not the out-of-order ranges",
    [NO_SACK_BLOCK] = "SACK blocks are not the out-of-order ranges",
    [THE_RIGHT_EDGE] = "right edge went back",
    [THE_ACK_NUMBER] = "ACK number went back",
    [AN_EARLY_ACK] = "not stored",
    [TOO_LARGE_A_WINDOW] = "more is announced",
    [BEYOND_THE_PEERS_WINDOW] = "beyond the peer's window",
    [ABOVE_CWND] = "congestion window",
    [BYTES_NOT_GIVEN] = "did not give",
    [NO_TIMER] = "no timer runs",
    [A_DEADLINE_NOT_ARMED] = "deadline that is armed",
    [A_BYTE_SENT_AGAIN] = "sent again as",
    [A_BYTE_OF_THE_RING] = "in the send ring it is",
    [A_MISSING_SEGMENT] = "leave, ordered were",
    [A_REPEATED_SEGMENT] = "leave, ordered were",
    [A_SEQUENCE_NUMBER] = "leave, ordered were",
    [THE_WINDOW_ON_THE_WIRE] = "not those of the order",
    [PUSH] = "flags",
    [AN_OPTION_LENGTH] = "does not end",
    [AN_UNKNOWN_OPTION] = "no business",
    [AN_ECN_BIT] = "ECN bits of the TCP header",
    [ECN_CAPABLE] = "ECN-capable",
    [NO_DF] = "without DF",
    [THE_TTL] = "TTL",
    [THE_CLOCK] = "TSval",
    [NO_TIMESTAMP] = "no timestamps",
    [FROZEN_TOO_EARLY] = "frozen and not everything",
    [SENT_AFTER_THE_FREEZE] = "after the freeze",
    [A_LOST_TURN] = "not on the wire",
};

static uint8_t ring[2][RING]; /* send, receive */
static struct flue_hostmem mem;
static struct flue_monitor mon;
static struct flue_watch watch;
static struct flue_tcp tcp;
static struct flue_tcp_actions done;
static uint64_t now_us;
static enum spoil spoil;
static bool armed;    /* the spoil has not been used */
static unsigned skip; /* it is used after so many chances */
static struct flue_tcp_tx ordered[8];
static unsigned orders;
static uint32_t deadline; /* as the timers were told last */

static const struct flue_tcp_ends US = {.mac_here = {2, 0, 0, 0, 0, 1},
                                        .mac_there = {2, 0, 0, 0, 0, 2},
                                        .ip_here = {192, 0, 2, 1},
                                        .ip_there = {192, 0, 2, 2},
                                        .port_here = 5000,
                                        .port_there = 6000};

static bool now(enum spoil which)
{
    if (spoil != which || !armed || skip-- > 0)
        return false;
    armed = false;
    return true;
}

static uint8_t byte_of(uint32_t seq, unsigned stream)
{
    return (uint8_t)((seq * 2654435761u + stream) >> 11);
}

/* ---- the adapter ---- */

static void spoil_record(struct flue_tcp *r)
{
    if (r->held_count > 0 && now(A_HELD_RANGE))
        r->held[0].right++;
    if (r->held_count == 0 && r->placing > 0 && now(THE_IN_ORDER_END))
        r->rcv_edge++;
    if (r->snd_una != r->snd_max && now(NO_TIMER))
        r->rto_on = 0;
}

static void spoil_tx(struct flue_tcp_tx *tx)
{
    bool data = tx->kind == FLUE_TCP_TX_DATA;
    if (tx->blocks > 0 && now(A_SACK_BLOCK))
        tx->block[0].left--;
    if (tx->blocks > 0 && now(NO_SACK_BLOCK))
        tx->blocks--;
    if (now(THE_RIGHT_EDGE))
        tx->wnd = (uint16_t)(tx->wnd - 15000);
    if (tx->ack != IRS && now(THE_ACK_NUMBER)) {
        tx->wnd = (uint16_t)(tx->wnd + (tx->ack - IRS) + 2);
        tx->ack = IRS - 2;
    }
    if (now(AN_EARLY_ACK))
        tx->ack++;
    if (now(TOO_LARGE_A_WINDOW))
        tx->wnd = 65535;
    if (data && !tx->resend && now(BYTES_NOT_GIVEN))
        tx->len = tcp.send_limit - tx->seq + 1;
}

static void spoil_frame(uint8_t *f, size_t len, const struct flue_tcp_seg *s)
{
    uint8_t *last = f + len - 1;
    if (s->len > 0 && done.tx.resend && now(A_BYTE_SENT_AGAIN)) {
        *last ^= 1;
        ring[0][(s->seq + s->len - 1) % RING] ^= 1;
    }
    if (s->len > 0 && now(A_BYTE_OF_THE_RING))
        *last ^= 1;
    if (s->len > 0 && now(A_SEQUENCE_NUMBER))
        f[TCP_AT + 7] ^= 1;
    if (now(THE_WINDOW_ON_THE_WIRE))
        f[TCP_AT + 15] ^= 1;
    if (s->len > 0 && now(PUSH))
        f[TCP_AT + 13] ^= FLUE_TCP_PSH;
    if (now(AN_OPTION_LENGTH))
        f[OPTIONS_AT + 3] = 40;
    if (now(AN_UNKNOWN_OPTION))
        f[OPTIONS_AT + 2] = 3;
    if (now(AN_ECN_BIT))
        f[TCP_AT + 13] |= 0x40;
    if (now(ECN_CAPABLE))
        f[15] |= 2;
    if (now(NO_DF))
        f[20] = 0;
    if (now(THE_TTL))
        f[22] = 63;
    if (now(THE_CLOCK))
        f[OPTIONS_AT + 4] ^= 0x80;
    if (now(NO_TIMESTAMP))
        memset(f + OPTIONS_AT, 1, 12);
    flue_pkt_fill_csums(f, len);
}

static void leave(const struct flue_tcp_seg *s)
{
    uint8_t payload[FRAME], frame[FRAME + FLUE_TCP_FRAME_HEADERS];
    for (uint32_t i = 0; i < s->len; i++)
        payload[i] = ring[0][(s->seq + i) % RING];
    size_t len = flue_tcp_frame_build(&US, s, payload, frame);
    spoil_frame(frame, len, s);
    if (s->len > 0 && now(A_MISSING_SEGMENT))
        return;
    flue_watch_frame_out(&watch, frame, len);
    if (s->len > 0 && now(A_REPEATED_SEGMENT))
        flue_watch_frame_out(&watch, frame, len);
}

static void wire(const struct flue_tcp_tx *tx)
{
    struct flue_tcp_seg s = {.seq = tx->seq, .ack = tx->ack, .wnd = tx->wnd, .has_ts = true, .ts_ecr = tx->ts_ecr};
    s.ts_val = (uint32_t)(now_us / 1000);
    s.blocks = tx->blocks;
    memcpy(s.block, tx->block, sizeof s.block);
    for (uint32_t at = 0; at < tx->len || at == 0;) {
        uint32_t n = tx->kind != FLUE_TCP_TX_DATA ? 0 : tx->len - at < tx->mss ? tx->len - at : tx->mss;
        bool last = at + n == tx->len || tx->kind != FLUE_TCP_TX_DATA;
        s.seq = tx->seq + at;
        s.len = (uint16_t)n;
        s.flags = (uint8_t)(FLUE_TCP_ACK | (last && tx->psh ? FLUE_TCP_PSH : 0) | (last && tx->fin ? FLUE_TCP_FIN : 0));
        leave(&s);
        at += n;
        if (last)
            break;
    }
}

static void event(const struct flue_tcp_event *e)
{
    struct flue_tcp seen;
    uint32_t edge = tcp.rcv_edge;
    flue_tcp_step(&tcp, now_us, e, &done);
    if (e->kind == FLUE_TCP_EV_TURN && done.has_tx &&
        !done.tx.resend) { /* what follows from a wrong limit is in the record too */
        if (now(BEYOND_THE_PEERS_WINDOW))
            tcp.snd_wnd = tcp.snd_max - tcp.snd_una - 1;
        if (tcp.snd_max - tcp.snd_una > MSS && now(ABOVE_CWND))
            tcp.cwnd = MSS;
    }
    seen = tcp;
    spoil_record(&seen);
    if (done.has_tx)
        spoil_tx(&done.tx);
    if (done.has_verdict && done.verdict == FLUE_TCP_PLACE && done.place.seq == edge && now(A_PLACE_BELOW))
        done.place.seq--, done.place.len++;
    if (done.has_verdict && done.verdict == FLUE_TCP_PLACE && now(A_PLACE_BEYOND))
        done.place.len = 65000;
    flue_watch_trace(&watch, ROW, e->kind, done.reason, &seen);
    if (done.has_verdict)
        flue_watch_verdict(&watch, done.verdict, &done.place);
    if (done.has_tx) {
        flue_watch_order(&watch, ROW, &done.tx);
        if (!now(A_LOST_TURN))
            wire(&done.tx);
        ordered[orders++] = done.tx;
    }
    bool changed = done.deadline_on && done.deadline != deadline;
    deadline = done.deadline;
    if (!changed || !now(A_DEADLINE_NOT_ARMED))
        flue_watch_deadline(&watch, ROW, done.deadline_on, done.deadline);
}

static void come_back(void)
{
    while (orders > 0) {
        struct flue_tcp_event e = {.kind = FLUE_TCP_EV_SENT};
        e.sent.turn = ordered[0].kind == FLUE_TCP_TX_DATA;
        memmove(ordered, ordered + 1, --orders * sizeof ordered[0]);
        flue_watch_sent(&watch, ROW, e.sent.turn, false);
        event(&e);
    }
}

static void turns(void)
{
    do {
        event(&(struct flue_tcp_event){.kind = FLUE_TCP_EV_TURN, .budget = FLUE_TCP_TURN_BUDGET});
        bool sent = done.has_tx;
        come_back();
        if (!sent)
            return;
    } while (true);
}

static void command(enum flue_tcp_command which)
{
    event(&(struct flue_tcp_event){.kind = FLUE_TCP_EV_COMMAND, .command = which});
}

/* ---- the peer and the program ---- */

static void peer(uint32_t seq, uint32_t len, uint32_t ack, unsigned blocks, uint32_t left)
{
    struct flue_tcp_ends from = US;
    uint8_t payload[FRAME], frame[FRAME + FLUE_TCP_FRAME_HEADERS];
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_SEGMENT};
    e.seg =
        (struct flue_tcp_seg){.seq = IRS + seq, .ack = ISS + ack, .len = (uint16_t)len, .wnd = 20000, .flags = FLUE_TCP_ACK};
    e.seg.has_ts = true;
    e.seg.ts_val = 7;
    e.seg.blocks = blocks;
    e.seg.block[0] = (struct flue_tcp_range){ISS + left, ISS + left + MSS};
    memcpy(from.ip_here, US.ip_there, 4);
    memcpy(from.ip_there, US.ip_here, 4);
    from.port_here = US.port_there;
    from.port_there = US.port_here;
    for (uint32_t i = 0; i < len; i++)
        payload[i] = byte_of(e.seg.seq + i, 1);
    flue_watch_frame_in(&watch, frame, flue_tcp_frame_build(&from, &e.seg, payload, frame));
    event(&e);
    come_back();
}

static void peer_data(uint32_t seq, uint32_t len)
{
    peer(seq, len, tcp.snd_una - ISS, 0, 0);
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_PLACED};
    for (uint32_t i = 0; i < len; i++)
        ring[1][(IRS + seq + i) % RING] = byte_of(IRS + seq + i, 1);
    if (now(A_PLACED_BYTE))
        ring[1][(IRS + seq) % RING] ^= 0x10;
    e.placed.after = tcp.rcv_edge;
    e.placed.ok = true;
    if (tcp.placing > 0)
        event(&e);
    come_back();
}

static void app_writes(uint32_t bytes)
{
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_DOORBELL};
    for (uint32_t i = 0; i < bytes; i++)
        ring[0][(tcp.send_limit + i) % RING] = byte_of(tcp.send_limit + i, 0);
    e.doorbell.send_limit = tcp.send_limit + bytes;
    e.doorbell.consumed = tcp.consumed;
    event(&e);
    turns();
}

static void begin(void)
{
    memset(&mon, 0, sizeof mon);
    memset(&mem, 0, sizeof mem);
    mem.row[3] =
        (struct flue_hostmem_row){.base = (uint64_t)(uintptr_t)ring, .bytes = sizeof ring, .valid = true, .write = true};
    flue_watch_init(&watch, &mon, &mem);
    for (unsigned i = 0; i < 2; i++) {
        flue_watch_ring(&watch, ROW, 2 * i, i * RING);
        flue_watch_ring(&watch, ROW, 2 * i + 1, 3 | LOG2 << 8);
    }
    tcp = (struct flue_tcp){.state = FLUE_TCP_ESTABLISHED, .ts = 1, .sack = 1, .mss = MSS, .mss_rcv = MSS, .limit = 15};
    tcp.rcv_buf = 60000;
    tcp.snd_buf = RING;
    tcp.rcv_nxt = tcp.rcv_edge = tcp.consumed = tcp.last_ack_sent = tcp.snd_wl1 = IRS;
    tcp.rcv_adv = IRS + 50000;
    tcp.snd_una = tcp.snd_max = tcp.send_limit = tcp.snd_wl2 = ISS;
    tcp.snd_wnd = tcp.max_snd_wnd = 20000;
    tcp.cwnd = 10 * MSS;
    tcp.ssthresh = 1 << 30;
    now_us = 5000000;
    deadline = 0;
    orders = 0;
    command(FLUE_TCP_LOAD);
    if (spoil != NOTHING) { /* else it is learnt from what leaves */
        struct flue_watch_ends ends = {.port_here = US.port_here, .port_there = US.port_there};
        memcpy(ends.here, US.ip_here, 4);
        memcpy(ends.there, US.ip_there, 4);
        flue_watch_found(&watch, ROW, &ends, false);
    }
    command(FLUE_TCP_START);
    come_back();
}

static void talk(void)
{
    peer_data(0, 1000);
    peer_data(2000, 1000); /* a gap */
    peer_data(4000, 500);
    app_writes(3500);
    peer_data(1000, 1000);
    peer_data(3000, 1000);
    now_us += 50000;
    event(&(struct flue_tcp_event){.kind = FLUE_TCP_EV_TIMER});
    come_back();
    peer(4500, 0, 1000, 0, 0);
    peer(4500, 0, 1000, 1, 2000); /* the peer lacks a segment */
    app_writes(3000);
    peer(4500, 0, 1000, 1, 3500);
    peer(4500, 0, 1000, 1, 4500);
    peer(4500, 0, 1000, 1, 5500);
    turns();
    now_us += 400000;
    event(&(struct flue_tcp_event){.kind = FLUE_TCP_EV_TIMER});
    turns();
    peer(4500, 0, 6500, 0, 0);
    app_writes(500);
}

static void end(void)
{
    command(FLUE_TCP_FREEZE);
    come_back();
    struct flue_tcp_tx late = {.kind = FLUE_TCP_TX_ACK, .seq = tcp.snd_max, .ack = tcp.rcv_nxt, .wnd = 1000};
    if (now(SENT_AFTER_THE_FREEZE))
        flue_watch_order(&watch, ROW, &late);
}

static void converse(enum spoil which, unsigned chances)
{
    spoil = which;
    skip = chances;
    armed = true;
    begin();
    talk();
    if (now(FROZEN_TOO_EARLY)) {
        struct flue_tcp early = tcp;
        app_writes(0);
        early.mode = FLUE_TCP_FROZEN;
        struct flue_tcp_tx tx = {.kind = FLUE_TCP_TX_ACK, .seq = tcp.snd_max, .ack = tcp.rcv_nxt, .wnd = 60000};
        flue_watch_order(&watch, ROW, &tx);
        flue_watch_trace(&watch, ROW, FLUE_TCP_EV_COMMAND, FLUE_TCP_R_COMMAND, &early);
    } else {
        end();
    }
}

TEST(a_conversation_without_a_fault_violates_no_rule)
{
    converse(NOTHING, 0);
    CHECK(mon.violations == 0, "%s", mon.first);
    CHECK_EQ(tcp.mode, FLUE_TCP_FROZEN);
    CHECK(watch.events > 40 && watch.frames > 12 && watch.bytes == 4500,
          "%" PRIu64 " events, %" PRIu64 " frames, %" PRIu64 " bytes", watch.events, watch.frames, watch.bytes);
    flue_watch_free(&watch);
}

/* TCP-009, TCP-020, TCP-024, TCP-040, TCP-041, TCP-044, TCP-045, TCP-052, TCP-072, TCP-079, TCP-101, TCP-131, TCP-140, TCP-160,
 * TCP-172, TCP-179, TCP-193, TCP-221, HND-001: each rule of the monitors is broken once, and named. */
TEST(each_thing_that_is_spoilt_is_named)
{
    for (enum spoil s = NOTHING + 1; s < SPOILS; s++)
        for (unsigned chances = 0; chances < 3; chances++) {
            converse(s, chances);
            if (armed && chances > 0) { /* there was no such chance */
                flue_watch_free(&watch);
                continue;
            }
            CHECK(!armed, "spoil %u was never used", s);
            CHECK(mon.violations > 0, "spoil %u at chance %u went unseen: %s", s, chances, SAYS[s]);
            CHECK(mon.violations == 0 || strstr(mon.first, SAYS[s]), "spoil %u: said '%s', should say '%s'", s, mon.first,
                  SAYS[s]);
            flue_watch_free(&watch);
        }
}

TEST_MAIN(1)
