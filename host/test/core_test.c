/*
 * The driver core against an adapter that does what the test says, truthful or not.
 */
#include "core_rig.h"

/* ---- identity and opening ---------------------------------------------------------------------------------------- */

TEST(an_adapter_of_another_major_version_is_refused_by_name)
{
    struct flue_adapter *a;
    struct flue_identity id;
    mock_init(&rig.m);
    *mock_reg(&rig.m, FLUE_REG_VERSION) = FLUE_PUT(VERSION_MAJOR, FLUE_CONTRACT_MAJOR + 1);
    CHECK_EQ(flue_adapter_open(&rig.m.link, NULL, NULL, &a), FLUE_EVERSION);
    CHECK(a == NULL);
    CHECK_EQ(rig.m.log_count, 0);
    CHECK_EQ(flue_identify(&rig.m.link, &id), FLUE_EVERSION);
    CHECK_EQ(id.major, FLUE_CONTRACT_MAJOR + 1);
    CHECK_EQ(id.want_major, FLUE_CONTRACT_MAJOR);
}

TEST(a_newer_minor_version_is_accepted)
{
    struct flue_identity id;
    mock_init(&rig.m);
    *mock_reg(&rig.m, FLUE_REG_VERSION) =
        FLUE_PUT(VERSION_MAJOR, FLUE_CONTRACT_MAJOR) | FLUE_PUT(VERSION_MINOR, FLUE_CONTRACT_MINOR + 5);
    CHECK_EQ(flue_identify(&rig.m.link, &id), FLUE_OK);
}

/* VERSION: the adapter's minor is at least the driver's. */
TEST(an_adapter_of_an_older_minor_version_is_refused)
{
    struct flue_identity id;
    mock_init(&rig.m);
    *mock_reg(&rig.m, FLUE_REG_VERSION) =
        FLUE_PUT(VERSION_MAJOR, FLUE_CONTRACT_MAJOR) | FLUE_PUT(VERSION_MINOR, FLUE_CONTRACT_MINOR - 1);
    CHECK_EQ(flue_identify(&rig.m.link, &id), FLUE_EVERSION);
    CHECK_EQ(id.minor, FLUE_CONTRACT_MINOR - 1);
    CHECK_EQ(id.want_minor, FLUE_CONTRACT_MINOR);
}

TEST(something_that_is_no_adapter_is_refused)
{
    struct flue_adapter *a;
    mock_init(&rig.m);
    *mock_reg(&rig.m, FLUE_REG_ID) = 0xFFFFFFFF;
    CHECK_EQ(flue_adapter_open(&rig.m.link, NULL, NULL, &a), FLUE_EDEVICE);
    CHECK_EQ(rig.m.log_count, 0);
}

TEST(an_impossible_region_table_is_refused)
{
    struct flue_adapter *a;
    static const uint32_t regions[] = {0, 17, 255};
    for (unsigned i = 0; i < 3; i++) {
        mock_init(&rig.m);
        *mock_reg(&rig.m, FLUE_REG_BUILD) = FLUE_PUT(BUILD_REGIONS, regions[i]);
        CHECK_EQ(flue_adapter_open(&rig.m.link, NULL, NULL, &a), FLUE_EDEVICE);
        CHECK_EQ(rig.m.log_count, 0);
    }
}

TEST(parameters_out_of_range_touch_nothing)
{
    struct flue_adapter *a;
    struct flue_open_params bad[] = {
        {.txq_log2_slots = 2}, {.txq_log2_slots = 16}, {.rxq_log2_slots = 1}, {.rxq_log2_slots = 20}};
    mock_init(&rig.m);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(flue_adapter_open(&rig.m.link, &bad[i], NULL, &a), FLUE_EARG);
    CHECK_EQ(flue_adapter_open(NULL, NULL, NULL, &a), FLUE_EARG);
    CHECK_EQ(rig.m.log_count, 0);
}

TEST(rings_are_described_before_they_are_enabled)
{
    open_rig();
    static const uint32_t regs[3][3] = {{FLUE_REG_TXQ_BASE, FLUE_REG_TXQ_TAIL, FLUE_REG_TXQ_CFG},
                                        {FLUE_REG_RXQ_BASE, FLUE_REG_RXQ_TAIL, FLUE_REG_RXQ_CFG},
                                        {FLUE_REG_EQ_BASE, FLUE_REG_EQ_HEAD, FLUE_REG_EQ_CFG}};
    int enable = mock_last_write(&rig.m, FLUE_REG_CTRL);
    for (unsigned q = 0; q < 3; q++) {
        int cfg = mock_last_write(&rig.m, regs[q][2]);
        CHECK(mock_last_write(&rig.m, regs[q][0]) < cfg && mock_last_write(&rig.m, regs[q][1]) < cfg && cfg < enable);
        CHECK((rig.m.log[cfg].value & FLUE_TXQ_CFG_ENABLE_MASK) != 0);
        CHECK_EQ(*mock_reg(&rig.m, regs[q][0]) % 64, 0);
    }
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_CTRL), FLUE_CTRL_ENABLE_MASK);
    close_rig();
}

TEST(the_three_rings_do_not_overlap)
{
    open_rig();
    uint32_t tx = *mock_reg(&rig.m, FLUE_REG_TXQ_BASE), rx = *mock_reg(&rig.m, FLUE_REG_RXQ_BASE);
    uint32_t eq = *mock_reg(&rig.m, FLUE_REG_EQ_BASE);
    CHECK(rx >= tx + 16 * FLUE_SLOT_BYTES && eq >= rx + 8 * FLUE_SLOT_BYTES);
    uint32_t eq_slots = 1u << FLUE_GET(EQ_CFG_LOG2_SLOTS, *mock_reg(&rig.m, FLUE_REG_EQ_CFG));
    CHECK(eq_slots >= 8 + 8); /* every packet and every buffer may complete before one poll */
    CHECK(mock_memory(&rig.m, 0, eq, eq_slots * FLUE_SLOT_BYTES) != NULL);
    close_rig();
}

