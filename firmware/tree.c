/*
 * The tree of a command: header, window, walk, statuses.
 *
 * The buffer is seen through a window of 384 bytes: nodes, and states that happen to lie in it; other states are fetched one
 * by one.  What was read is acted on, whatever the host writes there meanwhile.  Statuses are written into the window and go
 * back in one piece, which also writes back the words between them as they were read.
 */
#include "object.h"

#define HEADER_BYTES ((uint32_t)sizeof(struct flue_tree_header))
#define NODE_BYTES   ((uint32_t)sizeof(struct flue_tree_node))

/* By OFFLOAD_STATE_TYPE, eight bytes each. */
struct type {
    uint8_t allowed; /* operations (OPS_*) that may refer to an object with this type; MAY_NEW */
    uint8_t layer, bytes, classes;
    uint8_t version, ipv6; /* `version` of word 0 of the row must be this */
    uint8_t bit, below;    /* of its layer, of the one below */
};
enum { MAY_NEW = 32, MAY_NAME = OPS_INITIATE | OPS_QUERY | OPS_UPDATE | OPS_INVALIDATE | OPS_TERMINATE };
static const struct type types[18] = {
#define V4 FLUE_ROW_HEAD_IPV6_MASK, 0
#define V6 FLUE_ROW_HEAD_IPV6_MASK, FLUE_ROW_HEAD_IPV6_MASK
#define TYPE(allowed, layer, words, classes, version)                                                                          \
    {                                                                                                                          \
        allowed, layer, 4 * (words), classes, version, 1u << (layer), 2u << (layer)                                            \
    }
#define ANY 0, 0
    [1] = TYPE(OPS_QUERY, NEIGHBOR, 2, STATE_CONST, ANY),
    [2] = TYPE(OPS_QUERY | OPS_UPDATE, NEIGHBOR, 3, STATE_CACHED, ANY),
    [3] = TYPE(OPS_QUERY | OPS_TERMINATE, NEIGHBOR, 1, STATE_DELEGATED, ANY),
    [4] = TYPE(MAY_NEW | MAY_NAME, NEIGHBOR, 6, STATE_FULL, ANY),
    [5] = TYPE(OPS_QUERY, PATH, 8, STATE_CONST, V4),
    [6] = TYPE(OPS_QUERY | OPS_UPDATE, PATH, 1, STATE_CACHED, V4),
    [7] = TYPE(OPS_QUERY | OPS_TERMINATE, PATH, 0, STATE_DELEGATED, V4),
    [8] = TYPE(MAY_NEW | MAY_NAME, PATH, 9, STATE_FULL, V4),
    [9] = TYPE(OPS_QUERY, PATH, 8, STATE_CONST, V6),
    [10] = TYPE(OPS_QUERY | OPS_UPDATE, PATH, 1, STATE_CACHED, V6),
    [11] = TYPE(OPS_QUERY | OPS_TERMINATE, PATH, 0, STATE_DELEGATED, V6),
    [12] = TYPE(MAY_NEW | MAY_NAME, PATH, 9, STATE_FULL, V6),
    [13] = TYPE(OPS_QUERY, TCP, 4, STATE_CONST, ANY),
    [14] = TYPE(OPS_QUERY | OPS_UPDATE, TCP, 9, STATE_CACHED, ANY),
    [15] = TYPE(OPS_QUERY | OPS_TERMINATE, TCP, 22, STATE_DELEGATED, ANY),
    [17] = TYPE(MAY_NEW | (MAY_NAME & ~OPS_INITIATE), TCP, 35, STATE_FULL, ANY),
#undef TYPE
#undef V4
#undef V6
#undef ANY
};

/* Words of a node. */
enum {
    N_WORD0 = offsetof(struct flue_tree_node, word0) / 4,
    N_OFFSET = offsetof(struct flue_tree_node, offset) / 4,
    N_LENGTH = offsetof(struct flue_tree_node, length) / 4,
    N_HOST = offsetof(struct flue_tree_node, host_handle) / 4,
    N_OUT = offsetof(struct flue_tree_node, handle) / 4, /* handle, status, detail */
    N_WORDS = sizeof(struct flue_tree_node) / 4,
    OUT_WORDS = N_WORDS - N_OUT,
};
#define LAYERS        (1u << NEIGHBOR | 1u << PATH | 1u << TCP)
#define ROOM(layers)  ((layers) | (layers) << 8) /* of a placeholder: for children, and for a child that is one */
#define NODES_AT_ONCE ((WINDOW_WORDS * 4 - HEADER_BYTES) / NODE_BYTES) /* in the first window */
#define TYPES         (sizeof types / sizeof types[0])

