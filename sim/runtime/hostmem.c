#include "hostmem.h"

#include <inttypes.h>
#include <string.h>

enum {
    BURST_INCR = 1,
    RESP_SLVERR = 2,
    GARBAGE = 0xEE, /* what a bus word holds beside the mapped memory, or after an error */
    ROW_GRACE_CYCLES = 4096,
};

void flue_hostmem_init(struct flue_hostmem *mem, unsigned width, uint64_t seed, struct flue_monitor *mon)
{
    memset(mem, 0, sizeof *mem);
    mem->bytes = width / 8;
    mem->mon = mon;
    flue_rng_init(&mem->rng, seed, "memory");
    flue_rng_init(&mem->error_rng, seed, "memory/error");
    mem->config.outstanding = 16;
    mem->quiet = true;
}

enum flue_err flue_hostmem_set(struct flue_hostmem *mem, const struct flue_sim_memory *config)
{
    struct flue_sim_memory c = *config;
    if (!c.outstanding)
        c.outstanding = 16;
    if (!(c.stall >= 0 && c.stall <= 0.95) || c.latency_min > c.latency_max || c.latency_max > 1000000 ||
        c.outstanding > FLUE_HOSTMEM_BURSTS || !(c.read_error >= 0 && c.read_error <= 1) ||
        !(c.write_error >= 0 && c.write_error <= 1))
        return FLUE_EARG;
    mem->config = c;
    mem->stall_odds = flue_rng_odds(c.stall);
    mem->read_error_odds = flue_rng_odds(c.read_error);
    mem->write_error_odds = flue_rng_odds(c.write_error);
    mem->quiet = !mem->stall_odds && !c.latency_max && !c.reorder;
    return FLUE_OK;
}

enum flue_err flue_hostmem_arm(struct flue_hostmem *mem, const struct flue_sim_memory_error *error)
{
    if (error->lo > error->hi)
        return FLUE_EARG;
    if (mem->errors == FLUE_HOSTMEM_ERRORS)
        return FLUE_EAGAIN;
    struct flue_sim_memory_error *e = &mem->error[mem->errors++];
    *e = *error;
    e->nth += !e->nth;
    e->count += !e->count;
    return FLUE_OK;
}

enum flue_err flue_hostmem_map(struct flue_hostmem *mem, void *addr, size_t len)
{
    uint64_t base = (uint64_t)(uintptr_t)addr;
    if (!addr || !len || base % 4096 || base + len < base)
        return FLUE_EARG;
    for (unsigned i = 0; i < mem->maps; i++)
        if (base < mem->map[i].end && mem->map[i].base < base + len)
            return FLUE_EARG;
    if (mem->maps == FLUE_HOSTMEM_MAPS)
        return FLUE_ENOMEM;
    mem->map[mem->maps++] = (struct flue_hostmem_map){base, base + len};
    return FLUE_OK;
}

void flue_hostmem_unmap(struct flue_hostmem *mem, uint64_t base)
{
    for (unsigned i = 0; i < mem->maps; i++) {
        struct flue_hostmem_map m = mem->map[i];
        if (m.base != base)
            continue;
        mem->map[i] = mem->map[--mem->maps];
        for (unsigned r = 0; r < mem->reads; r++)
            if (mem->read[r].addr >= m.base && mem->read[r].addr < m.end) {
                mem->read[r].failed = true;
                flue_monitor_fail(mem->mon, "dma", "memory at 0x%" PRIx64 " was unmapped under a read", base);
            }
        for (uint32_t w = mem->write_head; w != mem->write_aw; w++) {
            struct flue_hostmem_write *b = &mem->write[w % FLUE_HOSTMEM_BURSTS];
            if (b->addr >= m.base && b->addr < m.end && !b->visible) {
                b->failed = true;
                flue_monitor_fail(mem->mon, "dma", "memory at 0x%" PRIx64 " was unmapped under a write", base);
            }
        }
        return;
    }
}

