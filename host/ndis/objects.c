/* What a device holds: LIST, then one QUERY for each piece of it. */
#include "flue/ndis/objects.h"

#include <string.h>
#include "slots.h"
#include "tree_internal.h"

#define ENTRIES   40u
#define KEY_WORDS 8u /* of the longest state asked for: a path's constants */

struct list {
    struct flue_admin *admin;
    struct flue_list_entry entry[ENTRIES];
    uint32_t count;
    uint32_t tree[(sizeof(struct flue_tree_header) + ENTRIES * (sizeof(struct flue_tree_node) + 4 * KEY_WORDS)) / 4];
};

/* A neighbor with all it has, of the others what never changes. */
static uint8_t type_of(const struct flue_list_entry *entry)
{
    if (FLUE_GET(HANDLE_KIND, entry->handle) == FLUE_LAYER_NEIGHBOR)
        return NeighborOffloadState;
    if (FLUE_GET(HANDLE_KIND, entry->handle) == FLUE_LAYER_TCP)
        return TcpOffloadConstState;
    return FLUE_GET(ROW_HEAD_IPV6, entry->row_state) != 0 ? Ip6OffloadConstState : Ip4OffloadConstState;
}

static uint32_t state_bytes(unsigned layer)
{
    return state_wire_bytes(layer, layer == FLUE_LAYER_NEIGHBOR ? FLUE_TREE_CONST | FLUE_TREE_CACHED | FLUE_TREE_DELEGATED
                                                                : FLUE_TREE_CONST);
}

static void mac_of(uint8_t mac[6], uint32_t low, uint32_t high)
{
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
}

/* State words, as the processor wrote them. */
static void key_of(struct flue_object *object, const uint32_t *words)
{
    struct flue_wire_neighbor_const constant;
    struct flue_wire_neighbor_cached cached;
    struct flue_wire_tcp_const tcp;

    object->key = true;
    switch (object->layer) {
    case FLUE_LAYER_NEIGHBOR:
        memcpy(&constant, words, sizeof constant);
        memcpy(&cached, words + sizeof constant / 4, sizeof cached);
        mac_of(object->source_mac, le32toh(constant.dl_source), le32toh(constant.word1));
        mac_of(object->target_mac, le32toh(cached.dl_destination), le32toh(cached.word1));
        object->vlan_id = (uint16_t)FLUE_GET(WIRE_NEIGHBOR_CONST_VLAN_ID, le32toh(constant.word1));
        break;
    case FLUE_LAYER_PATH:
        memcpy(object->local, words, sizeof object->local);
        memcpy(object->remote, words + 4, sizeof object->remote);
        break;
    default:
        memcpy(&tcp, words, sizeof tcp);
        object->local_port = (uint16_t)FLUE_GET(WIRE_TCP_CONST_LOCAL_PORT, le32toh(tcp.ports));
        object->remote_port = (uint16_t)FLUE_GET(WIRE_TCP_CONST_REMOTE_PORT, le32toh(tcp.ports));
    }
}

static struct flue_object object_of(const struct flue_list_entry *entry)
{
    return (struct flue_object){
        .layer = (enum flue_tree_layer)FLUE_GET(HANDLE_KIND, entry->handle),
        .handle = entry->handle,
        .parent = entry->parent,
        .host_handle = entry->host_handle[0] | (uint64_t)entry->host_handle[1] << 32,
        .dependents = entry->refs,
        .state = (enum flue_row_state)FLUE_GET(ROW_HEAD_STATE, entry->row_state),
        .ipv6 = FLUE_GET(ROW_HEAD_IPV6, entry->row_state) != 0,
        .invalidated = FLUE_GET(ROW_HEAD_INVALID, entry->row_state) != 0,
        .corrupt = FLUE_GET(ROW_HEAD_CORRUPT, entry->row_state) != 0,
    };
}

/* The next objects of a layer, from this row on: FLUE_EDEVICE when they cannot be. */
static enum flue_err fetch(struct list *list, unsigned layer, uint32_t row)
{
    struct flue_sqe sqe = {.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_LIST),
                           .arg = {FLUE_PUT(HANDLE_KIND, layer) | FLUE_PUT(HANDLE_INDEX, row)}};
    struct flue_admin_done done;
    enum flue_err err;

    memset(list->entry, 0, sizeof list->entry);
    list->count = 0;
    err = flue_admin_call(list->admin, &sqe, list->entry, sizeof list->entry, &done);
    if (err != FLUE_OK)
        return err;
    if (done.status != (uint32_t)NDIS_STATUS_SUCCESS || done.result > ENTRIES)
        return FLUE_EDEVICE;
    for (uint32_t i = 0; i < done.result; i++) {
        struct flue_list_entry *e = &list->entry[i];
        uint32_t *words = (uint32_t *)e;
        for (unsigned w = 0; w < sizeof *e / 4; w++)
            words[w] = le32toh(words[w]);
        if (FLUE_GET(HANDLE_KIND, e->handle) != layer)
            return FLUE_GET(HANDLE_KIND, e->handle) < layer ? FLUE_EDEVICE : FLUE_OK; /* a later one is asked for itself */
        if (FLUE_GET(HANDLE_INDEX, e->handle) < row)
            return FLUE_EDEVICE;
        row = FLUE_GET(HANDLE_INDEX, e->handle) + 1;
        list->count++;
    }
    return FLUE_OK;
}

static enum flue_err query(struct list *list, unsigned layer)
{
    struct flue_sqe sqe = {.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_QUERY)};
    struct flue_admin_done done;

    memset(list->tree, 0, sizeof list->tree);
    uint32_t bytes = tree_write_flat(list->tree, list->count, state_bytes(layer));
    for (uint32_t i = 0; i < list->count; i++)
        tree_write_reference(list->tree, i, list->count, type_of(&list->entry[i]), state_bytes(layer), list->entry[i].handle);
    sqe.length = bytes;
    enum flue_err err = flue_admin_call(list->admin, &sqe, list->tree, bytes, &done);
    return err == FLUE_OK && done.status != (uint32_t)NDIS_STATUS_SUCCESS ? FLUE_EDEVICE : err;
}

enum flue_err flue_objects_list(struct flue_admin *admin, flue_object_each *each, void *ctx)
{
    struct list list = {.admin = admin};

    for (unsigned layer = FLUE_LAYER_NEIGHBOR; layer <= FLUE_LAYER_TCP; layer++) {
        uint32_t row = 0;
        do {
            enum flue_err err = fetch(&list, layer, row);
            if (err == FLUE_OK && list.count > 0)
                err = query(&list, layer);
            if (err != FLUE_OK)
                return err;
            const uint8_t *nodes = (const uint8_t *)list.tree + sizeof(struct flue_tree_header);
            const uint32_t *states = (const uint32_t *)(nodes + list.count * sizeof(struct flue_tree_node));
            for (uint32_t i = 0; i < list.count; i++) {
                struct flue_object object = object_of(&list.entry[i]);
                struct flue_tree_node node;
                memcpy(&node, nodes + i * sizeof node, sizeof node);
                if (le32toh(node.status) == (uint32_t)NDIS_STATUS_SUCCESS)
                    key_of(&object, states + i * state_bytes(layer) / 4);
                each(ctx, &object);
                row = FLUE_GET(HANDLE_INDEX, object.handle) + 1;
            }
        } while (list.count == ENTRIES);
    }
    return FLUE_OK;
}
