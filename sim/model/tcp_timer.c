/* Round trip and deadlines (docs/tcp.md 3.6; RFC 6298, RFC 9293 3.8.6.1). */
#include "tcp_internal.h"

enum { RTT_MAX_US = (1 << 26) - 1, GRANULARITY_US = 1000, BACKOFF_MAX = 12 };

void tcp_sample(struct flue_tcp *t, uint32_t rtt_us)
{
    uint32_t r = least(rtt_us, RTT_MAX_US);
    if (!t->rtt_valid) {
        t->srtt8 = 8 * r;
        t->rttvar4 = 2 * r;
    } else {
        int32_t err = (int32_t)r - (int32_t)(t->srtt8 >> 3);
        t->srtt8 += (uint32_t)err;
        t->rttvar4 += (uint32_t)(err < 0 ? -err : err) - (t->rttvar4 >> 2);
    }
    t->rtt_valid = 1;
    t->backoff = 0; /* TCP-127 */
}

/* TCP-120, TCP-121, TCP-122 */
static uint32_t backed_off(const struct flue_tcp *t, uint32_t doublings)
{
    uint64_t us = 1000000;
    if (t->rtt_valid)
        us = (t->srtt8 >> 3) + (uint64_t)most(GRANULARITY_US, t->rttvar4);
    us = us < FLUE_TCP_RTO_MIN_US ? FLUE_TCP_RTO_MIN_US : us > FLUE_TCP_RTO_MAX_US ? FLUE_TCP_RTO_MAX_US : us;
    us <<= least(doublings, BACKOFF_MAX);
    return us > FLUE_TCP_RTO_MAX_US ? FLUE_TCP_RTO_MAX_US : (uint32_t)us;
}

uint32_t tcp_rto_us(const struct flue_tcp *t)
{
    return backed_off(t, t->backoff);
}

static uint32_t persist_us(const struct flue_tcp *t)
{
    return backed_off(t, t->backoff + t->expiries);
}

static bool due(const struct tcp_step *x, uint32_t on, uint32_t at)
{
    return on && upto(at, x->now);
}

/* TCP-082, TCP-126, TCP-128, TCP-130 */
static void expire(struct tcp_step *x)
{
    struct flue_tcp *t = x->t;
    bool last = t->limit != 0 && t->expiries >= t->limit;
    if (t->expiries == 0)
        tcp_cc_timeout(t, t->snd_max - t->snd_una);
    t->expiries = least(t->expiries + 1, 15);
    x->doubt = t->expiries == 3;
    t->cwnd = t->mss;
    t->recovery = FLUE_TCP_LOSS;
    t->recover_valid = 1;
    t->recover = t->snd_max;
    t->sacked_count = 0;
    t->high_rxt = t->snd_una;
    t->force_rxt = 1;
    t->partial = 0;
    t->dup_acks = 0;
    t->timing = 0;
    t->backoff = least(t->backoff + 1, BACKOFF_MAX);
    t->rto_at = x->now + tcp_rto_us(t);
    x->out->reason = FLUE_TCP_R_RTO;
    if (last) {
        t->state = FLUE_TCP_CLOSED;
        x->ended = FLUE_TCP_END_TIMEOUT;
        x->out->reason = FLUE_TCP_R_LIMIT;
    }
}

/* TCP-053, TCP-054, TCP-056, TCP-048 */
static void persist(struct tcp_step *x)
{
    struct flue_tcp *t = x->t;
    if (t->snd_wnd != 0) {
        t->sws_override = 1;
    } else if (t->acks < 7) {
        tcp_stamp(x, FLUE_TCP_TX_ACK, t->snd_una - 1);
        t->acks++;
    }
    t->expiries = least(t->expiries + 1, 15);
    t->rto_at = x->now + persist_us(t);
    x->out->reason = FLUE_TCP_R_PERSIST;
}

void tcp_timer(struct tcp_step *x)
{
    struct flue_tcp *t = x->t;
    if (t->state == FLUE_TCP_CLOSED || t->state == FLUE_TCP_TIME_WAIT) {
        x->out->reason = FLUE_TCP_R_EARLY;
    } else if (due(x, t->rto_on, t->rto_at) && t->snd_una != t->snd_max) {
        expire(x);
    } else if (due(x, t->rto_on, t->rto_at) && t->persisting) {
        persist(x);
    } else if (due(x, t->delack_on, t->delack_at)) {
        t->delack_on = 0;
        t->ack_now = 1;
        x->out->reason = FLUE_TCP_R_DELACK;
    } else {
        x->out->reason = FLUE_TCP_R_EARLY;
    }
}

void tcp_arm(struct tcp_step *x)
{
    struct flue_tcp *t = x->t;
    bool queued = t->snd_max != t->send_limit + t->fin_sent || (t->fin_marked && !t->fin_sent);
    if (t->snd_una == t->snd_max && queued && !tcp_would_send(t)) {
        if (!t->persisting) {
            t->persisting = 1;
            t->expiries = 0;
            t->rto_on = 1;
            t->rto_at = x->now + persist_us(t);
        }
        if (t->snd_wnd != 0 && before(x->now + FLUE_TCP_SWS_US, t->rto_at))
            t->rto_at = x->now + FLUE_TCP_SWS_US;
    } else if (t->persisting) {
        t->persisting = 0;
        t->expiries = 0;
        t->rto_on = 0;
    }
    if (t->snd_una != t->snd_max && !t->rto_on) { /* TCP-131 */
        t->rto_on = 1;
        t->rto_at = x->now + tcp_rto_us(t);
    }
}

bool tcp_deadline(const struct flue_tcp *t, uint32_t *at)
{
    *at = t->rto_on && t->delack_on ? earlier(t->rto_at, t->delack_at) : t->rto_on ? t->rto_at : t->delack_at;
    return t->rto_on || t->delack_on;
}
