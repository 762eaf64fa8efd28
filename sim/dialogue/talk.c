#include "dialogue.h"

#include "record.h"

#include <string.h>

static void fail(struct talk *t, const char *text)
{
    if (t->failures++ < 6)
        printf("  %s (%s, first numbers 0x%x 0x%x): %s\n", t->name, t->subject->name, t->iss, t->irs, text);
}

void talk_check(struct talk *t, bool holds, const char *file, int line, const char *text)
{
    char what[300];
    const char *base = strrchr(file, '/');
    snprintf(what, sizeof what, "%s:%d: %s", base ? base + 1 : file, line, text);
    if (!holds)
        fail(t, what);
}

void talk_equal(struct talk *t, uint64_t seen, uint64_t want, const char *file, int line, const char *text)
{
    char what[300];
    snprintf(what, sizeof what, "%s is %llu, should be %llu", text, (unsigned long long)seen, (unsigned long long)want);
    talk_check(t, seen == want, file, line, what);
}

/* ---- What every segment that leaves must keep ---- */

static void watch(struct talk *t, const struct flue_tcp_tx *tx)
{
    uint32_t edge = tx->ack + ((uint32_t)tx->wnd << t->r.rcv_scale);
    bool after_fin = t->r.fin_valid && flue_tcp_before(t->r.fin_seq, t->r.rcv_nxt);
    if (t->edge_known && flue_tcp_before(edge, t->edge))
        fail(t, "the right edge moved left (TCP-044)");
    if (t->edge_known && flue_tcp_before(tx->ack, t->last_ack))
        fail(t, "the ACK number went back");
    if (flue_tcp_before(t->r.rcv_nxt, tx->ack))
        fail(t, "an ACK for bytes that are not stored (TCP-041)");
    if (!after_fin && flue_tcp_before(t->r.consumed + t->r.rcv_buf, edge))
        fail(t, "more announced than there is (TCP-045)");
    if (tx->kind == FLUE_TCP_TX_DATA && flue_tcp_before(t->peers_edge, tx->seq + tx->len) && !tx->resend)
        fail(t, "new data beyond the peer's window (TCP-052)");
    if (tx->blocks > (t->r.ts ? 3u : 4u) || (tx->blocks > 0 && !t->r.sack))
        fail(t, "more SACK blocks than may be (TCP-070, TCP-075)");
    if (tx->kind == FLUE_TCP_TX_DATA && tx->mss + (tx->blocks ? 4 + 8 * tx->blocks : 0) > t->r.mss)
        fail(t, "segments too long for their options (TCP-190)");
    for (unsigned i = 0; i < tx->blocks; i++)
        if (!flue_tcp_before(tx->block[i].left, tx->block[i].right))
            fail(t, "an empty SACK block (TCP-073)");
    t->edge = edge;
    t->last_ack = tx->ack;
    t->edge_known = true;
}

static bool earliest(const struct talk *t, uint32_t *at)
{
    const struct flue_tcp *r = &t->r;
    bool rto_first = r->rto_on && (!r->delack_on || flue_tcp_before(r->rto_at, r->delack_at));
    *at = rto_first ? r->rto_at : r->delack_at;
    return r->mode == FLUE_TCP_LIVE && (r->rto_on || r->delack_on);
}

/* The scheduler's bit says whether a turn sends, the deadline is the earlier one. */
static void watch_wishes(struct talk *t, const struct flue_tcp_event *event, const struct flue_tcp_actions *a)
{
    uint32_t at;
    bool on = earliest(t, &at);
    bool sends = a->has_tx && a->tx.kind == FLUE_TCP_TX_DATA;
    if (event->kind == FLUE_TCP_EV_TURN && t->time_of_wish == t->now_us && sends != t->wants)
        fail(t, sends ? "a turn sends that was not wanted" : "a turn was wanted that sends nothing");
    if (a->deadline_on != on || (on && a->deadline != at))
        fail(t, "the deadline is not the earlier one of those that run");
    t->wants = a->wants;
    t->time_of_wish = t->now_us;
}

