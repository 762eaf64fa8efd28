/*
 * The check of transmit requests against a model written from the clauses, on real frames.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "frames.h"
#include "hdr_bits.h"

/* status_e of rtl/flue_pkg.sv */
enum status {
    ST_OK = 0,
    ST_BAD_LENGTH = 2,
    ST_DMA_READ = 5,
    ST_BAD_REQUEST = 7,
    ST_BAD_OFFSET = 8,
    ST_FRAGMENT = 9,
    ST_DISABLED = 10,
    ST_LSO_MSS = 11,
    ST_LSO_HEADER = 12,
    ST_LSO_FLAGS = 13,
    ST_LSO_LENGTH = 14,
    ST_TOO_LONG = 15
};

enum { TO_THE_END = 0x10000 }; /* l4_end from here on is beyond any frame */

struct request { /* tx_req_t */
    enum status status;
    uint32_t length, lso;
    bool ipv4, ipv6, tcp_csum, udp_csum, ip_csum;
    unsigned tcp_off;
    bool generic;
    unsigned csum_start, csum_offset;
};

struct config { /* tx_cfg_t */
    bool ip4_csum, tcp4_csum, udp4_csum, tcp6_csum, udp6_csum, lso_v1, lso_v2_ipv4, lso_v2_ipv6, id_15bit;
    uint32_t max_offload, max_frame;
};

struct answer { /* status_e and lso_cmd_t */
    enum status status;
    bool lso, v6, id_15bit;
    unsigned mss, hdr_len, l3_off, l4_off, pay_len;
    bool ip_en;
    unsigned ip_start, ip_ihl;
    bool l4_en, l4_udp;
    unsigned l4_start, l4_pos, l4_end;
};

static const struct config all_on = {true, true, true, true, true, true, true, true, false, 100000, 1514};

/* ---- vectors of bits ---- */

struct packing {
    struct bench_bits bits;
    unsigned lsb;
};

static void put(struct packing *p, unsigned width, uint64_t value)
{
    bench_bits_set(&p->bits, p->lsb, width, value);
    p->lsb += width;
}

static void put_field(void *context, unsigned width, const char *name, uint64_t value)
{
    (void)name;
    put(context, width, value);
}

static void ask(const struct request *r, const struct flue_pkt_hdr *h, const struct config *c)
{
    struct packing p = {0};

    put(&p, 16, bench_random()); /* vlan_tci */
    put(&p, 1, bench_random() & 1);
    put(&p, 6, r->csum_offset);
    put(&p, 16, r->csum_start);
    put(&p, 1, r->generic);
    put(&p, 10, r->tcp_off);
    put(&p, 1, r->ip_csum);
    put(&p, 1, r->udp_csum);
    put(&p, 1, r->tcp_csum);
    put(&p, 1, r->ipv6);
    put(&p, 1, r->ipv4);
    put(&p, 32, r->lso);
    put(&p, 17, r->length);
    put(&p, 16, bench_random() & 0xFFFF); /* slot */
    put(&p, 5, r->status);
    flue_hdr_each_field(h, &p, put_field);
    put(&p, 14, c->max_frame);
    put(&p, 17, c->max_offload);
    put(&p, 1, c->id_15bit);
    put(&p, 1, 1); /* vlan_insert */
    put(&p, 1, c->lso_v2_ipv6);
    put(&p, 1, c->lso_v2_ipv4);
    put(&p, 1, c->lso_v1);
    put(&p, 1, c->udp6_csum);
    put(&p, 1, c->tcp6_csum);
    put(&p, 1, c->udp4_csum);
    put(&p, 1, c->tcp4_csum);
    put(&p, 1, c->ip4_csum);
    bench_send(0, "", 1, false, &p.bits);
}

static struct answer take_answer(void)
{
    struct bench_packet got;
    unsigned lsb = 0;