/* ---- window ---- */

/* Where in the buffer a word of the window is, the number of a node, and the end of the last node in the window. */
INLINE uint32_t place_of(const uint32_t *word)
{
    return fw.window_at + (uint32_t)((const char *)word - (const char *)fw.window);
}

INLINE uint32_t number_of(const uint32_t *node)
{
    return (place_of(node) - HEADER_BYTES) / NODE_BYTES;
}

static COLD const uint32_t *window_limit(void)
{
    const uint32_t *first = fw.window + (fw.window_at ? 0 : HEADER_BYTES / 4);
    uint32_t left = fw.nodes - number_of(first), fit = (fw.window_bytes / 4 - (uint32_t)(first - fw.window)) / N_WORDS;
    return first + (left < fit ? left : fit) * N_WORDS;
}

/* Begin to write back the answers up to `end`, the end of the last node seen of the window: there is at least one. */
INLINE void flush(const uint32_t *end)
{
    const uint32_t *from = fw.window + HEADER_BYTES / 4 + N_OUT;
    uint32_t at = HEADER_BYTES + 4 * N_OUT;
    if (RARE(fw.window_at)) {
        from = fw.window + N_OUT;
        at = place_of(from);
    }
    hw_dma_begin_write(fw.sqe.word1, fw.sqe.offset + at, from, (uint32_t)((const char *)end - (const char *)from));
}

/* The window goes on to the node that would be at `end`, the end of the nodes seen in it; `me` is the innermost open level. */
static COLD bool move(const uint32_t *end, const struct fw_level *me)
{
    uint32_t at = place_of(end), bytes = fw.sqe.length - at;
    flush(end);
    if (!hw_dma_end())
        return false;
    for (struct fw_level *level = fw.level + 1; level <= me; level++)
        if (level->out) {
            struct fw_away *away = &fw.away[level - fw.level];
            away->at = place_of(level->out);
            for (unsigned i = 0; i < OUT_WORDS; i++)
                away->word[i] = level->out[i];
            level->out = NULL;
        }
    if (bytes > sizeof fw.window)
        bytes = sizeof fw.window;
    if (!hw_dma_read(fw.sqe.word1, fw.sqe.offset + at, fw.window, bytes))
        return false;
    fw.window_at = at;
    fw.window_bytes = bytes;
    return true;
}

/* Answer of a node the window left behind. */
static COLD bool answer_away(struct fw_level *me, uint32_t status, uint32_t detail)
{
    struct fw_away *away = &fw.away[me - fw.level];
    if (!(me->flags & LEVEL_FAILED)) {
        away->word[1] = status;
        away->word[2] = detail;
    }
    return hw_dma_write(fw.sqe.word1, fw.sqe.offset + away->at, away->word, sizeof away->word);
}

/* The state of a node, in firmware memory; null: it could not be read. */
INLINE const uint32_t *state_of(uint32_t offset, uint32_t bytes)
{
    uint32_t at = offset - fw.window_at; /* wraps for what lies before it */
    if (at <= fw.window_bytes && bytes <= fw.window_bytes - at)
        return (const uint32_t *)(const void *)((const char *)fw.window + at);
    return hw_dma_read(fw.sqe.word1, fw.sqe.offset + offset, fw.state, bytes) ? fw.state : NULL;
}

/* ---- header ---- */

bool tree_fetch(void)
{
    uint32_t bytes = fw.sqe.length;
    if (bytes > sizeof fw.window)
        bytes = sizeof fw.window;
    fw.window_bytes = bytes;
    if (RARE(bytes < HEADER_BYTES) || RARE((fw.sqe.offset | bytes) & 3))
        return false;
    hw_dma_begin_read(fw.sqe.word1, fw.sqe.offset, fw.window, bytes);
    return true;
}

