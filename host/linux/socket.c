/*
 * Sockets in repair mode: reading a connection out of the kernel and putting it back (linux-host.md sections 3 and 4).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include "flue/socket.h"

enum {
    QUEUE_NONE = 0,
    QUEUE_RECV = 1,
    QUEUE_SEND = 2,
    REPAIR_ON = 1,
    REPAIR_OFF_SILENTLY = -1,
    OPT_MSS = 2, /* codes of TCP_REPAIR_OPTIONS: the option kinds of RFC 9293 and 7323 */
    OPT_WINDOW = 3,
    OPT_SACK = 4,
    OPT_TIMESTAMP = 8,
};

/* State of TCP_INFO: its name, and what it is for a move (0: it cannot be moved). */
static const struct {
    const char *name;
    unsigned at;
} kernel_state[] = {
    {"?", 0},
    {"ESTABLISHED", FLUE_TCP_ESTABLISHED},
    {"SYN_SENT", 0},
    {"SYN_RECV", 0},
    {"FIN_WAIT1", FLUE_TCP_FIN_WAIT1},
    {"FIN_WAIT2", FLUE_TCP_FIN_WAIT2},
    {"TIME_WAIT", 0},
    {"CLOSE", 0},
    {"CLOSE_WAIT", FLUE_TCP_CLOSE_WAIT},
    {"LAST_ACK", FLUE_TCP_LAST_ACK},
    {"LISTEN", 0},
    {"CLOSING", FLUE_TCP_CLOSING},
};

#define CHUNK_BYTES 65536u /* most a send() into a repair queue is given */
#define CHUNK_LEAST 1024u
#define SCALE_MAX   14u /* RFC 7323, 2.3 */
#define QUEUE_MAX   (1u << 30)
#define MAXSEG_MAX  32767 /* most TCP_MAXSEG takes; the peer's MSS itself goes by TCP_REPAIR_OPTIONS */

static _Thread_local char error_text[80];

const char *flue_socket_error(void)
{
    return error_text;
}

static enum flue_err failed(const char *what)
{
    snprintf(error_text, sizeof error_text, "%s", what);
    return FLUE_EIO;
}

/* ---- options ------------------------------------------------------------------------------------------------------- */

static enum flue_err set_int(int fd, int level, int option, int value, const char *what)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0 ? FLUE_OK : failed(what);
}

static enum flue_err get_u32(int fd, int option, uint32_t *value, const char *what)
{
    socklen_t len = sizeof *value;
    return getsockopt(fd, IPPROTO_TCP, option, value, &len) == 0 ? FLUE_OK : failed(what);
}

static enum flue_err queue_select(int fd, int queue)
{
    return set_int(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, queue, "TCP_REPAIR_QUEUE");
}

static enum flue_err queue_size(int fd, unsigned long request, uint32_t *bytes, const char *what)
{
    int value = 0;
    if (ioctl(fd, request, &value) != 0)
        return failed(what);
    *bytes = (uint32_t)value;
    return FLUE_OK;
}

/* ---- into the adapter ------------------------------------------------------------------------------------------------ */

static unsigned known(unsigned state)
{
    return state < sizeof kernel_state / sizeof kernel_state[0] ? state : 0;
}

const char *flue_socket_state_name(unsigned state)
{
    return kernel_state[known(state)].name;
}

/* FLUE_ESTATE: its state has nothing that can be moved. */
static enum flue_err info_get(int fd, struct tcp_info *info)
{
    socklen_t len = sizeof *info;
    memset(info, 0, sizeof *info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) != 0)
        return failed("TCP_INFO");
    if (kernel_state[known(info->tcpi_state)].at != 0)
        return FLUE_OK;
    snprintf(error_text, sizeof error_text, "a socket in state %s cannot be moved", flue_socket_state_name(info->tcpi_state));
    return FLUE_ESTATE;
}

