/* The wire model: its text, each impairment, repetition from a seed. */
#include "wire.h"

#include "check.h"
#include "rng.h"

static char noted[4][128];
static unsigned notes;

static void note(void *user, const uint8_t *frame, size_t len, uint64_t now_ns, const char *comment)
{
    (void)user, (void)frame, (void)len, (void)now_ns;
    snprintf(noted[notes++ % 4], sizeof noted[0], "%s", comment);
}

static struct flue_wire wire_with(const char *text)
{
    struct flue_wire w;
    struct flue_wire_rules rules;
    char why[160];
    notes = 0;
    flue_wire_init(&w, check_seed, "test", note, NULL);
    enum flue_err err = flue_wire_parse(&rules, text, why, sizeof why);
    CHECK(err == FLUE_OK, "%s: %s", text, why);
    CHECK(flue_wire_set(&w, &rules) == FLUE_OK);
    return w;
}

/* A frame that carries its number. */
static void send(struct flue_wire *w, uint64_t now_ns, uint32_t number, size_t len)
{
    uint8_t frame[2000] = {0};
    memcpy(frame + 14, &number, 4);
    frame[len - 1] |= 1;
    CHECK(flue_wire_put(w, now_ns, frame, len) == FLUE_OK);
}

/* Number of the next frame that has arrived, or -1. */
static int64_t fetch(struct flue_wire *w, uint64_t now_ns)
{
    struct flue_wire_frame *f = flue_wire_take(w, now_ns);
    uint32_t number;
    if (!f)
        return -1;
    memcpy(&number, f->data + 14, 4);
    flue_wire_done(w, f);
    return number;
}

TEST(a_wire_without_rules_delivers_everything_at_once_in_order)
{
    struct flue_wire w = wire_with("");
    for (uint32_t i = 0; i < 100; i++)
        send(&w, 5, i, 60);
    for (uint32_t i = 0; i < 100; i++)
        CHECK_EQ(fetch(&w, 5), i);
    CHECK(fetch(&w, 5) == -1);
    CHECK_EQ(w.waiting, 0);
    flue_wire_free(&w);
}

TEST(a_parse_error_names_the_token)
{
    static const struct {
        const char *text, *token;
    } WRONG[] = {
        {"drop=0.01,lose=0.1", "'lose=0.1'"},
        {"drop=1.5", "'drop=1.5'"},
        {"drop", "'drop'"},
        {"delay=5", "'delay=5'"},
        {"delay=5m", "'delay=5m'"},
        {"rate=10Q", "'rate=10Q'"},
        {"queue=10", "'queue'"},
        {"flip:12", "'flip:12'"},
        {"drop@0", "'drop@0'"},
        {"drop@5-3", "'drop@5-3'"},
        {"drop=0.1@5", "'drop=0.1@5'"},
        {"drop:4@5", "'drop:4@5'"},
        {"truncate:0@1", "'truncate:0@1'"},
        {"drop@tcp&foo", "'drop@tcp&foo'"},
        {"burst=0.1", "'burst=0.1'"},
        {"drop=0.1,,dup=0.1", "''"},
        {"drop=0.1,", "','"},
        {"reorder=0.1:0", "'reorder=0.1:0'"},
        {"=0.1", "'=0.1'"},
        {"drop@len<0", "'drop@len<0'"},
        {"delay=1ms:x", "'delay=1ms"},
        {"drop=nan", "'drop=nan'"},
        {"drop=-1", "'drop=-1'"},
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        struct flue_wire_rules rules;
        char why[160] = "";
        CHECK(flue_wire_parse(&rules, WRONG[i].text, why, sizeof why) == FLUE_EARG, "%s was taken", WRONG[i].text);
        CHECK(strstr(why, WRONG[i].token) == why, "%s: said %s", WRONG[i].text, why);
    }
}

