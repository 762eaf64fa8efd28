/*
 * Administration: OID requests and status indications of one adapter (task-offload.md section 4, chimney.md 2.3.4, 2.4).
 *
 * The library plays both sides of the published interface: NDIS, which caches the registered structures and answers
 * queries, and the engine, which checks and applies.  It sits on the settings of the driver core for task offload and on
 * the admin queue for connection offload; both are reached through small tables of functions.
 *
 *   flue_ndis_task_over_adapter(adapter, &params.task);
 *   flue_ndis_connection_over_admin(admin, &params.connection);
 *   flue_ndis_admin_open(&params, &ndis);              CFG = hardware and keywords, nothing activated
 *   flue_ndis_oid(ndis, &request);
 *
 * Same thread rules as flue/core.h.  Handlers are called from inside flue_ndis_oid() and the calls below it; they
 * may send OID queries, nothing else.
 *
 * Chosen where the sources are silent: keywords are written before a request is applied and thrown away when it fails; an
 * IP version that was switched off by OID_OFFLOAD_ENCAPSULATION is reported off; a globally disabled task offload answers
 * NDIS_STATUS_NOT_SUPPORTED to whoever wants to change it.
 */
#ifndef FLUE_NDIS_ADMIN_H
#define FLUE_NDIS_ADMIN_H

#include "flue/admin.h"
#include "flue/core.h"
#include "flue/ndis/keywords.h"
#include "flue/ndis/offload.h"
#include "flue/ndis/oid.h"
#include "flue/ndis/status.h"
#include "flue/ndis/target.h"

