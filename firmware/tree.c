/*
 * The tree of a command: header, window, walk, statuses.
 *
 * The buffer is seen through a window of 384 bytes: nodes, and states that happen to lie in it; other states are fetched one
 * by one.  What was read is acted on, whatever the host writes there meanwhile.  Statuses are written into the window and go
 * back in one piece, which also writes back the words between them as they were read.
 */
#include "fw.h"

#define HEADER_BYTES ((uint32_t)sizeof(struct flue_tree_header))
#define NODE_BYTES   ((uint32_t)sizeof(struct flue_tree_node))
#define OUT_AT       ((uint32_t)offsetof(struct flue_tree_node, handle)) /* handle, status, detail */
#define OUT_BYTES    (NODE_BYTES - OUT_AT)

/* By OFFLOAD_STATE_TYPE: layer, classes, words, version. */
static const struct {
    uint8_t layer, classes, words, ipv6;
} types[18] = {
    [1] = {NEIGHBOR, STATE_CONST, 2, 0}, [2] = {NEIGHBOR, STATE_CACHED, 3, 0}, [3] = {NEIGHBOR, STATE_DELEGATED, 1, 0},
    [4] = {NEIGHBOR, STATE_FULL, 6, 0},  [5] = {PATH, STATE_CONST, 8, 0},      [6] = {PATH, STATE_CACHED, 1, 0},
    [7] = {PATH, STATE_DELEGATED, 0, 0}, [8] = {PATH, STATE_FULL, 9, 0},       [9] = {PATH, STATE_CONST, 8, 1},
    [10] = {PATH, STATE_CACHED, 1, 1},   [11] = {PATH, STATE_DELEGATED, 0, 1}, [12] = {PATH, STATE_FULL, 9, 1},
    [13] = {TCP, STATE_CONST, 4, 0},     [14] = {TCP, STATE_CACHED, 9, 0},     [15] = {TCP, STATE_DELEGATED, 22, 0},
    [17] = {TCP, STATE_FULL, 35, 0},
};

/* Types with state in each operation, one bit each. */
static const uint32_t with_state[] = {
    [OPS_INITIATE] = 1u << 4 | 1u << 8 | 1u << 12 | 1u << 17,  [OPS_QUERY] = 0x2FFFE,
    [OPS_UPDATE] = 1u << 2 | 1u << 6 | 1u << 10 | 1u << 14,    [OPS_INVALIDATE] = 0,
    [OPS_TERMINATE] = 1u << 3 | 1u << 7 | 1u << 11 | 1u << 15,
};

/* ---- window ---- */

/* Write back what changed. */
static bool flush(void)
{
    uint32_t from = fw.dirty_from, to = fw.dirty_to;
    fw.dirty_from = UINT32_MAX;
    fw.dirty_to = 0;
    return from >= to || hw_dma_write(fw.region, fw.buffer + fw.window_at + from, (uint8_t *)fw.window + from, to - from);
}

/* Node `number`, the window moved if need be; null: the buffer could not be reached. */
static struct flue_tree_node *node_at(uint32_t number)
{
    uint32_t at = HEADER_BYTES + number * NODE_BYTES;
    if (at < fw.window_at || at + NODE_BYTES > fw.window_at + fw.window_bytes) {
        uint32_t bytes = fw.bytes - at;
        if (bytes > sizeof fw.window)
            bytes = sizeof fw.window;
        if (!flush() || !hw_dma_read(fw.region, fw.buffer + at, fw.window, bytes))
            return NULL;
        fw.window_at = at;
        fw.window_bytes = bytes;
    }
    return (void *)((uint8_t *)fw.window + (at - fw.window_at));
}

