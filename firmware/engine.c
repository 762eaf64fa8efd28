/*
 * Connections in the TCP engine: a row's state becomes a record and the other way round (docs/tcp.md section 2).
 *
 * Only a connection whose rings were named (RINGS) is loaded; the others are state in tables and nothing more.  Every access to
 * the engine ends: it answers by itself, and freezing is waited for FREEZE_US at most.
 */
#include "fw.h"

#define WORD(member) (offsetof(struct flue_tcp_words, member) / 4)

enum {
    ESTABLISHED = 4, /* TCP_OFFLOAD_CONNECTION_STATE */
    FIN_WAIT1,
    FIN_WAIT2,
    CLOSE_WAIT,
    CLOSING,
    LAST_ACK,
    TIME_WAIT,
    FLAG_TIMESTAMPS = 1, /* TCP_FLAG_* of the const state */
    FLAG_SACK = 2,
    MODE_FROZEN = 3,
    RECOVERY_LOSS = 2,
    HEADERS_V4 = 40, /* IP and TCP headers without options */
    HEADERS_V6 = 60,
    TS_BYTES = 12,
    LIMIT = 15, /* timeouts in a row before the connection ends, as Linux's tcp_retries2 */
    INITIAL_SEGMENTS = 10,
};
#define NOT_RUNNING UINT32_MAX
#define FREEZE_US   1000000u
#define PASS_US     100u /* longer than a frame takes that waits for nothing */

/* Ring sizes of a row, word W_C_RINGS: 0 none, else log2 of the send ring 4:0 and of the receive ring 12:8. */
#define RINGS_SEND(word) (1u << ((word)&31))
#define RINGS_RECV(word) (1u << ((word) >> 8 & 31))

static uint32_t rings_of(uint32_t row)
{
    return hw_row_get(FLUE_TBL_CONNECTION, row, W_C_RINGS);
}

bool engine_has(uint32_t row)
{
    return fw.engine && rings_of(row) != 0;
}

/* ---- start ----------------------------------------------------------------------------------------------------------- */

/* Is there an engine?  A word that nothing uses is written and read back. */
static bool answers(void)
{
    const uint32_t probe = 0x5EED1E55, word = WORD(room);
    hw_port_put(0, FLUE_PORT_COMMAND, FLUE_ENGINE_CLEAR);
    hw_record_put(0, word, probe);
    bool there = hw_record_get(0, word) == probe;
    hw_record_put(0, word, 0);
    return there;
}

void engine_start(bool cold)
{
    /* A record that lives is not touched by the probe: a warm start asks row 0 by its mode. */
    fw.engine = cold ? answers() : (hw_row_get(FLUE_TBL_SYSTEM, 0, SYS_ENGINE) != 0);
    hw_row_put(FLUE_TBL_SYSTEM, 0, SYS_ENGINE, fw.engine);
    if (!fw.engine || !cold)
        return;
    for (uint32_t row = 0; row < fw.size[TCP]; row++) {
        hw_port_put(row, FLUE_PORT_COMMAND, FLUE_ENGINE_CLEAR);
        hw_port_put(row, FLUE_PORT_HOST, 0);
    }
}

/* ---- commands ---------------------------------------------------------------------------------------------------------- */

/* RINGS: arg0 send region 7:0 and log2 12:8, receive region 23:16 and log2 28:24; arg1, arg2 their offsets. */
detail_t engine_rings(uint32_t row)
{
    const uint32_t *arg = fw.sqe.arg;
    uint32_t send = arg[0] >> 8 & 31, recv = arg[0] >> 24 & 31;
    if (!fw.engine)
        return FLUE_AD_NO_ENGINE;
    if ((arg[0] & 0xE000E000u) || send < 16 || send > 25 || recv < 16 || recv > 25 || ((arg[1] | arg[2]) & 4095))
        return FLUE_AD_VALUE;
    hw_port_put(row, FLUE_PORT_RINGS, arg[1]);
    hw_port_put(row, FLUE_PORT_RINGS + 1, (arg[0] & 0xFF) | send << 8);
    hw_port_put(row, FLUE_PORT_RINGS + 2, arg[2]);
    hw_port_put(row, FLUE_PORT_RINGS + 3, (arg[0] >> 16 & 0xFF) | recv << 8);
    hw_row_put(FLUE_TBL_CONNECTION, row, W_C_RINGS, send | recv << 8);
    return FLUE_AD_NONE;
}