static void step(struct talk *t, const struct flue_tcp_event *event, struct flue_tcp_actions *a)
{
    struct tcp_subject *s = t->subject;
    struct flue_tcp before;
    s->read(s->self, t->row, &before);
    s->step(s->self, t->row, t->now_us, event, a);
    s->read(s->self, t->row, &t->r);
    const char *why = flue_tcp_invariant(&t->r);
    if (why)
        fail(t, why);
    watch_wishes(t, event, a);
    if (a->has_verdict && a->verdict == FLUE_TCP_PLACE) {
        if (flue_tcp_before(a->place.seq, before.rcv_edge))
            fail(t, "bytes that were accepted before are written again (TCP-024)");
        if (flue_tcp_before(before.rcv_adv, a->place.seq + a->place.len))
            fail(t, "bytes beyond the window are written");
        if (t->placing_count < TALK_PLACING)
            t->placing[t->placing_count++] = a->place.after;
    }
    if (a->has_tx) {
        watch(t, &a->tx);
        if (t->out_count < TALK_OUT)
            t->out[t->out_count++] = a->tx;
        *(a->tx.kind == FLUE_TCP_TX_DATA ? &t->turns : &t->acks) += 1;
    }
    if (a->has_tell) {
        t->told = a->tell;
        t->tells++;
        t->doubts += a->tell.doubt;
        if (a->tell.ended <= FLUE_TCP_END_ABORTED)
            t->ended[a->tell.ended]++;
    }
    for (unsigned i = 0; i < a->notes; i++)
        if (a->note[i] <= FLUE_TCP_UPLOAD_CLOSED)
            t->notes[a->note[i]]++;
}

void settle(struct talk *t)
{
    struct flue_tcp_actions a;
    for (unsigned i = 0; i < 1000; i++) {
        struct flue_tcp_event e = {.kind = FLUE_TCP_EV_SENT};
        a.wants = false;
        if (t->placing_count > 0) {
            e.kind = FLUE_TCP_EV_PLACED;
            e.placed.after = t->placing[0];
            e.placed.ok = true;
            memmove(t->placing, t->placing + 1, --t->placing_count * sizeof t->placing[0]);
        } else if (t->acks > 0) {
            t->acks--;
        } else if (t->turns > 0) {
            t->turns--;
            e.sent.turn = true;
        } else {
            e.kind = FLUE_TCP_EV_TURN;
            e.budget = FLUE_TCP_TURN_BUDGET;
        }
        step(t, &e, &a);
        if (e.kind == FLUE_TCP_EV_TURN && !a.has_tx)
            return;
    }
    fail(t, "no end of what it sends");
}

static void act(struct talk *t, const struct flue_tcp_event *event)
{
    step(t, event, &t->a);
    if (!t->by_hand)
        settle(t);
}

/* ---- Acts ---- */

static uint32_t or_else(uint32_t value, uint32_t other)
{
    return value ? value : other;
}

struct flue_tcp talk_record(struct talk *t, struct setup s)
{
    s.mss = or_else(s.mss, 1000);
    s.cwnd = or_else(s.cwnd, 10);
    s.rcv_buf = or_else(s.rcv_buf, 64000);
    s.snd_buf = or_else(s.snd_buf, 1000000);
    s.wnd = s.closed_wnd ? 0 : or_else(s.wnd, 60000);
    s.mss_rcv = or_else(s.mss_rcv, 1000);
    s.rtt_us = or_else(s.rtt_us, 10000);
    s.limit = or_else(s.limit, 15);
    t->setup = s;

