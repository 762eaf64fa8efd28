/* The management processor: a program (program/program.c, image.h) obeys one order a doorbell; the test plays host, DMA and
 * tables. */
#include <string.h>
#include "bench.h"
#include "flue/control.h"
#include "orders.h"
#include "../../../firmware/trap.h"
#include "image.h"

enum config {
    RUN = 0,
    COLD = 1,
    DRAIN = 2,
    TIME = 3,
    ASQ_BASE = 67,
    ASQ_CFG = 99,
    ASQ_TAIL = 131,
    ACQ_BASE = 147,
    ACQ_CFG = 179,
    ACQ_HEAD = 211,
    SEED = 227
};
enum status {
    RUNNING,
    TRAPPED,
    ASLEEP,
    READY,
    DRAINED,
    IDLE,
    ALARM,
    SET_ADMIN,
    SET_FIRMWARE,
    HEARTBEAT = 9,
    ASQ_HEAD = 25,
    ACQ_TAIL = 41,
    CAUSE = 57,
    PC = 89,
    DEADLINE = 121,
    REQUEST = 185,
    FETCH = 186
};
enum { REGION = 3, OK = 0, BAD_LENGTH = 2, BAD_REGION = 3, DMA_READ = 5, SAVE = FLUE_TRAP_SAVE(32) };

static int g;               /* instance under test */
static uint8_t host[16384]; /* region 3 */
static uint16_t tail;
static unsigned status_next; /* of the next DMA answer */
static bool wr_open;
static struct bench_bits wr_req;

static void set(enum config at, unsigned width, uint64_t value)
{
    bench_set(g, at, width, value);
}

static uint32_t get(enum status at, unsigned width)
{
    return (uint32_t)bench_get(g, at, width);
}

/* flue_dma: answers each request after what the bench's modes make of it. */
static void dma_step(void *context)
{
    (void)context;
    struct bench_packet p;
    struct bench_bits st = {{status_next}};
    if (bench_take(16 * g + 2, &p)) {
        uint64_t length = bench_bits_get(&p.user, 0, 17), offset = bench_bits_get(&p.user, 17, 32);
        CHECK_EQ(REGION, bench_bits_get(&p.user, 49, 8));
        CHECK(length >= 4 && length <= 4096 && offset + length <= sizeof host);
        bench_send(16 * g + 2, host + offset, (size_t)length, status_next != OK, &st);
    }
    if (!wr_open && bench_take(16 * g + 3, &p)) {
        wr_open = true;
        wr_req = p.user;
    }
    if (wr_open && bench_take(16 * g + 4, &p)) {
        uint64_t length = bench_bits_get(&wr_req, 0, 17), offset = bench_bits_get(&wr_req, 17, 32);
        CHECK_EQ(length, p.len);
        CHECK(offset + length <= sizeof host);
        memcpy(host + offset, p.data, p.len);
        bench_send(16 * g + 3, "", 1, false, &st);
        wr_open = false;
    }
}

static uint32_t window(bool write, uint32_t address, uint32_t value)
{
    struct bench_bits b = {{0}};
    bench_bits_set(&b, 0, 32, value);
    bench_bits_set(&b, 32, 20, address);
    bench_bits_set(&b, 52, 1, write);
    bench_send(16 * g + 1, "", 1, false, &b);
    struct bench_packet p;
    for (int i = 0; i < 200; i++) {
        bench_run(1);
        if (bench_take(16 * g + 1, &p))
            return (uint32_t)bench_bits_get(&p.user, 0, 32);
    }
    bench_fail(__FILE__, __LINE__, "the window did not answer");
}

static void wait_for(enum status bit, bool level, unsigned cycles)
{
    for (unsigned i = 0; i < cycles; i++) {
        if (get(bit, 1) == level)
            return;
        bench_run(1);
    }
    bench_fail(__FILE__, __LINE__, "status bit %d did not become %d in %u cycles", bit, level, cycles);
}

