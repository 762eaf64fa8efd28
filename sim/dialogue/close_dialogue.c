/* Closing: FINs in every order, ends told once. */
#include "dialogue.h"

const char dialogues_close;

enum { FIN = FLUE_TCP_ACK | FLUE_TCP_FIN };

/* TCP-200 */
DIALOGUE(a_close_sends_fin_after_the_last_byte_and_repeats_it)
{
    talk_open(t, (struct setup){.cwnd = 2});
    app_writes(t, 2500);
    app_closes(t);
    expect_data(t, 0, 2000);
    peer(t, (struct says){.ack = 2000});
    expect_fin(t, 2000, 500);
    EXPECT_EQ(t->r.state, FLUE_TCP_FIN_WAIT1);
    pass_us(t, 200000);
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->resend && tx->fin && tx->seq == t->iss + 2000 && tx->len == 500);
    peer(t, (struct says){.ack = 2500}); /* the data, not the FIN */
    EXPECT_EQ(t->r.state, FLUE_TCP_FIN_WAIT1);
    forget_out(t);
    pass_us(t, 400000);
    tx = next_out(t);
    EXPECT(tx && tx->resend && tx->fin && tx->seq == t->iss + 2500 && tx->len == 0);
    peer(t, (struct says){.ack = 2501});
    EXPECT_EQ(t->r.state, FLUE_TCP_FIN_WAIT2);
    EXPECT(!t->r.rto_on);
}

/* TCP-201 */
DIALOGUE(receiving_goes_on_after_our_fin)
{
    talk_open(t, (struct setup){0});
    app_closes(t);
    expect_fin(t, 0, 0);
    peer(t, (struct says){.len = 1000});
    expect_place(t, 0, 1000);
    peer(t, (struct says){.seq = 1000, .len = 1000, .ack = 1});
    EXPECT_EQ(t->r.state, FLUE_TCP_FIN_WAIT2);
    expect_ack(t, 2000);
    peer(t, (struct says){.seq = 2000, .len = 500, .ack = 1});
    EXPECT_EQ(t->told.rcv_nxt, t->irs + 2500);
}

/* TCP-201 */
DIALOGUE(sending_goes_on_after_the_peers_fin)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.flags = FIN});
    expect_ack(t, 1);
    EXPECT_EQ(t->r.state, FLUE_TCP_CLOSE_WAIT);
    app_writes(t, 3000);
    expect_data(t, 0, 3000);
    pass_us(t, 200000);
    expect_again(t, 0, 1000);
    peer(t, (struct says){.seq = 1, .ack = 3000});
    app_closes(t);
    expect_fin(t, 3000, 0);
    EXPECT_EQ(t->r.state, FLUE_TCP_LAST_ACK);
    peer(t, (struct says){.seq = 1, .ack = 3001});
    EXPECT_EQ(t->r.state, FLUE_TCP_CLOSED);
    EXPECT_EQ(t->ended[FLUE_TCP_END_CLOSED], 1);
    EXPECT_EQ(t->ended[FLUE_TCP_END_FIN], 1);
    EXPECT_EQ(t->notes[FLUE_TCP_UPLOAD_CLOSED], 1);
}

/* TCP-202, TCP-204, TCP-212: every order of our FIN (o), the peer's FIN (p), the ACK of ours (a), both at once (b) */
DIALOGUE(every_order_of_fins_goes_through_the_states_of_the_rfc)
{
    static const struct {
        const char *order;
        enum flue_tcp_state state[3];
    } ORDERS[] = {
        {"oap", {FLUE_TCP_FIN_WAIT1, FLUE_TCP_FIN_WAIT2, FLUE_TCP_TIME_WAIT}},
        {"opa", {FLUE_TCP_FIN_WAIT1, FLUE_TCP_CLOSING, FLUE_TCP_TIME_WAIT}},
        {"ob", {FLUE_TCP_FIN_WAIT1, FLUE_TCP_TIME_WAIT}},
        {"poa", {FLUE_TCP_CLOSE_WAIT, FLUE_TCP_LAST_ACK, FLUE_TCP_CLOSED}},
    };
    for (unsigned i = 0; i < 4; i++) {
        talk_open(t, (struct setup){0});
        uint32_t seq = 0, ack = 0;
        for (unsigned k = 0; ORDERS[i].order[k]; k++) {
            char what = ORDERS[i].order[k];
            forget_out(t);
            if (what == 'o') {
                app_closes(t);
                expect_fin(t, 0, 0);
            } else {
                ack |= what != 'p';
                bool fin = what != 'a';
                peer(t, (struct says){.seq = seq, .ack = ack, .flags = fin ? FIN : FLUE_TCP_ACK});
                seq |= fin;
                if (fin)
                    expect_ack(t, 1);
            }
            EXPECT_EQ(t->r.state, ORDERS[i].state[k]);
        }
        EXPECT_EQ(t->ended[FLUE_TCP_END_FIN], 1);
        EXPECT_EQ(t->notes[FLUE_TCP_UPLOAD_CLOSED], 1);
        forget_out(t);
        pass_us(t, 300000000);
        expect_silence(t);
        EXPECT(!t->r.rto_on && !t->r.delack_on);
    }
}

