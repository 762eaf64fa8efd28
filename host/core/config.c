/*
 * Settings: what the switches ask for, what the hardware can, what is written into TX_CFG and RX_CFG.
 *
 * CFG is always a subset of the hardware's abilities (TO-158).  At start everything the hardware can is on, but identification
 * counts with 16 bits, and nothing is activated (TO-157).
 */
#include <string.h>
#include "internal.h"

enum family { FAMILY_ANY, FAMILY_IPV4, FAMILY_IPV6 };

/* A switch and its bit in TX_CFG and RX_CFG; 0 where it has none. */
static const struct switch_info {
    const char *name;
    uint32_t tx, rx;
    enum family family;
} info[FLUE_SW_COUNT] = {
    [FLUE_SW_IP4_CSUM] = {"ip4-csum", FLUE_TX_CFG_IP4_CSUM_MASK, FLUE_RX_CFG_IP4_CSUM_MASK, FAMILY_IPV4},
    [FLUE_SW_TCP4_CSUM] = {"tcp4-csum", FLUE_TX_CFG_TCP4_CSUM_MASK, FLUE_RX_CFG_TCP4_CSUM_MASK, FAMILY_IPV4},
    [FLUE_SW_UDP4_CSUM] = {"udp4-csum", FLUE_TX_CFG_UDP4_CSUM_MASK, FLUE_RX_CFG_UDP4_CSUM_MASK, FAMILY_IPV4},
    [FLUE_SW_TCP6_CSUM] = {"tcp6-csum", FLUE_TX_CFG_TCP6_CSUM_MASK, FLUE_RX_CFG_TCP6_CSUM_MASK, FAMILY_IPV6},
    [FLUE_SW_UDP6_CSUM] = {"udp6-csum", FLUE_TX_CFG_UDP6_CSUM_MASK, FLUE_RX_CFG_UDP6_CSUM_MASK, FAMILY_IPV6},
    [FLUE_SW_VLAN] = {"vlan", FLUE_TX_CFG_VLAN_INSERT_MASK, FLUE_RX_CFG_VLAN_STRIP_MASK, FAMILY_ANY},
    [FLUE_SW_LSO_V1] = {"lso-v1", FLUE_TX_CFG_LSO_V1_MASK, 0, FAMILY_IPV4},
    [FLUE_SW_LSO_V2_IPV4] = {"lso-v2-ipv4", FLUE_TX_CFG_LSO_V2_IPV4_MASK, 0, FAMILY_IPV4},
    [FLUE_SW_LSO_V2_IPV6] = {"lso-v2-ipv6", FLUE_TX_CFG_LSO_V2_IPV6_MASK, 0, FAMILY_IPV6},
    [FLUE_SW_LSO_ID_15BIT] = {"lso-id-15bit", FLUE_TX_CFG_ID_15BIT_MASK, 0, FAMILY_ANY},
    [FLUE_SW_RX_IP_OPTS] = {"rx-ip-opts", 0, FLUE_RX_CFG_IP_OPTS_MASK, FAMILY_IPV4},
    [FLUE_SW_RX_IP6_EXT] = {"rx-ip6-ext", 0, FLUE_RX_CFG_IP6_EXT_MASK, FAMILY_IPV6},
    [FLUE_SW_RX_TCP_OPTS] = {"rx-tcp-opts", 0, FLUE_RX_CFG_TCP_OPTS_MASK, FAMILY_ANY},
};

const char *flue_switch_name(enum flue_switch sw)
{
    return (unsigned)sw < FLUE_SW_COUNT ? info[sw].name : NULL;
}

enum flue_err flue_switch_find(const char *name, enum flue_switch *sw)
{
    if (name == NULL || sw == NULL)
        return FLUE_EARG;
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++)
        if (strcmp(name, info[i].name) == 0) {
            *sw = (enum flue_switch)i;
            return FLUE_OK;
        }
    return FLUE_EARG;
}

bool flue_switch_has_direction(enum flue_switch sw)
{
    return (unsigned)sw < FLUE_SW_COUNT && info[sw].tx != 0 && info[sw].rx != 0;
}

/* Value of a switch as its two bits, transmit (or ON) and receive. */
static uint8_t way_of(enum flue_switch sw, bool tx, bool rx)
{
    if (!flue_switch_has_direction(sw))
        return tx || rx ? FLUE_WAY_ON : FLUE_WAY_OFF;
    return (uint8_t)((tx ? FLUE_WAY_TX : 0) | (rx ? FLUE_WAY_RX : 0));
}

