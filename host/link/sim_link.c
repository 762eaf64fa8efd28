/* The link whose other end is the simulated adapter in this process. */
#include "runtime.h"

static struct flue_sim *sim_of(struct flue_link *link)
{
    return (struct flue_sim *)link; /* its first member */
}

static enum flue_err link_read32(struct flue_link *link, uint32_t offset, uint32_t *value)
{
    return flue_axil_read(sim_of(link), offset, value);
}

static enum flue_err link_write32(struct flue_link *link, uint32_t offset, uint32_t value)
{
    return flue_axil_write(sim_of(link), offset, value);
}

/* The adapter reads and writes this process's memory: a bus address is the address. */
static enum flue_err link_map(struct flue_link *link, void *addr, size_t len_bytes, uint64_t *bus_addr)
{
    enum flue_err err = flue_hostmem_map(&sim_of(link)->mem, addr, len_bytes);
    *bus_addr = err ? 0 : (uint64_t)(uintptr_t)addr;
    return err;
}

static void link_unmap(struct flue_link *link, uint64_t bus_addr)
{
    flue_hostmem_unmap(&sim_of(link)->mem, bus_addr);
}

static bool link_irq(struct flue_link *link)
{
    return sim_of(link)->out.bits & FLUE_OUT_IRQ;
}

static enum flue_err link_wait(struct flue_link *link, uint32_t max_us)
{
    enum flue_sim_why why;
    return flue_sim_advance(sim_of(link), max_us, FLUE_SIM_UNTIL_IRQ, &why);
}

static void link_close(struct flue_link *link)
{
    (void)link; /* flue_sim_close() ends both */
}

const struct flue_link_ops flue_sim_link_ops = {
    .read32 = link_read32,
    .write32 = link_write32,
    .map = link_map,
    .unmap = link_unmap,
    .irq = link_irq,
    .wait = link_wait,
    .close = link_close,
};