TEST(exact_triggers_hit_exactly_their_frames)
{
    struct flue_wire w = wire_with("drop@3,drop@10-12,drop@%20,drop@len>1000&x2");
    for (uint32_t i = 1; i <= 40; i++)
        send(&w, 0, i, i >= 30 && i < 35 ? 1200 : 60);
    for (uint32_t i = 1; i <= 40; i++)
        if (i != 3 && !(i >= 10 && i <= 12) && i % 20 && i != 30 && i != 31)
            CHECK_EQ(fetch(&w, 0), i);
    CHECK(fetch(&w, 0) == -1);
    CHECK_EQ(w.stats.dropped, 8);
    CHECK_EQ(w.stats.frames_in, 40);
    CHECK_EQ(w.stats.frames_out, 32);
    flue_wire_free(&w);
}

/* IPv4 TCP with the flags given. */
static void send_tcp(struct flue_wire *w, uint8_t flags, unsigned payload)
{
    uint8_t f[200] = {[12] = 0x08, [14] = 0x45, [17] = (uint8_t)(40 + payload), [22] = 64, [23] = 6, [46] = 0x50};
    f[47] = flags;
    CHECK(flue_wire_put(w, 0, f, 54 + payload) == FLUE_OK);
}

TEST(a_trigger_reads_tcp_flags_and_payload)
{
    struct flue_wire w = wire_with("drop@syn,drop@tcp&fin&ack,drop@data&x1");
    send_tcp(&w, 0x02, 0);  /* SYN: lost */
    send_tcp(&w, 0x10, 0);  /* ACK */
    send_tcp(&w, 0x10, 20); /* first data: lost */
    send_tcp(&w, 0x10, 20);
    send_tcp(&w, 0x11, 0); /* FIN ACK: lost */
    send_tcp(&w, 0x01, 0); /* FIN without ACK */
    send(&w, 0, 7, 60);    /* no TCP at all */
    CHECK_EQ(w.stats.dropped, 3);
    CHECK_EQ(w.waiting, 4);
    flue_wire_free(&w);
}

TEST(a_flipped_bit_is_the_named_one_and_is_told)
{
    struct flue_wire w = wire_with("flip:123@1");
    uint8_t frame[60] = {0};
    CHECK(flue_wire_put(&w, 0, frame, sizeof frame) == FLUE_OK);
    struct flue_wire_frame *f = flue_wire_take(&w, 0);
    REQUIRE(f != NULL);
    CHECK_EQ(f->data[15], 1u << 3);
    f->data[15] = 0;
    CHECK(!memcmp(f->data, frame, sizeof frame));
    CHECK(!strcmp(f->comment, "flipped bit 123"), "%s", f->comment);
    flue_wire_done(&w, f);
    flue_wire_free(&w);
}

TEST(truncation_damage_and_duplication_change_what_arrives)
{
    struct flue_wire w = wire_with("truncate:40@1,damage@2,dup@3");
    for (uint32_t i = 1; i <= 3; i++)
        send(&w, 0, i, 100);
    struct flue_wire_frame *f = flue_wire_take(&w, 0);
    REQUIRE(f != NULL);
    CHECK_EQ(f->len, 40);
    CHECK(!strcmp(f->comment, "truncated from 100 to 40 bytes"), "%s", f->comment);
    flue_wire_done(&w, f);
    f = flue_wire_take(&w, 0);
    REQUIRE(f != NULL);
    CHECK(f->bad && !strcmp(f->comment, "damaged"), "%s", f->comment);
    flue_wire_done(&w, f);
    CHECK_EQ(fetch(&w, 0), 3);
    CHECK_EQ(fetch(&w, 0), 3);
    CHECK(fetch(&w, 0) == -1);
    flue_wire_free(&w);
}

