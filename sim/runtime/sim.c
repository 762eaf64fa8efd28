/* Open, clock, skip, close. */
#include "runtime.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "flue/regs.h"
#include "flue/sim_peer.h"
#include "peer.h"

enum {
    RESET_CYCLES = 8,
    LIVE_LOOK_CYCLES = 64, /* live: the wall clock is read so often while clocking */
    OVERDUE_CYCLES = 4096, /* a deadline that passed must be acted on within */
    STUCK_US = 100000,
    LIVE_RX_IDLE = 48, /* live: no faster than the adapter writes, so that only buffers run out */
};

static _Thread_local char open_error[512];

void flue_sim_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(open_error, sizeof open_error, format, args);
    va_end(args);
}

const char *flue_sim_open_error(void)
{
    return open_error;
}

void flue_sim_config_init(struct flue_sim_config *cfg)
{
    memset(cfg, 0, sizeof *cfg);
    cfg->width = 128;
    cfg->clock_mhz = 125;
    cfg->stuck_us = STUCK_US;
}

/* --- Time ----------------------------------------------------------------------------------------------------------------- */

static uint64_t wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void live_look(struct flue_sim *s)
{
    uint64_t now = s->cfg.start_us + (wall_ns() - s->live_start_ns) / 1000;
    if (now > s->time_us) {
        s->time_us = now;
        s->mon.now_us = now;
        s->settled = 0; /* a new time is a stimulus */
    }
}

static void tick(struct flue_sim *s)
{
    s->cycles++;
    s->mon.cycle = s->cycles;
    if (s->cfg.mode == FLUE_SIM_LIVE) {
        if (s->cycles % LIVE_LOOK_CYCLES == 0)
            live_look(s);
        return;
    }
    s->sub++;
    s->phase += 1000;
    if (s->phase >= s->clock_khz) {
        s->phase -= s->clock_khz;
        s->sub = 0;
        s->mon.now_us = ++s->time_us;
    }
}

uint64_t flue_sim_time_us(const struct flue_sim *s)
{
    if (s->cfg.mode == FLUE_SIM_VIRTUAL)
        return s->time_us;
    uint64_t now = s->cfg.start_us + (wall_ns() - s->live_start_ns) / 1000;
    return now > s->time_us ? now : s->time_us;
}

/* --- A cycle -------------------------------------------------------------------------------------------------------------- */

static const uint32_t IN_STIMULUS = FLUE_IN_AXIL_AWVALID | FLUE_IN_AXIL_WVALID | FLUE_IN_AXIL_BREADY | FLUE_IN_AXIL_ARVALID |
                                    FLUE_IN_AXIL_RREADY | FLUE_IN_AXI_BVALID | FLUE_IN_AXI_RVALID | FLUE_IN_RX_VALID;
static const uint32_t OUT_WORK = FLUE_OUT_AXI_ARVALID | FLUE_OUT_AXI_AWVALID | FLUE_OUT_AXI_WVALID | FLUE_OUT_TX_VALID;

static bool deadline_passed(const struct flue_sim *s)
{
    return (s->out.bits & FLUE_OUT_DEADLINE) && s->out.deadline_us <= s->in.time_us;
}

/* idle_o is honest: while it is high nothing is offered and, without a stimulus, nothing begins. */
static void check_idle(struct flue_sim *s)
{
    const uint32_t bits = s->out.bits, fell = s->was_bits & ~bits;
    if ((s->in.bits & IN_STIMULUS) || deadline_passed(s))
        s->settled = 0;
    else
        s->settled++;
    if ((bits & FLUE_OUT_IDLE) && (bits & OUT_WORK))
        flue_monitor_fail(&s->mon, "idle", "idle_o is high while %s is offered",
                          bits & FLUE_OUT_TX_VALID ? "a wire beat" : "a bus access");
    if ((bits & FLUE_OUT_IDLE) && s->mem.busy && (s->mem.reads || s->mem.write_head != s->mem.write_aw))
        flue_monitor_fail(&s->mon, "idle", "idle_o is high while a bus access is not answered");
    if ((fell & FLUE_OUT_IDLE) && s->settled > FLUE_SETTLED_CYCLES)
        flue_monitor_fail(&s->mon, "idle", "idle_o fell without a cause");
    if (((s->was_bits ^ bits) & FLUE_OUT_IRQ) && (bits & FLUE_OUT_IDLE) && s->settled > FLUE_SETTLED_CYCLES)
        flue_monitor_fail(&s->mon, "idle", "the interrupt changed while idle");
}

