/*
 * State trees as text: what `flue tree FILE` reads (docs/cli.md has the form, host/cli/trees/ has examples).
 *
 *   limit connections 1
 *   initiate
 *     neighbor Neighbor1 VlanId=5
 *       path Path1 192.0.2.1 -> 198.51.100.7
 *         tcp TCP1 40001 -> 443
 *   expect TCP1 SUCCESS
 *   terminate all
 *
 * A script is a list of steps.  An operation's nodes are in walk order with their depth.  Names stand for objects: the first
 * initiate that names one says its state, later steps refer to it.
 */
#ifndef FLUE_TREE_TEXT_H
#define FLUE_TREE_TEXT_H

#include <stdbool.h>
#include <stdio.h>
#include "flue/ndis/tree.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLUE_TEXT_NAME_MAX  31u    /* characters */
#define FLUE_TEXT_NODES_MAX 16384u /* in a script */
#define FLUE_TEXT_BYTES_MAX (1u << 20)
#define FLUE_TEXT_OBJECT_NO (-1)

/* ---- fields ------------------------------------------------------------------------------------------------------ */

#define FLUE_TEXT_LAYERS 4 /* enum flue_tree_layer; FLUE_LAYER_NONE is a placeholder */

/* Which state structures follow a node. */
enum flue_text_part { FLUE_PART_NONE, FLUE_PART_CONST, FLUE_PART_CACHED, FLUE_PART_DELEGATED, FLUE_PART_FULL, FLUE_PARTS };

/* How the text of a value looks. */
enum flue_text_form { FLUE_FORM_NUMBER, FLUE_FORM_MAC, FLUE_FORM_CONST_FLAGS, FLUE_FORM_CACHED_FLAGS, FLUE_FORM_STATE };

/*
 * Every variable: X(id, layer, part, name, largest, form, default, follows).  Without a value it has the value of the field
 * `follows`, and when it follows itself the default.  Addresses of a path are beside the list.
 */
