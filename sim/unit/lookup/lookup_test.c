/*
 * The tables at four sizes against a plain model: a list of keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "flue/control.h"

enum { SIZES = 4, FEW_SLOTS = 4, INSTANCES = 5, ROWS_MAX = 1024, PATH_WORDS = 9 };

enum op { FIND_PATH = 1, FIND_CONN, INSERT_PATH, INSERT_CONN, DELETE_PATH, DELETE_CONN, RESEED, CLEAR };
enum result { OK, MISS, EXISTS, FULL, CHECK_FAILED, BAD_INDEX };
enum table { SYSTEM, NEIGHBOR, PATH, CONNECTION };

static const unsigned connections_of[INSTANCES] = {2, 8, 64, 1024, 8};
static const unsigned neighbors_of[INSTANCES] = {2, 16, 16, 256, 16};

struct path {
    bool in;
    uint32_t key[PATH_WORDS]; /* words 6 to 14 of the row */
};

struct conn {
    bool in;
    uint32_t key[2]; /* words 5 and 6 */
    uint32_t head;
};

static struct path paths[ROWS_MAX];
static struct conn conns[ROWS_MAX];
static unsigned size; /* instance that is tried */
static unsigned rows; /* its connections, and its paths */
static unsigned reseeds;

static int lk_id(void)
{
    return (int)(4 * size);
}
static int tp_id(void)
{
    return lk_id() + 1;
}
static int cmd_id(void)
{
    return lk_id() + 2;
}
static int err_id(void)
{
    return lk_id() + 3;
}

/* ---- one access each ---- */

static void wait_for(int sink, struct bench_packet *got, uint64_t limit)
{
    uint64_t end = bench_cycle() + limit;
    while (!bench_take(sink, got)) {
        if (bench_cycle() >= end)
            bench_fail(__FILE__, __LINE__, "size %u: no answer at sink %d within %llu cycles", rows, sink,
                       (unsigned long long)limit);
        bench_run(1);
    }
}

static void word_send(bool write, unsigned table, unsigned row, unsigned word, uint32_t data)
{
    struct bench_bits bits = {0};
    bench_bits_set(&bits, 0, 32, data);
    bench_bits_set(&bits, 32, 6, word);
    bench_bits_set(&bits, 38, 16, row);
    bench_bits_set(&bits, 54, 2, table);
    bench_bits_set(&bits, 56, 1, write);
    bench_send(tp_id(), "", 1, false, &bits);
}

static bool word_access(bool write, unsigned table, unsigned row, unsigned word, uint32_t data, uint32_t *read)
{
    struct bench_packet got;
    word_send(write, table, row, word, data);
    wait_for(tp_id(), &got, 10000);
    if (read)
        *read = (uint32_t)bench_bits_get(&got.user, 0, 32);
    return !bench_bits_get(&got.user, 32, 1);
}

static void word_write(unsigned table, unsigned row, unsigned word, uint32_t data)
{
    CHECK(word_access(true, table, row, word, data, NULL));
}

static uint32_t word_read(unsigned table, unsigned row, unsigned word)
{
    uint32_t data;
    CHECK(word_access(false, table, row, word, 0, &data));
    return data;
}

static void command_send(enum op op, unsigned index, const uint32_t *key, unsigned key_words, const uint32_t *seed)
{
    struct bench_bits bits = {0};
    for (unsigned i = 0; i < 4; i++)
        bench_bits_set(&bits, 32 * i, 32, seed ? seed[i] : bench_random());
    for (unsigned i = 0; i < PATH_WORDS; i++)
        bench_bits_set(&bits, 128 + 32 * i, 32, i < key_words ? key[i] : (key_words > 2 ? 0 : bench_random()));
    bench_bits_set(&bits, 416, 16, index);
    bench_bits_set(&bits, 432, 4, op);
    bench_send(cmd_id(), "", 1, false, &bits);
}

static enum result command_end(unsigned *found)
{
    struct bench_packet got;
    wait_for(cmd_id(), &got, 2000000);
    if (found)
        *found = (unsigned)bench_bits_get(&got.user, 0, 16);
    return (enum result)bench_bits_get(&got.user, 16, 3);
}

static enum result command(enum op op, unsigned index)
{
    command_send(op, index, NULL, 0, NULL);
    return command_end(NULL);
}

static void flip(unsigned table, unsigned row, unsigned word, unsigned bit)
{
    static unsigned toggle[INSTANCES];
    toggle[size] ^= 1;
    bench_set((int)size, 0, 31, (uint64_t)toggle[size] << 30 | (uint64_t)table << 28 | row << 12 | word << 6 | bit);
    bench_run(60); /* a lookup may hold it up */
}

/* ---- the model ---- */

