/*
 * Connections in the adapter: positions, status lines, doorbells (docs/tcp.md section 7).
 */
#include <stdatomic.h>
#include <stdlib.h>
#include "conn_internal.h"
#include "flue/control.h"

enum {
    LINE_WORDS = 8, /* status line */
    LINE_FREE = 0,
    LINE_UNA,
    LINE_NXT,
    LINE_STATE,
    DB_LIMIT = 0, /* doorbell record */
    DB_CONSUMED = 4,
    DB_FREE_SEEN = 12,
    DB_NXT_SEEN = 16,
    DB_CONTROL = 20,
    DB_BYTES = 32,
    DB_BASE = 0x8000,
    STATE_CLOSE_WAIT = 7, /* TCP_OFFLOAD_CONNECTION_STATE: from here on the peer's FIN was received */
    ENDED_CLOSED = 3,     /* tcp_end_e; above it the connection broke */
    ENDED_FIN = 1,
};

#define CONTROL_FIN         (1u << 16)
#define CONTROL_ARM_SEND    (1u << 17)
#define CONTROL_ARM_RECEIVE (1u << 18)

/* ---- all of an adapter --------------------------------------------------------------------------------------------- */

static enum flue_err rows_count(struct flue_adapter *a, unsigned *rows)
{
    uint32_t tables;
    TRY(reg_read(a, FLUE_REG_BUILD_TABLES0, &tables));
    *rows = FLUE_GET(BUILD_TABLES0_CONNECTIONS, tables);
    return *rows > 0 ? FLUE_OK : FLUE_EUNSUPP;
}

static enum flue_err lines_place(struct flue_adapter *a, const struct flue_mem *lines, bool enable)
{
    TRY(reg_write(a, FLUE_REG_LINE_CFG, 0));
    TRY(reg_write(a, FLUE_REG_LINE_BASE, 0));
    return enable ? reg_write(a, FLUE_REG_LINE_CFG, FLUE_LINE_CFG_ENABLE_MASK | lines->region) : FLUE_OK;
}

enum flue_err flue_conns_start(struct flue_adapter *a, const struct flue_conns_params *params, struct flue_conns **out)
{
    unsigned rows;

    if (out == NULL)
        return FLUE_EARG;
    *out = NULL;
    if (a == NULL || params == NULL || params->ring_bytes == 0 || params->ring_bytes % RING_UNIT != 0 ||
        params->ring_bytes > UINT32_MAX)
        return FLUE_EARG;
    TRY(adapter_usable(a));
    if (a->conns != NULL)
        return FLUE_ESTATE;
    TRY(rows_count(a, &rows));

    struct flue_conns *conns = calloc(1, sizeof *conns);
    if (conns == NULL)
        return FLUE_ENOMEM;
    conns->adapter = a;
    conns->params = *params;
    conns->rows = rows;
    conns->units = (unsigned)(params->ring_bytes / RING_UNIT);
    conns->used = calloc(conns->units / 8 + 1, 1);
    conns->by_row = calloc(rows, sizeof(struct flue_conn *));
    enum flue_err err = conns->used == NULL || conns->by_row == NULL ? FLUE_ENOMEM : FLUE_OK;
    if (err == FLUE_OK)
        err = flue_mem_alloc(a, params->ring_bytes, FLUE_ACCESS_READ_WRITE, &conns->pool);
    if (err == FLUE_OK)
        err = flue_mem_alloc(a, rows * LINE_WORDS * sizeof(uint32_t), FLUE_ACCESS_READ_WRITE, &conns->lines);
    if (err == FLUE_OK)
        err = lines_place(a, &conns->lines, true);
    if (err != FLUE_OK) {
        flue_conns_stop(conns);
        return err;
    }
    a->conns = conns;
    *out = conns;
    return FLUE_OK;
}

