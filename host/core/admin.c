/*
 * Life of the control plane: start, stop, restart (docs/control-plane.md, section 7).
 */
#include <stdlib.h>
#include <string.h>
#include "admin_parts.h"

#define LOG2_MIN           3u
#define LOG2_MAX           12u
#define LOG2_DEFAULT       6u
#define TIMEOUT_US_DEFAULT 1000000u
#define RING_ALIGN_BYTES   64u

static bool params_fill(struct flue_admin_params *p)
{
    if (p->log2_commands == 0)
        p->log2_commands = LOG2_DEFAULT;
    if (p->timeout_us == 0)
        p->timeout_us = TIMEOUT_US_DEFAULT;
    return p->image_bytes > 0 && p->image_bytes % 4 == 0 && p->log2_commands >= LOG2_MIN && p->log2_commands <= LOG2_MAX;
}

static enum flue_err info_read(struct flue_adapter *a, struct flue_admin_info *info)
{
    uint32_t fw, tables0, tables1;

    TRY(reg_read(a, FLUE_REG_BUILD_FW, &fw));
    TRY(reg_read(a, FLUE_REG_BUILD_TABLES0, &tables0));
    TRY(reg_read(a, FLUE_REG_BUILD_TABLES1, &tables1));
    *info = (struct flue_admin_info){
        .connections = FLUE_GET(BUILD_TABLES0_CONNECTIONS, tables0),
        .paths = FLUE_GET(BUILD_TABLES0_PATHS, tables0),
        .neighbors = FLUE_GET(BUILD_TABLES1_NEIGHBORS, tables1),
        .memory_bytes = FLUE_GET(BUILD_FW_MEMORY_KB, fw) * 1024u,
        .engine = FLUE_GET(BUILD_FW_ENGINE, fw) != 0,
    };
    return FLUE_OK;
}

static void admin_free(struct flue_admin *admin)
{
    struct flue_adapter *a = admin->a;

    if (admin->mem.addr != NULL)
        mem_release(a, admin->mem.region);
    free(admin->free_slot);
    free(admin->command);
    free(admin->image);
    free(admin);
}

static enum flue_err rings_alloc(struct flue_admin *admin)
{
    uint32_t sq_bytes = admin->size * (uint32_t)sizeof(struct flue_sqe);
    uint32_t cq_bytes = admin->size * (uint32_t)sizeof(struct flue_cqe);
    static_assert((1u << LOG2_MIN) * sizeof(struct flue_cqe) % RING_ALIGN_BYTES == 0, "whatever follows a ring is aligned");

    admin->cq_offset = sq_bytes;
    admin->call_offset = sq_bytes + cq_bytes;
    TRY(flue_mem_alloc(admin->a, admin->call_offset + ADMIN_CALL_BYTES, FLUE_ACCESS_READ_WRITE, &admin->mem));
    admin->sq_le = admin->mem.addr;
    admin->cq_le = (const volatile uint32_t *)((uint8_t *)admin->mem.addr + admin->cq_offset);
    return FLUE_OK;
}

static enum flue_err admin_new(struct flue_adapter *a, const struct flue_admin_params *p, struct flue_admin **created)
{
    struct flue_admin *admin = calloc(1, sizeof *admin);

    if (admin == NULL)
        return FLUE_ENOMEM;
    admin->a = a;
    admin->timeout_us = p->timeout_us;
    memcpy(admin->seed, p->seed, sizeof admin->seed);
    admin->log2_size = (uint8_t)p->log2_commands;
    admin->size = (uint16_t)(1u << p->log2_commands);
    admin->image_words = (uint32_t)(p->image_bytes / 4);
    admin->image = malloc(p->image_bytes);
    admin->command = calloc(admin->size, sizeof *admin->command);
    admin->free_slot = calloc(admin->size, sizeof *admin->free_slot);
    enum flue_err err = FLUE_ENOMEM;
    if (admin->image != NULL && admin->command != NULL && admin->free_slot != NULL)
        err = rings_alloc(admin);
    if (err != FLUE_OK) {
        admin_free(admin);
        return err;
    }
    memcpy(admin->image, p->image, p->image_bytes);
    for (uint32_t i = 0; i < admin->image_words; i++)
        admin->image[i] = le32toh(admin->image[i]);
    for (uint16_t slot = 0; slot < admin->size; slot++) {
        admin->free_slot[slot] = slot;
        admin->command[slot].id = slot;
    }
    *created = admin;
    return FLUE_OK;
}

