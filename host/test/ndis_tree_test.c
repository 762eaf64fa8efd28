/* Trees: what is walked, what is refused, and every field there and back. */
#include <arpa/inet.h>
#include "ndis_rig.h"

/* ---- what is refused --------------------------------------------------------------------------------------------- */

/* CH-016, CH-022: the worked example of chimney.md 3.3. */
TEST(the_worked_example_gives_the_listed_statuses)
{
    rig_open(4, 4, 4);
    node_t *n1 = new_neighbor(), *p1 = add(n1, new_path(false, 1)), *t1 = add(p1, new_tcp(1)), *t2 = add(p1, new_tcp(2));
    node_t *p2 = add(n1, new_path(false, 2)), *t3 = add(p2, new_tcp(3));
    rig.fake->refuse_ports = htons(2) | (uint32_t)htons(80) << 16;
    rig.fake->refuse_status = NDIS_STATUS_RESOURCES;
    rig.fake->refuse_source = 10 | 11 << 8 | 12 << 16 | 2u << 24;
    run_op(FLUE_TREE_INITIATE, n1);
    CHECK_EQ(n1->Status, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
    CHECK_EQ(p1->Status, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
    CHECK_EQ(t1->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(t2->Status, NDIS_STATUS_RESOURCES);
    CHECK_EQ(p2->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(t3->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(t3), FLUE_AD_PARENT);
    /* CH-023 */
    CHECK(*n1->MiniportOffloadContext != NULL && *p1->MiniportOffloadContext != NULL && *t1->MiniportOffloadContext != NULL);
    CHECK(*t2->MiniportOffloadContext == NULL && *p2->MiniportOffloadContext == NULL && *t3->MiniportOffloadContext == NULL);
    rig_close();
}

static void expect_whole_refusal(node_t *root)
{
    unsigned before = rig.fake->commands;
    run_op(FLUE_TREE_INITIATE, root);
    CHECK_EQ(rig.fake->commands, before);
    CHECK_EQ(root->Status, NDIS_STATUS_FAILURE);
    for (unsigned i = 0; i < rig.count; i++)
        CHECK(rig.cells[i] == NULL);
}

/* CH-016: a broken tree still completes, with a status in every node that can be reached. */
TEST(lists_that_loop_refuse_the_whole_tree)
{
    rig_open(4, 4, 4);
    node_t *n = new_neighbor(), *p = add(n, new_path(false, 1)), *t = add(p, new_tcp(1));
    t->NextBlock = t;
    expect_whole_refusal(n);
    CHECK_EQ(t->Status, NDIS_STATUS_FAILURE);
    t->NextBlock = NULL;
    p->NextBlock = p;
    expect_whole_refusal(n);
    p->NextBlock = NULL;
    t->DependentBlockList = n;
    expect_whole_refusal(n);
    t->DependentBlockList = NULL;
    node_t *p2 = add(n, new_path(false, 2));
    p2->DependentBlockList = t; /* shared */
    expect_whole_refusal(n);
    p2->DependentBlockList = NULL;
    n->NextBlock = p;
    expect_whole_refusal(n);
    n->NextBlock = NULL;
    t->Header.Size = 148;
    expect_whole_refusal(n);
    rig_close();
}

/* CH-021: what is wrong in one node is that node's, and its dependents'; the walk goes on. */
TEST(a_wrong_node_is_refused_alone_with_its_dependents)
{
    rig_open(4, 8, 8);
    node_t *n = new_neighbor(), *p1 = add(n, new_path(false, 1)), *t1 = add(p1, new_tcp(1));
    node_t *below = add(t1, new_tcp(9)); /* nothing depends on a connection */
    node_t *t2 = add(p1, new_tcp(2));
    node_t *wrong = add(n, new_tcp(3)); /* a connection below a neighbor */
    node_t *p2 = add(n, new_path(false, 2)), *t4 = add(p2, new_tcp(4)), *t5 = add(p2, new_tcp(5));
    t4->Header.Type = TcpOffloadResourceState;
    t5->Header.Type = TcpOffloadCachedState; /* a new object needs all its state */
    run_op(FLUE_TREE_INITIATE, n);
    CHECK_EQ(below->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(below), FLUE_AD_PARENT);
    CHECK_EQ(t1->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(t1), FLUE_AD_DEPTH);
    CHECK_EQ(t2->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(wrong->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(wrong), FLUE_AD_DEPTH);
    CHECK_EQ(flue_target_detail(t4), FLUE_AD_TYPE);
    CHECK_EQ(flue_target_detail(t5), FLUE_AD_TYPE);
    /* CH-019: the device never saw them, their parents know */
    CHECK_EQ(p2->Status, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
    CHECK_EQ(n->Status, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
    CHECK_EQ(p1->Status, NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
    rig_close();
}

/* CH-009: a Length that cannot be right refuses its node. */
TEST(a_state_length_that_cannot_be_right_is_refused)
{
    static const uint32_t lengths[] = {0, 4, 43, 40, 45, 1024, 0xFFFFFFFF, 0xFFFFFFFC};
    rig_open(64, 4, 4);
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        node_t *n = new_neighbor();
        memcpy(flue_tree_node_state(n, ALL, FLUE_TREE_CONST), &lengths[i], 4);
        run_op(FLUE_TREE_INITIATE, n);
        CHECK_EQ(n->Status, NDIS_STATUS_FAILURE);
        CHECK_EQ(flue_target_detail(n), FLUE_AD_LENGTH);
        CHECK(*n->MiniportOffloadContext == NULL);
    }
    CHECK_EQ(rig.fake->commands, 0);
    rig_close();
}

/* CH-017: a placeholder is always SUCCESS. */
TEST(a_placeholder_is_success_whatever_its_dependents_get)
{
    rig_open(4, 4, 0);
    struct flue_target_stats stats;
    node_t *n = new_neighbor(), *p = add(n, new_path(false, 1));
    run_op(FLUE_TREE_INITIATE, n);
    node_t *hold = make(NeighborOffloadState, 0, 0), *link = add(hold, refer_full(p)), *t = add(link, new_tcp(1));
    hold->MiniportOffloadContext = NULL;
    run_op(FLUE_TREE_INITIATE, hold);
    CHECK_EQ(hold->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(link->Status, NDIS_STATUS_FAILURE);          /* CH-018: none of its dependents */
    CHECK_EQ(t->Status, NDIS_STATUS_OFFLOAD_TCP_ENTRIES); /* CH-031 */
    node_t *alone = make(NeighborOffloadState, 0, 0);
    alone->MiniportOffloadContext = NULL;
    run_op(FLUE_TREE_INITIATE, alone);
    CHECK_EQ(alone->Status, NDIS_STATUS_SUCCESS);
    flue_target_stats(rig.target, &stats);
    CHECK_EQ(stats.objects[1] + stats.objects[2], 2);
    rig_close();
}

/* CH-023: two new nodes with one cell cannot both be taken. */
TEST(two_new_nodes_with_one_cell_are_found)
{
    rig_open(4, 4, 4);
    node_t *a = new_neighbor(), *b = new_neighbor();
    a->NextBlock = b;
    b->MiniportOffloadContext = a->MiniportOffloadContext;
    run_op(FLUE_TREE_INITIATE, a);
    CHECK_EQ(a->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(b->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(b), FLUE_AD_DUPLICATE);
    CHECK_EQ(fake_used(rig.fake, 1), 1);
    rig_close();
}

/* CH-026: what is not ours stays. */
TEST(reserved_members_are_untouched)
{
    rig_open(4, 4, 4);
    node_t *n = new_neighbor(), before;
    n->ProtocolReserved[0] = n->ProtocolReserved[1] = (void *)0x11;
    n->ImReserved[0] = n->ImReserved[1] = (void *)0x22;
    n->NdisReserved[0] = n->NdisReserved[1] = (void *)0x33;
    n->SourceHandle = (void *)0x44;
    n->PortNumber = 55;
    before = *n;
    run_op(FLUE_TREE_INITIATE, n);
    CHECK(memcmp(before.ProtocolReserved, n->ProtocolReserved, sizeof before.ProtocolReserved) == 0);
    CHECK(memcmp(before.ImReserved, n->ImReserved, sizeof before.ImReserved) == 0);
    CHECK(memcmp(before.NdisReserved, n->NdisReserved, sizeof before.NdisReserved) == 0);
    CHECK(before.SourceHandle == n->SourceHandle && before.PortNumber == n->PortNumber);
    CHECK(before.NdisOffloadHandle == n->NdisOffloadHandle && before.MiniportOffloadContext == n->MiniportOffloadContext);
    CHECK(memcmp(&before.Header, &n->Header, sizeof before.Header) == 0);
    rig_close();
}

/* CH-016: without memory every node has its status all the same. */
TEST(a_tree_is_marked_without_memory_even_when_it_loops)
{
    rig_open(4, 4, 4);
    node_t *n = new_neighbor(), *p = add(n, new_path(false, 1)), *t = add(p, new_tcp(1)), *t2 = add(p, new_tcp(2));
    void tree_mark(enum flue_tree_op op, node_t * root);
    tree_mark(FLUE_TREE_INITIATE, n);
    CHECK_EQ(n->Status, NDIS_STATUS_RESOURCES);
    CHECK_EQ(p->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(t->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(t2->Status, NDIS_STATUS_FAILURE);
    t2->NextBlock = t;
    n->NextBlock = n;
    tree_mark(FLUE_TREE_INITIATE, n);
    rig_close();
}

/* ---- size and order ---------------------------------------------------------------------------------------------- */

/* CH-020: depth first, then next, any length. */
TEST(a_tree_of_ten_thousand_nodes_is_taken_and_terminated)
{
    enum { NEIGHBORS = 10, PATHS = 10, TCPS = 99 };
    rig_open(NEIGHBORS, NEIGHBORS * PATHS, 9000);
    node_t *root = NULL, **at = &root, *back = NULL, **back_at = &back;
    unsigned taken = 0;
    for (unsigned i = 0; i < NEIGHBORS; i++) {
        node_t *n = new_neighbor(), *last = NULL;
        *at = n;
        at = &n->NextBlock;
        for (unsigned j = 0; j < PATHS; j++) {
            node_t *p = add(n, new_path(false, (uint8_t)j)), **t = &p->DependentBlockList;
            for (unsigned k = 0; k < TCPS; k++, t = &(*t)->NextBlock)
                *t = last = new_tcp((uint16_t)(k + 1));
        }
        CHECK(last != NULL);
    }
    unsigned count = rig.count;
    CHECK(count >= 10000);
    run_op(FLUE_TREE_INITIATE, root);
    for (unsigned i = 0; i < count; i++) {
        bool tcp = flue_tree_layer(rig.nodes[i]->Header.Type) == FLUE_LAYER_TCP;
        if (tcp && taken == 9000) {
            CHECK_EQ(rig.nodes[i]->Status, NDIS_STATUS_OFFLOAD_TCP_ENTRIES); /* the first N in walk order (CH-020) */
            CHECK(rig.cells[i] == NULL);
        } else if (tcp) {
            CHECK_EQ(rig.nodes[i]->Status, NDIS_STATUS_SUCCESS);
            taken++;
        }
    }
    /* CH-149: one tree that holds everything */
    for (node_t *n = root; n != NULL; n = n->NextBlock) {
        *back_at = refer_full(n);
        for (node_t *p = n->DependentBlockList; p != NULL; p = p->NextBlock) {
            node_t *bp = add(*back_at, refer_full(p)), **bt = &bp->DependentBlockList;
            for (node_t *t = p->DependentBlockList; t != NULL; t = t->NextBlock)
                if (*t->MiniportOffloadContext != NULL) {
                    *bt = refer_full(t);
                    bt = &(*bt)->NextBlock;
                }
        }
        back_at = &(*back_at)->NextBlock;
    }
    run_op(FLUE_TREE_TERMINATE, back);
    CHECK_EQ(back->Status, NDIS_STATUS_SUCCESS);
    for (unsigned layer = 1; layer < 4; layer++)
        CHECK_EQ(fake_used(rig.fake, layer), 0);
    CHECK(rig.fault == NULL);
    rig_close();
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

static uint32_t any(void)
{
    return check_random(65536) << 16 | check_random(65536);
}

static void random_bytes(void *out, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)out)[i] = (uint8_t)check_random(256);
}

struct values {
    NEIGHBOR_OFFLOAD_STATE_CONST nc;
    NEIGHBOR_OFFLOAD_STATE_CACHED nh;
    NEIGHBOR_OFFLOAD_STATE_DELEGATED nd;
    PATH_OFFLOAD_STATE_CACHED ph;
    uint8_t addresses[2][16];
    TCP_OFFLOAD_STATE_CONST tc;
    TCP_OFFLOAD_STATE_CACHED th;
    TCP_OFFLOAD_STATE_DELEGATED td;
};

static void draw(struct values *v)
{
    memset(v, 0, sizeof *v);
    random_bytes(v->nc.DlSourceAddress, 6);
    v->nc.VlanId = check_random(4096) & 0xFFFu;
    random_bytes(v->nh.DlDestinationAddress, 6);
    v->nh.HostReachabilityDelta = any();
    v->nd.NicReachabilityDelta = any();
    v->ph.PathMtu = any();
    random_bytes(v->addresses, sizeof v->addresses);
    v->tc = (TCP_OFFLOAD_STATE_CONST){.Flags = (uint16_t)any(),
                                      .RemotePort = (uint16_t)any(),
                                      .LocalPort = (uint16_t)any(),
                                      .RemoteMss = (uint16_t)any(),
                                      .HashValue = any()};
    v->tc.SndWindScale = check_random(16) & 15u;
    v->tc.RcvWindScale = check_random(16) & 15u;
    v->th = (TCP_OFFLOAD_STATE_CACHED){.Flags = (uint16_t)any(),
                                       .InitialRcvWnd = any(),
                                       .RcvIndicationSize = any(),
                                       .KaProbeCount = (uint8_t)any(),
                                       .KaTimeout = any(),
                                       .KaInterval = any(),
                                       .MaxRT = any(),
                                       .TtlOrHopLimit = (uint8_t)any(),
                                       .TosOrTrafficClass = (uint8_t)any()};
    v->th.FlowLabel = any() & 0xFFFFFu;
    v->th.UserPriority = check_random(8) & 7u;
    v->td = (TCP_OFFLOAD_STATE_DELEGATED){.State = (TCP_OFFLOAD_CONNECTION_STATE)(4 + check_random(6)),
                                          .Flags = (uint16_t)any(),
                                          .RcvNxt = any(),
                                          .RcvWnd = any(),
                                          .SndUna = any(),
                                          .SndWnd = any(),
                                          .MaxSndWnd = any(),
                                          .SendWL1 = any(),
                                          .CWnd = any(),
                                          .SsThresh = any(),
                                          .SRtt = (uint16_t)any(),
                                          .RttVar = (uint16_t)any(),
                                          .TsRecent = any(),
                                          .TsRecentAge = any(),
                                          .TsTime = any(),
                                          .TotalRT = any(),
                                          .DupAckCount = (uint8_t)any(),
                                          .SndWndProbeCount = (uint8_t)any(),
                                          .KeepAlive = {.ProbeCount = (uint8_t)any(), .TimeoutDelta = any()},
                                          .Retransmit = {.Count = (uint8_t)any(), .TimeoutDelta = any()},
                                          .DWnd = any()};
    v->td.SndNxt = v->td.SndUna + check_random(50000);
    v->td.SndMax = v->td.SndNxt + check_random(50000);
}

#define SAME(a, b, member) CHECK_EQ((a).member, (b).member)

static void same_delegated(const TCP_OFFLOAD_STATE_DELEGATED *a, const TCP_OFFLOAD_STATE_DELEGATED *b, bool dwnd)
{
    SAME(*a, *b, State);
    SAME(*a, *b, Flags);
    SAME(*a, *b, RcvNxt);
    SAME(*a, *b, RcvWnd);
    SAME(*a, *b, SndUna);
    SAME(*a, *b, SndNxt);
    SAME(*a, *b, SndMax);
    SAME(*a, *b, SndWnd);
    SAME(*a, *b, MaxSndWnd);
    SAME(*a, *b, SendWL1);
    SAME(*a, *b, CWnd);
    SAME(*a, *b, SsThresh);
    SAME(*a, *b, SRtt);
    SAME(*a, *b, RttVar);
    SAME(*a, *b, TsRecent);
    SAME(*a, *b, TsRecentAge);
    SAME(*a, *b, TsTime);
    SAME(*a, *b, TotalRT);
    SAME(*a, *b, DupAckCount);
    SAME(*a, *b, SndWndProbeCount);
    SAME(*a, *b, KeepAlive.ProbeCount);
    SAME(*a, *b, KeepAlive.TimeoutDelta);
    SAME(*a, *b, Retransmit.Count);
    SAME(*a, *b, Retransmit.TimeoutDelta);
    if (dwnd)
        SAME(*a, *b, DWnd);
}

static void fill(node_t *n, node_t *p, node_t *t, const struct values *v, uint8_t (*address)[16])
{
    PATH_OFFLOAD_STATE_CONST pc = {.SourceAddress = address[0], .DestinationAddress = address[1]};
    memcpy(address, v->addresses, 32);
    state_set(n, ALL, 1, &v->nc, sizeof v->nc);
    state_set(n, ALL, 2, &v->nh, sizeof v->nh);
    state_set(n, ALL, 4, &v->nd, sizeof v->nd);
    state_set(p, ALL, 1, &pc, sizeof pc);
    state_set(p, ALL, 2, &v->ph, sizeof v->ph);
    state_set(t, ALL, 1, &v->tc, sizeof v->tc);
    state_set(t, ALL, 2, &v->th, sizeof v->th);
    state_set(t, ALL, 4, &v->td, sizeof v->td);
}

/* A query tree of the same objects: all state, of any shape. */
static void check_query(const struct chain *c, const struct values *v, bool ipv6, unsigned shape)
{
    struct values q = {0};
    PATH_OFFLOAD_STATE_CONST pc;
    node_t *n = make(NeighborOffloadState, ALL, shape), *p = add(n, make(ipv6 ? Ip6OffloadState : Ip4OffloadState, ALL, shape));
    node_t *t = add(p, make(TcpOffloadState, ALL, shape));
    n->MiniportOffloadContext = c->neighbor->MiniportOffloadContext;
    p->MiniportOffloadContext = c->path->MiniportOffloadContext;
    t->MiniportOffloadContext = c->tcp->MiniportOffloadContext;
    run_op(FLUE_TREE_QUERY, n);
    CHECK_EQ(n->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(t->Status, NDIS_STATUS_SUCCESS);
    state_get(n, ALL, 1, &q.nc, sizeof q.nc);
    state_get(n, ALL, 2, &q.nh, sizeof q.nh);
    state_get(n, ALL, 4, &q.nd, sizeof q.nd);
    state_get(p, ALL, 1, &pc, sizeof pc);
    state_get(p, ALL, 2, &q.ph, sizeof q.ph);
    state_get(t, ALL, 1, &q.tc, sizeof q.tc);
    state_get(t, ALL, 2, &q.th, sizeof q.th);
    state_get(t, ALL, 4, &q.td, sizeof q.td);
    CHECK(memcmp(q.nc.DlSourceAddress, v->nc.DlSourceAddress, 32) == 0);
    SAME(q.nc, v->nc, VlanId);
    CHECK(memcmp(q.nh.DlDestinationAddress, v->nh.DlDestinationAddress, 32) == 0);
    SAME(q.nh, v->nh, HostReachabilityDelta);
    SAME(q.nd, v->nd, NicReachabilityDelta);
    SAME(q.ph, v->ph, PathMtu);
    CHECK(memcmp(pc.SourceAddress, v->addresses[0], ipv6 ? 16 : 4) == 0);
    CHECK(memcmp(pc.DestinationAddress, v->addresses[1], ipv6 ? 16 : 4) == 0);
    SAME(q.tc, v->tc, Flags);
    SAME(q.tc, v->tc, RemotePort);
    SAME(q.tc, v->tc, LocalPort);
    SAME(q.tc, v->tc, SndWindScale);
    SAME(q.tc, v->tc, RcvWindScale);
    SAME(q.tc, v->tc, RemoteMss);
    SAME(q.tc, v->tc, HashValue);
    SAME(q.th, v->th, Flags);
    SAME(q.th, v->th, InitialRcvWnd);
    SAME(q.th, v->th, RcvIndicationSize);
    SAME(q.th, v->th, KaProbeCount);
    SAME(q.th, v->th, KaTimeout);
    SAME(q.th, v->th, KaInterval);
    SAME(q.th, v->th, MaxRT);
    SAME(q.th, v->th, FlowLabel);
    SAME(q.th, v->th, TtlOrHopLimit);
    SAME(q.th, v->th, TosOrTrafficClass);
    SAME(q.th, v->th, UserPriority);
    same_delegated(&q.td, &v->td, (shape & FLUE_TREE_NO_DWND) == 0);
}

/* CH-007, CH-009, CH-027, CH-120, CH-142: every field, packed, padded, with and without DWnd, IPv4 and IPv6. */
TEST(every_field_comes_back_from_query_and_terminate)
{
    for (unsigned round = 0; round < 60; round++) {
        unsigned shape = round & 3;
        bool ipv6 = (round & 4) != 0, dwnd = (shape & FLUE_TREE_NO_DWND) == 0;
        struct values v;
        TCP_OFFLOAD_STATE_DELEGATED back;
        rig_open(2, 2, 2);
        draw(&v);
        if (!dwnd)
            v.td.DWnd = 0;
        struct chain c = {make(NeighborOffloadState, ALL, shape), make(ipv6 ? Ip6OffloadState : Ip4OffloadState, ALL, shape),
                          make(TcpOffloadState, ALL, shape)};
        uint8_t(*address)[16] = malloc(32);
        add(c.neighbor, c.path);
        add(c.path, c.tcp);
        fill(c.neighbor, c.path, c.tcp, &v, address);
        run_op(FLUE_TREE_INITIATE, c.neighbor);
        free(address); /* CH-027 */
        CHECK_EQ(c.tcp->Status, NDIS_STATUS_SUCCESS);
        for (unsigned s = 0; s < 4; s++)
            check_query(&c, &v, ipv6, s);
        node_t *n = refer(c.neighbor, NeighborOffloadDelegatedState, FLUE_TREE_DELEGATED);
        node_t *p = add(n, refer(c.path, ipv6 ? Ip6OffloadDelegatedState : Ip4OffloadDelegatedState, FLUE_TREE_DELEGATED));
        node_t *t = add(p, refer(c.tcp, TcpOffloadDelegatedState, FLUE_TREE_DELEGATED));
        run_op(FLUE_TREE_TERMINATE, n);
        CHECK_EQ(n->Status, NDIS_STATUS_SUCCESS);
        state_get(t, FLUE_TREE_DELEGATED, FLUE_TREE_DELEGATED, &back, sizeof back);
        same_delegated(&back, &v.td, dwnd);
        CHECK(back.SendDataHead == NULL && back.SendDataTail == NULL && back.BufferedData == NULL);
        CHECK(t->NetBufferListChain == NULL);
        CHECK_EQ(fake_used(rig.fake, 1) + fake_used(rig.fake, 2) + fake_used(rig.fake, 3), 0);
        CHECK(rig.fault == NULL);
        rig_close();
    }
}

/* CH-019, CH-021, CH-023: random trees against a walk of their own. */
TEST(random_trees_get_consistent_statuses)
{
    for (unsigned round = 0; round < 200; round++) {
        rig_open(1 + check_random(6), 1 + check_random(12), 1 + check_random(20));
        node_t *root = NULL, **at = &root;
        for (unsigned i = 1 + check_random(5); i > 0; i--) {
            node_t *n = new_neighbor();
            *at = n;
            at = &n->NextBlock;
            for (unsigned j = check_random(5); j > 0; j--) {
                node_t *p = add(n, new_path(check_random(2) != 0, (uint8_t)any()));
                for (unsigned k = check_random(6); k > 0; k--)
                    add(p, new_tcp((uint16_t)any()))->Header.Type = check_random(8) == 0 ? 99 : TcpOffloadState;
            }
        }
        run_op(FLUE_TREE_INITIATE, root);
        for (unsigned i = 0; i < rig.count; i++) {
            node_t *n = rig.nodes[i];
            bool taken = n->Status == NDIS_STATUS_SUCCESS || n->Status == NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS, all = true;
            CHECK(n->Status != (NDIS_STATUS)0x12345678);
            CHECK_EQ(rig.cells[i] != NULL, taken);
            for (node_t *d = n->DependentBlockList; d != NULL; d = d->NextBlock) {
                all = all && (d->Status == NDIS_STATUS_SUCCESS || d->Status == NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
                if (!taken)
                    CHECK_EQ(d->Status, NDIS_STATUS_FAILURE);
            }
            if (taken)
                CHECK_EQ(n->Status, all ? NDIS_STATUS_SUCCESS : NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
        }
        CHECK(rig.fault == NULL);
        CHECK_EQ(flue_target_upload_all(rig.target), FLUE_OK);
        rig_work();
        CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
        CHECK_EQ(fake_used(rig.fake, 1) + fake_used(rig.fake, 2) + fake_used(rig.fake, 3), 0);
        rig_close();
    }
}
