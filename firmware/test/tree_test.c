/*
 * Trees: initiate, query, update, invalidate, terminate.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "rig.h"

static struct rig r;

static void open_rig(void)
{
    rig_open(&r, 16, 16, 4);
    rig_ready(&r);
}

static void limit(unsigned word, uint32_t value)
{
    struct flue_cfg_limits limits;
    uint32_t *words = (uint32_t *)&limits;
    memset(&limits, 0xFF, sizeof limits);
    words[word] = value;
    memcpy(r.memory + RIG_TREE, &limits, sizeof limits);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_SET_CONFIG,
                                               .word1 = RIG_REGION,
                                               .offset = RIG_TREE,
                                               .length = sizeof limits,
                                               .arg = {FLUE_CFG_LIMITS}})
                 .detail,
             0);
}

static void expect(uint32_t node, NDIS_STATUS status, uint32_t detail)
{
    CHECK_EQ(rig_at(&r, node)->status, (uint32_t)status);
    CHECK_EQ(rig_at(&r, node)->word7, detail);
}

/* CH-016, CH-018, CH-019, CH-021, CH-022, CH-023: the worked example of chimney.md 3.3. */
TEST(worked_example_has_the_listed_statuses)
{
    struct rig_neighbor n = rig_neighbor_state();
    struct rig_path p1 = rig_path_state(false, 1), p2 = rig_path_state(false, 2);
    struct rig_tcp t1 = rig_tcp_state(1), t2 = rig_tcp_state(2), t3 = rig_tcp_state(3);
    open_rig();
    limit(8, 1); /* one connection with send data */
    t1.delegated.send_backlog = t2.delegated.send_backlog = 100;
    p2.cached.path_mtu = 1; /* refused */
    rig_tree(&r, 6);
    rig_node(&r, 0, FLUE_NODE_NEW, 4, 0, &n, 6);
    rig_node(&r, 1, FLUE_NODE_NEW, 8, 0, &p1, 9);
    rig_node(&r, 2, FLUE_NODE_NEW, 17, 0, &t1, 35);
    rig_node(&r, 2, FLUE_NODE_NEW, 17, 0, &t2, 35);
    rig_node(&r, 1, FLUE_NODE_NEW, 8, 0, &p2, 9);
    rig_node(&r, 2, FLUE_NODE_NEW, 17, 0, &t3, 35);
    struct rig_done done = rig_run(&r, FLUE_OP_INITIATE, 0);
    CHECK_EQ(done.status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(done.result, 6);
    expect(0, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS, 0);
    expect(1, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS, 0);
    expect(2, NDIS_STATUS_SUCCESS, 0);
    expect(3, NDIS_STATUS_OFFLOAD_TCP_XMIT_BUFFER, FLUE_AD_LIMIT);
    expect(4, NDIS_STATUS_FAILURE, FLUE_AD_VALUE);
    expect(5, NDIS_STATUS_FAILURE, FLUE_AD_PARENT);
    CHECK(rig_at(&r, 0)->handle && rig_at(&r, 1)->handle && rig_at(&r, 2)->handle);
    CHECK(!rig_at(&r, 3)->handle && !rig_at(&r, 4)->handle && !rig_at(&r, 5)->handle);
    rig_sound(&r);
    rig_close(&r);
}

/* CH-017, CH-018: a placeholder succeeds whatever becomes of its dependents; a linker whose dependents all fail fails. */
TEST(placeholder_always_succeeds_and_a_linker_follows_its_dependents)
{
    struct rig_tcp good = rig_tcp_state(5), bad = rig_tcp_state(6);
    open_rig();
    uint32_t n = rig_new_neighbor(&r), p = rig_new_path(&r, n, false, 1);
    bad.delegated.word0 = 10; /* TIME_WAIT */
    rig_tree(&r, 3);
    rig_node(&r, 0, FLUE_NODE_PLACEHOLDER, 0, 0, NULL, 0);
    rig_node(&r, 1, FLUE_NODE_REFERENCE, 8, p, NULL, 0);
    rig_node(&r, 2, FLUE_NODE_NEW, 17, 0, &bad, 35);
    rig_run(&r, FLUE_OP_INITIATE, 0);
    expect(0, NDIS_STATUS_SUCCESS, 0);
    expect(1, NDIS_STATUS_FAILURE, 0);
    expect(2, NDIS_STATUS_FAILURE, FLUE_AD_VALUE);
    rig_tree(&r, 4);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n, NULL, 0);
    rig_node(&r, 1, FLUE_NODE_REFERENCE, 8, p, NULL, 0);
    rig_node(&r, 2, FLUE_NODE_NEW, 17, 0, &bad, 35);
    rig_node(&r, 2, FLUE_NODE_NEW, 17, 0, &good, 35);
    rig_run(&r, FLUE_OP_INITIATE, 0);
    expect(0, NDIS_STATUS_SUCCESS, 0); /* its child was taken */
    expect(1, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS, 0);
    expect(3, NDIS_STATUS_SUCCESS, 0);
    rig_sound(&r);
    rig_close(&r);
}

