/*
 * The packet header of a TAP and the adapter's words, in both directions (task-offload.md 6.3, 6.4), and the software that
 * steps in where the adapter must not or cannot.
 */
#include <string.h>
#include "flue/linux.h"
#include "flue/sum.h"

#define ETH_BYTES      14u
#define TAG_BYTES      4u
#define TAGS_MAX       2u
#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_IPV6 0x86DDu
#define ETHERTYPE_VLAN 0x8100u
#define ETHERTYPE_QINQ 0x88A8u
#define IPV6_BYTES     40u
#define PROTO_TCP      6u
#define PROTO_UDP      17u
#define TCP_CSUM_AT    16u
#define UDP_CSUM_AT    6u
#define TCP_BYTES_MIN  20u
#define LSO_HDR_MAX    128u /* template of the adapter, section 2.3 */
#define TCP_FIN        0x01u
#define TCP_SYN        0x02u
#define TCP_RST        0x04u
#define TCP_PSH        0x08u
#define TCP_URG        0x20u
#define TCP_CWR        0x80u

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static void put_be16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put_be32(uint8_t *p, uint32_t v)
{
    put_be16(p, v >> 16);
    put_be16(p + 2, v);
}

static uint16_t le16(const uint8_t *p)
{
    return (uint16_t)(p[1] << 8 | p[0]);
}

static void put_le16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

void flue_vnet_load(struct flue_vnet *v, const uint8_t b[FLUE_VNET_BYTES])
{
    *v = (struct flue_vnet){.flags = b[0],
                            .gso_type = b[1],
                            .hdr_len = le16(b + 2),
                            .gso_size = le16(b + 4),
                            .csum_start = le16(b + 6),
                            .csum_offset = le16(b + 8)};
}

void flue_vnet_store(const struct flue_vnet *v, uint8_t b[FLUE_VNET_BYTES])
{
    memset(b, 0, FLUE_VNET_BYTES);
    b[0] = v->flags;
    b[1] = v->gso_type;
    put_le16(b + 2, v->hdr_len);
    put_le16(b + 4, v->gso_size);
    put_le16(b + 6, v->csum_start);
    put_le16(b + 8, v->csum_offset);
}

/* Where the IP header is, and its version; false when there is none, or the frame ends inside it. */
static bool find_ip(const uint8_t *frame, size_t len, uint32_t *l3, bool *ipv6)
{
    uint32_t type_at = ETH_BYTES - 2;

    for (unsigned tags = 0; type_at + 2 <= len; tags++, type_at += TAG_BYTES) {
        uint16_t type = be16(frame + type_at);
        if (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6) {
            *l3 = type_at + 2;
            *ipv6 = type == ETHERTYPE_IPV6;
            return *l3 + (*ipv6 ? IPV6_BYTES : 20u) <= len && frame[*l3] >> 4 == (*ipv6 ? 6 : 4);
        }
        if ((type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ) || tags == TAGS_MAX)
            return false;
    }
    return false;
}

/* True when the IP header at l3, options included but without extension headers, ends at l4 and announces `protocol`. */
static bool l4_follows(const uint8_t *frame, uint32_t l3, bool ipv6, uint32_t l4, uint8_t protocol)
{
    if (ipv6)
        return l4 == l3 + IPV6_BYTES && frame[l3 + 6] == protocol;
    return l4 == l3 + (frame[l3] & 0xFu) * 4u && frame[l3 + 9] == protocol;
}

/* The same for a large send, where IPv6 extension headers are allowed and the kernel says what follows them. */
static bool tcp_may_be_at(const uint8_t *frame, uint32_t l3, bool ipv6, uint32_t l4)
{
    return ipv6 ? l4 >= l3 + IPV6_BYTES : l4_follows(frame, l3, ipv6, l4, PROTO_TCP);
}

static bool sends(const struct flue_config *config, enum flue_switch sw)
{
    return (config->way[sw] & FLUE_WAY_TX) != 0;
}

static bool csum_inside(const struct flue_vnet *v, size_t len)
{
    return v->csum_start < len && (size_t)v->csum_start + v->csum_offset + 2u <= len;
}

