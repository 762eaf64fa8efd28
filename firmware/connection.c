/*
 * Connections: hold, load, start, query, update, return, free.
 */
#include "object.h"

/* Words of the delegated state. */
enum {
#define D(member) D_##member = offsetof(struct flue_wire_tcp_delegated, member) / 4
    D(word0),
    D(rcv_nxt),
    D(rcv_wnd),
    D(snd_una),
    D(snd_nxt),
    D(snd_max),
    D(send_wl1),
    D(ts_recent_age),
    D(ts_time),
    D(total_rt),
    D(word16),
    D(ka_timeout_delta),
    D(rexmit_timeout_delta),
    D(send_backlog),
    D(receive_backlog),
    D_WORDS = sizeof(struct flue_wire_tcp_delegated) / 4,
#undef D
};
#define NOT_RUNNING UINT32_MAX

enum { ESTABLISHED = 4, CLOSE_WAIT = 7, LAST_ACK = 9 };
enum { KEEP_ALIVE_ENABLED = 1, KEEP_ALIVE_RESTART = 4, MAX_RT_RESTART = 8 };

#define MSS_FLOOR 88u /* TCP-192 */

enum { START_TRIES = 3 };
#define RELEASED UINT32_MAX /* in W_C_TRIES: the entry is deleted, frames were on their way */

static uint32_t get(uint32_t row, uint32_t word)
{
    return hw_row_get(FLUE_TBL_CONNECTION, row, word);
}

static void put(uint32_t row, uint32_t word, uint32_t value)
{
    hw_row_put(FLUE_TBL_CONNECTION, row, word, value);
}

/* ---- what is accepted (HND-006, CH-028, CH-029, CH-032) ---- */

INLINE bool const_valid(const struct flue_wire_tcp_const *s)
{
    uint32_t scales = byte_of(&s->word0, 2); /* 15 is none */
    return !(s->word0 & FLUE_WIRE_TCP_CONST_WORD0_ZERO) && (scales & 15) != 15 && scales < 0xF0 &&
           s->word2 - MSS_FLOOR <= FLUE_WIRE_TCP_CONST_REMOTE_MSS_MASK - MSS_FLOOR;
}
static_assert(FLUE_WIRE_TCP_CONST_SND_WIND_SCALE_MASK == 0xF0000 && FLUE_WIRE_TCP_CONST_RCV_WIND_SCALE_MASK == 0xF00000,
              "scales are the halves of byte 2");
static_assert(FLUE_WIRE_TCP_CONST_REMOTE_MSS_SHIFT == 0, "RemoteMss is the lower bits");

INLINE bool cached_valid(const struct flue_wire_tcp_cached *s)
{
    return s->word0 <= FLUE_WIRE_TCP_CACHED_FLAGS_MASK && s->word3 <= FLUE_WIRE_TCP_CACHED_KA_PROBE_COUNT_MASK &&
           s->word7 <= FLUE_WIRE_TCP_CACHED_FLOW_LABEL_MASK && !(s->word8 & FLUE_WIRE_TCP_CACHED_WORD8_ZERO);
}
static_assert(FLUE_WIRE_TCP_CACHED_WORD0_ZERO == ~FLUE_WIRE_TCP_CACHED_FLAGS_MASK &&
                  FLUE_WIRE_TCP_CACHED_WORD3_ZERO == ~FLUE_WIRE_TCP_CACHED_KA_PROBE_COUNT_MASK &&
                  FLUE_WIRE_TCP_CACHED_WORD7_ZERO == ~FLUE_WIRE_TCP_CACHED_FLOW_LABEL_MASK,
              "these fields are the lower bits of their words");

INLINE bool delegated_valid(const struct flue_wire_tcp_delegated *s, uint32_t initial_rcv_wnd)
{
    uint32_t state = half_of(&s->word0, 0), sent = s->snd_max - s->snd_una;
    return state - ESTABLISHED <= LAST_ACK - ESTABLISHED && sent <= 1u << 30 && s->snd_nxt - s->snd_una <= sent &&
           s->rcv_wnd <= initial_rcv_wnd && s->send_wl1 - s->rcv_nxt != 0x80000000u;
}
static_assert(FLUE_WIRE_TCP_DELEGATED_WORD0_ZERO == 0xFFF0, "the lower half of word 0 is the state and bits that are zero");

