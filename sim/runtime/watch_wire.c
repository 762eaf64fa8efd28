/* Frames on the wire, and bytes in the rings. */
#include "watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"
#include "tcp_internal.h"

enum { NOT_SEEN, SEEN, AMBIGUOUS };
enum { OPT_END, OPT_NOP, OPT_SACK = 5, OPT_TS = 8, TCP_HEADER = 20, RING_LOG2_MAX = 25, DF = 0x40 };

/* A TCP segment in a frame. */
struct segment {
    struct flue_watch_ends ends; /* as the lookup of a frame from its sender to its receiver has them */
    uint32_t seq, ack, len, tsval, tsecr, ip_constant;
    uint16_t wnd, flags; /* flags: the 12 bits beside the data offset */
    bool has_ts, df, ect;
    unsigned blocks;
    struct flue_tcp_range block[FLUE_TCP_BLOCKS];
    const uint8_t *payload;
    const char *wrong; /* of its options */
};

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

/* TCP-008, TCP-009: timestamps and SACK, whole, and nothing else but padding. */
static void read_options(const uint8_t *p, size_t count, struct segment *s)
{
    for (size_t i = 0; i < count;) {
        if (p[i] == OPT_END)
            return;
        if (p[i] == OPT_NOP) {
            i++;
            continue;
        }
        size_t len = i + 1 < count ? p[i + 1] : 0;
        if (len < 2 || i + len > count) {
            s->wrong = "an option that does not end";
            return;
        }
        if (p[i] == OPT_TS && len == 10 && !s->has_ts) {
            s->has_ts = true;
            s->tsval = be32(p + i + 2);
            s->tsecr = be32(p + i + 6);
        } else if (p[i] == OPT_SACK && s->blocks == 0 && len > 2 && len <= 34 && len % 8 == 2) {
            s->blocks = (unsigned)(len - 2) / 8;
            for (unsigned b = 0; b < s->blocks; b++)
                s->block[b] = (struct flue_tcp_range){be32(p + i + 2 + 8 * b), be32(p + i + 6 + 8 * b)};
        } else {
            s->wrong = "an option that has no business here";
        }
        i += len;
    }
}

/* False: no TCP segment, or one in a frame that is not right. */
static bool read_segment(const uint8_t *frame, size_t len, struct segment *s)
{
    struct flue_pkt_hdr h;
    flue_pkt_parse(frame, len, &h);
    if (!h.is_tcp || h.trunc || h.bad_hdr || h.vlan_count > 1 || flue_pkt_check_wire(frame, len) != FLUE_PKT_FINE)
        return false;
    const uint8_t *l3 = frame + h.l3_off, *l4 = frame + h.l4_off;
    size_t address = h.is_ipv6 ? 16 : 4;
    memset(s, 0, sizeof *s);
    s->ends.ipv6 = h.is_ipv6;
    s->ends.tagged = h.vlan_count > 0;
    s->ends.vlan = s->ends.tagged ? h.vlan_tci & 0xFFF : 0;
    memcpy(s->ends.there, l3 + (h.is_ipv6 ? 8 : 12), address);
    memcpy(s->ends.here, l3 + (h.is_ipv6 ? 24 : 16), address);
    s->ends.port_there = (uint16_t)be16(l4);
    s->ends.port_here = (uint16_t)be16(l4 + 2);
    s->ect = h.is_ipv6 ? (l3[1] & 0x30) != 0 : (l3[1] & 3) != 0;
    s->df = h.is_ipv6 || (l3[6] & DF);
    s->ip_constant = h.is_ipv6 ? (be32(l3) & 0x0FFFFFFF) ^ (uint32_t)l3[7] << 24 : (uint32_t)l3[1] << 8 | l3[8];
    s->seq = be32(l4 + 4);
    s->ack = be32(l4 + 8);
    s->flags = (uint16_t)(be16(l4 + 12) & 0xFFF);
    s->wnd = (uint16_t)be16(l4 + 14);
    s->payload = frame + h.pay_off;
    s->len = h.l3_end - h.pay_off;
    read_options(l4 + TCP_HEADER, (size_t)(h.pay_off - h.l4_off - TCP_HEADER), s);
    return true;
}

