/* The host's side: nodes with room for their state. */
#include "tree_internal.h"

#include <stdlib.h>
#include <string.h>

static uint32_t state_bytes(unsigned layer, unsigned state_class, unsigned shape)
{
    uint32_t bytes = state_native_bytes(layer, state_class);

    if (layer == FLUE_LAYER_TCP && state_class == FLUE_TREE_DELEGATED && (shape & FLUE_TREE_NO_DWND) == 0)
        bytes = FLUE_NDIS_TCP_DELEGATED_LENGTH_61;
    return (shape & FLUE_TREE_PADDED) != 0 ? (bytes + 7u) & ~7u : bytes;
}

NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *flue_tree_node_new(OFFLOAD_STATE_TYPE type, unsigned classes, unsigned shape)
{
    unsigned layer = flue_tree_layer(type);
    uint32_t bytes[3] = {0}, at = 0;
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node;

    if (layer == FLUE_LAYER_NONE)
        return NULL;
    for (unsigned i = 0; i < 3; i++) {
        if ((classes & 1u << i) != 0)
            bytes[i] = state_bytes(layer, 1u << i, shape);
        at += bytes[i];
    }
    node = calloc(1, sizeof *node + at);
    if (node == NULL)
        return NULL;
    node->Header = (NDIS_OBJECT_HEADER){.Type = (uint8_t)type, .Revision = FLUE_NDIS_BLOCK_LIST_REVISION, .Size = sizeof *node};
    at = 0;
    for (unsigned i = 0; i < 3; i++) {
        OFFLOAD_STATE_HEADER header = {.Length = bytes[i]};
        if (bytes[i] > 0)
            memcpy((uint8_t *)(node + 1) + at, &header, sizeof header);
        at += bytes[i];
    }
    return node;
}

void *flue_tree_node_state(const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node, unsigned classes, unsigned class_wanted)
{
    void *state = flue_ndis_state_first(node);

    if ((classes & class_wanted) == 0)
        return NULL;
    for (unsigned c = FLUE_TREE_CONST; c < class_wanted; c <<= 1)
        if ((classes & c) != 0)
            state = flue_ndis_state_next(state);
    return state;
}