/* clang-format off */
#define FLUE_TEXT_FIELD_LIST(X)                                                                                                    \
    X(DL_SOURCE,      NEIGHBOR, CONST,     "DlSourceAddress",         0xFFFFFFFFFFFF, MAC,          0,              DL_SOURCE)     \
    X(VLAN_ID,        NEIGHBOR, CONST,     "VlanId",                  0xFFF,          NUMBER,       0,              VLAN_ID)       \
    X(DL_DESTINATION, NEIGHBOR, CACHED,    "DlDestinationAddress",    0xFFFFFFFFFFFF, MAC,          0x020000000001, DL_DESTINATION) \
    X(HRD,            NEIGHBOR, CACHED,    "HostReachabilityDelta",   0xFFFFFFFF,     NUMBER,       0,              HRD)           \
    X(NRD,            NEIGHBOR, DELEGATED, "NicReachabilityDelta",    0xFFFFFFFF,     NUMBER,       0,              NRD)           \
    X(PATH_MTU,       PATH,     CACHED,    "PathMtu",                 0xFFFFFFFF,     NUMBER,       1500,           PATH_MTU)      \
    X(CONST_FLAGS,    TCP,      CONST,     "Const.Flags",             0xFFFF,         CONST_FLAGS,  0,              CONST_FLAGS)   \
    X(REMOTE_PORT,    TCP,      CONST,     "RemotePort",              0xFFFF,         NUMBER,       0,              REMOTE_PORT)   \
    X(LOCAL_PORT,     TCP,      CONST,     "LocalPort",               0xFFFF,         NUMBER,       0,              LOCAL_PORT)    \
    X(SND_WIND_SCALE, TCP,      CONST,     "SndWindScale",            0xF,            NUMBER,       0,              SND_WIND_SCALE) \
    X(RCV_WIND_SCALE, TCP,      CONST,     "RcvWindScale",            0xF,            NUMBER,       0,              RCV_WIND_SCALE) \
    X(REMOTE_MSS,     TCP,      CONST,     "RemoteMss",               0xFFFF,         NUMBER,       1460,           REMOTE_MSS)    \
    X(HASH_VALUE,     TCP,      CONST,     "HashValue",               0xFFFFFFFF,     NUMBER,       0,              HASH_VALUE)    \
    X(CACHED_FLAGS,   TCP,      CACHED,    "Cached.Flags",            0xFFFF,         CACHED_FLAGS, 2,              CACHED_FLAGS)  \
    X(INITIAL_WND,    TCP,      CACHED,    "InitialRcvWnd",           0xFFFFFFFF,     NUMBER,       65535,          INITIAL_WND)   \
    X(INDICATION,     TCP,      CACHED,    "RcvIndicationSize",       0xFFFFFFFF,     NUMBER,       0,              INDICATION)    \
    X(KA_PROBES,      TCP,      CACHED,    "KaProbeCount",            0xFF,           NUMBER,       5,              KA_PROBES)     \
    X(KA_TIMEOUT,     TCP,      CACHED,    "KaTimeout",               0xFFFFFFFF,     NUMBER,       7200000,        KA_TIMEOUT)    \
    X(KA_INTERVAL,    TCP,      CACHED,    "KaInterval",              0xFFFFFFFF,     NUMBER,       1000,           KA_INTERVAL)   \
    X(MAX_RT,         TCP,      CACHED,    "MaxRT",                   0xFFFFFFFF,     NUMBER,       0,              MAX_RT)        \
    X(FLOW_LABEL,     TCP,      CACHED,    "FlowLabel",               0xFFFFF,        NUMBER,       0,              FLOW_LABEL)    \
    X(TTL,            TCP,      CACHED,    "TtlOrHopLimit",           0xFF,           NUMBER,       64,             TTL)           \
    X(TOS,            TCP,      CACHED,    "TosOrTrafficClass",       0xFF,           NUMBER,       0,              TOS)           \
    X(PRIORITY,       TCP,      CACHED,    "UserPriority",            0x7,            NUMBER,       0,              PRIORITY)      \
    X(STATE,          TCP,      DELEGATED, "State",                   0xF,            STATE,        4,              STATE)         \
    X(FLAGS,          TCP,      DELEGATED, "Delegated.Flags",         0xFFFF,         NUMBER,       0,              FLAGS)         \
    X(RCV_NXT,        TCP,      DELEGATED, "RcvNxt",                  0xFFFFFFFF,     NUMBER,       1,              RCV_NXT)       \
    X(RCV_WND,        TCP,      DELEGATED, "RcvWnd",                  0xFFFFFFFF,     NUMBER,       0,              INITIAL_WND)   \
    X(SND_UNA,        TCP,      DELEGATED, "SndUna",                  0xFFFFFFFF,     NUMBER,       1,              SND_UNA)       \
    X(SND_NXT,        TCP,      DELEGATED, "SndNxt",                  0xFFFFFFFF,     NUMBER,       0,              SND_UNA)       \
    X(SND_MAX,        TCP,      DELEGATED, "SndMax",                  0xFFFFFFFF,     NUMBER,       0,              SND_NXT)       \
    X(SND_WND,        TCP,      DELEGATED, "SndWnd",                  0xFFFFFFFF,     NUMBER,       65535,          SND_WND)       \
    X(MAX_SND_WND,    TCP,      DELEGATED, "MaxSndWnd",               0xFFFFFFFF,     NUMBER,       0,              SND_WND)       \
    X(SEND_WL1,       TCP,      DELEGATED, "SendWL1",                 0xFFFFFFFF,     NUMBER,       0,              RCV_NXT)       \
    X(CWND,           TCP,      DELEGATED, "CWnd",                    0xFFFFFFFF,     NUMBER,       14600,          CWND)          \
    X(SSTHRESH,       TCP,      DELEGATED, "SsThresh",                0xFFFFFFFF,     NUMBER,       65535,          SSTHRESH)      \
    X(SRTT,           TCP,      DELEGATED, "SRtt",                    0xFFFF,         NUMBER,       160,            SRTT)          \
    X(RTT_VAR,        TCP,      DELEGATED, "RttVar",                  0xFFFF,         NUMBER,       40,             RTT_VAR)       \
    X(TS_RECENT,      TCP,      DELEGATED, "TsRecent",                0xFFFFFFFF,     NUMBER,       0,              TS_RECENT)     \
    X(TS_RECENT_AGE,  TCP,      DELEGATED, "TsRecentAge",             0xFFFFFFFF,     NUMBER,       0,              TS_RECENT_AGE) \
    X(TS_TIME,        TCP,      DELEGATED, "TsTime",                  0xFFFFFFFF,     NUMBER,       0,              TS_TIME)       \
    X(TOTAL_RT,       TCP,      DELEGATED, "TotalRT",                 0xFFFFFFFF,     NUMBER,       0,              TOTAL_RT)      \
    X(DUP_ACKS,       TCP,      DELEGATED, "DupAckCount",             0xFF,           NUMBER,       0,              DUP_ACKS)      \
    X(PROBES,         TCP,      DELEGATED, "SndWndProbeCount",        0xFF,           NUMBER,       0,              PROBES)        \
    X(KA_COUNT,       TCP,      DELEGATED, "KeepAlive.ProbeCount",    0xFF,           NUMBER,       0,              KA_COUNT)      \
    X(KA_DELTA,       TCP,      DELEGATED, "KeepAlive.TimeoutDelta",  0xFFFFFFFF,     NUMBER,       0xFFFFFFFF,     KA_DELTA)      \
    X(REXMIT_COUNT,   TCP,      DELEGATED, "Retransmit.Count",        0xFF,           NUMBER,       0,              REXMIT_COUNT)  \
    X(REXMIT_DELTA,   TCP,      DELEGATED, "Retransmit.TimeoutDelta", 0xFFFFFFFF,     NUMBER,       0xFFFFFFFF,     REXMIT_DELTA)  \
    X(SEND_BACKLOG,   TCP,      DELEGATED, "SendBacklogSize",         0xFFFFFFFF,     NUMBER,       0,              SEND_BACKLOG)  \
    X(RCV_BACKLOG,    TCP,      DELEGATED, "ReceiveBacklogSize",      0xFFFFFFFF,     NUMBER,       0,              RCV_BACKLOG)   \
    X(DWND,           TCP,      DELEGATED, "DWnd",                    0xFFFFFFFF,     NUMBER,       0,              DWND)