#ifdef __cplusplus
extern "C" {
#endif

struct flue_ndis_admin;

/* ---- below ------------------------------------------------------------------------------------------------------- */

/* Settings of task offload, as flue_config_caps(), _get(), _set() and flue_encap_set(). */
struct flue_ndis_task_ops {
    void *ctx;
    void (*caps)(void *ctx, struct flue_config *caps);
    void (*get)(void *ctx, struct flue_config *now);
    enum flue_err (*set)(void *ctx, const struct flue_config *request);
    enum flue_err (*encap)(void *ctx, enum flue_encap ipv4, enum flue_encap ipv6);
};

/* Configuration and statistics of connection offload: records of flue/control.h.  All null: the adapter has none. */
struct flue_ndis_connection_ops {
    void *ctx;
    NDIS_STATUS (*config_get)(void *ctx, enum flue_config_group group, void *record, size_t bytes);
    NDIS_STATUS (*config_set)(void *ctx, enum flue_config_group group, const void *record, size_t bytes);
    NDIS_STATUS (*stats_get)(void *ctx, enum flue_stats_group group, void *record, size_t bytes);
    NDIS_STATUS (*stats_reset)(void *ctx, enum flue_stats_group group);
};

void flue_ndis_task_over_adapter(struct flue_adapter *adapter, struct flue_ndis_task_ops *ops);
void flue_ndis_connection_over_admin(struct flue_admin *admin, struct flue_ndis_connection_ops *ops);

/* ---- requests ---------------------------------------------------------------------------------------------------- */

enum flue_ndis_request_type { FLUE_NDIS_QUERY, FLUE_NDIS_SET };

/* One OID request; memory is the caller's until it is complete. */
struct flue_ndis_request {
    enum flue_ndis_request_type type;
    NDIS_OID oid;
    void *buffer;           /* InformationBuffer */
    uint32_t length;        /* its bytes */
    uint32_t bytes_read;    /* out, set: bytes of the buffer that were looked at */
    uint32_t bytes_written; /* out, query */
    uint32_t bytes_needed;  /* out: length it takes, when the buffer was too short */
    void *cookie;
};

struct flue_ndis_admin_handlers {
    void *ctx;
    /* A status indication; buffer is null where none is published. */
    void (*indicate)(void *ctx, NDIS_STATUS code, const void *buffer, uint32_t bytes);
    /* A request that was answered NDIS_STATUS_PENDING has ended. */
    void (*complete)(void *ctx, struct flue_ndis_request *request, NDIS_STATUS status);
    /* Halt came to its end: everything indicated was returned, nothing is held. */
    void (*halted)(void *ctx);
    /* Something about the settings file a person should know. */
    flue_keyword_note *note;
};

struct flue_ndis_admin_params {
    struct flue_ndis_task_ops task;
    struct flue_ndis_connection_ops connection;
    const char *settings_path; /* file of keywords, copied; null: defaults, nothing is kept */
    struct flue_ndis_admin_handlers handlers;
};

/*
 * Read the keywords and configure the adapter: CFG = hardware and keywords (TO-157).
 *
 * error  out: sentence when it fails; size bytes with its end
 *
 * Returns FLUE_EARG   a function is missing, or a line of the settings file is not "keyword = value"
 *         FLUE_EIO    the settings file cannot be read
 *         others      from the functions below
 */
FLUE_MUST_CHECK enum flue_err flue_ndis_admin_open(const struct flue_ndis_admin_params *params, struct flue_ndis_admin **admin,
                                                   char *error, size_t size);

/* Free it; a pending request is completed with NDIS_STATUS_NOT_ACCEPTED first.  Null is allowed. */
void flue_ndis_admin_close(struct flue_ndis_admin *admin);

/*
 * One OID request.  NDIS_STATUS_PENDING: handlers.complete follows, and only OID_TCP_OFFLOAD_PARAMETERS (connection offload
 * while objects are offloaded: PAUSE and UPLOAD_ALL were indicated, the host terminates) and OID_PNP_SET_POWER do that.
 * At most one request is pending: another that would have to wait gets NDIS_STATUS_NOT_ACCEPTED.
 */
NDIS_STATUS flue_ndis_oid(struct flue_ndis_admin *admin, struct flue_ndis_request *request);

/* End what waited for the host's last terminate; after each flue_target_run(), never from a callback. */
void flue_ndis_run(struct flue_ndis_admin *admin);

/* Give a pending request up: it completes with REQUEST_ABORTED and nothing changed; offloading resumes. */
void flue_ndis_cancel(struct flue_ndis_admin *admin);

/* The keywords as they are now. */
void flue_ndis_keywords(const struct flue_ndis_admin *admin, struct flue_keywords *keywords);

/* ---- what others tell it ------------------------------------------------------------------------------------------ */

/* Settings changed by another way than an OID (handlers.config_changed of the core): indicates CURRENT_CONFIG if so. */
void flue_ndis_config_changed(struct flue_ndis_admin *admin);

/* Around a function reset: requests in between get REQUEST_ABORTED; the end configures connection offload again (TO-180). */
void flue_ndis_reset_begin(struct flue_ndis_admin *admin);
FLUE_MUST_CHECK enum flue_err flue_ndis_reset_end(struct flue_ndis_admin *admin);

/*
 * Halt: requests get NOT_ACCEPTED from now on, initiates are no longer begun.  True when it is complete already, else
 * handlers.halted says so (flue_ndis_run()) once all packet lists were returned and all objects are gone (CH-201).
 */
bool flue_ndis_halt(struct flue_ndis_admin *admin);

/*
 * PAUSE, UPLOAD_ALL, RESUME on the adapter's own account, for example before a restart of the firmware (chimney.md 4.17).
 * From PAUSE on initiates wait in the target, and the processor refuses those of anyone else as DISABLED; what was under way
 * is completed.  The status is that of telling the processor: a PAUSE is in force without it, a RESUME is not.
 */
NDIS_STATUS flue_ndis_pause(struct flue_ndis_admin *admin);
NDIS_STATUS flue_ndis_upload_all(struct flue_ndis_admin *admin);
NDIS_STATUS flue_ndis_resume(struct flue_ndis_admin *admin);

/* What the host was told last, and what it has outstanding. */
struct flue_ndis_phase {
    const char *name;                   /* "run", "pause", "upload"; "closed": halting, or without power.  Static storage */
    unsigned operations[FLUE_TREE_OPS]; /* called and not completed */
    unsigned sends;                     /* likewise */
    unsigned objects;                   /* neighbors, paths and connections held */
    unsigned indicated;                 /* packet lists the host has and must return */
};
void flue_ndis_phase(const struct flue_ndis_admin *admin, struct flue_ndis_phase *phase);

/*
 * After flue_admin_restart(): the configuration and the phase once more, for what was set while the processor did not
 * answer.  FLUE_EDEVICE: it did not take them.
 */
FLUE_MUST_CHECK enum flue_err flue_ndis_restarted(struct flue_ndis_admin *admin);

/* Fill the gate of a target's parameters, then name the target once it is there. */
void flue_ndis_gate(struct flue_ndis_admin *admin, struct flue_target_gate *gate);
void flue_ndis_target(struct flue_ndis_admin *admin, struct flue_target *target);

/* ---- reading structures -------------------------------------------------------------------------------------------- */

/*
 * Copy an NDIS_OFFLOAD of any revision: members beyond it are zero, that is not supported; a newer one is cut (TO-005,
 * TO-007).  NDIS_STATUS_INVALID_LENGTH or _INVALID_DATA for one that cannot be read; *offload is untouched then.
 */
NDIS_STATUS flue_ndis_offload_read(const void *buffer, uint32_t length, NDIS_OFFLOAD *offload);

/* The same for NDIS_OFFLOAD_PARAMETERS: members beyond its revision are NO_CHANGE. */
NDIS_STATUS flue_ndis_parameters_read(const void *buffer, uint32_t length, NDIS_OFFLOAD_PARAMETERS *parameters);

#ifdef __cplusplus
}
#endif
#endif
