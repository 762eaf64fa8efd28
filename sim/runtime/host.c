/* A host for the simulated adapter: driver, firmware, packets each way. */
#include "host_internal.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flue/ndis/status.h"
#include "flue/sim_peer.h"
#include "rng.h"
#include "runtime.h"

enum { TICKS = 1000, POLL_BUDGET = 1000, FRAME_ALIGN = 64 };

#define RING_BYTES_DEFAULT ((size_t)4 << 20)

/* The sentence of whoever noticed it; null: the code's name says enough. */
static const char *reason_of(const struct flue_sim_host *h, enum flue_err err)
{
    if (err == FLUE_EMONITOR)
        return flue_sim_violation(h->sim);
    if ((err == FLUE_EPEER || err == FLUE_ETIMEOUT) && h->sim->peer != NULL && flue_sim_peer_error(h->sim->peer)[0] != 0)
        return flue_sim_peer_error(h->sim->peer);
    if (err == FLUE_EDEVICE && h->adapter != NULL)
        return flue_adapter_fault(h->adapter);
    return err == FLUE_EIO ? strerror(errno) : NULL;
}

enum flue_err host_fail(struct flue_sim_host *h, enum flue_err err, const char *format, ...)
{
    const char *why = reason_of(h, err);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(h->error, sizeof h->error, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof h->error && err != FLUE_ESTATE && err != FLUE_EARG)
        snprintf(h->error + n, sizeof h->error - (size_t)n, ": %s", why != NULL ? why : flue_err_name(err));
    return err;
}

const char *flue_sim_host_error(const struct flue_sim_host *h)
{
    return h->error;
}

struct flue_adapter *flue_sim_host_adapter(struct flue_sim_host *h)
{
    return h->adapter;
}

/* ---- packets
 * ----------------------------------------------------------------------------------------------------------------- */

static void on_tx_done(void *ctx, const struct flue_tx_done *done)
{
    struct flue_sim_host *h = ctx;
    h->tx_busy[(uintptr_t)done->cookie - 1] = false;
}

static void on_rx_done(void *ctx, const struct flue_rx_done *done)
{
    struct flue_sim_host *h = ctx;
    uintptr_t slot = (uintptr_t)done->cookie - 1;
    h->rx_given[slot] = false;
    if (done->status == FLUE_ST_OK && h->params.received != NULL)
        h->params.received(h->params.ctx, (const uint8_t *)h->rx.addr + slot * h->frame_bytes, done);
}

static enum flue_err refill(struct flue_sim_host *h)
{
    for (unsigned i = 0; i < HOST_BUFFERS; i++) {
        struct flue_frag buffer = {h->rx.region, i * h->frame_bytes, h->frame_bytes};
        if (h->rx_given[i])
            continue;
        enum flue_err err = flue_rx_put(h->adapter, &buffer, (void *)(uintptr_t)(i + 1));
        if (err != FLUE_OK)
            return err;
        h->rx_given[i] = true;
    }
    return flue_rx_kick(h->adapter);
}

static enum flue_err serve(struct flue_sim_host *h)
{
    unsigned handled;
    enum flue_err err = flue_poll(h->adapter, POLL_BUDGET, &handled);
    if (err == FLUE_OK && h->own)
        err = refill(h);
    return err;
}

enum flue_err flue_sim_host_send(struct flue_sim_host *h, const uint8_t *frame, size_t len_bytes)
{
    unsigned slot = 0;
    if (h == NULL || frame == NULL)
        return FLUE_EARG;
    if (!h->own)
        return host_fail(h, FLUE_ESTATE, "send: the adapter is the caller's");
    if (len_bytes == 0 || len_bytes > h->frame_bytes)
        return host_fail(h, FLUE_EARG, "send: a frame of %zu bytes, the largest is %u", len_bytes, h->frame_bytes);
    while (slot < HOST_BUFFERS && h->tx_busy[slot])
        slot++;
    if (slot == HOST_BUFFERS)
        return host_fail(h, FLUE_EAGAIN, "send");
    memcpy((uint8_t *)h->tx.addr + (size_t)slot * h->frame_bytes, frame, len_bytes);
    struct flue_frag frag = {h->tx.region, slot * h->frame_bytes, (uint32_t)len_bytes};
    struct flue_tx_packet packet = {.frags = &frag, .frag_count = 1, .cookie = (void *)(uintptr_t)(slot + 1)};
    enum flue_err err = flue_tx_put(h->adapter, &packet);
    if (err == FLUE_OK) {
        h->tx_busy[slot] = true;
        err = flue_tx_kick(h->adapter);
    }
    return err == FLUE_OK ? err : host_fail(h, err, "send");
}

enum flue_err flue_sim_host_run(struct flue_sim_host *h, uint64_t duration_us, unsigned until, enum flue_sim_why *why)
{
    if (h == NULL || why == NULL)
        return FLUE_EARG;
    uint64_t end = flue_sim_time_us(h->sim) + duration_us;
    for (;;) {
        uint64_t now = flue_sim_time_us(h->sim);
        enum flue_err err = flue_sim_advance(h->sim, end > now ? end - now : 0, until | FLUE_SIM_UNTIL_IRQ, why);
        if (err == FLUE_OK)
            err = serve(h);
        if (err != FLUE_OK)
            return host_fail(h, err, "run");
        if (*why != FLUE_SIM_IRQ)
            return FLUE_OK;
    }
}

/* ---- life
 * -------------------------------------------------------------------------------------------------------------------- */

