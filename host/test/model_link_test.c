/*
 * The adapter without RTL: its registers, its regions, and the admin cases over the firmware compiled for the host.
 */
#include "admin_cases.h"
#include "check.h"
#include "flue/model.h"
#include "flue/ndis/status.h"
#include "slots.h"

#include <string.h>

static struct bench {
    struct flue_link *link;
    struct flue_adapter *a;
    struct admin_cases c;
} one, two;

static void bench_open(struct bench *b, const struct flue_model_params *params)
{
    CHECK_EQ(flue_model_link_open(params, &b->link), FLUE_OK);
    CHECK_EQ(flue_adapter_open(b->link, NULL, NULL, &b->a), FLUE_OK);
    CHECK_EQ(admin_cases_start(&b->c, b->a), FLUE_OK);
}

static void bench_close(struct bench *b)
{
    flue_adapter_close(b->a);
    b->link->ops->close(b->link);
}

static uint32_t read_reg(struct bench *b, uint32_t offset)
{
    uint32_t value;
    CHECK_EQ(b->link->ops->read32(b->link, offset, &value), FLUE_OK);
    return value;
}

static void write_reg(struct bench *b, uint32_t offset, uint32_t value)
{
    CHECK_EQ(b->link->ops->write32(b->link, offset, value), FLUE_OK);
}

/* CH-021: and every other rule of the cases. */
TEST(every_admin_case_holds_on_the_model)
{
    CHECK(admin_case_count > 0);
    for (unsigned i = 0; i < admin_case_count; i++) {
        bench_open(&one, NULL);
        const char *said = admin_case_list[i].run(&one.c);
        if (said != NULL)
            check_failed(__FILE__, __LINE__, "%s: %s; fault: %s", admin_case_list[i].name, said,
                         flue_adapter_fault(one.a) != NULL ? flue_adapter_fault(one.a) : "none");
        bench_close(&one);
    }
}

TEST(the_cases_hold_one_after_the_other_on_one_device)
{
    bench_open(&one, &(struct flue_model_params){.connections = 4, .paths = 2, .neighbors = 2});
    for (unsigned i = 0; i < 2 * admin_case_count; i++) {
        const char *said = admin_case_list[i % admin_case_count].run(&one.c);
        if (said != NULL)
            check_failed(__FILE__, __LINE__, "%s: %s", admin_case_list[i % admin_case_count].name, said);
    }
    bench_close(&one);
}

TEST(two_models_do_not_know_of_one_another)
{
    struct flue_admin_info info;
    struct flue_admin_done done;
    struct flue_sqe set = {.word0 = FLUE_OP_SET_CONFIG, .arg = {FLUE_CFG_SWITCHES}};
    struct flue_cfg_switches ipv4 = {.word0 = htole32(5)}, ipv6 = {.word0 = htole32(10)}, got;
    bench_open(&one, &(struct flue_model_params){.connections = 1024, .paths = 512, .neighbors = 256});
    bench_open(&two, &(struct flue_model_params){.connections = 2, .neighbors = 2});
    flue_admin_info(one.c.admin, &info);
    CHECK_EQ(info.paths, 512);
    flue_admin_info(two.c.admin, &info);
    CHECK_EQ(info.paths, 2);
    CHECK_EQ(flue_admin_call(one.c.admin, &set, &ipv4, sizeof ipv4, &done), FLUE_OK);
    CHECK_EQ(flue_admin_call(two.c.admin, &set, &ipv6, sizeof ipv6, &done), FLUE_OK);
    set.word0 = FLUE_OP_GET_CONFIG;
    CHECK_EQ(flue_admin_call(one.c.admin, &set, &got, sizeof got, &done), FLUE_OK);
    CHECK_EQ(le32toh(got.word0), 5);
    CHECK_EQ(flue_admin_call(two.c.admin, &set, &got, sizeof got, &done), FLUE_OK);
    CHECK_EQ(le32toh(got.word0), 10);
    bench_close(&two);
    bench_close(&one);
}

