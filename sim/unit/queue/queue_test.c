/*
 * Queues: rings in a model of host memory, walked once by the RTL and once by the rules of docs/architecture.md section 5
 * written down again in C (reference_*).  The model also plays the DMA's clients and the transmit path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "flue/layout.h"

enum { WIDTHS = 3, REGIONS = 4, REGION_BYTES = 1 << 20, RING_TX = 0, RING_RX = 1, ARRAYS = 2, RING_EQ = 3 };

/* Ids of queue_tb.sv, added to 16 * width. */
enum {
    TXS = 0,
    PAY = 1,
    REQ = 2,
    DONE = 2,
    RXS = 3,
    WR = 4,
    RX_IN = 4,
    EW = 5,
    WR_DONE = 5,
    WD = 6,
    EW_DONE = 6,
    ED = 7,
    FATE = 8
};

/* Register bits of queue_tb.sv. */
enum {
    TX_ENABLE = 0,
    RX_ENABLE = 1,
    EQ_ENABLE = 2,
    DRAIN = 3,
    FLUSH = 4,
    TX_REGION = 8,
    RX_REGION = 16,
    EQ_REGION = 24,
    TX_LOG2 = 32,
    RX_LOG2 = 36,
    EQ_LOG2 = 40,
    TX_TAIL = 48,
    RX_TAIL = 64,
    EQ_HEAD = 80,
    TX_BASE = 96,
    RX_BASE = 128,
    EQ_BASE = 160,
    TIME_US = 192
};
enum {
    S_TX_HEAD = 0,
    S_RX_HEAD = 16,
    S_EQ_TAIL = 32,
    S_TX_QUIET = 49,
    S_RX_QUIET,
    S_TX_STOPPED,
    S_RX_STOPPED,
    S_EQ_STOPPED,
    S_DRAINED,
    S_TX_IDLE,
    S_RX_IDLE,
    S_EQ_IDLE,
    S_POSTED,
    S_EW_ERROR,
    S_RX_WAIT,
    S_EQ_WAIT,
    S_DROP
};

struct slot {
    uint32_t w[4];
};
struct piece {
    uint8_t region;
    uint32_t offset, length;
    bool last;
};

/* What one transmit request must do. */
struct expected {
    struct slot packet;
    bool good_packet; /* the PACKET slot itself is right */
    uint8_t status;   /* of its slots */
    uint16_t index;
    unsigned first_piece, pieces;   /* in pieces[], the ending read of a bad packet included */
    uint8_t pay_status, tag_status; /* decided by the model when it plays them */
    uint16_t frames;
    uint32_t payload;
    bool lso, v2;
};

enum { MAX_REQUESTS = 4096, MAX_PIECES = 65536, MAX_FRAMES = 2048 };

struct note {
    bool lost;
    uint32_t handle; /* without its kind */
    uint32_t number;
};

static struct host {
    int g;
    uint8_t *memory[REGIONS];
    uint32_t tx_base, rx_base, eq_base;
    unsigned tx_log2, rx_log2, eq_log2;
    uint16_t tx_tail, rx_tail, eq_head;
    uint32_t array_end; /* next free byte of region ARRAYS */
    unsigned fail_slot_percent, fail_pay_percent, fail_write_percent;
    unsigned divert_percent, marker_percent;
    bool consume; /* the driver takes events */

    struct slot ring[65536]; /* transmit slots in order of writing, by index */
    struct expected want[MAX_REQUESTS];
    unsigned wanted, walked; /* requests the reference found; ring slots it walked */
    struct piece pieces[MAX_PIECES];
    unsigned pieces_wanted;

    unsigned pieces_seen, requests_seen, payloads_ended, tags_sent, completions;
    bool swallow, failed; /* the payload packet being read */
    uint8_t fail_status;

    /* receive */
    struct slot buffers[65536];
    uint16_t rx_posted;
    struct {
        uint8_t data[2048];
        unsigned len;
        struct bench_bits meta;
        bool divert;
        struct note note;
    } frames[MAX_FRAMES];
    struct {
        unsigned behind; /* frames before it */
        struct note note;
    } markers[MAX_FRAMES];
    unsigned markers_sent, markers_seen, fates_seen;
    bool diverted; /* a DIVERT event came, its RX_DONE is next */
    unsigned frames_sent, frames_used, rx_completions, rx_dropped;
    struct {
        struct piece piece;
        uint8_t status;
    } writes[MAX_FRAMES];
    unsigned write_requests, writes_done;
    unsigned event_requests, event_writes;
    struct piece event_pieces[16];

    /* queue events seen */
    unsigned drained_events, error_events;
    uint16_t drained_head[2];
    uint32_t error_code;
    uint16_t error_index;
    unsigned foreign; /* completions whose order is checked elsewhere */
    bool lenient;     /* aborted requests are allowed */
} * h;

