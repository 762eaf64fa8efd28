/*
 * Statistics of offloaded connections, by layer and IP version, in table SYSTEM.  Nothing counts yet but the gauge
 * CurrentlyEstablished: the rest is the TCP engine's.  A reset leaves the gauge alone, for it would be wrong (chimney.md 4.18).
 */
#include "fw.h"

enum { TCP_WORDS = sizeof(struct flue_stats_tcp) / 4, IP_WORDS = sizeof(struct flue_stats_ip) / 4 };

static uint32_t place(uint32_t *words)
{
    uint32_t group = fw.sqe.arg[0] - FLUE_SG_TCP4;
    *words = group < 2 ? TCP_WORDS : IP_WORDS;
    return group > FLUE_SG_IP6 - FLUE_SG_TCP4 ? 0
           : group < 2                        ? SYS_STATS + (group ? TCP_WORDS : 0)
                                              : SYS_STATS + 2 * TCP_WORDS + (group == 3 ? IP_WORDS : 0);
}

detail_t stats_get(void)
{
    uint32_t words, at = place(&words);
    if (!at)
        return FLUE_AD_GROUP;
    if (fw.sqe.length != 4 * words)
        return FLUE_AD_LENGTH;
    for (uint32_t i = 0; i < words; i++)
        fw.state[i] = hw_row_get(FLUE_TBL_SYSTEM, (at + i) >> 6, (at + i) & 63);
    if (fw.sqe.arg[0] <= FLUE_SG_TCP6)
        ((struct flue_stats_tcp *)(void *)fw.state)->currently_established = fw.established[fw.sqe.arg[0] == FLUE_SG_TCP6];
    return hw_dma_write(fw.sqe.word1, fw.sqe.offset, fw.state, 4 * words) ? FLUE_AD_NONE : FLUE_AD_REGION;
}

detail_t stats_reset(void)
{
    uint32_t words, at = place(&words);
    if (!at)
        return FLUE_AD_GROUP;
    for (uint32_t i = 0; i < words; i++)
        hw_row_put(FLUE_TBL_SYSTEM, (at + i) >> 6, (at + i) & 63, 0);
    return FLUE_AD_NONE;
}
