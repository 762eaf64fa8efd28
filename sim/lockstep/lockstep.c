#include "lockstep.h"

#include "generate.h"
#include "record.h"

#include <inttypes.h>
#include <stdlib.h>

enum { KEPT_EVENTS = 20 };

struct kept {
    uint64_t number, now_us;
    struct flue_tcp_event event;
    struct flue_tcp_actions actions;
};

struct run {
    struct tcp_subject *a, *b;
    const struct lockstep_options *options;
    struct lockstep_result *result;
    struct generate_row *rows;
    struct kept *kept; /* KEPT_EVENTS of each row */
    unsigned *kept_count;
    uint64_t now_us;
};

static void print_history(FILE *to, const struct run *run, unsigned row)
{
    unsigned count = run->kept_count[row], from = count > KEPT_EVENTS ? count - KEPT_EVENTS : 0;
    fprintf(to, "last %u events of connection %u (actions of %s):\n", count - from, row, run->a->name);
    for (unsigned i = from; i < count; i++) {
        const struct kept *k = &run->kept[row * KEPT_EVENTS + i % KEPT_EVENTS];
        fprintf(to, "%10" PRIu64 " at %" PRIu64 " us: ", k->number, k->now_us);
        tcp_event_print(to, &k->event);
        fprintf(to, "\n             -> ");
        tcp_actions_print(to, &k->actions);
        fputc('\n', to);
    }
}

/* One event into both; false at a difference or a broken invariant. */
static bool step(struct run *run, unsigned row, const struct flue_tcp_event *event)
{
    struct tcp_subject *a = run->a, *b = run->b;
    struct flue_tcp before, ra, rb;
    struct flue_tcp_actions xa, xb;
    FILE *to = run->options->quiet ? fopen("/dev/null", "w") : stdout;
    if (!to)
        abort();

    a->read(a->self, row, &before);
    a->step(a->self, row, run->now_us, event, &xa);
    b->step(b->self, row, run->now_us, event, &xb);
    a->read(a->self, row, &ra);
    b->read(b->self, row, &rb);
    run->kept[row * KEPT_EVENTS + run->kept_count[row]++ % KEPT_EVENTS] =
        (struct kept){run->result->events, run->now_us, *event, xa};
    run->result->events++;
    if (xa.reason < FLUE_TCP_REASONS)
        run->result->reasons[xa.reason]++;
    lockstep_see(run->result->situations, &before, event, &xa, &ra, run->now_us);
    generate_done(&run->rows[row], event, &xa);

    unsigned n = tcp_actions_diff(to, a->name, &xa, b->name, &xb) + tcp_record_diff(to, a->name, &ra, b->name, &rb);
    const char *why = flue_tcp_invariant(&ra);
    if (n > 0)
        fprintf(to, "%u differences", n);
    if (why)
        fprintf(to, "%s: %s", a->name, why);
    if (n > 0 || why) {
        run->result->differ = n > 0;
        run->result->broken = why;
        fprintf(to, " at event %" PRIu64 ", --seed %" PRIu64 ", %u connections\n", run->result->events - 1, run->options->seed,
                a->rows);
        print_history(to, run, row);
        fprintf(to, "record of %s before the event:", a->name);
        tcp_record_print(to, &before);
        fprintf(to, "\nand after it:");
        tcp_record_print(to, &ra);
        fputc('\n', to);
    }
    if (to != stdout)
        fclose(to);
    return n == 0 && !why;
}

/* A bit of the row changes, in both. */
static void flip(struct run *run, unsigned row)
{
    if (!run->a->flip || !run->b->flip)
        return;
    run->a->flip(run->a->self, row);
    run->b->flip(run->b->self, row);
    generate_flipped(&run->rows[row]);
}

static bool load(struct run *run, unsigned row, struct flue_rng *rng)
{
    struct flue_tcp record;
    const struct flue_tcp_event event = {.kind = FLUE_TCP_EV_COMMAND, .command = FLUE_TCP_LOAD};
    generate_record(rng, run->now_us, &record);
    run->a->write(run->a->self, row, &record);
    run->b->write(run->b->self, row, &record);
    run->kept_count[row] = 0;
    run->rows[row] = (struct generate_row){.placing = 0};
    run->result->loads++;
    return step(run, row, &event);
}

bool lockstep_run(struct tcp_subject *first, struct tcp_subject *second, const struct lockstep_options *options,
                  struct lockstep_result *result)
{
    struct flue_rng rng;
    unsigned rows = first->rows < second->rows ? first->rows : second->rows, row = 0;
    struct run run = {.a = first, .b = second, .options = options, .result = result, .now_us = UINT64_C(5000000000)};
    run.rows = calloc(rows, sizeof *run.rows);
    run.kept = calloc((size_t)rows * KEPT_EVENTS, sizeof *run.kept);
    run.kept_count = calloc(rows, sizeof *run.kept_count);
    if (!run.rows || !run.kept || !run.kept_count)
        abort();
    flue_rng_init(&rng, options->seed, "lockstep");
    run.now_us += flue_rng_below(&rng, UINT64_C(4000000000));
    *result = (struct lockstep_result){.events = 0};

    bool good = true;
    while (good && result->events < options->events) {
        struct flue_tcp record;
        struct flue_tcp_event event;
        if (!one_in(&rng, 4)) /* often the same connection again */
            row = flue_rng_below(&rng, rows);
        first->read(first->self, row, &record);
        if (generate_flip(&rng, &run.rows[row], &record))
            flip(&run, row);
        if (generate_event(&rng, &run.rows[row], &record, &run.now_us, &event))
            good = step(&run, row, &event);
        else
            good = load(&run, row, &rng);
        if (options->progress > 0 && result->events % options->progress == 0) {
            printf("  %" PRIu64 " of %" PRIu64 " events\n", result->events, options->events);
            fflush(stdout);
        }
    }
    free(run.rows);
    free(run.kept);
    free(run.kept_count);
    return good;
}
