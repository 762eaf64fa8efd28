/*
 * Damaged TCP options on a live connection: each byte of a segment's options takes values that could mislead a reader.  The
 * same frames go to the adapter and to the reference TCP; for both, what the program receives follows from a plain reading of
 * the options here.
 */
#include "live.h"
#include "packet.h"

enum { BYTES = 10, OPTIONS = 32, HEADERS = 34 + 20, IN_FLIGHT = 5000, PAUSE_US = 50000 };
enum { KIND_SACK = 5, KIND_TS = 8 };

static const uint8_t VALUES[] = {0, 1, 2, 3, 5, 8, 9, 10, 18, 34, 41, 255};

/* The end that receives: the adapter, or the model. */
struct receiver {
    struct live live; /* the adapter's; its peer is not used */
    struct flue_tcp_ends ends;
    struct flue_tcp_host *model; /* null: the adapter */
    uint64_t now_us;             /* the model's */
    uint64_t received;
    uint32_t ts_recent;
    unsigned accepted, refused; /* frames */
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* The timestamp, when there is one; as RFC 9293 3.1 has options read. */
static bool timestamp_of(const uint8_t *p, unsigned count, uint32_t *value)
{
    unsigned at = 0;
    while (at < count && p[at] != 0) {
        unsigned len = p[at] == 1 ? 1 : at + 1 < count ? p[at + 1] : 0;
        if (len == 0 || (p[at] != 1 && len < 2) || at + len > count)
            return false;
        if (p[at] == KIND_TS && len == 10) {
            *value = be32(p + at + 2);
            return true;
        }
        at += len;
    }
    return false;
}

static void base_options(const struct receiver *r, const struct live_start *start, uint8_t *o)
{
    memset(o, 1, OPTIONS);
    o[2] = KIND_TS;
    o[3] = 10;
    put32(o + 4, r->ts_recent);
    put32(o + 8, 1);
    o[14] = KIND_SACK;
    o[15] = 18;
    put32(o + 16, start->snd + 1000);
    put32(o + 20, start->snd + 2000);
    put32(o + 24, start->snd + 3000);
    put32(o + 28, start->snd + 3500);
}

static size_t frame_of(const struct receiver *r, const struct live_start *start, const uint8_t *options, uint8_t *frame)
{
    struct flue_tcp_seg seg = {
        .seq = start->rcv + (uint32_t)r->received, .ack = start->snd, .wnd = 30000, .flags = FLUE_TCP_ACK};
    uint8_t payload[OPTIONS + BYTES];
    seg.len = OPTIONS + BYTES; /* the options become its first part */
    memcpy(payload, options, OPTIONS);
    for (unsigned i = 0; i < BYTES; i++)
        payload[OPTIONS + i] = live_byte(r->received + i, 1);
    size_t len = flue_tcp_frame_build(&r->ends, &seg, payload, frame);
    frame[34 + 12] = (20 + OPTIONS) / 4 << 4;
    flue_pkt_fill_csums(frame, len);
    return len;
}

static void to_adapter(struct receiver *r, const uint8_t *frame, size_t len)
{
    struct rig *rig = r->live.rig->t->rig;
    enum flue_sim_why why;
    unsigned handled;
    CHECK(flue_sim_wire_send(rig->sim, frame, len) == FLUE_OK);
    for (uint64_t end = flue_sim_time_us(rig->sim) + PAUSE_US; flue_sim_time_us(rig->sim) < end;) {
        enum flue_err err = flue_sim_advance(rig->sim, end - flue_sim_time_us(rig->sim), FLUE_SIM_UNTIL_IRQ, &why);
        CHECK(err == FLUE_OK, "%s", flue_sim_violation(rig->sim) ? flue_sim_violation(rig->sim) : flue_err_name(err));
        if (err != FLUE_OK)
            return;
        CHECK(flue_poll(rig->adapter, 1000, &handled) == FLUE_OK);
        rig_refill(rig);
    }
    live_pull(&r->live);
}

static void to_model(struct receiver *r, const uint8_t *frame, size_t len)
{
    struct flue_tcp_seg seg;
    struct flue_tcp_ends there = r->ends;
    const uint8_t *payload;
    uint8_t data[100];
    memcpy(there.mac_here, r->ends.mac_there, 6);
    memcpy(there.ip_here, r->ends.ip_there, 16);
    memcpy(there.ip_there, r->ends.ip_here, 16);
    there.port_here = r->ends.port_there;
    there.port_there = r->ends.port_here;
    CHECK(flue_tcp_frame_parse(&there, frame, len, &seg, &payload));
    (void)flue_tcp_host_receive(r->model, r->now_us, &seg, payload);
    for (uint64_t end = r->now_us + PAUSE_US; r->now_us < end;) {
        uint64_t next = flue_tcp_host_next(r->model, r->now_us);
        r->now_us = next < end ? next : end;
        flue_tcp_host_run(r->model, r->now_us);
    }
    CHECK(r->model->broken == NULL, "%s", r->model->broken);
    for (size_t n; (n = flue_tcp_host_read(r->model, r->now_us, data, sizeof data)) > 0;) {
        for (size_t i = 0; i < n; i++)
            CHECK(data[i] == live_byte(r->live.received + i, 1), "byte %llu", (unsigned long long)(r->live.received + i));
        r->live.received += n;
    }
}

static void give(struct receiver *r, const struct live_start *start, const uint8_t *options)
{
    uint8_t frame[HEADERS + OPTIONS + BYTES];
    uint32_t value = 0;
    bool stamped = timestamp_of(options, OPTIONS, &value), old = stamped && flue_tcp_before(value, r->ts_recent);
    size_t len = frame_of(r, start, options, frame);
    if (r->model)
        to_model(r, frame, len);
    else
        to_adapter(r, frame, len);
    r->received += old ? 0 : BYTES; /* PAWS */
    *(old ? &r->refused : &r->accepted) += 1;
    if (stamped && !old)
        r->ts_recent = value;
    CHECK(r->live.received == r->received, "%s, options %02x %02x %02x %02x at %u: %llu bytes came, should be %llu",
          r->model ? "model" : "adapter", options[0], options[1], options[2], options[3], r->accepted + r->refused,
          (unsigned long long)r->live.received, (unsigned long long)r->received);
}

static void give_all(struct receiver *r, const struct live_start *start)
{
    uint8_t options[OPTIONS];
    r->ts_recent = 0x40000000;
    base_options(r, start, options);
    give(r, start, options);
    for (unsigned at = 0; at < OPTIONS && check_failures == 0; at++)
        for (unsigned v = 0; v < sizeof VALUES; v += at >= 16 ? 4 : 1) { /* block edges: a few */
            base_options(r, start, options);
            options[at] = VALUES[v];
            give(r, start, options);
        }
    CHECK(r->accepted > 150 && r->refused > 8, "%u accepted, %u refused", r->accepted, r->refused);
}

static void nothing(void *user, uint64_t now_us, const struct flue_tcp_seg *seg, const uint8_t *payload)
{
    (void)user, (void)now_us, (void)seg, (void)payload;
}

static void on_the_model(const struct receiver *like, const struct live_start *start)
{
    struct flue_tcp_host host;
    uint8_t data[IN_FLIGHT] = {0};
    struct flue_tcp_host_config config = {.record = like->live.peer.config.record, .latency_us = 5, .emit = nothing};
    struct flue_tcp *t = &config.record; /* the peer's, turned round */
    uint32_t ours = t->rcv_nxt, theirs = t->snd_una;
    t->rcv_adv = theirs + (t->rcv_adv - t->rcv_nxt);
    t->rcv_nxt = t->rcv_edge = t->consumed = t->last_ack_sent = t->snd_wl1 = theirs;
    t->snd_una = t->snd_max = t->send_limit = t->snd_wl2 = ours;
    CHECK(flue_tcp_host_open(&host, &config, 1000000));
    struct receiver r = {.ends = like->ends, .model = &host, .now_us = 1000000};
    CHECK_EQ(flue_tcp_host_write(&host, r.now_us, data, sizeof data), sizeof data);
    give_all(&r, start);
    flue_tcp_host_close(&host);
}

static void on_both(uint32_t snd, uint32_t rcv)
{
    const struct live_start start = {
        .timestamps = true, .sack = true, .snd = snd, .rcv = rcv, .window = 30000, .delay_us = 100};
    struct live_rig *rig = live_rig_open(32, false, 1u << 20);
    struct receiver r = {.accepted = 0};
    live_open(rig, &r.live, &start);
    r.ends = r.live.ends;
    on_the_model(&r, &start);
    live_push(&r.live, IN_FLIGHT);
    live_pull(&r.live); /* rings the doorbell */
    give_all(&r, &start);
    live_close(&r.live);
    live_rig_close(rig);
}

/* TCP-005, TCP-007, TCP-008, TCP-175 */
TEST(damaged_options_mislead_nobody)
{
    on_both(1000, 2000);
}

TEST(damaged_options_mislead_nobody_where_sequence_numbers_wrap)
{
    on_both(0xFFFFFFFF, 0xFFFFFFFF);
    on_both(0x7FFFFFFF, 0x7FFFFFFF);
    on_both(0u - 30000, 0u - 30000); /* 2^32 less the window */
}

TEST_MAIN(1)