/* Work that is pending moves on, and a deadline that passed is acted on. */
static void check_progress(struct flue_sim *s)
{
    const uint32_t in = s->in.bits, out = s->out.bits;
    bool beat = ((in & FLUE_IN_AXI_RVALID) && (out & FLUE_OUT_AXI_RREADY)) ||
                ((in & FLUE_IN_AXI_BVALID) && (out & FLUE_OUT_AXI_BREADY)) ||
                ((in & FLUE_IN_AXI_ARREADY) && (out & FLUE_OUT_AXI_ARVALID)) ||
                ((in & FLUE_IN_AXI_AWREADY) && (out & FLUE_OUT_AXI_AWVALID)) ||
                ((in & FLUE_IN_AXI_WREADY) && (out & FLUE_OUT_AXI_WVALID)) ||
                ((in & FLUE_IN_TX_READY) && (out & FLUE_OUT_TX_VALID));
    if (beat || (out & FLUE_OUT_IDLE) || s->allow_stall)
        s->progress_cycle = s->cycles;
    else if (s->cycles - s->progress_cycle > (uint64_t)s->cfg.stuck_us * s->cfg.clock_mhz) {
        flue_monitor_fail(&s->mon, "liveness", "work is pending and nothing moved for %u us", s->cfg.stuck_us);
        s->progress_cycle = s->cycles;
    }
    if (!deadline_passed(s)) {
        s->overdue_cycle = 0;
    } else if (!s->overdue_cycle) {
        s->overdue_cycle = s->cycles + 1;
    } else if (s->cycles - s->overdue_cycle > OVERDUE_CYCLES && (out & FLUE_OUT_IDLE)) {
        flue_monitor_fail(&s->mon, "liveness", "the deadline of %" PRIu64 " us passed and nothing happened",
                          s->out.deadline_us);
        s->overdue_cycle = s->cycles + 1;
    }
}

void flue_sim_cycle(struct flue_sim *s)
{
    s->in.time_us = s->time_us;
    if (s->tracing) {
        uint64_t ps = s->time_us * UINT64_C(1000000) + (uint64_t)s->sub * s->period_ps;
        s->trace_ps = ps > s->trace_ps ? ps : s->trace_ps + s->period_ps;
        s->api->cycle_traced(s->model, &s->in, &s->out, s->trace_ps, s->period_ps / 2);
    } else {
        s->api->cycle(s->model, &s->in, &s->out);
    }
    if (s->logging)
        flue_flog_cycle(&s->log, &s->in, &s->out);

    if (s->in.bits & FLUE_IN_RST) { /* registers are random until the first edge */
        s->settled = 0;
        s->progress_cycle = s->cycles;
        tick(s);
        return;
    }
    const uint32_t out = s->out.bits;
    check_idle(s);
    check_progress(s);
    if ((out & FLUE_HOSTMEM_OUT) || s->mem.busy)
        flue_hostmem_step(&s->mem, &s->in, &s->out);
    if ((out & FLUE_OUT_TX_VALID) || s->tx.odds || s->tx.stalled)
        flue_tx_step(s);
    if (s->rx.frame || s->rx.gap || (s->rx_due_ns != UINT64_MAX && s->rx_due_ns <= flue_sim_now_ns(s)))
        flue_rx_step(s);
    if (s->axil.busy)
        flue_axil_step(s);
    if (s->tx_due_ns != UINT64_MAX && s->tx_due_ns <= flue_sim_now_ns(s))
        flue_tx_deliver(s);
    s->was_bits = out;
    tick(s);
    if (!s->failed_reported && s->api->failed(s->model)) {
        s->failed_reported = true;
        flue_monitor_fail(&s->mon, "rtl", "an assertion of the RTL failed (named on standard output)");
    }
}

/* --- Runs ----------------------------------------------------------------------------------------------------------------- */

static bool model_settled(const struct flue_sim *s)
{
    return s->settled >= FLUE_SETTLED_CYCLES && (s->out.bits & FLUE_OUT_IDLE) && !s->mem.busy && !s->axil.busy &&
           !s->rx.frame && !s->rx.gap;
}

bool flue_sim_next_us(const struct flue_sim *s, uint64_t *at_us)
{
    uint64_t due_ns = s->tx_due_ns < s->rx_due_ns ? s->tx_due_ns : s->rx_due_ns;
    uint64_t due = due_ns == UINT64_MAX ? UINT64_MAX : (due_ns + 999) / 1000;
    if ((s->out.bits & FLUE_OUT_DEADLINE) && s->out.deadline_us < due)
        due = s->out.deadline_us;
    *at_us = due;
    return due != UINT64_MAX;
}

