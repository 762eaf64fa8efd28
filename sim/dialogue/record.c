#include "record.h"

#include <string.h>

static void clear_ranges(struct flue_tcp_range *range, unsigned from, unsigned count)
{
    for (unsigned i = from; i < count; i++)
        range[i] = (struct flue_tcp_range){0, 0};
}

void tcp_record_canon(struct flue_tcp *r)
{
    clear_ranges(r->held, r->held_count, FLUE_TCP_HELD);
    clear_ranges(r->sacked, r->sacked_count, FLUE_TCP_SACKED);
    if (r->dsack.left == r->dsack.right)
        clear_ranges(&r->dsack, 0, 1);
    if (!r->fin_valid)
        r->fin_seq = 0;
    if (!r->ts_valid)
        r->ts_recent = r->ts_age = 0;
    if (r->turns < 1)
        r->turn0 = 0;
    if (r->turns < 2)
        r->turn1 = 0;
    if (!r->recover_valid && r->recovery == FLUE_TCP_OPEN)
        r->recover = 0;
    if (r->recovery == FLUE_TCP_OPEN)
        r->high_rxt = r->force_rxt = r->rescued = r->partial = 0;
    if (r->recovery == FLUE_TCP_LOSS)
        r->rescued = r->partial = 0;
    if (!r->timing)
        r->timed_seq = r->timed_at = 0;
    if (!r->rtt_valid)
        r->srtt8 = r->rttvar4 = 0;
    if (!r->rto_on)
        r->rto_at = 0;
    if (!r->delack_on)
        r->delack_at = 0;
    if (!r->oow_on)
        r->oow_at = 0;
}

static unsigned differ(FILE *to, const char *field, const char *a_name, uint64_t a, const char *b_name, uint64_t b)
{
    if (a == b)
        return 0;
    fprintf(to, "  %s: %s %llu (0x%llx), %s %llu (0x%llx)\n", field, a_name, (unsigned long long)a, (unsigned long long)a,
            b_name, (unsigned long long)b, (unsigned long long)b);
    return 1;
}

static unsigned differ_range(FILE *to, const char *field, unsigned i, const char *a_name, struct flue_tcp_range a,
                             const char *b_name, struct flue_tcp_range b)
{
    if (a.left == b.left && a.right == b.right)
        return 0;
    fprintf(to, "  %s[%u]: %s [%u, %u), %s [%u, %u)\n", field, i, a_name, a.left, a.right, b_name, b.left, b.right);
    return 1;
}

unsigned tcp_record_diff(FILE *to, const char *a_name, const struct flue_tcp *a, const char *b_name, const struct flue_tcp *b)
{
    struct flue_tcp x = *a, y = *b;
    unsigned n = 0;
    tcp_record_canon(&x);
    tcp_record_canon(&y);
    if (!memcmp(&x, &y, sizeof x))
        return 0;
#define F(name, width) n += differ(to, #name, a_name, x.name, b_name, y.name);
#define R(name, count)                                                                                                         \
    for (unsigned i = 0; i < count; i++)                                                                                       \
        n += differ_range(to, #name, i, a_name, x.name[i], b_name, y.name[i]);
#define A(name) n += differ_range(to, #name, 0, a_name, x.name, b_name, y.name);
#define P(width)
    FLUE_TCP_RECORD(F, R, A, P)
#undef F
#undef R
#undef A
#undef P
    return n;
}

unsigned tcp_actions_diff(FILE *to, const char *a_name, const struct flue_tcp_actions *a, const char *b_name,
                          const struct flue_tcp_actions *b)
{
    unsigned n = 0;
#define D(field) n += differ(to, #field, a_name, a->field, b_name, b->field);
    if (a->reason != b->reason) {
        fprintf(to, "  reason: %s %s, %s %s\n", a_name, flue_tcp_reason_name(a->reason), b_name,
                flue_tcp_reason_name(b->reason));
        n++;
    }
    D(has_verdict)
    D(has_tx)
    D(has_tell)
    if (a->has_verdict && b->has_verdict) {
        D(verdict)
        if (a->verdict == FLUE_TCP_PLACE && b->verdict == FLUE_TCP_PLACE) {
            D(place.skip) D(place.len) D(place.seq) D(place.after)
        }
    }
    if (a->has_tx && b->has_tx) {
        D(tx.kind)
        D(tx.seq)
        D(tx.ack) D(tx.wnd) D(tx.ts_ecr) D(tx.blocks) if (a->tx.kind == FLUE_TCP_TX_DATA && b->tx.kind == FLUE_TCP_TX_DATA)
        {
            D(tx.len) D(tx.mss) D(tx.psh) D(tx.fin) D(tx.resend)
        }
        for (unsigned i = 0; i < a->tx.blocks && i < b->tx.blocks; i++)
            n += differ_range(to, "tx.block", i, a_name, a->tx.block[i], b_name, b->tx.block[i]);
    }
    if (a->has_tell && b->has_tell) {
        D(tell.snd_free) D(tell.snd_una) D(tell.rcv_nxt) D(tell.state) D(tell.ended) D(tell.doubt) D(tell.refused) D(tell.fin)
    }
    D(notes)
    for (unsigned i = 0; i < a->notes && i < b->notes; i++)
        D(note[i])
    D(forgot)
    D(wants)
    D(deadline_on)
    if (a->deadline_on && b->deadline_on)
        D(deadline)
#undef D
    return n;
}
