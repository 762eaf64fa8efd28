/*
 * OID requests of task offload: what is answered, what is refused, and that a refusal changes nothing.
 */
#include "ndis_admin_rig.h"

#define CK_OFF  NDIS_OFFLOAD_PARAMETERS_TX_RX_DISABLED
#define CK_BOTH NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED
#define ON      2
#define OFF     1

/* Members of the request with what they are of the core; FLUE_SW_COUNT: the adapter has none. */
static const struct {
    size_t at;
    unsigned most;
    enum flue_switch sw;
} members[] = {
    {offsetof(NDIS_OFFLOAD_PARAMETERS, IPv4Checksum), 4, FLUE_SW_IP4_CSUM},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, TCPIPv4Checksum), 4, FLUE_SW_TCP4_CSUM},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, UDPIPv4Checksum), 4, FLUE_SW_UDP4_CSUM},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, TCPIPv6Checksum), 4, FLUE_SW_TCP6_CSUM},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, UDPIPv6Checksum), 4, FLUE_SW_UDP6_CSUM},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, LsoV1), 2, FLUE_SW_LSO_V1},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, LsoV2IPv4), 2, FLUE_SW_LSO_V2_IPV4},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, LsoV2IPv6), 2, FLUE_SW_LSO_V2_IPV6},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, IPsecV1), 4, FLUE_SW_COUNT},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, IPsecV2), 4, FLUE_SW_COUNT},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, IPsecV2IPv4), 4, FLUE_SW_COUNT},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, RscIPv4), 2, FLUE_SW_COUNT},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, RscIPv6), 2, FLUE_SW_COUNT},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, UdpSegmentation.IPv4), 2, FLUE_SW_COUNT},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, UdpSegmentation.IPv6), 2, FLUE_SW_COUNT},
    {offsetof(NDIS_OFFLOAD_PARAMETERS, UdpRsc.Enabled), 2, FLUE_SW_COUNT},
};
#define MEMBERS (sizeof members / sizeof members[0])

static void put(NDIS_OFFLOAD_PARAMETERS *p, unsigned member, unsigned value)
{
    ((uint8_t *)p)[members[member].at] = (uint8_t)value;
}

/* ---- capabilities and configuration ------------------------------------------------------------------------------- */

/* TO-004, TO-008, TO-157: revision and size fit, what no field covers is zero; at start CFG is the hardware's. */
TEST(the_reported_structures_are_whole_and_their_padding_is_zero)
{
    const NDIS_OID oids[] = {OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, OID_TCP_OFFLOAD_CURRENT_CONFIG};
    rig_start();
    for (unsigned i = 0; i < 2; i++) {
        uint8_t buffer[256];
        struct flue_ndis_request r = {.type = FLUE_NDIS_QUERY, .oid = oids[i], .buffer = buffer, .length = sizeof buffer};
        memset(buffer, 0xEE, sizeof buffer);
        CHECK_EQ(flue_ndis_oid(host.a, &r), NDIS_STATUS_SUCCESS);
        CHECK_EQ(r.bytes_written, 216);
        CHECK_EQ(buffer[0], NDIS_OBJECT_TYPE_OFFLOAD);
        CHECK_EQ(buffer[1], 6);
        CHECK_EQ(buffer[2] | buffer[3] << 8, 216);
        CHECK_EQ(buffer[216], 0xEE);
        const unsigned words[] = {8, 16, 24, 32, 48, 104}; /* 2-bit fields: at most 1 each, nothing above them */
        for (unsigned w = 0; w < 6; w++) {
            uint32_t word;
            memcpy(&word, buffer + words[w], 4);
            CHECK_EQ(word & 0xFFFFFEAAu, 0);
        }
        for (unsigned at = 112; at < 216; at++) /* IPsec v2 to USO: none of it here */
            CHECK_EQ(buffer[at], 0);
    }
    NDIS_OFFLOAD hw = offload(oids[0]), cfg = offload(oids[1]);
    CHECK_EQ(hw.Checksum.IPv4Receive.TcpChecksum, 1);
    CHECK_EQ(cfg.Checksum.IPv4Receive.TcpChecksum, 1);
    CHECK_EQ(cfg.LsoV2.IPv6.MaxOffLoadSize, config().max_offload_bytes);
    bool v4, v6;
    CHECK_EQ(flue_encap_get(host.core.a, &v4, &v6), FLUE_ESTATE);
    rig_end();
}

