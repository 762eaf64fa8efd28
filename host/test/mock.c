/* The scriptable adapter; see mock.h. */
#include "mock.h"

#include <string.h>

#define BUS_BASE 0x1200000000u
#define BUS_STEP 0x10000000u
#define CAPS_ALL 0x01FF03FFu
#define WAIT_US  250u

static struct mock *mock_of(struct flue_link *link)
{
    return (struct mock *)link;
}

/* True when this access is the one that fails. */
static bool access_fails(struct mock *m)
{
    return m->fail_in > 0 && --m->fail_in == 0;
}

static enum flue_err read32(struct flue_link *link, uint32_t offset, uint32_t *value)
{
    struct mock *m = mock_of(link);
    *value = 0;
    if (access_fails(m))
        return m->fail_with;
    *value = *mock_reg(m, offset);
    return FLUE_OK;
}

static void registers_reset(struct mock *m)
{
    memset(&m->reg[FLUE_REG_CTRL / 4], 0, FLUE_REG_STAT - FLUE_REG_CTRL);
    *mock_reg(m, FLUE_REG_STATUS) = m->reset_stuck ? FLUE_STATUS_RESET_BUSY_MASK : 0;
    m->eq_tail = 0;
}

static void drain(struct mock *m)
{
    if (m->drain_stuck)
        return;
    for (uint32_t queue = FLUE_Q_TX; queue <= FLUE_Q_RX; queue++)
        mock_queue_event(m, FLUE_EV_DRAINED, queue, 0, 0);
    *mock_reg(m, FLUE_REG_STATUS) |= FLUE_STATUS_DRAINED_MASK;
}

static enum flue_err write32(struct flue_link *link, uint32_t offset, uint32_t value)
{
    struct mock *m = mock_of(link);

    if (access_fails(m))
        return m->fail_with;
    if (m->log_count < MOCK_LOG)
        m->log[m->log_count++] = (struct mock_write){offset, value};
    if (m->on_write != NULL)
        m->on_write(m, offset, value);
    if (offset == FLUE_REG_IRQ_CAUSE) {
        *mock_reg(m, offset) &= ~value;
        return FLUE_OK;
    }
    *mock_reg(m, offset) = value;
    if (offset == FLUE_REG_CTRL) {
        *mock_reg(m, FLUE_REG_STATUS) &= ~FLUE_STATUS_DRAINED_MASK;
        if ((value & FLUE_CTRL_RESET_MASK) != 0)
            registers_reset(m);
        else if ((value & FLUE_CTRL_DRAIN_MASK) != 0)
            drain(m);
    }
    if ((offset == FLUE_REG_TXQ_CFG || offset == FLUE_REG_RXQ_CFG) && (value & FLUE_TXQ_CFG_ENABLE_MASK) == 0 && m->busy_stuck)
        *mock_reg(m, FLUE_REG_STATUS) |= FLUE_STATUS_TX_BUSY_MASK | FLUE_STATUS_RX_BUSY_MASK;
    return FLUE_OK;
}

static enum flue_err map(struct flue_link *link, void *addr, size_t len_bytes, uint64_t *bus_addr)
{
    struct mock *m = mock_of(link);
    if (m->map_fails || access_fails(m))
        return FLUE_ENOMEM;
    for (unsigned i = 0; i < MOCK_MAPS; i++)
        if (m->map[i].addr == NULL) {
            m->map[i].addr = addr;
            m->map[i].len_bytes = len_bytes;
            m->map[i].bus_addr = *bus_addr = BUS_BASE + (uint64_t)i * BUS_STEP;
            m->maps++;
            return FLUE_OK;
        }
    return FLUE_ENOMEM;
}

static void unmap(struct flue_link *link, uint64_t bus_addr)
{
    struct mock *m = mock_of(link);
    for (unsigned i = 0; i < MOCK_MAPS; i++)
        if (m->map[i].addr != NULL && m->map[i].bus_addr == bus_addr) {
            m->map[i].addr = NULL;
            m->maps--;
        }
}

static bool irq(struct flue_link *link)
{
    struct mock *m = mock_of(link);
    return (*mock_reg(m, FLUE_REG_IRQ_CAUSE) & *mock_reg(m, FLUE_REG_IRQ_MASK)) != 0;
}

static enum flue_err wait(struct flue_link *link, uint32_t max_us)
{
    struct mock *m = mock_of(link);
    if (access_fails(m))
        return m->fail_with;
    m->waited_us += max_us;
    if (m->on_wait != NULL)
        m->on_wait(m);
    return FLUE_OK;
}

static void close_link(struct flue_link *link)
{
    (void)link;
}

