/*
 * Transmit and receive rings: what the driver fills.
 */
#include <stdatomic.h>
#include "internal.h"

#define FRAG_BYTES_MAX FLUE_SLOT_FRAG_LENGTH_MASK

/* Section 2.2: the bits a request may carry; TcpHeaderOffset included. */
#define CSUM_BITS                                                                                                              \
    (FLUE_SLOT_PACKET_IPV4_MASK | FLUE_SLOT_PACKET_IPV6_MASK | FLUE_SLOT_PACKET_TCP_CSUM_MASK |                                \
     FLUE_SLOT_PACKET_UDP_CSUM_MASK | FLUE_SLOT_PACKET_IP_CSUM_MASK | FLUE_SLOT_PACKET_TCP_OFF_MASK)

#define CSUM_OFFSET_MAX (FLUE_SLOT_PACKET_CSUM_OFFSET_MASK >> FLUE_SLOT_PACKET_CSUM_OFFSET_SHIFT)

/* Section 2.9, UserPriority 2:0, CanonicalFormatId 3, VlanId 15:4, to the TCI on the wire. */
static uint16_t vlan_tci(uint32_t info)
{
    return (uint16_t)((info & 7u) << 13 | (info >> 3 & 1u) << 12 | (info >> 4 & 0xFFFu));
}

static unsigned ring_room(const struct ring *ring)
{
    return ring->size - (uint16_t)(ring->tail - ring->head);
}

static struct ring_entry *ring_next(struct ring *ring)
{
    return &ring->entry[ring->tail++ & (ring->size - 1u)];
}

static void put_frag(struct ring *ring, const struct flue_frag *frag, bool last)
{
    ring_entry_store(ring_next(ring),
                     FLUE_PUT(SLOT_FRAG_KIND, FLUE_SK_FRAG) | FLUE_PUT(SLOT_FRAG_LAST, last) |
                         FLUE_PUT(SLOT_FRAG_REGION, frag->region),
                     FLUE_PUT(SLOT_FRAG_LENGTH, frag->len_bytes), frag->offset, 0);
}

/* Slots before the index that announces them. */
static enum flue_err ring_tell(struct flue_adapter *a, struct ring *ring, uint32_t tail_reg)
{
    if (ring->told == ring->tail)
        return FLUE_OK;
    atomic_thread_fence(memory_order_release);
    TRY(reg_write(a, tail_reg, ring->tail));
    ring->told = ring->tail;
    return FLUE_OK;
}

static enum flue_err packet_check(const struct flue_adapter *a, const struct flue_tx_packet *p, uint32_t *len_bytes)
{
    uint64_t sum = 0;

    if (p->frags == NULL || p->frag_count == 0 || p->frag_count > FLUE_TX_FRAGS_MAX)
        return FLUE_EARG;
    for (unsigned i = 0; i < p->frag_count; i++) {
        const struct flue_frag *f = &p->frags[i];
        if (f->len_bytes == 0 || f->len_bytes > FRAG_BYTES_MAX || !mem_covers(a, f->region, f->offset, f->len_bytes, false))
            return FLUE_EARG;
        sum += f->len_bytes;
    }
    if (sum > FLUE_SLOT_PACKET_LENGTH_MASK >> FLUE_SLOT_PACKET_LENGTH_SHIFT)
        return FLUE_EARG;
    if ((p->csum & ~CSUM_BITS) != 0 || p->vlan > 0xFFFF || p->csum_offset > CSUM_OFFSET_MAX)
        return FLUE_EARG;
    if (p->forward != 0 && (p->csum != 0 || p->lso != 0 || p->vlan != 0 || p->generic))
        return FLUE_EARG;
    if (p->generic ? p->csum != 0 || p->lso != 0 : p->csum_start != 0 || p->csum_offset != 0)
        return FLUE_EARG;
    *len_bytes = (uint32_t)sum;
    return FLUE_OK;
}