INLINE detail_t check_window(const struct flue_wire_tcp_cached *s)
{
    return RARE(s->initial_rcv_wnd > fw.rcv_wnd_most) ? admin_refuse(NDIS_STATUS_OFFLOAD_TCP_RCV_WINDOW) : FLUE_AD_NONE;
}

/* ---- entries ---- */

INLINE detail_t path_open(uint32_t word0)
{
    if (RARE(!config_open(word0 & FLUE_ROW_HEAD_IPV6_MASK)))
        return FLUE_AD_DISABLED;
    return RARE(word0 & FLUE_ROW_HEAD_INVALID_MASK) ? FLUE_AD_BUSY : FLUE_AD_NONE;
}

/* What there is to say when a row did not get its lookup entry. */
static COLD detail_t no_entry(uint32_t row, detail_t detail)
{
    object_free(TCP, row);
    return detail == FLUE_AD_LIMIT ? admin_refuse(NDIS_STATUS_OFFLOAD_TCP_ENTRIES) : detail;
}

/* A row with its lookup entry, referring to its path, still BUILDING; with `state` that is on its way into it (hw_dma_end). */
INLINE detail_t enter(uint32_t path, uint32_t ports, const uint32_t *host, const uint32_t *state, uint32_t *row_out,
                      uint32_t *generation)
{
    uint32_t row;
    detail_t detail = object_take_row(TCP, NDIS_STATUS_OFFLOAD_TCP_ENTRIES, &row, generation);
    if (RARE(detail))
        return detail;
    put(row, W_C_PATH, path);
    put(row, W_C_PORTS, ports);
    hw_table_begin(FLUE_TOP_INSERT_CONN, row);
    if (state)
        hw_row_begin_put(FLUE_TBL_CONNECTION, row, W_C_CONST, state, STATE_WORDS);
    put(row, W_LINK, path);
    put(row, W_HOST, host[0]);
    put(row, W_HOST + 1, host[1]);
    put(row, W_C_DIVERT, 1);
    put(row, W_C_RINGS, 0);
    put(row, W_C_TRIES, 0);
    object_put_guard(TCP, row, *generation, path);
    enum flue_table_result result = hw_table_end(NULL);
    if (RARE(result != FLUE_TR_OK)) {
        detail = object_reindex(FLUE_TOP_INSERT_CONN, row, result);
        if (detail) {
            if (state)
                (void)hw_dma_end();
            return refused(no_entry(row, detail));
        }
    }
    object_refer(PATH, path, 1);
    *row_out = row;
    return FLUE_AD_NONE;
}

/* Count a connection by its delegated state. */
INLINE void number(const uint32_t *delegated, uint32_t word0, uint32_t by)
{
    uint32_t state = half_of(delegated, 0);
    if (state == ESTABLISHED || state == CLOSE_WAIT)
        fw.established[(word0 & FLUE_ROW_HEAD_IPV6_MASK) != 0] += by;
    if (delegated[D_send_backlog])
        fw.sending += by;
    if (delegated[D_receive_backlog])
        fw.buffering += by;
}

/* The held entry that is to be loaded. */
static COLD detail_t load_held(uint32_t held, const struct fw_level *path, uint32_t ports, uint32_t *row, uint32_t *generation)
{
    uint32_t word0;
    if (!(fw.sqe.word0 & FLUE_SQE_LOAD_ONLY_MASK))
        return FLUE_AD_HANDLE;
    detail_t detail = object_find(held, TCP, false, row, &word0);
    if (detail)
        return detail;
    if (row_state(word0) != FLUE_ROW_HELD)
        return FLUE_AD_BUSY;
    if (get(*row, W_C_PATH) != path->row)
        return FLUE_AD_PARENT;
    if (get(*row, W_C_PORTS) != ports)
        return FLUE_AD_VALUE;
    *generation = word0 & FLUE_ROW_HEAD_GENERATION_MASK;
    return FLUE_AD_NONE;
}

