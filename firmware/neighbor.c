/*
 * Neighbors: MAC addresses, VLAN, reachability clocks.  Clocks are kept as the tick they name (chimney.md 4.9).
 */
#include "fw.h"

static uint32_t get(uint32_t row, uint32_t word)
{
    return hw_row_get(FLUE_TBL_NEIGHBOR, row, word);
}

static void put(uint32_t row, uint32_t word, uint32_t value)
{
    hw_row_put(FLUE_TBL_NEIGHBOR, row, word, value);
}

/* Needs the value no further entry: it is zero, or some neighbor below `end` other than `row` has it.  what: 0 MAC, 1 VLAN. */
bool neighbor_seen(uint32_t row, unsigned what, const uint32_t *value, uint32_t end)
{
    uint32_t mask0 = what == 0 ? UINT32_MAX : 0;
    uint32_t mask1 = what == 0 ? FLUE_WIRE_NEIGHBOR_CONST_DL_SOURCE_HI_MASK : FLUE_WIRE_NEIGHBOR_CONST_VLAN_ID_MASK;
    if (!(value[0] & mask0) && !(value[1] & mask1))
        return true;
    for (uint32_t other = 0; other < end; other++)
        if (other != row && row_state(get(other, W_STATE)) == FLUE_ROW_LIVE && !((get(other, W_N_CONST) ^ value[0]) & mask0) &&
            !((get(other, W_N_CONST + 1) ^ value[1]) & mask1))
            return true;
    return false;
}

static detail_t check_vlan(uint32_t vlan)
{
    const struct flue_cfg_vlans *own = &fw.config.vlans;
    if (vlan == 0 || own->count == 0)
        return FLUE_AD_NONE;
    for (uint32_t i = 0; i < own->count; i++)
        if ((i & 1 ? own->ids[i >> 1] >> 16 : own->ids[i >> 1] & 0xFFF) == vlan)
            return FLUE_AD_NONE;
    return admin_refuse(NDIS_STATUS_OFFLOAD_VLAN_MISMATCH);
}

static bool cached_valid(const uint32_t *cached)
{
    return !(cached[1] & FLUE_WIRE_NEIGHBOR_CACHED_WORD1_ZERO);
}

detail_t neighbor_take(const uint32_t *state, const uint32_t *host, struct fw_level *out)
{
    const struct flue_cfg_limits *limits = &fw.config.limits;
    uint32_t row, generation, vlan = FIELD(state[1], FLUE_WIRE_NEIGHBOR_CONST_VLAN_ID);
    if ((state[1] & FLUE_WIRE_NEIGHBOR_CONST_WORD1_ZERO) || !cached_valid(state + 2) || vlan == 0xFFF)
        return FLUE_AD_VALUE;
    detail_t detail = check_vlan(vlan);
    if (detail)
        return detail;
    if ((limits->hw_addresses & limits->vlans) != UINT32_MAX) {
        object_distinct();
        if (fw.distinct[0] >= limits->hw_addresses && !neighbor_seen(NO_ROW, 0, state, fw.size[NEIGHBOR]))
            return admin_refuse(NDIS_STATUS_OFFLOAD_HW_ADDRESS_ENTRIES);
        if (fw.distinct[1] >= limits->vlans && !neighbor_seen(NO_ROW, 1, state, fw.size[NEIGHBOR]))
            return admin_refuse(NDIS_STATUS_OFFLOAD_VLAN_ENTRIES);
    }
    detail = object_take(NEIGHBOR, NDIS_STATUS_OFFLOAD_NEIGHBOR_ENTRIES, &row, &generation);
    if (detail)
        return detail;
    uint32_t now = time_ticks();
    put(row, W_LINK, 0);
    put(row, W_HOST, host[0]);
    put(row, W_HOST + 1, host[1]);
    put(row, W_TICKS, now);
    for (uint32_t i = 0; i < 4; i++) /* constant, destination */
        put(row, W_N_CONST + i, state[i]);
    put(row, W_N_HRT, now - state[4]);
    put(row, W_N_NRT, now - state[5]);
    object_guard(NEIGHBOR, row, generation, 0);
    out->word0 = generation | FLUE_ROW_LIVE;
    put(row, W_STATE, out->word0);
    out->row = row;
    return FLUE_AD_NONE;
}

detail_t neighbor_query(uint32_t row, unsigned classes, uint32_t *state)
{
    uint32_t now = time_ticks();
    if (classes & STATE_CONST) {
        *state++ = get(row, W_N_CONST);
        *state++ = get(row, W_N_CONST + 1);
    }
    if (classes & STATE_CACHED) {
        *state++ = get(row, W_N_DEST);
        *state++ = get(row, W_N_DEST + 1);
        *state++ = now - get(row, W_N_HRT);
    }
    if (classes & STATE_DELEGATED)
        *state = now - get(row, W_N_NRT);
    return FLUE_AD_NONE;
}

detail_t neighbor_update(uint32_t row, const uint32_t *state)
{
    if (!cached_valid(state))
        return FLUE_AD_VALUE;
    put(row, W_N_DEST, state[0]);
    put(row, W_N_DEST + 1, state[1]);
    put(row, W_N_HRT, time_ticks() - state[2]);
    return FLUE_AD_NONE;
}

void neighbor_free(uint32_t row)
{
    object_free(NEIGHBOR, row);
}
