/* What a transmit turn sends (docs/tcp.md 3.4; RFC 6675 section 5, RFC 5681, RFC 9293 3.8.6.2.1). */
#include "tcp_internal.h"

/* A range of sequence space to send; len 0 and no FIN: nothing. */
struct choice {
    uint32_t seq;
    uint32_t end; /* one past the last number, FIN included */
    uint32_t len; /* payload bytes */
    bool fin;
    bool was_lost;               /* what `force` waits for */
    enum flue_tcp_reason reason; /* IDLE_TURN: nothing */
};

static const struct choice NOTHING = {.reason = FLUE_TCP_R_IDLE_TURN};

static uint32_t mss_now(const struct flue_tcp *t)
{
    struct flue_tcp_range block[FLUE_TCP_BLOCKS];
    unsigned n = tcp_blocks(t, block);
    return t->mss - (n > 0 ? 4 + 8 * n : 0); /* TCP-190 */
}

static uint32_t whole_segments(uint32_t bytes, uint32_t mss)
{
    return bytes - bytes % mss;
}

/* Numbers [seq, end) once more; the FIN's number carries no payload (TCP-200). */
static struct choice again(const struct flue_tcp *t, uint32_t seq, uint32_t end, enum flue_tcp_reason reason)
{
    bool fin = t->fin_sent && before(t->send_limit, end);
    return (struct choice){.seq = seq, .end = end, .len = end - seq - fin, .fin = fin, .reason = reason};
}

/* Lost gaps from the left (TCP-091, TCP-099). */
static struct choice lost(const struct flue_tcp *t, uint32_t budget)
{
    uint32_t mss = mss_now(t), pipe = tcp_pipe(t), edge = tcp_lost_edge(t);
    uint32_t seq = tcp_unsacked(t, later(t->high_rxt, t->snd_una));
    bool room = t->cwnd >= pipe + t->mss; /* TCP-098 */
    if (t->recovery == FLUE_TCP_OPEN || !before(seq, edge) || (!t->force_rxt && !room))
        return NOTHING;
    uint32_t run = tcp_run_end(t, seq, edge) - seq;
    uint32_t most_bytes = t->force_rxt ? mss : most(mss, least(t->cwnd - pipe, budget));
    uint32_t bytes = run <= most_bytes ? run : whole_segments(most_bytes, mss);
    struct choice c = again(t, seq, seq + bytes, FLUE_TCP_R_RETRANSMIT);
    c.was_lost = true;
    return c;
}

/* New data inside both windows, no silly pieces (TCP-048, TCP-051, TCP-052, TCP-092, TCP-140). */
static struct choice new_data(const struct flue_tcp *t, uint32_t budget)
{
    uint32_t mss = mss_now(t), pipe = tcp_pipe(t), edge = t->snd_una + t->snd_wnd;
    uint32_t queued = t->send_limit - t->snd_max;
    uint32_t cwnd = t->cwnd;
    if (t->fin_sent || (t->recovery == FLUE_TCP_FAST && t->cwnd < pipe + t->mss))
        return NOTHING;
    if (t->recovery == FLUE_TCP_OPEN && !t->sack)
        cwnd += least(t->dup_acks, 2) * t->mss;
    uint32_t fits = least(queued, before(t->snd_max, edge) ? edge - t->snd_max : 0);
    fits = least(fits, least(cwnd > pipe ? cwnd - pipe : 0, budget));

    bool fin = t->fin_marked && before(t->send_limit, edge);
    struct choice c = {.seq = t->snd_max, .reason = FLUE_TCP_R_NEW_DATA};
    if (fits == queued && (queued > 0 || fin)) {
        c.len = fits;
        c.fin = fin;
    } else if (fits >= mss) {
        c.len = whole_segments(fits, mss);
    } else if (fits > 0 && (fits >= t->max_snd_wnd / 2 || t->sws_override)) {
        c.len = fits;
    } else {
        return NOTHING;
    }
    c.end = c.seq + c.len + c.fin;
    return c;
}

