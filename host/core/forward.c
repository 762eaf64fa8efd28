/*
 * Forwarding of diverted frames: copies in adapter memory, put into the transmit ring with the mark `forward`.
 */
#include <stdlib.h>
#include <string.h>
#include "conn_internal.h"
#include "flue/forward.h"
#include "flue/sum.h"

#define FRAMES_MAX  64u
#define FRAME_MAX   65536u
#define ATTEMPTS    16u /* of a frame that the receive path has no room for */
#define MACS_BYTES  12u
#define TAG_BYTES   4u
#define ALIGN_BYTES 64u
#define WAIT_US     100u
#define IPV4_BYTES  20u
#define IPV6_BYTES  40u
#define TCP_BYTES   20u /* without options */
#define PROTO_TCP   6u
#define HOPS        64u /* looked at by nobody */

struct copy {
    void *cookie;
    uint32_t len_bytes, handle;
    unsigned attempts;
    struct copy *next_free;
};

struct flue_forward {
    struct flue_adapter *adapter;
    struct flue_forward_params params;
    struct flue_mem mem;
    struct copy *copy, *free;
    uint32_t stride;
    unsigned outstanding;
    bool stopping; /* no done any more */
    bool left;     /* stopped while the adapter held frames: the last of them ends it */
};

static uint32_t place_of(const struct flue_forward *f, const struct copy *c)
{
    return (uint32_t)(c - f->copy) * f->stride;
}

static enum flue_err put(struct flue_forward *f, struct copy *c)
{
    struct flue_frag frag = {.region = f->mem.region, .offset = place_of(f, c), .len_bytes = c->len_bytes};
    TRY(flue_tx_put(f->adapter, &(struct flue_tx_packet){.frags = &frag, .frag_count = 1, .forward = c->handle, .cookie = c}));
    c->attempts++;
    (void)!flue_tx_kick(f->adapter); /* refused only by a broken adapter, which gives back what it holds */
    return FLUE_OK;
}

static enum flue_forwarded meaning(const struct flue_forward *f, const struct copy *c, uint8_t status)
{
    switch (status) {
    case FLUE_ST_OK:
        return FLUE_FORWARD_DONE;
    case FLUE_ST_NOT_TAKEN:
        return conn_ended(f->adapter, c->handle) ? FLUE_FORWARD_ABORTED : FLUE_FORWARD_NOT_TAKEN;
    case FLUE_ST_NO_SEGMENT:
    case FLUE_ST_TOO_LONG:
        return FLUE_FORWARD_BAD;
    case FLUE_ST_WRONG_CONN:
        return FLUE_FORWARD_FOREIGN;
    default:
        return FLUE_FORWARD_LOST;
    }
}

static void end(struct flue_forward *f)
{
    f->adapter->forward = NULL;
    if (f->mem.addr != NULL)
        (void)mem_release(f->adapter, f->mem.region);
    free(f->copy);
    free(f);
}

void forward_done(struct flue_forward *f, const struct flue_tx_done *done)
{
    struct copy *c = done->cookie;
    if (done->status == FLUE_ST_NO_ROOM && c->attempts < ATTEMPTS && !f->stopping && put(f, c) == FLUE_OK)
        return;
    c->next_free = f->free;
    f->free = c;
    f->outstanding--;
    if (!f->stopping)
        f->params.done(f->params.ctx, c->cookie, meaning(f, c, done->status));
    else if (f->left && f->outstanding == 0)
        end(f);
}

/* A free copy, filled by the caller, goes on its way. */
static enum flue_err copy_send(struct flue_forward *f, struct copy *c, uint32_t handle, uint32_t len_bytes, void *cookie)
{
    c->cookie = cookie;
    c->len_bytes = len_bytes;
    c->handle = handle;
    c->attempts = 0;
    TRY(put(f, c));
    f->free = c->next_free;
    f->outstanding++;
    return FLUE_OK;
}

static void store_be16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void ipv4_header(uint8_t *to, const struct flue_forward_ends *ends, uint32_t payload_bytes)
{
    memset(to, 0, IPV4_BYTES);
    to[0] = 0x45;
    store_be16(to + 2, IPV4_BYTES + payload_bytes);
    to[8] = HOPS;
    to[9] = PROTO_TCP;
    memcpy(to + 12, ends->remote, 4);
    memcpy(to + 16, ends->local, 4);
    store_be16(to + 10, (uint16_t)~flue_sum(to, IPV4_BYTES));
}

static void ipv6_header(uint8_t *to, const struct flue_forward_ends *ends, uint32_t payload_bytes)
{
    memset(to, 0, IPV6_BYTES);
    to[0] = 0x60;
    store_be16(to + 4, payload_bytes);
    to[6] = PROTO_TCP;
    to[7] = HOPS;
    memcpy(to + 8, ends->remote, 16);
    memcpy(to + 24, ends->local, 16);
}

