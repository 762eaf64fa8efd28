/*
 * Start, the loop, events.
 */
#include "fw.h"

void fw_start(void)
{
    bool cold = (hw_boot() & FLUE_MMIO_COLD_MASK) || hw_row_get(FLUE_TBL_SYSTEM, 0, SYS_MAGIC) != SYS_MARK;
    object_start(cold);
    engine_start(cold);
    config_start(cold);
    time_start();
    hw_deadline(UINT64_MAX);
    admin_ring();
    admin_ready();
}

/* Events other than a doorbell, which is cleared too; false: a drain. */
static COLD bool seldom(uint32_t events)
{
    bool drain = events & FLUE_MMIO_DRAIN_MASK;
    hw_event_clear(drain ? events & FLUE_MMIO_PING_MASK : events); /* what a drain interrupts waits for its end */
    if (events & FLUE_MMIO_PING_MASK)
        fw.heartbeat++;
    if (drain != fw.draining || (events & FLUE_MMIO_PING_MASK)) {
        fw.draining = drain;
        admin_ready();
    }
    if (drain)
        return false;
    if (events & FLUE_MMIO_ENGINE_MASK)
        engine_notes();
    if (events & FLUE_MMIO_TABLE_ERROR_MASK)
        (void)object_take_errors();
    return true;
}

/* Work until there is nothing to do.  Events are cleared before what they announce is looked at, so none is missed. */
void fw_serve(uint32_t events)
{
    do {
        if (RARE(events & ~FLUE_MMIO_DOORBELL_MASK) || RARE(fw.draining)) {
            if (!seldom(events))
                return;
        } else if (events) {
            hw_event_clear(FLUE_MMIO_DOORBELL_MASK);
        }
        if (RARE(fw.notices))
            admin_notices();
        if (!admin_next(events & FLUE_MMIO_DOORBELL_MASK))
            return;
        events = hw_events();
    } while (true);
}

#ifdef __riscv
struct firmware fw;

extern uint32_t flue_image_end[], flue_stack_bottom[], flue_stack_top[];
#define PAINT 0xC3A5C35Au

uint32_t fw_image_bytes(void)
{
    return (uint32_t)flue_image_end;
}

/* How much of the stack was ever written. */
uint32_t fw_stack_bytes(void)
{
    const uint32_t *word = flue_stack_bottom;
    while (word < flue_stack_top && *word == PAINT)
        word++;
    return (uint32_t)flue_stack_top - (uint32_t)word;
}

/* Apart from main(), which the compiler takes to be run once. */
static __attribute__((noinline, hot)) _Noreturn void forever(void)
{
    for (;;)
        fw_serve(fw.draining ? hw_events() : hw_sleep()); /* the end of a drain is no event */
}

_Noreturn int main(void)
{
    const uint32_t *end = (const uint32_t *)__builtin_frame_address(0) - 32;
    for (uint32_t *word = flue_stack_bottom; word < end; word++)
        *word = PAINT;
    fw_start();
    forever();
}
#endif