static int id(int n)
{
    return 16 * h->g + n;
}
static void set(unsigned lsb, unsigned width, uint64_t value)
{
    bench_set(h->g, lsb, width, value);
}
static uint64_t get(unsigned bit)
{
    return bench_get(h->g, bit, 1);
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void write_slot(uint8_t *at, const struct slot *s)
{
    for (unsigned i = 0; i < 16; i++)
        at[i] = (uint8_t)(s->w[i / 4] >> (8 * (i % 4)));
}

static struct slot read_slot(const uint8_t *at)
{
    struct slot s = {{le32(at), le32(at + 4), le32(at + 8), le32(at + 12)}};
    return s;
}

static struct piece piece_of(const struct bench_bits *b)
{
    struct piece p = {(uint8_t)bench_bits_get(b, 49, 8), (uint32_t)bench_bits_get(b, 17, 32),
                      (uint32_t)bench_bits_get(b, 0, 17), bench_bits_get(b, 57, 1) != 0};
    return p;
}

static bool inside(const struct piece *p)
{
    return p->region < REGIONS && p->length != 0 && (uint64_t)p->offset + p->length <= REGION_BYTES;
}

static void pulse(int source, uint64_t value, unsigned width)
{
    struct bench_bits bits = {{0}};
    bench_bits_set(&bits, 0, width, value);
    bench_send(id(source), "", 1, false, &bits);
}

/* ---- the rules, written down again -------------------------------------------------------------------------------- */

static unsigned kind(const struct slot *s)
{
    return s->w[0] & 3;
}

static bool zero_bits_clear(const struct slot *s)
{
    switch (kind(s)) {
    case FLUE_SK_PACKET:
        return !(s->w[0] & FLUE_SLOT_PACKET_W0_ZERO) && !(s->w[2] & FLUE_SLOT_PACKET_W2_ZERO);
    case FLUE_SK_FRAG:
        return !(s->w[0] & FLUE_SLOT_FRAG_W0_ZERO) && !(s->w[1] & FLUE_SLOT_FRAG_W1_ZERO) && !s->w[3];
    case FLUE_SK_LINK:
        return !(s->w[0] & FLUE_SLOT_LINK_W0_ZERO) && !(s->w[1] & FLUE_SLOT_LINK_W1_ZERO) && !s->w[3] && !(s->w[2] & 15);
    default:
        return false;
    }
}

static void add_piece(uint8_t region, uint32_t offset, uint32_t length, bool last)
{
    h->pieces[h->pieces_wanted++] = (struct piece){region, offset, length, last};
}

/* One packet beginning at ring slot h->walked; the ring ends at h->tx_tail. */
static void reference_packet(void)
{
    struct expected *e = &h->want[h->wanted++];
    uint16_t at = (uint16_t)h->walked;
    unsigned slots = 1, array_left = 0;
    const uint8_t *array = NULL;
    uint32_t left;

    memset(e, 0, sizeof *e);
    e->first_piece = h->pieces_wanted;
    e->packet = h->ring[at++];
    left = e->packet.w[0] >> 15;
    if (kind(&e->packet) != FLUE_SK_PACKET || !zero_bits_clear(&e->packet))
        e->status = FLUE_ST_BAD_SLOT;
    else if (left == 0)
        e->status = FLUE_ST_BAD_LENGTH;
    e->good_packet = e->status == FLUE_ST_OK;

    for (bool last = false; e->status == FLUE_ST_OK && !last;) {
        struct slot s;
        if (array) {
            if (array_left-- == 0) {
                e->status = FLUE_ST_CHAIN;
                break;
            }
            s = read_slot(array);
            array += 16;
        } else {
            if (at == h->tx_tail) {
                e->status = FLUE_ST_CHAIN;
                break;
            }
            s = h->ring[at];
        }
        if (slots == 1024 || kind(&s) == FLUE_SK_PACKET) {
            e->status = FLUE_ST_CHAIN;
            if (!array && kind(&s) != FLUE_SK_PACKET)
                at++;
            break;
        }
        slots++;
        if (!array)
            at++;
        if (!zero_bits_clear(&s)) {
            e->status = FLUE_ST_BAD_SLOT;
            break;
        }
        if (kind(&s) == FLUE_SK_LINK) {
            struct piece where = {(uint8_t)(s.w[0] >> 8), s.w[2], 16 * (s.w[1] & 0xFFFF), false};
            if (where.length == 0) {
                e->status = FLUE_ST_BAD_LENGTH;
                break;
            }
            array_left = s.w[1] & 0xFFFF;
            /* The first fetch fails when it is outside; the generator never lets a later one be. */
            if (where.region >= REGIONS || where.offset >= REGION_BYTES) {
                e->status = FLUE_ST_BAD_REGION;
                break;
            }
            array = h->memory[where.region] + where.offset;
            continue;
        }
        last = (s.w[0] & FLUE_SLOT_FRAG_LAST_MASK) != 0;
        if (s.w[1] == 0 || s.w[1] > left || (last && s.w[1] != left)) {
            e->status = FLUE_ST_BAD_LENGTH;
            break;
        }
        left -= s.w[1];
        add_piece((uint8_t)(s.w[0] >> 8), s.w[2], s.w[1], last);
    }
    if (e->status != FLUE_ST_OK) {
        add_piece(255, 0, 1, true);
        while (at != h->tx_tail && kind(&h->ring[at]) != FLUE_SK_PACKET)
            at++;
    }
    e->pieces = h->pieces_wanted - e->first_piece;
    e->index = at;
    h->walked = at;
}

/* ---- the model, once a cycle --------------------------------------------------------------------------------------- */

static void answer_slots(int req, int data)
{
    struct bench_packet p;
    while (bench_take(id(req), &p)) {
        struct piece q = piece_of(&p.user);
        struct bench_bits status = {{0}};
        CHECK(q.offset % 16 == 0 && q.length % 16 == 0 && q.length >= 16 && q.length <= 64);
        CHECK(q.offset / 64 == (q.offset + q.length - 1) / 64);
        bool fail = bench_chance(h->fail_slot_percent);
        if (!inside(&q) || fail) {
            bench_bits_set(&status, 0, 5, inside(&q) ? FLUE_ST_DMA_READ : FLUE_ST_BAD_REGION);
            uint8_t junk[64];
            bench_random_bytes(junk, sizeof junk);
            bench_send(id(data), junk, inside(&q) ? q.length : 4, true, &status);
        } else {
            bench_send(id(data), h->memory[q.region] + q.offset, q.length, false, &status);
        }
    }
}

/* Play the transmit path for a request whose payload ended: some frames, then its last tag. */
static void send_tags(void)
{
    while (h->tags_sent < h->payloads_ended && h->tags_sent < h->requests_seen) {
        struct expected *e = &h->want[h->tags_sent++];
        bool bad = e->pay_status != FLUE_ST_OK;
        bool refuse = !bad && bench_chance(20);
        unsigned frames = bad || refuse ? 0 : (unsigned)bench_random_in(1, 4);
        bool empty_end = bad || refuse || bench_chance(50);
        e->lso = bench_chance(50);
        e->v2 = e->lso && bench_chance(50);
        e->payload = (uint32_t)bench_random_in(0, 0x1FFFF);
        e->tag_status = bad ? FLUE_ST_DMA_READ : refuse ? FLUE_ST_LSO_MSS : FLUE_ST_OK;
        e->frames = (uint16_t)frames;
        for (unsigned i = 0; i < frames + (empty_end ? 1 : 0); i++) {
            bool end = i + 1 == frames + (empty_end ? 1 : 0);
            if (bench_chance(20)) { /* a tag of the TCP engine, which the queue must not take for its own */
                struct bench_bits other;
                bench_random_bits(&other, 60);
                bench_bits_set(&other, 60, 1, 1);
                bench_send(id(DONE), "", 1, false, &other);
            }
            struct bench_bits tag = {{0}};
            bench_bits_set(&tag, 17, 17, end ? e->payload : bench_random_in(0, 0x1FFFF));
            bench_bits_set(&tag, 34, 1, e->v2);
            bench_bits_set(&tag, 35, 1, e->lso);
            bench_bits_set(&tag, 52, 5, e->tag_status);
            bench_bits_set(&tag, 57, 1, end && empty_end);
            bench_bits_set(&tag, 58, 1, end);
            bench_send(id(DONE), "", 1, false, &tag);
        }
    }
}

static void answer_payload(void)
{
    struct bench_packet p;
    while (bench_take(id(PAY), &p)) {
        struct piece q = piece_of(&p.user);
        if (!h->lenient) {
            CHECK(h->pieces_seen < h->pieces_wanted);
            struct piece *w = &h->pieces[h->pieces_seen];
            CHECK_EQ(w->region, q.region);
            CHECK_EQ(w->offset, q.offset);
            CHECK_EQ(w->length, q.length);
            CHECK_EQ(w->last, q.last);
        }
        h->pieces_seen++;
        if (!h->swallow) {
            if (!inside(&q)) {
                h->failed = true;
                h->fail_status = FLUE_ST_BAD_REGION;
            } else if (!h->failed && bench_chance(h->fail_pay_percent)) {
                h->failed = true;
                h->fail_status = FLUE_ST_DMA_READ;
            }
            if (q.last || !inside(&q)) { /* a refused piece ends the packet early */
                uint8_t status = h->failed ? h->fail_status : FLUE_ST_OK;
                h->want[h->payloads_ended++].pay_status = status;
                pulse(PAY, status, 5);
                h->swallow = !q.last;
                h->failed = false;
            }
        } else if (q.last) {
            h->swallow = false;
        }
    }
}

static void check_requests(void)
{
    struct bench_packet p;
    while (bench_take(id(REQ), &p)) {
        CHECK(h->requests_seen < h->wanted);
        const struct expected *e = &h->want[h->requests_seen++];
        const struct slot *s = &e->packet;
        CHECK_EQ(e->good_packet, bench_bits_get(&p.user, 120, 5) == FLUE_ST_OK);
        if (!e->good_packet)
            continue;
        CHECK_EQ(s->w[0] >> 15, bench_bits_get(&p.user, 87, 17));
        CHECK_EQ(s->w[1], bench_bits_get(&p.user, 55, 32));
        CHECK_EQ(s->w[2] & 1, bench_bits_get(&p.user, 54, 1));
        CHECK_EQ(s->w[2] >> 1 & 1, bench_bits_get(&p.user, 53, 1));
        CHECK_EQ(s->w[2] >> 2 & 1, bench_bits_get(&p.user, 52, 1));
        CHECK_EQ(s->w[2] >> 3 & 1, bench_bits_get(&p.user, 51, 1));
        CHECK_EQ(s->w[2] >> 4 & 1, bench_bits_get(&p.user, 50, 1));
        CHECK_EQ(s->w[2] >> 16 & 0x3FF, bench_bits_get(&p.user, 40, 10));
        CHECK_EQ(s->w[0] >> 2 & 1, bench_bits_get(&p.user, 39, 1));
        CHECK_EQ(s->w[3] >> 16, bench_bits_get(&p.user, 23, 16));
        CHECK_EQ(s->w[2] >> 26, bench_bits_get(&p.user, 17, 6));
        CHECK_EQ(s->w[0] >> 3 & 1, bench_bits_get(&p.user, 16, 1));
        CHECK_EQ(s->w[3] & 0xFFFF, bench_bits_get(&p.user, 0, 16));
    }
}

/* Receive payload and event writes: the n-th data packet belongs to the n-th request. */
static void answer_writes(void)
{
    struct bench_packet p;
    while (bench_take(id(WR), &p)) {
        h->writes[h->write_requests++ % MAX_FRAMES].piece = piece_of(&p.user);
    }
    while (h->writes_done < h->write_requests && bench_take(id(WD), &p)) {
        struct piece *q = &h->writes[h->writes_done % MAX_FRAMES].piece;
        CHECK_EQ(q->length, p.len);
        uint8_t status = !inside(q) ? FLUE_ST_BAD_REGION : bench_chance(h->fail_write_percent) ? FLUE_ST_DMA_WRITE : FLUE_ST_OK;
        if (inside(q))
            memcpy(h->memory[q->region] + q->offset, p.data, p.len);
        h->writes[h->writes_done++ % MAX_FRAMES].status = status;
        pulse(WR_DONE, status, 5);
    }
    while (bench_take(id(EW), &p))
        h->event_pieces[h->event_requests++ % 16] = piece_of(&p.user);
    while (h->event_writes < h->event_requests && bench_take(id(ED), &p)) {
        struct piece *q = &h->event_pieces[h->event_writes++ % 16];
        CHECK_EQ(16, q->length);
        CHECK_EQ(16, p.len);
        CHECK_EQ(RING_EQ, q->region);
        CHECK(q->offset >= h->eq_base && q->offset < h->eq_base + (16u << h->eq_log2));
        memcpy(h->memory[RING_EQ] + q->offset, p.data, 16);
        pulse(EW_DONE, FLUE_ST_OK, 5);
    }
}

static void check_tx_event(const struct slot *s)
{
    const struct expected *e = &h->want[h->completions];
    if (h->lenient) {
        h->completions++;
        return;
    }
    CHECK(h->completions < h->tags_sent);
    uint8_t status = e->status != FLUE_ST_OK ? e->status : e->pay_status != FLUE_ST_OK ? e->pay_status : e->tag_status;
    CHECK_EQ(FLUE_Q_TX, s->w[0] >> 4 & 15);
    CHECK_EQ(status, s->w[0] >> 8 & 0xFF);
    CHECK_EQ(e->index, s->w[0] >> 16);
    CHECK_EQ(e->lso ? e->v2 ? FLUE_EVENT_TX_LSO_TYPE_MASK : e->payload : 0, s->w[1]);
    CHECK_EQ(e->frames, s->w[2]);
    h->completions++;
}

static void check_rx_event(const struct slot *s)
{
    const struct slot *b = &h->buffers[h->rx_completions];
    uint8_t status;
    CHECK(h->rx_completions < h->rx_posted);
    h->rx_completions++;
    CHECK_EQ(FLUE_Q_RX, s->w[0] >> 4 & 15);
    CHECK_EQ(h->rx_completions & 0xFFFF, s->w[0] >> 16);
    if (kind(b) != FLUE_SK_FRAG || !zero_bits_clear(b) || !(b->w[0] & FLUE_SLOT_FRAG_LAST_MASK)) {
        CHECK_EQ(FLUE_ST_BAD_SLOT, s->w[0] >> 8 & 0xFF);
        CHECK_EQ(0, s->w[1] & FLUE_EVENT_RX_LENGTH_MASK);
        return;
    }
    if (b->w[1] == 0) {
        CHECK_EQ(FLUE_ST_BAD_LENGTH, s->w[0] >> 8 & 0xFF);
        return;
    }
    CHECK(h->frames_used < h->frames_sent);
    unsigned n = h->frames_used++;
    const struct bench_bits *m = &h->frames[n].meta;
    unsigned len = h->frames[n].len;
    CHECK_EQ(h->frames[n].divert && len <= b->w[1], h->diverted);
    h->diverted = false;
    if (h->frames[n].divert) {
        struct bench_packet fate;
        CHECK(bench_take(id(FATE), &fate));
        CHECK_EQ(len <= b->w[1] ? 2 : 1, bench_bits_get(&fate.user, 0, 2));
    }
    if (len > b->w[1]) {
        status = FLUE_ST_TOO_LONG;
        h->rx_dropped++;
    } else {
        unsigned w = n - h->rx_dropped;
        status = h->writes[w].status;
        CHECK_EQ(b->w[0] >> 8 & 0xFF, h->writes[w].piece.region);
        CHECK_EQ(b->w[2], h->writes[w].piece.offset);
        CHECK_EQ(len, h->writes[w].piece.length);
        if (status == FLUE_ST_OK)
            CHECK_BYTES(h->frames[n].data, len, h->memory[b->w[0] >> 8 & 0xFF] + b->w[2], len);
    }
    CHECK_EQ(status, s->w[0] >> 8 & 0xFF);
    CHECK_EQ(len, s->w[1] & FLUE_EVENT_RX_LENGTH_MASK);
    CHECK_EQ(bench_bits_get(m, 0, 10), s->w[1] >> FLUE_EVENT_RX_L4_OFF_SHIFT);
    CHECK_EQ(bench_bits_get(m, 10, 1), s->w[2] >> 10 & 1);
    CHECK_EQ(bench_bits_get(m, 11, 16), s->w[2] >> 16);
    CHECK_EQ(bench_bits_get(m, 27, 1), s->w[2] >> 9 & 1);
    CHECK_EQ(bench_bits_get(m, 28, 6), s->w[2] & 0x1FF);
}

/* DIVERT and MARKER */
static void check_note(const struct slot *s, const struct note *want, bool marker)
{
    CHECK_EQ(FLUE_Q_RX, s->w[0] >> 4 & 15);
    CHECK_EQ(!marker && want->lost, s->w[0] >> 8);
    CHECK_EQ(want->handle | 3u << 30, s->w[1]);
    CHECK_EQ(want->number, s->w[2]);
}

static void check_divert_event(const struct slot *s)
{
    CHECK(!h->diverted);
    CHECK(h->frames_used < h->frames_sent);
    CHECK(h->frames[h->frames_used].divert);
    check_note(s, &h->frames[h->frames_used].note, false);
    h->diverted = true;
}

static void check_marker_event(const struct slot *s)
{
    CHECK(h->markers_seen < h->markers_sent);
    CHECK(!h->diverted);
    CHECK_EQ(h->markers[h->markers_seen].behind, h->frames_used);
    check_note(s, &h->markers[h->markers_seen++].note, true);
}

/* The driver: take events by their phase bit. */
static void take_events(void)
{
    while (h->consume) {
        uint32_t at = h->eq_base + 16u * (h->eq_head & ((1u << h->eq_log2) - 1));
        struct slot s = read_slot(h->memory[RING_EQ] + at);
        if ((s.w[3] >> 31) == (unsigned)(h->eq_head >> h->eq_log2 & 1))
            return;
        switch (s.w[0] & 15) {
        case FLUE_EV_TX_DONE:
            check_tx_event(&s);
            break;
        case FLUE_EV_RX_DONE:
            check_rx_event(&s);
            break;
        case FLUE_EV_DIVERT:
            check_divert_event(&s);
            break;
        case FLUE_EV_MARKER:
            check_marker_event(&s);
            break;
        case FLUE_EV_DRAINED:
            h->drained_events++;
            h->drained_head[s.w[0] >> 4 & 1] = (uint16_t)(s.w[0] >> 16);
            break;
        case FLUE_EV_QUEUE_ERROR:
            h->error_events++;
            h->error_code = s.w[1];
            h->error_index = (uint16_t)(s.w[0] >> 16);
            break;
        default:
            CHECK(!"known event kind");
        }
        h->eq_head++;
        set(EQ_HEAD, 16, h->eq_head);
        if (bench_chance(50))
            return;
    }
}

static void step(void *unused)
{
    (void)unused;
    answer_slots(TXS, TXS);
    answer_slots(RXS, RXS);
    check_requests();
    answer_payload();
    send_tags();
    answer_writes();
    take_events();
}

/* ---- setting up ------------------------------------------------------------------------------------------------------ */

static void host_open(int width)
{
    static struct host the_host;
    h = &the_host;
    for (int i = 0; i < REGIONS; i++)
        free(h->memory[i]);
    memset(h, 0, sizeof *h);
    h->g = width;
    for (int i = 0; i < REGIONS; i++)
        CHECK((h->memory[i] = calloc(1, REGION_BYTES)) != NULL);
    h->tx_log2 = (unsigned)bench_random_in(3, 8);
    h->rx_log2 = (unsigned)bench_random_in(3, 8);
    h->eq_log2 = (unsigned)bench_random_in(3, 6);
    h->tx_base = 64 * (uint32_t)bench_random_in(0, 4096);
    h->rx_base = 64 * (uint32_t)bench_random_in(0, 4096);
    h->eq_base = 64 * (uint32_t)bench_random_in(0, 4096);
    h->consume = true;
    for (unsigned bit = 0; bit < 224; bit += 32)
        set(bit, 32, 0);
    bench_on_cycle(NULL, NULL);
    bench_run(2); /* signals outlive a reset: disable what the test before left enabled */
    bench_reset();
    set(TX_REGION, 8, RING_TX);
    set(RX_REGION, 8, RING_RX);
    set(EQ_REGION, 8, RING_EQ);
    set(TX_LOG2, 4, h->tx_log2);
    set(RX_LOG2, 4, h->rx_log2);
    set(EQ_LOG2, 4, h->eq_log2);
    set(TX_BASE, 32, h->tx_base);
    set(RX_BASE, 32, h->rx_base);
    set(EQ_BASE, 32, h->eq_base);
    set(EQ_ENABLE, 1, 1);
    bench_mode_random();
    for (int s = 0; s < BENCH_IDS; s++) /* pulses: their takers are always ready */
        bench_sink_mode(s, BENCH_RANDOM, (unsigned)bench_random_in(0, 60));
    bench_sink_mode(id(FATE), BENCH_FULL, 0);
    bench_on_cycle(step, NULL);
}

static void start(void)
{
    set(TX_ENABLE, 1, 1);
    set(RX_ENABLE, 1, 1);
    bench_run(4);
}

static void drain_bench(uint64_t limit)
{
    bench_quiet = 600;
    bench_drain(limit);
}

static unsigned tx_room(void)
{
    return (1u << h->tx_log2) - (uint16_t)(h->tx_tail - bench_get(h->g, S_TX_HEAD, 16));
}

static void put_tx(struct slot s)
{
    h->ring[h->tx_tail] = s;
    write_slot(h->memory[RING_TX] + h->tx_base + 16u * (h->tx_tail & ((1u << h->tx_log2) - 1)), &s);
    h->tx_tail++;
}

static struct slot frag(unsigned region, uint32_t offset, uint32_t length, bool last)
{
    return (struct slot){{FLUE_SK_FRAG | (last ? 4u : 0) | region << 8, length, offset, 0}};
}

static struct slot packet(uint32_t length)
{
    return (struct slot){{FLUE_SK_PACKET | length << 15, 0, 0, 0}};
}

static struct slot link_to(uint32_t offset, unsigned count)
{
    return (struct slot){{FLUE_SK_LINK | ARRAYS << 8, count, offset, 0}};
}

static struct slot random_packet(uint32_t length)
{
    struct slot s = packet(length);
    s.w[0] |= (uint32_t)bench_random_in(0, 3) << 2;
    s.w[1] = (uint32_t)bench_random();
    s.w[2] = (uint32_t)bench_random() & ~FLUE_SLOT_PACKET_W2_ZERO;
    s.w[3] = (uint32_t)bench_random();
    return s;
}

/* What is wrong with a packet the generator makes. */
enum fault {
    NONE,
    KIND_0,
    RESERVED,
    LENGTH_0,
    FRAG_0,
    TOO_LONG,
    TOO_SHORT,
    NO_LAST,
    LINK_COUNT_0,
    LINK_RESERVED,
    LINK_OUTSIDE,
    ARRAY_END,
    SELF_LINK,
    PIECE_OUTSIDE,
    FAULTS
};

/* Append a packet with its fragments in the ring or behind a LINK; at most max_slots of the ring, at least 3. */
static void put_packet(enum fault fault, unsigned max_slots)
{
    unsigned n = (unsigned)bench_random_in(1, 6);
    bool link = fault >= LINK_COUNT_0 && fault <= SELF_LINK ? true : bench_chance(30);
    if (!link && n + 1 > max_slots)
        n = max_slots - 1;
    uint32_t sizes[6], total = 0;
    for (unsigned i = 0; i < n; i++)
        total += sizes[i] = (uint32_t)bench_random_in(1, 9000);

    unsigned before = link ? 0 : n, at = h->array_end;
    struct slot head = random_packet(fault == LENGTH_0    ? 0
                                     : fault == TOO_LONG  ? total + 5
                                     : fault == TOO_SHORT ? total - 1
                                                          : total);
    if (fault == KIND_0)
        head.w[0] &= ~3u;
    if (fault == RESERVED)
        head.w[bench_chance(50) ? 0 : 2] |= 1u << bench_random_in(5, 14);
    put_tx(head);
    if (link && max_slots >= 3 && bench_chance(50))
        before = 1; /* one fragment in the ring, then the link */
    if (before > n - (link && n > 1 ? 1 : 0))
        before = link ? 0 : n;
    if (link && before == n)
        before = 0;
    for (unsigned i = 0; i < n; i++) {
        bool last = i + 1 == n && fault != NO_LAST && fault != ARRAY_END;
        struct slot s =
            frag((unsigned)bench_random_in(0, REGIONS - 1), (uint32_t)bench_random_in(0, REGION_BYTES - 9000), sizes[i], last);
        if (fault == FRAG_0 && i == n - 1)
            s.w[1] = 0;
        if (fault == PIECE_OUTSIDE && i == n / 2)
            s.w[2] = REGION_BYTES - sizes[i] + 1;
        if (i < before) {
            put_tx(s);
            continue;
        }
        if (i == before && link) {
            struct slot l = link_to(at, n - before);
            if (fault == LINK_COUNT_0)
                l.w[1] = 0;
            if (fault == LINK_RESERVED)
                l.w[bench_chance(50) ? 3 : 0] |= 1u << bench_random_in(2, 6);
            if (fault == LINK_OUTSIDE)
                l.w[0] = FLUE_SK_LINK | 9u << 8;
            put_tx(l);
        }
        if (fault == SELF_LINK && i + 1 == n) {
            s = link_to(h->array_end, 1);
        }
        write_slot(h->memory[ARRAYS] + h->array_end, &s);
        h->array_end += 16;
    }
    h->array_end += 16 * (uint32_t)bench_random_in(0, 3);
    if (h->array_end > REGION_BYTES / 2)
        h->array_end = 0;
}

static void doorbell(void)
{
    while ((uint16_t)h->walked != h->tx_tail)
        reference_packet();
    set(TX_TAIL, 16, h->tx_tail);
}

static void wait_tx_room(unsigned slots)
{
    for (unsigned i = 0; tx_room() < slots || h->wanted - h->completions > 64; i++) {
        CHECK(i < 400000);
        bench_run(1);
    }
}

/* The ring may hold slots whose arrays and payload are still used: completions free them, not the head. */
static void random_tx(unsigned packets, unsigned fault_percent)
{
    for (unsigned n = 0; n < packets;) {
        unsigned batch = (unsigned)bench_random_in(1, 3);
        wait_tx_room(8);
        if (batch > (1u << h->tx_log2) / 8)
            batch = 1;
        wait_tx_room(8 * batch);
        for (; batch && n < packets; batch--, n++) {
            /* the first slot of a batch is a PACKET, so that what the ring's end does not change the outcome */
            enum fault f = bench_chance(fault_percent) ? (enum fault)bench_random_in(KIND_0 + 1, FAULTS - 1) : NONE;
            put_packet(f, 7);
        }
        doorbell();
        bench_run(bench_random_in(0, 60));
    }
}

/* The note beside rx_meta_t. */
static struct note random_note(struct bench_bits *m)
{
    struct note n = {bench_chance(50), (uint32_t)bench_random() & 0x3FFFFFFFu, (uint32_t)bench_random()};
    bench_bits_set(m, 51, 32, n.number);
    bench_bits_set(m, 83, 14, n.handle >> 16);
    bench_bits_set(m, 97, 16, n.handle & 0xFFFF);
    bench_bits_set(m, 113, 1, n.lost);
    return n;
}

static void put_marker(void)
{
    struct bench_bits m = {{0}};
    h->markers[h->markers_sent].behind = h->frames_sent;
    h->markers[h->markers_sent++].note = random_note(&m);
    bench_bits_set(&m, 115, 1, 1);
    bench_send(id(RX_IN), "", 1, false, &m);
}

static void put_frame(void)
{
    unsigned n = h->frames_sent++;
    CHECK(n < MAX_FRAMES);
    unsigned len = (unsigned)bench_random_in(14, 1514);
    struct bench_bits m = {{0}};
    bench_random_bytes(h->frames[n].data, len);
    bench_bits_set(&m, 0, 10, bench_random_in(0, 1023));
    bench_bits_set(&m, 10, 17, bench_random_in(0, 0x1FFFF));
    bench_bits_set(&m, 27, 1, bench_random_in(0, 1));
    bench_bits_set(&m, 28, 6, bench_random_in(0, 63));
    bench_bits_set(&m, 37, 14, len);
    h->frames[n].divert = bench_chance(h->divert_percent);
    h->frames[n].note = random_note(&m);
    bench_bits_set(&m, 114, 1, h->frames[n].divert);
    h->frames[n].len = len;
    h->frames[n].meta = m;
    bench_send(id(RX_IN), h->frames[n].data, len, false, &m);
}

static void put_buffer(struct slot s)
{
    h->buffers[h->rx_posted++] = s;
    write_slot(h->memory[RING_RX] + h->rx_base + 16u * (h->rx_tail & ((1u << h->rx_log2) - 1)), &s);
    h->rx_tail++;
}

/* Buffers never overlap: number n has its own 2 KB in regions 0 and 2. */
static struct slot buffer(uint32_t length)
{
    uint32_t at = REGION_BYTES / 2 + 2048u * (h->rx_posted % 256) + (uint32_t)bench_random_in(0, 300);
    return frag(bench_chance(50) ? RING_TX : ARRAYS, at, length, true);
}

static void random_rx(unsigned buffers, unsigned fault_percent)
{
    unsigned good = 0;
    for (unsigned n = 0; n < buffers; n++) {
        for (unsigned i = 0; (1u << h->rx_log2) == (uint16_t)(h->rx_tail - h->rx_completions); i++) {
            CHECK(i < 400000);
            bench_run(1);
        }
        struct slot s = buffer((uint32_t)bench_random_in(1514, 1700));
        good++;
        if (bench_chance(fault_percent)) {
            switch (bench_random_in(0, 5)) {
            case 0:
                s.w[0] ^= 1u;
                good--;
                break; /* LINK or PACKET */
            case 1:
                s.w[0] &= ~4u;
                good--;
                break; /* not last */
            case 2:
                s.w[1] = 0;
                good--;
                break;
            case 3:
                s.w[1] = (uint32_t)bench_random_in(1, 200);
                break;
            case 4:
                s.w[3] = 1;
                good--;
                break;
            default:
                s.w[0] = (s.w[0] & 0xFF) | 7u << 8;
                break; /* no such region */
            }
        }
        put_buffer(s);
        set(RX_TAIL, 16, h->rx_tail);
        while (h->frames_sent < good) {
            while (bench_chance(h->marker_percent))
                put_marker();
            put_frame();
        }
        if (bench_chance(30))
            bench_run(bench_random_in(0, 200));
    }
}

static void check_all_done(void)
{
    CHECK_EQ(h->wanted, h->completions);
    CHECK_EQ(h->pieces_wanted, h->pieces_seen);
    CHECK_EQ(h->rx_posted, h->rx_completions);
    CHECK_EQ(h->markers_sent, h->markers_seen);
    CHECK_EQ(0, bench_arrived(id(FATE)));
    CHECK_EQ(h->tx_tail, bench_get(h->g, S_TX_HEAD, 16));
    CHECK_EQ(h->rx_tail, bench_get(h->g, S_RX_HEAD, 16));
    CHECK(get(S_TX_IDLE) && get(S_RX_IDLE) && get(S_EQ_IDLE));
    CHECK_EQ(0, h->error_events);
}

/* ---- tests ------------------------------------------------------------------------------------------------------------ */

/* Architecture 5: one completion per request, in order, whatever is behind it. */
TEST(good_packets_complete_in_ring_order)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        start();
        random_tx(150, 0);
        drain_bench(400000);
        check_all_done();
    }
}

