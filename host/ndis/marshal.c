/* A judged tree as one buffer for the device, and the device's answer judged in turn. */
#include "tree_internal.h"

#include <string.h>
#include "slots.h"

#define NODE_REVISION 1u

/* ---- out --------------------------------------------------------------------------------------------------------- */

enum flue_err tree_layout(struct flue_tree *tree)
{
    size_t at;
    uint32_t nodes = 0;

    for (uint32_t i = 0; i < tree->count; i++)
        if (!tree->items[i].refused)
            tree->items[i].wire = nodes++;
    tree->wire_nodes = nodes;
    tree->bytes = 0;
    if (nodes == 0)
        return FLUE_OK;
    at = sizeof(struct flue_tree_header) + (size_t)nodes * sizeof(struct flue_tree_node);
    for (uint32_t i = 0; i < tree->count; i++) {
        struct tree_item *item = &tree->items[i];
        if (item->refused || item->wire_classes == 0)
            continue;
        item->offset = (uint32_t)at;
        at += state_wire_bytes(item->layer, item->wire_classes);
        if (at > TREE_MAX_BYTES)
            return FLUE_EARG;
    }
    if (at > TREE_MAX_BYTES)
        return FLUE_EARG;
    tree->bytes = at;
    return FLUE_OK;
}

static void write_header(void *buffer, uint32_t nodes, size_t bytes)
{
    struct flue_tree_header header = {.magic = htole32(FLUE_TREE_MAGIC),
                                      .version = htole32(FLUE_TREE_VERSION),
                                      .nodes = htole32(nodes),
                                      .bytes = htole32((uint32_t)bytes)};
    memcpy(buffer, &header, sizeof header);
}

/* Type of an item on the wire: that of its state, the full one without. */
static unsigned wire_type(const struct tree_item *item)
{
    static const uint8_t of_tcp[] = {[FLUE_TREE_DELEGATED] = TcpOffloadDelegatedState};

    if (item->kind == FLUE_NODE_PLACEHOLDER)
        return 0;
    if (item->wire_classes != 0 && item->wire_classes == item->classes)
        return item->type;
    if (item->wire_classes == FLUE_TREE_DELEGATED && item->layer == FLUE_LAYER_TCP)
        return of_tcp[item->wire_classes];
    if (item->layer == FLUE_LAYER_NEIGHBOR)
        return NeighborOffloadState;
    if (item->layer == FLUE_LAYER_TCP)
        return TcpOffloadState;
    return flue_tree_is_ipv6(item->type) ? Ip6OffloadState : Ip4OffloadState;
}

static void write_node(const struct tree_item *item, struct flue_tree_node *node)
{
    uint64_t host_handle = item->kind == FLUE_NODE_NEW ? (uintptr_t)item->node->NdisOffloadHandle : 0;

    *node = (struct flue_tree_node){
        .word0 = htole32(FLUE_PUT(TREE_NODE_KIND, item->kind) | FLUE_PUT(TREE_NODE_DEPTH, item->depth) |
                         FLUE_PUT(TREE_NODE_STATE_TYPE, wire_type(item)) |
                         FLUE_PUT(TREE_NODE_REVISION, item->wire_classes != 0 ? NODE_REVISION : 0)),
        .offset = htole32(item->offset),
        .length = htole32(item->wire_classes != 0 ? state_wire_bytes(item->layer, item->wire_classes) : 0),
        .host_handle = {htole32((uint32_t)host_handle), htole32((uint32_t)(host_handle >> 32))},
        .handle = htole32(item->kind == FLUE_NODE_REFERENCE ? item->handle : 0),
    };
}

void tree_write(const struct flue_tree *tree, void *buffer)
{
    uint8_t *out = buffer;

    write_header(buffer, tree->wire_nodes, tree->bytes);
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct tree_item *item = &tree->items[i];
        struct flue_tree_node node;
        if (item->refused)
            continue;
        write_node(item, &node);
        memcpy(out + sizeof(struct flue_tree_header) + item->wire * sizeof node, &node, sizeof node);
        if (item->wire_classes != 0)
            state_write(item, out + item->offset);
    }
}

static uint32_t flat_state(uint32_t n, uint32_t nodes, uint32_t state_bytes)
{
    return (uint32_t)(sizeof(struct flue_tree_header) + nodes * sizeof(struct flue_tree_node)) + n * state_bytes;
}

