/*
 * The dialogues on the RTL engine.
 *
 * PROGRAM [--seed N] [name]   all, or those whose name contains it
 */
#include "dialogue.h"
#include "subject_rtl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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
    struct tcp_subject *rtl = tcp_subject_rtl(4);
    failed += dialogue_run(rtl, only, seed, &passed);
    tcp_subject_rtl_free(rtl);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed != 0;
}
