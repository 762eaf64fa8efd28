/*
 * The simulated adapter: a Verilated model of the RTL, its host memory, its wire and its clock, in this process.
 *
 *   flue_sim_config_init(&cfg);  cfg.width = 128;  cfg.on_frame = ...;
 *   flue_sim_open(&cfg, &sim);                     reset is over on return
 *   link = flue_sim_link(sim);                     give this to the driver
 *   flue_sim_wire_send(sim, frame, len);           a frame from the peer
 *   flue_sim_advance(sim, 1000, 0, &why);          1 ms passes; idle time costs nothing
 *   flue_sim_close(sim);
 *
 * Two kinds of time.  Virtual: adapter time is clock cycles plus the idle time that was skipped; a run repeats exactly from its
 * seed.  Live: adapter time is the wall clock since open; the caller clocks the adapter with flue_sim_run() while it is not
 * idle and sleeps until flue_sim_next_us() or its own work when it is, so an idle adapter takes no processor time.
 *
 * Monitors are always on.  The first violation is kept as one sentence with time, port and rule (flue_sim_violation()); from
 * then on every call that clocks the adapter returns FLUE_EMONITOR.
 *
 * One thread at a time may use a simulator; several simulators in one process are independent.
 */
#ifndef FLUE_SIM_H
#define FLUE_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flue/err.h"
#include "flue/link.h"

