/*
 * A device below the offload target that follows the contract of docs/control-plane.md over plain memory: rows, handles,
 * statuses, in order, one command a step.  `lie` may change an answer before it is given.
 */
#ifndef FLUE_TEST_NDIS_FAKE_H
#define FLUE_TEST_NDIS_FAKE_H

#include "flue/ndis/target.h"

#define FAKE_ROWS     20000u
#define FAKE_COMMANDS 64u
#define FAKE_STATE    176u

struct fake_row {
    bool used, corrupt;
    uint32_t generation, parent, refs, host_handle[2], type;
    uint8_t state[FAKE_STATE]; /* as on the wire, all classes */
};

struct fake {
    struct flue_target *target;
    uint32_t limit[4]; /* rows that may be used */
    struct fake_row *rows[4];
    struct {
        struct flue_sqe sqe;
        void *cookie;
    } queue[FAKE_COMMANDS];
    unsigned queued, room; /* commands accepted at once */
    void *region[16];
    size_t region_bytes[16];
    unsigned commands;
    uint32_t refuse_ports; /* a connection with these ports is refused */
    NDIS_STATUS refuse_status;
    uint32_t refuse_source; /* a path from this address is refused */
    bool refuse_memory;
    void (*lie)(struct fake *f, const struct flue_sqe *sqe, uint8_t *buffer, struct flue_admin_done *done);
    uint64_t lie_arg;
};

struct fake *fake_new(uint32_t neighbors, uint32_t paths, uint32_t connections);
void fake_free(struct fake *f);
void fake_ops(struct fake *f, struct flue_target_ops *ops);

/* Execute the oldest command and answer it; false when there is none. */
bool fake_step(struct fake *f);

/* Execute everything queued in order, then answer it in the opposite order: commands may complete so. */
void fake_step_backwards(struct fake *f);

/* End everything queued as a stopped queue does. */
void fake_abort(struct fake *f);

uint32_t fake_used(const struct fake *f, unsigned layer);

#endif