bool flue_sim_is_idle(const struct flue_sim *s)
{
    uint64_t due;
    return model_settled(s) && (!flue_sim_next_us(s, &due) || due > flue_sim_time_us(s));
}

/* Whether `until` is met. */
static bool stops(const struct flue_sim *s, unsigned until, enum flue_sim_why *why)
{
    if ((until & FLUE_SIM_UNTIL_IRQ) && (s->out.bits & FLUE_OUT_IRQ)) {
        *why = FLUE_SIM_IRQ;
        return true;
    }
    if ((until & FLUE_SIM_UNTIL_FRAME) && s->frame_arrived) {
        *why = FLUE_SIM_FRAME;
        return true;
    }
    return false;
}

enum flue_err flue_sim_run(struct flue_sim *s, uint64_t max_cycles, unsigned until, enum flue_sim_why *why)
{
    s->frame_arrived = false;
    *why = FLUE_SIM_LIMIT;
    if (s->cfg.mode == FLUE_SIM_LIVE)
        live_look(s);
    for (uint64_t end = s->cycles + max_cycles; !s->mon.violations;) {
        if (stops(s, until, why))
            return FLUE_OK;
        if (s->cycles >= end)
            return FLUE_OK;
        if (model_settled(s)) {
            uint64_t due;
            if (!flue_sim_next_us(s, &due) || due > s->time_us) {
                *why = FLUE_SIM_IDLE;
                return FLUE_OK;
            }
        }
        flue_sim_cycle(s);
    }
    return FLUE_EMONITOR;
}

/* Let the time until at_us pass without clocking. */
static void skip_to(struct flue_sim *s, uint64_t at_us)
{
    if (s->cfg.mode == FLUE_SIM_LIVE) {
        struct timespec t;
        uint64_t wake = s->live_start_ns + (at_us - s->cfg.start_us) * 1000;
        t.tv_sec = (time_t)(wake / UINT64_C(1000000000));
        t.tv_nsec = (long)(wake % UINT64_C(1000000000));
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
            ;
        uint64_t before = s->time_us;
        live_look(s);
        s->skipped_us += s->time_us - before;
    } else {
        s->skipped_us += at_us - s->time_us;
        s->time_us = at_us;
        s->mon.now_us = at_us;
        s->sub = s->phase = 0;
    }
    s->progress_cycle = s->cycles;
    s->settled = 0; /* a new time is a stimulus */
}

enum flue_err flue_sim_advance(struct flue_sim *s, uint64_t duration_us, unsigned until, enum flue_sim_why *why)
{
    return s->peer ? flue_peer_advance(s, duration_us, until, why) : flue_advance_alone(s, duration_us, until, why);
}

enum flue_err flue_advance_alone(struct flue_sim *s, uint64_t duration_us, unsigned until, enum flue_sim_why *why)
{
    s->frame_arrived = false;
    *why = FLUE_SIM_LIMIT;
    if (s->cfg.mode == FLUE_SIM_LIVE)
        live_look(s);
    for (uint64_t end = s->time_us + duration_us; !s->mon.violations;) {
        if (stops(s, until, why))
            return FLUE_OK;
        if (s->time_us >= end)
            return FLUE_OK;
        uint64_t due;
        if (model_settled(s)) {
            if (!flue_sim_next_us(s, &due) || due > end)
                due = end;
            if (due > s->time_us) {
                skip_to(s, due);
                if (due == end && due != UINT64_MAX) {
                    /* The adapter sees the new time before the caller does. */
                    for (unsigned i = 0; i < FLUE_SETTLED_CYCLES && !s->mon.violations; i++)
                        flue_sim_cycle(s);
                }
                continue;
            }
        }
        flue_sim_cycle(s);
    }
    return FLUE_EMONITOR;
}

enum flue_err flue_sim_settle(struct flue_sim *s, uint64_t max_us)
{
    if (s->cfg.mode == FLUE_SIM_LIVE)
        live_look(s);
    for (uint64_t end = s->time_us + max_us; !s->mon.violations;) {
        uint64_t due;
        if (model_settled(s)) {
            if (!flue_sim_next_us(s, &due))
                return FLUE_OK;
            if (due > end)
                return FLUE_ETIMEOUT;
            if (due > s->time_us) {
                skip_to(s, due);
                continue;
            }
        }
        if (s->time_us >= end)
            return FLUE_ETIMEOUT;
        flue_sim_cycle(s);
    }
    return FLUE_EMONITOR;
}

