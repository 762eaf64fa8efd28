#include "bench.h"
#include "lso.h"
#include "tx_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words of the tables (docs/control-layouts.md) and records (rtl/tcp/flue_tcp_pkg.sv), written from their descriptions. */
enum { WIDTHS = 3, CONNECTIONS = 8, NEIGHBORS = 4, DEPTH = 32 };
enum { TX = 0, CPU = 1, RING = 2, HOST = 3, HOST_READ = 4 }; /* sources */
enum { WIRE = 0, SENT = 1, CPU_ANSWER = 2, HOST_DATA = 3 };  /* sinks */
enum { TABLE_NEIGHBOR = 1, TABLE_PATH = 2, TABLE_CONNECTION = 3 };
enum { TX_DATA = 0, TX_ACK = 1, TX_RST = 2 };
enum { REGION_FAILS = 0xEE, HDR = 118 };

static int id(int g, int n)
{
    return 8 * g + n;
}

/* ---- what the rows say ---- */

struct neighbor {
    uint8_t dst[6], src[6];
    unsigned vlan;
};

struct path {
    bool v6;
    unsigned neighbor;
    uint8_t src[16], dst[16];
};

struct conn {
    unsigned path, local_port, remote_port, ttl, tos, priority, flow;
    unsigned region, log2;
    uint32_t base;
};

static struct neighbor neighbors[NEIGHBORS];
static struct path paths[CONNECTIONS];
static struct conn conns[CONNECTIONS];
static uint64_t now_us;

static void access_word(int g, bool write, int table, unsigned row, unsigned word, uint32_t data)
{
    struct bench_bits b = {0};
    bench_bits_set(&b, 0, 32, data);
    bench_bits_set(&b, 32, 6, word);
    bench_bits_set(&b, 38, 16, row);
    bench_bits_set(&b, 54, 2, (unsigned)table);
    bench_bits_set(&b, 56, 1, write);
    bench_send(id(g, CPU), "", 1, false, &b);
}

static uint32_t bytes4(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t junk(unsigned bits)
{
    return (uint32_t)bench_random() << bits;
}

static void write_neighbor(unsigned n)
{
    const struct neighbor *p = &neighbors[n];
    for (int g = 0; g < WIDTHS; g++) {
        access_word(g, true, TABLE_NEIGHBOR, n, 5, bytes4(p->src));
        access_word(g, true, TABLE_NEIGHBOR, n, 6, p->src[4] | (unsigned)p->src[5] << 8 | p->vlan << 16 | junk(28));
        access_word(g, true, TABLE_NEIGHBOR, n, 7, bytes4(p->dst));
        access_word(g, true, TABLE_NEIGHBOR, n, 8, p->dst[4] | (unsigned)p->dst[5] << 8 | junk(16));
    }
}

static void write_path(unsigned n)
{
    const struct path *p = &paths[n];
    for (int g = 0; g < WIDTHS; g++) {
        access_word(g, true, TABLE_PATH, n, 1, p->neighbor | junk(16));
        access_word(g, true, TABLE_PATH, n, 6, p->v6 | (junk(1) & 0xFFFEu));
        for (unsigned i = 0; i < 4; i++) {
            access_word(g, true, TABLE_PATH, n, 7 + i, bytes4(p->src + 4 * i));
            access_word(g, true, TABLE_PATH, n, 11 + i, bytes4(p->dst + 4 * i));
        }
    }
}

static void write_conn(unsigned n)
{
    const struct conn *c = &conns[n];
    for (int g = 0; g < WIDTHS; g++) {
        access_word(g, true, TABLE_CONNECTION, n, 5, c->path);
        access_word(g, true, TABLE_CONNECTION, n, 6, c->remote_port | c->local_port << 16);
        access_word(g, true, TABLE_CONNECTION, n, 12 + 7, c->flow | junk(20));
        access_word(g, true, TABLE_CONNECTION, n, 12 + 8, c->ttl | c->tos << 8 | c->priority << 16 | junk(19));
        for (unsigned word = 0; word < 4; word++) {
            struct bench_bits b = {0};
            bench_bits_set(&b, 0, 32, word == 0 ? c->base : word == 1 ? (c->region | c->log2 << 8) : junk(0));
            bench_bits_set(&b, 32, 2, word);
            bench_bits_set(&b, 34, 16, n);
            bench_send(id(g, RING), "", 1, false, &b);
        }
    }
}

static void write_all(void)
{
    for (unsigned i = 0; i < NEIGHBORS; i++) {
        bench_random_bytes(&neighbors[i], sizeof neighbors[i]);
        neighbors[i].vlan = i == 0 ? 0 : (unsigned)bench_random_in(0, 4095);
        write_neighbor(i);
    }
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        bench_random_bytes(&paths[i], sizeof paths[i]);
        paths[i].v6 = i % 2;
        paths[i].neighbor = i < 4 ? i : (unsigned)bench_random_in(0, NEIGHBORS - 1);
        write_path(i);
        conns[i] = (struct conn){.path = (i + 3) % CONNECTIONS,
                                 .local_port = (unsigned)bench_random_in(0, 65535),
                                 .remote_port = (unsigned)bench_random_in(0, 65535),
                                 .ttl = (unsigned)bench_random_in(1, 255),
                                 .tos = (unsigned)bench_random_in(0, 255),
                                 .priority = bench_chance(50) ? (unsigned)bench_random_in(0, 7) : 0,
                                 .flow = (unsigned)bench_random_in(0, 0xFFFFF),
                                 .region = (unsigned)bench_random_in(0, 15),
                                 .log2 = (unsigned)bench_random_in(15, 24),
                                 .base = (uint32_t)bench_random_in(0, 1u << 30)};
        write_conn(i);
    }
}

