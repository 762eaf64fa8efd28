#include "subject_rtl.h"

#include "engine_bits.h"
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 64, CLEARING_CYCLES = 8 * (ROWS_MAX + 1) + 8, LONGEST_EVENT = 400 };

struct rtl {
    struct engine *engine;
    struct engine_in in;
    struct engine_out out;
    struct flue_tcp seen[ROWS_MAX]; /* as the trace showed it */
    unsigned flips[ROWS_MAX];       /* of a bit: two in a quarter of the row, then the next */
    struct {
        bool wants, deadline_on;
        uint32_t deadline;
    } kept[ROWS_MAX]; /* what scheduler and timers were told last */
};

static void fail(const char *what)
{
    fprintf(stderr, "rtl: %s\n", what);
    exit(1);
}

static void take(struct rtl *r, struct flue_tcp_actions *out, bool forward)
{
    const struct engine_out *o = &r->out;
    if (o->verdict_valid) {
        engine_verdict(o, out);
        if (o->verdict_forward != forward)
            fail("a verdict goes the wrong way: to the wire's frames or to the driver's");
    }
    out->forgot += o->forgot;
    if (o->tx_valid)
        engine_tx(o, out);
    if (o->tell_valid)
        engine_tell(o, out);
    if (o->notify_valid && out->notes < 2)
        out->note[out->notes++] = (enum flue_tcp_note)(o->notify & 7);
    if (o->sched_valid)
        r->kept[o->sched_index].wants = o->sched_wants;
    if (o->deadline_valid) {
        r->kept[o->deadline_index].deadline_on = o->deadline_on;
        r->kept[o->deadline_index].deadline = o->deadline_us;
    }
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
            take(r, actions, kind == FLUE_TCP_EV_FORWARD);
        if (kind == ENGINE_WORD_ACCESS ? r->out.done_valid : r->out.trace_valid)
            over = true;
        if (r->out.trace_valid) {
            if (r->out.trace_index != row || r->out.trace_event != kind)
                fail("trace of another event");
            if (actions)
                actions->reason = (enum flue_tcp_reason)r->out.trace_reason;
            if (r->out.trace_reason != FLUE_TCP_R_BAD_ROW) /* else the row stays as it is */
                engine_record(&r->out, &r->seen[row]);
        }
    }
}

static void write_record(void *self, unsigned row, const struct flue_tcp *record)
{
    struct rtl *r = self;
    uint32_t words[TCP_RECORD_WORDS];
    tcp_record_pack(record, words);
    for (unsigned i = 0; i < TCP_RECORD_WORDS; i++) {
        engine_put_access(r->in.data, true, i, words[i]);
        run_event(r, ENGINE_WORD_ACCESS, row, NULL);
    }
    r->seen[row] = *record;
}

static void step(void *self, unsigned row, uint64_t now_us, const struct flue_tcp_event *event, struct flue_tcp_actions *out)
{
    struct rtl *r = self;
    memset(out, 0, sizeof *out);
    r->in.time_us = now_us;
    engine_put_event(r->in.data, event);
    run_event(r, event->kind, row, out);
    if (event->kind == FLUE_TCP_EV_COMMAND && event->command == FLUE_TCP_CLEAR)
        r->flips[row] += r->flips[row] % 2; /* the row is good again */
    out->wants = r->kept[row].wants;
    out->deadline_on = r->kept[row].deadline_on;
    out->deadline = r->kept[row].deadline;
}

static void read_record(void *self, unsigned row, struct flue_tcp *record)
{
    struct rtl *r = self;
    *record = r->seen[row];
}

static void flip(void *self, unsigned row)
{
    struct rtl *r = self;
    r->in.flip = true;
    r->in.index = row;
    r->in.data[0] = r->flips[row]++ / 2 % 4;
    engine_clock(r->engine, &r->in, &r->out);
    r->in.flip = false;
}

struct tcp_subject *tcp_subject_rtl(unsigned rows)
{
    struct tcp_subject *s = calloc(1, sizeof *s);
    struct rtl *r = calloc(1, sizeof *r);
    if (!s || !r || rows > ROWS_MAX)
        abort();
    r->engine = engine_open();
    r->in = (struct engine_in){.rst = true, .take = true, .rto_min_us = FLUE_TCP_RTO_MIN_US, .rto_max_us = FLUE_TCP_RTO_MAX_US};
    for (unsigned i = 0; i < 4; i++)
        engine_clock(r->engine, &r->in, &r->out);
    r->in.rst = false;
    for (unsigned i = 0; i < CLEARING_CYCLES; i++)
        engine_clock(r->engine, &r->in, &r->out);
    if (!r->out.idle)
        fail("not idle after reset");
    *s = (struct tcp_subject){"RTL", r, rows, write_record, step, read_record, flip};
    return s;
}

void tcp_subject_rtl_free(struct tcp_subject *subject)
{
    struct rtl *r = subject->self;
    engine_close(r->engine);
    free(r);
    free(subject);
}
