/* The two wire ports: frames to beats and back, with the frame monitors. */
#include "runtime.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"

enum { LINE_AHEAD = 256, LINE_BEHIND_NS = 100 }; /* bytes; a few cycles */

static uint64_t full_keep(const struct flue_sim *s)
{
    return s->mem.bytes == 64 ? UINT64_MAX : (UINT64_C(1) << s->mem.bytes) - 1;
}

static void note_tx(void *user, const uint8_t *frame, size_t len, uint64_t now_ns, const char *comment)
{
    struct flue_sim *s = user;
    if (s->pcap)
        flue_pcapng_packet(s->pcap, FLUE_SIM_WIRE_TX, now_ns, frame, len, comment);
}

static void note_rx(void *user, const uint8_t *frame, size_t len, uint64_t now_ns, const char *comment)
{
    struct flue_sim *s = user;
    if (s->pcap)
        flue_pcapng_packet(s->pcap, FLUE_SIM_WIRE_RX_PEER, now_ns, frame, len, comment);
}

void flue_ports_init(struct flue_sim *s)
{
    flue_wire_init(&s->tx_wire, s->cfg.seed, "wire_tx", note_tx, s);
    flue_wire_init(&s->rx_wire, s->cfg.seed, "wire_rx", note_rx, s);
    flue_rng_init(&s->tx.rng, s->cfg.seed, "wire_tx/stall");
    flue_rng_init(&s->rx.rng, s->cfg.seed, "wire_rx/gap");
    s->tx.odds = flue_rng_odds(s->cfg.wire_tx_stall);
    s->rx.odds = flue_rng_odds(s->cfg.wire_rx_gap);
    s->rx.gap_cycles = (FLUE_WIRE_OVERHEAD + s->mem.bytes - 1) / s->mem.bytes + s->cfg.wire_rx_idle;
    s->tx_due_ns = s->rx_due_ns = UINT64_MAX;
    s->arrived_end = &s->arrived;
    s->in.bits |= FLUE_IN_TX_READY;
}

void flue_ports_free(struct flue_sim *s)
{
    if (s->rx.frame)
        flue_wire_done(&s->rx_wire, s->rx.frame);
    flue_wire_free(&s->tx_wire);
    flue_wire_free(&s->rx_wire);
    while (s->arrived) {
        struct flue_arrived *a = s->arrived;
        s->arrived = a->next;
        free(a);
    }
}

/* --- From the adapter ----------------------------------------------------------------------------------------------------- */

static void count_checksums(struct flue_sim *s, const uint8_t *frame, size_t len)
{
    static const struct flue_pkt_rx_cfg ALL = {true, true, true, true, true, true, true, true};
    uint16_t verdict = flue_pkt_rx_csum(frame, len, &ALL);
    s->ip4_checksums += (verdict & FLUE_PKT_IP_OK) != 0;
    s->tcp_checksums += (verdict & FLUE_PKT_TCP_OK) != 0;
    s->udp_checksums += (verdict & FLUE_PKT_UDP_OK) != 0;
}

static void check_frame(struct flue_sim *s, const uint8_t *frame, uint32_t len)
{
    enum flue_pkt_fault fault;
    s->tx.frames++;
    if (len < 14)
        flue_monitor_fail(&s->mon, "wire_tx", "frame %" PRIu64 " has %u bytes, less than an Ethernet header", s->tx.frames,
                          len);
    if (s->cfg.max_frame && len > s->cfg.max_frame)
        flue_monitor_fail(&s->mon, "wire_tx", "frame %" PRIu64 " has %u bytes, more than %u", s->tx.frames, len,
                          s->cfg.max_frame);
    s->frames_checked++;
    fault = flue_pkt_check_wire(frame, len);
    if (fault == FLUE_PKT_FINE) {
        count_checksums(s, frame, len);
        flue_watch_frame_out(&s->watch, frame, len);
    } else if (s->allow_bad || (s->cfg.exempt && s->cfg.exempt(s->cfg.user, frame, len))) {
        s->frames_exempt++;
    } else {
        flue_monitor_fail(&s->mon, "wire_tx", "frame %" PRIu64 " of %u bytes: %s", s->tx.frames, len,
                          flue_pkt_fault_name(fault));
    }
}

