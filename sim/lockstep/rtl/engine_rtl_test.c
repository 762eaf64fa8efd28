/* What the engine does beside the rules: words, snapshot, rows that do not exist or fail their check. */
#include "engine_bits.h"
#include "record.h"

#include "check.h"

enum { ROWS = 64, CLEARING = 8 * (ROWS + 1) + 8, LONGEST = 400, SNAPSHOT_ROW = 0xFFFF };

struct bench {
    struct engine *engine;
    struct engine_in in;
    struct engine_out out;
    struct flue_tcp record; /* of the last trace */
    struct flue_tcp_actions actions;
    bool ok; /* of the last command or access */
    uint32_t data;
};

static void start(struct bench *b)
{
    memset(b, 0, sizeof *b);
    b->engine = engine_open();
    b->in = (struct engine_in){
        .rst = true, .take = true, .rto_min_us = FLUE_TCP_RTO_MIN_US, .rto_max_us = FLUE_TCP_RTO_MAX_US, .time_us = 5000000};
    for (unsigned i = 0; i < 4; i++)
        engine_clock(b->engine, &b->in, &b->out);
    b->in.rst = false;
    for (unsigned i = 0; i < CLEARING; i++)
        engine_clock(b->engine, &b->in, &b->out);
    CHECK(b->out.idle);
}

static void run(struct bench *b, unsigned kind, unsigned row)
{
    bool over = false;
    b->in.valid = true;
    b->in.kind = kind;
    b->in.index = row;
    memset(&b->actions, 0, sizeof b->actions);
    b->ok = false;
    for (unsigned i = 0; i < LONGEST && !(over && b->out.idle); i++) {
        engine_clock(b->engine, &b->in, &b->out);
        if (b->out.ready)
            b->in.valid = false;
        if (b->out.verdict_valid)
            engine_verdict(&b->out, &b->actions);
        if (b->out.tx_valid)
            engine_tx(&b->out, &b->actions);
        if (b->out.tell_valid)
            engine_tell(&b->out, &b->actions);
        if (b->out.notify_valid && b->actions.notes < 2)
            b->actions.note[b->actions.notes++] = (enum flue_tcp_note)(b->out.notify & 7);
        if (b->out.done_valid) {
            b->ok = b->out.done_ok;
            b->data = b->out.done_data;
        }
        if (b->out.trace_valid) {
            engine_record(&b->out, &b->record);
            b->actions.reason = (enum flue_tcp_reason)b->out.trace_reason;
        }
        over |= kind == ENGINE_WORD_ACCESS ? b->out.done_valid : b->out.trace_valid;
    }
    CHECK(over, "event %u of row %u ends", kind, row);
}

static uint32_t read_word(struct bench *b, unsigned row, unsigned word)
{
    engine_put_access(b->in.data, false, word, 0);
    run(b, ENGINE_WORD_ACCESS, row);
    return b->data;
}

static bool write_word(struct bench *b, unsigned row, unsigned word, uint32_t data)
{
    engine_put_access(b->in.data, true, word, data);
    run(b, ENGINE_WORD_ACCESS, row);
    return b->ok;
}

static bool command(struct bench *b, unsigned row, enum flue_tcp_command what)
{
    struct flue_tcp_event event = {.kind = FLUE_TCP_EV_COMMAND, .command = what};
    engine_put_event(b->in.data, &event);
    run(b, FLUE_TCP_EV_COMMAND, row);
    return b->ok;
}

static void segment(struct bench *b, unsigned row, const struct flue_tcp_seg *seg)
{
    struct flue_tcp_event event = {.kind = FLUE_TCP_EV_SEGMENT, .seg = *seg};
    engine_put_event(b->in.data, &event);
    run(b, FLUE_TCP_EV_SEGMENT, row);
}

static void flip(struct bench *b, unsigned row, unsigned quarter)
{
    b->in.flip = true;
    b->in.index = row;
    b->in.data[0] = quarter;
    engine_clock(b->engine, &b->in, &b->out);
    b->in.flip = false;
}

/* An established connection, mode EMPTY. */
static void write_plain(struct bench *b, unsigned row, uint32_t words[TCP_RECORD_WORDS])
{
    struct flue_tcp r;
    memset(&r, 0, sizeof r);
    r.state = FLUE_TCP_ESTABLISHED;
    r.mss = 1000;
    r.mss_rcv = 1000;
    r.rcv_buf = r.snd_buf = 65536;
    r.generation = 77;
    r.rcv_nxt = r.rcv_edge = r.consumed = r.last_ack_sent = 5000;
    r.rcv_adv = 5000 + 60000;
    r.snd_una = r.snd_max = r.send_limit = r.snd_wl2 = 100;
    r.snd_wl1 = 5000;
    r.snd_wnd = r.max_snd_wnd = 30000;
    r.cwnd = 10000;
    r.ssthresh = 1 << 30;
    tcp_record_pack(&r, words);
    for (unsigned i = 0; i < TCP_RECORD_WORDS; i++)
        CHECK(write_word(b, row, i, words[i]));
}

