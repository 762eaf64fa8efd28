/*
 * What the processor runs in its bench: one order for each doorbell.  The order is in the ring registers: ASQ_CFG its number,
 * ASQ_BASE, ACQ_BASE and ACQ_CFG its arguments.  The answer goes out in ASQ_HEAD (low half) and heartbeat (high half), then
 * ACQ_TAIL is the ASQ_TAIL that came with the order.
 */
#include "hw.h"
#include "orders.h"

static uint32_t cleared[3];       /* bss */
static uint32_t initialized = 77; /* data */
static uint32_t words[128];

static uint32_t poll_dma(uint32_t offset, uint32_t local, uint32_t start)
{
    volatile struct flue_mmio *m = HW_MMIO;
    m->dma_region = offset >> 31 ? 256 : 3;
    m->dma_offset = offset & 0x7FFFFFFF;
    m->dma_local = local;
    m->dma_start = start;
    while (m->dma_status & FLUE_MMIO_BUSY_MASK) {
    }
    return m->dma_status;
}

/* Each trap with known registers around it; a0 is the place. */
static void die(uint32_t how)
{
    register uint32_t s2 __asm__("s2") = 0xC0DE0012, s11 __asm__("s11") = 0xC0DE0027, t6 __asm__("t6") = 0xC0DE0031;
#define AT(text) __asm__ volatile("1: la a0, 2f\n2: " text : : "r"(s2), "r"(s11), "r"(t6) : "a0", "a1", "memory")
    switch (how) {
    case DIE_EBREAK:
        AT("ebreak");
    case DIE_ECALL:
        AT("ecall");
    case DIE_ILLEGAL:
        AT(".word 0xFFFFFFFF");
    case DIE_ZERO:
        AT(".word 0");
    case DIE_LOAD:
        __asm__ volatile("li a1, 0x102\nla a0, 2f\n2: lw a1, 0(a1)" : : "r"(s2), "r"(s11), "r"(t6) : "a0", "a1");
    case DIE_STORE:
        __asm__ volatile("li a1, 0x7001\nla a0, 2f\n2: sh a1, 0(a1)" : : "r"(s2), "r"(s11), "r"(t6) : "a0", "a1");
    case DIE_JUMP:
        __asm__ volatile("li a1, 0x102\nla a0, 2f\n2: jr a1" : : "r"(s2), "r"(s11), "r"(t6) : "a0", "a1");
    case DIE_BUS_LOAD:
        __asm__ volatile("li a1, 0x20000000\nla a0, 2f\n2: lw a1, 0(a1)" : : "r"(s2), "r"(s11), "r"(t6) : "a0", "a1");
    case DIE_BUS_STORE:
        __asm__ volatile("li a1, 0x8000\nla a0, 2f\n2: sw a1, 0(a1)" : : "r"(s2), "r"(s11), "r"(t6) : "a0", "a1");
    case DIE_BUS_BYTE:
        __asm__ volatile("li a1, 0x10000008\nla a0, 2f\n2: sb a1, 0(a1)" : : "r"(s2), "r"(s11), "r"(t6) : "a0", "a1");
    case DIE_BUS_FETCH:
        __asm__ volatile("li a0, 0x30000000\njr a0" : : "r"(s2), "r"(s11), "r"(t6) : "a0", "a1");
    default:
        hw_trap(how);
    }
}

static uint32_t obey(uint32_t order, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t found;
    switch (order) {
    case ORDER_PEEK:
        return *(volatile uint32_t *)(uintptr_t)a;
    case ORDER_POKE:
        *(volatile uint32_t *)(uintptr_t)a = b;
        return a;
    case ORDER_POKE_BYTE:
        *(volatile uint8_t *)(uintptr_t)a = (uint8_t)b;
        return *(volatile uint32_t *)(uintptr_t)(a & ~3u);
    case ORDER_POKE_HALF:
        *(volatile uint16_t *)(uintptr_t)a = (uint16_t)b;
        return *(volatile uint32_t *)(uintptr_t)(a & ~3u);
    case ORDER_DMA:
        return poll_dma(a, b, c);
    case ORDER_DMA_AGAIN:
        HW_MMIO->dma_start = 4096 | FLUE_MMIO_TO_HOST_MASK;
        HW_MMIO->dma_start = 4;
        return 0;
    case ORDER_SLEEP:
        hw_deadline((uint64_t)b << 32 | a);
        return hw_sleep();
    case ORDER_TIME:
        return (uint32_t)(a ? hw_time_us() >> 32 : hw_time_us());
    case ORDER_COMMAND:
        c = hw_table_cmd((enum flue_table_op)a, b, &found);
        return c | found << 16;
    case ORDER_SEED: {
        uint32_t s[4];
        hw_seed(s);
        hw_table_seed(s);
        return s[a & 3];
    }
    case ORDER_ERROR:
        return hw_table_error();
    case ORDER_CLEAR:
        hw_event_clear(a);
        return hw_events();
    case ORDER_STATUS:
        hw_status(a);
        return 0;
    case ORDER_MEMORY:
        return cleared[0] | cleared[1] | cleared[2] | initialized;
    case ORDER_DIE:
        die(a);
        return 0;
    case ORDER_HANG:
        for (;;)
            poll_dma(a, b, 4 | FLUE_MMIO_TO_HOST_MASK);
    case ORDER_WORK: /* copy 64 words, check them, write a row */
        for (unsigned i = 0; i < 64; i++)
            words[64 + i] = words[i];
        for (unsigned i = 0; i < 64; i++)
            if (words[64 + i] != words[i])
                hw_trap(99);
        for (unsigned i = 0; i < 64; i++)
            hw_row_put(FLUE_TBL_CONNECTION, 1, i, words[i]);
        return 0;
    case ORDER_ROW: /* a copy to or from a row, while the core uses another */
        HW_MMIO->dma_offset = a;
        HW_MMIO->dma_local = b;
        HW_MMIO->dma_start = c;
        for (unsigned i = 0; i < 12; i++) {
            hw_row_put(FLUE_TBL_CONNECTION, 2, i, ~i);
            if (hw_row_get(FLUE_TBL_CONNECTION, 2, i) != ~i)
                return 1;
        }
        return HW_MMIO->dma_status;
    default:
        return order;
    }
}

int main(void)
{
    hw_status(FLUE_MMIO_READY_MASK);
    for (;;) {
        uint32_t events = hw_sleep();
        hw_event_clear(events & ~FLUE_MMIO_TIMER_MASK);
        if (events & FLUE_MMIO_DRAIN_MASK)
            hw_status(FLUE_MMIO_READY_MASK | FLUE_MMIO_QUIET_MASK);
        if (!(events & FLUE_MMIO_DOORBELL_MASK))
            continue;
        struct hw_ring q = hw_asq(), r = hw_acq();
        uint32_t answer = obey(q.cfg, q.base, r.base, r.cfg);
        hw_asq_head((uint16_t)answer);
        hw_status(FLUE_MMIO_READY_MASK | answer >> 16);
        hw_acq_tail(q.index);
    }
}