    uint32_t window = (s.rcv_buf - s.rcv_buf / 32) >> s.rcv_scale;
    window = (window < 65535 ? window : 65535) << s.rcv_scale;
    struct flue_tcp r = {.state = FLUE_TCP_ESTABLISHED, .ts = s.ts, .sack = s.sack, .ts_us = s.ts_us};
    r.snd_scale = s.snd_scale;
    r.rcv_scale = s.rcv_scale;
    r.mss = s.mss;
    r.rcv_buf = s.rcv_buf;
    r.snd_buf = s.snd_buf;
    r.limit = s.limit;
    r.rcv_nxt = r.rcv_edge = r.consumed = r.last_ack_sent = r.snd_wl1 = t->irs;
    r.rcv_adv = t->irs + window;
    r.mss_rcv = s.mss_rcv;
    r.ts_valid = s.ts;
    r.ts_recent = 1000;
    r.ts_age = (uint32_t)(t->now_us >> 20);
    r.snd_una = r.snd_max = r.send_limit = r.snd_wl2 = t->iss;
    r.snd_wnd = r.max_snd_wnd = s.wnd >> s.snd_scale << s.snd_scale;
    r.cwnd = s.cwnd * s.mss;
    r.ssthresh = s.ssthresh ? s.ssthresh * s.mss : 1u << 30;
    r.rtt_valid = !s.no_rtt;
    r.srtt8 = 8 * s.rtt_us;
    r.rttvar4 = 2 * s.rtt_us;
    return r;
}

void talk_load(struct talk *t, const struct flue_tcp *record)
{
    const struct flue_tcp_event load = {.kind = FLUE_TCP_EV_COMMAND, .command = FLUE_TCP_LOAD};
    const struct flue_tcp_event clear = {.kind = FLUE_TCP_EV_COMMAND, .command = FLUE_TCP_CLEAR};
    struct tcp_subject *s = t->subject;
    struct flue_tcp_actions a;
    s->step(s->self, t->row, t->now_us, &clear, &a);
    s->write(s->self, t->row, record);
    t->peers_edge = record->snd_una + record->snd_wnd;
    t->edge_known = false;
    t->out_first = t->out_count = t->placing_count = t->turns = t->acks = 0;
    t->tells = t->doubts = 0;
    memset(t->ended, 0, sizeof t->ended);
    memset(t->notes, 0, sizeof t->notes);
    step(t, &load, &t->a);
    expect_reason(t, FLUE_TCP_R_COMMAND);
    t->tells = 0;
}

void talk_open(struct talk *t, struct setup setup)
{
    struct flue_tcp record = talk_record(t, setup);
    talk_load(t, &record);
}

void peer(struct talk *t, struct says says)
{
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_SEGMENT};
    uint32_t wnd = says.closed_wnd ? 0 : or_else(says.wnd, t->setup.wnd);
    e.seg = (struct flue_tcp_seg){.seq = t->irs + says.seq, .ack = t->iss + says.ack, .len = (uint16_t)says.len};
    e.seg.wnd = (uint16_t)(wnd >> t->setup.snd_scale);
    e.seg.flags = says.no_flags ? 0 : says.flags ? says.flags : FLUE_TCP_ACK;
    e.seg.has_ts = t->setup.ts && !says.no_ts;
    e.seg.ts_val = or_else(says.ts_val, t->r.ts_recent);
    e.seg.ts_ecr = says.ts_ecr;
    e.seg.blocks = says.blocks;
    for (unsigned i = 0; i < says.blocks; i++)
        e.seg.block[i] = (struct flue_tcp_range){t->iss + says.block[i][0], t->iss + says.block[i][1]};
    uint32_t edge = e.seg.ack + ((uint32_t)e.seg.wnd << t->setup.snd_scale);
    if (flue_tcp_before(t->peers_edge, edge))
        t->peers_edge = edge;
    act(t, &e);
}

static void ring(struct talk *t, uint32_t send_limit, uint32_t consumed, bool fin)
{
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_DOORBELL};
    e.doorbell.send_limit = send_limit;
    e.doorbell.consumed = consumed;
    e.doorbell.fin = fin;
    act(t, &e);
}

void app_writes(struct talk *t, uint32_t bytes)
{
    ring(t, t->r.send_limit + bytes, t->r.consumed, false);
}

void app_reads(struct talk *t, uint32_t upto)
{
    ring(t, t->r.send_limit, t->irs + upto, false);
}

void app_closes(struct talk *t)
{
    ring(t, t->r.send_limit, t->r.consumed, true);
}

