/*
 * The loop: packets between two interfaces and the adapter, and the adapter's clock.
 *
 * The simulator is clocked only while it has something to do; otherwise the loop sleeps until a descriptor is ready or the
 * simulator's next deadline is due, so an idle daemon takes no processor time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include "relay.h"

#define CYCLES_A_TURN    4096u /* clocked between two looks at descriptors and events */
#define EVENTS_A_POLL    256u
#define READY_MAX        16
#define WIRE_WAITING_MAX 64u /* frames of the far end that may queue at the adapter */
#define FRAME_BYTES_MAX  65536u
#define IRQ_DISTANCE_US  1000u /* the loop looks at the event ring itself; the interrupt only ends its sleep */
#define IRQ_EVENTS       64u
#define LIMIT_US         20000000u /* live time a drain may take */

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* ---- wire -------------------------------------------------------------------------------------------------------- */

/* A frame reached the far end. */
static void on_frame(void *user, const uint8_t *frame, size_t len_bytes, uint64_t time_us)
{
    struct daemon *d = user;
    (void)time_us;
    if (write(flue_tap_fd(d->wire_tap), frame, len_bytes) < 0)
        d->wire_refused++;
    relays_wire(d->relays, frame, len_bytes);
}

/* Frames the far end's kernel sends, as long as the wire has room. */
static void wire_receive(struct daemon *d)
{
    static uint8_t frame[FRAME_BYTES_MAX];

    while (d->wire_ready && flue_sim_wire_waiting(d->sim) < WIRE_WAITING_MAX) {
        ssize_t n = read(flue_tap_fd(d->wire_tap), frame, sizeof frame);
        if (n < 0 && errno == EAGAIN)
            d->wire_ready = false;
        else if (n > 0 && flue_sim_wire_send(d->sim, frame, (size_t)n) != FLUE_OK)
            log_line(LOG_WARN, "wire: a frame of %zd bytes was not taken", n);
    }
}

/* Packets as the host's kernel gave or got them, for the capture. */
static void on_packet(void *ctx, bool tx, const uint8_t *frame, size_t len_bytes)
{
    struct daemon *d = ctx;
    flue_sim_note_host(d->sim, tx ? FLUE_SIM_HOST_TX : FLUE_SIM_HOST_RX, frame, len_bytes, NULL);
}

/* ---- adapter ----------------------------------------------------------------------------------------------------- */

/* The kernel is silent about connections that are in the adapter. */
static bool on_withheld(void *ctx, const uint8_t *frame, size_t len_bytes)
{
    const struct daemon *d = ctx;
    return relays_withhold(d->relays, frame, len_bytes);
}

/* Frames of adopted connections, and the ends of hold and release. */
static void on_diverted(void *ctx, const struct flue_rx_done *done, const uint8_t *frame)
{
    struct daemon *d = ctx;
    relays_diverted(d->relays, done, frame);
}

static void on_marker(void *ctx, uint32_t conn_handle, uint32_t number)
{
    struct daemon *d = ctx;
    relays_marker(d->relays, conn_handle, number);
}

static void fail(struct daemon *d, int status)
{
    d->stop = true;
    d->exit_status = status;
}

/* Judge the result of a step; false when the daemon must end. */
static bool step_ok(struct daemon *d, const char *what, enum flue_err err)
{
    if (err == FLUE_OK)
        return true;
    const char *violation = flue_sim_violation(d->sim);
    if (violation != NULL) {
        log_line(LOG_ERROR, "monitor: %s", violation);
        fail(d, 3);
    } else {
        const char *fault = d->adapter != NULL ? flue_adapter_fault(d->adapter) : NULL;
        log_line(LOG_ERROR, "%s: %s%s%s", what, flue_err_name(err), fault != NULL ? ": " : "", fault != NULL ? fault : "");
        fail(d, 1);
    }
    return false;
}

enum flue_err daemon_reset(struct daemon *d)
{
    offload_reset_begin(d->offload);
    enum flue_err err = flue_adapter_reset(d->adapter);
    if (err == FLUE_OK)
        err = flue_port_refill(d->port);
    enum flue_err ended = offload_reset_end(d->offload);
    return err != FLUE_OK ? err : ended;
}

