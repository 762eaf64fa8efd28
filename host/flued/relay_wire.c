/*
 * Segments that were sent again, by connection.  The adapter's statistics do not count them by connection, but the daemon has
 * the wire: it looks at what arrives at the far end, wherever the connection lives.  What the wire loses is not seen.
 */
#include <netinet/in.h>
#include <string.h>
#include "relay.h"

enum { ETHERNET_BYTES = 14, IP4_BYTES = 20, IP6_BYTES = 40, TCP_BYTES = 20, FLAG_SYN = 2 };

static unsigned half(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Addresses and ports as of the sender; false: not the connection's. */
static bool is_of(const struct relay_view *v, const uint8_t *ip, const uint8_t *tcp)
{
    if (v->local.ss_family == AF_INET) {
        const struct sockaddr_in *here = (const void *)&v->local, *there = (const void *)&v->remote;
        return ip[0] >> 4 == 4 && memcmp(ip + 12, &here->sin_addr, 4) == 0 && memcmp(ip + 16, &there->sin_addr, 4) == 0 &&
               half(tcp) == ntohs(here->sin_port) && half(tcp + 2) == ntohs(there->sin_port);
    }
    const struct sockaddr_in6 *here = (const void *)&v->local, *there = (const void *)&v->remote;
    return ip[0] >> 4 == 6 && memcmp(ip + 8, &here->sin6_addr, 16) == 0 && memcmp(ip + 24, &there->sin6_addr, 16) == 0 &&
           half(tcp) == ntohs(here->sin6_port) && half(tcp + 2) == ntohs(there->sin6_port);
}

bool relay_wire_segment(const uint8_t *frame, size_t len, struct relay_segment *s)
{
    const uint8_t *ip = frame + ETHERNET_BYTES;
    bool ipv6 = len > ETHERNET_BYTES && half(frame + 12) == 0x86DD;
    if (len < ETHERNET_BYTES + (ipv6 ? IP6_BYTES : IP4_BYTES) + TCP_BYTES || (!ipv6 && half(frame + 12) != 0x0800) ||
        ip[ipv6 ? 6 : 9] != IPPROTO_TCP)
        return false;
    size_t head = ipv6 ? IP6_BYTES : (size_t)(ip[0] & 15) * 4, whole = ipv6 ? IP6_BYTES + half(ip + 4) : half(ip + 2);
    const uint8_t *tcp = ip + head;
    if (whole > len - ETHERNET_BYTES || head + TCP_BYTES > whole || (size_t)(tcp[12] >> 4) * 4 > whole - head)
        return false;
    s->ip = ip;
    s->tcp = tcp;
    s->seq = half(tcp + 4) << 16 | half(tcp + 6);
    s->payload = (uint32_t)(whole - head - (size_t)(tcp[12] >> 4) * 4);
    return (tcp[13] & FLAG_SYN) == 0;
}

bool relay_wire_take(struct relay_wire *w, const struct relay_view *v, const struct relay_segment *s)
{
    if (!is_of(v, s->ip, s->tcp))
        return false;
    if (s->payload == 0)
        return true;
    uint32_t end = s->seq + s->payload;
    w->again += w->seen && (int32_t)(end - w->end) <= 0;
    if (!w->seen || (int32_t)(end - w->end) > 0)
        w->end = end;
    w->seen = true;
    return true;
}
