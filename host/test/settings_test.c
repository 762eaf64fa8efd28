/*
 * Settings, activation and counters of the driver core.
 */
#include "core_rig.h"

/* ---- settings ---------------------------------------------------------------------------------------------------- */

/* TO-157: at start CFG is what the hardware can, and activation is off. */
TEST(at_start_all_abilities_are_on_and_nothing_is_activated)
{
    bool v4, v6;
    open_rig();
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_TX_CFG), 0x1FF);    /* all but 15-bit identification */
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_RX_CFG), 0xFF);     /* all but tag removal, no activation */
    CHECK_EQ(flue_encap_get(rig.a, &v4, &v6), FLUE_ESTATE); /* TO-172 */
    CHECK(!v4 && !v6);
    close_rig();
}

/* TO-157, TO-158: abilities the hardware lacks are off at start and cannot be switched on. */
TEST(settings_are_a_subset_of_the_hardware)
{
    struct flue_config caps, request, before, now;
    struct flue_handlers handlers;
    memset(&rig, 0, sizeof rig);
    mock_init(&rig.m);
    *mock_reg(&rig.m, FLUE_REG_CAPS) = 0x00030043; /* IPv4 and TCP/IPv4 sums, LSOv2 IPv4 */
    handlers = rig_handlers(&rig);
    CHECK_EQ(flue_adapter_open(&rig.m.link, NULL, &handlers, &rig.a), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_TX_CFG), 0x43);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_RX_CFG), 0x03);
    flue_config_caps(rig.a, &caps);
    CHECK_EQ(caps.way[FLUE_SW_TCP4_CSUM], FLUE_WAY_BOTH);
    CHECK_EQ(caps.way[FLUE_SW_TCP6_CSUM], FLUE_WAY_OFF);

    /* TO-162: all or nothing. */
    flue_config_get(rig.a, &before);
    flue_config_keep(&request);
    request.way[FLUE_SW_TCP4_CSUM] = FLUE_WAY_OFF;
    request.way[FLUE_SW_LSO_V2_IPV6] = FLUE_WAY_ON;
    CHECK_EQ(flue_config_set(rig.a, &request), FLUE_EUNSUPP);
    flue_config_get(rig.a, &now);
    CHECK_EQ(memcmp(&before, &now, sizeof now), 0);
    CHECK_EQ(rig.configs, 0);
    close_rig();
}

/* TO-159, TO-160: each switch and value changes its own bits and nothing else, and is told once. */
TEST(every_switch_changes_only_its_own_bits)
{
    static const struct {
        enum flue_switch sw;
        uint32_t tx, rx;
    } bits[] = {
        {FLUE_SW_IP4_CSUM, 0x001, 0x01},  {FLUE_SW_TCP4_CSUM, 0x002, 0x02}, {FLUE_SW_UDP4_CSUM, 0x004, 0x04},
        {FLUE_SW_TCP6_CSUM, 0x008, 0x08}, {FLUE_SW_UDP6_CSUM, 0x010, 0x10}, {FLUE_SW_LSO_V1, 0x020, 0},
        {FLUE_SW_LSO_V2_IPV4, 0x040, 0},  {FLUE_SW_LSO_V2_IPV6, 0x080, 0},  {FLUE_SW_VLAN, 0x100, 0x100},
        {FLUE_SW_LSO_ID_15BIT, 0x200, 0}, {FLUE_SW_RX_IP_OPTS, 0, 0x20},    {FLUE_SW_RX_IP6_EXT, 0, 0x40},
        {FLUE_SW_RX_TCP_OPTS, 0, 0x80},
    };
    CHECK_EQ(sizeof bits / sizeof bits[0], FLUE_SW_COUNT);
    open_rig();
    CHECK_EQ(flue_encap_set(rig.a, FLUE_ENCAP_ON, FLUE_ENCAP_ON), FLUE_OK);
    unsigned told = rig.configs;
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++)
        for (uint8_t way = 0; way <= (flue_switch_has_direction(bits[i].sw) ? 3 : 1); way++) {
            struct flue_config request, now;
            uint32_t tx = *mock_reg(&rig.m, FLUE_REG_TX_CFG), rx = *mock_reg(&rig.m, FLUE_REG_RX_CFG);
            flue_config_keep(&request);
            request.way[bits[i].sw] = way;
            CHECK_EQ(flue_config_set(rig.a, &request), FLUE_OK);
            CHECK_EQ(rig.configs, ++told);
            bool tx_on = (way & 1) != 0, rx_on = bits[i].tx != 0 ? (way & 2) != 0 : way == 1;
            CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_TX_CFG), (tx & ~bits[i].tx) | (tx_on ? bits[i].tx : 0));
            CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_RX_CFG), (rx & ~bits[i].rx) | (rx_on ? bits[i].rx : 0));
            flue_config_get(rig.a, &now);
            CHECK_EQ(now.way[bits[i].sw], way);
        }
    close_rig();
}

