/*
 * The other process of the peer tests: spawned over a socket pair, it speaks docs/peer.md, well or badly.  Its exit status is
 * what it found: 0 when all was well.
 */
#ifndef FLUE_PEER_CHILD_H
#define FLUE_PEER_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "flue/sim_peer.h"

/* Run `body` in a process; the other end of its socket, to be given to flue_sim_peer_attach().  Exits the program on failure.
 */
int child_spawn(void (*body)(int fd), pid_t *pid);

/* Wait for its end: exit status, or -1 when it died; killed when it is not over after `limit_ms`. */
int child_end(pid_t pid, unsigned limit_ms);

/* In the child: messages.  child_get() is false when the simulator is gone. */
bool child_get(int fd, struct flue_sim_peer_head *head, uint8_t *data);
void child_put(int fd, uint32_t type, uint64_t time_us, const void *data, size_t bytes);
void child_hello(int fd);

/* The reference TCP as such a process: established, it sends `TCP_CHILD_BYTES` and checks as many.  Both streams: byte i is
 * child_byte(i, from_child). */
enum { TCP_CHILD_BYTES = 192 * 1024, TCP_CHILD_PORT = 6200 };
uint8_t child_byte(uint64_t i, bool from_child);
void child_tcp(int fd);

#endif
