/*
 * Management processor and admin queue over the mock, as long as it tells the truth: start, commands, traps, restart, reset.
 */
#include "../../firmware/trap.h"
#include "admin_rig.h"

/* ---- start ------------------------------------------------------------------------------------------------------- */

TEST(the_image_is_loaded_before_the_processor_runs)
{
    open_admin();
    CHECK_EQ(memcmp(rig.m.fw, ad_image, sizeof ad_image), 0);
    int run = mock_last_write(&rig.m, FLUE_REG_FW_CTRL);
    CHECK_EQ(rig.m.log[run].value, FLUE_FW_CTRL_RUN_MASK | FLUE_FW_CTRL_COLD_MASK);
    CHECK(mock_last_write(&rig.m, FLUE_REG_FW_DATA) < run);
    static const uint32_t rings[] = {FLUE_REG_ASQ_BASE, FLUE_REG_ASQ_TAIL, FLUE_REG_ASQ_CFG,
                                     FLUE_REG_ACQ_BASE, FLUE_REG_ACQ_HEAD, FLUE_REG_ACQ_CFG};
    for (unsigned i = 0; i < 6; i++)
        CHECK(mock_last_write(&rig.m, rings[i]) >= 0 && mock_last_write(&rig.m, rings[i]) < run);
    CHECK_EQ(FLUE_GET(ASQ_CFG_LOG2_SLOTS, *mock_reg(&rig.m, FLUE_REG_ASQ_CFG)), ADMIN_LOG2);
    uint32_t sq = *mock_reg(&rig.m, FLUE_REG_ASQ_BASE), cq = *mock_reg(&rig.m, FLUE_REG_ACQ_BASE);
    CHECK(sq % 64 == 0 && cq % 64 == 0 && cq >= sq + ADMIN_SIZE * sizeof(struct flue_sqe));
    CHECK((*mock_reg(&rig.m, FLUE_REG_IRQ_MASK) & FLUE_IRQ_MASK_ADMIN_MASK) != 0);
    CHECK((*mock_reg(&rig.m, FLUE_REG_IRQ_MASK) & FLUE_IRQ_MASK_FIRMWARE_MASK) != 0);

    struct flue_admin_info info;
    flue_admin_info(ad.admin, &info);
    CHECK_EQ(info.connections, 64);
    CHECK_EQ(info.paths, 32);
    CHECK_EQ(info.neighbors, 16);
    CHECK_EQ(info.memory_bytes, MOCK_FW_KB * 1024);
    CHECK(!info.engine && flue_admin_runs(ad.admin) && flue_adapter_admin(rig.a) == ad.admin);
    close_rig();
}

TEST(the_seed_is_random_unless_it_is_given)
{
    uint32_t first[4];
    open_admin();
    memcpy(first, mock_reg(&rig.m, FLUE_REG_SEED0), sizeof first);
    CHECK(first[0] != 0 || first[1] != 0 || first[2] != 0 || first[3] != 0);
    close_rig();
    open_admin();
    CHECK(memcmp(first, mock_reg(&rig.m, FLUE_REG_SEED0), sizeof first) != 0);
    flue_admin_stop(ad.admin);
    CHECK(flue_adapter_admin(rig.a) == NULL);
    struct flue_admin_params params = {.image = ad_image, .image_bytes = sizeof ad_image, .seed = {1, 2, 3, 4}};
    CHECK_EQ(flue_admin_start(rig.a, &params, NULL, &ad.admin), FLUE_OK);
    CHECK_EQ(memcmp(params.seed, mock_reg(&rig.m, FLUE_REG_SEED0), sizeof first), 0);
    close_rig();
}

