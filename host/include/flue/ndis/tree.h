/*
 * Offload state trees: the five operations, how a tree is judged before it is sent, and a builder for the host's side.
 *
 * A tree is walked depth first, then next (chimney.md 3.2), without recursion: lists may have any length.  What the host
 * handed in is not trusted: a list that loops, a node that is in the tree twice or has another size than a block list
 * refuses the whole operation; anything else refuses the node it is in and what depends on it.
 */
#ifndef FLUE_NDIS_TREE_H
#define FLUE_NDIS_TREE_H

#include <stdbool.h>
#include "flue/control.h"
#include "flue/err.h"
#include "flue/ndis/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum flue_tree_op {
    FLUE_TREE_INITIATE,
    FLUE_TREE_QUERY,
    FLUE_TREE_UPDATE,
    FLUE_TREE_INVALIDATE,
    FLUE_TREE_TERMINATE,
    FLUE_TREE_OPS
};

/* "initiate"; "?" when out of range.  Static storage. */
const char *flue_tree_op_name(enum flue_tree_op op);

/* Layers, numbered like the device's tables. */
enum flue_tree_layer { FLUE_LAYER_NONE = 0, FLUE_LAYER_NEIGHBOR = 1, FLUE_LAYER_PATH = 2, FLUE_LAYER_TCP = 3 };

/* Layer of a state type; FLUE_LAYER_NONE for one that no node may have. */
enum flue_tree_layer flue_tree_layer(unsigned state_type);

/* True for the state types of an IPv6 path. */
bool flue_tree_is_ipv6(unsigned state_type);

/* The three classes of variables, as bits. */
#define FLUE_TREE_CONST     1u
#define FLUE_TREE_CACHED    2u
#define FLUE_TREE_DELEGATED 4u

/* Classes a state type stands for (1.2). */
unsigned flue_tree_classes(unsigned state_type);

/* State that follows a node of this type in this operation, when it is a new object or a reference: classes, 0 for none. */
unsigned flue_tree_state_classes(enum flue_tree_op op, unsigned state_type);

/* ---- the host's side --------------------------------------------------------------------------------------------- */

/* Shapes of the state behind a node. */
#define FLUE_TREE_NO_DWND 1u /* delegated TCP state of NDIS 6.0, without DWnd */
#define FLUE_TREE_PADDED  2u /* every Length rounded up to 8 bytes, instead of packed */

/*
 * A zeroed block list of this type with state structures of these classes behind it, headers and lengths filled in; to be
 * released with free().  Null without memory, or for a type no node may have.
 */
NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *flue_tree_node_new(OFFLOAD_STATE_TYPE type, unsigned classes, unsigned shape);

/*
 * The state structure of one class behind a node that has the classes named; may be on a 4-byte boundary, so copy it out
 * and back.  Null when the node has none.
 */
void *flue_tree_node_state(const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node, unsigned classes, unsigned class_wanted);

#ifdef __cplusplus
}
#endif
#endif
