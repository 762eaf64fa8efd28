/*
 * The driver of an adapter: memory regions, rings, events, offload settings.
 *
 * Everything here belongs to one thread at a time.  No call blocks longer than the limit in struct flue_open_params, and
 * none prints or exits.  The adapter is not trusted: an event that cannot be true makes every later call return
 * FLUE_EDEVICE, and flue_adapter_fault() says which rule it broke.
 *
 * A packet's way: flue_tx_put() fills slots, flue_tx_kick() tells the adapter, flue_poll() hands the completion to
 * handlers.tx_done.  A buffer's way: flue_rx_put(), flue_rx_kick(), flue_poll(), handlers.rx_done.  Every cookie that was
 * accepted comes back exactly once, at the latest from flue_adapter_close().
 */
#ifndef FLUE_CORE_H
#define FLUE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flue/err.h"
#include "flue/layout.h"
#include "flue/link.h"
#include "flue/regs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque; from flue_adapter_open() to flue_adapter_close(). */
struct flue_adapter;

/* ---- identity ---------------------------------------------------------------------------------------------------- */

struct flue_identity {
    uint32_t magic;                  /* register ID */
    uint16_t major, minor;           /* contract the adapter speaks */
    uint16_t want_major, want_minor; /* contract this driver speaks */
    uint32_t caps;                   /* register CAPS: low half transmit, high half receive abilities */
    unsigned width_bits;             /* data path */
    unsigned region_count;           /* rows of the region table */
    unsigned max_frame_bytes;        /* largest frame with tags, without FCS */
    bool faults;                     /* built with fault injection */
};

/*
 * Read who answers on a link.  Touches no register of the adapter.
 *
 * Returns FLUE_OK       it is an adapter and speaks our contract
 *         FLUE_EVERSION it is an adapter of another contract; *identity has both versions
 *         FLUE_EDEVICE  no adapter there; *identity.magic is what was read
 */
FLUE_MUST_CHECK enum flue_err flue_identify(struct flue_link *link, struct flue_identity *identity);

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* What became of one transmit request. */
struct flue_tx_done {
    void *cookie;
    uint8_t status;   /* FLUE_ST_*, flue/layout.h; 0 = sent */
    uint16_t frames;  /* frames put on the wire for it */
    uint32_t lso;     /* completion word, task-offload.md section 2.3 */
    uint32_t time_us; /* adapter time, 31 bits */
};

/* What became of one receive buffer. */
struct flue_rx_done {
    void *cookie;
    uint8_t status;     /* FLUE_ST_*; 0 = a frame is in the buffer */
    uint32_t len_bytes; /* of the frame, never more than the buffer */
    uint32_t csum;      /* results, bits 8:0 of task-offload.md section 2.2, receive view */
    uint16_t l4_offset; /* bytes before the TCP or UDP header; 0 = none found */
    bool ipv6;
    bool vlan;         /* a tag was removed; */
    uint16_t vlan_tci; /* this one */
    uint32_t time_us;
    /* A frame of an offloaded connection that is held, loaded or frozen: not for the host's stack (docs/tcp.md section 6). */
    bool diverted;
    bool lost;            /* frames of the connection were lost since its number before */
    uint32_t conn_handle; /* of the connection, as the admin queue gave it */
    uint32_t number;      /* counts the diverted frames of the connection, from 1 on */
};

struct flue_config;

/*
 * What the driver calls, all from inside flue_poll(), flue_adapter_drain(), _reset(), _close(), flue_queue_recover() and
 * (config_changed) flue_config_set() and flue_encap_set().  A handler may put packets and buffers; it must not poll,
 * drain, reset or close.  Any of them may be null.
 */
struct flue_handlers {
    void *ctx;
    void (*tx_done)(void *ctx, const struct flue_tx_done *done);
    void (*rx_done)(void *ctx, const struct flue_rx_done *done);
    void (*queue_error)(void *ctx, enum flue_queue_id queue, uint8_t code); /* code: FLUE_QE_*, 0 of the event queue */
    void (*config_changed)(void *ctx, const struct flue_config *now);       /* once per successful change */
    /* A hold or release passed the receive queue: rx_done was called for every older frame of the connection. */
    void (*marker)(void *ctx, uint32_t conn_handle, uint32_t number);
};

/* Zero in a field means the value in brackets. */
struct flue_open_params {
    uint8_t txq_log2_slots;   /* 3 to 15 [10] */
    uint8_t rxq_log2_slots;   /* 3 to 15 [9] */
    uint16_t irq_distance_us; /* least distance of two event interrupts [none] */
    uint8_t irq_events;       /* events that end that wait early [none] */
    uint32_t limit_us;        /* adapter time a drain, reset or recovery may take [1,000,000] */
};

