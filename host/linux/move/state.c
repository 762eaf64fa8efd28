/* The state of a connection between the kernel's words and the adapter's. */
#include <stdlib.h>
#include <string.h>
#include "move_internal.h"

#define FOREVER UINT32_MAX

uint32_t move_ports_of(const struct flue_tcp_state *s)
{
    uint8_t bytes[16];
    uint16_t local, remote;
    move_address_of(&s->local, bytes, &local);
    move_address_of(&s->remote, bytes, &remote);
    return remote | (uint32_t)local << FLUE_WIRE_TCP_CONST_LOCAL_PORT_SHIFT;
}

void move_state_fill(const struct flue_tcp_state *s, size_t queued, uint32_t ring_bytes, uint32_t state[WORDS_TCP])
{
    struct flue_wire_tcp_const *c = (void *)state;
    struct flue_wire_tcp_cached *k = (void *)(state + TCP_CACHED);
    struct flue_wire_tcp_delegated *d = (void *)(state + TCP_DELEGATED);
    uint32_t srtt = s->srtt_us * 8 / MOVE_TICKS, rttvar = s->rttvar_us * 4 / MOVE_TICKS;

    c->word0 = (s->timestamps ? TCP_FLAG_TIMESTAMP_ENABLED : 0u) | (s->sack ? TCP_FLAG_SACK_ENABLED : 0u) |
               (s->window_scale ? TCP_FLAG_WINDOW_SCALING_ENABLED : 0u) |
               (uint32_t)s->snd_wind_scale << FLUE_WIRE_TCP_CONST_SND_WIND_SCALE_SHIFT |
               (uint32_t)s->rcv_wind_scale << FLUE_WIRE_TCP_CONST_RCV_WIND_SCALE_SHIFT;
    c->ports = move_ports_of(s);
    c->word2 = s->remote_mss;
    k->initial_rcv_wnd = s->rcv_wnd > ring_bytes / 2 ? s->rcv_wnd : ring_bytes / 2;
    k->word8 = MOVE_TTL;
    d->word0 = s->at;
    d->rcv_nxt = s->rcv_nxt;
    d->rcv_wnd = s->rcv_wnd;
    d->snd_una = s->snd_una;
    d->snd_nxt = d->snd_max = s->snd_nxt;
    d->snd_wnd = s->snd_wnd;
    d->max_snd_wnd = s->max_snd_wnd;
    d->send_wl1 = s->snd_wl1;
    d->cwnd = s->cwnd_bytes;
    d->ssthresh = s->ssthresh_bytes;
    d->word11 = (srtt < 0xFFFF ? srtt : 0xFFFF) | (rttvar < 0xFFFF ? rttvar : 0xFFFF) << 16;
    d->ts_recent_age = FOREVER; /* the kernel does not tell TS.Recent */
    d->ts_time = s->ts_value + 1;
    d->ka_timeout_delta = FOREVER;
    d->rexmit_timeout_delta = s->snd_nxt == s->snd_una ? FOREVER : 200;
    d->send_backlog = (uint32_t)queued;
}

enum flue_err move_state_back(struct flue_mover *m, struct moved *c, const struct flue_wire_tcp_delegated *d,
                              struct flue_tcp_state *s)
{
    struct flue_conn_view view;
    uint32_t at = d->word0 & FLUE_WIRE_TCP_DELEGATED_STATE_MASK;
    if (at < TcpConnectionEstablished || at > TcpConnectionTimeWait)
        return move_fail(m, FLUE_EIO, "it ended while it was frozen: %s", flue_ndis_connection_state_name(at));
    *s = c->state;
    s->at = (enum flue_tcp_at)at;
    s->rcv_nxt = d->rcv_nxt;
    s->rcv_wnd = d->rcv_wnd;
    s->snd_una = d->snd_una;
    s->snd_nxt = d->snd_max;
    s->snd_wnd = d->snd_wnd;
    s->max_snd_wnd = d->max_snd_wnd;
    s->snd_wl1 = d->send_wl1;
    s->ts_value = d->ts_time;
    s->window_clamp = (int)(1u << (m->params.ring_log2 - 1));
    enum flue_err err = flue_conn_detach(c->conn, d->snd_una, d->rcv_nxt - (flue_tcp_fin_received(s->at) ? 1u : 0u));
    if (err == FLUE_OK)
        err = flue_conn_look(c->conn, &view);
    if (err != FLUE_OK)
        return move_fail(m, err, "the frozen state: %s", flue_err_name(err));
    s->unread_bytes = view.readable;
    s->unacked_bytes = flue_tcp_fin_acked(s->at) ? 0 : view.send_limit - d->snd_una;
    s->fin_queued = view.fin_marked && !flue_tcp_fin_sent(s->at);
    s->unread = malloc(s->unread_bytes + 1);
    s->unacked = malloc(s->unacked_bytes + 1);
    if (s->unread == NULL || s->unacked == NULL)
        return move_fail(m, FLUE_ENOMEM, "no memory");
    err = flue_conn_peek_received(c->conn, view.consumed, s->unread, s->unread_bytes);
    if (err == FLUE_OK && s->unacked_bytes > 0)
        err = flue_conn_peek_sent(c->conn, d->snd_una, s->unacked, s->unacked_bytes);
    return err;
}
