/*
 * Reference TCP: one established connection, events in, record and actions out, written from docs/tcp.md section 3,
 * docs/spec/tcp-requirements.md and the RFCs; not from the RTL, which must agree with it event by event.
 *
 * The caller owns time (microseconds, never backwards), the payload (only its sequence numbers are here) and the wire:
 *
 *   struct flue_tcp t = {...};                     the record, mode EMPTY
 *   flue_tcp_step(&t, now_us, &event, &actions);   a LOAD command brings it to life
 *   flue_tcp_invariant(&t)                         null, or what is wrong with it
 *
 * Not here yet: RACK and tail probe, rate reduction, CUBIC, ECN, keepalive, Nagle, path-MTU change in flight, the ndis
 * profile.
 */
#ifndef FLUE_MODEL_TCP_H
#define FLUE_MODEL_TCP_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    FLUE_TCP_HELD = 4,   /* out-of-order ranges kept (TCP-042) */
    FLUE_TCP_SACKED = 8, /* ranges of the peer's remembered (TCP-083) */
    FLUE_TCP_BLOCKS = 4, /* SACK blocks of one segment */
    FLUE_TCP_RTO_MIN_US = 200000,
    FLUE_TCP_RTO_MAX_US = 120000000,
    FLUE_TCP_DELACK_US = 40000,
    FLUE_TCP_OOW_US = 500000,      /* between two limited ACKs */
    FLUE_TCP_SWS_US = 1000000,     /* longest override of the sender's silly-window rule */
    FLUE_TCP_PAWS_UNITS = 1977000, /* 24 days in units of 2^20 us */
    FLUE_TCP_TURN_BUDGET = 16384,  /* bytes that a scheduler gives a turn */
};

/* RFC 9293 states, values of TCP_OFFLOAD_CONNECTION_STATE (docs/spec/chimney.md 1.8). */
enum flue_tcp_state {
    FLUE_TCP_CLOSED = 0,
    FLUE_TCP_ESTABLISHED = 4,
    FLUE_TCP_FIN_WAIT1 = 5,
    FLUE_TCP_FIN_WAIT2 = 6,
    FLUE_TCP_CLOSE_WAIT = 7,
    FLUE_TCP_CLOSING = 8,
    FLUE_TCP_LAST_ACK = 9,
    FLUE_TCP_TIME_WAIT = 10,
};

enum flue_tcp_mode { FLUE_TCP_EMPTY, FLUE_TCP_LIVE, FLUE_TCP_FREEZING, FLUE_TCP_FROZEN };
enum flue_tcp_recovery { FLUE_TCP_OPEN, FLUE_TCP_FAST, FLUE_TCP_LOSS };

struct flue_tcp_range {
    uint32_t left;
    uint32_t right; /* one past the last byte */
};

/* clang-format off */
/*
 * The record, in the order of tcp_rec_t (rtl/tcp/flue_tcp_pkg.sv) and of its words (docs/control-layouts.md, tcp_words);
 * docs/tcp.md section 2 has the meaning.
 * F(name, bits)   a number        R(name, count)   ranges        A(name)   one range        P(bits)   nothing yet
 */
#define FLUE_TCP_RECORD(F, R, A, P)                                                                                            \
    P(1) F(turns, 2) F(recovery, 2) F(partial, 1) F(rescued, 1) F(force_rxt, 1) F(recover_valid, 1) F(sws_override, 1)         \
    F(oow_on, 1) F(rtt_valid, 1) F(timing, 1) F(ts_valid, 1) F(fin_sent, 1) F(fin_marked, 1) F(fin_valid, 1)                   \
    F(rcv_scale, 4) F(snd_scale, 4) F(ts_us, 1) F(sack, 1) F(ts, 1) F(state, 4)                                                \
    F(mss_rcv, 16) F(mss, 16) F(placing, 6) F(rcv_buf, 26) P(2) F(limit, 4) F(snd_buf, 26)                                     \
    P(3) F(backoff, 4) F(sacked_count, 4) F(dup_acks, 4) F(held_count, 3) F(generation, 14)                                    \
    F(rcv_nxt, 32) F(rcv_edge, 32) F(consumed, 32) F(ts_recent, 32) F(ts_age, 32) F(fin_seq, 32) F(oow_at, 32)                 \
    F(snd_una, 32) F(snd_max, 32) F(max_snd_wnd, 32) F(snd_wl1, 32) F(snd_wl2, 32) F(snd_wnd, 32) F(send_limit, 32)            \
    F(recover, 32) F(high_rxt, 32) F(cwnd, 32) F(ssthresh, 32) P(3) F(srtt8, 29) P(4) F(rttvar4, 28) F(timed_seq, 32)          \
    F(timed_at, 32) F(turn0, 32) F(turn1, 32) F(ts_offset, 32)                                                                 \
    R(held, FLUE_TCP_HELD) R(sacked, FLUE_TCP_SACKED) F(cc3, 32) F(cc2, 32) F(cc1, 32) F(cc0, 32)                              \
    P(32) P(32) P(32)                                                                                                          \
    F(asked, 1) F(broken, 1) F(expiries, 4) F(persisting, 1) F(rto_on, 1) F(delack_on, 1) F(acks, 3) F(ack_owed, 17)           \
    F(ack_now, 1) F(mode, 2) F(rcv_adv, 32) F(last_ack_sent, 32) A(dsack) F(delack_at, 32) F(rto_at, 32)
