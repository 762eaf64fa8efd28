/*
 * Receive checksum results of section 3.1.3 against the plain C model, at every data width at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "frames.h"
#include "hdr_bits.h"

enum { WIDTHS = 5, STALLED = 0, OK_BITS = FLUE_PKT_TCP_OK | FLUE_PKT_UDP_OK | FLUE_PKT_IP_OK };

static struct frame {
    uint8_t *data;
    size_t len;
    bool bad;
    struct bench_bits hdr;
    uint16_t result; /* expected */
    bool segment;    /* expected, whatever the switches say */
} * sent;
static size_t sent_count;
static struct flue_pkt_rx_cfg cfg;
static uint64_t frame_state; /* of the generator */
static uint8_t buffer[FLUE_FRAMES_MAX];

/* rx_cfg_t, last field first. */
static void configure(struct flue_pkt_rx_cfg to)
{
    cfg = to;
    uint64_t bits = 9018; /* max_frame, not used here */
    bits |= (uint64_t)to.tcp_opts << 15 | (uint64_t)to.ip6_ext << 16 | (uint64_t)to.ip_opts << 17 |
            (uint64_t)to.udp6_csum << 18 | (uint64_t)to.tcp6_csum << 19 | (uint64_t)to.udp4_csum << 20 |
            (uint64_t)to.tcp4_csum << 21 | (uint64_t)to.ip4_csum << 22;
    bench_set(0, 0, 23, bits);
    bench_run(2);
}

static const struct flue_pkt_rx_cfg everything = {true, true, true, true, true, true, true, true};
/* What out_segment_o looks at: every sum, TCP options, but nothing behind IP options or extension headers. */
static const struct flue_pkt_rx_cfg plain = {true, true, true, true, true, false, false, true};

static void begin(void)
{
    frame_state = bench_random();
    for (size_t i = 0; i < sent_count; i++)
        free(sent[i].data);
    free(sent);
    sent = NULL;
    sent_count = 0;
}

struct packing {
    struct bench_bits bits;
    unsigned lsb;
};

static void pack_field(void *context, unsigned width, const char *name, uint64_t value)
{
    struct packing *p = context;
    (void)name;
    bench_bits_set(&p->bits, p->lsb, width, value);
    p->lsb += width;
}

/* Returns the expected result. */
static uint16_t send(const uint8_t *data, size_t len)
{
    struct flue_pkt_hdr hdr;
    struct packing packing = {0};

    flue_pkt_parse(data, len, &hdr);
    flue_hdr_each_field(&hdr, &packing, pack_field);
    sent = realloc(sent, (sent_count + 1) * sizeof *sent);
    struct frame *f = &sent[sent_count++];
    *f = (struct frame){.data = malloc(len), .len = len, .bad = bench_chance(5), .hdr = packing.bits};
    memcpy(f->data, data, len);
    f->result = flue_pkt_rx_csum(data, len, &cfg);
    f->segment = (flue_pkt_rx_csum(data, len, &plain) & FLUE_PKT_TCP_OK) != 0;
    for (int w = 0; w < WIDTHS; w++)
        bench_send(w, data, len, f->bad, &f->hdr);
    return f->result;
}

/* TO-037: every frame came out unmodified and in order with the model's result; then silence. */
static void expect_all(void)
{
    bench_drain(8000000);
    for (int w = 0; w < WIDTHS; w++) {
        CHECK_EQ(sent_count, bench_arrived(w));
        for (size_t i = 0; i < sent_count; i++) {
            struct bench_packet got;
            const struct frame *f = &sent[i];
            CHECK(bench_take(w, &got));
            CHECK_BYTES(f->data, f->len, got.data, got.len);
            CHECK_EQ(f->bad, got.bad);
            CHECK(bench_bits_equal(&f->hdr, &got.user));
            CHECK_EQ(f->len, bench_bits_get(&got.user_last, 9, 14));
            CHECK_EQ(f->segment, bench_bits_get(&got.user_last, 23, 1));
            uint64_t result = bench_bits_get(&got.user_last, 0, 9);
            if (result != f->result) {
                printf("  frame %zu, %zu bytes:", i, f->len);
                for (size_t b = 0; b < f->len && b < 128; b++)
                    printf("%s%02x", b % 16 == 0 ? "\n    " : " ", f->data[b]);
                printf("\n");
                bench_fail(__FILE__, __LINE__, "W=%d frame %zu: result expected 0x%x, actual 0x%x", 32 << w, i, f->result,
                           (unsigned)result);
            }
            CHECK_EQ(0, result & result >> 3 & 7); /* TO-036 */
            CHECK_EQ(0, result >> 6);              /* TO-046 */
        }
    }
    begin();
}

