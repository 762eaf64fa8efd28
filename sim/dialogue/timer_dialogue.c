/* Retransmission timer and round trip. */
#include "dialogue.h"
#include "rng.h"

const char dialogues_timer;

/* TCP-120 */
DIALOGUE(without_a_sample_the_timeout_is_one_second)
{
    talk_open(t, (struct setup){.no_rtt = true});
    app_writes(t, 1000);
    expect_data(t, 0, 1000);
    pass_us(t, 999999);
    expect_silence(t);
    pass_us(t, 1);
    expect_again(t, 0, 1000);
}

/* TCP-120, TCP-122 */
DIALOGUE(the_timeout_follows_the_loaded_round_trip_within_its_bounds)
{
    static const uint32_t RTT[][2] = {{10000, 200000}, {100000, 300000}, {400000, 1200000}, {60000000, 120000000}};
    for (unsigned i = 0; i < 4; i++) {
        talk_open(t, (struct setup){.rtt_us = RTT[i][0]}); /* variation is half of it */
        app_writes(t, 1000);
        EXPECT_EQ(t->r.rto_at - (uint32_t)t->now_us, RTT[i][1]);
    }
}

/* TCP-121 */
DIALOGUE(smoothing_stays_within_a_tick_of_the_exact_formula)
{
    struct flue_rng rng;
    double srtt = 0, rttvar = 0;
    flue_rng_init(&rng, t->seed, t->name);
    talk_open(t, (struct setup){.no_rtt = true, .cwnd = 100, .ssthresh = 2});
    for (uint32_t i = 0; i < 500; i++) {
        uint32_t rtt = 1 + flue_rng_below(&rng, i % 100 < 50 ? 180000 : 5000);
        app_writes(t, 1000);
        t->now_us += rtt;
        peer(t, (struct says){.ack = 1000 * i + 1000});
        forget_out(t);
        double r = rtt, err = r - srtt;
        if (i == 0) {
            srtt = r;
            rttvar = r / 2;
        } else {
            rttvar += ((err < 0 ? -err : err) - rttvar) / 4;
            srtt += err / 8;
        }
        double off = srtt - t->r.srtt8 / 8.0, var_off = rttvar - t->r.rttvar4 / 4.0;
        EXPECT(off < 1000 && off > -1000); /* a tick is a millisecond */
        EXPECT(var_off < 1000 && var_off > -1000);
        if (t->failures)
            return;
    }
}

/* TCP-123 */
DIALOGUE(one_segment_a_round_trip_is_timed)
{
    talk_open(t, (struct setup){.no_rtt = true});
    app_writes(t, 2000);
    EXPECT(t->r.timing);
    EXPECT_EQ(t->r.timed_seq, t->iss);
    pass_us(t, 5000);
    app_writes(t, 1000); /* the first is still timed */
    EXPECT_EQ(t->r.timed_seq, t->iss);
    pass_us(t, 5000);
    peer(t, (struct says){.ack = 1000});
    EXPECT_EQ(t->r.srtt8, 8 * 10000);
    EXPECT_EQ(t->r.rttvar4, 2 * 10000);
    EXPECT(!t->r.timing);
}

/* TCP-181, TCP-123: every segment of a window is acknowledged alone; of each window one ACK gives a sample */
DIALOGUE(many_acks_give_one_sample_a_round_trip)
{
    talk_open(t, (struct setup){.cwnd = 10, .ssthresh = 2, .ts = true, .rtt_us = 10000});
    for (uint32_t round = 0; round < 5; round++) {
        uint32_t base = 10000 * round, samples = 0;
        app_writes(t, 10000);
        pass_us(t, 20000 + 1000 * round);
        for (uint32_t i = 1; i <= 10; i++) {
            struct flue_tcp before = t->r;
            peer(t, (struct says){.ack = base + 1000 * i, .ts_ecr = 1});
            samples += before.srtt8 != t->r.srtt8 || before.rttvar4 != t->r.rttvar4;
        }
        EXPECT_EQ(samples, 1);
        EXPECT_EQ(t->r.snd_una, t->iss + base + 10000);
    }
}

