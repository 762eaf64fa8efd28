/*
 * Dialogues: short conversations with one connection, run unchanged on every subject (adapter/ has these words for the whole
 * adapter).
 *
 *   DIALOGUE(third_duplicate_ack_retransmits_once)
 *   {
 *       talk_open(t, (struct setup){.mss = 1000});
 *       app_writes(t, 4000);
 *       expect_data(t, 0, 4000);
 *       ...
 *       expect_silence(t);
 *   }
 *
 * Sequence numbers are relative: our bytes and the peer's both begin at 0.  Every dialogue runs with several first numbers,
 * wrapping ones among them (TCP-012).  Time is virtual.  Unless a dialogue says `t->by_hand`, turns are granted and
 * placements and sends complete at once.  Always watched: the record's invariants, the right edge, ACK numbers, data inside
 * the peer's window, SACK blocks against the record, the
 * scheduler's bit and the deadline.
 */
#ifndef FLUE_DIALOGUE_H
#define FLUE_DIALOGUE_H

#include "subject.h"

enum { TALK_OUT = 128, TALK_PLACING = 64 };

struct setup {
    uint32_t mss;      /* 1000 */
    uint32_t cwnd;     /* segments, 10 */
    uint32_t ssthresh; /* segments, 0: none */
    bool sack, ts, ts_us;
    unsigned snd_scale, rcv_scale;
    uint32_t rcv_buf; /* 64000, of which 62000 are announced */
    uint32_t snd_buf; /* 1000000 */
    uint32_t wnd;     /* the peer's window, bytes; 60000 */
    bool closed_wnd;  /* it is 0 */
    uint32_t mss_rcv; /* 1000 */
    uint32_t rtt_us;  /* 10000 */
    bool no_rtt;
    unsigned limit; /* 15 */
};

struct talk {
    struct tcp_subject *subject;
    const char *name;
    unsigned row;
    uint64_t now_us;
    uint32_t iss, irs; /* our and the peer's number 0 */
    struct setup setup;
    bool by_hand;

    struct flue_tcp r;         /* the record after the last event */
    struct flue_tcp_actions a; /* actions of the last act, completions not counted */
    struct flue_tcp_tx out[TALK_OUT];
    unsigned out_first, out_count;
    uint32_t placing[TALK_PLACING];
    unsigned placing_count, turns, acks; /* not completed */
    bool wants;
    uint64_t time_of_wish;
    struct flue_tcp_tell told;
    unsigned tells, ended[FLUE_TCP_END_ABORTED + 1], doubts, notes[FLUE_TCP_UPLOAD_CLOSED + 1];
    uint32_t peers_edge; /* the right edge that the peer announced, as far as ours to use */
    bool edge_known;
    uint32_t edge, last_ack; /* announced by the last segment that left */
    unsigned failures;
    uint64_t seed;
};

struct dialogue {
    const char *name;
    void (*run)(struct talk *t);
    struct dialogue *next;
};

void dialogue_add(struct dialogue *dialogue);

#define DIALOGUE(test)                                                                                                         \
    static void test(struct talk *t);                                                                                          \
    static struct dialogue test##_entry = {#test, test, 0};                                                                    \
    __attribute__((constructor)) static void test##_add(void)                                                                  \
    {                                                                                                                          \
        dialogue_add(&test##_entry);                                                                                           \
    }                                                                                                                          \
    static void test(struct talk *t)

/* Run all, or those whose name contains `only`; prints what fails, returns how many did. */
unsigned dialogue_run(struct tcp_subject *subject, const char *only, uint64_t seed, unsigned *passed);

/* ---- Acts ---- */

/* A fresh connection, ESTABLISHED; zero fields of the setup mean the values above. */
void talk_open(struct talk *t, struct setup setup);
/* The same, from a record that was changed: `talk_record` first, then `talk_load`. */
struct flue_tcp talk_record(struct talk *t, struct setup setup);
void talk_load(struct talk *t, const struct flue_tcp *record);

struct says {
    uint32_t seq, len, ack; /* relative */
    uint8_t flags;          /* 0: ACK */
    bool no_flags;
    uint32_t wnd; /* bytes; 0: as in the setup */
    bool closed_wnd;
    bool no_ts;
    uint32_t ts_val; /* with timestamps: 0 means the newest so far */
    uint32_t ts_ecr;
    unsigned blocks;
    uint32_t block[FLUE_TCP_BLOCKS][2]; /* relative to our bytes */
};

void peer(struct talk *t, struct says says);
void app_writes(struct talk *t, uint32_t bytes);
void app_reads(struct talk *t, uint32_t upto); /* relative: everything below is taken */
void app_closes(struct talk *t);
void command(struct talk *t, enum flue_tcp_command command);
void turn(struct talk *t, uint32_t budget);
void placed(struct talk *t, bool ok); /* by hand: the oldest placement ends */
void sent(struct talk *t, bool is_turn);
void timer(struct talk *t);                /* a timer event now */
void pass_us(struct talk *t, uint64_t us); /* time goes on; timers fire at their deadlines */
void settle(struct talk *t);               /* complete what is in flight, grant turns; not by hand: after every act */

/* ---- Expectations ---- */

const struct flue_tcp_tx *next_out(struct talk *t);            /* the oldest that left and was not looked at, or null */
void expect_data(struct talk *t, uint32_t seq, uint32_t len);  /* next: a turn with new bytes */
void expect_again(struct talk *t, uint32_t seq, uint32_t len); /* next: bytes sent before */
const struct flue_tcp_tx *expect_fin(struct talk *t, uint32_t seq, uint32_t len); /* next: a turn that ends with FIN */
const struct flue_tcp_tx *expect_ack(struct talk *t, uint32_t ack);               /* next: a pure ACK with that number */
void expect_blocks(struct talk *t, const struct flue_tcp_tx *tx, unsigned count, const uint32_t (*block)[2]);
void expect_silence(struct talk *t);
void expect_reason(struct talk *t, enum flue_tcp_reason reason);
void expect_place(struct talk *t, uint32_t seq, uint32_t len); /* the last act's verdict */
void expect_drop(struct talk *t);
void forget_out(struct talk *t);

void talk_check(struct talk *t, bool holds, const char *file, int line, const char *text);
void talk_equal(struct talk *t, uint64_t seen, uint64_t want, const char *file, int line, const char *text);
#define EXPECT(cond)          talk_check(t, cond, __FILE__, __LINE__, #cond)
#define EXPECT_EQ(seen, want) talk_equal(t, (uint64_t)(seen), (uint64_t)(want), __FILE__, __LINE__, #seen)

#endif
