/* Packed structs of rtl/tcp/flue_tcp_pkg.sv and numbers. */
#include "tcp_words.h"

#include <assert.h>
#include <string.h>

#define F(name, width) +width
#define R(name, count) +64 * count
#define A(name)        +64
#define P(width)       +width
static_assert(0 FLUE_TCP_RECORD(F, R, A, P) == 32 * TCP_RECORD_WORDS, "the record fills its words");
#undef F
#undef R
#undef A
#undef P

/* Bits of a packed struct whose first field is on top: number `top` and down, bit 0 last. */
struct bits {
    uint32_t *words;
    unsigned top;
};

/* A field lies in one word or two: the two as one number, the lower word below. */
static uint64_t around(const struct bits *b)
{
    unsigned low = TCP_RECORD_WORDS - 1 - b->top / 32;
    return b->words[low] | (low > 0 ? (uint64_t)b->words[low - 1] << 32 : 0);
}

static void put(struct bits *b, unsigned width, uint32_t value)
{
    uint64_t mask = (UINT64_C(1) << width) - 1;
    b->top -= width;
    unsigned low = TCP_RECORD_WORDS - 1 - b->top / 32;
    uint64_t both = around(b) | (value & mask) << b->top % 32;
    b->words[low] = (uint32_t)both;
    if (low > 0)
        b->words[low - 1] = (uint32_t)(both >> 32);
}

static uint32_t get(struct bits *b, unsigned width)
{
    b->top -= width;
    return (uint32_t)(around(b) >> b->top % 32 & ((UINT64_C(1) << width) - 1));
}

static void put_range(struct bits *b, struct flue_tcp_range range)
{
    put(b, 32, range.left);
    put(b, 32, range.right);
}

static struct flue_tcp_range get_range(struct bits *b)
{
    uint32_t left = get(b, 32);
    return (struct flue_tcp_range){left, get(b, 32)};
}

/* Element 0 of an array is the lowest. */
void tcp_record_pack(const struct flue_tcp *record, uint32_t words[TCP_RECORD_WORDS])
{
    struct bits b = {words, 32 * TCP_RECORD_WORDS};
    memset(words, 0, TCP_RECORD_WORDS * sizeof words[0]);
#define F(name, width) put(&b, width, record->name);
#define R(name, count)                                                                                                         \
    for (unsigned i = count; i-- > 0;)                                                                                         \
        put_range(&b, record->name[i]);
#define A(name)  put_range(&b, record->name);
#define P(width) put(&b, width, 0);
    FLUE_TCP_RECORD(F, R, A, P)
#undef F
#undef R
#undef A
#undef P
}

void tcp_record_unpack(const uint32_t words[TCP_RECORD_WORDS], struct flue_tcp *record)
{
    uint32_t copy[TCP_RECORD_WORDS];
    struct bits b = {copy, 32 * TCP_RECORD_WORDS};
    memcpy(copy, words, sizeof copy);
#define F(name, width) record->name = get(&b, width);
#define R(name, count)                                                                                                         \
    for (unsigned i = count; i-- > 0;)                                                                                         \
        record->name[i] = get_range(&b);
#define A(name)  record->name = get_range(&b);
#define P(width) get(&b, width);
    FLUE_TCP_RECORD(F, R, A, P)
#undef F
#undef R
#undef A
#undef P
}

/* ---- what leaves: bit 0 of a vector in bit 0 of its first word ---- */

struct vector {
    const uint32_t *word;
    unsigned at; /* above the next field */
};

static uint32_t next(struct vector *v, unsigned width)
{
    v->at -= width;
    unsigned shift = v->at % 32;
    uint64_t value = v->word[v->at / 32] >> shift;
    if (shift + width > 32)
        value |= (uint64_t)v->word[v->at / 32 + 1] << (32 - shift);
    return (uint32_t)(value & ((UINT64_C(1) << width) - 1));
}

unsigned tcp_verdict_unpack(const uint32_t *words, enum flue_tcp_verdict *verdict, struct flue_tcp_place *place)
{
    struct vector v = {words, TCP_VERDICT_BITS};
    *verdict = (enum flue_tcp_verdict)next(&v, 2);
    unsigned index = next(&v, 16);
    next(&v, 14);
    next(&v, 32);
    place->skip = (uint16_t)next(&v, 16);
    place->len = (uint16_t)next(&v, 16);
    place->seq = next(&v, 32);
    place->after = next(&v, 32);
    return index; /* pay_off: 10 bits that the engine leaves to others are below */
}

unsigned tcp_tx_unpack(const uint32_t *words, struct flue_tcp_tx *tx)
{
    struct vector v = {words, TCP_TX_BITS};
    tx->kind = (enum flue_tcp_tx_kind)next(&v, 2);
    unsigned index = next(&v, 16);
    tx->seq = next(&v, 32);
    tx->len = next(&v, 17);
    tx->mss = (uint16_t)next(&v, 16);
    tx->psh = next(&v, 1);
    tx->fin = next(&v, 1);
    tx->resend = next(&v, 1);
    tx->ack = next(&v, 32);
    tx->wnd = (uint16_t)next(&v, 16);
    bool ts = next(&v, 1);
    next(&v, 1);
    next(&v, 32);
    uint32_t echo = next(&v, 32);
    tx->ts_ecr = ts ? echo : 0;
    tx->blocks = next(&v, 3);
    for (unsigned i = FLUE_TCP_BLOCKS; i-- > 0;) {
        tx->block[i].left = next(&v, 32);
        tx->block[i].right = next(&v, 32);
    }
    return index;
}
