/*
 * Standardized keywords: the file, what it means, what is written back (task-offload.md 4.5).
 */
#include "ndis_admin_rig.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static void file_write(const char *text)
{
    snprintf(path, sizeof path, P_tmpdir "/flue-keywords-%ld", (long)getpid());
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fputs(text, file);
    fclose(file);
}

static void file_read(char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

/* Keywords of a text; notes are counted. */
static struct flue_keywords load(const char *text)
{
    struct flue_keywords k;
    char error[256] = "";

    memset(&host, 0, sizeof host);
    file_write(text);
    enum flue_err err = flue_keywords_load(path, &k, on_note, NULL, error, sizeof error);
    unlink(path);
    if (err != FLUE_OK)
        check_failed(__FILE__, __LINE__, "%s", error);
    return k;
}

static NDIS_OFFLOAD_PARAMETERS meaning(const char *text)
{
    NDIS_OFFLOAD_PARAMETERS p;
    struct flue_keywords k = load(text);
    flue_keywords_parameters(&k, &p);
    return p;
}

/* Keywords, their legal values and default, the member each becomes; FLUE_KW_COUNT members have none. */
static const struct {
    const char *name;
    unsigned max, otherwise;
    size_t member; /* 0: none */
} table[] = {
    {"*IPChecksumOffloadIPv4", 3, 3, offsetof(NDIS_OFFLOAD_PARAMETERS, IPv4Checksum)},
    {"*TCPChecksumOffloadIPv4", 3, 3, offsetof(NDIS_OFFLOAD_PARAMETERS, TCPIPv4Checksum)},
    {"*TCPChecksumOffloadIPv6", 3, 3, offsetof(NDIS_OFFLOAD_PARAMETERS, TCPIPv6Checksum)},
    {"*UDPChecksumOffloadIPv4", 3, 3, offsetof(NDIS_OFFLOAD_PARAMETERS, UDPIPv4Checksum)},
    {"*UDPChecksumOffloadIPv6", 3, 3, offsetof(NDIS_OFFLOAD_PARAMETERS, UDPIPv6Checksum)},
    {"*LsoV1IPv4", 1, 1, offsetof(NDIS_OFFLOAD_PARAMETERS, LsoV1)},
    {"*LsoV2IPv6", 1, 1, offsetof(NDIS_OFFLOAD_PARAMETERS, LsoV2IPv6)},
    {"*UsoIPv4", 1, 1, offsetof(NDIS_OFFLOAD_PARAMETERS, UdpSegmentation.IPv4)},
    {"*UsoIPv6", 1, 1, offsetof(NDIS_OFFLOAD_PARAMETERS, UdpSegmentation.IPv6)},
    {"*RscIPv4", 1, 1, offsetof(NDIS_OFFLOAD_PARAMETERS, RscIPv4)},
    {"*RscIPv6", 1, 1, offsetof(NDIS_OFFLOAD_PARAMETERS, RscIPv6)},
    {"*UdpRsc", 1, 1, offsetof(NDIS_OFFLOAD_PARAMETERS, UdpRsc.Enabled)},
    {"*IPsecOffloadV1IPv4", 3, 3, offsetof(NDIS_OFFLOAD_PARAMETERS, IPsecV1)},
    {"*IPsecOffloadV2", 3, 3, offsetof(NDIS_OFFLOAD_PARAMETERS, IPsecV2)},
    {"*IPsecOffloadV2IPv4", 3, 3, offsetof(NDIS_OFFLOAD_PARAMETERS, IPsecV2IPv4)},
    {"*TCPConnectionOffloadIPv4", 1, 1, offsetof(NDIS_OFFLOAD_PARAMETERS, TcpConnectionIPv4)},
    {"*TCPConnectionOffloadIPv6", 1, 1, offsetof(NDIS_OFFLOAD_PARAMETERS, TcpConnectionIPv6)},
};
#define ROWS (sizeof table / sizeof table[0])

/* TO-167: a keyword of value v becomes v + 1 in its own member; the others keep their defaults. */
TEST(each_keyword_and_value_becomes_its_parameter)
{
    const NDIS_OFFLOAD_PARAMETERS plain = meaning("");
    for (unsigned i = 0; i < ROWS; i++) {
        CHECK_EQ(((const uint8_t *)&plain)[table[i].member], table[i].otherwise + 1);
        for (unsigned value = 0; value <= table[i].max; value++) {
            char text[96];
            snprintf(text, sizeof text, "%s = %u\n", table[i].name, value);
            NDIS_OFFLOAD_PARAMETERS p = meaning(text), expected = plain;
            ((uint8_t *)&expected)[table[i].member] = (uint8_t)(value + 1);
            CHECK_EQ(memcmp(&p, &expected, sizeof p), 0);
            CHECK_EQ(host.notes, 0);
        }
    }
}

/* TO-167: the encapsulation keywords permit or forbid; the port is taken as it is. */
TEST(the_encapsulation_keywords_permit_types)
{
    NDIS_OFFLOAD_PARAMETERS p = meaning("");
    CHECK_EQ(p.EncapsulatedPacketTaskOffload, NDIS_OFFLOAD_SET_ON);
    CHECK_EQ(p.EncapsulationTypes, 3);
    CHECK_EQ(p.EncapsulationProtocolParameters.VxlanParameters.VxlanUDPPortNumber, 4789);
    p = meaning("*EncapsulatedPacketTaskOffloadNvgre = 0\n*VxlanUDPPortNumber = 8472\n");
    CHECK_EQ(p.EncapsulationTypes, NDIS_ENCAPSULATION_TYPE_VXLAN);
    CHECK_EQ(p.EncapsulationProtocolParameters.VxlanParameters.VxlanUDPPortNumber, 8472);
    p = meaning("*EncapsulatedPacketTaskOffload = 0\n");
    CHECK_EQ(p.EncapsulatedPacketTaskOffload, NDIS_OFFLOAD_SET_OFF);
    CHECK_EQ(p.EncapsulationTypes, 0);
}

/* TO-167: what cannot be read or is out of range counts as the default, and is named with file, line and keyword. */
TEST(an_unreadable_value_is_the_default_with_a_note)
{
    static const char *const wrong[] = {"4", "-1", "on", "", "0x1", "1.5", "99999999999", "3 3"};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[96];
        snprintf(text, sizeof text, "\n*TCPChecksumOffloadIPv4 = %s\n", wrong[i]);
        CHECK_EQ(meaning(text).TCPIPv4Checksum, 4);
        CHECK_EQ(host.notes, 1);
        CHECK(strstr(host.note, ":2: *TCPChecksumOffloadIPv4") != NULL);
    }
    for (unsigned i = 0; i < FLUE_KW_COUNT; i++) { /* every keyword has a range */
        char text[96];
        struct flue_keywords plain, k;
        snprintf(text, sizeof text, "%s = 99999999\n", flue_keyword_name((enum flue_keyword)i));
        flue_keywords_default(&plain);
        k = load(text);
        CHECK_EQ(k.value[i], plain.value[i]);
        CHECK(k.present[i]);
        CHECK_EQ(host.notes, 1);
    }
    CHECK_EQ(load("*PtpHardwareTimestamp = 7\n").value[FLUE_KW_PTP_TIMESTAMP], 0);
    CHECK_EQ(load("*JumboPacket = 100\n").value[FLUE_KW_JUMBO_PACKET], 1514);
}

