/*
 * Connection offload (TCP chimney): block lists, state structures, codes.  Published names, values and layouts
 * (chimney.md section 1); the entry points are typed in flue/ndis/handlers.h.
 *
 * A tree is made of block lists.  The state structures of a node, if any, follow its block list in memory, one behind the
 * other; each says its own length, and on 64-bit hosts one of them may lie on a 4-byte boundary: walk by Header.Length and
 * copy, never dereference in place (flue_ndis_state_first(), flue_ndis_state_next()).
 */
#ifndef FLUE_NDIS_TYPES_H
#define FLUE_NDIS_TYPES_H

#include "flue/ndis/nbl.h"
#include "flue/ndis/object.h"
#include "flue/ndis/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- tree nodes (1.2, 1.3) --------------------------------------------------------------------------------------- */

/* Header.Type of a block list: the layer, the IP version, and which state structures follow. */
typedef enum OFFLOAD_STATE_TYPE {
    NeighborOffloadConstState = 1,
    NeighborOffloadCachedState = 2,
    NeighborOffloadDelegatedState = 3,
    NeighborOffloadState = 4, /* CONST, CACHED, DELEGATED, here and in 8, 12, 17 */
    Ip4OffloadConstState = 5,
    Ip4OffloadCachedState = 6,
    Ip4OffloadDelegatedState = 7,
    Ip4OffloadState = 8,
    Ip6OffloadConstState = 9,
    Ip6OffloadCachedState = 10,
    Ip6OffloadDelegatedState = 11,
    Ip6OffloadState = 12,
    TcpOffloadConstState = 13,
    TcpOffloadCachedState = 14,
    TcpOffloadDelegatedState = 15,
    TcpOffloadResourceState = 16, /* never used */
    TcpOffloadState = 17,
    FilterReservedOffloadState = 0xFE,
    MaximumOffloadState = 0xFF
} OFFLOAD_STATE_TYPE;

/* The host keeps one of these for every object; its address is the object's NdisOffloadHandle. */
typedef struct NDIS_OFFLOAD_HANDLE {
    void *NdisReserved[1];
    void *MiniportOffloadContext; /* the cell that takes the target's context value */
} NDIS_OFFLOAD_HANDLE, *PNDIS_OFFLOAD_HANDLE;

/* A node as the target sees it. */
typedef struct NDIS_MINIPORT_OFFLOAD_BLOCK_LIST {
    NDIS_OBJECT_HEADER Header;                                   /* Type: OFFLOAD_STATE_TYPE; Size: of this structure alone */
    struct NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *NextBlock;          /* sibling, same layer */
    struct NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *DependentBlockList; /* first child, one layer up */
    NDIS_STATUS Status;                                          /* written by the target on every node before completion */
    void *NdisReserved[2];                                       /* not to be touched */
    void **MiniportOffloadContext;       /* null: placeholder; cell null: new; else a reference to state held */
    NDIS_HANDLE NdisOffloadHandle;       /* opaque; given back in indications */
    void *ProtocolReserved[2];           /* not to be touched */
    void *MiniportReserved[2];           /* the target's */
    void *ImReserved[2];                 /* not to be touched */
    void *Scratch[2];                    /* of whoever owns the node now */
    void *SourceHandle;                  /* not to be touched */
    NDIS_PORT_NUMBER PortNumber;         /* 0: the default port */
    NET_BUFFER_LIST *NetBufferListChain; /* TCP: outstanding send data, at initiate and terminate */
} NDIS_MINIPORT_OFFLOAD_BLOCK_LIST, *PNDIS_MINIPORT_OFFLOAD_BLOCK_LIST;

