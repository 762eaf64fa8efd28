/* What the engine decides: events, verdicts, orders, deadlines. */
#include "watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tcp_internal.h"
#include "tcp_words.h"

static struct flue_watch_row *row_of(struct flue_watch *w, unsigned index)
{
    if (index >= FLUE_WATCH_ROWS)
        return NULL;
    if (!w->row[index]) {
        w->row[index] = calloc(1, sizeof *w->row[index]);
        w->rows = w->rows > index ? w->rows : index + 1;
    }
    return w->row[index];
}

static void fail(struct flue_watch *w, unsigned index, const char *text)
{
    flue_monitor_fail(w->mon, "tcp", "connection %u: %s", index, text);
}

void flue_watch_init(struct flue_watch *w, struct flue_monitor *mon, const struct flue_hostmem *mem)
{
    memset(w, 0, sizeof *w);
    w->mon = mon;
    w->mem = mem;
}

void flue_watch_free(struct flue_watch *w)
{
    for (unsigned i = 0; i < w->rows; i++) {
        if (w->row[i])
            flue_watch_forget(w->row[i]);
        free(w->row[i]);
    }
    for (unsigned i = 0; i < FLUE_WATCH_RECENT; i++)
        free(w->recent[i].data);
}

void flue_watch_reset(struct flue_watch *w)
{
    for (unsigned i = 0; i < w->rows; i++)
        if (w->row[i]) {
            flue_watch_forget(w->row[i]);
            memset(w->row[i], 0, sizeof *w->row[i]);
        }
    w->segments = w->verdicts = 0;
}

/* ---- out-of-order ranges ---- */

static void take(struct flue_watch_row *row, uint32_t l, uint32_t r)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < row->ranges; i++) {
        struct flue_tcp_range h = row->range[i];
        if (upto(h.left, r) && upto(l, h.right)) {
            l = earlier(l, h.left);
            r = later(r, h.right);
        } else {
            row->range[kept++] = h;
        }
    }
    row->ranges = kept;
    if (upto(l, row->accepted))
        row->accepted = later(row->accepted, r);
    else if (kept <= FLUE_TCP_HELD)
        row->range[row->ranges++] = (struct flue_tcp_range){l, r};
}

/* The record after a segment against the ranges that the placed segments make. */
static void compare_ranges(struct flue_watch *w, unsigned index, struct flue_watch_row *row, const struct flue_tcp *r)
{
    if (r->fin_valid && row->accepted == r->fin_seq && r->rcv_edge == r->fin_seq + 1)
        row->accepted++; /* the FIN's number */
    if (r->rcv_edge != row->accepted)
        flue_monitor_fail(w->mon, "tcp", "connection %u: in-order bytes end at %u, the placed segments make %u", index,
                          r->rcv_edge, row->accepted);
    bool same = r->held_count == row->ranges;
    for (unsigned i = 0; same && i < r->held_count; i++) {
        same = false;
        for (unsigned k = 0; k < row->ranges; k++)
            same |= row->range[k].left == r->held[i].left && row->range[k].right == r->held[i].right;
    }
    if (!same)
        fail(w, index, "the out-of-order ranges are not those that the placed segments make (TCP-079)");
}

static void judge_segments(struct flue_watch *w)
{
    unsigned n = 0;
    for (; n < w->segments && n < w->verdicts; n++) {
        unsigned index = w->segment[n].row;
        const struct flue_tcp *before_it = &w->segment[n].was;
        const struct flue_tcp_place *p = &w->verdict[n].place;
        struct flue_watch_row *row = w->row[index];
        if (!w->segment[n].judged || !row->live || row->lost)
            continue;
        if (w->verdict[n].verdict == FLUE_TCP_PLACE) {
            if (before(p->seq, row->accepted))
                fail(w, index, "bytes that were accepted before are written again (TCP-024)");
            if (before(before_it->rcv_adv, p->seq + p->len))
                fail(w, index, "bytes beyond the announced window are written (TCP-020)");
            take(row, p->seq, p->seq + p->len);
        }
        compare_ranges(w, index, row, &w->segment[n].is);
    }
    w->segments -= n;
    w->verdicts -= n;
    memmove(w->segment, w->segment + n, w->segments * sizeof w->segment[0]);
    memmove(w->verdict, w->verdict + n, w->verdicts * sizeof w->verdict[0]);
}

