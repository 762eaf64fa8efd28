/*
 * The engine's receive side, from a frame's last beat to queue, ring or nowhere: the test plays tables, engine, DMA, receive
 * queue and firmware, plans what becomes of each frame, and checks at the end that it did.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "flue/control.h"
#include "flue/layout.h"
#include "frames.h"
#include "hdr_bits.h"

enum { WIDTHS = 3, FRAMES = 4096, CONNECTIONS = 8, MAX_MARKERS = 256 };

/* Sources and sinks, each of its kind. */
enum { SRC_FRAMES, SRC_LOOKUP, SRC_ENGINE, SRC_MARKER, SRC_FATE, SRC_WRITTEN, SRC_FIRMWARE };
enum { OUT_FRAMES, OUT_LOOKUP, OUT_EVENT, OUT_MARKER, OUT_REQUEST, OUT_DATA, OUT_PLACED, OUT_FIRMWARE, OUT_FORWARD };
enum { FULL, PARK_FULL, UNWANTED, BAD_ROW, IDLE_DISPATCH, IDLE_NUMBERS, IDLE_CLASSIFY, IDLE_EXTRACT };
enum { HOST, DIVERT, DROP, PLACE }; /* tcp_verdict_e */

struct frame {
    uint8_t *data;
    size_t len;
    unsigned pay_off, payload;
    bool segment, unwanted, stripped;
    bool forward;    /* by the driver */
    unsigned status; /* of that */
    struct bench_bits meta;
    /* what became of it */
    bool asked, hit;
    unsigned kind; /* HOST to PLACE */
    uint16_t index;
    uint16_t generation;
    uint32_t skip, place_len, seq, after;
    bool taken;
    uint32_t number;
    bool gap;
};

static struct world {
    int g;
    struct frame frame[FRAMES];
    unsigned sent, asked; /* asked: frames before it were looked up, or dropped */
    /* what the tables say: percent */
    unsigned miss, bad, idle;
    unsigned unwanted;      /* frames the filter drops, percent */
    unsigned forward;       /* frames of the driver, percent */
    unsigned place, divert; /* what the engine says of payload, percent */
    unsigned fail;          /* writes, percent */
    bool hold;              /* lookups are not answered */
    unsigned lookup_cycles; /* of an answer; 0: at once */
    uint64_t answer_at;
    struct bench_bits answer;
    bool answer_waits;
    bool fate[FRAMES];

    struct {
        uint8_t region;
        uint32_t offset, length;
    } request[2 * FRAMES];
    struct bench_packet data[2 * FRAMES];
    bool ok[2 * FRAMES];
    unsigned requests, writes;
    unsigned bad_rows;
} * world;

static uint64_t frame_state;
static uint8_t buffer[FLUE_FRAMES_MAX];

static int id(int n)
{
    return 16 * world->g + n;
}

/* ---- frames ---- */

static const struct flue_pkt_rx_cfg plain = {true, true, true, true, true, false, false, true};

static void pack_field(void *context, unsigned width, const char *name, uint64_t value)
{
    struct bench_packet *p = context;
    (void)name;
    bench_bits_set(&p->user, p->skip, width, value);
    p->skip += width;
}

static void send(size_t len, bool segment)
{
    CHECK(world->sent < FRAMES);
    struct frame *f = &world->frame[world->sent++];
    struct flue_pkt_hdr h;
    struct bench_packet p = {.data = buffer, .len = len};

    flue_pkt_parse(buffer, len, &h);
    flue_hdr_each_field(&h, &p, pack_field);
    p.skip = 0;
    memset(f, 0, sizeof *f);
    f->data = malloc(len);
    memcpy(f->data, buffer, len);
    f->len = len;
    f->segment = segment;
    f->pay_off = h.pay_off;
    f->payload = h.l3_end - h.pay_off;
    f->unwanted = bench_chance(world->unwanted);
    f->stripped = h.vlan_count != 0 && !h.vlan_stag && bench_chance(50);
    bench_random_bits(&f->meta, 51);
    bench_bits_set(&f->meta, 27, 1, f->stripped);
    bench_bits_set(&f->meta, 37, 14, len - (f->stripped ? 4 : 0));
    bench_bits_set(&p.user_last, 0, 1, f->unwanted);
    bench_bits_set(&p.user_last, 1, 1, (flue_pkt_rx_csum(buffer, len, &plain) & FLUE_PKT_TCP_OK) != 0);
    bench_bits_set(&p.user_last, 2, 51, bench_bits_get(&f->meta, 0, 51));
    f->forward = bench_chance(world->forward);
    f->status = FLUE_ST_NO_SEGMENT;
    bench_bits_set(&p.user_last, 53, 1, f->forward);
    bench_put(id(SRC_FRAMES), &p);
}

