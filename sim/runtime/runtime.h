/*
 * The simulator's inside: one adapter model, its clock, host memory, registers, wire and monitors.
 */
#ifndef FLUE_RUNTIME_H
#define FLUE_RUNTIME_H

#include "flog.h"
#include "flue/sim.h"
#include "hostmem.h"
#include "model.h"
#include "monitor.h"
#include "pcapng.h"
#include "rings.h"
#include "rng.h"
#include "watch.h"
#include "wire.h"

enum {
    FLUE_FRAME_BYTES = 65536, /* room for a frame that never ends */
    FLUE_SETTLED_CYCLES = 8,  /* cycles without any stimulus after which idle_o counts */
};

/* One register access at a time. */
struct flue_axil {
    bool busy;
    bool write;
    bool addr_done, data_done;
    uint32_t value;
    uint8_t resp;
};

/* Byte times of a frame of len bytes on a line of so many Mb/s, in ns. */
static inline uint64_t flue_line_ns(uint32_t mbps, size_t len)
{
    return (len + FLUE_WIRE_OVERHEAD) * 8000 / mbps;
}

/* The port towards the adapter: one frame goes in, beat by beat. */
struct flue_rx_port {
    struct flue_wire_frame *frame;
    uint32_t at;  /* bytes that were taken */
    uint32_t gap; /* idle cycles still to come before the next frame */
    uint32_t gap_cycles;
    uint64_t stalled;
    uint64_t line_free_ns; /* the line brings the next frame from then on */
    struct flue_rng rng;
    uint64_t odds;
};

/* The port from the adapter: a frame comes together. */
struct flue_tx_port {
    uint8_t data[FLUE_FRAME_BYTES + FLUE_MODEL_BYTES_MAX];
    uint32_t len;
    bool stalled;
    struct {
        uint8_t data[FLUE_MODEL_BYTES_MAX];
        uint64_t keep;
        uint32_t bits;
    } last;
    struct flue_rng rng;
    uint64_t odds;
    uint64_t frames;
    uint64_t line_free_ns; /* the line is busy until then with the last frame */
    uint64_t begun_ns;     /* of the frame that comes together */
};

/* A frame that reached the peer and was not fetched yet. */
struct flue_arrived {
    struct flue_arrived *next;
    uint64_t time_us;
    size_t len;
    uint8_t data[];
};

struct flue_sim {
    struct flue_link link; /* first: flue_sim_link() */
    struct flue_sim_config cfg;
    const struct flue_model_api *api;
    void *model;

    struct flue_model_in in;   /* of the next cycle */
    struct flue_model_out out; /* of the last */

    uint64_t cycles;
    uint64_t time_us;          /* adapter time; live: as of the last look at the clock */
    uint32_t sub;              /* cycles since time_us began (virtual) */
    uint32_t clock_khz, phase; /* thousandths of a cycle's share of a microsecond: time_us goes on when it reaches clock_khz */
    uint64_t skipped_us;
    uint64_t live_start_ns;
    uint32_t period_ps;

    struct flue_axil axil;
    struct flue_hostmem mem;
    struct flue_rings rings;
    struct flue_watch watch;
    struct flue_wire tx_wire, rx_wire;
    struct flue_tx_port tx;
    struct flue_rx_port rx;
    uint64_t tx_due_ns, rx_due_ns; /* when the wires have something */
    bool frame_arrived;            /* since the run began */
    struct flue_sim_peer *peer;    /* the process at the far end, NULL = none */
    struct flue_arrived *arrived, **arrived_end;

    struct flue_monitor mon;
    uint32_t settled;        /* cycles since the last stimulus */
    uint64_t progress_cycle; /* last cycle with a beat of DMA or wire */
    uint64_t overdue_cycle;  /* when the deadline passed that still stands, 0 = none */
    uint32_t was_bits;       /* output bits of the cycle before */
    bool allow_stall, allow_bad;
    uint64_t frames_checked, frames_exempt, ip4_checksums, tcp_checksums, udp_checksums;
    uint64_t reg_reads, reg_writes;
    bool failed_reported; /* the model's own assertion */

    struct flue_pcapng *pcap;
    struct flue_flog log;
    bool logging;
    bool tracing;
    uint64_t trace_ps;
};

/* As flue_sim_open() with a model that is at hand. */
FLUE_MUST_CHECK enum flue_err flue_sim_open_model(const struct flue_sim_config *cfg, const struct flue_model_api *api,
                                                  struct flue_sim **sim);

/* As flue_sim_replay() without waves, with a model that is at hand. */
FLUE_MUST_CHECK enum flue_err flue_sim_replay_model(const char *path, const struct flue_model_api *api,
                                                    struct flue_sim_replay_result *result);

/* Find and load the model of a width.  FLUE_EUNSUPP: flue_sim_open_error() says where it was sought. */
FLUE_MUST_CHECK enum flue_err flue_sim_load(const char *dir, unsigned width, bool traced, const struct flue_model_api **api);

/* Keep the reason of a failed open. */
void flue_sim_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One clock cycle and all that follows from it. */
void flue_sim_cycle(struct flue_sim *sim);

/* Adapter time in ns, as of the last cycle. */
static inline uint64_t flue_sim_now_ns(const struct flue_sim *s)
{
    return s->time_us * 1000 + (uint64_t)s->sub * s->period_ps / 1000;
}

/* Wire ports (ports.c). */
void flue_ports_init(struct flue_sim *sim);
void flue_ports_free(struct flue_sim *sim);
void flue_tx_step(struct flue_sim *sim);
void flue_rx_step(struct flue_sim *sim);
void flue_rx_look(struct flue_sim *sim);    /* when the next frame towards the adapter begins: rx_due_ns */
void flue_tx_deliver(struct flue_sim *sim); /* frames that are due at the peer */

/* Registers (axil.c). */
void flue_axil_step(struct flue_sim *sim);
FLUE_MUST_CHECK enum flue_err flue_axil_read(struct flue_sim *sim, uint32_t offset, uint32_t *value);
FLUE_MUST_CHECK enum flue_err flue_axil_write(struct flue_sim *sim, uint32_t offset, uint32_t value);

/* The link's operations (host/link/sim_link.c). */
extern const struct flue_link_ops flue_sim_link_ops;

#endif