/* Answer of a node: into the window, or past it straight to the buffer. */
static bool answer(uint32_t number, uint32_t handle, uint32_t status, uint32_t detail)
{
    uint32_t at = HEADER_BYTES + number * NODE_BYTES + OUT_AT;
    uint32_t out[3] = {handle, status, detail};
    if (at < fw.window_at || at + OUT_BYTES > fw.window_at + fw.window_bytes)
        return hw_dma_write(fw.region, fw.buffer + at, out, OUT_BYTES);
    uint32_t from = at - fw.window_at;
    uint32_t *word = fw.window + from / 4;
    word[0] = handle;
    word[1] = status;
    word[2] = detail;
    if (from < fw.dirty_from)
        fw.dirty_from = from;
    if (from + OUT_BYTES > fw.dirty_to)
        fw.dirty_to = from + OUT_BYTES;
    return true;
}

/* The state of a node, in firmware memory; null: it could not be read. */
static const uint32_t *state_of(uint32_t offset, uint32_t bytes)
{
    if (offset >= fw.window_at && offset + bytes <= fw.window_at + fw.window_bytes)
        return fw.window + (offset - fw.window_at) / 4;
    return hw_dma_read(fw.region, fw.buffer + offset, fw.state, bytes) ? fw.state : NULL;
}

/* ---- header ---- */

static detail_t header(void)
{
    const struct flue_tree_header *h = (const void *)fw.window;
    fw.region = fw.sqe.word1;
    fw.buffer = fw.sqe.offset;
    fw.bytes = fw.sqe.length;
    fw.window_at = 0;
    fw.window_bytes = fw.bytes < sizeof fw.window ? fw.bytes : (uint32_t)sizeof fw.window;
    fw.dirty_from = UINT32_MAX;
    fw.dirty_to = 0;
    if (fw.bytes < HEADER_BYTES)
        return FLUE_AD_LENGTH;
    if (!hw_dma_read(fw.region, fw.buffer, fw.window, fw.window_bytes))
        return FLUE_AD_REGION;
    if (h->magic != FLUE_TREE_MAGIC || h->version != FLUE_TREE_VERSION || (h->zero[0] | h->zero[1] | h->zero[2] | h->zero[3]))
        return FLUE_AD_HEADER;
    if (h->bytes != fw.bytes)
        return FLUE_AD_LENGTH;
    fw.nodes = h->nodes;
    if (fw.nodes == 0 || fw.nodes > (fw.bytes - HEADER_BYTES) / NODE_BYTES)
        return FLUE_AD_NODES;
    fw.state_end = HEADER_BYTES + fw.nodes * NODE_BYTES;
    /* The magic goes back as it came: a buffer that cannot be written is found before anything is done. */
    return hw_dma_write(fw.region, fw.buffer, fw.window, 4) ? FLUE_AD_NONE : FLUE_AD_REGION;
}

/* ---- one node ---- */

/* Layer of a node from its type, and whether a state belongs to it. */
static detail_t check_state(unsigned op, const struct flue_tree_node *n, uint32_t kind, uint32_t type, bool *stateful)
{
    bool full = types[type].classes == STATE_FULL;
    uint32_t bytes = 4u * types[type].words;
    *stateful = !(kind == FLUE_NODE_REFERENCE && full && (op != OPS_QUERY || (n->length | n->offset) == 0));
    if (kind == FLUE_NODE_PLACEHOLDER)
        *stateful = false;
    uint32_t revision = FIELD(n->word0, FLUE_TREE_NODE_REVISION);
    if (*stateful ? revision != 1 && (bytes || revision) : revision != 0)
        return FLUE_AD_REVISION;
    if (!*stateful) {
        if (kind == FLUE_NODE_PLACEHOLDER || !(n->length | n->offset))
            return n->length ? FLUE_AD_LENGTH : n->offset ? FLUE_AD_OFFSET : FLUE_AD_NONE;
        return full && op == OPS_INITIATE ? FLUE_AD_LENGTH : FLUE_AD_TYPE; /* state where none is allowed */
    }
    if (n->length != bytes)
        return FLUE_AD_LENGTH;
    if (bytes == 0 && n->offset == 0)
        return FLUE_AD_NONE;
    if ((n->offset & 3) || n->offset < fw.state_end || n->offset > fw.bytes || bytes > fw.bytes - n->offset)
        return FLUE_AD_OFFSET;
    fw.state_end = n->offset + bytes;
    return FLUE_AD_NONE;
}

