/* The target on a device that stops, comes back, and comes back with other objects. */
#include "ndis_model_rig.h"

/* CH-152: a warm restart keeps what the host holds. */
TEST(a_restart_of_the_firmware_keeps_connections)
{
    model_open(4, 4, 4);
    struct chain c = model_chain(1, 1);
    node_t *lost = new_neighbor(), *q;
    MiniportInitiateOffload(rig.target, lost);
    flue_target_run(rig.target);
    CHECK_EQ(flue_admin_restart(bridge.admin), FLUE_OK);
    CHECK_EQ(flue_target_reconcile(rig.target), FLUE_OK);
    model_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    q = refer(c.tcp, TcpOffloadState, ALL);
    model_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_SUCCESS);
    model_close();
}

/* A raw initiate of one neighbor beside the target, with a key and a host handle of its own. */
static void initiate_raw(uint8_t mac, uint32_t host_handle)
{
    uint32_t tree[22] = {FLUE_TREE_MAGIC, FLUE_TREE_VERSION, 1, sizeof tree};
    struct flue_sqe sqe = {.word0 = FLUE_OP_INITIATE, .length = sizeof tree};
    struct flue_admin_done done;
    tree[8] = FLUE_PUT(TREE_NODE_KIND, FLUE_NODE_NEW) | FLUE_PUT(TREE_NODE_STATE_TYPE, NeighborOffloadState) |
              FLUE_PUT(TREE_NODE_REVISION, 1);
    tree[9] = 64;
    tree[10] = 24;
    tree[11] = host_handle;
    tree[16] = 0x44332200u | mac;
    for (unsigned i = 0; i < 22; i++)
        tree[i] = htole32(tree[i]);
    CHECK_EQ(flue_admin_call(bridge.admin, &sqe, tree, sizeof tree, &done), FLUE_OK);
    CHECK_EQ(done.status, 0);
    CHECK_EQ(le32toh(tree[14]), 0);
}

/* CH-151, CH-152: after a cold start the same handles stand for others: none of them is taken for the host's. */
TEST(a_device_that_comes_back_with_other_objects)
{
    model_open(4, 4, 4);
    struct chain c = model_chain(1, 1);
    struct flue_cfg_switches on = {.word0 = htole32(15)};
    uint32_t handle = device_handle(c.neighbor);
    CHECK_EQ(flue_adapter_reset(adapter), FLUE_OK);
    set_config(FLUE_CFG_SWITCHES, &on, sizeof on);
    initiate_raw(2, 0x5555);
    initiate_raw(4, 0x6666);
    struct flue_list_entry entries[4];
    struct flue_sqe list = {.word0 = FLUE_OP_LIST};
    struct flue_admin_done done;
    memset(entries, 0, sizeof entries);
    CHECK_EQ(flue_admin_call(bridge.admin, &list, entries, sizeof entries, &done), FLUE_OK);
    CHECK_EQ(done.result, 2);
    CHECK_EQ(le32toh(entries[0].handle), handle); /* the case that matters */
    rig.note_count = 0;
    CHECK_EQ(flue_target_reconcile(rig.target), FLUE_OK);
    model_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    CHECK_EQ(rig.found.kept, 0);
    CHECK_EQ(rig.found.lost, 3);
    CHECK_EQ(rig.found.terminated, 2);
    CHECK(rig.notes[0].who == c.tcp->NdisOffloadHandle && rig.notes[0].information == HardwareFailure);
    CHECK_EQ(flue_admin_call(bridge.admin, &list, entries, sizeof entries, &done), FLUE_OK);
    CHECK_EQ(done.result, 0);
    /* New ones get the old rows while the host still has the lost ones: asking for these does not reach those. */
    struct chain anew = model_chain(1, 1);
    CHECK_EQ(device_handle(c.neighbor), 0);
    node_t *q = refer_full(c.neighbor), *end = refer_full(c.neighbor), *end_path = add(end, refer_full(c.path)),
           *end_tcp = add(end_path, refer_full(c.tcp));
    model_op(FLUE_TREE_INVALIDATE, q);
    CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    memset(entries, 0, sizeof entries);
    CHECK_EQ(flue_admin_call(bridge.admin, &list, entries, sizeof entries, &done), FLUE_OK);
    CHECK_EQ(done.result, 3);
    CHECK_EQ(FLUE_GET(ROW_HEAD_INVALID, le32toh(entries[0].row_state)), 0);
    model_op(FLUE_TREE_TERMINATE, end); /* all of it at once, whatever the device says of its root */
    CHECK_EQ(end->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(end_path->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(end_tcp->Status, NDIS_STATUS_FAILURE);
    struct flue_target_stats stats;
    flue_target_stats(rig.target, &stats);
    CHECK_EQ(stats.objects[1] + stats.objects[2] + stats.objects[3], 3);
    q = refer(anew.tcp, TcpOffloadState, ALL);
    model_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_SUCCESS);
    model_close();
}

/* The admin queue's region ends, or its permission: the processor stops its queue. */
static void ring_memory(bool there)
{
    uint32_t cfg;
    CHECK_EQ(model->ops->read32(model, FLUE_REG_ASQ_CFG, &cfg), FLUE_OK);
    CHECK_EQ(model->ops->write32(model,
                                 FLUE_REG_REGION + FLUE_GET(ASQ_CFG_REGION, cfg) * FLUE_REGION_STRIDE + FLUE_REGION_FLAGS,
                                 there ? FLUE_REGION_FLAGS_VALID_MASK | FLUE_REGION_FLAGS_WRITE_MASK : 0),
             FLUE_OK);
}

static void turns(unsigned count)
{
    unsigned handled;
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQ(model->ops->wait(model, 50), FLUE_OK);
        CHECK_EQ(flue_poll(adapter, 64, &handled), FLUE_OK);
        flue_target_run(rig.target);
    }
}