/* --- Wire ----------------------------------------------------------------------------------------------------------------- */

enum flue_err flue_sim_wire_set(struct flue_sim *s, enum flue_sim_port direction, const char *text)
{
    struct flue_wire_rules rules;
    char why[200];
    if (direction != FLUE_SIM_WIRE_TX && direction != FLUE_SIM_WIRE_RX)
        return FLUE_EARG;
    enum flue_err err = flue_wire_parse(&rules, text, why, sizeof why);
    if (err) {
        flue_sim_error("wire_%s: %s", direction == FLUE_SIM_WIRE_TX ? "tx" : "rx", why);
        return err;
    }
    return flue_wire_set(direction == FLUE_SIM_WIRE_TX ? &s->tx_wire : &s->rx_wire, &rules);
}

enum flue_err flue_sim_wire_send(struct flue_sim *s, const uint8_t *frame, size_t len_bytes)
{
    if (!frame || !len_bytes || len_bytes > 65535)
        return FLUE_EARG;
    if (s->rx_wire.waiting >= FLUE_SIM_WIRE_ROOM)
        return FLUE_EAGAIN;
    if (s->cfg.mode == FLUE_SIM_LIVE)
        live_look(s);
    enum flue_err err = flue_wire_put(&s->rx_wire, flue_sim_now_ns(s), frame, len_bytes);
    flue_rx_look(s);
    return err;
}

size_t flue_sim_wire_waiting(const struct flue_sim *s)
{
    return s->rx_wire.waiting + (s->rx.frame != NULL);
}

enum flue_err flue_sim_wire_recv(struct flue_sim *s, uint8_t *frame, size_t cap_bytes, size_t *len_bytes, uint64_t *time_us)
{
    struct flue_arrived *a = s->arrived;
    *len_bytes = 0;
    if (!a)
        return FLUE_EAGAIN;
    memcpy(frame, a->data, a->len < cap_bytes ? a->len : cap_bytes);
    *len_bytes = a->len;
    if (time_us)
        *time_us = a->time_us;
    s->arrived = a->next;
    if (!s->arrived)
        s->arrived_end = &s->arrived;
    free(a);
    return FLUE_OK;
}

void flue_sim_note_host(struct flue_sim *s, enum flue_sim_port port, const uint8_t *packet, size_t len_bytes,
                        const char *comment)
{
    if (s->pcap && (port == FLUE_SIM_HOST_TX || port == FLUE_SIM_HOST_RX))
        flue_pcapng_packet(s->pcap, port, flue_sim_now_ns(s), packet, len_bytes, comment);
}

enum flue_err flue_sim_pcap_flush(struct flue_sim *s)
{
    return s->pcap ? flue_pcapng_flush(s->pcap) : FLUE_OK;
}

/* --- Memory, monitors, statistics ----------------------------------------------------------------------------------------- */

enum flue_err flue_sim_memory_set(struct flue_sim *s, const struct flue_sim_memory *memory)
{
    return flue_hostmem_set(&s->mem, memory);
}

enum flue_err flue_sim_memory_error(struct flue_sim *s, const struct flue_sim_memory_error *error)
{
    return flue_hostmem_arm(&s->mem, error);
}

const char *flue_sim_violation(const struct flue_sim *s)
{
    return s->mon.violations ? s->mon.first : NULL;
}

void flue_sim_allow_bad_checksums(struct flue_sim *s, bool allow)
{
    s->allow_bad = allow;
}

void flue_sim_allow_stall(struct flue_sim *s, bool allow)
{
    s->allow_stall = allow;
}

void flue_sim_stats(const struct flue_sim *s, struct flue_sim_stats *stats)
{
    *stats = (struct flue_sim_stats){
        .cycles = s->cycles,
        .skipped_us = s->skipped_us,
        .time_us = flue_sim_time_us(s),
        .wire_tx = s->tx_wire.stats,
        .wire_rx = s->rx_wire.stats,
        .ip4_checksums = s->ip4_checksums,
        .tcp_checksums = s->tcp_checksums,
        .udp_checksums = s->udp_checksums,
        .frames_checked = s->frames_checked,
        .frames_exempt = s->frames_exempt,
        .violations = s->mon.violations,
        .reg_reads = s->reg_reads,
        .reg_writes = s->reg_writes,
        .dma_read_bursts = s->mem.read_bursts,
        .dma_write_bursts = s->mem.write_bursts,
        .dma_read_bytes = s->mem.read_bytes,
        .dma_write_bytes = s->mem.write_bytes,
        .dma_errors = s->mem.injected,
        .events = s->rings.events,
        .rx_stalled = s->rx.stalled,
        .tcp_events = s->watch.events,
        .tcp_segments = s->watch.frames,
        .tcp_bytes = s->watch.bytes,
    };
}

