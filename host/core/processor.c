/*
 * The management processor seen from the driver: load, start, watch, trap record (docs/control-plane.md, sections 1 and 5).
 *
 * It is not trusted: what was loaded is read back, every wait has a limit, and before buffers of its commands go back to their
 * owners it is stopped.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "admin_parts.h"

#define STEP_US        20u   /* of a wait */
#define STEPS_SPARE    1024u /* a raised interrupt makes a step shorter */
#define POLL_BUDGET    64u
#define HALT_STEPS_MAX 4096u

/* ---- limits ------------------------------------------------------------------------------------------------------ */

enum flue_err limit_begin(struct flue_adapter *a, struct limit *limit, uint32_t limit_us)
{
    *limit = (struct limit){.limit_us = limit_us, .steps = limit_us / STEP_US * 16ull + STEPS_SPARE};
    return flue_time_us(a, &limit->start_us);
}

enum flue_err limit_step(struct flue_adapter *a, struct limit *limit)
{
    unsigned handled;
    uint64_t now_us;

    TRY(flue_poll(a, POLL_BUDGET, &handled));
    TRY(a->link->ops->wait(a->link, STEP_US));
    TRY(flue_time_us(a, &now_us));
    if (now_us - limit->start_us >= limit->limit_us || limit->steps-- == 0)
        return FLUE_ETIMEOUT;
    return FLUE_OK;
}

/* ---- load and start ---------------------------------------------------------------------------------------------- */

enum flue_err adapter_fault_set(struct flue_adapter *a, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(a->fault_text, sizeof a->fault_text, format, args);
    va_end(args);
    a->fault = a->fault_text;
    return FLUE_EDEVICE;
}

enum flue_err processor_halt(struct flue_admin *admin)
{
    struct flue_adapter *a = admin->a;
    uint32_t status;

    TRY(reg_write(a, FLUE_REG_FW_CTRL, FLUE_FW_CTRL_COLD_MASK));
    for (unsigned step = 0; step < HALT_STEPS_MAX; step++) {
        TRY(reg_read(a, FLUE_REG_FW_STATUS, &status));
        if ((status & FLUE_FW_STATUS_RUNNING_MASK) == 0)
            return FLUE_OK;
        TRY(a->link->ops->wait(a->link, STEP_US));
    }
    return adapter_distrust(a, "management processor that does not stop");
}

static enum flue_err image_load(struct flue_admin *admin)
{
    struct flue_adapter *a = admin->a;

    TRY(reg_write(a, FLUE_REG_FW_ADDR, 0));
    for (uint32_t i = 0; i < admin->image_words; i++)
        TRY(reg_write(a, FLUE_REG_FW_DATA, admin->image[i]));
    TRY(reg_write(a, FLUE_REG_FW_ADDR, 0));
    for (uint32_t i = 0; i < admin->image_words; i++) {
        uint32_t word;
        TRY(reg_read(a, FLUE_REG_FW_DATA, &word));
        if (word != admin->image[i])
            return adapter_fault_set(a, "firmware memory at 0x%05X reads 0x%08X, written was 0x%08X", i * 4, word,
                                     admin->image[i]);
    }
    return FLUE_OK;
}

static enum flue_err seed_write(struct flue_admin *admin)
{
    static const uint32_t none[4] = {0};
    uint32_t seed[4];

    memcpy(seed, admin->seed, sizeof seed);
    if (memcmp(seed, none, sizeof seed) == 0 && getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return FLUE_EIO;
    for (unsigned i = 0; i < 4; i++)
        TRY(reg_write(admin->a, FLUE_REG_SEED0 + 4 * i, seed[i]));
    return FLUE_OK;
}

static enum flue_err ring_describe(struct flue_admin *admin, uint32_t base_reg, uint32_t index_reg, uint32_t cfg_reg,
                                   uint32_t offset)
{
    TRY(reg_write(admin->a, cfg_reg, 0));
    TRY(reg_write(admin->a, base_reg, offset));
    TRY(reg_write(admin->a, index_reg, 0));
    return reg_write(admin->a, cfg_reg,
                     FLUE_PUT(ASQ_CFG_REGION, admin->mem.region) | FLUE_PUT(ASQ_CFG_LOG2_SLOTS, admin->log2_size) |
                         FLUE_PUT(ASQ_CFG_ENABLE, 1));
}

static enum flue_err ready_wait(struct flue_admin *admin)
{
    struct flue_adapter *a = admin->a;
    struct limit limit;
    uint32_t status;
    enum flue_err err;

