/*
 * The runtime around a small model written here: it echoes frames and answers registers as it should, and breaks one rule of
 * the bus, the wire or the rings when a test asks for it.  Every monitor must see its rule broken, and none may see one that
 * holds.
 */
#include "runtime.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "flue/control.h"
#include "flue/layout.h"
#include "flue/regs.h"
#include "packet.h"

enum { WIDTH = 64, BYTES = WIDTH / 8, FIFO = 1024 };

enum fault {
    FAULT_NONE,
    FAULT_KEEP_HOLE,
    FAULT_KEEP_INNER,
    FAULT_BAD_MARK,
    FAULT_TX_CHANGES,
    FAULT_RX_STALLS,
    FAULT_IDLE_LIES,
    FAULT_IDLE_FALLS,
    FAULT_STUCK,
    FAULT_OVERDUE,
    FAULT_NO_ANSWER,
    FAULT_AR_CHANGES,
    FAULT_W_CHANGES,
    FAULT_WLAST_EARLY,
    FAULT_WLAST_LATE,
    FAULT_ECHO_BIT,
    FAULT_IRQ_IDLE,
};

struct beat {
    uint8_t data[BYTES];
    uint8_t keep;
    bool last;
};

/* A bus access the test wants. */
struct access {
    bool write;
    uint64_t addr;
    unsigned beats;
    uint8_t data[256];
    uint64_t strobe;
    uint8_t id, size, burst;
};

static struct fake {
    enum fault fault;
    uint64_t cycle, fault_cycle;
    uint32_t reg[1024];
    struct beat fifo[FIFO];
    uint32_t fifo_in, fifo_out;
    bool b_valid, r_valid;
    uint32_t r_data;
    struct access access[256];
    unsigned accesses, access_at;
    bool addressed;
    unsigned beat;
    uint8_t got[256][256]; /* data of reads */
    unsigned got_beats[256], got_resp[256];
    unsigned responses;
    uint64_t deadline_us;
    bool deadline;
} fake;

static void *fake_create(uint64_t seed)
{
    enum fault fault = fake.fault;
    (void)seed;
    memset(&fake, 0, sizeof fake);
    fake.fault = fault;
    fake.reg[FLUE_REG_BUILD_FRAME / 4] = 9018;
    return &fake;
}

static void fake_destroy(void *model)
{
    (void)model;
}
static bool fake_failed(void *model)
{
    (void)model;
    return false;
}
static bool fake_trace_open(void *model, const char *path)
{
    (void)model, (void)path;
    return false;
}
static void fake_trace_close(void *model)
{
    (void)model;
}

static bool fake_busy(void)
{
    return fake.fifo_in != fake.fifo_out || fake.b_valid || fake.r_valid || fake.responses < fake.accesses;
}

/* Outputs from state alone. */
static void fake_outputs(struct flue_model_out *out)
{
    bool faulty = fake.cycle >= fake.fault_cycle && fake.fault_cycle;
    out->bits = FLUE_OUT_AXIL_AWREADY | FLUE_OUT_AXIL_WREADY | FLUE_OUT_AXIL_ARREADY | FLUE_OUT_RX_READY | FLUE_OUT_AXI_BREADY |
                FLUE_OUT_AXI_RREADY;
    out->bits |= (fake.b_valid ? (uint32_t)FLUE_OUT_AXIL_BVALID : 0) | (fake.r_valid ? (uint32_t)FLUE_OUT_AXIL_RVALID : 0);
    out->axil_rdata = fake.r_data;
    if (fake.fifo_in != fake.fifo_out) {
        struct beat *b = &fake.fifo[fake.fifo_out % FIFO];
        out->bits |= FLUE_OUT_TX_VALID | (b->last ? (uint32_t)FLUE_OUT_TX_LAST : 0);
        memcpy(out->tx_data, b->data, BYTES);
        out->tx_keep = b->keep;
        if (fake.fault == FAULT_KEEP_HOLE && b->last)
            out->tx_keep = 0x5;
        if (fake.fault == FAULT_KEEP_INNER && !b->last)
            out->tx_keep = 0x7;
        if (fake.fault == FAULT_BAD_MARK)
            out->bits |= FLUE_OUT_TX_BAD;
        if (fake.fault == FAULT_TX_CHANGES)
            out->tx_data[0] = (uint8_t)fake.cycle;
        if (fake.fault == FAULT_ECHO_BIT && b->last)
            out->tx_data[0] ^= 1;
    }
    if (fake.access_at < fake.accesses) {
        struct access *a = &fake.access[fake.access_at];
        if (!fake.addressed && !a->write) {
            out->bits |= FLUE_OUT_AXI_ARVALID;
            out->axi_araddr = a->addr + (fake.fault == FAULT_AR_CHANGES ? fake.cycle % 2 * 8 : 0);
            out->axi_arid = a->id;
            out->axi_arlen = (uint8_t)(a->beats - 1);
            out->axi_arsize = a->size;
            out->axi_arburst = a->burst;
        } else if (!fake.addressed) {
            out->bits |= FLUE_OUT_AXI_AWVALID;
            out->axi_awaddr = a->addr;
            out->axi_awid = a->id;
            out->axi_awlen = (uint8_t)(a->beats - 1);
            out->axi_awsize = a->size;
            out->axi_awburst = a->burst;
        } else if (a->write) {
            unsigned last = a->beats - 1 - (fake.fault == FAULT_WLAST_EARLY) + (fake.fault == FAULT_WLAST_LATE);
            out->bits |= FLUE_OUT_AXI_WVALID | (fake.beat == last ? (uint32_t)FLUE_OUT_AXI_WLAST : 0);
            memcpy(out->axi_wdata, a->data + fake.beat * BYTES, BYTES);
            if (fake.fault == FAULT_W_CHANGES)
                out->axi_wdata[0] = (uint8_t)fake.cycle;
            out->axi_wstrb = a->strobe;
        }
    }
    if (fake.deadline) {
        out->bits |= FLUE_OUT_DEADLINE;
        out->deadline_us = fake.deadline_us;
    }
    if (!fake_busy() || fake.fault == FAULT_IDLE_LIES)
        out->bits |= FLUE_OUT_IDLE;
    if (fake.fault == FAULT_STUCK && faulty)
        out->bits &= ~(uint32_t)FLUE_OUT_IDLE;
    if (fake.fault == FAULT_IDLE_FALLS && faulty && fake.cycle < fake.fault_cycle + 4)
        out->bits &= ~(uint32_t)FLUE_OUT_IDLE;
    if (fake.fault == FAULT_IRQ_IDLE && faulty)
        out->bits |= FLUE_OUT_IRQ;
    if (fake.fault == FAULT_RX_STALLS && faulty)
        out->bits &= ~(uint32_t)FLUE_OUT_RX_READY;
}

