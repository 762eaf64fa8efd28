/*
 * The control plane in the daemon: management processor, offload target, administration (docs/control-plane.md, 7).
 *
 * The daemon itself offloads no connection; it answers OID requests, tells what is offloaded, and is the host that uploads
 * everything when it is told to.  A processor that trapped or hung is brought back by the target.  Nothing here runs by a
 * clock: a trap raises the interrupt, a command without answer has its limit.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "flued.h"
#include "flue/ndis/admin.h"
#include "flue/ndis/handlers.h"

#define COMMAND_US     15000000u /* live time a command may take */
#define STEP_US        1000u
#define UPLOAD_US      5000000u
#define RESTARTS_MAX   5u /* in a row; then the processor stays off */
#define EVENTS_A_POLL  64u
#define TRAP_ADDRESS   24u /* of an instruction that every start executes, but for a trap: firmware/start.S */
#define TRAP_STEPS     1000u
#define ETHERNET_BYTES 14u

struct offload {
    struct daemon *d;
    struct flue_admin *admin; /* null: the adapter has no management processor */
    struct flue_target_bridge bridge;
    struct flue_target *target; /* null likewise */
    struct flue_ndis_admin *ndis;
    bool restarted; /* its configuration is to be written again */
    bool upload;    /* the host was told to terminate everything, or has to */
    bool uploading;
    struct offload_state state; /* but for runs and phase */
};

/* ---- calls from below -------------------------------------------------------------------------------------------- */

static void on_done(void *ctx, const struct flue_admin_done *done)
{
    struct offload *o = ctx;
    if (o->target != NULL)
        flue_target_done(o->target, done);
}

static void on_notice(void *ctx, enum flue_cqe_kind kind, uint32_t status, uint32_t result)
{
    struct offload *o = ctx;
    if (o->target != NULL)
        flue_target_notice(o->target, kind, status, result);
}

static void on_trapped(void *ctx, const struct flue_admin_trap *trap)
{
    struct offload *o = ctx;

    if (trap->cause != 0) {
        o->state.traps++;
        o->state.trap_cause = trap->cause;
        o->state.trap_pc = trap->pc;
        log_line(LOG_ERROR,
                 "management processor: trap, cause %" PRIu32 " at 0x%08" PRIx32 ", ra 0x%08" PRIx32 ", sp 0x%08" PRIx32,
                 trap->cause, trap->pc, trap->registers[0], trap->registers[1]);
    } else {
        o->state.stops++;
        log_line(LOG_ERROR, "management processor: it stopped its queue or gave no answer in time");
    }
    if (o->target != NULL)
        flue_target_stopped(o->target);
}

static void on_restarted(void *ctx, enum flue_err err, unsigned times)
{
    struct offload *o = ctx;

    if (err == FLUE_OK) {
        o->state.restarts++;
        o->restarted = true;
        log_line(LOG_WARN, "management processor: started again, tables kept; comparing what is offloaded");
    } else {
        log_line(LOG_ERROR, "management processor: restart %u of %u: %s", times, RESTARTS_MAX, flue_err_name(err));
    }
    if (times == RESTARTS_MAX)
        log_line(LOG_ERROR, "management processor: stopped %u times in a row; after the next it stays off", times);
}

static void on_reconciled(void *ctx, enum flue_err err, const struct flue_target_found *found)
{
    (void)ctx;
    log_line(err == FLUE_OK ? LOG_INFO : LOG_ERROR,
             "management processor: reconciled: %s, %" PRIu32 " objects kept, %" PRIu32 " lost, %" PRIu32 " terminated",
             flue_err_name(err), found->kept, found->lost, found->terminated);
}

static void on_table_error(void *ctx, uint32_t word)
{
    (void)ctx;
    log_line(LOG_ERROR, "table %" PRIu32 ", row %" PRIu32 ", word %" PRIu32 ": its check failed, the object is corrupt",
             (word & FLUE_TABLE_ERROR_TABLE_MASK) >> FLUE_TABLE_ERROR_TABLE_SHIFT,
             (word & FLUE_TABLE_ERROR_ROW_MASK) >> FLUE_TABLE_ERROR_ROW_SHIFT,
             (word & FLUE_TABLE_ERROR_WORD_MASK) >> FLUE_TABLE_ERROR_WORD_SHIFT);
}

static void on_target_fault(void *ctx, const char *sentence)
{
    (void)ctx;
    log_line(LOG_ERROR, "offload target: %s", sentence);
}

/* The daemon starts no operation, so that none completes. */
static void on_complete(NDIS_HANDLE miniport, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *list)
{
    (void)miniport;
    (void)list;
}

