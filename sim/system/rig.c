#include "rig.h"

#define SETTLE_US 1000000u

static void keep(struct rig_frame *f, const uint8_t *data, size_t len)
{
    free(f->data);
    f->data = malloc(len ? len : 1);
    if (!f->data)
        exit(1);
    memcpy(f->data, data, len);
    f->len = len;
}

static void on_frame(void *user, const uint8_t *frame, size_t len, uint64_t time_us)
{
    struct rig *r = user;
    (void)time_us;
    if (r->outs < RIG_KEEP)
        keep(&r->out[r->outs++], frame, len);
}

static void tx_done(void *ctx, const struct flue_tx_done *done)
{
    struct rig *r = ctx;
    if (r->dones < RIG_KEEP)
        r->done[r->dones++] = *done;
}

static void put_buffer(struct rig *r, unsigned index)
{
    struct flue_frag f = {r->rx.region, index * RIG_BUFFER_BYTES, RIG_BUFFER_BYTES};
    enum flue_err err = flue_rx_put(r->adapter, &f, (void *)(uintptr_t)(index + 1));
    CHECK(err == FLUE_OK || err == FLUE_ESTATE, "flue_rx_put: %s", flue_err_name(err));
    r->buffer_out[index] = err == FLUE_OK;
}

static void rx_done(void *ctx, const struct flue_rx_done *done)
{
    struct rig *r = ctx;
    unsigned index = (unsigned)(uintptr_t)done->cookie - 1;
    CHECK(index < RIG_BUFFERS && r->buffer_out[index], "width %u: buffer %u came back twice", r->width, index);
    r->buffer_out[index] = false;
    if (done->status == FLUE_ST_OK && r->ins < RIG_KEEP) {
        keep(&r->in[r->ins], (uint8_t *)r->rx.addr + (size_t)index * RIG_BUFFER_BYTES, done->len_bytes);
        r->in[r->ins++].rx = *done;
    } else if (done->status != FLUE_ST_OK) {
        r->rx_returned++;
        r->rx_status = done->status;
    }
    if (r->refill && done->status != FLUE_ST_ABORTED)
        put_buffer(r, index);
}

static void queue_error(void *ctx, enum flue_queue_id queue, uint8_t code)
{
    struct rig *r = ctx;
    if (r->errors < 64) {
        r->error[r->errors].queue = queue;
        r->error[r->errors++].code = code;
    }
}

static void marker(void *ctx, uint32_t conn_handle, uint32_t number)
{
    struct rig *r = ctx;
    (void)number;
    r->marker = conn_handle;
}

struct rig *rig_open(const struct rig_options *o)
{
    struct rig *r = calloc(1, sizeof *r);
    struct flue_sim_config cfg;
    if (!r)
        exit(1);
    flue_sim_config_init(&cfg);
    cfg.width = r->width = o->width;
    cfg.seed = check_seed;
    cfg.clock_mhz = o->width == 32 ? 62 : 125;
    cfg.on_frame = on_frame;
    cfg.user = r;
    cfg.wire_rx_idle = o->rx_idle;
    cfg.log_path = o->log_path;
    cfg.fst_path = getenv("RIG_FST"); /* waves of the last adapter that was opened */
    if (o->rough) {
        cfg.memory = (struct flue_sim_memory){.stall = 0.25, .latency_min = 2, .latency_max = 80, .reorder = true};
        cfg.wire_tx_stall = 0.1;
        cfg.wire_rx_gap = 0.1;
    }
    flue_rng_init(&r->rng, check_seed, "rig");
    r->frames_state = check_seed;
    r->refill = true;
    enum flue_err err = flue_sim_open(&cfg, &r->sim);
    if (err) {
        printf("width %u: %s: %s\n", o->width, flue_err_name(err), flue_sim_open_error());
        exit(1);
    }
    r->link = flue_sim_link(r->sim);
    struct flue_handlers handlers = {
        .ctx = r, .tx_done = tx_done, .rx_done = rx_done, .queue_error = queue_error, .marker = marker};
    err = flue_adapter_open(r->link, &o->params, &handlers, &r->adapter);
    if (!err)
        err = flue_mem_alloc(r->adapter, RIG_TX_BYTES, FLUE_ACCESS_READ, &r->tx);
    if (!err)
        err = flue_mem_alloc(r->adapter, RIG_BUFFERS * RIG_BUFFER_BYTES, FLUE_ACCESS_READ_WRITE, &r->rx);
    if (!err)
        err = flue_encap_set(r->adapter, FLUE_ENCAP_ON, FLUE_ENCAP_ON);
    if (err) {
        const char *why = flue_sim_violation(r->sim);
        printf("width %u: adapter: %s: %s\n", o->width, flue_err_name(err), why ? why : "no violation");
        exit(1);
    }
    rig_refill(r);
    return r;
}

void rig_refill(struct rig *r)
{
    for (unsigned i = 0; i < RIG_BUFFERS && flue_rx_room(r->adapter); i++)
        if (!r->buffer_out[i])
            put_buffer(r, i);
    enum flue_err err = flue_rx_kick(r->adapter);
    CHECK(err == FLUE_OK || err == FLUE_ESTATE, "flue_rx_kick: %s", flue_err_name(err));
}

