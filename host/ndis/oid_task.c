/* OID_TCP_OFFLOAD_PARAMETERS and OID_OFFLOAD_ENCAPSULATION (task-offload.md 4.2, 4.3). */
#include <string.h>
#include "admin_internal.h"

/* ---- parameters -------------------------------------------------------------------------------------------------- */

enum kind { CK, ONOFF, SEC };

/* Members of a parameters request: its family of values, and what it switches; FLUE_SW_COUNT: nothing this adapter has. */
static const struct member {
    size_t at;
    enum kind kind;
    enum flue_switch sw;
} members[] = {
#define MEMBER(member, kind, sw)                                                                                               \
    {                                                                                                                          \
        offsetof(NDIS_OFFLOAD_PARAMETERS, member), kind, FLUE_SW_##sw                                                          \
    }
    MEMBER(IPv4Checksum, CK, IP4_CSUM),
    MEMBER(TCPIPv4Checksum, CK, TCP4_CSUM),
    MEMBER(UDPIPv4Checksum, CK, UDP4_CSUM),
    MEMBER(TCPIPv6Checksum, CK, TCP6_CSUM),
    MEMBER(UDPIPv6Checksum, CK, UDP6_CSUM),
    MEMBER(LsoV1, ONOFF, LSO_V1),
    MEMBER(LsoV2IPv4, ONOFF, LSO_V2_IPV4),
    MEMBER(LsoV2IPv6, ONOFF, LSO_V2_IPV6),
    MEMBER(IPsecV1, SEC, COUNT),
    MEMBER(IPsecV2, SEC, COUNT),
    MEMBER(IPsecV2IPv4, SEC, COUNT),
    MEMBER(RscIPv4, ONOFF, COUNT),
    MEMBER(RscIPv6, ONOFF, COUNT),
    MEMBER(UdpSegmentation.IPv4, ONOFF, COUNT),
    MEMBER(UdpSegmentation.IPv6, ONOFF, COUNT),
    MEMBER(UdpRsc.Enabled, ONOFF, COUNT),
#undef MEMBER
};

#define MEMBER_COUNT (sizeof members / sizeof members[0])

static uint8_t value_of(const NDIS_OFFLOAD_PARAMETERS *p, const struct member *m)
{
    return ((const uint8_t *)p)[m->at];
}

/* Every value inside its family (TO-161). */
static bool legal(const NDIS_OFFLOAD_PARAMETERS *p)
{
    const uint8_t types = NDIS_ENCAPSULATION_TYPE_GRE_MAC | NDIS_ENCAPSULATION_TYPE_VXLAN;

    for (size_t i = 0; i < MEMBER_COUNT; i++)
        if (value_of(p, &members[i]) > (members[i].kind == ONOFF ? 2 : 4))
            return false;
    if (p->TcpConnectionIPv4 > 2 || p->TcpConnectionIPv6 > 2 || (p->Flags & ~NDIS_OFFLOAD_PARAMETERS_SKIP_REGISTRY_UPDATE) != 0)
        return false;
    if (p->EncapsulatedPacketTaskOffload > NDIS_OFFLOAD_SET_OFF || (p->EncapsulationTypes & ~types) != 0)
        return false;
    return (p->EncapsulatedPacketTaskOffload == NDIS_OFFLOAD_SET_ON) == (p->EncapsulationTypes != 0);
}

/* A member's value as a way of its switch: 1 is off; checksums name their directions. */
static uint8_t way_of(const struct member *m, uint8_t value)
{
    return value == 1 ? FLUE_WAY_OFF : m->kind == CK ? (uint8_t)(value - 1) : FLUE_WAY_ON;
}

/* One member into the change; false: it would enable what the hardware lacks. */
static bool take(const struct member *m, uint8_t value, const struct flue_config *caps, bool clip, struct flue_config *task)
{
    uint8_t way = way_of(m, value), able = m->sw == FLUE_SW_COUNT ? FLUE_WAY_OFF : caps->way[m->sw];

    if (!clip && (way & ~able) != 0)
        return false;
    if (m->sw != FLUE_SW_COUNT)
        task->way[m->sw] = way & able;
    return true;
}

