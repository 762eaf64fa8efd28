#include "raw.h"

#include <sys/mman.h>

#define PUT(name, value) (((uint32_t)(value) << name##_SHIFT) & name##_MASK)
#define GET(name, word)  (((word)&name##_MASK) >> name##_SHIFT)

void raw_write(struct raw *r, uint32_t reg, uint32_t value)
{
    enum flue_err err = r->link->ops->write32(r->link, reg, value);
    CHECK(err == FLUE_OK, "width %u: write 0x%x: %s %s", r->width, reg, flue_err_name(err), flue_sim_violation(r->sim));
}

uint32_t raw_read(struct raw *r, uint32_t reg)
{
    uint32_t v;
    enum flue_err err = r->link->ops->read32(r->link, reg, &v);
    CHECK(err == FLUE_OK, "width %u: read 0x%x: %s %s", r->width, reg, flue_err_name(err), flue_sim_violation(r->sim));
    return v;
}

static void region(struct raw *r, unsigned row, uint32_t flags)
{
    uint32_t at = FLUE_REG_REGION + row * FLUE_REGION_STRIDE;
    raw_write(r, at + 0, (uint32_t)r->bus);
    raw_write(r, at + 4, (uint32_t)(r->bus >> 32));
    raw_write(r, at + 8, RAW_BYTES);
    raw_write(r, at + 12, flags);
}

void raw_queue(struct raw *r, unsigned queue)
{
    static const uint32_t BASE[2] = {FLUE_REG_TXQ_BASE, FLUE_REG_RXQ_BASE}, CFG[2] = {FLUE_REG_TXQ_CFG, FLUE_REG_RXQ_CFG};
    static const uint32_t BUSY[2] = {FLUE_STATUS_TX_BUSY_MASK, FLUE_STATUS_RX_BUSY_MASK};
    raw_write(r, CFG[queue], 0);
    for (unsigned i = 0; i < 10000 && (raw_read(r, FLUE_REG_STATUS) & BUSY[queue]); i++)
        CHECK(i < 9999, "queue %u stays busy", queue);
    r->tail[queue] = 0;
    raw_ring(r, queue);
    raw_write(r, BASE[queue], queue ? RAW_RXQ : RAW_TXQ);
    raw_write(r, CFG[queue], PUT(FLUE_TXQ_CFG_LOG2_SLOTS, RAW_LOG2) | FLUE_TXQ_CFG_ENABLE_MASK);
}

struct raw *raw_open(unsigned width, bool rough)
{
    struct raw *r = calloc(1, sizeof *r);
    struct flue_sim_config cfg;
    flue_sim_config_init(&cfg);
    cfg.width = width;
    cfg.seed = check_seed;
    cfg.fst_path = getenv("RIG_FST");
    if (rough) {
        cfg.memory = (struct flue_sim_memory){.stall = 0.25, .latency_min = 2, .latency_max = 80, .reorder = true};
        cfg.wire_tx_stall = 0.1;
        cfg.wire_rx_gap = 0.1;
    }
    if (!r)
        exit(1);
    r->width = width;
    flue_rng_init(&r->rng, check_seed, "raw");
    enum flue_err err = flue_sim_open(&cfg, &r->sim);
    if (err) {
        printf("width %u: %s: %s\n", width, flue_err_name(err), flue_sim_open_error());
        exit(1);
    }
    r->link = flue_sim_link(r->sim);
    r->mem = mmap(NULL, RAW_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r->mem == MAP_FAILED || r->link->ops->map(r->link, r->mem, RAW_BYTES, &r->bus))
        exit(1);
    region(r, 0, FLUE_REGION_FLAGS_VALID_MASK | FLUE_REGION_FLAGS_WRITE_MASK);
    region(r, 1, FLUE_REGION_FLAGS_VALID_MASK);
    raw_write(r, FLUE_REG_TX_CFG, 0x1FF);
    raw_write(r, FLUE_REG_RX_CFG, 0x6FF);
    raw_write(r, FLUE_REG_EQ_BASE, RAW_EQ);
    raw_write(r, FLUE_REG_EQ_CFG, PUT(FLUE_EQ_CFG_LOG2_SLOTS, RAW_EQ_LOG2) | FLUE_EQ_CFG_ENABLE_MASK);
    raw_write(r, FLUE_REG_CTRL, FLUE_CTRL_ENABLE_MASK);
    raw_queue(r, 0);
    raw_queue(r, 1);
    for (unsigned i = 0; i < 0x10000; i++)
        r->mem[RAW_DATA + i] = (uint8_t)(0x40 + i % 61);
    r->mem[RAW_DATA + 12] = 0x88;
    r->mem[RAW_DATA + 13] = 0xB5;
    return r;
}

void raw_close(struct raw *r)
{
    const char *why = flue_sim_violation(r->sim);
    CHECK(!why, "width %u: %s", r->width, why);
    CHECK(flue_sim_close(r->sim) == (why ? FLUE_EMONITOR : FLUE_OK));
    munmap(r->mem, RAW_BYTES);
    free(r);
}

