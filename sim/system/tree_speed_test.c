/*
 * Cycles of the control plane: from the doorbell to the completion's interrupt, one connection below a linker path, at most
 * 3,000 at W = 32.  Host memory answers after 8 cycles.
 */
#include "trees.h"

enum { ROUNDS = 60, PLAN = 3000 };

struct figure {
    uint64_t cycles[ROUNDS];
    uint64_t read_bursts, write_bursts;
};

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* One tree command alone; its cycles. */
static uint64_t timed(struct trees *t, unsigned opcode, struct tree *tree, struct figure *figure)
{
    struct flue_sim_stats before, after;
    struct flue_admin_done done = {0};
    enum flue_sim_why why;
    unsigned handled;
    struct flue_sqe sqe = {.word0 = opcode, .word1 = t->mem.region, .length = tree_marshal(t, tree)};
    CHECK(flue_sim_settle(t->rig->sim, 1000000) == FLUE_OK);
    CHECK(flue_poll(t->rig->adapter, 100, &handled) == FLUE_OK);
    CHECK(!t->rig->link->ops->irq(t->rig->link), "the interrupt is raised before");
    flue_sim_stats(t->rig->sim, &before);
    CHECK(flue_admin_submit(t->admin, &sqe, &done) == FLUE_OK);
    CHECK(flue_sim_run(t->rig->sim, 100000, FLUE_SIM_UNTIL_IRQ, &why) == FLUE_OK);
    CHECK(why == FLUE_SIM_IRQ, "no interrupt");
    flue_sim_stats(t->rig->sim, &after);
    CHECK(flue_poll(t->rig->adapter, 100, &handled) == FLUE_OK);
    CHECK(done.status == TREE_OK && done.cookie == &done, "opcode %u: 0x%x detail %u", opcode, done.status, done.detail);
    tree_unmarshal(t, tree);
    figure->read_bursts += after.dma_read_bursts - before.dma_read_bursts;
    figure->write_bursts += after.dma_write_bursts - before.dma_write_bursts;
    return after.cycles - before.cycles;
}

static void report(struct figure *f, const char *name)
{
    char condition[128];
    qsort(f->cycles, ROUNDS, sizeof f->cycles[0], by_size);
    snprintf(condition, sizeof condition, "W=32, memory latency 8 cycles; %.1f reads and %.1f writes of host memory each",
             (double)f->read_bursts / ROUNDS, (double)f->write_bursts / ROUNDS);
    printf("BENCH firmware/%s_cycles_median %" PRIu64 " cycles %s\n", name, f->cycles[ROUNDS / 2], condition);
    printf("BENCH firmware/%s_cycles %" PRIu64 " cycles worst of %d, %s\n", name, f->cycles[ROUNDS - 1], ROUNDS, condition);
    CHECK(f->cycles[ROUNDS - 1] <= PLAN, "%s takes %" PRIu64 " cycles", name, f->cycles[ROUNDS - 1]);
}

/* One connection below a linker path is taken and given back; the figures are those of firmware.json. */
TEST(a_connection_comes_and_goes_in_3000_cycles_each)
{
    static struct tree tree;
    static struct figure in, out;
    uint32_t state[TREE_WORDS], path;
    struct flue_cfg_caps caps;
    struct trees *t = trees_open(32, false);
    struct flue_sim_memory memory = {.latency_min = 8, .latency_max = 8};
    CHECK(flue_sim_memory_set(t->rig->sim, &memory) == FLUE_OK);
    memset(&in, 0, sizeof in);
    memset(&out, 0, sizeof out);
    tree_clear(&tree);
    random_neighbor(t, state);
    tree_add(&tree, FLUE_NODE_NEW, 0, NeighborOffloadState, state);
    random_path(t, false, state);
    tree_add(&tree, FLUE_NODE_NEW, 1, Ip4OffloadState, state);
    trees_run(t, FLUE_OP_INITIATE, &tree);
    path = tree.item[1].handle;
    for (unsigned i = 0; i < ROUNDS && !check_failures; i++) {
        tree_clear(&tree);
        tree_add(&tree, FLUE_NODE_REFERENCE, 0, Ip4OffloadState, NULL)->handle = path;
        random_tcp(t, state);
        tree_add(&tree, FLUE_NODE_NEW, 1, TcpOffloadState, state);
        in.cycles[i] = timed(t, FLUE_OP_INITIATE, &tree, &in);
        CHECK(tree.item[0].status == TREE_OK && tree.item[1].status == TREE_OK, "0x%x 0x%x detail %u", tree.item[0].status,
              tree.item[1].status, tree.item[1].detail);
        uint32_t handle = tree.item[1].handle;
        tree_clear(&tree);
        tree_add(&tree, FLUE_NODE_PLACEHOLDER, 0, 0, NULL);
        struct tree_item *item = tree_add(&tree, FLUE_NODE_REFERENCE, 1, TcpOffloadDelegatedState, state);
        item->handle = handle;
        out.cycles[i] = timed(t, FLUE_OP_TERMINATE, &tree, &out);
        CHECK(item->status == TREE_OK, "0x%x detail %u", item->status, item->detail);
    }
    if (!check_failures) {
        report(&in, "initiate");
        report(&out, "terminate");
    }
    if (trees_config(t, FLUE_CFG_CAPS, false, &caps, sizeof caps)) {
        printf("BENCH firmware/image_bytes %u bytes text and data\n", caps.image_bytes);
        printf("BENCH firmware/stack_bytes %u bytes deepest in this run\n", caps.stack_bytes);
    }
    trees_close(t);
}

TEST_MAIN(1)