TEST(a_reordered_frame_follows_so_many_later_ones_or_its_time)
{
    struct flue_wire w = wire_with("reorder:2@1,reorder:5@4");
    for (uint32_t i = 1; i <= 4; i++)
        send(&w, 100, i, 60);
    CHECK_EQ(fetch(&w, 100), 2);
    CHECK_EQ(fetch(&w, 100), 3);
    CHECK_EQ(fetch(&w, 100), 1);
    CHECK(fetch(&w, 100) == -1);
    CHECK_EQ(flue_wire_due_ns(&w), 100 + 1000000); /* nothing follows the last one: its time ends the wait */
    CHECK_EQ(fetch(&w, 1000100), 4);
    CHECK_EQ(w.stats.reordered, 2);
    flue_wire_free(&w);
}

TEST(delay_and_jitter_keep_order_and_limits)
{
    struct flue_wire w = wire_with("delay=200us:50us");
    uint64_t last = 0;
    for (uint32_t i = 0; i < 200; i++)
        send(&w, i * 1000, i, 60);
    for (uint32_t i = 0; i < 200; i++) {
        uint64_t due = flue_wire_due_ns(&w);
        CHECK(due >= i * 1000 + 200000 && due >= last, "frame %u due at %" PRIu64, i, due);
        CHECK(due <= 199 * 1000 + 250000, "frame %u due at %" PRIu64, i, due);
        last = due;
        CHECK(fetch(&w, due - 1) == -1);
        CHECK_EQ(fetch(&w, due), i);
    }
    flue_wire_free(&w);
}

TEST(a_rate_spaces_frames_and_its_queue_drops_the_rest)
{
    struct flue_wire w = wire_with("rate=1M,queue=4");
    for (uint32_t i = 0; i < 10; i++)
        send(&w, 0, i, 101); /* (101 + 24) * 8 bits at 1 Mb/s: 1 ms each */
    CHECK_EQ(w.stats.queue_dropped, 6);
    CHECK(!strcmp(noted[(notes - 1) % 4], "dropped: queue full"), "%s", noted[(notes - 1) % 4]);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQ(flue_wire_due_ns(&w), (i + 1) * UINT64_C(1000000));
        CHECK_EQ(fetch(&w, flue_wire_due_ns(&w)), i);
    }
    send(&w, 10000000, 77, 101); /* the line is free again */
    CHECK_EQ(flue_wire_due_ns(&w), 11000000);
    flue_wire_free(&w);
}

/* Binomial bounds: 5 standard deviations. */
static void check_share(uint64_t hits, uint64_t of, double p)
{
    double mean = (double)of * p, var = mean * (1 - p), d = (double)hits - mean;
    CHECK(d * d <= 25 * var, "%" PRIu64 " of %" PRIu64 " for p = %g", hits, of, p);
}

TEST(probabilities_are_met)
{
    struct flue_wire w = wire_with("drop=1%,dup=0.02,flip=0.03,truncate=0.04");
    for (uint32_t i = 0; i < 100000; i++) {
        send(&w, i, i, 60);
        while (fetch(&w, i) >= 0)
            ;
    }
    check_share(w.stats.dropped, 100000, 0.01);
    check_share(w.stats.duplicated, 99000, 0.02);
    check_share(w.stats.flipped, 99000, 0.03);
    check_share(w.stats.truncated, 99000, 0.04 * 59 / 60);
    CHECK_EQ(w.stats.frames_out, w.stats.frames_in - w.stats.dropped + w.stats.duplicated);
    flue_wire_free(&w);
}

TEST(burst_loss_has_the_share_and_the_length_of_its_two_states)
{
    struct flue_wire w = wire_with("burst=0.01:0.25");
    uint64_t bursts = 0, last = 0;
    for (uint32_t i = 0; i < 200000; i++) {
        uint64_t before = w.stats.dropped;
        send(&w, i, i, 60);
        bool lost = w.stats.dropped != before;
        bursts += lost && !last;
        last = lost;
        while (fetch(&w, i) >= 0)
            ;
    }
    double share = (double)w.stats.dropped / 200000, mean = (double)w.stats.dropped / (double)bursts;
    CHECK(share > 0.034 && share < 0.043, "share %g, should be 0.0385", share);
    CHECK(mean > 3.6 && mean < 4.4, "burst of %g, should be 4", mean);
    flue_wire_free(&w);
}

