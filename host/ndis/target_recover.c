/* After a restart of the firmware, and at the end: bring the device's objects in line with the target's. */
#include "target_internal.h"

#include <stdlib.h>
#include <string.h>
#include "slots.h"

#define LIST_ENTRIES  (SLOT_BYTES / (uint32_t)sizeof(struct flue_list_entry))
#define PURGE_HANDLES ((SLOT_BYTES - (uint32_t)sizeof(struct flue_tree_header)) / (uint32_t)sizeof(struct flue_tree_node))
#define KEYS          ((SLOT_BYTES - (uint32_t)sizeof(struct flue_tree_header)) / ((uint32_t)sizeof(struct flue_tree_node) + KEY_BYTES))

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
        if (t->recovery.purge[layer] == NULL)
            t->recovery.purge[layer] = calloc(t->params.rows[layer], sizeof *t->recovery.purge[layer]);
        if (t->recovery.present[layer] == NULL)
            t->recovery.present[layer] = calloc(t->params.rows[layer], 1);
        if (t->recovery.purge[layer] == NULL || t->recovery.present[layer] == NULL)
            return FLUE_ENOMEM;
        memset(t->recovery.present[layer], 0, t->params.rows[layer]);
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
    t->recovery.found = (struct flue_target_found){0};
    return FLUE_OK;
}

static uint8_t full_type(unsigned layer, bool ipv6)
{
    if (layer == FLUE_LAYER_PATH)
        return ipv6 ? Ip6OffloadState : Ip4OffloadState;
    return layer == FLUE_LAYER_NEIGHBOR ? NeighborOffloadState : TcpOffloadState;
}

static void purge(struct flue_target *t, unsigned layer, uint32_t handle, bool ipv6)
{
    t->recovery.purge[layer][t->recovery.count[layer]++] =
        (struct target_named){.handle = handle, .type = full_type(layer, ipv6)};
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
    t->stopped = false;
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
            purge(t, o->layer, o->handle, o->ipv6);
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
    for (o = t->first; o != NULL; o = o->next) {
        if (o->handle == 0)
            continue; /* lost before */
        if (t->recovery.present[o->layer][FLUE_GET(HANDLE_INDEX, o->handle)] == ROW_SAME) {
            t->recovery.found.kept++;
            continue;
        }
        t->recovery.found.lost++;
        target_hardware_failure(t, o);
        if (t->recovery.present[o->layer][FLUE_GET(HANDLE_INDEX, o->handle)] == ROW_ABSENT)
            target_forget_handle(t, o);
    }
    if (t->recovery.result == FLUE_OK)
        t->restarts = 0;
    if (t->params.observer.reconciled != NULL)
        t->params.observer.reconciled(t->params.observer.ctx, t->recovery.result, &t->recovery.found);
}

static void give_up(struct flue_target *t, enum flue_err err, const char *lie)
{
    t->recovery.result = err;
    if (lie != NULL)
        target_lie(t, lie);
    if (t->recovery.upload)
        settle(t); /* the contexts are void whatever the device does */
    else if (t->params.observer.reconciled != NULL)
        t->params.observer.reconciled(t->params.observer.ctx, err, &t->recovery.found);
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
    const struct target_named *named = t->recovery.purge[t->recovery.layer] + t->recovery.at;
    struct target_op *op =
        target_op_new(COMMAND_PURGE, sizeof(struct flue_tree_header) + count * sizeof(struct flue_tree_node));

    if (op == NULL)
        return NULL;
    (void)tree_write_flat(op->answer, count, 0);
    for (uint32_t i = 0; i < count; i++)
        tree_write_reference(op->answer, i, count, named[i].type, 0, named[i].handle);
    t->recovery.at += count;
    t->recovery.found.terminated += count;
    op->sqe.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_TERMINATE);
    return op;
}

/* What depends on another object than the host's is not the host's either. */
static void purge_below(struct flue_target *t)
{
    unsigned layer = t->recovery.layer;

    for (uint32_t row = 0; layer > FLUE_LAYER_NEIGHBOR && row < t->params.rows[layer]; row++) {
        const struct target_object *o = t->row[layer][row];
        if (t->recovery.present[layer][row] != ROW_SAME ||
            t->recovery.present[layer - 1][FLUE_GET(HANDLE_INDEX, o->parent->handle)] != ROW_ABSENT)
            continue;
        t->recovery.present[layer][row] = ROW_ABSENT;
        purge(t, layer, o->handle, o->ipv6);
    }
}

/* The next objects of this layer that may be the same on both sides. */
static uint32_t keys_next(const struct flue_target *t, struct target_object *next[KEYS])
{
    uint32_t count = 0;

    for (uint32_t row = t->recovery.from; row < t->params.rows[t->recovery.layer] && count < KEYS; row++)
        if (t->recovery.present[t->recovery.layer][row] == ROW_SAME)
            next[count++] = t->row[t->recovery.layer][row];
    return count;
}

/* Query their constant states; null with *done: there are none left. */
static struct target_op *keys_command(struct flue_target *t, bool *done)
{
    struct target_object *next[KEYS];
    uint32_t count = keys_next(t, next), state = state_wire_bytes(t->recovery.layer, FLUE_TREE_CONST);
    struct target_op *op;

