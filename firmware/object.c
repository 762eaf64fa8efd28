/*
 * Objects: handles, rows, free lists, references, the index, and rows that failed their check.
 *
 * A row is the object.  Free rows form a list through `parent`; rows that were never used since a cold start lie above
 * `fresh` and are in no list.  A row is BUILDING from the moment it is taken until it is in the index and refers to its
 * parent, so that a start at any moment finds out what to drop.
 */
#include "object.h"

static uint32_t get(uint32_t table, uint32_t row, uint32_t word)
{
    return hw_row_get((enum flue_table)table, row, word);
}

static void put(uint32_t table, uint32_t row, uint32_t word, uint32_t value)
{
    hw_row_put((enum flue_table)table, row, word, value);
}

static bool in_use(uint32_t word0)
{
    return row_state(word0) > FLUE_ROW_BUILDING;
}

/* ---- handles ---- */

/* The same checks as object_seek(), in the order that tells most. */
COLD detail_t object_miss(uint32_t handle, uint32_t layer, uint32_t word)
{
    uint32_t kind = FIELD(handle, FLUE_HANDLE_KIND), index = FIELD(handle, FLUE_HANDLE_INDEX);
    uint32_t generation = FIELD(handle, FLUE_HANDLE_GENERATION);
    if (kind == FLUE_TBL_SYSTEM || generation == 0 || index >= fw.size[kind])
        return FLUE_AD_HANDLE;
    if (kind != layer)
        return FLUE_AD_WRONG_KIND;
    uint32_t past = (FIELD(word, FLUE_ROW_HEAD_GENERATION) - generation) & 0x3FFF;
    return past >= 1 && past < 0x2000 ? FLUE_AD_STALE : FLUE_AD_HANDLE;
}

detail_t object_find(uint32_t handle, uint32_t layer, bool corrupt_too, uint32_t *row, uint32_t *word0)
{
    return object_seek(&handle, layer, corrupt_too, row, word0);
}

/* ---- rows ---- */

/* All free rows of a table back into its list; the number used counted anew. */
static void chain(uint32_t layer)
{
    uint32_t head = NO_ROW, used = 0;
    for (uint32_t row = fw.size[layer]; row-- > 0;) {
        uint32_t word = get(layer, row, W_STATE);
        if (row_state(word) == FLUE_ROW_FREE) {
            put(layer, row, W_LINK, head);
            head = row;
        } else {
            used++;
        }
    }
    fw.free[layer] = head;
    fw.fresh[layer] = fw.size[layer];
    fw.used[layer] = used;
}

uint32_t object_chained(uint32_t layer)
{
    chain(layer);
    return fw.free[layer];
}

detail_t object_take(uint32_t layer, NDIS_STATUS none, uint32_t *row, uint32_t *generation)
{
    return object_take_row(layer, none, row, generation);
}

void object_guard(uint32_t layer, uint32_t row, uint32_t generation, uint32_t parent)
{
    object_put_guard(layer, row, generation, parent);
}

void object_free(uint32_t layer, uint32_t row)
{
    object_free_row(layer, row);
}

void object_left(void)
{
    uint32_t row = fw.leaving - 1;
    if (fw.leaving == 0)
        return;
    fw.leaving = 0;
    (void)hw_table_end(NULL); /* deleted, or was not there */
    object_free(TCP, row);
}

/* ---- index ---- */

/* Another seed, derived from the secret one by a block cipher of its own number (XTEA, 32 rounds). */
static void next_seed(uint32_t seed[4])
{
    uint32_t key[4];
    uint32_t number = get(FLUE_TBL_SYSTEM, SYS_RESEEDS >> 6, SYS_RESEEDS & 63) + 1;
    put(FLUE_TBL_SYSTEM, SYS_RESEEDS >> 6, SYS_RESEEDS & 63, number);
    hw_seed(key);
    for (uint32_t half = 0; half < 2; half++) {
        uint32_t a = number, b = half, sum = 0;
        for (unsigned round = 0; round < 32; round++) {
            a += ((b << 4 ^ b >> 5) + b) ^ (sum + key[sum & 3]);
            sum += 0x9E3779B9u;
            b += ((a << 4 ^ a >> 5) + a) ^ (sum + key[sum >> 11 & 3]);
        }
        seed[2 * half] = a;
        seed[2 * half + 1] = b;
    }
}

static void reseed(void)
{
    for (unsigned attempt = 0; attempt < 64; attempt++) {
        uint32_t seed[4];
        next_seed(seed);
        hw_table_seed(seed);
        enum flue_table_result result = hw_table_cmd(FLUE_TOP_RESEED, 0, NULL);
        if (result == FLUE_TR_OK)
            return;
        if (result == FLUE_TR_CHECK)
            (void)object_errors();
    }
    hw_trap(FW_TRAP_INDEX);
}

