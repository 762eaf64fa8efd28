/*
 * What the engine sees of a frame, against a reading of the frame's bytes in plain C, at every data width at once.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "frames.h"
#include "hdr_bits.h"

enum { WIDTHS = 5, KEYS = 8, SEGMENTS = 16, FULL = 2, PARK_FULL = 1, IDLE = 0 };

static uint64_t frame_state;
static uint8_t buffer[FLUE_FRAMES_MAX];

/* ---- the reference ---- */

struct segment {
    uint32_t seq, ack;
    uint16_t wnd, len;
    unsigned flags, pay_off;
    bool has_ts;
    uint32_t ts_val, ts_ecr;
    unsigned blocks;
    uint32_t left[4], right[4];
};

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

/* TCP-005, TCP-007, TCP-008 */
static void read_options(const uint8_t *p, unsigned count, struct segment *s)
{
    for (unsigned at = 0; at < count;) {
        if (p[at] == 0)
            return;
        if (p[at] == 1) {
            at++;
            continue;
        }
        if (at + 1 >= count || p[at + 1] < 2 || at + p[at + 1] > count)
            return;
        unsigned size = p[at + 1];
        if (p[at] == 8 && size == 10 && !s->has_ts) {
            s->has_ts = true;
            s->ts_val = be32(p + at + 2);
            s->ts_ecr = be32(p + at + 6);
        }
        if (p[at] == 5 && s->blocks == 0 && size > 2 && size <= 34 && size % 8 == 2) {
            s->blocks = (size - 2) / 8;
            for (unsigned i = 0; i < s->blocks; i++) {
                s->left[i] = be32(p + at + 2 + 8 * i);
                s->right[i] = be32(p + at + 6 + 8 * i);
            }
        }
        at += size;
    }
}

/* Whether the frame is looked up; if so, its key (vlan, addresses and ports as lookup_key_t has them) and segment. */
static bool expect_of(const uint8_t *f, size_t len, bool right_sums, struct bench_bits *key, struct segment *s)
{
    struct flue_pkt_hdr h;

    memset(key, 0, sizeof *key);
    memset(s, 0, sizeof *s);
    flue_pkt_parse(f, len, &h);
    if (!right_sums || (f[0] & 1) != 0 || h.vlan_count > 1 || h.vlan_stag)
        return false;
    size_t addr = h.is_ipv6 ? 16 : 4;
    const uint8_t *src = f + h.l3_off + (h.is_ipv6 ? 8 : 12), *dst = src + addr, *tcp = f + h.l4_off;
    if (h.is_ipv6 ? src[0] == 0xFF || dst[0] == 0xFF : src[0] >= 224 || dst[0] >= 224)
        return false;
    bench_bits_set(key, 0, 16, be16(tcp));
    bench_bits_set(key, 16, 16, be16(tcp + 2));
    for (unsigned i = 0; i < addr; i++) {
        bench_bits_set(key, 32 + 8 * i, 8, src[i]);
        bench_bits_set(key, 160 + 8 * i, 8, dst[i]);
    }
    bench_bits_set(key, 288, 12, h.vlan_count != 0 ? h.vlan_tci & 0xFFFu : 0);
    bench_bits_set(key, 300, 1, h.vlan_count != 0);
    bench_bits_set(key, 301, 1, h.is_ipv6);
    bench_bits_set(key, 302, 1, 1); /* lookup */
    s->seq = be32(tcp + 4);
    s->ack = be32(tcp + 8);
    s->flags = tcp[13] & 0x3F;
    s->wnd = (uint16_t)be16(tcp + 14);
    s->pay_off = h.pay_off;
    s->len = (uint16_t)(h.l3_end - h.pay_off);
    read_options(tcp + 20, (tcp[12] >> 4) * 4u - 20, s);
    return true;
}

/* ---- frames ---- */

static void pack_field(void *context, unsigned width, const char *name, uint64_t value)
{
    struct bench_packet *p = context;
    (void)name;
    bench_bits_set(&p->user, (unsigned)p->skip, width, value); /* skip is not used by sources: the place so far */
    p->skip += width;
}

