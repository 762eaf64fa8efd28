/*
 * Many connections between the adapter and the reference TCP in virtual time, over a line of 1 Gb/s with a round trip of 0.2
 * ms: W = 32 at 62.5 MHz, connections loaded by flue/sim_host.h.  The test is the program at both ends of every stream.
 */
#ifndef FLUE_STREAMS_H
#define FLUE_STREAMS_H

#include "flue/sim_host.h"
#include "tcp_frame.h"
#include "tcp_host.h"

enum {
    STREAMS_MAX = 64,
    STREAMS_CLOCK_KHZ = 62500,
    STREAMS_LINE_MBPS = 1000,
    STREAMS_DELAY_US = 100, /* one way */
    STREAMS_MSS = 1448,
};

struct stream {
    struct streams *all;
    unsigned number;
    struct flue_sim_conn *conn;
    struct flue_conn *ring;
    struct flue_sim_ends ends;
    struct flue_tcp_ends peer_ends;
    struct flue_tcp_host peer;
    uint64_t sent, received, peer_sent, peer_received; /* bytes of the programs */
    uint32_t adapter_end, peer_end;                    /* end of what each side has sent */
};

struct streams {
    struct flue_sim *sim;
    struct flue_sim_host *host;
    struct stream stream[STREAMS_MAX];
    unsigned count, first; /* first: of the peers that speak next */
    unsigned ring_log2;
    bool send, receive;                 /* which ways the programs use, seen from the adapter */
    uint64_t look_us;                   /* when they look next */
    uint64_t line_free_ns;              /* when the line has taken everything the peers sent */
    uint64_t adapter_again, peer_again; /* segments that begin with bytes sent before */
};

/* A simulator with a host and `count` connections that run.  Exits the program on failure. */
struct streams *streams_open(unsigned count);
void streams_close(struct streams *s);

/* Let both ends work for so long; false when something is wrong (CHECK has said what). */
bool streams_run(struct streams *s, uint64_t us);

/* Bytes that the programs have received: at the peers, at the adapter. */
void streams_received(const struct streams *s, uint64_t *at_peers, uint64_t *at_adapter);

/* Hold and the state for a load of stream i, its peer at its mirror; start is the caller's. */
void streams_hold(struct streams *s, unsigned i);
struct flue_sim_conn_state streams_state(struct streams *s, unsigned i);

#endif
