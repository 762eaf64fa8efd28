/* The neighbor and the path of a pair of addresses, made once. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "move_internal.h"

enum { WORDS_NEIGHBOR = 6, WORDS_PATH = 9 };

void move_address_of(const struct sockaddr_storage *a, uint8_t bytes[16], uint16_t *port)
{
    memset(bytes, 0, 16);
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)a;
        memcpy(bytes, &in->sin_addr, 4);
        *port = ntohs(in->sin_port);
    } else {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
        memcpy(bytes, &in6->sin6_addr, 16);
        *port = ntohs(in6->sin6_port);
    }
}

static uint32_t word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Our MAC and the peer's, by the socket's own namespace.  The peer is on the link: routers and IPv6 neighbors come later. */
static enum flue_err macs_get(struct flue_mover *m, int fd, const struct flue_tcp_state *s, uint8_t here[6], uint8_t there[6],
                              uint32_t *mtu)
{
    struct ifreq ifr = {0};
    struct arpreq arp = {0};

    if (s->remote.ss_family != AF_INET)
        return move_fail(m, FLUE_EUNSUPP, "the neighbor table is read for IPv4 only");
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", flue_tap_name(flue_port_tap(m->port)));
    if (ioctl(fd, SIOCGIFHWADDR, &ifr) != 0)
        return move_fail(m, FLUE_EIO, "hardware address of %s: %s", ifr.ifr_name, strerror(errno));
    memcpy(here, ifr.ifr_hwaddr.sa_data, 6);
    if (ioctl(fd, SIOCGIFMTU, &ifr) != 0)
        return move_fail(m, FLUE_EIO, "MTU of %s: %s", ifr.ifr_name, strerror(errno));
    *mtu = (uint32_t)ifr.ifr_mtu;
    memcpy(&arp.arp_pa, &s->remote, sizeof(struct sockaddr_in));
    snprintf(arp.arp_dev, sizeof arp.arp_dev, "%s", ifr.ifr_name);
    if (ioctl(fd, SIOCGARP, &arp) != 0 || !(arp.arp_flags & ATF_COM))
        return move_fail(m, FLUE_ESTATE, "the peer is no neighbor on %s", ifr.ifr_name);
    memcpy(there, arp.arp_ha.sa_data, 6);
    return FLUE_OK;
}

static enum flue_err route_make(struct flue_mover *m, int fd, const struct flue_tcp_state *s, struct route *r)
{
    uint8_t here[6] = {0}, there[6] = {0};
    enum flue_err err = macs_get(m, fd, s, here, there, &r->mtu);
    if (err != FLUE_OK)
        return err;
    uint32_t neighbor[WORDS_NEIGHBOR] = {word(here), (uint32_t)here[4] | (uint32_t)here[5] << 8, word(there),
                                         (uint32_t)there[4] | (uint32_t)there[5] << 8};
    uint32_t path[WORDS_PATH] = {0};
    for (unsigned i = 0; i < 4; i++) {
        path[i] = word(r->local + 4 * i);
        path[4 + i] = word(r->remote + 4 * i);
    }
    path[8] = r->mtu;
    struct node node[2] = {
        {.kind = FLUE_NODE_NEW, .type = NeighborOffloadState, .state = neighbor, .words = WORDS_NEIGHBOR},
        {.kind = FLUE_NODE_NEW,
         .depth = 1,
         .type = r->ipv6 ? Ip6OffloadState : Ip4OffloadState,
         .state = path,
         .words = WORDS_PATH},
    };
    err = move_tree_run(m, FLUE_OP_INITIATE, node, 2, "neighbor and path");
    r->neighbor = node[0].handle;
    r->path = node[1].handle;
    return err;
}

enum flue_err move_route_of(struct flue_mover *m, int fd, const struct flue_tcp_state *s, struct route **out)
{
    struct route want = {.ipv6 = s->local.ss_family == AF_INET6}, *r;
    uint16_t port;
    move_address_of(&s->local, want.local, &port);
    move_address_of(&s->remote, want.remote, &port);
    for (r = m->routes; r != NULL; r = r->next)
        if (r->ipv6 == want.ipv6 && memcmp(r->local, want.local, 16) == 0 && memcmp(r->remote, want.remote, 16) == 0)
            break;
    if (r == NULL) {
        enum flue_err err = route_make(m, fd, s, &want);
        if (err != FLUE_OK)
            return err;
        r = malloc(sizeof *r);
        if (r == NULL)
            return FLUE_ENOMEM;
        *r = want;
        r->next = m->routes;
        m->routes = r;
    }
    *out = r;
    return FLUE_OK;
}
