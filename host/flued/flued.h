/*
 * flued: the daemon that owns an adapter, is a network interface to Linux, and has the other end of the wire on a second one.
 */
#ifndef FLUED_H
#define FLUED_H

#include <stdbool.h>
#include <stdint.h>
#include "flue/flue.h"
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
    const char *socket_path;
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
    int epoll_fd, signal_fd, listen_fd;
    bool host_ready, host_blocked; /* the TAP may have packets; there is no room for them */
    bool wire_ready;
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
