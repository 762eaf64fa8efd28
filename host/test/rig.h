/*
 * An open adapter over the mock, with handlers that count what comes back.  Shared by the tests of the core and their fuzz
 * target.
 */
#ifndef FLUE_TEST_RIG_H
#define FLUE_TEST_RIG_H

#include <stdlib.h>
#include <string.h>
#include "mock.h"

#define RIG_COOKIES 4096u

struct rig {
    struct mock m;
    struct flue_adapter *a;
    struct flue_mem mem;           /* 64 KB, adapter may write */
    unsigned tx_back[RIG_COOKIES]; /* times a cookie came back */
    unsigned rx_back[RIG_COOKIES];
    unsigned tx_total, rx_total, errors, configs;
    struct flue_tx_done tx; /* the last one */
    struct flue_rx_done rx;
    uint8_t error_code;
    unsigned markers;
    uint32_t marker_handle, marker_number; /* of the last one */
    void (*inside)(struct rig *rig);       /* called from the transmit handler */
};

static inline void *rig_cookie(unsigned n)
{
    return (void *)(uintptr_t)(n + 1);
}

static inline unsigned rig_number(const void *cookie)
{
    return (unsigned)(uintptr_t)cookie - 1;
}

static inline void rig_tx_done(void *ctx, const struct flue_tx_done *done)
{
    struct rig *r = ctx;
    r->tx_back[rig_number(done->cookie) % RIG_COOKIES]++;
    r->tx_total++;
    r->tx = *done;
    if (r->inside != NULL)
        r->inside(r);
}

static inline void rig_rx_done(void *ctx, const struct flue_rx_done *done)
{
    struct rig *r = ctx;
    r->rx_back[rig_number(done->cookie) % RIG_COOKIES]++;
    r->rx_total++;
    r->rx = *done;
}

static inline void rig_queue_error(void *ctx, enum flue_queue_id queue, uint8_t code)
{
    struct rig *r = ctx;
    (void)queue;
    r->errors++;
    r->error_code = code;
}

static inline void rig_config_changed(void *ctx, const struct flue_config *now)
{
    struct rig *r = ctx;
    (void)now;
    r->configs++;
}

static inline void rig_marker(void *ctx, uint32_t conn_handle, uint32_t number)
{
    struct rig *r = ctx;
    r->markers++;
    r->marker_handle = conn_handle;
    r->marker_number = number;
}

static inline struct flue_handlers rig_handlers(struct rig *r)
{
    return (struct flue_handlers){r, rig_tx_done, rig_rx_done, rig_queue_error, rig_config_changed, rig_marker};
}

/* Fresh rig with rings of 2^tx and 2^rx slots; the result of the open. */
static inline enum flue_err rig_open(struct rig *r, uint8_t tx_log2, uint8_t rx_log2)
{
    struct flue_open_params params = {.txq_log2_slots = tx_log2, .rxq_log2_slots = rx_log2, .limit_us = 10000};
    struct flue_handlers handlers = rig_handlers(r);

    memset(r, 0, sizeof *r);
    mock_init(&r->m);
    enum flue_err err = flue_adapter_open(&r->m.link, &params, &handlers, &r->a);
    if (err == FLUE_OK)
        err = flue_mem_alloc(r->a, 65536, FLUE_ACCESS_READ_WRITE, &r->mem);
    return err;
}

static inline enum flue_err rig_put(struct rig *r, unsigned cookie, uint32_t lso)
{
    struct flue_frag frag = {.region = r->mem.region, .offset = 64, .len_bytes = 1000};
    struct flue_tx_packet packet = {.frags = &frag, .frag_count = 1, .lso = lso, .cookie = rig_cookie(cookie)};
    return flue_tx_put(r->a, &packet);
}

static inline enum flue_err rig_rx_put(struct rig *r, unsigned cookie)
{
    struct flue_frag frag = {.region = r->mem.region, .offset = 2048, .len_bytes = 1600};
    return flue_rx_put(r->a, &frag, rig_cookie(cookie));
}

#endif