    CHECK(bench_take(0, &got));
#define NEXT(width) (lsb += (width), (unsigned)bench_bits_get(&got.user, lsb - (width), width))
    struct answer a = {0};
    a.l4_udp = NEXT(1);
    CHECK_EQ(0, NEXT(16)); /* l4_seed */
    a.l4_end = NEXT(17);
    a.l4_pos = NEXT(16);
    a.l4_start = NEXT(16);
    a.l4_en = NEXT(1);
    a.ip_ihl = NEXT(4);
    a.ip_start = NEXT(8);
    a.ip_en = NEXT(1);
    a.pay_len = NEXT(17);
    a.l4_off = NEXT(8);
    a.l3_off = NEXT(8);
    a.hdr_len = NEXT(8);
    a.mss = NEXT(16);
    a.id_15bit = NEXT(1);
    a.v6 = NEXT(1);
    a.lso = NEXT(1);
    bool drop = NEXT(1);
    a.status = (enum status)NEXT(5);
#undef NEXT
    CHECK_EQ(a.status != ST_OK, drop);
    return a;
}

/* ---- the model ---- */

static enum status judge_lso(const struct request *r, const struct flue_pkt_hdr *h, const struct config *c, struct answer *a)
{
    unsigned mss = r->lso & 0xFFFFF, off = r->lso >> 20 & 0x3FF;
    bool v2 = r->lso >> 30 & 1, v6 = v2 && r->lso >> 31;                  /* bit 31 is reserved in version 1 */
    int64_t payload = (int64_t)(v2 ? r->length : h->l3_end) - h->pay_off; /* TO-052, TO-053 */

    if ((r->ipv4 && r->ipv6) || r->generic)
        return ST_BAD_REQUEST;
    if (v6 != h->is_ipv6 || !(h->is_ipv4 || h->is_ipv6))
        return ST_BAD_REQUEST;
    if (!(v2 ? (v6 ? c->lso_v2_ipv6 : c->lso_v2_ipv4) : c->lso_v1)) /* TO-073, TO-074 */
        return ST_DISABLED;
    if (h->ip_frag)
        return ST_FRAGMENT;
    if (mss == 0)
        return ST_LSO_MSS;
    if (!h->is_tcp || h->trunc || h->pay_off > 128)
        return ST_LSO_HEADER;
    if (h->tcp_flags & (FLUE_PKT_SYN | FLUE_PKT_RST | FLUE_PKT_URG))
        return ST_LSO_FLAGS;
    if (off != h->l4_off)
        return ST_BAD_OFFSET;
    if (payload <= 0 || payload > c->max_offload || (!v2 && h->l3_end > r->length))
        return ST_LSO_LENGTH;
    uint32_t limit = c->max_frame + 4u * h->vlan_count;
    if (h->pay_off + mss > limit)
        return ST_TOO_LONG;
    *a = (struct answer){
        .lso = true,
        .v6 = v6,
        .id_15bit = v2 && c->id_15bit,
        .mss = mss,
        .hdr_len = h->pay_off,
        .l3_off = h->l3_off,
        .l4_off = h->l4_off,
        .pay_len = (unsigned)payload,
        .ip_en = h->is_ipv4,
        .ip_start = h->l3_off,
        .ip_ihl = (unsigned)(h->l4_off - h->l3_off) / 4 % 16,
        .l4_en = true,
        .l4_start = h->l4_off,
        .l4_pos = h->l4_off + 16u,
        .l4_end = TO_THE_END,
    };
    return ST_OK;
}

static enum status judge_plain(const struct request *r, const struct flue_pkt_hdr *h, const struct config *c, struct answer *a)
{
    bool any_ip = r->ipv4 || r->ipv6; /* TO-018 */
    bool ip = any_ip && r->ip_csum, tcp = any_ip && r->tcp_csum, udp = any_ip && r->udp_csum;
    unsigned start = r->generic ? r->csum_start : udp ? h->l4_off : r->tcp_off;
    unsigned offset = r->generic ? r->csum_offset : udp ? 6 : 16;

