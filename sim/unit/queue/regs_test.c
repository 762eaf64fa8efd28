/*
 * Registers, statistics and interrupt: the register file through its bus, as the driver sees it.
 */
#include <string.h>

#include "bench.h"
#include "flue/layout.h"
#include "flue/regs.h"

/* Config and status bits of queue_tb.sv. */
enum {
    K = 8,
    TIME_US = 0,
    IDLE = 64,
    DRAINED,
    TX_ERROR,
    RX_ERROR,
    EVENT_ERROR,
    TX_BUSY,
    RX_BUSY,
    SET_ERROR = 72,
    SET_DRAINED,
    SET_ADMIN,
    SET_FIRMWARE,
    FW_RUNNING,
    FW_TRAPPED,
    FW_ASLEEP,
    FW_READY,
    FW_DELAY = 80, /* cycles the memory window takes */
    HEADS = 96,
    FW_HEARTBEAT = 112,
    FW_CAUSE = 128,
    FW_PC = 160
};
enum { /* status of the management processor's ports */
       FW = 9,
       FW_RUN = 0,
       FW_COLD,
       PING,
       DOORBELL,
       FLIP_WHERE, /* table, row, word, bit */
       FLIP = 33,
       ASQ = 34, /* enable, base, region, log2, tail */
       ACQ = ASQ + 64,
       SEED = 162,
       LINE = SEED + 128 /* enable, base, region */
};
enum {
    DEADLINE_US = 0,
    DEADLINE_VALID = 64,
    IRQ,
    RISE,
    IRQ_IDLE,
    STATS_IDLE,
    REGS_IDLE,
    CLEAR,
    FLUSH,
    DRAIN,
    ENABLE,
    TX_CFG_MAX_FRAME = 74,
    TX_CFG_SWITCHES = 74 + 31,
    RX_CFG_MAX_FRAME = 115,
    RX_CFG_SWITCHES = 129
};
enum { AW = 64, W = 65, AR = 66, INC = 67, POST = 68, B = 64, R = 65, DB = 66 };

static struct bench_bits word(uint64_t value)
{
    struct bench_bits bits = {{0}};
    bench_bits_set(&bits, 0, 64, value);
    return bits;
}

static void reg_write(uint32_t offset, uint32_t value)
{
    struct bench_packet p;
    struct bench_bits addr = word(offset), data = word(value);
    bench_send(AW, "", 1, false, &addr);
    bench_send(W, "", 1, false, &data);
    for (unsigned i = 0; !bench_take(B, &p); i++) {
        CHECK(i < 200);
        bench_run(1);
    }
    CHECK_EQ(0, bench_bits_get(&p.user, 0, 2));
}

static uint32_t reg_read(uint32_t offset)
{
    struct bench_packet p;
    struct bench_bits addr = word(offset);
    bench_send(AR, "", 1, false, &addr);
    for (unsigned i = 0; !bench_take(R, &p); i++) {
        CHECK(i < 400);
        bench_run(1);
    }
    CHECK_EQ(0, bench_bits_get(&p.user, 32, 2));
    return (uint32_t)bench_bits_get(&p.user, 0, 32);
}

static void drive(unsigned lsb, unsigned width, uint64_t value)
{
    bench_set(K, lsb, width, value);
}

static bool status(unsigned bit)
{
    return bench_get(K, bit, 1) != 0;
}