/* TCP-123, TCP-127 */
DIALOGUE(a_segment_that_was_sent_again_gives_no_sample_and_keeps_the_back_off)
{
    talk_open(t, (struct setup){0});
    app_writes(t, 1000);
    uint32_t srtt8 = t->r.srtt8;
    pass_us(t, 200000);
    EXPECT_EQ(t->r.backoff, 1);
    pass_us(t, 3000);
    peer(t, (struct says){.ack = 1000});
    EXPECT_EQ(t->r.srtt8, srtt8);
    EXPECT_EQ(t->r.backoff, 1);
    app_writes(t, 1000);
    EXPECT_EQ(t->r.rto_at - (uint32_t)t->now_us, 400000);
    pass_us(t, 10000);
    peer(t, (struct says){.ack = 2000});
    EXPECT_EQ(t->r.backoff, 0);
}

/* TCP-125 */
DIALOGUE(the_timer_starts_stops_and_restarts_as_it_should)
{
    talk_open(t, (struct setup){0});
    EXPECT(!t->r.rto_on);
    app_writes(t, 1000);
    uint32_t at = (uint32_t)t->now_us + 200000;
    EXPECT_EQ(t->r.rto_at, at);
    pass_us(t, 50000);
    app_writes(t, 1000); /* running already */
    EXPECT_EQ(t->r.rto_at, at);
    peer(t, (struct says){0}); /* covers nothing new */
    EXPECT_EQ(t->r.rto_at, at);
    peer(t, (struct says){.ack = 1000});
    EXPECT_EQ(t->r.rto_at - (uint32_t)t->now_us, t->r.rtt_valid ? 200000 : 0);
    peer(t, (struct says){.ack = 2000});
    EXPECT(!t->r.rto_on);
}

/* TCP-126, TCP-127, TCP-130, TCP-212 */
DIALOGUE(timeouts_double_and_end_the_connection_at_the_limit)
{
    talk_open(t, (struct setup){.limit = 5});
    app_writes(t, 3000);
    forget_out(t);
    uint64_t wait = 200000;
    for (unsigned i = 1; i <= 5; i++) {
        pass_us(t, wait - 1);
        expect_silence(t);
        pass_us(t, 1);
        expect_again(t, 0, 1000);
        EXPECT_EQ(t->doubts, i >= 3);
        wait *= 2;
    }
    pass_us(t, wait);
    EXPECT_EQ(t->r.state, FLUE_TCP_CLOSED);
    EXPECT_EQ(t->ended[FLUE_TCP_END_TIMEOUT], 1);
    EXPECT_EQ(t->notes[FLUE_TCP_UPLOAD_CLOSED], 1);
    pass_us(t, 1000000000);
    expect_silence(t);
    EXPECT_EQ(t->ended[FLUE_TCP_END_TIMEOUT], 1);
}

/* TCP-122, TCP-130 */
DIALOGUE(the_default_limit_is_above_100_s_and_the_timeout_below_two_minutes)
{
    talk_open(t, (struct setup){.rtt_us = 100});
    app_writes(t, 1000);
    uint64_t begin = t->now_us;
    uint32_t longest = 0;
    while (t->r.state != FLUE_TCP_CLOSED && t->now_us - begin < UINT64_C(4000000000)) {
        uint32_t wait = t->r.rto_at - (uint32_t)t->now_us;
        longest = wait > longest ? wait : longest;
        pass_us(t, wait);
        forget_out(t);
    }
    EXPECT_EQ(t->r.state, FLUE_TCP_CLOSED);
    EXPECT(t->now_us - begin >= 100000000);
    EXPECT_EQ(longest, 120000000);
}

/* TCP-130 */
DIALOGUE(a_limit_of_zero_is_never)
{
    struct flue_tcp r = talk_record(t, (struct setup){0});
    r.limit = 0;
    talk_load(t, &r);
    app_writes(t, 1000);
    for (unsigned i = 0; i < 40; i++) {
        forget_out(t);
        pass_us(t, 120000000);
        EXPECT(t->out_count > 0);
    }
    EXPECT_EQ(t->r.state, FLUE_TCP_ESTABLISHED);
    EXPECT_EQ(t->doubts, 1);
}

