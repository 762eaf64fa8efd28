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

void target_set_parent(struct target_object *object, struct target_object *parent)
{
    if (object->parent != NULL && !object->terminating)
        object->parent->refs--;
    object->parent = parent;
    if (parent != NULL && !object->terminating)
        parent->refs++;
}

void target_set_terminating(struct target_object *object, bool terminating)
{
    if (object->terminating == terminating)
        return;
    object->terminating = terminating;
    if (object->parent != NULL)
        object->parent->refs += terminating ? UINT32_MAX : 1;
}

void target_link_object(struct flue_target *t, struct target_object *object, struct target_object *parent)
{
    object->previous = t->last;
    if (t->last != NULL)
        t->last->next = object;
    else
        t->first = object;
    t->last = object;
    object->live = true;
    t->objects[object->layer]++;
    target_set_parent(object, parent);
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
    target_set_parent(object, NULL);
    for (struct target_object *o = t->first; o != NULL && object->refs > 0; o = o->next)
        if (o->parent == object)
            target_set_parent(o, NULL);
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

void target_forget_handle(struct flue_target *t, struct target_object *object)
{
    t->row[object->layer][FLUE_GET(HANDLE_INDEX, object->handle)] = NULL;
    object->handle = 0;
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
        target_set_terminating(item->object, true);
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
    stats->paused = t->paused.count;
    memcpy(stats->objects, t->objects, sizeof stats->objects);
}
