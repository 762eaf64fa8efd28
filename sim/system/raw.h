/*
 * The adapter without its driver: rings written slot by slot, so that they can be wrong.  One region of memory holds rings and
 * packets; region 1 is the same memory without write permission.
 */
#ifndef FLUE_RAW_H
#define FLUE_RAW_H

#include "flue/layout.h"
#include "flue/regs.h"
#include "flue/sim.h"
#include "rng.h"
#include "test/check.h"

enum {
    RAW_BYTES = 1 << 20,
    RAW_TXQ = 0x1000,
    RAW_RXQ = 0x2000,
    RAW_EQ = 0x3000, /* offsets of the rings */
    RAW_LOG2 = 6,
    RAW_SLOTS = 1 << RAW_LOG2, /* of the queues */
    RAW_EQ_LOG2 = 8,
    RAW_EVENTS = 1 << RAW_EQ_LOG2,
    RAW_DATA = 0x10000, /* packets from here */
    RAW_BUFFER = 0x80000,
    RAW_BUFFER_BYTES = 0x2800, /* receive buffers from here */
};

struct raw_event {
    unsigned kind, queue, status;
    uint16_t index;
    uint32_t w1, w2;
};

struct raw {
    struct flue_sim *sim;
    struct flue_link *link;
    uint8_t *mem;
    uint64_t bus;
    uint16_t tail[2]; /* transmit, receive */
    uint16_t event;   /* next to be read */
    struct flue_rng rng;
    unsigned width;
};

struct raw *raw_open(unsigned width, bool rough);
void raw_close(struct raw *raw);

void raw_write(struct raw *raw, uint32_t reg, uint32_t value);
uint32_t raw_read(struct raw *raw, uint32_t reg);

/* Set up a queue (0 transmit, 1 receive) with its ring empty and indices 0. */
void raw_queue(struct raw *raw, unsigned queue);

/* Fill the next slot of a queue; raw_ring() tells the adapter. */
void raw_slot(struct raw *raw, unsigned queue, uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3);
void raw_ring(struct raw *raw, unsigned queue);

/* A slot anywhere in memory. */
void raw_slot_at(struct raw *raw, uint32_t offset, uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3);

/* Words of slots that are right. */
uint32_t raw_packet(uint32_t len);
uint32_t raw_frag(unsigned region, bool last);
uint32_t raw_link(unsigned region);

/* A packet of `len` bytes in one fragment, its bytes at RAW_DATA. */
void raw_good(struct raw *raw, uint32_t len);

/* A receive buffer of that size, number i. */
void raw_buffer(struct raw *raw, unsigned i, uint32_t len);

/* Let everything finish. */
bool raw_settle(struct raw *raw);

/* The next event; false when there is none. */
bool raw_next(struct raw *raw, struct raw_event *event);

/* The next event must be this one. */
void raw_expect(struct raw *raw, const char *what, unsigned kind, unsigned queue, unsigned status, uint16_t index);
void raw_expect_silence(struct raw *raw, const char *what);

/* Frames that left since the last call. */
unsigned raw_frames(struct raw *raw);

void raw_everywhere(void (*body)(struct raw *raw));

#define RAW_TEST(name)                                                                                                         \
    static void name##_body(struct raw *raw);                                                                                  \
    TEST(name)                                                                                                                 \
    {                                                                                                                          \
        raw_everywhere(name##_body);                                                                                           \
    }                                                                                                                          \
    static void name##_body(struct raw *raw)

#endif
