#include "bench.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the SystemVerilog side calls (bench_source.sv and its neighbours): bit is unsigned char, a vector 32-bit words. */
unsigned char bench_source_beat(int id, int lanes, uint32_t *data, uint32_t *keep, unsigned char *last,
                                unsigned char *bad, uint32_t *user, uint32_t *user_last);
unsigned char bench_sink_ready(int id);
void bench_sink_withdrawn(int id);
void bench_sink_beat(int id, int lanes, unsigned char skip, unsigned char moves, const uint32_t *data,
                     const uint32_t *keep, unsigned char last, unsigned char bad, const uint32_t *user,
                     const uint32_t *user_last);
void bench_config_value(int id, uint32_t *value);
void bench_status_value(int id, unsigned char counts, const uint32_t *value);

/* A packet in a queue; its bytes are allocated and end with the test. */
struct entry {
    struct bench_packet packet;
    uint8_t *bytes;
};

/* Grows at the end, is read from the front, and is emptied at each reset. */
struct queue {
    struct entry *entries;
    size_t count, room;
    size_t next;                        /* the first entry not yet read */
};

struct flow {
    enum bench_mode mode;
    unsigned percent;
    unsigned run;                       /* BENCH_BURSTS: cycles left in this run */
    bool paused;                        /* BENCH_BURSTS: this run is a pause */
};

struct source {
    struct flow flow;
    struct queue queue;
    size_t pos;                         /* bytes of the front packet already offered */
    size_t offered;                     /* bytes in the beat on offer, 0 if none */
    bool offered_last;
    struct bench_stats stats;
};

struct beat {
    uint8_t data[BENCH_BITS / 8];
    uint64_t keep;
    bool last, bad;
    struct bench_bits user, user_last;
};

struct sink {
    struct flow flow;
    struct queue queue;
    bool in_packet;
    struct entry part;                  /* the packet that is arriving */
    size_t part_room;
    bool stalled;
    struct beat held;                   /* the beat that stalled */
    struct bench_stats stats;
};

struct signal_bits {
    struct bench_bits value;
    uint64_t high[BENCH_BITS];
};

static struct source sources[BENCH_IDS];
static struct sink sinks[BENCH_IDS];
static struct bench_bits configs[BENCH_IDS];
static struct signal_bits statuses[BENCH_IDS];
static int used_ids = 1;                /* IDs from here on were never used */

static struct bench_test *first_test;
static struct bench_test *last_test;
static struct bench_test *running;
static jmp_buf leave_test;
static bool test_failed;
static const char *skip_reason;
static unsigned test_number;
static bool counts_rules;
static unsigned broken_rules;

static uint64_t seed = 1;
static uint64_t test_state, flow_state; /* the test's random numbers, and those of idle and back-pressure */
static uint64_t cycle, last_moved;
static void (*cycle_step)(void *context);
static void *cycle_context;
uint64_t bench_quiet = 256;

/* ---- random numbers (SplitMix64) ---- */

