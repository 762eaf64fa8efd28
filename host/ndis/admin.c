/* Administration: opening, indications, power, reset and halt (task-offload.md 4.4, chimney.md 4.17). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "admin_internal.h"

NDIS_STATUS ndis_status_of(enum flue_err err)
{
    switch (err) {
    case FLUE_OK:
        return NDIS_STATUS_SUCCESS;
    case FLUE_EARG:
        return NDIS_STATUS_INVALID_DATA;
    case FLUE_EUNSUPP:
        return NDIS_STATUS_INVALID_PARAMETER;
    case FLUE_ENOMEM:
    case FLUE_EAGAIN:
        return NDIS_STATUS_RESOURCES;
    default:
        return NDIS_STATUS_FAILURE;
    }
}

/* ---- indications ------------------------------------------------------------------------------------------------- */

void ndis_indicate(struct flue_ndis_admin *a, NDIS_STATUS code, const void *buffer, uint32_t bytes)
{
    if (a->handlers.indicate != NULL)
        a->handlers.indicate(a->handlers.ctx, code, buffer, bytes);
}

void ndis_refresh(struct flue_ndis_admin *a)
{
    static const bool none_off[2];
    const bool off[2] = {a->encap[0] == NDIS_OFFLOAD_SET_OFF, a->encap[1] == NDIS_OFFLOAD_SET_OFF};
    struct flue_config caps, now;
    NDIS_TCP_CONNECTION_OFFLOAD *c = &a->connection_current;

    a->task.caps(a->task.ctx, &caps);
    a->task.get(a->task.ctx, &now);
    ndis_offload_of(&caps, &caps, none_off, &a->hardware);
    ndis_offload_of(&now, &caps, off, &a->current);
    *c = a->connection_hardware;
    c->SupportIPv4 = a->connection_on[NDIS_IPV4] && a->connection_hardware.SupportIPv4 == NDIS_OFFLOAD_SUPPORTED;
    c->SupportIPv6 = a->connection_on[NDIS_IPV6] && a->connection_hardware.SupportIPv6 == NDIS_OFFLOAD_SUPPORTED;
    if (!c->SupportIPv4 && !c->SupportIPv6)
        c->Encapsulation = NDIS_ENCAPSULATION_NOT_SUPPORTED;
}

void ndis_indicate_config(struct flue_ndis_admin *a)
{
    ndis_refresh(a);
    ndis_indicate(a, NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG, &a->current, a->current.Header.Size);
}

void flue_ndis_config_changed(struct flue_ndis_admin *a)
{
    NDIS_OFFLOAD before = a->current;

    if (a->applying)
        return;
    ndis_refresh(a);
    if (memcmp(&before, &a->current, sizeof before) != 0)
        ndis_indicate(a, NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG, &a->current, a->current.Header.Size);
}

/* ---- what waits for quiet ---------------------------------------------------------------------------------------- */

NDIS_STATUS ndis_wait(struct flue_ndis_admin *a, struct flue_ndis_request *request)
{
    if (a->pending != NULL)
        return NDIS_STATUS_NOT_ACCEPTED;
    a->pending = request;
    return NDIS_STATUS_PENDING;
}

static void finish(struct flue_ndis_admin *a, NDIS_STATUS status)
{
    struct flue_ndis_request *request = a->pending;

    a->pending = NULL;
    if (a->handlers.complete != NULL)
        a->handlers.complete(a->handlers.ctx, request, status);
}

/* Everything was terminated: do what waited for it. */
static void finish_pending(struct flue_ndis_admin *a)
{
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;

    if (a->pending->oid == OID_TCP_OFFLOAD_PARAMETERS) {
        status = ndis_change_apply(a, &a->change);
        if (status == NDIS_STATUS_SUCCESS)
            ndis_indicate_config(a);
        ndis_phase_back(a);
    }
    finish(a, status);
}

/* Only noted: the target calls from the middle of its work. */
static void on_quieter(void *ctx)
{
    ((struct flue_ndis_admin *)ctx)->due = true;
}

