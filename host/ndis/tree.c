/* Walking a tree of block lists, and judging what the host handed in before any of it is sent. */
#include "tree_internal.h"

#include <stdlib.h>

/* Stands in a cell while its tree is walked: finds two new nodes with one cell. */
static char cell_taken;

/* ---- types ------------------------------------------------------------------------------------------------------- */

const char *flue_tree_op_name(enum flue_tree_op op)
{
    static const char *const names[] = {"initiate", "query", "update", "invalidate", "terminate"};

    return op < FLUE_TREE_OPS ? names[op] : "?";
}

enum flue_tree_layer flue_tree_layer(unsigned state_type)
{
    if (state_type >= NeighborOffloadConstState && state_type <= NeighborOffloadState)
        return FLUE_LAYER_NEIGHBOR;
    if (state_type >= Ip4OffloadConstState && state_type <= Ip6OffloadState)
        return FLUE_LAYER_PATH;
    if ((state_type >= TcpOffloadConstState && state_type <= TcpOffloadDelegatedState) || state_type == TcpOffloadState)
        return FLUE_LAYER_TCP;
    return FLUE_LAYER_NONE;
}

bool flue_tree_is_ipv6(unsigned state_type)
{
    return state_type >= Ip6OffloadConstState && state_type <= Ip6OffloadState;
}

unsigned flue_tree_classes(unsigned state_type)
{
    /* Every layer and IP version counts its types const, cached, delegated, all. */
    static const uint8_t classes[] = {FLUE_TREE_CONST, FLUE_TREE_CACHED, FLUE_TREE_DELEGATED,
                                      FLUE_TREE_CONST | FLUE_TREE_CACHED | FLUE_TREE_DELEGATED};

    if (flue_tree_layer(state_type) == FLUE_LAYER_NONE)
        return 0;
    return state_type == TcpOffloadState ? classes[3] : classes[(state_type - 1) % 4];
}

/* Types allowed with an object in this operation (2.1, row "Types after a node"). */
static bool type_allowed(enum flue_tree_op op, bool is_new, unsigned type)
{
    unsigned classes = flue_tree_classes(type);
    bool all = classes == (FLUE_TREE_CONST | FLUE_TREE_CACHED | FLUE_TREE_DELEGATED);

    switch (op) {
    case FLUE_TREE_INITIATE:
        return all || !is_new;
    case FLUE_TREE_UPDATE:
        return all || classes == FLUE_TREE_CACHED;
    case FLUE_TREE_TERMINATE:
        return all || classes == FLUE_TREE_DELEGATED;
    default:
        return true;
    }
}

unsigned flue_tree_state_classes(enum flue_tree_op op, unsigned state_type)
{
    unsigned classes = flue_tree_classes(state_type);
    bool all = classes == (FLUE_TREE_CONST | FLUE_TREE_CACHED | FLUE_TREE_DELEGATED);

    switch (op) {
    case FLUE_TREE_INITIATE: /* of a new object */
    case FLUE_TREE_QUERY:
        return classes;
    case FLUE_TREE_UPDATE: /* the full type names an object that is not changed itself: a relink */
    case FLUE_TREE_TERMINATE:
        return all ? 0 : classes;
    default:
        return 0;
    }
}

/* ---- walking ----------------------------------------------------------------------------------------------------- */

/* True when the node is in the tree: MiniportReserved, ours, says where; what it held before cannot mislead. */
static bool seen(const struct flue_tree *tree, const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node)
{
    uintptr_t at = (uintptr_t)node->MiniportReserved[0];

    return at < tree->count && tree->items[at].node == node;
}

static struct tree_item *push(struct flue_tree *tree, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node, uint32_t parent, uint32_t depth)
{
    struct tree_item *item;

    if (tree->count == tree->room) {
        uint32_t room = tree->room == 0 ? 8 : tree->room * 2;
        struct tree_item *items = room > tree->room ? realloc(tree->items, room * sizeof *items) : NULL;
        if (items == NULL)
            return NULL;
        tree->items = items;
        tree->room = room;
    }
    item = &tree->items[tree->count];
    *item =
        (struct tree_item){.node = node, .parent = parent, .depth = depth, .wire = TREE_NONE, .kind = FLUE_NODE_PLACEHOLDER};
    node->MiniportReserved[0] = (void *)(uintptr_t)tree->count++;
    return item;
}