/* TO-010: whatever is reported names Ethernet, whatever is not names no framing. */
TEST(a_supported_offload_works_on_ethernet_and_others_report_no_framing)
{
    rig_begin(0x00030043); /* IPv4 and TCP/IPv4 sums both ways, LSOv2 IPv4 */
    rig_admin(false, NULL);
    NDIS_OFFLOAD hw = offload(OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES);
    CHECK((hw.Checksum.IPv4Transmit.Encapsulation & NDIS_ENCAPSULATION_IEEE_802_3) != 0);
    CHECK((hw.Checksum.IPv4Receive.Encapsulation & NDIS_ENCAPSULATION_IEEE_802_3) != 0);
    CHECK((hw.LsoV2.IPv4.Encapsulation & NDIS_ENCAPSULATION_IEEE_802_3) != 0);
    CHECK_EQ(hw.Checksum.IPv6Transmit.Encapsulation, 0);
    CHECK_EQ(hw.Checksum.IPv6Receive.Encapsulation, 0);
    CHECK_EQ(hw.LsoV1.IPv4.Encapsulation, 0);
    CHECK_EQ(hw.LsoV1.IPv4.MaxOffLoadSize, 0);
    CHECK_EQ(hw.LsoV2.IPv6.Encapsulation, 0);
    CHECK_EQ(hw.Checksum.IPv4Transmit.UdpChecksum, 0);
    CHECK_EQ(hw.Checksum.IPv4Transmit.Encapsulation & NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB, 0);
    rig_end();
}

/* TO-011, TO-012, TO-013: no flag without IPsec, and what this adapter lacks is all zero. */
TEST(what_the_adapter_lacks_is_reported_as_nothing)
{
    static const uint8_t zero[64];
    rig_start();
    NDIS_OFFLOAD hw = offload(OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES);
    CHECK_EQ(hw.Flags, 0);
    CHECK_EQ(memcmp(&hw.IPsecV1, zero, sizeof hw.IPsecV1), 0);
    CHECK_EQ(memcmp(&hw.IPsecV2, zero, sizeof hw.IPsecV2), 0);
    CHECK_EQ(memcmp(&hw.Rfc6877Xlat, zero, sizeof hw.Rfc6877Xlat), 0);
    CHECK_EQ(hw.EncapsulationTypes, 0);
    CHECK_EQ(hw.EncapsulatedPacketTaskOffloadVxlan.EncapsulationProtocolInfo.Value, 0);
    CHECK_EQ(hw.UdpSegmentation.IPv4.Encapsulation | hw.UdpSegmentation.IPv6.Encapsulation, 0);
    rig_end();
}

/* TO-005, TO-007, TO-009: an older revision ends where it ends, a newer one is cut. */
TEST(a_structure_of_any_revision_is_read_as_far_as_it_goes)
{
    static const uint16_t sizes[] = {112, 144, 156, 177, 188, 216, 216, 217};
    for (unsigned rev = 1; rev <= 10; rev++) {
        uint16_t size = rev <= 8 ? sizes[rev - 1] : (uint16_t)(217 + 20 * (rev - 8));
        uint8_t *buffer = malloc(size);
        NDIS_OFFLOAD o;
        CHECK(buffer != NULL);
        memset(buffer, 1, size);
        NDIS_OBJECT_HEADER header = {NDIS_OBJECT_TYPE_OFFLOAD, (uint8_t)rev, size};
        memcpy(buffer, &header, sizeof header);
        memset(&o, 0xEE, sizeof o);
        CHECK_EQ(flue_ndis_offload_read(buffer, size, &o), NDIS_STATUS_SUCCESS);
        CHECK_EQ(o.Flags, 0x01010101);
        CHECK_EQ(o.IPsecV2.SaOffloadCapacity, rev >= 2 ? 0x01010101 : 0);
        CHECK_EQ(o.EncapsulatedPacketTaskOffloadGre.MaxHeaderSizeSupported, rev >= 3 ? 0x01010101 : 0);
        CHECK_EQ(o.EncapsulationTypes, rev >= 4);
        CHECK_EQ(o.Rfc6877Xlat.Flags, rev >= 5 ? 0x01010101 : 0);
        CHECK_EQ(o.UdpSegmentation.IPv4.MaxOffLoadSize, rev >= 6 ? 0x01010101 : 0);
        CHECK_EQ(o.UdpRsc.Enabled, rev >= 8);
        free(buffer);
    }
}

