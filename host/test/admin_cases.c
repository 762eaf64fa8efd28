/* The cases of admin_cases.h. */
#include "admin_cases.h"

#include <stdio.h>
#include <string.h>
#include "flue/ndis/status.h"
#include "../core/slots.h"

#define MEM_BYTES  16384u
#define LIMIT_US   500000u
#define STEP_US    50u
#define LOG2_RINGS 4u

/* Leave the case with a sentence when a value is not what it should be. */
#define WANT(actual, expected)                                                                                                 \
    do {                                                                                                                       \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);                                            \
        if (actual_ != expected_) {                                                                                            \
            (void)snprintf(c->text, sizeof c->text, "line %d: %s is 0x%llX, expected 0x%llX", __LINE__, #actual, actual_,      \
                           expected_);                                                                                         \
            return c->text;                                                                                                    \
        }                                                                                                                      \
    } while (0)

#define TRY_CASE(call)                                                                                                         \
    do {                                                                                                                       \
        const char *said_ = (call);                                                                                            \
        if (said_ != NULL)                                                                                                     \
            return said_;                                                                                                      \
    } while (0)

static void on_done(void *ctx, const struct flue_admin_done *done)
{
    struct admin_cases *c = ctx;
    c->total++;
    c->aborted += done->status == (uint32_t)NDIS_STATUS_REQUEST_ABORTED;
    c->last = *done;
    c->order = c->order << 4 | ((uintptr_t)done->cookie & 15);
}

static void on_notice(void *ctx, enum flue_cqe_kind kind, uint32_t status, uint32_t result)
{
    struct admin_cases *c = ctx;
    (void)kind;
    (void)status;
    (void)result;
    c->notices++;
}

static void on_trap(void *ctx, const struct flue_admin_trap *trap)
{
    struct admin_cases *c = ctx;
    (void)trap;
    c->traps++;
}

enum flue_err admin_cases_start(struct admin_cases *c, struct flue_adapter *a)
{
    struct flue_admin_params params = {.log2_commands = LOG2_RINGS, .timeout_us = LIMIT_US, .seed = {1, 2, 3, 4}};
    struct flue_admin_handlers handlers = {c, on_done, on_notice, on_trap};

    memset(c, 0, sizeof *c);
    c->a = a;
    enum flue_err err = flue_mem_alloc(a, MEM_BYTES, FLUE_ACCESS_READ_WRITE, &c->mem);
    return err == FLUE_OK ? flue_admin_start(a, &params, &handlers, &c->admin) : err;
}

/* Poll until so many commands have come back. */
static const char *until(struct admin_cases *c, unsigned total)
{
    for (unsigned i = 0; i < LIMIT_US / STEP_US && c->total < total; i++) {
        unsigned handled;
        WANT(flue_poll(c->a, 16, &handled), FLUE_OK);
        if (c->total < total)
            WANT(flue_admin_check(c->admin, LIMIT_US), FLUE_OK); /* lets time pass */
    }
    WANT(c->total, total);
    return NULL;
}

static const char *submit(struct admin_cases *c, const struct flue_sqe *sqe, unsigned cookie)
{
    WANT(flue_admin_submit(c->admin, sqe, (void *)(uintptr_t)cookie), FLUE_OK);
    return NULL;
}

/* One command, its answer. */
static const char *one(struct admin_cases *c, const struct flue_sqe *sqe, uint32_t status, enum flue_admin_detail detail)
{
    unsigned before = c->total;
    TRY_CASE(submit(c, sqe, 1));
    TRY_CASE(until(c, before + 1));
    WANT(c->last.status, status);
    WANT(c->last.detail, detail);
    return NULL;
}

static struct flue_sqe command(uint32_t opcode)
{
    return (struct flue_sqe){.word0 = FLUE_PUT(SQE_OPCODE, opcode)};
}

static struct flue_sqe with_buffer(const struct admin_cases *c, uint32_t opcode, uint32_t offset, uint32_t bytes)
{
    struct flue_sqe sqe = command(opcode);
    sqe.word1 = FLUE_PUT(SQE_REGION, c->mem.region);
    sqe.offset = offset;
    sqe.length = bytes;
    return sqe;
}

/* ---- the cases --------------------------------------------------------------------------------------------------- */

static const char *heartbeat_answers(struct admin_cases *c)
{
    for (unsigned i = 0; i < 5; i++)
        WANT(flue_admin_check(c->admin, LIMIT_US), FLUE_OK);
    return NULL;
}

