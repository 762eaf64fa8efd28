/* What becomes of a segment: PAWS, window, RST, SYN, ACK range, urgent (docs/tcp.md 3.1, steps 1 to 10). */
#include "tcp_internal.h"

/* A keepalive or window probe: one below what is expected, at most a byte (TCP-034). */
static bool is_probe(const struct flue_tcp *t, const struct flue_tcp_seg *seg)
{
    return seg->seq + 1 == t->rcv_edge && seg->len <= 1 && !(seg->flags & (FLUE_TCP_SYN | FLUE_TCP_RST));
}

/* An ACK that endless exchanges and blind attackers could ask for (TCP-032, TCP-033); payload and probes are answered. */
static void limited_ack(struct tcp_step *x, const struct flue_tcp_seg *seg, bool challenge)
{
    struct flue_tcp *t = x->t;
    if (challenge || (seg->len == 0 && !is_probe(t, seg))) {
        uint32_t wait = t->oow_at - x->now;
        if (t->oow_on && wait > 0 && wait <= FLUE_TCP_OOW_US)
            return;
        t->oow_on = 1;
        t->oow_at = x->now + FLUE_TCP_OOW_US;
    }
    t->ack_now = 1;
}

static bool older_timestamp(const struct tcp_step *x, const struct flue_tcp_seg *seg)
{
    const struct flue_tcp *t = x->t;
    bool recent = t->ts_valid && x->age_unit - t->ts_age < FLUE_TCP_PAWS_UNITS; /* TCP-177 */
    return t->ts && seg->has_ts && !(seg->flags & FLUE_TCP_RST) && recent && before(seg->ts_val, t->ts_recent);
}

/* The four cases of RFC 9293 3.10.7.4 (TCP-020). */
static bool acceptable(const struct flue_tcp *t, uint32_t seq, uint32_t slen)
{
    uint32_t win = t->rcv_adv - t->rcv_edge;
    uint32_t last = seq + slen - 1;
    if (slen == 0)
        return win == 0 ? seq == t->rcv_edge : seq - t->rcv_edge < win;
    if (win == 0)
        return false;
    bool spans = before(seq, t->rcv_edge) && upto(t->rcv_edge, last) && upto(t->rcv_adv, last);
    return seq - t->rcv_edge < win || last - t->rcv_edge < win || spans;
}

/* Not acceptable: an ACK and nothing else (TCP-021, TCP-025). */
static enum flue_tcp_reason reject(struct tcp_step *x, const struct flue_tcp_seg *seg, uint32_t slen)
{
    struct flue_tcp *t = x->t;
    if (seg->flags & FLUE_TCP_RST)
        return FLUE_TCP_R_RST_OUTSIDE;
    limited_ack(x, seg, seg->flags & FLUE_TCP_SYN);
    if (seg->flags & FLUE_TCP_SYN)
        return FLUE_TCP_R_SYN;
    if (t->sack && seg->len > 0 && before(seg->seq, t->rcv_edge)) /* TCP-076 */
        t->dsack = (struct flue_tcp_range){seg->seq, earlier(seg->seq + seg->len, t->rcv_edge)};
    if (slen > 0 && upto(seg->seq + slen, t->rcv_edge))
        return FLUE_TCP_R_OLD;
    return is_probe(t, seg) ? FLUE_TCP_R_PROBE : FLUE_TCP_R_OUTSIDE;
}

static enum flue_tcp_reason judge(struct tcp_step *x, const struct flue_tcp_seg *seg)
{
    struct flue_tcp *t = x->t;
    uint32_t slen = (uint32_t)seg->len + (seg->flags & FLUE_TCP_SYN ? 1 : 0) + (seg->flags & FLUE_TCP_FIN ? 1 : 0);
    bool at_closed_window = t->rcv_adv == t->rcv_edge && seg->seq == t->rcv_edge && slen > 0; /* TCP-022 */

    if (older_timestamp(x, seg)) { /* TCP-175 */
        limited_ack(x, seg, false);
        return FLUE_TCP_R_PAWS;
    }
    if (!acceptable(t, seg->seq, slen) && !at_closed_window)
        return reject(x, seg, slen);
    if (seg->flags & FLUE_TCP_RST) {
        if (seg->seq == t->rcv_edge) { /* TCP-026 */
            t->state = FLUE_TCP_CLOSED;
            x->ended = FLUE_TCP_END_RESET;
            return FLUE_TCP_R_RST;
        }
        limited_ack(x, seg, true); /* TCP-027 */
        return FLUE_TCP_R_RST_CHALLENGE;
    }
    if (seg->flags & FLUE_TCP_SYN) { /* TCP-028 */
        limited_ack(x, seg, true);
        return FLUE_TCP_R_SYN;
    }
    if (!(seg->flags & FLUE_TCP_ACK)) /* TCP-031 */
        return FLUE_TCP_R_NO_ACK;
    if (before(seg->ack, t->snd_una - t->max_snd_wnd) || before(t->snd_max, seg->ack)) { /* TCP-029, TCP-030 */
        limited_ack(x, seg, true);
        return FLUE_TCP_R_ACK_RANGE;
    }
    if (seg->flags & FLUE_TCP_URG) { /* TCP-036 */
        if (!t->asked)
            x->out->note[x->out->notes++] = FLUE_TCP_UPLOAD_URGENT;
        t->asked = 1;
        return FLUE_TCP_R_URGENT;
    }
    if (t->ts && seg->has_ts && upto(seg->seq, t->last_ack_sent)) { /* TCP-173 */
        t->ts_valid = 1;
        t->ts_recent = seg->ts_val;
        t->ts_age = x->age_unit;
    }
    tcp_acknowledge(x, seg);
    x->out->reason = FLUE_TCP_R_ACCEPTED;
    if (at_closed_window) { /* TCP-057 */
        limited_ack(x, seg, false);
        return FLUE_TCP_R_OUTSIDE;
    }
    tcp_payload(x, seg);
    return x->out->reason;
}

void tcp_segment(struct tcp_step *x, const struct flue_tcp_seg *seg)
{
    struct flue_tcp_actions *out = x->out;
    const struct flue_tcp *t = x->t;
    out->has_verdict = true;
    if (t->mode != FLUE_TCP_LIVE || t->state == FLUE_TCP_CLOSED || t->state == FLUE_TCP_TIME_WAIT) {
        out->verdict = FLUE_TCP_DIVERT;
        out->reason = t->mode == FLUE_TCP_FREEZING ? FLUE_TCP_R_FROZEN : FLUE_TCP_R_CLOSED;
        return;
    }
    out->verdict = FLUE_TCP_DROP; /* unless payload is placed */
    out->reason = judge(x, seg);
}