TEST(a_reset_that_never_ends_is_a_named_error)
{
    struct flue_adapter *a;
    struct flue_open_params params = {.limit_us = 5000};
    mock_init(&rig.m);
    rig.m.reset_stuck = true;
    CHECK_EQ(flue_adapter_open(&rig.m.link, &params, NULL, &a), FLUE_ETIMEOUT);
    CHECK(rig.m.waited_us >= 5000 && rig.m.waited_us <= 10000);
    CHECK_EQ(rig.m.maps, 0);
}

TEST(every_access_that_fails_during_open_is_reported_and_leaves_nothing)
{
    unsigned n = 1;
    for (;; n++) {
        memset(&rig, 0, sizeof rig);
        mock_init(&rig.m);
        rig.m.fail_in = n;
        struct flue_handlers handlers = rig_handlers(&rig);
        enum flue_err err = flue_adapter_open(&rig.m.link, NULL, &handlers, &rig.a);
        if (rig.m.fail_in > 0) { /* the open needs fewer accesses than n */
            CHECK_EQ(err, FLUE_OK);
            break;
        }
        CHECK(err != FLUE_OK && rig.a == NULL);
        CHECK_EQ(rig.m.maps, 0);
    }
    CHECK(n > 20);
    close_rig();
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

TEST(region_rows_run_out_by_name_and_come_back)
{
    struct flue_mem mem[4];
    open_rig(); /* rings and rig.mem take two of four rows */
    CHECK_EQ(flue_mem_alloc(rig.a, 1, FLUE_ACCESS_READ, &mem[0]), FLUE_OK);
    CHECK_EQ((uintptr_t)mem[0].addr % 4096, 0);
    CHECK_EQ(mem[0].len_bytes, 4096);
    CHECK_EQ(flue_mem_alloc(rig.a, 4096, FLUE_ACCESS_READ, &mem[1]), FLUE_OK);
    CHECK_EQ(flue_mem_alloc(rig.a, 4096, FLUE_ACCESS_READ, &mem[2]), FLUE_ENOMEM);
    uint8_t row = mem[0].region;
    CHECK_EQ(flue_mem_free(rig.a, &mem[0]), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_REGION + row * FLUE_REGION_STRIDE + FLUE_REGION_FLAGS), 0);
    CHECK_EQ(flue_mem_free(rig.a, &mem[0]), FLUE_EARG);
    CHECK_EQ(flue_mem_alloc(rig.a, 4096, FLUE_ACCESS_READ, &mem[2]), FLUE_OK);
    CHECK_EQ(mem[2].region, row);
    close_rig();
}

TEST(a_region_is_valid_only_after_its_other_words)
{
    struct flue_mem mem;
    open_rig();
    CHECK_EQ(flue_mem_alloc(rig.a, 8192, FLUE_ACCESS_READ, &mem), FLUE_OK);
    uint32_t row = FLUE_REG_REGION + mem.region * FLUE_REGION_STRIDE;
    int flags = mock_last_write(&rig.m, row + FLUE_REGION_FLAGS);
    CHECK_EQ(rig.m.log[flags].value, FLUE_REGION_FLAGS_VALID_MASK);
    for (uint32_t word = 0; word < FLUE_REGION_FLAGS; word += 4)
        CHECK(mock_last_write(&rig.m, row + word) < flags);
    CHECK_EQ(*mock_reg(&rig.m, row + FLUE_REGION_SIZE), 8192);
    close_rig();
}

TEST(memory_arguments_are_checked)
{
    struct flue_mem mem;
    static _Alignas(4096) uint8_t own[8192];
    open_rig();
    CHECK_EQ(flue_mem_alloc(rig.a, 0, FLUE_ACCESS_READ, &mem), FLUE_EARG);
    CHECK_EQ(flue_mem_alloc(rig.a, (size_t)1 << 32, FLUE_ACCESS_READ, &mem), FLUE_EARG);
    CHECK_EQ(flue_mem_register(rig.a, own + 64, 4096, FLUE_ACCESS_READ, &mem), FLUE_EARG);
    CHECK_EQ(flue_mem_register(rig.a, own, sizeof own, FLUE_ACCESS_READ, &mem), FLUE_OK);
    CHECK(mem.addr == own);
    rig.m.map_fails = true;
    struct flue_mem more;
    CHECK_EQ(flue_mem_alloc(rig.a, 4096, FLUE_ACCESS_READ, &more), FLUE_ENOMEM);
    close_rig();
}

/* ---- transmit ---------------------------------------------------------------------------------------------------- */

/* TO-025: the words of a request have the NDIS layouts of sections 2.2, 2.3 and 2.9. */
TEST(a_packet_becomes_these_slots)
{
    open_rig();
    struct flue_frag frags[2] = {{rig.mem.region, 100, 54}, {rig.mem.region, 3001, 2500}};
    struct flue_tx_packet p = {.frags = frags,
                               .frag_count = 2,
                               .csum = 0x00220005,
                               .lso = 0x42200000u | 1000,
                               .vlan = 0x0125 << 4 | 5,
                               .cookie = rig_cookie(0)};
    CHECK_EQ(flue_tx_put(rig.a, &p), FLUE_OK);
    CHECK_EQ(mock_last_write(&rig.m, FLUE_REG_TXQ_TAIL) < mock_last_write(&rig.m, FLUE_REG_CTRL), 1);
    CHECK_EQ(flue_tx_kick(rig.a), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_TXQ_TAIL), 3);

    struct mock_slot s = mock_slot(&rig.m, FLUE_REG_TXQ_BASE, FLUE_REG_TXQ_CFG, 0);
    CHECK_EQ(s.w[0], 1u | 1u << 3 | 2554u << 15);
    CHECK_EQ(s.w[1], 0x42200000u | 1000);
    CHECK_EQ(s.w[2], 0x00220005);
    CHECK_EQ(s.w[3], 5u << 13 | 0x125); /* priority, CFI, VLAN id in wire order (2.9) */
    s = mock_slot(&rig.m, FLUE_REG_TXQ_BASE, FLUE_REG_TXQ_CFG, 1);
    CHECK_EQ(s.w[0], 2u | (uint32_t)rig.mem.region << 8);
    CHECK_EQ(s.w[1], 54);
    CHECK_EQ(s.w[2], 100);
    s = mock_slot(&rig.m, FLUE_REG_TXQ_BASE, FLUE_REG_TXQ_CFG, 2);
    CHECK_EQ(s.w[0], 2u | 4u | (uint32_t)rig.mem.region << 8);
    CHECK_EQ(s.w[1], 2500);
    CHECK_EQ(s.w[2], 3001);
    close_rig();
    CHECK_EQ(rig.tx_back[0], 1);
}