/* TO-006: too small for its own revision, another type, revision 0, more than the buffer. */
TEST(a_structure_that_contradicts_itself_is_refused)
{
    uint8_t buffer[256] = {0};
    NDIS_OFFLOAD o;
    memset(&o, 0xEE, sizeof o);
    const struct {
        NDIS_OBJECT_HEADER header;
        uint32_t length;
        NDIS_STATUS status;
    } cases[] = {
        {{NDIS_OBJECT_TYPE_OFFLOAD, 4, 176}, 256, NDIS_STATUS_INVALID_DATA},
        {{NDIS_OBJECT_TYPE_OFFLOAD, 0, 112}, 256, NDIS_STATUS_INVALID_DATA},
        {{NDIS_OBJECT_TYPE_DEFAULT, 1, 112}, 256, NDIS_STATUS_INVALID_DATA},
        {{NDIS_OBJECT_TYPE_OFFLOAD, 9, 216}, 256, NDIS_STATUS_INVALID_DATA},
        {{NDIS_OBJECT_TYPE_OFFLOAD, 1, 112}, 111, NDIS_STATUS_INVALID_LENGTH},
        {{NDIS_OBJECT_TYPE_OFFLOAD, 6, 216}, 215, NDIS_STATUS_INVALID_LENGTH},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(buffer, &cases[i].header, 4);
        CHECK_EQ(flue_ndis_offload_read(buffer, cases[i].length, &o), cases[i].status);
        CHECK_EQ(o.Flags, 0xEEEEEEEE);
    }
    CHECK_EQ(flue_ndis_offload_read(NULL, 0, &o), NDIS_STATUS_INVALID_LENGTH);
}

/* TO-158: hardware capabilities stay, whatever is switched; the configuration is always a subset. */
TEST(hardware_capabilities_never_change)
{
    rig_start();
    NDIS_OFFLOAD hw = offload(OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES);
    for (unsigned round = 0; round < 200; round++) {
        NDIS_OFFLOAD_PARAMETERS p = keep();
        for (unsigned m = 0; m < 8; m++)
            put(&p, m, check_random(members[m].most + 1));
        CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
        host.told_count = 0;
        NDIS_OFFLOAD now = offload(OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES), cfg = offload(OID_TCP_OFFLOAD_CURRENT_CONFIG);
        CHECK_EQ(memcmp(&hw, &now, sizeof hw), 0);
        for (unsigned at = 4; at < 36; at++) /* bits and framings of the checksums */
            CHECK_EQ(((uint8_t *)&cfg)[at] & ~((uint8_t *)&hw)[at], 0);
        CHECK(cfg.LsoV1.IPv4.MaxOffLoadSize <= hw.LsoV1.IPv4.MaxOffLoadSize);
        CHECK(cfg.LsoV2.IPv6.MaxOffLoadSize <= hw.LsoV2.IPv6.MaxOffLoadSize);
    }
    rig_end();
}

/* ---- parameters --------------------------------------------------------------------------------------------------- */

/* TO-159, TO-160: every member and value changes its own switch and nothing else, and is told exactly once. */
TEST(each_parameter_changes_only_its_own_function)
{
    rig_start();
    for (unsigned m = 0; m < 8; m++)
        for (unsigned value = 0; value <= members[m].most; value++) {
            NDIS_OFFLOAD_PARAMETERS p = keep();
            struct flue_config before = config(), after;
            put(&p, m, value);
            host.told_count = 0;
            CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
            after = config();
            uint8_t expected = value == 0             ? before.way[members[m].sw]
                               : members[m].most == 4 ? (uint8_t)(value - 1)
                                                      : (uint8_t)(value == ON);
            CHECK_EQ(after.way[members[m].sw], expected);
            for (unsigned sw = 0; sw < FLUE_SW_COUNT; sw++)
                if (sw != members[m].sw)
                    CHECK_EQ(after.way[sw], before.way[sw]);
            CHECK_EQ(host.told_count, 1);
            CHECK_EQ(host.told[0].code, NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG);
            NDIS_OFFLOAD now = offload(OID_TCP_OFFLOAD_CURRENT_CONFIG);
            CHECK_EQ(host.told[0].bytes, 216);
            CHECK_EQ(memcmp(host.told[0].buffer, &now, 216), 0);
        }
    rig_end();
}

/* TO-045: the values of a checksum name its directions, in the configuration too. */
TEST(a_checksum_can_be_off_in_one_direction)
{
    rig_start();
    NDIS_OFFLOAD_PARAMETERS p = keep();
    p.TCPIPv4Checksum = NDIS_OFFLOAD_PARAMETERS_TX_ENABLED_RX_DISABLED;
    p.UDPIPv6Checksum = NDIS_OFFLOAD_PARAMETERS_RX_ENABLED_TX_DISABLED;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
    NDIS_OFFLOAD now = offload(OID_TCP_OFFLOAD_CURRENT_CONFIG);
    CHECK_EQ(now.Checksum.IPv4Transmit.TcpChecksum, 1);
    CHECK_EQ(now.Checksum.IPv4Receive.TcpChecksum, 0);
    CHECK_EQ(now.Checksum.IPv6Transmit.UdpChecksum, 0);
    CHECK_EQ(now.Checksum.IPv6Receive.UdpChecksum, 1);
    rig_end();
}