/* The same node as the host sees it: equal from ProtocolReserved on. */
typedef struct NDIS_PROTOCOL_OFFLOAD_BLOCK_LIST {
    NDIS_OBJECT_HEADER Header;
    struct NDIS_PROTOCOL_OFFLOAD_BLOCK_LIST *NextBlock;
    struct NDIS_PROTOCOL_OFFLOAD_BLOCK_LIST *DependentBlockList;
    NDIS_STATUS Status;
    void *NdisReserved[3];
    NDIS_OFFLOAD_HANDLE *OffloadHandle;
    void *ProtocolReserved[2];
    void *MiniportReserved[2];
    void *ImReserved[2];
    void *Scratch[2];
    void *SourceHandle;
    NDIS_PORT_NUMBER PortNumber;
    NET_BUFFER_LIST *NetBufferListChain;
} NDIS_PROTOCOL_OFFLOAD_BLOCK_LIST, *PNDIS_PROTOCOL_OFFLOAD_BLOCK_LIST;

#define FLUE_NDIS_BLOCK_LIST_REVISION 1 /* none is published (chimney.md X-01): written, never checked */

/* ---- state (1.4 to 1.7) ------------------------------------------------------------------------------------------ */

typedef struct OFFLOAD_STATE_HEADER {
    uint32_t Length; /* bytes of the state structure, this header included */
    uint32_t RecognizedOptions;
} OFFLOAD_STATE_HEADER, *POFFLOAD_STATE_HEADER;

typedef struct NEIGHBOR_OFFLOAD_STATE_CONST {
    OFFLOAD_STATE_HEADER Header;
    uint8_t DlSourceAddress[32]; /* zero: the interface's own; Ethernet uses the first 6 */
    uint32_t VlanId : 12;        /* 0: no VLAN */
    uint32_t : 20;
} NEIGHBOR_OFFLOAD_STATE_CONST, *PNEIGHBOR_OFFLOAD_STATE_CONST;

typedef struct NEIGHBOR_OFFLOAD_STATE_CACHED {
    OFFLOAD_STATE_HEADER Header;
    uint8_t DlDestinationAddress[32];
    uint32_t HostReachabilityDelta; /* ticks since the host last knew it reachable */
} NEIGHBOR_OFFLOAD_STATE_CACHED, *PNEIGHBOR_OFFLOAD_STATE_CACHED;

typedef struct NEIGHBOR_OFFLOAD_STATE_DELEGATED {
    OFFLOAD_STATE_HEADER Header;
    uint32_t NicReachabilityDelta; /* ticks since the target last knew it reachable */
} NEIGHBOR_OFFLOAD_STATE_DELEGATED, *PNEIGHBOR_OFFLOAD_STATE_DELEGATED;

typedef struct PATH_OFFLOAD_STATE_CONST {
    OFFLOAD_STATE_HEADER Header;
    const uint8_t *SourceAddress;      /* network order, 4 or 16 bytes by the node's type */
    const uint8_t *DestinationAddress; /* likewise; good only as long as the tree is */
} PATH_OFFLOAD_STATE_CONST, *PPATH_OFFLOAD_STATE_CONST;

typedef struct PATH_OFFLOAD_STATE_CACHED {
    OFFLOAD_STATE_HEADER Header;
    uint32_t PathMtu; /* bytes, IP header included */
} PATH_OFFLOAD_STATE_CACHED, *PPATH_OFFLOAD_STATE_CACHED;

typedef struct PATH_OFFLOAD_STATE_DELEGATED {
    OFFLOAD_STATE_HEADER Header;
} PATH_OFFLOAD_STATE_DELEGATED, *PPATH_OFFLOAD_STATE_DELEGATED;

/* Flags of TCP CONST state. */
#define TCP_FLAG_TIMESTAMP_ENABLED      0x0001
#define TCP_FLAG_SACK_ENABLED           0x0002
#define TCP_FLAG_WINDOW_SCALING_ENABLED 0x0004

typedef struct TCP_OFFLOAD_STATE_CONST {
    OFFLOAD_STATE_HEADER Header;
    uint16_t Flags;
    uint16_t RemotePort; /* network order, as LocalPort (not published; chimney.md 6.6, item 4) */
    uint16_t LocalPort;
    uint8_t SndWindScale : 4; /* shift for windows the peer advertises */
    uint8_t RcvWindScale : 4; /* shift for windows we advertise */
    uint16_t RemoteMss;
    uint32_t HashValue;
} TCP_OFFLOAD_STATE_CONST, *PTCP_OFFLOAD_STATE_CONST;

