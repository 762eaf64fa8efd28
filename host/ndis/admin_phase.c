/*
 * PAUSE, UPLOAD_ALL, RESUME (chimney.md 4.17).  The driver's gate queues initiates; the processor refuses what would get past
 * it (cfg_switches.paused), which its queue puts behind every initiate that is under way.
 */
#include <stdio.h>
#include "admin_internal.h"

NDIS_STATUS ndis_phase_write(struct flue_ndis_admin *a)
{
    bool paused = ndis_pause_initiate(&a->pause) != NDIS_START;

    if (!ndis_has_connection(a) || a->device_paused == paused)
        return NDIS_STATUS_SUCCESS;
    NDIS_STATUS status = ndis_connection_pause(a, paused);
    if (status != NDIS_STATUS_SUCCESS && a->handlers.note != NULL) {
        char text[96];
        snprintf(text, sizeof text, "the processor was not told of the %s: %s", paused ? "pause" : "resume",
                 flue_ndis_status_name(status));
        a->handlers.note(a->handlers.ctx, text);
    }
    return status;
}

/* A change of parameters paused, and waits for the host's terminates. */
static bool changing(const struct flue_ndis_admin *a)
{
    return a->pending != NULL && a->pending->oid == OID_TCP_OFFLOAD_PARAMETERS;
}

NDIS_STATUS flue_ndis_pause(struct flue_ndis_admin *a)
{
    if (changing(a) && a->phase_before == NDIS_PHASE_RUN)
        a->phase_before = NDIS_PHASE_PAUSE; /* it stays so afterwards */
    if (a->pause.phase != NDIS_PHASE_RUN)
        return NDIS_STATUS_SUCCESS;
    ndis_pause_phase(&a->pause, NDIS_PHASE_PAUSE);
    NDIS_STATUS status = ndis_phase_write(a);
    ndis_indicate(a, NDIS_STATUS_OFFLOAD_PAUSE, NULL, 0);
    return status;
}

NDIS_STATUS flue_ndis_upload_all(struct flue_ndis_admin *a)
{
    NDIS_STATUS status = flue_ndis_pause(a);

    if (changing(a))
        a->phase_before = NDIS_PHASE_UPLOAD;
    if (a->pause.phase == NDIS_PHASE_UPLOAD)
        return status;
    ndis_pause_phase(&a->pause, NDIS_PHASE_UPLOAD);
    ndis_indicate(a, NDIS_STATUS_UPLOAD_ALL, NULL, 0);
    return status;
}

static NDIS_STATUS resume(struct flue_ndis_admin *a)
{
    enum ndis_phase before = a->pause.phase;

    if (before == NDIS_PHASE_RUN)
        return NDIS_STATUS_SUCCESS;
    ndis_pause_phase(&a->pause, NDIS_PHASE_RUN);
    NDIS_STATUS status = ndis_phase_write(a);
    if (status != NDIS_STATUS_SUCCESS) { /* it would refuse what the host offloads next */
        ndis_pause_phase(&a->pause, before);
        return status;
    }
    ndis_refresh(a);
    ndis_indicate(a, NDIS_STATUS_OFFLOAD_RESUME, &a->connection_current, sizeof a->connection_current);
    return status;
}

NDIS_STATUS flue_ndis_resume(struct flue_ndis_admin *a)
{
    if (changing(a)) {
        a->phase_before = NDIS_PHASE_RUN; /* comes with the end of the change */
        return NDIS_STATUS_SUCCESS;
    }
    return resume(a);
}

void ndis_phase_back(struct flue_ndis_admin *a)
{
    if (a->phase_before == NDIS_PHASE_RUN)
        (void)resume(a);
    else
        ndis_pause_phase(&a->pause, a->phase_before);
}

void flue_ndis_phase(const struct flue_ndis_admin *a, struct flue_ndis_phase *phase)
{
    static const char *const names[] = {[NDIS_PHASE_RUN] = "run", [NDIS_PHASE_PAUSE] = "pause", [NDIS_PHASE_UPLOAD] = "upload"};
    const struct ndis_pause *p = &a->pause;

    *phase = (struct flue_ndis_phase){.name = p->closed ? "closed" : names[p->phase],
                                      .sends = p->outstanding[NDIS_OP_DATA],
                                      .objects = p->objects,
                                      .indicated = p->indicated};
    phase->operations[FLUE_TREE_INITIATE] = p->outstanding[NDIS_OP_INITIATE];
    phase->operations[FLUE_TREE_QUERY] = p->outstanding[NDIS_OP_QUERY];
    phase->operations[FLUE_TREE_UPDATE] = p->outstanding[NDIS_OP_UPDATE];
    phase->operations[FLUE_TREE_INVALIDATE] = p->outstanding[NDIS_OP_INVALIDATE];
    phase->operations[FLUE_TREE_TERMINATE] = p->outstanding[NDIS_OP_TERMINATE];
}
