#include <string.h>

#include "bench.h"
#include "stream_test.h"

/* Queue one chunk: len bytes at lane off of an otherwise random word. */
static void send_chunk(int width, const uint8_t *data, unsigned off, unsigned len, unsigned skip, bool last, bool bad,
                       uint32_t user)
{
    uint8_t word[64];
    struct bench_bits bits = {0};

    bench_random_bytes(word, sizeof word);
    memcpy(word + off, data, len);
    bench_bits_set(&bits, 0, 8, off);
    bench_bits_set(&bits, 8, 8, len);
    bench_bits_set(&bits, 16, 8, skip);
    bench_bits_set(&bits, 24, 1, last);
    bench_bits_set(&bits, 25, 1, bad);
    bench_bits_set(&bits, 32, 32, user);
    bench_send(PACK + width, word, lanes(width), false, &bits);
}

/* Send a packet in chunks of random place and length; full chunks from lane 0 if dense. */
static void send_packet(int width, const struct bench_packet *packet, bool dense)
{
    unsigned b = lanes(width);
    for (size_t pos = 0; pos < packet->len;) {
        unsigned off = dense ? 0 : (unsigned)bench_random_in(0, b - 1);
        unsigned len = dense ? b : (unsigned)bench_random_in(1, b - off);
        if (len > packet->len - pos)
            len = (unsigned)(packet->len - pos);
        /* The skip is read with the first chunk only, bad with the last. */
        send_chunk(width, packet->data + pos, off, len, pos == 0 ? packet->skip : (unsigned)bench_random_in(0, b - 1),
                   pos + len == packet->len, pos + len == packet->len ? packet->bad : bench_chance(50), packet->user.w[0]);
        pos += len;
    }
}

static void pack_run(unsigned packets, size_t longest, bool skips, bool dense)
{
    for (int width = 0; width < WIDTHS; width++)
        for (unsigned i = 0; i < packets; i++) {
            struct bench_packet *packet = expect_packet(PACK + width, bench_random_in(1, longest));
            packet->bad = bench_chance(10);
            packet->skip = skips ? (unsigned)bench_random_in(0, lanes(width) - 1) : 0;
            packet->user.w[0] = (uint32_t)bench_random();
            send_packet(width, packet, dense);
        }
    bench_drain(4000000);
    for (int width = 0; width < WIDTHS; width++)
        check_expected(PACK + width);
}

/* Chunks of any place and length become a packet without holes: no byte lost, made or moved. */
TEST(pack_joins_chunks_of_any_place_and_length)
{
    bench_mode_random();
    pack_run(100, 700, false, false);
}

/* The same with nothing in the way, so that the flush of a packet meets the next packet's first chunks. */
TEST(pack_joins_chunks_back_to_back)
{
    pack_run(300, 200, false, false);
}

/* With a skip the first beat leaves that many low lanes empty. */
TEST(pack_leaves_skipped_lanes_empty)
{
    bench_mode_random();
    pack_run(100, 300, true, false);
}

/* Packets of one to a few bytes, one chunk each or a few. */
TEST(pack_takes_runts)
{
    bench_mode_random();
    pack_run(400, 9, true, false);
}

/* Full words from lane 0 pass at one beat a cycle, packets back to back. */
TEST(pack_moves_a_beat_a_cycle)
{
    for (int width = 0; width < WIDTHS; width++)
        for (int i = 0; i < 20; i++)
            send_packet(width, expect_packet(PACK + width, 1000), true);
    bench_drain(100000);
    for (int width = 0; width < WIDTHS; width++) {
        check_expected(PACK + width);
        check_full_rate("pack", width, bench_sink_stats(PACK + width));
    }
}

/* Packets that begin in the middle of a word (a header was cut off) also pass at a chunk a cycle. */
TEST(pack_shifts_at_a_chunk_a_cycle)
{
    for (int width = 0; width < WIDTHS; width++) {
        unsigned b = lanes(width);
        for (int i = 0; i < 20; i++) {
            struct bench_packet *packet = expect_packet(PACK + width, 8 * b - 3);
            send_chunk(width, packet->data, 3, b - 3, 0, false, false, 0);
            for (unsigned pos = b - 3; pos < packet->len; pos += b)
                send_chunk(width, packet->data + pos, 0, b, 0, pos + b == packet->len, false, 0);
        }
    }
    bench_drain(100000);
    for (int width = 0; width < WIDTHS; width++) {
        check_expected(PACK + width);
        check_full_rate("pack_shift", width, bench_source_stats(PACK + width));
    }
}
