#include "subject_rtl.h"

#include "engine.h"
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 64, CLEARING_CYCLES = 4 * (ROWS_MAX + 1) + 8, LONGEST_EVENT = 400 };

struct rtl {
    struct engine *engine;
    struct engine_in in;
    struct engine_out out;
    struct flue_tcp seen[ROWS_MAX]; /* as the trace showed it */
    struct {
        bool wants, deadline_on;
        uint32_t deadline;
    } kept[ROWS_MAX]; /* what scheduler and timers were told last */
};

/* ---- packed structs: fields in writing order, the first on top ---- */

struct bits {
    uint32_t *word;
    unsigned at; /* above the next field */
};

static void put(struct bits *b, unsigned width, uint32_t value)
{
    for (unsigned i = width; i-- > 0;) {
        b->at--;
        uint32_t bit = 1u << (b->at % 32);
        b->word[b->at / 32] = (b->word[b->at / 32] & ~bit) | ((value >> i & 1) ? bit : 0);
    }
}

static uint32_t get(struct bits *b, unsigned width)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < width; i++) {
        b->at--;
        value = value << 1 | (b->word[b->at / 32] >> (b->at % 32) & 1);
    }
    return value;
}

/* tcp_seg_t */
static void put_segment(uint32_t *data, const struct flue_tcp_seg *s)
{
    struct bits b = {data, 426};
    put(&b, 32, s->seq);
    put(&b, 32, s->ack);
    put(&b, 16, s->wnd);
    static const uint8_t flags[] = {FLUE_TCP_URG, FLUE_TCP_ACK, FLUE_TCP_PSH, FLUE_TCP_RST, FLUE_TCP_SYN, FLUE_TCP_FIN};
    for (unsigned i = 0; i < sizeof flags; i++)
        put(&b, 1, (s->flags & flags[i]) != 0);
    put(&b, 16, s->len);
    put(&b, 1, s->has_ts);
    put(&b, 32, s->ts_val);
    put(&b, 32, s->ts_ecr);
    put(&b, 3, s->blocks);
    for (unsigned i = FLUE_TCP_BLOCKS; i-- > 0;) {
        put(&b, 32, s->block[i].left);
        put(&b, 32, s->block[i].right);
    }
}

static void put_event(uint32_t *data, const struct flue_tcp_event *e)
{
    memset(data, 0, sizeof(uint32_t) * ENGINE_EVENT_WORDS);
    switch (e->kind) {
    case FLUE_TCP_EV_SEGMENT:
    case FLUE_TCP_EV_FORWARD:
        put_segment(data, &e->seg);
        break;
    case FLUE_TCP_EV_DOORBELL: {
        struct bits b = {data, 65};
        put(&b, 32, e->doorbell.send_limit);
        put(&b, 32, e->doorbell.consumed);
        put(&b, 1, e->doorbell.fin);
        break;
    }
    case FLUE_TCP_EV_TURN:
        data[0] = e->budget;
        break;
    case FLUE_TCP_EV_SENT:
        data[0] = (uint32_t)e->sent.turn << 1 | e->sent.failed;
        break;
    case FLUE_TCP_EV_PLACED: {
        struct bits b = {data, 33};
        put(&b, 32, e->placed.after);
        put(&b, 1, e->placed.ok);
        break;
    }
    case FLUE_TCP_EV_COMMAND:
        data[0] = e->command;
        break;
    default:
        break;
    }
}

/* ---- what leaves ---- */

static void take_verdict(struct rtl *r, struct flue_tcp_actions *out)
{
    struct bits b = {r->out.verdict, 170};
    out->has_verdict = true;
    out->verdict = (enum flue_tcp_verdict)get(&b, 2);
    get(&b, 16);
    get(&b, 14);
    get(&b, 32);
    out->place.skip = (uint16_t)get(&b, 16);
    out->place.len = (uint16_t)get(&b, 16);
    out->place.seq = get(&b, 32);
    out->place.after = get(&b, 32);
    /* pay_off: 10 bits that the engine leaves to others are below */
}

static void take_tx(struct rtl *r, struct flue_tcp_actions *out)
{
    struct bits b = {r->out.tx, 2 + 16 + 32 + 17 + 16 + 3 + 32 + 16 + 2 + 32 + 32 + 3 + 256};
    out->has_tx = true;
    out->tx.kind = (enum flue_tcp_tx_kind)get(&b, 2);
    get(&b, 16);
    out->tx.seq = get(&b, 32);
    out->tx.len = get(&b, 17);
    out->tx.mss = (uint16_t)get(&b, 16);
    out->tx.psh = get(&b, 1);
    out->tx.fin = get(&b, 1);
    out->tx.resend = get(&b, 1);
    out->tx.ack = get(&b, 32);
    out->tx.wnd = (uint16_t)get(&b, 16);
    bool ts = get(&b, 1);
    get(&b, 1);
    get(&b, 32);
    uint32_t echo = get(&b, 32);
    out->tx.ts_ecr = ts ? echo : 0;
    out->tx.blocks = get(&b, 3);
    for (unsigned i = FLUE_TCP_BLOCKS; i-- > 0;) {
        out->tx.block[i].left = get(&b, 32);
        out->tx.block[i].right = get(&b, 32);
    }
}

