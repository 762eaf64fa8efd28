/* Connection offload: capabilities, run-time parameters, switches and statistics over the admin queue (chimney.md 1.10,
 * 1.11, 4.18, section 5). */
#include <string.h>
#include "admin_internal.h"

#define PUT(NAME, value) (((uint32_t)(value) << FLUE_##NAME##_SHIFT) & FLUE_##NAME##_MASK)
#define GET(NAME, word)  (((word)&FLUE_##NAME##_MASK) >> FLUE_##NAME##_SHIFT)

bool ndis_has_connection(const struct flue_ndis_admin *a)
{
    return a->connection.config_set != NULL;
}

/* ---- parameters -------------------------------------------------------------------------------------------------- */

static void parameters_of(const struct flue_cfg_connection *c, NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS *p)
{
    p->TicksPerSecond = c->ticks_per_second;
    p->TcpAckFrequency = (uint8_t)GET(CFG_CONNECTION_ACK_FREQUENCY, c->word1);
    p->TcpDelayedAckTicks = (uint8_t)GET(CFG_CONNECTION_DELAYED_ACK_TICKS, c->word1);
    p->TcpMaximumRetransmissions = (uint8_t)GET(CFG_CONNECTION_MAX_RETRANSMISSIONS, c->word1);
    p->TcpDoubtReachabilityRetransmissions = (uint8_t)GET(CFG_CONNECTION_DOUBT_RETRANSMISSIONS, c->word1);
    p->TcpSwsPreventionTicks = c->sws_prevention_ticks;
    p->TcpDuplicateAckThreshold = c->duplicate_ack_threshold;
    p->TcpPushTicks = c->push_ticks;
    p->NceStaleTicks = c->nce_stale_ticks;
    p->CongestionAlgorithm = c->congestion_algorithm;
}

static struct flue_cfg_connection record_of(const NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS *p)
{
    return (struct flue_cfg_connection){
        .ticks_per_second = p->TicksPerSecond,
        .word1 = PUT(CFG_CONNECTION_ACK_FREQUENCY, p->TcpAckFrequency) |
                 PUT(CFG_CONNECTION_DELAYED_ACK_TICKS, p->TcpDelayedAckTicks) |
                 PUT(CFG_CONNECTION_MAX_RETRANSMISSIONS, p->TcpMaximumRetransmissions) |
                 PUT(CFG_CONNECTION_DOUBT_RETRANSMISSIONS, p->TcpDoubtReachabilityRetransmissions),
        .sws_prevention_ticks = p->TcpSwsPreventionTicks,
        .duplicate_ack_threshold = p->TcpDuplicateAckThreshold,
        .push_ticks = p->TcpPushTicks,
        .nce_stale_ticks = p->NceStaleTicks,
        .congestion_algorithm = p->CongestionAlgorithm,
    };
}

/* Shipping firmware relied on periods other than zero (1.10): none is taken. */
static bool parameters_legal(const NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS *p)
{
    bool ticks = p->TicksPerSecond == 10 || p->TicksPerSecond == 100 || p->TicksPerSecond == 1000;

    return ticks && p->TcpAckFrequency != 0 && p->TcpDelayedAckTicks != 0 && p->TcpMaximumRetransmissions != 0 &&
           p->TcpSwsPreventionTicks != 0 && p->TcpDuplicateAckThreshold != 0 && p->TcpPushTicks != 0 && p->NceStaleTicks != 0;
}