enum flue_err flue_forward_segment(struct flue_forward *f, uint32_t conn_handle, const struct flue_forward_ends *ends,
                                   const uint8_t *segment, uint32_t len_bytes, void *cookie)
{
    if (f == NULL || ends == NULL || segment == NULL || conn_handle == 0 || len_bytes < TCP_BYTES || len_bytes > FRAME_MAX)
        return FLUE_EARG;
    uint32_t tag = ends->vlan_tci != 0 ? TAG_BYTES : 0, l2 = MACS_BYTES + tag + 2, l3 = ends->ipv6 ? IPV6_BYTES : IPV4_BYTES;
    if (l2 + l3 + len_bytes > f->params.frame_bytes)
        return FLUE_EARG;
    struct copy *c = f->free;
    if (c == NULL)
        return FLUE_EAGAIN;
    uint8_t *to = (uint8_t *)f->mem.addr + place_of(f, c);
    memset(to, 0, MACS_BYTES); /* the lookup takes no notice */
    if (tag) {
        store_be16(to + MACS_BYTES, 0x8100);
        store_be16(to + MACS_BYTES + 2, ends->vlan_tci);
    }
    store_be16(to + l2 - 2, ends->ipv6 ? 0x86DD : 0x0800);
    (ends->ipv6 ? ipv6_header : ipv4_header)(to + l2, ends, len_bytes);
    memcpy(to + l2 + l3, segment, len_bytes);
    return copy_send(f, c, conn_handle, l2 + l3 + len_bytes, cookie);
}

enum flue_err flue_forward_put(struct flue_forward *f, const struct flue_rx_done *done, const uint8_t *frame, void *cookie)
{
    if (f == NULL || done == NULL || frame == NULL || !done->diverted || done->status != FLUE_ST_OK || done->conn_handle == 0)
        return FLUE_EARG;
    uint32_t tag = done->vlan && done->len_bytes > MACS_BYTES ? TAG_BYTES : 0, head = tag ? MACS_BYTES : 0;
    if (done->len_bytes == 0 || done->len_bytes + tag > f->params.frame_bytes)
        return FLUE_EARG;
    struct copy *c = f->free;
    if (c == NULL)
        return FLUE_EAGAIN;
    uint8_t *to = (uint8_t *)f->mem.addr + place_of(f, c);
    memcpy(to, frame, head);
    if (tag)
        memcpy(to + head, (uint8_t[]){0x81, 0x00, (uint8_t)(done->vlan_tci >> 8), (uint8_t)done->vlan_tci}, TAG_BYTES);
    memcpy(to + head + tag, frame + head, done->len_bytes - head);
    return copy_send(f, c, done->conn_handle, done->len_bytes + tag, cookie);
}

unsigned flue_forward_outstanding(const struct flue_forward *f)
{
    return f->outstanding;
}

enum flue_err flue_forward_start(struct flue_adapter *adapter, const struct flue_forward_params *params,
                                 struct flue_forward **forward)
{
    if (forward == NULL)
        return FLUE_EARG;
    *forward = NULL;
    if (adapter == NULL || params == NULL || params->done == NULL || params->frames == 0 || params->frames > FRAMES_MAX ||
        params->frame_bytes == 0 || params->frame_bytes > FRAME_MAX)
        return FLUE_EARG;
    if (adapter->forward != NULL)
        return FLUE_ESTATE;
    struct flue_forward *f = calloc(1, sizeof *f);
    if (f == NULL)
        return FLUE_ENOMEM;
    f->adapter = adapter;
    f->params = *params;
    f->stride = (params->frame_bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
    f->copy = calloc(params->frames, sizeof *f->copy);
    enum flue_err err =
        f->copy == NULL ? FLUE_ENOMEM : flue_mem_alloc(adapter, (size_t)f->stride * params->frames, FLUE_ACCESS_READ, &f->mem);
    if (err != FLUE_OK) {
        end(f);
        return err;
    }
    for (unsigned i = params->frames; i-- > 0;) {
        f->copy[i].next_free = f->free;
        f->free = &f->copy[i];
    }
    adapter->forward = f;
    *forward = f;
    return FLUE_OK;
}

void flue_forward_stop(struct flue_forward *f)
{
    if (f == NULL)
        return;
    f->stopping = true;
    for (uint32_t waited_us = 0; f->outstanding > 0 && waited_us < f->adapter->params.limit_us; waited_us += WAIT_US) {
        unsigned handled;
        if (flue_adapter_wait_us(f->adapter, WAIT_US) != FLUE_OK || flue_poll(f->adapter, 1000, &handled) != FLUE_OK)
            break;
    }
    f->left = f->outstanding > 0; /* the adapter may still read them */
    if (!f->left)
        end(f);
}