/* A new connection below `path`, or state for the held entry `handle`; its handle out. */
detail_t connection_take(const uint32_t *state, const uint32_t *host, const struct fw_level *path, uint32_t *handle)
{
    const struct flue_wire_tcp_const *constant = (const void *)state;
    const struct flue_wire_tcp_cached *cached = (const void *)(state + W_C_CACHED - W_C_CONST);
    const struct flue_wire_tcp_delegated *delegated = (const void *)(state + W_C_DELEGATED - W_C_CONST);
    uint32_t row, generation;
    bool writing = true; /* the row's state */
    detail_t detail = path_open(path->word0);
    if (RARE(detail))
        return detail;
    if (RARE(!const_valid(constant)) || RARE(!cached_valid(cached)) ||
        RARE(!delegated_valid(delegated, cached->initial_rcv_wnd)))
        return FLUE_AD_VALUE;
    detail = check_window(cached);
    if (RARE(detail))
        return detail;
    if (delegated->send_backlog && RARE(fw.sending >= fw.config.limits.xmit_buffers))
        return admin_refuse(NDIS_STATUS_OFFLOAD_TCP_XMIT_BUFFER);
    if (delegated->receive_backlog && RARE(fw.buffering >= fw.config.limits.rcv_buffers))
        return admin_refuse(NDIS_STATUS_OFFLOAD_TCP_RCV_BUFFER);
    if (RARE(*handle)) {
        detail = load_held(*handle, path, constant->ports, &row, &generation);
        if (detail)
            return detail;
        hw_row_begin_put(FLUE_TBL_CONNECTION, row, W_C_CONST, state, STATE_WORDS);
        if (engine_has(row)) {
            (void)hw_dma_end(); /* what it sends at once takes its header from the row */
            writing = false;
            detail = engine_load(row, generation, state, path->row, path->word0 & FLUE_ROW_HEAD_IPV6_MASK);
            if (detail)
                return detail;
        }
        put(row, W_HOST, host[0]);
        put(row, W_HOST + 1, host[1]);
    } else {
        detail = enter(path->row, constant->ports, host, state, &row, &generation);
        if (RARE(detail))
            return detail;
    }
    put(row, W_TICKS, time_ticks());
    uint32_t word0 = generation | (path->word0 & FLUE_ROW_HEAD_IPV6_MASK) |
                     (fw.sqe.word0 & FLUE_SQE_LOAD_ONLY_MASK ? FLUE_ROW_LOADED : FLUE_ROW_RUNNING);
    number((const uint32_t *)delegated, word0, 1);
    *handle = object_handle(TCP, row, word0);
    if (writing)
        (void)hw_dma_end();
    put(row, W_STATE, word0);
    return FLUE_AD_NONE;
}

void connection_free(uint32_t row)
{
    uint32_t path = object_link(TCP, row) & FLUE_ROW_HEAD_PARENT_MASK;
    object_unindex(FLUE_TOP_DELETE_CONN, row);
    if (path < fw.size[PATH])
        object_refer(PATH, path, -1);
    object_free(TCP, row);
}

/* ---- state out, cached state in ---- */

static uint32_t left(uint32_t delta, uint32_t past)
{
    return delta == NOT_RUNNING ? NOT_RUNNING : delta > past ? delta - past : 0;
}

/* Relative times as they are now (CH-123, CH-147; chimney.md 4.5, 4.7). */
static void age(uint32_t *delegated, uint32_t past)
{
    uint32_t *ts_age = &delegated[D_ts_recent_age];
    delegated[D_ka_timeout_delta] = left(delegated[D_ka_timeout_delta], past);
    delegated[D_rexmit_timeout_delta] = left(delegated[D_rexmit_timeout_delta], past);
    *ts_age = *ts_age + past < past ? UINT32_MAX : *ts_age + past;
    delegated[D_ts_time] += past;
}

