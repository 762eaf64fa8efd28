/*
 * State trees at the level of marshalled buffers: an adapter with driver, firmware and admin queue, a tree as a list of nodes,
 * and random states that are legal (HND-006).
 */
#ifndef FLUE_TREES_H
#define FLUE_TREES_H

#include "flue/admin.h"
#include "flue/control.h"
#include "flue/ndis/status.h"
#include "flue/ndis/types.h"
#include "flue/regs.h"
#include "rig.h"

enum {
    TREE_NODES = 400,
    TREE_WORDS = 35, /* of the longest state */
    TREE_BYTES = 1 << 17,
    /* words of the states, and where their parts begin */
    NEIGHBOR_WORDS = 6,
    PATH_WORDS = 9,
    TCP_WORDS = 35,
    TCP_CACHED = 4,
    TCP_DELEGATED = 13,
};

#define TREE_OK           ((uint32_t)NDIS_STATUS_SUCCESS)
#define TREE_FAILURE      ((uint32_t)NDIS_STATUS_FAILURE)
#define TREE_PART(member) (TCP_DELEGATED + offsetof(struct flue_wire_tcp_delegated, member) / 4)

struct tree_item {
    unsigned kind, depth, type;
    uint64_t host_handle;
    uint32_t handle; /* in and out */
    uint32_t state[TREE_WORDS];
    unsigned words; /* 0: no state */
    uint32_t status;
    unsigned detail;
};

struct tree {
    struct tree_item item[TREE_NODES];
    unsigned count;
};

struct trees {
    struct rig *rig;
    struct flue_admin *admin;
    struct flue_admin_info info;
    struct flue_mem mem;
    struct {
        enum flue_cqe_kind kind;
        uint32_t status, result;
    } notice[64];
    unsigned notices;
    unsigned traps;
    struct flue_admin_trap trap;
    uint64_t before_us, after_us; /* around the last command */
    uint64_t next_key;            /* so that keys differ */
};

/* Open adapter and admin queue, connection offload on for both versions.  Exits the program on failure. */
struct trees *trees_open(unsigned width, bool rough);
void trees_close(struct trees *t);

/* At one width; RIG_WIDTH in the environment, when set, is the only one. */
void trees_at(unsigned width, bool rough, void (*body)(struct trees *t));

/* At every width that is built, smooth and rough. */
void trees_everywhere(void (*body)(struct trees *t));

/* W = 32 alone; with --long everywhere. */
void trees_shortly(void (*body)(struct trees *t));

/* Options before those of check_main(): --long sets trees_long, --NAME N sets *number. */
extern bool trees_long;
extern unsigned trees_rounds; /* times that each test runs: 1 with --seed, else 2 */
int trees_main(int argc, char **argv, const char *name, unsigned *number);

/* In the long form: a line about every `every` of them. */
void trees_progress(const struct trees *t, unsigned done, unsigned of, unsigned every, const char *what);

/* Forget the nodes. */
void tree_clear(struct tree *tree);

/* Add a node; state null: none. */
struct tree_item *tree_add(struct tree *tree, unsigned kind, unsigned depth, unsigned type, const uint32_t *state);

/* Words of a state type, 0 for none. */
unsigned tree_words(unsigned type);

/* Put the tree into memory; returns its bytes. */
uint32_t tree_marshal(struct trees *t, const struct tree *tree);

/* Take statuses, handles, details and states back from memory. */
void tree_unmarshal(struct trees *t, struct tree *tree);

/* One command; true when it was answered. */
bool trees_command(struct trees *t, const struct flue_sqe *sqe, struct flue_admin_done *done);

/* The command `opcode` with the tree: put, run, take back.  The command itself must succeed. */
void trees_run(struct trees *t, unsigned opcode, struct tree *tree);

/* Random legal states; addresses that no other object has. */
void random_neighbor(struct trees *t, uint32_t *state);
void random_path(struct trees *t, bool ipv6, uint32_t *state);
void random_tcp(struct trees *t, uint32_t *state);

/* Configuration records. */
bool trees_config(struct trees *t, enum flue_config_group group, bool set, void *record, size_t bytes);

/* Everything that is held, in the order of LIST; `most` has room for the whole tables. */
unsigned trees_list(struct trees *t, struct flue_list_entry *entry, unsigned most);
enum { TREE_OBJECTS = 512 }; /* room for the default tables */

/* So many objects of each layer are held. */
bool trees_hold(struct trees *t, unsigned neighbors, unsigned paths, unsigned connections);

/* Give back every object but those in `keep` (entries of LIST), dependents first; all must answer SUCCESS. */
void trees_give_back(struct trees *t, const struct flue_list_entry *keep, unsigned count);

/* Every layer filled to its advertised size beside what is held, and two beyond, in walk order; then given back. */
void trees_fill(struct trees *t, bool hostile);

/* Let adapter time pass. */
void trees_pass(struct trees *t, uint64_t us);

#endif
