/*
 * The control plane against a device that lies: what cannot be true is refused by name, silence is ended, and every command
 * that was accepted ends exactly once.
 */
#include "admin_rig.h"

/* ---- entries that cannot be true --------------------------------------------------------------------------------- */

/* The entry was refused by this name, the adapter is off, and closing ends everything once. */
static void check_lie(const char *name, unsigned commands)
{
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_OP_ABORT};
    CHECK_EQ(poll_all(), FLUE_EDEVICE);
    CHECK(flue_adapter_fault(rig.a) != NULL);
    if (strstr(flue_adapter_fault(rig.a), name) == NULL)
        check_failed(__FILE__, __LINE__, "fault is \"%s\", expected \"%s\"", flue_adapter_fault(rig.a), name);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_CTRL), 0);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_FW_CTRL) & FLUE_FW_CTRL_RUN_MASK, 0);
    CHECK_EQ(ad_submit(100, FLUE_OP_ABORT, 0), FLUE_EDEVICE);
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, NULL, 0, &done), FLUE_EDEVICE);
    CHECK_EQ(flue_admin_check(ad.admin, 100), FLUE_EDEVICE);
    CHECK_EQ(flue_admin_restart(ad.admin), FLUE_EDEVICE);
    CHECK(!flue_admin_runs(ad.admin));
    close_rig();
    CHECK_EQ(ad.total, commands);
    for (unsigned i = 0; i < commands; i++)
        CHECK_EQ(ad.back[i], 1);
}

static void put_commands(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        CHECK_EQ(ad_submit(i, FLUE_OP_ABORT, 0), FLUE_OK);
}

TEST(an_admin_completion_that_comes_twice_is_refused)
{
    open_admin();
    put_commands(2);
    ad_answer(0);
    ad_answer(0);
    check_lie("twice", 2);
}

TEST(an_admin_completion_that_comes_twice_is_refused_when_the_slot_is_used_again)
{
    open_admin();
    put_commands(1);
    uint32_t stale = FLUE_PUT(CQE_KIND, FLUE_CQ_COMPLETION) | FLUE_PUT(CQE_COMMAND_ID, mock_command_id(&rig.m, 0));
    ad_answer(0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad_submit(1, FLUE_OP_ABORT, 0), FLUE_OK);
    mock_cqe(&rig.m, stale, 0, 0, 0);
    check_lie("not in flight", 2);
}

TEST(an_admin_completion_of_an_unknown_command_is_refused)
{
    for (unsigned bit = 0; bit < 16; bit++) {
        open_admin();
        put_commands(2);
        uint16_t id = (uint16_t)(mock_command_id(&rig.m, 0) ^ 1u << bit);
        if (id == mock_command_id(&rig.m, 1)) {
            close_rig();
            continue;
        }
        mock_cqe(&rig.m, FLUE_PUT(CQE_KIND, FLUE_CQ_COMPLETION) | FLUE_PUT(CQE_COMMAND_ID, id), 0, 0, 0);
        check_lie("not in flight", 2);
    }
}

TEST(an_admin_completion_without_any_command_is_refused)
{
    open_admin();
    mock_cqe(&rig.m, FLUE_PUT(CQE_KIND, FLUE_CQ_COMPLETION), 0, 0, 0);
    check_lie("not in flight", 0);
}

TEST(an_announced_completion_without_its_phase_is_refused)
{
    open_admin();
    put_commands(1);
    uint16_t id = mock_command_id(&rig.m, 0);
    mock_cqe(&rig.m, FLUE_PUT(CQE_KIND, FLUE_CQ_COMPLETION) | FLUE_PUT(CQE_COMMAND_ID, id), 0, 0, FLUE_CQE_PHASE_MASK);
    check_lie("has not its phase", 1);
}

TEST(a_tail_outside_the_completion_ring_is_refused)
{
    open_admin();
    put_commands(1);
    ad_answer(0);
    *mock_reg(&rig.m, FLUE_REG_ACQ_TAIL) = ADMIN_SIZE + 1;
    check_lie("tail of the admin completions", 1);
    open_admin();
    put_commands(1);
    ad_answer(0);
    *mock_reg(&rig.m, FLUE_REG_ACQ_TAIL) = 0x10001;
    check_lie("tail of the admin completions", 1);
}

