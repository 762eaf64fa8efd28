/* The offload target: entry points, completions, the loop. */
#include "target_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- entry points ------------------------------------------------------------------------------------------------ */

void target_open_tree(struct flue_target *t, struct target_op *op)
{
    const struct tree_binding binding = {
        .ctx = t, .reference = op->op == FLUE_TREE_TERMINATE ? target_claim : target_reference, .create = target_create_object};

    if (tree_open(&op->tree, op->op, op->root, &binding) != FLUE_OK) {
        tree_mark(op->op, op->root);
        op->failed = true;
        return;
    }
    op->opened = true;
    t->stats.refused_nodes += op->tree.refused_items;
    t->stats.refused_trees += op->tree.refused != NULL;
    for (uint32_t i = 0; op->kind == COMMAND_TREE && op->op == FLUE_TREE_UPDATE && i < op->tree.count; i++)
        if (op->tree.items[i].object != NULL)
            ((struct target_object *)op->tree.items[i].object)->updates++;
}

static bool gate_closed(const struct flue_target *t)
{
    return t->params.gate.closed != NULL && t->params.gate.closed(t->params.gate.ctx);
}

static bool gate_paused(const struct flue_target *t)
{
    return t->params.gate.paused != NULL && t->params.gate.paused(t->params.gate.ctx);
}

static void entry(NDIS_HANDLE adapter, enum flue_tree_op which, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root)
{
    struct flue_target *t = adapter;
    struct target_op *op;

    if (root == NULL)
        return; /* nothing that could be completed */
    if (t->params.gate.begin != NULL)
        t->params.gate.begin(t->params.gate.ctx, which);
    if (which == FLUE_TREE_INITIATE)
        t->initiates++;
    op = target_op_new(COMMAND_TREE, 0);
    if (op == NULL) {
        tree_mark(which, root);
        root->Scratch[0] = NULL;
        root->Scratch[1] = (void *)(uintptr_t)which;
        if (t->oom_last != NULL)
            t->oom_last->Scratch[0] = root;
        else
            t->oom_first = root;
        t->oom_last = root;
        return;
    }
    op->op = which;
    op->root = root;
    op->serial = t->serial++;
    if (which == FLUE_TREE_INITIATE && gate_paused(t)) {
        target_queue(&t->paused, op);
        return;
    }
    target_open_tree(t, op);
    target_queue(op->failed ? &t->finished : &t->waiting, op);
}

void MiniportInitiateOffload(NDIS_HANDLE adapter, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root)
{
    entry(adapter, FLUE_TREE_INITIATE, root);
}

void MiniportQueryOffload(NDIS_HANDLE adapter, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root)
{
    entry(adapter, FLUE_TREE_QUERY, root);
}

void MiniportUpdateOffload(NDIS_HANDLE adapter, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root)
{
    entry(adapter, FLUE_TREE_UPDATE, root);
}

void MiniportInvalidateOffload(NDIS_HANDLE adapter, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root)
{
    entry(adapter, FLUE_TREE_INVALIDATE, root);
}

void MiniportTerminateOffload(NDIS_HANDLE adapter, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root)
{
    entry(adapter, FLUE_TREE_TERMINATE, root);
}

MINIPORT_STATE_OPERATION *const flue_target_entry[FLUE_TREE_OPS] = {
    MiniportInitiateOffload, MiniportQueryOffload, MiniportUpdateOffload, MiniportInvalidateOffload, MiniportTerminateOffload};

/* ---- completion -------------------------------------------------------------------------------------------------- */

static void complete(struct flue_target *t, enum flue_tree_op op, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root)
{
    t->stats.operations[op]++;
    t->params.ndis.complete[op](t->params.ndis.miniport, root);
    if (op == FLUE_TREE_INITIATE)
        t->initiates--;
    if (t->params.gate.end != NULL)
        t->params.gate.end(t->params.gate.ctx, op);
}

/* The command's own part of an answer. */
static const char *check_done(const struct target_op *op)
{
    NDIS_STATUS status = (NDIS_STATUS)op->done.status;

    if (status > 0)
        return "a command got a status that is neither success nor a refusal";
    if ((unsigned)op->done.detail > FLUE_AD_ABORTED)
        return "a command got an unknown detail";
    if (status == NDIS_STATUS_SUCCESS && op->done.result != op->tree.wire_nodes)
        return "a command walked another number of nodes than its tree has";
    return NULL;
}

