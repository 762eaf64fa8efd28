/*
 * Handles that are wrong: forged, of objects that are gone, of another kind, wherever a handle is taken.
 *
 * PROGRAM [--long] [--seed N] [name ...]   --long: at every width
 */
#include "tree_look.h"

enum { FORGED = 12, ROWS = 256 };

static struct tree tree, gone, again;
static struct watched watched;

/* What was given out, by kind and row: the newest generation, and whether its object is held (1, IPv6: 2). */
static struct {
    uint32_t generation;
    unsigned held;
} given[4][ROWS];

static void note(uint32_t handle, unsigned held)
{
    unsigned kind = handle >> FLUE_HANDLE_KIND_SHIFT, row = handle & FLUE_HANDLE_INDEX_MASK;
    given[kind][row].generation = (handle & FLUE_HANDLE_GENERATION_MASK) >> FLUE_HANDLE_GENERATION_SHIFT;
    given[kind][row].held = held;
}

static void note_tree(const struct tree *noted, bool held)
{
    for (unsigned i = 0; i < noted->count; i++)
        note(noted->item[i].handle, held ? 1 + (noted->item[i].type == Ip6OffloadState) : 0);
}

/* The detail that a handle deserves where an object of `kind` is wanted (docs/control-plane.md, section 3). */
static unsigned verdict(struct trees *t, uint32_t handle, unsigned kind, bool ipv6)
{
    unsigned of = handle >> FLUE_HANDLE_KIND_SHIFT, row = handle & FLUE_HANDLE_INDEX_MASK;
    uint32_t generation = (handle & FLUE_HANDLE_GENERATION_MASK) >> FLUE_HANDLE_GENERATION_SHIFT;
    const unsigned rows[4] = {0, t->info.neighbors, t->info.paths, t->info.connections};
    if (generation == 0 || row >= rows[of])
        return FLUE_AD_HANDLE;
    if (of != kind)
        return FLUE_AD_WRONG_KIND;
    if (generation == given[of][row].generation && given[of][row].held)
        return kind == 2 && given[of][row].held != 1u + ipv6 ? FLUE_AD_WRONG_KIND : FLUE_AD_NONE;
    /* The count goes round: what lies behind the row's present one by less than half a round is gone. */
    bool used = given[of][row].generation, held = given[of][row].held;
    uint32_t behind = (given[of][row].generation + (used && !held) - generation) & 0x3FFF;
    return behind >= 1 && behind < 0x2000 ? FLUE_AD_STALE : FLUE_AD_HANDLE;
}

/* A family that comes and goes, so that some rows are free again and some are in use a second time. */
static void history(struct trees *t)
{
    memset(given, 0, sizeof given);
    note_tree(&watched.family, true);
    family_new(t, &gone);
    trees_run(t, FLUE_OP_INITIATE, &gone);
    note_tree(&gone, false);
    trees_give_back(t, watched.first.entry, watched.first.entries);
    family_new(t, &again);
    again.count = 3; /* neighbor, path over IPv4, connection; the rows of the other two stay free */
    trees_run(t, FLUE_OP_INITIATE, &again);
    note_tree(&again, true);
    for (unsigned i = 0; i < 3; i++)
        CHECK(again.item[i].status == TREE_OK && again.item[i].handle != gone.item[i].handle,
              "node %u: 0x%x, handle 0x%x after 0x%x", i, again.item[i].status, again.item[i].handle, gone.item[i].handle);
}

