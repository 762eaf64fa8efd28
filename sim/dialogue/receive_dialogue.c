/* Delivery, gaps, the receive window. */
#include "dialogue.h"

const char dialogues_receive;

/* TCP-041 */
DIALOGUE(no_byte_is_acknowledged_before_it_is_stored)
{
    talk_open(t, (struct setup){0});
    t->by_hand = true;
    peer(t, (struct says){.len = 1000});
    peer(t, (struct says){.seq = 1000, .len = 1000});
    expect_silence(t); /* two full segments: an ACK is due, but nothing is stored */
    EXPECT_EQ(t->r.rcv_nxt, t->irs);
    placed(t, true);
    expect_silence(t);
    placed(t, true);
    expect_ack(t, 2000);
    expect_silence(t);
}

/* TCP-041 */
DIALOGUE(after_a_failed_write_nothing_further_is_acknowledged)
{
    talk_open(t, (struct setup){0});
    t->by_hand = true;
    for (uint32_t i = 0; i < 3; i++)
        peer(t, (struct says){.seq = 1000 * i, .len = 1000});
    placed(t, true);
    placed(t, false);
    expect_reason(t, FLUE_TCP_R_WRITE_FAILED);
    placed(t, true);
    expect_silence(t);
    EXPECT_EQ(t->r.rcv_nxt, t->irs + 1000);
    EXPECT_EQ(t->notes[FLUE_TCP_UPLOAD_HARDWARE], 1);
    EXPECT_EQ(t->notes[FLUE_TCP_FROZE], 1);
    EXPECT_EQ(t->r.mode, FLUE_TCP_FROZEN);
}

/* TCP-041, TCP-060: placements that overlap without end must not hold ACKs back without end */
DIALOGUE(acks_leave_while_placements_overlap)
{
    talk_open(t, (struct setup){0});
    t->by_hand = true;
    uint32_t acked = 0;
    for (uint32_t i = 0; i < 20; i++) {
        peer(t, (struct says){.seq = 1000 * i, .len = 1000});
        if (i > 0)
            placed(t, true);
        for (const struct flue_tcp_tx *tx; (tx = next_out(t)) != 0;) {
            acked = tx->ack - t->irs;
            sent(t, false);
        }
        EXPECT(1000 * i - acked <= 3000 || i < 3);
    }
}

/* TCP-042, TCP-043 */
DIALOGUE(four_gaps_are_kept_and_a_fifth_is_dropped_and_not_reported)
{
    talk_open(t, (struct setup){.sack = true});
    for (uint32_t i = 0; i < 4; i++) {
        peer(t, (struct says){.seq = 2000 + 2000 * i, .len = 1000});
        expect_reason(t, FLUE_TCP_R_OUT_OF_ORDER);
        expect_place(t, 2000 + 2000 * i, 1000);
    }
    forget_out(t);
    peer(t, (struct says){.seq = 20000, .len = 1000});
    expect_reason(t, FLUE_TCP_R_NO_INTERVAL);
    expect_drop(t);
    expect_blocks(t, expect_ack(t, 0), 4, (const uint32_t[][2]){{8000, 9000}, {6000, 7000}, {4000, 5000}, {2000, 3000}});
    peer(t, (struct says){.seq = 3000, .len = 1000}); /* joins two: there is room again */
    expect_place(t, 3000, 1000);
    forget_out(t);
    peer(t, (struct says){.seq = 20000, .len = 1000});
    expect_place(t, 20000, 1000);
}

/* TCP-040, TCP-061 */
DIALOGUE(a_filled_gap_delivers_everything_behind_it)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.seq = 1000, .len = 1000});
    expect_ack(t, 0);
    peer(t, (struct says){.seq = 3000, .len = 1000});
    expect_ack(t, 0);
    peer(t, (struct says){.seq = 0, .len = 1000});
    expect_ack(t, 2000);
    peer(t, (struct says){.seq = 2000, .len = 500});
    expect_ack(t, 2500);
    peer(t, (struct says){.seq = 2500, .len = 500});
    expect_ack(t, 4000);
    expect_silence(t);
    EXPECT_EQ(t->told.rcv_nxt, t->irs + 4000);
}

/* TCP-024, TCP-040 */
DIALOGUE(bytes_that_were_acknowledged_are_never_written_again)
{
    talk_open(t, (struct setup){0});
    for (uint32_t i = 0; i < 10; i++)
        peer(t, (struct says){.seq = 1000 * i, .len = 1000});
    for (uint32_t seq = 0; seq <= 10000; seq += 250) { /* watched: nothing below RCV.NXT is placed */
        peer(t, (struct says){.seq = seq, .len = 1500});
        EXPECT_EQ(t->a.verdict == FLUE_TCP_PLACE, seq + 1500 > t->a.place.seq - t->irs && t->a.place.len > 0);
    }
    EXPECT_EQ(t->r.rcv_nxt, t->irs + 11500);
}