static void wait_words(void)
{
    for (int n = 0; n < 100000; n++) {
        bool waits = false;
        for (int g = 0; g < WIDTHS; g++)
            waits |= bench_waiting(id(g, CPU)) || bench_waiting(id(g, RING));
        if (!waits)
            break;
        bench_run(1);
    }
    for (int g = 0; g < WIDTHS; g++) {
        struct bench_packet p;
        while (bench_take(id(g, CPU_ANSWER), &p))
            CHECK_EQ(0, bench_bits_get(&p.user, 32, 1));
    }
}

static void set_time(uint64_t us)
{
    now_us = us;
    bench_set(0, 0, 64, us);
    bench_run(200);
}

/* ---- records ---- */

struct tx {
    unsigned kind, index, len, mss, wnd, blocks;
    bool psh, fin, ts, ts_us;
    uint32_t seq, ack, ts_offset, ts_ecr, edge[8];
};

static void send_tx(int g, const struct tx *t)
{
    struct bench_bits b;
    bench_random_bits(&b, 459);
    for (unsigned i = 0; i < 4; i++) {
        bench_bits_set(&b, 64 * i + 32, 32, t->edge[2 * i]);
        bench_bits_set(&b, 64 * i, 32, t->edge[2 * i + 1]);
    }
    bench_bits_set(&b, 256, 3, t->blocks);
    bench_bits_set(&b, 259, 32, t->ts_ecr);
    bench_bits_set(&b, 291, 32, t->ts_offset);
    bench_bits_set(&b, 323, 1, t->ts_us);
    bench_bits_set(&b, 324, 1, t->ts);
    bench_bits_set(&b, 325, 16, t->wnd);
    bench_bits_set(&b, 341, 32, t->ack);
    bench_bits_set(&b, 374, 1, t->fin);
    bench_bits_set(&b, 375, 1, t->psh);
    bench_bits_set(&b, 376, 16, t->mss);
    bench_bits_set(&b, 392, 17, t->len);
    bench_bits_set(&b, 409, 32, t->seq);
    bench_bits_set(&b, 441, 16, t->index);
    bench_bits_set(&b, 457, 2, t->kind);
    bench_send(id(g, TX), "", 1, false, &b);
}

static struct tx random_tx(unsigned index, unsigned kind)
{
    struct tx t = {.kind = kind,
                   .index = index,
                   .len = kind == TX_DATA ? (unsigned)bench_random_in(0, 3000) : (unsigned)bench_random_in(0, 99999),
                   .mss = (unsigned)bench_random_in(500, 1400),
                   .wnd = (unsigned)bench_random_in(0, 65535),
                   .psh = bench_chance(50),
                   .fin = bench_chance(30),
                   .ts = bench_chance(50),
                   .ts_us = bench_chance(50),
                   .seq = (uint32_t)bench_random(),
                   .ack = (uint32_t)bench_random(),
                   .ts_offset = (uint32_t)bench_random(),
                   .ts_ecr = (uint32_t)bench_random()};
    if (kind == TX_DATA && bench_chance(20))
        t.len = 0;
    t.blocks = bench_chance(50) ? 0 : (unsigned)bench_random_in(1, t.ts ? 3 : 4);
    for (unsigned i = 0; i < 8; i++)
        t.edge[i] = (uint32_t)bench_random();
    return t;
}

/* ---- the headers that must come ---- */

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value & 0xFFFF);
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (unsigned)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return sum;
}

struct header {
    uint8_t bytes[HDR];
    size_t len, l4;
};

/* Header of a record without payload, but for the TCP checksum: what large send would be given with `len` bytes behind it. */
static struct header make_header(const struct tx *t)
{
    struct header h = {0};
    const struct conn *c = &conns[t->index];
    const struct path *p = &paths[c->path];
    const struct neighbor *n = &neighbors[p->neighbor];
    uint8_t *b = h.bytes;