    TRY(limit_begin(a, &limit, admin->timeout_us));
    do {
        TRY(reg_read(a, FLUE_REG_FW_STATUS, &status));
        if ((status & FLUE_FW_STATUS_TRAPPED_MASK) != 0) {
            struct flue_admin_trap trap;
            TRY(processor_trap_read(admin, &trap));
            return adapter_fault_set(a, "management processor trapped at its start: cause %u at 0x%08X", trap.cause, trap.pc);
        }
        if ((status & FLUE_FW_STATUS_READY_MASK) != 0)
            return FLUE_OK;
        err = limit_step(a, &limit);
    } while (err == FLUE_OK);
    if (err == FLUE_ETIMEOUT)
        (void)adapter_fault_set(a, "management processor did not become ready within %u us", admin->timeout_us);
    return err;
}

enum flue_err processor_start(struct flue_admin *admin, bool cold)
{
    struct flue_adapter *a = admin->a;
    enum flue_err err = processor_halt(admin);

    if (err == FLUE_OK)
        err = image_load(admin);
    if (err == FLUE_OK)
        err = seed_write(admin);
    admin_rings_clear(admin);
    if (err == FLUE_OK)
        err = ring_describe(admin, FLUE_REG_ASQ_BASE, FLUE_REG_ASQ_TAIL, FLUE_REG_ASQ_CFG, 0);
    if (err == FLUE_OK)
        err = ring_describe(admin, FLUE_REG_ACQ_BASE, FLUE_REG_ACQ_HEAD, FLUE_REG_ACQ_CFG, admin->cq_offset);
    if (err == FLUE_OK) {
        admin->state = ADMIN_STARTS;
        err = reg_write(a, FLUE_REG_FW_CTRL, FLUE_PUT(FW_CTRL_COLD, cold) | FLUE_FW_CTRL_RUN_MASK);
    }
    if (err == FLUE_OK)
        err = ready_wait(admin);
    if (err == FLUE_OK) {
        admin->state = ADMIN_RUNS;
        a->fault = NULL; /* of the run before */
        return FLUE_OK;
    }
    admin->state = ADMIN_STOPPED;
    if (a->state != ADAPTER_BROKEN)
        (void)processor_halt(admin); /* the first error is the one to tell */
    return err;
}

/* ---- trap and silence -------------------------------------------------------------------------------------------- */

enum flue_err processor_trap_read(struct flue_admin *admin, struct flue_admin_trap *trap)
{
    struct flue_adapter *a = admin->a;

    TRY(reg_read(a, FLUE_REG_FW_TRAP_CAUSE, &trap->cause));
    TRY(reg_read(a, FLUE_REG_FW_TRAP_PC, &trap->pc));
    TRY(reg_write(a, FLUE_REG_FW_ADDR, admin->info.memory_bytes - FLUE_TRAP_BYTES + 4));
    for (unsigned i = 0; i < 31; i++) /* word 0 of the record is the address, which the register has */
        TRY(reg_read(a, FLUE_REG_FW_DATA, &trap->registers[i]));
    return FLUE_OK;
}

/* It does no more: stop it, then give back what it held, then say so. */
static enum flue_err give_up(struct flue_admin *admin, const struct flue_admin_trap *trap)
{
    struct flue_adapter *a = admin->a;

    admin->state = ADMIN_STOPPED;
    TRY(processor_halt(admin));
    admin_end_all(admin);
    if (admin->handlers.trapped != NULL) {
        a->in_handler = true;
        admin->handlers.trapped(admin->handlers.ctx, trap);
        a->in_handler = false;
    }
    return FLUE_OK;
}

/* Is it there still?  When not, it was given up: admin->state says so. */
static enum flue_err look_at_status(struct flue_admin *admin, uint32_t *status)
{
    struct flue_adapter *a = admin->a;
    struct flue_admin_trap trap = {0};

