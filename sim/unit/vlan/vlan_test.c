#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { WIDTHS = 5, INSERT = 0, REMOVE = 8, BOTH = 16, MOST = 512, LONGEST = 1600 };

/* Fields of tx_tag_t and rx_meta_t (rtl/flue_pkg.sv), least significant bit first. */
enum { TAG_TCI = 0, TAG_VLAN = 16, TAG_EMPTY = 57, TAG_BITS = 59 };
enum { META_TCI = 11, META_VLAN = 27, META_BITS = 51 };

static struct bench_packet expected[BENCH_IDS][MOST];
static uint8_t bytes[BENCH_IDS][MOST][LONGEST + 4];
static size_t expected_count[BENCH_IDS];

static unsigned lanes(int width)
{
    return 4u << width;
}

static void begin(void)
{
    memset(expected_count, 0, sizeof expected_count);
}

/* The model: what tag insertion makes of a frame; returns the length. */
static size_t insert_tag(uint8_t *out, const uint8_t *in, size_t len, bool vlan, uint16_t tci)
{
    if (!vlan || len < 12) {
        memcpy(out, in, len);
        return len;
    }
    memcpy(out, in, 12);
    out[12] = 0x81;
    out[13] = 0x00;
    out[14] = (uint8_t)(tci >> 8);
    out[15] = (uint8_t)tci;
    memcpy(out + 16, in + 12, len - 12);
    return len + 4;
}

/* The model: what tag removal leaves of a frame of at least 13 bytes; returns the length. */
static size_t remove_tag(uint8_t *out, const uint8_t *in, size_t len, bool vlan)
{
    if (!vlan) {
        memcpy(out, in, len);
        return len;
    }
    memcpy(out, in, 12);
    if (len <= 16)
        return 12;
    memcpy(out + 12, in + 16, len - 16);
    return len - 4;
}

static struct bench_packet *next_expected(int id)
{
    CHECK(expected_count[id] < MOST);
    struct bench_packet *packet = &expected[id][expected_count[id]];
    *packet = (struct bench_packet){.data = bytes[id][expected_count[id]]};
    expected_count[id]++;
    return packet;
}

static void insert_frame(int width, size_t len, bool vlan, bool empty, uint16_t tci, bool bad)
{
    uint8_t frame[LONGEST];
    struct bench_packet *want = next_expected(INSERT + width);
    struct bench_bits tag;

    bench_random_bytes(frame, len);
    bench_random_bits(&tag, TAG_BITS);
    bench_bits_set(&tag, TAG_TCI, 16, tci);
    bench_bits_set(&tag, TAG_VLAN, 1, vlan);
    bench_bits_set(&tag, TAG_EMPTY, 1, empty);
    bench_send(INSERT + width, frame, len, bad, &tag);
    want->len = insert_tag((uint8_t *)(uintptr_t)want->data, frame, len, vlan && !empty, tci);
    want->user = tag;
    want->bad = bad;
}

static void remove_frame(int width, size_t len, bool vlan, bool bad)
{
    uint8_t frame[LONGEST];
    struct bench_packet *want = next_expected(REMOVE + width);
    struct bench_bits meta;

    bench_random_bytes(frame, len);
    bench_random_bits(&meta, META_BITS);
    bench_bits_set(&meta, META_VLAN, 1, vlan);
    bench_send(REMOVE + width, frame, len, bad, &meta);
    want->len = remove_tag((uint8_t *)(uintptr_t)want->data, frame, len, vlan);
    want->user = meta;
    want->bad = bad;
}

static void check_all(int module)
{
    for (int width = 0; width < WIDTHS; width++) {
        int id = module + width;
        CHECK_EQ(expected_count[id], bench_arrived(id));
        for (size_t i = 0; i < expected_count[id]; i++) {
            struct bench_packet got;
            CHECK(bench_take(id, &got));
            CHECK_BYTES(expected[id][i].data, expected[id][i].len, got.data, got.len);
            CHECK_EQ(expected[id][i].bad, got.bad);
            CHECK(bench_bits_equal(&expected[id][i].user, &got.user));
        }
    }
}

static void check_rate(const char *name, int width, struct bench_stats stats)
{
    char line[64];
    snprintf(line, sizeof line, "beats_per_cycle/%s/%u", name, 8 * lanes(width));
    bench_report(line, bench_beats_per_cycle(stats), "beats/cycle", "no idle, no back-pressure");
    CHECK_EQ(stats.beats, stats.last_cycle - stats.first_cycle + 1);
}

