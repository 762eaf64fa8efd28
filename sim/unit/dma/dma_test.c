/*
 * Tests of flue_dma at all five widths side by side: every instance gets its own random traffic, and what arrives (read
 * packets, the bytes in memory, the completions) is compared with what a plain C model expects.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "dma_memory.h"

void dma_done(int n, int client, int status);

/* status_e of flue_pkg.sv */
enum { ST_OK = 0, ST_BAD_LENGTH = 2, ST_BAD_REGION = 3, ST_DMA_READ = 5, ST_DMA_WRITE = 6 };

enum { TX_SLOTS, PAYLOAD, RX_SLOTS, MGMT_READ, READERS }; /* read clients */
enum { RX_PAYLOAD, EVENTS, MGMT_WRITE, WRITERS };         /* write clients */

enum {
    EXPECT_MAX = 65536,
    /* Regions by use, so that no byte is read while it is written. */
    R_READ = 0,   /* 0 to 5 */
    R_WRITE = 6,  /* 6 to 9: receive payload */
    R_EVENT = 10, /* 10, 11 */
    R_MGMT = 12,
    R_INVALID = 13,
    R_EDGE = 14, /* the last bytes below 2^64 */
    R_TINY = 15
};

struct piece {
    uint32_t region, offset, length;
};

struct expected {
    uint8_t *data;
    size_t len;
    unsigned status;
};

struct list {
    struct expected item[EXPECT_MAX];
    size_t count, next;
};

struct dut {
    int n, lanes;
    struct memory *memory;
    struct list reads[READERS];
    struct list dones[WRITERS];       /* expected */
    uint8_t got[WRITERS][EXPECT_MAX]; /* completions that came */
    size_t got_count[WRITERS];
    uint64_t refused; /* pieces the region check has to stop */
};

static struct dut duts[MEMORIES];

static int source_read(const struct dut *dut, int client)
{
    return 16 * dut->n + client;
}
static int source_write(const struct dut *dut, int client)
{
    return 16 * dut->n + 4 + client;
}
static int source_data(const struct dut *dut, int client)
{
    return 16 * dut->n + 7 + client;
}
static int sink(const struct dut *dut, int client)
{
    return 16 * dut->n + client;
}

void dma_done(int n, int client, int status)
{
    struct dut *dut = &duts[n];
    if (dut->got_count[client] < EXPECT_MAX)
        dut->got[client][dut->got_count[client]++] = (uint8_t)status;
}

static void list_add(struct list *list, const uint8_t *data, size_t len, unsigned status)
{
    CHECK(list->count < EXPECT_MAX);
    struct expected *item = &list->item[list->count++];
    *item = (struct expected){.len = len, .status = status};
    if (data) {
        item->data = malloc(len ? len : 1);
        memcpy(item->data, data, len);
    }
}

static void list_clear(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->item[i].data);
    list->count = list->next = 0;
}

/* One word of the region window. */
static void window_write(const struct dut *dut, unsigned index, unsigned word, uint32_t value)
{
    bench_set(dut->n, 0, 32, value);
    bench_set(dut->n, 32, 6, index << 2 | word);
    bench_set(dut->n, 38, 1, 1);
    bench_run(1);
    bench_set(dut->n, 38, 1, 0);
    bench_run(1);
}

static uint32_t window_read(const struct dut *dut, unsigned index, unsigned word)
{
    bench_set(dut->n, 32, 6, index << 2 | word);
    bench_run(5); /* one edge to drive it, four by contract */
    return (uint32_t)bench_get(dut->n, 0, 32);
}

static void window_set(const struct dut *dut, unsigned index)
{
    const struct region *region = &dut->memory->regions[index];
    window_write(dut, index, 0, (uint32_t)region->base);
    window_write(dut, index, 1, (uint32_t)(region->base >> 32));
    window_write(dut, index, 2, region->size);
    window_write(dut, index, 3, (uint32_t)region->valid | (uint32_t)region->writable << 1);
}

static uint32_t random_size(unsigned index)
{
    switch (index) {
    case R_TINY:
        return (uint32_t)bench_random_in(1, 300);
    case R_EDGE:
        return 8192 - 1;
    case R_READ:
    case R_WRITE:
        return 200000 + (uint32_t)bench_random_in(0, 5000);
    default:
        return (uint32_t)bench_random_in(100, 40000);
    }
}

/* Fresh regions in every instance: apart from each other, some next to a 4 GB line, one at the end of the address space. */
static void set_up(void)
{
    bench_on_cycle(memory_check, NULL);
    for (int n = 0; n < MEMORIES; n++) {
        struct dut *dut = &duts[n];
        for (int c = 0; c < READERS; c++)
            list_clear(&dut->reads[c]);
        for (int c = 0; c < WRITERS; c++)
            list_clear(&dut->dones[c]);
        dut->n = n;
        dut->lanes = 4 << n;
        dut->memory = &memories[n];
        memset(dut->got_count, 0, sizeof dut->got_count);
        dut->refused = 0;
        memory_clear(dut->memory);
        for (unsigned i = 0; i < REGIONS; i++) {
            uint64_t base = (uint64_t)(i + 1) << 36 | (bench_random() & 0xFFFFF000);
            if (i == R_READ + 1 || i == R_WRITE + 1)
                base = ((uint64_t)(i + 1) << 36) - 4096; /* crosses a 4 GB line */
            if (i == R_EDGE)
                base = UINT64_MAX - 8191;
            bool writable = (i >= R_WRITE && i < R_INVALID) || i >= R_EDGE;
            memory_region(dut->memory, i, base, random_size(i), writable);
            if (i == R_INVALID)
                dut->memory->regions[i].valid = false;
            window_set(dut, i);
        }
    }
}