static const char *caps_are_the_registers(struct admin_cases *c)
{
    struct flue_admin_info info;
    struct flue_admin_done done;
    struct flue_cfg_caps caps = {0};
    struct flue_sqe sqe = command(FLUE_OP_GET_CONFIG);
    sqe.arg[0] = FLUE_CFG_CAPS;
    WANT(flue_admin_call(c->admin, &sqe, &caps, sizeof caps, &done), FLUE_OK);
    WANT(done.status, NDIS_STATUS_SUCCESS);
    flue_admin_info(c->admin, &info);
    WANT(le32toh(caps.connections), info.connections);
    WANT(le32toh(caps.paths), info.paths);
    WANT(le32toh(caps.neighbors), info.neighbors);
    WANT(le32toh(caps.word5) & 1u, info.engine);
    return NULL;
}

static const char *a_setting_comes_back(struct admin_cases *c)
{
    struct flue_admin_done done;
    struct flue_cfg_switches set = {.word0 = htole32(FLUE_CFG_SWITCHES_IPV4_MASK | FLUE_CFG_SWITCHES_ENCAP_IPV4_MASK)},
                             got = {0};
    struct flue_sqe sqe = command(FLUE_OP_SET_CONFIG);
    sqe.arg[0] = FLUE_CFG_SWITCHES;
    WANT(flue_admin_call(c->admin, &sqe, &set, sizeof set, &done), FLUE_OK);
    WANT(done.status, NDIS_STATUS_SUCCESS);
    sqe.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_GET_CONFIG);
    WANT(flue_admin_call(c->admin, &sqe, &got, sizeof got, &done), FLUE_OK);
    WANT(done.status, NDIS_STATUS_SUCCESS);
    WANT(le32toh(got.word0), le32toh(set.word0));
    return NULL;
}

static const char *refusals_have_their_detail(struct admin_cases *c)
{
    struct flue_sqe sqe = command(0);
    TRY_CASE(one(c, &sqe, (uint32_t)NDIS_STATUS_NOT_SUPPORTED, FLUE_AD_OPCODE));
    sqe = command(0xEE);
    TRY_CASE(one(c, &sqe, (uint32_t)NDIS_STATUS_NOT_SUPPORTED, FLUE_AD_OPCODE));
    sqe = with_buffer(c, FLUE_OP_QUERY, 0, 64);
    sqe.zero[3] = 1;
    TRY_CASE(one(c, &sqe, (uint32_t)NDIS_STATUS_NOT_SUPPORTED, FLUE_AD_OPCODE));
    sqe = command(FLUE_OP_GET_STATS);
    sqe.arg[0] = 99;
    TRY_CASE(one(c, &sqe, (uint32_t)NDIS_STATUS_NOT_SUPPORTED, FLUE_AD_GROUP));
    sqe = command(FLUE_OP_RELEASE);
    sqe.handle = 0xC0010000;
    TRY_CASE(submit(c, &sqe, 1));
    TRY_CASE(until(c, c->total + 1));
    WANT(c->last.detail == FLUE_AD_HANDLE || c->last.detail == FLUE_AD_STALE, 1);
    return NULL;
}

/* Every byte outside the buffer keeps its value, whatever offset and length say. */
static const char *buffers_outside_a_region_are_refused(struct admin_cases *c)
{
    static const struct {
        uint32_t offset, length;
    } bad[] = {{MEM_BYTES, 64}, {MEM_BYTES - 32, 64}, {0xFFFFFFC0, 64}, {0, 0xFFFFFFFC}, {0xFFFFFFF8, 0xFFFFFFFC}};
    uint8_t *bytes = c->mem.addr;
    memset(bytes, 0x5A, MEM_BYTES);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct flue_sqe sqe = with_buffer(c, FLUE_OP_GET_CONFIG, bad[i].offset, bad[i].length);
        sqe.arg[0] = FLUE_CFG_CAPS;
        TRY_CASE(submit(c, &sqe, i));
        TRY_CASE(until(c, c->total + 1));
        WANT(c->last.status != (uint32_t)NDIS_STATUS_SUCCESS, 1);
        WANT(c->last.detail == FLUE_AD_REGION || c->last.detail == FLUE_AD_LENGTH, 1);
    }
    struct flue_sqe sqe = with_buffer(c, FLUE_OP_GET_CONFIG, 64, sizeof(struct flue_cfg_caps));
    sqe.arg[0] = FLUE_CFG_CAPS;
    sqe.word1 = 0xFE; /* no such region */
    TRY_CASE(one(c, &sqe, (uint32_t)NDIS_STATUS_FAILURE, FLUE_AD_REGION));
    for (unsigned i = 0; i < MEM_BYTES; i++)
        WANT(bytes[i], 0x5A);
    return NULL;
}

