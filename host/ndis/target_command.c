/* Commands of the offload target: the operations they carry, their buffers, the way to the device. */
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

void target_buffer_put(struct flue_target *t, struct target_op *op)
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
    target_buffer_put(t, op);
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

const uint8_t *target_buffer_addr(const struct flue_target *t, const struct target_op *op)
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

enum flue_err target_send_tree(struct flue_target *t, struct target_op *op)
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
        target_buffer_put(t, op);
    else if (t->params.observer.sent != NULL)
        t->params.observer.sent(t->params.observer.ctx, op->op, buffer, op->bytes);
    return err;
}

enum flue_err target_send_own(struct flue_target *t, struct target_op *op)
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
        target_buffer_put(t, op);
    return err;
}
