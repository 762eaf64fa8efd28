/* The capture file, read back by a reader of its own. */
#include "pcapng.h"

#include <unistd.h>

#include "check.h"
#include "rng.h"

static char path[] = "/tmp/flue_pcapng_XXXXXX";

struct packet {
    unsigned interface;
    uint64_t time_ns;
    uint32_t len;
    uint8_t data[9100];
    char comment[200];
};

/* A reader that trusts nothing: block by block, both lengths, options with their padding. */
struct reader {
    uint8_t *bytes;
    size_t len, at;
    unsigned interfaces;
    char name[8][32];
};

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}
static uint16_t get16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}

static void option(const uint8_t *at, const uint8_t *end, unsigned code, char *text, size_t cap)
{
    text[0] = 0;
    while (at + 4 <= end) {
        unsigned c = get16(at), n = get16(at + 2);
        CHECK(at + 4 + n <= end, "option runs over its block");
        if (c == 0)
            return;
        if (c == code && n < cap) {
            memcpy(text, at + 4, n);
            text[n] = 0;
        }
        at += 4 + ((n + 3) & ~3u);
    }
}

/* The next packet; false at the end. */
static bool next(struct reader *r, struct packet *p)
{
    while (r->at + 12 <= r->len) {
        const uint8_t *b = r->bytes + r->at;
        uint32_t type = get32(b), total = get32(b + 4);
        CHECK(total % 4 == 0 && r->at + total <= r->len && get32(b + total - 4) == total, "block at %zu", r->at);
        if (check_failures)
            return false;
        r->at += total;
        if (type == 1) {
            CHECK_EQ(get16(b + 8), 1);
            option(b + 16, b + total - 4, 2, r->name[r->interfaces++], sizeof r->name[0]);
        } else if (type == 6) {
            p->interface = get32(b + 8);
            p->time_ns = (uint64_t)get32(b + 12) << 32 | get32(b + 16);
            p->len = get32(b + 20);
            CHECK_EQ(get32(b + 24), p->len);
            memcpy(p->data, b + 28, p->len);
            option(b + 28 + ((p->len + 3) & ~3u), b + total - 4, 1, p->comment, sizeof p->comment);
            return true;
        } else {
            CHECK_EQ(type, 0x0A0D0D0A);
            CHECK_EQ(get32(b + 8), 0x1A2B3C4D);
        }
    }
    CHECK_EQ(r->at, r->len);
    return false;
}

static struct reader open_reader(void)
{
    struct reader r = {0};
    FILE *f = fopen(path, "rb");
    r.bytes = malloc(8 << 20);
    if (f && r.bytes)
        r.len = fread(r.bytes, 1, 8 << 20, f);
    if (f)
        fclose(f);
    CHECK(r.len > 0);
    return r;
}

TEST(what_was_written_is_read_back)
{
    static const char *const NAMES[] = {"wire_tx", "wire_rx"};
    static struct packet want, seen;
    struct flue_pcapng *pcap;
    struct flue_rng rng;
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    close(fd);
    REQUIRE(flue_pcapng_open(path, "seed=17\nlog=some/file.flog\n", NAMES, 2, 0, &pcap) == FLUE_OK);
    for (int pass = 0; pass < 2; pass++) {
        struct reader r = pass ? open_reader() : (struct reader){0};
        flue_rng_init(&rng, check_seed, "packets");
        for (unsigned i = 0; i < 300; i++) {
            want.interface = flue_rng_below(&rng, 2);
            want.time_ns = i * UINT64_C(1234567891011);
            want.len = 1 + flue_rng_below(&rng, 9018);
            for (uint32_t k = 0; k < want.len; k++)
                want.data[k] = (uint8_t)flue_rng_next(&rng);
            snprintf(want.comment, sizeof want.comment, "%.*s", (int)flue_rng_below(&rng, 60),
                     flue_rng_below(&rng, 2) ? "dropped; flipped bit 123; held back behind 3 frames; truncated" : "");
            if (!pass) {
                flue_pcapng_packet(pcap, want.interface, want.time_ns, want.data, want.len, want.comment);
                continue;
            }
            REQUIRE(next(&r, &seen), "packet %u is missing", i);
            CHECK_EQ(seen.interface, want.interface);
            CHECK_EQ(seen.time_ns, want.time_ns);
            CHECK(seen.len == want.len && !memcmp(seen.data, want.data, want.len));
            CHECK(!strcmp(seen.comment, want.comment), "'%s', should be '%s'", seen.comment, want.comment);
        }
        if (!pass) {
            CHECK(flue_pcapng_close(pcap) == FLUE_OK);
        } else {
            CHECK(!next(&r, &seen));
            CHECK(r.interfaces == 2 && !strcmp(r.name[0], "wire_tx") && !strcmp(r.name[1], "wire_rx"));
            free(r.bytes);
        }
    }
    char value[64];
    CHECK(flue_pcapng_section_value(path, "log", value, sizeof value) == FLUE_OK && !strcmp(value, "some/file.flog"), "%s",
          value);
    CHECK(flue_pcapng_section_value(path, "seed", value, sizeof value) == FLUE_OK && !strcmp(value, "17"), "%s", value);
    CHECK(flue_pcapng_section_value(path, "see", value, sizeof value) == FLUE_EARG);
    unlink(path);
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
}

TEST(a_file_that_cannot_be_made_is_an_error)
{
    struct flue_pcapng *pcap;
    CHECK(flue_pcapng_open("/nowhere/at/all.pcapng", "", NULL, 0, 0, &pcap) == FLUE_EIO && !pcap);
    CHECK(flue_pcapng_section_value("/nowhere/at/all.pcapng", "seed", path, 0) == FLUE_EIO);
}

TEST_MAIN(1)
