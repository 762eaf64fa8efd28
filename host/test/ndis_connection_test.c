/*
 * Administration of connection offload: capabilities, run-time parameters, statistics.
 */
#include "ndis_admin_rig.h"

/* ---- capabilities ------------------------------------------------------------------------------------------------- */

/* TO-174, CH-204: what the firmware guarantees, over Ethernet; padding and reserved bits are zero. */
TEST(connection_capabilities_are_the_firmware_s)
{
    rig_start();
    NDIS_TCP_CONNECTION_OFFLOAD hw = connection(OID_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES);
    CHECK_EQ(hw.Header.Type, NDIS_OBJECT_TYPE_DEFAULT);
    CHECK_EQ(hw.Header.Size, 20);
    CHECK_EQ(hw.Encapsulation, NDIS_ENCAPSULATION_IEEE_802_3);
    CHECK_EQ(hw.TcpConnectionOffloadCapacity, 64);
    CHECK_EQ(((uint32_t *)&hw)[2], 0x5); /* both versions, no SACK without an engine */
    CHECK_EQ(hw.Flags, 0);
    NDIS_TCP_CONNECTION_OFFLOAD now = connection(OID_TCP_CONNECTION_OFFLOAD_CURRENT_CONFIG);
    CHECK_EQ(memcmp(&hw, &now, sizeof hw), 0);
    rig_end();
}

/* CH-206, CH-207, CH-198, TO-177: each IP version is switched alone, announced by PAUSE and RESUME, never in place. */
TEST(each_ip_version_of_connection_offload_is_switched_alone)
{
    rig_start();
    for (unsigned v4 = 0; v4 <= 2; v4++)
        for (unsigned v6 = 0; v6 <= 2; v6++) {
            uint32_t before = host.switches.word0;
            NDIS_OFFLOAD_PARAMETERS p = switching((uint8_t)v4, (uint8_t)v6);
            uint32_t expected = (v4 == 0 ? before & 1u : v4 == 2 ? 1u : 0u) | (v6 == 0 ? before & 2u : v6 == 2 ? 2u : 0u);
            host.told_count = 0;
            CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
            CHECK_EQ(host.switches.word0, expected);
            NDIS_TCP_CONNECTION_OFFLOAD now = connection(OID_TCP_CONNECTION_OFFLOAD_CURRENT_CONFIG);
            CHECK_EQ(now.SupportIPv4, expected & 1u);
            CHECK_EQ(now.SupportIPv6, expected >> 1);
            CHECK_EQ(now.Encapsulation, expected != 0 ? NDIS_ENCAPSULATION_IEEE_802_3 : 0u);
            if (expected == before) {
                CHECK_EQ(host.told_count, 1); /* CURRENT_CONFIG only */
                continue;
            }
            CHECK_EQ(host.told_count, 3);
            CHECK_EQ(host.told[0].code, NDIS_STATUS_OFFLOAD_PAUSE);
            CHECK_EQ(host.told[0].bytes, 0);
            CHECK_EQ(host.told[1].code, NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG);
            CHECK_EQ(host.told[2].code, NDIS_STATUS_OFFLOAD_RESUME);
            CHECK_EQ(host.told[2].bytes, sizeof now);
            CHECK_EQ(memcmp(host.told[2].buffer, &now, sizeof now), 0);
        }
    NDIS_TCP_CONNECTION_OFFLOAD hw = connection(OID_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES);
    CHECK_EQ(hw.SupportIPv4 + hw.SupportIPv6, 2);
    rig_end();
}

/* ---- run-time parameters ------------------------------------------------------------------------------------------ */

/* TO-175, CH-205: the default is 1,000 ticks a second; every member reaches the firmware and is given back. */
TEST(run_time_parameters_reach_the_firmware_whole)
{
    rig_start();
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS p = run_time(), back;
    CHECK_EQ(p.TicksPerSecond, 1000);
    CHECK_EQ(p.Header.Size, 60);
    for (unsigned round = 0; round < 100; round++) {
        static const uint32_t rates[] = {10, 100, 1000};
        p.TicksPerSecond = rates[check_random(3)];
        p.TcpAckFrequency = (uint8_t)(1 + check_random(255));
        p.TcpDelayedAckTicks = (uint8_t)(1 + check_random(255));
        p.TcpMaximumRetransmissions = (uint8_t)(1 + check_random(255));
        p.TcpDoubtReachabilityRetransmissions = (uint8_t)check_random(256);
        p.TcpSwsPreventionTicks = 1 + check_random(0xFFFFFFFE);
        p.TcpDuplicateAckThreshold = 1 + check_random(0xFFFFFFFE);
        p.TcpPushTicks = 1 + check_random(0xFFFFFFFE);
        p.NceStaleTicks = 1 + check_random(0xFFFFFFFE);
        p.CongestionAlgorithm = check_random(0xFFFFFFFF);
        p.Encapsulation = encapsulation(check_random(3), check_random(3));
        CHECK_EQ(set_run_time(&p), NDIS_STATUS_SUCCESS);
        back = run_time();
        CHECK_EQ(memcmp(&p, &back, sizeof p), 0);
        CHECK_EQ(host.connection.ticks_per_second, p.TicksPerSecond);
        CHECK_EQ(host.connection.word1, (uint32_t)p.TcpAckFrequency | (uint32_t)p.TcpDelayedAckTicks << 8 |
                                            (uint32_t)p.TcpMaximumRetransmissions << 16 |
                                            (uint32_t)p.TcpDoubtReachabilityRetransmissions << 24);
        CHECK_EQ(host.connection.sws_prevention_ticks, p.TcpSwsPreventionTicks);
        CHECK_EQ(host.connection.duplicate_ack_threshold, p.TcpDuplicateAckThreshold);
        CHECK_EQ(host.connection.push_ticks, p.TcpPushTicks);
        CHECK_EQ(host.connection.nce_stale_ticks, p.NceStaleTicks);
        CHECK_EQ(host.connection.congestion_algorithm, p.CongestionAlgorithm);
    }
    rig_end();
}