/* TO-160, TO-173: what the host is told is in the adapter's registers when the request completes. */
TEST(a_parameters_set_reaches_the_adapter_before_it_completes)
{
    rig_start();
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_ON), NDIS_STATUS_SUCCESS);
    unsigned told = host.core.configs;
    NDIS_OFFLOAD_PARAMETERS p = keep();
    p.TCPIPv4Checksum = CK_OFF;
    p.LsoV2IPv6 = OFF;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
    CHECK_EQ(*mock_reg(&host.core.m, FLUE_REG_TX_CFG) & (FLUE_TX_CFG_TCP4_CSUM_MASK | FLUE_TX_CFG_LSO_V2_IPV6_MASK), 0);
    CHECK_EQ(*mock_reg(&host.core.m, FLUE_REG_RX_CFG) & FLUE_RX_CFG_TCP4_CSUM_MASK, 0);
    CHECK_EQ(host.core.configs, told + 1); /* the handler that narrows the TAP's mask */
    rig_end();
}

/* TO-161: one illegal value refuses the whole request. */
TEST(an_illegal_value_changes_nothing)
{
    rig_start();
    struct snapshot before = snap();
    for (unsigned m = 0; m < MEMBERS; m++)
        for (unsigned value = members[m].most + 1; value < 256; value += 1 + check_random(20)) {
            NDIS_OFFLOAD_PARAMETERS p = keep();
            p.LsoV2IPv4 = OFF;
            p.TcpConnectionIPv4 = OFF;
            put(&p, m, value);
            CHECK_EQ(set_parameters(&p), NDIS_STATUS_INVALID_DATA);
        }
    const NDIS_OFFLOAD_PARAMETERS legal = keep();
    NDIS_OFFLOAD_PARAMETERS p = legal;
    p.TCPIPv4Checksum = CK_OFF;
    p.TcpConnectionIPv6 = 3;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_INVALID_DATA);
    for (unsigned bit = 1; bit < 32; bit++) {
        p = legal;
        p.TCPIPv4Checksum = CK_OFF;
        p.Flags = 1u << bit;
        CHECK_EQ(set_parameters(&p), NDIS_STATUS_INVALID_DATA);
    }
    CHECK_UNCHANGED(before);
    rig_end();
}

/* TO-162: what the hardware lacks cannot be enabled; switching it off is no error. */
TEST(enabling_what_the_hardware_lacks_changes_nothing)
{
    rig_begin(0x00030043);
    rig_admin(false, NULL);
    struct snapshot before = snap();
    for (unsigned m = 0; m < MEMBERS; m++) {
        if (members[m].sw == FLUE_SW_IP4_CSUM || members[m].sw == FLUE_SW_TCP4_CSUM || members[m].sw == FLUE_SW_LSO_V2_IPV4)
            continue;
        for (unsigned value = 2; value <= members[m].most; value++) {
            NDIS_OFFLOAD_PARAMETERS p = keep();
            p.IPv4Checksum = CK_OFF;
            put(&p, m, value);
            CHECK_EQ(set_parameters(&p), NDIS_STATUS_INVALID_PARAMETER);
        }
    }
    NDIS_OFFLOAD_PARAMETERS p = keep();
    p.TcpConnectionIPv4 = ON;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_INVALID_PARAMETER);
    CHECK_UNCHANGED(before);
    p = keep();
    for (unsigned m = 0; m < MEMBERS; m++)
        put(&p, m, OFF);
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
    rig_end();
}

/* TO-165: types go with SET_ON, and the port of an offload that is not there cannot be set. */
TEST(encapsulation_types_go_with_their_switch)
{
    static const struct {
        uint8_t on, types;
        uint16_t port;
        NDIS_STATUS status;
    } cases[] = {
        {NDIS_OFFLOAD_SET_NO_CHANGE, NDIS_ENCAPSULATION_TYPE_VXLAN, 0, NDIS_STATUS_INVALID_DATA},
        {NDIS_OFFLOAD_SET_OFF, NDIS_ENCAPSULATION_TYPE_GRE_MAC, 0, NDIS_STATUS_INVALID_DATA},
        {NDIS_OFFLOAD_SET_ON, 0, 0, NDIS_STATUS_INVALID_DATA},
        {NDIS_OFFLOAD_SET_ON, 4, 0, NDIS_STATUS_INVALID_DATA},
        {3, 0, 0, NDIS_STATUS_INVALID_DATA},
        {NDIS_OFFLOAD_SET_ON, 3, 0, NDIS_STATUS_INVALID_PARAMETER},
        {NDIS_OFFLOAD_SET_NO_CHANGE, 0, 4789, NDIS_STATUS_INVALID_PARAMETER},
        {NDIS_OFFLOAD_SET_NO_CHANGE, 0, 0, NDIS_STATUS_SUCCESS},
        {NDIS_OFFLOAD_SET_OFF, 0, 0, NDIS_STATUS_SUCCESS},
    };
    rig_start();
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        NDIS_OFFLOAD_PARAMETERS p = keep();
        p.EncapsulatedPacketTaskOffload = cases[i].on;
        p.EncapsulationTypes = cases[i].types;
        p.EncapsulationProtocolParameters.VxlanParameters.VxlanUDPPortNumber = cases[i].port;
        CHECK_EQ(set_parameters(&p), cases[i].status);
    }
    rig_end();
}

