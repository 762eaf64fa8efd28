/*
 * Capabilities, configuration, parameters and statistics of offload: NDIS_OFFLOAD and its kin (task-offload.md sections 1
 * and 4, chimney.md 1.10 and 1.11).  Published names, values and layouts.
 *
 * Two-bit fields of NDIS_OFFLOAD are written 0 or 1; on reading, 1 is on and everything else off (TO-009).
 */
#ifndef FLUE_NDIS_OFFLOAD_H
#define FLUE_NDIS_OFFLOAD_H

#include "flue/ndis/object.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NDIS_OFFLOAD_NOT_SUPPORTED 0
#define NDIS_OFFLOAD_SUPPORTED     1

#define NDIS_OFFLOAD_SET_NO_CHANGE 0
#define NDIS_OFFLOAD_SET_ON        1
#define NDIS_OFFLOAD_SET_OFF       2

/* Framings an offload works with. */
#define NDIS_ENCAPSULATION_NOT_SUPPORTED             0x00000000u
#define NDIS_ENCAPSULATION_NULL                      0x00000001u
#define NDIS_ENCAPSULATION_IEEE_802_3                0x00000002u
#define NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q        0x00000004u /* tag in the frame */
#define NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB 0x00000008u /* tag out of band */
#define NDIS_ENCAPSULATION_IEEE_LLC_SNAP_ROUTED      0x00000010u

/* ---- members of NDIS_OFFLOAD ------------------------------------------------------------------------------------- */

typedef struct NDIS_TCP_IP_CHECKSUM_OFFLOAD {
    struct {
        uint32_t Encapsulation;
        uint32_t IpOptionsSupported : 2;
        uint32_t TcpOptionsSupported : 2;
        uint32_t TcpChecksum : 2;
        uint32_t UdpChecksum : 2;
        uint32_t IpChecksum : 2;
        uint32_t : 22;
    } IPv4Transmit, IPv4Receive;
    struct {
        uint32_t Encapsulation;
        uint32_t IpExtensionHeadersSupported : 2;
        uint32_t TcpOptionsSupported : 2;
        uint32_t TcpChecksum : 2;
        uint32_t UdpChecksum : 2;
        uint32_t : 24;
    } IPv6Transmit, IPv6Receive;
} NDIS_TCP_IP_CHECKSUM_OFFLOAD, *PNDIS_TCP_IP_CHECKSUM_OFFLOAD;

typedef struct NDIS_TCP_LARGE_SEND_OFFLOAD_V1 {
    struct {
        uint32_t Encapsulation;
        uint32_t MaxOffLoadSize; /* bytes of TCP payload, at most 65,536 */
        uint32_t MinSegmentCount;
        uint32_t TcpOptions : 2;
        uint32_t IpOptions : 2;
        uint32_t : 28;
    } IPv4;
} NDIS_TCP_LARGE_SEND_OFFLOAD_V1, *PNDIS_TCP_LARGE_SEND_OFFLOAD_V1;

typedef struct NDIS_TCP_LARGE_SEND_OFFLOAD_V2 {
    struct {
        uint32_t Encapsulation;
        uint32_t MaxOffLoadSize; /* bytes of TCP payload */
        uint32_t MinSegmentCount;
    } IPv4;
    struct {
        uint32_t Encapsulation;
        uint32_t MaxOffLoadSize;
        uint32_t MinSegmentCount;
        uint32_t IpExtensionHeadersSupported : 2;
        uint32_t TcpOptionsSupported : 2;
        uint32_t : 28;
    } IPv6;
} NDIS_TCP_LARGE_SEND_OFFLOAD_V2, *PNDIS_TCP_LARGE_SEND_OFFLOAD_V2;

