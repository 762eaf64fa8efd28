/* Life of the offload target, and its way over the real admin queue. */
#include "target_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- life -------------------------------------------------------------------------------------------------------- */

enum flue_err flue_target_create(const struct flue_target_params *params, struct flue_target **target)
{
    struct flue_target *t;

    if (params == NULL || target == NULL || params->ops.mem_alloc == NULL || params->ops.mem_free == NULL ||
        params->ops.submit == NULL)
        return FLUE_EARG;
    for (unsigned i = 0; i < FLUE_TREE_OPS; i++)
        if (params->ndis.complete[i] == NULL)
            return FLUE_EARG;
    for (unsigned layer = 1; layer < 4; layer++)
        if (params->rows[layer] == 0 || params->rows[layer] > 65536)
            return FLUE_EARG;
    *target = NULL;
    t = calloc(1, sizeof *t);
    if (t == NULL)
        return FLUE_ENOMEM;
    t->params = *params;
    handles_init(&t->handles);
    for (unsigned layer = 1; layer < 4; layer++) {
        t->row[layer] = calloc(params->rows[layer], sizeof *t->row[layer]);
        if (t->row[layer] == NULL) {
            for (unsigned i = 1; i < layer; i++)
                free(t->row[i]);
            free(t);
            return FLUE_ENOMEM;
        }
    }
    *target = t;
    return FLUE_OK;
}

enum flue_err flue_target_destroy(struct flue_target *t)
{
    struct target_op *op;

    if (t == NULL)
        return FLUE_OK;
    if (t->running || t->lent != NULL)
        return FLUE_EAGAIN;
    t->running = true; /* callbacks may not start anything */
    if (t->fault == NULL)
        t->fault = "the target ended";
    for (unsigned i = 0; i < COMMANDS_MAX; i++)
        if (t->flight[i] != NULL) {
            target_fail(t, t->flight[i], NDIS_STATUS_FAILURE, FLUE_AD_ABORTED);
            t->flight[i] = NULL;
        }
    t->in_flight = 0;
    do { /* a completion may have asked for more */
        (void)target_send_run(t);
        while ((op = target_unqueue(&t->waiting)) != NULL || (op = target_unqueue(&t->paused)) != NULL) {
            if (!op->opened && !op->failed)
                target_open_tree(t, op);
            target_fail(t, op, NDIS_STATUS_FAILURE, FLUE_AD_ABORTED);
        }
        while ((op = target_unqueue(&t->finished)) != NULL) {
            if (op->kind == COMMAND_TREE && op->op == FLUE_TREE_TERMINATE)
                target_queue(&t->held, op); /* after everything asked of its objects (CH-138) */
            else if (op->kind == COMMAND_TREE)
                target_finish(t, op);
            else
                target_op_free(t, op);
        }
        while ((op = target_unqueue(&t->held)) != NULL)
            target_finish(t, op);
        target_complete_without_memory(t);
    } while (t->waiting.first != NULL || t->paused.first != NULL || t->finished.first != NULL || t->oom_first != NULL ||
             t->send_first != NULL);
    while (t->last != NULL)
        target_object_free(t, t->last, NDIS_STATUS_REQUEST_ABORTED);
    if (t->arena.addr != NULL)
        t->params.ops.mem_free(t->params.ops.ctx, &t->arena);
    for (unsigned layer = 1; layer < 4; layer++) {
        free(t->row[layer]);
        free(t->recovery.purge[layer]);
        free(t->recovery.present[layer]);
    }
    free(t->recovery.release);
    free(t->early);
    handles_free(&t->handles);
    free(t);
    return FLUE_OK;
}

/* ---- over the real queue ----------------------------------------------------------------------------------------- */

static enum flue_err bridge_alloc(void *ctx, size_t len_bytes, struct flue_mem *mem)
{
    struct flue_target_bridge *bridge = ctx;

    return flue_mem_alloc(bridge->adapter, len_bytes, FLUE_ACCESS_READ_WRITE, mem);
}

static void bridge_free(void *ctx, struct flue_mem *mem)
{
    struct flue_target_bridge *bridge = ctx;

    if (flue_mem_free(bridge->adapter, mem) != FLUE_OK)
        mem->addr = NULL; /* the adapter keeps it until it is closed */
}

static enum flue_err bridge_submit(void *ctx, const struct flue_sqe *sqe, void *cookie)
{
    struct flue_target_bridge *bridge = ctx;

    return bridge->admin == NULL ? FLUE_ESTATE : flue_admin_submit(bridge->admin, sqe, cookie);
}

static enum flue_err bridge_restart(void *ctx)
{
    struct flue_target_bridge *bridge = ctx;

    return bridge->admin == NULL ? FLUE_EUNSUPP : flue_admin_restart(bridge->admin);
}

void flue_target_over_admin(struct flue_target_bridge *bridge, struct flue_target_ops *ops)
{
    *ops = (struct flue_target_ops){
        .ctx = bridge, .mem_alloc = bridge_alloc, .mem_free = bridge_free, .submit = bridge_submit, .restart = bridge_restart};
}