/* TO-161: one illegal value refuses the whole request. */
TEST(an_illegal_value_changes_nothing)
{
    struct flue_config request, before, now;
    open_rig();
    flue_config_get(rig.a, &before);
    unsigned writes = rig.m.log_count;
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++) {
        flue_config_keep(&request);
        request.way[(i + 1) % FLUE_SW_COUNT] = FLUE_WAY_OFF;
        request.way[i] = flue_switch_has_direction((enum flue_switch)i) ? 4 : 2;
        CHECK_EQ(flue_config_set(rig.a, &request), FLUE_EARG);
    }
    flue_config_keep(&request);
    request.max_offload_bytes = 0x20000;
    CHECK_EQ(flue_config_set(rig.a, &request), FLUE_EARG);
    flue_config_keep(&request);
    request.max_frame_bytes = 20;
    CHECK_EQ(flue_config_set(rig.a, &request), FLUE_EARG);
    request.max_frame_bytes = 1519; /* the build's 1,522 less the tag */
    CHECK_EQ(flue_config_set(rig.a, &request), FLUE_EUNSUPP);
    flue_config_get(rig.a, &now);
    CHECK_EQ(memcmp(&before, &now, sizeof now), 0);
    CHECK_EQ(rig.m.log_count, writes);
    CHECK_EQ(rig.configs, 0);
    close_rig();
}

/* TO-031, TO-032, TO-171, TO-172: activation is per IP version; off takes transmit away too, keep touches nothing. */
TEST(activation_follows_the_encapsulation_calls)
{
    const uint32_t v4_tx = 0x001 | 0x002 | 0x004 | 0x020 | 0x040, v6_tx = 0x008 | 0x010 | 0x080;
    struct flue_config active;
    bool v4, v6;
    open_rig();
    uint32_t tx = *mock_reg(&rig.m, FLUE_REG_TX_CFG);
    CHECK_EQ(flue_encap_set(rig.a, FLUE_ENCAP_ON, FLUE_ENCAP_KEEP), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_RX_CFG) >> 9, 1);
    CHECK_EQ(flue_encap_get(rig.a, &v4, &v6), FLUE_OK);
    CHECK(v4 && !v6);
    flue_config_active(rig.a, &active);
    CHECK_EQ(active.way[FLUE_SW_TCP4_CSUM], FLUE_WAY_BOTH);
    CHECK_EQ(active.way[FLUE_SW_TCP6_CSUM], FLUE_WAY_TX);
    CHECK_EQ(flue_encap_set(rig.a, FLUE_ENCAP_KEEP, FLUE_ENCAP_ON), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_RX_CFG) >> 9, 3);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_TX_CFG), tx);
    CHECK_EQ(flue_encap_set(rig.a, FLUE_ENCAP_OFF, FLUE_ENCAP_KEEP), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_RX_CFG) >> 9, 2);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_TX_CFG), tx & ~v4_tx);
    flue_config_active(rig.a, &active);
    CHECK_EQ(active.way[FLUE_SW_TCP4_CSUM], FLUE_WAY_OFF);
    CHECK_EQ(flue_encap_set(rig.a, FLUE_ENCAP_ON, FLUE_ENCAP_OFF), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_TX_CFG), tx & ~v6_tx);
    CHECK_EQ(flue_encap_set(rig.a, (enum flue_encap)3, FLUE_ENCAP_ON), FLUE_EARG);
    CHECK_EQ(rig.configs, 4);
    close_rig();
}

/* TO-045: 2 is receive off, transmit on; 3 the other way round (in keywords 1 and 2). */
TEST(one_direction_of_a_checksum_can_be_off)
{
    struct flue_config request;
    open_rig();
    flue_config_keep(&request);
    for (unsigned sw = FLUE_SW_IP4_CSUM; sw <= FLUE_SW_UDP6_CSUM; sw++)
        request.way[sw] = FLUE_WAY_TX;
    CHECK_EQ(flue_config_set(rig.a, &request), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_TX_CFG) & 0x1F, 0x1F);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_RX_CFG) & 0x1F, 0);
    for (unsigned sw = FLUE_SW_IP4_CSUM; sw <= FLUE_SW_UDP6_CSUM; sw++)
        request.way[sw] = FLUE_WAY_RX;
    CHECK_EQ(flue_config_set(rig.a, &request), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_TX_CFG) & 0x1F, 0);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_RX_CFG) & 0x1F, 0x1F);
    close_rig();
}

