#include "rings.h"

#include <inttypes.h>
#include <string.h>

#include "flue/control.h"
#include "flue/layout.h"
#include "flue/regs.h"

#define FIELD(value, name) (((value)&name##_MASK) >> name##_SHIFT)

enum { EVENTS, COMPLETIONS }; /* watched ranges */

static void watch(void *user, unsigned range, uint64_t addr, const uint8_t *bytes, size_t len);

void flue_rings_init(struct flue_rings *rings, struct flue_hostmem *mem, struct flue_monitor *mon)
{
    memset(rings, 0, sizeof *rings);
    rings->mem = mem;
    rings->mon = mon;
    mem->watch = watch;
    mem->watch_user = rings;
}

static void set_event_ring(struct flue_rings *rings)
{
    const struct flue_hostmem_row *row = &rings->mem->row[FIELD(rings->eq_cfg, FLUE_EQ_CFG_REGION) % FLUE_HOSTMEM_ROWS];
    rings->eq_on = rings->eq_cfg & FLUE_EQ_CFG_ENABLE_MASK;
    rings->eq_next = 0;
    rings->eq_lost = rings->diverted = false;
    uint64_t lo = rings->eq_on ? row->base + rings->eq_base : 0;
    rings->mem->range[EVENTS].lo = lo;
    rings->mem->range[EVENTS].hi = rings->eq_on ? lo + (16u << FIELD(rings->eq_cfg, FLUE_EQ_CFG_LOG2_SLOTS)) : 0;
}

/* The admin queue begins anew: a ring was switched, or the processor was started. */
static void set_admin_ring(struct flue_rings *rings)
{
    uint32_t cfg = rings->admin.cq_cfg;
    const struct flue_hostmem_row *row = &rings->mem->row[FIELD(cfg, FLUE_ACQ_CFG_REGION) % FLUE_HOSTMEM_ROWS];
    rings->admin.on = cfg & FLUE_ACQ_CFG_ENABLE_MASK;
    rings->admin.lost = false;
    rings->admin.next = rings->admin.fetched = rings->admin.done = 0;
    uint64_t lo = rings->admin.on ? row->base + rings->admin.cq_base : 0;
    rings->mem->range[COMPLETIONS].lo = lo;
    rings->mem->range[COMPLETIONS].hi = rings->admin.on ? lo + (16u << FIELD(cfg, FLUE_ACQ_CFG_LOG2_SLOTS)) : 0;
}

void flue_rings_write(struct flue_rings *rings, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case FLUE_REG_EQ_BASE:
        rings->eq_base = value & FLUE_EQ_BASE_OFFSET_MASK;
        break;
    case FLUE_REG_EQ_CFG:
        if ((rings->eq_cfg ^ value) & FLUE_EQ_CFG_ENABLE_MASK) {
            rings->eq_cfg = value;
            set_event_ring(rings);
        }
        rings->eq_cfg = value;
        break;
    case FLUE_REG_EQ_HEAD:
        rings->eq_head = (uint16_t)value;
        break;
    case FLUE_REG_TXQ_CFG:
    case FLUE_REG_RXQ_CFG: {
        unsigned q = offset == FLUE_REG_RXQ_CFG;
        bool on = value & FLUE_TXQ_CFG_ENABLE_MASK;
        if (on && !rings->queue[q].on)
            rings->queue[q].done = 0;
        rings->queue[q].on = on;
        break;
    }
    case FLUE_REG_TXQ_TAIL:
        rings->queue[0].tail = (uint16_t)value;
        break;
    case FLUE_REG_RXQ_TAIL:
        rings->queue[1].tail = (uint16_t)value;
        break;
    case FLUE_REG_ACQ_BASE:
        rings->admin.cq_base = value & FLUE_ACQ_BASE_OFFSET_MASK;
        break;
    case FLUE_REG_ACQ_CFG:
        if ((rings->admin.cq_cfg ^ value) & FLUE_ACQ_CFG_ENABLE_MASK) {
            rings->admin.cq_cfg = value;
            set_admin_ring(rings);
        }
        rings->admin.cq_cfg = value;
        break;
    case FLUE_REG_ACQ_HEAD:
        rings->admin.head = (uint16_t)value;
        break;
    case FLUE_REG_ASQ_TAIL:
        rings->admin.tail = (uint16_t)value;
        break;
    case FLUE_REG_FW_CTRL:
        if (value & FLUE_FW_CTRL_RUN_MASK)
            set_admin_ring(rings);
        break;
    case FLUE_REG_CTRL:
        if (value & FLUE_CTRL_RESET_MASK) {
            /* Events of the drain still come: the ring is watched until it is set up again. */
            rings->eq_cfg &= ~(uint32_t)FLUE_EQ_CFG_ENABLE_MASK;
            rings->queue[0].on = rings->queue[1].on = false;
        }
        break;
    default:
        if (offset >= FLUE_REG_REGION && offset < FLUE_REG_REGION + FLUE_HOSTMEM_ROWS * FLUE_REGION_STRIDE)
            flue_hostmem_row_write(rings->mem, (offset - FLUE_REG_REGION) / FLUE_REGION_STRIDE,
                                   (offset - FLUE_REG_REGION) % FLUE_REGION_STRIDE / 4, value);
    }
}

