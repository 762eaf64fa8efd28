/*
 * Sockets of the real kernel out of and into repair mode, over the loopback interface of an own network namespace.  Nothing is
 * in flight while a socket is moved: what keeps frames away belongs to the adapter and is tested with it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "check.h"
#include "flue/socket.h"

#define SETTLE_MS 30
#define WAIT_MS   2000

static bool file_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n == (ssize_t)strlen(text);
}

/* Into a namespace of our own with its loopback up; once. */
static void namespace_enter(void)
{
    static bool inside;
    char map[32];
    unsigned uid = geteuid();
    if (inside)
        return;
    if (uid == 0 ? unshare(CLONE_NEWNET) != 0 : unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        check_skip("an own network namespace is refused here");
    if (uid != 0) {
        snprintf(map, sizeof map, "0 %u 1", uid);
        CHECK(file_write("/proc/self/uid_map", map));
    }
    struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(s >= 0 && ioctl(s, SIOCSIFFLAGS, &ifr) == 0);
    close(s);
    inside = true;
}

struct pair {
    int here, there; /* here is moved */
};

static struct pair pair_open(int family, bool accepted, int there_rcvbuf)
{
    struct sockaddr_storage a = {.ss_family = (sa_family_t)family};
    socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(listener >= 0 && client >= 0);
    if (family == AF_INET)
        ((struct sockaddr_in *)&a)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)&a)->sin6_addr = in6addr_loopback;
    if (there_rcvbuf > 0)
        CHECK(setsockopt(accepted ? client : listener, SOL_SOCKET, SO_RCVBUF, &there_rcvbuf, sizeof there_rcvbuf) == 0);
    CHECK(bind(listener, (struct sockaddr *)&a, len) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&a, &len) == 0);
    CHECK(connect(client, (struct sockaddr *)&a, len) == 0);
    int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(server >= 0);
    close(listener);
    return accepted ? (struct pair){server, client} : (struct pair){client, server};
}

static void pair_close(struct pair *p)
{
    close(p->here);
    close(p->there);
}

/* Byte of a stream: another sequence for each seed. */
static uint8_t stream_byte(size_t i, unsigned seed)
{
    return (uint8_t)((i * 2654435761u + seed * 97u) >> 11);
}

static void fill(uint8_t *data, size_t bytes, size_t from, unsigned seed)
{
    for (size_t i = 0; i < bytes; i++)
        data[i] = stream_byte(from + i, seed);
}

/* Send what goes in without waiting, up to `bytes`. */
static size_t push(int fd, size_t bytes, size_t from, unsigned seed)
{
    uint8_t data[4096];
    size_t done = 0;
    while (done < bytes) {
        size_t n = bytes - done < sizeof data ? bytes - done : sizeof data;
        fill(data, n, from + done, seed);
        ssize_t sent = send(fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            CHECK(errno == EAGAIN);
            break;
        }
        done += (size_t)sent;
    }
    return done;
}

/* Read exactly `bytes` and compare them. */
static void pull(int fd, size_t bytes, size_t from, unsigned seed)
{
    uint8_t data[4096];
    size_t done = 0;
    while (done < bytes) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        CHECK(poll(&p, 1, WAIT_MS) == 1);
        ssize_t n = recv(fd, data, bytes - done < sizeof data ? bytes - done : sizeof data, MSG_DONTWAIT);
        CHECK(n > 0);
        for (ssize_t i = 0; i < n; i++)
            CHECK_EQ(data[i], stream_byte(from + done + (size_t)i, seed));
        done += (size_t)n;
    }
}