enum flue_err flue_tx_put(struct flue_adapter *a, const struct flue_tx_packet *p)
{
    uint32_t len_bytes;

    if (a == NULL || p == NULL)
        return FLUE_EARG;
    TRY(adapter_usable(a));
    if (a->tx.stopped)
        return FLUE_ESTATE;
    TRY(packet_check(a, p, &len_bytes));
    if (ring_room(&a->tx) < 1 + p->frag_count)
        return FLUE_EAGAIN;

    /* The transmit side off means an out-of-band tag is ignored (3.8, TO-155). */
    bool vlan = p->vlan != 0 && (a->config.way[FLUE_SW_VLAN] & FLUE_WAY_TX) != 0;
    ring_entry_store(ring_next(&a->tx),
                     FLUE_PUT(SLOT_PACKET_KIND, FLUE_SK_PACKET) | FLUE_PUT(SLOT_PACKET_GENERIC, p->generic) |
                         FLUE_PUT(SLOT_PACKET_VLAN, vlan) | FLUE_PUT(SLOT_PACKET_FORWARD, p->forward != 0) |
                         FLUE_PUT(SLOT_PACKET_LENGTH, len_bytes),
                     p->lso, p->csum | FLUE_PUT(SLOT_PACKET_CSUM_OFFSET, p->csum_offset),
                     p->forward != 0 ? p->forward
                                     : FLUE_PUT(SLOT_PACKET_VLAN_TCI, vlan ? vlan_tci(p->vlan) : 0) |
                                           FLUE_PUT(SLOT_PACKET_CSUM_START, p->csum_start));
    for (unsigned i = 0; i < p->frag_count; i++)
        put_frag(&a->tx, &p->frags[i], i + 1 == p->frag_count);

    a->tx_pending[(uint16_t)(a->tx_first + a->tx_count++) & (a->tx.size - 1u)] = (struct tx_pending){
        .cookie = p->cookie, .end = a->tx.tail, .lso = p->lso, .len_bytes = len_bytes, .forward = p->forward != 0};
    return FLUE_OK;
}

enum flue_err flue_tx_kick(struct flue_adapter *a)
{
    if (a == NULL)
        return FLUE_EARG;
    TRY(adapter_usable(a));
    return a->tx.stopped ? FLUE_ESTATE : ring_tell(a, &a->tx, FLUE_REG_TXQ_TAIL);
}

unsigned flue_tx_room(const struct flue_adapter *a)
{
    return ring_room(&a->tx);
}

unsigned flue_tx_outstanding(const struct flue_adapter *a)
{
    return a->tx_count;
}

enum flue_err flue_rx_put(struct flue_adapter *a, const struct flue_frag *buffer, void *cookie)
{
    if (a == NULL || buffer == NULL || buffer->len_bytes == 0 || buffer->len_bytes > FRAG_BYTES_MAX ||
        !mem_covers(a, buffer->region, buffer->offset, buffer->len_bytes, true))
        return FLUE_EARG;
    TRY(adapter_usable(a));
    if (a->rx.stopped)
        return FLUE_ESTATE;
    if (ring_room(&a->rx) == 0)
        return FLUE_EAGAIN;
    a->rx_pending[a->rx.tail & (a->rx.size - 1u)] = (struct rx_pending){.cookie = cookie, .len_bytes = buffer->len_bytes};
    put_frag(&a->rx, buffer, true);
    return FLUE_OK;
}

enum flue_err flue_rx_kick(struct flue_adapter *a)
{
    if (a == NULL)
        return FLUE_EARG;
    TRY(adapter_usable(a));
    return a->rx.stopped ? FLUE_ESTATE : ring_tell(a, &a->rx, FLUE_REG_RXQ_TAIL);
}

unsigned flue_rx_room(const struct flue_adapter *a)
{
    return ring_room(&a->rx);
}

unsigned flue_rx_outstanding(const struct flue_adapter *a)
{
    return (uint16_t)(a->rx.tail - a->rx.head);
}