static bool same_path(const uint32_t *a, const uint32_t *b)
{
    static const unsigned ip4[] = {0, 1, 5};
    if (a[0] & 1)
        return memcmp(a, b, PATH_WORDS * 4) == 0;
    for (unsigned i = 0; i < 3; i++)
        if (a[ip4[i]] != b[ip4[i]])
            return false;
    return true;
}

static int model_path(const uint32_t *key)
{
    for (unsigned i = 0; i < rows; i++)
        if (paths[i].in && same_path(paths[i].key, key))
            return (int)i;
    return -1;
}

static int model_conn(const uint32_t *key)
{
    for (unsigned i = 0; i < rows; i++)
        if (conns[i].in && memcmp(conns[i].key, key, 8) == 0)
            return (int)i;
    return -1;
}

struct answer {
    bool path_hit;
    int conn; /* -1 = none */
    int path;
};

struct segment {
    bool tagged;
    unsigned vlan;
    uint32_t key[PATH_WORDS]; /* word 0 without VLAN */
    uint32_t ports;
};

static struct answer model_lookup(const struct segment *s)
{
    struct answer a = {.conn = -1};
    for (int try = 0; try < 2; try++) {
        uint32_t key[PATH_WORDS];
        memcpy(key, s->key, sizeof key);
        key[0] = (key[0] & 1) | (try == 0 && s->tagged ? s->vlan << 16 : 0);
        a.path = model_path(key);
        if (a.path >= 0) {
            uint32_t ck[2] = {(uint32_t)a.path, s->ports};
            a.path_hit = true;
            a.conn = model_conn(ck);
            if (a.conn >= 0)
                break;
        }
    }
    return a;
}

static void lookup_send(const struct segment *s)
{
    struct bench_bits bits = {0};
    bench_bits_set(&bits, 0, 16, s->ports & 0xFFFF);
    bench_bits_set(&bits, 16, 16, s->ports >> 16);
    for (unsigned i = 0; i < 4; i++) {
        bench_bits_set(&bits, 32 + 32 * i, 32, s->key[5 + i]);
        bench_bits_set(&bits, 160 + 32 * i, 32, s->key[1 + i]);
    }
    bench_bits_set(&bits, 288, 12, s->vlan);
    bench_bits_set(&bits, 300, 1, s->tagged);
    bench_bits_set(&bits, 301, 1, s->key[0] & 1);
    bench_send(lk_id(), "", 1, false, &bits);
}

struct reply {
    bool hit, path_hit, bad, invalid;
    unsigned state, generation, index, path;
};

static struct reply reply_of(const struct bench_packet *got)
{
    const struct bench_bits *u = &got->user;
    return (struct reply){.path = (unsigned)bench_bits_get(u, 0, 16),
                          .index = (unsigned)bench_bits_get(u, 16, 16),
                          .generation = (unsigned)bench_bits_get(u, 32, 14),
                          .state = (unsigned)bench_bits_get(u, 46, 4),
                          .invalid = bench_bits_get(u, 50, 1),
                          .bad = bench_bits_get(u, 51, 1),
                          .path_hit = bench_bits_get(u, 52, 1),
                          .hit = bench_bits_get(u, 53, 1)};
}

static struct reply lookup(const struct segment *s)
{
    struct bench_packet got;
    lookup_send(s);
    wait_for(lk_id(), &got, 100000);
    return reply_of(&got);
}

static void expect_reply(const struct answer *a, struct reply r)
{
    CHECK_EQ(a->conn >= 0, r.hit);
    CHECK_EQ(a->path_hit, r.path_hit);
    CHECK(!r.bad);
    if (a->conn >= 0) {
        CHECK_EQ(a->conn, r.index);
        CHECK_EQ(a->path, r.path);
        CHECK_EQ(conns[a->conn].head & 15, r.state);
        CHECK_EQ(conns[a->conn].head >> 4 & 1, r.invalid);
        CHECK_EQ(conns[a->conn].head >> 16 & 0x3FFF, r.generation);
    }
}

static void expect_lookup(const struct segment *s)
{
    struct answer a = model_lookup(s);
    expect_reply(&a, lookup(s));
}

/* ---- as the firmware does it ---- */

static void clear(void)
{
    CHECK_EQ(OK, command(CLEAR, 0));
    memset(paths, 0, sizeof paths);
    memset(conns, 0, sizeof conns);
}

static void begin(unsigned which)
{
    size = which;
    rows = connections_of[which];
    clear();
}

/* Insert; on FULL reseed and try again, as often as it takes. */
static enum result insert(enum op op, unsigned row)
{
    for (int tries = 0; tries < 20; tries++) {
        enum result r = command(op, row);
        if (r != FULL)
            return r;
        reseeds++;
        command(RESEED, 0);
    }
    return FULL;
}

