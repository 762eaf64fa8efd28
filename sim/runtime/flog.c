#include "flog.h"

#include <assert.h>
#include <string.h>

enum { TAG_RUN = 'r', TAG_SET = 's', TAG_SUM = 'h', TAG_END = 'e' };

static const char MAGIC[8] = "FLUELOG1";
static_assert(FLUE_IN_WORDS <= 32, "one mask");
static_assert(sizeof(struct flue_model_in) == FLUE_IN_WORDS * 8 && sizeof(struct flue_model_out) == FLUE_OUT_WORDS * 8,
              "words");

static void put(struct flue_flog *log, const void *bytes, size_t n)
{
    if (fwrite(bytes, 1, n, log->file) != n)
        log->failed = true;
}

enum flue_err flue_flog_create(struct flue_flog *log, const char *path, unsigned width, unsigned clock_mhz, uint64_t seed)
{
    memset(log, 0, sizeof *log);
    log->file = fopen(path, "wb");
    if (!log->file)
        return FLUE_EIO;
    setvbuf(log->file, NULL, _IOFBF, 1 << 18);
    struct flue_flog_head head = {
        .width = width, .clock_mhz = clock_mhz, .seed = seed, .in_words = FLUE_IN_WORDS, .out_words = FLUE_OUT_WORDS};
    memcpy(head.magic, MAGIC, sizeof MAGIC);
    put(log, &head, sizeof head);
    return FLUE_OK;
}

static void put_run(struct flue_flog *log)
{
    if (!log->run)
        return;
    uint8_t record[5] = {TAG_RUN};
    memcpy(record + 1, &log->run, 4);
    put(log, record, sizeof record);
    log->run = 0;
}

static void put_sum(struct flue_flog *log)
{
    uint8_t record[9] = {TAG_SUM};
    memcpy(record + 1, &log->hash, 8);
    put_run(log);
    put(log, record, sizeof record);
}

void flue_flog_cycle(struct flue_flog *log, const struct flue_model_in *in, const struct flue_model_out *out)
{
    uint64_t was[FLUE_IN_WORDS], now[FLUE_IN_WORDS];
    memcpy(was, &log->in, sizeof was);
    memcpy(now, in, sizeof now);
    uint8_t record[5 + sizeof now] = {TAG_SET};
    uint32_t mask = 0;
    size_t n = 5;
    for (unsigned i = 0; i < FLUE_IN_WORDS; i++) {
        if (was[i] == now[i])
            continue;
        mask |= 1u << i;
        memcpy(record + n, &now[i], 8);
        n += 8;
    }
    if (mask) {
        put_run(log);
        memcpy(record + 1, &mask, 4);
        put(log, record, n);
        log->in = *in;
    } else {
        log->run++;
    }
    log->hash = flue_flog_hash(log->hash, out);
    if (++log->cycles % FLUE_FLOG_SUM_CYCLES == 0)
        put_sum(log);
}

enum flue_err flue_flog_close(struct flue_flog *log)
{
    if (!log->file)
        return FLUE_OK;
    put_sum(log);
    put(log, &(uint8_t){TAG_END}, 1);
    if (fclose(log->file))
        log->failed = true;
    log->file = NULL;
    return log->failed ? FLUE_EIO : FLUE_OK;
}

enum flue_err flue_flog_open(struct flue_flog *log, const char *path, struct flue_flog_head *head)
{
    memset(log, 0, sizeof *log);
    log->file = fopen(path, "rb");
    if (!log->file)
        return FLUE_EIO;
    if (fread(head, sizeof *head, 1, log->file) != 1 || memcmp(head->magic, MAGIC, sizeof MAGIC) ||
        head->in_words != FLUE_IN_WORDS || head->out_words != FLUE_OUT_WORDS || !head->clock_mhz) {
        fclose(log->file);
        log->file = NULL;
        return FLUE_EARG;
    }
    return FLUE_OK;
}

enum flue_flog_record flue_flog_next(struct flue_flog *log, uint32_t *count, uint64_t *sum)
{
    uint64_t words[FLUE_IN_WORDS];
    uint32_t mask;
    switch (getc(log->file)) {
    case TAG_RUN:
        return fread(count, 4, 1, log->file) == 1 ? FLUE_FLOG_CYCLES : FLUE_FLOG_CUT;
    case TAG_SET:
        if (fread(&mask, 4, 1, log->file) != 1)
            return FLUE_FLOG_CUT;
        memcpy(words, &log->in, sizeof words);
        for (unsigned i = 0; i < FLUE_IN_WORDS; i++)
            if ((mask >> i & 1) && fread(&words[i], 8, 1, log->file) != 1)
                return FLUE_FLOG_CUT;
        memcpy(&log->in, words, sizeof words);
        *count = 1;
        return FLUE_FLOG_CYCLES;
    case TAG_SUM:
        return fread(sum, 8, 1, log->file) == 1 ? FLUE_FLOG_SUM : FLUE_FLOG_CUT;
    case TAG_END:
        return FLUE_FLOG_END;
    default:
        return FLUE_FLOG_CUT;
    }
}