static bool allowed(const struct dut *dut, struct piece piece, bool write)
{
    if (piece.region >= REGIONS || piece.length == 0)
        return false;
    const struct region *region = &dut->memory->regions[piece.region];
    return region->valid && (region->writable || !write) && (uint64_t)piece.offset + piece.length <= region->size;
}

static bool faulty(const struct dut *dut, struct piece piece)
{
    const struct region *region = &dut->memory->regions[piece.region];
    for (uint32_t b = piece.offset / MEMORY_BLOCK; b <= (piece.offset + piece.length - 1) / MEMORY_BLOCK; b++)
        if (region->faulty[b])
            return true;
    return false;
}

static struct bench_bits request_bits(struct piece piece, bool last)
{
    struct bench_bits bits = {0};
    bench_bits_set(&bits, 0, 17, piece.length);
    bench_bits_set(&bits, 17, 32, piece.offset);
    bench_bits_set(&bits, 49, 8, piece.region);
    bench_bits_set(&bits, 57, 1, last);
    return bits;
}

/* A packet made of pieces: put its requests, and what must come back. */
static void ask(struct dut *dut, int client, const struct piece *pieces, size_t count)
{
    static uint8_t data[1 << 20];
    size_t len = 0;
    unsigned status = ST_OK;
    bool refused = false;

    for (size_t i = 0; i < count; i++) {
        struct bench_bits bits = request_bits(pieces[i], i + 1 == count);
        uint8_t none = 0;
        bench_send(source_read(dut, client), &none, 1, false, &bits);
        if (refused)
            continue; /* accepted and ignored */
        if (!allowed(dut, pieces[i], false)) {
            refused = true;
            if (status == ST_OK) /* the packet ends at its first error */
                status = ST_BAD_REGION;
            dut->refused++;
        } else {
            const struct region *region = &dut->memory->regions[pieces[i].region];
            if (faulty(dut, pieces[i]) && status == ST_OK)
                status = ST_DMA_READ;
            memcpy(data + len, region->data + pieces[i].offset, pieces[i].length);
            len += pieces[i].length;
        }
    }
    list_add(&dut->reads[client], data, len, status);
}

static void ask_one(struct dut *dut, int client, uint32_t region, uint32_t offset, uint32_t length)
{
    struct piece piece = {region, offset, length};
    ask(dut, client, &piece, 1);
}

/* A write of `length` bytes whose packet has `sent` bytes. */
static void put(struct dut *dut, int client, struct piece piece, uint32_t sent)
{
    static uint8_t data[1 << 18];
    struct bench_bits bits = request_bits(piece, false);
    uint8_t none = 0;

    bench_random_bytes(data, sent);
    bench_send(source_write(dut, client), &none, 1, false, &bits);
    bench_send(source_data(dut, client), data, sent, false, NULL);
    unsigned status = ST_BAD_REGION;
    if (allowed(dut, piece, true)) {
        struct region *region = &dut->memory->regions[piece.region];
        memcpy(region->shadow + piece.offset, data, sent < piece.length ? sent : piece.length);
        status = faulty(dut, piece) ? ST_DMA_WRITE : sent != piece.length ? ST_BAD_LENGTH : ST_OK;
    } else {
        dut->refused++;
    }
    list_add(&dut->dones[client], NULL, 0, status);
}

static void put_one(struct dut *dut, int client, uint32_t region, uint32_t offset, uint32_t length)
{
    put(dut, client, (struct piece){region, offset, length}, length);
}

