/*
 * Packets that a host hands over with a connection, and the device's words of a connection: for tests above ndis_rig.h.
 */
#ifndef FLUE_TEST_NDIS_PACKETS_H
#define FLUE_TEST_NDIS_PACKETS_H

#include "ndis_rig.h"
#include "slots.h"

struct packet {
    NET_BUFFER_LIST list;
    NET_BUFFER buffer;
    MDL first, second;
    uint8_t bytes[64];
};

/* A packet in two pieces that begins `offset` bytes into the first one. */
static inline void packet_make(struct packet *p, uint32_t offset, uint32_t length, struct packet *next)
{
    memset(p, 0, sizeof *p);
    for (unsigned i = 0; i < 64; i++)
        p->bytes[i] = (uint8_t)i;
    p->first = (MDL){.Next = &p->second, .MappedSystemVa = p->bytes, .ByteCount = 16};
    p->second = (MDL){.MappedSystemVa = p->bytes + 16, .ByteCount = 48};
    p->buffer = (NET_BUFFER){
        .CurrentMdl = &p->first, .CurrentMdlOffset = offset, .DataLength = length, .MdlChain = &p->first, .DataOffset = offset};
    p->list = (NET_BUFFER_LIST){.Next = next != NULL ? &next->list : NULL, .FirstNetBuffer = &p->buffer, .Status = 0x5555};
}

static inline void set_buffered(node_t *tcp, NET_BUFFER_LIST *list)
{
    TCP_OFFLOAD_STATE_DELEGATED d;
    state_get(tcp, ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
    d.BufferedData = list;
    state_set(tcp, ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
}

static inline uint32_t wire_word(const struct fake *f, size_t offset)
{
    uint32_t word;
    memcpy(&word, f->rows[3][0].state + sizeof(struct flue_wire_tcp_const) + sizeof(struct flue_wire_tcp_cached) + offset, 4);
    return word;
}

static inline void set_wire_word(struct fake *f, size_t offset, uint32_t word)
{
    memcpy(f->rows[3][0].state + sizeof(struct flue_wire_tcp_const) + sizeof(struct flue_wire_tcp_cached) + offset, &word, 4);
}

static inline struct chain take_with_data(struct packet p[3], struct packet *buffered)
{
    struct chain c = {new_neighbor(), new_path(false, 1), new_tcp(1)};
    packet_make(&p[2], 0, 30, NULL);
    packet_make(&p[1], 10, 20, &p[2]);
    packet_make(&p[0], 4, 40, &p[1]);
    c.tcp->NetBufferListChain = &p[0].list;
    if (buffered != NULL) {
        packet_make(buffered, 14, 25, NULL);
        set_buffered(c.tcp, &buffered->list);
    }
    add(c.neighbor, c.path);
    add(c.path, c.tcp);
    run_op(FLUE_TREE_INITIATE, c.neighbor);
    CHECK_EQ(c.tcp->Status, NDIS_STATUS_SUCCESS);
    return c;
}

#endif
