#include "bench.h"
#include "tx_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTHS = 5, FRAME_MAX = 9018 };

/* ---- model: what is stored where, from the words of sections 3.1.2 and of csum_cmd_t ---- */

/* Folded sum of bytes begin to end - 1 as big-endian words that begin at `begin`. */
static unsigned sum_range(const uint8_t *data, size_t begin, size_t end, unsigned start)
{
    uint64_t sum = start;
    for (size_t i = begin; i < end; i++)
        sum += (uint64_t)data[i] << ((i - begin) % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (unsigned)sum;
}

static void put16(uint8_t *frame, size_t len, size_t at, unsigned value)
{
    if (at < len)
        frame[at] = (uint8_t)(value >> 8);
    if (at + 1 < len)
        frame[at + 1] = (uint8_t)value;
}

static void finish(const struct csum_cmd *cmd, const uint8_t *in, size_t len, bool fault, uint8_t *out)
{
    memcpy(out, in, len);
    if (cmd->ip_en) {
        uint8_t header[60];
        memcpy(header, in + cmd->ip_start, 4 * cmd->ip_ihl);
        header[10] = header[11] = 0;
        put16(out, len, cmd->ip_start + 10, ~sum_range(header, 0, 4 * cmd->ip_ihl, 0) & 0xFFFF);
    }
    if (cmd->l4_en) {
        size_t end = cmd->l4_end < len ? cmd->l4_end : len;
        unsigned sum = ~sum_range(in, cmd->l4_start, end, cmd->l4_seed) & 0xFFFF;
        if (cmd->l4_udp && sum == 0)
            sum = 0xFFFF;
        put16(out, len, cmd->l4_pos, sum ^ (fault ? 0x0100u : 0));
    }
}

/* ---- what must come ---- */

struct expected {
    uint8_t *data;
    size_t len;
    struct tx_tag tag;
};

static struct expected *expected[WIDTHS];
static size_t expected_count[WIDTHS];
static bool faulty;

static void begin(void)
{
    for (int id = 0; id < WIDTHS; id++) {
        for (size_t i = 0; i < expected_count[id]; i++)
            free(expected[id][i].data);
        expected_count[id] = 0;
    }
    faulty = false;
}

static void expect(int id, const uint8_t *data, size_t len, struct tx_tag tag)
{
    struct expected e = {.len = len, .tag = tag, .data = malloc(len)};
    expected[id] = realloc(expected[id], (expected_count[id] + 1) * sizeof e);
    CHECK(expected[id] && e.data);
    memcpy(e.data, data, len);
    expected[id][expected_count[id]++] = e;
}

static struct tx_tag random_tag(void)
{
    struct bench_bits bits;
    bench_random_bits(&bits, TX_TAG_BITS);
    struct tx_tag tag = tx_tag_get(&bits, 0);
    tag.empty = false;
    tag.status = TX_ST_OK;
    return tag;
}

static void send_tagged(int id, const uint8_t *data, size_t len, bool bad, struct csum_cmd cmd, struct tx_tag tag)
{
    uint8_t out[FRAME_MAX];
    struct bench_bits user = {0};
    tx_tag_put(&user, 0, &tag);
    csum_cmd_put(&user, TX_TAG_BITS, &cmd);
    bench_send(id, data, len, bad, &user);
    if (bad && !tag.eor)
        return;
    if (bad) {
        tag.empty = true;
        tag.status = tag.status == TX_ST_OK ? TX_ST_DMA_READ : tag.status;
    }
    if (!tag.empty)
        finish(&cmd, data, len, faulty, out);
    expect(id, tag.empty ? data : out, len, tag);
}

static void send(int id, const uint8_t *data, size_t len, struct csum_cmd cmd)
{
    send_tagged(id, data, len, false, cmd, random_tag());
}

static void check_all(uint64_t limit)
{
    bench_drain(limit);
    for (int id = 0; id < WIDTHS; id++) {
        for (size_t i = 0; i < expected_count[id]; i++) {
            const struct expected *want = &expected[id][i];
            struct bench_packet got;
            struct bench_bits tag = {0};
            if (!bench_take(id, &got))
                bench_fail(__FILE__, __LINE__, "sink %d: %zu packets expected, %zu came", id, expected_count[id], i);
            tx_tag_put(&tag, 0, &want->tag);
            CHECK(bench_bits_equal(&tag, &got.user));
            CHECK(!got.bad);
            if (want->tag.empty)
                CHECK(got.len <= (size_t)4 << id); /* one beat */
            else
                CHECK_BYTES(want->data, want->len, got.data, got.len);
        }
        CHECK_EQ(0, bench_arrived(id));
    }
    begin();
}

/* ---- frames ---- */

static uint8_t frame[FRAME_MAX];

/* IPv4 or IPv6 with TCP or UDP behind `tags` VLAN tags; everything but lengths of headers is random. */
struct shape {
    unsigned tags, ip_extra, padding;
    bool v6, udp;
    size_t payload;
};

static size_t make_frame(struct shape shape, struct csum_cmd *cmd)
{
    unsigned l3 = 14 + 4 * shape.tags, l4 = l3 + (shape.v6 ? 40 : 20) + shape.ip_extra;
    size_t end = l4 + (shape.udp ? 8u : 20u) + shape.payload;
    bench_random_bytes(frame, end + shape.padding);
    *cmd = (struct csum_cmd){.ip_en = !shape.v6,
                             .ip_start = l3,
                             .ip_ihl = shape.v6 ? 0 : (l4 - l3) / 4,
                             .l4_en = true,
                             .l4_start = l4,
                             .l4_pos = l4 + (shape.udp ? 6 : 16),
                             .l4_end = (unsigned)end,
                             .l4_udp = shape.udp};
    return end + shape.padding;
}

/* ---- tests ---- */

/* TO-019, TO-026, TO-029: IHL 5 to 15, behind 0 to 2 tags, any value in the field; without and with an L4 sum. */
TEST(ipv4_header_sums_are_right_for_every_length)
{
    begin();
    for (int id = 0; id < WIDTHS; id++)
        for (unsigned words = 5; words <= 15; words++)
            for (unsigned tags = 0; tags <= 2; tags++)
                for (unsigned l4 = 0; l4 < 2; l4++) {
                    struct csum_cmd cmd;
                    size_t len = make_frame((struct shape){.tags = tags, .ip_extra = 4 * (words - 5), .payload = 30}, &cmd);
                    cmd.l4_en = l4;
                    send(id, frame, len, cmd);
                    memset(frame + cmd.ip_start + 10, 0xFF, 2);
                    send(id, frame, len, cmd);
                    memset(frame + cmd.ip_start, 0, 4 * words);
                    send(id, frame, len, cmd);
                    memset(frame + cmd.ip_start, 0xFF, 4 * words);
                    send(id, frame, len, cmd);
                }
    check_all(100000);
}

/* TO-020, TO-021, TO-022, TO-026: TCP and UDP over both IPs, every payload length up to 130 and the largest. */
TEST(l4_sums_are_right_for_every_length)
{
    begin();
    for (int id = 0; id < WIDTHS; id++)
        for (unsigned kind = 0; kind < 4; kind++)
            for (size_t payload = 0; payload <= 131; payload++) {
                struct csum_cmd cmd;
                struct shape shape = {.v6 = kind & 1, .udp = kind & 2, .tags = (unsigned)bench_random_in(0, 2)};
                shape.ip_extra = shape.v6 ? 8 * (unsigned)bench_random_in(0, 16) : 4 * (unsigned)bench_random_in(0, 10);
                shape.payload = payload == 131 ? FRAME_MAX - 22 - 40 - 128 - 20 : payload;
                size_t len = make_frame(shape, &cmd);
                cmd.ip_en = cmd.ip_en && bench_chance(50);
                send(id, frame, len, cmd);
            }
    check_all(400000);
}

/* TO-023: a sum that computes to 0 is 0xFFFF for UDP and 0 for TCP. */
TEST(a_sum_of_zero_is_all_ones_for_udp_only)
{
    begin();
    for (int id = 0; id < WIDTHS; id++)
        for (unsigned udp = 0; udp < 2; udp++)
            for (int round = 0; round < 20; round++) {
                struct csum_cmd cmd;
                uint8_t out[FRAME_MAX];
                size_t len = make_frame((struct shape){.payload = bench_random_in(2, 100)}, &cmd);
                cmd.l4_udp = false;
                memset(frame + cmd.l4_start + 4, 0, 2);
                finish(&cmd, frame, len, false, out); /* the missing part is the sum itself */
                memcpy(frame + cmd.l4_start + 4, out + cmd.l4_pos, 2);
                cmd.l4_udp = udp;
                finish(&cmd, frame, len, false, out);
                CHECK_EQ(udp ? 0xFF : 0, out[cmd.l4_pos]);
                CHECK_EQ(udp ? 0xFF : 0, out[cmd.l4_pos + 1]);
                send(id, frame, len, cmd);
            }
    check_all(100000);
}

/* TO-024: bytes behind the IP datagram do not count; an end beyond the frame is its end. */
TEST(padding_is_not_summed)
{
    begin();
    for (int id = 0; id < WIDTHS; id++)
        for (unsigned padding = 0; padding <= 80; padding++) {
            struct csum_cmd cmd;
            size_t len =
                make_frame((struct shape){.udp = padding & 1, .payload = bench_random_in(0, 40), .padding = padding}, &cmd);
            send(id, frame, len, cmd);
            cmd.l4_end = (unsigned)(len + bench_random_in(0, 70000));
            send(id, frame, len, cmd);
            cmd.l4_end = 0x1FFFF;
            send(id, frame, len, cmd);
        }
    check_all(100000);
}

/* TO-025: every even TCP offset of 10 bits. */
TEST(every_tcp_offset_is_honoured)
{
    begin();
    for (int id = 0; id < WIDTHS; id++)
        for (unsigned offset = 34; offset < 1024; offset += 2) {
            size_t len = offset + 20 + bench_random_in(0, 9);
            struct csum_cmd cmd = {.l4_en = true, .l4_start = offset, .l4_pos = offset + 16, .l4_end = (unsigned)len};
            bench_random_bytes(frame, len);
            send(id, frame, len, cmd);
        }
    check_all(1000000);
}

/* TO-018: without a request a frame leaves as it came. */
TEST(without_request_nothing_changes)
{
    begin();
    for (int id = 0; id < WIDTHS; id++)
        for (size_t len = 1; len <= 200; len++) {
            struct bench_bits bits;
            bench_random_bits(&bits, CSUM_CMD_BITS);
            struct csum_cmd cmd = csum_cmd_get(&bits, 0);
            cmd.ip_en = cmd.l4_en = false;
            bench_random_bytes(frame, len);
            send(id, frame, len, cmd);
        }
    check_all(100000);
}

static void random_frame(int id)
{
    struct csum_cmd cmd = {0};
    struct tx_tag tag = random_tag();
    size_t len = bench_chance(10) ? bench_random_in(60, FRAME_MAX) : bench_random_in(60, 300);

    bench_random_bytes(frame, len);
    cmd.ip_en = bench_chance(50);
    cmd.ip_ihl = (unsigned)bench_random_in(5, 11);
    cmd.ip_start = (unsigned)bench_random_in(0, 7) * 2;
    cmd.l4_en = bench_chance(80);
    cmd.l4_start = (unsigned)bench_random_in(0, len / 2 - 1) * 2;
    do
        cmd.l4_pos = (unsigned)bench_random_in(0, len / 2 - 1) * 2;
    while (cmd.ip_en && cmd.l4_pos < cmd.ip_start + 20 && cmd.ip_start < cmd.l4_pos + 2); /* not inside the IPv4 header */
    cmd.l4_end = bench_chance(50) ? 0x1FFFF : (unsigned)bench_random_in(cmd.l4_start, len);
    cmd.l4_seed = cmd.l4_start ? (unsigned)bench_random_in(0, 0xFFFF) : 0;
    cmd.l4_udp = bench_chance(50);
    if (bench_chance(10)) {
        len = bench_random_in(1, (uint64_t)4 << id);
        tag.empty = true;
        tag.status = (unsigned)bench_random_in(0, 16);
        send_tagged(id, frame, len, false, cmd, tag);
    } else {
        send_tagged(id, frame, len, bench_chance(15), cmd, tag);
    }
}

/* Any even start and position, seeds, bad frames, empty tags, with idle and back-pressure and a full store. */
TEST(mixed_frames_leave_in_order)
{
    for (int round = 0; round < 6; round++) {
        begin();
        if (round)
            bench_mode_random();
        for (int id = 0; id < WIDTHS; id++)
            for (int i = 0; i < 200; i++)
                random_frame(id);
        check_all(4000000);
    }
}

/* A bad frame vanishes; with eor its tag stays, and keeps a status that it has. */
TEST(a_bad_frame_leaves_at_most_its_tag)
{
    begin();
    for (int id = 0; id < WIDTHS; id++)
        for (unsigned k = 0; k < 40; k++) {
            struct tx_tag tag = random_tag();
            tag.eor = k & 1;
            tag.status = k & 2 ? 8 : TX_ST_OK;
            bench_random_bytes(frame, 200);
            send_tagged(id, frame, 1 + 5 * k, k % 5 != 0, (struct csum_cmd){0}, tag);
        }
    check_all(100000);
}

/* The demonstration's fault: one bit of every L4 checksum, and no other. */
TEST(the_checksum_fault_flips_one_bit)
{
    begin();
    faulty = true;
    bench_set(0, 0, 1, 1);
    bench_run(4);
    for (int id = 0; id < WIDTHS; id++)
        for (unsigned i = 0; i < 20; i++) {
            struct csum_cmd cmd;
            size_t len = make_frame((struct shape){.v6 = i & 1, .payload = 100}, &cmd);
            cmd.l4_en = i % 3 != 0;
            send(id, frame, len, cmd);
        }
    check_all(100000);
}

/* Rate: frames of 60 bytes back to back with both sums, a beat a cycle on both sides. */
TEST(small_frames_pass_at_full_rate)
{
    begin();
    for (int id = 0; id < WIDTHS; id++)
        for (int i = 0; i < 200; i++) {
            struct csum_cmd cmd;
            size_t len = make_frame((struct shape){.payload = 10}, &cmd);
            send(id, frame, len - 4, cmd); /* 60 bytes: the end is beyond the frame */
        }
    check_all(100000);
    for (int g = 0; g < WIDTHS; g++) {
        char name[40];
        double in = bench_beats_per_cycle(bench_source_stats(g)), out = bench_beats_per_cycle(bench_sink_stats(g));
        (void)snprintf(name, sizeof name, "beats_per_cycle/csum_insert/%d", 32 << g);
        bench_report(name, out, "beats/cycle", "60-byte frames, IPv4 and TCP sums");
        CHECK(in == 1.0);
        CHECK(out == 1.0);
    }
}
