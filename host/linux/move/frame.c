/* Frames of connections that are in the adapter: those the kernel must not send, and what the peer said, told to it again. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include "flue/sum.h"
#include "move_internal.h"

enum {
    MAC_BYTES = 6,
    ETHERNET_BYTES = 14,
    TAG_BYTES = 4,
    IP4_BYTES = 20,
    IP6_BYTES = 40,
    TCP_BYTES = 20,
    ETHERTYPE_IP4 = 0x0800,
    ETHERTYPE_TAG = 0x8100,
    ETHERTYPE_IP6 = 0x86DD,
    FLAG_FIN = 0x01,
    FLAG_ACK = 0x10,
    WINDOW_MAX = 65535,
};

static uint16_t half(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void half_put(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void word_put(uint8_t *p, uint32_t value)
{
    half_put(p, value >> 16);
    half_put(p + 2, value);
}

/* ---- what the kernel sends ------------------------------------------------------------------------------------------- */

/* Addresses and ports of a TCP segment, sender's first. */
struct flow {
    bool ipv6;
    const uint8_t *from, *to;
    uint16_t port_from, port_to;
};

static bool flow_of(const uint8_t *frame, size_t len, struct flow *f)
{
    size_t at = 2 * MAC_BYTES;
    while (at + TAG_BYTES < len && half(frame + at) == ETHERTYPE_TAG)
        at += TAG_BYTES;
    if (at + 2 > len)
        return false;
    unsigned type = half(frame + at);
    const uint8_t *ip = frame + (at += 2);
    f->ipv6 = type == ETHERTYPE_IP6;
    if (f->ipv6) {
        if (at + IP6_BYTES + 4 > len || ip[6] != IPPROTO_TCP)
            return false;
        f->from = ip + 8;
        f->to = ip + 24;
        at += IP6_BYTES;
    } else {
        if (type != ETHERTYPE_IP4 || at + IP4_BYTES > len || ip[9] != IPPROTO_TCP || (half(ip + 6) & 0x1FFF) != 0)
            return false;
        f->from = ip + 12;
        f->to = ip + 16;
        at += (size_t)(ip[0] & 15) * 4;
        if (at + 4 > len)
            return false;
    }
    f->port_from = half(frame + at);
    f->port_to = half(frame + at + 2);
    return true;
}

bool flue_mover_withholds(const struct flue_mover *m, const uint8_t *frame, size_t len)
{
    struct flow f;
    if (m->moved == NULL || !flow_of(frame, len, &f))
        return false;
    uint32_t ports = f.port_to | (uint32_t)f.port_from << FLUE_WIRE_TCP_CONST_LOCAL_PORT_SHIFT;
    size_t bytes = f.ipv6 ? 16 : 4;
    for (const struct moved *c = m->moved; c != NULL; c = c->next)
        if (c->silent && c->route->ipv6 == f.ipv6 && move_ports_of(&c->state) == ports &&
            memcmp(c->route->local, f.from, bytes) == 0 && memcmp(c->route->remote, f.to, bytes) == 0)
            return true;
    return false;
}

/* ---- what the peer had said ------------------------------------------------------------------------------------------ */

static size_t ip_head(uint8_t *ip, const struct route *r)
{
    if (r->ipv6) {
        word_put(ip, 6u << 28);
        half_put(ip + 4, TCP_BYTES);
        ip[6] = IPPROTO_TCP;
        ip[7] = MOVE_TTL;
        memcpy(ip + 8, r->remote, 16);
        memcpy(ip + 24, r->local, 16);
        return IP6_BYTES;
    }
    ip[0] = 0x45;
    half_put(ip + 2, IP4_BYTES + TCP_BYTES);
    ip[8] = MOVE_TTL;
    ip[9] = IPPROTO_TCP;
    memcpy(ip + 12, r->remote, 4);
    memcpy(ip + 16, r->local, 4);
    half_put(ip + 10, (uint16_t)~flue_sum(ip, IP4_BYTES));
    return IP4_BYTES;
}

/* The peer's FIN and its acknowledgement of ours (linux-host.md 4.4).  Without timestamps, which Linux lets pass. */
static void peer_said(struct flue_mover *m, const struct route *r, const struct flue_tcp_state *s)
{
    uint8_t frame[ETHERNET_BYTES + IP6_BYTES + TCP_BYTES] = {0}, *ip = frame + ETHERNET_BYTES;
    bool fin = flue_tcp_fin_received(s->at);
    uint32_t window = s->snd_wnd >> s->snd_wind_scale, ports = move_ports_of(s);

    memcpy(frame, r->hop.here, MAC_BYTES);
    memcpy(frame + MAC_BYTES, r->hop.there, MAC_BYTES);
    half_put(frame + 2 * MAC_BYTES, r->ipv6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
    size_t head = ip_head(ip, r);
    uint8_t *tcp = ip + head;
    word_put(tcp, (ports & 0xFFFF) << 16 | ports >> FLUE_WIRE_TCP_CONST_LOCAL_PORT_SHIFT);
    word_put(tcp + 4, s->rcv_nxt - (fin ? 1u : 0u));
    word_put(tcp + 8, s->snd_una);
    tcp[12] = TCP_BYTES / 4 << 4;
    tcp[13] = FLAG_ACK | (fin ? FLAG_FIN : 0);
    half_put(tcp + 14, window < WINDOW_MAX ? window : WINDOW_MAX);
    uint16_t pseudo = flue_sum_pseudo(r->ipv6 ? ip + 8 : ip + 12, r->ipv6 ? 32 : 8, IPPROTO_TCP, TCP_BYTES);
    half_put(tcp + 16, (uint16_t)~flue_sum_add(pseudo, flue_sum(tcp, TCP_BYTES)));
    struct flue_rx_done done = {.len_bytes = (uint32_t)(ETHERNET_BYTES + head + TCP_BYTES)};
    flue_port_deliver(m->port, &done, frame);
}

enum flue_err move_kernel_take(struct flue_mover *m, struct moved *c, int fd, const struct flue_tcp_state *s, size_t *unsent)
{
    const int now = 1;
    uint8_t end;
    enum flue_err err = flue_socket_restore(fd, s, unsent);
    if (err == FLUE_OK && s->at != FLUE_TCP_ESTABLISHED && s->at != FLUE_TCP_FIN_WAIT1) {
        peer_said(m, c->route, s);
        /* Its answer comes now, not after the move, if the end of the stream was read; every read says it again. */
        if (s->unread_bytes == 0)
            (void)!recv(fd, &end, sizeof end, MSG_DONTWAIT);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &now, sizeof now);
        err = move_transmit_drain(m); /* its answers, which the peer does not expect */
        if (err != FLUE_OK)
            return err;
    }
    c->silent = false;
    return err == FLUE_OK ? FLUE_OK : move_fail(m, err, "the kernel refuses: %s: %s", flue_socket_error(), strerror(errno));
}