void flue_conns_stop(struct flue_conns *conns)
{
    if (conns == NULL)
        return;
    struct flue_adapter *a = conns->adapter;
    if (conns->lines.addr != NULL) {
        (void)lines_place(a, &conns->lines, false); /* a broken adapter may refuse; the region's end protects */
        (void)mem_release(a, conns->lines.region);
    }
    if (conns->pool.addr != NULL)
        (void)mem_release(a, conns->pool.region);
    if (a->conns == conns)
        a->conns = NULL;
    free(conns->by_row);
    free(conns->used);
    free(conns);
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static bool ring_size_known(unsigned log2)
{
    return log2 >= FLUE_RING_LOG2_MIN && log2 <= FLUE_RING_LOG2_MAX;
}

enum flue_err flue_conn_open(struct flue_conns *conns, unsigned send_log2, unsigned recv_log2, struct flue_conn **out)
{
    if (out == NULL)
        return FLUE_EARG;
    *out = NULL;
    if (conns == NULL || !ring_size_known(send_log2) || !ring_size_known(recv_log2))
        return FLUE_EARG;
    struct flue_conn *c = calloc(1, sizeof *c);
    if (c == NULL)
        return FLUE_ENOMEM;
    c->conns = conns;
    enum flue_err err = ring_reserve(conns, send_log2, &c->send);
    if (err == FLUE_OK)
        err = ring_reserve(conns, recv_log2, &c->recv);
    if (err != FLUE_OK) {
        flue_conn_close(c);
        return err;
    }
    *out = c;
    return FLUE_OK;
}

static void row_leave(struct flue_conn *c)
{
    if (c->phase == CONN_ATTACHED)
        c->conns->by_row[c->row] = NULL;
}

void flue_conn_close(struct flue_conn *c)
{
    if (c == NULL)
        return;
    row_leave(c);
    ring_release(c->conns, &c->send);
    ring_release(c->conns, &c->recv);
    free(c);
}

void flue_conn_places(const struct flue_conn *c, struct flue_ring_place *send, struct flue_ring_place *recv)
{
    uint8_t region = c->conns->pool.region;
    *send = (struct flue_ring_place){.region = region, .log2 = c->send.log2, .offset = c->send.offset};
    *recv = (struct flue_ring_place){.region = region, .log2 = c->recv.log2, .offset = c->recv.offset};
}

enum flue_err flue_conn_fill(struct flue_conn *c, uint32_t seq, const void *data, size_t len)
{
    if (c == NULL || (data == NULL && len > 0) || len > c->send.size)
        return FLUE_EARG;
    if (c->phase != CONN_OPEN)
        return FLUE_ESTATE;
    ring_write(&c->send, seq, data, len);
    return FLUE_OK;
}

enum flue_err flue_conn_attach(struct flue_conn *c, const struct flue_conn_begin *begin)
{
    uint32_t fin = begin != NULL && begin->fin_marked ? 1 : 0; /* may be acknowledged */
    if (c == NULL || begin == NULL || begin->row >= c->conns->rows || c->conns->by_row[begin->row] != NULL ||
        begin->send_limit + fin - begin->snd_una > c->send.size + fin)
        return FLUE_EARG;
    if (c->phase != CONN_OPEN)
        return FLUE_ESTATE;
    c->phase = CONN_ATTACHED;
    c->row = begin->row;
    c->generation = begin->generation;
    c->state = begin->state;
    c->snd_free = c->snd_una = begin->snd_una;
    c->send_limit = begin->send_limit;
    c->consumed = c->rcv_nxt = begin->rcv_nxt;
    c->fin_marked = begin->fin_marked;
    c->fin_received = begin->fin_received;
    c->conns->by_row[c->row] = c;
    return FLUE_OK;
}

enum flue_err flue_conn_detach(struct flue_conn *c, uint32_t snd_una, uint32_t rcv_nxt)
{
    if (c == NULL || c->phase != CONN_ATTACHED)
        return c == NULL ? FLUE_EARG : FLUE_ESTATE;
    if (snd_una - c->snd_una > c->send_limit + (c->fin_marked ? 1u : 0u) - c->snd_una || rcv_nxt - c->consumed > c->recv.size)
        return adapter_distrust(c->conns->adapter, "positions of a frozen connection outside of its rings");
    row_leave(c);
    c->phase = CONN_DETACHED;
    c->snd_una = snd_una;
    c->rcv_nxt = rcv_nxt;
    return FLUE_OK;
}

/* ---- what the adapter says ------------------------------------------------------------------------------------------- */

static uint32_t line_word(const struct flue_conn *c, unsigned word)
{
    const _Atomic uint32_t *line = c->conns->lines.addr;
    return le32toh(atomic_load_explicit(&line[c->row * LINE_WORDS + word], memory_order_acquire));
}

/* True when a position moved forward from `was`, by `most` at most. */
static bool moved(uint32_t was, uint32_t now, uint32_t most)
{
    return now - was <= most;
}

/* Take over the line.  One of another generation was written before the load: it says nothing of this connection. */
static enum flue_err line_take(struct flue_conn *c)
{
    uint32_t state = line_word(c, LINE_STATE); /* first: the bytes before the end it speaks of are there then */
    uint32_t snd_free = line_word(c, LINE_FREE), una = line_word(c, LINE_UNA), nxt = line_word(c, LINE_NXT);
    uint32_t queued = c->send_limit + (c->fin_marked ? 1u : 0u);

    if ((state >> 16 & 0x3FFF) != c->generation)
        return FLUE_OK;
    if (!moved(c->snd_free, snd_free, queued - c->snd_free) || !moved(c->snd_una, una, queued - c->snd_una))
        return adapter_distrust(c->conns->adapter, "status line that acknowledges bytes nobody sent");
    if (!moved(c->rcv_nxt, nxt, c->consumed + c->recv.size - c->rcv_nxt))
        return adapter_distrust(c->conns->adapter, "status line that receives more than the ring holds");
    c->snd_free = snd_free;
    c->snd_una = una;
    c->rcv_nxt = nxt;
    c->state = state & 0xF;
    if ((state >> 4 & 7) != 0)
        c->ended = state >> 4 & 7;
    c->doubt = (state >> 7 & 1) != 0;
    c->refused = c->refused || (state >> 8 & 1) != 0;
    c->fin_received = c->fin_received || c->state >= STATE_CLOSE_WAIT || c->ended == ENDED_FIN;
    return FLUE_OK;
}

static uint32_t readable(const struct flue_conn *c)
{
    return c->rcv_nxt - c->consumed;
}

enum flue_err conn_event(struct flue_adapter *a, unsigned row, unsigned generation, unsigned what)
{
    struct flue_conns *conns = a->conns;
    if (conns == NULL || row >= conns->rows)
        return adapter_distrust(a, "event of a connection that does not exist");
    struct flue_conn *c = conns->by_row[row];
    if (c == NULL || c->generation != generation)
        return FLUE_OK; /* posted before the connection was given up here */
    TRY(line_take(c));
    if (conns->params.event != NULL)
        conns->params.event(conns->params.ctx, c, what);
    return FLUE_OK;
}

bool conn_ended(struct flue_adapter *a, uint32_t handle)
{
    uint32_t row = handle & FLUE_HANDLE_INDEX_MASK;
    uint32_t generation = (handle & FLUE_HANDLE_GENERATION_MASK) >> FLUE_HANDLE_GENERATION_SHIFT;
    struct flue_conn *c = a->conns != NULL && row < a->conns->rows ? a->conns->by_row[row] : NULL;
    return c != NULL && c->generation == generation && line_take(c) == FLUE_OK && c->ended > ENDED_FIN;
}

/* ---- stream -------------------------------------------------------------------------------------------------------- */

static bool broken(const struct flue_conn *c)
{
    return c->ended > ENDED_CLOSED || c->ended == 2;
}

enum flue_err flue_conn_send(struct flue_conn *c, const void *data, size_t len, size_t *sent)
{
    if (sent == NULL)
        return FLUE_EARG;
    *sent = 0;
    if (c == NULL || (data == NULL && len > 0))
        return FLUE_EARG;
    if (c->phase != CONN_ATTACHED)
        return FLUE_ESTATE;
    TRY(line_take(c));
    if (c->fin_marked || broken(c) || c->ended == ENDED_CLOSED)
        return FLUE_ESTATE;
    size_t room = c->send.size - (c->send_limit - c->snd_free);
    size_t n = len < room ? len : room;
    if (n == 0)
        return len == 0 ? FLUE_OK : FLUE_EAGAIN;
    ring_write(&c->send, c->send_limit, data, n);
    c->send_limit += (uint32_t)n;
    c->dirty = true;
    *sent = n;
    return FLUE_OK;
}

enum flue_err flue_conn_recv(struct flue_conn *c, void *data, size_t cap, size_t *got)
{
    if (got == NULL)
        return FLUE_EARG;
    *got = 0;
    if (c == NULL || (data == NULL && cap > 0))
        return FLUE_EARG;
    if (c->phase != CONN_ATTACHED)
        return FLUE_ESTATE;
    TRY(line_take(c));
    size_t there = readable(c), n = cap < there ? cap : there;
    if (n == 0 && cap > 0)
        return c->fin_received ? FLUE_OK : broken(c) ? FLUE_ESTATE : FLUE_EAGAIN;
    ring_read(&c->recv, c->consumed, data, n);
    c->consumed += (uint32_t)n;
    c->dirty = c->dirty || n > 0;
    *got = n;
    return FLUE_OK;
}

enum flue_err flue_conn_shutdown(struct flue_conn *c)
{
    if (c == NULL)
        return FLUE_EARG;
    if (c->phase != CONN_ATTACHED)
        return FLUE_ESTATE;
    c->dirty = c->dirty || !c->fin_marked;
    c->fin_marked = true;
    return FLUE_OK;
}

enum flue_err flue_conn_kick(struct flue_conn *c, bool arm_send, bool arm_receive)
{
    if (c == NULL)
        return FLUE_EARG;
    if (c->phase != CONN_ATTACHED)
        return FLUE_ESTATE;
    if (!c->dirty && !arm_send && !arm_receive)
        return FLUE_OK;
    struct flue_adapter *a = c->conns->adapter;
    TRY(adapter_usable(a));
    uint32_t record = DB_BASE + (uint32_t)c->row * DB_BYTES;
    atomic_thread_fence(memory_order_release); /* ring bytes before the doorbell */
    TRY(reg_write(a, record + DB_LIMIT, c->send_limit));
    TRY(reg_write(a, record + DB_CONSUMED, c->consumed));
    TRY(reg_write(a, record + DB_FREE_SEEN, c->snd_free));
    TRY(reg_write(a, record + DB_NXT_SEEN, c->rcv_nxt));
    TRY(reg_write(a, record + DB_CONTROL,
                  c->generation | (c->fin_marked ? CONTROL_FIN : 0) | (arm_send ? CONTROL_ARM_SEND : 0) |
                      (arm_receive ? CONTROL_ARM_RECEIVE : 0)));
    c->dirty = false;
    return FLUE_OK;
}

enum flue_err flue_conn_look(struct flue_conn *c, struct flue_conn_view *view)
{
    if (c == NULL || view == NULL)
        return FLUE_EARG;
    if (c->phase == CONN_ATTACHED)
        TRY(line_take(c));
    *view = (struct flue_conn_view){.state = c->state,
                                    .ended = c->ended,
                                    .doubt = c->doubt,
                                    .refused = c->refused,
                                    .snd_una = c->snd_una,
                                    .send_limit = c->send_limit,
                                    .rcv_nxt = c->rcv_nxt,
                                    .consumed = c->consumed,
                                    .fin_marked = c->fin_marked,
                                    .send_room = c->fin_marked ? 0 : c->send.size - (c->send_limit - c->snd_free),
                                    .readable = readable(c)};
    return FLUE_OK;
}

enum flue_err flue_conn_peek_sent(const struct flue_conn *c, uint32_t seq, void *data, size_t len)
{
    if (c == NULL || (data == NULL && len > 0) || seq - c->snd_una > c->send_limit - c->snd_una || len > c->send_limit - seq)
        return FLUE_EARG;
    ring_read(&c->send, seq, data, len);
    return FLUE_OK;
}

enum flue_err flue_conn_peek_received(const struct flue_conn *c, uint32_t seq, void *data, size_t len)
{
    if (c == NULL || (data == NULL && len > 0) || seq - c->consumed > readable(c) || len > c->rcv_nxt - seq)
        return FLUE_EARG;
    ring_read(&c->recv, seq, data, len);
    return FLUE_OK;
}

void flue_conn_ctx_set(struct flue_conn *c, void *ctx)
{
    c->ctx = ctx;
}

void *flue_conn_ctx(const struct flue_conn *c)
{
    return c->ctx;
}