INLINE detail_t header(void)
{
    const struct flue_tree_header *h = (const void *)fw.window;
    if (RARE(h->magic != FLUE_TREE_MAGIC) || RARE(h->version != FLUE_TREE_VERSION) ||
        RARE(h->zero[0] | h->zero[1] | h->zero[2] | h->zero[3]))
        return FLUE_AD_HEADER;
    uint32_t bytes = fw.sqe.length, nodes = h->nodes;
    if (RARE(h->bytes != bytes))
        return FLUE_AD_LENGTH;
    if (RARE(nodes - 1 >= (bytes - HEADER_BYTES) / NODE_BYTES))
        return FLUE_AD_NODES;
    /* The magic goes back as it came: a buffer that cannot be written is found before anything is done. */
    hw_dma_begin_write(fw.sqe.word1, fw.sqe.offset, fw.window, 4);
    fw.nodes = nodes;
    fw.state_end = HEADER_BYTES + nodes * NODE_BYTES;
    fw.window_at = 0;
    fw.level[0].kids = ROOM(LAYERS); /* the rest of it is 0 and stays so */
    return hw_dma_end() ? FLUE_AD_NONE : FLUE_AD_REGION;
}

/* ---- one node ---- */

/* A node that failed before its layer was known: below it all layers have room, for placeholders. */
static COLD detail_t early(struct fw_level *me, detail_t detail)
{
    me->layer = 0;
    me->kids = ROOM(LAYERS);
    return detail;
}

/* A node that has no object of its own; below a closed one it closes what is below it. */
static __attribute__((noinline)) detail_t place_holder(const uint32_t *n, const struct fw_level *parent, struct fw_level *me)
{
    uint32_t room = parent->layer ? parent->kids : parent->kids >> 8, least = room & (0 - room);
    if (RARE(!(room & LAYERS)))
        return refused(early(me, FLUE_AD_DEPTH));
    me->layer = 0;
    me->kids = ROOM((0 - (least << 1)) & LAYERS);
    me->flags |= parent->flags & LEVEL_CLOSED;
    if (RARE(byte_of(&n[N_WORD0], 3)))
        return FLUE_AD_REVISION;
    return RARE(n[N_LENGTH] | n[N_OFFSET]) ? n[N_LENGTH] ? FLUE_AD_LENGTH : FLUE_AD_OFFSET : FLUE_AD_NONE;
}

/* The layer must be one the parent has room for, and that of the siblings. */
INLINE bool place(const struct type *t, struct fw_level *parent, struct fw_level *me)
{
    uint32_t bit = t->bit, below = t->below, kids = parent->kids;
    if (kids != bit) {
        if (RARE(!(kids & bit)))
            return false;
        parent->kids = (kids & ~LAYERS) | bit;
    }
    me->layer = t->layer;
    me->kids = below;
    return true;
}

/* State where there is some: its length and place. */
INLINE detail_t check_state(const uint32_t *n, uint32_t bytes)
{
    uint32_t revision = byte_of(&n[N_WORD0], 3), offset = n[N_OFFSET], end = offset + bytes;
    if (RARE(revision != 1) && (bytes || revision))
        return FLUE_AD_REVISION;
    if (RARE(n[N_LENGTH] != bytes))
        return FLUE_AD_LENGTH;
    if (RARE(bytes == 0) && offset == 0)
        return FLUE_AD_NONE;
    if (RARE(offset & 3) || RARE(offset < fw.state_end) || RARE(end < offset) || RARE(end > fw.sqe.length))
        return FLUE_AD_OFFSET;
    fw.state_end = end;
    return FLUE_AD_NONE;
}

/* Neighbors and paths. */
static __attribute__((noinline)) detail_t take(const uint32_t *n, const struct type *t, const uint32_t *state,
                                               const struct fw_level *parent, struct fw_level *me)
{
    if (n[N_OUT])
        return FLUE_AD_HANDLE;
    if (t->layer == NEIGHBOR)
        return neighbor_take(state, &n[N_HOST], me);
    return parent->layer ? path_take(state, t->ipv6, &n[N_HOST], parent, me) : FLUE_AD_PARENT;
}

static __attribute__((noinline)) detail_t query(uint32_t layer, uint32_t row, unsigned classes, uint32_t offset, uint32_t bytes)
{
    detail_t detail = layer == NEIGHBOR ? neighbor_query(row, classes, fw.state)
                      : layer == PATH   ? path_query(row, classes, fw.state)
                                        : connection_query(row, classes, fw.state);
    if (!detail && object_errors() && (hw_row_get((enum flue_table)layer, row, W_STATE) & FLUE_ROW_HEAD_CORRUPT_MASK))
        detail = FLUE_AD_CORRUPT;
    if (!detail && bytes && !hw_dma_write(fw.sqe.word1, fw.sqe.offset + offset, fw.state, bytes))
        detail = FLUE_AD_REGION;
    return detail;
}

