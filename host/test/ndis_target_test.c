/* The target: contexts, order, pauses, indications. */
#include "ndis_packets.h"

/* ---- operations -------------------------------------------------------------------------------------------------- */

/* CH-015, CH-036, CH-124: many at once, each completed once with its root; fewer commands fit than are asked for. */
TEST(overlapping_operations_all_complete_once)
{
    node_t *roots[100];
    rig_open(100, 4, 4);
    rig.fake->room = 3;
    for (unsigned i = 0; i < 100; i++) {
        roots[i] = new_neighbor();
        MiniportInitiateOffload(rig.target, roots[i]);
    }
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 0);
    CHECK_EQ(flue_target_outstanding(rig.target), 100);
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 100);
    for (unsigned i = 0; i < 100; i++) {
        CHECK_EQ(roots[i]->Status, NDIS_STATUS_SUCCESS);
        CHECK(rig.notes[i].who == roots[i]);
    }
    for (unsigned i = 0; i < 10; i++) /* one object, many queries */
        MiniportQueryOffload(rig.target, refer(roots[0], NeighborOffloadState, ALL));
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_QUERY], 10);
    CHECK_EQ(flue_target_outstanding(rig.target), 0);
    rig_close();
}

/* CH-024, CH-025, CH-120: contexts of nothing, of what is gone and of another layer stay with the driver. */
TEST(forged_stale_and_wrong_contexts_never_reach_the_device)
{
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    void *context = *c.tcp->MiniportOffloadContext, *cell;
    unsigned before = rig.fake->commands;
    node_t *q;
    for (unsigned bit = 0; bit < 64; bit++) {
        q = refer(c.tcp, TcpOffloadState, ALL);
        cell = (void *)((uintptr_t)context ^ (uintptr_t)1 << bit);
        q->MiniportOffloadContext = &cell;
        run_op(FLUE_TREE_QUERY, q);
        CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    }
    q = refer(c.tcp, NeighborOffloadState, ALL);
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(flue_target_detail(q), FLUE_AD_WRONG_KIND);
    q = refer(c.path, Ip6OffloadState, ALL); /* it is IPv4 */
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(flue_target_detail(q), FLUE_AD_WRONG_KIND);
    CHECK_EQ(rig.fake->commands, before);
    run_op(FLUE_TREE_TERMINATE, refer_full(c.tcp));
    q = refer(c.tcp, TcpOffloadState, ALL);
    before = rig.fake->commands;
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(q), FLUE_AD_STALE);
    CHECK_EQ(rig.fake->commands, before);
    rig_close();
}

/* CH-129, CH-150: a path moves to another neighbor, then the old one can go; before, it cannot. */
TEST(a_relinked_path_frees_its_old_neighbor)
{
    struct flue_target_object object;
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    node_t *n2 = new_neighbor(), *up, *down, *end;
    run_op(FLUE_TREE_INITIATE, n2);
    end = refer_full(c.neighbor);
    run_op(FLUE_TREE_TERMINATE, end);
    CHECK_EQ(end->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(end), FLUE_AD_BUSY);
    up = refer_full(n2);
    down = add(up, refer_full(c.path));
    run_op(FLUE_TREE_UPDATE, up);
    CHECK_EQ(down->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(flue_target_object(rig.target, *c.path->MiniportOffloadContext, &object), FLUE_OK);
    CHECK(object.parent == *n2->MiniportOffloadContext);
    end = refer_full(c.neighbor);
    run_op(FLUE_TREE_TERMINATE, end);
    CHECK_EQ(end->Status, NDIS_STATUS_SUCCESS);
    CHECK(rig.fault == NULL);
    rig_close();
}

/* CH-137: an invalidated object stays until it is terminated. */
TEST(invalidate_marks_and_keeps)
{
    struct flue_target_object object;
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    run_op(FLUE_TREE_INVALIDATE, refer_full(c.neighbor));
    CHECK_EQ(flue_target_object(rig.target, *c.neighbor->MiniportOffloadContext, &object), FLUE_OK);
    CHECK(object.invalidated && object.dependents == 1);
    rig_close();
}

/* CH-196: a late initiate waits for the RESUME, existing objects go on. */
TEST(an_initiate_during_a_pause_waits)
{
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    node_t *late = new_neighbor();
    rig.paused = true;
    MiniportInitiateOffload(rig.target, late);
    run_op(FLUE_TREE_QUERY, refer(c.tcp, TcpOffloadState, ALL));
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 1);
    rig.paused = false;
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 2);
    CHECK_EQ(late->Status, NDIS_STATUS_SUCCESS);
    rig_close();
}