static detail_t check_layer(uint32_t depth, uint32_t layer, struct fw_level *out)
{
    uint32_t least = 1;
    uint8_t *siblings = &fw.roots;
    if (depth > 0) {
        struct fw_level *parent = &fw.level[depth - 1];
        siblings = &parent->kids;
        least = parent->least + 1u;
        if (least > TCP || (layer && (parent->layer ? layer != least : layer < least)))
            return FLUE_AD_DEPTH;
    }
    if (layer) {
        if (*siblings && *siblings != layer)
            return FLUE_AD_DEPTH;
        *siblings = (uint8_t)layer;
    }
    out->least = (uint8_t)(layer ? layer : least);
    return FLUE_AD_NONE;
}

static bool version_fits(uint32_t layer, uint32_t type, uint32_t word0)
{
    return layer != PATH || types[type].ipv6 == ((word0 & FLUE_ROW_HEAD_IPV6_MASK) != 0);
}

static detail_t take(const struct flue_tree_node *n, uint32_t type, const uint32_t *state, const struct fw_level *parent,
                     struct fw_level *me)
{
    bool load_only = fw.sqe.word0 & FLUE_SQE_LOAD_ONLY_MASK;
    if (types[type].layer == TCP)
        return parent && parent->layer ? connection_take(state, n->host_handle, parent, n->handle, load_only, me)
                                       : FLUE_AD_PARENT;
    if (n->handle)
        return FLUE_AD_HANDLE;
    if (types[type].layer == NEIGHBOR)
        return neighbor_take(state, n->host_handle, me);
    return parent && parent->layer ? path_take(state, types[type].ipv6, n->host_handle, parent, me) : FLUE_AD_PARENT;
}

static detail_t query(uint32_t layer, uint32_t row, unsigned classes, bool residue, uint32_t offset, uint32_t words)
{
    detail_t detail = layer == NEIGHBOR ? neighbor_query(row, classes, fw.state)
                      : layer == PATH   ? path_query(row, classes, fw.state)
                                        : connection_query(row, classes, residue, fw.state);
    if (!detail && object_errors() && (hw_row_get((enum flue_table)layer, row, W_STATE) & FLUE_ROW_HEAD_CORRUPT_MASK))
        detail = FLUE_AD_CORRUPT;
    if (!detail && words && !hw_dma_write(fw.region, fw.buffer + offset, fw.state, 4 * words))
        detail = FLUE_AD_REGION;
    return detail;
}

static detail_t update(uint32_t layer, uint32_t row, uint32_t offset, uint32_t words, const struct fw_level *parent)
{
    if (words == 0) /* no state: relink, if this is a path below a neighbor */
        return layer == PATH && parent && parent->layer == NEIGHBOR ? path_relink(row, parent) : FLUE_AD_NONE;
    const uint32_t *state = state_of(offset, 4 * words);
    if (!state)
        return FLUE_AD_REGION;
    return layer == NEIGHBOR ? neighbor_update(row, state)
           : layer == PATH   ? path_update(row, state)
                             : connection_update(row, state);
}

/* A connection leaves: its state goes to the host first; only when that worked is it freed. */
static detail_t leave(uint32_t row, uint32_t word0, uint32_t offset, uint32_t words)
{
    uint32_t at = row_state(word0);
    if (at != FLUE_ROW_LOADED && at != FLUE_ROW_RUNNING && !(word0 & FLUE_ROW_HEAD_CORRUPT_MASK))
        return FLUE_AD_BUSY;
    detail_t detail = word0 & FLUE_ROW_HEAD_CORRUPT_MASK ? FLUE_AD_CORRUPT : FLUE_AD_NONE;
    if (!detail && words) {
        detail = query(TCP, row, STATE_DELEGATED, true, offset, words);
        if (detail == FLUE_AD_REGION)
            return detail;
    }
    connection_gone(row);
    if (detail || !(fw.sqe.word0 & FLUE_SQE_KEEP_ENTRY_MASK))
        connection_free(row);
    else
        hw_row_put(FLUE_TBL_CONNECTION, row, W_STATE, (word0 & ~FLUE_ROW_HEAD_STATE_MASK) | FLUE_ROW_FROZEN);
    return detail;
}