    if ((r->ipv4 && r->ipv6) || tcp + udp + r->generic > 1 || (ip && r->ipv6))
        return ST_BAD_REQUEST;
    if ((ip || tcp || udp) && !(r->ipv4 ? h->is_ipv4 : h->is_ipv6))
        return ST_BAD_REQUEST;
    if ((ip && !c->ip4_csum) || (tcp && !(r->ipv4 ? c->tcp4_csum : c->tcp6_csum)) ||
        (udp && !(r->ipv4 ? c->udp4_csum : c->udp6_csum)) ||
        (r->generic && !(c->tcp4_csum && c->udp4_csum && c->tcp6_csum && c->udp6_csum))) /* TO-028 */
        return ST_DISABLED;
    if ((tcp || udp || r->generic) && h->ip_frag) /* TO-027 */
        return ST_FRAGMENT;
    if ((ip || tcp || udp) && (h->l4_off == 0 || h->l3_end > r->length))
        return ST_BAD_OFFSET;
    if (udp && (!h->is_udp || h->bad_hdr || h->pay_off > h->l3_end))
        return ST_BAD_OFFSET;
    if ((tcp || udp || r->generic) &&
        (start % 2 || offset % 2 || start >= 0x8000 || start + offset + 2 > (r->generic ? r->length : h->l3_end)))
        return ST_BAD_OFFSET;
    if (r->length > c->max_frame + 4u * h->vlan_count)
        return ST_TOO_LONG;
    *a = (struct answer){
        .ip_en = ip,
        .ip_start = h->l3_off,
        .ip_ihl = (unsigned)(h->l4_off - h->l3_off) / 4 % 16,
        .l4_en = tcp || udp || r->generic,
        .l4_start = start,
        .l4_pos = start + offset,
        .l4_end = r->generic ? TO_THE_END : h->l3_end,
        .l4_udp = udp || (r->generic && offset == 6),
    };
    return ST_OK;
}

static struct answer judge(const struct request *r, const struct flue_pkt_hdr *h, const struct config *c)
{
    struct answer a = {0};
    enum status status;

    if (r->status != ST_OK)
        status = r->status;
    else if (r->length < 14)
        status = ST_BAD_LENGTH;
    else if (r->lso != 0)
        status = judge_lso(r, h, c, &a);
    else
        status = judge_plain(r, h, c, &a);
    a.status = status;
    return a;
}

/* ---- ask and compare ---- */

static void expect(const struct answer *want)
{
    struct answer got = take_answer();

    CHECK_EQ(want->status, got.status);
    if (want->status != ST_OK)
        return;
    CHECK_EQ(want->lso, got.lso);
    CHECK_EQ(want->ip_en, got.ip_en);
    CHECK_EQ(want->l4_en, got.l4_en);
    if (want->lso) {
        CHECK_EQ(want->v6, got.v6);
        CHECK_EQ(want->id_15bit, got.id_15bit);
        CHECK_EQ(want->mss, got.mss);
        CHECK_EQ(want->hdr_len, got.hdr_len);
        CHECK_EQ(want->l3_off, got.l3_off);
        CHECK_EQ(want->l4_off, got.l4_off);
        CHECK_EQ(want->pay_len, got.pay_len);
    }
    if (want->ip_en) {
        CHECK_EQ(want->ip_start, got.ip_start);
        CHECK_EQ(want->ip_ihl, got.ip_ihl);
    }
    if (want->l4_en) {
        CHECK_EQ(want->l4_start, got.l4_start);
        CHECK_EQ(want->l4_pos, got.l4_pos);
        CHECK_EQ(want->l4_end, got.l4_end >= TO_THE_END ? TO_THE_END : got.l4_end);
        CHECK_EQ(want->l4_udp, got.l4_udp);
    }
}

static uint8_t frame[FLUE_FRAMES_MAX];
static struct flue_pkt_hdr hdr;
static uint64_t frame_state;

/* Build a frame; its headers are in hdr. */
static uint32_t build(struct flue_frames_shape shape)
{
    frame_state = bench_random();
    uint32_t len = (uint32_t)flue_frames_build(&frame_state, &shape, frame);

    if (shape.l4 == FLUE_FRAMES_TCP)
        frame[len - shape.padding - shape.payload - (20 + 4 * (size_t)shape.tcp_option_words) + 13] &=
            0xD9; /* no URG, RST, SYN */
    flue_pkt_parse(frame, len, &hdr);
    return len;
}

