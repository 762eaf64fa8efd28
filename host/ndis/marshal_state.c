/* State structures between the host's layout and the wire's: copied out, converted field by field, never used in place. */
#include "tree_internal.h"

#include <arpa/inet.h>
#include <string.h>
#include "slots.h"

#define SENT_MAX   (1u << 30) /* SndMax - SndUna, as an initiate has it */
#define LENGTH_MAX 512u       /* of a state structure: room for later revisions, and a bound for the walk */

static const uint8_t classes_in_order[3] = {FLUE_TREE_CONST, FLUE_TREE_CACHED, FLUE_TREE_DELEGATED};

union wire {
    struct flue_wire_neighbor_const neighbor_const;
    struct flue_wire_neighbor_cached neighbor_cached;
    struct flue_wire_neighbor_delegated neighbor_delegated;
    struct flue_wire_path_const path_const;
    struct flue_wire_path_cached path_cached;
    struct flue_wire_tcp_const tcp_const;
    struct flue_wire_tcp_cached tcp_cached;
    struct flue_wire_tcp_delegated tcp_delegated;
    uint32_t word[22];
};

/* Bytes of one class on the wire and, at least, in the host's memory; by layer, then class in order. */
static const uint16_t wire_bytes[4][3] = {
    [FLUE_LAYER_NEIGHBOR] = {sizeof(struct flue_wire_neighbor_const), sizeof(struct flue_wire_neighbor_cached),
                             sizeof(struct flue_wire_neighbor_delegated)},
    [FLUE_LAYER_PATH] = {sizeof(struct flue_wire_path_const), sizeof(struct flue_wire_path_cached), 0},
    [FLUE_LAYER_TCP] = {sizeof(struct flue_wire_tcp_const), sizeof(struct flue_wire_tcp_cached),
                        sizeof(struct flue_wire_tcp_delegated)},
};
static const uint16_t native_bytes[4][3] = {
    [FLUE_LAYER_NEIGHBOR] = {sizeof(NEIGHBOR_OFFLOAD_STATE_CONST), sizeof(NEIGHBOR_OFFLOAD_STATE_CACHED),
                             sizeof(NEIGHBOR_OFFLOAD_STATE_DELEGATED)},
    [FLUE_LAYER_PATH] = {sizeof(PATH_OFFLOAD_STATE_CONST), sizeof(PATH_OFFLOAD_STATE_CACHED),
                         sizeof(PATH_OFFLOAD_STATE_DELEGATED)},
    [FLUE_LAYER_TCP] = {sizeof(TCP_OFFLOAD_STATE_CONST), sizeof(TCP_OFFLOAD_STATE_CACHED),
                        offsetof(TCP_OFFLOAD_STATE_DELEGATED, DWnd)},
};

static unsigned class_number(unsigned state_class)
{
    return state_class == FLUE_TREE_CONST ? 0 : state_class == FLUE_TREE_CACHED ? 1 : 2;
}

uint32_t state_wire_bytes(unsigned layer, unsigned classes)
{
    uint32_t bytes = 0;

    for (unsigned c = 0; c < 3; c++)
        if ((classes & classes_in_order[c]) != 0)
            bytes += wire_bytes[layer][c];
    return bytes;
}

uint32_t state_native_bytes(unsigned layer, unsigned state_class)
{
    return native_bytes[layer][class_number(state_class)];
}

bool state_place(struct tree_item *item)
{
    const uint8_t *first = flue_ndis_state_first(item->node);
    uint32_t at = 0;

    for (unsigned c = 0; c < 3; c++) {
        uint32_t length;
        if ((item->classes & classes_in_order[c]) == 0)
            continue;
        length = flue_ndis_state_length(first + at);
        if (length < native_bytes[item->layer][c] || length > LENGTH_MAX || length % 4 != 0)
            return false;
        item->place[c] = (uint16_t)at;
        if (item->layer == FLUE_LAYER_TCP && c == 2)
            item->dwnd = length >= FLUE_NDIS_SIZE_THROUGH(TCP_OFFLOAD_STATE_DELEGATED, DWnd);
        at += length;
    }
    return true;
}

/* Copy a state structure out of the host's memory, or back: as much as every revision has, and DWnd where it is. */
static uint32_t copied_bytes(const struct tree_item *item, unsigned c)
{
    if (item->layer == FLUE_LAYER_TCP && c == 2 && item->dwnd)
        return FLUE_NDIS_SIZE_THROUGH(TCP_OFFLOAD_STATE_DELEGATED, DWnd);
    return native_bytes[item->layer][c];
}