/* Every register the driver writes, with the bits it has and its value after reset. */
static const struct {
    uint32_t offset, bits, value;
} writable[] = {
    {FLUE_REG_TX_CFG, 0x3FF, FLUE_TX_CFG_DEFAULT},
    {FLUE_REG_TX_LIMIT, FLUE_TX_LIMIT_MAX_OFFLOAD_MASK, FLUE_TX_LIMIT_DEFAULT},
    {FLUE_REG_RX_CFG, 0x7FF, FLUE_RX_CFG_DEFAULT},
    {FLUE_REG_FRAME_LIMIT, FLUE_FRAME_LIMIT_MAX_FRAME_MASK, FLUE_FRAME_LIMIT_DEFAULT},
    {FLUE_REG_TXQ_BASE, FLUE_TXQ_BASE_OFFSET_MASK, 0},
    {FLUE_REG_TXQ_CFG, FLUE_TXQ_CFG_REGION_MASK | FLUE_TXQ_CFG_LOG2_SLOTS_MASK | FLUE_TXQ_CFG_ENABLE_MASK, 0},
    {FLUE_REG_TXQ_TAIL, 0xFFFF, 0},
    {FLUE_REG_RXQ_BASE, FLUE_RXQ_BASE_OFFSET_MASK, 0},
    {FLUE_REG_RXQ_CFG, FLUE_RXQ_CFG_REGION_MASK | FLUE_RXQ_CFG_LOG2_SLOTS_MASK | FLUE_RXQ_CFG_ENABLE_MASK, 0},
    {FLUE_REG_RXQ_TAIL, 0xFFFF, 0},
    {FLUE_REG_EQ_BASE, FLUE_EQ_BASE_OFFSET_MASK, 0},
    {FLUE_REG_EQ_CFG, FLUE_EQ_CFG_REGION_MASK | FLUE_EQ_CFG_LOG2_SLOTS_MASK | FLUE_EQ_CFG_ENABLE_MASK, 0},
    {FLUE_REG_EQ_HEAD, 0xFFFF, 0},
    {FLUE_REG_IRQ_MASK, 31, 0},
    {FLUE_REG_IRQ_MOD, FLUE_IRQ_MOD_DISTANCE_US_MASK | FLUE_IRQ_MOD_EVENTS_MASK, 0},
    {FLUE_REG_FAULT, 7, 0},
    {FLUE_REG_LINE_BASE, FLUE_LINE_BASE_OFFSET_MASK, 0},
    {FLUE_REG_LINE_CFG, FLUE_LINE_CFG_REGION_MASK | FLUE_LINE_CFG_ENABLE_MASK, 0},
    {FLUE_REG_FAULT_TABLE, 0x7F3FFFFF, 0},
    {FLUE_REG_FW_CTRL, 3, FLUE_FW_CTRL_DEFAULT},
    {FLUE_REG_FW_ADDR, FLUE_FW_ADDR_ADDRESS_MASK, 0},
    {FLUE_REG_ASQ_BASE, FLUE_ASQ_BASE_OFFSET_MASK, 0},
    {FLUE_REG_ASQ_CFG, FLUE_ASQ_CFG_REGION_MASK | FLUE_ASQ_CFG_LOG2_SLOTS_MASK | FLUE_ASQ_CFG_ENABLE_MASK, 0},
    {FLUE_REG_ASQ_TAIL, 0xFFFF, 0},
    {FLUE_REG_ACQ_BASE, FLUE_ACQ_BASE_OFFSET_MASK, 0},
    {FLUE_REG_ACQ_CFG, FLUE_ACQ_CFG_REGION_MASK | FLUE_ACQ_CFG_LOG2_SLOTS_MASK | FLUE_ACQ_CFG_ENABLE_MASK, 0},
    {FLUE_REG_ACQ_HEAD, 0xFFFF, 0},
};
enum { WRITABLE = sizeof writable / sizeof writable[0] };

/* Every other word of the window. */
static bool is_register(uint32_t offset)
{
    static const uint32_t others[] = {FLUE_REG_ID,
                                      FLUE_REG_VERSION,
                                      FLUE_REG_BUILD,
                                      FLUE_REG_BUILD_FRAME,
                                      FLUE_REG_CAPS,
                                      FLUE_REG_CTRL,
                                      FLUE_REG_STATUS,
                                      FLUE_REG_TIME_LO,
                                      FLUE_REG_TIME_HI,
                                      FLUE_REG_TXQ_HEAD,
                                      FLUE_REG_RXQ_HEAD,
                                      FLUE_REG_EQ_TAIL,
                                      FLUE_REG_IRQ_CAUSE,
                                      FLUE_REG_FW_STATUS,
                                      FLUE_REG_FW_DATA,
                                      FLUE_REG_FW_TRAP_CAUSE,
                                      FLUE_REG_FW_TRAP_PC,
                                      FLUE_REG_FW_PING,
                                      FLUE_REG_BUILD_FW,
                                      FLUE_REG_BUILD_TABLES0,
                                      FLUE_REG_BUILD_TABLES1,
                                      FLUE_REG_ASQ_HEAD,
                                      FLUE_REG_ACQ_TAIL};
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i] == offset)
            return true;
    for (unsigned i = 0; i < WRITABLE; i++)
        if (writable[i].offset == offset)
            return true;
    return false;
}

