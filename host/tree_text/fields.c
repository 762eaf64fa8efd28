/* Names and values of the tree text: one table of fields, and what each form looks like. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "flue/ndis/offload.h"
#include "tree_text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct flue_text_field_info infos[FLUE_TEXT_FIELDS] = {
#define X(id, of, group, text, limit, look, first, from)                                                                       \
    [FLUE_F_##id] = {.name = text,                                                                                             \
                     .layer = FLUE_LAYER_##of,                                                                                 \
                     .part = FLUE_PART_##group,                                                                                \
                     .form = FLUE_FORM_##look,                                                                                 \
                     .largest = (limit),                                                                                       \
                     .start = (first),                                                                                         \
                     .follows = FLUE_F_##from},
    FLUE_TEXT_FIELD_LIST(X)
#undef X
};

static_assert(FLUE_TEXT_FIELDS <= 64, "flue_text_item.given has a bit for each");

const struct flue_text_field_info *flue_text_field_info(enum flue_text_field field)
{
    return &infos[field];
}

/* ---- words with a number ----------------------------------------------------------------------------------------- */

struct word {
    const char *name;
    uint32_t value;
};

static const struct word layers[] = {
    {"placeholder", FLUE_LAYER_NONE}, {"neighbor", FLUE_LAYER_NEIGHBOR}, {"path", FLUE_LAYER_PATH}, {"tcp", FLUE_LAYER_TCP}};
static const struct word parts[] = {{"none", FLUE_PART_NONE},
                                    {"const", FLUE_PART_CONST},
                                    {"cached", FLUE_PART_CACHED},
                                    {"delegated", FLUE_PART_DELEGATED},
                                    {"full", FLUE_PART_FULL}};
static const struct word ops[] = {{"initiate", FLUE_TREE_INITIATE},
                                  {"query", FLUE_TREE_QUERY},
                                  {"update", FLUE_TREE_UPDATE},
                                  {"invalidate", FLUE_TREE_INVALIDATE},
                                  {"terminate", FLUE_TREE_TERMINATE}};
static const struct word handle_kinds[] = {
    {"neighbor", FLUE_TBL_NEIGHBOR}, {"path", FLUE_TBL_PATH}, {"connection", FLUE_TBL_CONNECTION}};

#define WORD_OF(record, member) (offsetof(struct flue_##record, member) / 4)

static const struct word limits[] = {
    {"neighbors", WORD_OF(cfg_limits, neighbors)},       {"paths", WORD_OF(cfg_limits, paths)},
    {"connections", WORD_OF(cfg_limits, connections)},   {"hw_addresses", WORD_OF(cfg_limits, hw_addresses)},
    {"ip_addresses", WORD_OF(cfg_limits, ip_addresses)}, {"vlans", WORD_OF(cfg_limits, vlans)},
    {"rcv_wnd", WORD_OF(cfg_limits, rcv_wnd)},           {"path_mtu", WORD_OF(cfg_limits, path_mtu)},
    {"xmit_buffers", WORD_OF(cfg_limits, xmit_buffers)}, {"rcv_buffers", WORD_OF(cfg_limits, rcv_buffers)}};
/* Keys are masks of the record's first word. */
static const struct word switches[] = {{"ipv4", FLUE_CFG_SWITCHES_IPV4_MASK},
                                       {"ipv6", FLUE_CFG_SWITCHES_IPV6_MASK},
                                       {"encap_ipv4", FLUE_CFG_SWITCHES_ENCAP_IPV4_MASK},
                                       {"encap_ipv6", FLUE_CFG_SWITCHES_ENCAP_IPV6_MASK},
                                       {"paused", FLUE_CFG_SWITCHES_PAUSED_MASK}};
/* Keys are offsets in NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS. */
#define PARAMETER(member)                                                                                                      \
    {                                                                                                                          \
#member, offsetof(NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS, member)                                                      \
    }
static const struct word parameters[] = {PARAMETER(TicksPerSecond),
                                         PARAMETER(TcpAckFrequency),
                                         PARAMETER(TcpDelayedAckTicks),
                                         PARAMETER(TcpMaximumRetransmissions),
                                         PARAMETER(TcpDoubtReachabilityRetransmissions),
                                         PARAMETER(TcpSwsPreventionTicks),
                                         PARAMETER(TcpDuplicateAckThreshold),
                                         PARAMETER(TcpPushTicks),
                                         PARAMETER(NceStaleTicks),
                                         PARAMETER(CongestionAlgorithm)};

static const struct word details[] = {
#define X(name, value, text) {#name, value},
    FLUE_AD_LIST(X)
#undef X
};