/* Architecture 5: every malformed slot gives its status, and the next PACKET is found. */
TEST(malformed_packets_complete_with_their_status)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        start();
        random_tx(200, 50);
        drain_bench(800000);
        check_all_done();
    }
}

/* Architecture 5: one rule each, with the status written out. */
TEST(each_malformed_slot_has_its_status)
{
    static const struct {
        enum fault fault;
        uint8_t status;
    } rules[] = {
        {KIND_0, FLUE_ST_BAD_SLOT},         {RESERVED, FLUE_ST_BAD_SLOT},       {LENGTH_0, FLUE_ST_BAD_LENGTH},
        {FRAG_0, FLUE_ST_BAD_LENGTH},       {TOO_LONG, FLUE_ST_BAD_LENGTH},     {TOO_SHORT, FLUE_ST_BAD_LENGTH},
        {NO_LAST, FLUE_ST_CHAIN},           {LINK_COUNT_0, FLUE_ST_BAD_LENGTH}, {LINK_RESERVED, FLUE_ST_BAD_SLOT},
        {LINK_OUTSIDE, FLUE_ST_BAD_REGION}, {ARRAY_END, FLUE_ST_CHAIN},         {SELF_LINK, FLUE_ST_CHAIN},
        {PIECE_OUTSIDE, FLUE_ST_OK}, /* the slots are right; the DMA refuses the read */
    };
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        start();
        for (unsigned i = 0; i < sizeof rules / sizeof rules[0]; i++) {
            wait_tx_room(8);
            unsigned n = h->wanted;
            put_packet(rules[i].fault, 7);
            doorbell();
            CHECK_EQ(n + 1, h->wanted);
            CHECK_EQ(rules[i].status, h->want[n].status);
            drain_bench(100000);
            CHECK_EQ(h->wanted, h->completions);
        }
        check_all_done();
    }
}

