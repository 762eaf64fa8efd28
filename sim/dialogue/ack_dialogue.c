/* When acknowledgements leave. */
#include "dialogue.h"

const char dialogues_ack;

/* TCP-060 */
DIALOGUE(an_ack_is_delayed_by_40_ms)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.len = 100});
    pass_us(t, 39999);
    expect_silence(t);
    pass_us(t, 1);
    expect_ack(t, 100);
    pass_us(t, 1000000);
    expect_silence(t);
}

/* TCP-060, TCP-064 */
DIALOGUE(the_second_full_segment_is_acknowledged_at_once)
{
    talk_open(t, (struct setup){0});
    for (uint32_t i = 0; i < 10; i++) {
        peer(t, (struct says){.seq = 1000 * i, .len = 1000});
        if (i & 1)
            expect_ack(t, 1000 * i + 1000);
        expect_silence(t);
    }
}

/* TCP-060 */
DIALOGUE(an_ack_rides_on_data_that_leaves_earlier)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.len = 100});
    pass_us(t, 10000);
    app_writes(t, 500);
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->kind == FLUE_TCP_TX_DATA && tx->ack == t->irs + 100);
    peer(t, (struct says){.seq = 100, .ack = 500});
    pass_us(t, 1000000);
    expect_silence(t);
}

/* TCP-060: data that leaves before the bytes are stored does not settle what is owed for them */
DIALOGUE(bytes_stored_after_a_turn_left_are_still_acknowledged)
{
    talk_open(t, (struct setup){0});
    t->by_hand = true;
    peer(t, (struct says){.len = 100});
    app_writes(t, 500);
    turn(t, 16384);
    const struct flue_tcp_tx *tx = next_out(t);
    EXPECT(tx && tx->kind == FLUE_TCP_TX_DATA && tx->ack == t->irs);
    placed(t, true);
    t->by_hand = false;
    peer(t, (struct says){.seq = 100, .ack = 500});
    pass_us(t, 40000);
    expect_ack(t, 100);
    expect_silence(t);
}

/* TCP-061 */
DIALOGUE(gaps_duplicates_and_fins_are_acknowledged_at_once)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.seq = 1000, .len = 100});
    expect_ack(t, 0); /* above a gap */
    peer(t, (struct says){.seq = 500, .len = 100});
    expect_ack(t, 0);
    peer(t, (struct says){.seq = 0, .len = 100});
    expect_ack(t, 100); /* part of a gap */
    peer(t, (struct says){.seq = 0, .len = 100});
    expect_ack(t, 100); /* had */
    peer(t, (struct says){.seq = 1000, .len = 50});
    expect_ack(t, 100); /* had, above the gap */
    peer(t, (struct says){.seq = 100, .len = 400});
    expect_ack(t, 600);
    peer(t, (struct says){.seq = 600, .len = 400});
    expect_ack(t, 1100);
    peer(t, (struct says){.seq = 1100, .flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
    expect_ack(t, 1101);
    expect_silence(t);
}

/* TCP-061 */
DIALOGUE(a_lone_fin_above_a_gap_is_acknowledged_at_once)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.seq = 1000, .flags = FLUE_TCP_ACK | FLUE_TCP_FIN});
    expect_ack(t, 0);
    expect_silence(t);
}

/* TCP-064 */
DIALOGUE(segments_of_one_batch_get_one_ack)
{
    talk_open(t, (struct setup){0});
    t->by_hand = true;
    for (uint32_t i = 0; i < 3; i++)
        peer(t, (struct says){.seq = 1000 * i, .len = 1000});
    placed(t, true);
    t->by_hand = false;
    settle(t);
    unsigned acks = 0;
    for (const struct flue_tcp_tx *tx; (tx = next_out(t)) != 0; acks++)
        EXPECT(tx->ack - t->irs == 3000 || tx->ack - t->irs == 2000);
    EXPECT(acks >= 1 && acks <= 2);
}

/* TCP-066 */
DIALOGUE(an_acceptable_segment_without_bytes_never_causes_an_ack)
{
    talk_open(t, (struct setup){.sack = true});
    app_writes(t, 5000);
    forget_out(t);
    for (uint32_t i = 0; i < 20; i++)
        peer(t,
             (struct says){.seq = i * 100, .ack = i * 250, .wnd = 1000 * (i % 7) + 1000, .blocks = 1, .block = {{4900, 5000}}});
    for (const struct flue_tcp_tx *tx; (tx = next_out(t)) != 0;)
        EXPECT(tx->kind == FLUE_TCP_TX_DATA);
}

/* TCP-060, TCP-131 */
DIALOGUE(with_seven_acks_in_flight_the_eighth_leaves_when_one_is_back)
{
    talk_open(t, (struct setup){0});
    t->by_hand = true;
    for (uint32_t i = 0; i < 8; i++) {
        peer(t, (struct says){.seq = 1000 + 100 * i, .len = 100}); /* above a gap: each at once */
        placed(t, true);
    }
    for (unsigned i = 0; i < 7; i++)
        expect_ack(t, 0);
    expect_silence(t);
    sent(t, false);
    expect_ack(t, 0);
    expect_silence(t);
}

/* TCP-060 */
DIALOGUE(full_sized_is_what_the_peer_has_shown_to_send)
{
    talk_open(t, (struct setup){0});
    peer(t, (struct says){.len = 3000});
    expect_silence(t); /* the first of its size */
    peer(t, (struct says){.seq = 3000, .len = 3000});
    expect_ack(t, 6000);
}
