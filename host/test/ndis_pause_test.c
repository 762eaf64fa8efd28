/* Administration: pause, upload, resume, power, reset, halt; mocked firmware. */
#include "ndis_admin_rig.h"

/* ---- pause, upload, resume ---------------------------------------------------------------------------------------- */

/* CH-196, TO-176: PAUSE leaves running operations alone and holds later initiates until RESUME; task offload goes on. */
TEST(a_pause_holds_initiates_and_nothing_else)
{
    struct flue_target_gate gate;
    rig_start();
    flue_ndis_gate(host.a, &gate);
    CHECK(!gate.paused(gate.ctx));
    gate.begin(gate.ctx, FLUE_TREE_INITIATE); /* under way */
    flue_ndis_pause(host.a);
    flue_ndis_pause(host.a); /* told once */
    CHECK_EQ(host.told_count, 1);
    CHECK_EQ(host.told[0].code, NDIS_STATUS_OFFLOAD_PAUSE);
    CHECK(gate.paused(gate.ctx));
    CHECK(!ndis_pause_uploading(&host.a->pause));
    gate.end(gate.ctx, FLUE_TREE_INITIATE);
    NDIS_OFFLOAD_PARAMETERS p = keep();
    p.LsoV1 = NDIS_OFFLOAD_PARAMETERS_LSOV1_DISABLED;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
    CHECK_EQ(set_encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_ON), NDIS_STATUS_SUCCESS);
    CHECK_EQ(config().way[FLUE_SW_LSO_V1], FLUE_WAY_OFF);
    host.told_count = 0;
    flue_ndis_resume(host.a);
    flue_ndis_resume(host.a);
    CHECK_EQ(host.told_count, 1);
    CHECK_EQ(host.told[0].code, NDIS_STATUS_OFFLOAD_RESUME);
    CHECK(!gate.paused(gate.ctx));
    rig_end();
}

/* CH-196: the processor refuses initiates as long as the driver holds them, also over a switch, without power, anew after a
 * reset. */
TEST(the_processor_is_told_of_every_pause)
{
    uint32_t d3 = NdisDeviceStateD3, d0 = NdisDeviceStateD0;
    rig_start();
    CHECK_EQ(host.switches.word0 & FLUE_CFG_SWITCHES_PAUSED_MASK, 0);
    CHECK_EQ(flue_ndis_pause(host.a), NDIS_STATUS_SUCCESS);
    CHECK_EQ(host.switches.word0, FLUE_CFG_SWITCHES_PAUSED_MASK | FLUE_CFG_SWITCHES_IPV4_MASK | FLUE_CFG_SWITCHES_IPV6_MASK);
    NDIS_OFFLOAD_PARAMETERS p = switching(1, 0);
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
    CHECK_EQ(host.switches.word0, FLUE_CFG_SWITCHES_PAUSED_MASK | FLUE_CFG_SWITCHES_IPV6_MASK);
    flue_ndis_reset_begin(host.a);
    firmware_reset();
    CHECK_EQ(flue_ndis_reset_end(host.a), FLUE_OK);
    CHECK_EQ(host.switches.word0, FLUE_CFG_SWITCHES_PAUSED_MASK | FLUE_CFG_SWITCHES_IPV6_MASK);
    CHECK_EQ(flue_ndis_resume(host.a), NDIS_STATUS_SUCCESS);
    CHECK_EQ(host.switches.word0, FLUE_CFG_SWITCHES_IPV6_MASK);
    CHECK_EQ(oid_set(OID_PNP_SET_POWER, &d3, sizeof d3), NDIS_STATUS_SUCCESS);
    CHECK_EQ(host.switches.word0, FLUE_CFG_SWITCHES_PAUSED_MASK | FLUE_CFG_SWITCHES_IPV6_MASK);
    CHECK_EQ(oid_set(OID_PNP_SET_POWER, &d0, sizeof d0), NDIS_STATUS_SUCCESS);
    CHECK_EQ(host.switches.word0, FLUE_CFG_SWITCHES_IPV6_MASK);
    rig_end();
}

