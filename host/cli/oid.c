/* OID requests, and the verbs that are nothing else: params, encap, the offload statistics. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "cli.h"
#include "flue/ndis/offload.h"
#include "flue/ndis/oid.h"
#include "flue/ndis/status.h"

/* ---- one request ------------------------------------------------------------------------------------------------- */

static char *hex_of(const void *data, size_t len)
{
    char *text = malloc(2 * len + 1);

    for (size_t i = 0; text != NULL && i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)data)[i]);
    if (text != NULL)
        text[2 * len] = '\0';
    return text;
}

/* Bytes that were read; a text that is no hex gives those before the first wrong digit. */
static size_t hex_read(const char *text, uint8_t *data, size_t cap)
{
    size_t n = 0;
    unsigned byte;

    while (n < cap && sscanf(text + 2 * n, "%2x", &byte) == 1)
        data[n++] = (uint8_t)byte;
    return n;
}

int oid_request(bool set, NDIS_OID oid, void *buffer, size_t len, bool quiet)
{
    cJSON *request = request_of("oid");
    char *hex = set ? hex_of(buffer, len) : NULL;

    cJSON_AddStringToObject(request, "type", set ? "set" : "query");
    cJSON_AddStringToObject(request, "oid", flue_ndis_oid_name(oid));
    if (set)
        cJSON_AddStringToObject(request, "data", hex != NULL ? hex : "");
    else
        cJSON_AddNumberToObject(request, "length", (double)len);
    free(hex);
    cJSON *answer = ask_raw(request);
    const cJSON *status = cJSON_GetObjectItem(answer, "status"), *data = cJSON_GetObjectItem(answer, "data");
    int result = answer_status(answer, quiet || cJSON_IsString(status));
    if (result == STATUS_REFUSED && cJSON_IsString(status) && !quiet)
        complain(result, "%s: %s", flue_ndis_oid_name(oid), status->valuestring);
    if (result == STATUS_OK && !set) {
        memset(buffer, 0, len);
        if (cJSON_IsString(data))
            hex_read(data->valuestring, buffer, len);
    }
    cJSON_Delete(answer);
    return result;
}

/* ---- params ------------------------------------------------------------------------------------------------------ */

enum family { FAMILY_CHECKSUM, FAMILY_SWITCH, FAMILY_SECURITY, FAMILY_SET };

/* Values of each family, in the order of their numbers from 1 (task-offload.md 4.2). */
static const char *const family_values[][5] = {
    [FAMILY_CHECKSUM] = {"off", "tx", "rx", "both"},
    [FAMILY_SWITCH] = {"off", "on"},
    [FAMILY_SECURITY] = {"off", "ah", "esp", "both"},
    [FAMILY_SET] = {"on", "off"},
};

#define PLACE(member) offsetof(NDIS_OFFLOAD_PARAMETERS, member)

static const struct parameter {
    const char *name; /* of the member */
    size_t at;
    enum family family;
} parameters[] = {
    {"IPv4Checksum", PLACE(IPv4Checksum), FAMILY_CHECKSUM},
    {"TCPIPv4Checksum", PLACE(TCPIPv4Checksum), FAMILY_CHECKSUM},
    {"UDPIPv4Checksum", PLACE(UDPIPv4Checksum), FAMILY_CHECKSUM},
    {"TCPIPv6Checksum", PLACE(TCPIPv6Checksum), FAMILY_CHECKSUM},
    {"UDPIPv6Checksum", PLACE(UDPIPv6Checksum), FAMILY_CHECKSUM},
    {"LsoV1", PLACE(LsoV1), FAMILY_SWITCH},
    {"LsoV2IPv4", PLACE(LsoV2IPv4), FAMILY_SWITCH},
    {"LsoV2IPv6", PLACE(LsoV2IPv6), FAMILY_SWITCH},
    {"TcpConnectionIPv4", PLACE(TcpConnectionIPv4), FAMILY_SWITCH},
    {"TcpConnectionIPv6", PLACE(TcpConnectionIPv6), FAMILY_SWITCH},
    {"RscIPv4", PLACE(RscIPv4), FAMILY_SWITCH},
    {"RscIPv6", PLACE(RscIPv6), FAMILY_SWITCH},
    {"UdpSegmentation.IPv4", PLACE(UdpSegmentation.IPv4), FAMILY_SWITCH},
    {"UdpSegmentation.IPv6", PLACE(UdpSegmentation.IPv6), FAMILY_SWITCH},
    {"UdpRsc", PLACE(UdpRsc.Enabled), FAMILY_SWITCH},
    {"IPsecV1", PLACE(IPsecV1), FAMILY_SECURITY},
    {"IPsecV2", PLACE(IPsecV2), FAMILY_SECURITY},
    {"EncapsulatedPacketTaskOffload", PLACE(EncapsulatedPacketTaskOffload), FAMILY_SET},
};