/* CH-020, CH-031, CH-040, HND-009: what is advertised is taken, in walk order; the next gets the matching status. */
TEST(tables_take_what_they_advertise_and_refuse_the_next)
{
    open_rig();
    uint32_t n = rig_new_neighbor(&r), p = rig_new_path(&r, n, true, 1);
    rig_tree(&r, 18);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 12, p, NULL, 0);
    for (uint32_t i = 0; i < 17; i++) {
        struct rig_tcp t = rig_tcp_state(i);
        rig_node(&r, 1, FLUE_NODE_NEW, 17, 0, &t, 35);
    }
    rig_run(&r, FLUE_OP_INITIATE, 0);
    expect(0, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS, 0);
    for (uint32_t i = 1; i < 17; i++)
        expect(i, NDIS_STATUS_SUCCESS, 0);
    expect(17, NDIS_STATUS_OFFLOAD_TCP_ENTRIES, FLUE_AD_LIMIT);
    for (uint32_t i = 2; i < 17; i++)
        (void)rig_new_path(&r, n, false, i);
    struct rig_path extra = rig_path_state(false, 99);
    rig_tree(&r, 2);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n, NULL, 0);
    rig_node(&r, 1, FLUE_NODE_NEW, 8, 0, &extra, 9);
    rig_run(&r, FLUE_OP_INITIATE, 0);
    expect(0, NDIS_STATUS_FAILURE, 0);
    expect(1, NDIS_STATUS_OFFLOAD_PATH_ENTRIES, FLUE_AD_LIMIT);
    for (unsigned i = 0; i < 3; i++)
        (void)rig_new_neighbor(&r);
    struct rig_neighbor more = rig_neighbor_state();
    rig_tree(&r, 1);
    rig_node(&r, 0, FLUE_NODE_NEW, 4, 0, &more, 6);
    rig_run(&r, FLUE_OP_INITIATE, 0);
    expect(0, NDIS_STATUS_OFFLOAD_NEIGHBOR_ENTRIES, FLUE_AD_LIMIT);
    rig_sound(&r);
    rig_close(&r);
}

/* CH-028, HND-006, TCP-192: only the six legal states, and no state that breaks its invariants; nothing is half installed. */
TEST(illegal_tcp_state_is_refused_whole)
{
    open_rig();
    uint32_t p = rig_new_path(&r, rig_new_neighbor(&r), false, 1);
    for (uint32_t state = 0; state < 16; state++) {
        struct rig_tcp t = rig_tcp_state(state);
        t.delegated.word0 = state;
        uint32_t handle = rig_new_tcp(&r, p, &t);
        CHECK_EQ(handle != 0, state >= 4 && state <= 9);
    }
    uint32_t count = rig_count(&r, FLUE_TBL_CONNECTION);
    for (unsigned i = 0; i < 13; i++) {
        struct rig_tcp t = rig_tcp_state(100);
        switch (i) {
        case 0:
            t.delegated.snd_una = t.delegated.snd_nxt + 1;
            break;
        case 1:
            t.delegated.snd_nxt = t.delegated.snd_max + 1;
            break;
        case 2:
            t.delegated.snd_max = t.delegated.snd_una + (1u << 30) + 1;
            break;
        case 3:
            t.constant.word0 = 15u << 16;
            break;
        case 4:
            t.constant.word0 = 15u << 20;
            break;
        case 5:
            t.constant.word2 = 87;
            break;
        case 6:
            t.delegated.rcv_wnd = t.cached.initial_rcv_wnd + 1;
            break;
        case 7:
            t.delegated.send_wl1 = t.delegated.rcv_nxt + 0x80000000u;
            break;
        case 8:
            t.constant.word0 |= 1u << 24;
            break;
        case 9:
            t.cached.word3 |= 1u << 8;
            break;
        case 10:
            t.cached.word7 |= 1u << 20;
            break;
        case 11:
            t.cached.word8 |= 1u << 19;
            break;
        default:
            t.delegated.word0 |= 1u << 4;
            break;
        }
        CHECK_EQ(rig_new_tcp(&r, p, &t), 0);
        expect(1, NDIS_STATUS_FAILURE, FLUE_AD_VALUE);
    }
    CHECK_EQ(rig_count(&r, FLUE_TBL_CONNECTION), count);
    rig_sound(&r);
    rig_close(&r);
}

