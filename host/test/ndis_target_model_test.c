/* The target over the admin queue and the firmware compiled for the host. */
#include "ndis_model_rig.h"

#include "flue/ndis/objects.h"

/* CH-015, CH-022: chimney.md 3.3 on the firmware: TCP2 finds no entry, Path2 is a duplicate. */
TEST(the_worked_example_on_the_firmware)
{
    model_open(4, 4, 4);
    struct flue_cfg_limits limits = {.neighbors = htole32(~0u),
                                     .paths = htole32(~0u),
                                     .connections = htole32(1),
                                     .hw_addresses = htole32(~0u),
                                     .ip_addresses = htole32(~0u),
                                     .vlans = htole32(~0u),
                                     .rcv_wnd = htole32(~0u),
                                     .path_mtu = htole32(~0u),
                                     .xmit_buffers = htole32(~0u),
                                     .rcv_buffers = htole32(~0u)};
    set_config(FLUE_CFG_LIMITS, &limits, sizeof limits);
    node_t *n1 = new_neighbor(), *p1 = add(n1, new_path(false, 1)), *t1 = add(p1, legal_tcp(1)), *t2 = add(p1, legal_tcp(2));
    node_t *p2 = add(n1, new_path(false, 1)), *t3 = add(p2, legal_tcp(3));
    model_op(FLUE_TREE_INITIATE, n1);
    CHECK_EQ(n1->Status, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
    CHECK_EQ(p1->Status, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
    CHECK_EQ(t1->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(t2->Status, NDIS_STATUS_OFFLOAD_TCP_ENTRIES);
    CHECK_EQ(p2->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(t3->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(p2), FLUE_AD_DUPLICATE);
    model_close();
}

/* CH-017, CH-018, CH-039: linkers and placeholders on the firmware. */
TEST(linkers_and_placeholders_on_the_firmware)
{
    model_open(4, 4, 2);
    struct chain c = model_chain(1, 1);
    node_t *hold = make(NeighborOffloadState, 0, 0), *link = add(hold, refer_full(c.path));
    hold->MiniportOffloadContext = NULL;
    node_t *t2 = add(link, legal_tcp(2)), *t3 = add(link, legal_tcp(3));
    model_op(FLUE_TREE_INITIATE, hold);
    CHECK_EQ(hold->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(link->Status, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
    CHECK_EQ(t2->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(t3->Status, NDIS_STATUS_OFFLOAD_TCP_ENTRIES);
    node_t *again = refer_full(c.path), *t4 = add(again, legal_tcp(4));
    model_op(FLUE_TREE_INITIATE, again);
    CHECK_EQ(again->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(t4->Status, NDIS_STATUS_OFFLOAD_TCP_ENTRIES);
    node_t *empty = make(NeighborOffloadState, 0, 0);
    empty->MiniportOffloadContext = NULL;
    model_op(FLUE_TREE_INITIATE, empty);
    CHECK_EQ(empty->Status, NDIS_STATUS_SUCCESS);
    model_close();
}

/* CH-120, CH-142, CH-148: state goes down and comes back in a query and a terminate. */
TEST(state_round_trips_through_the_firmware)
{
    model_open(4, 4, 4);
    for (unsigned round = 0; round < 40; round++) {
        struct chain c = model_chain((uint8_t)(1 + round), (uint16_t)(1 + round));
        TCP_OFFLOAD_STATE_DELEGATED was, is;
        PATH_OFFLOAD_STATE_CONST pc;
        state_get(c.tcp, ALL, FLUE_TREE_DELEGATED, &was, sizeof was);
        node_t *q = refer(c.path, Ip4OffloadState, ALL), *qt = add(q, refer(c.tcp, TcpOffloadState, ALL));
        model_op(FLUE_TREE_QUERY, q);
        CHECK_EQ(q->Status, NDIS_STATUS_SUCCESS);
        CHECK_EQ(qt->Status, NDIS_STATUS_SUCCESS);
        state_get(q, ALL, FLUE_TREE_CONST, &pc, sizeof pc);
        CHECK_EQ(pc.SourceAddress[3], 1 + round);
        node_t *n = refer(c.neighbor, NeighborOffloadDelegatedState, FLUE_TREE_DELEGATED);
        node_t *p = add(n, refer(c.path, Ip4OffloadDelegatedState, FLUE_TREE_DELEGATED));
        node_t *t = add(p, refer(c.tcp, TcpOffloadDelegatedState, FLUE_TREE_DELEGATED));
        model_op(FLUE_TREE_TERMINATE, n);
        CHECK_EQ(n->Status, NDIS_STATUS_SUCCESS);
        CHECK_EQ(p->Status, NDIS_STATUS_SUCCESS);
        CHECK_EQ(t->Status, NDIS_STATUS_SUCCESS);
        state_get(t, FLUE_TREE_DELEGATED, FLUE_TREE_DELEGATED, &is, sizeof is);
        CHECK_EQ(is.State, was.State);
        CHECK_EQ(is.Flags, was.Flags);
        CHECK_EQ(is.RcvNxt, was.RcvNxt);
        CHECK_EQ(is.RcvWnd, was.RcvWnd);
        CHECK_EQ(is.SndUna, was.SndUna);
        CHECK_EQ(is.SndNxt, was.SndNxt);
        CHECK_EQ(is.SndMax, was.SndMax);
        CHECK_EQ(is.CWnd, was.CWnd);
        CHECK_EQ(is.Retransmit.Count, was.Retransmit.Count);
        CHECK_EQ(is.Retransmit.TimeoutDelta, FLUE_NDIS_NONE);
        CHECK(rig.fault == NULL);
    }
    model_close();
}

/* CH-126, CH-129, CH-137: cached state changes, a path moves, an invalidated object stays. */
TEST(updates_relinks_and_invalidation_on_the_firmware)
{
    model_open(4, 4, 4);
    struct chain c = model_chain(1, 1);
    node_t *n2 = new_neighbor(), *u, *q, *end;
    NEIGHBOR_OFFLOAD_STATE_CACHED mac = {.DlDestinationAddress = {1, 2, 3, 4, 5, 6}}, got;
    model_op(FLUE_TREE_INITIATE, n2);
    u = refer(c.neighbor, NeighborOffloadCachedState, FLUE_TREE_CACHED);
    state_set(u, FLUE_TREE_CACHED, FLUE_TREE_CACHED, &mac, sizeof mac);
    model_op(FLUE_TREE_UPDATE, u);
    CHECK_EQ(u->Status, NDIS_STATUS_SUCCESS);
    q = refer(c.neighbor, NeighborOffloadCachedState, FLUE_TREE_CACHED);
    model_op(FLUE_TREE_QUERY, q);
    state_get(q, FLUE_TREE_CACHED, FLUE_TREE_CACHED, &got, sizeof got);
    CHECK(memcmp(got.DlDestinationAddress, mac.DlDestinationAddress, 32) == 0);
    end = refer_full(c.neighbor);
    model_op(FLUE_TREE_TERMINATE, end);
    CHECK_EQ(end->Status, NDIS_STATUS_FAILURE);
    u = refer_full(n2);
    add(u, refer_full(c.path));
    model_op(FLUE_TREE_UPDATE, u);
    CHECK_EQ(u->DependentBlockList->Status, NDIS_STATUS_SUCCESS);
    end = refer_full(c.neighbor);
    model_op(FLUE_TREE_TERMINATE, end);
    CHECK_EQ(end->Status, NDIS_STATUS_SUCCESS);
    u = refer_full(n2);
    model_op(FLUE_TREE_INVALIDATE, u);
    CHECK_EQ(u->Status, NDIS_STATUS_SUCCESS);
    model_close();
}

static void pass(uint32_t us)
{
    CHECK_EQ(model->ops->wait(model, us), FLUE_OK);
}

static uint64_t now_us(void)
{
    uint64_t us;
    CHECK_EQ(flue_time_us(adapter, &us), FLUE_OK);
    return us;
}

/* Cached state of a connection, changed; every operation is as long as the queue takes, so times are looked at with a margin.
 */
static void update_tcp(struct chain c, const TCP_OFFLOAD_STATE_CACHED *cached)
{
    node_t *u = refer(c.tcp, TcpOffloadCachedState, FLUE_TREE_CACHED);
    state_set(u, FLUE_TREE_CACHED, FLUE_TREE_CACHED, cached, sizeof *cached);
    model_op(FLUE_TREE_UPDATE, u);
    CHECK_EQ(u->Status, NDIS_STATUS_SUCCESS);
}

static TCP_OFFLOAD_STATE_DELEGATED look(struct chain c, TCP_OFFLOAD_STATE_CACHED *cached)
{
    TCP_OFFLOAD_STATE_DELEGATED d;
    node_t *q = refer(c.tcp, TcpOffloadState, ALL);
    model_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_SUCCESS);
    state_get(q, ALL, FLUE_TREE_CACHED, cached, sizeof *cached);
    state_get(q, ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
    return d;
}

#define MARGIN_TICKS 20u /* what operations and looks take, at 1000 ticks a second */
#define CHECK_ABOUT(actual, expected)                                                                                          \
    CHECK((uint32_t)(actual) <= (uint32_t)(expected) && (uint32_t)(actual) + MARGIN_TICKS >= (uint32_t)(expected))

/* CH-130: keepalive begins and ends with the update that says so, and Nagle is what the last one said. */
TEST(keepalive_and_nagle_follow_an_update_at_once)
{
    TCP_OFFLOAD_STATE_CACHED on = {.Flags = TCP_FLAG_KEEP_ALIVE_ENABLED,
                                   .InitialRcvWnd = 65535,
                                   .TtlOrHopLimit = 64,
                                   .KaProbeCount = 5,
                                   .KaTimeout = 4000,
                                   .KaInterval = 1000},
                             off = on, is;
    off.Flags = TCP_FLAG_NAGLING_ENABLED;
    model_open(4, 4, 4);
    struct chain c = model_chain(1, 1);
    CHECK_EQ(look(c, &is).KeepAlive.TimeoutDelta, FLUE_NDIS_NONE);
    for (unsigned round = 0; round < 3; round++) {
        update_tcp(c, &on);
        CHECK_ABOUT(look(c, &is).KeepAlive.TimeoutDelta, 4000);
        CHECK_EQ(is.Flags, TCP_FLAG_KEEP_ALIVE_ENABLED);
        pass(500000);
        CHECK_ABOUT(look(c, &is).KeepAlive.TimeoutDelta, 3500);
        update_tcp(c, &off);
        CHECK_EQ(look(c, &is).KeepAlive.TimeoutDelta, FLUE_NDIS_NONE);
        CHECK_EQ(is.Flags, TCP_FLAG_NAGLING_ENABLED);
        pass(100000);
        CHECK_EQ(look(c, &is).KeepAlive.TimeoutDelta, FLUE_NDIS_NONE);
    }
    model_close();
}

/* CH-131: a command among the flags acts with its own update, not with later ones; a new window target touches no sequence. */
TEST(commands_among_the_flags_act_once)
{
    TCP_OFFLOAD_STATE_CACHED base = {.Flags = TCP_FLAG_KEEP_ALIVE_ENABLED,
                                     .InitialRcvWnd = 65535,
                                     .TtlOrHopLimit = 64,
                                     .KaProbeCount = 5,
                                     .KaTimeout = 4000,
                                     .KaInterval = 1000,
                                     .MaxRT = 9000},
                             next, is;
    TCP_OFFLOAD_STATE_DELEGATED before, d;
    model_open(4, 4, 4);
    struct chain c = {new_neighbor(), new_path(false, 1), legal_tcp(1)};
    state_get(c.tcp, ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
    d.TotalRT = 777;
    d.KeepAlive.ProbeCount = 3;
    state_set(c.tcp, ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
    state_set(c.tcp, ALL, FLUE_TREE_CACHED, &base, sizeof base);
    add(c.neighbor, c.path);
    add(c.path, c.tcp);
    model_op(FLUE_TREE_INITIATE, c.neighbor);
    CHECK_EQ(c.tcp->Status, NDIS_STATUS_SUCCESS);

    next = base;
    next.Flags |= TCP_FLAG_KEEP_ALIVE_RESTART;
    update_tcp(c, &next);
    d = look(c, &is);
    CHECK_ABOUT(d.KeepAlive.TimeoutDelta, 4000);
    CHECK_EQ(d.KeepAlive.ProbeCount, 0);
    CHECK_EQ(d.TotalRT, 777); /* of the other command */
    pass(1000000);
    next = base;
    next.TosOrTrafficClass = 8;
    update_tcp(c, &next); /* of something else: the timing goes on */
    CHECK_ABOUT(look(c, &is).KeepAlive.TimeoutDelta, 3000);
    CHECK_EQ(is.TosOrTrafficClass, 8);
    pass(1000000);
    CHECK_ABOUT(look(c, &is).KeepAlive.TimeoutDelta, 2000);

    next.Flags |= TCP_FLAG_MAX_RT_RESTART;
    update_tcp(c, &next);
    CHECK_EQ(look(c, &is).TotalRT, 0);

    before = look(c, &is);
    next = base;
    next.Flags |= TCP_FLAG_UPDATE_RCV_WND;
    next.InitialRcvWnd = 100000;
    next.TosOrTrafficClass = 8;
    update_tcp(c, &next);
    d = look(c, &is);
    CHECK_EQ(is.InitialRcvWnd, 100000);
    CHECK_EQ(d.RcvNxt, before.RcvNxt);
    CHECK(d.RcvWnd >= before.RcvWnd); /* its edge never retreats */
    next.Flags &= (uint16_t)~TCP_FLAG_UPDATE_RCV_WND;
    update_tcp(c, &next);
    CHECK_EQ(look(c, &is).RcvWnd, d.RcvWnd);
    model_close();
}

/* CH-143: smoothed times come back in the units they came in, up to what 16 bits hold. */
TEST(smoothed_times_keep_their_units)
{
    static const uint16_t values[] = {0, 1, 7, 8, 255, 256, 32767, 32768, 65534, 65535};
    enum { COUNT = sizeof values / sizeof values[0] };
    TCP_OFFLOAD_STATE_DELEGATED d;
    model_open(4, 4, COUNT * 2);
    node_t *n = new_neighbor(), *p = add(n, new_path(false, 1)), *tcp[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        tcp[i] = add(p, legal_tcp((uint16_t)(i + 1)));
        state_get(tcp[i], ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
        d.SRtt = values[i];
        d.RttVar = values[COUNT - 1 - i];
        state_set(tcp[i], ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
    }
    model_op(FLUE_TREE_INITIATE, n);
    pass(5000000);
    for (unsigned i = 0; i < COUNT; i++) {
        node_t *t = refer(tcp[i], TcpOffloadDelegatedState, FLUE_TREE_DELEGATED);
        model_op(FLUE_TREE_TERMINATE, t);
        CHECK_EQ(t->Status, NDIS_STATUS_SUCCESS);
        state_get(t, FLUE_TREE_DELEGATED, FLUE_TREE_DELEGATED, &d, sizeof d);
        CHECK_EQ(d.SRtt, values[i]);
        CHECK_EQ(d.RttVar, values[COUNT - 1 - i]);
    }
    model_close();
}

/* CH-144: the connection's time stamp clock goes on with the adapter's, in ticks of every rate, over its wrap too. */
TEST(the_time_stamp_clock_goes_on)
{
    static const uint32_t rates[] = {10, 100, 1000}, starts[] = {77, 0xFFFFFFF0u};
    struct flue_cfg_connection rate;
    struct flue_sqe get = {.word0 = FLUE_OP_GET_CONFIG, .arg = {FLUE_CFG_CONNECTION}};
    struct flue_admin_done done;
    TCP_OFFLOAD_STATE_DELEGATED d;
    for (unsigned r = 0; r < 3; r++)
        for (unsigned s = 0; s < 2; s++) {
            model_open(4, 4, 4);
            CHECK_EQ(flue_admin_call(bridge.admin, &get, &rate, sizeof rate, &done), FLUE_OK);
            rate.ticks_per_second = htole32(rates[r]);
            set_config(FLUE_CFG_CONNECTION, &rate, sizeof rate);
            struct chain c = {new_neighbor(), new_path(false, 1), legal_tcp(1)};
            state_get(c.tcp, ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
            d.TsTime = starts[s];
            state_set(c.tcp, ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
            add(c.neighbor, c.path);
            add(c.path, c.tcp);
            uint64_t first = now_us();
            model_op(FLUE_TREE_INITIATE, c.neighbor);
            CHECK_EQ(c.tcp->Status, NDIS_STATUS_SUCCESS);
            uint64_t after = now_us();
            pass(3000000 + check_random(1000000));
            uint64_t before = now_us();
            node_t *t = refer(c.tcp, TcpOffloadDelegatedState, FLUE_TREE_DELEGATED);
            model_op(FLUE_TREE_TERMINATE, t);
            uint64_t last = now_us(), tick_us = 1000000 / rates[r];
            state_get(t, FLUE_TREE_DELEGATED, FLUE_TREE_DELEGATED, &d, sizeof d);
            uint32_t ticks = d.TsTime - starts[s];
            CHECK(ticks >= (before - after) / tick_us && ticks <= (last - first) / tick_us + 1);
            model_close();
        }
}

/* CH-020, CH-031: 10,000 nodes through the firmware's window. */
TEST(a_tree_of_ten_thousand_nodes_on_the_firmware)
{
    model_open(16, 64, 256);
    node_t *root = new_neighbor(), *p = add(root, new_path(false, 1)), **at = &p->DependentBlockList;
    for (unsigned i = 0; i < 9998; i++, at = &(*at)->NextBlock)
        *at = legal_tcp((uint16_t)(i + 1));
    unsigned count = rig.count;
    model_op(FLUE_TREE_INITIATE, root);
    for (unsigned i = 2; i < count; i++)
        CHECK_EQ(rig.nodes[i]->Status, i < 2 + 256 ? NDIS_STATUS_SUCCESS : NDIS_STATUS_OFFLOAD_TCP_ENTRIES);
    CHECK_EQ(p->Status, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
    CHECK_EQ(root->Status, NDIS_STATUS_SUCCESS);
    model_close();
}

/* CH-151: a bit flipped in a connection's row ends in a report and one completion. */
TEST(a_flipped_bit_is_reported_to_the_host)
{
    model_open(4, 4, 4);
    struct chain c = model_chain(1, 1);
    struct flue_target_object object;
    CHECK_EQ(flue_target_object(rig.target, *c.tcp->MiniportOffloadContext, &object), FLUE_OK);
    flue_model_flip(model, FLUE_TBL_CONNECTION, FLUE_GET(HANDLE_INDEX, object.handle), 20, 3);
    rig.note_count = 0;
    node_t *q = refer(c.tcp, TcpOffloadState, ALL), *t = refer_full(c.tcp);
    model_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    CHECK(rig.note_count >= 3);
    model_op(FLUE_TREE_TERMINATE, t);
    model_close();
}

static struct flue_object seen[600];
static unsigned seen_count;

static void see(void *ctx, const struct flue_object *object)
{
    (void)ctx;
    CHECK(seen_count < 600);
    seen[seen_count++] = *object;
}

/* CH-120: what the device holds is told from the device itself: handles, parents, addresses, ports. */
TEST(objects_are_listed_with_their_addresses_and_ports)
{
    model_open(16, 200, 200);
    struct chain c = model_chain(1, 0x5000); /* 80, as a network has it */
    node_t *six = refer_full(c.neighbor), *p6 = add(six, new_path(true, 9));
    for (unsigned i = 0; i < 150; i++)
        add(p6, legal_tcp((uint16_t)(i << 8)));
    model_op(FLUE_TREE_INITIATE, six);
    seen_count = 0;
    CHECK_EQ(flue_objects_list(bridge.admin, see, NULL), FLUE_OK);
    CHECK_EQ(seen_count, 1 + 2 + 151);
    CHECK_EQ(seen[0].layer, FLUE_LAYER_NEIGHBOR);
    CHECK_EQ(seen[0].handle, device_handle(c.neighbor));
    CHECK_EQ(seen[0].host_handle, (uintptr_t)c.neighbor->NdisOffloadHandle);
    CHECK_EQ(seen[0].dependents, 2);
    CHECK(seen[0].key && seen[0].parent == 0 && seen[0].state == FLUE_ROW_LIVE);
    CHECK(seen[1].key && !seen[1].ipv6 && memcmp(seen[1].local, (uint8_t[]){10, 11, 12, 1}, 4) == 0);
    CHECK_EQ(memcmp(seen[1].remote, (uint8_t[]){200, 199, 198, 197}, 4), 0);
    CHECK_EQ(seen[2].handle, device_handle(p6));
    CHECK(seen[2].key && seen[2].ipv6);
    CHECK_EQ(memcmp(seen[2].local, rig.addresses[3 + 1], 16), 0); /* the node made fifth */
    CHECK_EQ(seen[2].parent, seen[0].handle);
    CHECK_EQ(seen[3].handle, device_handle(c.tcp));
    CHECK_EQ(seen[3].remote_port, 0x50);
    CHECK_EQ(seen[3].local_port, 80u << 8);
    for (unsigned i = 0; i < 150; i++) {
        CHECK(seen[4 + i].key && seen[4 + i].state == FLUE_ROW_RUNNING);
        CHECK_EQ(seen[4 + i].parent, seen[2].handle);
        CHECK_EQ(seen[4 + i].remote_port, i);
    }
    flue_model_flip(model, FLUE_TBL_CONNECTION, FLUE_GET(HANDLE_INDEX, seen[3].handle), 9, 3);
    seen_count = 0;
    CHECK_EQ(flue_objects_list(bridge.admin, see, NULL), FLUE_OK);
    CHECK_EQ(seen_count, 154);
    CHECK(!seen[3].key);
    model_op(FLUE_TREE_TERMINATE, refer_full(c.tcp));
    model_close();
}

/* CH-152: nothing is left over after many lives. */
TEST(many_lives_on_the_firmware_leak_nothing)
{
    model_open(2, 2, 2);
    struct chain c = model_chain(1, 1);
    for (unsigned round = 0; round < 2000; round++) {
        c.tcp->Header.Type = TcpOffloadState;
        model_op(FLUE_TREE_TERMINATE, c.tcp);
        CHECK_EQ(c.tcp->Status, NDIS_STATUS_SUCCESS);
        *c.tcp->MiniportOffloadContext = NULL;
        node_t link = {.Header = {.Type = Ip4OffloadState, .Size = sizeof link}};
        link.MiniportOffloadContext = c.path->MiniportOffloadContext;
        link.DependentBlockList = c.tcp;
        model_op(FLUE_TREE_INITIATE, &link);
        CHECK_EQ(link.Status, NDIS_STATUS_SUCCESS);
    }
    model_close();
}
