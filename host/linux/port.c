/*
 * A TAP joined to an adapter: buffers, and the way of packets through them.
 *
 * Transmit: a packet is read from the TAP into a buffer the adapter may read, and the ring names that buffer; a packet that the
 * driver must cut is sent as header and payload fragments of the same buffer.  Receive: the adapter writes into a buffer, and
 * the TAP is written from it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "flue/linux.h"

#define TX_BUFFERS_DEFAULT 64u
#define RX_BUFFERS_DEFAULT 256u
#define TX_FLIGHT_DEFAULT  (256u * 1024u)
#define TX_BUFFER_BYTES    (68u * 1024u) /* largest packet of the kernel, 65,536 + 64 (linux-host.md 1.2), in whole pages */
#define HDR_SLOTS          1024u         /* segments cut by the driver that may be in flight */
#define RX_ALIGN_BYTES     64u
#define MACS_BYTES         12u /* before the tag */
#define TAG_BYTES          4u

/* What a transmit cookie points to: one packet of the ring. */
struct unit {
    struct tx_buffer *buffer;
    struct unit *next_free; /* header slots only */
    uint32_t header_at;     /* header slots only: offset in the region */
    bool is_slot;
};

struct tx_buffer {
    struct unit unit; /* of the packet when it is sent whole */
    uint8_t *data;
    uint32_t at; /* offset in the region */
    uint32_t len_bytes;
    unsigned users; /* packets in the ring that name it, and 1 while it is being put */
    struct tx_buffer *next_free;
};

struct rx_buffer {
    uint8_t *data;
    uint32_t at;
    struct rx_buffer *next_idle;
};

/* A packet that was read but not put completely, because the ring was full. */
struct held {
    struct tx_buffer *buffer; /* null: none */
    struct flue_tx_packet packet;
    bool cut;
    struct flue_soft_gso gso;
    unsigned next_segment;
};

struct flue_port {
    struct flue_tap *tap;
    struct flue_adapter *adapter;
    struct flue_port_params params;
    struct flue_port_stats stats;

    struct flue_mem tx_mem, rx_mem;
    struct tx_buffer *tx, *tx_free;
    struct unit *slot, *slot_free;
    size_t in_flight;
    struct held held;

    struct rx_buffer *rx, *rx_idle; /* idle: not in the ring */
    uint32_t rx_bytes;
};

/* ---- transmit ---------------------------------------------------------------------------------------------------- */

static void buffer_release(struct flue_port *p, struct tx_buffer *b)
{
    if (--b->users > 0)
        return;
    p->in_flight -= b->len_bytes;
    b->next_free = p->tx_free;
    p->tx_free = b;
}

static void slot_release(struct flue_port *p, struct unit *slot)
{
    slot->next_free = p->slot_free;
    p->slot_free = slot;
}

static void on_tx_done(void *ctx, const struct flue_tx_done *done)
{
    struct flue_port *p = ctx;
    struct unit *unit = done->cookie;

    p->stats.tx_frames += done->frames;
    p->stats.tx_failed += done->status != FLUE_ST_OK;
    if (unit->is_slot)
        slot_release(p, unit);
    buffer_release(p, unit->buffer);
}

static enum flue_err put_whole(struct flue_port *p)
{
    struct tx_buffer *b = p->held.buffer;
    struct flue_frag frag = {.region = p->tx_mem.region, .offset = b->at, .len_bytes = b->len_bytes};

    p->held.packet.frags = &frag;
    p->held.packet.frag_count = 1;
    p->held.packet.cookie = &b->unit;
    enum flue_err err = flue_tx_put(p->adapter, &p->held.packet);
    if (err == FLUE_OK)
        b->users++;
    return err;
}

static enum flue_err put_segments(struct flue_port *p)
{
    struct held *h = &p->held;

    for (; h->next_segment < h->gso.segments; h->next_segment++) {
        struct unit *slot = p->slot_free;
        if (slot == NULL)
            return FLUE_EAGAIN;
        uint32_t at, bytes;
        flue_soft_segment(&h->gso, h->next_segment, (uint8_t *)p->tx_mem.addr + slot->header_at, &at, &bytes);
        struct flue_frag frags[2] = {
            {.region = p->tx_mem.region, .offset = slot->header_at, .len_bytes = h->gso.payload},
            {.region = p->tx_mem.region, .offset = h->buffer->at + at, .len_bytes = bytes},
        };
        struct flue_tx_packet packet = {.frags = frags, .frag_count = 2, .cookie = slot};
        enum flue_err err = flue_tx_put(p->adapter, &packet);
        if (err != FLUE_OK)
            return err;
        p->slot_free = slot->next_free;
        slot->buffer = h->buffer;
        h->buffer->users++;
    }
    return FLUE_OK;
}

