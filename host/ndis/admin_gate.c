/* What the target of connection offload tells the administration, and asks it. */
#include "admin_internal.h"

static const enum ndis_operation operation_of[FLUE_TREE_OPS] = {
    [FLUE_TREE_INITIATE] = NDIS_OP_INITIATE,     [FLUE_TREE_QUERY] = NDIS_OP_QUERY,         [FLUE_TREE_UPDATE] = NDIS_OP_UPDATE,
    [FLUE_TREE_INVALIDATE] = NDIS_OP_INVALIDATE, [FLUE_TREE_TERMINATE] = NDIS_OP_TERMINATE,
};

/* Objects and lent lists are the target's own counts. */
static void recount(struct flue_ndis_admin *a)
{
    struct flue_target_stats stats;

    flue_target_stats(a->target, &stats);
    ndis_pause_waiting(&a->pause, stats.paused);
    ndis_pause_held(&a->pause,
                    stats.objects[FLUE_LAYER_NEIGHBOR] + stats.objects[FLUE_LAYER_PATH] + stats.objects[FLUE_LAYER_TCP],
                    stats.lent);
}

static void begin(void *ctx, enum flue_tree_op op)
{
    ndis_pause_begin(&((struct flue_ndis_admin *)ctx)->pause, operation_of[op]);
}

static void end(void *ctx, enum flue_tree_op op)
{
    struct flue_ndis_admin *a = ctx;

    if (a->recount != NULL)
        a->recount(a);
    ndis_pause_end(&a->pause, operation_of[op]);
}

static bool paused(void *ctx)
{
    return ndis_pause_initiate(&((struct flue_ndis_admin *)ctx)->pause) != NDIS_START;
}

static bool closed(void *ctx)
{
    return ndis_pause_initiate(&((struct flue_ndis_admin *)ctx)->pause) == NDIS_REFUSE;
}

static bool uploading(void *ctx)
{
    return ndis_pause_uploading(&((struct flue_ndis_admin *)ctx)->pause);
}

static void send(void *ctx, bool begins)
{
    struct flue_ndis_admin *a = ctx;

    if (begins)
        ndis_pause_begin(&a->pause, NDIS_OP_DATA);
    else
        ndis_pause_end(&a->pause, NDIS_OP_DATA);
}

void flue_ndis_gate(struct flue_ndis_admin *a, struct flue_target_gate *gate)
{
    *gate = (struct flue_target_gate){
        .ctx = a, .begin = begin, .end = end, .paused = paused, .closed = closed, .uploading = uploading, .send = send};
}

void flue_ndis_target(struct flue_ndis_admin *a, struct flue_target *target)
{
    a->target = target;
    a->recount = target != NULL ? recount : NULL;
    if (target != NULL)
        recount(a);
    else
        ndis_pause_waiting(&a->pause, 0), ndis_pause_held(&a->pause, 0, 0);
}
