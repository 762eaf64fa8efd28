/* Commands and small trees of the admin queue; neighbors and paths. */
#include "host_internal.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "flue/ndis/status.h"
#include "flue/ndis/types.h"

enum { MTU_DEFAULT = 1500 };

enum flue_err host_command(struct flue_sim_host *h, const struct flue_sqe *sqe, const char *what, struct flue_admin_done *done)
{
    enum flue_err err = flue_admin_call(h->admin, sqe, NULL, 0, done);
    if (err != FLUE_OK)
        return host_fail(h, err, "%s", what);
    if (done->status != (uint32_t)NDIS_STATUS_SUCCESS)
        return host_fail(h, FLUE_ESTATE, "%s: %s, detail %u", what, flue_ndis_status_name((NDIS_STATUS)done->status),
                         (unsigned)done->detail);
    return FLUE_OK;
}

static uint32_t tree_write(uint32_t *w, const struct host_node *node, unsigned count)
{
    uint32_t at = (uint32_t)(sizeof(struct flue_tree_header) + count * sizeof(struct flue_tree_node)), bytes = at;
    uint32_t *n = w + sizeof(struct flue_tree_header) / 4;

    memset(w, 0, HOST_TREE_BYTES);
    for (unsigned i = 0; i < count; i++)
        bytes += node[i].words * 4;
    w[0] = htole32(FLUE_TREE_MAGIC);
    w[1] = htole32(FLUE_TREE_VERSION);
    w[2] = htole32(count);
    w[3] = htole32(bytes);
    for (unsigned i = 0; i < count; i++, n += sizeof(struct flue_tree_node) / 4) {
        bool with = node[i].words > 0;
        n[0] = htole32(node[i].kind | node[i].depth << FLUE_TREE_NODE_DEPTH_SHIFT |
                       node[i].type << FLUE_TREE_NODE_STATE_TYPE_SHIFT | (with ? 1u << FLUE_TREE_NODE_REVISION_SHIFT : 0));
        n[1] = htole32(with ? at : 0);
        n[2] = htole32(node[i].words * 4);
        n[5] = htole32(node[i].handle);
        for (unsigned k = 0; k < node[i].words; k++)
            w[at / 4 + k] = htole32(node[i].state[k]);
        at += node[i].words * 4;
    }
    return bytes;
}

enum flue_err host_tree(struct flue_sim_host *h, uint32_t opcode, struct host_node *node, unsigned count, const char *what)
{
    uint32_t *w = h->tree.addr, *n;
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = opcode, .word1 = h->tree.region};

    sqe.length = tree_write(w, node, count);
    enum flue_err err = host_command(h, &sqe, what, &done);
    if (err != FLUE_OK)
        return err;
    for (unsigned i = count; i-- > 0;) { /* the deepest one that was refused says why: those above only follow */
        n = w + (sizeof(struct flue_tree_header) + i * sizeof(struct flue_tree_node)) / 4;
        if (le32toh(n[6]) != (uint32_t)NDIS_STATUS_SUCCESS)
            return host_fail(h, FLUE_ESTATE, "%s, node %u: %s, detail %u", what, i,
                             flue_ndis_status_name((NDIS_STATUS)le32toh(n[6])),
                             (unsigned)(le32toh(n[7]) & FLUE_TREE_NODE_DETAIL_MASK));
        node[i].handle = le32toh(n[5]);
        for (unsigned k = 0; k < node[i].words; k++)
            node[i].state[k] = le32toh(w[le32toh(n[1]) / 4 + k]);
    }
    return FLUE_OK;
}

static uint32_t word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool same_route(const struct flue_sim_ends *a, const struct flue_sim_ends *b)
{
    size_t address = a->ipv6 ? 16 : 4;
    return a->ipv6 == b->ipv6 && a->path_mtu == b->path_mtu && memcmp(a->mac_adapter, b->mac_adapter, 6) == 0 &&
           memcmp(a->mac_peer, b->mac_peer, 6) == 0 && memcmp(a->ip_adapter, b->ip_adapter, address) == 0 &&
           memcmp(a->ip_peer, b->ip_peer, address) == 0;
}

enum flue_err host_route(struct flue_sim_host *h, const struct flue_sim_ends *ends, struct host_route **out)
{
    for (struct host_route *r = h->routes; r != NULL; r = r->next)
        if (same_route(&r->ends, ends)) {
            *out = r;
            return FLUE_OK;
        }
    uint32_t neighbor[HOST_NEIGHBOR_WORDS] = {
        word(ends->mac_adapter), (uint32_t)ends->mac_adapter[4] | (uint32_t)ends->mac_adapter[5] << 8, word(ends->mac_peer),
        (uint32_t)ends->mac_peer[4] | (uint32_t)ends->mac_peer[5] << 8};
    uint32_t path[HOST_PATH_WORDS] = {[8] = ends->path_mtu != 0 ? ends->path_mtu : MTU_DEFAULT};
    for (unsigned i = 0; i < (ends->ipv6 ? 4u : 1u); i++) {
        path[i] = word(ends->ip_adapter + 4 * i);
        path[4 + i] = word(ends->ip_peer + 4 * i);
    }
    struct host_node node[2] = {
        {.kind = FLUE_NODE_NEW, .type = NeighborOffloadState, .state = neighbor, .words = HOST_NEIGHBOR_WORDS},
        {.kind = FLUE_NODE_NEW,
         .depth = 1,
         .type = ends->ipv6 ? Ip6OffloadState : Ip4OffloadState,
         .state = path,
         .words = HOST_PATH_WORDS}};
    enum flue_err err = host_tree(h, FLUE_OP_INITIATE, node, 2, "neighbor and path");
    if (err != FLUE_OK)
        return err;
    struct host_route *r = malloc(sizeof *r);
    if (r == NULL)
        return host_fail(h, FLUE_ENOMEM, "neighbor and path");
    *r = (struct host_route){.next = h->routes, .ends = *ends, .neighbor = node[0].handle, .path = node[1].handle};
    h->routes = r;
    *out = r;
    return FLUE_OK;
}