TEST(start_arguments_are_checked_before_anything_is_touched)
{
    static const uint8_t large[MOCK_FW_KB * 1024];
    const struct flue_admin_params bad[] = {
        {.image = large, .image_bytes = sizeof large},
        {.image = large, .image_bytes = sizeof large - FLUE_TRAP_BYTES + 4},
        {.image = large, .image_bytes = 6},
        {.image = large, .image_bytes = 0},
        {.image = ad_image, .image_bytes = sizeof ad_image, .log2_commands = 2},
        {.image = ad_image, .image_bytes = sizeof ad_image, .log2_commands = 13},
    };
    struct flue_admin *admin;
    open_rig();
    unsigned writes = rig.m.log_count;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EQ(flue_admin_start(rig.a, &bad[i], NULL, &admin), FLUE_EARG);
    CHECK_EQ(rig.m.log_count, writes);
    CHECK_EQ(flue_admin_start(rig.a, &bad[0], NULL, NULL), FLUE_EARG);
    *mock_reg(&rig.m, FLUE_REG_BUILD_FW) = 0;
    CHECK_EQ(ad_start(), FLUE_EUNSUPP);
    CHECK_EQ(rig.m.log_count, writes);
    close_rig();
}

TEST(a_second_start_and_a_full_region_table_have_their_errors)
{
    struct flue_mem mem;
    struct flue_admin *second;
    struct flue_admin_params params = {.image = ad_image, .image_bytes = sizeof ad_image};
    open_admin();
    CHECK_EQ(flue_admin_start(rig.a, &params, NULL, &second), FLUE_ESTATE);
    flue_admin_stop(ad.admin);
    CHECK_EQ(flue_mem_alloc(rig.a, 1, FLUE_ACCESS_READ, &mem), FLUE_OK);
    CHECK_EQ(flue_mem_alloc(rig.a, 1, FLUE_ACCESS_READ, &mem), FLUE_OK);
    CHECK_EQ(flue_admin_start(rig.a, &params, NULL, &second), FLUE_EAGAIN);
    close_rig();
}

TEST(a_start_that_fails_at_any_access_leaves_nothing_behind)
{
    unsigned n = 1;
    for (;; n++) {
        open_rig();
        unsigned maps = rig.m.maps;
        rig.m.fail_in = n;
        enum flue_err err = ad_start();
        if (rig.m.fail_in > 0) {
            CHECK_EQ(err, FLUE_OK);
            break;
        }
        CHECK(err != FLUE_OK && ad.admin == NULL && flue_adapter_admin(rig.a) == NULL);
        CHECK_EQ(rig.m.maps, maps);
        close_rig();
    }
    CHECK(n > 40);
    close_rig();
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

TEST(a_command_becomes_this_entry_and_its_answer_comes_back)
{
    open_admin();
    struct flue_sqe sqe = {.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_QUERY) | FLUE_SQE_KEEP_ENTRY_MASK | 0xABCD0000,
                           .word1 = 3,
                           .offset = 64,
                           .length = 96,
                           .handle = 0x40010002,
                           .arg = {7, 8, 9},
                           .zero = {[7] = 5}};
    CHECK_EQ(flue_admin_submit(ad.admin, &sqe, rig_cookie(5)), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_ASQ_TAIL), 1);
    struct flue_sqe there = mock_sqe(&rig.m, 0);
    CHECK_EQ(there.word0 & 0xFFFF, sqe.word0 & 0xFFFF);
    CHECK_EQ(memcmp(&there.word1, &sqe.word1, sizeof sqe - 4), 0);
    CHECK_EQ(flue_admin_outstanding(ad.admin), 1);

    mock_answer(&rig.m, 0, (uint32_t)NDIS_STATUS_FAILURE, 77, FLUE_AD_HEADER);
    CHECK(flue_pending(rig.a));
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad.back[5], 1);
    CHECK_EQ(ad.done.status, (uint32_t)NDIS_STATUS_FAILURE);
    CHECK_EQ(ad.done.result, 77);
    CHECK_EQ(ad.done.detail, FLUE_AD_HEADER);
    CHECK_EQ(flue_admin_outstanding(ad.admin), 0);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_ACQ_HEAD), 1);
    CHECK(!flue_pending(rig.a));
    close_rig();
}

