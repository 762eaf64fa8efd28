/*
 * Model of the tables (docs/control-plane.md section 4): rows of words with a parity bit for each byte, two indices with
 * several ways, a small stash and a seeded hash.  The hash is not the hardware's: nothing may depend on it.
 */
#ifndef FLUE_FW_TABLES_H
#define FLUE_FW_TABLES_H

#include <stdbool.h>
#include <stdint.h>
#include "flue/control.h"

#define TABLE_WAYS  4u
#define TABLE_STASH 4u

struct table_index {
    uint32_t buckets; /* a power of two; TABLE_WAYS slots each */
    uint16_t *slot;   /* row + 1, 0 free; the stash behind the buckets */
};

struct tables {
    uint32_t rows[4], words[4];
    uint32_t *word[4];
    uint8_t *parity[4];
    struct table_index index[2]; /* path, connection */
    uint32_t seed[4], next_seed[4], key[9];
    uint32_t error[16];
    unsigned error_first, errors;
    unsigned full, reseeds;
};

bool tables_init(struct tables *t, uint32_t connections, uint32_t paths, uint32_t neighbors);
void tables_free(struct tables *t);
uint32_t tables_get(struct tables *t, enum flue_table table, uint32_t row, uint32_t word);
void tables_put(struct tables *t, enum flue_table table, uint32_t row, uint32_t word, uint32_t value);
void tables_flip(struct tables *t, enum flue_table table, uint32_t row, uint32_t word, unsigned bit);
enum flue_table_result tables_command(struct tables *t, enum flue_table_op op, uint32_t index, uint32_t *found);
uint32_t tables_error(struct tables *t);

#endif
