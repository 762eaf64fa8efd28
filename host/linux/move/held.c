/* Frames that are diverted while a connection moves, markers, and the time that passes meanwhile. */
#include <stdlib.h>
#include <string.h>
#include "move_internal.h"

#define STEP_US  200u
#define HELD_MAX 256u

void flue_mover_marker(struct flue_mover *m, uint32_t handle, uint32_t number)
{
    (void)number;
    m->marker = handle;
}

void flue_mover_diverted(struct flue_mover *m, const struct flue_rx_done *done, const uint8_t *frame)
{
    struct moved *c = moved_by_handle(m, done->conn_handle);
    if (c == NULL)
        return;
    c->last = done->number;
    if (c->running && flue_forward_put(m->forward, done, frame, NULL) == FLUE_OK) /* it was on its way when the detour ended */
        return;
    struct held *h = c->keep && m->held_count < HELD_MAX ? malloc(sizeof *h + done->len_bytes) : NULL;
    if (h == NULL) { /* the network repairs it (HND-003) */
        m->given_up++;
        return;
    }
    h->next = NULL;
    h->handle = done->conn_handle;
    h->done = *done;
    memcpy(h->frame, frame, done->len_bytes);
    *m->held_end = h;
    m->held_end = &h->next;
    m->held_count++;
}

void move_held_flush(struct flue_mover *m, bool deliver)
{
    while (m->held != NULL) {
        struct held *h = m->held;
        m->held = h->next;
        h->done.diverted = false;
        h->done.cookie = NULL;
        if (deliver)
            flue_port_deliver(m->port, &h->done, h->frame);
        free(h);
    }
    m->held_end = &m->held;
    m->held_count = 0;
}

void move_forwarded(void *ctx, void *cookie, enum flue_forwarded what)
{
    struct flue_mover *m = ctx;
    (void)cookie;
    m->given_up += what != FLUE_FORWARD_DONE;
}

enum flue_err move_held_forward(struct flue_mover *m)
{
    uint64_t end = move_now_us(m) + m->params.limit_us;
    while (m->held != NULL || flue_forward_outstanding(m->forward) > 0) {
        struct held *h = m->held;
        enum flue_err err = h == NULL ? FLUE_EAGAIN : flue_forward_put(m->forward, &h->done, h->frame, NULL);
        if (err == FLUE_EAGAIN) {
            err = move_breathe(m);
            if (err != FLUE_OK)
                return move_fail(m, err, "forwarding: %s", flue_err_name(err));
            if (move_now_us(m) > end)
                return move_fail(m, FLUE_ETIMEOUT, "frames are not forwarded in time");
            continue;
        }
        m->forwarded += err == FLUE_OK;
        m->given_up += err != FLUE_OK; /* the peer sends it again */
        m->held = h->next;
        m->held_count--;
        if (m->held == NULL)
            m->held_end = &m->held;
        free(h);
    }
    return FLUE_OK;
}

enum flue_err move_breathe(struct flue_mover *m)
{
    unsigned handled;
    enum flue_err err = flue_adapter_wait_us(m->adapter, STEP_US);
    if (err == FLUE_OK)
        err = flue_poll(m->adapter, 1000, &handled);
    return err == FLUE_OK ? flue_port_refill(m->port) : err;
}

enum flue_err move_marker_await(struct flue_mover *m, uint32_t handle)
{
    uint64_t end = move_now_us(m) + m->params.limit_us;
    while (m->marker != handle) {
        enum flue_err err = move_breathe(m);
        if (err != FLUE_OK)
            return move_fail(m, err, "waiting for a marker: %s", flue_err_name(err));
        if (move_now_us(m) > end)
            return move_fail(m, FLUE_ETIMEOUT, "no marker came");
    }
    m->marker = 0;
    return FLUE_OK;
}

enum flue_err move_transmit_drain(struct flue_mover *m)
{
    uint64_t end = move_now_us(m) + m->params.limit_us;
    bool blocked = true;
    while (blocked || flue_tx_outstanding(m->adapter) > 0) {
        enum flue_err err = flue_port_send(m->port, &blocked);
        if (err == FLUE_OK)
            err = move_breathe(m);
        if (err != FLUE_OK)
            return move_fail(m, err, "emptying the transmit queue: %s", flue_err_name(err));
        if (move_now_us(m) > end)
            return move_fail(m, FLUE_ETIMEOUT, "the transmit queue does not become empty");
    }
    return FLUE_OK;
}