enum flue_err flue_socket_freeze(int fd, struct flue_tcp_state *state)
{
    struct tcp_info info;
    socklen_t len = sizeof state->reuse_addr;
    memset(state, 0, sizeof *state);
    enum flue_err err = info_get(fd, &info);
    if (err != FLUE_OK)
        return err;
    if (getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &state->reuse_addr, &len) != 0)
        return failed("SO_REUSEADDR");
    return set_int(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_ON, "TCP_REPAIR on");
}

static enum flue_err reuse_restore(int fd, const struct flue_tcp_state *state)
{
    return set_int(fd, SOL_SOCKET, SO_REUSEADDR, state->reuse_addr, "SO_REUSEADDR");
}

enum flue_err flue_socket_thaw(int fd, const struct flue_tcp_state *state)
{
    enum flue_err err = set_int(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_SILENTLY, "TCP_REPAIR off");
    return err != FLUE_OK ? err : reuse_restore(fd, state);
}

static enum flue_err addresses_get(int fd, struct flue_tcp_state *state)
{
    socklen_t len = sizeof state->local;
    if (getsockname(fd, (struct sockaddr *)&state->local, &len) != 0)
        return failed("getsockname");
    len = sizeof state->remote;
    return getpeername(fd, (struct sockaddr *)&state->remote, &len) == 0 ? FLUE_OK : failed("getpeername");
}

/*
 * Copy of a queue's last `bytes`; any other number says that it moved.  In the send queue a segment of which the peer
 * acknowledged a part may still be whole: what is in front of SND.UNA is skipped.
 */
static enum flue_err queue_peek(int fd, int queue, uint32_t bytes, uint8_t **data, uint32_t *seq)
{
    size_t more = queue == QUEUE_SEND ? CHUNK_BYTES : 1, cap = (size_t)bytes + more;
    enum flue_err err = queue_select(fd, queue);
    if (err == FLUE_OK)
        err = get_u32(fd, TCP_QUEUE_SEQ, seq, "TCP_QUEUE_SEQ");
    if (err != FLUE_OK)
        return err;
    *data = malloc(cap);
    if (*data == NULL)
        return FLUE_ENOMEM;
    ssize_t got = recv(fd, *data, cap, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        got = 0;
    if (got < 0)
        return failed("peek of a queue");
    if ((size_t)got < bytes || (size_t)got == cap || (queue == QUEUE_RECV && (size_t)got > bytes)) {
        failed(queue == QUEUE_SEND ? "the send queue moves" : "the receive queue moves");
        return FLUE_EAGAIN;
    }
    memmove(*data, *data + ((size_t)got - bytes), bytes);
    return FLUE_OK;
}

static void info_take(const struct tcp_info *info, struct flue_tcp_state *s)
{
    const uint32_t none = 0x7FFFFFFF; /* no threshold yet */
    s->timestamps = (info->tcpi_options & TCPI_OPT_TIMESTAMPS) != 0;
    s->sack = (info->tcpi_options & TCPI_OPT_SACK) != 0;
    s->window_scale = (info->tcpi_options & TCPI_OPT_WSCALE) != 0;
    s->snd_wind_scale = info->tcpi_snd_wscale;
    s->rcv_wind_scale = info->tcpi_rcv_wscale;
    s->at = kernel_state[info->tcpi_state].at;
    s->fin_queued = false;
    s->cwnd_bytes = info->tcpi_snd_cwnd * info->tcpi_snd_mss;
    s->ssthresh_bytes =
        info->tcpi_snd_ssthresh >= none / (info->tcpi_snd_mss + 1u) ? UINT32_MAX : info->tcpi_snd_ssthresh * info->tcpi_snd_mss;
    s->srtt_us = info->tcpi_rtt;
    s->rttvar_us = info->tcpi_rttvar;
}

static enum flue_err windows_get(int fd, struct flue_tcp_state *s, struct tcp_repair_window *w)
{
    socklen_t len = sizeof *w;
    uint32_t mss, ts;
    if (getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, w, &len) != 0)
        return failed("TCP_REPAIR_WINDOW");
    enum flue_err err = get_u32(fd, TCP_MAXSEG, &mss, "TCP_MAXSEG");
    if (err == FLUE_OK)
        err = get_u32(fd, TCP_TIMESTAMP, &ts, "TCP_TIMESTAMP");
    if (err != FLUE_OK)
        return err;
    s->remote_mss = (uint16_t)mss;
    s->ts_us = (ts & 1) != 0; /* bit 0 names the unit */
    s->ts_value = ts & ~1u;
    s->snd_wnd = w->snd_wnd;
    s->max_snd_wnd = w->max_window;
    s->snd_wl1 = w->snd_wl1;
    return FLUE_OK;
}