/* CH-198: a RESUME the processor does not take is none: nothing is told, initiates wait on; a PAUSE holds without it. */
TEST(a_resume_needs_the_processor_and_a_pause_does_not)
{
    struct flue_target_gate gate;
    struct flue_ndis_phase phase;
    rig_start();
    flue_ndis_gate(host.a, &gate);
    host.refuse = FLUE_CFG_SWITCHES;
    host.refuse_with = NDIS_STATUS_FAILURE;
    CHECK_EQ(flue_ndis_pause(host.a), NDIS_STATUS_FAILURE);
    CHECK_EQ(host.notes, 1);
    CHECK(gate.paused(gate.ctx) && !gate.closed(gate.ctx));
    host.refuse = 0;
    CHECK_EQ(flue_ndis_restarted(host.a), FLUE_OK); /* what it missed */
    CHECK(host.switches.word0 & FLUE_CFG_SWITCHES_PAUSED_MASK);
    host.refuse = FLUE_CFG_SWITCHES;
    CHECK_EQ(flue_ndis_resume(host.a), NDIS_STATUS_FAILURE);
    CHECK(gate.paused(gate.ctx));
    CHECK_EQ(host.told_count, 1);
    flue_ndis_phase(host.a, &phase);
    CHECK_EQ(strcmp(phase.name, "pause"), 0);
    host.refuse = 0;
    CHECK_EQ(flue_ndis_resume(host.a), NDIS_STATUS_SUCCESS);
    CHECK(!gate.paused(gate.ctx));
    CHECK_EQ(host.told_count, 2);
    rig_end();
}

/* CH-196: a switch that needs a pause gives back the phase it found, or the one asked for meanwhile. */
TEST(a_switch_gives_back_the_phase_it_found)
{
    rig_start();
    for (unsigned before = 0; before < 3; before++)
        for (unsigned then = 0; then < 4; then++) {
            enum ndis_phase want = then < 3 ? (enum ndis_phase)then : (enum ndis_phase)before;
            flue_ndis_resume(host.a);
            if (before == NDIS_PHASE_PAUSE)
                flue_ndis_pause(host.a);
            if (before == NDIS_PHASE_UPLOAD)
                flue_ndis_upload_all(host.a);
            ndis_pause_held(&host.a->pause, 1, 0);
            NDIS_OFFLOAD_PARAMETERS p = switching(host.completions % 2 == 0 ? 1 : 2, 0);
            CHECK_EQ(set_parameters(&p), NDIS_STATUS_PENDING);
            if (then == NDIS_PHASE_RUN)
                CHECK_EQ(flue_ndis_resume(host.a), NDIS_STATUS_SUCCESS);
            if (then == NDIS_PHASE_PAUSE && before == NDIS_PHASE_UPLOAD)
                want = NDIS_PHASE_UPLOAD; /* that is a pause */
            if (then == NDIS_PHASE_PAUSE)
                CHECK_EQ(flue_ndis_pause(host.a), NDIS_STATUS_SUCCESS);
            if (then == NDIS_PHASE_UPLOAD)
                CHECK_EQ(flue_ndis_upload_all(host.a), NDIS_STATUS_SUCCESS);
            CHECK_EQ(host.a->pause.phase, NDIS_PHASE_UPLOAD);
            ndis_pause_held(&host.a->pause, 0, 0);
            flue_ndis_run(host.a);
            CHECK_EQ(host.completed_with, NDIS_STATUS_SUCCESS);
            CHECK_EQ(host.a->pause.phase, want);
            CHECK_EQ((host.switches.word0 & FLUE_CFG_SWITCHES_PAUSED_MASK) != 0, want != NDIS_PHASE_RUN);
            host.told_count = 0;
        }
    CHECK_EQ(host.completions, 12);
    rig_end();
}