    memcpy(b, n->dst, 6);
    memcpy(b + 6, n->src, 6);
    put16(b + 12, p->v6 ? 0x86DD : 0x0800);
    h.l4 = p->v6 ? 54 : 34;
    uint8_t *o = b + h.l4 + 20;
    if (t->ts) {
        uint32_t clock = t->ts_us ? (uint32_t)now_us : (uint32_t)(now_us / 1000);
        put32(o, 0x0101080A);
        put32(o + 4, clock + t->ts_offset);
        put32(o + 8, t->ts_ecr);
        o += 12;
    }
    if (t->blocks) {
        put16(o, 0x0101);
        o[2] = 5;
        o[3] = (uint8_t)(2 + 8 * t->blocks);
        for (unsigned i = 0; i < 2 * t->blocks; i++)
            put32(o + 4 + 4 * i, t->edge[i]);
        o += 4 + 8 * t->blocks;
    }
    h.len = (size_t)(o - b);
    size_t tcp_len = h.len - h.l4;

    uint8_t *tcp = b + h.l4;
    put16(tcp, c->local_port);
    put16(tcp + 2, c->remote_port);
    put32(tcp + 4, t->seq);
    put32(tcp + 8, t->ack);
    tcp[12] = (uint8_t)(tcp_len << 2);
    tcp[13] = 0x10;
    if (t->kind == TX_RST)
        tcp[13] |= 4;
    if (t->kind == TX_DATA)
        tcp[13] = (uint8_t)(tcp[13] | (t->psh ? 8 : 0) | (t->fin ? 1 : 0));
    put16(tcp + 14, t->wnd);

    uint8_t pseudo[4] = {0, 6, 0, 0};
    uint32_t sum = sum16(0, pseudo, 4);
    if (p->v6) {
        put32(b + 14, 6u << 28 | c->tos << 20 | c->flow);
        put16(b + 18, (unsigned)tcp_len);
        b[20] = 6;
        b[21] = (uint8_t)c->ttl;
        memcpy(b + 22, p->src, 16);
        memcpy(b + 38, p->dst, 16);
        sum = sum16(sum, b + 22, 32);
    } else {
        b[14] = 0x45;
        b[15] = (uint8_t)c->tos;
        put16(b + 16, (unsigned)(20 + tcp_len));
        b[20] = 0x40; /* TCP-193 */
        b[22] = (uint8_t)c->ttl;
        b[23] = 6;
        memcpy(b + 26, p->src, 4);
        memcpy(b + 30, p->dst, 4);
        sum = sum16(sum, b + 26, 8);
    }
    put16(tcp + 16, sum);
    return h;
}

static uint8_t pattern(unsigned region, uint32_t offset)
{
    return (uint8_t)(region + offset + offset / 251);
}

static void payload_of(const struct tx *t, uint8_t *out)
{
    const struct conn *c = &conns[t->index];
    for (uint32_t i = 0; i < t->len; i++)
        out[i] = pattern(c->region, c->base + ((t->seq + i) & ((1u << c->log2) - 1)));
}

static bool tagged(const struct tx *t)
{
    return neighbors[paths[conns[t->index].path].neighbor].vlan != 0 || conns[t->index].priority != 0;
}

/* Take the next frame of the engine from the wire of instance g, without its tag. */
static size_t take_frame(int g, const struct tx *t, uint8_t *out)
{
    struct bench_packet p;
    CHECK(bench_take(id(g, WIRE), &p));
    struct tx_tag tag = tx_tag_get(&p.user, 0);
    CHECK(tag.engine);
    CHECK_EQ(t->index, tag.slot);
    CHECK_EQ(t->kind == TX_DATA, tag.turn);
    memcpy(out, p.data, 12);
    if (!tagged(t)) {
        memcpy(out, p.data, p.len);
        return p.len;
    }
    const struct conn *c = &conns[t->index];
    uint8_t vlan[4];
    put16(vlan, 0x8100);
    put16(vlan + 2, c->priority << 13 | neighbors[paths[c->path].neighbor].vlan);
    CHECK_BYTES(vlan, 4, p.data + 12, 4);
    memcpy(out + 12, p.data + 16, p.len - 16);
    return p.len - 4;
}

static void take_sent(int g, const struct tx *t, bool failed)
{
    struct bench_packet p;
    CHECK(bench_take(id(g, SENT), &p));
    CHECK_EQ(t->index, bench_bits_get(&p.user, 2, 16));
    CHECK_EQ(t->kind == TX_DATA, bench_bits_get(&p.user, 1, 1));
    CHECK_EQ(failed, bench_bits_get(&p.user, 0, 1));
}

static unsigned last_id[WIDTHS];

