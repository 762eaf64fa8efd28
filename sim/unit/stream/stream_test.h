/* What the tests of rtl/stream/ share: IDs of stream_tb.sv, and a queue of expected packets for each sink. */
#ifndef STREAM_TEST_H
#define STREAM_TEST_H

#include "bench.h"

enum { WIDTHS = 5 };

/* ID of a module at width index 0; sources of an arbiter: ARB + 8 * input. */
enum {
    PACK = 0,
    REG = 8,
    FIFO = 16,
    PACKET_FIFO = 24,
    FRAME_FIFO = 32,
    FRAME_DROP = 40,
    STRIP = 48,
    PREPEND = 56,
    WIDER = 64,
    NARROWER = 72,
    ARB = 80,
    ARB_INPUTS = 3
};

static inline unsigned lanes(int width)
{
    return 4u << width;
}

/* Append an expected packet of random bytes to a sink's queue; the caller may set the other fields at once. */
struct bench_packet *expect_packet(int sink, size_t len);

/* Every expected packet of the sink has come, in order and equal in every field, and nothing else has. */
void check_expected(int sink);

/* What has come is a part of what was expected, in order; the user bits tell packets apart.  Returns how many are missing. */
size_t check_expected_some(int sink);

/* The packet is the next one expected of this queue. */
void check_next_expected(int queue, const struct bench_packet *got);

void unexpect_packet(int sink); /* the one expected last does not come */
void forget_expected(int sink);
void check_packet(const struct bench_packet *want, const struct bench_packet *got);

/* A beat in every cycle from the first to the last; prints the figure. */
void check_full_rate(const char *block, int width, struct bench_stats stats);

#endif
