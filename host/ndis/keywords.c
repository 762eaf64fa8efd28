/* Standardized keywords: the settings file, and what it means (task-offload.md 4.5). */
#include "flue/ndis/keywords.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LINE_BYTES 512u

static const struct keyword_info {
    const char *name;
    uint32_t min, max, otherwise; /* legal values, default */
} info[FLUE_KW_COUNT] = {
    [FLUE_KW_IP_CSUM_IPV4] = {"*IPChecksumOffloadIPv4", 0, 3, 3},
    [FLUE_KW_TCP_CSUM_IPV4] = {"*TCPChecksumOffloadIPv4", 0, 3, 3},
    [FLUE_KW_TCP_CSUM_IPV6] = {"*TCPChecksumOffloadIPv6", 0, 3, 3},
    [FLUE_KW_UDP_CSUM_IPV4] = {"*UDPChecksumOffloadIPv4", 0, 3, 3},
    [FLUE_KW_UDP_CSUM_IPV6] = {"*UDPChecksumOffloadIPv6", 0, 3, 3},
    [FLUE_KW_TCPUDP_CSUM_IPV4] = {"*TCPUDPChecksumOffloadIPv4", 0, 3, 3},
    [FLUE_KW_TCPUDP_CSUM_IPV6] = {"*TCPUDPChecksumOffloadIPv6", 0, 3, 3},
    [FLUE_KW_LSO_V1_IPV4] = {"*LsoV1IPv4", 0, 1, 1},
    [FLUE_KW_LSO_V2_IPV4] = {"*LsoV2IPv4", 0, 1, 1},
    [FLUE_KW_LSO_V2_IPV6] = {"*LsoV2IPv6", 0, 1, 1},
    [FLUE_KW_USO_IPV4] = {"*UsoIPv4", 0, 1, 1},
    [FLUE_KW_USO_IPV6] = {"*UsoIPv6", 0, 1, 1},
    [FLUE_KW_RSC_IPV4] = {"*RscIPv4", 0, 1, 1},
    [FLUE_KW_RSC_IPV6] = {"*RscIPv6", 0, 1, 1},
    [FLUE_KW_UDP_RSC] = {"*UdpRsc", 0, 1, 1},
    [FLUE_KW_ENCAPSULATED] = {"*EncapsulatedPacketTaskOffload", 0, 1, 1},
    [FLUE_KW_ENCAPSULATED_GRE] = {"*EncapsulatedPacketTaskOffloadNvgre", 0, 1, 1},
    [FLUE_KW_ENCAPSULATED_VXLAN] = {"*EncapsulatedPacketTaskOffloadVxlan", 0, 1, 1},
    [FLUE_KW_VXLAN_PORT] = {"*VxlanUDPPortNumber", 1, 65535, 4789},
    [FLUE_KW_IPSEC_V1] = {"*IPsecOffloadV1IPv4", 0, 3, 3},
    [FLUE_KW_IPSEC_V2] = {"*IPsecOffloadV2", 0, 3, 3},
    [FLUE_KW_IPSEC_V2_IPV4] = {"*IPsecOffloadV2IPv4", 0, 3, 3},
    [FLUE_KW_CONNECTION_IPV4] = {"*TCPConnectionOffloadIPv4", 0, 1, 1},
    [FLUE_KW_CONNECTION_IPV6] = {"*TCPConnectionOffloadIPv6", 0, 1, 1},
    [FLUE_KW_PRIORITY_VLAN] = {"*PriorityVLANTag", 0, 3, 3},
    [FLUE_KW_JUMBO_PACKET] = {"*JumboPacket", 1514, 65535, 1514},
    [FLUE_KW_PTP_TIMESTAMP] = {"*PtpHardwareTimestamp", 0, 1, 0},
    [FLUE_KW_SOFTWARE_TIMESTAMP] = {"*SoftwareTimestamp", 0, 5, 0},
    [FLUE_KW_INTERRUPT_MODERATION] = {"*InterruptModeration", 0, 1, 1},
    [FLUE_KW_DISABLE_TASK_OFFLOAD] = {"DisableTaskOffload", 0, 1, 0},
    [FLUE_KW_IPSEC_ENABLED] = {"EnabledOffload", 0, 1, 1},
};