static void frame_left(struct flue_sim *s)
{
    check_frame(s, s->tx.data, s->tx.len);
    if (s->tx.len && flue_wire_put(&s->tx_wire, flue_sim_now_ns(s), s->tx.data, s->tx.len))
        flue_monitor_fail(&s->mon, "wire_tx", "no memory for a frame");
    if (s->cfg.line_mbps) {
        uint64_t begins = s->tx.line_free_ns > s->tx.begun_ns ? s->tx.line_free_ns : s->tx.begun_ns;
        s->tx.line_free_ns = begins + flue_line_ns(s->cfg.line_mbps, s->tx.len);
    }
    s->tx.len = 0;
    flue_tx_deliver(s);
}

/* Bytes of a beat by its keep flags; 0 when they are not allowed there. */
static unsigned keep_bytes(const struct flue_sim *s, uint64_t keep, bool last)
{
    uint64_t full = full_keep(s);
    if (keep == full)
        return s->mem.bytes;
    return last && keep && !(keep & (keep + 1)) && keep < full ? (unsigned)__builtin_popcountll(keep) : 0;
}

static void take_beat(struct flue_sim *s)
{
    const uint32_t bits = s->out.bits;
    unsigned n = keep_bytes(s, s->out.tx_keep, bits & FLUE_OUT_TX_LAST);
    if (!n) {
        flue_monitor_fail(&s->mon, "wire_tx", "keep 0x%" PRIx64 " on a%s beat", s->out.tx_keep,
                          bits & FLUE_OUT_TX_LAST ? " last" : "n inner");
        n = s->mem.bytes;
    }
    if (bits & FLUE_OUT_TX_LAST && bits & FLUE_OUT_TX_BAD)
        flue_monitor_fail(&s->mon, "wire_tx", "a frame leaves marked bad");
    if (s->tx.len == 0)
        s->tx.begun_ns = flue_sim_now_ns(s);
    memcpy(s->tx.data + s->tx.len, s->out.tx_data, s->mem.bytes);
    s->tx.len += n;
    if (bits & FLUE_OUT_TX_LAST) {
        frame_left(s);
    } else if (s->tx.len > FLUE_FRAME_BYTES - FLUE_MODEL_BYTES_MAX) {
        flue_monitor_fail(&s->mon, "wire_tx", "a frame does not end");
        s->tx.len = 0;
    }
}

void flue_tx_step(struct flue_sim *s)
{
    const bool valid = s->out.bits & FLUE_OUT_TX_VALID;
    if (s->tx.stalled && (!valid || s->tx.last.keep != s->out.tx_keep || ((s->tx.last.bits ^ s->out.bits) & FLUE_OUT_TX_LAST) ||
                          memcmp(s->tx.last.data, s->out.tx_data, s->mem.bytes)))
        flue_monitor_fail(&s->mon, "wire_tx", "a beat that was not taken changed or went away");
    s->tx.stalled = valid && !(s->in.bits & FLUE_IN_TX_READY);
    if (s->tx.stalled) {
        memcpy(s->tx.last.data, s->out.tx_data, s->mem.bytes);
        s->tx.last.keep = s->out.tx_keep;
        s->tx.last.bits = s->out.bits;
    } else if (valid) {
        take_beat(s);
    }
    /* A MAC takes the next frame a little before the line is free. */
    bool line_busy = s->cfg.line_mbps && s->tx.len == 0 &&
                     s->tx.line_free_ns > flue_sim_now_ns(s) + flue_line_ns(s->cfg.line_mbps, LINE_AHEAD);
    if (flue_rng_hit(&s->tx.rng, s->tx.odds) || line_busy)
        s->in.bits &= ~(uint32_t)FLUE_IN_TX_READY;
    else
        s->in.bits |= FLUE_IN_TX_READY;
}