static void check_index(struct flue_rings *rings, unsigned kind, unsigned queue, uint16_t index)
{
    static const char *const NAME[2] = {"transmit", "receive"};
    uint16_t moved, open;
    if (queue > 1)
        return;
    moved = (uint16_t)(index - rings->queue[queue].done);
    open = (uint16_t)(rings->queue[queue].tail - rings->queue[queue].done);
    if (moved > open)
        flue_monitor_fail(rings->mon, "events", "index %u of the %s queue is not between %u (last) and %u (tail)", index,
                          NAME[queue], rings->queue[queue].done, rings->queue[queue].tail);
    if (kind == FLUE_EV_TX_DONE && !moved)
        flue_monitor_fail(rings->mon, "events", "a transmit completion that returns no slot, index %u", index);
    if (kind == FLUE_EV_RX_DONE && moved != 1)
        flue_monitor_fail(rings->mon, "events", "a receive completion returns slot %u after %u", index,
                          rings->queue[queue].done);
    rings->queue[queue].done = index;
}

void flue_rings_read(struct flue_rings *rings, uint32_t offset, uint32_t value)
{
    /* The driver may have taken the last entry before ACQ_TAIL says it is there. */
    if (offset == FLUE_REG_ACQ_TAIL && rings->admin.on && !rings->admin.lost &&
        (uint16_t)(rings->admin.next - value) > (uint16_t)(rings->admin.next - rings->admin.head) + 1)
        flue_monitor_fail(rings->mon, "admin", "ACQ_TAIL is %u, in memory are completions up to %u (head %u)", value,
                          rings->admin.next, rings->admin.head);
    if (offset == FLUE_REG_ASQ_HEAD && rings->admin.on) {
        uint16_t moved = (uint16_t)(value - rings->admin.fetched), open = (uint16_t)(rings->admin.tail - rings->admin.fetched);
        if (moved > open)
            flue_monitor_fail(rings->mon, "admin", "ASQ_HEAD is %u, not between %u (last) and %u (tail)", value,
                              rings->admin.fetched, rings->admin.tail);
        rings->admin.fetched = (uint16_t)value;
    }
}

