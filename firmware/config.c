/*
 * Configuration: capabilities, connection parameters, switches, limits, VLANs.  A set is all or nothing.  The truth is in
 * memory; table SYSTEM has a copy that outlives a stop of the firmware.
 */
#include "fw.h"

static void sys_put(uint32_t word, uint32_t value)
{
    hw_row_put(FLUE_TBL_SYSTEM, word >> 6, word & 63, value);
}

static uint32_t sys_get(uint32_t word)
{
    return hw_row_get(FLUE_TBL_SYSTEM, word >> 6, word & 63);
}

static const struct flue_cfg_connection defaults = {
    .ticks_per_second = 1000,
    .word1 = IN_FIELD(2, FLUE_CFG_CONNECTION_ACK_FREQUENCY) | IN_FIELD(40, FLUE_CFG_CONNECTION_DELAYED_ACK_TICKS) |
             IN_FIELD(5, FLUE_CFG_CONNECTION_MAX_RETRANSMISSIONS) | IN_FIELD(3, FLUE_CFG_CONNECTION_DOUBT_RETRANSMISSIONS),
    .sws_prevention_ticks = 200,
    .duplicate_ack_threshold = 3,
    .push_ticks = 500,
    .nce_stale_ticks = 60000,
};

/* Cold: what a new adapter has; encapsulation is not set (it must be before anything is offloaded).  Warm: what was set. */
COLD void config_start(bool cold)
{
    uint32_t *word = (uint32_t *)&fw.config;
    if (!cold) {
        for (uint32_t i = 0; i < CONFIG_WORDS; i++)
            word[i] = sys_get(SYS_CONFIG + i);
        config_apply();
        return;
    }
    fw.config.connection = defaults;
    fw.config.switches.word0 = FLUE_CFG_SWITCHES_IPV4_MASK | FLUE_CFG_SWITCHES_IPV6_MASK;
    uint32_t *limit = (uint32_t *)&fw.config.limits;
    for (uint32_t i = 0; i < sizeof fw.config.limits / 4; i++)
        limit[i] = UINT32_MAX;
    for (uint32_t i = 0; i < CONFIG_WORDS; i++)
        sys_put(SYS_CONFIG + i, word[i]);
    sys_put(SYS_MAGIC, SYS_MARK);
    config_apply();
}

void config_apply(void)
{
    const struct flue_cfg_limits *limits = &fw.config.limits;
    fw.most[NEIGHBOR] = config_limit(limits->neighbors, fw.size[NEIGHBOR]);
    fw.most[PATH] = config_limit(limits->paths, fw.size[PATH]);
    fw.most[TCP] = config_limit(limits->connections, fw.size[TCP]);
    fw.rcv_wnd_most = config_limit(limits->rcv_wnd, MAX_RCV_WND);
    fw.shut[0] = ~fw.config.switches.word0 & (FLUE_CFG_SWITCHES_IPV4_MASK | FLUE_CFG_SWITCHES_ENCAP_IPV4_MASK);
    fw.shut[1] = ~fw.config.switches.word0 & (FLUE_CFG_SWITCHES_IPV6_MASK | FLUE_CFG_SWITCHES_ENCAP_IPV6_MASK);
}

/* A word of table SYSTEM failed its check: written again from memory, a statistic begins at 0. */
void config_mend(uint32_t word)
{
    const uint32_t *config = (const uint32_t *)&fw.config;
    if (word == SYS_MAGIC)
        sys_put(word, SYS_MARK);
    else if (word >= SYS_CONFIG && word < SYS_CONFIG + CONFIG_WORDS)
        sys_put(word, config[word - SYS_CONFIG]);
    else if (word != SYS_RESEEDS)
        sys_put(word, 0);
    else
        sys_put(word, sys_get(word));
}

uint32_t config_limit(uint32_t value, uint32_t most)
{
    return value < most ? value : most;
}

/* ---- what is accepted ---- */

static bool connection_valid(const struct flue_cfg_connection *c)
{
    return (c->ticks_per_second == 10 || c->ticks_per_second == 100 || c->ticks_per_second == 1000) &&
           FIELD(c->word1, FLUE_CFG_CONNECTION_ACK_FREQUENCY) && FIELD(c->word1, FLUE_CFG_CONNECTION_DELAYED_ACK_TICKS) &&
           FIELD(c->word1, FLUE_CFG_CONNECTION_MAX_RETRANSMISSIONS) && c->sws_prevention_ticks && c->duplicate_ack_threshold &&
           c->push_ticks && c->nce_stale_ticks && !c->zero;
}

