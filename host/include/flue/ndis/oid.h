/*
 * Object identifiers of offload and its administration, with their published names and values (chimney.md 6.2,
 * task-offload.md 4.3, 5.1).
 */
#ifndef FLUE_NDIS_OID_H
#define FLUE_NDIS_OID_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t NDIS_OID;

/* Answered by this library, flue/ndis/admin.h. */
#define OID_TCP_OFFLOAD_CURRENT_CONFIG                   0xFC01020Bu
#define OID_TCP_OFFLOAD_PARAMETERS                       0xFC01020Cu
#define OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES            0xFC01020Du
#define OID_TCP_CONNECTION_OFFLOAD_CURRENT_CONFIG        0xFC01020Eu
#define OID_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES 0xFC01020Fu
#define OID_TCP_CONNECTION_OFFLOAD_PARAMETERS            0xFC030201u
#define OID_OFFLOAD_ENCAPSULATION                        0x0101010Au
#define OID_TCP4_OFFLOAD_STATS                           0xFC010207u
#define OID_TCP6_OFFLOAD_STATS                           0xFC010208u
#define OID_IP4_OFFLOAD_STATS                            0xFC010209u
#define OID_IP6_OFFLOAD_STATS                            0xFC01020Au
#define OID_PNP_SET_POWER                                0xFD010101u

/* Known and refused: older schemes, functions this adapter does not have. */
#define OID_TCP_TASK_OFFLOAD                    0xFC010201u
#define OID_TCP_TASK_IPSEC_ADD_SA               0xFC010202u
#define OID_TCP_TASK_IPSEC_DELETE_SA            0xFC010203u
#define OID_TCP_SAN_SUPPORT                     0xFC010204u
#define OID_TCP_TASK_IPSEC_ADD_UDPESP_SA        0xFC010205u
#define OID_TCP_TASK_IPSEC_DELETE_UDPESP_SA     0xFC010206u
#define OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA    0xFC030202u
#define OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA 0xFC030203u
#define OID_TCP_TASK_IPSEC_OFFLOAD_V2_UPDATE_SA 0xFC030204u
#define OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA_EX 0xFC030205u
#define OID_TCP_RSC_STATISTICS                  0x0002021Du
#define OID_GEN_RECEIVE_SCALE_PARAMETERS        0x00010204u
#define OID_GEN_VLAN_ID                         0x0001021Cu
#define OID_TIMESTAMP_CAPABILITY                0x00010265u
#define OID_TIMESTAMP_CURRENT_CONFIG            0x00010266u

/* NDIS_DEVICE_POWER_STATE, the payload of OID_PNP_SET_POWER. */
typedef enum NDIS_DEVICE_POWER_STATE {
    NdisDeviceStateUnspecified = 0,
    NdisDeviceStateD0 = 1,
    NdisDeviceStateD1 = 2,
    NdisDeviceStateD2 = 3,
    NdisDeviceStateD3 = 4,
    NdisDeviceStateMaximum = 5
} NDIS_DEVICE_POWER_STATE;

/* MAC options of 802.1Q. */
#define NDIS_MAC_OPTION_8021P_PRIORITY 0x00000040u
#define NDIS_MAC_OPTION_8021Q_VLAN     0x00000200u

/* Published name of an OID, "OID_TCP_OFFLOAD_PARAMETERS"; null when it is none of these.  Static storage. */
const char *flue_ndis_oid_name(NDIS_OID oid);

/* The OID of that name; false when there is none. */
bool flue_ndis_oid_find(const char *name, NDIS_OID *oid);

#ifdef __cplusplus
}
#endif
#endif