typedef struct NDIS_UDP_SEGMENTATION_OFFLOAD {
    struct {
        uint32_t Encapsulation;
        uint32_t MaxOffLoadSize;
        uint32_t MinSegmentCount : 6;
        uint32_t SubMssFinalSegmentSupported : 1;
        uint32_t Reserved : 25;
    } IPv4;
    struct {
        uint32_t Encapsulation;
        uint32_t MaxOffLoadSize;
        uint32_t MinSegmentCount : 6;
        uint32_t SubMssFinalSegmentSupported : 1;
        uint32_t Reserved1 : 25;
        uint32_t IpExtensionHeadersSupported : 2;
        uint32_t Reserved2 : 30;
    } IPv6;
} NDIS_UDP_SEGMENTATION_OFFLOAD, *PNDIS_UDP_SEGMENTATION_OFFLOAD;

typedef struct NDIS_TCP_RECV_SEG_COALESCE_OFFLOAD {
    struct {
        uint8_t Enabled;
    } IPv4, IPv6;
} NDIS_TCP_RECV_SEG_COALESCE_OFFLOAD, *PNDIS_TCP_RECV_SEG_COALESCE_OFFLOAD;

typedef struct NDIS_UDP_RSC_OFFLOAD {
    uint8_t Enabled; /* both IP versions */
} NDIS_UDP_RSC_OFFLOAD, *PNDIS_UDP_RSC_OFFLOAD;

/* Masks inside the 4-bit fields below. */
#define NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_NOT_SUPPORTED 0x00000000u
#define NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_INNER_IPV4    0x00000001u
#define NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_OUTER_IPV4    0x00000002u
#define NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_INNER_IPV6    0x00000004u
#define NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_OUTER_IPV6    0x00000008u

typedef struct NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD {
    uint32_t TransmitChecksumOffloadSupported : 4;
    uint32_t ReceiveChecksumOffloadSupported : 4;
    uint32_t LsoV2Supported : 4;
    uint32_t RssSupported : 4;
    uint32_t VmqSupported : 4;
    uint32_t UsoSupported : 4;
    uint32_t Reserved : 8;
    uint32_t MaxHeaderSizeSupported; /* bytes from packet start through the inner TCP or UDP header */
} NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD, *PNDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD;

typedef struct NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_V2 {
    uint32_t TransmitChecksumOffloadSupported : 4;
    uint32_t ReceiveChecksumOffloadSupported : 4;
    uint32_t LsoV2Supported : 4;
    uint32_t RssSupported : 4;
    uint32_t VmqSupported : 4;
    uint32_t UsoSupported : 4;
    uint32_t Reserved : 8;
    uint32_t MaxHeaderSizeSupported;
    union {
        struct {
            uint32_t VxlanUDPPortNumber : 16;
            uint32_t VxlanUDPPortNumberConfigurable : 1;
            uint32_t : 15;
        } VxlanInfo;
        uint32_t Value;
    } EncapsulationProtocolInfo;
    uint32_t Reserved1;
    uint32_t Reserved2;
} NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_V2, *PNDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_V2;

#define NDIS_ENCAPSULATION_TYPE_GRE_MAC                0x00000001u /* NVGRE */
#define NDIS_ENCAPSULATION_TYPE_VXLAN                  0x00000002u

#define IPSEC_TPT_UDPESP_ENCAPTYPE_IKE                 0x00000001u /* the four of IKE: reserved, never set */
#define IPSEC_TUN_UDPESP_ENCAPTYPE_IKE                 0x00000002u
#define IPSEC_TPTOVERTUN_UDPESP_ENCAPTYPE_IKE          0x00000004u
#define IPSEC_TPT_UDPESP_OVER_PURE_TUN_ENCAPTYPE_IKE   0x00000008u
#define IPSEC_TPT_UDPESP_ENCAPTYPE_OTHER               0x00000010u
#define IPSEC_TUN_UDPESP_ENCAPTYPE_OTHER               0x00000020u
#define IPSEC_TPTOVERTUN_UDPESP_ENCAPTYPE_OTHER        0x00000040u
#define IPSEC_TPT_UDPESP_OVER_PURE_TUN_ENCAPTYPE_OTHER 0x00000080u

