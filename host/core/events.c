/*
 * The event ring: what the adapter says, checked against what it was asked (docs/layouts.md).
 *
 * Nothing in host memory is believed.  An event is copied once, then every field is compared with what the driver knows; one
 * that cannot be true ends the use of the device, because the state of its rings is unknown from then on.
 */
#include <stdatomic.h>
#include "conn_internal.h"

struct event {
    uint32_t w[4];
};

/* Phase of the ring's next entry: 1 in the first round, inverts each round. */
static uint32_t phase_expected(const struct ring *eq)
{
    return (((uint32_t)eq->head >> eq->log2_slots) & 1u) ^ 1u;
}

static bool event_next(const struct ring *eq, struct event *e)
{
    const struct ring_entry *entry = &eq->entry[eq->head & (eq->size - 1u)];
    const _Atomic uint32_t *last_word = (const _Atomic uint32_t *)&entry->w_le[3];

    e->w[3] = le32toh(atomic_load_explicit(last_word, memory_order_acquire)); /* written last */
    if (FLUE_GET(EVENT_TX_PHASE, e->w[3]) != phase_expected(eq))
        return false;
    for (unsigned i = 0; i < 3; i++)
        e->w[i] = le32toh(*(const volatile uint32_t *)&entry->w_le[i]);
    return true;
}

static void give_tx(struct flue_adapter *a, const struct tx_pending *p, const struct flue_tx_done *done)
{
    if (p->forward && a->forward != NULL) {
        forward_done(a->forward, done);
        return;
    }
    a->stats.tx_packets++;
    a->stats.tx_errors += done->status != FLUE_ST_OK;
    if (a->handlers.tx_done != NULL)
        a->handlers.tx_done(a->handlers.ctx, done);
}

static void give_rx(struct flue_adapter *a, const struct flue_rx_done *done)
{
    if (done->status == FLUE_ST_OK)
        a->stats.rx_frames++;
    else
        a->stats.rx_errors++;
    if (a->handlers.rx_done != NULL)
        a->handlers.rx_done(a->handlers.ctx, done);
}

/* The oldest packet leaves the list before its handler runs, which may put another. */
static struct tx_pending tx_take(struct flue_adapter *a)
{
    struct tx_pending p = a->tx_pending[a->tx_first & (a->tx.size - 1u)];
    a->tx_first++;
    a->tx_count--;
    a->tx.head = p.end;
    return p;
}

static struct rx_pending rx_take(struct flue_adapter *a)
{
    return a->rx_pending[a->rx.head++ & (a->rx.size - 1u)];
}

void tx_abort_all(struct flue_adapter *a)
{
    while (a->tx_count > 0) {
        struct tx_pending p = tx_take(a);
        give_tx(a, &p, &(struct flue_tx_done){.cookie = p.cookie, .status = FLUE_ST_ABORTED});
    }
}

void rx_abort_all(struct flue_adapter *a)
{
    a->divert.diverted = false;
    while (a->rx.head != a->rx.tail) {
        struct rx_pending p = rx_take(a);
        give_rx(a, &(struct flue_rx_done){.cookie = p.cookie, .status = FLUE_ST_ABORTED});
    }
}

/* Those behind ABORTED are of forwarded frames only. */
static bool status_known(uint32_t status, bool forwarded)
{
    return status <= (forwarded ? FLUE_ST_WRONG_CONN : FLUE_ST_ABORTED);
}

/* How many pending packets end at or before index; 0 when none ends exactly there. */
static unsigned packets_until(const struct flue_adapter *a, uint16_t index)
{
    for (unsigned n = 0; n < a->tx_count; n++)
        if (a->tx_pending[(a->tx_first + n) & (a->tx.size - 1u)].end == index)
            return n + 1;
    return 0;
}

/* The ring could not be read in the middle of the oldest packet: it completes there, and the queue stops. */
static bool ends_inside(const struct flue_adapter *a, uint16_t index, uint32_t status)
{
    uint16_t into = (uint16_t)(index - a->tx.head);
    return (status == FLUE_ST_DMA_READ || status == FLUE_ST_BAD_REGION) && a->tx_count > 0 && into > 0 &&
           into < (uint16_t)(a->tx_pending[a->tx_first & (a->tx.size - 1u)].end - a->tx.head);
}

/* Completion word of section 2.3: type as asked; version 1 counts payload, version 2 and no large send say 0. */
static bool lso_word_true(const struct tx_pending *p, uint32_t word)
{
    uint32_t payload = FLUE_GET(EVENT_TX_LSO_PAYLOAD, word);
    if (p->lso == 0)
        return word == 0;
    if ((word & ~(FLUE_EVENT_TX_LSO_PAYLOAD_MASK | FLUE_EVENT_TX_LSO_TYPE_MASK)) != 0 ||
        FLUE_GET(EVENT_TX_LSO_TYPE, word) != FLUE_GET(SLOT_PACKET_LSO_TYPE, p->lso))
        return false;
    return FLUE_GET(SLOT_PACKET_LSO_TYPE, p->lso) ? payload == 0 : payload < p->len_bytes;
}