/* TO-164: each revision has its exact size; members beyond it are not read, though they are in the buffer. */
TEST(parameters_of_each_revision_end_where_they_end)
{
    static const uint16_t sizes[] = {20, 22, 26, 32, 34, 35};
    rig_start();
    for (uint8_t rev = 1; rev <= 6; rev++) {
        NDIS_OFFLOAD_PARAMETERS p = keep();
        uint8_t *exact = malloc(sizes[rev - 1]); /* the sanitizer sees a read beyond it */
        CHECK(exact != NULL);
        p.Header.Revision = rev;
        p.Header.Size = sizes[rev - 1];
        p.LsoV1 = rev % 2 == 0 ? ON : OFF;
        memcpy(exact, &p, sizes[rev - 1]);
        CHECK_EQ(oid_set(OID_TCP_OFFLOAD_PARAMETERS, exact, sizes[rev - 1]), NDIS_STATUS_SUCCESS);
        CHECK_EQ(config().way[FLUE_SW_LSO_V1], rev % 2 == 0);
        free(exact);
        if (rev < 6) { /* illegal, but beyond the revision */
            memset((uint8_t *)&p + sizes[rev - 1], 0xFF, sizeof p - sizes[rev - 1]);
            CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
        }
        p.Header.Size--;
        CHECK_EQ(set_parameters(&p), NDIS_STATUS_INVALID_DATA);
    }
    NDIS_OFFLOAD_PARAMETERS newer[2] = {keep(), keep()}; /* TO-007 */
    newer[0].Header.Revision = 9;
    newer[0].Header.Size = 50;
    newer[0].LsoV1 = ON;
    CHECK_EQ(oid_set(OID_TCP_OFFLOAD_PARAMETERS, newer, sizeof newer), NDIS_STATUS_SUCCESS);
    CHECK_EQ(config().way[FLUE_SW_LSO_V1], 1);
    rig_end();
}

/* TO-161: all NO_CHANGE is a success, told like one. */
TEST(a_request_that_keeps_everything_is_told_all_the_same)
{
    rig_start();
    struct flue_config before = config(), after;
    NDIS_OFFLOAD_PARAMETERS p = keep();
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
    after = config();
    CHECK_EQ(memcmp(&before, &after, sizeof before), 0);
    CHECK_EQ(host.told_count, 1);
    rig_end();
}

/* TO-161: an adapter that stops taking settings half way leaves the request undone. */
TEST(a_set_the_device_does_not_take_is_undone)
{
    rig_start();
    struct snapshot before = snap();
    NDIS_OFFLOAD_PARAMETERS p = keep();
    p.LsoV1 = OFF;
    p.TcpConnectionIPv4 = OFF;
    host.task_refuse = 1;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_FAILURE);
    before.told = host.told_count; /* PAUSE and RESUME of the attempt */
    CHECK_UNCHANGED(before);
    CHECK_EQ(host.told[0].code, NDIS_STATUS_OFFLOAD_PAUSE);
    CHECK_EQ(host.told[1].code, NDIS_STATUS_OFFLOAD_RESUME);
    host.refuse = FLUE_CFG_SWITCHES;
    host.refuse_with = NDIS_STATUS_FAILURE;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_FAILURE);
    before.told = host.told_count;
    CHECK_UNCHANGED(before);
    rig_end();
}

/* ---- who answers what --------------------------------------------------------------------------------------------- */