/* What makes it impossible to go on from this node. */
static const char *unwalkable(const struct flue_tree *tree, const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node)
{
    if ((uintptr_t)node % _Alignof(NDIS_MINIPORT_OFFLOAD_BLOCK_LIST) != 0)
        return "a block list is not aligned";
    if (node->Header.Size != sizeof *node)
        return "Header.Size is not that of a block list";
    if (seen(tree, node))
        return "a node is in the tree twice: a list loops or is shared";
    return NULL;
}

/* All nodes, depth first, then next; a parent's number leads back up, so that no depth needs a stack. */
static enum flue_err collect(struct flue_tree *tree)
{
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node = tree->root;
    uint32_t parent = TREE_NONE, depth = 0, at;

    while (node != NULL) {
        tree->refused = unwalkable(tree, node);
        if (tree->refused != NULL)
            return FLUE_OK;
        at = tree->count;
        if (push(tree, node, parent, depth) == NULL)
            return FLUE_ENOMEM;
        if (node->DependentBlockList != NULL) {
            node = node->DependentBlockList;
            parent = at;
            depth++;
            continue;
        }
        while ((node = tree->items[at].node->NextBlock) == NULL && tree->items[at].parent != TREE_NONE)
            at = tree->items[at].parent;
        parent = tree->items[at].parent;
        depth = tree->items[at].depth;
    }
    return FLUE_OK;
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

static void refuse(struct flue_tree *tree, struct tree_item *item, NDIS_STATUS status, enum flue_admin_detail detail)
{
    if (!item->refused)
        tree->refused_items++;
    item->refused = true;
    item->status = status;
    item->detail = (uint8_t)detail;
}

/* Where the layer of the list an item is in is noted. */
static uint8_t *list_layer(struct flue_tree *tree, const struct tree_item *item)
{
    return item->parent == TREE_NONE ? &tree->root_layer : &tree->items[item->parent].list_layer;
}

/* Lowest layer an item can be on; exact below an object. */
static unsigned layer_floor(const struct flue_tree *tree, const struct tree_item *item)
{
    return item->parent == TREE_NONE ? FLUE_LAYER_NEIGHBOR : tree->items[item->parent].layer + 1u;
}

static bool layer_follows(struct flue_tree *tree, const struct tree_item *item)
{
    uint8_t *of_list = list_layer(tree, item);
    bool exact = item->parent != TREE_NONE && tree->items[item->parent].kind != FLUE_NODE_PLACEHOLDER;
    unsigned floor = layer_floor(tree, item);

    if (item->layer < floor || (exact && item->layer != floor))
        return false;
    if (*of_list == FLUE_LAYER_NONE)
        *of_list = item->layer;
    return *of_list == item->layer;
}

static void judge_placeholder(struct flue_tree *tree, struct tree_item *item)
{
    unsigned floor = layer_floor(tree, item);

    if (floor > FLUE_LAYER_TCP)
        refuse(tree, item, NDIS_STATUS_FAILURE, FLUE_AD_DEPTH);
    else
        item->layer = (uint8_t)floor;
}

static void judge_object(struct flue_tree *tree, struct tree_item *item, const struct tree_binding *binding)
{
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node = item->node;
    void *context = *node->MiniportOffloadContext;
    bool is_new = tree->op == FLUE_TREE_INITIATE && context == NULL;
    NDIS_STATUS status;

    item->layer = (uint8_t)flue_tree_layer(item->type);
    if (item->layer == FLUE_LAYER_NONE) {
        refuse(tree, item, NDIS_STATUS_FAILURE, FLUE_AD_TYPE);
        return;
    }
    if (!layer_follows(tree, item) || (item->layer == FLUE_LAYER_TCP && node->DependentBlockList != NULL)) {
        refuse(tree, item, NDIS_STATUS_FAILURE, FLUE_AD_DEPTH);
        return;
    }
    if (context == NULL && !is_new) {
        refuse(tree, item, NDIS_STATUS_FAILURE, FLUE_AD_KIND);
        return;
    }
    if (!type_allowed(tree->op, is_new, item->type)) {
        refuse(tree, item, NDIS_STATUS_FAILURE, FLUE_AD_TYPE);
        return;
    }
    item->kind = is_new ? FLUE_NODE_NEW : FLUE_NODE_REFERENCE;
    if (is_new || tree->op != FLUE_TREE_INITIATE)
        item->classes = (uint8_t)flue_tree_state_classes(tree->op, item->type);
    if (!state_place(item)) {
        refuse(tree, item, NDIS_STATUS_FAILURE, FLUE_AD_LENGTH);
        return;
    }
    item->wire_classes = item->classes;
    if (tree->op == FLUE_TREE_TERMINATE && item->layer == FLUE_LAYER_TCP)
        item->wire_classes |= FLUE_TREE_DELEGATED; /* what becomes of the send data depends on SndUna */
    if (state_wire_bytes(item->layer, item->wire_classes) == 0)
        item->wire_classes = 0; /* delegated path state is empty */

    if (context == &cell_taken) {
        refuse(tree, item, NDIS_STATUS_FAILURE, FLUE_AD_DUPLICATE);
        return;
    }
    status = is_new ? binding->create(binding->ctx, item) : binding->reference(binding->ctx, item, context);
    if (status != NDIS_STATUS_SUCCESS)
        refuse(tree, item, status, item->detail);
    else if (is_new)
        *node->MiniportOffloadContext = &cell_taken;
}

static void judge(struct flue_tree *tree, struct tree_item *item, const struct tree_binding *binding)
{
    item->type = item->node->Header.Type;
    if (item->parent != TREE_NONE && tree->items[item->parent].refused)
        refuse(tree, item, NDIS_STATUS_FAILURE, FLUE_AD_PARENT);
    else if (item->node->MiniportOffloadContext == NULL)
        judge_placeholder(tree, item);
    else
        judge_object(tree, item, binding);
    if (item->refused && item->parent != TREE_NONE)
        tree->items[item->parent].child_refused = true;
}

enum flue_err tree_open(struct flue_tree *tree, enum flue_tree_op op, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root,
                        const struct tree_binding *binding)
{
    enum flue_err err;

    *tree = (struct flue_tree){.op = op, .root = root};
    err = collect(tree);
    if (err != FLUE_OK) {
        tree_close(tree);
        return err;
    }
    for (uint32_t i = 0; i < tree->count; i++) {
        if (tree->refused != NULL)
            refuse(tree, &tree->items[i], NDIS_STATUS_FAILURE, FLUE_AD_NODES);
        else
            judge(tree, &tree->items[i], binding);
    }
    for (uint32_t i = 0; i < tree->count && tree->refused == NULL; i++)
        if (tree->items[i].kind == FLUE_NODE_NEW && !tree->items[i].refused)
            *tree->items[i].node->MiniportOffloadContext = NULL;
    return FLUE_OK;
}

void tree_close(struct flue_tree *tree)
{
    free(tree->items);
    *tree = (struct flue_tree){0};
}

/* ---- statuses ---------------------------------------------------------------------------------------------------- */

void tree_fail(struct flue_tree *tree, NDIS_STATUS status, enum flue_admin_detail detail)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        struct tree_item *item = &tree->items[i];
        if (item->refused)
            continue;
        item->status = status;
        item->detail = (uint8_t)detail;
    }
}

