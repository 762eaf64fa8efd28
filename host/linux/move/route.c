/* The neighbor and the path of a pair of addresses in the adapter: made once, kept equal to what the kernel says. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "move_internal.h"

enum { WORDS_NEIGHBOR = 6, WORDS_NEIGHBOR_CACHED = 3, WORDS_PATH = 9, WORDS_PATH_CACHED = 1 };

bool move_address_of(const struct sockaddr_storage *a, uint8_t bytes[16], uint16_t *port)
{
    memset(bytes, 0, 16);
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)a;
        memcpy(bytes, &in->sin_addr, 4);
        *port = ntohs(in->sin_port);
        return false;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
    memcpy(bytes, (const uint8_t *)&in6->sin6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
    *port = ntohs(in6->sin6_port);
    return !mapped;
}

static uint32_t word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint32_t half_word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static enum flue_err route_make(struct flue_mover *m, struct route *r)
{
    const struct hop *hop = &r->hop;
    uint32_t neighbor[WORDS_NEIGHBOR] = {word(hop->here), half_word(hop->here + 4), word(hop->there),
                                         half_word(hop->there + 4)};
    uint32_t path[WORDS_PATH] = {0};
    for (unsigned i = 0; i < 4; i++) {
        path[i] = word(r->local + 4 * i);
        path[4 + i] = word(r->remote + 4 * i);
    }
    path[8] = hop->mtu;
    struct node node[2] = {
        {.kind = FLUE_NODE_NEW, .type = NeighborOffloadState, .state = neighbor, .words = WORDS_NEIGHBOR},
        {.kind = FLUE_NODE_NEW,
         .depth = 1,
         .type = r->ipv6 ? Ip6OffloadState : Ip4OffloadState,
         .state = path,
         .words = WORDS_PATH},
    };
    enum flue_err err = move_tree_run(m, FLUE_OP_INITIATE, node, 2, "neighbor and path");
    r->neighbor = node[0].handle;
    r->path = node[1].handle;
    return err;
}

/* The peer is reached in another way than when the route was made: connections that are in the adapter follow. */
static enum flue_err route_update(struct flue_mover *m, struct route *r, const struct hop *hop)
{
    uint32_t neighbor[WORDS_NEIGHBOR_CACHED] = {word(hop->there), half_word(hop->there + 4)};
    uint32_t path[WORDS_PATH_CACHED] = {hop->mtu};
    struct node node[2] = {
        {.kind = FLUE_NODE_REFERENCE,
         .type = NeighborOffloadCachedState,
         .handle = r->neighbor,
         .state = neighbor,
         .words = WORDS_NEIGHBOR_CACHED},
        {.kind = FLUE_NODE_REFERENCE,
         .depth = 1,
         .type = r->ipv6 ? Ip6OffloadCachedState : Ip4OffloadCachedState,
         .handle = r->path,
         .state = path,
         .words = WORDS_PATH_CACHED},
    };
    if (memcmp(hop->here, r->hop.here, sizeof hop->here) != 0)
        return move_fail(m, FLUE_ESTATE, "the interface has another MAC address than when the first connection moved");
    enum flue_err err = move_tree_run(m, FLUE_OP_UPDATE, node, 2, "new neighbor");
    if (err == FLUE_OK)
        r->hop = *hop;
    return err;
}

enum flue_err move_route_of(struct flue_mover *m, const struct flue_tcp_state *s, struct route **out)
{
    struct route want = {0}, *r;
    uint16_t port;
    want.ipv6 = move_address_of(&s->local, want.local, &port);
    if (move_address_of(&s->remote, want.remote, &port) != want.ipv6)
        return move_fail(m, FLUE_ESTATE, "its two addresses are of different versions");
    enum flue_err err = move_hop_find(m, want.ipv6, want.local, want.remote, &want.hop);
    if (err != FLUE_OK && err != FLUE_EAGAIN)
        return err;
    for (r = m->routes; r != NULL; r = r->next)
        if (r->ipv6 == want.ipv6 && memcmp(r->local, want.local, 16) == 0 && memcmp(r->remote, want.remote, 16) == 0)
            break;
    if (err == FLUE_EAGAIN && r == NULL)
        return FLUE_ESTATE;
    if (r != NULL) {
        *out = r;
        if (err ==
            FLUE_EAGAIN) /* a neighbor the kernel has to find again is still where it was, until the kernel knows better */
            return FLUE_OK;
        return memcmp(&r->hop, &want.hop, sizeof want.hop) == 0 ? FLUE_OK : route_update(m, r, &want.hop);
    }
    err = route_make(m, &want);
    if (err != FLUE_OK)
        return err;
    r = malloc(sizeof *r);
    if (r == NULL)
        return move_fail(m, FLUE_ENOMEM, "no memory");
    *r = want;
    r->next = m->routes;
    m->routes = r;
    *out = r;
    return FLUE_OK;
}