void flue_watch_verdict(struct flue_watch *w, enum flue_tcp_verdict verdict, const struct flue_tcp_place *place)
{
    if (w->verdicts == FLUE_WATCH_PENDING) {
        flue_monitor_fail(w->mon, "tcp", "verdicts without segments");
        return;
    }
    w->verdict[w->verdicts].verdict = verdict;
    w->verdict[w->verdicts++].place = *place;
    judge_segments(w);
}

/* ---- what leaves ---- */

/* A report of a duplicate stands in front: below the in-order bytes, or inside the newest range, which then follows it. */
static bool duplicate_first(const struct flue_tcp *r, const struct flue_tcp_tx *tx)
{
    struct flue_tcp_range b = tx->block[0];
    if (tx->blocks == 0)
        return false;
    if (before(b.left, r->rcv_edge))
        return true;
    return tx->blocks > 1 && r->held_count > 0 && upto(r->held[0].left, b.left) && upto(b.right, r->held[0].right) &&
           tx->block[1].left == r->held[0].left && tx->block[1].right == r->held[0].right;
}

static void judge_blocks(struct flue_watch *w, unsigned index, const struct flue_tcp *r, const struct flue_tcp_tx *tx,
                         bool probe)
{
    unsigned most_blocks = r->ts ? 3 : 4, first = duplicate_first(r, tx);
    unsigned want = r->sack ? least(r->held_count, most_blocks - first) : 0;
    if (probe || tx->kind == FLUE_TCP_TX_RST) {
        if (tx->blocks > 0)
            fail(w, index, "a probe or reset with SACK blocks");
        return;
    }
    bool same = tx->blocks == first + want && (first == 0 || before(tx->block[0].left, tx->block[0].right));
    for (unsigned i = 0; same && i < want; i++)
        same = tx->block[first + i].left == r->held[i].left && tx->block[first + i].right == r->held[i].right;
    if (!same)
        fail(w, index, "the SACK blocks are not the out-of-order ranges, newest first (TCP-072)");
}

static void judge_flight(struct flue_watch *w, unsigned index, const struct flue_tcp *b, const struct flue_tcp *a,
                         const struct flue_tcp_tx *tx)
{
    uint32_t window_end = a->snd_una + a->snd_wnd, end = tx->seq + tx->len + tx->fin, pipe = tcp_pipe(a);
    uint32_t extra = b->recovery == FLUE_TCP_OPEN && !b->sack ? least(b->dup_acks, 2) * b->mss : 0;
    if (!tx->resend && before(window_end, end))
        fail(w, index, "new bytes beyond the peer's window (TCP-052)");
    if (before(a->send_limit, tx->seq + tx->len))
        fail(w, index, "bytes leave that the host did not give");
    if (before(tx->seq, b->snd_una))
        fail(w, index, "bytes leave again that were acknowledged");
    bool forced = b->force_rxt && tx->resend, lone_fin = tx->len == 0;
    if (!forced && !lone_fin && pipe > a->cwnd + extra + tx->fin)
        flue_monitor_fail(w->mon, "tcp", "connection %u: %u bytes in flight, the congestion window is %u (TCP-140)", index,
                          pipe, a->cwnd);
}

