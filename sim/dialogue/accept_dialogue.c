/* What becomes of a segment: window, resets, SYN, blind attacks. */
#include "dialogue.h"

const char dialogues_accept;

/* TCP-020, TCP-021 */
DIALOGUE(a_segment_outside_the_window_gets_one_ack_and_changes_nothing)
{
    talk_open(t, (struct setup){0});
    struct flue_tcp before = t->r;
    peer(t, (struct says){.seq = 62000, .len = 100, .ack = 0, .wnd = 5000});
    expect_reason(t, FLUE_TCP_R_OUTSIDE);
    expect_drop(t);
    const struct flue_tcp_tx *tx = expect_ack(t, 0);
    EXPECT_EQ(tx->seq, t->iss);
    expect_silence(t);
    EXPECT_EQ(t->r.rcv_nxt, before.rcv_nxt);
    EXPECT_EQ(t->r.snd_wnd, before.snd_wnd);
    EXPECT_EQ(t->r.snd_una, before.snd_una);
    EXPECT_EQ(t->r.held_count, 0);
}

/* TCP-020 */
DIALOGUE(the_four_cases_of_the_window_test)
{
    static const struct {
        uint32_t seq, len;
        bool good;
    } OPEN[] = {{0, 0, true},      {61999, 0, true},   {62000, 0, false}, {0u - 1, 0, false}, {61999, 1, true},
                {62000, 1, false}, {0u - 5, 5, false}, {0u - 5, 6, true}, {0u - 1, 2, true},  {0u - 1000, 65000, true}};
    for (unsigned i = 0; i < sizeof OPEN / sizeof OPEN[0]; i++) {
        talk_open(t, (struct setup){0});
        peer(t, (struct says){.seq = OPEN[i].seq, .len = OPEN[i].len});
        bool taken = t->a.reason == FLUE_TCP_R_ACCEPTED || t->a.reason == FLUE_TCP_R_OUT_OF_ORDER;
        EXPECT_EQ(taken, OPEN[i].good);
    }
    for (uint32_t seq = 0u - 1; seq != 2; seq++) { /* a closed window: nothing but an empty segment at its edge */
        struct flue_tcp r = talk_record(t, (struct setup){0});
        r.rcv_adv = r.rcv_nxt;
        r.consumed = r.rcv_nxt - r.rcv_buf;
        talk_load(t, &r);
        peer(t, (struct says){.seq = seq});
        EXPECT_EQ(t->a.reason == FLUE_TCP_R_ACCEPTED, seq == 0);
    }
}

static void close_our_window(struct talk *t, struct setup setup)
{
    struct flue_tcp r = talk_record(t, setup);
    r.rcv_adv = r.rcv_nxt;
    r.consumed = r.rcv_nxt - r.rcv_buf;
    talk_load(t, &r);
}

/* TCP-022, TCP-057 */
DIALOGUE(with_a_closed_window_ack_and_window_are_taken_but_no_byte)
{
    close_our_window(t, (struct setup){0});
    app_writes(t, 1000);
    expect_data(t, 0, 1000);
    peer(t, (struct says){.seq = 0, .len = 1, .ack = 1000, .wnd = 7000});
    expect_reason(t, FLUE_TCP_R_OUTSIDE);
    EXPECT_EQ(t->r.snd_una, t->iss + 1000);
    EXPECT_EQ(t->r.snd_wnd, 7000);
    EXPECT_EQ(t->r.rcv_nxt, t->irs);
    const struct flue_tcp_tx *tx = expect_ack(t, 0);
    EXPECT_EQ(tx->wnd, 0);
    expect_silence(t);
}

/* TCP-022 */
DIALOGUE(with_a_closed_window_reset_and_urgent_are_taken)
{
    close_our_window(t, (struct setup){0});
    peer(t, (struct says){.flags = FLUE_TCP_ACK | FLUE_TCP_URG});
    expect_reason(t, FLUE_TCP_R_URGENT);
    peer(t, (struct says){.flags = FLUE_TCP_RST});
    expect_reason(t, FLUE_TCP_R_RST);
    EXPECT_EQ(t->r.state, FLUE_TCP_CLOSED);
}

