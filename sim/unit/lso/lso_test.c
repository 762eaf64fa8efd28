#include "bench.h"
#include "lso.h"
#include "tx_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTHS = 5, CHAIN = 5 /* first ID with flue_csum_insert behind */, IDS = 10, PAY_MAX = 131071 };

/* ---- requests ---- */

struct request {
    uint8_t header[FLUE_LSO_HEADER_MAX];
    struct flue_lso_request model;
    struct lso_cmd cmd;
    struct tx_tag tag;
    unsigned fault_seq;
};

/* What a template is made of; zero is IPv4, no tag, no options, random addresses. */
struct shape {
    unsigned tags; /* in-frame VLAN tags, 0 to 2 */
    bool v6;
    unsigned ip_extra;  /* bytes of IPv4 options or IPv6 extension headers */
    unsigned tcp_extra; /* bytes of TCP options */
};

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

static void set_payload(struct request *req, const uint8_t *payload, size_t len, size_t mss)
{
    req->model.payload = payload;
    req->model.pay_len = len;
    req->model.mss = mss;
    req->cmd.pay_len = (unsigned)len;
    req->cmd.mss = (unsigned)mss;
}

/* A template with everything random that is not in the shape; SYN, RST, URG are 0, lengths and checksum fields garbage. */
static struct request make_request(struct shape shape)
{
    struct request req = {0};
    unsigned l3 = 14 + 4 * shape.tags;
    unsigned l4 = l3 + (shape.v6 ? 40 : 20) + shape.ip_extra;
    unsigned hdr = l4 + 20 + shape.tcp_extra;

    bench_random_bytes(req.header, hdr);
    for (unsigned i = 0; i < shape.tags; i++)
        put16(req.header + 12 + 4 * i, 0x8100);
    put16(req.header + l3 - 2, shape.v6 ? 0x86DD : 0x0800);
    if (shape.v6)
        req.header[l3] = (uint8_t)(0x60 | (req.header[l3] & 15));
    else
        req.header[l3] = (uint8_t)(0x45 + shape.ip_extra / 4);
    req.header[l4 + 12] = (uint8_t)(((20 + shape.tcp_extra) / 4) << 4 | (req.header[l4 + 12] & 15));
    req.header[l4 + 13] &= 0xD9; /* SYN, RST, URG */

    req.cmd =
        (struct lso_cmd){.lso = true, .v6 = shape.v6, .id_15bit = bench_chance(50), .hdr_len = hdr, .l3_off = l3, .l4_off = l4};
    req.cmd.csum = (struct csum_cmd){.ip_en = !shape.v6,
                                     .ip_start = l3,
                                     .ip_ihl = shape.v6 ? 0 : (l4 - l3) / 4,
                                     .l4_en = true,
                                     .l4_start = l4,
                                     .l4_pos = l4 + 16,
                                     .l4_end = 0x1FFFF};
    req.tag = (struct tx_tag){.lso = true,
                              .lso_v2 = bench_chance(50),
                              .vlan = bench_chance(50),
                              .slot = (unsigned)bench_random_in(0, 65535),
                              .vlan_tci = (unsigned)bench_random_in(0, 65535)};
    req.model = (struct flue_lso_request){.hdr_len = hdr, .l3_off = l3, .l4_off = l4, .id_15bit = req.cmd.id_15bit};
    return req;
}

static struct shape random_shape(void)
{
    struct shape shape = {.tags = (unsigned)bench_random_in(0, 2), .v6 = bench_chance(50)};
    unsigned room = FLUE_LSO_HEADER_MAX - (14 + 4 * shape.tags + (shape.v6 ? 40 : 20) + 20);
    if (shape.v6)
        shape.ip_extra = 8 * (unsigned)bench_random_in(0, room / 8);
    else
        shape.ip_extra = 4 * (unsigned)bench_random_in(0, 10);
    room -= shape.ip_extra;
    shape.tcp_extra = 4 * (unsigned)bench_random_in(0, room / 4 < 10 ? room / 4 : 10);
    return shape;
}

/* ---- what must come ---- */

struct expected {
    uint8_t *data;
    size_t len;
    bool bad;
    struct tx_tag tag;
    struct csum_cmd cmd;
};

static struct expected *expected[IDS];
static size_t expected_count[IDS];

