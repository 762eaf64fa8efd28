/* The administration on a real adapter: settings of task offload through the driver core. */
#include "admin_internal.h"

static void caps(void *ctx, struct flue_config *out)
{
    flue_config_caps(ctx, out);
}

static void get(void *ctx, struct flue_config *out)
{
    flue_config_get(ctx, out);
}

static enum flue_err set(void *ctx, const struct flue_config *request)
{
    return flue_config_set(ctx, request);
}

static enum flue_err encap(void *ctx, enum flue_encap ipv4, enum flue_encap ipv6)
{
    return flue_encap_set(ctx, ipv4, ipv6);
}

void flue_ndis_task_over_adapter(struct flue_adapter *adapter, struct flue_ndis_task_ops *ops)
{
    *ops = (struct flue_ndis_task_ops){.ctx = adapter, .caps = caps, .get = get, .set = set, .encap = encap};
}