/* TO-163, CH-206: each OID has its directions; the older scheme and what the adapter lacks are refused, others unknown. */
TEST(each_oid_answers_its_own_directions_only)
{
    static const struct {
        NDIS_OID oid;
        bool query, set;
    } oids[] = {
        {OID_TCP_OFFLOAD_CURRENT_CONFIG, true, false},
        {OID_TCP_OFFLOAD_PARAMETERS, false, true},
        {OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, true, false},
        {OID_TCP_CONNECTION_OFFLOAD_CURRENT_CONFIG, true, false},
        {OID_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES, true, false},
        {OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, true, true},
        {OID_TCP4_OFFLOAD_STATS, true, true},
        {OID_TCP6_OFFLOAD_STATS, true, true},
        {OID_IP4_OFFLOAD_STATS, true, true},
        {OID_IP6_OFFLOAD_STATS, true, true},
        {OID_PNP_SET_POWER, false, true},
        {OID_TCP_TASK_OFFLOAD, false, false},
        {OID_TCP_TASK_IPSEC_ADD_SA, false, false},
        {OID_TCP_SAN_SUPPORT, false, false},
        {OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA, false, false},
        {OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA_EX, false, false},
        {OID_TCP_RSC_STATISTICS, false, false},
        {OID_GEN_RECEIVE_SCALE_PARAMETERS, false, false},
        {OID_GEN_VLAN_ID, false, false},
        {OID_TIMESTAMP_CAPABILITY, false, false},
    };
    uint8_t buffer[256] = {0};
    rig_start();
    struct snapshot before = snap();
    for (unsigned i = 0; i < sizeof oids / sizeof oids[0]; i++) {
        CHECK_EQ(oid_query(oids[i].oid, buffer, sizeof buffer),
                 oids[i].query ? NDIS_STATUS_SUCCESS : NDIS_STATUS_NOT_SUPPORTED);
        memset(buffer, 0, sizeof buffer);
        NDIS_STATUS status = oid_set(oids[i].oid, buffer, sizeof buffer);
        CHECK_EQ(status == NDIS_STATUS_NOT_SUPPORTED, !oids[i].set);
    }
    CHECK_EQ(oid_query(0x12345678, buffer, sizeof buffer), NDIS_STATUS_INVALID_OID);
    CHECK_EQ(oid_set(0x00010106, buffer, sizeof buffer), NDIS_STATUS_INVALID_OID);
    CHECK_UNCHANGED(before);
    rig_end();
}

/* TO-163: a short buffer is named with the length it takes, and neither read nor written beyond its end. */
TEST(short_buffers_get_the_length_they_need)
{
    static const struct {
        NDIS_OID oid;
        enum flue_ndis_request_type type;
        uint32_t needs;
    } cases[] = {
        {OID_TCP_OFFLOAD_CURRENT_CONFIG, FLUE_NDIS_QUERY, 216},
        {OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, FLUE_NDIS_QUERY, 216},
        {OID_TCP_CONNECTION_OFFLOAD_CURRENT_CONFIG, FLUE_NDIS_QUERY, 20},
        {OID_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES, FLUE_NDIS_QUERY, 20},
        {OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, FLUE_NDIS_QUERY, 60},
        {OID_TCP4_OFFLOAD_STATS, FLUE_NDIS_QUERY, 40},
        {OID_IP6_OFFLOAD_STATS, FLUE_NDIS_QUERY, 64},
        {OID_OFFLOAD_ENCAPSULATION, FLUE_NDIS_QUERY, 28},
        {OID_TCP_OFFLOAD_PARAMETERS, FLUE_NDIS_SET, 20},
        {OID_OFFLOAD_ENCAPSULATION, FLUE_NDIS_SET, 28},
        {OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, FLUE_NDIS_SET, 56},
        {OID_PNP_SET_POWER, FLUE_NDIS_SET, 4},
    };
    rig_start();
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_NO_CHANGE), NDIS_STATUS_SUCCESS);
    struct snapshot before = snap();
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool query = cases[i].type == FLUE_NDIS_QUERY;
        for (uint32_t length = 0; length < cases[i].needs; length += 1 + check_random(7)) {
            uint8_t *buffer = malloc(length > 0 ? length : 1);
            struct flue_ndis_request r = {cases[i].type, cases[i].oid, length > 0 ? buffer : NULL, length, 9, 9, 9, NULL};
            CHECK(buffer != NULL);
            memset(buffer, 0, length > 0 ? length : 1);
            CHECK_EQ(flue_ndis_oid(host.a, &r), query ? NDIS_STATUS_BUFFER_TOO_SHORT : NDIS_STATUS_INVALID_LENGTH);
            CHECK_EQ(r.bytes_needed, cases[i].needs);
            CHECK_EQ(r.bytes_written, 0);
            CHECK_EQ(r.bytes_read, 0);
            free(buffer);
        }
    }
    NDIS_OFFLOAD_PARAMETERS p = keep(); /* shorter than its header says */
    struct flue_ndis_request r = {.type = FLUE_NDIS_SET, .oid = OID_TCP_OFFLOAD_PARAMETERS, .buffer = &p, .length = 34};
    CHECK_EQ(flue_ndis_oid(host.a, &r), NDIS_STATUS_INVALID_LENGTH);
    CHECK_EQ(r.bytes_needed, 35);
    CHECK_UNCHANGED(before);
    rig_end();
}