/* The wrong handles where an object of `kind` is wanted; returns their number. */
static unsigned wrong_handles(struct trees *t, unsigned kind, bool ipv6, uint32_t *handle)
{
    const uint32_t one = 1u << FLUE_HANDLE_GENERATION_SHIFT, top = FLUE_HANDLE_GENERATION_MASK;
    const struct tree *trees[] = {&watched.family, &gone, &again};
    const uint32_t rows[4] = {0, t->info.neighbors, t->info.paths, t->info.connections};
    uint32_t all[256],
        own = watched.family.item[kind == 1   ? 0
                                  : kind == 2 ? (ipv6 ? 3 : 1)
                                              : 2]
                  .handle,
        none = kind << 30 | one;
    unsigned count = 0, kept = 0;
    for (unsigned i = 0; i < 3; i++) /* of every kind: held, gone, held again where one was gone */
        for (unsigned n = 0; n < trees[i]->count; n++)
            all[count++] = trees[i]->item[n].handle;
    const uint32_t forged[] = {
        0,
        1,
        UINT32_MAX,
        own & ~top, /* no generation */
        own + one,  /* never given out */
        own + 2 * one,
        own ^ 0x2000u << 16,
        (own & ~top) | top,
        own & ~FLUE_HANDLE_KIND_MASK, /* no kind */
        none | (rows[kind] - 1),      /* a row that was never used */
        none | rows[kind],            /* no such row */
        none | 0x8000,
        none | 0xFFFF,
    };
    memcpy(all + count, forged, sizeof forged);
    count += sizeof forged / sizeof *forged;
    for (unsigned i = 0; i < FORGED; i++) {
        uint32_t any = (uint32_t)flue_rng_next(&t->rig->rng);
        all[count++] = i & 1 ? any : own ^ 1u << (any & 31);
    }
    for (unsigned i = 0; i < count; i++)
        if (verdict(t, all[i], kind, ipv6) != FLUE_AD_NONE)
            handle[kept++] = all[i];
    return kept;
}

/* ---- in trees ---- */

static const unsigned FULL[4] = {0, NeighborOffloadState, Ip4OffloadState, TcpOffloadState};

/* One tree of references, every handle wrong but that of the last node. */
static void references(struct trees *t, unsigned opcode, unsigned kind, bool ipv6)
{
    static const unsigned CACHED[4] = {0, NeighborOffloadCachedState, Ip4OffloadCachedState, TcpOffloadCachedState};
    static const unsigned DELEGATED[4] = {0, NeighborOffloadDelegatedState, Ip4OffloadState, TcpOffloadDelegatedState};
    uint32_t handle[256], state[TREE_WORDS];
    unsigned count = wrong_handles(t, kind, ipv6, handle);
    unsigned type = opcode == FLUE_OP_UPDATE ? CACHED[kind] : opcode == FLUE_OP_TERMINATE ? DELEGATED[kind] : FULL[kind];
    if (ipv6)
        type = opcode == FLUE_OP_UPDATE ? Ip6OffloadCachedState : Ip6OffloadState;
    bool stateful = opcode == FLUE_OP_QUERY || opcode == FLUE_OP_UPDATE || (opcode == FLUE_OP_TERMINATE && kind != 2);
    memset(state, 0, sizeof state);
    if (opcode == FLUE_OP_UPDATE && kind == 2)
        state[0] = 1400;
    tree_clear(&tree);
    for (unsigned i = 0; i < count; i++)
        tree_add(&tree, FLUE_NODE_REFERENCE, 0, type, stateful ? state : NULL)->handle = handle[i];
    if (opcode == FLUE_OP_QUERY) /* a right one beside them is served */
        tree_add(&tree, FLUE_NODE_REFERENCE, 0, type, state)->handle =
            watched.family.item[kind == 1   ? 0
                                : kind == 2 ? (ipv6 ? 3 : 1)
                                            : 2]
                .handle;
    trees_run(t, opcode, &tree);
    for (unsigned i = 0; i < tree.count; i++) {
        unsigned want = i < count ? verdict(t, handle[i], kind, ipv6) : FLUE_AD_NONE;
        CHECK(tree.item[i].detail == want && tree.item[i].status == (want ? TREE_FAILURE : TREE_OK),
              "width %u: opcode %u, kind %u, handle 0x%x: status 0x%x detail %u, should be %u", t->rig->width, opcode, kind,
              tree.item[i].handle, tree.item[i].status, tree.item[i].detail, want);
        CHECK(i >= count || !memcmp(tree.item[i].state, state, 4 * tree.item[i].words),
              "a state came back with a wrong handle");
    }
}

