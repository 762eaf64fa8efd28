/*
 * Writes the seed corpus of the parser: parse_corpus sim/fuzz/corpus/parse.
 * Build: cc -Isim/model sim/fuzz/parse_corpus.c sim/model/frames.c sim/model/packet.c -o parse_corpus
 * One small frame of each protocol stack, and damaged ones; the same files each time.
 */
#include <stdio.h>

#include "frames.h"

static int save(const char *folder, const char *name, const uint8_t *data, size_t len)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        return 1;
    }
    int bad = fwrite(data, 1, len, file) != len;
    return fclose(file) != 0 || bad;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        struct flue_frames_shape shape;
    } stacks[] = {
        {"arp", {.payload = 28}},
        {"tags3", {.tags = 3, .ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 4}},
        {"ip4_tcp", {.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 6}},
        {"ip4_tcp_empty_padded", {.ip = 4, .l4 = FLUE_FRAMES_TCP, .padding = 6}},
        {"ip4_tcp_options", {.ip = 4, .l4 = FLUE_FRAMES_TCP, .tcp_option_words = 3, .payload = 5}},
        {"ip4_tcp_all_options", {.ip = 4, .l4 = FLUE_FRAMES_TCP, .ip_option_words = 10, .tcp_option_words = 10, .payload = 1}},
        {"ip4_udp", {.ip = 4, .l4 = FLUE_FRAMES_UDP, .payload = 7}},
        {"ip4_udp_no_csum", {.ip = 4, .l4 = FLUE_FRAMES_UDP, .udp_no_csum = true, .payload = 8}},
        {"ip4_udp_options", {.ip = 4, .l4 = FLUE_FRAMES_UDP, .ip_option_words = 1, .payload = 9}},
        {"ip4_udp_empty", {.ip = 4, .l4 = FLUE_FRAMES_UDP, .padding = 18}},
        {"ip4_icmp", {.ip = 4, .l4 = FLUE_FRAMES_ICMP, .payload = 12}},
        {"ip4_fragment_tcp", {.ip = 4, .l4 = FLUE_FRAMES_TCP, .fragment = true, .payload = 12}},
        {"ip4_fragment_udp", {.ip = 4, .l4 = FLUE_FRAMES_UDP, .fragment = true, .payload = 12}},
        {"ip4_tag_tcp", {.tags = 1, .ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 3}},
        {"ip4_tags_udp", {.tags = 2, .ip = 4, .l4 = FLUE_FRAMES_UDP, .payload = 3}},
        {"ip6_tcp", {.ip = 6, .l4 = FLUE_FRAMES_TCP, .payload = 6}},
        {"ip6_tcp_options", {.ip = 6, .l4 = FLUE_FRAMES_TCP, .tcp_option_words = 4, .payload = 5}},
        {"ip6_udp", {.ip = 6, .l4 = FLUE_FRAMES_UDP, .payload = 7}},
        {"ip6_udp_no_csum", {.ip = 6, .l4 = FLUE_FRAMES_UDP, .udp_no_csum = true, .payload = 4}},
        {"ip6_icmp", {.ip = 6, .l4 = FLUE_FRAMES_ICMP, .payload = 16}},
        {"ip6_ext8_tcp", {.ip = 6, .l4 = FLUE_FRAMES_TCP, .ext_bytes = 8, .payload = 2}},
        {"ip6_ext128_tcp", {.ip = 6, .l4 = FLUE_FRAMES_TCP, .ext_bytes = 128, .payload = 2}},
        {"ip6_ext136_tcp", {.ip = 6, .l4 = FLUE_FRAMES_TCP, .ext_bytes = 136, .payload = 2}},
        {"ip6_chain1_udp", {.ip = 6, .l4 = FLUE_FRAMES_UDP, .ext_headers = 1, .payload = 2}},
        {"ip6_chain2_tcp", {.ip = 6, .l4 = FLUE_FRAMES_TCP, .ext_headers = 2, .payload = 2}},
        {"ip6_chain4_udp", {.ip = 6, .l4 = FLUE_FRAMES_UDP, .ext_headers = 4, .payload = 2}},
        {"ip6_routing_tcp", {.ip = 6, .l4 = FLUE_FRAMES_TCP, .routing = true, .payload = 11}},
        {"ip6_fragment_tcp", {.ip = 6, .l4 = FLUE_FRAMES_TCP, .fragment = true, .payload = 11}},
        {"ip6_chain_fragment_udp", {.ip = 6, .l4 = FLUE_FRAMES_UDP, .ext_headers = 1, .fragment = true, .payload = 11}},
        {"ip6_tags_chain_tcp", {.tags = 2, .ip = 6, .l4 = FLUE_FRAMES_TCP, .ext_headers = 2, .tcp_option_words = 10}},
    };
    enum { STACKS = sizeof stacks / sizeof stacks[0], DAMAGED = 24 };
    uint64_t state = 1;
    uint8_t frame[FLUE_FRAMES_MAX];
    char name[64];
    int failed = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: parse_corpus FOLDER\n");
        return 2;
    }
    for (unsigned i = 0; i < STACKS; i++) {
        size_t len = flue_frames_build(&state, &stacks[i].shape, frame);
        failed |= save(argv[1], stacks[i].name, frame, len);
    }
    for (unsigned i = 0; i < DAMAGED; i++) {
        size_t len = flue_frames_build(&state, &stacks[flue_frames_below(&state, STACKS)].shape, frame);
        snprintf(name, sizeof name, "damaged_%02u", i);
        failed |= save(argv[1], name, frame, flue_frames_damage(&state, frame, len));
    }
    return failed;
}
