/*
 * Packet lists: NET_BUFFER_LIST, NET_BUFFER, MDL and the out-of-band slots of a list (chimney.md 1.12, task-offload.md 2).
 *
 * A list describes one or more packets, a packet is a chain of memory pieces with a start offset and a length.  Only what
 * the interface uses is here, in an order of our own: the slots and their contents have published layouts, the lists
 * themselves do not.  Whoever holds a list owns all of it, and gives it back with Status written.
 */
#ifndef FLUE_NDIS_NBL_H
#define FLUE_NDIS_NBL_H

#include "flue/ndis/object.h"
#include "flue/ndis/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- lists ------------------------------------------------------------------------------------------------------- */

/* A piece of memory, resident for as long as the list is under way. */
typedef struct MDL {
    struct MDL *Next;
    void *MappedSystemVa;
    uint32_t ByteCount;
} MDL, *PMDL;

typedef struct NET_BUFFER {
    struct NET_BUFFER *Next;
    MDL *CurrentMdl;           /* where the data begin now: this piece, */
    uint32_t CurrentMdlOffset; /* this byte of it */
    uint32_t DataLength;       /* bytes from there on */
    MDL *MdlChain;             /* the first piece */
    uint32_t DataOffset;       /* from the first piece's first byte to the data */
} NET_BUFFER, *PNET_BUFFER;

/*
 * Slots.  Two mean something else on receive than on transmit, and their number depends on the pointer width: the slots
 * before them hold two pointers more on 64-bit hosts.
 */
typedef enum NDIS_NET_BUFFER_LIST_INFO {
    TcpIpChecksumNetBufferListInfo = 0,
    TcpOffloadBytesTransferred = 0, /* uint32_t, target to host: bytes done by a send, receive or disconnect */
    IPsecOffloadV1NetBufferListInfo = 1,
    IPsecOffloadV2NetBufferListInfo = 1,
    TcpLargeSendNetBufferListInfo = 2,
    TcpReceiveNoPush = 2, /* Boolean, host to target: a receive request in non-push mode */
    Ieee8021QNetBufferListInfo = 4,
    NetBufferListHashValue = 8,
    NetBufferListHashInfo = 9,
    IPsecOffloadV2TunnelNetBufferListInfo = 11,
    IPsecOffloadV2HeaderNetBufferListInfo = 12,
    TcpReceiveBytesTransferred = 17, /* uint32_t, host to target: bytes that are in the buffer of a receive request */
    UdpRecvSegCoalesceOffloadInfo = 17,
#if UINTPTR_MAX > 0xFFFFFFFFu
    TcpRecvSegCoalesceInfo = 22,                       /* receive */
    UdpSegmentationOffloadInfo = 22,                   /* transmit */
    RscTcpTimestampDelta = 23,                         /* receive */
    TcpSendOffloadsSupplementalNetBufferListInfo = 23, /* transmit */
    MaxNetBufferListInfo = 24
#else
    TcpRecvSegCoalesceInfo = 19,
    UdpSegmentationOffloadInfo = 19,
    RscTcpTimestampDelta = 20,
    TcpSendOffloadsSupplementalNetBufferListInfo = 20,
    MaxNetBufferListInfo = 21
#endif
} NDIS_NET_BUFFER_LIST_INFO;

typedef struct NET_BUFFER_LIST {
    struct NET_BUFFER_LIST *Next;
    NET_BUFFER *FirstNetBuffer;
    void *ProtocolReserved[4]; /* the host's */
    void *MiniportReserved[2]; /* the target's while it owns the list */
    void *Scratch;             /* of whoever owns the list now */
    NDIS_HANDLE SourceHandle;  /* of whoever made it */
    NDIS_STATUS Status;
    void *NetBufferListInfo[MaxNetBufferListInfo]; /* by value; NET_BUFFER_LIST_INFO() */
} NET_BUFFER_LIST, *PNET_BUFFER_LIST;

#define NET_BUFFER_LIST_INFO(nbl, slot) ((nbl)->NetBufferListInfo[(slot)])

/* A slot's low 32 bits, and the other way round. */
static inline uint32_t flue_ndis_slot(const NET_BUFFER_LIST *nbl, NDIS_NET_BUFFER_LIST_INFO slot)
{
    return (uint32_t)(uintptr_t)nbl->NetBufferListInfo[slot];
}

