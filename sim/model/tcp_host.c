#include "tcp_host.h"

#include <stdlib.h>
#include <string.h>

/* A transfer: received payload on its way into the ring, or a turn, ACK or reset on its way out. */
struct flue_tcp_host_job {
    struct flue_tcp_host_job *next;
    uint64_t at_us;
    bool place;
    uint32_t seq, after; /* place */
    struct flue_tcp_tx tx;
    uint32_t len;
    uint8_t data[]; /* place: len bytes */
};

static uint32_t ring_bytes(uint32_t announced)
{
    uint32_t bytes = 1;
    while (bytes < announced)
        bytes *= 2;
    return bytes;
}

static void copy_in(uint8_t *ring, uint32_t mask, uint32_t seq, const uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        ring[(seq + i) & mask] = data[i];
}

static void copy_out(const uint8_t *ring, uint32_t mask, uint32_t seq, uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        data[i] = ring[(seq + i) & mask];
}

static void add_job(struct flue_tcp_host *h, uint64_t now_us, const struct flue_tcp_host_job *what, const uint8_t *data)
{
    struct flue_tcp_host_job *job = malloc(sizeof *job + what->len);
    if (!job)
        abort();
    *job = *what;
    job->next = NULL;
    job->at_us = now_us + h->config.latency_us;
    if (what->len > 0)
        memcpy(job->data, data, what->len);
    *h->end = job;
    h->end = &job->next;
}

static enum flue_tcp_verdict step(struct flue_tcp_host *h, uint64_t now_us, const struct flue_tcp_event *event,
                                  const uint8_t *payload)
{
    struct flue_tcp_actions a;
    flue_tcp_step(&h->t, now_us, event, &a);
    h->events++;
    h->reasons[a.reason]++;
    const char *why = flue_tcp_invariant(&h->t);
    if (why && !h->broken)
        h->broken = why;

    if (a.has_verdict && a.verdict == FLUE_TCP_PLACE) {
        struct flue_tcp_host_job job = {.place = true, .seq = a.place.seq, .after = a.place.after, .len = a.place.len};
        add_job(h, now_us, &job, payload + a.place.skip);
    }
    if (a.has_tx) {
        struct flue_tcp_host_job job = {.tx = a.tx};
        add_job(h, now_us, &job, NULL);
    }
    if (a.has_tell) {
        h->told = a.tell;
        h->fin |= a.tell.fin;
        if (a.tell.ended != FLUE_TCP_END_NONE && a.tell.ended != FLUE_TCP_END_FIN) {
            h->ended = a.tell.ended;
            h->ends++;
        }
    }
    for (unsigned i = 0; i < a.notes; i++) {
        h->frozen |= a.note[i] == FLUE_TCP_FROZE;
        h->upload |= a.note[i] != FLUE_TCP_FROZE;
    }
    h->wants = a.wants;
    h->deadline_on = a.deadline_on;
    int32_t ahead = (int32_t)(a.deadline - (uint32_t)now_us);
    h->deadline_us = now_us + (uint64_t)(ahead > 0 ? ahead : 0);
    return a.verdict;
}

bool flue_tcp_host_open(struct flue_tcp_host *h, const struct flue_tcp_host_config *config, uint64_t now_us)
{
    const struct flue_tcp_event load = {.kind = FLUE_TCP_EV_COMMAND, .command = FLUE_TCP_LOAD};
    *h = (struct flue_tcp_host){.t = config->record, .config = *config};
    h->end = &h->first;
    h->send_mask = ring_bytes(config->record.snd_buf) - 1;
    h->receive_mask = ring_bytes(config->record.rcv_buf) - 1;
    h->send_ring = calloc(1, (size_t)h->send_mask + 1);
    h->receive_ring = calloc(1, (size_t)h->receive_mask + 1);
    h->written = config->record.send_limit;
    h->taken = config->record.consumed;
    if (!h->send_ring || !h->receive_ring) {
        flue_tcp_host_close(h);
        return false;
    }
    step(h, now_us, &load, NULL);
    return true;
}