/* TO-168: granular beats grouped, LSO version 2 beats version 1, whatever stands first. */
TEST(granular_beats_grouped_and_version_2_beats_version_1)
{
    NDIS_OFFLOAD_PARAMETERS p = meaning("*TCPUDPChecksumOffloadIPv4 = 0\n");
    CHECK_EQ(p.IPv4Checksum, 1);
    CHECK_EQ(p.TCPIPv4Checksum, 1);
    CHECK_EQ(p.UDPIPv4Checksum, 1);
    CHECK_EQ(p.TCPIPv6Checksum, 4);
    p = meaning("*TCPUDPChecksumOffloadIPv6 = 1\n*TCPChecksumOffloadIPv6 = 2\n");
    CHECK_EQ(p.TCPIPv6Checksum, 3);
    CHECK_EQ(p.UDPIPv6Checksum, 2);
    p = meaning("*TCPChecksumOffloadIPv6 = 2\n*TCPUDPChecksumOffloadIPv6 = 1\n");
    CHECK_EQ(p.TCPIPv6Checksum, 3);
    const char *const both[] = {"*LsoV1IPv4 = 1\n*LsoV2IPv4 = 0\n", "*LsoV2IPv4 = 0\n*LsoV1IPv4 = 1\n"};
    for (unsigned i = 0; i < 2; i++) {
        p = meaning(both[i]);
        CHECK_EQ(p.LsoV1, 1);
        CHECK_EQ(p.LsoV2IPv4, 1);
    }
    p = meaning("*LsoV1IPv4 = 0\n");
    CHECK_EQ(p.LsoV1, 1);
    CHECK_EQ(p.LsoV2IPv4, 2);
}