static void put_path(unsigned row, const uint32_t *key)
{
    for (unsigned i = 0; i < PATH_WORDS; i++)
        word_write(PATH, row, 6 + i, key[i]);
    memcpy(paths[row].key, key, sizeof paths[row].key);
}

static void put_conn(unsigned row, uint32_t path, uint32_t ports)
{
    conns[row].key[0] = path;
    conns[row].key[1] = ports;
    conns[row].head = (uint32_t)bench_random() & 0x3FFF007F;
    word_write(CONNECTION, row, 0, conns[row].head);
    word_write(CONNECTION, row, 5, path);
    word_write(CONNECTION, row, 6, ports);
}

static void random_path_key(uint32_t *key)
{
    bool ipv6 = bench_chance(50);
    memset(key, 0, PATH_WORDS * 4);
    key[0] = (uint32_t)ipv6 | (uint32_t)bench_random_in(0, 2) << 16;
    for (unsigned i = 1; i < PATH_WORDS; i++)
        if (ipv6 || i == 1 || i == 5)
            key[i] = (uint32_t)bench_random_in(0, 3) << (8 * bench_random_in(0, 3));
}

static struct segment random_segment(void)
{
    struct segment s = {.tagged = bench_chance(50), .vlan = 0, .ports = (uint32_t)bench_random_in(0, 3)};
    unsigned pick = (unsigned)bench_random_in(0, rows - 1);
    if (bench_chance(80) && paths[pick].in) {
        memcpy(s.key, paths[pick].key, sizeof s.key);
        if (!(s.key[0] & 1))
            for (unsigned i = 1; i < PATH_WORDS; i++)
                if (i != 1 && i != 5)
                    s.key[i] = 0;
    } else {
        random_path_key(s.key);
    }
    s.key[0] &= 1;
    if (s.tagged)
        s.vlan = (unsigned)bench_random_in(0, 2);
    pick = (unsigned)bench_random_in(0, rows - 1);
    if (bench_chance(70) && conns[pick].in)
        s.ports = conns[pick].key[1];
    return s;
}

/* ---- tests ---- */

/* Words read back as written at every place of every table, and only there. */
TEST(every_word_of_every_table_keeps_its_value)
{
    for (unsigned n = 0; n < 3; n++) {
        begin(n);
        const unsigned count[] = {4, neighbors_of[n], rows, rows};
        const unsigned words[] = {64, 16, 16, 64};
        for (unsigned pass = 0; pass < 2; pass++)
            for (unsigned t = 0; t < 4; t++)
                for (unsigned r = 0; r < count[t]; r++)
                    for (unsigned w = 0; w < words[t]; w++) {
                        uint32_t value = (t << 28 | r << 8 | w) * 2654435761u;
                        if (pass == 0) {
                            CHECK_EQ(0, word_read(t, r, w));
                            word_write(t, r, w, value);
                        } else {
                            CHECK_EQ(value, word_read(t, r, w));
                        }
                    }
        for (unsigned t = 0; t < 4; t++) {
            CHECK(!word_access(false, t, count[t], 0, 0, NULL));
            CHECK(!word_access(true, t, count[t], 0, 1, NULL));
            CHECK(!word_access(false, t, 0xFFFF, 63, 0, NULL));
            if (words[t] == 16)
                CHECK(!word_access(false, t, 0, 16, 0, NULL));
        }
        CHECK_EQ(0, bench_arrived(err_id()));
    }
}

/* CH-040: as many paths and connections as the tables have rows can be held at once, and each is found. */
static void fill_and_find(const char *kind, void (*make)(unsigned row, uint32_t *key, uint32_t *ports))
{
    unsigned before = reseeds;
    for (unsigned i = 0; i < rows; i++) {
        uint32_t key[PATH_WORDS] = {0}, ports;
        make(i, key, &ports);
        put_path(i, key);
        CHECK_EQ(OK, insert(INSERT_PATH, i));
        paths[i].in = true;
    }
    for (unsigned i = 0; i < rows; i++) {
        uint32_t key[PATH_WORDS] = {0}, ports;
        make(i, key, &ports);
        put_conn(i, i % 3 ? i : 0, ports);
        CHECK_EQ(OK, insert(INSERT_CONN, i));
        conns[i].in = true;
    }
    for (unsigned i = 0; i < rows; i++) {
        struct segment s = {.ports = conns[i].key[1]};
        unsigned found;
        memcpy(s.key, paths[conns[i].key[0]].key, sizeof s.key);
        s.tagged = s.key[0] >> 16 != 0 || bench_chance(50);
        s.vlan = s.key[0] >> 16;
        s.key[0] &= 1;
        expect_lookup(&s);
        command_send(FIND_PATH, 0, paths[i].key, PATH_WORDS, NULL);
        CHECK_EQ(OK, command_end(&found));
        CHECK_EQ(i, found);
        command_send(FIND_CONN, 0, conns[i].key, 2, NULL);
        CHECK_EQ(OK, command_end(&found));
        CHECK_EQ(i, found);
    }
    printf("  %u paths and %u connections, %s: %u reseeds\n", rows, rows, kind, reseeds - before);
}

