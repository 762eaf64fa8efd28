/*
 * A bit of a table row flips (register FAULT_TABLE): it is found, named by table, row and word, and harms nobody else.
 *
 * PROGRAM [--long] [--seed N] [name ...]   --long: as many at every width as at W = 32
 */
#include "trees.h"

static struct tree tree;

static void flip(struct trees *t, unsigned table, unsigned row, unsigned word, unsigned bit)
{
    uint32_t value = table << FLUE_FAULT_TABLE_TABLE_SHIFT | row << FLUE_FAULT_TABLE_ROW_SHIFT |
                     word << FLUE_FAULT_TABLE_WORD_SHIFT | bit << FLUE_FAULT_TABLE_BITNR_SHIFT | FLUE_FAULT_TABLE_FLIP_MASK;
    CHECK_EQ(t->rig->link->ops->write32(t->rig->link, FLUE_REG_FAULT_TABLE, value), FLUE_OK);
    trees_pass(t, 10);
}

/* A neighbor, a path, two connections. */
static void family(struct trees *t)
{
    uint32_t state[TREE_WORDS];
    bool ipv6 = flue_rng_below(&t->rig->rng, 2);
    tree_clear(&tree);
    random_neighbor(t, state);
    tree_add(&tree, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
    random_path(t, ipv6, state);
    tree_add(&tree, FLUE_NODE_NEW, 1, ipv6 ? Ip6OffloadState : Ip4OffloadState, state);
    for (unsigned i = 0; i < 2; i++) {
        random_tcp(t, state);
        tree_add(&tree, FLUE_NODE_NEW, 2, TcpOffloadState, state);
    }
    trees_run(t, FLUE_OP_INITIATE, &tree);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(tree.item[i].status, TREE_OK);
}

static void refer(void)
{
    for (unsigned i = 0; i < tree.count; i++)
        tree.item[i].kind = FLUE_NODE_REFERENCE;
}

static unsigned notices_of(const struct trees *t, enum flue_cqe_kind kind, uint32_t mask, uint32_t result)
{
    unsigned count = 0;
    for (unsigned i = 0; i < t->notices; i++)
        count += t->notice[i].kind == kind && (t->notice[i].result & mask) == (result & mask);
    return count;
}

/* Flip one bit of node `victim`, query all: the victim fails and is named, the rest answers; then everything is given back. */
static void one(struct trees *t, unsigned victim, unsigned word)
{
    family(t);
    struct tree_item *bad = &tree.item[victim];
    unsigned table = bad->handle >> FLUE_HANDLE_KIND_SHIFT, row = bad->handle & FLUE_HANDLE_INDEX_MASK;
    uint32_t named = FLUE_TABLE_ERROR_VALID_MASK | table << FLUE_TABLE_ERROR_TABLE_SHIFT | word << FLUE_TABLE_ERROR_WORD_SHIFT |
                     row << FLUE_TABLE_ERROR_ROW_SHIFT;
    uint32_t handle = bad->handle;

    t->notices = 0;
    flip(t, table, row, word, flue_rng_below(&t->rig->rng, 32));
    refer();
    trees_run(t, FLUE_OP_QUERY, &tree);
    trees_pass(t, 100);
    CHECK(bad->status == TREE_FAILURE, "width %u table %u row %u word %u: query says 0x%x detail %u", t->rig->width, table, row,
          word, bad->status, bad->detail);
    CHECK(notices_of(t, FLUE_CQ_TABLE_ERROR, UINT32_MAX, named) == 1,
          "width %u: table %u row %u word %u is named %u times in %u notices", t->rig->width, table, row, word,
          notices_of(t, FLUE_CQ_TABLE_ERROR, UINT32_MAX, named), t->notices);
    if (table == FLUE_TBL_CONNECTION) {
        CHECK_EQ(notices_of(t, FLUE_CQ_UPLOAD_REQUEST, UINT32_MAX, handle), 1);
        CHECK_EQ(notices_of(t, FLUE_CQ_ABORT_IND, UINT32_MAX, handle), 1);
        CHECK_EQ(tree.item[victim == 2 ? 3 : 2].status, TREE_OK); /* its sibling */
    }

    /* Terminate makes one completion: FAILURE for the corrupt one, and everything is free again (CH-151, CH-152). */
    for (unsigned i = 0; i < tree.count; i++) {
        tree.item[i].words = 0;
        tree.item[i].type = i == 0 ? NeighborOffloadState : i == 1 ? tree.item[1].type : TcpOffloadState;
    }
    trees_run(t, FLUE_OP_TERMINATE, &tree);
    CHECK(bad->status == TREE_FAILURE, "width %u table %u word %u: terminate says 0x%x", t->rig->width, table, word,
          bad->status);
    CHECK(trees_hold(t, 0, 0, 0), "width %u table %u word %u: objects are left", t->rig->width, table, word);
    CHECK_EQ(t->traps, 0);
}

/* Words that a query of the whole object reads. */
static void flips(struct trees *t)
{
    struct flue_rng *rng = &t->rig->rng;
    unsigned rounds = trees_long || t->rig->width == 32 ? 6 : 2; /* the tables know no width */
    for (unsigned round = 0; round < rounds && !check_failures; round++) {
        one(t, 0, 5 + flue_rng_below(rng, 5));
        unsigned word = 5 + flue_rng_below(rng, 9);
        one(t, 1, word < 6 ? word : word + 1); /* word 6 is the index's */
        one(t, 2 + flue_rng_below(rng, 2), 8 + flue_rng_below(rng, 35));
    }
    rig_expect_alive(t->rig);
}

/* CH-151: a flipped bit of a neighbor, a path or a connection fails that object alone and is named. */
TEST(a_flipped_bit_in_each_table_is_found_and_named)
{
    trees_everywhere(flips);
}

/* The word that only the index reads; the firmware may write it anew before anything reads it. */
static void key_flips(struct trees *t)
{
    family(t);
    struct tree again = tree;
    uint32_t row = tree.item[1].handle & FLUE_HANDLE_INDEX_MASK;
    flip(t, FLUE_TBL_PATH, row, 6, flue_rng_below(&t->rig->rng, 32));
    refer();
    for (unsigned i = 0; i < tree.count; i++)
        tree.item[i].words = 0;
    trees_run(t, FLUE_OP_TERMINATE, &tree);
    trees_hold(t, 0, 0, 0);

    for (unsigned i = 0; i < again.count; i++)
        again.item[i].handle = 0;
    trees_run(t, FLUE_OP_INITIATE, &again);
    for (unsigned i = 0; i < again.count; i++)
        CHECK(again.item[i].status == TREE_OK, "width %u node %u: 0x%x detail %u", t->rig->width, i, again.item[i].status,
              again.item[i].detail);
}

/* CH-152: a flipped bit of a key does not keep its entry from being removed: the same key can come again. */
TEST(a_flipped_bit_of_a_key_leaves_no_entry_behind)
{
    trees_everywhere(key_flips);
}

int main(int argc, char **argv)
{
    return trees_main(argc, argv, NULL, NULL);
}
