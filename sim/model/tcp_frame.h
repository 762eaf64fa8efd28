/*
 * Segments as Ethernet frames and back, for a peer of one connection.  Header bytes as RFC 791, 8200, 9293 and 7323 have them;
 * checksums are filled in.
 */
#ifndef FLUE_MODEL_TCP_FRAME_H
#define FLUE_MODEL_TCP_FRAME_H

#include "tcp.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The two ends as seen from who builds: frames go from `here` to `there`. */
struct flue_tcp_ends {
    bool ipv6;
    uint8_t mac_here[6], mac_there[6];
    uint8_t ip_here[16], ip_there[16]; /* IPv4: the first four bytes */
    uint16_t port_here, port_there;
};

enum { FLUE_TCP_FRAME_HEADERS = 14 + 40 + 60 };

/* Returns the frame's bytes; `frame` has room for headers and payload. */
size_t flue_tcp_frame_build(const struct flue_tcp_ends *ends, const struct flue_tcp_seg *seg, const uint8_t *payload,
                            uint8_t *frame);

/* A frame that came from `there`: false when it is not a TCP segment of this connection.  *payload points into the frame. */
bool flue_tcp_frame_parse(const struct flue_tcp_ends *ends, const uint8_t *frame, size_t len, struct flue_tcp_seg *seg,
                          const uint8_t **payload);

#ifdef __cplusplus
}
#endif
#endif