/* A verified unicast segment; its number is its SEQ, and the low half its source port. */
static void send_segment(size_t payload)
{
    int ip = bench_chance(50) ? 4 : 6;
    struct flue_frames_shape shape = {.ip = ip,
                                      .tags = bench_chance(30),
                                      .l4 = FLUE_FRAMES_TCP,
                                      .tcp_option_words = (int)bench_random_in(0, 10),
                                      .payload = payload,
                                      .padding = bench_chance(30) ? bench_random_in(1, 9) : 0};
    size_t len = flue_frames_build(&frame_state, &shape, buffer), l3 = shape.tags ? 18 : 14;
    struct flue_pkt_hdr h;
    buffer[0] &= 0xFE;
    if (shape.tags)
        memcpy(buffer + 12, "\x81\x00", 2);
    for (unsigned i = 0; i < 2; i++)
        buffer[ip == 6 ? l3 + 8 + 16 * i : l3 + 12 + 4 * i] &= 0x7F;
    flue_pkt_parse(buffer, len, &h);
    buffer[h.l4_off] = (uint8_t)(world->sent >> 8);
    buffer[h.l4_off + 1] = (uint8_t)world->sent;
    buffer[h.l4_off + 4] = buffer[h.l4_off + 5] = 0;
    buffer[h.l4_off + 6] = (uint8_t)(world->sent >> 8);
    buffer[h.l4_off + 7] = (uint8_t)world->sent;
    flue_pkt_fill_csums(buffer, len);
    send(len, true);
}

/* Anything that is not looked up, long enough for an Ethernet frame. */
static void send_other(void)
{
    struct flue_frames_shape shape = flue_frames_shape(&frame_state, 200);
    size_t len = flue_frames_build(&frame_state, &shape, buffer);
    if (len < 22)
        len = 22;
    buffer[0] |= 1;
    send(len, false);
}

/* ---- tables, engine, DMA ---- */

/* lookup_rsp_t from bit 0: path 16, index 16, generation 14, row_state 4, invalid, bad, path_hit, hit. */
static void answer_lookup(const struct bench_bits *key)
{
    static const uint8_t states[] = {FLUE_ROW_BUILDING, FLUE_ROW_HELD, FLUE_ROW_LOADED, FLUE_ROW_FROZEN};
    unsigned n = (unsigned)bench_bits_get(key, 0, 16);
    struct bench_bits rsp = {{0}};

    CHECK(n >= world->asked && n < world->sent); /* in order, each once */
    world->asked = n + 1;
    struct frame *f = &world->frame[n];
    f->asked = true;
    f->kind = f->forward ? DROP : HOST;
    f->status = FLUE_ST_WRONG_CONN;
    bench_random_bits(&rsp, 53);
    bench_bits_set(&rsp, 51, 1, 0);
    if (bench_chance(world->miss)) {
    } else if (bench_chance(world->bad)) {
        bench_bits_set(&rsp, 51, 1, 1);
        f->kind = DROP;
        world->bad_rows += !f->forward;
    } else {
        bool wrong = f->forward && bench_chance(20);
        unsigned state = bench_chance(world->idle) ? states[bench_random_in(0, 3)] : FLUE_ROW_RUNNING;
        bool taken = state == FLUE_ROW_RUNNING || state == FLUE_ROW_LOADED;
        f->hit = !f->forward || (taken && !wrong);
        f->status = wrong ? FLUE_ST_WRONG_CONN : taken ? FLUE_ST_OK : FLUE_ST_NOT_TAKEN;
        f->index = (uint16_t)bench_random_in(0, CONNECTIONS - 1);
        f->generation = (uint16_t)bench_random_in(1, 0x3FFF);
        f->kind = f->forward ? DROP : DIVERT; /* until the engine says otherwise */
        bench_bits_set(&rsp, 53, 1, 1);
        bench_bits_set(&rsp, 54, 1, wrong);
        bench_bits_set(&rsp, 46, 4, state);
        bench_bits_set(&rsp, 32, 14, f->generation);
        bench_bits_set(&rsp, 16, 16, f->index);
    }
    world->answer = rsp;
    world->answer_at = bench_cycle() + world->lookup_cycles;
    world->answer_waits = true;
}

