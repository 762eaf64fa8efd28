#include "frames.h"

#include <string.h>

uint64_t flue_frames_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

unsigned flue_frames_below(uint64_t *state, unsigned bound)
{
    return (unsigned)(flue_frames_random(state) % bound);
}

static bool chance(uint64_t *state, unsigned percent)
{
    return flue_frames_below(state, 100) < percent;
}

static void put16(uint8_t *p, size_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void fill(uint64_t *state, uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)flue_frames_random(state);
}

struct flue_frames_shape flue_frames_shape(uint64_t *state, size_t payload_max)
{
    struct flue_frames_shape shape = {0};
    unsigned kind = flue_frames_below(state, 100);

    if (chance(state, 30))
        shape.tags = 1 + (int)flue_frames_below(state, chance(state, 10) ? 3 : 2);
    shape.ip = kind < 50 ? 4 : kind < 95 ? 6 : 0;
    kind = flue_frames_below(state, 100);
    shape.l4 = kind < 55 ? FLUE_FRAMES_TCP : kind < 90 ? FLUE_FRAMES_UDP : FLUE_FRAMES_ICMP;
    if (chance(state, 25))
        shape.ip_option_words = 1 + (int)flue_frames_below(state, 10);
    if (chance(state, 30))
        shape.ext_headers = 1 + (int)flue_frames_below(state, 4);
    else if (chance(state, 20))
        shape.ext_bytes = 8 * (1 + (int)flue_frames_below(state, 16));
    shape.routing = chance(state, 5);
    shape.fragment = chance(state, 8);
    if (chance(state, 40))
        shape.tcp_option_words = 1 + (int)flue_frames_below(state, 10);
    shape.udp_no_csum = chance(state, 10);
    shape.payload = chance(state, 30) ? flue_frames_below(state, 8) : flue_frames_below(state, (unsigned)payload_max + 1);
    if (chance(state, 25))
        shape.padding = 1 + flue_frames_below(state, 46);
    return shape;
}

/* Extension headers: each writes its kind where the one before it announces it. */
struct chain {
    uint8_t *kind; /* where the kind of what comes next goes */
    uint8_t *end;
};

static void add_ext(uint64_t *state, struct chain *chain, uint8_t kind, size_t len)
{
    uint8_t *p = chain->end;

    fill(state, p, len);
    *chain->kind = kind;
    if (kind == 51)
        p[1] = (uint8_t)(len / 4 - 2);
    else
        p[1] = (uint8_t)(len / 8 - 1);
    if (kind == 43)
        p[3] = 0;
    chain->kind = p;
    chain->end = p + len;
}

static void add_extensions(uint64_t *state, const struct flue_frames_shape *shape, struct chain *chain)
{
    static const uint8_t kinds[] = {0, 60, 43, 51};

    if (shape->ext_bytes != 0)
        add_ext(state, chain, 60, (size_t)shape->ext_bytes);
    for (int i = 0; i < shape->ext_headers; i++) {
        uint8_t kind = kinds[flue_frames_below(state, sizeof kinds)];
        size_t len = 8 * (1 + (size_t)flue_frames_below(state, chance(state, 5) ? 20 : 4));
        if (kind == 51)
            len = 4 * (2 + (size_t)flue_frames_below(state, 8));
        add_ext(state, chain, kind, len);
    }
    if (shape->routing) {
        add_ext(state, chain, 43, 24); /* one address */
        chain->kind[2] = chance(state, 50) ? 2 : 4;
        chain->kind[3] = 1;
    }
    if (shape->fragment) {
        add_ext(state, chain, 44, 8);
        if (chance(state, 20))
            put16(chain->kind + 2, 0); /* atomic */
    }
}