TEST(indices_outside_the_rings_are_found_by_a_check)
{
    static const struct {
        uint32_t reg, value;
        const char *name;
    } rows[] = {
        {FLUE_REG_ASQ_HEAD, 3, "head of the admin submissions"},
        {FLUE_REG_ASQ_HEAD, 0xFFF0, "head of the admin submissions"},
        {FLUE_REG_ASQ_HEAD, 0x10000, "head of the admin submissions"},
        {FLUE_REG_ACQ_TAIL, 0xFFFE, "tail of the admin completions"}, /* one behind may be: written after the entry */
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_admin();
        put_commands(2);
        *mock_reg(&rig.m, rows[i].reg) = rows[i].value;
        CHECK_EQ(flue_admin_check(ad.admin, 100), FLUE_EDEVICE);
        check_lie(rows[i].name, 2);
    }
}

TEST(reserved_bits_and_unknown_details_are_refused)
{
    open_admin();
    put_commands(1);
    mock_cqe(&rig.m, FLUE_PUT(CQE_KIND, FLUE_CQ_COMPLETION) | mock_command_id(&rig.m, 0) | 1u << 20, 0, 0, 0);
    check_lie("reserved bits", 1);
    open_admin();
    put_commands(1);
    mock_cqe(&rig.m, FLUE_PUT(CQE_KIND, FLUE_CQ_COMPLETION) | mock_command_id(&rig.m, 0), 0, 0, 1u << 8);
    check_lie("reserved bits", 1);
    open_admin();
    put_commands(1);
    mock_answer(&rig.m, 0, (uint32_t)NDIS_STATUS_FAILURE, 0, FLUE_AD_ABORTED + 1);
    check_lie("unknown detail", 1);
}

TEST(a_result_larger_than_its_buffer_is_refused)
{
    static const struct {
        uint32_t opcode, length, result;
        const char *name; /* null = it may be true */
    } rows[] = {
        {FLUE_OP_QUERY, 96, 2, NULL},
        {FLUE_OP_QUERY, 96, 3, "more nodes"},
        {FLUE_OP_INITIATE, 64, 2, "more nodes"},
        {FLUE_OP_UPDATE, 64, 0xFFFFFFFF, "more nodes"},
        {FLUE_OP_INVALIDATE, 64, 0x08000000, "more nodes"},
        {FLUE_OP_TERMINATE, 0, 0, "more nodes"},
        {FLUE_OP_LIST, 64, 2, NULL},
        {FLUE_OP_LIST, 64, 3, "more entries"},
        {FLUE_OP_HOLD, 0, 0xC0010000, NULL},
        {FLUE_OP_HOLD, 0, 0, "no connection"},
        {FLUE_OP_HOLD, 0, 0x80010000, "no connection"},
        {FLUE_OP_HOLD, 0, 0xC0000005, "no connection"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_admin();
        CHECK_EQ(ad_submit(0, rows[i].opcode, rows[i].length), FLUE_OK);
        mock_answer(&rig.m, 0, 0, rows[i].result, 0);
        if (rows[i].name != NULL) {
            check_lie(rows[i].name, 1);
            continue;
        }
        CHECK_EQ(poll_all(), FLUE_OK);
        CHECK_EQ(ad.done.result, rows[i].result);
        close_rig();
    }
}

TEST(notices_of_unknown_kind_or_about_nothing_are_refused)
{
    for (uint32_t kind = 0; kind < 16; kind++) {
        if (kind >= FLUE_CQ_COMPLETION && kind <= FLUE_CQ_NEIGHBOR_QUERY)
            continue;
        open_admin();
        mock_cqe(&rig.m, FLUE_PUT(CQE_KIND, kind), 0, 0, 0);
        check_lie("unknown kind", 0);
    }
    static const struct {
        uint32_t w0, result, w3;
    } rows[] = {
        {FLUE_PUT(CQE_KIND, FLUE_CQ_TABLE_ERROR), 5, 0},                                      /* no error there */
        {FLUE_PUT(CQE_KIND, FLUE_CQ_TABLE_ERROR), FLUE_TABLE_ERROR_VALID_MASK | 1u << 30, 0}, /* reserved bit */
        {FLUE_PUT(CQE_KIND, FLUE_CQ_TABLE_ERROR) | 1, FLUE_TABLE_ERROR_VALID_MASK, 0},        /* of a command */
        {FLUE_PUT(CQE_KIND, FLUE_CQ_TABLE_ERROR), FLUE_TABLE_ERROR_VALID_MASK, 1},            /* with a detail */
        {FLUE_PUT(CQE_KIND, FLUE_CQ_UPLOAD_REQUEST), 0x80010000, 0},                          /* of a path */
        {FLUE_PUT(CQE_KIND, FLUE_CQ_ABORT_IND), 0, 0},                                        /* of nothing */
        {FLUE_PUT(CQE_KIND, FLUE_CQ_NEIGHBOR_QUERY), 0xC0010000, 0},                          /* of a connection */
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_admin();
        mock_cqe(&rig.m, rows[i].w0, 0, rows[i].result, rows[i].w3);
        check_lie("about nothing", 0);
        CHECK_EQ(ad.notices, 0);
    }
}

/* ---- a processor that does not do what it should ----------------------------------------------------------------- */

static void idle_polls(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQ(poll_all(), FLUE_OK);
        CHECK_EQ(rig.m.link.ops->wait(&rig.m.link, 100), FLUE_OK);
    }
}