/* Architecture 5: fragments without PACKET belong to no request; they are returned with one BAD_SLOT. */
TEST(fragments_without_packet_are_returned)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        start();
        put_tx(frag(0, 0, 100, true));
        put_tx(frag(0, 0, 100, false));
        put_tx(link_to(0, 4));
        put_packet(NONE, 4);
        doorbell();
        CHECK_EQ(2, h->wanted);
        CHECK_EQ(FLUE_ST_BAD_SLOT, h->want[0].status);
        CHECK_EQ(3, h->want[0].index);
        drain_bench(100000);
        check_all_done();
    }
}

/* Architecture 5: a packet that ends at the tail is ST_CHAIN, with everything up to the tail. */
TEST(a_chain_that_runs_to_the_tail_takes_all_of_it)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        start();
        put_tx(packet(500));
        put_tx(frag(0, 0, 100, false));
        put_tx(frag(0, 0, 100, false));
        doorbell();
        CHECK_EQ(FLUE_ST_CHAIN, h->want[0].status);
        CHECK_EQ(3, h->want[0].index);
        drain_bench(100000);
        check_all_done();
        put_tx(packet(200)); /* a packet alone */
        doorbell();
        drain_bench(100000);
        check_all_done();
        put_tx(packet(200)); /* a packet inside a packet */
        put_tx(frag(0, 0, 100, false));
        put_packet(NONE, 4);
        doorbell();
        CHECK_EQ(FLUE_ST_CHAIN, h->want[2].status);
        CHECK_EQ(FLUE_ST_OK, h->want[3].status);
        drain_bench(100000);
        check_all_done();
    }
}

