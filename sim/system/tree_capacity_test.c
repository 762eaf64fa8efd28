/*
 * What is advertised is always accepted; the next beyond it gets the matching status; nothing leaks.
 *
 * PROGRAM [--cycles N] [--long] [--seed N] [name ...]   N initiates and terminates of a neighbor, a path and a connection at
 * W = 32, half of them with each seed, 150 without the option; --long tells how far it is and fills the tables at every width
 */
#include "trees.h"

static unsigned cycles_wanted = 150;
static struct tree tree;

static void expect_node(struct trees *t, unsigned i, uint32_t status, unsigned detail)
{
    CHECK(tree.item[i].status == status && tree.item[i].detail == detail,
          "width %u: node %u of %u type %u: status 0x%x detail %u, should be 0x%x %u", t->rig->width, i, tree.count,
          tree.item[i].type, tree.item[i].status, tree.item[i].detail, status, detail);
}

/* CH-149: taking and giving back leaves nothing behind, however often. */
static void take_and_give_back(struct trees *t)
{
    uint32_t state[TREE_WORDS];
    unsigned count = cycles_wanted / trees_rounds;
    for (unsigned i = 0; i < count && !check_failures; i++) {
        tree_clear(&tree);
        random_neighbor(t, state);
        tree_add(&tree, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
        random_path(t, i & 1, state);
        tree_add(&tree, FLUE_NODE_NEW, 1, i & 1 ? Ip6OffloadState : Ip4OffloadState, state);
        random_tcp(t, state);
        tree_add(&tree, FLUE_NODE_NEW, 2, TcpOffloadState, state);
        trees_run(t, FLUE_OP_INITIATE, &tree);
        for (unsigned n = 0; n < 3; n++)
            expect_node(t, n, TREE_OK, FLUE_AD_NONE);
        for (unsigned n = 0; n < 3; n++) {
            tree.item[n].kind = FLUE_NODE_REFERENCE;
            tree.item[n].words = 0;
        }
        trees_run(t, FLUE_OP_TERMINATE, &tree);
        for (unsigned n = 0; n < 3; n++)
            expect_node(t, n, TREE_OK, FLUE_AD_NONE);
        if (trees_long)
            trees_progress(t, i + 1, count, 500, "initiates and terminates");
    }
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