/* TO-169: the global switches go over everything, the one of IPsec over IPsec only. */
TEST(the_global_switches_go_over_every_keyword)
{
    NDIS_OFFLOAD_PARAMETERS p = meaning("DisableTaskOffload = 1\n*TCPChecksumOffloadIPv4 = 3\n*LsoV2IPv6 = 1\n");
    for (unsigned i = 0; i < ROWS; i++)
        CHECK_EQ(((uint8_t *)&p)[table[i].member], strncmp(table[i].name, "*TCPConnection", 14) == 0 ? 2 : 1);
    CHECK_EQ(p.EncapsulatedPacketTaskOffload, NDIS_OFFLOAD_SET_OFF);
    p = meaning("EnabledOffload = 0\n*IPsecOffloadV2 = 3\n");
    CHECK_EQ(p.IPsecV1 | p.IPsecV2 | p.IPsecV2IPv4, 1);
    CHECK_EQ(p.TCPIPv4Checksum, 4);
}

TEST(a_settings_file_may_have_comments_and_unknown_keywords)
{
    struct flue_keywords k = load("# adapter of the lab\r\n\n  ; old\n  *lsov2ipv4=0  \n*FlowControl = 3\n*LsoV2IPv6\t=\t0");
    CHECK_EQ(k.value[FLUE_KW_LSO_V2_IPV4], 0);
    CHECK_EQ(k.value[FLUE_KW_LSO_V2_IPV6], 0);
    CHECK_EQ(host.notes, 1);
    CHECK(strstr(host.note, ":5: *FlowControl") != NULL);
    k = load("*LsoV2IPv4 = 0\n*LsoV2IPv4 = 1\n");
    CHECK_EQ(k.value[FLUE_KW_LSO_V2_IPV4], 1);
    CHECK_EQ(host.notes, 1);
}

TEST(a_line_that_is_no_setting_is_named_and_refuses_the_file)
{
    static const char *const wrong[] = {"*LsoV2IPv4 0\n", "= 3\n", "two words = 1\n", "*LsoV2IPv4\n"};
    struct flue_keywords k;
    char error[256], long_line[700];
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[96];
        snprintf(text, sizeof text, "*LsoV2IPv6 = 0\n%s", wrong[i]);
        file_write(text);
        CHECK_EQ(flue_keywords_load(path, &k, NULL, NULL, error, sizeof error), FLUE_EARG);
        CHECK(strstr(error, path) == error && strstr(error, ":2: ") != NULL);
        CHECK_EQ(k.value[FLUE_KW_LSO_V2_IPV6], 1); /* nothing of it counts */
        CHECK(!k.present[FLUE_KW_LSO_V2_IPV6]);
    }
    memset(long_line, 'x', sizeof long_line - 1);
    long_line[sizeof long_line - 1] = '\0';
    file_write(long_line);
    CHECK_EQ(flue_keywords_load(path, &k, NULL, NULL, error, sizeof error), FLUE_EARG);
    CHECK(strstr(error, ":1: the line is longer") != NULL);
    unlink(path);
    CHECK_EQ(flue_keywords_load(path, &k, NULL, NULL, error, sizeof error), FLUE_OK); /* none: all defaults */
    CHECK_EQ(flue_keywords_load("/", &k, NULL, NULL, error, sizeof error), FLUE_EIO);
    CHECK(strstr(error, "/: ") == error);
}

