/*
 * Pause, upload, resume: what the host was told about offloading, and the counters of everything it has outstanding.
 *
 * The administrator side (admin_phase.c) moves the phase; the target's gate calls begin and end around each operation,
 * says what is held, and asks before an initiate starts and what becomes of a send.  One thread at a time, as everything of
 * an adapter.
 */
#ifndef FLUE_NDIS_ADMIN_PAUSE_H
#define FLUE_NDIS_ADMIN_PAUSE_H

#include <stdbool.h>

/* What the host was told last (chimney.md 4.17). */
enum ndis_phase {
    NDIS_PHASE_RUN,    /* offloads as it likes */
    NDIS_PHASE_PAUSE,  /* OFFLOAD_PAUSE: existing connections go on, initiates wait */
    NDIS_PHASE_UPLOAD, /* UPLOAD_ALL: everything shall be terminated; sends end with UPLOAD_IN_PROGRESS */
};

enum ndis_operation {
    NDIS_OP_INITIATE,
    NDIS_OP_QUERY,
    NDIS_OP_UPDATE,
    NDIS_OP_INVALIDATE,
    NDIS_OP_TERMINATE,
    NDIS_OP_DATA, /* send, receive, disconnect, forward */
    NDIS_OP_COUNT
};

/* What becomes of an initiate that arrives now. */
enum ndis_verdict {
    NDIS_START, /* begin it */
    NDIS_QUEUE, /* keep it; the target asks again in each run */
    NDIS_REFUSE /* complete it, every node FAILURE: the adapter is halting or has no power */
};

struct ndis_pause {
    enum ndis_phase phase;
    bool closed; /* halting or without power */
    unsigned outstanding[NDIS_OP_COUNT];
    unsigned waiting;           /* of the initiates: held by the target until a RESUME */
    unsigned objects;           /* neighbors, paths and connections held */
    unsigned indicated;         /* packet lists the host has and must return */
    void (*quieter)(void *ctx); /* the administrator's: some counter fell to zero */
    void *quieter_ctx;
};

/* The verdict for an initiate; always NDIS_START when p is null, as every call here allows. */
enum ndis_verdict ndis_pause_initiate(const struct ndis_pause *p);

/* Around every operation, from its call to just after its completion call. */
void ndis_pause_begin(struct ndis_pause *p, enum ndis_operation op);
void ndis_pause_end(struct ndis_pause *p, enum ndis_operation op);

/* How many initiates the target holds back, of those that were begun. */
void ndis_pause_waiting(struct ndis_pause *p, unsigned waiting);

/* How many objects are held and how many indicated packet lists the host still has, as of now. */
void ndis_pause_held(struct ndis_pause *p, unsigned objects, unsigned indicated);

/* True from UPLOAD_ALL on: a send ends with NDIS_STATUS_UPLOAD_IN_PROGRESS, never NDIS_STATUS_PAUSED (CH-197). */
bool ndis_pause_uploading(const struct ndis_pause *p);

/* True while nothing of the host is under way, but initiates that wait for a RESUME, and nothing of it is held. */
bool ndis_pause_quiet(const struct ndis_pause *p);

/* ---- the administrator's side ------------------------------------------------------------------------------------ */

void ndis_pause_phase(struct ndis_pause *p, enum ndis_phase phase);

/* Refuse initiates from now on, or no longer. */
void ndis_pause_close(struct ndis_pause *p, bool closed);

#endif
