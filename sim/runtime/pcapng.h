/*
 * Capture file: pcapng, one section, one Ethernet interface a port, timestamps in ns of adapter time, a comment on every packet
 * that the wire did something to.
 */
#ifndef FLUE_PCAPNG_H
#define FLUE_PCAPNG_H

#include <stddef.h>
#include <stdint.h>
#include "flue/err.h"

struct flue_pcapng;

/*
 * Create the file with a section header and one interface block a name.
 *
 * comment   of the section header, lines separated by \n: configuration and seed of the run
 * epoch_ns  added to every timestamp
 *
 * Returns FLUE_OK, FLUE_EIO (errno), FLUE_ENOMEM
 */
FLUE_MUST_CHECK enum flue_err flue_pcapng_open(const char *path, const char *comment, const char *const *names, unsigned count,
                                               uint64_t epoch_ns, struct flue_pcapng **pcap);

/* Add a packet; comment "" or NULL for none.  An error is kept and reported by flush and close. */
void flue_pcapng_packet(struct flue_pcapng *pcap, unsigned interface, uint64_t time_ns, const uint8_t *data, size_t len,
                        const char *comment);

FLUE_MUST_CHECK enum flue_err flue_pcapng_flush(struct flue_pcapng *pcap);

/* Write what is left and free; FLUE_EIO when any write failed. */
FLUE_MUST_CHECK enum flue_err flue_pcapng_close(struct flue_pcapng *pcap);

/*
 * Find "key=" in the section header's comment of a capture and copy the rest of its line.
 *
 * Returns FLUE_OK, FLUE_EARG (no pcapng file, or no such key), FLUE_EIO (errno)
 */
FLUE_MUST_CHECK enum flue_err flue_pcapng_section_value(const char *path, const char *key, char *value, size_t value_len);

#endif