static size_t random_frame(size_t payload_max)
{
    struct flue_frames_shape shape = flue_frames_shape(&frame_state, payload_max);
    return flue_frames_build(&frame_state, &shape, buffer);
}

/* TO-033, TO-034, TO-035, TO-036, TO-044: correct packets of every stack, padded or not, are called good. */
TEST(correct_packets_are_good)
{
    begin();
    configure(everything);
    bench_mode_random();
    unsigned good = 0;
    for (int i = 0; i < 1500; i++) {
        uint16_t result = send(buffer, random_frame(300));
        CHECK_EQ(0, result & ~OK_BITS);
        good += (result & (FLUE_PKT_TCP_OK | FLUE_PKT_UDP_OK)) != 0;
    }
    CHECK(good > 700); /* the test is about something */
    expect_all();
}

/* TO-033, TO-034, TO-035, TO-037, TO-041: one flipped bit is found, and the frame still arrives. */
TEST(a_flipped_bit_is_found)
{
    begin();
    configure(everything);
    bench_mode_random();
    unsigned bad = 0;
    for (int i = 0; i < 1500; i++) {
        size_t len = random_frame(200);
        size_t at = 14 + bench_random_in(0, len - 14); /* perhaps in what would be padding */
        buffer[at] ^= (uint8_t)(1u << bench_random_in(0, 7));
        bad += (send(buffer, len) & 7) != 0;
    }
    CHECK(bad > 500);
    expect_all();
}

/* TO-033: each single-bit error in an IPv4 header without options is a bad header or leaves nothing to check. */
TEST(each_bit_of_an_ipv4_header_counts)
{
    struct flue_frames_shape shape = {.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 10};

    begin();
    configure(everything);
    size_t len = flue_frames_build(&frame_state, &shape, buffer);
    CHECK_EQ(FLUE_PKT_IP_OK | FLUE_PKT_TCP_OK, send(buffer, len));
    for (unsigned bit = 0; bit < 160; bit++) {
        uint8_t mask = (uint8_t)(1u << bit % 8);
        buffer[14 + bit / 8] ^= mask;
        uint16_t result = send(buffer, len);
        CHECK(result == FLUE_PKT_IP_BAD || (result == 0 && bit < 32)); /* version, header length, total length */
        buffer[14 + bit / 8] ^= mask;
    }
    expect_all();
}

/* TO-038: fragments carry header bits only.  TO-039: IPv6 never carries IP bits, nor L4 bits with a Fragment header. */
TEST(fragments_carry_no_transport_result)
{
    begin();
    configure(everything);
    bench_mode_random();
    for (int i = 0; i < 400; i++) {
        struct flue_frames_shape shape = flue_frames_shape(&frame_state, 100);
        shape.ip = i % 2 ? 4 : 6;
        shape.tags = i % 3;
        shape.fragment = true;
        shape.ext_headers = 0;
        shape.ext_bytes = 0;
        uint16_t result = send(buffer, flue_frames_build(&frame_state, &shape, buffer));
        CHECK_EQ(shape.ip == 4 ? FLUE_PKT_IP_OK : 0, result);
    }
    expect_all();
}