static void begin(int instance, bool random)
{
    g = instance;
    tail = 0;
    status_next = OK;
    wr_open = false;
    bench_random_bytes(host, sizeof host);
    for (int i = 0; i < 2; i++) {
        struct bench_bits none = {{0}};
        bench_set_bits(i, &none);
    }
    bench_mode_all(BENCH_FULL, 0, 0);
    if (random) {
        bench_mode_random();
        bench_sink_mode(16 * g + 1, BENCH_FULL, 0);
        bench_source_mode(16 * g, BENCH_FULL, 0);
        bench_source_mode(16 * g + 1, BENCH_FULL, 0);
    }
    bench_on_cycle(dma_step, NULL);
    bench_run(4);
    for (unsigned i = 0; i < sizeof image / 4; i++)
        window(true, 4 * i, image[i]);
    set(COLD, 1, 1);
    for (unsigned i = 0; i < 4; i++)
        set((enum config)(SEED + 32 * i), 32, 0x5EED0000 + i);
    set(RUN, 1, 1);
    bench_run(4);
    wait_for(ASLEEP, true, 20000);
    CHECK(get(READY, 1));
}

static void pulse(unsigned bits) /* 1 ping, 2 doorbell */
{
    struct bench_bits b = {{bits}};
    bench_send(16 * g + 0, "", 1, false, &b);
    bench_run(2);
}

static void order(unsigned number, uint32_t a, uint32_t b, uint32_t c)
{
    set(ASQ_CFG, 32, number);
    set(ASQ_BASE, 32, a);
    set(ACQ_BASE, 32, b);
    set(ACQ_CFG, 32, c);
    set(ASQ_TAIL, 16, ++tail);
    bench_run(2);
    pulse(2);
}

static uint32_t answer(unsigned cycles)
{
    for (unsigned i = 0; i < cycles && get(ACQ_TAIL, 16) != tail; i++)
        bench_run(1);
    CHECK_EQ(tail, get(ACQ_TAIL, 16));
    return get(ASQ_HEAD, 16) | get(HEARTBEAT, 16) << 16;
}

static uint32_t ask(unsigned number, uint32_t a, uint32_t b, uint32_t c)
{
    order(number, a, b, c);
    return answer(200000);
}

/* HND-008: a program starts with its memory as loaded, bss cleared, and sleeps idle. */
TEST(a_program_starts_with_its_memory_as_the_linker_promised)
{
    for (int i = 0; i < 2; i++) {
        begin(i, true);
        CHECK(get(RUNNING, 1) && get(IDLE, 1) && !get(TRAPPED, 1) && !get(ALARM, 1));
        CHECK_EQ(77, ask(ORDER_MEMORY, 0, 0, 0));
        CHECK_EQ(0x2001, ask(ORDER_PEEK, FLUE_MMIO_BASE + 36, 0, 0)); /* boot: cold, 32 KB */
        CHECK_EQ(48u << 16 | 64, ask(ORDER_PEEK, FLUE_MMIO_BASE + 40, 0, 0));
        CHECK_EQ(16, ask(ORDER_PEEK, FLUE_MMIO_BASE + 44, 0, 0));
        CHECK_EQ(0x5EED0002, ask(ORDER_SEED, 2, 0, 0));
        CHECK_EQ(5, bench_count(g, SET_ADMIN));
        wait_for(ASLEEP, true, 1000);
        CHECK(get(IDLE, 1));
    }
}

/* HND-008: bytes and halves reach their lanes only. */
TEST(bytes_and_halves_of_memory_are_written_alone)
{
    begin(0, false);
    CHECK_EQ(0x4000, ask(ORDER_POKE, 0x4000, 0x11223344, 0));
    CHECK_EQ(0x1122AA44, ask(ORDER_POKE_BYTE, 0x4001, 0xAA, 0));
    CHECK_EQ(0xBEEFAA44, ask(ORDER_POKE_HALF, 0x4002, 0xBEEF, 0));
    CHECK_EQ(0xBEEFAA44, ask(ORDER_PEEK, 0x4000, 0, 0));
}

