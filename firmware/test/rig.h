/*
 * A host for the firmware: memory, rings, a tree builder.  Every helper checks what must always hold.
 */
#ifndef FLUE_FW_RIG_H
#define FLUE_FW_RIG_H

#include "flue/control.h"
#include "flue/ndis/status.h"
#include "flue/regs.h"
#include "host.h"

enum { RIG_MEMORY = 1 << 20, RIG_REGION = 3, RIG_ASQ = 0, RIG_ACQ = 4096, RIG_TREE = 16384, RIG_LOG2 = 4 };

struct rig {
    struct fw_host *host;
    uint8_t *memory;
    uint64_t time_us;
    uint16_t asq_tail, acq_head, acq_tail;
    bool read_only; /* writes to the tree are refused */
    void (*on_dma)(struct rig *r, uint32_t offset, uint32_t bytes, bool to_host);
    unsigned dmas;
    struct flue_cqe notice[64]; /* notices since rig_reset_notices() */
    unsigned notices;
    /* the tree being built */
    uint32_t nodes, state_at;
};

struct rig_done {
    uint32_t status, result, detail;
    bool answered;
};

void rig_open(struct rig *r, uint32_t connections, uint32_t paths, uint32_t neighbors);
void rig_close(struct rig *r);
void rig_start(struct rig *r, bool cold); /* start the processor again, rings at 0 */
void rig_ready(struct rig *r);            /* switch on both versions with their encapsulation */

/* One command; the answer, and notices kept aside. */
struct rig_done rig_command(struct rig *r, struct flue_sqe sqe);
void rig_poll(struct rig *r, struct rig_done *done, uint16_t command_id);
void rig_doorbell(struct rig *r);

/* ---- trees, built at RIG_TREE ---- */

void rig_tree(struct rig *r, uint32_t nodes); /* begin: header for this many nodes */
/* Next node; state may be null; words of state 0 with a type: none. */
struct flue_tree_node *rig_node(struct rig *r, unsigned depth, uint32_t kind, uint32_t type, uint32_t handle, const void *state,
                                uint32_t words);
struct flue_tree_node *rig_at(struct rig *r, uint32_t number);
struct rig_done rig_run(struct rig *r, uint32_t opcode, uint32_t flags);
const uint32_t *rig_state(struct rig *r, uint32_t number);

/* ---- states ---- */

struct rig_neighbor {
    struct flue_wire_neighbor_const constant;
    struct flue_wire_neighbor_cached cached;
    struct flue_wire_neighbor_delegated delegated;
};
struct rig_path {
    struct flue_wire_path_const constant;
    struct flue_wire_path_cached cached;
};
struct rig_tcp {
    struct flue_wire_tcp_const constant;
    struct flue_wire_tcp_cached cached;
    struct flue_wire_tcp_delegated delegated;
};
struct rig_neighbor rig_neighbor_state(void);
struct rig_path rig_path_state(bool ipv6, uint32_t n); /* n makes the addresses */
struct rig_tcp rig_tcp_state(uint32_t ports);
struct rig_tcp rig_tcp_random(uint32_t ports); /* legal, otherwise anything */

uint32_t rig_new_neighbor(struct rig *r);
uint32_t rig_new_path(struct rig *r, uint32_t neighbor, bool ipv6, uint32_t n);
uint32_t rig_new_tcp(struct rig *r, uint32_t path, const struct rig_tcp *state);
uint32_t rig_terminate(struct rig *r, uint32_t type, uint32_t handle, void *state, uint32_t words); /* detail */

/* Rows, lists, references, index and counters agree; number of objects of each kind (0 none checked). */
void rig_sound(struct rig *r);
uint32_t rig_count(struct rig *r, enum flue_table table);

#endif
