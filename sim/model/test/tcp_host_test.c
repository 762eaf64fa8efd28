/*
 * Two reference connections over a wire in virtual time that loses, repeats and reorders: both streams arrive byte by byte,
 * and what the wire sees keeps the rules that hold for every run.
 */
#include "tcp_host.h"

#include "check.h"
#include "rng.h"

enum { PACKETS = 4096, END_LIMIT_S = 3600 };

struct packet {
    uint64_t at_us;
    uint64_t number; /* order among equals */
    struct flue_tcp_seg seg;
    uint8_t *payload;
};

struct net;

struct side {
    struct flue_tcp_host host;
    struct net *net;
    uint32_t base;              /* sequence number of the first byte it sends */
    uint64_t to_write, written; /* bytes of its stream */
    uint64_t read;              /* bytes of the other's stream */
    uint64_t app_us;            /* when its program does something next */
    bool edge_known;
    uint32_t edge, last_ack; /* right edge and ACK number that it announced last */
    uint64_t packets, resent;
    uint64_t line_ns;  /* its line is busy until then */
    uint32_t sent_end; /* one past the highest number it sent */
};

struct net {
    struct side side[2];
    struct packet packet[PACKETS];
    unsigned waiting;
    uint64_t now_us, packets;
    struct flue_rng rng;
    uint64_t loss, twice, late; /* odds */
    uint32_t delay_us, jitter_us;
    bool slow_reader;
    unsigned moves;
    uint64_t digest; /* of everything the wire saw, in relative numbers */
};

/* Byte `at` of the stream of a side. */
static uint8_t stream_byte(uint32_t base, uint64_t at)
{
    uint64_t x = (at ^ ((uint64_t)base << 24)) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint8_t)(x >> 56);
}

static void digest(struct net *n, uint64_t value)
{
    n->digest = (n->digest ^ value) * UINT64_C(0x100000001B3);
}

/* What every segment on the wire must keep. */
static void watch(struct side *s, const struct flue_tcp_seg *seg, const uint8_t *payload)
{
    struct side *other = &s->net->side[s == s->net->side];
    uint32_t edge = seg->ack + ((uint32_t)seg->wnd << s->host.t.rcv_scale);
    bool probe = seg->len == 0 && !(seg->flags & FLUE_TCP_FIN) && seg->seq + 1 == s->host.t.snd_una;
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < seg->len; i++)
        wrong += payload[i] != stream_byte(s->base, (uint32_t)(seg->seq + i - s->base));
    CHECK(wrong == 0, "%u wrong bytes sent at %u", (unsigned)wrong, seg->seq - s->base); /* streams stay below 2^32 */
    CHECK(!s->edge_known || flue_tcp_upto(s->edge, edge), "the window edge moved left by %u", s->edge - edge);
    CHECK(!s->edge_known || flue_tcp_upto(s->last_ack, seg->ack), "the ACK number moved back by %u", s->last_ack - seg->ack);
    CHECK(flue_tcp_upto(seg->seq + seg->len, other->edge) || !other->edge_known, "data beyond the window");
    CHECK(edge - s->host.t.consumed <= s->host.t.rcv_buf + (1u << 16), "more announced than there is room");
    for (unsigned i = 0; i < seg->blocks; i++)
        CHECK(flue_tcp_before(seg->block[i].left, seg->block[i].right), "an empty block");
    s->edge = edge;
    s->edge_known = true;
    s->last_ack = seg->ack;
    digest(s->net, s->net->now_us);
    digest(s->net, seg->seq - s->base + ((uint64_t)seg->len << 32));
    digest(s->net, seg->ack - other->base + ((uint64_t)seg->wnd << 32) + ((uint64_t)seg->flags << 48));
    for (unsigned i = 0; i < seg->blocks; i++)
        digest(s->net, seg->block[i].left - other->base + ((uint64_t)(seg->block[i].right - other->base) << 32));
    s->packets++;
    if (seg->len > 0 && flue_tcp_before(seg->seq, s->sent_end))
        s->resent++;
    if (!probe && flue_tcp_before(s->sent_end, seg->seq + seg->len))
        s->sent_end = seg->seq + seg->len;
}

