/* A random legal state of a connection, as a hand-over could load it. */
#include "generate.h"

static uint32_t pick(struct flue_rng *rng, const uint32_t *list, unsigned count)
{
    return list[flue_rng_below(rng, count)];
}

static uint32_t upto_value(struct flue_rng *rng, uint32_t most)
{
    return flue_rng_below(rng, (uint64_t)most + 1);
}

static void settings(struct flue_rng *rng, struct flue_tcp *r)
{
    static const uint32_t MSS[] = {88, 536, 1220, 1448, 1460, 8948};
    static const uint32_t BUFFER[] = {1500, 4096, 65536, 65536, 262144, 1048576, (1 << 26) - 1};
    static const uint32_t SCALE[] = {0, 0, 1, 3, 7, 14};
    r->generation = flue_rng_below(rng, 1 << 14);
    r->ts = !one_in(rng, 3);
    r->sack = !one_in(rng, 3);
    r->ts_us = one_in(rng, 2);
    r->snd_scale = pick(rng, SCALE, 6);
    r->rcv_scale = pick(rng, SCALE, 6);
    r->mss = one_in(rng, 4) ? 88 + flue_rng_below(rng, 8900) : pick(rng, MSS, 6);
    r->mss_rcv = one_in(rng, 3) ? 536 + flue_rng_below(rng, 8500) : r->mss < 536 ? 536 : r->mss;
    r->rcv_buf = pick(rng, BUFFER, 7);
    r->snd_buf = pick(rng, BUFFER, 7);
    r->limit = one_in(rng, 2) ? flue_rng_below(rng, 5) : 15;
    r->ts_offset = (uint32_t)flue_rng_next(rng);
}

static uint32_t first_number(struct flue_rng *rng, uint32_t window)
{
    const uint32_t edges[] = {0xFFFFFFFF, 0x7FFFFFFF, 0u - window, 0, (uint32_t)flue_rng_next(rng)};
    return pick(rng, edges, 5) - (one_in(rng, 2) ? upto_value(rng, 3 * window) : 0);
}

static void receive_side(struct flue_rng *rng, uint64_t now_us, struct flue_tcp *r)
{
    uint32_t widest = 65535u << r->rcv_scale;
    r->rcv_nxt = r->rcv_edge = first_number(rng, r->rcv_buf);
    r->consumed = r->rcv_nxt - (one_in(rng, 2) ? 0 : upto_value(rng, r->rcv_buf));
    uint32_t room = r->consumed + r->rcv_buf - r->rcv_nxt;
    room = room < widest ? room : widest;
    r->rcv_adv = r->rcv_nxt + (one_in(rng, 5) ? 0 : one_in(rng, 3) ? upto_value(rng, room) : room);
    r->last_ack_sent = r->rcv_nxt - (one_in(rng, 2) ? 0 : upto_value(rng, 3000));
    r->ts_valid = r->ts && !one_in(rng, 8);
    r->ts_recent = (uint32_t)flue_rng_next(rng);
    r->ts_age = (uint32_t)(now_us >> 20) - (one_in(rng, 8) ? upto_value(rng, 2 * FLUE_TCP_PAWS_UNITS) : 0);
    if (one_in(rng, 4)) { /* ranges above a gap */
        uint32_t at = r->rcv_edge + 1 + upto_value(rng, 4000);
        for (unsigned i = 0; i < FLUE_TCP_HELD; i++) {
            struct flue_tcp_range h = {at, at + 1 + upto_value(rng, 3000)};
            if (h.right - r->rcv_edge > r->rcv_adv - r->rcv_edge)
                break;
            r->held[r->held_count++] = h;
            at = h.right + 1 + upto_value(rng, 2000);
        }
    }
}

static void ranges_of_the_peer(struct flue_rng *rng, struct flue_tcp *r)
{
    uint32_t at = r->snd_una + 1 + upto_value(rng, 2 * r->mss);
    unsigned wanted = flue_rng_below(rng, FLUE_TCP_SACKED + 1);
    while (r->sacked_count < wanted) {
        struct flue_tcp_range s = {at, at + 1 + upto_value(rng, 2 * r->mss)};
        if (s.right - r->snd_una > r->snd_max - r->snd_una)
            break;
        r->sacked[r->sacked_count++] = s;
        at = s.right + 1 + upto_value(rng, 2 * r->mss);
    }
}

static void send_side(struct flue_rng *rng, struct flue_tcp *r)
{
    uint32_t widest = 65535u << r->snd_scale;
    r->snd_una = first_number(rng, r->snd_buf);
    uint32_t queued = one_in(rng, 5) ? 0 : upto_value(rng, r->snd_buf);
    uint32_t flight = one_in(rng, 3) ? 0 : upto_value(rng, queued < 40 * r->mss ? queued : 40 * r->mss);
    r->send_limit = r->snd_una + queued;
    r->snd_max = r->snd_una + flight;
    r->snd_wnd = one_in(rng, 4) ? 0 : one_in(rng, 2) ? upto_value(rng, 3 * r->mss) : upto_value(rng, widest);
    r->snd_wnd = (r->snd_wnd < widest ? r->snd_wnd : widest) >> r->snd_scale << r->snd_scale;
    r->max_snd_wnd = r->snd_wnd + (one_in(rng, 2) ? 0 : upto_value(rng, widest - r->snd_wnd));
    r->snd_wl1 = r->rcv_nxt - upto_value(rng, 2000);
    r->snd_wl2 = r->snd_una;
    r->cwnd = r->mss * (1 + upto_value(rng, one_in(rng, 3) ? 200 : 20));
    r->ssthresh = one_in(rng, 2) ? 1u << 30 : r->mss * (2 + upto_value(rng, 40));
}