#ifdef __cplusplus
extern "C" {
#endif

struct flue_sim;

enum flue_sim_mode {
    FLUE_SIM_VIRTUAL,
    FLUE_SIM_LIVE,
};

/* Ports of the capture file, one interface block each.  tx is away from the host, rx towards it. */
enum flue_sim_port {
    FLUE_SIM_HOST_TX,      /* packets as the host gave them to the driver (flue_sim_note_host()) */
    FLUE_SIM_HOST_RX,      /* packets as the driver gave them to the host */
    FLUE_SIM_WIRE_TX,      /* frames leaving the adapter, before the wire's impairments; a drop is a comment here */
    FLUE_SIM_WIRE_TX_PEER, /* the same after them: what the peer gets */
    FLUE_SIM_WIRE_RX_PEER, /* frames the peer sent; a drop is a comment here */
    FLUE_SIM_WIRE_RX,      /* frames entering the adapter */
    FLUE_SIM_PORTS
};

/* How host memory answers the adapter's bus.  All zero: every cycle ready, data next cycle, in order. */
struct flue_sim_memory {
    double stall;         /* probability that a channel holds back in a cycle, 0 to 0.95 */
    uint32_t latency_min; /* cycles from an accepted burst address to its first beat or response */
    uint32_t latency_max; /* drawn evenly between the two for each burst */
    bool reorder;         /* bursts of different ids overtake and interleave; writes become visible only with their response */
    uint32_t outstanding; /* bursts accepted in each direction before their end, 1 to 64; 0 = 16 */
    double read_error;    /* probability of an error response, per burst */
    double write_error;
};

/* One exact error of host memory.  Fields left 0 do not restrict; lo = hi = 0 is any address. */
struct flue_sim_memory_error {
    bool write;      /* else reads */
    uint64_t nth;    /* the nth matching burst from now, from 1; 0 = the first */
    uint64_t count;  /* that many in a row; 0 = 1 */
    uint64_t lo, hi; /* bursts that touch [lo, hi) on the bus */
};

/* Called while the adapter is clocked.  frame is borrowed for the call; the callback must not call into the simulator except
 * flue_sim_wire_send(), flue_sim_time_us() and flue_sim_note_host(). */
typedef void flue_sim_frame_fn(void *user, const uint8_t *frame, size_t len_bytes, uint64_t time_us);

/* True: this frame may leave with a checksum that is wrong (the host asked no offload for it).  Counted as exempt. */
typedef bool flue_sim_exempt_fn(void *user, const uint8_t *frame, size_t len_bytes);

struct flue_sim_config {
    unsigned width;          /* data width in bits: 32, 64 or 128 (the models that are installed); default 128 */
    unsigned clock_mhz;      /* cycles per microsecond of adapter time; default 125 */
    unsigned clock_khz;      /* the same finer, such as 62,500; 0 = clock_mhz */
    uint64_t seed;           /* all randomness; 0 = take one from the system (flue_sim_seed() tells) */
    enum flue_sim_mode mode; /* default FLUE_SIM_VIRTUAL */
    uint64_t start_us;       /* adapter time at open; default 0 */

    struct flue_sim_memory memory; /* default all zero */
    const char *wire_tx;           /* impairments adapter to peer, text as below; NULL = none */
    const char *wire_rx;           /* impairments peer to adapter */
    uint32_t line_mbps; /* rate of the line beyond both ports, 24 byte times overhead a frame: the adapter waits for it, as for
                           a MAC, and frames to it come no faster; 0 = as fast as the ports */
    double wire_tx_stall;  /* probability that the wire port does not take a beat */
    double wire_rx_gap;    /* probability of an empty cycle between beats of a frame */
    uint32_t wire_rx_idle; /* cycles between frames beside the 24 byte times of preamble, FCS and gap; live: 0 = 48 */

    flue_sim_frame_fn *on_frame; /* gets every frame the peer gets; NULL: fetch them with flue_sim_wire_recv() */
    flue_sim_exempt_fn *exempt;  /* NULL: nothing is exempt */
    void *user;                  /* for both */

    uint32_t max_frame; /* longest legal frame with tags, without FCS; 0 = the adapter's own (BUILD_FRAME) */
    uint32_t stuck_us;  /* no progress for so long while work is pending is a violation; default 100,000 */

    const char *pcap_path; /* pcapng of all ports; NULL = none */
    const char *log_path;  /* record of every input of the adapter, for flue_sim_replay(); NULL = none */
    const char *fst_path;  /* waves of the whole run (needs the traced model; slow); NULL = none */
    const char *model_dir; /* where libflue_model_w*.so lie; NULL: FLUE_MODEL_DIR, beside the program, installed */
    const char *note;      /* a line for the capture's section header, such as the command line; NULL = none */
};

/* Set every field to its default. */
void flue_sim_config_init(struct flue_sim_config *cfg);

/*
 * Load the model, reset the adapter.  Strings and structs of cfg are copied; callbacks must live until flue_sim_close().
 *
 * Returns FLUE_OK
 *         FLUE_EARG      a field is out of range, or an impairment text is wrong; flue_sim_open_error() names it
 *         FLUE_EUNSUPP   no model of that width (or no traced one) was found; flue_sim_open_error() says where it was sought
 *         FLUE_EIO       a file could not be created; errno says why
 *         FLUE_ENOMEM
 */
FLUE_MUST_CHECK enum flue_err flue_sim_open(const struct flue_sim_config *cfg, struct flue_sim **sim);

/* Why the last flue_sim_open(), flue_sim_wire_set() or flue_sim_replay() of this thread failed: one line.  Static storage. */
const char *flue_sim_open_error(void);

/*
 * Finish the capture, the log and the waves, and free everything.  Frames still on the wire are gone.
 * Returns FLUE_EMONITOR when a monitor was violated in this run, FLUE_EIO when a file could not be written to its end.
 */
enum flue_err flue_sim_close(struct flue_sim *sim);

/* The link for the driver: registers, memory, interrupt.  Owned by the simulator; its close() leaves the simulator open. */
struct flue_link *flue_sim_link(struct flue_sim *sim);

uint64_t flue_sim_seed(const struct flue_sim *sim);

/* --- Clock ---------------------------------------------------------------------------------------------------------------- */

/* Conditions that end a run early, beside idleness or its limit. */
#define FLUE_SIM_UNTIL_IRQ   1u /* the interrupt line is high */
#define FLUE_SIM_UNTIL_FRAME 2u /* a frame reached the peer */

enum flue_sim_why {
    FLUE_SIM_LIMIT, /* the limit was reached */
    FLUE_SIM_IDLE,  /* nothing to do before flue_sim_next_us() */
    FLUE_SIM_IRQ,
    FLUE_SIM_FRAME,
};

/*
 * Clock the adapter for up to max_cycles; returns early when it is idle and nothing on the wire is due, or for `until`.
 * Skips no time: the step of a live loop.
 *
 * Returns FLUE_OK (*why says what ended it), FLUE_EMONITOR
 */
FLUE_MUST_CHECK enum flue_err flue_sim_run(struct flue_sim *sim, uint64_t max_cycles, unsigned until, enum flue_sim_why *why);

/*
 * Let duration_us of adapter time pass; returns early only for `until`.  Virtual: idle time is skipped.  Live: sleeps while
 * idle.
 *
 * Returns FLUE_OK (*why: FLUE_SIM_LIMIT, _IRQ or _FRAME), FLUE_EMONITOR
 */
FLUE_MUST_CHECK enum flue_err flue_sim_advance(struct flue_sim *sim, uint64_t duration_us, unsigned until,
                                               enum flue_sim_why *why);

/*
 * Let time pass until the adapter is idle, has no deadline, and no frame is on the wire in either direction.
 *
 * Returns FLUE_OK, FLUE_ETIMEOUT (still busy after max_us of adapter time), FLUE_EMONITOR
 */
FLUE_MUST_CHECK enum flue_err flue_sim_settle(struct flue_sim *sim, uint64_t max_us);

/* True when clocking the adapter now would change nothing. */
bool flue_sim_is_idle(const struct flue_sim *sim);

/*
 * While idle: the adapter time at which something becomes due (its own deadline, or a frame on the delayed wire).
 * False: nothing ever, without new work.
 */
bool flue_sim_next_us(const struct flue_sim *sim, uint64_t *at_us);

/* Adapter time.  Live: reads the wall clock. */
uint64_t flue_sim_time_us(const struct flue_sim *sim);

/* --- Wire ----------------------------------------------------------------------------------------------------------------- */

/*
 * Impairments, as text: items separated by commas; time is ns, us, ms or s; rate is bit/s with k, M, G; P is a probability.
 *
 *   drop=P                 lose the frame
 *   burst=P:R[:L]          Gilbert-Elliott: enter the bad state with P a frame, leave it with R; L is the loss there (default
 * 1) dup=P                  deliver it twice reorder=P[:N[:TIME]]   hold it until N later frames passed (default 3) or for TIME
 * (default 1ms) delay=TIME[:JITTER]    hold every frame for TIME, plus 0 to JITTER; order is kept rate=RATE serialize at this
 * rate (24 byte times overhead a frame) queue=N                frames that may wait for the rate; more are dropped flip=P
 * invert one random bit truncate=P             cut to a random length damage=P               the frame arrives with a wrong
 * FCS: the adapter gets it marked bad, the peer does not get it
 *
 * drop, dup, reorder, flip, truncate and damage also take an exact trigger instead of P: ACTION[:VALUE]@MATCH, where VALUE is
 * the bit number (flip), the new length (truncate), or N (reorder), and MATCH is joined with & from
 *
 *   N      the Nth frame of the direction, from 1        N-M    frames N to M
 *   %N     every Nth frame                               len<L  len>L  len=L
 *   tcp  udp  ip4  ip6  syn  fin  rst  psh  ack  urg     data (TCP with payload)
 *   xN     only the first N frames for which the rest is true
 *
 *   "drop=0.01,reorder=0.01,delay=200us"    "drop@syn&x1,flip:123@7,truncate:40@len>1000&%10"
 */
FLUE_MUST_CHECK enum flue_err flue_sim_wire_set(struct flue_sim *sim, enum flue_sim_port direction, const char *text);

/*
 * Put a frame on the wire towards the adapter; copied before return.  It passes the impairments and enters the adapter while
 * that is clocked.  direction of flue_sim_wire_set(): FLUE_SIM_WIRE_RX for this way, FLUE_SIM_WIRE_TX for the other.
 *
 * len_bytes 1 to 65,535, without FCS (lengths no Ethernet has are allowed on purpose)
 *
 * Returns FLUE_OK, FLUE_EARG, FLUE_EAGAIN (FLUE_SIM_WIRE_ROOM frames are waiting), FLUE_ENOMEM
 */
#define FLUE_SIM_WIRE_ROOM 4096u
FLUE_MUST_CHECK enum flue_err flue_sim_wire_send(struct flue_sim *sim, const uint8_t *frame, size_t len_bytes);

/* Frames that wait on the wire towards the adapter. */
size_t flue_sim_wire_waiting(const struct flue_sim *sim);

/*
 * Without on_frame: the oldest frame that reached the peer.
 *
 * cap_bytes   room at frame; a longer frame is cut, *len_bytes still says its length
 *
 * Returns FLUE_OK, FLUE_EAGAIN (none)
 */
FLUE_MUST_CHECK enum flue_err flue_sim_wire_recv(struct flue_sim *sim, uint8_t *frame, size_t cap_bytes, size_t *len_bytes,
                                                 uint64_t *time_us);

/* Add a packet of the host side to the capture (FLUE_SIM_HOST_TX or _RX); comment may be NULL.  Nothing without a capture. */
void flue_sim_note_host(struct flue_sim *sim, enum flue_sim_port port, const uint8_t *packet, size_t len_bytes,
                        const char *comment);

/*
 * Begin a capture of all ports while the simulator runs; flue_sim_pcap_close() or flue_sim_close() ends it.
 * FLUE_ESTATE when one is being written, FLUE_EIO when the file cannot be created (errno, flue_sim_open_error()).
 */
FLUE_MUST_CHECK enum flue_err flue_sim_pcap_open(struct flue_sim *sim, const char *path);

/* End the capture.  FLUE_ESTATE when there is none, FLUE_EIO when it could not be written to its end. */
FLUE_MUST_CHECK enum flue_err flue_sim_pcap_close(struct flue_sim *sim);

/* Flush the capture to disk, for a reader beside the running daemon. */
enum flue_err flue_sim_pcap_flush(struct flue_sim *sim);

/* --- Host memory ---------------------------------------------------------------------------------------------------------- */

/* Change how host memory answers from now on.  FLUE_EARG when a field is out of range. */
FLUE_MUST_CHECK enum flue_err flue_sim_memory_set(struct flue_sim *sim, const struct flue_sim_memory *memory);

/* Arm an exact error; up to 16 at a time (FLUE_EAGAIN when all are armed). */
FLUE_MUST_CHECK enum flue_err flue_sim_memory_error(struct flue_sim *sim, const struct flue_sim_memory_error *error);

/* --- Monitors and statistics ---------------------------------------------------------------------------------------------- */

/* The first violation, "12.345 us, wire_tx: frame 17: TCP checksum is 0x1234, should be 0x5678"; NULL without one. */
const char *flue_sim_violation(const struct flue_sim *sim);

/* While true, frames that leave with a wrong checksum are counted as exempt and not a violation. */
void flue_sim_allow_bad_checksums(struct flue_sim *sim, bool allow);

/* While true, lack of progress is not a violation (the host withholds receive buffers or event room on purpose). */
void flue_sim_allow_stall(struct flue_sim *sim, bool allow);

struct flue_sim_wire_stats {
    uint64_t frames_in; /* put on this direction */
    uint64_t bytes_in;
    uint64_t frames_out; /* that reached its end */
    uint64_t bytes_out;
    uint64_t dropped;       /* by drop and burst */
    uint64_t queue_dropped; /* by queue */
    uint64_t duplicated;
    uint64_t reordered;
    uint64_t flipped;
    uint64_t truncated;
    uint64_t damaged;
};

struct flue_sim_stats {
    uint64_t cycles;     /* clocked */
    uint64_t skipped_us; /* adapter time that passed without clocking */
    uint64_t time_us;
    struct flue_sim_wire_stats wire_tx;
    struct flue_sim_wire_stats wire_rx;
    uint64_t ip4_checksums; /* recomputed on frames that left, and right */
    uint64_t tcp_checksums;
    uint64_t udp_checksums;
    uint64_t frames_checked;
    uint64_t frames_exempt; /* with a wrong checksum that was allowed */
    uint64_t violations;
    uint64_t reg_reads;
    uint64_t reg_writes;
    uint64_t dma_read_bursts;
    uint64_t dma_write_bursts;
    uint64_t dma_read_bytes;  /* in bus beats */
    uint64_t dma_write_bytes; /* strobed */
    uint64_t dma_errors;      /* error responses that were injected */
    uint64_t events;          /* entries of the event ring that were checked */
    uint64_t rx_stalled;      /* cycles in which the receive port was not ready (must stay 0) */
    uint64_t tcp_events;      /* of the TCP engine that were judged */
    uint64_t tcp_segments;    /* segments of the engine's connections that left and were judged */
    uint64_t tcp_bytes;       /* bytes that became the host's and were compared with those on the wire */
};

void flue_sim_stats(const struct flue_sim *sim, struct flue_sim_stats *stats);

/* --- Replay --------------------------------------------------------------------------------------------------------------- */

struct flue_sim_replay_result {
    uint64_t cycles;   /* replayed */
    uint64_t first_us; /* adapter time covered by the log */
    uint64_t last_us;
    uint64_t seed; /* of the recorded run */
    unsigned width;
    uint64_t differs_at_us; /* the first time at which the outputs were not those recorded */
    bool equal;             /* every output of every cycle was */
};

/*
 * Run a recorded log again: the adapter's inputs cycle by cycle, its outputs compared with what they were.
 *
 * path        a log of flue_sim_config.log_path, or a capture that names one in its section header
 * fst_path    waves to write, NULL for none (then the fast model is used)
 * from_us     waves begin here ...
 * to_us       ... and end here (0 = end of the log), adapter time
 * model_dir   as in flue_sim_config
 * result      out; set also when the outputs differ
 *
 * Returns FLUE_OK (read result->equal), FLUE_EIO, FLUE_EUNSUPP (no such model), FLUE_EARG (not a log; flue_sim_open_error())
 */
FLUE_MUST_CHECK enum flue_err flue_sim_replay(const char *path, const char *fst_path, uint64_t from_us, uint64_t to_us,
                                              const char *model_dir, struct flue_sim_replay_result *result);

#ifdef __cplusplus
}
#endif
#endif