static enum flue_err on_tx(struct flue_adapter *a, const struct event *e)
{
    uint16_t index = (uint16_t)FLUE_GET(EVENT_TX_INDEX, e->w[0]);
    uint32_t status = FLUE_GET(EVENT_TX_STATUS, e->w[0]);

    if (FLUE_GET(EVENT_TX_QUEUE_ID, e->w[0]) != FLUE_Q_TX)
        return adapter_distrust(a, "transmit completion of a queue that does not transmit");
    bool forwarded = a->tx_count > 0 && a->tx_pending[a->tx_first & (a->tx.size - 1u)].forward;
    if (!status_known(status, forwarded))
        return adapter_distrust(a, "transmit completion with an unknown status");
    if ((uint16_t)(index - a->tx.head) > (uint16_t)(a->tx.told - a->tx.head))
        return adapter_distrust(a, "transmit completion beyond the slots it was given");
    unsigned count = packets_until(a, index);
    if (count == 0 && ends_inside(a, index, status))
        count = 1;
    if (count == 0)
        return adapter_distrust(a, "transmit completion of a packet that is not outstanding");
    if (count > 1 && status == FLUE_ST_OK)
        return adapter_distrust(a, "transmit completion that skips a packet");

    struct tx_pending p = tx_take(a);
    if (!lso_word_true(&p, e->w[1])) {
        give_tx(a, &p, &(struct flue_tx_done){.cookie = p.cookie, .status = FLUE_ST_ABORTED});
        return adapter_distrust(a, "transmit completion with a large send word that was not asked for");
    }
    give_tx(a, &p,
            &(struct flue_tx_done){
                .cookie = p.cookie,
                .status = (uint8_t)status,
                .frames = (uint16_t)FLUE_GET(EVENT_TX_FRAMES, e->w[2]),
                .lso = e->w[1],
                .time_us = FLUE_GET(EVENT_TX_TIME_US, e->w[3]),
            });
    /* Section 5 of architecture.md: a chain without end takes the packets behind it along. */
    while (--count > 0) {
        p = tx_take(a);
        give_tx(a, &p, &(struct flue_tx_done){.cookie = p.cookie, .status = FLUE_ST_ABORTED});
    }
    return FLUE_OK;
}

/* TO-036: Succeeded and Failed exclude one another; bits 8:6 are zero without coalescing (TO-046). */
static bool csum_bits_true(uint32_t w2)
{
    uint32_t bad = w2 & 7u, ok = w2 >> 3 & 7u;
    return (bad & ok) == 0 && (w2 & (FLUE_EVENT_RX_LOOPBACK_MASK | FLUE_EVENT_RX_TCP_VALUE_INVALID_MASK |
                                     FLUE_EVENT_RX_IP_VALUE_INVALID_MASK)) == 0;
}
static_assert(FLUE_EVENT_RX_TCP_BAD_MASK == 1u && FLUE_EVENT_RX_UDP_BAD_MASK == 2u && FLUE_EVENT_RX_IP_BAD_MASK == 4u &&
                  FLUE_EVENT_RX_TCP_OK_MASK == 8u && FLUE_EVENT_RX_UDP_OK_MASK == 16u && FLUE_EVENT_RX_IP_OK_MASK == 32u,
              "the results have the places of task-offload.md section 2.2");

static enum flue_err on_rx(struct flue_adapter *a, const struct event *e)
{
    uint16_t index = (uint16_t)FLUE_GET(EVENT_RX_INDEX, e->w[0]);
    uint32_t status = FLUE_GET(EVENT_RX_STATUS, e->w[0]);
    uint32_t len_bytes = FLUE_GET(EVENT_RX_LENGTH, e->w[1]);
    uint32_t l4_offset = FLUE_GET(EVENT_RX_L4_OFF, e->w[1]);

    if (FLUE_GET(EVENT_RX_QUEUE_ID, e->w[0]) != FLUE_Q_RX)
        return adapter_distrust(a, "receive completion of a queue that does not receive");
    if (!status_known(status, false))
        return adapter_distrust(a, "receive completion with an unknown status");
    if (a->rx.head == a->rx.told)
        return adapter_distrust(a, "receive completion without a buffer");
    if (index != (uint16_t)(a->rx.head + 1))
        return adapter_distrust(a, "receive completion of a buffer that is not the oldest");
    if (status == FLUE_ST_OK) {
        if (len_bytes == 0 || len_bytes > a->rx_pending[a->rx.head & (a->rx.size - 1u)].len_bytes)
            return adapter_distrust(a, "received frame that is longer than its buffer, or empty");
        if (l4_offset > len_bytes)
            return adapter_distrust(a, "received frame whose transport header lies behind its end");
        if (!csum_bits_true(e->w[2]))
            return adapter_distrust(a, "received frame whose checksum results contradict one another");
    }

