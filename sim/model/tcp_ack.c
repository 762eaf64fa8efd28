/* The acknowledgement of a segment: window, progress, duplicates, recovery (docs/tcp.md 3.2). */
#include "tcp_internal.h"

static uint32_t flight(const struct flue_tcp *t)
{
    return t->snd_max - t->snd_una;
}

/*
 * Newer by sequence, then by ACK (TCP-035); true when the window differs.  A window that is not taken over from a segment
 * that acknowledges more keeps its right edge: the peer never announced what lies beyond (TCP-052).
 */
static bool take_window(struct flue_tcp *t, const struct flue_tcp_seg *seg)
{
    uint32_t wnd = (uint32_t)seg->wnd << t->snd_scale; /* TCP-013 */
    bool newer = before(t->snd_wl1, seg->seq) || (t->snd_wl1 == seg->seq && upto(t->snd_wl2, seg->ack));
    if (before(seg->ack, t->snd_una))
        return false;
    if (!newer) {
        t->snd_wnd -= least(t->snd_wnd, seg->ack - t->snd_una);
        return false;
    }
    bool changed = wnd != t->snd_wnd;
    t->snd_wnd = wnd;
    t->snd_wl1 = seg->seq;
    t->snd_wl2 = seg->ack;
    t->max_snd_wnd = most(t->max_snd_wnd, wnd);
    return changed;
}

static void fin_acknowledged(struct tcp_step *x)
{
    struct flue_tcp *t = x->t;
    if (t->state == FLUE_TCP_FIN_WAIT1) {
        t->state = FLUE_TCP_FIN_WAIT2;
    } else if (t->state == FLUE_TCP_CLOSING) {
        t->state = FLUE_TCP_TIME_WAIT;
    } else if (t->state == FLUE_TCP_LAST_ACK) {
        t->state = FLUE_TCP_CLOSED;
        x->ended = FLUE_TCP_END_CLOSED;
    }
}

/* What progress means for cwnd and for recovery; true for a partial ACK that leaves the timer alone (TCP-095). */
static bool congestion(struct flue_tcp *t, uint32_t acked, uint32_t flight_before)
{
    bool whole = upto(t->recover, t->snd_una);
    if (t->recovery != FLUE_TCP_FAST) {
        tcp_cc_ack(t, acked, flight_before);
        if (t->recovery == FLUE_TCP_LOSS && whole)
            t->recovery = FLUE_TCP_OPEN;
        return false;
    }
    if (whole) { /* TCP-096 */
        t->cwnd = t->sack ? t->ssthresh : least(t->ssthresh, most(flight(t), t->mss) + t->mss);
        t->recovery = FLUE_TCP_OPEN;
        return false;
    }
    if (t->sack)
        return false;
    bool later_one = t->partial;
    t->cwnd = t->cwnd - least(acked, t->cwnd) + t->mss;
    t->high_rxt = t->snd_una;
    t->force_rxt = 1;
    t->partial = 1;
    return later_one;
}

static void progress(struct tcp_step *x, uint32_t ack)
{
    struct flue_tcp *t = x->t;
    uint32_t acked = ack - t->snd_una, flight_before = flight(t);

    t->snd_una = ack;
    t->expiries = 0;
    t->dup_acks = 0;
    t->persisting = 0;
    if (t->timing && before(t->timed_seq, ack)) {
        tcp_sample(t, x->now - t->timed_at);
        t->timing = 0;
    }
    if (t->recovery != FLUE_TCP_OPEN)
        t->high_rxt = later(t->high_rxt, ack);
    if (t->fin_sent && ack == t->send_limit + 1)
        fin_acknowledged(x);
    bool keep_timer = congestion(t, acked, flight_before);
    if (t->snd_una == t->snd_max) { /* TCP-125 */
        t->rto_on = 0;
    } else if (!keep_timer) {
        t->rto_on = 1;
        t->rto_at = x->now + tcp_rto_us(t);
    }
}

static void enter_fast(struct flue_tcp *t)
{
    tcp_cc_loss(t, least(flight(t), t->cwnd)); /* TCP-093 */
    t->cwnd = least(t->ssthresh + (t->sack ? 0 : 3 * t->mss), TCP_CWND_MAX);
    t->recovery = FLUE_TCP_FAST;
    t->recover_valid = 1;
    t->recover = t->snd_max;
    t->high_rxt = t->snd_una;
    t->rescued = 0;
    t->partial = 0;
    t->force_rxt = 1;
}

void tcp_acknowledge(struct tcp_step *x, const struct flue_tcp_seg *seg)
{
    struct flue_tcp *t = x->t;
    bool wnd_changed = take_window(t, seg);
    bool advances = before(t->snd_una, seg->ack), repeats = seg->ack == t->snd_una;

    if (advances)
        progress(x, seg->ack);
    tcp_unmark(t);
    bool sack_new = t->sack && tcp_mark(x, seg);

    bool bare = seg->len == 0 && !(seg->flags & FLUE_TCP_FIN);
    if (repeats && flight(t) > 0 && bare && (t->sack ? sack_new : !wnd_changed)) { /* TCP-090 */
        t->dup_acks = least(t->dup_acks + 1, 15);
        if (t->recovery == FLUE_TCP_FAST && !t->sack)
            t->cwnd = least(t->cwnd + t->mss, TCP_CWND_MAX);
    }
    if (t->recovery == FLUE_TCP_OPEN) {
        if (before(t->recover, t->snd_una) || (t->sack && t->recover == t->snd_una))
            t->recover_valid = 0; /* TCP-094 */
        if (!t->recover_valid && (t->dup_acks >= 3 || (t->sack && before(t->snd_una, tcp_lost_edge(t)))))
            enter_fast(t);
    }
}
