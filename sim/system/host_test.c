/* The host of the simulated adapter (flue/sim_host.h): states that are loaded, what is refused, what comes back. */
#include "flue/sim_host.h"

#include "flue/ndis/types.h"
#include "tcp_frame.h"
#include "test/check.h"

enum { PORT = 6000, SENT = 40, ACK = 0x10, FIN = 0x01, RST = 0x04 };

static struct flue_sim *sim;
static struct flue_sim_host *host;
static struct flue_tcp_ends peer; /* as the peer sees them */
static struct flue_sim_ends ends;
static unsigned diverted;

static void on_received(void *ctx, const uint8_t *frame, const struct flue_rx_done *done)
{
    (void)ctx;
    (void)frame;
    diverted += done->diverted;
}

static void begin(void)
{
    struct flue_sim_config cfg;
    struct flue_sim_host_params params = {.received = on_received};
    flue_sim_config_init(&cfg);
    cfg.width = 32;
    cfg.clock_mhz = 62;
    cfg.seed = check_seed;
    if (flue_sim_open(&cfg, &sim) != FLUE_OK) {
        printf("%s\n", flue_sim_open_error());
        exit(1);
    }
    REQUIRE(flue_sim_host_open(sim, &params, &host) == FLUE_OK);
    diverted = 0;
    ends = (struct flue_sim_ends){.mac_adapter = {2, 0, 0, 0, 0, 1},
                                  .mac_peer = {2, 0, 0, 0, 0, 2},
                                  .ip_adapter = {192, 0, 2, 1},
                                  .ip_peer = {192, 0, 2, 2},
                                  .port_adapter = PORT,
                                  .port_peer = PORT + 1};
    peer = (struct flue_tcp_ends){.port_here = ends.port_peer, .port_there = ends.port_adapter};
    memcpy(peer.mac_here, ends.mac_peer, 6);
    memcpy(peer.mac_there, ends.mac_adapter, 6);
    memcpy(peer.ip_here, ends.ip_peer, 16);
    memcpy(peer.ip_there, ends.ip_adapter, 16);
}

static void end(void)
{
    flue_sim_host_close(host);
    CHECK(flue_sim_violation(sim) == NULL, "%s", flue_sim_violation(sim));
    CHECK(flue_sim_close(sim) == FLUE_OK);
}

static void run(uint64_t us)
{
    enum flue_sim_why why;
    enum flue_err err = flue_sim_host_run(host, us, 0, &why);
    CHECK(err == FLUE_OK, "%s", flue_sim_host_error(host));
}

/* The next segment that reached the peer; false: none. */
static bool next(struct flue_tcp_seg *seg)
{
    static uint8_t frame[2048];
    const uint8_t *payload;
    uint64_t at_us;
    size_t len;
    if (flue_sim_wire_recv(sim, frame, sizeof frame, &len, &at_us) != FLUE_OK)
        return false;
    CHECK(flue_tcp_frame_parse(&peer, frame, len, seg, &payload));
    return true;
}

static void say(const struct flue_tcp_seg *seg, const uint8_t *payload)
{
    uint8_t frame[FLUE_TCP_FRAME_HEADERS + 2048];
    size_t len = flue_tcp_frame_build(&peer, seg, payload, frame);
    CHECK(flue_sim_wire_send(sim, frame, len) == FLUE_OK);
}

static struct flue_sim_conn *hold(void)
{
    struct flue_sim_conn *conn;
    enum flue_err err = flue_sim_conn_hold(host, &ends, 16, 16, &conn);
    CHECK(err == FLUE_OK, "%s", flue_sim_host_error(host));
    return conn;
}

/* A state with bytes and, where the state has one, a FIN in flight. */
static struct flue_sim_conn_state in_state(uint8_t state, uint32_t snd, uint32_t rcv)
{
    static const char BYTES[SENT] = "forty bytes that nobody acknowledged yet";
    struct flue_sim_conn_state s;
    bool fin = state == TcpConnectionFinWait1 || state == TcpConnectionClosing || state == TcpConnectionLastAck;
    flue_sim_conn_state_init(&s);
    s.state = state;
    s.rcv_nxt = s.snd_wl1 = rcv;
    s.snd_una = snd;
    s.snd_nxt = s.snd_max = snd + SENT + fin;
    s.unacked = BYTES;
    s.unacked_bytes = SENT;
    s.srtt_us = 10000;
    s.rttvar_us = 2000;
    s.retransmit_ms = 20;
    s.ts_recent = 5;
    s.ts_recent_age_ms = 0;
    s.ts_clock = 100000;
    if (state == TcpConnectionFinWait2) { /* everything of ours is acknowledged */
        s.snd_una = s.snd_nxt = s.snd_max;
        s.unacked_bytes = 0;
        s.retransmit_ms = FLUE_SIM_NOT_RUNNING;
    }
    return s;
}