static const char *checksum_text(unsigned tx, unsigned rx)
{
    return family_values[FAMILY_CHECKSUM][(tx == NDIS_OFFLOAD_SUPPORTED ? 1 : 0) + (rx == NDIS_OFFLOAD_SUPPORTED ? 2 : 0)];
}

/* What a report says of a parameter: "off", "both"; of one without a line of its own, whether it is there at all. */
static const char *reported(const NDIS_OFFLOAD *o, const NDIS_TCP_CONNECTION_OFFLOAD *c, size_t at)
{
    const NDIS_TCP_IP_CHECKSUM_OFFLOAD *s = &o->Checksum;
    unsigned on;

    switch (at) {
    case PLACE(IPv4Checksum):
        return checksum_text(s->IPv4Transmit.IpChecksum, s->IPv4Receive.IpChecksum);
    case PLACE(TCPIPv4Checksum):
        return checksum_text(s->IPv4Transmit.TcpChecksum, s->IPv4Receive.TcpChecksum);
    case PLACE(UDPIPv4Checksum):
        return checksum_text(s->IPv4Transmit.UdpChecksum, s->IPv4Receive.UdpChecksum);
    case PLACE(TCPIPv6Checksum):
        return checksum_text(s->IPv6Transmit.TcpChecksum, s->IPv6Receive.TcpChecksum);
    case PLACE(UDPIPv6Checksum):
        return checksum_text(s->IPv6Transmit.UdpChecksum, s->IPv6Receive.UdpChecksum);
    case PLACE(LsoV1):
        on = o->LsoV1.IPv4.Encapsulation;
        break;
    case PLACE(LsoV2IPv4):
        on = o->LsoV2.IPv4.Encapsulation;
        break;
    case PLACE(LsoV2IPv6):
        on = o->LsoV2.IPv6.Encapsulation;
        break;
    case PLACE(TcpConnectionIPv4):
        on = c->SupportIPv4;
        break;
    case PLACE(TcpConnectionIPv6):
        on = c->SupportIPv6;
        break;
    default:
        return NULL;
    }
    return family_values[FAMILY_SWITCH][on != 0];
}

/* One of the requests "NAME=VALUE" into the structure; null, or what is wrong. */
static const char *parameter_read(NDIS_OFFLOAD_PARAMETERS *p, char *text)
{
    static char wrong[200];
    char *equals = strchr(text, '=');

    if (equals == NULL) {
        snprintf(wrong, sizeof wrong, "'%.60s' is not NAME=VALUE", text);
        return wrong;
    }
    *equals = '\0';
    for (size_t i = 0; i < COUNT(parameters); i++) {
        const char *const *values = family_values[parameters[i].family];
        uint8_t value = 0;
        if (strcasecmp(parameters[i].name, text) != 0)
            continue;
        for (uint8_t v = 0; values[v] != NULL && value == 0; v++)
            if (strcmp(values[v], equals + 1) == 0)
                value = (uint8_t)(v + 1);
        if (value == 0 && parameters[i].family == FAMILY_CHECKSUM && strcmp(equals + 1, "on") == 0)
            value = NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED;
        if (value == 0) {
            snprintf(wrong, sizeof wrong, "%s is %s, not '%.40s'", parameters[i].name,
                     parameters[i].family == FAMILY_CHECKSUM   ? "off, tx, rx or both"
                     : parameters[i].family == FAMILY_SECURITY ? "off, ah, esp or both"
                                                               : "on or off",
                     equals + 1);
            return wrong;
        }
        ((uint8_t *)p)[parameters[i].at] = value;
        return NULL;
    }
    snprintf(wrong, sizeof wrong, "there is no parameter '%.60s'", text);
    return wrong;
}