/* The state, coherent, as a query returns it. */
detail_t connection_query(uint32_t row, unsigned classes, uint32_t *state)
{
    uint32_t from = classes & STATE_CONST ? W_C_CONST : classes & STATE_CACHED ? W_C_CACHED : W_C_DELEGATED;
    uint32_t to = classes & STATE_DELEGATED ? W_C_DELEGATED + D_WORDS : classes & STATE_CACHED ? W_C_DELEGATED : W_C_CACHED;
    uint32_t at = row_state(get(row, W_STATE));
    if (at != FLUE_ROW_LOADED && at != FLUE_ROW_RUNNING)
        return FLUE_AD_BUSY;
    hw_row_begin_get(FLUE_TBL_CONNECTION, row, from, state, to - from);
    uint32_t past = time_ticks() - get(row, W_TICKS);
    (void)hw_dma_end();
    if (classes & STATE_DELEGATED) {
        uint32_t *delegated = state + (W_C_DELEGATED - from);
        age(delegated, past);
        if (engine_has(row))
            engine_query(row, delegated);
        delegated[D_send_backlog] = UINT32_MAX; /* no preferred backlog without an engine (CH-122) */
    }
    return FLUE_AD_NONE;
}

/* Freed without its state: it is corrupt, its numbers may be wrong, and its key. */
static COLD detail_t leave_corrupt(uint32_t row, uint32_t word0)
{
    if (row_state(word0) == FLUE_ROW_LOADED || row_state(word0) == FLUE_ROW_RUNNING)
        fw.recount = true;
    connection_free(row);
    return FLUE_AD_CORRUPT;
}

/* A connection leaves: its state goes to the host first (when it is wanted); only when that worked is it freed. */
detail_t connection_leave(uint32_t row, uint32_t word0, uint32_t offset, bool wanted)
{
    uint32_t *state = fw.state, at = row_state(word0);
    if (RARE(word0 & FLUE_ROW_HEAD_CORRUPT_MASK))
        return leave_corrupt(row, word0);
    if (RARE(at != FLUE_ROW_LOADED && at != FLUE_ROW_RUNNING))
        return FLUE_AD_BUSY;
    hw_row_begin_get(FLUE_TBL_CONNECTION, row, W_C_DELEGATED, state, D_WORDS);
    uint32_t past = time_ticks() - get(row, W_TICKS), path = get(row, W_LINK) & FLUE_ROW_HEAD_PARENT_MASK;
    (void)hw_dma_end();
    if (object_errors()) { /* of this row or of another */
        word0 = get(row, W_STATE);
        if (word0 & FLUE_ROW_HEAD_CORRUPT_MASK)
            return leave_corrupt(row, word0);
        path = get(row, W_LINK) & FLUE_ROW_HEAD_PARENT_MASK;
    }
    age(state, past);
    bool live = engine_has(row);
    uint32_t counted[D_WORDS]; /* what was counted is what was loaded, whatever became of it in the engine */
    if (RARE(live)) {
        for (uint32_t i = 0; i < D_WORDS; i++)
            counted[i] = state[i];
        if (!engine_freeze(row, state))
            return FLUE_AD_BUSY;
    }
    if (wanted) {
        hw_dma_begin_write(fw.sqe.word1, fw.sqe.offset + offset, state, 4 * D_WORDS);
        if (RARE(!hw_dma_end()))
            return FLUE_AD_REGION;
    }
    if (RARE(live))
        engine_forget(row);
    number(RARE(live) ? counted : state, word0, UINT32_MAX);
    if (RARE(fw.sqe.word0 & FLUE_SQE_KEEP_ENTRY_MASK)) {
        put(row, W_STATE, (word0 & ~FLUE_ROW_HEAD_STATE_MASK) | FLUE_ROW_FROZEN);
        return FLUE_AD_NONE;
    }
    if (RARE(path >= fw.size[PATH]) || RARE(word0 & FLUE_ROW_HEAD_PENDING_MASK)) {
        connection_free(row);
        return FLUE_AD_NONE;
    }
    /* The search for its entry goes on while the command is completed; BUILDING, so that a start meanwhile drops it. */
    object_left(); /* the one before it in this tree */
    object_refer(PATH, path, -1);
    put(row, W_STATE, (word0 & FLUE_ROW_HEAD_GENERATION_MASK) | FLUE_ROW_BUILDING);
    hw_table_begin(FLUE_TOP_DELETE_CONN, row);
    fw.leaving = row + 1;
    return FLUE_AD_NONE;
}