TEST(writing_back_keeps_every_other_line)
{
    char text[512];
    file_write("# mine\n*LsoV2IPv4 = 1\n*FlowControl = 3\n*lsov2ipv6=1");
    struct flue_keywords k;
    char error[64];
    CHECK_EQ(flue_keywords_load(path, &k, NULL, NULL, error, sizeof error), FLUE_OK);
    k.value[FLUE_KW_LSO_V2_IPV6] = 0;
    k.value[FLUE_KW_RSC_IPV4] = 0;
    k.present[FLUE_KW_RSC_IPV4] = true;
    CHECK_EQ(flue_keywords_save(path, &k), FLUE_OK);
    file_read(text, sizeof text);
    CHECK(strcmp(text, "# mine\n*LsoV2IPv4 = 1\n*FlowControl = 3\n*LsoV2IPv6 = 0\n*RscIPv4 = 0\n") == 0);
    unlink(path);
    CHECK_EQ(flue_keywords_save("/nonexistent/settings", &k), FLUE_EIO);
}

/* ---- with an adapter ---------------------------------------------------------------------------------------------- */

static void start_with(const char *text)
{
    file_write(text);
    rig_begin(0);
    rig_admin(true, path);
}

static void restart(void)
{
    rig_end();
    rig_begin(0);
    rig_admin(true, path);
}

/* TO-157: at start CFG is hardware and keywords, nothing is activated, and the hardware's report has it all the same. */
TEST(at_start_the_configuration_is_hardware_and_keywords)
{
    start_with("*TCPChecksumOffloadIPv4 = 1\n*LsoV2IPv6 = 0\n*TCPConnectionOffloadIPv6 = 0\n*JumboPacket = 1514\n");
    CHECK_EQ(config().way[FLUE_SW_TCP4_CSUM], FLUE_WAY_TX);
    CHECK_EQ(config().way[FLUE_SW_LSO_V2_IPV6], FLUE_WAY_OFF);
    CHECK_EQ(config().way[FLUE_SW_UDP6_CSUM], FLUE_WAY_BOTH);
    NDIS_OFFLOAD hw = offload(OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES), cfg = offload(OID_TCP_OFFLOAD_CURRENT_CONFIG);
    CHECK_EQ(hw.LsoV2.IPv6.MinSegmentCount, 2);
    CHECK_EQ(cfg.LsoV2.IPv6.Encapsulation, 0);
    CHECK_EQ(hw.Checksum.IPv4Receive.TcpChecksum, 1);
    CHECK_EQ(cfg.Checksum.IPv4Receive.TcpChecksum, 0);
    CHECK_EQ(host.switches.word0, FLUE_CFG_SWITCHES_IPV4_MASK);
    bool v4, v6;
    CHECK_EQ(flue_encap_get(host.core.a, &v4, &v6), FLUE_ESTATE);
    CHECK_EQ(host.told_count, 0);
    rig_end();
    unlink(path);
}

/* TO-155, TO-167: the tag keyword is for both directions; a frame size beyond the adapter's is the default. */
TEST(tag_and_frame_size_follow_their_keywords)
{
    start_with("*PriorityVLANTag = 3\n*JumboPacket = 9014\n");
    CHECK_EQ(config().way[FLUE_SW_VLAN], FLUE_WAY_BOTH);
    CHECK_EQ(config().max_frame_bytes, 1514);
    CHECK_EQ(host.notes, 1);
    CHECK(strstr(host.note, "*JumboPacket is 9014") != NULL);
    rig_end();
    start_with("*PriorityVLANTag = 0\n");
    CHECK_EQ(config().way[FLUE_SW_VLAN], FLUE_WAY_OFF);
    rig_end();
    unlink(path);
}