static void expect(int id, const uint8_t *data, size_t len, bool bad, struct tx_tag tag, struct csum_cmd cmd)
{
    if (id >= CHAIN && bad && !tag.eor)
        return;               /* a bad frame vanishes, */
    if (id >= CHAIN && bad) { /* its request does not */
        tag.empty = true;
        tag.status = TX_ST_DMA_READ;
    }
    struct expected e = {.len = len, .bad = bad, .tag = tag, .cmd = cmd, .data = malloc(len + 1)};
    expected[id] = realloc(expected[id], (expected_count[id] + 1) * sizeof e);
    CHECK(expected[id] && e.data);
    if (len)
        memcpy(e.data, data, len);
    expected[id][expected_count[id]++] = e;
}

static void expect_end(int id, struct tx_tag tag, unsigned status, size_t payload)
{
    tag.eor = tag.empty = true;
    tag.status = status;
    tag.payload = (unsigned)payload;
    expect(id, NULL, 0, false, tag, (struct csum_cmd){0});
}

/* The first `count` frames of a request. */
static void expect_frames(int id, const struct request *req, size_t count)
{
    static uint8_t frame[FLUE_LSO_HEADER_MAX + PAY_MAX];
    for (size_t i = 0; i < count; i++) {
        size_t len = flue_lso_frame(&req->model, i, id >= CHAIN, frame);
        struct csum_cmd cmd = req->cmd.csum;
        cmd.l4_seed = (unsigned)(len - req->cmd.l4_off);
        if (req->fault_seq && i % 2)
            frame[req->cmd.l4_off + 7] ^= 1;
        expect(id, frame, len, false, req->tag, cmd);
    }
}

/* Send a request with `extra` bytes behind it; of all that the source delivers `cut` bytes, the last beat bad, or (cut 0) all,
 * good. */
static void send_cut(int id, const struct request *req, size_t cut, size_t extra)
{
    static uint8_t packet[FLUE_LSO_HEADER_MAX + PAY_MAX + 512];
    size_t hdr = req->model.hdr_len, mss = req->model.mss, len = hdr + req->model.pay_len;
    struct bench_bits user = {0};

    memcpy(packet, req->header, hdr);
    memcpy(packet + hdr, req->model.payload, req->model.pay_len);
    bench_random_bytes(packet + len, extra);
    struct tx_tag tag = req->tag;
    tag.eor = bench_chance(50); /* these three are for flue_lso to say */
    tag.empty = bench_chance(50);
    tag.payload = (unsigned)bench_random_in(0, 99999);
    tx_tag_put(&user, 0, &tag);
    lso_cmd_put(&user, TX_TAG_BITS, &req->cmd);
    bench_send(id, packet, cut ? cut : len + extra, cut != 0, &user);

    struct request now = *req;
    now.model.template = req->header;
    if (cut == 0) {
        expect_frames(id, &now, flue_lso_count(&now.model));
        expect_end(id, req->tag, TX_ST_OK, req->model.pay_len);
        return;
    }
    /* A segment that ends before the last input beat is complete; the one that needs the last beat leaves bad. */
    size_t lanes = (size_t)4 << (id % 5);
    size_t last_beat = (cut - 1) / lanes * lanes;
    size_t whole = last_beat > hdr ? (last_beat - hdr) / mss : 0;
    if (whole > flue_lso_count(&now.model))
        whole = flue_lso_count(&now.model);
    if (last_beat >= hdr + now.model.pay_len)
        whole = flue_lso_count(&now.model);
    expect_frames(id, &now, whole);
    if (last_beat + lanes > hdr && whole < flue_lso_count(&now.model))
        expect(id, NULL, 0, true, req->tag, (struct csum_cmd){0});
    expect_end(id, req->tag, TX_ST_DMA_READ, whole * mss < req->model.pay_len ? whole * mss : req->model.pay_len);
}

static void send(int id, const struct request *req)
{
    send_cut(id, req, 0, 0);
}

/* A frame without LSO; a chained one asks for no checksum. */
static void send_plain(int id, const uint8_t *data, size_t len, bool bad)
{
    struct lso_cmd cmd = {0};
    struct bench_bits user = {0};
    struct tx_tag tag = {
        .slot = (unsigned)bench_random_in(0, 65535), .vlan = bench_chance(50), .vlan_tci = (unsigned)bench_random_in(0, 65535)};
    bench_random_bits(&user, TX_TAG_BITS + CSUM_CMD_BITS);
    cmd.csum = csum_cmd_get(&user, TX_TAG_BITS);
    if (id >= CHAIN)
        cmd.csum.ip_en = cmd.csum.l4_en = false;
    cmd.mss = (unsigned)bench_random_in(0, 65535);
    cmd.pay_len = (unsigned)bench_random_in(0, PAY_MAX);
    cmd.hdr_len = (unsigned)bench_random_in(0, 128);
    tx_tag_put(&user, 0, &tag);
    lso_cmd_put(&user, TX_TAG_BITS, &cmd);
    bench_send(id, data, len, bad, &user);
    tag.eor = true;
    cmd.csum.l4_seed = 0; /* only a segment has one */
    expect(id, data, len, bad, tag, cmd.csum);
}

