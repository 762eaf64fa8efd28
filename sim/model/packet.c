#include "packet.h"

enum {
    ETH_LEN = 14,
    TAG_LEN = 4,
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86DD,
    TYPE_CTAG = 0x8100,
    TYPE_STAG = 0x88A8,

    EXT_HOP = 0,
    EXT_ROUTING = 43,
    EXT_FRAGMENT = 44,
    EXT_AH = 51,
    EXT_DEST = 60,
};

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static bool is_tag(uint16_t type)
{
    return type == TYPE_CTAG || type == TYPE_STAG;
}

static bool is_ext(uint8_t next)
{
    return next == EXT_HOP || next == EXT_ROUTING || next == EXT_FRAGMENT || next == EXT_AH || next == EXT_DEST;
}

static size_t ext_len(uint8_t kind, uint8_t len_field)
{
    if (kind == EXT_FRAGMENT)
        return 8;
    if (kind == EXT_AH)
        return ((size_t)len_field + 2) * 4; /* RFC 4302, 2.2 */
    return ((size_t)len_field + 1) * 8;     /* RFC 8200, 4.3 */
}

/* TCP or UDP at l4_off.  Fragments never come here. */
static void parse_l4(const uint8_t *frame, size_t len, struct flue_pkt_hdr *h)
{
    const uint8_t *p = frame + h->l4_off;

    if (h->proto == FLUE_PKT_PROTO_TCP) {
        if ((size_t)h->l4_off + 16 > len) {
            h->trunc = true;
            return;
        }
        unsigned words = p[12] >> 4;
        if (words < 5) {
            h->bad_hdr = true;
            return;
        }
        h->is_tcp = true;
        h->tcp_opts = words > 5;
        h->tcp_flags = (uint16_t)((p[12] & 1) << 8 | p[13]);
        h->pay_off = (uint16_t)(h->l4_off + words * 4);
        h->trunc = h->pay_off > len;
    } else if (h->proto == FLUE_PKT_PROTO_UDP) {
        if ((size_t)h->l4_off + 8 > len) {
            h->trunc = true;
            return;
        }
        h->is_udp = true;
        h->udp_no_csum = be16(p + 6) == 0;
        h->pay_off = (uint16_t)(h->l4_off + 8);
        h->bad_hdr = (uint32_t)h->l4_off + be16(p + 4) != h->l3_end;
    }
}

static void parse_ipv4(const uint8_t *frame, size_t len, size_t off, struct flue_pkt_hdr *h)
{
    const uint8_t *p = frame + off;

    if (off + 4 > len) {
        h->trunc = true;
        return;
    }
    size_t ihl = (size_t)(p[0] & 15) * 4;
    if (p[0] >> 4 != 4 || ihl < 20) {
        h->bad_hdr = true;
        return;
    }
    h->is_ipv4 = true;
    h->l3_off = (uint8_t)off;
    h->l3_end = (uint32_t)off + be16(p + 2);
    h->ip_opts = ihl > 20;
    if (off + 8 <= len)
        h->ip_frag = (be16(p + 6) & 0x3FFF) != 0; /* MF and offset, not DF */
    if (off + 12 <= len)
        h->proto = p[9];
    if (off + ihl > len) {
        h->trunc = true;
        return;
    }
    h->l4_off = h->pay_off = (uint16_t)(off + ihl);
    if (!h->ip_frag)
        parse_l4(frame, len, h);
}

/*
 * Called for each extension header in turn.  Returns the offset of what follows,
 * or 0 when the walk ends here with trunc or bad_hdr set.
 */
static size_t parse_ext(const uint8_t *frame, size_t len, size_t off, size_t limit, struct flue_pkt_hdr *h)
{
    if (off + 4 > len) {
        h->trunc = true;
        return 0;
    }
    if (off + 4 > limit) {
        h->bad_hdr = true;
        return 0;
    }
    const uint8_t *p = frame + off;
    uint8_t kind = h->proto;

    h->ip_opts = true;
    h->ip_frag |= kind == EXT_FRAGMENT;
    h->ip_route |= kind == EXT_ROUTING && p[3] != 0;
    h->proto = p[0];

    size_t end = off + ext_len(kind, p[1]);
    if (end > limit && len >= limit + 4) { /* the first word over the limit is there */
        h->bad_hdr = true;
        return 0;
    }
    if (end > limit || end > len) {
        h->trunc = true;
        return 0;
    }
    return end;
}

