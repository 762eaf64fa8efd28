/*
 * A family of objects that must stay as it is whatever is asked of the adapter, bait beside the tree, and the look that shows
 * whether anything was touched.
 */
#ifndef FLUE_TREE_LOOK_H
#define FLUE_TREE_LOOK_H

#include "trees.h"

enum {
    LOOK_NODES = 5,    /* neighbor, path over IPv4, its connection, path over IPv6, its connection */
    LOOK_BUFFER = 4096 /* bytes of the region that holds the tree under test, at its end */
};

struct look {
    struct flue_list_entry entry[TREE_OBJECTS];
    unsigned entries;
    struct flue_stats_tcp tcp[2];
    uint32_t state[LOOK_NODES][TREE_WORDS];
    uint64_t from_us, to_us; /* when the states were read */
};

struct watched {
    struct tree family; /* with handles */
    struct look first;
    struct flue_mem buffer; /* what lies behind its end is nobody's */
    struct flue_mem bait;   /* a region that no command names: a read of it is counted, a write is seen */
    uint64_t errors;        /* error responses on the bus that the test asked for */
};

/* neighbor (VLAN 0), path, connection, path, connection: a tree of new objects. */
void family_new(struct trees *t, struct tree *tree);

/* Take the family, put out the bait, look for the first time. */
void watch_begin(struct trees *t, struct watched *w);

/* What is held, counted and stored, and the family's state, are as at first, nothing was read or written that no command
 * named, no trap. */
bool watch_same(struct trees *t, struct watched *w, const char *after);

/* The same, by what is held alone. */
bool watch_same_list(struct trees *t, struct watched *w, const char *after);

/* Give back everything but the family, take and give back a good tree. */
void watch_serves(struct trees *t, struct watched *w);

/* A good tree is served, the family goes, frames pass; `full`, and in the long form: the tables hold what is advertised. */
void watch_end(struct trees *t, struct watched *w, bool full);

/* Put a tree at the end of the buffer; its first word, its bytes and the offset of both in the region. */
uint32_t *watch_put(struct trees *t, struct watched *w, const struct tree *tree, uint32_t *bytes, uint32_t *offset);

#endif