    *done = count == 0;
    if (*done)
        return NULL;
    op = target_op_new(COMMAND_KEYS, sizeof(struct flue_tree_header) + count * (sizeof(struct flue_tree_node) + (size_t)state));
    if (op == NULL)
        return NULL;
    memset(op->answer, 0, op->bytes);
    (void)tree_write_flat(op->answer, count, state);
    for (uint32_t i = 0; i < count; i++) /* types come in fours: constant, cached, delegated, all */
        tree_write_reference(op->answer, i, count,
                             t->recovery.layer == FLUE_LAYER_TCP ? TcpOffloadConstState
                                                                 : (uint8_t)(full_type(t->recovery.layer, next[i]->ipv6) - 3),
                             state, next[i]->handle);
    op->sqe.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_QUERY);
    return op;
}

static void purge_begin(struct flue_target *t)
{
    t->recovery.phase = RECOVERY_PURGE;
    t->recovery.layer = FLUE_LAYER_TCP;
    t->recovery.at = 0;
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
    while (t->recovery.phase == RECOVERY_KEYS) {
        bool done;
        op = keys_command(t, &done);
        if (!done)
            break;
        t->recovery.from = 0;
        if (t->recovery.layer++ == FLUE_LAYER_TCP)
            purge_begin(t);
        else
            purge_below(t);
    }
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
    } else if (t->recovery.phase == RECOVERY_LIST) {
        op = list_command(t);
    }
    if (op == NULL)
        give_up(t, FLUE_ENOMEM, NULL);
    else
        t->recovery.busy = true;
    return op;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* The host's object that this one of the device can be: its key is looked at later. */
static struct target_object *counterpart(struct flue_target *t, const struct flue_list_entry *entry)
{
    struct target_object *object = target_by_handle(t, le32toh(entry->handle)), *parent;
    uint64_t host_handle = le32toh(entry->host_handle[0]) | (uint64_t)le32toh(entry->host_handle[1]) << 32;
    bool ipv6 = FLUE_GET(ROW_HEAD_IPV6, le32toh(entry->row_state)) != 0;

    if (object == NULL || host_handle != (uintptr_t)object->host_handle)
        return NULL;
    if (object->layer == FLUE_LAYER_NEIGHBOR)
        return object;
    if (object->layer == FLUE_LAYER_PATH && ipv6 != object->ipv6)
        return NULL;
    parent = target_by_handle(t, le32toh(entry->parent));
    if (parent == NULL || t->recovery.present[parent->layer][FLUE_GET(HANDLE_INDEX, parent->handle)] == ROW_ABSENT)
        return NULL;
    if (parent == object->parent)
        return object;
    if (object->layer != FLUE_LAYER_PATH)
        return NULL;
    target_set_parent(object, parent); /* a relink that was done and not answered */
    return object;
}

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
    if (counterpart(t, entry) != NULL)
        t->recovery.present[layer][index] = ROW_SAME;
    else if (layer == FLUE_LAYER_TCP && (state == FLUE_ROW_HELD || state == FLUE_ROW_FROZEN))
        t->recovery.release[t->recovery.releases++] = handle;
    else
        purge(t, layer, handle, FLUE_GET(ROW_HEAD_IPV6, le32toh(entry->row_state)) != 0);
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
    t->recovery.phase = RECOVERY_KEYS;
    t->recovery.layer = FLUE_LAYER_NEIGHBOR;
}

/* Another object under the same handle goes; one that cannot be read stays what it is, for the host to terminate. */
static void keys_answer(struct flue_target *t, const struct target_op *op)
{
    struct target_object *asked[KEYS];
    uint32_t count = keys_next(t, asked), bytes = state_wire_bytes(t->recovery.layer, FLUE_TREE_CONST);
    const uint8_t *states = op->answer + sizeof(struct flue_tree_header) + count * sizeof(struct flue_tree_node);

    for (uint32_t i = 0; i < count; i++) {
        struct flue_tree_node node;
        uint32_t row = FLUE_GET(HANDLE_INDEX, asked[i]->handle);
        memcpy(&node, op->answer + sizeof(struct flue_tree_header) + i * sizeof node, sizeof node);
        t->recovery.from = row + 1;
        if (le32toh(node.status) != NDIS_STATUS_SUCCESS) {
            t->recovery.present[t->recovery.layer][row] = ROW_UNREADABLE;
        } else if (memcmp(states + (size_t)i * bytes, asked[i]->key, bytes) != 0) {
            t->recovery.present[t->recovery.layer][row] = ROW_ABSENT;
            purge(t, t->recovery.layer, asked[i]->handle, asked[i]->ipv6);
        }
    }
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
    else if (op->kind == COMMAND_KEYS)
        keys_answer(t, op);
    else if (op->kind == COMMAND_PURGE)
        purge_answer(t, op);
}

/* ---- a processor that stopped -------------------------------------------------------------------------------------- */

void flue_target_stopped(struct flue_target *t)
{
    t->stopped = true;
}

enum flue_err flue_target_restart(struct flue_target *t)
{
    enum flue_err err;

    if (t->params.ops.restart == NULL)
        return FLUE_EUNSUPP;
    err = t->params.ops.restart(t->params.ops.ctx); /* ends what is in flight */
    if (err != FLUE_OK)
        return err;
    t->recovery.phase = RECOVERY_IDLE;
    return flue_target_reconcile(t);
}

bool target_revive(struct flue_target *t)
{
    enum flue_err err;

    if (!t->stopped || t->params.ops.restart == NULL || t->restarts >= t->params.restarts)
        return false;
    if (t->finished.first != NULL)
        return true; /* what the stop ended comes first */
    err = flue_target_restart(t);
    if (err == FLUE_ESTATE)
        return true; /* from inside a handler: the next run does it */
    t->restarts++;
    if (t->params.observer.restarted != NULL)
        t->params.observer.restarted(t->params.observer.ctx, err, t->restarts);
    return err == FLUE_OK || t->restarts < t->params.restarts;
}
