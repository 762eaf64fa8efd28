/* The device below `flue tree`: host-compiled firmware or RTL, each in this process, driven through the offload target. */
#include <stdlib.h>
#include <string.h>
#include "flue/core.h"
#include "flue/model.h"
#include "flue/ndis/target.h"
#include "flue/sim.h"
#include "tree.h"

#define EVENTS_A_POLL 64u
#define STEP_US       50u      /* time that passes between two looks at the queues */
#define LIMIT_US      2000000u /* an operation may take */
#define ALIGN_US      100000u  /* one tick at the slowest rate */
#define MARGIN_US     10u      /* behind the tick, so that rounding cannot put it before */
#define BYTES_A_LINE  16u

struct tree_device {
    struct flue_sim *sim; /* RTL */
    struct flue_link *link;
    struct flue_adapter *adapter;
    struct flue_admin *admin;
    struct flue_target *target;
    struct flue_target_bridge bridge;
    FILE *dump;
    unsigned operations;
    bool completed;
    struct flue_admin_done done;
    char text[200];
};

/* ---- what the queues say ----------------------------------------------------------------------------------------- */

/* The target is made after the admin queue: it needs to know the tables' sizes. */
static void on_done(void *ctx, const struct flue_admin_done *done)
{
    struct tree_device *d = ctx;
    if (d->target != NULL)
        flue_target_done(d->target, done);
}

static void on_notice(void *ctx, enum flue_cqe_kind kind, uint32_t status, uint32_t result)
{
    struct tree_device *d = ctx;
    if (d->target != NULL)
        flue_target_notice(d->target, kind, status, result);
}

static void on_complete(NDIS_HANDLE miniport, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root)
{
    struct tree_device *d = miniport;
    (void)root;
    d->completed = true;
}

static void dump(struct tree_device *d, const char *when, enum flue_tree_op op, const uint8_t *bytes, size_t len)
{
    if (d->dump == NULL)
        return;
    fprintf(d->dump, "# %u %s %s, %zu bytes\n", d->operations, flue_text_op_name(op), when, len);
    for (size_t at = 0; at < len; at += BYTES_A_LINE) {
        fprintf(d->dump, "%06zx", at);
        for (size_t i = at; i < at + BYTES_A_LINE && i < len; i++)
            fprintf(d->dump, " %02x", bytes[i]);
        fputc('\n', d->dump);
    }
}

static void on_sent(void *ctx, enum flue_tree_op op, const void *buffer, size_t len)
{
    dump(ctx, "before", op, buffer, len);
}