TEST(model_sizes_out_of_range_are_refused)
{
    struct flue_link *link;
    const struct flue_model_params bad[] = {{.connections = 1}, {.connections = 1025}, {.paths = 1},
                                            {.paths = 1025},    {.neighbors = 1},      {.neighbors = 257}};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_EQ(flue_model_link_open(&bad[i], &link), FLUE_EARG);
        CHECK(link == NULL);
    }
    CHECK_EQ(flue_model_link_open(NULL, NULL), FLUE_EARG);
}

TEST(registers_keep_their_bits_and_a_reset_gives_their_defaults)
{
    bench_open(&one, NULL);
    CHECK_EQ(read_reg(&one, FLUE_REG_ID), FLUE_ID_DEFAULT);
    write_reg(&one, FLUE_REG_ID, 0);
    write_reg(&one, FLUE_REG_BUILD_TABLES0, 0);
    CHECK_EQ(read_reg(&one, FLUE_REG_ID), FLUE_ID_DEFAULT);
    CHECK_EQ(read_reg(&one, FLUE_REG_BUILD_TABLES0), 64u | 64u << 16);
    write_reg(&one, FLUE_REG_TX_LIMIT, 0xFFFFFFFF);
    CHECK_EQ(read_reg(&one, FLUE_REG_TX_LIMIT), FLUE_TX_LIMIT_MAX_OFFLOAD_MASK);
    CHECK_EQ(read_reg(&one, FLUE_REG_SEED0), 0);   /* secret */
    CHECK_EQ(read_reg(&one, FLUE_REG_FW_DATA), 0); /* it runs: the window is closed */
    write_reg(&one, FLUE_REG_CTRL, FLUE_CTRL_RESET_MASK);
    CHECK_EQ(read_reg(&one, FLUE_REG_CTRL), 0);
    CHECK_EQ(read_reg(&one, FLUE_REG_TX_LIMIT), FLUE_TX_LIMIT_DEFAULT);
    CHECK_EQ(read_reg(&one, FLUE_REG_ASQ_CFG), 0);
    CHECK_EQ(read_reg(&one, FLUE_REG_FW_STATUS), 0);
    uint32_t value;
    CHECK_EQ(one.link->ops->read32(one.link, 4096, &value), FLUE_EDEVICE);
    CHECK_EQ(one.link->ops->write32(one.link, 6, 0), FLUE_EDEVICE);
    bench_close(&one);
}

TEST(time_passes_only_in_wait)
{
    uint64_t before, now;
    bench_open(&one, NULL);
    CHECK_EQ(flue_time_us(one.a, &before), FLUE_OK);
    CHECK_EQ(flue_time_us(one.a, &now), FLUE_OK);
    CHECK_EQ(now, before);
    CHECK_EQ(one.link->ops->wait(one.link, 123), FLUE_OK);
    CHECK_EQ(flue_time_us(one.a, &now), FLUE_OK);
    CHECK_EQ(now, before + 123);
    bench_close(&one);
}

/* The region ends, or its permission does, while the ring is in use: the firmware stops the queue and the driver notices. */
TEST(a_ring_that_cannot_be_reached_stops_the_queue)
{
    for (unsigned writable = 0; writable < 2; writable++) {
        bench_open(&one, NULL);
        uint32_t region = FLUE_GET(ASQ_CFG_REGION, read_reg(&one, FLUE_REG_ASQ_CFG));
        uint32_t flags = FLUE_REG_REGION + region * FLUE_REGION_STRIDE + FLUE_REGION_FLAGS;
        write_reg(&one, flags, writable ? FLUE_REGION_FLAGS_VALID_MASK : 0);
        struct flue_sqe sqe = {.word0 = FLUE_OP_RESET_STATS, .arg = {FLUE_SG_TCP4}};
        CHECK_EQ(flue_admin_submit(one.c.admin, &sqe, NULL), FLUE_OK);
        for (unsigned i = 0; i < 64; i++) {
            unsigned handled;
            CHECK_EQ(one.link->ops->wait(one.link, 10), FLUE_OK);
            CHECK_EQ(flue_poll(one.a, 8, &handled), FLUE_OK);
        }
        CHECK_EQ(one.c.aborted, 1);
        CHECK_EQ(one.c.traps, 1);
        CHECK(strstr(flue_adapter_fault(one.a), "stopped the admin queue") != NULL);
        write_reg(&one, flags, FLUE_REGION_FLAGS_VALID_MASK | FLUE_REGION_FLAGS_WRITE_MASK);
        CHECK_EQ(flue_admin_restart(one.c.admin), FLUE_OK);
        CHECK_EQ(flue_admin_check(one.c.admin, 1000), FLUE_OK);
        bench_close(&one);
    }
}