void flue_tcp_host_close(struct flue_tcp_host *h)
{
    while (h->first) {
        struct flue_tcp_host_job *job = h->first;
        h->first = job->next;
        free(job);
    }
    h->end = &h->first;
    free(h->send_ring);
    free(h->receive_ring);
    h->send_ring = h->receive_ring = NULL;
}

static void ring_doorbell(struct flue_tcp_host *h, uint64_t now_us)
{
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_DOORBELL};
    e.doorbell.send_limit = h->written;
    e.doorbell.consumed = h->taken;
    e.doorbell.fin = h->finished;
    step(h, now_us, &e, NULL);
}

size_t flue_tcp_host_write(struct flue_tcp_host *h, uint64_t now_us, const uint8_t *data, size_t len)
{
    uint32_t room = h->told.snd_free + h->t.snd_buf - h->written;
    if (h->finished)
        return 0;
    uint32_t bytes = len < room ? (uint32_t)len : room;
    copy_in(h->send_ring, h->send_mask, h->written, data, bytes);
    h->written += bytes;
    if (bytes > 0)
        ring_doorbell(h, now_us);
    return bytes;
}

void flue_tcp_host_finish(struct flue_tcp_host *h, uint64_t now_us)
{
    h->finished = true;
    ring_doorbell(h, now_us);
}

size_t flue_tcp_host_read(struct flue_tcp_host *h, uint64_t now_us, uint8_t *data, size_t len)
{
    uint32_t there = h->told.rcv_nxt - h->told.fin - h->taken;
    uint32_t bytes = len < there ? (uint32_t)len : there;
    copy_out(h->receive_ring, h->receive_mask, h->taken, data, bytes);
    h->taken += bytes;
    if (bytes > 0)
        ring_doorbell(h, now_us);
    return bytes;
}

void flue_tcp_host_command(struct flue_tcp_host *h, uint64_t now_us, enum flue_tcp_command command)
{
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_COMMAND, .command = command};
    step(h, now_us, &e, NULL);
}

void flue_tcp_host_reload(struct flue_tcp_host *h, uint64_t now_us)
{
    h->frozen = false;
    h->t.mode = FLUE_TCP_EMPTY;
    h->t.held_count = 0;
    h->t.dsack = (struct flue_tcp_range){0, 0};
    if (h->t.fin_valid && h->t.fin_seq + 1 != h->t.rcv_nxt)
        h->t.fin_valid = 0;
    flue_tcp_host_command(h, now_us, FLUE_TCP_LOAD);
    flue_tcp_host_command(h, now_us, FLUE_TCP_START);
    ring_doorbell(h, now_us); /* what the program did meanwhile */
}

/* The engine gives TIME-WAIT to the host, which answers what comes again (TCP-204). */
static void answer_in_time_wait(struct flue_tcp_host *h, uint64_t now_us, const struct flue_tcp_seg *seg)
{
    struct flue_tcp_seg ack = {.seq = h->t.snd_max, .ack = h->t.rcv_nxt, .flags = FLUE_TCP_ACK, .has_ts = h->t.ts};
    uint32_t left = flue_tcp_before(h->t.rcv_nxt, h->t.rcv_adv) ? h->t.rcv_adv - h->t.rcv_nxt : 0;
    ack.wnd = (uint16_t)((left + (1u << h->t.rcv_scale) - 1) >> h->t.rcv_scale);
    ack.ts_val = (uint32_t)(h->t.ts_us ? now_us : now_us / 1000) + h->t.ts_offset;
    ack.ts_ecr = seg->has_ts ? seg->ts_val : h->t.ts_recent;
    bool asks = (seg->len > 0 || seg->flags & FLUE_TCP_FIN) && !(seg->flags & FLUE_TCP_RST);
    if (asks && !h->first) /* nothing older is still on its way out */
        h->config.emit(h->config.user, now_us, &ack, NULL);
}