static void judge_order(struct flue_watch *w, unsigned index, struct flue_watch_row *row, const struct flue_tcp *b,
                        const struct flue_tcp *a, const struct flue_tcp_tx *tx)
{
    uint32_t edge = tx->ack + ((uint32_t)tx->wnd << a->rcv_scale);
    bool probe = tx->kind == FLUE_TCP_TX_ACK && tx->seq == a->snd_una - 1 && tx->seq != a->snd_max;
    bool after_fin = a->fin_valid && before(a->fin_seq, a->rcv_nxt);
    if (before(edge, row->edge))
        flue_monitor_fail(w->mon, "tcp", "connection %u: the right edge went back from %u to %u (TCP-044)", index, row->edge,
                          edge);
    if (before(tx->ack, row->last_ack))
        fail(w, index, "the ACK number went back");
    if (before(a->rcv_nxt, tx->ack))
        fail(w, index, "bytes are acknowledged that are not stored (TCP-041)");
    if (!after_fin && before(a->consumed + a->rcv_buf, edge))
        fail(w, index, "more is announced than the ring has room for (TCP-045)");
    judge_blocks(w, index, a, tx, probe);
    if (tx->kind == FLUE_TCP_TX_DATA) {
        judge_flight(w, index, b, a, tx);
        if (tx->mss + (tx->blocks ? 4 + 8 * tx->blocks : 0) > a->mss)
            fail(w, index, "segments too long for their options (TCP-190)");
    } else if (!probe && tx->seq != a->snd_max) {
        fail(w, index, "an ACK with another sequence number than the next");
    }
    row->edge = edge;
    row->last_ack = tx->ack;
    if (row->orders == FLUE_WATCH_ORDERS)
        fail(w, index, "more is ordered than may be in flight");
    else
        row->order[row->orders++] = (struct flue_watch_order){.tx = *tx, .at = tx->seq};
}

static void pair_orders(struct flue_watch *w, unsigned index, struct flue_watch_row *row)
{
    while (row->traces > 0 && row->tellings > 0) {
        judge_order(w, index, row, &row->traced[0].was, &row->traced[0].is, &row->told[0]);
        memmove(row->traced, row->traced + 1, --row->traces * sizeof row->traced[0]);
        memmove(row->told, row->told + 1, --row->tellings * sizeof row->told[0]);
    }
}

void flue_watch_order(struct flue_watch *w, unsigned index, const struct flue_tcp_tx *tx)
{
    struct flue_watch_row *row = row_of(w, index);
    if (!row || row->lost)
        return;
    if (row->tellings == sizeof row->told / sizeof row->told[0]) {
        fail(w, index, "something leaves without an event that says so");
        return;
    }
    row->told[row->tellings++] = *tx;
    if (row->live && row->r.mode == FLUE_TCP_FROZEN)
        fail(w, index, "something leaves after the freeze (HND-001)");
    pair_orders(w, index, row);
}

void flue_watch_sent(struct flue_watch *w, unsigned index, bool turn, bool failed)
{
    struct flue_watch_row *row = row_of(w, index);
    if (!row || !row->live || row->lost)
        return;
    if (row->orders == 0) {
        fail(w, index, "something is told as sent that was not ordered");
        return;
    }
    struct flue_watch_order o = row->order[0];
    memmove(row->order, row->order + 1, --row->orders * sizeof row->order[0]);
    if (turn != (o.tx.kind == FLUE_TCP_TX_DATA))
        fail(w, index, "what was sent is told in another order");
    if (!failed && !o.whole)
        fail(w, index, "something is told as sent that is not on the wire");
}

/* ---- events ---- */

static bool armed_as(const struct flue_watch_row *row, const struct flue_tcp *r)
{
    uint32_t at = r->rto_on && (!r->delack_on || before(r->rto_at, r->delack_at)) ? r->rto_at : r->delack_at;
    bool on = r->mode == FLUE_TCP_LIVE && (r->rto_on || r->delack_on);
    return row->deadline_on == on && (!on || row->deadline == at);
}

/* The timers know the earlier of the deadlines of the record as it was until now, or already as it is. */
static void judge_deadline(struct flue_watch *w, unsigned index, const struct flue_watch_row *row, const struct flue_tcp *now)
{
    if (!armed_as(row, &row->r) && !armed_as(row, now))
        fail(w, index, "the deadline that is armed is not the earlier one of the record (TCP-131)");
}

static void loaded(struct flue_watch *w, struct flue_watch_row *row, const struct flue_tcp *r)
{
    row->live = true;
    row->lost = row->ip_known = row->known = row->forwarded = false;
    row->accepted = r->rcv_edge;
    row->ranges = r->held_count;
    memcpy(row->range, r->held, sizeof r->held);
    row->edge = r->rcv_adv;
    row->last_ack = r->last_ack_sent;
    row->traces = row->tellings = row->orders = 0;
    row->r = *r;
    row->r.turns = row->r.acks = 0;
    flue_watch_begin(w, row);
}