static const uint32_t seeds[] = {FLUE_REG_SEED0, FLUE_REG_SEED1, FLUE_REG_SEED2, FLUE_REG_SEED3};

static void fresh(void)
{
    drive(0, 64, 0);
    for (unsigned lsb = 64; lsb < 320; lsb += 64)
        drive(lsb, 64, 0);
    bench_run(2);
    bench_reset();
    bench_source_mode(AW, BENCH_RANDOM, 30);
    bench_source_mode(W, BENCH_RANDOM, 30);
    bench_source_mode(AR, BENCH_RANDOM, 30);
    bench_sink_mode(B, BENCH_RANDOM, 30);
    bench_sink_mode(R, BENCH_RANDOM, 30);
    bench_run(80); /* the counters clear themselves */
}

/* Architecture 3: identity and build say what this is. */
TEST(identity_names_the_adapter_and_its_contract)
{
    fresh();
    CHECK_EQ(FLUE_ID_DEFAULT, reg_read(FLUE_REG_ID));
    CHECK_EQ((uint32_t)FLUE_CONTRACT_MAJOR << 16 | FLUE_CONTRACT_MINOR, reg_read(FLUE_REG_VERSION));
    CHECK_EQ(3u | 4u << FLUE_BUILD_REGIONS_SHIFT | FLUE_BUILD_FAULTS_MASK, reg_read(FLUE_REG_BUILD));
    CHECK_EQ(1518, reg_read(FLUE_REG_BUILD_FRAME));
    CHECK_EQ(0x07FF03FF, reg_read(FLUE_REG_CAPS));
    CHECK_EQ(32u | 2u << FLUE_BUILD_FW_CORE_SHIFT, reg_read(FLUE_REG_BUILD_FW));
    CHECK_EQ(64u | 48u << FLUE_BUILD_TABLES0_PATHS_SHIFT, reg_read(FLUE_REG_BUILD_TABLES0));
    CHECK_EQ(16, reg_read(FLUE_REG_BUILD_TABLES1));
}

/* Architecture 3: each register keeps its own bits and no other's; what is no register reads 0. */
TEST(registers_hold_what_was_written_and_nothing_else)
{
    uint32_t value[WRITABLE];
    fresh();
    for (unsigned i = 0; i < WRITABLE; i++)
        CHECK_EQ(writable[i].value, reg_read(writable[i].offset));
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < WRITABLE; i++)
            reg_write(writable[i].offset, value[i] = (uint32_t)bench_random());
        for (unsigned i = 0; i < WRITABLE; i++)
            CHECK_EQ(value[i] & writable[i].bits, reg_read(writable[i].offset));
    }
    for (uint32_t offset = 0; offset < FLUE_REG_STAT; offset += 4) {
        if (is_register(offset))
            continue;
        reg_write(offset, 0xFFFFFFFF);
        CHECK_EQ(0, reg_read(offset));
    }
    for (uint32_t offset = 0x400; offset < 0x1000; offset += 4) {
        reg_write(offset, 0xFFFFFFFF);
        CHECK_EQ(0, reg_read(offset));
    }
    for (unsigned i = 0; i < WRITABLE; i++)
        CHECK_EQ(value[i] & writable[i].bits, reg_read(writable[i].offset));
    bench_run(4);
    CHECK(status(REGS_IDLE));
}