static void on_indicate(void *ctx, NDIS_STATUS code, const void *buffer, uint32_t bytes)
{
    (void)buffer;
    if (code == NDIS_STATUS_UPLOAD_ALL)
        ((struct offload *)ctx)->upload = true;
    log_line(LOG_DEBUG, "indication %s, %" PRIu32 " bytes", flue_ndis_status_name(code), bytes);
}

static void on_request_complete(void *ctx, struct flue_ndis_request *request, NDIS_STATUS status)
{
    (void)ctx;
    log_line(LOG_INFO, "%s ended: %s", flue_ndis_oid_name(request->oid), flue_ndis_status_name(status));
    free(request->buffer);
    free(request);
}

static void on_note(void *ctx, const char *sentence)
{
    (void)ctx;
    log_line(LOG_WARN, "%s", sentence);
}

/* ---- settings: through the port, so that the interface follows at once ------------------------------------------- */

static void task_caps(void *ctx, struct flue_config *caps)
{
    flue_config_caps(((struct daemon *)ctx)->adapter, caps);
}

static void task_get(void *ctx, struct flue_config *now)
{
    flue_config_get(((struct daemon *)ctx)->adapter, now);
}

static enum flue_err task_set(void *ctx, const struct flue_config *request)
{
    return flue_port_config_set(((struct daemon *)ctx)->port, request);
}

static enum flue_err task_encap(void *ctx, enum flue_encap ipv4, enum flue_encap ipv6)
{
    return flue_port_encap_set(((struct daemon *)ctx)->port, ipv4, ipv6);
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

/* One that does not start leaves an adapter without connection offload; packets pass all the same (HND-008). */
static void processor_start(struct offload *o)
{
    struct flue_admin_params params = {.timeout_us = COMMAND_US};
    struct flue_admin_handlers handlers = {.ctx = o, .done = on_done, .notice = on_notice, .trapped = on_trapped};
    struct flue_admin_info info;
    enum flue_err err = flue_admin_start(o->d->adapter, &params, &handlers, &o->admin);

    if (err == FLUE_EUNSUPP) {
        log_line(LOG_INFO, "this adapter has no management processor: no connection offload");
        return;
    }
    if (err != FLUE_OK) {
        const char *fault = flue_adapter_fault(o->d->adapter);
        log_line(LOG_ERROR, "management processor: %s%s%s", flue_err_name(err), fault != NULL ? ": " : "",
                 fault != NULL ? fault : "");
        o->admin = NULL;
        return;
    }
    flue_admin_info(o->admin, &info);
    log_line(LOG_INFO,
             "management processor with %" PRIu32 " KB runs: %" PRIu32 " neighbors, %" PRIu32 " paths, %" PRIu32
             " connections, %s TCP engine",
             info.memory_bytes / 1024, info.neighbors, info.paths, info.connections, info.engine ? "a" : "no");
}

static bool administration_open(struct offload *o)
{
    struct flue_ndis_admin_params params = {
        .task = {.ctx = o->d, .caps = task_caps, .get = task_get, .set = task_set, .encap = task_encap},
        .settings_path = o->d->options->settings_path,
        .handlers = {.ctx = o, .indicate = on_indicate, .complete = on_request_complete, .note = on_note}};
    char error[256] = "";

    if (o->admin != NULL)
        flue_ndis_connection_over_admin(o->admin, &params.connection);
    enum flue_err err = flue_ndis_admin_open(&params, &o->ndis, error, sizeof error);
    if (err != FLUE_OK)
        log_line(LOG_ERROR, "settings: %s: %s", flue_err_name(err), error);
    return err == FLUE_OK;
}

static bool target_open(struct offload *o)
{
    struct flue_target_params params = {.ndis = {.miniport = o},
                                        .observer = {.ctx = o,
                                                     .table_error = on_table_error,
                                                     .fault = on_target_fault,
                                                     .restarted = on_restarted,
                                                     .reconciled = on_reconciled},
                                        .restarts = RESTARTS_MAX};
    struct flue_admin_info info;

    if (o->admin == NULL)
        return true;
    for (unsigned op = 0; op < FLUE_TREE_OPS; op++)
        params.ndis.complete[op] = on_complete;
    o->bridge = (struct flue_target_bridge){.adapter = o->d->adapter, .admin = o->admin};
    flue_target_over_admin(&o->bridge, &params.ops);
    flue_ndis_gate(o->ndis, &params.gate);
    flue_admin_info(o->admin, &info);
    params.rows[FLUE_LAYER_NEIGHBOR] = info.neighbors;
    params.rows[FLUE_LAYER_PATH] = info.paths;
    params.rows[FLUE_LAYER_TCP] = info.connections;
    enum flue_err err = flue_target_create(&params, &o->target);
    if (err == FLUE_OK)
        flue_ndis_target(o->ndis, o->target);
    else
        log_line(LOG_ERROR, "offload target: %s", flue_err_name(err));
    return err == FLUE_OK;
}

/* Activation of both IP versions, as an operating system does it when it binds to an adapter. */
static bool activate(struct offload *o)
{
    NDIS_OFFLOAD_ENCAPSULATION e = {.Header = {.Type = NDIS_OBJECT_TYPE_OFFLOAD_ENCAPSULATION,
                                               .Revision = NDIS_OFFLOAD_ENCAPSULATION_REVISION_1,
                                               .Size = NDIS_SIZEOF_OFFLOAD_ENCAPSULATION_REVISION_1},
                                    .IPv4 = {.Enabled = NDIS_OFFLOAD_SET_ON,
                                             .EncapsulationType = NDIS_ENCAPSULATION_IEEE_802_3,
                                             .HeaderSize = ETHERNET_BYTES},
                                    .IPv6 = {.Enabled = NDIS_OFFLOAD_SET_ON,
                                             .EncapsulationType = NDIS_ENCAPSULATION_IEEE_802_3,
                                             .HeaderSize = ETHERNET_BYTES}};
    uint32_t done;
    NDIS_STATUS status = offload_oid(o, true, OID_OFFLOAD_ENCAPSULATION, &e, e.Header.Size, &done);

    if (status == NDIS_STATUS_SUCCESS)
        return true;
    /* Settings may have switched every task offload off: then there is nothing to activate. */
    log_line(LOG_WARN, "activation: %s; no offload is used", flue_ndis_status_name(status));
    return true;
}

struct offload *offload_open(struct daemon *d)
{
    struct offload *o = calloc(1, sizeof *o);

