/*
 * Management processor and admin queue of an adapter (docs/control-plane.md).  Same thread rules as flue/core.h: everything
 * belongs to one thread at a time, callbacks come from inside the calls that poll or stop: flue_poll(), flue_admin_call(),
 * _check(), _stop(), _restart(), flue_adapter_reset() and _close().  A handler may submit; flue_admin_stop() inside one takes
 * effect after it.
 *
 * An entry that cannot be true ends the use of the whole adapter (FLUE_EDEVICE).  A trap, a queue that the firmware stopped, or
 * no answer in time stops the processor alone: commands in flight end, `trapped` is called, flue_adapter_fault() says why, and
 * flue_admin_restart() or flue_adapter_reset() brings it back.  Commands in flight survive flue_adapter_drain() and go on
 * after flue_adapter_resume().
 */
#ifndef FLUE_ADMIN_H
#define FLUE_ADMIN_H

#include "flue/control.h"
#include "flue/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque; from flue_admin_start() to flue_admin_stop(); at most one an adapter. */
struct flue_admin;

struct flue_admin_info {
    uint32_t connections; /* rows guaranteed */
    uint32_t paths;
    uint32_t neighbors;
    uint32_t memory_bytes; /* of the processor */
    bool engine;           /* a TCP engine is present */
};

/* How the processor stopped; registers in the order x1 to x31.  flue_adapter_fault() says it in words. */
struct flue_admin_trap {
    uint32_t
        cause; /* FW_TRAP_CAUSE; 0 = no trap: it stopped the queue, or gave no answer in time, and was stopped; no registers */
    uint32_t pc;
    uint32_t registers[31];
};

/* Completion of one command; memory is the library's, valid during the call. */
struct flue_admin_done {
    uint32_t status; /* NDIS_STATUS, as its 32 bits; NDIS_STATUS_REQUEST_ABORTED when the queue was stopped before an answer */
    uint32_t result;
    enum flue_admin_detail detail;
    void *cookie;
};

struct flue_admin_handlers {
    void *ctx;
    void (*done)(void *ctx, const struct flue_admin_done *done);                          /* once per accepted command */
    void (*notice)(void *ctx, enum flue_cqe_kind kind, uint32_t status, uint32_t result); /* kinds other than COMPLETION */
    void (*trapped)(void *ctx, const struct flue_admin_trap *trap); /* commands in flight were ended first */
};

struct flue_admin_params {
    const void *image;  /* firmware image, copied before return; null = the one built into the library, flue_firmware_image() */
    size_t image_bytes; /* a multiple of 4 */
    uint32_t log2_commands; /* size of the rings, 3 to 12; 0 = 6 */
    uint32_t seed[4];       /* secret table seed; all zero = taken from the system's random source */
    uint32_t timeout_us;    /* limit of adapter time for the start, and for a command without answer; 0 = 1,000,000 */
};

/* The firmware image of this version; null when the library has none. */
const void *flue_firmware_image(size_t *bytes);

/*
 * Load the firmware, start it cold, set up the admin rings.
 *
 * Returns FLUE_EUNSUPP   the adapter has no management processor, or the library no image
 *         FLUE_EARG      image larger than the processor's memory, or a parameter out of range; nothing was touched
 *         FLUE_ETIMEOUT  it did not become ready; stopped again
 *         FLUE_EDEVICE   it trapped at the start; flue_adapter_fault() has cause and address
 *         FLUE_ENOMEM, FLUE_EAGAIN  no memory, or no region row left
 *         FLUE_ESTATE    started already, or inside a handler
 *         FLUE_EIO       the system gave no random seed
 */
FLUE_MUST_CHECK enum flue_err flue_admin_start(struct flue_adapter *adapter, const struct flue_admin_params *params,
                                               const struct flue_admin_handlers *handlers, struct flue_admin **admin);

/* What flue_admin_start() made for this adapter; null when there is none. */
struct flue_admin *flue_adapter_admin(const struct flue_adapter *adapter);

/* True while it takes commands; false after a trap or a failed restart. */
bool flue_admin_runs(const struct flue_admin *admin);

/* Stop the processor; every command in flight is ended with NDIS_STATUS_REQUEST_ABORTED.  adapter_close() does it too. */
void flue_admin_stop(struct flue_admin *admin);

/*
 * After a trap (or a missing heartbeat): load the image again and start warm, tables kept.  Commands in flight are ended first.
 * Errors as flue_admin_start().
 */
FLUE_MUST_CHECK enum flue_err flue_admin_restart(struct flue_admin *admin);

void flue_admin_info(const struct flue_admin *admin, struct flue_admin_info *info);

/*
 * Put a command into the queue: sqe is copied, its command_id is set here.  The buffer it names stays the adapter's until done.
 *
 * Returns FLUE_EAGAIN  as many commands are in flight as the queue holds
 *         FLUE_ESTATE  stopped or trapped
 */
FLUE_MUST_CHECK enum flue_err flue_admin_submit(struct flue_admin *admin, const struct flue_sqe *sqe, void *cookie);

/* Commands accepted and not yet done. */
unsigned flue_admin_outstanding(const struct flue_admin *admin);

/*
 * Submit and poll until this command is done (other handlers run meanwhile); the library's own small buffer carries `data`
 * there (SET) and back (GET), at most 4,096 bytes, null with 0 for none.  FLUE_ETIMEOUT after params.timeout_us of adapter
 * time.
 */
FLUE_MUST_CHECK enum flue_err flue_admin_call(struct flue_admin *admin, const struct flue_sqe *sqe, void *data, size_t bytes,
                                              struct flue_admin_done *done);

/* Ping the firmware and wait for its heartbeat.  FLUE_ETIMEOUT: it hangs; FLUE_ESTATE: it trapped or is stopped. */
FLUE_MUST_CHECK enum flue_err flue_admin_check(struct flue_admin *admin, uint32_t limit_us);

#ifdef __cplusplus
}
#endif
#endif
