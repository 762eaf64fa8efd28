/* Bytes of an adopted connection: between the program's local socket and the kernel or the adapter. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "relay_internal.h"

#define ROUNDS_MAX 4u /* of a connection in one turn */

/* ---- buffers ------------------------------------------------------------------------------------------------------- */

static size_t left(const struct buffer *b)
{
    return b->len - b->at;
}

/* Room for at least one more byte at the end. */
static bool room(struct buffer *b)
{
    if (b->at == b->len)
        b->at = b->len = 0;
    if (b->data == NULL) {
        b->data = malloc(CHUNK_BYTES);
        b->cap = b->data != NULL ? CHUNK_BYTES : 0;
    }
    return b->len < b->cap;
}

bool relay_insert(struct buffer *b, const uint8_t *data, size_t len, bool front)
{
    size_t have = left(b), cap = have + len > CHUNK_BYTES ? have + len : CHUNK_BYTES;
    if (len == 0)
        return true;
    uint8_t *all = malloc(cap);
    if (all == NULL)
        return false;
    if (front)
        memcpy(all, data, len);
    if (have > 0)
        memcpy(all + (front ? len : 0), b->data + b->at, have);
    if (!front)
        memcpy(all + have, data, len);
    free(b->data);
    *b = (struct buffer){.data = all, .len = have + len, .cap = cap};
    return true;
}

/* ---- copying ------------------------------------------------------------------------------------------------------- */

/* The program closed its socket with bytes in it, or before bytes that came later: nobody will read them (TCP-207). */
static void desert(struct relay *r)
{
    r->deserted = true;
    relay_break(r);
}

static bool local_read(struct relay *r)
{
    if (r->local_over || !room(&r->out))
        return false;
    ssize_t n = recv(r->local_fd, r->out.data + r->out.len, r->out.cap - r->out.len, MSG_DONTWAIT);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            desert(r);
        return false;
    }
    r->local_over = n == 0;
    r->out.len += (size_t)n;
    r->view.sent += (uint64_t)n;
    return true;
}

static bool local_write(struct relay *r)
{
    if (left(&r->in) == 0) {
        if (!r->net_over || r->in_told)
            return false;
        r->in_told = true;
        (void)shutdown(r->local_fd, SHUT_WR);
        return true;
    }
    ssize_t n = send(r->local_fd, r->in.data + r->in.at, left(&r->in), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            desert(r);
        return false;
    }
    r->in.at += (size_t)n;
    r->view.received += (uint64_t)n;
    return n > 0;
}

static bool kernel_write(struct relay *r)
{
    if (left(&r->out) == 0) {
        if (!r->local_over || r->out_told)
            return false;
        r->out_told = true;
        (void)shutdown(r->tcp_fd, SHUT_WR);
        return true;
    }
    ssize_t n = send(r->tcp_fd, r->out.data + r->out.at, left(&r->out), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            relay_break(r);
        return false;
    }
    r->out.at += (size_t)n;
    return n > 0;
}

static bool kernel_read(struct relay *r)
{
    if (r->net_over || !room(&r->in))
        return false;
    ssize_t n = recv(r->tcp_fd, r->in.data + r->in.len, r->in.cap - r->in.len, MSG_DONTWAIT);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            relay_break(r);
        return false;
    }
    r->net_over = n == 0;
    r->in.len += (size_t)n;
    return true;
}

static bool adapter_write(struct relay *r)
{
    size_t n = 0;
    if (left(&r->out) == 0) {
        if (!r->local_over || r->out_told)
            return false;
        r->out_told = true;
        if (flue_conn_shutdown(r->conn) != FLUE_OK)
            relay_break(r);
        return true;
    }
    enum flue_err err = flue_conn_send(r->conn, r->out.data + r->out.at, left(&r->out), &n);
    if (err != FLUE_OK && err != FLUE_EAGAIN)
        relay_break(r);
    r->out.at += n;
    return n > 0;
}

static bool adapter_read(struct relay *r)
{
    size_t n = 0;
    if (r->net_over || !room(&r->in))
        return false;
    enum flue_err err = flue_conn_recv(r->conn, r->in.data + r->in.len, r->in.cap - r->in.len, &n);
    if (err == FLUE_EAGAIN)
        return false;
    if (err != FLUE_OK) {
        relay_break(r);
        return false;
    }
    r->net_over = n == 0;
    r->in.len += n;
    return true;
}

bool relay_copy(struct relay *r)
{
    bool any = false, some = true;
    for (unsigned i = 0; some && i < ROUNDS_MAX && !r->broken; i++) {
        some = local_read(r);
        some |= r->conn != NULL ? adapter_write(r) : kernel_write(r);
        some |= !r->broken && (r->conn != NULL ? adapter_read(r) : kernel_read(r));
        some |= local_write(r);
        any |= some;
    }
    if (r->conn != NULL && !r->broken && flue_conn_kick(r->conn, left(&r->out) > 0, !r->net_over) != FLUE_OK)
        relay_break(r);
    return any;
}