/* Out of the kernel and back into it, into the same descriptor or a new one; what was not sent is sent again by the caller. */
static size_t move(struct pair *p, bool new_descriptor, struct flue_tcp_state *state)
{
    size_t unsent;
    CHECK_EQ(flue_socket_freeze(p->here, state), FLUE_OK);
    CHECK_EQ(flue_socket_snapshot(p->here, state), FLUE_OK);
    CHECK_EQ(flue_socket_silence(p->here, state), FLUE_OK);
    if (new_descriptor) {
        int family = state->local.ss_family;
        close(p->here);
        p->here = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(p->here >= 0);
    }
    enum flue_err err = flue_socket_restore(p->here, state, &unsent);
    if (err != FLUE_OK)
        check_failed(__FILE__, __LINE__, "restore: %s: %s", flue_socket_error(), strerror(errno));
    size_t sent = 0;
    while (sent < unsent) {
        ssize_t n =
            send(p->here, state->unacked + state->unacked_bytes - unsent + sent, unsent - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        CHECK(n > 0);
        sent += (size_t)n;
    }
    return unsent;
}

static void moved_with_bytes_in_both_queues(int family, bool accepted, bool new_descriptor)
{
    struct flue_tcp_state state = {0};
    size_t out = 0, in;

    namespace_enter();
    struct pair p = pair_open(family, accepted, 8192);
    in = push(p.there, 20000, 0, 1);   /* stays unread */
    out += push(p.here, 300000, 0, 2); /* more than the other side has room for */
    usleep(SETTLE_MS * 1000);
    size_t unsent = move(&p, new_descriptor, &state);
    CHECK(unsent > 0 && unsent < out);
    CHECK_EQ(state.unread_bytes, in);
    CHECK_EQ(state.snd_nxt - state.snd_una + unsent, state.unacked_bytes);
    CHECK(state.sack && state.timestamps && state.window_scale);
    flue_tcp_state_clear(&state);

    pull(p.here, in, 0, 1);
    pull(p.there, out, 0, 2);
    CHECK_EQ(push(p.there, 5000, in, 1), 5000); /* and it goes on, both ways */
    pull(p.here, 5000, in, 1);
    CHECK_EQ(push(p.here, 5000, out, 2), 5000);
    pull(p.there, 5000, out, 2);
    pair_close(&p);
}

/* HND-002 */
TEST(a_socket_goes_out_and_back_with_bytes_in_both_queues)
{
    moved_with_bytes_in_both_queues(AF_INET, false, false);
}

/* HND-002 */
TEST(an_accepted_socket_goes_into_a_new_descriptor)
{
    moved_with_bytes_in_both_queues(AF_INET, true, true);
}

/* HND-002 */
TEST(a_socket_of_ipv6_goes_out_and_back)
{
    moved_with_bytes_in_both_queues(AF_INET6, false, true);
    moved_with_bytes_in_both_queues(AF_INET6, true, false);
}

/* HND-002: any number of moves. */
TEST(the_stream_survives_many_moves)
{
    size_t at = 0;
    namespace_enter();
    struct pair p = pair_open(AF_INET, false, 0);
    for (unsigned i = 0; i < 50; i++) {
        struct flue_tcp_state state = {0};
        size_t bytes = 1 + check_random(30000);
        CHECK_EQ(push(p.here, bytes, at, 3), bytes);
        pull(p.there, bytes, at, 3);
        usleep(1000);
        CHECK_EQ(move(&p, check_random(2) != 0, &state), 0);
        flue_tcp_state_clear(&state);
        at += bytes;
    }
    pair_close(&p);
}

/* HND-009: a move that is given up leaves the connection as it was. */
TEST(a_thawed_socket_goes_on_and_keeps_its_options)
{
    struct flue_tcp_state state = {0};
    int reuse = -1;
    socklen_t len = sizeof reuse;

    namespace_enter();
    struct pair p = pair_open(AF_INET, false, 0);
    CHECK_EQ(flue_socket_freeze(p.here, &state), FLUE_OK);
    CHECK_EQ(flue_socket_snapshot(p.here, &state), FLUE_OK);
    CHECK_EQ(flue_socket_thaw(p.here, &state), FLUE_OK);
    CHECK(getsockopt(p.here, SOL_SOCKET, SO_REUSEADDR, &reuse, &len) == 0);
    CHECK_EQ(reuse, 0);
    CHECK_EQ(push(p.here, 1000, 0, 4), 1000);
    pull(p.there, 1000, 0, 4);
    flue_tcp_state_clear(&state);
    pair_close(&p);
}

/* HND-009: while the connection is elsewhere nobody gets its port, and so not its 4-tuple. */
TEST(the_port_of_a_silenced_socket_is_kept)
{
    struct flue_tcp_state state = {0};
    size_t unsent;

    namespace_enter();
    for (unsigned i = 0; i < 2; i++) {
        struct pair p = pair_open(i == 0 ? AF_INET : AF_INET6, false, 0);
        CHECK_EQ(flue_socket_freeze(p.here, &state), FLUE_OK);
        CHECK_EQ(flue_socket_snapshot(p.here, &state), FLUE_OK);
        CHECK_EQ(flue_socket_silence(p.here, &state), FLUE_OK);
        int other = socket(state.local.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t len = i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        CHECK(bind(other, (struct sockaddr *)&state.local, len) != 0);
        CHECK_EQ(errno, EADDRINUSE);
        close(other);
        CHECK_EQ(flue_socket_restore(p.here, &state, &unsent), FLUE_OK);
        flue_tcp_state_clear(&state);
        CHECK_EQ(push(p.here, 1000, 0, 5), 1000);
        pull(p.there, 1000, 0, 5);
        pair_close(&p);
    }
}

/* HND-005: our FIN goes out and back; the peer's stream goes on until its own FIN. */
TEST(a_socket_that_has_sent_its_fin_is_not_taken_for_one_that_has_not)
{
    struct flue_tcp_state state = {0};

    namespace_enter();
    struct pair p = pair_open(AF_INET, false, 0);
    CHECK_EQ(push(p.here, 1000, 0, 6), 1000);
    CHECK(shutdown(p.here, SHUT_WR) == 0);
    pull(p.there, 1000, 0, 6);
    usleep(5 * SETTLE_MS * 1000); /* the FIN's acknowledgement may be a delayed one */
    CHECK_EQ(flue_socket_freeze(p.here, &state), FLUE_OK);
    CHECK_EQ(flue_socket_snapshot(p.here, &state), FLUE_OK);
    CHECK_EQ(state.at, FLUE_TCP_FIN_WAIT2);
    CHECK_EQ(state.snd_nxt, state.snd_una);
    CHECK_EQ(state.unacked_bytes, 0);
    CHECK_EQ(flue_socket_thaw(p.here, &state), FLUE_OK);
    flue_tcp_state_clear(&state);

    CHECK_EQ(flue_socket_freeze(p.there, &state), FLUE_OK);
    CHECK_EQ(flue_socket_snapshot(p.there, &state), FLUE_OK);
    CHECK_EQ(state.at, FLUE_TCP_CLOSE_WAIT);
    CHECK_EQ(state.unread_bytes, 0);
    CHECK_EQ(flue_socket_thaw(p.there, &state), FLUE_OK);
    flue_tcp_state_clear(&state);
    CHECK_EQ(push(p.there, 500, 0, 7), 500);
    pull(p.here, 500, 0, 7);
    pair_close(&p);
}

/* TCP-179: the clock's unit, which Linux keeps in bit 0 of its value, survives any value. */
TEST(an_odd_timestamp_does_not_change_the_unit_of_the_clock)
{
    struct flue_tcp_state state = {0};
    size_t unsent;

    namespace_enter();
    struct pair p = pair_open(AF_INET, false, 0);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(flue_socket_freeze(p.here, &state), FLUE_OK);
        CHECK_EQ(flue_socket_snapshot(p.here, &state), FLUE_OK);
        CHECK_EQ(flue_socket_silence(p.here, &state), FLUE_OK);
        CHECK(!state.ts_us);
        uint32_t before = state.ts_value += 1001 + i;
        CHECK_EQ(flue_socket_restore(p.here, &state, &unsent), FLUE_OK);
        flue_tcp_state_clear(&state);
        CHECK_EQ(flue_socket_freeze(p.here, &state), FLUE_OK);
        CHECK_EQ(flue_socket_snapshot(p.here, &state), FLUE_OK);
        CHECK(!state.ts_us);
        CHECK((int32_t)(state.ts_value - before) >= 0);
        CHECK_EQ(flue_socket_thaw(p.here, &state), FLUE_OK);
        flue_tcp_state_clear(&state);
    }
    pair_close(&p);
}

/* HND-006 */
TEST(a_state_that_contradicts_itself_is_refused_whole)
{
    struct flue_tcp_state state = {0}, bad;
    size_t unsent;

    namespace_enter();
    struct pair p = pair_open(AF_INET, false, 0);
    CHECK_EQ(flue_socket_freeze(p.here, &state), FLUE_OK);
    CHECK_EQ(flue_socket_snapshot(p.here, &state), FLUE_OK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (unsigned i = 0; i < 7; i++) {
        bad = state;
        switch (i) {
        case 5:
            bad.at = 3; /* SYN_RECEIVED */
            break;
        case 6:
            bad.at = FLUE_TCP_FIN_WAIT1; /* the FIN has no sequence number */
            break;
        case 0:
            bad.snd_nxt = bad.snd_una + 1;
            break; /* sent bytes that are not there */
        case 1:
            bad.snd_wind_scale = 15;
            break;
        case 2:
            bad.rcv_wind_scale = 15;
            break;
        case 3:
            bad.max_snd_wnd = bad.snd_wnd - 1;
            break;
        default:
            bad.remote.ss_family = AF_INET6;
            break;
        }
        CHECK_EQ(flue_socket_restore(fd, &bad, &unsent), FLUE_EARG);
    }
    close(fd);
    CHECK_EQ(flue_socket_thaw(p.here, &state), FLUE_OK);
    flue_tcp_state_clear(&state);
    pair_close(&p);
}

TEST(a_socket_without_connection_cannot_be_frozen)
{
    struct flue_tcp_state state;
    namespace_enter();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(flue_socket_freeze(fd, &state), FLUE_ESTATE);
    CHECK(strstr(flue_socket_error(), "CLOSE") != NULL);
    CHECK(listen(fd, 1) == 0);
    CHECK_EQ(flue_socket_freeze(fd, &state), FLUE_ESTATE);
    CHECK(strstr(flue_socket_error(), "LISTEN") != NULL);
    close(fd);
    CHECK_EQ(flue_socket_freeze(fd, &state), FLUE_EIO);
}
