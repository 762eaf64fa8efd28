/* The far end of the wire in another process (flue/sim_peer.h): a TCP, a mirror, and processes that break every rule. */
#include <endian.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "flue/sim_host.h"
#include "peer_child.h"
#include "test/check.h"

enum { PATIENCE_MS = 300, SND = 1000000, RCV = 5000, CHUNK = 4096, FRAME_BYTES = 100 };

static struct flue_sim *open_sim(const char *wire)
{
    struct flue_sim_config cfg;
    struct flue_sim *sim;
    flue_sim_config_init(&cfg);
    cfg.width = 32;
    cfg.clock_mhz = 62;
    cfg.seed = check_seed;
    cfg.wire_tx = cfg.wire_rx = wire;
    if (flue_sim_open(&cfg, &sim) != FLUE_OK) {
        printf("%s\n", flue_sim_open_error());
        exit(1);
    }
    return sim;
}

static double wall_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- a TCP -----------------------------------------------------------------------------------------------------------------
 */

/* A connection with the reference TCP of another process, both streams to their end; *took_us is the adapter time it took. */
static void carry(const char *wire, uint64_t *took_us)
{
    struct flue_sim *sim = open_sim(wire);
    struct flue_sim_host *host;
    struct flue_sim_conn *conn;
    struct flue_sim_conn_state state;
    struct flue_sim_peer *peer = NULL;
    struct flue_sim_ends ends = {.mac_adapter = {2, 0, 0, 0, 0, 1},
                                 .mac_peer = {2, 0, 0, 0, 0, 2},
                                 .ip_adapter = {192, 0, 2, 1},
                                 .ip_peer = {192, 0, 2, 2},
                                 .port_adapter = TCP_CHILD_PORT,
                                 .port_peer = TCP_CHILD_PORT + 1};
    uint64_t sent = 0, received = 0, begun, end;
    uint8_t data[CHUNK];
    bool right = true;
    pid_t pid;

    flue_sim_conn_state_init(&state);
    state.snd_una = state.snd_nxt = state.snd_max = SND;
    state.rcv_nxt = state.snd_wl1 = RCV;
    state.ts_clock = 1000;
    REQUIRE(flue_sim_host_open(sim, NULL, &host) == FLUE_OK);
    REQUIRE(flue_sim_conn_hold(host, &ends, 16, 16, &conn) == FLUE_OK);
    REQUIRE(flue_sim_conn_load(conn, &state) == FLUE_OK);
    REQUIRE(flue_sim_conn_start(conn) == FLUE_OK);
    struct flue_conn *ring = flue_sim_conn_ring(conn);
    REQUIRE(flue_sim_peer_attach(sim, child_spawn(child_tcp, &pid), 0, &peer) == FLUE_OK);
    begun = flue_sim_time_us(sim);
    end = begun + 20000000;
    while (right && (sent < TCP_CHILD_BYTES || received < TCP_CHILD_BYTES) && flue_sim_time_us(sim) < end) {
        enum flue_sim_why why;
        size_t n = TCP_CHILD_BYTES - sent < CHUNK ? (size_t)(TCP_CHILD_BYTES - sent) : CHUNK;
        for (size_t i = 0; i < n; i++)
            data[i] = child_byte(sent + i, false);
        enum flue_err err = flue_conn_send(ring, data, n, &n);
        sent += n;
        CHECK(err == FLUE_OK || err == FLUE_EAGAIN);
        while (flue_conn_recv(ring, data, CHUNK, &n) == FLUE_OK && n > 0)
            for (size_t i = 0; i < n && right; i++)
                right = data[i] == child_byte(received++, true);
        err = flue_conn_kick(ring, false, false);
        if (err == FLUE_OK)
            err = flue_sim_host_run(host, 200, 0, &why);
        CHECK(err == FLUE_OK, "%s", flue_sim_host_error(host));
        right = right && err == FLUE_OK;
    }
    CHECK(right && sent == TCP_CHILD_BYTES && received == TCP_CHILD_BYTES, "%llu sent, %llu received%s",
          (unsigned long long)sent, (unsigned long long)received, right ? "" : ", a byte is wrong");
    *took_us = flue_sim_time_us(sim) - begun;
    enum flue_sim_why why;
    CHECK(flue_sim_host_run(host, 3000000, 0, &why) == FLUE_OK, "%s", flue_sim_host_error(host));
    flue_sim_peer_close(peer);
    CHECK(child_end(pid, 10000) == 0, "the other process found something wrong");
    flue_sim_host_close(host);
    CHECK(flue_sim_close(sim) == FLUE_OK);
}