/* Architecture 3: read-only words come from the hardware. */
TEST(state_words_show_the_hardware)
{
    fresh();
    for (unsigned i = 0; i < 20; i++) {
        uint32_t flags = (uint32_t)bench_random();
        uint16_t head = (uint16_t)bench_random();
        drive(IDLE, 1, flags);
        drive(TX_ERROR, 1, flags >> 2);
        drive(RX_ERROR, 1, flags >> 3);
        drive(EVENT_ERROR, 1, flags >> 4);
        drive(TX_BUSY, 1, flags >> 6);
        drive(RX_BUSY, 1, flags >> 7);
        drive(FW_RUNNING, 4, flags >> 8);
        drive(FW_HEARTBEAT, 16, flags >> 12);
        drive(FW_CAUSE, 32, ~flags);
        drive(FW_PC, 32, flags);
        drive(HEADS, 16, head);
        bench_run(3);
        CHECK_EQ(flags & 0xDD, reg_read(FLUE_REG_STATUS));
        CHECK_EQ(head, reg_read(FLUE_REG_TXQ_HEAD));
        CHECK_EQ(head, reg_read(FLUE_REG_RXQ_HEAD));
        CHECK_EQ(head, reg_read(FLUE_REG_EQ_TAIL));
        CHECK_EQ(head, reg_read(FLUE_REG_ASQ_HEAD));
        CHECK_EQ(head, reg_read(FLUE_REG_ACQ_TAIL));
        CHECK_EQ((flags >> 8 & 15) | (flags >> 12 & 0xFFFF) << FLUE_FW_STATUS_HEARTBEAT_SHIFT, reg_read(FLUE_REG_FW_STATUS));
        CHECK_EQ(~flags, reg_read(FLUE_REG_FW_TRAP_CAUSE));
        CHECK_EQ(flags, reg_read(FLUE_REG_FW_TRAP_PC));
    }
}

/* Architecture 3: reading the low word of the time latches the high one. */
TEST(time_is_read_in_one_piece)
{
    fresh();
    drive(TIME_US, 64, 0x12345678FFFFFFFF);
    bench_run(2);
    CHECK_EQ(0xFFFFFFFF, reg_read(FLUE_REG_TIME_LO));
    drive(TIME_US, 64, 0x1234567900000000);
    bench_run(2);
    CHECK_EQ(0x12345678, reg_read(FLUE_REG_TIME_HI));
    CHECK_EQ(0, reg_read(FLUE_REG_TIME_LO));
    CHECK_EQ(0x12345679, reg_read(FLUE_REG_TIME_HI));
}

/* TO-046, section 3.1.3: receive checksums are the AND of configuration and encapsulation; the frame limit is the build's. */
TEST(switches_leave_the_registers_combined)
{
    fresh();
    reg_write(FLUE_REG_TX_CFG, 0x3FF);
    reg_write(FLUE_REG_RX_CFG, 0x1FF);
    CHECK_EQ(0x3FF, bench_get(K, TX_CFG_SWITCHES, 10));
    CHECK_EQ(0x00F, bench_get(K, RX_CFG_SWITCHES, 9));
    reg_write(FLUE_REG_RX_CFG, 0x1FF | FLUE_RX_CFG_ENCAP_V4_MASK);
    CHECK_EQ(0x1CF, bench_get(K, RX_CFG_SWITCHES, 9));
    reg_write(FLUE_REG_RX_CFG, 0x1FF | FLUE_RX_CFG_ENCAP_V6_MASK);
    CHECK_EQ(0x03F, bench_get(K, RX_CFG_SWITCHES, 9));
    reg_write(FLUE_REG_FRAME_LIMIT, 1000);
    bench_run(3);
    CHECK_EQ(1000, bench_get(K, TX_CFG_MAX_FRAME, 14));
    reg_write(FLUE_REG_FRAME_LIMIT, 9000);
    bench_run(3);
    CHECK_EQ(1514, bench_get(K, TX_CFG_MAX_FRAME, 14));
    CHECK_EQ(1514, bench_get(K, RX_CFG_MAX_FRAME, 14));
}

/* Architecture 3: the region table has REGIONS rows; the others read 0. */
TEST(the_region_window_reaches_the_table)
{
    uint32_t rows[16][4];
    fresh();
    for (uint32_t i = 0; i < 16; i++)
        CHECK_EQ(0, reg_read(FLUE_REG_REGION + 16 * i + FLUE_REGION_FLAGS) & FLUE_REGION_FLAGS_VALID_MASK);
    for (uint32_t i = 0; i < 16; i++)
        for (uint32_t w = 0; w < 4; w++)
            reg_write(FLUE_REG_REGION + 16 * i + 4 * w, rows[i][w] = (uint32_t)bench_random());
    for (uint32_t i = 0; i < 16; i++)
        for (uint32_t w = 0; w < 4; w++) {
            uint32_t bits = i >= 4 ? 0 : w == 0 ? 0xFFFFF000 : w == 3 ? 3 : 0xFFFFFFFF;
            CHECK_EQ(rows[i][w] & bits, reg_read(FLUE_REG_REGION + 16 * i + 4 * w));
        }
}

