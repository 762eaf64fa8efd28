/*
 * How the driver reaches an adapter.  One implementation a transport; link/sim is the Verilated adapter in this process.
 * One thread at a time may use a link.
 */
#ifndef FLUE_LINK_H
#define FLUE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flue/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct flue_link;

struct flue_link_ops {
    /* Register access; offset in bytes, a multiple of 4.  FLUE_EDEVICE on an error response, FLUE_ETIMEOUT without any. */
    enum flue_err (*read32)(struct flue_link *link, uint32_t offset, uint32_t *value);
    enum flue_err (*write32)(struct flue_link *link, uint32_t offset, uint32_t value);

    /*
     * Make host memory reachable for the adapter's DMA until unmap().  addr is 4,096-byte aligned; *bus_addr is what goes
     * into a region's base registers.
     */
    enum flue_err (*map)(struct flue_link *link, void *addr, size_t len_bytes, uint64_t *bus_addr);
    void (*unmap)(struct flue_link *link, uint64_t bus_addr);

    /* True while the interrupt line is raised. */
    bool (*irq)(struct flue_link *link);

    /*
     * Let time pass for the adapter: for a simulator run it for up to max_us of adapter time or until the interrupt rises;
     * for hardware sleep on the interrupt.  Returns at once when the interrupt is raised.
     */
    enum flue_err (*wait)(struct flue_link *link, uint32_t max_us);

    void (*close)(struct flue_link *link);
};

/* Every transport's own struct begins with this. */
struct flue_link {
    const struct flue_link_ops *ops;
};

#ifdef __cplusplus
}
#endif
#endif
