/* Between the files of the bench library; tests use bench.h alone. */
#ifndef FLUE_BENCH_INTERNAL_H
#define FLUE_BENCH_INTERNAL_H

#include "bench.h"

/* bench_data.c: the test's random numbers, and those of idle and back-pressure. */
extern uint64_t bench_test_state, bench_flow_state;
uint64_t bench_draw(uint64_t *state);
void bench_fill(uint64_t *state, void *data, size_t len);

/* bench_ports.c */
extern uint64_t bench_last_moved; /* cycle of the last beat */
void bench_ports_default(void);   /* no idle, no back-pressure, all driven signals 0 */
void bench_ports_clear(void);     /* empty every queue, forget what was counted */
void bench_ports_free(void);
bool bench_ports_busy(bool print); /* a source is not empty or a sink is inside a packet */

/* bench.c: a broken rule seen from inside the simulation: the test ends after this clock. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void bench_rule_broken(int sink, const char *format, ...);

#endif