NDIS_STATUS ndis_change_of(struct flue_ndis_admin *a, const NDIS_OFFLOAD_PARAMETERS *p, bool clip, struct ndis_change *change)
{
    const uint8_t connection[2] = {p->TcpConnectionIPv4, p->TcpConnectionIPv6};
    const bool able[2] = {a->connection_hardware.SupportIPv4 == NDIS_OFFLOAD_SUPPORTED,
                          a->connection_hardware.SupportIPv6 == NDIS_OFFLOAD_SUPPORTED};
    struct flue_config caps;

    if (!legal(p))
        return NDIS_STATUS_INVALID_DATA;
    a->task.caps(a->task.ctx, &caps);
    flue_config_keep(&change->task);
    change->task_named = p->EncapsulatedPacketTaskOffload != NDIS_OFFLOAD_SET_NO_CHANGE;
    change->connection_named = false;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        uint8_t value = value_of(p, &members[i]);
        if (value == NDIS_OFFLOAD_PARAMETERS_NO_CHANGE)
            continue;
        change->task_named = true;
        if (!take(&members[i], value, &caps, clip, &change->task))
            return NDIS_STATUS_INVALID_PARAMETER;
    }
    if (!clip && (p->EncapsulatedPacketTaskOffload == NDIS_OFFLOAD_SET_ON ||
                  p->EncapsulationProtocolParameters.VxlanParameters.VxlanUDPPortNumber != 0))
        return NDIS_STATUS_INVALID_PARAMETER; /* no encapsulated offload, no port to be configured */
    for (unsigned f = 0; f < 2; f++) {
        bool enable = connection[f] == NDIS_OFFLOAD_PARAMETERS_CONNECTION_OFFLOAD_ENABLED;
        change->connection[f] = a->connection_on[f];
        if (connection[f] == NDIS_OFFLOAD_PARAMETERS_NO_CHANGE)
            continue;
        if (enable && !able[f] && !clip)
            return NDIS_STATUS_INVALID_PARAMETER;
        change->connection_named = true;
        change->connection[f] = enable && able[f];
    }
    change->keep_keywords = (p->Flags & NDIS_OFFLOAD_PARAMETERS_SKIP_REGISTRY_UPDATE) != 0;
    change->keywords = a->keywords;
    flue_keywords_update(&change->keywords, p);
    return NDIS_STATUS_SUCCESS;
}

/* Connection offload would change: is that to be announced by PAUSE and RESUME (chimney.md section 5)? */
static bool changes_connection(const struct flue_ndis_admin *a, const struct ndis_change *change)
{
    return change->connection_named &&
           (change->connection[0] != a->connection_on[0] || change->connection[1] != a->connection_on[1]);
}

/* Keywords to the file, when they are to be kept there. */
static NDIS_STATUS persist(struct flue_ndis_admin *a, const struct flue_keywords *keywords)
{
    if (a->settings_path == NULL)
        return NDIS_STATUS_SUCCESS;
    return flue_keywords_save(a->settings_path, keywords) == FLUE_OK ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE;
}

static NDIS_STATUS apply_settings(struct flue_ndis_admin *a, const struct ndis_change *change)
{
    bool before[2] = {a->connection_on[0], a->connection_on[1]};
    bool connection = changes_connection(a, change);

    if (connection) {
        NDIS_STATUS status = ndis_connection_switch(a, change->connection, a->connection_encap);
        if (status != NDIS_STATUS_SUCCESS)
            return status;
    }
    if (!change->task_named)
        return NDIS_STATUS_SUCCESS;
    a->applying = true;
    enum flue_err err = a->task.set(a->task.ctx, &change->task);
    a->applying = false;
    if (err != FLUE_OK && connection) /* nothing shall have changed */
        (void)ndis_connection_switch(a, before, a->connection_encap);
    return ndis_status_of(err);
}

NDIS_STATUS ndis_change_apply(struct flue_ndis_admin *a, const struct ndis_change *change)
{
    if (!change->keep_keywords) {
        NDIS_STATUS status = persist(a, &change->keywords);
        if (status != NDIS_STATUS_SUCCESS)
            return status;
    }
    NDIS_STATUS status = apply_settings(a, change);
    if (status != NDIS_STATUS_SUCCESS) {
        if (!change->keep_keywords)
            (void)persist(a, &a->keywords); /* as they were */
        return status;
    }
    if (!change->keep_keywords)
        a->keywords = change->keywords;
    return NDIS_STATUS_SUCCESS;
}

static const uint16_t parameters_need[] = {
    NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_1, NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_2,
    NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_3, NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_4,
    NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_5, NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_6,
};