TEST(a_generic_checksum_has_its_own_fields)
{
    open_rig();
    struct flue_frag frag = {rig.mem.region, 0, 200};
    struct flue_tx_packet p = {.frags = &frag, .frag_count = 1, .generic = true, .csum_start = 84, .csum_offset = 16};
    CHECK_EQ(flue_tx_put(rig.a, &p), FLUE_OK);
    struct mock_slot s = mock_slot(&rig.m, FLUE_REG_TXQ_BASE, FLUE_REG_TXQ_CFG, 0);
    CHECK_EQ(s.w[0], 1u | 1u << 2 | 200u << 15);
    CHECK_EQ(s.w[2], 16u << 26);
    CHECK_EQ(s.w[3], 84u << 16);
    close_rig();
}

/* TO-155: the transmit side off means an out-of-band tag is ignored. */
TEST(an_out_of_band_tag_is_ignored_while_the_transmit_side_is_off)
{
    open_rig();
    struct flue_config request;
    flue_config_keep(&request);
    request.way[FLUE_SW_VLAN] = FLUE_WAY_RX;
    CHECK_EQ(flue_config_set(rig.a, &request), FLUE_OK);
    struct flue_frag frag = {rig.mem.region, 0, 200};
    struct flue_tx_packet p = {.frags = &frag, .frag_count = 1, .vlan = 77 << 4};
    CHECK_EQ(flue_tx_put(rig.a, &p), FLUE_OK);
    struct mock_slot s = mock_slot(&rig.m, FLUE_REG_TXQ_BASE, FLUE_REG_TXQ_CFG, 0);
    CHECK_EQ(s.w[0] & FLUE_SLOT_PACKET_VLAN_MASK, 0);
    CHECK_EQ(s.w[3], 0);
    close_rig();
}

TEST(requests_the_slots_cannot_say_are_refused)
{
    open_rig();
    struct flue_frag good = {rig.mem.region, 0, 200}, bad[] = {{rig.mem.region, 0, 0},
                                                               {rig.mem.region, 65535, 2},
                                                               {rig.mem.region, 0xFFFFFFFF, 2},
                                                               {9, 0, 10},
                                                               {200, 0, 10}};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EQ(flue_tx_put(rig.a, &(struct flue_tx_packet){.frags = &bad[i], .frag_count = 1}), FLUE_EARG);
    struct flue_tx_packet p[] = {{.frags = &good, .frag_count = 0},
                                 {.frags = NULL, .frag_count = 1},
                                 {.frags = &good, .frag_count = 300},
                                 {.frags = &good, .frag_count = 1, .csum = 0x20},
                                 {.frags = &good, .frag_count = 1, .csum = 0x04000000},
                                 {.frags = &good, .frag_count = 1, .vlan = 0x10000},
                                 {.frags = &good, .frag_count = 1, .generic = true, .csum_offset = 64},
                                 {.frags = &good, .frag_count = 1, .generic = true, .csum = 1},
                                 {.frags = &good, .frag_count = 1, .csum_start = 2}};
    for (unsigned i = 0; i < sizeof p / sizeof p[0]; i++)
        CHECK_EQ(flue_tx_put(rig.a, &p[i]), FLUE_EARG);
    CHECK_EQ(flue_tx_room(rig.a), 16);
    CHECK_EQ(flue_tx_outstanding(rig.a), 0);
    close_rig();
}

TEST(fragments_longer_together_than_the_length_field_are_refused)
{
    struct flue_mem mem;
    struct flue_frag frags[2];
    open_rig();
    CHECK_EQ(flue_mem_alloc(rig.a, 200000, FLUE_ACCESS_READ, &mem), FLUE_OK);
    frags[0] = frags[1] = (struct flue_frag){mem.region, 0, 70000};
    CHECK_EQ(flue_tx_put(rig.a, &(struct flue_tx_packet){.frags = frags, .frag_count = 2}), FLUE_EARG);
    frags[0].len_bytes = 131072;
    CHECK_EQ(flue_tx_put(rig.a, &(struct flue_tx_packet){.frags = frags, .frag_count = 1}), FLUE_EARG);
    frags[0].len_bytes = 131071;
    CHECK_EQ(flue_tx_put(rig.a, &(struct flue_tx_packet){.frags = frags, .frag_count = 1}), FLUE_OK);
    close_rig();
}

TEST(a_full_ring_says_so_and_a_completion_makes_room)
{
    open_rig();
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(rig_put(&rig, i, 0), FLUE_OK);
    CHECK_EQ(rig_put(&rig, 8, 0), FLUE_EAGAIN);
    CHECK_EQ(flue_tx_room(rig.a), 0);
    CHECK_EQ(flue_tx_kick(rig.a), FLUE_OK);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.tx_back[0], 1);
    CHECK_EQ(rig_put(&rig, 8, 0), FLUE_OK);
    CHECK_EQ(rig_put(&rig, 9, 0), FLUE_EAGAIN);
    close_rig();
    CHECK_EQ(rig.tx_total, 9);
}