/* In the kernel's queue the FIN has a sequence number, but no byte, from the end of the stream on, also before it is sent. */
static void fin_take(struct flue_tcp_state *s, uint32_t unsent)
{
    if (!flue_tcp_fin_owed(s->at))
        return;
    s->unacked_bytes--;
    if (unsent == 0)
        return;
    s->at = flue_tcp_fin_received(s->at) ? FLUE_TCP_CLOSE_WAIT : FLUE_TCP_ESTABLISHED;
    s->fin_queued = true;
}

static enum flue_err queues_get(int fd, struct flue_tcp_state *s, const struct tcp_repair_window *w)
{
    uint32_t unread, unacked, unsent, write_seq;
    enum flue_err err = queue_size(fd, SIOCINQ, &unread, "SIOCINQ");
    if (err == FLUE_OK)
        err = queue_size(fd, SIOCOUTQ, &unacked, "SIOCOUTQ");
    if (err == FLUE_OK)
        err = queue_size(fd, SIOCOUTQNSD, &unsent, "SIOCOUTQNSD");
    if (err == FLUE_OK)
        err = queue_peek(fd, QUEUE_RECV, unread, &s->unread, &s->rcv_nxt);
    if (err == FLUE_OK)
        err = queue_peek(fd, QUEUE_SEND, unacked - (flue_tcp_fin_owed(s->at) ? 1u : 0u), &s->unacked, &write_seq);
    uint32_t unacked_now = unacked;
    if (err == FLUE_OK)
        err = queue_size(fd, SIOCOUTQ, &unacked_now, "SIOCOUTQ");
    if (err == FLUE_OK)
        err = queue_select(fd, QUEUE_NONE);
    if (err == FLUE_OK && unacked_now != unacked)
        err = FLUE_EAGAIN;
    if (err != FLUE_OK)
        return err;
    s->unread_bytes = unread;
    s->unacked_bytes = unacked;
    s->snd_una = write_seq - unacked;
    s->snd_nxt = write_seq - unsent;
    s->rcv_wnd = w->rcv_wup + w->rcv_wnd - s->rcv_nxt;
    fin_take(s, unsent);
    return FLUE_OK;
}

enum flue_err flue_socket_snapshot(int fd, struct flue_tcp_state *state)
{
    struct tcp_repair_window before, after;
    struct tcp_info info;
    socklen_t len = sizeof after;

    flue_tcp_state_clear(state);
    enum flue_err err = info_get(fd, &info);
    if (err == FLUE_OK)
        err = addresses_get(fd, state);
    if (err == FLUE_OK) {
        info_take(&info, state);
        err = windows_get(fd, state, &before);
    }
    if (err == FLUE_OK)
        err = queues_get(fd, state, &before);
    if (err == FLUE_OK && getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &after, &len) != 0)
        err = failed("TCP_REPAIR_WINDOW");
    if (err == FLUE_OK && memcmp(&before, &after, sizeof before) != 0) {
        failed("the window moves");
        err = FLUE_EAGAIN;
    }
    if (err != FLUE_OK)
        flue_tcp_state_clear(state);
    return err;
}

static socklen_t address_bytes(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

enum flue_err flue_socket_silence(int fd, const struct flue_tcp_state *state)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    if (connect(fd, &nowhere, sizeof nowhere) != 0)
        return failed("silence (connect to AF_UNSPEC)");
    /* One that was bound before is so still (EINVAL).  Without the port only the way back may fail, which says so. */
    if (bind(fd, (const struct sockaddr *)&state->local, address_bytes(&state->local)) != 0 && errno != EINVAL)
        return FLUE_OK;
    (void)!reuse_restore(fd, state);
    return FLUE_OK;
}