const char *flue_keyword_name(enum flue_keyword keyword)
{
    return (unsigned)keyword < FLUE_KW_COUNT ? info[keyword].name : NULL;
}

void flue_keywords_default(struct flue_keywords *keywords)
{
    for (unsigned i = 0; i < FLUE_KW_COUNT; i++) {
        keywords->value[i] = info[i].otherwise;
        keywords->present[i] = false;
    }
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* A line in its parts, cut in place; name null for a blank line or a comment.  False: neither. */
static bool split(char *line, char **name, char **value)
{
    line[strcspn(line, "\r\n")] = '\0';
    while (isspace((unsigned char)*line))
        line++;
    *name = *value = NULL;
    if (*line == '\0' || *line == '#' || *line == ';')
        return true;
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return false;
    for (char *end = equals; end > line && isspace((unsigned char)end[-1]); end--)
        end[-1] = '\0';
    *equals++ = '\0';
    while (isspace((unsigned char)*equals))
        equals++;
    for (char *end = equals + strlen(equals); end > equals && isspace((unsigned char)end[-1]); end--)
        end[-1] = '\0';
    *name = line;
    *value = equals;
    return *line != '\0' && strcspn(line, " \t") == strlen(line);
}

static enum flue_keyword find(const char *name)
{
    for (unsigned i = 0; i < FLUE_KW_COUNT; i++)
        if (strcasecmp(name, info[i].name) == 0)
            return (enum flue_keyword)i;
    return FLUE_KW_COUNT;
}

/* A decimal integer and nothing else. */
static bool number(const char *text, uint32_t *value)
{
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 9)
        return false;
    *value = (uint32_t)strtoul(text, NULL, 10);
    return true;
}

struct reader {
    const char *path;
    unsigned line;
    flue_keyword_note *note;
    void *ctx;
};

static void __attribute__((format(printf, 2, 3))) note(const struct reader *r, const char *format, ...)
{
    char text[LINE_BYTES + 256];
    va_list args;

    if (r->note == NULL)
        return;
    int at = snprintf(text, sizeof text, "%s:%u: ", r->path, r->line);
    va_start(args, format);
    if (at > 0 && (size_t)at < sizeof text)
        vsnprintf(text + at, sizeof text - (size_t)at, format, args);
    va_end(args);
    r->note(r->ctx, text);
}

static void take(const struct reader *r, struct flue_keywords *keywords, const char *name, const char *text)
{
    enum flue_keyword k = find(name);
    uint32_t value;

    if (k == FLUE_KW_COUNT) {
        note(r, "%.64s is no keyword of this adapter; kept, without effect", name);
        return;
    }
    if (keywords->present[k])
        note(r, "%s stands here again; this line counts", info[k].name);
    keywords->present[k] = true;
    keywords->value[k] = info[k].otherwise;
    if (number(text, &value) && value >= info[k].min && value <= info[k].max)
        keywords->value[k] = value;
    else
        note(r, "%s is '%.64s', not a number from %u to %u; its default %u counts", info[k].name, text, info[k].min,
             info[k].max, info[k].otherwise);
}

enum flue_err flue_keywords_load(const char *path, struct flue_keywords *keywords, flue_keyword_note *on_note, void *ctx,
                                 char *error, size_t size)
{
    struct reader r = {.path = path, .note = on_note, .ctx = ctx};
    char line[LINE_BYTES], *name, *value;
    enum flue_err err = FLUE_OK;

    flue_keywords_default(keywords);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        if (errno == ENOENT)
            return FLUE_OK;
        snprintf(error, size, "%s: %s", path, strerror(errno));
        return FLUE_EIO;
    }
    while (err == FLUE_OK && fgets(line, sizeof line, file) != NULL) {
        r.line++;
        if (strchr(line, '\n') == NULL && !feof(file)) {
            snprintf(error, size, "%s:%u: the line is longer than %u bytes", path, r.line, LINE_BYTES - 2);
            err = FLUE_EARG;
        } else if (!split(line, &name, &value)) {
            snprintf(error, size, "%s:%u: '%.64s' is not \"keyword = value\"", path, r.line, line);
            err = FLUE_EARG;
        } else if (name != NULL) {
            take(&r, keywords, name, value);
        }
    }
    if (err == FLUE_OK && ferror(file)) {
        snprintf(error, size, "%s: %s", path, strerror(errno));
        err = FLUE_EIO;
    }
    fclose(file);
    if (err != FLUE_OK)
        flue_keywords_default(keywords);
    return err;
}