    TRY(reg_read(a, FLUE_REG_FW_STATUS, status));
    if ((*status & FLUE_FW_STATUS_TRAPPED_MASK) != 0) {
        TRY(processor_trap_read(admin, &trap));
        (void)adapter_fault_set(a, "management processor trapped: cause %u at 0x%08X", trap.cause, trap.pc);
        return give_up(admin, &trap);
    }
    if ((*status & FLUE_FW_STATUS_RUNNING_MASK) == 0) {
        (void)adapter_fault_set(a, "management processor stopped unasked");
        return give_up(admin, &trap);
    }
    if ((*status & FLUE_FW_STATUS_READY_MASK) == 0) {
        (void)adapter_fault_set(a, "firmware stopped the admin queue");
        return give_up(admin, &trap);
    }
    return FLUE_OK;
}

enum flue_err processor_trapped(struct flue_adapter *a)
{
    uint32_t status;
    return a->admin != NULL && a->admin->state == ADMIN_RUNS ? look_at_status(a->admin, &status) : FLUE_OK;
}

enum flue_err processor_watch(struct flue_admin *admin)
{
    struct flue_adapter *a = admin->a;
    uint64_t now_us;
    uint32_t status;

    TRY(look_at_status(admin, &status));
    if (admin->state != ADMIN_RUNS)
        return FLUE_OK;
    TRY(flue_time_us(a, &now_us));
    if (admin->quiet_since_us == 0)
        admin->quiet_since_us = now_us;
    if (now_us - admin->quiet_since_us < admin->timeout_us)
        return FLUE_OK;
    (void)adapter_fault_set(a, "no answer to an admin command within %u us", admin->timeout_us);
    return give_up(admin, &(struct flue_admin_trap){0});
}

static enum flue_err index_check(struct flue_admin *admin)
{
    struct flue_adapter *a = admin->a;
    uint32_t head, tail;

    TRY(reg_read(a, FLUE_REG_ASQ_HEAD, &head));
    TRY(reg_read(a, FLUE_REG_ACQ_TAIL, &tail));
    if (head > UINT16_MAX || (uint16_t)(admin->sq_tail - head) > admin->size)
        return adapter_distrust(a, "head of the admin submissions outside the ring");
    /* An entry is in the ring, and may have been taken, before the tail says so. */
    if (tail > UINT16_MAX || (uint16_t)(tail + 1 - admin->cq_head) > admin->size + 1)
        return adapter_distrust(a, "tail of the admin completions outside the ring");
    return FLUE_OK;
}

static enum flue_err heartbeat_wait(struct flue_admin *admin, uint32_t limit_us)
{
    struct flue_adapter *a = admin->a;
    struct limit limit;
    uint32_t before, now;
    enum flue_err err;

    TRY(reg_read(a, FLUE_REG_FW_STATUS, &before));
    TRY(limit_begin(a, &limit, limit_us));
    TRY(reg_write(a, FLUE_REG_FW_PING, FLUE_FW_PING_PING_MASK));
    do {
        err = limit_step(a, &limit);
        if (err != FLUE_OK && err != FLUE_ETIMEOUT)
            return err;
        if (admin->state == ADMIN_RUNS)
            TRY(look_at_status(admin, &now));
        if (admin->state != ADMIN_RUNS || admin->stop_wanted)
            return FLUE_ESTATE;
        if (((now ^ before) & FLUE_FW_STATUS_HEARTBEAT_MASK) != 0)
            return FLUE_OK;
    } while (err == FLUE_OK);
    (void)adapter_fault_set(a, "management processor gave no heartbeat within %u us", limit_us);
    return FLUE_ETIMEOUT;
}

enum flue_err flue_admin_check(struct flue_admin *admin, uint32_t limit_us)
{
    if (admin == NULL)
        return FLUE_EARG;
    struct flue_adapter *a = admin->a;
    if (a->state == ADAPTER_BROKEN)
        return FLUE_EDEVICE;
    if (a->in_handler || admin->state != ADMIN_RUNS)
        return FLUE_ESTATE;
    TRY(index_check(admin));
    admin->waiting = true;
    enum flue_err err = heartbeat_wait(admin, limit_us);
    admin->waiting = false;
    (void)admin_stop_if_wanted(admin);
    return err;
}