/* A connection that says it is held already, below a path that is right. */
static void loads(struct trees *t)
{
    uint32_t handle[256], state[TREE_WORDS];
    unsigned count = wrong_handles(t, 3, false, handle), asked = 0;
    tree_clear(&tree);
    tree_add(&tree, FLUE_NODE_REFERENCE, 0, Ip4OffloadState, NULL)->handle = watched.family.item[1].handle;
    for (unsigned i = 0; i < count; i++) {
        if (handle[i] == 0)
            continue; /* that is a new one */
        random_tcp(t, state);
        tree_add(&tree, FLUE_NODE_NEW, 1, TcpOffloadState, state)->handle = handle[i];
        handle[asked++] = handle[i];
    }
    trees_run(t, FLUE_OP_INITIATE | FLUE_SQE_LOAD_ONLY_MASK, &tree);
    CHECK(tree.item[0].status == TREE_FAILURE, "the linker: 0x%x", tree.item[0].status);
    for (unsigned i = 0; i < asked; i++) {
        unsigned want = verdict(t, handle[i], 3, false);
        CHECK(tree.item[1 + i].detail == want && tree.item[1 + i].handle == 0,
              "width %u: load of handle 0x%x: handle 0x%x status 0x%x detail %u, should be %u", t->rig->width, handle[i],
              tree.item[1 + i].handle, tree.item[1 + i].status, tree.item[1 + i].detail, want);
    }
}

static void in_trees(struct trees *t)
{
    static const unsigned OPCODES[] = {FLUE_OP_INITIATE, FLUE_OP_QUERY, FLUE_OP_UPDATE, FLUE_OP_INVALIDATE, FLUE_OP_TERMINATE};
    watch_begin(t, &watched);
    history(t);
    for (unsigned i = 0; i < sizeof OPCODES / sizeof *OPCODES && !check_failures; i++)
        for (unsigned layer = 0; layer < 4 && !check_failures; layer++) {
            static const unsigned KIND[4] = {1, 2, 2, 3};
            if (OPCODES[i] == FLUE_OP_INITIATE && layer == 3)
                loads(t);
            else
                references(t, OPCODES[i], KIND[layer], layer == 2);
        }
    trees_give_back(t, watched.first.entry, watched.first.entries);
    watch_same(t, &watched, "wrong handles in trees");
    watch_serves(t, &watched);
    watch_same(t, &watched, "a good tree");
}

/* CH-021: a node with a wrong handle fails with the reason, all pairs of kinds; what its handle resembles is as it
 * was. */
TEST(a_wrong_handle_in_a_tree_fails_its_node_alone)
{
    trees_shortly(in_trees);
}

/* ---- in commands ---- */

static void in_commands(struct trees *t)
{
    static const struct {
        unsigned opcode, kind;
    } COMMANDS[] = {{FLUE_OP_HOLD, 2}, {FLUE_OP_START, 3}, {FLUE_OP_RELEASE, 3}, {FLUE_OP_ABORT, 3}, {FLUE_OP_FORWARD, 3}};
    watch_begin(t, &watched);
    history(t);
    for (unsigned i = 0; i < sizeof COMMANDS / sizeof *COMMANDS && !check_failures; i++) {
        uint32_t handle[256];
        unsigned count = wrong_handles(t, COMMANDS[i].kind, false, handle);
        for (unsigned n = 0; n < count; n++) {
            struct flue_admin_done done;
            unsigned want = verdict(t, handle[n], COMMANDS[i].kind, false);
            if (COMMANDS[i].opcode == FLUE_OP_HOLD && !verdict(t, handle[n], 2, true))
                continue; /* a path of either version */
            struct flue_sqe sqe = {.word0 = COMMANDS[i].opcode,
                                   .word1 = watched.buffer.region,
                                   .length = COMMANDS[i].opcode == FLUE_OP_FORWARD ? 20 : 0,
                                   .handle = handle[n],
                                   .arg = {(uint32_t)flue_rng_next(&t->rig->rng)}};
            if (!trees_command(t, &sqe, &done))
                return;
            CHECK(done.status == (uint32_t)NDIS_STATUS_INVALID_PARAMETER && done.detail == want && done.result == 0,
                  "width %u: opcode %u, handle 0x%x: status 0x%x detail %u, should be %u", t->rig->width, COMMANDS[i].opcode,
                  handle[n], done.status, done.detail, want);
        }
    }
    trees_give_back(t, watched.first.entry, watched.first.entries);
    watch_same(t, &watched, "wrong handles in commands");
    watch_end(t, &watched, true);
}

/* CH-021: the commands that name one object refuse a wrong handle with the reason, and touch nothing. */
TEST(a_wrong_handle_in_a_command_is_refused)
{
    trees_shortly(in_commands);
}

int main(int argc, char **argv)
{
    return trees_main(argc, argv, NULL, NULL);
}
