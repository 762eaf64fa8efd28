/* The Verilated engine behind plain C calls; everything else is subject_rtl.c. */
#ifndef FLUE_LOCKSTEP_ENGINE_H
#define FLUE_LOCKSTEP_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ENGINE_WORD_ACCESS = 15, ENGINE_EVENT_WORDS = 14, ENGINE_RECORD_WORDS = 68, ENGINE_TX_WORDS = 16 };

struct engine;

struct engine *engine_open(void);
void engine_close(struct engine *engine);

/* What the next cycle sees. */
struct engine_in {
    bool rst, valid, take;
    bool flip;            /* a bit in quarter data[0] of row `index`, from 4 on in its range data[0] - 4 */
    unsigned kind, index; /* tcp_event_e or ENGINE_WORD_ACCESS */
    uint64_t time_us;
    uint32_t rto_min_us, rto_max_us;
    uint32_t data[ENGINE_EVENT_WORDS]; /* bit 0 first */
};

/* What it shows before its clock edge; vectors with bit 0 first. */
struct engine_out {
    bool ready;
    bool verdict_valid, verdict_forward, tx_valid, tell_valid, notify_valid, done_valid, done_ok, sched_valid, sched_wants;
    bool deadline_valid, deadline_on, trace_valid, forgot, idle;
    uint32_t done_data, deadline_us;
    unsigned trace_event, trace_index, trace_reason, sched_index, deadline_index;
    uint32_t verdict[6], tx[ENGINE_TX_WORDS], tell[4], notify;
    uint32_t record[ENGINE_RECORD_WORDS];
};

/* One clock cycle. */
void engine_clock(struct engine *engine, const struct engine_in *in, struct engine_out *out);

#ifdef __cplusplus
}
#endif
#endif