static void put_answer(void)
{
    bench_send(id(SRC_LOOKUP), "", 1, false, &world->answer);
    world->answer_waits = false;
}

/* tcp_verdict_t from bit 0: pay_off 10, after 32, seq 32, len 16, skip 16, number 32, generation 14, index 16, kind 2. */
static void answer_event(const struct bench_bits *event)
{
    unsigned n = (unsigned)bench_bits_get(event, 426 - 32, 32);
    CHECK(n < world->sent);
    struct frame *f = &world->frame[n];
    struct bench_bits v;

    CHECK(f->asked && f->hit);
    CHECK_EQ(f->index, bench_bits_get(event, 426, 16));
    CHECK_EQ(f->payload, bench_bits_get(event, 324, 16));
    bench_random_bits(&v, 170);
    f->kind = DROP;
    if (f->payload != 0 && bench_chance(world->place)) {
        f->kind = PLACE;
        f->skip = bench_chance(50) ? 0 : (uint32_t)bench_random_in(0, f->payload - 1);
        f->place_len = bench_chance(60) ? f->payload - f->skip : (uint32_t)bench_random_in(1, f->payload - f->skip);
        f->seq = (uint32_t)bench_random();
        if (bench_chance(50)) /* around the end of the ring */
            f->seq = (f->seq | 0x3FFF) - (uint32_t)bench_random_in(0, 2 * f->place_len);
        f->after = (uint32_t)bench_random();
    } else if (bench_chance(world->divert)) {
        f->kind = DIVERT;
    }
    bench_bits_set(&v, 10, 32, f->after);
    bench_bits_set(&v, 42, 32, f->seq);
    bench_bits_set(&v, 74, 16, f->place_len);
    bench_bits_set(&v, 90, 16, f->skip);
    bench_bits_set(&v, 168, 2, f->kind);
    if (f->forward && f->kind == DIVERT) { /* it does not come back */
        f->kind = DROP;
        f->status = FLUE_ST_NOT_TAKEN;
    }
    bench_send(id(SRC_ENGINE), "", 1, false, &v);
}

static void step(void *unused)
{
    struct bench_packet p;
    (void)unused;
    if (!world->answer_waits && bench_take(id(OUT_LOOKUP), &p))
        answer_lookup(&p.user);
    if (world->answer_waits && !world->hold && bench_cycle() >= world->answer_at)
        put_answer();
    while (bench_take(id(OUT_EVENT), &p))
        answer_event(&p.user);
    while (bench_take(id(OUT_REQUEST), &p)) {
        CHECK(world->requests < 2 * FRAMES);
        world->request[world->requests].length = (uint32_t)bench_bits_get(&p.user, 0, 17);
        world->request[world->requests].offset = (uint32_t)bench_bits_get(&p.user, 17, 32);
        world->request[world->requests++].region = (uint8_t)bench_bits_get(&p.user, 49, 8);
    }
    while (world->writes < world->requests && bench_take(id(OUT_DATA), &p)) {
        struct bench_bits status = {{0}};
        world->data[world->writes] = p;
        world->ok[world->writes] = !bench_chance(world->fail);
        bench_bits_set(&status, 0, 5, world->ok[world->writes++] ? 0 : 6);
        bench_send(id(SRC_WRITTEN), "", 1, false, &status);
    }
}