void tree_publish(struct flue_tree *tree)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct tree_item *item = &tree->items[i];
        bool placeholder = item->node->MiniportOffloadContext == NULL;
        item->node->Status = placeholder ? NDIS_STATUS_SUCCESS : item->status; /* always, CH-017 */
        item->node->MiniportReserved[1] = (void *)(uintptr_t)item->detail;
    }
}

void tree_mark(enum flue_tree_op op, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root)
{
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *at[3] = {root}, *slow[3] = {root};
    uint64_t steps[3] = {0};
    unsigned depth = 0;

    for (;;) {
        NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node = at[depth];
        if (node != NULL && (steps[depth] == 0 || node != slow[depth])) {
            bool is_new =
                op == FLUE_TREE_INITIATE && node->MiniportOffloadContext != NULL && *node->MiniportOffloadContext == NULL;
            if (node->MiniportOffloadContext == NULL)
                node->Status = NDIS_STATUS_SUCCESS;
            else
                node->Status = is_new && depth == 0 ? NDIS_STATUS_RESOURCES : NDIS_STATUS_FAILURE;
            node->MiniportReserved[1] = (void *)(uintptr_t)FLUE_AD_LIMIT;
            steps[depth]++;
            if ((steps[depth] & (steps[depth] - 1)) == 0)
                slow[depth] = node; /* a list that loops meets the node it passed 2^n steps in */
            at[depth] = node->NextBlock;
            if (node->DependentBlockList != NULL && depth < 2) {
                depth++;
                at[depth] = slow[depth] = node->DependentBlockList;
                steps[depth] = 0;
            }
        } else if (depth-- == 0) {
            return;
        }
    }
}

enum flue_admin_detail flue_target_detail(const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node)
{
    return (enum flue_admin_detail)(uintptr_t)node->MiniportReserved[1];
}
