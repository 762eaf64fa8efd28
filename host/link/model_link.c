/*
 * The adapter without RTL: register file, region table, and the firmware compiled for the host (firmware/host).
 *
 * It does what docs/registers.md says of everything the control plane needs.  The transmit, receive and event queues take
 * their settings and stay idle.  Nothing happens but in wait() and, for drain and reset, in the write that asks for it.
 */
#include <stdlib.h>
#include <string.h>
#include "../core/slots.h"
#include "flue/model.h"
#include "flue/regs.h"
#include "host.h"

#define REG_WORDS         1024u
#define MAPS_MAX          64u
#define MEMORY_KB         32u
#define WIDTH_LOG2        3u /* of the data path, bytes */
#define FRAME_BYTES       1522u
#define CAPS              0x01FF03FFu /* as the RTL's */
#define ROWS_MIN          2u
#define ROWS_MAX          1024u
#define NEIGHBORS_MAX     256u
#define ROWS_DEFAULT      64u
#define NEIGHBORS_DEFAULT 16u

struct map {
    uint8_t *addr; /* also the bus address; null = free */
    size_t len_bytes;
};

struct model {
    struct flue_link link; /* first: the driver's pointer is ours */
    struct flue_model_params size;
    struct fw_host *fw;
    uint32_t reg[REG_WORDS];
    uint32_t memory[MEMORY_KB * 256];
    struct map map[MAPS_MAX];
    uint64_t time_us;
    bool running, trapped;
};

static struct model *model_of(struct flue_link *link)
{
    return (struct model *)link;
}

static uint32_t *reg(struct model *m, uint32_t offset)
{
    return &m->reg[offset / 4];
}

/* Registers that keep what is written, with the bits they have and their value after a reset. */
static const struct plain {
    uint16_t offset;
    uint32_t mask, reset;
} plain[] = {
    {FLUE_REG_TX_CFG, 0x3FF, 0},
    {FLUE_REG_TX_LIMIT, FLUE_TX_LIMIT_MAX_OFFLOAD_MASK, FLUE_TX_LIMIT_DEFAULT},
    {FLUE_REG_RX_CFG, 0x7FF, 0},
    {FLUE_REG_FRAME_LIMIT, FLUE_FRAME_LIMIT_MAX_FRAME_MASK, FLUE_FRAME_LIMIT_DEFAULT},
    {FLUE_REG_TXQ_BASE, FLUE_TXQ_BASE_OFFSET_MASK, 0},
    {FLUE_REG_TXQ_CFG, FLUE_TXQ_CFG_REGION_MASK | FLUE_TXQ_CFG_LOG2_SLOTS_MASK | FLUE_TXQ_CFG_ENABLE_MASK, 0},
    {FLUE_REG_TXQ_TAIL, FLUE_TXQ_TAIL_INDEX_MASK, 0},
    {FLUE_REG_RXQ_BASE, FLUE_RXQ_BASE_OFFSET_MASK, 0},
    {FLUE_REG_RXQ_CFG, FLUE_RXQ_CFG_REGION_MASK | FLUE_RXQ_CFG_LOG2_SLOTS_MASK | FLUE_RXQ_CFG_ENABLE_MASK, 0},
    {FLUE_REG_RXQ_TAIL, FLUE_RXQ_TAIL_INDEX_MASK, 0},
    {FLUE_REG_EQ_BASE, FLUE_EQ_BASE_OFFSET_MASK, 0},
    {FLUE_REG_EQ_CFG, FLUE_EQ_CFG_REGION_MASK | FLUE_EQ_CFG_LOG2_SLOTS_MASK | FLUE_EQ_CFG_ENABLE_MASK, 0},
    {FLUE_REG_EQ_HEAD, FLUE_EQ_HEAD_INDEX_MASK, 0},
    {FLUE_REG_IRQ_MASK,
     FLUE_IRQ_MASK_EVENT_POSTED_MASK | FLUE_IRQ_MASK_ERROR_MASK | FLUE_IRQ_MASK_DRAINED_MASK | FLUE_IRQ_MASK_ADMIN_MASK |
         FLUE_IRQ_MASK_FIRMWARE_MASK,
     0},
    {FLUE_REG_IRQ_MOD, FLUE_IRQ_MOD_DISTANCE_US_MASK | FLUE_IRQ_MOD_EVENTS_MASK, 0},
    {FLUE_REG_FAULT, FLUE_FAULT_CSUM_BIT_MASK | FLUE_FAULT_LSO_SEQ_MASK | FLUE_FAULT_PLACE_MASK, 0},
    {FLUE_REG_FAULT_TABLE, ~FLUE_FAULT_TABLE_FLIP_MASK, 0},
    {FLUE_REG_FW_CTRL, FLUE_FW_CTRL_RUN_MASK | FLUE_FW_CTRL_COLD_MASK, FLUE_FW_CTRL_DEFAULT},
    {FLUE_REG_FW_ADDR, FLUE_FW_ADDR_ADDRESS_MASK & ~3u, 0},
    {FLUE_REG_ASQ_BASE, FLUE_ASQ_BASE_OFFSET_MASK, 0},
    {FLUE_REG_ASQ_CFG, FLUE_ASQ_CFG_REGION_MASK | FLUE_ASQ_CFG_LOG2_SLOTS_MASK | FLUE_ASQ_CFG_ENABLE_MASK, 0},
    {FLUE_REG_ASQ_TAIL, FLUE_ASQ_TAIL_INDEX_MASK, 0},
    {FLUE_REG_ACQ_BASE, FLUE_ACQ_BASE_OFFSET_MASK, 0},
    {FLUE_REG_ACQ_CFG, FLUE_ACQ_CFG_REGION_MASK | FLUE_ACQ_CFG_LOG2_SLOTS_MASK | FLUE_ACQ_CFG_ENABLE_MASK, 0},
    {FLUE_REG_ACQ_HEAD, FLUE_ACQ_HEAD_INDEX_MASK, 0},
    {FLUE_REG_SEED0, UINT32_MAX, 0}, /* kept, but not shown */
    {FLUE_REG_SEED1, UINT32_MAX, 0},
    {FLUE_REG_SEED2, UINT32_MAX, 0},
    {FLUE_REG_SEED3, UINT32_MAX, 0},
};

