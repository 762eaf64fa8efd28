/*
 * The host above the target, for tests: builds trees, counts completions, notes events in order.
 */
#ifndef FLUE_TEST_NDIS_RIG_H
#define FLUE_TEST_NDIS_RIG_H

#include "check.h"
#include "ndis_fake.h"

#include <stdlib.h>
#include <string.h>

#define NODES_MAX 20100u
#define ALL       (FLUE_TREE_CONST | FLUE_TREE_CACHED | FLUE_TREE_DELEGATED)

typedef NDIS_MINIPORT_OFFLOAD_BLOCK_LIST node_t;

struct note {
    char what; /* E: event, S: send completion, C: completion */
    void *who; /* host handle, list, root */
    uint32_t event, information;
};

struct rig {
    struct fake *fake;
    struct flue_target *target;
    node_t *nodes[NODES_MAX];
    void *cells[NODES_MAX];
    uint8_t addresses[NODES_MAX][2][16];
    unsigned count;
    struct note notes[256];
    unsigned note_count, completed[FLUE_TREE_OPS];
    node_t *last_root;
    bool paused, closed, uploading;
    const char *fault;
    struct flue_target_found found;
    enum flue_err reconciled, restarted;
    unsigned reconciles, restarts;
    uint32_t answer_hrd;
    void (*on_complete)(enum flue_tree_op op, node_t *root);
    void (*on_event)(void *who, uint32_t event, uint32_t information);
};
static struct rig rig;

static inline void note(char what, void *who, uint32_t event, uint32_t information)
{
    if (rig.note_count < 256)
        rig.notes[rig.note_count++] = (struct note){what, who, event, information};
}

static inline void rig_complete(enum flue_tree_op op, node_t *root)
{
    rig.completed[op]++;
    rig.last_root = root;
    note('C', root, op, 0);
    if (rig.on_complete != NULL)
        rig.on_complete(op, root);
}

#define COMPLETE(name, op)                                                                                                     \
    static inline void name(NDIS_HANDLE miniport, node_t *root)                                                                \
    {                                                                                                                          \
        (void)miniport;                                                                                                        \
        rig_complete(op, root);                                                                                                \
    }
COMPLETE(initiate_complete, FLUE_TREE_INITIATE)
COMPLETE(query_complete, FLUE_TREE_QUERY)
COMPLETE(update_complete, FLUE_TREE_UPDATE)
COMPLETE(invalidate_complete, FLUE_TREE_INVALIDATE)
COMPLETE(terminate_complete, FLUE_TREE_TERMINATE)

static inline void rig_event(NDIS_HANDLE who, uint32_t event, uint32_t information)
{
    note('E', who, event, information);
    if (rig.on_event != NULL)
        rig.on_event(who, event, information);
}

static inline void rig_send_complete(NDIS_HANDLE miniport, NET_BUFFER_LIST *list)
{
    (void)miniport;
    for (; list != NULL; list = list->Next)
        note('S', list, (uint32_t)list->Status, flue_ndis_slot(list, TcpOffloadBytesTransferred));
}

static inline void rig_neighbor(NDIS_HANDLE miniport, node_t *node, uint32_t code)
{
    NEIGHBOR_OFFLOAD_STATE_CACHED cached;
    void *state = flue_tree_node_state(node, ALL, FLUE_TREE_CACHED);
    (void)miniport;
    note('N', node->NdisOffloadHandle, code, node->Header.Type);
    memcpy(&cached, state, sizeof cached);
    cached.HostReachabilityDelta = rig.answer_hrd;
    memcpy(state, &cached, sizeof cached);
}

static inline bool rig_paused(void *ctx)
{
    (void)ctx;
    return rig.paused;
}

static inline bool rig_closed(void *ctx)
{
    (void)ctx;
    return rig.closed;
}

static inline bool rig_uploading(void *ctx)
{
    (void)ctx;
    return rig.uploading;
}

static inline void rig_fault(void *ctx, const char *sentence)
{
    (void)ctx;
    rig.fault = sentence;
}

static inline void rig_reconciled(void *ctx, enum flue_err err, const struct flue_target_found *found)
{
    (void)ctx;
    rig.reconciles++;
    rig.reconciled = err;
    rig.found = *found;
}

static inline void rig_restarted(void *ctx, enum flue_err err, unsigned times)
{
    (void)ctx;
    rig.restarts = times;
    rig.restarted = err;
}

static inline void rig_open_rows(uint32_t neighbors, uint32_t paths, uint32_t connections, uint32_t rows)
{
    struct flue_target_params params = {
        .ndis = {.complete = {initiate_complete, query_complete, update_complete, invalidate_complete, terminate_complete},
                 .tcp_event = rig_event,
                 .send_complete = rig_send_complete,
                 .offload_event = rig_neighbor},
        .gate = {.paused = rig_paused, .closed = rig_closed, .uploading = rig_uploading},
        .observer = {.fault = rig_fault, .reconciled = rig_reconciled},
        .rows = {0, rows, rows, rows}};

    memset(&rig, 0, sizeof rig);
    rig.fake = fake_new(neighbors, paths, connections);
    fake_ops(rig.fake, &params.ops);
    CHECK_EQ(flue_target_create(&params, &rig.target), FLUE_OK);
    rig.fake->target = rig.target;
}

static inline void rig_open(uint32_t neighbors, uint32_t paths, uint32_t connections)
{
    rig_open_rows(neighbors, paths, connections, FAKE_ROWS);
}