/* Everything expected has come, nothing else, and the memory holds what it should. */
static void settle(uint64_t limit)
{
    bench_drain(limit);
    for (int n = 0; n < MEMORIES; n++)
        for (int i = 0; i < 20 && bench_get(n, 35, 1); i++) { /* the rest of a packet that ended early is still read */
            bench_run(10000);
            bench_drain(limit);
        }
    for (int n = 0; n < MEMORIES; n++) {
        struct dut *dut = &duts[n];
        for (int c = 0; c < READERS; c++) {
            struct list *list = &dut->reads[c];
            struct bench_packet packet;
            while (bench_take(sink(dut, c), &packet)) {
                CHECK(list->next < list->count);
                struct expected *item = &list->item[list->next++];
                unsigned status = (unsigned)bench_bits_get(&packet.user_last, 0, 5);
                if (status != item->status)
                    bench_fail(__FILE__, __LINE__, "W=%d client %d packet %zu of %zu bytes: expected status %u, got %u",
                               8 * dut->lanes, c, list->next - 1, item->len, item->status, status);
                CHECK_EQ(item->status != ST_OK, packet.bad);
                if (item->status == ST_OK)
                    CHECK_BYTES(item->data, item->len, packet.data, packet.len);
                else if (packet.len > (size_t)dut->lanes) /* up to its last beat it is what was asked for */
                    CHECK_BYTES(item->data, packet.len - (size_t)dut->lanes, packet.data, packet.len - (size_t)dut->lanes);
            }
            CHECK_EQ(list->count, list->next);
        }
        for (int c = 0; c < WRITERS; c++) {
            struct list *list = &dut->dones[c];
            CHECK_EQ(list->count, dut->got_count[c]);
            for (; list->next < list->count; list->next++)
                if (list->item[list->next].status != dut->got[c][list->next])
                    bench_fail(__FILE__, __LINE__, "W=%d write client %d request %zu: expected status %u, got %u",
                               8 * dut->lanes, c, list->next, list->item[list->next].status, dut->got[c][list->next]);
        }
        for (int i = 0; i < REGIONS; i++) {
            struct region *region = &dut->memory->regions[i];
            if (memcmp(region->shadow, region->data, region->room) != 0)
                CHECK_BYTES(region->shadow, region->room, region->data, region->room);
        }
        CHECK_EQ(0, bench_get(n, 35, 1)); /* not busy */
        CHECK_EQ(dut->memory->reads_failed, bench_count(n, 32));
        CHECK_EQ(dut->memory->writes_failed, bench_count(n, 33));
        CHECK_EQ(dut->refused, bench_count(n, 34));
    }
}

static void modes(struct memory_mode mode)
{
    for (int n = 0; n < MEMORIES; n++)
        memories[n].mode = mode;
}

static struct memory_mode random_mode(void)
{
    unsigned least = (unsigned)bench_random_in(0, 30);
    return (struct memory_mode){.ar_stall = (unsigned)bench_random_in(0, 80),
                                .aw_stall = (unsigned)bench_random_in(0, 80),
                                .w_stall = (unsigned)bench_random_in(0, 80),
                                .r_gap = (unsigned)bench_random_in(0, 60),
                                .latency_min = least,
                                .latency_max = least + (unsigned)bench_random_in(0, 60),
                                .interleave = bench_chance(70),
                                .aw_waits_for_w = bench_chance(20)};
}

static uint32_t random_length(void)
{
    if (bench_chance(30))
        return (uint32_t)bench_random_in(1, 8);
    if (bench_chance(60))
        return (uint32_t)bench_random_in(1, 300);
    return (uint32_t)bench_random_in(1, 5000);
}

/* An access that is allowed, with a liking for the ends of the region and for 4 KB lines. */
static struct piece random_piece(const struct dut *dut, unsigned low, unsigned high, uint32_t length)
{
    struct piece piece = {.region = (uint32_t)bench_random_in(low, high), .length = length};
    uint32_t size = dut->memory->regions[piece.region].size;
    if (piece.length > size)
        piece.length = (uint32_t)bench_random_in(1, size);
    uint32_t most = size - piece.length;
    switch (bench_random_in(0, 3)) {
    case 0:
        piece.offset = most;
        break;
    case 1:
        piece.offset = 4096 - (uint32_t)bench_random_in(0, 64);
        if (piece.offset <= most)
            break;
        /* fallthrough */
    default:
        piece.offset = (uint32_t)bench_random_in(0, most);
    }
    return piece;
}

/* Make an allowed access one that must be refused. */
static struct piece spoil(const struct dut *dut, struct piece piece, bool write)
{
    uint32_t size = dut->memory->regions[piece.region].size;
    switch (bench_random_in(0, write ? 6 : 5)) {
    case 0:
        piece.offset = size - piece.length + 1;
        break;
    case 1:
        piece.offset = 0 - (uint32_t)bench_random_in(1, 20); /* offset + length passes 2^32 */
        break;
    case 2:
        piece.region = (uint32_t)bench_random_in(REGIONS, 255);
        break;
    case 3:
        piece.region = R_INVALID;
        piece.offset = 0;
        piece.length = 1;
        break;
    case 4:
        piece.offset = size;
        break;
    case 5:
        piece.length = 0;
        break;
    default:
        piece.region = R_READ; /* not writable */
        piece.offset = 0;
    }
    return piece;
}

static struct piece random_slots(const struct dut *dut, unsigned low, unsigned high)
{
    struct piece piece = {.region = (uint32_t)bench_random_in(low, high)};
    uint32_t lines = dut->memory->regions[piece.region].size / 64;
    uint32_t first = (uint32_t)bench_random_in(0, 3), count = (uint32_t)bench_random_in(1, 4 - first);
    piece.offset = 64 * (uint32_t)bench_random_in(0, lines - 1) + 16 * first;
    piece.length = 16 * count;
    return piece;
}

