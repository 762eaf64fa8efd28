/* NDIS_OFFLOAD out of the adapter's switches, and structures of other revisions into ours (task-offload.md 1.1 to 1.9). */
#include <string.h>
#include "admin_internal.h"

#define TAGS_INSIDE  (NDIS_ENCAPSULATION_IEEE_802_3 | NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q)
#define SEGMENTS_MIN 2u
#define LSO_V1_MAX   65536u

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct view {
    const struct flue_config *config;
    uint32_t transmit, receive; /* framings, by direction */
};

static bool on(const struct view *v, enum flue_switch sw, uint8_t way)
{
    return (v->config->way[sw] & way) != 0;
}

#define IP4_BLOCK(block, framing, ip_options, tcp_options, way)                                                                \
    do {                                                                                                                       \
        (block).IpChecksum = on(v, FLUE_SW_IP4_CSUM, way);                                                                     \
        (block).TcpChecksum = on(v, FLUE_SW_TCP4_CSUM, way);                                                                   \
        (block).UdpChecksum = on(v, FLUE_SW_UDP4_CSUM, way);                                                                   \
        if ((block).IpChecksum || (block).TcpChecksum || (block).UdpChecksum) {                                                \
            (block).Encapsulation = framing;                                                                                   \
            (block).IpOptionsSupported = ip_options;                                                                           \
            (block).TcpOptionsSupported = (block).TcpChecksum && (tcp_options);                                                \
        }                                                                                                                      \
    } while (0)

#define IP6_BLOCK(block, framing, extensions, tcp_options, way)                                                                \
    do {                                                                                                                       \
        (block).TcpChecksum = on(v, FLUE_SW_TCP6_CSUM, way);                                                                   \
        (block).UdpChecksum = on(v, FLUE_SW_UDP6_CSUM, way);                                                                   \
        if ((block).TcpChecksum || (block).UdpChecksum) {                                                                      \
            (block).Encapsulation = framing;                                                                                   \
            (block).IpExtensionHeadersSupported = extensions;                                                                  \
            (block).TcpOptionsSupported = (block).TcpChecksum && (tcp_options);                                                \
        }                                                                                                                      \
    } while (0)

static void ipv4_of(const struct view *v, NDIS_OFFLOAD *o)
{
    uint32_t max = v->config->max_offload_bytes;

    IP4_BLOCK(o->Checksum.IPv4Transmit, v->transmit, 1, true, FLUE_WAY_TX);
    IP4_BLOCK(o->Checksum.IPv4Receive, v->receive, on(v, FLUE_SW_RX_IP_OPTS, FLUE_WAY_ON),
              on(v, FLUE_SW_RX_TCP_OPTS, FLUE_WAY_ON), FLUE_WAY_RX);
    if (on(v, FLUE_SW_LSO_V1, FLUE_WAY_ON)) {
        o->LsoV1.IPv4.Encapsulation = v->transmit;
        o->LsoV1.IPv4.MaxOffLoadSize = max < LSO_V1_MAX ? max : LSO_V1_MAX;
        o->LsoV1.IPv4.MinSegmentCount = SEGMENTS_MIN;
        o->LsoV1.IPv4.TcpOptions = 1;
        o->LsoV1.IPv4.IpOptions = 1;
    }
    if (on(v, FLUE_SW_LSO_V2_IPV4, FLUE_WAY_ON)) {
        o->LsoV2.IPv4.Encapsulation = v->transmit;
        o->LsoV2.IPv4.MaxOffLoadSize = max;
        o->LsoV2.IPv4.MinSegmentCount = SEGMENTS_MIN;
    }
}

static void ipv6_of(const struct view *v, NDIS_OFFLOAD *o)
{
    IP6_BLOCK(o->Checksum.IPv6Transmit, v->transmit, 1, true, FLUE_WAY_TX);
    IP6_BLOCK(o->Checksum.IPv6Receive, v->receive, on(v, FLUE_SW_RX_IP6_EXT, FLUE_WAY_ON),
              on(v, FLUE_SW_RX_TCP_OPTS, FLUE_WAY_ON), FLUE_WAY_RX);
    if (on(v, FLUE_SW_LSO_V2_IPV6, FLUE_WAY_ON)) {
        o->LsoV2.IPv6.Encapsulation = v->transmit;
        o->LsoV2.IPv6.MaxOffLoadSize = v->config->max_offload_bytes;
        o->LsoV2.IPv6.MinSegmentCount = SEGMENTS_MIN;
        o->LsoV2.IPv6.IpExtensionHeadersSupported = 1;
        o->LsoV2.IPv6.TcpOptionsSupported = 1;
    }
}

