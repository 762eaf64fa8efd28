/* The peer's ranges, what counts as lost and what is in flight (docs/tcp.md 3.3; RFC 6675). */
#include "tcp_internal.h"

static void drop_range(struct flue_tcp *t, unsigned i)
{
    for (t->sacked_count--; i < t->sacked_count; i++)
        t->sacked[i] = t->sacked[i + 1];
}

void tcp_unmark(struct flue_tcp *t)
{
    while (t->sacked_count > 0 && upto(t->sacked[0].right, t->snd_una))
        drop_range(t, 0);
    if (t->sacked_count > 0)
        t->sacked[0].left = later(t->sacked[0].left, t->snd_una);
}

/* Merge one block; true when it was not inside one range.  Of nine, the highest finds no place. */
static bool mark(struct flue_tcp *t, struct flue_tcp_range b, unsigned *forgot)
{
    unsigned i = 0;
    for (unsigned k = 0; k < t->sacked_count; k++)
        if (upto(t->sacked[k].left, b.left) && upto(b.right, t->sacked[k].right))
            return false;
    while (i < t->sacked_count && before(t->sacked[i].right, b.left))
        i++;
    while (i < t->sacked_count && upto(t->sacked[i].left, b.right)) {
        b.left = earlier(b.left, t->sacked[i].left);
        b.right = later(b.right, t->sacked[i].right);
        drop_range(t, i);
    }
    *forgot += t->sacked_count == FLUE_TCP_SACKED;
    if (i == FLUE_TCP_SACKED)
        return true; /* it is the highest */
    if (t->sacked_count < FLUE_TCP_SACKED)
        t->sacked_count++;
    for (unsigned k = t->sacked_count - 1; k > i; k--)
        t->sacked[k] = t->sacked[k - 1];
    t->sacked[i] = b;
    return true;
}

bool tcp_mark(struct tcp_step *x, const struct flue_tcp_seg *seg)
{
    struct flue_tcp *t = x->t;
    bool fresh = false;
    for (unsigned i = 0; i < seg->blocks; i++) {
        struct flue_tcp_range b = seg->block[i], next = seg->block[(i + 1) % FLUE_TCP_BLOCKS];
        if (i == 0 && seg->blocks > 1 && upto(next.left, b.left) && upto(b.right, next.right))
            continue; /* a duplicate report (RFC 2883) */
        if (before(t->snd_una, b.left) && before(b.left, b.right) && upto(b.right, t->snd_max)) /* TCP-081 */
            fresh |= mark(t, b, &x->out->forgot);
    }
    return fresh;
}

uint32_t tcp_unsacked(const struct flue_tcp *t, uint32_t from)
{
    for (unsigned i = 0; i < t->sacked_count; i++)
        if (upto(t->sacked[i].left, from) && before(from, t->sacked[i].right))
            from = t->sacked[i].right;
    return from;
}

uint32_t tcp_run_end(const struct flue_tcp *t, uint32_t from, uint32_t end)
{
    for (unsigned i = 0; i < t->sacked_count; i++)
        if (before(from, t->sacked[i].left))
            end = earlier(end, t->sacked[i].left);
    return end;
}

/* Below it, what is not SACKed is lost (TCP-091, TCP-097). */
uint32_t tcp_lost_edge(const struct flue_tcp *t)
{
    if (t->recovery == FLUE_TCP_LOSS)
        return t->recover;
    if (!t->sack) {
        bool due = t->recovery == FLUE_TCP_FAST && upto(t->high_rxt, t->snd_una);
        return due ? earlier(t->snd_una + t->mss, t->recover) : t->snd_una;
    }
    uint32_t edge = t->snd_una, bytes = 0;
    for (unsigned i = t->sacked_count; i-- > 0;) {
        bytes += t->sacked[i].right - t->sacked[i].left;
        if (t->sacked_count - i >= 3 || bytes > 2 * t->mss) {
            edge = t->sacked[i].left;
            break;
        }
    }
    if (t->recovery == FLUE_TCP_FAST && t->dup_acks >= 3 && t->sacked_count > 0)
        edge = later(edge, earlier(t->snd_una + t->mss, t->sacked[0].left));
    return edge;
}

static uint32_t sacked_in(const struct flue_tcp *t, uint32_t l, uint32_t r)
{
    uint32_t bytes = 0;
    for (unsigned i = 0; i < t->sacked_count; i++) {
        uint32_t from = later(l, t->sacked[i].left), to = earlier(r, t->sacked[i].right);
        bytes += before(from, to) ? to - from : 0;
    }
    return bytes;
}

/* Bytes in flight: neither SACKed, nor lost and not sent again (TCP-098). */
uint32_t tcp_pipe(const struct flue_tcp *t)
{
    uint32_t pipe = t->snd_max - t->snd_una - sacked_in(t, t->snd_una, t->snd_max);
    uint32_t from = later(t->high_rxt, t->snd_una), to = tcp_lost_edge(t);
    if (t->recovery != FLUE_TCP_OPEN && before(from, to))
        pipe -= to - from - sacked_in(t, from, to);
    return pipe;
}