/* CH-183: the upper half of the identifications, one more for each segment of a turn, never that of the frame before. */
static unsigned take_identification(int g, const struct tx *t, const uint8_t *frame, bool first)
{
    if (paths[conns[t->index].path].v6)
        return 0;
    unsigned value = (unsigned)frame[18] << 8 | frame[19];
    CHECK(value >= 0x8000);
    if (first)
        CHECK(value != last_id[g]);
    else
        CHECK_EQ(last_id[g] + 1, value);
    last_id[g] = value;
    return value;
}

/* All frames of a record, in order, and nothing else of it; frames is how many of them come (-1: all). */
static void expect_tx(int g, const struct tx *t)
{
    static uint8_t payload[1 << 17], want[70000], got[70000];
    struct header h = make_header(t);
    bool v6 = h.l4 == 54;

    if (t->kind == TX_DATA && t->len) {
        payload_of(t, payload);
        struct flue_lso_request req = {.template = h.bytes,
                                       .hdr_len = h.len,
                                       .l3_off = 14,
                                       .l4_off = h.l4,
                                       .payload = payload,
                                       .pay_len = t->len,
                                       .mss = t->mss};
        for (size_t i = 0; i < flue_lso_count(&req); i++) {
            size_t len = take_frame(g, t, got);
            unsigned value = take_identification(g, t, got, i == 0);
            if (!v6 && i == 0)
                put16(h.bytes + 18, value);
            size_t want_len = flue_lso_frame(&req, i, true, want);
            CHECK_BYTES(want, want_len, got, len);
        }
    } else {
        size_t len = take_frame(g, t, got);
        unsigned value = take_identification(g, t, got, true);
        if (!v6) {
            put16(h.bytes + 18, value);
            put16(h.bytes + 24, ~sum16(0, h.bytes + 14, 20) & 0xFFFF);
        }
        uint8_t *field = h.bytes + h.l4 + 16;
        uint32_t sum = sum16((uint32_t)(h.len - h.l4), h.bytes + h.l4, h.len - h.l4);
        put16(field, ~sum & 0xFFFF);
        CHECK_BYTES(h.bytes, h.len, got, len);
    }
    take_sent(g, t, false);
}

static void modes_random(void)
{
    bench_mode_random();
    for (int g = 0; g < WIDTHS; g++)
        bench_sink_mode(id(g, CPU_ANSWER), BENCH_FULL, 0); /* its answers cannot wait */
}

static void start(void)
{
    bench_quiet = 600;
    memset(last_id, 0, sizeof last_id);
    bench_set(1, 31, 1, 0);
    set_time(now_us + bench_random_in(1, 3000000));
    write_all();
    wait_words();
}

static void expect_silence(void)
{
    for (int g = 0; g < WIDTHS; g++) {
        CHECK_EQ(0, bench_arrived(id(g, WIRE)));
        CHECK_EQ(0, bench_arrived(id(g, SENT)));
        CHECK_EQ(1, bench_get(g, 6, 1));
        CHECK_EQ(DEPTH, bench_get(g, 0, 6));
    }
}

/* TCP-172, TCP-193, TCP-221, TCP-222, CH-061, CH-183: a pure ACK has the header that rows and record say, and is one frame. */
TEST(acks_and_resets_have_the_headers_of_their_rows)
{
    start();
    struct tx t[16];
    for (unsigned i = 0; i < 16; i++) {
        t[i] = random_tx(i % CONNECTIONS, i % 3 ? TX_ACK : TX_RST);
        for (int g = 0; g < WIDTHS; g++)
            send_tx(g, &t[i]);
    }
    bench_drain(20000);
    for (int g = 0; g < WIDTHS; g++)
        for (unsigned i = 0; i < 16; i++)
            expect_tx(g, &t[i]);
    expect_silence();
}

/* TO-050, TO-057, TCP-050: a turn is cut into segments of mss; PSH and FIN are on the last one only. */
TEST(a_turn_leaves_as_segments_of_its_ring)
{
    start();
    struct tx t[CONNECTIONS];
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        t[i] = random_tx(i, TX_DATA);
        t[i].len = (unsigned)bench_random_in(1, 16384);
        t[i].fin = t[i].psh = true;
        for (int g = 0; g < WIDTHS; g++)
            send_tx(g, &t[i]);
    }
    bench_drain(60000);
    for (int g = 0; g < WIDTHS; g++)
        for (unsigned i = 0; i < CONNECTIONS; i++)
            expect_tx(g, &t[i]);
    expect_silence();
}