/* HND-006: what the firmware writes is what it reads back, each word for itself, in every row */
TEST(every_word_of_a_record_is_written_and_read_alone)
{
    struct bench b;
    start(&b);
    for (unsigned row = 0; row < ROWS; row += 21)
        for (unsigned i = 0; i < TCP_RECORD_WORDS; i++)
            CHECK(write_word(&b, row, i, i == 61 ? 0 : (row << 24 | i << 8) * 2654435761u));
    for (unsigned row = 0; row < ROWS; row += 21)
        for (unsigned i = 0; i < TCP_RECORD_WORDS; i++)
            CHECK_EQ(read_word(&b, row, i), i == 61 ? 0 : (row << 24 | i << 8) * 2654435761u);
    CHECK_EQ(read_word(&b, 1, 5), 0);
    CHECK(!write_word(&b, 0, TCP_RECORD_WORDS, 1), "word 68 does not exist");
    CHECK(!write_word(&b, ROWS, 0, 1), "row 64 does not exist");
    CHECK(command(&b, 21, FLUE_TCP_CLEAR));
    for (unsigned i = 0; i < TCP_RECORD_WORDS; i++)
        CHECK_EQ(read_word(&b, 21, i), 0);
    engine_close(b.engine);
}

TEST(words_of_a_live_connection_are_read_but_not_written)
{
    struct bench b;
    uint32_t words[TCP_RECORD_WORDS];
    start(&b);
    write_plain(&b, 9, words);
    CHECK(command(&b, 9, FLUE_TCP_LOAD));
    CHECK(!command(&b, 9, FLUE_TCP_LOAD), "it is loaded");
    CHECK(!write_word(&b, 9, 5, 1));
    CHECK_EQ(read_word(&b, 9, 5), 5000);
    CHECK(command(&b, 9, FLUE_TCP_FREEZE));
    CHECK_EQ(b.actions.notes, 1);
    CHECK_EQ(b.actions.note[0], FLUE_TCP_FROZE);
    CHECK(write_word(&b, 9, 5, 4999));
    CHECK_EQ(read_word(&b, 9, 5), 4999);
    engine_close(b.engine);
}

/* HND-011: a snapshot stays as it was while the connection goes on */
TEST(a_snapshot_is_one_moment)
{
    struct bench b;
    uint32_t words[TCP_RECORD_WORDS];
    start(&b);
    write_plain(&b, 3, words);
    CHECK(command(&b, 3, FLUE_TCP_LOAD));
    CHECK(command(&b, 3, FLUE_TCP_SNAPSHOT));
    segment(&b, 3, &(struct flue_tcp_seg){.seq = 5000, .ack = 100, .wnd = 20000, .flags = FLUE_TCP_ACK, .len = 500});
    CHECK_EQ(b.actions.verdict, FLUE_TCP_PLACE);
    CHECK_EQ(read_word(&b, SNAPSHOT_ROW, 6), 5000);
    CHECK_EQ(read_word(&b, 3, 6), 5500);
    CHECK(command(&b, 3, FLUE_TCP_SNAPSHOT));
    CHECK_EQ(read_word(&b, SNAPSHOT_ROW, 6), 5500);
    CHECK_EQ(read_word(&b, SNAPSHOT_ROW, 17), 20000);
    engine_close(b.engine);
}

/* HND-008: a record that fails its check is never used: frames go to the host, the firmware is told, CLEAR makes it good */
TEST(a_record_that_fails_its_check_is_not_used)
{
    struct bench b;
    uint32_t words[TCP_RECORD_WORDS];
    const struct flue_tcp_seg data = {.seq = 5000, .ack = 100, .wnd = 20000, .flags = FLUE_TCP_ACK, .len = 500};
    for (unsigned quarter = 0; quarter < 4; quarter++) {
        start(&b);
        write_plain(&b, 5, words);
        CHECK(command(&b, 5, FLUE_TCP_LOAD));
        flip(&b, 5, quarter);
        segment(&b, 5, &data);
        CHECK_EQ(b.actions.reason, FLUE_TCP_R_BAD_ROW);
        CHECK_EQ(b.actions.verdict, FLUE_TCP_DIVERT);
        CHECK_EQ(b.actions.notes, 1);
        CHECK_EQ(b.actions.note[0], FLUE_TCP_UPLOAD_HARDWARE);
        CHECK(!b.actions.has_tx && !b.actions.has_tell);
        CHECK(!command(&b, 5, FLUE_TCP_FREEZE));
        flip(&b, 5, quarter);
        segment(&b, 5, &data);
        CHECK_EQ(b.actions.verdict, FLUE_TCP_PLACE);
        flip(&b, 5, quarter);
        CHECK(command(&b, 5, FLUE_TCP_CLEAR));
        segment(&b, 5, &data);
        CHECK_EQ(b.actions.reason, FLUE_TCP_R_CLOSED);
        engine_close(b.engine);
    }
}