/* CH-205: encapsulation of the parameters is what lets connections be offloaded, per IP version; keep keeps. */
TEST(the_encapsulation_of_connections_is_per_ip_version)
{
    rig_start();
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS p = run_time();
    CHECK_EQ(host.switches.word0, 3);
    p.Encapsulation = encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_NO_CHANGE);
    CHECK_EQ(set_run_time(&p), NDIS_STATUS_SUCCESS);
    CHECK_EQ(host.switches.word0, 3 | FLUE_CFG_SWITCHES_ENCAP_IPV4_MASK);
    p.Encapsulation = encapsulation(NDIS_OFFLOAD_SET_NO_CHANGE, NDIS_OFFLOAD_SET_ON);
    CHECK_EQ(set_run_time(&p), NDIS_STATUS_SUCCESS);
    CHECK_EQ(host.switches.word0, 3 | FLUE_CFG_SWITCHES_ENCAP_IPV4_MASK | FLUE_CFG_SWITCHES_ENCAP_IPV6_MASK);
    p.Encapsulation = encapsulation(NDIS_OFFLOAD_SET_OFF, NDIS_OFFLOAD_SET_NO_CHANGE);
    CHECK_EQ(set_run_time(&p), NDIS_STATUS_SUCCESS);
    CHECK_EQ(host.switches.word0, 3 | FLUE_CFG_SWITCHES_ENCAP_IPV6_MASK);
    rig_end();
}

/* CH-205: a zero period, another tick rate, another framing or header: refused whole; so is what the firmware refuses. */
TEST(illegal_run_time_parameters_change_nothing)
{
    rig_start();
    struct snapshot before = snap();
    const NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS good = run_time();
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS p;
#define REFUSED(member, value)                                                                                                 \
    do {                                                                                                                       \
        p = good;                                                                                                              \
        p.TcpAckFrequency = 9;                                                                                                 \
        p.member = value;                                                                                                      \
        CHECK_EQ(set_run_time(&p), NDIS_STATUS_INVALID_DATA);                                                                  \
    } while (0)
    REFUSED(TicksPerSecond, 0);
    REFUSED(TicksPerSecond, 50);
    REFUSED(TicksPerSecond, 10000);
    REFUSED(TcpAckFrequency, 0);
    REFUSED(TcpDelayedAckTicks, 0);
    REFUSED(TcpMaximumRetransmissions, 0);
    REFUSED(TcpSwsPreventionTicks, 0);
    REFUSED(TcpDuplicateAckThreshold, 0);
    REFUSED(TcpPushTicks, 0);
    REFUSED(NceStaleTicks, 0);
    REFUSED(Header.Type, NDIS_OBJECT_TYPE_OFFLOAD);
    REFUSED(Header.Revision, 0);
    REFUSED(Header.Size, 59);
    REFUSED(Encapsulation.Header.Type, NDIS_OBJECT_TYPE_DEFAULT);
    REFUSED(Encapsulation.Header.Size, 27);
    REFUSED(Encapsulation.IPv4.Enabled, 3);
#undef REFUSED
    p = good;
    p.Encapsulation = encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_ON);
    p.Encapsulation.IPv6.EncapsulationType = NDIS_ENCAPSULATION_IEEE_LLC_SNAP_ROUTED;
    CHECK_EQ(set_run_time(&p), NDIS_STATUS_INVALID_PARAMETER);
    p = good;
    p.TicksPerSecond = 10;
    host.refuse = FLUE_CFG_CONNECTION;
    host.refuse_with = NDIS_STATUS_INVALID_STATE; /* objects are offloaded */
    CHECK_EQ(set_run_time(&p), NDIS_STATUS_INVALID_STATE);
    host.refuse = FLUE_CFG_SWITCHES;
    CHECK_EQ(set_run_time(&p), NDIS_STATUS_INVALID_STATE);
    CHECK_UNCHANGED(before);
    p = run_time();
    CHECK_EQ(memcmp(&p, &good, sizeof p), 0);
    rig_end();
}

