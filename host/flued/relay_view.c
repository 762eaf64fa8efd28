/* How adopted connections do: what the kernel or the engine says of each. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include "relay_internal.h"

#define RATE_SPAN_US 500000u

enum { TCP_INFO_WORDS = 70, TCP_INFO_RCV_WND = 58 };

void relay_rate_take(struct rate *r, uint64_t now_us, uint64_t value)
{
    if (now_us - r->at_us < RATE_SPAN_US)
        return;
    r->kbps = r->at_us == 0 ? 0 : (uint32_t)((value - r->value) * 8000 / (now_us - r->at_us));
    r->at_us = now_us;
    r->value = value;
}

void relay_carried(const struct relay *r, uint32_t snd_una, uint32_t rcv_nxt, struct relay_view *view)
{
    view->sent_adapter += snd_una - r->una_in;
    view->received_adapter += rcv_nxt - r->nxt_in;
}

/* What the kernel says of a connection it has, in the words of the engine's view. */
static void kernel_look(const struct relay *r, struct relay_view *view)
{
    union { /* this header's structure ends before tcpi_rcv_wnd (linux-host.md 3.2) */
        struct tcp_info info;
        uint32_t word[TCP_INFO_WORDS];
    } now = {.word = {0}};
    socklen_t len = sizeof now;
    if (getsockopt(r->tcp_fd, IPPROTO_TCP, TCP_INFO, &now, &len) != 0)
        return;
    view->state = flue_socket_state_name(now.info.tcpi_state);
    view->engine = (struct flue_move_view){.cwnd = now.info.tcpi_snd_cwnd * now.info.tcpi_snd_mss,
                                           .ssthresh = now.info.tcpi_snd_ssthresh,
                                           .rcv_wnd = now.word[TCP_INFO_RCV_WND],
                                           .snd_wnd = now.info.tcpi_snd_wnd,
                                           .srtt_us = now.info.tcpi_rtt,
                                           .rttvar_us = now.info.tcpi_rttvar,
                                           .timeouts = now.info.tcpi_retransmits};
}

const char *relay_state_name(unsigned state)
{
    static const char *const name[] = {"CLOSED",    "LISTEN",     "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT1",
                                       "FIN_WAIT2", "CLOSE_WAIT", "CLOSING",  "LAST_ACK", "TIME_WAIT"};
    return state < sizeof name / sizeof name[0] ? name[state] : "?";
}

static void engine_look(const struct relays *s, const struct relay *r, bool asks, struct relay_view *view)
{
    if (flue_conn_look(r->conn, &view->now) == FLUE_OK) {
        relay_carried(r, view->now.snd_una - (view->now.snd_una - view->now.send_limit == 1 ? 1u : 0u), view->now.rcv_nxt,
                      view);
        view->state = relay_state_name(view->now.state);
    }
    if (asks && flue_move_look(s->mover, r->conn, &view->engine) != FLUE_OK)
        log_line(LOG_WARN, "connection %u: %s", r->view.id, flue_mover_error(s->mover));
}

void relay_look(const struct relays *s, const struct relay *r, bool asks, struct relay_view *view)
{
    *view = r->view;
    view->place = r->conn != NULL ? RELAY_ADAPTER : RELAY_KERNEL;
    view->ended = r->broken;
    view->state = "";
    view->out_kbps = r->out_rate.kbps;
    view->in_kbps = r->in_rate.kbps;
    view->again = r->wire.again;
    if (r->conn != NULL)
        engine_look(s, r, asks, view);
    else
        kernel_look(r, view);
}

void relays_each(const struct relays *s, bool asks, void (*each)(void *ctx, const struct relay_view *view), void *ctx)
{
    for (const struct relay *r = s->first; r != NULL; r = r->next) {
        struct relay_view view;
        relay_look(s, r, asks, &view);
        each(ctx, &view);
    }
}

void relays_each_ended(const struct relays *s, void (*each)(void *ctx, const struct relay_view *view), void *ctx)
{
    for (unsigned i = s->ended_count > ENDED_KEPT ? s->ended_count - ENDED_KEPT : 0; i < s->ended_count; i++)
        each(ctx, &s->ended[i % ENDED_KEPT]);
}