/* TO-163: wrong type, revision 0, Size too small for the revision. */
TEST(parameters_with_a_wrong_header_are_invalid_data)
{
    rig_start();
    struct snapshot before = snap();
    NDIS_OFFLOAD_PARAMETERS p = keep();
    p.LsoV1 = OFF;
    p.Header.Type = NDIS_OBJECT_TYPE_OFFLOAD;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_INVALID_DATA);
    p.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    p.Header.Revision = 0;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_INVALID_DATA);
    p.Header.Revision = 3;
    p.Header.Size = 25;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_INVALID_DATA);
    CHECK_UNCHANGED(before);
    rig_end();
}

/* TO-163, TO-170: an adapter without any offload supports neither, and one without connection offload none of its OIDs. */
TEST(an_adapter_without_offload_supports_none_of_it)
{
    uint8_t buffer[256] = {0};
    rig_begin(0x01000100); /* VLAN only */
    rig_admin(false, NULL);
    NDIS_OFFLOAD_PARAMETERS p = keep();
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_NOT_SUPPORTED);
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_ON), NDIS_STATUS_NOT_SUPPORTED);
    CHECK_EQ(oid_query(OID_TCP_CONNECTION_OFFLOAD_CURRENT_CONFIG, buffer, sizeof buffer), NDIS_STATUS_NOT_SUPPORTED);
    CHECK_EQ(oid_query(OID_TCP4_OFFLOAD_STATS, buffer, sizeof buffer), NDIS_STATUS_NOT_SUPPORTED);
    CHECK_EQ(oid_set(OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, buffer, sizeof buffer), NDIS_STATUS_NOT_SUPPORTED);
    rig_end();
}

/* ---- encapsulation ------------------------------------------------------------------------------------------------ */

/* TO-172: a query before any set fails, afterwards it gives back what was accepted. */
TEST(an_encapsulation_is_queried_only_after_a_set)
{
    NDIS_OFFLOAD_ENCAPSULATION e = encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_NO_CHANGE), back;
    rig_start();
    CHECK_EQ(oid_query(OID_OFFLOAD_ENCAPSULATION, &back, sizeof back), NDIS_STATUS_FAILURE);
    e.IPv4.EncapsulationType = NDIS_ENCAPSULATION_NULL;
    CHECK_EQ(oid_set(OID_OFFLOAD_ENCAPSULATION, &e, sizeof e), NDIS_STATUS_INVALID_PARAMETER);
    CHECK_EQ(oid_query(OID_OFFLOAD_ENCAPSULATION, &back, sizeof back), NDIS_STATUS_FAILURE);
    e.IPv4.EncapsulationType = NDIS_ENCAPSULATION_IEEE_802_3;
    CHECK_EQ(oid_set(OID_OFFLOAD_ENCAPSULATION, &e, sizeof e), NDIS_STATUS_SUCCESS);
    CHECK_EQ(oid_query(OID_OFFLOAD_ENCAPSULATION, &back, sizeof back), NDIS_STATUS_SUCCESS);
    CHECK_EQ(memcmp(&e, &back, sizeof e), 0);
    rig_end();
}

/* TO-159, TO-171: on, off and keep act on one IP version, and each success is told once. */
TEST(encapsulation_switches_one_ip_version)
{
    bool v4, v6;
    rig_start();
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_NO_CHANGE), NDIS_STATUS_SUCCESS);
    CHECK_EQ(flue_encap_get(host.core.a, &v4, &v6), FLUE_OK);
    CHECK(v4 && !v6);
    CHECK_EQ(host.told_count, 1);
    CHECK_EQ(host.told[0].code, NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG);
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_OFF, NDIS_OFFLOAD_SET_ON), NDIS_STATUS_SUCCESS);
    CHECK_EQ(flue_encap_get(host.core.a, &v4, &v6), FLUE_OK);
    CHECK(!v4 && v6);
    NDIS_OFFLOAD now = offload(OID_TCP_OFFLOAD_CURRENT_CONFIG);
    CHECK(!ndis_offload_any(&now, NDIS_IPV4)); /* nothing of IPv4 works, so nothing is reported */
    CHECK(ndis_offload_any(&now, NDIS_IPV6));
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_NO_CHANGE, NDIS_OFFLOAD_SET_NO_CHANGE), NDIS_STATUS_SUCCESS);
    CHECK_EQ(flue_encap_get(host.core.a, &v4, &v6), FLUE_OK);
    CHECK(!v4 && v6);
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_NO_CHANGE), NDIS_STATUS_SUCCESS);
    now = offload(OID_TCP_OFFLOAD_CURRENT_CONFIG);
    CHECK(ndis_offload_any(&now, NDIS_IPV4)); /* the configured ones are back */
    CHECK_EQ(host.told_count, 4);
    rig_end();
}

