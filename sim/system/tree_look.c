#include "tree_look.h"

enum { BAIT_BYTES = 4096, BAIT = 0x5A, TICK_US = 100000 };

/* ---- the family ---- */

/* Nothing of it moves by itself: no timer runs, the timestamp's age is as old as it gets. */
static void still_tcp(struct trees *t, uint32_t *state)
{
    random_tcp(t, state);
    state[TREE_PART(ts_recent_age)] = UINT32_MAX;
    state[TREE_PART(ka_timeout_delta)] = UINT32_MAX;
    state[TREE_PART(rexmit_timeout_delta)] = UINT32_MAX;
}

void family_new(struct trees *t, struct tree *tree)
{
    uint32_t state[TREE_WORDS];
    tree_clear(tree);
    random_neighbor(t, state);
    tree_add(tree, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        random_path(t, ipv6, state);
        tree_add(tree, FLUE_NODE_NEW, 1, ipv6 ? Ip6OffloadState : Ip4OffloadState, state);
        still_tcp(t, state);
        tree_add(tree, FLUE_NODE_NEW, 2, TcpOffloadState, state);
    }
    for (unsigned i = 0; i < tree->count; i++)
        tree->item[i].host_handle = flue_rng_next(&t->rig->rng);
}

/* ---- looking ---- */

static void look_list(struct trees *t, struct look *look)
{
    look->entries = trees_list(t, look->entry, TREE_OBJECTS);
}

static void look_all(struct trees *t, struct watched *w, struct look *look)
{
    struct tree tree = w->family;
    struct flue_admin_done done;
    look_list(t, look);
    for (uint32_t i = 0; i < 2; i++) {
        struct flue_sqe sqe = {.word0 = FLUE_OP_GET_STATS, .arg = {FLUE_SG_TCP4 + i}};
        CHECK(flue_admin_call(t->admin, &sqe, &look->tcp[i], sizeof look->tcp[i], &done) == FLUE_OK && done.status == TREE_OK,
              "GET_STATS: 0x%x", done.status);
    }
    for (unsigned i = 0; i < tree.count; i++)
        tree.item[i].kind = FLUE_NODE_REFERENCE;
    trees_run(t, FLUE_OP_QUERY, &tree);
    look->from_us = t->before_us;
    look->to_us = t->after_us;
    for (unsigned i = 0; i < tree.count; i++) {
        CHECK(tree.item[i].status == TREE_OK, "query of the family: node %u: 0x%x detail %u", i, tree.item[i].status,
              tree.item[i].detail);
        memcpy(look->state[i], tree.item[i].state, sizeof look->state[i]);
    }
}

/* Words that grow with time: both reachability clocks, TsTime. */
static bool grows(const struct tree *family, unsigned node, unsigned word)
{
    return family->item[node].depth == 0 ? word >= 4 : family->item[node].depth == 2 && word == TREE_PART(ts_time);
}

static void same_states(struct trees *t, struct watched *w, const struct look *now, const char *after)
{
    uint32_t most = (uint32_t)((now->to_us - w->first.from_us) / TICK_US + 1);
    for (unsigned i = 0; i < w->family.count; i++)
        for (unsigned word = 0; word < w->family.item[i].words; word++) {
            uint32_t is = now->state[i][word], was = w->first.state[i][word];
            CHECK(grows(&w->family, i, word) ? is - was <= most : is == was,
                  "width %u: after %s: word %u of node %u of the family is 0x%x, was 0x%x", t->rig->width, after, word, i, is,
                  was);
        }
}

static void same_surroundings(struct trees *t, struct watched *w, const char *after)
{
    struct flue_sim_stats stats;
    flue_sim_stats(t->rig->sim, &stats);
    CHECK(stats.dma_errors == w->errors, "width %u: after %s: the bait was read", t->rig->width, after);
    const uint8_t *bait = w->bait.addr;
    for (unsigned i = 0; i < BAIT_BYTES; i++)
        if (bait[i] != BAIT) {
            CHECK(false, "width %u: after %s: the bait was written at %u", t->rig->width, after, i);
            break;
        }
    CHECK(t->traps == 0, "width %u: after %s: trap, cause %u at 0x%x", t->rig->width, after, t->trap.cause, t->trap.pc);
    CHECK(t->notices == 0, "width %u: after %s: notice %d", t->rig->width, after, t->notice[0].kind);
}

