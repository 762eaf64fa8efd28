/*
 * The administration on real firmware: adapter without RTL, admin queue, offload target, OIDs on top.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include "flue/model.h"
#include "flue/ndis/admin.h"

static struct bench {
    struct flue_link *link;
    struct flue_adapter *adapter;
    struct flue_admin *admin;
    struct flue_ndis_admin *ndis;
    struct flue_target_bridge bridge;
    struct flue_target *target;
    unsigned completed[FLUE_TREE_OPS];
    NDIS_STATUS told[16];
    unsigned told_count;
    unsigned finished;
    NDIS_STATUS finished_with;
} b;

static void on_indicate(void *ctx, NDIS_STATUS code, const void *buffer, uint32_t bytes)
{
    (void)ctx, (void)buffer, (void)bytes;
    CHECK(b.told_count < 16);
    b.told[b.told_count++] = code;
}

static void on_complete(void *ctx, struct flue_ndis_request *request, NDIS_STATUS status)
{
    (void)ctx, (void)request;
    b.finished++;
    b.finished_with = status;
}

static void initiated(NDIS_HANDLE miniport, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *tree)
{
    (void)miniport, (void)tree;
    b.completed[FLUE_TREE_INITIATE]++;
}

static void terminated(NDIS_HANDLE miniport, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *tree)
{
    (void)miniport, (void)tree;
    b.completed[FLUE_TREE_TERMINATE]++;
}

static void other(NDIS_HANDLE miniport, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *tree)
{
    (void)miniport, (void)tree;
}

/* Target and admin queue know each other only once both are there. */
static void done(void *ctx, const struct flue_admin_done *d)
{
    (void)ctx;
    flue_target_done(b.target, d);
}

static void notice(void *ctx, enum flue_cqe_kind kind, uint32_t status, uint32_t result)
{
    (void)ctx;
    flue_target_notice(b.target, kind, status, result);
}

static void open_bench(void)
{
    struct flue_admin_handlers handlers = {.done = done, .notice = notice};
    struct flue_ndis_admin_params params = {.handlers = {.indicate = on_indicate, .complete = on_complete}};
    struct flue_target_params target = {.rows = {0, 16, 64, 64}};
    char error[256] = "";

    memset(&b, 0, sizeof b);
    CHECK_EQ(flue_model_link_open(NULL, &b.link), FLUE_OK);
    CHECK_EQ(flue_adapter_open(b.link, NULL, NULL, &b.adapter), FLUE_OK);
    CHECK_EQ(flue_admin_start(b.adapter, &(struct flue_admin_params){0}, &handlers, &b.admin), FLUE_OK);
    flue_ndis_task_over_adapter(b.adapter, &params.task);
    flue_ndis_connection_over_admin(b.admin, &params.connection);
    CHECK_EQ(flue_ndis_admin_open(&params, &b.ndis, error, sizeof error), FLUE_OK);
    b.bridge = (struct flue_target_bridge){b.adapter, b.admin};
    flue_target_over_admin(&b.bridge, &target.ops);
    for (unsigned op = 0; op < FLUE_TREE_OPS; op++)
        target.ndis.complete[op] = other;
    target.ndis.complete[FLUE_TREE_INITIATE] = initiated;
    target.ndis.complete[FLUE_TREE_TERMINATE] = terminated;
    flue_ndis_gate(b.ndis, &target.gate);
    CHECK_EQ(flue_target_create(&target, &b.target), FLUE_OK);
    flue_ndis_target(b.ndis, b.target);
}

static void close_bench(void)
{
    CHECK_EQ(flue_target_destroy(b.target), FLUE_OK);
    b.target = NULL;
    flue_ndis_target(b.ndis, NULL);
    flue_ndis_admin_close(b.ndis);
    flue_adapter_close(b.adapter);
    b.link->ops->close(b.link);
}

static void turn(void)
{
    for (unsigned i = 0; i < 50; i++) {
        unsigned handled;
        CHECK_EQ(b.link->ops->wait(b.link, 100), FLUE_OK);
        CHECK_EQ(flue_poll(b.adapter, 100, &handled), FLUE_OK);
        flue_target_run(b.target);
        flue_ndis_run(b.ndis);
    }
}