bool flue_tcp_host_receive(struct flue_tcp_host *h, uint64_t now_us, const struct flue_tcp_seg *seg, const uint8_t *payload)
{
    struct flue_tcp_event e = {.kind = FLUE_TCP_EV_SEGMENT, .seg = *seg};
    if (step(h, now_us, &e, payload) != FLUE_TCP_DIVERT)
        return true;
    if (h->t.mode == FLUE_TCP_LIVE && h->t.state == FLUE_TCP_TIME_WAIT)
        answer_in_time_wait(h, now_us, seg);
    return false;
}

/* The segment at byte `at` of a turn, as the header builder makes it. */
static struct flue_tcp_seg segment_of(const struct flue_tcp_host *h, uint64_t now_us, const struct flue_tcp_tx *tx, uint32_t at)
{
    struct flue_tcp_seg seg = {.seq = tx->seq + at, .ack = tx->ack, .wnd = tx->wnd, .flags = FLUE_TCP_ACK};
    uint32_t left = tx->len - at;
    seg.len = (uint16_t)(left < tx->mss ? left : tx->mss);
    if (tx->kind == FLUE_TCP_TX_RST)
        seg.flags |= FLUE_TCP_RST;
    if (seg.len == left) { /* the last */
        seg.flags |= (uint8_t)((tx->psh ? FLUE_TCP_PSH : 0) | (tx->fin ? FLUE_TCP_FIN : 0));
    }
    seg.has_ts = h->t.ts;
    if (seg.has_ts) {
        seg.ts_val = (uint32_t)(h->t.ts_us ? now_us : now_us / 1000) + h->t.ts_offset;
        seg.ts_ecr = tx->ts_ecr;
    }
    seg.blocks = tx->blocks;
    memcpy(seg.block, tx->block, sizeof seg.block);
    return seg;
}

static void send_turn(struct flue_tcp_host *h, uint64_t now_us, const struct flue_tcp_tx *tx)
{
    uint8_t payload[65536];
    uint32_t at = 0;
    do {
        struct flue_tcp_seg seg = segment_of(h, now_us, tx, at);
        copy_out(h->send_ring, h->send_mask, seg.seq, payload, seg.len);
        h->config.emit(h->config.user, now_us, &seg, payload);
        at += seg.len;
    } while (at < tx->len);
}

static void finish_job(struct flue_tcp_host *h, uint64_t now_us)
{
    struct flue_tcp_host_job *job = h->first;
    struct flue_tcp_event e = {.kind = job->place ? FLUE_TCP_EV_PLACED : FLUE_TCP_EV_SENT};
    h->first = job->next;
    if (!h->first)
        h->end = &h->first;
    if (job->place) {
        copy_in(h->receive_ring, h->receive_mask, job->seq, job->data, job->len);
        e.placed.after = job->after;
        e.placed.ok = true;
    } else {
        send_turn(h, now_us, &job->tx);
        e.sent.turn = job->tx.kind == FLUE_TCP_TX_DATA;
    }
    free(job);
    step(h, now_us, &e, NULL);
}

uint64_t flue_tcp_host_next(const struct flue_tcp_host *h, uint64_t now_us)
{
    uint64_t at = h->deadline_on ? h->deadline_us : FLUE_TCP_NEVER;
    if (h->wants && !h->line_full)
        return now_us;
    if (h->first && h->first->at_us < at)
        at = h->first->at_us;
    return at < now_us ? now_us : at;
}

void flue_tcp_host_run(struct flue_tcp_host *h, uint64_t now_us)
{
    while (flue_tcp_host_next(h, now_us) <= now_us) {
        struct flue_tcp_event e = {.kind = FLUE_TCP_EV_TIMER};
        if (h->first && h->first->at_us <= now_us) {
            finish_job(h, now_us);
            continue;
        }
        if (h->wants && !h->line_full) {
            e.kind = FLUE_TCP_EV_TURN;
            e.budget = FLUE_TCP_TURN_BUDGET;
        }
        step(h, now_us, &e, NULL);
    }
}
