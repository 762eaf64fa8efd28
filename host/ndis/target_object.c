/* The target's own tree: connections on paths on neighbors, what they hold for the host, and how answers change it. */
#include "target_internal.h"

#include <stdlib.h>
#include <string.h>
#include "slots.h"

/* ---- objects ----------------------------------------------------------------------------------------------------- */

struct target_object *target_by_handle(const struct flue_target *t, uint32_t handle)
{
    unsigned layer = FLUE_GET(HANDLE_KIND, handle);
    uint32_t index = FLUE_GET(HANDLE_INDEX, handle);
    struct target_object *object;

    if (layer == 0 || index >= t->params.rows[layer])
        return NULL;
    object = t->row[layer][index];
    return object != NULL && object->handle == handle ? object : NULL;
}

static void set_parent(struct target_object *object, struct target_object *parent)
{
    if (object->parent != NULL && !object->terminating)
        object->parent->refs--;
    object->parent = parent;
    if (parent != NULL && !object->terminating)
        parent->refs++;
}

static void set_terminating(struct target_object *object, bool terminating)
{
    if (object->terminating == terminating)
        return;
    object->terminating = terminating;
    if (object->parent != NULL)
        object->parent->refs += terminating ? UINT32_MAX : 1;
}

static void link_object(struct flue_target *t, struct target_object *object, struct target_object *parent)
{
    object->previous = t->last;
    if (t->last != NULL)
        t->last->next = object;
    else
        t->first = object;
    t->last = object;
    object->live = true;
    t->objects[object->layer]++;
    set_parent(object, parent);
}

static void unlink_object(struct flue_target *t, struct target_object *object)
{
    uint32_t index = FLUE_GET(HANDLE_INDEX, object->handle);

    if (object->previous != NULL)
        object->previous->next = object->next;
    else
        t->first = object->next;
    if (object->next != NULL)
        object->next->previous = object->previous;
    else
        t->last = object->previous;
    if (t->row[object->layer][index] == object)
        t->row[object->layer][index] = NULL;
    t->objects[object->layer]--;
    set_parent(object, NULL);
    for (struct target_object *o = t->first; o != NULL && object->refs > 0; o = o->next)
        if (o->parent == object)
            set_parent(o, NULL);
    for (struct target_object *o = t->first; o != NULL && object->layer < FLUE_LAYER_TCP; o = o->next)
        if (o->parent == object)
            o->parent = NULL; /* one that is terminating itself */
}

/* Give send data back to the host: every list with this status, none of their bytes. */
static void abort_sends(struct flue_target *t, struct target_object *object, NDIS_STATUS status)
{
    NET_BUFFER_LIST *chain = object->chain;

    object->chain = NULL;
    if (chain == NULL || t->params.ndis.send_complete == NULL)
        return;
    for (NET_BUFFER_LIST *list = chain; list != NULL; list = list->Next) {
        list->Status = status;
        flue_ndis_slot_set(list, TcpOffloadBytesTransferred, 0);
    }
    t->params.ndis.send_complete(t->params.ndis.miniport, chain);
}

void target_object_free(struct flue_target *t, struct target_object *object, NDIS_STATUS sends)
{
    handle_drop(&t->handles, object->context);
    if (object->live) {
        unlink_object(t, object);
        abort_sends(t, object, sends);
    }
    free(object->buffered);
    free(object);
}

/* ---- nodes of a tree --------------------------------------------------------------------------------------------- */