/* Architecture 5: a function reset drains first, keeps the region table, answers the bus, and returns every field. */
TEST(function_reset_waits_for_drain_and_returns_every_field)
{
    fresh();
    for (unsigned i = 0; i < WRITABLE; i++)
        reg_write(writable[i].offset, 0xFFFFFFFF);
    reg_write(FLUE_REG_REGION + FLUE_REGION_SIZE, 0x12345);
    reg_write(FLUE_REG_CTRL, FLUE_CTRL_ENABLE_MASK);
    CHECK(status(ENABLE) && !status(DRAIN));
    reg_write(FLUE_REG_CTRL, FLUE_CTRL_ENABLE_MASK | FLUE_CTRL_RESET_MASK);
    bench_run(200);
    CHECK(status(DRAIN) && status(FLUSH) && status(ENABLE) && !status(REGS_IDLE));
    CHECK_EQ(FLUE_STATUS_RESET_BUSY_MASK, reg_read(FLUE_REG_STATUS) & FLUE_STATUS_RESET_BUSY_MASK);
    CHECK_EQ(writable[4].bits, reg_read(FLUE_REG_TXQ_BASE)); /* nothing is reset before the drain's end */
    drive(DRAINED, 1, 1);
    bench_run(10);
    CHECK_EQ(1, bench_count(K, CLEAR));
    CHECK(!status(DRAIN) && !status(ENABLE) && !status(FLUSH));
    CHECK_EQ(0, reg_read(FLUE_REG_STATUS) & (FLUE_STATUS_RESET_BUSY_MASK | FLUE_STATUS_DRAINED_MASK));
    for (unsigned i = 0; i < WRITABLE; i++)
        CHECK_EQ(writable[i].value, reg_read(writable[i].offset));
    CHECK_EQ(0, reg_read(FLUE_REG_CTRL));
    CHECK_EQ(0x12345, reg_read(FLUE_REG_REGION + FLUE_REGION_SIZE));
}

/* Architecture 3: drain is a level, and its end shows in STATUS. */
TEST(drain_is_a_level)
{
    fresh();
    drive(DRAINED, 1, 1);
    reg_write(FLUE_REG_CTRL, FLUE_CTRL_ENABLE_MASK | FLUE_CTRL_DRAIN_MASK);
    CHECK(status(DRAIN) && !status(FLUSH));
    CHECK_EQ(FLUE_STATUS_DRAINED_MASK, reg_read(FLUE_REG_STATUS));
    reg_write(FLUE_REG_CTRL, FLUE_CTRL_ENABLE_MASK);
    CHECK(!status(DRAIN));
    CHECK_EQ(0, reg_read(FLUE_REG_STATUS));
    CHECK_EQ(0, bench_count(K, CLEAR));
}

/* ---- management processor ------------------------------------------------------------------------------------------- */

/* Control plane 5: the words go through the window one after the other, however long the memory takes. */
TEST(the_firmware_window_moves_on_at_each_access)
{
    fresh();
    for (unsigned round = 0; round < 6; round++) {
        uint32_t words[16];
        drive(FW_DELAY, 6, round == 0 ? 0 : bench_random_in(0, 40));
        bench_run(2);
        reg_write(FLUE_REG_FW_ADDR, 0x40 * round);
        for (unsigned i = 0; i < 16; i++)
            reg_write(FLUE_REG_FW_DATA, words[i] = (uint32_t)bench_random());
        CHECK_EQ(0x40 * round + 64, reg_read(FLUE_REG_FW_ADDR));
        reg_write(FLUE_REG_FW_ADDR, 0x40 * round);
        for (unsigned i = 0; i < 16; i++)
            CHECK_EQ(words[i], reg_read(FLUE_REG_FW_DATA));
        unsigned i = (unsigned)bench_random_in(0, 15);
        reg_write(FLUE_REG_FW_ADDR, 4 * i);
        CHECK_EQ(words[i], reg_read(FLUE_REG_FW_DATA));
        CHECK_EQ(4 * i + 4, reg_read(FLUE_REG_FW_ADDR));
    }
    bench_run(4);
    CHECK(status(REGS_IDLE));
}

