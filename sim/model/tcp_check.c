/* What is always true of a record between events. */
#include "tcp_internal.h"

static bool inside(uint32_t seq, uint32_t low, uint32_t high)
{
    return seq - low <= high - low;
}

static const char *receive_side(const struct flue_tcp *t)
{
    if (t->held_count > FLUE_TCP_HELD)
        return "more ranges held than there are";
    for (unsigned i = 0; i < t->held_count; i++) {
        struct flue_tcp_range h = t->held[i];
        if (!before(h.left, h.right))
            return "a held range is empty or reversed";
        if (!before(t->rcv_edge, h.left))
            return "a held range is not above the in-order bytes";
        if (before(t->rcv_adv, h.right))
            return "a held range reaches beyond the announced window";
        if (t->fin_valid && before(t->fin_seq, h.right))
            return "a held range reaches beyond the peer's FIN";
        for (unsigned k = 0; k < i; k++)
            if (upto(h.left, t->held[k].right) && upto(t->held[k].left, h.right))
                return "two held ranges overlap or touch";
    }
    if (before(t->rcv_edge, t->rcv_nxt))
        return "RCV.NXT is beyond what was accepted";
    if (before(t->rcv_adv, t->rcv_edge))
        return "more was accepted than announced";
    bool fin = t->fin_valid && before(t->fin_seq, t->rcv_nxt); /* then nothing can arrive, and the edge means nothing */
    if (!fin && before(t->consumed + t->rcv_buf, t->rcv_adv))
        return "more is announced than the buffer holds";
    if (before(t->rcv_nxt, t->consumed))
        return "the host consumed what it was not given";
    if (t->placing == 0 && !t->broken && t->rcv_nxt != t->rcv_edge)
        return "everything is placed, but RCV.NXT lags";
    if (!t->sack && t->dsack.left != t->dsack.right)
        return "a duplicate report without SACK";
    if (t->mode == FLUE_TCP_LIVE && t->ack_owed > 0 && !t->ack_now && !t->delack_on && t->state != FLUE_TCP_CLOSED)
        return "an ACK is owed and neither due nor timed";
    if (t->mode == FLUE_TCP_LIVE && t->ack_now && t->placing == 0 && t->acks == 0 && t->turns == 0)
        return "an ACK is due, nothing is in flight, and it did not leave";
    return 0;
}

static const char *send_side(const struct flue_tcp *t)
{
    uint32_t end = t->send_limit + t->fin_sent;
    if (t->sacked_count > FLUE_TCP_SACKED)
        return "more ranges of the peer than there are";
    for (unsigned i = 0; i < t->sacked_count; i++) {
        struct flue_tcp_range s = t->sacked[i];
        if (!before(s.left, s.right))
            return "a range of the peer is empty or reversed";
        if (before(s.left, t->snd_una) || before(t->snd_max, s.right))
            return "a range of the peer lies outside what is in flight";
        if (i > 0 && upto(s.left, t->sacked[i - 1].right))
            return "ranges of the peer are not ascending and apart";
    }
    if (!inside(t->snd_max, t->snd_una, end))
        return "SND.UNA, SND.MAX and the end of the queued data are out of order";
    if (t->fin_sent && (!t->fin_marked || t->snd_max != end))
        return "a FIN was sent that was not asked for, or is not last";
    if (t->cwnd < t->mss)
        return "the congestion window is below one segment";
    if (t->ssthresh < 2 * t->mss)
        return "the threshold is below two segments";
    if (t->recovery != FLUE_TCP_OPEN && !inside(t->high_rxt, t->snd_una, t->snd_max))
        return "retransmission goes on outside of what is in flight";
    if (t->recovery != FLUE_TCP_OPEN && !inside(t->recover, t->snd_una, t->snd_max))
        return "the recovery point lies outside of what is in flight";
    if (tcp_pipe(t) > t->snd_max - t->snd_una)
        return "more in flight than was sent";
    if (t->timing && !inside(t->timed_seq, t->snd_una, t->snd_max))
        return "the timed byte is not in flight";
    if (t->turns > 2)
        return "more than two turns in flight";
    return 0;
}

static const char *timers(const struct flue_tcp *t)
{
    bool over = t->state == FLUE_TCP_CLOSED || t->state == FLUE_TCP_TIME_WAIT;
    bool queued = t->snd_max != t->send_limit + t->fin_sent || (t->fin_marked && !t->fin_sent);
    if (t->mode != FLUE_TCP_LIVE)
        return 0;
    if (over)
        return t->rto_on || t->persisting ? "a timer runs on an ended connection" : 0;
    if (t->snd_una != t->snd_max && !t->rto_on) /* TCP-131 */
        return "data or a FIN is unacknowledged and no timer runs";
    if (t->snd_una == t->snd_max && t->rto_on && !t->persisting)
        return "the retransmission timer runs with nothing in flight";
    if (t->persisting && (!t->rto_on || t->snd_una != t->snd_max))
        return "persist without a deadline, or with data in flight";
    if (t->snd_una == t->snd_max && queued && !t->persisting && !tcp_would_send(t))
        return "something is queued that neither a turn nor a timer will send";
    return 0;
}

static const char *states(const struct flue_tcp *t)
{
    bool fin_seen = t->fin_valid && t->rcv_nxt == t->fin_seq + 1;
    bool fin_acked = t->fin_sent && t->snd_una == t->send_limit + 1;
    switch (t->state) {
    case FLUE_TCP_ESTABLISHED:
        return fin_seen || t->fin_sent ? "ESTABLISHED with a FIN" : 0;
    case FLUE_TCP_FIN_WAIT1:
        return fin_seen || !t->fin_sent || fin_acked ? "FIN-WAIT-1 is not so" : 0;
    case FLUE_TCP_FIN_WAIT2:
        return fin_seen || !fin_acked ? "FIN-WAIT-2 is not so" : 0;
    case FLUE_TCP_CLOSE_WAIT:
        return !fin_seen || t->fin_sent ? "CLOSE-WAIT is not so" : 0;
    case FLUE_TCP_CLOSING:
    case FLUE_TCP_LAST_ACK:
        return !fin_seen || !t->fin_sent || fin_acked ? "CLOSING or LAST-ACK is not so" : 0;
    case FLUE_TCP_TIME_WAIT:
        return !fin_seen || !fin_acked ? "TIME-WAIT is not so" : 0;
    case FLUE_TCP_CLOSED:
        return 0;
    default:
        return "an unknown state";
    }
}

const char *flue_tcp_invariant(const struct flue_tcp *t)
{
    const char *why = 0;
    if (t->mode == FLUE_TCP_EMPTY)
        return 0;
    why = why ? why : receive_side(t);
    why = why ? why : send_side(t);
    why = why ? why : timers(t);
    why = why ? why : states(t);
    return why;
}