TEST(commands_that_are_never_answered_end_by_name_and_the_rest_works_on)
{
    open_admin();
    put_commands(3);
    ad_answer(0);
    idle_polls(50); /* half the limit */
    CHECK_EQ(ad.total, 1);
    CHECK(flue_admin_runs(ad.admin));
    idle_polls(200);
    CHECK_EQ(ad.total, 3);
    CHECK_EQ(ad.traps, 1);
    CHECK_EQ(ad.trap.cause, 0);
    CHECK_EQ(ad.back_at_trap, 3);
    CHECK(strstr(flue_adapter_fault(rig.a), "no answer to an admin command within 10000 us") != NULL);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_FW_CTRL) & FLUE_FW_CTRL_RUN_MASK, 0);
    put_one(0);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.tx_total, 1);
    CHECK_EQ(flue_admin_restart(ad.admin), FLUE_OK);
    CHECK_EQ(ad_submit(3, FLUE_OP_ABORT, 0), FLUE_OK);
    close_rig();
    CHECK_EQ(ad.total, 4);
}

TEST(answers_that_keep_coming_are_not_silence)
{
    open_admin();
    for (unsigned i = 0; i < 8; i++) {
        CHECK_EQ(ad_submit(i, FLUE_OP_ABORT, 0), FLUE_OK);
        CHECK_EQ(ad_submit(100 + i, FLUE_OP_ABORT, 0), FLUE_OK);
        idle_polls(70);
        ad_answer((uint16_t)(2 * i));
        ad_answer((uint16_t)(2 * i + 1));
        idle_polls(1);
    }
    idle_polls(300); /* nothing is awaited */
    CHECK_EQ(ad.traps, 0);
    CHECK_EQ(ad.total, 16);
    close_rig();
}

TEST(a_queue_that_the_firmware_stopped_is_noticed)
{
    open_admin();
    put_commands(1);
    *mock_reg(&rig.m, FLUE_REG_FW_STATUS) &= ~FLUE_FW_STATUS_READY_MASK;
    idle_polls(64);
    CHECK_EQ(ad.back[0], 1);
    CHECK(strstr(flue_adapter_fault(rig.a), "stopped the admin queue") != NULL);
    CHECK_EQ(flue_admin_restart(ad.admin), FLUE_OK);
    put_commands(1);
    *mock_reg(&rig.m, FLUE_REG_FW_STATUS) = 0;
    idle_polls(64);
    CHECK(strstr(flue_adapter_fault(rig.a), "stopped unasked") != NULL);
    close_rig();
    CHECK_EQ(ad.total, 2);
}

TEST(a_trap_without_its_interrupt_is_noticed)
{
    open_admin();
    put_commands(1);
    mock_trap(&rig.m, 2, 0x44);
    *mock_reg(&rig.m, FLUE_REG_IRQ_CAUSE) = 0;
    idle_polls(64);
    CHECK_EQ(ad.trap.cause, 2);
    CHECK_EQ(ad.back[0], 1);
    close_rig();
    open_admin();
    mock_trap(&rig.m, 3, 0x48);
    *mock_reg(&rig.m, FLUE_REG_IRQ_CAUSE) = 0;
    CHECK_EQ(flue_admin_check(ad.admin, 100), FLUE_ESTATE);
    CHECK_EQ(ad.trap.cause, 3);
    close_rig();
}