static __attribute__((noinline)) detail_t update(uint32_t layer, uint32_t row, uint32_t offset, uint32_t bytes,
                                                 const struct fw_level *parent)
{
    if (bytes == 0) /* no state: relink, if this is a path below a neighbor */
        return layer == PATH && parent->layer == NEIGHBOR ? path_relink(row, parent) : FLUE_AD_NONE;
    const uint32_t *state = state_of(offset, bytes);
    if (!state)
        return FLUE_AD_REGION;
    return layer == NEIGHBOR ? neighbor_update(row, state)
           : layer == PATH   ? path_update(row, state)
                             : connection_update(row, state);
}

/* A new object. */
INLINE detail_t visit_new(uint32_t *n, struct fw_level *parent, struct fw_level *me)
{
    uint32_t type = byte_of(&n[N_WORD0], 2);
    if (RARE(type >= TYPES) || RARE(!(types[type].allowed & MAY_NEW)))
        return refused(early(me, FLUE_AD_TYPE));
    const struct type *t = &types[type];
    if (RARE(!place(t, parent, me)))
        return refused(early(me, FLUE_AD_DEPTH));
    detail_t detail = check_state(n, t->bytes);
    if (RARE(detail))
        return detail;
    const uint32_t *state = state_of(n[N_OFFSET], t->bytes);
    if (RARE(!state))
        return FLUE_AD_REGION;
    if (me->layer != TCP) {
        detail = take(n, t, state, parent, me);
        if (!detail)
            n[N_OUT] = object_handle(me->layer, me->row, me->word0);
        return detail;
    }
    if (RARE(!parent->layer))
        return FLUE_AD_PARENT;
    return connection_take(state, &n[N_HOST], parent, &n[N_OUT]);
}

INLINE bool other_version(const struct type *t, uint32_t layer, uint32_t word0)
{
    return layer == PATH && RARE((word0 ^ t->ipv6) & FLUE_ROW_HEAD_IPV6_MASK) && !(word0 & FLUE_ROW_HEAD_CORRUPT_MASK);
}

/* What the operation does with an object that is held. */
static __attribute__((noinline)) detail_t refer(unsigned op, const uint32_t *n, const struct type *t, bool stateful,
                                                const struct fw_level *parent, struct fw_level *me)
{
    uint32_t row, word0, layer = t->layer, bytes = stateful ? t->bytes : 0;
    detail_t detail = object_find(n[N_OUT], layer, op == OPS_TERMINATE, &row, &word0);
    if (detail)
        return detail;
    if (other_version(t, layer, word0))
        return FLUE_AD_WRONG_KIND;
    me->row = row;
    me->word0 = word0;
    switch (op) {
    case OPS_QUERY:
        return stateful ? query(layer, row, t->classes, n[N_OFFSET], bytes) : FLUE_AD_NONE;
    case OPS_UPDATE:
        return update(layer, row, n[N_OFFSET], bytes, parent);
    case OPS_INVALIDATE:
        hw_row_put((enum flue_table)layer, row, W_STATE, word0 | FLUE_ROW_HEAD_INVALID_MASK);
        return FLUE_AD_NONE;
    case OPS_TERMINATE: /* but for connections */
        me->flags |= LEVEL_RELEASE;
        detail = stateful && !(word0 & FLUE_ROW_HEAD_CORRUPT_MASK) ? query(layer, row, STATE_DELEGATED, n[N_OFFSET], bytes)
                                                                   : FLUE_AD_NONE;
        return detail == FLUE_AD_CORRUPT ? FLUE_AD_NONE : detail; /* told when it closes */
    default:
        return FLUE_AD_NONE; /* linker */
    }
}

/* The two that come with every connection: the path above a new one, and the end of one. */
INLINE detail_t link_path(const uint32_t *n, const struct type *t, struct fw_level *me)
{
    detail_t detail = object_seek(&n[N_OUT], PATH, false, &me->row, &me->word0);
    if (RARE(detail))
        return detail;
    return other_version(t, PATH, me->word0) ? FLUE_AD_WRONG_KIND : FLUE_AD_NONE;
}