static void random_faults(struct dut *dut)
{
    for (int i = 0; i < REGIONS; i++) {
        struct region *region = &dut->memory->regions[i];
        for (size_t b = 0; b < region->room / MEMORY_BLOCK; b++)
            region->faulty[b] = bench_chance(i == R_READ || i == R_WRITE ? 0 : 4);
    }
}

static void random_packet(struct dut *dut, bool errors)
{
    struct piece pieces[40];
    size_t count = bench_chance(50) ? 1 : (size_t)bench_random_in(1, bench_chance(10) ? 40 : 5);
    for (size_t i = 0; i < count; i++) {
        pieces[i] = random_piece(dut, R_READ, R_READ + 5, random_length());
        if (errors && bench_chance(4))
            pieces[i] = spoil(dut, pieces[i], false);
    }
    ask(dut, PAYLOAD, pieces, count);
}

static void random_slot_read(struct dut *dut, int client, bool errors)
{
    struct piece piece = random_slots(dut, R_READ, R_READ + 5);
    if (errors && bench_chance(5)) {
        if (bench_chance(50))
            piece.region = (uint32_t)bench_random_in(R_INVALID, R_INVALID + 100) == R_EDGE ? 200 : R_INVALID;
        else
            piece.offset = (dut->memory->regions[piece.region].size / 64 + 1) * 64;
    }
    ask(dut, client, &piece, 1);
}

static void random_write(struct dut *dut, bool errors)
{
    struct piece piece = random_piece(dut, R_WRITE, R_WRITE + 3, random_length());
    uint32_t sent = piece.length;
    if (errors && bench_chance(6))
        piece = spoil(dut, piece, true);
    if (errors && bench_chance(10))
        sent = bench_chance(50) ? (uint32_t)bench_random_in(1, sent) : sent + (uint32_t)bench_random_in(1, 700);
    put(dut, RX_PAYLOAD, piece, sent);
}

static void random_event(struct dut *dut, bool errors)
{
    struct piece piece = random_slots(dut, R_EVENT, R_EVENT + 1);
    piece.length = 16;
    if (errors && bench_chance(5))
        piece.region = bench_chance(50) ? R_READ : 255;
    put(dut, EVENTS, piece, 16);
}

/* An access of the management processor: words, at most a page; refused ones too. */
static struct piece random_words(const struct dut *dut, unsigned low, unsigned high, bool write, bool errors)
{
    struct piece piece = {.region = (uint32_t)bench_random_in(low, high)};
    uint32_t words = dut->memory->regions[piece.region].size / 4;
    uint32_t most = bench_chance(20) ? 1024 : bench_chance(50) ? 64 : 8;
    uint32_t count = (uint32_t)bench_random_in(1, most < words ? most : words);
    piece.offset = 4 * (bench_chance(25) ? words - count : (uint32_t)bench_random_in(0, words - count));
    piece.length = 4 * count;
    if (errors && bench_chance(8))
        switch (bench_random_in(0, 4)) {
        case 0:
            piece.offset = 4 * (words - count + 1);
            break;
        case 1:
            piece.offset = 0 - 4 * (uint32_t)bench_random_in(1, 5);
            break;
        case 2:
            piece.region = (uint32_t)bench_random_in(REGIONS, 255);
            break;
        case 3:
            piece.region = write ? R_READ : R_INVALID;
            break;
        default:
            piece.length = 0;
        }
    return piece;
}

static void random_mgmt(struct dut *dut, bool errors)
{
    struct piece piece = random_words(dut, R_READ, R_READ + 5, false, errors);
    ask(dut, MGMT_READ, &piece, 1);
    piece = random_words(dut, R_MGMT, R_MGMT, true, errors);
    uint32_t sent = piece.length ? piece.length : 4;
    if (errors && bench_chance(10))
        sent = 4 * (uint32_t)bench_random_in(1, 200);
    put(dut, MGMT_WRITE, piece, sent);
}

/* ---- reads ---- */

TEST(payload_reads_of_every_alignment_and_length)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++)
        for (uint32_t offset = 0; offset < 66; offset++)
            for (uint32_t length = 1; length < 140; length += offset % 3 + 1)
                ask_one(&duts[n], PAYLOAD, R_READ, offset, length);
    settle(400000);
}

TEST(payload_reads_around_every_4k_line)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++)
        for (uint32_t i = 0; i < 300; i++) {
            uint32_t line = 4096 * (uint32_t)bench_random_in(1, 40);
            ask_one(&duts[n], PAYLOAD, R_READ + i % 2,
                    line - (uint32_t)bench_random_in(0, 80) < 150000 && i % 2 == 0 ? line - (uint32_t)bench_random_in(0, 80)
                                                                                   : 4096 - (uint32_t)bench_random_in(0, 80),
                    (uint32_t)bench_random_in(1, i % 2 ? 20 : 6000));
        }
    settle(2000000);
}

TEST(pieces_join_into_one_packet)
{
    set_up();
    modes((struct memory_mode){.latency_min = 5, .latency_max = 40, .r_gap = 20, .ar_stall = 20, .interleave = true});
    for (int n = 0; n < MEMORIES; n++)
        for (int i = 0; i < 60; i++)
            random_packet(&duts[n], false);
    settle(2000000);
}

