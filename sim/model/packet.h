/*
 * Plain model of what a frame is: header record, checksums, receive verdict.
 *
 * The reference for rtl/parse, rtl/csum and rtl/lso/flue_tx_check.sv, and the
 * checker behind the monitor of every transmitted frame.  Clauses TO-nnn and
 * section numbers: docs/spec/task-offload.md.
 *
 * No function reads a byte at or past frame[len], whatever the frame says.
 */
#ifndef FLUE_MODEL_PACKET_H
#define FLUE_MODEL_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    FLUE_PKT_MAX_TAGS = 2,
    FLUE_PKT_MAX_EXT = 128, /* IPv6 extension headers that are walked, bytes */

    FLUE_PKT_PROTO_TCP = 6,
    FLUE_PKT_PROTO_UDP = 17,

    /* tcp_flags, wire order */
    FLUE_PKT_FIN = 0x001,
    FLUE_PKT_SYN = 0x002,
    FLUE_PKT_RST = 0x004,
    FLUE_PKT_PSH = 0x008,
    FLUE_PKT_ACK = 0x010,
    FLUE_PKT_URG = 0x020,
    FLUE_PKT_ECE = 0x040,
    FLUE_PKT_CWR = 0x080,
    FLUE_PKT_NS = 0x100,

    /* receive checksum results, section 2.2 (rx_csum_t) */
    FLUE_PKT_TCP_BAD = 1 << 0,
    FLUE_PKT_UDP_BAD = 1 << 1,
    FLUE_PKT_IP_BAD = 1 << 2,
    FLUE_PKT_TCP_OK = 1 << 3,
    FLUE_PKT_UDP_OK = 1 << 4,
    FLUE_PKT_IP_OK = 1 << 5,
};

/* Mirror of hdr_t (rtl/flue_pkg.sv): same names, same meaning, byte offsets. */
struct flue_pkt_hdr {
    bool trunc;         /* the frame ends inside a header it announced */
    bool bad_hdr;       /* impossible length field, or extensions over the limit */
    uint8_t vlan_count; /* 0 to 2 */
    uint16_t vlan_tci;  /* outer tag */
    bool vlan_stag;     /* outer tag is a service tag (0x88A8), not 0x8100 */
    bool is_ipv4;
    bool is_ipv6;
    bool ip_frag;  /* IPv4 MF or offset nonzero; any IPv6 Fragment header */
    bool ip_opts;  /* IPv4 options, or IPv6 extension headers */
    bool ip_route; /* IPv6 Routing header with segments left */
    bool is_tcp;   /* never for a fragment */
    bool is_udp;
    bool tcp_opts;
    bool udp_no_csum;
    uint16_t tcp_flags; /* 9 bits */
    uint8_t proto;      /* IPv4 protocol or last IPv6 next header */
    uint8_t l3_off;     /* 14, 18, 22; 0 without IP */
    uint16_t l4_off;
    uint16_t pay_off; /* l4_off if there is neither TCP nor UDP */
    uint32_t l3_end;
};

/* The checksum part of rx_cfg_t. */
struct flue_pkt_rx_cfg {
    bool ip4_csum, tcp4_csum, udp4_csum, tcp6_csum, udp6_csum;
    bool ip_opts;  /* IpOptionsSupported enabled */
    bool ip6_ext;  /* IpExtensionHeadersSupported enabled */
    bool tcp_opts; /* TcpOptionsSupported enabled */
};

/* What flue_pkt_check_wire() found first. */
enum flue_pkt_fault {
    FLUE_PKT_FINE = 0,
    FLUE_PKT_FAULT_SHORT,    /* ends inside a header it announced */
    FLUE_PKT_FAULT_HEADER,   /* a length field is impossible */
    FLUE_PKT_FAULT_LENGTH,   /* IP length beyond the frame, or inside its own headers */
    FLUE_PKT_FAULT_IP_CSUM,  /* wrong IPv4 header checksum */
    FLUE_PKT_FAULT_TCP_CSUM, /* wrong TCP checksum */
    FLUE_PKT_FAULT_UDP_CSUM, /* wrong UDP checksum */
};

/* "TCP checksum wrong" and the like.  Static storage. */
const char *flue_pkt_fault_name(enum flue_pkt_fault fault);

/* Read the headers of a frame.  Every field of *hdr is set. */
void flue_pkt_parse(const uint8_t *frame, size_t len, struct flue_pkt_hdr *hdr);

/*
 * One's-complement sum of len bytes as big-endian 16-bit words, an odd last
 * byte padded with zero, added to start.  Not complemented, 0 to 0xFFFF.
 */
uint16_t flue_pkt_sum(const uint8_t *data, size_t len, uint32_t start);

/*
 * Pseudo-header sum S(src, dst, 0, proto, l4_len) of a parsed TCP or UDP
 * frame; l4_len 0 gives the length-less sum of LSO requests (3.1.1).  With a
 * Routing header that has segments left, dst is the final destination.
 */
uint16_t flue_pkt_pseudo(const uint8_t *frame, const struct flue_pkt_hdr *hdr, uint32_t l4_len);

/* Whether all lengths agree, so that there are sums to check at all (3.1.3). */
bool flue_pkt_lengths_agree(const struct flue_pkt_hdr *hdr, size_t len);

/* Write the right IPv4 header, TCP and UDP checksums where lengths agree. */
void flue_pkt_fill_csums(uint8_t *frame, size_t len);

/* The nine receive bits of section 3.1.3, FLUE_PKT_*_OK and _BAD. */
uint16_t flue_pkt_rx_csum(const uint8_t *frame, size_t len, const struct flue_pkt_rx_cfg *cfg);

/*
 * Check a frame that is on the wire: header and IP lengths, and every checksum
 * that can be recomputed.  Fragments: the IPv4 header only.  A UDP checksum of 0
 * means that there is none.  Anything but IP is fine.
 */
enum flue_pkt_fault flue_pkt_check_wire(const uint8_t *frame, size_t len);

#ifdef __cplusplus
}
#endif
#endif