void ndis_offload_of(const struct flue_config *config, const struct flue_config *caps, const bool off[2], NDIS_OFFLOAD *o)
{
    bool tag_out = (caps->way[FLUE_SW_VLAN] & config->way[FLUE_SW_VLAN] & FLUE_WAY_TX) != 0;
    bool tag_in = (caps->way[FLUE_SW_VLAN] & config->way[FLUE_SW_VLAN] & FLUE_WAY_RX) != 0;
    struct view v = {
        .config = config,
        .transmit = TAGS_INSIDE | (tag_out ? NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB : 0u),
        .receive = TAGS_INSIDE | (tag_in ? NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB : 0u),
    };

    memset(o, 0, sizeof *o);
    o->Header = (NDIS_OBJECT_HEADER){NDIS_OBJECT_TYPE_OFFLOAD, NDIS_OFFLOAD_REVISION_OURS,
                                     (uint16_t)NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_6};
    if (!off[NDIS_IPV4])
        ipv4_of(&v, o);
    if (!off[NDIS_IPV6])
        ipv6_of(&v, o);
}

bool ndis_offload_any(const NDIS_OFFLOAD *o, enum ndis_family family)
{
    if (family == NDIS_IPV4)
        return (o->Checksum.IPv4Transmit.Encapsulation | o->Checksum.IPv4Receive.Encapsulation | o->LsoV1.IPv4.Encapsulation |
                o->LsoV2.IPv4.Encapsulation) != 0;
    return (o->Checksum.IPv6Transmit.Encapsulation | o->Checksum.IPv6Receive.Encapsulation | o->LsoV2.IPv6.Encapsulation) != 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

NDIS_STATUS ndis_header_check(const void *buffer, uint32_t length, uint8_t type, const uint16_t *need, unsigned count,
                              uint32_t *known, uint32_t *needed)
{
    NDIS_OBJECT_HEADER header;

    *needed = need[0];
    if (buffer == NULL || length < need[0])
        return NDIS_STATUS_INVALID_LENGTH;
    memcpy(&header, buffer, sizeof header);
    if (header.Size > length) {
        *needed = header.Size;
        return NDIS_STATUS_INVALID_LENGTH;
    }
    *needed = 0;
    if (header.Type != type || header.Revision == 0)
        return NDIS_STATUS_INVALID_DATA;
    unsigned revision = header.Revision < count ? header.Revision : count;
    if (header.Size < need[revision - 1])
        return NDIS_STATUS_INVALID_DATA;
    *known = need[revision - 1];
    return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS flue_ndis_offload_read(const void *buffer, uint32_t length, NDIS_OFFLOAD *offload)
{
    static const uint16_t need[] = {
        NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_1, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_2, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_3,
        NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_4, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_5, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_6,
        NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_7, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_8,
    };
    uint32_t known, needed;
    NDIS_STATUS status =
        ndis_header_check(buffer, length, NDIS_OBJECT_TYPE_OFFLOAD, need, sizeof need / sizeof need[0], &known, &needed);

    if (status != NDIS_STATUS_SUCCESS)
        return status;
    memset(offload, 0, sizeof *offload);
    memcpy(offload, buffer, known);
    return NDIS_STATUS_SUCCESS;
}

static const uint16_t parameters_need[] = {
    NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_1, NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_2,
    NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_3, NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_4,
    NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_5, NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_6,
};

NDIS_STATUS flue_ndis_parameters_read(const void *buffer, uint32_t length, NDIS_OFFLOAD_PARAMETERS *parameters)
{
    uint32_t known, needed;
    NDIS_STATUS status = ndis_header_check(buffer, length, NDIS_OBJECT_TYPE_DEFAULT, parameters_need,
                                           sizeof parameters_need / sizeof parameters_need[0], &known, &needed);

    if (status != NDIS_STATUS_SUCCESS)
        return status;
    memset(parameters, 0, sizeof *parameters);
    memcpy(parameters, buffer, known);
    return NDIS_STATUS_SUCCESS;
}