/* TCP-009, TCP-172: every number of blocks with and without timestamps, padded to words. */
TEST(options_are_padded_and_complete)
{
    start();
    for (unsigned blocks = 0; blocks <= 4; blocks++)
        for (unsigned ts = 0; ts < (blocks == 4 ? 1 : 3); ts++)
            for (unsigned kind = 0; kind < 3; kind++) {
                struct tx t = random_tx(blocks + kind, kind);
                t.blocks = blocks;
                t.ts = ts != 0;
                t.ts_us = ts == 2;
                for (int g = 0; g < WIDTHS; g++)
                    send_tx(g, &t);
                bench_drain(20000);
                for (int g = 0; g < WIDTHS; g++)
                    expect_tx(g, &t);
            }
    expect_silence();
}

/* TCP-101: a ring of any size that wraps anywhere in the turn, also right at its end, and the wrap of the sequence numbers. */
TEST(payload_wraps_with_its_ring)
{
    start();
    for (unsigned log2 = 1; log2 < 20; log2++) {
        unsigned size = 1u << log2, most = size < 4000 ? size : 4000;
        struct tx t[4];
        conns[2].log2 = log2;
        write_conn(2);
        wait_words();
        for (int i = 0; i < 4; i++) {
            t[i] = random_tx(2, TX_DATA);
            t[i].len = i == 0 ? most : (unsigned)bench_random_in(1, most);
            uint32_t end = (uint32_t)bench_random_in(0, 1) * size * (uint32_t)bench_random_in(1, 7);
            uint32_t before = i == 1 ? t[i].len : i == 2 ? 1 : (uint32_t)bench_random_in(0, t[i].len);
            t[i].seq = end - before;
            for (int g = 0; g < WIDTHS; g++)
                send_tx(g, &t[i]);
        }
        bench_drain(60000);
        for (int g = 0; g < WIDTHS; g++)
            for (int i = 0; i < 4; i++)
                expect_tx(g, &t[i]);
    }
    expect_silence();
}

/* A turn longer than its ring, an MSS of 0 or segments beyond the largest frame: nothing leaves, the turn comes back failed,
 * the next one goes. */
TEST(a_turn_that_cannot_be_is_failed)
{
    start();
    conns[1].log2 = 11;
    conns[3].log2 = 0;
    write_conn(1);
    write_conn(3);
    wait_words();
    struct tx t[5];
    for (int i = 0; i < 5; i++) {
        t[i] = random_tx(i == 3 ? 3 : 1, TX_DATA);
        t[i].len = 2048 + (i == 0);
        t[i].mss = i == 1   ? 0
                   : i == 2 ? 1515 - (unsigned)make_header(&t[i]).len
                   : i == 4 ? 1514 - (unsigned)make_header(&t[i]).len
                            : 1000;
        if (i == 3)
            t[i].len = 1;
        for (int g = 0; g < WIDTHS; g++)
            send_tx(g, &t[i]);
    }
    bench_drain(20000);
    for (int g = 0; g < WIDTHS; g++) {
        for (int i = 0; i < 4; i++)
            take_sent(g, &t[i], true);
        expect_tx(g, &t[4]);
    }
    expect_silence();
}

/* Payload that cannot be read fails its turn: no frame with bytes that the memory did not give, and the next goes. */
TEST(an_unreadable_ring_fails_its_turn_only)
{
    start();
    conns[5].region = REGION_FAILS;
    write_conn(5);
    wait_words();
    for (int round = 0; round < 8; round++) {
        struct tx bad = random_tx(5, TX_DATA), good = random_tx(6, round % 2 ? TX_DATA : TX_ACK);
        bad.len = (unsigned)bench_random_in(101, 3000);
        bad.mss = (unsigned)bench_random_in(20, 200);
        for (int g = 0; g < WIDTHS; g++) {
            send_tx(g, &bad);
            send_tx(g, &good);
        }
        bench_drain(20000);
        for (int g = 0; g < WIDTHS; g++) {
            static uint8_t frame[70000], payload[1 << 17];
            struct header h = make_header(&bad);
            payload_of(&bad, payload);
            /* 100 bytes were read: the segments that end before the packet's last beat leave whole. */
            size_t lanes = (size_t)4 << g, last_beat = (h.len + 100 - 1) / lanes * lanes;
            for (size_t whole = 0; whole < (last_beat - h.len) / bad.mss; whole++) {
                size_t len = take_frame(g, &bad, frame);
                CHECK_EQ(h.len + bad.mss, len);
                CHECK_BYTES(payload + whole * bad.mss, bad.mss, frame + h.len, bad.mss);
                (void)take_identification(g, &bad, frame, whole == 0);
            }
            take_sent(g, &bad, true);
            expect_tx(g, &good);
        }
    }
    expect_silence();
}