TEST(indices_wrap_at_65536_and_the_phase_with_every_round)
{
    open_rig();
    for (unsigned i = 0; i < 40000; i++) { /* 80,000 slots, 40,000 events in a ring of 32 */
        put_one(i % RIG_COOKIES);
        mock_tx_done(&rig.m, (uint16_t)(2 * (i + 1)), FLUE_ST_OK);
        CHECK_EQ(poll_all(), FLUE_OK);
        CHECK_EQ(rig.tx_total, i + 1);
        if (rig.m.log_count > MOCK_LOG / 2)
            rig.m.log_count = 0;
    }
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_EQ_HEAD), 40000);
    close_rig();
}

TEST(a_kick_without_new_packets_rings_no_doorbell)
{
    open_rig();
    unsigned before = rig.m.log_count;
    CHECK_EQ(flue_tx_kick(rig.a), FLUE_OK);
    CHECK_EQ(flue_rx_kick(rig.a), FLUE_OK);
    CHECK_EQ(rig.m.log_count, before);
    close_rig();
}

static void put_inside(struct rig *r)
{
    if (r->tx_total < 4)
        CHECK_EQ(rig_put(r, 10 + r->tx_total, 0), FLUE_OK);
    unsigned handled;
    CHECK_EQ(flue_poll(r->a, 1, &handled), FLUE_ESTATE);
    CHECK_EQ(flue_adapter_drain(r->a), FLUE_ESTATE);
    CHECK_EQ(flue_adapter_reset(r->a), FLUE_ESTATE);
}

TEST(a_handler_may_put_but_not_poll)
{
    open_rig();
    rig.inside = put_inside;
    for (unsigned i = 0; i < 3; i++)
        put_one(i);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    mock_tx_done(&rig.m, 4, FLUE_ST_OK);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(flue_tx_outstanding(rig.a), 3);
    rig.inside = NULL;
    close_rig();
    CHECK_EQ(rig.tx_total, 5);
}

/* ---- a device that lies ------------------------------------------------------------------------------------------ */

/* The event was refused, the adapter is off, and closing returns everything once. */
static void check_distrusted(unsigned tx_put, unsigned rx_put)
{
    unsigned handled;
    CHECK_EQ(poll_all(), FLUE_EDEVICE);
    CHECK(flue_adapter_fault(rig.a) != NULL);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_CTRL), 0);
    CHECK_EQ(flue_poll(rig.a, 1, &handled), FLUE_EDEVICE);
    CHECK_EQ(rig_put(&rig, 100, 0), FLUE_EDEVICE);
    CHECK_EQ(flue_tx_kick(rig.a), FLUE_EDEVICE);
    CHECK_EQ(flue_adapter_reset(rig.a), FLUE_EDEVICE);
    CHECK_EQ(flue_adapter_drain(rig.a), FLUE_EDEVICE);
    close_rig();
    for (unsigned i = 0; i < tx_put; i++)
        CHECK_EQ(rig.tx_back[i], 1);
    for (unsigned i = 0; i < rx_put; i++)
        CHECK_EQ(rig.rx_back[i], 1);
    CHECK_EQ(rig.tx_total, tx_put);
    CHECK_EQ(rig.rx_total, rx_put);
}

TEST(a_completion_that_comes_twice_is_refused)
{
    open_rig();
    put_one(0);
    put_one(1);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    check_distrusted(2, 0);
}

TEST(a_completion_inside_a_packet_is_refused)
{
    open_rig();
    put_one(0);
    put_one(1);
    mock_tx_done(&rig.m, 3, FLUE_ST_BAD_SLOT);
    check_distrusted(2, 0);
}

/* Section 5 of architecture.md: a ring that cannot be read in the middle of a packet ends it there, then the queue stops. */
TEST(a_packet_may_end_where_the_ring_became_unreadable)
{
    open_rig();
    put_one(0);
    put_one(1);
    mock_tx_done(&rig.m, 1, FLUE_ST_DMA_READ);
    mock_queue_event(&rig.m, FLUE_EV_QUEUE_ERROR, FLUE_Q_TX, 1, FLUE_QE_FETCH);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.tx_back[0], 1);
    CHECK_EQ(rig.tx_back[1], 0);
    CHECK_EQ(flue_queue_recover(rig.a, FLUE_Q_TX), FLUE_OK);
    CHECK_EQ(rig.tx_total, 2);
    close_rig();
}

TEST(a_completion_beyond_the_doorbell_is_refused)
{
    open_rig();
    put_one(0);
    CHECK_EQ(rig_put(&rig, 1, 0), FLUE_OK); /* put, not kicked */
    mock_tx_done(&rig.m, 4, FLUE_ST_CHAIN);
    check_distrusted(2, 0);
}

TEST(a_completion_without_a_packet_is_refused)
{
    open_rig();
    mock_tx_done(&rig.m, 0, FLUE_ST_OK);
    check_distrusted(0, 0);
}

TEST(a_good_completion_that_skips_a_packet_is_refused)
{
    open_rig();
    put_one(0);
    put_one(1);
    mock_tx_done(&rig.m, 4, FLUE_ST_OK);
    check_distrusted(2, 0);
}

TEST(an_unknown_status_queue_or_kind_is_refused)
{
    open_rig();
    put_one(0);
    mock_tx_done(&rig.m, 2, FLUE_ST_ABORTED + 1);
    check_distrusted(1, 0);
    open_rig();
    put_one(0);
    mock_event(&rig.m, FLUE_EV_TX_DONE | 1u << 4 | 2u << 16, 0, 0);
    check_distrusted(1, 0);
    for (uint32_t kind = 0; kind < 16; kind++) {
        if (kind >= FLUE_EV_TX_DONE && kind <= FLUE_EV_ERROR)
            continue;
        open_rig();
        mock_event(&rig.m, kind, 0, 0);
        check_distrusted(0, 0);
    }
}

TEST(an_event_of_a_queue_that_does_not_exist_is_refused)
{
    open_rig();
    mock_queue_event(&rig.m, FLUE_EV_QUEUE_ERROR, 3, 0, 1);
    check_distrusted(0, 0);
}

TEST(a_drain_nobody_asked_for_is_refused)
{
    open_rig();
    mock_queue_event(&rig.m, FLUE_EV_DRAINED, FLUE_Q_TX, 0, 0);
    check_distrusted(0, 0);
}