/* CH-029, CH-030, CH-032, CH-033: each limit has its status. */
TEST(limits_have_their_own_statuses)
{
    open_rig();
    uint32_t n = rig_new_neighbor(&r), p = rig_new_path(&r, n, false, 1);
    struct rig_tcp t = rig_tcp_state(1);
    limit(6, 65535);
    CHECK_EQ(rig_new_tcp(&r, p, &t), 0);
    expect(1, NDIS_STATUS_OFFLOAD_TCP_RCV_WINDOW, FLUE_AD_LIMIT);
    limit(9, 0);
    t.delegated.receive_backlog = 1;
    CHECK_EQ(rig_new_tcp(&r, p, &t), 0);
    expect(1, NDIS_STATUS_OFFLOAD_TCP_RCV_BUFFER, FLUE_AD_LIMIT);
    limit(7, 1499);
    struct rig_path path = rig_path_state(false, 2);
    rig_tree(&r, 2);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n, NULL, 0);
    rig_node(&r, 1, FLUE_NODE_NEW, 8, 0, &path, 9);
    rig_run(&r, FLUE_OP_INITIATE, 0);
    expect(1, NDIS_STATUS_OFFLOAD_PATH_MTU, FLUE_AD_LIMIT);
    limit(4, 1);
    path.constant.source[0] ^= 1;
    rig_tree(&r, 2);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n, NULL, 0);
    rig_node(&r, 1, FLUE_NODE_NEW, 8, 0, &path, 9);
    rig_run(&r, FLUE_OP_INITIATE, 0);
    expect(1, NDIS_STATUS_OFFLOAD_IP_ADDRESS_ENTRIES, FLUE_AD_LIMIT);
    limit(3, 0);
    struct rig_neighbor own = rig_neighbor_state();
    own.constant.dl_source = 0x12345602;
    rig_tree(&r, 1);
    rig_node(&r, 0, FLUE_NODE_NEW, 4, 0, &own, 6);
    rig_run(&r, FLUE_OP_INITIATE, 0);
    expect(0, NDIS_STATUS_OFFLOAD_HW_ADDRESS_ENTRIES, FLUE_AD_LIMIT);
    rig_sound(&r);
    rig_close(&r);
}

static NDIS_STATUS vlan_status(uint32_t id)
{
    struct rig_neighbor n = rig_neighbor_state();
    n.constant.word1 = id << 16;
    rig_tree(&r, 1);
    rig_node(&r, 0, FLUE_NODE_NEW, 4, 0, &n, 6);
    rig_run(&r, FLUE_OP_INITIATE, 0);
    NDIS_STATUS status = (NDIS_STATUS)rig_at(&r, 0)->status;
    if (status == NDIS_STATUS_SUCCESS)
        CHECK_EQ(rig_terminate(&r, 4, rig_at(&r, 0)->handle, NULL, 0), 0);
    return status;
}