static enum flue_err may_start(const struct flue_adapter *a)
{
    if (a->state == ADAPTER_BROKEN)
        return FLUE_EDEVICE;
    return a->in_handler ? FLUE_ESTATE : FLUE_OK;
}

enum flue_err flue_admin_start(struct flue_adapter *a, const struct flue_admin_params *params,
                               const struct flue_admin_handlers *handlers, struct flue_admin **admin)
{
    struct flue_admin_params filled = params != NULL ? *params : (struct flue_admin_params){0};
    struct flue_admin_info info;

    if (admin == NULL)
        return FLUE_EARG;
    *admin = NULL;
    if (filled.image == NULL)
        filled.image = flue_firmware_image(&filled.image_bytes);
    if (filled.image == NULL)
        return FLUE_EUNSUPP;
    if (a == NULL || !params_fill(&filled))
        return FLUE_EARG;
    TRY(may_start(a));
    if (a->admin != NULL)
        return FLUE_ESTATE;
    TRY(info_read(a, &info));
    if (info.memory_bytes == 0)
        return FLUE_EUNSUPP;
    if (filled.image_bytes > info.memory_bytes - FLUE_TRAP_BYTES)
        return FLUE_EARG;
    if (!mem_row_free(a))
        return FLUE_EAGAIN;

    struct flue_admin *created = NULL;
    TRY(admin_new(a, &filled, &created));
    created->info = info;
    if (handlers != NULL)
        created->handlers = *handlers;
    a->admin = created;
    enum flue_err err = processor_start(created, true);
    if (err != FLUE_OK) {
        a->admin = NULL;
        admin_free(created);
        return err;
    }
    *admin = created;
    return FLUE_OK;
}

void flue_admin_stop(struct flue_admin *admin)
{
    if (admin == NULL)
        return;
    struct flue_adapter *a = admin->a;
    if (a->in_handler) { /* the poll around it does it */
        admin->stop_wanted = true;
        return;
    }
    admin->state = ADMIN_STOPPED;
    if (a->state != ADAPTER_BROKEN)
        (void)processor_halt(admin); /* one that does not stop loses its memory below */
    admin_end_all(admin);
    a->admin = NULL;
    admin_free(admin);
}

bool admin_stop_if_wanted(struct flue_admin *admin)
{
    if (!admin->stop_wanted || admin->waiting)
        return false;
    flue_admin_stop(admin);
    return true;
}

enum flue_err flue_admin_restart(struct flue_admin *admin)
{
    if (admin == NULL)
        return FLUE_EARG;
    TRY(may_start(admin->a));
    admin->state = ADMIN_STOPPED;
    TRY(processor_halt(admin));
    admin_end_all(admin);
    return processor_start(admin, false);
}

void flue_admin_info(const struct flue_admin *admin, struct flue_admin_info *info)
{
    *info = admin->info;
}

struct flue_admin *flue_adapter_admin(const struct flue_adapter *a)
{
    return a->admin;
}

bool flue_admin_runs(const struct flue_admin *admin)
{
    return admin->state == ADMIN_RUNS && admin->a->state != ADAPTER_BROKEN;
}

/* ---- with the adapter -------------------------------------------------------------------------------------------- */

void admin_cut(struct flue_adapter *a)
{
    if (a->admin == NULL)
        return;
    a->admin->state = ADMIN_STOPPED;
    admin_end_all(a->admin);
}

enum flue_err admin_begin_again(struct flue_adapter *a)
{
    return a->admin != NULL ? processor_start(a->admin, true) : FLUE_OK;
}
