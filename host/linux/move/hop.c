/*
 * The next hop to a peer, as the kernel of the interface's namespace has it: the route, then the neighbor entry of its gateway
 * or of the peer itself (linux-host.md 3.3, "MAC address of the next hop").
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include "move_internal.h"

#define ANSWER_BYTES 4096u
#define USABLE       (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

/* An address in wire order. */
struct address {
    int family;
    uint8_t bytes[16];
};

static size_t bytes_of(int family)
{
    return family == AF_INET ? 4 : 16;
}

static const char *text_of(const struct address *a, char text[INET6_ADDRSTRLEN])
{
    return inet_ntop(a->family, a->bytes, text, INET6_ADDRSTRLEN);
}

/* One request and its answer; attributes are found by attribute().  Returns 0, or the kernel's errno. */
struct request {
    struct nlmsghdr head;
    union {
        struct rtmsg route;
        struct ndmsg neighbor;
    };
    uint8_t attributes[128];
};
static_assert(sizeof(struct rtmsg) == sizeof(struct ndmsg), "attributes begin at one place");

static void attribute_add(struct request *r, unsigned short type, const void *data, size_t bytes)
{
    struct rtattr *a = (void *)((uint8_t *)r + NLMSG_ALIGN(r->head.nlmsg_len));
    *a = (struct rtattr){.rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(bytes)};
    memcpy(RTA_DATA(a), data, bytes);
    r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + (uint32_t)RTA_ALIGN(a->rta_len);
}

static int ask(int fd, struct request *r, uint8_t answer[ANSWER_BYTES])
{
    static uint32_t sequence;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    const struct nlmsghdr *h = (const void *)answer;

    r->head.nlmsg_flags = NLM_F_REQUEST;
    r->head.nlmsg_seq = ++sequence;
    if (sendto(fd, r, r->head.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
        return errno;
    do { /* the kernel answers before sendto() returns; older answers that nobody took are passed over */
        ssize_t n = recv(fd, answer, ANSWER_BYTES, MSG_DONTWAIT);
        if (n < 0)
            return errno;
        if (!NLMSG_OK(h, (size_t)n))
            return EBADMSG;
    } while (h->nlmsg_seq != sequence);
    if (h->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *e = NLMSG_DATA(h);
        return e->error == 0 ? EBADMSG : -e->error;
    }
    return 0;
}

/* Data of an attribute of at least so many bytes, or null. */
static const void *attribute(const uint8_t *answer, unsigned short type, size_t bytes)
{
    const struct nlmsghdr *h = (const void *)answer;
    const size_t head = RTA_LENGTH(0);
    for (size_t at = NLMSG_LENGTH(sizeof(struct rtmsg)); at + head <= h->nlmsg_len;) {
        const struct rtattr *a = (const void *)(answer + at);
        if (a->rta_len < head || a->rta_len > h->nlmsg_len - at)
            return NULL;
        if ((a->rta_type & NLA_TYPE_MASK) == type && a->rta_len - head >= bytes)
            return answer + at + head;
        at += RTA_ALIGN(a->rta_len);
    }
    return NULL;
}

/* The gateway on the way, or the peer itself when it is on the link. */
static enum flue_err gateway_find(struct flue_mover *m, const struct flue_tap_link *link, const struct address *local,
                                  const struct address *remote, struct address *gateway)
{
    _Alignas(struct nlmsghdr) uint8_t answer[ANSWER_BYTES];
    char text[INET6_ADDRSTRLEN];
    size_t bytes = bytes_of(remote->family);
    struct request r = {.head = {.nlmsg_type = RTM_GETROUTE, .nlmsg_len = NLMSG_LENGTH(sizeof r.route)},
                        .route = {.rtm_family = (unsigned char)remote->family,
                                  .rtm_dst_len = (unsigned char)(8 * bytes),
                                  .rtm_src_len = (unsigned char)(8 * bytes)}};
    attribute_add(&r, RTA_DST, remote->bytes, bytes);
    attribute_add(&r, RTA_SRC, local->bytes, bytes);
    if (remote->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)(const void *)remote->bytes))
        attribute_add(&r, RTA_OIF, &link->index, sizeof link->index);
    int wrong = ask(flue_tap_netlink(flue_port_tap(m->port)), &r, answer);
    if (wrong != 0)
        return move_fail(m, FLUE_ESTATE, "no route to %s: %s", text_of(remote, text), strerror(wrong));
    const struct rtmsg *route = (const void *)(answer + NLMSG_HDRLEN);
    const int *out = attribute(answer, RTA_OIF, sizeof *out);
    if (route->rtm_type != RTN_UNICAST)
        return move_fail(m, FLUE_ESTATE, "%s is not another host", text_of(remote, text));
    if (out == NULL || *out != link->index)
        return move_fail(m, FLUE_ESTATE, "the route to %s does not leave by %s", text_of(remote, text),
                         flue_tap_name(flue_port_tap(m->port)));
    if (attribute(answer, RTA_ENCAP, 0) != NULL)
        return move_fail(m, FLUE_ESTATE, "the route to %s goes through a tunnel", text_of(remote, text));
    *gateway = *remote;
    const void *direct = attribute(answer, RTA_GATEWAY, bytes);
    const struct rtvia *via = attribute(answer, RTA_VIA, sizeof *via);
    if (direct != NULL)
        memcpy(gateway->bytes, direct, bytes);
    else if (via != NULL && (via->rtvia_family == AF_INET || via->rtvia_family == AF_INET6) &&
             attribute(answer, RTA_VIA, sizeof *via + bytes_of(via->rtvia_family)) != NULL) {
        gateway->family = via->rtvia_family;
        memcpy(gateway->bytes, via->rtvia_addr, bytes_of(via->rtvia_family));
    }
    return FLUE_OK;
}