static void turn_round(struct flue_watch_ends *e)
{
    struct flue_watch_ends was = *e;
    memcpy(e->here, was.there, sizeof e->here);
    memcpy(e->there, was.here, sizeof e->there);
    e->port_here = was.port_there;
    e->port_there = was.port_here;
}

static struct flue_watch_row *find(struct flue_watch *w, const struct flue_watch_ends *ends, unsigned *index)
{
    for (unsigned i = 0; i < w->rows; i++)
        if (w->row[i] && w->row[i]->known && !memcmp(&w->row[i]->ends, ends, sizeof *ends)) {
            *index = i;
            return w->row[i];
        }
    return NULL;
}

/* ---- bytes ---- */

void flue_watch_forget(struct flue_watch_row *row)
{
    free(row->in.value);
    free(row->out.value);
    row->in = row->out = (struct flue_watch_bytes){NULL, NULL, 0};
}

static void make_room(struct flue_watch_bytes *b, uint32_t size)
{
    if (b->size != size) {
        free(b->value);
        b->value = malloc(2 * (size_t)size);
        b->size = b->value ? size : 0;
        b->state = b->value + size;
    }
    if (b->size)
        memset(b->state, NOT_SEEN, b->size);
}

static uint32_t ring_bytes(uint32_t place)
{
    unsigned log2 = place >> 8 & 31;
    return log2 == 0 || log2 > RING_LOG2_MAX ? 0 : 1u << log2;
}

/* Byte `seq` of a ring; null when the ring is not in memory that the driver gave. */
static const uint8_t *ring_byte(const struct flue_watch *w, const uint32_t ring[2], uint32_t seq)
{
    const struct flue_hostmem_row *region = &w->mem->row[ring[1] % FLUE_HOSTMEM_ROWS];
    uint32_t size = ring_bytes(ring[1]);
    if (!size || !region->valid || (uint64_t)ring[0] + size > region->bytes)
        return NULL;
    return (const uint8_t *)(uintptr_t)(region->base + ring[0] + (seq & (size - 1)));
}

/* What came for a live connection; bytes outside of the ring's room are no part of its stream. */
static void keep(struct flue_watch_row *row, const struct segment *s)
{
    uint32_t ahead = s->seq - row->r.rcv_nxt;
    for (uint32_t i = 0; row->in.size && i < s->len; i++) {
        uint32_t at = (s->seq + i) & (row->in.size - 1);
        if (ahead + i >= row->in.size) /* modulo 2^32 */
            continue;
        if (row->in.state[at] == NOT_SEEN) {
            row->in.state[at] = SEEN;
            row->in.value[at] = s->payload[i];
        } else if (row->in.value[at] != s->payload[i]) {
            row->in.state[at] = AMBIGUOUS;
        }
    }
}

static void replay(struct flue_watch *w, struct flue_watch_row *row)
{
    struct segment s;
    for (unsigned i = 0; row->known && row->live && i < FLUE_WATCH_RECENT; i++) {
        const struct flue_watch_frame *f = &w->recent[(w->recent_next + i) % FLUE_WATCH_RECENT];
        if (f->data && read_segment(f->data, f->len, &s) && !memcmp(&s.ends, &row->ends, sizeof s.ends))
            keep(row, &s);
    }
}

/* The engine ran it and has loaded it again, with no word of the host's TCP in between: another connection, perhaps. */
static void new_clock(struct flue_watch *w, const struct flue_watch_row *row)
{
    for (unsigned i = 0; row->known && row->live && i < w->flows && i < FLUE_WATCH_FLOWS; i++)
        if (memcmp(&w->flow[i].ends, &row->ends, sizeof row->ends) == 0 && w->flow[i].engine)
            w->flow[i].known = false;
}

void flue_watch_begin(struct flue_watch *w, struct flue_watch_row *row)
{
    make_room(&row->in, ring_bytes(row->ring[3]));
    make_room(&row->out, ring_bytes(row->ring[1]));
    row->out_from = row->out_to = row->r.snd_una;
    new_clock(w, row);
    replay(w, row);
}

void flue_watch_learnt(struct flue_watch *w, struct flue_watch_row *row)
{
    bool new_flow = true;
    for (unsigned i = 0; i < w->flows && i < FLUE_WATCH_FLOWS; i++)
        new_flow &= memcmp(&w->flow[i].ends, &row->ends, sizeof row->ends) != 0;
    if (new_flow)
        w->flow[w->flows++ % FLUE_WATCH_FLOWS] = (struct flue_watch_flow){.ends = row->ends};
    new_clock(w, row);
    replay(w, row);
}

