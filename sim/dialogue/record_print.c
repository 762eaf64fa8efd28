#include "record.h"

static void print_flags(FILE *to, unsigned flags)
{
    static const char NAMES[] = "FSRPAUEC";
    for (unsigned i = 0; i < 8; i++)
        if (flags >> i & 1)
            fputc(NAMES[i], to);
    if (!flags)
        fputc('-', to);
}

static void print_blocks(FILE *to, unsigned n, const struct flue_tcp_range *block)
{
    for (unsigned i = 0; i < n; i++)
        fprintf(to, "%s%u-%u", i ? "," : " sack ", block[i].left, block[i].right);
}

static const char *const COMMANDS[] = {"load", "start", "freeze", "clear", "abort", "snapshot"};

void tcp_event_print(FILE *to, const struct flue_tcp_event *e)
{
    switch (e->kind) {
    case FLUE_TCP_EV_SEGMENT:
    case FLUE_TCP_EV_FORWARD:
        fprintf(to, "%s ", e->kind == FLUE_TCP_EV_FORWARD ? "forward" : "segment");
        print_flags(to, e->seg.flags);
        fprintf(to, " seq %u len %u ack %u wnd %u", e->seg.seq, e->seg.len, e->seg.ack, e->seg.wnd);
        if (e->seg.has_ts)
            fprintf(to, " ts %u ecr %u", e->seg.ts_val, e->seg.ts_ecr);
        print_blocks(to, e->seg.blocks, e->seg.block);
        break;
    case FLUE_TCP_EV_DOORBELL:
        fprintf(to, "doorbell send_limit %u consumed %u%s", e->doorbell.send_limit, e->doorbell.consumed,
                e->doorbell.fin ? " fin" : "");
        break;
    case FLUE_TCP_EV_TURN:
        fprintf(to, "turn %u", e->budget);
        break;
    case FLUE_TCP_EV_SENT:
        fprintf(to, "sent %s%s", e->sent.turn ? "turn" : "ack", e->sent.failed ? " failed" : "");
        break;
    case FLUE_TCP_EV_PLACED:
        fprintf(to, "placed after %u%s", e->placed.after, e->placed.ok ? "" : " failed");
        break;
    case FLUE_TCP_EV_TIMER:
        fprintf(to, "timer");
        break;
    default:
        fprintf(to, "command %s", e->command < FLUE_TCP_COMMANDS ? COMMANDS[e->command] : "?");
    }
}

void tcp_actions_print(FILE *to, const struct flue_tcp_actions *a)
{
    static const char *const VERDICTS[] = {"HOST", "DIVERT", "DROP", "PLACE"};
    static const char *const KINDS[] = {"DATA", "ACK", "RST"};
    fprintf(to, "%s", flue_tcp_reason_name(a->reason));
    if (a->has_verdict)
        fprintf(to, " %s", VERDICTS[a->verdict & 3]);
    if (a->has_verdict && a->verdict == FLUE_TCP_PLACE)
        fprintf(to, " seq %u len %u skip %u after %u", a->place.seq, a->place.len, a->place.skip, a->place.after);
    if (a->has_tx) {
        fprintf(to, "; %s seq %u len %u%s%s%s ack %u wnd %u", KINDS[a->tx.kind % 3], a->tx.seq, a->tx.len,
                a->tx.fin ? " FIN" : "", a->tx.psh ? " PSH" : "", a->tx.resend ? " again" : "", a->tx.ack, a->tx.wnd);
        print_blocks(to, a->tx.blocks, a->tx.block);
    }
    if (a->has_tell)
        fprintf(to, "; tell free %u una %u rcv %u state %u end %u%s%s", a->tell.snd_free, a->tell.snd_una, a->tell.rcv_nxt,
                a->tell.state, a->tell.ended, a->tell.doubt ? " doubt" : "", a->tell.refused ? " refused" : "");
    for (unsigned i = 0; i < a->notes; i++)
        fprintf(to, "; note %u", a->note[i]);
    if (a->wants)
        fprintf(to, "; wants");
    if (a->deadline_on)
        fprintf(to, "; at %u", a->deadline);
}

void tcp_record_print(FILE *to, const struct flue_tcp *record)
{
    struct flue_tcp x = *record;
    unsigned column = 0;
    tcp_record_canon(&x);
#define F(name, width)                                                                                                         \
    if (x.name)                                                                                                                \
        fprintf(to, "%s%s %u", column++ % 6 ? "  " : "\n    ", #name, x.name);
#define R(name, count)                                                                                                         \
    for (unsigned i = 0; i < count; i++)                                                                                       \
        if (x.name[i].left != x.name[i].right)                                                                                 \
            fprintf(to, "%s%s[%u] %u-%u", column++ % 6 ? "  " : "\n    ", #name, i, x.name[i].left, x.name[i].right);
#define A(name)                                                                                                                \
    if (x.name.left != x.name.right)                                                                                           \
        fprintf(to, "%s%s %u-%u", column++ % 6 ? "  " : "\n    ", #name, x.name.left, x.name.right);
#define P(width)
    FLUE_TCP_RECORD(F, R, A, P)
#undef F
#undef R
#undef A
#undef P
}