uint64_t flue_sim_seed(const struct flue_sim *s)
{
    return s->cfg.seed;
}

struct flue_link *flue_sim_link(struct flue_sim *s)
{
    return &s->link;
}

/* --- Open and close ------------------------------------------------------------------------------------------------------- */

static enum flue_err check_config(const struct flue_sim_config *cfg)
{
    if (cfg->clock_mhz < 1 || cfg->clock_mhz > 1000) {
        flue_sim_error("clock_mhz: 1 to 1000");
        return FLUE_EARG;
    }
    if (cfg->clock_khz && (cfg->clock_khz < 1000 || cfg->clock_khz > 1000000)) {
        flue_sim_error("clock_khz: 1,000 to 1,000,000");
        return FLUE_EARG;
    }
    if (!(cfg->wire_tx_stall >= 0 && cfg->wire_tx_stall <= 0.95) || !(cfg->wire_rx_gap >= 0 && cfg->wire_rx_gap <= 0.95)) {
        flue_sim_error("wire_tx_stall, wire_rx_gap: 0 to 0.95");
        return FLUE_EARG;
    }
    return FLUE_OK;
}

/* The capture's section comment: enough to run again. */
static void describe(const struct flue_sim *s, char *text, size_t len)
{
    const struct flue_sim_config *c = &s->cfg;
    snprintf(
        text, len,
        "flue simulation\nseed=%" PRIu64 "\nmode=%s\nwidth=%u\nclock_khz=%u\nwire_tx=%s\nwire_rx=%s\nwire_tx_stall=%g\n"
        "wire_rx_gap=%g\nmemory=stall %g latency %u-%u reorder %d outstanding %u read_error %g write_error %g\nlog=%s\nnote=%s",
        c->seed, c->mode == FLUE_SIM_LIVE ? "live" : "virtual", c->width, s->clock_khz, c->wire_tx ? c->wire_tx : "",
        c->wire_rx ? c->wire_rx : "", c->wire_tx_stall, c->wire_rx_gap, c->memory.stall, c->memory.latency_min,
        c->memory.latency_max, c->memory.reorder, c->memory.outstanding, c->memory.read_error, c->memory.write_error,
        c->log_path ? c->log_path : "", c->note ? c->note : "");
}

enum flue_err flue_sim_pcap_open(struct flue_sim *s, const char *path)
{
    static const char *const PORTS[FLUE_SIM_PORTS] = {"host_tx",      "host_rx",      "wire_tx",
                                                      "wire_tx_peer", "wire_rx_peer", "wire_rx"};
    char text[4096];
    if (!path)
        return FLUE_EARG;
    if (s->pcap)
        return FLUE_ESTATE;
    describe(s, text, sizeof text);
    enum flue_err err = flue_pcapng_open(path, text, PORTS, FLUE_SIM_PORTS, 0, &s->pcap);
    if (err)
        flue_sim_error("%s: %s", path, strerror(errno));
    return err;
}

enum flue_err flue_sim_pcap_close(struct flue_sim *s)
{
    struct flue_pcapng *pcap = s->pcap;
    s->pcap = NULL;
    return pcap ? flue_pcapng_close(pcap) : FLUE_ESTATE;
}

static enum flue_err open_files(struct flue_sim *s)
{
    const struct flue_sim_config *c = &s->cfg;
    enum flue_err err = c->pcap_path ? flue_sim_pcap_open(s, c->pcap_path) : FLUE_OK;
    if (!err && c->log_path) {
        err = flue_flog_create(&s->log, c->log_path, c->width, c->clock_mhz, c->seed);
        s->logging = !err;
        if (err)
            flue_sim_error("%s: %s", c->log_path, strerror(errno));
    }
    if (!err && c->fst_path) {
        s->tracing = s->api->trace_open(s->model, c->fst_path);
        if (!s->tracing) {
            flue_sim_error("%s: waves cannot be written", c->fst_path);
            err = FLUE_EIO;
        }
    }
    return err;
}

