/*
 * Diverted frames, forwarded: a frame of an offloaded connection that went to the driver (flue_rx_done.diverted) is handed to
 * the TCP engine and has the effect there that it would have had from the wire (docs/tcp.md section 6; CH-096 to CH-100).
 *
 *   flue_forward_start(adapter, &params, &f)   memory for the copies
 *   flue_forward_put(f, done, frame, cookie)   from any handler, too; params.done is called once for each
 *   flue_forward_stop(f)                       before flue_adapter_close()
 *
 * Frames go through the transmit queue, one at a time, in the order in which they are put; the adapter checks them as it checks
 * those from the wire, and none of them ever comes back as a received one.
 */
#ifndef FLUE_FORWARD_H
#define FLUE_FORWARD_H

#include "flue/core.h"

#ifdef __cplusplus
extern "C" {
#endif

struct flue_forward;

/* What became of a frame (the first three: chimney.md 2.2.4). */
enum flue_forwarded {
    FLUE_FORWARD_DONE,      /* SUCCESS: the engine processed it */
    FLUE_FORWARD_NOT_TAKEN, /* UPLOAD_IN_PROGRESS: its connection is not loaded, or frozen; the host processes it */
    FLUE_FORWARD_ABORTED,   /* REQUEST_ABORTED: its connection was reset, or ended otherwise; nobody needs it */
    FLUE_FORWARD_BAD,       /* no whole TCP segment with right checksums, or longer than a frame may be */
    FLUE_FORWARD_FOREIGN,   /* no segment of the connection whose handle it has, or that connection is gone */
    FLUE_FORWARD_LOST,      /* the adapter had no room several times, could not read it, or was drained or reset */
};

struct flue_forward_params {
    unsigned frames;      /* that may be on their way at a time, 1 to 64 */
    uint32_t frame_bytes; /* of the largest one, with its tag */
    void *ctx;
    void (*done)(void *ctx, void *cookie, enum flue_forwarded what); /* from flue_poll() and the like; it may put */
};

/*
 * Returns FLUE_EARG    frames or frame_bytes out of range, no done
 *         FLUE_ESTATE  frames of this adapter are forwarded already
 *         FLUE_ENOMEM, FLUE_EDEVICE
 */
FLUE_MUST_CHECK enum flue_err flue_forward_start(struct flue_adapter *adapter, const struct flue_forward_params *params,
                                                 struct flue_forward **forward);

/* Stop; frames on their way have no done any more.  Not from a handler; null is allowed. */
void flue_forward_stop(struct flue_forward *forward);

/*
 * Forward one frame, copied before return, as rx_done had it, to the connection done->conn_handle; its tag is put back.
 *
 * Returns FLUE_EAGAIN  `frames` are on their way, or the transmit ring is full: when one came back there is room
 *         FLUE_EARG    not a diverted frame, or a longer one than frame_bytes
 *         FLUE_ESTATE  drained, or the transmit queue is stopped
 */
FLUE_MUST_CHECK enum flue_err flue_forward_put(struct flue_forward *forward, const struct flue_rx_done *done,
                                               const uint8_t *frame, void *cookie);

/* Addresses of a connection; IPv4 takes the first four bytes of each. */
struct flue_forward_ends {
    bool ipv6;
    uint8_t local[16], remote[16]; /* as on the wire */
    uint16_t vlan_tci;             /* of the tag that its frames have, 0 = none */
};

/*
 * Forward one segment without its IP header, as chimney.md 2.2.4 has it: `segment` begins with the TCP header, whose checksum
 * is that of the wire.  Copied before return.
 *
 * Returns FLUE_EAGAIN, FLUE_ESTATE  as flue_forward_put()
 *         FLUE_EARG  shorter than a TCP header, or, with headers, longer than frame_bytes
 */
FLUE_MUST_CHECK enum flue_err flue_forward_segment(struct flue_forward *forward, uint32_t conn_handle,
                                                   const struct flue_forward_ends *ends, const uint8_t *segment,
                                                   uint32_t len_bytes, void *cookie);

/* Frames on their way. */
unsigned flue_forward_outstanding(const struct flue_forward *forward);

#ifdef __cplusplus
}
#endif
#endif
