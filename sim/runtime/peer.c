/* The far end of the wire in another process (flue/sim_peer.h, docs/peer.md). */
#include "peer.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "flue/sim_peer.h"
#include "runtime.h"

enum { PATIENCE_MS = 5000, PATIENCE_MAX_MS = 600000, FRAME_MAX = 65535, TEXT_MAX = 200, HELLO_BYTES = 8, BUFFER = 1 << 17 };

/* A frame of the process whose time has not come. */
struct later {
    struct later *next;
    uint64_t at_us;
    size_t len;
    uint8_t data[];
};

struct flue_sim_peer {
    struct flue_sim *sim;
    int listening, fd; /* -1: none */
    struct sockaddr_un address;
    unsigned patience_ms;
    uint64_t limit_ms; /* wall clock, of this turn */
    enum flue_err broken;
    char error[320];

    uint64_t next_us;    /* when it wants its turn */
    uint64_t last_us;    /* of its last frame: they do not go back */
    size_t waiting;      /* frames in `later` */
    struct later *first; /* by time */
    struct later **end;

    uint8_t in[BUFFER];
    size_t in_at, in_end;
};

static uint64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The first failure stands. */
static enum flue_err fail(struct flue_sim_peer *p, enum flue_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum flue_err fail(struct flue_sim_peer *p, enum flue_err err, const char *format, ...)
{
    va_list args;
    if (p->broken != FLUE_OK)
        return p->broken;
    p->broken = err;
    int n = snprintf(p->error, sizeof p->error, "%" PRIu64 " us, peer: ", flue_sim_time_us(p->sim));
    va_start(args, format);
    vsnprintf(p->error + n, sizeof p->error - (size_t)n, format, args);
    va_end(args);
    flue_sim_error("%s", p->error);
    return err;
}

/* ---- bytes -----------------------------------------------------------------------------------------------------------------
 */

/* Wait until the descriptor is ready, within the turn. */
static enum flue_err ready(struct flue_sim_peer *p, int fd, short events, const char *what)
{
    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = events};
        uint64_t now = wall_ms();
        int got = now >= p->limit_ms ? 0 : poll(&poll_fd, 1, (int)(p->limit_ms - now));
        if (got > 0)
            return FLUE_OK;
        if (got == 0)
            return fail(p, FLUE_ETIMEOUT, "%s within %u ms", what, p->patience_ms);
        if (errno != EINTR)
            return fail(p, FLUE_EIO, "poll: %s", strerror(errno));
    }
}

static enum flue_err put(struct flue_sim_peer *p, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        ssize_t n = send(p->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            enum flue_err err = ready(p, p->fd, POLLOUT, "it did not read what it was told");
            if (err != FLUE_OK)
                return err;
        } else if (n == 0 || errno != EINTR) {
            return fail(p, FLUE_EPEER, "it hung up");
        }
    }
    return FLUE_OK;
}

static enum flue_err put_message(struct flue_sim_peer *p, uint32_t type, uint64_t time_us, const void *data, size_t len)
{
    struct flue_sim_peer_head head = {htole32(type), htole32((uint32_t)len), htole64(time_us)};
    enum flue_err err = put(p, &head, sizeof head);
    return err == FLUE_OK && len > 0 ? put(p, data, len) : err;
}

/* Have `len` bytes in the buffer, len <= FRAME_MAX. */
static enum flue_err want(struct flue_sim_peer *p, size_t len)
{
    while (p->in_end - p->in_at < len) {
        if (p->in_at > 0 && p->in_end == BUFFER) {
            memmove(p->in, p->in + p->in_at, p->in_end - p->in_at);
            p->in_end -= p->in_at;
            p->in_at = 0;
        }
        ssize_t n = recv(p->fd, p->in + p->in_end, BUFFER - p->in_end, MSG_DONTWAIT);
        if (n > 0) {
            p->in_end += (size_t)n;
        } else if (n == 0) {
            return fail(p, FLUE_EPEER, "it hung up%s", p->in_end > p->in_at ? " within a message" : "");
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            enum flue_err err = ready(p, p->fd, POLLIN, "it did not end its turn");
            if (err != FLUE_OK)
                return err;
        } else if (errno != EINTR) {
            return fail(p, FLUE_EPEER, "it hung up: %s", strerror(errno));
        }
    }
    return FLUE_OK;
}