/* clang-format on */

struct flue_tcp {
#define FLUE_TCP_F(name, bits)  uint32_t name;
#define FLUE_TCP_R(name, count) struct flue_tcp_range name[count];
#define FLUE_TCP_A(name)        struct flue_tcp_range name;
#define FLUE_TCP_P(bits)
    FLUE_TCP_RECORD(FLUE_TCP_F, FLUE_TCP_R, FLUE_TCP_A, FLUE_TCP_P)
#undef FLUE_TCP_F
#undef FLUE_TCP_R
#undef FLUE_TCP_A
#undef FLUE_TCP_P
};

/* ---- Events ---- */

/* Flags as on the wire; ECE and CWR have no effect yet. */
enum {
    FLUE_TCP_FIN = 0x01,
    FLUE_TCP_SYN = 0x02,
    FLUE_TCP_RST = 0x04,
    FLUE_TCP_PSH = 0x08,
    FLUE_TCP_ACK = 0x10,
    FLUE_TCP_URG = 0x20,
};

/* A received segment without its payload. */
struct flue_tcp_seg {
    uint32_t seq, ack;
    uint16_t wnd; /* as on the wire */
    uint8_t flags;
    uint16_t len; /* payload bytes */
    bool has_ts;
    uint32_t ts_val, ts_ecr;
    unsigned blocks; /* 0 to FLUE_TCP_BLOCKS */
    struct flue_tcp_range block[FLUE_TCP_BLOCKS];
};

/* Values of tcp_event_e. */
enum flue_tcp_event_kind {
    FLUE_TCP_EV_SEGMENT = 0,
    FLUE_TCP_EV_FORWARD = 1, /* a segment forwarded by the driver */
    FLUE_TCP_EV_DOORBELL = 2,
    FLUE_TCP_EV_TURN = 3,
    FLUE_TCP_EV_SENT = 4,
    FLUE_TCP_EV_PLACED = 5,
    FLUE_TCP_EV_TIMER = 6,
    FLUE_TCP_EV_COMMAND = 7,
    FLUE_TCP_EVENTS
};

/* Values of tcp_command_e. */
enum flue_tcp_command {
    FLUE_TCP_LOAD = 0,
    FLUE_TCP_START = 1,
    FLUE_TCP_FREEZE = 2,
    FLUE_TCP_CLEAR = 3,
    FLUE_TCP_ABORT = 4,
    FLUE_TCP_SNAPSHOT = 5,
    FLUE_TCP_COMMANDS
};

struct flue_tcp_event {
    enum flue_tcp_event_kind kind;
    union {
        struct flue_tcp_seg seg; /* SEGMENT, FORWARD */
        struct {
            uint32_t send_limit, consumed;
            bool fin;
        } doorbell;
        uint32_t budget; /* TURN: bytes */
        struct {
            bool turn; /* a turn is over, else a pure ACK, probe or RST */
            bool failed;
        } sent;
        struct {
            uint32_t after; /* as the verdict said */
            bool ok;
        } placed;
        enum flue_tcp_command command;
    };
};

/* ---- Actions ---- */

