/* Published names of statuses, OIDs and enumeration values. */
#include <string.h>
#include "flue/ndis/oid.h"
#include "flue/ndis/types.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct name {
    uint32_t value;
    const char *name;
};

#define NAME(value)                                                                                                            \
    {                                                                                                                          \
        (uint32_t)(value), #value                                                                                              \
    }

static const char *find(const struct name *names, size_t count, uint32_t value, const char *otherwise)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].value == value)
            return names[i].name;
    return otherwise;
}

const char *flue_ndis_status_name(NDIS_STATUS status)
{
    static const struct name names[] = {
        NAME(NDIS_STATUS_SUCCESS),
        NAME(NDIS_STATUS_PENDING),
        NAME(NDIS_STATUS_NOT_ACCEPTED),
        NAME(NDIS_STATUS_BUFFER_OVERFLOW),
        NAME(NDIS_STATUS_FAILURE),
        NAME(NDIS_STATUS_INVALID_PARAMETER),
        NAME(NDIS_STATUS_RESOURCES),
        NAME(NDIS_STATUS_NOT_SUPPORTED),
        NAME(NDIS_STATUS_INVALID_STATE),
        NAME(NDIS_STATUS_BAD_VERSION),
        NAME(NDIS_STATUS_REQUEST_ABORTED),
        NAME(NDIS_STATUS_RESET_IN_PROGRESS),
        NAME(NDIS_STATUS_INVALID_PACKET),
        NAME(NDIS_STATUS_INVALID_LENGTH),
        NAME(NDIS_STATUS_INVALID_DATA),
        NAME(NDIS_STATUS_BUFFER_TOO_SHORT),
        NAME(NDIS_STATUS_INVALID_OID),
        NAME(NDIS_STATUS_SEND_ABORTED),
        NAME(NDIS_STATUS_PAUSED),
        NAME(NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS),
        NAME(NDIS_STATUS_OFFLOAD_STATE_INVALID),
        NAME(NDIS_STATUS_UPLOAD_IN_PROGRESS),
        NAME(NDIS_STATUS_REQUEST_UPLOAD),
        NAME(NDIS_STATUS_UPLOAD_REQUESTED),
        NAME(NDIS_STATUS_OFFLOAD_TCP_ENTRIES),
        NAME(NDIS_STATUS_OFFLOAD_PATH_ENTRIES),
        NAME(NDIS_STATUS_OFFLOAD_NEIGHBOR_ENTRIES),
        NAME(NDIS_STATUS_OFFLOAD_IP_ADDRESS_ENTRIES),
        NAME(NDIS_STATUS_OFFLOAD_HW_ADDRESS_ENTRIES),
        NAME(NDIS_STATUS_OFFLOAD_VLAN_ENTRIES),
        NAME(NDIS_STATUS_OFFLOAD_TCP_XMIT_BUFFER),
        NAME(NDIS_STATUS_OFFLOAD_TCP_RCV_BUFFER),
        NAME(NDIS_STATUS_OFFLOAD_TCP_RCV_WINDOW),
        NAME(NDIS_STATUS_OFFLOAD_VLAN_MISMATCH),
        NAME(NDIS_STATUS_OFFLOAD_DATA_NOT_ACCEPTED),
        NAME(NDIS_STATUS_OFFLOAD_POLICY),
        NAME(NDIS_STATUS_OFFLOAD_DATA_PARTIALLY_ACCEPTED),
        NAME(NDIS_STATUS_OFFLOAD_REQUEST_RESET),
        NAME(NDIS_STATUS_OFFLOAD_CONNECTION_REJECTED),
        NAME(NDIS_STATUS_OFFLOAD_PATH_MTU),
        NAME(NDIS_STATUS_OFFLOAD_PAUSE),
        NAME(NDIS_STATUS_UPLOAD_ALL),
        NAME(NDIS_STATUS_OFFLOAD_RESUME),
        NAME(NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG),
        NAME(NDIS_STATUS_TASK_OFFLOAD_HARDWARE_CAPABILITIES),
        NAME(NDIS_STATUS_OFFLOAD_ENCASPULATION_CHANGE),
        NAME(NDIS_STATUS_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES),
        NAME(NDIS_STATUS_TIMESTAMP_CAPABILITY),
        NAME(NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG),
    };
    return find(names, COUNT(names), (uint32_t)status, "NDIS_STATUS_?");
}