void mock_init(struct mock *m)
{
    static const struct flue_link_ops ops = {read32, write32, map, unmap, irq, wait, close_link};

    *m = (struct mock){.link = {.ops = &ops}, .fail_with = FLUE_ETIMEOUT};
    *mock_reg(m, FLUE_REG_ID) = FLUE_ID_DEFAULT;
    *mock_reg(m, FLUE_REG_VERSION) =
        FLUE_PUT(VERSION_MAJOR, FLUE_CONTRACT_MAJOR) | FLUE_PUT(VERSION_MINOR, FLUE_CONTRACT_MINOR);
    *mock_reg(m, FLUE_REG_BUILD) = FLUE_PUT(BUILD_LOG2_BYTES, 3) | FLUE_PUT(BUILD_REGIONS, 4) | FLUE_PUT(BUILD_FAULTS, 1);
    *mock_reg(m, FLUE_REG_BUILD_FRAME) = 1522;
    *mock_reg(m, FLUE_REG_CAPS) = CAPS_ALL;
}

void *mock_memory(struct mock *m, unsigned region, uint32_t offset, size_t len_bytes)
{
    uint32_t row = FLUE_REG_REGION + region * FLUE_REGION_STRIDE;
    uint64_t bus = *mock_reg(m, row + FLUE_REGION_BASE_LO) | (uint64_t)*mock_reg(m, row + FLUE_REGION_BASE_HI) << 32;

    if ((*mock_reg(m, row + FLUE_REGION_FLAGS) & FLUE_REGION_FLAGS_VALID_MASK) == 0 ||
        (uint64_t)offset + len_bytes > *mock_reg(m, row + FLUE_REGION_SIZE))
        return NULL;
    for (unsigned i = 0; i < MOCK_MAPS; i++)
        if (m->map[i].addr != NULL && m->map[i].bus_addr == bus && offset + len_bytes <= m->map[i].len_bytes)
            return (uint8_t *)m->map[i].addr + offset;
    return NULL;
}

static struct ring_entry *entry_at(struct mock *m, uint32_t base_reg, uint32_t cfg_reg, uint16_t index)
{
    uint32_t cfg = *mock_reg(m, cfg_reg);
    uint32_t slot = index & ((1u << FLUE_GET(TXQ_CFG_LOG2_SLOTS, cfg)) - 1u);
    return mock_memory(m, FLUE_GET(TXQ_CFG_REGION, cfg), *mock_reg(m, base_reg) + slot * FLUE_SLOT_BYTES, FLUE_SLOT_BYTES);
}

struct mock_slot mock_slot(struct mock *m, uint32_t base_reg, uint32_t cfg_reg, uint16_t index)
{
    struct mock_slot slot = {{0}};
    struct ring_entry *entry = entry_at(m, base_reg, cfg_reg, index);
    for (unsigned i = 0; entry != NULL && i < 4; i++)
        slot.w[i] = le32toh(entry->w_le[i]);
    return slot;
}

void mock_event(struct mock *m, uint32_t w0, uint32_t w1, uint32_t w2)
{
    unsigned log2 = FLUE_GET(EQ_CFG_LOG2_SLOTS, *mock_reg(m, FLUE_REG_EQ_CFG));
    struct ring_entry *entry = entry_at(m, FLUE_REG_EQ_BASE, FLUE_REG_EQ_CFG, m->eq_tail);
    uint32_t phase = ((uint32_t)m->eq_tail >> log2 & 1u) ^ 1u;

    if (entry == NULL)
        return;
    ring_entry_store(entry, w0, w1, w2, FLUE_PUT(EVENT_TX_PHASE, phase) | FLUE_PUT(EVENT_TX_TIME_US, 77));
    m->eq_tail++;
    *mock_reg(m, FLUE_REG_IRQ_CAUSE) |= FLUE_IRQ_CAUSE_EVENT_POSTED_MASK;
}

void mock_tx_done(struct mock *m, uint16_t index, uint8_t status)
{
    mock_event(m,
               FLUE_PUT(EVENT_TX_KIND, FLUE_EV_TX_DONE) | FLUE_PUT(EVENT_TX_QUEUE_ID, FLUE_Q_TX) |
                   FLUE_PUT(EVENT_TX_STATUS, status) | FLUE_PUT(EVENT_TX_INDEX, index),
               0, FLUE_PUT(EVENT_TX_FRAMES, status == FLUE_ST_OK));
}

void mock_rx_done(struct mock *m, uint16_t index, uint32_t len_bytes, uint32_t w2)
{
    mock_event(
        m, FLUE_PUT(EVENT_RX_KIND, FLUE_EV_RX_DONE) | FLUE_PUT(EVENT_RX_QUEUE_ID, FLUE_Q_RX) | FLUE_PUT(EVENT_RX_INDEX, index),
        FLUE_PUT(EVENT_RX_LENGTH, len_bytes), w2);
}

void mock_queue_event(struct mock *m, uint32_t kind, uint32_t queue, uint16_t index, uint32_t code)
{
    mock_event(m, FLUE_PUT(EVENT_QUEUE_KIND, kind) | FLUE_PUT(EVENT_QUEUE_QUEUE_ID, queue) | FLUE_PUT(EVENT_QUEUE_INDEX, index),
               FLUE_PUT(EVENT_QUEUE_CODE, code), 0);
}

int mock_last_write(const struct mock *m, uint32_t offset)
{
    for (unsigned i = m->log_count; i > 0; i--)
        if (m->log[i - 1].offset == offset)
            return (int)(i - 1);
    return -1;
}