TEST(a_full_queue_says_so_and_commands_may_end_in_any_order)
{
    open_admin();
    for (unsigned i = 0; i < ADMIN_SIZE; i++)
        CHECK_EQ(ad_submit(i, FLUE_OP_ABORT, 0), FLUE_OK);
    CHECK_EQ(ad_submit(99, FLUE_OP_ABORT, 0), FLUE_EAGAIN);
    for (unsigned i = ADMIN_SIZE; i-- > 0;) {
        ad_answer((uint16_t)i);
        CHECK_EQ(poll_all(), FLUE_OK);
        CHECK_EQ(ad.done.cookie == rig_cookie(i), 1);
    }
    CHECK_EQ(ad.total, ADMIN_SIZE);
    CHECK_EQ(ad_submit(99, FLUE_OP_ABORT, 0), FLUE_OK);
    close_rig();
    CHECK_EQ(ad.back[99], 1);
    CHECK_EQ(ad.done.status, (uint32_t)NDIS_STATUS_REQUEST_ABORTED);
}

TEST(admin_indices_wrap_at_65536_and_the_phase_with_every_round)
{
    open_admin();
    for (unsigned i = 0; i < 70000; i++) {
        CHECK_EQ(ad_submit(i % RIG_COOKIES, FLUE_OP_ABORT, 0), FLUE_OK);
        ad_answer((uint16_t)i);
        CHECK_EQ(poll_all(), FLUE_OK);
        CHECK_EQ(ad.total, i + 1);
        rig.m.log_count = 0;
    }
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_ACQ_HEAD), 70000 - 65536);
    close_rig();
}

TEST(notices_are_handed_out_between_completions)
{
    open_admin();
    CHECK_EQ(ad_submit(0, FLUE_OP_ABORT, 0), FLUE_OK);
    mock_cqe(&rig.m, FLUE_PUT(CQE_KIND, FLUE_CQ_TABLE_ERROR), 0, FLUE_TABLE_ERROR_VALID_MASK | 3u << 24 | 5, 0);
    ad_answer(0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad.notices, 1);
    CHECK_EQ(ad.kind, FLUE_CQ_TABLE_ERROR);
    CHECK_EQ(ad.notice_result, FLUE_TABLE_ERROR_VALID_MASK | 3u << 24 | 5);
    CHECK_EQ(ad.total, 1);
    mock_cqe(&rig.m, FLUE_PUT(CQE_KIND, FLUE_CQ_UPLOAD_REQUEST), 4, 0xC0010002, 0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad.kind, FLUE_CQ_UPLOAD_REQUEST);
    CHECK_EQ(ad.notice_status, 4);
    close_rig();
}

TEST(a_poll_counts_completions_within_its_budget)
{
    unsigned handled;
    open_admin();
    for (uint16_t i = 0; i < 5; i++) {
        CHECK_EQ(ad_submit(i, FLUE_OP_ABORT, 0), FLUE_OK);
        ad_answer(i);
    }
    CHECK_EQ(flue_poll(rig.a, 3, &handled), FLUE_OK);
    CHECK_EQ(handled, 3);
    CHECK_EQ(ad.total, 3);
    put_one(0);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    CHECK_EQ(flue_poll(rig.a, 10, &handled), FLUE_OK);
    CHECK_EQ(handled, 3);
    CHECK_EQ(ad.total, 5);
    CHECK_EQ(rig.tx_total, 1);
    close_rig();
}

static void submit_inside(struct flue_admin *admin)
{
    unsigned handled;
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_OP_ABORT};
    if (ad.total < 3)
        CHECK_EQ(ad_submit(10 + ad.total, FLUE_OP_ABORT, 0), FLUE_OK);
    CHECK_EQ(flue_poll(rig.a, 1, &handled), FLUE_ESTATE);
    CHECK_EQ(flue_admin_call(admin, &sqe, NULL, 0, &done), FLUE_ESTATE);
    CHECK_EQ(flue_admin_check(admin, 100), FLUE_ESTATE);
    CHECK_EQ(flue_admin_restart(admin), FLUE_ESTATE);
}