static void on_answered(void *ctx, enum flue_tree_op op, const void *buffer, size_t len, const struct flue_admin_done *done)
{
    struct tree_device *d = ctx;
    d->done = *done;
    dump(d, "after", op, buffer, len);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static enum flue_err time_read(struct tree_device *d, uint64_t *us)
{
    uint32_t lo = 0, hi = 0;
    enum flue_err err = d->link->ops->read32(d->link, FLUE_REG_TIME_LO, &lo);

    if (err == FLUE_OK)
        err = d->link->ops->read32(d->link, FLUE_REG_TIME_HI, &hi);
    *us = (uint64_t)hi << 32 | lo;
    return err;
}

static enum flue_err poll_once(struct tree_device *d)
{
    unsigned handled = 0;
    enum flue_err err = flue_poll(d->adapter, EVENTS_A_POLL, &handled);

    if (err == FLUE_OK && d->target != NULL)
        flue_target_run(d->target);
    return err;
}

static enum flue_err wait_until(struct tree_device *d, uint64_t until_us)
{
    enum flue_err err;
    uint64_t now;

    while ((err = time_read(d, &now)) == FLUE_OK && now < until_us) {
        uint64_t left = until_us - now;
        err = d->link->ops->wait(d->link, left < UINT32_MAX ? (uint32_t)left : UINT32_MAX);
        if (err == FLUE_OK)
            err = poll_once(d);
        if (err != FLUE_OK)
            return err;
    }
    return err;
}

enum flue_err tree_device_wait(struct tree_device *d, uint64_t us)
{
    uint64_t now;
    enum flue_err err = time_read(d, &now);

    return err == FLUE_OK ? wait_until(d, (now / ALIGN_US + 1) * ALIGN_US + MARGIN_US + us) : err;
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

enum flue_err tree_device_operate(struct tree_device *d, enum flue_tree_op op, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root,
                                  struct flue_admin_done *done)
{
    enum flue_err err = FLUE_OK;

    d->operations++;
    d->completed = false;
    d->done = (struct flue_admin_done){.status = (uint32_t)NDIS_STATUS_FAILURE};
    flue_target_entry[op](d->target, root);
    for (uint32_t us = 0; err == FLUE_OK; us += STEP_US) {
        err = poll_once(d);
        if (err != FLUE_OK || d->completed)
            break;
        err = us < LIMIT_US ? d->link->ops->wait(d->link, STEP_US) : FLUE_ETIMEOUT;
    }
    *done = d->done;
    return err;
}

uint32_t tree_device_handle(const struct tree_device *d, const void *context)
{
    struct flue_target_object object;

    return context != NULL && flue_target_object(d->target, context, &object) == FLUE_OK ? object.handle : 0;
}

enum flue_err tree_device_call(struct tree_device *d, enum flue_admin_opcode op, uint32_t arg, void *data, size_t bytes,
                               struct flue_admin_done *done)
{
    struct flue_sqe sqe = {.word0 = (uint32_t)op << FLUE_SQE_OPCODE_SHIFT, .arg = {arg}};

    return flue_admin_call(d->admin, &sqe, data, bytes, done);
}

const char *tree_device_fault(const struct tree_device *d, enum flue_err err)
{
    const char *sentence = d->target != NULL ? flue_target_fault(d->target) : NULL;

    if (sentence == NULL && d->adapter != NULL)
        sentence = flue_adapter_fault(d->adapter);
    if (sentence == NULL && d->sim != NULL)
        sentence = flue_sim_violation(d->sim);
    return sentence != NULL ? sentence : err == FLUE_ETIMEOUT ? "the device does not answer" : flue_err_name(err);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static enum flue_err link_open(struct tree_device *d, const struct tree_device_params *params, const char **wrong)
{
    struct flue_sim_config cfg;

    if (params->kind == TREE_DEVICE_MODEL)
        return flue_model_link_open(NULL, &d->link);
    flue_sim_config_init(&cfg);
    cfg.model_dir = params->model_dir;
    cfg.width = params->width;
    cfg.seed = 1;
    enum flue_err err = flue_sim_open(&cfg, &d->sim);
    if (err != FLUE_OK)
        *wrong = flue_sim_open_error();
    else
        d->link = flue_sim_link(d->sim);
    return err;
}

static enum flue_err target_create(struct tree_device *d)
{
    struct flue_target_params params = {.ndis = {.miniport = d},
                                        .observer = {.ctx = d, .sent = on_sent, .answered = on_answered}};
    struct flue_admin_info info;

    for (unsigned op = 0; op < FLUE_TREE_OPS; op++)
        params.ndis.complete[op] = on_complete;
    d->bridge = (struct flue_target_bridge){.adapter = d->adapter, .admin = d->admin};
    flue_target_over_admin(&d->bridge, &params.ops);
    flue_admin_info(d->admin, &info);
    params.rows[FLUE_LAYER_NEIGHBOR] = info.neighbors;
    params.rows[FLUE_LAYER_PATH] = info.paths;
    params.rows[FLUE_LAYER_TCP] = info.connections;
    return flue_target_create(&params, &d->target);
}

/* Connection offload on for both IP versions, with their encapsulation. */
static enum flue_err switch_on(struct tree_device *d)
{
    struct flue_cfg_switches switches = {.word0 = FLUE_CFG_SWITCHES_IPV4_MASK | FLUE_CFG_SWITCHES_IPV6_MASK |
                                                  FLUE_CFG_SWITCHES_ENCAP_IPV4_MASK | FLUE_CFG_SWITCHES_ENCAP_IPV6_MASK};
    struct flue_admin_done done;
    enum flue_err err = tree_device_call(d, FLUE_OP_SET_CONFIG, FLUE_CFG_SWITCHES, &switches, sizeof switches, &done);

    return err != FLUE_OK || done.status == (uint32_t)NDIS_STATUS_SUCCESS ? err : FLUE_EDEVICE;
}

struct tree_device *tree_device_open(const struct tree_device_params *params, const char **wrong)
{
    /* A fixed seed: the same script gives the same bytes. */
    struct flue_admin_params admin = {.seed = {1, 2, 3, 4}};
    struct tree_device *d = calloc(1, sizeof *d);
    static char text[200];

    *wrong = NULL;
    if (d == NULL) {
        *wrong = "out of memory";
        return NULL;
    }
    d->dump = params->dump;
    struct flue_handlers handlers = {.ctx = d};
    struct flue_admin_handlers admin_handlers = {.ctx = d, .done = on_done, .notice = on_notice};
    enum flue_err err = link_open(d, params, wrong);
    if (err == FLUE_OK)
        err = flue_adapter_open(d->link, NULL, &handlers, &d->adapter);
    if (err == FLUE_OK)
        err = flue_admin_start(d->adapter, &admin, &admin_handlers, &d->admin);
    if (err == FLUE_OK)
        err = target_create(d);
    if (err == FLUE_OK)
        err = switch_on(d);
    if (err == FLUE_OK)
        return d;
    if (*wrong == NULL) {
        snprintf(text, sizeof text, "%s",
                 err == FLUE_EUNSUPP ? "this device has no management processor" : tree_device_fault(d, err));
        *wrong = text;
    }
    tree_device_close(d);
    return NULL;
}

void tree_device_close(struct tree_device *d)
{
    enum flue_err err;

    if (d == NULL)
        return;
    if (d->target != NULL && flue_target_upload_all(d->target) == FLUE_OK)
        for (uint32_t us = 0; us < LIMIT_US && flue_target_recovered(d->target) == FLUE_EAGAIN; us += STEP_US)
            if (poll_once(d) != FLUE_OK || d->link->ops->wait(d->link, STEP_US) != FLUE_OK)
                break;
    if (d->target != NULL && (err = flue_target_destroy(d->target)) != FLUE_OK)
        fprintf(stderr, "flue: the target could not be ended: %s\n", flue_err_name(err));
    d->target = NULL;
    flue_adapter_close(d->adapter);
    if (d->sim != NULL)
        (void)!flue_sim_close(d->sim);
    else if (d->link != NULL)
        d->link->ops->close(d->link);
    free(d);
}