typedef struct NDIS_IPSEC_OFFLOAD_V1 {
    struct {
        uint32_t Encapsulation;
        uint32_t AhEspCombined;
        uint32_t TransportTunnelCombined;
        uint32_t IPv4Options;
        uint32_t Flags;
    } Supported;
    struct {
        uint32_t Md5 : 2;
        uint32_t Sha_1 : 2;
        uint32_t Transport : 2;
        uint32_t Tunnel : 2;
        uint32_t Send : 2;
        uint32_t Receive : 2;
        uint32_t : 20;
    } IPv4AH;
    struct {
        uint32_t Des : 2;
        uint32_t Reserved : 2;
        uint32_t TripleDes : 2;
        uint32_t NullEsp : 2;
        uint32_t Transport : 2;
        uint32_t Tunnel : 2;
        uint32_t Send : 2;
        uint32_t Receive : 2;
        uint32_t : 16;
    } IPv4ESP;
} NDIS_IPSEC_OFFLOAD_V1, *PNDIS_IPSEC_OFFLOAD_V1;

#define IPSEC_OFFLOAD_V2_AUTHENTICATION_MD5                          0x00000001u
#define IPSEC_OFFLOAD_V2_AUTHENTICATION_SHA_1                        0x00000002u
#define IPSEC_OFFLOAD_V2_AUTHENTICATION_SHA_256                      0x00000004u
#define IPSEC_OFFLOAD_V2_AUTHENTICATION_AES_GCM_128                  0x00000008u
#define IPSEC_OFFLOAD_V2_AUTHENTICATION_AES_GCM_192                  0x00000010u
#define IPSEC_OFFLOAD_V2_AUTHENTICATION_AES_GCM_256                  0x00000020u

#define IPSEC_OFFLOAD_V2_ENCRYPTION_NONE                             0x00000001u
#define IPSEC_OFFLOAD_V2_ENCRYPTION_DES_CBC                          0x00000002u
#define IPSEC_OFFLOAD_V2_ENCRYPTION_3_DES_CBC                        0x00000004u
#define IPSEC_OFFLOAD_V2_ENCRYPTION_AES_GCM_128                      0x00000008u
#define IPSEC_OFFLOAD_V2_ENCRYPTION_AES_GCM_192                      0x00000010u
#define IPSEC_OFFLOAD_V2_ENCRYPTION_AES_GCM_256                      0x00000020u
#define IPSEC_OFFLOAD_V2_ENCRYPTION_AES_CBC_128                      0x00000040u
#define IPSEC_OFFLOAD_V2_ENCRYPTION_AES_CBC_192                      0x00000080u
#define IPSEC_OFFLOAD_V2_ENCRYPTION_AES_CBC_256                      0x00000100u

#define IPSEC_OFFLOAD_V2_UDP_ESP_ENCAPSULATION_NONE                  0x00000000u
#define IPSEC_OFFLOAD_V2_UDP_ESP_ENCAPSULATION_TRANSPORT             0x00000001u
#define IPSEC_OFFLOAD_V2_UDP_ESP_ENCAPSULATION_TUNNEL                0x00000002u
#define IPSEC_OFFLOAD_V2_TRANSPORT_OVER_UDP_ESP_ENCAPSULATION_TUNNEL 0x00000004u
#define IPSEC_OFFLOAD_V2_UDP_ESP_ENCAPSULATION_TRANSPORT_OVER_TUNNEL 0x00000008u

