/*
 * The admin queue: rings, dispatch, completions, notices.
 */
#include "fw.h"

enum { QUEUE_OFF, QUEUE_ON, QUEUE_STOPPED };

#define SQE_BYTES ((uint32_t)sizeof(struct flue_sqe))
#define CQE_BYTES ((uint32_t)sizeof(struct flue_cqe))

void admin_ready(void)
{
    hw_status(fw.heartbeat | (fw.queue != QUEUE_STOPPED ? FLUE_MMIO_READY_MASK : 0) | (fw.draining ? FLUE_MMIO_QUIET_MASK : 0));
}

static void stop(void)
{
    fw.queue = QUEUE_STOPPED;
    admin_ready();
}

/* ---- rings ---- */

static uint32_t slots(const struct hw_ring *ring)
{
    return 1u << FIELD(ring->cfg, FLUE_ASQ_CFG_LOG2_SLOTS);
}

static bool sized(const struct hw_ring *ring)
{
    uint32_t log2 = FIELD(ring->cfg, FLUE_ASQ_CFG_LOG2_SLOTS);
    return log2 >= 3 && log2 <= 12;
}

/* The ring registers were written.  A stopped queue starts anew when the driver switched both rings off. */
COLD void admin_ring(void)
{
    struct hw_ring asq = hw_asq(), acq = hw_acq();
    bool on = asq.cfg & acq.cfg & FLUE_ASQ_CFG_ENABLE_MASK;
    uint8_t before = fw.queue;
    if (!on) {
        fw.queue = QUEUE_OFF;
        if (before == QUEUE_STOPPED)
            admin_ready();
        return;
    }
    if (before == QUEUE_STOPPED)
        return;
    if (before == QUEUE_OFF) {
        fw.head = fw.tail = 0;
        hw_asq_head(0);
        fw.queue = QUEUE_ON;
    } else if (asq.base != fw.asq.base || asq.cfg != fw.asq.cfg || acq.base != fw.acq.base || acq.cfg != fw.acq.cfg) {
        stop();
        return;
    }
    fw.asq = asq;
    fw.acq = acq;
    fw.asq_slots = slots(&asq);
    fw.acq_slots = slots(&acq);
    if (!sized(&asq) || !sized(&acq) || (uint16_t)(asq.index - fw.head) > slots(&asq) ||
        (uint16_t)(fw.tail - acq.index) > slots(&acq))
        stop();
}

static bool moved(void)
{
    return hw_asq_base() != fw.asq.base || hw_asq_cfg() != fw.asq.cfg || hw_acq_base() != fw.acq.base ||
           hw_acq_cfg() != fw.acq.cfg;
}

/* Free entries of the completion ring; many: the driver's index is not one. */
INLINE uint32_t room(void)
{
    uint32_t used = fw.tail - hw_acq_head();
    if (RARE(used > fw.acq_slots)) /* the count went round */
        used &= 0xFFFF;
    return fw.acq_slots - used;
}

static bool full(void)
{
    return fw.queue != QUEUE_ON || room() - 1 >= fw.acq_slots;
}

/* fw.cqe, its detail without the phase, into the ring. */
INLINE void post(uint32_t detail)
{
    uint32_t tail = fw.tail, size = fw.acq_slots;
    fw.cqe.word3 = detail | (tail & size ? 0 : FLUE_CQE_PHASE_MASK);
    if (RARE(!hw_dma_write(byte_of(&fw.acq.cfg, 0), fw.acq.base + (tail & (size - 1)) * CQE_BYTES, &fw.cqe, CQE_BYTES))) {
        stop();
        return;
    }
    tail++;
    fw.tail = (uint16_t)tail;
    hw_acq_tail(tail);
}
static_assert(FLUE_ACQ_CFG_REGION_MASK == 0xFF && FLUE_ASQ_CFG_REGION_MASK == 0xFF, "the region is byte 0");

/* ---- notices ---- */