    bool written = status == FLUE_ST_OK || status == FLUE_ST_DMA_WRITE || status == FLUE_ST_BAD_REGION;
    if (a->divert.diverted && !written)
        return adapter_distrust(a, "diverted frame that took no buffer");

    struct rx_pending p = rx_take(a);
    struct flue_rx_done done = a->divert;
    done.cookie = p.cookie;
    done.status = (uint8_t)status;
    a->divert = (struct flue_rx_done){0};
    done.time_us = FLUE_GET(EVENT_RX_TIME_US, e->w[3]);
    if (status == FLUE_ST_OK) {
        done.len_bytes = len_bytes;
        done.l4_offset = (uint16_t)l4_offset;
        done.ipv6 = FLUE_GET(EVENT_RX_IPV6, e->w[2]) != 0;
        /* Judged before a switch went off, indicated after it: no result any more (TO-173). */
        done.csum = e->w[2] & a->rx_results[done.ipv6];
        /* Receive side off: the tag stays in the frame; a build that strips all the same must not report it (3.8). */
        done.vlan = FLUE_GET(EVENT_RX_VLAN, e->w[2]) != 0;
        done.vlan_tci = done.vlan ? (uint16_t)FLUE_GET(EVENT_RX_VLAN_TCI, e->w[2]) : 0;
    }
    give_rx(a, &done);
    return FLUE_OK;
}

/* HND-003: whose the next frame is, or that a hold or release has passed. */
static enum flue_err on_divert(struct flue_adapter *a, const struct event *e, uint32_t kind)
{
    if (FLUE_GET(EVENT_DIVERT_QUEUE_ID, e->w[0]) != FLUE_Q_RX)
        return adapter_distrust(a, "diverted frame or marker of a queue that does not receive");
    if (FLUE_GET(EVENT_DIVERT_HANDLE_KIND, e->w[1]) != FLUE_TBL_CONNECTION ||
        FLUE_GET(EVENT_DIVERT_HANDLE_GENERATION, e->w[1]) == 0)
        return adapter_distrust(a, "diverted frame or marker without the handle of a connection");
    if (a->divert.diverted)
        return adapter_distrust(a, "diverted frame without its completion");
    if (kind == FLUE_EV_MARKER) {
        if (a->handlers.marker != NULL)
            a->handlers.marker(a->handlers.ctx, e->w[1], e->w[2]);
        return FLUE_OK;
    }
    if (e->w[2] == 0)
        return adapter_distrust(a, "diverted frame with number 0");
    a->divert = (struct flue_rx_done){
        .diverted = true,
        .lost = FLUE_GET(EVENT_DIVERT_LOST, e->w[0]) != 0,
        .conn_handle = e->w[1],
        .number = e->w[2],
    };
    return FLUE_OK;
}

static struct ring *ring_of(struct flue_adapter *a, uint32_t queue)
{
    switch (queue) {
    case FLUE_Q_TX:
        return &a->tx;
    case FLUE_Q_RX:
        return &a->rx;
    case FLUE_Q_EVENTS:
        return &a->eq;
    }
    return NULL;
}

static void give_queue_error(struct flue_adapter *a, uint32_t queue, uint8_t code)
{
    ring_of(a, queue)->stopped = true;
    a->stats.queue_errors++;
    if (a->handlers.queue_error != NULL)
        a->handlers.queue_error(a->handlers.ctx, (enum flue_queue_id)queue, code);
}

static enum flue_err on_queue(struct flue_adapter *a, const struct event *e, uint32_t kind)
{
    uint32_t queue = FLUE_GET(EVENT_QUEUE_QUEUE_ID, e->w[0]);
    const struct ring *ring = ring_of(a, queue);

    if (ring == NULL)
        return adapter_distrust(a, "event of a queue that does not exist");
    if (kind == FLUE_EV_QUEUE_ERROR) {
        if (ring->stopped)
            return adapter_distrust(a, "queue error of a queue that had stopped");
        give_queue_error(a, queue, (uint8_t)FLUE_GET(EVENT_QUEUE_CODE, e->w[1]));
    } else if (kind == FLUE_EV_DRAINED) {
        if (!a->draining)
            return adapter_distrust(a, "drain reported that nobody asked for");
        if ((a->drained_seen & 1u << queue) != 0)
            return adapter_distrust(a, "drain of one queue reported twice");
        a->drained_seen |= 1u << queue;
    }
    return FLUE_OK;
}

