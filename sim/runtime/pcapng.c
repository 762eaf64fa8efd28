#include "pcapng.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SECTION = 0x0A0D0D0A,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    ORDER_MAGIC = 0x1A2B3C4D,
    LINK_ETHERNET = 1,
    OPT_END = 0,
    OPT_COMMENT = 1,
    OPT_USERAPPL = 4,
    OPT_IF_NAME = 2,
    OPT_IF_TSRESOL = 9,
    COMMENT_MAX = 8192,
};

struct flue_pcapng {
    FILE *file;
    uint64_t epoch_ns;
    bool failed;
};

/* A block is built here before it is written: options are at most a comment and a name. */
struct block {
    uint8_t data[COMMENT_MAX + 512];
    size_t len;
};

static void put(struct block *b, const void *bytes, size_t n)
{
    if (n > sizeof b->data - b->len)
        n = sizeof b->data - b->len;
    if (n)
        memcpy(b->data + b->len, bytes, n);
    b->len += n;
}

static void put16(struct block *b, unsigned v)
{
    put(b, &(uint16_t){(uint16_t)v}, 2);
}
static void put32(struct block *b, uint32_t v)
{
    put(b, &v, 4);
}

static void pad(struct block *b)
{
    static const uint8_t ZERO[4];
    put(b, ZERO, -b->len & 3);
}

static void put_option(struct block *b, unsigned code, const void *value, size_t len)
{
    if (len > COMMENT_MAX)
        len = COMMENT_MAX;
    put16(b, code);
    put16(b, (unsigned)len);
    put(b, value, len);
    pad(b);
}

static void write_bytes(struct flue_pcapng *p, const void *bytes, size_t n)
{
    if (n && fwrite(bytes, 1, n, p->file) != n)
        p->failed = true;
}

/* type, total length, head, body padded to 4, tail, total length */
static void write_block(struct flue_pcapng *p, uint32_t type, const struct block *head, const void *body, size_t body_len,
                        const struct block *tail)
{
    static const uint8_t ZERO[4];
    size_t body_pad = -body_len & 3;
    uint32_t total = (uint32_t)(12 + head->len + body_len + body_pad + (tail ? tail->len : 0));
    write_bytes(p, &type, 4);
    write_bytes(p, &total, 4);
    write_bytes(p, head->data, head->len);
    write_bytes(p, body, body_len);
    write_bytes(p, ZERO, body_pad);
    if (tail)
        write_bytes(p, tail->data, tail->len);
    write_bytes(p, &total, 4);
}

enum flue_err flue_pcapng_open(const char *path, const char *comment, const char *const *names, unsigned count,
                               uint64_t epoch_ns, struct flue_pcapng **pcap)
{
    struct flue_pcapng *p = calloc(1, sizeof *p);
    *pcap = NULL;
    if (!p)
        return FLUE_ENOMEM;
    p->epoch_ns = epoch_ns;
    p->file = fopen(path, "wb");
    if (!p->file) {
        free(p);
        return FLUE_EIO;
    }
    struct block b;
    b.len = 0;
    put32(&b, ORDER_MAGIC);
    put16(&b, 1);
    put16(&b, 0);
    put32(&b, UINT32_MAX); /* section length: not given */
    put32(&b, UINT32_MAX);
    put_option(&b, OPT_COMMENT, comment, strlen(comment));
    put_option(&b, OPT_USERAPPL, "flue", 4);
    put_option(&b, OPT_END, NULL, 0);
    write_block(p, BLOCK_SECTION, &b, NULL, 0, NULL);
    for (unsigned i = 0; i < count; i++) {
        b.len = 0;
        put16(&b, LINK_ETHERNET);
        put16(&b, 0);
        put32(&b, 0); /* no length limit */
        put_option(&b, OPT_IF_NAME, names[i], strlen(names[i]));
        put_option(&b, OPT_IF_TSRESOL, "\x09", 1);
        put_option(&b, OPT_END, NULL, 0);
        write_block(p, BLOCK_INTERFACE, &b, NULL, 0, NULL);
    }
    *pcap = p;
    return flue_pcapng_flush(p);
}

void flue_pcapng_packet(struct flue_pcapng *p, unsigned interface, uint64_t time_ns, const uint8_t *data, size_t len,
                        const char *comment)
{
    struct block head, tail;
    head.len = tail.len = 0;
    uint64_t t = time_ns + p->epoch_ns;
    put32(&head, interface);
    put32(&head, (uint32_t)(t >> 32));
    put32(&head, (uint32_t)t);
    put32(&head, (uint32_t)len);
    put32(&head, (uint32_t)len);
    if (comment && *comment) {
        put_option(&tail, OPT_COMMENT, comment, strlen(comment));
        put_option(&tail, OPT_END, NULL, 0);
    }
    write_block(p, BLOCK_PACKET, &head, data, len, &tail);
}

enum flue_err flue_pcapng_flush(struct flue_pcapng *p)
{
    if (fflush(p->file))
        p->failed = true;
    return p->failed ? FLUE_EIO : FLUE_OK;
}

enum flue_err flue_pcapng_close(struct flue_pcapng *p)
{
    if (!p)
        return FLUE_OK;
    if (fclose(p->file))
        p->failed = true;
    enum flue_err err = p->failed ? FLUE_EIO : FLUE_OK;
    free(p);
    return err;
}

/* Copy the value of "key=..." from the lines of a comment. */
static bool find_line(const char *text, const char *key, char *value, size_t value_len)
{
    size_t n = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) || line[n] != '=')
            continue;
        size_t len = strcspn(line + n + 1, "\n");
        if (len >= value_len)
            return false;
        memcpy(value, line + n + 1, len);
        value[len] = 0;
        return true;
    }
    return false;
}

enum flue_err flue_pcapng_section_value(const char *path, const char *key, char *value, size_t value_len)
{
    uint8_t block[COMMENT_MAX + 512];
    FILE *f = fopen(path, "rb");
    if (!f)
        return FLUE_EIO;
    size_t n = fread(block, 1, sizeof block, f);
    fclose(f);
    uint32_t type, total, order;
    if (n < 28)
        return FLUE_EARG;
    memcpy(&type, block, 4);
    memcpy(&total, block + 4, 4);
    memcpy(&order, block + 8, 4);
    if (type != BLOCK_SECTION || order != ORDER_MAGIC || total > n)
        return FLUE_EARG;
    for (size_t at = 24; at + 8 <= total;) {
        uint16_t code, len;
        memcpy(&code, block + at, 2);
        memcpy(&len, block + at + 2, 2);
        if (code == OPT_END || at + 4 + len > total)
            break;
        if (code == OPT_COMMENT) {
            char text[sizeof block + 1];
            memcpy(text, block + at + 4, len);
            text[len] = 0;
            if (find_line(text, key, value, value_len))
                return FLUE_OK;
        }
        at += 4 + ((len + 3u) & ~3u);
    }
    return FLUE_EARG;
}