/* TO-071, TO-072: type as asked; version 1 says its payload, version 2 nothing. */
TEST(large_send_words_are_compared_with_the_request)
{
    static const struct {
        uint32_t asked, said;
        bool true_word;
    } rows[] = {
        {0, 0, true},
        {0, 1, false},
        {0x42200000u | 500, 0x40000000u, true}, /* version 2 */
        {0x42200000u | 500, 0x40000001u, false},
        {0x42200000u | 500, 0, false},
        {0xC3600000u | 500, 0x40000000u, true}, /* version 2, IPv6 */
        {0x02200000u | 500, 946, true},         /* version 1: payload of 1,000 bytes */
        {0x02200000u | 500, 1000, false},       /* not less than the packet */
        {0x02200000u | 500, 0x80000000u, false},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_rig();
        CHECK_EQ(rig_put(&rig, 0, rows[i].asked), FLUE_OK);
        CHECK_EQ(flue_tx_kick(rig.a), FLUE_OK);
        mock_event(&rig.m, FLUE_EV_TX_DONE | 2u << 16, rows[i].said, 2);
        if (!rows[i].true_word) {
            check_distrusted(1, 0);
            continue;
        }
        CHECK_EQ(poll_all(), FLUE_OK);
        CHECK_EQ(rig.tx.lso, rows[i].said);
        CHECK_EQ(rig.tx.frames, 2);
        CHECK_EQ(rig.tx.time_us, 77);
        close_rig();
    }
}

TEST(a_device_that_never_completes_costs_a_bounded_time)
{
    open_rig();
    put_one(0);
    put_one(1);
    CHECK_EQ(rig_rx_put(&rig, 0), FLUE_OK);
    rig.m.drain_stuck = true;
    uint64_t before = rig.m.waited_us;
    CHECK_EQ(flue_adapter_drain(rig.a), FLUE_ETIMEOUT);
    CHECK(rig.m.waited_us - before <= 2 * 10000);
    close_rig();
    CHECK_EQ(rig.tx_total, 2);
    CHECK_EQ(rig.rx_total, 1);
    CHECK_EQ(rig.tx.status, FLUE_ST_ABORTED);
}

static void storm(struct mock *m)
{
    mock_queue_event(m, FLUE_EV_ERROR, FLUE_Q_TX, 0, 0);
}

TEST(events_without_end_do_not_hold_up_a_drain)
{
    open_rig();
    rig.m.drain_stuck = true;
    rig.m.on_wait = storm;
    CHECK_EQ(flue_adapter_drain(rig.a), FLUE_ETIMEOUT);
    CHECK(rig.m.waited_us <= 2 * 10000);
    close_rig();
}

TEST(a_stale_entry_of_the_event_ring_is_not_an_event)
{
    open_rig();
    put_one(0);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    CHECK(flue_pending(rig.a));
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK(!flue_pending(rig.a));
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.tx_total, 1);
    close_rig();
}

/* ---- receive ----------------------------------------------------------------------------------------------------- */

TEST(a_buffer_becomes_this_slot_and_its_results_come_back)
{
    open_rig();
    CHECK_EQ(flue_encap_set(rig.a, FLUE_ENCAP_ON, FLUE_ENCAP_ON), FLUE_OK);
    CHECK_EQ(rig_rx_put(&rig, 0), FLUE_OK);
    CHECK_EQ(flue_rx_kick(rig.a), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_RXQ_TAIL), 1);
    struct mock_slot s = mock_slot(&rig.m, FLUE_REG_RXQ_BASE, FLUE_REG_RXQ_CFG, 0);
    CHECK_EQ(s.w[0], 2u | 4u | (uint32_t)rig.mem.region << 8);
    CHECK_EQ(s.w[1], 1600);
    CHECK_EQ(s.w[2], 2048);
    CHECK_EQ(s.w[3], 0);

    mock_event(&rig.m, 2u | 1u << 4 | 1u << 16, 1514u | 54u << 22, 0x08u | 1u << 9 | 1u << 10 | 0x6123u << 16);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.rx_back[0], 1);
    CHECK_EQ(rig.rx.status, FLUE_ST_OK);
    CHECK_EQ(rig.rx.len_bytes, 1514);
    CHECK_EQ(rig.rx.csum, 0x08);
    CHECK_EQ(rig.rx.l4_offset, 54);
    CHECK_EQ(rig.rx.vlan_tci, 0x6123);
    CHECK(rig.rx.vlan && rig.rx.ipv6);
    close_rig();
}

TEST(a_buffer_must_lie_where_the_adapter_may_write)
{
    struct flue_mem read_only;
    open_rig();
    CHECK_EQ(flue_mem_alloc(rig.a, 4096, FLUE_ACCESS_READ, &read_only), FLUE_OK);
    CHECK_EQ(flue_rx_put(rig.a, &(struct flue_frag){read_only.region, 0, 100}, NULL), FLUE_EARG);
    CHECK_EQ(flue_rx_put(rig.a, &(struct flue_frag){rig.mem.region, 65530, 100}, NULL), FLUE_EARG);
    CHECK_EQ(flue_rx_put(rig.a, &(struct flue_frag){rig.mem.region, 0, 0}, NULL), FLUE_EARG);
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(rig_rx_put(&rig, i), FLUE_OK);
    CHECK_EQ(rig_rx_put(&rig, 8), FLUE_EAGAIN);
    CHECK_EQ(flue_rx_room(rig.a), 0);
    CHECK_EQ(flue_rx_outstanding(rig.a), 8);
    close_rig();
    CHECK_EQ(rig.rx_total, 8);
}

