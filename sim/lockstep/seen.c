/* What a lockstep run met beside the reasons, and how often. */
#include "lockstep.h"

#include <inttypes.h>

static const char *const NAMES[LOCKSTEP_SITUATIONS] = {
#define LOCKSTEP_X(name, text) #name,
    LOCKSTEP_SITUATION_LIST(LOCKSTEP_X)
#undef LOCKSTEP_X
};

static const char *const TEXTS[LOCKSTEP_SITUATIONS] = {
#define LOCKSTEP_X(name, text) text,
    LOCKSTEP_SITUATION_LIST(LOCKSTEP_X)
#undef LOCKSTEP_X
};

static void see_recovery(uint64_t *n, const struct flue_tcp *b, const struct flue_tcp *a)
{
    n[LOCKSTEP_FAST_SACK] += b->recovery == FLUE_TCP_OPEN && a->recovery == FLUE_TCP_FAST && a->sack;
    n[LOCKSTEP_FAST_PLAIN] += b->recovery == FLUE_TCP_OPEN && a->recovery == FLUE_TCP_FAST && !a->sack;
    n[LOCKSTEP_PARTIAL_ACK] += a->recovery == FLUE_TCP_FAST && b->recovery == FLUE_TCP_FAST && a->partial && !b->partial;
    n[LOCKSTEP_FAST_OVER] += b->recovery == FLUE_TCP_FAST && a->recovery == FLUE_TCP_OPEN;
    n[LOCKSTEP_LOSS_OVER] += b->recovery == FLUE_TCP_LOSS && a->recovery == FLUE_TCP_OPEN;
}

static void see_segment(uint64_t *n, const struct flue_tcp *b, const struct flue_tcp_event *e, const struct flue_tcp_actions *x,
                        const struct flue_tcp *a, uint64_t now_us)
{
    bool placed = x->verdict == FLUE_TCP_PLACE;
    bool took_ack = x->reason == FLUE_TCP_R_ACCEPTED || x->reason == FLUE_TCP_R_OUT_OF_ORDER;
    see_recovery(n, b, a);
    n[LOCKSTEP_NINTH_RANGE] += x->forgot;
    n[LOCKSTEP_ALL_RANGES_HELD] += a->held_count == FLUE_TCP_HELD && b->held_count < FLUE_TCP_HELD;
    n[LOCKSTEP_FILLED] += placed && a->rcv_edge != b->rcv_edge && a->held_count < b->held_count;
    n[LOCKSTEP_WINDOW_SHRUNK] += took_ack && flue_tcp_before(a->snd_una + a->snd_wnd, b->snd_una + b->snd_wnd);
    n[LOCKSTEP_SAMPLE] += b->timing && !a->timing && a->state != FLUE_TCP_CLOSED && a->state != FLUE_TCP_TIME_WAIT;
    n[LOCKSTEP_FIN_ABOVE_GAP] += a->fin_valid && !b->fin_valid && flue_tcp_before(a->rcv_edge, a->fin_seq);
    n[LOCKSTEP_OLD_TIMESTAMP] +=
        took_ack && b->ts && b->ts_valid && (uint32_t)(now_us >> 20) - b->ts_age >= FLUE_TCP_PAWS_UNITS && e->seg.has_ts;
    n[LOCKSTEP_FORWARDED] += placed && e->kind == FLUE_TCP_EV_FORWARD;
    n[LOCKSTEP_MANY_PLACED] += b->placing == 63 && x->reason == FLUE_TCP_R_NO_INTERVAL;
    n[LOCKSTEP_LAST_ACK_OVER] += x->has_tell && x->tell.ended == FLUE_TCP_END_CLOSED;
}

static void see_what_leaves(uint64_t *n, const struct flue_tcp *b, const struct flue_tcp_event *e,
                            const struct flue_tcp_actions *x, const struct flue_tcp *a)
{
    const struct flue_tcp_tx *tx = &x->tx;
    bool data = tx->kind == FLUE_TCP_TX_DATA;
    if (tx->blocks > 0 && flue_tcp_before(tx->block[0].left, a->rcv_edge))
        n[LOCKSTEP_DSACK_BELOW]++;
    else if (tx->blocks > 1 && flue_tcp_upto(tx->block[1].left, tx->block[0].left) &&
             flue_tcp_upto(tx->block[0].right, tx->block[1].right))
        n[LOCKSTEP_DSACK_ABOVE]++;
    n[LOCKSTEP_LOWERED_ACK] += flue_tcp_before(tx->ack, a->rcv_nxt);
    n[LOCKSTEP_CLOSED_WINDOW] += tx->wnd == 0;
    n[LOCKSTEP_REOPENED] += e->kind == FLUE_TCP_EV_DOORBELL;
    n[LOCKSTEP_PROBE_SENT] += e->kind == FLUE_TCP_EV_TIMER && x->reason == FLUE_TCP_R_PERSIST;
    n[LOCKSTEP_LIMITED_TRANSMIT] += data && x->reason == FLUE_TCP_R_NEW_DATA && b->recovery == FLUE_TCP_OPEN && !b->sack &&
                                    b->dup_acks > 0 && b->snd_max + tx->len - b->snd_una > b->cwnd;
    n[LOCKSTEP_SWS_OVERRIDE] += data && b->sws_override && !a->sws_override && tx->len < tx->mss;
    n[LOCKSTEP_KARN] += data && b->timing && !a->timing;
    n[LOCKSTEP_FIN_SENT] += tx->fin && !tx->resend;
    n[LOCKSTEP_FIN_AGAIN] += tx->fin && tx->resend;
}