TEST(a_handler_may_submit_but_not_wait)
{
    open_admin();
    ad.inside = submit_inside;
    CHECK_EQ(ad_submit(0, FLUE_OP_ABORT, 0), FLUE_OK);
    ad_answer(0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(flue_admin_outstanding(ad.admin), 1);
    ad_answer(1);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad.back[11], 1);
    ad.inside = NULL;
    close_rig();
    CHECK_EQ(ad.total, 3);
}

TEST(a_stop_inside_a_handler_happens_after_it)
{
    open_admin();
    ad.inside = flue_admin_stop;
    CHECK_EQ(ad_submit(0, FLUE_OP_ABORT, 0), FLUE_OK);
    CHECK_EQ(ad_submit(1, FLUE_OP_ABORT, 0), FLUE_OK);
    ad_answer(0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK(flue_adapter_admin(rig.a) == NULL);
    CHECK_EQ(ad.back[0], 1);
    CHECK_EQ(ad.back[1], 1);
    ad.inside = NULL;
    CHECK_EQ(ad_start(), FLUE_OK);
    close_rig();
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

/* While time passes: read the call's buffer, write another into it, answer. */
static void serve_call(struct mock *m)
{
    uint16_t index = (uint16_t)(*mock_reg(m, FLUE_REG_ASQ_TAIL) - 1);
    struct flue_sqe sqe = mock_sqe(m, index);
    uint32_t *buffer = mock_memory(m, sqe.word1, sqe.offset, sqe.length);
    CHECK(sqe.length == 0 || buffer != NULL);
    for (unsigned i = 0; i < sqe.length / 4; i++)
        buffer[i] ^= 0xFFFFFFFF;
    mock_answer(m, index, 0, 0, 0);
    m->on_wait = NULL;
}

TEST(a_call_carries_its_data_there_and_back)
{
    uint32_t data[1024];
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_GET_CONFIG), .arg = {FLUE_CFG_CAPS}};
    open_admin();
    for (unsigned i = 0; i < 1024; i++)
        data[i] = i * 3;
    rig.m.on_wait = serve_call;
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, data, sizeof data, &done), FLUE_OK);
    for (unsigned i = 0; i < 1024; i++)
        CHECK_EQ(data[i], (uint32_t) ~(i * 3));
    CHECK_EQ(ad.total, 0); /* not the handler's */
    rig.m.on_wait = serve_call;
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, NULL, 0, &done), FLUE_OK);
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, data, 4100, &done), FLUE_EARG);
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, data, 6, &done), FLUE_EARG);
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, NULL, 4, &done), FLUE_EARG);
    close_rig();
}

TEST(a_call_that_gives_up_keeps_its_buffer_until_the_answer)
{
    uint32_t data = 7;
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_SET_CONFIG)};
    open_admin();
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, &data, 4, &done), FLUE_ETIMEOUT);
    CHECK(strstr(flue_adapter_fault(rig.a), "no answer") != NULL);
    CHECK_EQ(flue_admin_outstanding(ad.admin), 1);
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, &data, 4, &done), FLUE_EAGAIN);
    ad_answer(0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad.total, 0);
    rig.m.on_wait = serve_call;
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, &data, 4, &done), FLUE_OK);
    CHECK_EQ(data, ~7u);
    close_rig();
}

static void trap_while_waiting(struct mock *m)
{
    m->on_wait = NULL;
    mock_trap(m, 2, 0x1234);
}

TEST(a_trap_ends_a_call_by_name)
{
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_PUT(SQE_OPCODE, FLUE_OP_RESET_STATS)};
    open_admin();
    rig.m.on_wait = trap_while_waiting;
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, NULL, 0, &done), FLUE_ESTATE);
    CHECK_EQ(ad.traps, 1);
    CHECK_EQ(flue_admin_outstanding(ad.admin), 0);
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, NULL, 0, &done), FLUE_ESTATE);
    close_rig();
}