static size_t add_l4(uint64_t *state, const struct flue_frames_shape *shape, uint8_t *p, uint8_t *proto)
{
    size_t header = 8;

    if (shape->l4 == FLUE_FRAMES_TCP)
        header = 20 + 4 * (size_t)shape->tcp_option_words;
    fill(state, p, header + shape->payload);
    switch (shape->l4) {
    case FLUE_FRAMES_TCP:
        *proto = 6;
        p[12] = (uint8_t)((header / 4) << 4 | (p[12] & 15));
        break;
    case FLUE_FRAMES_UDP:
        *proto = 17;
        put16(p + 4, header + shape->payload);
        break;
    case FLUE_FRAMES_ICMP:
    case FLUE_FRAMES_ANY:
        *proto = 58;
        break;
    }
    return header + shape->payload;
}

size_t flue_frames_build(uint64_t *state, const struct flue_frames_shape *shape, uint8_t *buffer)
{
    uint8_t *p = buffer + 12;
    uint8_t *l4;

    fill(state, buffer, 12);
    for (int i = 0; i < shape->tags; i++) {
        put16(p, chance(state, 50) ? 0x8100 : 0x88A8);
        fill(state, p + 2, 2);
        p += 4;
    }
    if (shape->ip == 4) {
        size_t header = 20 + 4 * (size_t)shape->ip_option_words;
        put16(p, 0x0800);
        p += 2;
        fill(state, p, header);
        p[0] = (uint8_t)(0x40 | header / 4);
        p[6] = (uint8_t)(p[6] & 0x40); /* DF */
        p[7] = 0;
        if (shape->fragment) {
            put16(p + 6, 1 + flue_frames_below(state, 0x3FFF)); /* MF, offset, or both */
        }
        l4 = p + header;
        size_t len = add_l4(state, shape, l4, &p[9]);
        put16(p + 2, header + len);
        p = l4 + len;
    } else if (shape->ip == 6) {
        put16(p, 0x86DD);
        p += 2;
        fill(state, p, 40);
        p[0] = (uint8_t)(0x60 | (p[0] & 15));
        struct chain chain = {.kind = p + 6, .end = p + 40};
        add_extensions(state, shape, &chain);
        l4 = chain.end;
        uint8_t proto = 0;
        size_t len = add_l4(state, shape, l4, &proto);
        *chain.kind = proto;
        put16(p + 4, (size_t)(l4 - p) - 40 + len);
        p = l4 + len;
    } else {
        put16(p, chance(state, 50) ? 0x0806 : flue_frames_below(state, 0x0800));
        fill(state, p + 2, shape->payload);
        p += 2 + shape->payload;
        l4 = p;
    }
    size_t len = (size_t)(p - buffer);
    flue_pkt_fill_csums(buffer, len);
    if (shape->ip != 0 && shape->l4 == FLUE_FRAMES_UDP && shape->udp_no_csum)
        put16(l4 + 6, 0);
    for (size_t i = 0; i < shape->padding; i++)
        p[i] = (uint8_t)(1 + flue_frames_below(state, 255));
    return len + shape->padding;
}

size_t flue_frames_damage(uint64_t *state, uint8_t *buffer, size_t len)
{
    static const uint8_t telling[] = {0, 1, 4, 5, 6, 17, 43, 44, 51, 58, 60, 0x0F, 0x40, 0x45, 0x4F, 0x60, 0x81, 0xFF};
    size_t headers = len < 128 ? len : 128;
    size_t at = flue_frames_below(state, (unsigned)headers);

    switch (flue_frames_below(state, 6)) {
    case 0: /* cut inside the headers */
        return 1 + at;
    case 1: /* cut anywhere */
        return 1 + flue_frames_below(state, (unsigned)len);
    case 2: /* one bit anywhere */
        buffer[flue_frames_below(state, (unsigned)len)] ^= (uint8_t)(1u << flue_frames_below(state, 8));
        return len;
    case 3: /* one bit in the headers */
        buffer[at] ^= (uint8_t)(1u << flue_frames_below(state, 8));
        return len;
    case 4: /* a byte that means something somewhere */
        buffer[at] = telling[flue_frames_below(state, sizeof telling)];
        return len;
    default: /* several of them, then a cut */
        for (int i = 0; i < 4; i++)
            buffer[flue_frames_below(state, (unsigned)headers)] = telling[flue_frames_below(state, sizeof telling)];
        return 1 + flue_frames_below(state, (unsigned)len);
    }
}
