/* A random segment: mostly what a peer sends, often at an edge, sometimes what nobody should send. */
#include "generate.h"

static uint32_t jitter(struct flue_rng *rng)
{
    return flue_rng_below(rng, 5) - 2u;
}

static uint32_t some_len(struct flue_rng *rng, const struct flue_tcp *r)
{
    static const unsigned WEIGHT[] = {8, 3, 10, 6, 3, 1};
    switch (by_weight(rng, WEIGHT, 6)) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return r->mss_rcv;
    case 3:
        return 1 + flue_rng_below(rng, r->mss_rcv);
    case 4:
        return r->rcv_adv - r->rcv_edge + jitter(rng);
    default:
        return flue_rng_below(rng, 65536);
    }
}

/* A left or right edge of what is held. */
static uint32_t held_edge(struct flue_rng *rng, const struct flue_tcp *r)
{
    if (r->held_count == 0)
        return r->rcv_edge + 1 + flue_rng_below(rng, 3 * r->mss_rcv);
    struct flue_tcp_range h = r->held[flue_rng_below(rng, r->held_count)];
    return one_in(rng, 2) ? h.left : h.right;
}

static void payload(struct flue_rng *rng, const struct flue_tcp *r, bool gaps, struct flue_tcp_seg *seg)
{
    const unsigned weight[] = {gaps ? 4 : 50, 14, gaps ? 16 : 8, 6, 4, 4, 1, gaps ? 14 : 4};
    uint32_t len = some_len(rng, r);
    switch (by_weight(rng, weight, 8)) {
    case 0: /* in order */
        seg->seq = r->rcv_edge;
        break;
    case 1: /* above a gap */
        seg->seq = r->rcv_edge + r->mss_rcv * (1 + flue_rng_below(rng, 6));
        break;
    case 2: /* at a held range */
        seg->seq = held_edge(rng, r) + jitter(rng) - (one_in(rng, 2) ? len : 0);
        break;
    case 3: /* old, or across the left edge */
        seg->seq = r->rcv_edge - (one_in(rng, 2) ? len : flue_rng_below(rng, 3000)) + jitter(rng);
        break;
    case 4: /* at the right edge */
        seg->seq = r->rcv_adv + jitter(rng) - (one_in(rng, 2) ? len : 0);
        break;
    case 5: /* a probe */
        seg->seq = r->rcv_edge - 1;
        len = flue_rng_below(rng, 3);
        break;
    case 6:
        seg->seq = (uint32_t)flue_rng_next(rng);
        break;
    default: /* fill up to a held range */
        seg->seq = r->rcv_edge;
        len = held_edge(rng, r) - r->rcv_edge + jitter(rng);
    }
    seg->len = (uint16_t)(len > 65535 ? flue_rng_below(rng, 9000) : len);
}

/* A number inside what is in flight, or at one of its edges. */
static uint32_t flight_number(struct flue_rng *rng, const struct flue_tcp *r)
{
    uint32_t flight = r->snd_max - r->snd_una;
    switch (flue_rng_below(rng, 5)) {
    case 0:
        return r->snd_una + jitter(rng);
    case 1:
        return r->snd_max + jitter(rng);
    case 2:
        if (r->sacked_count > 0) {
            struct flue_tcp_range s = r->sacked[flue_rng_below(rng, r->sacked_count)];
            return (one_in(rng, 2) ? s.left : s.right) + jitter(rng);
        }
        return r->snd_una + flue_rng_below(rng, (uint64_t)flight + 1) / r->mss * r->mss;
    case 3:
        return r->snd_una + flue_rng_below(rng, (uint64_t)flight + 1) / r->mss * r->mss;
    default:
        return r->snd_una + flue_rng_below(rng, (uint64_t)flight + 1);
    }
}

