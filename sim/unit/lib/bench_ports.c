#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_internal.h"

/* What the SystemVerilog side calls (bench_source.sv and its neighbours): bit is unsigned char, a vector 32-bit words. */
unsigned char bench_source_beat(int id, int lanes, uint32_t *data, uint32_t *keep, unsigned char *last, unsigned char *bad,
                                uint32_t *user, uint32_t *user_last);
unsigned char bench_sink_ready(int id);
void bench_sink_withdrawn(int id);
void bench_sink_beat(int id, int lanes, unsigned char skip, unsigned char moves, const uint32_t *data, const uint32_t *keep,
                     unsigned char last, unsigned char bad, const uint32_t *user, const uint32_t *user_last);
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
    size_t next; /* the first entry not yet read */
};

struct flow {
    enum bench_mode mode;
    unsigned percent;
    unsigned run; /* BENCH_BURSTS: cycles left in this run */
    bool paused;  /* BENCH_BURSTS: this run is a pause */
};

struct source {
    struct flow flow;
    struct queue queue;
    size_t pos;     /* bytes of the front packet already offered */
    size_t offered; /* bytes in the beat on offer, 0 if none */
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
    struct entry part; /* the packet that is arriving */
    size_t part_room;
    bool stalled;
    struct beat held; /* the beat that stalled */
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
static int used_ids = 1; /* IDs from here on were never used */

uint64_t bench_last_moved;

/* ---- queues ---- */

static void *checked(void *memory)
{
    if (!memory) {
        fprintf(stderr, "bench: out of memory\n");
        exit(2);
    }
    return memory;
}

static void queue_add(struct queue *queue, struct entry entry)
{
    if (queue->count == queue->room) {
        queue->room = queue->room ? 2 * queue->room : 16;
        queue->entries = checked(realloc(queue->entries, queue->room * sizeof *queue->entries));
    }
    queue->entries[queue->count++] = entry;
}

static void queue_clear(struct queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        free(queue->entries[i].bytes);
    queue->count = queue->next = 0;
}

static void use_id(int id)
{
    if (id < 0 || id >= BENCH_IDS) {
        fprintf(stderr, "bench: ID %d is not in 0 to %d\n", id, BENCH_IDS - 1);
        exit(2);
    }
    if (id >= used_ids)
        used_ids = id + 1;
}

void bench_put(int source, const struct bench_packet *packet)
{
    use_id(source);
    struct entry entry = {.packet = *packet, .bytes = checked(malloc(packet->len ? packet->len : 1))};
    memcpy(entry.bytes, packet->data, packet->len);
    entry.packet.data = entry.bytes;
    queue_add(&sources[source].queue, entry);
}

void bench_send(int source, const void *data, size_t len, bool bad, const struct bench_bits *user)
{
    struct bench_packet packet = {.data = data, .len = len, .bad = bad};
    if (user)
        packet.user = *user;
    bench_put(source, &packet);
}

bool bench_take(int sink, struct bench_packet *packet)
{
    use_id(sink);
    struct queue *queue = &sinks[sink].queue;
    if (queue->next == queue->count)
        return false;
    *packet = queue->entries[queue->next++].packet;
    return true;
}

size_t bench_waiting(int source)
{
    return sources[source].queue.count - sources[source].queue.next;
}

size_t bench_arrived(int sink)
{
    return sinks[sink].queue.count - sinks[sink].queue.next;
}

/* ---- idle and back-pressure ---- */

static bool flow_pauses(struct flow *flow)
{
    switch (flow->mode) {
    case BENCH_RANDOM:
        return bench_draw(&bench_flow_state) % 100 < flow->percent;
    case BENCH_BURSTS:
        if (flow->run == 0) {
            flow->paused = bench_draw(&bench_flow_state) % 100 < flow->percent;
            flow->run = (unsigned)(bench_draw(&bench_flow_state) % 32 + 1);
        }
        flow->run--;
        return flow->paused;
    case BENCH_FULL:
        break;
    }
    return false;
}

static struct flow flow_of(enum bench_mode mode, unsigned percent)
{
    return (struct flow){.mode = mode, .percent = percent};
}

void bench_source_mode(int source, enum bench_mode mode, unsigned percent)
{
    use_id(source);
    sources[source].flow = flow_of(mode, percent);
}

void bench_sink_mode(int sink, enum bench_mode mode, unsigned percent)
{
    use_id(sink);
    sinks[sink].flow = flow_of(mode, percent);
}

void bench_mode_all(enum bench_mode mode, unsigned idle_percent, unsigned stall_percent)
{
    for (int id = 0; id < BENCH_IDS; id++) {
        sources[id].flow = flow_of(mode, idle_percent);
        sinks[id].flow = flow_of(mode, stall_percent);
    }
}

static struct flow flow_drawn(void)
{
    return flow_of((enum bench_mode)bench_random_in(BENCH_FULL, BENCH_BURSTS), (unsigned)bench_random_in(5, 80));
}

void bench_mode_random(void)
{
    for (int id = 0; id < BENCH_IDS; id++) {
        sources[id].flow = flow_drawn();
        sinks[id].flow = flow_drawn();
    }
}

/* ---- what the components call ---- */

static void count_beat(struct bench_stats *stats, size_t bytes, bool last)
{
    if (stats->beats++ == 0)
        stats->first_cycle = bench_cycle();
    stats->last_cycle = bench_cycle();
    stats->bytes += bytes;
    stats->packets += last;
    bench_last_moved = bench_cycle();
}

unsigned char bench_source_beat(int id, int lanes, uint32_t *data, uint32_t *keep, unsigned char *last, unsigned char *bad,
                                uint32_t *user, uint32_t *user_last)
{
    struct source *source = &sources[id];
    struct queue *queue = &source->queue;

    use_id(id);
    if (source->offered) { /* asked again, so the beat on offer has moved */
        count_beat(&source->stats, source->offered, source->offered_last);
        source->offered = 0;
        if (source->offered_last) {
            queue->next++;
            source->pos = 0;
        }
    }
    bench_fill(&bench_flow_state, data, BENCH_BITS / 8);
    bench_fill(&bench_flow_state, user, BENCH_BITS / 8);
    bench_fill(&bench_flow_state, user_last, BENCH_BITS / 8);
    uint64_t kept = bench_draw(&bench_flow_state);
    *last = bench_draw(&bench_flow_state) & 1;
    *bad = bench_draw(&bench_flow_state) & 1;

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

unsigned char bench_sink_ready(int id)
{
    use_id(id);
    return !flow_pauses(&sinks[id].flow);
}

void bench_sink_withdrawn(int id)
{
    sinks[id].stalled = false;
    bench_rule_broken(id, "an offered beat was taken back");
}

static bool same_beat(const struct beat *a, const struct beat *b)
{
    for (size_t lane = 0; lane < 64; lane++)
        if ((a->keep >> lane & 1) && a->data[lane] != b->data[lane])
            return false;
    return a->keep == b->keep && a->last == b->last && bench_bits_equal(&a->user, &b->user) &&
           (!a->last || (a->bad == b->bad && bench_bits_equal(&a->user_last, &b->user_last)));
}

void bench_sink_beat(int id, int lanes, unsigned char skip, unsigned char moves, const uint32_t *data, const uint32_t *keep,
                     unsigned char last, unsigned char bad, const uint32_t *user, const uint32_t *user_last)
{
    struct sink *sink = &sinks[id];
    struct beat beat = {.keep = keep[0] | (uint64_t)keep[1] << 32, .last = last, .bad = bad};

    use_id(id);
    memcpy(beat.data, data, sizeof beat.data);
    memcpy(beat.user.w, user, sizeof beat.user.w);
    memcpy(beat.user_last.w, user_last, sizeof beat.user_last.w);
    if (sink->stalled && !same_beat(&sink->held, &beat))
        bench_rule_broken(id, "an offered beat changed: keep 0x%" PRIx64 " to 0x%" PRIx64 ", last %d to %d", sink->held.keep,
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
        bench_rule_broken(id, "keep 0x%" PRIx64 " is empty or not contiguous", beat.keep);
    if (begin != 0 && (!skip || sink->in_packet))
        bench_rule_broken(id, "keep 0x%" PRIx64 " leaves low lanes empty", beat.keep);
    if (end != (size_t)lanes && !beat.last)
        bench_rule_broken(id, "keep 0x%" PRIx64 " is not full on a beat that is not the last", beat.keep);

    struct bench_packet *packet = &sink->part.packet;
    if (!sink->in_packet) {
        memset(&sink->part, 0, sizeof sink->part);
        sink->part_room = 0;
        packet->user = beat.user;
        packet->skip = (unsigned)begin;
        packet->first_cycle = bench_cycle();
    } else if (!bench_bits_equal(&packet->user, &beat.user)) {
        bench_rule_broken(id, "the user bits changed inside a packet");
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
        packet->last_cycle = bench_cycle();
        queue_add(&sink->queue, sink->part);
        memset(&sink->part, 0, sizeof sink->part);
    }
}

void bench_config_value(int id, uint32_t *value)
{
    use_id(id);
    memcpy(value, configs[id].w, sizeof configs[id].w);
}

void bench_status_value(int id, unsigned char counts, const uint32_t *value)
{
    use_id(id);
    struct signal_bits *status = &statuses[id];
    memcpy(status->value.w, value, sizeof status->value.w);
    for (unsigned word = 0; counts && word < BENCH_BITS / 32; word++)
        for (uint32_t rest = value[word]; rest; rest &= rest - 1)
            status->high[32 * word + (unsigned)__builtin_ctz(rest)]++;
}

void bench_set(int config, unsigned lsb, unsigned width, uint64_t value)
{
    use_id(config);
    bench_bits_set(&configs[config], lsb, width, value);
}

void bench_set_bits(int config, const struct bench_bits *bits)
{
    use_id(config);
    configs[config] = *bits;
}

uint64_t bench_get(int status, unsigned lsb, unsigned width)
{
    return bench_bits_get(&statuses[status].value, lsb, width);
}

uint64_t bench_count(int status, unsigned bit)
{
    return statuses[status].high[bit];
}

struct bench_stats bench_source_stats(int source)
{
    return sources[source].stats;
}

struct bench_stats bench_sink_stats(int sink)
{
    return sinks[sink].stats;
}

/* ---- for bench.c ---- */

void bench_ports_default(void)
{
    bench_mode_all(BENCH_FULL, 0, 0);
    memset(configs, 0, sizeof configs);
}

void bench_ports_clear(void)
{
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
}

void bench_ports_free(void)
{
    for (int id = 0; id < used_ids; id++) {
        queue_clear(&sources[id].queue);
        queue_clear(&sinks[id].queue);
        free(sources[id].queue.entries);
        free(sinks[id].queue.entries);
        free(sinks[id].part.bytes);
    }
}

bool bench_ports_busy(bool print)
{
    bool busy = false;
    for (int id = 0; id < used_ids; id++) {
        if (!bench_waiting(id) && !sinks[id].in_packet)
            continue;
        busy = true;
        if (print)
            printf("  ID %d: source has %zu packets left, sink is %s a packet\n", id, bench_waiting(id),
                   sinks[id].in_packet ? "inside" : "between");
    }
    return busy;
}
