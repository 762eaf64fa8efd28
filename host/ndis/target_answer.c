/* What answers change in the target's own tree, and what comes back to the host with them. */
#include "target_internal.h"

#include <stdlib.h>
#include <string.h>
#include "slots.h"

/* ---- answers: initiate ------------------------------------------------------------------------------------------- */

static bool is_new(const struct tree_item *item)
{
    return item->kind == FLUE_NODE_NEW && !item->refused;
}

static bool is_taken(const struct tree_item *item)
{
    return item->status == NDIS_STATUS_SUCCESS || item->status == NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS;
}

static struct target_object *parent_object(const struct flue_tree *tree, const struct tree_item *item)
{
    return item->parent == TREE_NONE ? NULL : tree->items[item->parent].object;
}

/* The constant state comes first on the wire. */
static void keep_key(const struct tree_item *item, struct target_object *object)
{
    uint8_t wire[STATE_BYTES_MAX];

    state_write(item, wire);
    memcpy(object->key, wire, state_wire_bytes(item->layer, FLUE_TREE_CONST));
}

static const char *apply_initiate(struct flue_target *t, struct flue_tree *tree)
{
    const char *lie = NULL;
    uint32_t n;

    for (n = 0; n < tree->count && lie == NULL; n++) {
        struct tree_item *item = &tree->items[n];
        struct target_object **row;
        if (!is_new(item) || !is_taken(item))
            continue;
        row = &t->row[item->layer][FLUE_GET(HANDLE_INDEX, item->handle)];
        if (*row != NULL)
            lie = "an object got the handle of one that is held";
        else if (item->layer != FLUE_LAYER_NEIGHBOR && parent_object(tree, item) == NULL)
            lie = "an object was taken that depends on nothing";
        else
            *row = item->object;
    }
    if (lie != NULL) {
        for (uint32_t i = 0; i < n; i++) {
            struct tree_item *item = &tree->items[i];
            if (is_new(item) && is_taken(item) && t->row[item->layer][FLUE_GET(HANDLE_INDEX, item->handle)] == item->object)
                t->row[item->layer][FLUE_GET(HANDLE_INDEX, item->handle)] = NULL;
        }
        return lie;
    }
    for (uint32_t i = 0; i < tree->count; i++) {
        struct tree_item *item = &tree->items[i];
        struct target_object *object = item->object;
        if (!is_new(item))
            continue;
        if (!is_taken(item)) {
            target_object_free(t, object, NDIS_STATUS_SUCCESS); /* the chain stays the host's, untouched (CH-035) */
            item->object = NULL;
            continue;
        }
        object->handle = item->handle;
        keep_key(item, object);
        if (item->layer == FLUE_LAYER_TCP)
            object->chain = item->node->NetBufferListChain;
        target_link_object(t, object, parent_object(tree, item));
        *item->node->MiniportOffloadContext = object->context;
    }
    return NULL;
}

/* ---- answers: terminate ------------------------------------------------------------------------------------------ */

static uint32_t list_bytes(const NET_BUFFER_LIST *list)
{
    return list->FirstNetBuffer->DataLength;
}

/* Complete what was acknowledged; the rest begins with the first byte that was not. */
static void split_sends(struct flue_target *t, struct target_object *object, uint32_t acked)
{
    NET_BUFFER_LIST *done = object->chain, *last = NULL, *list = object->chain;

    for (; list != NULL && list_bytes(list) <= acked; last = list, list = list->Next) {
        uint32_t bytes = list_bytes(list);
        acked -= bytes;
        list->Status = NDIS_STATUS_SUCCESS;
        flue_ndis_slot_set(list, TcpOffloadBytesTransferred, bytes);
        nbl_advance(list->FirstNetBuffer, bytes);
    }
    object->chain = list;
    if (list != NULL && acked > 0)
        nbl_advance(list->FirstNetBuffer, acked);
    if (last == NULL)
        return;
    last->Next = NULL;
    if (t->params.ndis.send_complete != NULL)
        t->params.ndis.send_complete(t->params.ndis.miniport, done);
}