/* All of it or nothing (task-offload.md 4.3). */
static int parameters_set(NDIS_OFFLOAD_PARAMETERS *p)
{
    p->Header = (NDIS_OBJECT_HEADER){.Type = NDIS_OBJECT_TYPE_DEFAULT,
                                     .Revision = NDIS_OFFLOAD_PARAMETERS_REVISION_6,
                                     .Size = NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_6};
    return oid_request(true, OID_TCP_OFFLOAD_PARAMETERS, p, p->Header.Size, false);
}

static int params_show(void)
{
    NDIS_OFFLOAD hardware, current;
    NDIS_TCP_CONNECTION_OFFLOAD connection_hardware = {0}, connection = {0};
    cJSON *out = json ? cJSON_CreateObject() : NULL;

    int status = oid_request(false, OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, &hardware, sizeof hardware, false);
    if (status == STATUS_OK)
        status = oid_request(false, OID_TCP_OFFLOAD_CURRENT_CONFIG, &current, sizeof current, false);
    if (status != STATUS_OK) {
        cJSON_Delete(out);
        return status;
    }
    /* An adapter without connection offload answers neither. */
    (void)!oid_request(false, OID_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES, &connection_hardware,
                       sizeof connection_hardware, true);
    (void)!oid_request(false, OID_TCP_CONNECTION_OFFLOAD_CURRENT_CONFIG, &connection, sizeof connection, true);
    if (!json)
        printf("%-20s %-9s %s\n", "parameter", "hardware", "now");
    for (size_t i = 0; i < COUNT(parameters); i++) {
        const char *able = reported(&hardware, &connection_hardware, parameters[i].at);
        const char *now = reported(&current, &connection, parameters[i].at);
        if (able == NULL)
            continue;
        if (json) {
            cJSON *one = cJSON_AddObjectToObject(out, parameters[i].name);
            cJSON_AddStringToObject(one, "hardware", able);
            cJSON_AddStringToObject(one, "now", now);
        } else {
            printf("%-20s %-9s %s\n", parameters[i].name, able, now);
        }
    }
    if (json)
        json_print(out);
    else if (connection_hardware.TcpConnectionOffloadCapacity != 0)
        printf("\nconnections that can be offloaded at once: %" PRIu32 "\n", connection.TcpConnectionOffloadCapacity);
    cJSON_Delete(out);
    return STATUS_OK;
}

int verb_params(int argc, char **argv)
{
    NDIS_OFFLOAD_PARAMETERS p = {.Header = {0}};

    for (int i = 1; i < argc; i++) {
        const char *wrong = parameter_read(&p, argv[i]);
        if (wrong != NULL)
            return complain(STATUS_USAGE, "params: %s", wrong);
    }
    int status = argc > 1 ? parameters_set(&p) : STATUS_OK;
    return status == STATUS_OK ? params_show() : status;
}