/* An entry of the completion ring. */
static void watch_admin(struct flue_rings *rings, uint64_t addr, const uint8_t *bytes, size_t len)
{
    unsigned log2_slots = FIELD(rings->admin.cq_cfg, FLUE_ACQ_CFG_LOG2_SLOTS);
    uint16_t slots = (uint16_t)(1u << log2_slots), next = rings->admin.next;
    uint64_t place = rings->mem->range[COMPLETIONS].lo + 16u * (next & (slots - 1u));
    struct flue_cqe cqe;

    if (rings->admin.lost)
        return;
    rings->admin.lost = !bytes || addr != place || len != sizeof cqe;
    if (!bytes)
        return;
    rings->admin.entries++;
    if (rings->admin.lost) {
        flue_monitor_fail(rings->mon, "admin", "completion %u is %zu bytes at 0x%" PRIx64 ", should be 16 at 0x%" PRIx64, next,
                          len, addr, place);
        return;
    }
    memcpy(&cqe, bytes, sizeof cqe);
    unsigned kind = FIELD(cqe.word0, FLUE_CQE_KIND);
    bool phase = cqe.word3 & FLUE_CQE_PHASE_MASK;
    if (phase != !(next >> log2_slots & 1))
        flue_monitor_fail(rings->mon, "admin", "completion %u has phase %d", next, phase);
    if ((uint16_t)(next - rings->admin.head) >= slots)
        flue_monitor_fail(rings->mon, "admin", "completion %u overwrites one not consumed (head %u, %u slots)", next,
                          rings->admin.head, slots);
    if (kind < FLUE_CQ_COMPLETION || kind > FLUE_CQ_NEIGHBOR_QUERY)
        flue_monitor_fail(rings->mon, "admin", "completion %u has kind %u", next, kind);
    if (kind == FLUE_CQ_COMPLETION && rings->admin.done++ == rings->admin.tail)
        flue_monitor_fail(rings->mon, "admin", "completion %u answers no submission (tail %u)", next, rings->admin.tail);
    rings->admin.next++;
}

static void watch(void *user, unsigned range, uint64_t addr, const uint8_t *bytes, size_t len)
{
    struct flue_rings *rings = user;
    if (range == COMPLETIONS) {
        watch_admin(rings, addr, bytes, len);
        return;
    }
    unsigned log2_slots = FIELD(rings->eq_cfg, FLUE_EQ_CFG_LOG2_SLOTS);
    uint16_t slots = (uint16_t)(1u << log2_slots);
    uint64_t place = rings->mem->range[EVENTS].lo + 16u * (rings->eq_next & (slots - 1u));
    uint32_t w[4];

    if (rings->eq_lost)
        return;
    if (!bytes) {
        rings->eq_lost = true;
        return;
    }
    rings->events++;
    if (addr != place || len != FLUE_SLOT_BYTES) {
        flue_monitor_fail(rings->mon, "events", "event %u is %zu bytes at 0x%" PRIx64 ", should be 16 at 0x%" PRIx64,
                          rings->eq_next, len, addr, place);
        rings->eq_lost = true;
        return;
    }
    memcpy(w, bytes, sizeof w);
    bool phase = w[3] & FLUE_EVENT_TX_PHASE_MASK;
    if (phase != !(rings->eq_next >> log2_slots & 1))
        flue_monitor_fail(rings->mon, "events", "event %u has phase %d", rings->eq_next, phase);
    if ((uint16_t)(rings->eq_next - rings->eq_head) >= slots)
        flue_monitor_fail(rings->mon, "events", "event %u overwrites one not consumed (head %u, %u slots)", rings->eq_next,
                          rings->eq_head, slots);
    unsigned kind = FIELD(w[0], FLUE_EVENT_TX_KIND), queue = FIELD(w[0], FLUE_EVENT_TX_QUEUE_ID);
    uint16_t index = (uint16_t)FIELD(w[0], FLUE_EVENT_TX_INDEX);
    bool right =
        kind == FLUE_EV_TX_DONE ? queue == FLUE_Q_TX
        : kind == FLUE_EV_RX_DONE || kind == FLUE_EV_DIVERT || kind == FLUE_EV_MARKER
            ? queue == FLUE_Q_RX
            : (kind >= FLUE_EV_QUEUE_ERROR && kind <= FLUE_EV_ERROR && queue <= FLUE_Q_EVENTS) || kind == FLUE_EV_CONNECTION;
    if (!right)
        flue_monitor_fail(rings->mon, "events", "event %u: kind %u of queue %u", rings->eq_next, kind, queue);
    else if (kind == FLUE_EV_TX_DONE || kind == FLUE_EV_RX_DONE)
        check_index(rings, kind, queue, index);
    if (rings->diverted && (kind == FLUE_EV_DIVERT || kind == FLUE_EV_MARKER))
        flue_monitor_fail(rings->mon, "events", "event %u: kind %u where a diverted frame's completion is due", rings->eq_next,
                          kind);
    if (kind == FLUE_EV_DIVERT || kind == FLUE_EV_RX_DONE)
        rings->diverted = kind == FLUE_EV_DIVERT;
    rings->eq_next++;
}
