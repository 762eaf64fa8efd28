/* Loss: duplicates, recovery with and without SACK. */
#include "dialogue.h"

const char dialogues_loss;

/* TCP-090 */
DIALOGUE(only_bare_repeated_acks_count_as_duplicates)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){0});
    EXPECT_EQ(t->r.dup_acks, 0); /* nothing outstanding */
    app_writes(t, 5000);
    peer(t, (struct says){.len = 10});
    EXPECT_EQ(t->r.dup_acks, 0); /* carries data */
    peer(t, (struct says){.seq = 10, .wnd = 50000});
    EXPECT_EQ(t->r.dup_acks, 0); /* another window */
    peer(t, (struct says){.seq = 10, .wnd = 50000});
    EXPECT_EQ(t->r.dup_acks, 1);
    peer(t, (struct says){.seq = 20, .wnd = 50000, .flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
    EXPECT_EQ(t->r.dup_acks, 1);
    peer(t, (struct says){.seq = 10, .ack = 1000, .wnd = 50000});
    EXPECT_EQ(t->r.dup_acks, 0);
}

/* TCP-090 */
DIALOGUE(with_sack_a_duplicate_reports_something_new)
{
    talk_open(t, (struct setup){.sack = true});
    app_writes(t, 9000);
    peer(t, (struct says){0});
    EXPECT_EQ(t->r.dup_acks, 0);
    peer(t, (struct says){.blocks = 1, .block = {{1000, 1500}}});
    EXPECT_EQ(t->r.dup_acks, 1);
    peer(t, (struct says){.blocks = 1, .block = {{1000, 1500}}});
    EXPECT_EQ(t->r.dup_acks, 1);
    peer(t, (struct says){.blocks = 2, .block = {{1000, 1500}, {1000, 2000}}});
    EXPECT_EQ(t->r.dup_acks, 2);
}

/* TCP-091, TCP-092, TCP-093 */
DIALOGUE(the_third_duplicate_ack_retransmits_once)
{
    talk_open(t, (struct setup){.cwnd = 10});
    app_writes(t, 20000);
    expect_data(t, 0, 10000);
    peer(t, (struct says){0});
    expect_data(t, 10000, 1000); /* limited transmit */
    peer(t, (struct says){0});
    expect_data(t, 11000, 1000);
    EXPECT_EQ(t->r.cwnd, 10000);
    peer(t, (struct says){0});
    expect_again(t, 0, 1000);
    expect_silence(t);
    EXPECT_EQ(t->r.ssthresh, 5000); /* half of what flew before limited transmit */
    EXPECT_EQ(t->r.cwnd, 8000);
    EXPECT_EQ(t->r.recovery, FLUE_TCP_FAST);
}

/* TCP-094, TCP-096 */
DIALOGUE(recovery_is_entered_once_a_window_and_ends_without_a_burst)
{
    talk_open(t, (struct setup){.cwnd = 10});
    app_writes(t, 60000);
    for (unsigned i = 0; i < 20; i++)
        peer(t, (struct says){0});
    EXPECT_EQ(t->r.ssthresh, 5000);
    uint32_t recover = t->r.recover - t->iss;
    forget_out(t);
    peer(t, (struct says){.ack = recover});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_OPEN);
    EXPECT(t->r.cwnd <= 5000);
    EXPECT(t->r.snd_max - t->r.snd_una <= t->r.cwnd || t->out_count == 0);
    for (unsigned i = 0; i < 5; i++) /* duplicates at the recovery point: not another reduction */
        peer(t, (struct says){.ack = recover});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_OPEN);
    EXPECT_EQ(t->r.ssthresh, 5000);
}

/* TCP-095 */
DIALOGUE(a_partial_ack_without_sack_sends_the_next_hole)
{
    talk_open(t, (struct setup){.cwnd = 10});
    app_writes(t, 10000);
    for (unsigned i = 0; i < 3; i++)
        peer(t, (struct says){0});
    forget_out(t);
    pass_us(t, 100000);
    uint32_t cwnd = t->r.cwnd;
    peer(t, (struct says){.ack = 3000});
    expect_again(t, 3000, 1000);
    expect_silence(t);
    EXPECT_EQ(t->r.cwnd, cwnd - 3000 + 1000);
    uint32_t at = t->r.rto_at;
    EXPECT_EQ(at - (uint32_t)t->now_us, 200000); /* the first partial ACK restarts the timer */
    pass_us(t, 50000);
    peer(t, (struct says){.ack = 6000});
    expect_again(t, 6000, 1000);
    EXPECT_EQ(t->r.rto_at, at); /* no later one does */
    peer(t, (struct says){.ack = 10000});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_OPEN);
    expect_silence(t);
}

