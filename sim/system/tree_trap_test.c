/*
 * Firmware that goes wrong in the middle of a command: its memory is spoilt through the register window at the entry of a
 * function.  The data plane goes on, the host gets cause, address and registers, and starts it again with the tables as they
 * were.
 *
 * PROGRAM [--entries N] [--long] [--seed N] [name ...]   N functions are spoilt, 4 without the option, more until a command
 * reached two; --long: at every width
 */
#include "flue/admin.h"
#include "tree_look.h"

static unsigned entries_wanted = 4;
static struct watched watched;

#define MARK 0x5A17E678u

/* Causes of FW_TRAP_CAUSE (firmware/trap.h). */
enum { MISALIGNED = 1, ILLEGAL, BREAKPOINT, BUS };

/* What is written over the entry of a function: x31 = MARK or an address that is none, then what goes wrong. */
static const struct spoiler {
    const char *what;
    uint32_t word[3];
    unsigned cause, at; /* cause 0: none, it hangs; at: the word that traps */
    uint32_t x31;
} SPOILERS[] = {
    {"an illegal instruction", {0x5A17EFB7, 0x678F8F93, 0x00000000}, ILLEGAL, 2, MARK},
    {"a load from where nothing is", {0xDEAD0FB7, 0x000FAF03, 0x00000013}, BUS, 1, 0xDEAD0000},
    {"a store to where nothing is", {0x7FFF0FB7, 0x01EFA023, 0x00000013}, BUS, 1, 0x7FFF0000},
    {"a load that is not aligned", {0x5A17EFB7, 0x001FAF03, 0x00000013}, MISALIGNED, 1, 0x5A17E000},
    {"a breakpoint", {0x5A17EFB7, 0x678F8F93, 0x00100073}, BREAKPOINT, 2, MARK},
    {"a loop without end", {0x5A17EFB7, 0x678F8F93, 0x0000006F}, 0, 2, MARK},
};
enum { SPOILER_COUNT = sizeof SPOILERS / sizeof *SPOILERS };

/* ---- registers ---- */

static uint32_t reg_get(struct trees *t, uint32_t reg)
{
    uint32_t value = 0;
    CHECK_EQ(t->rig->link->ops->read32(t->rig->link, reg, &value), FLUE_OK);
    return value;
}

static void reg_set(struct trees *t, uint32_t reg, uint32_t value)
{
    CHECK_EQ(t->rig->link->ops->write32(t->rig->link, reg, value), FLUE_OK);
}

static uint32_t window(struct trees *t, uint32_t address)
{
    reg_set(t, FLUE_REG_FW_ADDR, address);
    return reg_get(t, FLUE_REG_FW_DATA);
}

/* ---- functions of the image: what is called and begins by making room on the stack ---- */

static unsigned find_entries(uint32_t *entry, unsigned most)
{
    size_t bytes;
    const uint32_t *image = flue_firmware_image(&bytes);
    unsigned count = 0;
    for (uint32_t at = 0; at < bytes / 4; at++) {
        uint32_t word = image[at];
        if ((word & 0xFFF) != 0x0EF) /* jal ra, ... */
            continue;
        uint32_t to = (word >> 20 & 0x7FE) | (word >> 9 & 0x800) | (word & 0xFF000) | (word >> 31 ? 0xFFF00000 : 0);
        to += 4 * at;
        if (to % 4 || to / 4 + 3 > bytes / 4 || (image[to / 4] & 0x800FFFFF) != 0x80010113) /* addi sp, sp, -n */
            continue;
        bool known = false;
        for (unsigned i = 0; i < count; i++)
            known |= entry[i] == to;
        if (!known && count < most)
            entry[count++] = to;
    }
    return count;
}

/* ---- spoil and run ---- */

/* Start the firmware warm with three words at `at` replaced; true when it takes commands. */
static bool start_spoilt(struct trees *t, uint32_t at, const struct spoiler *s)
{
    CHECK_EQ(flue_admin_restart(t->admin), FLUE_OK);
    reg_set(t, FLUE_REG_FW_CTRL, 0);
    for (unsigned i = 0; i < 1000 && (reg_get(t, FLUE_REG_FW_STATUS) & FLUE_FW_STATUS_RUNNING_MASK); i++)
        ;
    reg_set(t, FLUE_REG_FW_ADDR, at);
    for (unsigned i = 0; i < 3; i++)
        reg_set(t, FLUE_REG_FW_DATA, s->word[i]);
    CHECK_EQ(window(t, at + 4), s->word[1]);
    reg_set(t, FLUE_REG_FW_CTRL, FLUE_FW_CTRL_RUN_MASK);
    for (unsigned i = 0; i < 100; i++) {
        uint32_t status = reg_get(t, FLUE_REG_FW_STATUS);
        if (status & FLUE_FW_STATUS_READY_MASK)
            return true;
        if (status & FLUE_FW_STATUS_TRAPPED_MASK)
            return false;
        enum flue_sim_why why;
        CHECK_EQ(flue_sim_advance(t->rig->sim, 20, 0, &why), FLUE_OK);
    }
    return false;
}