void tree_write_reference(void *buffer, uint32_t n, uint32_t nodes, uint8_t type, uint32_t state_bytes, uint32_t handle)
{
    struct flue_tree_node node = {.word0 = htole32(FLUE_PUT(TREE_NODE_KIND, FLUE_NODE_REFERENCE) |
                                                   FLUE_PUT(TREE_NODE_STATE_TYPE, type) |
                                                   FLUE_PUT(TREE_NODE_REVISION, state_bytes > 0 ? NODE_REVISION : 0)),
                                  .offset = htole32(state_bytes > 0 ? flat_state(n, nodes, state_bytes) : 0),
                                  .length = htole32(state_bytes),
                                  .handle = htole32(handle)};

    memcpy((uint8_t *)buffer + sizeof(struct flue_tree_header) + n * sizeof node, &node, sizeof node);
}

uint32_t tree_write_flat(void *buffer, uint32_t nodes, uint32_t state_bytes)
{
    uint32_t bytes = flat_state(nodes, nodes, state_bytes);

    write_header(buffer, nodes, bytes);
    return bytes;
}

/* ---- back -------------------------------------------------------------------------------------------------------- */

/* Statuses a new object may be refused with (2.1.1), by layer. */
static bool refusal_known(unsigned layer, NDIS_STATUS status)
{
    switch (status) {
    case NDIS_STATUS_FAILURE:
    case NDIS_STATUS_RESOURCES:
        return true;
    case NDIS_STATUS_OFFLOAD_NEIGHBOR_ENTRIES:
    case NDIS_STATUS_OFFLOAD_HW_ADDRESS_ENTRIES:
    case NDIS_STATUS_OFFLOAD_VLAN_ENTRIES:
    case NDIS_STATUS_OFFLOAD_VLAN_MISMATCH:
        return layer == FLUE_LAYER_NEIGHBOR;
    case NDIS_STATUS_OFFLOAD_PATH_ENTRIES:
    case NDIS_STATUS_OFFLOAD_IP_ADDRESS_ENTRIES:
        return layer == FLUE_LAYER_PATH;
    case NDIS_STATUS_OFFLOAD_PATH_MTU:
        return layer != FLUE_LAYER_NEIGHBOR;
    case NDIS_STATUS_OFFLOAD_TCP_ENTRIES:
    case NDIS_STATUS_OFFLOAD_TCP_XMIT_BUFFER:
    case NDIS_STATUS_OFFLOAD_TCP_RCV_BUFFER:
    case NDIS_STATUS_OFFLOAD_TCP_RCV_WINDOW:
    case NDIS_STATUS_OFFLOAD_CONNECTION_REJECTED:
        return layer == FLUE_LAYER_TCP;
    default:
        return false;
    }
}

static bool is_taken(NDIS_STATUS status)
{
    return status == NDIS_STATUS_SUCCESS || status == NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS;
}

static const char *check_new(struct tree_item *item, uint32_t handle, const uint32_t rows[4])
{
    if (!is_taken(item->answer)) {
        if (!refusal_known(item->layer, item->answer))
            return "a new object got a status that is unknown or not of its layer";
        return handle == 0 ? NULL : "an object that was refused got a handle";
    }
    if (item->answer == NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS && item->layer == FLUE_LAYER_TCP)
        return "a connection got OFFLOAD_PARTIAL_SUCCESS";
    if (FLUE_GET(HANDLE_KIND, handle) != item->layer)
        return "an object got a handle of another kind";
    if (FLUE_GET(HANDLE_GENERATION, handle) == 0 || FLUE_GET(HANDLE_INDEX, handle) >= rows[item->layer])
        return "an object got a handle that no row has";
    item->handle = handle;
    return NULL;
}

static const char *check_reference(const struct tree_item *item, enum flue_tree_op op, uint32_t handle)
{
    bool partial = item->answer == NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS;

    if (handle != item->handle)
        return "the handle of a reference came back changed";
    if (item->answer == NDIS_STATUS_SUCCESS || item->answer == NDIS_STATUS_FAILURE)
        return NULL;
    if (!partial || op != FLUE_TREE_INITIATE)
        return "a reference got a status that is unknown or not of its operation";
    return item->layer == FLUE_LAYER_TCP ? "a connection got OFFLOAD_PARTIAL_SUCCESS" : NULL;
}

