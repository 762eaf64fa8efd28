/*
 * Standardized keywords (task-offload.md 4.5): the settings an adapter starts with, kept in a text file.
 *
 *   # any line like this is kept as it is
 *   *LsoV2IPv4 = 1
 *   *TCPChecksumOffloadIPv4 = 3
 *   DisableTaskOffload = 0
 *
 * A value that cannot be read or is out of range counts as the keyword's default, with a note; a keyword nobody knows is
 * kept, with a note; a line that is neither blank, comment nor "keyword = value" refuses the file.
 */
#ifndef FLUE_NDIS_KEYWORDS_H
#define FLUE_NDIS_KEYWORDS_H

#include <stdbool.h>
#include <stddef.h>
#include "flue/err.h"
#include "flue/ndis/offload.h"

#ifdef __cplusplus
extern "C" {
#endif

enum flue_keyword {
    FLUE_KW_IP_CSUM_IPV4,         /* *IPChecksumOffloadIPv4 */
    FLUE_KW_TCP_CSUM_IPV4,        /* *TCPChecksumOffloadIPv4 */
    FLUE_KW_TCP_CSUM_IPV6,        /* *TCPChecksumOffloadIPv6 */
    FLUE_KW_UDP_CSUM_IPV4,        /* *UDPChecksumOffloadIPv4 */
    FLUE_KW_UDP_CSUM_IPV6,        /* *UDPChecksumOffloadIPv6 */
    FLUE_KW_TCPUDP_CSUM_IPV4,     /* *TCPUDPChecksumOffloadIPv4 */
    FLUE_KW_TCPUDP_CSUM_IPV6,     /* *TCPUDPChecksumOffloadIPv6 */
    FLUE_KW_LSO_V1_IPV4,          /* *LsoV1IPv4 */
    FLUE_KW_LSO_V2_IPV4,          /* *LsoV2IPv4 */
    FLUE_KW_LSO_V2_IPV6,          /* *LsoV2IPv6 */
    FLUE_KW_USO_IPV4,             /* *UsoIPv4 */
    FLUE_KW_USO_IPV6,             /* *UsoIPv6 */
    FLUE_KW_RSC_IPV4,             /* *RscIPv4 */
    FLUE_KW_RSC_IPV6,             /* *RscIPv6 */
    FLUE_KW_UDP_RSC,              /* *UdpRsc */
    FLUE_KW_ENCAPSULATED,         /* *EncapsulatedPacketTaskOffload */
    FLUE_KW_ENCAPSULATED_GRE,     /* *EncapsulatedPacketTaskOffloadNvgre */
    FLUE_KW_ENCAPSULATED_VXLAN,   /* *EncapsulatedPacketTaskOffloadVxlan */
    FLUE_KW_VXLAN_PORT,           /* *VxlanUDPPortNumber */
    FLUE_KW_IPSEC_V1,             /* *IPsecOffloadV1IPv4 */
    FLUE_KW_IPSEC_V2,             /* *IPsecOffloadV2 */
    FLUE_KW_IPSEC_V2_IPV4,        /* *IPsecOffloadV2IPv4 */
    FLUE_KW_CONNECTION_IPV4,      /* *TCPConnectionOffloadIPv4 */
    FLUE_KW_CONNECTION_IPV6,      /* *TCPConnectionOffloadIPv6 */
    FLUE_KW_PRIORITY_VLAN,        /* *PriorityVLANTag */
    FLUE_KW_JUMBO_PACKET,         /* *JumboPacket */
    FLUE_KW_PTP_TIMESTAMP,        /* *PtpHardwareTimestamp */
    FLUE_KW_SOFTWARE_TIMESTAMP,   /* *SoftwareTimestamp */
    FLUE_KW_INTERRUPT_MODERATION, /* *InterruptModeration */
    FLUE_KW_DISABLE_TASK_OFFLOAD, /* DisableTaskOffload: 1 switches every task offload off */
    FLUE_KW_IPSEC_ENABLED,        /* EnabledOffload: 0 switches IPsec offload off */
    FLUE_KW_COUNT
};

/* What the file says; a keyword that is not in it has its default and present = false. */
struct flue_keywords {
    uint32_t value[FLUE_KW_COUNT];
    bool present[FLUE_KW_COUNT];
};

/* Told about every value that was replaced and every keyword nobody knows; a whole sentence. */
typedef void flue_keyword_note(void *ctx, const char *sentence);

/* "*LsoV2IPv4"; null when out of range. */
const char *flue_keyword_name(enum flue_keyword keyword);

/* Everything default, nothing present. */
void flue_keywords_default(struct flue_keywords *keywords);

/*
 * Read a file.
 *
 * path   a file that does not exist gives all defaults
 * error  out: sentence with file, line and what is wrong there, at most size bytes with its end
 *
 * Returns FLUE_EIO   it cannot be read; errno says why
 *         FLUE_EARG  a line is not "keyword = value"; *keywords has all defaults
 */
FLUE_MUST_CHECK enum flue_err flue_keywords_load(const char *path, struct flue_keywords *keywords, flue_keyword_note *note,
                                                 void *ctx, char *error, size_t size);

/*
 * Write what is present back: known lines get their value, missing ones are appended, every other line stays.  The file
 * is replaced as a whole (FLUE_EIO: it was not touched).
 */
FLUE_MUST_CHECK enum flue_err flue_keywords_save(const char *path, const struct flue_keywords *keywords);

/*
 * The settings as parameters (every member set, revision 6): grouped keywords under granular ones, *LsoV2IPv4 over
 * *LsoV1IPv4, the global switches over all.
 */
void flue_keywords_parameters(const struct flue_keywords *keywords, NDIS_OFFLOAD_PARAMETERS *parameters);

/* Take over what a parameters request sets; members with NO_CHANGE stay. */
void flue_keywords_update(struct flue_keywords *keywords, const NDIS_OFFLOAD_PARAMETERS *parameters);

#ifdef __cplusplus
}
#endif
#endif
