/*
 * Connections in the adapter against the scriptable one: rings, doorbells, status lines, and an adapter that lies.
 */
#include <stdlib.h>
#include "core_rig.h"
#include "flue/conn.h"

enum { ROW = 5, GENERATION = 0x123, LINE_WORDS = 8, ESTABLISHED = 4, CLOSE_WAIT = 7, RECORD = 0x8000 + ROW * 32 };
enum { RESET = 2 };

static struct flue_conns *conns;
static struct flue_conn *conn;
static unsigned last_event, events;

static void on_event(void *ctx, struct flue_conn *c, unsigned what)
{
    CHECK(ctx == &events && c == conn);
    last_event = what;
    events++;
}

static void start(void)
{
    open_rig();
    rig.m.reg[FLUE_REG_BUILD_TABLES0 / 4] = 64u << FLUE_BUILD_TABLES0_CONNECTIONS_SHIFT;
    struct flue_conns_params params = {.ring_bytes = 1u << 20, .ctx = &events, .event = on_event};
    CHECK_EQ(flue_conns_start(rig.a, &params, &conns), FLUE_OK);
    events = 0;
}

static void stop(void)
{
    flue_conn_close(conn);
    conn = NULL;
    flue_conns_stop(conns);
    close_rig();
}

/* The adapter's memory of the status line. */
static void line(uint32_t snd_free, uint32_t snd_una, uint32_t rcv_nxt, uint32_t state)
{
    unsigned region = rig.m.reg[FLUE_REG_LINE_CFG / 4] & 0xFF;
    uint32_t *w = mock_memory(&rig.m, region, ROW * LINE_WORDS * 4, LINE_WORDS * 4);
    CHECK(w != NULL);
    w[0] = htole32(snd_free);
    w[1] = htole32(snd_una);
    w[2] = htole32(rcv_nxt);
    w[3] = htole32(state | GENERATION << 16);
}

static uint8_t *ring_memory(bool send, uint32_t seq)
{
    struct flue_ring_place s, r;
    flue_conn_places(conn, &s, &r);
    struct flue_ring_place *p = send ? &s : &r;
    uint8_t *m = mock_memory(&rig.m, p->region, p->offset, (size_t)1 << p->log2);
    CHECK(m != NULL);
    return m + (seq & ((1u << p->log2) - 1));
}

static void attach(uint32_t una, uint32_t nxt)
{
    struct flue_conn_begin begin = {.row = ROW, .generation = GENERATION, .snd_una = una, .send_limit = una, .rcv_nxt = nxt};
    CHECK_EQ(flue_conn_open(conns, 16, 16, &conn), FLUE_OK);
    CHECK_EQ(flue_conn_attach(conn, &begin), FLUE_OK);
    line(una, una, nxt, ESTABLISHED);
}

/* The newest value written to a word of the doorbell record; how many writes it saw. */
static unsigned rung(unsigned word, uint32_t *value)
{
    unsigned count = 0;
    for (unsigned i = 0; i < rig.m.log_count; i++)
        if (rig.m.log[i].offset == RECORD + word * 4u) {
            *value = rig.m.log[i].value;
            count++;
        }
    return count;
}

TEST(sent_bytes_lie_where_their_sequence_numbers_say)
{
    uint8_t data[70000];
    size_t sent;
    uint32_t value, start_seq = 0xFFFFFF00; /* the number wraps, the ring too */
    start();
    attach(start_seq, 1);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)check_random(256);
    CHECK_EQ(flue_conn_send(conn, data, sizeof data, &sent), FLUE_OK);
    CHECK_EQ(sent, 65536);
    for (size_t i = 0; i < sent; i++)
        CHECK_EQ(*ring_memory(true, start_seq + (uint32_t)i), data[i]);
    CHECK_EQ(flue_conn_send(conn, data, 1, &sent), FLUE_EAGAIN);
    CHECK_EQ(rung(5, &value), 0);
    CHECK_EQ(flue_conn_kick(conn, true, false), FLUE_OK);
    CHECK_EQ(rung(0, &value), 1);
    CHECK_EQ(value, start_seq + 65536);
    CHECK_EQ(rung(5, &value), 1);
    CHECK_EQ(value, GENERATION | 1u << 17);
    CHECK_EQ(flue_conn_kick(conn, false, false), FLUE_OK); /* nothing to tell */
    CHECK_EQ(rung(5, &value), 1);
    line(start_seq + 100, start_seq + 200, 1, ESTABLISHED);
    CHECK_EQ(flue_conn_send(conn, data, sizeof data, &sent), FLUE_OK);
    CHECK_EQ(sent, 100); /* what is acknowledged but not free is not overwritten (TCP-101) */
    stop();
}

