/*
 * NDIS_STATUS: the status codes of connection offload, task offload and their administration, with their published names
 * and values (chimney.md 6.1, task-offload.md 5.2).
 *
 * A code is success when it is not negative: NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS is positive, compare it explicitly.
 */
#ifndef FLUE_NDIS_STATUS_H
#define FLUE_NDIS_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t NDIS_STATUS;

/* ---- results ----------------------------------------------------------------------------------------------------- */

#define NDIS_STATUS_SUCCESS           ((NDIS_STATUS)0x00000000)
#define NDIS_STATUS_PENDING           ((NDIS_STATUS)0x00000103)
#define NDIS_STATUS_NOT_ACCEPTED      ((NDIS_STATUS)0x00010003)

#define NDIS_STATUS_BUFFER_OVERFLOW   ((NDIS_STATUS)0x80000005)
#define NDIS_STATUS_FAILURE           ((NDIS_STATUS)0xC0000001)
#define NDIS_STATUS_INVALID_PARAMETER ((NDIS_STATUS)0xC000000D)
#define NDIS_STATUS_RESOURCES         ((NDIS_STATUS)0xC000009A)
#define NDIS_STATUS_NOT_SUPPORTED     ((NDIS_STATUS)0xC00000BB)
#define NDIS_STATUS_INVALID_STATE     ((NDIS_STATUS)0xC0000184)

#define NDIS_STATUS_BAD_VERSION       ((NDIS_STATUS)0xC0010004)
#define NDIS_STATUS_REQUEST_ABORTED   ((NDIS_STATUS)0xC001000C)
#define NDIS_STATUS_RESET_IN_PROGRESS ((NDIS_STATUS)0xC001000D)
#define NDIS_STATUS_INVALID_PACKET    ((NDIS_STATUS)0xC001000F)
#define NDIS_STATUS_INVALID_LENGTH    ((NDIS_STATUS)0xC0010014)
#define NDIS_STATUS_INVALID_DATA      ((NDIS_STATUS)0xC0010015)
#define NDIS_STATUS_BUFFER_TOO_SHORT  ((NDIS_STATUS)0xC0010016)
#define NDIS_STATUS_INVALID_OID       ((NDIS_STATUS)0xC0010017)

#define NDIS_STATUS_SEND_ABORTED      ((NDIS_STATUS)0xC023000C)
#define NDIS_STATUS_PAUSED            ((NDIS_STATUS)0xC023002A) /* never for a send on an offloaded connection */

/* ---- connection offload ------------------------------------------------------------------------------------------ */

#define NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS         ((NDIS_STATUS)0x40020004)
#define NDIS_STATUS_OFFLOAD_STATE_INVALID           ((NDIS_STATUS)0x40020005) /* use not published */

#define NDIS_STATUS_UPLOAD_IN_PROGRESS              ((NDIS_STATUS)0xC0231001)
#define NDIS_STATUS_REQUEST_UPLOAD                  ((NDIS_STATUS)0xC0231002)
#define NDIS_STATUS_UPLOAD_REQUESTED                ((NDIS_STATUS)0xC0231003)
#define NDIS_STATUS_OFFLOAD_TCP_ENTRIES             ((NDIS_STATUS)0xC0231004)
#define NDIS_STATUS_OFFLOAD_PATH_ENTRIES            ((NDIS_STATUS)0xC0231005)
#define NDIS_STATUS_OFFLOAD_NEIGHBOR_ENTRIES        ((NDIS_STATUS)0xC0231006)
#define NDIS_STATUS_OFFLOAD_IP_ADDRESS_ENTRIES      ((NDIS_STATUS)0xC0231007)
#define NDIS_STATUS_OFFLOAD_HW_ADDRESS_ENTRIES      ((NDIS_STATUS)0xC0231008)
#define NDIS_STATUS_OFFLOAD_VLAN_ENTRIES            ((NDIS_STATUS)0xC0231009)
#define NDIS_STATUS_OFFLOAD_TCP_XMIT_BUFFER         ((NDIS_STATUS)0xC023100A)
#define NDIS_STATUS_OFFLOAD_TCP_RCV_BUFFER          ((NDIS_STATUS)0xC023100B)
#define NDIS_STATUS_OFFLOAD_TCP_RCV_WINDOW          ((NDIS_STATUS)0xC023100C)
#define NDIS_STATUS_OFFLOAD_VLAN_MISMATCH           ((NDIS_STATUS)0xC023100D)
#define NDIS_STATUS_OFFLOAD_DATA_NOT_ACCEPTED       ((NDIS_STATUS)0xC023100E)
#define NDIS_STATUS_OFFLOAD_POLICY                  ((NDIS_STATUS)0xC023100F) /* use not published */
#define NDIS_STATUS_OFFLOAD_DATA_PARTIALLY_ACCEPTED ((NDIS_STATUS)0xC0231010)
#define NDIS_STATUS_OFFLOAD_REQUEST_RESET           ((NDIS_STATUS)0xC0231011) /* use not published */
#define NDIS_STATUS_OFFLOAD_CONNECTION_REJECTED     ((NDIS_STATUS)0xC0231012)
#define STATUS_NDIS_OFFLOAD_PATH_REJECTED           ((NDIS_STATUS)0xC0231013) /* use not published */

/* Named in the documentation, its value in no header (chimney.md 6.6, item 1): the nearest published code. */
#define NDIS_STATUS_OFFLOAD_PATH_MTU STATUS_NDIS_OFFLOAD_PATH_REJECTED

/* ---- status indications ------------------------------------------------------------------------------------------ */

#define NDIS_STATUS_OFFLOAD_PAUSE                                ((NDIS_STATUS)0x40020001)
#define NDIS_STATUS_UPLOAD_ALL                                   ((NDIS_STATUS)0x40020002)
#define NDIS_STATUS_OFFLOAD_RESUME                               ((NDIS_STATUS)0x40020003)
#define NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG                  ((NDIS_STATUS)0x40020006)
#define NDIS_STATUS_TASK_OFFLOAD_HARDWARE_CAPABILITIES           ((NDIS_STATUS)0x40020007)
#define NDIS_STATUS_OFFLOAD_ENCASPULATION_CHANGE                 ((NDIS_STATUS)0x40020008) /* spelling as published */
#define NDIS_STATUS_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES ((NDIS_STATUS)0x4002000B)
#define NDIS_STATUS_TIMESTAMP_CAPABILITY                         ((NDIS_STATUS)0x40051000)
#define NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG                     ((NDIS_STATUS)0x40051001)

/* Published name of a code, "NDIS_STATUS_SUCCESS"; "NDIS_STATUS_?" for an unknown one.  Static storage. */
const char *flue_ndis_status_name(NDIS_STATUS status);

#ifdef __cplusplus
}
#endif
#endif
