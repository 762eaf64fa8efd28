/*
 * The control plane in the daemon: management processor, offload target, administration (docs/control-plane.md, 7).
 *
 * The daemon itself offloads no connection; it answers OID requests, tells what is offloaded, and brings a processor back
 * that trapped or hung.  Nothing here runs by a clock: a trap raises the interrupt, a command without answer has its limit.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "flued.h"
#include "flue/ndis/admin.h"
#include "flue/ndis/handlers.h"

#define COMMAND_US     5000000u /* live time a command may take */
#define STEP_US        1000u
#define UPLOAD_US      5000000u
#define RESTARTS_MAX   5u /* in the daemon's life; then the processor stays off */
#define LIST_ENTRIES   64u
#define ETHERNET_BYTES 14u

struct offload {
    struct daemon *d;
    struct flue_admin *admin; /* null: the adapter has no management processor */
    struct flue_target_bridge bridge;
    struct flue_target *target; /* null likewise */
    struct flue_ndis_admin *ndis;
    bool restart; /* the processor stopped */
    bool reconciling;
    unsigned restarts;
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

    if (trap->cause != 0)
        log_line(LOG_ERROR,
                 "management processor: trap, cause %" PRIu32 " at 0x%08" PRIx32 ", ra 0x%08" PRIx32 ", sp 0x%08" PRIx32,
                 trap->cause, trap->pc, trap->registers[0], trap->registers[1]);
    else
        log_line(LOG_ERROR, "management processor: it stopped its queue or gave no answer in time");
    o->restart = true;
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
    (void)ctx;
    (void)buffer;
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
                                        .observer = {.ctx = o, .table_error = on_table_error, .fault = on_target_fault}};
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
        err = flue_poll(o->d->adapter, LIST_ENTRIES, &handled);
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

/* Bring a stopped processor back: warm, tables kept, then compare what both sides hold. */
static void restart(struct offload *o)
{
    o->restart = false;
    if (o->restarts++ == RESTARTS_MAX) {
        log_line(LOG_ERROR, "management processor: stopped %u times, it stays off", o->restarts);
        return;
    }
    enum flue_err err = flue_admin_restart(o->admin);
    if (err == FLUE_OK)
        err = flue_target_reconcile(o->target);
    if (err != FLUE_OK) {
        log_line(LOG_ERROR, "management processor: restart: %s", flue_err_name(err));
        return;
    }
    o->reconciling = true;
    log_line(LOG_WARN, "management processor: started again, tables kept; comparing what is offloaded");
}

void offload_run(struct offload *o)
{
    if (o == NULL || o->target == NULL)
        return;
    flue_target_run(o->target);
    if (o->restart)
        restart(o);
    if (o->reconciling && flue_target_recovered(o->target) != FLUE_EAGAIN) {
        enum flue_err err = flue_target_recovered(o->target);
        o->reconciling = false;
        log_line(err == FLUE_OK ? LOG_INFO : LOG_ERROR, "management processor: reconciled: %s", flue_err_name(err));
    }
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
    if (status == NDIS_STATUS_PENDING)
        return status;
    if (!set) {
        *done = request->bytes_written < length ? request->bytes_written : length;
        memcpy(buffer, copy, *done);
    }
    free(copy);
    free(request);
    return status;
}

bool offload_phase(struct offload *o, const char *action)
{
    if (strcmp(action, "pause") == 0)
        flue_ndis_pause(o->ndis);
    else if (strcmp(action, "upload-all") == 0)
        flue_ndis_upload_all(o->ndis);
    else if (strcmp(action, "resume") == 0)
        flue_ndis_resume(o->ndis);
    else
        return false;
    log_line(LOG_INFO, "offload: %s", action);
    return true;
}

const char *offload_restart(struct offload *o)
{
    if (o->admin == NULL)
        return "this adapter has no management processor";
    o->restarts = 0;
    restart(o);
    return flue_admin_runs(o->admin) ? NULL : "the management processor did not start again";
}

const char *offload_list(struct offload *o, offload_each *each, void *ctx)
{
    struct flue_list_entry entries[LIST_ENTRIES];
    struct flue_admin_done done;

    for (uint32_t kind = FLUE_TBL_NEIGHBOR; o->admin != NULL && kind <= FLUE_TBL_CONNECTION; kind++) {
        uint32_t from = kind << FLUE_HANDLE_KIND_SHIFT, count = LIST_ENTRIES;
        while (count == LIST_ENTRIES) {
            struct flue_sqe sqe = {.word0 = FLUE_OP_LIST << FLUE_SQE_OPCODE_SHIFT, .arg = {from}};
            memset(entries, 0, sizeof entries);
            if (flue_admin_call(o->admin, &sqe, entries, sizeof entries, &done) != FLUE_OK ||
                done.status != (uint32_t)NDIS_STATUS_SUCCESS || done.result > LIST_ENTRIES)
                return "the management processor does not answer";
            count = done.result;
            for (uint32_t i = 0; i < count; i++) {
                if (entries[i].handle >> FLUE_HANDLE_KIND_SHIFT != kind)
                    continue;
                each(ctx, &entries[i]);
                from = entries[i].handle + 1;
            }
        }
    }
    return NULL;
}
