/*
 * The host side of the connections: doorbell records, status lines, events (docs/tcp.md section 7).
 */
#include <string.h>

#include "bench.h"

enum { WIDTHS = 4, STATUS_BASE = 0x100 * 32, REGION = 3, LINE_BYTES = 32 };
enum { REFUSED_BIT = 0, WRITE_ERROR_BIT = 1, IDLE_BIT = 2 };
enum { ENDED_RESET = 2, STATE_ESTABLISHED = 4, STATE_CLOSE_WAIT = 7 };

static const unsigned rows_of[WIDTHS] = {8, 2, 64, 64};

struct tell {
    unsigned row;
    uint32_t snd_free, snd_una, rcv_nxt;
    unsigned state, ended;
    bool doubt, refused, fin;
};

static void load(int g, unsigned row, unsigned generation, bool live)
{
    struct bench_bits bits = {0};
    bench_bits_set(&bits, 0, 16, row);
    bench_bits_set(&bits, 16, 14, generation);
    bench_bits_set(&bits, 30, 1, live);
    bench_send(4 * g, "", 1, false, &bits);
}

static void word(int g, unsigned row, unsigned index, uint32_t value)
{
    struct bench_bits bits = {0};
    bench_bits_set(&bits, 0, 16, row);
    bench_bits_set(&bits, 16, 3, index);
    bench_bits_set(&bits, 19, 32, value);
    bench_send(4 * g + 1, "", 1, false, &bits);
}

struct record {
    uint32_t limit, consumed, free_seen, nxt_seen;
    bool fin, arm_send, arm_receive;
};

static void ring(int g, unsigned row, unsigned generation, const struct record *r)
{
    word(g, row, 0, r->limit);
    word(g, row, 1, r->consumed);
    word(g, row, 3, r->free_seen);
    word(g, row, 4, r->nxt_seen);
    word(g, row, 5, generation | (uint32_t)r->fin << 16 | (uint32_t)r->arm_send << 17 | (uint32_t)r->arm_receive << 18);
}

static void tell(int g, const struct tell *t)
{
    struct bench_bits bits = {0};
    bench_bits_set(&bits, 0, 1, t->fin);
    bench_bits_set(&bits, 1, 1, t->refused);
    bench_bits_set(&bits, 2, 1, t->doubt);
    bench_bits_set(&bits, 3, 3, t->ended);
    bench_bits_set(&bits, 6, 4, t->state);
    bench_bits_set(&bits, 10, 32, t->rcv_nxt);
    bench_bits_set(&bits, 42, 32, t->snd_una);
    bench_bits_set(&bits, 74, 32, t->snd_free);
    bench_bits_set(&bits, 106, 16, t->row);
    bench_send(4 * g + 2, "", 1, false, &bits);
}

/* The newest doorbell of each row that came out, and how many. */
struct rung {
    unsigned count;
    uint32_t limit, consumed;
    bool fin;
};

static bool take_doorbell(int g, unsigned *row, struct rung *r)
{
    struct bench_packet p;
    if (!bench_take(4 * g, &p))
        return false;
    r->fin = bench_bits_get(&p.user, 0, 1) != 0;
    r->consumed = (uint32_t)bench_bits_get(&p.user, 1, 32);
    r->limit = (uint32_t)bench_bits_get(&p.user, 33, 32);
    *row = (unsigned)bench_bits_get(&p.user, 65, 16);
    r->count++;
    return true;
}

static bool take_line(int g, unsigned *row, uint32_t line[8])
{
    struct bench_packet p;
    if (!bench_take(4 * g + 1, &p))
        return false;
    CHECK_EQ(LINE_BYTES, p.len);
    memcpy(line, p.data, LINE_BYTES);
    CHECK_EQ(LINE_BYTES, bench_bits_get(&p.user_last, 0, 17));
    uint32_t offset = (uint32_t)bench_bits_get(&p.user_last, 17, 32);
    CHECK_EQ(REGION, bench_bits_get(&p.user_last, 49, 8));
    *row = (offset - STATUS_BASE) / LINE_BYTES;
    CHECK_EQ(STATUS_BASE + *row * LINE_BYTES, offset);
    for (unsigned i = 4; i < 8; i++)
        CHECK_EQ(0, line[i]);
    return true;
}

enum { EV_SENT = 1, EV_RECEIVED = 2, EV_CHANGED = 4 };

