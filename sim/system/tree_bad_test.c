/*
 * Trees that are wrong in any word: an answer for the node or the command, nothing read outside the region (the memory monitor
 * of the simulator sees to that), no other object touched.
 */
#include "trees.h"

enum { ROUNDS = 120 };

static struct tree tree, witness;

static uint32_t edge(struct trees *t, uint32_t was)
{
    static const uint32_t EDGES[] = {0, 1, 3, 4, 31, 32, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF, TREE_BYTES};
    uint32_t n = flue_rng_below(&t->rig->rng, 16);
    return n < 11 ? EDGES[n] : n < 14 ? was ^ 1u << flue_rng_below(&t->rig->rng, 32) : (uint32_t)flue_rng_next(&t->rig->rng);
}

/* HND-006: one to three words of header, nodes or states mutated. */
static void mutated(struct trees *t)
{
    uint32_t state[TREE_WORDS];
    tree_clear(&witness);
    random_neighbor(t, state);
    tree_add(&witness, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
    random_path(t, false, state);
    tree_add(&witness, FLUE_NODE_NEW, 1, Ip4OffloadState, state);
    trees_run(t, FLUE_OP_INITIATE, &witness);
    uint32_t neighbor = witness.item[0].handle, path = witness.item[1].handle;
    for (unsigned i = 0; i < ROUNDS && !check_failures; i++) {
        struct flue_admin_done done;
        tree_clear(&tree);
        random_neighbor(t, state);
        tree_add(&tree, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
        random_path(t, true, state);
        tree_add(&tree, FLUE_NODE_NEW, 1, Ip6OffloadState, state);
        random_tcp(t, state);
        tree_add(&tree, FLUE_NODE_NEW, 2, TcpOffloadState, state);
        uint32_t bytes = tree_marshal(t, &tree), *word = t->mem.addr;
        for (unsigned n = 1 + flue_rng_below(&t->rig->rng, 3); n; n--) {
            uint32_t at = flue_rng_below(&t->rig->rng, flue_rng_below(&t->rig->rng, 4) ? 32 : bytes / 4);
            word[at] = edge(t, word[at]);
        }
        struct flue_sqe sqe = {.word0 = FLUE_OP_INITIATE, .word1 = t->mem.region, .length = bytes};
        if (flue_rng_below(&t->rig->rng, 6) == 0)
            sqe.length = edge(t, bytes);
        if (flue_rng_below(&t->rig->rng, 6) == 0)
            sqe.offset = edge(t, 0);
        if (!trees_command(t, &sqe, &done))
            return;
        /* What was taken is given back, found by LIST: everything but the witness, dependents first. */
        uint32_t most = t->info.connections + t->info.paths + t->info.neighbors;
        struct flue_sqe list = {.word0 = FLUE_OP_LIST,
                                .word1 = t->mem.region,
                                .length = most * (uint32_t)sizeof(struct flue_list_entry),
                                .arg = {1u << FLUE_HANDLE_KIND_SHIFT}};
        if (!trees_command(t, &list, &done) || done.status != TREE_OK)
            break;
        const struct flue_list_entry *entry = t->mem.addr;
        tree_clear(&tree);
        for (uint32_t n = done.result; n; n--) {
            uint32_t handle = entry[n - 1].handle;
            static const unsigned TYPE[4] = {0, NeighborOffloadState, Ip4OffloadState, TcpOffloadState};
            unsigned kind = handle >> FLUE_HANDLE_KIND_SHIFT;
            if (handle == neighbor || handle == path)
                continue;
            unsigned type = kind == 2 && (entry[n - 1].row_state & FLUE_ROW_HEAD_IPV6_MASK) ? Ip6OffloadState : TYPE[kind];
            tree_add(&tree, FLUE_NODE_REFERENCE, 0, type, NULL)->handle = handle;
        }
        for (unsigned n = 0; n < tree.count; n++) {
            struct tree one = {.count = 1};
            one.item[0] = tree.item[n];
            trees_run(t, FLUE_OP_TERMINATE, &one);
            CHECK(one.item[0].status == TREE_OK, "round %u: handle 0x%x: 0x%x detail %u", i, tree.item[n].handle,
                  one.item[0].status, one.item[0].detail);
        }
        CHECK_EQ(trees_held(t, 1), 1);
        CHECK_EQ(trees_held(t, 2), 1);
        CHECK_EQ(trees_held(t, 3), 0);
    }
    witness.item[1].kind = FLUE_NODE_REFERENCE;
    witness.item[0] = witness.item[1];
    witness.item[0].depth = 0;
    witness.count = 1;
    memcpy(state, witness.item[0].state, sizeof state);
    trees_run(t, FLUE_OP_QUERY, &witness);
    CHECK(witness.item[0].status == TREE_OK && !memcmp(state, witness.item[0].state, 4 * PATH_WORDS), "the witness changed");
    CHECK_EQ(t->traps, 0);
}

TEST(a_tree_with_wrong_words_is_answered_and_touches_nothing_else)
{
    trees_everywhere(mutated);
}

TEST_MAIN(1)
