/*
 * The offload target on RTL whose processor traps, is started cold, or stops: it comes back by itself, and the host's objects
 * are the device's again or are told to be lost.
 */
#include <stdlib.h>
#include <string.h>
#include "flue/admin.h"
#include "flue/ndis/objects.h"
#include "flue/ndis/target.h"
#include "flue/regs.h"
#include "rig.h"

enum { CHAINS = 4, ALL = FLUE_TREE_CONST | FLUE_TREE_CACHED | FLUE_TREE_DELEGATED, TURNS = 4000, TURN_US = 50 };

#define START_ADDRESS 24u /* of an instruction that every start executes, but for a trap: firmware/start.S */

static struct bench {
    struct rig *rig;
    struct flue_admin *admin;
    struct flue_target *target;
    struct flue_target_bridge bridge;
    unsigned completed, restarts, reconciles, traps, failures;
    struct flue_admin_trap trap;
    enum flue_err reconciled;
    struct flue_target_found found;
} b;

struct chain {
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *neighbor, *path, *tcp;
    void *cell[3];
    uint8_t address[2][16];
};
static struct chain chains[CHAINS];

/* ---- calls from below ---- */

static void on_done(void *ctx, const struct flue_admin_done *done)
{
    (void)ctx;
    if (b.target != NULL)
        flue_target_done(b.target, done);
}

static void on_notice(void *ctx, enum flue_cqe_kind kind, uint32_t status, uint32_t result)
{
    (void)ctx;
    flue_target_notice(b.target, kind, status, result);
}

static void on_trapped(void *ctx, const struct flue_admin_trap *trap)
{
    (void)ctx;
    b.traps++;
    b.trap = *trap;
    flue_target_stopped(b.target);
}

static void on_complete(NDIS_HANDLE miniport, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root)
{
    (void)miniport, (void)root;
    b.completed++;
}

static void on_event(NDIS_HANDLE object, uint32_t event, uint32_t information)
{
    (void)object;
    b.failures += event == TcpIndicateRetrieve && information == HardwareFailure;
}

static void on_restarted(void *ctx, enum flue_err err, unsigned times)
{
    (void)ctx, (void)times;
    b.restarts += err == FLUE_OK;
}

static void on_reconciled(void *ctx, enum flue_err err, const struct flue_target_found *found)
{
    (void)ctx;
    b.reconciles++;
    b.reconciled = err;
    b.found = *found;
}

/* ---- bench ---- */

static void switches_on(void)
{
    struct flue_cfg_switches on = {.word0 = FLUE_CFG_SWITCHES_IPV4_MASK | FLUE_CFG_SWITCHES_IPV6_MASK |
                                            FLUE_CFG_SWITCHES_ENCAP_IPV4_MASK | FLUE_CFG_SWITCHES_ENCAP_IPV6_MASK};
    struct flue_sqe set = {.word0 = FLUE_OP_SET_CONFIG << FLUE_SQE_OPCODE_SHIFT, .arg = {FLUE_CFG_SWITCHES}};
    struct flue_admin_done done;
    CHECK_EQ(flue_admin_call(b.admin, &set, &on, sizeof on, &done), FLUE_OK);
    CHECK_EQ(done.status, 0);
}

static void bench_open(unsigned width)
{
    struct flue_admin_params start = {.seed = {1, 2, 3, (uint32_t)check_seed}};
    struct flue_admin_handlers handlers = {.done = on_done, .notice = on_notice, .trapped = on_trapped};
    struct flue_target_params params = {
        .ndis = {.tcp_event = on_event}, .observer = {.restarted = on_restarted, .reconciled = on_reconciled}, .restarts = 3};
    struct flue_admin_info info;

    memset(&b, 0, sizeof b);
    b.rig = rig_open(&(struct rig_options){.width = width});
    CHECK_EQ(flue_admin_start(b.rig->adapter, &start, &handlers, &b.admin), FLUE_OK);
    flue_admin_info(b.admin, &info);
    params.rows[FLUE_LAYER_NEIGHBOR] = info.neighbors;
    params.rows[FLUE_LAYER_PATH] = info.paths;
    params.rows[FLUE_LAYER_TCP] = info.connections;
    for (unsigned op = 0; op < FLUE_TREE_OPS; op++)
        params.ndis.complete[op] = on_complete;
    b.bridge = (struct flue_target_bridge){.adapter = b.rig->adapter, .admin = b.admin};
    flue_target_over_admin(&b.bridge, &params.ops);
    CHECK_EQ(flue_target_create(&params, &b.target), FLUE_OK);
    switches_on();
}

static bool turn(void)
{
    unsigned handled;
    CHECK_EQ(b.rig->link->ops->wait(b.rig->link, TURN_US), FLUE_OK);
    CHECK_EQ(flue_poll(b.rig->adapter, 64, &handled), FLUE_OK);
    flue_target_run(b.target);
    return flue_target_outstanding(b.target) > 0;
}

static void operate(enum flue_tree_op op, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root)
{
    unsigned before = b.completed;
    flue_target_entry[op](b.target, root);
    for (unsigned i = 0; i < TURNS && b.completed == before; i++)
        turn();
    CHECK_EQ(b.completed, before + 1);
}

