/* Indications: what the device noticed, told to the host when it may be told (CH-037). */
#include "target_internal.h"

#include <stdlib.h>
#include <string.h>
#include "slots.h"

#define EARLY_MAX 65536u

/* ---- telling ----------------------------------------------------------------------------------------------------- */

/* Reasons that leave the host a choice (1.9): the connection works on. */
static bool optional(uint32_t reason)
{
    return reason <= NoBufferPreposting || reason == HighFragmentation || reason == HighOutOfOrderPackets;
}

static void tell(struct flue_target *t, struct target_object *object, TCP_OFFLOAD_EVENT_TYPE event, uint32_t information)
{
    object->aborted = object->aborted || event == TcpIndicateAbort;
    object->uploads = object->uploads || (event == TcpIndicateRetrieve && !optional(information));
    if (t->params.ndis.tcp_event != NULL)
        t->params.ndis.tcp_event(object->host_handle, event, information);
}

void target_indicate_failure(struct flue_target *t, struct target_object *object)
{
    if (object->told_failure)
        return;
    object->told_failure = true;
    tell(t, object, TcpIndicateRetrieve, HardwareFailure);
    tell(t, object, TcpIndicateAbort, 0);
}

void target_hardware_failure(struct flue_target *t, struct target_object *object)
{
    object->lost = true;
    for (struct target_object *o = t->first; o != NULL; o = o->next) {
        if (o->layer != FLUE_LAYER_TCP || o->told_failure || o->terminating)
            continue;
        if (o != object && o->parent != object && (o->parent == NULL || o->parent->parent != object))
            continue;
        o->reason = HardwareFailure;
        o->abort = true;
        t->events_due = true;
    }
}

/* The next object with something to tell. */
static struct target_object *due(struct flue_target *t)
{
    for (struct target_object *o = t->first; o != NULL; o = o->next)
        if (!o->terminating && (o->reason != 0 || o->abort || o->ask))
            return o;
    return NULL;
}

static void apply_notice(struct flue_target *t, uint32_t kind, uint32_t status, uint32_t handle);

/* ---- reachability of a neighbor (2.3.3, 4.9) --------------------------------------------------------------------- */

#define NEIGHBOR_ALL (FLUE_TREE_CONST | FLUE_TREE_CACHED | FLUE_TREE_DELEGATED)

/* A tree of our own about one neighbor: a query of all its state, or an update of what is cached. */
static void ask_neighbor(struct flue_target *t, struct target_object *o, enum flue_tree_op which,
                         const NEIGHBOR_OFFLOAD_STATE_CACHED *cached)
{
    bool query = which == FLUE_TREE_QUERY;
    struct target_op *op = target_op_new(COMMAND_NEIGHBOR, 0);

    if (op == NULL)
        return; /* the device asks again when the neighbor is stale again */
    op->own_node = flue_tree_node_new(query ? NeighborOffloadState : NeighborOffloadCachedState,
                                      query ? NEIGHBOR_ALL : FLUE_TREE_CACHED, 0);
    if (op->own_node == NULL) {
        target_op_free(t, op);
        return;
    }
    if (!query)
        memcpy(flue_ndis_state_first(op->own_node), cached, sizeof *cached);
    op->op = which;
    op->root = op->own_node;
    op->cell = o->context;
    op->root->MiniportOffloadContext = &op->cell;
    op->root->NdisOffloadHandle = o->host_handle;
    op->updates = o->updates;
    target_open_tree(t, op);
    target_queue(op->failed ? &t->finished : &t->waiting, op);
}