/* Put what is held; afterwards nothing is, unless the ring is full. */
static enum flue_err put_held(struct flue_port *p)
{
    struct held *h = &p->held;

    if (h->buffer == NULL)
        return FLUE_OK;
    enum flue_err err = h->cut ? put_segments(p) : put_whole(p);
    if (err == FLUE_EAGAIN)
        return err;
    if (err != FLUE_OK)
        p->stats.tx_dropped++;
    buffer_release(p, h->buffer);
    h->buffer = NULL;
    return err == FLUE_EDEVICE ? err : FLUE_OK;
}

/* Decide what becomes of the packet in b; it is held, or dropped. */
static void classify(struct flue_port *p, struct tx_buffer *b, const struct flue_vnet *vnet)
{
    struct flue_config config;
    struct held *h = &p->held;

    flue_config_active(p->adapter, &config);
    *h = (struct held){.buffer = b};
    b->users = 1;
    p->in_flight += b->len_bytes;
    p->stats.tx_packets++;
    p->stats.tx_bytes += b->len_bytes;
    p->stats.tx_super += (vnet->gso_type & ~FLUE_VNET_GSO_ECN) != FLUE_VNET_GSO_NONE;

    bool fits = true;
    switch (flue_vnet_to_packet(&config, vnet, b->data, b->len_bytes, &h->packet)) {
    case FLUE_SEND:
        break;
    case FLUE_SOFT_CSUM:
        fits = flue_soft_csum(vnet, b->data, b->len_bytes) == FLUE_OK;
        p->stats.tx_soft_csum++;
        break;
    case FLUE_SOFT_SEGMENT:
        fits = flue_soft_begin(vnet, b->data, b->len_bytes, &h->gso) == FLUE_OK;
        h->cut = true;
        p->stats.tx_soft_gso++;
        break;
    case FLUE_DROP:
        fits = false;
        break;
    }
    if (!fits) {
        p->stats.tx_dropped++;
        buffer_release(p, b);
        h->buffer = NULL;
    }
}

/* One packet from the TAP.  FLUE_EAGAIN: it has none. */
static enum flue_err read_packet(struct flue_port *p)
{
    uint8_t header[FLUE_VNET_BYTES];
    struct tx_buffer *b = p->tx_free;
    struct iovec iov[2] = {{header, sizeof header}, {b->data, TX_BUFFER_BYTES}};
    struct flue_vnet vnet;

    ssize_t n = readv(flue_tap_fd(p->tap), iov, 2);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? FLUE_EAGAIN : FLUE_EIO;
    if ((size_t)n <= sizeof header)
        return FLUE_OK;
    p->tx_free = b->next_free;
    b->len_bytes = (uint32_t)((size_t)n - sizeof header);
    if (p->params.note != NULL)
        p->params.note(p->params.ctx, true, b->data, b->len_bytes);
    if (p->params.withheld != NULL && p->params.withheld(p->params.ctx, b->data, b->len_bytes)) {
        p->stats.tx_withheld++;
        b->next_free = p->tx_free;
        p->tx_free = b;
        return FLUE_OK;
    }
    flue_vnet_load(&vnet, header);
    classify(p, b, &vnet);
    return FLUE_OK;
}

enum flue_err flue_port_send(struct flue_port *p, bool *blocked)
{
    enum flue_err err = FLUE_OK;

    if (p == NULL || blocked == NULL || p->adapter == NULL)
        return FLUE_EARG;
    *blocked = false;
    while (err == FLUE_OK) {
        err = put_held(p);
        if (err == FLUE_EAGAIN || (err == FLUE_OK && (p->tx_free == NULL || p->in_flight >= p->params.tx_bytes_in_flight))) {
            *blocked = true;
            break;
        }
        if (err == FLUE_OK)
            err = read_packet(p);
    }
    if (err != FLUE_OK && err != FLUE_EAGAIN)
        return err;
    err = flue_tx_kick(p->adapter);
    return err == FLUE_ESTATE ? FLUE_OK : err;
}

/* ---- receive ----------------------------------------------------------------------------------------------------- */

static void rx_idle(struct flue_port *p, struct rx_buffer *b)
{
    b->next_idle = p->rx_idle;
    p->rx_idle = b;
}