/* Bytes both ways, equal at both ends; the same run takes the same time. */
TEST(a_tcp_in_another_process_is_the_peer)
{
    uint64_t first = 0, second = 1;
    carry(NULL, &first);
    carry(NULL, &second);
    CHECK_EQ(first, second);
}

TEST(a_tcp_in_another_process_is_the_peer_over_a_wire_that_loses)
{
    uint64_t took;
    carry("drop=0.01,reorder=0.01,delay=50us:20us", &took);
}

/* ---- a mirror --------------------------------------------------------------------------------------------------------------
 */

/* The example, started as a program that connects to a path. */
TEST(the_example_connects_by_a_path_and_mirrors_frames)
{
    char folder[] = "peer_XXXXXX", path[64], program[4096];
    struct flue_sim *sim = open_sim(NULL);
    struct flue_sim_host *host;
    struct flue_sim_peer *peer, *second;
    struct flue_sim_stats stats;
    enum flue_sim_why why;
    uint8_t frame[FRAME_BYTES] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xB5};

    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 32);
    REQUIRE(n > 0 && mkdtemp(folder) != NULL);
    program[n] = 0;
    strcpy(strrchr(program, '/'), "/example_peer");
    snprintf(path, sizeof path, "%s/peer", folder);
    REQUIRE(flue_sim_host_open(sim, NULL, &host) == FLUE_OK);
    REQUIRE(flue_sim_peer_listen(sim, path, 0, &peer) == FLUE_OK);
    CHECK(flue_sim_peer_listen(sim, path, 0, &second) == FLUE_ESTATE && second == NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (freopen("/dev/null", "w", stdout) != NULL)
            execl(program, program, path, (char *)NULL);
        _exit(127);
    }
    CHECK(flue_sim_peer_accept(peer) == FLUE_OK, "%s", flue_sim_peer_error(peer));
    CHECK(access(path, F_OK) != 0 && rmdir(folder) == 0);
    for (unsigned i = 0; i < 5; i++)
        CHECK(flue_sim_host_send(host, frame, sizeof frame) == FLUE_OK, "%s", flue_sim_host_error(host));
    CHECK(flue_sim_host_run(host, 90, 0, &why) == FLUE_OK, "%s", flue_sim_host_error(host));
    flue_sim_stats(sim, &stats);
    CHECK_EQ(stats.wire_rx.frames_in, 0);
    CHECK(flue_sim_host_run(host, 1000, 0, &why) == FLUE_OK, "%s", flue_sim_host_error(host));
    flue_sim_stats(sim, &stats);
    CHECK_EQ(stats.wire_rx.frames_in, 5);
    flue_sim_peer_close(peer);
    CHECK_EQ(child_end(pid, 5000), 0);
    flue_sim_host_close(host);
    CHECK(flue_sim_close(sim) == FLUE_OK);
}

/* ---- guests that do not behave ---------------------------------------------------------------------------------------------
 */

static void raw(int fd, const void *data, size_t bytes)
{
    (void)!send(fd, data, bytes, MSG_NOSIGNAL);
}

/* HELLO, then wait for the first turn. */
static struct flue_sim_peer_head in_turn(int fd)
{
    static uint8_t data[65536];
    struct flue_sim_peer_head head;
    child_hello(fd);
    if (!child_get(fd, &head, data) || !child_get(fd, &head, data))
        _exit(9);
    return head;
}