static void fake_edge(const struct flue_model_in *in, const struct flue_model_out *out)
{
    fake.cycle++;
    if (in->bits & FLUE_IN_RST)
        return;
    if (fake.b_valid && (in->bits & FLUE_IN_AXIL_BREADY))
        fake.b_valid = false;
    if (fake.r_valid && (in->bits & FLUE_IN_AXIL_RREADY))
        fake.r_valid = false;
    if ((in->bits & FLUE_IN_AXIL_AWVALID) && fake.fault != FAULT_NO_ANSWER) {
        fake.reg[in->axil_awaddr / 4] = in->axil_wdata;
        fake.b_valid = true;
    }
    if ((in->bits & FLUE_IN_AXIL_ARVALID) && fake.fault != FAULT_NO_ANSWER) {
        fake.r_data = fake.reg[in->axil_araddr / 4];
        fake.r_valid = true;
    }
    if ((out->bits & FLUE_OUT_TX_VALID) && (in->bits & FLUE_IN_TX_READY))
        fake.fifo_out++;
    if ((in->bits & FLUE_IN_RX_VALID) && (out->bits & FLUE_OUT_RX_READY)) {
        struct beat *b = &fake.fifo[fake.fifo_in++ % FIFO];
        memcpy(b->data, in->rx_data, BYTES);
        b->keep = (uint8_t)in->rx_keep;
        b->last = in->bits & FLUE_IN_RX_LAST;
    }
    if ((in->bits & FLUE_IN_AXI_RVALID) && fake.responses < fake.accesses) {
        unsigned n = fake.responses;
        memcpy(fake.got[n] + fake.got_beats[n] % 32 * BYTES, in->axi_rdata, BYTES);
        fake.got_resp[n] |= in->axi_rresp;
        fake.got_beats[n]++;
        if (in->bits & FLUE_IN_AXI_RLAST)
            fake.responses++;
    }
    if (in->bits & FLUE_IN_AXI_BVALID) {
        fake.got_resp[fake.responses] = in->axi_bresp;
        fake.responses++;
    }
    if (((out->bits & FLUE_OUT_AXI_ARVALID) && (in->bits & FLUE_IN_AXI_ARREADY)))
        fake.access_at++;
    if ((out->bits & FLUE_OUT_AXI_AWVALID) && (in->bits & FLUE_IN_AXI_AWREADY))
        fake.addressed = true;
    if ((out->bits & FLUE_OUT_AXI_WVALID) && (in->bits & FLUE_IN_AXI_WREADY)) {
        fake.beat++;
        if (out->bits & FLUE_OUT_AXI_WLAST) {
            fake.addressed = false;
            fake.beat = 0;
            fake.access_at++;
        }
    }
    if (fake.deadline && in->time_us >= fake.deadline_us && fake.fault != FAULT_OVERDUE)
        fake.deadline = false;
}

static void fake_cycle(void *model, const struct flue_model_in *in, struct flue_model_out *out)
{
    (void)model;
    fake_outputs(out);
    fake_edge(in, out);
}

static const struct flue_model_api FAKE = {
    .abi = FLUE_MODEL_ABI,
    .width = WIDTH,
    .create = fake_create,
    .destroy = fake_destroy,
    .cycle = fake_cycle,
    .trace_open = fake_trace_open,
    .trace_close = fake_trace_close,
    .failed = fake_failed,
};

/* --- Helpers -------------------------------------------------------------------------------------------------------------- */

static struct flue_sim_config config(void)
{
    struct flue_sim_config cfg;
    flue_sim_config_init(&cfg);
    cfg.width = WIDTH;
    cfg.seed = check_seed;
    cfg.stuck_us = 50;
    return cfg;
}

static struct flue_sim *open_with(enum fault fault, const struct flue_sim_config *cfg)
{
    struct flue_sim *sim = NULL;
    fake.fault = fault;
    CHECK(flue_sim_open_model(cfg, &FAKE, &sim) == FLUE_OK, "%s", flue_sim_open_error());
    if (!sim)
        exit(1);
    return sim;
}

static void pass(struct flue_sim *sim, uint64_t us)
{
    enum flue_sim_why why;
    enum flue_err err = flue_sim_advance(sim, us, 0, &why);
    CHECK(err == FLUE_OK || flue_sim_violation(sim));
}