void flue_hostmem_row_write(struct flue_hostmem *mem, unsigned index, unsigned word, uint32_t value)
{
    if (index >= FLUE_HOSTMEM_ROWS)
        return;
    struct flue_hostmem_row *row = &mem->row[index];
    if (row->valid) {
        row->before = (struct flue_hostmem_map){row->base, row->base + row->bytes};
        row->before_write = row->write;
        row->changed_cycle = mem->mon->cycle;
    }
    switch (word) {
    case 0:
        row->base = (row->base & ~UINT64_C(0xFFFFFFFF)) | (value & ~UINT32_C(4095));
        break;
    case 1:
        row->base = (row->base & 0xFFFFFFFF) | ((uint64_t)value << 32);
        break;
    case 2:
        row->bytes = value;
        break;
    default:
        row->valid = value & 1;
        row->write = value & 2;
        mem->rows_known = true;
    }
}

static const struct flue_hostmem_map *find_map(const struct flue_hostmem *mem, uint64_t lo, uint64_t hi)
{
    for (unsigned i = 0; i < mem->maps; i++)
        if (lo >= mem->map[i].base && hi <= mem->map[i].end)
            return &mem->map[i];
    return NULL;
}

/* Whether a row of the region table allows the bytes [lo, hi). */
static bool row_allows(const struct flue_hostmem *mem, uint64_t lo, uint64_t hi, bool write)
{
    if (!mem->rows_known)
        return true;
    for (unsigned i = 0; i < FLUE_HOSTMEM_ROWS; i++) {
        const struct flue_hostmem_row *r = &mem->row[i];
        if (r->valid && lo >= r->base && hi <= r->base + r->bytes && (r->write || !write))
            return true;
        if (r->changed_cycle && mem->mon->cycle - r->changed_cycle < ROW_GRACE_CYCLES && lo >= r->before.base &&
            hi <= r->before.end && (r->before_write || !write))
            return true;
    }
    return false;
}

static bool injected(struct flue_hostmem *mem, bool write, uint64_t lo, uint64_t hi)
{
    bool hit = flue_rng_hit(&mem->error_rng, write ? mem->write_error_odds : mem->read_error_odds);
    for (unsigned i = 0; i < mem->errors; i++) {
        struct flue_sim_memory_error *e = &mem->error[i];
        if (e->write != write || ((e->lo || e->hi) && (hi <= e->lo || lo >= e->hi)))
            continue;
        if (e->nth > 1) {
            e->nth--;
            continue;
        }
        hit = true;
        if (!--e->count)
            mem->error[i--] = mem->error[--mem->errors];
    }
    mem->injected += hit;
    return hit;
}

static uint64_t ready_at(struct flue_hostmem *mem)
{
    uint64_t now = mem->mon->cycle;
    uint32_t span = mem->config.latency_max - mem->config.latency_min;
    return now + mem->config.latency_min + (span ? flue_rng_below(&mem->rng, (uint64_t)span + 1) : 0);
}

/* Rules of a burst address that hold for both directions. */
static void check_address(struct flue_hostmem *mem, const char *port, uint64_t addr, unsigned beats, unsigned size,
                          unsigned burst)
{
    if (burst != BURST_INCR)
        flue_monitor_fail(mem->mon, port, "burst type %u, should be INCR", burst);
    if ((1u << size) != mem->bytes)
        flue_monitor_fail(mem->mon, port, "beats of %u bytes on a bus of %u", 1u << size, mem->bytes);
    uint64_t first = addr & ~(uint64_t)(mem->bytes - 1);
    if ((first >> 12) != ((first + (uint64_t)beats * mem->bytes - 1) >> 12))
        flue_monitor_fail(mem->mon, port, "burst of %u beats at 0x%" PRIx64 " crosses a 4 KB boundary", beats, addr);
}

static bool same_address(uint64_t a0, uint64_t a1, const uint8_t *p0, const uint8_t *p1)
{
    return a0 == a1 && !memcmp(p0, p1, 4);
}

