/*
 * The far end of the wire as a process of its own (docs/peer.md): a mirror that sends every frame back after 100 us, addresses
 * exchanged.  A TCP stack goes where `mirror` is; its timers go where NEVER is.
 *
 * PROGRAM SOCKET
 */
#define _DEFAULT_SOURCE 1
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "flue/sim_peer.h"

enum { DELAY_US = 100 };

static int fd;
static unsigned frames;

static void put(uint32_t type, uint64_t time_us, const void *data, uint32_t bytes)
{
    struct flue_sim_peer_head head = {htole32(type), htole32(bytes), htole64(time_us)};
    if (send(fd, &head, sizeof head, MSG_NOSIGNAL) == sizeof head && bytes > 0)
        (void)!send(fd, data, bytes, MSG_NOSIGNAL); /* a stream socket that blocks takes all */
}

static int get(struct flue_sim_peer_head *head, uint8_t *data)
{
    if (recv(fd, head, sizeof *head, MSG_WAITALL) != sizeof *head)
        return 0;
    head->type = le32toh(head->type);
    head->bytes = le32toh(head->bytes);
    head->time_us = le64toh(head->time_us);
    return head->bytes == 0 || (head->bytes <= 65535 && recv(fd, data, head->bytes, MSG_WAITALL) == (ssize_t)head->bytes);
}

static void mirror(uint64_t now_us, uint8_t *frame, uint32_t bytes)
{
    uint8_t address[6];
    if (bytes < 14)
        return;
    memcpy(address, frame, 6);
    memcpy(frame, frame + 6, 6);
    memcpy(frame + 6, address, 6);
    put(FLUE_SIM_PEER_FRAME, now_us + DELAY_US, frame, bytes);
    frames++;
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const uint32_t hello[2] = {htole32(FLUE_SIM_PEER_MAGIC), htole32(FLUE_SIM_PEER_VERSION)};
    struct flue_sim_peer_head head;
    static uint8_t data[65536];

    if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path)
        return fprintf(stderr, "usage: %s SOCKET\n", argv[0]), 2;
    strcpy(address.sun_path, argv[1]);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return perror(argv[1]), 1;
    put(FLUE_SIM_PEER_HELLO, 0, hello, sizeof hello);
    while (get(&head, data)) {
        if (head.type == FLUE_SIM_PEER_FRAME)
            mirror(head.time_us, data, head.bytes);
        if (head.type == FLUE_SIM_PEER_FRAME || head.type == FLUE_SIM_PEER_ADVANCE)
            put(FLUE_SIM_PEER_NEXT, FLUE_SIM_PEER_NEVER, NULL, 0);
        else if (head.type == FLUE_SIM_PEER_END)
            return printf("%u frames came back; the simulator says: %.*s\n", frames, (int)head.bytes, (const char *)data), 0;
    }
    return fprintf(stderr, "the simulator is gone\n"), 1;
}
