/*
 * The log of a run: every input of the adapter, cycle by cycle as differences, and a running hash of its outputs.  Feeding the
 * inputs to the same model gives the same outputs, whatever host, wire and clock once did.
 *
 * File: struct flue_flog_head, then records, each one tag byte and its content:
 *   RUN n (4 bytes)                  n cycles with the inputs as they are
 *   SET mask (4 bytes), words        the 64-bit words of struct flue_model_in whose mask bit is set change; one cycle
 *   SUM hash (8 bytes)               of the outputs of all cycles so far
 *   END
 */
#ifndef FLUE_FLOG_H
#define FLUE_FLOG_H

#include <stdbool.h>
#include <stdio.h>
#include "flue/err.h"
#include "model.h"

#define FLUE_FLOG_SUM_CYCLES 1024u

struct flue_flog_head {
    char magic[8]; /* "FLUELOG1" */
    uint32_t width;
    uint32_t clock_mhz;
    uint64_t seed;
    uint32_t in_words, out_words;
};

struct flue_flog {
    FILE *file;
    struct flue_model_in in; /* of the last cycle written or read */
    uint64_t hash;
    uint64_t cycles;
    uint32_t run;
    bool failed;
};

/* A hash that depends on every output word of every cycle. */
static inline uint64_t flue_flog_hash(uint64_t hash, const struct flue_model_out *out)
{
    uint64_t word[FLUE_OUT_WORDS];
    __builtin_memcpy(word, out, sizeof word);
    for (unsigned i = 0; i < FLUE_OUT_WORDS; i++)
        hash = ((hash << 7) | (hash >> 57)) ^ (word[i] * UINT64_C(0x9E3779B97F4A7C15));
    return hash * UINT64_C(0xBF58476D1CE4E5B9) + 1;
}

/* FLUE_EIO (errno) when the file cannot be created. */
FLUE_MUST_CHECK enum flue_err flue_flog_create(struct flue_flog *log, const char *path, unsigned width, unsigned clock_mhz,
                                               uint64_t seed);
void flue_flog_cycle(struct flue_flog *log, const struct flue_model_in *in, const struct flue_model_out *out);
FLUE_MUST_CHECK enum flue_err flue_flog_close(struct flue_flog *log);

/* FLUE_EIO (errno), FLUE_EARG (not a log, or of another layout) */
FLUE_MUST_CHECK enum flue_err flue_flog_open(struct flue_flog *log, const char *path, struct flue_flog_head *head);

enum flue_flog_record { FLUE_FLOG_CYCLES, FLUE_FLOG_SUM, FLUE_FLOG_END, FLUE_FLOG_CUT };

/* The next record: *count cycles with log->in, or a sum; FLUE_FLOG_CUT when the file ends without an end mark. */
enum flue_flog_record flue_flog_next(struct flue_flog *log, uint32_t *count, uint64_t *sum);

#endif