/* An offer that was not taken must still be there, unchanged. */
static void check_stable(struct flue_hostmem *mem, const struct flue_model_in *in, const struct flue_model_out *out)
{
    const struct flue_model_out *l = &mem->last;
    const uint32_t b = out->bits;
    if (mem->stalled.ar &&
        (!(b & FLUE_OUT_AXI_ARVALID) || !same_address(l->axi_araddr, out->axi_araddr, &l->axi_arid, &out->axi_arid)))
        flue_monitor_fail(mem->mon, "axi_ar", "an address that was not taken changed or went away");
    if (mem->stalled.aw &&
        (!(b & FLUE_OUT_AXI_AWVALID) || !same_address(l->axi_awaddr, out->axi_awaddr, &l->axi_awid, &out->axi_awid)))
        flue_monitor_fail(mem->mon, "axi_aw", "an address that was not taken changed or went away");
    if (mem->stalled.w && (!(b & FLUE_OUT_AXI_WVALID) || l->axi_wstrb != out->axi_wstrb ||
                           ((l->bits ^ b) & FLUE_OUT_AXI_WLAST) || memcmp(l->axi_wdata, out->axi_wdata, mem->bytes)))
        flue_monitor_fail(mem->mon, "axi_w", "a beat that was not taken changed or went away");
    mem->stalled.ar = (b & FLUE_OUT_AXI_ARVALID) && !(in->bits & FLUE_IN_AXI_ARREADY);
    mem->stalled.aw = (b & FLUE_OUT_AXI_AWVALID) && !(in->bits & FLUE_IN_AXI_AWREADY);
    mem->stalled.w = (b & FLUE_OUT_AXI_WVALID) && !(in->bits & FLUE_IN_AXI_WREADY);
    if (mem->stalled.ar || mem->stalled.aw || mem->stalled.w)
        mem->last = *out;
}

/* --- Reads -------------------------------------------------------------------------------------------------------------- */

static void accept_read(struct flue_hostmem *mem, const struct flue_model_out *out)
{
    struct flue_hostmem_read *r = &mem->read[mem->reads++];
    unsigned beats = out->axi_arlen + 1u;
    uint64_t first = out->axi_araddr & ~(uint64_t)(mem->bytes - 1);
    check_address(mem, "axi_ar", out->axi_araddr, beats, out->axi_arsize, out->axi_arburst);
    *r = (struct flue_hostmem_read){.addr = first, .beats = (uint16_t)beats, .id = out->axi_arid, .ready_cycle = ready_at(mem)};

    /* The last word may hold a single byte that is wanted, the first as well. */
    uint64_t lo = first, hi = first + (uint64_t)(beats - 1) * mem->bytes + 1;
    const struct flue_hostmem_map *map = find_map(mem, lo, hi);
    if (!map) {
        flue_monitor_fail(mem->mon, "axi_ar", "read of %u bytes at 0x%" PRIx64 " outside mapped memory", beats * mem->bytes,
                          first);
        r->failed = true;
    } else {
        r->end = map->end;
        if (!row_allows(mem, lo, hi, false))
            flue_monitor_fail(mem->mon, "axi_ar", "read of %u bytes at 0x%" PRIx64 " outside every valid region",
                              beats * mem->bytes, first);
        if (injected(mem, false, first, first + (uint64_t)beats * mem->bytes))
            r->failed = true;
    }
    mem->read_bursts++;
    mem->read_bytes += (uint64_t)beats * mem->bytes;
}

/* The burst that gives the next beat, or reads if none may now. */
static unsigned choose_read(struct flue_hostmem *mem)
{
    uint64_t now = mem->mon->cycle;
    if (!mem->config.reorder)
        return mem->reads && mem->read[0].ready_cycle <= now ? 0 : mem->reads;
    unsigned candidate[FLUE_HOSTMEM_BURSTS], n = 0;
    uint32_t seen = 0;
    for (unsigned i = 0; i < mem->reads; i++) {
        uint32_t bit = 1u << (mem->read[i].id & 31);
        if (!(seen & bit) && mem->read[i].ready_cycle <= now)
            candidate[n++] = i;
        seen |= bit;
    }
    return n ? candidate[flue_rng_below(&mem->rng, n)] : mem->reads;
}