/* The run must have been stopped by this rule. */
static void expect_violation(struct flue_sim *sim, const char *rule)
{
    const char *said = flue_sim_violation(sim);
    CHECK(said && strstr(said, rule), "said: %s; should contain: %s", said ? said : "nothing", rule);
    CHECK(flue_sim_close(sim) == FLUE_EMONITOR);
}

static void expect_clean(struct flue_sim *sim)
{
    const char *said = flue_sim_violation(sim);
    CHECK(!said, "%s", said);
    CHECK(flue_sim_close(sim) == FLUE_OK);
}

/* A UDP frame whose checksums are right. */
static size_t udp_frame(uint8_t *f, unsigned payload, unsigned fill)
{
    size_t len = 42 + payload;
    memset(f, (int)fill, len);
    static const uint8_t HEAD[] = {2, 0,    0, 0,  0,  1, 2, 0,  0, 0, 0, 2,  8, 0, 0x45, 0,    0,    0,    0,
                                   0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,    0x12, 0x34, 0x56, 0x78};
    memcpy(f, HEAD, sizeof HEAD);
    f[16] = (uint8_t)((28 + payload) >> 8);
    f[17] = (uint8_t)(28 + payload);
    f[38] = (uint8_t)((8 + payload) >> 8);
    f[39] = (uint8_t)(8 + payload);
    f[40] = f[41] = 0;
    flue_pkt_fill_csums(f, len);
    return len;
}

static uint8_t *memory(size_t len)
{
    uint8_t *m = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED)
        exit(1);
    return m;
}

/* Have the model make an access; begin() lets it. */
static void want(bool write, const void *addr, unsigned beats)
{
    fake.access[fake.accesses++] = (struct access){
        .write = write, .addr = (uint64_t)(uintptr_t)addr, .beats = beats, .strobe = 0xFF, .size = 3, .burst = 1};
}

static void begin(struct flue_sim *sim)
{
    struct flue_link *link = flue_sim_link(sim);
    enum flue_err err = link->ops->write32(link, 0x800, 1); /* a cause for it to leave idle */
    CHECK(err == FLUE_OK || flue_sim_violation(sim));
}

/* --- Time ----------------------------------------------------------------------------------------------------------------- */

TEST(idle_time_is_skipped)
{
    struct flue_sim_config cfg = config();
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    struct flue_sim_stats st;
    pass(sim, 3600 * UINT64_C(1000000));
    flue_sim_stats(sim, &st);
    CHECK(st.cycles < 200, "%" PRIu64 " cycles", st.cycles);
    CHECK(flue_sim_time_us(sim) >= 3600000000 && flue_sim_time_us(sim) < 3600000003);
    CHECK(st.skipped_us >= 3599999990);
    expect_clean(sim);
}

TEST(a_deadline_is_met_on_time_in_the_middle_of_a_skip)
{
    struct flue_sim_config cfg = config();
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    uint64_t at;
    enum flue_sim_why why;
    fake.deadline = true;
    fake.deadline_us = 5000;
    CHECK(flue_sim_run(sim, 100, 0, &why) == FLUE_OK && why == FLUE_SIM_IDLE);
    CHECK(flue_sim_next_us(sim, &at) && at == 5000);
    CHECK(flue_sim_is_idle(sim));
    pass(sim, 4000);
    CHECK(fake.deadline);
    pass(sim, 2000);
    CHECK(!fake.deadline);
    CHECK(!flue_sim_next_us(sim, &at));
    expect_clean(sim);
}

TEST(live_time_follows_the_wall_clock_and_idleness_takes_no_cycles)
{
    struct flue_sim_config cfg = config();
    cfg.mode = FLUE_SIM_LIVE;
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    struct flue_sim_stats st;
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    uint64_t t0 = flue_sim_time_us(sim);
    pass(sim, 30000);
    clock_gettime(CLOCK_MONOTONIC, &b);
    int64_t wall = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000,
            mine = (int64_t)(flue_sim_time_us(sim) - t0);
    CHECK(mine >= 30000 && mine - wall < 5000 && wall - mine < 5000, "%" PRId64 " and %" PRId64 " us", mine, wall);
    flue_sim_stats(sim, &st);
    CHECK(st.cycles < 200, "%" PRIu64 " cycles", st.cycles);
    expect_clean(sim);
}

/* --- Traffic -------------------------------------------------------------------------------------------------------------- */

TEST(frames_come_back_unchanged_with_stalls_and_gaps)
{
    struct flue_sim_config cfg = config();
    struct flue_rng rng;
    uint8_t sent[64][1600], seen[1600];
    size_t len[64], got;
    flue_rng_init(&rng, check_seed, "frames");
    cfg.wire_tx_stall = 0.3;
    cfg.wire_rx_gap = 0.2;
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    for (unsigned i = 0; i < 64; i++) {
        len[i] = udp_frame(sent[i], flue_rng_below(&rng, 1400), i);
        CHECK(flue_sim_wire_send(sim, sent[i], len[i]) == FLUE_OK);
    }
    CHECK(flue_sim_settle(sim, 100000) == FLUE_OK);
    for (unsigned i = 0; i < 64; i++) {
        CHECK(flue_sim_wire_recv(sim, seen, sizeof seen, &got, NULL) == FLUE_OK);
        CHECK(got == len[i] && !memcmp(seen, sent[i], got), "frame %u", i);
    }
    CHECK(flue_sim_wire_recv(sim, seen, sizeof seen, &got, NULL) == FLUE_EAGAIN);
    struct flue_sim_stats st;
    flue_sim_stats(sim, &st);
    CHECK_EQ(st.frames_checked, 64);
    CHECK_EQ(st.udp_checksums, 64);
    CHECK_EQ(st.ip4_checksums, 64);
    expect_clean(sim);
}