static void stay(int fd)
{
    uint8_t byte;
    while (recv(fd, &byte, 1, 0) > 0) {
    }
}

static void bad_length(int fd)
{
    struct flue_sim_peer_head turn = in_turn(fd), head = {htole32(FLUE_SIM_PEER_FRAME), htole32(65536), htole64(turn.time_us)};
    raw(fd, &head, sizeof head);
    stay(fd);
}

static void huge_length(int fd)
{
    struct flue_sim_peer_head head = {htole32(FLUE_SIM_PEER_FRAME), UINT32_MAX, 0};
    (void)in_turn(fd);
    raw(fd, &head, sizeof head);
    stay(fd);
}

static void empty_frame(int fd)
{
    child_put(fd, FLUE_SIM_PEER_FRAME, in_turn(fd).time_us, NULL, 0);
    stay(fd);
}

static void unknown_type(int fd)
{
    child_put(fd, 77, in_turn(fd).time_us, NULL, 0);
    stay(fd);
}

static void turns_the_tables(int fd)
{
    child_put(fd, FLUE_SIM_PEER_ADVANCE, in_turn(fd).time_us + 5, NULL, 0);
    stay(fd);
}

static void goes_back(int fd)
{
    uint8_t frame[FRAME_BYTES] = {0};
    uint64_t now = in_turn(fd).time_us;
    child_put(fd, FLUE_SIM_PEER_FRAME, now + 20, frame, sizeof frame);
    child_put(fd, FLUE_SIM_PEER_FRAME, now + 19, frame, sizeof frame);
    stay(fd);
}

static void lives_in_the_past(int fd)
{
    uint8_t frame[FRAME_BYTES] = {0};
    child_put(fd, FLUE_SIM_PEER_FRAME, in_turn(fd).time_us - 1, frame, sizeof frame);
    stay(fd);
}

static void wants_what_is_over(int fd)
{
    child_put(fd, FLUE_SIM_PEER_NEXT, in_turn(fd).time_us, NULL, 0);
    stay(fd);
}

static void floods(int fd)
{
    uint8_t frame[FRAME_BYTES] = {0};
    uint64_t now = in_turn(fd).time_us;
    for (unsigned i = 0; i < 2 * FLUE_SIM_WIRE_ROOM; i++)
        child_put(fd, FLUE_SIM_PEER_FRAME, now, frame, sizeof frame);
    stay(fd);
}

static void hangs_up(int fd)
{
    (void)in_turn(fd);
}

static void hangs_up_within_a_frame(int fd)
{
    struct flue_sim_peer_head turn = in_turn(fd), head = {htole32(FLUE_SIM_PEER_FRAME), htole32(60), htole64(turn.time_us)};
    raw(fd, &head, sizeof head);
    raw(fd, &head, 7);
}

static void ends(int fd)
{
    (void)in_turn(fd);
    child_put(fd, FLUE_SIM_PEER_END, 0, "out of buffers", 14);
    stay(fd);
}

static void says_nothing(int fd)
{
    (void)in_turn(fd);
    stay(fd);
}

static void says_half(int fd)
{
    uint32_t half[2] = {htole32(FLUE_SIM_PEER_NEXT), 0};
    (void)in_turn(fd);
    raw(fd, half, sizeof half);
    stay(fd);
}