static void same(const char *name, const struct flue_sim_conn_state *back, const struct flue_sim_conn_state *s)
{
#define SAME(field) CHECK(back->field == s->field, "%s: " #field " is %u, should be %u", name, back->field, s->field)
    SAME(state);
    SAME(rcv_nxt);
    SAME(rcv_wnd);
    SAME(snd_una);
    SAME(snd_nxt);
    SAME(snd_max);
    SAME(snd_wnd);
    SAME(max_snd_wnd);
    SAME(snd_wl1);
    SAME(cwnd);
    SAME(ssthresh);
    SAME(srtt_us);
    SAME(rttvar_us);
    SAME(ts_recent);
    SAME(unacked_bytes);
    SAME(unread_bytes);
#undef SAME
}

/* HND-001, HND-002, HND-005: what is loaded comes back, nothing leaves by loading, and one ACK by starting. */
TEST(every_state_is_loaded_and_comes_back)
{
    static const struct {
        uint8_t state;
        const char *name;
    } STATES[] = {{TcpConnectionEstablished, "ESTABLISHED"},
                  {TcpConnectionFinWait1, "FIN_WAIT1"},
                  {TcpConnectionFinWait2, "FIN_WAIT2"},
                  {TcpConnectionClosing, "CLOSING"},
                  {TcpConnectionLastAck, "LAST_ACK"}};
    begin();
    for (unsigned i = 0; i < sizeof STATES / sizeof *STATES; i++) {
        uint32_t snd = i & 1 ? 0xFFFFFFF0 : (uint32_t)check_seed, rcv = i & 1 ? 0xFFFFFFFF : 1;
        struct flue_sim_conn_state state = in_state(STATES[i].state, snd, rcv), back;
        struct flue_sim_conn *conn = hold();
        struct flue_tcp_seg seg;
        uint8_t bytes[SENT];
        CHECK(flue_sim_conn_load(conn, &state) == FLUE_OK, "%s: %s", STATES[i].name, flue_sim_host_error(host));
        run(1000);
        CHECK(!next(&seg), "%s: a segment left by loading", STATES[i].name);
        CHECK(flue_sim_conn_query(conn, &back) == FLUE_OK, "%s", flue_sim_host_error(host));
        same(STATES[i].name, &back, &state);
        CHECK(flue_sim_conn_start(conn) == FLUE_OK, "%s", flue_sim_host_error(host));
        run(1000);
        CHECK(next(&seg) && seg.len == 0 && seg.seq == state.snd_max && seg.ack == rcv && !next(&seg),
              "%s: not one ACK by starting", STATES[i].name);
        run(30000); /* the timer that was running fires */
        bool flies = state.unacked_bytes > 0, again = next(&seg);
        CHECK(again == flies, "%s: %s", STATES[i].name, again ? "a segment, nothing is in flight" : "nothing was sent again");
        CHECK(!again || (seg.seq == snd && seg.len == SENT && !(seg.flags & FIN) == (state.snd_max == snd + SENT)),
              "%s: not what is in flight", STATES[i].name);
        CHECK(flue_sim_conn_freeze(conn, &back) == FLUE_OK, "%s: %s", STATES[i].name, flue_sim_host_error(host));
        CHECK(back.timeouts == flies && back.snd_nxt == state.snd_max && back.snd_una == state.snd_una, "%s: timeouts %u",
              STATES[i].name, back.timeouts);
        say(&(struct flue_tcp_seg){.seq = rcv, .ack = snd, .wnd = 4096, .flags = ACK}, NULL); /* its entry is still there */
        unsigned before = diverted;
        run(1000);
        CHECK(diverted == before + 1 && !next(&seg), "%s: %u diverted", STATES[i].name, diverted - before);
        CHECK(flue_sim_conn_release(conn) == FLUE_OK && flue_sim_conn_release(conn) == FLUE_ESTATE);
        say(&(struct flue_tcp_seg){.seq = rcv, .ack = snd, .wnd = 4096, .flags = ACK}, NULL); /* the host's */
        run(1000);
        CHECK(diverted == before + 1, "%s: diverted by a released entry", STATES[i].name);
        CHECK(!flies || (flue_conn_peek_sent(flue_sim_conn_ring(conn), snd, bytes, SENT) == FLUE_OK &&
                         !memcmp(bytes, state.unacked, SENT)));
        flue_sim_conn_close(conn);
    }
    end();
}