/* Copy the old file line by line, with new values; what was not there is appended. */
static void rewrite(FILE *old, FILE *new, const struct flue_keywords *keywords)
{
    bool written[FLUE_KW_COUNT] = {false};
    char line[LINE_BYTES], copy[LINE_BYTES], *name, *value;

    while (old != NULL && fgets(line, sizeof line, old) != NULL) {
        memcpy(copy, line, sizeof copy);
        enum flue_keyword k = split(copy, &name, &value) && name != NULL ? find(name) : FLUE_KW_COUNT;
        if (k == FLUE_KW_COUNT || !keywords->present[k]) {
            fputs(line, new);
            if (line[strlen(line) - 1] != '\n' && feof(old))
                fputc('\n', new);
        } else if (!written[k]) {
            fprintf(new, "%s = %u\n", info[k].name, keywords->value[k]);
            written[k] = true;
        }
    }
    for (unsigned k = 0; k < FLUE_KW_COUNT; k++)
        if (keywords->present[k] && !written[k])
            fprintf(new, "%s = %u\n", info[k].name, keywords->value[k]);
}

enum flue_err flue_keywords_save(const char *path, const struct flue_keywords *keywords)
{
    char temp[4096];

    if (snprintf(temp, sizeof temp, "%s.new", path) >= (int)sizeof temp) {
        errno = ENAMETOOLONG;
        return FLUE_EIO;
    }
    FILE *old = fopen(path, "r");
    if (old == NULL && errno != ENOENT)
        return FLUE_EIO;
    FILE *new = fopen(temp, "w");
    if (new == NULL) {
        if (old != NULL)
            fclose(old);
        return FLUE_EIO;
    }
    rewrite(old, new, keywords);
    bool bad = ferror(new) != 0 || fflush(new) != 0 || fsync(fileno(new)) != 0;
    bad |= fclose(new) != 0;
    if (old != NULL) {
        bad |= ferror(old) != 0;
        fclose(old);
    }
    if (!bad && rename(temp, path) == 0)
        return FLUE_OK;
    unlink(temp);
    return FLUE_EIO;
}

/* ---- meaning ----------------------------------------------------------------------------------------------------- */

/* Members of a parameters request and their keyword: member = value + 1 (4.5, "transform"). */
static const struct pair {
    size_t member;
    enum flue_keyword keyword;
    enum flue_keyword group; /* FLUE_KW_COUNT: none */
} pairs[] = {
#define PAIR(member, keyword, group)                                                                                           \
    {                                                                                                                          \
        offsetof(NDIS_OFFLOAD_PARAMETERS, member), FLUE_KW_##keyword, FLUE_KW_##group                                          \
    }
    PAIR(IPv4Checksum, IP_CSUM_IPV4, TCPUDP_CSUM_IPV4),
    PAIR(TCPIPv4Checksum, TCP_CSUM_IPV4, TCPUDP_CSUM_IPV4),
    PAIR(UDPIPv4Checksum, UDP_CSUM_IPV4, TCPUDP_CSUM_IPV4),
    PAIR(TCPIPv6Checksum, TCP_CSUM_IPV6, TCPUDP_CSUM_IPV6),
    PAIR(UDPIPv6Checksum, UDP_CSUM_IPV6, TCPUDP_CSUM_IPV6),
    PAIR(LsoV1, LSO_V1_IPV4, COUNT),
    PAIR(IPsecV1, IPSEC_V1, COUNT),
    PAIR(LsoV2IPv4, LSO_V2_IPV4, COUNT),
    PAIR(LsoV2IPv6, LSO_V2_IPV6, COUNT),
    PAIR(TcpConnectionIPv4, CONNECTION_IPV4, COUNT),
    PAIR(TcpConnectionIPv6, CONNECTION_IPV6, COUNT),
    PAIR(IPsecV2, IPSEC_V2, COUNT),
    PAIR(IPsecV2IPv4, IPSEC_V2_IPV4, COUNT),
    PAIR(RscIPv4, RSC_IPV4, COUNT),
    PAIR(RscIPv6, RSC_IPV6, COUNT),
    PAIR(UdpSegmentation.IPv4, USO_IPV4, COUNT),
    PAIR(UdpSegmentation.IPv6, USO_IPV6, COUNT),
    PAIR(UdpRsc.Enabled, UDP_RSC, COUNT),
#undef PAIR
};