static void keys_random(unsigned i, uint32_t *key, uint32_t *ports)
{
    key[0] = 1 | i % 4095 << 16;
    for (unsigned w = 1; w < PATH_WORDS; w++)
        key[w] = (uint32_t)bench_random();
    key[8] = i;
    *ports = i << 16 | (bench_random() & 0xFFFF);
}

static void keys_sequential(unsigned i, uint32_t *key, uint32_t *ports)
{
    key[1] = 0x0100000A;
    key[5] = 0x0200000A + (i << 24) + (i >> 8 << 16);
    *ports = 1024 + i;
}

static void keys_same_low_bits(unsigned i, uint32_t *key, uint32_t *ports)
{
    key[0] = 1;
    key[4] = i << 22;
    key[8] = i << 20;
    *ports = i << 22;
}

static void keys_one_bit(unsigned i, uint32_t *key, uint32_t *ports)
{
    key[0] = 1;
    key[1 + i / 32 % 8] = 1u << i % 32;
    key[1 + (i / 256 + 1) % 8] ^= i / 256;
    *ports = i << 5;
}

TEST(the_tables_hold_as_many_rows_as_they_have)
{
    for (unsigned n = 0; n < SIZES; n++) {
        begin(n);
        fill_and_find("random keys", keys_random);
        clear();
        fill_and_find("sequential keys", keys_sequential);
        if (n == 3)
            continue; /* time */
        clear();
        fill_and_find("keys alike but for high bits", keys_same_low_bits);
        clear();
        fill_and_find("keys of single bits", keys_one_bit);
    }
}

/* CH-040, CH-185: any sequence of inserts, deletes, finds and reseeds does what a list does, with lookups at the same time. */
static void random_commands(unsigned steps)
{
    for (unsigned step = 0; step < steps; step++) {
        unsigned row = (unsigned)bench_random_in(0, rows - 1), found;
        unsigned what = (unsigned)bench_random_in(0, 99);
        if (what < 25) {
            uint32_t key[PATH_WORDS];
            if (paths[row].in)
                continue;
            random_path_key(key);
            put_path(row, key);
            int there = model_path(key);
            command_send(INSERT_PATH, row, NULL, 0, NULL);
            CHECK_EQ(there < 0 ? OK : EXISTS, command_end(&found));
            if (there >= 0)
                CHECK_EQ(there, found);
            else
                paths[row].in = true;
        } else if (what < 50) {
            if (conns[row].in)
                continue;
            put_conn(row, (uint32_t)bench_random_in(0, rows - 1), (uint32_t)bench_random_in(0, 3));
            int there = model_conn(conns[row].key);
            command_send(INSERT_CONN, row, NULL, 0, NULL);
            CHECK_EQ(there < 0 ? OK : EXISTS, command_end(&found));
            if (there >= 0)
                CHECK_EQ(there, found);
            else
                conns[row].in = true;
        } else if (what < 60) {
            CHECK_EQ(paths[row].in ? OK : MISS, command(DELETE_PATH, row));
            paths[row].in = false;
        } else if (what < 70) {
            CHECK_EQ(conns[row].in ? OK : MISS, command(DELETE_CONN, row));
            conns[row].in = false;
        } else if (what < 72) {
            CHECK_EQ(OK, command(RESEED, 0));
        } else if (what < 80) {
            uint32_t key[PATH_WORDS];
            random_path_key(key);
            int there = model_path(key);
            command_send(FIND_PATH, 0, key, PATH_WORDS, NULL);
            CHECK_EQ(there < 0 ? MISS : OK, command_end(&found));
            if (there >= 0)
                CHECK_EQ(there, found);
        } else if (what < 82) {
            CHECK_EQ(BAD_INDEX, command((enum op)bench_random_in(INSERT_PATH, DELETE_CONN), rows));
        } else {
            struct segment s = random_segment();
            expect_lookup(&s);
        }
    }
}

TEST(any_sequence_of_commands_does_what_a_list_does)
{
    for (unsigned n = 0; n < 3; n++) {
        begin(n);
        random_commands(n == 2 ? 3000 : 2000);
    }
    CHECK_EQ(0, bench_arrived(err_id()));
}