static void take_tell(struct rtl *r, struct flue_tcp_actions *out)
{
    struct bits b = {r->out.tell, 16 + 96 + 4 + 3 + 3};
    out->has_tell = true;
    get(&b, 16);
    out->tell.snd_free = get(&b, 32);
    out->tell.snd_una = get(&b, 32);
    out->tell.rcv_nxt = get(&b, 32);
    out->tell.state = (enum flue_tcp_state)get(&b, 4);
    out->tell.ended = (enum flue_tcp_end)get(&b, 3);
    out->tell.doubt = get(&b, 1);
    out->tell.refused = get(&b, 1);
    out->tell.fin = get(&b, 1);
}

static void take(struct rtl *r, struct flue_tcp_actions *out)
{
    const struct engine_out *o = &r->out;
    if (o->verdict_valid)
        take_verdict(r, out);
    if (o->tx_valid)
        take_tx(r, out);
    if (o->tell_valid)
        take_tell(r, out);
    if (o->notify_valid && out->notes < 2)
        out->note[out->notes++] = (enum flue_tcp_note)(o->notify & 7);
    if (o->sched_valid)
        r->kept[o->sched_index].wants = o->sched_wants;
    if (o->deadline_valid) {
        r->kept[o->deadline_index].deadline_on = o->deadline_on;
        r->kept[o->deadline_index].deadline = o->deadline_us;
    }
}

static void fail(const char *what)
{
    fprintf(stderr, "rtl: %s\n", what);
    exit(1);
}

/* One event: entered, over, and everything it offers taken. */
static void run_event(struct rtl *r, unsigned kind, unsigned row, struct flue_tcp_actions *actions)
{
    unsigned cycles = 0;
    bool over = false;
    r->in.valid = true;
    r->in.kind = kind;
    r->in.index = row;
    while (!over || !r->out.idle) {
        if (++cycles > LONGEST_EVENT)
            fail("an event does not end");
        engine_clock(r->engine, &r->in, &r->out);
        if (r->out.ready)
            r->in.valid = false;
        if (actions)
            take(r, actions);
        if (kind == ENGINE_WORD_ACCESS ? r->out.done_valid : r->out.trace_valid)
            over = true;
        if (r->out.trace_valid) {
            if (r->out.trace_index != row || r->out.trace_event != kind)
                fail("trace of another event");
            if (actions)
                actions->reason = (enum flue_tcp_reason)r->out.trace_reason;
            uint32_t words[TCP_RECORD_WORDS];
            for (unsigned i = 0; i < TCP_RECORD_WORDS; i++)
                words[i] = r->out.record[TCP_RECORD_WORDS - 1 - i];
            tcp_record_unpack(words, &r->seen[row]);
        }
    }
}

static void write_record(void *self, unsigned row, const struct flue_tcp *record)
{
    struct rtl *r = self;
    uint32_t words[TCP_RECORD_WORDS];
    tcp_record_pack(record, words);
    for (unsigned i = 0; i < TCP_RECORD_WORDS; i++) {
        struct bits b = {r->in.data, 40};
        memset(r->in.data, 0, sizeof r->in.data);
        put(&b, 1, 1);
        put(&b, 7, i);
        put(&b, 32, words[i]);
        run_event(r, ENGINE_WORD_ACCESS, row, NULL);
    }
    r->seen[row] = *record;
}

static void step(void *self, unsigned row, uint64_t now_us, const struct flue_tcp_event *event, struct flue_tcp_actions *out)
{
    struct rtl *r = self;
    memset(out, 0, sizeof *out);
    r->in.time_us = now_us;
    put_event(r->in.data, event);
    run_event(r, event->kind, row, out);
    out->wants = r->kept[row].wants;
    out->deadline_on = r->kept[row].deadline_on;
    out->deadline = r->kept[row].deadline;
}

static void read_record(void *self, unsigned row, struct flue_tcp *record)
{
    struct rtl *r = self;
    *record = r->seen[row];
}

struct tcp_subject *tcp_subject_rtl(unsigned rows)
{
    struct tcp_subject *s = calloc(1, sizeof *s);
    struct rtl *r = calloc(1, sizeof *r);
    if (!s || !r || rows > ROWS_MAX)
        abort();
    r->engine = engine_open();
    r->in = (struct engine_in){
        .rst = true, .take = true, .rto_min_us = FLUE_TCP_RTO_MIN_US, .rto_max_us = FLUE_TCP_RTO_MAX_US};
    for (unsigned i = 0; i < 4; i++)
        engine_clock(r->engine, &r->in, &r->out);
    r->in.rst = false;
    for (unsigned i = 0; i < CLEARING_CYCLES; i++)
        engine_clock(r->engine, &r->in, &r->out);
    if (!r->out.idle)
        fail("not idle after reset");
    *s = (struct tcp_subject){"RTL", r, rows, write_record, step, read_record};
    return s;
}

void tcp_subject_rtl_free(struct tcp_subject *subject)
{
    struct rtl *r = subject->self;
    engine_close(r->engine);
    free(r);
    free(subject);
}