/* HND-008: DMA of every length goes both ways and touches nothing else. */
TEST(dma_moves_exactly_the_words_asked_for)
{
    for (int i = 0; i < 2; i++)
        for (int mode = 0; mode < 2; mode++) {
            begin(i, mode);
            for (int n = 0; n < 24; n++) {
                uint32_t bytes = n < 20 ? 4u * (uint32_t)(n + 1) : 4u * (uint32_t)bench_random_in(1, n == 23 ? 1024 : 100);
                uint32_t from = 4u * (uint32_t)bench_random_in(0, 500), to = 8192 + 4u * (uint32_t)bench_random_in(1, 500);
                uint32_t local = 0x3000 + 4u * (uint32_t)bench_random_in(0, 200);
                uint8_t before[sizeof host];
                memcpy(before, host, sizeof host);
                CHECK_EQ(OK, ask(ORDER_DMA, from, local, bytes) >> 8);
                CHECK_EQ(OK, ask(ORDER_DMA, to, local, bytes | 1u << 31) >> 8);
                memcpy(before + to, before + from, bytes);
                CHECK_BYTES(before, sizeof before, host, sizeof host);
            }
        }
}

/* HND-008: words of a row are copied to memory and back, those asked for and no other, without a request, and the core's own
 * accesses go on beside it. */
TEST(words_of_a_row_are_copied_beside_the_core)
{
    const uint32_t row = FLUE_MMIO_TABLES | 3u << 24 | 1u << 8, memory = 0x4000;
    for (int i = 0; i < 2; i++)
        for (int n = 0; n < 4; n++) {
            begin(i, n & 1);
            uint32_t words = (uint32_t)bench_random_in(1, 12), at = (uint32_t)bench_random_in(1, 40), value[14];
            for (uint32_t w = 0; w < 14; w++) {
                value[w] = (uint32_t)bench_random();
                ask(ORDER_POKE, memory + 4 * w, value[w], 0);
                ask(ORDER_POKE, row + 4 * (at - 1 + w), ~value[w], 0);
            }
            CHECK_EQ(OK, ask(ORDER_ROW, row + 4 * at, memory + 4, 4 * words | 3u << 30));
            for (uint32_t w = 0; w < 14; w++)
                CHECK_EQ(w >= 1 && w <= words ? value[w] : ~value[w], ask(ORDER_PEEK, row + 4 * (at - 1 + w), 0, 0));
            CHECK_EQ(OK, ask(ORDER_ROW, row + 4 * at, memory + 0x100, 4 * words | 1u << 30));
            for (uint32_t w = 0; w < words; w++)
                CHECK_EQ(value[1 + w], ask(ORDER_PEEK, memory + 0x100 + 4 * w, 0, 0));
            CHECK_EQ(0, bench_count(g, REQUEST));
        }
}

/* HND-008: bad parameters are refused without a request; errors of the bus are told; busy registers are not written. */
TEST(bad_dma_is_refused_and_errors_are_told)
{
    begin(0, false);
    static const uint32_t bad[][3] = {{2, 0x4000, 8},        {0, 0x4001, 8},     {0, 0x4000, 6}, {0, 0x4000, 0},
                                      {0, 0x4000, 4100},     {0, 0x7FFC, 8},     {0, 0x8000, 4}, {0, 0x10000000, 4},
                                      {1u << 31, 0x4000, 4}, {0, 0x4000, 0x2004}};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_EQ(BAD_LENGTH, ask(ORDER_DMA, bad[i][0], bad[i][1], bad[i][2]) >> 8);
    CHECK_EQ(0, bench_count(g, REQUEST));
    CHECK_EQ(OK, ask(ORDER_DMA, 0, 0x7FFC - 128, 4) >> 8);
    status_next = DMA_READ;
    CHECK_EQ(DMA_READ, ask(ORDER_DMA, 0, 0x4000, 64) >> 8);
    status_next = BAD_REGION;
    CHECK_EQ(BAD_REGION, ask(ORDER_DMA, 0, 0x4000, 64 | 1u << 31) >> 8);
    status_next = OK;
    CHECK_EQ(OK, ask(ORDER_DMA, 0, 0x4000, 64) >> 8);
    order(ORDER_DMA_AGAIN, 0, 0, 0);
    wait_for(TRAPPED, true, 5000);
    CHECK_EQ(FLUE_TRAP_BUS, get(CAUSE, 32));
}