void raw_slot_at(struct raw *r, uint32_t offset, uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3)
{
    memcpy(r->mem + offset, (uint32_t[]){w0, w1, w2, w3}, 16);
}

void raw_slot(struct raw *r, unsigned queue, uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3)
{
    raw_slot_at(r, (queue ? RAW_RXQ : RAW_TXQ) + (r->tail[queue]++ % RAW_SLOTS) * FLUE_SLOT_BYTES, w0, w1, w2, w3);
}

void raw_ring(struct raw *r, unsigned queue)
{
    raw_write(r, queue ? FLUE_REG_RXQ_TAIL : FLUE_REG_TXQ_TAIL, r->tail[queue]);
}

uint32_t raw_packet(uint32_t len)
{
    return PUT(FLUE_SLOT_PACKET_KIND, FLUE_SK_PACKET) | PUT(FLUE_SLOT_PACKET_LENGTH, len);
}

uint32_t raw_frag(unsigned reg, bool last)
{
    return PUT(FLUE_SLOT_FRAG_KIND, FLUE_SK_FRAG) | PUT(FLUE_SLOT_FRAG_LAST, last) | PUT(FLUE_SLOT_FRAG_REGION, reg);
}

uint32_t raw_link(unsigned reg)
{
    return PUT(FLUE_SLOT_LINK_KIND, FLUE_SK_LINK) | PUT(FLUE_SLOT_LINK_REGION, reg);
}

void raw_good(struct raw *r, uint32_t len)
{
    raw_slot(r, 0, raw_packet(len), 0, 0, 0);
    raw_slot(r, 0, raw_frag(0, true), len, RAW_DATA, 0);
}

void raw_buffer(struct raw *r, unsigned i, uint32_t len)
{
    raw_slot(r, 1, raw_frag(0, true), len, RAW_BUFFER + i * RAW_BUFFER_BYTES, 0);
}

bool raw_settle(struct raw *r)
{
    enum flue_err err = flue_sim_settle(r->sim, 1000000);
    CHECK(err == FLUE_OK, "width %u: %s %s", r->width, flue_err_name(err), flue_sim_violation(r->sim));
    return err == FLUE_OK;
}

bool raw_next(struct raw *r, struct raw_event *e)
{
    uint32_t w[4];
    memcpy(w, r->mem + RAW_EQ + (r->event % RAW_EVENTS) * FLUE_SLOT_BYTES, sizeof w);
    if ((w[3] >> 31) != !((r->event >> RAW_EQ_LOG2) & 1u))
        return false;
    *e = (struct raw_event){GET(FLUE_EVENT_TX_KIND, w[0]),
                            GET(FLUE_EVENT_TX_QUEUE_ID, w[0]),
                            GET(FLUE_EVENT_TX_STATUS, w[0]),
                            (uint16_t)GET(FLUE_EVENT_TX_INDEX, w[0]),
                            w[1],
                            w[2]};
    r->event++;
    raw_write(r, FLUE_REG_EQ_HEAD, r->event);
    return true;
}

void raw_expect(struct raw *r, const char *what, unsigned kind, unsigned queue, unsigned status, uint16_t index)
{
    struct raw_event e;
    if (!raw_next(r, &e)) {
        CHECK(false, "width %u, %s: no event", r->width, what);
        return;
    }
    CHECK(e.kind == kind && e.queue == queue && e.status == status && e.index == index,
          "width %u, %s: kind %u queue %u status %u index %u, should be %u %u %u %u", r->width, what, e.kind, e.queue, e.status,
          e.index, kind, queue, status, index);
}

void raw_expect_silence(struct raw *r, const char *what)
{
    struct raw_event e;
    CHECK(!raw_next(r, &e), "width %u, %s: event of kind %u, queue %u, status %u, index %u", r->width, what, e.kind, e.queue,
          e.status, e.index);
}

unsigned raw_frames(struct raw *r)
{
    static uint8_t frame[65536];
    unsigned n = 0;
    size_t len;
    while (flue_sim_wire_recv(r->sim, frame, sizeof frame, &len, NULL) == FLUE_OK)
        n++;
    return n;
}

void raw_everywhere(void (*body)(struct raw *raw))
{
    static const unsigned WIDTHS[] = {32, 64, 128};
    const char *only = getenv("RIG_WIDTH");
    for (unsigned i = 0; i < sizeof WIDTHS / sizeof *WIDTHS; i++)
        for (int rough = 0; rough < 2; rough++) {
            if (only && strtoul(only, NULL, 10) != WIDTHS[i])
                continue;
            struct raw *r = raw_open(WIDTHS[i], rough);
            unsigned before = check_failures;
            body(r);
            if (check_failures != before)
                printf("  (width %u, %s)\n", WIDTHS[i], rough ? "rough" : "smooth");
            raw_close(r);
        }
}