static void step_read(struct flue_hostmem *mem, struct flue_model_in *in, const struct flue_model_out *out)
{
    if ((in->bits & FLUE_IN_AXI_RVALID) && (out->bits & FLUE_OUT_AXI_RREADY)) {
        struct flue_hostmem_read *r = &mem->read[mem->current];
        in->bits &= ~(uint32_t)(FLUE_IN_AXI_RVALID | FLUE_IN_AXI_RLAST);
        if (++r->beat == r->beats) {
            mem->reads--;
            memmove(r, r + 1, (mem->reads - mem->current) * sizeof *r);
        }
    }
    if ((out->bits & FLUE_OUT_AXI_ARVALID) && (in->bits & FLUE_IN_AXI_ARREADY))
        accept_read(mem, out);

    if (!(in->bits & FLUE_IN_AXI_RVALID) && mem->reads && !flue_rng_hit(&mem->rng, mem->stall_odds)) {
        unsigned i = choose_read(mem);
        if (i < mem->reads) {
            struct flue_hostmem_read *r = &mem->read[i];
            uint64_t at = r->addr + (uint64_t)r->beat * mem->bytes;
            mem->current = i;
            in->axi_rid = r->id;
            in->axi_rresp = r->failed ? RESP_SLVERR : 0;
            if (r->failed) {
                memset(in->axi_rdata, GARBAGE, mem->bytes);
            } else if (at + mem->bytes <= r->end) {
                memcpy(in->axi_rdata, (const void *)(uintptr_t)at, mem->bytes);
            } else {
                memset(in->axi_rdata, GARBAGE, mem->bytes);
                memcpy(in->axi_rdata, (const void *)(uintptr_t)at, r->end - at);
            }
            in->bits |= FLUE_IN_AXI_RVALID | (r->beat + 1u == r->beats ? (uint32_t)FLUE_IN_AXI_RLAST : 0);
        }
    }
    if (mem->reads < mem->config.outstanding && !flue_rng_hit(&mem->rng, mem->stall_odds))
        in->bits |= FLUE_IN_AXI_ARREADY;
    else
        in->bits &= ~(uint32_t)FLUE_IN_AXI_ARREADY;
}

/* --- Writes ------------------------------------------------------------------------------------------------------------- */

static uint64_t full_strobe(const struct flue_hostmem *mem)
{
    return mem->bytes == 64 ? UINT64_MAX : (UINT64_C(1) << mem->bytes) - 1;
}

/* First and last+1 strobed byte of a burst; false when no byte is. */
static bool strobed(const struct flue_hostmem *mem, const struct flue_hostmem_write *b, uint64_t *lo, uint64_t *hi)
{
    bool any = false;
    *lo = *hi = b->addr;
    for (unsigned i = 0; i < b->data_beats; i++) {
        if (!b->strobe[i])
            continue;
        uint64_t at = b->addr + (uint64_t)i * mem->bytes;
        if (!any)
            *lo = at + (unsigned)__builtin_ctzll(b->strobe[i]);
        *hi = at + 64u - (unsigned)__builtin_clzll(b->strobe[i]);
        any = true;
    }
    return any;
}

/* The watched range that a burst touches, -1 for none. */
static int watched_range(const struct flue_hostmem *mem, const struct flue_hostmem_write *b)
{
    for (int i = 0; i < FLUE_HOSTMEM_RANGES; i++)
        if (b->addr < mem->range[i].hi && b->addr + (uint64_t)b->data_beats * mem->bytes > mem->range[i].lo)
            return i;
    return -1;
}

static void make_visible(struct flue_hostmem *mem, struct flue_hostmem_write *b)
{
    const uint64_t full = full_strobe(mem);
    uint64_t lo, hi;
    int range = mem->watch ? watched_range(mem, b) : -1;
    bool watched = range >= 0 && strobed(mem, b, &lo, &hi);
    b->visible = true;
    if (b->failed) {
        if (watched)
            mem->watch(mem->watch_user, (unsigned)range, lo, NULL, hi - lo);
        return;
    }
    for (unsigned i = 0; i < b->data_beats; i++) {
        uint8_t *to = (uint8_t *)(uintptr_t)(b->addr + (uint64_t)i * mem->bytes);
        const uint8_t *from = b->data + (size_t)i * mem->bytes;
        if (b->strobe[i] == full) {
            memcpy(to, from, mem->bytes);
        } else {
            for (unsigned k = 0; k < mem->bytes; k++)
                if (b->strobe[i] >> k & 1)
                    to[k] = from[k];
        }
    }
    if (watched)
        mem->watch(mem->watch_user, (unsigned)range, lo, (const uint8_t *)(uintptr_t)lo, hi - lo);
}

