/*
 * Lockstep of the reference model with itself: the generator reaches every reason, no event breaks an invariant, and what
 * differs is found.
 *
 * PROGRAM [--seed N] [--events N]   events of each run: 200,000 unless given
 */
#include "lockstep.h"

#include "check.h"

enum { EVENTS_FOR_ONE = 20000 }; /* each reason and situation is met once in so many events, or more often */

static uint64_t run_events = 200000;

static void run_table(unsigned rows)
{
    struct tcp_subject *a = tcp_subject_model(rows), *b = tcp_subject_model(rows);
    struct lockstep_options options = {.seed = check_seed, .events = run_events};
    struct lockstep_result result;
    CHECK(lockstep_run(a, b, &options, &result));
    CHECK_EQ(result.events, run_events);
    printf("%u connections: ", rows);
    lockstep_print(stdout, &result);
    CHECK_EQ(lockstep_below(stdout, &result, run_events / EVENTS_FOR_ONE), 0);
    tcp_subject_model_free(a);
    tcp_subject_model_free(b);
}

TEST(two_connections_hold_every_invariant_and_reach_every_reason)
{
    run_table(2);
}

TEST(eight_connections_hold_every_invariant_and_reach_every_reason)
{
    run_table(8);
}

TEST(sixty_four_connections_hold_every_invariant_and_reach_every_reason)
{
    run_table(64);
}

/* A model that is wrong once. */
static struct tcp_subject *inner;
static unsigned steps_left;
static enum { FIELD, ACTION, RANGE } fault;

static void wrong_write(void *self, unsigned row, const struct flue_tcp *record)
{
    inner->write(self, row, record);
}

static void wrong_step(void *self, unsigned row, uint64_t now_us, const struct flue_tcp_event *event,
                       struct flue_tcp_actions *out)
{
    struct flue_tcp record;
    inner->step(self, row, now_us, event, out);
    inner->read(self, row, &record);
    bool fits = fault == FIELD ? record.mode == FLUE_TCP_LIVE : fault == ACTION ? out->has_tx : record.held_count > 1;
    if (steps_left > 0)
        steps_left--;
    if (steps_left > 0 || !fits)
        return;
    steps_left = UINT32_MAX;
    if (fault == FIELD)
        record.snd_wnd ^= 1;
    else if (fault == ACTION)
        out->tx.ack++;
    else
        record.held[1].right ^= 1;
    inner->write(self, row, &record);
}

static void wrong_read(void *self, unsigned row, struct flue_tcp *record)
{
    inner->read(self, row, record);
}

TEST(one_wrong_bit_in_a_field_an_action_or_a_range_is_found)
{
    for (fault = FIELD; fault <= RANGE; fault++) {
        struct tcp_subject *a = tcp_subject_model(8);
        inner = tcp_subject_model(8);
        struct tcp_subject b = {"wrong model", inner->self, 8, wrong_write, wrong_step, wrong_read, NULL};
        struct lockstep_options options = {.seed = check_seed, .events = 100000, .quiet = true};
        struct lockstep_result result;
        steps_left = 5000;
        CHECK(!lockstep_run(a, &b, &options, &result));
        CHECK(result.differ && !result.broken);
        CHECK(result.events >= 5000 && result.events < 50000, "found at event %" PRIu64, result.events);
        tcp_subject_model_free(a);
        tcp_subject_model_free(inner);
    }
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
