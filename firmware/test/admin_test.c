/*
 * Queue, configuration, statistics, list, bad words, restarts.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "rig.h"

static struct rig r;
static uint32_t n1, p1, c1;

static void open_rig(void)
{
    struct rig_tcp t = rig_tcp_state(1);
    rig_open(&r, 8, 8, 4);
    rig_ready(&r);
    n1 = rig_new_neighbor(&r);
    p1 = rig_new_path(&r, n1, false, 1);
    c1 = rig_new_tcp(&r, p1, &t);
}

static struct rig_done buffer_command(uint32_t opcode, uint32_t group, void *data, uint32_t bytes)
{
    memcpy(r.memory + RIG_TREE, data, bytes);
    struct rig_done done = rig_command(
        &r, (struct flue_sqe){.word0 = opcode, .word1 = RIG_REGION, .offset = RIG_TREE, .length = bytes, .arg = {group}});
    memcpy(data, r.memory + RIG_TREE, bytes);
    return done;
}

/* Unknown opcodes, flags, reserved words and odd buffers are refused with their name. */
TEST(command_that_is_not_one_is_refused)
{
    open_rig();
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = 0}).detail, FLUE_AD_OPCODE);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_RINGS + 1}).detail, FLUE_AD_OPCODE);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_START | FLUE_SQE_LOAD_ONLY_MASK}).detail, FLUE_AD_OPCODE);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_QUERY, .zero = {0, 0, 0, 1}}).detail, FLUE_AD_OPCODE);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_QUERY, .offset = 4}).detail, FLUE_AD_REGION);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_QUERY, .length = 6}).detail, FLUE_AD_LENGTH);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_QUERY, .word1 = 9, .length = 64}).detail, FLUE_AD_REGION);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_ABORT, .handle = 0}).detail, FLUE_AD_HANDLE);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_ABORT, .handle = p1}).detail, FLUE_AD_WRONG_KIND);
    rig_sound(&r);
    rig_close(&r);
}

/* CH-205: parameters come back as set; a bad one changes nothing; the tick rate waits until nothing is offloaded. */
TEST(configuration_is_all_or_nothing)
{
    struct flue_cfg_connection set, got;
    open_rig();
    CHECK_EQ(buffer_command(FLUE_OP_GET_CONFIG, FLUE_CFG_CONNECTION, &set, sizeof set).detail, 0);
    set.push_ticks = 77;
    CHECK_EQ(buffer_command(FLUE_OP_SET_CONFIG, FLUE_CFG_CONNECTION, &set, sizeof set).detail, 0);
    struct flue_cfg_connection bad = set;
    bad.nce_stale_ticks = 0;
    CHECK_EQ(buffer_command(FLUE_OP_SET_CONFIG, FLUE_CFG_CONNECTION, &bad, sizeof bad).detail, FLUE_AD_CONFIG);
    bad = set;
    bad.ticks_per_second = 11;
    CHECK_EQ(buffer_command(FLUE_OP_SET_CONFIG, FLUE_CFG_CONNECTION, &bad, sizeof bad).detail, FLUE_AD_CONFIG);
    bad.ticks_per_second = 100;
    CHECK_EQ(buffer_command(FLUE_OP_SET_CONFIG, FLUE_CFG_CONNECTION, &bad, sizeof bad).detail, FLUE_AD_IN_USE);
    CHECK_EQ(buffer_command(FLUE_OP_GET_CONFIG, FLUE_CFG_CONNECTION, &got, sizeof got).detail, 0);
    CHECK_EQ(memcmp(&set, &got, sizeof set), 0);
    CHECK_EQ(buffer_command(FLUE_OP_GET_CONFIG, 9, &got, sizeof got).detail, FLUE_AD_GROUP);
    CHECK_EQ(buffer_command(FLUE_OP_GET_CONFIG, FLUE_CFG_VLANS, &got, 4).detail, FLUE_AD_LENGTH);
    struct flue_cfg_caps caps;
    CHECK_EQ(buffer_command(FLUE_OP_GET_CONFIG, FLUE_CFG_CAPS, &caps, sizeof caps).detail, 0);
    CHECK_EQ(caps.connections, 8);
    CHECK_EQ(caps.neighbors, 4);
    rig_start(&r, false); /* it outlives the firmware */
    CHECK_EQ(buffer_command(FLUE_OP_GET_CONFIG, FLUE_CFG_CONNECTION, &got, sizeof got).detail, 0);
    CHECK_EQ(memcmp(&set, &got, sizeof set), 0);
    rig_close(&r);
}