typedef struct NDIS_IPSEC_OFFLOAD_V2 {
    uint32_t Encapsulation;
    uint8_t IPv6Supported;
    uint8_t IPv4Options;
    uint8_t IPv6NonIPsecExtensionHeaders;
    uint8_t Ah;
    uint8_t Esp;
    uint8_t AhEspCombined;
    uint8_t Transport;
    uint8_t Tunnel; /* set whenever anything here is */
    uint8_t TransportTunnelCombined;
    uint8_t LsoSupported;
    uint8_t ExtendedSequenceNumbers;
    uint32_t UdpEsp;
    uint32_t AuthenticationAlgorithms;
    uint32_t EncryptionAlgorithms;
    uint32_t SaOffloadCapacity; /* bundles */
} NDIS_IPSEC_OFFLOAD_V2, *PNDIS_IPSEC_OFFLOAD_V2;

typedef enum NDIS_RFC6877_464XLAT_OFFLOAD_OPTIONS {
    NDIS_RFC6877_464XLAT_OFFLOAD_NOT_SUPPORTED = 0,
    NDIS_RFC6877_464XLAT_OFFLOAD_DISABLED = 1,
    NDIS_RFC6877_464XLAT_OFFLOAD_ENABLED = 2,
    NDIS_RFC6877_464XLAT_OFFLOAD_ON_DEMAND = 3
} NDIS_RFC6877_464XLAT_OFFLOAD_OPTIONS;

typedef struct NDIS_RFC6877_464XLAT_OFFLOAD {
    NDIS_RFC6877_464XLAT_OFFLOAD_OPTIONS XlatOffload;
    uint32_t Flags;
} NDIS_RFC6877_464XLAT_OFFLOAD, *PNDIS_RFC6877_464XLAT_OFFLOAD;

/* ---- NDIS_OFFLOAD (type NDIS_OBJECT_TYPE_OFFLOAD) ----------------------------------------------------------------- */

#define NDIS_OFFLOAD_FLAGS_GROUP_CHECKSUM_CAPABILITIES 0x1u /* meaning not published: never set (TO-011) */
#define IPSEC_OFFLOAD_V2_AND_TCP_CHECKSUM_COEXISTENCE  0x2u
#define IPSEC_OFFLOAD_V2_AND_UDP_CHECKSUM_COEXISTENCE  0x4u

typedef struct NDIS_OFFLOAD {
    NDIS_OBJECT_HEADER Header;
    NDIS_TCP_IP_CHECKSUM_OFFLOAD Checksum;
    NDIS_TCP_LARGE_SEND_OFFLOAD_V1 LsoV1;
    NDIS_IPSEC_OFFLOAD_V1 IPsecV1;
    NDIS_TCP_LARGE_SEND_OFFLOAD_V2 LsoV2;
    uint32_t Flags;                /* revision 1 ends here */
    NDIS_IPSEC_OFFLOAD_V2 IPsecV2; /* 2 */
    NDIS_TCP_RECV_SEG_COALESCE_OFFLOAD Rsc;
    NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD EncapsulatedPacketTaskOffloadGre; /* 3 */
    NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_V2 EncapsulatedPacketTaskOffloadVxlan;
    uint8_t EncapsulationTypes;                    /* 4 */
    NDIS_RFC6877_464XLAT_OFFLOAD Rfc6877Xlat;      /* 5 */
    NDIS_UDP_SEGMENTATION_OFFLOAD UdpSegmentation; /* 6 and 7 */
    NDIS_UDP_RSC_OFFLOAD UdpRsc;                   /* 8 */
} NDIS_OFFLOAD, *PNDIS_OFFLOAD;

#define NDIS_OFFLOAD_REVISION_1             1
#define NDIS_OFFLOAD_REVISION_2             2
#define NDIS_OFFLOAD_REVISION_3             3
#define NDIS_OFFLOAD_REVISION_4             4
#define NDIS_OFFLOAD_REVISION_5             5
#define NDIS_OFFLOAD_REVISION_6             6
#define NDIS_OFFLOAD_REVISION_7             7
#define NDIS_OFFLOAD_REVISION_8             8 /* number inferred (task-offload.md 8.2) */