/* TO-040: a UDP checksum field of 0 carries neither UDP bit; so over IPv6. */
TEST(udp_without_checksum_is_not_judged)
{
    begin();
    configure(everything);
    bench_mode_random();
    for (int i = 0; i < 200; i++) {
        struct flue_frames_shape shape = {
            .ip = i % 2 ? 4 : 6, .l4 = FLUE_FRAMES_UDP, .udp_no_csum = true, .payload = bench_random_in(0, 100)};
        uint16_t result = send(buffer, flue_frames_build(&frame_state, &shape, buffer));
        CHECK_EQ(shape.ip == 4 ? FLUE_PKT_IP_OK : 0, result);
    }
    expect_all();
}

/* TO-042: options and extension headers are looked behind only where that is enabled. */
TEST(options_need_their_capability)
{
    begin();
    bench_mode_random();
    for (unsigned on = 0; on < 8; on++) {
        struct flue_pkt_rx_cfg some = everything;
        some.ip_opts = on & 1;
        some.ip6_ext = on & 2;
        some.tcp_opts = on & 4;
        configure(some);
        for (int i = 0; i < 150; i++) {
            struct flue_frames_shape shape = flue_frames_shape(&frame_state, 60);
            shape.ip_option_words = i & 1;
            shape.ext_bytes = i & 1 ? 16 : 0;
            shape.ext_headers = 0;
            shape.tcp_option_words = i & 2;
            shape.routing = shape.fragment = false;
            send(buffer, flue_frames_build(&frame_state, &shape, buffer));
        }
        expect_all();
    }
}

/* TO-031, TO-032, TO-045: each switch off leaves its bits clear; with all off there are none. */
TEST(nothing_is_judged_that_is_switched_off)
{
    begin();
    bench_mode_random();
    for (unsigned on = 0; on < 32; on++) {
        struct flue_pkt_rx_cfg some = everything;
        some.ip4_csum = on & 1;
        some.tcp4_csum = on & 2;
        some.udp4_csum = on & 4;
        some.tcp6_csum = on & 8;
        some.udp6_csum = on & 16;
        configure(some);
        for (int i = 0; i < 60; i++) {
            size_t len = random_frame(60);
            if (bench_chance(20))
                buffer[bench_random_in(14, len)] ^= 4;
            uint16_t result = send(buffer, len);
            if (on == 0)
                CHECK_EQ(0, result);
        }
        expect_all();
    }
}

/* TCP-001, TCP-014, TCP-015: segments are told from the rest with every switch off, damaged or not. */
TEST(segments_are_verified_whatever_is_switched_on)
{
    unsigned segments = 0, others = 0;

    begin();
    bench_mode_random();
    for (unsigned on = 0; on < 256; on += 51) {
        configure((struct flue_pkt_rx_cfg){on & 1, on & 2, on & 4, on & 8, on & 16, on & 32, on & 64, on & 128});
        for (int i = 0; i < 300; i++) {
            struct flue_frames_shape shape = flue_frames_shape(&frame_state, 80);
            if (bench_chance(80))
                shape.l4 = FLUE_FRAMES_TCP;
            if (bench_chance(70)) {
                shape.ip_option_words = shape.ext_headers = shape.ext_bytes = 0;
                shape.routing = shape.fragment = false;
            }
            size_t len = flue_frames_build(&frame_state, &shape, buffer);
            if (bench_chance(30))
                buffer[bench_random_in(0, len - 1)] ^= 0x20;
            if (bench_chance(10))
                len = flue_frames_damage(&frame_state, buffer, len);
            send(buffer, len);
            bool segment = sent[sent_count - 1].segment;
            segments += segment;
            others += !segment;
        }
        expect_all();
    }
    CHECK(segments > 300 && others > 300);
}

/* TO-043: truncated packets, impossible lengths and lengths beyond the frame carry no bits and harm no neighbour. */
TEST(damaged_packets_carry_no_result)
{
    begin();
    configure(everything);
    for (int round = 0; round < 3; round++) {
        bench_mode_random();
        for (int i = 0; i < 1500; i++) {
            size_t len = random_frame(100);
            while (bench_chance(60))
                len = flue_frames_damage(&frame_state, buffer, len);
            send(buffer, len);
        }
        expect_all();
    }
}