static bool notice(uint32_t kind, uint32_t status, uint32_t result)
{
    if (full())
        return false;
    fw.cqe.word0 = IN_FIELD(kind, FLUE_CQE_KIND);
    fw.cqe.status = status;
    fw.cqe.result = result;
    post(0);
    return fw.queue == QUEUE_ON;
}

/* What waits in one row, oldest first: its error, then the request for it, then its end. */
static bool row_notices(uint32_t layer, uint32_t row, uint32_t word)
{
    enum flue_table table = (enum flue_table)layer;
    uint32_t handle = object_handle(layer, row, word);
    if (word & PENDING_ERROR) {
        uint32_t bad = FIELD(hw_row_get(table, row, layer == TCP ? 63 : 15), FLUE_ROW_GUARD_GUARD_WORD);
        if (!notice(FLUE_CQ_TABLE_ERROR, 0,
                    FLUE_TABLE_ERROR_VALID_MASK | IN_FIELD(layer, FLUE_TABLE_ERROR_TABLE) |
                        IN_FIELD(bad, FLUE_TABLE_ERROR_WORD) | row))
            return false;
        word &= ~PENDING_ERROR;
        hw_row_put(table, row, W_STATE, word);
        if (row_state(word) == FLUE_ROW_BUILDING) { /* it was terminated meanwhile */
            object_free(layer, row);
            return true;
        }
    }
    if (word & PENDING_UPLOAD) {
        uint32_t reason = word & FLUE_ROW_HEAD_CORRUPT_MASK ? 0 : hw_row_get(table, row, W_C_REASON);
        if (!notice(FLUE_CQ_UPLOAD_REQUEST, reason ? reason : UPLOAD_HARDWARE_FAILURE, handle))
            return false;
        word &= ~PENDING_UPLOAD;
        hw_row_put(table, row, W_STATE, word);
    }
    if (word & PENDING_ABORT) {
        if (!notice(FLUE_CQ_ABORT_IND, 0, handle))
            return false;
        hw_row_put(table, row, W_STATE, word & ~PENDING_ABORT);
    }
    return true;
}

/* Tell what waits, as far as there is room. */
COLD void admin_notices(void)
{
    if (!fw.notices || full())
        return;
    for (uint32_t layer = 0; layer <= TCP; layer++)
        if (fw.loose_error[layer]) {
            if (!notice(FLUE_CQ_TABLE_ERROR, 0, fw.loose_error[layer]))
                return;
            fw.loose_error[layer] = 0;
        }
    for (uint32_t layer = NEIGHBOR; layer <= TCP; layer++)
        for (uint32_t row = 0; row < fw.size[layer]; row++) {
            uint32_t word = hw_row_get((enum flue_table)layer, row, W_STATE);
            if ((word & FLUE_ROW_HEAD_PENDING_MASK) && !row_notices(layer, row, word))
                return;
        }
    fw.notices = false;
}

/* ---- list ---- */

/* Entries of the objects from arg0 on, kind after kind; a window full at a time. */
static detail_t list(void)
{
    enum { ENTRY = sizeof(struct flue_list_entry), BATCH = sizeof fw.window / ENTRY };
    uint32_t layer = FIELD(fw.sqe.arg[0], FLUE_HANDLE_KIND), row = FIELD(fw.sqe.arg[0], FLUE_HANDLE_INDEX);
    uint32_t most = fw.sqe.length / ENTRY, count = 0, batch = 0;
    struct flue_list_entry *entry = (void *)fw.window;
    if (most == 0)
        return FLUE_AD_LENGTH;
    if (layer == 0)
        layer = NEIGHBOR;
    for (; layer <= TCP && count < most; layer++, row = 0) {
        for (; row < fw.size[layer] && count < most; row++) {
            enum flue_table table = (enum flue_table)layer;
            uint32_t word = hw_row_get(table, row, W_STATE);
            if (row_state(word) <= FLUE_ROW_BUILDING)
                continue;
            uint32_t link = hw_row_get(table, row, W_LINK), parent = link & FLUE_ROW_HEAD_PARENT_MASK, above = 0;
            if (layer > NEIGHBOR && parent < fw.size[layer - 1])
                above = object_handle(layer - 1, parent, hw_row_get((enum flue_table)(layer - 1), parent, W_STATE));
            entry[batch++] = (struct flue_list_entry){
                .handle = object_handle(layer, row, word),
                .parent = above,
                .host_handle = {hw_row_get(table, row, W_HOST), hw_row_get(table, row, W_HOST + 1)},
                .row_state = word,
                .refs = link >> FLUE_ROW_HEAD_REFS_SHIFT,
            };
            count++;
            if (batch == BATCH) {
                if (!hw_dma_write(fw.sqe.word1, fw.sqe.offset + (count - batch) * ENTRY, fw.window, batch * ENTRY))
                    return FLUE_AD_REGION;
                batch = 0;
            }
        }
    }
    if (batch && !hw_dma_write(fw.sqe.word1, fw.sqe.offset + (count - batch) * ENTRY, fw.window, batch * ENTRY))
        return FLUE_AD_REGION;
    fw.result = count;
    return FLUE_AD_NONE;
}