static bool take_event(int g, unsigned *row, unsigned *bits, unsigned *generation)
{
    struct bench_packet p;
    if (!bench_take(4 * g + 2, &p))
        return false;
    CHECK_EQ(6, bench_bits_get(&p.user, 0, 4)); /* kind CONNECTION */
    *row = (unsigned)bench_bits_get(&p.user, 16, 16);
    *bits = (unsigned)bench_bits_get(&p.user, 32, 16);
    *generation = (unsigned)bench_bits_get(&p.user, 48, 14);
    CHECK_EQ(0, bench_bits_get(&p.user, 64, 32));
    return true;
}

static void begin(void)
{
    for (int g = 0; g < WIDTHS; g++)
        bench_set(g, 0, 2, 1);
    bench_run(2 * 64 + 8); /* rows are cleared after reset */
}

/* Load a row and take what its first tell brings. */
static void bring_up(int g, unsigned row, unsigned generation)
{
    uint32_t line[8];
    unsigned r, bits, gen;
    load(g, row, generation, true);
    bench_drain(5000);
    tell(g, &(struct tell){.row = row, .snd_free = 1000, .snd_una = 1000, .rcv_nxt = 5000, .state = STATE_ESTABLISHED});
    bench_drain(5000);
    CHECK(take_line(g, &r, line) && r == row);
    CHECK_EQ(1000, line[0]);
    CHECK_EQ(1000, line[1]);
    CHECK_EQ(5000, line[2]);
    CHECK_EQ((uint32_t)generation << 16 | STATE_ESTABLISHED, line[3]);
    CHECK(take_event(g, &r, &bits, &gen) && r == row && bits == EV_CHANGED && gen == generation);
}

/* CH-029, TCP-050: what the driver writes reaches the engine whole. */
TEST(a_doorbell_record_is_taken_over_with_its_control_word)
{
    for (int g = 0; g < WIDTHS; g++) {
        struct rung r = {0};
        unsigned row;
        begin();
        bring_up(g, 1, 77);
        word(g, 1, 0, 2222);
        word(g, 1, 1, 3333);
        bench_drain(1000);
        CHECK_EQ(0, bench_arrived(4 * g)); /* staged only */
        word(g, 1, 5, 77 | 1u << 16);
        bench_drain(1000);
        CHECK(take_doorbell(g, &row, &r));
        CHECK_EQ(1, row);
        CHECK_EQ(2222, r.limit);
        CHECK_EQ(3333, r.consumed);
        CHECK(r.fin);
        CHECK_EQ(0, bench_arrived(4 * g));
    }
}

/* CH-008: a record of another generation, of a row that is not loaded or does not exist, is refused and nothing of it is left.
 */
TEST(a_record_of_another_generation_is_refused)
{
    for (int g = 0; g < WIDTHS; g++) {
        uint64_t before;
        begin();
        before = bench_count(g, REFUSED_BIT);
        bring_up(g, 0, 5);
        ring(g, 0, 6, &(struct record){.limit = 1});
        ring(g, 1, 5, &(struct record){.limit = 1});
        ring(g, rows_of[g], 5, &(struct record){.limit = 1});
        ring(g, 0xFFFF, 5, &(struct record){.limit = 1});
        bench_drain(5000);
        CHECK_EQ(before + 4, bench_count(g, REFUSED_BIT));
        load(g, 0, 5, false);
        ring(g, 0, 5, &(struct record){.limit = 1});
        bench_drain(5000);
        CHECK_EQ(before + 5, bench_count(g, REFUSED_BIT));
        CHECK_EQ(0, bench_arrived(4 * g));
    }
}

/* Records that wait become one: newest positions, FIN kept. */
TEST(records_that_wait_are_coalesced)
{
    struct rung r = {0};
    unsigned row;
    begin();
    bring_up(0, 3, 9);
    bench_sink_mode(0, BENCH_RANDOM, 100);
    for (unsigned i = 0; i < 6; i++) {
        ring(0, 3, 9, &(struct record){.limit = 100 + i, .consumed = 200 + i, .fin = i == 2});
        bench_run(100);
    }
    CHECK_EQ(0, bench_waiting(1));
    bench_sink_mode(0, BENCH_FULL, 0);
    bench_drain(1000);
    CHECK(take_doorbell(0, &row, &r)); /* the one that was on offer */
    CHECK_EQ(100, r.limit);
    CHECK(!r.fin);
    CHECK(take_doorbell(0, &row, &r));
    CHECK_EQ(105, r.limit);
    CHECK_EQ(205, r.consumed);
    CHECK(r.fin);
    CHECK_EQ(0, bench_arrived(0));
}