/* TO-166: what is set survives a restart, unless the request says that it shall not. */
TEST(a_setting_survives_a_restart_unless_it_skips_the_registry)
{
    start_with("# mine\n");
    NDIS_OFFLOAD_PARAMETERS p = keep();
    p.UDPIPv4Checksum = NDIS_OFFLOAD_PARAMETERS_RX_ENABLED_TX_DISABLED;
    p.LsoV2IPv6 = NDIS_OFFLOAD_PARAMETERS_LSOV2_DISABLED;
    p.TcpConnectionIPv4 = NDIS_OFFLOAD_PARAMETERS_CONNECTION_OFFLOAD_DISABLED;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
    p = keep();
    p.LsoV2IPv4 = NDIS_OFFLOAD_PARAMETERS_LSOV2_DISABLED;
    p.Flags = NDIS_OFFLOAD_PARAMETERS_SKIP_REGISTRY_UPDATE;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
    CHECK_EQ(config().way[FLUE_SW_LSO_V2_IPV4], FLUE_WAY_OFF);
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_ON), NDIS_STATUS_SUCCESS);
    restart();
    CHECK_EQ(config().way[FLUE_SW_UDP4_CSUM], FLUE_WAY_RX);
    CHECK_EQ(config().way[FLUE_SW_LSO_V2_IPV6], FLUE_WAY_OFF);
    CHECK_EQ(config().way[FLUE_SW_LSO_V2_IPV4], FLUE_WAY_ON);
    CHECK_EQ(host.switches.word0, FLUE_CFG_SWITCHES_IPV6_MASK);
    bool v4, v6;
    CHECK_EQ(flue_encap_get(host.core.a, &v4, &v6), FLUE_ESTATE); /* activation never persists */
    rig_end();
    unlink(path);
}

/* TO-161, TO-166: a request that is refused writes nothing, one that cannot be kept is refused. */
TEST(keywords_and_configuration_change_together_or_not_at_all)
{
    char text[256];
    start_with("*LsoV2IPv4 = 1\n");
    NDIS_OFFLOAD_PARAMETERS p = keep();
    p.LsoV2IPv4 = NDIS_OFFLOAD_PARAMETERS_LSOV2_DISABLED;
    p.RscIPv4 = NDIS_OFFLOAD_PARAMETERS_RSC_ENABLED; /* not there */
    struct snapshot before = snap();
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_INVALID_PARAMETER);
    p = keep();
    p.LsoV2IPv4 = NDIS_OFFLOAD_PARAMETERS_LSOV2_DISABLED;
    host.task_refuse = 1;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_FAILURE);
    CHECK_UNCHANGED(before);
    file_read(text, sizeof text);
    CHECK(strcmp(text, "*LsoV2IPv4 = 1\n") == 0);
    rig_end();
    unlink(path);
    rig_begin(0);
    rig_admin(true, "/nonexistent/settings");
    before = snap();
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_FAILURE);
    CHECK_UNCHANGED(before);
    p.Flags = NDIS_OFFLOAD_PARAMETERS_SKIP_REGISTRY_UPDATE;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
    rig_end();
}

/* TO-169: with task offload disabled for the transport everything is off and stays so; connection offload does not care. */
TEST(a_disabled_task_offload_cannot_be_switched_on)
{
    start_with("DisableTaskOffload = 1\n");
    for (unsigned sw = FLUE_SW_IP4_CSUM; sw <= FLUE_SW_LSO_V2_IPV6; sw++)
        if (sw != FLUE_SW_VLAN)
            CHECK_EQ(config().way[sw], FLUE_WAY_OFF);
    struct snapshot before = snap();
    NDIS_OFFLOAD_PARAMETERS p = keep();
    p.LsoV1 = NDIS_OFFLOAD_PARAMETERS_LSOV1_ENABLED;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_NOT_SUPPORTED);
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_ON), NDIS_STATUS_NOT_SUPPORTED);
    CHECK_UNCHANGED(before);
    CHECK_EQ(host.switches.word0, FLUE_CFG_SWITCHES_IPV4_MASK | FLUE_CFG_SWITCHES_IPV6_MASK);
    p = keep();
    p.TcpConnectionIPv4 = NDIS_OFFLOAD_PARAMETERS_CONNECTION_OFFLOAD_DISABLED;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
    rig_end();
    unlink(path);
}
