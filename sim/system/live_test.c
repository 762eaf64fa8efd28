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
    live_close(&live);
    live_rig_close(rig);
}

/* TCP-040, HND-002: a connection is loaded, bytes go both ways. */
TEST(a_loaded_connection_carries_bytes_both_ways)
{
    exchange(32,
             &(struct live_start){
                 .timestamps = true, .sack = true, .scale = 2, .snd = 0xFFFFF000, .rcv = 0x7FFFFFFF, .delay_us = 100},
             50000, 0);
}

TEST_MAIN(1)
