/* The mover of an adapter: what it keeps, start and end. */
#include <stdlib.h>
#include "move_internal.h"

#define FORWARDS  16u /* on their way at a time */
#define TAG_BYTES 4u

struct moved *moved_by_handle(struct flue_mover *m, uint32_t handle)
{
    for (struct moved *c = m->moved; c != NULL; c = c->next)
        if (c->handle == handle)
            return c;
    return NULL;
}

struct moved *moved_by_conn(struct flue_mover *m, const struct flue_conn *conn)
{
    for (struct moved *c = m->moved; c != NULL; c = c->next)
        if (c->conn == conn)
            return c;
    return NULL;
}

void moved_drop(struct flue_mover *m, struct moved *c)
{
    struct moved **p = &m->moved;
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    flue_conn_close(c->conn);
    free(c);
}

/* One configuration record, changed; little-endian words. */
static enum flue_err config_change(struct flue_mover *m, uint32_t group, void *record, size_t bytes,
                                   void (*change)(uint32_t *words))
{
    struct flue_admin_done done;
    struct flue_sqe get = {.word0 = FLUE_OP_GET_CONFIG, .arg = {group}}, set = {.word0 = FLUE_OP_SET_CONFIG, .arg = {group}};
    enum flue_err err = flue_admin_call(m->admin, &get, record, bytes, &done);
    if (err != FLUE_OK || done.status != NDIS_STATUS_SUCCESS)
        return err != FLUE_OK ? err : FLUE_EDEVICE;
    change(record);
    err = flue_admin_call(m->admin, &set, record, bytes, &done);
    return err != FLUE_OK ? err : done.status == NDIS_STATUS_SUCCESS ? FLUE_OK : FLUE_ESTATE;
}

/* The kernel's timestamps count milliseconds. */
static void ticks_change(uint32_t *words)
{
    words[0] = htole32(MOVE_TICKS);
}

/* Linux's interfaces frame as IEEE 802.3 (TO-171: in force before anything is offloaded). */
static void framing_change(uint32_t *words)
{
    words[0] |= htole32(FLUE_CFG_SWITCHES_ENCAP_IPV4_MASK | FLUE_CFG_SWITCHES_ENCAP_IPV6_MASK);
}

enum flue_err flue_mover_open(struct flue_adapter *adapter, struct flue_port *port, const struct flue_mover_params *params,
                              struct flue_mover **out)
{
    if (out == NULL)
        return FLUE_EARG;
    *out = NULL;
    if (adapter == NULL || port == NULL || params == NULL)
        return FLUE_EARG;
    struct flue_admin *admin = flue_adapter_admin(adapter);
    if (admin == NULL || !flue_admin_runs(admin))
        return FLUE_ESTATE;
    struct flue_mover *m = calloc(1, sizeof *m);
    if (m == NULL)
        return FLUE_ENOMEM;
    m->adapter = adapter;
    m->port = port;
    m->admin = admin;
    m->params = *params;
    m->held_end = &m->held;
    struct flue_conns_params conns = {.ring_bytes = params->ring_bytes, .ctx = params->ctx, .event = params->event};
    struct flue_cfg_connection connection;
    struct flue_cfg_switches switches;
    struct flue_config caps;
    enum flue_err err = config_change(m, FLUE_CFG_CONNECTION, &connection, sizeof connection, ticks_change);
    if (err == FLUE_OK)
        err = config_change(m, FLUE_CFG_SWITCHES, &switches, sizeof switches, framing_change);
    if (err == FLUE_OK)
        err = flue_mem_alloc(adapter, MOVE_TREE_BYTES, FLUE_ACCESS_READ_WRITE, &m->tree);
    if (err == FLUE_OK)
        err = flue_conns_start(adapter, &conns, &m->conns);
    flue_config_caps(adapter, &caps);
    struct flue_forward_params forward = {
        .frames = FORWARDS, .frame_bytes = caps.max_frame_bytes + TAG_BYTES, .ctx = m, .done = move_forwarded};
    if (err == FLUE_OK)
        err = flue_forward_start(adapter, &forward, &m->forward);
    if (err != FLUE_OK) {
        flue_mover_close(m);
        return err;
    }
    *out = m;
    return FLUE_OK;
}

void flue_mover_close(struct flue_mover *m)
{
    if (m == NULL)
        return;
    move_held_flush(m, false);
    while (m->moved != NULL)
        moved_drop(m, m->moved);
    while (m->routes != NULL) {
        struct route *r = m->routes;
        m->routes = r->next;
        free(r);
    }
    flue_forward_stop(m->forward);
    flue_conns_stop(m->conns);
    if (m->tree.addr != NULL && flue_mem_free(m->adapter, &m->tree) != FLUE_OK)
        m->tree.addr = NULL;
    free(m);
}