static const struct name oids[] = {
    NAME(OID_TCP_OFFLOAD_CURRENT_CONFIG),
    NAME(OID_TCP_OFFLOAD_PARAMETERS),
    NAME(OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES),
    NAME(OID_TCP_CONNECTION_OFFLOAD_CURRENT_CONFIG),
    NAME(OID_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES),
    NAME(OID_TCP_CONNECTION_OFFLOAD_PARAMETERS),
    NAME(OID_OFFLOAD_ENCAPSULATION),
    NAME(OID_TCP4_OFFLOAD_STATS),
    NAME(OID_TCP6_OFFLOAD_STATS),
    NAME(OID_IP4_OFFLOAD_STATS),
    NAME(OID_IP6_OFFLOAD_STATS),
    NAME(OID_PNP_SET_POWER),
    NAME(OID_TCP_TASK_OFFLOAD),
    NAME(OID_TCP_TASK_IPSEC_ADD_SA),
    NAME(OID_TCP_TASK_IPSEC_DELETE_SA),
    NAME(OID_TCP_SAN_SUPPORT),
    NAME(OID_TCP_TASK_IPSEC_ADD_UDPESP_SA),
    NAME(OID_TCP_TASK_IPSEC_DELETE_UDPESP_SA),
    NAME(OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA),
    NAME(OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA),
    NAME(OID_TCP_TASK_IPSEC_OFFLOAD_V2_UPDATE_SA),
    NAME(OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA_EX),
    NAME(OID_TCP_RSC_STATISTICS),
    NAME(OID_GEN_RECEIVE_SCALE_PARAMETERS),
    NAME(OID_GEN_VLAN_ID),
    NAME(OID_TIMESTAMP_CAPABILITY),
    NAME(OID_TIMESTAMP_CURRENT_CONFIG),
};

const char *flue_ndis_oid_name(NDIS_OID oid)
{
    return find(oids, COUNT(oids), oid, NULL);
}

bool flue_ndis_oid_find(const char *name, NDIS_OID *oid)
{
    for (size_t i = 0; i < COUNT(oids); i++)
        if (strcmp(oids[i].name, name) == 0) {
            *oid = oids[i].value;
            return true;
        }
    return false;
}

const char *flue_ndis_state_type_name(unsigned type)
{
    static const struct name names[] = {
        NAME(NeighborOffloadConstState),
        NAME(NeighborOffloadCachedState),
        NAME(NeighborOffloadDelegatedState),
        NAME(NeighborOffloadState),
        NAME(Ip4OffloadConstState),
        NAME(Ip4OffloadCachedState),
        NAME(Ip4OffloadDelegatedState),
        NAME(Ip4OffloadState),
        NAME(Ip6OffloadConstState),
        NAME(Ip6OffloadCachedState),
        NAME(Ip6OffloadDelegatedState),
        NAME(Ip6OffloadState),
        NAME(TcpOffloadConstState),
        NAME(TcpOffloadCachedState),
        NAME(TcpOffloadDelegatedState),
        NAME(TcpOffloadResourceState),
        NAME(TcpOffloadState),
        NAME(FilterReservedOffloadState),
    };
    return find(names, COUNT(names), type, "?");
}

const char *flue_ndis_connection_state_name(unsigned state)
{
    static const struct name names[] = {
        NAME(TcpConnectionClosed),      NAME(TcpConnectionListen),   NAME(TcpConnectionSynSent),  NAME(TcpConnectionSynRcvd),
        NAME(TcpConnectionEstablished), NAME(TcpConnectionFinWait1), NAME(TcpConnectionFinWait2), NAME(TcpConnectionCloseWait),
        NAME(TcpConnectionClosing),     NAME(TcpConnectionLastAck),  NAME(TcpConnectionTimeWait),
    };
    return find(names, COUNT(names), state, "?");
}

const char *flue_ndis_event_name(unsigned event)
{
    static const struct name names[] = {
        NAME(TcpIndicateSendBacklogChange),
        NAME(TcpIndicateDisconnect),
        NAME(TcpIndicateRetrieve),
        NAME(TcpIndicateAbort),
    };
    return find(names, COUNT(names), event, "?");
}

const char *flue_ndis_upload_reason_name(unsigned reason)
{
    static const struct name names[] = {
        NAME(LowActivity),           NAME(HighDropRate),       NAME(SmallIO),
        NAME(NoBufferPreposting),    NAME(ReceivedUrgentData), NAME(HighFragmentation),
        NAME(HighOutOfOrderPackets), NAME(TimeoutExpiration),  NAME(InvalidState),
        NAME(UploadRequested),       NAME(HardwareFailure),
    };
    return find(names, COUNT(names), reason, "?");
}
