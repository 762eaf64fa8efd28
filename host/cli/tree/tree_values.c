/* Between the values of the text and the published state structures. */
#include <arpa/inet.h>
#include <string.h>
#include "tree.h"

static const unsigned classes_of[FLUE_PARTS] = {
    [FLUE_PART_CONST] = FLUE_TREE_CONST,
    [FLUE_PART_CACHED] = FLUE_TREE_CACHED,
    [FLUE_PART_DELEGATED] = FLUE_TREE_DELEGATED,
    [FLUE_PART_FULL] = FLUE_TREE_CONST | FLUE_TREE_CACHED | FLUE_TREE_DELEGATED,
};

unsigned tree_item_classes(enum flue_tree_op op, const struct flue_text_item *item)
{
    if (item->kind == FLUE_NODE_NEW)
        return classes_of[item->part];
    if (item->kind != FLUE_NODE_REFERENCE || op == FLUE_TREE_INITIATE)
        return 0;
    return flue_tree_state_classes(op, flue_text_state_type(item->layer, item->part, item->values.ipv6));
}

static void mac_store(uint8_t *address, uint64_t value)
{
    for (unsigned i = 0; i < 6; i++)
        address[i] = (uint8_t)(value >> (40 - 8 * i));
}

static uint64_t mac_load(const uint8_t *address)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 6; i++)
        value = value << 8 | address[i];
    return value;
}

/* ---- one structure each: NDIS to text or back, by `load` ------------------------------------------------------------ */