/* What the operation does with a node whose place in the tree is right. */
static detail_t act(unsigned op, const struct flue_tree_node *n, uint32_t type, bool stateful, const struct fw_level *parent,
                    struct fw_level *me)
{
    uint32_t layer = types[type].layer, row, word0;
    uint32_t words = stateful ? types[type].words : 0;
    if (me->kind == FLUE_NODE_NEW) {
        const uint32_t *state = state_of(n->offset, 4 * words);
        detail_t detail = state ? take(n, type, state, parent, me) : FLUE_AD_REGION;
        if (!detail)
            me->handle = object_handle(layer, me->row, me->word0);
        return detail;
    }
    detail_t detail = object_find(n->handle, layer, op == OPS_TERMINATE, &row, &word0);
    if (detail)
        return detail;
    if (!version_fits(layer, type, word0) && !(word0 & FLUE_ROW_HEAD_CORRUPT_MASK))
        return FLUE_AD_WRONG_KIND;
    me->row = row;
    me->word0 = word0;
    switch (op) {
    case OPS_QUERY:
        return stateful ? query(layer, row, types[type].classes, false, n->offset, words) : FLUE_AD_NONE;
    case OPS_UPDATE:
        return update(layer, row, n->offset, words, parent);
    case OPS_INVALIDATE:
        hw_row_put((enum flue_table)layer, row, W_STATE, word0 | FLUE_ROW_HEAD_INVALID_MASK);
        return FLUE_AD_NONE;
    case OPS_TERMINATE:
        if (layer == TCP)
            return leave(row, word0, n->offset, words);
        detail = words && !(word0 & FLUE_ROW_HEAD_CORRUPT_MASK) ? query(layer, row, STATE_DELEGATED, true, n->offset, words)
                                                                : FLUE_AD_NONE;
        return detail == FLUE_AD_CORRUPT ? FLUE_AD_NONE : detail; /* told when it closes */
    default:
        return FLUE_AD_NONE; /* linker */
    }
}

/* Everything about one node, up to what its children decide. */
static void visit(unsigned op, const struct flue_tree_node *n, uint32_t depth, struct fw_level *me)
{
    const struct fw_level *parent = depth > 0 ? &fw.level[depth - 1] : NULL;
    uint32_t kind = FIELD(n->word0, FLUE_TREE_NODE_KIND), type = FIELD(n->word0, FLUE_TREE_NODE_STATE_TYPE), layer;
    bool placeholder = kind == FLUE_NODE_PLACEHOLDER, stateful;
    detail_t detail = FLUE_AD_NONE;
    me->kind = (uint8_t)kind;
    me->handle = kind == FLUE_NODE_REFERENCE ? n->handle : 0;
    if (placeholder)
        me->handle = n->handle;
    if ((n->word0 & FLUE_TREE_NODE_WORD0_ZERO) || kind == 0 || (kind == FLUE_NODE_NEW && op != OPS_INITIATE)) {
        detail = FLUE_AD_KIND;
    } else if (parent && parent->closed && !placeholder) {
        detail = FLUE_AD_PARENT;
    } else {
        if (placeholder)
            type = 0;
        layer = type < 18 ? types[type].layer : 0;
        if (!placeholder &&
            (layer == 0 ||
             (kind == FLUE_NODE_REFERENCE && types[type].classes != STATE_FULL && !(with_state[op] >> type & 1)) ||
             (kind == FLUE_NODE_NEW && types[type].classes != STATE_FULL) ||
             (kind == FLUE_NODE_REFERENCE && op == OPS_INITIATE && (layer == TCP || types[type].classes != STATE_FULL))))
            detail = FLUE_AD_TYPE;
        if (!detail)
            detail = check_layer(depth, layer, me);
        if (!detail)
            detail = check_state(op, n, kind, type, &stateful);
        me->layer = (uint8_t)layer;
        me->closed = placeholder && parent && parent->closed;
        if (!detail && !placeholder)
            detail = act(op, n, type, stateful, parent, me);
    }
    if (detail) {
        me->closed = true;
        me->detail = (uint8_t)detail;
        me->status = (uint32_t)(detail == FLUE_AD_LIMIT && op == OPS_INITIATE ? (NDIS_STATUS)fw.refusal : NDIS_STATUS_FAILURE);
        if (kind == FLUE_NODE_NEW)
            me->handle = 0;
    }
}