/* CH-061: a changed address, path or priority is in the next header. */
TEST(changed_rows_count_from_the_next_header)
{
    start();
    for (int round = 0; round < 20; round++) {
        unsigned row = (unsigned)bench_random_in(0, CONNECTIONS - 1);
        switch (bench_random_in(0, 3)) {
        case 0: {
            unsigned n = paths[conns[row].path].neighbor;
            bench_random_bytes(neighbors[n].dst, 6);
            write_neighbor(n);
            break;
        }
        case 1:
            paths[conns[row].path].neighbor = (unsigned)bench_random_in(0, NEIGHBORS - 1);
            write_path(conns[row].path);
            break;
        case 2:
            conns[row].path = (unsigned)bench_random_in(0, CONNECTIONS - 1);
            write_conn(row);
            break;
        default:
            conns[row].ttl = (unsigned)bench_random_in(1, 255);
            conns[row].priority = (unsigned)bench_random_in(0, 7);
            write_conn(row);
        }
        wait_words();
        struct tx t = random_tx(row, bench_chance(50) ? TX_DATA : TX_ACK);
        for (int g = 0; g < WIDTHS; g++)
            send_tx(g, &t);
        bench_drain(20000);
        for (int g = 0; g < WIDTHS; g++)
            expect_tx(g, &t);
    }
    expect_silence();
}

static void flip(unsigned table, unsigned row, unsigned word, unsigned bit)
{
    uint32_t value = 1u << 30 | table << 28 | row << 12 | word << 6 | bit;
    bench_set(1, 0, 31, value);
    bench_run(20);
    bench_set(1, 0, 31, 0);
    bench_run(4);
}

/* CH-151: a header is never built from a word that failed its check. */
TEST(a_row_that_fails_its_check_sends_nothing)
{
    static const struct {
        unsigned table, word;
        bool v6_only, v4_only;
    } places[] = {{3, 5, false, false}, {3, 6, false, false}, {3, 19, true, false}, {3, 20, false, false}, {2, 1, false, false},
                  {2, 6, false, false}, {2, 7, false, false}, {2, 10, true, false}, {2, 11, false, false}, {2, 14, true, false},
                  {1, 5, false, false}, {1, 6, false, false}, {1, 7, false, false}, {1, 8, false, false}};
    start();
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        unsigned row = (unsigned)bench_random_in(0, CONNECTIONS - 1);
        while (places[i].v6_only && !paths[conns[row].path].v6)
            row = (row + 1) % CONNECTIONS;
        unsigned at = places[i].table == 3 ? row : places[i].table == 2 ? conns[row].path : paths[conns[row].path].neighbor;
        struct tx t = random_tx(row, bench_chance(50) ? TX_DATA : TX_ACK);
        flip(places[i].table, at, places[i].word, (unsigned)bench_random_in(0, 35));
        for (int g = 0; g < WIDTHS; g++)
            send_tx(g, &t);
        bench_drain(20000);
        for (int g = 0; g < WIDTHS; g++)
            take_sent(g, &t, true);
        expect_silence();
        write_neighbor(paths[conns[row].path].neighbor);
        write_path(conns[row].path);
        write_conn(row);
        wait_words();
        for (int g = 0; g < WIDTHS; g++)
            send_tx(g, &t);
        bench_drain(20000);
        for (int g = 0; g < WIDTHS; g++)
            expect_tx(g, &t);
    }
    expect_silence();
}

/* ---- together with the host ---- */

struct host_frame {
    uint8_t data[300];
    size_t len;
    unsigned slot;
};

static struct host_frame random_host_frame(void)
{
    struct host_frame f = {.len = (size_t)bench_random_in(14, 300), .slot = (unsigned)bench_random_in(0, 65535)};
    bench_random_bytes(f.data, f.len);
    return f;
}

static void send_host_frame(int g, const struct host_frame *f)
{
    struct bench_bits user = {0};
    struct tx_tag tag = {.slot = f->slot};
    struct lso_cmd cmd = {0};
    tx_tag_put(&user, 0, &tag);
    lso_cmd_put(&user, TX_TAG_BITS, &cmd);
    bench_send(id(g, HOST), f->data, f->len, false, &user);
}

struct host_read {
    unsigned pieces, region[3], length[3];
    uint32_t offset[3];
};

static struct host_read send_host_read(void)
{
    struct host_read r = {.pieces = (unsigned)bench_random_in(1, 3)};
    for (unsigned i = 0; i < r.pieces; i++) {
        r.region[i] = (unsigned)bench_random_in(0, 15);
        r.length[i] = (unsigned)bench_random_in(1, 400);
        r.offset[i] = (uint32_t)bench_random_in(0, 1u << 30);
        struct bench_bits b = {0};
        bench_bits_set(&b, 0, 17, r.length[i]);
        bench_bits_set(&b, 17, 32, r.offset[i]);
        bench_bits_set(&b, 49, 8, r.region[i]);
        bench_bits_set(&b, 57, 1, i + 1 == r.pieces);
        for (int g = 0; g < WIDTHS; g++)
            bench_send(id(g, HOST_READ), "", 1, false, &b);
    }
    return r;
}

