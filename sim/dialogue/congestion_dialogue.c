/* Congestion window. */
#include "dialogue.h"

const char dialogues_congestion;

/* TCP-140, TCP-141 */
DIALOGUE(slow_start_grows_by_what_was_acknowledged_at_most_a_segment)
{
    talk_open(t, (struct setup){.cwnd = 4});
    app_writes(t, 50000);
    EXPECT_EQ(t->r.snd_max - t->r.snd_una, 4000);
    peer(t, (struct says){.ack = 2000}); /* L = 1 */
    EXPECT_EQ(t->r.cwnd, 5000);
    peer(t, (struct says){.ack = 2300});
    EXPECT_EQ(t->r.cwnd, 5300);
}

/* TCP-141 */
DIALOGUE(many_small_acks_grow_no_more_than_one)
{
    talk_open(t, (struct setup){.cwnd = 4});
    app_writes(t, 50000);
    for (uint32_t ack = 10; ack <= 1000; ack += 10)
        peer(t, (struct says){.ack = ack});
    EXPECT_EQ(t->r.cwnd, 5000);
}

/* TCP-030, TCP-141 */
DIALOGUE(duplicates_updates_and_wrong_acks_grow_nothing)
{
    talk_open(t, (struct setup){.cwnd = 4});
    app_writes(t, 50000);
    for (unsigned i = 0; i < 2; i++)
        peer(t, (struct says){0});
    for (unsigned i = 0; i < 20; i++) {
        peer(t, (struct says){.wnd = 40000 + i});
        peer(t, (struct says){.ack = 40000});
        peer(t, (struct says){.ack = 0u - 1});
    }
    EXPECT_EQ(t->r.cwnd, 4000);
}

/* TCP-142 */
DIALOGUE(congestion_avoidance_grows_a_segment_a_round_trip)
{
    talk_open(t, (struct setup){.cwnd = 10, .ssthresh = 5});
    uint32_t acked = 0;
    for (unsigned round = 0; round < 20; round++) {
        uint32_t before = t->r.cwnd;
        app_writes(t, 2 * before);
        uint32_t end = t->r.snd_max - t->iss;
        while (acked < end) {
            acked = end - acked > 2000 ? acked + 2000 : end;
            peer(t, (struct says){.ack = acked});
        }
        EXPECT(t->r.cwnd <= before + 1000);
        EXPECT(t->r.cwnd >= before);
        forget_out(t);
    }
    EXPECT(t->r.cwnd >= 25000);
}

/* TCP-144 */
DIALOGUE(the_loaded_window_is_used_as_it_is)
{
    for (unsigned cwnd = 1; cwnd < 16; cwnd += 3) {
        talk_open(t, (struct setup){.cwnd = cwnd});
        app_writes(t, 50000);
        EXPECT_EQ(t->r.snd_max - t->r.snd_una, 1000 * cwnd);
    }
}

/* TCP-146 */
DIALOGUE(the_window_does_not_grow_while_the_application_limits_the_flight)
{
    talk_open(t, (struct setup){.cwnd = 10});
    for (uint32_t i = 1; i <= 20; i++) {
        app_writes(t, 1000);
        peer(t, (struct says){.ack = 1000 * i});
    }
    EXPECT_EQ(t->r.cwnd, 10000);
    app_writes(t, 5000); /* half of the window is enough */
    peer(t, (struct says){.ack = 25000});
    EXPECT_EQ(t->r.cwnd, 11000);
}

/* TCP-147 */
DIALOGUE(window_and_threshold_have_floors)
{
    talk_open(t, (struct setup){.cwnd = 1, .ssthresh = 2});
    app_writes(t, 1000);
    pass_us(t, 200000);
    EXPECT_EQ(t->r.cwnd, 1000);
    EXPECT_EQ(t->r.ssthresh, 2000);
    talk_open(t, (struct setup){.cwnd = 3, .sack = true});
    app_writes(t, 3000);
    peer(t, (struct says){.blocks = 1, .block = {{900, 3000}}});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_FAST);
    EXPECT_EQ(t->r.ssthresh, 2000);
    EXPECT(t->r.cwnd >= 1000);
}
