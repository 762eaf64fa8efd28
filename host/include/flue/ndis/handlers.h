/*
 * The calls of connection offload: what a target implements (provider), what the host gives it to call (client), and the
 * structures both are registered with (chimney.md 1.13, section 2).
 *
 * State operations return nothing; each ends with exactly one completion call that has the same root.
 */
#ifndef FLUE_NDIS_HANDLERS_H
#define FLUE_NDIS_HANDLERS_H

#include "flue/ndis/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void MINIPORT_STATE_OPERATION(NDIS_HANDLE MiniportAdapterContext, NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *OffloadBlockList);
typedef MINIPORT_STATE_OPERATION W_INITIATE_OFFLOAD_FN, W_TERMINATE_OFFLOAD_FN, W_UPDATE_OFFLOAD_FN, W_INVALIDATE_OFFLOAD_FN,
    W_QUERY_OFFLOAD_FN;
typedef W_INITIATE_OFFLOAD_FN *W_INITIATE_OFFLOAD_HANDLER;
typedef W_TERMINATE_OFFLOAD_FN *W_TERMINATE_OFFLOAD_HANDLER;
typedef W_UPDATE_OFFLOAD_FN *W_UPDATE_OFFLOAD_HANDLER;
typedef W_INVALIDATE_OFFLOAD_FN *W_INVALIDATE_OFFLOAD_HANDLER;
typedef W_QUERY_OFFLOAD_FN *W_QUERY_OFFLOAD_HANDLER;

/* MiniportOffloadContext is the context value itself (chimney.md X-22).  All but the last return NDIS_STATUS_PENDING. */
typedef NDIS_STATUS (*W_TCP_OFFLOAD_SEND_HANDLER)(NDIS_HANDLE MiniportAdapterContext, void *MiniportOffloadContext,
                                                  NET_BUFFER_LIST *NetBufferList);
typedef NDIS_STATUS (*W_TCP_OFFLOAD_RECEIVE_HANDLER)(NDIS_HANDLE MiniportAdapterContext, void *MiniportOffloadContext,
                                                     NET_BUFFER_LIST *NetBufferList);
typedef NDIS_STATUS (*W_TCP_OFFLOAD_DISCONNECT_HANDLER)(NDIS_HANDLE MiniportAdapterContext, void *MiniportOffloadContext,
                                                        NET_BUFFER_LIST *NetBufferList, uint32_t Flags);
typedef NDIS_STATUS (*W_TCP_OFFLOAD_FORWARD_HANDLER)(NDIS_HANDLE MiniportAdapterContext, void *MiniportOffloadContext,
                                                     NET_BUFFER_LIST *NetBufferList);
typedef NDIS_STATUS (*W_TCP_OFFLOAD_RECEIVE_RETURN_HANDLER)(NDIS_HANDLE MiniportAdapterContext, NET_BUFFER_LIST *NetBufferList);

typedef struct NDIS_PROVIDER_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    uint32_t Flags; /* reserved */
    W_INITIATE_OFFLOAD_HANDLER InitiateOffloadHandler;
    W_TERMINATE_OFFLOAD_HANDLER TerminateOffloadHandler;
    W_UPDATE_OFFLOAD_HANDLER UpdateOffloadHandler;
    W_INVALIDATE_OFFLOAD_HANDLER InvalidateOffloadHandler;
    W_QUERY_OFFLOAD_HANDLER QueryOffloadHandler;
} NDIS_PROVIDER_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS, *PNDIS_PROVIDER_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS;

typedef struct NDIS_PROVIDER_CHIMNEY_OFFLOAD_TCP_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    uint32_t Flags; /* reserved */
    NDIS_CHIMNEY_OFFLOAD_TYPE OffloadType;
    W_TCP_OFFLOAD_SEND_HANDLER TcpOffloadSendHandler;
    W_TCP_OFFLOAD_RECEIVE_HANDLER TcpOffloadReceiveHandler;
    W_TCP_OFFLOAD_DISCONNECT_HANDLER TcpOffloadDisconnectHandler;
    W_TCP_OFFLOAD_FORWARD_HANDLER TcpOffloadForwardHandler;
    W_TCP_OFFLOAD_RECEIVE_RETURN_HANDLER TcpOffloadReceiveReturnHandler;
} NDIS_PROVIDER_CHIMNEY_OFFLOAD_TCP_CHARACTERISTICS, *PNDIS_PROVIDER_CHIMNEY_OFFLOAD_TCP_CHARACTERISTICS;

/* ---- what the host gives ----------------------------------------------------------------------------------------- */

typedef void (*OFFLOAD_COMPLETE_HANDLER)(NDIS_HANDLE ProtocolBindingContext,
                                         NDIS_PROTOCOL_OFFLOAD_BLOCK_LIST *OffloadBlockList);