void rig_close(struct rig *r)
{
    const char *why = flue_sim_violation(r->sim);
    flue_adapter_close(r->adapter);
    if (!why)
        why = flue_sim_violation(r->sim);
    CHECK(!why, "width %u: %s", r->width, why);
    CHECK(flue_sim_close(r->sim) == (why ? FLUE_EMONITOR : FLUE_OK));
    for (unsigned i = 0; i < RIG_KEEP; i++) {
        free(r->out[i].data);
        free(r->in[i].data);
    }
    free(r);
}

unsigned rig_load(struct rig *r, const uint8_t *packet, size_t len, unsigned frags, struct flue_frag *frag)
{
    size_t left = len, taken = 0;
    unsigned n = 0;
    while (left) {
        size_t piece = n + 1 >= frags || left == 1 ? left
                                                   : 1 + flue_rng_below(&r->rng, flue_rng_below(&r->rng, 3) ? left - 1
                                                                                 : 4 < left                 ? 4
                                                                                                            : left - 1);
        size_t skip = flue_rng_below(&r->rng, 67);
        if (r->tx_used + skip + piece > RIG_TX_BYTES)
            r->tx_used = 0;
        uint32_t at = (uint32_t)(r->tx_used + skip);
        memcpy((uint8_t *)r->tx.addr + at, packet + taken, piece);
        frag[n++] = (struct flue_frag){r->tx.region, at, (uint32_t)piece};
        r->tx_used = at + piece;
        taken += piece;
        left -= piece;
    }
    return n;
}

enum flue_err rig_put(struct rig *r, const uint8_t *packet, size_t len, unsigned frags, const struct flue_tx_packet *proto)
{
    struct flue_frag frag[FLUE_TX_FRAGS_MAX];
    struct flue_tx_packet p = *proto;
    p.frag_count = rig_load(r, packet, len, frags, frag);
    p.frags = frag;
    enum flue_err err = flue_tx_put(r->adapter, &p);
    return err ? err : flue_tx_kick(r->adapter);
}

bool rig_settle(struct rig *r)
{
    for (uint64_t end = flue_sim_time_us(r->sim) + SETTLE_US; flue_sim_time_us(r->sim) < end;) {
        unsigned handled = 0;
        enum flue_err err = flue_sim_settle(r->sim, SETTLE_US);
        if (err == FLUE_EMONITOR)
            return false;
        err = flue_poll(r->adapter, RIG_KEEP, &handled);
        if (!err && r->refill)
            err = flue_rx_kick(r->adapter);
        if (err == FLUE_ESTATE)
            err = FLUE_OK; /* the receive queue is stopped */
        if (err) {
            const char *why = flue_adapter_fault(r->adapter);
            CHECK(!err, "width %u: poll: %s %s", r->width, flue_err_name(err), why ? why : "");
            return false;
        }
        if (!handled)
            return true;
    }
    return false;
}

struct rig_frame *rig_next_out(struct rig *r)
{
    return r->out_at < r->outs ? &r->out[r->out_at++] : NULL;
}

struct rig_frame *rig_next_in(struct rig *r)
{
    return r->in_at < r->ins ? &r->in[r->in_at++] : NULL;
}

struct flue_tx_done *rig_next_done(struct rig *r)
{
    return r->done_at < r->dones ? &r->done[r->done_at++] : NULL;
}

void rig_forget(struct rig *r)
{
    r->outs = r->out_at = r->ins = r->in_at = r->dones = r->done_at = r->rx_returned = r->errors = 0;
}

uint64_t rig_stat(struct rig *r, unsigned stat)
{
    uint64_t value;
    CHECK(flue_stat_read(r->adapter, stat, &value) == FLUE_OK);
    return value;
}

void rig_expect_alive(struct rig *r)
{
    uint8_t frame[1514];
    rig_forget(r);
    memset(frame, 0x5A, sizeof frame);
    frame[12] = 0x88;
    frame[13] = 0xB5;
    CHECK(rig_put(r, frame, sizeof frame, 3, &(struct flue_tx_packet){0}) == FLUE_OK, "width %u", r->width);
    CHECK(flue_sim_wire_send(r->sim, frame, 777) == FLUE_OK);
    CHECK(rig_settle(r), "width %u: does not settle", r->width);
    struct rig_frame *out = rig_next_out(r), *in = rig_next_in(r);
    struct flue_tx_done *done = rig_next_done(r);
    CHECK(out && out->len == sizeof frame && !memcmp(out->data, frame, sizeof frame), "width %u: nothing left", r->width);
    CHECK(in && in->len == 777 && !memcmp(in->data, frame, 777), "width %u: nothing received", r->width);
    CHECK(done && done->status == FLUE_ST_OK && done->frames == 1, "width %u: no completion", r->width);
    rig_forget(r);
}

void rig_everywhere(void (*body)(struct rig *rig))
{
    static const unsigned WIDTHS[] = {32, 64, 128};
    const char *only = getenv("RIG_WIDTH"); /* one width, for a quick look */
    for (unsigned i = 0; i < sizeof WIDTHS / sizeof *WIDTHS; i++)
        for (int rough = 0; rough < 2; rough++) {
            if (only && strtoul(only, NULL, 10) != WIDTHS[i])
                continue;
            struct rig *r = rig_open(&(struct rig_options){.width = WIDTHS[i], .rough = rough});
            unsigned before = check_failures;
            body(r);
            if (check_failures != before)
                printf("  (width %u, %s)\n", WIDTHS[i], rough ? "rough" : "smooth");
            rig_close(r);
        }
}