void flue_ndis_run(struct flue_ndis_admin *a)
{
    if (a->recount != NULL)
        a->recount(a); /* the target frees objects on its own account too */
    if (!a->due)
        return;
    a->due = false;
    if (a->pending != NULL && ndis_pause_quiet(&a->pause))
        finish_pending(a);
    if (a->state == NDIS_ADMIN_HALTS && !a->halted && ndis_pause_quiet(&a->pause) && a->pause.indicated == 0) {
        a->halted = true;
        if (a->handlers.halted != NULL)
            a->handlers.halted(a->handlers.ctx);
    }
}

static void abandon(struct flue_ndis_admin *a, NDIS_STATUS status)
{
    if (a->pending == NULL)
        return;
    if (a->pending->oid == OID_PNP_SET_POWER) {
        a->low_power = false;
        ndis_pause_close(&a->pause, a->state == NDIS_ADMIN_HALTS);
        if (a->state == NDIS_ADMIN_WORKS)
            (void)ndis_phase_write(a);
    } else if (a->state == NDIS_ADMIN_WORKS) {
        ndis_phase_back(a);
    }
    finish(a, status);
}

void flue_ndis_cancel(struct flue_ndis_admin *a)
{
    abandon(a, NDIS_STATUS_REQUEST_ABORTED);
}

NDIS_STATUS ndis_power_set(struct flue_ndis_admin *a, struct flue_ndis_request *request)
{
    uint32_t state;

    if (request->buffer == NULL || request->length < sizeof state) {
        request->bytes_needed = sizeof state;
        return NDIS_STATUS_INVALID_LENGTH;
    }
    memcpy(&state, request->buffer, sizeof state);
    request->bytes_read = sizeof state;
    if (state < NdisDeviceStateD0 || state > NdisDeviceStateD3)
        return NDIS_STATUS_INVALID_DATA;
    if (a->pending != NULL)
        return NDIS_STATUS_NOT_ACCEPTED;
    a->low_power = state != NdisDeviceStateD0;
    ndis_pause_close(&a->pause, a->low_power);
    NDIS_STATUS status = ndis_phase_write(a);
    if (status != NDIS_STATUS_SUCCESS && !a->low_power)
        return status; /* it would refuse what the host offloads; the driver's own gate needs no device to close */
    /* The host terminates everything before; success is not reported until it has (CH-199). */
    return a->low_power && !ndis_pause_quiet(&a->pause) ? ndis_wait(a, request) : NDIS_STATUS_SUCCESS;
}

/* ---- reset and halt ---------------------------------------------------------------------------------------------- */

void flue_ndis_reset_begin(struct flue_ndis_admin *a)
{
    if (a->state != NDIS_ADMIN_WORKS)
        return;
    abandon(a, NDIS_STATUS_REQUEST_ABORTED);
    a->state = NDIS_ADMIN_RESETS;
}

enum flue_err flue_ndis_reset_end(struct flue_ndis_admin *a)
{
    if (a->state != NDIS_ADMIN_RESETS)
        return FLUE_ESTATE;
    a->state = NDIS_ADMIN_WORKS;
    if (ndis_has_connection(a) && ndis_connection_restore(a) != NDIS_STATUS_SUCCESS)
        return FLUE_EDEVICE;
    return FLUE_OK;
}

enum flue_err flue_ndis_restarted(struct flue_ndis_admin *a)
{
    if (ndis_has_connection(a) && ndis_connection_restore(a) != NDIS_STATUS_SUCCESS)
        return FLUE_EDEVICE;
    return FLUE_OK;
}

bool flue_ndis_halt(struct flue_ndis_admin *a)
{
    a->state = NDIS_ADMIN_HALTS;
    abandon(a, NDIS_STATUS_NOT_ACCEPTED);
    ndis_pause_close(&a->pause, true);
    if (a->recount != NULL)
        a->recount(a);
    a->halted = ndis_pause_quiet(&a->pause) && a->pause.indicated == 0;
    return a->halted;
}

/* ---- open and close ---------------------------------------------------------------------------------------------- */