void command(struct talk *t, enum flue_tcp_command which)
{
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_COMMAND, .command = which};
    act(t, &e);
}

void turn(struct talk *t, uint32_t budget)
{
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_TURN, .budget = budget};
    act(t, &e);
}

void placed(struct talk *t, bool ok)
{
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_PLACED};
    e.placed.after = t->placing[0];
    e.placed.ok = ok;
    EXPECT(t->placing_count > 0);
    if (t->placing_count > 0)
        memmove(t->placing, t->placing + 1, --t->placing_count * sizeof t->placing[0]);
    act(t, &e);
}

void sent(struct talk *t, bool is_turn)
{
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_SENT};
    e.sent.turn = is_turn;
    EXPECT((is_turn ? t->turns : t->acks) > 0);
    *(is_turn ? &t->turns : &t->acks) -= 1;
    act(t, &e);
}

void timer(struct talk *t)
{
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_TIMER};
    act(t, &e);
}

void pass_us(struct talk *t, uint64_t us)
{
    uint64_t end = t->now_us + us;
    uint32_t at;
    for (unsigned i = 0; i < 10000 && earliest(t, &at); i++) {
        uint64_t ahead = flue_tcp_before(at, (uint32_t)t->now_us) ? 0 : at - (uint32_t)t->now_us;
        if (t->now_us + ahead > end)
            break;
        t->now_us += ahead;
        timer(t);
    }
    t->now_us = end;
}

/* ---- Expectations ---- */

const struct flue_tcp_tx *next_out(struct talk *t)
{
    return t->out_first < t->out_count ? &t->out[t->out_first++] : 0;
}

void forget_out(struct talk *t)
{
    t->out_first = t->out_count = 0;
}

static void describe(const struct talk *t, const struct flue_tcp_tx *tx, char *text, size_t size)
{
    static const char *const KINDS[] = {"data", "ACK", "RST"};
    if (!tx)
        snprintf(text, size, "silence");
    else
        snprintf(text, size, "%s%s%s seq %u len %u ack %u", KINDS[tx->kind % 3], tx->resend ? " again" : "",
                 tx->fin ? " FIN" : "", tx->seq - t->iss, tx->len, tx->ack - t->irs);
}

static void mismatch(struct talk *t, const struct flue_tcp_tx *tx, const char *want)
{
    char seen[100], text[300];
    describe(t, tx, seen, sizeof seen);
    snprintf(text, sizeof text, "expected %s, saw %s", want, seen);
    fail(t, text);
}

static const struct flue_tcp_tx *expect_turn(struct talk *t, uint32_t seq, uint32_t len, bool resend, bool fin)
{
    const struct flue_tcp_tx *tx = next_out(t);
    char want[100];
    snprintf(want, sizeof want, "data%s%s seq %u len %u", resend ? " again" : "", fin ? " FIN" : "", seq, len);
    if (!tx || tx->kind != FLUE_TCP_TX_DATA || tx->seq != t->iss + seq || tx->len != len || tx->resend != resend ||
        tx->fin != fin)
        mismatch(t, tx, want);
    return tx;
}

void expect_data(struct talk *t, uint32_t seq, uint32_t len)
{
    expect_turn(t, seq, len, false, false);
}

void expect_again(struct talk *t, uint32_t seq, uint32_t len)
{
    expect_turn(t, seq, len, true, false);
}

const struct flue_tcp_tx *expect_fin(struct talk *t, uint32_t seq, uint32_t len)
{
    return expect_turn(t, seq, len, false, true);
}

const struct flue_tcp_tx *expect_ack(struct talk *t, uint32_t ack)
{
    static const struct flue_tcp_tx NONE;
    const struct flue_tcp_tx *tx = next_out(t);
    char want[100];
    snprintf(want, sizeof want, "ACK %u", ack);
    if (!tx || tx->kind != FLUE_TCP_TX_ACK || tx->ack != t->irs + ack || tx->seq != t->r.snd_max)
        mismatch(t, tx, want);
    return tx ? tx : &NONE;
}