static void recover(struct daemon *d)
{
    static const char *const name[] = {"transmit", "receive"};

    for (unsigned q = FLUE_Q_TX; q <= FLUE_Q_RX; q++)
        if (flue_queue_stopped(d->adapter, (enum flue_queue_id)q)) {
            log_line(LOG_WARN, "the %s queue stopped with an error; recovering", name[q]);
            step_ok(d, "recovery", flue_queue_recover(d->adapter, (enum flue_queue_id)q));
        }
    if (flue_queue_stopped(d->adapter, FLUE_Q_EVENTS)) {
        log_line(LOG_WARN, "the event queue stopped with an error; resetting the adapter");
        step_ok(d, "reset", daemon_reset(d));
    }
}

static void take_events(struct daemon *d)
{
    unsigned handled = 0;

    if (!step_ok(d, "poll", flue_poll(d->adapter, EVENTS_A_POLL, &handled)))
        return;
    offload_run(d->offload);
    recover(d);
    if (!d->stop)
        step_ok(d, "receive buffers", flue_port_refill(d->port));
}

static bool wants_events(const struct daemon *d)
{
    struct flue_link *link = flue_sim_link(d->sim);
    return link->ops->irq(link) || flue_pending(d->adapter);
}

/* True when there is something to do without anything new from outside. */
static bool busy(const struct daemon *d)
{
    return !flue_sim_is_idle(d->sim) || wants_events(d) || d->copying || (d->host_ready && !d->host_blocked) ||
           (d->wire_ready && flue_sim_wire_waiting(d->sim) < WIRE_WAITING_MAX);
}

static void turn(struct daemon *d)
{
    enum flue_sim_why why;

    wire_receive(d);
    if (d->host_ready || d->host_blocked) {
        if (!step_ok(d, "send", flue_port_send(d->port, &d->host_blocked)))
            return;
        d->host_ready = d->host_blocked;
    }
    d->copying = relays_run(d->relays);
    if (!step_ok(d, "run", flue_sim_run(d->sim, CYCLES_A_TURN, 0, &why)))
        return;
    if (wants_events(d)) {
        take_events(d);
        /* Completions make room for what the TAP still has. */
        if (!d->stop && d->host_blocked && step_ok(d, "send", flue_port_send(d->port, &d->host_blocked)))
            d->host_ready = d->host_blocked;
    }
}

/* ---- descriptors ------------------------------------------------------------------------------------------------- */

/* What an epoll entry points to: one of these tags, or a client. */
static char tag_host, tag_wire, tag_signal, tag_listen;

