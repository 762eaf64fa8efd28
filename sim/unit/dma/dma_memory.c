#include "dma_memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* Called by dma_memory.sv at each clock edge. */
void memory_reset(int id, int lanes);
unsigned char memory_ar(int id, unsigned char valid, unsigned char ready, uint32_t axid, uint64_t addr, uint32_t len,
                        uint32_t size, uint32_t burst);
unsigned char memory_r(int id, unsigned char ready, uint32_t *axid, uint32_t *data, uint32_t *resp, unsigned char *last);
unsigned char memory_aw(int id, unsigned char valid, unsigned char ready, unsigned char w_valid, uint32_t axid, uint64_t addr,
                        uint32_t len, uint32_t size, uint32_t burst);
unsigned char memory_w(int id, unsigned char valid, unsigned char ready, const uint32_t *data, uint64_t strb,
                       unsigned char last);
unsigned char memory_b(int id, unsigned char valid, unsigned char ready, uint32_t *resp);
void memory_busy(int id, unsigned char busy);

enum { OPEN_MAX = 64, EARLY_MAX = 4096 };

struct burst {
    uint64_t addr;
    uint32_t beats, done;
    uint64_t due; /* cycle of its first beat, or of its response, at the earliest */
    bool error;
};

struct address { /* an address that waits for ready */
    bool waits;
    uint32_t axid, len;
    uint64_t addr;
};

struct beat {
    uint8_t data[64];
    uint64_t strb;
    bool last;
};

/* The bus side of one memory. */
struct port {
    struct address ar, aw;
    struct beat w;
    bool w_waits;
    struct burst reads[4][OPEN_MAX]; /* per id, oldest first */
    unsigned read_count[4];
    int current;                   /* id whose burst is under way, -1 none; used without interleave */
    struct burst writes[OPEN_MAX]; /* addresses taken, data not yet complete */
    unsigned write_count;
    struct beat early[EARLY_MAX]; /* data beats that came before their address */
    unsigned early_count;
    struct burst answers[OPEN_MAX]; /* complete, response to be given */
    unsigned answer_count;
    unsigned idle_busy; /* cycles in which it was busy with nothing on the bus */
};

struct memory memories[MEMORIES];
static struct port ports[MEMORIES];
static char broken[256];

static void rule(int id, const char *format, ...)
{
    if (broken[0])
        return;
    va_list args;
    va_start(args, format);
    int used = snprintf(broken, sizeof broken, "W=%d: ", memories[id].lanes * 8);
    vsnprintf(broken + used, sizeof broken - (size_t)used, format, args);
    va_end(args);
}

void memory_check(void *unused)
{
    (void)unused;
    if (broken[0]) {
        static char text[sizeof broken];
        memcpy(text, broken, sizeof text);
        broken[0] = 0;
        bench_fail(__FILE__, __LINE__, "%s", text);
    }
}

void memory_clear(struct memory *memory)
{
    for (int i = 0; i < REGIONS; i++) {
        struct region *region = &memory->regions[i];
        free(region->data);
        free(region->shadow);
        free(region->faulty);
    }
    int lanes = memory->lanes;
    *memory = (struct memory){.lanes = lanes, .mode = {.latency_min = 8, .latency_max = 8}};
    broken[0] = 0;
}

void memory_region(struct memory *memory, unsigned index, uint64_t base, uint32_t size, bool writable)
{
    size_t room = ((size_t)size + MEMORY_PAGE - 1) / MEMORY_PAGE * MEMORY_PAGE;
    struct region *region = &memory->regions[index];
    *region = (struct region){.base = base,
                              .size = size,
                              .valid = true,
                              .writable = writable,
                              .room = room,
                              .data = malloc(room),
                              .shadow = malloc(room),
                              .faulty = calloc(room / MEMORY_BLOCK, sizeof(bool))};
    if (!region->data || !region->shadow || !region->faulty)
        abort();
    bench_random_bytes(region->data, room);
    memcpy(region->shadow, region->data, room);
}

static struct region *find(struct memory *memory, uint64_t addr)
{
    for (int i = 0; i < REGIONS; i++) {
        struct region *region = &memory->regions[i];
        if (region->valid && addr - region->base < region->room)
            return region;
    }
    return NULL;
}

static unsigned wait_cycles(const struct memory_mode *mode)
{
    return (unsigned)bench_random_in(mode->latency_min, mode->latency_max);
}

void memory_reset(int id, int lanes)
{
    memories[id].lanes = lanes;
    ports[id] = (struct port){.current = -1};
}