#define NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_1 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD, Flags)
#define NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_2 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD, IPsecV2)
#define NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_3 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD, EncapsulatedPacketTaskOffloadGre)
#define NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_4 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD, EncapsulationTypes)
#define NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_5 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD, Rfc6877Xlat)
#define NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_6 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD, UdpSegmentation)
#define NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_7 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD, UdpSegmentation)
#define NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_8 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD, UdpRsc)

/* ---- NDIS_OFFLOAD_PARAMETERS (type NDIS_OBJECT_TYPE_DEFAULT) ------------------------------------------------------ */

#define NDIS_OFFLOAD_PARAMETERS_NO_CHANGE 0

/* Checksums. */
#define NDIS_OFFLOAD_PARAMETERS_TX_RX_DISABLED         1
#define NDIS_OFFLOAD_PARAMETERS_TX_ENABLED_RX_DISABLED 2
#define NDIS_OFFLOAD_PARAMETERS_RX_ENABLED_TX_DISABLED 3
#define NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED          4

/* On and off: 2 is on here, unlike in the SET family. */
#define NDIS_OFFLOAD_PARAMETERS_LSOV1_DISABLED              1
#define NDIS_OFFLOAD_PARAMETERS_LSOV1_ENABLED               2
#define NDIS_OFFLOAD_PARAMETERS_LSOV2_DISABLED              1
#define NDIS_OFFLOAD_PARAMETERS_LSOV2_ENABLED               2
#define NDIS_OFFLOAD_PARAMETERS_RSC_DISABLED                1
#define NDIS_OFFLOAD_PARAMETERS_RSC_ENABLED                 2
#define NDIS_OFFLOAD_PARAMETERS_USO_DISABLED                1
#define NDIS_OFFLOAD_PARAMETERS_USO_ENABLED                 2
#define NDIS_OFFLOAD_PARAMETERS_UDP_RSC_DISABLED            1
#define NDIS_OFFLOAD_PARAMETERS_UDP_RSC_ENABLED             2
#define NDIS_OFFLOAD_PARAMETERS_CONNECTION_OFFLOAD_DISABLED 1
#define NDIS_OFFLOAD_PARAMETERS_CONNECTION_OFFLOAD_ENABLED  2

#define NDIS_OFFLOAD_PARAMETERS_IPSECV1_DISABLED            1
#define NDIS_OFFLOAD_PARAMETERS_IPSECV1_AH_ENABLED          2
#define NDIS_OFFLOAD_PARAMETERS_IPSECV1_ESP_ENABLED         3
#define NDIS_OFFLOAD_PARAMETERS_IPSECV1_AH_AND_ESP_ENABLED  4
#define NDIS_OFFLOAD_PARAMETERS_IPSECV2_DISABLED            1
#define NDIS_OFFLOAD_PARAMETERS_IPSECV2_AH_ENABLED          2
#define NDIS_OFFLOAD_PARAMETERS_IPSECV2_ESP_ENABLED         3
#define NDIS_OFFLOAD_PARAMETERS_IPSECV2_AH_AND_ESP_ENABLED  4

#define NDIS_OFFLOAD_PARAMETERS_SKIP_REGISTRY_UPDATE        0x00000001u /* Flags */

