/*
 * duplex: move known streams of bytes over one TCP connection in both directions at once, and compare every byte.
 *
 *   duplex listen  ADDRESS PORT MEGABYTES                     waits for one connection
 *   duplex connect ADDRESS PORT MEGABYTES [--adopt SOCKET]    hands the connected socket to flued at SOCKET and goes on
 *                                                             with the local socket it gets in exchange
 *
 * Prints one JSON object when it is connected ("id" of flued) and one with the result.  The connection is closed when both
 * directions are through.  Exit status: 0 every byte was right, 1 the content differs, 2 wrong usage, 3 the connection failed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "stream.h"

#define BLOCK_BYTES  65536u
#define MEGABYTE     (1024u * 1024u)
#define BUFFER_BYTES (300 * 1024) /* of a socket, each way: windows and queues stay below the rings of the adapter */
#define STALL_MS     40000        /* no byte for so long is a failure */
#define FINISH_MS    (15 * 60000) /* the peer ends when it has received what is still on its way: it has the limit above */

struct way {
    struct stream stream;
    uint8_t block[BLOCK_BYTES];
    size_t have, used; /* of the block */
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Send what goes; false when the connection failed. */
static bool push(int fd, struct way *w, uint64_t bytes)
{
    while (w->stream.at < bytes || w->used < w->have) {
        if (w->used == w->have) {
            block_make(&w->stream, w->block, BLOCK_BYTES);
            w->stream.at += BLOCK_BYTES;
            w->have = BLOCK_BYTES;
            w->used = 0;
        }
        ssize_t n = send(fd, w->block + w->used, w->have - w->used, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        w->used += (size_t)n;
    }
    return true;
}

/* Receive what is there; false when it failed or is not what it should be (*wrong). */
static bool pull(int fd, struct way *w, uint64_t bytes, bool *wrong)
{
    uint8_t data[BLOCK_BYTES];
    while (w->stream.at + w->used < bytes || w->used < w->have) {
        size_t want = BLOCK_BYTES - w->used;
        ssize_t n = recv(fd, data, want, MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n == 0)
            return false;
        if (w->have == 0) {
            block_make(&w->stream, w->block, BLOCK_BYTES);
            w->have = BLOCK_BYTES;
        }
        if (memcmp(data, w->block + w->used, (size_t)n) != 0) {
            for (size_t i = 0; i < (size_t)n; i++)
                if (data[i] != w->block[w->used + i]) {
                    fprintf(stderr, "duplex: byte %" PRIu64 " is 0x%02x, not 0x%02x\n", w->stream.at + w->used + i, data[i],
                            w->block[w->used + i]);
                    break;
                }
            *wrong = true;
            return false;
        }
        w->used += (size_t)n;
        if (w->used == BLOCK_BYTES) {
            w->stream.at += BLOCK_BYTES;
            w->have = w->used = 0;
        }
    }
    return true;
}

static int exchange(int fd, struct way *out, struct way *in, uint64_t bytes)
{
    bool wrong = false;
    double started = now_s();
    while (out->stream.at < bytes || out->used < out->have || in->stream.at < bytes) {
        bool sending = out->stream.at < bytes || out->used < out->have;
        struct pollfd p = {.fd = fd, .events = (short)(POLLIN | (sending ? POLLOUT : 0))};
        if (poll(&p, 1, STALL_MS) <= 0) {
            fprintf(stderr, "duplex: no byte for %d s\n", STALL_MS / 1000);
            return 3;
        }
        if (!push(fd, out, bytes) || !pull(fd, in, bytes, &wrong))
            return wrong ? 1 : 3;
    }
    out->stream.seconds = now_s() - started;
    return 0;
}

/* Both sides are through: the end of the peer's stream must come, nothing else. */
static int finish(int fd)
{
    uint8_t byte;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (shutdown(fd, SHUT_WR) != 0 || poll(&p, 1, FINISH_MS) <= 0)
        return 3;
    return recv(fd, &byte, 1, 0) == 0 ? 0 : 3;
}

/* Give the connection to flued; returns the local socket, prints the id. */
static int adopt(int tcp, const char *path)
{
    static const char request[] = "{\"verb\":\"adopt\"}\n";
    char answer[512];
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec iov = {(void *)(uintptr_t)request, sizeof request - 1};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int local = -1, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &tcp, sizeof tcp);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 || sendmsg(fd, &msg, 0) < 0)
        return -1;
    iov = (struct iovec){answer, sizeof answer - 1};
    ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
    if (c != NULL && c->cmsg_type == SCM_RIGHTS)
        memcpy(&local, CMSG_DATA(c), sizeof local);
    answer[n > 0 ? n : 0] = '\0';
    printf("%s", answer);
    fflush(stdout);
    close(fd);
    close(tcp);
    return local;
}

static int connection(bool listens, const char *address, const char *port)
{
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = a6.sin6_port};
    bool v4 = inet_pton(AF_INET, address, &a4.sin_addr) == 1;
    const struct sockaddr *a = v4 ? (struct sockaddr *)&a4 : (struct sockaddr *)&a6;
    socklen_t len = v4 ? sizeof a4 : sizeof a6;
    int on = 1, buffer = BUFFER_BYTES;

    if (!v4 && inet_pton(AF_INET6, address, &a6.sin6_addr) != 1)
        return -1;
    int fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    if (!listens)
        return connect(fd, a, len) == 0 ? fd : -1;
    if (bind(fd, a, len) != 0 || listen(fd, 1) != 0)
        return -1;
    int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    close(fd);
    return accepted;
}

int main(int argc, char **argv)
{
    static struct way out, in;
    bool listens = argc > 1 && strcmp(argv[1], "listen") == 0;
    if ((argc != 5 && !(argc == 7 && strcmp(argv[5], "--adopt") == 0)) || (!listens && strcmp(argv[1], "connect") != 0) ||
        atoi(argv[4]) <= 0) {
        fprintf(stderr, "usage: duplex listen|connect ADDRESS PORT MEGABYTES [--adopt SOCKET]\n");
        return 2;
    }
    uint64_t bytes = (uint64_t)atoi(argv[4]) * MEGABYTE;
    uint64_t port = (uint64_t)atoi(argv[3]); /* every connection has streams of its own */
    out.stream = (struct stream){.seed = (listens ? SEED_DOWN : SEED_UP) + port, .hash = FNV_OFFSET};
    in.stream = (struct stream){.seed = (listens ? SEED_UP : SEED_DOWN) + port, .hash = FNV_OFFSET};
    int fd = connection(listens, argv[2], argv[3]);
    if (fd >= 0 && argc == 7)
        fd = adopt(fd, argv[6]);
    if (fd < 0) {
        fprintf(stderr, "duplex: %s port %s: %s\n", argv[2], argv[3], strerror(errno));
        return 3;
    }
    int status = exchange(fd, &out, &in, bytes);
    if (status == 0)
        status = finish(fd);
    if (status == 3)
        fprintf(stderr, "duplex: the connection failed: %s\n", strerror(errno));
    printf("{\"sent_bytes\": %" PRIu64 ", \"received_bytes\": %" PRIu64 ", \"sent_hash\": \"%016" PRIx64
           "\", \"received_hash\": \"%016" PRIx64 "\", \"seconds\": %.3f, \"status\": %d}\n",
           out.stream.at, in.stream.at, out.stream.hash, in.stream.hash, out.stream.seconds, status);
    return status;
}