/* One question, answered as the model does; and the status that the test names. */
static void expect_status(const struct request *r, const struct config *c, enum status status)
{
    struct answer want = judge(r, &hdr, c);

    CHECK_EQ(status, want.status);
    ask(r, &hdr, c);
    bench_drain(1000);
    expect(&want);
    CHECK_EQ(0, bench_arrived(0));
}

static uint32_t lso_word(unsigned mss, bool v2, bool v6)
{
    return mss | (uint32_t)hdr.l4_off << 20 | (uint32_t)v2 << 30 | (uint32_t)v6 << 31;
}

/* TO-018: with neither IP flag the frame is left alone, whatever other bits are set. */
TEST(without_an_ip_flag_nothing_is_done)
{
    bench_quiet = 8;
    for (int bits = 0; bits < 8; bits++) {
        uint32_t len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 20});
        struct request r = {.length = len, .tcp_csum = bits & 1, .udp_csum = bits & 2, .ip_csum = bits & 4, .tcp_off = 35};
        struct answer want = judge(&r, &hdr, &(struct config){.max_frame = 1514});
        CHECK(want.status == ST_OK && !want.ip_en && !want.l4_en && !want.lso);
        expect_status(&r, &(struct config){.max_frame = 1514}, ST_OK);
    }
}

/* TO-025: every even TcpHeaderOffset whose checksum field is inside is honoured; TO-027: the others fail. */
TEST(tcp_header_offset_is_honoured)
{
    bench_quiet = 8;
    uint32_t len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 1100});
    for (unsigned off = 0; off < 1024; off++) {
        struct request r = {.length = len, .ipv4 = true, .tcp_csum = true, .tcp_off = off};
        struct answer want = judge(&r, &hdr, &all_on);
        CHECK_EQ(off % 2 ? ST_BAD_OFFSET : ST_OK, want.status);
        CHECK(off % 2 || want.l4_start == off);
        ask(&r, &hdr, &all_on);
        bench_run(8);
        expect(&want);
    }
    struct request r = {.length = len, .ipv4 = true, .tcp_csum = true, .tcp_off = hdr.l4_off};
    uint32_t end = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 0, .padding = 30}) - 30;
    r.length = end + 30;
    r.tcp_off = end - 18;
    expect_status(&r, &all_on, ST_OK);
    r.tcp_off = end - 16; /* the field would be behind the datagram */
    expect_status(&r, &all_on, ST_BAD_OFFSET);
}

/* TO-022: UDP needs no offset; options and extension headers are passed. */
TEST(udp_is_found_by_parsing)
{
    bench_quiet = 8;
    for (int i = 0; i < 40; i++) {
        bool v6 = i & 1;
        uint32_t len = build((struct flue_frames_shape){.tags = i % 3,
                                                        .ip = v6 ? 6 : 4,
                                                        .l4 = FLUE_FRAMES_UDP,
                                                        .payload = 50,
                                                        .ip_option_words = i % 11,
                                                        .ext_bytes = 8 * (i % 17)});
        struct request r = {.length = len, .ipv4 = !v6, .ipv6 = v6, .udp_csum = true, .tcp_off = 1023};
        struct answer want = judge(&r, &hdr, &all_on);
        CHECK_EQ(hdr.l4_off, want.l4_start);
        CHECK(want.l4_udp);
        expect_status(&r, &all_on, ST_OK);
    }
}

/* TO-026: each checksum is asked for by itself. */
TEST(ip_and_transport_sums_are_independent)
{
    bench_quiet = 8;
    uint32_t len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_UDP, .payload = 50});
    struct request r = {.length = len, .ipv4 = true, .ip_csum = true};
    CHECK(!judge(&r, &hdr, &all_on).l4_en);
    expect_status(&r, &all_on, ST_OK);
    r.ip_csum = false;
    r.udp_csum = true;
    CHECK(!judge(&r, &hdr, &all_on).ip_en);
    expect_status(&r, &all_on, ST_OK);
}

