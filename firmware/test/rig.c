#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static const uint32_t seed[4] = {0x1234, 0x5678, 0x9ABC, 0xDEF0};

static bool dma(void *ctx, uint32_t region, uint32_t offset, void *local, uint32_t bytes, bool to_host)
{
    struct rig *r = ctx;
    r->dmas++;
    if (r->on_dma)
        r->on_dma(r, offset, bytes, to_host);
    if (region != RIG_REGION || offset > RIG_MEMORY || bytes > RIG_MEMORY - offset ||
        (to_host && r->read_only && offset >= RIG_TREE))
        return false;
    if (to_host)
        memcpy(r->memory + offset, local, bytes);
    else
        memcpy(local, r->memory + offset, bytes);
    return true;
}

static uint64_t time_us(void *ctx)
{
    return ((struct rig *)ctx)->time_us;
}

void rig_doorbell(struct rig *r)
{
    uint32_t cfg = RIG_REGION | RIG_LOG2 << FLUE_ASQ_CFG_LOG2_SLOTS_SHIFT | FLUE_ASQ_CFG_ENABLE_MASK;
    struct fw_host_ring asq = {RIG_ASQ, cfg, r->asq_tail}, acq = {RIG_ACQ, cfg, r->acq_head};
    fw_host_rings(r->host, &asq, &acq);
}

void rig_start(struct rig *r, bool cold)
{
    r->asq_tail = r->acq_head = 0;
    fw_host_start(r->host, cold, seed);
    memset(r->memory + RIG_ACQ, 0, 16 << RIG_LOG2);
    rig_doorbell(r);
    (void)fw_host_run(r->host);
}

void rig_open(struct rig *r, uint32_t connections, uint32_t paths, uint32_t neighbors)
{
    memset(r, 0, sizeof *r);
    r->memory = calloc(1, RIG_MEMORY);
    r->time_us = 1000000;
    struct fw_host_ops ops = {.ctx = r, .dma = dma, .time_us = time_us};
    struct fw_host_sizes sizes = {connections, paths, neighbors};
    r->host = fw_host_new(&sizes, &ops);
    CHECK(r->host && r->memory);
    rig_start(r, true);
    CHECK(fw_host_status(r->host) & FLUE_MMIO_READY_MASK);
}

void rig_close(struct rig *r)
{
    fw_host_delete(r->host);
    free(r->memory);
}

void rig_ready(struct rig *r)
{
    struct flue_cfg_switches switches = {.word0 = 0xF};
    memcpy(r->memory + RIG_TREE, &switches, sizeof switches);
    struct rig_done done = rig_command(r, (struct flue_sqe){.word0 = FLUE_OP_SET_CONFIG,
                                                            .word1 = RIG_REGION,
                                                            .offset = RIG_TREE,
                                                            .length = sizeof switches,
                                                            .arg = {FLUE_CFG_SWITCHES}});
    CHECK_EQ(done.detail, 0);
}

/* Take what is in the completion ring. */
void rig_poll(struct rig *r, struct rig_done *done, uint16_t command_id)
{
    for (;;) {
        struct flue_cqe cqe;
        memcpy(&cqe, r->memory + RIG_ACQ + 16 * (r->acq_head & ((1 << RIG_LOG2) - 1)), sizeof cqe);
        bool phase = cqe.word3 & FLUE_CQE_PHASE_MASK, expected = !(r->acq_head >> RIG_LOG2 & 1);
        if (phase != expected)
            return;
        r->acq_head++;
        CHECK_EQ(cqe.word0 & FLUE_CQE_WORD0_ZERO, 0);
        CHECK_EQ(cqe.word3 & FLUE_CQE_WORD3_ZERO, 0);
        if ((cqe.word0 & FLUE_CQE_KIND_MASK) >> FLUE_CQE_KIND_SHIFT == FLUE_CQ_COMPLETION) {
            CHECK(!done->answered); /* exactly once */
            CHECK_EQ(cqe.word0 & 0xFFFF, command_id);
            *done = (struct rig_done){cqe.status, cqe.result, cqe.word3 & FLUE_CQE_DETAIL_MASK, true};
        } else if (r->notices < 64) {
            r->notice[r->notices++] = cqe;
        }
    }
}

struct rig_done rig_command(struct rig *r, struct flue_sqe sqe)
{
    struct rig_done done = {0};
    uint16_t id = (uint16_t)(r->asq_tail * 7 + 1);
    sqe.word0 |= (uint32_t)id << FLUE_SQE_COMMAND_ID_SHIFT;
    memcpy(r->memory + RIG_ASQ + 64 * (r->asq_tail & ((1 << RIG_LOG2) - 1)), &sqe, sizeof sqe);
    r->asq_tail++;
    rig_doorbell(r);
    if (!fw_host_run(r->host))
        return done; /* stopped on purpose */
    rig_poll(r, &done, id);
    return done;
}

/* ---- trees ---- */

