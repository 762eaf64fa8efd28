/*
 * A tree that changes while it is read, and host memory that fails under it.
 *
 * PROGRAM [--rounds N] [--long] [--seed N] [name ...]   N changed trees of each operation, 3 without the option; --long: at
 * every width, every access of a command failed in turn
 */
#include "tree_look.h"

static unsigned rounds = 3;
static struct tree tree, victim;
static struct watched watched;

static const unsigned OPCODES[] = {FLUE_OP_INITIATE, FLUE_OP_QUERY, FLUE_OP_UPDATE, FLUE_OP_INVALIDATE, FLUE_OP_TERMINATE};
enum { OPERATIONS = sizeof OPCODES / sizeof *OPCODES };

/* A good tree of this operation: of new objects, or of the victims, which are taken for it. */
static void good_tree(struct trees *t, unsigned opcode)
{
    trees_give_back(t, watched.first.entry, watched.first.entries);
    family_new(t, &victim);
    if (!trees_long)
        victim.count = 3; /* neighbor, path, connection */
    tree = victim;
    if (opcode == FLUE_OP_INITIATE)
        return;
    trees_run(t, FLUE_OP_INITIATE, &victim);
    tree = victim;
    for (unsigned i = 0; i < tree.count; i++) {
        struct tree_item *item = &tree.item[i];
        item->kind = FLUE_NODE_REFERENCE;
        if (opcode == FLUE_OP_UPDATE) {
            static const unsigned FROM[3] = {2, 8, TCP_CACHED};
            item->type -= item->type == TcpOffloadState ? 3 : 2; /* its cached part */
            memmove(item->state, item->state + FROM[item->depth], 4 * tree_words(item->type));
        } else if (opcode == FLUE_OP_TERMINATE && item->depth != 1) {
            item->type -= item->type == TcpOffloadState ? 2 : 1; /* its delegated part */
        }
        item->words =
            opcode == FLUE_OP_INVALIDATE || (opcode == FLUE_OP_TERMINATE && item->depth == 1) ? 0 : tree_words(item->type);
    }
}

/* ---- changed while it is read ---- */

/*
 * Change a word of the buffer, as a host without manners does.  Handles get any of the victims' or nonsense: a tree may name
 * only what it means, and the family is not meant.
 */
static void change(struct trees *t, uint32_t *word, uint32_t words)
{
    struct flue_rng *rng = &t->rig->rng;
    uint32_t nodes = 8 + 8 * tree.count, at = (uint32_t)flue_rng_below(rng, flue_rng_below(rng, 3) ? nodes : words);
    if (at >= 8 && at < nodes && at % 8 == 5) {
        word[at] = flue_rng_below(rng, 2) ? victim.item[flue_rng_below(rng, victim.count)].handle : (uint32_t)at;
        return;
    }
    switch (flue_rng_below(rng, 4)) {
    case 0:
        word[at] ^= 1u << flue_rng_below(rng, 32);
        break;
    case 1:
        ((uint8_t *)&word[at])[flue_rng_below(rng, 4)] = (uint8_t)flue_rng_next(rng);
        break;
    case 2:
        word[at] = word[flue_rng_below(rng, words)]; /* such as another node's offset */
        break;
    default:
        word[at] = flue_rng_below(rng, 2) ? 0 : UINT32_MAX;
    }
}