/* *JumboPacket counts like max_frame_bytes: with Ethernet header, without tag and FCS; 0 keeps. */
static uint32_t jumbo(struct flue_ndis_admin *a, const struct flue_config *caps)
{
    uint32_t bytes = a->keywords.value[FLUE_KW_JUMBO_PACKET], most = caps->max_frame_bytes - 4;
    char text[96];

    if (!a->keywords.present[FLUE_KW_JUMBO_PACKET])
        return 0;
    if (bytes <= most)
        return bytes;
    snprintf(text, sizeof text, "*JumboPacket is %u, more than this adapter's %u; its default counts", bytes, most);
    if (a->handlers.note != NULL)
        a->handlers.note(a->handlers.ctx, text);
    return most < 1514 ? most : 1514;
}

/* CFG = hardware and keywords. */
static NDIS_STATUS configure(struct flue_ndis_admin *a)
{
    NDIS_OFFLOAD_PARAMETERS p;
    struct ndis_change change;
    struct flue_config caps;

    flue_keywords_parameters(&a->keywords, &p);
    NDIS_STATUS status = ndis_change_of(a, &p, true, &change);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    a->task.caps(a->task.ctx, &caps);
    if (a->keywords.present[FLUE_KW_PRIORITY_VLAN])
        change.task.way[FLUE_SW_VLAN] = a->keywords.value[FLUE_KW_PRIORITY_VLAN] == 0 ? FLUE_WAY_OFF : caps.way[FLUE_SW_VLAN];
    change.task.max_frame_bytes = jumbo(a, &caps);
    change.keep_keywords = true;
    return ndis_change_apply(a, &change);
}

enum flue_err flue_ndis_admin_open(const struct flue_ndis_admin_params *params, struct flue_ndis_admin **admin, char *error,
                                   size_t size)
{
    const struct flue_ndis_task_ops *t = &params->task;
    const struct flue_ndis_connection_ops *c = &params->connection;
    bool some = c->config_get != NULL || c->config_set != NULL || c->stats_get != NULL || c->stats_reset != NULL;

    *admin = NULL;
    if (t->caps == NULL || t->get == NULL || t->set == NULL || t->encap == NULL ||
        (some && (c->config_get == NULL || c->config_set == NULL || c->stats_get == NULL || c->stats_reset == NULL))) {
        snprintf(error, size, "a function of the adapter's settings is missing");
        return FLUE_EARG;
    }
    struct flue_ndis_admin *a = calloc(1, sizeof *a);
    if (a == NULL) {
        snprintf(error, size, "no memory");
        return FLUE_ENOMEM;
    }
    a->task = *t;
    a->connection = *c;
    a->handlers = params->handlers;
    a->pause.quieter = on_quieter;
    a->pause.quieter_ctx = a;
    flue_keywords_default(&a->keywords);
    enum flue_err err = FLUE_OK;
    if (params->settings_path != NULL) {
        a->settings_path = strdup(params->settings_path);
        err = a->settings_path == NULL
                  ? FLUE_ENOMEM
                  : flue_keywords_load(a->settings_path, &a->keywords, a->handlers.note, a->handlers.ctx, error, size);
    }
    if (err == FLUE_OK && some && ndis_connection_open(a) != NDIS_STATUS_SUCCESS) {
        snprintf(error, size, "the firmware did not tell its capabilities");
        err = FLUE_EDEVICE;
    }
    NDIS_STATUS status = err == FLUE_OK ? configure(a) : NDIS_STATUS_SUCCESS;
    if (status != NDIS_STATUS_SUCCESS) {
        snprintf(error, size, "the adapter did not take its settings: %s", flue_ndis_status_name(status));
        err = status == NDIS_STATUS_INVALID_PARAMETER ? FLUE_EUNSUPP : FLUE_EDEVICE;
    }
    if (err != FLUE_OK) {
        flue_ndis_admin_close(a);
        return err;
    }
    ndis_refresh(a);
    *admin = a;
    return FLUE_OK;
}

void flue_ndis_admin_close(struct flue_ndis_admin *a)
{
    if (a == NULL)
        return;
    a->state = NDIS_ADMIN_HALTS;
    abandon(a, NDIS_STATUS_NOT_ACCEPTED);
    free(a->settings_path);
    free(a);
}

void flue_ndis_keywords(const struct flue_ndis_admin *a, struct flue_keywords *keywords)
{
    *keywords = a->keywords;
}