NDIS_STATUS target_reference(void *ctx, struct tree_item *item, void *context)
{
    struct flue_target *t = ctx;
    struct target_object *object = handle_find(&t->handles, context);

    if (object == NULL || !object->live || object->terminating) {
        item->detail = FLUE_AD_STALE;
        return NDIS_STATUS_FAILURE;
    }
    if (object->layer != item->layer || (item->layer == FLUE_LAYER_PATH && object->ipv6 != flue_tree_is_ipv6(item->type))) {
        item->detail = FLUE_AD_WRONG_KIND;
        return NDIS_STATUS_FAILURE;
    }
    item->handle = object->handle;
    item->object = object;
    item->context = context;
    return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS target_claim(void *ctx, struct tree_item *item, void *context)
{
    NDIS_STATUS status = target_reference(ctx, item, context);

    if (status == NDIS_STATUS_SUCCESS)
        set_terminating(item->object, true);
    return status;
}

void target_find_again(const struct flue_target *t, struct flue_tree *tree)
{
    for (uint32_t i = 0; i < tree->count; i++)
        if (tree->items[i].context != NULL)
            tree->items[i].object = handle_find(&t->handles, tree->items[i].context);
}

/* Copy what was received and not delivered. */
static NDIS_STATUS copy_buffered(struct tree_item *item, struct target_object *object, const NET_BUFFER_LIST *chain)
{
    struct target_lent *copy;

    if (!nbl_chain_bytes(chain, &item->receive_bytes)) {
        item->detail = FLUE_AD_VALUE;
        return NDIS_STATUS_FAILURE;
    }
    if (item->receive_bytes == 0)
        return NDIS_STATUS_SUCCESS;
    copy = calloc(1, sizeof *copy + item->receive_bytes);
    if (copy == NULL) {
        item->detail = FLUE_AD_LIMIT;
        return NDIS_STATUS_FAILURE; /* 4.2: refuse the node */
    }
    nbl_chain_copy(chain, copy->data, item->receive_bytes);
    copy->piece = (MDL){.MappedSystemVa = copy->data, .ByteCount = item->receive_bytes};
    copy->packet = (NET_BUFFER){.CurrentMdl = &copy->piece, .MdlChain = &copy->piece, .DataLength = item->receive_bytes};
    copy->list = (NET_BUFFER_LIST){.FirstNetBuffer = &copy->packet};
    object->buffered = copy;
    return NDIS_STATUS_SUCCESS;
}

/* What a connection hands over besides its state (4.1, 4.2). */
static NDIS_STATUS take_data(struct tree_item *item, struct target_object *object)
{
    TCP_OFFLOAD_STATE_DELEGATED state = {0};

    memcpy(&state, (const uint8_t *)flue_ndis_state_first(item->node) + item->place[2], FLUE_NDIS_TCP_DELEGATED_LENGTH_60);
    if (!nbl_chain_bytes(item->node->NetBufferListChain, &item->send_bytes)) {
        item->detail = FLUE_AD_VALUE;
        return NDIS_STATUS_FAILURE;
    }
    object->send_bytes = item->send_bytes;
    object->snd_una = state.SndUna;
    return copy_buffered(item, object, state.BufferedData);
}

NDIS_STATUS target_create_object(void *ctx, struct tree_item *item)
{
    struct flue_target *t = ctx;
    struct target_object *object = calloc(1, sizeof *object);
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;

    if (object != NULL)
        object->context = handle_new(&t->handles, item->layer, object);
    if (object == NULL || object->context == NULL) {
        free(object);
        item->detail = FLUE_AD_LIMIT;
        return NDIS_STATUS_RESOURCES;
    }
    object->layer = item->layer;
    object->ipv6 = flue_tree_is_ipv6(item->type);
    object->host_handle = item->node->NdisOffloadHandle;
    if (item->layer == FLUE_LAYER_TCP)
        status = take_data(item, object);
    if (status != NDIS_STATUS_SUCCESS)
        target_object_free(t, object, NDIS_STATUS_SUCCESS);
    else
        item->object = object;
    return status;
}

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
        if (item->layer == FLUE_LAYER_TCP)
            object->chain = item->node->NetBufferListChain;
        link_object(t, object, parent_object(tree, item));
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

    if (!lost && item->detail != FLUE_AD_CORRUPT && item->detail != FLUE_AD_STALE && item->detail != FLUE_AD_HANDLE) {
        set_terminating(object, false); /* dependents left, or its parent failed: it lives on */
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
        set_parent(item->object, parent);
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
            set_terminating(object, false);
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

/* ---- receive buffers --------------------------------------------------------------------------------------------- */

NDIS_STATUS MiniportTcpOffloadReceiveReturn(NDIS_HANDLE adapter, NET_BUFFER_LIST *lists)
{
    struct flue_target *t = adapter;

    while (lists != NULL) {
        NET_BUFFER_LIST *next = lists->Next;
        struct target_lent *lent = t->lent;
        while (lent != NULL && &lent->list != lists)
            lent = lent->next;
        if (lent != NULL) { /* another's list is left alone */
            *lent->link = lent->next;
            if (lent->next != NULL)
                lent->next->link = lent->link;
            t->stats.lent--;
            free(lent);
        }
        lists = next;
    }
    return NDIS_STATUS_SUCCESS;
}

/* ---- observation ------------------------------------------------------------------------------------------------- */

enum flue_err flue_target_object(const struct flue_target *t, const void *context, struct flue_target_object *out)
{
    const struct target_object *object = handle_find(&t->handles, context);

    if (object == NULL || !object->live)
        return FLUE_EARG;
    *out = (struct flue_target_object){.layer = object->layer,
                                       .context = object->context,
                                       .parent = object->parent != NULL ? object->parent->context : NULL,
                                       .host_handle = object->host_handle,
                                       .handle = object->handle,
                                       .dependents = object->refs,
                                       .send_bytes = object->chain != NULL ? object->send_bytes : 0,
                                       .receive_bytes = object->buffered != NULL ? object->buffered->packet.DataLength : 0,
                                       .ipv6 = object->ipv6,
                                       .invalidated = object->invalidated,
                                       .lost = object->lost};
    return FLUE_OK;
}

const void *flue_target_next(const struct flue_target *t, const void *context)
{
    const struct target_object *object = context == NULL ? t->first : handle_find(&t->handles, context);

    if (context != NULL)
        object = object != NULL && object->live ? object->next : NULL;
    return object != NULL ? object->context : NULL;
}

void flue_target_stats(const struct flue_target *t, struct flue_target_stats *stats)
{
    *stats = t->stats;
    stats->buffers = t->buffers;
    memcpy(stats->objects, t->objects, sizeof stats->objects);
}