void flue_port_deliver(struct flue_port *p, const struct flue_rx_done *done, uint8_t *frame)
{
    uint8_t header[FLUE_VNET_BYTES];
    struct flue_vnet vnet;

    if ((done->csum & (FLUE_EVENT_RX_TCP_BAD_MASK | FLUE_EVENT_RX_UDP_BAD_MASK | FLUE_EVENT_RX_IP_BAD_MASK)) != 0)
        p->stats.rx_bad++;
    if (p->params.note != NULL)
        p->params.note(p->params.ctx, false, frame, done->len_bytes);
    bool good = flue_vnet_from_rx(done, frame, &vnet);
    /* A TAP has no place for a tag beside the frame: back into it (task-offload.md 6.2). */
    uint8_t tag[TAG_BYTES] = {0x81, 0x00, (uint8_t)(done->vlan_tci >> 8), (uint8_t)done->vlan_tci};
    size_t tag_bytes = done->vlan && done->len_bytes > MACS_BYTES ? TAG_BYTES : 0, head = tag_bytes ? MACS_BYTES : 0;
    if (good)
        vnet.csum_start = (uint16_t)(vnet.csum_start + tag_bytes);
    flue_vnet_store(&vnet, header);
    struct iovec iov[4] = {{header, sizeof header}, {frame, head}, {tag, tag_bytes}, {frame + head, done->len_bytes - head}};
    if (writev(flue_tap_fd(p->tap), iov, 4) < 0) {
        p->stats.rx_refused++;
        return;
    }
    p->stats.rx_packets++;
    p->stats.rx_bytes += done->len_bytes;
    p->stats.rx_good += good;
}

static void on_rx_done(void *ctx, const struct flue_rx_done *done)
{
    struct flue_port *p = ctx;
    struct rx_buffer *b = done->cookie;

    if (done->status != FLUE_ST_OK)
        p->stats.rx_returned++;
    else if (!done->diverted)
        flue_port_deliver(p, done, b->data);
    else if (p->params.diverted != NULL)
        p->params.diverted(p->params.ctx, done, b->data);
    rx_idle(p, b);
}

enum flue_err flue_port_refill(struct flue_port *p)
{
    if (p == NULL || p->adapter == NULL)
        return FLUE_EARG;
    while (p->rx_idle != NULL) {
        struct rx_buffer *b = p->rx_idle;
        struct flue_frag frag = {.region = p->rx_mem.region, .offset = b->at, .len_bytes = p->rx_bytes};
        enum flue_err err = flue_rx_put(p->adapter, &frag, b);
        if (err == FLUE_EAGAIN || err == FLUE_ESTATE)
            break;
        if (err != FLUE_OK)
            return err;
        p->rx_idle = b->next_idle;
    }
    enum flue_err err = flue_rx_kick(p->adapter);
    return err == FLUE_ESTATE ? FLUE_OK : err;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

enum flue_err flue_port_new(struct flue_tap *tap, const struct flue_port_params *params, struct flue_port **port)
{
    if (port == NULL || tap == NULL)
        return FLUE_EARG;
    *port = NULL;
    struct flue_port *p = calloc(1, sizeof *p);
    if (p == NULL)
        return FLUE_ENOMEM;
    p->tap = tap;
    if (params != NULL)
        p->params = *params;
    if (p->params.tx_buffers == 0)
        p->params.tx_buffers = TX_BUFFERS_DEFAULT;
    if (p->params.rx_buffers == 0)
        p->params.rx_buffers = RX_BUFFERS_DEFAULT;
    if (p->params.tx_bytes_in_flight == 0)
        p->params.tx_bytes_in_flight = TX_FLIGHT_DEFAULT;
    p->tx = calloc(p->params.tx_buffers, sizeof *p->tx);
    p->rx = calloc(p->params.rx_buffers, sizeof *p->rx);
    p->slot = calloc(HDR_SLOTS, sizeof *p->slot);
    if (p->tx == NULL || p->rx == NULL || p->slot == NULL) {
        flue_port_free(p);
        return FLUE_ENOMEM;
    }
    *port = p;
    return FLUE_OK;
}

static enum flue_err mask_set(struct flue_port *p, uint32_t mask)
{
    return mask == flue_tap_offload(p->tap) ? FLUE_OK : flue_tap_offload_set(p->tap, mask);
}

static void on_marker(void *ctx, uint32_t conn_handle, uint32_t number)
{
    struct flue_port *p = ctx;
    if (p->params.marker != NULL)
        p->params.marker(p->params.ctx, conn_handle, number);
}

const struct flue_tap *flue_port_tap(const struct flue_port *p)
{
    return p->tap;
}

/* However the settings changed, what was switched off leaves the interface at once; what was added waits for its caller. */
static void on_config_changed(void *ctx, const struct flue_config *set)
{
    struct flue_port *p = ctx;
    struct flue_config now;

    (void)set;
    if (p->adapter == NULL)
        return;
    flue_config_active(p->adapter, &now);
    if (mask_set(p, flue_tap_offload(p->tap) & flue_port_offload_of(&now)) != FLUE_OK)
        p->stats.mask_refused++;
}

struct flue_handlers flue_port_handlers(struct flue_port *p)
{
    return (struct flue_handlers){
        .ctx = p, .tx_done = on_tx_done, .rx_done = on_rx_done, .config_changed = on_config_changed, .marker = on_marker};
}

static void buffers_cut(struct flue_port *p)
{
    uint8_t *tx = p->tx_mem.addr, *rx = p->rx_mem.addr;

    for (uint32_t i = 0; i < p->params.tx_buffers; i++) {
        struct tx_buffer *b = &p->tx[i];
        b->at = i * TX_BUFFER_BYTES;
        b->data = tx + b->at;
        b->unit.buffer = b;
        b->next_free = p->tx_free;
        p->tx_free = b;
    }
    for (uint32_t i = 0; i < HDR_SLOTS; i++) {
        p->slot[i].is_slot = true;
        p->slot[i].header_at = p->params.tx_buffers * TX_BUFFER_BYTES + i * FLUE_SOFT_HDR_MAX;
        slot_release(p, &p->slot[i]);
    }
    for (uint32_t i = 0; i < p->params.rx_buffers; i++) {
        p->rx[i].at = i * p->rx_bytes;
        p->rx[i].data = rx + p->rx[i].at;
        rx_idle(p, &p->rx[i]);
    }
}

enum flue_err flue_port_start(struct flue_port *p, struct flue_adapter *adapter)
{
    if (p == NULL || adapter == NULL)
        return FLUE_EARG;
    uint32_t frame = flue_adapter_identity(adapter)->max_frame_bytes;
    p->rx_bytes = (frame + RX_ALIGN_BYTES - 1) / RX_ALIGN_BYTES * RX_ALIGN_BYTES;