TEST(registers_are_read_and_written_and_silence_is_a_timeout)
{
    struct flue_sim_config cfg = config();
    cfg.max_frame = 1518;
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    struct flue_link *link = flue_sim_link(sim);
    uint32_t v;
    CHECK(link->ops->write32(link, 0x500, 0xDEADBEEF) == FLUE_OK);
    CHECK(link->ops->read32(link, 0x500, &v) == FLUE_OK && v == 0xDEADBEEF);
    CHECK(link->ops->read32(link, 0x502, &v) == FLUE_EARG);
    CHECK(link->ops->write32(link, 0x10000, 0) == FLUE_EARG);
    expect_clean(sim);
    sim = open_with(FAULT_NO_ANSWER, &cfg);
    link = flue_sim_link(sim);
    CHECK(link->ops->read32(link, 0, &v) == FLUE_ETIMEOUT);
    expect_clean(sim);
}

TEST(the_delayed_wire_holds_a_frame_and_time_is_skipped_to_it)
{
    struct flue_sim_config cfg = config();
    uint8_t f[100], seen[100];
    size_t n = udp_frame(f, 40, 1), got;
    uint64_t at;
    cfg.wire_rx = "delay=20ms";
    cfg.wire_tx = "delay=30ms";
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    uint64_t t0 = flue_sim_time_us(sim);
    CHECK(flue_sim_wire_send(sim, f, n) == FLUE_OK);
    CHECK(flue_sim_settle(sim, 40000) == FLUE_ETIMEOUT);
    CHECK(flue_sim_settle(sim, 40000) == FLUE_OK);
    CHECK(flue_sim_wire_recv(sim, seen, sizeof seen, &got, &at) == FLUE_OK);
    CHECK(at - t0 >= 50000 && at - t0 < 50010, "after %" PRIu64 " us", at - t0);
    CHECK(got == n && !memcmp(seen, f, n));
    expect_clean(sim);
}

/* 40 frames of 1,000 bytes in, and back: both ports keep to the line, none is lost, nothing is faster. */
TEST(a_line_has_its_rate_both_ways)
{
    struct flue_sim_config cfg = config();
    uint8_t f[1500], seen[1500];
    size_t n = udp_frame(f, 1000 - 42, 1), got;
    uint64_t at = 0, first = 0;
    unsigned frames = 0;
    cfg.line_mbps = 100;
    cfg.clock_khz = 62500;
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    uint64_t t0 = flue_sim_time_us(sim);
    for (unsigned i = 0; i < 40; i++)
        CHECK(flue_sim_wire_send(sim, f, n) == FLUE_OK);
    CHECK(flue_sim_settle(sim, 100000) == FLUE_OK);
    while (flue_sim_wire_recv(sim, seen, sizeof seen, &got, &at) == FLUE_OK)
        first = frames++ == 0 ? at : first;
    double each_us = (double)(n + FLUE_WIRE_OVERHEAD) * 8 / 100;
    CHECK_EQ(frames, 40);
    CHECK((double)(at - first) > 38 * each_us && (double)(at - first) < 40 * each_us, "%" PRIu64 " us", at - first);
    CHECK((double)(at - t0) > 39 * each_us, "all after %" PRIu64 " us", at - t0);
    struct flue_sim_stats st;
    flue_sim_stats(sim, &st);
    double clocked_us = (double)(st.time_us - cfg.start_us - st.skipped_us);
    CHECK((double)st.cycles > 62.5 * (clocked_us - 2) && (double)st.cycles < 62.5 * (clocked_us + 60),
          "%" PRIu64 " cycles in %.0f us", st.cycles, clocked_us);
    expect_clean(sim);
}

/* --- Host memory ---------------------------------------------------------------------------------------------------------- */

TEST(reads_and_writes_reach_memory_under_stalls_and_reordering)
{
    struct flue_sim_config cfg = config();
    struct flue_rng rng;
    uint8_t *m = memory(65536), *copy = malloc(65536);
    uint64_t bus;
    cfg.memory = (struct flue_sim_memory){.stall = 0.4, .latency_min = 3, .latency_max = 60, .reorder = true, .outstanding = 5};
    flue_rng_init(&rng, check_seed, "dma");
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    struct flue_link *link = flue_sim_link(sim);
    REQUIRE(copy && link->ops->map(link, m, 65536, &bus) == FLUE_OK);
    CHECK(bus == (uint64_t)(uintptr_t)m);
    for (unsigned i = 0; i < 65536; i++)
        m[i] = (uint8_t)flue_rng_next(&rng);
    memcpy(copy, m, 65536);
    for (unsigned i = 0; i < 100; i++) {
        unsigned beats = 1 + flue_rng_below(&rng, 32), page = flue_rng_below(&rng, 16) * 4096;
        unsigned at = page + flue_rng_below(&rng, 512 - beats + 1) * 8;
        bool write = flue_rng_below(&rng, 2);
        want(write, m + at, beats);
        struct access *a = &fake.access[i];
        a->strobe = write ? flue_rng_below(&rng, 256) : 0;
        for (unsigned k = 0; k < beats * 8; k++) {
            a->data[k] = (uint8_t)flue_rng_next(&rng);
            if (write && (a->strobe >> k % 8 & 1))
                copy[at + k] = a->data[k];
        }
        begin(sim);
        CHECK(flue_sim_settle(sim, 10000) == FLUE_OK);
        CHECK(fake.got_resp[i] == 0);
        if (!write)
            CHECK(!memcmp(fake.got[i], copy + at, beats * 8), "access %u", i);
    }
    CHECK(!memcmp(m, copy, 65536));
    link->ops->unmap(link, bus);
    expect_clean(sim);
    munmap(m, 65536);
    free(copy);
}