/* CH-040: lookups that go on during a command find every entry that is not part of it, whatever the command is. */
TEST(lookups_during_commands_lose_nothing)
{
    for (unsigned n = 0; n < 3; n++) {
        begin(n);
        /* Half of the rows stay, with one connection each; the rest comes and goes. */
        unsigned stay = rows / 2;
        for (unsigned i = 0; i < stay; i++) {
            uint32_t key[PATH_WORDS] = {0};
            key[1] = 0x0A;
            key[5] = i;
            put_path(i, key);
            put_conn(i, i, i);
            CHECK_EQ(OK, insert(INSERT_PATH, i));
            CHECK_EQ(OK, insert(INSERT_CONN, i));
            paths[i].in = conns[i].in = true;
        }
        for (unsigned round = 0; round < (n == 2 ? 120u : 200u); round++) {
            unsigned row = stay + (unsigned)bench_random_in(0, rows - stay - 1);
            enum op op = (enum op)bench_random_in(INSERT_PATH, RESEED);
            bool is_path = op == INSERT_PATH || op == DELETE_PATH;
            bool in = is_path ? paths[row].in : conns[row].in;
            if (op == INSERT_PATH && !in) {
                uint32_t key[PATH_WORDS] = {0};
                key[1] = 0x0B;
                key[5] = row << 8 | (uint32_t)bench_random_in(0, 255);
                put_path(row, key);
            } else if (op == INSERT_CONN && !in) {
                put_conn(row, row, row);
            }
            unsigned going = (unsigned)bench_random_in(1, 12);
            struct segment sent[12];
            bench_mode_random();
            bench_sink_mode(lk_id(), BENCH_FULL, 0);
            bench_sink_mode(tp_id(), BENCH_FULL, 0);
            bench_sink_mode(cmd_id(), BENCH_FULL, 0);
            for (unsigned i = 0; i < going; i++) {
                unsigned at = (unsigned)bench_random_in(0, stay - 1);
                sent[i] = (struct segment){.ports = conns[at].key[1], .tagged = bench_chance(50), .vlan = 5};
                memcpy(sent[i].key, paths[at].key, sizeof sent[i].key);
                if (!sent[i].tagged)
                    sent[i].vlan = 0;
                lookup_send(&sent[i]);
            }
            enum result r = command(op, row);
            if (op == RESEED)
                CHECK_EQ(OK, r);
            else if (op == INSERT_PATH || op == INSERT_CONN)
                CHECK_EQ(in ? EXISTS : OK, r);
            else
                CHECK_EQ(in ? OK : MISS, r);
            if (op == INSERT_PATH || op == DELETE_PATH)
                paths[row].in = op == INSERT_PATH;
            if (op == INSERT_CONN || op == DELETE_CONN)
                conns[row].in = op == INSERT_CONN;
            for (unsigned i = 0; i < going; i++) {
                struct bench_packet got;
                struct answer a = model_lookup(&sent[i]);
                wait_for(lk_id(), &got, 20000);
                expect_reply(&a, reply_of(&got));
                CHECK(a.conn >= 0);
            }
        }
        bench_mode_all(BENCH_FULL, 0, 0);
    }
}

/* ---- lookups without a pause ---- */

enum { FLYING = 16, GAP_MAX = 42 + 60 + 4 }; /* cycles between two answers: a lookup and a step of a command */

struct stream {
    struct segment sent[FLYING];
    bool of_object[FLYING];
    unsigned first, flying;
    uint64_t last, gap_max, gap_sum, answers;
};

/* What the command under way changes: lookups that ended before it see `was`, those that begin after it `now`. */
struct change {
    struct segment object;
    struct answer was, now;
    uint64_t begin, end;
};

static struct segment row_segment(unsigned row)
{
    struct segment s = {.ports = row + 1};
    s.key[1] = 0x0C;
    s.key[5] = row;
    return s;
}

static bool same_answer(const struct answer *a, struct reply r)
{
    return (a->conn >= 0) == r.hit && a->path_hit == r.path_hit && !r.bad &&
           (!r.hit || ((int)r.index == a->conn && (int)r.path == a->path));
}

