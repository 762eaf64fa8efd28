/* The target: restarts, uploads of its own, leaks. */
#include "ndis_packets.h"

/* CH-151, CH-152: after a restart what is unknown is terminated, what is gone fails; commands in flight ended. */
TEST(a_restart_is_reconciled)
{
    rig_open(8, 8, 8);
    struct chain kept = take_chain(1), gone = take_chain(2), cut = {new_neighbor(), new_path(false, 3), new_tcp(3)};
    unsigned row = FLUE_GET(HANDLE_INDEX, device_handle(gone.tcp));
    struct fake_row *lost = &rig.fake->rows[3][row];
    lost->used = false;
    rig.fake->rows[2][FLUE_GET(HANDLE_INDEX, lost->parent)].refs--;
    /* objects whose answer never came */
    for (unsigned layer = 1; layer < 4; layer++)
        rig.fake->rows[layer][7] = (struct fake_row){.used = true, .generation = 9};
    add(cut.neighbor, cut.path);
    MiniportInitiateOffload(rig.target, cut.neighbor);
    flue_target_run(rig.target);
    CHECK_EQ(flue_target_reconcile(rig.target), FLUE_ESTATE);
    fake_abort(rig.fake);
    CHECK_EQ(cut.neighbor->Status, NDIS_STATUS_FAILURE);
    CHECK(*cut.neighbor->MiniportOffloadContext == NULL);
    rig.note_count = 0;
    CHECK_EQ(flue_target_reconcile(rig.target), FLUE_OK);
    rig_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    for (unsigned layer = 1; layer < 4; layer++)
        CHECK(!rig.fake->rows[layer][7].used);
    CHECK_EQ(rig.note_count, 2);
    CHECK(rig.notes[0].who == gone.tcp->NdisOffloadHandle && rig.notes[0].information == HardwareFailure);
    node_t *t = refer_full(gone.tcp);
    run_op(FLUE_TREE_TERMINATE, t);
    CHECK_EQ(t->Status, NDIS_STATUS_FAILURE);
    node_t *q = refer(kept.tcp, TcpOffloadState, ALL);
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_SUCCESS);
    rig_close();
}

static struct fake_row *device_row(const node_t *node)
{
    uint32_t handle = device_handle(node);
    return &rig.fake->rows[FLUE_GET(HANDLE_KIND, handle)][FLUE_GET(HANDLE_INDEX, handle)];
}

static void check_lost(const node_t *node, bool lost)
{
    struct flue_target_object object;
    CHECK_EQ(flue_target_object(rig.target, *node->MiniportOffloadContext, &object), FLUE_OK);
    CHECK_EQ(object.lost, lost);
}

/* CH-151, CH-152: an object under a known handle that is another one (its host, its key, what it depends on) is told apart. */
TEST(another_object_under_a_known_handle_is_not_taken_for_it)
{
    rig_open(16, 16, 16);
    struct chain kept = take_chain(1), host = take_chain(2), ports = take_chain(3), path = take_chain(4), mac = take_chain(5),
                 moved = take_chain(6), sick = take_chain(7), orphan = take_chain(8);
    device_row(host.tcp)->host_handle[1] ^= 1;
    device_row(ports.tcp)->state[5] ^= 1;
    device_row(path.path)->state[31] ^= 0x80;
    device_row(mac.neighbor)->state[0] ^= 1;
    /* a relink that was done and not answered */
    device_row(moved.path)->parent = device_handle(kept.neighbor);
    device_row(kept.neighbor)->refs++;
    device_row(moved.neighbor)->refs--;
    device_row(sick.path)->corrupt = true;
    device_row(orphan.tcp)->parent = device_handle(kept.path); /* no connection moves by itself */
    device_row(kept.path)->refs++;
    device_row(orphan.path)->refs--;
    rig.note_count = 0;
    CHECK_EQ(flue_target_reconcile(rig.target), FLUE_OK);
    rig_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    CHECK_EQ(rig.reconciles, 1);
    CHECK_EQ(rig.found.kept + rig.found.lost, 24);
    CHECK_EQ(rig.found.terminated, 1 + 1 + 2 + 3 + 1); /* host, ports, path, mac, orphan: with what is below */
    CHECK_EQ(rig.found.lost, rig.found.terminated + 1);
    check_lost(kept.tcp, false);
    check_lost(host.tcp, true);
    check_lost(host.path, false);
    check_lost(ports.tcp, true);
    check_lost(path.path, true);
    check_lost(path.tcp, true);
    check_lost(path.neighbor, false);
    check_lost(mac.neighbor, true);
    check_lost(mac.tcp, true);
    check_lost(moved.path, false);
    check_lost(moved.tcp, false);
    check_lost(sick.path, true);
    check_lost(sick.tcp, false); /* its own state is sound */
    check_lost(orphan.tcp, true);
    CHECK_EQ(fake_used(rig.fake, 1), 7);
    CHECK_EQ(fake_used(rig.fake, 2), 6);
    CHECK_EQ(fake_used(rig.fake, 3), 3);
    /* the path that moved holds its new neighbor, no longer the old one */
    node_t *old = refer_full(moved.neighbor), *t = refer_full(sick.tcp);
    run_op(FLUE_TREE_TERMINATE, old);
    CHECK_EQ(old->Status, NDIS_STATUS_SUCCESS);
    run_op(FLUE_TREE_TERMINATE, t);
    CHECK_EQ(t->Status, NDIS_STATUS_SUCCESS);
    for (unsigned i = 0; i < 3; i++) { /* what is lost ends, once */
        node_t *gone = refer_full(i == 0 ? mac.tcp : i == 1 ? mac.path : mac.neighbor);
        run_op(FLUE_TREE_TERMINATE, gone);
        CHECK_EQ(gone->Status, NDIS_STATUS_FAILURE);
        CHECK_EQ(flue_target_object(rig.target, *gone->MiniportOffloadContext, &(struct flue_target_object){0}), FLUE_EARG);
    }
    CHECK(rig.fault == NULL);
    rig_close();
}