/* Control plane 1, 5: run control, doorbell, ping and the flip of a table bit reach the processor, pulses once. */
TEST(the_management_processor_gets_its_registers)
{
    fresh();
    CHECK_EQ(2, bench_get(FW, FW_RUN, 2)); /* stopped, cold */
    for (unsigned i = 0; i < 4; i++)
        reg_write(seeds[i], 0x11111111 * (i + 1));
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(0x11111111 * (i + 1), bench_get(FW, SEED + 32 * i, 32));
        CHECK_EQ(0, reg_read(seeds[i])); /* a secret */
    }
    CHECK_EQ(0, bench_count(FW, DOORBELL));
    reg_write(FLUE_REG_ASQ_BASE, 0x12345640);
    reg_write(FLUE_REG_ASQ_CFG, FLUE_ASQ_CFG_ENABLE_MASK | 5u << FLUE_ASQ_CFG_LOG2_SLOTS_SHIFT | 3);
    reg_write(FLUE_REG_ACQ_BASE, 0xFFFFFFC0);
    reg_write(FLUE_REG_ACQ_CFG, 9u << FLUE_ACQ_CFG_LOG2_SLOTS_SHIFT | 0xAB);
    reg_write(FLUE_REG_ASQ_TAIL, 0x1234);
    reg_write(FLUE_REG_ACQ_HEAD, 0x4321);
    bench_run(2);
    CHECK_EQ(6, bench_count(FW, DOORBELL));
    CHECK_EQ(1 | (uint64_t)(0x12345640 >> 6) << 1 | (uint64_t)3 << 27 | (uint64_t)5 << 35 | (uint64_t)0x1234 << 39,
             bench_get(FW, ASQ, 64));
    CHECK_EQ((uint64_t)(0xFFFFFFC0 >> 6) << 1 | (uint64_t)0xAB << 27 | (uint64_t)9 << 35 | (uint64_t)0x4321 << 39,
             bench_get(FW, ACQ, 64));
    for (uint32_t offset = 0x100; offset < 0x120; offset += 4)
        reg_read(offset); /* reading is no doorbell */
    CHECK_EQ(6, bench_count(FW, DOORBELL));
    reg_write(FLUE_REG_FW_CTRL, FLUE_FW_CTRL_RUN_MASK);
    CHECK_EQ(1, bench_get(FW, FW_RUN, 2));
    reg_write(FLUE_REG_FW_PING, 1);
    bench_run(2);
    CHECK_EQ(1, bench_count(FW, PING));
    CHECK_EQ(0, reg_read(FLUE_REG_FW_PING));
    reg_write(FLUE_REG_FAULT_TABLE, FLUE_FAULT_TABLE_FLIP_MASK | 0x2BC | 7u << FLUE_FAULT_TABLE_WORD_SHIFT |
                                        2u << FLUE_FAULT_TABLE_TABLE_SHIFT | 19u << FLUE_FAULT_TABLE_BITNR_SHIFT);
    bench_run(2);
    CHECK_EQ(1, bench_count(FW, FLIP));
    CHECK_EQ(2u | 0x2BCu << 2 | 7u << 18 | 19u << 24, bench_get(FW, FLIP_WHERE, 29));
}

/* Words of doorbell records go on as they are written; what lies between registers and records is nothing. */
TEST(doorbell_records_are_beyond_the_registers)
{
    struct bench_packet p;
    fresh();
    for (unsigned i = 0; i < 50; i++) {
        uint32_t row = (uint32_t)bench_random_in(0, 1023), index = (uint32_t)bench_random_in(0, 7),
                 value = (uint32_t)bench_random();
        reg_write(0x8000 + row * 32 + index * 4, value);
        CHECK(bench_take(DB, &p));
        CHECK_EQ(row, bench_bits_get(&p.user, 0, 16));
        CHECK_EQ(index, bench_bits_get(&p.user, 16, 3));
        CHECK_EQ(value, bench_bits_get(&p.user, 19, 32));
        CHECK_EQ(0, reg_read(0x8000 + row * 32 + index * 4)); /* written only */
    }
    for (uint32_t offset = 0x1000; offset < 0x8000; offset += 0x1000 - 4) {
        reg_write(offset, 0xFFFFFFFF);
        CHECK_EQ(0, reg_read(offset));
    }
    CHECK_EQ(0, bench_arrived(DB));
    reg_write(FLUE_REG_LINE_BASE, 0x12345640);
    reg_write(FLUE_REG_LINE_CFG, FLUE_LINE_CFG_ENABLE_MASK | 0xAB);
    bench_run(2);
    CHECK_EQ(1 | (uint64_t)(0x12345640 >> 6) << 1 | (uint64_t)0xAB << 27, bench_get(FW, LINE, 35));
    bench_sink_mode(DB, BENCH_RANDOM, 90); /* a record's word waits for its taker */
    for (uint32_t i = 0; i < 8; i++)
        reg_write(0x8000 + 4 * i, i);
    for (uint32_t i = 0; i < 8; i++) {
        CHECK(bench_take(DB, &p));
        CHECK_EQ(i, bench_bits_get(&p.user, 19, 32));
    }
}