/* Judge an answer and take it over; false when the tree came to nothing. */
static bool take_answer(struct flue_target *t, struct target_op *op)
{
    const char *lie = t->fault;

    if (lie == NULL)
        lie = check_done(op);
    if (lie == NULL && op->done.status != NDIS_STATUS_SUCCESS) {
        tree_fail(&op->tree, NDIS_STATUS_FAILURE, op->done.detail);
        target_undo(t, op, (NDIS_STATUS)op->done.status == NDIS_STATUS_REQUEST_ABORTED);
        return false;
    }
    if (lie == NULL)
        lie = tree_check(&op->tree, op->answer, t->params.rows);
    if (lie == NULL)
        lie = target_apply(t, op);
    if (lie != NULL) {
        target_lie(t, lie);
        tree_fail(&op->tree, NDIS_STATUS_FAILURE, FLUE_AD_CORRUPT);
        target_undo(t, op, true);
        return false;
    }
    return true;
}

void target_finish(struct flue_target *t, struct target_op *op)
{
    if (op->kind == COMMAND_NEIGHBOR) {
        target_find_again(t, &op->tree);
        target_neighbor_answer(t, op, !op->failed && take_answer(t, op) && op->tree.items[0].status == NDIS_STATUS_SUCCESS);
    } else if (op->kind != COMMAND_TREE) {
        target_recover_answer(t, op);
    } else {
        if (op->opened) {
            target_find_again(t, &op->tree);
            if (op->failed)
                target_undo(t, op, t->fault != NULL);
            else
                take_answer(t, op);
            t->stats.nodes[op->op] += op->tree.count;
            tree_publish(&op->tree);
        }
        complete(t, op->op, op->root);
    }
    target_op_free(t, op);
}

/* A query, update or invalidate of before: the device may answer out of order. */
static bool goes_before(const struct target_op *earlier, const struct target_op *terminate)
{
    return earlier != NULL && earlier->kind == COMMAND_TREE &&
           (earlier->op == FLUE_TREE_QUERY || earlier->op == FLUE_TREE_UPDATE || earlier->op == FLUE_TREE_INVALIDATE) &&
           (int32_t)(earlier->serial - terminate->serial) < 0;
}

/* A terminate completes after everything that was asked of its objects (CH-138). */
static bool must_wait(const struct flue_target *t, const struct target_op *op)
{
    if (op->kind != COMMAND_TREE || op->op != FLUE_TREE_TERMINATE)
        return false;
    for (unsigned i = 0; i < COMMANDS_MAX; i++)
        if (goes_before(t->flight[i], op))
            return true;
    for (const struct target_op *other = t->finished.first; other != NULL; other = other->next)
        if (goes_before(other, op))
            return true;
    return false;
}

static bool finish_all(struct flue_target *t)
{
    struct target_op *op;
    bool any = false;

    for (unsigned held = t->held.count; held > 0; held--)
        target_queue(&t->finished, target_unqueue(&t->held));
    while ((op = target_unqueue(&t->finished)) != NULL) {
        if (must_wait(t, op)) {
            target_queue(&t->held, op);
            continue;
        }
        target_finish(t, op);
        any = true;
    }
    return any;
}

void target_fail(struct flue_target *t, struct target_op *op, NDIS_STATUS status, enum flue_admin_detail detail)
{
    op->failed = true;
    if (op->opened)
        tree_fail(&op->tree, status, detail);
    target_queue(&t->finished, op);
}