void expect_blocks(struct talk *t, const struct flue_tcp_tx *tx, unsigned count, const uint32_t (*block)[2])
{
    bool same = tx->blocks == count;
    for (unsigned i = 0; same && i < count; i++)
        same = tx->block[i].left == t->irs + block[i][0] && tx->block[i].right == t->irs + block[i][1];
    if (same)
        return;
    char text[400];
    int at = snprintf(text, sizeof text, "expected %u SACK blocks", count);
    for (unsigned i = 0; i < count; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, " %u-%u", block[i][0], block[i][1]);
    at += snprintf(text + at, sizeof text - (size_t)at, ", saw %u:", tx->blocks);
    for (unsigned i = 0; i < tx->blocks && i < FLUE_TCP_BLOCKS; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, " %u-%u", tx->block[i].left - t->irs, tx->block[i].right - t->irs);
    fail(t, text);
}

void expect_silence(struct talk *t)
{
    const struct flue_tcp_tx *tx = next_out(t);
    if (tx)
        mismatch(t, tx, "silence");
}

void expect_reason(struct talk *t, enum flue_tcp_reason reason)
{
    char text[200];
    snprintf(text, sizeof text, "expected reason %s, saw %s", flue_tcp_reason_name(reason), flue_tcp_reason_name(t->a.reason));
    if (t->a.reason != reason)
        fail(t, text);
}

void expect_place(struct talk *t, uint32_t seq, uint32_t len)
{
    char text[200];
    const struct flue_tcp_place *p = &t->a.place;
    snprintf(text, sizeof text, "expected to place %u bytes at %u, saw verdict %u, %u bytes at %u", len, seq, t->a.verdict,
             p->len, p->seq - t->irs);
    if (!t->a.has_verdict || t->a.verdict != FLUE_TCP_PLACE || p->seq != t->irs + seq || p->len != len)
        fail(t, text);
}

void expect_drop(struct talk *t)
{
    if (!t->a.has_verdict || t->a.verdict != FLUE_TCP_DROP)
        fail(t, "expected the segment to be dropped");
}

/* ---- All of them ---- */

static struct dialogue *first, **end = &first;

void dialogue_add(struct dialogue *dialogue)
{
    *end = dialogue;
    end = &dialogue->next;
}

/* One reference a file: a linker takes no object from a library that nothing refers to. */
extern const char dialogues_accept, dialogues_ack, dialogues_close, dialogues_congestion, dialogues_generated,
    dialogues_hand_over, dialogues_loss, dialogues_receive, dialogues_sack, dialogues_send, dialogues_timer,
    dialogues_timestamp;
const char *const dialogue_files[] = {&dialogues_accept,    &dialogues_ack,       &dialogues_close, &dialogues_congestion,
                                      &dialogues_generated, &dialogues_hand_over, &dialogues_loss,  &dialogues_receive,
                                      &dialogues_sack,      &dialogues_send,      &dialogues_timer, &dialogues_timestamp};

unsigned dialogue_run(struct tcp_subject *subject, const char *only, uint64_t seed, unsigned *passed)
{
    static const uint32_t FIRST[][2] = {
        {1000, 5000}, {0xFFFFFFFF, 0xFFFFFFFF}, {0x7FFFFFFF, 0x7FFFFFFF}, {0u - 60000, 0u - 62000}};
    unsigned failed = 0;
    for (struct dialogue *d = first; d; d = d->next) {
        bool good = true;
        if (only && !strstr(d->name, only))
            continue;
        for (unsigned i = 0; i < 4 && good; i++) {
            struct talk t = {.subject = subject, .name = d->name, .row = i % subject->rows, .seed = seed};
            t.iss = FIRST[i][0];
            t.irs = FIRST[i][1];
            t.now_us = i == 2 ? 0xFFFF0000 : 1000000 + (uint64_t)i * 7777777; /* microseconds wrap too */
            d->run(&t);
            good = t.failures == 0;
        }
        if (!good)
            printf("FAIL %s on %s (--seed %llu)\n", d->name, subject->name, (unsigned long long)seed);
        failed += !good;
        *passed += good;
    }
    return failed;
}