/* One cycle, with lookups always waiting; answers are held against what they may see. */
static void stream_step(struct stream *st, const struct change *c, unsigned stay)
{
    struct bench_packet got;

    while (st->flying < FLYING) {
        unsigned at = (st->first + st->flying++) % FLYING;
        st->of_object[at] = bench_chance(50);
        st->sent[at] = st->of_object[at] ? c->object : row_segment((unsigned)bench_random_in(0, stay - 1));
        lookup_send(&st->sent[at]);
    }
    bench_run(1);
    while (bench_take(lk_id(), &got)) {
        struct reply r = reply_of(&got);
        uint64_t begun = st->last;
        if (st->last) {
            uint64_t gap = got.first_cycle - st->last;
            st->gap_max = gap > st->gap_max ? gap : st->gap_max;
            st->gap_sum += gap;
            st->answers++;
        }
        st->last = got.first_cycle;
        if (!st->of_object[st->first]) {
            struct answer a = model_lookup(&st->sent[st->first]);
            expect_reply(&a, r);
            CHECK(a.conn >= 0);
        } else if (memcmp(&st->sent[st->first], &c->object, sizeof c->object) == 0) {
            bool was = same_answer(&c->was, r), now = same_answer(&c->now, r);
            if (got.first_cycle <= c->begin)
                CHECK(was);
            else if (begun >= c->end)
                CHECK(now);
            else
                CHECK(was || now);
        }
        st->first = (st->first + 1) % FLYING;
        st->flying--;
    }
}

/*
 * CH-040, CH-185: lookups that follow one another without a pause see each insertion and deletion as soon as it is answered,
 * and find all other entries all the time; neither holds the other up for longer than a step.
 */
TEST(lookups_at_full_rate_see_every_insertion_and_deletion)
{
    for (unsigned n = 1; n < 3; n++) {
        begin(n);
        struct stream st = {0};
        unsigned stay = rows / 2, done[CLEAR + 1] = {0};
        uint64_t longest = 0;
        for (unsigned i = 0; i < rows; i++) {
            struct segment s = row_segment(i);
            put_path(i, s.key);
            put_conn(i, i, s.ports);
            if (i >= stay)
                continue;
            CHECK_EQ(OK, insert(INSERT_PATH, i));
            CHECK_EQ(OK, insert(INSERT_CONN, i));
            paths[i].in = conns[i].in = true;
        }
        for (unsigned round = 0; round < 150; round++) {
            unsigned row = stay + (unsigned)bench_random_in(0, rows - stay - 1);
            enum op op = !paths[row].in     ? INSERT_PATH
                         : conns[row].in    ? DELETE_CONN
                         : bench_chance(60) ? INSERT_CONN
                                            : DELETE_PATH;
            struct change c = {.object = row_segment(row), .begin = UINT64_MAX, .end = UINT64_MAX};
            struct bench_packet got;

            c.was = c.now = model_lookup(&c.object);
            for (unsigned i = 0; i < 300; i++)
                stream_step(&st, &c, stay);
            *(op == INSERT_PATH || op == DELETE_PATH ? &paths[row].in : &conns[row].in) =
                op == INSERT_PATH || op == INSERT_CONN;
            c.now = model_lookup(&c.object);
            c.begin = bench_cycle();
            command_send(op, row, NULL, 0, NULL);
            while (!bench_take(cmd_id(), &got)) {
                stream_step(&st, &c, stay);
                CHECK(bench_cycle() - c.begin < 100000);
            }
            CHECK_EQ(OK, bench_bits_get(&got.user, 16, 3));
            done[op]++;
            c.end = got.first_cycle;
            longest = c.end - c.begin > longest ? c.end - c.begin : longest;
            for (unsigned i = 0; i < 300; i++)
                stream_step(&st, &c, stay);
        }
        CHECK(done[INSERT_PATH] && done[INSERT_CONN] && done[DELETE_PATH] && done[DELETE_CONN]);
        CHECK(st.gap_max <= GAP_MAX);
        if (n == 2) {
            bench_report("lookup_cycles/ipv4_during_commands", (double)st.gap_sum / (double)st.answers, "cycles",
                         "mean, half of them miss now and then");
            bench_report("lookup_cycles/ipv4_during_commands_max", (double)st.gap_max, "cycles",
                         "with a step of a command between");
            bench_report("table_command_cycles/full_rate", (double)longest, "cycles", "longest, 64 rows, lookups all the time");
        }
        struct bench_packet got;
        while (st.flying) {
            wait_for(lk_id(), &got, 10000);
            st.flying--;
        }
    }
}

