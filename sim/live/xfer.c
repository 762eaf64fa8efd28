/*
 * xfer: move a known stream of bytes over TCP in one direction, then in the other, and compare every byte.
 *
 *   xfer listen  ADDRESS PORT MEGABYTES     waits for one connection; receives, then sends
 *   xfer connect ADDRESS PORT MEGABYTES     sends, then receives
 *
 * Progress goes to stderr, one JSON object with the result to stdout.  Exit status: 0 every byte was right, 1 the content
 * differs, 2 wrong usage, 3 the connection failed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "stream.h"

#define BLOCK_BYTES          (128u * 1024u)
#define MEGABYTE             (1024u * 1024u)
#define RECEIVE_BUFFER_BYTES (512 * 1024) /* bounds what is under way, so that no queue overflows */
#define STALL_S              20           /* no byte for so long is a failure */

static bool terminal;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void progress(const char *way, uint64_t done, uint64_t all, double started)
{
    static double last;
    double now = now_s();

    if (now - last < (terminal ? 0.25 : 5.0) && done < all)
        return;
    last = now;
    fprintf(stderr, "%s%-4s %5.1f of %.0f MB, %5.1f Mb/s%s", terminal ? "\r" : "", way, (double)done / MEGABYTE,
            (double)all / MEGABYTE, (double)done * 8e-6 / (now - started), terminal && done < all ? "" : "\n");
}

static bool stream_send(int fd, struct stream *s, uint64_t bytes, const char *way)
{
    static uint8_t block[BLOCK_BYTES];
    double started = now_s();

    for (; s->at < bytes; s->at += BLOCK_BYTES) {
        block_make(s, block, BLOCK_BYTES);
        for (size_t sent = 0; sent < BLOCK_BYTES;) {
            ssize_t n = send(fd, block + sent, BLOCK_BYTES - sent, MSG_NOSIGNAL);
            if (n <= 0)
                return false;
            sent += (size_t)n;
        }
        if (way != NULL)
            progress(way, s->at + BLOCK_BYTES, bytes, started);
    }
    s->seconds = now_s() - started;
    return true;
}

/*
 * Wait until want bytes are here, or no more come for a moment.  A reader of large pieces opens the window by large pieces, so
 * that the sender has much to send at once; one that takes every segment makes it send two by two.
 */
static void gather(int fd, size_t want)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    int before = -1, here = 0;

    while (ioctl(fd, FIONREAD, &here) == 0 && here != before && (size_t)here < want) {
        before = here;
        nanosleep(&moment, NULL);
    }
}

/* 0 all bytes were right, 1 one differs (and is named), 3 the stream ended early. */
static int stream_receive(int fd, struct stream *s, uint64_t bytes, const char *way)
{
    static uint8_t block[BLOCK_BYTES], expected[BLOCK_BYTES];
    double started = now_s();

    for (; s->at < bytes; s->at += BLOCK_BYTES) {
        size_t got = 0;
        block_make(s, expected, BLOCK_BYTES);
        while (got < BLOCK_BYTES) {
            if (way == NULL)
                gather(fd, BLOCK_BYTES - got);
            ssize_t n = recv(fd, block + got, BLOCK_BYTES - got, 0);
            if (n <= 0) {
                if (n == 0)
                    errno = ECONNRESET;
                return 3;
            }
            /* Compared as they come: a stream that is wrong and then stalls is still known to be wrong. */
            if (memcmp(block + got, expected + got, (size_t)n) != 0) {
                size_t i = got;
                while (block[i] == expected[i])
                    i++;
                fprintf(stderr, "\n%s: content differs at byte %llu: 0x%02X, expected 0x%02X\n", way != NULL ? way : "xfer",
                        (unsigned long long)(s->at + i), block[i], expected[i]);
                s->at += i;
                return 1;
            }
            got += (size_t)n;
        }
        if (way != NULL)
            progress(way, s->at + BLOCK_BYTES, bytes, started);
    }
    s->seconds = now_s() - started;
    return 0;
}

static int open_socket(bool listening, const char *address, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *found;
    int one = 1, buffer = RECEIVE_BUFFER_BYTES, fd = -1;
    struct timeval stall = {.tv_sec = STALL_S};

    int failed = getaddrinfo(address, port, &hints, &found);
    if (failed != 0) {
        fprintf(stderr, "xfer: %s %s: %s\n", address, port, gai_strerror(failed));
        return -1;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof stall);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof stall);
    (void)!setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5); /* the default may pace in tiny super-segments */
    if (!listening) {
        if (connect(fd, found->ai_addr, found->ai_addrlen) != 0)
            goto failed;
    } else {
        if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1) != 0)
            goto failed;
        int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (accepted < 0)
            goto failed;
        close(fd);
        fd = accepted;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof stall);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof stall);
    }
    freeaddrinfo(found);
    return fd;
failed:
    fprintf(stderr, "xfer: %s %s: %s\n", address, port, strerror(errno));
    close(fd);
    freeaddrinfo(found);
    return -1;
}

static void result(int fd, int status, const struct stream *sent, const struct stream *received)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
    printf("{\"equal\": %s, \"sent_bytes\": %llu, \"received_bytes\": %llu, \"sent_hash\": \"%016llx\", \"received_hash\": "
           "\"%016llx\", \"send_s\": %.3f, \"receive_s\": %.3f, \"retransmissions\": %u}\n",
           status == 0 ? "true" : "false", (unsigned long long)sent->at, (unsigned long long)received->at,
           (unsigned long long)sent->hash, (unsigned long long)received->hash, sent->seconds, received->seconds,
           info.tcpi_total_retrans);
}

int main(int argc, char **argv)
{
    struct stream up = {.seed = SEED_UP, .hash = FNV_OFFSET}, down = {.seed = SEED_DOWN, .hash = FNV_OFFSET};
    int status = 0;
    char done = 1;

    bool listening = argc == 5 && strcmp(argv[1], "listen") == 0;
    unsigned long megabytes = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    if ((!listening && (argc != 5 || strcmp(argv[1], "connect") != 0)) || megabytes == 0 || megabytes > 4096) {
        fputs("usage: xfer listen|connect ADDRESS PORT MEGABYTES\n", stderr);
        return 2;
    }
    terminal = isatty(STDERR_FILENO);
    uint64_t bytes = (uint64_t)megabytes * MEGABYTE;
    int fd = open_socket(listening, argv[2], argv[3]);
    if (fd < 0)
        return 3;
    if (listening) {
        status = stream_receive(fd, &up, bytes, NULL);
        if (status == 0) /* tell that the last byte is here, so that the sender's time is the stream's */
            status = send(fd, &done, 1, MSG_NOSIGNAL) == 1 && stream_send(fd, &down, bytes, NULL) ? 0 : 3;
    } else {
        double started = now_s();
        status = stream_send(fd, &up, bytes, "up") && recv(fd, &done, 1, MSG_WAITALL) == 1 ? 0 : 3;
        up.seconds = now_s() - started;
        if (status == 0)
            status = stream_receive(fd, &down, bytes, "down");
    }
    if (status == 3)
        fprintf(stderr, "\nxfer %s: %s after %llu bytes up, %llu down\n", argv[1], strerror(errno), (unsigned long long)up.at,
                (unsigned long long)down.at);
    result(fd, status, listening ? &down : &up, listening ? &up : &down);
    close(fd);
    return status;
}
