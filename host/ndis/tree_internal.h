/*
 * A tree between the host's block lists and the device's buffer: one item for each node, in walk order.
 */
#ifndef FLUE_TREE_INTERNAL_H
#define FLUE_TREE_INTERNAL_H

#include "flue/ndis/tree.h"

#define TREE_NONE       UINT32_MAX
#define TREE_MAX_BYTES  (64u << 20) /* of a marshalled tree */
#define STATE_BYTES_MAX 140u        /* of a state on the wire: a connection's */

struct tree_item {
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node;
    uint32_t parent;    /* item; TREE_NONE for a root */
    uint32_t depth;     /* 0: root; more than 2 only when refused */
    uint32_t wire;      /* number in the buffer; TREE_NONE: not sent */
    uint32_t offset;    /* of its state in the buffer; 0: none */
    uint16_t place[3];  /* const, cached, delegated: bytes behind the block list */
    uint8_t kind;       /* FLUE_NODE_* */
    uint8_t layer;      /* of a placeholder: the lowest it can stand for */
    uint8_t list_layer; /* of its dependents, once one says it */
    uint8_t type;       /* Header.Type as it was */
    uint8_t classes;    /* state in the host's memory */
    uint8_t wire_classes;
    uint8_t detail;      /* enum flue_admin_detail */
    bool refused;        /* not sent, nor what depends on it */
    bool dwnd;           /* the host's delegated TCP state has it */
    NDIS_STATUS status;  /* final */
    uint32_t handle;     /* of a reference; of a new object once answered */
    void *object;        /* of the binding */
    void *context;       /* of a reference */
    uint32_t send_bytes; /* handed over with a new TCP node */
    uint32_t receive_bytes;
    /* From the device's answer, see tree_check(). */
    NDIS_STATUS answer;
    uint32_t children, taken, real_children, real_taken; /* on the wire; real: without placeholders */
    bool child_refused;                                  /* an immediate dependent was not sent */
};

struct flue_tree {
    enum flue_tree_op op;
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root;
    struct tree_item *items;
    uint32_t count, room;
    uint8_t root_layer;
    const char *refused; /* why the whole tree was; null otherwise */
    uint32_t refused_items;
    uint32_t wire_nodes;
    size_t bytes; /* of the buffer; 0: nothing to send */
};

/* Who knows objects.  Both return NDIS_STATUS_SUCCESS, or the node's refusal with item->detail set. */
struct tree_binding {
    void *ctx;
    NDIS_STATUS (*reference)(void *ctx, struct tree_item *item, void *context); /* sets handle and object */
    NDIS_STATUS (*create)(void *ctx, struct tree_item *item);                   /* sets object, amounts handed over */
};

/* ---- tree.c: walking and judging --------------------------------------------------------------------------------- */

/*
 * Walk the tree and judge every node, in walk order.  A tree refused as a whole has `refused` set and FAILURE in all items.
 * FLUE_ENOMEM: nothing is kept; mark its nodes with tree_mark().
 */
FLUE_MUST_CHECK enum flue_err tree_open(struct flue_tree *tree, enum flue_tree_op op, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root,
                                        const struct tree_binding *binding);
void tree_close(struct flue_tree *tree);

/* Without memory: FAILURE into every node of a legal shape, RESOURCES where a new object could not be taken. */
void tree_mark(enum flue_tree_op op, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root);

/* Everything that was sent failed. */
void tree_fail(struct flue_tree *tree, NDIS_STATUS status, enum flue_admin_detail detail);

/* Statuses into the nodes: the last thing done to them before completion, but for cells. */
void tree_publish(struct flue_tree *tree);

/* ---- marshal.c, marshal_state.c ---------------------------------------------------------------------------------- */

/* Bytes of these classes on the wire and, as the smallest Length, in the host's memory (one class). */
uint32_t state_wire_bytes(unsigned layer, unsigned classes);
uint32_t state_native_bytes(unsigned layer, unsigned state_class);

/* Find the state structures of an item; false when a Length cannot be right. */
bool state_place(struct tree_item *item);

/* State of an item into the buffer; out is 4-byte aligned. */
void state_write(const struct tree_item *item, uint8_t *out);

/* State of an item as the device left it, in our own memory: null, or what cannot be true. */
const char *state_check(const struct tree_item *item, enum flue_tree_op op, const uint8_t *in);

/* And from there into the host's memory, every field; addresses: where a path's addresses are kept (source, destination). */
void state_read(const struct tree_item *item, enum flue_tree_op op, const uint8_t *in, uint8_t addresses[2][16]);

/* One word of a delegated TCP state in a marshalled buffer. */
uint32_t state_tcp_delegated_word(const struct tree_item *item, const uint8_t *in, size_t offset);

/* Layout the buffer (wire, offset, bytes); FLUE_EARG when it would be too large. */
FLUE_MUST_CHECK enum flue_err tree_layout(struct flue_tree *tree);
void tree_write(const struct flue_tree *tree, void *buffer);

/*
 * Judge an answer in our own memory: statuses and handles into the items, or the sentence that says what cannot be true.
 * rows: of the tables.
 */
const char *tree_check(struct flue_tree *tree, const uint8_t *buffer, const uint32_t rows[4]);

/* One more reference into a tree of one layer: node n of `nodes`, state_bytes each (0: none); see tree_write_flat(). */
void tree_write_reference(void *buffer, uint32_t n, uint32_t nodes, uint8_t type, uint32_t state_bytes, uint32_t handle);

/* Header of such a tree, whose states are behind its nodes; returns its bytes. */
uint32_t tree_write_flat(void *buffer, uint32_t nodes, uint32_t state_bytes);

/* ---- marshal_nbl.c ------------------------------------------------------------------------------------------------- */

/* Bytes of a chain with one packet a list; false when it loops, a packet is missing or has more than its memory. */
bool nbl_chain_bytes(const NET_BUFFER_LIST *chain, uint32_t *bytes);

/* Copy the first bytes of a chain that nbl_chain_bytes() liked. */
void nbl_chain_copy(const NET_BUFFER_LIST *chain, uint8_t *out, uint32_t bytes);

/* Move a packet's start forward (NdisAdvanceNetBufferDataStart); at most DataLength. */
void nbl_advance(NET_BUFFER *packet, uint32_t bytes);

#endif