/* The state, and the FINs that belong to it. */
static void state(struct flue_rng *rng, struct flue_tcp *r)
{
    static const unsigned WEIGHT[] = {60, 8, 8, 8, 6, 6, 2, 2};
    static const enum flue_tcp_state STATE[] = {FLUE_TCP_ESTABLISHED, FLUE_TCP_FIN_WAIT1, FLUE_TCP_FIN_WAIT2,
                                                FLUE_TCP_CLOSE_WAIT,  FLUE_TCP_CLOSING,   FLUE_TCP_LAST_ACK,
                                                FLUE_TCP_TIME_WAIT,   FLUE_TCP_CLOSED};
    enum flue_tcp_state s = STATE[by_weight(rng, WEIGHT, 8)];
    bool ours = s != FLUE_TCP_ESTABLISHED && s != FLUE_TCP_CLOSE_WAIT && s != FLUE_TCP_CLOSED;
    bool theirs = ours && s != FLUE_TCP_FIN_WAIT1 && s != FLUE_TCP_FIN_WAIT2;
    r->state = s;
    if (theirs || s == FLUE_TCP_CLOSE_WAIT) {
        r->fin_valid = 1;
        r->fin_seq = r->rcv_nxt - 1;
        r->held_count = 0;
        if (r->consumed == r->rcv_nxt && r->rcv_buf > 0)
            r->consumed--;
        if (r->rcv_adv - r->consumed > r->rcv_buf)
            r->rcv_adv = r->consumed + r->rcv_buf;
    }
    if (!ours) {
        r->fin_marked = s == FLUE_TCP_ESTABLISHED && one_in(rng, 8);
        return;
    }
    r->fin_marked = r->fin_sent = 1;
    r->send_limit = r->snd_max;
    r->snd_max++;
    if (s == FLUE_TCP_FIN_WAIT2 || s == FLUE_TCP_TIME_WAIT)
        r->snd_una = r->snd_max;
}

static void recovery(struct flue_rng *rng, struct flue_tcp *r)
{
    uint32_t flight = r->snd_max - r->snd_una;
    if (flight == 0 || one_in(rng, 2))
        return;
    r->recovery = one_in(rng, 2) ? FLUE_TCP_LOSS : r->sack ? FLUE_TCP_FAST : flue_rng_below(rng, 3);
    if (r->sack)
        ranges_of_the_peer(rng, r);
    if (r->recovery != FLUE_TCP_OPEN) {
        r->recover_valid = 1;
        r->recover = r->snd_una + 1 + upto_value(rng, flight - 1);
        r->high_rxt = r->snd_una + upto_value(rng, r->recover - r->snd_una);
        r->force_rxt = one_in(rng, 2);
        r->rescued = r->recovery == FLUE_TCP_FAST && one_in(rng, 2);
        r->partial = r->recovery == FLUE_TCP_FAST && one_in(rng, 2);
    }
    r->dup_acks = one_in(rng, 2) ? 0 : flue_rng_below(rng, r->recovery == FLUE_TCP_OPEN ? 3 : 16);
}

static void timers(struct flue_rng *rng, uint64_t now_us, struct flue_tcp *r)
{
    uint32_t now = (uint32_t)now_us;
    bool flies = r->snd_una != r->snd_max;
    if (!one_in(rng, 4)) {
        uint32_t rtt = upto_value(rng, one_in(rng, 4) ? 5000000 : 100000);
        r->rtt_valid = 1;
        r->srtt8 = 8 * rtt;
        r->rttvar4 = upto_value(rng, 2 * rtt);
    }
    if (one_in(rng, 4))
        r->backoff = flue_rng_below(rng, 13);
    if (flies && !one_in(rng, 3)) {
        r->rto_on = 1;
        r->rto_at = now + upto_value(rng, 400000);
        r->expiries = one_in(rng, 3) ? flue_rng_below(rng, r->limit ? r->limit + 1 : 16) : 0;
        r->timing = one_in(rng, 2);
        r->timed_seq = r->snd_una + upto_value(rng, r->snd_max - r->snd_una - 1);
        r->timed_at = now - upto_value(rng, 200000);
    }
    if (one_in(rng, 4)) {
        r->oow_on = 1;
        r->oow_at = now + upto_value(rng, FLUE_TCP_OOW_US);
    }
    r->asked = one_in(rng, 8);
}

void generate_record(struct flue_rng *rng, uint64_t now_us, struct flue_tcp *r)
{
    *r = (struct flue_tcp){0};
    settings(rng, r);
    receive_side(rng, now_us, r);
    send_side(rng, r);
    state(rng, r);
    recovery(rng, r);
    timers(rng, now_us, r);
    r->cc0 = upto_value(rng, r->cwnd);
}