/* CH-151: a flipped bit of any word, data or parity, is detected when the word is read and named by table, row and word. */
TEST(a_flipped_bit_is_named)
{
    for (unsigned n = 0; n < SIZES; n++) {
        begin(n);
        const unsigned count[] = {4, neighbors_of[n], rows, rows};
        const unsigned words[] = {64, 16, 16, 64};
        for (unsigned i = 0; i < 200; i++) {
            unsigned t = (unsigned)bench_random_in(0, 3), r = (unsigned)bench_random_in(0, count[t] - 1);
            unsigned w = (unsigned)bench_random_in(0, words[t] - 1), b = i < 36 ? i : (unsigned)bench_random_in(0, 35);
            uint32_t value = (uint32_t)bench_random(), read;
            struct bench_packet got;
            word_write(t, r, w, value);
            flip(t, r, w, b);
            CHECK(!word_access(false, t, r, w, 0, &read));
            CHECK_EQ(value ^ (b < 32 ? 1u << b : 0), read);
            wait_for(err_id(), &got, 1000);
            CHECK_EQ(1u << 31 | t << 24 | w << 16 | r, bench_bits_get(&got.user, 0, 32));
            word_write(t, r, w, value);
            CHECK_EQ(value, word_read(t, r, w));
            CHECK_EQ(0, bench_arrived(err_id()));
        }
    }
}

/* CH-151: a row whose key or head is damaged is never taken for another: the lookup says so, and commands answer CHECK. */
TEST(a_damaged_row_is_not_found_and_can_be_deleted)
{
    for (unsigned n = 0; n < 3; n++) {
        for (unsigned i = 0; i < 60; i++) {
            begin(n);
            uint32_t key[PATH_WORDS] = {0};
            struct segment s = {.ports = 0x12345678};
            struct bench_packet got;
            unsigned found;
            key[1] = (uint32_t)bench_random();
            key[5] = (uint32_t)bench_random();
            memcpy(s.key, key, sizeof key);
            put_path(1, key);
            CHECK_EQ(OK, command(INSERT_PATH, 1));
            put_conn(0, 1, 0x12345678);
            CHECK_EQ(OK, command(INSERT_CONN, 0));
            paths[1].in = conns[0].in = true;
            expect_lookup(&s);

            static const unsigned path_words[] = {6, 7, 11}, conn_words[] = {0, 5, 6};
            bool in_path = bench_chance(50);
            unsigned word = in_path ? path_words[bench_random_in(0, 2)] : conn_words[bench_random_in(0, 2)];
            unsigned table = in_path ? PATH : CONNECTION, row = in_path ? 1 : 0;
            flip(table, row, word, (unsigned)bench_random_in(0, 35));
            struct reply r = lookup(&s);
            CHECK(!r.hit && r.bad);
            CHECK_EQ(!in_path, r.path_hit);
            wait_for(err_id(), &got, 1000);
            CHECK_EQ(1u << 31 | table << 24 | word << 16 | row, bench_bits_get(&got.user, 0, 32));

            if (word != 0) {
                command_send(in_path ? FIND_PATH : FIND_CONN, 0, in_path ? key : conns[0].key, in_path ? PATH_WORDS : 2, NULL);
                CHECK_EQ(CHECK_FAILED, command_end(&found));
            }
            CHECK_EQ(OK, command(in_path ? DELETE_PATH : DELETE_CONN, row));
            CHECK_EQ(MISS, command(in_path ? DELETE_PATH : DELETE_CONN, row));
            r = lookup(&s);
            CHECK(!r.hit && !r.bad);
            while (bench_take(err_id(), &got))
                ;
        }
    }
}

static void expect_everything(void)
{
    for (unsigned i = 0; i < rows; i++) {
        unsigned found;
        command_send(FIND_PATH, 0, paths[i].key, PATH_WORDS, NULL);
        CHECK_EQ(paths[i].in ? OK : MISS, command_end(&found));
        if (paths[i].in)
            CHECK_EQ(i, found);
        command_send(FIND_CONN, 0, conns[i].key, 2, NULL);
        CHECK_EQ(conns[i].in ? OK : MISS, command_end(&found));
        if (conns[i].in)
            CHECK_EQ(i, found);
    }
}

/*
 * CH-031, CH-040: in an index of 16 slots for 16 rows entries are moved, inserts are refused as FULL and so are reseeds;
 * whatever is answered, no entry is lost or doubled, and lookups during it find what is there.
 */
