#include "lso.h"

#include <string.h>

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, size_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* Folded one's-complement sum of big-endian words, an odd last byte padded with zero. */
static unsigned sum16(const uint8_t *data, size_t len)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += (uint64_t)data[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (unsigned)sum;
}

static unsigned add16(unsigned a, unsigned b)
{
    unsigned sum = a + b;
    return (sum & 0xFFFF) + (sum >> 16);
}

size_t flue_lso_count(const struct flue_lso_request *req)
{
    return (req->pay_len + req->mss - 1) / req->mss;
}

size_t flue_lso_frame(const struct flue_lso_request *req, size_t index, bool sums, uint8_t *out)
{
    size_t begin = index * req->mss;
    size_t bytes = req->pay_len - begin < req->mss ? req->pay_len - begin : req->mss;
    size_t len = req->hdr_len + bytes;
    bool first = index == 0, last = index + 1 == flue_lso_count(req);
    uint8_t *ip = out + req->l3_off;
    uint8_t *tcp = out + req->l4_off;

    memcpy(out, req->template, req->hdr_len);
    memcpy(out + req->hdr_len, req->payload + begin, bytes);

    if (ip[0] >> 4 == 4) {
        unsigned id = get16(ip + 4) + (unsigned)index;
        put16(ip + 2, len - req->l3_off); /* TO-051 */
        if (!first)
            put16(ip + 4, id % (req->id_15bit ? 0x8000u : 0x10000u)); /* TO-054; the first ID is the template's */
    } else {
        put16(ip + 4, len - req->l3_off - 40);
    }
    uint32_t seq = get32(tcp + 4) + (uint32_t)begin; /* TO-050 */
    put16(tcp + 4, seq >> 16);
    put16(tcp + 6, seq & 0xFFFF);
    if (!last)
        tcp[13] &= (uint8_t)~0x09u; /* PSH, FIN: TO-057 */
    if (!first)
        tcp[13] &= (uint8_t)~0x80u; /* CWR: TO-058 */

    if (sums) {
        if (ip[0] >> 4 == 4) {
            put16(ip + 10, 0);
            put16(ip + 10, ~sum16(ip, 4u * (ip[0] & 15u)) & 0xFFFF);
        }
        unsigned partial = get16(tcp + 16); /* P0 +' TCP length: TO-056 */
        put16(tcp + 16, 0);
        unsigned sum = add16(add16(partial, (unsigned)(len - req->l4_off)), sum16(tcp, len - req->l4_off));
        put16(tcp + 16, ~sum & 0xFFFF);
    }
    return len;
}