/* HND-008: the deadline wakes the core when time reaches it, also after a jump; it is shown while the core sleeps. */
TEST(the_deadline_ends_the_sleep)
{
    begin(0, false);
    set(TIME, 64, 0x123456789AULL);
    bench_run(3);
    CHECK_EQ(0x3456789A, ask(ORDER_TIME, 0, 0, 0));
    CHECK_EQ(0x12, ask(ORDER_TIME, 1, 0, 0));
    for (int jump = 0; jump < 2; jump++) {
        wait_for(ASLEEP, true, 1000);
        uint64_t now = 0x2000000000ULL << jump;
        set(TIME, 64, now - 1000);
        bench_run(3);
        order(ORDER_SLEEP, (uint32_t)now, (uint32_t)(now >> 32), 0);
        bench_run(500);
        CHECK(get(ASLEEP, 1) && get(IDLE, 1) && get(ALARM, 1));
        CHECK_EQ(now, bench_get(g, DEADLINE, 64));
        set(TIME, 64, now - 1);
        bench_run(100);
        CHECK(get(ASLEEP, 1) && get(IDLE, 1));
        set(TIME, 64, jump ? now + 123456789 : now);
        bench_run(2);
        CHECK(!get(IDLE, 1));
        CHECK_EQ(FLUE_MMIO_TIMER_MASK, answer(200));
        CHECK_EQ(0, ask(ORDER_CLEAR, FLUE_MMIO_TIMER_MASK, 0, 0));
    }
    order(ORDER_SLEEP, UINT32_MAX, UINT32_MAX, 0);
    bench_run(300);
    CHECK(get(ASLEEP, 1) && !get(ALARM, 1));
    pulse(1);
    CHECK_EQ(FLUE_MMIO_PING_MASK, answer(300));
}

/* HND-008: doorbell, table error and drain wake it too; nothing else does. */
TEST(every_event_ends_the_sleep)
{
    begin(0, false);
    uint64_t deep = 500;
    bench_run(deep);
    CHECK(get(ASLEEP, 1));
    struct bench_bits error = {{0x83000005}};
    order(ORDER_SLEEP, UINT32_MAX, UINT32_MAX, 0);
    bench_run(300);
    CHECK(get(ASLEEP, 1));
    bench_send(6, "", 1, false, &error);
    CHECK_EQ(FLUE_MMIO_TABLE_ERROR_MASK, answer(300));
    CHECK_EQ(0x83000005, ask(ORDER_ERROR, 0, 0, 0));
    CHECK_EQ(0, ask(ORDER_ERROR, 0, 0, 0));
    CHECK_EQ(0, bench_waiting(6));
    order(ORDER_SLEEP, UINT32_MAX, UINT32_MAX, 0);
    bench_run(300);
    set(DRAIN, 1, 1);
    CHECK_EQ(FLUE_MMIO_DRAIN_MASK, answer(300));
    wait_for(DRAINED, true, 300);
    bench_run(300);
    CHECK(get(ASLEEP, 1) && get(IDLE, 1));
    set(DRAIN, 1, 0);
    bench_run(300);
    CHECK(get(ASLEEP, 1) && !get(DRAINED, 1));
}