#define MOVE(id, member)                                                                                                       \
    do {                                                                                                                       \
        if (load)                                                                                                              \
            v->field[FLUE_F_##id] = s.member;                                                                                  \
        else                                                                                                                   \
            s.member = (__typeof__(s.member))v->field[FLUE_F_##id];                                                            \
    } while (0)

/* Bit fields have no type of their own to be cast to. */
#define MOVE_BITS(id, member, bits)                                                                                            \
    do {                                                                                                                       \
        if (load)                                                                                                              \
            v->field[FLUE_F_##id] = s.member;                                                                                  \
        else                                                                                                                   \
            s.member = (unsigned)v->field[FLUE_F_##id] & ((1u << (bits)) - 1u);                                                \
    } while (0)

#define MOVE_PORT(id, member)                                                                                                  \
    do {                                                                                                                       \
        if (load)                                                                                                              \
            v->field[FLUE_F_##id] = ntohs(s.member);                                                                           \
        else                                                                                                                   \
            s.member = htons((uint16_t)v->field[FLUE_F_##id]);                                                                 \
    } while (0)

/* A structure is copied out, changed, and (to store) copied back: it may lie on any 4-byte boundary. */
static void neighbor_move(void *state, unsigned which, struct flue_text_values *v, bool load)
{
    if (which == FLUE_TREE_CONST) {
        NEIGHBOR_OFFLOAD_STATE_CONST s;
        memcpy(&s, state, sizeof s);
        if (load)
            v->field[FLUE_F_DL_SOURCE] = mac_load(s.DlSourceAddress);
        else
            mac_store(s.DlSourceAddress, v->field[FLUE_F_DL_SOURCE]);
        MOVE_BITS(VLAN_ID, VlanId, 12);
        memcpy(state, &s, sizeof s);
    } else if (which == FLUE_TREE_CACHED) {
        NEIGHBOR_OFFLOAD_STATE_CACHED s;
        memcpy(&s, state, sizeof s);
        if (load)
            v->field[FLUE_F_DL_DESTINATION] = mac_load(s.DlDestinationAddress);
        else
            mac_store(s.DlDestinationAddress, v->field[FLUE_F_DL_DESTINATION]);
        MOVE(HRD, HostReachabilityDelta);
        memcpy(state, &s, sizeof s);
    } else {
        NEIGHBOR_OFFLOAD_STATE_DELEGATED s;
        memcpy(&s, state, sizeof s);
        MOVE(NRD, NicReachabilityDelta);
        memcpy(state, &s, sizeof s);
    }
}

static void path_move(void *state, unsigned which, struct flue_text_values *v, bool load)
{
    if (which == FLUE_TREE_CONST && !load) {
        PATH_OFFLOAD_STATE_CONST s;
        memcpy(&s, state, sizeof s);
        s.SourceAddress = v->source;
        s.DestinationAddress = v->destination;
        memcpy(state, &s, sizeof s);
    } else if (which == FLUE_TREE_CACHED) {
        PATH_OFFLOAD_STATE_CACHED s;
        memcpy(&s, state, sizeof s);
        MOVE(PATH_MTU, PathMtu);
        memcpy(state, &s, sizeof s);
    }
    /* A query of constant state fills the caller's addresses in place; there is no delegated state. */
}

static void tcp_const_move(void *state, struct flue_text_values *v, bool load)
{
    TCP_OFFLOAD_STATE_CONST s;

    memcpy(&s, state, sizeof s);
    MOVE(CONST_FLAGS, Flags);
    MOVE_PORT(REMOTE_PORT, RemotePort);
    MOVE_PORT(LOCAL_PORT, LocalPort);
    MOVE_BITS(SND_WIND_SCALE, SndWindScale, 4);
    MOVE_BITS(RCV_WIND_SCALE, RcvWindScale, 4);
    MOVE(REMOTE_MSS, RemoteMss);
    MOVE(HASH_VALUE, HashValue);
    memcpy(state, &s, sizeof s);
}

static void tcp_cached_move(void *state, struct flue_text_values *v, bool load)
{
    TCP_OFFLOAD_STATE_CACHED s;

    memcpy(&s, state, sizeof s);
    MOVE(CACHED_FLAGS, Flags);
    MOVE(INITIAL_WND, InitialRcvWnd);
    MOVE(INDICATION, RcvIndicationSize);
    MOVE(KA_PROBES, KaProbeCount);
    MOVE(KA_TIMEOUT, KaTimeout);
    MOVE(KA_INTERVAL, KaInterval);
    MOVE(MAX_RT, MaxRT);
    MOVE_BITS(FLOW_LABEL, FlowLabel, 20);
    MOVE(TTL, TtlOrHopLimit);
    MOVE(TOS, TosOrTrafficClass);
    MOVE_BITS(PRIORITY, UserPriority, 3);
    memcpy(state, &s, sizeof s);
}

static void tcp_delegated_move(void *state, struct flue_text_values *v, bool load)
{
    TCP_OFFLOAD_STATE_DELEGATED s;

    memcpy(&s, state, sizeof s);
    MOVE(STATE, State);
    MOVE(FLAGS, Flags);
    MOVE(RCV_NXT, RcvNxt);
    MOVE(RCV_WND, RcvWnd);
    MOVE(SND_UNA, SndUna);
    MOVE(SND_NXT, SndNxt);
    MOVE(SND_MAX, SndMax);
    MOVE(SND_WND, SndWnd);
    MOVE(MAX_SND_WND, MaxSndWnd);
    MOVE(SEND_WL1, SendWL1);
    MOVE(CWND, CWnd);
    MOVE(SSTHRESH, SsThresh);
    MOVE(SRTT, SRtt);
    MOVE(RTT_VAR, RttVar);
    MOVE(TS_RECENT, TsRecent);
    MOVE(TS_RECENT_AGE, TsRecentAge);
    MOVE(TS_TIME, TsTime);
    MOVE(TOTAL_RT, TotalRT);
    MOVE(DUP_ACKS, DupAckCount);
    MOVE(PROBES, SndWndProbeCount);
    MOVE(KA_COUNT, KeepAlive.ProbeCount);
    MOVE(KA_DELTA, KeepAlive.TimeoutDelta);
    MOVE(REXMIT_COUNT, Retransmit.Count);
    MOVE(REXMIT_DELTA, Retransmit.TimeoutDelta);
    MOVE(DWND, DWnd);
    memcpy(state, &s, sizeof s);
}

static void move_all(const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node, unsigned classes, struct flue_text_values *v, bool load)
{
    for (unsigned which = FLUE_TREE_CONST; which <= FLUE_TREE_DELEGATED; which <<= 1) {
        void *state = flue_tree_node_state(node, classes, which);
        if (state == NULL)
            continue;
        switch (flue_tree_layer(node->Header.Type)) {
        case FLUE_LAYER_NEIGHBOR:
            neighbor_move(state, which, v, load);
            break;
        case FLUE_LAYER_PATH:
            path_move(state, which, v, load);
            break;
        case FLUE_LAYER_TCP:
            (which == FLUE_TREE_CONST    ? tcp_const_move
             : which == FLUE_TREE_CACHED ? tcp_cached_move
                                         : tcp_delegated_move)(state, v, load);
            break;
        case FLUE_LAYER_NONE:
            break;
        }
    }
}

void tree_values_store(NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node, unsigned classes, const struct flue_text_values *values)
{
    /* The addresses are pointed to, everything else is copied. */
    move_all(node, classes, (struct flue_text_values *)(uintptr_t)values, false);
}

/* Bytes of a list's packets. */
static uint64_t list_bytes(const NET_BUFFER_LIST *list)
{
    uint64_t bytes = 0;

    for (; list != NULL; list = list->Next)
        for (const NET_BUFFER *buffer = list->FirstNetBuffer; buffer != NULL; buffer = buffer->Next)
            bytes += buffer->DataLength;
    return bytes;
}

void tree_values_load(const NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *node, unsigned classes, enum flue_tree_op op,
                      struct flue_text_values *values)
{
    TCP_OFFLOAD_STATE_DELEGATED s;

    move_all(node, classes, values, true);
    const void *state = flue_tree_node_state(node, classes, FLUE_TREE_DELEGATED);
    if (state == NULL || flue_tree_layer(node->Header.Type) != FLUE_LAYER_TCP)
        return;
    memcpy(&s, state, sizeof s);
    values->field[FLUE_F_SEND_BACKLOG] = op == FLUE_TREE_QUERY ? s.SendBacklogSize : list_bytes(node->NetBufferListChain);
    values->field[FLUE_F_RCV_BACKLOG] = op == FLUE_TREE_QUERY ? s.ReceiveBacklogSize : list_bytes(s.BufferedData);
}
