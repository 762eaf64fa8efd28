/*
 * The rig of ndis_rig.h over the admin queue and the firmware compiled for the host.
 */
#ifndef FLUE_TEST_NDIS_MODEL_RIG_H
#define FLUE_TEST_NDIS_MODEL_RIG_H

#include "ndis_rig.h"

#include "flue/model.h"
#include "slots.h"

static struct flue_link *model;
static struct flue_adapter *adapter;
static struct flue_target_bridge bridge;

static inline void on_done(void *ctx, const struct flue_admin_done *done)
{
    (void)ctx;
    flue_target_done(rig.target, done);
}

static inline void on_notice(void *ctx, enum flue_cqe_kind kind, uint32_t status, uint32_t result)
{
    (void)ctx;
    flue_target_notice(rig.target, kind, status, result);
}

static inline void on_trapped(void *ctx, const struct flue_admin_trap *trap)
{
    (void)ctx, (void)trap;
    flue_target_stopped(rig.target);
}

static inline void set_config(enum flue_config_group group, void *record, size_t bytes)
{
    struct flue_sqe set = {.word0 = FLUE_OP_SET_CONFIG, .arg = {(uint32_t)group}};
    struct flue_admin_done done;
    CHECK_EQ(flue_admin_call(bridge.admin, &set, record, bytes, &done), FLUE_OK);
    CHECK_EQ(done.status, 0);
}

static inline void model_open(uint32_t neighbors, uint32_t paths, uint32_t connections)
{
    struct flue_model_params size = {.neighbors = neighbors, .paths = paths, .connections = connections};
    struct flue_admin_handlers handlers = {.done = on_done, .notice = on_notice, .trapped = on_trapped};
    struct flue_target_params params = {
        .ndis = {.complete = {initiate_complete, query_complete, update_complete, invalidate_complete, terminate_complete},
                 .tcp_event = rig_event,
                 .send_complete = rig_send_complete},
        .observer = {.fault = rig_fault, .reconciled = rig_reconciled, .restarted = rig_restarted},
        .restarts = 3};
    struct flue_cfg_switches on = {.word0 = htole32(15)};
    struct flue_admin_info info;

    memset(&rig, 0, sizeof rig);
    CHECK_EQ(flue_model_link_open(&size, &model), FLUE_OK);
    CHECK_EQ(flue_adapter_open(model, NULL, NULL, &adapter), FLUE_OK);
    bridge = (struct flue_target_bridge){.adapter = adapter};
    CHECK_EQ(flue_admin_start(adapter, &(struct flue_admin_params){0}, &handlers, &bridge.admin), FLUE_OK);
    flue_admin_info(bridge.admin, &info);
    params.rows[1] = info.neighbors;
    params.rows[2] = info.paths;
    params.rows[3] = info.connections;
    flue_target_over_admin(&bridge, &params.ops);
    CHECK_EQ(flue_target_create(&params, &rig.target), FLUE_OK);
    set_config(FLUE_CFG_SWITCHES, &on, sizeof on);
}

static inline void model_work(void)
{
    unsigned handled;
    flue_target_run(rig.target);
    for (unsigned i = 0; i < 100000 && flue_target_outstanding(rig.target) > 0; i++) {
        CHECK_EQ(flue_poll(adapter, 64, &handled), FLUE_OK);
        if (handled == 0)
            CHECK_EQ(model->ops->wait(model, 50), FLUE_OK);
        flue_target_run(rig.target);
    }
    CHECK_EQ(flue_target_outstanding(rig.target), 0);
}

static inline void model_op(enum flue_tree_op op, node_t *root)
{
    unsigned before = rig.completed[op];
    flue_target_entry[op](rig.target, root);
    CHECK_EQ(rig.completed[op], before);
    model_work();
    CHECK_EQ(rig.completed[op], before + 1);
}

static inline void model_close(void)
{
    CHECK(rig.fault == NULL);
    CHECK_EQ(flue_target_upload_all(rig.target), FLUE_OK);
    model_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    CHECK_EQ(flue_target_destroy(rig.target), FLUE_OK);
    flue_adapter_close(adapter);
    model->ops->close(model);
    for (unsigned i = 0; i < rig.count; i++)
        free(rig.nodes[i]);
}

/* A connection whose values the device must accept. */
static inline node_t *legal_tcp(uint16_t port)
{
    node_t *node = make(TcpOffloadState, ALL, check_random(4));
    TCP_OFFLOAD_STATE_CONST constant = {.RemotePort = port,
                                        .LocalPort = 80,
                                        .RemoteMss = (uint16_t)(536 + check_random(1000)),
                                        .HashValue = check_random(1u << 31)};
    TCP_OFFLOAD_STATE_CACHED cached = {
        .InitialRcvWnd = 65535, .TtlOrHopLimit = 64, .KaProbeCount = 5, .KaTimeout = 7200000, .KaInterval = 1000};
    TCP_OFFLOAD_STATE_DELEGATED d = {.State = TcpConnectionEstablished,
                                     .Flags = (uint16_t)check_random(65536),
                                     .RcvNxt = check_random(1u << 31),
                                     .RcvWnd = 1 + check_random(65535),
                                     .SndUna = 0xFFFFFF00u,
                                     .SndWnd = 30000,
                                     .MaxSndWnd = 40000,
                                     .CWnd = 0xFFFFFFFFu,
                                     .SsThresh = 50000,
                                     .SRtt = 800,
                                     .RttVar = 100,
                                     .DupAckCount = 2,
                                     .KeepAlive = {.TimeoutDelta = FLUE_NDIS_NONE},
                                     .Retransmit = {.Count = 1, .TimeoutDelta = FLUE_NDIS_NONE}};
    d.SendWL1 = d.RcvNxt;
    d.SndNxt = d.SndUna + check_random(1000);
    d.SndMax = d.SndNxt + check_random(1000);
    state_set(node, ALL, FLUE_TREE_CONST, &constant, sizeof constant);
    state_set(node, ALL, FLUE_TREE_CACHED, &cached, sizeof cached);
    state_set(node, ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
    return node;
}

static inline struct chain model_chain(uint8_t address, uint16_t port)
{
    struct chain c = {new_neighbor(), new_path(false, address), legal_tcp(port)};
    add(c.neighbor, c.path);
    add(c.path, c.tcp);
    model_op(FLUE_TREE_INITIATE, c.neighbor);
    CHECK_EQ(c.neighbor->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(c.path->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(c.tcp->Status, NDIS_STATUS_SUCCESS);
    return c;
}

#endif
