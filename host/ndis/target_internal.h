/* The offload target's own records. */
#ifndef FLUE_TARGET_INTERNAL_H
#define FLUE_TARGET_INTERNAL_H

#include "flue/ndis/target.h"
#include "handle.h"
#include "tree_internal.h"

#define COMMANDS_MAX 64u   /* in flight */
#define SLOT_BYTES   8192u /* of the arena: trees up to this size share one region */
#define SLOTS        COMMANDS_MAX
#define KEY_BYTES    32u /* of the longest constant state on the wire: a path's */

/* Receive data passed to the host in BufferedData, until it comes back. */
struct target_lent {
    NET_BUFFER_LIST list;
    NET_BUFFER packet;
    MDL piece;
    struct target_lent *next, **link;
    uint8_t data[];
};

struct target_object {
    struct target_object *next, *previous; /* of the target, in the order taken */
    struct target_object *parent;
    uint8_t layer;
    bool ipv6, live, terminating, invalidated, lost;
    bool told_failure; /* HardwareFailure and abort were indicated */
    bool uploads;      /* a reason that the host has to obey was indicated */
    bool aborted;      /* an abort was indicated */
    uint8_t reason;    /* upload to be indicated; 0: none */
    bool abort;        /* to be indicated */
    bool ask;          /* neighbor: its reachability is to be asked for */
    uint32_t updates;  /* by the host */
    uint32_t handle;   /* the device's; 0: it is gone there, its handle may be another's */
    uint32_t refs;     /* dependents that are not terminating */
    void *context;
    NDIS_HANDLE host_handle;
    NET_BUFFER_LIST *chain; /* outstanding send data, ours while live */
    uint32_t send_bytes, snd_una;
    struct target_lent *buffered; /* undelivered receive data, copied */
    uint8_t addresses[2][16];     /* of a path, as a query reads them */
    uint8_t key[KEY_BYTES];       /* its constant state as on the wire */
};

enum command_kind { COMMAND_TREE, COMMAND_LIST, COMMAND_KEYS, COMMAND_PURGE, COMMAND_RELEASE, COMMAND_NEIGHBOR };

/* An operation of the host, or a command of our own. */
struct target_op {
    struct target_op *next;
    enum command_kind kind;
    enum flue_tree_op op;
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *root;
    struct flue_tree tree;
    uint32_t serial; /* order of the calls */
    bool opened;     /* walked, objects claimed */
    bool failed;     /* never reached the device */
    uint8_t *answer; /* our copy of the buffer once the device is done with it */
    size_t bytes;
    struct flue_mem own; /* a buffer too large for a slot */
    int slot;            /* of the arena; -1: none */
    unsigned number;     /* in flight */
    struct flue_admin_done done;
    struct flue_sqe sqe;
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *own_node; /* COMMAND_NEIGHBOR: the tree is ours, */
    void *cell;                                 /* and so is its cell */
    uint32_t updates;
};

struct op_queue {
    struct target_op *first, *last;
    unsigned count;
};

enum recovery { RECOVERY_IDLE, RECOVERY_LIST, RECOVERY_KEYS, RECOVERY_PURGE };

/* Of the host's object in a row of the device. */
enum target_presence { ROW_ABSENT, ROW_SAME, ROW_UNREADABLE };

/* An object of the device: its handle, and the type of its full state. */
struct target_named {
    uint32_t handle;
    uint8_t type;
};

struct flue_target {
    struct flue_target_params params;
    struct handles handles;
    struct target_object *first, *last, **row[4]; /* by device row */
    uint32_t objects[4];
    struct op_queue waiting, paused, finished, held; /* held: terminates whose objects are still in use */
    struct target_op *flight[COMMANDS_MAX];
    unsigned in_flight;
    uint32_t sequence; /* makes cookies differ */
    uint32_t cookie[COMMANDS_MAX];
    struct target_send *send_first, *send_last; /* asked for, not looked at */
    unsigned send_count;
    uint32_t serial;    /* of the next call */
    unsigned initiates; /* begun, completion call not returned */
    bool running;       /* inside flue_target_run() */
    const char *fault;
    bool events_due;
    struct { /* notices of objects not known yet, while initiates run */
        uint32_t kind, status, handle;
    } * early;
    uint32_t early_count, early_room;
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *oom_first, *oom_last; /* trees without an operation: linked through Scratch */
    struct flue_mem arena;
    bool slot_used[SLOTS];
    unsigned buffers;
    struct target_lent *lent;
    struct {
        enum recovery phase;
        enum flue_err result;
        bool upload, busy; /* a command of it runs */
        uint8_t layer;
        uint32_t from;                 /* LIST: next row; KEYS: likewise */
        struct target_named *purge[4]; /* to be terminated */
        uint32_t count[4], at;
        uint8_t *present[4]; /* enum target_presence of a row */
        uint32_t *release, releases;
        struct flue_target_found found;
    } recovery;
    bool stopped;      /* the processor; nothing is sent */
    unsigned restarts; /* in a row */
    struct flue_target_stats stats;
};

