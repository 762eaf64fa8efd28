/* After a restart of the firmware, and at the end: bring the device's objects in line with the target's. */
#include "target_internal.h"

#include <stdlib.h>
#include <string.h>
#include "slots.h"

#define LIST_ENTRIES  (SLOT_BYTES / (uint32_t)sizeof(struct flue_list_entry))
#define PURGE_HANDLES ((SLOT_BYTES - (uint32_t)sizeof(struct flue_tree_header)) / (uint32_t)sizeof(struct flue_tree_node))

bool target_recovering(const struct flue_target *t)
{
    return t->recovery.phase != RECOVERY_IDLE;
}

enum flue_err flue_target_recovered(const struct flue_target *t)
{
    return target_recovering(t) ? FLUE_EAGAIN : t->recovery.result;
}

/* ---- begin and end ----------------------------------------------------------------------------------------------- */

static enum flue_err begin(struct flue_target *t)
{
    for (unsigned layer = 1; layer < 4; layer++) {
        if (t->recovery.handles[layer] == NULL)
            t->recovery.handles[layer] = calloc(t->params.rows[layer], sizeof(uint32_t));
        if (t->recovery.present[layer] == NULL)
            t->recovery.present[layer] = calloc(t->params.rows[layer], sizeof(bool));
        if (t->recovery.handles[layer] == NULL || t->recovery.present[layer] == NULL)
            return FLUE_ENOMEM;
        memset(t->recovery.present[layer], 0, t->params.rows[layer] * sizeof(bool));
        t->recovery.count[layer] = 0;
    }
    if (t->recovery.release == NULL)
        t->recovery.release = calloc(t->params.rows[FLUE_LAYER_TCP], sizeof(uint32_t));
    if (t->recovery.release == NULL)
        return FLUE_ENOMEM;
    t->recovery.releases = 0;
    t->recovery.at = 0;
    t->recovery.from = 0;
    t->recovery.busy = false;
    t->recovery.result = FLUE_OK;
    return FLUE_OK;
}

enum flue_err flue_target_reconcile(struct flue_target *t)
{
    enum flue_err err;

    if (t->in_flight > 0 || target_recovering(t))
        return FLUE_ESTATE;
    err = begin(t);
    if (err != FLUE_OK)
        return err;
    t->fault = NULL;
    t->recovery.upload = false;
    t->recovery.layer = FLUE_LAYER_NEIGHBOR;
    t->recovery.phase = RECOVERY_LIST;
    return FLUE_OK;
}

enum flue_err flue_target_upload_all(struct flue_target *t)
{
    enum flue_err err;

    if (t->in_flight > 0 || t->waiting.count > 0 || target_recovering(t))
        return FLUE_ESTATE;
    err = begin(t);
    if (err != FLUE_OK)
        return err;
    target_refuse_paused(t);
    for (struct target_object *o = t->first; o != NULL; o = o->next) {
        o->reason = 0;
        o->abort = false;
        if (!o->lost)
            t->recovery.handles[o->layer][t->recovery.count[o->layer]++] = o->handle;
    }
    t->recovery.upload = true;
    t->recovery.layer = FLUE_LAYER_TCP;
    t->recovery.phase = RECOVERY_PURGE;
    return FLUE_OK;
}

/* What the host knows and the device does not is gone. */
static void settle(struct flue_target *t)
{
    struct target_object *o;

    t->recovery.phase = RECOVERY_IDLE;
    if (t->recovery.upload) {
        while ((o = t->last) != NULL)
            target_object_free(t, o, NDIS_STATUS_UPLOAD_IN_PROGRESS);
        return;
    }
    for (o = t->first; o != NULL; o = o->next)
        if (!t->recovery.present[o->layer][FLUE_GET(HANDLE_INDEX, o->handle)])
            target_hardware_failure(t, o);
}

static void give_up(struct flue_target *t, enum flue_err err, const char *lie)
{
    t->recovery.result = err;
    if (lie != NULL)
        target_lie(t, lie);
    if (t->recovery.upload)
        settle(t); /* the contexts are void whatever the device does */
    t->recovery.phase = RECOVERY_IDLE;
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static struct target_op *list_command(struct flue_target *t)
{
    struct target_op *op = target_op_new(COMMAND_LIST, SLOT_BYTES);

    if (op == NULL)
        return NULL;
    memset(op->answer, 0, op->bytes);
    op->sqe.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_LIST);
    op->sqe.arg[0] = FLUE_PUT(HANDLE_KIND, t->recovery.layer) | FLUE_PUT(HANDLE_INDEX, t->recovery.from);
    return op;
}

static struct target_op *purge_command(struct flue_target *t)
{
    uint32_t left = t->recovery.count[t->recovery.layer] - t->recovery.at;
    uint32_t count = left < PURGE_HANDLES ? left : PURGE_HANDLES;
    struct target_op *op =
        target_op_new(COMMAND_PURGE, sizeof(struct flue_tree_header) + count * sizeof(struct flue_tree_node));

