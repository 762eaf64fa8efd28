/*
 * Life of an adapter: identify, open, drain, reset, recover, close.
 */
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define TXQ_LOG2_DEFAULT 10u
#define RXQ_LOG2_DEFAULT 9u
#define LOG2_MIN         3u
#define LOG2_MAX         15u
#define LIMIT_US_DEFAULT 1000000u
#define WAIT_STEP_US     250u
#define RING_ALIGN_BYTES 64u
#define EVENTS_SPARE     8u /* queue errors, drains: events that answer no packet */

enum flue_err flue_identify(struct flue_link *link, struct flue_identity *id)
{
    uint32_t version, build, frame;

    if (link == NULL || id == NULL)
        return FLUE_EARG;
    *id = (struct flue_identity){.want_major = FLUE_CONTRACT_MAJOR, .want_minor = FLUE_CONTRACT_MINOR};
    TRY(link->ops->read32(link, FLUE_REG_ID, &id->magic));
    if (id->magic != FLUE_ID_DEFAULT)
        return FLUE_EDEVICE;
    TRY(link->ops->read32(link, FLUE_REG_VERSION, &version));
    id->major = (uint16_t)FLUE_GET(VERSION_MAJOR, version);
    id->minor = (uint16_t)FLUE_GET(VERSION_MINOR, version);
    if (id->major != id->want_major || id->minor < id->want_minor)
        return FLUE_EVERSION;

    TRY(link->ops->read32(link, FLUE_REG_BUILD, &build));
    TRY(link->ops->read32(link, FLUE_REG_BUILD_FRAME, &frame));
    TRY(link->ops->read32(link, FLUE_REG_CAPS, &id->caps));
    id->width_bits = 8u << FLUE_GET(BUILD_LOG2_BYTES, build);
    id->region_count = FLUE_GET(BUILD_REGIONS, build);
    id->faults = FLUE_GET(BUILD_FAULTS, build) != 0;
    id->max_frame_bytes = FLUE_GET(BUILD_FRAME_MAX_FRAME, frame);
    return id->region_count == 0 || id->region_count > FLUE_REGION_MAX ? FLUE_EDEVICE : FLUE_OK;
}

enum flue_err adapter_distrust(struct flue_adapter *a, const char *rule)
{
    a->state = ADAPTER_BROKEN;
    a->fault = rule;
    (void)reg_write(a, FLUE_REG_CTRL, 0); /* best effort: it may not listen either */
    if (a->admin != NULL)
        (void)reg_write(a, FLUE_REG_FW_CTRL, FLUE_FW_CTRL_COLD_MASK);
    return FLUE_EDEVICE;
}

enum flue_err adapter_usable(const struct flue_adapter *a)
{
    switch (a->state) {
    case ADAPTER_RUNS:
        return FLUE_OK;
    case ADAPTER_DRAINED:
        return FLUE_ESTATE;
    case ADAPTER_BROKEN:
        break;
    }
    return FLUE_EDEVICE;
}

static enum flue_err events_take_all(struct flue_adapter *a)
{
    unsigned handled = 0;
    if (a->eq.entry == NULL)
        return FLUE_OK;
    /* At most a whole ring is new at a time; more than that is for the next call. */
    TRY(admin_take(a, a->eq.size, &handled));
    return events_take(a, a->eq.size, &handled);
}

enum flue_err adapter_wait(struct flue_adapter *a, uint32_t reg, uint32_t mask, uint32_t want)
{
    for (uint32_t step = 0; step <= a->params.limit_us / WAIT_STEP_US; step++) {
        uint32_t value;
        TRY(reg_read(a, reg, &value));
        if ((value & mask) == want)
            return FLUE_OK;
        TRY(causes_take(a));
        TRY(events_take_all(a));
        TRY(a->link->ops->wait(a->link, WAIT_STEP_US));
    }
    return FLUE_ETIMEOUT;
}

/* ---- rings ------------------------------------------------------------------------------------------------------- */

static uint32_t ring_cfg(const struct flue_adapter *a, const struct ring *ring, bool enable)
{
    return FLUE_PUT(TXQ_CFG_REGION, a->ring_region) | FLUE_PUT(TXQ_CFG_LOG2_SLOTS, ring->log2_slots) |
           FLUE_PUT(TXQ_CFG_ENABLE, enable);
}

static void ring_forget(struct ring *ring)
{
    ring->head = ring->tail = ring->told = 0;
    ring->stopped = false;
}

/* A disabled queue that is not busy has head 0; the driver's index must be 0 too before it is enabled (registers.md). */
static enum flue_err queue_start(struct flue_adapter *a, const struct ring *ring, uint32_t base, uint32_t cfg, uint32_t index)
{
    TRY(reg_write(a, cfg, 0));
    TRY(reg_write(a, base, ring->offset));
    TRY(reg_write(a, index, 0));
    return reg_write(a, cfg, ring_cfg(a, ring, true));
}