/* HND-001: frames of a held connection are diverted; the peer's bytes reach the program once it is started. */
TEST(a_program_plays_host_and_peer)
{
    struct flue_sim_conn_state state;
    struct flue_tcp_seg seg = {.seq = 500, .ack = 9000, .wnd = 4096, .flags = ACK, .len = 5};
    char text[16] = "";
    size_t got = 0, queued = 0;
    begin();
    struct flue_sim_conn *conn = hold();
    struct flue_conn *ring = flue_sim_conn_ring(conn);
    flue_sim_conn_state_init(&state);
    state.timestamps = false;
    state.rcv_nxt = state.snd_wl1 = 500;
    state.snd_una = state.snd_nxt = state.snd_max = 9000;
    say(&seg, (const uint8_t *)"early");
    run(100);
    CHECK_EQ(diverted, 1);
    CHECK(flue_sim_conn_load(conn, &state) == FLUE_OK && flue_sim_conn_start(conn) == FLUE_OK, "%s", flue_sim_host_error(host));
    say(&seg, (const uint8_t *)"hello");
    CHECK(flue_conn_send(ring, "answer", 6, &queued) == FLUE_OK && queued == 6);
    CHECK(flue_conn_kick(ring, false, false) == FLUE_OK);
    run(50000);
    CHECK(flue_conn_recv(ring, text, sizeof text, &got) == FLUE_OK && got == 5 && !memcmp(text, "hello", 5), "%zu bytes: %s",
          got, text);
    CHECK(next(&seg) && seg.seq == 9000 && seg.len == 0);
    CHECK(next(&seg) && seg.seq == 9000 && seg.len == 6 && seg.ack >= 500);
    seg = (struct flue_tcp_seg){.seq = 505, .ack = 9006, .wnd = 4096, .flags = ACK | FIN};
    say(&seg, NULL);
    run(1000);
    CHECK(flue_conn_recv(ring, text, sizeof text, &got) == FLUE_OK && got == 0);
    CHECK(flue_sim_conn_abort(conn) == FLUE_OK, "%s", flue_sim_host_error(host));
    run(1000);
    bool reset = false;
    while (next(&seg))
        reset = reset || (seg.flags & RST);
    CHECK(reset);
    end(); /* closes the connection too */
}

/* HND-006: what cannot be true is refused with a sentence, and the entry can still be loaded. */
TEST(states_that_are_not_legal_are_refused_and_named)
{
    struct flue_sim_conn_state good, s;
    struct flue_sim_conn *conn, *other;
    begin();
    conn = hold();
    good = in_state(TcpConnectionEstablished, 1000, 2000);
    s = good;
    s.unacked_bytes = SENT - 1;
    CHECK(flue_sim_conn_load(conn, &s) == FLUE_EARG && strstr(flue_sim_host_error(host), "40 bytes are in flight, 39"), "%s",
          flue_sim_host_error(host));
    s = good;
    s.snd_scale = 15;
    CHECK(flue_sim_conn_load(conn, &s) == FLUE_EARG && strstr(flue_sim_host_error(host), "scale of 15"));
    s = good;
    s.state = TcpConnectionTimeWait;
    CHECK(flue_sim_conn_load(conn, &s) == FLUE_ESTATE && strstr(flue_sim_host_error(host), "load, node 2"), "%s",
          flue_sim_host_error(host));
    s = good;
    s.rcv_wnd = s.rcv_buf + 1;
    CHECK(flue_sim_conn_load(conn, &s) == FLUE_ESTATE);
    s = good;
    s.rcv_wnd = s.rcv_buf = 65537; /* the ring has 65,536 */
    CHECK(flue_sim_conn_load(conn, &s) == FLUE_ESTATE && strstr(flue_sim_host_error(host), "RCV_WINDOW"), "%s",
          flue_sim_host_error(host));
    s = good;
    s.snd_nxt = s.snd_max + 1;
    CHECK(flue_sim_conn_load(conn, &s) == FLUE_ESTATE);
    CHECK(flue_sim_conn_start(conn) == FLUE_ESTATE && strstr(flue_sim_host_error(host), "not loaded"));
    CHECK(flue_sim_conn_query(conn, &s) == FLUE_ESTATE && flue_sim_conn_freeze(conn, &s) == FLUE_ESTATE);
    CHECK(flue_sim_conn_abort(conn) == FLUE_ESTATE);
    CHECK(flue_sim_conn_hold(host, &ends, 16, 16, &other) == FLUE_ESTATE && other == NULL, "the same ends twice");
    CHECK(flue_sim_conn_hold(host, &ends, 15, 16, &other) == FLUE_EARG && other == NULL);
    CHECK(flue_sim_conn_load(conn, &good) == FLUE_OK, "%s", flue_sim_host_error(host));
    CHECK(flue_sim_conn_load(conn, &good) == FLUE_ESTATE);
    CHECK(flue_sim_conn_start(conn) == FLUE_OK && flue_sim_conn_release(conn) == FLUE_ESTATE);
    end();
}

/* Rings and rows come back with the close. */
TEST(many_connections_fit_one_after_the_other)
{
    struct flue_sim_conn_state state = in_state(TcpConnectionEstablished, 7, 9);
    struct flue_sim_conn *conn[32];
    begin();
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 32; i++) { /* 32 x 2 rings of 64 KB are all there is */
            ends.port_peer = (uint16_t)(PORT + i);
            conn[i] = hold();
            CHECK(flue_sim_conn_load(conn[i], &state) == FLUE_OK, "%s", flue_sim_host_error(host));
        }
        struct flue_sim_conn *more;
        ends.port_peer = PORT - 1;
        CHECK(flue_sim_conn_hold(host, &ends, 16, 16, &more) == FLUE_ENOMEM);
        for (unsigned i = 0; i < 32; i++)
            flue_sim_conn_close(conn[i]);
    }
    end();
}

TEST_MAIN(1)