/* Architecture 5: 1,024 slots are the longest chain; one more is refused. */
TEST(the_longest_chain_passes_and_one_more_does_not)
{
    for (unsigned extra = 0; extra < 2; extra++) {
        host_open(1);
        start();
        unsigned n = 1022 + extra; /* with PACKET and LINK */
        put_tx(packet(n));
        put_tx(link_to(32, n));
        for (unsigned i = 0; i < n; i++) {
            struct slot s = frag(0, i, 1, i + 1 == n);
            write_slot(h->memory[ARRAYS] + 32 + 16 * i, &s);
        }
        doorbell();
        CHECK_EQ(extra ? FLUE_ST_CHAIN : FLUE_ST_OK, h->want[0].status);
        drain_bench(100000);
        check_all_done();
    }
}

/* Architecture 5: indices wrap at 2^16 and the ring at its size. */
TEST(indices_wrap)
{
    host_open(0);
    h->tx_log2 = h->rx_log2 = 4;
    set(TX_LOG2, 4, 4);
    set(RX_LOG2, 4, 4);
    bench_mode_all(BENCH_FULL, 0, 0);
    start();
    while (h->walked < 65500 && h->tx_tail < 65500) { /* minimal packets up to the wrap */
        h->wanted = h->requests_seen = h->payloads_ended = h->tags_sent = h->completions = 0;
        h->pieces_wanted = h->pieces_seen = 0;
        for (unsigned i = 0; i < 8; i++) {
            put_tx(packet(1));
            put_tx(frag(0, i, 1, true));
        }
        doorbell();
        for (unsigned i = 0; h->completions < 8; i++) {
            CHECK(i < 10000);
            bench_run(1);
        }
    }
    h->wanted = h->requests_seen = h->payloads_ended = h->tags_sent = h->completions = 0;
    h->pieces_wanted = h->pieces_seen = 0;
    random_tx(60, 30);
    drain_bench(400000);
    CHECK(h->tx_tail < 1000);
    CHECK_EQ(h->wanted, h->completions);
}