static void onto_wire(void *user, uint64_t now_us, const struct flue_tcp_seg *seg, const uint8_t *payload)
{
    struct side *s = user;
    struct net *n = s->net;
    watch(s, seg, payload);
    uint64_t ready_ns = now_us * 1000 > s->line_ns ? now_us * 1000 : s->line_ns;
    s->line_ns = ready_ns + 8 * (seg->len + 78u); /* 1 Gb/s */
    unsigned copies = flue_rng_hit(&n->rng, n->loss) ? 0 : flue_rng_hit(&n->rng, n->twice) ? 2 : 1;
    while (copies-- > 0 && n->waiting < PACKETS) {
        struct packet *p = &n->packet[n->waiting++];
        *p = (struct packet){
            .at_us = s->line_ns / 1000 + n->delay_us, .number = n->packets++ << 1 | (s == &n->side[1]), .seg = *seg};
        if (flue_rng_hit(&n->rng, n->late))
            p->at_us += flue_rng_below(&n->rng, n->jitter_us + 1);
        p->payload = malloc(seg->len + 1u);
        if (seg->len > 0)
            memcpy(p->payload, payload, seg->len);
    }
}

static struct packet *next_packet(struct net *n)
{
    struct packet *best = NULL;
    for (unsigned i = 0; i < n->waiting; i++) {
        struct packet *p = &n->packet[i];
        if (!best || p->at_us < best->at_us || (p->at_us == best->at_us && p->number < best->number))
            best = p;
    }
    return best;
}

static void deliver(struct net *n, struct packet *p)
{
    struct packet copy = *p;
    *p = n->packet[--n->waiting];
    flue_tcp_host_receive(&n->side[!(copy.number & 1)].host, n->now_us, &copy.seg, copy.payload);
    free(copy.payload);
}

static bool over(const struct side *s)
{
    return s->host.t.state == FLUE_TCP_CLOSED || s->host.t.state == FLUE_TCP_TIME_WAIT;
}

/* The program: writes and reads pieces of any size, at any time. */
static void program(struct net *n, struct side *s)
{
    uint8_t piece[20000];
    uint64_t left = s->to_write - s->written;
    size_t len = flue_rng_below(&n->rng, sizeof piece);
    len = len < left ? len : (size_t)left;
    for (size_t i = 0; i < len; i++)
        piece[i] = stream_byte(s->base, s->written + i);
    s->written += flue_tcp_host_write(&s->host, n->now_us, piece, len);
    if (s->written == s->to_write && !s->host.finished)
        flue_tcp_host_finish(&s->host, n->now_us);

    struct side *other = &n->side[s == n->side];
    len = flue_tcp_host_read(&s->host, n->now_us, piece, flue_rng_below(&n->rng, sizeof piece));
    unsigned wrong = 0;
    for (size_t i = 0; i < len; i++)
        wrong += piece[i] != stream_byte(other->base, s->read + i);
    CHECK(wrong == 0, "%u wrong bytes read from %" PRIu64, wrong, s->read);
    s->read += len;
    s->app_us = n->now_us + flue_rng_below(&n->rng, n->slow_reader && flue_rng_below(&n->rng, 20) == 0
                                                        ? 3000000
                                                        : 2000 + (n->now_us - 1000000) / 100);
}

static struct flue_tcp established(struct flue_rng *rng, uint32_t snd, uint32_t rcv, uint8_t snd_scale, uint8_t rcv_scale,
                                   bool ts, bool sack, uint16_t mss, uint32_t buffer, uint32_t peer_buffer)
{
    uint32_t window = buffer < 65535u << rcv_scale ? buffer >> rcv_scale << rcv_scale : 65535u << rcv_scale;
    uint32_t peers = peer_buffer < 65535u << snd_scale ? peer_buffer >> snd_scale << snd_scale : 65535u << snd_scale;
    struct flue_tcp r = {.state = FLUE_TCP_ESTABLISHED, .ts = ts, .sack = sack, .snd_scale = snd_scale, .rcv_scale = rcv_scale};
    r.mss = mss;
    r.mss_rcv = mss < 536 ? 536 : mss;
    r.rcv_buf = buffer;
    r.snd_buf = buffer;
    r.limit = 15;
    r.ts_offset = (uint32_t)flue_rng_next(rng);
    r.rcv_nxt = r.rcv_edge = r.consumed = r.last_ack_sent = rcv;
    r.rcv_adv = rcv + window;
    r.snd_una = r.snd_max = r.send_limit = r.snd_wl2 = snd;
    r.snd_wl1 = rcv;
    r.snd_wnd = r.max_snd_wnd = peers;
    r.cwnd = 10u * mss;
    r.ssthresh = 1u << 30;
    return r;
}

struct setting {
    const char *name;
    double loss, twice, late;
    uint32_t jitter_us;
    bool ts, sack, slow;
    unsigned moves;
};

static bool done(const struct net *n)
{
    return over(&n->side[0]) && over(&n->side[1]) && n->side[0].read == n->side[1].to_write &&
           n->side[1].read == n->side[0].to_write;
}

