/* Segments as Ethernet frames and back. */
#include "tcp_frame.h"
#include "packet.h"

#include <string.h>

enum { ETH = 14, IP4 = 20, IP6 = 40, TCP = 20, OPT_END = 0, OPT_NOP = 1, OPT_SACK = 5, OPT_TS = 8, TTL = 64, PROTO_TCP = 6 };

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
}

static size_t options_put(const struct flue_tcp_seg *s, uint8_t *at)
{
    size_t n = 0;
    if (s->has_ts) {
        at[n++] = OPT_NOP;
        at[n++] = OPT_NOP;
        at[n++] = OPT_TS;
        at[n++] = 10;
        put32(at + n, s->ts_val);
        put32(at + n + 4, s->ts_ecr);
        n += 8;
    }
    if (s->blocks > 0) {
        at[n++] = OPT_NOP;
        at[n++] = OPT_NOP;
        at[n++] = OPT_SACK;
        at[n++] = (uint8_t)(2 + 8 * s->blocks);
        for (unsigned i = 0; i < s->blocks; i++, n += 8) {
            put32(at + n, s->block[i].left);
            put32(at + n + 4, s->block[i].right);
        }
    }
    return n;
}

size_t flue_tcp_frame_build(const struct flue_tcp_ends *e, const struct flue_tcp_seg *s, const uint8_t *payload, uint8_t *frame)
{
    size_t ip = e->ipv6 ? IP6 : IP4;
    uint8_t *l3 = frame + ETH, *l4 = l3 + ip;
    memset(frame, 0, ETH + ip + TCP);
    size_t header = TCP + options_put(s, l4 + TCP), total = header + s->len;
    memcpy(frame, e->mac_there, 6);
    memcpy(frame + 6, e->mac_here, 6);
    put16(frame + 12, e->ipv6 ? 0x86DD : 0x0800);
    if (e->ipv6) {
        l3[0] = 0x60;
        put16(l3 + 4, (uint32_t)total);
        l3[6] = PROTO_TCP;
        l3[7] = TTL;
        memcpy(l3 + 8, e->ip_here, 16);
        memcpy(l3 + 24, e->ip_there, 16);
    } else {
        l3[0] = 0x45;
        put16(l3 + 2, (uint32_t)(ip + total));
        l3[6] = 0x40; /* DF */
        l3[8] = TTL;
        l3[9] = PROTO_TCP;
        memcpy(l3 + 12, e->ip_here, 4);
        memcpy(l3 + 16, e->ip_there, 4);
    }
    put16(l4, e->port_here);
    put16(l4 + 2, e->port_there);
    put32(l4 + 4, s->seq);
    put32(l4 + 8, s->ack);
    l4[12] = (uint8_t)(header / 4 << 4);
    l4[13] = s->flags;
    put16(l4 + 14, s->wnd);
    if (s->len > 0)
        memcpy(l4 + header, payload, s->len);
    size_t len = ETH + ip + total;
    flue_pkt_fill_csums(frame, len);
    return len;
}

/* TCP-005, TCP-007, TCP-008: the first timestamps and the first SACK option that are whole; whatever does not end ends it. */
static void options_get(const uint8_t *at, size_t bytes, struct flue_tcp_seg *s)
{
    for (size_t i = 0; i < bytes && at[i] != OPT_END;) {
        if (at[i] == OPT_NOP) {
            i++;
            continue;
        }
        if (i + 1 >= bytes || at[i + 1] < 2 || i + at[i + 1] > bytes)
            return;
        size_t len = at[i + 1];
        if (at[i] == OPT_TS && len == 10 && !s->has_ts) {
            s->has_ts = true;
            s->ts_val = get32(at + i + 2);
            s->ts_ecr = get32(at + i + 6);
        } else if (at[i] == OPT_SACK && s->blocks == 0 && len > 2 && len <= 2 + 8 * FLUE_TCP_BLOCKS && len % 8 == 2) {
            s->blocks = (unsigned)(len - 2) / 8;
            for (unsigned b = 0; b < s->blocks; b++) {
                s->block[b].left = get32(at + i + 2 + 8 * b);
                s->block[b].right = get32(at + i + 6 + 8 * b);
            }
        }
        i += len;
    }
}

bool flue_tcp_frame_parse(const struct flue_tcp_ends *e, const uint8_t *frame, size_t len, struct flue_tcp_seg *s,
                          const uint8_t **payload)
{
    size_t ip = e->ipv6 ? IP6 : IP4;
    const uint8_t *l3 = frame + ETH, *l4 = l3 + ip;
    memset(s, 0, sizeof *s);
    if (len < ETH + ip + TCP || get16(frame + 12) != (e->ipv6 ? 0x86DDu : 0x0800u) || memcmp(frame, e->mac_here, 6) != 0)
        return false;
    size_t total = e->ipv6 ? get16(l3 + 4) : get16(l3 + 2) - ip;
    if ((e->ipv6 ? l3[6] : l3[9]) != PROTO_TCP || ETH + ip + total > len || total < TCP)
        return false;
    if (e->ipv6 ? memcmp(l3 + 8, e->ip_there, 16) || memcmp(l3 + 24, e->ip_here, 16)
                : l3[0] != 0x45 || memcmp(l3 + 12, e->ip_there, 4) || memcmp(l3 + 16, e->ip_here, 4))
        return false;
    if (get16(l4) != e->port_there || get16(l4 + 2) != e->port_here)
        return false;
    size_t header = (size_t)(l4[12] >> 4) * 4;
    if (header < TCP || header > total)
        return false;
    s->seq = get32(l4 + 4);
    s->ack = get32(l4 + 8);
    s->flags = l4[13] & 0x3F;
    s->wnd = (uint16_t)get16(l4 + 14);
    s->len = (uint16_t)(total - header);
    options_get(l4 + TCP, header - TCP, s);
    *payload = l4 + header;
    return true;
}