static void judge_freeze(struct flue_watch *w, unsigned index, const struct flue_watch_row *row)
{
    if (row->orders > 0 || row->tellings > 0 || row->traces > 0)
        fail(w, index, "it is frozen and not everything ordered has left (HND-001)");
}

/* How many segments or turns the event let leave. */
static int leaving(const struct flue_watch_row *row, enum flue_tcp_event_kind kind, const struct flue_tcp *r)
{
    int was = (int)(row->r.turns + row->r.acks), is = (int)(r->turns + r->acks);
    bool back = kind == FLUE_TCP_EV_SENT && was > 0 && row->r.mode != FLUE_TCP_FROZEN;
    return is - was + back;
}

static void judge_event(struct flue_watch *w, unsigned index, struct flue_watch_row *row, enum flue_tcp_event_kind kind,
                        const struct flue_tcp *r)
{
    const char *why = flue_tcp_invariant(r);
    int left = leaving(row, kind, r);
    if (why)
        fail(w, index, why);
    bool segment = kind == FLUE_TCP_EV_SEGMENT || kind == FLUE_TCP_EV_FORWARD;
    if (!segment && (r->rcv_edge != row->r.rcv_edge || memcmp(r->held, row->r.held, sizeof r->held) != 0))
        fail(w, index, "in-order end or out-of-order ranges changed without a segment");
    if (left < 0 || left > 1)
        fail(w, index, "turns and ACKs in flight do not follow from what left");
    if (left == 1 && row->traces < sizeof row->traced / sizeof row->traced[0]) {
        row->traced[row->traces].was = row->r;
        row->traced[row->traces++].is = *r;
        pair_orders(w, index, row);
    }
    uint32_t end = r->rcv_nxt - (r->fin_valid && r->rcv_nxt == r->fin_seq + 1);
    if (before(row->r.rcv_nxt, end))
        flue_watch_delivered(w, index, row->r.rcv_nxt, end);
    else if (before(r->rcv_nxt, row->r.rcv_nxt))
        fail(w, index, "bytes that were the host's are no more");
    if (r->mode == FLUE_TCP_FROZEN && row->r.mode != FLUE_TCP_FROZEN)
        judge_freeze(w, index, row);
}

void flue_watch_trace(struct flue_watch *w, unsigned index, enum flue_tcp_event_kind kind, enum flue_tcp_reason reason,
                      const struct flue_tcp *r)
{
    struct flue_watch_row *row = row_of(w, index);
    if (!row)
        return;
    bool segment = kind == FLUE_TCP_EV_SEGMENT || kind == FLUE_TCP_EV_FORWARD,
         judged = row->live && reason != FLUE_TCP_R_BAD_ROW;
    w->events++;
    if (reason == FLUE_TCP_R_BAD_ROW)
        row->lost = true;
    if (segment && w->segments < FLUE_WATCH_PENDING) {
        w->segment[w->segments].row = index;
        w->segment[w->segments].judged = judged;
        w->segment[w->segments].was = row->r;
        w->segment[w->segments++].is = *r;
    }
    if (judged && !row->lost) {
        judge_deadline(w, index, row, r);
        if (r->mode != FLUE_TCP_EMPTY)
            judge_event(w, index, row, kind, r);
        row->r = *r;
    }
    if (segment)
        judge_segments(w);
    if (reason != FLUE_TCP_R_BAD_ROW && r->mode == FLUE_TCP_EMPTY)
        row->live = row->known = false;
    else if (kind == FLUE_TCP_EV_COMMAND && reason == FLUE_TCP_R_COMMAND && !row->live && r->mode == FLUE_TCP_LIVE)
        loaded(w, row, r);
}

void flue_watch_deadline(struct flue_watch *w, unsigned index, bool on, uint32_t at_us)
{
    struct flue_watch_row *row = row_of(w, index);
    if (!row)
        return;
    row->deadline_on = on;
    row->deadline = at_us;
}