static void lend(struct flue_target *t, struct target_object *object)
{
    struct target_lent *lent = object->buffered;

    object->buffered = NULL;
    lent->list.SourceHandle = t;
    lent->next = t->lent;
    lent->link = &t->lent;
    if (t->lent != NULL)
        t->lent->link = &lent->next;
    t->lent = lent;
    t->stats.lent++;
}

/* What the connection still holds goes back to the host with its state. */
static void return_data(struct flue_target *t, struct tree_item *item, const uint8_t *state)
{
    struct target_object *object = item->object;
    NET_BUFFER_LIST *head = NULL, *tail = NULL, *buffered = NULL;
    uint8_t *native = (uint8_t *)flue_ndis_state_first(item->node) + item->place[2];

    if (object->chain != NULL) {
        uint32_t acked =
            state_tcp_delegated_word(item, state, offsetof(struct flue_wire_tcp_delegated, snd_una)) - object->snd_una;
        split_sends(t, object, acked);
    }
    item->node->NetBufferListChain = object->chain;
    for (NET_BUFFER_LIST *list = object->chain; list != NULL; list = list->Next) {
        if (list_bytes(list) == 0)
            continue;
        head = head == NULL ? list : head;
        tail = list;
    }
    object->chain = NULL;
    if ((item->classes & FLUE_TREE_DELEGATED) == 0)
        return; /* no place for received data: the host gives it up */
    if (object->buffered != NULL) {
        buffered = &object->buffered->list;
        lend(t, object);
    }
    memcpy(native + offsetof(TCP_OFFLOAD_STATE_DELEGATED, SendDataHead), &head, sizeof head);
    memcpy(native + offsetof(TCP_OFFLOAD_STATE_DELEGATED, SendDataTail), &tail, sizeof tail);
    memcpy(native + offsetof(TCP_OFFLOAD_STATE_DELEGATED, BufferedData), &buffered, sizeof buffered);
}

/* No more was acknowledged than was handed over, and a FIN. */
static const char *check_terminate(const struct target_op *op)
{
    for (uint32_t i = 0; i < op->tree.count; i++) {
        const struct tree_item *item = &op->tree.items[i];
        const struct target_object *object = item->object;
        uint32_t acked;
        if (item->refused || object == NULL || item->layer != FLUE_LAYER_TCP || item->status != NDIS_STATUS_SUCCESS)
            continue;
        if (object->chain == NULL)
            continue;
        acked = state_tcp_delegated_word(item, op->answer + item->offset, offsetof(struct flue_wire_tcp_delegated, snd_una)) -
                object->snd_una;
        if (acked > object->send_bytes + 1)
            return "a connection came back with more acknowledged than it was given to send";
    }
    return NULL;
}

static void end_failed(struct flue_target *t, struct tree_item *item, bool lost)
{
    struct target_object *object = item->object;

    if (!lost && object->handle != 0 && item->detail != FLUE_AD_CORRUPT && item->detail != FLUE_AD_STALE &&
        item->detail != FLUE_AD_HANDLE) {
        target_set_terminating(object, false); /* dependents left, or its parent failed: it lives on */
        return;
    }
    if (object->layer == FLUE_LAYER_TCP) {
        target_indicate_failure(t, object);
        item->node->NetBufferListChain = NULL;
    }
    target_object_free(t, object, NDIS_STATUS_REQUEST_ABORTED);
    item->object = NULL;
}