static const struct flue_pkt_rx_cfg plain = {true, true, true, true, true, false, false, true};

static bool sums_right(const uint8_t *f, size_t len)
{
    return (flue_pkt_rx_csum(f, len, &plain) & FLUE_PKT_TCP_OK) != 0;
}

static void send_to(int width, size_t len, bool drop)
{
    struct flue_pkt_hdr h;
    struct bench_packet p = {.data = buffer, .len = len, .bad = drop && bench_chance(50)};

    flue_pkt_parse(buffer, len, &h);
    flue_hdr_each_field(&h, &p, pack_field);
    p.skip = 0;
    bench_bits_set(&p.user_last, 0, 1, drop && !p.bad);
    bench_bits_set(&p.user_last, 1, 1, sums_right(buffer, len));
    bench_put(width, &p);
}

static void send(size_t len)
{
    bool drop = bench_chance(10);
    for (int w = 0; w < WIDTHS; w++)
        send_to(w, len, drop);
}

/* Options of every kind that is known and of some that are not, mostly well formed. */
static void random_options(uint8_t *p, unsigned count)
{
    bench_random_bytes(p, count);
    for (unsigned at = 0; at < count && !bench_chance(3);) {
        static const uint8_t kinds[] = {1, 1, 1, 2, 3, 4, 5, 5, 5, 8, 8, 8, 30, 34, 253};
        uint8_t kind = bench_chance(5) ? (uint8_t)bench_random() : kinds[bench_random_in(0, sizeof kinds - 1)];
        p[at++] = kind;
        if (kind < 2)
            continue;
        unsigned size = kind == 8 ? 10 : kind == 5 ? 2 + 8 * (unsigned)bench_random_in(0, 4) : (unsigned)bench_random_in(2, 12);
        if (bench_chance(8))
            size = (unsigned)bench_random_in(0, 45);
        if (at == count)
            return;
        p[at] = (uint8_t)size;
        at += size < 2 ? 1 : size - 1;
    }
}

/* A correct unicast segment without tag, or with one. */
static size_t segment_frame(int ip, unsigned tags, unsigned option_words, size_t payload, size_t padding)
{
    struct flue_frames_shape shape = {.ip = ip,
                                      .tags = (int)tags,
                                      .l4 = FLUE_FRAMES_TCP,
                                      .tcp_option_words = (int)option_words,
                                      .payload = payload,
                                      .padding = padding};
    size_t len = flue_frames_build(&frame_state, &shape, buffer);
    size_t l3 = 14 + 4 * tags;
    buffer[0] &= 0xFE;
    if (tags == 1)
        memcpy(buffer + 12, "\x81\x00", 2);
    for (unsigned i = 0; i < 2; i++)
        buffer[ip == 6 ? l3 + 8 + 16 * i : l3 + 12 + 4 * i] &= 0x7F;
    flue_pkt_fill_csums(buffer, len);
    return len;
}

static uint8_t *tcp_header(void)
{
    struct flue_pkt_hdr h;
    flue_pkt_parse(buffer, sizeof buffer, &h);
    return buffer + h.l4_off;
}

/* Any frame: mostly segments with a soup of options, and everything that is none. */
static size_t any_frame(void)
{
    if (bench_chance(60)) {
        unsigned words = (unsigned)bench_random_in(0, 10);
        size_t len = segment_frame(bench_chance(50) ? 4 : 6, (unsigned)bench_random_in(0, 1), words, bench_random_in(0, 90),
                                   bench_random_in(0, 8));
        random_options(tcp_header() + 20, 4 * words);
        flue_pkt_fill_csums(buffer, len);
        if (bench_chance(5))
            buffer[bench_random_in(0, len - 1)] ^= (uint8_t)(1u << bench_random_in(0, 7));
        return len;
    }
    struct flue_frames_shape shape = flue_frames_shape(&frame_state, 200);
    size_t len = flue_frames_build(&frame_state, &shape, buffer);
    if (bench_chance(30))
        buffer[0] &= 0xFE;
    while (bench_chance(30))
        len = flue_frames_damage(&frame_state, buffer, len);
    return len;
}