static NDIS_STATUS oid(enum flue_ndis_request_type type, NDIS_OID oid, void *buffer, uint32_t length)
{
    static struct flue_ndis_request r;
    r = (struct flue_ndis_request){.type = type, .oid = oid, .buffer = buffer, .length = length};
    return flue_ndis_oid(b.ndis, &r);
}

/* One neighbor, taken; *cell is its context. */
static NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *neighbor_take(void **cell)
{
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node = flue_tree_node_new(NeighborOffloadState, 7, 0);
    CHECK(node != NULL);
    *cell = NULL;
    node->MiniportOffloadContext = cell;
    node->Status = NDIS_STATUS_PENDING; /* until the target writes it */
    MiniportInitiateOffload(b.target, node);
    turn();
    return node;
}

static void neighbor_drop(void **cell)
{
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node = flue_tree_node_new(NeighborOffloadState, 0, 0);
    CHECK(node != NULL);
    node->MiniportOffloadContext = cell;
    node->Status = NDIS_STATUS_PENDING;
    MiniportTerminateOffload(b.target, node);
    turn();
    CHECK_EQ(node->Status, NDIS_STATUS_SUCCESS);
    free(node);
}

static NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS parameters(void)
{
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS p;
    CHECK_EQ(oid(FLUE_NDIS_QUERY, OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, &p, sizeof p), NDIS_STATUS_SUCCESS);
    p.Encapsulation.IPv4.Enabled = p.Encapsulation.IPv6.Enabled = NDIS_OFFLOAD_SET_ON;
    p.Encapsulation.IPv4.EncapsulationType = p.Encapsulation.IPv6.EncapsulationType = NDIS_ENCAPSULATION_IEEE_802_3;
    p.Encapsulation.IPv4.HeaderSize = p.Encapsulation.IPv6.HeaderSize = 14;
    return p;
}

/* CH-205, TO-174, TO-175: what is set is what the firmware has; what it refuses is refused here and changes nothing. */
TEST(run_time_parameters_live_in_the_firmware)
{
    struct flue_ndis_connection_ops ops;
    struct flue_cfg_connection record;
    NDIS_TCP_CONNECTION_OFFLOAD hardware;
    void *cell;
    open_bench();
    CHECK_EQ(oid(FLUE_NDIS_QUERY, OID_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES, &hardware, sizeof hardware),
             NDIS_STATUS_SUCCESS);
    CHECK_EQ(hardware.TcpConnectionOffloadCapacity, 64);
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS p = parameters();
    CHECK_EQ(p.TicksPerSecond, 1000);
    p.TicksPerSecond = 100;
    p.TcpPushTicks = 77;
    p.TcpDelayedAckTicks = 9;
    CHECK_EQ(oid(FLUE_NDIS_SET, OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, &p, sizeof p), NDIS_STATUS_SUCCESS);
    flue_ndis_connection_over_admin(b.admin, &ops);
    CHECK_EQ(ops.config_get(ops.ctx, FLUE_CFG_CONNECTION, &record, sizeof record), NDIS_STATUS_SUCCESS);
    CHECK_EQ(record.ticks_per_second, 100);
    CHECK_EQ(record.push_ticks, 77);
    CHECK_EQ((record.word1 & FLUE_CFG_CONNECTION_DELAYED_ACK_TICKS_MASK) >> FLUE_CFG_CONNECTION_DELAYED_ACK_TICKS_SHIFT, 9);

    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node = neighbor_take(&cell);
    CHECK_EQ(node->Status, NDIS_STATUS_SUCCESS);
    p.TicksPerSecond = 1000; /* not while something is offloaded */
    CHECK_EQ(oid(FLUE_NDIS_SET, OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, &p, sizeof p), NDIS_STATUS_INVALID_STATE);
    CHECK_EQ(parameters().TicksPerSecond, 100);
    neighbor_drop(&cell);
    CHECK_EQ(oid(FLUE_NDIS_SET, OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, &p, sizeof p), NDIS_STATUS_SUCCESS);
    free(node);
    close_bench();
}