/* ---- encap ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t type, header_bytes;
} framings[] = {{"802.3", NDIS_ENCAPSULATION_IEEE_802_3, 14}, {"llc-snap", NDIS_ENCAPSULATION_IEEE_LLC_SNAP_ROUTED, 22}};

/* `ipv4=802.3`, `ipv4=llc-snap`, `ipv4=off`; null, or what is wrong. */
static const char *framing_read(NDIS_OFFLOAD_ENCAPSULATION *e, const char *text)
{
    static char wrong[160];
    bool ipv4 = strncmp(text, "ipv4=", 5) == 0;

    if (!ipv4 && strncmp(text, "ipv6=", 5) != 0) {
        snprintf(wrong, sizeof wrong, "'%.60s' is not ipv4=FRAMING or ipv6=FRAMING", text);
        return wrong;
    }
    uint32_t enabled = 0, type = 0, bytes = 0;
    if (strcmp(text + 5, "off") == 0)
        enabled = NDIS_OFFLOAD_SET_OFF;
    for (size_t i = 0; i < COUNT(framings); i++)
        if (strcmp(text + 5, framings[i].name) == 0 || (i == 0 && strcmp(text + 5, "on") == 0)) {
            enabled = NDIS_OFFLOAD_SET_ON;
            type = framings[i].type;
            bytes = framings[i].header_bytes;
        }
    if (enabled == 0) {
        snprintf(wrong, sizeof wrong, "%.4s is 802.3 (or on), llc-snap or off, not '%.40s'", text, text + 5);
        return wrong;
    }
    __typeof__(e->IPv4) *one = ipv4 ? &e->IPv4 : (__typeof__(e->IPv4) *)&e->IPv6;
    one->Enabled = enabled;
    one->EncapsulationType = type;
    one->HeaderSize = bytes;
    return NULL;
}

static const char *framing_name(uint32_t enabled, uint32_t type)
{
    if (enabled != NDIS_OFFLOAD_SET_ON)
        return "off";
    for (size_t i = 0; i < COUNT(framings); i++)
        if (framings[i].type == type)
            return framings[i].name;
    return "?";
}

int verb_encap(int argc, char **argv)
{
    NDIS_OFFLOAD_ENCAPSULATION e = {.Header = {.Type = NDIS_OBJECT_TYPE_OFFLOAD_ENCAPSULATION,
                                               .Revision = NDIS_OFFLOAD_ENCAPSULATION_REVISION_1,
                                               .Size = NDIS_SIZEOF_OFFLOAD_ENCAPSULATION_REVISION_1}};
    int status = STATUS_OK;

    /* What is not named stays as it is; before the first set there is nothing to keep. */
    NDIS_OFFLOAD_ENCAPSULATION now;
    if (argc > 1 && (status = oid_request(false, OID_OFFLOAD_ENCAPSULATION, &now, sizeof now, true)) == STATUS_OK) {
        e.IPv4 = now.IPv4;
        e.IPv6 = now.IPv6;
    }
    for (int i = 1; i < argc; i++) {
        const char *wrong = framing_read(&e, argv[i]);
        if (wrong != NULL)
            return complain(STATUS_USAGE, "encap: %s", wrong);
    }
    if (argc > 1 && status != STATUS_NO_DAEMON)
        status = oid_request(true, OID_OFFLOAD_ENCAPSULATION, &e, e.Header.Size, false);
    if (status == STATUS_OK)
        status = oid_request(false, OID_OFFLOAD_ENCAPSULATION, &e, sizeof e, false);
    if (status != STATUS_OK)
        return status;
    const char *ipv4 = framing_name(e.IPv4.Enabled, e.IPv4.EncapsulationType);
    const char *ipv6 = framing_name(e.IPv6.Enabled, e.IPv6.EncapsulationType);
    if (json) {
        cJSON *out = cJSON_CreateObject();
        cJSON_AddStringToObject(out, "ipv4", ipv4);
        cJSON_AddStringToObject(out, "ipv6", ipv6);
        json_print(out);
        cJSON_Delete(out);
    } else {
        printf("ipv4 %s\nipv6 %s\n", ipv4, ipv6);
    }
    return STATUS_OK;
}