static inline void flue_ndis_slot_set(NET_BUFFER_LIST *nbl, NDIS_NET_BUFFER_LIST_INFO slot, uint32_t value)
{
    nbl->NetBufferListInfo[slot] = (void *)(uintptr_t)value;
}

/* ---- contents of the slots: each a pointer wide, its bits in the low half ---------------------------------------- */

typedef union NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO {
    struct {
        uint32_t IsIPv4 : 1;
        uint32_t IsIPv6 : 1;
        uint32_t TcpChecksum : 1;
        uint32_t UdpChecksum : 1;
        uint32_t IpHeaderChecksum : 1;
        uint32_t Reserved : 11;
        uint32_t TcpHeaderOffset : 10;
        uint32_t : 6;
    } Transmit;
    struct {
        uint32_t TcpChecksumFailed : 1;
        uint32_t UdpChecksumFailed : 1;
        uint32_t IpChecksumFailed : 1;
        uint32_t TcpChecksumSucceeded : 1;
        uint32_t UdpChecksumSucceeded : 1;
        uint32_t IpChecksumSucceeded : 1;
        uint32_t Loopback : 1; /* NDIS's own */
        uint32_t TcpChecksumValueInvalid : 1;
        uint32_t IpChecksumValueInvalid : 1;
        uint32_t : 23;
    } Receive;
    void *Value;
} NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO;

#define NDIS_TCP_LARGE_SEND_OFFLOAD_V1_TYPE       0
#define NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE       1
#define NDIS_TCP_LARGE_SEND_OFFLOAD_IPv4          0
#define NDIS_TCP_LARGE_SEND_OFFLOAD_IPv6          1

#define NDIS_LARGE_SEND_OFFLOAD_MAX_HEADER_LENGTH 128 /* MAC through TCP options; no large send beyond it */

typedef union NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO {
    struct {
        uint32_t Unused : 30;
        uint32_t Type : 1;
        uint32_t Reserved2 : 1;
    } Transmit;
    struct {
        uint32_t MSS : 20;
        uint32_t TcpHeaderOffset : 10;
        uint32_t Type : 1;
        uint32_t Reserved2 : 1;
    } LsoV1Transmit;
    struct {
        uint32_t TcpPayload : 30;
        uint32_t Type : 1;
        uint32_t Reserved2 : 1;
    } LsoV1TransmitComplete;
    struct {
        uint32_t MSS : 20;
        uint32_t TcpHeaderOffset : 10;
        uint32_t Type : 1;
        uint32_t IPVersion : 1;
    } LsoV2Transmit;
    struct {
        uint32_t Reserved : 30;
        uint32_t Type : 1;
        uint32_t Reserved2 : 1;
    } LsoV2TransmitComplete;
    void *Value;
} NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO;

typedef union NDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO {
    struct {
        uint32_t MSS : 20;
        uint32_t UdpHeaderOffset : 10;
        uint32_t Reserved : 1;
        uint32_t IPVersion : 1;
    } Transmit;
    void *Value;
} NDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO;

typedef union NDIS_RSC_NBL_INFO {
    struct {
        uint16_t CoalescedSegCount; /* 0: an ordinary packet */
        uint16_t DupAckCount;
    } Info;
    void *Value;
} NDIS_RSC_NBL_INFO;

typedef union NDIS_UDP_RSC_OFFLOAD_NET_BUFFER_LIST_INFO {
    struct {
        uint16_t SegCount;
        uint16_t SegSize; /* bytes of payload */
    } Receive;
    void *Value;
} NDIS_UDP_RSC_OFFLOAD_NET_BUFFER_LIST_INFO;

typedef union NDIS_TCP_SEND_OFFLOADS_SUPPLEMENTAL_NET_BUFFER_LIST_INFO {
    struct {
        uint32_t IsEncapsulatedPacket : 1;
        uint32_t EncapsulatedPacketOffsetsValid : 1;
        uint32_t InnerFrameOffset : 8;                /* packet start to inner Ethernet */
        uint32_t TransportIpHeaderRelativeOffset : 6; /* inner Ethernet to inner IP */
        uint32_t TcpHeaderRelativeOffset : 10;        /* inner IP to inner TCP or UDP */
        uint32_t IsInnerIPv6 : 1;
        uint32_t TcpOptionsPresent : 1;
        uint32_t Reserved : 4;
    } EncapsulatedPacketOffsets;
    void *Value;
} NDIS_TCP_SEND_OFFLOADS_SUPPLEMENTAL_NET_BUFFER_LIST_INFO;