TEST(an_armed_error_hits_exactly_its_burst)
{
    struct flue_sim_config cfg = config();
    uint8_t *m = memory(4096);
    uint64_t bus;
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    struct flue_link *link = flue_sim_link(sim);
    REQUIRE(link->ops->map(link, m, 4096, &bus) == FLUE_OK);
    CHECK(flue_sim_memory_error(sim, &(struct flue_sim_memory_error){.nth = 3, .count = 2}) == FLUE_OK);
    CHECK(flue_sim_memory_error(sim, &(struct flue_sim_memory_error){.write = true, .lo = bus + 64, .hi = bus + 72}) ==
          FLUE_OK);
    for (unsigned i = 0; i < 12; i++) {
        want(i >= 6, m + i * 8, 1);
        fake.access[i].data[0] = 0x77;
        begin(sim);
        CHECK(flue_sim_settle(sim, 1000) == FLUE_OK);
        CHECK_EQ(fake.got_resp[i], i == 2 || i == 3 || i == 8 ? 2 : 0);
        CHECK_EQ(m[i * 8], i >= 6 && i != 8 ? 0x77 : 0);
    }
    struct flue_sim_stats st;
    flue_sim_stats(sim, &st);
    CHECK_EQ(st.dma_errors, 3);
    CHECK_EQ(st.dma_read_bursts, 6);
    CHECK_EQ(st.dma_write_bursts, 6);
    expect_clean(sim);
    munmap(m, 4096);
}

/* --- Monitors: each rule broken once -------------------------------------------------------------------------------------- */

static struct flue_sim *echo_one(enum fault fault, double stall, const uint8_t *f, size_t n)
{
    struct flue_sim_config cfg = config();
    cfg.wire_tx_stall = stall;
    struct flue_sim *sim = open_with(fault, &cfg);
    fake.fault_cycle = fake.cycle;
    CHECK(flue_sim_wire_send(sim, f, n) == FLUE_OK);
    pass(sim, 1000);
    return sim;
}

TEST(a_frame_with_a_wrong_checksum_is_seen_unless_exempt)
{
    uint8_t f[200];
    size_t n = udp_frame(f, 100, 3);
    f[60] ^= 0x10;
    expect_violation(echo_one(FAULT_NONE, 0, f, n), "wire_tx: frame 1 of 142 bytes: UDP checksum wrong");
    f[60] ^= 0x10;
    f[22]++;
    expect_violation(echo_one(FAULT_NONE, 0, f, n), "IPv4 header checksum wrong");
    struct flue_sim_config cfg = config();
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    struct flue_sim_stats st;
    flue_sim_allow_bad_checksums(sim, true);
    CHECK(flue_sim_wire_send(sim, f, n) == FLUE_OK);
    pass(sim, 1000);
    flue_sim_stats(sim, &st);
    CHECK_EQ(st.frames_exempt, 1);
    expect_clean(sim);
}

TEST(a_frame_of_impossible_length_is_seen)
{
    uint8_t f[10000] = {0};
    expect_violation(echo_one(FAULT_NONE, 0, f, 13), "less than an Ethernet header");
    expect_violation(echo_one(FAULT_NONE, 0, f, 9019), "9019 bytes, more than 9018");
}

TEST(wire_beats_against_the_stream_rules_are_seen)
{
    uint8_t f[1400];
    size_t n = udp_frame(f, 1300, 3);
    expect_violation(echo_one(FAULT_KEEP_HOLE, 0, f, n), "keep 0x5 on a last beat");
    expect_violation(echo_one(FAULT_KEEP_INNER, 0, f, n), "keep 0x7 on an inner beat");
    expect_violation(echo_one(FAULT_BAD_MARK, 0, f, n), "leaves marked bad");
    expect_violation(echo_one(FAULT_TX_CHANGES, 0.5, f, n), "wire_tx: a beat that was not taken changed");
    expect_violation(echo_one(FAULT_RX_STALLS, 0, f, n), "wire_rx: the port is not ready");
}

TEST(a_dishonest_idle_is_seen)
{
    uint8_t f[200];
    size_t n = udp_frame(f, 100, 3);
    struct flue_sim_config cfg = config();
    expect_violation(echo_one(FAULT_IDLE_LIES, 0, f, n), "idle_o is high while a wire beat is offered");
    struct flue_sim *sim = open_with(FAULT_IDLE_FALLS, &cfg);
    for (int i = 0; i < 40; i++)
        flue_sim_cycle(sim);
    fake.fault_cycle = fake.cycle + 2;
    for (int i = 0; i < 40; i++)
        flue_sim_cycle(sim);
    expect_violation(sim, "idle_o fell without a cause");
    sim = open_with(FAULT_IRQ_IDLE, &cfg);
    fake.fault_cycle = fake.cycle + 20;
    for (int i = 0; i < 40; i++)
        flue_sim_cycle(sim);
    expect_violation(sim, "the interrupt changed while idle");
}

TEST(work_that_does_not_move_is_seen_unless_allowed)
{
    struct flue_sim_config cfg = config();
    struct flue_sim *sim = open_with(FAULT_STUCK, &cfg);
    fake.fault_cycle = fake.cycle;
    pass(sim, 100);
    expect_violation(sim, "liveness: work is pending and nothing moved for 50 us");
    sim = open_with(FAULT_STUCK, &cfg);
    flue_sim_allow_stall(sim, true);
    fake.fault_cycle = fake.cycle;
    pass(sim, 100);
    expect_clean(sim);
}

