/* Live connections through the RTL engine, with the reference TCP as the peer. */
#include "live.h"

static void exchange(unsigned width, const struct live_start *start, uint64_t bytes, unsigned drop_percent)
{
    struct live_rig *rig = live_rig_open(width, false, 1u << 20);
    struct live live, *all[1] = {&live};
    live_open(rig, &live, start);
    rig->drop_percent = drop_percent;
    CHECK(live_exchange(rig, all, 1, bytes, bytes, 60000000), "%llu of %llu to the peer, %llu to the adapter, %llu frames lost",
          (unsigned long long)live.peer_received, (unsigned long long)bytes, (unsigned long long)live.received,
          (unsigned long long)rig->lost);
    struct flue_sim_stats stats; /* the monitors of connections have judged all of it */
    flue_sim_stats(rig->t->rig->sim, &stats);
    CHECK(stats.tcp_bytes == bytes && stats.tcp_segments > bytes / 1460 && stats.tcp_events > stats.tcp_segments,
          "%llu events, %llu segments, %llu bytes", (unsigned long long)stats.tcp_events,
          (unsigned long long)stats.tcp_segments, (unsigned long long)stats.tcp_bytes);
    live_close(&live);
    live_rig_close(rig);
}

/* TCP-040, HND-002: a connection is loaded, bytes go both ways. */
TEST(a_loaded_connection_carries_bytes_both_ways)
{
    exchange(32,
             &(struct live_start){
                 .timestamps = true, .sack = true, .scale = 2, .snd = 0xFFFFF000, .rcv = 0x7FFFFFFF, .delay_us = 100},
             300000, 0);
}

/* TCP-002, TCP-040, TCP-080, TCP-101, TCP-220: every byte arrives once and in order whatever the wire loses; the monitors
 * compute every checksum of every frame again. */
TEST(bytes_arrive_under_loss_with_and_without_sack)
{
    for (unsigned i = 0; i < 4; i++)
        exchange(32,
                 &(struct live_start){.ipv6 = i & 1,
                                      .timestamps = i != 2,
                                      .sack = i < 2,
                                      .scale = i,
                                      .snd = (uint32_t)check_seed * 2654435761u + i,
                                      .rcv = 0xFFFFFFFF,
                                      .delay_us = 500},
                 100000, 2);
}

/* HND-001, HND-002, HND-012: frozen in mid-stream, nothing leaves any more, and what comes back continues the stream. */
TEST(a_frozen_connection_gives_back_a_state_that_continues)
{
    struct live_start start = {.timestamps = true, .sack = true, .scale = 3, .snd = 1000, .rcv = 2000, .delay_us = 100};
    struct live_rig *rig = live_rig_open(32, false, 1u << 20);
    struct live live, *all[1] = {&live};
    uint8_t byte;
    live_open(rig, &live, &start);
    CHECK(live_exchange(rig, all, 1, 20000, 20000, 5000000));
    live_push(&live, 200000);
    live_pull(&live);
    live_peer_push(&live, 100000);
    live_run(rig, 1500);
    live_freeze(&live);
    const struct flue_wire_tcp_delegated *d = &live.frozen;
    unsigned outs = rig->t->rig->outs;
    live_run(rig, 500000); /* timers of the peer too */
    CHECK_EQ(rig->t->rig->outs, outs);
    CHECK(d->snd_una - 1000 >= 20000 && d->snd_max - d->snd_una <= d->send_backlog, "una %u max %u backlog %u", d->snd_una,
          d->snd_max, d->send_backlog);
    CHECK_EQ(live.peer.t.rcv_nxt - d->snd_una <= d->snd_max - d->snd_una, 1);
    for (uint32_t seq = d->snd_una; seq != d->snd_una + d->send_backlog; seq++) {
        CHECK(flue_conn_peek_sent(live.conn, seq, &byte, 1) == FLUE_OK);
        if (byte != live_byte(seq - 1000, 0)) {
            CHECK(!"a byte of the send ring is wrong", "at %u", seq - 1000);
            break;
        }
    }
    for (uint32_t seq = d->rcv_nxt - d->receive_backlog; seq != d->rcv_nxt; seq++) {
        CHECK(flue_conn_peek_received(live.conn, seq, &byte, 1) == FLUE_OK);
        if (byte != live_byte(seq - 2000, 1)) {
            CHECK(!"a byte of the receive ring is wrong", "at %u", seq - 2000);
            break;
        }
    }
    live_close(&live);
    live_rig_close(rig);
}