/* CH-034: VLAN exhaustion and mismatch, per table 4.14. */
TEST(vlan_of_a_neighbor_is_checked_against_the_interface)
{
    open_rig();
    CHECK_EQ(vlan_status(0), NDIS_STATUS_SUCCESS);
    CHECK_EQ(vlan_status(7), NDIS_STATUS_SUCCESS);
    limit(5, 0);
    CHECK_EQ(vlan_status(7), NDIS_STATUS_OFFLOAD_VLAN_ENTRIES);
    CHECK_EQ(vlan_status(0), NDIS_STATUS_SUCCESS);
    limit(5, UINT32_MAX);
    struct flue_cfg_vlans vlans = {.count = 3, .ids = {5 | 6u << 16, 7}};
    memcpy(r.memory + RIG_TREE, &vlans, sizeof vlans);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_SET_CONFIG,
                                               .word1 = RIG_REGION,
                                               .offset = RIG_TREE,
                                               .length = sizeof vlans,
                                               .arg = {FLUE_CFG_VLANS}})
                 .detail,
             0);
    CHECK_EQ(vlan_status(0), NDIS_STATUS_SUCCESS);
    CHECK_EQ(vlan_status(6), NDIS_STATUS_SUCCESS);
    CHECK_EQ(vlan_status(7), NDIS_STATUS_SUCCESS);
    CHECK_EQ(vlan_status(8), NDIS_STATUS_OFFLOAD_VLAN_MISMATCH);
    rig_close(&r);
}

/* CH-120, CH-121, CH-122, CH-123, CH-142, CH-147: every field of a legal state comes back, times as they are now. */
TEST(state_round_trips_through_query_and_terminate)
{
    open_rig();
    uint32_t p = rig_new_path(&r, rig_new_neighbor(&r), false, 1);
    for (unsigned i = 0; i < 500; i++) {
        struct rig_tcp in = rig_tcp_random(i), out;
        uint32_t past = check_random(5000);
        uint32_t handle = rig_new_tcp(&r, p, &in);
        CHECK(handle != 0);
        r.time_us += past * 1000ull;
        struct rig_tcp expected = in;
        struct flue_wire_tcp_delegated *d = &expected.delegated;
        if (d->ka_timeout_delta != UINT32_MAX)
            d->ka_timeout_delta = d->ka_timeout_delta > past ? d->ka_timeout_delta - past : 0;
        if (d->rexmit_timeout_delta != UINT32_MAX)
            d->rexmit_timeout_delta = d->rexmit_timeout_delta > past ? d->rexmit_timeout_delta - past : 0;
        d->ts_recent_age += past;
        d->ts_time += past;
        rig_tree(&r, 1);
        rig_node(&r, 0, FLUE_NODE_REFERENCE, 17, handle, NULL, 35);
        CHECK_EQ(rig_run(&r, FLUE_OP_QUERY, 0).detail, 0);
        expect(0, NDIS_STATUS_SUCCESS, 0);
        memcpy(&out, rig_state(&r, 0), sizeof out);
        CHECK_EQ(out.delegated.send_backlog, UINT32_MAX);
        out.delegated.send_backlog = d->send_backlog;
        CHECK_EQ(memcmp(&out, &expected, sizeof out), 0);
        CHECK_EQ(rig_terminate(&r, 15, handle, &out.delegated, 22), 0);
        CHECK_EQ(memcmp(&out.delegated, d, sizeof *d), 0);
        CHECK_EQ(rig_terminate(&r, 15, handle, NULL, 22), FLUE_AD_STALE); /* CH-024 */
    }
    rig_sound(&r);
    rig_close(&r);
}

/* CH-027, CH-125: neighbor and path states come back; the reachability age grows with time. */
TEST(neighbor_and_path_states_round_trip)
{
    open_rig();
    uint32_t n = rig_new_neighbor(&r), p = rig_new_path(&r, n, true, 1);
    struct rig_neighbor in = rig_neighbor_state(), out;
    struct rig_path path = rig_path_state(true, 1);
    r.time_us += 50000;
    rig_tree(&r, 2);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n, NULL, 6);
    rig_node(&r, 1, FLUE_NODE_REFERENCE, 12, p, NULL, 9);
    rig_run(&r, FLUE_OP_QUERY, 0);
    memcpy(&out, rig_state(&r, 0), sizeof out);
    in.cached.host_reachability_delta += 50;
    in.delegated.nic_reachability_delta += 50;
    CHECK_EQ(memcmp(&in, &out, sizeof in), 0);
    CHECK_EQ(memcmp(&path, rig_state(&r, 1), sizeof path), 0);
    rig_close(&r);
}