/* TCP-044, TCP-045, TCP-170 */
DIALOGUE(small_segments_never_move_a_scaled_edge_left_nor_beyond_the_buffer)
{
    for (unsigned scale = 0; scale <= 14; scale++) {
        talk_open(t, (struct setup){.rcv_scale = scale, .rcv_buf = 3u << (scale + 8 > 20 ? 20 : scale + 8)});
        for (uint32_t seq = 0, i = 0; i < 300; i++) {
            uint32_t len = 1 + (i * 7) % 61;
            peer(t, (struct says){.seq = seq, .len = len});
            if (i % 3 == 0)
                pass_us(t, 50000); /* watched: every ACK */
            seq = t->r.rcv_nxt - t->irs;
            if (i % 50 == 49)
                app_reads(t, seq);
            forget_out(t);
        }
        EXPECT(t->edge_known);
    }
}

/* TCP-044: what was lowered is acknowledged when the host reads */
DIALOGUE(the_host_reading_on_acknowledges_what_rounding_had_left_out)
{
    struct flue_tcp r = talk_record(t, (struct setup){.rcv_scale = 10});
    r.rcv_adv = r.rcv_nxt + 60 * 1024;
    r.consumed = r.rcv_nxt - 64000 + 60 * 1024; /* no room to round up */
    talk_load(t, &r);
    peer(t, (struct says){.len = 100});
    pass_us(t, 40000);
    const struct flue_tcp_tx *tx = expect_ack(t, 0);
    EXPECT_EQ(tx->wnd, 60);
    app_reads(t, 100);
    expect_ack(t, 100);
    expect_silence(t);
}

/* TCP-044, TCP-203: a FIN is acknowledged whatever the window rounds to */
DIALOGUE(a_fin_is_acknowledged_even_when_the_window_cannot_be_rounded_up)
{
    struct flue_tcp r = talk_record(t, (struct setup){.rcv_scale = 10});
    r.rcv_adv = r.rcv_nxt + 60 * 1024;
    r.consumed = r.rcv_nxt - 64000 + 60 * 1024;
    talk_load(t, &r);
    peer(t, (struct says){.len = 100, .flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
    expect_ack(t, 101);
}

/* TCP-046 */
DIALOGUE(the_window_opens_in_steps_and_at_once_when_it_was_closed)
{
    talk_open(t, (struct setup){0});
    for (uint32_t i = 0; i < 62; i++)
        peer(t, (struct says){.seq = 1000 * i, .len = 1000});
    const struct flue_tcp_tx *tx = 0;
    for (const struct flue_tcp_tx *next; (next = next_out(t)) != 0;)
        tx = next;
    EXPECT(tx && tx->ack == t->irs + 62000 && tx->wnd == 0);
    app_reads(t, 500); /* less than a segment: silence */
    expect_silence(t);
    app_reads(t, 3000);
    tx = expect_ack(t, 62000);
    EXPECT_EQ(tx->wnd, 3000);
    app_reads(t, 3500);
    expect_silence(t);
    app_reads(t, 62000);
    tx = expect_ack(t, 62000);
    EXPECT_EQ(tx->wnd, 62000);
    expect_silence(t);
}

/* TCP-046, TCP-066 */
DIALOGUE(reading_without_news_for_the_peer_sends_nothing)
{
    talk_open(t, (struct setup){.rcv_buf = 1000000}); /* more than an unscaled window can say */
    for (uint32_t i = 0; i < 5; i++) {
        peer(t, (struct says){.seq = 100 * i, .len = 100});
        app_reads(t, 100 * i + 100);
        expect_silence(t);
    }
    EXPECT_EQ(t->out_count, 0);
}

/* TCP-050 */
DIALOGUE(received_bytes_are_delivered_without_push)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.len = 10});
    EXPECT_EQ(t->told.rcv_nxt, t->irs + 10);
}

/* TCP-203 */
DIALOGUE(a_fin_above_a_gap_waits_for_the_gap)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.seq = 1000, .len = 500, .flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
    expect_ack(t, 0);
    EXPECT_EQ(t->r.state, FLUE_TCP_ESTABLISHED);
    EXPECT_EQ(t->ended[FLUE_TCP_END_FIN], 0);
    peer(t, (struct says){.seq = 0, .len = 1000});
    expect_ack(t, 1501);
    EXPECT_EQ(t->r.state, FLUE_TCP_CLOSE_WAIT);
    EXPECT_EQ(t->ended[FLUE_TCP_END_FIN], 1);
    EXPECT(t->told.fin);
}