/* ---- trap, heartbeat, restart, reset ----------------------------------------------------------------------------- */

TEST(a_trap_ends_the_commands_and_then_tells_its_record)
{
    open_admin();
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(ad_submit(i, FLUE_OP_ABORT, 0), FLUE_OK);
    put_one(0);
    mock_trap(&rig.m, 4, 0x89C);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad.total, 3);
    CHECK_EQ(ad.back_at_trap, 3);
    CHECK_EQ(ad.done.status, (uint32_t)NDIS_STATUS_REQUEST_ABORTED);
    CHECK_EQ(ad.traps, 1);
    CHECK_EQ(ad.trap.cause, 4);
    CHECK_EQ(ad.trap.pc, 0x89C);
    for (unsigned n = 1; n < 32; n++)
        CHECK_EQ(ad.trap.registers[n - 1], 0x1000 + n);
    CHECK(strstr(flue_adapter_fault(rig.a), "cause 4 at 0x0000089C") != NULL);
    CHECK(!flue_admin_runs(ad.admin));
    CHECK_EQ(ad_submit(9, FLUE_OP_ABORT, 0), FLUE_ESTATE);
    CHECK_EQ(flue_admin_check(ad.admin, 100), FLUE_ESTATE);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK); /* HND-008: the rest goes on */
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.tx_total, 1);
    close_rig();
    CHECK_EQ(ad.total, 3);
}

TEST(a_restart_is_warm_and_begins_at_index_0)
{
    open_admin();
    CHECK_EQ(ad_submit(0, FLUE_OP_ABORT, 0), FLUE_OK);
    ad_answer(0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad_submit(1, FLUE_OP_ABORT, 0), FLUE_OK);
    mock_trap(&rig.m, 17, 0x10);
    CHECK_EQ(poll_all(), FLUE_OK);
    rig.m.fw[3] = 0xBAD;
    CHECK_EQ(flue_admin_restart(ad.admin), FLUE_OK);
    CHECK_EQ(rig.m.fw[3], ad_image[3]);
    CHECK_EQ(rig.m.log[mock_last_write(&rig.m, FLUE_REG_FW_CTRL)].value, FLUE_FW_CTRL_RUN_MASK);
    CHECK(flue_adapter_fault(rig.a) == NULL && flue_admin_runs(ad.admin));
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_ASQ_TAIL), 0);
    CHECK_EQ(ad_submit(2, FLUE_OP_ABORT, 0), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_ASQ_TAIL), 1);
    ad_answer(0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad.back[2], 1);
    CHECK_EQ(flue_admin_restart(ad.admin), FLUE_OK); /* without a trap too */
    close_rig();
    CHECK_EQ(ad.total, 3);
}

TEST(a_check_pings_and_waits_for_the_heartbeat)
{
    open_admin();
    CHECK_EQ(flue_admin_check(ad.admin, 1000), FLUE_OK);
    CHECK_EQ(mock_last_write(&rig.m, FLUE_REG_FW_PING) >= 0, 1);
    rig.m.fw_deaf = true;
    CHECK_EQ(flue_admin_check(ad.admin, 1000), FLUE_ETIMEOUT);
    CHECK(strstr(flue_adapter_fault(rig.a), "no heartbeat") != NULL);
    rig.m.fw_deaf = false;
    CHECK_EQ(flue_admin_restart(ad.admin), FLUE_OK);
    CHECK(flue_adapter_fault(rig.a) == NULL);
    CHECK_EQ(flue_admin_check(ad.admin, 1000), FLUE_OK);
    close_rig();
}