TEST(many_pieces_of_one_byte)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++) {
        static struct piece pieces[1000];
        for (int i = 0; i < 1000; i++)
            pieces[i] = random_piece(&duts[n], R_READ, R_READ + 5, 1);
        ask(&duts[n], PAYLOAD, pieces, 1000);
        ask(&duts[n], PAYLOAD, pieces, 1);
    }
    settle(100000);
}

/* Control plane 5: the management processor moves words of any length up to a page, both ways. */
TEST(management_accesses_of_every_alignment_and_length)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++) {
        struct dut *dut = &duts[n];
        for (uint32_t offset = 0; offset < 72; offset += 4)
            for (uint32_t length = 4; length < 160; length += 4 + offset % 3 * 4) {
                ask_one(dut, MGMT_READ, R_READ, offset, length);
                put_one(dut, MGMT_WRITE, R_WRITE, 256 * (uint32_t)bench_random_in(0, 500) + offset, length);
            }
        for (uint32_t offset = 0; offset < 1100; offset += 140) {
            ask_one(dut, MGMT_READ, R_READ, offset, 4096);
            put_one(dut, MGMT_WRITE, R_WRITE, 8192 + offset, 4096);
        }
    }
    settle(1000000);
}

TEST(reads_beyond_64_kb)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++) {
        ask_one(&duts[n], PAYLOAD, R_READ, 3, 65536 + 100);
        ask_one(&duts[n], PAYLOAD, R_READ, 4095, 131071);
        ask_one(&duts[n], PAYLOAD, R_READ, duts[n].memory->regions[R_READ].size - 65537, 65537);
    }
    settle(1000000);
}

TEST(slot_reads_of_every_place_in_a_line)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++)
        for (uint32_t round = 0; round < 8; round++)
            for (uint32_t first = 0; first < 4; first++)
                for (uint32_t count = 1; count <= 4 - first; count++)
                    for (int client = TX_SLOTS; client <= RX_SLOTS; client += RX_SLOTS)
                        ask_one(&duts[n], client, R_READ, 64 * round + 16 * first, 16 * count);
    settle(100000);
}

TEST(all_read_clients_under_random_stalls)
{
    for (int round = 0; round < 4; round++) {
        bench_reset();
        set_up();
        bench_mode_random();
        for (int n = 0; n < MEMORIES; n++) {
            struct dut *dut = &duts[n];
            dut->memory->mode = random_mode();
            for (int i = 0; i < 60; i++)
                random_packet(dut, false);
            for (int i = 0; i < 150; i++) {
                random_slot_read(dut, TX_SLOTS, false);
                random_slot_read(dut, RX_SLOTS, false);
            }
        }
        settle(4000000);
    }
}

TEST(a_failed_read_disturbs_no_other)
{
    for (int round = 0; round < 4; round++) {
        bench_reset();
        set_up();
        bench_mode_random();
        for (int n = 0; n < MEMORIES; n++) {
            struct dut *dut = &duts[n];
            dut->memory->mode = random_mode();
            random_faults(dut);
            for (int i = 0; i < 80; i++)
                random_packet(dut, true);
            for (int i = 0; i < 150; i++) {
                random_slot_read(dut, TX_SLOTS, true);
                random_slot_read(dut, RX_SLOTS, true);
                random_mgmt(dut, true);
            }
        }
        settle(4000000);
    }
}

/* A client that takes nothing holds up neither the other readers nor the writers. */
TEST(a_stalled_client_stalls_nobody_else)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++) {
        struct dut *dut = &duts[n];
        bench_sink_mode(sink(dut, PAYLOAD), BENCH_BURSTS, 95);
        bench_sink_mode(sink(dut, RX_SLOTS), BENCH_BURSTS, 95);
        bench_sink_mode(sink(dut, MGMT_READ), BENCH_BURSTS, 100);
        ask_one(dut, PAYLOAD, R_READ, 1, 100000);
        ask_one(dut, MGMT_READ, R_READ, 4, 4096);
        for (int i = 0; i < 40; i++)
            random_slot_read(dut, RX_SLOTS, false);
        for (int i = 0; i < 60; i++) {
            random_slot_read(dut, TX_SLOTS, false);
            random_event(dut, false);
        }
    }
    bench_run(4000); /* 60 slot reads, one at a time: 40 to 60 cycles each */
    for (int n = 0; n < MEMORIES; n++) {
        CHECK_EQ(60, bench_arrived(sink(&duts[n], TX_SLOTS)));
        CHECK_EQ(60, duts[n].got_count[EVENTS]);
        CHECK_EQ(0, bench_arrived(sink(&duts[n], PAYLOAD)));
        CHECK_EQ(0, bench_arrived(sink(&duts[n], MGMT_READ)));
    }
    bench_mode_all(BENCH_FULL, 0, 0);
    settle(1000000);
}

/* ---- writes ---- */