static uint8_t *native_at(const struct tree_item *item, unsigned c)
{
    return (uint8_t *)flue_ndis_state_first(item->node) + item->place[c];
}

static void take(const struct tree_item *item, unsigned c, void *record, size_t len_bytes)
{
    memset(record, 0, len_bytes);
    memcpy(record, native_at(item, c), copied_bytes(item, c));
}

static void give(const struct tree_item *item, unsigned c, const void *record)
{
    memcpy(native_at(item, c), record, copied_bytes(item, c));
}

static uint32_t bytes4(const uint8_t *b)
{
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void to_bytes4(uint8_t *b, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++)
        b[i] = (uint8_t)(word >> 8 * i);
}

/* ---- to the wire ------------------------------------------------------------------------------------------------- */

static void write_neighbor(const struct tree_item *item, unsigned c, union wire *w)
{
    NEIGHBOR_OFFLOAD_STATE_CONST constant;
    NEIGHBOR_OFFLOAD_STATE_CACHED cached;
    NEIGHBOR_OFFLOAD_STATE_DELEGATED delegated;
    const uint8_t *mac;

    switch (c) {
    case 0:
        take(item, c, &constant, sizeof constant);
        mac = constant.DlSourceAddress;
        w->neighbor_const.dl_source = bytes4(mac);
        w->neighbor_const.word1 = FLUE_PUT(WIRE_NEIGHBOR_CONST_DL_SOURCE_HI, mac[4] | mac[5] << 8) |
                                  FLUE_PUT(WIRE_NEIGHBOR_CONST_VLAN_ID, constant.VlanId);
        break;
    case 1:
        take(item, c, &cached, sizeof cached);
        mac = cached.DlDestinationAddress;
        w->neighbor_cached.dl_destination = bytes4(mac);
        w->neighbor_cached.word1 = FLUE_PUT(WIRE_NEIGHBOR_CACHED_DL_DESTINATION_HI, mac[4] | mac[5] << 8);
        w->neighbor_cached.host_reachability_delta = cached.HostReachabilityDelta;
        break;
    default:
        take(item, c, &delegated, sizeof delegated);
        w->neighbor_delegated.nic_reachability_delta = delegated.NicReachabilityDelta;
    }
}

static void write_path(const struct tree_item *item, unsigned c, union wire *w)
{
    unsigned words = flue_tree_is_ipv6(item->type) ? 4 : 1;
    PATH_OFFLOAD_STATE_CONST constant;
    PATH_OFFLOAD_STATE_CACHED cached;

    if (c == 0) {
        take(item, c, &constant, sizeof constant);
        for (unsigned i = 0; i < words && constant.SourceAddress != NULL; i++)
            w->path_const.source[i] = bytes4(constant.SourceAddress + 4 * i);
        for (unsigned i = 0; i < words && constant.DestinationAddress != NULL; i++)
            w->path_const.destination[i] = bytes4(constant.DestinationAddress + 4 * i);
    } else if (c == 1) {
        take(item, c, &cached, sizeof cached);
        w->path_cached.path_mtu = cached.PathMtu;
    }
}

static void write_tcp_const(const TCP_OFFLOAD_STATE_CONST *s, struct flue_wire_tcp_const *w)
{
    w->word0 = FLUE_PUT(WIRE_TCP_CONST_FLAGS, s->Flags) | FLUE_PUT(WIRE_TCP_CONST_SND_WIND_SCALE, s->SndWindScale) |
               FLUE_PUT(WIRE_TCP_CONST_RCV_WIND_SCALE, s->RcvWindScale);
    w->ports =
        FLUE_PUT(WIRE_TCP_CONST_REMOTE_PORT, ntohs(s->RemotePort)) | FLUE_PUT(WIRE_TCP_CONST_LOCAL_PORT, ntohs(s->LocalPort));
    w->word2 = FLUE_PUT(WIRE_TCP_CONST_REMOTE_MSS, s->RemoteMss);
    w->hash_value = s->HashValue;
}