/* ---- statistics ---------------------------------------------------------------------------------------------------- */

static uint64_t counted[32];

static void count(uint32_t pulses, unsigned tx_bytes, unsigned rx_bytes)
{
    struct bench_bits bits = {{0}};
    pulses &= ~(1u << FLUE_STAT_TX_BYTES | 1u << FLUE_STAT_RX_BYTES);
    bench_bits_set(&bits, 0, 32, pulses);
    bench_bits_set(&bits, 32, 14, tx_bytes);
    bench_bits_set(&bits, 46, 14, rx_bytes);
    bench_send(INC, "", 1, false, &bits);
    for (unsigned n = 0; n < 32; n++)
        counted[n] += pulses >> n & 1;
    counted[FLUE_STAT_TX_BYTES] += tx_bytes;
    counted[FLUE_STAT_RX_BYTES] += rx_bytes;
}

static uint64_t stat(unsigned n)
{
    uint64_t low = reg_read(FLUE_REG_STAT + 8 * n);
    return low | (uint64_t)reg_read(FLUE_REG_STAT + 8 * n + 4) << 32;
}

/* Architecture 3: every counter counts its own pulses, exactly, also while the host reads. */
TEST(counters_are_exact)
{
    fresh();
    memset(counted, 0, sizeof counted);
    for (unsigned n = 0; n < 32; n++)
        CHECK_EQ(0, stat(n));
    for (unsigned i = 0; i < 500; i++) {
        count((uint32_t)bench_random() & (uint32_t)bench_random(), (unsigned)bench_random_in(0, 9018),
              bench_chance(50) ? 0 : (unsigned)bench_random_in(0, 9018));
        bench_run(bench_random_in(1, 30));
        if (bench_chance(20)) {
            unsigned n = (unsigned)bench_random_in(0, 31);
            CHECK(stat(n) <= counted[n]);
        }
    }
    bench_run(400);
    for (unsigned i = 0; i < 14; i++) /* a burst that just fits an accumulator */
        count(0xFFFFFFFF, 0, 0);
    bench_run(400);
    CHECK(status(STATS_IDLE));
    for (unsigned n = 0; n < 32; n++)
        CHECK_EQ(counted[n], stat(n));
    drive(DRAINED, 1, 1); /* a reset clears them all */
    reg_write(FLUE_REG_CTRL, FLUE_CTRL_RESET_MASK);
    bench_run(100);
    for (unsigned n = 0; n < 32; n++)
        CHECK_EQ(0, stat(n));
}

/* Architecture 3: counters have 64 bits, and the two words of one are read together. */
TEST(counters_carry_into_their_high_word)
{
    fresh();
    memset(counted, 0, sizeof counted);
    while (counted[FLUE_STAT_TX_BYTES] < (1ull << 32) - 16383) {
        for (unsigned i = 0; i < 256; i++)
            count(0, 16383, 0);
        bench_run(256);
        if (counted[FLUE_STAT_TX_BYTES] > (1ull << 32) - 256 * 16383)
            break;
    }
    bench_run(300);
    CHECK_EQ(counted[FLUE_STAT_TX_BYTES], stat(FLUE_STAT_TX_BYTES));
    uint32_t low = reg_read(FLUE_REG_STAT + 8 * FLUE_STAT_TX_BYTES);
    for (unsigned i = 0; i < 600; i++)
        count(0, 16383, 0);
    bench_run(900);
    CHECK(low > 1u << 31);
    CHECK_EQ(0, reg_read(FLUE_REG_STAT + 8 * FLUE_STAT_TX_BYTES + 4)); /* latched with the low word */
    CHECK(counted[FLUE_STAT_TX_BYTES] > 1ull << 32);
    CHECK_EQ(counted[FLUE_STAT_TX_BYTES], stat(FLUE_STAT_TX_BYTES));
    CHECK_EQ(0, stat(FLUE_STAT_RX_BYTES));
}