typedef union NDIS_IPSEC_OFFLOAD_V1_NET_BUFFER_LIST_INFO {
    struct {
        NDIS_HANDLE OffloadHandle;
    } Transmit;
    struct {
        uint16_t SaDeleteReq : 1;
        uint16_t CryptoDone : 1;
        uint16_t NextCryptoDone : 1;
        uint16_t Pad : 13;
        uint16_t CryptoStatus;
    } Receive;
} NDIS_IPSEC_OFFLOAD_V1_NET_BUFFER_LIST_INFO;

typedef union NDIS_IPSEC_OFFLOAD_V2_NET_BUFFER_LIST_INFO {
    struct {
        void *OffloadHandle; /* 0: no IPsec on this packet */
    } Transmit;
    struct {
        uint32_t SaDeleteReq : 1;
        uint32_t CryptoDone : 1;
        uint32_t NextCryptoDone : 1;
        uint32_t Reserved : 13;
        uint32_t CryptoStatus : 16;
    } Receive;
} NDIS_IPSEC_OFFLOAD_V2_NET_BUFFER_LIST_INFO;

typedef union NDIS_IPSEC_OFFLOAD_V2_TUNNEL_NET_BUFFER_LIST_INFO {
    struct {
        void *TunnelHandle;
    } Transmit;
} NDIS_IPSEC_OFFLOAD_V2_TUNNEL_NET_BUFFER_LIST_INFO;

typedef union NDIS_IPSEC_OFFLOAD_V2_HEADER_NET_BUFFER_LIST_INFO {
    struct {
        uint32_t NextHeader : 8;
        uint32_t PadLength : 8;
        uint32_t AhHeaderOffset : 8;  /* from the IP header, 4-byte units */
        uint32_t EspHeaderOffset : 8; /* likewise */
    } Transmit;
    struct {
        uint32_t NextHeader : 8;
        uint32_t PadLength : 8;
        uint32_t HeaderInfoSet : 1;
        uint32_t Reserved : 15;
    } Receive;
    void *Value;
} NDIS_IPSEC_OFFLOAD_V2_HEADER_NET_BUFFER_LIST_INFO;

#define CRYPTO_SUCCESS                   0
#define CRYPTO_GENERIC_ERROR             1
#define CRYPTO_TRANSPORT_AH_AUTH_FAILED  2
#define CRYPTO_TRANSPORT_ESP_AUTH_FAILED 3
#define CRYPTO_TUNNEL_AH_AUTH_FAILED     4
#define CRYPTO_TUNNEL_ESP_AUTH_FAILED    5
#define CRYPTO_INVALID_PACKET_SYNTAX     6
#define CRYPTO_INVALID_PROTOCOL          7

typedef union NDIS_NET_BUFFER_LIST_8021Q_INFO {
    struct {
        uint32_t UserPriority : 3;
        uint32_t CanonicalFormatId : 1;
        uint32_t VlanId : 12;
        uint32_t Reserved : 16;
    } TagHeader;
    struct {
        uint32_t UserPriority : 3;
        uint32_t CanonicalFormatId : 1;
        uint32_t VlanId : 12;
        uint32_t WMMInfo : 4;
        uint32_t Reserved : 12;
    } WLanTagHeader;
    void *Value;
} NDIS_NET_BUFFER_LIST_8021Q_INFO;

/* The 802.1Q slot as the tag's two bytes on the wire, and back: the bits are in another order there (TO-016). */
static inline uint16_t flue_ndis_vlan_to_tci(uint32_t slot)
{
    return (uint16_t)((slot & 7u) << 13 | (slot >> 3 & 1u) << 12 | (slot >> 4 & 0xFFFu));
}

static inline uint32_t flue_ndis_vlan_from_tci(uint16_t tci)
{
    return (uint32_t)tci >> 13 | ((uint32_t)tci >> 12 & 1u) << 3 | ((uint32_t)tci & 0xFFFu) << 4;
}

#ifdef __cplusplus
}
#endif
#endif