/* TO-170: unsupported framing, and what the table of 4.3 does not allow, leave the activation alone. */
TEST(an_encapsulation_that_is_refused_changes_nothing)
{
    rig_begin(0x00030043); /* nothing of IPv6 */
    rig_admin(false, NULL);
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_NO_CHANGE), NDIS_STATUS_SUCCESS);
    struct snapshot before = snap();
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_OFF, NDIS_OFFLOAD_SET_ON), NDIS_STATUS_INVALID_PARAMETER);
    NDIS_OFFLOAD_ENCAPSULATION e = encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_OFF);
    e.IPv4.EncapsulationType = NDIS_ENCAPSULATION_IEEE_LLC_SNAP_ROUTED;
    CHECK_EQ(oid_set(OID_OFFLOAD_ENCAPSULATION, &e, sizeof e), NDIS_STATUS_INVALID_PARAMETER);
    e = encapsulation(NDIS_OFFLOAD_SET_ON, 3);
    CHECK_EQ(oid_set(OID_OFFLOAD_ENCAPSULATION, &e, sizeof e), NDIS_STATUS_INVALID_DATA);
    e = encapsulation(NDIS_OFFLOAD_SET_OFF, NDIS_OFFLOAD_SET_NO_CHANGE);
    e.IPv4.HeaderSize = 14;
    CHECK_EQ(oid_set(OID_OFFLOAD_ENCAPSULATION, &e, sizeof e), NDIS_STATUS_INVALID_DATA);
    e = encapsulation(NDIS_OFFLOAD_SET_OFF, NDIS_OFFLOAD_SET_NO_CHANGE);
    e.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    CHECK_EQ(oid_set(OID_OFFLOAD_ENCAPSULATION, &e, sizeof e), NDIS_STATUS_INVALID_DATA);
    CHECK_UNCHANGED(before);
    bool v4, v6;
    CHECK_EQ(flue_encap_get(host.core.a, &v4, &v6), FLUE_OK);
    CHECK(v4 && !v6);
    rig_end();
}

/* ---- random ------------------------------------------------------------------------------------------------------- */

/* TO-161: whatever comes, a request is applied whole or not at all, and nothing is read outside. */
TEST(a_storm_of_random_requests_applies_whole_or_not_at_all)
{
    static const NDIS_OID oids[] = {
        OID_TCP_OFFLOAD_PARAMETERS, OID_OFFLOAD_ENCAPSULATION, OID_TCP_CONNECTION_OFFLOAD_PARAMETERS,
        OID_TCP4_OFFLOAD_STATS,     OID_PNP_SET_POWER,         OID_TCP_OFFLOAD_CURRENT_CONFIG,
        OID_TCP_TASK_OFFLOAD};
    static const uint8_t types[] = {0x80, 0xA7, 0xA8};
    rig_start();
    unsigned taken = 0;
    for (unsigned round = 0; round < 20000; round++) {
        uint32_t length = check_random(80);
        uint8_t *buffer = malloc(length + 1);
        NDIS_OID oid = oids[check_random(7)];
        CHECK(buffer != NULL);
        for (uint32_t i = 0; i < length; i++)
            buffer[i] = (uint8_t)(check_random(100) == 0 ? check_random(256) : check_random(6) == 0 ? check_random(3) : 0);
        if (length >= 4 && check_random(10) != 0) {
            NDIS_OBJECT_HEADER header = {types[check_random(3)], (uint8_t)check_random(8),
                                         (uint16_t)(length - check_random(length < 3 ? length : 3))};
            memcpy(buffer, &header, sizeof header);
        }
        host.told_count = 0;
        struct snapshot before = snap();
        struct flue_ndis_request r = {
            .type = check_random(4) == 0 ? FLUE_NDIS_QUERY : FLUE_NDIS_SET, .oid = oid, .buffer = buffer, .length = length};
        NDIS_STATUS status = flue_ndis_oid(host.a, &r);
        CHECK(status != NDIS_STATUS_PENDING);
        if (status != NDIS_STATUS_SUCCESS)
            CHECK_UNCHANGED(before);
        taken += status == NDIS_STATUS_SUCCESS && r.type == FLUE_NDIS_SET && oid == OID_TCP_OFFLOAD_PARAMETERS;
        CHECK(r.bytes_read <= length && r.bytes_written <= length);
        free(buffer);
    }
    CHECK(taken > 20); /* some were legal */
    rig_end();
}