TEST(a_setting_the_device_does_not_take_is_not_remembered)
{
    struct flue_config request, before, now;
    open_rig();
    flue_config_get(rig.a, &before);
    flue_config_keep(&request);
    request.way[FLUE_SW_VLAN] = FLUE_WAY_OFF;
    rig.m.fail_in = 3;
    rig.m.fail_with = FLUE_ETIMEOUT;
    CHECK_EQ(flue_config_set(rig.a, &request), FLUE_ETIMEOUT);
    flue_config_get(rig.a, &now);
    CHECK_EQ(memcmp(&before, &now, sizeof now), 0);
    CHECK_EQ(rig.configs, 0);
    close_rig();
}

TEST(switches_are_found_by_name)
{
    enum flue_switch sw;
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++) {
        CHECK_EQ(flue_switch_find(flue_switch_name((enum flue_switch)i), &sw), FLUE_OK);
        CHECK_EQ(sw, i);
    }
    CHECK_EQ(flue_switch_find("lso", &sw), FLUE_EARG);
    CHECK(flue_switch_name(FLUE_SW_COUNT) == NULL);
}

/* ---- observation ------------------------------------------------------------------------------------------------- */

TEST(a_counter_has_64_bits)
{
    uint64_t value;
    open_rig();
    *mock_reg(&rig.m, FLUE_REG_STAT + FLUE_STAT_TX_BYTES * 8) = 0x89ABCDEF;
    *mock_reg(&rig.m, FLUE_REG_STAT + FLUE_STAT_TX_BYTES * 8 + 4) = 0x01234567;
    CHECK_EQ(flue_stat_read(rig.a, FLUE_STAT_TX_BYTES, &value), FLUE_OK);
    CHECK_EQ(value, 0x0123456789ABCDEF);
    CHECK_EQ(flue_stat_read(rig.a, FLUE_STAT_COUNT, &value), FLUE_EARG);
    *mock_reg(&rig.m, FLUE_REG_TIME_LO) = 5;
    *mock_reg(&rig.m, FLUE_REG_TIME_HI) = 2;
    CHECK_EQ(flue_time_us(rig.a, &value), FLUE_OK);
    CHECK_EQ(value, 0x200000005);
    close_rig();
}

TEST(every_counter_status_and_error_has_a_name)
{
    for (unsigned i = 0; i < FLUE_STAT_COUNT; i++)
        CHECK(flue_stat_name(i) != NULL);
    CHECK(flue_stat_name(FLUE_STAT_COUNT) == NULL);
    CHECK(strcmp(flue_status_name(FLUE_ST_DISABLED), "DISABLED") == 0);
    CHECK(strcmp(flue_status_name(200), "?") == 0);
    for (int err = FLUE_OK; err <= FLUE_EPEER; err++)
        CHECK(strncmp(flue_err_name((enum flue_err)err), "FLUE_", 5) == 0 &&
              strcmp(flue_err_name((enum flue_err)err), "FLUE_E?"));
    CHECK(strcmp(flue_err_name((enum flue_err)99), "FLUE_E?") == 0);
}

TEST(faults_need_a_build_that_has_them)
{
    struct flue_adapter *a;
    mock_init(&rig.m);
    *mock_reg(&rig.m, FLUE_REG_BUILD) &= ~FLUE_BUILD_FAULTS_MASK;
    CHECK_EQ(flue_adapter_open(&rig.m.link, NULL, NULL, &a), FLUE_OK);
    CHECK_EQ(flue_fault_set(a, FLUE_FAULT_CSUM_BIT_MASK), FLUE_EUNSUPP);
    CHECK_EQ(flue_fault_set(a, 0x80), FLUE_EARG);
    flue_adapter_close(a);
    open_rig();
    CHECK_EQ(flue_fault_set(rig.a, FLUE_FAULT_LSO_SEQ_MASK), FLUE_OK);
    CHECK_EQ(*mock_reg(&rig.m, FLUE_REG_FAULT), FLUE_FAULT_LSO_SEQ_MASK);
    close_rig();
}
