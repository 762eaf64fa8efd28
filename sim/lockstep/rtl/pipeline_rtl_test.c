/*
 * Events one behind the other through the RTL engine, over many connections and often the same one again, with outputs that
 * wait: everything as the model has it, in order.  Then the rates of docs/tcp.md section 5.
 *
 * PROGRAM [--seed N] [--events N]
 */
#include "engine_bits.h"
#include "generate.h"
#include "record.h"

#include "check.h"

enum { ROWS = 64, DEEP = 64, CLEARING = 8 * (ROWS + 1) + 8 };

static uint64_t run_events = 40000;

/* What the model says of an event that is under way; the engine must say the same in the same order. */
struct expected {
    unsigned row, kind;
    struct flue_tcp record;
    struct flue_tcp_actions actions;
};

struct queue {
    struct expected at[DEEP];
    unsigned first, count;
};

struct pipe {
    struct engine *engine;
    struct engine_in in;
    struct engine_out out;
    struct flue_rng rng;
    bool stall;
    struct queue trace, verdict, tx, tell, sched;
    unsigned accesses; /* under way */
    uint64_t cycle, entered, over;
};

static void push(struct queue *q, const struct expected *e)
{
    if (q->count == DEEP)
        abort();
    q->at[(q->first + q->count++) % DEEP] = *e;
}

static struct expected *front(struct queue *q)
{
    return q->count ? &q->at[q->first % DEEP] : NULL;
}

static struct expected pop(struct queue *q, const char *what)
{
    static struct expected none;
    struct expected *e = front(q);
    CHECK(e != NULL, "%s that nobody expects", what);
    if (!e)
        return none;
    q->first++;
    q->count--;
    return *e;
}

static void same(const char *what, const struct expected *e, const struct flue_tcp_actions *seen)
{
    CHECK(tcp_actions_diff(stdout, "model", &e->actions, "RTL", seen) == 0, "%s of connection %u", what, e->row);
}

/* One clock cycle; what left is compared. */
static void cycle(struct pipe *p)
{
    p->in.take = !p->stall || flue_rng_below(&p->rng, 4) == 0;
    engine_clock(p->engine, &p->in, &p->out);
    p->cycle++;
    const struct engine_out *o = &p->out;
    if (o->trace_valid) {
        struct flue_tcp record;
        struct expected e = pop(&p->trace, "a trace");
        engine_record(o, &record);
        CHECK_EQ(o->trace_index, e.row);
        CHECK_EQ(o->trace_reason, e.actions.reason);
        unsigned wrong = tcp_record_diff(stdout, "model", &e.record, "RTL", &record);
        CHECK(wrong == 0, "record of connection %u after event %u", e.row, e.kind);
        if (wrong)
            tcp_record_print(stdout, &e.record);
        p->over++;
    }
    if (o->sched_valid) {
        struct expected e = pop(&p->sched, "a scheduler bit");
        CHECK_EQ(o->sched_index, e.row);
        CHECK_EQ(o->sched_wants, e.actions.wants);
        CHECK_EQ(o->deadline_on, e.actions.deadline_on);
        if (e.actions.deadline_on)
            CHECK_EQ(o->deadline_us, e.actions.deadline);
    }
    if (o->done_valid && p->accesses > 0)
        p->accesses--;
    if (!p->in.take)
        return;
    if (o->verdict_valid) {
        struct expected e = pop(&p->verdict, "a verdict");
        struct flue_tcp_actions seen = e.actions;
        engine_verdict(o, &seen);
        same("verdict", &e, &seen);
    }
    if (o->tx_valid) {
        struct expected e = pop(&p->tx, "a segment");
        struct flue_tcp_actions seen = e.actions;
        engine_tx(o, &seen);
        same("segment", &e, &seen);
    }
    if (o->tell_valid) {
        struct expected e = pop(&p->tell, "a tell");
        struct flue_tcp_actions seen = e.actions;
        engine_tell(o, &seen);
        same("tell", &e, &seen);
    }
}

static void enter(struct pipe *p, unsigned kind, unsigned row)
{
    unsigned waited = 0;
    p->in.valid = true;
    p->in.kind = kind;
    p->in.index = row;
    do {
        cycle(p);
        if (++waited > 2000) {
            CHECK(false, "an event does not enter");
            break;
        }
    } while (!p->out.ready);
    p->in.valid = false;
    p->entered = p->cycle;
}

static void drain(struct pipe *p)
{
    for (unsigned i = 0; i < 2000 && !(p->out.idle && p->trace.count == 0); i++)
        cycle(p);
    for (unsigned i = 0; i < 40; i++)
        cycle(p);
    CHECK(p->out.idle, "the engine does not become idle");
}

static void start(struct pipe *p, uint64_t seed)
{
    memset(p, 0, sizeof *p);
    flue_rng_init(&p->rng, seed, "pipeline");
    p->engine = engine_open();
    p->in = (struct engine_in){.rst = true, .take = true, .rto_min_us = FLUE_TCP_RTO_MIN_US, .rto_max_us = FLUE_TCP_RTO_MAX_US};
    for (unsigned i = 0; i < 4; i++)
        cycle(p);
    p->in.rst = false;
    for (unsigned i = 0; i < CLEARING; i++)
        cycle(p);
}