static void same_list(struct trees *t, struct watched *w, const struct look *now, const char *after)
{
    CHECK(now->entries == w->first.entries, "width %u: after %s: %u objects are held, were %u", t->rig->width, after,
          now->entries, w->first.entries);
    for (unsigned i = 0; i < now->entries && i < w->first.entries; i++)
        CHECK(!memcmp(&now->entry[i], &w->first.entry[i], sizeof now->entry[i]),
              "width %u: after %s: object 0x%x has state 0x%x, %u references; was 0x%x: 0x%x, %u", t->rig->width, after,
              now->entry[i].handle, now->entry[i].row_state, now->entry[i].refs, w->first.entry[i].handle,
              w->first.entry[i].row_state, w->first.entry[i].refs);
}

bool watch_same_list(struct trees *t, struct watched *w, const char *after)
{
    static struct look now;
    look_list(t, &now);
    same_list(t, w, &now, after);
    same_surroundings(t, w, after);
    return !check_failures;
}

bool watch_same(struct trees *t, struct watched *w, const char *after)
{
    static struct look now;
    look_all(t, w, &now);
    same_list(t, w, &now, after);
    same_states(t, w, &now, after);
    CHECK(!memcmp(now.tcp, w->first.tcp, sizeof now.tcp),
          "width %u: after %s: CurrentlyEstablished is %u and %u, was %u and %u", t->rig->width, after,
          now.tcp[0].currently_established, now.tcp[1].currently_established, w->first.tcp[0].currently_established,
          w->first.tcp[1].currently_established);
    same_surroundings(t, w, after);
    return !check_failures;
}

/* ---- begin, serve, end ---- */

static void region(struct trees *t, size_t bytes, struct flue_mem *mem)
{
    enum flue_err err = flue_mem_alloc(t->rig->adapter, bytes, FLUE_ACCESS_READ_WRITE, mem);
    if (err) {
        printf("width %u: a region more: %s\n", t->rig->width, flue_err_name(err));
        exit(1);
    }
}

void watch_begin(struct trees *t, struct watched *w)
{
    struct flue_cfg_connection connection;
    memset(w, 0, sizeof *w);
    region(t, LOOK_BUFFER, &w->buffer);
    region(t, BAIT_BYTES, &w->bait);
    memset(w->bait.addr, BAIT, BAIT_BYTES);
    uint64_t at = (uintptr_t)w->bait.addr;
    CHECK_EQ(flue_sim_memory_error(t->rig->sim,
                                   &(struct flue_sim_memory_error){.count = UINT64_MAX, .lo = at, .hi = at + BAIT_BYTES}),
             FLUE_OK);
    if (trees_config(t, FLUE_CFG_CONNECTION, false, &connection, sizeof connection)) {
        connection.ticks_per_second = 1000000 / TICK_US;
        trees_config(t, FLUE_CFG_CONNECTION, true, &connection, sizeof connection);
    }
    family_new(t, &w->family);
    trees_run(t, FLUE_OP_INITIATE, &w->family);
    for (unsigned i = 0; i < w->family.count; i++)
        CHECK_EQ(w->family.item[i].status, TREE_OK);
    look_all(t, w, &w->first);
}

void watch_serves(struct trees *t, struct watched *w)
{
    static struct tree good;
    trees_give_back(t, w->first.entry, w->first.entries);
    family_new(t, &good);
    trees_run(t, FLUE_OP_INITIATE, &good);
    for (unsigned i = 0; i < good.count; i++)
        CHECK(good.item[i].status == TREE_OK, "width %u: a good tree: node %u: 0x%x detail %u", t->rig->width, i,
              good.item[i].status, good.item[i].detail);
    trees_give_back(t, w->first.entry, w->first.entries);
}

void watch_end(struct trees *t, struct watched *w, bool full)
{
    watch_serves(t, w);
    watch_same(t, w, "a good tree");
    if (full || trees_long)
        trees_fill(t, false);
    trees_give_back(t, NULL, 0);
    trees_hold(t, 0, 0, 0);
    rig_expect_alive(t->rig);
}

uint32_t *watch_put(struct trees *t, struct watched *w, const struct tree *tree, uint32_t *bytes, uint32_t *offset)
{
    *bytes = tree_marshal(t, tree);
    *offset = (LOOK_BUFFER - *bytes) & ~7u;
    memset(w->buffer.addr, BAIT, LOOK_BUFFER);
    memcpy((uint8_t *)w->buffer.addr + *offset, t->mem.addr, *bytes);
    return (uint32_t *)((uint8_t *)w->buffer.addr + *offset);
}
