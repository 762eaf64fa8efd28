/*
 * What the files of the core share.
 */
#ifndef FLUE_CORE_INTERNAL_H
#define FLUE_CORE_INTERNAL_H

#include "flue/admin.h"
#include "slots.h"

/* A packet that was put and has not come back. */
struct tx_pending {
    void *cookie;
    uint16_t end; /* index of the slot after its last */
    uint32_t lso;
    uint32_t len_bytes;
    bool forward;
};

/* A buffer that was put and has not come back. */
struct rx_pending {
    void *cookie;
    uint32_t len_bytes;
};

/* A ring and the driver's indices, which run freely modulo 2^16 and are masked on use. */
struct ring {
    struct ring_entry *entry;
    uint32_t offset; /* of the ring in region `rings` */
    uint16_t size;   /* slots, a power of two */
    uint8_t log2_slots;
    uint16_t head; /* first slot not given back yet (events: not consumed yet) */
    uint16_t tail; /* first slot not filled yet */
    uint16_t told; /* tail as the adapter knows it */
    bool stopped;  /* by a queue error */
};

struct mem_row {
    struct flue_mem mem; /* addr is null when the row is free */
    uint64_t bus_addr;
    bool owned; /* from flue_mem_alloc() */
    bool writable;
};

enum adapter_state { ADAPTER_RUNS, ADAPTER_DRAINED, ADAPTER_BROKEN };

struct flue_adapter {
    struct flue_link *link;
    struct flue_identity identity;
    struct flue_open_params params;
    struct flue_handlers handlers;
    enum adapter_state state;
    const char *fault; /* rule the device broke */
    char fault_text[120];
    bool in_handler;

    struct mem_row row[FLUE_REGION_MAX];
    uint8_t ring_region;
    struct ring tx, rx, eq; /* eq: head only, the adapter owns the tail */
    bool draining;          /* a drain or reset was asked for */
    unsigned drained_seen;  /* DRAINED events, bit per queue */

    struct tx_pending *tx_pending; /* ring of as many as slots: first .. first + count */
    uint16_t tx_first;
    uint16_t tx_count;
    struct rx_pending *rx_pending; /* by slot */
    struct flue_rx_done divert;    /* diverted: said of the frame whose completion is next */

    struct flue_admin *admin;     /* null while there is none */
    struct flue_conns *conns;     /* null while there are none */
    struct flue_forward *forward; /* null while frames are not forwarded */

    struct flue_config config;
    uint8_t encap[2];       /* IPv4, IPv6: KEEP = never set */
    uint32_t rx_results[2]; /* IPv4, IPv6: results in force, bits of flue_rx_done.csum; as of config_write() */
    struct flue_core_stats stats;
};

static inline enum flue_err reg_read(struct flue_adapter *a, uint32_t offset, uint32_t *value)
{
    return a->link->ops->read32(a->link, offset, value);
}

static inline enum flue_err reg_write(struct flue_adapter *a, uint32_t offset, uint32_t value)
{
    return a->link->ops->write32(a->link, offset, value);
}

/* Leave the enclosing function with the error of a call that failed. */
#define TRY(call)                                                                                                              \
    do {                                                                                                                       \
        enum flue_err try_err_ = (call);                                                                                       \
        if (try_err_ != FLUE_OK)                                                                                               \
            return try_err_;                                                                                                   \
    } while (0)

/* The device broke a rule: remember which, switch it off, use it no more.  Returns FLUE_EDEVICE. */
enum flue_err adapter_distrust(struct flue_adapter *a, const char *rule);

/* FLUE_OK when the adapter runs; else why not. */
enum flue_err adapter_usable(const struct flue_adapter *a);

/* Let adapter time pass until (register & mask) == want, at most params.limit_us; handles events meanwhile. */
enum flue_err adapter_wait(struct flue_adapter *a, uint32_t reg, uint32_t mask, uint32_t want);

/* Give every packet, every buffer back with status ABORTED. */
void tx_abort_all(struct flue_adapter *a);
void rx_abort_all(struct flue_adapter *a);

/* When the interrupt is raised: clear its causes and do what they ask for beyond looking at the rings. */
enum flue_err causes_take(struct flue_adapter *a);

/* Consume up to budget events. */
enum flue_err events_take(struct flue_adapter *a, unsigned budget, unsigned *handled);

/* ---- control plane; each does nothing while there is none ---- */

/* Hand up to budget completions and notices out. */
enum flue_err admin_take(struct flue_adapter *a, unsigned budget, unsigned *handled);

/* IRQ_CAUSE.admin and IRQ_CAUSE.firmware. */
void admin_announced(struct flue_adapter *a);
enum flue_err processor_trapped(struct flue_adapter *a);

/* True when admin_take() would find something now; looks at memory only. */
bool admin_pending(const struct flue_adapter *a);

/* A function reset stopped the processor: end what was in flight; afterwards start it cold. */
void admin_cut(struct flue_adapter *a);
enum flue_err admin_begin_again(struct flue_adapter *a);

/* A forwarded frame came back. */
void forward_done(struct flue_forward *f, const struct flue_tx_done *done);

/* True when the connection of this handle is attached and broke or was closed. */
bool conn_ended(struct flue_adapter *a, uint32_t handle);

/* An event of a connection: row, generation and what happened, as the event has them. */
enum flue_err conn_event(struct flue_adapter *a, unsigned row, unsigned generation, unsigned what);

/* Write settings and activation into the adapter. */
enum flue_err config_write(struct flue_adapter *a);

void config_defaults(struct flue_adapter *a);

/* True when [offset, offset + len) lies in a registered region (that the adapter may write). */
bool mem_covers(const struct flue_adapter *a, uint8_t region, uint32_t offset, uint32_t len_bytes, bool write);

/* True when the region table has a row left. */
bool mem_row_free(const struct flue_adapter *a);

/* End a registration whatever the device answers: it is unmapped, and freed if it was allocated here. */
enum flue_err mem_release(struct flue_adapter *a, uint8_t region);
void mem_release_all(struct flue_adapter *a);

#endif
