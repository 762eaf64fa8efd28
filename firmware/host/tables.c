#include "tables.h"

#include <stdlib.h>
#include <string.h>

static uint8_t parity_of(uint32_t value)
{
    uint8_t parity = 0;
    for (unsigned byte = 0; byte < 4; byte++)
        parity |= (uint8_t)(__builtin_parity(value >> 8 * byte & 0xFF) << byte);
    return parity;
}

bool tables_init(struct tables *t, uint32_t connections, uint32_t paths, uint32_t neighbors)
{
    memset(t, 0, sizeof *t);
    const uint32_t rows[4] = {4, neighbors, paths, connections}, words[4] = {64, 16, 16, 64};
    for (unsigned i = 0; i < 4; i++) {
        t->rows[i] = rows[i];
        t->words[i] = words[i];
        t->word[i] = calloc(rows[i] * words[i], sizeof *t->word[i]);
        t->parity[i] = calloc(rows[i] * words[i], 1);
        if (!t->word[i] || !t->parity[i])
            return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct table_index *x = &t->index[i];
        x->buckets = 1;
        while (x->buckets * TABLE_WAYS < 2 * rows[i + 2])
            x->buckets *= 2;
        x->slot = calloc(x->buckets * TABLE_WAYS + TABLE_STASH, sizeof *x->slot);
        if (!x->slot)
            return false;
    }
    return true;
}

void tables_free(struct tables *t)
{
    for (unsigned i = 0; i < 4; i++) {
        free(t->word[i]);
        free(t->parity[i]);
    }
    for (unsigned i = 0; i < 2; i++)
        free(t->index[i].slot);
}

/* ---- words ---- */

uint32_t tables_get(struct tables *t, enum flue_table table, uint32_t row, uint32_t word)
{
    if (row >= t->rows[table] || word >= t->words[table])
        abort(); /* hw.h: the caller checks */
    uint32_t at = row * t->words[table] + word, value = t->word[table][at];
    if (t->parity[table][at] != parity_of(value) && t->errors < 16)
        t->error[(t->error_first + t->errors++) % 16] = FLUE_TABLE_ERROR_VALID_MASK |
                                                        (uint32_t)table << FLUE_TABLE_ERROR_TABLE_SHIFT |
                                                        word << FLUE_TABLE_ERROR_WORD_SHIFT | row;
    return value;
}

void tables_put(struct tables *t, enum flue_table table, uint32_t row, uint32_t word, uint32_t value)
{
    if (row >= t->rows[table] || word >= t->words[table])
        abort();
    uint32_t at = row * t->words[table] + word;
    t->word[table][at] = value;
    t->parity[table][at] = parity_of(value);
}

void tables_flip(struct tables *t, enum flue_table table, uint32_t row, uint32_t word, unsigned bit)
{
    uint32_t at = row * t->words[table] + word;
    if (bit < 32)
        t->word[table][at] ^= 1u << bit;
    else
        t->parity[table][at] ^= (uint8_t)(1u << (bit - 32));
}

uint32_t tables_error(struct tables *t)
{
    if (t->errors == 0)
        return 0;
    uint32_t error = t->error[t->error_first];
    t->error_first = (t->error_first + 1) % 16;
    t->errors--;
    return error;
}

/* ---- index ---- */

static uint32_t hash(const struct tables *t, const uint32_t *key, unsigned words, unsigned which)
{
    uint64_t sum = (uint64_t)t->seed[0] << 32 | t->seed[1];
    for (unsigned i = 0; i < words; i++) {
        sum = (sum ^ key[i]) * (((uint64_t)t->seed[2] << 32 | t->seed[3]) | 1);
        sum ^= sum >> 29;
    }
    sum *= 0x9E3779B97F4A7C15u;
    return (uint32_t)(sum >> (which ? 8 : 32));
}

static unsigned key_words(unsigned i)
{
    return i ? 2 : 9;
}

/* Key of a row; false: a word of it was bad. */
static bool key_of(struct tables *t, unsigned i, uint32_t row, uint32_t *key)
{
    unsigned before = t->errors;
    bool sound = true;
    for (unsigned w = 0; w < key_words(i); w++) {
        enum flue_table table = i ? FLUE_TBL_CONNECTION : FLUE_TBL_PATH;
        uint32_t at = row * t->words[table] + (i ? 5 : 6) + w;
        key[w] = tables_get(t, table, row, (i ? 5 : 6) + w);
        sound = sound && t->parity[table][at] == parity_of(key[w]);
    }
    (void)before;
    return sound;
}

/* Slots a key may be in: its bucket, or anywhere in the stash. */
static uint16_t *slot_of(struct tables *t, unsigned i, const uint32_t *key, unsigned n)
{
    struct table_index *x = &t->index[i];
    if (n >= TABLE_WAYS)
        return n - TABLE_WAYS < TABLE_STASH ? &x->slot[x->buckets * TABLE_WAYS + n - TABLE_WAYS] : NULL;
    return &x->slot[(hash(t, key, key_words(i), n & 1) & (x->buckets - 1)) * TABLE_WAYS + n];
}

