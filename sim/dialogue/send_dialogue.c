/* Sending: silly windows, shrinking windows, the probe. */
#include "dialogue.h"

const char dialogues_send;

/* TCP-048 */
DIALOGUE(whole_segments_leave_and_the_rest_when_it_empties_the_queue)
{
    talk_open(t, (struct setup){.wnd = 2500});
    app_writes(t, 5000);
    expect_data(t, 0, 2000); /* 500 more would fit: silly */
    expect_silence(t);
    peer(t, (struct says){.ack = 2000, .wnd = 2500});
    expect_data(t, 2000, 2000);
    peer(t, (struct says){.ack = 4000, .wnd = 2500});
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->seq == t->iss + 4000 && tx->len == 1000 && tx->psh);
}

/* TCP-048 */
DIALOGUE(half_the_largest_window_is_worth_sending)
{
    talk_open(t, (struct setup){.wnd = 800});
    app_writes(t, 5000);
    expect_data(t, 0, 800); /* all that was ever offered */
    peer(t, (struct says){.ack = 800, .wnd = 399});
    expect_silence(t);
    peer(t, (struct says){.ack = 800, .wnd = 400});
    expect_data(t, 800, 400);
}

/* TCP-048, TCP-131 */
DIALOGUE(a_silly_window_is_used_after_the_override_time)
{
    talk_open(t, (struct setup){.wnd = 10000});
    app_writes(t, 30000);
    expect_data(t, 0, 10000);
    peer(t, (struct says){.ack = 10000, .wnd = 300});
    expect_silence(t);
    pass_us(t, 99999);
    expect_silence(t);
    pass_us(t, 900001); /* 0.1 to 1 s */
    expect_data(t, 10000, 300);
}

/* TCP-050 */
DIALOGUE(push_is_set_where_the_queue_ends_only)
{
    talk_open(t, (struct setup){0});
    app_writes(t, 15000);
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->len == 10000 && !tx->psh);
    peer(t, (struct says){.ack = 10000});
    tx = next_out(t);
    EXPECT(tx && tx->len == 5000 && tx->psh);
}

/* TCP-051, TCP-052 */
DIALOGUE(a_shrunk_window_stops_new_data_and_not_retransmission)
{
    talk_open(t, (struct setup){.cwnd = 20});
    app_writes(t, 15000);
    expect_data(t, 0, 15000);
    peer(t, (struct says){.ack = 1000, .wnd = 2000}); /* was 60000 */
    app_writes(t, 5000);
    expect_silence(t);
    pass_us(t, 200000);
    expect_again(t, 1000, 1000);
    peer(t, (struct says){.ack = 15000, .wnd = 2000});
    expect_data(t, 15000, 2000);
    expect_silence(t);
    EXPECT_EQ(t->ended[FLUE_TCP_END_TIMEOUT], 0);
}

/* TCP-051: data that cannot be sent ends nothing */
DIALOGUE(a_window_of_zero_ends_no_connection)
{
    talk_open(t, (struct setup){.limit = 3});
    app_writes(t, 5000);
    forget_out(t);
    peer(t, (struct says){.ack = 5000, .closed_wnd = true});
    app_writes(t, 5000);
    for (unsigned i = 0; i < 40; i++) {
        pass_us(t, 60000000);
        peer(t, (struct says){.ack = 5000, .closed_wnd = true});
        forget_out(t);
    }
    EXPECT_EQ(t->r.state, FLUE_TCP_ESTABLISHED);
    peer(t, (struct says){.ack = 5000});
    expect_data(t, 5000, 5000);
}

/* TCP-053, TCP-056 */
DIALOGUE(probing_starts_after_one_timeout_and_backs_off)
{
    talk_open(t, (struct setup){0});
    app_writes(t, 1000);
    forget_out(t);
    peer(t, (struct says){.ack = 1000, .closed_wnd = true});
    app_writes(t, 3000);
    expect_silence(t);
    uint64_t wait = 200000;
    for (unsigned i = 0; i < 14; i++) {
        pass_us(t, wait - 1);
        expect_silence(t);
        pass_us(t, 1);
        const struct flue_tcp_tx *tx = next_out(t);
        EXPECT(tx && tx->kind == FLUE_TCP_TX_ACK && tx->seq == t->iss + 999); /* old sequence space */
        peer(t, (struct says){.ack = 1000, .closed_wnd = true});
        expect_silence(t);
        wait = 2 * wait < 120000000 ? 2 * wait : 120000000;
    }
    EXPECT_EQ(t->r.snd_max, t->iss + 1000);
    peer(t, (struct says){.ack = 1000});
    expect_data(t, 1000, 3000);
    pass_us(t, 199999);
    expect_silence(t);
    pass_us(t, 1); /* the timeout of the data is not that of the probes */
    expect_again(t, 1000, 1000);
}

/* TCP-053: the loss of any single window update deadlocks nothing */
DIALOGUE(an_answered_probe_opens_the_window_again)
{
    talk_open(t, (struct setup){.closed_wnd = true});
    app_writes(t, 3000);
    pass_us(t, 200000);
    EXPECT(next_out(t));
    peer(t, (struct says){.wnd = 3000});
    expect_data(t, 0, 3000);
}

/* TCP-054 */
DIALOGUE(probing_goes_on_for_hours)
{
    talk_open(t, (struct setup){.closed_wnd = true, .limit = 3});
    app_writes(t, 3000);
    for (unsigned i = 0; i < 240; i++) {
        forget_out(t);
        pass_us(t, 60000000);
        EXPECT(i % 2 == 0 || t->out_count > 0);
        peer(t, (struct says){.closed_wnd = true});
    }
    EXPECT_EQ(t->r.state, FLUE_TCP_ESTABLISHED);
    EXPECT_EQ(t->doubts, 0);
}

