/*
 * Memory regions: rows of the adapter's region table and the host memory behind them.
 */
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define PAGE_BYTES       4096u
#define REGION_BYTES_MAX (UINT32_MAX - PAGE_BYTES + 1u)

bool mem_covers(const struct flue_adapter *a, uint8_t region, uint32_t offset, uint32_t len_bytes, bool write)
{
    if (region >= a->identity.region_count || a->row[region].mem.addr == NULL)
        return false;
    const struct mem_row *row = &a->row[region];
    return (uint64_t)offset + len_bytes <= row->mem.len_bytes && (row->writable || !write);
}

static uint32_t row_reg(unsigned region, uint32_t word)
{
    return FLUE_REG_REGION + region * FLUE_REGION_STRIDE + word;
}

/* Clear the valid flag before the other words change (registers.md, REGION). */
static enum flue_err row_write(struct flue_adapter *a, unsigned region)
{
    const struct mem_row *row = &a->row[region];
    TRY(reg_write(a, row_reg(region, FLUE_REGION_FLAGS), 0));
    TRY(reg_write(a, row_reg(region, FLUE_REGION_BASE_LO), (uint32_t)row->bus_addr));
    TRY(reg_write(a, row_reg(region, FLUE_REGION_BASE_HI), (uint32_t)(row->bus_addr >> 32)));
    TRY(reg_write(a, row_reg(region, FLUE_REGION_SIZE), (uint32_t)row->mem.len_bytes));
    return reg_write(a, row_reg(region, FLUE_REGION_FLAGS),
                     FLUE_REGION_FLAGS_VALID_MASK | (row->writable ? FLUE_REGION_FLAGS_WRITE_MASK : 0));
}

static unsigned first_free_row(const struct flue_adapter *a)
{
    unsigned region = 0;
    while (region < a->identity.region_count && a->row[region].mem.addr != NULL)
        region++;
    return region;
}

bool mem_row_free(const struct flue_adapter *a)
{
    return first_free_row(a) < a->identity.region_count;
}

static enum flue_err mem_add(struct flue_adapter *a, void *addr, size_t len_bytes, enum flue_access access, bool owned,
                             struct flue_mem *mem)
{
    unsigned region = first_free_row(a);
    if (region == a->identity.region_count)
        return FLUE_ENOMEM;

    struct mem_row *row = &a->row[region];
    TRY(a->link->ops->map(a->link, addr, len_bytes, &row->bus_addr));
    row->mem = (struct flue_mem){.addr = addr, .len_bytes = len_bytes, .region = (uint8_t)region};
    row->owned = owned;
    row->writable = access == FLUE_ACCESS_READ_WRITE;
    enum flue_err err = row_write(a, region);
    if (err != FLUE_OK) {
        a->link->ops->unmap(a->link, row->bus_addr);
        row->mem.addr = NULL;
        return err;
    }
    *mem = row->mem;
    return FLUE_OK;
}

static bool access_known(enum flue_access access)
{
    return access == FLUE_ACCESS_READ || access == FLUE_ACCESS_READ_WRITE;
}

enum flue_err flue_mem_alloc(struct flue_adapter *a, size_t len_bytes, enum flue_access access, struct flue_mem *mem)
{
    if (a == NULL || mem == NULL || len_bytes == 0 || len_bytes > REGION_BYTES_MAX || !access_known(access))
        return FLUE_EARG;
    if (a->state == ADAPTER_BROKEN)
        return FLUE_EDEVICE;
    size_t whole = (len_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    void *addr = aligned_alloc(PAGE_BYTES, whole);
    if (addr == NULL)
        return FLUE_ENOMEM;
    memset(addr, 0, whole);
    enum flue_err err = mem_add(a, addr, whole, access, true, mem);
    if (err != FLUE_OK)
        free(addr);
    return err;
}

enum flue_err flue_mem_register(struct flue_adapter *a, void *addr, size_t len_bytes, enum flue_access access,
                                struct flue_mem *mem)
{
    if (a == NULL || mem == NULL || addr == NULL || (uintptr_t)addr % PAGE_BYTES != 0 || len_bytes == 0 ||
        len_bytes > REGION_BYTES_MAX || !access_known(access))
        return FLUE_EARG;
    if (a->state == ADAPTER_BROKEN)
        return FLUE_EDEVICE;
    return mem_add(a, addr, len_bytes, access, false, mem);
}

static void row_release(struct flue_adapter *a, struct mem_row *row)
{
    a->link->ops->unmap(a->link, row->bus_addr);
    if (row->owned)
        free(row->mem.addr);
    *row = (struct mem_row){0};
}

enum flue_err mem_release(struct flue_adapter *a, uint8_t region)
{
    enum flue_err err = reg_write(a, row_reg(region, FLUE_REGION_FLAGS), 0);
    row_release(a, &a->row[region]); /* a broken adapter may refuse; unmap protects */
    return err;
}

enum flue_err flue_mem_free(struct flue_adapter *a, struct flue_mem *mem)
{
    if (a == NULL || mem == NULL || mem->region >= FLUE_REGION_MAX || mem->addr == NULL ||
        a->row[mem->region].mem.addr != mem->addr || mem->region == a->ring_region)
        return FLUE_EARG;
    enum flue_err err = mem_release(a, mem->region);
    *mem = (struct flue_mem){0};
    return a->state == ADAPTER_BROKEN ? FLUE_OK : err;
}

void mem_release_all(struct flue_adapter *a)
{
    for (unsigned region = 0; region < FLUE_REGION_MAX; region++)
        if (a->row[region].mem.addr != NULL)
            (void)mem_release(a, (uint8_t)region);
}