/* Gaps that are not lost yet, then one rescue: RFC 6675 NextSeg rules 3 and 4 (TCP-099). */
static struct choice speculative(const struct flue_tcp *t)
{
    uint32_t mss = mss_now(t);
    if (t->recovery != FLUE_TCP_FAST || !t->sack || t->cwnd < tcp_pipe(t) + t->mss)
        return NOTHING;
    if (t->sacked_count > 0) {
        uint32_t top = t->sacked[t->sacked_count - 1].right;
        uint32_t seq = tcp_unsacked(t, later(t->high_rxt, t->snd_una));
        if (before(seq, top))
            return again(t, seq, seq + least(tcp_run_end(t, seq, top) - seq, mss), FLUE_TCP_R_RETRANSMIT);
    }
    if (t->rescued)
        return NOTHING;
    uint32_t begin = t->snd_una, end = t->recover;
    for (unsigned i = t->sacked_count; i-- > 0;) {
        if (upto(end, t->sacked[i].left))
            continue; /* above */
        if (before(t->sacked[i].right, end)) {
            begin = t->sacked[i].right;
            break;
        }
        end = t->sacked[i].left;
    }
    if (!before(begin, end))
        return NOTHING;
    return again(t, end - begin > mss ? end - mss : begin, end, FLUE_TCP_R_RESCUE);
}

static struct choice choose(const struct flue_tcp *t, uint32_t budget)
{
    if (t->mode != FLUE_TCP_LIVE || t->state == FLUE_TCP_CLOSED || t->state == FLUE_TCP_TIME_WAIT)
        return NOTHING;
    budget = most(budget, mss_now(t));
    struct choice c = lost(t, budget);
    if (c.reason == FLUE_TCP_R_IDLE_TURN)
        c = new_data(t, budget);
    if (c.reason == FLUE_TCP_R_IDLE_TURN)
        c = speculative(t);
    return c;
}

bool tcp_would_send(const struct flue_tcp *t)
{
    return choose(t, FLUE_TCP_TURN_BUDGET).reason != FLUE_TCP_R_IDLE_TURN;
}

static void account_new(struct tcp_step *x, const struct choice *c)
{
    struct flue_tcp *t = x->t;
    t->snd_max = c->end;
    t->sws_override = 0;
    if (!t->timing) { /* TCP-123 */
        t->timing = 1;
        t->timed_seq = c->seq;
        t->timed_at = x->now;
    }
    if (c->fin) {
        t->fin_sent = 1;
        t->state = t->state == FLUE_TCP_ESTABLISHED ? FLUE_TCP_FIN_WAIT1 : FLUE_TCP_LAST_ACK;
    }
}

static void account_again(struct tcp_step *x, const struct choice *c)
{
    struct flue_tcp *t = x->t;
    if (upto(c->seq, t->timed_seq) && before(t->timed_seq, c->end))
        t->timing = 0; /* Karn */
    if (c->reason == FLUE_TCP_R_RESCUE) {
        t->rescued = 1;
    } else {
        if (c->was_lost)
            t->force_rxt = 0;
        t->high_rxt = c->end;
    }
}

void tcp_turn(struct tcp_step *x, uint32_t budget)
{
    struct flue_tcp *t = x->t;
    struct flue_tcp_tx *tx = &x->out->tx;
    struct choice c = t->turns < 2 ? choose(t, budget) : NOTHING;
    x->out->reason = c.reason;
    if (c.reason == FLUE_TCP_R_IDLE_TURN)
        return;

    uint16_t mss = (uint16_t)mss_now(t);
    tcp_stamp(x, FLUE_TCP_TX_DATA, c.seq);
    tx->len = c.len;
    tx->mss = mss;
    tx->fin = c.fin;
    tx->psh = c.seq + c.len == t->send_limit; /* TCP-050 */
    tx->resend = c.reason != FLUE_TCP_R_NEW_DATA;
    tx->blocks = tcp_blocks(t, tx->block);
    tcp_ack_left(t);

    *(t->turns == 0 ? &t->turn0 : &t->turn1) = c.seq;
    t->turns++;
    if (c.reason == FLUE_TCP_R_NEW_DATA)
        account_new(x, &c);
    else
        account_again(x, &c);
    if (!t->rto_on || t->persisting) { /* TCP-125 */
        if (t->persisting)
            t->expiries = 0;
        t->rto_on = 1;
        t->persisting = 0;
        t->rto_at = x->now + tcp_rto_us(t);
    }
}