/* Everything is given back; the sanitizer looks for the rest. */
static inline void rig_close(void)
{
    CHECK_EQ(flue_target_destroy(rig.target), FLUE_OK);
    for (unsigned i = 0; i < 16; i++)
        CHECK(rig.fake->region[i] == NULL);
    fake_free(rig.fake);
    for (unsigned i = 0; i < rig.count; i++)
        free(rig.nodes[i]);
}

static inline void rig_work(void)
{
    flue_target_run(rig.target);
    while (fake_step(rig.fake))
        ;
    flue_target_run(rig.target);
}

/* ---- trees ------------------------------------------------------------------------------------------------------- */

/* A node with its own cell, below parent or (null) alone; link siblings by hand or with `add`. */
static inline node_t *make(OFFLOAD_STATE_TYPE type, unsigned classes, unsigned shape)
{
    node_t *node = flue_tree_node_new(type, classes, shape);
    CHECK(node != NULL);
    CHECK(rig.count < NODES_MAX);
    rig.nodes[rig.count] = node;
    node->MiniportOffloadContext = &rig.cells[rig.count];
    node->NdisOffloadHandle = (void *)(uintptr_t)(0x7000000000ull + 16u * (rig.count + 1));
    node->Status = (NDIS_STATUS)0x12345678;
    rig.count++;
    return node;
}

static inline node_t *add(node_t *parent, node_t *node)
{
    node_t **at = &parent->DependentBlockList;
    while (*at != NULL)
        at = &(*at)->NextBlock;
    *at = node;
    return node;
}

static inline void state_get(const node_t *node, unsigned classes, unsigned which, void *record, size_t bytes)
{
    const void *state = flue_tree_node_state(node, classes, which);
    memset(record, 0, bytes);
    memcpy(record, state, flue_ndis_state_length(state) < bytes ? flue_ndis_state_length(state) : bytes);
}

static inline void state_set(node_t *node, unsigned classes, unsigned which, const void *record, size_t bytes)
{
    void *state = flue_tree_node_state(node, classes, which);
    uint32_t length = flue_ndis_state_length(state);
    memcpy((uint8_t *)state + 8, (const uint8_t *)record + 8, (length < bytes ? length : bytes) - 8);
}

static inline node_t *new_neighbor(void)
{
    return make(NeighborOffloadState, ALL, 0);
}

static inline node_t *new_path(bool ipv6, uint8_t last)
{
    node_t *node = make(ipv6 ? Ip6OffloadState : Ip4OffloadState, ALL, 0);
    uint8_t(*address)[16] = rig.addresses[rig.count - 1];
    PATH_OFFLOAD_STATE_CONST constant = {.SourceAddress = address[0], .DestinationAddress = address[1]};
    PATH_OFFLOAD_STATE_CACHED cached = {.PathMtu = 1500};
    for (unsigned i = 0; i < 16; i++) {
        address[0][i] = (uint8_t)(10 + i);
        address[1][i] = (uint8_t)(200 - i);
    }
    address[0][3] = last;
    state_set(node, ALL, FLUE_TREE_CONST, &constant, sizeof constant);
    state_set(node, ALL, FLUE_TREE_CACHED, &cached, sizeof cached);
    return node;
}

static inline node_t *new_tcp(uint16_t port)
{
    node_t *node = make(TcpOffloadState, ALL, 0);
    TCP_OFFLOAD_STATE_CONST constant = {.RemotePort = port, .LocalPort = 80, .RemoteMss = 1460};
    TCP_OFFLOAD_STATE_DELEGATED delegated = {.State = TcpConnectionEstablished, .SndUna = 1000, .SndNxt = 1000, .SndMax = 1000};
    state_set(node, ALL, FLUE_TREE_CONST, &constant, sizeof constant);
    state_set(node, ALL, FLUE_TREE_DELEGATED, &delegated, sizeof delegated);
    return node;
}

/* A node of another tree that refers to the object of this one. */
static inline node_t *refer(const node_t *to, OFFLOAD_STATE_TYPE type, unsigned classes)
{
    node_t *node = make(type, classes, 0);
    node->MiniportOffloadContext = to->MiniportOffloadContext;
    return node;
}

static inline node_t *refer_full(const node_t *to)
{
    return refer(to, (OFFLOAD_STATE_TYPE)to->Header.Type, 0);
}

static inline void run_op(enum flue_tree_op op, node_t *root)
{
    unsigned before = rig.completed[op];
    flue_target_entry[op](rig.target, root);
    CHECK_EQ(rig.completed[op], before); /* never from inside */
    rig_work();
    CHECK_EQ(rig.completed[op], before + 1);
    CHECK(rig.last_root == root);
}

/* A neighbor, a path and a connection, all taken. */
struct chain {
    node_t *neighbor, *path, *tcp;
};
static inline struct chain take_chain(uint16_t port)
{
    struct chain c = {new_neighbor(), new_path(false, 1), new_tcp(port)};
    add(c.neighbor, c.path);
    add(c.path, c.tcp);
    run_op(FLUE_TREE_INITIATE, c.neighbor);
    CHECK_EQ(c.neighbor->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(c.tcp->Status, NDIS_STATUS_SUCCESS);
    return c;
}

static inline uint32_t device_handle(const node_t *node)
{
    struct flue_target_object object;
    CHECK_EQ(flue_target_object(rig.target, *node->MiniportOffloadContext, &object), FLUE_OK);
    return object.handle;
}

#endif