void flue_watch_delivered(struct flue_watch *w, unsigned index, uint32_t l, uint32_t r)
{
    struct flue_watch_row *row = w->row[index];
    for (uint32_t s = l; row->in.size && row->known && s != r; s++) {
        uint8_t *state = &row->in.state[s & (row->in.size - 1)], value = row->in.value[s & (row->in.size - 1)];
        const uint8_t *there = ring_byte(w, row->ring + 2, s);
        w->bytes++;
        if (*state == NOT_SEEN && !row->forwarded)
            flue_monitor_fail(w->mon, "tcp", "connection %u: byte %u became the host's and never came on the wire", index, s);
        else if (there && *state == SEEN && *there != value)
            flue_monitor_fail(w->mon, "tcp",
                              "connection %u: byte %u in the receive ring is %02x, on the wire it was %02x (TCP-040)", index, s,
                              *there, value);
        *state = NOT_SEEN;
    }
}

void flue_watch_frame_in(struct flue_watch *w, const uint8_t *frame, size_t len)
{
    struct segment s;
    unsigned index;
    if (!read_segment(frame, len, &s) || s.len == 0)
        return;
    struct flue_watch_row *row = find(w, &s.ends, &index);
    if (row && row->live)
        keep(row, &s);
    struct flue_watch_frame *f = &w->recent[w->recent_next];
    w->recent_next = (w->recent_next + 1) % FLUE_WATCH_RECENT;
    free(f->data);
    f->data = malloc(len);
    f->len = len;
    if (f->data)
        memcpy(f->data, frame, len);
}

/* ---- what leaves ---- */

static void fail(struct flue_watch *w, unsigned index, const char *text)
{
    flue_monitor_fail(w->mon, "wire_tx", "connection %u: %s", index, text);
}

/* Bytes of the send ring, the same each time. */
static void judge_bytes(struct flue_watch *w, unsigned index, struct flue_watch_row *row, const struct segment *s)
{
    for (uint32_t i = 0; i < s->len; i++) {
        uint32_t seq = s->seq + i, at = seq & (row->out.size - 1);
        const uint8_t *there = ring_byte(w, row->ring, seq);
        if (there && *there != s->payload[i])
            flue_monitor_fail(w->mon, "wire_tx", "connection %u: byte %u leaves as %02x, in the send ring it is %02x", index,
                              seq, s->payload[i], *there);
        if (!row->out.size || seq - row->r.snd_una >= row->out.size)
            continue;
        if (before(seq, row->out_to) && !before(seq, row->out_from) && row->out.state[at] == SEEN &&
            row->out.value[at] != s->payload[i])
            flue_monitor_fail(w->mon, "wire_tx", "connection %u: byte %u is sent again as %02x, it was %02x (TCP-101)", index,
                              seq, s->payload[i], row->out.value[at]);
        row->out.value[at] = s->payload[i];
        row->out.state[at] = SEEN;
        row->out_to = later(row->out_to, seq + 1);
        if (row->out_to - row->out_from > row->out.size)
            row->out_from = row->out_to - row->out.size;
    }
}

static void judge_header(struct flue_watch *w, unsigned index, struct flue_watch_row *row, const struct segment *s)
{
    if (s->wrong)
        fail(w, index, s->wrong);
    if (s->flags & 0xFC0)
        fail(w, index, "reserved or ECN bits of the TCP header are set (TCP-010, TCP-160)");
    if (s->ect)
        fail(w, index, "it leaves as ECN-capable (TCP-160)");
    if (!s->df)
        fail(w, index, "it leaves without DF (TCP-193)");
    if (row->ip_known && s->ip_constant != row->ip_constant)
        fail(w, index, "TTL, traffic class or flow label changed (TCP-221, TCP-222)");
    if (s->has_ts != row->r.ts)
        fail(w, index, s->has_ts ? "timestamps that were not agreed (TCP-172)" : "no timestamps, which were agreed (TCP-172)");
    row->ip_constant = s->ip_constant;
    row->ip_known = true;
}

