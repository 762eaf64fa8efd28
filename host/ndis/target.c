/* The offload target: entry points, commands in flight, completions. */
#include "target_internal.h"

#include <stdlib.h>
#include <string.h>
#include "slots.h"

static const uint8_t opcode_of[FLUE_TREE_OPS] = {FLUE_OP_INITIATE, FLUE_OP_QUERY, FLUE_OP_UPDATE, FLUE_OP_INVALIDATE,
                                                 FLUE_OP_TERMINATE};

/* ---- operations -------------------------------------------------------------------------------------------------- */

void target_queue(struct op_queue *queue, struct target_op *op)
{
    op->next = NULL;
    if (queue->last == NULL)
        queue->first = op;
    else
        queue->last->next = op;
    queue->last = op;
    queue->count++;
}

struct target_op *target_unqueue(struct op_queue *queue)
{
    struct target_op *op = queue->first;

    if (op == NULL)
        return NULL;
    queue->first = op->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    return op;
}

struct target_op *target_op_new(enum command_kind kind, size_t bytes)
{
    struct target_op *op = calloc(1, sizeof *op);

    if (op == NULL)
        return NULL;
    op->kind = kind;
    op->slot = -1;
    op->bytes = bytes;
    if (bytes > 0 && (op->answer = malloc(bytes)) == NULL) {
        free(op);
        return NULL;
    }
    return op;
}

static void buffer_put(struct flue_target *t, struct target_op *op)
{
    if (op->slot >= 0)
        t->slot_used[op->slot] = false;
    else if (op->own.addr != NULL)
        t->params.ops.mem_free(t->params.ops.ctx, &op->own);
    else
        return;
    op->slot = -1;
    op->own.addr = NULL;
    t->buffers--;
}

void target_op_free(struct flue_target *t, struct target_op *op)
{
    buffer_put(t, op);
    if (op->opened)
        tree_close(&op->tree);
    free(op->answer);
    free(op->own_node);
    free(op);
}

void target_lie(struct flue_target *t, const char *sentence)
{
    if (t->fault != NULL)
        return;
    t->fault = sentence;
    if (t->params.observer.fault != NULL)
        t->params.observer.fault(t->params.observer.ctx, sentence);
}

/* ---- to the device ----------------------------------------------------------------------------------------------- */

/* A buffer for the device: FLUE_EAGAIN while others use what there is. */
static enum flue_err buffer_get(struct flue_target *t, struct target_op *op, uint8_t **addr)
{
    enum flue_err err;

    if (op->bytes <= SLOT_BYTES) {
        if (t->arena.addr == NULL) {
            err = t->params.ops.mem_alloc(t->params.ops.ctx, (size_t)SLOTS * SLOT_BYTES, &t->arena);
            if (err != FLUE_OK) {
                t->arena.addr = NULL;
                return err;
            }
        }
        for (unsigned i = 0; i < SLOTS && op->slot < 0; i++)
            if (!t->slot_used[i])
                op->slot = (int)i;
        if (op->slot < 0)
            return FLUE_EAGAIN;
        t->slot_used[op->slot] = true;
        t->buffers++;
        *addr = (uint8_t *)t->arena.addr + (size_t)op->slot * SLOT_BYTES;
        op->sqe.word1 = FLUE_PUT(SQE_REGION, t->arena.region);
        op->sqe.offset = (uint32_t)op->slot * SLOT_BYTES;
        return FLUE_OK;
    }
    err = t->params.ops.mem_alloc(t->params.ops.ctx, op->bytes, &op->own);
    if (err != FLUE_OK) {
        op->own.addr = NULL;
        return t->buffers > 0 ? FLUE_EAGAIN : err;
    }
    t->buffers++;
    *addr = op->own.addr;
    op->sqe.word1 = FLUE_PUT(SQE_REGION, op->own.region);
    op->sqe.offset = 0;
    return FLUE_OK;
}

static const uint8_t *buffer_addr(const struct flue_target *t, const struct target_op *op)
{
    return op->slot >= 0 ? (const uint8_t *)t->arena.addr + (size_t)op->slot * SLOT_BYTES : op->own.addr;
}

static enum flue_err submit(struct flue_target *t, struct target_op *op)
{
    unsigned number = 0;
    enum flue_err err;

    while (number < COMMANDS_MAX && t->flight[number] != NULL)
        number++;
    if (number == COMMANDS_MAX)
        return FLUE_EAGAIN;
    t->cookie[number] = t->sequence + 1;
    err = t->params.ops.submit(t->params.ops.ctx, &op->sqe, (void *)((uintptr_t)t->cookie[number] * COMMANDS_MAX + number));
    if (err != FLUE_OK)
        return err;
    t->sequence = (t->sequence + 1) & 0xFFFFFu;
    op->number = number;
    t->flight[number] = op;
    t->in_flight++;
    return FLUE_OK;
}

/* Marshal a tree and send it.  FLUE_EAGAIN: later. */
static enum flue_err send_tree(struct flue_target *t, struct target_op *op)
{
    uint8_t *buffer = NULL;
    enum flue_err err;

    if (op->answer == NULL) {
        err = tree_layout(&op->tree);
        if (err != FLUE_OK)
            return err;
        op->bytes = op->tree.bytes;
        if (op->bytes == 0)
            return FLUE_ESTATE; /* every node was refused */
        op->answer = malloc(op->bytes);
        if (op->answer == NULL)
            return FLUE_ENOMEM;
    }
    err = buffer_get(t, op, &buffer);
    if (err != FLUE_OK)
        return err;
    tree_write(&op->tree, buffer);
    op->sqe.word0 = FLUE_PUT(SQE_OPCODE, opcode_of[op->op]);
    op->sqe.length = (uint32_t)op->bytes;
    err = submit(t, op);
    if (err != FLUE_OK)
        buffer_put(t, op);
    else if (t->params.observer.sent != NULL)
        t->params.observer.sent(t->params.observer.ctx, op->op, buffer, op->bytes);
    return err;
}