static void acknowledgement(struct flue_rng *rng, const struct flue_tcp *r, unsigned mood, struct flue_tcp_seg *seg)
{
    bool duplicates = mood & GENERATE_DUPLICATES;
    const unsigned weight[] = {duplicates ? 80 : 45, duplicates ? 2 : 14, duplicates ? 1 : 16, 2, 2, 2, 2, duplicates ? 3 : 10};
    uint32_t flight = r->snd_max - r->snd_una;
    switch (by_weight(rng, weight, 8)) {
    case 0:
        seg->ack = r->snd_una;
        break;
    case 1:
        seg->ack = r->snd_max;
        break;
    case 2:
        seg->ack = flight_number(rng, r);
        break;
    case 3:
        seg->ack = r->snd_una - r->max_snd_wnd + jitter(rng);
        break;
    case 4:
        seg->ack = r->snd_max + jitter(rng);
        break;
    case 5:
        seg->ack = r->snd_una - 1 - flue_rng_below(rng, 2000);
        break;
    case 6:
        seg->ack = (uint32_t)flue_rng_next(rng);
        break;
    default:
        seg->ack = r->snd_una + (flight < r->mss ? flight : r->mss);
    }
    seg->wnd = (uint16_t)(r->snd_wnd >> r->snd_scale);
    if (one_in(rng, duplicates ? 40 : 6) || (seg->wnd == 0 && one_in(rng, 3)))
        seg->wnd = (uint16_t)(one_in(rng, 4) ? 0 : one_in(rng, 2) ? flue_rng_below(rng, 65536) : flue_rng_below(rng, 4000));
    if (r->sack ? !one_in(rng, 3) : one_in(rng, 10)) {
        seg->blocks = flue_rng_below(rng, 5);
        for (unsigned i = 0; i < seg->blocks; i++) {
            uint32_t left = flight_number(rng, r), bytes = r->mss * (1 + flue_rng_below(rng, 3));
            seg->block[i].left = left;
            if (mood & GENERATE_COMB)
                bytes = 1 + flue_rng_below(rng, 16);
            seg->block[i].right = one_in(rng, mood & GENERATE_COMB ? 20 : 3) ? flight_number(rng, r) : left + bytes;
            if (!one_in(rng, 8) && flue_tcp_before(r->snd_max, seg->block[i].right))
                seg->block[i].right = r->snd_max;
        }
        if (seg->blocks > 1 && one_in(rng, 8))
            seg->block[0] = seg->block[1]; /* a duplicate report */
    }
}

static void flags(struct flue_rng *rng, const struct flue_tcp *r, struct flue_tcp_seg *seg)
{
    static const unsigned WEIGHT[] = {900, 100, 25, 15, 10, 6, 10, 8};
    switch (by_weight(rng, WEIGHT, 8)) {
    case 0:
        seg->flags = FLUE_TCP_ACK;
        break;
    case 1:
        seg->flags = FLUE_TCP_ACK | FLUE_TCP_PSH;
        break;
    case 2:
        seg->flags = FLUE_TCP_ACK | FLUE_TCP_FIN;
        break;
    case 3:
        seg->flags = FLUE_TCP_RST | (one_in(rng, 2) ? FLUE_TCP_ACK : 0);
        if (one_in(rng, 2))
            seg->len = 0;
        if (!one_in(rng, 4) && seg->seq == r->rcv_edge)
            seg->seq++; /* most resets are guesses: connections should live */
        break;
    case 4:
        seg->flags = FLUE_TCP_SYN | (one_in(rng, 2) ? FLUE_TCP_ACK : 0);
        break;
    case 5:
        seg->flags = FLUE_TCP_ACK | FLUE_TCP_URG;
        break;
    case 6:
        seg->flags = 0;
        break;
    default:
        seg->flags = (uint8_t)flue_rng_below(rng, 64);
    }
}

void generate_segment(struct flue_rng *rng, const struct flue_tcp *r, unsigned mood, struct flue_tcp_seg *seg)
{
    *seg = (struct flue_tcp_seg){.seq = r->rcv_edge};
    if (mood & GENERATE_FLOOD)
        seg->len = (uint16_t)(1 + flue_rng_below(rng, 20));
    else if (mood & GENERATE_DUPLICATES ? one_in(rng, 8) : !one_in(rng, 3))
        payload(rng, r, mood & GENERATE_GAPS, seg);
    acknowledgement(rng, r, mood, seg);
    flags(rng, r, seg);
    if (r->state == FLUE_TCP_FIN_WAIT1 && one_in(rng, 8))
        seg->flags |= FLUE_TCP_FIN;
    if (r->fin_valid && one_in(rng, 3)) { /* around the peer's FIN */
        seg->seq = r->fin_seq - flue_rng_below(rng, 3) * seg->len + jitter(rng);
        if (one_in(rng, 2))
            seg->flags |= FLUE_TCP_FIN;
    }
    seg->has_ts = r->ts ? !one_in(rng, 20) : one_in(rng, 20);
    if (seg->has_ts) {
        static const uint32_t STEP[] = {0, 0, 0, 1, 1, 5, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000};
        seg->ts_val = r->ts_recent + STEP[flue_rng_below(rng, one_in(rng, 4) ? 9 : 6)];
        seg->ts_ecr = (uint32_t)flue_rng_next(rng);
    }
}