/* clang-format on */

enum flue_text_field {
#define X(id, layer, part, name, largest, form, start, follows) FLUE_F_##id,
    FLUE_TEXT_FIELD_LIST(X)
#undef X
        FLUE_TEXT_FIELDS
};

struct flue_text_field_info {
    const char *name;
    enum flue_tree_layer layer;
    enum flue_text_part part;
    enum flue_text_form form;
    uint64_t largest;
    uint64_t start;
    enum flue_text_field follows;
};

const struct flue_text_field_info *flue_text_field_info(enum flue_text_field field);

/* All variables of one object; those of other layers are not used.  Numbers are as a person reads them: ports 1 to 65,535. */
struct flue_text_values {
    uint64_t field[FLUE_TEXT_FIELDS];
    bool ipv6;
    uint8_t source[16]; /* of a path, network order; IPv4 in the first 4 bytes, the rest zero */
    uint8_t destination[16];
};

/* ---- script ------------------------------------------------------------------------------------------------------ */

struct flue_text_object {
    char name[FLUE_TEXT_NAME_MAX + 1];
    enum flue_tree_layer layer;
    unsigned line; /* where it was first named */
};

struct flue_text_item {
    unsigned line, column;
    enum flue_node_kind kind;
    unsigned depth;
    int object;                 /* index, or FLUE_TEXT_OBJECT_NO for a placeholder without name */
    enum flue_tree_layer layer; /* as written: may be another than the object's, to try that */
    enum flue_text_part part;
    uint64_t given; /* bit for each field that is written at this node */
    bool has_ends;  /* addresses of a path, ports of a connection are written */
    bool has_context;
    uint64_t context; /* value for the host's cell instead of the object's own, to try a forged one */
    struct flue_text_values values;
};

