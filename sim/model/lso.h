/*
 * Reference for large send: a template and payload to finished frames.
 *
 * Section 3.2.2 of docs/spec/task-offload.md, written straight from its table:
 * each segment is made from the template alone, never from the one before it.
 */
#ifndef FLUE_MODEL_LSO_H
#define FLUE_MODEL_LSO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { FLUE_LSO_HEADER_MAX = 128 };

struct flue_lso_request {
    const uint8_t *template; /* hdr_len bytes: link, IP and TCP header with options */
    size_t hdr_len;
    size_t l3_off, l4_off;
    const uint8_t *payload;
    size_t pay_len; /* at least 1 */
    size_t mss;     /* payload bytes a segment, at least 1 */
    bool id_15bit;  /* IPv4 identification counts modulo 0x8000, else 0x10000 */
};

/* Frames of a request: ceil(pay_len / mss). */
size_t flue_lso_count(const struct flue_lso_request *req);

/*
 * Write frame `index` (0 to count - 1) into out, which has room for hdr_len + mss bytes; returns its length.
 * sums   true: as on the wire, IPv4 header and TCP checksum final, the latter from the template's length-less
 *        partial sum; false: both checksum fields as in the template
 */
size_t flue_lso_frame(const struct flue_lso_request *req, size_t index, bool sums, uint8_t *out);

#ifdef __cplusplus
}
#endif
#endif