/* What holds for both address channels; true when the address is taken now. */
static bool address_moves(int id, const char *name, struct address *held, bool valid, bool ready, struct address now,
                          uint32_t size, uint32_t burst)
{
    struct memory *memory = &memories[id];
    uint32_t lanes = (uint32_t)memory->lanes;

    if (held->waits && (!valid || now.addr != held->addr || now.len != held->len || now.axid != held->axid))
        rule(id, "%s changed while it waited", name);
    held->waits = valid && !ready;
    if (!valid)
        return false;
    held->addr = now.addr;
    held->len = now.len;
    held->axid = now.axid;

    uint64_t bytes = (uint64_t)(now.len + 1) * lanes, last = now.addr + bytes - 1;
    uint64_t most = 16 * lanes > 256 ? 16 * lanes : 256;
    struct region *region = find(memory, now.addr);
    if (UINT32_C(1) << size != lanes || burst != 1 || now.addr % lanes != 0 || bytes > most)
        rule(id, "%s: size %" PRIu32 ", burst type %" PRIu32 ", address 0x%" PRIx64 ", %" PRIu64 " bytes", name, size, burst,
             now.addr, bytes);
    if (now.addr / MEMORY_PAGE != last / MEMORY_PAGE)
        rule(id, "%s: 0x%" PRIx64 " to 0x%" PRIx64 " crosses 4 KB", name, now.addr, last);
    /* The first byte of the burst's last word is inside, so is every one before. */
    if (!region || last - (lanes - 1) - region->base >= region->size)
        rule(id, "%s: 0x%" PRIx64 " to 0x%" PRIx64 " is outside of every region", name, now.addr, last);
    return ready;
}

unsigned char memory_ar(int id, unsigned char valid, unsigned char ready, uint32_t axid, uint64_t addr, uint32_t len,
                        uint32_t size, uint32_t burst)
{
    struct memory *memory = &memories[id];
    struct port *port = &ports[id];
    struct address now = {.axid = axid, .addr = addr, .len = len};

    if (address_moves(id, "AR", &port->ar, valid, ready, now, size, burst)) {
        if (axid > 3 || port->read_count[axid] == OPEN_MAX) {
            rule(id, "AR: id %" PRIu32 ", %u bursts open", axid, axid > 3 ? 0 : port->read_count[axid]);
            return 0;
        }
        port->reads[axid][port->read_count[axid]++] =
            (struct burst){.addr = addr, .beats = len + 1, .due = bench_cycle() + wait_cycles(&memory->mode)};
        memory->reads_open[axid] = port->read_count[axid];
        if (port->read_count[axid] > memory->reads_open_most[axid])
            memory->reads_open_most[axid] = port->read_count[axid];
    }
    return !bench_chance(memory->mode.ar_stall);
}

unsigned char memory_r(int id, unsigned char ready, uint32_t *axid, uint32_t *data, uint32_t *resp, unsigned char *last)
{
    struct memory *memory = &memories[id];
    struct port *port = &ports[id];

    if (!ready)
        rule(id, "R: ready is low");
    for (int i = 0; i < 16; i++)
        data[i] = (uint32_t)bench_random();
    *axid = (uint32_t)bench_random_in(0, 3);
    *resp = 0;
    *last = (unsigned char)bench_chance(50);

    /* An id at random among those that are due; with one under way, that one. */
    int chosen = port->current;
    unsigned first = (unsigned)bench_random_in(0, 3);
    for (unsigned i = 0; chosen < 0 && i < 4; i++) {
        unsigned c = (first + i) % 4;
        if (port->read_count[c] && port->reads[c][0].due <= bench_cycle())
            chosen = (int)c;
    }
    if (chosen < 0 || bench_chance(memory->mode.r_gap))
        return 0;

    struct burst *burst = &port->reads[chosen][0];
    uint64_t addr = burst->addr + (uint64_t)burst->done * (uint64_t)memory->lanes;
    struct region *region = find(memory, addr);
    *axid = (uint32_t)chosen;
    *last = ++burst->done == burst->beats;
    if (region) {
        memcpy(data, region->data + (addr - region->base), (size_t)memory->lanes);
        if (region->faulty[(addr - region->base) / MEMORY_BLOCK]) {
            *resp = (uint32_t)bench_random_in(2, 3);
            burst->error = true;
        }
    }
    if (memory->r_beats++ == 0)
        memory->r_first = bench_cycle();
    memory->r_last = bench_cycle();
    port->current = *last || memory->mode.interleave ? -1 : chosen;
    if (*last) {
        memory->reads_failed += burst->error;
        memory->reads_open[chosen] = --port->read_count[chosen];
        memmove(burst, burst + 1, port->read_count[chosen] * sizeof *burst);
    }
    return 1;
}

