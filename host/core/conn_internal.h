/*
 * What the files of the connections share.
 */
#ifndef FLUE_CORE_CONN_INTERNAL_H
#define FLUE_CORE_CONN_INTERNAL_H

#include "flue/conn.h"
#include "internal.h"

#define RING_UNIT (1u << FLUE_RING_LOG2_MIN)

enum conn_phase { CONN_OPEN, CONN_ATTACHED, CONN_DETACHED };

/* A ring's memory and its two positions: bytes between them are in it. */
struct byte_ring {
    uint8_t *addr;
    uint32_t offset; /* in region of the pool */
    uint32_t size;
    uint8_t log2;
};

struct flue_conn {
    struct flue_conns *conns;
    void *ctx;
    enum conn_phase phase;
    struct byte_ring send, recv;
    uint16_t row, generation;
    uint32_t snd_free; /* send ring: bytes below may be overwritten */
    uint32_t snd_una, send_limit;
    uint32_t rcv_nxt; /* without the peer's FIN */
    uint32_t consumed;
    uint8_t state, ended;
    bool fin_marked, fin_received;
    bool doubt, refused;
    bool dirty; /* something to tell */
};

struct flue_conns {
    struct flue_adapter *adapter;
    struct flue_conns_params params;
    struct flue_mem pool, lines;
    uint8_t *used; /* bit per RING_UNIT of the pool */
    unsigned units;
    unsigned rows;
    struct flue_conn **by_row;
};

enum flue_err ring_reserve(struct flue_conns *conns, unsigned log2, struct byte_ring *ring);
void ring_release(struct flue_conns *conns, struct byte_ring *ring);
void ring_write(struct byte_ring *ring, uint32_t seq, const void *data, size_t len);
void ring_read(const struct byte_ring *ring, uint32_t seq, void *data, size_t len);

#endif