/* Address and data of a burst are both there. */
static void complete_write(struct flue_hostmem *mem, struct flue_hostmem_write *b)
{
    uint64_t lo, hi;
    if (b->data_beats != b->beats)
        flue_monitor_fail(mem->mon, "axi_w", "burst of %u beats has its last flag on beat %u", b->beats, b->data_beats);
    b->ready_cycle = ready_at(mem);
    mem->write_bursts++;
    if (strobed(mem, b, &lo, &hi)) {
        mem->write_bytes += hi - lo;
        if (!find_map(mem, lo, hi)) {
            flue_monitor_fail(mem->mon, "axi_w", "write of %" PRIu64 " bytes at 0x%" PRIx64 " outside mapped memory", hi - lo,
                              lo);
            b->failed = true;
        } else if (!row_allows(mem, lo, hi, true)) {
            flue_monitor_fail(mem->mon, "axi_w", "write of %" PRIu64 " bytes at 0x%" PRIx64 " outside every writable region",
                              hi - lo, lo);
        }
    }
    if (injected(mem, true, b->addr, b->addr + (uint64_t)b->beats * mem->bytes))
        b->failed = true;
    if (!mem->config.reorder)
        make_visible(mem, b);
}

static void accept_write_address(struct flue_hostmem *mem, const struct flue_model_out *out)
{
    struct flue_hostmem_write *b = &mem->write[mem->write_aw++ % FLUE_HOSTMEM_BURSTS];
    unsigned beats = out->axi_awlen + 1u;
    check_address(mem, "axi_aw", out->axi_awaddr, beats, out->axi_awsize, out->axi_awburst);
    b->addr = out->axi_awaddr & ~(uint64_t)(mem->bytes - 1);
    b->beats = (uint16_t)beats;
    b->id = out->axi_awid;
    if (b->data_done)
        complete_write(mem, b);
}

static void accept_write_data(struct flue_hostmem *mem, const struct flue_model_out *out)
{
    struct flue_hostmem_write *b = &mem->write[mem->write_w % FLUE_HOSTMEM_BURSTS];
    unsigned i = b->data_beats;
    if ((size_t)(i + 1) * mem->bytes > sizeof b->data || i + 1 > 256) {
        flue_monitor_fail(mem->mon, "axi_w", "burst without last flag");
        return;
    }
    memcpy(b->data + (size_t)i * mem->bytes, out->axi_wdata, mem->bytes);
    b->strobe[i] = out->axi_wstrb;
    b->data_beats++;
    if (!(out->bits & FLUE_OUT_AXI_WLAST))
        return;
    b->data_done = true;
    mem->write_w++;
    if (b->beats)
        complete_write(mem, b);
}

static bool answerable(const struct flue_hostmem *mem, uint32_t slot, uint64_t now)
{
    const struct flue_hostmem_write *b = &mem->write[slot % FLUE_HOSTMEM_BURSTS];
    return b->data_done && b->beats && !b->answered && b->ready_cycle <= now;
}