static void expect_host_read(int g, const struct host_read *r)
{
    uint8_t want[1200];
    size_t len = 0;
    for (unsigned i = 0; i < r->pieces; i++)
        for (unsigned k = 0; k < r->length[i]; k++)
            want[len++] = pattern(r->region[i], r->offset[i] + k);
    struct bench_packet p;
    CHECK(bench_take(id(g, HOST_DATA), &p));
    CHECK_BYTES(want, len, p.data, p.len);
}

/* Host packets, the host's reads, the processor's accesses and the engine's records mix; each keeps its order and
 * content. */
TEST(host_and_engine_share_the_way_out)
{
    enum { RECORDS = 120, FRAMES = 60, READS = 60, WORDS = 400 };
    static struct tx t[RECORDS];
    static struct host_frame f[FRAMES];
    static struct host_read r[READS];
    static uint32_t word[WORDS];
    for (int slow = 0; slow < 2; slow++) {
        start();
        modes_random();
        bench_set(1, 31, 1, (unsigned)slow);
        bench_quiet = 8000;               /* a segment takes that long from slow memory */
        for (int i = 0; i < WORDS; i++) { /* spare words of a row: written, then read back */
            word[i] = (uint32_t)bench_random();
            for (int g = 0; g < WIDTHS; g++) {
                access_word(g, true, TABLE_CONNECTION, 4, 43 + (unsigned)i % 20, word[i]);
                access_word(g, false, TABLE_CONNECTION, 4, 43 + (unsigned)i % 20, 0);
            }
        }
        for (int i = 0; i < RECORDS; i++) {
            t[i] = random_tx((unsigned)bench_random_in(0, CONNECTIONS - 1), (unsigned)bench_random_in(0, 2));
            if (bench_chance(10))
                t[i].len = (unsigned)bench_random_in(1, 16384);
            for (int g = 0; g < WIDTHS; g++)
                send_tx(g, &t[i]);
        }
        for (int i = 0; i < FRAMES; i++) {
            f[i] = random_host_frame();
            for (int g = 0; g < WIDTHS; g++)
                send_host_frame(g, &f[i]);
        }
        for (int i = 0; i < READS; i++)
            r[i] = send_host_read();
        bench_drain(1500000);
        for (int g = 0; g < WIDTHS; g++) {
            struct bench_packet p;
            for (int i = 0; i < WORDS; i++) {
                CHECK(bench_take(id(g, CPU_ANSWER), &p));
                CHECK(bench_take(id(g, CPU_ANSWER), &p));
                CHECK_EQ(word[i], bench_bits_get(&p.user, 0, 32));
            }
            for (int i = 0; i < READS; i++)
                expect_host_read(g, &r[i]);
        }
        /* The wire holds both: sort by tag, keep the order. */
        for (int g = 0; g < WIDTHS; g++) {
            struct bench_packet p;
            static struct bench_packet engine[4000];
            size_t count = 0;
            int frames = 0;
            while (bench_take(id(g, WIRE), &p)) {
                struct tx_tag tag = tx_tag_get(&p.user, 0);
                if (tag.engine) {
                    CHECK(count < 4000);
                    engine[count++] = p;
                } else {
                    CHECK(frames < FRAMES);
                    CHECK_EQ(f[frames].slot, tag.slot);
                    CHECK_BYTES(f[frames].data, f[frames].len, p.data, p.len);
                    frames++;
                }
            }
            CHECK_EQ(FRAMES, frames);
            size_t at = 0;
            for (int i = 0; i < RECORDS; i++) {
                bool v6 = paths[conns[t[i].index].path].v6;
                struct header h = make_header(&t[i]);
                unsigned payload = t[i].kind == TX_DATA ? t[i].len : 0;
                unsigned done = 0;
                do {
                    CHECK(at < count);
                    const uint8_t *q = engine[at].data + (tagged(&t[i]) ? 4 : 0);
                    unsigned len = payload - done < t[i].mss ? payload - done : t[i].mss;
                    CHECK_EQ(t[i].index, tx_tag_get(&engine[at].user, 0).slot);
                    CHECK_EQ(h.len + len + (tagged(&t[i]) ? 4 : 0), engine[at].len);
                    /* addresses and sums: the header's whole content is checked by the tests above */
                    CHECK_BYTES(h.bytes + (v6 ? 22 : 26), v6 ? 32 : 8, q + (v6 ? 22 : 26), v6 ? 32 : 8);
                    uint32_t sum = sum16(6 + (uint32_t)(h.len - h.l4) + len, q + (v6 ? 22 : 26), v6 ? 32 : 8);
                    CHECK_EQ(0xFFFF, sum16(sum, q + h.l4, h.len - h.l4 + len));
                    done += len;
                    at++;
                } while (done < payload);
                take_sent(g, &t[i], false);
            }
            CHECK_EQ(count, at);
        }
        expect_silence();
    }
}