/* TCP-097 */
DIALOGUE(three_ranges_or_more_than_two_segments_above_mean_lost)
{
    talk_open(t, (struct setup){.sack = true, .cwnd = 10});
    app_writes(t, 10000);
    expect_data(t, 0, 10000);
    peer(t, (struct says){.blocks = 1, .block = {{1000, 3000}}}); /* exactly two segments */
    EXPECT_EQ(t->r.recovery, FLUE_TCP_OPEN);
    expect_silence(t);
    peer(t, (struct says){.blocks = 1, .block = {{1000, 3001}}});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_FAST);
    expect_again(t, 0, 1000);

    talk_open(t, (struct setup){.sack = true, .cwnd = 10});
    app_writes(t, 10000);
    expect_data(t, 0, 10000);
    peer(t, (struct says){.blocks = 2, .block = {{2000, 2100}, {4000, 4100}}});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_OPEN);
    peer(t, (struct says){.blocks = 1, .block = {{6000, 6100}}});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_FAST);
    expect_again(t, 0, 1000);
}

/* TCP-098, TCP-099, TCP-100 */
DIALOGUE(holes_are_sent_from_the_left_within_the_pipe)
{
    talk_open(t, (struct setup){.sack = true, .cwnd = 10});
    app_writes(t, 10000);
    forget_out(t);
    /* 1000-2000 and 3000-4000 are missing beside the first; 6 segments arrived */
    peer(t, (struct says){.blocks = 3, .block = {{4000, 10000}, {2000, 3000}}, .ack = 1000});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_FAST);
    EXPECT_EQ(t->r.ssthresh, 4500);
    expect_again(t, 1000, 1000);
    expect_again(t, 3000, 1000);
    for (const struct flue_tcp_tx *tx; (tx = next_out(t)) != 0;)
        for (unsigned i = 0; i < 2; i++) {
            uint32_t left = t->iss + (i ? 4000 : 2000), right = t->iss + (i ? 10000 : 3000);
            EXPECT(!flue_tcp_before(tx->seq, right) || !flue_tcp_before(left, tx->seq + tx->len));
        }
}

/* TCP-098 */
DIALOGUE(a_full_pipe_sends_the_forced_segment_and_no_other)
{
    talk_open(t, (struct setup){.sack = true, .cwnd = 20});
    app_writes(t, 20000);
    forget_out(t);
    peer(t, (struct says){.blocks = 1, .block = {{16000, 18001}}}); /* 16 lost, pipe 2, cwnd halves to 10 */
    expect_again(t, 0, 1000);
    uint32_t sent_again = 0;
    for (const struct flue_tcp_tx *tx; (tx = next_out(t)) != 0;)
        sent_again += tx->len;
    EXPECT(sent_again <= 8000);
    EXPECT(sent_again >= 6000);
    forget_out(t);
    peer(t, (struct says){.blocks = 1, .block = {{16000, 19001}}});
    sent_again = 0;
    for (const struct flue_tcp_tx *tx; (tx = next_out(t)) != 0;)
        sent_again += tx->len;
    EXPECT(sent_again <= 2000);
}

/* TCP-099 */
DIALOGUE(after_the_lost_holes_come_new_data_then_other_holes_then_one_rescue)
{
    struct flue_tcp r = talk_record(t, (struct setup){.sack = true, .cwnd = 10});
    r.send_limit = t->iss + 11000;
    r.snd_max = t->iss + 10000;
    r.recovery = FLUE_TCP_FAST;
    r.recover_valid = 1;
    r.recover = r.snd_max;
    r.high_rxt = t->iss + 1000; /* the first hole was sent again */
    r.sacked_count = 2;
    r.sacked[0] = (struct flue_tcp_range){t->iss + 1000, t->iss + 4500};
    r.sacked[1] = (struct flue_tcp_range){t->iss + 6000, t->iss + 7000}; /* 4500-6000 is no lost hole yet */
    r.ssthresh = r.cwnd;
    talk_load(t, &r);
    settle(t);
    expect_data(t, 10000, 1000);
    expect_again(t, 4500, 1000);
    expect_again(t, 5500, 500);
    expect_again(t, 9000, 1000); /* the rescue */
    expect_silence(t);
}