static uint64_t draw(uint64_t *state) {
    *state += 0x9E3779B97F4A7C15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t bench_random(void) { return draw(&test_state); }

uint64_t bench_random_in(uint64_t low, uint64_t high) {
    uint64_t span = high - low + 1;
    return span == 0 ? bench_random() : low + bench_random() % span;
}

bool bench_chance(unsigned percent) { return bench_random() % 100 < percent; }

static void fill_random(uint64_t *state, void *data, size_t len) {
    uint8_t *out = data;
    for (size_t i = 0; i < len; i += 8) {
        uint64_t value = draw(state);
        memcpy(out + i, &value, len - i < 8 ? len - i : 8);
    }
}

void bench_random_bytes(void *data, size_t len) { fill_random(&test_state, data, len); }

void bench_random_bits(struct bench_bits *bits, unsigned width) {
    memset(bits, 0, sizeof *bits);
    for (unsigned lsb = 0; lsb < width; lsb += 64)
        bench_bits_set(bits, lsb, width - lsb < 64 ? width - lsb : 64, bench_random());
}

/* ---- bit vectors ---- */

void bench_bits_set(struct bench_bits *bits, unsigned lsb, unsigned width, uint64_t value) {
    for (unsigned i = 0; i < width && lsb + i < BENCH_BITS; i++) {
        uint32_t bit = UINT32_C(1) << ((lsb + i) % 32);
        if (value >> i & 1)
            bits->w[(lsb + i) / 32] |= bit;
        else
            bits->w[(lsb + i) / 32] &= ~bit;
    }
}

uint64_t bench_bits_get(const struct bench_bits *bits, unsigned lsb, unsigned width) {
    uint64_t value = 0;
    for (unsigned i = 0; i < width && lsb + i < BENCH_BITS; i++)
        value |= (uint64_t)(bits->w[(lsb + i) / 32] >> ((lsb + i) % 32) & 1) << i;
    return value;
}

bool bench_bits_equal(const struct bench_bits *a, const struct bench_bits *b) { return memcmp(a, b, sizeof *a) == 0; }

/* ---- failures ---- */

void bench_fail(const char *file, int line, const char *format, ...) {
    va_list args;
    printf("%s:%d: %s, cycle %" PRIu64 ": ", file, line, running ? running->name : "-", cycle);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf(" (--seed %" PRIu64 ")\n", seed);
    test_failed = true;
    longjmp(leave_test, 1);
}

/* A broken rule seen from inside the simulation: the test ends after this clock. */
__attribute__((format(printf, 2, 3))) static void broken_rule(int sink, const char *format, ...) {
    broken_rules++;
    if (test_failed || counts_rules)
        return;
    va_list args;
    va_start(args, format);
    printf("sink %d, %s, cycle %" PRIu64 ": stream rule broken: ", sink, running ? running->name : "-", cycle);
    vprintf(format, args);
    printf(" (--seed %" PRIu64 ")\n", seed);
    va_end(args);
    test_failed = true;
}

void bench_count_broken_rules(void) { counts_rules = true; }

unsigned bench_broken_rules(void) { return broken_rules; }

void bench_check_eq(const char *file, int line, const char *what, uint64_t expected, uint64_t actual) {
    if (expected != actual)
        bench_fail(file, line, "%s: expected %" PRIu64 " (0x%" PRIx64 "), actual %" PRIu64 " (0x%" PRIx64 ")", what,
                   expected, expected, actual, actual);
}

static void print_bytes(const char *title, const uint8_t *data, size_t len, size_t around) {
    size_t begin = around > 8 ? around - 8 : 0;
    printf("  %s, %zu bytes, from byte %zu:", title, len, begin);
    for (size_t i = begin; i < len && i < begin + 24; i++)
        printf(" %02x", (unsigned)data[i]);
    printf("\n");
}

void bench_check_bytes(const char *file, int line, const char *what, const void *expected, size_t expected_len,
                       const void *actual, size_t actual_len) {
    const uint8_t *want = expected;
    const uint8_t *got = actual;
    size_t common = expected_len < actual_len ? expected_len : actual_len;
    size_t at = 0;
    while (at < common && want[at] == got[at])
        at++;
    if (at == expected_len && at == actual_len)
        return;
    print_bytes("expected", want, expected_len, at);
    print_bytes("actual", got, actual_len, at);
    bench_fail(file, line, "%s differs at byte %zu", what, at);
}

void bench_skip(const char *reason) {
    skip_reason = reason;
    longjmp(leave_test, 1);
}

/* ---- queues ---- */

static void *checked(void *memory) {
    if (!memory) {
        fprintf(stderr, "bench: out of memory\n");
        exit(2);
    }
    return memory;
}

static void queue_add(struct queue *queue, struct entry entry) {
    if (queue->count == queue->room) {
        queue->room = queue->room ? 2 * queue->room : 16;
        queue->entries = checked(realloc(queue->entries, queue->room * sizeof *queue->entries));
    }
    queue->entries[queue->count++] = entry;
}

static void queue_clear(struct queue *queue) {
    for (size_t i = 0; i < queue->count; i++)
        free(queue->entries[i].bytes);
    queue->count = queue->next = 0;
}

static void use_id(int id) {
    if (id < 0 || id >= BENCH_IDS) {
        fprintf(stderr, "bench: ID %d is not in 0 to %d\n", id, BENCH_IDS - 1);
        exit(2);
    }
    if (id >= used_ids)
        used_ids = id + 1;
}

void bench_put(int source, const struct bench_packet *packet) {
    use_id(source);
    struct entry entry = {.packet = *packet, .bytes = checked(malloc(packet->len ? packet->len : 1))};
    memcpy(entry.bytes, packet->data, packet->len);
    entry.packet.data = entry.bytes;
    queue_add(&sources[source].queue, entry);
}

void bench_send(int source, const void *data, size_t len, bool bad, const struct bench_bits *user) {
    struct bench_packet packet = {.data = data, .len = len, .bad = bad};
    if (user)
        packet.user = *user;
    bench_put(source, &packet);
}

bool bench_take(int sink, struct bench_packet *packet) {
    use_id(sink);
    struct queue *queue = &sinks[sink].queue;
    if (queue->next == queue->count)
        return false;
    *packet = queue->entries[queue->next++].packet;
    return true;
}

size_t bench_waiting(int source) { return sources[source].queue.count - sources[source].queue.next; }

size_t bench_arrived(int sink) { return sinks[sink].queue.count - sinks[sink].queue.next; }

/* ---- idle and back-pressure ---- */

static bool flow_pauses(struct flow *flow) {
    switch (flow->mode) {
    case BENCH_RANDOM:
        return draw(&flow_state) % 100 < flow->percent;
    case BENCH_BURSTS:
        if (flow->run == 0) {
            flow->paused = draw(&flow_state) % 100 < flow->percent;
            flow->run = (unsigned)(draw(&flow_state) % 32 + 1);
        }
        flow->run--;
        return flow->paused;
    case BENCH_FULL:
        break;
    }
    return false;
}

static struct flow flow_of(enum bench_mode mode, unsigned percent) {
    return (struct flow){.mode = mode, .percent = percent};
}

void bench_source_mode(int source, enum bench_mode mode, unsigned percent) {
    use_id(source);
    sources[source].flow = flow_of(mode, percent);
}

void bench_sink_mode(int sink, enum bench_mode mode, unsigned percent) {
    use_id(sink);
    sinks[sink].flow = flow_of(mode, percent);
}

void bench_mode_all(enum bench_mode mode, unsigned idle_percent, unsigned stall_percent) {
    for (int id = 0; id < BENCH_IDS; id++) {
        sources[id].flow = flow_of(mode, idle_percent);
        sinks[id].flow = flow_of(mode, stall_percent);
    }
}

static struct flow flow_drawn(void) {
    return flow_of((enum bench_mode)bench_random_in(BENCH_FULL, BENCH_BURSTS), (unsigned)bench_random_in(5, 80));
}

void bench_mode_random(void) {
    for (int id = 0; id < BENCH_IDS; id++) {
        sources[id].flow = flow_drawn();
        sinks[id].flow = flow_drawn();
    }
}

/* ---- what the components call ---- */

static void count_beat(struct bench_stats *stats, size_t bytes, bool last) {
    if (stats->beats++ == 0)
        stats->first_cycle = cycle;
    stats->last_cycle = cycle;
    stats->bytes += bytes;
    stats->packets += last;
    last_moved = cycle;
}

unsigned char bench_source_beat(int id, int lanes, uint32_t *data, uint32_t *keep, unsigned char *last,
                                unsigned char *bad, uint32_t *user, uint32_t *user_last) {
    struct source *source = &sources[id];
    struct queue *queue = &source->queue;

    use_id(id);
    if (source->offered) {              /* asked again, so the beat on offer has moved */
        count_beat(&source->stats, source->offered, source->offered_last);
        source->offered = 0;
        if (source->offered_last) {
            queue->next++;
            source->pos = 0;
        }
    }
    fill_random(&flow_state, data, BENCH_BITS / 8);
    fill_random(&flow_state, user, BENCH_BITS / 8);
    fill_random(&flow_state, user_last, BENCH_BITS / 8);
    uint64_t kept = draw(&flow_state);
    *last = draw(&flow_state) & 1;
    *bad = draw(&flow_state) & 1;

    bool offers = queue->next < queue->count && !flow_pauses(&source->flow);
    if (offers) {
        const struct bench_packet *packet = &queue->entries[queue->next].packet;
        size_t rest = packet->len - source->pos;
        size_t bytes = rest < (size_t)lanes ? rest : (size_t)lanes;

        memcpy(data, packet->data + source->pos, bytes);
        memcpy(user, packet->user.w, sizeof packet->user.w);
        kept = bytes == 64 ? UINT64_MAX : (UINT64_C(1) << bytes) - 1;
        *last = bytes == rest;
        if (*last) {
            *bad = packet->bad;
            memcpy(user_last, packet->user_last.w, sizeof packet->user_last.w);
        }
        source->pos += bytes;
        source->offered = bytes;
        source->offered_last = *last;
    }
    keep[0] = (uint32_t)kept;
    keep[1] = (uint32_t)(kept >> 32);
    return offers;
}

unsigned char bench_sink_ready(int id) {
    use_id(id);
    return !flow_pauses(&sinks[id].flow);
}

void bench_sink_withdrawn(int id) {
    sinks[id].stalled = false;
    broken_rule(id, "an offered beat was taken back");
}

static bool same_beat(const struct beat *a, const struct beat *b) {
    for (size_t lane = 0; lane < 64; lane++)
        if ((a->keep >> lane & 1) && a->data[lane] != b->data[lane])
            return false;
    return a->keep == b->keep && a->last == b->last && bench_bits_equal(&a->user, &b->user) &&
           (!a->last || (a->bad == b->bad && bench_bits_equal(&a->user_last, &b->user_last)));
}

void bench_sink_beat(int id, int lanes, unsigned char skip, unsigned char moves, const uint32_t *data,
                     const uint32_t *keep, unsigned char last, unsigned char bad, const uint32_t *user,
                     const uint32_t *user_last) {
    struct sink *sink = &sinks[id];
    struct beat beat = {.keep = keep[0] | (uint64_t)keep[1] << 32, .last = last, .bad = bad};

    use_id(id);
    memcpy(beat.data, data, sizeof beat.data);
    memcpy(beat.user.w, user, sizeof beat.user.w);
    memcpy(beat.user_last.w, user_last, sizeof beat.user_last.w);
    if (sink->stalled && !same_beat(&sink->held, &beat))
        broken_rule(id, "an offered beat changed: keep 0x%" PRIx64 " to 0x%" PRIx64 ", last %d to %d", sink->held.keep,
                    beat.keep, sink->held.last, beat.last);
    sink->stalled = !moves;
    sink->held = beat;
    if (!moves)
        return;

    /* keep: lanes begin to end - 1, and full where the packet goes on. */
    size_t begin = 0, end = 0;
    while (begin < 64 && !(beat.keep >> begin & 1))
        begin++;
    end = begin;
    while (end < 64 && (beat.keep >> end & 1))
        end++;
    if (begin == 64 || (end < 64 && beat.keep >> end != 0))
        broken_rule(id, "keep 0x%" PRIx64 " is empty or not contiguous", beat.keep);
    if (begin != 0 && (!skip || sink->in_packet))
        broken_rule(id, "keep 0x%" PRIx64 " leaves low lanes empty", beat.keep);
    if (end != (size_t)lanes && !beat.last)
        broken_rule(id, "keep 0x%" PRIx64 " is not full on a beat that is not the last", beat.keep);

    struct bench_packet *packet = &sink->part.packet;
    if (!sink->in_packet) {
        memset(&sink->part, 0, sizeof sink->part);
        sink->part_room = 0;
        packet->user = beat.user;
        packet->skip = (unsigned)begin;
        packet->first_cycle = cycle;
    } else if (!bench_bits_equal(&packet->user, &beat.user)) {
        broken_rule(id, "the user bits changed inside a packet");
    }
    size_t bytes = end - begin;
    if (packet->len + bytes > sink->part_room) {
        sink->part_room = 2 * (packet->len + bytes) + 64;
        sink->part.bytes = checked(realloc(sink->part.bytes, sink->part_room));
    }
    if (bytes)
        memcpy(sink->part.bytes + packet->len, beat.data + begin, bytes);
    packet->len += bytes;
    count_beat(&sink->stats, bytes, beat.last);
    sink->in_packet = !beat.last;
    if (beat.last) {
        packet->data = sink->part.bytes;
        packet->bad = beat.bad;
        packet->user_last = beat.user_last;
        packet->last_cycle = cycle;
        queue_add(&sink->queue, sink->part);
        memset(&sink->part, 0, sizeof sink->part);
    }
}

void bench_config_value(int id, uint32_t *value) {
    use_id(id);
    memcpy(value, configs[id].w, sizeof configs[id].w);
}

void bench_status_value(int id, unsigned char counts, const uint32_t *value) {
    use_id(id);
    struct signal_bits *status = &statuses[id];
    memcpy(status->value.w, value, sizeof status->value.w);
    for (unsigned word = 0; counts && word < BENCH_BITS / 32; word++)
        for (uint32_t rest = value[word]; rest; rest &= rest - 1)
            status->high[32 * word + (unsigned)__builtin_ctz(rest)]++;
}

void bench_set(int config, unsigned lsb, unsigned width, uint64_t value) {
    use_id(config);
    bench_bits_set(&configs[config], lsb, width, value);
}

void bench_set_bits(int config, const struct bench_bits *bits) {
    use_id(config);
    configs[config] = *bits;
}

uint64_t bench_get(int status, unsigned lsb, unsigned width) {
    return bench_bits_get(&statuses[status].value, lsb, width);
}

uint64_t bench_count(int status, unsigned bit) { return statuses[status].high[bit]; }

/* ---- clock ---- */

static void clock_once(bool rst) {
    if (cycle_step && !rst)
        cycle_step(cycle_context);
    bench_top_clock(rst);
    cycle++;
}

void bench_run(uint64_t cycles) {
    for (uint64_t i = 0; i < cycles; i++) {
        clock_once(false);
        if (test_failed)
            longjmp(leave_test, 1);
    }
}

void bench_reset(void) {
    for (int i = 0; i < 4; i++)
        clock_once(true);
    for (int id = 0; id < used_ids; id++) {
        struct source *source = &sources[id];
        struct sink *sink = &sinks[id];
        queue_clear(&source->queue);
        queue_clear(&sink->queue);
        free(sink->part.bytes);
        memset(&sink->part, 0, sizeof sink->part);
        sink->in_packet = sink->stalled = source->offered_last = false;
        source->pos = source->offered = 0;
        source->stats = sink->stats = (struct bench_stats){0};
        memset(statuses[id].high, 0, sizeof statuses[id].high);
    }
    last_moved = cycle;
}

uint64_t bench_cycle(void) { return cycle; }

unsigned bench_test_number(void) { return test_number; }

void bench_on_cycle(void (*step)(void *context), void *context) {
    cycle_step = step;
    cycle_context = context;
}

static bool busy(void) {
    for (int id = 0; id < used_ids; id++)
        if (bench_waiting(id) || sinks[id].in_packet)
            return true;
    return false;
}

void bench_drain(uint64_t limit) {
    uint64_t end = cycle + limit;
    last_moved = cycle;
    while (cycle - last_moved < bench_quiet || busy()) {
        if (cycle == end) {
            for (int id = 0; id < used_ids; id++)
                if (bench_waiting(id) || sinks[id].in_packet)
                    printf("  ID %d: source has %zu packets left, sink is %s a packet\n", id, bench_waiting(id),
                           sinks[id].in_packet ? "inside" : "between");
            bench_fail(__FILE__, __LINE__, "not drained after %" PRIu64 " cycles", limit);
        }
        bench_run(1);
    }
}

struct bench_stats bench_source_stats(int source) { return sources[source].stats; }

struct bench_stats bench_sink_stats(int sink) { return sinks[sink].stats; }

double bench_beats_per_cycle(struct bench_stats stats) {
    return stats.beats ? (double)stats.beats / (double)(stats.last_cycle - stats.first_cycle + 1) : 0.0;
}

void bench_report(const char *name, double value, const char *unit, const char *conditions) {
    printf("BENCH %s %.6g %s %s\n", name, value, unit, conditions);
}

/* ---- the program ---- */

void bench_register(struct bench_test *test) {
    if (last_test)
        last_test->next = test;
    else
        first_test = test;
    last_test = test;
}

static uint64_t hash(const char *text) {
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001B3);
    return h;
}