void flue_config_caps(const struct flue_adapter *a, struct flue_config *caps)
{
    uint32_t tx = FLUE_GET(CAPS_TX, a->identity.caps), rx = FLUE_GET(CAPS_RX, a->identity.caps);

    for (unsigned i = 0; i < FLUE_SW_COUNT; i++)
        caps->way[i] = way_of((enum flue_switch)i, (tx & info[i].tx) != 0, (rx & info[i].rx) != 0);
    caps->max_offload_bytes = FLUE_TX_LIMIT_MAX_OFFLOAD_MASK;
    caps->max_frame_bytes = a->identity.max_frame_bytes;
}

void flue_config_get(const struct flue_adapter *a, struct flue_config *now)
{
    *now = a->config;
}

void flue_config_keep(struct flue_config *request)
{
    memset(request->way, FLUE_WAY_KEEP, sizeof request->way);
    request->max_offload_bytes = 0;
    request->max_frame_bytes = 0;
}

/* Registers say "bytes without the tag"; a build's largest frame has room for one (registers.md, FRAME_LIMIT). */
#define TAG_BYTES           4u
#define MAX_OFFLOAD_DEFAULT 65535u
#define FRAME_BYTES_MIN     64u

void config_defaults(struct flue_adapter *a)
{
    flue_config_caps(a, &a->config);
    a->config.way[FLUE_SW_LSO_ID_15BIT] = FLUE_WAY_OFF; /* Linux counts with 16 bits (task-offload.md 6.3) */
    a->config.way[FLUE_SW_VLAN] &= FLUE_WAY_TX;         /* tags stay in received frames until asked for */
    a->config.max_offload_bytes = MAX_OFFLOAD_DEFAULT;
    uint32_t build = a->identity.max_frame_bytes - TAG_BYTES;
    a->config.max_frame_bytes = FLUE_FRAME_LIMIT_DEFAULT < build ? FLUE_FRAME_LIMIT_DEFAULT : build;
}

/* May transmit offloads of this family be used?  Only an explicit OFF takes them away (TO-171). */
static bool family_sends(const struct flue_adapter *a, enum family family)
{
    return family == FAMILY_ANY || a->encap[family == FAMILY_IPV6] != FLUE_ENCAP_OFF;
}

/* Receive results of this family need an explicit ON (TO-031). */
static bool family_receives(const struct flue_adapter *a, enum family family)
{
    return family == FAMILY_ANY || a->encap[family == FAMILY_IPV6] == FLUE_ENCAP_ON;
}

void flue_config_active(const struct flue_adapter *a, struct flue_config *now)
{
    *now = a->config;
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++) {
        if (info[i].tx != 0 && !family_sends(a, info[i].family))
            now->way[i] &= (uint8_t)~FLUE_WAY_TX;
        if (info[i].rx != 0 && !family_receives(a, info[i].family))
            now->way[i] &= (uint8_t) ~(info[i].tx != 0 ? FLUE_WAY_RX : FLUE_WAY_ON);
    }
}

/* Receive results that are switched on for an IP version: bits of flue_rx_done.csum. */
static uint32_t results_of(const struct flue_adapter *a, bool ipv6)
{
    struct flue_config on;
    uint32_t bits = 0;

    flue_config_active(a, &on);
    if ((on.way[FLUE_SW_IP4_CSUM] & FLUE_WAY_RX) != 0 && !ipv6)
        bits |= FLUE_EVENT_RX_IP_OK_MASK | FLUE_EVENT_RX_IP_BAD_MASK;
    if ((on.way[ipv6 ? FLUE_SW_TCP6_CSUM : FLUE_SW_TCP4_CSUM] & FLUE_WAY_RX) != 0)
        bits |= FLUE_EVENT_RX_TCP_OK_MASK | FLUE_EVENT_RX_TCP_BAD_MASK;
    if ((on.way[ipv6 ? FLUE_SW_UDP6_CSUM : FLUE_SW_UDP4_CSUM] & FLUE_WAY_RX) != 0)
        bits |= FLUE_EVENT_RX_UDP_OK_MASK | FLUE_EVENT_RX_UDP_BAD_MASK;
    return bits;
}

enum flue_err config_write(struct flue_adapter *a)
{
    uint32_t tx = 0, rx = 0;