/* CH-202, TO-179: the firmware's own counters, each set by itself. */
TEST(statistics_come_from_the_firmware_and_begin_anew)
{
    static const NDIS_OID oids[] = {OID_TCP4_OFFLOAD_STATS, OID_TCP6_OFFLOAD_STATS, OID_IP4_OFFLOAD_STATS,
                                    OID_IP6_OFFLOAD_STATS};
    static const uint8_t zero[64];
    uint8_t buffer[64];
    open_bench();
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(oid(FLUE_NDIS_SET, oids[i], NULL, 0), NDIS_STATUS_SUCCESS);
        memset(buffer, 0xEE, sizeof buffer);
        CHECK_EQ(oid(FLUE_NDIS_QUERY, oids[i], buffer, sizeof buffer), NDIS_STATUS_SUCCESS);
        CHECK_EQ(memcmp(buffer, zero, i < 2 ? 40 : 64), 0);
    }
    close_bench();
}

/* CH-196, TO-176: an initiate that comes after PAUSE is completed after RESUME, and taken. */
TEST(a_late_initiate_waits_for_resume)
{
    void *cell;
    open_bench();
    flue_ndis_pause(b.ndis);
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node = neighbor_take(&cell);
    CHECK_EQ(b.completed[FLUE_TREE_INITIATE], 0);
    CHECK(cell == NULL);
    flue_ndis_resume(b.ndis);
    turn();
    CHECK_EQ(b.completed[FLUE_TREE_INITIATE], 1);
    CHECK_EQ(node->Status, NDIS_STATUS_SUCCESS);
    CHECK(cell != NULL);
    neighbor_drop(&cell);
    free(node);
    close_bench();
}

/* An initiate of one neighbor beside the target: the device's own answer. */
static uint32_t initiate_raw(enum flue_admin_detail *detail)
{
    enum { STATE = 64, BYTES = STATE + 24 };
    uint32_t tree[BYTES / 4] = {FLUE_TREE_MAGIC, FLUE_TREE_VERSION, 1, BYTES};
    struct flue_admin_done d;
    struct flue_sqe sqe = {.word0 = FLUE_OP_INITIATE << FLUE_SQE_OPCODE_SHIFT, .length = BYTES};

    tree[8] = FLUE_NODE_NEW << FLUE_TREE_NODE_KIND_SHIFT | (uint32_t)NeighborOffloadState << FLUE_TREE_NODE_STATE_TYPE_SHIFT |
              1u << FLUE_TREE_NODE_REVISION_SHIFT;
    tree[9] = STATE;
    tree[10] = BYTES - STATE;
    CHECK_EQ(flue_admin_call(b.admin, &sqe, tree, sizeof tree, &d), FLUE_OK);
    *detail = d.detail;
    return d.status;
}

/* CH-196, CH-197, TO-176: paused, the device itself refuses; everything is uploaded by terminates, then both go on. */
TEST(upload_all_empties_the_device_and_resume_fills_it_again)
{
    struct flue_ndis_phase phase;
    enum flue_admin_detail detail;
    void *first, *second = NULL;
    open_bench();
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *one = neighbor_take(&first), *two;
    flue_ndis_phase(b.ndis, &phase);
    CHECK_EQ(phase.objects, 1);
    CHECK_EQ(flue_ndis_upload_all(b.ndis), NDIS_STATUS_SUCCESS);
    CHECK_EQ(initiate_raw(&detail), (uint32_t)NDIS_STATUS_FAILURE);
    CHECK_EQ(detail, FLUE_AD_DISABLED);
    two = neighbor_take(&second);
    CHECK(second == NULL);
    flue_ndis_phase(b.ndis, &phase);
    CHECK_EQ(strcmp(phase.name, "upload"), 0);
    CHECK_EQ(phase.operations[FLUE_TREE_INITIATE], 1);
    CHECK_EQ(phase.objects, 1);
    neighbor_drop(&first);
    flue_ndis_phase(b.ndis, &phase);
    CHECK_EQ(phase.objects, 0);
    CHECK_EQ(flue_ndis_resume(b.ndis), NDIS_STATUS_SUCCESS);
    turn();
    CHECK_EQ(two->Status, NDIS_STATUS_SUCCESS);
    CHECK(second != NULL);
    CHECK_EQ(initiate_raw(&detail), (uint32_t)NDIS_STATUS_SUCCESS);
    neighbor_drop(&second);
    free(one);
    free(two);
    close_bench();
}

