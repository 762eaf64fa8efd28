/*
 * Fuzz target of the frame model (libFuzzer): clang -fsanitize=fuzzer,address,undefined.
 *
 * The model is what the RTL parser is compared with, and it judges what is on the wire, so it must neither read past
 * a frame nor say anything that contradicts itself.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static int same_header(const struct flue_pkt_hdr *a, const struct flue_pkt_hdr *b)
{
    return a->is_ipv4 == b->is_ipv4 && a->is_ipv6 == b->is_ipv6 && a->is_tcp == b->is_tcp && a->is_udp == b->is_udp &&
           a->l4_off == b->l4_off && a->pay_off == b->pay_off && a->l3_end == b->l3_end && a->bad_hdr == b->bad_hdr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct flue_pkt_rx_cfg all = {true, true, true, true, true, true, true, true};
    static const struct flue_pkt_rx_cfg none;
    struct flue_pkt_hdr h, again;

    if (size > 9018)
        return 0;
    uint8_t *frame = malloc(size + !size); /* exactly its size, so that ASan sees one byte too many */
    if (!frame)
        return 0;
    memcpy(frame, data, size);
    flue_pkt_parse(frame, size, &h);

    must(!(h.is_ipv4 && h.is_ipv6) && !(h.is_tcp && h.is_udp) && h.vlan_count <= FLUE_PKT_MAX_TAGS);
    must(!(h.trunc && h.bad_hdr));
    must(size >= 14 || h.trunc);
    if (h.is_ipv4 || h.is_ipv6)
        must(h.l3_off == 14 + 4 * h.vlan_count && h.l3_off < size);
    else
        must(h.l3_off == 0 && h.l4_off == 0 && h.l3_end == 0 && h.proto == 0);
    must(h.l4_off <= size && (h.l4_off == 0 || h.l4_off >= h.l3_off + 20));
    if (h.is_tcp || h.is_udp) {
        must(h.l4_off != 0 && h.pay_off >= h.l4_off + 8 && h.pay_off <= h.l4_off + 60 && !h.ip_frag);
        must(h.trunc == (h.pay_off > size));
    } else {
        must(h.pay_off == h.l4_off);
    }

    uint16_t bits = flue_pkt_rx_csum(frame, size, &all);
    must((bits & (FLUE_PKT_TCP_OK | FLUE_PKT_UDP_OK)) == 0 || (bits & FLUE_PKT_IP_BAD) == 0); /* TO-041 */
    must(!(bits & FLUE_PKT_TCP_OK && bits & FLUE_PKT_TCP_BAD));                               /* TO-036 */
    must(!(bits & FLUE_PKT_UDP_OK && bits & FLUE_PKT_UDP_BAD));
    must(!(bits & FLUE_PKT_IP_OK && bits & FLUE_PKT_IP_BAD));
    must(h.is_ipv4 || (bits & (FLUE_PKT_IP_OK | FLUE_PKT_IP_BAD)) == 0); /* TO-039 */
    must(bits == 0 || flue_pkt_lengths_agree(&h, size));                 /* TO-043 */
    must(flue_pkt_rx_csum(frame, size, &none) == 0);                     /* TO-031 */

    /* What the wire monitor lets pass, the receiver does not call bad. */
    enum flue_pkt_fault fault = flue_pkt_check_wire(frame, size);
    must(fault != FLUE_PKT_FINE || (bits & (FLUE_PKT_TCP_BAD | FLUE_PKT_UDP_BAD | FLUE_PKT_IP_BAD)) == 0);
    must(flue_pkt_fault_name(fault) != NULL);

    /* Filling in the sums makes them right and changes no other part of the frame. */
    flue_pkt_fill_csums(frame, size);
    flue_pkt_parse(frame, size, &again);
    must(same_header(&h, &again));
    fault = flue_pkt_check_wire(frame, size);
    must(fault != FLUE_PKT_FAULT_IP_CSUM && fault != FLUE_PKT_FAULT_TCP_CSUM && fault != FLUE_PKT_FAULT_UDP_CSUM);
    must((flue_pkt_rx_csum(frame, size, &all) & (FLUE_PKT_TCP_BAD | FLUE_PKT_UDP_BAD | FLUE_PKT_IP_BAD)) == 0);
    free(frame);
    return 0;
}