TEST(an_interrupt_of_a_trap_that_did_not_happen_changes_nothing)
{
    open_admin();
    put_commands(1);
    *mock_reg(&rig.m, FLUE_REG_IRQ_CAUSE) |= FLUE_IRQ_CAUSE_FIRMWARE_MASK;
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(ad.traps, 0);
    ad_answer(0);
    CHECK_EQ(poll_all(), FLUE_OK);
    close_rig();
}

/* A processor that does not stop may write into buffers that were given back: nothing of the adapter is used any more. */
TEST(a_processor_that_does_not_stop_ends_the_use_of_the_device)
{
    open_admin();
    put_commands(2);
    rig.m.fw_never_stops = true;
    CHECK_EQ(flue_admin_restart(ad.admin), FLUE_EDEVICE);
    CHECK_EQ(ad.total, 0);
    check_lie("does not stop", 2);
}

TEST(a_start_that_traps_or_never_gets_ready_has_its_name)
{
    open_rig();
    rig.m.fw_start_trap = 18;
    CHECK_EQ(ad_start(), FLUE_EDEVICE);
    CHECK(strstr(flue_adapter_fault(rig.a), "cause 18 at 0x00000040") != NULL);
    CHECK_EQ(ad.traps, 0);
    rig.m.fw_start_trap = 0;
    rig.m.fw_never_ready = true;
    uint64_t before = rig.m.waited_us;
    CHECK_EQ(ad_start(), FLUE_ETIMEOUT);
    CHECK(rig.m.waited_us - before >= ADMIN_TIMEOUT_US && rig.m.waited_us - before <= 2 * ADMIN_TIMEOUT_US);
    CHECK(strstr(flue_adapter_fault(rig.a), "did not become ready") != NULL);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_FW_CTRL) & FLUE_FW_CTRL_RUN_MASK, 0);
    rig.m.fw_never_ready = false;
    CHECK_EQ(ad_start(), FLUE_OK);
    CHECK(flue_adapter_fault(rig.a) == NULL);
    close_rig();
}

TEST(a_clock_that_stands_still_does_not_hold_up_a_wait)
{
    open_rig();
    rig.m.fw_never_ready = rig.m.clock_stands = true;
    CHECK_EQ(ad_start(), FLUE_ETIMEOUT);
    close_rig();
}

TEST(memory_that_does_not_hold_the_image_is_named)
{
    open_rig();
    rig.m.fw_bad_word = 0x10;
    CHECK_EQ(ad_start(), FLUE_EDEVICE);
    CHECK(strstr(flue_adapter_fault(rig.a), "at 0x00000 reads 0x11111101, written was 0x11111111") != NULL);
    rig.m.fw_bad_word = 0;
    CHECK_EQ(ad_start(), FLUE_OK);
    close_rig();
}

static void notice_storm(struct mock *m)
{
    mock_cqe(m, FLUE_PUT(CQE_KIND, FLUE_CQ_NEIGHBOR_QUERY), 0, 0x40010000, 0);
}

TEST(notices_are_no_answer)
{
    open_admin();
    put_commands(1);
    for (unsigned i = 0; i < 250; i++) {
        CHECK_EQ(poll_all(), FLUE_OK);
        if (flue_admin_runs(ad.admin))
            notice_storm(&rig.m);
        CHECK_EQ(rig.m.link.ops->wait(&rig.m.link, 100), FLUE_OK);
    }
    CHECK(strstr(flue_adapter_fault(rig.a), "no answer") != NULL);
    CHECK_EQ(ad.back[0], 1);
    close_rig();
}

TEST(notices_without_end_do_not_hold_up_a_call_or_a_drain)
{
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_OP_ABORT};
    open_admin();
    rig.m.on_wait = notice_storm;
    CHECK_EQ(flue_admin_call(ad.admin, &sqe, NULL, 0, &done), FLUE_ETIMEOUT);
    CHECK(ad.notices > 10);
    rig.m.drain_stuck = true;
    CHECK_EQ(flue_adapter_drain(rig.a), FLUE_ETIMEOUT);
    close_rig();
}