TEST(a_deadline_that_is_slept_through_is_seen)
{
    struct flue_sim_config cfg = config();
    struct flue_sim *sim = open_with(FAULT_OVERDUE, &cfg);
    fake.deadline = true;
    fake.deadline_us = 100;
    pass(sim, 1000);
    expect_violation(sim, "the deadline of 100 us passed and nothing happened");
}

/* One access of a driver that mapped one page and registered its first half. */
static struct flue_sim *one_access(enum fault fault, double stall, bool write, int offset, unsigned beats, uint8_t size,
                                   uint8_t burst, uint32_t flags)
{
    static uint8_t *m;
    struct flue_sim_config cfg = config();
    uint64_t bus;
    if (!m)
        m = memory(16384);
    cfg.memory.stall = stall;
    struct flue_sim *sim = open_with(fault, &cfg);
    struct flue_link *link = flue_sim_link(sim);
    CHECK(link->ops->map(link, m + 4096, 8192, &bus) == FLUE_OK);
    CHECK(link->ops->write32(link, FLUE_REG_REGION, (uint32_t)bus) == FLUE_OK);
    CHECK(link->ops->write32(link, FLUE_REG_REGION + 4, (uint32_t)(bus >> 32)) == FLUE_OK);
    CHECK(link->ops->write32(link, FLUE_REG_REGION + 8, 4096 + 2048) == FLUE_OK);
    CHECK(link->ops->write32(link, FLUE_REG_REGION + 12, flags) == FLUE_OK);
    for (unsigned i = 0; i < 4; i++) {
        want(write, m + 4096 + offset, beats);
        fake.access[i].size = size;
        fake.access[i].burst = burst;
    }
    begin(sim);
    pass(sim, 40);
    return sim;
}

TEST(bus_accesses_against_the_rules_are_seen)
{
    expect_clean(one_access(FAULT_NONE, 0.5, false, 0, 32, 3, 1, 1));
    expect_clean(one_access(FAULT_NONE, 0.5, true, 0, 32, 3, 1, 3));
    expect_violation(one_access(FAULT_NONE, 0, false, -8, 1, 3, 1, 1), "axi_ar: read of 8 bytes at");
    expect_violation(one_access(FAULT_NONE, 0, false, 8192, 1, 3, 1, 1), "outside mapped memory");
    expect_violation(one_access(FAULT_NONE, 0, true, 8192, 1, 3, 1, 3), "axi_w: write of 8 bytes at");
    expect_violation(one_access(FAULT_NONE, 0, false, 6144, 1, 3, 1, 1), "outside every valid region");
    expect_violation(one_access(FAULT_NONE, 0, false, 0, 1, 3, 1, 0), "outside every valid region");
    expect_violation(one_access(FAULT_NONE, 0, true, 0, 1, 3, 1, 1), "outside every writable region");
    expect_violation(one_access(FAULT_NONE, 0, false, 4096 - 8, 2, 3, 1, 1), "crosses a 4 KB boundary");
    expect_violation(one_access(FAULT_NONE, 0, false, 0, 1, 2, 1, 1), "beats of 4 bytes on a bus of 8");
    expect_violation(one_access(FAULT_NONE, 0, false, 0, 1, 3, 0, 1), "burst type 0");
    expect_violation(one_access(FAULT_AR_CHANGES, 0.9, false, 0, 1, 3, 1, 1), "axi_ar: an address that was not taken changed");
    expect_violation(one_access(FAULT_W_CHANGES, 0.8, true, 0, 32, 3, 1, 3), "axi_w: a beat that was not taken changed");
    expect_violation(one_access(FAULT_WLAST_EARLY, 0, true, 0, 4, 3, 1, 3), "burst of 4 beats has its last flag on beat 3");
    expect_violation(one_access(FAULT_WLAST_LATE, 0, true, 0, 4, 3, 1, 3), "burst of 4 beats has its last flag on beat 5");
}

/* Event writes: entries of a ring of 8, each { place, phase, kind, queue, index }. */
struct event {
    unsigned place, phase, kind, queue, index;
};

static struct flue_sim *events(const struct event *e, unsigned count, unsigned consumed)
{
    static uint8_t *m;
    struct flue_sim_config cfg = config();
    uint64_t bus;
    if (!m)
        m = memory(4096);
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    struct flue_link *link = flue_sim_link(sim);
    CHECK(link->ops->map(link, m, 4096, &bus) == FLUE_OK);
    const uint32_t setup[][2] = {
        {FLUE_REG_REGION, (uint32_t)bus},
        {FLUE_REG_REGION + 4, (uint32_t)(bus >> 32)},
        {FLUE_REG_REGION + 8, 4096},
        {FLUE_REG_REGION + 12, 3},
        {FLUE_REG_EQ_BASE, 256},
        {FLUE_REG_EQ_HEAD, 0},
        {FLUE_REG_EQ_CFG, 3u << FLUE_EQ_CFG_LOG2_SLOTS_SHIFT | FLUE_EQ_CFG_ENABLE_MASK},
        {FLUE_REG_TXQ_TAIL, 6},
        {FLUE_REG_RXQ_TAIL, 3},
    };
    for (unsigned i = 0; i < sizeof setup / sizeof *setup; i++)
        CHECK(link->ops->write32(link, setup[i][0], setup[i][1]) == FLUE_OK);
    for (unsigned i = 0; i < count; i++) {
        if (i == 8) {
            begin(sim);
            pass(sim, 50);
            CHECK(link->ops->write32(link, FLUE_REG_EQ_HEAD, consumed) == FLUE_OK);
        }
        uint32_t w[4] = {e[i].kind | e[i].queue << 4 | e[i].index << 16, 0, 0, e[i].phase << 31};
        want(true, m + 256 + e[i].place * 16, 2);
        memcpy(fake.access[i].data, w, 16);
    }
    begin(sim);
    pass(sim, 50);
    if (!flue_sim_violation(sim)) {
        struct flue_sim_stats st;
        flue_sim_stats(sim, &st);
        CHECK_EQ(st.events, count);
    }
    return sim;
}