/* TO-027: both IP flags, both L4 flags, an IPv4 sum for IPv6, the wrong version, fragments. */
TEST(contradictory_requests_fail)
{
    bench_quiet = 8;
    uint32_t len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 50});
    expect_status(&(struct request){.length = len, .ipv4 = true, .ipv6 = true}, &all_on, ST_BAD_REQUEST);
    expect_status(&(struct request){.length = len, .ipv4 = true, .tcp_csum = true, .udp_csum = true, .tcp_off = 34}, &all_on,
                  ST_BAD_REQUEST);
    expect_status(&(struct request){.length = len, .ipv6 = true, .tcp_csum = true, .tcp_off = 34}, &all_on, ST_BAD_REQUEST);
    expect_status(&(struct request){.length = len, .ipv4 = true, .tcp_csum = true, .tcp_off = 34, .generic = true}, &all_on,
                  ST_BAD_REQUEST);
    len = build((struct flue_frames_shape){.ip = 6, .l4 = FLUE_FRAMES_TCP, .payload = 50});
    expect_status(&(struct request){.length = len, .ipv6 = true, .ip_csum = true}, &all_on, ST_BAD_REQUEST);
    len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_UDP, .fragment = true, .payload = 50});
    expect_status(&(struct request){.length = len, .ipv4 = true, .udp_csum = true}, &all_on, ST_FRAGMENT);
    expect_status(&(struct request){.length = len, .ipv4 = true, .ip_csum = true}, &all_on, ST_OK);
    len = build((struct flue_frames_shape){.ip = 6, .l4 = FLUE_FRAMES_TCP, .fragment = true, .payload = 50});
    expect_status(&(struct request){.length = len, .ipv6 = true, .tcp_csum = true, .tcp_off = 62}, &all_on, ST_FRAGMENT);
}

/* TO-028: each switch guards its own requests only. */
TEST(disabled_sums_are_refused)
{
    bench_quiet = 8;
    for (int on = 0; on < 32; on++) {
        struct config c = {.ip4_csum = on & 1,
                           .tcp4_csum = on & 2,
                           .udp4_csum = on & 4,
                           .tcp6_csum = on & 8,
                           .udp6_csum = on & 16,
                           .max_frame = 1514};
        for (int kind = 0; kind < 4; kind++) {
            bool v6 = kind & 1, udp = kind & 2;
            uint32_t len = build(
                (struct flue_frames_shape){.ip = v6 ? 6 : 4, .l4 = udp ? FLUE_FRAMES_UDP : FLUE_FRAMES_TCP, .payload = 40});
            struct request r = {
                .length = len, .ipv4 = !v6, .ipv6 = v6, .tcp_csum = !udp, .udp_csum = udp, .tcp_off = hdr.l4_off};
            bool enabled = v6 ? (udp ? c.udp6_csum : c.tcp6_csum) : (udp ? c.udp4_csum : c.tcp4_csum);
            expect_status(&r, &c, enabled ? ST_OK : ST_DISABLED);
            if (!v6) {
                r.ip_csum = true;
                expect_status(&r, &c, enabled && c.ip4_csum ? ST_OK : ST_DISABLED);
            }
            r = (struct request){.length = len, .generic = true, .csum_start = hdr.l4_off, .csum_offset = udp ? 6 : 16};
            expect_status(&r, &c, (on & 30) == 30 ? ST_OK : ST_DISABLED);
        }
    }
}

/* TO-029: tags in the frame move every place; the frame limit grows with them. */
TEST(tags_in_the_frame_are_counted)
{
    bench_quiet = 8;
    for (int tags = 0; tags <= 2; tags++) {
        uint32_t len =
            build((struct flue_frames_shape){.tags = tags, .ip = 4, .l4 = FLUE_FRAMES_UDP, .payload = 1514 - 14 - 20 - 8});
        struct request r = {.length = len, .ipv4 = true, .udp_csum = true, .ip_csum = true};
        CHECK_EQ(14 + 4 * tags, judge(&r, &hdr, &all_on).ip_start);
        expect_status(&r, &all_on, ST_OK);
        r.length++;
        expect_status(&r, &all_on, ST_TOO_LONG);
    }
}

