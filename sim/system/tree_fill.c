/*
 * Giving back what is held, and filling the tables to what is advertised and beyond.
 */
#include "trees.h"

static struct tree tree;

/* ---- giving back ---- */

static bool kept(uint32_t handle, const struct flue_list_entry *keep, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (keep[i].handle == handle)
            return true;
    return false;
}

void trees_give_back(struct trees *t, const struct flue_list_entry *keep, unsigned count)
{
    static struct flue_list_entry entry[TREE_OBJECTS];
    static const unsigned TYPE[4] = {0, NeighborOffloadState, Ip4OffloadState, TcpOffloadState};
    unsigned held = trees_list(t, entry, TREE_OBJECTS), below = 0;
    tree_clear(&tree);
    for (unsigned i = held; i-- > 0;) { /* LIST goes from neighbors to connections */
        unsigned kind = entry[i].handle >> FLUE_HANDLE_KIND_SHIFT;
        if (kept(entry[i].handle, keep, count))
            continue;
        if (kind != below && kind != 1) /* siblings are of one layer, and the roots are the neighbors */
            tree_add(&tree, FLUE_NODE_PLACEHOLDER, 0, 0, NULL);
        below = kind;
        unsigned type = kind == 2 && (entry[i].row_state & FLUE_ROW_HEAD_IPV6_MASK) ? Ip6OffloadState : TYPE[kind];
        tree_add(&tree, FLUE_NODE_REFERENCE, kind != 1, type, NULL)->handle = entry[i].handle;
    }
    if (tree.count == 0)
        return;
    trees_run(t, FLUE_OP_TERMINATE, &tree);
    for (unsigned i = 0; i < tree.count; i++)
        CHECK(tree.item[i].status == TREE_OK, "width %u: handle 0x%x is not given back: 0x%x detail %u", t->rig->width,
              tree.item[i].handle, tree.item[i].status, tree.item[i].detail);
}

/* ---- filling ---- */

/* Keys that differ in as little as possible, in places that a weak hash folds together. */
static void hostile_path(unsigned n, uint32_t *state)
{
    memset(state, 0, 4 * PATH_WORDS);
    state[0] = 0x0100000A;
    state[4] = n << 16 | n; /* halves that cancel in a sum or an exclusive or */
    state[8] = 1500;
}

static void expect_node(struct trees *t, unsigned i, uint32_t status, unsigned detail)
{
    CHECK(tree.item[i].status == status && tree.item[i].detail == detail,
          "width %u: node %u of %u type %u: status 0x%x detail %u, should be 0x%x %u", t->rig->width, i, tree.count,
          tree.item[i].type, tree.item[i].status, tree.item[i].detail, status, detail);
}

/* One neighbor has all paths, its first path all connections, and there are the other neighbors; two too many of each. */
static void too_many(struct trees *t, const unsigned room[3], bool hostile)
{
    uint32_t state[TREE_WORDS];
    tree_clear(&tree);
    for (unsigned i = 0; i < room[0] + 2; i++) {
        random_neighbor(t, state);
        if (hostile)
            state[1] &= ~FLUE_WIRE_NEIGHBOR_CONST_VLAN_ID_MASK;
        tree_add(&tree, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
        if (i)
            continue;
        for (unsigned p = 0; p < room[1] + 2; p++) {
            if (hostile)
                hostile_path(p, state);
            else
                random_path(t, p & 1, state);
            tree_add(&tree, FLUE_NODE_NEW, 1, !hostile && (p & 1) ? Ip6OffloadState : Ip4OffloadState, state);
            if (p)
                continue;
            for (unsigned c = 0; c < room[2] + 2; c++) {
                random_tcp(t, state);
                if (hostile)
                    state[1] = c << 16 | c;
                tree_add(&tree, FLUE_NODE_NEW, 2, TcpOffloadState, state);
            }
        }
    }
}

void trees_fill(struct trees *t, bool hostile)
{
    static struct flue_list_entry before[TREE_OBJECTS];
    static const uint32_t FULL[3] = {(uint32_t)NDIS_STATUS_OFFLOAD_NEIGHBOR_ENTRIES, (uint32_t)NDIS_STATUS_OFFLOAD_PATH_ENTRIES,
                                     (uint32_t)NDIS_STATUS_OFFLOAD_TCP_ENTRIES};
    unsigned held = trees_list(t, before, TREE_OBJECTS), seen[3] = {0};
    unsigned room[3] = {t->info.neighbors, t->info.paths, t->info.connections};
    for (unsigned i = 0; i < held; i++)
        room[(before[i].handle >> FLUE_HANDLE_KIND_SHIFT) - 1]--;
    too_many(t, room, hostile);
    trees_run(t, FLUE_OP_INITIATE, &tree);
    for (unsigned i = 0; i < tree.count && check_failures < 5; i++) {
        unsigned layer = tree.item[i].depth;
        if (seen[layer]++ >= room[layer]) {
            expect_node(t, i, FULL[layer], FLUE_AD_LIMIT);
            CHECK_EQ(tree.item[i].handle, 0);
        } else {
            /* A new parent of which a dependent was refused is PARTIAL, and held. */
            bool partial = i == 0 || (layer == 1 && seen[1] == 1);
            expect_node(t, i, partial ? (uint32_t)NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS : TREE_OK, FLUE_AD_NONE);
            CHECK(tree.item[i].handle != 0, "node %u has no handle", i);
        }
    }
    trees_hold(t, t->info.neighbors, t->info.paths, t->info.connections);
    trees_give_back(t, before, held);
    CHECK_EQ(trees_list(t, before, TREE_OBJECTS), held);
}