static enum flue_table_result find(struct tables *t, unsigned i, const uint32_t *key, uint32_t *found, uint16_t **where)
{
    uint32_t other[9];
    uint16_t *slot;
    for (unsigned n = 0; (slot = slot_of(t, i, key, n)) != NULL; n++) {
        if (*slot == 0)
            continue;
        if (!key_of(t, i, *slot - 1u, other))
            return FLUE_TR_CHECK;
        if (memcmp(key, other, key_words(i) * 4) == 0) {
            *found = *slot - 1u;
            *where = slot;
            return FLUE_TR_OK;
        }
    }
    return FLUE_TR_MISS;
}

static enum flue_table_result insert(struct tables *t, unsigned i, uint32_t row, uint32_t *found)
{
    uint32_t key[9];
    uint16_t *slot;
    if (!key_of(t, i, row, key))
        return FLUE_TR_CHECK;
    enum flue_table_result there = find(t, i, key, found, &slot);
    if (there != FLUE_TR_MISS)
        return there == FLUE_TR_OK ? FLUE_TR_EXISTS : there;
    for (unsigned n = 0; (slot = slot_of(t, i, key, n)) != NULL; n++)
        if (*slot == 0) {
            *slot = (uint16_t)(row + 1);
            *found = row;
            return FLUE_TR_OK;
        }
    return FLUE_TR_FULL;
}

static enum flue_table_result reseed(struct tables *t)
{
    enum flue_table_result result = FLUE_TR_OK;
    memcpy(t->seed, t->next_seed, sizeof t->seed);
    t->reseeds++;
    for (unsigned i = 0; i < 2; i++) {
        uint32_t slots = t->index[i].buckets * TABLE_WAYS + TABLE_STASH, found;
        uint16_t *old = malloc(slots * sizeof *old);
        if (!old)
            abort();
        memcpy(old, t->index[i].slot, slots * sizeof *old);
        memset(t->index[i].slot, 0, slots * sizeof *old);
        for (uint32_t n = 0; n < slots; n++)
            if (old[n]) {
                enum flue_table_result placed = insert(t, i, old[n] - 1u, &found);
                if (placed != FLUE_TR_OK)
                    result = placed;
            }
        if (result != FLUE_TR_OK) /* as it was; the new seed finds it again only when the next one fits */
            memcpy(t->index[i].slot, old, slots * sizeof *old);
        free(old);
    }
    return result;
}

enum flue_table_result tables_command(struct tables *t, enum flue_table_op op, uint32_t index, uint32_t *found)
{
    uint32_t row = 0;
    uint16_t *slot = NULL;
    enum flue_table_result result = FLUE_TR_BAD_INDEX;
    unsigned i = op == FLUE_TOP_FIND_CONN || op == FLUE_TOP_INSERT_CONN || op == FLUE_TOP_DELETE_CONN;
    switch (op) {
    case FLUE_TOP_FIND_PATH:
    case FLUE_TOP_FIND_CONN:
        result = find(t, i, t->key, &row, &slot);
        break;
    case FLUE_TOP_INSERT_PATH:
    case FLUE_TOP_INSERT_CONN:
        if (index < t->rows[i + 2] && t->full > 0) {
            t->full--; /* a test wants it so */
            result = FLUE_TR_FULL;
        } else if (index < t->rows[i + 2]) {
            result = insert(t, i, index, &row);
        }
        break;
    case FLUE_TOP_DELETE_PATH:
    case FLUE_TOP_DELETE_CONN:
        if (index >= t->rows[i + 2])
            break;
        result = FLUE_TR_MISS;
        for (uint32_t n = 0; n < t->index[i].buckets * TABLE_WAYS + TABLE_STASH; n++)
            if (t->index[i].slot[n] == index + 1) { /* as the adapter's: through all slots, needs no key */
                t->index[i].slot[n] = 0;
                result = FLUE_TR_OK;
            }
        break;
    case FLUE_TOP_RESEED:
        result = reseed(t);
        break;
    case FLUE_TOP_CLEAR:
        for (unsigned n = 0; n < 4; n++) {
            memset(t->word[n], 0, t->rows[n] * t->words[n] * sizeof *t->word[n]);
            memset(t->parity[n], 0, t->rows[n] * t->words[n]);
        }
        for (unsigned n = 0; n < 2; n++)
            memset(t->index[n].slot, 0, (t->index[n].buckets * TABLE_WAYS + TABLE_STASH) * sizeof *t->index[n].slot);
        memcpy(t->seed, t->next_seed, sizeof t->seed);
        result = FLUE_TR_OK;
        break;
    }
    if (found)
        *found = row;
    return result;
}
