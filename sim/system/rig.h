/*
 * A whole adapter in virtual time with its driver: the bench of the system tests.  Frames that leave, frames that were received
 * and completions are kept in order, copied, until a test fetches them.
 *
 * Every test runs at the widths of RIG_WIDTHS, without and with stalls and reordering on the bus; rig_open() draws from
 * check_seed.
 */
#ifndef FLUE_RIG_H
#define FLUE_RIG_H

#include "flue/core.h"
#include "flue/sim.h"
#include "frames.h"
#include "packet.h"
#include "rng.h"
#include "test/check.h"

enum {
    RIG_TX_BYTES = 1 << 20, /* memory for packets to send */
    RIG_BUFFERS = 64,
    RIG_BUFFER_BYTES = 9216,
    RIG_KEEP = 8192, /* frames, completions that are kept */
};

struct rig_frame {
    uint8_t *data;
    size_t len;
    struct flue_rx_done rx; /* received ones */
};

struct rig {
    struct flue_sim *sim;
    struct flue_link *link;
    struct flue_adapter *adapter;
    struct flue_mem tx, rx;
    size_t tx_used; /* of tx, given out since the last settle */
    struct flue_rng rng;
    uint64_t frames_state; /* of flue_frames_*() */
    unsigned width;
    bool refill; /* put receive buffers back as they come */

    struct rig_frame out[RIG_KEEP], in[RIG_KEEP];
    unsigned outs, out_at, ins, in_at;
    struct flue_tx_done done[RIG_KEEP];
    unsigned dones, done_at;
    bool buffer_out[RIG_BUFFERS]; /* put and not come back */
    unsigned rx_returned;         /* buffers that came back without a frame */
    uint8_t rx_status;            /* of the last of them */
    struct {
        enum flue_queue_id queue;
        uint8_t code;
    } error[64];
    unsigned errors;
    uint32_t marker; /* handle of the last one */
};

/* How the bench treats the adapter. */
struct rig_options {
    unsigned width;
    bool rough;       /* stalls, latency, reordered answers, stalls of the wire port, gaps */
    uint32_t rx_idle; /* cycles between frames from the wire */
    const char *log_path;
    struct flue_open_params params;
};

/* Open the simulator and the adapter, everything on, both IP versions active, receive buffers put.  Exits the program on
 * failure. */
struct rig *rig_open(const struct rig_options *options);

/* Close; the monitors must have stayed silent. */
void rig_close(struct rig *rig);

/* Copy a packet into adapter memory at a random alignment and cut it into up to `frags` fragments. */
unsigned rig_load(struct rig *rig, const uint8_t *packet, size_t len, unsigned frags, struct flue_frag *frag);

/* Put one packet (csum, lso, vlan, generic as in *proto, which has no fragments) and ring. */
enum flue_err rig_put(struct rig *rig, const uint8_t *packet, size_t len, unsigned frags, const struct flue_tx_packet *proto);

/* Let everything finish: run, poll, until idle with nothing left; false when it does not within 1 s of adapter time. */
bool rig_settle(struct rig *rig);

/* Put every receive buffer that is not out. */
void rig_refill(struct rig *rig);

/* The next frame that left, received frame, completion; NULL when there is none. */
struct rig_frame *rig_next_out(struct rig *rig);
struct rig_frame *rig_next_in(struct rig *rig);
struct flue_tx_done *rig_next_done(struct rig *rig);

/* Forget what was kept. */
void rig_forget(struct rig *rig);

/* A counter of the adapter. */
uint64_t rig_stat(struct rig *rig, unsigned stat);

/* One plain frame each way arrives unchanged: the adapter works. */
void rig_expect_alive(struct rig *rig);

/* Run `body` at every width, smooth and rough. */
void rig_everywhere(void (*body)(struct rig *rig));

#define RIG_TEST(name)                                                                                                         \
    static void name##_body(struct rig *rig);                                                                                  \
    TEST(name)                                                                                                                 \
    {                                                                                                                          \
        rig_everywhere(name##_body);                                                                                           \
    }                                                                                                                          \
    static void name##_body(struct rig *rig)

#endif