/* CH-152: a processor that stops is brought back by the target itself; paths of both versions and connections stay. */
TEST(a_processor_that_stops_comes_back_by_itself)
{
    model_open(4, 4, 4);
    struct chain c = model_chain(1, 1);
    node_t *six = refer_full(c.neighbor), *p6 = add(six, new_path(true, 9)), *t6 = add(p6, legal_tcp(6)), *lost, *q;
    model_op(FLUE_TREE_INITIATE, six);
    CHECK_EQ(t6->Status, NDIS_STATUS_SUCCESS);
    for (unsigned round = 1; round <= 5; round++) { /* more often than in a row */
        ring_memory(false);
        lost = new_neighbor();
        MiniportInitiateOffload(rig.target, lost);
        flue_target_run(rig.target);
        for (unsigned i = 0; i < 1000 && rig.completed[FLUE_TREE_INITIATE] < 2 + round; i++) {
            unsigned handled;
            CHECK_EQ(model->ops->wait(model, 50), FLUE_OK);
            CHECK_EQ(flue_poll(adapter, 64, &handled), FLUE_OK);
        }
        CHECK_EQ(lost->Status, NDIS_STATUS_FAILURE);
        CHECK(!flue_admin_runs(bridge.admin));
        ring_memory(true);
        model_work();
        turns(20);
        CHECK_EQ(rig.restarts, 1);
        CHECK_EQ(rig.restarted, FLUE_OK);
        CHECK_EQ(rig.reconciles, round);
        CHECK_EQ(rig.reconciled, FLUE_OK);
        CHECK_EQ(rig.found.kept, 5);
        CHECK_EQ(rig.found.lost, 0);
    }
    q = refer(t6, TcpOffloadState, ALL);
    model_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_SUCCESS);
    model_close();
}

/* CH-016: one that stops again and again stays off after so many times, and every operation is told. */
TEST(a_processor_that_keeps_stopping_stays_off)
{
    model_open(4, 4, 4);
    struct chain c = model_chain(1, 1);
    node_t *q = refer(c.tcp, TcpOffloadState, ALL);
    ring_memory(false);
    MiniportQueryOffload(rig.target, q);
    flue_target_run(rig.target);
    turns(200);
    CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(rig.restarts, 3);
    CHECK(rig.reconciled != FLUE_OK || rig.reconciles == 0);
    CHECK(!flue_admin_runs(bridge.admin));
    q = refer(c.tcp, TcpOffloadState, ALL);
    MiniportQueryOffload(rig.target, q);
    turns(5);
    CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    ring_memory(true);
    CHECK_EQ(flue_target_restart(rig.target), FLUE_OK); /* by hand */
    model_work();
    CHECK_EQ(rig.reconciled, FLUE_OK);
    CHECK_EQ(rig.found.kept, 3);
    model_close();
}
