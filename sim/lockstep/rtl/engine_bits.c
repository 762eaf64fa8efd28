#include "engine_bits.h"

#include "record.h"

#include <string.h>

/* ---- packed structs: fields in writing order, the first on top ---- */

struct bits {
    uint32_t *word;
    unsigned at; /* above the next field */
};

struct seen {
    const uint32_t *word;
    unsigned at;
};

static void put(struct bits *b, unsigned width, uint32_t value)
{
    uint64_t mask = (UINT64_C(1) << width) - 1;
    b->at -= width;
    uint32_t *low = b->word + b->at / 32;
    unsigned shift = b->at % 32;
    low[0] = (uint32_t)((low[0] & ~(mask << shift)) | (value & mask) << shift);
    if (shift + width > 32)
        low[1] = (uint32_t)((low[1] & ~(mask >> (32 - shift))) | (value & mask) >> (32 - shift));
}

static uint32_t get(struct seen *b, unsigned width)
{
    b->at -= width;
    unsigned shift = b->at % 32;
    uint64_t value = b->word[b->at / 32] >> shift;
    if (shift + width > 32)
        value |= (uint64_t)b->word[b->at / 32 + 1] << (32 - shift);
    return (uint32_t)(value & ((UINT64_C(1) << width) - 1));
}

/* tcp_seg_t */
static void put_segment(uint32_t *data, const struct flue_tcp_seg *s)
{
    struct bits b = {data, 426};
    put(&b, 32, s->seq);
    put(&b, 32, s->ack);
    put(&b, 16, s->wnd);
    static const uint8_t flags[] = {FLUE_TCP_URG, FLUE_TCP_ACK, FLUE_TCP_PSH, FLUE_TCP_RST, FLUE_TCP_SYN, FLUE_TCP_FIN};
    for (unsigned i = 0; i < sizeof flags; i++)
        put(&b, 1, (s->flags & flags[i]) != 0);
    put(&b, 16, s->len);
    put(&b, 1, s->has_ts);
    put(&b, 32, s->ts_val);
    put(&b, 32, s->ts_ecr);
    put(&b, 3, s->blocks);
    for (unsigned i = FLUE_TCP_BLOCKS; i-- > 0;) {
        put(&b, 32, s->block[i].left);
        put(&b, 32, s->block[i].right);
    }
}

void engine_put_event(uint32_t *data, const struct flue_tcp_event *e)
{
    memset(data, 0, sizeof(uint32_t) * ENGINE_EVENT_WORDS);
    switch (e->kind) {
    case FLUE_TCP_EV_SEGMENT:
    case FLUE_TCP_EV_FORWARD:
        put_segment(data, &e->seg);
        break;
    case FLUE_TCP_EV_DOORBELL: {
        struct bits b = {data, 65};
        put(&b, 32, e->doorbell.send_limit);
        put(&b, 32, e->doorbell.consumed);
        put(&b, 1, e->doorbell.fin);
        break;
    }
    case FLUE_TCP_EV_TURN:
        data[0] = e->budget;
        break;
    case FLUE_TCP_EV_SENT:
        data[0] = (uint32_t)e->sent.turn << 1 | e->sent.failed;
        break;
    case FLUE_TCP_EV_PLACED: {
        struct bits b = {data, 33};
        put(&b, 32, e->placed.after);
        put(&b, 1, e->placed.ok);
        break;
    }
    case FLUE_TCP_EV_COMMAND:
        data[0] = e->command;
        break;
    default:
        break;
    }
}

/* ---- what leaves ---- */

void engine_verdict(const struct engine_out *o, struct flue_tcp_actions *out)
{
    out->has_verdict = true;
    tcp_verdict_unpack(o->verdict, &out->verdict, &out->place);
}

void engine_tx(const struct engine_out *o, struct flue_tcp_actions *out)
{
    out->has_tx = true;
    tcp_tx_unpack(o->tx, &out->tx);
}

void engine_tell(const struct engine_out *o, struct flue_tcp_actions *out)
{
    struct seen b = {o->tell, 16 + 96 + 4 + 3 + 3};
    out->has_tell = true;
    get(&b, 16);
    out->tell.snd_free = get(&b, 32);
    out->tell.snd_una = get(&b, 32);
    out->tell.rcv_nxt = get(&b, 32);
    out->tell.state = (enum flue_tcp_state)get(&b, 4);
    out->tell.ended = (enum flue_tcp_end)get(&b, 3);
    out->tell.doubt = get(&b, 1);
    out->tell.refused = get(&b, 1);
    out->tell.fin = get(&b, 1);
}

void engine_put_access(uint32_t *data, bool write, unsigned word, uint32_t value)
{
    struct bits b = {data, 40};
    memset(data, 0, sizeof(uint32_t) * ENGINE_EVENT_WORDS);
    put(&b, 1, write);
    put(&b, 7, word);
    put(&b, 32, value);
}

void engine_record(const struct engine_out *o, struct flue_tcp *record)
{
    uint32_t words[TCP_RECORD_WORDS];
    for (unsigned i = 0; i < TCP_RECORD_WORDS; i++)
        words[i] = o->record[TCP_RECORD_WORDS - 1 - i];
    tcp_record_unpack(words, record);
}