void flue_watch_ring(struct flue_watch *w, unsigned index, unsigned word, uint32_t value)
{
    struct flue_watch_row *row = row_of(w, index);
    if (!row || word >= 4)
        return;
    row->ring[word] = value;
    row->known = false; /* named once a life: a frame may have found the entry of the one before after its freeze */
}

void flue_watch_found(struct flue_watch *w, unsigned index, const struct flue_watch_ends *ends, bool forwarded)
{
    struct flue_watch_row *row = row_of(w, index);
    if (!row || !row->live) /* what the row will run next may be another connection */
        return;
    row->forwarded |= forwarded;
    if (row->known && !memcmp(&row->ends, ends, sizeof *ends))
        return;
    for (unsigned i = 0; i < w->rows; i++) /* it has moved to another row */
        if (w->row[i] && !memcmp(&w->row[i]->ends, ends, sizeof *ends))
            w->row[i]->known = false;
    row->known = true;
    row->ip_known = false;
    row->ends = *ends;
    flue_watch_learnt(w, row);
}

/* ---- from the model ---- */

static uint32_t bits(const uint32_t *data, unsigned at, unsigned width)
{
    uint64_t value = data[at / 32] >> at % 32;
    if (at % 32 + width > 32)
        value |= (uint64_t)data[at / 32 + 1] << (32 - at % 32);
    return (uint32_t)(value & ((UINT64_C(1) << width) - 1));
}

/* lookup_key_t */
static void found(struct flue_watch *w, unsigned row, bool forwarded, const uint32_t *data)
{
    struct flue_watch_ends e;
    memset(&e, 0, sizeof e);
    e.port_there = (uint16_t)bits(data, 0, 16);
    e.port_here = (uint16_t)bits(data, 16, 16);
    for (unsigned i = 0; i < 16; i++) {
        e.there[i] = (uint8_t)bits(data, 32 + 8 * i, 8);
        e.here[i] = (uint8_t)bits(data, 160 + 8 * i, 8);
    }
    e.vlan = (uint16_t)bits(data, 288, 12);
    e.tagged = bits(data, 300, 1);
    e.ipv6 = bits(data, 301, 1);
    flue_watch_found(w, row, &e, forwarded);
}

static void trace(struct flue_watch *w, unsigned row, unsigned a, const uint32_t *data)
{
    uint32_t words[TCP_RECORD_WORDS];
    struct flue_tcp record;
    for (unsigned i = 0; i < TCP_RECORD_WORDS; i++)
        words[i] = data[TCP_RECORD_WORDS - 1 - i];
    tcp_record_unpack(words, &record);
    flue_watch_trace(w, row, (enum flue_tcp_event_kind)(a & 0xFF), (enum flue_tcp_reason)(a >> 8), &record);
}

void flue_watch_engine(void *user, enum flue_model_watch what, unsigned row, unsigned a, const uint32_t *data)
{
    struct flue_watch *w = user;
    struct flue_tcp_tx tx;
    struct flue_tcp_place place;
    enum flue_tcp_verdict verdict;
    switch (what) {
    case FLUE_WATCH_RESET:
        flue_watch_reset(w);
        break;
    case FLUE_WATCH_TRACE:
        trace(w, row, a, data);
        break;
    case FLUE_WATCH_VERDICT:
        tcp_verdict_unpack(data, &verdict, &place);
        flue_watch_verdict(w, verdict, &place);
        break;
    case FLUE_WATCH_TX:
        tcp_tx_unpack(data, &tx);
        flue_watch_order(w, row, &tx);
        break;
    case FLUE_WATCH_SENT:
        flue_watch_sent(w, row, a >> 1 & 1, a & 1);
        break;
    case FLUE_WATCH_DEADLINE:
        flue_watch_deadline(w, row, a, data[0]);
        break;
    case FLUE_WATCH_RING:
        flue_watch_ring(w, row, a, data[0]);
        break;
    case FLUE_WATCH_FOUND:
        found(w, row, a, data);
        break;
    }
}