/* TO-043, TO-044: the IP length against the end of the frame, one byte at a time around it. */
TEST(the_ip_length_is_compared_with_the_frame)
{
    begin();
    configure(everything);
    for (int ip = 4; ip <= 6; ip += 2) {
        for (size_t payload = 0; payload < 70; payload++) {
            struct flue_frames_shape shape = {
                .ip = ip, .l4 = payload % 2 ? FLUE_FRAMES_UDP : FLUE_FRAMES_TCP, .payload = payload, .padding = 3};
            size_t len = flue_frames_build(&frame_state, &shape, buffer);
            for (size_t cut = 0; cut < 7; cut++) {
                uint16_t result = send(buffer, len - cut);
                CHECK(cut <= 3 ? result != 0 : result == 0);
            }
        }
    }
    expect_all();
}

/* Sums of all ones and zeros, the two faces of 0 in one's complement. */
TEST(constant_payloads_sum_right)
{
    begin();
    configure(everything);
    bench_mode_random();
    for (int i = 0; i < 300; i++) {
        struct flue_frames_shape shape = {
            .ip = i % 2 ? 4 : 6, .l4 = i % 4 < 2 ? FLUE_FRAMES_TCP : FLUE_FRAMES_UDP, .payload = bench_random_in(0, 1400)};
        size_t len = flue_frames_build(&frame_state, &shape, buffer);
        memset(buffer + len - shape.payload, i % 3 ? 0xFF : 0x00, shape.payload);
        flue_pkt_fill_csums(buffer, len);
        CHECK(send(buffer, len) & (FLUE_PKT_TCP_OK | FLUE_PKT_UDP_OK));
        buffer[len - 1 - bench_random_in(0, 10)] ^= 0x10;
        send(buffer, len);
    }
    expect_all();
}

/* Jumbo frames up to 9,018 bytes. */
TEST(long_frames_sum_right)
{
    begin();
    configure(everything);
    for (int i = 0; i < 40; i++) {
        size_t len = random_frame(8700);
        send(buffer, len);
        buffer[len - 1 - bench_random_in(0, 7)] ^= 1;
        send(buffer, len);
    }
    expect_all();
}

/* A frame far beyond any limit does not wrap round to a short one. */
TEST(a_huge_frame_stays_long)
{
    static uint8_t huge[40000];
    struct flue_pkt_hdr hdr;
    struct packing packing = {0};

    begin();
    configure(everything);
    bench_random_bytes(huge, sizeof huge);
    huge[12] = 0; /* no IP */
    flue_pkt_parse(huge, sizeof huge, &hdr);
    flue_hdr_each_field(&hdr, &packing, pack_field);
    for (int w = 0; w < WIDTHS; w++)
        for (size_t len = 13000; len <= sizeof huge; len += 3375)
            bench_send(w, huge, len, false, &packing.bits);
    bench_drain(1000000);
    for (int w = 0; w < WIDTHS; w++) {
        for (size_t len = 13000; len <= sizeof huge; len += 3375) {
            struct bench_packet got;
            CHECK(bench_take(w, &got));
            CHECK_BYTES(huge, len, got.data, got.len);
            CHECK(bench_bits_get(&got.user_last, 9, 14) >= 12288);
            CHECK_EQ(0, bench_bits_get(&got.user_last, 0, 9));
        }
    }
    uint16_t result = send(buffer, random_frame(100)); /* and the next one is judged as ever */
    CHECK_EQ(0, result & ~OK_BITS);
    expect_all();
}

/* One beat a cycle at every width; the input never waits while the output is taken. */
TEST(one_beat_a_cycle)
{
    begin();
    configure(everything);
    for (int i = 0; i < 400; i++)
        send(buffer, random_frame(i % 2 ? 20 : 400));
    bench_drain(100000);
    for (int w = 0; w < WIDTHS; w++) {
        char name[64];
        double rate = bench_beats_per_cycle(bench_source_stats(w));
        snprintf(name, sizeof name, "beats_per_cycle/csum_verify/%d", 32 << w);
        bench_report(name, rate, "beats/cycle", "frames of 34 to 600 bytes back to back");
        CHECK_EQ(0, bench_count(w, STALLED));
        CHECK(rate == 1.0);
    }
    expect_all();
}