/* CH-129, CH-126, CH-127, CH-133, CH-134: cached updates and relink; the rest of the state is left alone. */
TEST(updates_change_cached_state_and_relink_moves_paths)
{
    open_rig();
    uint32_t n1 = rig_new_neighbor(&r), p = rig_new_path(&r, n1, false, 1);
    struct rig_tcp t = rig_tcp_state(1), out;
    uint32_t c = rig_new_tcp(&r, p, &t), mtu = 576, bad_mtu = 67;
    struct rig_neighbor tagged = rig_neighbor_state();
    tagged.constant.word1 = 9u << 16;
    rig_tree(&r, 1);
    rig_node(&r, 0, FLUE_NODE_NEW, 4, 0, &tagged, 6);
    rig_run(&r, FLUE_OP_INITIATE, 0);
    uint32_t n2 = rig_at(&r, 0)->handle;
    t.cached.word8 = 33;
    t.cached.ka_timeout = 999;
    rig_tree(&r, 3);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n2, NULL, 0);
    rig_node(&r, 1, FLUE_NODE_REFERENCE, 8, p, NULL, 0);
    rig_node(&r, 2, FLUE_NODE_REFERENCE, 14, c, &t.cached, 9);
    rig_run(&r, FLUE_OP_UPDATE, 0);
    for (unsigned i = 0; i < 3; i++)
        expect(i, NDIS_STATUS_SUCCESS, 0);
    rig_sound(&r);
    CHECK_EQ(rig_terminate(&r, 4, n1, NULL, 0), 0);
    CHECK_EQ(rig_terminate(&r, 4, n2, NULL, 0), FLUE_AD_BUSY);
    rig_tree(&r, 1);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 6, p, &mtu, 1);
    rig_run(&r, FLUE_OP_UPDATE, 0);
    expect(0, NDIS_STATUS_SUCCESS, 0);
    rig_tree(&r, 1);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 6, p, &bad_mtu, 1);
    rig_run(&r, FLUE_OP_UPDATE, 0);
    expect(0, NDIS_STATUS_FAILURE, FLUE_AD_VALUE);
    rig_tree(&r, 2);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 6, p, NULL, 1);
    rig_node(&r, 1, FLUE_NODE_REFERENCE, 17, c, NULL, 35);
    rig_run(&r, FLUE_OP_QUERY, 0);
    CHECK_EQ(*rig_state(&r, 0), 576);
    memcpy(&out, rig_state(&r, 1), sizeof out);
    CHECK_EQ(memcmp(&out.constant, &t.constant, sizeof out.constant), 0);
    CHECK_EQ(memcmp(&out.cached, &t.cached, sizeof out.cached), 0);
    CHECK_EQ(out.delegated.ka_timeout_delta, 999); /* */
    CHECK_EQ(out.delegated.snd_una, t.delegated.snd_una);
    rig_close(&r);
}

/* CH-135, CH-137: an invalidated object is marked, keeps its state and goes only with a terminate. */
TEST(invalidated_objects_stay_until_terminated)
{
    open_rig();
    uint32_t n = rig_new_neighbor(&r);
    rig_tree(&r, 1);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n, NULL, 0);
    rig_run(&r, FLUE_OP_INVALIDATE, 0);
    expect(0, NDIS_STATUS_SUCCESS, 0);
    CHECK(fw_host_word(r.host, FLUE_TBL_NEIGHBOR, n & 0xFFFF, 0) & FLUE_ROW_HEAD_INVALID_MASK);
    CHECK_EQ(rig_terminate(&r, 3, n, NULL, 1), 0);
    CHECK_EQ(rig_count(&r, FLUE_TBL_NEIGHBOR), 0);
    rig_close(&r);
}