/* ---- back ---------------------------------------------------------------------------------------------------------- */

/* Bytes of the queue that were sent. */
static uint32_t sent_bytes(const struct flue_tcp_state *s)
{
    return s->snd_nxt - s->snd_una - (flue_tcp_fin_owed(s->at) ? 1u : 0u);
}

static bool state_sane(const struct flue_tcp_state *s)
{
    uint32_t sent = sent_bytes(s);
    if (s->at < FLUE_TCP_ESTABLISHED || s->at > FLUE_TCP_TIME_WAIT || (flue_tcp_fin_sent(s->at) && sent != s->unacked_bytes))
        return false;
    return (s->local.ss_family == AF_INET || s->local.ss_family == AF_INET6) && s->local.ss_family == s->remote.ss_family &&
           s->snd_wind_scale <= SCALE_MAX && s->rcv_wind_scale <= SCALE_MAX && s->remote_mss != 0 && sent <= s->unacked_bytes &&
           s->unacked_bytes <= QUEUE_MAX && s->unread_bytes <= QUEUE_MAX && s->max_snd_wnd >= s->snd_wnd;
}

static enum flue_err seq_set(int fd, int queue, uint32_t seq)
{
    enum flue_err err = queue_select(fd, queue);
    return err != FLUE_OK ? err : set_int(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, (int)seq, "TCP_QUEUE_SEQ");
}

/* The buffers must hold what is put back, or a send() into a queue never succeeds. */
static enum flue_err buffers_set(int fd, const struct flue_tcp_state *s)
{
    size_t out = 2 * s->unacked_bytes + CHUNK_BYTES, in = 2 * s->unread_bytes + s->rcv_wnd + CHUNK_BYTES;
    enum flue_err err = set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, (int)out, "SO_SNDBUFFORCE");
    return err != FLUE_OK ? err : set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, (int)in, "SO_RCVBUFFORCE");
}

static enum flue_err address_take(int fd, const struct flue_tcp_state *s)
{
    struct sockaddr_storage now;
    socklen_t bytes = address_bytes(&s->local), len = sizeof now;

    if (bind(fd, (const struct sockaddr *)&s->local, bytes) != 0 && errno != EINVAL)
        return failed("bind");
    if (connect(fd, (const struct sockaddr *)&s->remote, address_bytes(&s->remote)) != 0)
        return failed("connect in repair mode");
    memset(&now, 0, sizeof now);
    if (getsockname(fd, (struct sockaddr *)&now, &len) != 0)
        return failed("getsockname");
    if (memcmp(&now, &s->local, bytes) != 0) {
        errno = EADDRNOTAVAIL;
        return failed("the local address of the connection");
    }
    return FLUE_OK;
}

static enum flue_err options_set(int fd, const struct flue_tcp_state *s)
{
    struct tcp_repair_opt opts[4];
    unsigned n = 0;
    opts[n++] = (struct tcp_repair_opt){OPT_MSS, s->remote_mss};
    if (s->window_scale)
        opts[n++] = (struct tcp_repair_opt){OPT_WINDOW, s->snd_wind_scale | (uint32_t)s->rcv_wind_scale << 16};
    if (s->sack)
        opts[n++] = (struct tcp_repair_opt){OPT_SACK, 0};
    if (s->timestamps)
        opts[n++] = (struct tcp_repair_opt){OPT_TIMESTAMP, 0};
    if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_OPTIONS, opts, n * (socklen_t)sizeof opts[0]) != 0)
        return failed("TCP_REPAIR_OPTIONS");
    /* Bit 0 names the unit; rounding up keeps the clock from running backwards (TCP-179). */
    uint32_t ts = s->ts_us ? s->ts_value | 1u : (s->ts_value + 1u) & ~1u;
    return s->timestamps ? set_int(fd, IPPROTO_TCP, TCP_TIMESTAMP, (int)ts, "TCP_TIMESTAMP") : FLUE_OK;
}

