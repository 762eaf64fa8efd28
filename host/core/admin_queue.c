/*
 * The admin queue: commands into the submission ring, completions and notices out of the completion ring
 * (docs/control-plane.md, section 1).
 *
 * As with events, nothing in host memory is believed: an entry is copied once and compared with what was asked; one that cannot
 * be true ends the use of the device.
 */
#include <stdatomic.h>
#include <string.h>
#include "admin_parts.h"
#include "flue/ndis/status.h"

#define SQE_WORDS  (sizeof(struct flue_sqe) / 4)
#define CQE_WORDS  (sizeof(struct flue_cqe) / 4)
#define NODE_BYTES sizeof(struct flue_tree_node)

/* ---- commands in flight ------------------------------------------------------------------------------------------ */

void admin_rings_clear(struct flue_admin *admin)
{
    memset(admin->mem.addr, 0, admin->mem.len_bytes); /* phase 0: nothing posted */
    admin->sq_tail = admin->cq_head = 0;
    admin->announced = false;
    admin->idle_polls = 0;
    admin->quiet_since_us = 0;
}

static struct admin_command *command_new(struct flue_admin *admin)
{
    uint16_t slot = admin->free_slot[admin->size - 1 - admin->outstanding++];
    struct admin_command *command = &admin->command[slot];

    /* A new id each time: an answer that comes late, or twice, is nobody's. */
    *command = (struct admin_command){.id = (uint16_t)(command->id + admin->size), .busy = true, .used = true};
    return command;
}

/* The command is gone before its handler runs, which may submit another. */
static struct admin_command command_take(struct flue_admin *admin, struct admin_command *command)
{
    struct admin_command gone = *command;
    command->busy = false;
    command->call = NULL;
    admin->free_slot[admin->size - admin->outstanding--] = (uint16_t)(command - admin->command);
    return gone;
}

static void command_give(struct flue_admin *admin, const struct admin_command *command, struct flue_admin_done done, bool cut)
{
    struct flue_adapter *a = admin->a;

    done.cookie = command->cookie;
    if (command->internal) {
        if (command->call != NULL)
            *command->call = (struct admin_call){.done = done, .answered = !cut, .cut = cut};
        else
            admin->call_lost = false; /* the buffer is free again */
    } else if (admin->handlers.done != NULL) {
        bool inside = a->in_handler;
        a->in_handler = true;
        admin->handlers.done(admin->handlers.ctx, &done);
        a->in_handler = inside;
    }
}

void admin_end_all(struct flue_admin *admin)
{
    for (unsigned slot = 0; slot < admin->size; slot++)
        if (admin->command[slot].busy) {
            struct admin_command command = command_take(admin, &admin->command[slot]);
            command_give(admin, &command, (struct flue_admin_done){.status = (uint32_t)NDIS_STATUS_REQUEST_ABORTED}, true);
        }
}

/* ---- submissions ------------------------------------------------------------------------------------------------- */

static enum flue_err may_submit(const struct flue_admin *admin)
{
    if (admin->state != ADMIN_RUNS && admin->a->state != ADAPTER_BROKEN)
        return FLUE_ESTATE;
    TRY(adapter_usable(admin->a));
    return admin->outstanding == admin->size ? FLUE_EAGAIN : FLUE_OK;
}

/* At most `size` commands are in flight, so the entry at the tail was fetched long ago. */
static enum flue_err command_put(struct flue_admin *admin, const struct flue_sqe *sqe, struct admin_command *command)
{
    uint32_t word[SQE_WORDS];
    uint32_t *entry = admin->sq_le + (admin->sq_tail & (admin->size - 1u)) * SQE_WORDS;

    memcpy(word, sqe, sizeof word);
    word[0] = (word[0] & ~FLUE_SQE_COMMAND_ID_MASK) | FLUE_PUT(SQE_COMMAND_ID, command->id);
    for (unsigned i = 0; i < SQE_WORDS; i++)
        entry[i] = htole32(word[i]);
    command->opcode = (uint8_t)FLUE_GET(SQE_OPCODE, word[0]);
    command->length = sqe->length;
    if (admin->outstanding == 1) {
        admin->idle_polls = 0;
        admin->quiet_since_us = 0;
    }
    atomic_thread_fence(memory_order_release); /* the entry before the index that announces it */
    enum flue_err err = reg_write(admin->a, FLUE_REG_ASQ_TAIL, (uint16_t)(admin->sq_tail + 1u));
    if (err != FLUE_OK) {
        (void)command_take(admin, command);
        return err;
    }
    admin->sq_tail++;
    return FLUE_OK;
}

enum flue_err flue_admin_submit(struct flue_admin *admin, const struct flue_sqe *sqe, void *cookie)
{
    if (admin == NULL || sqe == NULL)
        return FLUE_EARG;
    TRY(may_submit(admin));
    struct admin_command *command = command_new(admin);
    command->cookie = cookie;
    return command_put(admin, sqe, command);
}

unsigned flue_admin_outstanding(const struct flue_admin *admin)
{
    return admin->outstanding;
}

