/*
 * Updates and queries in flight together: every query shows all of what was updated before it and nothing of what comes after.
 *
 * PROGRAM [--rounds N] [--long] [--seed N] [name ...]   N rounds of overlapping commands, 12 without the option; --long: at
 * every width
 */
#include "trees.h"

static unsigned rounds = 12;

enum { FLIGHT = 8, SLOT = 4096, NODES = 4 };

static struct tree family; /* neighbor, path over IPv4, connection, path over IPv6; states as they are now */
static const unsigned CACHED_AT[3] = {2, 8, TCP_CACHED}; /* of the full state, by depth */

static const unsigned CACHED[NODES] = {NeighborOffloadCachedState, Ip4OffloadCachedState, TcpOffloadCachedState,
                                       Ip6OffloadCachedState};

struct flight {
    struct flue_admin_done done;
    struct tree tree;                     /* as it was sent */
    struct tree after;                    /* the family after it */
    enum flue_admin_detail detail[NODES]; /* expected of an update */
};

static struct flight flight[FLIGHT];

static void take_family(struct trees *t)
{
    uint32_t state[TREE_WORDS];
    tree_clear(&family);
    random_neighbor(t, state);
    tree_add(&family, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
    random_path(t, false, state);
    tree_add(&family, FLUE_NODE_NEW, 1, Ip4OffloadState, state);
    random_tcp(t, state);
    tree_add(&family, FLUE_NODE_NEW, 2, TcpOffloadState, state);
    random_path(t, true, state);
    tree_add(&family, FLUE_NODE_NEW, 1, Ip6OffloadState, state);
    struct tree taken = family;
    trees_run(t, FLUE_OP_INITIATE, &taken);
    for (unsigned i = 0; i < NODES; i++) {
        CHECK_EQ(taken.item[i].status, TREE_OK);
        family.item[i].handle = taken.item[i].handle;
        family.item[i].kind = FLUE_NODE_REFERENCE;
    }
}

/* New cached values that restart no timer; now and then one with a reserved bit, or too small. */
static void random_update(struct trees *t, struct flight *f)
{
    struct flue_rng *rng = &t->rig->rng;
    f->tree = family;
    for (unsigned i = 0; i < NODES; i++) {
        struct tree_item *item = &f->tree.item[i];
        uint32_t fresh[TREE_WORDS], *cached = family.item[i].state + CACHED_AT[item->depth];
        if (item->depth == 0)
            random_neighbor(t, fresh);
        else if (item->depth == 1)
            random_path(t, i == 3, fresh);
        else
            random_tcp(t, fresh);
        item->type = CACHED[i];
        item->words = tree_words(item->type);
        memcpy(item->state, fresh + CACHED_AT[item->depth], 4 * item->words);
        if (item->depth == 2) {
            item->state[0] = (item->state[0] & ~13u) | (cached[0] & 1); /* keepalive as it is, no restart flag */
            memcpy(item->state + 3, cached + 3, 16);                    /* its probes and times, MaxRT */
        }
        /* Below one that fails nothing is attempted. */
        bool below = i > 0 && (f->detail[0] || (i == 2 && f->detail[1]));
        f->detail[i] = below ? FLUE_AD_PARENT : flue_rng_below(rng, 8) == 0 ? FLUE_AD_VALUE : FLUE_AD_NONE;
        if (!f->detail[i])
            memcpy(cached, item->state, 4 * item->words);
        else if (item->depth == 1)
            item->state[0] = (uint32_t)flue_rng_below(rng, 68);
        else
            item->state[item->depth == 0 ? 1 : 8] |= 0x80000000;
    }
}

static void send(struct trees *t, unsigned slot, unsigned opcode)
{
    struct flight *f = &flight[slot];
    uint32_t bytes = tree_marshal(t, &f->tree), at = (slot + 1) * SLOT;
    memcpy((uint8_t *)t->mem.addr + at, t->mem.addr, bytes);
    struct flue_sqe sqe = {.word0 = opcode, .word1 = t->mem.region, .offset = at, .length = bytes};
    f->after = family;
    f->done = (struct flue_admin_done){0};
    CHECK_EQ(flue_admin_submit(t->admin, &sqe, &f->done), FLUE_OK);
}

static void expect_update(struct trees *t, unsigned slot, const struct flue_tree_node *node)
{
    for (unsigned i = 0; i < NODES; i++) {
        unsigned want = flight[slot].detail[i];
        CHECK(node[i].status == (want ? TREE_FAILURE : TREE_OK) && node[i].word7 == want,
              "width %u: update of node %u: status 0x%x detail %u, should be %u", t->rig->width, i, node[i].status,
              node[i].word7, want);
    }
}

/* Words that time moves: reachability clocks; TsRecentAge, TsTime, both timers. */
static bool moves(unsigned depth, unsigned word)
{
    return depth == 0 ? word >= 4
                      : depth == 2 && (word == TREE_PART(ts_recent_age) || word == TREE_PART(ts_time) ||
                                       word == TREE_PART(ka_timeout_delta) || word == TREE_PART(rexmit_timeout_delta));
}

static void expect_query(struct trees *t, unsigned slot, const struct flue_tree_node *node)
{
    for (unsigned i = 0; i < NODES; i++) {
        const struct tree_item *want = &flight[slot].after.item[i];
        const uint32_t *is = (const void *)((const uint8_t *)t->mem.addr + (slot + 1) * SLOT + node[i].offset);
        CHECK_EQ(node[i].status, TREE_OK);
        for (unsigned word = 0; word < want->words; word++) {
            uint32_t value = want->depth == 2 && word == TREE_PART(send_backlog) ? UINT32_MAX : want->state[word];
            CHECK(moves(want->depth, word) || is[word] == value,
                  "width %u: command %u: node %u word %u is 0x%x, should be 0x%x", t->rig->width, slot, i, word, is[word],
                  value);
        }
    }
}

static void overlapping(struct trees *t)
{
    take_family(t);
    for (unsigned round = 0; round < rounds && !check_failures; round++) {
        bool update[FLIGHT];
        for (unsigned slot = 0; slot < FLIGHT; slot++) {
            update[slot] = flue_rng_below(&t->rig->rng, 2);
            if (update[slot])
                random_update(t, &flight[slot]);
            else
                flight[slot].tree = family;
            send(t, slot, update[slot] ? FLUE_OP_UPDATE : FLUE_OP_QUERY);
        }
        CHECK_EQ(flue_admin_outstanding(t->admin), FLIGHT);
        for (unsigned i = 0; i < 1000 && flue_admin_outstanding(t->admin); i++)
            trees_pass(t, 100);
        for (unsigned slot = 0; slot < FLIGHT; slot++) {
            const struct flue_tree_node *node = (const void *)((const uint8_t *)t->mem.addr + (slot + 1) * SLOT + 32);
            const struct flue_admin_done *done = &flight[slot].done;
            CHECK(done->cookie == done && done->status == TREE_OK && done->result == NODES, "command %u: 0x%x detail %u", slot,
                  done->status, done->detail);
            if (update[slot])
                expect_update(t, slot, node);
            else
                expect_query(t, slot, node);
        }
        if (trees_long)
            trees_progress(t, round + 1, rounds, 10, "rounds of overlapping commands");
    }
}

/* CH-121, CH-124, CH-133, CH-134: a query is one moment, between the updates around it; overlapping commands all complete; a
 * failed update changes nothing, and none changes what is not cached. */
TEST(a_query_shows_all_updates_before_it_and_none_after)
{
    trees_shortly(overlapping);
}

int main(int argc, char **argv)
{
    return trees_main(argc, argv, "--rounds", &rounds);
}
