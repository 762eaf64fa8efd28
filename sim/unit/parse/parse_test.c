/*
 * The parser against the plain C model, at every data width at once.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "hdr_bits.h"
#include "bench.h"

enum { WIDTHS = 5, STALLED = 0 };

/* Frames sent and not yet compared, in order. */
static struct frame {
    uint8_t *data;
    size_t len;
    bool bad;
} * sent;
static size_t sent_count;

static uint64_t frame_state; /* of the generator */

/* Forget what was sent; a new generator state. */
static void begin(void)
{
    frame_state = bench_random();
    for (size_t i = 0; i < sent_count; i++)
        free(sent[i].data);
    free(sent);
    sent = NULL;
    sent_count = 0;
}

static void send(const uint8_t *data, size_t len, bool bad)
{
    sent = realloc(sent, (sent_count + 1) * sizeof *sent);
    struct frame *f = &sent[sent_count++];
    *f = (struct frame){.data = malloc(len), .len = len, .bad = bad};
    memcpy(f->data, data, len);
    for (int w = 0; w < WIDTHS; w++)
        bench_send(w, data, len, bad, NULL);
}

struct compare {
    const struct bench_bits *got;
    unsigned lsb;
    size_t frame;
    int width;
};

static void compare_field(void *context, unsigned width, const char *name, uint64_t expected)
{
    struct compare *c = context;
    uint64_t got = bench_bits_get(c->got, c->lsb, width);

    c->lsb += width;
    if (got != expected) {
        const struct frame *f = &sent[c->frame];
        printf("  frame %zu, %zu bytes:", c->frame, f->len);
        for (size_t i = 0; i < f->len && i < 96; i++)
            printf("%s%02x", i % 16 == 0 ? "\n    " : " ", f->data[i]);
        printf("\n");
        bench_fail(__FILE__, __LINE__, "W=%d frame %zu: %s expected 0x%llx, actual 0x%llx", 32 << c->width, c->frame, name,
                   (unsigned long long)expected, (unsigned long long)got);
    }
}

/* Everything sent came out of every width, unchanged, with the model's record. */
static void expect_all(void)
{
    bench_drain(4000000);
    for (int w = 0; w < WIDTHS; w++) {
        CHECK_EQ(sent_count, bench_arrived(w));
        for (size_t i = 0; i < sent_count; i++) {
            struct bench_packet got;
            struct flue_pkt_hdr hdr;
            CHECK(bench_take(w, &got));
            CHECK_BYTES(sent[i].data, sent[i].len, got.data, got.len);
            CHECK_EQ(sent[i].bad, got.bad);
            flue_pkt_parse(sent[i].data, sent[i].len, &hdr);
            struct compare c = {.got = &got.user, .frame = i, .width = w};
            flue_hdr_each_field(&hdr, &c, compare_field);
        }
    }
    begin();
}

static void send_random(size_t payload_max, unsigned damage_percent)
{
    static uint8_t buffer[FLUE_FRAMES_MAX];
    struct flue_frames_shape shape = flue_frames_shape(&frame_state, payload_max);
    size_t len = flue_frames_build(&frame_state, &shape, buffer);

    while (bench_chance(damage_percent))
        len = flue_frames_damage(&frame_state, buffer, len);
    send(buffer, len, bench_chance(10));
}

/* The record of every protocol stack is the model's; frames pass unchanged, `bad` too. */
TEST(every_protocol_stack_is_read)
{
    begin();
    bench_mode_random();
    for (int i = 0; i < 1500; i++)
        send_random(200, 0);
    expect_all();
}

/* TO-043: damaged and cut frames give flags and never hang. */
TEST(damaged_frames_give_flags)
{
    begin();
    for (int round = 0; round < 4; round++) {
        bench_mode_random();
        for (int i = 0; i < 1500; i++)
            send_random(100, 70);
        expect_all();
    }
}

