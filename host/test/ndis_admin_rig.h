/*
 * What the tests of the administration share: an adapter over the mock, connection offload as a table in memory, and a
 * host that writes down what it is told.
 */
#ifndef FLUE_TEST_NDIS_ADMIN_RIG_H
#define FLUE_TEST_NDIS_ADMIN_RIG_H

#include <stdlib.h>
#include <string.h>
#include "../ndis/admin_internal.h"
#include "check.h"
#include "rig.h"

#define INDICATIONS_MAX 64u

struct indication {
    NDIS_STATUS code;
    uint32_t bytes;
    uint8_t buffer[256];
};

static struct ndis_rig {
    struct rig core;
    struct flue_ndis_admin *a;
    /* The firmware's side. */
    struct flue_cfg_caps caps;
    struct flue_cfg_connection connection;
    struct flue_cfg_switches switches;
    struct flue_stats_tcp tcp[2];
    struct flue_stats_ip ip[2];
    unsigned config_sets, resets;
    enum flue_config_group refuse; /* SET_CONFIG of this group fails; 0: none */
    NDIS_STATUS refuse_with;
    /* The host's side. */
    struct indication told[INDICATIONS_MAX];
    unsigned told_count;
    struct flue_ndis_request *completed;
    NDIS_STATUS completed_with;
    unsigned completions, halts, notes;
    char note[512];
    unsigned task_refuse; /* the n-th flue_config_set() from now on fails; 0: none */
} host;

/* ---- the firmware's side ------------------------------------------------------------------------------------------ */

static inline NDIS_STATUS mock_config_get(void *ctx, enum flue_config_group group, void *record, size_t bytes)
{
    const void *from = group == FLUE_CFG_CAPS ? (void *)&host.caps : (void *)&host.connection;
    (void)ctx;
    CHECK(group == FLUE_CFG_CAPS || group == FLUE_CFG_CONNECTION);
    CHECK_EQ(bytes, 32);
    memcpy(record, from, bytes);
    return NDIS_STATUS_SUCCESS;
}

static inline NDIS_STATUS mock_config_set(void *ctx, enum flue_config_group group, const void *record, size_t bytes)
{
    (void)ctx;
    if (group == host.refuse)
        return host.refuse_with;
    host.config_sets++;
    CHECK(group == FLUE_CFG_SWITCHES || group == FLUE_CFG_CONNECTION);
    if (group == FLUE_CFG_SWITCHES) {
        CHECK_EQ(bytes, sizeof host.switches);
        memcpy(&host.switches, record, bytes);
        CHECK_EQ(host.switches.word0 & FLUE_CFG_SWITCHES_WORD0_ZERO, 0);
    } else {
        CHECK_EQ(bytes, sizeof host.connection);
        memcpy(&host.connection, record, bytes);
        CHECK_EQ(host.connection.zero, 0);
    }
    return NDIS_STATUS_SUCCESS;
}

static inline NDIS_STATUS mock_stats_get(void *ctx, enum flue_stats_group group, void *record, size_t bytes)
{
    (void)ctx;
    if (group == FLUE_SG_TCP4 || group == FLUE_SG_TCP6)
        memcpy(record, &host.tcp[group == FLUE_SG_TCP6], bytes);
    else
        memcpy(record, &host.ip[group == FLUE_SG_IP6], bytes);
    CHECK_EQ(bytes, group == FLUE_SG_TCP4 || group == FLUE_SG_TCP6 ? sizeof host.tcp[0] : sizeof host.ip[0]);
    return NDIS_STATUS_SUCCESS;
}

/* The firmware keeps the gauge (CH-202). */
static inline NDIS_STATUS mock_stats_reset(void *ctx, enum flue_stats_group group)
{
    (void)ctx;
    host.resets++;
    if (group == FLUE_SG_TCP4 || group == FLUE_SG_TCP6)
        host.tcp[group == FLUE_SG_TCP6] =
            (struct flue_stats_tcp){.currently_established = host.tcp[group == FLUE_SG_TCP6].currently_established};
    else
        memset(&host.ip[group == FLUE_SG_IP6], 0, sizeof host.ip[0]);
    return NDIS_STATUS_SUCCESS;
}

/* ---- the host's side ---------------------------------------------------------------------------------------------- */