TEST(payload_writes_of_every_alignment_and_length)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++) {
        uint32_t at = 0;
        for (uint32_t offset = 0; offset < 66; offset++)
            for (uint32_t length = 1; length < 140; length += offset % 5 + 3) {
                put_one(&duts[n], RX_PAYLOAD, R_WRITE, at + offset, length);
                at = (at + 64 * (uint32_t)bench_random_in(0, 5)) % 190000;
            }
    }
    settle(1000000);
}

TEST(event_writes_of_every_place_in_a_line)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++)
        for (uint32_t i = 0; i < 200; i++)
            put_one(&duts[n], EVENTS, R_WRITE + 3, 16 * (i % 6), 16);
    settle(100000);
}

TEST(writes_beyond_64_kb)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++) {
        put_one(&duts[n], RX_PAYLOAD, R_WRITE, 5, 65536 + 100);
        put_one(&duts[n], EVENTS, R_EVENT, 16, 16);
        put_one(&duts[n], RX_PAYLOAD, R_WRITE, 4097, 131071);
        put_one(&duts[n], RX_PAYLOAD, R_WRITE, duts[n].memory->regions[R_WRITE].size - 65537, 65537);
    }
    settle(1000000);
}

TEST(writes_of_all_clients_under_random_stalls)
{
    for (int round = 0; round < 4; round++) {
        bench_reset();
        set_up();
        bench_mode_random();
        for (int n = 0; n < MEMORIES; n++) {
            duts[n].memory->mode = random_mode();
            for (int i = 0; i < 120; i++) {
                random_write(&duts[n], false);
                random_event(&duts[n], false);
                random_mgmt(&duts[n], false);
            }
        }
        settle(4000000);
    }
}

TEST(a_failed_write_disturbs_no_other)
{
    for (int round = 0; round < 4; round++) {
        bench_reset();
        set_up();
        bench_mode_random();
        for (int n = 0; n < MEMORIES; n++) {
            duts[n].memory->mode = random_mode();
            random_faults(&duts[n]);
            for (int i = 0; i < 150; i++) {
                random_write(&duts[n], true);
                random_event(&duts[n], true);
                random_mgmt(&duts[n], true);
            }
        }
        settle(4000000);
    }
}

TEST(data_of_the_wrong_length_never_leave_the_request)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++)
        for (uint32_t length = 1; length < 80; length += 3)
            for (uint32_t sent = 1; sent < 90; sent += 7)
                put(&duts[n], RX_PAYLOAD,
                    (struct piece){R_WRITE, 256 * (uint32_t)bench_random_in(0, 60) + 1000 - length % 70, length}, sent);
    for (int n = 0; n < MEMORIES; n++) {
        put(&duts[n], RX_PAYLOAD, (struct piece){R_WRITE, 77, 5000}, 1);
        put(&duts[n], RX_PAYLOAD, (struct piece){R_WRITE, 77, 1}, 5000);
        put(&duts[n], RX_PAYLOAD, (struct piece){R_WRITE, 77, 5000}, 4999);
        put(&duts[n], RX_PAYLOAD, (struct piece){R_WRITE, 77, 5000}, 5001);
        put_one(&duts[n], RX_PAYLOAD, R_WRITE, 77, 5000);
    }
    settle(1000000);
}

/* ---- regions ---- */

/* Every edge of the check, read and write: the last byte inside passes, one further does not. */
TEST(the_region_check_is_exact_at_every_edge)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++) {
        struct dut *dut = &duts[n];
        for (uint32_t r = 0; r < REGIONS; r++) {
            uint32_t size = dut->memory->regions[r].size;
            for (uint32_t length = 0; length < 70 && length <= size; length += 1 + length / 4)
                for (uint32_t past = 0; past < 3; past++)
                    ask_one(dut, PAYLOAD, r, size - length + past, length);
        }
        for (uint32_t r = REGIONS; r < 256; r += 15)
            ask_one(dut, PAYLOAD, r, 0, 1);
        ask_one(dut, PAYLOAD, R_READ, UINT32_MAX, 1);
        ask_one(dut, PAYLOAD, R_READ, UINT32_MAX, 2);
        ask_one(dut, PAYLOAD, R_READ, UINT32_MAX - 131070, 131071);
        ask_one(dut, PAYLOAD, R_EDGE, 0, 8191);
    }
    settle(1000000);
    for (int n = 0; n < MEMORIES; n++)
        for (uint32_t r = 0; r < REGIONS; r++) {
            uint32_t size = duts[n].memory->regions[r].size;
            for (uint32_t length = 0; length < 70 && length <= size; length += 1 + length / 4)
                for (uint32_t past = 0; past < 3; past++)
                    put(&duts[n], RX_PAYLOAD, (struct piece){r, size - length + past, length}, length ? length : 1);
        }
    settle(1000000);
}