/* Put a row into its index, after the first attempt had this result.  LIMIT leaves the status to the caller. */
detail_t object_reindex(enum flue_table_op insert, uint32_t row, enum flue_table_result result)
{
    for (unsigned attempt = 1;; attempt++) {
        switch (result) {
        case FLUE_TR_OK:
            return FLUE_AD_NONE;
        case FLUE_TR_EXISTS:
            return FLUE_AD_DUPLICATE;
        case FLUE_TR_FULL:
            reseed();
            break;
        default:
            (void)object_errors(); /* a row on the way was bad: now it is marked and its key mended */
            break;
        }
        if (attempt == 8)
            return FLUE_AD_LIMIT;
        result = hw_table_cmd(insert, row, NULL);
    }
}

detail_t object_index(enum flue_table_op insert, uint32_t row)
{
    return object_reindex(insert, row, hw_table_cmd(insert, row, NULL));
}

COLD void object_unindex(enum flue_table_op delete, uint32_t row)
{
    object_left();
    for (unsigned attempt = 0; attempt < 8; attempt++) {
        enum flue_table_result result = hw_table_cmd(delete, row, NULL);
        if (result != FLUE_TR_CHECK)
            return; /* deleted, or was not there */
        (void)object_errors();
    }
}

/* ---- rows that failed their check ---- */

static uint32_t count_children(uint32_t layer, uint32_t row)
{
    uint32_t count = 0;
    if (layer < TCP)
        for (uint32_t child = 0; child < fw.size[layer + 1]; child++)
            if (in_use(get(layer + 1, child, W_STATE)) && (get(layer + 1, child, W_LINK) & FLUE_ROW_HEAD_PARENT_MASK) == row)
                count++;
    return count;
}

/* The connections below an object that is corrupt are asked back: their own state is sound. */
static void ask_back(uint32_t layer, uint32_t row)
{
    for (uint32_t c = 0; c < fw.size[TCP]; c++) {
        uint32_t word = get(TCP, c, W_STATE);
        if (row_state(word) != FLUE_ROW_RUNNING && row_state(word) != FLUE_ROW_LOADED)
            continue;
        uint32_t parent = get(TCP, c, W_LINK) & FLUE_ROW_HEAD_PARENT_MASK;
        if (layer == NEIGHBOR && parent < fw.size[PATH])
            parent = get(PATH, parent, W_LINK) & FLUE_ROW_HEAD_PARENT_MASK;
        if (parent == row)
            put(TCP, c, W_STATE, word | PENDING_UPLOAD);
    }
}

/* A key nothing on the wire has, and no other row: the entry can then be deleted, and found by nobody. */
COLD void object_blind(uint32_t layer, uint32_t row)
{
    if (layer == TCP) {
        put(TCP, row, W_C_PATH, NO_ROW);
        put(TCP, row, W_C_PORTS, row);
    } else {
        put(PATH, row, W_P_KEY, FLUE_ROW_PATH_KEY_IPV6_MASK | FLUE_ROW_PATH_KEY_VLAN_MASK);
        for (uint32_t i = 0; i < 8; i++)
            put(PATH, row, W_P_SOURCE + i, i ? 0xFFFFFFFFu : row);
    }
}

static bool is_key(uint32_t layer, uint32_t word)
{
    return layer == TCP    ? word == W_C_PATH || word == W_C_PORTS
           : layer == PATH ? word >= W_P_KEY && word < W_P_SOURCE + 8
                           : false;
}