typedef struct NDIS_OFFLOAD_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    uint8_t IPv4Checksum;
    uint8_t TCPIPv4Checksum;
    uint8_t UDPIPv4Checksum;
    uint8_t TCPIPv6Checksum;
    uint8_t UDPIPv6Checksum;
    uint8_t LsoV1;
    uint8_t IPsecV1;
    uint8_t LsoV2IPv4;
    uint8_t LsoV2IPv6;
    uint8_t TcpConnectionIPv4;
    uint8_t TcpConnectionIPv6;
    uint32_t Flags; /* revision 1 ends here */
    uint8_t IPsecV2;
    uint8_t IPsecV2IPv4; /* 2 */
    struct {
        uint8_t RscIPv4;
        uint8_t RscIPv6;
    };
    struct {
        uint8_t EncapsulatedPacketTaskOffload; /* NDIS_OFFLOAD_SET_* */
        uint8_t EncapsulationTypes;            /* 3 */
    };
    union {
        struct {
            uint16_t VxlanUDPPortNumber; /* 0: keep the port */
        } VxlanParameters;
        uint32_t Value;
    } EncapsulationProtocolParameters; /* 4 */
    struct {
        uint8_t IPv4;
        uint8_t IPv6;
    } UdpSegmentation; /* 5 */
    struct {
        uint8_t Enabled;
    } UdpRsc; /* 6 */
} NDIS_OFFLOAD_PARAMETERS, *PNDIS_OFFLOAD_PARAMETERS;

#define NDIS_OFFLOAD_PARAMETERS_REVISION_1        1
#define NDIS_OFFLOAD_PARAMETERS_REVISION_2        2
#define NDIS_OFFLOAD_PARAMETERS_REVISION_3        3
#define NDIS_OFFLOAD_PARAMETERS_REVISION_4        4
#define NDIS_OFFLOAD_PARAMETERS_REVISION_5        5
#define NDIS_OFFLOAD_PARAMETERS_REVISION_6        6

#define NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_1 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD_PARAMETERS, Flags)
#define NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_2 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD_PARAMETERS, IPsecV2IPv4)
#define NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_3 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD_PARAMETERS, EncapsulationTypes)
#define NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_4                                                                              \
    FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD_PARAMETERS, EncapsulationProtocolParameters)
#define NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_5 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD_PARAMETERS, UdpSegmentation)
#define NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_6 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD_PARAMETERS, UdpRsc)

/* ---- NDIS_OFFLOAD_ENCAPSULATION (type NDIS_OBJECT_TYPE_OFFLOAD_ENCAPSULATION) ------------------------------------- */

typedef struct NDIS_OFFLOAD_ENCAPSULATION {
    NDIS_OBJECT_HEADER Header;
    struct {
        uint32_t Enabled;           /* NDIS_OFFLOAD_SET_* */
        uint32_t EncapsulationType; /* with SET_ON: IEEE_802_3 or LLC_SNAP_ROUTED; else 0 */
        uint32_t HeaderSize;        /* with SET_ON: bytes of the link header; else 0 */
    } IPv4, IPv6;
} NDIS_OFFLOAD_ENCAPSULATION, *PNDIS_OFFLOAD_ENCAPSULATION;

#define NDIS_OFFLOAD_ENCAPSULATION_REVISION_1        1
#define NDIS_SIZEOF_OFFLOAD_ENCAPSULATION_REVISION_1 FLUE_NDIS_SIZE_THROUGH(NDIS_OFFLOAD_ENCAPSULATION, IPv6)

/* ---- connection offload (type NDIS_OBJECT_TYPE_DEFAULT) ----------------------------------------------------------- */

typedef struct NDIS_TCP_CONNECTION_OFFLOAD {
    NDIS_OBJECT_HEADER Header;
    uint32_t Encapsulation;
    uint32_t SupportIPv4 : 2;
    uint32_t SupportIPv6 : 2;
    uint32_t SupportIPv6ExtensionHeaders : 2;
    uint32_t SupportSack : 2;
    uint32_t CongestionAlgorithm : 4; /* revision 2; reserved */
    uint32_t : 20;
    uint32_t TcpConnectionOffloadCapacity; /* both IP versions together */
    uint32_t Flags;                        /* reserved */
} NDIS_TCP_CONNECTION_OFFLOAD, *PNDIS_TCP_CONNECTION_OFFLOAD;