/* ---- one world, one width ---- */

static void open_world(int g)
{
    static struct world the_world;
    for (unsigned i = 0; i < the_world.sent; i++)
        free(the_world.frame[i].data);
    memset(&the_world, 0, sizeof the_world);
    world = &the_world;
    world->g = g;
    world->miss = 15;
    world->bad = 5;
    world->idle = 30;
    world->place = 70;
    world->divert = 40;
    world->fail = 5;
    world->unwanted = 5;
    frame_state = bench_random();
    bench_set(g, 0, 1, 0);
    bench_reset();
    bench_run(200); /* the counts are cleared */
    for (unsigned i = 0; i < FRAMES; i++) {
        struct bench_bits fate = {{0}};
        world->fate[i] = bench_chance(70);
        bench_bits_set(&fate, 0, 1, world->fate[i]);
        bench_send(id(SRC_FATE), "", 1, false, &fate);
    }
    bench_source_mode(id(SRC_FATE), BENCH_FULL, 0);
    bench_sink_mode(id(OUT_FIRMWARE), BENCH_FULL, 0);
    bench_sink_mode(id(OUT_FORWARD), BENCH_FULL, 0);
    bench_on_cycle(step, NULL);
}

/* bench_drain() waits for every source, but fates are left over. */
static void settle(void)
{
    uint64_t seen = 0;
    for (unsigned quiet = 0, i = 0; quiet < 3; i++) {
        CHECK(i < 20000);
        bench_run(400);
        uint64_t now = bench_sink_stats(id(OUT_FRAMES)).beats + bench_sink_stats(id(OUT_DATA)).beats +
                       bench_sink_stats(id(OUT_EVENT)).beats + bench_source_stats(id(SRC_FRAMES)).beats +
                       bench_sink_stats(id(OUT_LOOKUP)).beats + bench_sink_stats(id(OUT_PLACED)).beats +
                       bench_sink_stats(id(OUT_MARKER)).beats + bench_source_stats(id(SRC_FATE)).beats;
        quiet = now == seen && bench_waiting(id(SRC_FRAMES)) == 0 ? quiet + 1 : 0;
        seen = now;
    }
}

static struct {
    unsigned asked, host, diverted, lost, placed, wrapped, freed, dropped, forwarded;
} tally;

/* The frame as the receive queue gets it. */
static size_t as_delivered(const struct frame *f)
{
    memcpy(buffer, f->data, f->len);
    if (!f->stripped)
        return f->len;
    memmove(buffer + 12, f->data + 16, f->len - 16);
    return f->len - 4;
}

static bool equals(const struct frame *f, const struct bench_packet *p)
{
    size_t len = as_delivered(f);
    return len == p->len && memcmp(buffer, p->data, len) == 0 &&
           bench_bits_get(&f->meta, 0, 51) == bench_bits_get(&p->user, 0, 51);
}

static void check_placement(const struct frame *f, unsigned *w)
{
    uint32_t size = 2048u << (f->index & 3), base = (uint32_t)(f->index & 0xFFF) << 20 | 0x12340, at = f->seq & (size - 1);
    const uint8_t *from = f->data + f->pay_off + f->skip;
    struct bench_packet p;
    bool ok = true;

    for (uint32_t left = f->place_len, part; left > 0; left -= part, from += part, at = 0, (*w)++) {
        part = left < size - at ? left : size - at;
        CHECK(*w < world->writes);
        CHECK_EQ(f->index & 0xFF, world->request[*w].region);
        CHECK_EQ(base + at, world->request[*w].offset);
        CHECK_EQ(part, world->request[*w].length);
        CHECK_BYTES(from, part, world->data[*w].data, world->data[*w].len);
        ok = ok && world->ok[*w];
        tally.wrapped += part != f->place_len && at != 0;
    }
    CHECK(bench_take(id(OUT_PLACED), &p));
    CHECK_EQ(f->index, bench_bits_get(&p.user, 33, 16));
    CHECK_EQ(ok, bench_bits_get(&p.user, 32, 1));
    CHECK_EQ(f->after, bench_bits_get(&p.user, 0, 32));
}