static enum flue_err tx_start(struct flue_adapter *a)
{
    return queue_start(a, &a->tx, FLUE_REG_TXQ_BASE, FLUE_REG_TXQ_CFG, FLUE_REG_TXQ_TAIL);
}

static enum flue_err rx_start(struct flue_adapter *a)
{
    return queue_start(a, &a->rx, FLUE_REG_RXQ_BASE, FLUE_REG_RXQ_CFG, FLUE_REG_RXQ_TAIL);
}

/* Stop a queue: after it nothing of the queue is in the adapter.  What it finished has come back, the rest comes now. */
static enum flue_err tx_stop(struct flue_adapter *a)
{
    TRY(reg_write(a, FLUE_REG_TXQ_CFG, ring_cfg(a, &a->tx, false)));
    TRY(adapter_wait(a, FLUE_REG_STATUS, FLUE_STATUS_TX_BUSY_MASK, 0));
    TRY(events_take_all(a));
    a->tx.stopped = true; /* handlers of what comes back cannot put */
    tx_abort_all(a);
    ring_forget(&a->tx);
    return FLUE_OK;
}

static enum flue_err rx_stop(struct flue_adapter *a)
{
    TRY(reg_write(a, FLUE_REG_RXQ_CFG, ring_cfg(a, &a->rx, false)));
    TRY(adapter_wait(a, FLUE_REG_STATUS, FLUE_STATUS_RX_BUSY_MASK, 0));
    TRY(events_take_all(a));
    a->rx.stopped = true;
    rx_abort_all(a);
    ring_forget(&a->rx);
    return FLUE_OK;
}

/* Everything a function reset forgets. */
static enum flue_err adapter_program(struct flue_adapter *a)
{
    memset(a->eq.entry, 0, a->eq.size * sizeof *a->eq.entry); /* phase 0: nothing posted */
    ring_forget(&a->eq);
    ring_forget(&a->tx);
    ring_forget(&a->rx);
    a->tx_first = a->tx_count = 0;
    TRY(queue_start(a, &a->eq, FLUE_REG_EQ_BASE, FLUE_REG_EQ_CFG, FLUE_REG_EQ_HEAD));
    TRY(tx_start(a));
    TRY(rx_start(a));
    TRY(reg_write(a, FLUE_REG_IRQ_MOD,
                  FLUE_PUT(IRQ_MOD_DISTANCE_US, a->params.irq_distance_us) | FLUE_PUT(IRQ_MOD_EVENTS, a->params.irq_events)));
    TRY(reg_write(a, FLUE_REG_IRQ_MASK,
                  FLUE_IRQ_MASK_EVENT_POSTED_MASK | FLUE_IRQ_MASK_ERROR_MASK | FLUE_IRQ_MASK_DRAINED_MASK |
                      FLUE_IRQ_MASK_ADMIN_MASK | FLUE_IRQ_MASK_FIRMWARE_MASK));
    TRY(config_write(a));
    return reg_write(a, FLUE_REG_CTRL, FLUE_CTRL_ENABLE_MASK);
}

static enum flue_err function_reset(struct flue_adapter *a)
{
    TRY(reg_write(a, FLUE_REG_CTRL, FLUE_CTRL_RESET_MASK));
    return adapter_wait(a, FLUE_REG_STATUS, FLUE_STATUS_RESET_BUSY_MASK, 0);
}

/* ---- open and close ---------------------------------------------------------------------------------------------- */

static unsigned log2_at_least(unsigned n)
{
    unsigned log2 = LOG2_MIN;
    while (log2 < LOG2_MAX && (1u << log2) < n)
        log2++;
    return log2;
}

static void ring_place(struct ring *ring, unsigned log2_slots, size_t *at)
{
    *ring = (struct ring){.size = (uint16_t)(1u << log2_slots), .log2_slots = (uint8_t)log2_slots, .offset = (uint32_t)*at};
    *at += ((size_t)ring->size * sizeof(struct ring_entry) + RING_ALIGN_BYTES - 1) / RING_ALIGN_BYTES * RING_ALIGN_BYTES;
}

static enum flue_err rings_alloc(struct flue_adapter *a)
{
    struct flue_mem mem;
    size_t bytes = 0;
    unsigned tx_slots = 1u << a->params.txq_log2_slots;
    unsigned rx_slots = 1u << a->params.rxq_log2_slots;