/* All that a run does to 2,000 frames, as a hash. */
static uint64_t history(uint64_t seed, const char *text)
{
    struct flue_wire w;
    struct flue_wire_rules rules;
    char why[160];
    uint64_t h = 0;
    flue_wire_init(&w, seed, "test", NULL, NULL);
    CHECK(flue_wire_parse(&rules, text, why, sizeof why) == FLUE_OK && flue_wire_set(&w, &rules) == FLUE_OK);
    for (uint32_t i = 0; i < 2000; i++) {
        send(&w, i * 1000, i, 100);
        for (struct flue_wire_frame *f; (f = flue_wire_take(&w, i * 1000));) {
            for (uint32_t k = 0; k < f->len; k++)
                h = (h ^ f->data[k]) * UINT64_C(0x100000001B3);
            h = h * 31 + f->len;
            flue_wire_done(&w, f);
        }
    }
    flue_wire_free(&w);
    return h;
}

TEST(a_run_repeats_from_its_seed_and_only_from_it)
{
    static const char TEXT[] = "drop=0.05,dup=0.05,flip=0.05,truncate=0.05,reorder=0.05,delay=10us:40us,burst=0.01:0.3";
    CHECK_EQ(history(check_seed, TEXT), history(check_seed, TEXT));
    CHECK(history(check_seed, TEXT) != history(check_seed + 1, TEXT));
}

TEST(one_rule_does_not_move_the_choices_of_another)
{
    struct flue_wire a = wire_with("drop=0.1"), b = wire_with("drop=0.1,flip=0.3,dup=0.2,delay=1us:5us");
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t da = a.stats.dropped, db = b.stats.dropped;
        send(&a, i, i, 60);
        send(&b, i, i, 60);
        CHECK_EQ(a.stats.dropped - da, b.stats.dropped - db);
    }
    flue_wire_free(&a);
    flue_wire_free(&b);
}

TEST(random_streams_are_even_and_differ_by_purpose)
{
    struct flue_rng a, b;
    unsigned bin[16] = {0}, same = 0;
    flue_rng_init(&a, check_seed, "one");
    flue_rng_init(&b, check_seed, "two");
    for (unsigned i = 0; i < 160000; i++)
        bin[flue_rng_below(&a, 16)]++;
    for (unsigned i = 0; i < 16; i++)
        check_share(bin[i], 160000, 1.0 / 16);
    for (unsigned i = 0; i < 1000; i++)
        same += (uint32_t)flue_rng_next(&a) == (uint32_t)flue_rng_next(&b);
    CHECK_EQ(same, 0);
    for (unsigned i = 0; i < 1000; i++) {
        CHECK(!flue_rng_hit(&a, flue_rng_odds(0)));
        CHECK(flue_rng_hit(&a, flue_rng_odds(1)));
    }
}

/* Random text must be taken or refused, never read beyond its end (the sanitizer build watches). */
TEST(random_text_is_refused_or_taken_without_harm)
{
    static const char ALPHABET[] = "drop=0.1,@:&%x-<>lenupfisytmk5 ";
    struct flue_rng rng;
    unsigned taken = 0;
    flue_rng_init(&rng, check_seed, "text");
    for (unsigned i = 0; i < 20000; i++) {
        char text[40], why[160];
        struct flue_wire_rules rules;
        size_t n = flue_rng_below(&rng, sizeof text);
        for (size_t k = 0; k < n; k++)
            text[k] = ALPHABET[flue_rng_below(&rng, sizeof ALPHABET - 1)];
        text[n] = 0;
        enum flue_err err = flue_wire_parse(&rules, text, why, sizeof why);
        CHECK(err == FLUE_OK || (err == FLUE_EARG && why[0] == '\''), "'%s': %s", text, why);
        taken += err == FLUE_OK;
    }
    CHECK(taken > 0 && taken < 20000, "%u taken", taken);
}

TEST_MAIN(1)