static inline void on_indicate(void *ctx, NDIS_STATUS code, const void *buffer, uint32_t bytes)
{
    (void)ctx;
    CHECK(host.told_count < INDICATIONS_MAX && bytes <= sizeof host.told[0].buffer);
    CHECK_EQ(bytes == 0, buffer == NULL);
    struct indication *i = &host.told[host.told_count++];
    i->code = code;
    i->bytes = bytes;
    if (bytes > 0)
        memcpy(i->buffer, buffer, bytes);
}

static inline void on_complete(void *ctx, struct flue_ndis_request *request, NDIS_STATUS status)
{
    (void)ctx;
    host.completed = request;
    host.completed_with = status;
    host.completions++;
}

static inline void on_halted(void *ctx)
{
    (void)ctx;
    host.halts++;
}

static inline void on_note(void *ctx, const char *sentence)
{
    (void)ctx;
    host.notes++;
    snprintf(host.note, sizeof host.note, "%s", sentence);
}

static inline enum flue_err task_set(void *ctx, const struct flue_config *request)
{
    if (host.task_refuse > 0 && --host.task_refuse == 0)
        return FLUE_ETIMEOUT;
    return flue_config_set(ctx, request);
}

static inline struct flue_ndis_admin_params rig_params(bool connection)
{
    struct flue_ndis_admin_params params = {
        .handlers = {.indicate = on_indicate, .complete = on_complete, .halted = on_halted, .note = on_note},
    };

    flue_ndis_task_over_adapter(host.core.a, &params.task);
    params.task.set = task_set;
    if (connection)
        params.connection =
            (struct flue_ndis_connection_ops){NULL, mock_config_get, mock_config_set, mock_stats_get, mock_stats_reset};
    return params;
}

static inline void firmware_reset(void)
{
    host.caps = (struct flue_cfg_caps){.neighbors = 16, .paths = 64, .connections = 64};
    host.connection = (struct flue_cfg_connection){
        .ticks_per_second = 1000,
        .word1 = 2u | 200u << 8 | 5u << 16 | 3u << 24,
        .sws_prevention_ticks = 5000,
        .duplicate_ack_threshold = 3,
        .push_ticks = 500,
        .nce_stale_ticks = 30000,
    };
    host.switches = (struct flue_cfg_switches){0};
}

static inline void rig_begin(uint32_t caps)
{
    struct flue_handlers handlers;

    memset(&host, 0, sizeof host);
    firmware_reset();
    mock_init(&host.core.m);
    if (caps != 0)
        *mock_reg(&host.core.m, FLUE_REG_CAPS) = caps;
    handlers = rig_handlers(&host.core);
    CHECK_EQ(flue_adapter_open(&host.core.m.link, NULL, &handlers, &host.core.a), FLUE_OK);
}

static inline void rig_admin(bool connection, const char *settings)
{
    char error[256] = "";
    struct flue_ndis_admin_params params = rig_params(connection);

    params.settings_path = settings;
    enum flue_err err = flue_ndis_admin_open(&params, &host.a, error, sizeof error);
    if (err != FLUE_OK)
        check_failed(__FILE__, __LINE__, "%s", error);
}

static inline void rig_end(void)
{
    flue_ndis_admin_close(host.a);
    flue_adapter_close(host.core.a);
    host.a = NULL;
}

/* An adapter with everything, connection offload included. */
static inline void rig_start(void)
{
    rig_begin(0);
    rig_admin(true, NULL);
}

/* ---- requests ----------------------------------------------------------------------------------------------------- */

static inline NDIS_STATUS oid_query(NDIS_OID oid, void *buffer, uint32_t length)
{
    struct flue_ndis_request r = {.type = FLUE_NDIS_QUERY, .oid = oid, .buffer = buffer, .length = length};
    return flue_ndis_oid(host.a, &r);
}

/* The request stays there: it may be pending when this returns. */
static inline NDIS_STATUS oid_set(NDIS_OID oid, const void *buffer, uint32_t length)
{
    static struct flue_ndis_request waiting, r;
    r = (struct flue_ndis_request){.type = FLUE_NDIS_SET, .oid = oid, .buffer = (void *)(uintptr_t)buffer, .length = length};
    NDIS_STATUS status = flue_ndis_oid(host.a, &r);
    if (status == NDIS_STATUS_PENDING) {
        waiting = r;
        host.a->pending = &waiting;
    }
    return status;
}

/* A parameters request that keeps everything, of the newest revision. */
static inline NDIS_OFFLOAD_PARAMETERS keep(void)
{
    return (NDIS_OFFLOAD_PARAMETERS){
        .Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_OFFLOAD_PARAMETERS_REVISION_6, NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_6}};
}