static bool is_ipsec(enum flue_keyword k)
{
    return k == FLUE_KW_IPSEC_V1 || k == FLUE_KW_IPSEC_V2 || k == FLUE_KW_IPSEC_V2_IPV4;
}

static bool is_connection(enum flue_keyword k)
{
    return k == FLUE_KW_CONNECTION_IPV4 || k == FLUE_KW_CONNECTION_IPV6;
}

static uint32_t effective(const struct flue_keywords *keywords, const struct pair *p)
{
    enum flue_keyword k = p->keyword;

    if ((keywords->value[FLUE_KW_DISABLE_TASK_OFFLOAD] != 0 && !is_connection(k)) ||
        (keywords->value[FLUE_KW_IPSEC_ENABLED] == 0 && is_ipsec(k)))
        return 0;
    if (k == FLUE_KW_LSO_V1_IPV4 && keywords->present[FLUE_KW_LSO_V2_IPV4])
        k = FLUE_KW_LSO_V2_IPV4;
    if (p->group != FLUE_KW_COUNT && !keywords->present[k] && keywords->present[p->group])
        k = p->group;
    return keywords->value[k];
}

void flue_keywords_parameters(const struct flue_keywords *keywords, NDIS_OFFLOAD_PARAMETERS *parameters)
{
    memset(parameters, 0, sizeof *parameters);
    parameters->Header = (NDIS_OBJECT_HEADER){NDIS_OBJECT_TYPE_DEFAULT, NDIS_OFFLOAD_PARAMETERS_REVISION_6,
                                              NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_6};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        ((uint8_t *)parameters)[pairs[i].member] = (uint8_t)(effective(keywords, &pairs[i]) + 1);
    bool off = keywords->value[FLUE_KW_DISABLE_TASK_OFFLOAD] != 0 || keywords->value[FLUE_KW_ENCAPSULATED] == 0;
    parameters->EncapsulatedPacketTaskOffload = off ? NDIS_OFFLOAD_SET_OFF : NDIS_OFFLOAD_SET_ON;
    if (!off)
        parameters->EncapsulationTypes =
            (uint8_t)((keywords->value[FLUE_KW_ENCAPSULATED_GRE] != 0 ? NDIS_ENCAPSULATION_TYPE_GRE_MAC : 0) |
                      (keywords->value[FLUE_KW_ENCAPSULATED_VXLAN] != 0 ? NDIS_ENCAPSULATION_TYPE_VXLAN : 0));
    parameters->EncapsulationProtocolParameters.VxlanParameters.VxlanUDPPortNumber =
        (uint16_t)keywords->value[FLUE_KW_VXLAN_PORT];
}

void flue_keywords_update(struct flue_keywords *keywords, const NDIS_OFFLOAD_PARAMETERS *parameters)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        uint8_t member = ((const uint8_t *)parameters)[pairs[i].member];
        if (member == NDIS_OFFLOAD_PARAMETERS_NO_CHANGE)
            continue;
        keywords->value[pairs[i].keyword] = member - 1u;
        keywords->present[pairs[i].keyword] = true;
    }
}
