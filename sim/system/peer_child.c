#include "peer_child.h"

#include <endian.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tcp_frame.h"
#include "tcp_host.h"

enum { DELAY_US = 100, CHUNK = 4096, MSS = 1448, WINDOW = 1 << 16, SCALE = 2, SND = 1000000, RCV = 5000 };

int child_spawn(void (*body)(int fd), pid_t *pid)
{
    int fd[2];
    fflush(stdout);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0 || (*pid = fork()) < 0) {
        perror("child_spawn");
        exit(1);
    }
    if (*pid == 0) {
        close(fd[0]);
        body(fd[1]);
        _exit(0);
    }
    close(fd[1]);
    return fd[0];
}

int child_end(pid_t pid, unsigned limit_ms)
{
    int status;
    for (unsigned ms = 0;; ms++) {
        if (ms == limit_ms)
            kill(pid, SIGKILL);
        if (waitpid(pid, &status, ms < limit_ms ? WNOHANG : 0) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

bool child_get(int fd, struct flue_sim_peer_head *head, uint8_t *data)
{
    if (recv(fd, head, sizeof *head, MSG_WAITALL) != sizeof *head)
        return false;
    head->type = le32toh(head->type);
    head->bytes = le32toh(head->bytes);
    head->time_us = le64toh(head->time_us);
    return head->bytes == 0 || (head->bytes <= 65535 && recv(fd, data, head->bytes, MSG_WAITALL) == (ssize_t)head->bytes);
}

void child_put(int fd, uint32_t type, uint64_t time_us, const void *data, size_t bytes)
{
    struct flue_sim_peer_head head = {htole32(type), htole32((uint32_t)bytes), htole64(time_us)};
    if (send(fd, &head, sizeof head, MSG_NOSIGNAL) == sizeof head && bytes > 0)
        (void)!send(fd, data, bytes, MSG_NOSIGNAL);
}

void child_hello(int fd)
{
    const uint32_t words[2] = {htole32(FLUE_SIM_PEER_MAGIC), htole32(FLUE_SIM_PEER_VERSION)};
    child_put(fd, FLUE_SIM_PEER_HELLO, 0, words, sizeof words);
}

/* ---- the reference TCP -----------------------------------------------------------------------------------------------------
 */

uint8_t child_byte(uint64_t i, bool from_child)
{
    return (uint8_t)((i * 2654435761u + (from_child ? 977u : 0u)) >> 13);
}

static const struct flue_tcp_ends ENDS = {.mac_here = {2, 0, 0, 0, 0, 2},
                                          .mac_there = {2, 0, 0, 0, 0, 1},
                                          .ip_here = {192, 0, 2, 2},
                                          .ip_there = {192, 0, 2, 1},
                                          .port_here = TCP_CHILD_PORT + 1,
                                          .port_there = TCP_CHILD_PORT};

static void emit(void *user, uint64_t now_us, const struct flue_tcp_seg *seg, const uint8_t *payload)
{
    uint8_t frame[FLUE_TCP_FRAME_HEADERS + 2048];
    size_t len = flue_tcp_frame_build(&ENDS, seg, payload, frame);
    child_put(*(int *)user, FLUE_SIM_PEER_FRAME, now_us + DELAY_US, frame, len);
}

/* The program above it: true while every byte that came is right. */
static bool work(struct flue_tcp_host *tcp, uint64_t now_us, uint64_t *sent, uint64_t *received)
{
    uint8_t data[CHUNK];
    size_t n = 1;
    while (*sent < TCP_CHILD_BYTES && n > 0) {
        n = TCP_CHILD_BYTES - *sent < CHUNK ? (size_t)(TCP_CHILD_BYTES - *sent) : CHUNK;
        for (size_t i = 0; i < n; i++)
            data[i] = child_byte(*sent + i, true);
        n = flue_tcp_host_write(tcp, now_us, data, n);
        *sent += n;
    }
    while ((n = flue_tcp_host_read(tcp, now_us, data, CHUNK)) > 0)
        for (size_t i = 0; i < n; i++)
            if (data[i] != child_byte((*received)++, false))
                return false;
    return true;
}

void child_tcp(int fd)
{
    struct flue_tcp r = {.state = FLUE_TCP_ESTABLISHED,
                         .ts = 1,
                         .sack = 1,
                         .snd_scale = SCALE,
                         .rcv_scale = SCALE,
                         .mss = MSS,
                         .mss_rcv = MSS,
                         .rcv_buf = WINDOW,
                         .snd_buf = WINDOW,
                         .limit = 15,
                         .generation = 1,
                         .rcv_nxt = SND,
                         .rcv_edge = SND,
                         .consumed = SND,
                         .snd_una = RCV,
                         .last_ack_sent = SND,
                         .rcv_adv = SND + WINDOW,
                         .snd_max = RCV,
                         .send_limit = RCV,
                         .snd_wnd = WINDOW,
                         .max_snd_wnd = WINDOW,
                         .snd_wl1 = SND,
                         .snd_wl2 = RCV,
                         .cwnd = 10 * MSS,
                         .ssthresh = UINT32_MAX,
                         .ts_offset = 777};
    struct flue_tcp_host_config config = {.record = r, .latency_us = 5, .emit = emit, .user = &fd};
    struct flue_sim_peer_head head;
    static struct flue_tcp_host tcp;
    static uint8_t data[65536];
    uint64_t sent = 0, received = 0;
    bool open = false;

    child_hello(fd);
    while (child_get(fd, &head, data)) {
        struct flue_tcp_seg seg;
        const uint8_t *payload;
        uint64_t now = head.time_us;
        if (head.type == FLUE_SIM_PEER_END)
            _exit(sent == TCP_CHILD_BYTES && received == TCP_CHILD_BYTES && tcp.broken == NULL ? 0 : 1);
        if (head.type == FLUE_SIM_PEER_HELLO)
            continue;
        if (!open && !flue_tcp_host_open(&tcp, &config, now))
            _exit(2);
        open = true;
        if (head.type == FLUE_SIM_PEER_FRAME && flue_tcp_frame_parse(&ENDS, data, head.bytes, &seg, &payload))
            (void)flue_tcp_host_receive(&tcp, now, &seg, payload);
        flue_tcp_host_run(&tcp, now);
        if (!work(&tcp, now, &sent, &received))
            _exit(3);
        flue_tcp_host_run(&tcp, now);
        child_put(fd, FLUE_SIM_PEER_NEXT, flue_tcp_host_next(&tcp, now), NULL, 0);
    }
    _exit(4);
}