/* A generic sum may start anywhere even; start and place must be in the frame. */
TEST(generic_sums_are_bounded_by_the_frame)
{
    bench_quiet = 8;
    uint32_t len = build((struct flue_frames_shape){.payload = 100});
    for (unsigned start = 0; start < len + 4; start += 3) {
        for (unsigned offset = 0; offset < 64; offset += 5) {
            struct request r = {.length = len, .generic = true, .csum_start = start, .csum_offset = offset};
            bool good = start % 2 == 0 && offset % 2 == 0 && start + offset + 2 <= len;
            struct answer want = judge(&r, &hdr, &all_on);
            CHECK_EQ(good ? ST_OK : ST_BAD_OFFSET, want.status);
            ask(&r, &hdr, &all_on);
            bench_run(8);
            expect(&want);
        }
    }
    struct request far = {.length = len, .generic = true, .csum_start = 65534, .csum_offset = 62};
    expect_status(&far, &all_on, ST_BAD_OFFSET);
}

/* TO-052, TO-053, TO-073, TO-075: the version bit selects the rules; checksum switches do not matter. */
TEST(lso_payload_is_found_by_version)
{
    struct config c = all_on;

    bench_quiet = 8;
    c.ip4_csum = c.tcp4_csum = c.tcp6_csum = false;
    for (int v6 = 0; v6 <= 1; v6++) {
        uint32_t len = build((struct flue_frames_shape){
            .ip = v6 ? 6 : 4, .l4 = FLUE_FRAMES_TCP, .tcp_option_words = 3, .payload = 4000, .padding = 8});
        struct request r = {.length = len, .lso = lso_word(1000, true, v6)};
        CHECK_EQ(4008, judge(&r, &hdr, &c).pay_len); /* the packet's length counts */
        expect_status(&r, &c, ST_OK);
        hdr.l3_end = hdr.l3_off; /* as an IP length of 0 */
        CHECK_EQ(4008, judge(&r, &hdr, &c).pay_len);
        expect_status(&r, &c, ST_OK);
    }
    uint32_t len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 4000, .padding = 8});
    struct request r = {.length = len, .lso = lso_word(1000, false, false)};
    CHECK_EQ(4000, judge(&r, &hdr, &c).pay_len); /* the IPv4 total length counts */
    expect_status(&r, &c, ST_OK);
    r.length = len - 9;
    expect_status(&r, &c, ST_LSO_LENGTH); /* which lies here */
}

/* TO-063: headers of 128 bytes are taken, of 132 not. */
TEST(lso_headers_up_to_128_bytes)
{
    bench_quiet = 8;
    for (int words = 0; words <= 10; words++) {
        for (int options = 0; options <= 10; options++) {
            uint32_t len = build((struct flue_frames_shape){.tags = 1,
                                                            .ip = 4,
                                                            .l4 = FLUE_FRAMES_TCP,
                                                            .ip_option_words = options,
                                                            .tcp_option_words = words,
                                                            .payload = 3000});
            struct request r = {.length = len, .lso = lso_word(500, true, false)};
            expect_status(&r, &all_on, 18 + 40 + 4 * (words + options) <= 128 ? ST_OK : ST_LSO_HEADER);
        }
    }
}

/* TO-067: MSS 0, a payload of 0 and one above MaxOffLoadSize fail; an MSS above the payload is one frame, or fails when
 * such segments could not be sent. */