/* CH-021: a tree whose header is wrong is refused whole, no node is touched. */
static const char *a_wrong_header_refuses_the_tree(struct admin_cases *c)
{
    uint32_t *words = c->mem.addr;
    for (unsigned word = 0; word < 4; word++) {
        const uint32_t good[4] = {FLUE_TREE_MAGIC, FLUE_TREE_VERSION, 1, 64};
        memset(words, 0, 64);
        for (unsigned i = 0; i < 4; i++)
            words[i] = htole32(good[i]);
        words[8] = htole32(FLUE_PUT(TREE_NODE_KIND, FLUE_NODE_PLACEHOLDER));
        words[14] = htole32(0x12345678);
        words[word] ^= htole32(0x10);
        struct flue_sqe sqe = with_buffer(c, FLUE_OP_QUERY, 0, 64);
        TRY_CASE(submit(c, &sqe, word));
        TRY_CASE(until(c, c->total + 1));
        WANT(c->last.status != (uint32_t)NDIS_STATUS_SUCCESS, 1);
        WANT(le32toh(words[14]), 0x12345678);
    }
    return NULL;
}

/* A tree of one node, a neighbor: new with its state, or a reference. */
static struct flue_sqe neighbor_tree(struct admin_cases *c, uint32_t opcode, uint32_t handle)
{
    enum { STATE = 64, BYTES = STATE + 24 };
    bool is_new = handle == 0;
    uint32_t tree[BYTES / 4] = {FLUE_TREE_MAGIC, FLUE_TREE_VERSION, 1, is_new ? BYTES : STATE}, *words = c->mem.addr;

    tree[8] = FLUE_PUT(TREE_NODE_KIND, is_new ? FLUE_NODE_NEW : FLUE_NODE_REFERENCE) | FLUE_PUT(TREE_NODE_STATE_TYPE, 4) |
              FLUE_PUT(TREE_NODE_REVISION, is_new);
    tree[9] = is_new ? STATE : 0;
    tree[10] = is_new ? BYTES - STATE : 0;
    tree[13] = handle;
    for (unsigned i = 0; i < BYTES / 4; i++)
        words[i] = htole32(tree[i]);
    return with_buffer(c, opcode, 0, is_new ? BYTES : STATE);
}

static const char *switches_set(struct admin_cases *c, uint32_t word)
{
    struct flue_cfg_switches switches = {.word0 = htole32(word)};
    struct flue_sqe sqe = command(FLUE_OP_SET_CONFIG);
    struct flue_admin_done done;

    sqe.arg[0] = FLUE_CFG_SWITCHES;
    WANT(flue_admin_call(c->admin, &sqe, &switches, sizeof switches, &done), FLUE_OK);
    WANT(done.status, NDIS_STATUS_SUCCESS);
    return NULL;
}

/* Paused: nothing new, what is held goes on and goes up; a pause waits for what is before it in the queue. */
static const char *a_paused_adapter_takes_nothing_new(struct admin_cases *c)
{
    uint32_t *words = c->mem.addr, on = FLUE_CFG_SWITCHES_IPV4_MASK | FLUE_CFG_SWITCHES_IPV6_MASK, handle, before = c->total;
    struct flue_sqe sqe = neighbor_tree(c, FLUE_OP_INITIATE, 0);

    TRY_CASE(submit(c, &sqe, 1));
    TRY_CASE(switches_set(c, on | FLUE_CFG_SWITCHES_PAUSED_MASK)); /* right behind it */
    TRY_CASE(until(c, before + 1));
    WANT(le32toh(words[14]), NDIS_STATUS_SUCCESS);
    handle = le32toh(words[13]);
    sqe = neighbor_tree(c, FLUE_OP_INITIATE, 0);
    TRY_CASE(one(c, &sqe, (uint32_t)NDIS_STATUS_FAILURE, FLUE_AD_DISABLED));
    WANT(le32toh(words[13]), 0);
    sqe = neighbor_tree(c, FLUE_OP_INVALIDATE, handle);
    TRY_CASE(one(c, &sqe, NDIS_STATUS_SUCCESS, FLUE_AD_NONE));
    WANT(le32toh(words[14]), NDIS_STATUS_SUCCESS);
    sqe = neighbor_tree(c, FLUE_OP_TERMINATE, handle);
    TRY_CASE(one(c, &sqe, NDIS_STATUS_SUCCESS, FLUE_AD_NONE));
    WANT(le32toh(words[14]), NDIS_STATUS_SUCCESS);
    sqe = with_buffer(c, FLUE_OP_LIST, 4096, 128);
    TRY_CASE(one(c, &sqe, NDIS_STATUS_SUCCESS, FLUE_AD_NONE));
    WANT(c->last.result, 0);
    WANT(flue_admin_restart(c->admin), FLUE_OK); /* warm: paused it stays */
    sqe = neighbor_tree(c, FLUE_OP_INITIATE, 0);
    TRY_CASE(one(c, &sqe, (uint32_t)NDIS_STATUS_FAILURE, FLUE_AD_DISABLED));
    TRY_CASE(switches_set(c, on));
    TRY_CASE(one(c, &sqe, NDIS_STATUS_SUCCESS, FLUE_AD_NONE));
    handle = le32toh(words[13]);
    sqe = neighbor_tree(c, FLUE_OP_TERMINATE, handle);
    TRY_CASE(one(c, &sqe, NDIS_STATUS_SUCCESS, FLUE_AD_NONE));
    return NULL;
}