static struct {
    bool here;
    struct bench_packet packet;
} next_status;

/* The status of a forwarded frame; false when it was dropped before it had a verdict.  Frames that are no segments look alike.
 */
static bool forward_told(const struct frame *f)
{
    if (!next_status.here)
        next_status.here = bench_take(id(OUT_FORWARD), &next_status.packet);
    if (!f->asked && (f->segment || !next_status.here || bench_bits_get(&next_status.packet.user, 0, 5) != f->status))
        return false;
    CHECK(next_status.here);
    CHECK_EQ(f->status, bench_bits_get(&next_status.packet.user, 0, 5));
    next_status.here = false;
    return true;
}

/* Every frame went where it was to go, in order, and nothing else did. */
static void check_world(void)
{
    uint32_t number[CONNECTIONS] = {0};
    bool gap[CONNECTIONS] = {false};
    unsigned fates = 0, writes = 0, dropped = 0, unwanted = 0;
    struct bench_packet out;
    bool have = bench_take(id(OUT_FRAMES), &out);

    memset(&tally, 0, sizeof tally);
    for (unsigned n = 0; n < world->sent; n++) {
        struct frame *f = &world->frame[n];
        bool delivered = have && equals(f, &out);
        unwanted += f->unwanted;
        if (f->forward && !f->unwanted) {
            bool told = forward_told(f);
            tally.forwarded += told;
            dropped += !told;
            if (!f->asked)
                continue;
        }
        if (f->unwanted || (!f->asked && !delivered)) {
            CHECK(!f->asked);
            dropped += !f->unwanted;
            continue;
        }
        tally.asked += f->asked;
        CHECK(f->asked || !f->segment);
        if (f->kind == DIVERT) {
            f->taken = world->fate[fates++];
            if (!f->taken) {
                gap[f->index] = true;
                tally.lost++;
                continue;
            }
            CHECK(delivered);
            CHECK_EQ(1, bench_bits_get(&out.user, 51 + 63, 1));
            CHECK_EQ(gap[f->index], bench_bits_get(&out.user, 51 + 62, 1));
            CHECK_EQ(f->index, bench_bits_get(&out.user, 51 + 46, 16));
            CHECK_EQ(f->generation, bench_bits_get(&out.user, 51 + 32, 14));
            CHECK_EQ(++number[f->index], bench_bits_get(&out.user, 51, 32));
            gap[f->index] = false;
            tally.diverted++;
        } else if (f->kind == HOST) {
            CHECK(delivered);
            CHECK_EQ(0, bench_bits_get(&out.user, 51 + 63, 1));
            tally.host++;
        } else if (f->kind == PLACE) {
            check_placement(f, &writes);
            tally.placed++;
        } else {
            tally.freed++;
        }
        if (f->kind == HOST || f->kind == DIVERT)
            have = bench_take(id(OUT_FRAMES), &out);
    }
    CHECK(!have);
    tally.dropped = dropped;
    CHECK_EQ(world->requests, writes);
    CHECK_EQ(world->writes, writes);
    CHECK_EQ(0, bench_arrived(id(OUT_PLACED)));
    CHECK_EQ(0, bench_arrived(id(OUT_LOOKUP)));
    CHECK(!next_status.here && bench_arrived(id(OUT_FORWARD)) == 0);
    CHECK_EQ(unwanted, bench_count(world->g, UNWANTED));
    CHECK_EQ(dropped, bench_count(world->g, FULL) + bench_count(world->g, PARK_FULL));
    CHECK_EQ(world->bad_rows, bench_count(world->g, BAD_ROW));
    CHECK_EQ(15, bench_get(world->g, IDLE_DISPATCH, 4));
    /* The counts, as the firmware sees them. */
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct bench_bits ask = {{i}};
        struct bench_packet p;
        bench_send(id(SRC_FIRMWARE), "", 1, false, &ask);
        bench_run(200);
        CHECK(bench_take(id(OUT_FIRMWARE), &p));
        CHECK_EQ(number[i], bench_bits_get(&p.user, 7, 32));
        CHECK_EQ(gap[i], bench_bits_get(&p.user, 6, 1));
        CHECK_EQ(0, bench_bits_get(&p.user, 0, 6));
    }
}