/* An event into the model, then into the engine, without waiting for its end. */
static void both(struct pipe *p, struct flue_tcp *model, unsigned row, uint64_t now_us, const struct flue_tcp_event *event,
                 struct flue_tcp_actions *actions)
{
    struct expected e = {.row = row, .kind = event->kind};
    flue_tcp_step(model, now_us, event, actions);
    e.record = *model;
    e.actions = *actions;
    bool snapshot = event->kind == FLUE_TCP_EV_COMMAND && event->command == FLUE_TCP_SNAPSHOT;
    push(&p->trace, &e);
    if (!snapshot)
        push(&p->sched, &e);
    if (actions->has_verdict)
        push(&p->verdict, &e);
    if (actions->has_tx)
        push(&p->tx, &e);
    if (actions->has_tell)
        push(&p->tell, &e);
    p->in.time_us = now_us;
    engine_put_event(p->in.data, event);
    enter(p, event->kind, row);
}

static void load(struct pipe *p, struct flue_tcp *model, unsigned row, uint64_t now_us, const struct flue_tcp *record)
{
    uint32_t words[TCP_RECORD_WORDS];
    struct flue_tcp_actions actions;
    const struct flue_tcp_event event = {.kind = FLUE_TCP_EV_COMMAND, .command = FLUE_TCP_LOAD};
    *model = *record;
    tcp_record_pack(record, words);
    for (unsigned i = 0; i < TCP_RECORD_WORDS; i++) {
        engine_put_access(p->in.data, true, i, words[i]);
        p->accesses++;
        enter(p, ENGINE_WORD_ACCESS, row);
    }
    both(p, model, row, now_us, &event, &actions);
}

static void run_random(bool stall)
{
    static struct flue_tcp models[ROWS];
    static struct generate_row rows[ROWS];
    struct pipe p;
    unsigned row = 0;
    start(&p, check_seed);
    memset(models, 0, sizeof models);
    memset(rows, 0, sizeof rows);
    uint64_t now_us = UINT64_C(7000000000) + flue_rng_below(&p.rng, UINT64_C(4000000000));
    p.stall = stall;
    for (uint64_t n = 0; n < run_events && check_failures == 0; n++) {
        struct flue_tcp_event event;
        struct flue_tcp_actions actions;
        if (!one_in(&p.rng, 3))
            row = flue_rng_below(&p.rng, ROWS);
        if (generate_event(&p.rng, &rows[row], &models[row], &now_us, &event)) {
            both(&p, &models[row], row, now_us, &event, &actions);
            generate_done(&rows[row], &event, &actions);
        } else {
            struct flue_tcp record;
            generate_record(&p.rng, now_us, &record);
            rows[row] = (struct generate_row){.placing = 0};
            load(&p, &models[row], row, now_us, &record);
        }
    }
    p.stall = false;
    drain(&p);
    CHECK_EQ(p.trace.count + p.verdict.count + p.tx.count + p.tell.count + p.sched.count, 0);
    engine_close(p.engine);
}

/* HND-012, TCP-132: events that follow each other closely see each other's record */
TEST(events_close_behind_each_other_agree_with_the_model)
{
    run_random(false);
}

TEST(outputs_that_wait_lose_and_change_nothing)
{
    run_random(true);
}

/* A connection that takes data in order. */
static struct flue_tcp plain(void)
{
    struct flue_tcp r;
    memset(&r, 0, sizeof r);
    r.state = FLUE_TCP_ESTABLISHED;
    r.mss = 1448;
    r.mss_rcv = 1448;
    r.ts = 1;
    r.sack = 1;
    r.rcv_buf = 1 << 20;
    r.snd_buf = 1 << 20;
    r.rcv_scale = 7;
    r.rcv_adv = 1000000;
    r.snd_wnd = r.max_snd_wnd = 65535;
    r.cwnd = 14480;
    r.ssthresh = 1 << 30;
    return r;
}

static double cycles_each(unsigned connections, unsigned events)
{
    static struct flue_tcp models[ROWS];
    struct pipe p;
    struct flue_tcp record = plain();
    struct flue_tcp_actions actions;
    start(&p, 1);
    for (unsigned row = 0; row < connections; row++)
        load(&p, &models[row], row, 1000000, &record);
    drain(&p);
    uint64_t from = 0;
    for (unsigned n = 0; n < events + 8; n++) {
        unsigned row = n % connections;
        struct flue_tcp_event event = {.kind = FLUE_TCP_EV_SEGMENT};
        event.seg = (struct flue_tcp_seg){
            .seq = models[row].rcv_edge, .wnd = 65535, .flags = FLUE_TCP_ACK, .len = 100, .has_ts = true, .ts_val = n};
        if (models[row].placing > 40)
            event = (struct flue_tcp_event){.kind = FLUE_TCP_EV_PLACED, .placed = {models[row].rcv_edge, true}};
        both(&p, &models[row], row, 1000000, &event, &actions);
        if (n == 7)
            from = p.entered;
    }
    double each = (double)(p.entered - from) / events;
    drain(&p);
    engine_close(p.engine);
    return each;
}

TEST(an_event_every_9_cycles_and_the_same_connection_after_25)
{
    double many = cycles_each(16, 320), four = cycles_each(4, 320), one = cycles_each(1, 320);
    printf("cycles an event: %.2f over 16 connections, %.2f over 4, %.2f over 1\n", many, four, one);
    CHECK(many <= 9.01 && four <= 9.01 && one <= 25.01, "%.2f, %.2f, %.2f", many, four, one);
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--events"))
            continue;
        run_events = strtoull(argv[i + 1], NULL, 0);
        memmove(argv + i, argv + i + 2, (size_t)(argc - i - 1) * sizeof argv[0]); /* the end mark too */
        argc -= 2;
        break;
    }
    return check_main(argc, argv, 20001);
}