/* CH-147: table words and commands go out as written and their answers come back. */
TEST(tables_are_reached_word_by_word_and_by_command)
{
    begin(0, true);
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t at = FLUE_MMIO_TABLES | (i & 3) << 24 | (i % 16) << 8 | (i * 7 % 64) << 2;
        CHECK_EQ(at, ask(ORDER_POKE, at, 0xABC00000 + i, 0));
        CHECK_EQ(0xABC00000 + i, ask(ORDER_PEEK, at, 0, 0));
    }
    for (uint32_t i = 0; i < 9; i++)
        ask(ORDER_POKE, FLUE_MMIO_BASE + 124 + 4 * i, 0x1000 + i, 0);
    order(ORDER_COMMAND, FLUE_TOP_FIND_PATH, 0xBEEF, 0);
    struct bench_packet p;
    bool came = false;
    for (int i = 0; i < 3000 && !came; i++) {
        bench_run(1);
        came = bench_take(5, &p);
    }
    CHECK(came);
    CHECK_EQ(FLUE_TOP_FIND_PATH, bench_bits_get(&p.user, 0, 4));
    CHECK_EQ(0xBEEF, bench_bits_get(&p.user, 4, 16));
    for (unsigned i = 0; i < 9; i++)
        CHECK_EQ(0x1000 + i, bench_bits_get(&p.user, 20 + 32 * i, 32));
    bench_run(200);
    CHECK(get(ACQ_TAIL, 16) != tail && !get(IDLE, 1));
    struct bench_bits done = {{0x1234u << 3 | FLUE_TR_EXISTS}};
    bench_send(5, "", 1, false, &done);
    CHECK_EQ(0x12340000u | FLUE_TR_EXISTS, answer(1000));
}

/* HND-008: every trap stops the core with cause, place and the registers as they were; the next start is clean. */
TEST(every_trap_keeps_cause_place_and_registers)
{
    static const struct {
        uint32_t how, cause;
    } t[] = {{DIE_EBREAK, 3},    {DIE_ECALL, 3},    {DIE_ILLEGAL, 2},   {DIE_ZERO, 2},
             {DIE_LOAD, 1},      {DIE_STORE, 1},    {DIE_JUMP, 1},      {DIE_BUS_LOAD, 4},
             {DIE_BUS_STORE, 4}, {DIE_BUS_BYTE, 4}, {DIE_BUS_FETCH, 4}, {DIE_ASSERT, DIE_ASSERT}};
    for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
        begin((int)(i & 1), false);
        uint64_t raised = bench_count(g, SET_FIRMWARE);
        order(ORDER_DIE, t[i].how, 0, 0);
        CHECK_EQ(0, window(false, 0, 0)); /* closed */
        wait_for(TRAPPED, true, 5000);
        bench_run(10);
        CHECK_EQ(t[i].cause, get(CAUSE, 32));
        CHECK(!get(RUNNING, 1) && !get(READY, 1) && get(IDLE, 1));
        CHECK_EQ(raised + 1, bench_count(g, SET_FIRMWARE));
        CHECK_EQ(get(PC, 32), window(false, SAVE, 0));
        if (t[i].how != DIE_ASSERT) {
            CHECK_EQ(window(false, SAVE + 4 * 10, 0), get(PC, 32)); /* a0 */
            CHECK_EQ(0xC0DE0012, window(false, SAVE + 4 * 18, 0));
            CHECK_EQ(0xC0DE0027, window(false, SAVE + 4 * 27, 0));
            CHECK_EQ(0xC0DE0031, window(false, SAVE + 4 * 31, 0));
        }
        CHECK(window(false, SAVE + 4, 0) != 0); /* ra */
        set(RUN, 1, 0);
        bench_run(5);
        CHECK(!get(TRAPPED, 1));
    }
}

/* HND-008: an image that does not save its registers is stopped too. */
TEST(a_program_without_a_handler_is_stopped)
{
    begin(0, false);
    set(RUN, 1, 0);
    bench_run(5);
    window(true, 0, 0x0000006F); /* j . */
    set(RUN, 1, 1);
    bench_run(3000);
    CHECK(get(RUNNING, 1) && !get(TRAPPED, 1));
    set(RUN, 1, 0);
    bench_run(5);
    window(true, 0, 0xFFFFFFFF);
    set(RUN, 1, 1);
    wait_for(TRAPPED, true, 3000);
    CHECK_EQ(FLUE_TRAP_ILLEGAL, get(CAUSE, 32));
    CHECK_EQ(0, get(PC, 32));
}