/* The command with changes between random cycles until it is answered. */
static bool run_changing(struct trees *t, const struct flue_sqe *sqe, uint32_t *word, uint32_t words,
                         struct flue_admin_done *done)
{
    struct flue_rng *rng = &t->rig->rng;
    unsigned handled, changes = 0, most = 1 + (unsigned)flue_rng_below(rng, 40);
    enum flue_sim_why why;
    *done = (struct flue_admin_done){0};
    CHECK_EQ(flue_admin_submit(t->admin, sqe, done), FLUE_OK);
    for (unsigned step = 0; step < 20000 && !done->cookie; step++) {
        if (flue_sim_run(t->rig->sim, 1 + flue_rng_below(rng, 1200), 0, &why) != FLUE_OK ||
            flue_poll(t->rig->adapter, 100, &handled) != FLUE_OK)
            break;
        if (changes < most && !done->cookie) {
            change(t, word, words);
            changes++;
        }
    }
    const char *why_not = flue_sim_violation(t->rig->sim), *fault = flue_adapter_fault(t->rig->adapter);
    CHECK(done->cookie == done, "width %u: opcode %u: no answer: %s %s", t->rig->width, sqe->word0, why_not ? why_not : "",
          fault ? fault : "");
    return done->cookie == done;
}

static void changing(struct trees *t)
{
    watch_begin(t, &watched);
    for (unsigned i = 0; i < rounds * OPERATIONS && !check_failures; i++) {
        struct flue_admin_done done;
        uint32_t bytes, offset;
        good_tree(t, OPCODES[i % OPERATIONS]);
        uint32_t *word = watch_put(t, &watched, &tree, &bytes, &offset);
        struct flue_sqe sqe = {
            .word0 = OPCODES[i % OPERATIONS], .word1 = watched.buffer.region, .offset = offset, .length = bytes};
        if (!run_changing(t, &sqe, word, bytes / 4, &done))
            return;
        const uint8_t *before = watched.buffer.addr;
        for (uint32_t at = 0; at < offset; at++)
            if (before[at] != before[0]) {
                CHECK(false, "opcode %u: byte %u before the buffer was written", sqe.word0, at);
                break;
            }
        trees_give_back(t, watched.first.entry, watched.first.entries);
        watch_same(t, &watched, "a tree that changed while it was read");
        if (check_failures)
            printf("  round %u, opcode %u: status 0x%x detail %u result %u\n", i, sqe.word0, done.status, done.detail,
                   done.result);
        if (trees_long)
            trees_progress(t, i + 1, rounds * OPERATIONS, 50, "changed trees");
    }
    watch_end(t, &watched, false);
}

/* HND-006, HND-008: what was read once is acted on; whatever is written meanwhile, the command is answered and harms nobody. */
TEST(a_tree_that_changes_while_it_is_read_harms_nobody)
{
    trees_shortly(changing);
}

/* ---- memory that fails ---- */

/* The nth read (or write) of the buffer by this command answers with an error; false when it has no such access.  nth 0: only
 * what was armed before. */
static bool failing(struct trees *t, unsigned opcode, bool write, unsigned nth)
{
    struct flue_sim_stats before, after;
    struct flue_admin_done done;
    uint32_t bytes, offset;
    good_tree(t, opcode);
    const uint32_t *word = watch_put(t, &watched, &tree, &bytes, &offset);
    uint64_t lo = (uintptr_t)word & ~63ull; /* of the buffer, as beats see it */
    struct flue_sim_memory_error error = {.write = write, .nth = nth, .lo = lo, .hi = (uintptr_t)word + bytes};
    if (nth)
        CHECK_EQ(flue_sim_memory_error(t->rig->sim, &error), FLUE_OK);
    flue_sim_stats(t->rig->sim, &before);
    struct flue_sqe sqe = {.word0 = opcode, .word1 = watched.buffer.region, .offset = offset, .length = bytes};
    if (!trees_command(t, &sqe, &done))
        return false;
    flue_sim_stats(t->rig->sim, &after);
    bool hit = after.dma_errors != before.dma_errors;
    watched.errors = after.dma_errors;

    bool named = done.status == TREE_FAILURE && done.detail == FLUE_AD_REGION;
    for (unsigned i = 0; i < tree.count && done.status == TREE_OK; i++) {
        const struct flue_tree_node *n = (const void *)(word + 8 + 8 * i);
        named |= n->word7 == FLUE_AD_REGION && n->status == TREE_FAILURE;
        CHECK(n->status != 0xDEADBEEF, "opcode %u, %s %u failed: node %u has no status", opcode, write ? "write" : "read", nth,
              i);
    }
    CHECK(named == hit, "width %u: opcode %u, %s %u %s: status 0x%x detail %u, %s node says REGION", t->rig->width, opcode,
          write ? "write" : "read", nth, hit ? "failed" : "is not there", done.status, done.detail, named ? "a" : "no");
    CHECK(flue_admin_runs(t->admin), "the firmware stopped: %s", flue_adapter_fault(t->rig->adapter));
    return hit;
}