static bool watch(struct daemon *d, int fd, uint32_t events, void *tag)
{
    struct epoll_event e = {.events = events, .data.ptr = tag};
    if (epoll_ctl(d->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0)
        return true;
    log_line(LOG_ERROR, "epoll: %s", strerror(errno));
    return false;
}

static void on_signal(struct daemon *d)
{
    struct signalfd_siginfo info;
    if (read(d->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        log_line(LOG_INFO, "signal %u: stopping", info.ssi_signo);
        d->stop = true;
    }
}

static void on_ready(struct daemon *d, void *tag)
{
    if (tag == &tag_host) {
        d->host_ready = true;
    } else if (tag == &tag_wire) {
        d->wire_ready = true;
    } else if (tag == &tag_signal) {
        on_signal(d);
    } else if (tag == &tag_listen) {
        struct client *client = control_accept(d);
        if (client != NULL && !watch(d, control_fd(client), EPOLLIN, client))
            control_drop(client);
    } else if (tag != NULL) { /* null: a descriptor of an adopted connection */
        control_serve(d, tag);
        if (!d->stop)
            offload_run(d->offload); /* what the request began may need no event to go on */
    }
}

static void wait_ready(struct daemon *d)
{
    struct epoll_event ready[READY_MAX];
    struct timespec timeout = {0}, *limit = &timeout;
    uint64_t due_us;

    if (!busy(d)) {
        uint64_t move_us;
        bool due = flue_sim_next_us(d->sim, &due_us);
        limit = NULL;
        if (relays_next_us(d->relays, &move_us) && (!due || move_us < due_us)) {
            due = true;
            due_us = move_us;
        }
        if (due) {
            uint64_t now = flue_sim_time_us(d->sim), left = due_us > now ? due_us - now : 0;
            timeout = (struct timespec){.tv_sec = (time_t)(left / 1000000u), .tv_nsec = (long)(left % 1000000u) * 1000};
            limit = &timeout;
        }
    }
    int n = epoll_pwait2(d->epoll_fd, ready, READY_MAX, limit, NULL);
    for (int i = 0; i < n; i++)
        on_ready(d, ready[i].data.ptr);
}

/* ---- settings ---------------------------------------------------------------------------------------------------- */

const char *daemon_configure(struct daemon *d, const struct flue_config *request)
{
    switch (flue_port_config_set(d->port, request)) {
    case FLUE_OK:
        offload_config_changed(d->offload);
        log_line(LOG_INFO, "settings changed; offload mask of %s is 0x%02x", flue_tap_name(d->host_tap),
                 flue_tap_offload(d->host_tap));
        return NULL;
    case FLUE_EUNSUPP:
        return "the adapter lacks one of these abilities; nothing was changed";
    case FLUE_EARG:
        return "a value is not one of its switch; nothing was changed";
    case FLUE_EIO:
        return "the interface did not take the new offload mask";
    default:
        return "the adapter did not take the settings";
    }
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

static bool end_open(const struct end_options *o, unsigned mtu_bytes, bool vnet_header, struct flue_tap **tap)
{
    struct flue_tap_params params = {.name = o->name, .netns = o->netns, .vnet_header = vnet_header};
    enum flue_err err = flue_tap_open(&params, tap);

    if (err == FLUE_OK)
        err = flue_tap_mtu_set(*tap, mtu_bytes);
    for (unsigned i = 0; err == FLUE_OK && i < o->address_count; i++) {
        err = flue_tap_address_add(*tap, o->address[i]);
        if (err == FLUE_EARG) {
            log_line(LOG_ERROR, "'%s' is not an address with its prefix length", o->address[i]);
            return false;
        }
    }
    if (err == FLUE_EARG)
        log_line(LOG_ERROR, "'%s' cannot be the name of an interface", o->name);
    else if (err != FLUE_OK)
        log_line(LOG_ERROR, "%s: %s", flue_tap_error(), strerror(errno));
    return err == FLUE_OK;
}

static bool adapter_open(struct daemon *d)
{
    struct flue_open_params params = {.irq_distance_us = IRQ_DISTANCE_US, .irq_events = IRQ_EVENTS, .limit_us = LIMIT_US};
    struct flue_port_params port = {
        .note = on_packet, .withheld = on_withheld, .diverted = on_diverted, .marker = on_marker, .ctx = d};
    struct flue_link *link = flue_sim_link(d->sim);
    struct flue_identity id;

    if (!step_ok(d, "port", flue_port_new(d->host_tap, &port, &d->port)))
        return false;
    struct flue_handlers handlers = flue_port_handlers(d->port);
    enum flue_err err = flue_adapter_open(link, &params, &handlers, &d->adapter);
    if (err == FLUE_EVERSION && flue_identify(link, &id) == FLUE_EVERSION) {
        log_line(LOG_ERROR, "driver of contract %u.%u, adapter of contract %u.%u: refused", id.want_major, id.want_minor,
                 id.major, id.minor);
        fail(d, 1);
        return false;
    }
    if (!step_ok(d, "adapter", err))
        return false;
    if (d->options->mtu_bytes + 14 > flue_adapter_identity(d->adapter)->max_frame_bytes - 4) {
        log_line(LOG_ERROR, "--mtu %u is more than this adapter's frames hold (%u bytes with a tag)", d->options->mtu_bytes,
                 flue_adapter_identity(d->adapter)->max_frame_bytes);
        fail(d, 1);
        return false;
    }
    d->options->settings.max_frame_bytes = d->options->mtu_bytes + 14;
    if (!step_ok(d, "buffers", flue_port_start(d->port, d->adapter)))
        return false;
    d->offload = offload_open(d);
    d->relays = relays_open(d);
    if (d->offload == NULL || d->relays == NULL) {
        fail(d, 1);
        return false;
    }
    const char *wrong = daemon_configure(d, &d->options->settings);
    if (wrong != NULL) {
        log_line(LOG_ERROR, "--set: %s", wrong);
        fail(d, 1);
        return false;
    }
    return step_ok(d, "--fault", flue_fault_set(d->adapter, d->options->fault));
}

static bool sim_open(struct daemon *d)
{
    struct flue_sim_config *cfg = &d->options->sim;
    cfg->on_frame = on_frame;
    cfg->user = d;
    enum flue_err err = flue_sim_open(cfg, &d->sim);
    if (err == FLUE_OK) {
        if (cfg->pcap_path != NULL)
            snprintf(d->pcap_path, sizeof d->pcap_path, "%s", cfg->pcap_path);
        return true;
    }
    log_line(LOG_ERROR, "simulator: %s", flue_sim_open_error());
    fail(d, err == FLUE_EARG ? 2 : 1);
    return false;
}

static bool signals_open(struct daemon *d)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    d->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return d->signal_fd >= 0;
}

static bool start(struct daemon *d)
{
    struct options *o = d->options;

    d->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (d->epoll_fd < 0 || !signals_open(d)) {
        log_line(LOG_ERROR, "start: %s", strerror(errno));
        return false;
    }
    d->listen_fd = control_listen(o->socket_path);
    if (d->listen_fd < 0 || !end_open(&o->host, o->mtu_bytes, true, &d->host_tap) ||
        !end_open(&o->wire, o->mtu_bytes, false, &d->wire_tap) || !sim_open(d) || !adapter_open(d))
        return false;
    if (flue_tap_up(d->host_tap) != FLUE_OK || flue_tap_up(d->wire_tap) != FLUE_OK) {
        log_line(LOG_ERROR, "%s: %s", flue_tap_error(), strerror(errno));
        return false;
    }
    return watch(d, d->signal_fd, EPOLLIN, &tag_signal) && watch(d, d->listen_fd, EPOLLIN, &tag_listen) &&
           watch(d, flue_tap_fd(d->host_tap), EPOLLIN | EPOLLET, &tag_host) &&
           watch(d, flue_tap_fd(d->wire_tap), EPOLLIN | EPOLLET, &tag_wire);
}

/* The reverse of start(), from whatever was reached. */
static void finish(struct daemon *d)
{
    relays_close(d->relays);
    offload_close(d->offload);
    flue_adapter_close(d->adapter);
    flue_port_free(d->port);
    if (d->sim != NULL) {
        const char *violation = flue_sim_violation(d->sim);
        if (violation != NULL && d->exit_status != 3) {
            log_line(LOG_ERROR, "monitor: %s", violation);
            d->exit_status = 3;
        }
        enum flue_err err = flue_sim_close(d->sim);
        if (err == FLUE_EIO) {
            log_line(LOG_ERROR, "a file of the simulator could not be written to its end");
            if (d->exit_status == 0)
                d->exit_status = 1;
        }
    }
    flue_tap_close(d->wire_tap);
    flue_tap_close(d->host_tap);
    if (d->listen_fd >= 0) {
        close(d->listen_fd);
        unlink(d->options->socket_path);
    }
    if (d->signal_fd >= 0)
        close(d->signal_fd);
    if (d->epoll_fd >= 0)
        close(d->epoll_fd);
}

int daemon_run(struct options *options)
{
    struct daemon d = {.options = options,
                       .passed_fd = -1,
                       .answer_fd = -1,
                       .epoll_fd = -1,
                       .signal_fd = -1,
                       .listen_fd = -1,
                       .started_us = now_us()};

    if (start(&d)) {
        log_line(LOG_INFO, "%s%s%s, wire at %s%s%s, width %u, seed %" PRIu64 ", socket %s", flue_tap_name(d.host_tap),
                 options->host.netns != NULL ? "@" : "", options->host.netns != NULL ? options->host.netns : "",
                 flue_tap_name(d.wire_tap), options->wire.netns != NULL ? "@" : "",
                 options->wire.netns != NULL ? options->wire.netns : "", flue_adapter_identity(d.adapter)->width_bits,
                 flue_sim_seed(d.sim), options->socket_path);
        d.host_ready = d.wire_ready = true;
        while (!d.stop) {
            d.loops++;
            wait_ready(&d);
            if (!d.stop)
                turn(&d);
        }
    } else if (d.exit_status == 0) {
        d.exit_status = 1;
    }
    finish(&d);
    return d.exit_status;
}