/* CH-207, CH-204: no new offload while the version is off or its encapsulation is not set; what is there stays. */
TEST(switched_off_version_takes_nothing_new)
{
    struct rig_tcp t = rig_tcp_state(2);
    open_rig();
    for (uint32_t on = 0; on < 32; on++) {
        struct flue_cfg_switches switches = {.word0 = on};
        CHECK_EQ(buffer_command(FLUE_OP_SET_CONFIG, FLUE_CFG_SWITCHES, &switches, sizeof switches).detail, 0);
        rig_tree(&r, 2);
        rig_node(&r, 0, FLUE_NODE_REFERENCE, 8, p1, NULL, 0);
        rig_node(&r, 1, FLUE_NODE_NEW, 17, 0, &t, 35);
        struct rig_done done = rig_run(&r, FLUE_OP_INITIATE, 0);
        if (on & 16) {
            CHECK_EQ(done.detail, FLUE_AD_DISABLED);
            continue;
        }
        CHECK_EQ(rig_at(&r, 1)->word7, (on & 5) == 5 ? 0 : FLUE_AD_DISABLED);
        if ((on & 5) == 5)
            CHECK_EQ(rig_terminate(&r, 15, rig_at(&r, 1)->handle, NULL, 22), 0);
    }
    rig_sound(&r);
    rig_close(&r);
}

/* CH-202, CH-203: the gauge is live, by version, and a reset leaves it alone. */
TEST(established_connections_are_counted_by_version)
{
    struct flue_stats_tcp stats;
    struct flue_stats_ip ip;
    open_rig();
    struct rig_tcp t = rig_tcp_state(9);
    uint32_t p6 = rig_new_path(&r, n1, true, 1);
    t.delegated.word0 = 7;
    CHECK(rig_new_tcp(&r, p6, &t) != 0);
    t.constant.ports = 10;
    t.delegated.word0 = 5; /* FIN_WAIT1 does not count */
    CHECK(rig_new_tcp(&r, p6, &t) != 0);
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t group = FLUE_SG_TCP4; group <= FLUE_SG_TCP6; group++) {
            CHECK_EQ(buffer_command(FLUE_OP_GET_STATS, group, &stats, sizeof stats).detail, 0);
            CHECK_EQ(stats.currently_established, 1);
            CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_RESET_STATS, .arg = {group}}).detail, 0);
        }
        rig_start(&r, false);
    }
    CHECK_EQ(buffer_command(FLUE_OP_GET_STATS, FLUE_SG_IP6, &ip, sizeof ip).detail, 0);
    CHECK_EQ(buffer_command(FLUE_OP_GET_STATS, 5, &ip, sizeof ip).detail, FLUE_AD_GROUP);
    CHECK_EQ(rig_terminate(&r, 15, c1, NULL, 22), 0);
    CHECK_EQ(buffer_command(FLUE_OP_GET_STATS, FLUE_SG_TCP4, &stats, sizeof stats).detail, 0);
    CHECK_EQ(stats.currently_established, 0);
    rig_close(&r);
}

/* CH-025: LIST names every object with its parent and the host's handle. */
TEST(list_names_every_object)
{
    struct flue_list_entry entry[8];
    open_rig();
    memset(entry, 0, sizeof entry);
    struct rig_done done = buffer_command(FLUE_OP_LIST, 0, entry, sizeof entry);
    CHECK_EQ(done.detail, 0);
    CHECK_EQ(done.result, 3);
    CHECK_EQ(entry[0].handle, n1);
    CHECK_EQ(entry[1].handle, p1);
    CHECK_EQ(entry[1].parent, n1);
    CHECK_EQ(entry[2].handle, c1);
    CHECK_EQ(entry[2].parent, p1);
    CHECK_EQ(entry[2].host_handle[0], 0xA0000002u);
    CHECK_EQ(entry[0].refs, 1);
    CHECK_EQ(buffer_command(FLUE_OP_LIST, c1, entry, sizeof entry).result, 1);
    CHECK_EQ(buffer_command(FLUE_OP_LIST, 0, entry, 64).result, 2);
    rig_close(&r);
}

