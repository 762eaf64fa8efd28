/* What leaves with every segment: ACK number, window, SACK blocks (docs/tcp.md 3.5). */
#include "tcp_internal.h"

enum { WND_MAX = 65535, ACKS_MAX = 7 };

struct announced {
    uint32_t ack, edge;
    uint16_t wnd;
};

/* The peer's FIN was reached: nothing can arrive any more. */
static bool after_fin(const struct flue_tcp *t)
{
    return t->state == FLUE_TCP_CLOSE_WAIT || t->state == FLUE_TCP_CLOSING || t->state == FLUE_TCP_LAST_ACK ||
           t->state == FLUE_TCP_TIME_WAIT;
}

/* What the edge may reach by rounding, and what it is moved to: the difference is room to round up in (TCP-045). */
static uint32_t last_edge(const struct flue_tcp *t)
{
    return t->consumed + t->rcv_buf;
}

static uint32_t full_edge(const struct flue_tcp *t)
{
    return last_edge(t) - t->rcv_buf / 32;
}

/* The window of a segment that leaves now: its edge never moves left, nor beyond the buffer (TCP-044, TCP-045, TCP-046). */
static struct announced announce(const struct flue_tcp *t)
{
    uint32_t edge = t->rcv_adv;
    int32_t step = (int32_t)(full_edge(t) - t->rcv_adv);
    if (step > 0 && ((uint32_t)step >= least(t->rcv_buf / 2, t->mss_rcv) || t->consumed == t->rcv_nxt))
        edge = full_edge(t);
    uint32_t wnd = least((edge - t->rcv_nxt) >> t->rcv_scale, WND_MAX);
    uint32_t ack = t->rcv_nxt;
    if (before(ack + (wnd << t->rcv_scale), t->rcv_adv)) { /* rounding would move the edge left */
        wnd = least((t->rcv_adv - t->rcv_nxt + (1u << t->rcv_scale) - 1) >> t->rcv_scale, WND_MAX);
        if (!after_fin(t) && before(last_edge(t), ack + (wnd << t->rcv_scale)))
            ack = t->rcv_adv - (wnd << t->rcv_scale);
    }
    return (struct announced){ack, ack + (wnd << t->rcv_scale), (uint16_t)wnd};
}

/* A window update that the peer waits for (TCP-046), or the rest of an ACK number that rounding had lowered. */
bool tcp_reopens(const struct flue_tcp *t)
{
    bool receives = t->state == FLUE_TCP_ESTABLISHED || t->state == FLUE_TCP_FIN_WAIT1 || t->state == FLUE_TCP_FIN_WAIT2;
    struct announced a = announce(t);
    uint32_t gain = a.edge - t->rcv_adv; /* never moves left */
    bool low = t->rcv_adv - t->rcv_nxt < t->mss_rcv;
    bool much = gain >= most(2 * t->mss_rcv, t->rcv_buf / 4);
    bool lowered = t->placing == 0 && t->ack_owed == 0 && before(t->last_ack_sent, a.ack);
    return lowered || (receives && gain > 0 && (low || much));
}

/* A duplicate above the edge is reported only with its range behind it (TCP-076). */
static bool dsack_fits(const struct flue_tcp *t)
{
    struct flue_tcp_range d = t->dsack;
    if (d.left == d.right)
        return false;
    if (before(d.left, t->rcv_edge))
        return true;
    return t->held_count > 0 && upto(t->held[0].left, d.left) && upto(d.right, t->held[0].right);
}

/* TCP-070, TCP-071, TCP-072, TCP-075 */
unsigned tcp_blocks(const struct flue_tcp *t, struct flue_tcp_range *block)
{
    unsigned n = 0, room = t->ts ? 3 : FLUE_TCP_BLOCKS;
    if (!t->sack)
        return 0;
    if (dsack_fits(t))
        block[n++] = t->dsack;
    for (unsigned i = 0; i < t->held_count && n < room; i++)
        block[n++] = t->held[i];
    return n;
}

void tcp_stamp(struct tcp_step *x, enum flue_tcp_tx_kind kind, uint32_t seq)
{
    struct flue_tcp *t = x->t;
    struct flue_tcp_tx *tx = &x->out->tx;
    struct announced a = announce(t);
    x->out->has_tx = true;
    *tx = (struct flue_tcp_tx){.kind = kind, .seq = seq, .ack = a.ack, .wnd = a.wnd};
    tx->ts_ecr = t->ts ? t->ts_recent : 0;
    t->rcv_adv = a.edge;
    t->last_ack_sent = a.ack;
}

/* What a segment leaves whose ACK the peer takes. */
void tcp_ack_left(struct flue_tcp *t)
{
    uint32_t rest = t->rcv_edge - t->rcv_nxt; /* in order, on its way into the ring */
    t->dsack = (struct flue_tcp_range){0, 0};
    t->ack_owed = least(rest, (1 << 17) - 1);
    if (rest == 0) {
        t->ack_now = 0;
        t->delack_on = 0;
    }
}

void tcp_ack_out(struct tcp_step *x)
{
    struct flue_tcp *t = x->t;
    bool ripe = t->placing == 0 || t->rcv_nxt - t->last_ack_sent >= 2 * t->mss_rcv;
    if (!x->out->has_tx && t->ack_now && t->acks < ACKS_MAX && ripe && t->state != FLUE_TCP_CLOSED) {
        tcp_stamp(x, FLUE_TCP_TX_ACK, t->snd_max);
        x->out->tx.blocks = tcp_blocks(t, x->out->tx.block);
        tcp_ack_left(t);
        t->acks++;
    }
    if (t->mode == FLUE_TCP_LIVE && t->ack_owed > 0 && !t->ack_now && !t->delack_on) {
        t->delack_on = 1;
        t->delack_at = x->now + FLUE_TCP_DELACK_US;
    }
}