/* ---- statistics -------------------------------------------------------------------------------------------------- */

struct counter {
    const char *name;
    size_t at;
    bool wide;
};

#define COUNTER(type, member, is_wide)                                                                                         \
    {                                                                                                                          \
#member, offsetof(type, member), is_wide                                                                               \
    }
static const struct counter tcp_counters[] = {
    COUNTER(TCP_OFFLOAD_STATS, InSegments, true),
    COUNTER(TCP_OFFLOAD_STATS, OutSegments, true),
    COUNTER(TCP_OFFLOAD_STATS, CurrentlyEstablished, false),
    COUNTER(TCP_OFFLOAD_STATS, ResetEstablished, false),
    COUNTER(TCP_OFFLOAD_STATS, RetransmittedSegments, false),
    COUNTER(TCP_OFFLOAD_STATS, InErrors, false),
    COUNTER(TCP_OFFLOAD_STATS, OutResets, false),
};
static const struct counter ip_counters[] = {
    COUNTER(IP_OFFLOAD_STATS, InReceives, true),          COUNTER(IP_OFFLOAD_STATS, InOctets, true),
    COUNTER(IP_OFFLOAD_STATS, InDelivers, true),          COUNTER(IP_OFFLOAD_STATS, OutRequests, true),
    COUNTER(IP_OFFLOAD_STATS, OutOctets, true),           COUNTER(IP_OFFLOAD_STATS, InHeaderErrors, false),
    COUNTER(IP_OFFLOAD_STATS, InTruncatedPackets, false), COUNTER(IP_OFFLOAD_STATS, InDiscards, false),
    COUNTER(IP_OFFLOAD_STATS, OutDiscards, false),        COUNTER(IP_OFFLOAD_STATS, OutNoRoutes, false),
};

static const struct {
    const char *name;
    NDIS_OID oid;
    const struct counter *counters;
    size_t count, bytes;
} groups[] = {
    {"tcp4", OID_TCP4_OFFLOAD_STATS, tcp_counters, COUNT(tcp_counters), sizeof(TCP_OFFLOAD_STATS)},
    {"tcp6", OID_TCP6_OFFLOAD_STATS, tcp_counters, COUNT(tcp_counters), sizeof(TCP_OFFLOAD_STATS)},
    {"ip4", OID_IP4_OFFLOAD_STATS, ip_counters, COUNT(ip_counters), sizeof(IP_OFFLOAD_STATS)},
    {"ip6", OID_IP6_OFFLOAD_STATS, ip_counters, COUNT(ip_counters), sizeof(IP_OFFLOAD_STATS)},
};

bool offload_stats(cJSON *to)
{
    uint8_t buffer[sizeof(IP_OFFLOAD_STATS)];

    for (size_t g = 0; g < COUNT(groups); g++) {
        if (oid_request(false, groups[g].oid, buffer, groups[g].bytes, true) != STATUS_OK)
            return false;
        cJSON *group = cJSON_AddObjectToObject(to, groups[g].name);
        for (size_t i = 0; i < groups[g].count; i++) {
            const struct counter *c = &groups[g].counters[i];
            uint64_t value = 0;
            memcpy(&value, buffer + c->at, c->wide ? 8 : 4);
            cJSON_AddNumberToObject(group, c->name, (double)value);
        }
    }
    return true;
}

int offload_stats_reset(const char *name)
{
    bool all = strcmp(name, "all") == 0, found = all;
    uint8_t nothing = 0;

    for (size_t g = 0; g < COUNT(groups); g++)
        if (all || strcmp(name, groups[g].name) == 0) {
            int status = oid_request(true, groups[g].oid, &nothing, sizeof nothing, false);
            if (status != STATUS_OK)
                return status;
            found = true;
        }
    return found ? STATUS_OK : complain(STATUS_USAGE, "--reset: '%s' is not tcp4, tcp6, ip4, ip6 or all", name);
}