static void parse_ipv6(const uint8_t *frame, size_t len, size_t off, struct flue_pkt_hdr *h)
{
    const uint8_t *p = frame + off;

    if (off + 4 > len) {
        h->trunc = true;
        return;
    }
    if (p[0] >> 4 != 6) {
        h->bad_hdr = true;
        return;
    }
    if (off + 8 > len) {
        h->trunc = true;
        return;
    }
    h->is_ipv6 = true;
    h->l3_off = (uint8_t)off;
    h->l3_end = (uint32_t)off + 40 + be16(p + 4);
    h->proto = p[6];
    if (off + 40 > len) {
        h->trunc = true;
        return;
    }
    size_t next = off + 40;
    size_t limit = next + FLUE_PKT_MAX_EXT;
    bool at_data = false; /* behind a Fragment header with an offset there is no header */
    while (is_ext(h->proto) && !at_data) {
        at_data = h->proto == EXT_FRAGMENT && next + 4 <= len && (be16(frame + next + 2) & 0xFFF8);
        next = parse_ext(frame, len, next, limit, h);
        if (next == 0)
            return;
    }
    h->l4_off = h->pay_off = (uint16_t)next;
    if (!h->ip_frag)
        parse_l4(frame, len, h);
}

void flue_pkt_parse(const uint8_t *frame, size_t len, struct flue_pkt_hdr *hdr)
{
    *hdr = (struct flue_pkt_hdr){0};
    if (len < ETH_LEN) {
        hdr->trunc = true;
        return;
    }
    size_t off = ETH_LEN;
    uint16_t type = be16(frame + 12);
    while (is_tag(type) && hdr->vlan_count < FLUE_PKT_MAX_TAGS) {
        if (off + TAG_LEN > len) {
            hdr->trunc = true;
            return;
        }
        if (hdr->vlan_count == 0) {
            hdr->vlan_tci = be16(frame + off);
            hdr->vlan_stag = type == TYPE_STAG;
        }
        type = be16(frame + off + 2);
        hdr->vlan_count++;
        off += TAG_LEN;
    }
    if (type == TYPE_IPV4)
        parse_ipv4(frame, len, off, hdr);
    else if (type == TYPE_IPV6)
        parse_ipv6(frame, len, off, hdr);
}