TEST(received_bytes_are_read_once_and_in_order)
{
    uint8_t data[64];
    size_t got;
    uint32_t value, nxt = 0xFFFFFFF0;
    start();
    attach(1, nxt);
    CHECK_EQ(flue_conn_recv(conn, data, sizeof data, &got), FLUE_EAGAIN);
    for (unsigned i = 0; i < 40; i++)
        *ring_memory(false, nxt + i) = (uint8_t)(i + 1);
    line(1, 1, nxt + 40, ESTABLISHED);
    CHECK_EQ(flue_conn_recv(conn, data, 30, &got), FLUE_OK);
    CHECK_EQ(got, 30);
    for (unsigned i = 0; i < 30; i++)
        CHECK_EQ(data[i], i + 1);
    line(1, 1, nxt + 40, CLOSE_WAIT | 1u << 4);
    CHECK_EQ(flue_conn_recv(conn, data, sizeof data, &got), FLUE_OK);
    CHECK_EQ(got, 10);
    CHECK_EQ(flue_conn_recv(conn, data, sizeof data, &got), FLUE_OK);
    CHECK_EQ(got, 0); /* the peer's end (TCP-201) */
    CHECK_EQ(flue_conn_kick(conn, false, true), FLUE_OK);
    CHECK_EQ(rung(1, &value), 1);
    CHECK_EQ(value, nxt + 40);
    stop();
}

TEST(a_connection_that_was_reset_says_so_after_its_last_byte)
{
    uint8_t data[8];
    size_t n;
    start();
    attach(1, 1);
    line(1, 1, 5, RESET << 4);
    CHECK_EQ(flue_conn_send(conn, data, 1, &n), FLUE_ESTATE);
    CHECK_EQ(flue_conn_recv(conn, data, sizeof data, &n), FLUE_OK);
    CHECK_EQ(n, 4);
    CHECK_EQ(flue_conn_recv(conn, data, sizeof data, &n), FLUE_ESTATE);
    stop();
}

TEST(shutdown_marks_the_end_and_refuses_more)
{
    uint8_t data[4] = {0};
    size_t n;
    uint32_t value;
    start();
    attach(1, 1);
    CHECK_EQ(flue_conn_send(conn, data, 4, &n), FLUE_OK);
    CHECK_EQ(flue_conn_shutdown(conn), FLUE_OK);
    CHECK_EQ(flue_conn_send(conn, data, 4, &n), FLUE_ESTATE);
    CHECK_EQ(flue_conn_kick(conn, false, false), FLUE_OK);
    CHECK_EQ(rung(5, &value), 1);
    CHECK_EQ(value, GENERATION | 1u << 16);
    line(6, 6, 1, 6); /* the FIN was acknowledged too: FIN_WAIT2 */
    struct flue_conn_view view;
    CHECK_EQ(flue_conn_look(conn, &view), FLUE_OK);
    CHECK_EQ(view.snd_una, 6);
    stop();
}

