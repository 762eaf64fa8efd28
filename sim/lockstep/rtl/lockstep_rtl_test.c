/*
 * Lockstep of the RTL engine with the reference model: every reason, action and field of the record, event by event.
 *
 * PROGRAM [--seed N] [--events N]   events of each run
 */
#include "lockstep.h"
#include "subject_rtl.h"

#include "check.h"

static uint64_t run_events = 70000;

static void run_table(unsigned rows)
{
    struct tcp_subject *model = tcp_subject_model(rows), *rtl = tcp_subject_rtl(rows);
    struct lockstep_options options = {.seed = check_seed, .events = run_events};
    struct lockstep_result result;
    bool same = lockstep_run(model, rtl, &options, &result);
    printf("%u connections: ", rows);
    lockstep_print_reasons(stdout, &result);
    CHECK(same);
    CHECK_EQ(result.events, run_events);
    tcp_subject_model_free(model);
    tcp_subject_rtl_free(rtl);
}

/* TCP-020 to TCP-061, TCP-070 to TCP-100, TCP-120 to TCP-131, TCP-140 to TCP-147, TCP-170 to TCP-178, TCP-200 to TCP-213 */
TEST(two_connections_agree_with_the_model_in_every_event)
{
    run_table(2);
}

TEST(eight_connections_agree_with_the_model_in_every_event)
{
    run_table(8);
}

TEST(sixty_four_connections_agree_with_the_model_in_every_event)
{
    run_table(64);
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