static void frames_begin(struct trees *t, uint8_t *frame, size_t len)
{
    rig_forget(t->rig);
    memset(frame, 0x3C, len);
    frame[12] = 0x88;
    frame[13] = 0xB5;
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(rig_put(t->rig, frame, len, 2, &(struct flue_tx_packet){0}), FLUE_OK);
        CHECK_EQ(flue_sim_wire_send(t->rig->sim, frame, len), FLUE_OK);
    }
}

static void frames_end(struct trees *t, const uint8_t *frame, size_t len)
{
    struct rig *r = t->rig;
    for (unsigned i = 0; i < 50 && (r->outs < 4 || r->ins < 4 || r->dones < 4); i++)
        trees_pass(t, 20); /* a processor that runs in circles is never idle */
    CHECK(r->outs == 4 && r->ins == 4 && r->dones == 4, "width %u: %u frames left, %u came, %u completions of 4", r->width,
          r->outs, r->ins, r->dones);
    for (unsigned i = 0; i < 4 && i < r->outs && i < r->ins; i++)
        CHECK(r->out[i].len == len && !memcmp(r->out[i].data, frame, len) && r->in[i].len == len &&
                  !memcmp(r->in[i].data, frame, len),
              "width %u: frame %u changed", r->width, i);
    rig_forget(r);
}

/* A command with the tree; FLUE_OK when it was answered. */
static enum flue_err try_tree(struct trees *t, unsigned opcode, struct tree *tree)
{
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = opcode, .word1 = t->mem.region, .length = tree_marshal(t, tree)};
    enum flue_err err = flue_admin_call(t->admin, &sqe, NULL, 0, &done);
    if (!err)
        tree_unmarshal(t, tree);
    return err;
}

/* Initiate, query and terminate a family; the first error ends it. */
static enum flue_err try_family(struct trees *t)
{
    static struct tree tree;
    family_new(t, &tree);
    enum flue_err err = try_tree(t, FLUE_OP_INITIATE, &tree);
    for (unsigned i = 0; i < tree.count; i++)
        tree.item[i].kind = FLUE_NODE_REFERENCE;
    if (!err)
        err = try_tree(t, FLUE_OP_QUERY, &tree);
    for (unsigned i = 0; i < tree.count; i++)
        tree.item[i].words = 0;
    return err ? err : try_tree(t, FLUE_OP_TERMINATE, &tree);
}

/* ---- what the host sees ---- */

/* No heartbeat answers, whatever is pinged. */
static void expect_still(struct trees *t)
{
    enum flue_sim_why why;
    uint32_t before = reg_get(t, FLUE_REG_FW_STATUS);
    reg_set(t, FLUE_REG_FW_PING, FLUE_FW_PING_PING_MASK);
    CHECK_EQ(flue_sim_advance(t->rig->sim, 200, 0, &why), FLUE_OK);
    CHECK_EQ(reg_get(t, FLUE_REG_FW_STATUS) & FLUE_FW_STATUS_HEARTBEAT_MASK, before & FLUE_FW_STATUS_HEARTBEAT_MASK);
}

static void expect_trap(struct trees *t, uint32_t at, const struct spoiler *s, enum flue_err err)
{
    const struct flue_admin_trap *trap = &t->trap;
    const char *fault = flue_adapter_fault(t->rig->adapter);
    CHECK(err == FLUE_ESTATE && t->traps == 1 && !flue_admin_runs(t->admin), "%s at 0x%x: %s, %u traps", s->what, at,
          flue_err_name(err), t->traps);
    CHECK(trap->cause == s->cause && trap->pc == at + 4 * s->at && trap->registers[30] == s->x31,
          "%s at 0x%x: cause %u at 0x%x, x31 0x%x", s->what, at, trap->cause, trap->pc, trap->registers[30]);
    CHECK(trap->registers[1] > at && trap->registers[1] <= t->info.memory_bytes && trap->registers[1] % 4 == 0, "sp is 0x%x",
          trap->registers[1]);
    CHECK(fault && strstr(fault, "trapped: cause"), "the fault says: %s", fault ? fault : "nothing");
    CHECK_EQ(flue_admin_check(t->admin, 1000), FLUE_ESTATE);
    /* Its memory can be read: what was spoilt, and the record with the address in front. */
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(window(t, at + 4 * i), s->word[i]);
    CHECK_EQ(window(t, t->info.memory_bytes - 128), trap->pc);
    CHECK_EQ(window(t, t->info.memory_bytes - 4), s->x31);
}