/* Freeze at a random moment, load what was frozen: the peer notices nothing (HND-002, HND-012). */
static void move(struct net *n, struct side *s)
{
    if (s->host.frozen) {
        flue_tcp_host_reload(&s->host, n->now_us);
        n->moves++;
    } else if (s->host.t.mode == FLUE_TCP_LIVE) {
        flue_tcp_host_command(&s->host, n->now_us, FLUE_TCP_FREEZE);
    }
}

static uint64_t transfer(const struct setting *set, uint64_t seed, const uint32_t first[2], uint64_t bytes)
{
    static struct net n;
    n = (struct net){.now_us = 1000000, .slow_reader = set->slow, .jitter_us = set->jitter_us};
    flue_rng_init(&n.rng, seed, set->name);
    n.loss = flue_rng_odds(set->loss);
    n.twice = flue_rng_odds(set->twice);
    n.late = flue_rng_odds(set->late);
    n.delay_us = 100 + flue_rng_below(&n.rng, 10000);
    static const uint16_t MSS[] = {88, 536, 1448, 1448, 8948};
    static const uint8_t SCALE[] = {0, 2, 7, 7, 9};
    static const uint32_t BUFFER[] = {4096, 65536, 65536, 262144};
    uint16_t mss = MSS[flue_rng_below(&n.rng, 5)];
    uint8_t scale[2];
    uint32_t buffer[2];
    for (unsigned i = 0; i < 2; i++) {
        scale[i] = SCALE[flue_rng_below(&n.rng, 5)];
        buffer[i] = BUFFER[flue_rng_below(&n.rng, 4)];
        if (buffer[i] < 4u * mss)
            buffer[i] = 65536;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &n.side[i];
        struct flue_tcp_host_config c = {.latency_us = flue_rng_below(&n.rng, 50), .emit = onto_wire, .user = s};
        c.record =
            established(&n.rng, first[i], first[!i], scale[!i], scale[i], set->ts, set->sack, mss, buffer[i], buffer[!i]);
        s->net = &n;
        s->base = first[i];
        s->sent_end = first[i];
        s->to_write = flue_rng_below(&n.rng, bytes) + (i == 0 ? bytes / 2 : 0);
        if (!flue_tcp_host_open(&s->host, &c, n.now_us))
            abort();
    }
    unsigned mover = 0;
    uint64_t next_move = set->moves ? n.now_us + 1000 : UINT64_MAX, turns = 0;
    while (!done(&n) && n.now_us < (uint64_t)END_LIMIT_S * 1000000 && !check_failures && turns++ < 3000000) {
        struct packet *p = next_packet(&n);
        uint64_t at = p ? p->at_us : UINT64_MAX;
        for (unsigned i = 0; i < 2; i++) {
            uint64_t host = flue_tcp_host_next(&n.side[i].host, n.now_us);
            at = host < at ? host : at;
            at = n.side[i].app_us < at ? n.side[i].app_us : at;
        }
        at = next_move < at ? next_move : at;
        n.now_us = at > n.now_us ? at : n.now_us;
        if (p && p->at_us <= n.now_us)
            deliver(&n, p);
        for (unsigned i = 0; i < 2; i++) {
            struct side *s = &n.side[i];
            flue_tcp_host_run(&s->host, n.now_us);
            if (s->app_us <= n.now_us)
                program(&n, s);
            CHECK(!s->host.broken, "%s: %s", set->name, s->host.broken);
        }
        if (next_move <= n.now_us) {
            move(&n, &n.side[mover]);
            if (n.side[mover].host.t.mode == FLUE_TCP_LIVE) {
                mover = flue_rng_below(&n.rng, 2);
                next_move = n.now_us + flue_rng_below(&n.rng, 20000 + (n.now_us - 1000000) / 100);
            } else {
                next_move = n.now_us + flue_rng_below(&n.rng, 5000);
            }
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &n.side[i];
        CHECK(s->read == n.side[!i].to_write, "%s: %" PRIu64 " of %" PRIu64 " bytes read, state %u, at %" PRIu64 " ms",
              set->name, s->read, n.side[!i].to_write, s->host.t.state, n.now_us / 1000);
        CHECK(s->host.ends <= 1 && (s->host.ended == FLUE_TCP_END_NONE || s->host.ended == FLUE_TCP_END_CLOSED),
              "%s: %u ends, %u", set->name, s->host.ends, s->host.ended); /* TCP-212 */
    }
    CHECK(done(&n), "%s: not over, states %u and %u", set->name, n.side[0].host.t.state, n.side[1].host.t.state);
    CHECK(set->loss > 0 || set->late > 0 || set->moves || n.side[0].resent + n.side[1].resent == 0 || set->slow,
          "%s: %" PRIu64 " resent on a perfect wire", set->name, n.side[0].resent + n.side[1].resent);
    CHECK(!set->moves || n.moves > 0);
    if (check_failures)
        printf("  %s: seed %" PRIu64 ", first %u %u, mss %u, scales %u %u, buffers %u %u, %s%s\n", set->name, seed, first[0],
               first[1], mss, scale[0], scale[1], buffer[0], buffer[1], set->ts ? "timestamps " : "", set->sack ? "SACK" : "");
    for (unsigned i = 0; i < 2; i++)
        flue_tcp_host_close(&n.side[i].host);
    while (n.waiting > 0)
        free(n.packet[--n.waiting].payload);
    return n.digest;
}

/* Sequence numbers that wrap at once, that change sign at once, that wrap with the window (TCP-012), and any. */
static void transfers(const struct setting *set, unsigned runs, uint64_t bytes)
{
    struct flue_rng rng;
    flue_rng_init(&rng, check_seed, set->name);
    for (unsigned i = 0; i < runs && !check_failures; i++) {
        const uint32_t first[][2] = {{0xFFFFFFFF, 0xFFFFFFFF},
                                     {0x7FFFFFFF, 0x7FFFFFFF},
                                     {0u - 65536, 0u - 65536},
                                     {0, 0xFFFFFFFE},
                                     {(uint32_t)flue_rng_next(&rng), (uint32_t)flue_rng_next(&rng)}};
        struct setting s = *set;
        s.ts = i & 1;
        s.sack = !(i & 2);
        transfer(&s, flue_rng_next(&rng), first[i % 5], bytes);
    }
}

/* TCP-040, TCP-012, TCP-053, TCP-200, TCP-201 */
TEST(two_streams_cross_a_perfect_wire)
{
    transfers(&(struct setting){.name = "perfect"}, 40, 300000);
}

/* TCP-040, TCP-126 */
TEST(two_streams_cross_a_wire_that_loses)
{
    transfers(&(struct setting){.name = "loss 1%", .loss = 0.01}, 40, 300000);
    transfers(&(struct setting){.name = "loss 10%", .loss = 0.1}, 40, 100000);
    transfers(&(struct setting){.name = "loss 30%", .loss = 0.3}, 20, 6000);
}

/* TCP-040, TCP-042, TCP-079 */
TEST(two_streams_cross_a_wire_that_reorders_and_repeats)
{
    transfers(&(struct setting){.name = "late", .late = 0.2, .jitter_us = 3000}, 40, 200000);
    transfers(&(struct setting){.name = "all late", .late = 1, .jitter_us = 20000, .twice = 0.2}, 40, 200000);
    transfers(&(struct setting){.name = "everything", .loss = 0.03, .late = 0.3, .jitter_us = 9000, .twice = 0.05}, 40, 100000);
}

/* TCP-040, TCP-046, TCP-053, TCP-054, TCP-057 */
TEST(two_streams_cross_with_readers_that_stop_for_seconds)
{
    transfers(&(struct setting){.name = "slow", .slow = true}, 30, 200000);
    transfers(&(struct setting){.name = "slow and lossy", .slow = true, .loss = 0.05, .late = 0.1, .jitter_us = 5000}, 30,
              100000);
}

/* HND-002, HND-007, HND-012 */
TEST(a_connection_is_frozen_and_loaded_again_while_both_streams_cross)
{
    transfers(&(struct setting){.name = "moved", .moves = 1}, 20, 300000);
    transfers(&(struct setting){.name = "moved and lossy", .moves = 1, .loss = 0.02, .late = 0.1, .jitter_us = 5000}, 20,
              40000);
}

/* TCP-012: time, numbers, windows and blocks of every segment are the same, shifted */
TEST(a_run_with_other_first_numbers_is_the_same_run_shifted)
{
    static const uint32_t FIRST[][2] = {
        {0, 0}, {0xFFFFFFFF, 0xFFFFFFFF}, {0x7FFFFFFF, 0x7FFFFFFF}, {0u - 65536, 0u - 65536}, {123456789, 42}, {0x80000000, 5}};
    const struct setting set = {.name = "shift", .loss = 0.03, .late = 0.1, .jitter_us = 4000, .twice = 0.02, .slow = true};
    struct flue_rng rng;
    flue_rng_init(&rng, check_seed, "shift");
    for (unsigned i = 0; i < 12 && !check_failures; i++) {
        struct setting s = set;
        s.ts = i & 1;
        s.sack = !(i & 2);
        uint64_t seed = flue_rng_next(&rng), want = transfer(&s, seed, FIRST[0], 60000);
        for (unsigned k = 1; k < 6; k++)
            CHECK(transfer(&s, seed, FIRST[k], 60000) == want, "seed %" PRIu64 ", first %u %u", seed, FIRST[k][0], FIRST[k][1]);
    }
}

TEST_MAIN(30001)