/* TCP-096 */
DIALOGUE(with_sack_recovery_ends_at_the_threshold)
{
    talk_open(t, (struct setup){.sack = true, .cwnd = 10});
    app_writes(t, 10000);
    peer(t, (struct says){.blocks = 1, .block = {{1000, 5000}}});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_FAST);
    peer(t, (struct says){.ack = 10000});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_OPEN);
    EXPECT_EQ(t->r.cwnd, t->r.ssthresh);
    EXPECT_EQ(t->r.cwnd, 5000);
}

/* TCP-094: with SACK a loss right at the recovery point is repaired without the timer */
DIALOGUE(a_second_recovery_may_begin_where_the_first_ended)
{
    talk_open(t, (struct setup){.sack = true, .cwnd = 10});
    app_writes(t, 30000);
    peer(t, (struct says){.blocks = 1, .block = {{1000, 5000}}});
    uint32_t recover = t->r.recover - t->iss;
    peer(t, (struct says){.ack = recover});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_OPEN);
    forget_out(t);
    EXPECT(t->r.snd_max - t->r.snd_una >= 4000);
    peer(t, (struct says){.ack = recover, .blocks = 1, .block = {{recover + 1000, recover + 4000}}});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_FAST);
    expect_again(t, recover, 1000);
}

/* TCP-101, TCP-082, TCP-126 */
DIALOGUE(after_a_timeout_everything_is_sent_again_in_other_pieces)
{
    talk_open(t, (struct setup){.sack = true, .cwnd = 4});
    app_writes(t, 700);
    app_writes(t, 700);
    app_writes(t, 700);
    expect_data(t, 0, 700);
    expect_data(t, 700, 700);
    expect_data(t, 1400, 700);
    peer(t, (struct says){.blocks = 1, .block = {{0, 700}}}); /* nonsense */
    peer(t, (struct says){.blocks = 1, .block = {{700, 2100}}});
    pass_us(t, 200000);
    expect_again(t, 0, 1000); /* SACKed bytes too: the peer may have thrown them away */
    expect_silence(t);
    EXPECT_EQ(t->r.sacked_count, 0);
    peer(t, (struct says){.ack = 1000});
    expect_again(t, 1000, 1100);
    expect_silence(t);
}

/* TCP-100, TCP-126 */
DIALOGUE(marks_made_after_the_timeout_are_respected)
{
    talk_open(t, (struct setup){.sack = true, .cwnd = 5});
    app_writes(t, 5000);
    forget_out(t);
    pass_us(t, 200000);
    expect_again(t, 0, 1000);
    peer(t, (struct says){.ack = 1000, .blocks = 1, .block = {{2000, 4000}}});
    expect_again(t, 1000, 1000);
    expect_again(t, 4000, 1000);
    expect_silence(t);
}

/* TCP-090, TCP-097 */
DIALOGUE(three_reports_of_small_segments_mean_lost_too)
{
    talk_open(t, (struct setup){.sack = true});
    for (unsigned i = 0; i < 6; i++)
        app_writes(t, 100);
    forget_out(t);
    for (uint32_t i = 2; i <= 4; i++) {
        EXPECT_EQ(t->r.recovery, FLUE_TCP_OPEN);
        peer(t, (struct says){.blocks = 1, .block = {{100, 100 * i}}});
    }
    EXPECT_EQ(t->r.recovery, FLUE_TCP_FAST);
    expect_again(t, 0, 100);
}

/* TCP-098 */
DIALOGUE(new_data_in_recovery_needs_exactly_a_segment_of_room)
{
    for (uint32_t less = 0; less < 2; less++) {
        struct flue_tcp r = talk_record(t, (struct setup){.sack = true, .cwnd = 5});
        r.snd_max = r.snd_una + 5000;
        r.send_limit = r.snd_max + 9000;
        r.recovery = FLUE_TCP_FAST;
        r.recover_valid = r.rescued = 1;
        r.recover = r.snd_max;
        r.high_rxt = r.snd_una + 1000; /* sent again already */
        r.sacked_count = 1;
        r.sacked[0] = (struct flue_tcp_range){r.snd_una + 1000, r.snd_una + 2000}; /* pipe 4000 */
        r.cwnd -= less;
        talk_load(t, &r);
        settle(t);
        if (!less)
            expect_data(t, 5000, 1000);
        expect_silence(t);
        r.send_limit = r.snd_max + 500; /* less than a segment needs the same room */
        talk_load(t, &r);
        settle(t);
        if (!less)
            expect_data(t, 5000, 500);
        expect_silence(t);
    }
}