/* CH-152: more objects than one command can ask for, every second one gone; paths of both versions. */
TEST(a_large_tree_is_reconciled_in_pieces)
{
    rig_open(900, 900, 900);
    node_t *first = NULL, *last = NULL, *paths[800];
    for (unsigned i = 0; i < 800; i++) {
        node_t *n = new_neighbor();
        paths[i] = add(n, new_path(i % 2 == 1, (uint8_t)i));
        add(paths[i], new_tcp((uint16_t)i));
        if (first == NULL)
            first = n;
        else
            last->NextBlock = n;
        last = n;
    }
    run_op(FLUE_TREE_INITIATE, first);
    for (unsigned i = 0; i < 800; i += 2) {
        struct fake_row *tcp = device_row(paths[i]->DependentBlockList);
        tcp->used = false;
        device_row(paths[i])->refs--;
    }
    CHECK_EQ(flue_target_reconcile(rig.target), FLUE_OK);
    rig_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    CHECK_EQ(rig.found.kept, 2000);
    CHECK_EQ(rig.found.lost, 400);
    CHECK_EQ(rig.found.terminated, 0);
    CHECK_EQ(flue_target_upload_all(rig.target), FLUE_OK);
    rig_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    for (unsigned layer = 1; layer < 4; layer++)
        CHECK_EQ(fake_used(rig.fake, layer), 0);
    rig_close();
}

/* CH-199: everything is terminated in order; sends end with UPLOAD_IN_PROGRESS, contexts are void. */
TEST(upload_all_leaves_nothing)
{
    struct packet p[3];
    rig_open(700, 700, 700);
    struct chain c = take_with_data(p, NULL);
    for (unsigned i = 0; i < 600; i++) {
        struct chain more = {new_neighbor(), new_path(false, 1), new_tcp(1)};
        add(more.neighbor, more.path);
        add(more.path, more.tcp);
        run_op(FLUE_TREE_INITIATE, more.neighbor);
    }
    rig.note_count = 0;
    CHECK_EQ(flue_target_upload_all(rig.target), FLUE_OK);
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_EAGAIN);
    rig_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    for (unsigned layer = 1; layer < 4; layer++)
        CHECK_EQ(fake_used(rig.fake, layer), 0);
    CHECK_EQ(rig.note_count, 3);
    CHECK_EQ((NDIS_STATUS)rig.notes[0].event, NDIS_STATUS_UPLOAD_IN_PROGRESS);
    CHECK(flue_target_next(rig.target, NULL) == NULL);
    node_t *q = refer(c.tcp, TcpOffloadState, ALL);
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    rig_close();
}

/* CH-152: nothing is left over; a reused row's old context stays void. */
TEST(repeated_initiate_and_terminate_leak_nothing)
{
    struct flue_target_stats stats;
    rig_open(2, 2, 2);
    struct chain c = take_chain(1);
    void *first = *c.tcp->MiniportOffloadContext;
    for (unsigned round = 0; round < 20000; round++) {
        node_t *t = c.tcp;
        t->Header.Type = TcpOffloadState;
        run_op(FLUE_TREE_TERMINATE, t);
        CHECK_EQ(t->Status, NDIS_STATUS_SUCCESS);
        *t->MiniportOffloadContext = NULL;
        node_t link = {.Header = {.Type = Ip4OffloadState, .Size = sizeof link}};
        link.MiniportOffloadContext = c.path->MiniportOffloadContext;
        link.DependentBlockList = t;
        run_op(FLUE_TREE_INITIATE, &link);
        CHECK_EQ(link.Status, NDIS_STATUS_SUCCESS);
        CHECK(*t->MiniportOffloadContext != first);
    }
    flue_target_stats(rig.target, &stats);
    CHECK_EQ(stats.objects[3], 1);
    CHECK_EQ(stats.buffers, 0);
    CHECK_EQ(fake_used(rig.fake, 3), 1);
    rig_close();
}