/* CH-199, CH-201: what is outstanding is counted by operation, sends apart. */
TEST(what_is_outstanding_is_counted)
{
    struct flue_target_gate gate;
    struct flue_ndis_phase phase;
    rig_start();
    flue_ndis_gate(host.a, &gate);
    for (unsigned op = 0; op < FLUE_TREE_OPS; op++)
        for (unsigned i = 0; i <= op; i++)
            gate.begin(gate.ctx, (enum flue_tree_op)op);
    gate.send(gate.ctx, true);
    ndis_pause_held(&host.a->pause, 7, 3);
    flue_ndis_upload_all(host.a);
    flue_ndis_phase(host.a, &phase);
    CHECK_EQ(strcmp(phase.name, "upload"), 0);
    for (unsigned op = 0; op < FLUE_TREE_OPS; op++)
        CHECK_EQ(phase.operations[op], op + 1);
    CHECK_EQ(phase.sends, 1);
    CHECK_EQ(phase.objects, 7);
    CHECK_EQ(phase.indicated, 3);
    CHECK(!ndis_pause_quiet(&host.a->pause));
    for (unsigned op = 0; op < FLUE_TREE_OPS; op++)
        for (unsigned i = 0; i <= op; i++)
            gate.end(gate.ctx, (enum flue_tree_op)op);
    ndis_pause_held(&host.a->pause, 0, 0);
    CHECK(!ndis_pause_quiet(&host.a->pause));
    gate.send(gate.ctx, false);
    CHECK(ndis_pause_quiet(&host.a->pause));
    rig_end();
}

/* CH-197: from UPLOAD_ALL on, sends are to end with UPLOAD_IN_PROGRESS; UPLOAD_ALL follows a PAUSE. */
TEST(upload_all_pauses_first_and_marks_sends)
{
    struct flue_target_gate gate;
    rig_start();
    flue_ndis_gate(host.a, &gate);
    flue_ndis_upload_all(host.a);
    flue_ndis_upload_all(host.a);
    CHECK_EQ(host.told_count, 2);
    CHECK_EQ(host.told[0].code, NDIS_STATUS_OFFLOAD_PAUSE);
    CHECK_EQ(host.told[1].code, NDIS_STATUS_UPLOAD_ALL);
    CHECK(gate.uploading(gate.ctx));
    flue_ndis_resume(host.a);
    CHECK(!gate.uploading(gate.ctx));
    rig_end();
}

/* CH-198, CH-206, TO-177: with objects offloaded a switch waits until the host terminated them; nothing changes before. */
TEST(a_switch_waits_for_the_last_terminate)
{
    struct flue_target_gate gate;
    rig_start();
    flue_ndis_gate(host.a, &gate);
    ndis_pause_held(&host.a->pause, 3, 0);
    struct snapshot before = snap();
    NDIS_OFFLOAD_PARAMETERS p = switching(0, 1);
    p.LsoV1 = NDIS_OFFLOAD_PARAMETERS_LSOV1_DISABLED;
    struct flue_ndis_request r = {.type = FLUE_NDIS_SET, .oid = OID_TCP_OFFLOAD_PARAMETERS, .buffer = &p, .length = sizeof p};
    CHECK_EQ(flue_ndis_oid(host.a, &r), NDIS_STATUS_PENDING);
    CHECK_EQ(host.told_count, 2);
    CHECK_EQ(host.told[0].code, NDIS_STATUS_OFFLOAD_PAUSE);
    CHECK_EQ(host.told[1].code, NDIS_STATUS_UPLOAD_ALL);
    before.told = 2;
    before.switches.word0 |= FLUE_CFG_SWITCHES_PAUSED_MASK; /* but that nothing new is taken */
    CHECK_UNCHANGED(before);
    NDIS_OFFLOAD_PARAMETERS other = switching(1, 0);
    CHECK_EQ(set_parameters(&other), NDIS_STATUS_NOT_ACCEPTED);
    gate.begin(gate.ctx, FLUE_TREE_TERMINATE);
    ndis_pause_held(&host.a->pause, 0, 0);
    flue_ndis_run(host.a);
    CHECK_EQ(host.completions, 0); /* the terminate has not completed */
    gate.end(gate.ctx, FLUE_TREE_TERMINATE);
    CHECK_EQ(host.completions, 0); /* not from the middle of the target's work */
    flue_ndis_run(host.a);
    CHECK_EQ(host.completions, 1);
    CHECK(host.completed == &r);
    CHECK_EQ(host.completed_with, NDIS_STATUS_SUCCESS);
    CHECK_EQ(host.switches.word0, FLUE_CFG_SWITCHES_IPV4_MASK);
    CHECK_EQ(config().way[FLUE_SW_LSO_V1], FLUE_WAY_OFF);
    CHECK_EQ(host.told_count, 4);
    CHECK_EQ(host.told[2].code, NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG);
    CHECK_EQ(host.told[3].code, NDIS_STATUS_OFFLOAD_RESUME);
    flue_ndis_run(host.a);
    CHECK_EQ(host.completions, 1);
    rig_end();
}