#define NDIS_TCP_CONNECTION_OFFLOAD_REVISION_1        1
#define NDIS_TCP_CONNECTION_OFFLOAD_REVISION_2        2
#define NDIS_SIZEOF_TCP_CONNECTION_OFFLOAD_REVISION_1 FLUE_NDIS_SIZE_THROUGH(NDIS_TCP_CONNECTION_OFFLOAD, Flags)
#define NDIS_SIZEOF_TCP_CONNECTION_OFFLOAD_REVISION_2 FLUE_NDIS_SIZE_THROUGH(NDIS_TCP_CONNECTION_OFFLOAD, Flags)

typedef struct NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    NDIS_OFFLOAD_ENCAPSULATION Encapsulation;
    uint32_t TicksPerSecond; /* 10, 100 or 1000, of every tick in this interface */
    uint8_t TcpAckFrequency; /* segments */
    uint8_t TcpDelayedAckTicks;
    uint8_t TcpMaximumRetransmissions;
    uint8_t TcpDoubtReachabilityRetransmissions;
    uint32_t TcpSwsPreventionTicks;
    uint32_t TcpDuplicateAckThreshold;
    uint32_t TcpPushTicks;
    uint32_t NceStaleTicks;       /* revision 1 ends here */
    uint32_t CongestionAlgorithm; /* revision 2; reserved */
} NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS, *PNDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS;

#define NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS_1 1
#define NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS_2 2
#define NDIS_SIZEOF_TCP_CONNECTION_OFFLOAD_PARAMETERS_REVISION_1                                                               \
    FLUE_NDIS_SIZE_THROUGH(NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS, NceStaleTicks)
#define NDIS_SIZEOF_TCP_CONNECTION_OFFLOAD_PARAMETERS_REVISION_2                                                               \
    FLUE_NDIS_SIZE_THROUGH(NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS, CongestionAlgorithm)

/* What an adapter says of itself when it is registered: what is enabled, what the hardware has. */
typedef struct NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    NDIS_OFFLOAD *DefaultOffloadConfiguration;
    NDIS_OFFLOAD *HardwareOffloadCapabilities;
    NDIS_TCP_CONNECTION_OFFLOAD *DefaultTcpConnectionOffloadConfiguration;
    NDIS_TCP_CONNECTION_OFFLOAD *TcpConnectionOffloadHardwareCapabilities;
} NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES, *PNDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES;

#define NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1 1

/* ---- statistics: offloaded connections of one interface and one IP version ---------------------------------------- */

typedef struct TCP_OFFLOAD_STATS {
    flue_ndis_u64 InSegments;
    flue_ndis_u64 OutSegments;
    uint32_t CurrentlyEstablished; /* a gauge: never reset */
    uint32_t ResetEstablished;
    uint32_t RetransmittedSegments;
    uint32_t InErrors;
    uint32_t OutResets;
} TCP_OFFLOAD_STATS, *PTCP_OFFLOAD_STATS;

typedef struct IP_OFFLOAD_STATS {
    flue_ndis_u64 InReceives;
    flue_ndis_u64 InOctets;
    flue_ndis_u64 InDelivers;
    flue_ndis_u64 OutRequests;
    flue_ndis_u64 OutOctets;
    uint32_t InHeaderErrors;
    uint32_t InTruncatedPackets;
    uint32_t InDiscards;
    uint32_t OutDiscards;
    uint32_t OutNoRoutes;
} IP_OFFLOAD_STATS, *PIP_OFFLOAD_STATS;

typedef struct NDIS_RSC_STATISTICS_INFO {
    NDIS_OBJECT_HEADER Header;
    flue_ndis_u64 CoalescedPkts;
    flue_ndis_u64 CoalescedOctets;
    flue_ndis_u64 CoalesceEvents;
    flue_ndis_u64 Aborts;
} NDIS_RSC_STATISTICS_INFO, *PNDIS_RSC_STATISTICS_INFO;

#define NDIS_RSC_STATISTICS_REVISION_1 1

#ifdef __cplusplus
}
#endif
#endif
