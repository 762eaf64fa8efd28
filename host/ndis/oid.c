/* Dispatch of OID requests: who answers, with what buffer (task-offload.md 4.3). */
#include <string.h>
#include "admin_internal.h"

/* A structure NDIS holds, as many bytes as its header says. */
static NDIS_STATUS answer(struct flue_ndis_request *request, const void *structure, uint32_t bytes)
{
    if (request->buffer == NULL || request->length < bytes) {
        request->bytes_needed = bytes;
        return NDIS_STATUS_BUFFER_TOO_SHORT;
    }
    memcpy(request->buffer, structure, bytes);
    request->bytes_written = bytes;
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS query(struct flue_ndis_admin *a, struct flue_ndis_request *request)
{
    switch (request->oid) {
    case OID_TCP_OFFLOAD_CURRENT_CONFIG:
        return answer(request, &a->current, a->current.Header.Size);
    case OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES:
        return answer(request, &a->hardware, a->hardware.Header.Size);
    case OID_OFFLOAD_ENCAPSULATION:
        if (!a->encapsulation_was_set)
            return NDIS_STATUS_FAILURE; /* legal only after a set (TO-172) */
        return answer(request, &a->encapsulation, a->encapsulation.Header.Size);
    default:
        break;
    }
    if (!ndis_has_connection(a))
        return NDIS_STATUS_NOT_SUPPORTED;
    switch (request->oid) {
    case OID_TCP_CONNECTION_OFFLOAD_CURRENT_CONFIG:
        return answer(request, &a->connection_current, sizeof a->connection_current);
    case OID_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES:
        return answer(request, &a->connection_hardware, sizeof a->connection_hardware);
    case OID_TCP_CONNECTION_OFFLOAD_PARAMETERS:
        return answer(request, &a->connection_parameters, sizeof a->connection_parameters);
    case OID_TCP4_OFFLOAD_STATS:
    case OID_TCP6_OFFLOAD_STATS:
    case OID_IP4_OFFLOAD_STATS:
    case OID_IP6_OFFLOAD_STATS:
        return ndis_stats_query(a, request);
    default:
        return NDIS_STATUS_NOT_SUPPORTED;
    }
}

static NDIS_STATUS set(struct flue_ndis_admin *a, struct flue_ndis_request *request)
{
    switch (request->oid) {
    case OID_TCP_OFFLOAD_PARAMETERS:
        if (!ndis_has_connection(a) && !ndis_offload_any(&a->hardware, NDIS_IPV4) && !ndis_offload_any(&a->hardware, NDIS_IPV6))
            return NDIS_STATUS_NOT_SUPPORTED;
        return ndis_parameters_set(a, request);
    case OID_OFFLOAD_ENCAPSULATION:
        return ndis_encapsulation_set(a, request);
    case OID_PNP_SET_POWER:
        return ndis_power_set(a, request);
    default:
        break;
    }
    if (!ndis_has_connection(a))
        return NDIS_STATUS_NOT_SUPPORTED;
    switch (request->oid) {
    case OID_TCP_CONNECTION_OFFLOAD_PARAMETERS:
        return ndis_connection_parameters_set(a, request);
    case OID_TCP4_OFFLOAD_STATS:
    case OID_TCP6_OFFLOAD_STATS:
    case OID_IP4_OFFLOAD_STATS:
    case OID_IP6_OFFLOAD_STATS:
        return ndis_stats_set(a, request);
    default:
        return NDIS_STATUS_NOT_SUPPORTED;
    }
}

NDIS_STATUS flue_ndis_oid(struct flue_ndis_admin *a, struct flue_ndis_request *request)
{
    request->bytes_read = request->bytes_written = request->bytes_needed = 0;
    if (a->state == NDIS_ADMIN_HALTS)
        return NDIS_STATUS_NOT_ACCEPTED;
    if (a->state == NDIS_ADMIN_RESETS)
        return NDIS_STATUS_REQUEST_ABORTED;
    if (flue_ndis_oid_name(request->oid) == NULL)
        return NDIS_STATUS_INVALID_OID;
    return request->type == FLUE_NDIS_QUERY ? query(a, request) : set(a, request);
}