/* CH-151: a bad word anywhere in a row: the object is corrupt, told in order, and goes with a terminate. */
TEST(bad_word_is_named_and_its_object_can_be_freed)
{
    for (unsigned table = 1; table < 4; table++)
        for (unsigned word = 0; word < (table == 3 ? 64u : 16u); word++)
            for (unsigned bit = 0; bit < 36; bit += 1 + check_random(4)) {
                open_rig();
                uint32_t handle = table == 1 ? n1 : table == 2 ? p1 : c1;
                uint32_t type = table == 1 ? 4 : table == 2 ? 8 : 17, words = table == 1 ? 6 : table == 2 ? 9 : 35;
                fw_host_flip(r.host, (enum flue_table)table, handle & 0xFFFF, word, bit);
                rig_tree(&r, 1);
                rig_node(&r, 0, FLUE_NODE_REFERENCE, type, handle, NULL, words);
                CHECK(rig_run(&r, FLUE_OP_QUERY, 0).answered);
                /* words that no command reads are found by the next one that does */
                if (r.notices > 0) {
                    CHECK_EQ((r.notice[0].word0 & FLUE_CQE_KIND_MASK) >> FLUE_CQE_KIND_SHIFT, FLUE_CQ_TABLE_ERROR);
                    CHECK_EQ(r.notice[0].result, 0x80000000u | table << 24 | word << 16 | (handle & 0xFFFF));
                    CHECK_EQ(rig_at(&r, 0)->word7, FLUE_AD_CORRUPT);
                    CHECK_EQ(r.notices, table == 3 ? 3 : 2);
                    CHECK_EQ((r.notice[1].word0 & FLUE_CQE_KIND_MASK) >> FLUE_CQE_KIND_SHIFT, FLUE_CQ_UPLOAD_REQUEST);
                    CHECK_EQ(r.notice[1].status, 11);
                    CHECK_EQ(r.notice[1].result, c1);
                    if (table == 3)
                        CHECK_EQ((r.notice[2].word0 & FLUE_CQE_KIND_MASK) >> FLUE_CQE_KIND_SHIFT, FLUE_CQ_ABORT_IND);
                } else {
                    CHECK_EQ(rig_at(&r, 0)->word7, 0);
                }
                rig_tree(&r, 3);
                rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n1, NULL, 0);
                rig_node(&r, 1, FLUE_NODE_REFERENCE, 8, p1, NULL, 0);
                rig_node(&r, 2, FLUE_NODE_REFERENCE, 15, c1, NULL, 22);
                CHECK(rig_run(&r, FLUE_OP_TERMINATE, 0).answered);
                rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_LIST}); /* notices of what was freed */
                CHECK_EQ(fw_host_trap(r.host), 0);
                CHECK_EQ(rig_count(&r, FLUE_TBL_CONNECTION) + rig_count(&r, FLUE_TBL_PATH) + rig_count(&r, FLUE_TBL_NEIGHBOR),
                         0);
                rig_sound(&r);
                rig_close(&r);
            }
}

/* An index without a slot is built again under another seed; the object is then taken. */
TEST(full_index_is_seeded_anew)
{
    struct rig_tcp t = rig_tcp_state(2);
    open_rig();
    fw_host_full(r.host, 2);
    uint32_t c = rig_new_tcp(&r, p1, &t);
    CHECK(c != 0);
    CHECK_EQ(fw_host_reseeds(r.host), 2);
    rig_sound(&r);
    t.constant.ports = 3;
    fw_host_full(r.host, 100); /* never: refused, nothing left behind */
    CHECK_EQ(rig_new_tcp(&r, p1, &t), 0);
    CHECK_EQ(rig_at(&r, 1)->status, (uint32_t)NDIS_STATUS_OFFLOAD_TCP_ENTRIES);
    fw_host_full(r.host, 0);
    rig_sound(&r);
    rig_close(&r);
}