void rig_tree(struct rig *r, uint32_t nodes)
{
    struct flue_tree_header header = {.magic = FLUE_TREE_MAGIC, .version = FLUE_TREE_VERSION, .nodes = nodes};
    r->nodes = 0;
    r->state_at = 32 + 32 * nodes;
    header.bytes = r->state_at;
    memcpy(r->memory + RIG_TREE, &header, sizeof header);
    memset(r->memory + RIG_TREE + 32, 0, 32 * nodes);
}

struct flue_tree_node *rig_at(struct rig *r, uint32_t number)
{
    return (void *)(r->memory + RIG_TREE + 32 + 32 * number);
}

struct flue_tree_node *rig_node(struct rig *r, unsigned depth, uint32_t kind, uint32_t type, uint32_t handle, const void *state,
                                uint32_t words)
{
    struct flue_tree_node *n = rig_at(r, r->nodes++);
    bool stateful = words > 0;
    *n = (struct flue_tree_node){.word0 = kind | (uint32_t)depth << FLUE_TREE_NODE_DEPTH_SHIFT |
                                          type << FLUE_TREE_NODE_STATE_TYPE_SHIFT |
                                          (uint32_t)stateful << FLUE_TREE_NODE_REVISION_SHIFT,
                                 .host_handle = {0xA0000000u + r->nodes, 0xB0000000u},
                                 .handle = handle,
                                 .status = 0x55555555,
                                 .word7 = 0x55};
    if (stateful) {
        n->offset = r->state_at;
        n->length = 4 * words;
        if (state)
            memcpy(r->memory + RIG_TREE + r->state_at, state, 4 * words);
        else
            memset(r->memory + RIG_TREE + r->state_at, 0xEE, 4 * words);
        r->state_at += 4 * words;
    }
    ((struct flue_tree_header *)(void *)(r->memory + RIG_TREE))->bytes = r->state_at;
    return n;
}

const uint32_t *rig_state(struct rig *r, uint32_t number)
{
    return (const void *)(r->memory + RIG_TREE + rig_at(r, number)->offset);
}

struct rig_done rig_run(struct rig *r, uint32_t opcode, uint32_t flags)
{
    return rig_command(
        r, (struct flue_sqe){.word0 = opcode | flags, .word1 = RIG_REGION, .offset = RIG_TREE, .length = r->state_at});
}

/* ---- states ---- */

struct rig_neighbor rig_neighbor_state(void)
{
    return (struct rig_neighbor){.cached = {0x44332211, 0x6655, 100}, .delegated = {100}};
}

struct rig_path rig_path_state(bool ipv6, uint32_t n)
{
    struct rig_path p = {.constant = {{0x0100000A}, {n + 0x0200000A}}, .cached = {1500}};
    if (ipv6)
        p.constant.source[3] = p.constant.destination[3] = 7;
    return p;
}

struct rig_tcp rig_tcp_state(uint32_t ports)
{
    return (struct rig_tcp){
        .constant = {.word0 = 7 | 7u << 16 | 8u << 20, .ports = ports, .word2 = 1460, .hash_value = 0xCAFE},
        .cached = {.word0 = 3, .initial_rcv_wnd = 65536, .word3 = 10, .ka_timeout = 7200, .ka_interval = 75, .word8 = 64},
        .delegated = {.word0 = 4,
                      .rcv_nxt = 1000,
                      .rcv_wnd = 65536,
                      .snd_una = 500,
                      .snd_nxt = 600,
                      .snd_max = 700,
                      .snd_wnd = 4000,
                      .max_snd_wnd = 8000,
                      .send_wl1 = 990,
                      .cwnd = 14600,
                      .ssthresh = 65535,
                      .ts_recent_age = 5,
                      .ts_time = 77,
                      .ka_timeout_delta = 7000,
                      .rexmit_timeout_delta = 0xFFFFFFFF},
    };
}

static uint32_t any(void)
{
    return check_random(0x10000) << 16 | check_random(0x10000);
}

struct rig_tcp rig_tcp_random(uint32_t ports)
{
    struct rig_tcp s;
    uint32_t *word = (uint32_t *)&s;
    for (unsigned i = 0; i < sizeof s / 4; i++)
        word[i] = any();
    s.constant.ports = ports;
    s.constant.word0 = (s.constant.word0 & 0xFFFF) | check_random(15) << 16 | check_random(15) << 20;
    s.constant.word2 = 88 + check_random(65448);
    s.cached.word0 &= 0xFFFF;
    s.cached.word3 &= 0xFF;
    s.cached.word7 &= 0xFFFFF;
    s.cached.word8 &= 0x7FFFF;
    s.cached.initial_rcv_wnd &= 0x3FFFFFFF;
    s.delegated.word0 = (s.delegated.word0 & 0xFFFF0000) | (4 + check_random(6));
    s.delegated.rcv_wnd = s.cached.initial_rcv_wnd ? any() % s.cached.initial_rcv_wnd : 0;
    s.delegated.snd_max = s.delegated.snd_una + (any() & 0x3FFFFFFF);
    s.delegated.snd_nxt = s.delegated.snd_una + any() % (s.delegated.snd_max - s.delegated.snd_una + 1);
    if (s.delegated.send_wl1 - s.delegated.rcv_nxt == 0x80000000u)
        s.delegated.send_wl1++;
    s.delegated.ts_recent_age &= 0x7FFFFFFF;
    return s;
}

