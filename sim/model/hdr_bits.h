/*
 * hdr_t (rtl/flue_pkg.sv) as a packed vector, for benches: one call per field, last field of the struct first.
 */
#ifndef FLUE_MODEL_HDR_BITS_H
#define FLUE_MODEL_HDR_BITS_H

#include "packet.h"

/* put(context, width, name, value) is called for each field from bit 0 up. */
static inline void flue_hdr_each_field(const struct flue_pkt_hdr *h, void *context,
                                       void (*put)(void *context, unsigned width, const char *name, uint64_t value))
{
    put(context, 17, "l3_end", h->l3_end);
    put(context, 10, "pay_off", h->pay_off);
    put(context, 10, "l4_off", h->l4_off);
    put(context, 8, "l3_off", h->l3_off);
    put(context, 8, "proto", h->proto);
    put(context, 9, "tcp_flags", h->tcp_flags);
    put(context, 1, "udp_no_csum", h->udp_no_csum);
    put(context, 1, "tcp_opts", h->tcp_opts);
    put(context, 1, "is_udp", h->is_udp);
    put(context, 1, "is_tcp", h->is_tcp);
    put(context, 1, "ip_route", h->ip_route);
    put(context, 1, "ip_opts", h->ip_opts);
    put(context, 1, "ip_frag", h->ip_frag);
    put(context, 1, "is_ipv6", h->is_ipv6);
    put(context, 1, "is_ipv4", h->is_ipv4);
    put(context, 1, "vlan_stag", h->vlan_stag);
    put(context, 16, "vlan_tci", h->vlan_tci);
    put(context, 2, "vlan_count", h->vlan_count);
    put(context, 1, "bad_hdr", h->bad_hdr);
    put(context, 1, "trunc", h->trunc);
}

#endif
