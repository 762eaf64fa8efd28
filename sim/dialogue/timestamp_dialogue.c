/* Timestamps and PAWS. */
#include "dialogue.h"

const char dialogues_timestamp;

/* TCP-172, TCP-075 */
DIALOGUE(every_segment_echoes_the_stored_timestamp)
{
    talk_open(t, (struct setup){.ts = true, .sack = true});
    peer(t, (struct says){.len = 1000, .ts_val = 2000});
    app_writes(t, 100);
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->ts_ecr == 2000);
    peer(t, (struct says){.seq = 3000, .len = 100, .ack = 100, .ts_val = 2001});
    tx = expect_ack(t, 1000);
    EXPECT_EQ(tx->ts_ecr, 2000);
    EXPECT_EQ(tx->blocks, 1);
}

/* TCP-173 */
DIALOGUE(a_delayed_ack_echoes_the_earliest_segment)
{
    talk_open(t, (struct setup){.ts = true});
    peer(t, (struct says){.len = 100, .ts_val = 2000});
    peer(t, (struct says){.seq = 100, .len = 100, .ts_val = 2010}); /* after the last ACK */
    EXPECT_EQ(t->r.ts_recent, 2000);
    pass_us(t, 40000);
    const struct flue_tcp_tx *tx = expect_ack(t, 200);
    EXPECT_EQ(tx->ts_ecr, 2000);
    peer(t, (struct says){.seq = 200, .len = 100, .ts_val = 2020});
    EXPECT_EQ(t->r.ts_recent, 2020);
}

/* TCP-173 */
DIALOGUE(an_ack_across_a_gap_echoes_the_last_segment_in_order)
{
    talk_open(t, (struct setup){.ts = true});
    peer(t, (struct says){.len = 1000, .ts_val = 2000});
    peer(t, (struct says){.seq = 1000, .len = 1000, .ts_val = 2001});
    forget_out(t);
    peer(t, (struct says){.seq = 3000, .len = 100, .ts_val = 2002});
    EXPECT_EQ(expect_ack(t, 2000)->ts_ecr, 2000);
    peer(t, (struct says){.seq = 2000, .len = 1000, .ts_val = 2005}); /* the filler */
    EXPECT_EQ(expect_ack(t, 3100)->ts_ecr, 2005);
}

/* TCP-175, TCP-176 */
DIALOGUE(an_older_timestamp_is_dropped_and_acknowledged)
{
    static const uint32_t OLDER[] = {999, 1000u - 5000u, 1000u + 0x80000001u};
    for (unsigned i = 0; i < 3; i++) {
        talk_open(t, (struct setup){.ts = true});
        app_writes(t, 1000);
        forget_out(t);
        peer(t, (struct says){.len = 100, .ack = 1000, .ts_val = OLDER[i]});
        expect_reason(t, FLUE_TCP_R_PAWS);
        expect_drop(t);
        expect_ack(t, 0);
        EXPECT_EQ(t->r.ts_recent, 1000);
        EXPECT_EQ(t->r.snd_una, t->iss);
    }
    talk_open(t, (struct setup){.ts = true});
    peer(t, (struct says){.flags = FLUE_TCP_RST, .ts_val = 999}); /* exempt */
    expect_reason(t, FLUE_TCP_R_RST);
}

/* TCP-012, TCP-175 */
DIALOGUE(timestamps_are_compared_modulo_two_to_the_32)
{
    talk_open(t, (struct setup){.ts = true});
    peer(t, (struct says){.len = 100, .ts_val = 1000u + 0x7FFFFFFFu});
    EXPECT_EQ(t->r.ts_recent, 1000u + 0x7FFFFFFFu);
    pass_us(t, 40000);
    peer(t, (struct says){.seq = 100, .len = 100, .ts_val = 5});
    EXPECT_EQ(t->r.ts_recent, 5);
}

/* TCP-176 */
DIALOGUE(a_rejected_segment_never_changes_the_stored_timestamp)
{
    talk_open(t, (struct setup){.ts = true});
    app_writes(t, 1000);
    peer(t, (struct says){.seq = 62000, .len = 1, .ts_val = 5000}); /* window */
    peer(t, (struct says){.seq = 0u - 10, .len = 10, .ts_val = 5000});
    peer(t, (struct says){.len = 1, .ack = 1001, .ts_val = 5000}); /* ACK number */
    peer(t, (struct says){.len = 1, .no_flags = true, .ts_val = 5000});
    peer(t, (struct says){.flags = FLUE_TCP_SYN, .ts_val = 5000});
    peer(t, (struct says){.flags = FLUE_TCP_ACK | FLUE_TCP_URG, .ts_val = 5000});
    peer(t, (struct says){.seq = 1, .flags = FLUE_TCP_RST, .ts_val = 5000});
    EXPECT_EQ(t->r.ts_recent, 1000);
}

/* TCP-177 */
DIALOGUE(after_24_days_any_timestamp_is_accepted)
{
    const uint64_t day_us = UINT64_C(86400000000);
    talk_open(t, (struct setup){.ts = true});
    t->now_us += 23 * day_us;
    peer(t, (struct says){.len = 100, .ts_val = 500});
    expect_reason(t, FLUE_TCP_R_PAWS);
    forget_out(t);
    t->now_us += day_us + day_us / 10;
    peer(t, (struct says){.len = 100, .ts_val = 500});
    expect_reason(t, FLUE_TCP_R_ACCEPTED);
    EXPECT_EQ(t->r.ts_recent, 500);
}

/* TCP-178 */
DIALOGUE(a_segment_without_the_option_is_accepted)
{
    talk_open(t, (struct setup){.ts = true});
    peer(t, (struct says){.len = 100, .no_ts = true});
    expect_place(t, 0, 100);
    EXPECT_EQ(t->r.ts_recent, 1000);
}

/* TCP-172: the option without agreement means nothing */
DIALOGUE(timestamps_that_were_not_agreed_are_ignored)
{
    talk_open(t, (struct setup){0});
    t->setup.ts = true;
    peer(t, (struct says){.len = 100, .ts_val = 77});
    expect_place(t, 0, 100);
    EXPECT(!t->r.ts_valid);
    pass_us(t, 40000);
    EXPECT_EQ(expect_ack(t, 100)->ts_ecr, 0);
}

/* TCP-180 */
DIALOGUE(a_false_echo_never_changes_the_round_trip)
{
    talk_open(t, (struct setup){.ts = true});
    app_writes(t, 1000);
    pass_us(t, 10000);
    peer(t, (struct says){.ack = 0, .ts_ecr = 12345});
    EXPECT_EQ(t->r.srtt8, 80000);
    peer(t, (struct says){.ack = 1000, .ts_ecr = 0xFFFFFFFF});
    EXPECT_EQ(t->r.srtt8, 80000); /* 10 ms, as it was */
}

/* TCP-175 */
DIALOGUE(an_accepted_timestamp_is_the_new_measure)
{
    talk_open(t, (struct setup){.ts = true});
    peer(t, (struct says){.len = 1000, .ts_val = 2000});
    peer(t, (struct says){.seq = 1000, .len = 1000, .ts_val = 1999});
    expect_reason(t, FLUE_TCP_R_PAWS);
    peer(t, (struct says){.seq = 1000, .len = 1000, .ts_val = 2000});
    expect_reason(t, FLUE_TCP_R_ACCEPTED);
}