/* Several connections share the adapter, each with its own stream. */
TEST(connections_do_not_disturb_one_another)
{
    struct live_rig *rig = live_rig_open(32, false, 4u << 20);
    struct live live[4], *all[4];
    for (unsigned i = 0; i < 4; i++) {
        live_open(rig, &live[i],
                  &(struct live_start){
                      .ipv6 = i & 1, .timestamps = true, .sack = true, .scale = 2, .snd = i, .rcv = ~i, .delay_us = 200});
        all[i] = &live[i];
    }
    CHECK(live_exchange(rig, all, 4, 60000, 60000, 20000000));
    for (unsigned i = 0; i < 4; i++)
        live_close(&live[i]);
    live_rig_close(rig);
}

/* HND-010: a row that carried a connection carries the next one, whose window opens as the host reads. */
TEST(a_row_is_used_again)
{
    struct live_rig *rig = live_rig_open(32, false, 4u << 20);
    for (unsigned i = 0; i < 3; i++) {
        struct live live, *all[1] = {&live};
        live_open(
            rig, &live,
            &(struct live_start){
                .timestamps = true, .sack = true, .scale = 3, .snd = 5 + i, .rcv = 7 + i, .window = 30000, .delay_us = 100});
        CHECK(live_exchange(rig, all, 1, 150000, 150000, 5000000), "life %u: %llu to the peer, %llu to the adapter", i,
              (unsigned long long)live.peer_received, (unsigned long long)live.received);
        live_freeze(&live);
        live_close(&live);
    }
    live_rig_close(rig);
}

/* TCP-040: with the fault switched on the first placement lies one byte off, and the monitor of the rings says so. */
TEST(a_wrong_placement_is_seen_by_the_monitor)
{
    struct live_start start = {.timestamps = true, .sack = true, .snd = 1, .rcv = 0xFFFFFFFE, .delay_us = 100};
    struct live_rig *rig = live_rig_open(32, false, 1u << 20);
    struct flue_sim *sim = rig->t->rig->sim;
    uint8_t payload[1000], frame[FLUE_TCP_FRAME_HEADERS + sizeof payload];
    enum flue_sim_why why;
    struct live live;
    live_open(rig, &live, &start);
    CHECK(flue_fault_set(rig->t->rig->adapter, FLUE_FAULT_PLACE_MASK) == FLUE_OK);
    for (unsigned i = 0; i < sizeof payload; i++)
        payload[i] = live_byte(i, 1);
    struct flue_tcp_seg seg = {.seq = start.rcv, .ack = start.snd, .wnd = 60000, .flags = FLUE_TCP_ACK, .len = sizeof payload};
    seg.has_ts = true;
    seg.ts_val = 1;
    size_t len = flue_tcp_frame_build(&live.ends, &seg, payload, frame);
    CHECK(flue_sim_wire_send(sim, frame, len) == FLUE_OK);
    CHECK(flue_sim_advance(sim, 100000, 0, &why) == FLUE_EMONITOR);
    const char *said = flue_sim_violation(sim);
    CHECK(said != NULL && strstr(said, "in the receive ring") != NULL, "%s", said ? said : "nothing");
    CHECK(flue_sim_close(sim) == FLUE_EMONITOR);
}

TEST_MAIN(1)