/* Architecture 5: receive completions in ring order; small buffers and bad slots are returned with their status. */
TEST(receive_buffers_are_returned_once_and_in_order)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        start();
        random_rx(150, g == 0 ? 0 : 30);
        drain_bench(400000);
        check_all_done();
    }
}

/* Bad input: DMA read and write errors give a status for that request, and traffic goes on. */
TEST(dma_errors_are_statuses_of_their_request)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        h->fail_pay_percent = 10;
        h->fail_write_percent = 20;
        start();
        random_tx(100, 20);
        random_rx(100, 20);
        drain_bench(400000);
        check_all_done();
    }
}

/* Architecture 5: with both directions and a small event ring, events wait and none is lost or overwritten. */
TEST(a_full_event_ring_makes_the_adapter_wait)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        h->eq_log2 = 3;
        h->tx_log2 = h->rx_log2 = 8;
        set(EQ_LOG2, 4, 3);
        set(TX_LOG2, 4, 8);
        set(RX_LOG2, 4, 8);
        h->consume = false;
        start();
        random_tx(14, 20);
        random_rx(14, 20);
        bench_run(8000);
        CHECK_EQ(8, h->event_writes);
        CHECK_EQ(8, bench_get(h->g, S_EQ_TAIL, 16));
        CHECK(bench_count(h->g, S_EQ_WAIT) > 0);
        h->consume = true;
        drain_bench(200000);
        check_all_done();
    }
}