static void until_reconciled(unsigned times)
{
    for (unsigned i = 0; i < TURNS && b.reconciles < times; i++)
        turn();
    CHECK_EQ(b.reconciles, times);
    CHECK_EQ(b.reconciled, FLUE_OK);
}

static void bench_close(void)
{
    CHECK_EQ(flue_target_upload_all(b.target), FLUE_OK);
    for (unsigned i = 0; i < TURNS && turn(); i++)
        ;
    CHECK_EQ(flue_target_recovered(b.target), FLUE_OK);
    CHECK_EQ(flue_target_destroy(b.target), FLUE_OK);
    b.target = NULL;
    flue_admin_stop(b.admin);
    rig_refill(b.rig);
    rig_expect_alive(b.rig);
    rig_close(b.rig);
    for (unsigned i = 0; i < CHAINS; i++) {
        free(chains[i].neighbor);
        free(chains[i].path);
        free(chains[i].tcp);
    }
}

/* ---- trees ---- */

static NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node(OFFLOAD_STATE_TYPE type, unsigned classes, void **cell)
{
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *n = flue_tree_node_new(type, classes, 0);
    n->MiniportOffloadContext = cell;
    n->NdisOffloadHandle = cell;
    return n;
}

static void state_put(NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *n, unsigned class, const void *record, size_t bytes)
{
    uint8_t *state = flue_tree_node_state(n, ALL, class);
    uint32_t length = flue_ndis_state_length(state);
    memcpy(state + 8, (const uint8_t *)record + 8, (length < bytes ? length : bytes) - 8);
}