TEST(a_switch_that_waits_can_be_given_up)
{
    rig_start();
    ndis_pause_held(&host.a->pause, 1, 0);
    struct snapshot before = snap();
    NDIS_OFFLOAD_PARAMETERS p = switching(1, 1);
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_PENDING);
    flue_ndis_cancel(host.a);
    CHECK_EQ(host.completions, 1);
    CHECK_EQ(host.completed_with, NDIS_STATUS_REQUEST_ABORTED);
    CHECK_EQ(host.told[host.told_count - 1].code, NDIS_STATUS_OFFLOAD_RESUME);
    before.told = host.told_count;
    CHECK_UNCHANGED(before);
    CHECK_EQ(host.a->pause.phase, NDIS_PHASE_RUN);
    flue_ndis_cancel(host.a); /* nothing to give up */
    CHECK_EQ(host.completions, 1);
    rig_end();
}

/* ---- power, reset, halt ------------------------------------------------------------------------------------------- */

static NDIS_STATUS power(uint32_t state)
{
    return oid_set(OID_PNP_SET_POWER, &state, sizeof state);
}

/* CH-199: leaving D0 succeeds only when every terminate has completed; CH-200: nobody is asked to upload. */
TEST(leaving_full_power_waits_for_every_terminate)
{
    struct flue_target_gate gate;
    rig_start();
    flue_ndis_gate(host.a, &gate);
    CHECK_EQ(power(NdisDeviceStateUnspecified), NDIS_STATUS_INVALID_DATA);
    CHECK_EQ(power(NdisDeviceStateMaximum), NDIS_STATUS_INVALID_DATA);
    CHECK_EQ(power(NdisDeviceStateD3), NDIS_STATUS_SUCCESS);
    CHECK(gate.paused(gate.ctx));
    CHECK_EQ(power(NdisDeviceStateD0), NDIS_STATUS_SUCCESS);
    CHECK(!gate.paused(gate.ctx));
    ndis_pause_held(&host.a->pause, 2, 0);
    gate.begin(gate.ctx, FLUE_TREE_TERMINATE);
    CHECK_EQ(power(NdisDeviceStateD3), NDIS_STATUS_PENDING);
    ndis_pause_held(&host.a->pause, 0, 0);
    flue_ndis_run(host.a);
    CHECK_EQ(host.completions, 0);
    gate.end(gate.ctx, FLUE_TREE_TERMINATE);
    flue_ndis_run(host.a);
    CHECK_EQ(host.completions, 1);
    CHECK_EQ(host.completed_with, NDIS_STATUS_SUCCESS);
    CHECK_EQ(host.told_count, 0);
    CHECK_EQ(power(NdisDeviceStateD0), NDIS_STATUS_SUCCESS);
    rig_end();
}