static enum flue_err on_connection(struct flue_adapter *a, const struct event *e)
{
    return conn_event(
        a, FLUE_GET(EVENT_CONNECTION_INDEX, e->w[0]), FLUE_GET(EVENT_CONNECTION_GENERATION, e->w[1]),
        e->w[1] & (FLUE_EVENT_CONNECTION_SENT_MASK | FLUE_EVENT_CONNECTION_RECEIVED_MASK | FLUE_EVENT_CONNECTION_CHANGED_MASK));
}
static_assert(FLUE_EVENT_CONNECTION_SENT_MASK == FLUE_CONN_WRITABLE &&
                  FLUE_EVENT_CONNECTION_RECEIVED_MASK == FLUE_CONN_READABLE &&
                  FLUE_EVENT_CONNECTION_CHANGED_MASK == FLUE_CONN_CHANGED,
              "the bits are handed on as they come");

static enum flue_err on_event(struct flue_adapter *a, const struct event *e)
{
    uint32_t kind = FLUE_GET(EVENT_TX_KIND, e->w[0]);

    switch (kind) {
    case FLUE_EV_TX_DONE:
        return on_tx(a, e);
    case FLUE_EV_RX_DONE:
        return on_rx(a, e);
    case FLUE_EV_QUEUE_ERROR:
    case FLUE_EV_DRAINED:
    case FLUE_EV_ERROR:
        return on_queue(a, e, kind);
    case FLUE_EV_CONNECTION:
        return on_connection(a, e);
    case FLUE_EV_DIVERT:
    case FLUE_EV_MARKER:
        return on_divert(a, e, kind);
    }
    return adapter_distrust(a, "event of an unknown kind");
}

bool flue_pending(const struct flue_adapter *a)
{
    struct event e;
    return a->state != ADAPTER_BROKEN && (event_next(&a->eq, &e) || admin_pending(a));
}

enum flue_err events_take(struct flue_adapter *a, unsigned budget, unsigned *handled)
{
    enum flue_err err = FLUE_OK;
    struct event e;
    unsigned count = 0;

    a->in_handler = true;
    while (count < budget && err == FLUE_OK && event_next(&a->eq, &e)) {
        a->eq.head++;
        count++;
        err = on_event(a, &e);
    }
    a->in_handler = false;
    a->stats.events += count;
    *handled = count;
    if (err == FLUE_OK && count > 0)
        err = reg_write(a, FLUE_REG_EQ_HEAD, a->eq.head);
    return err;
}

#define CAUSES                                                                                                                 \
    (FLUE_IRQ_CAUSE_EVENT_POSTED_MASK | FLUE_IRQ_CAUSE_ERROR_MASK | FLUE_IRQ_CAUSE_DRAINED_MASK | FLUE_IRQ_CAUSE_ADMIN_MASK |  \
     FLUE_IRQ_CAUSE_FIRMWARE_MASK)

/* The event queue cannot post an event about its own end. */
static enum flue_err look_for_stopped_events(struct flue_adapter *a)
{
    uint32_t status;
    TRY(reg_read(a, FLUE_REG_STATUS, &status));
    if ((status & FLUE_STATUS_EVENT_ERROR_MASK) == 0 || a->eq.stopped)
        return FLUE_OK;
    a->in_handler = true;
    give_queue_error(a, FLUE_Q_EVENTS, 0); /* it does not say why */
    a->in_handler = false;
    return FLUE_OK;
}

enum flue_err causes_take(struct flue_adapter *a)
{
    uint32_t cause;

    if (!a->link->ops->irq(a->link))
        return FLUE_OK;
    TRY(reg_read(a, FLUE_REG_IRQ_CAUSE, &cause));
    /* Only what was seen: a cause that rises now has not been acted upon. */
    TRY(reg_write(a, FLUE_REG_IRQ_CAUSE, cause & CAUSES));
    if ((cause & FLUE_IRQ_CAUSE_ERROR_MASK) != 0)
        TRY(look_for_stopped_events(a));
    if ((cause & FLUE_IRQ_CAUSE_ADMIN_MASK) != 0)
        admin_announced(a);
    return (cause & FLUE_IRQ_CAUSE_FIRMWARE_MASK) != 0 ? processor_trapped(a) : FLUE_OK;
}

enum flue_err flue_poll(struct flue_adapter *a, unsigned budget, unsigned *handled)
{
    if (a == NULL || handled == NULL)
        return FLUE_EARG;
    *handled = 0;
    if (a->state == ADAPTER_BROKEN)
        return FLUE_EDEVICE;
    if (a->in_handler)
        return FLUE_ESTATE;
    a->stats.polls++;
    TRY(causes_take(a)); /* first: an event posted after the last look below raises the interrupt again */
    TRY(admin_take(a, budget, handled));
    unsigned events = 0;
    enum flue_err err = events_take(a, budget - *handled, &events);
    *handled += events;
    return err;
}