enum flue_tcp_verdict { FLUE_TCP_HOST, FLUE_TCP_DIVERT, FLUE_TCP_DROP, FLUE_TCP_PLACE };
enum flue_tcp_tx_kind { FLUE_TCP_TX_DATA, FLUE_TCP_TX_ACK, FLUE_TCP_TX_RST };
enum flue_tcp_end {
    FLUE_TCP_END_NONE,
    FLUE_TCP_END_FIN,
    FLUE_TCP_END_RESET,
    FLUE_TCP_END_CLOSED,
    FLUE_TCP_END_TIMEOUT,
    FLUE_TCP_END_ABORTED
};
enum flue_tcp_note { FLUE_TCP_FROZE, FLUE_TCP_UPLOAD_URGENT, FLUE_TCP_UPLOAD_HARDWARE, FLUE_TCP_UPLOAD_CLOSED };

/* Values of tcp_reason_e; BAD_ROW is none of the rules', it is the memory's (sim/dialogue/subject_model.c). */
/* clang-format off */
#define FLUE_TCP_REASON_LIST(X)                                                                                                \
    X(NONE) X(ACCEPTED) X(OUT_OF_ORDER) X(OLD) X(PROBE) X(OUTSIDE) X(PAWS) X(RST) X(RST_OUTSIDE) X(RST_CHALLENGE) X(SYN)       \
    X(NO_ACK) X(ACK_RANGE) X(URGENT) X(NO_INTERVAL) X(AFTER_FIN) X(CLOSED) X(FROZEN) X(RTO) X(PERSIST) X(DELACK) X(EARLY)      \
    X(LIMIT) X(NEW_DATA) X(RETRANSMIT) X(RESCUE) X(IDLE_TURN) X(WRITE_FAILED) X(READ_FAILED) X(COMMAND) X(REFUSED) X(BAD_ROW)
/* clang-format on */
enum flue_tcp_reason {
#define FLUE_TCP_X(name) FLUE_TCP_R_##name,
    FLUE_TCP_REASON_LIST(FLUE_TCP_X)
#undef FLUE_TCP_X
        FLUE_TCP_REASONS
};

struct flue_tcp_place {
    uint16_t skip; /* payload bytes trimmed at the left */
    uint16_t len;
    uint32_t seq;   /* of the first byte to write */
    uint32_t after; /* given back with the placed event */
};

struct flue_tcp_tx {
    enum flue_tcp_tx_kind kind;
    uint32_t seq;
    uint32_t len;  /* payload bytes of the turn, 0 for a FIN alone */
    uint16_t mss;  /* DATA: payload bytes a segment */
    bool psh, fin; /* on the last segment */
    bool resend;
    uint32_t ack;
    uint16_t wnd;    /* as on the wire */
    uint32_t ts_ecr; /* 0 without timestamps */
    unsigned blocks;
    struct flue_tcp_range block[FLUE_TCP_BLOCKS];
};

struct flue_tcp_tell {
    uint32_t snd_free, snd_una, rcv_nxt;
    enum flue_tcp_state state;
    enum flue_tcp_end ended;
    bool doubt, refused;
    bool fin; /* the peer's FIN is below rcv_nxt */
};

struct flue_tcp_actions {
    enum flue_tcp_reason reason;
    bool has_verdict, has_tx, has_tell;
    enum flue_tcp_verdict verdict; /* segments */
    struct flue_tcp_place place;   /* verdict PLACE */
    struct flue_tcp_tx tx;
    struct flue_tcp_tell tell;
    unsigned notes;
    enum flue_tcp_note note[2];
    unsigned forgot; /* ranges of the peer's that found no place */
    bool wants;      /* a turn would send */
    bool deadline_on;
    uint32_t deadline;
};

/* One event; everything in `out` is written. */
void flue_tcp_step(struct flue_tcp *t, uint64_t now_us, const struct flue_tcp_event *event, struct flue_tcp_actions *out);

/* The first violated invariant as a sentence, or null.  Holds between events of a connection that was loaded legally. */
const char *flue_tcp_invariant(const struct flue_tcp *t);

/* The send ring may be reused below it: min(snd_una, first byte of each turn in flight) (TCP-101). */
uint32_t flue_tcp_snd_free(const struct flue_tcp *t);

const char *flue_tcp_reason_name(enum flue_tcp_reason reason);

/* Sequence numbers modulo 2^32 (TCP-012). */
static inline bool flue_tcp_before(uint32_t a, uint32_t b)
{
    return (a - b) >> 31;
}

static inline bool flue_tcp_upto(uint32_t a, uint32_t b)
{
    return !flue_tcp_before(b, a);
}

#ifdef __cplusplus
}
#endif
#endif