static bool switches_valid(const struct flue_cfg_switches *c)
{
    return !(c->word0 & FLUE_CFG_SWITCHES_WORD0_ZERO) && !c->zero;
}

static bool vlans_valid(const struct flue_cfg_vlans *c)
{
    if (c->count > 16 || c->zero)
        return false;
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t pair = c->ids[i >> 1], id = i & 1 ? pair >> 16 : pair & 0xFFFF;
        if (i < c->count ? id == 0 || id > 4094 : id != 0)
            return false;
    }
    return true;
}

/* Where a group is kept, and its length; null: no such group. */
static uint32_t *place(uint32_t group, uint32_t *bytes)
{
    switch (group) {
    case FLUE_CFG_CONNECTION:
        *bytes = sizeof fw.config.connection;
        return (uint32_t *)&fw.config.connection;
    case FLUE_CFG_SWITCHES:
        *bytes = sizeof fw.config.switches;
        return (uint32_t *)&fw.config.switches;
    case FLUE_CFG_LIMITS:
        *bytes = sizeof fw.config.limits;
        return (uint32_t *)&fw.config.limits;
    case FLUE_CFG_VLANS:
        *bytes = sizeof fw.config.vlans;
        return (uint32_t *)&fw.config.vlans;
    default:
        return NULL;
    }
}

detail_t config_set(void)
{
    uint32_t bytes, *kept = place(fw.sqe.arg[0], &bytes);
    const void *now = fw.state;
    bool valid = true;
    if (!kept)
        return FLUE_AD_GROUP;
    if (fw.sqe.length != bytes)
        return FLUE_AD_LENGTH;
    if (!hw_dma_read(fw.sqe.word1, fw.sqe.offset, fw.state, bytes))
        return FLUE_AD_REGION;
    switch (fw.sqe.arg[0]) {
    case FLUE_CFG_CONNECTION:
        valid = connection_valid(now);
        if (valid && fw.state[0] != fw.config.connection.ticks_per_second && (fw.used[NEIGHBOR] | fw.used[PATH] | fw.used[TCP]))
            return FLUE_AD_IN_USE;
        break;
    case FLUE_CFG_SWITCHES:
        valid = switches_valid(now);
        break;
    case FLUE_CFG_VLANS:
        valid = vlans_valid(now);
        break;
    default: /* limits: any number is one */
        break;
    }
    if (!valid)
        return FLUE_AD_CONFIG;
    uint32_t at = SYS_CONFIG + (uint32_t)(kept - (uint32_t *)&fw.config);
    for (uint32_t i = 0; i < bytes / 4; i++) {
        kept[i] = fw.state[i];
        sys_put(at + i, fw.state[i]);
    }
    config_apply();
    if (fw.sqe.arg[0] == FLUE_CFG_CONNECTION)
        time_start();
    return FLUE_AD_NONE;
}

detail_t config_get(void)
{
    uint32_t bytes = sizeof(struct flue_cfg_caps), *kept;
    const struct flue_cfg_limits *limits = &fw.config.limits;
    if (fw.sqe.arg[0] == FLUE_CFG_CAPS) {
        struct flue_cfg_caps *caps = (void *)fw.state;
        caps->neighbors = fw.most[NEIGHBOR];
        caps->paths = fw.most[PATH];
        caps->connections = fw.most[TCP];
        caps->max_rcv_wnd = fw.rcv_wnd_most;
        caps->max_path_mtu = config_limit(limits->path_mtu, MAX_PATH_MTU);
        caps->word5 = IN_FIELD(fw.engine, FLUE_CFG_CAPS_ENGINE);
        caps->image_bytes = fw_image_bytes();
        caps->stack_bytes = fw_stack_bytes();
    } else {
        kept = place(fw.sqe.arg[0], &bytes);
        if (!kept)
            return FLUE_AD_GROUP;
        for (uint32_t i = 0; i < bytes / 4; i++)
            fw.state[i] = kept[i];
    }
    if (fw.sqe.length != bytes)
        return FLUE_AD_LENGTH;
    return hw_dma_write(fw.sqe.word1, fw.sqe.offset, fw.state, bytes) ? FLUE_AD_NONE : FLUE_AD_REGION;
}