static void send_random(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (bench_chance(25))
            send_other();
        else
            send_segment(bench_chance(30) ? 0 : bench_random_in(1, bench_chance(80) ? 100 : 1400));
}

/* Slow enough that every frame finds room. */
static void slowly(void)
{
    static const unsigned idle[WIDTHS] = {85, 92, 99};
    bench_source_mode(id(SRC_FRAMES), BENCH_RANDOM, idle[world->g]);
}

static void all_modes_random(void)
{
    bench_mode_random();
    bench_source_mode(id(SRC_FATE), BENCH_FULL, 0);
    bench_sink_mode(id(OUT_FIRMWARE), BENCH_FULL, 0);
    bench_sink_mode(id(OUT_FORWARD), BENCH_FULL, 0);
}

/* TCP-011, TCP-014, TCP-016, TCP-040, CH-099, HND-003: misses to the host, idle connections' frames diverted, payload into the
 * ring, nothing twice; of a frame that the driver forwards its status, and never the frame. */
TEST(every_frame_goes_where_its_verdict_says)
{
    for (int g = 0; g < WIDTHS; g++) {
        open_world(g);
        all_modes_random();
        slowly();
        world->forward = 30;
        send_random(900);
        settle();
        check_world();
        printf(
            "  W=%d: %u looked up, %u host, %u diverted, %u lost, %u placed (%u wrapped), %u freed, %u dropped, %u forwarded\n",
            g == 0   ? 32
            : g == 1 ? 64
                     : 512,
            tally.asked, tally.host, tally.diverted, tally.lost, tally.placed, tally.wrapped, tally.freed, tally.dropped,
            tally.forwarded);
        CHECK(tally.placed > 60 && tally.wrapped > 5 && tally.diverted > 40 && tally.lost > 10 && tally.host > 100 &&
              tally.forwarded > 100);
    }
}

/* HND-003: frames that the park or the header store drops leave no verdict behind; those after them keep their own. */
TEST(verdicts_stay_in_step_when_frames_are_dropped)
{
    for (int g = 0; g < WIDTHS; g++) {
        unsigned dropped = 0, asked = 0;
        for (unsigned round = 0; round < 6; round++) {
            open_world(g);
            all_modes_random();
            world->forward = 20;
            bench_source_mode(id(SRC_FRAMES), BENCH_BURSTS, 10 * round);
            if (round & 1)
                bench_source_mode(id(SRC_LOOKUP), BENCH_RANDOM, 99);
            else
                bench_sink_mode(id(OUT_FRAMES), BENCH_RANDOM, 95);
            send_random(400);
            settle();
            check_world();
            dropped += tally.dropped;
            asked += tally.asked;
        }
        CHECK(dropped > 200 && asked > 100); /* the test is about something */
    }
}

/* TCP-041: a placement whose write failed, either of two, is reported so, in its place. */
TEST(a_failed_write_is_told_with_its_placement)
{
    for (int g = 0; g < WIDTHS; g++) {
        open_world(g);
        world->miss = world->bad = world->idle = 0;
        world->place = 100;
        world->fail = 40;
        all_modes_random();
        slowly();
        for (unsigned i = 0; i < 200; i++)
            send_segment(bench_random_in(1, 300));
        settle();
        check_world();
        CHECK(tally.placed > 150);
    }
}

