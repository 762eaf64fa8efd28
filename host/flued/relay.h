/*
 * Adopted connections: the program keeps one end of a local stream socket, flued has the other and the TCP connection, which is
 * a kernel socket or lives in the adapter.  Bytes are copied between the two wherever it lives, so a move is invisible to the
 * program.
 */
#ifndef FLUED_RELAY_H
#define FLUED_RELAY_H

#include "flued.h"
#include "flue/move.h"

struct relays;

/* Null with a logged reason when memory is short; connections are moved only when the adapter can. */
struct relays *relays_open(struct daemon *d);

/* What is in the adapter goes back to the kernel; then everything is closed.  Null is allowed. */
void relays_close(struct relays *relays);

/* For the port's parameters. */
void relays_diverted(struct relays *relays, const struct flue_rx_done *done, const uint8_t *frame);
void relays_marker(struct relays *relays, uint32_t conn_handle, uint32_t number);

bool relays_withhold(const struct relays *relays, const uint8_t *frame, size_t len_bytes);

/* Copy what can be copied; after every turn of the loop.  True when something moved. */
bool relays_run(struct relays *relays);

/* When one of them is to move by itself, in adapter time; false: none. */
bool relays_next_us(const struct relays *relays, uint64_t *at_us);

/* Take a connected TCP socket (owned from here on); *local is for the program.  Null, or a sentence; then fd is still the
 * caller's. */
const char *relay_adopt(struct relays *relays, int fd, int *local, unsigned *id);

/* Name of a TCP_OFFLOAD_CONNECTION_STATE, as Linux's tools write it. */
const char *relay_state_name(unsigned state);

/* Where a connection lives. */
enum relay_place { RELAY_KERNEL, RELAY_ADAPTER };

/* Move it; null, or a sentence (then it is where it was, or closed).  times out: zero when it was there already. */
const char *relay_move(struct relays *relays, unsigned id, enum relay_place to, struct flue_move_times *times);

/* One TCP segment of a frame (relay_wire.c). */
struct relay_segment {
    const uint8_t *ip, *tcp; /* headers */
    uint32_t seq, payload;   /* bytes */
};

/* What the far end saw of what a connection sent. */
struct relay_wire {
    bool seen;
    uint32_t end;   /* of the highest */
    uint64_t again; /* segments that ended at or below it */
};

struct relay_view {
    unsigned id;
    enum relay_place place;
    struct sockaddr_storage local, remote;
    uint64_t sent, received;                 /* bytes taken from and given to the program */
    uint64_t sent_adapter, received_adapter; /* bytes the adapter carried: acknowledged by the peer, received in order */
    unsigned moves_in, moves_out, held;
    struct flue_move_times in, out; /* of the last moves, adapter time */
    bool ended;
    const char *state;            /* name of its TCP state; "" = not known */
    uint32_t out_kbps, in_kbps;   /* taken from and given to the program, over the last half second or more */
    uint64_t again;               /* segments sent again, as they came to the far end of the wire */
    struct flue_conn_view now;    /* in the adapter: as its status line has it */
    struct flue_move_view engine; /* as the engine has it, or the kernel */
};
/* A frame arrived at the far end. */
void relays_wire(struct relays *relays, const uint8_t *frame, size_t len_bytes);

/* For relays_wire(): a whole TCP segment without SYN; and whether it was the connection's. */
bool relay_wire_segment(const uint8_t *frame, size_t len, struct relay_segment *segment);
bool relay_wire_take(struct relay_wire *wire, const struct relay_view *view, const struct relay_segment *segment);

/* asks: the engine is asked for its view, which takes the time of a command for each connection; else view->engine is zero. */
void relays_each(const struct relays *relays, bool asks, void (*each)(void *ctx, const struct relay_view *view), void *ctx);

/* Those that have ended, as they last were; the newest 64. */
void relays_each_ended(const struct relays *relays, void (*each)(void *ctx, const struct relay_view *view), void *ctx);

#endif