/* What the engine may count on: with room for n records, n are taken although nothing leaves. */
TEST(room_is_room_while_the_wire_stands)
{
    start();
    for (int g = 0; g < WIDTHS; g++) {
        bench_sink_mode(id(g, WIRE), BENCH_RANDOM, 100);
        for (int i = 0; i < DEPTH + 3; i++) {
            struct tx t = random_tx(0, TX_ACK);
            t.ts = false;
            t.blocks = 4; /* the longest record */
            send_tx(g, &t);
        }
    }
    bench_run(DEPTH * 20);
    for (int g = 0; g < WIDTHS; g++) {
        CHECK_EQ(3, bench_waiting(id(g, TX)));
        CHECK_EQ(0, bench_get(g, 0, 6));
        bench_sink_mode(id(g, WIRE), BENCH_FULL, 0);
        bench_sink_mode(id(g, SENT), BENCH_RANDOM, 100); /* frames leave, but no event is taken */
    }
    bench_run(8000);
    for (int g = 0; g < WIDTHS; g++) {
        CHECK_EQ(3, bench_waiting(id(g, TX)));
        CHECK_EQ(DEPTH, bench_arrived(id(g, WIRE)));
        bench_sink_mode(id(g, SENT), BENCH_FULL, 0);
    }
    bench_drain(20000);
    for (int g = 0; g < WIDTHS; g++)
        CHECK_EQ(DEPTH + 3, bench_arrived(id(g, WIRE)));
}

/* Turns of `segments` segments of 1,428 bytes: the share of the wire's side that they fill. */
static void measure(const char *what, unsigned segments, unsigned turns, double least)
{
    start();
    for (int g = 0; g < WIDTHS; g++)
        for (unsigned i = 0; i < turns; i++) {
            struct tx t = random_tx(i % CONNECTIONS, TX_DATA);
            t.mss = 1428;
            t.blocks = 0;
            t.ts = true;
            t.len = segments * 1428;
            send_tx(g, &t);
        }
    bench_drain(200000);
    for (int g = 0; g < WIDTHS; g++) {
        struct bench_stats s = bench_sink_stats(id(g, WIRE));
        double share = (double)s.bytes / (double)((uint64_t)(4 << g) * (s.last_cycle - s.first_cycle + 1));
        char name[64];
        snprintf(name, sizeof name, "share_of_beats/tcp_send_%s/%d", what, 32 << g);
        bench_report(name, share, "", "bytes a lane a cycle");
        CHECK_EQ(segments * turns, s.packets);
        if (g == 0)
            CHECK(share > least);
    }
}

/* 1 GbE needs half of W = 32 at 62.5 MHz: a turn of one segment, whose header is built beside the one before. */
TEST(turns_of_a_segment_follow_each_other)
{
    measure("1428B", 1, 30, 0.85);
}

TEST(turns_of_eleven_segments_follow_each_other)
{
    measure("16KB", 11, 10, 0.95);
}

/* ---- clock ---- */

static unsigned wrong, seen;
static uint64_t before_us; /* time a cycle ago */

static void watch_clock(void *unused)
{
    (void)unused;
    uint64_t us = before_us;
    before_us = bench_get(8, 33, 64);
    if (!bench_get(8, 32, 1))
        return;
    seen++;
    wrong += (uint32_t)(us / 1000) != (uint32_t)bench_get(8, 0, 32);
}

/* TCP-179: milliseconds are right whenever they are said to be, and said to be so soon after any jump. */
TEST(milliseconds_follow_any_jump_of_time)
{
    uint64_t us = now_us;
    bench_set(0, 0, 64, us);
    bench_run(300);
    wrong = seen = 0;
    before_us = us;
    bench_on_cycle(watch_clock, NULL);
    for (int i = 0; i < 400; i++) {
        unsigned bits = (unsigned)bench_random_in(0, 36);
        us += bench_random_in(0, (uint64_t)1 << bits);
        bench_set(0, 0, 64, us);
        bench_run(bench_chance(30) ? (unsigned)bench_random_in(1, 40) : 100);
    }
    for (int i = 0; i < 20000; i++) { /* running time: a microsecond every 3 cycles */
        us += i % 3 == 0;
        bench_set(0, 0, 64, us);
        bench_run(1);
    }
    bench_on_cycle(NULL, NULL);
    now_us = us;
    CHECK_EQ(0, wrong);
    CHECK(seen > 20000);
    bench_run(100);
    CHECK_EQ(1, bench_get(8, 32, 1));
}