/* ---- commands ---- */

detail_t admin_refuse(NDIS_STATUS status)
{
    fw.refusal = (uint32_t)status;
    return FLUE_AD_LIMIT;
}

/* What an opcode does with a tree. */
static const uint8_t tree_op[FLUE_OP_RINGS + 1] = {
    [FLUE_OP_INITIATE] = OPS_INITIATE,     [FLUE_OP_QUERY] = OPS_QUERY,         [FLUE_OP_UPDATE] = OPS_UPDATE,
    [FLUE_OP_INVALIDATE] = OPS_INVALIDATE, [FLUE_OP_TERMINATE] = OPS_TERMINATE,
};

/* What every command must fulfil. */
INLINE detail_t check(uint32_t opcode)
{
    const struct flue_sqe *sqe = &fw.sqe;
    uint32_t odd = sqe->word0 & FLUE_SQE_WORD0_ZERO, offset = sqe->offset, length = sqe->length;
    odd |= sqe->word1 & FLUE_SQE_WORD1_ZERO;
    odd |=
        sqe->zero[0] | sqe->zero[1] | sqe->zero[2] | sqe->zero[3] | sqe->zero[4] | sqe->zero[5] | sqe->zero[6] | sqe->zero[7];
    if (RARE(sqe->word0 & (FLUE_SQE_LOAD_ONLY_MASK | FLUE_SQE_KEEP_ENTRY_MASK))) {
        if (opcode != FLUE_OP_INITIATE)
            odd |= sqe->word0 & FLUE_SQE_LOAD_ONLY_MASK;
        if (opcode != FLUE_OP_TERMINATE)
            odd |= sqe->word0 & FLUE_SQE_KEEP_ENTRY_MASK;
    }
    if (RARE(odd))
        return FLUE_AD_OPCODE;
    if (RARE(offset & 7))
        return FLUE_AD_REGION;
    if (RARE(length & 3))
        return FLUE_AD_LENGTH;
    if (RARE(offset + length < length))
        return FLUE_AD_REGION;
    return FLUE_AD_NONE;
}

static __attribute__((noinline)) detail_t execute(uint32_t opcode)
{
    switch (opcode) {
    case FLUE_OP_HOLD:
        return connection_hold();
    case FLUE_OP_START:
        return connection_start();
    case FLUE_OP_RELEASE:
        return connection_release();
    case FLUE_OP_SET_CONFIG:
        return config_set();
    case FLUE_OP_GET_CONFIG:
        return config_get();
    case FLUE_OP_GET_STATS:
        return stats_get();
    case FLUE_OP_RESET_STATS:
        return stats_reset();
    case FLUE_OP_ABORT:
        return connection_abort();
    case FLUE_OP_FORWARD:
        return connection_forward();
    case FLUE_OP_RINGS:
        return connection_rings();
    case FLUE_OP_LIST:
        return list();
    default:
        return FLUE_AD_OPCODE;
    }
}