static enum flue_err call_wait(struct flue_admin *admin, const struct admin_call *call)
{
    struct limit limit;
    enum flue_err err;

    TRY(limit_begin(admin->a, &limit, admin->timeout_us));
    do
        err = limit_step(admin->a, &limit);
    while (err == FLUE_OK && !call->answered && !call->cut && !admin->stop_wanted);
    if (call->answered)
        return FLUE_OK;
    if (err == FLUE_ETIMEOUT && !call->cut)
        (void)adapter_fault_set(admin->a, "no answer to an admin command within %u us", admin->timeout_us);
    return err == FLUE_OK || call->cut ? FLUE_ESTATE : err;
}

static enum flue_err call_put(struct flue_admin *admin, const struct flue_sqe *sqe, const void *data, size_t bytes,
                              struct admin_command *command)
{
    struct flue_sqe filled = *sqe;

    if (bytes > 0) {
        filled.word1 = FLUE_PUT(SQE_REGION, admin->mem.region);
        filled.offset = admin->call_offset;
        filled.length = (uint32_t)bytes;
        memcpy((uint8_t *)admin->mem.addr + admin->call_offset, data, bytes);
    }
    return command_put(admin, &filled, command);
}

enum flue_err flue_admin_call(struct flue_admin *admin, const struct flue_sqe *sqe, void *data, size_t bytes,
                              struct flue_admin_done *done)
{
    struct admin_call call = {.answered = false};

    if (admin == NULL || sqe == NULL || done == NULL || bytes > ADMIN_CALL_BYTES || bytes % 4 != 0 ||
        (data == NULL) != (bytes == 0))
        return FLUE_EARG;
    *done = (struct flue_admin_done){0};
    if (admin->a->in_handler)
        return FLUE_ESTATE;
    TRY(may_submit(admin));
    if (admin->call_lost)
        return FLUE_EAGAIN;

    struct admin_command *command = command_new(admin);
    command->internal = true;
    command->call = &call;
    TRY(call_put(admin, sqe, data, bytes, command));
    admin->waiting = true;
    enum flue_err err = call_wait(admin, &call);
    admin->waiting = false;
    if (call.answered) {
        *done = call.done;
        if (bytes > 0)
            memcpy(data, (const uint8_t *)admin->mem.addr + admin->call_offset, bytes);
    } else if (!call.cut) { /* it stays in flight, and its buffer with it */
        command->call = NULL;
        admin->call_lost = true;
    }
    (void)admin_stop_if_wanted(admin);
    return err;
}

/* ---- completions and notices ------------------------------------------------------------------------------------- */

static bool entry_next(const struct flue_admin *admin, uint32_t word[CQE_WORDS])
{
    const volatile uint32_t *entry = admin->cq_le + (admin->cq_head & (admin->size - 1u)) * CQE_WORDS;
    uint32_t phase = (((uint32_t)admin->cq_head >> admin->log2_size) & 1u) ^ 1u;

    word[3] = le32toh(entry[3]); /* written last */
    atomic_thread_fence(memory_order_acquire);
    if (FLUE_GET(CQE_PHASE, word[3]) != phase)
        return false;
    for (unsigned i = 0; i < 3; i++)
        word[i] = le32toh(entry[i]);
    return true;
}

static bool handle_is(uint32_t handle, uint32_t kind)
{
    return FLUE_GET(HANDLE_KIND, handle) == kind && FLUE_GET(HANDLE_GENERATION, handle) != 0;
}

/* The result says how much of the buffer was used, or names an object. */
static const char *result_lie(const struct admin_command *command, uint32_t result)
{
    switch (command->opcode) {
    case FLUE_OP_INITIATE:
    case FLUE_OP_QUERY:
    case FLUE_OP_UPDATE:
    case FLUE_OP_INVALIDATE:
    case FLUE_OP_TERMINATE:
        if ((uint64_t)result * NODE_BYTES + sizeof(struct flue_tree_header) > command->length)
            return "admin completion with more nodes than its tree has room for";
        break;
    case FLUE_OP_LIST:
        if ((uint64_t)result * sizeof(struct flue_list_entry) > command->length)
            return "admin completion with more entries than its buffer has room for";
        break;
    case FLUE_OP_HOLD:
        if (!handle_is(result, FLUE_TBL_CONNECTION))
            return "admin completion with a handle that is no connection's";
        break;
    }
    return NULL;
}

static enum flue_err on_completion(struct flue_admin *admin, const uint32_t word[CQE_WORDS])
{
    struct flue_adapter *a = admin->a;
    uint16_t id = (uint16_t)FLUE_GET(CQE_COMMAND_ID, word[0]);
    uint32_t detail = FLUE_GET(CQE_DETAIL, word[3]);
    struct admin_command *command = &admin->command[id & (admin->size - 1u)];