static void dead_memory(struct trees *t)
{
    watch_begin(t, &watched);
    unsigned tried = 0;
    for (unsigned i = 0; i < OPERATIONS && !check_failures; i++)
        for (unsigned write = 0; write < 2; write++) {
            unsigned nth = 1;
            while (failing(t, OPCODES[i], write, nth) && !check_failures) {
                tried++;
                /* Whatever was done before the error is found by LIST and given back; what was not is not there. */
                trees_give_back(t, watched.first.entry, watched.first.entries);
                watch_same(t, &watched, write ? "a failed write" : "a failed read");
                nth += trees_long ? 1 : 1 + (unsigned)flue_rng_below(&t->rig->rng, 12);
            }
            while (!check_failures && !failing(t, OPCODES[i], write, 0)) /* what is armed still must hit, too */
                ;
        }
    CHECK(tried >= 2 * OPERATIONS, "only %u accesses failed", tried);
    watch_end(t, &watched, true);
}

/* CH-021, HND-008: an error of the bus at any access of a tree is REGION for the node or the command; the processor goes on. */
TEST(memory_that_fails_under_a_tree_is_named_and_harms_nobody)
{
    trees_shortly(dead_memory);
}

/* ---- rings that fail ---- */

/* A command whose submission cannot be read, or whose completion cannot be written: the queue stops, and says so. */
static void dead_ring(struct trees *t, bool write)
{
    struct flue_sqe sqe = {.word0 = FLUE_OP_RELEASE, .handle = watched.family.item[2].handle};
    struct flue_sim_memory_error error = {.write = write};
    struct flue_sim_stats stats;
    struct flue_admin_done done;
    CHECK(rig_settle(t->rig), "does not settle"); /* so that the next access is the ring's */
    CHECK_EQ(flue_sim_memory_error(t->rig->sim, &error), FLUE_OK);
    enum flue_err err = flue_admin_call(t->admin, &sqe, NULL, 0, &done);
    const char *fault = flue_adapter_fault(t->rig->adapter);
    CHECK(err == FLUE_ESTATE && t->traps == 1 && t->trap.cause == 0, "%s: %s, %u traps, cause %u", write ? "write" : "read",
          flue_err_name(err), t->traps, t->trap.cause);
    CHECK(fault && strstr(fault, "stopped the admin queue"), "the fault says: %s", fault ? fault : "nothing");
    flue_sim_stats(t->rig->sim, &stats);
    CHECK_EQ(stats.dma_errors, ++watched.errors);
    t->traps = 0;
    rig_expect_alive(t->rig);
    CHECK_EQ(flue_admin_restart(t->admin), FLUE_OK);
    watch_same(t, &watched, write ? "a completion that could not be written" : "a submission that could not be read");
}

static void dead_rings(struct trees *t)
{
    watch_begin(t, &watched);
    for (unsigned i = 0; i < 4 && !check_failures; i++)
        dead_ring(t, i & 1);
    watch_end(t, &watched, false);
}

/* HND-008: an error of the bus at the rings stops the queue by name; frames pass, a restart finds the tables as they were. */
TEST(rings_that_fail_stop_the_queue_and_nothing_else)
{
    trees_shortly(dead_rings);
}

int main(int argc, char **argv)
{
    return trees_main(argc, argv, "--rounds", &rounds);
}