/* An established connection with three ranges of the peer's, LIVE. */
static void load_ranges(struct bench *b, unsigned row)
{
    uint32_t words[TCP_RECORD_WORDS];
    struct flue_tcp r;
    write_plain(b, row, words);
    tcp_record_unpack(words, &r);
    r.sack = 1;
    r.snd_max = r.send_limit = 100 + 20000;
    r.sacked_count = 3;
    for (unsigned i = 0; i < 3; i++)
        r.sacked[i] = (struct flue_tcp_range){2000 + 4000 * i, 3000 + 4000 * i};
    tcp_record_pack(&r, words);
    for (unsigned i = 0; i < TCP_RECORD_WORDS; i++)
        CHECK(write_word(b, row, i, words[i]));
    CHECK(command(b, row, FLUE_TCP_LOAD));
}

/* HND-008: so are the ranges of the scoreboard, those in use; what an event did before it met the bad one has no effect */
TEST(a_scoreboard_that_fails_its_check_is_not_used)
{
    struct bench b;
    const struct flue_tcp_seg data = {.seq = 5000, .ack = 100, .wnd = 20000, .flags = FLUE_TCP_ACK, .len = 500};
    const struct flue_tcp_seg ack = {.seq = 5500, .ack = 2500, .wnd = 20000, .flags = FLUE_TCP_ACK, .len = 500};
    for (unsigned range = 0; range < 3; range++) {
        start(&b);
        load_ranges(&b, 5);
        flip(&b, 5, 4 + 7);
        segment(&b, 5, &data);
        CHECK_EQ(b.actions.verdict, FLUE_TCP_PLACE);
        flip(&b, 5, 4 + range);
        segment(&b, 5, &ack);
        CHECK_EQ(b.actions.reason, FLUE_TCP_R_BAD_ROW);
        CHECK_EQ(b.actions.verdict, FLUE_TCP_DIVERT);
        CHECK_EQ(b.actions.notes, 1);
        CHECK_EQ(b.actions.note[0], FLUE_TCP_UPLOAD_HARDWARE);
        CHECK(!b.actions.has_tx && !b.actions.has_tell);
        CHECK_EQ(read_word(&b, 5, 12), 100);
        CHECK_EQ(read_word(&b, 5, 6), 5500);
        CHECK(!command(&b, 5, FLUE_TCP_FREEZE));
        CHECK(!command(&b, 5, FLUE_TCP_SNAPSHOT));
        read_word(&b, 5, 53 - 2 * range);
        CHECK(!b.ok, "a word that fails its check is not read");
        CHECK(command(&b, 5, FLUE_TCP_CLEAR));
        for (unsigned i = 0; i < TCP_RECORD_WORDS; i++) {
            CHECK_EQ(read_word(&b, 5, i), 0);
            CHECK(b.ok);
        }
        load_ranges(&b, 5);
        segment(&b, 5, &data);
        CHECK_EQ(b.actions.verdict, FLUE_TCP_PLACE);
        engine_close(b.engine);
    }
}

/* HND-011 */
TEST(a_snapshot_has_the_scoreboard_of_its_moment)
{
    struct bench b;
    start(&b);
    for (unsigned i = 38; i < 54; i++)
        CHECK(write_word(&b, 4, i, 0xDEAD0000 + i));
    load_ranges(&b, 3);
    CHECK(command(&b, 3, FLUE_TCP_SNAPSHOT));
    segment(&b, 3, &(struct flue_tcp_seg){.seq = 5000, .ack = 6500, .wnd = 20000, .flags = FLUE_TCP_ACK});
    CHECK_EQ(b.record.sacked_count, 2);
    for (unsigned i = 0; i < 8; i++) {
        CHECK_EQ(read_word(&b, SNAPSHOT_ROW, 52 - 2 * i), i < 3 ? 2000 + 4000 * i : 0);
        CHECK_EQ(read_word(&b, SNAPSHOT_ROW, 53 - 2 * i), i < 3 ? 3000 + 4000 * i : 0);
        CHECK_EQ(read_word(&b, 4, 38 + i), 0xDEAD0000 + 38 + i);
    }
    CHECK_EQ(read_word(&b, 3, 52), 6500);
    CHECK_EQ(read_word(&b, 3, 53), 7000);
    CHECK_EQ(read_word(&b, 3, 50), 10000);
    CHECK(!write_word(&b, 3, 52, 1), "it is live");
    CHECK_EQ(read_word(&b, 3, 52), 6500);
    engine_close(b.engine);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv, 20001);
}