static void mend(uint32_t layer, uint32_t row, uint32_t word, uint32_t error)
{
    uint32_t guard = get(layer, row, object_guard_word(layer));
    uint32_t head = get(layer, row, W_STATE);
    if (word == W_STATE) {
        head = guard >> 1 & FLUE_ROW_HEAD_GENERATION_MASK;
        if (guard & FLUE_ROW_GUARD_GUARD_USED_MASK)
            head |= layer == TCP ? FLUE_ROW_FROZEN : FLUE_ROW_LIVE;
    }
    if (!in_use(head)) { /* free or BUILDING: nobody's object */
        if (word != W_STATE)
            put(layer, row, word, get(layer, row, word));
        put(layer, row, W_STATE, head);
        if (row_state(head) == FLUE_ROW_FREE) {
            chain(layer);
        } else if (is_key(layer, word)) { /* it may be in the index already */
            object_blind(layer, row);
            reseed();
        }
        fw.loose_error[layer] = error;
        return;
    }
    if (word == W_LINK) {
        uint32_t parent = FIELD(guard, FLUE_ROW_GUARD_GUARD_PARENT);
        put(layer, row, W_LINK, parent | count_children(layer, row) << FLUE_ROW_HEAD_REFS_SHIFT);
    } else if (word == object_guard_word(layer)) {
        object_guard(layer, row, head & FLUE_ROW_HEAD_GENERATION_MASK,
                     get(layer, row, W_LINK) & FLUE_ROW_HEAD_PARENT_MASK & FLUE_ROW_GUARD_GUARD_PARENT_MASK);
    } else if (word != W_STATE) {
        put(layer, row, word, get(layer, row, word));
    }
    bool known = head & FLUE_ROW_HEAD_CORRUPT_MASK;
    head |= FLUE_ROW_HEAD_CORRUPT_MASK;
    if (!known) {
        head |= PENDING_ERROR | (layer == TCP ? PENDING_UPLOAD | PENDING_ABORT : 0);
        guard = get(layer, row, object_guard_word(layer)) & ~FLUE_ROW_GUARD_GUARD_WORD_MASK;
        put(layer, row, object_guard_word(layer), guard | IN_FIELD(word, FLUE_ROW_GUARD_GUARD_WORD));
    }
    put(layer, row, W_STATE, head);
    fw.notices = true;
    if (!known && layer != TCP)
        ask_back(layer, row);
    if (is_key(layer, word)) {
        object_blind(layer, row);
        reseed();
    }
}

/* Bounded by what one pass can find wrong; the rest is found by the next. */
COLD bool object_take_errors(void)
{
    object_left();
    bool any = false;
    for (unsigned i = 0; i < 64; i++) {
        uint32_t error = hw_table_error();
        if (!(error & FLUE_TABLE_ERROR_VALID_MASK))
            break;
        any = true;
        uint32_t layer = FIELD(error, FLUE_TABLE_ERROR_TABLE), row = FIELD(error, FLUE_TABLE_ERROR_ROW);
        uint32_t word = FIELD(error, FLUE_TABLE_ERROR_WORD);
        fw.notices = true;
        if (layer == FLUE_TBL_SYSTEM) {
            config_mend((row << 6 | word) & 255);
            fw.loose_error[0] = error;
        } else if (row < fw.size[layer] && word <= object_guard_word(layer)) {
            mend(layer, row, word, error);
        }
    }
    return any;
}

/* ---- start ---- */

static void key_from_row(uint32_t layer, uint32_t row)
{
    uint32_t key[9];
    uint32_t words = layer == TCP ? 2 : 9, first = layer == TCP ? W_C_PATH : W_P_KEY;
    for (uint32_t i = 0; i < words; i++)
        key[i] = get(layer, row, first + i);
    hw_table_key(key, words);
}

static bool indexed(uint32_t layer, uint32_t row)
{
    uint32_t found = NO_ROW;
    key_from_row(layer, row);
    return hw_table_cmd(layer == TCP ? FLUE_TOP_FIND_CONN : FLUE_TOP_FIND_PATH, 0, &found) == FLUE_TR_OK && found == row;
}

/* One row as a stopped firmware left it. */
static COLD void pick_up(uint32_t layer, uint32_t row)
{
    uint32_t word = get(layer, row, W_STATE);
    if (object_errors())
        word = get(layer, row, W_STATE);
    uint32_t state = row_state(word);
    bool own = layer == NEIGHBOR || state == FLUE_ROW_FREE || indexed(layer, row);
    if (object_errors()) { /* its key was bad: mended now */
        word = get(layer, row, W_STATE);
        state = row_state(word);
        own = layer == NEIGHBOR || state == FLUE_ROW_FREE || indexed(layer, row);
    }
    if (state == FLUE_ROW_BUILDING || state > FLUE_ROW_FROZEN) {
        if (layer != NEIGHBOR && own)
            object_unindex(layer == TCP ? FLUE_TOP_DELETE_CONN : FLUE_TOP_DELETE_PATH, row);
        uint32_t generation = (word + (1u << FLUE_ROW_HEAD_GENERATION_SHIFT)) & FLUE_ROW_HEAD_GENERATION_MASK;
        put(layer, row, object_guard_word(layer), generation << 1);
        put(layer, row, W_STATE, generation | FLUE_ROW_FREE);
    } else if (!own) { /* stopped while it was moved or freed */
        if (layer == PATH) {
            uint32_t parent = object_link(PATH, row) & FLUE_ROW_HEAD_PARENT_MASK;
            if (parent < fw.size[NEIGHBOR]) {
                uint32_t vlan = get(NEIGHBOR, parent, W_N_CONST + 1) & FLUE_ROW_PATH_KEY_VLAN_MASK;
                put(PATH, row, W_P_KEY, (get(PATH, row, W_P_KEY) & FLUE_ROW_PATH_KEY_IPV6_MASK) | vlan);
            }
        }
        (void)object_index(layer == TCP ? FLUE_TOP_INSERT_CONN : FLUE_TOP_INSERT_PATH, row);
    }
    if (word & FLUE_ROW_HEAD_PENDING_MASK)
        fw.notices = true;
}