/* ---- objects ---- */

uint32_t rig_new_neighbor(struct rig *r)
{
    struct rig_neighbor n = rig_neighbor_state();
    rig_tree(r, 1);
    rig_node(r, 0, FLUE_NODE_NEW, 4, 0, &n, 6);
    CHECK_EQ(rig_run(r, FLUE_OP_INITIATE, 0).detail, 0);
    CHECK_EQ(rig_at(r, 0)->word7, 0);
    return rig_at(r, 0)->handle;
}

uint32_t rig_new_path(struct rig *r, uint32_t neighbor, bool ipv6, uint32_t n)
{
    struct rig_path p = rig_path_state(ipv6, n);
    rig_tree(r, 2);
    rig_node(r, 0, FLUE_NODE_REFERENCE, 4, neighbor, NULL, 0);
    rig_node(r, 1, FLUE_NODE_NEW, ipv6 ? 12 : 8, 0, &p, 9);
    CHECK_EQ(rig_run(r, FLUE_OP_INITIATE, 0).detail, 0);
    CHECK_EQ(rig_at(r, 1)->word7, 0);
    return rig_at(r, 1)->handle;
}

uint32_t rig_new_tcp(struct rig *r, uint32_t path, const struct rig_tcp *state)
{
    uint32_t row = path & 0xFFFF;
    bool ipv6 = fw_host_word(r->host, FLUE_TBL_PATH, row, 0) & FLUE_ROW_HEAD_IPV6_MASK;
    rig_tree(r, 2);
    rig_node(r, 0, FLUE_NODE_REFERENCE, ipv6 ? 12 : 8, path, NULL, 0);
    rig_node(r, 1, FLUE_NODE_NEW, 17, 0, state, 35);
    CHECK_EQ(rig_run(r, FLUE_OP_INITIATE, 0).detail, 0);
    return rig_at(r, 1)->word7 ? 0 : rig_at(r, 1)->handle;
}

uint32_t rig_terminate(struct rig *r, uint32_t type, uint32_t handle, void *state, uint32_t words)
{
    rig_tree(r, 1);
    rig_node(r, 0, FLUE_NODE_REFERENCE, type, handle, NULL, words);
    CHECK_EQ(rig_run(r, FLUE_OP_TERMINATE, 0).detail, 0);
    if (state)
        memcpy(state, rig_state(r, 0), 4 * words);
    return rig_at(r, 0)->word7;
}

/* ---- soundness ---- */

static uint32_t word(struct rig *r, unsigned table, uint32_t row, uint32_t n)
{
    return fw_host_word(r->host, (enum flue_table)table, row, n);
}

uint32_t rig_count(struct rig *r, enum flue_table table)
{
    uint32_t count = 0;
    for (uint32_t row = 0; row < fw_host_rows(r->host, table); row++)
        count += (word(r, table, row, 0) & 0xF) > FLUE_ROW_BUILDING;
    return count;
}

void rig_sound(struct rig *r)
{
    for (unsigned table = 1; table < 4; table++) {
        uint32_t live = 0;
        for (uint32_t row = 0; row < fw_host_rows(r->host, (enum flue_table)table); row++) {
            uint32_t w = word(r, table, row, 0), refs = 0, found = 0;
            if ((w & 0xF) <= FLUE_ROW_BUILDING) {
                CHECK_EQ(w & 0xF, FLUE_ROW_FREE);
                continue;
            }
            live++;
            if (table < 3)
                for (uint32_t child = 0; child < fw_host_rows(r->host, (enum flue_table)(table + 1)); child++)
                    refs += (word(r, table + 1, child, 0) & 0xF) > FLUE_ROW_BUILDING &&
                            (word(r, table + 1, child, 1) & 0xFFFF) == row;
            CHECK_EQ(word(r, table, row, 1) >> 16, refs);
            if (table > 1) { /* its parent lives, its entry is there */
                uint32_t parent = word(r, table, row, 1) & 0xFFFF, key[9];
                CHECK((word(r, table - 1, parent, 0) & 0xF) == FLUE_ROW_LIVE);
                for (unsigned i = 0; i < 9; i++)
                    key[i] = word(r, table, row, (table == 3 ? 5 : 6) + i);
                CHECK(fw_host_find(r->host, (enum flue_table)table, key, &found));
                CHECK_EQ(found, row);
            }
        }
        if (table > 1)
            CHECK_EQ(fw_host_indexed(r->host, (enum flue_table)table), live);
    }
}