TEST(event_ring_rules_are_watched)
{
    static const struct event GOOD[] = {{0, 1, 1, 0, 2}, {1, 1, 2, 1, 1}, {2, 1, 1, 0, 6}, {3, 1, 2, 1, 2}, {4, 1, 3, 0, 6},
                                        {5, 1, 4, 1, 2}, {6, 1, 2, 1, 3}, {7, 1, 5, 2, 0}, {0, 0, 4, 0, 6}};
    expect_clean(events(GOOD, 9, 1));
    expect_violation(events(GOOD, 9, 0), "event 8 overwrites one not consumed");
    expect_violation(events((struct event[]){{0, 0, 1, 0, 2}}, 1, 0), "event 0 has phase 0");
    expect_violation(events((struct event[]){{1, 1, 1, 0, 2}}, 1, 0), "event 0 is 16 bytes at");
    expect_violation(events((struct event[]){{0, 1, 9, 0, 2}}, 1, 0), "event 0: kind 9");
    expect_clean(events((struct event[]){{0, 1, 7, 1, 0}, {1, 1, 2, 1, 1}, {2, 1, 8, 1, 0}, {3, 1, 6, 0, 0}}, 4, 0));
    expect_violation(events((struct event[]){{0, 1, 7, 0, 0}}, 1, 0), "event 0: kind 7 of queue 0");
    expect_violation(events((struct event[]){{0, 1, 7, 1, 0}, {1, 1, 8, 1, 0}}, 2, 0), "a diverted frame's completion is due");
    expect_violation(events((struct event[]){{0, 1, 7, 1, 0}, {1, 1, 7, 1, 0}}, 2, 0), "a diverted frame's completion is due");
    expect_violation(events((struct event[]){{0, 1, 1, 1, 2}}, 1, 0), "event 0: kind 1 of queue 1");
    expect_violation(events((struct event[]){{0, 1, 1, 0, 7}}, 1, 0), "index 7 of the transmit queue");
    expect_violation(events((struct event[]){{0, 1, 1, 0, 0}}, 1, 0), "returns no slot");
    expect_violation(events((struct event[]){{0, 1, 1, 0, 4}, {1, 1, 1, 0, 3}}, 2, 0), "index 3 of the transmit queue");
    expect_violation(events((struct event[]){{0, 1, 2, 1, 2}}, 1, 0), "returns slot 2 after 0");
}

/* Completion writes: entries of a ring of 8, each { place, phase, kind }; then the registers are read as tail and head. */
struct completion {
    unsigned place, phase, kind;
};

static struct flue_sim *completions(const struct completion *e, unsigned count, unsigned submitted, unsigned consumed,
                                    uint32_t tail, uint32_t head)
{
    static uint8_t *m;
    struct flue_sim_config cfg = config();
    uint64_t bus;
    uint32_t value;
    if (!m)
        m = memory(4096);
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    struct flue_link *link = flue_sim_link(sim);
    CHECK(link->ops->map(link, m, 4096, &bus) == FLUE_OK);
    const uint32_t setup[][2] = {
        {FLUE_REG_REGION, (uint32_t)bus},
        {FLUE_REG_REGION + 4, (uint32_t)(bus >> 32)},
        {FLUE_REG_REGION + 8, 4096},
        {FLUE_REG_REGION + 12, 3},
        {FLUE_REG_ACQ_BASE, 512},
        {FLUE_REG_ACQ_CFG, 3u << FLUE_ACQ_CFG_LOG2_SLOTS_SHIFT | FLUE_ACQ_CFG_ENABLE_MASK},
        {FLUE_REG_FW_CTRL, FLUE_FW_CTRL_RUN_MASK},
        {FLUE_REG_ASQ_TAIL, submitted},
    };
    for (unsigned i = 0; i < sizeof setup / sizeof *setup; i++)
        CHECK(link->ops->write32(link, setup[i][0], setup[i][1]) == FLUE_OK);
    for (unsigned i = 0; i < count; i++) {
        if (i == 8) {
            begin(sim);
            pass(sim, 50);
            CHECK(link->ops->write32(link, FLUE_REG_ACQ_HEAD, consumed) == FLUE_OK);
        }
        uint32_t w[4] = {e[i].kind << FLUE_CQE_KIND_SHIFT, 0, 0, e[i].phase << 31};
        want(true, m + 512 + e[i].place * 16, 2);
        memcpy(fake.access[i].data, w, 16);
    }
    begin(sim);
    pass(sim, 50);
    enum flue_err err = link->ops->write32(link, FLUE_REG_ACQ_TAIL, tail);
    if (!err)
        err = link->ops->read32(link, FLUE_REG_ACQ_TAIL, &value);
    if (!err)
        err = link->ops->write32(link, FLUE_REG_ASQ_HEAD, head);
    if (!err)
        err = link->ops->read32(link, FLUE_REG_ASQ_HEAD, &value);
    if (err == FLUE_OK)
        pass(sim, 50);
    return sim;
}

