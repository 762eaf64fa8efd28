/*
 * The offload target: the five state operations of connection offload over an admin queue (chimney.md section 2.1, 3).
 *
 *   flue_target_create(&params, &target);
 *   flue_target_handlers(target, &handlers);          to flue_admin_start()
 *   MiniportInitiateOffload(target, tree);            returns at once
 *   flue_poll(adapter, ...); flue_target_run(target); until params.ndis.complete[] was called
 *
 * Everything belongs to one thread at a time.  Callbacks come from flue_target_run(), flue_target_done() and
 * flue_target_notice(), never from an entry point; a callback may call the entry points, but none of those three.
 *
 * The device is not trusted: an answer that cannot be true ends the operation with FAILURE and the use of the device, with
 * a sentence that says why (flue_target_fault(), FLUE_EDEVICE).  Neither is the host: contexts that were never given out,
 * are gone or belong to another layer are refused before they reach the device.
 */
#ifndef FLUE_NDIS_TARGET_H
#define FLUE_NDIS_TARGET_H

#include "flue/admin.h"
#include "flue/ndis/handlers.h"
#include "flue/ndis/tree.h"

#ifdef __cplusplus
extern "C" {
#endif

struct flue_target;

/* ---- below: the admin queue -------------------------------------------------------------------------------------- */

/* What the target needs of an admin queue; flue_target_over_admin() fills it for the real one. */
struct flue_target_ops {
    void *ctx;
    /* Memory the device may read and write, zeroed; FLUE_ENOMEM or FLUE_EAGAIN when there is none now. */
    enum flue_err (*mem_alloc)(void *ctx, size_t len_bytes, struct flue_mem *mem);
    void (*mem_free)(void *ctx, struct flue_mem *mem);
    /* As flue_admin_submit(): answered by exactly one flue_target_done() with this cookie, never from inside. */
    enum flue_err (*submit)(void *ctx, const struct flue_sqe *sqe, void *cookie);
    /* As flue_admin_restart(), FLUE_ESTATE: not from here; null when somebody else brings the processor back. */
    enum flue_err (*restart)(void *ctx);
};

/* The adapter and its admin queue; admin is set when flue_admin_start() returned. */
struct flue_target_bridge {
    struct flue_adapter *adapter;
    struct flue_admin *admin;
};
void flue_target_over_admin(struct flue_target_bridge *bridge, struct flue_target_ops *ops);

/* ---- above: NDIS ------------------------------------------------------------------------------------------------- */

typedef void (*FLUE_STATE_COMPLETE)(NDIS_HANDLE NdisMiniportHandle, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *OffloadBlockList);

/* What the target calls.  complete[] is needed, the rest may be null. */
struct flue_target_ndis {
    NDIS_HANDLE miniport; /* first argument of every call but tcp_event */
    /*
     * NdisMInitiateOffloadComplete, NdisMQueryOffloadStateComplete, NdisMUpdateOffloadComplete,
     * NdisMInvalidateOffloadComplete, NdisMTerminateOffloadComplete: by enum flue_tree_op.
     */
    FLUE_STATE_COMPLETE complete[FLUE_TREE_OPS];
    NDIS_TCP_OFFLOAD_EVENT_HANDLER tcp_event;        /* NdisTcpOffloadEventHandler */
    NDIS_TCP_OFFLOAD_COMPLETE_HANDLER send_complete; /* NdisTcpOffloadSendComplete */
    /* NdisMOffloadEventIndicate: one neighbor, whose HostReachabilityDelta the host may change before it returns. */
    void (*offload_event)(NDIS_HANDLE NdisMiniportHandle, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *OffloadBlockList,
                          uint32_t IndicateCode);
};

/* Who counts operations and says whether initiates go on (PAUSE, UPLOAD_ALL, RESUME).  All may be null. */
struct flue_target_gate {
    void *ctx;
    void (*begin)(void *ctx, enum flue_tree_op op); /* an entry point was called */
    void (*end)(void *ctx, enum flue_tree_op op);   /* its completion call returned */
    bool (*paused)(void *ctx);                      /* true: initiates wait until it is false (CH-196) */
    bool (*closed)(void *ctx);                      /* true: initiates end with FAILURE, detail DISABLED: halt, no power */
    bool (*uploading)(void *ctx);                   /* true: sends end with UPLOAD_IN_PROGRESS (CH-197) */
    void (*send)(void *ctx, bool begins);           /* a send was asked for; it was completed, or is held with its connection */
};

/* What a comparison after a restart found; each counts objects of every layer. */
struct flue_target_found {
    uint32_t kept;       /* both sides have it: kind, generation, parent, host handle and key (its constant state) agree */
    uint32_t lost;       /* the host's, not the device's: HardwareFailure was or will be indicated */
    uint32_t terminated; /* the device's, not the host's */
};

/* Watches what goes to the device and what comes back; all may be null. */
struct flue_target_observer {
    void *ctx;
    void (*sent)(void *ctx, enum flue_tree_op op, const void *buffer, size_t len_bytes);
    void (*answered)(void *ctx, enum flue_tree_op op, const void *buffer, size_t len_bytes, const struct flue_admin_done *done);
    void (*table_error)(void *ctx, uint32_t word); /* record table_error: a word of a table failed its check */
    void (*fault)(void *ctx, const char *sentence);
    void (*restarted)(void *ctx, enum flue_err err, unsigned times); /* the processor, or not: err; for which time in a row */
    void (*reconciled)(void *ctx, enum flue_err err, const struct flue_target_found *found);
};

struct flue_target_params {
    struct flue_target_ops ops;
    struct flue_target_ndis ndis;
    struct flue_target_gate gate;
    struct flue_target_observer observer;
    unsigned restarts; /* times in a row that flue_target_run() brings a stopped processor back; 0: it does not */
    uint32_t rows[4];  /* of the device's tables, by enum flue_tree_layer: a handle beyond them is a lie; see flue_admin_info */
};

/*
 * Returns FLUE_EARG    a call that is needed is missing, or a table has no rows
 *         FLUE_ENOMEM  no memory
 */
FLUE_MUST_CHECK enum flue_err flue_target_create(const struct flue_target_params *params, struct flue_target **target);

/*
 * End it: waiting and running operations are completed with FAILURE, what connections still held goes back (sends with
 * REQUEST_ABORTED), nothing is sent to the device: flue_target_upload_all() first for an orderly end.
 *
 * Returns FLUE_EAGAIN  receive buffers were indicated and not returned (CH-201), or called from a callback; nothing was done
 */
FLUE_MUST_CHECK enum flue_err flue_target_destroy(struct flue_target *target);

/* ---- entry points ------------------------------------------------------------------------------------------------ */

/* MiniportAdapterContext is the target.  The tree is the target's until the completion call with the same root. */
W_INITIATE_OFFLOAD_FN MiniportInitiateOffload;
W_QUERY_OFFLOAD_FN MiniportQueryOffload;
W_UPDATE_OFFLOAD_FN MiniportUpdateOffload;
W_INVALIDATE_OFFLOAD_FN MiniportInvalidateOffload;
W_TERMINATE_OFFLOAD_FN MiniportTerminateOffload;

/*
 * Send data on a connection: NDIS_STATUS_PENDING, every list ends once, in ndis.send_complete or with its connection's
 * terminate.  UPLOAD_IN_PROGRESS while the connection is being uploaded (UPLOAD_ALL, or a reason that has to be obeyed:
 * CH-059, CH-197, CH-208), REQUEST_ABORTED after an abort, and for a context of no connection.  Nothing leaves on the wire
 * without a TCP engine: the data stays behind what the connection had, and comes back with it.
 *
 * Returns NDIS_STATUS_INVALID_DATA  the chain loops or has less memory than it says; it was not taken
 *         NDIS_STATUS_RESOURCES     no memory to note it down; it was not taken
 */
NDIS_STATUS MiniportTcpOffloadSend(NDIS_HANDLE MiniportAdapterContext, void *MiniportOffloadContext,
                                   NET_BUFFER_LIST *NetBufferList);

/* Gives back lists that a terminate passed in BufferedData. */
NDIS_STATUS MiniportTcpOffloadReceiveReturn(NDIS_HANDLE MiniportAdapterContext, NET_BUFFER_LIST *NetBufferList);

/* The five by enum flue_tree_op. */
extern MINIPORT_STATE_OPERATION *const flue_target_entry[FLUE_TREE_OPS];

/* ---- work -------------------------------------------------------------------------------------------------------- */

/* Start what waits, complete what is finished, indicate what is due.  Nothing happens when called from a callback. */
void flue_target_run(struct flue_target *target);

/* A command ended, a notice came: for flue_admin_handlers, or a test. */
void flue_target_done(struct flue_target *target, const struct flue_admin_done *done);
void flue_target_notice(struct flue_target *target, enum flue_cqe_kind kind, uint32_t status, uint32_t result);

/* The processor stopped and its commands were ended: for flue_admin_handlers.trapped. */
void flue_target_stopped(struct flue_target *target);

/* Fill handlers with the three above. */
void flue_target_handlers(struct flue_target *target, struct flue_admin_handlers *handlers);

/* Operations and internal commands that have not ended. */
unsigned flue_target_outstanding(const struct flue_target *target);

/* Sentence that says how the device lied; null while it behaves.  Static storage. */
const char *flue_target_fault(const struct flue_target *target);

/* ---- recovery and the end ------------------------------------------------------------------------------------------ */

/*
 * Start the processor again, tables kept, and compare as flue_target_reconcile() does.  flue_target_run() does it by itself
 * after flue_target_stopped(), params.restarts times in a row; a comparison that ends well begins the count anew.
 *
 * Returns FLUE_EUNSUPP  ops.restart is null
 *         others        from it and from flue_target_reconcile()
 */
FLUE_MUST_CHECK enum flue_err flue_target_restart(struct flue_target *target);

/*
 * After a restart of the processor: compare the device's objects with the target's, by kind, generation, parent, host handle
 * and key (the constant state: addresses, ports).  What the host does not know is terminated; what is gone, or is another
 * under the same handle, fails (HardwareFailure, then abort) and is left for the host to terminate.  A path whose neighbor
 * was being changed is where the device has it.  Clears a fault.  Operations of the host wait until it is over:
 * flue_target_outstanding() counts it.
 *
 * Returns FLUE_ESTATE  commands from before the restart have not ended, or one of these two runs already
 *         FLUE_ENOMEM  no memory; nothing was started
 */
FLUE_MUST_CHECK enum flue_err flue_target_reconcile(struct flue_target *target);

/*
 * Shutdown and power: terminate everything by ourselves, connections before paths before neighbors.  Sends held end with
 * UPLOAD_IN_PROGRESS, contexts are void afterwards, initiates that wait for a RESUME are completed with FAILURE.  Errors as
 * flue_target_reconcile().
 */
FLUE_MUST_CHECK enum flue_err flue_target_upload_all(struct flue_target *target);

/* How the last flue_target_reconcile() or flue_target_upload_all() ended; FLUE_EAGAIN while it runs. */
enum flue_err flue_target_recovered(const struct flue_target *target);

/* ---- observation --------------------------------------------------------------------------------------------------- */

struct flue_target_object {
    enum flue_tree_layer layer;
    void *context;           /* value in the host's cell */
    void *parent;            /* context of what it depends on; null for a neighbor */
    NDIS_HANDLE host_handle; /* NdisOffloadHandle */
    uint32_t handle;         /* the device's; 0: it has it no more */
    uint32_t dependents;
    uint32_t send_bytes; /* outstanding send data held for the host */
    uint32_t receive_bytes;
    bool ipv6;
    bool invalidated;
    bool lost; /* gone or corrupt in the device; only terminate is left */
};

/* What a context value stands for; FLUE_EARG for one that is not (or no longer) valid. */
FLUE_MUST_CHECK enum flue_err flue_target_object(const struct flue_target *target, const void *context,
                                                 struct flue_target_object *object);

/* The objects in the order they were taken: null gives the first, the last gives null. */
const void *flue_target_next(const struct flue_target *target, const void *context);

struct flue_target_stats {
    uint64_t operations[FLUE_TREE_OPS]; /* completed */
    uint64_t nodes[FLUE_TREE_OPS];      /* of these */
    uint64_t refused_nodes;             /* before they reached the device */
    uint64_t refused_trees;             /* likewise */
    uint64_t stale_notices;             /* for objects already gone */
    uint32_t objects[4];                /* held now, by layer */
    uint32_t lent;                      /* receive buffers not returned */
    uint32_t paused;                    /* initiates that wait for a RESUME */
    uint32_t buffers;                   /* tree buffers in use */
};
void flue_target_stats(const struct flue_target *target, struct flue_target_stats *stats);

/* Why a node was refused last time, by the driver or the device; FLUE_AD_NONE when it was not.  Good until its next use. */
enum flue_admin_detail flue_target_detail(const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node);

#ifdef __cplusplus
}
#endif
#endif