    ring_place(&a->tx, a->params.txq_log2_slots, &bytes);
    ring_place(&a->rx, a->params.rxq_log2_slots, &bytes);
    /* A packet takes at least two slots, so this has room for every completion at once (up to the largest ring). */
    ring_place(&a->eq, log2_at_least(tx_slots / 2 + rx_slots + EVENTS_SPARE), &bytes);
    a->tx_pending = calloc(tx_slots, sizeof *a->tx_pending);
    a->rx_pending = calloc(rx_slots, sizeof *a->rx_pending);
    if (a->tx_pending == NULL || a->rx_pending == NULL)
        return FLUE_ENOMEM;

    TRY(flue_mem_alloc(a, bytes, FLUE_ACCESS_READ_WRITE, &mem));
    a->ring_region = mem.region;
    a->tx.entry = (struct ring_entry *)((uint8_t *)mem.addr + a->tx.offset);
    a->rx.entry = (struct ring_entry *)((uint8_t *)mem.addr + a->rx.offset);
    a->eq.entry = (struct ring_entry *)((uint8_t *)mem.addr + a->eq.offset);
    return FLUE_OK;
}

static bool params_fill(struct flue_open_params *p)
{
    if (p->txq_log2_slots == 0)
        p->txq_log2_slots = TXQ_LOG2_DEFAULT;
    if (p->rxq_log2_slots == 0)
        p->rxq_log2_slots = RXQ_LOG2_DEFAULT;
    if (p->limit_us == 0)
        p->limit_us = LIMIT_US_DEFAULT;
    return p->txq_log2_slots >= LOG2_MIN && p->txq_log2_slots <= LOG2_MAX && p->rxq_log2_slots >= LOG2_MIN &&
           p->rxq_log2_slots <= LOG2_MAX;
}

static void adapter_free(struct flue_adapter *a)
{
    mem_release_all(a);
    free(a->rx_pending);
    free(a->tx_pending);
    free(a);
}

enum flue_err flue_adapter_open(struct flue_link *link, const struct flue_open_params *params,
                                const struct flue_handlers *handlers, struct flue_adapter **adapter)
{
    struct flue_open_params filled = params != NULL ? *params : (struct flue_open_params){0};
    struct flue_identity identity;
    enum flue_err err;

    if (adapter == NULL)
        return FLUE_EARG;
    *adapter = NULL;
    if (link == NULL || !params_fill(&filled))
        return FLUE_EARG;
    TRY(flue_identify(link, &identity));

    struct flue_adapter *a = calloc(1, sizeof *a);
    if (a == NULL)
        return FLUE_ENOMEM;
    a->link = link;
    a->params = filled;
    a->identity = identity;
    a->state = ADAPTER_DRAINED;
    a->draining = true;
    if (handlers != NULL)
        a->handlers = *handlers;
    config_defaults(a);

    err = function_reset(a);
    for (unsigned region = 0; err == FLUE_OK && region < identity.region_count; region++)
        err = reg_write(a, FLUE_REG_REGION + region * FLUE_REGION_STRIDE + FLUE_REGION_FLAGS, 0);
    if (err == FLUE_OK)
        err = rings_alloc(a);
    if (err == FLUE_OK)
        err = adapter_program(a);
    if (err != FLUE_OK) {
        adapter_free(a);
        return err;
    }
    a->state = ADAPTER_RUNS;
    a->draining = false;
    *adapter = a;
    return FLUE_OK;
}

void flue_adapter_close(struct flue_adapter *a)
{
    if (a == NULL)
        return;
    if (a->state == ADAPTER_RUNS && flue_adapter_drain(a) != FLUE_OK)
        a->state = ADAPTER_BROKEN; /* it loses its memory below all the same */
    flue_admin_stop(a->admin);
    (void)reg_write(a, FLUE_REG_CTRL, 0);
    a->state = ADAPTER_BROKEN; /* handlers cannot put any more */
    tx_abort_all(a);
    rx_abort_all(a);
    adapter_free(a);
}

const struct flue_identity *flue_adapter_identity(const struct flue_adapter *a)
{
    return &a->identity;
}

const char *flue_adapter_fault(const struct flue_adapter *a)
{
    return a->fault;
}

/* ---- drain, reset, recovery -------------------------------------------------------------------------------------- */

static enum flue_err may_interfere(const struct flue_adapter *a)
{
    if (a == NULL)
        return FLUE_EARG;
    if (a->state == ADAPTER_BROKEN)
        return FLUE_EDEVICE;
    return a->in_handler ? FLUE_ESTATE : FLUE_OK;
}