/* TCP-023, TCP-024 */
DIALOGUE(a_segment_that_straddles_an_edge_is_trimmed)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.len = 500});
    forget_out(t);
    peer(t, (struct says){.seq = 400, .len = 300});
    expect_place(t, 500, 200);
    EXPECT_EQ(t->a.place.skip, 100);
    EXPECT_EQ(t->r.rcv_nxt, t->irs + 700);
    peer(t, (struct says){.seq = 61900, .len = 500, .flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
    expect_place(t, 61900, t->edge - t->irs - 61900);
    EXPECT(!t->r.fin_valid);
    EXPECT_EQ(t->r.state, FLUE_TCP_ESTABLISHED);
}

/* TCP-025, TCP-208 */
DIALOGUE(a_reset_outside_the_window_is_dropped_without_answer)
{
    talk_open(t, (struct setup){0});
    for (unsigned i = 0; i < 3; i++) {
        peer(t, (struct says){.seq = i == 0 ? 0u - 1 : i == 1 ? 62000 : 0x40000000, .flags = FLUE_TCP_RST});
        expect_reason(t, FLUE_TCP_R_RST_OUTSIDE);
        expect_silence(t);
        EXPECT_EQ(t->r.state, FLUE_TCP_ESTABLISHED);
    }
}

/* TCP-026, TCP-208, TCP-212 */
DIALOGUE(a_reset_at_the_next_byte_ends_the_connection_in_silence)
{
    talk_open(t, (struct setup){0});
    app_writes(t, 1000);
    forget_out(t);
    peer(t, (struct says){.flags = FLUE_TCP_RST});
    expect_reason(t, FLUE_TCP_R_RST);
    EXPECT_EQ(t->r.state, FLUE_TCP_CLOSED);
    EXPECT_EQ(t->ended[FLUE_TCP_END_RESET], 1);
    EXPECT_EQ(t->notes[FLUE_TCP_UPLOAD_CLOSED], 1);
    pass_us(t, 10000000);
    peer(t, (struct says){.len = 100});
    EXPECT_EQ(t->a.verdict, FLUE_TCP_DIVERT);
    expect_silence(t);
    EXPECT_EQ(t->ended[FLUE_TCP_END_RESET], 1);
}

/* TCP-027 */
DIALOGUE(a_reset_inside_the_window_gets_a_challenge)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.seq = 1, .flags = FLUE_TCP_RST});
    expect_reason(t, FLUE_TCP_R_RST_CHALLENGE);
    expect_ack(t, 0);
    expect_silence(t);
    EXPECT_EQ(t->r.state, FLUE_TCP_ESTABLISHED);
}

/* TCP-028, TCP-032 */
DIALOGUE(a_syn_gets_a_challenge_wherever_it_is)
{
    static const uint32_t SEQ[] = {0, 1, 0u - 1, 62000, 0x60000000};
    for (unsigned i = 0; i < 5; i++) {
        talk_open(t, (struct setup){0});
        peer(t, (struct says){.seq = SEQ[i], .len = i & 1 ? 10 : 0, .flags = FLUE_TCP_SYN | (i & 2 ? FLUE_TCP_ACK : 0)});
        expect_reason(t, FLUE_TCP_R_SYN);
        expect_drop(t);
        expect_ack(t, 0);
        EXPECT_EQ(t->r.state, FLUE_TCP_ESTABLISHED);
        peer(t, (struct says){.seq = SEQ[i], .len = 10, .flags = FLUE_TCP_SYN});
        expect_silence(t);
    }
}

/* TCP-029, TCP-030, TCP-176 */
DIALOGUE(only_ack_numbers_between_old_window_and_newest_byte_are_usable)
{
    static const struct {
        uint32_t ack;
        bool good;
    } ACK[] = {{3000, true}, {3001, false}, {1000, true}, {0u - 60000, true}, {0u - 60001, false}, {0x70000000, false}};
    for (unsigned i = 0; i < 6; i++) {
        talk_open(t, (struct setup){.ts = true});
        app_writes(t, 3000);
        forget_out(t);
        struct flue_tcp before = t->r;
        peer(t, (struct says){.len = 100, .ack = ACK[i].ack, .wnd = 1234, .ts_val = 5000});
        EXPECT_EQ(t->a.verdict, ACK[i].good ? FLUE_TCP_PLACE : FLUE_TCP_DROP);
        if (ACK[i].good)
            continue;
        expect_reason(t, FLUE_TCP_R_ACK_RANGE);
        expect_ack(t, 0);
        EXPECT_EQ(t->r.snd_una, before.snd_una);
        EXPECT_EQ(t->r.cwnd, before.cwnd);
        EXPECT_EQ(t->r.snd_wnd, before.snd_wnd);
        EXPECT_EQ(t->r.rto_at, before.rto_at);
        EXPECT_EQ(t->r.ts_recent, before.ts_recent);
    }
}

/* TCP-031 */
DIALOGUE(a_segment_without_ack_is_dropped)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.len = 100, .no_flags = true});
    expect_reason(t, FLUE_TCP_R_NO_ACK);
    expect_drop(t);
    expect_silence(t);
    peer(t, (struct says){.len = 100, .flags = FLUE_TCP_FIN});
    expect_reason(t, FLUE_TCP_R_NO_ACK);
    expect_silence(t);
}