/* Flags of TCP CACHED state: two levels, three commands. */
#define TCP_FLAG_KEEP_ALIVE_ENABLED 0x0001
#define TCP_FLAG_NAGLING_ENABLED    0x0002
#define TCP_FLAG_KEEP_ALIVE_RESTART 0x0004
#define TCP_FLAG_MAX_RT_RESTART     0x0008
#define TCP_FLAG_UPDATE_RCV_WND     0x0010

typedef struct TCP_OFFLOAD_STATE_CACHED {
    OFFLOAD_STATE_HEADER Header;
    uint16_t Flags;
    uint32_t InitialRcvWnd;     /* bytes */
    uint32_t RcvIndicationSize; /* bytes; 0: no preference */
    uint8_t KaProbeCount;
    uint32_t KaTimeout;  /* ticks */
    uint32_t KaInterval; /* ticks */
    uint32_t MaxRT;      /* ticks; 0: count retransmissions instead; 0xFFFFFFFF: for ever */
    uint32_t FlowLabel : 20;
    uint32_t : 12; /* the Windows ABI fills the unit; System V would put the next byte here */
    uint8_t TtlOrHopLimit;
    uint8_t TosOrTrafficClass;
    uint8_t UserPriority : 3;
    uint8_t : 5;
} TCP_OFFLOAD_STATE_CACHED, *PTCP_OFFLOAD_STATE_CACHED;

typedef enum TCP_OFFLOAD_CONNECTION_STATE {
    TcpConnectionClosed = 0,
    TcpConnectionListen = 1,
    TcpConnectionSynSent = 2,
    TcpConnectionSynRcvd = 3,
    TcpConnectionEstablished = 4, /* 4 to 9 may be offloaded */
    TcpConnectionFinWait1 = 5,
    TcpConnectionFinWait2 = 6,
    TcpConnectionCloseWait = 7,
    TcpConnectionClosing = 8,
    TcpConnectionLastAck = 9,
    TcpConnectionTimeWait = 10,
    TcpConnectionMaxState = 11
} TCP_OFFLOAD_CONNECTION_STATE;

#define FLUE_NDIS_NONE 0xFFFFFFFFu /* in tick and size fields: timer not running, feature not supported */

typedef struct TCP_OFFLOAD_STATE_DELEGATED {
    OFFLOAD_STATE_HEADER Header;
    TCP_OFFLOAD_CONNECTION_STATE State;
    uint16_t Flags; /* the system's: given back as received */
    uint32_t RcvNxt;
    uint32_t RcvWnd; /* bytes, unscaled */
    uint32_t SndUna;
    uint32_t SndNxt;
    uint32_t SndMax;
    uint32_t SndWnd; /* bytes, unscaled */
    uint32_t MaxSndWnd;
    uint32_t SendWL1;
    uint32_t CWnd;
    uint32_t SsThresh;
    uint16_t SRtt;   /* 8 x ticks */
    uint16_t RttVar; /* 4 x ticks */
    uint32_t TsRecent;
    uint32_t TsRecentAge; /* ticks */
    uint32_t TsTime;      /* our timestamp clock at hand-over */
    uint32_t TotalRT;     /* ticks */
    uint8_t DupAckCount;
    uint8_t SndWndProbeCount;
    struct {
        uint8_t ProbeCount;
        uint32_t TimeoutDelta; /* ticks left; FLUE_NDIS_NONE: not running; 0: at once */
    } KeepAlive;
    struct {
        uint8_t Count;
        uint32_t TimeoutDelta; /* likewise */
    } Retransmit;
    union {
        struct {
            NET_BUFFER_LIST *SendDataHead; /* initiate and terminate */
            NET_BUFFER_LIST *SendDataTail;
        };
        uint32_t SendBacklogSize; /* query */
    };
    union {
        NET_BUFFER_LIST *BufferedData; /* initiate and terminate */
        uint32_t ReceiveBacklogSize;   /* query */
    };
    uint32_t DWnd; /* NDIS 6.1; there only when Header.Length covers it */
} TCP_OFFLOAD_STATE_DELEGATED, *PTCP_OFFLOAD_STATE_DELEGATED;