static void arrive(struct flue_sim *s, const struct flue_wire_frame *f, uint64_t at_ns)
{
    if (s->pcap)
        flue_pcapng_packet(s->pcap, FLUE_SIM_WIRE_TX_PEER, at_ns, f->data, f->len, f->comment);
    if (f->bad)
        return;
    s->frame_arrived = true;
    if (s->cfg.on_frame) {
        s->cfg.on_frame(s->cfg.user, f->data, f->len, s->time_us);
        return;
    }
    struct flue_arrived *a = malloc(sizeof *a + f->len);
    if (!a) {
        flue_monitor_fail(&s->mon, "wire_tx", "no memory for a frame");
        return;
    }
    a->next = NULL;
    a->time_us = s->time_us;
    a->len = f->len;
    memcpy(a->data, f->data, f->len);
    *s->arrived_end = a;
    s->arrived_end = &a->next;
}

void flue_tx_deliver(struct flue_sim *s)
{
    uint64_t now = flue_sim_now_ns(s);
    for (struct flue_wire_frame *f; (f = flue_wire_take(&s->tx_wire, now));) {
        arrive(s, f, now);
        flue_wire_done(&s->tx_wire, f);
    }
    s->tx_due_ns = flue_wire_due_ns(&s->tx_wire);
}

/* --- Towards the adapter -------------------------------------------------------------------------------------------------- */

void flue_rx_look(struct flue_sim *s)
{
    uint64_t due = flue_wire_due_ns(&s->rx_wire);
    s->rx_due_ns = due < s->rx.line_free_ns ? s->rx.line_free_ns : due;
}

static void begin_frame(struct flue_sim *s)
{
    uint64_t now = flue_sim_now_ns(s);
    s->rx.frame = flue_wire_take(&s->rx_wire, now);
    s->rx.at = 0;
    if (s->rx.frame && s->cfg.line_mbps) {
        bool behind = now - s->rx.line_free_ns < LINE_BEHIND_NS; /* it waited for the line */
        s->rx.line_free_ns = (behind ? s->rx.line_free_ns : now) + flue_line_ns(s->cfg.line_mbps, s->rx.frame->len);
    }
    flue_rx_look(s);
    if (s->rx.frame && !s->rx.frame->bad)
        flue_watch_frame_in(&s->watch, s->rx.frame->data, s->rx.frame->len);
    if (s->rx.frame && s->pcap)
        flue_pcapng_packet(s->pcap, FLUE_SIM_WIRE_RX, now, s->rx.frame->data, s->rx.frame->len, s->rx.frame->comment);
}

static void offer_beat(struct flue_sim *s)
{
    const struct flue_wire_frame *f = s->rx.frame;
    uint32_t left = f->len - s->rx.at;
    if (left > s->mem.bytes) {
        memcpy(s->in.rx_data, f->data + s->rx.at, s->mem.bytes);
        s->in.rx_keep = full_keep(s);
        s->in.bits |= FLUE_IN_RX_VALID;
        return;
    }
    memset(s->in.rx_data, 0, s->mem.bytes);
    memcpy(s->in.rx_data, f->data + s->rx.at, left);
    s->in.rx_keep = left == 64 ? UINT64_MAX : (UINT64_C(1) << left) - 1;
    s->in.bits |= FLUE_IN_RX_VALID | FLUE_IN_RX_LAST | (f->bad ? (uint32_t)FLUE_IN_RX_BAD : 0);
}

void flue_rx_step(struct flue_sim *s)
{
    if (s->in.bits & FLUE_IN_RX_VALID) {
        if (!(s->out.bits & FLUE_OUT_RX_READY)) {
            s->rx.stalled++;
            flue_monitor_fail(&s->mon, "wire_rx", "the port is not ready");
            return;
        }
        s->in.bits &= ~(uint32_t)(FLUE_IN_RX_VALID | FLUE_IN_RX_LAST | FLUE_IN_RX_BAD);
        s->rx.at += s->mem.bytes;
        if (s->rx.at >= s->rx.frame->len) {
            flue_wire_done(&s->rx_wire, s->rx.frame);
            s->rx.frame = NULL;
            s->rx.gap = s->rx.gap_cycles;
        }
    }
    if (s->rx.gap) {
        s->rx.gap--;
        return;
    }
    if (!s->rx.frame && s->rx_due_ns <= flue_sim_now_ns(s))
        begin_frame(s);
    if (s->rx.frame && !flue_rng_hit(&s->rx.rng, s->rx.odds))
        offer_beat(s);
}