static void see_command(uint64_t *n, enum flue_tcp_command command)
{
    static const enum lockstep_situation OF[FLUE_TCP_COMMANDS] = {
        [FLUE_TCP_LOAD] = LOCKSTEP_LOADED,   [FLUE_TCP_START] = LOCKSTEP_STARTED, [FLUE_TCP_FREEZE] = LOCKSTEP_FREEZE,
        [FLUE_TCP_CLEAR] = LOCKSTEP_CLEARED, [FLUE_TCP_ABORT] = LOCKSTEP_ABORTED, [FLUE_TCP_SNAPSHOT] = LOCKSTEP_SNAPSHOT};
    n[OF[command]]++;
}

void lockstep_see(uint64_t situations[LOCKSTEP_SITUATIONS], const struct flue_tcp *before, const struct flue_tcp_event *event,
                  const struct flue_tcp_actions *actions, const struct flue_tcp *after, uint64_t now_us)
{
    uint64_t *n = situations;
    if (actions->reason == FLUE_TCP_R_BAD_ROW)
        return;
    if (event->kind == FLUE_TCP_EV_COMMAND) {
        if (actions->reason == FLUE_TCP_R_COMMAND)
            see_command(n, event->command);
        if (event->command == FLUE_TCP_CLEAR || event->command == FLUE_TCP_LOAD)
            return;
    }
    if (event->kind == FLUE_TCP_EV_SEGMENT || event->kind == FLUE_TCP_EV_FORWARD)
        see_segment(n, before, event, actions, after, now_us);
    if (actions->has_tx)
        see_what_leaves(n, before, event, actions, after);
    n[LOCKSTEP_DOUBT] += actions->has_tell && actions->tell.doubt;
    n[LOCKSTEP_FIN_TAKEN] += actions->has_tell && actions->tell.ended == FLUE_TCP_END_FIN;
    n[LOCKSTEP_CLOSING] += before->state != after->state && after->state == FLUE_TCP_CLOSING;
    n[LOCKSTEP_TIME_WAIT] += before->state != after->state && after->state == FLUE_TCP_TIME_WAIT;
    n[LOCKSTEP_MANY_ACKS] += before->acks == 7 && after->acks == 7 && after->ack_now && !before->ack_now;
    n[LOCKSTEP_DRAINED] += before->mode == FLUE_TCP_FREEZING && after->mode == FLUE_TCP_FROZEN;
    n[LOCKSTEP_RCV_WRAP] += after->rcv_edge < before->rcv_edge;
    n[LOCKSTEP_SND_WRAP] += after->snd_max < before->snd_max;
}

/* ---- counts ---- */

void lockstep_add(struct lockstep_result *sum, const struct lockstep_result *one)
{
    sum->events += one->events;
    sum->loads += one->loads;
    sum->differ |= one->differ;
    sum->broken |= one->broken;
    for (unsigned i = 0; i < FLUE_TCP_REASONS; i++)
        sum->reasons[i] += one->reasons[i];
    for (unsigned i = 0; i < LOCKSTEP_SITUATIONS; i++)
        sum->situations[i] += one->situations[i];
}

static unsigned rarest(const uint64_t *count, bool *done, unsigned most)
{
    unsigned least = most;
    for (unsigned i = 0; i < most; i++)
        if (!done[i] && (least == most || count[i] < count[least]))
            least = i;
    done[least] = true;
    return least;
}

void lockstep_print(FILE *to, const struct lockstep_result *result)
{
    bool reason_done[FLUE_TCP_REASONS] = {false}, situation_done[LOCKSTEP_SITUATIONS] = {false};
    fprintf(to, "%" PRIu64 " events, %" PRIu64 " connections loaded\n reasons\n", result->events, result->loads);
    for (unsigned n = 0; n < FLUE_TCP_REASONS; n++) {
        unsigned i = rarest(result->reasons, reason_done, FLUE_TCP_REASONS);
        fprintf(to, "  %-16s %9" PRIu64 "\n", flue_tcp_reason_name((enum flue_tcp_reason)i), result->reasons[i]);
    }
    fprintf(to, " situations\n");
    for (unsigned n = 0; n < LOCKSTEP_SITUATIONS; n++) {
        unsigned i = rarest(result->situations, situation_done, LOCKSTEP_SITUATIONS);
        fprintf(to, "  %-16s %9" PRIu64 "  %s\n", NAMES[i], result->situations[i], TEXTS[i]);
    }
}

unsigned lockstep_below(FILE *to, const struct lockstep_result *result, uint64_t least)
{
    unsigned below = 0;
    for (unsigned i = 0; i < FLUE_TCP_REASONS; i++) {
        if (result->reasons[i] >= least)
            continue;
        fprintf(to, "reason %s: %" PRIu64 " times, less than %" PRIu64 "\n", flue_tcp_reason_name((enum flue_tcp_reason)i),
                result->reasons[i], least);
        below++;
    }
    for (unsigned i = 0; i < LOCKSTEP_SITUATIONS; i++) {
        if (result->situations[i] >= least)
            continue;
        fprintf(to, "situation %s (%s): %" PRIu64 " times, less than %" PRIu64 "\n", NAMES[i], TEXTS[i], result->situations[i],
                least);
        below++;
    }
    return below;
}