static void run_test(struct bench_test *test) {
    running = test;
    test_number++;
    test_failed = false;
    skip_reason = NULL;
    counts_rules = false;
    broken_rules = 0;
    test_state = seed * UINT64_C(0x2545F4914F6CDD1D) ^ hash(test->name);
    flow_state = ~test_state;
    bench_quiet = 256;
    bench_on_cycle(NULL, NULL);
    bench_mode_all(BENCH_FULL, 0, 0);
    memset(configs, 0, sizeof configs);
    if (setjmp(leave_test) == 0) {
        bench_reset();
        test->body();
    }
    running = NULL;
}

static int usage(void) {
    fprintf(stderr, "usage: bench [--seed N] [--only NAME] [--list] [--wave FILE]\n");
    return 2;
}

int bench_main(int argc, char **argv) {
    const char *only = NULL;
    unsigned passed = 0, failed = 0, skipped = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            for (struct bench_test *test = first_test; test; test = test->next)
                printf("%s\n", test->name);
            return 0;
        }
        if (i + 1 == argc)
            return usage();
        if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--only") == 0)
            only = argv[++i];
        else if (strcmp(argv[i], "--wave") == 0)
            i++;                        /* main.cpp opened it */
        else
            return usage();
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("seed %" PRIu64 "\n", seed);
    for (struct bench_test *test = first_test; test; test = test->next) {
        if (only && strcmp(only, test->name) != 0)
            continue;
        run_test(test);
        printf("%s %s%s%s\n", test_failed ? "FAIL" : skip_reason ? "SKIP" : "ok  ", test->name,
               skip_reason ? ": " : "", skip_reason ? skip_reason : "");
        failed += test_failed;
        skipped += !test_failed && skip_reason;
        passed += !test_failed && !skip_reason;
    }
    for (int id = 0; id < used_ids; id++) {
        queue_clear(&sources[id].queue);
        queue_clear(&sinks[id].queue);
        free(sources[id].queue.entries);
        free(sinks[id].queue.entries);
        free(sinks[id].part.bytes);
    }
    if (passed + failed + skipped == 0)
        fprintf(stderr, "no test is called %s\n", only ? only : "anything");
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    return failed || passed + skipped == 0;
}