/* The next message, its bytes in *data until the next call. */
static enum flue_err take(struct flue_sim_peer *p, struct flue_sim_peer_head *head, const uint8_t **data)
{
    enum flue_err err = want(p, sizeof *head);
    if (err != FLUE_OK)
        return err;
    memcpy(head, p->in + p->in_at, sizeof *head);
    head->type = le32toh(head->type);
    head->bytes = le32toh(head->bytes);
    head->time_us = le64toh(head->time_us);
    uint32_t least = head->type == FLUE_SIM_PEER_FRAME ? 1 : head->type == FLUE_SIM_PEER_HELLO ? HELLO_BYTES : 0;
    uint32_t most = head->type == FLUE_SIM_PEER_FRAME   ? FRAME_MAX
                    : head->type == FLUE_SIM_PEER_HELLO ? HELLO_BYTES
                    : head->type == FLUE_SIM_PEER_END   ? TEXT_MAX
                                                        : 0;
    if (head->type < FLUE_SIM_PEER_HELLO || head->type > FLUE_SIM_PEER_END || head->type == FLUE_SIM_PEER_ADVANCE)
        return fail(p, FLUE_EPEER, "a message of type %u, which it must not send", head->type);
    if (head->bytes < least || head->bytes > most)
        return fail(p, FLUE_EPEER, "a message of type %u with %u bytes, %u to %u are allowed", head->type, head->bytes, least,
                    most);
    p->in_at += sizeof *head;
    err = want(p, head->bytes);
    *data = p->in + p->in_at;
    p->in_at += err == FLUE_OK ? head->bytes : 0;
    return err;
}

/* ---- a turn ----------------------------------------------------------------------------------------------------------------
 */

static enum flue_err keep(struct flue_sim_peer *p, uint64_t at_us, const uint8_t *data, size_t len)
{
    if (at_us < p->last_us)
        return fail(p, FLUE_EPEER, "a frame at %" PRIu64 " us, after one at %" PRIu64 ": time goes backwards", at_us,
                    p->last_us);
    if (p->waiting == FLUE_SIM_WIRE_ROOM)
        return fail(p, FLUE_EPEER, "more than %u frames that wait for their time", FLUE_SIM_WIRE_ROOM);
    struct later *f = malloc(sizeof *f + len);
    if (f == NULL)
        return fail(p, FLUE_ENOMEM, "no memory for a frame");
    f->next = NULL;
    f->at_us = p->last_us = at_us;
    f->len = len;
    memcpy(f->data, data, len);
    *p->end = f;
    p->end = &f->next;
    p->waiting++;
    return FLUE_OK;
}

/* It is told the time, perhaps with a frame, and says everything until its NEXT. */
static enum flue_err turn(struct flue_sim_peer *p, uint32_t type, uint64_t time_us, const void *frame, size_t len)
{
    p->limit_ms = wall_ms() + p->patience_ms;
    p->last_us = p->last_us > time_us ? p->last_us : time_us;
    enum flue_err err = put_message(p, type, time_us, frame, len);
    while (err == FLUE_OK) {
        struct flue_sim_peer_head head;
        const uint8_t *data;
        err = take(p, &head, &data);
        if (err != FLUE_OK)
            return err;
        switch (head.type) {
        case FLUE_SIM_PEER_FRAME:
            err = keep(p, head.time_us, data, head.bytes);
            break;
        case FLUE_SIM_PEER_NEXT:
            if (head.time_us <= time_us)
                return fail(p, FLUE_EPEER, "it wants its next turn at %" PRIu64 " us, which is over", head.time_us);
            p->next_us = head.time_us;
            return FLUE_OK;
        case FLUE_SIM_PEER_END:
            return fail(p, FLUE_EPEER, "it ended: %.*s", (int)head.bytes, (const char *)data);
        default:
            return fail(p, FLUE_EPEER, "a second HELLO");
        }
    }
    return err;
}

