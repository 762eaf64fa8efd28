/*
 * Goodput of live connections through the RTL engine in virtual time, W = 32 at the simulator's clock, against the reference
 * TCP, round trip 0.2 ms, no loss.  The wire is as fast as the adapter's port (one beat a cycle), not held to a gigabit.
 */
#include "live.h"

enum { MEGABYTE = 1 << 20, GOAL_MBPS = 940, FLOOR_MBPS = 50 };

static void measure(const char *name, unsigned connections, uint64_t to_peer, uint64_t to_adapter)
{
    struct live_rig *rig = live_rig_open(32, false, 4u << 20);
    struct live live[4], *all[4];
    for (unsigned i = 0; i < connections; i++) {
        live_open(rig, &live[i],
                  &(struct live_start){.timestamps = true, .sack = true, .scale = 2, .snd = i, .rcv = ~i, .delay_us = 100});
        all[i] = &live[i];
    }
    struct flue_sim_stats before, after;
    /* Out of slow start first. */
    CHECK(live_exchange(rig, all, connections, to_peer / 4, to_adapter / 4, 10000000));
    flue_sim_stats(rig->t->rig->sim, &before);
    CHECK(live_exchange(rig, all, connections, to_peer, to_adapter, 10000000));
    flue_sim_stats(rig->t->rig->sim, &after);
    double bits = (double)(to_peer + to_adapter) * 0.75 * 8 * connections, us = (double)(after.time_us - before.time_us);
    double mbps = bits / us;
    printf("BENCH live/%s %.0f Mb/s W=32, %u connections, round trip 0.2 ms, all directions together, goal %d each\n", name,
           mbps, connections, GOAL_MBPS);
    CHECK(mbps > FLOOR_MBPS);
    for (unsigned i = 0; i < connections; i++)
        live_close(&live[i]);
    live_rig_close(rig);
}

TEST(goodput_of_live_connections)
{
    measure("send_1", 1, 2 * MEGABYTE, 0);
    measure("receive_1", 1, 0, 2 * MEGABYTE);
    measure("both_1", 1, MEGABYTE, MEGABYTE);
    measure("both_4", 4, MEGABYTE / 2, MEGABYTE / 2);
}

TEST_MAIN(1)