/* CH-196: what is at the device is completed, what waits for its queue is held back, and taken after the RESUME. */
TEST(a_pause_finishes_what_is_under_way_and_holds_the_rest)
{
    node_t *n[10];
    rig_open(16, 4, 4);
    rig.fake->room = 3;
    for (unsigned i = 0; i < 10; i++) {
        n[i] = new_neighbor();
        MiniportInitiateOffload(rig.target, n[i]);
    }
    flue_target_run(rig.target);
    rig.paused = true;
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 3);
    CHECK_EQ(rig.fake->commands, 3);
    CHECK_EQ(flue_target_outstanding(rig.target), 7);
    node_t *end = refer_full(n[0]);
    run_op(FLUE_TREE_TERMINATE, end); /* of what is there, at once */
    CHECK_EQ(end->Status, NDIS_STATUS_SUCCESS);
    rig.paused = false;
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 10);
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQ(n[i]->Status, NDIS_STATUS_SUCCESS);
    rig_close();
}

/* CH-196, CH-199: without power an initiate ends with FAILURE, DISABLED, also one that waited for a RESUME. */
TEST(an_initiate_without_power_is_refused_not_held)
{
    rig_open(4, 4, 4);
    node_t *waits = new_neighbor(), *late = new_neighbor(), *below = add(late, new_path(false, 1));
    rig.paused = true;
    MiniportInitiateOffload(rig.target, waits);
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 0);
    rig.closed = true;
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 1);
    run_op(FLUE_TREE_INITIATE, late);
    CHECK_EQ(rig.fake->commands, 0);
    CHECK_EQ(waits->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(late->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(below->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(waits), FLUE_AD_DISABLED);
    CHECK_EQ(flue_target_detail(late), FLUE_AD_DISABLED);
    CHECK(*late->MiniportOffloadContext == NULL);
    rig_close();
}

/* CH-016: no memory for the device is a status, not a crash. */
TEST(no_memory_for_the_device_fails_the_operation)
{
    rig_open(4, 4, 4);
    node_t *n = new_neighbor();
    rig.fake->refuse_memory = true;
    run_op(FLUE_TREE_INITIATE, n);
    CHECK_EQ(n->Status, NDIS_STATUS_FAILURE);
    CHECK(*n->MiniportOffloadContext == NULL);
    rig.fake->refuse_memory = false;
    run_op(FLUE_TREE_INITIATE, n);
    CHECK_EQ(n->Status, NDIS_STATUS_SUCCESS);
    rig_close();
}

/* ---- indications ------------------------------------------------------------------------------------------------- */

/* CH-025, CH-037, CH-194: an indication waits for the completion call; it has the host's own handle. */
TEST(an_indication_waits_until_the_initiate_is_completed)
{
    rig_open(4, 4, 4);
    struct chain c = {new_neighbor(), new_path(false, 1), new_tcp(1)};
    add(c.neighbor, c.path);
    add(c.path, c.tcp);
    MiniportInitiateOffload(rig.target, c.neighbor);
    flue_target_run(rig.target);
    /* the first connection taken has row 0, generation 1 */
    flue_target_notice(rig.target, FLUE_CQ_UPLOAD_REQUEST, UploadRequested,
                       FLUE_PUT(HANDLE_KIND, 3) | FLUE_PUT(HANDLE_GENERATION, 1));
    CHECK_EQ(rig.note_count, 0);
    rig_work();
    CHECK_EQ(rig.note_count, 2);
    CHECK_EQ(rig.notes[0].what, 'C');
    CHECK(rig.notes[1].what == 'E' && rig.notes[1].who == c.tcp->NdisOffloadHandle);
    CHECK_EQ(rig.notes[1].event, TcpIndicateRetrieve);
    CHECK_EQ(rig.notes[1].information, UploadRequested);
    rig_close();
}

static node_t *terminate_on_event;
static void terminate_it(void *who, uint32_t event, uint32_t information)
{
    (void)who;
    (void)information;
    if (event == TcpIndicateRetrieve)
        MiniportTerminateOffload(rig.target, terminate_on_event);
}

/* CH-139: a terminate from inside an event completes after it; nothing is indicated in between. */
TEST(a_terminate_from_inside_an_event_ends_the_indications)
{
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    terminate_on_event = refer_full(c.tcp);
    rig.on_event = terminate_it;
    rig.note_count = 0;
    uint32_t handle = device_handle(c.tcp);
    flue_target_notice(rig.target, FLUE_CQ_UPLOAD_REQUEST, UploadRequested, handle);
    flue_target_notice(rig.target, FLUE_CQ_ABORT_IND, 0, handle);
    rig_work();
    CHECK_EQ(rig.note_count, 2);
    CHECK(rig.notes[0].what == 'E' && rig.notes[1].what == 'C');
    rig_close();
}

/* CH-151: corrupt state: FAILURE, Retrieve(HardwareFailure), Abort; the terminate ends sends REQUEST_ABORTED, itself last. */
TEST(a_corrupt_connection_is_reported_and_ended_once)
{
    struct packet p[3];
    rig_open(4, 4, 4);
    struct chain c = take_with_data(p, NULL);
    rig.fake->rows[3][0].corrupt = true;
    rig.note_count = 0;
    node_t *q = refer(c.tcp, TcpOffloadState, ALL), *t = refer_full(c.tcp);
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(rig.note_count, 3);
    CHECK(rig.notes[0].what == 'C' && rig.notes[1].event == TcpIndicateRetrieve && rig.notes[1].information == HardwareFailure);
    CHECK_EQ(rig.notes[2].event, TcpIndicateAbort);
    rig.note_count = 0;
    run_op(FLUE_TREE_TERMINATE, t);
    CHECK_EQ(t->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(rig.note_count, 4);
    for (unsigned i = 0; i < 3; i++)
        CHECK(rig.notes[i].what == 'S' && (NDIS_STATUS)rig.notes[i].event == NDIS_STATUS_REQUEST_ABORTED);
    CHECK_EQ(rig.notes[3].what, 'C');
    CHECK(flue_target_object(rig.target, *c.tcp->MiniportOffloadContext, &(struct flue_target_object){0}) == FLUE_EARG);
    rig_close();
}

/* CH-151: an error in a neighbor's row concerns all connections over it. */
TEST(a_table_error_names_the_connections_it_breaks)
{
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    rig.note_count = 0;
    flue_target_notice(rig.target, FLUE_CQ_TABLE_ERROR, 0,
                       FLUE_PUT(TABLE_ERROR_TABLE, FLUE_TBL_NEIGHBOR) | FLUE_TABLE_ERROR_VALID_MASK);
    CHECK_EQ(rig.note_count, 2);
    CHECK(rig.notes[0].who == c.tcp->NdisOffloadHandle);
    flue_target_notice(rig.target, FLUE_CQ_ABORT_IND, 0, device_handle(c.tcp) + FLUE_PUT(HANDLE_GENERATION, 5));
    struct flue_target_stats stats;
    flue_target_stats(rig.target, &stats);
    CHECK_EQ(stats.stale_notices, 1);
    CHECK(rig.fault == NULL);
    rig_close();
}

/* CH-125: a neighbor query asks the host in place and carries its answer down; its MAC stays. */
TEST(a_neighbor_query_is_answered_by_the_host)
{
    struct flue_wire_neighbor_cached wire;
    NEIGHBOR_OFFLOAD_STATE_CACHED mac = {.DlDestinationAddress = {1, 2, 3, 4, 5, 6}, .HostReachabilityDelta = 9};
    rig_open(4, 4, 4);
    node_t *n = new_neighbor();
    state_set(n, ALL, FLUE_TREE_CACHED, &mac, sizeof mac);
    run_op(FLUE_TREE_INITIATE, n);
    rig.answer_hrd = 0x12345;
    rig.note_count = 0;
    flue_target_notice(rig.target, FLUE_CQ_NEIGHBOR_QUERY, 0, device_handle(n));
    rig_work();
    CHECK_EQ(rig.note_count, 1);
    CHECK(rig.notes[0].what == 'N' && rig.notes[0].who == n->NdisOffloadHandle);
    CHECK_EQ(rig.notes[0].event, NeighborReachabilityQuery);
    CHECK_EQ(rig.notes[0].information, NeighborOffloadState);
    memcpy(&wire, rig.fake->rows[1][0].state + sizeof(struct flue_wire_neighbor_const), sizeof wire);
    CHECK_EQ(wire.host_reachability_delta, 0x12345);
    CHECK_EQ(wire.dl_destination, 0x04030201);
    CHECK(rig.fault == NULL);
    rig_close();
}

static node_t *again_root;
static void ask_again(enum flue_tree_op op, node_t *root)
{
    if (op == FLUE_TREE_INITIATE && root != again_root && rig.completed[op] == 1)
        MiniportInitiateOffload(rig.target, again_root);
}

/* CH-015: what is under way at the end is completed, once, also when a completion asks for more. */
TEST(the_end_completes_everything_under_way)
{
    rig_open(8, 8, 8);
    node_t *sent = new_neighbor(), *paused = new_neighbor();
    again_root = new_neighbor();
    rig.on_complete = ask_again;
    MiniportInitiateOffload(rig.target, sent);
    flue_target_run(rig.target);
    rig.paused = true;
    MiniportInitiateOffload(rig.target, paused);
    CHECK_EQ(flue_target_destroy(rig.target), FLUE_OK);
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 3);
    CHECK_EQ(sent->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(paused->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(again_root->Status, NDIS_STATUS_FAILURE);
    fake_free(rig.fake);
    for (unsigned i = 0; i < rig.count; i++)
        free(rig.nodes[i]);
}