TEST(the_region_window_reads_back_and_reset_clears_valid)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++) {
        struct dut *dut = &duts[n];
        for (unsigned i = 0; i < REGIONS; i++) {
            const struct region *region = &dut->memory->regions[i];
            CHECK_EQ((uint32_t)region->base, window_read(dut, i, 0));
            CHECK_EQ((uint32_t)(region->base >> 32), window_read(dut, i, 1));
            CHECK_EQ(region->size, window_read(dut, i, 2));
            CHECK_EQ((unsigned)region->valid | (unsigned)region->writable << 1, window_read(dut, i, 3));
        }
        window_write(dut, 3, 0, 0xFFFFFFFF);
        CHECK_EQ(0xFFFFF000, window_read(dut, 3, 0)); /* regions begin on a page */
    }
    bench_reset();
    for (int n = 0; n < MEMORIES; n++)
        for (unsigned i = 0; i < REGIONS; i++)
            CHECK_EQ(duts[n].memory->regions[i].writable ? 2 : 0, window_read(&duts[n], i, 3));
}

/* The window is read while accesses are checked: neither disturbs the other. */
TEST(the_region_window_reads_back_under_traffic)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++)
        for (int i = 0; i < 60; i++) {
            random_packet(&duts[n], true);
            random_write(&duts[n], true);
        }
    for (int i = 0; i < 200; i++) {
        const struct dut *dut = &duts[i % MEMORIES];
        unsigned index = (unsigned)bench_random_in(0, REGIONS - 1);
        CHECK_EQ(dut->memory->regions[index].size, window_read(dut, index, 2));
    }
    settle(1000000);
}

/* Revoking a region under a long access ends the access; nothing is touched afterwards. */
TEST(revoking_a_region_ends_its_accesses)
{
    for (int round = 0; round < 6; round++) {
        bench_reset();
        set_up();
        for (int n = 0; n < MEMORIES; n++) {
            struct dut *dut = &duts[n];
            ask_one(dut, PAYLOAD, R_READ, 1, 100000);
            put_one(dut, RX_PAYLOAD, R_WRITE, 1, 100000);
        }
        bench_run(bench_random_in(50, 1200));
        for (int n = 0; n < MEMORIES; n++) {
            struct dut *dut = &duts[n];
            window_write(dut, R_READ, 3, 0);
            window_write(dut, R_WRITE, 3, 0);
            ask_one(dut, PAYLOAD, R_READ + 1, 5, 90); /* what follows is served */
            put_one(dut, RX_PAYLOAD, R_WRITE + 1, 7, 90);
        }
        bench_drain(1000000);
        for (int n = 0; n < MEMORIES; n++) {
            struct dut *dut = &duts[n];
            struct bench_packet packet;
            CHECK(bench_take(sink(dut, PAYLOAD), &packet));
            CHECK_EQ(ST_BAD_REGION, bench_bits_get(&packet.user_last, 0, 5));
            CHECK(packet.bad);
            CHECK(packet.len < 100000);
            CHECK(memcmp(dut->reads[PAYLOAD].item[0].data, packet.data, packet.len - 1) == 0);
            CHECK(bench_take(sink(dut, PAYLOAD), &packet));
            CHECK_BYTES(dut->reads[PAYLOAD].item[1].data, dut->reads[PAYLOAD].item[1].len, packet.data, packet.len);
            CHECK_EQ(2, dut->got_count[RX_PAYLOAD]);
            CHECK_EQ(ST_BAD_REGION, dut->got[RX_PAYLOAD][0]);
            CHECK_EQ(ST_OK, dut->got[RX_PAYLOAD][1]);
            CHECK_EQ(0, bench_get(n, 35, 1));
            struct region *region = &dut->memory->regions[R_WRITE + 1];
            CHECK(memcmp(region->shadow, region->data, region->room) == 0);
            region = &dut->memory->regions[R_WRITE];
            for (uint32_t i = 100001; i < region->room; i++)
                CHECK_EQ(region->shadow[i], region->data[i]);
        }
    }
}

/* ---- everything ---- */

TEST(reads_and_writes_with_every_error_and_stall)
{
    for (int round = 0; round < 6; round++) {
        bench_reset();
        set_up();
        bench_mode_random();
        for (int n = 0; n < MEMORIES; n++) {
            struct dut *dut = &duts[n];
            dut->memory->mode = random_mode();
            random_faults(dut);
            for (int i = 0; i < 60; i++) {
                random_packet(dut, true);
                random_slot_read(dut, TX_SLOTS, true);
                random_slot_read(dut, RX_SLOTS, true);
                random_write(dut, true);
                random_event(dut, true);
                random_mgmt(dut, true);
            }
        }
        settle(4000000);
    }
}

/* ---- rates ---- */

static const char *const ideal = "ideal memory, 8 cycles latency, 64 KB transfers, unaligned";

TEST(long_reads_take_every_cycle)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++)
        for (uint32_t i = 0; i < 4; i++)
            ask_one(&duts[n], PAYLOAD, R_READ, 4096 * i + 13, 65536);
    settle(1000000);
    for (int n = 0; n < MEMORIES; n++) {
        char name[64];
        double rate = bench_beats_per_cycle(bench_sink_stats(sink(&duts[n], PAYLOAD)));
        snprintf(name, sizeof name, "beats_per_cycle/dma_read/%d", 32 << n);
        bench_report(name, rate, "beats/cycle", ideal);
        CHECK(rate >= 0.95);
        CHECK(memories[n].reads_open_most[PAYLOAD] >= 2);
    }
}

