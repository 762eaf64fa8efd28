/*
 * Random frames for benches and fuzz corpora: every protocol stack the parser
 * knows, with correct lengths and checksums, and ways to damage them.
 */
#ifndef FLUE_MODEL_FRAMES_H
#define FLUE_MODEL_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FLUE_FRAMES_MAX = 9216 }; /* room for the longest generated frame, bytes */

enum flue_frames_l4 { FLUE_FRAMES_ANY, FLUE_FRAMES_TCP, FLUE_FRAMES_UDP, FLUE_FRAMES_ICMP };

/* What to build.  Zero and false leave a thing out; percent fields are chances. */
struct flue_frames_shape {
    int tags; /* 0 to 3 */
    int ip;   /* 4, 6, or 0 for another type */
    enum flue_frames_l4 l4;
    int ip_option_words; /* IPv4: 0 to 10 */
    int ext_headers;     /* IPv6: 0 to 4, of random kinds but no Fragment header */
    int ext_bytes;       /* IPv6: if not 0, one Destination Options header of that length (8 to 128, by 8) */
    bool routing;        /* IPv6: a Routing header with one segment left */
    bool fragment;
    int tcp_option_words; /* 0 to 10 */
    bool udp_no_csum;
    size_t payload; /* bytes behind the L4 header */
    size_t padding; /* nonzero bytes behind the IP datagram */
};

/* Numbers from a state of the caller (SplitMix64); the same state gives the same frames. */
uint64_t flue_frames_random(uint64_t *state);
unsigned flue_frames_below(uint64_t *state, unsigned bound); /* 0 to bound - 1 */

/* Draw a shape: all protocols, options, lengths up to payload_max. */
struct flue_frames_shape flue_frames_shape(uint64_t *state, size_t payload_max);

/* Build it, lengths and checksums right.  Returns the length; buffer holds FLUE_FRAMES_MAX. */
size_t flue_frames_build(uint64_t *state, const struct flue_frames_shape *shape, uint8_t *buffer);

/* Damage it: cut anywhere, flip bits, set impossible lengths or kinds.  Returns the new length, at least 1. */
size_t flue_frames_damage(uint64_t *state, uint8_t *buffer, size_t len);

#ifdef __cplusplus
}
#endif
#endif