/* ---- interrupt ------------------------------------------------------------------------------------------------------- */

static void post(void)
{
    bench_send(POST, "", 1, false, NULL);
    bench_run(6);
}

static void at(uint64_t us)
{
    drive(TIME_US, 64, us);
    bench_run(4);
}

/* Architecture 3: a cause is kept until 1 is written; only unmasked causes raise the line. */
TEST(causes_are_kept_masked_and_cleared)
{
    fresh();
    post();
    drive(SET_ERROR, 1, 1);
    drive(SET_DRAINED, 1, 1);
    drive(SET_ADMIN, 1, 1);
    drive(SET_FIRMWARE, 1, 1);
    bench_run(2);
    drive(SET_ERROR, 4, 0);
    bench_run(3);
    CHECK_EQ(31, reg_read(FLUE_REG_IRQ_CAUSE));
    CHECK(!status(IRQ));
    for (unsigned bit = 0; bit < 5; bit++) {
        reg_write(FLUE_REG_IRQ_MASK, 1u << bit);
        bench_run(3);
        CHECK(status(IRQ) && status(IRQ_IDLE));
        reg_write(FLUE_REG_IRQ_CAUSE, 1u << bit);
        bench_run(3);
        CHECK(!status(IRQ));
        CHECK_EQ(31u & ~((2u << bit) - 1), reg_read(FLUE_REG_IRQ_CAUSE));
    }
    CHECK_EQ(5, bench_count(K, RISE));
}

/* Architecture 6: moderation keeps rises a distance apart, names the deadline, and never delays an error. */
TEST(moderation_delays_events_until_its_deadline)
{
    fresh();
    uint64_t t = 0xFFFFFF00 + bench_random_in(0, 1000);
    at(t);
    reg_write(FLUE_REG_IRQ_MASK, 7);
    reg_write(FLUE_REG_IRQ_MOD, 100);
    post();
    CHECK(status(IRQ)); /* the first one at once */
    reg_write(FLUE_REG_IRQ_CAUSE, 1);
    bench_run(3);
    CHECK(!status(IRQ) && !status(DEADLINE_VALID));
    at(t + 40);
    post();
    CHECK(!status(IRQ) && status(DEADLINE_VALID) && status(IRQ_IDLE));
    CHECK_EQ(t + 100, bench_get(K, DEADLINE_US, 64));
    at(t + 99);
    CHECK(!status(IRQ));
    CHECK_EQ(t + 100, bench_get(K, DEADLINE_US, 64));
    drive(SET_ERROR, 1, 1);
    bench_run(2);
    drive(SET_ERROR, 1, 0);
    bench_run(3);
    CHECK(status(IRQ));
    reg_write(FLUE_REG_IRQ_CAUSE, 2);
    bench_run(3);
    CHECK(!status(IRQ));
    at(t + 100);
    CHECK(status(IRQ) && !status(DEADLINE_VALID));
    reg_write(FLUE_REG_IRQ_CAUSE, 1);
    at(t + 50000); /* a long silence: the next event is not delayed */
    post();
    CHECK(status(IRQ));
}

/* Architecture 3: so many events end the wait early. */
TEST(moderation_ends_early_after_enough_events)
{
    fresh();
    reg_write(FLUE_REG_IRQ_MASK, 1);
    reg_write(FLUE_REG_IRQ_MOD, 1000 | 4u << FLUE_IRQ_MOD_EVENTS_SHIFT);
    post();
    reg_write(FLUE_REG_IRQ_CAUSE, 1);
    for (unsigned i = 0; i < 3; i++) {
        post();
        CHECK(!status(IRQ));
    }
    post();
    CHECK(status(IRQ));
    CHECK_EQ(2, bench_count(K, RISE));
}
