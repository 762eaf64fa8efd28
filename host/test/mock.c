/* The scriptable adapter; see mock.h. */
#include "mock.h"

#include <string.h>
#include "../../firmware/trap.h"

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

/* The word the memory window shows; each access moves it on. */
static uint32_t *fw_word(struct mock *m)
{
    uint32_t *addr = mock_reg(m, FLUE_REG_FW_ADDR);
    uint32_t at = *addr / 4 % (MOCK_FW_KB * 256u);
    *addr += 4;
    return &m->fw[at];
}

static enum flue_err read32(struct flue_link *link, uint32_t offset, uint32_t *value)
{
    struct mock *m = mock_of(link);
    *value = 0;
    if (access_fails(m))
        return m->fail_with;
    *value = offset == FLUE_REG_FW_DATA ? *fw_word(m) : *mock_reg(m, offset);
    return FLUE_OK;
}

static void registers_reset(struct mock *m)
{
    const uint32_t build[3] = {*mock_reg(m, FLUE_REG_BUILD_FW), *mock_reg(m, FLUE_REG_BUILD_TABLES0),
                               *mock_reg(m, FLUE_REG_BUILD_TABLES1)};
    uint32_t time_lo = *mock_reg(m, FLUE_REG_TIME_LO);
    memset(&m->reg[FLUE_REG_CTRL / 4], 0, FLUE_REG_STAT - FLUE_REG_CTRL);
    memcpy(mock_reg(m, FLUE_REG_BUILD_FW), build, sizeof build);
    *mock_reg(m, FLUE_REG_TIME_LO) = time_lo;
    m->acq_tail = 0;
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

static void fw_control(struct mock *m, uint32_t ctrl)
{
    uint32_t *status = mock_reg(m, FLUE_REG_FW_STATUS);

    if ((ctrl & FLUE_FW_CTRL_RUN_MASK) == 0) {
        *status = m->fw_never_stops ? *status & FLUE_FW_STATUS_RUNNING_MASK : 0;
        return;
    }
    m->acq_tail = 0;
    *mock_reg(m, FLUE_REG_ASQ_HEAD) = *mock_reg(m, FLUE_REG_ACQ_TAIL) = 0;
    *status = FLUE_FW_STATUS_RUNNING_MASK | (m->fw_never_ready ? 0 : FLUE_FW_STATUS_READY_MASK);
    if (m->fw_start_trap != 0)
        mock_trap(m, m->fw_start_trap, 0x40);
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
    if (offset == FLUE_REG_FW_DATA) {
        *fw_word(m) = value & ~m->fw_bad_word;
        return FLUE_OK;
    }
    *mock_reg(m, offset) = value;
    if (offset == FLUE_REG_FW_CTRL)
        fw_control(m, value);
    if (offset == FLUE_REG_FW_PING && !m->fw_deaf)
        *mock_reg(m, FLUE_REG_FW_STATUS) += 1u << FLUE_FW_STATUS_HEARTBEAT_SHIFT;
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
    if (!m->clock_stands)
        *mock_reg(m, FLUE_REG_TIME_LO) += max_us;
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
    *mock_reg(m, FLUE_REG_BUILD_FW) = FLUE_PUT(BUILD_FW_MEMORY_KB, MOCK_FW_KB);
    *mock_reg(m, FLUE_REG_BUILD_TABLES0) = FLUE_PUT(BUILD_TABLES0_CONNECTIONS, 64) | FLUE_PUT(BUILD_TABLES0_PATHS, 32);
    *mock_reg(m, FLUE_REG_BUILD_TABLES1) = FLUE_PUT(BUILD_TABLES1_NEIGHBORS, 16);
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

/* ---- admin queue ---- */

static uint32_t *admin_entry(struct mock *m, uint32_t base_reg, uint32_t cfg_reg, uint16_t index, uint32_t bytes)
{
    uint32_t cfg = *mock_reg(m, cfg_reg);
    uint32_t slot = index & ((1u << FLUE_GET(ASQ_CFG_LOG2_SLOTS, cfg)) - 1u);
    return mock_memory(m, FLUE_GET(ASQ_CFG_REGION, cfg), *mock_reg(m, base_reg) + slot * bytes, bytes);
}

struct flue_sqe mock_sqe(struct mock *m, uint16_t index)
{
    uint32_t word[sizeof(struct flue_sqe) / 4] = {0};
    const uint32_t *entry = admin_entry(m, FLUE_REG_ASQ_BASE, FLUE_REG_ASQ_CFG, index, sizeof word);
    struct flue_sqe sqe;
    for (unsigned i = 0; entry != NULL && i < sizeof word / 4; i++)
        word[i] = le32toh(entry[i]);
    memcpy(&sqe, word, sizeof sqe);
    return sqe;
}

uint16_t mock_command_id(struct mock *m, uint16_t index)
{
    return (uint16_t)FLUE_GET(SQE_COMMAND_ID, mock_sqe(m, index).word0);
}

void mock_cqe(struct mock *m, uint32_t w0, uint32_t status, uint32_t result, uint32_t w3)
{
    unsigned log2 = FLUE_GET(ACQ_CFG_LOG2_SLOTS, *mock_reg(m, FLUE_REG_ACQ_CFG));
    uint32_t *entry = admin_entry(m, FLUE_REG_ACQ_BASE, FLUE_REG_ACQ_CFG, m->acq_tail, sizeof(struct flue_cqe));
    uint32_t phase = ((uint32_t)m->acq_tail >> log2 & 1u) ^ 1u;

    if (entry == NULL)
        return;
    entry[0] = htole32(w0);
    entry[1] = htole32(status);
    entry[2] = htole32(result);
    entry[3] = htole32(w3 ^ FLUE_PUT(CQE_PHASE, phase));
    *mock_reg(m, FLUE_REG_ACQ_TAIL) = ++m->acq_tail;
    *mock_reg(m, FLUE_REG_IRQ_CAUSE) |= FLUE_IRQ_CAUSE_ADMIN_MASK;
}

void mock_answer(struct mock *m, uint16_t index, uint32_t status, uint32_t result, uint32_t detail)
{
    *mock_reg(m, FLUE_REG_ASQ_HEAD) = (uint16_t)(index + 1);
    mock_cqe(m, FLUE_PUT(CQE_KIND, FLUE_CQ_COMPLETION) | FLUE_PUT(CQE_COMMAND_ID, mock_command_id(m, index)), status, result,
             FLUE_PUT(CQE_DETAIL, detail));
}

void mock_trap(struct mock *m, uint32_t cause, uint32_t pc)
{
    uint32_t at = FLUE_TRAP_SAVE(MOCK_FW_KB) / 4;

    m->fw[at] = pc;
    for (unsigned n = 1; n < 32; n++)
        m->fw[at + n] = 0x1000 + n;
    *mock_reg(m, FLUE_REG_FW_TRAP_CAUSE) = cause;
    *mock_reg(m, FLUE_REG_FW_TRAP_PC) = pc;
    *mock_reg(m, FLUE_REG_FW_STATUS) = FLUE_FW_STATUS_TRAPPED_MASK;
    *mock_reg(m, FLUE_REG_IRQ_CAUSE) |= FLUE_IRQ_CAUSE_FIRMWARE_MASK;
}