INLINE detail_t leave(const uint32_t *n, bool stateful)
{
    uint32_t row, word0;
    detail_t detail = object_seek(&n[N_OUT], TCP, true, &row, &word0);
    return RARE(detail) ? detail : connection_leave(row, word0, n[N_OFFSET], stateful);
}

/* An object that is held already. */
INLINE detail_t visit_reference(unsigned op, const uint32_t *n, struct fw_level *parent, struct fw_level *me)
{
    uint32_t type = byte_of(&n[N_WORD0], 2);
    if (RARE(type >= TYPES) || RARE(!(types[type].allowed & op)))
        return refused(early(me, FLUE_AD_TYPE));
    const struct type *t = &types[type];
    if (RARE(!place(t, parent, me)))
        return refused(early(me, FLUE_AD_DEPTH));
    bool stateful = t->classes != STATE_FULL || (op == OPS_QUERY && (n[N_LENGTH] | n[N_OFFSET]));
    if (stateful) {
        detail_t detail = check_state(n, t->bytes);
        if (RARE(detail))
            return detail;
    } else if (RARE(byte_of(&n[N_WORD0], 3))) {
        return FLUE_AD_REVISION;
    } else if (RARE(n[N_LENGTH] | n[N_OFFSET])) { /* state where none is allowed */
        return op == OPS_INITIATE ? FLUE_AD_LENGTH : FLUE_AD_TYPE;
    }
    if (op == OPS_TERMINATE && me->layer == TCP)
        return leave(n, stateful);
    if (op == OPS_INITIATE && me->layer == PATH)
        return link_path(n, t, me);
    return refer(op, n, t, stateful, parent, me);
}

/* Everything about one node, up to what its children decide. */
INLINE detail_t visit(unsigned op, uint32_t *n, uint32_t depth, struct fw_level *parent, struct fw_level *me)
{
    uint32_t kind = byte_of(&n[N_WORD0], 0);
    me->out = n + N_OUT;
    me->flags = kind & LEVEL_KIND;
    if (RARE(depth > 2)) /* bits beside it */
        return refused(early(me, FLUE_AD_KIND));
    if (kind == FLUE_NODE_PLACEHOLDER)
        return place_holder(n, parent, me);
    if (kind == FLUE_NODE_REFERENCE) {
        if (RARE(parent->flags & LEVEL_CLOSED))
            return refused(early(me, FLUE_AD_PARENT));
        return visit_reference(op, n, parent, me);
    }
    if (RARE(kind != FLUE_NODE_NEW) || RARE(op != OPS_INITIATE))
        return refused(early(me, FLUE_AD_KIND));
    if (RARE(parent->flags & LEVEL_CLOSED))
        return refused(early(me, FLUE_AD_PARENT));
    return visit_new(n, parent, me);
}
static_assert(FLUE_TREE_NODE_KIND_MASK == 3 && FLUE_TREE_NODE_DEPTH_MASK == 0x300 &&
                  FLUE_TREE_NODE_STATE_TYPE_MASK == 0xFF0000 && FLUE_TREE_NODE_WORD0_ZERO == 0xFCFC,
              "bytes of word 0: kind, depth, type, revision");

static COLD void failed(unsigned op, struct fw_level *me, detail_t detail)
{
    if ((me->flags & LEVEL_KIND) == FLUE_NODE_NEW)
        me->out[0] = 0;
    me->out[1] = (uint32_t)(detail == FLUE_AD_LIMIT && op == OPS_INITIATE ? (NDIS_STATUS)fw.refusal : NDIS_STATUS_FAILURE);
    me->out[2] = (uint32_t)detail;
    me->flags |= LEVEL_FAILED | LEVEL_CLOSED;
}

/* A neighbor or path whose dependents are gone is freed. */
static __attribute__((noinline)) detail_t release(uint32_t layer, uint32_t row)
{
    object_left();
    uint32_t link = object_link(layer, row);
    bool corrupt = hw_row_get((enum flue_table)layer, row, W_STATE) & FLUE_ROW_HEAD_CORRUPT_MASK;
    if (link >> FLUE_ROW_HEAD_REFS_SHIFT)
        return FLUE_AD_BUSY;
    if (layer == PATH)
        path_free(row);
    else
        neighbor_free(row);
    return corrupt ? FLUE_AD_CORRUPT : FLUE_AD_NONE;
}