TEST(a_doorbell_outside_the_ring_stops_the_queue)
{
    bench_open(&one, NULL);
    write_reg(&one, FLUE_REG_ASQ_TAIL, 100);
    CHECK_EQ(one.link->ops->wait(one.link, 10), FLUE_OK);
    CHECK_EQ(read_reg(&one, FLUE_REG_FW_STATUS) & FLUE_FW_STATUS_READY_MASK, 0);
    CHECK_EQ(flue_admin_check(one.c.admin, 1000), FLUE_ESTATE);
    CHECK(strstr(flue_adapter_fault(one.a), "stopped the admin queue") != NULL);
    bench_close(&one);
}

/* CH-021: an error of a row is told by name, through the register as through the call. */
TEST(a_flipped_bit_of_a_held_row_becomes_a_notice)
{
    for (unsigned way = 0; way < 2; way++) {
        uint32_t tree[22] = {FLUE_TREE_MAGIC, FLUE_TREE_VERSION, 1, sizeof tree};
        tree[8] = FLUE_PUT(TREE_NODE_KIND, FLUE_NODE_NEW) | FLUE_PUT(TREE_NODE_STATE_TYPE, 4) | FLUE_PUT(TREE_NODE_REVISION, 1);
        tree[9] = 64;
        tree[10] = 24;
        tree[16] = 0x44332202;
        tree[18] = 0x55443302;
        bench_open(&one, NULL);
        uint32_t *words = one.c.mem.addr;
        for (unsigned i = 0; i < 22; i++)
            words[i] = htole32(tree[i]);
        struct flue_admin_done done;
        struct flue_sqe sqe = {.word0 = FLUE_OP_INITIATE, .word1 = one.c.mem.region, .length = sizeof tree};
        CHECK_EQ(flue_admin_call(one.c.admin, &sqe, NULL, 0, &done), FLUE_OK);
        CHECK_EQ(done.status, NDIS_STATUS_SUCCESS);
        uint32_t handle = le32toh(words[13]), row = FLUE_GET(HANDLE_INDEX, handle);
        if (way == 0)
            flue_model_flip(one.link, FLUE_TBL_NEIGHBOR, row, 7, 5);
        else
            write_reg(&one, FLUE_REG_FAULT_TABLE,
                      FLUE_PUT(FAULT_TABLE_ROW, row) | FLUE_PUT(FAULT_TABLE_WORD, 7) |
                          FLUE_PUT(FAULT_TABLE_TABLE, FLUE_TBL_NEIGHBOR) | FLUE_PUT(FAULT_TABLE_BITNR, 5) |
                          FLUE_FAULT_TABLE_FLIP_MASK);
        tree[8] =
            FLUE_PUT(TREE_NODE_KIND, FLUE_NODE_REFERENCE) | FLUE_PUT(TREE_NODE_STATE_TYPE, 4) | FLUE_PUT(TREE_NODE_REVISION, 1);
        tree[13] = handle;
        for (unsigned i = 0; i < 22; i++)
            words[i] = htole32(tree[i]);
        sqe.word0 = FLUE_OP_QUERY;
        words[8] = htole32(tree[8]);
        CHECK_EQ(flue_admin_call(one.c.admin, &sqe, NULL, 0, &done), FLUE_OK);
        CHECK_EQ(flue_admin_check(one.c.admin, 1000), FLUE_OK);
        CHECK_EQ(one.c.notices, 1);
        bench_close(&one);
    }
}
