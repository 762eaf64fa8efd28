/*
 * Inside of flue/sim_host.h: the host, its objects in the adapter, and trees of a few nodes.
 */
#ifndef FLUE_HOST_INTERNAL_H
#define FLUE_HOST_INTERNAL_H

#include "flue/admin.h"
#include "flue/sim_host.h"

enum {
    HOST_TREE_BYTES = 4096,
    HOST_BUFFERS = 64, /* each way */
    HOST_NEIGHBOR_WORDS = 6,
    HOST_PATH_WORDS = 9,
    HOST_TCP_WORDS = 35, /* constant, cached and delegated part: */
    HOST_TCP_CACHED = 4,
    HOST_TCP_DELEGATED = 13,
};

/* Neighbor and path of a pair of addresses; kept until the end. */
struct host_route {
    struct host_route *next;
    struct flue_sim_ends ends; /* ports do not count */
    uint32_t neighbor, path;   /* handles */
};

struct flue_sim_conn {
    struct flue_sim_conn *next;
    struct flue_sim_host *host;
    struct host_route *route;
    struct flue_conn *ring;
    struct flue_sim_ends ends;
    uint32_t handle;
    enum { CONN_HELD, CONN_LOADED, CONN_STARTED, CONN_FROZEN, CONN_RELEASED } phase;
    struct flue_sim_conn_state loaded; /* what does not change for life */
};

struct flue_sim_host {
    struct flue_sim *sim;
    struct flue_sim_host_params params;
    struct flue_adapter *adapter;
    struct flue_admin *admin;
    bool own; /* the adapter was opened here */
    struct flue_conns *conns;
    struct flue_mem tree;
    struct host_route *routes;
    struct flue_sim_conn *list;
    char error[320];

    /* An adapter of our own: packets each way. */
    struct flue_mem tx, rx;
    uint32_t frame_bytes; /* room of each buffer */
    bool tx_busy[HOST_BUFFERS], rx_given[HOST_BUFFERS];
};

/* Keep what happened: "what: error", with the simulator's or the driver's own sentence where there is one. */
enum flue_err host_fail(struct flue_sim_host *h, enum flue_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct host_node {
    unsigned kind, depth, type;
    uint32_t handle; /* in and out */
    uint32_t *state; /* words in the machine's order, in and out */
    unsigned words;
};

/* A command, and a tree of at most 4 nodes with a command; FLUE_ESTATE when it was refused. */
FLUE_MUST_CHECK enum flue_err host_command(struct flue_sim_host *h, const struct flue_sqe *sqe, const char *what,
                                           struct flue_admin_done *done);
FLUE_MUST_CHECK enum flue_err host_tree(struct flue_sim_host *h, uint32_t opcode, struct host_node *node, unsigned count,
                                        const char *what);

/* Neighbor and path for these ends, made when they are not there yet. */
FLUE_MUST_CHECK enum flue_err host_route(struct flue_sim_host *h, const struct flue_sim_ends *ends, struct host_route **route);

/* State as the adapter's words and back. */
void host_state_pack(const struct flue_sim_conn_state *s, const struct flue_sim_ends *ends, uint32_t words[HOST_TCP_WORDS]);
void host_state_unpack(const uint32_t *delegated, struct flue_sim_conn_state *s);

#endif