/* TCP-204 */
DIALOGUE(in_time_wait_segments_go_to_the_host_with_what_it_needs)
{
    talk_open(t, (struct setup){0});
    app_closes(t);
    peer(t, (struct says){.ack = 1, .flags = FIN});
    forget_out(t);
    peer(t, (struct says){.ack = 1, .flags = FIN}); /* again */
    EXPECT_EQ(t->a.verdict, FLUE_TCP_DIVERT);
    expect_reason(t, FLUE_TCP_R_CLOSED);
    expect_silence(t);
    command(t, FLUE_TCP_FREEZE);
    EXPECT_EQ(t->r.mode, FLUE_TCP_FROZEN);
    EXPECT_EQ(t->r.rcv_nxt, t->irs + 1);
    EXPECT_EQ(t->r.snd_max, t->iss + 1);
}

/* TCP-205 */
DIALOGUE(after_the_fins_a_reset_beside_the_next_byte_changes_nothing)
{
    talk_open(t, (struct setup){0});
    app_closes(t);
    peer(t, (struct says){.flags = FIN});
    EXPECT_EQ(t->r.state, FLUE_TCP_CLOSING);
    forget_out(t);
    peer(t, (struct says){.seq = 2, .flags = FLUE_TCP_RST});
    EXPECT_EQ(t->r.state, FLUE_TCP_CLOSING);
    expect_ack(t, 1);
}

/* TCP-206, TCP-208, TCP-212, TCP-213 */
DIALOGUE(an_abort_sends_one_reset_and_nothing_after_it)
{
    talk_open(t, (struct setup){0});
    app_writes(t, 30000);
    forget_out(t);
    command(t, FLUE_TCP_ABORT);
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->kind == FLUE_TCP_TX_RST && tx->seq == t->iss + 10000 && tx->len == 0);
    expect_silence(t);
    EXPECT_EQ(t->ended[FLUE_TCP_END_ABORTED], 1);
    peer(t, (struct says){.ack = 10000});
    peer(t, (struct says){.flags = FLUE_TCP_RST});
    command(t, FLUE_TCP_ABORT);
    expect_reason(t, FLUE_TCP_R_REFUSED);
    pass_us(t, 10000000);
    expect_silence(t);
    EXPECT_EQ(t->ended[FLUE_TCP_END_ABORTED] + t->ended[FLUE_TCP_END_RESET], 1);
}

/* TCP-208 */
DIALOGUE(nothing_is_sent_for_an_empty_row)
{
    talk_open(t, (struct setup){0});
    command(t, FLUE_TCP_CLEAR);
    peer(t, (struct says){.len = 100});
    EXPECT_EQ(t->a.verdict, FLUE_TCP_DIVERT);
    expect_reason(t, FLUE_TCP_R_CLOSED);
    peer(t, (struct says){.flags = FLUE_TCP_SYN});
    peer(t, (struct says){.flags = FLUE_TCP_RST});
    timer(t);
    turn(t, 16384);
    expect_silence(t);
}

/* TCP-200, TCP-048 */
DIALOGUE(a_fin_leaves_with_the_last_bytes_when_both_fit)
{
    talk_open(t, (struct setup){.wnd = 1500});
    t->by_hand = true;
    app_writes(t, 1500);
    app_closes(t);
    t->by_hand = false;
    settle(t);
    expect_data(t, 0, 1500); /* the window has no number left for the FIN */
    expect_silence(t);
    peer(t, (struct says){.ack = 1500, .wnd = 1500});
    expect_fin(t, 1500, 0);
}

/* TCP-206, TCP-208 */
DIALOGUE(an_abort_after_the_end_is_refused)
{
    talk_open(t, (struct setup){0});
    app_closes(t);
    peer(t, (struct says){.ack = 1, .flags = FIN});
    EXPECT_EQ(t->r.state, FLUE_TCP_TIME_WAIT);
    forget_out(t);
    command(t, FLUE_TCP_ABORT);
    expect_reason(t, FLUE_TCP_R_REFUSED);
    expect_silence(t);
    EXPECT_EQ(t->r.state, FLUE_TCP_TIME_WAIT);
}

/* TCP-206 */
DIALOGUE(an_abort_waits_for_room_like_an_ack)
{
    talk_open(t, (struct setup){0});
    t->by_hand = true;
    for (uint32_t i = 0; i < 7; i++)
        peer(t, (struct says){.seq = 0u - 1, .len = 1});
    EXPECT_EQ(t->r.acks, 7);
    command(t, FLUE_TCP_ABORT);
    expect_reason(t, FLUE_TCP_R_REFUSED);
    forget_out(t);
    sent(t, false);
    command(t, FLUE_TCP_ABORT);
    expect_reason(t, FLUE_TCP_R_COMMAND);
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->kind == FLUE_TCP_TX_RST);
}