/* New cached state, with what follows from it for the delegated state (chimney.md 2.1.4, X-14, X-15). */
detail_t connection_update(uint32_t row, const uint32_t *state)
{
    const struct flue_wire_tcp_cached *now = (const void *)state;
    struct flue_wire_tcp_cached old;
    uint32_t *word = (uint32_t *)&old;
    uint32_t at = row_state(get(row, W_STATE));
    if (at != FLUE_ROW_LOADED && at != FLUE_ROW_RUNNING)
        return FLUE_AD_BUSY;
    if (!cached_valid(now))
        return FLUE_AD_VALUE;
    detail_t detail = check_window(now);
    if (detail)
        return detail;
    for (uint32_t i = 0; i < sizeof old / 4; i++)
        word[i] = get(row, W_C_CACHED + i);
    for (uint32_t i = 0; i < sizeof old / 4; i++)
        put(row, W_C_CACHED + i, state[i]);
    if ((now->word0 & MAX_RT_RESTART) || now->max_rt != old.max_rt)
        put(row, W_C_DELEGATED + D_total_rt, 0);
    if ((now->word0 & (KEEP_ALIVE_RESTART | MAX_RT_RESTART)) || ((now->word0 ^ old.word0) & KEEP_ALIVE_ENABLED) ||
        now->word3 != old.word3 || now->ka_timeout != old.ka_timeout || now->ka_interval != old.ka_interval) {
        uint32_t delegated[D_WORDS], ticks = time_ticks();
        for (uint32_t i = 0; i < D_WORDS; i++)
            delegated[i] = get(row, W_C_DELEGATED + i);
        age(delegated, ticks - get(row, W_TICKS));
        delegated[D_word16] &= ~FLUE_WIRE_TCP_DELEGATED_KA_PROBE_COUNT_MASK;
        delegated[D_ka_timeout_delta] = now->word0 & KEEP_ALIVE_ENABLED ? now->ka_timeout : NOT_RUNNING;
        for (uint32_t i = D_ts_recent_age; i < D_WORDS; i++)
            put(row, W_C_DELEGATED + i, delegated[i]);
        put(row, W_TICKS, ticks);
    }
    return FLUE_AD_NONE;
}

/* ---- commands that name one connection ---- */

static detail_t find(uint32_t *row, uint32_t *word0)
{
    return object_find(fw.sqe.handle, TCP, false, row, word0);
}

detail_t connection_hold(void)
{
    uint32_t path, path_word0, row, generation;
    detail_t detail = object_find(fw.sqe.handle, PATH, false, &path, &path_word0);
    if (!detail)
        detail = fw.config.switches.word0 & FLUE_CFG_SWITCHES_PAUSED_MASK ? FLUE_AD_DISABLED : path_open(path_word0);
    if (!detail)
        detail = enter(path, fw.sqe.arg[0], &fw.sqe.arg[1], NULL, &row, &generation);
    if (detail)
        return detail;
    uint32_t word0 = generation | FLUE_ROW_HELD | (path_word0 & FLUE_ROW_HEAD_IPV6_MASK);
    put(row, W_STATE, word0);
    engine_hold(row, generation);
    fw.result = object_handle(TCP, row, word0);
    return FLUE_AD_NONE;
}

/* Was this the newest, and is nothing on its way?  Also while the row runs already: a lookup may have begun before. */
static bool nothing_newer(uint32_t row, uint32_t named, bool runs, uint32_t *newest)
{
    bool settled = runs ? engine_passed(row, newest) : engine_settled(row, newest);
    return *newest == named && (settled || runs);
}

static detail_t again(uint32_t row, uint32_t tries, uint32_t newest)
{
    put(row, W_C_TRIES, tries);
    fw.result = newest;
    return FLUE_AD_BUSY;
}