void target_refuse_paused(struct flue_target *t)
{
    struct target_op *op;

    while ((op = target_unqueue(&t->paused)) != NULL) {
        if (!op->opened)
            target_open_tree(t, op);
        target_fail(t, op, NDIS_STATUS_FAILURE, FLUE_AD_DISABLED);
    }
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

/* Initiates that a PAUSE held: on with them, or refused. */
static void start_paused(struct flue_target *t)
{
    struct target_op *op;

    if (gate_closed(t)) {
        target_refuse_paused(t);
        return;
    }
    while (!gate_paused(t) && (op = target_unqueue(&t->paused)) != NULL) {
        if (!op->opened)
            target_open_tree(t, op);
        target_queue(op->failed ? &t->finished : &t->waiting, op);
    }
}

static void start_waiting(struct flue_target *t)
{
    start_paused(t);
    if (target_recovering(t))
        return;
    while (t->waiting.first != NULL) {
        struct target_op *op = t->waiting.first;
        if (op->kind == COMMAND_TREE && op->op == FLUE_TREE_INITIATE && gate_paused(t)) { /* not at the device yet */
            target_queue(&t->paused, target_unqueue(&t->waiting));
            continue;
        }
        enum flue_err err = t->fault != NULL ? FLUE_EDEVICE : target_send_tree(t, op);
        if (err == FLUE_EAGAIN && t->in_flight > 0)
            return;
        target_unqueue(&t->waiting);
        if (err == FLUE_EAGAIN || err == FLUE_ENOMEM)
            target_fail(t, op, NDIS_STATUS_FAILURE, FLUE_AD_LIMIT);
        else if (err == FLUE_ESTATE && op->bytes == 0)
            target_fail(t, op, NDIS_STATUS_FAILURE, FLUE_AD_NONE); /* its nodes say why */
        else if (err != FLUE_OK)
            target_fail(t, op, NDIS_STATUS_FAILURE, FLUE_AD_ABORTED);
    }
}

static void start_recovery(struct flue_target *t)
{
    struct target_op *op;

    while ((op = target_recover_next(t)) != NULL) {
        enum flue_err err = target_send_own(t, op);
        if (err != FLUE_OK) {
            op->done.status = (uint32_t)NDIS_STATUS_REQUEST_ABORTED;
            target_queue(&t->finished, op);
        }
        return;
    }
}

bool target_complete_without_memory(struct flue_target *t)
{
    bool any = false;

    while (t->oom_first != NULL) {
        NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root = t->oom_first;
        t->oom_first = root->Scratch[0];
        if (t->oom_first == NULL)
            t->oom_last = NULL;
        complete(t, (enum flue_tree_op)(uintptr_t)root->Scratch[1], root);
        any = true;
    }
    return any;
}

void flue_target_run(struct flue_target *t)
{
    bool again = true;

    if (t->running)
        return;
    t->running = true;
    while (again) {
        bool down = target_revive(t);
        start_recovery(t);
        if (!down)
            start_waiting(t);
        again = target_send_run(t); /* before a terminate takes the connection away */
        again = finish_all(t) || again;
        again = target_complete_without_memory(t) || again;
        again = target_indicate(t) || again;
    }
    t->running = false;
}

void flue_target_done(struct flue_target *t, const struct flue_admin_done *done)
{
    uintptr_t cookie = (uintptr_t)done->cookie;
    unsigned number = (unsigned)(cookie % COMMANDS_MAX);
    struct target_op *op = t->flight[number];

    if (op == NULL || t->cookie[number] != cookie / COMMANDS_MAX) {
        target_lie(t, "a command ended twice, or was never sent");
        return;
    }
    t->flight[number] = NULL;
    t->in_flight--;
    op->done = *done;
    if (op->bytes > 0) {
        memcpy(op->answer, target_buffer_addr(t, op), op->bytes); /* the device may go on writing: from here we read our own */
        if (op->opened && t->params.observer.answered != NULL)
            t->params.observer.answered(t->params.observer.ctx, op->op, op->answer, op->bytes, done);
    }
    target_buffer_put(t, op);
    target_queue(&t->finished, op);
    flue_target_run(t);
}

static void on_done(void *ctx, const struct flue_admin_done *done)
{
    flue_target_done(ctx, done);
}

static void on_notice(void *ctx, enum flue_cqe_kind kind, uint32_t status, uint32_t result)
{
    flue_target_notice(ctx, kind, status, result);
}

static void on_trapped(void *ctx, const struct flue_admin_trap *trap)
{
    (void)trap;
    flue_target_stopped(ctx);
}

void flue_target_handlers(struct flue_target *t, struct flue_admin_handlers *handlers)
{
    handlers->ctx = t;
    handlers->done = on_done;
    handlers->notice = on_notice;
    handlers->trapped = on_trapped;
}

unsigned flue_target_outstanding(const struct flue_target *t)
{
    unsigned count = t->waiting.count + t->paused.count + t->finished.count + t->held.count + t->in_flight + t->send_count +
                     target_recovering(t);

    for (const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root = t->oom_first; root != NULL; root = root->Scratch[0])
        count++;
    return count;
}

const char *flue_target_fault(const struct flue_target *t)
{
    return t->fault;
}