    enum flue_err err =
        flue_mem_alloc(adapter, (size_t)p->params.tx_buffers * TX_BUFFER_BYTES + (size_t)HDR_SLOTS * FLUE_SOFT_HDR_MAX,
                       FLUE_ACCESS_READ, &p->tx_mem);
    if (err == FLUE_OK)
        err = flue_mem_alloc(adapter, (size_t)p->params.rx_buffers * p->rx_bytes, FLUE_ACCESS_READ_WRITE, &p->rx_mem);
    if (err != FLUE_OK)
        return err;
    p->adapter = adapter;
    buffers_cut(p);
    return flue_port_refill(p);
}

void flue_port_stats_get(const struct flue_port *p, struct flue_port_stats *stats)
{
    *stats = p->stats;
}

void flue_port_free(struct flue_port *p)
{
    if (p == NULL)
        return;
    free(p->slot);
    free(p->rx);
    free(p->tx);
    free(p);
}

/* ---- settings ---------------------------------------------------------------------------------------------------- */

enum flue_err flue_port_config_set(struct flue_port *p, const struct flue_config *request)
{
    struct flue_config now;

    if (p == NULL || p->adapter == NULL || request == NULL)
        return FLUE_EARG;
    flue_config_active(p->adapter, &now);
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++)
        if (request->way[i] != FLUE_WAY_KEEP)
            now.way[i] &= request->way[i];
    uint32_t before = flue_tap_offload(p->tap);
    enum flue_err err = mask_set(p, flue_port_offload_of(&now) & before); /* tighten first */
    if (err != FLUE_OK)
        return err;
    err = flue_config_set(p->adapter, request);
    flue_config_active(p->adapter, &now);
    enum flue_err loosened = mask_set(p, flue_port_offload_of(&now)); /* loosen last; a refused request puts it back */
    return err != FLUE_OK ? err : loosened;
}

enum flue_err flue_port_encap_set(struct flue_port *p, enum flue_encap ipv4, enum flue_encap ipv6)
{
    struct flue_config now;

    if (p == NULL || p->adapter == NULL)
        return FLUE_EARG;
    enum flue_err err = flue_encap_set(p->adapter, ipv4, ipv6); /* what it takes away has left the TAP when this returns */
    if (err != FLUE_OK)
        return err;
    flue_config_active(p->adapter, &now);
    return mask_set(p, flue_port_offload_of(&now));
}