/* Neighbor, path (IPv6 when i is odd) and connection; the n-th ones of their kind. */
static void chain_take(unsigned i)
{
    struct chain *c = &chains[i];
    PATH_OFFLOAD_STATE_CONST addresses = {.SourceAddress = c->address[0], .DestinationAddress = c->address[1]};
    PATH_OFFLOAD_STATE_CACHED mtu = {.PathMtu = 1500};
    NEIGHBOR_OFFLOAD_STATE_CONST mac = {.DlSourceAddress = {2, 0, 0, 0, 0, (uint8_t)i}};
    TCP_OFFLOAD_STATE_CONST ports = {.RemotePort = (uint16_t)(100 + i), .LocalPort = 80, .RemoteMss = 1460};
    TCP_OFFLOAD_STATE_CACHED cached = {.InitialRcvWnd = 65535, .TtlOrHopLimit = 64};
    TCP_OFFLOAD_STATE_DELEGATED d = {.State = TcpConnectionEstablished,
                                     .RcvNxt = 7000 + i,
                                     .SendWL1 = 7000 + i,
                                     .RcvWnd = 65535,
                                     .SndUna = 1000 * i,
                                     .SndNxt = 1000 * i,
                                     .SndMax = 1000 * i,
                                     .SndWnd = 30000,
                                     .MaxSndWnd = 30000,
                                     .CWnd = 4380,
                                     .SsThresh = 65535,
                                     .KeepAlive = {.TimeoutDelta = FLUE_NDIS_NONE},
                                     .Retransmit = {.TimeoutDelta = FLUE_NDIS_NONE}};
    memset(c, 0, sizeof *c);
    c->address[0][0] = c->address[1][0] = 10;
    c->address[1][3] = (uint8_t)(1 + i);
    c->neighbor = node(NeighborOffloadState, ALL, &c->cell[0]);
    c->path = node(i % 2 == 1 ? Ip6OffloadState : Ip4OffloadState, ALL, &c->cell[1]);
    c->tcp = node(TcpOffloadState, ALL, &c->cell[2]);
    state_put(c->neighbor, FLUE_TREE_CONST, &mac, sizeof mac);
    state_put(c->path, FLUE_TREE_CONST, &addresses, sizeof addresses);
    state_put(c->path, FLUE_TREE_CACHED, &mtu, sizeof mtu);
    state_put(c->tcp, FLUE_TREE_CONST, &ports, sizeof ports);
    state_put(c->tcp, FLUE_TREE_CACHED, &cached, sizeof cached);
    state_put(c->tcp, FLUE_TREE_DELEGATED, &d, sizeof d);
    c->neighbor->DependentBlockList = c->path;
    c->path->DependentBlockList = c->tcp;
    operate(FLUE_TREE_INITIATE, c->neighbor);
    CHECK_EQ(c->neighbor->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(c->path->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(c->tcp->Status, NDIS_STATUS_SUCCESS);
}

/* The connection's state is what was handed over. */
static void chain_look(unsigned i)
{
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *q = node(TcpOffloadState, ALL, &chains[i].cell[2]);
    TCP_OFFLOAD_STATE_DELEGATED d;

    operate(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_SUCCESS);
    memset(&d, 0, sizeof d);
    const void *state = flue_tree_node_state(q, ALL, FLUE_TREE_DELEGATED);
    memcpy(&d, state, flue_ndis_state_length(state) < sizeof d ? flue_ndis_state_length(state) : sizeof d);
    CHECK_EQ(d.RcvNxt, 7000 + i);
    CHECK_EQ(d.SndUna, 1000 * i);
    CHECK_EQ(d.CWnd, 4380);
    free(q);
}

static void count(void *ctx, const struct flue_object *object)
{
    (void)object;
    ++*(unsigned *)ctx;
}

static unsigned device_objects(void)
{
    unsigned objects = 0;
    CHECK_EQ(flue_objects_list(b.admin, count, &objects), FLUE_OK);
    return objects;
}

/* ---- what goes wrong ---- */

static void reg_set(uint32_t reg, uint32_t value)
{
    CHECK_EQ(b.rig->link->ops->write32(b.rig->link, reg, value), FLUE_OK);
}

/* Stop it behind the driver's back, put a word into its memory, let it run, cold or warm. */
static void spoil(uint32_t address, uint32_t word, bool cold)
{
    uint32_t status = FLUE_FW_STATUS_RUNNING_MASK;

    reg_set(FLUE_REG_FW_CTRL, 0);
    for (unsigned i = 0; i < TURNS && (status & FLUE_FW_STATUS_RUNNING_MASK) != 0; i++) {
        CHECK_EQ(b.rig->link->ops->wait(b.rig->link, 1), FLUE_OK);
        CHECK_EQ(b.rig->link->ops->read32(b.rig->link, FLUE_REG_FW_STATUS, &status), FLUE_OK);
    }
    reg_set(FLUE_REG_FW_ADDR, address);
    reg_set(FLUE_REG_FW_DATA, word);
    reg_set(FLUE_REG_FW_CTRL, FLUE_FW_CTRL_RUN_MASK | (cold ? FLUE_FW_CTRL_COLD_MASK : 0));
}

/* CH-151, CH-152, HND-008: traps, one with an operation at the device, lose nothing: the processor comes back, objects stay. */
TEST(a_trap_loses_no_object)
{
    bench_open((check_seed & 1) != 0 ? 32 : 128);
    for (unsigned i = 0; i < CHAINS; i++)
        chain_take(i);
    for (unsigned round = 1; round <= 4; round++) {
        NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *q = node(TcpOffloadState, ALL, &chains[0].cell[2]);
        if (round % 2 == 0) {
            MiniportQueryOffload(b.target, q);
            flue_target_run(b.target);
        }
        spoil(START_ADDRESS, 0, false);
        until_reconciled(round);
        CHECK_EQ(b.traps, round);
        CHECK_EQ(b.trap.cause, 2);
        CHECK_EQ(b.trap.pc, START_ADDRESS);
        CHECK_EQ(b.restarts, round);
        CHECK_EQ(b.found.kept, 3 * CHAINS);
        CHECK_EQ(b.found.lost, 0);
        CHECK_EQ(b.found.terminated, 0);
        for (unsigned i = 0; i < TURNS && flue_target_outstanding(b.target) > 0; i++)
            turn();
        CHECK_EQ(b.completed, CHAINS + (round / 2) + (round - 1) * CHAINS);
        for (unsigned i = 0; i < CHAINS; i++)
            chain_look(i);
        free(q);
    }
    CHECK_EQ(b.failures, 0);
    CHECK_EQ(device_objects(), 3 * CHAINS);
    bench_close();
}

/* CH-151, CH-152: a trap in the middle of a cold start took the tables: every object is told to be lost, nothing is left over.
 */
TEST(a_processor_that_comes_back_empty_loses_everything_once)
{
    bench_open(32);
    for (unsigned i = 0; i < CHAINS; i++)
        chain_take(i);
    CHECK_EQ(flue_adapter_reset(b.rig->adapter), FLUE_OK);
    switches_on();
    CHECK_EQ(device_objects(), 0);
    CHECK_EQ(flue_target_reconcile(b.target), FLUE_OK);
    until_reconciled(1);
    CHECK_EQ(b.found.kept, 0);
    CHECK_EQ(b.found.lost, 3 * CHAINS);
    CHECK_EQ(b.failures, CHAINS);
    for (unsigned i = 0; i < CHAINS; i++) {
        NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *end[3];
        end[0] = node(NeighborOffloadState, 0, &chains[i].cell[0]);
        end[1] = node(i % 2 == 1 ? Ip6OffloadState : Ip4OffloadState, 0, &chains[i].cell[1]);
        end[2] = node(TcpOffloadState, 0, &chains[i].cell[2]);
        end[0]->DependentBlockList = end[1];
        end[1]->DependentBlockList = end[2];
        operate(FLUE_TREE_TERMINATE, end[0]);
        for (unsigned n = 0; n < 3; n++) {
            CHECK_EQ(end[n]->Status, NDIS_STATUS_FAILURE);
            free(end[n]);
        }
        free(chains[i].neighbor);
        free(chains[i].path);
        free(chains[i].tcp);
    }
    CHECK(flue_target_next(b.target, NULL) == NULL);
    for (unsigned i = 0; i < CHAINS; i++)
        chain_take(i); /* and it takes them anew */
    for (unsigned i = 0; i < CHAINS; i++)
        chain_look(i);
    bench_close();
}

TEST_MAIN(1)