    for (unsigned i = 0; i < FLUE_SW_COUNT; i++) {
        bool directed = flue_switch_has_direction((enum flue_switch)i);
        if ((a->config.way[i] & FLUE_WAY_TX) != 0 && family_sends(a, info[i].family))
            tx |= info[i].tx;
        if ((a->config.way[i] & (directed ? FLUE_WAY_RX : FLUE_WAY_ON)) != 0)
            rx |= info[i].rx;
    }
    if (a->encap[0] == FLUE_ENCAP_ON)
        rx |= FLUE_RX_CFG_ENCAP_V4_MASK;
    if (a->encap[1] == FLUE_ENCAP_ON)
        rx |= FLUE_RX_CFG_ENCAP_V6_MASK;
    TRY(reg_write(a, FLUE_REG_TX_LIMIT, FLUE_PUT(TX_LIMIT_MAX_OFFLOAD, a->config.max_offload_bytes)));
    TRY(reg_write(a, FLUE_REG_FRAME_LIMIT, FLUE_PUT(FRAME_LIMIT_MAX_FRAME, a->config.max_frame_bytes)));
    TRY(reg_write(a, FLUE_REG_TX_CFG, tx));
    TRY(reg_write(a, FLUE_REG_RX_CFG, rx));
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++)
        a->rx_results[ipv6] = results_of(a, ipv6 != 0);
    return FLUE_OK;
}

static bool way_legal(enum flue_switch sw, uint8_t way)
{
    return way == FLUE_WAY_KEEP || way <= (flue_switch_has_direction(sw) ? FLUE_WAY_BOTH : FLUE_WAY_ON);
}

enum flue_err flue_config_set(struct flue_adapter *a, const struct flue_config *request)
{
    struct flue_config caps;

    if (a == NULL || request == NULL || request->max_offload_bytes > FLUE_TX_LIMIT_MAX_OFFLOAD_MASK ||
        (request->max_frame_bytes != 0 && request->max_frame_bytes < FRAME_BYTES_MIN))
        return FLUE_EARG;
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++)
        if (!way_legal((enum flue_switch)i, request->way[i]))
            return FLUE_EARG;
    if (a->state == ADAPTER_BROKEN)
        return FLUE_EDEVICE;
    flue_config_caps(a, &caps);
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++)
        if (request->way[i] != FLUE_WAY_KEEP && (request->way[i] & ~caps.way[i]) != 0)
            return FLUE_EUNSUPP;
    if (request->max_frame_bytes > a->identity.max_frame_bytes - TAG_BYTES)
        return FLUE_EUNSUPP;

    struct flue_config before = a->config;
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++)
        if (request->way[i] != FLUE_WAY_KEEP)
            a->config.way[i] = request->way[i];
    if (request->max_offload_bytes != 0)
        a->config.max_offload_bytes = request->max_offload_bytes;
    if (request->max_frame_bytes != 0)
        a->config.max_frame_bytes = request->max_frame_bytes;
    enum flue_err err = config_write(a);
    if (err != FLUE_OK) {
        a->config = before;
        return err;
    }
    if (a->handlers.config_changed != NULL)
        a->handlers.config_changed(a->handlers.ctx, &a->config);
    return FLUE_OK;
}

static bool encap_legal(enum flue_encap e)
{
    return e == FLUE_ENCAP_KEEP || e == FLUE_ENCAP_ON || e == FLUE_ENCAP_OFF;
}

enum flue_err flue_encap_set(struct flue_adapter *a, enum flue_encap ipv4, enum flue_encap ipv6)
{
    if (a == NULL || !encap_legal(ipv4) || !encap_legal(ipv6))
        return FLUE_EARG;
    if (a->state == ADAPTER_BROKEN)
        return FLUE_EDEVICE;
    uint8_t before[2] = {a->encap[0], a->encap[1]};
    if (ipv4 != FLUE_ENCAP_KEEP)
        a->encap[0] = (uint8_t)ipv4;
    if (ipv6 != FLUE_ENCAP_KEEP)
        a->encap[1] = (uint8_t)ipv6;
    enum flue_err err = config_write(a);
    if (err != FLUE_OK) {
        memcpy(a->encap, before, sizeof before);
        return err;
    }
    if (a->handlers.config_changed != NULL)
        a->handlers.config_changed(a->handlers.ctx, &a->config);
    return FLUE_OK;
}

enum flue_err flue_encap_get(const struct flue_adapter *a, bool *ipv4, bool *ipv6)
{
    if (a == NULL || ipv4 == NULL || ipv6 == NULL)
        return FLUE_EARG;
    *ipv4 = a->encap[0] == FLUE_ENCAP_ON;
    *ipv6 = a->encap[1] == FLUE_ENCAP_ON;
    return a->encap[0] == FLUE_ENCAP_KEEP && a->encap[1] == FLUE_ENCAP_KEEP ? FLUE_ESTATE : FLUE_OK;
}