/* A neighbor goes down, is listed, and comes back. */
static const char *a_neighbor_goes_down_and_comes_back(struct admin_cases *c)
{
    enum { STATE = 64, WORDS = (STATE + 24) / 4 };
    uint32_t tree[WORDS] = {FLUE_TREE_MAGIC, FLUE_TREE_VERSION, 1, STATE + 24};
    uint32_t *words = c->mem.addr;
    tree[8] = FLUE_PUT(TREE_NODE_KIND, FLUE_NODE_NEW) | FLUE_PUT(TREE_NODE_STATE_TYPE, 4) | FLUE_PUT(TREE_NODE_REVISION, 1);
    tree[9] = STATE;
    tree[10] = 24;
    tree[11] = 0xAABB;
    tree[16] = 0x44332202; /* source 02:22:33:44:55:66 */
    tree[17] = 0x6655;
    tree[18] = 0xDDCCBB02; /* destination */
    tree[19] = 0xFFEE;
    tree[20] = 5;
    for (unsigned i = 0; i < WORDS; i++)
        words[i] = htole32(tree[i]);
    struct flue_sqe sqe = with_buffer(c, FLUE_OP_INITIATE, 0, sizeof tree);
    TRY_CASE(one(c, &sqe, NDIS_STATUS_SUCCESS, FLUE_AD_NONE));
    WANT(c->last.result, 1);
    WANT(le32toh(words[14]), NDIS_STATUS_SUCCESS);
    uint32_t handle = le32toh(words[13]);
    WANT(FLUE_GET(HANDLE_KIND, handle), FLUE_TBL_NEIGHBOR);

    sqe = with_buffer(c, FLUE_OP_LIST, 4096, 128);
    TRY_CASE(one(c, &sqe, NDIS_STATUS_SUCCESS, FLUE_AD_NONE));
    WANT(c->last.result, 1);
    WANT(le32toh(words[1024]), handle);
    WANT(le32toh(words[1026]), 0xAABB);

    memset(words, 0, sizeof tree);
    tree[3] = 64;
    tree[8] = FLUE_PUT(TREE_NODE_KIND, FLUE_NODE_REFERENCE) | FLUE_PUT(TREE_NODE_STATE_TYPE, 4);
    tree[9] = tree[10] = tree[11] = 0;
    tree[13] = handle;
    for (unsigned i = 0; i < 16; i++)
        words[i] = htole32(tree[i]);
    sqe = with_buffer(c, FLUE_OP_TERMINATE, 0, 64);
    TRY_CASE(one(c, &sqe, NDIS_STATUS_SUCCESS, FLUE_AD_NONE));
    WANT(le32toh(words[14]), NDIS_STATUS_SUCCESS);

    words[14] = 0;
    TRY_CASE(one(c, &sqe, NDIS_STATUS_SUCCESS, FLUE_AD_NONE)); /* walked; its node is stale now */
    WANT(le32toh(words[14]), (uint32_t)NDIS_STATUS_FAILURE);
    WANT(le32toh(words[15]), FLUE_AD_STALE);
    sqe = with_buffer(c, FLUE_OP_LIST, 4096, 128);
    TRY_CASE(one(c, &sqe, NDIS_STATUS_SUCCESS, FLUE_AD_NONE));
    WANT(c->last.result, 0);
    return NULL;
}