/* TCP-096 */
DIALOGUE(without_sack_recovery_ends_with_what_is_in_flight_and_a_segment)
{
    static const uint32_t BEYOND[] = {0, 2000, 3000, 9000};
    for (unsigned i = 0; i < 4; i++) {
        struct flue_tcp r = talk_record(t, (struct setup){.cwnd = 12});
        r.snd_max = r.snd_una + 4000 + BEYOND[i];
        r.send_limit = r.snd_max;
        r.recovery = FLUE_TCP_FAST;
        r.recover_valid = 1;
        r.recover = r.snd_una + 4000;
        r.high_rxt = r.snd_una + 1000;
        r.ssthresh = 5000;
        talk_load(t, &r);
        peer(t, (struct says){.ack = 4000});
        EXPECT_EQ(t->r.recovery, FLUE_TCP_OPEN);
        EXPECT_EQ(t->r.cwnd, BEYOND[i] == 0 ? 2000 : BEYOND[i] + 1000 < 5000 ? BEYOND[i] + 1000 : 5000);
    }
}

/* TCP-099 */
DIALOGUE(the_rescue_is_the_last_segment_that_was_not_reported)
{
    static const uint32_t RANGE[][2] = {{4000, 5000}, {2000, 5000}, {1000, 4000}, {1500, 4500}};
    static const uint32_t RESCUE[][2] = {{3000, 1000}, {1000, 1000}, {4000, 1000}, {4500, 500}};
    for (unsigned i = 0; i < 4; i++) {
        struct flue_tcp r = talk_record(t, (struct setup){.sack = true, .cwnd = 10});
        r.snd_max = r.send_limit = r.snd_una + 5000;
        r.recovery = FLUE_TCP_FAST;
        r.recover_valid = 1;
        r.recover = r.snd_max;
        r.high_rxt = r.snd_max; /* everything was sent again */
        r.sacked_count = 1;
        r.sacked[0] = (struct flue_tcp_range){r.snd_una + RANGE[i][0], r.snd_una + RANGE[i][1]};
        talk_load(t, &r);
        settle(t);
        expect_again(t, RESCUE[i][0], RESCUE[i][1]);
        expect_silence(t); /* once a recovery */
    }
}

/* TCP-091, TCP-096 */
DIALOGUE(each_further_duplicate_ack_makes_room_for_one_segment)
{
    talk_open(t, (struct setup){.cwnd = 10});
    app_writes(t, 10000);
    for (unsigned i = 0; i < 3; i++)
        peer(t, (struct says){0});
    forget_out(t);
    app_writes(t, 10000);
    for (uint32_t i = 1; i <= 6; i++) { /* 8 of 10 and the first again: room from the third on */
        peer(t, (struct says){0});
        EXPECT_EQ(t->r.cwnd, 8000 + 1000 * i);
        if (i > 2)
            expect_data(t, 10000 + 1000 * (i - 3), 1000);
        expect_silence(t);
    }
}

/* TCP-094 */
DIALOGUE(duplicates_of_a_timeouts_own_retransmissions_do_not_reduce_again)
{
    talk_open(t, (struct setup){.cwnd = 10});
    app_writes(t, 30000);
    pass_us(t, 200000);
    peer(t, (struct says){.ack = 10000}); /* only the ACK was late */
    EXPECT_EQ(t->r.recovery, FLUE_TCP_OPEN);
    uint32_t ssthresh = t->r.ssthresh;
    for (unsigned i = 0; i < 6; i++)
        peer(t, (struct says){.ack = 10000});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_OPEN);
    EXPECT_EQ(t->r.ssthresh, ssthresh);
    peer(t, (struct says){.ack = 11000}); /* beyond: the next loss counts again */
    for (unsigned i = 0; i < 3; i++)
        peer(t, (struct says){.ack = 11000});
    EXPECT_EQ(t->r.recovery, FLUE_TCP_FAST);
}
