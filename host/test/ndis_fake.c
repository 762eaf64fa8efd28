/* A device below the offload target. */
#include "ndis_fake.h"

#include <stdlib.h>
#include <string.h>
#include "slots.h"
#include "tree_internal.h"

struct walk {
    struct fake *f;
    uint8_t *buffer;
    uint32_t nodes, opcode;
    struct {
        uint32_t node, handle, layer, kind, children, taken;
        bool out; /* not taken */
    } at[3];
    int depth;
};

struct fake *fake_new(uint32_t neighbors, uint32_t paths, uint32_t connections)
{
    struct fake *f = calloc(1, sizeof *f);

    f->room = FAKE_COMMANDS;
    f->limit[1] = neighbors;
    f->limit[2] = paths;
    f->limit[3] = connections;
    for (unsigned i = 1; i < 4; i++) {
        f->rows[i] = calloc(f->limit[i], sizeof *f->rows[i]);
        for (uint32_t r = 0; r < f->limit[i]; r++)
            f->rows[i][r].generation = 1;
    }
    return f;
}

void fake_free(struct fake *f)
{
    for (unsigned i = 0; i < 16; i++)
        free(f->region[i]);
    for (unsigned i = 1; i < 4; i++)
        free(f->rows[i]);
    free(f);
}

static enum flue_err fake_alloc(void *ctx, size_t len_bytes, struct flue_mem *mem)
{
    struct fake *f = ctx;

    if (f->refuse_memory)
        return FLUE_ENOMEM;
    for (uint8_t i = 0; i < 16; i++)
        if (f->region[i] == NULL) {
            f->region[i] = calloc(1, len_bytes);
            f->region_bytes[i] = len_bytes;
            *mem = (struct flue_mem){.addr = f->region[i], .len_bytes = len_bytes, .region = i};
            return FLUE_OK;
        }
    return FLUE_ENOMEM;
}

static void fake_release(void *ctx, struct flue_mem *mem)
{
    struct fake *f = ctx;

    free(f->region[mem->region]);
    f->region[mem->region] = NULL;
    mem->addr = NULL;
}

static enum flue_err fake_submit(void *ctx, const struct flue_sqe *sqe, void *cookie)
{
    struct fake *f = ctx;

    if (f->queued >= f->room)
        return FLUE_EAGAIN;
    f->queue[f->queued].sqe = *sqe;
    f->queue[f->queued++].cookie = cookie;
    return FLUE_OK;
}

void fake_ops(struct fake *f, struct flue_target_ops *ops)
{
    *ops = (struct flue_target_ops){.ctx = f, .mem_alloc = fake_alloc, .mem_free = fake_release, .submit = fake_submit};
}

