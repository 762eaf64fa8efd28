/*
 * The TAP's packet header against the adapter's words, and the software that steps in, with the worked vectors of
 * task-offload.md 7.1.
 */
#include <string.h>
#include "check.h"
#include "flue/linux.h"
#include "flue/sum.h"

#define FRAME_MAX 4096u

static struct flue_config all_on(void)
{
    struct flue_config c = {.max_offload_bytes = 65535, .max_frame_bytes = 1514};
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++)
        c.way[i] = flue_switch_has_direction((enum flue_switch)i) ? FLUE_WAY_BOTH : FLUE_WAY_ON;
    c.way[FLUE_SW_LSO_ID_15BIT] = FLUE_WAY_OFF;
    return c;
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)(p[0] << 8 | p[1]);
}

/* Headers of vector 7.1 as Linux hands them over: length fields and sum of the super-segment, header checksum valid. */
static size_t vector71(uint8_t *f, unsigned tags)
{
    static const uint8_t ip[20] = {0x45, 0, 0, 0, 0x7F, 0xFE, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2};
    static const uint8_t tcp[32] = {0x04, 0, 0, 80, 0xFF, 0xFF, 0xFC, 0,  1,    2,    3,    4,    0x80, 0x99, 0x20, 0,
                                    0,    0, 0, 0,  1,    1,    8,    10, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
    size_t l3 = 14 + 4u * tags;
    memset(f, 0x02, 12);
    for (unsigned t = 0; t < tags; t++) {
        put16(f + 12 + 4 * t, 0x8100);
        put16(f + 14 + 4 * t, 100 + t);
    }
    put16(f + l3 - 2, 0x0800);
    memcpy(f + l3, ip, sizeof ip);
    memcpy(f + l3 + 20, tcp, sizeof tcp);
    for (unsigned k = 0; k < 2500; k++)
        f[l3 + 52 + k] = (uint8_t)k;
    put16(f + l3 + 2, 2552);
    put16(f + l3 + 10, (uint16_t)~flue_sum(f + l3, 20));
    put16(f + l3 + 36, flue_sum_pseudo(f + l3 + 12, 8, 6, 2532));
    return l3 + 52 + 2500;
}

static struct flue_vnet gso4(unsigned tags)
{
    return (struct flue_vnet){.flags = 1,
                              .gso_type = 1,
                              .hdr_len = (uint16_t)(66 + 4 * tags),
                              .gso_size = 1000,
                              .csum_start = (uint16_t)(34 + 4 * tags),
                              .csum_offset = 16};
}

/* A frame of TCP (protocol 6) or UDP (17) with a complete checksum; the length. */
static size_t plain(uint8_t *f, bool ipv6, unsigned protocol, size_t payload)
{
    size_t l4 = ipv6 ? 54 : 34, header = protocol == 6 ? 20 : 8, l4_len = header + payload;
    memset(f, 0, l4 + header);
    put16(f + 12, ipv6 ? 0x86DD : 0x0800);
    uint8_t *ip = f + 14;
    if (ipv6) {
        ip[0] = 0x60;
        put16(ip + 4, (unsigned)l4_len);
        ip[6] = (uint8_t)protocol;
        ip[7] = 64;
        for (unsigned i = 8; i < 40; i++)
            ip[i] = (uint8_t)(i * 7);
    } else {
        ip[0] = 0x45;
        put16(ip + 2, (unsigned)(20 + l4_len));
        ip[8] = 64;
        ip[9] = (uint8_t)protocol;
        for (unsigned i = 12; i < 20; i++)
            ip[i] = (uint8_t)(i * 13);
        put16(ip + 10, (uint16_t)~flue_sum(ip, 20));
    }
    uint8_t *l4p = f + l4;
    put16(l4p, 1024);
    put16(l4p + 2, 80);
    if (protocol == 6)
        l4p[12] = 0x50;
    else
        put16(l4p + 4, (unsigned)l4_len);
    for (size_t i = 0; i < payload; i++)
        l4p[header + i] = (uint8_t)check_random(256);
    uint16_t pseudo = flue_sum_pseudo(ip + (ipv6 ? 8 : 12), ipv6 ? 32 : 8, (uint8_t)protocol, (uint32_t)l4_len);
    put16(l4p + (protocol == 6 ? 16 : 6), (uint16_t)~flue_sum_add(pseudo, flue_sum(l4p, l4_len)));
    return l4 + l4_len;
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

/* Section 7.1: the length-less sum is 0xEC3D, Linux's 0xF621, and 0xF621 -' 2532 = 0xEC3D. */
TEST(the_sums_of_vector_71)
{
    static const uint8_t addresses[8] = {192, 0, 2, 1, 198, 51, 100, 2};
    CHECK_EQ(flue_sum_pseudo(addresses, 8, 6, 0), 0xEC3D);
    CHECK_EQ(flue_sum_pseudo(addresses, 8, 6, 2532), 0xF621);
    CHECK_EQ(flue_sum_without_length(0xF621, 2532), 0xEC3D);
}

TEST(sums_agree_with_a_byte_by_byte_count)
{
    uint8_t data[300];
    for (unsigned round = 0; round < 2000; round++) {
        size_t len = check_random(280), at = check_random(8);
        uint32_t sum = 0;
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)check_random(round % 3 == 0 ? 2 : 256) ? (uint8_t)check_random(256) : 0xFF;
        for (size_t i = 0; i < len; i++)
            sum += i % 2 == 0 ? (uint32_t)data[at + i] << 8 : data[at + i];
        while (sum > 0xFFFF)
            sum = (sum & 0xFFFF) + (sum >> 16);
        CHECK_EQ(flue_sum(data + at, len), sum);
    }
}

TEST(subtraction_undoes_addition_and_folds_lengths_over_65535)
{
    for (unsigned round = 0; round < 2000; round++) {
        uint16_t a = (uint16_t)(1 + check_random(0xFFFE)), b = (uint16_t)check_random(0x10000);
        uint16_t back = flue_sum_sub(flue_sum_add(a, b), b);
        CHECK(back == a || (a == 0xFFFF && back == 0));
    }
    CHECK_EQ(flue_sum_fold(0x12345), 0x2346);
    CHECK_EQ(flue_sum_without_length(flue_sum_add(0x1111, flue_sum_fold(70000)), 70000), 0x1111);
}

/* ---- kernel to adapter ------------------------------------------------------------------------------------------- */

TEST(the_header_is_12_little_endian_bytes)
{
    struct flue_vnet v = {.flags = 1, .gso_type = 0x81, .hdr_len = 66, .gso_size = 1448, .csum_start = 34, .csum_offset = 16};
    struct flue_vnet back;
    uint8_t b[12];
    flue_vnet_store(&v, b);
    static const uint8_t expected[12] = {1, 0x81, 66, 0, 0xA8, 5, 34, 0, 16, 0, 0, 0};
    CHECK_EQ(memcmp(b, expected, 12), 0);
    flue_vnet_load(&back, b);
    CHECK_EQ(memcmp(&v, &back, sizeof v), 0);
}

/* TO-182: the super-packet's sum becomes the length-less one; the words are those of section 2.3. */
TEST(a_linux_super_segment_becomes_a_large_send)
{
    static uint8_t f[FRAME_MAX];
    struct flue_config c = all_on();
    for (unsigned tags = 0; tags < 3; tags++) {
        size_t len = vector71(f, tags);
        struct flue_vnet v = gso4(tags);
        struct flue_tx_packet p = {0};
        CHECK_EQ(flue_vnet_to_packet(&c, &v, f, len, &p), FLUE_SEND);
        CHECK_EQ(p.lso, 0x40000000u | (34 + 4 * tags) << 20 | 1000);
        CHECK_EQ(p.csum, FLUE_SLOT_PACKET_IPV4_MASK);
        CHECK(!p.generic);
        CHECK_EQ(get16(f + 14 + 4 * tags + 36), 0xEC3D);
    }
}

TEST(version_1_is_used_when_only_it_is_on)
{
    static uint8_t f[FRAME_MAX];
    struct flue_config c = all_on();
    struct flue_vnet v = gso4(0);
    struct flue_tx_packet p = {0};
    c.way[FLUE_SW_LSO_V2_IPV4] = FLUE_WAY_OFF;
    CHECK_EQ(flue_vnet_to_packet(&c, &v, f, vector71(f, 0), &p), FLUE_SEND);
    CHECK_EQ(p.lso, 34u << 20 | 1000);
}

TEST(what_the_adapter_must_not_cut_is_cut_in_software)
{
    static uint8_t f[FRAME_MAX], before[FRAME_MAX];
    struct flue_vnet v = gso4(0);
    struct flue_tx_packet p = {0};
    for (unsigned what = 0; what < 4; what++) {
        struct flue_config c = all_on();
        size_t len = vector71(f, 0);
        if (what == 0)
            c.way[FLUE_SW_LSO_V1] = c.way[FLUE_SW_LSO_V2_IPV4] = FLUE_WAY_OFF;
        else if (what == 1)
            c.max_offload_bytes = 2499;
        else if (what == 2)
            f[47] |= 0x20; /* URG (3.2.1, G5) */
        else
            c.way[FLUE_SW_LSO_ID_15BIT] = FLUE_WAY_ON; /* TO-183: 15 bits would collide */
        memcpy(before, f, len);
        CHECK_EQ(flue_vnet_to_packet(&c, &v, f, len, &p), FLUE_SOFT_SEGMENT);
        CHECK_EQ(p.lso, 0);
        CHECK_EQ(memcmp(before, f, len), 0);
    }
}

TEST(a_template_over_128_bytes_is_cut_in_software)
{
    static uint8_t f[FRAME_MAX];
    struct flue_config c = all_on();
    struct flue_tx_packet p = {0};
    /* IPv6 with 72 bytes of options: 14 + 40 + 72 + 20 = 146. */
    memset(f, 0, sizeof f);
    put16(f + 12, 0x86DD);
    f[14] = 0x60;
    put16(f + 18, 72 + 20 + 3000);
    f[20] = 0;
    f[54] = 6;
    f[55] = 8;
    f[126 + 12] = 0x50;
    struct flue_vnet v = {.flags = 1, .gso_type = 4, .hdr_len = 146, .gso_size = 1000, .csum_start = 126, .csum_offset = 16};
    CHECK_EQ(flue_vnet_to_packet(&c, &v, f, 146 + 3000, &p), FLUE_SOFT_SEGMENT);
    v.csum_start = 200;
    f[200 + 12] = 0xF0; /* 200 + 60: beyond what even software takes */
    struct flue_soft_gso gso;
    CHECK_EQ(flue_soft_begin(&v, f, 3146, &gso), FLUE_EARG);
}

/* TO-020, TO-022: plain TCP and UDP pass their sum through, for both IP versions. */
TEST(plain_checksums_are_passed_through)
{
    static uint8_t f[FRAME_MAX];
    struct flue_config c = all_on();
    struct flue_tx_packet p = {0};
    static const struct {
        bool ipv6;
        unsigned protocol;
        uint32_t csum;
    } rows[] = {{false, 6, 1u | 4u | 34u << 16}, {true, 6, 2u | 4u | 54u << 16}, {false, 17, 1u | 8u}, {true, 17, 2u | 8u}};
    for (unsigned i = 0; i < 4; i++) {
        size_t len = plain(f, rows[i].ipv6, rows[i].protocol, 100);
        struct flue_vnet v = {.flags = 1, .csum_start = rows[i].ipv6 ? 54 : 34, .csum_offset = rows[i].protocol == 6 ? 16 : 6};
        CHECK_EQ(flue_vnet_to_packet(&c, &v, f, len, &p), FLUE_SEND);
        CHECK_EQ(p.csum, rows[i].csum);
        CHECK(p.lso == 0 && !p.generic);
        v.flags = 0;
        CHECK_EQ(flue_vnet_to_packet(&c, &v, f, len, &p), FLUE_SEND);
        CHECK_EQ(p.csum, 0);
    }
}

/* Section 6.3: csum_start may be anywhere, as for the inner header of a tunnel. */
TEST(a_checksum_elsewhere_is_generic)
{
    static uint8_t f[FRAME_MAX];
    struct flue_config c = all_on();
    struct flue_tx_packet p = {0};
    size_t len = plain(f, false, 17, 200);
    struct flue_vnet v = {.flags = 1, .csum_start = 84, .csum_offset = 16};
    CHECK_EQ(flue_vnet_to_packet(&c, &v, f, len, &p), FLUE_SEND);
    CHECK(p.generic && p.csum == 0);
    CHECK_EQ(p.csum_start, 84);
    CHECK_EQ(p.csum_offset, 16);
    v.csum_offset = 64; /* beyond the field */
    CHECK_EQ(flue_vnet_to_packet(&c, &v, f, len, &p), FLUE_SOFT_CSUM);
    v.csum_offset = 16;
    v.csum_start = 85; /* odd */
    CHECK_EQ(flue_vnet_to_packet(&c, &v, f, len, &p), FLUE_SOFT_CSUM);
}

/* TO-028: a type that is off is never requested; the driver completes the sum itself. */
TEST(a_checksum_that_is_off_is_done_in_software)
{
    static uint8_t f[FRAME_MAX], full[FRAME_MAX];
    static const enum flue_switch sw[4] = {FLUE_SW_TCP4_CSUM, FLUE_SW_TCP6_CSUM, FLUE_SW_UDP4_CSUM, FLUE_SW_UDP6_CSUM};
    struct flue_tx_packet p = {0};
    for (unsigned i = 0; i < 4; i++) {
        bool ipv6 = i % 2, udp = i >= 2;
        struct flue_config c = all_on();
        c.way[sw[i]] = FLUE_WAY_RX;
        size_t len = plain(full, ipv6, udp ? 17 : 6, 101), l4 = ipv6 ? 54 : 34, field = l4 + (udp ? 6 : 16);
        memcpy(f, full, len);
        put16(f + field, flue_sum_pseudo(f + 14 + (ipv6 ? 8 : 12), ipv6 ? 32 : 8, udp ? 17 : 6, (uint32_t)(len - l4)));
        struct flue_vnet v = {.flags = 1, .csum_start = (uint16_t)l4, .csum_offset = udp ? 6 : 16};
        CHECK_EQ(flue_vnet_to_packet(&c, &v, f, len, &p), FLUE_SOFT_CSUM);
        CHECK_EQ(p.csum, 0);
        CHECK_EQ(flue_soft_csum(&v, f, len), FLUE_OK);
        CHECK_EQ(memcmp(f, full, len), 0);
    }
}

/* TO-023 in software: a UDP sum of 0 is sent as 0xFFFF, a TCP one as 0. */
TEST(a_software_udp_sum_is_never_zero)
{
    uint8_t f[42] = {0};
    struct flue_vnet udp = {.flags = 1, .csum_start = 34, .csum_offset = 6};
    put16(f + 34, 0xFFFF);
    CHECK_EQ(flue_soft_csum(&udp, f, sizeof f), FLUE_OK);
    CHECK_EQ(get16(f + 40), 0xFFFF);
    uint8_t g[54] = {0};
    struct flue_vnet tcp = {.flags = 1, .csum_start = 34, .csum_offset = 16};
    put16(g + 34, 0xFFFF);
    CHECK_EQ(flue_soft_csum(&tcp, g, sizeof g), FLUE_OK);
    CHECK_EQ(get16(g + 50), 0);
}

TEST(headers_that_contradict_the_frame_are_dropped)
{
    static uint8_t f[FRAME_MAX];
    struct flue_config c = all_on();
    struct flue_tx_packet p = {0};
    size_t len = vector71(f, 0);
    struct flue_vnet bad[] = {
        {.flags = 1, .csum_start = (uint16_t)len, .csum_offset = 16},
        {.flags = 1, .csum_start = 65535, .csum_offset = 65535},
        {.flags = 1, .csum_start = (uint16_t)(len - 4), .csum_offset = 3},
        {.flags = 0, .gso_type = 1, .gso_size = 1000, .csum_start = 34, .csum_offset = 16},
        {.flags = 1, .gso_type = 1, .gso_size = 0, .csum_start = 34, .csum_offset = 16},
        {.flags = 1, .gso_type = 1, .gso_size = 1000, .csum_start = 34, .csum_offset = 6},
        {.flags = 1, .gso_type = 4, .gso_size = 1000, .csum_start = 34, .csum_offset = 16},
        {.flags = 1, .gso_type = 1, .gso_size = 1000, .csum_start = 36, .csum_offset = 16},
        {.flags = 1, .gso_type = 1, .gso_size = 1000, .csum_start = (uint16_t)(len - 18), .csum_offset = 16},
        {.flags = 1, .gso_type = 5, .gso_size = 1000, .csum_start = 34, .csum_offset = 6},
        {.flags = 1, .gso_type = 0x21, .gso_size = 1000, .csum_start = 34, .csum_offset = 16},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EQ(flue_vnet_to_packet(&c, &bad[i], f, len, &p), FLUE_DROP);
    CHECK_EQ(flue_vnet_to_packet(&c, &(struct flue_vnet){0}, f, 13, &p), FLUE_DROP);
}

/* TO-047, TO-050, TO-054 to TO-059 in software: vector 7.1 with the 16-bit modulus. */
TEST(software_segments_are_those_of_vector_71)
{
    static uint8_t f[FRAME_MAX];
    static const struct {
        unsigned total, id, ip_sum, flags, tcp_sum;
        uint32_t seq;
    } rows[3] = {{1052, 0x7FFE, 0xCAA6, 0x90, 0xBEEE, 0xFFFFFC00},
                 {1052, 0x7FFF, 0xCAA5, 0x10, 0x9A65, 0xFFFFFFE8},
                 {552, 0x8000, 0xCC98, 0x19, 0x854F, 0x000003D0}};
    for (unsigned tags = 0; tags < 3; tags++) {
        size_t len = vector71(f, tags), l3 = 14 + 4u * tags;
        struct flue_vnet v = gso4(tags);
        struct flue_soft_gso gso;
        CHECK_EQ(flue_soft_begin(&v, f, len, &gso), FLUE_OK);
        CHECK_EQ(gso.segments, 3);
        for (unsigned i = 0; i < 3; i++) {
            uint8_t h[FLUE_SOFT_HDR_MAX];
            uint32_t at, bytes;
            flue_soft_segment(&gso, i, h, &at, &bytes);
            CHECK_EQ(at, l3 + 52 + 1000 * i);
            CHECK_EQ(bytes, i < 2 ? 1000 : 500);
            CHECK_EQ(get16(h + l3 + 2), rows[i].total);
            CHECK_EQ(get16(h + l3 + 4), rows[i].id);
            CHECK_EQ(get16(h + l3 + 10), rows[i].ip_sum);
            CHECK_EQ((uint32_t)get16(h + l3 + 24) << 16 | get16(h + l3 + 26), rows[i].seq);
            CHECK_EQ(h[l3 + 33], rows[i].flags);
            CHECK_EQ(get16(h + l3 + 36), rows[i].tcp_sum);
            CHECK_EQ(memcmp(h, f, l3 + 2), 0);
        }
    }
}

/* TO-051 in software. */
TEST(software_segments_of_ipv6_count_their_own_length)
{
    static uint8_t f[FRAME_MAX];
    size_t len = plain(f, true, 6, 2001);
    put16(f + 54 + 16, flue_sum_pseudo(f + 22, 32, 6, 2021));
    f[54 + 13] = 0x18;
    struct flue_vnet v = {.flags = 1, .gso_type = 4, .gso_size = 999, .csum_start = 54, .csum_offset = 16};
    struct flue_soft_gso gso;
    CHECK_EQ(flue_soft_begin(&v, f, len, &gso), FLUE_OK);
    CHECK_EQ(gso.segments, 3);
    for (unsigned i = 0; i < 3; i++) {
        static uint8_t segment[FRAME_MAX];
        uint32_t at, bytes;
        flue_soft_segment(&gso, i, segment, &at, &bytes);
        memcpy(segment + gso.payload, f + at, bytes);
        CHECK_EQ(get16(segment + 18), 20 + bytes);
        uint16_t sum = flue_sum_pseudo(segment + 22, 32, 6, 20 + bytes);
        CHECK_EQ(flue_sum_add(sum, flue_sum(segment + 54, 20 + bytes)), 0xFFFF);
        CHECK_EQ(segment[54 + 13], i == 2 ? 0x18 : 0x10);
    }
}

/* ---- adapter to kernel ------------------------------------------------------------------------------------------- */

/* TO-186: verified good becomes NEEDS_CSUM over the full pseudo-header sum. */
TEST(a_verified_frame_gets_the_pseudo_header_sum)
{
    static uint8_t f[FRAME_MAX], before[FRAME_MAX];
    for (unsigned i = 0; i < 8; i++) {
        bool ipv6 = i & 1, udp = i & 2, odd = i & 4;
        size_t len = plain(f, ipv6, udp ? 17 : 6, odd ? 333 : 334), l4 = ipv6 ? 54 : 34, field = l4 + (udp ? 6 : 16);
        memcpy(before, f, len);
        struct flue_rx_done done = {.len_bytes = (uint32_t)len,
                                    .l4_offset = (uint16_t)l4,
                                    .ipv6 = ipv6,
                                    .csum = udp ? FLUE_EVENT_RX_UDP_OK_MASK : FLUE_EVENT_RX_TCP_OK_MASK};
        struct flue_vnet v;
        CHECK(flue_vnet_from_rx(&done, f, &v));
        CHECK_EQ(v.flags, FLUE_VNET_NEEDS_CSUM);
        CHECK_EQ(v.gso_type, 0);
        CHECK_EQ(v.csum_start, l4);
        CHECK_EQ(v.csum_offset, udp ? 6 : 16);
        CHECK_EQ(get16(f + field),
                 flue_sum_pseudo(f + 14 + (ipv6 ? 8 : 12), ipv6 ? 32 : 8, udp ? 17 : 6, (uint32_t)(len - l4)));
        CHECK_EQ(flue_soft_csum(&v, f, len), FLUE_OK); /* completing it gives the frame back */
        CHECK_EQ(memcmp(f, before, len), 0);
    }
}

/* The pseudo-header counts the datagram, not Ethernet's padding behind it (TO-044). */
TEST(padding_is_not_part_of_the_length)
{
    uint8_t f[128];
    size_t len = plain(f, false, 17, 3);
    memset(f + len, 0xEE, 60 - len);
    struct flue_rx_done done = {.len_bytes = 60, .l4_offset = 34, .csum = FLUE_EVENT_RX_UDP_OK_MASK};
    struct flue_vnet v;
    CHECK(flue_vnet_from_rx(&done, f, &v));
    CHECK_EQ(get16(f + 40), flue_sum_pseudo(f + 26, 8, 17, 11));
}

/* TO-186: anything else goes up as it came under an all-zero header. */
TEST(unverified_and_bad_frames_stay_as_they_are)
{
    static uint8_t f[FRAME_MAX], before[FRAME_MAX];
    size_t len = plain(f, false, 6, 100);
    memcpy(before, f, len);
    struct flue_rx_done rows[] = {
        {.csum = 0},
        {.csum = FLUE_EVENT_RX_TCP_BAD_MASK | FLUE_EVENT_RX_IP_OK_MASK},
        {.csum = FLUE_EVENT_RX_IP_BAD_MASK},
        {.csum = FLUE_EVENT_RX_IP_OK_MASK},
        {.csum = FLUE_EVENT_RX_UDP_OK_MASK},                  /* says UDP, the frame is TCP */
        {.csum = FLUE_EVENT_RX_TCP_OK_MASK, .l4_offset = 38}, /* not where the header ends */
        {.csum = FLUE_EVENT_RX_TCP_OK_MASK, .l4_offset = 1000},
        {.csum = FLUE_EVENT_RX_TCP_OK_MASK, .len_bytes = 40}, /* too short for its IP length */
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct flue_vnet v, zero = {0};
        if (rows[i].l4_offset == 0)
            rows[i].l4_offset = 34;
        if (rows[i].len_bytes == 0)
            rows[i].len_bytes = (uint32_t)len;
        CHECK(!flue_vnet_from_rx(&rows[i], f, &v));
        CHECK_EQ(memcmp(&v, &zero, sizeof v), 0);
        CHECK_EQ(memcmp(f, before, len), 0);
    }
}

TEST(an_ipv6_frame_with_extension_headers_is_left_to_the_kernel)
{
    uint8_t f[256];
    size_t len = plain(f, true, 6, 60);
    f[20] = 0; /* hop-by-hop */
    struct flue_rx_done done = {.len_bytes = (uint32_t)len, .l4_offset = 62, .csum = FLUE_EVENT_RX_TCP_OK_MASK, .ipv6 = true};
    struct flue_vnet v;
    CHECK(!flue_vnet_from_rx(&done, f, &v));
}

TEST(a_lying_device_cannot_make_the_header_reach_outside_the_frame)
{
    static uint8_t f[FRAME_MAX];
    for (unsigned round = 0; round < 20000; round++) {
        size_t len = plain(f, check_random(2), check_random(2) ? 6 : 17, check_random(200));
        f[14 + check_random(24)] = (uint8_t)check_random(256);
        uint8_t copy[400];
        struct flue_rx_done done = {
            .len_bytes = 1 + check_random((uint32_t)len), .l4_offset = (uint16_t)check_random(1024), .csum = check_random(64)};
        struct flue_vnet v;
        memcpy(copy + sizeof copy - done.len_bytes, f, done.len_bytes); /* the sanitizer watches the end */
        if (flue_vnet_from_rx(&done, copy + sizeof copy - done.len_bytes, &v))
            CHECK(v.csum_start + v.csum_offset + 2u <= done.len_bytes);
    }
}

/* ---- offload mask ------------------------------------------------------------------------------------------------ */

/* TO-188: the mask of 6.5 for every combination of the switches it depends on. */
TEST(the_mask_follows_the_settings)
{
    static const enum flue_switch sums[4] = {FLUE_SW_TCP4_CSUM, FLUE_SW_UDP4_CSUM, FLUE_SW_TCP6_CSUM, FLUE_SW_UDP6_CSUM};
    for (unsigned n = 0; n < 128; n++) {
        struct flue_config c = all_on();
        for (unsigned i = 0; i < 4; i++)
            c.way[sums[i]] = n >> i & 1 ? FLUE_WAY_TX : FLUE_WAY_RX;
        c.way[FLUE_SW_LSO_V1] = n >> 4 & 1;
        c.way[FLUE_SW_LSO_V2_IPV4] = n >> 5 & 1;
        c.way[FLUE_SW_LSO_V2_IPV6] = n >> 6 & 1;
        unsigned expected = 0;
        if ((n & 15) == 15) {
            expected = 1;
            if (n >> 4 & 3)
                expected |= 2;
            if (n >> 6 & 1)
                expected |= 4;
            if (n >> 4)
                expected |= 8;
        }
        CHECK_EQ(flue_port_offload_of(&c), expected);
    }
}