/* CH-196, CH-198: an initiate that comes while a switch waits is held over it, not waited for. */
TEST(a_late_initiate_does_not_hold_up_a_switch)
{
    NDIS_OFFLOAD_PARAMETERS p = {.Header = {NDIS_OBJECT_TYPE_DEFAULT, 1, NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_1},
                                 .TcpConnectionIPv6 = NDIS_OFFLOAD_PARAMETERS_CONNECTION_OFFLOAD_DISABLED};
    void *first, *late;
    open_bench();
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *one = neighbor_take(&first), *two;
    CHECK_EQ(oid(FLUE_NDIS_SET, OID_TCP_OFFLOAD_PARAMETERS, &p, sizeof p), NDIS_STATUS_PENDING);
    two = neighbor_take(&late);
    CHECK(late == NULL);
    neighbor_drop(&first);
    CHECK_EQ(b.finished, 1);
    CHECK_EQ(b.finished_with, NDIS_STATUS_SUCCESS);
    turn();
    CHECK_EQ(two->Status, NDIS_STATUS_SUCCESS);
    neighbor_drop(&late);
    free(one);
    free(two);
    close_bench();
}

/* CH-199: the adapter uploads by itself when no host does; a change of power that waits for it ends. */
TEST(an_upload_of_our_own_ends_what_waits_for_it)
{
    uint32_t d3 = NdisDeviceStateD3;
    void *cell;
    open_bench();
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node = neighbor_take(&cell);
    CHECK_EQ(oid(FLUE_NDIS_SET, OID_PNP_SET_POWER, &d3, sizeof d3), NDIS_STATUS_PENDING);
    CHECK_EQ(flue_target_upload_all(b.target), FLUE_OK);
    turn();
    CHECK_EQ(flue_target_recovered(b.target), FLUE_OK);
    CHECK_EQ(b.finished, 1);
    CHECK_EQ(b.finished_with, NDIS_STATUS_SUCCESS);
    free(node);
    close_bench();
}

/* CH-198, CH-199, CH-206, TO-177: a switch and a change of power wait until the host has terminated what it offloaded. */
TEST(a_switch_and_power_wait_for_the_host_to_terminate)
{
    NDIS_OFFLOAD_PARAMETERS p = {.Header = {NDIS_OBJECT_TYPE_DEFAULT, 1, NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_1},
                                 .TcpConnectionIPv6 = NDIS_OFFLOAD_PARAMETERS_CONNECTION_OFFLOAD_DISABLED};
    NDIS_TCP_CONNECTION_OFFLOAD now;
    uint32_t d3 = NdisDeviceStateD3;
    void *cell;
    open_bench();
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node = neighbor_take(&cell);
    CHECK_EQ(oid(FLUE_NDIS_SET, OID_TCP_OFFLOAD_PARAMETERS, &p, sizeof p), NDIS_STATUS_PENDING);
    CHECK_EQ(b.told[0], NDIS_STATUS_OFFLOAD_PAUSE);
    CHECK_EQ(b.told[1], NDIS_STATUS_UPLOAD_ALL);
    turn();
    CHECK_EQ(b.finished, 0);
    neighbor_drop(&cell);
    CHECK_EQ(b.finished, 1);
    CHECK_EQ(b.finished_with, NDIS_STATUS_SUCCESS);
    CHECK_EQ(b.told[b.told_count - 1], NDIS_STATUS_OFFLOAD_RESUME);
    CHECK_EQ(oid(FLUE_NDIS_QUERY, OID_TCP_CONNECTION_OFFLOAD_CURRENT_CONFIG, &now, sizeof now), NDIS_STATUS_SUCCESS);
    CHECK_EQ(now.SupportIPv4, 1);
    CHECK_EQ(now.SupportIPv6, 0);
    free(node);

    node = neighbor_take(&cell);
    CHECK_EQ(node->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(oid(FLUE_NDIS_SET, OID_PNP_SET_POWER, &d3, sizeof d3), NDIS_STATUS_PENDING);
    turn();
    CHECK_EQ(b.finished, 1);
    neighbor_drop(&cell);
    CHECK_EQ(b.finished, 2);
    free(node);
    close_bench();
}