/* CH-012: revision 1 ends before CongestionAlgorithm. */
TEST(run_time_parameters_of_revision_1_have_no_algorithm)
{
    rig_start();
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS p = run_time();
    uint8_t *exact = malloc(56);
    CHECK(exact != NULL);
    p.Header.Revision = 1;
    p.Header.Size = 56;
    p.TcpPushTicks = 77;
    memcpy(exact, &p, 56);
    CHECK_EQ(oid_set(OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, exact, 56), NDIS_STATUS_SUCCESS);
    CHECK_EQ(host.connection.push_ticks, 77);
    CHECK_EQ(host.connection.congestion_algorithm, 0);
    free(exact);
    rig_end();
}

/* ---- statistics --------------------------------------------------------------------------------------------------- */

/* CH-013, CH-202: four sets that know nothing of each other; words of 64 bits come together. */
TEST(statistics_are_separate_per_version_and_layer)
{
    rig_start();
    for (unsigned v = 0; v < 2; v++) {
        for (unsigned w = 0; w < 9; w++)
            ((uint32_t *)&host.tcp[v])[w] = 0x1000u * (v + 1) + w;
        for (unsigned w = 0; w < 15; w++)
            ((uint32_t *)&host.ip[v])[w] = 0x10000u * (v + 1) + w;
    }
    for (unsigned v = 0; v < 2; v++) {
        TCP_OFFLOAD_STATS tcp;
        IP_OFFLOAD_STATS ip;
        uint32_t t = 0x1000u * (v + 1), i = 0x10000u * (v + 1);
        CHECK_EQ(oid_query(v == 0 ? OID_TCP4_OFFLOAD_STATS : OID_TCP6_OFFLOAD_STATS, &tcp, sizeof tcp), NDIS_STATUS_SUCCESS);
        CHECK_EQ(oid_query(v == 0 ? OID_IP4_OFFLOAD_STATS : OID_IP6_OFFLOAD_STATS, &ip, sizeof ip), NDIS_STATUS_SUCCESS);
        CHECK_EQ(tcp.InSegments, t | (uint64_t)(t + 1) << 32);
        CHECK_EQ(tcp.OutSegments, (t + 2) | (uint64_t)(t + 3) << 32);
        CHECK_EQ(tcp.CurrentlyEstablished, t + 4);
        CHECK_EQ(tcp.ResetEstablished, t + 5);
        CHECK_EQ(tcp.RetransmittedSegments, t + 6);
        CHECK_EQ(tcp.InErrors, t + 7);
        CHECK_EQ(tcp.OutResets, t + 8);
        CHECK_EQ(((uint32_t *)&tcp)[9], 0); /* padding */
        CHECK_EQ(ip.InReceives, i | (uint64_t)(i + 1) << 32);
        CHECK_EQ(ip.InOctets, (i + 2) | (uint64_t)(i + 3) << 32);
        CHECK_EQ(ip.InDelivers, (i + 4) | (uint64_t)(i + 5) << 32);
        CHECK_EQ(ip.OutRequests, (i + 6) | (uint64_t)(i + 7) << 32);
        CHECK_EQ(ip.OutOctets, (i + 8) | (uint64_t)(i + 9) << 32);
        CHECK_EQ(ip.InHeaderErrors, i + 10);
        CHECK_EQ(ip.InTruncatedPackets, i + 11);
        CHECK_EQ(ip.InDiscards, i + 12);
        CHECK_EQ(ip.OutDiscards, i + 13);
        CHECK_EQ(ip.OutNoRoutes, i + 14);
    }
    rig_end();
}

/* TO-179, CH-202: a set zeroes its own set but the gauge, whatever is in the buffer, also without one. */
TEST(a_set_of_statistics_zeroes_one_set_and_keeps_the_gauge)
{
    static const NDIS_OID oids[] = {OID_TCP4_OFFLOAD_STATS, OID_TCP6_OFFLOAD_STATS, OID_IP4_OFFLOAD_STATS,
                                    OID_IP6_OFFLOAD_STATS};
    rig_start();
    for (unsigned n = 0; n < 4; n++) {
        uint8_t junk[64];
        TCP_OFFLOAD_STATS tcp;
        memset(host.tcp, 0x11, sizeof host.tcp);
        memset(host.ip, 0x11, sizeof host.ip);
        memset(junk, 0xA5, sizeof junk);
        CHECK_EQ(oid_set(oids[n], n % 2 == 0 ? junk : NULL, n % 2 == 0 ? sizeof junk : 0), NDIS_STATUS_SUCCESS);
        for (unsigned m = 0; m < 4; m++) {
            uint64_t first;
            uint8_t buffer[64];
            CHECK_EQ(oid_query(oids[m], buffer, sizeof buffer), NDIS_STATUS_SUCCESS);
            memcpy(&first, buffer, 8);
            CHECK_EQ(first, m == n ? 0 : 0x1111111111111111);
        }
        if (n < 2) {
            CHECK_EQ(oid_query(oids[n], &tcp, sizeof tcp), NDIS_STATUS_SUCCESS);
            CHECK_EQ(tcp.CurrentlyEstablished, 0x11111111);
        }
    }
    rig_end();
}