static void write_tcp_cached(const TCP_OFFLOAD_STATE_CACHED *s, struct flue_wire_tcp_cached *w)
{
    w->word0 = FLUE_PUT(WIRE_TCP_CACHED_FLAGS, s->Flags);
    w->initial_rcv_wnd = s->InitialRcvWnd;
    w->rcv_indication_size = s->RcvIndicationSize;
    w->word3 = FLUE_PUT(WIRE_TCP_CACHED_KA_PROBE_COUNT, s->KaProbeCount);
    w->ka_timeout = s->KaTimeout;
    w->ka_interval = s->KaInterval;
    w->max_rt = s->MaxRT;
    w->word7 = FLUE_PUT(WIRE_TCP_CACHED_FLOW_LABEL, s->FlowLabel);
    w->word8 = FLUE_PUT(WIRE_TCP_CACHED_TTL, s->TtlOrHopLimit) | FLUE_PUT(WIRE_TCP_CACHED_TOS, s->TosOrTrafficClass) |
               FLUE_PUT(WIRE_TCP_CACHED_USER_PRIORITY, s->UserPriority);
}

static void write_tcp_delegated(const struct tree_item *item, const TCP_OFFLOAD_STATE_DELEGATED *s,
                                struct flue_wire_tcp_delegated *w)
{
    uint32_t state = (uint32_t)s->State;

    /* A state beyond the field stays illegal. */
    if (state > FLUE_WIRE_TCP_DELEGATED_STATE_MASK >> FLUE_WIRE_TCP_DELEGATED_STATE_SHIFT)
        state = FLUE_WIRE_TCP_DELEGATED_STATE_MASK >> FLUE_WIRE_TCP_DELEGATED_STATE_SHIFT;
    w->word0 = FLUE_PUT(WIRE_TCP_DELEGATED_STATE, state) | FLUE_PUT(WIRE_TCP_DELEGATED_FLAGS, s->Flags);
    w->rcv_nxt = s->RcvNxt;
    w->rcv_wnd = s->RcvWnd;
    w->snd_una = s->SndUna;
    w->snd_nxt = s->SndNxt;
    w->snd_max = s->SndMax;
    w->snd_wnd = s->SndWnd;
    w->max_snd_wnd = s->MaxSndWnd;
    w->send_wl1 = s->SendWL1;
    w->cwnd = s->CWnd;
    w->ssthresh = s->SsThresh;
    w->word11 = FLUE_PUT(WIRE_TCP_DELEGATED_SRTT, s->SRtt) | FLUE_PUT(WIRE_TCP_DELEGATED_RTT_VAR, s->RttVar);
    w->ts_recent = s->TsRecent;
    w->ts_recent_age = s->TsRecentAge;
    w->ts_time = s->TsTime;
    w->total_rt = s->TotalRT;
    w->word16 = FLUE_PUT(WIRE_TCP_DELEGATED_DUP_ACK_COUNT, s->DupAckCount) |
                FLUE_PUT(WIRE_TCP_DELEGATED_SND_WND_PROBE_COUNT, s->SndWndProbeCount) |
                FLUE_PUT(WIRE_TCP_DELEGATED_KA_PROBE_COUNT, s->KeepAlive.ProbeCount) |
                FLUE_PUT(WIRE_TCP_DELEGATED_REXMIT_COUNT, s->Retransmit.Count);
    w->ka_timeout_delta = s->KeepAlive.TimeoutDelta;
    w->rexmit_timeout_delta = s->Retransmit.TimeoutDelta;
    w->send_backlog = item->send_bytes;
    w->receive_backlog = item->receive_bytes;
    w->dwnd = s->DWnd;
}

static void write_tcp(const struct tree_item *item, unsigned c, union wire *w)
{
    TCP_OFFLOAD_STATE_CONST constant;
    TCP_OFFLOAD_STATE_CACHED cached;
    TCP_OFFLOAD_STATE_DELEGATED delegated;

    switch (c) {
    case 0:
        take(item, c, &constant, sizeof constant);
        write_tcp_const(&constant, &w->tcp_const);
        break;
    case 1:
        take(item, c, &cached, sizeof cached);
        write_tcp_cached(&cached, &w->tcp_cached);
        break;
    default:
        take(item, c, &delegated, sizeof delegated);
        write_tcp_delegated(item, &delegated, &w->tcp_delegated);
    }
}