static const struct word const_flags[] = {{"TIMESTAMP_ENABLED", TCP_FLAG_TIMESTAMP_ENABLED},
                                          {"SACK_ENABLED", TCP_FLAG_SACK_ENABLED},
                                          {"WINDOW_SCALING_ENABLED", TCP_FLAG_WINDOW_SCALING_ENABLED}};
static const struct word cached_flags[] = {{"KEEP_ALIVE_ENABLED", TCP_FLAG_KEEP_ALIVE_ENABLED},
                                           {"NAGLING_ENABLED", TCP_FLAG_NAGLING_ENABLED},
                                           {"KEEP_ALIVE_RESTART", TCP_FLAG_KEEP_ALIVE_RESTART},
                                           {"MAX_RT_RESTART", TCP_FLAG_MAX_RT_RESTART},
                                           {"UPDATE_RCV_WND", TCP_FLAG_UPDATE_RCV_WND}};

static const struct word *by_name(const struct word *words, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(words[i].name, name) == 0)
            return &words[i];
    return NULL;
}

static const char *by_value(const struct word *words, size_t count, uint32_t value, const char *otherwise)
{
    for (size_t i = 0; i < count; i++)
        if (words[i].value == value)
            return words[i].name;
    return otherwise;
}

const char *flue_text_layer_name(enum flue_tree_layer layer)
{
    return by_value(layers, COUNT(layers), layer, "?");
}

const char *flue_text_part_name(enum flue_text_part part)
{
    return by_value(parts, COUNT(parts), part, "?");
}

const char *flue_text_op_name(enum flue_tree_op op)
{
    return by_value(ops, COUNT(ops), op, "?");
}

static const struct word *group_words(enum flue_config_group group, size_t *count)
{
    switch (group) {
    case FLUE_CFG_LIMITS:
        *count = COUNT(limits);
        return limits;
    case FLUE_CFG_SWITCHES:
        *count = COUNT(switches);
        return switches;
    case FLUE_CFG_CONNECTION:
        *count = COUNT(parameters);
        return parameters;
    case FLUE_CFG_CAPS:
    case FLUE_CFG_VLANS:
        break;
    }
    *count = 0;
    return NULL;
}

bool flue_text_setting_find(enum flue_config_group group, const char *name, unsigned *key)
{
    size_t count;
    const struct word *words = group_words(group, &count), *word = by_name(words, count, name);

    if (word != NULL)
        *key = word->value;
    return word != NULL;
}

const char *flue_text_setting_name(enum flue_config_group group, unsigned key)
{
    size_t count;
    const struct word *words = group_words(group, &count);

    return by_value(words, count, key, NULL);
}

bool flue_text_status_find(const char *name, NDIS_STATUS *status)
{
    static const NDIS_STATUS statuses[] = {NDIS_STATUS_SUCCESS,
                                           NDIS_STATUS_PENDING,
                                           NDIS_STATUS_FAILURE,
                                           NDIS_STATUS_INVALID_PARAMETER,
                                           NDIS_STATUS_RESOURCES,
                                           NDIS_STATUS_NOT_SUPPORTED,
                                           NDIS_STATUS_INVALID_STATE,
                                           NDIS_STATUS_REQUEST_ABORTED,
                                           NDIS_STATUS_INVALID_LENGTH,
                                           NDIS_STATUS_INVALID_DATA,
                                           NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS,
                                           NDIS_STATUS_OFFLOAD_STATE_INVALID,
                                           NDIS_STATUS_UPLOAD_IN_PROGRESS,
                                           NDIS_STATUS_OFFLOAD_TCP_ENTRIES,
                                           NDIS_STATUS_OFFLOAD_PATH_ENTRIES,
                                           NDIS_STATUS_OFFLOAD_NEIGHBOR_ENTRIES,
                                           NDIS_STATUS_OFFLOAD_IP_ADDRESS_ENTRIES,
                                           NDIS_STATUS_OFFLOAD_HW_ADDRESS_ENTRIES,
                                           NDIS_STATUS_OFFLOAD_VLAN_ENTRIES,
                                           NDIS_STATUS_OFFLOAD_TCP_XMIT_BUFFER,
                                           NDIS_STATUS_OFFLOAD_TCP_RCV_BUFFER,
                                           NDIS_STATUS_OFFLOAD_TCP_RCV_WINDOW,
                                           NDIS_STATUS_OFFLOAD_VLAN_MISMATCH,
                                           NDIS_STATUS_OFFLOAD_CONNECTION_REJECTED,
                                           NDIS_STATUS_OFFLOAD_PATH_MTU};
    static const char prefix[] = "NDIS_STATUS_";

    if (strncmp(name, prefix, sizeof prefix - 1) == 0)
        name += sizeof prefix - 1;
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (strcmp(flue_ndis_status_name(statuses[i]) + sizeof prefix - 1, name) == 0) {
            *status = statuses[i];
            return true;
        }
    return false;
}

