/*
 * Linux's TAP devices, and the way of packets between one and an adapter.
 *
 * A TAP hands over packets with a header (virtio_net_hdr) that says what the kernel left undone; struct flue_port turns it into
 * requests for the adapter and back.  Payload is read from the TAP straight into memory the adapter reads, and written to the
 * TAP straight from memory the adapter wrote: the driver copies none of it.
 */
#ifndef FLUE_LINUX_H
#define FLUE_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flue/core.h"
#include "flue/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- TAP --------------------------------------------------------------------------------------------------------- */

struct flue_tap;

/* Offload mask: what the kernel may leave to us (linux-host.md 1.2). */
#define FLUE_TUN_CSUM    0x01u
#define FLUE_TUN_TSO4    0x02u
#define FLUE_TUN_TSO6    0x04u
#define FLUE_TUN_TSO_ECN 0x08u

struct flue_tap_params {
    const char *name;  /* of the interface, up to 15 characters; "%d" in it is replaced by a number */
    const char *netns; /* network namespace: a name of `ip netns` or a path; null = the present one */
    bool vnet_header;  /* packets carry the header of struct flue_vnet */
    uint32_t offload;  /* FLUE_TUN_*; only with vnet_header */
};

/*
 * Create the interface; it vanishes with flue_tap_close().  Non-blocking.
 *
 * Returns FLUE_EIO     a system call failed; errno says why, flue_tap_error() which
 *         FLUE_EARG    a name that is too long, or an offload mask without vnet_header
 */
FLUE_MUST_CHECK enum flue_err flue_tap_open(const struct flue_tap_params *params, struct flue_tap **tap);
void flue_tap_close(struct flue_tap *tap);

/* What the last flue_tap_*() of this thread was doing when it failed: "TUNSETIFF flue0".  Static storage. */
const char *flue_tap_error(void);

int flue_tap_fd(const struct flue_tap *tap);
const char *flue_tap_name(const struct flue_tap *tap);
uint32_t flue_tap_offload(const struct flue_tap *tap);

/* Netlink socket (NETLINK_ROUTE) in the interface's namespace, for its routes and neighbors; the TAP's own. */
int flue_tap_netlink(const struct flue_tap *tap);

/* The interface as the kernel has it now. */
struct flue_tap_link {
    int index;
    uint32_t mtu_bytes;
    uint8_t mac[6];
};
FLUE_MUST_CHECK enum flue_err flue_tap_link_get(const struct flue_tap *tap, struct flue_tap_link *link);

/* Change the mask; the interface's features change at once. */
FLUE_MUST_CHECK enum flue_err flue_tap_offload_set(struct flue_tap *tap, uint32_t offload);

/* MTU, addresses ("192.0.2.1/24", "2001:db8::1/64"), up. */
FLUE_MUST_CHECK enum flue_err flue_tap_mtu_set(struct flue_tap *tap, unsigned mtu_bytes);
FLUE_MUST_CHECK enum flue_err flue_tap_address_add(struct flue_tap *tap, const char *address);
FLUE_MUST_CHECK enum flue_err flue_tap_up(struct flue_tap *tap);

/* ---- packet header ----------------------------------------------------------------------------------------------- */

#define FLUE_VNET_BYTES 12u