void state_write(const struct tree_item *item, uint8_t *out)
{
    for (unsigned c = 0; c < 3; c++) {
        union wire w = {0};
        if ((item->wire_classes & classes_in_order[c]) == 0)
            continue;
        if ((item->classes & classes_in_order[c]) == 0)
            ; /* only asked for by us */
        else if (item->layer == FLUE_LAYER_NEIGHBOR)
            write_neighbor(item, c, &w);
        else if (item->layer == FLUE_LAYER_PATH)
            write_path(item, c, &w);
        else
            write_tcp(item, c, &w);
        for (unsigned i = 0; i < wire_bytes[item->layer][c] / 4u; i++)
            w.word[i] = htole32(w.word[i]);
        memcpy(out, &w, wire_bytes[item->layer][c]);
        out += wire_bytes[item->layer][c];
    }
}

/* ---- from the wire ----------------------------------------------------------------------------------------------- */

static void fetch(const uint8_t *in, union wire *w, uint32_t bytes)
{
    memset(w, 0, sizeof *w);
    memcpy(w, in, bytes);
    for (unsigned i = 0; i < bytes / 4; i++)
        w->word[i] = le32toh(w->word[i]);
}

/* Bits no field covers. */
static bool reserved_set(unsigned layer, unsigned c, const union wire *w)
{
    if (layer == FLUE_LAYER_NEIGHBOR && c == 0)
        return (w->neighbor_const.word1 & FLUE_WIRE_NEIGHBOR_CONST_WORD1_ZERO) != 0;
    if (layer == FLUE_LAYER_NEIGHBOR && c == 1)
        return (w->neighbor_cached.word1 & FLUE_WIRE_NEIGHBOR_CACHED_WORD1_ZERO) != 0;
    if (layer == FLUE_LAYER_TCP && c == 0)
        return ((w->tcp_const.word0 & FLUE_WIRE_TCP_CONST_WORD0_ZERO) |
                (w->tcp_const.word2 & FLUE_WIRE_TCP_CONST_WORD2_ZERO)) != 0;
    if (layer == FLUE_LAYER_TCP && c == 1)
        return ((w->tcp_cached.word0 & FLUE_WIRE_TCP_CACHED_WORD0_ZERO) |
                (w->tcp_cached.word3 & FLUE_WIRE_TCP_CACHED_WORD3_ZERO) |
                (w->tcp_cached.word7 & FLUE_WIRE_TCP_CACHED_WORD7_ZERO) |
                (w->tcp_cached.word8 & FLUE_WIRE_TCP_CACHED_WORD8_ZERO)) != 0;
    if (layer == FLUE_LAYER_TCP)
        return (w->tcp_delegated.word0 & FLUE_WIRE_TCP_DELEGATED_WORD0_ZERO) != 0;
    return false;
}

const char *state_check(const struct tree_item *item, enum flue_tree_op op, const uint8_t *in)
{
    union wire w;

    if (op != FLUE_TREE_QUERY && op != FLUE_TREE_TERMINATE)
        return NULL;
    for (unsigned c = 0; c < 3; c++) {
        if ((item->wire_classes & classes_in_order[c]) == 0)
            continue;
        fetch(in, &w, wire_bytes[item->layer][c]);
        in += wire_bytes[item->layer][c];
        if (reserved_set(item->layer, c, &w))
            return "a state came back with reserved bits set";
        if (item->layer != FLUE_LAYER_TCP || c != 2)
            continue;
        if (FLUE_GET(WIRE_TCP_DELEGATED_STATE, w.tcp_delegated.word0) >= TcpConnectionMaxState)
            return "a connection came back in a state that does not exist";
        if (w.tcp_delegated.snd_nxt - w.tcp_delegated.snd_una > w.tcp_delegated.snd_max - w.tcp_delegated.snd_una)
            return "a connection came back with SndNxt beyond SndMax"; /* CH-121 */
        if (w.tcp_delegated.snd_max - w.tcp_delegated.snd_una > SENT_MAX)
            return "a connection came back with SndUna beyond SndMax";
    }
    return NULL;
}