/* TCP-032, TCP-033 */
DIALOGUE(limited_acks_come_once_in_500_ms)
{
    talk_open(t, (struct setup){0});
    for (unsigned round = 0; round < 3; round++) {
        peer(t, (struct says){.seq = 62000});
        expect_ack(t, 0);
        for (unsigned i = 0; i < 9; i++) {
            pass_us(t, i == 8 ? 49999 : 50000);
            peer(t, (struct says){.seq = i & 1 ? 62000 : 5, .flags = i & 1 ? 0 : FLUE_TCP_RST});
            expect_silence(t);
        }
        pass_us(t, 50001);
    }
}

/* TCP-032 */
DIALOGUE(the_limit_of_one_connection_is_not_seen_by_another)
{
    unsigned other = (t->row + 1) % t->subject->rows;
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.seq = 62000});
    expect_ack(t, 0);
    struct talk second = {.subject = t->subject, .name = t->name, .row = other, .now_us = t->now_us, .iss = 77, .irs = 88};
    talk_open(&second, (struct setup){0});
    peer(&second, (struct says){.seq = 62000});
    expect_ack(&second, 0);
    t->failures += second.failures;
}

/* TCP-034 */
DIALOGUE(a_keepalive_probe_is_answered_at_once_every_time)
{
    talk_open(t, (struct setup){0});
    for (unsigned i = 0; i < 5; i++) {
        peer(t, (struct says){.seq = 0u - 1, .len = i & 1});
        expect_reason(t, i & 1 ? FLUE_TCP_R_OLD : FLUE_TCP_R_PROBE);
        expect_ack(t, 0);
    }
    expect_silence(t);
}

/* TCP-035 */
DIALOGUE(a_window_is_taken_from_newer_segments_only)
{
    talk_open(t, (struct setup){0});
    app_writes(t, 3000);
    forget_out(t);
    peer(t, (struct says){.seq = 100, .ack = 1000, .wnd = 9000}); /* newer by sequence */
    EXPECT_EQ(t->r.snd_wnd, 9000);
    peer(t, (struct says){.seq = 50, .ack = 1000, .wnd = 5000}); /* older */
    EXPECT_EQ(t->r.snd_wnd, 9000);
    peer(t, (struct says){.seq = 100, .ack = 1000, .wnd = 8000}); /* the same again */
    EXPECT_EQ(t->r.snd_wnd, 8000);
    peer(t, (struct says){.seq = 100, .ack = 999, .wnd = 5000}); /* the same sequence, older ACK */
    EXPECT_EQ(t->r.snd_wnd, 8000);
    peer(t, (struct says){.seq = 101, .ack = 999, .wnd = 50000}); /* counts from an older ACK */
    EXPECT_EQ(t->r.snd_wnd, 8000);
}

/* TCP-035, TCP-052 */
DIALOGUE(an_older_segment_with_a_newer_ack_leaves_the_right_edge)
{
    talk_open(t, (struct setup){0});
    app_writes(t, 3000);
    forget_out(t);
    peer(t, (struct says){.seq = 1000, .len = 100, .ack = 0, .wnd = 9000});
    peer(t, (struct says){.seq = 0, .len = 100, .ack = 2000, .wnd = 60000});
    EXPECT_EQ(t->r.snd_una, t->iss + 2000);
    EXPECT_EQ(t->r.snd_una + t->r.snd_wnd, t->iss + 9000);
}

/* TCP-036 */
DIALOGUE(urgent_data_asks_for_an_upload_once_and_is_not_taken)
{
    talk_open(t, (struct setup){0});
    for (unsigned i = 0; i < 3; i++) {
        peer(t, (struct says){.len = 100, .flags = FLUE_TCP_ACK | FLUE_TCP_URG});
        expect_reason(t, FLUE_TCP_R_URGENT);
        expect_drop(t);
    }
    expect_silence(t);
    EXPECT_EQ(t->notes[FLUE_TCP_UPLOAD_URGENT], 1);
    EXPECT_EQ(t->r.rcv_nxt, t->irs);
}

/* TCP-013 */
DIALOGUE(the_largest_scaled_window_does_not_overflow)
{
    talk_open(t, (struct setup){.snd_scale = 14, .wnd = 65535u << 14, .cwnd = 2000, .snd_buf = (1 << 26) - 1});
    peer(t, (struct says){0});
    EXPECT_EQ(t->r.snd_wnd, 65535u << 14);
    app_writes(t, 50000);
    expect_data(t, 0, 16000);
    expect_data(t, 16000, 16000);
    expect_data(t, 32000, 16000);
    expect_data(t, 48000, 2000);
    expect_silence(t);
}