static enum flue_err queue_fill(int fd, int queue, const uint8_t *data, size_t bytes)
{
    size_t chunk = CHUNK_BYTES;
    enum flue_err err = queue_select(fd, queue);
    while (err == FLUE_OK && bytes > 0) {
        ssize_t n = send(fd, data, bytes < chunk ? bytes : chunk, MSG_DONTWAIT);
        if (n < 0 && errno == ENOMEM && chunk > CHUNK_LEAST) {
            chunk /= 2;
            continue;
        }
        if (n <= 0)
            return failed(queue == QUEUE_RECV ? "filling the receive queue" : "filling the send queue");
        data += n;
        bytes -= (size_t)n;
    }
    return err;
}

static enum flue_err windows_set(int fd, const struct flue_tcp_state *s)
{
    uint32_t fin = flue_tcp_fin_received(s->at) ? 1 : 0; /* it is delivered again: RCV.NXT stands before it */
    struct tcp_repair_window w = {.snd_wl1 = s->snd_wl1,
                                  .snd_wnd = s->snd_wnd,
                                  .max_window = s->max_snd_wnd,
                                  .rcv_wnd = s->rcv_wnd + fin,
                                  .rcv_wup = s->rcv_nxt - fin};
    return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &w, sizeof w) == 0 ? FLUE_OK : failed("TCP_REPAIR_WINDOW");
}

/* Our FIN goes behind the queue as one that was sent: no packet leaves while the send queue is selected. */
static enum flue_err fin_put(int fd)
{
    enum flue_err err = queue_select(fd, QUEUE_SEND);
    return err != FLUE_OK || shutdown(fd, SHUT_WR) == 0 ? err : failed("shutdown in repair mode");
}

enum flue_err flue_socket_restore(int fd, const struct flue_tcp_state *s, size_t *unsent)
{
    *unsent = 0;
    if (!state_sane(s))
        return FLUE_EARG;
    bool fin = flue_tcp_fin_sent(s->at);
    size_t sent = sent_bytes(s);
    uint32_t first = s->rcv_nxt - (flue_tcp_fin_received(s->at) ? 1u : 0u) - (uint32_t)s->unread_bytes;
    uint32_t snd_una = s->snd_una - (flue_tcp_fin_acked(s->at) ? 1u : 0u); /* its ACK is delivered again */
    enum flue_err err = buffers_set(fd, s);
    if (err == FLUE_OK)
        err = set_int(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_ON, "TCP_REPAIR on");
    if (err == FLUE_OK)
        err = seq_set(fd, QUEUE_RECV, first);
    if (err == FLUE_OK)
        err = seq_set(fd, QUEUE_SEND, snd_una);
    if (err == FLUE_OK)
        err = set_int(fd, IPPROTO_TCP, TCP_MAXSEG, s->remote_mss < MAXSEG_MAX ? s->remote_mss : MAXSEG_MAX, "TCP_MAXSEG");
    if (err == FLUE_OK)
        err = address_take(fd, s);
    if (err == FLUE_OK)
        err = options_set(fd, s);
    if (err == FLUE_OK)
        err = queue_fill(fd, QUEUE_RECV, s->unread, s->unread_bytes);
    if (err == FLUE_OK)
        err = queue_fill(fd, QUEUE_SEND, s->unacked, sent);
    if (err == FLUE_OK && fin)
        err = fin_put(fd);
    if (err == FLUE_OK && s->window_clamp > 0)
        err = set_int(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, s->window_clamp, "TCP_WINDOW_CLAMP");
    if (err == FLUE_OK)
        err = windows_set(fd, s);
    if (err == FLUE_OK)
        err = queue_select(fd, QUEUE_NONE);
    if (err == FLUE_OK)
        err = set_int(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_SILENTLY, "TCP_REPAIR off");
    if (err == FLUE_OK)
        err = reuse_restore(fd, s);
    if (err == FLUE_OK)
        *unsent = s->unacked_bytes - sent;
    return err;
}

void flue_tcp_state_clear(struct flue_tcp_state *state)
{
    free(state->unread);
    free(state->unacked);
    state->unread = state->unacked = NULL;
    state->unread_bytes = state->unacked_bytes = 0;
}