static enum flue_err reset_model(struct flue_sim *s)
{
    flue_hostmem_reset(&s->mem, &s->in);
    s->in.bits |= FLUE_IN_RST;
    for (unsigned i = 0; i < RESET_CYCLES; i++)
        flue_sim_cycle(s);
    s->in.bits &= ~(uint32_t)FLUE_IN_RST;
    for (unsigned i = 0; i < 2 * FLUE_SETTLED_CYCLES; i++)
        flue_sim_cycle(s);
    if (s->mon.violations) {
        flue_sim_error("reset: %s", s->mon.first);
        return FLUE_EMONITOR;
    }
    if (s->cfg.max_frame)
        return FLUE_OK;
    uint32_t build;
    enum flue_err err = flue_axil_read(s, FLUE_REG_BUILD_FRAME, &build);
    if (err)
        flue_sim_error("the adapter does not answer: %s", flue_err_name(err));
    s->cfg.max_frame = (build & FLUE_BUILD_FRAME_MAX_FRAME_MASK) >> FLUE_BUILD_FRAME_MAX_FRAME_SHIFT;
    return err;
}

enum flue_err flue_sim_open_model(const struct flue_sim_config *cfg, const struct flue_model_api *api, struct flue_sim **sim)
{
    *sim = NULL;
    open_error[0] = 0;
    enum flue_err err = check_config(cfg);
    if (err)
        return err;
    struct flue_sim *s = calloc(1, sizeof *s);
    if (!s)
        return FLUE_ENOMEM;
    s->link.ops = &flue_sim_link_ops;
    s->cfg = *cfg;
    s->api = api;
    if (!s->cfg.stuck_us)
        s->cfg.stuck_us = STUCK_US;
    if (s->cfg.mode == FLUE_SIM_LIVE && !s->cfg.wire_rx_idle)
        s->cfg.wire_rx_idle = LIVE_RX_IDLE;
    while (!s->cfg.seed)
        if (getrandom(&s->cfg.seed, sizeof s->cfg.seed, 0) != sizeof s->cfg.seed)
            s->cfg.seed = wall_ns();
    s->clock_khz = s->cfg.clock_khz ? s->cfg.clock_khz : s->cfg.clock_mhz * 1000;
    s->cfg.clock_mhz = (s->clock_khz + 999) / 1000;
    s->period_ps = 1000000000 / s->clock_khz;
    s->time_us = s->mon.now_us = s->cfg.start_us;
    s->live_start_ns = wall_ns();
    flue_hostmem_init(&s->mem, api->width, s->cfg.seed, &s->mon);
    flue_rings_init(&s->rings, &s->mem, &s->mon);
    flue_watch_init(&s->watch, &s->mon, &s->mem);
    flue_ports_init(s);

    s->model = api->create(s->cfg.seed);
    err = s->model ? FLUE_OK : FLUE_ENOMEM;
    if (!err && api->watch)
        api->watch(s->model, flue_watch_engine, &s->watch);
    if (!err && (err = flue_hostmem_set(&s->mem, &s->cfg.memory)))
        flue_sim_error("memory: a field is out of range");
    if (!err && s->cfg.wire_tx)
        err = flue_sim_wire_set(s, FLUE_SIM_WIRE_TX, s->cfg.wire_tx);
    if (!err && s->cfg.wire_rx)
        err = flue_sim_wire_set(s, FLUE_SIM_WIRE_RX, s->cfg.wire_rx);
    if (!err)
        err = open_files(s);
    if (!err)
        err = reset_model(s);
    if (err) {
        enum flue_err ignored = flue_sim_close(s);
        (void)ignored;
        return err;
    }
    s->cfg.wire_tx = s->cfg.wire_rx = s->cfg.pcap_path = s->cfg.log_path = s->cfg.fst_path = NULL;
    s->cfg.model_dir = s->cfg.note = NULL;
    *sim = s;
    return FLUE_OK;
}

enum flue_err flue_sim_close(struct flue_sim *s)
{
    if (!s)
        return FLUE_OK;
    flue_sim_peer_close(s->peer);
    enum flue_err err = s->mon.violations ? FLUE_EMONITOR : FLUE_OK;
    if (s->tracing)
        s->api->trace_close(s->model);
    enum flue_err closed = flue_pcapng_close(s->pcap);
    if (closed && !err)
        err = closed;
    closed = s->logging ? flue_flog_close(&s->log) : FLUE_OK;
    if (closed && !err)
        err = closed;
    flue_ports_free(s);
    if (s->model)
        s->api->destroy(s->model);
    flue_watch_free(&s->watch);
    free(s);
    return err;
}