/* Architecture 5: drain finishes what was begun, says where, and resumes without losing or repeating a slot. */
TEST(drain_at_random_points_returns_every_slot_once)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        start();
        for (unsigned round = 0; round < 12; round++) {
            random_tx((unsigned)bench_random_in(1, 12), 25);
            bench_run(bench_random_in(0, 300));
            unsigned told = h->drained_events;
            set(DRAIN, 1, 1);
            for (unsigned i = 0; bench_run(1), !get(S_DRAINED) || i < 3; i++)
                CHECK(i < 100000);
            bench_run(50);
            CHECK_EQ(told + 2, h->drained_events);
            CHECK_EQ(bench_get(h->g, S_TX_HEAD, 16), h->drained_head[0]);
            CHECK_EQ(h->requests_seen, h->completions); /* nothing begun is left */
            if (h->completions)
                CHECK_EQ(h->want[h->completions - 1].index, h->drained_head[0]);
            uint64_t pieces = h->pieces_seen, events = h->event_writes;
            bench_run(300); /* no DMA after it */
            CHECK_EQ(pieces, h->pieces_seen);
            CHECK_EQ(events, h->event_writes);
            set(DRAIN, 1, 0);
            bench_run(3);
        }
        drain_bench(400000);
        check_all_done();
    }
}

/* Architecture 5: frames that come while the queue drains are dropped, buffers stay with the ring. */
TEST(receive_drain_drops_frames_and_keeps_buffers)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        start();
        random_rx(40, 20);
        drain_bench(200000);
        for (unsigned i = 0; i < 5; i++)
            put_buffer(buffer(1600));
        set(RX_TAIL, 16, h->rx_tail);
        bench_run(100);
        set(DRAIN, 1, 1);
        bench_run(100);
        unsigned used = h->frames_sent;
        for (unsigned i = 0; i < 7; i++)
            put_frame();
        drain_bench(100000);
        CHECK_EQ(7, bench_count(h->g, S_DROP));
        CHECK_EQ((uint16_t)(h->rx_tail - 5), h->drained_head[1]);
        set(DRAIN, 1, 0);
        bench_run(3);
        h->frames_sent = used; /* the dropped frames are not expected any more */
        for (unsigned i = 0; i < 5; i++)
            put_frame();
        drain_bench(100000);
        check_all_done();
    }
}

/* HND-003: a diverted frame's note comes right before its completion, a marker behind every frame before it, none is lost. */
TEST(notes_and_markers_come_in_the_order_of_the_frames)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        h->divert_percent = 50;
        h->marker_percent = 25;
        h->fail_write_percent = 10;
        h->rx_log2 = 8; /* a buffer is there before its frame */
        set(RX_LOG2, 4, 8);
        start();
        random_rx(250, g == 0 ? 0 : 20);
        drain_bench(400000);
        CHECK(h->markers_sent > 20);
        check_all_done();
    }
}

/* HND-003: without a buffer a diverted frame does not wait, a marker needs none; an ordinary frame waits. */
TEST(diverted_frames_are_lost_when_there_is_no_buffer)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        h->divert_percent = 100;
        start();
        bench_run(50);
        for (unsigned i = 0; i < 5; i++) {
            put_frame();
            h->frames_sent--;
        }
        put_marker();
        drain_bench(100000);
        CHECK_EQ(5, bench_count(h->g, S_DROP));
        CHECK_EQ(5, bench_arrived(id(FATE)));
        for (struct bench_packet fate; bench_take(id(FATE), &fate);)
            CHECK_EQ(1, bench_bits_get(&fate.user, 0, 2));
        CHECK_EQ(1, h->markers_seen);
        h->divert_percent = 0;
        put_frame();
        put_marker();
        bench_run(3000);
        CHECK_EQ(1, h->markers_seen);
        CHECK_EQ(0, h->rx_completions);
        put_buffer(buffer(1600));
        set(RX_TAIL, 16, h->rx_tail);
        drain_bench(100000);
        check_all_done();
    }
}