/* ---- target_command.c -------------------------------------------------------------------------------------------- */

void target_lie(struct flue_target *t, const char *sentence);
void target_queue(struct op_queue *queue, struct target_op *op);
struct target_op *target_unqueue(struct op_queue *queue);
struct target_op *target_op_new(enum command_kind kind, size_t bytes);
void target_op_free(struct flue_target *t, struct target_op *op);

/* The buffer the device has of it, and giving it back. */
const uint8_t *target_buffer_addr(const struct flue_target *t, const struct target_op *op);
void target_buffer_put(struct flue_target *t, struct target_op *op);

/* Marshal a tree and send it.  FLUE_EAGAIN: later; FLUE_ESTATE with no bytes: every node was refused here. */
enum flue_err target_send_tree(struct flue_target *t, struct target_op *op);

/* A command of our own: its buffer begins as op->answer is. */
enum flue_err target_send_own(struct flue_target *t, struct target_op *op);

/* ---- target.c ---------------------------------------------------------------------------------------------------- */

void target_open_tree(struct flue_target *t, struct target_op *op);

/* A tree that does not reach the device. */
void target_fail(struct flue_target *t, struct target_op *op, NDIS_STATUS status, enum flue_admin_detail detail);

/* Judge what came back, complete and free the operation. */
void target_finish(struct flue_target *t, struct target_op *op);

/* End every initiate that a PAUSE held, with FAILURE, detail DISABLED. */
void target_refuse_paused(struct flue_target *t);

/* Complete trees that were marked because there was no memory for an operation; false when there were none. */
bool target_complete_without_memory(struct flue_target *t);

/* ---- target_object.c --------------------------------------------------------------------------------------------- */

NDIS_STATUS target_reference(void *ctx, struct tree_item *item, void *context);
NDIS_STATUS target_claim(void *ctx, struct tree_item *item, void *context); /* of a terminate */
NDIS_STATUS target_create_object(void *ctx, struct tree_item *item);

/* Objects of references may be gone when the answer comes. */
void target_find_again(const struct flue_target *t, struct flue_tree *tree);

/* Make it one of the target's: live, and a dependent of its parent. */
void target_link_object(struct flue_target *t, struct target_object *object, struct target_object *parent);
void target_set_parent(struct target_object *object, struct target_object *parent);
void target_set_terminating(struct target_object *object, bool terminating);

/* The device has it no more: its row and handle may be given to others. */
void target_forget_handle(struct flue_target *t, struct target_object *object);

/* Free an object; its sends end with this status, NDIS_STATUS_SUCCESS: it has none. */
void target_object_free(struct flue_target *t, struct target_object *object, NDIS_STATUS sends);

struct target_object *target_by_handle(const struct flue_target *t, uint32_t handle);

/* ---- target_answer.c --------------------------------------------------------------------------------------------- */

/* What an answered tree changes; null, or the sentence why it cannot be true (then nothing was changed). */
const char *target_apply(struct flue_target *t, struct target_op *op);

/* A tree that came to nothing: lost when the device's side of it is unknown. */
void target_undo(struct flue_target *t, struct target_op *op, bool lost);

/* ---- target_event.c ---------------------------------------------------------------------------------------------- */

/* The device lost an object: what depends on it fails. */
void target_hardware_failure(struct flue_target *t, struct target_object *object);
bool target_indicate(struct flue_target *t); /* true: there is more to do */
void target_neighbor_answer(struct flue_target *t, struct target_op *op, bool ok);

/* Indicate one object's failure now, before its terminate completes. */
void target_indicate_failure(struct flue_target *t, struct target_object *object);

/* ---- target_send.c ----------------------------------------------------------------------------------------------- */

/* Complete or keep what was asked for since; false when there was nothing. */
bool target_send_run(struct flue_target *t);

/* ---- target_recover.c -------------------------------------------------------------------------------------------- */

bool target_recovering(const struct flue_target *t);

/* Bring a stopped processor back when it is time to; true while nothing can be sent. */
bool target_revive(struct flue_target *t);
struct target_op *target_recover_next(struct flue_target *t);
void target_recover_answer(struct flue_target *t, struct target_op *op);

#endif