/* A plain packet whose checksum is to be completed. */
static enum flue_verdict plain_csum(const struct flue_config *config, const struct flue_vnet *v, const uint8_t *frame,
                                    size_t len, struct flue_tx_packet *packet)
{
    uint32_t l3;
    bool ipv6;

    if (!csum_inside(v, len))
        return FLUE_DROP;
    if (find_ip(frame, len, &l3, &ipv6)) {
        bool tcp = v->csum_offset == TCP_CSUM_AT && l4_follows(frame, l3, ipv6, v->csum_start, PROTO_TCP);
        bool udp = v->csum_offset == UDP_CSUM_AT && l4_follows(frame, l3, ipv6, v->csum_start, PROTO_UDP);
        uint32_t version = ipv6 ? FLUE_SLOT_PACKET_IPV6_MASK : FLUE_SLOT_PACKET_IPV4_MASK;
        if (tcp && v->csum_start <= FLUE_SLOT_PACKET_TCP_OFF_MASK >> FLUE_SLOT_PACKET_TCP_OFF_SHIFT) {
            if (!sends(config, ipv6 ? FLUE_SW_TCP6_CSUM : FLUE_SW_TCP4_CSUM))
                return FLUE_SOFT_CSUM;
            packet->csum = version | FLUE_SLOT_PACKET_TCP_CSUM_MASK | (uint32_t)v->csum_start << FLUE_SLOT_PACKET_TCP_OFF_SHIFT;
            return FLUE_SEND;
        }
        if (udp) {
            if (!sends(config, ipv6 ? FLUE_SW_UDP6_CSUM : FLUE_SW_UDP4_CSUM))
                return FLUE_SOFT_CSUM;
            packet->csum = version | FLUE_SLOT_PACKET_UDP_CSUM_MASK;
            return FLUE_SEND;
        }
    }
    /* Anything else (tunnels, extension headers) by place alone, if the adapter's fields can hold it. */
    bool all_on = sends(config, FLUE_SW_TCP4_CSUM) && sends(config, FLUE_SW_UDP4_CSUM) && sends(config, FLUE_SW_TCP6_CSUM) &&
                  sends(config, FLUE_SW_UDP6_CSUM);
    if (!all_on || v->csum_offset > FLUE_SLOT_PACKET_CSUM_OFFSET_MASK >> FLUE_SLOT_PACKET_CSUM_OFFSET_SHIFT ||
        v->csum_start % 2 != 0 || v->csum_offset % 2 != 0)
        return FLUE_SOFT_CSUM;
    packet->generic = true;
    packet->csum_start = v->csum_start;
    packet->csum_offset = (uint8_t)v->csum_offset;
    return FLUE_SEND;
}

/* Bytes of the TCP header at l4; 0 when it does not fit or is not one. */
static uint32_t tcp_bytes(const uint8_t *frame, size_t len, uint32_t l4)
{
    if (l4 + TCP_BYTES_MIN > len)
        return 0;
    uint32_t bytes = (uint32_t)(frame[l4 + 12] >> 4) * 4u;
    return bytes >= TCP_BYTES_MIN && l4 + bytes <= len ? bytes : 0;
}

static enum flue_verdict large_send(const struct flue_config *config, const struct flue_vnet *v, uint8_t *frame, size_t len,
                                    struct flue_tx_packet *packet)
{
    bool want_ipv6 = (v->gso_type & ~FLUE_VNET_GSO_ECN) == FLUE_VNET_GSO_TCPV6, ipv6;
    uint32_t l3, l4 = v->csum_start;

    if ((v->flags & FLUE_VNET_NEEDS_CSUM) == 0 || v->csum_offset != TCP_CSUM_AT || v->gso_size == 0 || !csum_inside(v, len) ||
        !find_ip(frame, len, &l3, &ipv6) || ipv6 != want_ipv6 || !tcp_may_be_at(frame, l3, ipv6, l4))
        return FLUE_DROP;
    uint32_t tcp = tcp_bytes(frame, len, l4);
    if (tcp == 0)
        return FLUE_DROP;
    size_t payload = len - l4 - tcp;
    if (payload == 0)
        return plain_csum(config, v, frame, len, packet);