TEST(long_reads_of_pages_take_every_cycle)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++) {
        struct piece pieces[16];
        for (uint32_t i = 0; i < 16; i++)
            pieces[i] = (struct piece){R_READ, 8192 * i, 4096};
        for (int i = 0; i < 4; i++)
            ask(&duts[n], PAYLOAD, pieces, 16);
    }
    settle(1000000);
    for (int n = 0; n < MEMORIES; n++) {
        char name[64];
        double rate = bench_beats_per_cycle(bench_sink_stats(sink(&duts[n], PAYLOAD)));
        snprintf(name, sizeof name, "beats_per_cycle/dma_read_pages/%d", 32 << n);
        bench_report(name, rate, "beats/cycle", "ideal memory, 8 cycles latency, packets of 16 pages");
        CHECK(rate >= 0.95);
    }
}

TEST(long_reads_hide_latency)
{
    set_up();
    modes((struct memory_mode){.latency_min = 100, .latency_max = 100, .interleave = true});
    for (int n = 0; n < MEMORIES; n++)
        for (uint32_t i = 0; i < 4; i++)
            ask_one(&duts[n], PAYLOAD, R_READ, 4096 * i + 13, 65536);
    settle(1000000);
    for (int n = 0; n < MEMORIES; n++) {
        char name[64];
        double rate = bench_beats_per_cycle(bench_sink_stats(sink(&duts[n], PAYLOAD)));
        snprintf(name, sizeof name, "beats_per_cycle/dma_read_latency_100/%d", 32 << n);
        bench_report(name, rate, "beats/cycle", "memory with 100 cycles latency, 64 KB transfers");
        CHECK(rate >= 0.95);
        CHECK(memories[n].reads_open_most[PAYLOAD] >= 4);
    }
}

TEST(long_writes_take_every_cycle)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++)
        for (uint32_t i = 0; i < 4; i++)
            put_one(&duts[n], RX_PAYLOAD, R_WRITE, 4096 * i + 13, 65536);
    settle(1000000);
    for (int n = 0; n < MEMORIES; n++) {
        char name[64];
        const struct memory *memory = duts[n].memory;
        double rate = (double)memory->w_beats / (double)(memory->w_last - memory->w_first + 1);
        snprintf(name, sizeof name, "beats_per_cycle/dma_write/%d", 32 << n);
        bench_report(name, rate, "beats/cycle", ideal);
        CHECK(rate >= 0.95);
        CHECK(memory->writes_open_most >= 2);
    }
}

TEST(long_reads_and_writes_together_take_every_cycle)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++)
        for (uint32_t i = 0; i < 4; i++) {
            ask_one(&duts[n], PAYLOAD, R_READ, 4096 * i + 13, 65536);
            put_one(&duts[n], RX_PAYLOAD, R_WRITE, 4096 * i + 13, 65536);
        }
    settle(1000000);
    for (int n = 0; n < MEMORIES; n++) {
        char name[64];
        const struct memory *memory = duts[n].memory;
        double reads = bench_beats_per_cycle(bench_sink_stats(sink(&duts[n], PAYLOAD)));
        double writes = (double)memory->w_beats / (double)(memory->w_last - memory->w_first + 1);
        snprintf(name, sizeof name, "beats_per_cycle/dma_both/%d", 32 << n);
        bench_report(name, reads < writes ? reads : writes, "beats/cycle", "slower of both directions at once, ideal memory");
        CHECK(reads >= 0.95);
        CHECK(writes >= 0.95);
    }
}

TEST(frames_follow_each_other_without_a_gap)
{
    set_up();
    for (int n = 0; n < MEMORIES; n++)
        for (uint32_t i = 0; i < 64; i++) {
            ask_one(&duts[n], PAYLOAD, R_READ, 2048 * i + 2, 1514);
            put_one(&duts[n], RX_PAYLOAD, R_WRITE, 2048 * i + 2, 1514);
        }
    settle(1000000);
    for (int n = 0; n < MEMORIES; n++) {
        char name[64];
        const struct memory *memory = duts[n].memory;
        double reads = bench_beats_per_cycle(bench_sink_stats(sink(&duts[n], PAYLOAD)));
        double writes = (double)memory->w_beats / (double)(memory->w_last - memory->w_first + 1);
        snprintf(name, sizeof name, "beats_per_cycle/dma_read_frames/%d", 32 << n);
        bench_report(name, reads, "beats/cycle", "1,514-byte frames read and written at once, ideal memory");
        snprintf(name, sizeof name, "beats_per_cycle/dma_write_frames/%d", 32 << n);
        bench_report(name, writes, "beats/cycle", "1,514-byte frames read and written at once, ideal memory");
        CHECK(reads >= 0.95);
        CHECK(writes >= 0.95);
    }
}
