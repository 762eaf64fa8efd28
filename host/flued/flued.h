/*
 * flued: the daemon that owns an adapter, is a network interface to Linux, and has the other end of the wire on a second one.
 */
#ifndef FLUED_H
#define FLUED_H

#include <stdbool.h>
#include <stdint.h>
#include "flue/control.h"
#include "flue/flue.h"
#include "flue/ndis/admin.h"
#include "flue/ndis/objects.h"
#include "flue/sim.h"

/* ---- log --------------------------------------------------------------------------------------------------------- */

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVELS };

extern enum log_level log_level;

const char *log_level_name(enum log_level level);
bool log_level_find(const char *name, enum log_level *level);

/* One line on stderr: "flued: info: ...". */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- options ----------------------------------------------------------------------------------------------------- */

#define ADDRESSES_MAX 4u

/* One end: an interface Linux sees. */
struct end_options {
    const char *name;
    const char *netns; /* null: where flued runs */
    const char *address[ADDRESSES_MAX];
    unsigned address_count;
};

struct options {
    struct end_options host, wire;
    unsigned mtu_bytes;
    struct flue_sim_config sim;
    uint32_t fault;              /* bits of register FAULT */
    struct flue_config settings; /* request on top of what the adapter can */
    uint64_t offload_after;      /* bytes in the kernel after which an adopted connection moves in by itself; 0: never */
    uint64_t upload_idle_us;     /* without a byte, after which it moves out; 0: never */
    const char *socket_path;
    const char *settings_path; /* file of standardized keywords; null: their defaults, nothing is kept */
};

/*
 * Read the command line.  Returns -1 to go on, else the exit status (0 after --help and --version, 2 after an error, which is
 * printed and names the option).
 */
int options_read(struct options *options, int argc, char **argv);

/* "on", "off", "tx", "rx", "both" for one switch; a sentence that says what is wrong, or null. */
const char *setting_read(struct flue_config *request, const char *name, const char *value);
const char *setting_name(enum flue_switch sw, uint8_t way);

/* ---- daemon ------------------------------------------------------------------------------------------------------ */

struct daemon {
    struct options *options;
    struct flue_sim *sim;
    struct flue_tap *host_tap, *wire_tap;
    struct flue_adapter *adapter;
    struct flue_port *port;
    struct offload *offload;  /* null before it was opened */
    struct relays *relays;    /* adopted connections */
    int passed_fd, answer_fd; /* of the request that is being answered: came with it, goes with the answer; -1 none */
    int epoll_fd, signal_fd, listen_fd;
    bool host_ready, host_blocked; /* the TAP may have packets; there is no room for them */
    bool wire_ready;
    bool copying; /* adopted connections had something to copy in the last turn */
    bool stop;
    int exit_status;
    uint64_t started_us;   /* wall clock */
    uint64_t wire_refused; /* frames the far end's kernel did not take */
    uint64_t loops;
    char pcap_path[1024]; /* of the capture being written; empty: none */
};

/* Run until told to stop; the exit status. */
int daemon_run(struct options *options);

/* Change settings and say so; null or a sentence. */
const char *daemon_configure(struct daemon *d, const struct flue_config *request);

/* Function reset of the adapter and everything on it. */
enum flue_err daemon_reset(struct daemon *d);

/* ---- control plane ------------------------------------------------------------------------------------------------- */

struct offload;

/* Start it on d->adapter, which has its port; null with a logged reason.  An adapter without processor has no connections. */
struct offload *offload_open(struct daemon *d);

/* Upload everything, end the target, stop the processor.  Null is allowed. */
void offload_close(struct offload *offload);

/* Do what is due; after every poll. */
void offload_run(struct offload *offload);

/* Settings changed by another way than an OID. */
void offload_config_changed(struct offload *offload);

/* Around a function reset. */
void offload_reset_begin(struct offload *offload);
enum flue_err offload_reset_end(struct offload *offload);

/* One OID request; *done: bytes of the buffer a query filled.  NDIS_STATUS_PENDING: it goes on, its end is logged. */
NDIS_STATUS offload_oid(struct offload *offload, bool set, uint32_t oid, void *buffer, uint32_t length, uint32_t *done);

/* "pause", "upload-all", "resume"; null, or a sentence.  An upload goes on after this. */
const char *offload_phase(struct offload *offload, const char *action);

/* What the processor went through, and what is outstanding; false when the adapter has none. */
struct offload_state {
    bool runs;
    uint64_t traps, stops, restarts; /* stops: it stopped its queue or gave no answer in time */
    uint32_t trap_cause, trap_pc;    /* of the last trap */
    struct flue_ndis_phase phase;
};
bool offload_state(const struct offload *offload, struct offload_state *state);

/* Make the processor trap: stop it, spoil an instruction it begins with, let it run.  Null, or a sentence. */
const char *offload_trap(struct offload *offload);

/* Start the processor again, warm.  Null, or a sentence. */
const char *offload_restart(struct offload *offload);

/* Every object the adapter holds.  Null, or a sentence. */
const char *offload_list(struct offload *offload, flue_object_each *each, void *ctx);

/* ---- control socket ------------------------------------------------------------------------------------------------ */

struct client;

/* Listen at path; -1 with a logged reason. */
int control_listen(const char *path);
struct client *control_accept(struct daemon *d);
int control_fd(const struct client *client);
void control_drop(struct client *client);

/* Read and answer what a client sent; false when it is gone (and freed). */
bool control_serve(struct daemon *d, struct client *client);

/* ---- privileges ------------------------------------------------------------------------------------------------------ */

/* Make it possible to create interfaces: nothing as root, else an own user and network namespace.  False with logged reasons.
 */
bool privileges_get(const struct options *options);

#endif
