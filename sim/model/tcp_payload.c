/* Payload and FIN: what is placed, the held ranges, where RCV.NXT is (docs/tcp.md 3.1, steps 11 and 12). */
#include "tcp_internal.h"

enum { PLACING_MAX = 63, OWED_MAX = (1 << 17) - 1 };

static bool receives(const struct flue_tcp *t)
{
    return t->state == FLUE_TCP_ESTABLISHED || t->state == FLUE_TCP_FIN_WAIT1 || t->state == FLUE_TCP_FIN_WAIT2;
}

static void drop_held(struct flue_tcp *t, unsigned i)
{
    for (t->held_count--; i < t->held_count; i++)
        t->held[i] = t->held[i + 1];
}

/* Bytes that were here before are reported once and acknowledged at once (TCP-061, TCP-076). */
static void note_duplicate(struct flue_tcp *t, const struct flue_tcp_seg *seg, uint32_t l, uint32_t r)
{
    struct flue_tcp_range dup = {0, 0};
    if (before(seg->seq, t->rcv_edge)) {
        dup = (struct flue_tcp_range){seg->seq, earlier(seg->seq + seg->len, t->rcv_edge)};
    } else {
        for (unsigned i = 0; i < t->held_count && dup.left == dup.right; i++) {
            struct flue_tcp_range h = t->held[i];
            if (before(l, h.right) && before(h.left, r))
                dup = (struct flue_tcp_range){later(l, h.left), earlier(r, h.right)};
        }
    }
    if (dup.left == dup.right)
        return;
    t->ack_now = 1;
    if (t->sack)
        t->dsack = dup;
}

static void take_in_order(struct flue_tcp *t, uint32_t l, uint32_t r)
{
    if (t->held_count > 0)
        t->ack_now = 1; /* all or part of a gap is filled */
    t->rcv_edge = r;
    for (unsigned i = 0; i < t->held_count;) {
        if (upto(t->held[i].left, r)) {
            t->rcv_edge = later(t->rcv_edge, t->held[i].right);
            drop_held(t, i);
        } else {
            i++;
        }
    }
    t->ack_owed = least(t->ack_owed + (r - l), OWED_MAX);
    if (t->ack_owed >= 2 * t->mss_rcv) /* TCP-060 */
        t->ack_now = 1;
}

enum kept { KEPT, HAD, NO_ROOM };

/* Above a gap: newest first, merged with every range it touches (TCP-042, TCP-072, TCP-073). */
static enum kept take_out_of_order(struct flue_tcp *t, uint32_t l, uint32_t r)
{
    struct flue_tcp_range all = {l, r};
    bool touches = false, had = false;
    for (unsigned i = 0; i < t->held_count;) {
        struct flue_tcp_range h = t->held[i];
        if (upto(h.left, r) && upto(l, h.right)) {
            touches = true;
            had |= upto(h.left, l) && upto(r, h.right);
            all.left = earlier(all.left, h.left);
            all.right = later(all.right, h.right);
            drop_held(t, i);
        } else {
            i++;
        }
    }
    t->ack_now = 1;
    if (!touches && t->held_count == FLUE_TCP_HELD)
        return NO_ROOM;
    for (unsigned i = t->held_count++; i > 0; i--)
        t->held[i] = t->held[i - 1];
    t->held[0] = all;
    return had ? HAD : KEPT;
}

/* A FIN inside the window, whole, not contradicted by anything (TCP-023, TCP-203). */
static bool usable_fin(const struct flue_tcp *t, const struct flue_tcp_seg *seg)
{
    uint32_t fin = seg->seq + seg->len;
    if (!(seg->flags & FLUE_TCP_FIN) || !before(fin, t->rcv_adv) || (t->fin_valid && t->fin_seq != fin))
        return false;
    for (unsigned i = 0; i < t->held_count; i++)
        if (before(fin, t->held[i].right))
            return false;
    return true;
}

void tcp_payload(struct tcp_step *x, const struct flue_tcp_seg *seg)
{
    struct flue_tcp *t = x->t;
    struct flue_tcp_actions *out = x->out;
    uint32_t l = later(seg->seq, t->rcv_edge), r = earlier(seg->seq + seg->len, t->rcv_adv);
    bool fin = usable_fin(t, seg), place = false;

    if (seg->len == 0 && !(seg->flags & FLUE_TCP_FIN))
        return;
    if (!receives(t)) {
        out->reason = FLUE_TCP_R_AFTER_FIN;
        return;
    }
    if (t->fin_valid)
        r = earlier(r, t->fin_seq);
    if (seg->len > 0)
        t->mss_rcv = most(most(t->mss_rcv, seg->len), 536);
    if (t->placing == PLACING_MAX) {
        t->ack_now = 1;
        out->reason = FLUE_TCP_R_NO_INTERVAL;
        return;
    }
    if (seg->len > 0)
        note_duplicate(t, seg, l, r);
    if (before(l, r) && l == t->rcv_edge) {
        take_in_order(t, l, r);
        place = true;
    } else if (before(l, r)) {
        enum kept kept = take_out_of_order(t, l, r);
        place = kept == KEPT;
        out->reason = kept == KEPT ? FLUE_TCP_R_OUT_OF_ORDER : kept == HAD ? FLUE_TCP_R_OLD : FLUE_TCP_R_NO_INTERVAL;
        fin &= kept != NO_ROOM;
    }
    if (fin) {
        t->fin_valid = 1;
        t->fin_seq = seg->seq + seg->len;
        t->ack_now = 1;
    }
    if (t->fin_valid && t->rcv_edge == t->fin_seq) {
        t->rcv_edge++; /* a FIN takes one number and no place */
        t->ack_now = 1;
    }
    if (place) {
        t->placing++;
        out->verdict = FLUE_TCP_PLACE;
        out->place =
            (struct flue_tcp_place){.skip = (uint16_t)(l - seg->seq), .len = (uint16_t)(r - l), .seq = l, .after = t->rcv_edge};
    }
}

void tcp_placed(struct tcp_step *x, uint32_t after, bool ok)
{
    struct flue_tcp *t = x->t;
    if (t->placing > 0)
        t->placing--;
    if (!ok) { /* nothing further is acknowledged (TCP-041) */
        t->broken = 1;
        x->out->reason = FLUE_TCP_R_WRITE_FAILED;
    } else if (!t->broken) {
        t->rcv_nxt = later(t->rcv_nxt, after);
    }
}

void tcp_advance(struct tcp_step *x)
{
    struct flue_tcp *t = x->t;
    if (t->placing == 0 && !t->broken)
        t->rcv_nxt = t->rcv_edge;
    if (!t->fin_valid || t->rcv_nxt != t->fin_seq + 1 || !receives(t))
        return;
    t->state = t->state == FLUE_TCP_ESTABLISHED ? FLUE_TCP_CLOSE_WAIT
               : t->state == FLUE_TCP_FIN_WAIT1 ? FLUE_TCP_CLOSING
                                                : FLUE_TCP_TIME_WAIT;
    x->ended = FLUE_TCP_END_FIN;
}