/* A node whose subtree is done gets its status (chimney.md 2.1.1, 3.1), and in a terminate it is freed. */
static bool close_level(unsigned op, uint32_t depth)
{
    struct fw_level *me = &fw.level[depth];
    if (!me->detail && op == OPS_TERMINATE && (me->layer == NEIGHBOR || me->layer == PATH)) {
        enum flue_table table = (enum flue_table)me->layer;
        uint32_t link = object_link(me->layer, me->row);
        bool corrupt = hw_row_get(table, me->row, W_STATE) & FLUE_ROW_HEAD_CORRUPT_MASK;
        if (link >> FLUE_ROW_HEAD_REFS_SHIFT) {
            me->detail = FLUE_AD_BUSY;
        } else {
            if (me->layer == PATH)
                path_free(me->row);
            else
                neighbor_free(me->row);
            if (corrupt)
                me->detail = FLUE_AD_CORRUPT;
        }
        me->status = (uint32_t)(me->detail ? NDIS_STATUS_FAILURE : NDIS_STATUS_SUCCESS);
    } else if (!me->detail) {
        me->status = NDIS_STATUS_SUCCESS;
        if (op == OPS_INITIATE && me->layer && me->lack) {
            if (me->some || me->kind == FLUE_NODE_NEW)
                me->status = (uint32_t)NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS;
            else
                me->status = (uint32_t)NDIS_STATUS_FAILURE;
        }
    }
    if (depth > 0) {
        if (me->status == (uint32_t)NDIS_STATUS_SUCCESS || me->status == (uint32_t)NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS)
            fw.level[depth - 1].some = true;
        else
            fw.level[depth - 1].lack = true;
    }
    return answer(me->node, me->handle, me->status, me->detail);
}

/* Walk the tree of the command; fw.result counts its nodes.  REGION midway: the buffer went away, what was done stays. */
detail_t tree_walk(unsigned op)
{
    uint32_t open = 0; /* levels with a node whose subtree is not done */
    bool ended = false, reached = true;
    detail_t detail = header();
    if (detail)
        return detail;
    fw.roots = 0;
    for (uint32_t number = 0; number < fw.nodes && reached; number++) {
        const struct flue_tree_node *n = node_at(number);
        if (!n) {
            reached = false;
            break;
        }
        uint32_t depth = FIELD(n->word0, FLUE_TREE_NODE_DEPTH);
        ended = ended || depth > open || depth > 2;
        while (open > (ended ? 0 : depth))
            reached = close_level(op, --open) && reached;
        if (ended) {
            uint32_t given = FIELD(n->word0, FLUE_TREE_NODE_KIND) == FLUE_NODE_NEW ? 0 : n->handle;
            reached = answer(number, given, (uint32_t)NDIS_STATUS_FAILURE, FLUE_AD_DEPTH) && reached;
        } else {
            struct fw_level *me = &fw.level[depth];
            *me = (struct fw_level){.node = number};
            visit(op, n, depth, me);
            open = depth + 1;
        }
        fw.result = number + 1;
    }
    while (open > 0)
        reached = close_level(op, --open) && reached;
    return flush() && reached ? FLUE_AD_NONE : FLUE_AD_REGION;
}