NDIS_STATUS ndis_parameters_set(struct flue_ndis_admin *a, struct flue_ndis_request *request)
{
    NDIS_OFFLOAD_PARAMETERS p;
    struct ndis_change change;
    uint32_t known = 0;
    NDIS_STATUS status = ndis_header_check(request->buffer, request->length, NDIS_OBJECT_TYPE_DEFAULT, parameters_need,
                                           sizeof parameters_need / sizeof parameters_need[0], &known, &request->bytes_needed);

    if (status != NDIS_STATUS_SUCCESS)
        return status;
    memset(&p, 0, sizeof p);
    memcpy(&p, request->buffer, known);
    request->bytes_read = known;
    status = ndis_change_of(a, &p, false, &change);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    if (change.task_named && a->keywords.value[FLUE_KW_DISABLE_TASK_OFFLOAD] != 0)
        return NDIS_STATUS_NOT_SUPPORTED; /* for the whole transport (4.5, precedence 1) */
    bool connection = changes_connection(a, &change);
    if (connection) {
        if (a->pending != NULL)
            return NDIS_STATUS_NOT_ACCEPTED;
        a->phase_before = a->pause.phase;
        (void)flue_ndis_pause(a);
        if (!ndis_pause_quiet(&a->pause)) {
            (void)flue_ndis_upload_all(a);
            a->change = change;
            return ndis_wait(a, request);
        }
    }
    status = ndis_change_apply(a, &change);
    if (status == NDIS_STATUS_SUCCESS)
        ndis_indicate_config(a);
    if (connection)
        ndis_phase_back(a);
    return status;
}

/* ---- encapsulation ----------------------------------------------------------------------------------------------- */

/* One IP version of the request. */
static NDIS_STATUS family_check(const struct flue_ndis_admin *a, enum ndis_family family, uint32_t enabled, uint32_t type,
                                uint32_t header_bytes)
{
    if (enabled > NDIS_OFFLOAD_SET_OFF)
        return NDIS_STATUS_INVALID_DATA;
    if (enabled != NDIS_OFFLOAD_SET_ON)
        return type == 0 && header_bytes == 0 ? NDIS_STATUS_SUCCESS : NDIS_STATUS_INVALID_DATA;
    if (type != NDIS_ENCAPSULATION_IEEE_802_3 || !ndis_offload_any(&a->hardware, family))
        return NDIS_STATUS_INVALID_PARAMETER;
    return header_bytes >= 14 && header_bytes <= 22 ? NDIS_STATUS_SUCCESS : NDIS_STATUS_INVALID_DATA;
}

NDIS_STATUS ndis_encapsulation_set(struct flue_ndis_admin *a, struct flue_ndis_request *request)
{
    static const uint16_t need[] = {NDIS_SIZEOF_OFFLOAD_ENCAPSULATION_REVISION_1};
    NDIS_OFFLOAD_ENCAPSULATION e;
    uint32_t known = 0;
    NDIS_STATUS status = ndis_header_check(request->buffer, request->length, NDIS_OBJECT_TYPE_OFFLOAD_ENCAPSULATION, need, 1,
                                           &known, &request->bytes_needed);

    if (status != NDIS_STATUS_SUCCESS)
        return status;
    memcpy(&e, request->buffer, known);
    request->bytes_read = known;
    if (a->keywords.value[FLUE_KW_DISABLE_TASK_OFFLOAD] != 0 ||
        (!ndis_offload_any(&a->hardware, NDIS_IPV4) && !ndis_offload_any(&a->hardware, NDIS_IPV6)))
        return NDIS_STATUS_NOT_SUPPORTED;
    status = family_check(a, NDIS_IPV4, e.IPv4.Enabled, e.IPv4.EncapsulationType, e.IPv4.HeaderSize);
    if (status == NDIS_STATUS_SUCCESS)
        status = family_check(a, NDIS_IPV6, e.IPv6.Enabled, e.IPv6.EncapsulationType, e.IPv6.HeaderSize);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    a->applying = true;
    enum flue_err err = a->task.encap(a->task.ctx, (enum flue_encap)e.IPv4.Enabled, (enum flue_encap)e.IPv6.Enabled);
    a->applying = false;
    if (err != FLUE_OK)
        return ndis_status_of(err);
    if (e.IPv4.Enabled != NDIS_OFFLOAD_SET_NO_CHANGE)
        a->encap[NDIS_IPV4] = (uint8_t)e.IPv4.Enabled;
    if (e.IPv6.Enabled != NDIS_OFFLOAD_SET_NO_CHANGE)
        a->encap[NDIS_IPV6] = (uint8_t)e.IPv6.Enabled;
    a->encapsulation = e;
    a->encapsulation_was_set = true;
    ndis_indicate_config(a);
    return NDIS_STATUS_SUCCESS;
}
