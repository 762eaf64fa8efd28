/* Load, start, freeze. */
#include "dialogue.h"

const char dialogues_hand_over;

/* HND-001 */
DIALOGUE(loading_sends_nothing_and_start_sends_one_ack)
{
    talk_open(t, (struct setup){0});
    settle(t);
    expect_silence(t);
    command(t, FLUE_TCP_START);
    expect_ack(t, 0);
    expect_silence(t);
}

/* HND-001, HND-002 */
DIALOGUE(a_freeze_sends_the_owed_ack_and_then_nothing)
{
    talk_open(t, (struct setup){0});
    app_writes(t, 30000);
    forget_out(t);
    t->by_hand = true;
    peer(t, (struct says){.len = 100, .ack = 5000});
    command(t, FLUE_TCP_FREEZE);
    EXPECT_EQ(t->r.mode, FLUE_TCP_FREEZING);
    expect_silence(t);
    peer(t, (struct says){.seq = 100, .len = 100});
    EXPECT_EQ(t->a.verdict, FLUE_TCP_DIVERT);
    expect_reason(t, FLUE_TCP_R_FROZEN);
    turn(t, 16384);
    expect_reason(t, FLUE_TCP_R_IDLE_TURN);
    placed(t, true);
    expect_ack(t, 100);
    EXPECT_EQ(t->r.mode, FLUE_TCP_FREEZING);
    sent(t, false);
    EXPECT_EQ(t->r.mode, FLUE_TCP_FROZEN);
    EXPECT_EQ(t->notes[FLUE_TCP_FROZE], 1);
    t->by_hand = false;
    struct flue_tcp snapshot = t->r;
    peer(t, (struct says){.seq = 100, .len = 100});
    EXPECT_EQ(t->a.verdict, FLUE_TCP_DIVERT);
    t->now_us += 100000000;
    timer(t);
    app_writes(t, 100);
    expect_silence(t);
    EXPECT_EQ(t->r.snd_max, snapshot.snd_max);
    EXPECT_EQ(t->r.send_limit, snapshot.send_limit);
    EXPECT_EQ(t->r.rcv_nxt, t->irs + 100);
}

/* HND-001 */
DIALOGUE(a_freeze_waits_for_every_turn)
{
    talk_open(t, (struct setup){.cwnd = 40});
    t->by_hand = true;
    app_writes(t, 30000);
    turn(t, 16384);
    turn(t, 16384);
    command(t, FLUE_TCP_FREEZE);
    sent(t, true);
    EXPECT_EQ(t->r.mode, FLUE_TCP_FREEZING);
    sent(t, true);
    EXPECT_EQ(t->r.mode, FLUE_TCP_FROZEN);
    EXPECT_EQ(t->told.snd_free, t->iss);
}

/* HND-005 */
DIALOGUE(a_connection_is_loaded_with_a_closed_window_and_an_unacknowledged_fin)
{
    struct flue_tcp r = talk_record(t, (struct setup){.closed_wnd = true});
    r.send_limit = r.snd_una + 1000;
    talk_load(t, &r);
    settle(t);
    expect_silence(t);
    EXPECT(t->r.persisting);
    pass_us(t, 200000);
    EXPECT(next_out(t));

    r = talk_record(t, (struct setup){0});
    r.state = FLUE_TCP_FIN_WAIT1;
    r.fin_marked = r.fin_sent = 1;
    r.snd_max++;
    talk_load(t, &r);
    pass_us(t, 200000);
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->fin && tx->resend && tx->seq == t->iss && tx->len == 0);
    peer(t, (struct says){.ack = 1});
    EXPECT_EQ(t->r.state, FLUE_TCP_FIN_WAIT2);
}

/* A failed read is an error of the connection. */
DIALOGUE(a_send_that_could_not_be_read_stops_the_connection)
{
    talk_open(t, (struct setup){0});
    t->by_hand = true;
    app_writes(t, 1000);
    turn(t, 16384);
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_SENT};
    e.sent.turn = e.sent.failed = true;
    struct flue_tcp_actions a;
    t->subject->step(t->subject->self, t->row, t->now_us, &e, &a);
    EXPECT_EQ(a.reason, FLUE_TCP_R_READ_FAILED);
    EXPECT(a.notes == 2 && a.note[0] == FLUE_TCP_UPLOAD_HARDWARE && a.note[1] == FLUE_TCP_FROZE);
}

/* A doorbell is checked against the record: the host can stop its own connection, no more. */
DIALOGUE(a_doorbell_that_contradicts_the_record_is_refused_and_told)
{
    static const int32_t WRONG[][2] = {{1000001, 0}, {-1, 0}, {0, 1}, {0, -1}};
    for (unsigned i = 0; i < 4; i++) {
        talk_open(t, (struct setup){0});
        t->by_hand = true;
        struct flue_tcp_event e = {.kind = FLUE_TCP_EV_DOORBELL};
        struct flue_tcp before = t->r;
        e.doorbell.send_limit = t->iss + (uint32_t)WRONG[i][0];
        e.doorbell.consumed = t->irs + (uint32_t)WRONG[i][1];
        t->subject->step(t->subject->self, t->row, t->now_us, &e, &t->a);
        expect_reason(t, FLUE_TCP_R_REFUSED);
        EXPECT(t->a.has_tell && t->a.tell.refused);
        t->subject->read(t->subject->self, t->row, &t->r);
        EXPECT_EQ(t->r.send_limit, before.send_limit);
        EXPECT_EQ(t->r.consumed, before.consumed);
    }
}

/* Commands that do not fit are refused. */
DIALOGUE(commands_are_refused_in_the_wrong_mode)
{
    talk_open(t, (struct setup){0});
    command(t, FLUE_TCP_LOAD);
    expect_reason(t, FLUE_TCP_R_REFUSED);
    command(t, FLUE_TCP_FREEZE);
    EXPECT_EQ(t->r.mode, FLUE_TCP_FROZEN);
    static const enum flue_tcp_command WRONG[] = {FLUE_TCP_LOAD, FLUE_TCP_START, FLUE_TCP_FREEZE, FLUE_TCP_ABORT};
    for (unsigned i = 0; i < 4; i++) {
        command(t, WRONG[i]);
        expect_reason(t, FLUE_TCP_R_REFUSED);
        EXPECT_EQ(t->r.mode, FLUE_TCP_FROZEN);
    }
    command(t, FLUE_TCP_CLEAR);
    EXPECT_EQ(t->r.mode, FLUE_TCP_EMPTY);
    expect_silence(t);
}