TEST(admin_completion_rules_are_watched)
{
    static const struct completion GOOD[] = {{0, 1, 1}, {1, 1, 2}, {2, 1, 1}, {3, 1, 1}, {4, 1, 3},
                                             {5, 1, 1}, {6, 1, 4}, {7, 1, 1}, {0, 0, 1}};
    expect_clean(completions(GOOD, 9, 6, 1, 9, 6));
    expect_violation(completions(GOOD, 9, 6, 0, 8, 6), "admin: completion 8 overwrites one not consumed");
    expect_violation(completions(GOOD, 9, 5, 1, 9, 5), "admin: completion 8 answers no submission (tail 5)");
    expect_violation(completions(GOOD, 4, 6, 0, 5, 6), "admin: ACQ_TAIL is 5, in memory are completions up to 4");
    expect_violation(completions(GOOD, 4, 6, 0, 4, 7), "admin: ASQ_HEAD is 7, not between 0 (last) and 6 (tail)");
    expect_violation(completions((struct completion[]){{0, 0, 1}}, 1, 1, 0, 1, 1), "admin: completion 0 has phase 0");
    expect_violation(completions((struct completion[]){{1, 1, 1}}, 1, 1, 0, 1, 1), "admin: completion 0 is 16 bytes at");
    expect_violation(completions((struct completion[]){{0, 1, 6}}, 1, 1, 0, 1, 1), "admin: completion 0 has kind 6");
}

/* --- Replay --------------------------------------------------------------------------------------------------------------- */

static void recorded_run(const char *log, const char *pcap)
{
    struct flue_sim_config cfg = config();
    struct flue_rng rng;
    uint8_t f[1600];
    cfg.log_path = log;
    cfg.pcap_path = pcap;
    cfg.wire_rx = "drop=0.1,dup=0.1,reorder=0.1,delay=3us:9us";
    cfg.wire_tx_stall = 0.2;
    flue_rng_init(&rng, check_seed, "frames");
    struct flue_sim *sim = open_with(FAULT_NONE, &cfg);
    for (unsigned i = 0; i < 50; i++) {
        CHECK(flue_sim_wire_send(sim, f, udp_frame(f, flue_rng_below(&rng, 1400), i)) == FLUE_OK);
        pass(sim, flue_rng_below(&rng, 5000));
    }
    expect_clean(sim);
}

static bool same_file(const char *a, const char *b)
{
    FILE *fa = fopen(a, "rb"), *fb = fopen(b, "rb");
    int ca = 0, cb = 0;
    while (fa && fb && ca == cb && ca != EOF) {
        ca = getc(fa);
        cb = getc(fb);
    }
    bool same = fa && fb && ca == cb;
    if (fa)
        fclose(fa);
    if (fb)
        fclose(fb);
    return same;
}

TEST(a_run_repeats_exactly_and_its_log_replays)
{
    char dir[] = "/tmp/flue_sim_XXXXXX", a[64], b[64], pcap[64];
    struct flue_sim_replay_result r;
    REQUIRE(mkdtemp(dir) != NULL);
    snprintf(a, sizeof a, "%s/a.flog", dir);
    snprintf(b, sizeof b, "%s/b.flog", dir);
    snprintf(pcap, sizeof pcap, "%s/a.pcapng", dir);
    recorded_run(a, pcap);
    recorded_run(b, NULL);
    CHECK(same_file(a, b), "the same seed gave another run");

    fake.fault = FAULT_NONE;
    CHECK(flue_sim_replay_model(a, &FAKE, &r) == FLUE_OK && r.equal, "%s", flue_sim_open_error());
    CHECK(r.seed == check_seed && r.width == WIDTH && r.cycles > 1000 && r.last_us > 50000);
    CHECK(flue_sim_replay_model(pcap, &FAKE, &r) == FLUE_OK && r.equal, "%s", flue_sim_open_error());
    fake.fault = FAULT_ECHO_BIT;
    CHECK(flue_sim_replay_model(a, &FAKE, &r) == FLUE_OK && !r.equal && r.differs_at_us < r.last_us);
    CHECK(truncate(b, 5000) == 0);
    CHECK(flue_sim_replay_model(b, &FAKE, &r) == FLUE_EARG);
    CHECK(flue_sim_replay_model("/nowhere", &FAKE, &r) == FLUE_EIO);
    unlink(a), unlink(b), unlink(pcap), rmdir(dir);
}

TEST(a_wrong_configuration_is_refused_by_name)
{
    struct flue_sim *sim;
    struct flue_sim_config cfg = config();
    cfg.wire_tx = "drop=0.1,lose=2";
    CHECK(flue_sim_open_model(&cfg, &FAKE, &sim) == FLUE_EARG && !sim);
    CHECK(strstr(flue_sim_open_error(), "wire_tx: 'lose=2'"), "%s", flue_sim_open_error());
    cfg = config();
    cfg.memory.stall = 2;
    CHECK(flue_sim_open_model(&cfg, &FAKE, &sim) == FLUE_EARG);
    cfg = config();
    cfg.clock_khz = 999;
    CHECK(flue_sim_open_model(&cfg, &FAKE, &sim) == FLUE_EARG && strstr(flue_sim_open_error(), "clock_khz"));
    cfg = config();
    cfg.model_dir = "/nowhere";
    CHECK(flue_sim_open(&cfg, &sim) == FLUE_EUNSUPP);
    CHECK(strstr(flue_sim_open_error(), "libflue_model_w64.so in /nowhere"), "%s", flue_sim_open_error());
}

TEST_MAIN(1)
