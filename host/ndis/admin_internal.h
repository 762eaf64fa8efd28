/* What the parts of the administration share. */
#ifndef FLUE_NDIS_ADMIN_INTERNAL_H
#define FLUE_NDIS_ADMIN_INTERNAL_H

#include "admin_pause.h"
#include "flue/ndis/admin.h"

#define NDIS_OFFLOAD_REVISION_OURS NDIS_OFFLOAD_REVISION_6 /* what we write */

enum ndis_family { NDIS_IPV4, NDIS_IPV6 };

/* A parameters request that was checked, as what it changes. */
struct ndis_change {
    struct flue_config task;       /* flue_config_keep() where nothing changes */
    bool task_named;               /* some member of task offload is not NO_CHANGE */
    bool connection_named;         /* likewise of connection offload */
    bool connection[2];            /* wanted, by family */
    bool keep_keywords;            /* SKIP_REGISTRY_UPDATE */
    struct flue_keywords keywords; /* as they will be */
};

struct flue_ndis_admin {
    struct flue_ndis_task_ops task;
    struct flue_ndis_connection_ops connection;
    struct flue_ndis_admin_handlers handlers;
    char *settings_path;
    struct flue_keywords keywords;
    struct ndis_pause pause;
    struct flue_target *target; /* admin_gate.c's */
    void (*recount)(struct flue_ndis_admin *a);

    /* What NDIS caches. */
    NDIS_OFFLOAD hardware, current;
    NDIS_TCP_CONNECTION_OFFLOAD connection_hardware, connection_current;
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS connection_parameters;
    NDIS_OFFLOAD_ENCAPSULATION encapsulation;
    bool encapsulation_was_set;
    uint8_t encap[2];      /* NDIS_OFFLOAD_SET_*, in force */
    bool connection_on[2]; /* switches of connection offload */
    bool connection_encap[2];
    enum ndis_phase phase_before; /* a change of parameters paused */
    bool device_paused;           /* what the processor was told */

    enum { NDIS_ADMIN_WORKS, NDIS_ADMIN_RESETS, NDIS_ADMIN_HALTS } state;
    bool applying; /* our own change is under way: no indication from config_changed */
    bool due;      /* some counter fell to zero: flue_ndis_run() looks */
    bool halted;
    struct flue_ndis_request *pending;
    struct ndis_change change; /* of a pending parameters request */
    bool low_power;
};

/* ---- layout.c ---------------------------------------------------------------------------------------------------- */

/* The switches as NDIS_OFFLOAD; off[] takes the offloads of an IP version away. */
void ndis_offload_of(const struct flue_config *config, const struct flue_config *caps, const bool off[2],
                     NDIS_OFFLOAD *offload);

/* Any offload of this IP version in it. */
bool ndis_offload_any(const NDIS_OFFLOAD *offload, enum ndis_family family);

/*
 * Header of a structure from outside: length reported when short.  need[] are the sizes of revisions 1 to count; *known
 * gets the bytes of it that we know.
 */
NDIS_STATUS ndis_header_check(const void *buffer, uint32_t length, uint8_t type, const uint16_t *need, unsigned count,
                              uint32_t *known, uint32_t *needed);

/* ---- oid_task.c --------------------------------------------------------------------------------------------------- */

NDIS_STATUS ndis_parameters_set(struct flue_ndis_admin *a, struct flue_ndis_request *request);
NDIS_STATUS ndis_encapsulation_set(struct flue_ndis_admin *a, struct flue_ndis_request *request);

/* Apply a checked change: keywords, connection offload, task offload; all of it or nothing. */
NDIS_STATUS ndis_change_apply(struct flue_ndis_admin *a, const struct ndis_change *change);

/* Values of keywords or of a request as a change.  Values the hardware lacks are left out when clip, else refused. */
NDIS_STATUS ndis_change_of(struct flue_ndis_admin *a, const NDIS_OFFLOAD_PARAMETERS *p, bool clip, struct ndis_change *change);

/* ---- oid_connection.c ---------------------------------------------------------------------------------------------- */

bool ndis_has_connection(const struct flue_ndis_admin *a);
NDIS_STATUS ndis_connection_open(struct flue_ndis_admin *a); /* read what the firmware has */
NDIS_STATUS ndis_connection_switch(struct flue_ndis_admin *a, const bool on[2], const bool encap[2]);
NDIS_STATUS ndis_connection_restore(struct flue_ndis_admin *a);
NDIS_STATUS ndis_connection_pause(struct flue_ndis_admin *a, bool paused);
NDIS_STATUS ndis_connection_parameters_set(struct flue_ndis_admin *a, struct flue_ndis_request *request);
NDIS_STATUS ndis_stats_query(struct flue_ndis_admin *a, struct flue_ndis_request *request);
NDIS_STATUS ndis_stats_set(struct flue_ndis_admin *a, struct flue_ndis_request *request);

/* ---- admin_phase.c ----------------------------------------------------------------------------------------------- */

/* Tell the processor whether initiates are refused now; nothing when it knows. */
NDIS_STATUS ndis_phase_write(struct flue_ndis_admin *a);

/* The change that paused is over: as it was before. */
void ndis_phase_back(struct flue_ndis_admin *a);

/* ---- admin.c ----------------------------------------------------------------------------------------------------- */

void ndis_indicate(struct flue_ndis_admin *a, NDIS_STATUS code, const void *buffer, uint32_t bytes);

/* Rebuild `current` and indicate it. */
void ndis_indicate_config(struct flue_ndis_admin *a);

/* Rebuild the structures NDIS caches. */
void ndis_refresh(struct flue_ndis_admin *a);

/* Wait for quiet with this request; NOT_ACCEPTED when another waits. */
NDIS_STATUS ndis_wait(struct flue_ndis_admin *a, struct flue_ndis_request *request);

NDIS_STATUS ndis_power_set(struct flue_ndis_admin *a, struct flue_ndis_request *request);
NDIS_STATUS ndis_status_of(enum flue_err err);

#endif