static const char *check_node(struct tree_item *item, enum flue_tree_op op, const struct flue_tree_node *node,
                              const uint32_t rows[4])
{
    uint32_t word7 = le32toh(node->word7), handle = le32toh(node->handle);

    if ((word7 & FLUE_TREE_NODE_WORD7_ZERO) != 0 || FLUE_GET(TREE_NODE_DETAIL, word7) > FLUE_AD_ABORTED)
        return "a node came back with an unknown detail";
    item->detail = (uint8_t)FLUE_GET(TREE_NODE_DETAIL, word7);
    item->answer = (NDIS_STATUS)le32toh(node->status);
    switch (item->kind) {
    case FLUE_NODE_NEW:
        return check_new(item, handle, rows);
    case FLUE_NODE_REFERENCE:
        return check_reference(item, op, handle);
    default:
        if (item->answer != NDIS_STATUS_SUCCESS && item->answer != NDIS_STATUS_FAILURE)
            return "a placeholder got a status that is unknown";
        return handle == 0 ? NULL : "a placeholder got a handle";
    }
}

/* Status of an object whose dependents ended like this; linkers and new ones differ when nothing was taken. */
static NDIS_STATUS from_dependents(const struct tree_item *item, uint32_t children, uint32_t taken)
{
    if (taken == children)
        return NDIS_STATUS_SUCCESS;
    if (taken == 0 && item->kind == FLUE_NODE_REFERENCE)
        return NDIS_STATUS_FAILURE;
    return NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS;
}

/* What an initiate says of a parent must follow from its immediate dependents; those without object may count or not. */
static const char *check_parent(const struct tree_item *item)
{
    if (item->kind == FLUE_NODE_PLACEHOLDER || (item->kind == FLUE_NODE_NEW && !is_taken(item->answer)))
        return NULL;
    if (item->answer == from_dependents(item, item->children, item->taken) ||
        item->answer == from_dependents(item, item->real_children, item->real_taken))
        return NULL;
    if (item->kind == FLUE_NODE_REFERENCE && item->answer == NDIS_STATUS_FAILURE && item->real_taken == 0)
        return NULL;
    return "the status of a parent does not follow from its dependents";
}

/* A node must not be taken where its parent was not. */
static const char *check_under(const struct tree_item *parent, const struct tree_item *item)
{
    bool parent_out = parent->kind == FLUE_NODE_NEW && !is_taken(parent->answer);

    if (item->kind == FLUE_NODE_NEW && is_taken(item->answer) && parent_out)
        return "an object was taken under one that was refused";
    return NULL;
}

static const char *check_relations(struct flue_tree *tree)
{
    const char *fault = NULL;

    for (uint32_t i = 0; i < tree->count && fault == NULL; i++) {
        struct tree_item *item = &tree->items[i], *parent;
        bool ok = is_taken(item->answer);
        if (item->refused || item->parent == TREE_NONE)
            continue;
        parent = &tree->items[item->parent];
        fault = check_under(parent, item);
        parent->children++;
        parent->taken += ok;
        if (item->kind != FLUE_NODE_PLACEHOLDER) {
            parent->real_children++;
            parent->real_taken += ok;
        }
    }
    for (uint32_t i = 0; i < tree->count && fault == NULL; i++)
        if (!tree->items[i].refused)
            fault = check_parent(&tree->items[i]);
    return fault;
}

/* The device did not see dependents that were refused before: their parent's status is theirs too. */
static NDIS_STATUS final_status(const struct tree_item *item, enum flue_tree_op op)
{
    if (op != FLUE_TREE_INITIATE || !item->child_refused || item->answer != NDIS_STATUS_SUCCESS)
        return item->answer;
    if (item->kind == FLUE_NODE_REFERENCE && item->children == 0)
        return NDIS_STATUS_FAILURE;
    return NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS;
}

const char *tree_check(struct flue_tree *tree, const uint8_t *buffer, const uint32_t rows[4])
{
    const char *fault = NULL;

    for (uint32_t i = 0; i < tree->count && fault == NULL; i++) {
        struct tree_item *item = &tree->items[i];
        struct flue_tree_node node;
        if (item->refused)
            continue;
        memcpy(&node, buffer + sizeof(struct flue_tree_header) + item->wire * sizeof node, sizeof node);
        fault = check_node(item, tree->op, &node, rows);
        if (fault == NULL && item->wire_classes != 0 && item->answer == NDIS_STATUS_SUCCESS)
            fault = state_check(item, tree->op, buffer + item->offset);
    }
    if (fault == NULL && tree->op == FLUE_TREE_INITIATE)
        fault = check_relations(tree);
    for (uint32_t i = 0; i < tree->count && fault == NULL; i++)
        if (!tree->items[i].refused)
            tree->items[i].status = final_status(&tree->items[i], tree->op);
    return fault;
}
