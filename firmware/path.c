/*
 * Paths: addresses, MTU; the key of the path index is {version, VLAN of the neighbor, addresses}.
 */
#include "fw.h"

static uint32_t get(uint32_t row, uint32_t word)
{
    return hw_row_get(FLUE_TBL_PATH, row, word);
}

static void put(uint32_t row, uint32_t word, uint32_t value)
{
    hw_row_put(FLUE_TBL_PATH, row, word, value);
}

/* Some path below `end` other than `row` has the local address of `row`. */
bool path_seen(uint32_t row, uint32_t end)
{
    for (uint32_t other = 0; other < end; other++) {
        if (other == row || row_state(get(other, W_STATE)) != FLUE_ROW_LIVE ||
            ((get(other, W_P_KEY) ^ get(row, W_P_KEY)) & FLUE_ROW_PATH_KEY_IPV6_MASK))
            continue;
        uint32_t differs = 0;
        for (uint32_t i = 0; i < 4; i++)
            differs |= get(other, W_P_SOURCE + i) ^ get(row, W_P_SOURCE + i);
        if (!differs)
            return true;
    }
    return false;
}

static detail_t check_mtu(uint32_t mtu, bool ipv6)
{
    if (mtu < (ipv6 ? 1280u : 68u)) /* TCP-195 */
        return FLUE_AD_VALUE;
    if (mtu > config_limit(fw.config.limits.path_mtu, MAX_PATH_MTU))
        return admin_refuse(NDIS_STATUS_OFFLOAD_PATH_MTU);
    return FLUE_AD_NONE;
}

static uint32_t vlan_key(uint32_t neighbor)
{
    return hw_row_get(FLUE_TBL_NEIGHBOR, neighbor, W_N_CONST + 1) & FLUE_ROW_PATH_KEY_VLAN_MASK;
}
static_assert(FLUE_ROW_PATH_KEY_VLAN_MASK == FLUE_WIRE_NEIGHBOR_CONST_VLAN_ID_MASK, "the VLAN moves as it is");

detail_t path_take(const uint32_t *state, bool ipv6, const uint32_t *host, const struct fw_level *neighbor,
                   struct fw_level *out)
{
    uint32_t row, generation;
    if (!config_open(ipv6))
        return FLUE_AD_DISABLED;
    if (neighbor->word0 & FLUE_ROW_HEAD_INVALID_MASK)
        return FLUE_AD_BUSY;
    if (!ipv6 && (state[1] | state[2] | state[3] | state[5] | state[6] | state[7]))
        return FLUE_AD_VALUE;
    detail_t detail = check_mtu(state[8], ipv6);
    if (!detail)
        detail = object_take(PATH, NDIS_STATUS_OFFLOAD_PATH_ENTRIES, &row, &generation);
    if (detail)
        return detail;
    put(row, W_LINK, neighbor->row);
    put(row, W_HOST, host[0]);
    put(row, W_HOST + 1, host[1]);
    put(row, W_P_MTU, state[8]);
    put(row, W_P_KEY, (ipv6 ? FLUE_ROW_PATH_KEY_IPV6_MASK : 0) | vlan_key(neighbor->row));
    for (uint32_t i = 0; i < 8; i++)
        put(row, W_P_SOURCE + i, state[i]);
    object_guard(PATH, row, generation, neighbor->row);
    if (fw.config.limits.ip_addresses != UINT32_MAX) {
        object_distinct();
        if (fw.distinct[2] >= fw.config.limits.ip_addresses && !path_seen(row, fw.size[PATH]))
            detail = admin_refuse(NDIS_STATUS_OFFLOAD_IP_ADDRESS_ENTRIES);
    }
    if (!detail) {
        detail = object_index(FLUE_TOP_INSERT_PATH, row);
        if (detail == FLUE_AD_LIMIT)
            detail = admin_refuse(NDIS_STATUS_OFFLOAD_PATH_ENTRIES);
    }
    if (detail) {
        object_free(PATH, row);
        return detail;
    }
    object_refer(NEIGHBOR, neighbor->row, 1);
    out->word0 = generation | FLUE_ROW_LIVE | (ipv6 ? FLUE_ROW_HEAD_IPV6_MASK : 0);
    put(row, W_STATE, out->word0);
    out->row = row;
    return FLUE_AD_NONE;
}

detail_t path_query(uint32_t row, unsigned classes, uint32_t *state)
{
    if (classes & STATE_CONST)
        for (uint32_t i = 0; i < 8; i++)
            *state++ = get(row, W_P_SOURCE + i);
    if (classes & STATE_CACHED)
        *state = get(row, W_P_MTU);
    return FLUE_AD_NONE;
}

detail_t path_update(uint32_t row, const uint32_t *state)
{
    detail_t detail = check_mtu(state[0], get(row, W_P_KEY) & FLUE_ROW_PATH_KEY_IPV6_MASK);
    if (!detail)
        put(row, W_P_MTU, state[0]);
    return detail;
}

/* Point the path at another neighbor; its entry moves when the VLAN differs. */
detail_t path_relink(uint32_t row, const struct fw_level *neighbor)
{
    uint32_t link = object_link(PATH, row), old = link & FLUE_ROW_HEAD_PARENT_MASK;
    uint32_t key = get(row, W_P_KEY), moved = (key & FLUE_ROW_PATH_KEY_IPV6_MASK) | vlan_key(neighbor->row);
    if (old == neighbor->row)
        return FLUE_AD_NONE;
    if (moved != key) {
        uint32_t words[9], found;
        words[0] = moved;
        for (uint32_t i = 1; i < 9; i++)
            words[i] = get(row, W_P_KEY + i);
        hw_table_key(words, 9);
        if (hw_table_cmd(FLUE_TOP_FIND_PATH, 0, &found) == FLUE_TR_OK)
            return FLUE_AD_DUPLICATE;
        object_unindex(FLUE_TOP_DELETE_PATH, row);
    }
    object_refer(NEIGHBOR, old, -1);
    object_refer(NEIGHBOR, neighbor->row, 1);
    put(row, W_LINK, (link & FLUE_ROW_HEAD_REFS_MASK) | neighbor->row);
    object_guard(PATH, row, get(row, W_STATE) & FLUE_ROW_HEAD_GENERATION_MASK, neighbor->row);
    if (moved != key) {
        put(row, W_P_KEY, moved);
        if (object_index(FLUE_TOP_INSERT_PATH, row))
            hw_trap(FW_TRAP_INDEX); /* it had a slot a moment ago, and nobody has its key */
    }
    return FLUE_AD_NONE;
}

void path_free(uint32_t row)
{
    uint32_t neighbor = object_link(PATH, row) & FLUE_ROW_HEAD_PARENT_MASK;
    object_unindex(FLUE_TOP_DELETE_PATH, row);
    if (neighbor < fw.size[NEIGHBOR])
        object_refer(NEIGHBOR, neighbor, -1);
    object_free(PATH, row);
}