static enum flue_err neighbor_find(struct flue_mover *m, const struct flue_tap_link *link, const struct address *gateway,
                                   uint8_t mac[6])
{
    _Alignas(struct nlmsghdr) uint8_t answer[ANSWER_BYTES];
    char text[INET6_ADDRSTRLEN];
    const char *name = flue_tap_name(flue_port_tap(m->port));
    struct request r = {.head = {.nlmsg_type = RTM_GETNEIGH, .nlmsg_len = NLMSG_LENGTH(sizeof r.neighbor)},
                        .neighbor = {.ndm_family = (unsigned char)gateway->family, .ndm_ifindex = link->index}};
    attribute_add(&r, NDA_DST, gateway->bytes, bytes_of(gateway->family));
    int wrong = ask(flue_tap_netlink(flue_port_tap(m->port)), &r, answer);
    if (wrong != 0)
        return move_fail(m, FLUE_EAGAIN, "%s is no neighbor on %s: %s", text_of(gateway, text), name, strerror(wrong));
    const struct ndmsg *neighbor = (const void *)(answer + NLMSG_HDRLEN);
    const uint8_t *there = attribute(answer, NDA_LLADDR, 6);
    if ((neighbor->ndm_state & USABLE) == 0 || there == NULL)
        return move_fail(m, FLUE_EAGAIN, "%s does not answer on %s", text_of(gateway, text), name);
    memcpy(mac, there, 6);
    return FLUE_OK;
}

enum flue_err move_hop_find(struct flue_mover *m, bool ipv6, const uint8_t local[16], const uint8_t remote[16], struct hop *hop)
{
    int family = ipv6 ? AF_INET6 : AF_INET;
    struct address here = {.family = family}, there = {.family = family}, gateway;
    struct flue_tap_link link;

    memcpy(here.bytes, local, sizeof here.bytes);
    memcpy(there.bytes, remote, sizeof there.bytes);
    enum flue_err err = flue_tap_link_get(flue_port_tap(m->port), &link);
    if (err != FLUE_OK)
        return move_fail(m, err, "%s: %s", flue_tap_error(), strerror(errno));
    err = gateway_find(m, &link, &here, &there, &gateway);
    if (err == FLUE_OK)
        err = neighbor_find(m, &link, &gateway, hop->there);
    memcpy(hop->here, link.mac, sizeof hop->here);
    hop->mtu = link.mtu_bytes;
    return err;
}