/* It runs in circles with a command in hand: nothing but the heartbeat tells.  False: the command was done. */
static bool expect_hang(struct trees *t)
{
    static struct tree tree;
    struct flue_admin_done done = {0};
    family_new(t, &tree);
    struct flue_sqe sqe = {.word0 = FLUE_OP_INITIATE, .word1 = t->mem.region, .length = tree_marshal(t, &tree)};
    CHECK_EQ(flue_admin_submit(t->admin, &sqe, &done), FLUE_OK);
    trees_pass(t, 1500);
    if (done.cookie)
        return false;
    CHECK_EQ(flue_admin_check(t->admin, 1000), FLUE_ETIMEOUT);
    expect_still(t);
    uint8_t frame[777];
    frames_begin(t, frame, sizeof frame);
    frames_end(t, frame, sizeof frame);
    CHECK_EQ(flue_admin_restart(t->admin), FLUE_OK);
    CHECK(done.cookie == &done && done.status == (uint32_t)NDIS_STATUS_REQUEST_ABORTED, "the command in hand: status 0x%x",
          done.status);
    return true;
}

/* One function spoilt; true when that was noticed in the middle of a command. */
static bool spoil(struct trees *t, uint32_t at, const struct spoiler *s)
{
    uint8_t frame[900];
    bool noticed = false;
    t->traps = 0;
    bool ready = start_spoilt(t, at, s);
    if (ready && s->cause) {
        frames_begin(t, frame, sizeof frame);
        enum flue_err err = try_family(t);
        frames_end(t, frame, sizeof frame);
        noticed = err != FLUE_OK;
        if (noticed) {
            expect_trap(t, at, s, err);
            expect_still(t);
            rig_expect_alive(t->rig);
        }
    } else if (ready) {
        noticed = expect_hang(t);
    } else { /* it never started */
        frames_begin(t, frame, sizeof frame);
        frames_end(t, frame, sizeof frame);
    }
    CHECK_EQ(flue_admin_restart(t->admin), FLUE_OK);
    CHECK_EQ(flue_admin_check(t->admin, 1000), FLUE_OK);
    t->traps = 0;
    trees_give_back(t, watched.first.entry, watched.first.entries); /* what the cut command had taken */
    watch_same(t, &watched, s->what);
    if (check_failures)
        printf("  %s at 0x%x, %s\n", s->what, at, !ready ? "at the start" : noticed ? "in a command" : "not reached");
    return noticed;
}

static void spoiled(struct trees *t)
{
    static unsigned next; /* goes on with the next seed */
    static uint32_t entry[512];
    unsigned count = find_entries(entry, 512), traps = 0, tried = 0;
    CHECK(count >= 4, "only %u functions in the image", count);
    watch_begin(t, &watched);
    for (unsigned i = 0; (i < entries_wanted || (traps < 2 && i < 4 * entries_wanted)) && count && !check_failures; i++) {
        unsigned pick = (unsigned)flue_rng_below(&t->rig->rng, count);
        uint32_t at = entry[pick];
        entry[pick] = entry[--count];
        traps += spoil(t, at, &SPOILERS[next++ % SPOILER_COUNT]);
        tried++;
        if (trees_long)
            trees_progress(t, tried, entries_wanted, 10, "functions spoilt");
    }
    printf("  W=%u: %u functions of %u spoilt, %u reached by a command\n", t->rig->width, tried, count + tried, traps);
    CHECK(check_failures || traps >= 2, "only %u of %u were reached by a command", traps, tried);
    watch_end(t, &watched, true);
}

/*
 * HND-008: firmware that traps or hangs stops the control plane alone: no heartbeat, frames pass, cause, address, registers and
 * memory can be read, the command ends ABORTED; started again, it has every object as it was, and serves.
 */
TEST(firmware_that_goes_wrong_harms_no_frame_and_no_table)
{
    trees_shortly(spoiled);
}

int main(int argc, char **argv)
{
    return trees_main(argc, argv, "--entries", &entries_wanted);
}