/* TCP-054, TCP-200: a FIN waits at a closed window like data */
DIALOGUE(a_fin_waits_at_a_closed_window_and_is_probed_for)
{
    talk_open(t, (struct setup){.closed_wnd = true, .limit = 2});
    app_closes(t);
    expect_silence(t);
    for (unsigned i = 0; i < 10; i++) {
        forget_out(t);
        pass_us(t, 120000000);
        EXPECT(t->out_count > 0);
        peer(t, (struct says){.closed_wnd = true});
    }
    forget_out(t);
    EXPECT_EQ(t->r.state, FLUE_TCP_ESTABLISHED);
    peer(t, (struct says){.wnd = 1});
    expect_fin(t, 0, 0);
    EXPECT_EQ(t->r.state, FLUE_TCP_FIN_WAIT1);
}

/* TCP-058, TCP-206, TCP-212 */
DIALOGUE(the_host_can_end_a_connection_that_is_stuck)
{
    talk_open(t, (struct setup){.closed_wnd = true});
    app_writes(t, 3000);
    pass_us(t, 5000000);
    forget_out(t);
    command(t, FLUE_TCP_ABORT);
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->kind == FLUE_TCP_TX_RST && tx->seq == t->iss);
    EXPECT_EQ(t->r.state, FLUE_TCP_CLOSED);
    EXPECT_EQ(t->ended[FLUE_TCP_END_ABORTED], 1);
    pass_us(t, 600000000);
    expect_silence(t);
}

/* TCP-060, TCP-053: the peer does not take the ACK of a probe */
DIALOGUE(a_probe_settles_no_owed_ack)
{
    talk_open(t, (struct setup){.closed_wnd = true});
    app_writes(t, 3000);
    pass_us(t, 190000);
    peer(t, (struct says){.len = 100, .closed_wnd = true});
    pass_us(t, 10000);
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->seq == t->iss - 1);
    expect_silence(t);
    pass_us(t, 30000);
    expect_ack(t, 100);
}

/* TCP-052, TCP-140 */
DIALOGUE(flight_stays_within_both_windows)
{
    for (uint32_t wnd = 1000; wnd < 20000; wnd += 900) {
        talk_open(t, (struct setup){.wnd = wnd, .cwnd = 8});
        app_writes(t, 50000);
        uint32_t least = wnd < 8000 ? wnd : 8000;
        EXPECT(t->r.snd_max - t->r.snd_una <= least);
        EXPECT(least - (t->r.snd_max - t->r.snd_una) < 1000);
    }
}

/* TCP-101: what a turn is still reading is not given back to the host */
DIALOGUE(the_ring_is_free_only_below_the_turns_in_flight)
{
    talk_open(t, (struct setup){.cwnd = 30});
    t->by_hand = true;
    app_writes(t, 32768);
    turn(t, 16000);
    turn(t, 16000);
    EXPECT_EQ(t->r.turns, 2);
    EXPECT_EQ(t->r.turn1, t->iss + 16000);
    turn(t, 16000);
    expect_reason(t, FLUE_TCP_R_IDLE_TURN);
    peer(t, (struct says){.ack = 30000});
    EXPECT_EQ(t->told.snd_una, t->iss); /* nothing moved for the host: nothing was told */
    sent(t, true);
    EXPECT_EQ(t->told.snd_free, t->iss + 16000);
    sent(t, true);
    EXPECT_EQ(t->told.snd_free, t->iss + 30000);
}

/* TCP-048 */
DIALOGUE(what_the_peer_says_meanwhile_does_not_postpone_the_override)
{
    talk_open(t, (struct setup){.wnd = 10000, .rtt_us = 2000000});
    app_writes(t, 30000);
    peer(t, (struct says){.ack = 10000, .wnd = 300});
    forget_out(t);
    for (unsigned i = 0; i < 9; i++) {
        pass_us(t, 100000);
        peer(t, (struct says){.ack = 10000, .wnd = 300 + i % 2});
        expect_silence(t);
    }
    pass_us(t, 100000);
    expect_data(t, 10000, 300);
}

/* TCP-200 */
DIALOGUE(no_byte_is_queued_behind_the_fin)
{
    talk_open(t, (struct setup){.closed_wnd = true});
    app_writes(t, 100);
    app_closes(t);
    t->by_hand = true;
    app_writes(t, 1);
    expect_reason(t, FLUE_TCP_R_REFUSED);
    EXPECT_EQ(t->r.send_limit, t->iss + 100);
    app_closes(t); /* the same again is no error */
    expect_reason(t, FLUE_TCP_R_NONE);
}

/* TCP-101 */
DIALOGUE(a_younger_turn_with_older_bytes_holds_the_ring_too)
{
    talk_open(t, (struct setup){.cwnd = 10});
    app_writes(t, 10000);
    forget_out(t);
    t->by_hand = true;
    peer(t, (struct says){0});
    app_writes(t, 5000);
    turn(t, 16384); /* limited transmit: new data */
    peer(t, (struct says){0});
    peer(t, (struct says){0});
    turn(t, 16384); /* the first segment again */
    EXPECT_EQ(t->r.turn0, t->iss + 10000);
    EXPECT_EQ(t->r.turn1, t->iss);
    peer(t, (struct says){.ack = 10000});
    EXPECT_EQ(t->told.snd_free, t->iss);
    sent(t, true);
    EXPECT_EQ(t->told.snd_free, t->iss);
    sent(t, true);
    EXPECT_EQ(t->told.snd_free, t->iss + 10000);
}