TEST(lso_sizes_out_of_range)
{
    struct config c = all_on;

    bench_quiet = 8;
    uint32_t len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 1000});
    expect_status(&(struct request){.length = len, .lso = lso_word(0, true, false)}, &all_on, ST_LSO_MSS);
    expect_status(&(struct request){.length = len, .lso = lso_word(1000, true, false)}, &all_on, ST_OK);
    expect_status(&(struct request){.length = len, .lso = lso_word(1001, true, false)}, &all_on, ST_OK);
    expect_status(&(struct request){.length = len, .lso = lso_word(0xFFFFF, true, false)}, &all_on, ST_TOO_LONG);
    expect_status(&(struct request){.length = len, .lso = lso_word(1461, true, false)}, &all_on, ST_TOO_LONG);
    c.max_offload = 1000;
    expect_status(&(struct request){.length = len, .lso = lso_word(100, true, false)}, &c, ST_OK);
    c.max_offload = 999;
    expect_status(&(struct request){.length = len, .lso = lso_word(100, true, false)}, &c, ST_LSO_LENGTH);
    expect_status(&(struct request){.length = 100000, .lso = lso_word(1461, true, false)}, &all_on, ST_TOO_LONG);
    expect_status(&(struct request){.length = 100000, .lso = lso_word(1460, true, false)}, &all_on, ST_OK);
    len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_TCP});
    expect_status(&(struct request){.length = len, .lso = lso_word(100, true, false)}, &all_on, ST_LSO_LENGTH);
    expect_status(&(struct request){.length = len, .lso = lso_word(100, false, false)}, &all_on, ST_LSO_LENGTH);
}

/* TO-068: SYN, RST, URG and fragments fail; other flags do not. */
TEST(lso_refuses_flags_and_fragments)
{
    bench_quiet = 8;
    uint32_t len = build((struct flue_frames_shape){.ip = 6, .l4 = FLUE_FRAMES_TCP, .payload = 1000});
    for (unsigned flag = 1; flag < 512; flag <<= 1) {
        hdr.tcp_flags = (uint16_t)flag;
        bool bad = flag == FLUE_PKT_SYN || flag == FLUE_PKT_RST || flag == FLUE_PKT_URG;
        expect_status(&(struct request){.length = len, .lso = lso_word(100, true, true)}, &all_on, bad ? ST_LSO_FLAGS : ST_OK);
    }
    len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_TCP, .fragment = true, .payload = 1000});
    expect_status(&(struct request){.length = len, .lso = lso_word(100, true, false)}, &all_on, ST_FRAGMENT);
}

/* TO-074: each LSO switch guards its own requests; the wrong version or offset fails. */
TEST(lso_needs_its_switch_and_the_right_headers)
{
    bench_quiet = 8;
    for (int on = 0; on < 8; on++) {
        struct config c = {
            .lso_v1 = on & 1, .lso_v2_ipv4 = on & 2, .lso_v2_ipv6 = on & 4, .max_offload = 65535, .max_frame = 1514};
        uint32_t len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 1000});
        expect_status(&(struct request){.length = len, .lso = lso_word(100, false, false)}, &c, on & 1 ? ST_OK : ST_DISABLED);
        expect_status(&(struct request){.length = len, .lso = lso_word(100, false, true)}, &c, on & 1 ? ST_OK : ST_DISABLED);
        expect_status(&(struct request){.length = len, .lso = lso_word(100, true, false)}, &c, on & 2 ? ST_OK : ST_DISABLED);
        expect_status(&(struct request){.length = len, .lso = lso_word(100, true, true)}, &c, ST_BAD_REQUEST);
        expect_status(&(struct request){.length = len, .lso = lso_word(100, true, false) + (2u << 20)}, &c,
                      on & 2 ? ST_BAD_OFFSET : ST_DISABLED);
        len = build((struct flue_frames_shape){.ip = 6, .l4 = FLUE_FRAMES_TCP, .payload = 1000});
        expect_status(&(struct request){.length = len, .lso = lso_word(100, true, true)}, &c, on & 4 ? ST_OK : ST_DISABLED);
        expect_status(&(struct request){.length = len, .lso = lso_word(100, false, false)}, &c, ST_BAD_REQUEST);
        len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_UDP, .payload = 1000});
        expect_status(&(struct request){.length = len, .lso = lso_word(100, true, false)}, &c,
                      on & 2 ? ST_LSO_HEADER : ST_DISABLED);
    }
}