detail_t connection_start(void)
{
    uint32_t row, word0, named = fw.sqe.arg[0];
    detail_t detail = find(&row, &word0);
    if (detail)
        return detail;
    if (row_state(word0) != FLUE_ROW_LOADED)
        return FLUE_AD_BUSY;
    uint32_t newest = get(row, W_C_DIVERT) - 1;
    if (!engine_has(row)) {
        if (newest != named)
            return again(row, 0, newest);
        put(row, W_STATE, (word0 & ~FLUE_ROW_HEAD_STATE_MASK) | FLUE_ROW_RUNNING);
        return FLUE_AD_NONE;
    }
    uint32_t tries = get(row, W_C_TRIES) + 1;
    bool last = tries >= START_TRIES; /* the third in a row takes what comes late for reordering */
    if (!nothing_newer(row, named, false, &newest) && !last)
        return again(row, tries, newest);
    put(row, W_STATE, (word0 & ~FLUE_ROW_HEAD_STATE_MASK) | FLUE_ROW_RUNNING);
    if (!nothing_newer(row, named, true, &newest) && !last) {
        put(row, W_STATE, word0);
        return again(row, tries, newest);
    }
    put(row, W_C_TRIES, 0);
    engine_run(row);
    return FLUE_AD_NONE;
}

/*
 * The entry goes at once, the row when no frame that hit it is on its way any more: until then its number must mean the same.
 * Answered BUSY, the command is given again; the marker has been asked for then.
 */
detail_t connection_release(void)
{
    uint32_t row, word0, newest;
    detail_t detail = object_find(fw.sqe.handle, TCP, true, &row, &word0);
    if (detail)
        return detail;
    if (row_state(word0) != FLUE_ROW_HELD && row_state(word0) != FLUE_ROW_FROZEN)
        return FLUE_AD_BUSY;
    if (fw.engine) {
        if (get(row, W_C_TRIES) != RELEASED) {
            object_unindex(FLUE_TOP_DELETE_CONN, row);
            engine_release(row, word0 & FLUE_ROW_HEAD_GENERATION_MASK);
        }
        if (!engine_passed(row, &newest)) {
            object_blind(TCP, row);
            put(row, W_C_TRIES, RELEASED);
            put(row, W_STATE, (word0 & ~FLUE_ROW_HEAD_STATE_MASK) | FLUE_ROW_FROZEN);
            return FLUE_AD_BUSY;
        }
    }
    connection_free(row);
    return FLUE_AD_NONE;
}

detail_t connection_rings(void)
{
    uint32_t row, word0;
    detail_t detail = find(&row, &word0);
    if (detail)
        return detail;
    return row_state(word0) == FLUE_ROW_HELD ? engine_rings(row) : FLUE_AD_BUSY;
}

static detail_t running(uint32_t *row)
{
    uint32_t word0;
    detail_t detail = find(row, &word0);
    return detail ? detail : row_state(word0) == FLUE_ROW_RUNNING ? FLUE_AD_NONE : FLUE_AD_BUSY;
}

detail_t connection_abort(void)
{
    uint32_t row;
    detail_t detail = running(&row);
    if (detail || !engine_has(row))
        return detail ? detail : FLUE_AD_NO_ENGINE;
    engine_abort(row);
    return FLUE_AD_NONE;
}

static uint32_t swapped(uint32_t half)
{
    return (half & 0xFF) << 8 | (half >> 8 & 0xFF);
}

/* The segment is checked as far as it can be without an engine: length, header length, ports. */
detail_t connection_forward(void)
{
    uint32_t row;
    detail_t detail = running(&row);
    if (detail)
        return detail;
    if (fw.sqe.length < 20 || fw.sqe.length > 65536)
        return FLUE_AD_LENGTH;
    if (!hw_dma_read(fw.sqe.word1, fw.sqe.offset, fw.state, 20))
        return FLUE_AD_REGION;
    uint32_t header = (fw.state[3] >> 4 & 0xF) * 4, ports = get(row, W_C_PORTS);
    if (header < 20 || header > fw.sqe.length || (swapped(fw.state[0]) | swapped(fw.state[0] >> 16) << 16) != ports)
        return FLUE_AD_VALUE;
    return FLUE_AD_NO_ENGINE;
}