/* The fault of `FAULT=place`: one of 16 placements, the first, begins one byte off. */
TEST(the_placement_fault_shifts_one_of_sixteen)
{
    for (int g = 0; g < WIDTHS; g++) {
        open_world(g);
        world->miss = world->bad = world->idle = world->fail = 0;
        world->place = 100;
        bench_set(g, 0, 1, 1);
        slowly();
        for (unsigned i = 0; i < 40; i++)
            send_segment(bench_random_in(1, 300));
        settle();
        for (unsigned n = 0, placed = 0; n < world->sent; n++)
            if (world->frame[n].kind == PLACE && placed++ % 16 == 0)
                world->frame[n].seq ^= 1;
        check_world();
        CHECK(tally.placed > 32);
    }
}

static void put_marker(uint16_t index, uint16_t generation, uint32_t number)
{
    struct bench_bits m = {{0}};
    bench_bits_set(&m, 0, 32, number);
    bench_bits_set(&m, 32, 14, generation);
    bench_bits_set(&m, 46, 16, index);
    bench_send(id(SRC_MARKER), "", 1, false, &m);
}

/* HND-003: a marker stands behind every frame whose lookup began before it, and before all others. */
TEST(a_marker_keeps_its_place_among_the_frames)
{
    for (int g = 0; g < WIDTHS; g++) {
        struct bench_packet marker, first, second;
        open_world(g);
        world->miss = 100;
        world->hold = true;
        slowly();
        do
            send_segment(100);
        while (world->frame[world->sent - 1].unwanted);
        bench_run(20000);
        CHECK(world->answer_waits); /* the lookup has begun */
        put_marker(5, 77, 0x12345678);
        do
            send_segment(100);
        while (world->frame[world->sent - 1].unwanted);
        bench_run(20000);
        CHECK_EQ(0, bench_arrived(id(OUT_MARKER)));
        bench_sink_mode(id(OUT_FRAMES), BENCH_RANDOM, 100);
        world->hold = false;
        bench_run(3000);
        CHECK_EQ(0, bench_arrived(id(OUT_MARKER))); /* nor past a frame that waits for a buffer */
        bench_sink_mode(id(OUT_FRAMES), BENCH_FULL, 0);
        bench_run(3000);
        CHECK(bench_take(id(OUT_MARKER), &marker));
        CHECK_EQ(0x12345678, bench_bits_get(&marker.user, 0, 32));
        CHECK_EQ(77, bench_bits_get(&marker.user, 32, 14));
        CHECK_EQ(5, bench_bits_get(&marker.user, 46, 16));
        CHECK_EQ(2, bench_arrived(id(OUT_FRAMES)));
        CHECK(bench_take(id(OUT_FRAMES), &first) && bench_take(id(OUT_FRAMES), &second));
        CHECK(first.last_cycle < marker.first_cycle && marker.first_cycle < second.first_cycle);
    }
}

/* Markers without frames pass, and among frames none is lost or doubled. */
TEST(every_marker_comes_out_once_in_order)
{
    for (int g = 0; g < WIDTHS; g++) {
        open_world(g);
        all_modes_random();
        slowly();
        for (unsigned i = 0; i < MAX_MARKERS; i++) {
            put_marker((uint16_t)i, 1, i);
            if (i % 3 == 0)
                send_random(1);
        }
        bench_source_mode(id(SRC_MARKER), BENCH_RANDOM, 97);
        settle();
        for (unsigned i = 0; i < MAX_MARKERS; i++) {
            struct bench_packet marker;
            CHECK(bench_take(id(OUT_MARKER), &marker));
            CHECK_EQ(i, bench_bits_get(&marker.user, 0, 32));
        }
        CHECK_EQ(0, bench_arrived(id(OUT_MARKER)));
        check_world();
    }
}

static void firmware(uint16_t index, bool reset, struct bench_packet *p)
{
    struct bench_bits ask = {{0}};
    bench_bits_set(&ask, 0, 16, index);
    bench_bits_set(&ask, 16, 1, reset);
    bench_send(id(SRC_FIRMWARE), "", 1, false, &ask);
    bench_run(60);
    CHECK(bench_take(id(OUT_FIRMWARE), p));
}