/* The queue's own verdict stands above all others; a frame without an Ethernet header is none. */
TEST(the_queues_status_goes_first)
{
    bench_quiet = 8;
    uint32_t len = build((struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 10});
    expect_status(&(struct request){.status = ST_DMA_READ, .length = len, .ipv4 = true, .ipv6 = true}, &all_on, ST_DMA_READ);
    expect_status(&(struct request){.length = 13}, &all_on, ST_BAD_LENGTH);
    expect_status(&(struct request){.length = 14}, &all_on, ST_OK);
}

static bool mostly(void)
{
    return bench_chance(90);
}

/* A request that fits the frame, then a few things about it changed. */
static struct request random_request(uint32_t len)
{
    bool udp = hdr.is_udp;
    struct request r = {.length = len};

    switch (bench_random_in(0, 3)) {
    case 0: {
        bool v2 = hdr.is_ipv6 ? mostly() : bench_chance(50);
        r.lso = lso_word((unsigned)bench_random_in(1, 1600), v2, v2 && hdr.is_ipv6);
        break;
    }
    case 1:
        r.generic = true;
        r.csum_start = hdr.l4_off;
        r.csum_offset = udp ? 6 : 16;
        break;
    default:
        r.ipv4 = hdr.is_ipv4;
        r.ipv6 = hdr.is_ipv6;
        r.tcp_csum = !udp && mostly();
        r.udp_csum = udp && mostly();
        r.ip_csum = hdr.is_ipv4 && bench_chance(50);
        r.tcp_off = hdr.l4_off;
        break;
    }
    while (bench_chance(30)) {
        switch (bench_random_in(0, 9)) {
        case 0:
            r.length = (uint32_t)bench_random_in(1, 131071);
            break;
        case 1:
            r.length += (uint32_t)bench_random_in(0, 4) - 2;
            break;
        case 2:
            r.lso ^= 1u << bench_random_in(0, 31);
            break;
        case 3:
            r.tcp_off = (unsigned)bench_random_in(0, 1023);
            break;
        case 4:
            r.csum_start = (unsigned)bench_random_in(0, 65535);
            break;
        case 5:
            r.csum_offset = (unsigned)bench_random_in(0, 63);
            break;
        case 6:
            r.ipv4 ^= 1;
            break;
        case 7:
            r.ipv6 ^= 1;
            break;
        case 8:
            r.udp_csum ^= 1;
            break;
        default:
            r.tcp_csum ^= 1;
            break;
        }
        r.length &= 0x1FFFF;
    }
    return r;
}

/* Random requests on random and damaged frames: always the model's verdict and work. */
TEST(random_requests_are_judged_as_the_model_does)
{
    enum { ROUNDS = 200, EACH = 100 };
    unsigned seen[32] = {0};

    bench_quiet = 40;
    bench_mode_random();
    for (int round = 0; round < ROUNDS; round++) {
        struct answer want[EACH];
        for (int i = 0; i < EACH; i++) {
            struct flue_frames_shape shape = flue_frames_shape(&frame_state, bench_chance(20) ? 5000 : 300);
            uint32_t len = build(shape);
            if (bench_chance(15)) {
                len = (uint32_t)flue_frames_damage(&frame_state, frame, len);
                flue_pkt_parse(frame, len, &hdr);
            }
            struct config c = {mostly(),
                               mostly(),
                               mostly(),
                               mostly(),
                               mostly(),
                               mostly(),
                               mostly(),
                               mostly(),
                               bench_chance(50),
                               (uint32_t)bench_random_in(100, 131071),
                               (uint32_t)bench_random_in(200, 9018)};
            struct request r = random_request(len);
            want[i] = judge(&r, &hdr, &c);
            seen[want[i].status]++;
            ask(&r, &hdr, &c);
        }
        bench_drain(100000);
        for (int i = 0; i < EACH; i++)
            expect(&want[i]);
    }
    static const enum status reached[] = {ST_OK,       ST_BAD_REQUEST, ST_BAD_OFFSET, ST_FRAGMENT,
                                          ST_DISABLED, ST_LSO_HEADER,  ST_LSO_LENGTH, ST_TOO_LONG};
    for (size_t i = 0; i < sizeof reached / sizeof reached[0]; i++)
        CHECK(seen[reached[i]] > 20);
}
