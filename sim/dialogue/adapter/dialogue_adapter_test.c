/*
 * Dialogues on the whole adapter: driver, firmware, wire, rings.  Those that ask for no more than a peer and a program can see.
 *
 * PROGRAM [--seed N] [name]   all, or those whose name contains it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "talk_adapter.h"

static const char *const NAMES[] = {
    "a_segment_without_ack_is_dropped",
    "limited_acks_come_once_in_500_ms",
    "a_keepalive_probe_is_answered_at_once_every_time",
    "an_ack_is_delayed_by_40_ms",
    "the_second_full_segment_is_acknowledged_at_once",
    "an_ack_rides_on_data_that_leaves_earlier",
    "gaps_duplicates_and_fins_are_acknowledged_at_once",
    "a_lone_fin_above_a_gap_is_acknowledged_at_once",
    "an_acceptable_segment_without_bytes_never_causes_an_ack",
    "a_full_pipe_sends_the_forced_segment_and_no_other",
    "marks_made_after_the_timeout_are_respected",
    "four_gaps_are_kept_and_a_fifth_is_dropped_and_not_reported",
    "the_window_opens_in_steps_and_at_once_when_it_was_closed",
    "a_closed_window_opens_by_exactly_a_segment",
    "every_segment_that_leaves_reports_what_is_held",
    "the_newest_range_comes_first_three_beside_timestamps",
    "ranges_that_touch_become_one",
    "a_duplicate_below_the_next_byte_is_reported_once_alone",
    "a_duplicate_above_a_gap_is_followed_by_its_range",
    "the_part_of_a_segment_that_was_had_is_reported",
    "whole_segments_leave_and_the_rest_when_it_empties_the_queue",
    "half_the_largest_window_is_worth_sending",
    "a_silly_window_is_used_after_the_override_time",
    "push_is_set_where_the_queue_ends_only",
    "an_answered_probe_opens_the_window_again",
    "a_probe_settles_no_owed_ack",
    "what_the_peer_says_meanwhile_does_not_postpone_the_override",
    "without_a_sample_the_timeout_is_one_second",
    "every_segment_echoes_the_stored_timestamp",
    "an_ack_across_a_gap_echoes_the_last_segment_in_order",
    "an_accepted_timestamp_is_the_new_measure",
};

/* HND-005: with first numbers drawn and with wrapping ones. */
static bool hold(const struct dialogue *d, uint64_t seed)
{
    const uint32_t first[][2] = {{(uint32_t)seed, (uint32_t)(seed * 0x9E3779B97F4A7C15u >> 32)}, {0u - 60000, 0xFFFFFFFF}};
    for (unsigned i = 0; i < 2; i++) {
        struct talk t = {.name = d->name, .seed = seed, .iss = first[i][0], .irs = first[i][1]};
        d->run(&t);
        if (t.failures > 0)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    uint64_t seed = 40001;
    const char *only = 0;
    unsigned passed = 0, failed = 0;
    if (getrandom(&seed, 4, 0) != 4)
        seed = 40001;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            seed = strtoull(argv[++i], 0, 0);
        else
            only = argv[i];
    }
    setvbuf(stdout, 0, _IOLBF, 0);
    printf("seed %llu\n", (unsigned long long)seed);
    if (!talk_adapter_open(seed))
        return 1;
    for (unsigned i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const struct dialogue *d = talk_adapter_find(NAMES[i]);
        if (only && !strstr(NAMES[i], only))
            continue;
        bool good = d != NULL && hold(d, seed);
        if (!good)
            printf("FAIL %s on the adapter (--seed %llu)%s\n", NAMES[i], (unsigned long long)seed,
                   d ? "" : ": no such dialogue");
        *(good ? &passed : &failed) += 1;
    }
    if (!talk_adapter_close()) {
        printf("FAIL the monitors\n");
        failed++;
    }
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed != 0;
}