uint16_t flue_pkt_sum(const uint8_t *data, size_t len, uint32_t start)
{
    uint64_t sum = start;
    size_t i;

    for (i = 0; i + 1 < len; i += 2)
        sum += be16(data + i);
    if (i < len)
        sum += (uint32_t)data[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

/* The address an L4 checksum was made for (RFC 8200, 8.1). */
static const uint8_t *final_dst6(const uint8_t *frame, const struct flue_pkt_hdr *h)
{
    const uint8_t *dst = frame + h->l3_off + 24;
    uint8_t kind = frame[h->l3_off + 6];

    for (size_t off = (size_t)h->l3_off + 40; off < h->l4_off;) {
        const uint8_t *p = frame + off;
        size_t addresses = p[1] / 2u;
        if (kind == EXT_ROUTING && p[3] != 0 && addresses != 0) {
            if (p[2] == 4)
                dst = p + 8; /* segment routing lists the last one first (RFC 8754) */
            else
                dst = p + 8 + 16 * (addresses - 1);
        }
        off += ext_len(kind, p[1]);
        kind = p[0];
    }
    return dst;
}

uint16_t flue_pkt_pseudo(const uint8_t *frame, const struct flue_pkt_hdr *hdr, uint32_t l4_len)
{
    const uint8_t *ip = frame + hdr->l3_off;
    uint32_t sum = hdr->proto + (l4_len >> 16) + (l4_len & 0xFFFF);

    if (hdr->is_ipv4)
        return flue_pkt_sum(ip + 12, 8, sum);
    sum = flue_pkt_sum(ip + 8, 16, sum);
    return flue_pkt_sum(hdr->ip_route ? final_dst6(frame, hdr) : ip + 24, 16, sum);
}

bool flue_pkt_lengths_agree(const struct flue_pkt_hdr *hdr, size_t len)
{
    return (hdr->is_ipv4 || hdr->is_ipv6) && !hdr->trunc && !hdr->bad_hdr && hdr->l3_end <= len && hdr->pay_off <= hdr->l3_end;
}

static uint16_t ip_header_sum(const uint8_t *frame, const struct flue_pkt_hdr *h)
{
    return flue_pkt_sum(frame + h->l3_off, (size_t)(h->l4_off - h->l3_off), 0);
}

/* Sum of a TCP segment or UDP datagram with its pseudo-header; 0xFFFF is right. */
static uint16_t l4_sum(const uint8_t *frame, const struct flue_pkt_hdr *h)
{
    uint32_t l4_len = h->l3_end - h->l4_off;

    return flue_pkt_sum(frame + h->l4_off, l4_len, flue_pkt_pseudo(frame, h, l4_len));
}

void flue_pkt_fill_csums(uint8_t *frame, size_t len)
{
    struct flue_pkt_hdr h;

    flue_pkt_parse(frame, len, &h);
    if (!flue_pkt_lengths_agree(&h, len))
        return;
    if (h.is_ipv4) {
        put_be16(frame + h.l3_off + 10, 0);
        put_be16(frame + h.l3_off + 10, (uint16_t)~ip_header_sum(frame, &h));
    }
    if (h.is_tcp || h.is_udp) {
        uint8_t *field = frame + h.l4_off + (h.is_tcp ? 16 : 6);
        put_be16(field, 0);
        uint16_t csum = (uint16_t)~l4_sum(frame, &h);
        put_be16(field, h.is_udp && csum == 0 ? 0xFFFF : csum); /* RFC 768 */
    }
}

uint16_t flue_pkt_rx_csum(const uint8_t *frame, size_t len, const struct flue_pkt_rx_cfg *cfg)
{
    struct flue_pkt_hdr h;
    uint16_t bits = 0;

    flue_pkt_parse(frame, len, &h);
    if (!flue_pkt_lengths_agree(&h, len))
        return 0;
    if (h.ip_opts && !(h.is_ipv4 ? cfg->ip_opts : cfg->ip6_ext))
        return 0;

    bool header_good = h.is_ipv6 || ip_header_sum(frame, &h) == 0xFFFF;
    if (h.is_ipv4 && cfg->ip4_csum)
        bits |= header_good ? FLUE_PKT_IP_OK : FLUE_PKT_IP_BAD;
    if (!header_good || h.ip_route)
        return bits;
    if (h.is_tcp && (h.is_ipv4 ? cfg->tcp4_csum : cfg->tcp6_csum) && (!h.tcp_opts || cfg->tcp_opts))
        bits |= l4_sum(frame, &h) == 0xFFFF ? FLUE_PKT_TCP_OK : FLUE_PKT_TCP_BAD;
    if (h.is_udp && (h.is_ipv4 ? cfg->udp4_csum : cfg->udp6_csum) && !h.udp_no_csum)
        bits |= l4_sum(frame, &h) == 0xFFFF ? FLUE_PKT_UDP_OK : FLUE_PKT_UDP_BAD;
    return bits;
}

enum flue_pkt_fault flue_pkt_check_wire(const uint8_t *frame, size_t len)
{
    struct flue_pkt_hdr h;

    flue_pkt_parse(frame, len, &h);
    if (h.trunc)
        return FLUE_PKT_FAULT_SHORT;
    if (h.bad_hdr)
        return FLUE_PKT_FAULT_HEADER;
    if (!h.is_ipv4 && !h.is_ipv6)
        return FLUE_PKT_FINE;
    if (!flue_pkt_lengths_agree(&h, len))
        return FLUE_PKT_FAULT_LENGTH;
    if (h.is_ipv4 && ip_header_sum(frame, &h) != 0xFFFF)
        return FLUE_PKT_FAULT_IP_CSUM;
    if (h.is_tcp && l4_sum(frame, &h) != 0xFFFF)
        return FLUE_PKT_FAULT_TCP_CSUM;
    if (h.is_udp && !h.udp_no_csum && l4_sum(frame, &h) != 0xFFFF)
        return FLUE_PKT_FAULT_UDP_CSUM;
    return FLUE_PKT_FINE;
}

const char *flue_pkt_fault_name(enum flue_pkt_fault fault)
{
    switch (fault) {
    case FLUE_PKT_FINE:
        return "fine";
    case FLUE_PKT_FAULT_SHORT:
        return "ends inside a header";
    case FLUE_PKT_FAULT_HEADER:
        return "header length impossible";
    case FLUE_PKT_FAULT_LENGTH:
        return "IP length disagrees with the frame";
    case FLUE_PKT_FAULT_IP_CSUM:
        return "IPv4 header checksum wrong";
    case FLUE_PKT_FAULT_TCP_CSUM:
        return "TCP checksum wrong";
    case FLUE_PKT_FAULT_UDP_CSUM:
        return "UDP checksum wrong";
    }
    return "unknown";
}