/* Connections before paths before neighbors (CH-149). */
static const char *apply_terminate(struct flue_target *t, struct target_op *op)
{
    const char *lie = check_terminate(op);

    for (unsigned layer = FLUE_LAYER_TCP; layer >= FLUE_LAYER_NEIGHBOR && lie == NULL; layer--) {
        for (uint32_t i = 0; i < op->tree.count; i++) {
            struct tree_item *item = &op->tree.items[i];
            struct target_object *object = item->object;
            if (item->refused || object == NULL || item->layer != layer)
                continue;
            if (item->status != NDIS_STATUS_SUCCESS) {
                end_failed(t, item, false);
                continue;
            }
            if (object->refs > 0) {
                target_lie(t, "an object was freed under its dependents");
                item->status = NDIS_STATUS_FAILURE;
            }
            state_read(item, op->op, op->answer + item->offset, NULL);
            if (layer == FLUE_LAYER_TCP)
                return_data(t, item, op->answer + item->offset);
            target_object_free(t, object, NDIS_STATUS_REQUEST_ABORTED);
            item->object = NULL;
        }
    }
    return lie;
}

/* ---- answers: the others ----------------------------------------------------------------------------------------- */

/* The device says that an object it gave us is corrupt or gone. */
static void watch_failures(struct flue_target *t, const struct flue_tree *tree)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct tree_item *item = &tree->items[i];
        if (item->refused || item->kind != FLUE_NODE_REFERENCE || item->object == NULL)
            continue;
        if (item->detail == FLUE_AD_CORRUPT || item->detail == FLUE_AD_STALE || item->detail == FLUE_AD_HANDLE)
            target_hardware_failure(t, item->object);
    }
}

/* A path named without state below a neighbor was pointed at it. */
static void relink(struct flue_tree *tree, struct tree_item *item)
{
    struct target_object *parent = parent_object(tree, item);

    if (item->layer == FLUE_LAYER_PATH && item->wire_classes == 0 && parent != NULL && parent->layer == FLUE_LAYER_NEIGHBOR)
        target_set_parent(item->object, parent);
}

static void apply_reference(struct target_op *op, struct tree_item *item)
{
    struct target_object *object = item->object;

    switch (op->op) {
    case FLUE_TREE_QUERY:
        state_read(item, op->op, op->answer + item->offset, object->addresses);
        break;
    case FLUE_TREE_UPDATE:
        relink(&op->tree, item);
        break;
    case FLUE_TREE_INVALIDATE:
        object->invalidated = true;
        break;
    default:
        break;
    }
}

const char *target_apply(struct flue_target *t, struct target_op *op)
{
    struct flue_tree *tree = &op->tree;

    if (op->op == FLUE_TREE_INITIATE) {
        const char *lie = apply_initiate(t, tree);
        if (lie == NULL)
            watch_failures(t, tree);
        return lie;
    }
    if (op->op == FLUE_TREE_TERMINATE)
        return apply_terminate(t, op);
    for (uint32_t i = 0; i < tree->count; i++) {
        struct tree_item *item = &tree->items[i];
        if (!item->refused && item->object != NULL && item->status == NDIS_STATUS_SUCCESS)
            apply_reference(op, item);
    }
    watch_failures(t, tree);
    return NULL;
}

void target_undo(struct flue_target *t, struct target_op *op, bool lost)
{
    for (uint32_t i = 0; op->opened && i < op->tree.count; i++) {
        struct tree_item *item = &op->tree.items[i];
        struct target_object *object = item->object;
        if (item->refused || object == NULL)
            continue;
        if (item->kind == FLUE_NODE_NEW) {
            target_object_free(t, object, NDIS_STATUS_SUCCESS);
            item->object = NULL;
        } else if (op->op == FLUE_TREE_TERMINATE && !lost) {
            target_set_terminating(object, false);
        }
    }
    for (unsigned layer = FLUE_LAYER_TCP; lost && op->opened && op->op == FLUE_TREE_TERMINATE && layer >= FLUE_LAYER_NEIGHBOR;
         layer--)
        for (uint32_t i = 0; i < op->tree.count; i++) {
            struct tree_item *item = &op->tree.items[i];
            if (item->refused || item->object == NULL || item->layer != layer)
                continue;
            end_failed(t, item, true);
        }
}