/* Take data beats that now have an address. */
static void absorb(int id)
{
    struct memory *memory = &memories[id];
    struct port *port = &ports[id];
    unsigned used = 0;

    while (used < port->early_count && port->write_count) {
        struct beat *beat = &port->early[used++];
        struct burst *burst = &port->writes[0];
        uint64_t addr = burst->addr + (uint64_t)burst->done * (uint64_t)memory->lanes;
        struct region *region = find(memory, addr);

        if (beat->last != (burst->done + 1 == burst->beats))
            rule(id, "W: last is %d on beat %" PRIu32 " of %" PRIu32, beat->last, burst->done + 1, burst->beats);
        for (int lane = 0; lane < memory->lanes; lane++) {
            if (!(beat->strb >> lane & 1))
                continue;
            if (!region || !region->writable || addr + (unsigned)lane - region->base >= region->size)
                rule(id, "W: wrote 0x%" PRIx64, addr + (unsigned)lane);
            else
                region->data[addr + (unsigned)lane - region->base] = beat->data[lane];
        }
        if (region && region->faulty[(addr - region->base) / MEMORY_BLOCK])
            burst->error = true;
        if (++burst->done == burst->beats) {
            burst->due = bench_cycle() + wait_cycles(&memory->mode);
            memory->writes_failed += burst->error;
            port->answers[port->answer_count++] = *burst;
            memmove(burst, burst + 1, --port->write_count * sizeof *burst);
        }
    }
    port->early_count -= used;
    memmove(port->early, port->early + used, port->early_count * sizeof *port->early);
}

unsigned char memory_aw(int id, unsigned char valid, unsigned char ready, unsigned char w_valid, uint32_t axid, uint64_t addr,
                        uint32_t len, uint32_t size, uint32_t burst)
{
    struct memory *memory = &memories[id];
    struct port *port = &ports[id];
    struct address now = {.axid = axid, .addr = addr, .len = len};

    if (address_moves(id, "AW", &port->aw, valid, ready, now, size, burst)) {
        unsigned open = port->write_count + port->answer_count;
        if (axid != 0 || open >= OPEN_MAX - 1) {
            rule(id, "AW: id %" PRIu32 ", %u bursts open", axid, open);
            return 0;
        }
        port->writes[port->write_count++] = (struct burst){.addr = addr, .beats = len + 1};
        memory->writes_open = open + 1;
        if (memory->writes_open > memory->writes_open_most)
            memory->writes_open_most = memory->writes_open;
        absorb(id);
    }
    /* A memory may wait for data before it takes the address: so it does not promise ready before. */
    if (memory->mode.aw_waits_for_w && !(w_valid && port->write_count == 0))
        return 0;
    return !bench_chance(memory->mode.aw_stall);
}

unsigned char memory_w(int id, unsigned char valid, unsigned char ready, const uint32_t *data, uint64_t strb,
                       unsigned char last)
{
    struct memory *memory = &memories[id];
    struct port *port = &ports[id];
    struct beat now = {.strb = strb, .last = last};

    memcpy(now.data, data, sizeof now.data);
    if (port->w_waits && (!valid || now.strb != port->w.strb || now.last != port->w.last))
        rule(id, "W changed while it waited");
    for (int lane = 0; port->w_waits && lane < memory->lanes; lane++)
        if ((strb >> lane & 1) && now.data[lane] != port->w.data[lane])
            rule(id, "W data changed while they waited");
    port->w_waits = valid && !ready;
    port->w = now;
    if (valid && ready) {
        if (port->early_count == EARLY_MAX) {
            rule(id, "W: %d beats without an address", EARLY_MAX);
            return 0;
        }
        port->early[port->early_count++] = now;
        if (memory->w_beats++ == 0)
            memory->w_first = bench_cycle();
        memory->w_last = bench_cycle();
        absorb(id);
    }
    /* The same memory takes no data before the address. */
    if (memory->mode.aw_waits_for_w && port->write_count == 0)
        return 0;
    return !bench_chance(memory->mode.w_stall);
}

unsigned char memory_b(int id, unsigned char valid, unsigned char ready, uint32_t *resp)
{
    struct memory *memory = &memories[id];
    struct port *port = &ports[id];

    if (valid && ready) {
        memmove(port->answers, port->answers + 1, --port->answer_count * sizeof port->answers[0]);
        memory->writes_open = port->write_count + port->answer_count;
        valid = 0;
    }
    *resp = port->answer_count && port->answers[0].error ? 2 : 0;
    return valid || (port->answer_count && port->answers[0].due <= bench_cycle());
}

/* busy may not fall while anything is on the bus. */
void memory_busy(int id, unsigned char busy)
{
    struct port *port = &ports[id];
    bool open = port->write_count || port->answer_count || port->early_count;

    for (int c = 0; c < 4; c++)
        open = open || port->read_count[c];
    if (open && !busy)
        rule(id, "busy is low with bursts open");
}
