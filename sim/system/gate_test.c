/*
 * The main job, short: a connection is loaded through driver and firmware, bytes go both ways, it is frozen in mid-stream. Runs
 * on the RTL, and in gate mode (make gate) on the netlist of the adapter, where a cycle takes ten times as long.
 */
#include "live.h"

#include <time.h>

enum { FIRST_BYTES = 12000, MORE_BYTES = 200000, MORE_US = 200, SILENCE_US = 300000 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Cycles and seconds since the last call. */
static void tell(struct live_rig *rig, const char *what)
{
    static uint64_t cycles;
    static double at;
    struct flue_sim_stats stats;
    flue_sim_stats(rig->t->rig->sim, &stats);
    double now = seconds();
    if (what)
        printf("  %s: %" PRIu64 " cycles, %.1f s\n", what, stats.cycles - cycles, now - at);
    cycles = stats.cycles;
    at = now;
}

/* HND-001, HND-002, HND-012, TCP-040: loaded, bytes both ways, frozen: what comes back is where the stream is. */
TEST(a_loaded_connection_carries_bytes_both_ways_and_is_frozen)
{
    struct live_start start = {
        .timestamps = true, .sack = true, .scale = 3, .snd = 0xFFFFF000, .rcv = 0x7FFFFF00, .delay_us = 20};
    double begin = seconds();
    struct live_rig *rig = live_rig_open(32, false, 1u << 20);
    struct live live, *all[1] = {&live};
    struct flue_sim_stats stats;
    uint8_t byte;
    printf("  an adapter of %u connections\n", rig->t->info.connections);
    flue_sim_stats(rig->t->rig->sim, &stats);
    printf("  started: %" PRIu64 " cycles, %.1f s\n", stats.cycles, seconds() - begin);
    rig_expect_alive(rig->t->rig);
    rig_forget(rig->t->rig);
    tell(rig, NULL);

    live_open(rig, &live, &start);
    tell(rig, "loaded");
    CHECK(live_exchange(rig, all, 1, FIRST_BYTES, FIRST_BYTES, 5000000), "%llu of %u to the peer, %llu to the adapter",
          (unsigned long long)live.peer_received, FIRST_BYTES, (unsigned long long)live.received);
    tell(rig, "data both ways");

    live_push(&live, MORE_BYTES);
    live_pull(&live);
    live_peer_push(&live, MORE_BYTES);
    live_run(rig, MORE_US);
    live_freeze(&live);
    tell(rig, "frozen in mid-stream");
    const struct flue_wire_tcp_delegated *d = &live.frozen;
    unsigned outs = rig->t->rig->outs;
    live_run(rig, SILENCE_US); /* timers of the peer too */
    CHECK_EQ(rig->t->rig->outs, outs);
    CHECK(d->snd_una - start.snd >= FIRST_BYTES && d->snd_una - start.snd < MORE_BYTES, "una %u", d->snd_una - start.snd);
    CHECK(d->rcv_nxt - start.rcv >= FIRST_BYTES && d->rcv_nxt - start.rcv < MORE_BYTES, "rcv_nxt %u", d->rcv_nxt - start.rcv);
    CHECK_EQ(d->snd_una + d->send_backlog, (uint32_t)(start.snd + live.sent));
    CHECK(live.peer.t.rcv_nxt - d->snd_una <= d->snd_max - d->snd_una, "the peer has up to %u, una %u max %u",
          live.peer.t.rcv_nxt, d->snd_una, d->snd_max);
    for (uint32_t seq = d->rcv_nxt - d->receive_backlog; seq != d->rcv_nxt; seq++) {
        CHECK(flue_conn_peek_received(live.conn, seq, &byte, 1) == FLUE_OK);
        if (byte != live_byte(seq - start.rcv, 1)) {
            CHECK(!"a byte of the receive ring is wrong", "at %u", seq - start.rcv);
            break;
        }
    }
    rig_expect_alive(rig->t->rig);
    tell(rig, "silent since");
    flue_sim_stats(rig->t->rig->sim, &stats);
    double took = seconds() - begin;
    printf("  %" PRIu64 " cycles in %.1f s: %.0f cycles a second\n", stats.cycles, took, (double)stats.cycles / took);
    live_close(&live);
    live_rig_close(rig);
}

TEST_MAIN(1)