/* HND-008: stopped at every point of a command and started warm, the tables are sound and every object is named. */
TEST(warm_start_at_any_moment_finds_sound_tables)
{
    for (unsigned kind = 0; kind < 5; kind++) {
        bool finished = false;
        for (uint64_t calls = 1; !finished; calls++) {
            struct rig_tcp t = rig_tcp_state(2);
            struct rig_path path = rig_path_state(true, 3);
            struct rig_neighbor tagged = rig_neighbor_state();
            open_rig();
            tagged.constant.word1 = 9u << 16;
            rig_tree(&r, 1);
            rig_node(&r, 0, FLUE_NODE_NEW, 4, 0, &tagged, 6);
            rig_run(&r, FLUE_OP_INITIATE, 0);
            uint32_t n2 = rig_at(&r, 0)->handle;
            rig_tree(&r, 3);
            uint32_t opcode = kind == 0 ? FLUE_OP_INITIATE : kind == 1 ? FLUE_OP_TERMINATE : FLUE_OP_UPDATE;
            switch (kind) {
            case 0:
                rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n1, NULL, 0);
                rig_node(&r, 1, FLUE_NODE_NEW, 12, 0, &path, 9);
                rig_node(&r, 2, FLUE_NODE_NEW, 17, 0, &t, 35);
                break;
            case 1:
                rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n1, NULL, 0);
                rig_node(&r, 1, FLUE_NODE_REFERENCE, 8, p1, NULL, 0);
                rig_node(&r, 2, FLUE_NODE_REFERENCE, 15, c1, NULL, 22);
                break;
            case 2: /* relink to another VLAN */
                rig_node(&r, 0, FLUE_NODE_REFERENCE, 4, n2, NULL, 0);
                rig_node(&r, 1, FLUE_NODE_REFERENCE, 8, p1, NULL, 0);
                rig_node(&r, 2, FLUE_NODE_REFERENCE, 17, c1, NULL, 0);
                break;
            default: /* hold; start itself */
                break;
            }
            fw_host_stop_after(r.host, calls);
            if (kind <= 2)
                finished = rig_run(&r, opcode, 0).answered;
            else if (kind == 3)
                finished = rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_HOLD, .handle = p1, .arg = {77}}).answered;
            else {
                rig_start(&r, false);
                finished = fw_host_status(r.host) & FLUE_MMIO_READY_MASK;
            }
            fw_host_stop_after(r.host, 0);
            rig_start(&r, false);
            CHECK(fw_host_status(r.host) & FLUE_MMIO_READY_MASK);
            CHECK_EQ(fw_host_trap(r.host), 0);
            rig_sound(&r);
            /* the host can take down what LIST names */
            struct flue_list_entry entry[16];
            memset(entry, 0, sizeof entry);
            uint32_t count = buffer_command(FLUE_OP_LIST, 0, entry, sizeof entry).result;
            for (uint32_t i = count; i-- > 0;) {
                uint32_t table = entry[i].handle >> 30, state = entry[i].row_state & 0xF;
                if (table == 3 && (state == FLUE_ROW_HELD || state == FLUE_ROW_FROZEN)) {
                    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_RELEASE, .handle = entry[i].handle}).detail, 0);
                    continue;
                }
                uint32_t type = table == 1 ? 4 : table == 3 ? 17 : entry[i].row_state & FLUE_ROW_HEAD_IPV6_MASK ? 12 : 8;
                CHECK_EQ(rig_terminate(&r, type, entry[i].handle, NULL, 0), 0);
            }
            CHECK_EQ(rig_count(&r, FLUE_TBL_CONNECTION) + rig_count(&r, FLUE_TBL_PATH) + rig_count(&r, FLUE_TBL_NEIGHBOR), 0);
            rig_close(&r);
        }
    }
}

/* Ping, drain, and what stops the queue. */
TEST(loop_answers_ping_and_drain_and_stops_a_bad_queue)
{
    open_rig();
    uint32_t before = fw_host_status(r.host) & FLUE_MMIO_HEARTBEAT_MASK;
    fw_host_event(r.host, FLUE_MMIO_PING_MASK, true);
    CHECK(fw_host_run(r.host));
    CHECK_EQ(fw_host_status(r.host) & FLUE_MMIO_HEARTBEAT_MASK, before + 1);
    fw_host_event(r.host, FLUE_MMIO_DRAIN_MASK, true);
    CHECK(fw_host_run(r.host));
    CHECK(fw_host_status(r.host) & FLUE_MMIO_QUIET_MASK);
    fw_host_event(r.host, FLUE_MMIO_DRAIN_MASK, false);
    CHECK_EQ(rig_command(&r, (struct flue_sqe){.word0 = FLUE_OP_ABORT, .handle = c1}).detail, FLUE_AD_NO_ENGINE);
    CHECK(!(fw_host_status(r.host) & FLUE_MMIO_QUIET_MASK));
    r.asq_tail += 17; /* more than the ring holds */
    rig_doorbell(&r);
    CHECK(fw_host_run(r.host));
    CHECK(!(fw_host_status(r.host) & FLUE_MMIO_READY_MASK));
    rig_close(&r);
}

/* CH-015, CH-036: many commands at once are all answered, each once, whatever the room for answers. */
TEST(commands_wait_for_room_and_are_each_answered_once)
{
    struct rig_done done = {0};
    open_rig();
    uint16_t first = r.asq_tail;
    for (unsigned i = 0; i < 16; i++) {
        struct flue_sqe sqe = {.word0 = FLUE_OP_ABORT | (uint32_t)(i + 1) << 16, .handle = c1};
        memcpy(r.memory + RIG_ASQ + 64 * (r.asq_tail++ & 15), &sqe, sizeof sqe);
    }
    uint16_t head = r.acq_head;
    rig_doorbell(&r);
    CHECK(fw_host_run(r.host));
    CHECK_EQ((uint16_t)(fw_host_acq_tail(r.host) - head), 15); /* one place is kept for a notice */
    CHECK_EQ((uint16_t)(fw_host_asq_head(r.host) - first), 15);
    for (uint16_t id = 1; id <= 16; id++) {
        struct flue_cqe cqe;
        memcpy(&cqe, r.memory + RIG_ACQ + 16 * (r.acq_head++ & 15), sizeof cqe);
        CHECK_EQ(cqe.word0 & 0xFFFF, id);
        rig_doorbell(&r);
        CHECK(fw_host_run(r.host));
    }
    rig_poll(&r, &done, 0);
    CHECK(!done.answered);
    rig_close(&r);
}