/* One configuration record, changed; little-endian words. */
static enum flue_err config_change(struct flue_sim_host *h, uint32_t group, void *record, size_t bytes, uint32_t clear,
                                   uint32_t set)
{
    struct flue_admin_done done;
    struct flue_sqe get = {.word0 = FLUE_OP_GET_CONFIG, .arg = {group}}, put = {.word0 = FLUE_OP_SET_CONFIG, .arg = {group}};
    uint32_t *word0 = record;
    enum flue_err err = flue_admin_call(h->admin, &get, record, bytes, &done);
    if (err == FLUE_OK && done.status == (uint32_t)NDIS_STATUS_SUCCESS) {
        *word0 = (*word0 & htole32(~clear)) | htole32(set);
        err = flue_admin_call(h->admin, &put, record, bytes, &done);
    }
    if (err != FLUE_OK)
        return host_fail(h, err, "configuration group %u", group);
    if (done.status != (uint32_t)NDIS_STATUS_SUCCESS)
        return host_fail(h, FLUE_ESTATE, "configuration group %u: %s", group, flue_ndis_status_name((NDIS_STATUS)done.status));
    return FLUE_OK;
}

static enum flue_err configure(struct flue_sim_host *h)
{
    struct flue_cfg_connection connection;
    struct flue_cfg_switches switches;
    enum flue_err err = config_change(h, FLUE_CFG_CONNECTION, &connection, sizeof connection, UINT32_MAX, TICKS);
    if (err != FLUE_OK)
        return err;
    return config_change(h, FLUE_CFG_SWITCHES, &switches, sizeof switches, 0,
                         FLUE_CFG_SWITCHES_IPV4_MASK | FLUE_CFG_SWITCHES_IPV6_MASK | FLUE_CFG_SWITCHES_ENCAP_IPV4_MASK |
                             FLUE_CFG_SWITCHES_ENCAP_IPV6_MASK);
}

static enum flue_err adapter_begin(struct flue_sim_host *h)
{
    struct flue_handlers handlers = {.ctx = h, .tx_done = on_tx_done, .rx_done = on_rx_done};
    struct flue_admin_params admin = {.log2_commands = 4};
    struct flue_rng rng;
    flue_rng_init(&rng, flue_sim_seed(h->sim), "host");
    for (unsigned i = 0; i < 4; i++)
        admin.seed[i] = (uint32_t)flue_rng_next(&rng) | 1;
    enum flue_err err = flue_adapter_open(flue_sim_link(h->sim), NULL, &handlers, &h->adapter);
    if (err != FLUE_OK)
        return err;
    h->frame_bytes = (flue_adapter_identity(h->adapter)->max_frame_bytes + FRAME_ALIGN - 1) / FRAME_ALIGN * FRAME_ALIGN;
    err = flue_mem_alloc(h->adapter, (size_t)HOST_BUFFERS * h->frame_bytes, FLUE_ACCESS_READ, &h->tx);
    if (err == FLUE_OK)
        err = flue_mem_alloc(h->adapter, (size_t)HOST_BUFFERS * h->frame_bytes, FLUE_ACCESS_READ_WRITE, &h->rx);
    if (err == FLUE_OK)
        err = flue_encap_set(h->adapter, FLUE_ENCAP_ON, FLUE_ENCAP_ON);
    if (err == FLUE_OK)
        err = refill(h);
    if (err == FLUE_OK)
        err = flue_admin_start(h->adapter, &admin, NULL, &h->admin);
    return err;
}

enum flue_err flue_sim_host_open(struct flue_sim *sim, const struct flue_sim_host_params *params, struct flue_sim_host **out)
{
    if (out == NULL)
        return FLUE_EARG;
    *out = NULL;
    if (sim == NULL)
        return FLUE_EARG;
    struct flue_sim_host *h = calloc(1, sizeof *h);
    if (h == NULL)
        return FLUE_ENOMEM;
    h->sim = sim;
    if (params != NULL)
        h->params = *params;
    h->own = h->params.adapter == NULL;
    h->adapter = h->params.adapter;
    struct flue_conns_params conns = {.ring_bytes = h->params.ring_bytes != 0 ? h->params.ring_bytes : RING_BYTES_DEFAULT,
                                      .ctx = h->params.ctx,
                                      .event = h->params.event};
    enum flue_err err = h->own ? adapter_begin(h) : FLUE_OK;
    if (err == FLUE_OK && !h->own)
        h->admin = flue_adapter_admin(h->adapter);
    if (err == FLUE_OK && (h->admin == NULL || !flue_admin_runs(h->admin)))
        err = FLUE_ESTATE;
    if (err == FLUE_OK)
        err = configure(h);
    if (err == FLUE_OK)
        err = flue_mem_alloc(h->adapter, HOST_TREE_BYTES, FLUE_ACCESS_READ_WRITE, &h->tree);
    if (err == FLUE_OK)
        err = flue_conns_start(h->adapter, &conns, &h->conns);
    if (err != FLUE_OK) {
        flue_sim_error("host: %s", h->error[0] != 0 ? h->error : flue_err_name(err));
        flue_sim_host_close(h);
        return err;
    }
    *out = h;
    return FLUE_OK;
}

void flue_sim_host_close(struct flue_sim_host *h)
{
    if (h == NULL)
        return;
    while (h->list != NULL)
        flue_sim_conn_close(h->list);
    flue_conns_stop(h->conns);
    if (h->tree.addr != NULL)
        (void)!flue_mem_free(h->adapter, &h->tree);
    while (h->routes != NULL) {
        struct host_route *r = h->routes;
        h->routes = r->next;
        free(r);
    }
    if (h->own)
        flue_adapter_close(h->adapter);
    free(h);
}