/* CH-149: one tree frees its connections before their path before their neighbor. */
TEST(mixed_tree_is_freed_from_the_top)
{
    open_rig();
    uint32_t n = rig_new_neighbor(&r), p = rig_new_path(&r, n, false, 1);
    struct rig_tcp t = rig_tcp_state(1);
    uint32_t c = rig_new_tcp(&r, p, &t);
    rig_tree(&r, 3);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 3, n, NULL, 1);
    rig_node(&r, 1, FLUE_NODE_REFERENCE, 7, p, NULL, 0);
    rig_node(&r, 2, FLUE_NODE_REFERENCE, 15, c, NULL, 22);
    rig_run(&r, FLUE_OP_TERMINATE, 0);
    for (unsigned i = 0; i < 3; i++)
        expect(i, NDIS_STATUS_SUCCESS, 0);
    CHECK_EQ(rig_count(&r, FLUE_TBL_NEIGHBOR) + rig_count(&r, FLUE_TBL_PATH) + rig_count(&r, FLUE_TBL_CONNECTION), 0);
    rig_sound(&r);
    rig_close(&r);
}

/* CH-039: hold, load, start, keep, release. */
TEST(entry_can_be_held_before_and_after_the_state)
{
    open_rig();
    uint32_t p = rig_new_path(&r, rig_new_neighbor(&r), false, 1);
    struct rig_tcp t = rig_tcp_state(0x00500051);
    struct rig_done held = rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_HOLD, .handle = p, .arg = {0x00500051, 1, 2}});
    CHECK_EQ(held.detail, 0);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_HOLD, .handle = p, .arg = {0x00500051, 1, 2}}).detail,
             FLUE_AD_DUPLICATE);
    rig_tree(&r, 2);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 8, p, NULL, 0);
    rig_node(&r, 1, FLUE_NODE_NEW, 17, held.result, &t, 35);
    rig_run(&r, FLUE_OP_INITIATE, FLUE_SQE_LOAD_ONLY_MASK);
    expect(1, NDIS_STATUS_SUCCESS, 0);
    CHECK_EQ(rig_at(&r, 1)->handle, held.result);
    struct rig_done busy = rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_START, .handle = held.result, .arg = {5}});
    CHECK_EQ(busy.detail, FLUE_AD_BUSY);
    CHECK_EQ(busy.result, 0);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_START, .handle = held.result}).detail, 0);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_RELEASE, .handle = held.result}).detail, FLUE_AD_BUSY);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_ABORT, .handle = held.result}).detail, FLUE_AD_NO_ENGINE);
    rig_tree(&r, 1);
    rig_node(&r, 0, FLUE_NODE_REFERENCE, 15, held.result, NULL, 22);
    rig_run(&r, FLUE_OP_TERMINATE, FLUE_SQE_KEEP_ENTRY_MASK);
    expect(0, NDIS_STATUS_SUCCESS, 0);
    CHECK_EQ(fw_host_indexed(r.host, FLUE_TBL_CONNECTION), 1);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_RELEASE, .handle = held.result}).detail, 0);
    CHECK_EQ(fw_host_indexed(r.host, FLUE_TBL_CONNECTION), 0);
    rig_sound(&r);
    rig_close(&r);
}

/* HND-006: any bit of a tree changed gives an answer, and never an unsound table. */
TEST(mutated_trees_are_answered_and_harm_nothing)
{
    for (unsigned i = 0; i < 3000; i++) {
        static const uint32_t opcode[] = {FLUE_OP_INITIATE, FLUE_OP_QUERY, FLUE_OP_UPDATE, FLUE_OP_INVALIDATE,
                                          FLUE_OP_TERMINATE};
        static const uint32_t odd[] = {0, 1, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC};
        rig_open(&r, 4, 4, 2);
        rig_ready(&r);
        uint32_t n = rig_new_neighbor(&r), p = rig_new_path(&r, n, false, 1);
        struct rig_tcp t = rig_tcp_state(1), t2 = rig_tcp_state(2);
        uint32_t c = rig_new_tcp(&r, p, &t);
        unsigned op = i % 5;
        rig_tree(&r, 4);
        if (op == 0) {
            struct rig_path p2 = rig_path_state(true, 4);
            rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n, NULL, 0);
            rig_node(&r, 1, FLUE_NODE_NEW, 12, 0, &p2, 9);
            rig_node(&r, 2, FLUE_NODE_NEW, 17, 0, &t2, 35);
            rig_node(&r, 1, FLUE_NODE_PLACEHOLDER, 0, 0, NULL, 0);
        } else {
            bool state = op == 1 || op == 4;
            rig_node(&r, 0, FLUE_NODE_PLACEHOLDER, 0, 0, NULL, 0);
            rig_node(&r, 1, FLUE_NODE_REFERENCE, 8, p, NULL, op == 1 ? 9 : 0);
            rig_node(&r, 2, FLUE_NODE_REFERENCE,
                     op == 2 ? 14
                     : state ? 15
                             : 17,
                     c, op == 2 ? (void *)&t.cached : NULL,
                     op == 2 ? 9
                     : state ? 22
                             : 0);
            rig_node(&r, 2, FLUE_NODE_PLACEHOLDER, 0, 0, NULL, 0);
        }
        for (unsigned m = 0; m <= check_random(2); m++) {
            uint32_t *word = (uint32_t *)(void *)(r.memory + RIG_TREE) + check_random(r.state_at / 4);
            *word = check_random(2) ? *word ^ 1u << check_random(32) : odd[check_random(7)];
        }
        struct rig_done done = rig_run(&r, opcode[op], 0);
        CHECK(done.answered);
        CHECK_EQ(fw_host_trap(r.host), 0);
        rig_sound(&r);
        rig_close(&r);
    }
}