TEST(a_full_index_refuses_and_loses_nothing)
{
    unsigned full = 0, full_reseeds = 0, good_reseeds = 0, held = 0;

    begin(FEW_SLOTS);
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned i = 0; i < rows; i++) {
            uint32_t key[PATH_WORDS] = {0};
            for (unsigned w = 0; w < 2; w++) {
                bool path = w == 0;
                if (path ? paths[i].in : conns[i].in)
                    continue;
                if (path) {
                    key[0] = bench_chance(50);
                    key[1] = (uint32_t)bench_random();
                    key[5] = i;
                    put_path(i, key);
                } else {
                    put_conn(i, i, (uint32_t)bench_random());
                }
                /* A held connection is looked up while this goes on. */
                struct segment s = {0};
                struct answer a = {.conn = -1};
                struct bench_packet got;
                for (unsigned c = 0; c < rows; c++) {
                    unsigned at = (c + round) % rows;
                    if (!conns[at].in || !paths[at].in)
                        continue;
                    memcpy(s.key, paths[at].key, sizeof s.key);
                    s.ports = conns[at].key[1];
                    a = model_lookup(&s);
                    CHECK_EQ(at, a.conn);
                }
                for (int k = 0; k < 6 && a.conn >= 0; k++)
                    lookup_send(&s);
                enum op op = bench_chance(20) ? RESEED : path ? INSERT_PATH : INSERT_CONN;
                enum result r = command(op, i);
                CHECK(r == OK || r == FULL);
                if (op == RESEED) {
                    *(r == OK ? &good_reseeds : &full_reseeds) += 1;
                } else {
                    full += r == FULL;
                    *(path ? &paths[i].in : &conns[i].in) = r == OK;
                }
                for (int k = 0; k < 6 && a.conn >= 0; k++) {
                    wait_for(lk_id(), &got, 20000);
                    expect_reply(&a, reply_of(&got));
                }
            }
        }
        expect_everything();
        unsigned now = 0;
        for (unsigned i = 0; i < rows; i++)
            now += (unsigned)paths[i].in + (unsigned)conns[i].in;
        held = now > held ? now : held;
        for (unsigned i = 0; i < rows; i++) {
            if (paths[i].in && bench_chance(40)) {
                CHECK_EQ(OK, command(DELETE_PATH, i));
                paths[i].in = false;
            }
            if (conns[i].in && bench_chance(40)) {
                CHECK_EQ(OK, command(DELETE_CONN, i));
                conns[i].in = false;
            }
        }
        expect_everything();
    }
    uint64_t moves = bench_count((int)size, 1);
    printf("  16 slots: up to %u entries, %llu moves, %u inserts refused, reseeds: %u done, %u refused\n", held,
           (unsigned long long)moves, full, good_reseeds, full_reseeds);
    CHECK(moves > 20 && full > 20 && full_reseeds > 0 && good_reseeds > 0);
}

/* An unreset table misses; before CLEAR nothing can be inserted. */
TEST(nothing_is_found_before_clear)
{
    for (unsigned n = 0; n < SIZES; n++) {
        begin(n);
        uint32_t key[PATH_WORDS] = {0};
        struct segment s = {.ports = 7};
        put_path(0, key);
        CHECK_EQ(OK, command(INSERT_PATH, 0));
        bench_reset();
        struct reply r = lookup(&s);
        CHECK(!r.hit && !r.path_hit && !r.bad);
        CHECK_EQ(FULL, command(INSERT_PATH, 0));
        CHECK_EQ(MISS, command(DELETE_PATH, 0));
        CHECK_EQ(MISS, command(RESEED, 0));
    }
}

/* How long lookups take, and that the tables are idle after it. */
TEST(lookups_keep_up_with_minimum_frames)
{
    static const struct {
        const char *name;
        bool ipv6, tagged, match;
    } kinds[] = {{"lookup_cycles/ipv4", false, false, true},
                 {"lookup_cycles/ipv4_tagged", false, true, true},
                 {"lookup_cycles/ipv6", true, false, true},
                 {"lookup_cycles/ipv6_tagged", true, true, true},
                 {"lookup_cycles/ipv4_none", false, false, false}};

    begin(2);
    for (unsigned v = 0; v < 2; v++) {
        uint32_t key[PATH_WORDS] = {v, 1, v, v, v, 2, v, v, v};
        put_path(v, key);
        put_conn(v, v, 3);
        CHECK_EQ(OK, insert(INSERT_PATH, v));
        CHECK_EQ(OK, insert(INSERT_CONN, v));
        paths[v].in = conns[v].in = true;
    }
    for (unsigned k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        uint32_t v = kinds[k].ipv6;
        struct segment s = {
            .tagged = kinds[k].tagged, .vlan = kinds[k].tagged ? 9 : 0, .key = {v, 1, v, v, v, 2, v, v, v}, .ports = 3};
        struct answer a;
        struct bench_packet got;
        uint64_t first = 0, last = 0;
        if (!kinds[k].match)
            s.key[1] = 77;
        a = model_lookup(&s);
        CHECK_EQ(kinds[k].match, a.conn >= 0);
        for (int i = 0; i < 50; i++)
            lookup_send(&s);
        for (int i = 0; i < 50; i++) {
            wait_for(lk_id(), &got, 1000);
            expect_reply(&a, reply_of(&got));
            if (i == 0)
                first = got.first_cycle;
            last = got.first_cycle;
        }
        bench_report(kinds[k].name, (double)(last - first) / 49, "cycles", "one after the other");
    }
    bench_run(20);
    CHECK(bench_get((int)size, 0, 1));
}