static const struct plain *plain_at(uint32_t offset)
{
    for (unsigned i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (plain[i].offset == offset)
            return &plain[i];
    return NULL;
}

static bool is_region(uint32_t offset)
{
    return offset >= FLUE_REG_REGION && offset < FLUE_REG_REGION + FLUE_REGION_MAX * FLUE_REGION_STRIDE;
}

/* ---- the processor ----------------------------------------------------------------------------------------------- */

/* Bytes that the adapter may reach at {region, offset}: inside the row, permitted, and inside what is mapped. */
static uint8_t *reach(struct model *m, uint32_t region, uint32_t offset, uint32_t bytes, bool write)
{
    if (region >= FLUE_REGION_MAX)
        return NULL;
    uint32_t row = FLUE_REG_REGION + region * FLUE_REGION_STRIDE;
    uint32_t flags = *reg(m, row + FLUE_REGION_FLAGS);
    uint64_t bus = (*reg(m, row + FLUE_REGION_BASE_LO) | (uint64_t)*reg(m, row + FLUE_REGION_BASE_HI) << 32) + offset;

    if ((flags & FLUE_REGION_FLAGS_VALID_MASK) == 0 || (write && (flags & FLUE_REGION_FLAGS_WRITE_MASK) == 0) ||
        (uint64_t)offset + bytes > *reg(m, row + FLUE_REGION_SIZE))
        return NULL;
    for (unsigned i = 0; i < MAPS_MAX; i++) {
        const struct map *map = &m->map[i];
        uint64_t begin = (uintptr_t)map->addr;
        if (map->addr != NULL && bus >= begin && bus - begin <= map->len_bytes && map->len_bytes - (bus - begin) >= bytes)
            return map->addr + (bus - begin);
    }
    return NULL;
}

static bool fw_dma(void *ctx, uint32_t region, uint32_t offset, void *local, uint32_t bytes, bool to_host)
{
    uint8_t *host = reach(ctx, region, offset, bytes, to_host);

    if (host == NULL)
        return false;
    memcpy(to_host ? host : local, to_host ? local : host, bytes);
    return true;
}

static uint64_t fw_time(void *ctx)
{
    return ((struct model *)ctx)->time_us;
}

static void fw_completed(void *ctx, uint16_t index)
{
    (void)index;
    *reg(ctx, FLUE_REG_IRQ_CAUSE) |= FLUE_IRQ_CAUSE_ADMIN_MASK;
}

static void fw_run(struct model *m)
{
    if (!m->running || fw_host_run(m->fw))
        return;
    m->running = false;
    m->trapped = true;
    *reg(m, FLUE_REG_IRQ_CAUSE) |= FLUE_IRQ_CAUSE_FIRMWARE_MASK;
}

static void fw_rings(struct model *m)
{
    const struct fw_host_ring asq = {*reg(m, FLUE_REG_ASQ_BASE), *reg(m, FLUE_REG_ASQ_CFG),
                                     (uint16_t)*reg(m, FLUE_REG_ASQ_TAIL)};
    const struct fw_host_ring acq = {*reg(m, FLUE_REG_ACQ_BASE), *reg(m, FLUE_REG_ACQ_CFG),
                                     (uint16_t)*reg(m, FLUE_REG_ACQ_HEAD)};
    fw_host_rings(m->fw, &asq, &acq);
}

static void fw_control(struct model *m, uint32_t before)
{
    uint32_t now = *reg(m, FLUE_REG_FW_CTRL);
    bool run = (now & FLUE_FW_CTRL_RUN_MASK) != 0;

    if (run && (before & FLUE_FW_CTRL_RUN_MASK) == 0) {
        fw_host_start(m->fw, (now & FLUE_FW_CTRL_COLD_MASK) != 0, reg(m, FLUE_REG_SEED0));
        fw_rings(m);
        m->running = true;
        m->trapped = false;
    } else if (!run)
        m->running = m->trapped = false;
}

static uint32_t fw_status(const struct model *m)
{
    uint32_t said = m->running || m->trapped ? fw_host_status(m->fw) : 0;

    return FLUE_PUT(FW_STATUS_RUNNING, m->running) | FLUE_PUT(FW_STATUS_TRAPPED, m->trapped) |
           FLUE_PUT(FW_STATUS_ASLEEP, m->running && fw_host_asleep(m->fw)) |
           FLUE_PUT(FW_STATUS_READY, m->running && FLUE_GET(MMIO_READY, said) != 0) |
           FLUE_PUT(FW_STATUS_HEARTBEAT, FLUE_GET(MMIO_HEARTBEAT, said));
}

/* The word that the window shows; null while it is closed.  Each access moves it on. */
static uint32_t *window(struct model *m)
{
    uint32_t at = *reg(m, FLUE_REG_FW_ADDR) / 4;

    *reg(m, FLUE_REG_FW_ADDR) = (*reg(m, FLUE_REG_FW_ADDR) + 4) & FLUE_FW_ADDR_ADDRESS_MASK;
    return !m->running && at < MEMORY_KB * 256 ? &m->memory[at] : NULL;
}

void flue_model_flip(struct flue_link *link, unsigned table, unsigned row, unsigned word, unsigned bit)
{
    struct model *m = model_of(link);
    const uint32_t rows[4] = {4, m->size.neighbors, m->size.paths, m->size.connections};
    const uint32_t words[4] = {64, 16, 16, 64};

    if (table < 4 && row < rows[table] && word < words[table] && bit < 32)
        fw_host_flip(m->fw, (enum flue_table)table, table == FLUE_TBL_SYSTEM ? 0 : row,
                     table == FLUE_TBL_SYSTEM ? row * 64 + word : word, bit);
}

/* ---- registers --------------------------------------------------------------------------------------------------- */

static bool drained(const struct model *m)
{
    return (m->reg[FLUE_REG_CTRL / 4] & FLUE_CTRL_DRAIN_MASK) != 0 &&
           (!m->running || FLUE_GET(MMIO_QUIET, fw_host_status(m->fw)) != 0);
}

static uint32_t status(const struct model *m)
{
    return FLUE_PUT(STATUS_IDLE, !m->running || fw_host_asleep(m->fw)) | FLUE_PUT(STATUS_DRAINED, drained(m));
}

static enum flue_err model_read32(struct flue_link *link, uint32_t offset, uint32_t *value)
{
    struct model *m = model_of(link);
    const uint32_t *word;

    *value = 0;
    switch (offset) {
    case FLUE_REG_STATUS:
        *value = status(m);
        break;
    case FLUE_REG_TIME_LO:
        *value = (uint32_t)m->time_us;
        *reg(m, FLUE_REG_TIME_HI) = (uint32_t)(m->time_us >> 32);
        break;
    case FLUE_REG_FW_STATUS:
        *value = fw_status(m);
        break;
    case FLUE_REG_FW_DATA:
        word = window(m);
        *value = word != NULL ? *word : 0;
        break;
    case FLUE_REG_FW_TRAP_CAUSE:
        *value = m->trapped ? fw_host_trap(m->fw) : 0;
        break;
    case FLUE_REG_ASQ_HEAD:
        *value = fw_host_asq_head(m->fw);
        break;
    case FLUE_REG_ACQ_TAIL:
        *value = fw_host_acq_tail(m->fw);
        break;
    default:
        if (offset % 4 != 0 || offset / 4 >= REG_WORDS)
            return FLUE_EDEVICE;
        if (offset < FLUE_REG_SEED0 || offset > FLUE_REG_SEED3)
            *value = *reg(m, offset);
    }
    return FLUE_OK;
}

static void identity_write(struct model *m)
{
    *reg(m, FLUE_REG_ID) = FLUE_ID_DEFAULT;
    *reg(m, FLUE_REG_VERSION) = FLUE_PUT(VERSION_MAJOR, FLUE_CONTRACT_MAJOR) | FLUE_PUT(VERSION_MINOR, FLUE_CONTRACT_MINOR);
    *reg(m, FLUE_REG_BUILD) =
        FLUE_PUT(BUILD_LOG2_BYTES, WIDTH_LOG2) | FLUE_PUT(BUILD_REGIONS, FLUE_REGION_MAX) | FLUE_PUT(BUILD_FAULTS, 1);
    *reg(m, FLUE_REG_BUILD_FRAME) = FRAME_BYTES;
    *reg(m, FLUE_REG_CAPS) = CAPS;
    *reg(m, FLUE_REG_BUILD_FW) = FLUE_PUT(BUILD_FW_MEMORY_KB, MEMORY_KB);
    *reg(m, FLUE_REG_BUILD_TABLES0) =
        FLUE_PUT(BUILD_TABLES0_CONNECTIONS, m->size.connections) | FLUE_PUT(BUILD_TABLES0_PATHS, m->size.paths);
    *reg(m, FLUE_REG_BUILD_TABLES1) = FLUE_PUT(BUILD_TABLES1_NEIGHBORS, m->size.neighbors);
}

/* Everything but the regions takes its default; the processor stops. */
static void registers_reset(struct model *m)
{
    m->running = m->trapped = false;
    fw_host_event(m->fw, FLUE_MMIO_DRAIN_MASK, false);
    for (unsigned i = 0; i < sizeof plain / sizeof plain[0]; i++)
        *reg(m, plain[i].offset) = plain[i].reset;
    *reg(m, FLUE_REG_CTRL) = 0;
    *reg(m, FLUE_REG_IRQ_CAUSE) = 0;
}

static void control(struct model *m, uint32_t value)
{
    if ((value & FLUE_CTRL_RESET_MASK) != 0) {
        registers_reset(m);
        return;
    }
    uint32_t before = *reg(m, FLUE_REG_CTRL);
    *reg(m, FLUE_REG_CTRL) = value & (FLUE_CTRL_ENABLE_MASK | FLUE_CTRL_DRAIN_MASK);
    if (((value ^ before) & FLUE_CTRL_DRAIN_MASK) == 0)
        return;
    fw_host_event(m->fw, FLUE_MMIO_DRAIN_MASK, (value & FLUE_CTRL_DRAIN_MASK) != 0);
    fw_run(m); /* it answers a drain, and takes back its answer when the drain is over */
    if (drained(m))
        *reg(m, FLUE_REG_IRQ_CAUSE) |= FLUE_IRQ_CAUSE_DRAINED_MASK;
}

static void plain_write(struct model *m, const struct plain *p, uint32_t value)
{
    uint32_t before = *reg(m, p->offset);

    *reg(m, p->offset) = value & p->mask;
    if (p->offset == FLUE_REG_FW_CTRL)
        fw_control(m, before);
    else if (p->offset >= FLUE_REG_ASQ_BASE && p->offset <= FLUE_REG_ACQ_TAIL)
        fw_rings(m);
    else if (p->offset == FLUE_REG_FAULT_TABLE && (value & FLUE_FAULT_TABLE_FLIP_MASK) != 0)
        flue_model_flip(&m->link, FLUE_GET(FAULT_TABLE_TABLE, value), FLUE_GET(FAULT_TABLE_ROW, value),
                        FLUE_GET(FAULT_TABLE_WORD, value), FLUE_GET(FAULT_TABLE_BITNR, value));
}

static enum flue_err model_write32(struct flue_link *link, uint32_t offset, uint32_t value)
{
    struct model *m = model_of(link);
    const struct plain *p = plain_at(offset);
    uint32_t *word;

    if (p != NULL) {
        plain_write(m, p, value);
        return FLUE_OK;
    }
    if (is_region(offset)) {
        *reg(m, offset) = value;
        return FLUE_OK;
    }
    switch (offset) {
    case FLUE_REG_CTRL:
        control(m, value);
        break;
    case FLUE_REG_IRQ_CAUSE:
        *reg(m, offset) &= ~value;
        break;
    case FLUE_REG_FW_DATA:
        word = window(m);
        if (word != NULL && !m->trapped)
            *word = value;
        break;
    case FLUE_REG_FW_PING:
        if ((value & FLUE_FW_PING_PING_MASK) != 0)
            fw_host_event(m->fw, FLUE_MMIO_PING_MASK, false);
        break;
    default:
        if (offset % 4 != 0 || offset / 4 >= REG_WORDS)
            return FLUE_EDEVICE;
    }
    return FLUE_OK;
}

/* ---- the link ---------------------------------------------------------------------------------------------------- */

static enum flue_err model_map(struct flue_link *link, void *addr, size_t len_bytes, uint64_t *bus_addr)
{
    struct model *m = model_of(link);

    *bus_addr = 0;
    for (unsigned i = 0; i < MAPS_MAX; i++)
        if (m->map[i].addr == NULL) {
            m->map[i] = (struct map){addr, len_bytes};
            *bus_addr = (uintptr_t)addr;
            return FLUE_OK;
        }
    return FLUE_ENOMEM;
}

static void model_unmap(struct flue_link *link, uint64_t bus_addr)
{
    struct model *m = model_of(link);

    for (unsigned i = 0; i < MAPS_MAX; i++)
        if (m->map[i].addr != NULL && (uintptr_t)m->map[i].addr == bus_addr) {
            m->map[i].addr = NULL;
            return;
        }
}

static bool model_irq(struct flue_link *link)
{
    struct model *m = model_of(link);
    return (*reg(m, FLUE_REG_IRQ_CAUSE) & *reg(m, FLUE_REG_IRQ_MASK)) != 0;
}

static enum flue_err model_wait(struct flue_link *link, uint32_t max_us)
{
    struct model *m = model_of(link);

    if (model_irq(link))
        return FLUE_OK;
    fw_run(m);
    m->time_us += model_irq(link) && max_us > 0 ? 1 : max_us;
    return FLUE_OK;
}

static void model_close(struct flue_link *link)
{
    struct model *m = model_of(link);

    fw_host_delete(m->fw);
    free(m);
}

static bool params_fill(struct flue_model_params *p)
{
    if (p->connections == 0)
        p->connections = ROWS_DEFAULT;
    if (p->paths == 0)
        p->paths = p->connections;
    if (p->neighbors == 0)
        p->neighbors = NEIGHBORS_DEFAULT;
    return p->connections >= ROWS_MIN && p->connections <= ROWS_MAX && p->paths >= ROWS_MIN && p->paths <= ROWS_MAX &&
           p->neighbors >= ROWS_MIN && p->neighbors <= NEIGHBORS_MAX;
}

enum flue_err flue_model_link_open(const struct flue_model_params *params, struct flue_link **link)
{
    static const struct flue_link_ops ops = {model_read32, model_write32, model_map,  model_unmap,
                                             model_irq,    model_wait,    model_close};
    struct flue_model_params filled = params != NULL ? *params : (struct flue_model_params){0};

    if (link == NULL)
        return FLUE_EARG;
    *link = NULL;
    if (!params_fill(&filled))
        return FLUE_EARG;
    struct model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return FLUE_ENOMEM;
    m->link.ops = &ops;
    m->size = filled;
    m->fw = fw_host_new(&(struct fw_host_sizes){filled.connections, filled.paths, filled.neighbors},
                        &(struct fw_host_ops){.ctx = m, .dma = fw_dma, .time_us = fw_time, .acq_tail = fw_completed});
    if (m->fw == NULL) {
        free(m);
        return FLUE_ENOMEM;
    }
    identity_write(m);
    registers_reset(m);
    *link = &m->link;
    return FLUE_OK;
}