/* A marker passes a queue that drains or has stopped, so that neither waits for the other; the queue's end is its end. */
TEST(markers_pass_a_queue_that_drains_or_stopped)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        start();
        set(DRAIN, 1, 1);
        bench_run(100);
        put_marker();
        bench_run(1000);
        CHECK(get(S_DRAINED));
        CHECK_EQ(1, h->markers_seen);
        set(DRAIN, 1, 0);
        drain_bench(100000);
        check_all_done();
        set(RX_TAIL, 16, 0x8000); /* stops it */
        bench_run(100);
        CHECK(get(S_RX_STOPPED));
        put_marker();
        drain_bench(100000);
        CHECK_EQ(2, h->markers_seen);
        h->error_events = 0;
        set(RX_TAIL, 16, 0);
        set(RX_ENABLE, 1, 0);
        bench_run(20);
        put_marker();
        drain_bench(100000);
        h->markers_sent--;
        set(RX_ENABLE, 1, 1);
        drain_bench(100000);
        check_all_done();
    }
}

/* Architecture 5: a doorbell beyond the ring stops the queue with one event, until it is disabled and enabled. */
TEST(a_doorbell_jump_stops_the_queue_with_one_event)
{
    for (int g = 0; g < WIDTHS; g++) {
        for (unsigned rx = 0; rx < 2; rx++) {
            host_open(g);
            start();
            random_tx(20, 20);
            random_rx(20, 20);
            drain_bench(200000);
            uint16_t head = rx ? h->rx_tail : h->tx_tail;
            unsigned log2 = rx ? h->rx_log2 : h->tx_log2;
            set(rx ? RX_TAIL : TX_TAIL, 16, (uint16_t)(head + (1u << log2) + 1 + bench_random_in(0, 0xFFFE - (1u << log2))));
            drain_bench(200000);
            CHECK_EQ(1, h->error_events);
            CHECK_EQ(FLUE_QE_DOORBELL, h->error_code);
            CHECK_EQ(head, h->error_index);
            CHECK(get(rx ? S_RX_STOPPED : S_TX_STOPPED));
            set(rx ? RX_ENABLE : TX_ENABLE, 1, 0);
            set(rx ? RX_TAIL : TX_TAIL, 16, 0);
            bench_run(10);
            CHECK(!get(rx ? S_RX_STOPPED : S_TX_STOPPED));
            CHECK_EQ(0, bench_get(h->g, rx ? S_RX_HEAD : S_TX_HEAD, 16));
            set(rx ? RX_ENABLE : TX_ENABLE, 1, 1);
            h->error_events = 0;
            if (rx) {
                h->rx_tail = h->rx_posted = 0;
                h->rx_completions = 0;
                h->frames_sent = h->frames_used = h->rx_dropped = h->write_requests = h->writes_done = 0;
                random_rx(20, 20);
            } else {
                h->tx_tail = 0;
                h->walked = 0;
                random_tx(20, 20);
            }
            drain_bench(200000);
            check_all_done();
        }
    }
}

/* Architecture 5: a ring of less than 8 slots is refused by name. */
TEST(a_ring_too_small_is_a_configuration_error)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        set(TX_LOG2, 4, bench_random_in(0, 2));
        start();
        drain_bench(20000);
        CHECK_EQ(1, h->error_events);
        CHECK_EQ(FLUE_QE_CONFIG, h->error_code);
        CHECK(get(S_TX_STOPPED) && !get(S_RX_STOPPED));
    }
}

/* Bad input: doorbell storms: the tail moves every cycle, and every slot is still taken once. */
TEST(a_doorbell_storm_is_harmless)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        h->tx_log2 = 8;
        set(TX_LOG2, 4, 8);
        start();
        for (unsigned round = 0; round < 6; round++) {
            uint16_t from = h->tx_tail;
            for (unsigned i = 0; i < 20; i++)
                put_packet(NONE, 7);
            while ((uint16_t)h->walked != h->tx_tail)
                reference_packet();
            uint16_t at = from; /* whole packets, one after the other, as fast as they go */
            while (at != h->tx_tail) {
                do
                    at++;
                while (at != h->tx_tail && kind(&h->ring[at]) != FLUE_SK_PACKET);
                set(TX_TAIL, 16, at);
                bench_run(1);
            }
            wait_tx_room(200);
        }
        drain_bench(200000);
        check_all_done();
    }
}

/* Architecture 5: a ring that cannot be read stops its queue; what was begun is still completed. */
TEST(a_failed_fetch_stops_the_queue)
{
    for (int g = 0; g < WIDTHS; g++) {
        host_open(g);
        start();
        random_tx(10, 0);
        drain_bench(100000);
        h->lenient = true;
        h->fail_slot_percent = 100;
        put_tx(packet(64));
        put_tx(frag(0, 0, 64, true));
        doorbell();
        h->wanted = h->completions; /* nothing of it is begun */
        drain_bench(100000);
        CHECK_EQ(1, h->error_events);
        CHECK_EQ(FLUE_QE_FETCH, h->error_code);
        CHECK_EQ(h->tx_tail - 2, h->error_index);
        CHECK(get(S_TX_STOPPED) && get(S_TX_QUIET));
    }
}

/* Architecture 5: disabling at a random point cuts a packet short, completes it, and leaves the queue at slot 0. */
TEST(disable_at_random_points_completes_what_was_begun)
{
    for (int g = 0; g < WIDTHS; g++) {
        for (unsigned round = 0; round < 8; round++) {
            host_open(g);
            h->lenient = true;
            start();
            for (unsigned i = 0; i < 6 && tx_room() >= 8; i++) {
                put_packet(bench_chance(30) ? (enum fault)bench_random_in(KIND_0 + 1, FAULTS - 1) : NONE, 7);
                doorbell();
                bench_run(1);
            }
            bench_run(bench_random_in(0, 200));
            set(TX_ENABLE, 1, 0);
            set(RX_ENABLE, 1, 0);
            drain_bench(100000);
            CHECK(get(S_TX_QUIET) && get(S_RX_QUIET));
            CHECK_EQ(h->requests_seen, h->completions);
            CHECK_EQ(h->payloads_ended, h->completions);
            CHECK_EQ(0, bench_get(h->g, S_TX_HEAD, 16));
        }
    }
}