/*
 * Take an adapter into use: identify, function reset, rings, all abilities switched on, receive results not yet activated
 * (flue_encap_set()).
 *
 * link      stays the caller's and must outlive the adapter; closed by the caller after flue_adapter_close()
 * params    may be null for all defaults
 * handlers  copied
 *
 * Returns FLUE_EVERSION, FLUE_EDEVICE  as flue_identify(); nothing was touched
 *         FLUE_EARG      a parameter out of range; nothing was touched
 *         FLUE_ENOMEM    no memory, or the adapter has no region row left
 *         FLUE_ETIMEOUT  the reset did not end within params->limit_us
 */
FLUE_MUST_CHECK enum flue_err flue_adapter_open(struct flue_link *link, const struct flue_open_params *params,
                                                const struct flue_handlers *handlers, struct flue_adapter **adapter);

/*
 * Drain, return every packet and buffer to its handler, give back all memory (flue_mem_alloc() included) and free the
 * adapter.  After it no DMA happens.  Works in every state; null is allowed.
 */
void flue_adapter_close(struct flue_adapter *adapter);

/* What was found at open; valid until close. */
const struct flue_identity *flue_adapter_identity(const struct flue_adapter *adapter);

/* Sentence that says what the device did when a call returned FLUE_EDEVICE; null while it behaves. */
const char *flue_adapter_fault(const struct flue_adapter *adapter);

/*
 * Stop in an orderly way: what was begun is finished, the rest comes back with status ABORTED.  After it no DMA happens
 * and puts are refused with FLUE_ESTATE until flue_adapter_resume().
 */
FLUE_MUST_CHECK enum flue_err flue_adapter_drain(struct flue_adapter *adapter);

/* Work again after flue_adapter_drain(); the rings are empty.  FLUE_ESTATE unless drained. */
FLUE_MUST_CHECK enum flue_err flue_adapter_resume(struct flue_adapter *adapter);

/*
 * Function reset: everything outstanding comes back (status ABORTED unless it was finished), then rings, settings and
 * activation are as before (TO-180) and the adapter works.  Memory regions stay.  A management processor that was started
 * (flue/admin.h) starts again, cold; when only that fails, its error is returned and the rest works.
 */
FLUE_MUST_CHECK enum flue_err flue_adapter_reset(struct flue_adapter *adapter);

/*
 * Bring a queue back that queue_error reported: disable it, return what it held, enable it empty.  The event queue needs
 * flue_adapter_reset() instead (FLUE_EARG here).
 */
FLUE_MUST_CHECK enum flue_err flue_queue_recover(struct flue_adapter *adapter, enum flue_queue_id queue);

/* Let adapter time pass, at most so much: until the interrupt rises.  Poll afterwards. */
FLUE_MUST_CHECK enum flue_err flue_adapter_wait_us(struct flue_adapter *adapter, uint32_t max_us);

/* True when that queue stopped with an error and was not recovered yet. */
bool flue_queue_stopped(const struct flue_adapter *adapter, enum flue_queue_id queue);

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* A piece of host memory that the adapter may touch.  Filled by the calls below. */
struct flue_mem {
    void *addr; /* 4,096-byte aligned */
    size_t len_bytes;
    uint8_t region; /* row of the region table */
};

enum flue_access { FLUE_ACCESS_READ = 0, FLUE_ACCESS_READ_WRITE = 1 }; /* what the adapter may do there */

/*
 * Allocate zeroed memory and register it.  Freed with flue_mem_free() or by flue_adapter_close().
 * FLUE_ENOMEM when memory or region rows are used up; FLUE_EARG when len_bytes is 0 or above 4 GB - 4 KB.
 */
FLUE_MUST_CHECK enum flue_err flue_mem_alloc(struct flue_adapter *adapter, size_t len_bytes, enum flue_access access,
                                             struct flue_mem *mem);

/* Register memory of the caller (addr 4,096-byte aligned); it stays the caller's.  Otherwise as flue_mem_alloc(). */
FLUE_MUST_CHECK enum flue_err flue_mem_register(struct flue_adapter *adapter, void *addr, size_t len_bytes,
                                                enum flue_access access, struct flue_mem *mem);

/* End the registration, and free what flue_mem_alloc() made.  No packet or buffer in it may be outstanding. */
FLUE_MUST_CHECK enum flue_err flue_mem_free(struct flue_adapter *adapter, struct flue_mem *mem);