/* TO-036, TO-046: Succeeded excludes Failed, Loopback is never set. */
TEST(receive_completions_that_cannot_be_true_are_refused)
{
    static const struct {
        uint32_t w0, w1, w2;
    } rows[] = {
        {2u | 1u << 4 | 1u << 16, 1601, 0},            /* longer than the buffer */
        {2u | 1u << 4 | 1u << 16, 0, 0},               /* empty */
        {2u | 1u << 4 | 2u << 16, 60, 0},              /* not the oldest buffer */
        {2u | 1u << 4 | 0u << 16, 60, 0},              /* given back before */
        {2u | 0u << 4 | 1u << 16, 60, 0},              /* of the transmit queue */
        {2u | 1u << 4 | 17u << 8 | 1u << 16, 60, 0},   /* unknown status */
        {2u | 1u << 4 | 1u << 16, 60u | 61u << 22, 0}, /* transport header behind the end */
        {2u | 1u << 4 | 1u << 16, 60, 0x09},           /* TCP right and wrong */
        {2u | 1u << 4 | 1u << 16, 60, 0x12},           /* UDP */
        {2u | 1u << 4 | 1u << 16, 60, 0x24},           /* IPv4 */
        {2u | 1u << 4 | 1u << 16, 60, 0x40},           /* loopback */
        {2u | 1u << 4 | 1u << 16, 60, 0x80},           /* value invalid without coalescing */
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_rig();
        CHECK_EQ(rig_rx_put(&rig, 0), FLUE_OK);
        CHECK_EQ(flue_rx_kick(rig.a), FLUE_OK);
        CHECK_EQ(rig_rx_put(&rig, 1), FLUE_OK); /* not kicked: not the adapter's */
        mock_event(&rig.m, rows[i].w0, rows[i].w1, rows[i].w2);
        check_distrusted(0, 2);
    }
    open_rig();
    CHECK_EQ(rig_rx_put(&rig, 0), FLUE_OK);
    mock_rx_done(&rig.m, 1, 60, 0); /* before the doorbell */
    check_distrusted(0, 1);
}

/* HND-003: what is said of a frame comes with its completion, and with no other. */
TEST(a_diverted_frame_comes_with_handle_and_number)
{
    const uint32_t handle = 3u << 30 | 5u << 16 | 7u;
    open_rig();
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(rig_rx_put(&rig, i), FLUE_OK);
    CHECK_EQ(flue_rx_kick(rig.a), FLUE_OK);
    put_one(0);
    mock_event(&rig.m, FLUE_EV_DIVERT | 1u << 4 | 1u << 8, handle, 9);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK); /* another queue's may come between */
    mock_rx_done(&rig.m, 1, 60, 0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK(rig.rx.diverted && rig.rx.lost);
    CHECK_EQ(rig.rx.conn_handle, handle);
    CHECK_EQ(rig.rx.number, 9);
    CHECK_EQ(rig.rx.len_bytes, 60);
    mock_rx_done(&rig.m, 2, 61, 0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK(!rig.rx.diverted && !rig.rx.lost && rig.rx.number == 0 && rig.rx.conn_handle == 0);
    mock_event(&rig.m, FLUE_EV_DIVERT | 1u << 4, handle, 10);
    mock_event(&rig.m, FLUE_EV_RX_DONE | 1u << 4 | (uint32_t)FLUE_ST_DMA_WRITE << 8 | 3u << 16, 0,
               0); /* lost behind its number */
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK(rig.rx.diverted && !rig.rx.lost && rig.rx.status == FLUE_ST_DMA_WRITE);
    CHECK_EQ(rig.rx.number, 10);
    mock_event(&rig.m, FLUE_EV_MARKER | 1u << 4, handle, 0x12345678);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.markers, 1);
    CHECK_EQ(rig.marker_handle, handle);
    CHECK_EQ(rig.marker_number, 0x12345678);
    close_rig();
}

TEST(diverts_and_markers_that_cannot_be_true_are_refused)
{
    const uint32_t handle = 3u << 30 | 5u << 16 | 7u;
    const struct {
        uint32_t w0, w1, w2;
    } rows[] = {
        {FLUE_EV_DIVERT | 0u << 4, handle, 1},               /* of the transmit queue */
        {FLUE_EV_MARKER | 2u << 4, handle, 1},               /* of the events */
        {FLUE_EV_DIVERT | 1u << 4, handle & ~(1u << 30), 1}, /* handle of a path */
        {FLUE_EV_MARKER | 1u << 4, handle & ~(5u << 16), 1}, /* handle without life */
        {FLUE_EV_DIVERT | 1u << 4, handle, 0},               /* numbers begin at 1 */
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_rig();
        mock_event(&rig.m, rows[i].w0, rows[i].w1, rows[i].w2);
        check_distrusted(0, 0);
    }
    static const uint32_t behind[] = {
        FLUE_EV_DIVERT | 1u << 4,
        FLUE_EV_MARKER | 1u << 4,
        FLUE_EV_RX_DONE | 1u << 4 | (uint32_t)FLUE_ST_TOO_LONG << 8 | 1u << 16, /* it took no buffer */
        FLUE_EV_RX_DONE | 1u << 4 | (uint32_t)FLUE_ST_BAD_SLOT << 8 | 1u << 16,
    };
    for (unsigned i = 0; i < sizeof behind / sizeof behind[0]; i++) {
        open_rig();
        CHECK_EQ(rig_rx_put(&rig, 0), FLUE_OK);
        CHECK_EQ(flue_rx_kick(rig.a), FLUE_OK);
        mock_event(&rig.m, FLUE_EV_DIVERT | 1u << 4, handle, 1);
        mock_event(&rig.m, behind[i], handle, 2);
        check_distrusted(0, 1);
    }
}

/* ---- interrupt --------------------------------------------------------------------------------------------------- */

TEST(the_cause_is_cleared_before_the_ring_is_looked_at)
{
    open_rig();
    put_one(0);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    CHECK(rig.m.link.ops->irq(&rig.m.link));
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK(mock_last_write(&rig.m, FLUE_REG_IRQ_CAUSE) < mock_last_write(&rig.m, FLUE_REG_EQ_HEAD));
    CHECK(!rig.m.link.ops->irq(&rig.m.link));
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_EQ_HEAD), 1);
    close_rig();
}