/* HND-003: what is on its way to the queue is counted until it is there; a reset of the row begins at number 1 again. */
TEST(frames_on_their_way_are_counted)
{
    for (int g = 0; g < WIDTHS; g++) {
        struct bench_packet p;
        unsigned diverts = 0, of_3 = 0;
        open_world(g);
        world->miss = world->bad = 0;
        world->idle = 100;
        slowly();
        bench_source_mode(id(SRC_FATE), BENCH_RANDOM, 100);
        for (unsigned i = 0; i < 6; i++)
            send_segment(50);
        bench_run(20000);
        for (unsigned n = 0; n < world->sent; n++) {
            diverts += world->frame[n].asked;
            of_3 += world->frame[n].asked && world->frame[n].index == 3;
        }
        unsigned total = 0;
        for (uint16_t i = 0; i < CONNECTIONS; i++) {
            firmware(i, false, &p);
            total += (unsigned)bench_bits_get(&p.user, 0, 6);
            CHECK_EQ(0, bench_bits_get(&p.user, 7, 32));
            if (i == 3)
                CHECK_EQ(of_3, bench_bits_get(&p.user, 0, 6));
        }
        CHECK_EQ(diverts, total);
        firmware(3, true, &p); /* leaves what is on its way */
        firmware(3, false, &p);
        CHECK_EQ(of_3, bench_bits_get(&p.user, 0, 6));
        bench_source_mode(id(SRC_FATE), BENCH_FULL, 0);
        settle();
        check_world();
        for (uint16_t i = 0; i < CONNECTIONS; i++) {
            firmware(i, true, &p);
            firmware(i, false, &p);
            CHECK_EQ(0, bench_bits_get(&p.user, 0, 39));
        }
    }
}

/* Behind a frame that waits for a buffer everything comes to rest, and says so. */
TEST(all_is_idle_while_a_frame_waits_for_a_buffer)
{
    for (int g = 0; g < WIDTHS; g++) {
        open_world(g);
        slowly();
        bench_sink_mode(id(OUT_FRAMES), BENCH_RANDOM, 100);
        send_other();
        send_random(40);
        bench_run(400000);
        CHECK_EQ(0, bench_waiting(id(SRC_FRAMES)));
        CHECK_EQ(15, bench_get(g, IDLE_DISPATCH, 4));
        bench_sink_mode(id(OUT_FRAMES), BENCH_FULL, 0);
        settle();
        check_world();
    }
}

/* Lookups take 40 cycles here: frames of 60 bytes, each of a running connection, come every 42 as 1 Gb/s brings them at 62.5
 * MHz. */
TEST(short_segments_keep_up_with_the_wire)
{
    enum { COUNT = 400 };
    for (unsigned apart = 42; apart >= 30; apart -= 12) {
        open_world(0);
        world->miss = world->bad = world->idle = world->fail = world->unwanted = 0;
        world->place = 100;
        world->lookup_cycles = 38; /* and one each for the ways there and back */
        struct flue_frames_shape shape = {.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 6};
        for (unsigned i = 0; i < COUNT; i++) {
            size_t len = flue_frames_build(&frame_state, &shape, buffer);
            buffer[0] &= 0xFE;
            buffer[26] &= 0x7F;
            buffer[30] &= 0x7F;
            buffer[34] = buffer[40] = (uint8_t)(i >> 8);
            buffer[35] = buffer[41] = (uint8_t)i;
            buffer[38] = buffer[39] = 0;
            flue_pkt_fill_csums(buffer, len);
            send(len, true);
            bench_run(apart);
        }
        settle();
        check_world();
        CHECK_EQ(apart == 30, tally.dropped > 0);
        struct bench_stats s = bench_sink_stats(id(OUT_LOOKUP));
        double cycles = (double)(s.last_cycle - s.first_cycle) / (double)(s.packets - 1);
        if (apart == 30) {
            bench_report("cycles_per_segment/tcp_receive/32", cycles, "cycles", "60-byte segments, lookups of 40 cycles");
            CHECK(cycles < 42);
        }
    }
}