/* A node that failed, is to be freed, or lacks a child. */
static __attribute__((noinline)) bool close_odd(unsigned op, struct fw_level *me)
{
    uint32_t flags = me->flags;
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    detail_t detail = FLUE_AD_NONE;
    if (flags & LEVEL_FAILED) {
        status = NDIS_STATUS_FAILURE;
    } else if (flags & LEVEL_RELEASE) {
        detail = release(me->layer, me->row);
        if (detail)
            status = NDIS_STATUS_FAILURE;
    } else if (op == OPS_INITIATE && (flags & LEVEL_LACK) && me->layer) {
        status = (flags & LEVEL_SOME) || (flags & LEVEL_KIND) == FLUE_NODE_NEW ? NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS
                                                                               : NDIS_STATUS_FAILURE;
    }
    (me - 1)->flags |= status == NDIS_STATUS_FAILURE ? LEVEL_LACK : LEVEL_SOME;
    if (!me->out)
        return answer_away(me, (uint32_t)status, (uint32_t)detail);
    if (!(flags & LEVEL_FAILED)) {
        me->out[1] = (uint32_t)status;
        me->out[2] = (uint32_t)detail;
    }
    return true;
}

/* A node whose subtree is done gets its status (chimney.md 2.1.1, 3.1), and in a terminate it is freed. */
INLINE bool close_level(unsigned op, struct fw_level *me)
{
    if (RARE(me->flags & (LEVEL_FAILED | LEVEL_RELEASE | LEVEL_LACK)) || RARE(!me->out))
        return close_odd(op, me);
    (me - 1)->flags |= LEVEL_SOME;
    me->out[1] = (uint32_t)NDIS_STATUS_SUCCESS;
    me->out[2] = FLUE_AD_NONE;
    return true;
}

/* From a node whose depth jumps on, all fail. */
static COLD bool rest(uint32_t **seen, const uint32_t *limit)
{
    uint32_t *node = *seen;
    for (;; node += N_WORDS) {
        if (node == limit) {
            if (number_of(node) == fw.nodes)
                break;
            if (!move(node, fw.level))
                return false;
            node = fw.window;
            limit = window_limit();
        }
        if ((node[N_WORD0] & FLUE_TREE_NODE_KIND_MASK) == FLUE_NODE_NEW)
            node[N_OUT] = 0;
        node[N_OUT + 1] = (uint32_t)NDIS_STATUS_FAILURE;
        node[N_OUT + 2] = FLUE_AD_DEPTH;
    }
    *seen = node;
    return true;
}

/* Walk the tree of the command; fw.result counts its nodes.  When it returns NONE the last answers are on their way: *flushing.
 * REGION midway: the buffer went away, what was done stays. */
detail_t tree_walk(unsigned op, bool *flushing)
{
    detail_t detail = header();
    if (RARE(detail))
        return detail;
    struct fw_level *me = fw.level; /* the innermost open one */
    uint32_t *node = fw.window + HEADER_BYTES / 4;
    const uint32_t *limit = fw.nodes > NODES_AT_ONCE ? window_limit() : fw.window + fw.state_end / 4;
    bool reached = true, jumped = false;
    for (;;) {
        if (RARE(node == limit)) {
            if (fw.nodes <= NODES_AT_ONCE || number_of(node) == fw.nodes)
                break;
            reached = move(node, me);
            if (!reached)
                break;
            node = fw.window;
            limit = window_limit();
        }
        uint32_t depth = byte_of(&node[N_WORD0], 1);
        struct fw_level *parent = fw.level + (depth & 3);
        jumped = (depth & 3) == 3 || parent > me;
        if (RARE(jumped))
            break;
        while (me > parent && reached)
            reached = close_level(op, me--);
        if (RARE(!reached))
            break;
        me = parent + 1;
        detail = visit(op, node, depth, parent, me);
        if (RARE(detail))
            failed(op, me, detail);
        node += N_WORDS;
    }
    while (me > fw.level)
        reached = close_level(op, me--) && reached;
    if (RARE(jumped))
        reached = reached && rest(&node, limit);
    if (RARE(!reached)) {
        fw.result = number_of(node);
        return FLUE_AD_REGION;
    }
    fw.result = fw.nodes;
    flush(node);
    *flushing = true;
    return FLUE_AD_NONE;
}