static COLD NDIS_STATUS status_of(detail_t detail)
{
    switch (detail) {
    case FLUE_AD_NONE:
        return NDIS_STATUS_SUCCESS;
    case FLUE_AD_LIMIT:
        return (NDIS_STATUS)fw.refusal;
    case FLUE_AD_OPCODE:
    case FLUE_AD_GROUP:
    case FLUE_AD_NO_ENGINE:
        return NDIS_STATUS_NOT_SUPPORTED;
    case FLUE_AD_LENGTH:
        return NDIS_STATUS_INVALID_LENGTH;
    case FLUE_AD_HEADER:
    case FLUE_AD_NODES:
    case FLUE_AD_VALUE:
    case FLUE_AD_CONFIG:
        return NDIS_STATUS_INVALID_DATA;
    case FLUE_AD_HANDLE:
    case FLUE_AD_STALE:
    case FLUE_AD_WRONG_KIND:
        return NDIS_STATUS_INVALID_PARAMETER;
    case FLUE_AD_BUSY:
    case FLUE_AD_IN_USE:
        return NDIS_STATUS_INVALID_STATE;
    default:
        return NDIS_STATUS_FAILURE;
    }
}

/* One command, if there is one and room for its answer and a notice.  A doorbell that brings none has another reason. */
bool admin_next(bool doorbell)
{
    uint32_t head = fw.head, submitted = hw_asq_tail();
    if (RARE(fw.queue != QUEUE_ON) || submitted == head || RARE(submitted - head > fw.asq_slots)) {
        if (doorbell) {
            admin_ring();
            return fw.queue == QUEUE_ON && fw.asq.index != fw.head; /* again */
        }
        if (fw.queue != QUEUE_ON || submitted == head)
            return false;
        if (((submitted - head) & 0xFFFF) > fw.asq_slots) { /* else the count went round */
            admin_ring();
            return false;
        }
    }
    uint32_t free = room();
    if (RARE(free - 2 > fw.acq_slots - 2)) {
        if (free > fw.acq_slots)
            admin_ring(); /* which finds the same */
        return false;
    }
    hw_dma_begin_read(byte_of(&fw.asq.cfg, 0), fw.asq.base + (head & (fw.asq_slots - 1)) * SQE_BYTES, &fw.sqe, SQE_BYTES);
    bool changed = moved();
    bool there = hw_dma_end();
    if (RARE(changed)) {
        admin_ring();
        return true;
    }
    if (RARE(!there)) {
        stop();
        return false;
    }
    uint32_t opcode = byte_of(&fw.sqe.word0, 0), op = opcode < sizeof tree_op ? tree_op[opcode] : 0;
    bool asked = op && tree_fetch(); /* comes while the command is looked at */
    bool flushing = false;
    head++;
    fw.head = (uint16_t)head;
    hw_asq_head(head);
    fw.result = 0;
    detail_t detail = check(opcode);
    if (asked && !hw_dma_end() && !detail)
        detail = FLUE_AD_REGION;
    if (!RARE(detail)) {
        if (op == 0)
            detail = execute(opcode);
        else if (op == OPS_INITIATE && RARE(fw.config.switches.word0 & FLUE_CFG_SWITCHES_PAUSED_MASK))
            detail = FLUE_AD_DISABLED;
        else if (RARE(!asked))
            detail = FLUE_AD_LENGTH;
        else
            detail = tree_walk(op, &flushing);
    }
    fw.cqe.word0 = half_of(&fw.sqe.word0, 1) | IN_FIELD(FLUE_CQ_COMPLETION, FLUE_CQE_KIND);
    fw.cqe.result = fw.result;
    if (flushing && RARE(!hw_dma_end()))
        detail = FLUE_AD_REGION;
    fw.cqe.status = (uint32_t)(RARE(detail) ? status_of(detail) : NDIS_STATUS_SUCCESS);
    post((uint32_t)detail);
    object_left();
    return true;
}
static_assert(FLUE_SQE_COMMAND_ID_MASK == 0xFFFF0000u && FLUE_SQE_OPCODE_MASK == 0xFF, "parts of word 0");
