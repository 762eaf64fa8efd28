/*
 * What the files of the mover share (linux-host.md section 4, docs/tcp.md section 8): what is kept of an adapter and of a
 * connection that moves, and the steps that flue_move_in() and flue_move_out() put in order.
 */
#ifndef FLUE_LINUX_MOVE_INTERNAL_H
#define FLUE_LINUX_MOVE_INTERNAL_H

#include "flue/admin.h"
#include "flue/control.h"
#include "flue/forward.h"
#include "flue/move.h"
#include "flue/ndis/status.h"
#include "flue/ndis/types.h"

#define MOVE_TREE_BYTES 4096u
#define MOVE_TICKS      1000u /* a second: the kernel's timestamps count milliseconds */
#define MOVE_TTL        64u   /* Linux's default */

enum { WORDS_TCP = 35, TCP_CACHED = 4, TCP_DELEGATED = 13, WORDS_DELEGATED = WORDS_TCP - TCP_DELEGATED };
static_assert((int)FLUE_TCP_ESTABLISHED == TcpConnectionEstablished && (int)FLUE_TCP_TIME_WAIT == TcpConnectionTimeWait,
              "states of a move are those of the tree");

/* How the kernel reaches a peer. */
struct hop {
    uint8_t here[6], there[6]; /* MAC addresses: ours, and of the peer or its gateway */
    uint32_t mtu;
};

/* A neighbor and a path in the adapter, for a pair of addresses in wire order; kept until the end. */
struct route {
    struct route *next;
    bool ipv6;
    uint8_t local[16], remote[16];
    struct hop hop;
    uint32_t neighbor, path; /* handles */
};

/* A connection that is in the adapter, or on its way. */
struct moved {
    struct moved *next;
    struct flue_conn *conn;
    struct route *route;
    uint32_t handle;
    uint32_t last;               /* number of the newest diverted frame */
    struct flue_tcp_state state; /* without buffers */
    bool keep;                   /* diverted frames are kept: until START they are forwarded, then they are the kernel's */
    bool running;                /* diverted frames come late, and are forwarded at once */
    bool silent;                 /* what the kernel sends of it is dropped (HND-004) */
};

struct held {
    struct held *next;
    uint32_t handle;
    struct flue_rx_done done;
    uint8_t frame[];
};

struct flue_mover {
    struct flue_adapter *adapter;
    struct flue_port *port;
    struct flue_admin *admin;
    struct flue_conns *conns;
    struct flue_mover_params params;
    struct flue_mem tree;
    struct route *routes;
    struct moved *moved;
    struct held *held, **held_end;
    struct flue_forward *forward;
    unsigned held_count, given_up, forwarded;
    uint32_t marker; /* handle of the newest one */
    uint64_t adapter_us;
    char error[160];
};

/* ---- commands (command.c) ---------------------------------------------------------------------------------------------- */

/* Keep the sentence for flue_mover_error(); returns err. */
__attribute__((format(printf, 3, 4))) enum flue_err move_fail(struct flue_mover *m, enum flue_err err, const char *format, ...);
uint64_t move_now_us(struct flue_mover *m);

/* One command; a status other than success is a failure that names `what`. */
enum flue_err move_command(struct flue_mover *m, const struct flue_sqe *sqe, const char *what, struct flue_admin_done *done);

struct node {
    unsigned kind, depth, type;
    uint32_t handle;
    uint32_t *state;
    unsigned words;
    uint32_t status;
    unsigned detail;
};

/* A tree of a few nodes through the queue; statuses, handles and states come back. */
enum flue_err move_tree_run(struct flue_mover *m, uint32_t opcode, struct node *node, unsigned count, const char *what);

/* ---- frames and markers (held.c) --------------------------------------------------------------------------------------- */

/* Frames that were kept go to the kernel, in order; `deliver` false: they are forgotten. */
void move_held_flush(struct flue_mover *m, bool deliver);

/* Or to the engine; waits until their fates are known. */
enum flue_err move_held_forward(struct flue_mover *m);
void move_forwarded(void *ctx, void *cookie, enum flue_forwarded what);

/* Let the adapter work for a moment and serve its queues. */
enum flue_err move_breathe(struct flue_mover *m);
enum flue_err move_marker_await(struct flue_mover *m, uint32_t handle);

/* What the kernel had queued leaves the adapter (linux-host.md 4.2 step 4). */
enum flue_err move_transmit_drain(struct flue_mover *m);

/* ---- the kernel (frame.c) ------------------------------------------------------------------------------------------------ */

/* The socket takes a connection in any state; what it answers to that is dropped. */
enum flue_err move_kernel_take(struct flue_mover *m, struct moved *c, int fd, const struct flue_tcp_state *s, size_t *unsent);

/* ---- routes (hop.c, route.c) --------------------------------------------------------------------------------------------- */

/* Route and neighbor entry of the interface's namespace; FLUE_ESTATE with a sentence when it is not reached this way,
 * FLUE_EAGAIN when the kernel has no MAC address of the next hop now. */
enum flue_err move_hop_find(struct flue_mover *m, bool ipv6, const uint8_t local[16], const uint8_t remote[16],
                            struct hop *hop);

/* Address in wire order; true for IPv6.  An IPv4 address mapped into IPv6 is one of IPv4: so are its packets. */
bool move_address_of(const struct sockaddr_storage *a, uint8_t bytes[16], uint16_t *port);

/* The route of a connection, made or brought up to date. */
enum flue_err move_route_of(struct flue_mover *m, const struct flue_tcp_state *s, struct route **out);

/* ---- entries (entry.c) ------------------------------------------------------------------------------------------------- */

enum flue_err move_entry_hold(struct flue_mover *m, struct moved *c);
enum flue_err move_entry_load(struct flue_mover *m, struct moved *c, const struct flue_tcp_state *s, size_t queued);
enum flue_err move_entry_start(struct flue_mover *m, struct moved *c);
enum flue_err move_entry_freeze(struct flue_mover *m, struct moved *c, bool keep_entry, uint32_t *state);
enum flue_err move_entry_release(struct flue_mover *m, struct moved *c);

/* ---- state (state.c) --------------------------------------------------------------------------------------------------- */

uint32_t move_ports_of(const struct flue_tcp_state *s);

/* Half a ring is announced: what is on its way when the connection moves again still fits (CH-029). */
void move_state_fill(const struct flue_tcp_state *s, size_t queued, uint32_t ring_bytes, uint32_t state[WORDS_TCP]);

/* What the rings hold of a frozen connection, as the kernel's queues. */
enum flue_err move_state_back(struct flue_mover *m, struct moved *c, const struct flue_wire_tcp_delegated *d,
                              struct flue_tcp_state *s);

/* ---- connections (mover.c) --------------------------------------------------------------------------------------------- */

struct moved *moved_by_handle(struct flue_mover *m, uint32_t handle);
struct moved *moved_by_conn(struct flue_mover *m, const struct flue_conn *conn);

/* Forget it; its rings are free. */
void moved_drop(struct flue_mover *m, struct moved *c);

#endif