TEST(a_poll_hands_out_no_more_than_its_budget)
{
    unsigned handled;
    open_rig();
    for (unsigned i = 0; i < 5; i++) {
        put_one(i);
        mock_tx_done(&rig.m, (uint16_t)(2 * i + 2), FLUE_ST_OK);
    }
    CHECK_EQ(flue_poll(rig.a, 3, &handled), FLUE_OK);
    CHECK_EQ(handled, 3);
    CHECK_EQ(rig.tx_total, 3);
    CHECK_EQ(flue_poll(rig.a, 3, &handled), FLUE_OK);
    CHECK_EQ(handled, 2);
    close_rig();
}

/* ---- errors and recovery ----------------------------------------------------------------------------------------- */

TEST(a_chain_error_takes_the_packets_behind_it_along)
{
    open_rig();
    for (unsigned i = 0; i < 3; i++)
        put_one(i);
    mock_tx_done(&rig.m, 6, FLUE_ST_CHAIN);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.tx_total, 3);
    CHECK_EQ(rig.tx_back[0] + rig.tx_back[1] + rig.tx_back[2], 3);
    CHECK_EQ(rig.tx.status, FLUE_ST_ABORTED);
    struct flue_core_stats stats;
    flue_core_stats_get(rig.a, &stats);
    CHECK_EQ(stats.tx_errors, 3);
    close_rig();
}

TEST(a_stopped_queue_is_recovered_and_returns_everything_once)
{
    open_rig();
    for (unsigned i = 0; i < 4; i++)
        put_one(i);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    mock_queue_event(&rig.m, FLUE_EV_QUEUE_ERROR, FLUE_Q_TX, 2, FLUE_QE_FETCH);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.errors, 1);
    CHECK_EQ(rig.error_code, FLUE_QE_FETCH);
    CHECK(flue_queue_stopped(rig.a, FLUE_Q_TX));
    CHECK_EQ(rig_put(&rig, 4, 0), FLUE_ESTATE);
    CHECK_EQ(flue_tx_kick(rig.a), FLUE_ESTATE);
    CHECK_EQ(rig_rx_put(&rig, 0), FLUE_OK); /* the other queue works on */

    CHECK_EQ(flue_queue_recover(rig.a, FLUE_Q_TX), FLUE_OK);
    CHECK_EQ(rig.tx_total, 4);
    CHECK_EQ(rig.rx_total, 0);
    int off = -1, on = mock_last_write(&rig.m, FLUE_REG_TXQ_CFG);
    for (int i = 0; i < on; i++)
        if (rig.m.log[i].offset == FLUE_REG_TXQ_CFG && (rig.m.log[i].value & FLUE_TXQ_CFG_ENABLE_MASK) == 0)
            off = i;
    CHECK(off >= 0 && off < mock_last_write(&rig.m, FLUE_REG_TXQ_TAIL) && mock_last_write(&rig.m, FLUE_REG_TXQ_TAIL) < on);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_TXQ_TAIL), 0);
    put_one(5);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK); /* indices begin again */
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.tx_back[5], 1);
    CHECK_EQ(flue_queue_recover(rig.a, FLUE_Q_TX), FLUE_ESTATE);
    CHECK_EQ(flue_queue_recover(rig.a, FLUE_Q_EVENTS), FLUE_EARG);
    close_rig();
}

TEST(a_stopped_receive_queue_is_recovered)
{
    open_rig();
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(rig_rx_put(&rig, i), FLUE_OK);
    CHECK_EQ(flue_rx_kick(rig.a), FLUE_OK);
    mock_queue_event(&rig.m, FLUE_EV_QUEUE_ERROR, FLUE_Q_RX, 0, FLUE_QE_DOORBELL);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig_rx_put(&rig, 3), FLUE_ESTATE);
    CHECK_EQ(flue_queue_recover(rig.a, FLUE_Q_RX), FLUE_OK);
    CHECK_EQ(rig.rx_total, 3);
    CHECK_EQ(rig_rx_put(&rig, 3), FLUE_OK);
    close_rig();
    CHECK_EQ(rig.rx_total, 4);
}

TEST(a_queue_that_stops_twice_without_recovery_is_refused)
{
    open_rig();
    mock_queue_event(&rig.m, FLUE_EV_QUEUE_ERROR, FLUE_Q_TX, 0, 1);
    mock_queue_event(&rig.m, FLUE_EV_QUEUE_ERROR, FLUE_Q_TX, 0, 1);
    check_distrusted(0, 0);
}

/* The event queue stopped as in RTL: a failed write posts nothing, the cause and STATUS are all there is. */
static void stop_event_queue(void)
{
    *mock_reg(&rig.m, FLUE_REG_STATUS) |= FLUE_STATUS_EVENT_ERROR_MASK;
    *mock_reg(&rig.m, FLUE_REG_IRQ_CAUSE) |= FLUE_IRQ_CAUSE_ERROR_MASK;
}

TEST(the_stop_of_the_event_queue_is_told_once)
{
    open_rig();
    stop_event_queue();
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK(flue_queue_stopped(rig.a, FLUE_Q_EVENTS));
    CHECK_EQ(rig.errors, 1);
    CHECK(!rig.m.link.ops->irq(&rig.m.link));
    stop_event_queue(); /* the cause again, of another queue */
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.errors, 1);
    CHECK_EQ(flue_adapter_reset(rig.a), FLUE_OK);
    CHECK(!flue_queue_stopped(rig.a, FLUE_Q_EVENTS));
    stop_event_queue();
    rig.m.drain_stuck = true;
    CHECK_EQ(flue_adapter_drain(rig.a), FLUE_ETIMEOUT); /* a wait looks too */
    CHECK_EQ(rig.errors, 2);
    close_rig();
}