/* ---- answers ---- */

static void check_segment(int width, const struct segment *want, const struct bench_bits *bits)
{
    unsigned at = 0;
    struct segment got = {0};

    for (int i = 0; i < 4; i++) {
        uint32_t right = (uint32_t)bench_bits_get(bits, at, 32), left = (uint32_t)bench_bits_get(bits, at + 32, 32);
        at += 64;
        if ((unsigned)i < want->blocks) {
            got.left[i] = left;
            got.right[i] = right;
        }
    }
    got.blocks = (unsigned)bench_bits_get(bits, at, 3);
    uint32_t ecr = (uint32_t)bench_bits_get(bits, at + 3, 32), val = (uint32_t)bench_bits_get(bits, at + 35, 32);
    got.has_ts = bench_bits_get(bits, at + 67, 1) != 0;
    if (got.has_ts) {
        got.ts_val = val;
        got.ts_ecr = ecr;
    }
    at += 68;
    got.len = (uint16_t)bench_bits_get(bits, at, 16);
    got.flags = (unsigned)bench_bits_get(bits, at + 16, 6);
    got.wnd = (uint16_t)bench_bits_get(bits, at + 22, 16);
    got.ack = (uint32_t)bench_bits_get(bits, at + 38, 32);
    got.seq = (uint32_t)bench_bits_get(bits, at + 70, 32);
    got.pay_off = (unsigned)bench_bits_get(bits, at + 102, 10);
    if (memcmp(want, &got, sizeof got) != 0)
        printf("  W=%d: blocks %u/%u ts %d/%d len %u/%u flags %x/%x pay %u/%u\n", 32 << width, want->blocks, got.blocks,
               want->has_ts, got.has_ts, want->len, got.len, want->flags, got.flags, want->pay_off, got.pay_off);
    CHECK_EQ(want->seq, got.seq);
    CHECK_EQ(want->ack, got.ack);
    CHECK_EQ(want->wnd, got.wnd);
    CHECK_EQ(want->flags, got.flags);
    CHECK_EQ(want->len, got.len);
    CHECK_EQ(want->pay_off, got.pay_off);
    CHECK_EQ(want->has_ts, got.has_ts);
    CHECK_EQ(want->ts_val, got.ts_val);
    CHECK_EQ(want->ts_ecr, got.ts_ecr);
    CHECK_EQ(want->blocks, got.blocks);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(want->left[i], got.left[i]);
        CHECK_EQ(want->right[i], got.right[i]);
    }
}

struct tally {
    unsigned frames, segments, ts, sack;
};

/* Each frame that the park kept has its answer, in order, and there is no other. */
static struct tally check_width(int w)
{
    struct tally t = {0};
    struct bench_packet frame, key, seg;

    while (bench_take(w, &frame)) {
        struct bench_bits want;
        struct segment s;
        bool lookup = expect_of(frame.data, frame.len, sums_right(frame.data, frame.len), &want, &s);
        CHECK(bench_take(KEYS + w, &key));
        CHECK_EQ(lookup, bench_bits_get(&key.user, 302, 1));
        t.frames++;
        if (!lookup)
            continue;
        CHECK(bench_bits_equal(&want, &key.user));
        CHECK(bench_take(SEGMENTS + w, &seg));
        check_segment(w, &s, &seg.user);
        t.segments++;
        t.ts += s.has_ts;
        t.sack += s.blocks != 0;
    }
    CHECK_EQ(0, bench_arrived(KEYS + w));
    CHECK_EQ(0, bench_arrived(SEGMENTS + w));
    CHECK_EQ(1, bench_get(w, IDLE, 1));
    return t;
}

static struct tally check_all(void)
{
    struct tally t = {0};
    bench_drain(8000000);
    for (int w = 0; w < WIDTHS; w++)
        t = check_width(w);
    return t;
}

