/*
 * State goes down and comes back: random trees of legal states through initiate, query and terminate on RTL with firmware.
 *
 * PROGRAM [--trees N] [--long] [--seed N] [name ...]   N random trees, 200 without the option: three quarters at W = 32, the
 * rest at the other widths, half of them with each seed; --long tells how far it is and refuses at every width
 */
#include "trees.h"

static unsigned trees_wanted = 200;

struct expect {
    uint32_t state[TREE_WORDS];
    uint64_t t0_us, t1_us; /* when it went down */
};

static struct expect expect[TREE_NODES];
static struct tree tree;

/*
 * A random tree of new objects, at least one of each layer: mostly a neighbor, a path and a few connections, now and then
 * several of each.
 */
static void random_tree(struct trees *t)
{
    struct flue_rng *rng = &t->rig->rng;
    bool wide = flue_rng_below(rng, 8) == 0;
    unsigned paths = 0, tcps = 0;
    tree_clear(&tree);
    for (unsigned n = 0, neighbors = wide ? 1 + flue_rng_below(rng, 3) : 1; n < neighbors; n++) {
        uint32_t state[TREE_WORDS];
        random_neighbor(t, state);
        tree_add(&tree, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
        for (unsigned p = 0, want = wide ? 1 + flue_rng_below(rng, 3) : 1; p < want; p++, paths++) {
            bool ipv6 = flue_rng_below(rng, 2);
            random_path(t, ipv6, state);
            tree_add(&tree, FLUE_NODE_NEW, 1, ipv6 ? Ip6OffloadState : Ip4OffloadState, state);
            unsigned most = wide ? flue_rng_below(rng, 5) : flue_rng_below(rng, 4) == 0;
            for (unsigned c = 0; c < most + (paths == 0) && tcps < t->info.connections; c++, tcps++) {
                random_tcp(t, state);
                tree_add(&tree, FLUE_NODE_NEW, 2, TcpOffloadState, state);
            }
        }
    }
    for (unsigned i = 0; i < tree.count; i++)
        tree.item[i].host_handle = flue_rng_next(rng);
}

static void expect_status(struct trees *t, const char *what, uint32_t status)
{
    for (unsigned i = 0; i < tree.count; i++)
        CHECK(tree.item[i].status == status, "width %u: %s: node %u of %u (type %u): status 0x%x detail %u", t->rig->width,
              what, i, tree.count, tree.item[i].type, tree.item[i].status, tree.item[i].detail);
}

/* Down, with statuses and handles. */
static void initiate(struct trees *t)
{
    for (unsigned i = 0; i < tree.count; i++)
        memcpy(expect[i].state, tree.item[i].state, sizeof expect[i].state);
    trees_run(t, FLUE_OP_INITIATE, &tree);
    expect_status(t, "initiate", TREE_OK);
    for (unsigned i = 0; i < tree.count; i++) {
        expect[i].t0_us = t->before_us;
        expect[i].t1_us = t->after_us;
        CHECK(tree.item[i].handle >> FLUE_HANDLE_KIND_SHIFT == tree.item[i].depth + 1, "handle 0x%x", tree.item[i].handle);
    }
}

/* The same nodes as references to what they named, with room for states of the types that `type` gives. */
static void refer(unsigned (*type)(unsigned full))
{
    for (unsigned i = 0; i < tree.count; i++) {
        struct tree_item *item = &tree.item[i];
        unsigned full = item->depth == 0                                                      ? NeighborOffloadState
                        : item->depth == 2                                                    ? TcpOffloadState
                        : item->type >= Ip6OffloadConstState && item->type <= Ip6OffloadState ? Ip6OffloadState
                                                                                              : Ip4OffloadState;
        item->kind = FLUE_NODE_REFERENCE;
        item->type = type(full);
        item->words = tree_words(item->type);
        memset(item->state, 0xA5, sizeof item->state);
    }
}

static unsigned full_type(unsigned full)
{
    return full;
}

/* Delegated state where there is one; a path has none, its node names the layer. */
static unsigned delegated_type(unsigned full)
{
    return full == NeighborOffloadState ? NeighborOffloadDelegatedState
           : full == TcpOffloadState    ? TcpOffloadDelegatedState
                                        : full;
}

/* Ticks that may have passed between the state's going down and the last command. */
static void ticks_between(struct trees *t, const struct expect *e, uint32_t tick_us, uint32_t *least, uint32_t *most)
{
    *least = (uint32_t)(t->before_us / tick_us - e->t1_us / tick_us);
    if (t->before_us / tick_us < e->t1_us / tick_us)
        *least = 0;
    *most = (uint32_t)(t->after_us / tick_us - e->t0_us / tick_us);
}

static uint32_t left(uint32_t value, uint32_t past)
{
    return value == UINT32_MAX ? value : value > past ? value - past : 0;
}

static void same_words(struct trees *t, unsigned node, const uint32_t *seen, const uint32_t *want, unsigned from,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        CHECK(seen[i] == want[i], "width %u: node %u type %u word %u: 0x%x, should be 0x%x", t->rig->width, node,
              tree.item[node].type, from + i, seen[i], want[i]);
}

/* The delegated state `seen` is what went down, aged by one number of ticks that is possible. */
static void same_delegated(struct trees *t, unsigned node, const uint32_t *seen, bool query, uint32_t tick_us)
{
    const struct expect *e = &expect[node];
    const struct flue_wire_tcp_delegated *down = (const void *)(e->state + TCP_DELEGATED);
    struct flue_wire_tcp_delegated want = *down;
    const struct flue_wire_tcp_delegated *now = (const void *)seen;
    uint32_t least, most, past = now->ts_time - down->ts_time;
    ticks_between(t, e, tick_us, &least, &most);
    CHECK(past >= least && past <= most, "width %u: %u ticks passed, should be %u to %u", t->rig->width, past, least, most);
    want.ts_time += past;
    want.ts_recent_age = down->ts_recent_age > UINT32_MAX - past ? UINT32_MAX : down->ts_recent_age + past;
    want.ka_timeout_delta = left(down->ka_timeout_delta, past);
    want.rexmit_timeout_delta = left(down->rexmit_timeout_delta, past);
    if (query)
        want.send_backlog = UINT32_MAX; /* no preferred size */
    same_words(t, node, seen, (const uint32_t *)&want, TCP_DELEGATED, 22);
}

static void same_neighbor_time(struct trees *t, unsigned node, const char *what, uint32_t seen, uint32_t down, uint32_t tick_us)
{
    uint32_t least, most;
    ticks_between(t, &expect[node], tick_us, &least, &most);
    CHECK(seen - down >= least && seen - down <= most, "width %u: node %u %s: %u ticks passed, should be %u to %u",
          t->rig->width, node, what, seen - down, least, most);
}

static void query(struct trees *t, uint32_t tick_us)
{
    refer(full_type);
    trees_run(t, FLUE_OP_QUERY, &tree);
    expect_status(t, "query", TREE_OK);
    for (unsigned i = 0; i < tree.count; i++) {
        const uint32_t *seen = tree.item[i].state, *down = expect[i].state;
        if (tree.item[i].depth == 0) {
            same_words(t, i, seen, down, 0, 4);
            same_neighbor_time(t, i, "HostReachabilityDelta", seen[4], down[4], tick_us);
            same_neighbor_time(t, i, "NicReachabilityDelta", seen[5], down[5], tick_us);
        } else if (tree.item[i].depth == 1) {
            same_words(t, i, seen, down, 0, PATH_WORDS);
        } else {
            same_words(t, i, seen, down, 0, TCP_DELEGATED);
            same_delegated(t, i, seen + TCP_DELEGATED, true, tick_us);
        }
    }
}

static void terminate(struct trees *t, uint32_t tick_us)
{
    refer(delegated_type);
    for (unsigned i = 0; i < tree.count; i++)
        if (tree.item[i].depth == 1)
            tree.item[i].words = 0;
    trees_run(t, FLUE_OP_TERMINATE, &tree);
    expect_status(t, "terminate", TREE_OK);
    for (unsigned i = 0; i < tree.count; i++) {
        if (tree.item[i].depth == 0)
            same_neighbor_time(t, i, "NicReachabilityDelta", tree.item[i].state[0], expect[i].state[5], tick_us);
        else if (tree.item[i].depth == 2)
            same_delegated(t, i, tree.item[i].state, false, tick_us);
    }
}

/* CH-028, CH-120, CH-121, CH-122, CH-123, CH-125, CH-147, CH-148, CH-149: every field of every state comes back, relative
 * times less the ticks that passed. */
static void round_trips(struct trees *t)
{
    struct flue_cfg_connection connection;
    unsigned each = (trees_wanted + trees_rounds - 1) / trees_rounds, apart = (each + 7) / 8;
    unsigned count = t->rig->width == 32 ? each - 2 * apart : apart;
    for (unsigned i = 0; i < count && !check_failures; i++) {
        if (i % 16 == 0) { /* nothing is offloaded: the tick may change */
            static const uint32_t RATES[] = {10, 100, 1000};
            if (!trees_config(t, FLUE_CFG_CONNECTION, false, &connection, sizeof connection))
                return;
            connection.ticks_per_second = RATES[flue_rng_below(&t->rig->rng, 3)];
            if (!trees_config(t, FLUE_CFG_CONNECTION, true, &connection, sizeof connection))
                return;
        }
        uint32_t tick_us = 1000000 / connection.ticks_per_second;
        random_tree(t);
        initiate(t);
        for (unsigned q = flue_rng_below(&t->rig->rng, 3); q && !check_failures; q--) {
            trees_pass(t, flue_rng_below(&t->rig->rng, 2) ? flue_rng_below(&t->rig->rng, 3000)
                                                          : flue_rng_below(&t->rig->rng, 20000000));
            query(t, tick_us);
        }
        if (!check_failures)
            terminate(t, tick_us);
        if (!check_failures && i % 4 == 0) { /* what was given back is gone */
            refer(full_type);
            trees_run(t, FLUE_OP_QUERY, &tree);
            expect_status(t, "query of what is gone", TREE_FAILURE);
        }
        if (trees_long)
            trees_progress(t, i + 1, count, 250, "trees");
    }
    trees_hold(t, 0, 0, 0);
}

TEST(every_field_of_every_state_comes_back)
{
    trees_everywhere(round_trips);
}

/* HND-006: one value of the state is wrong, everything else is right. */
static void spoil(struct trees *t, uint32_t *s, unsigned how)
{
    struct flue_wire_tcp_delegated *d = (void *)(s + TCP_DELEGATED);
    switch (how) {
    case 0: /* connection state */
        d->word0 = (d->word0 & ~FLUE_WIRE_TCP_DELEGATED_STATE_MASK) | (flue_rng_below(&t->rig->rng, 2) ? 3 : 10);
        break;
    case 1:
        d->snd_nxt = d->snd_una - 1;
        break;
    case 2:
        d->snd_nxt = d->snd_max + 1;
        break;
    case 3:
        d->snd_max = d->snd_una + (1u << 30) + 1;
        break;
    case 4:
        d->rcv_wnd = s[TCP_CACHED + 1] + 1;
        break;
    case 5:
        d->send_wl1 = d->rcv_nxt + 0x80000000u;
        break;
    case 6:
        s[0] |= 15u << FLUE_WIRE_TCP_CONST_SND_WIND_SCALE_SHIFT;
        break;
    case 7:
        s[0] |= 15u << FLUE_WIRE_TCP_CONST_RCV_WIND_SCALE_SHIFT;
        break;
    case 8:
        s[2] = 87;
        break;
    case 9: /* reserved bits */
        s[2] |= 1u << 16;
        break;
    case 10:
        s[TCP_CACHED + 7] |= 1u << 20;
        break;
    case 11:
        s[TCP_CACHED + 8] |= 1u << 31;
        break;
    default:
        d->word0 |= 1u << 4;
    }
}

/* HND-006, CH-028: a state with a wrong value is refused whole, its neighbors in the tree are taken. */
static void refusals(struct trees *t)
{
    for (unsigned how = 0; how < 13; how++) {
        uint32_t state[TREE_WORDS];
        tree_clear(&tree);
        random_neighbor(t, state);
        tree_add(&tree, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
        random_path(t, how & 1, state);
        tree_add(&tree, FLUE_NODE_NEW, 1, how & 1 ? Ip6OffloadState : Ip4OffloadState, state);
        random_tcp(t, state);
        tree_add(&tree, FLUE_NODE_NEW, 2, TcpOffloadState, state);
        random_tcp(t, state);
        spoil(t, state, how);
        tree_add(&tree, FLUE_NODE_NEW, 2, TcpOffloadState, state);
        trees_run(t, FLUE_OP_INITIATE, &tree);
        CHECK(tree.item[3].status == TREE_FAILURE && tree.item[3].detail == FLUE_AD_VALUE && tree.item[3].handle == 0,
              "width %u: value %u: status 0x%x detail %u", t->rig->width, how, tree.item[3].status, tree.item[3].detail);
        CHECK(tree.item[2].status == TREE_OK, "width %u: value %u: the right one has status 0x%x", t->rig->width, how,
              tree.item[2].status);
        trees_hold(t, 1, 1, 1);
        tree.count = 3;
        refer(delegated_type);
        tree.item[1].words = 0;
        trees_run(t, FLUE_OP_TERMINATE, &tree);
        expect_status(t, "terminate", TREE_OK);
    }
}

TEST(a_state_with_a_wrong_value_is_refused_whole)
{
    trees_shortly(refusals);
}

int main(int argc, char **argv)
{
    return trees_main(argc, argv, "--trees", &trees_wanted);
}
