/* Selective acknowledgement, both directions. */
#include "dialogue.h"

const char dialogues_sack;

#define BLOCKS(...) ((const uint32_t[][2]){__VA_ARGS__})

/* TCP-070 */
DIALOGUE(without_agreement_no_sack_block_is_sent_nor_believed)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.seq = 1000, .len = 100});
    expect_blocks(t, expect_ack(t, 0), 0, 0);
    app_writes(t, 5000);
    peer(t, (struct says){.seq = 0, .ack = 0, .blocks = 1, .block = {{1000, 2000}}});
    EXPECT_EQ(t->r.sacked_count, 0);
}

/* TCP-071, TCP-072 */
DIALOGUE(every_segment_that_leaves_reports_what_is_held)
{
    talk_open(t, (struct setup){.sack = true});
    peer(t, (struct says){.seq = 1000, .len = 100});
    expect_blocks(t, expect_ack(t, 0), 1, BLOCKS({1000, 1100}));
    app_writes(t, 100);
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->kind == FLUE_TCP_TX_DATA);
    if (tx)
        expect_blocks(t, tx, 1, BLOCKS({1000, 1100}));
    peer(t, (struct says){.seq = 0, .len = 500});
    expect_blocks(t, expect_ack(t, 500), 1, BLOCKS({1000, 1100}));
}

/* TCP-072, TCP-073, TCP-075 */
DIALOGUE(the_newest_range_comes_first_three_beside_timestamps)
{
    for (unsigned ts = 0; ts < 2; ts++) {
        talk_open(t, (struct setup){.sack = true, .ts = ts});
        for (uint32_t i = 1; i <= 4; i++)
            peer(t, (struct says){.seq = 2000 * i, .len = 100});
        for (unsigned i = 0; i < 3; i++)
            next_out(t);
        expect_blocks(t, expect_ack(t, 0), ts ? 3 : 4, BLOCKS({8000, 8100}, {6000, 6100}, {4000, 4100}, {2000, 2100}));
        peer(t, (struct says){.seq = 4100, .len = 100});
        expect_blocks(t, expect_ack(t, 0), ts ? 3 : 4, BLOCKS({4000, 4200}, {8000, 8100}, {6000, 6100}, {2000, 2100}));
    }
}

/* TCP-073 */
DIALOGUE(ranges_that_touch_become_one)
{
    talk_open(t, (struct setup){.sack = true});
    peer(t, (struct says){.seq = 1000, .len = 100});
    peer(t, (struct says){.seq = 1200, .len = 100});
    forget_out(t);
    peer(t, (struct says){.seq = 1100, .len = 100});
    expect_blocks(t, expect_ack(t, 0), 1, BLOCKS({1000, 1300}));
}

/* TCP-076 */
DIALOGUE(a_duplicate_below_the_next_byte_is_reported_once_alone)
{
    talk_open(t, (struct setup){.sack = true});
    peer(t, (struct says){.len = 500});
    peer(t, (struct says){.len = 500});
    forget_out(t);
    peer(t, (struct says){.seq = 100, .len = 200});
    expect_blocks(t, expect_ack(t, 500), 1, BLOCKS({100, 300}));
    peer(t, (struct says){.seq = 1000, .len = 100});
    expect_blocks(t, expect_ack(t, 500), 1, BLOCKS({1000, 1100}));
}

/* TCP-076 */
DIALOGUE(a_duplicate_above_a_gap_is_followed_by_its_range)
{
    talk_open(t, (struct setup){.sack = true});
    peer(t, (struct says){.seq = 1000, .len = 500});
    peer(t, (struct says){.seq = 3000, .len = 500});
    forget_out(t);
    peer(t, (struct says){.seq = 1100, .len = 200});
    expect_reason(t, FLUE_TCP_R_OLD);
    expect_blocks(t, expect_ack(t, 0), 3, BLOCKS({1100, 1300}, {1000, 1500}, {3000, 3500}));
    peer(t, (struct says){.seq = 3400, .len = 200}); /* part of it is new */
    expect_blocks(t, expect_ack(t, 0), 3, BLOCKS({3400, 3500}, {3000, 3600}, {1000, 1500}));
}

/* TCP-076 */
DIALOGUE(the_part_of_a_segment_that_was_had_is_reported)
{
    talk_open(t, (struct setup){.sack = true});
    peer(t, (struct says){.len = 500});
    forget_out(t);
    peer(t, (struct says){.seq = 300, .len = 500});
    expect_place(t, 500, 300);
    expect_blocks(t, expect_ack(t, 800), 1, BLOCKS({300, 500}));
}

/* TCP-080 */
DIALOGUE(sacked_bytes_stay_in_the_send_ring)
{
    talk_open(t, (struct setup){.sack = true});
    app_writes(t, 10000);
    peer(t, (struct says){.ack = 1000, .blocks = 1, .block = {{2000, 10000}}});
    EXPECT_EQ(t->told.snd_free, t->iss + 1000);
    EXPECT_EQ(t->r.snd_una, t->iss + 1000);
}

/* TCP-081 */
DIALOGUE(impossible_blocks_mark_nothing)
{
    static const uint32_t BAD[][2] = {
        {2000, 2000},       {3000, 2000}, {5000, 10001}, {0, 1000}, {0u - 1000, 2000}, {10000, 11000}, {0x80000000, 0x80001000},
        {2000, 0x80000000}, {1000, 2000}};
    for (unsigned i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        talk_open(t, (struct setup){.sack = true});
        app_writes(t, 10000);
        peer(t, (struct says){.ack = 1000, .blocks = 1, .block = {{BAD[i][0], BAD[i][1]}}});
        EXPECT_EQ(t->r.sacked_count, 0);
        EXPECT_EQ(t->r.dup_acks, 0);
    }
}

/* TCP-083 */
DIALOGUE(a_ninth_range_costs_the_highest)
{
    talk_open(t, (struct setup){.sack = true, .cwnd = 40});
    app_writes(t, 40000);
    for (uint32_t i = 0; i < 8; i++)
        peer(t, (struct says){.blocks = 1, .block = {{2000 + 4000 * i, 2100 + 4000 * i}}});
    EXPECT_EQ(t->r.sacked_count, 8);
    peer(t, (struct says){.blocks = 1, .block = {{1000, 1100}}});
    EXPECT_EQ(t->r.sacked_count, 8);
    EXPECT_EQ(t->r.sacked[0].left, t->iss + 1000);
    EXPECT_EQ(t->r.sacked[7].left, t->iss + 26000);
    peer(t, (struct says){.blocks = 1, .block = {{39000, 39100}}});
    EXPECT_EQ(t->r.sacked[7].left, t->iss + 26000);
}

/* TCP-081, TCP-083 */
DIALOGUE(ranges_merge_whatever_the_order_of_blocks)
{
    talk_open(t, (struct setup){.sack = true, .cwnd = 40});
    app_writes(t, 40000);
    peer(t, (struct says){.blocks = 4, .block = {{8000, 9000}, {2000, 3000}, {6000, 7000}, {4000, 5000}}});
    EXPECT_EQ(t->r.sacked_count, 4);
    peer(t, (struct says){.blocks = 2, .block = {{3000, 4000}, {6500, 8500}}});
    EXPECT_EQ(t->r.sacked_count, 2);
    EXPECT_EQ(t->r.sacked[0].left, t->iss + 2000);
    EXPECT_EQ(t->r.sacked[0].right, t->iss + 5000);
    EXPECT_EQ(t->r.sacked[1].left, t->iss + 6000);
    EXPECT_EQ(t->r.sacked[1].right, t->iss + 9000);
}