/* ---- transmit ---------------------------------------------------------------------------------------------------- */

struct flue_frag {
    uint8_t region;     /* flue_mem.region */
    uint32_t offset;    /* into the region, any alignment */
    uint32_t len_bytes; /* 1 to 131,071 */
};

#define FLUE_TX_FRAGS_MAX 256u

/*
 * One packet and what shall be done to it.  The three words have the NDIS transmit layouts of task-offload.md sections
 * 2.2, 2.3 and 2.9; flue/layout.h has the masks.  Copied before return; the bytes the fragments name are borrowed until
 * tx_done.
 */
struct flue_tx_packet {
    const struct flue_frag *frags;
    unsigned frag_count; /* 1 to FLUE_TX_FRAGS_MAX */
    uint32_t csum;       /* section 2.2: IsIPv4, IsIPv6, TcpChecksum, UdpChecksum, IpHeaderChecksum, TcpHeaderOffset */
    uint32_t lso;        /* section 2.3; 0 = no large send */
    uint32_t vlan;       /* section 2.9; 0 = no tag */
    bool generic;        /* instead of csum: sum from csum_start to the end into csum_start + csum_offset */
    uint16_t csum_start;
    uint8_t csum_offset; /* up to 63 */
    uint32_t
        forward; /* handle: not to the wire but to this connection's engine (flue/forward.h), without any request; 0 = no */
    void *cookie;
};

/*
 * Put a packet into the transmit ring; it may start only after flue_tx_kick().
 *
 * Returns FLUE_EAGAIN  no room; poll, then try again
 *         FLUE_EARG    no fragment, a fragment empty or outside its region, an offset too large for its field, bits that
 *                      are reserved
 *         FLUE_ESTATE  drained, or the queue is stopped
 */
FLUE_MUST_CHECK enum flue_err flue_tx_put(struct flue_adapter *adapter, const struct flue_tx_packet *packet);

/* Ring the doorbell for all packets put since the last time; nothing happens when there are none. */
FLUE_MUST_CHECK enum flue_err flue_tx_kick(struct flue_adapter *adapter);

/* Slots free in the transmit ring: a packet takes 1 + its fragments. */
unsigned flue_tx_room(const struct flue_adapter *adapter);

/* Packets that were put and have not come back. */
unsigned flue_tx_outstanding(const struct flue_adapter *adapter);

/* ---- receive ----------------------------------------------------------------------------------------------------- */

/*
 * Put a buffer into the receive ring; used only after flue_rx_kick().  The bytes are the adapter's until rx_done.
 * Returns as flue_tx_put(); the region must be FLUE_ACCESS_READ_WRITE.
 */
FLUE_MUST_CHECK enum flue_err flue_rx_put(struct flue_adapter *adapter, const struct flue_frag *buffer, void *cookie);

FLUE_MUST_CHECK enum flue_err flue_rx_kick(struct flue_adapter *adapter);

unsigned flue_rx_room(const struct flue_adapter *adapter);
unsigned flue_rx_outstanding(const struct flue_adapter *adapter);

/* ---- events ------------------------------------------------------------------------------------------------------ */

/*
 * Clear the interrupt and hand at most budget events to the handlers.
 *
 * handled  out: events consumed; equal to budget when there may be more
 *
 * Returns FLUE_EDEVICE  an event could not be true; the adapter was switched off
 */
FLUE_MUST_CHECK enum flue_err flue_poll(struct flue_adapter *adapter, unsigned budget, unsigned *handled);

/* True when flue_poll() would find an event now; looks at memory only. */
bool flue_pending(const struct flue_adapter *adapter);

/* ---- settings ---------------------------------------------------------------------------------------------------- */

/*
 * Switches of the driver, one for each offload.  Checksum and VLAN switches take a value of enum flue_way (the values of
 * the NDIS keywords); the others FLUE_WAY_OFF or FLUE_WAY_ON.
 */
enum flue_switch {
    FLUE_SW_IP4_CSUM,
    FLUE_SW_TCP4_CSUM,
    FLUE_SW_UDP4_CSUM,
    FLUE_SW_TCP6_CSUM,
    FLUE_SW_UDP6_CSUM,
    FLUE_SW_VLAN,
    FLUE_SW_LSO_V1,
    FLUE_SW_LSO_V2_IPV4,
    FLUE_SW_LSO_V2_IPV6,
    FLUE_SW_LSO_ID_15BIT, /* off = identification counts with 16 bits */
    FLUE_SW_RX_IP_OPTS,   /* verify also with IPv4 options */
    FLUE_SW_RX_IP6_EXT,   /* verify also with IPv6 extension headers */
    FLUE_SW_RX_TCP_OPTS,  /* verify also with TCP options */
    FLUE_SW_COUNT
};