    bool v2 = sends(config, ipv6 ? FLUE_SW_LSO_V2_IPV6 : FLUE_SW_LSO_V2_IPV4);
    bool v1 = !ipv6 && sends(config, FLUE_SW_LSO_V1);
    if ((!v2 && !v1) || l4 + tcp > LSO_HDR_MAX || payload > config->max_offload_bytes ||
        (frame[l4 + 13] & (TCP_SYN | TCP_RST | TCP_URG)) != 0 || (v2 && config->way[FLUE_SW_LSO_ID_15BIT] && !ipv6))
        return FLUE_SOFT_SEGMENT;

    uint8_t *field = frame + l4 + TCP_CSUM_AT;
    put_be16(field, flue_sum_without_length(be16(field), (uint32_t)(len - l4)));
    packet->csum = ipv6 ? FLUE_SLOT_PACKET_IPV6_MASK : FLUE_SLOT_PACKET_IPV4_MASK;
    packet->lso = (uint32_t)v->gso_size << FLUE_SLOT_PACKET_LSO_MSS_SHIFT | l4 << FLUE_SLOT_PACKET_LSO_TCP_OFF_SHIFT |
                  (v2 ? FLUE_SLOT_PACKET_LSO_TYPE_MASK : 0) | (ipv6 ? FLUE_SLOT_PACKET_LSO_IPV6_MASK : 0);
    return FLUE_SEND;
}

enum flue_verdict flue_vnet_to_packet(const struct flue_config *config, const struct flue_vnet *v, uint8_t *frame,
                                      size_t len_bytes, struct flue_tx_packet *packet)
{
    packet->csum = packet->lso = 0;
    packet->generic = false;
    packet->csum_start = 0;
    packet->csum_offset = 0;
    if (len_bytes < ETH_BYTES)
        return FLUE_DROP;
    switch (v->gso_type & ~FLUE_VNET_GSO_ECN) {
    case FLUE_VNET_GSO_NONE:
        return (v->flags & FLUE_VNET_NEEDS_CSUM) != 0 ? plain_csum(config, v, frame, len_bytes, packet) : FLUE_SEND;
    case FLUE_VNET_GSO_TCPV4:
    case FLUE_VNET_GSO_TCPV6:
        return large_send(config, v, frame, len_bytes, packet);
    }
    return FLUE_DROP; /* not in the mask we gave: the kernel never asks */
}

enum flue_err flue_soft_csum(const struct flue_vnet *v, uint8_t *frame, size_t len_bytes)
{
    if (!csum_inside(v, len_bytes))
        return FLUE_EARG;
    uint16_t sum = (uint16_t)~flue_sum(frame + v->csum_start, len_bytes - v->csum_start);
    if (sum == 0 && v->csum_offset == UDP_CSUM_AT)
        sum = 0xFFFF; /* RFC 768: 0 would mean none */
    put_be16(frame + v->csum_start + v->csum_offset, sum);
    return FLUE_OK;
}

enum flue_err flue_soft_begin(const struct flue_vnet *v, const uint8_t *frame, size_t len_bytes, struct flue_soft_gso *gso)
{
    uint32_t l3, l4 = v->csum_start;
    bool ipv6;

    if (v->gso_size == 0 || !find_ip(frame, len_bytes, &l3, &ipv6) || !tcp_may_be_at(frame, l3, ipv6, l4))
        return FLUE_EARG;
    uint32_t tcp = tcp_bytes(frame, len_bytes, l4);
    if (tcp == 0 || l4 + tcp > FLUE_SOFT_HDR_MAX || l4 + tcp >= len_bytes)
        return FLUE_EARG;
    *gso = (struct flue_soft_gso){.frame = frame,
                                  .l3 = l3,
                                  .l4 = l4,
                                  .payload = l4 + tcp,
                                  .len_bytes = (uint32_t)len_bytes,
                                  .mss = v->gso_size,
                                  .ipv6 = ipv6};
    gso->segments = (gso->len_bytes - gso->payload + v->gso_size - 1u) / v->gso_size;
    return FLUE_OK;
}