/* Offer the response of the oldest burst of an id; with `reorder`, of any id. */
static void offer_answer(struct flue_hostmem *mem, struct flue_model_in *in)
{
    uint32_t end = (int32_t)(mem->write_aw - mem->write_w) < 0 ? mem->write_aw : mem->write_w;
    uint32_t candidate[FLUE_HOSTMEM_BURSTS], n = 0, seen = 0;
    for (uint32_t s = mem->write_head; s != end; s++) {
        const struct flue_hostmem_write *b = &mem->write[s % FLUE_HOSTMEM_BURSTS];
        uint32_t bit = 1u << (b->id & 31);
        if (b->answered)
            continue;
        if (!(seen & bit) && answerable(mem, s, mem->mon->cycle))
            candidate[n++] = s;
        seen |= bit;
        if (!mem->config.reorder)
            break;
    }
    if (!n)
        return;
    mem->answer = candidate[n > 1 ? flue_rng_below(&mem->rng, n) : 0];
    struct flue_hostmem_write *b = &mem->write[mem->answer % FLUE_HOSTMEM_BURSTS];
    if (!b->visible)
        make_visible(mem, b);
    in->axi_bid = b->id;
    in->axi_bresp = b->failed ? RESP_SLVERR : 0;
    in->bits |= FLUE_IN_AXI_BVALID;
}

static void step_write(struct flue_hostmem *mem, struct flue_model_in *in, const struct flue_model_out *out)
{
    if ((in->bits & FLUE_IN_AXI_BVALID) && (out->bits & FLUE_OUT_AXI_BREADY)) {
        in->bits &= ~(uint32_t)FLUE_IN_AXI_BVALID;
        mem->write[mem->answer % FLUE_HOSTMEM_BURSTS].answered = true;
        while (mem->write_head != mem->write_aw && mem->write[mem->write_head % FLUE_HOSTMEM_BURSTS].answered) {
            struct flue_hostmem_write *b = &mem->write[mem->write_head++ % FLUE_HOSTMEM_BURSTS];
            b->beats = b->data_beats = 0;
            b->data_done = b->answered = b->failed = b->visible = false;
        }
    }
    if ((out->bits & FLUE_OUT_AXI_AWVALID) && (in->bits & FLUE_IN_AXI_AWREADY))
        accept_write_address(mem, out);
    if ((out->bits & FLUE_OUT_AXI_WVALID) && (in->bits & FLUE_IN_AXI_WREADY))
        accept_write_data(mem, out);
    if (!(in->bits & FLUE_IN_AXI_BVALID) && mem->write_head != mem->write_aw && !flue_rng_hit(&mem->rng, mem->stall_odds))
        offer_answer(mem, in);

    bool aw = mem->write_aw - mem->write_head < mem->config.outstanding;
    bool w = mem->write_w - mem->write_head < mem->config.outstanding;
    in->bits &= ~(uint32_t)(FLUE_IN_AXI_AWREADY | FLUE_IN_AXI_WREADY);
    if (aw && !flue_rng_hit(&mem->rng, mem->stall_odds))
        in->bits |= FLUE_IN_AXI_AWREADY;
    if (w && !flue_rng_hit(&mem->rng, mem->stall_odds))
        in->bits |= FLUE_IN_AXI_WREADY;
}

void flue_hostmem_reset(struct flue_hostmem *mem, struct flue_model_in *in)
{
    mem->reads = 0;
    mem->write_head = mem->write_aw = mem->write_w = 0;
    for (unsigned i = 0; i < FLUE_HOSTMEM_BURSTS; i++) {
        struct flue_hostmem_write *b = &mem->write[i];
        b->beats = b->data_beats = 0;
        b->data_done = b->answered = b->failed = b->visible = false;
    }
    memset(&mem->stalled, 0, sizeof mem->stalled);
    mem->busy = false;
    in->bits &= ~(uint32_t)(FLUE_IN_AXI_RVALID | FLUE_IN_AXI_RLAST | FLUE_IN_AXI_BVALID);
    in->bits |= FLUE_IN_AXI_ARREADY | FLUE_IN_AXI_AWREADY | FLUE_IN_AXI_WREADY;
}

void flue_hostmem_step(struct flue_hostmem *mem, struct flue_model_in *in, const struct flue_model_out *out)
{
    check_stable(mem, in, out);
    step_read(mem, in, out);
    step_write(mem, in, out);
    mem->busy = mem->reads || mem->write_head != mem->write_aw || mem->write_head != mem->write_w ||
                mem->write[mem->write_w % FLUE_HOSTMEM_BURSTS].data_beats || mem->stalled.ar || mem->stalled.aw ||
                mem->stalled.w;
}