enum flue_way {
    FLUE_WAY_OFF = 0,
    FLUE_WAY_TX = 1, /* transmit only; receive results stay clear (TO-045) */
    FLUE_WAY_ON = 1, /* switches without direction */
    FLUE_WAY_RX = 2, /* receive only; transmit requests are refused (TO-045) */
    FLUE_WAY_BOTH = 3,
    FLUE_WAY_KEEP = 0xFF /* in a request: leave as it is */
};

struct flue_config {
    uint8_t way[FLUE_SW_COUNT];
    uint32_t max_offload_bytes; /* largest payload of a large send; 0 in a request = keep */
    uint32_t max_frame_bytes;   /* largest frame without out-of-band tag and FCS; 0 in a request = keep */
};

/* Name of a switch as the command line has it, "lso-v2-ipv4"; null when out of range. */
const char *flue_switch_name(enum flue_switch sw);

/* Find a switch by name; FLUE_EARG when there is none. */
FLUE_MUST_CHECK enum flue_err flue_switch_find(const char *name, enum flue_switch *sw);

/* True when the switch has a transmit and a receive side. */
bool flue_switch_has_direction(enum flue_switch sw);

/* What the hardware is able to do; never changes (TO-158). */
void flue_config_caps(const struct flue_adapter *adapter, struct flue_config *caps);

/* What is set. */
void flue_config_get(const struct flue_adapter *adapter, struct flue_config *now);

/* What is set and in force: without the offloads of an IP version that was deactivated. */
void flue_config_active(const struct flue_adapter *adapter, struct flue_config *now);

/* A request that keeps everything. */
void flue_config_keep(struct flue_config *request);

/*
 * Change settings: all of them or none (TO-161, TO-162).
 *
 * Returns FLUE_EARG     a value is not one of its switch; nothing touched
 *         FLUE_EUNSUPP  the adapter lacks one of them; nothing touched
 */
FLUE_MUST_CHECK enum flue_err flue_config_set(struct flue_adapter *adapter, const struct flue_config *request);

enum flue_encap { FLUE_ENCAP_KEEP = 0, FLUE_ENCAP_ON = 1, FLUE_ENCAP_OFF = 2 };

/*
 * Activate or deactivate the offloads of an IP version (OID_OFFLOAD_ENCAPSULATION).  Until the first ON no receive result
 * of that version is indicated (TO-031); OFF also takes its transmit offloads away (TO-171).
 */
FLUE_MUST_CHECK enum flue_err flue_encap_set(struct flue_adapter *adapter, enum flue_encap ipv4, enum flue_encap ipv6);

/* What is active; FLUE_ESTATE before the first set (TO-172). */
FLUE_MUST_CHECK enum flue_err flue_encap_get(const struct flue_adapter *adapter, bool *ipv4, bool *ipv6);

/* ---- observation ------------------------------------------------------------------------------------------------- */

#define FLUE_STAT_COUNT (FLUE_STAT_WORDS / 2u)

/* Read one counter of the adapter, FLUE_STAT_* of flue/regs.h. */
FLUE_MUST_CHECK enum flue_err flue_stat_read(struct flue_adapter *adapter, unsigned stat, uint64_t *value);

/* "tx_frames"; null when out of range. */
const char *flue_stat_name(unsigned stat);

/* What the driver itself counted. */
struct flue_core_stats {
    uint64_t tx_packets, tx_errors; /* completed; of these with a status other than OK */
    uint64_t rx_frames, rx_errors;  /* buffers returned with a frame; returned without */
    uint64_t events, polls, queue_errors, resets;
};
void flue_core_stats_get(const struct flue_adapter *adapter, struct flue_core_stats *stats);

/* Adapter time in microseconds. */
FLUE_MUST_CHECK enum flue_err flue_time_us(struct flue_adapter *adapter, uint64_t *time_us);

/* Break the adapter on purpose: bits of register FAULT.  FLUE_EUNSUPP in a build without fault injection. */
FLUE_MUST_CHECK enum flue_err flue_fault_set(struct flue_adapter *adapter, uint32_t fault_bits);

/* Name of a completion status, "DISABLED"; "?" when unknown. */
const char *flue_status_name(uint8_t status);

#ifdef __cplusplus
}
#endif
#endif