/* A held entry begins: frames are numbered from 1, a marker follows those that missed it. */
void engine_hold(uint32_t row, uint32_t generation)
{
    hw_row_put(FLUE_TBL_CONNECTION, row, W_C_RINGS, 0);
    if (!fw.engine)
        return;
    hw_port_put(row, FLUE_PORT_DIVERTED, 0);
    hw_port_put(row, FLUE_PORT_MARKER, generation >> FLUE_ROW_HEAD_GENERATION_SHIFT);
}

/* The entry is gone: what hit it comes before this marker. */
void engine_release(uint32_t row, uint32_t generation)
{
    if (fw.engine)
        hw_port_put(row, FLUE_PORT_MARKER, generation >> FLUE_ROW_HEAD_GENERATION_SHIFT);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Payload of a full segment: what the peer takes and the path carries, less the option every segment has (TCP-190). */
static uint32_t mss_of(const struct flue_wire_tcp_const *constant, uint32_t path, bool ipv6)
{
    uint32_t mtu = hw_row_get(FLUE_TBL_PATH, path, W_P_MTU);
    uint32_t mss = smaller(constant->word2, mtu - (ipv6 ? HEADERS_V6 : HEADERS_V4));
    return mss - (constant->word0 & FLAG_TIMESTAMPS ? TS_BYTES : 0);
}

static void record_clear(uint32_t *record)
{
    for (uint32_t i = 0; i < ENGINE_WORDS; i++)
        record[i] = 0;
}

static void receive_side(struct flue_tcp_words *r, const struct flue_wire_tcp_delegated *d, uint32_t fin)
{
    r->rcv_nxt = r->rcv_edge = r->last_ack_sent = d->rcv_nxt;
    r->consumed = d->rcv_nxt - fin - d->receive_backlog;
    r->rcv_adv =
        d->rcv_nxt + smaller(d->rcv_wnd, 65535u << FIELD(r->word0, FLUE_TCP_WORDS_RCV_SCALE)); /* what a header can say */
    r->fin_seq = d->rcv_nxt - fin;
    r->ts_recent = d->ts_recent;
    if (d->ts_recent_age != NOT_RUNNING) {
        r->word0 |= FLUE_TCP_WORDS_TS_VALID_MASK;
        r->ts_age = (uint32_t)(hw_time_us() >> 20); /* its age in ticks is less than PAWS can tell */
    }
    if (fin)
        r->word0 |= FLUE_TCP_WORDS_FIN_VALID_MASK;
}

/* The end of the send ring is one below SND.UNA then. */
static uint32_t fin_acked(uint32_t state)
{
    return state == FIN_WAIT2 || state == TIME_WAIT ? 1 : 0;
}

static void send_side(struct flue_tcp_words *r, const struct flue_wire_tcp_delegated *d, uint32_t fin, uint32_t mss)
{
    r->snd_una = r->snd_wl2 = d->snd_una;
    r->snd_max = d->snd_max;
    r->snd_wnd = d->snd_wnd;
    r->max_snd_wnd = d->max_snd_wnd;
    r->snd_wl1 = d->send_wl1;
    r->send_limit = d->snd_una + d->send_backlog - fin_acked(FIELD(r->word0, FLUE_TCP_WORDS_STATE));
    if (fin)
        r->word0 |= FLUE_TCP_WORDS_FIN_MARKED_MASK | FLUE_TCP_WORDS_FIN_SENT_MASK;
    if (d->snd_nxt != d->snd_max) { /* HND-005 */
        r->word0 |= FLUE_TCP_WORDS_RECOVER_VALID_MASK | IN_FIELD(RECOVERY_LOSS, FLUE_TCP_WORDS_RECOVERY);
        r->recover = d->snd_max;
        r->high_rxt = d->snd_nxt;
    }
    r->cwnd = d->cwnd < mss ? INITIAL_SEGMENTS * mss : smaller(d->cwnd, 1u << 30); /* TCP-144 */
    r->ssthresh = d->ssthresh < 2 * mss ? 2 * mss : d->ssthresh;
}

static void timers(struct flue_tcp_words *r, const struct flue_wire_tcp_delegated *d)
{
    uint32_t srtt = half_of(&d->word11, 0), rttvar = half_of(&d->word11, 1), now = (uint32_t)hw_time_us();
    if (srtt) {
        r->word0 |= FLUE_TCP_WORDS_RTT_VALID_MASK;
        r->word23 = srtt * fw.tick_us;
        r->word24 = rttvar * fw.tick_us;
    }
    if (d->snd_una != d->snd_max) {
        uint32_t left = d->rexmit_timeout_delta == NOT_RUNNING ? 0 : d->rexmit_timeout_delta;
        r->word61 |= FLUE_TCP_WORDS_RTO_ON_MASK;
        r->rto_at = now + smaller(left, 60000) * fw.tick_us;
    }
}

/* The row's state becomes a live record; nothing of it is live when this does not answer NONE. */
detail_t engine_load(uint32_t row, uint32_t generation, const uint32_t *state, uint32_t path, bool ipv6)
{
    const struct flue_wire_tcp_const *constant = (const void *)state;
    const struct flue_wire_tcp_cached *cached = (const void *)(state + W_C_CACHED - W_C_CONST);
    const struct flue_wire_tcp_delegated *d = (const void *)(state + W_C_DELEGATED - W_C_CONST);
    uint32_t record[ENGINE_WORDS], rings = rings_of(row), at = half_of(&d->word0, 0) & 15;
    struct flue_tcp_words *r = (void *)record;
    uint32_t fin_in = at >= CLOSE_WAIT ? 1 : 0, fin_out = at == FIN_WAIT1 || at == FIN_WAIT2 || at >= CLOSING ? 1 : 0;
    uint32_t mss = mss_of(constant, path, ipv6), gen = generation >> FLUE_ROW_HEAD_GENERATION_SHIFT;

    /* The rings cover what is on its way (CH-029). */
    if (d->rcv_wnd + d->receive_backlog > RINGS_RECV(rings) || cached->initial_rcv_wnd > RINGS_RECV(rings))
        return admin_refuse(NDIS_STATUS_OFFLOAD_TCP_RCV_WINDOW);
    if (d->send_backlog > RINGS_SEND(rings) || d->send_backlog + fin_out - fin_acked(at) < d->snd_max - d->snd_una)
        return FLUE_AD_VALUE;
    record_clear(record);
    r->word0 = IN_FIELD(at, FLUE_TCP_WORDS_STATE) |
               IN_FIELD(FIELD(constant->word0, FLUE_WIRE_TCP_CONST_SND_WIND_SCALE), FLUE_TCP_WORDS_SND_SCALE) |
               IN_FIELD(FIELD(constant->word0, FLUE_WIRE_TCP_CONST_RCV_WIND_SCALE), FLUE_TCP_WORDS_RCV_SCALE) |
               (constant->word0 & FLAG_TIMESTAMPS ? FLUE_TCP_WORDS_TS_MASK : 0) |
               (constant->word0 & FLAG_SACK ? FLUE_TCP_WORDS_SACK_MASK : 0);
    r->word1 = mss | mss << FLUE_TCP_WORDS_MSS_RCV_SHIFT;
    uint32_t window = d->rcv_wnd + d->receive_backlog;
    r->word2 = cached->initial_rcv_wnd > window ? cached->initial_rcv_wnd : window;
    r->word3 = RINGS_SEND(rings) | IN_FIELD(LIMIT, FLUE_TCP_WORDS_LIMIT);
    r->word4 = gen;
    r->ts_offset = d->ts_time - time_ticks(); /* ticks are milliseconds where timestamps are agreed */
    receive_side(r, d, fin_in);
    send_side(r, d, fin_out, mss);
    timers(r, d);
    for (uint32_t i = 0; i < ENGINE_WORDS; i++)
        hw_record_put(row, i, record[i]);
    hw_port_put(row, FLUE_PORT_HOST, 1u << 31 | gen);
    hw_port_put(row, FLUE_PORT_COMMAND, FLUE_ENGINE_LOAD);
    if (hw_port_get(row, FLUE_PORT_COMMAND) & 1)
        return FLUE_AD_NONE;
    hw_port_put(row, FLUE_PORT_HOST, 0);
    return FLUE_AD_BUSY;
}

/* Number of the newest diverted frame; false while one is on its way. */
bool engine_settled(uint32_t row, uint32_t *newest)
{
    bool settled = (hw_port_get(row, FLUE_PORT_ON_WAY) & 0x3F) == 0;
    *newest = hw_port_get(row, FLUE_PORT_DIVERTED);
    return settled;
}

/* Wait for the frames that are on their way; false: one of them stands behind a frame that waits for a buffer of the host. */
bool engine_passed(uint32_t row, uint32_t *newest)
{
    uint64_t limit = hw_time_us() + PASS_US;
    while (!engine_settled(row, newest))
        if (hw_time_us() > limit)
            return false;
    return true;
}

void engine_run(uint32_t row)
{
    hw_port_put(row, FLUE_PORT_COMMAND, FLUE_ENGINE_START);
}

void engine_abort(uint32_t row)
{
    hw_port_put(row, FLUE_PORT_COMMAND, FLUE_ENGINE_ABORT);
}

static uint32_t divided(uint32_t value, uint32_t by)
{
    uint32_t result = 0, bit = 1;
    while (by <= value >> 1) {
        by <<= 1;
        bit <<= 1;
    }
    for (; bit; bit >>= 1, by >>= 1)
        if (value >= by) {
            value -= by;
            result |= bit;
        }
    return result;
}

/* Where a record is read: its row, or the snapshot. */
static void read_back(uint32_t from, uint32_t *delegated)
{
    struct flue_wire_tcp_delegated *d = (void *)delegated;
    uint32_t record[ENGINE_WORDS];
    const struct flue_tcp_words *r = (const void *)record;
    uint32_t now = (uint32_t)hw_time_us();

    for (uint32_t i = 0; i < ENGINE_WORDS; i++)
        record[i] = hw_record_get(from, i);
    uint32_t at = FIELD(r->word0, FLUE_TCP_WORDS_STATE);
    uint32_t fin_in = (r->word0 & FLUE_TCP_WORDS_FIN_VALID_MASK) && r->rcv_nxt == r->fin_seq + 1;
    uint32_t rto = r->rto_at - now;
    d->word0 = (d->word0 & ~FLUE_WIRE_TCP_DELEGATED_STATE_MASK) | at;
    d->rcv_nxt = r->rcv_nxt;
    d->rcv_wnd = r->rcv_adv - r->rcv_nxt;
    d->snd_una = r->snd_una;
    d->snd_nxt = FIELD(r->word0, FLUE_TCP_WORDS_RECOVERY) == RECOVERY_LOSS ? r->high_rxt : r->snd_max;
    d->snd_max = r->snd_max;
    d->snd_wnd = r->snd_wnd;
    d->max_snd_wnd = r->max_snd_wnd;
    d->send_wl1 = r->snd_wl1;
    d->cwnd = r->cwnd;
    d->ssthresh = r->ssthresh;
    d->word11 = smaller(divided(r->word23, fw.tick_us), 0xFFFF) | smaller(divided(r->word24, fw.tick_us), 0xFFFF) << 16;
    d->ts_recent = r->ts_recent;
    d->ts_recent_age = r->word0 & FLUE_TCP_WORDS_TS_VALID_MASK
                           ? divided(((uint32_t)(hw_time_us() >> 20) - r->ts_age) << 12, fw.tick_us) << 8
                           : NOT_RUNNING;
    d->ts_time = time_ticks() + r->ts_offset;
    d->rexmit_timeout_delta = !(r->word61 & FLUE_TCP_WORDS_RTO_ON_MASK) ? NOT_RUNNING
                              : (int32_t)rto <= 0                       ? 0
                                                                        : divided(rto, fw.tick_us);
    d->word16 = (d->word16 & ~(FLUE_WIRE_TCP_DELEGATED_DUP_ACK_COUNT_MASK | FLUE_WIRE_TCP_DELEGATED_REXMIT_COUNT_MASK)) |
                IN_FIELD(FIELD(r->word4, FLUE_TCP_WORDS_DUP_ACKS), FLUE_WIRE_TCP_DELEGATED_DUP_ACK_COUNT) |
                IN_FIELD(FIELD(r->word61, FLUE_TCP_WORDS_EXPIRIES), FLUE_WIRE_TCP_DELEGATED_REXMIT_COUNT);
    d->send_backlog = r->send_limit + fin_acked(at) - r->snd_una;
    d->receive_backlog = r->rcv_nxt - fin_in - r->consumed;
}

/* A coherent view of a live connection. */
void engine_query(uint32_t row, uint32_t *delegated)
{
    hw_port_put(row, FLUE_PORT_COMMAND, FLUE_ENGINE_SNAPSHOT);
    read_back(0xFFFF, delegated);
}

/* The connection stops and its state is read; false: something of it does not come to an end. */
bool engine_freeze(uint32_t row, uint32_t *delegated)
{
    uint64_t limit = hw_time_us() + FREEZE_US;
    hw_port_put(row, FLUE_PORT_COMMAND, FLUE_ENGINE_FREEZE);
    while (FIELD(hw_record_get(row, WORD(word61)), FLUE_TCP_WORDS_MODE) != MODE_FROZEN)
        if (hw_time_us() > limit)
            return false;
    read_back(row, delegated);
    return true;
}

/* The record is forgotten. */
void engine_forget(uint32_t row)
{
    hw_port_put(row, FLUE_PORT_HOST, 0);
    hw_port_put(row, FLUE_PORT_COMMAND, FLUE_ENGINE_CLEAR);
}

/* What the engine asks for; the end of a connection stands in its status line already. */
void engine_notes(void)
{
    uint32_t note;
    while (fw.engine && (note = hw_port_get(0, FLUE_PORT_NOTE)) != 0) {
        uint32_t row = note & 0xFFFF, what = note >> 16 & 7;
        if (row >= fw.size[TCP] || (what != FLUE_NT_UPLOAD_URGENT && what != FLUE_NT_UPLOAD_HARDWARE))
            continue;
        uint32_t word0 = hw_row_get(FLUE_TBL_CONNECTION, row, W_STATE), at = row_state(word0);
        if (at != FLUE_ROW_LOADED && at != FLUE_ROW_RUNNING)
            continue;
        hw_row_put(FLUE_TBL_CONNECTION, row, W_C_REASON,
                   what == FLUE_NT_UPLOAD_URGENT ? UPLOAD_URGENT_DATA : UPLOAD_HARDWARE_FAILURE);
        hw_row_put(FLUE_TBL_CONNECTION, row, W_STATE, word0 | PENDING_UPLOAD);
        fw.notices = true;
    }
}