uint32_t fake_used(const struct fake *f, unsigned layer)
{
    uint32_t used = 0;

    for (uint32_t r = 0; r < f->limit[layer]; r++)
        used += f->rows[layer][r].used;
    return used;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static uint32_t handle_of(const struct fake *f, unsigned layer, uint32_t index)
{
    return FLUE_PUT(HANDLE_KIND, layer) | FLUE_PUT(HANDLE_INDEX, index) |
           FLUE_PUT(HANDLE_GENERATION, f->rows[layer][index].generation);
}

static struct fake_row *row_of(struct fake *f, uint32_t handle)
{
    unsigned layer = FLUE_GET(HANDLE_KIND, handle);
    uint32_t index = FLUE_GET(HANDLE_INDEX, handle);

    if (layer == 0 || index >= f->limit[layer] || !f->rows[layer][index].used || handle_of(f, layer, index) != handle)
        return NULL;
    return &f->rows[layer][index];
}

static NDIS_STATUS refused(const struct fake *f, unsigned layer, const uint8_t *state)
{
    uint32_t word;

    memcpy(&word, state + (layer == 3 ? offsetof(struct flue_wire_tcp_const, ports) : 0), 4);
    if (layer == 3 && f->refuse_ports != 0 && word == f->refuse_ports)
        return f->refuse_status;
    if (layer == 2 && f->refuse_source != 0 && word == f->refuse_source)
        return NDIS_STATUS_FAILURE;
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS take_new(struct walk *w, unsigned layer, unsigned type, uint32_t parent, struct flue_tree_node *node)
{
    static const NDIS_STATUS full[] = {0, NDIS_STATUS_OFFLOAD_NEIGHBOR_ENTRIES, NDIS_STATUS_OFFLOAD_PATH_ENTRIES,
                                       NDIS_STATUS_OFFLOAD_TCP_ENTRIES};
    const uint8_t *state = w->buffer + node->offset;
    NDIS_STATUS status = refused(w->f, layer, state);

    if (status != NDIS_STATUS_SUCCESS)
        return status;
    for (uint32_t r = 0; r < w->f->limit[layer]; r++) {
        struct fake_row *row = &w->f->rows[layer][r];
        if (row->used)
            continue;
        row->used = true;
        row->corrupt = false;
        row->refs = 0;
        row->parent = parent;
        row->type = type;
        memcpy(row->host_handle, node->host_handle, 8);
        memcpy(row->state, state, node->length);
        if (parent != 0)
            row_of(w->f, parent)->refs++;
        node->handle = handle_of(w->f, layer, r);
        return NDIS_STATUS_SUCCESS;
    }
    return full[layer];
}

/* Copy between a row and the buffer: what the type covers. */
static void copy_state(unsigned layer, unsigned type, struct fake_row *row, uint8_t *buffer, bool to_row)
{
    unsigned classes = flue_tree_classes(type);
    uint32_t at = 0, bytes;

    for (unsigned c = 1; c <= 4; c <<= 1) {
        bytes = state_wire_bytes(layer, c);
        if ((classes & c) != 0) {
            if (to_row)
                memcpy(row->state + at, buffer, bytes);
            else
                memcpy(buffer, row->state + at, bytes);
            buffer += bytes;
        }
        at += bytes;
    }
}

/* ---- trees ------------------------------------------------------------------------------------------------------- */

static struct flue_tree_node get_node(const struct walk *w, uint32_t n)
{
    struct flue_tree_node node;
    memcpy(&node, w->buffer + sizeof(struct flue_tree_header) + n * sizeof node, sizeof node);
    return node;
}

static void put_node(struct walk *w, uint32_t n, const struct flue_tree_node *node)
{
    memcpy(w->buffer + sizeof(struct flue_tree_header) + n * sizeof *node, node, sizeof *node);
}

static void answer(struct flue_tree_node *node, NDIS_STATUS status, enum flue_admin_detail detail)
{
    node->status = (uint32_t)status;
    node->word7 = detail;
}

/* One dependent less; a corrupt object may be gone before its dependents. */
static void leave_parent(struct fake *f, const struct fake_row *row)
{
    struct fake_row *parent = row_of(f, row->parent);

    if (parent != NULL && parent->refs > 0)
        parent->refs--;
}

static void free_row(struct fake *f, struct fake_row *row)
{
    leave_parent(f, row);
    row->used = false;
    row->generation = row->generation % 16383 + 1;
}

/* A subtree ended: the status of its root, and what a terminate frees there. */
static void close_node(struct walk *w)
{
    struct flue_tree_node node = get_node(w, w->at[w->depth].node);
    uint32_t children = w->at[w->depth].children, taken = w->at[w->depth].taken;
    bool out = w->at[w->depth].out;

    if (w->opcode == FLUE_OP_TERMINATE && !out && w->at[w->depth].kind == FLUE_NODE_REFERENCE) {
        struct fake_row *row = row_of(w->f, node.handle);
        if (row->refs > 0)
            answer(&node, NDIS_STATUS_FAILURE, FLUE_AD_BUSY);
        else
            free_row(w->f, row);
    }
    if (w->opcode == FLUE_OP_INITIATE && !out && w->at[w->depth].kind != FLUE_NODE_PLACEHOLDER && taken < children)
        answer(&node,
               taken == 0 && w->at[w->depth].kind == FLUE_NODE_REFERENCE ? NDIS_STATUS_FAILURE
                                                                         : NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS,
               FLUE_AD_NONE);
    put_node(w, w->at[w->depth].node, &node);
    if (--w->depth >= 0) {
        w->at[w->depth].children++;
        w->at[w->depth].taken += node.status == 0 || node.status == (uint32_t)NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS;
    }
}

static void reference(struct walk *w, struct flue_tree_node *node, unsigned type)
{
    struct fake_row *row = row_of(w->f, node->handle);
    unsigned layer = flue_tree_layer(type);

    answer(node, NDIS_STATUS_SUCCESS, FLUE_AD_NONE);
    if (row == NULL) {
        answer(node, NDIS_STATUS_FAILURE, FLUE_AD_STALE);
    } else if (layer == 3 && w->opcode == FLUE_OP_INITIATE) {
        answer(node, NDIS_STATUS_FAILURE, FLUE_AD_TYPE); /* it is no linker */
    } else if (layer == 2 && flue_tree_is_ipv6(type) != flue_tree_is_ipv6(row->type) && !row->corrupt) {
        answer(node, NDIS_STATUS_FAILURE, FLUE_AD_WRONG_KIND);
    } else if (row->corrupt) {
        answer(node, NDIS_STATUS_FAILURE, FLUE_AD_CORRUPT);
        if (w->opcode == FLUE_OP_TERMINATE)
            free_row(w->f, row);
    } else if (node->length != 0) {
        copy_state(layer, type, row, w->buffer + node->offset, w->opcode == FLUE_OP_UPDATE);
    } else if (w->opcode == FLUE_OP_UPDATE && layer == 2 && w->depth > 0 && w->at[w->depth - 1].kind == FLUE_NODE_REFERENCE) {
        leave_parent(w->f, row);
        row->parent = w->at[w->depth - 1].handle;
        row_of(w->f, row->parent)->refs++;
    }
}

static void open_node(struct walk *w, uint32_t n)
{
    struct flue_tree_node node = get_node(w, n);
    unsigned kind = FLUE_GET(TREE_NODE_KIND, node.word0), type = FLUE_GET(TREE_NODE_STATE_TYPE, node.word0);
    int depth = (int)FLUE_GET(TREE_NODE_DEPTH, node.word0);
    bool parent_out;

    while (w->depth >= depth)
        close_node(w);
    w->depth = depth;
    parent_out = depth > 0 && w->at[depth - 1].out;
    w->at[depth].node = n;
    w->at[depth].kind = kind;
    w->at[depth].layer = flue_tree_layer(type);
    w->at[depth].children = w->at[depth].taken = 0;
    w->at[depth].out = parent_out;
    if (kind == FLUE_NODE_PLACEHOLDER) {
        answer(&node, NDIS_STATUS_SUCCESS, FLUE_AD_NONE);
    } else if (parent_out) {
        answer(&node, NDIS_STATUS_FAILURE, FLUE_AD_PARENT);
    } else if (kind == FLUE_NODE_NEW) {
        uint32_t parent = depth > 0 ? w->at[depth - 1].handle : 0;
        if (w->at[depth].layer > 1 && parent == 0)
            answer(&node, NDIS_STATUS_FAILURE, FLUE_AD_PARENT);
        else
            answer(&node, take_new(w, w->at[depth].layer, type, parent, &node), FLUE_AD_NONE);
    } else {
        reference(w, &node, type);
    }
    if (kind != FLUE_NODE_PLACEHOLDER && node.status != 0)
        w->at[depth].out = true;
    w->at[depth].handle = kind == FLUE_NODE_PLACEHOLDER ? 0 : node.handle;
    put_node(w, n, &node);
}

static void run_tree(struct fake *f, const struct flue_sqe *sqe, uint8_t *buffer, struct flue_admin_done *done)
{
    struct walk w = {.f = f, .buffer = buffer, .opcode = FLUE_GET(SQE_OPCODE, sqe->word0), .depth = -1};
    struct flue_tree_header header;

    memcpy(&header, buffer, sizeof header);
    if (header.magic != FLUE_TREE_MAGIC || header.version != FLUE_TREE_VERSION || header.bytes != sqe->length) {
        done->status = (uint32_t)NDIS_STATUS_FAILURE;
        done->detail = FLUE_AD_HEADER;
        return;
    }
    w.nodes = header.nodes;
    for (uint32_t n = 0; n < w.nodes; n++)
        open_node(&w, n);
    while (w.depth >= 0)
        close_node(&w);
    done->result = w.nodes;
}

static void run_list(struct fake *f, const struct flue_sqe *sqe, uint8_t *buffer, struct flue_admin_done *done)
{
    unsigned layer = FLUE_GET(HANDLE_KIND, sqe->arg[0]);
    uint32_t index = FLUE_GET(HANDLE_INDEX, sqe->arg[0]), room = sqe->length / (uint32_t)sizeof(struct flue_list_entry), n = 0;

    for (; layer < 4; layer++, index = 0)
        for (; index < f->limit[layer] && n < room; index++) {
            const struct fake_row *row = &f->rows[layer][index];
            struct flue_list_entry entry = {.handle = handle_of(f, layer, index), .parent = row->parent, .refs = row->refs};
            if (!row->used)
                continue;
            entry.row_state = FLUE_PUT(ROW_HEAD_STATE, layer == 3 ? FLUE_ROW_RUNNING : FLUE_ROW_LIVE) |
                              FLUE_PUT(ROW_HEAD_IPV6, layer == 2 && flue_tree_is_ipv6(row->type));
            memcpy(entry.host_handle, row->host_handle, 8);
            memcpy(buffer + n++ * sizeof entry, &entry, sizeof entry);
        }
    done->result = n;
}

/* Take and execute the oldest command; its answer is given elsewhere. */
static struct flue_admin_done execute(struct fake *f)
{
    struct flue_admin_done done = {0};
    struct flue_sqe sqe;
    uint8_t *buffer;

    sqe = f->queue[0].sqe;
    done.cookie = f->queue[0].cookie;
    memmove(f->queue, f->queue + 1, --f->queued * sizeof f->queue[0]);
    buffer = (uint8_t *)f->region[FLUE_GET(SQE_REGION, sqe.word1)] + sqe.offset;
    f->commands++;
    if (FLUE_GET(SQE_OPCODE, sqe.word0) == FLUE_OP_LIST)
        run_list(f, &sqe, buffer, &done);
    else
        run_tree(f, &sqe, buffer, &done);
    if (f->lie != NULL)
        f->lie(f, &sqe, buffer, &done);
    return done;
}

bool fake_step(struct fake *f)
{
    struct flue_admin_done done;

    if (f->queued == 0)
        return false;
    done = execute(f);
    flue_target_done(f->target, &done);
    return true;
}

void fake_step_backwards(struct fake *f)
{
    struct flue_admin_done done[FAKE_COMMANDS];
    unsigned count = f->queued;

    for (unsigned i = 0; i < count; i++)
        done[i] = execute(f);
    while (count > 0)
        flue_target_done(f->target, &done[--count]);
}

void fake_abort(struct fake *f)
{
    while (f->queued > 0) {
        struct flue_admin_done done = {.status = (uint32_t)NDIS_STATUS_REQUEST_ABORTED, .cookie = f->queue[0].cookie};
        memmove(f->queue, f->queue + 1, --f->queued * sizeof f->queue[0]);
        flue_target_done(f->target, &done);
    }
}
