/* Configuration and statistics of connection offload over the admin queue. */
#include <string.h>
#include "admin_internal.h"

#define RECORD_BYTES_MAX 64u

static NDIS_STATUS call(struct flue_admin *admin, enum flue_admin_opcode opcode, uint32_t arg, void *record, size_t bytes)
{
    struct flue_sqe sqe = {.word0 = (uint32_t)opcode << FLUE_SQE_OPCODE_SHIFT, .arg = {arg}};
    struct flue_admin_done done;
    enum flue_err err = flue_admin_call(admin, &sqe, record, bytes, &done);

    if (err != FLUE_OK)
        return err == FLUE_EAGAIN ? NDIS_STATUS_RESOURCES : NDIS_STATUS_FAILURE;
    if (done.detail == FLUE_AD_IN_USE)
        return NDIS_STATUS_INVALID_STATE; /* not while objects are offloaded */
    return (NDIS_STATUS)done.status;
}

static NDIS_STATUS config_get(void *ctx, enum flue_config_group group, void *record, size_t bytes)
{
    return call(ctx, FLUE_OP_GET_CONFIG, group, record, bytes);
}

static NDIS_STATUS config_set(void *ctx, enum flue_config_group group, const void *record, size_t bytes)
{
    uint8_t copy[RECORD_BYTES_MAX];

    if (bytes > sizeof copy)
        return NDIS_STATUS_INVALID_LENGTH;
    memcpy(copy, record, bytes);
    return call(ctx, FLUE_OP_SET_CONFIG, group, copy, bytes);
}

static NDIS_STATUS stats_get(void *ctx, enum flue_stats_group group, void *record, size_t bytes)
{
    return call(ctx, FLUE_OP_GET_STATS, group, record, bytes);
}

static NDIS_STATUS stats_reset(void *ctx, enum flue_stats_group group)
{
    return call(ctx, FLUE_OP_RESET_STATS, group, NULL, 0);
}

void flue_ndis_connection_over_admin(struct flue_admin *admin, struct flue_ndis_connection_ops *ops)
{
    *ops = (struct flue_ndis_connection_ops){
        .ctx = admin, .config_get = config_get, .config_set = config_set, .stats_get = stats_get, .stats_reset = stats_reset};
}