TEST(an_error_of_another_queue_does_not_stop_the_event_queue)
{
    open_rig();
    *mock_reg(&rig.m, FLUE_REG_STATUS) |= FLUE_STATUS_TX_ERROR_MASK;
    *mock_reg(&rig.m, FLUE_REG_IRQ_CAUSE) |= FLUE_IRQ_CAUSE_ERROR_MASK;
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK(!flue_queue_stopped(rig.a, FLUE_Q_EVENTS));
    CHECK_EQ(rig.errors, 0);
    close_rig();
}

/* What rises while the cause is being cleared is not lost. */
static void cause_rises(struct mock *m, uint32_t offset, uint32_t value)
{
    (void)value;
    if (offset == FLUE_REG_IRQ_CAUSE) {
        m->on_write = NULL;
        stop_event_queue();
    }
}

TEST(a_cause_that_rises_during_the_look_is_kept)
{
    open_rig();
    put_one(0);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    rig.m.on_write = cause_rises;
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.tx_total, 1);
    CHECK_EQ(rig.errors, 0);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.errors, 1);
    close_rig();
}

TEST(a_queue_that_stays_busy_makes_recovery_time_out)
{
    open_rig();
    mock_queue_event(&rig.m, FLUE_EV_QUEUE_ERROR, FLUE_Q_TX, 0, 1);
    CHECK_EQ(poll_all(), FLUE_OK);
    rig.m.busy_stuck = true;
    CHECK_EQ(flue_queue_recover(rig.a, FLUE_Q_TX), FLUE_ETIMEOUT);
    close_rig();
}

TEST(drain_returns_everything_and_resume_starts_empty)
{
    open_rig();
    put_one(0);
    CHECK_EQ(rig_put(&rig, 1, 0), FLUE_OK); /* never kicked */
    CHECK_EQ(rig_rx_put(&rig, 0), FLUE_OK);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK); /* finished before the drain is noticed */
    CHECK_EQ(flue_adapter_drain(rig.a), FLUE_OK);
    CHECK_EQ(rig.tx_total, 2);
    CHECK_EQ(rig.rx_total, 1);
    CHECK_EQ(rig.tx.status, FLUE_ST_ABORTED);
    CHECK_EQ(rig_put(&rig, 2, 0), FLUE_ESTATE);
    CHECK_EQ(rig_rx_put(&rig, 2), FLUE_ESTATE);
    CHECK_EQ(flue_adapter_drain(rig.a), FLUE_ESTATE);
    CHECK_EQ(flue_adapter_resume(rig.a), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_CTRL), FLUE_CTRL_ENABLE_MASK);
    put_one(3);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.tx_back[3], 1);
    CHECK_EQ(flue_adapter_resume(rig.a), FLUE_ESTATE);
    close_rig();
    CHECK_EQ(rig.tx_total, 3);
}

/* TO-180: configuration after reset equals that before it. */
TEST(reset_returns_everything_and_keeps_the_settings)
{
    struct flue_config request, before, after;
    open_rig();
    flue_config_keep(&request);
    request.way[FLUE_SW_LSO_V2_IPV4] = FLUE_WAY_OFF;
    request.max_frame_bytes = 1000;
    CHECK_EQ(flue_config_set(rig.a, &request), FLUE_OK);
    CHECK_EQ(flue_encap_set(rig.a, FLUE_ENCAP_ON, FLUE_ENCAP_KEEP), FLUE_OK);
    flue_config_get(rig.a, &before);
    uint32_t tx_cfg = *mock_reg(&rig.m, FLUE_REG_TX_CFG), rx_cfg = *mock_reg(&rig.m, FLUE_REG_RX_CFG);
    put_one(0);
    CHECK_EQ(rig_rx_put(&rig, 0), FLUE_OK);

    CHECK_EQ(flue_adapter_reset(rig.a), FLUE_OK);
    CHECK_EQ(rig.tx_total, 1);
    CHECK_EQ(rig.rx_total, 1);
    flue_config_get(rig.a, &after);
    CHECK_EQ(memcmp(&before, &after, sizeof before), 0);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_TX_CFG), tx_cfg);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_RX_CFG), rx_cfg);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_FRAME_LIMIT), 1000);
    put_one(1);
    mock_tx_done(&rig.m, 2, FLUE_ST_OK);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK_EQ(rig.tx_back[1], 1);
    close_rig();
}

TEST(a_reset_heals_a_stopped_event_queue)
{
    open_rig();
    mock_queue_event(&rig.m, FLUE_EV_QUEUE_ERROR, FLUE_Q_EVENTS, 0, FLUE_QE_CONFIG);
    CHECK_EQ(poll_all(), FLUE_OK);
    CHECK(flue_queue_stopped(rig.a, FLUE_Q_EVENTS));
    CHECK_EQ(flue_adapter_reset(rig.a), FLUE_OK);
    CHECK(!flue_queue_stopped(rig.a, FLUE_Q_EVENTS));
    close_rig();
}

TEST(random_traffic_with_resets_returns_every_cookie_once)
{
    unsigned put = 0, done = 0;
    uint16_t posted = 0;
    open_rig();
    while (put < 3000) {
        switch (check_random(8)) {
        case 0:
            CHECK_EQ(check_random(2) ? flue_adapter_reset(rig.a)
                                     : (flue_adapter_drain(rig.a) == FLUE_OK ? flue_adapter_resume(rig.a) : FLUE_EIO),
                     FLUE_OK);
            done = put;
            posted = 0;
            break;
        case 1:
        case 2:
        case 3: {
            CHECK_EQ(flue_tx_kick(rig.a), FLUE_OK);
            if (done < put) {
                posted = (uint16_t)(posted + 2);
                done++;
                mock_tx_done(&rig.m, posted, (uint8_t)check_random(FLUE_ST_ABORTED + 1));
                CHECK_EQ(poll_all(), FLUE_OK);
            }
            break;
        }
        default:
            if (rig_put(&rig, put, 0) == FLUE_OK)
                put++;
        }
        rig.m.log_count = 0;
    }
    close_rig();
    CHECK_EQ(rig.tx_total, put);
    for (unsigned i = 0; i < put; i++)
        CHECK_EQ(rig.tx_back[i], 1);
}