static void send_drop(int id, const uint8_t *data, size_t len, bool bad)
{
    struct bench_bits user = {0};
    struct lso_cmd cmd = {.drop = true, .lso = bench_chance(50), .hdr_len = 54, .mss = 0, .pay_len = (unsigned)len};
    struct tx_tag tag = {
        .slot = (unsigned)bench_random_in(0, 65535), .status = (unsigned)bench_random_in(1, 16), .lso = cmd.lso};
    tx_tag_put(&user, 0, &tag);
    lso_cmd_put(&user, TX_TAG_BITS, &cmd);
    bench_send(id, data, len, bad, &user);
    expect_end(id, tag, tag.status, 0);
}

static void check_tag(const struct tx_tag *want, const struct tx_tag *got)
{
    CHECK_EQ(want->eor, got->eor);
    CHECK_EQ(want->empty, got->empty);
    CHECK_EQ(want->status, got->status);
    CHECK_EQ(want->slot, got->slot);
    CHECK_EQ(want->lso, got->lso);
    CHECK_EQ(want->lso_v2, got->lso_v2);
    CHECK_EQ(want->vlan, got->vlan);
    CHECK_EQ(want->vlan_tci, got->vlan_tci);
    if (want->eor)
        CHECK_EQ(want->payload, got->payload);
}

static void check_cmd(const struct csum_cmd *want, const struct csum_cmd *got)
{
    CHECK_EQ(want->ip_en, got->ip_en);
    CHECK_EQ(want->ip_start, got->ip_start);
    CHECK_EQ(want->ip_ihl, got->ip_ihl);
    CHECK_EQ(want->l4_en, got->l4_en);
    CHECK_EQ(want->l4_start, got->l4_start);
    CHECK_EQ(want->l4_pos, got->l4_pos);
    CHECK_EQ(want->l4_end, got->l4_end);
    CHECK_EQ(want->l4_seed, got->l4_seed);
    CHECK_EQ(want->l4_udp, got->l4_udp);
}

static void begin(void)
{
    for (int id = 0; id < IDS; id++) {
        for (size_t i = 0; i < expected_count[id]; i++)
            free(expected[id][i].data);
        expected_count[id] = 0;
    }
}

/* Everything expected comes, in order, and nothing else. */
static void check_all(uint64_t limit)
{
    bench_drain(limit);
    for (int id = 0; id < IDS; id++) {
        for (size_t i = 0; i < expected_count[id]; i++) {
            const struct expected *want = &expected[id][i];
            struct bench_packet got;
            if (!bench_take(id, &got))
                bench_fail(__FILE__, __LINE__, "sink %d: %zu packets expected, %zu came", id, expected_count[id], i);
            struct tx_tag tag = tx_tag_get(&got.user, 0);
            check_tag(&want->tag, &tag);
            if (want->tag.empty) {
                CHECK(got.len <= (size_t)4 << (id % 5)); /* one beat */
                CHECK(!got.bad);
                continue;
            }
            CHECK_EQ(want->bad, got.bad);
            if (want->bad)
                continue;
            CHECK_BYTES(want->data, want->len, got.data, got.len);
            if (id < CHAIN) {
                struct csum_cmd cmd = csum_cmd_get(&got.user, TX_TAG_BITS);
                check_cmd(&want->cmd, &cmd);
            }
        }
        CHECK_EQ(0, bench_arrived(id));
    }
    begin();
}

static const uint8_t *random_payload(size_t len)
{
    static uint8_t bytes[PAY_MAX];
    bench_random_bytes(bytes, len);
    return bytes;
}

/* ---- tests ---- */