static void read_neighbor(const struct tree_item *item, unsigned c, const union wire *w)
{
    NEIGHBOR_OFFLOAD_STATE_CONST constant;
    NEIGHBOR_OFFLOAD_STATE_CACHED cached;
    NEIGHBOR_OFFLOAD_STATE_DELEGATED delegated;
    uint32_t high;

    switch (c) {
    case 0:
        take(item, c, &constant, sizeof constant);
        memset(constant.DlSourceAddress, 0, sizeof constant.DlSourceAddress);
        to_bytes4(constant.DlSourceAddress, w->neighbor_const.dl_source);
        high = FLUE_GET(WIRE_NEIGHBOR_CONST_DL_SOURCE_HI, w->neighbor_const.word1);
        constant.DlSourceAddress[4] = (uint8_t)high;
        constant.DlSourceAddress[5] = (uint8_t)(high >> 8);
        constant.VlanId = FLUE_GET(WIRE_NEIGHBOR_CONST_VLAN_ID, w->neighbor_const.word1) & 0xFFFu;
        give(item, c, &constant);
        break;
    case 1:
        take(item, c, &cached, sizeof cached);
        memset(cached.DlDestinationAddress, 0, sizeof cached.DlDestinationAddress);
        to_bytes4(cached.DlDestinationAddress, w->neighbor_cached.dl_destination);
        high = FLUE_GET(WIRE_NEIGHBOR_CACHED_DL_DESTINATION_HI, w->neighbor_cached.word1);
        cached.DlDestinationAddress[4] = (uint8_t)high;
        cached.DlDestinationAddress[5] = (uint8_t)(high >> 8);
        cached.HostReachabilityDelta = w->neighbor_cached.host_reachability_delta;
        give(item, c, &cached);
        break;
    default:
        take(item, c, &delegated, sizeof delegated);
        delegated.NicReachabilityDelta = w->neighbor_delegated.nic_reachability_delta;
        give(item, c, &delegated);
    }
}

static void read_path(const struct tree_item *item, unsigned c, const union wire *w, uint8_t addresses[2][16])
{
    PATH_OFFLOAD_STATE_CONST constant;
    PATH_OFFLOAD_STATE_CACHED cached;

    if (c == 0 && addresses != NULL) {
        for (unsigned i = 0; i < 4; i++) {
            to_bytes4(addresses[0] + 4 * i, w->path_const.source[i]);
            to_bytes4(addresses[1] + 4 * i, w->path_const.destination[i]);
        }
        take(item, c, &constant, sizeof constant);
        constant.SourceAddress = addresses[0];
        constant.DestinationAddress = addresses[1];
        give(item, c, &constant);
    } else if (c == 1) {
        take(item, c, &cached, sizeof cached);
        cached.PathMtu = w->path_cached.path_mtu;
        give(item, c, &cached);
    }
}

static void read_tcp_const(TCP_OFFLOAD_STATE_CONST *s, const struct flue_wire_tcp_const *w)
{
    s->Flags = (uint16_t)FLUE_GET(WIRE_TCP_CONST_FLAGS, w->word0);
    s->SndWindScale = FLUE_GET(WIRE_TCP_CONST_SND_WIND_SCALE, w->word0) & 0xFu;
    s->RcvWindScale = FLUE_GET(WIRE_TCP_CONST_RCV_WIND_SCALE, w->word0) & 0xFu;
    s->RemotePort = htons((uint16_t)FLUE_GET(WIRE_TCP_CONST_REMOTE_PORT, w->ports));
    s->LocalPort = htons((uint16_t)FLUE_GET(WIRE_TCP_CONST_LOCAL_PORT, w->ports));
    s->RemoteMss = (uint16_t)FLUE_GET(WIRE_TCP_CONST_REMOTE_MSS, w->word2);
    s->HashValue = w->hash_value;
}

static void read_tcp_cached(TCP_OFFLOAD_STATE_CACHED *s, const struct flue_wire_tcp_cached *w)
{
    s->Flags = (uint16_t)FLUE_GET(WIRE_TCP_CACHED_FLAGS, w->word0);
    s->InitialRcvWnd = w->initial_rcv_wnd;
    s->RcvIndicationSize = w->rcv_indication_size;
    s->KaProbeCount = (uint8_t)FLUE_GET(WIRE_TCP_CACHED_KA_PROBE_COUNT, w->word3);
    s->KaTimeout = w->ka_timeout;
    s->KaInterval = w->ka_interval;
    s->MaxRT = w->max_rt;
    s->FlowLabel = FLUE_GET(WIRE_TCP_CACHED_FLOW_LABEL, w->word7) & 0xFFFFFu;
    s->TtlOrHopLimit = (uint8_t)FLUE_GET(WIRE_TCP_CACHED_TTL, w->word8);
    s->TosOrTrafficClass = (uint8_t)FLUE_GET(WIRE_TCP_CACHED_TOS, w->word8);
    s->UserPriority = FLUE_GET(WIRE_TCP_CACHED_USER_PRIORITY, w->word8) & 7u;
}

