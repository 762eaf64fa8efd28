/*
 * The dialogues on the reference model.
 *
 * PROGRAM [--seed N] [name]   all, or those whose name contains it
 */
#include "dialogue.h"

#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A record survives its packed form. */
static bool packs(uint64_t seed)
{
    struct flue_tcp r, back;
    uint32_t words[TCP_RECORD_WORDS];
    memset(&r, 0, sizeof r);
    r.state = FLUE_TCP_TIME_WAIT;
    r.mss = 1448;
    r.rcv_nxt = (uint32_t)seed;
    r.held[3].left = 7;
    r.sacked[0].right = 9;
    r.rto_at = 0xDEADBEEF;
    tcp_record_pack(&r, words);
    tcp_record_unpack(words, &back);
    return words[0] == FLUE_TCP_TIME_WAIT && words[1] == 1448 && words[5] == (uint32_t)seed && words[30] == 7 &&
           words[53] == 9 && words[67] == 0xDEADBEEF && tcp_record_diff(stdout, "record", &r, "unpacked", &back) == 0;
}

int main(int argc, char **argv)
{
    uint64_t seed = 40001;
    const char *only = 0;
    unsigned passed = 0, failed = 0;
    if (getrandom(&seed, 4, 0) != 4)
        seed = 40001;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            seed = strtoull(argv[++i], 0, 0);
        else
            only = argv[i];
    }
    setvbuf(stdout, 0, _IOLBF, 0);
    printf("seed %llu\n", (unsigned long long)seed);
    struct tcp_subject *model = tcp_subject_model(4);
    failed += dialogue_run(model, only, seed, &passed);
    tcp_subject_model_free(model);
    if (!only) {
        bool good = packs(seed);
        printf("%s", good ? "" : "FAIL the_packed_record_has_the_layout_of_the_words\n");
        *(good ? &passed : &failed) += 1;
    }
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed != 0;
}