    if (o == NULL) {
        log_line(LOG_ERROR, "out of memory");
        return NULL;
    }
    o->d = d;
    processor_start(o);
    if (administration_open(o) && target_open(o) && activate(o))
        return o;
    offload_close(o);
    return NULL;
}

static enum flue_err step(struct offload *o)
{
    struct flue_link *link = flue_sim_link(o->d->sim);
    unsigned handled;
    enum flue_err err = link->ops->wait(link, STEP_US);

    if (err == FLUE_OK)
        err = flue_poll(o->d->adapter, EVENTS_A_POLL, &handled);
    if (err == FLUE_OK)
        flue_target_run(o->target);
    return err;
}

void offload_close(struct offload *o)
{
    if (o == NULL)
        return;
    if (o->ndis != NULL)
        (void)flue_ndis_halt(o->ndis);
    if (o->target != NULL) {
        enum flue_err err = flue_target_upload_all(o->target);
        for (uint32_t us = 0; err == FLUE_OK && us < UPLOAD_US && flue_target_recovered(o->target) == FLUE_EAGAIN;
             us += STEP_US)
            err = step(o);
        if (err == FLUE_OK)
            err = flue_target_recovered(o->target);
        if (err != FLUE_OK)
            log_line(LOG_WARN, "upload at the end: %s", flue_err_name(err));
        flue_ndis_target(o->ndis, NULL);
        if (flue_target_destroy(o->target) != FLUE_OK)
            log_line(LOG_WARN, "the offload target could not be ended: receive buffers were not returned");
    }
    flue_ndis_admin_close(o->ndis);
    flue_admin_stop(o->admin);
    free(o);
}

/* ---- at work ------------------------------------------------------------------------------------------------------- */

/* Be the host that terminates everything. */
static void upload(struct offload *o)
{
    if (o->upload && flue_target_upload_all(o->target) == FLUE_OK) { /* else something is under way: later */
        o->upload = false;
        o->uploading = true;
    }
    if (!o->uploading || flue_target_recovered(o->target) == FLUE_EAGAIN)
        return;
    enum flue_err err = flue_target_recovered(o->target);
    o->uploading = false;
    log_line(err == FLUE_OK ? LOG_INFO : LOG_ERROR, "offload: everything was uploaded: %s", flue_err_name(err));
}

void offload_run(struct offload *o)
{
    if (o == NULL || o->target == NULL)
        return;
    flue_target_run(o->target);
    if (o->restarted && flue_admin_runs(o->admin)) {
        o->restarted = false;
        if (flue_ndis_restarted(o->ndis) != FLUE_OK)
            log_line(LOG_ERROR, "management processor: it did not take its configuration again");
    }
    upload(o);
    flue_ndis_run(o->ndis);
}

void offload_config_changed(struct offload *o)
{
    if (o != NULL)
        flue_ndis_config_changed(o->ndis);
}

void offload_reset_begin(struct offload *o)
{
    if (o != NULL)
        flue_ndis_reset_begin(o->ndis);
}

enum flue_err offload_reset_end(struct offload *o)
{
    if (o == NULL)
        return FLUE_OK;
    enum flue_err err = flue_ndis_reset_end(o->ndis);
    return err == FLUE_OK && o->target != NULL ? flue_target_reconcile(o->target) : err;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

NDIS_STATUS offload_oid(struct offload *o, bool set, uint32_t oid, void *buffer, uint32_t length, uint32_t *done)
{
    /* A pending request outlives this call: it has memory of its own. */
    struct flue_ndis_request *request = calloc(1, sizeof *request);
    void *copy = malloc(length > 0 ? length : 1);

    *done = 0;
    if (request == NULL || copy == NULL) {
        free(request);
        free(copy);
        return NDIS_STATUS_RESOURCES;
    }
    memcpy(copy, buffer, length);
    *request =
        (struct flue_ndis_request){.type = set ? FLUE_NDIS_SET : FLUE_NDIS_QUERY, .oid = oid, .buffer = copy, .length = length};
    NDIS_STATUS status = flue_ndis_oid(o->ndis, request);
    if (status == NDIS_STATUS_PENDING) {
        o->upload = true; /* it waits for the host's terminates, also without an UPLOAD_ALL */
        return status;
    }
    if (!set) {
        *done = request->bytes_written < length ? request->bytes_written : length;
        memcpy(buffer, copy, *done);
    }
    free(copy);
    free(request);
    return status;
}

const char *offload_phase(struct offload *o, const char *action)
{
    NDIS_STATUS status;

    if (strcmp(action, "pause") == 0)
        status = flue_ndis_pause(o->ndis);
    else if (strcmp(action, "upload-all") == 0)
        status = flue_ndis_upload_all(o->ndis);
    else if (strcmp(action, "resume") == 0)
        status = flue_ndis_resume(o->ndis);
    else
        return "offload is pause, upload-all, resume or restart";
    if (o->target == NULL)
        o->upload = false; /* nothing can be offloaded */
    log_line(LOG_INFO, "offload: %s", action);
    return status == NDIS_STATUS_SUCCESS ? NULL : "the management processor did not take it";
}

const char *offload_restart(struct offload *o)
{
    if (o->target == NULL)
        return "this adapter has no management processor";
    enum flue_err err = flue_target_restart(o->target);
    if (err == FLUE_OK)
        on_restarted(o, err, 0);
    return err == FLUE_OK ? NULL : "the management processor did not start again";
}

const char *offload_list(struct offload *o, flue_object_each *each, void *ctx)
{
    if (o->admin == NULL)
        return NULL;
    return flue_objects_list(o->admin, each, ctx) == FLUE_OK ? NULL : "the management processor does not answer";
}

bool offload_state(const struct offload *o, struct offload_state *state)
{
    if (o == NULL || o->admin == NULL)
        return false;
    *state = o->state;
    state->runs = flue_admin_runs(o->admin);
    flue_ndis_phase(o->ndis, &state->phase);
    return true;
}

const char *offload_trap(struct offload *o)
{
    static const char failed[] = "the adapter does not answer";
    struct flue_link *link = flue_sim_link(o->d->sim);
    uint32_t status = FLUE_FW_STATUS_RUNNING_MASK;

    if (o->admin == NULL)
        return "this adapter has no management processor";
    if (link->ops->write32(link, FLUE_REG_FW_CTRL, 0) != FLUE_OK)
        return failed;
    for (unsigned i = 0; (status & FLUE_FW_STATUS_RUNNING_MASK) != 0; i++)
        if (i == TRAP_STEPS || link->ops->wait(link, 1) != FLUE_OK ||
            link->ops->read32(link, FLUE_REG_FW_STATUS, &status) != FLUE_OK)
            return failed;
    if (link->ops->write32(link, FLUE_REG_FW_ADDR, TRAP_ADDRESS) != FLUE_OK ||
        link->ops->write32(link, FLUE_REG_FW_DATA, 0) != FLUE_OK || /* no instruction */
        link->ops->write32(link, FLUE_REG_FW_CTRL, FLUE_FW_CTRL_RUN_MASK) != FLUE_OK)
        return failed;
    log_line(LOG_INFO, "management processor: an instruction was spoiled");
    return NULL;
}