enum flue_err flue_adapter_drain(struct flue_adapter *a)
{
    TRY(may_interfere(a));
    TRY(adapter_usable(a));
    a->state = ADAPTER_DRAINED;
    a->draining = true;
    a->drained_seen = 0;
    enum flue_err err = reg_write(a, FLUE_REG_CTRL, FLUE_CTRL_ENABLE_MASK | FLUE_CTRL_DRAIN_MASK);
    if (err == FLUE_OK)
        err = adapter_wait(a, FLUE_REG_STATUS, FLUE_STATUS_DRAINED_MASK, FLUE_STATUS_DRAINED_MASK);
    if (err == FLUE_OK)
        err = events_take_all(a);
    if (err == FLUE_OK)
        err = tx_stop(a);
    if (err == FLUE_OK)
        err = rx_stop(a);
    a->draining = false;
    return err;
}

enum flue_err flue_adapter_resume(struct flue_adapter *a)
{
    TRY(may_interfere(a));
    if (a->state != ADAPTER_DRAINED)
        return FLUE_ESTATE;
    TRY(tx_start(a));
    TRY(rx_start(a));
    TRY(reg_write(a, FLUE_REG_CTRL, FLUE_CTRL_ENABLE_MASK));
    a->state = ADAPTER_RUNS;
    return FLUE_OK;
}

enum flue_err flue_adapter_reset(struct flue_adapter *a)
{
    TRY(may_interfere(a));
    a->state = ADAPTER_DRAINED;
    a->draining = true;
    a->drained_seen = 0;
    enum flue_err err = function_reset(a);
    if (err == FLUE_OK)
        err = events_take_all(a);
    if (err == FLUE_OK) {
        tx_abort_all(a);
        rx_abort_all(a);
        admin_cut(a);
        err = adapter_program(a);
    }
    a->draining = false;
    if (err != FLUE_OK)
        return err;
    a->stats.resets++;
    a->state = ADAPTER_RUNS;
    return admin_begin_again(a);
}

bool flue_queue_stopped(const struct flue_adapter *a, enum flue_queue_id queue)
{
    return queue == FLUE_Q_TX ? a->tx.stopped : queue == FLUE_Q_RX ? a->rx.stopped : a->eq.stopped;
}

enum flue_err flue_queue_recover(struct flue_adapter *a, enum flue_queue_id queue)
{
    TRY(may_interfere(a));
    if (queue != FLUE_Q_TX && queue != FLUE_Q_RX)
        return FLUE_EARG;
    if (!flue_queue_stopped(a, queue))
        return FLUE_ESTATE;
    TRY(adapter_usable(a));
    if (queue == FLUE_Q_TX) {
        TRY(tx_stop(a));
        return tx_start(a);
    }
    TRY(rx_stop(a));
    return rx_start(a);
}

/* ---- observation ------------------------------------------------------------------------------------------------- */

enum flue_err flue_stat_read(struct flue_adapter *a, unsigned stat, uint64_t *value)
{
    uint32_t low, high;

    if (a == NULL || value == NULL || stat >= FLUE_STAT_COUNT)
        return FLUE_EARG;
    *value = 0;
    TRY(reg_read(a, FLUE_REG_STAT + stat * 8u, &low)); /* latches the high word */
    TRY(reg_read(a, FLUE_REG_STAT + stat * 8u + 4u, &high));
    *value = (uint64_t)high << 32 | low;
    return FLUE_OK;
}

void flue_core_stats_get(const struct flue_adapter *a, struct flue_core_stats *stats)
{
    *stats = a->stats;
}

enum flue_err flue_time_us(struct flue_adapter *a, uint64_t *time_us)
{
    uint32_t low, high;

    if (a == NULL || time_us == NULL)
        return FLUE_EARG;
    *time_us = 0;
    TRY(reg_read(a, FLUE_REG_TIME_LO, &low)); /* latches the high word */
    TRY(reg_read(a, FLUE_REG_TIME_HI, &high));
    *time_us = (uint64_t)high << 32 | low;
    return FLUE_OK;
}

enum flue_err flue_fault_set(struct flue_adapter *a, uint32_t fault_bits)
{
    if (a == NULL || (fault_bits & ~(FLUE_FAULT_CSUM_BIT_MASK | FLUE_FAULT_LSO_SEQ_MASK | FLUE_FAULT_PLACE_MASK)) != 0)
        return FLUE_EARG;
    if (a->state == ADAPTER_BROKEN)
        return FLUE_EDEVICE;
    if (!a->identity.faults && fault_bits != 0)
        return FLUE_EUNSUPP;
    return reg_write(a, FLUE_REG_FAULT, fault_bits);
}

enum flue_err flue_adapter_wait_us(struct flue_adapter *a, uint32_t max_us)
{
    if (a == NULL)
        return FLUE_EARG;
    return a->state == ADAPTER_BROKEN ? FLUE_EDEVICE : a->link->ops->wait(a->link, max_us);
}