/* TO-043: one frame of each stack, cut at every length from 1 byte. */
TEST(a_frame_may_end_anywhere)
{
    static uint8_t buffer[FLUE_FRAMES_MAX];

    begin();
    for (int ip = 4; ip <= 6; ip += 2) {
        for (int l4 = FLUE_FRAMES_TCP; l4 <= FLUE_FRAMES_ICMP; l4++) {
            struct flue_frames_shape shape = {.tags = (int)bench_random_in(0, 2),
                                              .ip = ip,
                                              .l4 = (enum flue_frames_l4)l4,
                                              .ip_option_words = 2,
                                              .ext_headers = 2,
                                              .tcp_option_words = 3,
                                              .payload = 9};
            size_t len = flue_frames_build(&frame_state, &shape, buffer);
            for (size_t cut = 1; cut <= len; cut++)
                send(buffer, cut, false);
        }
    }
    bench_mode_random();
    expect_all();
}

/* TO-021: extension headers up to 128 bytes are walked; beyond that the frame is flagged. */
TEST(extension_headers_are_walked_to_their_limit)
{
    static uint8_t buffer[FLUE_FRAMES_MAX];
    struct flue_pkt_hdr hdr;

    begin();
    for (int bytes = 8; bytes <= 144; bytes += 8) {
        struct flue_frames_shape shape = {
            .tags = 2, .ip = 6, .l4 = FLUE_FRAMES_TCP, .ext_bytes = bytes, .tcp_option_words = 10, .payload = 30};
        size_t len = flue_frames_build(&frame_state, &shape, buffer);
        flue_pkt_parse(buffer, len, &hdr);
        CHECK_EQ(bytes <= 128, hdr.is_tcp);
        CHECK_EQ(bytes > 128, hdr.bad_hdr);
        send(buffer, len, false);
    }
    expect_all();
}

/* Option and extension lengths of 0 and of the largest value end the walk. */
TEST(length_fields_of_zero_and_all_ones_end)
{
    static uint8_t buffer[FLUE_FRAMES_MAX];

    begin();
    for (int i = 0; i < 400; i++) {
        struct flue_frames_shape shape = {.ip = 6, .l4 = FLUE_FRAMES_TCP, .ext_headers = 3, .payload = 200};
        if (i % 2)
            shape = (struct flue_frames_shape){.ip = 4, .l4 = FLUE_FRAMES_UDP, .ip_option_words = 4, .payload = 20};
        size_t len = flue_frames_build(&frame_state, &shape, buffer);
        size_t at = 14 + bench_random_in(0, 80);
        if (at < len)
            buffer[at] = bench_chance(50) ? 0x00 : 0xFF;
        send(buffer, len, false);
    }
    expect_all();
}

/* One beat a cycle at every width, minimum-size frames and short ones back to back, and the input never waits. */
TEST(one_beat_a_cycle)
{
    static uint8_t buffer[FLUE_FRAMES_MAX];

    begin();
    for (int i = 0; i < 400; i++) {
        struct flue_frames_shape shape = flue_frames_shape(&frame_state, 300);
        size_t len = flue_frames_build(&frame_state, &shape, buffer);
        while (len < 60)
            buffer[len++] = 0;
        send(buffer, i % 3 == 0 ? len : 60 + bench_random_in(0, 4), false);
    }
    bench_drain(100000);
    for (int w = 0; w < WIDTHS; w++) {
        char name[64];
        double rate = bench_beats_per_cycle(bench_source_stats(w));
        snprintf(name, sizeof name, "beats_per_cycle/parse/%d", 32 << w);
        bench_report(name, rate, "beats/cycle", "frames of 60 to 380 bytes back to back");
        CHECK_EQ(0, bench_count(w, STALLED));
        CHECK(rate == 1.0);
    }
    expect_all();
}

/* The fuzzer's corpus, through the RTL. */
TEST(corpus_of_the_fuzzer)
{
    char folder[400];
    static uint8_t buffer[FLUE_FRAMES_MAX];
    char path[800];
    unsigned files = 0;

    begin();
    snprintf(folder, sizeof folder, "%.*s../../fuzz/corpus/parse", (int)(strlen(__FILE__) - strlen("parse_test.c")), __FILE__);
    DIR *dir = opendir(folder);
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(path, "rb");
        CHECK(file != NULL);
        size_t len = fread(buffer, 1, sizeof buffer, file);
        fclose(file);
        if (len > 0) {
            send(buffer, len, false);
            files++;
        }
    }
    closedir(dir);
    CHECK(files >= 40);
    bench_mode_random();
    expect_all();
}