enum flue_text_step_kind {
    FLUE_STEP_OPERATION, /* a tree */
    FLUE_STEP_SETTING,   /* part of a configuration group */
    FLUE_STEP_EXPECT,
    FLUE_STEP_WAIT, /* let adapter time pass */
    FLUE_STEP_LIST  /* every object the adapter holds */
};

struct flue_text_step {
    enum flue_text_step_kind kind;
    unsigned line;

    enum flue_tree_op op;         /* OPERATION: FLUE_TREE_INITIATE, _QUERY, _UPDATE, _INVALIDATE, _TERMINATE */
    bool all;                     /*            instead of nodes: every object that is held then */
    enum flue_config_group group; /* SETTING */
    uint64_t wait_us;             /* WAIT */

    int object; /* EXPECT: of which object; FLUE_TEXT_OBJECT_NO: of the operation as a whole */
    bool has_status, has_detail;
    NDIS_STATUS status;
    enum flue_admin_detail detail;

    size_t first, count; /* OPERATION: items; SETTING, EXPECT: pairs */
};

/* A value of a setting (`key` is a word of the group's record, or as flue_text_setting_name() says) or an expected field. */
struct flue_text_pair {
    unsigned key;
    uint64_t value;
};

struct flue_text_script {
    struct flue_text_step *steps;
    size_t step_count;
    struct flue_text_item *items;
    size_t item_count;
    struct flue_text_object *objects;
    size_t object_count;
    struct flue_text_pair *pairs;
    size_t pair_count;
};

struct flue_text_error {
    unsigned line, column; /* from 1; line 0: the text as a whole */
    char text[200];
};

/*
 * Read a script.
 *
 * Returns FLUE_EARG    the text is wrong: *error says where and what; *script is null
 *         FLUE_ENOMEM
 */
FLUE_MUST_CHECK enum flue_err flue_text_parse(const char *text, size_t len_bytes, struct flue_text_script **script,
                                              struct flue_text_error *error);

/* Null is allowed. */
void flue_text_free(struct flue_text_script *script);

/* Write a script in its plainest form: reading that gives the same script. */
void flue_text_print(FILE *out, const struct flue_text_script *script);

/* ---- values and names -------------------------------------------------------------------------------------------- */

/* Text of one value, "02:00:00:00:00:01", "Established", "none". */
void flue_text_value(enum flue_text_field field, uint64_t value, char *text, size_t cap_bytes);

/* Read one; null, or what is wrong with it (static storage). */
const char *flue_text_value_read(enum flue_text_field field, const char *text, uint64_t *value);

/* All fields of one part and layer as `Name=value`, in lines no wider than 110 characters after the indentation. */
void flue_text_values_print(FILE *out, const char *indent, enum flue_tree_layer layer, enum flue_text_part part,
                            const struct flue_text_values *values);

const char *flue_text_layer_name(enum flue_tree_layer layer); /* "neighbor", "path", "tcp", "placeholder" */
const char *flue_text_part_name(enum flue_text_part part);    /* "none", "const", ... */
const char *flue_text_op_name(enum flue_tree_op op);          /* "initiate", ... */

/* Key of a setting's name in its group; false when there is none.  The other way round: null. */
bool flue_text_setting_find(enum flue_config_group group, const char *name, unsigned *key);
const char *flue_text_setting_name(enum flue_config_group group, unsigned key);

/* "SUCCESS" or "NDIS_STATUS_SUCCESS"; "VLAN_MISMATCH" is not one, "OFFLOAD_VLAN_MISMATCH" is. */
bool flue_text_status_find(const char *name, NDIS_STATUS *status);
bool flue_text_detail_find(const char *name, enum flue_admin_detail *detail);
const char *flue_text_detail_name(unsigned detail); /* "NONE"; "?" for an unknown one */
const char *flue_text_detail_text(unsigned detail); /* the sentence of the contract */

/* OFFLOAD_STATE_TYPE of a node. */
uint8_t flue_text_state_type(enum flue_tree_layer layer, enum flue_text_part part, bool ipv6);

/* "connection/1/0": kind, generation, index; "-" for 0. */
void flue_text_handle(uint32_t handle, char *text, size_t cap_bytes);

#ifdef __cplusplus
}
#endif
#endif