typedef void (*INDICATE_OFFLOAD_EVENT_HANDLER)(NDIS_HANDLE ProtocolBindingContext,
                                               NDIS_PROTOCOL_OFFLOAD_BLOCK_LIST *OffloadBlockList, uint32_t IndicateCode);
typedef void (*TCP_OFFLOAD_COMPLETE_HANDLER)(NDIS_HANDLE ProtocolBindingContext, NET_BUFFER_LIST *NetBufferList);
typedef void (*TCP_OFFLOAD_EVENT_HANDLER)(void *ProtocolOffloadContext, uint32_t EventType, uint32_t EventSpecificInformation);
typedef NDIS_STATUS (*TCP_OFFLOAD_RECEIVE_INDICATE_HANDLER)(void *ProtocolOffloadContext, NET_BUFFER_LIST *NetBufferList,
                                                            NDIS_STATUS Status, uint32_t *BytesConsumed);

typedef struct NDIS_CLIENT_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    uint32_t Flags;
    OFFLOAD_COMPLETE_HANDLER InitiateOffloadCompleteHandler;
    OFFLOAD_COMPLETE_HANDLER TerminateOffloadCompleteHandler;
    OFFLOAD_COMPLETE_HANDLER UpdateOffloadCompleteHandler;
    OFFLOAD_COMPLETE_HANDLER InvalidateOffloadCompleteHandler;
    OFFLOAD_COMPLETE_HANDLER QueryOffloadCompleteHandler;
    INDICATE_OFFLOAD_EVENT_HANDLER IndicateOffloadEventHandler;
} NDIS_CLIENT_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS, *PNDIS_CLIENT_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS;

#define NDIS_CLIENT_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS_REVISION_1 1

typedef struct NDIS_CLIENT_CHIMNEY_OFFLOAD_TCP_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    uint32_t Flags;
    NDIS_CHIMNEY_OFFLOAD_TYPE OffloadType;
    TCP_OFFLOAD_COMPLETE_HANDLER TcpOffloadSendCompleteHandler;
    TCP_OFFLOAD_COMPLETE_HANDLER TcpOffloadReceiveCompleteHandler;
    TCP_OFFLOAD_COMPLETE_HANDLER TcpOffloadDisconnectCompleteHandler;
    TCP_OFFLOAD_COMPLETE_HANDLER TcpOffloadForwardCompleteHandler;
    TCP_OFFLOAD_EVENT_HANDLER TcpOffloadEventHandler;
    TCP_OFFLOAD_RECEIVE_INDICATE_HANDLER TcpOffloadReceiveIndicateHandler;
} NDIS_CLIENT_CHIMNEY_OFFLOAD_TCP_CHARACTERISTICS, *PNDIS_CLIENT_CHIMNEY_OFFLOAD_TCP_CHARACTERISTICS;

#define NDIS_CLIENT_CHIMNEY_OFFLOAD_TCP_CHARACTERISTICS_REVISION_1 1

/* What a target fetches when it is initialised: NDIS's own entry points. */
typedef void (*NDIS_TCP_OFFLOAD_EVENT_HANDLER)(NDIS_HANDLE NdisOffloadHandle, uint32_t EventType,
                                               uint32_t EventSpecificInformation);
typedef NDIS_STATUS (*NDIS_TCP_OFFLOAD_RECEIVE_HANDLER)(NDIS_HANDLE NdisOffloadHandle, NET_BUFFER_LIST *NetBufferList,
                                                        NDIS_STATUS Status, uint32_t *BytesConsumed);
typedef void (*NDIS_TCP_OFFLOAD_COMPLETE_HANDLER)(NDIS_HANDLE NdisMiniportHandle, NET_BUFFER_LIST *NetBufferList);

typedef struct NDIS_TCP_OFFLOAD_EVENT_HANDLERS {
    NDIS_OBJECT_HEADER Header;
    NDIS_TCP_OFFLOAD_EVENT_HANDLER NdisTcpOffloadEventHandler;
    NDIS_TCP_OFFLOAD_RECEIVE_HANDLER NdisTcpOffloadReceiveHandler;
    NDIS_TCP_OFFLOAD_COMPLETE_HANDLER NdisTcpOffloadSendComplete;
    NDIS_TCP_OFFLOAD_COMPLETE_HANDLER NdisTcpOffloadReceiveComplete;
    NDIS_TCP_OFFLOAD_COMPLETE_HANDLER NdisTcpOffloadDisconnectComplete;
    NDIS_TCP_OFFLOAD_COMPLETE_HANDLER NdisTcpOffloadForwardComplete;
} NDIS_TCP_OFFLOAD_EVENT_HANDLERS, *PNDIS_TCP_OFFLOAD_EVENT_HANDLERS;

#define NDIS_OBJECT_TCP_OFFLOAD_REVISION_1 1

#ifdef __cplusplus
}
#endif
#endif