/* TSval never goes back, whether the engine or the host's TCP runs the connection; a SYN begins a new one. */
static void judge_clock(struct flue_watch *w, const struct segment *s, bool engine)
{
    for (unsigned i = 0; s->has_ts && i < w->flows && i < FLUE_WATCH_FLOWS; i++) {
        struct flue_watch_flow *f = &w->flow[i];
        if (memcmp(&f->ends, &s->ends, sizeof f->ends) != 0)
            continue;
        if (f->known && !(s->flags & FLUE_TCP_SYN) && before(s->tsval, f->tsval))
            flue_monitor_fail(w->mon, "wire_tx", "TSval of port %u went back from %u (of %s) to %u (of %s) (TCP-179)",
                              s->ends.port_here, f->tsval, f->engine ? "the engine" : "the host", s->tsval,
                              engine ? "the engine" : "the host");
        f->known = true;
        f->engine = engine;
        f->tsval = s->tsval;
    }
}

/* The segment that is due of what was ordered. */
static void judge_due(struct flue_watch *w, unsigned index, const struct flue_watch_row *row, struct flue_watch_order *o,
                      const struct segment *s)
{
    const struct flue_tcp_tx *tx = &o->tx;
    uint32_t left = tx->seq + tx->len - o->at, len = tx->kind == FLUE_TCP_TX_DATA ? least(left, tx->mss) : 0;
    bool last = len == left;
    unsigned flags = tx->kind == FLUE_TCP_TX_RST ? FLUE_TCP_RST | (s->flags & FLUE_TCP_ACK)
                                                 : FLUE_TCP_ACK | (last && tx->psh ? FLUE_TCP_PSH : 0u) |
                                                       (last && tx->fin ? (unsigned)FLUE_TCP_FIN : 0u);
    if (s->seq != o->at || s->len != len)
        flue_monitor_fail(w->mon, "wire_tx", "connection %u: %u bytes at %u leave, ordered were %u at %u", index, s->len,
                          s->seq, len, o->at);
    if (s->flags != flags)
        flue_monitor_fail(w->mon, "wire_tx", "connection %u: flags %03x leave, ordered were %03x", index, s->flags, flags);
    if (s->ack != tx->ack || s->wnd != tx->wnd || (row->r.ts && s->tsecr != tx->ts_ecr))
        fail(w, index, "ACK number, window or timestamp echo are not those of the order");
    bool same = s->blocks == tx->blocks;
    for (unsigned i = 0; same && i < tx->blocks; i++)
        same = s->block[i].left == tx->block[i].left && s->block[i].right == tx->block[i].right;
    if (!same)
        fail(w, index, "the SACK blocks are not those of the order");
    o->at += len;
    o->whole = last;
}

static struct flue_watch_order *due(struct flue_watch_row *row)
{
    for (unsigned i = 0; i < row->orders; i++)
        if (!row->order[i].whole)
            return &row->order[i];
    return NULL;
}

/* A row whose addresses are not known yet, and of which this segment is due. */
static struct flue_watch_row *learn(struct flue_watch *w, const struct segment *s, unsigned *index)
{
    for (unsigned i = 0; i < w->rows; i++) {
        struct flue_watch_row *row = w->row[i];
        struct flue_watch_order *o = row && row->live && !row->known ? due(row) : NULL;
        if (!o || s->seq != o->at || s->ack != o->tx.ack || s->wnd != o->tx.wnd)
            continue;
        *index = i;
        flue_watch_found(w, i, &s->ends, false);
        return row;
    }
    return NULL;
}

void flue_watch_frame_out(struct flue_watch *w, const uint8_t *frame, size_t len)
{
    struct segment s;
    unsigned index = 0;
    if (w->rows == 0 || !read_segment(frame, len, &s))
        return;
    turn_round(&s.ends);
    struct flue_watch_row *row = find(w, &s.ends, &index);
    if (!row)
        row = learn(w, &s, &index);
    bool engine = row && row->live && !row->lost && row->r.mode != FLUE_TCP_FROZEN;
    judge_clock(w, &s, engine);
    if (!engine)
        return;
    struct flue_watch_order *o = due(row);
    w->frames++;
    if (!o) {
        fail(w, index, "a segment leaves that was not ordered (HND-004)");
        return;
    }
    judge_header(w, index, row, &s);
    judge_due(w, index, row, o, &s);
    judge_bytes(w, index, row, &s);
}