static void scramble(struct rig *rig, uint32_t offset, uint32_t bytes, bool to_host)
{
    (void)offset;
    (void)bytes;
    if (!to_host)
        for (unsigned i = 0; i < 3; i++)
            rig->memory[RIG_TREE + check_random(rig->state_at)] ^= (uint8_t)(1u << check_random(8));
}

/* A tree that changes while it is read breaks nothing. */
TEST(tree_that_changes_while_it_is_read_harms_nothing)
{
    for (unsigned i = 0; i < 500; i++) {
        rig_open(&r, 16, 16, 4);
        rig_ready(&r);
        uint32_t n = rig_new_neighbor(&r);
        rig_tree(&r, 30);
        rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n, NULL, 0);
        for (uint32_t k = 1; k < 30; k++) {
            struct rig_path p = rig_path_state(k & 1, k);
            rig_node(&r, 1, FLUE_NODE_NEW, k & 1 ? 12 : 8, 0, &p, 9);
        }
        r.on_dma = scramble;
        struct rig_done done = rig_run(&r, FLUE_OP_INITIATE, 0);
        r.on_dma = NULL;
        CHECK(done.answered);
        rig_sound(&r);
        rig_close(&r);
    }
}

/* A buffer that cannot be written, or lies outside, is refused before anything is done. */
TEST(buffer_that_cannot_be_written_changes_nothing)
{
    open_rig();
    struct rig_neighbor n = rig_neighbor_state();
    rig_tree(&r, 1);
    rig_node(&r, 0, FLUE_NODE_NEW, 4, 0, &n, 6);
    r.read_only = true;
    CHECK_EQ(rig_run(&r, FLUE_OP_INITIATE, 0).detail, FLUE_AD_REGION);
    r.read_only = false;
    CHECK_EQ(rig_count(&r, FLUE_TBL_NEIGHBOR), 0);
    CHECK_EQ(rig_command(
                 &r, (struct flue_sqe){.word0 = FLUE_OP_INITIATE, .word1 = RIG_REGION, .offset = RIG_MEMORY - 32, .length = 88})
                 .detail,
             FLUE_AD_REGION);
    rig_close(&r);
}

/* CH-152, HND-010: nothing leaks (the long form is FLUE_CYCLES in the environment). */
TEST(repeated_initiate_and_terminate_leak_nothing)
{
    const char *text = getenv("FLUE_CYCLES");
    unsigned long cycles = text ? strtoul(text, NULL, 0) : 20000;
    open_rig();
    uint32_t p = rig_new_path(&r, rig_new_neighbor(&r), false, 1);
    struct rig_tcp t = rig_tcp_state(1);
    for (unsigned long i = 0; i < cycles; i++) {
        t.constant.ports = check_random(0x10000) << 16 | check_random(0x10000);
        uint32_t c = rig_new_tcp(&r, p, &t);
        CHECK(c != 0);
        CHECK_EQ(rig_terminate(&r, 15, c, NULL, 22), 0);
    }
    CHECK_EQ(rig_count(&r, FLUE_TBL_CONNECTION), 0);
    CHECK_EQ(fw_host_indexed(r.host, FLUE_TBL_CONNECTION), 0);
    rig_sound(&r);
    rig_close(&r);
}