/* TCP-203 */
DIALOGUE(no_data_beyond_a_fin_is_accepted)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.seq = 1000, .flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
    peer(t, (struct says){.seq = 500, .len = 1000});
    expect_place(t, 500, 500);
    peer(t, (struct says){.seq = 1001, .len = 100});
    expect_drop(t);
    peer(t, (struct says){.seq = 0, .len = 2000});
    expect_place(t, 0, 1000);
    EXPECT_EQ(t->r.rcv_nxt, t->irs + 1001);
    EXPECT_EQ(t->r.state, FLUE_TCP_CLOSE_WAIT);
    forget_out(t);
    peer(t, (struct says){.seq = 1001, .len = 100});
    expect_reason(t, FLUE_TCP_R_AFTER_FIN);
    expect_drop(t);
    EXPECT_EQ(t->r.rcv_nxt, t->irs + 1001);
}

/* TCP-203: a FIN that what was received contradicts is not believed */
DIALOGUE(a_fin_below_received_bytes_is_ignored)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.seq = 2000, .len = 1000});
    peer(t, (struct says){.seq = 1000, .len = 500, .flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
    EXPECT(!t->r.fin_valid);
    peer(t, (struct says){.seq = 0, .len = 1000});
    peer(t, (struct says){.seq = 1500, .len = 500});
    EXPECT_EQ(t->r.rcv_nxt, t->irs + 3000);
    EXPECT_EQ(t->r.state, FLUE_TCP_ESTABLISHED);
}

/* TCP-044, TCP-045 */
DIALOGUE(rounding_up_may_use_the_buffer_to_its_last_byte)
{
    for (uint32_t less = 0; less < 2; less++) {
        struct flue_tcp r = talk_record(t, (struct setup){.rcv_scale = 10});
        r.rcv_adv = r.rcv_nxt + 50 * 1024;
        r.consumed = r.rcv_nxt + 100 + 50 * 1024 - r.rcv_buf - less;
        talk_load(t, &r);
        peer(t, (struct says){.len = 100});
        pass_us(t, 40000);
        const struct flue_tcp_tx *tx = expect_ack(t, less ? 0 : 100);
        EXPECT_EQ(tx->wnd, 50);
    }
}

/* TCP-043 */
DIALOGUE(what_cannot_be_placed_is_dropped_counted_and_acknowledged)
{
    talk_open(t, (struct setup){0});
    t->by_hand = true;
    for (uint32_t i = 0; i < 63; i++) {
        peer(t, (struct says){.seq = i, .len = 1});
        expect_place(t, i, 1);
    }
    peer(t, (struct says){.seq = 63, .len = 1, .flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
    expect_reason(t, FLUE_TCP_R_NO_INTERVAL);
    expect_drop(t);
    EXPECT(!t->r.fin_valid && t->r.ack_now);
    t->by_hand = false;
    settle(t);
    expect_ack(t, 63);
    expect_silence(t);
}

/* TCP-046 */
DIALOGUE(a_closed_window_opens_by_exactly_a_segment)
{
    for (uint32_t read = 999; read <= 1000; read++) {
        talk_open(t, (struct setup){0});
        for (uint32_t i = 0; i < 62; i++)
            peer(t, (struct says){.seq = 1000 * i, .len = 1000});
        forget_out(t);
        app_reads(t, read);
        if (read == 1000)
            EXPECT_EQ(expect_ack(t, 62000)->wnd, 1000);
        expect_silence(t);
        app_reads(t, 2500); /* the peer has a segment's room: no news yet */
        EXPECT_EQ(next_out(t) != 0, read == 999);
    }
}

/* TCP-023 */
DIALOGUE(a_fin_right_at_the_edge_is_outside)
{
    for (uint32_t at = 61999; at <= 62000; at++) {
        struct flue_tcp r = talk_record(t, (struct setup){0});
        r.rcv_adv = r.rcv_nxt + 62000; /* no room to announce more meanwhile */
        r.consumed = r.rcv_nxt - 2000;
        talk_load(t, &r);
        t->by_hand = true;
        peer(t, (struct says){.seq = at - 100, .len = 100, .flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
        expect_place(t, at - 100, 100);
        EXPECT_EQ(t->r.fin_valid, at == 61999);
    }
}