TEST(a_load_forgets_what_waited)
{
    struct rung r = {0};
    unsigned row;
    begin();
    bring_up(0, 3, 9);
    bench_sink_mode(0, BENCH_RANDOM, 100);
    ring(0, 2, 1, &(struct record){0}); /* refused */
    ring(0, 3, 9, &(struct record){.limit = 1});
    bench_run(200);
    ring(0, 3, 9, &(struct record){.limit = 2, .fin = true});
    bench_run(500);
    load(0, 3, 10, true);
    bench_run(100);
    ring(0, 3, 10, &(struct record){.limit = 3});
    bench_run(100);
    bench_sink_mode(0, BENCH_FULL, 0);
    bench_drain(1000);
    CHECK(take_doorbell(0, &row, &r));
    CHECK_EQ(1, r.limit); /* was on offer already: the engine checks it */
    CHECK(take_doorbell(0, &row, &r));
    CHECK_EQ(3, r.limit);
    CHECK(!r.fin);
    CHECK_EQ(0, bench_arrived(0));
}

/* An armed event comes at once when the position has passed the one seen, else when it passes it, and once. */
TEST(no_wake_up_is_lost_and_none_is_superfluous)
{
    for (int g = 0; g < WIDTHS; g++) {
        unsigned row, bits, gen;
        struct tell t = {.row = 1, .snd_free = 1000, .snd_una = 1000, .rcv_nxt = 5000, .state = STATE_ESTABLISHED};
        begin();
        bring_up(g, 1, 3);
        ring(g, 1, 3, &(struct record){.free_seen = 1000, .nxt_seen = 4999, .arm_send = true, .arm_receive = true});
        bench_drain(1000);
        CHECK(take_event(g, &row, &bits, &gen)); /* received already passed 4999 */
        CHECK_EQ(EV_RECEIVED, bits);
        t.rcv_nxt = 6000;
        tell(g, &t);
        bench_drain(1000);
        CHECK_EQ(0, bench_arrived(4 * g + 2)); /* not armed any more; sent not passed */
        t.snd_free = 1001;
        tell(g, &t);
        bench_drain(1000);
        CHECK(take_event(g, &row, &bits, &gen));
        CHECK_EQ(EV_SENT, bits);
        t.snd_free = 1002;
        tell(g, &t);
        bench_drain(1000);
        CHECK_EQ(0, bench_arrived(4 * g + 2));
    }
}

/* TCP-212: how a connection ended stays in the line and is told once. */
TEST(an_end_is_told_once_and_stays_in_the_line)
{
    unsigned row, bits, gen;
    uint32_t line[8];
    struct tell t = {.row = 1, .snd_free = 1000, .snd_una = 1000, .rcv_nxt = 5000, .state = 0, .ended = ENDED_RESET};
    begin();
    bring_up(1, 1, 3);
    tell(1, &t);
    t.ended = 0;
    tell(1, &t);
    bench_drain(1000);
    while (take_line(1, &row, line))
        CHECK_EQ(ENDED_RESET, line[3] >> 4 & 7);
    CHECK(take_event(1, &row, &bits, &gen));
    CHECK_EQ(EV_CHANGED, bits);
    CHECK_EQ(0, bench_arrived(6));
}

/* Who reads word 3 first finds the bytes before the end in word 2: the FIN is not in it. */
TEST(the_end_of_the_stream_is_no_byte)
{
    unsigned row;
    uint32_t line[8];
    begin();
    bring_up(0, 1, 3);
    tell(0,
         &(struct tell){.row = 1, .snd_free = 1000, .snd_una = 1000, .rcv_nxt = 5011, .state = STATE_CLOSE_WAIT, .fin = true});
    bench_drain(1000);
    CHECK(take_line(0, &row, line));
    CHECK_EQ(5010, line[2]);
    CHECK_EQ(STATE_CLOSE_WAIT, line[3] & 0xF);
}

