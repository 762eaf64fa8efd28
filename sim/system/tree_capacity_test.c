/*
 * What is advertised is always accepted; the next beyond it gets the matching status; nothing leaks.
 *
 * PROGRAM [--cycles N] [--long] [--seed N] [name ...]   N initiates and terminates of a connection (each eighth with its
 * neighbor and path) at W = 32, half of them with each seed, 300 without the option; --long tells how far it is and fills the
 * tables at every width
 */
#include "trees.h"

static unsigned cycles_wanted = 300;
static struct tree tree;

static void expect_node(struct trees *t, unsigned i, uint32_t status, unsigned detail)
{
    CHECK(tree.item[i].status == status && tree.item[i].detail == detail,
          "width %u: node %u of %u type %u: status 0x%x detail %u, should be 0x%x %u", t->rig->width, i, tree.count,
          tree.item[i].type, tree.item[i].status, tree.item[i].detail, status, detail);
}

/* The tree of a cycle: a connection below the path that is held; each eighth time its own neighbor and path as well. */
static void one_more(struct trees *t, unsigned cycle, uint32_t path)
{
    uint32_t state[TREE_WORDS];
    bool whole = cycle % 8 == 0, ipv6 = cycle & 8;
    tree_clear(&tree);
    if (whole) {
        random_neighbor(t, state);
        tree_add(&tree, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
        random_path(t, ipv6, state);
        tree_add(&tree, FLUE_NODE_NEW, 1, ipv6 ? Ip6OffloadState : Ip4OffloadState, state);
    } else {
        tree_add(&tree, FLUE_NODE_REFERENCE, 0, Ip4OffloadState, NULL)->handle = path;
    }
    random_tcp(t, state);
    tree_add(&tree, FLUE_NODE_NEW, whole ? 2 : 1, TcpOffloadState, state);
}

/* CH-149: taking and giving back leaves nothing behind, however often. */
static void take_and_give_back(struct trees *t)
{
    uint32_t state[TREE_WORDS];
    unsigned count = cycles_wanted / trees_rounds;
    tree_clear(&tree);
    random_neighbor(t, state);
    tree_add(&tree, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
    random_path(t, false, state);
    tree_add(&tree, FLUE_NODE_NEW, 1, Ip4OffloadState, state);
    trees_run(t, FLUE_OP_INITIATE, &tree);
    uint32_t path = tree.item[1].handle;
    for (unsigned i = 0; i < count && !check_failures; i++) {
        one_more(t, i, path);
        trees_run(t, FLUE_OP_INITIATE, &tree);
        for (unsigned n = 0; n < tree.count; n++)
            expect_node(t, n, TREE_OK, FLUE_AD_NONE);
        if (tree.count == 2) /* the path stays */
            tree.item[0] = (struct tree_item){.kind = FLUE_NODE_PLACEHOLDER};
        for (unsigned n = tree.count == 2; n < tree.count; n++) {
            tree.item[n].kind = FLUE_NODE_REFERENCE;
            tree.item[n].words = 0;
        }
        trees_run(t, FLUE_OP_TERMINATE, &tree);
        for (unsigned n = 0; n < tree.count; n++)
            expect_node(t, n, TREE_OK, FLUE_AD_NONE);
        if (trees_long)
            trees_progress(t, i + 1, count, 500, "initiates and terminates");
    }
    trees_hold(t, 1, 1, 0);
    trees_give_back(t, NULL, 0);
}

static void random_keys(struct trees *t)
{
    trees_fill(t, false);
}

static void hostile_keys(struct trees *t)
{
    trees_fill(t, true);
}

/* CH-149, CH-152: every row is still there after many cycles. */
static void leaks(struct trees *t)
{
    take_and_give_back(t);
    trees_fill(t, false);
    trees_fill(t, true);
}

TEST(nothing_leaks_over_many_cycles_and_every_row_is_still_there)
{
    trees_at(32, false, leaks);
}

/* CH-020, CH-031: each layer filled to its advertised size and two beyond, in walk order.  Width changes only how the tree is
 * read, so the short form has each kind of keys once. */
TEST(the_advertised_number_of_objects_is_accepted_and_the_next_refused)
{
    if (trees_long)
        trees_everywhere(random_keys);
    else
        trees_at(64, true, random_keys);
}

TEST(keys_chosen_to_collide_are_accepted_as_well)
{
    if (trees_long)
        trees_everywhere(hostile_keys);
    else
        trees_at(128, true, hostile_keys);
}

int main(int argc, char **argv)
{
    return trees_main(argc, argv, "--cycles", &cycles_wanted);
}