/* TO-180: during a reset requests are aborted, one that waits too; the configuration afterwards is that before it. */
TEST(a_reset_aborts_requests_and_keeps_the_configuration)
{
    uint8_t buffer[256];
    rig_start();
    NDIS_OFFLOAD_PARAMETERS p = switching(2, 1);
    p.UDPIPv4Checksum = NDIS_OFFLOAD_PARAMETERS_TX_RX_DISABLED;
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_SUCCESS);
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS run = run_time();
    run.TcpPushTicks = 250;
    run.Encapsulation = encapsulation(NDIS_OFFLOAD_SET_ON, NDIS_OFFLOAD_SET_ON);
    CHECK_EQ(set_run_time(&run), NDIS_STATUS_SUCCESS);
    ndis_pause_held(&host.a->pause, 1, 0);
    p = switching(1, 1);
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_PENDING);
    struct snapshot before = snap();
    flue_ndis_reset_begin(host.a);
    CHECK_EQ(host.completed_with, NDIS_STATUS_REQUEST_ABORTED);
    CHECK_EQ(oid_query(OID_TCP_OFFLOAD_CURRENT_CONFIG, buffer, sizeof buffer), NDIS_STATUS_REQUEST_ABORTED);
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_REQUEST_ABORTED);
    firmware_reset(); /* a function reset starts it cold */
    CHECK_EQ(flue_ndis_reset_end(host.a), FLUE_OK);
    before.told = host.told_count;
    before.switches.word0 &= ~FLUE_CFG_SWITCHES_PAUSED_MASK; /* the request that paused was given up */
    CHECK_UNCHANGED(before);
    CHECK_EQ(host.connection.push_ticks, 250);
    CHECK_EQ(flue_ndis_reset_end(host.a), FLUE_ESTATE);
    rig_end();
}

/* CH-201, TO-180: halt is complete when every indicated list came back and nothing is held; requests are refused. */
TEST(halt_waits_for_everything_the_host_has)
{
    uint8_t buffer[256];
    struct flue_target_gate gate;
    rig_start();
    flue_ndis_gate(host.a, &gate);
    ndis_pause_held(&host.a->pause, 1, 2);
    CHECK(!flue_ndis_halt(host.a));
    CHECK(gate.paused(gate.ctx));
    CHECK_EQ(oid_query(OID_TCP_OFFLOAD_CURRENT_CONFIG, buffer, sizeof buffer), NDIS_STATUS_NOT_ACCEPTED);
    ndis_pause_held(&host.a->pause, 0, 1);
    flue_ndis_run(host.a);
    CHECK_EQ(host.halts, 0);
    ndis_pause_held(&host.a->pause, 0, 0);
    flue_ndis_run(host.a);
    CHECK_EQ(host.halts, 1);
    flue_ndis_run(host.a);
    CHECK_EQ(host.halts, 1);
    rig_end();
    rig_start();
    CHECK(flue_ndis_halt(host.a));
    rig_end();
}

TEST(closing_ends_a_request_that_waits)
{
    rig_start();
    ndis_pause_held(&host.a->pause, 1, 0);
    NDIS_OFFLOAD_PARAMETERS p = switching(1, 1);
    CHECK_EQ(set_parameters(&p), NDIS_STATUS_PENDING);
    rig_end();
    CHECK_EQ(host.completions, 1);
    CHECK_EQ(host.completed_with, NDIS_STATUS_NOT_ACCEPTED);
}

/* TO-159: a change by another way than an OID is told, one that changes nothing is not. */
TEST(a_change_from_elsewhere_is_told_once)
{
    struct flue_config request;
    rig_start();
    flue_config_keep(&request);
    CHECK_EQ(flue_config_set(host.core.a, &request), FLUE_OK);
    flue_ndis_config_changed(host.a);
    CHECK_EQ(host.told_count, 0);
    request.way[FLUE_SW_LSO_V1] = FLUE_WAY_OFF;
    CHECK_EQ(flue_config_set(host.core.a, &request), FLUE_OK);
    flue_ndis_config_changed(host.a);
    CHECK_EQ(host.told_count, 1);
    CHECK_EQ(offload(OID_TCP_OFFLOAD_CURRENT_CONFIG).LsoV1.IPv4.Encapsulation, 0);
    rig_end();
}