/* Frames that have reached the far end, then the time if it waits for that. */
static enum flue_err tell(struct flue_sim_peer *p)
{
    struct flue_sim *s = p->sim;
    for (struct flue_arrived *a; (a = s->arrived) != NULL; free(a)) {
        enum flue_err err = turn(p, FLUE_SIM_PEER_FRAME, a->time_us, a->data, a->len);
        if (err != FLUE_OK)
            return err;
        s->arrived = a->next;
    }
    s->arrived_end = &s->arrived;
    return p->next_us <= s->time_us ? turn(p, FLUE_SIM_PEER_ADVANCE, s->time_us, NULL, 0) : FLUE_OK;
}

/* Frames whose time has come go onto the wire. */
static enum flue_err let_go(struct flue_sim_peer *p, uint64_t now_us)
{
    while (p->first != NULL && p->first->at_us <= now_us) {
        struct later *f = p->first;
        enum flue_err err = flue_sim_wire_send(p->sim, f->data, f->len);
        if (err == FLUE_EAGAIN)
            return fail(p, FLUE_EPEER, "more than %u frames on the wire", FLUE_SIM_WIRE_ROOM);
        if (err != FLUE_OK)
            return fail(p, err, "a frame does not go onto the wire: %s", flue_err_name(err));
        p->first = f->next;
        p->end = p->first == NULL ? &p->first : p->end;
        p->waiting--;
        free(f);
    }
    return FLUE_OK;
}

enum flue_err flue_peer_advance(struct flue_sim *s, uint64_t duration_us, unsigned until, enum flue_sim_why *why)
{
    struct flue_sim_peer *p = s->peer;
    uint64_t end_us = s->time_us + duration_us;
    bool frames = false;
    *why = FLUE_SIM_LIMIT;
    if (p->fd < 0)
        return p->broken != FLUE_OK ? p->broken : FLUE_ESTATE;
    for (;;) {
        enum flue_err err = p->broken != FLUE_OK ? p->broken : tell(p);
        uint64_t now = s->time_us;
        if (err == FLUE_OK)
            err = let_go(p, now);
        if (err != FLUE_OK)
            return err;
        if (frames && (until & FLUE_SIM_UNTIL_FRAME)) {
            *why = FLUE_SIM_FRAME;
            return FLUE_OK;
        }
        uint64_t next = p->next_us < end_us ? p->next_us : end_us;
        if (p->first != NULL && p->first->at_us < next)
            next = p->first->at_us;
        err = flue_advance_alone(s, next - now, until | FLUE_SIM_UNTIL_FRAME, why);
        frames = *why == FLUE_SIM_FRAME;
        if (err != FLUE_OK || *why == FLUE_SIM_IRQ || (*why == FLUE_SIM_LIMIT && s->time_us >= end_us && s->arrived == NULL))
            return err;
    }
}

/* ---- life ------------------------------------------------------------------------------------------------------------------
 */

static enum flue_err peer_new(struct flue_sim *sim, unsigned patience_ms, struct flue_sim_peer **peer)
{
    *peer = NULL;
    if (sim == NULL || patience_ms > PATIENCE_MAX_MS || sim->cfg.mode != FLUE_SIM_VIRTUAL || sim->cfg.on_frame != NULL)
        return FLUE_EARG;
    if (sim->peer != NULL)
        return FLUE_ESTATE;
    struct flue_sim_peer *p = calloc(1, sizeof *p);
    if (p == NULL)
        return FLUE_ENOMEM;
    p->sim = sim;
    p->listening = p->fd = -1;
    p->patience_ms = patience_ms != 0 ? patience_ms : PATIENCE_MS;
    p->end = &p->first;
    *peer = p;
    return FLUE_OK;
}

