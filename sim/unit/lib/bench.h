/*
 * Unit benches: tests in plain C17 that feed and watch one Verilated top.
 *
 * The top (<block>_tb.sv) holds the modules under test between bench_source and bench_sink instances, each with an
 * ID of its kind.  A test queues packets into source IDs, runs the clock, and takes packets from sink IDs.  Sinks check the
 * stream rules of docs/architecture.md section 1 by themselves and fail the running test when one is broken.
 *
 *   TEST(name) { ... }     one behaviour; clean queues, no idle, no back-pressure, fresh reset at its start
 *   program [--seed N] [--only NAME] [--list] [--wave FILE]
 *
 * Every test draws from a generator seeded with the seed and its own name, so --only repeats it exactly.
 */
#ifndef FLUE_BENCH_H
#define FLUE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BENCH_IDS = 256, /* IDs of each kind: 0 to 255 */
    BENCH_BITS = 512 /* widest data, user and signal port */
};

/* A bit vector as a packed port or struct of SystemVerilog has it: bit 0 is bit 0 of w[0]. */
struct bench_bits {
    uint32_t w[BENCH_BITS / 32];
};

void bench_bits_set(struct bench_bits *bits, unsigned lsb, unsigned width, uint64_t value); /* width 1 to 64 */
uint64_t bench_bits_get(const struct bench_bits *bits, unsigned lsb, unsigned width);
bool bench_bits_equal(const struct bench_bits *a, const struct bench_bits *b);

struct bench_packet {
    const uint8_t *data;
    size_t len; /* bytes, at least 1 */
    bool bad;
    unsigned skip;                    /* sinks with SKIP: empty lanes before the first byte */
    struct bench_bits user;           /* beside every beat of the packet */
    struct bench_bits user_last;      /* read on the last beat only; random bits on the others */
    uint64_t first_cycle, last_cycle; /* sinks: when its first and its last beat moved */
};

/* Queue a packet; everything is copied.  bench_send() is the short form without user_last; user may be null (all 0). */
void bench_put(int source, const struct bench_packet *packet);
void bench_send(int source, const void *data, size_t len, bool bad, const struct bench_bits *user);

/* Take the oldest packet of a sink; false if there is none.  Its data stays valid until the test ends. */
bool bench_take(int sink, struct bench_packet *packet);

size_t bench_waiting(int source); /* packets not yet accepted whole by the module under test */
size_t bench_arrived(int sink);   /* packets not yet taken */

/* How a source inserts idle cycles, or a sink takes ready away; 100 percent stops it. */
enum bench_mode {
    BENCH_FULL,   /* never */
    BENCH_RANDOM, /* each cycle by itself, in percent of the cycles */
    BENCH_BURSTS  /* in runs of 1 to 32 cycles, in percent of the cycles */
};

void bench_source_mode(int source, enum bench_mode mode, unsigned percent);
void bench_sink_mode(int sink, enum bench_mode mode, unsigned percent);
void bench_mode_all(enum bench_mode mode, unsigned idle_percent, unsigned stall_percent);
void bench_mode_random(void); /* each source and sink gets a mode drawn at random */

/* Signals beside streams: bench_config drives them (the new value is seen after the next clock edge), bench_status samples
 * them. */
void bench_set(int config, unsigned lsb, unsigned width, uint64_t value);
void bench_set_bits(int config, const struct bench_bits *bits);
uint64_t bench_get(int status, unsigned lsb, unsigned width); /* before the last edge */
uint64_t bench_count(int status, unsigned bit);               /* cycles in which the bit was high since the last reset */

/* Clock. */
void bench_run(uint64_t cycles);
void bench_reset(void);           /* empties every queue and resets the module; modes and signals stay */
uint64_t bench_cycle(void);       /* since the program began */
unsigned bench_test_number(void); /* counts the tests that were begun: 1 in the first */

/*
 * Run until every source is empty, no sink is inside a packet, and no beat has moved for bench_quiet cycles.
 * Fails the test if that takes more than limit cycles.
 */
void bench_drain(uint64_t limit);
extern uint64_t bench_quiet; /* 256 unless a test sets it; set back at each test's start */

/* Called before every clock edge, outside of the simulation; null ends it.  Cleared at each test's start. */
void bench_on_cycle(void (*step)(void *context), void *context);

/* For tests of the sinks themselves: count the broken stream rules until the test ends instead of failing it. */
void bench_count_broken_rules(void);
unsigned bench_broken_rules(void);

/* What moved since the last reset. */
struct bench_stats {
    uint64_t beats, packets, bytes;
    uint64_t first_cycle, last_cycle; /* of the first and the last beat */
};

struct bench_stats bench_source_stats(int source);
struct bench_stats bench_sink_stats(int sink);
double bench_beats_per_cycle(struct bench_stats stats); /* beats / (last - first + 1); 0 without beats */

/* Deterministic random numbers. */
uint64_t bench_random(void);
uint64_t bench_random_in(uint64_t low, uint64_t high); /* both included */
bool bench_chance(unsigned percent);
void bench_random_bytes(void *data, size_t len);
void bench_random_bits(struct bench_bits *bits, unsigned width);

/* One measured figure: prints "BENCH name value unit conditions", which `make bench` collects. */
void bench_report(const char *name, double value, const char *unit, const char *conditions);

/* Checks: a failed one prints what was expected, what came and the seed, and ends the test. */
#define CHECK(condition)           ((condition) ? (void)0 : bench_fail(__FILE__, __LINE__, "expected %s", #condition))
#define CHECK_EQ(expected, actual) bench_check_eq(__FILE__, __LINE__, #actual, (uint64_t)(expected), (uint64_t)(actual))
#define CHECK_BYTES(expected, expected_len, actual, actual_len)                                                                \
    bench_check_bytes(__FILE__, __LINE__, #actual, (expected), (expected_len), (actual), (actual_len))
#define SKIP(reason) bench_skip(reason)

#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 3, 4)))
#endif
void bench_fail(const char *file, int line, const char *format, ...);
void bench_check_eq(const char *file, int line, const char *what, uint64_t expected, uint64_t actual);
void bench_check_bytes(const char *file, int line, const char *what, const void *expected, size_t expected_len,
                       const void *actual, size_t actual_len);
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void bench_skip(const char *reason);

struct bench_test {
    const char *name;
    void (*body)(void);
    struct bench_test *next;
};

void bench_register(struct bench_test *test);

#define TEST(test_name)                                                                                                        \
    static void test_##test_name(void);                                                                                        \
    static struct bench_test entry_##test_name = {#test_name, test_##test_name, NULL};                                         \
    __attribute__((constructor)) static void register_##test_name(void)                                                        \
    {                                                                                                                          \
        bench_register(&entry_##test_name);                                                                                    \
    }                                                                                                                          \
    static void test_##test_name(void)

/* Between bench.c and main.cpp: the program, and one clock cycle of the Verilated top. */
int bench_main(int argc, char **argv);
void bench_top_clock(bool rst);

#ifdef __cplusplus
}
#endif
#endif