/* Length of the delegated state without DWnd, and with it (1.7.3). */
#define FLUE_NDIS_TCP_DELEGATED_LENGTH_60 ((uint32_t)offsetof(TCP_OFFLOAD_STATE_DELEGATED, DWnd))
#define FLUE_NDIS_TCP_DELEGATED_LENGTH_61 ((uint32_t)sizeof(TCP_OFFLOAD_STATE_DELEGATED))

/* ---- walking state ----------------------------------------------------------------------------------------------- */

/* The first state structure behind a block list: may be on a 4-byte boundary. */
static inline void *flue_ndis_state_first(const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node)
{
    return (void *)(uintptr_t)(node + 1);
}

/* Length of a state structure, read byte by byte. */
static inline uint32_t flue_ndis_state_length(const void *state)
{
    uint32_t length;
    __builtin_memcpy(&length, state, sizeof length);
    return length;
}

/* The state structure behind this one. */
static inline void *flue_ndis_state_next(const void *state)
{
    return (uint8_t *)(uintptr_t)state + flue_ndis_state_length(state);
}

/*
 * Copy a state structure into a record of ours: as much as both have, the rest zero; len_bytes is the record's size.
 * Returns false and touches nothing when the structure is shorter than need_bytes (its own oldest length).
 */
static inline int flue_ndis_state_copy(void *record, size_t len_bytes, const void *state, size_t need_bytes)
{
    uint32_t length = flue_ndis_state_length(state);

    if (length < need_bytes)
        return 0;
    __builtin_memset(record, 0, len_bytes);
    __builtin_memcpy(record, state, length < len_bytes ? length : len_bytes);
    return 1;
}

/* ---- events (1.9) ------------------------------------------------------------------------------------------------ */

typedef enum TCP_OFFLOAD_EVENT_TYPE {
    TcpIndicateSendBacklogChange = 1,
    TcpIndicateDisconnect = 2,
    TcpIndicateRetrieve = 3, /* with a TCP_UPLOAD_REASON */
    TcpIndicateAbort = 4
} TCP_OFFLOAD_EVENT_TYPE;

typedef enum TCP_UPLOAD_REASON {
    LowActivity = 1,
    HighDropRate = 2,
    SmallIO = 3,
    NoBufferPreposting = 4,
    NoBufferProposting = 4, /* older spelling */
    ReceivedUrgentData = 5,
    HighFragmentation = 6,
    HighOutOfOrderPackets = 7,
    TimeoutExpiration = 8,
    InvalidState = 9,
    UploadRequested = 10,
    HardwareFailure = 11,
    MaxUploadReason = 12
} TCP_UPLOAD_REASON;

typedef enum INDICATE_OFFLOAD_EVENT {
    NeighborReachabilityInDoubt = 1, /* reserved */
    NeighborReachabilityQuery = 2,
    MaxOffloadEvent = 3
} INDICATE_OFFLOAD_EVENT;

#define TCP_DISCONNECT_GRACEFUL_CLOSE 0x00000001
#define TCP_DISCONNECT_ABORTIVE_CLOSE 0x00000002

typedef enum NDIS_CHIMNEY_OFFLOAD_TYPE {
    NdisTcpChimneyOffload = 1,
    NdisIpsecChimneyOffload = 2, /* reserved */
    NdisRdmaChimneyOffload = 3,  /* reserved */
    NdisMaxChimneyOffload = 4
} NDIS_CHIMNEY_OFFLOAD_TYPE;

/* Published name of a value, "NeighborOffloadState"; "?" for an unknown one.  Static storage. */
const char *flue_ndis_state_type_name(unsigned type);
const char *flue_ndis_connection_state_name(unsigned state);
const char *flue_ndis_event_name(unsigned event);
const char *flue_ndis_upload_reason_name(unsigned reason);

#ifdef __cplusplus
}
#endif
#endif