static enum flue_err greet(struct flue_sim_peer *p)
{
    uint32_t words[2] = {htole32(FLUE_SIM_PEER_MAGIC), htole32(FLUE_SIM_PEER_VERSION)}, theirs[2];
    struct flue_sim_peer_head head;
    const uint8_t *data;
    p->limit_ms = wall_ms() + p->patience_ms;
    enum flue_err err = put_message(p, FLUE_SIM_PEER_HELLO, flue_sim_time_us(p->sim), words, sizeof words);
    if (err == FLUE_OK)
        err = take(p, &head, &data);
    if (err != FLUE_OK)
        return err;
    if (head.type != FLUE_SIM_PEER_HELLO)
        return fail(p, FLUE_EPEER, "a message of type %u before HELLO", head.type);
    memcpy(theirs, data, sizeof theirs);
    if (le32toh(theirs[0]) != FLUE_SIM_PEER_MAGIC || le32toh(theirs[1]) != FLUE_SIM_PEER_VERSION)
        return fail(p, FLUE_EPEER, "magic 0x%08x, version %u; this is 0x%08x, version %u", le32toh(theirs[0]),
                    le32toh(theirs[1]), FLUE_SIM_PEER_MAGIC, FLUE_SIM_PEER_VERSION);
    return FLUE_OK;
}

enum flue_err flue_sim_peer_listen(struct flue_sim *sim, const char *path, unsigned patience_ms, struct flue_sim_peer **peer)
{
    struct flue_sim_peer *p;
    if (path == NULL || strlen(path) >= sizeof p->address.sun_path)
        return FLUE_EARG;
    enum flue_err err = peer_new(sim, patience_ms, &p);
    *peer = p;
    if (err != FLUE_OK)
        return err;
    p->address.sun_family = AF_UNIX;
    strcpy(p->address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&p->address, sizeof p->address) != 0) {
        p->address.sun_path[0] = 0; /* not ours */
        err = FLUE_EIO;
    } else if (listen(fd, 1) != 0) {
        err = FLUE_EIO;
    }
    p->listening = fd;
    sim->peer = p;
    if (err != FLUE_OK) {
        int why = errno;
        flue_sim_error("%s: %s", path, strerror(why));
        flue_sim_peer_close(p);
        *peer = NULL;
        errno = why;
    }
    return err;
}

enum flue_err flue_sim_peer_accept(struct flue_sim_peer *p)
{
    if (p->fd >= 0)
        return FLUE_ESTATE;
    p->limit_ms = wall_ms() + p->patience_ms;
    enum flue_err err = ready(p, p->listening, POLLIN, "no process connected");
    if (err != FLUE_OK)
        return err;
    p->fd = accept(p->listening, NULL, NULL);
    if (p->fd < 0 || fcntl(p->fd, F_SETFD, FD_CLOEXEC) != 0)
        return fail(p, FLUE_EIO, "accept: %s", strerror(errno));
    close(p->listening);
    p->listening = -1;
    unlink(p->address.sun_path);
    p->address.sun_path[0] = 0;
    return greet(p);
}

enum flue_err flue_sim_peer_attach(struct flue_sim *sim, int fd, unsigned patience_ms, struct flue_sim_peer **peer)
{
    enum flue_err err = fd < 0 ? FLUE_EARG : peer_new(sim, patience_ms, peer);
    if (err != FLUE_OK) {
        *peer = NULL;
        if (fd >= 0)
            close(fd);
        return err;
    }
    (*peer)->fd = fd;
    sim->peer = *peer;
    err = greet(*peer);
    if (err != FLUE_OK) { /* flue_sim_open_error() has the sentence */
        flue_sim_peer_close(*peer);
        *peer = NULL;
    }
    return err;
}

const char *flue_sim_peer_error(const struct flue_sim_peer *p)
{
    return p->error;
}

void flue_sim_peer_close(struct flue_sim_peer *p)
{
    if (p == NULL)
        return;
    if (p->fd >= 0) {
        p->limit_ms = 0; /* it reads END or it does not */
        (void)!put_message(p, FLUE_SIM_PEER_END, flue_sim_time_us(p->sim), p->error, strnlen(p->error, TEXT_MAX));
        close(p->fd);
    }
    if (p->listening >= 0)
        close(p->listening);
    if (p->address.sun_path[0] != 0)
        unlink(p->address.sun_path);
    while (p->first != NULL) {
        struct later *f = p->first;
        p->first = f->next;
        free(f);
    }
    p->sim->peer = NULL;
    free(p);
}