/* Slow enough that neither the park nor the store, shallow here, drops a frame. */
static void slowly(void)
{
    static const unsigned idle[WIDTHS] = {85, 92, 96, 98, 99};
    for (int w = 0; w < WIDTHS; w++)
        bench_source_mode(w, BENCH_RANDOM, idle[w]);
}

/* TCP-005, TCP-008, TCP-010, TCP-011, TCP-014, TCP-015: of all frames the verified unicast segments are told from the rest, and
 * read. */
TEST(segments_are_found_and_read)
{
    frame_state = bench_random();
    bench_mode_random();
    slowly();
    for (int i = 0; i < 2500; i++)
        send(any_frame());
    struct tally t = check_all();
    printf("  %u frames, %u segments, %u with timestamps, %u with SACK\n", t.frames, t.segments, t.ts, t.sack);
    CHECK(t.segments > 500 && t.frames > t.segments + 200 && t.ts > 100 && t.sack > 60);
}

/* TCP-003: every data offset, most of them past the end of the segment or below 5. */
TEST(every_data_offset_has_a_defined_result)
{
    frame_state = bench_random();
    slowly();
    for (int i = 0; i < 320; i++) {
        size_t len = segment_frame(i & 1 ? 4 : 6, i >> 1 & 1, 0, bench_random_in(0, 40), 0);
        tcp_header()[12] = (uint8_t)((i % 16) << 4);
        uint8_t *t = tcp_header(); /* the sum, though the lengths may be impossible */
        t[16] = t[17] = 0;
        struct flue_pkt_hdr h;
        flue_pkt_parse(buffer, len, &h);
        if (i % 16 >= 5) {
            uint16_t sum = (uint16_t)~flue_pkt_sum(t, h.l3_end - h.l4_off, flue_pkt_pseudo(buffer, &h, h.l3_end - h.l4_off));
            t[16] = (uint8_t)(sum >> 8);
            t[17] = (uint8_t)sum;
        }
        send(len);
    }
    struct tally t = check_all();
    CHECK(t.segments > 60 && t.segments < 200);
}

/* TCP-004: Ethernet padding is never payload; a length beyond the frame is not looked up. */
TEST(the_ip_length_decides)
{
    frame_state = bench_random();
    slowly();
    for (int i = 0; i < 200; i++) {
        size_t len = segment_frame(i & 1 ? 4 : 6, 0, 0, (size_t)i % 10, 6);
        send(len - (size_t)(i % 10)); /* from the sixth byte on the datagram itself is cut */
    }
    struct tally t = check_all();
    CHECK(t.segments > 100 && t.segments < 140);
}

/* TCP-011: multicast and broadcast, of either address and of the frame itself, never reach a connection. */
TEST(group_addresses_are_not_looked_up)
{
    frame_state = bench_random();
    slowly();
    for (int i = 0; i < 100; i++) {
        static const uint8_t first[] = {224, 233, 239, 240, 255};
        bool six = i & 1;
        size_t len = segment_frame(six ? 6 : 4, i >> 1 & 1, 3, 20, 0);
        uint8_t *ip = tcp_header() - (six ? 40 : 20);
        unsigned kind = (unsigned)i % 3;
        if (kind == 2)
            memset(buffer, i % 2 ? 0xFF : 0x01, 6);
        else
            ip[six ? 8 + 16 * kind : 12 + 4 * kind] = six ? 0xFF : first[i % 5];
        flue_pkt_fill_csums(buffer, len);
        CHECK(sums_right(buffer, len));
        send(len);
    }
    struct tally t = check_all();
    CHECK_EQ(0, t.segments);
}

/* TCP-016: all 256 values of the flags byte, and the reserved bits with them, are read as they are. */
TEST(every_flag_combination_is_read)
{
    frame_state = bench_random();
    slowly();
    for (unsigned flags = 0; flags < 256; flags++) {
        size_t len = segment_frame(flags & 1 ? 4 : 6, flags >> 1 & 1, 0, 5, 0);
        tcp_header()[12] |= (uint8_t)(bench_random() & 15);
        tcp_header()[13] = (uint8_t)flags;
        flue_pkt_fill_csums(buffer, len);
        send(len);
    }
    struct tally t = check_all();
    CHECK_EQ(t.frames, t.segments);
}