/* TO-064, TO-016: the out-of-band tag stands after byte 11 as 0x8100 and the TCI, high byte first. */
TEST(insert_puts_the_tag_after_the_addresses)
{
    static const uint8_t frame[64] = {0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45};
    static const uint8_t tagged[68] = {0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x81, 0x00, 0x6A, 0xBC, 0x08, 0x00, 0x45};
    struct bench_bits tag = {0};

    bench_bits_set(&tag, TAG_VLAN, 1, 1);
    bench_bits_set(&tag, TAG_TCI, 16, 0x6ABC);
    for (int width = 0; width < WIDTHS; width++)
        bench_send(INSERT + width, frame, sizeof frame, false, &tag);
    bench_drain(10000);
    for (int width = 0; width < WIDTHS; width++) {
        struct bench_packet got;
        CHECK(bench_take(INSERT + width, &got));
        CHECK_BYTES(tagged, sizeof tagged, got.data, got.len);
        CHECK_EQ(0, bench_arrived(INSERT + width));
    }
}

/* TO-064: frames of every length around the tag and the word sizes, with, without and with an empty tag. */
TEST(insert_changes_nothing_else)
{
    begin();
    bench_mode_random();
    for (int width = 0; width < WIDTHS; width++) {
        for (size_t len = 1; len <= 140; len++)
            insert_frame(width, len, true, false, (uint16_t)bench_random(), bench_chance(10));
        for (int i = 0; i < 300; i++)
            insert_frame(width, bench_random_in(1, bench_chance(30) ? 30 : LONGEST), bench_chance(60), bench_chance(10),
                         (uint16_t)bench_random(), bench_chance(10));
    }
    bench_drain(1000000);
    check_all(INSERT);
}

/* The same frames without idle or back-pressure. */
TEST(insert_takes_frames_back_to_back)
{
    begin();
    for (int width = 0; width < WIDTHS; width++)
        for (int i = 0; i < 400; i++)
            insert_frame(width, bench_random_in(1, 150), bench_chance(60), bench_chance(10), (uint16_t)bench_random(),
                         bench_chance(10));
    bench_drain(1000000);
    check_all(INSERT);
}

/* A beat in every cycle, tagged or not, also where the tag makes the frame a beat longer. */
TEST(insert_moves_a_beat_a_cycle)
{
    begin();
    for (int width = 0; width < WIDTHS; width++)
        for (int i = 0; i < 20; i++)
            insert_frame(width, 24 * lanes(width) - (i % 2 ? 0 : 5), i % 3 != 0, false, 1, false);
    bench_drain(100000);
    check_all(INSERT);
    for (int width = 0; width < WIDTHS; width++)
        check_rate("vlan_insert", width, bench_sink_stats(INSERT + width));
}

/* TO-155: a frame marked for it loses its bytes 12 to 15, any other passes; the meta data is not touched. */
TEST(strip_removes_the_tag_and_nothing_else)
{
    begin();
    bench_mode_random();
    for (int width = 0; width < WIDTHS; width++) {
        for (size_t len = 13; len <= 150; len++)
            remove_frame(width, len, true, bench_chance(10));
        for (int i = 0; i < 300; i++) {
            bool vlan = bench_chance(60);
            remove_frame(width, bench_random_in(vlan ? 13 : 1, bench_chance(30) ? 40 : LONGEST), vlan, bench_chance(10));
        }
    }
    bench_drain(1000000);
    check_all(REMOVE);
}

TEST(strip_takes_frames_back_to_back)
{
    begin();
    for (int width = 0; width < WIDTHS; width++)
        for (int i = 0; i < 400; i++) {
            bool vlan = bench_chance(60);
            remove_frame(width, bench_random_in(vlan ? 13 : 1, 150), vlan, bench_chance(10));
        }
    bench_drain(1000000);
    check_all(REMOVE);
}

/* The receive path is never stalled: a beat is taken in every cycle. */
TEST(strip_takes_a_beat_a_cycle)
{
    begin();
    for (int width = 0; width < WIDTHS; width++)
        for (int i = 0; i < 20; i++)
            remove_frame(width, 24 * lanes(width) - (i % 2 ? 0 : 1), i % 3 != 0, false);
    bench_drain(100000);
    check_all(REMOVE);
    for (int width = 0; width < WIDTHS; width++)
        check_rate("vlan_strip", width, bench_source_stats(REMOVE + width));
}

/* TO-016: for every bit of the TCI and every length from 12 bytes on, removal gives back what insertion was given. */
TEST(strip_undoes_insert)
{
    begin();
    bench_mode_random();
    for (int width = 0; width < WIDTHS; width++)
        for (size_t len = 12; len <= 180; len++) {
            uint8_t frame[LONGEST];
            uint16_t tci = (uint16_t)(1u << len % 16);
            struct bench_packet *want = next_expected(BOTH + width);
            struct bench_bits tag = {0};

            bench_random_bytes(frame, len);
            bench_bits_set(&tag, TAG_TCI, 16, tci);
            bench_bits_set(&tag, TAG_VLAN, 1, 1);
            bench_send(BOTH + width, frame, len, false, &tag);
            memcpy((uint8_t *)(uintptr_t)want->data, frame, len);
            want->len = len;
            bench_bits_set(&want->user, 0, 17, UINT64_C(1) << 16 | tci);
        }
    bench_drain(1000000);
    check_all(BOTH);
}
