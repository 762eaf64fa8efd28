/* Pause, upload, resume: phase and counters. */
#include "admin_pause.h"

#include <assert.h>
#include <stddef.h>

enum ndis_verdict ndis_pause_initiate(const struct ndis_pause *p)
{
    if (p == NULL)
        return NDIS_START;
    if (p->closed)
        return NDIS_REFUSE;
    return p->phase == NDIS_PHASE_RUN ? NDIS_START : NDIS_QUEUE;
}

static void fell(struct ndis_pause *p, unsigned left)
{
    if (left == 0 && p->quieter != NULL)
        p->quieter(p->quieter_ctx);
}

void ndis_pause_begin(struct ndis_pause *p, enum ndis_operation op)
{
    if (p != NULL)
        p->outstanding[op]++;
}

void ndis_pause_end(struct ndis_pause *p, enum ndis_operation op)
{
    if (p == NULL)
        return;
    assert(p->outstanding[op] > 0);
    fell(p, --p->outstanding[op]);
}

void ndis_pause_waiting(struct ndis_pause *p, unsigned waiting)
{
    p->waiting = waiting;
}

void ndis_pause_held(struct ndis_pause *p, unsigned objects, unsigned indicated)
{
    if (p == NULL)
        return;
    p->objects = objects;
    p->indicated = indicated;
    fell(p, objects < indicated ? objects : indicated);
}

bool ndis_pause_uploading(const struct ndis_pause *p)
{
    return p != NULL && p->phase == NDIS_PHASE_UPLOAD;
}

bool ndis_pause_quiet(const struct ndis_pause *p)
{
    unsigned left = p->objects;
    for (unsigned op = 0; op < NDIS_OP_COUNT; op++)
        left += p->outstanding[op];
    return left == p->waiting;
}

void ndis_pause_phase(struct ndis_pause *p, enum ndis_phase phase)
{
    p->phase = phase;
}

void ndis_pause_close(struct ndis_pause *p, bool closed)
{
    p->closed = closed;
}
