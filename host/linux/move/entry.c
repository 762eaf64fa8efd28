/* The lookup entry of a connection: hold, rings, load, start, freeze, release. */
#include "move_internal.h"

#define STARTS_MAX   8u
#define RELEASES_MAX 64u

enum flue_err move_entry_hold(struct flue_mover *m, struct moved *c)
{
    struct flue_admin_done done;
    struct flue_ring_place send, recv;
    struct flue_sqe hold = {.word0 = FLUE_OP_HOLD, .handle = c->route->path, .arg = {move_ports_of(&c->state), 0, 0}};
    m->marker = 0;
    enum flue_err err = move_command(m, &hold, "hold", &done);
    if (err != FLUE_OK)
        return err;
    c->handle = done.result;
    err = move_marker_await(m, c->handle);
    flue_conn_places(c->conn, &send, &recv);
    struct flue_sqe rings = {
        .word0 = FLUE_OP_RINGS,
        .handle = c->handle,
        .arg = {send.region | (uint32_t)send.log2 << 8 | (uint32_t)recv.region << 16 | (uint32_t)recv.log2 << 24, send.offset,
                recv.offset}};
    return err == FLUE_OK ? move_command(m, &rings, "rings", &done) : err;
}

enum flue_err move_entry_release(struct flue_mover *m, struct moved *c)
{
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_OP_RELEASE, .handle = c->handle};
    m->marker = 0;
    enum flue_err err = move_command(m, &sqe, "release", &done);
    /* Frames that hit the entry are on their way: the row is freed behind them. */
    for (unsigned i = 0; err == FLUE_ESTATE && done.detail == FLUE_AD_BUSY && i < RELEASES_MAX; i++) {
        err = move_breathe(m);
        if (err == FLUE_OK)
            err = move_command(m, &sqe, "release", &done);
    }
    return err == FLUE_OK ? move_marker_await(m, c->handle) : err;
}

enum flue_err move_entry_load(struct flue_mover *m, struct moved *c, const struct flue_tcp_state *s, size_t queued)
{
    uint32_t state[WORDS_TCP] = {0}, ring_bytes = 1u << m->params.ring_log2;
    move_state_fill(s, queued, ring_bytes, state);
    struct node node[3] = {
        {.kind = FLUE_NODE_REFERENCE, .type = NeighborOffloadState, .handle = c->route->neighbor},
        {.kind = FLUE_NODE_REFERENCE,
         .depth = 1,
         .type = c->route->ipv6 ? Ip6OffloadState : Ip4OffloadState,
         .handle = c->route->path},
        {.kind = FLUE_NODE_NEW, .depth = 2, .type = TcpOffloadState, .handle = c->handle, .state = state, .words = WORDS_TCP},
    };
    enum flue_err err = move_tree_run(m, FLUE_OP_INITIATE | FLUE_SQE_LOAD_ONLY_MASK, node, 3, "load");
    if (err != FLUE_OK)
        return err;
    uint32_t acknowledged = flue_tcp_fin_acked(s->at) ? 1 : 0; /* our FIN, behind the last byte */
    struct flue_conn_begin begin = {.row = (uint16_t)(c->handle & FLUE_HANDLE_INDEX_MASK),
                                    .generation =
                                        (uint16_t)((c->handle & FLUE_HANDLE_GENERATION_MASK) >> FLUE_HANDLE_GENERATION_SHIFT),
                                    .state = (uint8_t)s->at,
                                    .snd_una = s->snd_una,
                                    .send_limit = s->snd_una + (uint32_t)queued - acknowledged,
                                    .rcv_nxt = s->rcv_nxt - (flue_tcp_fin_received(s->at) ? 1u : 0u),
                                    .fin_marked = flue_tcp_fin_sent(s->at),
                                    .fin_received = flue_tcp_fin_received(s->at)};
    return flue_conn_attach(c->conn, &begin);
}

enum flue_err move_entry_start(struct flue_mover *m, struct moved *c)
{
    struct flue_admin_done done;
    for (unsigned i = 0; i < STARTS_MAX; i++) {
        uint32_t last = c->last; /* what comes later is forwarded after the next answer */
        enum flue_err forwarded = move_held_forward(m);
        if (forwarded != FLUE_OK)
            return forwarded;
        struct flue_sqe sqe = {.word0 = FLUE_OP_START, .handle = c->handle, .arg = {last, 0, 0}};
        uint64_t before = move_now_us(m);
        enum flue_err err = flue_admin_call(m->admin, &sqe, NULL, 0, &done);
        m->adapter_us += move_now_us(m) - before;
        if (err != FLUE_OK)
            return move_fail(m, err, "start: %s", flue_err_name(err));
        if (done.status == NDIS_STATUS_SUCCESS)
            return FLUE_OK;
        err = move_breathe(m);
        if (err != FLUE_OK)
            return move_fail(m, err, "start: %s", flue_err_name(err));
        if (c->last == last) /* it never came as a frame */
            c->last = done.result;
    }
    return move_fail(m, FLUE_ETIMEOUT, "start was answered \"again\" %u times", STARTS_MAX);
}

enum flue_err move_entry_freeze(struct flue_mover *m, struct moved *c, bool keep_entry, uint32_t *state)
{
    struct node node = {.kind = FLUE_NODE_REFERENCE,
                        .type = TcpOffloadDelegatedState,
                        .handle = c->handle,
                        .state = state,
                        .words = WORDS_DELEGATED};
    return move_tree_run(m, FLUE_OP_TERMINATE | (keep_entry ? FLUE_SQE_KEEP_ENTRY_MASK : 0), &node, 1, "freeze");
}