/* A command of our own: its buffer begins as op->answer is. */
static enum flue_err send_own(struct flue_target *t, struct target_op *op)
{
    uint8_t *buffer = NULL;
    enum flue_err err = FLUE_OK;

    if (op->bytes > 0) {
        err = buffer_get(t, op, &buffer);
        if (err != FLUE_OK)
            return err;
        memcpy(buffer, op->answer, op->bytes);
        op->sqe.length = (uint32_t)op->bytes;
    }
    err = submit(t, op);
    if (err != FLUE_OK)
        buffer_put(t, op);
    return err;
}

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

static void finish(struct flue_target *t, struct target_op *op)
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

/* A tree that does not reach the device. */
static void fail(struct flue_target *t, struct target_op *op, NDIS_STATUS status, enum flue_admin_detail detail)
{
    op->failed = true;
    if (op->opened)
        tree_fail(&op->tree, status, detail);
    target_queue(&t->finished, op);
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

static void start_waiting(struct flue_target *t)
{
    if (!gate_paused(t)) {
        struct target_op *op;
        while ((op = target_unqueue(&t->paused)) != NULL) {
            target_open_tree(t, op);
            target_queue(op->failed ? &t->finished : &t->waiting, op);
        }
    }
    if (target_recovering(t))
        return;
    while (t->waiting.first != NULL) {
        struct target_op *op = t->waiting.first;
        enum flue_err err = t->fault != NULL ? FLUE_EDEVICE : send_tree(t, op);
        if (err == FLUE_EAGAIN && t->in_flight > 0)
            return;
        target_unqueue(&t->waiting);
        if (err == FLUE_EAGAIN || err == FLUE_ENOMEM)
            fail(t, op, NDIS_STATUS_FAILURE, FLUE_AD_LIMIT);
        else if (err == FLUE_ESTATE && op->bytes == 0)
            fail(t, op, NDIS_STATUS_FAILURE, FLUE_AD_NONE); /* its nodes say why */
        else if (err != FLUE_OK)
            fail(t, op, NDIS_STATUS_FAILURE, FLUE_AD_ABORTED);
    }
}

static void start_recovery(struct flue_target *t)
{
    struct target_op *op;

    while ((op = target_recover_next(t)) != NULL) {
        enum flue_err err = send_own(t, op);
        if (err != FLUE_OK) {
            op->done.status = (uint32_t)NDIS_STATUS_REQUEST_ABORTED;
            target_queue(&t->finished, op);
        }
        return;
    }
}

/* Trees that were marked because there was no memory for an operation. */
static bool complete_without_memory(struct flue_target *t)
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
        struct target_op *op;
        again = false;
        start_recovery(t);
        start_waiting(t);
        while ((op = target_unqueue(&t->finished)) != NULL) {
            finish(t, op);
            again = true;
        }
        again = complete_without_memory(t) || again;
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
        memcpy(op->answer, buffer_addr(t, op), op->bytes); /* the device may go on writing: from here we read our own */
        if (op->opened && t->params.observer.answered != NULL)
            t->params.observer.answered(t->params.observer.ctx, op->op, op->answer, op->bytes, done);
    }
    buffer_put(t, op);
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

void flue_target_handlers(struct flue_target *t, struct flue_admin_handlers *handlers)
{
    handlers->ctx = t;
    handlers->done = on_done;
    handlers->notice = on_notice;
}

unsigned flue_target_outstanding(const struct flue_target *t)
{
    unsigned count = t->waiting.count + t->paused.count + t->finished.count + t->in_flight + target_recovering(t);

    for (const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root = t->oom_first; root != NULL; root = root->Scratch[0])
        count++;
    return count;
}

const char *flue_target_fault(const struct flue_target *t)
{
    return t->fault;
}

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
            fail(t, t->flight[i], NDIS_STATUS_FAILURE, FLUE_AD_ABORTED);
            t->flight[i] = NULL;
        }
    t->in_flight = 0;
    do { /* a completion may have asked for more */
        while ((op = target_unqueue(&t->waiting)) != NULL || (op = target_unqueue(&t->paused)) != NULL) {
            if (!op->opened && !op->failed)
                target_open_tree(t, op);
            fail(t, op, NDIS_STATUS_FAILURE, FLUE_AD_ABORTED);
        }
        while ((op = target_unqueue(&t->finished)) != NULL) {
            if (op->kind == COMMAND_TREE)
                finish(t, op);
            else
                target_op_free(t, op);
        }
        complete_without_memory(t);
    } while (t->waiting.first != NULL || t->paused.first != NULL || t->finished.first != NULL || t->oom_first != NULL);
    while (t->last != NULL)
        target_object_free(t, t->last, NDIS_STATUS_REQUEST_ABORTED);
    if (t->arena.addr != NULL)
        t->params.ops.mem_free(t->params.ops.ctx, &t->arena);
    for (unsigned layer = 1; layer < 4; layer++) {
        free(t->row[layer]);
        free(t->recovery.handles[layer]);
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

void flue_target_over_admin(struct flue_target_bridge *bridge, struct flue_target_ops *ops)
{
    *ops = (struct flue_target_ops){.ctx = bridge, .mem_alloc = bridge_alloc, .mem_free = bridge_free, .submit = bridge_submit};
}