/* The event ring is full: tells and lines go on. */
TEST(an_event_port_that_stalls_holds_nothing_else_up)
{
    unsigned row, bits, gen, lines = 0;
    uint32_t line[8];
    begin();
    for (unsigned i = 0; i < 8; i++)
        bring_up(0, i, 3);
    bench_sink_mode(2, BENCH_RANDOM, 100);
    for (unsigned n = 0; n < 5; n++)
        for (unsigned i = 0; i < 8; i++)
            tell(0, &(struct tell){.row = i, .rcv_nxt = n, .state = n & 1 ? STATE_CLOSE_WAIT : STATE_ESTABLISHED});
    bench_run(4000);
    CHECK_EQ(0, bench_waiting(2));
    while (take_line(0, &row, line))
        lines++;
    CHECK(lines >= 8);
    CHECK_EQ(1, bench_get(0, IDLE_BIT, 1)); /* an event on offer is no work */
    bench_sink_mode(2, BENCH_FULL, 0);
    bench_drain(1000);
    for (unsigned i = 0; i < 9; i++) /* one on offer, one listed for each row */
        if (!take_event(0, &row, &bits, &gen))
            CHECK(i == 8);
    CHECK_EQ(0, bench_arrived(2));
}

TEST(a_status_line_that_cannot_be_written_is_reported)
{
    begin();
    bring_up(0, 1, 3);
    bench_set(0, 0, 2, 3);
    bench_run(2);
    tell(0, &(struct tell){.row = 1, .rcv_nxt = 1, .state = STATE_ESTABLISHED});
    bench_drain(1000);
    CHECK_EQ(1, bench_count(0, WRITE_ERROR_BIT));
}

/* Everything at once: at the end every line is the last tell, the last doorbell of every row came out with its FIN. */
TEST(random_traffic_ends_with_the_newest_of_everything)
{
    for (int g = 0; g < WIDTHS; g++) {
        unsigned rows = rows_of[g], row, bits, gen;
        struct tell last[64] = {0};
        struct record rung[64] = {0};
        struct rung came[64] = {0}, r;
        uint32_t memory[64][8] = {0}, line[8];
        unsigned records[64] = {0};

        begin();
        for (unsigned i = 0; i < rows; i++)
            bring_up(g, i, i + 1);
        bench_mode_random();
        for (unsigned n = 0; n < 2000; n++) {
            unsigned i = (unsigned)bench_random_in(0, rows - 1);
            if (bench_chance(50)) {
                last[i] = (struct tell){.row = i,
                                        .snd_free = (uint32_t)bench_random(),
                                        .snd_una = (uint32_t)bench_random(),
                                        .rcv_nxt = (uint32_t)bench_random(),
                                        .state = (unsigned)bench_random_in(4, 10)};
                last[i].snd_una = last[i].snd_free;
                tell(g, &last[i]);
            } else {
                bool fin = rung[i].fin || bench_chance(10);
                rung[i] = (struct record){.limit = (uint32_t)bench_random(),
                                          .consumed = (uint32_t)bench_random(),
                                          .fin = fin,
                                          .arm_send = bench_chance(50),
                                          .free_seen = (uint32_t)bench_random(),
                                          .arm_receive = bench_chance(50),
                                          .nxt_seen = (uint32_t)bench_random()};
                ring(g, i, i + 1, &rung[i]);
                records[i]++;
            }
            if (bench_chance(10))
                bench_run(bench_random_in(1, 200));
        }
        bench_drain(400000);
        bench_mode_all(BENCH_FULL, 0, 0);
        bench_drain(10000);
        while (take_line(g, &row, line))
            memcpy(memory[row], line, sizeof line);
        while (r = (struct rung){0}, take_doorbell(g, &row, &r)) {
            unsigned count = came[row].count + 1;
            bool fin = came[row].fin || r.fin;
            came[row] = r;
            came[row].count = count;
            came[row].fin = fin;
        }
        while (take_event(g, &row, &bits, &gen))
            CHECK_EQ(row + 1, gen);
        for (unsigned i = 0; i < rows; i++) {
            if (records[i] > 0) {
                CHECK(came[i].count >= 1);
                CHECK(came[i].count <= records[i]);
                CHECK_EQ(rung[i].limit, came[i].limit);
                CHECK_EQ(rung[i].consumed, came[i].consumed);
                CHECK_EQ(rung[i].fin, came[i].fin);
            }
            if (last[i].state != 0) {
                CHECK_EQ(last[i].snd_free, memory[i][0]);
                CHECK_EQ(last[i].snd_una, memory[i][1]);
                CHECK_EQ(last[i].rcv_nxt, memory[i][2]);
                CHECK_EQ(last[i].state, memory[i][3] & 0xF);
            }
        }
        CHECK_EQ(0, bench_count(g, REFUSED_BIT));
        bench_reset();
    }
}