/* A byte now and then is not a turn. */
static void drips(int fd)
{
    struct flue_sim_peer_head head = {htole32(FLUE_SIM_PEER_NEXT), 0, htole64(FLUE_SIM_PEER_NEVER)};
    (void)in_turn(fd);
    for (unsigned i = 0; i < sizeof head; i++) {
        raw(fd, (uint8_t *)&head + i, 1);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
}

static void greets_twice(int fd)
{
    (void)in_turn(fd);
    child_hello(fd);
    stay(fd);
}

static void is_silent_from_the_start(int fd)
{
    stay(fd);
}

static void is_of_another_version(int fd)
{
    const uint32_t words[2] = {htole32(FLUE_SIM_PEER_MAGIC), htole32(FLUE_SIM_PEER_VERSION + 1)};
    child_put(fd, FLUE_SIM_PEER_HELLO, 0, words, sizeof words);
    stay(fd);
}

static void speaks_something_else(int fd)
{
    raw(fd, "GET / HTTP/1.1\r\nHost: adapter\r\n\r\n", 33);
    stay(fd);
}

static void forgets_hello(int fd)
{
    child_put(fd, FLUE_SIM_PEER_NEXT, FLUE_SIM_PEER_NEVER, NULL, 0);
    stay(fd);
}

/* Each is named, within its patience; time stands, and the simulator lives on without it. */
TEST(a_guest_that_breaks_the_rules_is_named_and_nothing_hangs)
{
    static const struct {
        const char *name;
        void (*body)(int fd);
        enum flue_err err;
        const char *text;
    } GUESTS[] = {
        {"bad_length", bad_length, FLUE_EPEER, "type 2 with 65536 bytes, 1 to 65535 are allowed"},
        {"huge_length", huge_length, FLUE_EPEER, "type 2 with 4294967295 bytes"},
        {"empty_frame", empty_frame, FLUE_EPEER, "type 2 with 0 bytes"},
        {"unknown_type", unknown_type, FLUE_EPEER, "type 77"},
        {"turns_the_tables", turns_the_tables, FLUE_EPEER, "type 3"},
        {"goes_back", goes_back, FLUE_EPEER, "time goes backwards"},
        {"lives_in_the_past", lives_in_the_past, FLUE_EPEER, "time goes backwards"},
        {"wants_what_is_over", wants_what_is_over, FLUE_EPEER, "which is over"},
        {"floods", floods, FLUE_EPEER, "more than 4096 frames"},
        {"hangs_up", hangs_up, FLUE_EPEER, "it hung up"},
        {"hangs_up_within_a_frame", hangs_up_within_a_frame, FLUE_EPEER, "hung up within a message"},
        {"ends", ends, FLUE_EPEER, "it ended: out of buffers"},
        {"says_nothing", says_nothing, FLUE_ETIMEOUT, "did not end its turn within 300 ms"},
        {"says_half", says_half, FLUE_ETIMEOUT, "did not end its turn within 300 ms"},
        {"drips", drips, FLUE_ETIMEOUT, "did not end its turn within 300 ms"},
        {"greets_twice", greets_twice, FLUE_EPEER, "a second HELLO"},
        {"is_silent_from_the_start", is_silent_from_the_start, FLUE_ETIMEOUT, "within 300 ms"},
        {"is_of_another_version", is_of_another_version, FLUE_EPEER, "version 2; this is"},
        {"speaks_something_else", speaks_something_else, FLUE_EPEER, "which it must not send"},
        {"forgets_hello", forgets_hello, FLUE_EPEER, "type 4 before HELLO"},
    };
    struct flue_sim *sim = open_sim(NULL);
    for (unsigned i = 0; i < sizeof GUESTS / sizeof *GUESTS; i++) {
        struct flue_sim_peer *peer;
        enum flue_sim_why why;
        pid_t pid;
        double begun = wall_s();
        enum flue_err err = flue_sim_peer_attach(sim, child_spawn(GUESTS[i].body, &pid), PATIENCE_MS, &peer);
        if (err == FLUE_OK)
            err = flue_sim_advance(sim, 1000, 0, &why);
        CHECK(err == GUESTS[i].err, "%s: %s", GUESTS[i].name, flue_err_name(err));
        CHECK(strstr(flue_sim_open_error(), GUESTS[i].text), "%s: \"%s\"", GUESTS[i].name, flue_sim_open_error());
        if (peer != NULL) {
            uint64_t at = flue_sim_time_us(sim);
            CHECK(flue_sim_advance(sim, 1000, 0, &why) == err && flue_sim_time_us(sim) == at, "%s: time went on",
                  GUESTS[i].name);
            CHECK(strstr(flue_sim_peer_error(peer), GUESTS[i].text), "%s: \"%s\"", GUESTS[i].name, flue_sim_peer_error(peer));
        }
        CHECK(wall_s() - begun < 5, "%s: %.1f s", GUESTS[i].name, wall_s() - begun);
        flue_sim_peer_close(peer);
        CHECK(child_end(pid, 3000) == 0, "%s: the process did not end", GUESTS[i].name);
        CHECK(flue_sim_advance(sim, 1000, 0, &why) == FLUE_OK, "%s: the simulator is of no use after it", GUESTS[i].name);
    }
    CHECK(flue_sim_close(sim) == FLUE_OK);
}

/* One that does not read: its socket fills with frames. */
TEST(a_guest_that_does_not_read_is_named)
{
    struct flue_sim *sim = open_sim(NULL);
    struct flue_sim_host *host;
    struct flue_sim_peer *peer;
    enum flue_sim_why why;
    uint8_t frame[1500] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xB5};
    int fd[2], small = 2048;
    const uint32_t hello[2] = {htole32(FLUE_SIM_PEER_MAGIC), htole32(FLUE_SIM_PEER_VERSION)};

    REQUIRE(flue_sim_host_open(sim, NULL, &host) == FLUE_OK);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    CHECK(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
    child_put(fd[1], FLUE_SIM_PEER_HELLO, 0, hello, sizeof hello);
    for (unsigned i = 0; i < 64; i++) /* answers before the questions */
        child_put(fd[1], FLUE_SIM_PEER_NEXT, FLUE_SIM_PEER_NEVER, NULL, 0);
    REQUIRE(flue_sim_peer_attach(sim, fd[0], PATIENCE_MS, &peer) == FLUE_OK);
    for (unsigned i = 0; i < 40; i++)
        CHECK(flue_sim_host_send(host, frame, sizeof frame) == FLUE_OK, "%s", flue_sim_host_error(host));
    CHECK(flue_sim_host_run(host, 10000, 0, &why) == FLUE_ETIMEOUT);
    CHECK(strstr(flue_sim_host_error(host), "did not read what it was told within 300 ms"), "%s", flue_sim_host_error(host));
    flue_sim_peer_close(peer);
    flue_sim_host_close(host);
    CHECK(flue_sim_close(sim) == FLUE_OK);
    close(fd[1]);
}

TEST(what_a_peer_cannot_have_is_refused)
{
    struct flue_sim *sim = open_sim(NULL);
    struct flue_sim_peer *peer;
    char path[200];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = 0;
    CHECK(flue_sim_peer_listen(sim, path, 0, &peer) == FLUE_EARG);
    CHECK(flue_sim_peer_listen(sim, "peer", 600001, &peer) == FLUE_EARG && peer == NULL);
    CHECK(flue_sim_peer_attach(sim, -1, 0, &peer) == FLUE_EARG && peer == NULL);
    CHECK(flue_sim_peer_listen(sim, "/nowhere/peer", 0, &peer) == FLUE_EIO && peer == NULL);
    CHECK(strstr(flue_sim_open_error(), "/nowhere/peer: No such file"), "%s", flue_sim_open_error());
    CHECK(flue_sim_peer_listen(sim, "/dev/null", 0, &peer) == FLUE_EIO && access("/dev/null", F_OK) == 0);
    char folder[] = "peer_XXXXXX";
    REQUIRE(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/nobody", folder);
    REQUIRE(flue_sim_peer_listen(sim, path, 50, &peer) == FLUE_OK);
    enum flue_sim_why why;
    CHECK(flue_sim_advance(sim, 10, 0, &why) == FLUE_ESTATE);
    CHECK(flue_sim_peer_accept(peer) == FLUE_ETIMEOUT &&
          strstr(flue_sim_peer_error(peer), "no process connected within 50 ms"));
    flue_sim_peer_close(peer);
    CHECK(access(path, F_OK) != 0 && rmdir(folder) == 0);
    CHECK(flue_sim_close(sim) == FLUE_OK);
}

TEST_MAIN(1)