    if (op == NULL)
        return NULL;
    tree_write_handles(op->answer, t->recovery.layer, t->recovery.handles[t->recovery.layer] + t->recovery.at, count);
    t->recovery.at += count;
    op->sqe.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_TERMINATE);
    return op;
}

static struct target_op *release_command(struct flue_target *t)
{
    struct target_op *op = target_op_new(COMMAND_RELEASE, 0);

    if (op == NULL)
        return NULL;
    op->sqe.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_RELEASE);
    op->sqe.handle = t->recovery.release[--t->recovery.releases];
    return op;
}

struct target_op *target_recover_next(struct flue_target *t)
{
    struct target_op *op = NULL;

    if (t->recovery.phase == RECOVERY_IDLE || t->recovery.busy)
        return NULL;
    if (t->recovery.phase == RECOVERY_PURGE) {
        while (t->recovery.releases == 0 && t->recovery.layer != 0 && t->recovery.at == t->recovery.count[t->recovery.layer]) {
            t->recovery.layer--; /* connections before paths before neighbors */
            t->recovery.at = 0;
        }
        if (t->recovery.layer == 0) {
            settle(t);
            return NULL;
        }
        op = t->recovery.releases > 0 ? release_command(t) : purge_command(t);
    } else {
        op = list_command(t);
    }
    if (op == NULL)
        give_up(t, FLUE_ENOMEM, NULL);
    else
        t->recovery.busy = true;
    return op;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* One object of the device. */
static const char *take_entry(struct flue_target *t, const struct flue_list_entry *entry)
{
    uint32_t handle = le32toh(entry->handle), index = FLUE_GET(HANDLE_INDEX, handle);
    uint32_t state = FLUE_GET(ROW_HEAD_STATE, le32toh(entry->row_state));
    unsigned layer = FLUE_GET(HANDLE_KIND, handle);

    if (layer < t->recovery.layer)
        return "the list of objects goes backwards";
    if (layer > t->recovery.layer)
        return NULL; /* asked for later */
    if (index < t->recovery.from || index >= t->params.rows[layer] || FLUE_GET(HANDLE_GENERATION, handle) == 0)
        return "the list of objects has one that cannot be";
    t->recovery.from = index + 1;
    if (target_by_handle(t, handle) != NULL)
        t->recovery.present[layer][index] = true;
    else if (layer == FLUE_LAYER_TCP && (state == FLUE_ROW_HELD || state == FLUE_ROW_FROZEN))
        t->recovery.release[t->recovery.releases++] = handle;
    else
        t->recovery.handles[layer][t->recovery.count[layer]++] = handle;
    return NULL;
}

static void list_answer(struct flue_target *t, const struct target_op *op)
{
    uint32_t from = t->recovery.from, entries = op->done.result;
    const char *lie = entries > LIST_ENTRIES ? "the list of objects is longer than its buffer" : NULL;

    for (uint32_t i = 0; i < entries && lie == NULL; i++) {
        struct flue_list_entry entry;
        memcpy(&entry, op->answer + i * sizeof entry, sizeof entry);
        lie = take_entry(t, &entry);
    }
    if (lie != NULL) {
        give_up(t, FLUE_EDEVICE, lie);
        return;
    }
    if (entries == LIST_ENTRIES && t->recovery.from > from && t->recovery.from < t->params.rows[t->recovery.layer])
        return; /* more of this layer */
    t->recovery.from = 0;
    if (t->recovery.layer < FLUE_LAYER_TCP) {
        t->recovery.layer++;
        return;
    }
    t->recovery.phase = RECOVERY_PURGE;
    t->recovery.layer = FLUE_LAYER_TCP;
    t->recovery.at = 0;
}

static void purge_answer(struct flue_target *t, const struct target_op *op)
{
    uint32_t count = (uint32_t)((op->bytes - sizeof(struct flue_tree_header)) / sizeof(struct flue_tree_node));

    for (uint32_t i = 0; i < count; i++) {
        struct flue_tree_node node;
        uint32_t detail;
        memcpy(&node, op->answer + sizeof(struct flue_tree_header) + i * sizeof node, sizeof node);
        detail = FLUE_GET(TREE_NODE_DETAIL, le32toh(node.word7));
        if (le32toh(node.status) != NDIS_STATUS_SUCCESS && detail != FLUE_AD_CORRUPT && detail != FLUE_AD_STALE &&
            t->recovery.result == FLUE_OK)
            t->recovery.result = FLUE_EDEVICE; /* it keeps what nobody knows */
    }
}

void target_recover_answer(struct flue_target *t, struct target_op *op)
{
    t->recovery.busy = false;
    if ((NDIS_STATUS)op->done.status != NDIS_STATUS_SUCCESS) {
        give_up(t, (NDIS_STATUS)op->done.status == NDIS_STATUS_REQUEST_ABORTED ? FLUE_ESTATE : FLUE_EDEVICE, NULL);
        return;
    }
    if (op->kind == COMMAND_LIST)
        list_answer(t, op);
    else if (op->kind == COMMAND_PURGE)
        purge_answer(t, op);
}