/* Header of a packet on a TAP, in host byte order (linux-host.md 1.3). */
struct flue_vnet {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

#define FLUE_VNET_NEEDS_CSUM 1u
#define FLUE_VNET_GSO_NONE   0u
#define FLUE_VNET_GSO_TCPV4  1u
#define FLUE_VNET_GSO_TCPV6  4u
#define FLUE_VNET_GSO_ECN    0x80u

/* Between the 12 little-endian bytes and the struct. */
void flue_vnet_load(struct flue_vnet *vnet, const uint8_t bytes[FLUE_VNET_BYTES]);
void flue_vnet_store(const struct flue_vnet *vnet, uint8_t bytes[FLUE_VNET_BYTES]);

enum flue_verdict {
    FLUE_SEND,         /* the adapter does what is asked; *packet has the offload words */
    FLUE_SOFT_CSUM,    /* the driver must complete the checksum (flue_soft_csum()) */
    FLUE_SOFT_SEGMENT, /* the driver must cut it (flue_soft_segment()) */
    FLUE_DROP,         /* header and frame contradict one another */
};

/*
 * What to do with a packet read from a TAP (task-offload.md 6.3).  For a large send the checksum field in the frame is
 * turned from Linux's sum to that of LSO, which omits the length.
 *
 * config   the settings in force (flue_config_active())
 * frame    len bytes; changed only for a large send that is FLUE_SEND
 * packet   out: csum, lso, generic, csum_start, csum_offset; the other fields are left alone
 */
enum flue_verdict flue_vnet_to_packet(const struct flue_config *config, const struct flue_vnet *vnet, uint8_t *frame,
                                      size_t len_bytes, struct flue_tx_packet *packet);

/* Complete the checksum the header asks for, in place.  FLUE_EARG when it lies outside the frame. */
FLUE_MUST_CHECK enum flue_err flue_soft_csum(const struct flue_vnet *vnet, uint8_t *frame, size_t len_bytes);

/* Largest headers flue_soft_segment() writes, bytes. */
#define FLUE_SOFT_HDR_MAX 256u

/* A large send that the driver cuts itself: headers are rebuilt for each segment, payload stays where it is. */
struct flue_soft_gso {
    const uint8_t *frame;
    uint32_t l3, l4, payload, len_bytes; /* offsets of headers and payload; length of the whole */
    uint16_t mss;
    bool ipv6;
    unsigned segments;
};

/* Prepare to cut.  FLUE_EARG when headers are not those of TCP, or longer than FLUE_SOFT_HDR_MAX. */
FLUE_MUST_CHECK enum flue_err flue_soft_begin(const struct flue_vnet *vnet, const uint8_t *frame, size_t len_bytes,
                                              struct flue_soft_gso *gso);

/*
 * Headers of segment index, complete with checksums.
 *
 * header        out: gso->payload bytes
 * payload_at    out: first payload byte of the segment in the frame
 * payload_bytes out: their number
 */
void flue_soft_segment(const struct flue_soft_gso *gso, unsigned index, uint8_t *header, uint32_t *payload_at,
                       uint32_t *payload_bytes);

/*
 * Header for a received frame (task-offload.md 6.4).  A TCP or UDP frame whose checksum was found right gets the pseudo-header
 * sum into its checksum field and FLUE_VNET_NEEDS_CSUM; every other frame stays as it is under an all-zero header, so that the
 * kernel checks it.  Returns true when the frame was marked.
 */
bool flue_vnet_from_rx(const struct flue_rx_done *done, uint8_t *frame, struct flue_vnet *vnet);

/* ---- port: a TAP joined to an adapter ------------------------------------------------------------------------------ */

struct flue_port;

struct flue_port_params {
    unsigned tx_buffers;       /* super-segments in flight [64] */
    unsigned rx_buffers;       /* [256] */
    size_t tx_bytes_in_flight; /* bytes read from the TAP and not completed, a bound on queueing [262,144] */
    /* Sees every packet as it is read from (tx) or written to the TAP, without header; may be null. */
    void (*note)(void *ctx, bool tx, const uint8_t *frame, size_t len_bytes);
    /* Whether a packet read from the TAP must not leave; null: none is held back. */
    bool (*withheld)(void *ctx, const uint8_t *frame, size_t len_bytes);
    /* Frames of offloaded connections that are not for the TAP, and the ends of hold and release; null: forgotten. */
    void (*diverted)(void *ctx, const struct flue_rx_done *done, const uint8_t *frame);
    void (*marker)(void *ctx, uint32_t conn_handle, uint32_t number);
    void *ctx;
};

struct flue_port_stats {
    uint64_t tx_packets, tx_bytes;      /* read from the TAP */
    uint64_t tx_super;                  /* of these, large sends */
    uint64_t tx_soft_csum, tx_soft_gso; /* done by the driver because the adapter must not or cannot */
    uint64_t tx_dropped;                /* header and frame contradict, or more segments than the ring holds */
    uint64_t tx_withheld;               /* not sent because of params.withheld() */
    uint64_t tx_failed;                 /* completed by the adapter with an error */
    uint64_t tx_frames;                 /* frames the adapter made of them */
    uint64_t rx_packets, rx_bytes;      /* written to the TAP */
    uint64_t rx_good;                   /* of these, marked as verified */
    uint64_t rx_bad;                    /* TCP, UDP or IPv4 checksum found wrong (6.5, 4: no other trace in Linux) */
    uint64_t rx_returned;               /* buffers returned without a frame */
    uint64_t rx_refused;                /* frames the kernel would not take */
    uint64_t mask_refused;              /* masks the kernel would not take when the settings changed by themselves */
};

/* Make a port; it does nothing until flue_port_start(). */
FLUE_MUST_CHECK enum flue_err flue_port_new(struct flue_tap *tap, const struct flue_port_params *params,
                                            struct flue_port **port);

/* Write a received frame to the TAP as if it came now; the cookie is not looked at, the frame may be changed. */
void flue_port_deliver(struct flue_port *port, const struct flue_rx_done *done, uint8_t *frame);

const struct flue_tap *flue_port_tap(const struct flue_port *port);

/* Handlers to open the adapter with. */
struct flue_handlers flue_port_handlers(struct flue_port *port);

/* Take buffers from the adapter and post the receive ones.  The adapter must have been opened with the port's handlers. */
FLUE_MUST_CHECK enum flue_err flue_port_start(struct flue_port *port, struct flue_adapter *adapter);

/*
 * Move packets from the TAP to the adapter until the TAP has no more, or there is no room.
 *
 * blocked  out: true when there may be more in the TAP; call again after flue_poll()
 */
FLUE_MUST_CHECK enum flue_err flue_port_send(struct flue_port *port, bool *blocked);

/* Give returned receive buffers back to the adapter: after each flue_poll(), and after a drain or recovery. */
FLUE_MUST_CHECK enum flue_err flue_port_refill(struct flue_port *port);

void flue_port_stats_get(const struct flue_port *port, struct flue_port_stats *stats);

/*
 * Change settings of the adapter and keep the TAP's mask equal to them: what is taken away leaves the TAP first, what is
 * added reaches it last (TO-188).
 */
FLUE_MUST_CHECK enum flue_err flue_port_config_set(struct flue_port *port, const struct flue_config *request);

/* The same for the activation of an IP version (OID_OFFLOAD_ENCAPSULATION). */
FLUE_MUST_CHECK enum flue_err flue_port_encap_set(struct flue_port *port, enum flue_encap ipv4, enum flue_encap ipv6);

/* The mask the settings in force allow (task-offload.md 6.5, last paragraph). */
uint32_t flue_port_offload_of(const struct flue_config *config);

/* After flue_adapter_close(). */
void flue_port_free(struct flue_port *port);

#ifdef __cplusplus
}
#endif
#endif