/* TCP-128 */
DIALOGUE(a_timeout_sends_one_segment_and_halves_once)
{
    talk_open(t, (struct setup){.cwnd = 10});
    app_writes(t, 20000);
    forget_out(t);
    pass_us(t, 200000);
    EXPECT_EQ(t->r.cwnd, 1000);
    EXPECT_EQ(t->r.ssthresh, 5000);
    pass_us(t, 400000);
    EXPECT_EQ(t->r.cwnd, 1000);
    EXPECT_EQ(t->r.ssthresh, 5000);
    forget_out(t);
    peer(t, (struct says){.ack = 1000}); /* slow start again */
    EXPECT_EQ(t->r.cwnd, 2000);
    expect_again(t, 1000, 2000);
}

/* TCP-131, HND-005 */
DIALOGUE(a_connection_loaded_with_data_in_flight_has_a_timer)
{
    struct flue_tcp r = talk_record(t, (struct setup){0});
    r.snd_max = r.send_limit = r.snd_una + 5000;
    r.recovery = FLUE_TCP_LOSS;
    r.recover_valid = 1;
    r.recover = r.snd_max;
    r.high_rxt = r.snd_una + 2000; /* SND.NXT below SND.MAX */
    talk_load(t, &r);
    EXPECT(t->r.rto_on);
    EXPECT_EQ(t->r.rto_at - (uint32_t)t->now_us, 200000);
    settle(t);
    expect_again(t, 2000, 3000);
    pass_us(t, 200000);
    expect_again(t, 0, 1000);
}

/* TCP-126: early and late timer events */
DIALOGUE(a_timer_event_before_its_deadline_does_nothing)
{
    talk_open(t, (struct setup){0});
    timer(t);
    expect_reason(t, FLUE_TCP_R_EARLY);
    app_writes(t, 1000);
    forget_out(t);
    timer(t);
    expect_reason(t, FLUE_TCP_R_EARLY);
    t->now_us += 199999;
    timer(t);
    expect_reason(t, FLUE_TCP_R_EARLY);
    expect_silence(t);
    t->now_us += 500000; /* late */
    timer(t);
    expect_reason(t, FLUE_TCP_R_RTO);
    expect_again(t, 0, 1000);
}

/* TCP-130 */
DIALOGUE(timeouts_with_progress_between_them_do_not_add_up)
{
    talk_open(t, (struct setup){.limit = 3});
    for (uint32_t i = 0; i < 8; i++) {
        app_writes(t, 1000);
        pass_us(t, t->r.rto_at - (uint32_t)t->now_us);
        EXPECT_EQ(t->r.expiries, 1);
        pass_us(t, t->r.rto_at - (uint32_t)t->now_us);
        peer(t, (struct says){.ack = 1000 * i + 1000});
    }
    EXPECT_EQ(t->r.state, FLUE_TCP_ESTABLISHED);
    EXPECT_EQ(t->doubts, 0);
}

/* TCP-123 */
DIALOGUE(a_fast_retransmission_of_the_timed_segment_gives_no_sample)
{
    talk_open(t, (struct setup){.cwnd = 10});
    app_writes(t, 10000);
    uint32_t srtt8 = t->r.srtt8;
    EXPECT(t->r.timing && t->r.timed_seq == t->iss);
    for (unsigned i = 0; i < 3; i++)
        peer(t, (struct says){0});
    EXPECT(!t->r.timing);
    pass_us(t, 150000);
    peer(t, (struct says){.ack = 10000});
    EXPECT_EQ(t->r.srtt8, srtt8);
}

/* TCP-123 */
DIALOGUE(retransmission_of_other_bytes_does_not_end_the_timing)
{
    talk_open(t, (struct setup){.sack = true, .cwnd = 10, .no_rtt = true});
    app_writes(t, 10000);
    peer(t, (struct says){.ack = 1000});
    app_writes(t, 1000); /* timed: 10000 */
    EXPECT(t->r.timing && t->r.timed_seq == t->iss + 10000);
    uint32_t srtt8 = t->r.srtt8;
    pass_us(t, 20000);
    forget_out(t);
    t->by_hand = true;
    peer(t, (struct says){.ack = 1000, .blocks = 1, .block = {{2000, 9000}}});
    turn(t, 16384);
    expect_again(t, 1000, 1000);
    EXPECT(t->r.timing);
    peer(t, (struct says){.ack = 11000});
    EXPECT(t->r.srtt8 != srtt8);
}