    if (!command->busy && command->used && command->id == id)
        return adapter_distrust(a, "admin completion that came twice");
    if (!command->busy || command->id != id)
        return adapter_distrust(a, "admin completion of a command that is not in flight");
    if (detail > FLUE_AD_ABORTED)
        return adapter_distrust(a, "admin completion with an unknown detail");
    const char *lie = word[1] == (uint32_t)NDIS_STATUS_SUCCESS ? result_lie(command, word[2]) : NULL;
    if (lie != NULL)
        return adapter_distrust(a, lie);

    struct admin_command gone = command_take(admin, command);
    admin->idle_polls = 0;
    admin->quiet_since_us = 0;
    command_give(admin, &gone,
                 (struct flue_admin_done){.status = word[1], .result = word[2], .detail = (enum flue_admin_detail)detail},
                 false);
    return FLUE_OK;
}

static bool notice_true(uint32_t kind, uint32_t result)
{
    switch (kind) {
    case FLUE_CQ_TABLE_ERROR:
        return (result & FLUE_TABLE_ERROR_VALID_MASK) != 0 && (result & FLUE_TABLE_ERROR_WORD0_ZERO) == 0;
    case FLUE_CQ_UPLOAD_REQUEST:
    case FLUE_CQ_ABORT_IND:
        return handle_is(result, FLUE_TBL_CONNECTION);
    case FLUE_CQ_NEIGHBOR_QUERY:
        return handle_is(result, FLUE_TBL_NEIGHBOR);
    }
    return false;
}

static enum flue_err on_entry(struct flue_admin *admin, const uint32_t word[CQE_WORDS])
{
    struct flue_adapter *a = admin->a;
    uint32_t kind = FLUE_GET(CQE_KIND, word[0]);

    if ((word[0] & FLUE_CQE_WORD0_ZERO) != 0 || (word[3] & FLUE_CQE_WORD3_ZERO) != 0)
        return adapter_distrust(a, "admin completion with reserved bits set");
    if (kind == FLUE_CQ_COMPLETION)
        return on_completion(admin, word);
    if (kind < FLUE_CQ_TABLE_ERROR || kind > FLUE_CQ_NEIGHBOR_QUERY)
        return adapter_distrust(a, "admin notice of an unknown kind");
    if (FLUE_GET(CQE_COMMAND_ID, word[0]) != 0 || FLUE_GET(CQE_DETAIL, word[3]) != 0 || !notice_true(kind, word[2]))
        return adapter_distrust(a, "admin notice about nothing that can be");
    if (admin->handlers.notice != NULL) {
        a->in_handler = true;
        admin->handlers.notice(admin->handlers.ctx, (enum flue_cqe_kind)kind, word[1], word[2]);
        a->in_handler = false;
    }
    return FLUE_OK;
}

/* What the interrupt announced must be in the ring, entry by entry, each with its phase. */
static enum flue_err announced_check(struct flue_admin *admin, uint16_t head_before)
{
    struct flue_adapter *a = admin->a;
    uint32_t tail, word[CQE_WORDS];

    TRY(reg_read(a, FLUE_REG_ACQ_TAIL, &tail));
    /* The last entry may have been taken before the tail said so. */
    if (tail > UINT16_MAX || (uint16_t)(tail + 1 - head_before) > admin->size + 1)
        return adapter_distrust(a, "tail of the admin completions outside the ring");
    if ((int16_t)(uint16_t)(tail - admin->cq_head) > 0 && !entry_next(admin, word))
        return adapter_distrust(a, "admin completion that was announced and has not its phase");
    return FLUE_OK;
}

/* Notices are no answer. */
static enum flue_err admin_watch(struct flue_admin *admin)
{
    if (admin->outstanding == 0)
        return FLUE_OK;
    return ++admin->idle_polls % ADMIN_POLLS_A_LOOK == 0 ? processor_watch(admin) : FLUE_OK;
}

enum flue_err admin_take(struct flue_adapter *a, unsigned budget, unsigned *handled)
{
    struct flue_admin *admin = a->admin;
    enum flue_err err = FLUE_OK;
    uint32_t word[CQE_WORDS];
    unsigned count = 0;

    *handled = 0;
    if (admin == NULL || admin_stop_if_wanted(admin) || admin->state != ADMIN_RUNS)
        return FLUE_OK;
    uint16_t before = admin->cq_head;
    while (count < budget && err == FLUE_OK && entry_next(admin, word)) {
        admin->cq_head++;
        count++;
        err = on_entry(admin, word);
    }
    *handled = count;
    TRY(err);
    if (admin->announced) {
        admin->announced = false;
        TRY(announced_check(admin, before));
    }
    if (count > 0)
        TRY(reg_write(a, FLUE_REG_ACQ_HEAD, admin->cq_head));
    if (a->state == ADAPTER_RUNS)
        TRY(admin_watch(admin));
    (void)admin_stop_if_wanted(admin);
    return FLUE_OK;
}

void admin_announced(struct flue_adapter *a)
{
    if (a->admin != NULL)
        a->admin->announced = true;
}

bool admin_pending(const struct flue_adapter *a)
{
    uint32_t word[CQE_WORDS];
    return a->admin != NULL && a->admin->state == ADMIN_RUNS && entry_next(a->admin, word);
}
