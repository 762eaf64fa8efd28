/* A connection goes back to the kernel (linux-host.md 4.3), or is looked at, or ends in the adapter. */
#include <string.h>
#include "move_internal.h"

enum flue_err flue_move_out(struct flue_mover *m, struct flue_conn *conn, int fd, struct flue_tcp_state *state, size_t *unsent,
                            struct flue_move_times *times)
{
    uint64_t began = move_now_us(m);
    struct moved *c = moved_by_conn(m, conn);
    struct flue_conn_view view;
    uint32_t words[WORDS_DELEGATED] = {0};

    *unsent = 0;
    memset(state, 0, sizeof *state);
    m->adapter_us = 0;
    m->given_up = 0;
    if (c == NULL)
        return move_fail(m, FLUE_EARG, "no connection of this mover");
    enum flue_err err = flue_conn_look(conn, &view);
    if (err != FLUE_OK)
        return move_fail(m, err, "%s", flue_err_name(err));
    if (view.state < TcpConnectionEstablished || view.state > TcpConnectionTimeWait)
        return move_fail(m, FLUE_ESTATE, "it has ended: %s", flue_ndis_connection_state_name(view.state));
    c->keep = true;
    c->running = false;
    err = move_held_forward(m); /* nothing is forwarded to a connection that is terminated (CH-100) */
    if (err == FLUE_OK)
        err = move_entry_freeze(m, c, true, words);
    if (err != FLUE_OK) {
        c->keep = false;
        c->running = true;
        return err;
    }
    const struct flue_wire_tcp_delegated *d = (const void *)words;
    err = move_state_back(m, c, d, state);
    if (err == FLUE_OK) {
        struct flue_tcp_state kernel = *state; /* what was received is delivered by the caller */
        kernel.unread_bytes = 0;
        err = move_kernel_take(m, c, fd, &kernel, unsent);
    }
    enum flue_err released = move_entry_release(m, c);
    *times = (struct flue_move_times){
        .began_us = began, .adapter_us = m->adapter_us, .at = state->at, .held = m->held_count + m->given_up};
    move_held_flush(m, err == FLUE_OK);
    moved_drop(m, c);
    times->total_us = move_now_us(m) - began;
    if (err != FLUE_OK)
        flue_tcp_state_clear(state);
    return err != FLUE_OK ? err : released;
}

enum flue_err flue_move_look(struct flue_mover *m, struct flue_conn *conn, struct flue_move_view *view)
{
    struct moved *c = moved_by_conn(m, conn);
    uint32_t words[WORDS_DELEGATED] = {0};
    struct node node = {
        .kind = FLUE_NODE_REFERENCE, .type = TcpOffloadDelegatedState, .state = words, .words = WORDS_DELEGATED};
    if (c == NULL)
        return move_fail(m, FLUE_EARG, "no connection of this mover");
    node.handle = c->handle;
    enum flue_err err = move_tree_run(m, FLUE_OP_QUERY, &node, 1, "query");
    if (err != FLUE_OK)
        return err;
    const struct flue_wire_tcp_delegated *d = (const void *)words;
    *view = (struct flue_move_view){.rcv_wnd = d->rcv_wnd,
                                    .snd_wnd = d->snd_wnd,
                                    .unread = d->receive_backlog,
                                    .unacked = d->snd_max - d->snd_una,
                                    .cwnd = d->cwnd,
                                    .ssthresh = d->ssthresh,
                                    .srtt_us = (d->word11 & 0xFFFF) * (1000000u / MOVE_TICKS / 8),
                                    .rttvar_us = (d->word11 >> 16) * (1000000u / MOVE_TICKS / 4),
                                    .timeouts = d->word16 >> FLUE_WIRE_TCP_DELEGATED_REXMIT_COUNT_SHIFT};
    return FLUE_OK;
}

enum flue_err flue_move_abort(struct flue_mover *m, struct flue_conn *conn)
{
    struct moved *c = moved_by_conn(m, conn);
    struct flue_admin_done done;
    struct flue_conn_view view;
    uint64_t end = move_now_us(m) + m->params.limit_us;
    if (c == NULL)
        return move_fail(m, FLUE_EARG, "no connection of this mover");
    struct flue_sqe sqe = {.word0 = FLUE_OP_ABORT, .handle = c->handle};
    enum flue_err err = flue_conn_look(conn, &view);
    if (err == FLUE_OK && view.state >= TcpConnectionEstablished && view.state < TcpConnectionTimeWait)
        err = move_command(m, &sqe, "abort", &done);
    while (err == FLUE_OK && view.state >= TcpConnectionEstablished && view.state < TcpConnectionTimeWait &&
           move_now_us(m) < end) { /* the RST leaves */
        err = move_breathe(m);
        if (err == FLUE_OK)
            err = flue_conn_look(conn, &view);
    }
    enum flue_err ended = flue_move_end(m, conn);
    return err != FLUE_OK ? err : ended;
}

enum flue_err flue_move_end(struct flue_mover *m, struct flue_conn *conn)
{
    struct moved *c = moved_by_conn(m, conn);
    uint32_t words[WORDS_DELEGATED] = {0};
    if (c == NULL)
        return move_fail(m, FLUE_EARG, "no connection of this mover");
    enum flue_err err = move_entry_freeze(m, c, false, words);
    moved_drop(m, c);
    return err;
}