/* HND-008: the host's window is closed while the core runs, and memory beyond its end is not there. */
TEST(the_window_is_closed_while_it_runs)
{
    begin(0, false);
    window(true, 0x4000, 0x55);
    CHECK_EQ(0, window(false, 0, 0));
    CHECK(ask(ORDER_PEEK, 0x4000, 0, 0) != 0x55);
    set(RUN, 1, 0);
    bench_run(5);
    CHECK(!get(RUNNING, 1) && get(IDLE, 1));
    CHECK_EQ(image[0], window(false, 0, 0));
    window(true, 0x8000, 0x66);
    CHECK_EQ(0, window(false, 0x8000, 0));
    CHECK_EQ(image[0], window(false, 0, 0));
}

/* HND-008: a warm start shows itself, begins its rings anew and finds the tables as they were. */
TEST(a_warm_start_keeps_the_tables)
{
    begin(0, false);
    ask(ORDER_POKE, FLUE_MMIO_TABLES | 0x104, 0xFEED, 0);
    set(RUN, 1, 0);
    bench_run(5);
    set(COLD, 1, 0);
    set(RUN, 1, 1);
    bench_run(5);
    wait_for(ASLEEP, true, 2000);
    CHECK_EQ(0, get(ACQ_TAIL, 16));
    CHECK_EQ(0x2000, ask(ORDER_PEEK, FLUE_MMIO_BASE + 36, 0, 0));
    CHECK_EQ(0xFEED, ask(ORDER_PEEK, FLUE_MMIO_TABLES | 0x104, 0, 0));
}

/* HND-008: a hung program is cut off from DMA after 65,536 cycles of drain; it goes on when the drain is over. */
TEST(drain_cuts_off_a_program_that_does_not_answer)
{
    begin(0, false);
    order(ORDER_HANG, 64, 0x4000, 0);
    bench_run(1000);
    CHECK(bench_count(g, REQUEST) > 3);
    set(DRAIN, 1, 1);
    bench_run(65000);
    CHECK(!get(DRAINED, 1));
    bench_run(2000);
    CHECK(get(DRAINED, 1));
    uint64_t requests = bench_count(g, REQUEST);
    bench_run(2000);
    CHECK_EQ(requests, bench_count(g, REQUEST));
    set(DRAIN, 1, 0);
    bench_run(1000);
    CHECK(bench_count(g, REQUEST) > requests);
    set(RUN, 1, 0);
    bench_run(500);
    CHECK(!get(RUNNING, 1) && get(IDLE, 1));
    set(DRAIN, 1, 1);
    bench_run(5);
    CHECK(get(DRAINED, 1));
}

/* HND-008: stopped in the middle of a copy, memory keeps what the host loads. */
TEST(a_stop_in_the_middle_of_dma_writes_no_memory)
{
    begin(0, false);
    bench_source_mode(2, BENCH_FULL, 0);
    bench_sink_mode(2, BENCH_RANDOM, 100);
    order(ORDER_DMA, 0, 0x4000, 256);
    bench_run(500);
    set(RUN, 1, 0);
    bench_run(10);
    CHECK(get(RUNNING, 1));
    window(true, 0x4000, 0x77);
    bench_sink_mode(2, BENCH_FULL, 0);
    wait_for(RUNNING, false, 2000);
    CHECK_EQ(0x77, window(false, 0x4000, 0));
}

/* Figures: cycles of an instruction, of work like a command's, of a copy. */
TEST(speed)
{
    begin(0, false);
    uint64_t cycles = bench_cycle(), fetches = bench_count(g, FETCH);
    ask(ORDER_WORK, 0, 0, 0);
    cycles = bench_cycle() - cycles;
    fetches = bench_count(g, FETCH) - fetches;
    bench_report("cycles_per_fetch/cpu", (double)cycles / (double)fetches, "cycles", "copy, compare, 64 row words");
    bench_report("work/cpu", (double)cycles, "cycles", "64-word copy, compare, 64 row words");
    CHECK(cycles < 12000);
    cycles = bench_cycle();
    ask(ORDER_DMA, 0, 0x3000, 4096);
    bench_report("dma_4096/cpu", (double)(bench_cycle() - cycles), "cycles", "from the host, W=32, program polls");
}