/* 7.1: the template of the vector. */
static struct request vector_7_1(void)
{
    static uint8_t payload[2500];
    static const uint8_t header[66] = {
        2,  0, 0,    0,    0,    1, 2,    0,    0,   0,  0,   2, 8, 0,  0x45, 0,    0,    0,    0x7F, 0xFE, 0x40, 0,
        64, 6, 0,    0,    192,  0, 2,    1,    198, 51, 100, 2, 4, 0,  0,    80,   0xFF, 0xFF, 0xFC, 0,    1,    2,
        3,  4, 0x80, 0x99, 0x20, 0, 0xEC, 0x3D, 0,   0,  1,   1, 8, 10, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
    struct request req = make_request((struct shape){.tcp_extra = 12});

    for (size_t k = 0; k < sizeof payload; k++)
        payload[k] = (uint8_t)k;
    memcpy(req.header, header, sizeof header);
    set_payload(&req, payload, sizeof payload, 1000);
    return req;
}

/* TO-047: worked vector 7.1, both ID moduli; every number of its table, in the frames that leave the chain. */
TEST(vector_7_1_is_bit_exact)
{
    static const unsigned total[3] = {1052, 1052, 552}, flags[3] = {0x90, 0x10, 0x19}, tcp_sum[3] = {0xBEEE, 0x9A65, 0x854F};
    static const uint32_t seq[3] = {0xFFFFFC00, 0xFFFFFFE8, 0x000003D0};
    static const unsigned ip_id[2][3] = {{0x7FFE, 0x7FFF, 0x8000}, {0x7FFE, 0x7FFF, 0}};
    static const unsigned ip_sum[2][3] = {{0xCAA6, 0xCAA5, 0xCC98}, {0xCAA6, 0xCAA5, 0x4C99}};
    struct request req = vector_7_1();

    begin();
    for (int modulus = 0; modulus < 2; modulus++) {
        req.cmd.id_15bit = req.model.id_15bit = modulus == 1;
        for (int id = 0; id < IDS; id++)
            send(id, &req);
        bench_drain(100000);
        for (int id = CHAIN; id < IDS; id++)
            for (int i = 0; i < 4; i++) {
                struct bench_packet got;
                CHECK(bench_take(id, &got));
                if (i == 3) {
                    struct tx_tag tag = tx_tag_get(&got.user, 0);
                    CHECK(tag.eor && tag.empty);
                    CHECK_EQ(2500, tag.payload);
                    continue;
                }
                uint8_t want[66 + 1000];
                memcpy(want, req.header, 66);
                memcpy(want + 66, req.model.payload + 1000 * i, total[i] - 52);
                put16(want + 16, total[i]);
                put16(want + 18, ip_id[modulus][i]);
                put16(want + 24, ip_sum[modulus][i]);
                put32(want + 38, seq[i]);
                want[47] = (uint8_t)flags[i];
                put16(want + 50, tcp_sum[i]);
                CHECK_BYTES(want, total[i] + 14, got.data, got.len);
            }
        bench_reset();
    }
    begin();
}

/* TO-048, TO-049, TO-067: payload around one and two segments, one byte, MSS beyond the payload. */
TEST(edge_lengths_give_the_right_segments)
{
    begin();
    for (int id = 0; id < IDS; id++) {
        static const int delta[] = {-1, 0, 1};
        for (size_t k = 0; k < 3; k++)
            for (size_t times = 1; times <= 3; times++) {
                size_t mss = bench_random_in(1, 1460), len = (size_t)((int)(times * mss) + delta[k]);
                struct request req = make_request(random_shape());
                if (len == 0)
                    continue;
                set_payload(&req, random_payload(len), len, mss);
                send(id, &req);
            }
        struct request one = make_request(random_shape());
        set_payload(&one, random_payload(1), 1, 1);
        send(id, &one);
        set_payload(&one, random_payload(700), 700, 9000);
        send(id, &one);
        set_payload(&one, random_payload(700), 700, 65535);
        send(id, &one);
    }
    check_all(200000);
}

/* TO-049: the largest request there is, into frames of 1,514 and of 9,014 bytes. */
TEST(the_largest_request_is_cut_to_the_last_byte)
{
    static uint8_t payload[PAY_MAX];
    bench_random_bytes(payload, sizeof payload);
    begin();
    for (int id = 0; id < IDS; id++) {
        struct request req = make_request((struct shape){0});
        set_payload(&req, payload, sizeof payload, 1460);
        send(id, &req);
        set_payload(&req, payload, sizeof payload, 8960);
        send(id, &req);
    }
    check_all(400000);
}

/* TO-050: the sequence number wraps inside a request, at either half of the word. */
TEST(sequence_numbers_wrap)
{
    begin();
    for (int id = 0; id < IDS; id++)
        for (uint32_t high = 0; high < 2; high++) {
            struct request req = make_request(random_shape());
            put32(req.header + req.cmd.l4_off + 4, (high ? 0xFFFFFFFFu : 0x1234FFFFu) - 2000u);
            set_payload(&req, random_payload(5000), 5000, 700);
            send(id, &req);
        }
    check_all(100000);
}

/* TO-054: identification from 0x7FFE, 0xFFFE and (15 bits) from above 0x8000. */
TEST(identification_counts_in_its_modulus)
{
    static const unsigned ids[] = {0x0000, 0x7FFE, 0x8000, 0x9FFF, 0xFFFE};
    begin();
    for (int id = 0; id < IDS; id++)
        for (unsigned k = 0; k < sizeof ids / sizeof ids[0]; k++)
            for (int bits = 15; bits <= 16; bits++) {
                struct request req = make_request((struct shape){.tags = k % 3});
                put16(req.header + req.cmd.l3_off + 4, ids[k]);
                req.cmd.id_15bit = req.model.id_15bit = bits == 15;
                set_payload(&req, random_payload(900), 900, 200);
                send(id, &req);
            }
    check_all(100000);
}

/* TO-057, TO-058: every mixture of PSH, FIN, CWR, ECE, ACK and NS, in one, two and three segments. */
TEST(flags_go_where_they_belong)
{
    begin();
    for (int id = 0; id < IDS; id++)
        for (unsigned flags = 0; flags < 64; flags++) {
            struct request req = make_request((struct shape){.v6 = flags & 1});
            uint8_t *tcp = req.header + req.cmd.l4_off;
            tcp[13] = (uint8_t)((flags & 1 ? 0x01 : 0) | (flags & 2 ? 0x08 : 0) | (flags & 4 ? 0x10 : 0) |
                                (flags & 8 ? 0x40 : 0) | (flags & 16 ? 0x80 : 0));
            tcp[12] = (uint8_t)((tcp[12] & 0xFE) | flags >> 5);
            set_payload(&req, random_payload(300), 300, 300 / (1 + flags % 3));
            send(id, &req);
        }
    check_all(200000);
}

/* TO-051, TO-059, TO-060, TO-061, TO-062, TO-063: header lengths from 54 to 126 bytes (128 cannot occur: no length is 0 modulo
 * 4), all copied. */
TEST(every_header_length_passes)
{
    begin();
    for (int id = 0; id < IDS; id++)
        for (unsigned tags = 0; tags <= 2; tags++)
            for (unsigned v6 = 0; v6 < 2; v6++)
                for (unsigned extra = 0; extra <= (v6 ? 48u : 72u) - 4 * tags + (v6 ? 4u : 0u); extra += 4) {
                    struct shape shape = {.tags = tags, .v6 = v6, .ip_extra = v6 ? extra / 8 * 8 : extra > 40 ? 40 : extra};
                    shape.tcp_extra = extra - shape.ip_extra;
                    if (14 + 4 * tags + (v6 ? 40 : 20) + shape.ip_extra + 20 + shape.tcp_extra > 128)
                        continue;
                    struct request req = make_request(shape);
                    set_payload(&req, random_payload(500), 500, 170);
                    send(id, &req);
                }
    check_all(400000);
}

/* TO-065: MSS 1 to 130, so that segments begin and end at every lane of every width. */
TEST(every_alignment_of_payload_is_right)
{
    begin();
    for (int id = 0; id < IDS; id++)
        for (size_t mss = 1; mss <= 130; mss++) {
            struct request req = make_request(random_shape());
            size_t len = bench_random_in(1, 4 * mss);
            set_payload(&req, random_payload(len), len, mss);
            send(id, &req);
        }
    check_all(2000000);
}

static void mixed_traffic(unsigned requests, bool errors)
{
    for (int id = 0; id < IDS; id++)
        for (unsigned i = 0; i < requests; i++) {
            size_t len = bench_chance(10) ? bench_random_in(1, 20000) : bench_random_in(1, 3000);
            size_t mss = bench_chance(20) ? bench_random_in(1, 200) : bench_random_in(200, 9000);
            struct request req = make_request(random_shape());

            if (len / mss > 60)
                len = 60 * mss;
            set_payload(&req, random_payload(len), len, mss);
            switch (bench_random_in(0, errors ? 5 : 2)) {
            case 0:
                send_plain(id, req.model.payload, len > 9018 ? 9018 : len, false);
                break;
            case 1:
                send(id, &req);
                break;
            case 2:
                send_cut(id, &req, 0, bench_random_in(0, 300));
                break;
            case 3:
                send_plain(id, req.model.payload, len > 9018 ? 9018 : len, true);
                break;
            case 4:
                send_drop(id, req.model.payload, len, bench_chance(30));
                break;
            default: {
                size_t extra = bench_chance(50) ? bench_random_in(1, 300) : 0;
                size_t end = req.model.hdr_len + len + extra;
                send_cut(id, &req, bench_chance(50) ? bench_random_in(1, end) : end - bench_random_in(0, extra), extra);
                break;
            }
            }
        }
}

/* TO-048, TO-053, TO-055, TO-056, TO-062, TO-064, TO-071, TO-072: anything between anything, idle and back-pressure. */
TEST(mixed_requests_leave_in_order)
{
    for (int round = 0; round < 4; round++) {
        begin();
        bench_mode_random();
        mixed_traffic(40, false);
        check_all(4000000);
    }
}

/* TO-052, TO-067: read errors at any byte, dropped requests: one end each, and the traffic behind is unharmed. */
TEST(errors_end_their_request_only)
{
    for (int round = 0; round < 4; round++) {
        begin();
        if (round)
            bench_mode_random();
        mixed_traffic(60, true);
        check_all(4000000);
    }
}

/* A read error in every byte position of a small request, back to back. */
TEST(a_request_may_be_cut_at_any_byte)
{
    begin();
    for (int id = 0; id < IDS; id++) {
        struct request req = make_request((struct shape){.tcp_extra = 12});
        set_payload(&req, random_payload(350), 350, 100);
        for (size_t cut = 1; cut <= req.model.hdr_len + 350; cut++)
            send_cut(id, &req, cut, 0);
    }
    check_all(2000000);
}

/* The demonstration's fault: every second segment has a wrong sequence number, nothing else changes. */
TEST(the_sequence_fault_hits_every_second_segment)
{
    begin();
    bench_set(0, 0, 1, 1);
    bench_run(4);
    for (int id = 0; id < CHAIN; id++)
        for (int i = 0; i < 3; i++) {
            struct request req = make_request(random_shape());
            req.fault_seq = 1;
            set_payload(&req, random_payload(3000), 3000, 400);
            send(id, &req);
        }
    check_all(100000);
}

/* Rate: 44 segments of MSS 1460, twice; 97 % of the beats at W = 64. */
TEST(segments_leave_back_to_back)
{
    static uint8_t payload[44 * 1460];
    begin();
    bench_random_bytes(payload, sizeof payload);
    for (int id = 0; id < IDS; id++)
        for (int i = 0; i < 2; i++) {
            struct request req = make_request((struct shape){0});
            set_payload(&req, payload, sizeof payload, 1460);
            send(id, &req);
        }
    check_all(200000);
    for (int g = 0; g < WIDTHS; g++) {
        char name[40];
        double used = bench_beats_per_cycle(bench_sink_stats(g));
        (void)snprintf(name, sizeof name, "lso_beats_used/%d", 32 << g);
        bench_report(name, used, "beats/cycle", "2 x 64,240 bytes, MSS 1460, W as named");
        if (g == 1)
            bench_report("lso_beats_used", used, "beats/cycle", "2 x 64,240 bytes, MSS 1460, W = 64");
        if (g <= 1)
            CHECK(used >= 0.97);
        CHECK(bench_beats_per_cycle(bench_sink_stats(CHAIN + g)) >= (g <= 1 ? 0.97 : 0.85));
    }
}

/* Rate: frames without LSO, from one beat each, move one beat a cycle. */
TEST(plain_frames_pass_at_full_rate)
{
    begin();
    for (int id = 0; id < WIDTHS; id++)
        for (int i = 0; i < 100; i++)
            send_plain(id, random_payload(64), 64, false);
    check_all(10000);
    for (int g = 0; g < WIDTHS; g++) {
        char name[40];
        double rate = bench_beats_per_cycle(bench_sink_stats(g));
        (void)snprintf(name, sizeof name, "beats_per_cycle/lso/%d", 32 << g);
        bench_report(name, rate, "beats/cycle", "64-byte frames without LSO");
        CHECK(rate == 1.0);
    }
}