/* The host answers in the same memory; an update of its own in the meantime said all that this one could. */
void target_neighbor_answer(struct flue_target *t, struct target_op *op, bool ok)
{
    NEIGHBOR_OFFLOAD_STATE_CACHED cached;
    struct target_object *o = handle_find(&t->handles, op->cell);

    if (!ok || o == NULL || o->terminating || op->op != FLUE_TREE_QUERY)
        return;
    op->root->Status = NDIS_STATUS_SUCCESS;
    t->params.ndis.offload_event(t->params.ndis.miniport, op->root, NeighborReachabilityQuery);
    memcpy(&cached, flue_tree_node_state(op->root, NEIGHBOR_ALL, FLUE_TREE_CACHED), sizeof cached);
    cached.Header.Length = sizeof cached;
    o = handle_find(&t->handles, op->cell);
    if (o != NULL && !o->terminating && o->updates == op->updates)
        ask_neighbor(t, o, FLUE_TREE_UPDATE, &cached);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

bool target_indicate(struct flue_target *t)
{
    struct target_object *o;
    bool more = false;

    if (t->initiates > 0)
        return false;
    for (uint32_t i = 0; i < t->early_count; i++)
        apply_notice(t, t->early[i].kind, t->early[i].status, t->early[i].handle);
    t->early_count = 0;
    if (!t->events_due)
        return false;
    while (t->initiates == 0 && (o = due(t)) != NULL) { /* a callback may begin or end anything */
        uint8_t reason = o->reason;
        const void *context = o->context;
        o->reason = 0;
        if (o->ask) {
            o->ask = false;
            ask_neighbor(t, o, FLUE_TREE_QUERY, NULL);
            more = true;
        } else if (reason == HardwareFailure && o->abort) {
            o->abort = false;
            o->told_failure = true;
            tell(t, o, TcpIndicateRetrieve, reason);
            o = handle_find(&t->handles, context);
            if (o != NULL && !o->terminating)
                tell(t, o, TcpIndicateAbort, 0);
        } else if (reason != 0) {
            tell(t, o, TcpIndicateRetrieve, reason);
        } else {
            o->abort = false;
            tell(t, o, TcpIndicateAbort, 0);
        }
    }
    t->events_due = due(t) != NULL;
    return more;
}

/* ---- notices ----------------------------------------------------------------------------------------------------- */

/* Keep a notice whose object may be one that an initiate under way took. */
static void keep_early(struct flue_target *t, uint32_t kind, uint32_t status, uint32_t handle)
{
    for (uint32_t i = 0; i < t->early_count; i++)
        if (t->early[i].kind == kind && t->early[i].handle == handle)
            return;
    if (t->early_count == EARLY_MAX) {
        target_lie(t, "more notices than there can be objects");
        return;
    }
    if (t->early_count == t->early_room) {
        uint32_t room = t->early_room == 0 ? 16 : t->early_room * 2;
        void *early = realloc(t->early, room * sizeof *t->early);
        if (early == NULL) {
            t->stats.stale_notices++;
            return;
        }
        t->early = early;
        t->early_room = room;
    }
    t->early[t->early_count].kind = kind;
    t->early[t->early_count].status = status;
    t->early[t->early_count++].handle = handle;
}

static void apply_notice(struct flue_target *t, uint32_t kind, uint32_t status, uint32_t handle)
{
    struct target_object *object = target_by_handle(t, handle);

    if (object == NULL) {
        t->stats.stale_notices++;
        return;
    }
    if (kind == FLUE_CQ_UPLOAD_REQUEST)
        object->reason = (uint8_t)status;
    else if (kind == FLUE_CQ_ABORT_IND)
        object->abort = true;
    else
        object->ask = t->params.ndis.offload_event != NULL;
    t->events_due = true;
}

static void table_error(struct flue_target *t, uint32_t word)
{
    unsigned layer = FLUE_GET(TABLE_ERROR_TABLE, word);
    uint32_t row = FLUE_GET(TABLE_ERROR_ROW, word);

    if (layer != FLUE_TBL_SYSTEM && row >= t->params.rows[layer]) {
        target_lie(t, "a table error names a row that does not exist");
        return;
    }
    if (t->params.observer.table_error != NULL)
        t->params.observer.table_error(t->params.observer.ctx, word);
    if (layer != FLUE_TBL_SYSTEM && t->row[layer][row] != NULL)
        target_hardware_failure(t, t->row[layer][row]);
}

void flue_target_notice(struct flue_target *t, enum flue_cqe_kind kind, uint32_t status, uint32_t result)
{
    unsigned wanted = kind == FLUE_CQ_NEIGHBOR_QUERY ? FLUE_LAYER_NEIGHBOR : FLUE_LAYER_TCP;

    switch (kind) {
    case FLUE_CQ_TABLE_ERROR:
        table_error(t, result);
        break;
    case FLUE_CQ_UPLOAD_REQUEST:
    case FLUE_CQ_ABORT_IND:
    case FLUE_CQ_NEIGHBOR_QUERY:
        if (FLUE_GET(HANDLE_KIND, result) != wanted || FLUE_GET(HANDLE_GENERATION, result) == 0 ||
            FLUE_GET(HANDLE_INDEX, result) >= t->params.rows[wanted])
            target_lie(t, "a notice names an object that cannot be");
        else if (kind == FLUE_CQ_UPLOAD_REQUEST && (status == 0 || status >= MaxUploadReason))
            target_lie(t, "an upload was requested for a reason that does not exist");
        else if (target_by_handle(t, result) == NULL && t->initiates > 0)
            keep_early(t, kind, status, result);
        else
            apply_notice(t, kind, status, result);
        break;
    default:
        target_lie(t, "a notice of an unknown kind");
    }
    flue_target_run(t);
}