bool flue_text_detail_find(const char *name, enum flue_admin_detail *detail)
{
    const struct word *word = by_name(details, COUNT(details), name);

    if (word != NULL)
        *detail = (enum flue_admin_detail)word->value;
    return word != NULL;
}

const char *flue_text_detail_name(unsigned detail)
{
    return by_value(details, COUNT(details), detail, "?");
}

const char *flue_text_detail_text(unsigned detail)
{
    switch (detail) {
#define X(name, value, text)                                                                                                   \
    case value:                                                                                                                \
        return text;
        FLUE_AD_LIST(X)
#undef X
    default:
        return "unknown";
    }
}

uint8_t flue_text_state_type(enum flue_tree_layer layer, enum flue_text_part part, bool ipv6)
{
    /* In the order of enum flue_text_part: without state the type names the layer (docs/control-plane.md, 2). */
    static const uint8_t neighbor[] = {NeighborOffloadState, NeighborOffloadConstState, NeighborOffloadCachedState,
                                       NeighborOffloadDelegatedState, NeighborOffloadState};
    static const uint8_t ip4[] = {Ip4OffloadState, Ip4OffloadConstState, Ip4OffloadCachedState, Ip4OffloadDelegatedState,
                                  Ip4OffloadState};
    static const uint8_t ip6[] = {Ip6OffloadState, Ip6OffloadConstState, Ip6OffloadCachedState, Ip6OffloadDelegatedState,
                                  Ip6OffloadState};
    static const uint8_t tcp[] = {TcpOffloadState, TcpOffloadConstState, TcpOffloadCachedState, TcpOffloadDelegatedState,
                                  TcpOffloadState};

    switch (layer) {
    case FLUE_LAYER_NEIGHBOR:
        return neighbor[part];
    case FLUE_LAYER_PATH:
        return ipv6 ? ip6[part] : ip4[part];
    case FLUE_LAYER_TCP:
        return tcp[part];
    default:
        return 0;
    }
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static void flags_text(const struct word *flags, size_t count, uint64_t value, char *text, size_t cap)
{
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        if ((value & flags[i].value) != 0 && at < cap) {
            at += (size_t)snprintf(text + at, cap - at, "%s%s", at > 0 ? "|" : "", flags[i].name);
            value &= ~(uint64_t)flags[i].value;
        }
    if ((value != 0 || at == 0) && at < cap)
        snprintf(text + at, cap - at, at > 0 ? "|0x%" PRIX64 : "%" PRIu64, value);
}

void flue_text_value(enum flue_text_field field, uint64_t value, char *text, size_t cap)
{
    static const char prefix[] = "TcpConnection";

    switch (infos[field].form) {
    case FLUE_FORM_MAC:
        snprintf(text, cap, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(value >> 40 & 0xFF), (unsigned)(value >> 32 & 0xFF),
                 (unsigned)(value >> 24 & 0xFF), (unsigned)(value >> 16 & 0xFF), (unsigned)(value >> 8 & 0xFF),
                 (unsigned)(value & 0xFF));
        return;
    case FLUE_FORM_CONST_FLAGS:
        flags_text(const_flags, COUNT(const_flags), value, text, cap);
        return;
    case FLUE_FORM_CACHED_FLAGS:
        flags_text(cached_flags, COUNT(cached_flags), value, text, cap);
        return;
    case FLUE_FORM_STATE: {
        const char *name = flue_ndis_connection_state_name((unsigned)value);
        if (strncmp(name, prefix, sizeof prefix - 1) == 0)
            snprintf(text, cap, "%s", name + sizeof prefix - 1);
        else
            snprintf(text, cap, "%" PRIu64, value);
        return;
    }
    case FLUE_FORM_NUMBER:
        break;
    }
    if (value == FLUE_NDIS_NONE)
        snprintf(text, cap, "none");
    else
        snprintf(text, cap, "%" PRIu64, value);
}

static bool number_read(const char *text, uint64_t *value)
{
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *value = strtoull(text, &end, text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
    return errno == 0 && *end == '\0';
}

static bool mac_read(const char *text, uint64_t *value)
{
    static const char digits[] = "0123456789abcdef";

    *value = 0;
    for (unsigned i = 0; i < 17; i++) {
        if (i % 3 == 2) {
            if (text[i] != ':')
                return false;
            continue;
        }
        const char *digit = text[i] != '\0' ? strchr(digits, tolower((unsigned char)text[i])) : NULL;
        if (digit == NULL)
            return false;
        *value = *value << 4 | (uint64_t)(digit - digits);
    }
    return text[17] == '\0';
}

static bool flags_read(const struct word *flags, size_t count, const char *text, uint64_t *value)
{
    static const char prefix[] = "TCP_FLAG_";

    *value = 0;
    for (;;) {
        char one[40];
        size_t len = strcspn(text, "|");
        uint64_t number;
        if (len == 0 || len >= sizeof one)
            return false;
        memcpy(one, text, len);
        one[len] = '\0';
        const char *name = strncasecmp(one, prefix, sizeof prefix - 1) == 0 ? one + sizeof prefix - 1 : one;
        const struct word *flag = by_name(flags, count, name);
        if (flag != NULL)
            *value |= flag->value;
        else if (number_read(one, &number))
            *value |= number;
        else
            return false;
        if (text[len] == '\0')
            return true;
        text += len + 1;
    }
}

static bool state_read(const char *text, uint64_t *value)
{
    static const char prefix[] = "TcpConnection";

    if (number_read(text, value))
        return true;
    if (strncasecmp(text, prefix, sizeof prefix - 1) == 0)
        text += sizeof prefix - 1;
    for (unsigned state = TcpConnectionClosed; state < TcpConnectionMaxState; state++)
        if (strcasecmp(flue_ndis_connection_state_name(state) + sizeof prefix - 1, text) == 0) {
            *value = state;
            return true;
        }
    return false;
}

/* What a value looks like, for a message. */
static const char *form_text(const struct flue_text_field_info *info)
{
    static _Thread_local char text[100];

    switch (info->form) {
    case FLUE_FORM_MAC:
        return "six bytes as in 02:00:00:00:00:01";
    case FLUE_FORM_CONST_FLAGS:
        return "of TIMESTAMP_ENABLED, SACK_ENABLED, WINDOW_SCALING_ENABLED, joined with |, or a number";
    case FLUE_FORM_CACHED_FLAGS:
        return "of KEEP_ALIVE_ENABLED, NAGLING_ENABLED, KEEP_ALIVE_RESTART, MAX_RT_RESTART, UPDATE_RCV_WND, joined with |";
    case FLUE_FORM_STATE:
        return "a state such as Established, FinWait1, CloseWait";
    case FLUE_FORM_NUMBER:
        break;
    }
    snprintf(text, sizeof text, "a number from 0 to %" PRIu64 "%s", info->largest,
             info->largest == FLUE_NDIS_NONE ? ", or none" : "");
    return text;
}

const char *flue_text_value_read(enum flue_text_field field, const char *text, uint64_t *value)
{
    static _Thread_local char wrong[200];
    const struct flue_text_field_info *info = &infos[field];
    bool read = false;

    switch (info->form) {
    case FLUE_FORM_MAC:
        read = mac_read(text, value);
        break;
    case FLUE_FORM_CONST_FLAGS:
        read = flags_read(const_flags, COUNT(const_flags), text, value);
        break;
    case FLUE_FORM_CACHED_FLAGS:
        read = flags_read(cached_flags, COUNT(cached_flags), text, value);
        break;
    case FLUE_FORM_STATE:
        read = state_read(text, value);
        break;
    case FLUE_FORM_NUMBER:
        read = number_read(text, value);
        if (!read && info->largest == FLUE_NDIS_NONE && strcmp(text, "none") == 0) {
            *value = FLUE_NDIS_NONE;
            read = true;
        }
        break;
    }
    if (read && *value <= info->largest)
        return NULL;
    snprintf(wrong, sizeof wrong, "%s is %s, not '%.32s'", info->name, form_text(info), text);
    return wrong;
}

/* ---- handles ----------------------------------------------------------------------------------------------------- */

void flue_text_handle(uint32_t handle, char *text, size_t cap)
{
    unsigned kind = handle >> FLUE_HANDLE_KIND_SHIFT;

    if (handle == 0)
        snprintf(text, cap, "-");
    else
        snprintf(text, cap, "%s/%u/%u", by_value(handle_kinds, COUNT(handle_kinds), kind, "?"),
                 (unsigned)((handle & FLUE_HANDLE_GENERATION_MASK) >> FLUE_HANDLE_GENERATION_SHIFT),
                 (unsigned)((handle & FLUE_HANDLE_INDEX_MASK) >> FLUE_HANDLE_INDEX_SHIFT));
}