/* TO-180: what was started before a reset works after it; the processor starts cold. */
TEST(a_reset_ends_the_commands_and_starts_the_processor_cold)
{
    open_admin();
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(ad_submit(i, FLUE_OP_ABORT, 0), FLUE_OK);
    CHECK_EQ(flue_adapter_reset(rig.a), FLUE_OK);
    CHECK_EQ(ad.total, 3);
    CHECK_EQ(ad.done.status, (uint32_t)NDIS_STATUS_REQUEST_ABORTED);
    CHECK_EQ(rig.m.log[mock_last_write(&rig.m, FLUE_REG_FW_CTRL)].value, FLUE_FW_CTRL_RUN_MASK | FLUE_FW_CTRL_COLD_MASK);
    CHECK_EQ(ad_submit(3, FLUE_OP_ABORT, 0), FLUE_OK);
    ad_answer(0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad.back[3], 1);

    rig.m.fw_never_ready = true; /* the processor alone fails: its error is told, the rest works */
    CHECK_EQ(flue_adapter_reset(rig.a), FLUE_ETIMEOUT);
    put_one(0);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.tx_total, 1);
    CHECK_EQ(ad_submit(4, FLUE_OP_ABORT, 0), FLUE_ESTATE);
    rig.m.fw_never_ready = false;
    CHECK_EQ(flue_adapter_reset(rig.a), FLUE_OK);
    CHECK_EQ(ad_submit(4, FLUE_OP_ABORT, 0), FLUE_OK);
    close_rig();
    CHECK_EQ(ad.total, 5);
}

TEST(a_drain_keeps_the_commands_for_later)
{
    open_admin();
    CHECK_EQ(ad_submit(0, FLUE_OP_ABORT, 0), FLUE_OK);
    CHECK_EQ(ad_submit(1, FLUE_OP_ABORT, 0), FLUE_OK);
    ad_answer(0); /* the one in hand */
    CHECK_EQ(flue_adapter_drain(rig.a), FLUE_OK);
    CHECK_EQ(ad.total, 1);
    CHECK_EQ(ad_submit(2, FLUE_OP_ABORT, 0), FLUE_ESTATE);
    CHECK_EQ(flue_adapter_resume(rig.a), FLUE_OK);
    ad_answer(1);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad.back[1], 1);
    close_rig();
}

TEST(random_commands_with_traps_and_resets_each_end_once)
{
    static uint16_t open_index[ADMIN_SIZE];
    unsigned put = 0, open = 0;
    uint16_t tail = 0;
    open_admin();
    while (put < 3000) {
        unsigned before = ad.total, pick;
        switch (check_random(24)) {
        case 0:
            mock_trap(&rig.m, 1 + check_random(20), check_random(4096));
            CHECK_EQ(poll_all(), FLUE_OK);
            CHECK_EQ(ad.total, before + open);
            CHECK_EQ(flue_admin_restart(ad.admin), FLUE_OK);
            open = tail = 0;
            break;
        case 1:
            CHECK_EQ(flue_adapter_reset(rig.a), FLUE_OK);
            CHECK_EQ(ad.total, before + open);
            open = tail = 0;
            break;
        case 2:
        case 3:
        case 4:
        case 5:
        case 6:
        case 7:
        case 8:
        case 9:
            if (open == 0)
                break;
            pick = check_random(open);
            ad_answer(open_index[pick]);
            open_index[pick] = open_index[--open];
            CHECK_EQ(poll_all(), FLUE_OK);
            CHECK_EQ(ad.total, before + 1);
            break;
        default:
            if (open == ADMIN_SIZE || (open > 0 && (uint16_t)(tail - open_index[0]) >= ADMIN_SIZE))
                break;
            /* Only submissions that are still in the ring can be answered by their index. */
            for (pick = 0; pick < open; pick++)
                if ((uint16_t)(tail - open_index[pick]) >= ADMIN_SIZE)
                    break;
            if (pick < open)
                break;
            CHECK_EQ(ad_submit(put++, FLUE_OP_ABORT, 0), FLUE_OK);
            open_index[open++] = tail++;
        }
        rig.m.log_count = 0;
    }
    close_rig();
    CHECK_EQ(ad.total, put);
    for (unsigned i = 0; i < put; i++)
        CHECK_EQ(ad.back[i], 1);
}