/* TCP-005, TCP-007: each two bytes at each place of the options, timestamps in front of them and behind. */
TEST(every_option_header_has_a_defined_result)
{
    frame_state = bench_random();
    slowly();
    for (unsigned kind = 0; kind < 40; kind++)
        for (unsigned size = 0; size < 42; size += 1 + kind % 3) {
            size_t len = segment_frame(4, 0, 10, 0, 0);
            uint8_t *o = tcp_header() + 20;
            unsigned at = (unsigned)bench_random_in(0, 39);
            memset(o, 1, 40);
            if (at >= 10 && bench_chance(50))
                memcpy(o, "\x08\x0A\x01\x02\x03\x04\x05\x06\x07\x08", 10);
            o[at] = (uint8_t)(kind < 35 ? kind : bench_random());
            if (at < 39)
                o[at + 1] = (uint8_t)(size < 41 ? size : 0xFF);
            flue_pkt_fill_csums(buffer, len);
            send(len);
        }
    struct tally t = check_all();
    CHECK(t.frames == t.segments);
}

/* Frames that find the park or the store full leave no answer behind, and later ones keep their own. */
TEST(answers_stay_in_step_when_frames_are_dropped)
{
    frame_state = bench_random();
    bench_quiet = 4000; /* sinks may stop for long */
    for (int round = 0; round < 6; round++) {
        bench_mode_random();
        for (int w = 0; w < WIDTHS; w++) {
            bench_source_mode(w, BENCH_FULL, 0);
            bench_sink_mode(w, BENCH_BURSTS, (unsigned)round % 3 * 40);  /* the park */
            bench_sink_mode(KEYS + w, BENCH_BURSTS, round % 2 ? 95 : 0); /* the store */
            bench_sink_mode(SEGMENTS + w, BENCH_RANDOM, 50);
        }
        for (int i = 0; i < 500; i++)
            send(any_frame());
        check_all();
    }
    for (int w = 0; w < WIDTHS; w++) {
        CHECK(bench_count(w, FULL) > 20);
        CHECK(bench_count(w, PARK_FULL) > 20);
    }
}

/* TCP-007: from a frame's last beat to its segment, a bounded number of cycles. */
TEST(reading_takes_a_bounded_number_of_cycles)
{
    uint64_t most = 0, key_most = 0, host_most = 0;

    frame_state = bench_random();
    for (int i = 0; i < 60; i++) {
        bool six = i & 1;
        struct bench_packet key, seg;
        size_t len = segment_frame(six ? 6 : 4, i >> 1 & 1, i < 20 ? 0 : 10, 0, 0);
        if (i >= 20)
            memset(tcp_header() + 20, 1, 40);
        if (i >= 40)
            buffer[0] |= 1;
        flue_pkt_fill_csums(buffer, len);
        send_to(0, len, false);
        bench_quiet = 80;
        bench_drain(1000);
        uint64_t begun = bench_source_stats(0).last_cycle;
        CHECK(bench_take(KEYS, &key));
        if (i >= 40) {
            host_most = key.last_cycle - begun > host_most ? key.last_cycle - begun : host_most;
            continue;
        }
        CHECK(bench_take(SEGMENTS, &seg));
        key_most = key.last_cycle - begun > key_most ? key.last_cycle - begun : key_most;
        most = seg.last_cycle - begun > most ? seg.last_cycle - begun : most;
    }
    bench_report("latency/tcp_extract/host", (double)host_most, "cycles", "last beat to answer, W=32");
    bench_report("latency/tcp_extract/key", (double)key_most, "cycles", "last beat to key, IPv6 with tag, W=32");
    bench_report("latency/tcp_extract/segment", (double)most, "cycles", "last beat to segment, 40 bytes of options, W=32");
    CHECK(most <= 66 && key_most <= 22 && host_most <= 6);
}