/* Numbers that are kept beside the rows: dependents excepted. */
COLD void object_count(void)
{
    fw.established[0] = fw.established[1] = fw.sending = fw.buffering = 0;
    for (uint32_t row = 0; row < fw.size[TCP]; row++) {
        uint32_t word = get(TCP, row, W_STATE);
        if (row_state(word) != FLUE_ROW_LOADED && row_state(word) != FLUE_ROW_RUNNING)
            continue;
        uint32_t state = get(TCP, row, W_C_DELEGATED) & FLUE_WIRE_TCP_DELEGATED_STATE_MASK;
        if (state == 4 || state == 7)
            fw.established[(word & FLUE_ROW_HEAD_IPV6_MASK) != 0]++;
        fw.sending += get(TCP, row, W_C_DELEGATED + offsetof(struct flue_wire_tcp_delegated, send_backlog) / 4) != 0;
        fw.buffering += get(TCP, row, W_C_DELEGATED + offsetof(struct flue_wire_tcp_delegated, receive_backlog) / 4) != 0;
    }
}

static COLD void refer_again(void)
{
    for (uint32_t layer = NEIGHBOR; layer < TCP; layer++) {
        for (uint32_t row = 0; row < fw.size[layer]; row++)
            if (in_use(get(layer, row, W_STATE)))
                put(layer, row, W_LINK, object_link(layer, row) & FLUE_ROW_HEAD_PARENT_MASK);
        for (uint32_t row = 0; row < fw.size[layer + 1]; row++) {
            uint32_t word = get(layer + 1, row, W_STATE);
            if (!in_use(word))
                continue;
            uint32_t parent = object_link(layer + 1, row) & FLUE_ROW_HEAD_PARENT_MASK;
            if (parent < fw.size[layer] && in_use(get(layer, parent, W_STATE)))
                object_refer(layer, parent, 1);
            else
                put(layer + 1, row, W_STATE, word | FLUE_ROW_HEAD_CORRUPT_MASK);
        }
    }
}

/* Tables forgotten (cold), or taken over as they are. */
COLD void object_start(bool cold)
{
    hw_table_sizes(&fw.size[TCP], &fw.size[PATH], &fw.size[NEIGHBOR]);
    if (cold) {
        uint32_t seed[4];
        put(FLUE_TBL_SYSTEM, 0, SYS_RESEEDS, 0);
        next_seed(seed);
        hw_table_seed(seed);
        (void)hw_table_cmd(FLUE_TOP_CLEAR, 0, NULL);
        put(FLUE_TBL_SYSTEM, 0, SYS_RESEEDS, 1);
        for (unsigned layer = NEIGHBOR; layer <= TCP; layer++)
            fw.free[layer] = NO_ROW;
        for (unsigned i = 0; i < 64 && hw_table_error(); i++) {
        }
        return;
    }
    for (uint32_t layer = NEIGHBOR; layer <= TCP; layer++) {
        for (uint32_t row = 0; row < fw.size[layer]; row++)
            pick_up(layer, row);
        chain(layer);
    }
    refer_again();
    object_count();
    (void)object_errors();
}

/* Count distinct source MACs, VLANs and local addresses: only for a limit that was set, to try refusals. */
COLD void object_distinct(void)
{
    const struct flue_cfg_limits *limits = &fw.config.limits;
    fw.distinct[0] = fw.distinct[1] = fw.distinct[2] = 0;
    if ((limits->hw_addresses & limits->vlans) != UINT32_MAX)
        for (uint32_t row = 0; row < fw.size[NEIGHBOR]; row++)
            if (in_use(get(NEIGHBOR, row, W_STATE)))
                for (unsigned what = 0; what < 2; what++) {
                    uint32_t value[2] = {get(NEIGHBOR, row, W_N_CONST), get(NEIGHBOR, row, W_N_CONST + 1)};
                    fw.distinct[what] += !neighbor_seen(row, what, value, row);
                }
    if (limits->ip_addresses != UINT32_MAX)
        for (uint32_t row = 0; row < fw.size[PATH]; row++)
            if (in_use(get(PATH, row, W_STATE)))
                fw.distinct[2] += !path_seen(row, row);
}