static inline NDIS_STATUS set_parameters(const NDIS_OFFLOAD_PARAMETERS *p)
{
    return oid_set(OID_TCP_OFFLOAD_PARAMETERS, p, sizeof *p);
}

static inline NDIS_OFFLOAD_ENCAPSULATION encapsulation(uint32_t ipv4, uint32_t ipv6)
{
    NDIS_OFFLOAD_ENCAPSULATION e = {
        .Header = {NDIS_OBJECT_TYPE_OFFLOAD_ENCAPSULATION, 1, NDIS_SIZEOF_OFFLOAD_ENCAPSULATION_REVISION_1},
        .IPv4.Enabled = ipv4,
        .IPv6.Enabled = ipv6,
    };
    if (ipv4 == NDIS_OFFLOAD_SET_ON)
        e.IPv4.EncapsulationType = NDIS_ENCAPSULATION_IEEE_802_3, e.IPv4.HeaderSize = 14;
    if (ipv6 == NDIS_OFFLOAD_SET_ON)
        e.IPv6.EncapsulationType = NDIS_ENCAPSULATION_IEEE_802_3, e.IPv6.HeaderSize = 14;
    return e;
}

static inline NDIS_STATUS set_encapsulation(uint32_t ipv4, uint32_t ipv6)
{
    NDIS_OFFLOAD_ENCAPSULATION e = encapsulation(ipv4, ipv6);
    return oid_set(OID_OFFLOAD_ENCAPSULATION, &e, sizeof e);
}

static inline NDIS_OFFLOAD offload(NDIS_OID oid)
{
    NDIS_OFFLOAD o;
    uint8_t buffer[NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_6];
    CHECK_EQ(oid_query(oid, buffer, sizeof buffer), NDIS_STATUS_SUCCESS);
    CHECK_EQ(flue_ndis_offload_read(buffer, sizeof buffer, &o), NDIS_STATUS_SUCCESS);
    return o;
}

static inline NDIS_TCP_CONNECTION_OFFLOAD connection(NDIS_OID oid)
{
    NDIS_TCP_CONNECTION_OFFLOAD c;
    CHECK_EQ(oid_query(oid, &c, sizeof c), NDIS_STATUS_SUCCESS);
    return c;
}

static inline NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS run_time(void)
{
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS p;
    CHECK_EQ(oid_query(OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, &p, sizeof p), NDIS_STATUS_SUCCESS);
    return p;
}

static inline NDIS_STATUS set_run_time(const NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS *p)
{
    return oid_set(OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, p, sizeof *p);
}

static inline NDIS_OFFLOAD_PARAMETERS switching(uint8_t ipv4, uint8_t ipv6)
{
    NDIS_OFFLOAD_PARAMETERS p = keep();
    p.TcpConnectionIPv4 = ipv4;
    p.TcpConnectionIPv6 = ipv6;
    return p;
}

static inline struct flue_config config(void)
{
    struct flue_config c;
    flue_config_get(host.core.a, &c);
    return c;
}

/* Nothing of the adapter and of what NDIS holds changed since. */
struct snapshot {
    struct flue_config config;
    struct flue_cfg_connection connection;
    struct flue_cfg_switches switches;
    NDIS_OFFLOAD current;
    struct flue_keywords keywords;
    unsigned told;
};

static inline struct snapshot snap(void)
{
    struct snapshot s;
    memset(&s, 0, sizeof s);
    flue_config_get(host.core.a, &s.config);
    s.connection = host.connection;
    s.switches = host.switches;
    s.current = offload(OID_TCP_OFFLOAD_CURRENT_CONFIG);
    flue_ndis_keywords(host.a, &s.keywords);
    s.told = host.told_count;
    return s;
}

#define CHECK_UNCHANGED(before)                                                                                                \
    do {                                                                                                                       \
        struct snapshot now_ = snap();                                                                                         \
        CHECK_EQ(memcmp(&now_.config, &(before).config, sizeof now_.config), 0);                                               \
        CHECK_EQ(memcmp(&now_.connection, &(before).connection, sizeof now_.connection), 0);                                   \
        CHECK_EQ(now_.switches.word0, (before).switches.word0);                                                                \
        CHECK_EQ(memcmp(&now_.current, &(before).current, sizeof now_.current), 0);                                            \
        CHECK_EQ(memcmp(&now_.keywords, &(before).keywords, sizeof now_.keywords), 0);                                         \
        CHECK_EQ(now_.told, (before).told);                                                                                    \
    } while (0)

#endif