static const char *a_full_queue_is_answered_in_order_for_many_rounds(struct admin_cases *c)
{
    struct flue_sqe sqe = command(FLUE_OP_RESET_STATS);
    sqe.arg[0] = FLUE_SG_TCP4;
    for (unsigned round = 0; round < 10; round++) {
        unsigned before = c->total;
        for (unsigned i = 0; i < 1u << LOG2_RINGS; i++)
            TRY_CASE(submit(c, &sqe, i));
        WANT(flue_admin_submit(c->admin, &sqe, NULL), FLUE_EAGAIN);
        TRY_CASE(until(c, before + (1u << LOG2_RINGS)));
        WANT(c->order, 0x0123456789ABCDEF);
        WANT(flue_admin_outstanding(c->admin), 0);
    }
    return NULL;
}

static const char *a_warm_restart_keeps_the_settings_a_cold_one_does_not(struct admin_cases *c)
{
    struct flue_admin_done done;
    struct flue_cfg_switches set = {.word0 = htole32(FLUE_CFG_SWITCHES_IPV6_MASK | FLUE_CFG_SWITCHES_ENCAP_IPV6_MASK)},
                             got = {0}, fresh = {0};
    struct flue_sqe get = command(FLUE_OP_GET_CONFIG), put = command(FLUE_OP_SET_CONFIG);
    get.arg[0] = put.arg[0] = FLUE_CFG_SWITCHES;
    WANT(flue_adapter_reset(c->a), FLUE_OK);
    WANT(flue_admin_call(c->admin, &get, &fresh, sizeof fresh, &done), FLUE_OK);
    WANT(flue_admin_call(c->admin, &put, &set, sizeof set, &done), FLUE_OK);
    WANT(done.status, NDIS_STATUS_SUCCESS);
    WANT(flue_admin_restart(c->admin), FLUE_OK);
    WANT(flue_admin_call(c->admin, &get, &got, sizeof got, &done), FLUE_OK);
    WANT(le32toh(got.word0), le32toh(set.word0));
    WANT(flue_adapter_reset(c->a), FLUE_OK);
    WANT(flue_admin_call(c->admin, &get, &got, sizeof got, &done), FLUE_OK);
    WANT(le32toh(got.word0), le32toh(fresh.word0));
    return NULL;
}

static const char *commands_in_flight_end_with_a_reset(struct admin_cases *c)
{
    struct flue_sqe sqe = command(FLUE_OP_RESET_STATS);
    sqe.arg[0] = FLUE_SG_TCP4;
    unsigned before = c->total;
    for (unsigned i = 0; i < 8; i++)
        TRY_CASE(submit(c, &sqe, i));
    WANT(flue_adapter_reset(c->a), FLUE_OK);
    WANT(c->total, before + 8);
    WANT(flue_admin_outstanding(c->admin), 0);
    WANT(c->traps, 0);
    TRY_CASE(one(c, &sqe, NDIS_STATUS_SUCCESS, FLUE_AD_NONE));
    return NULL;
}

static const char *a_drain_keeps_the_rest_for_resume(struct admin_cases *c)
{
    struct flue_sqe sqe = command(FLUE_OP_RESET_STATS);
    sqe.arg[0] = FLUE_SG_IP4;
    unsigned before = c->total;
    for (unsigned i = 0; i < 8; i++)
        TRY_CASE(submit(c, &sqe, i));
    WANT(flue_adapter_drain(c->a), FLUE_OK);
    WANT(flue_admin_submit(c->admin, &sqe, NULL), FLUE_ESTATE);
    WANT(flue_adapter_resume(c->a), FLUE_OK);
    TRY_CASE(until(c, before + 8));
    WANT(c->last.status, NDIS_STATUS_SUCCESS);
    return NULL;
}

const struct admin_case admin_case_list[] = {
    {"the heartbeat answers", heartbeat_answers},
    {"capabilities are the registers'", caps_are_the_registers},
    {"a setting comes back", a_setting_comes_back},
    {"refusals have their detail", refusals_have_their_detail},
    {"buffers outside a region are refused", buffers_outside_a_region_are_refused},
    {"a wrong header refuses the tree", a_wrong_header_refuses_the_tree},
    {"a neighbor goes down and comes back", a_neighbor_goes_down_and_comes_back},
    {"a paused adapter takes nothing new", a_paused_adapter_takes_nothing_new},
    {"a full queue is answered in order for many rounds", a_full_queue_is_answered_in_order_for_many_rounds},
    {"a warm restart keeps the settings, a cold one does not", a_warm_restart_keeps_the_settings_a_cold_one_does_not},
    {"commands in flight end with a reset", commands_in_flight_end_with_a_reset},
    {"a drain keeps the rest for resume", a_drain_keeps_the_rest_for_resume},
};
const unsigned admin_case_count = sizeof admin_case_list / sizeof admin_case_list[0];