/* Framing of one IP version; *on follows it. */
static NDIS_STATUS framing(uint32_t enabled, uint32_t type, bool *on)
{
    if (enabled > NDIS_OFFLOAD_SET_OFF)
        return NDIS_STATUS_INVALID_DATA;
    if (enabled == NDIS_OFFLOAD_SET_ON && type != NDIS_ENCAPSULATION_IEEE_802_3)
        return NDIS_STATUS_INVALID_PARAMETER;
    if (enabled != NDIS_OFFLOAD_SET_NO_CHANGE)
        *on = enabled == NDIS_OFFLOAD_SET_ON;
    return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS ndis_connection_parameters_set(struct flue_ndis_admin *a, struct flue_ndis_request *request)
{
    static const uint16_t need[] = {NDIS_SIZEOF_TCP_CONNECTION_OFFLOAD_PARAMETERS_REVISION_1,
                                    NDIS_SIZEOF_TCP_CONNECTION_OFFLOAD_PARAMETERS_REVISION_2};
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS p;
    uint32_t known = 0;
    NDIS_STATUS status =
        ndis_header_check(request->buffer, request->length, NDIS_OBJECT_TYPE_DEFAULT, need, 2, &known, &request->bytes_needed);

    if (status != NDIS_STATUS_SUCCESS)
        return status;
    memset(&p, 0, sizeof p);
    memcpy(&p, request->buffer, known);
    request->bytes_read = known;
    const NDIS_OBJECT_HEADER *inner = &p.Encapsulation.Header;
    if (inner->Type != NDIS_OBJECT_TYPE_OFFLOAD_ENCAPSULATION || inner->Revision == 0 ||
        inner->Size < NDIS_SIZEOF_OFFLOAD_ENCAPSULATION_REVISION_1 || !parameters_legal(&p))
        return NDIS_STATUS_INVALID_DATA;
    bool encap[2] = {a->connection_encap[0], a->connection_encap[1]};
    status = framing(p.Encapsulation.IPv4.Enabled, p.Encapsulation.IPv4.EncapsulationType, &encap[NDIS_IPV4]);
    if (status == NDIS_STATUS_SUCCESS)
        status = framing(p.Encapsulation.IPv6.Enabled, p.Encapsulation.IPv6.EncapsulationType, &encap[NDIS_IPV6]);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    struct flue_cfg_connection record = record_of(&p);
    status = a->connection.config_set(a->connection.ctx, FLUE_CFG_CONNECTION, &record, sizeof record);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    status = ndis_connection_switch(a, a->connection_on, encap);
    if (status != NDIS_STATUS_SUCCESS) { /* nothing shall have changed */
        record = record_of(&a->connection_parameters);
        (void)a->connection.config_set(a->connection.ctx, FLUE_CFG_CONNECTION, &record, sizeof record);
        return status;
    }
    p.Header = (NDIS_OBJECT_HEADER){NDIS_OBJECT_TYPE_DEFAULT, NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS_2,
                                    NDIS_SIZEOF_TCP_CONNECTION_OFFLOAD_PARAMETERS_REVISION_2};
    a->connection_parameters = p;
    return NDIS_STATUS_SUCCESS;
}

/* ---- switches and capabilities ----------------------------------------------------------------------------------- */

static NDIS_STATUS switches_write(struct flue_ndis_admin *a, const bool on[2], const bool encap[2])
{
    struct flue_cfg_switches record = {
        .word0 = PUT(CFG_SWITCHES_IPV4, on[NDIS_IPV4]) | PUT(CFG_SWITCHES_IPV6, on[NDIS_IPV6]) |
                 PUT(CFG_SWITCHES_ENCAP_IPV4, encap[NDIS_IPV4]) | PUT(CFG_SWITCHES_ENCAP_IPV6, encap[NDIS_IPV6]) |
                 PUT(CFG_SWITCHES_PAUSED, a->device_paused),
    };

    return a->connection.config_set(a->connection.ctx, FLUE_CFG_SWITCHES, &record, sizeof record);
}

NDIS_STATUS ndis_connection_switch(struct flue_ndis_admin *a, const bool on[2], const bool encap[2])
{
    bool new_on[2] = {on[0], on[1]}, new_encap[2] = {encap[0], encap[1]};

    if (!ndis_has_connection(a))
        return NDIS_STATUS_NOT_SUPPORTED;
    NDIS_STATUS status = switches_write(a, new_on, new_encap);
    if (status == NDIS_STATUS_SUCCESS) {
        memcpy(a->connection_on, new_on, sizeof new_on);
        memcpy(a->connection_encap, new_encap, sizeof new_encap);
    }
    return status;
}

NDIS_STATUS ndis_connection_open(struct flue_ndis_admin *a)
{
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS *p = &a->connection_parameters;
    struct flue_cfg_connection record;
    struct flue_cfg_caps caps;

    NDIS_STATUS status = a->connection.config_get(a->connection.ctx, FLUE_CFG_CAPS, &caps, sizeof caps);
    if (status == NDIS_STATUS_SUCCESS)
        status = a->connection.config_get(a->connection.ctx, FLUE_CFG_CONNECTION, &record, sizeof record);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    a->connection_hardware = (NDIS_TCP_CONNECTION_OFFLOAD){
        .Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_TCP_CONNECTION_OFFLOAD_REVISION_2,
                   NDIS_SIZEOF_TCP_CONNECTION_OFFLOAD_REVISION_2},
        .Encapsulation = NDIS_ENCAPSULATION_IEEE_802_3,
        .SupportIPv4 = NDIS_OFFLOAD_SUPPORTED,
        .SupportIPv6 = NDIS_OFFLOAD_SUPPORTED,
        .SupportSack = GET(CFG_CAPS_ENGINE, caps.word5) != 0 ? NDIS_OFFLOAD_SUPPORTED : NDIS_OFFLOAD_NOT_SUPPORTED,
        .TcpConnectionOffloadCapacity = caps.connections,
    };
    p->Header = (NDIS_OBJECT_HEADER){NDIS_OBJECT_TYPE_DEFAULT, NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS_2,
                                     NDIS_SIZEOF_TCP_CONNECTION_OFFLOAD_PARAMETERS_REVISION_2};
    p->Encapsulation.Header =
        (NDIS_OBJECT_HEADER){NDIS_OBJECT_TYPE_OFFLOAD_ENCAPSULATION, NDIS_OFFLOAD_ENCAPSULATION_REVISION_1,
                             NDIS_SIZEOF_OFFLOAD_ENCAPSULATION_REVISION_1};
    parameters_of(&record, p);
    return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS ndis_connection_pause(struct flue_ndis_admin *a, bool paused)
{
    bool before = a->device_paused;

    a->device_paused = paused;
    NDIS_STATUS status = switches_write(a, a->connection_on, a->connection_encap);
    if (status != NDIS_STATUS_SUCCESS)
        a->device_paused = before;
    return status;
}

NDIS_STATUS ndis_connection_restore(struct flue_ndis_admin *a)
{
    a->device_paused = ndis_pause_initiate(&a->pause) != NDIS_START;
    struct flue_cfg_connection record = record_of(&a->connection_parameters);
    NDIS_STATUS status = a->connection.config_set(a->connection.ctx, FLUE_CFG_CONNECTION, &record, sizeof record);

    return status == NDIS_STATUS_SUCCESS ? switches_write(a, a->connection_on, a->connection_encap) : status;
}

/* ---- statistics -------------------------------------------------------------------------------------------------- */

static uint64_t wide(const uint32_t words[2])
{
    return words[0] | (uint64_t)words[1] << 32;
}

static bool is_tcp(NDIS_OID oid)
{
    return oid == OID_TCP4_OFFLOAD_STATS || oid == OID_TCP6_OFFLOAD_STATS;
}

static enum flue_stats_group group_of(NDIS_OID oid)
{
    return oid == OID_TCP4_OFFLOAD_STATS   ? FLUE_SG_TCP4
           : oid == OID_TCP6_OFFLOAD_STATS ? FLUE_SG_TCP6
           : oid == OID_IP4_OFFLOAD_STATS  ? FLUE_SG_IP4
                                           : FLUE_SG_IP6;
}

static NDIS_STATUS tcp_stats(struct flue_ndis_admin *a, enum flue_stats_group group, TCP_OFFLOAD_STATS *stats)
{
    struct flue_stats_tcp r;
    NDIS_STATUS status = a->connection.stats_get(a->connection.ctx, group, &r, sizeof r);

    if (status != NDIS_STATUS_SUCCESS)
        return status;
    stats->InSegments = wide(r.in_segments);
    stats->OutSegments = wide(r.out_segments);
    stats->CurrentlyEstablished = r.currently_established;
    stats->ResetEstablished = r.reset_established;
    stats->RetransmittedSegments = r.retransmitted_segments;
    stats->InErrors = r.in_errors;
    stats->OutResets = r.out_resets;
    return status;
}

static NDIS_STATUS ip_stats(struct flue_ndis_admin *a, enum flue_stats_group group, IP_OFFLOAD_STATS *stats)
{
    struct flue_stats_ip r;
    NDIS_STATUS status = a->connection.stats_get(a->connection.ctx, group, &r, sizeof r);

    if (status != NDIS_STATUS_SUCCESS)
        return status;
    stats->InReceives = wide(r.in_receives);
    stats->InOctets = wide(r.in_octets);
    stats->InDelivers = wide(r.in_delivers);
    stats->OutRequests = wide(r.out_requests);
    stats->OutOctets = wide(r.out_octets);
    stats->InHeaderErrors = r.in_header_errors;
    stats->InTruncatedPackets = r.in_truncated_packets;
    stats->InDiscards = r.in_discards;
    stats->OutDiscards = r.out_discards;
    stats->OutNoRoutes = r.out_no_routes;
    return status;
}

NDIS_STATUS ndis_stats_query(struct flue_ndis_admin *a, struct flue_ndis_request *request)
{
    union {
        TCP_OFFLOAD_STATS tcp;
        IP_OFFLOAD_STATS ip;
    } stats;
    uint32_t bytes = is_tcp(request->oid) ? sizeof stats.tcp : sizeof stats.ip;

    if (request->buffer == NULL || request->length < bytes) {
        request->bytes_needed = bytes;
        return NDIS_STATUS_BUFFER_TOO_SHORT;
    }
    memset(&stats, 0, sizeof stats);
    NDIS_STATUS status = is_tcp(request->oid) ? tcp_stats(a, group_of(request->oid), &stats.tcp)
                                              : ip_stats(a, group_of(request->oid), &stats.ip);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    memcpy(request->buffer, &stats, bytes);
    request->bytes_written = bytes;
    return status;
}

NDIS_STATUS ndis_stats_set(struct flue_ndis_admin *a, struct flue_ndis_request *request)
{
    return a->connection.stats_reset(a->connection.ctx, group_of(request->oid)); /* whatever the buffer holds */
}