/* The pointers of a terminate are the target's to write: null here. */
static void read_tcp_delegated(enum flue_tree_op op, TCP_OFFLOAD_STATE_DELEGATED *s, const struct flue_wire_tcp_delegated *w)
{
    s->State = (TCP_OFFLOAD_CONNECTION_STATE)FLUE_GET(WIRE_TCP_DELEGATED_STATE, w->word0);
    s->Flags = (uint16_t)FLUE_GET(WIRE_TCP_DELEGATED_FLAGS, w->word0);
    s->RcvNxt = w->rcv_nxt;
    s->RcvWnd = w->rcv_wnd;
    s->SndUna = w->snd_una;
    s->SndNxt = w->snd_nxt;
    s->SndMax = w->snd_max;
    s->SndWnd = w->snd_wnd;
    s->MaxSndWnd = w->max_snd_wnd;
    s->SendWL1 = w->send_wl1;
    s->CWnd = w->cwnd;
    s->SsThresh = w->ssthresh;
    s->SRtt = (uint16_t)FLUE_GET(WIRE_TCP_DELEGATED_SRTT, w->word11);
    s->RttVar = (uint16_t)FLUE_GET(WIRE_TCP_DELEGATED_RTT_VAR, w->word11);
    s->TsRecent = w->ts_recent;
    s->TsRecentAge = w->ts_recent_age;
    s->TsTime = w->ts_time;
    s->TotalRT = w->total_rt;
    s->DupAckCount = (uint8_t)FLUE_GET(WIRE_TCP_DELEGATED_DUP_ACK_COUNT, w->word16);
    s->SndWndProbeCount = (uint8_t)FLUE_GET(WIRE_TCP_DELEGATED_SND_WND_PROBE_COUNT, w->word16);
    s->KeepAlive.ProbeCount = (uint8_t)FLUE_GET(WIRE_TCP_DELEGATED_KA_PROBE_COUNT, w->word16);
    s->KeepAlive.TimeoutDelta = w->ka_timeout_delta;
    s->Retransmit.Count = (uint8_t)FLUE_GET(WIRE_TCP_DELEGATED_REXMIT_COUNT, w->word16);
    s->Retransmit.TimeoutDelta = w->rexmit_timeout_delta;
    s->SendDataHead = s->SendDataTail = NULL;
    s->BufferedData = NULL;
    if (op == FLUE_TREE_QUERY) {
        s->SendBacklogSize = w->send_backlog;
        s->ReceiveBacklogSize = w->receive_backlog;
    }
    s->DWnd = w->dwnd;
}

static void read_tcp(const struct tree_item *item, enum flue_tree_op op, unsigned c, const union wire *w)
{
    TCP_OFFLOAD_STATE_CONST constant;
    TCP_OFFLOAD_STATE_CACHED cached;
    TCP_OFFLOAD_STATE_DELEGATED delegated;

    switch (c) {
    case 0:
        take(item, c, &constant, sizeof constant);
        read_tcp_const(&constant, &w->tcp_const);
        give(item, c, &constant);
        break;
    case 1:
        take(item, c, &cached, sizeof cached);
        read_tcp_cached(&cached, &w->tcp_cached);
        give(item, c, &cached);
        break;
    default:
        take(item, c, &delegated, sizeof delegated);
        read_tcp_delegated(op, &delegated, &w->tcp_delegated);
        give(item, c, &delegated);
    }
}

void state_read(const struct tree_item *item, enum flue_tree_op op, const uint8_t *in, uint8_t addresses[2][16])
{
    for (unsigned c = 0; c < 3; c++) {
        union wire w;
        if ((item->wire_classes & classes_in_order[c]) == 0)
            continue;
        fetch(in, &w, wire_bytes[item->layer][c]);
        in += wire_bytes[item->layer][c];
        if ((item->classes & classes_in_order[c]) == 0)
            continue;
        if (item->layer == FLUE_LAYER_NEIGHBOR)
            read_neighbor(item, c, &w);
        else if (item->layer == FLUE_LAYER_PATH)
            read_path(item, c, &w, addresses);
        else
            read_tcp(item, op, c, &w);
    }
}

uint32_t state_tcp_delegated_word(const struct tree_item *item, const uint8_t *in, size_t offset)
{
    uint32_t word;

    in += state_wire_bytes(item->layer, item->wire_classes & (unsigned)~FLUE_TREE_DELEGATED);
    memcpy(&word, in + offset, sizeof word);
    return le32toh(word);
}