/* The rules of linux-host.md 1.4, 2. */
void flue_soft_segment(const struct flue_soft_gso *g, unsigned index, uint8_t *h, uint32_t *payload_at, uint32_t *payload_bytes)
{
    uint32_t at = g->payload + index * g->mss, left = g->len_bytes - at;
    uint32_t bytes = left < g->mss ? left : g->mss;
    bool first = index == 0, last = index + 1 == g->segments;
    uint32_t l4_bytes = g->payload - g->l4 + bytes;
    const uint8_t *super_sum = g->frame + g->l4 + TCP_CSUM_AT;

    memcpy(h, g->frame, g->payload);
    if (g->ipv6) {
        put_be16(h + g->l3 + 4, g->l4 - g->l3 - IPV6_BYTES + l4_bytes);
    } else {
        uint8_t *ip = h + g->l3;
        put_be16(ip + 2, g->l4 - g->l3 + l4_bytes);
        put_be16(ip + 4, be16(ip + 4) + index);
        put_be16(ip + 10, 0);
        put_be16(ip + 10, (uint16_t)~flue_sum(ip, g->l4 - g->l3));
    }
    uint8_t *tcp = h + g->l4;
    put_be32(tcp + 4, be32(tcp + 4) + index * g->mss);
    if (!first)
        tcp[13] &= (uint8_t)~TCP_CWR;
    if (!last)
        tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    /* The super-segment's sum tells the addresses' part even behind a routing header (3.1.1). */
    uint16_t pseudo = flue_sum_without_length(be16(super_sum), g->len_bytes - g->l4);
    put_be16(tcp + TCP_CSUM_AT, flue_sum_add(pseudo, flue_sum_fold(l4_bytes)));
    uint16_t head = flue_sum(tcp, g->payload - g->l4); /* a TCP header is a multiple of 4 bytes: sums may be added */
    put_be16(tcp + TCP_CSUM_AT, (uint16_t)~flue_sum_add(head, flue_sum(g->frame + at, bytes)));
    *payload_at = at;
    *payload_bytes = bytes;
}

bool flue_vnet_from_rx(const struct flue_rx_done *done, uint8_t *frame, struct flue_vnet *v)
{
    uint32_t l3, l4 = done->l4_offset, len = done->len_bytes;
    bool ipv6, tcp = (done->csum & FLUE_EVENT_RX_TCP_OK_MASK) != 0, udp = (done->csum & FLUE_EVENT_RX_UDP_OK_MASK) != 0;

    *v = (struct flue_vnet){0};
    if (tcp == udp || !find_ip(frame, len, &l3, &ipv6))
        return false;
    uint8_t protocol = tcp ? PROTO_TCP : PROTO_UDP;
    uint32_t field = l4 + (tcp ? TCP_CSUM_AT : UDP_CSUM_AT);
    /* Extension headers may move the final destination; such a frame stays as it is and the kernel checks it. */
    if (!l4_follows(frame, l3, ipv6, l4, protocol) || field + 2 > len)
        return false;
    uint32_t l3_payload = ipv6 ? be16(frame + l3 + 4) + IPV6_BYTES : be16(frame + l3 + 2);
    if (l3_payload < l4 - l3 || l3 + l3_payload > len)
        return false;
    uint16_t sum = flue_sum_pseudo(frame + l3 + (ipv6 ? 8 : 12), ipv6 ? 32 : 8, protocol, l3_payload - (l4 - l3));
    put_be16(frame + field, sum);
    v->flags = FLUE_VNET_NEEDS_CSUM;
    v->csum_start = (uint16_t)l4;
    v->csum_offset = tcp ? TCP_CSUM_AT : UDP_CSUM_AT;
    return true;
}

uint32_t flue_port_offload_of(const struct flue_config *config)
{
    uint32_t mask = 0;

    /* The flag is not per protocol: all four, or none (6.5). */
    if (!sends(config, FLUE_SW_TCP4_CSUM) || !sends(config, FLUE_SW_UDP4_CSUM) || !sends(config, FLUE_SW_TCP6_CSUM) ||
        !sends(config, FLUE_SW_UDP6_CSUM))
        return 0;
    mask = FLUE_TUN_CSUM;
    if (sends(config, FLUE_SW_LSO_V2_IPV4) || sends(config, FLUE_SW_LSO_V1))
        mask |= FLUE_TUN_TSO4;
    if (sends(config, FLUE_SW_LSO_V2_IPV6))
        mask |= FLUE_TUN_TSO6;
    if ((mask & (FLUE_TUN_TSO4 | FLUE_TUN_TSO6)) != 0)
        mask |= FLUE_TUN_TSO_ECN;
    return mask;
}