TEST(events_of_a_connection_reach_its_owner)
{
    start();
    attach(1, 1);
    mock_event(&rig.m, FLUE_EV_CONNECTION | ROW << 16, 3 | GENERATION << 16, 0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(events, 1);
    CHECK_EQ(last_event, FLUE_CONN_WRITABLE | FLUE_CONN_READABLE);
    mock_event(&rig.m, FLUE_EV_CONNECTION | ROW << 16, 3 | (GENERATION + 1) << 16, 0); /* an earlier life of the row */
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(events, 1);
    stop();
}

static void expect_distrust(const char *what)
{
    CHECK(flue_adapter_fault(rig.a) != NULL);
    if (strstr(flue_adapter_fault(rig.a), what) == NULL)
        check_failed(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", flue_adapter_fault(rig.a), what);
    stop();
}

/* The host never trusts the device. */
TEST(positions_that_cannot_be_true_end_the_use_of_the_adapter)
{
    struct flue_conn_view view;
    start();
    attach(100, 1);
    line(101, 100, 1, ESTABLISHED);
    CHECK_EQ(flue_conn_look(conn, &view), FLUE_EDEVICE);
    expect_distrust("acknowledges bytes nobody sent");
    start();
    attach(100, 1);
    line(100, 99, 1, ESTABLISHED);
    CHECK_EQ(flue_conn_look(conn, &view), FLUE_EDEVICE);
    expect_distrust("acknowledges bytes nobody sent");
    start();
    attach(100, 1);
    line(100, 100, 65538, ESTABLISHED);
    CHECK_EQ(flue_conn_look(conn, &view), FLUE_EDEVICE);
    expect_distrust("receives more than the ring holds");
    start();
    attach(100, 1);
    mock_event(&rig.m, FLUE_EV_CONNECTION | 64u << 16, 3 | GENERATION << 16, 0);
    CHECK_EQ(poll_all(), FLUE_EDEVICE);
    expect_distrust("connection that does not exist");
    start();
    attach(100, 1);
    CHECK_EQ(flue_conn_detach(conn, 101, 1), FLUE_EDEVICE);
    expect_distrust("outside of its rings");
}

TEST(a_line_of_an_earlier_life_of_the_row_says_nothing)
{
    struct flue_conn_view view;
    start();
    attach(100, 1);
    unsigned region = rig.m.reg[FLUE_REG_LINE_CFG / 4] & 0xFF;
    uint32_t *w = mock_memory(&rig.m, region, ROW * LINE_WORDS * 4, LINE_WORDS * 4);
    w[0] = htole32(0xDEAD);
    w[3] = htole32(ESTABLISHED | (GENERATION - 1) << 16);
    CHECK_EQ(flue_conn_look(conn, &view), FLUE_OK);
    CHECK_EQ(view.snd_una, 100);
    stop();
}

/* HND-002: what goes back to the kernel is what was not acknowledged, and what was not read. */
TEST(a_frozen_connection_gives_its_bytes_back)
{
    uint8_t data[100], back[100];
    size_t n;
    start();
    attach(0xFFFFFFE0, 10);
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)check_random(256);
    CHECK_EQ(flue_conn_send(conn, data, sizeof data, &n), FLUE_OK);
    for (unsigned i = 0; i < 20; i++)
        *ring_memory(false, 10 + i) = (uint8_t)i;
    line(0xFFFFFFE0, 0xFFFFFFE0, 25, ESTABLISHED);
    CHECK_EQ(flue_conn_recv(conn, back, 5, &n), FLUE_OK);
    CHECK_EQ(flue_conn_detach(conn, 0xFFFFFFF0, 30), FLUE_OK);
    CHECK_EQ(flue_conn_send(conn, data, 1, &n), FLUE_ESTATE);
    CHECK_EQ(flue_conn_peek_sent(conn, 0xFFFFFFF0, back, 84), FLUE_OK);
    CHECK(memcmp(back, data + 16, 84) == 0);
    CHECK_EQ(flue_conn_peek_sent(conn, 0xFFFFFFF0, back, 85), FLUE_EARG);
    CHECK_EQ(flue_conn_peek_sent(conn, 0xFFFFFFEF, back, 1), FLUE_EARG);
    CHECK_EQ(flue_conn_peek_received(conn, 15, back, 15), FLUE_OK);
    for (unsigned i = 0; i < 15; i++)
        CHECK_EQ(back[i], i + 5);
    CHECK_EQ(flue_conn_peek_received(conn, 15, back, 16), FLUE_EARG);
    CHECK_EQ(flue_conn_peek_received(conn, 14, back, 1), FLUE_EARG);
    stop();
}

/* HND-010: nothing leaks, and the pool is whole again. */
TEST(rings_are_given_out_and_back_without_a_leak)
{
    struct flue_conn *held[16] = {0};
    start();
    for (unsigned n = 0; n < 5000; n++) {
        unsigned i = check_random(16);
        if (held[i] != NULL) {
            flue_conn_close(held[i]);
            held[i] = NULL;
            continue;
        }
        enum flue_err err = flue_conn_open(conns, 16 + check_random(3), 16 + check_random(2), &held[i]);
        CHECK(err == FLUE_OK || err == FLUE_ENOMEM);
        for (unsigned k = 0; err == FLUE_OK && k < 16; k++) {
            struct flue_ring_place a[2], b[2];
            if (k == i || held[k] == NULL)
                continue;
            flue_conn_places(held[i], &a[0], &a[1]);
            flue_conn_places(held[k], &b[0], &b[1]);
            for (unsigned x = 0; x < 4; x++) {
                const struct flue_ring_place *p = &a[x & 1], *q = &b[x >> 1];
                CHECK(p->offset + (1u << p->log2) <= q->offset || q->offset + (1u << q->log2) <= p->offset);
            }
        }
    }
    for (unsigned i = 0; i < 16; i++)
        flue_conn_close(held[i]);
    CHECK_EQ(flue_conn_open(conns, 19, 19, &conn), FLUE_OK); /* all of it */
    struct flue_conn *more;
    CHECK_EQ(flue_conn_open(conns, 16, 16, &more), FLUE_ENOMEM);
    stop();
}

TEST(sizes_and_phases_are_checked)
{
    struct flue_conns *again;
    struct flue_conns_params params = {.ring_bytes = 1u << 20};
    struct flue_conn_begin begin = {.row = 64};
    size_t n;
    uint8_t byte = 0;
    start();
    CHECK_EQ(flue_conns_start(rig.a, &params, &again), FLUE_ESTATE);
    CHECK_EQ(flue_conn_open(conns, 15, 16, &conn), FLUE_EARG);
    CHECK_EQ(flue_conn_open(conns, 16, 26, &conn), FLUE_EARG);
    CHECK_EQ(flue_conn_open(conns, 16, 16, &conn), FLUE_OK);
    CHECK_EQ(flue_conn_send(conn, &byte, 1, &n), FLUE_ESTATE);
    CHECK_EQ(flue_conn_attach(conn, &begin), FLUE_EARG);
    begin = (struct flue_conn_begin){.row = 1, .send_limit = 65537};
    CHECK_EQ(flue_conn_attach(conn, &begin), FLUE_EARG);
    params.ring_bytes = 1000;
    CHECK_EQ(flue_conns_start(rig.a, &params, &again), FLUE_EARG);
    stop();
}
