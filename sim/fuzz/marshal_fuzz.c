/*
 * Trees of the host through the driver's walk and marshalling to a device, and its answers back: both sides as the input says.
 *
 * Input: operations of one byte with bytes behind them.  The host builds trees of any shape (loops, shared nodes, forged
 * contexts, lengths that cannot be) and starts operations with them; the device executes, and now and then its answer is
 * spoilt, its queue stopped, or a notice invented.  Whatever happens: every operation completes exactly once, every packet
 * comes back exactly once, every buffer is given back, and the driver touches nothing that is not a tree's.
 */
#include "../../host/test/ndis_fake.c"
#include <stdio.h>
#include "flue/ndis/target.h"

enum { NODES = 24, PACKETS = 12, STATE_ROOM = 3 * 512, ROWS = 6, FRESH = 0x12345678 };

struct input {
    const uint8_t *data;
    size_t len;
};

static uint32_t take(struct input *in, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes && in->len > 0; i++, in->len--)
        value |= (uint32_t)*in->data++ << 8 * i;
    return value;
}

#define require(truth)                                                                                                         \
    do {                                                                                                                       \
        if (!(truth)) {                                                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #truth);                                                \
            abort();                                                                                                           \
        }                                                                                                                      \
    } while (0)

/* ---- the host -------------------------------------------------------------------------------------------------------- */

typedef NDIS_MINIPORT_OFFLOAD_BLOCK_LIST node_t;

struct packet {
    NET_BUFFER_LIST list;
    NET_BUFFER buffer;
    MDL piece;
    uint8_t bytes[32];
    bool given; /* to the driver */
};

static struct host {
    struct fake *fake;
    struct flue_target *target;
    node_t *node[NODES];
    void *cell[NODES];
    uint8_t type[NODES], padding[NODES]; /* as made; padding of every structure, words */
    const node_t *busy[NODES];           /* root of the operation it is in */
    enum flue_tree_op op[NODES];         /* by root */
    bool is_new[NODES];                  /* its cell was empty when the operation began */
    struct packet packet[PACKETS];
    uint8_t address[2][16];
    unsigned called, completed;
    bool paused, closed, uploading, again;
    struct input *in;
} h;

static unsigned number_of(const node_t *node)
{
    for (unsigned i = 0; i < NODES; i++)
        if (h.node[i] == node)
            return i;
    return NODES;
}

/* Every node that a walk from here can reach. */
static void reach(unsigned from, bool seen[NODES])
{
    unsigned todo[2 * NODES + 2], count = 0;

    todo[count++] = from;
    while (count > 0) {
        unsigned n = todo[--count];
        if (n >= NODES || seen[n])
            continue;
        seen[n] = true;
        todo[count++] = number_of(h.node[n]->DependentBlockList);
        todo[count++] = number_of(h.node[n]->NextBlock);
    }
}

static unsigned classes_of(unsigned type)
{
    return flue_tree_classes(type);
}

/* The states behind a node as a host would set them up: lengths, addresses, and values of the input's. */
static void node_reset(unsigned n)
{
    static const uint32_t native[4][3] = {
        [1] = {sizeof(NEIGHBOR_OFFLOAD_STATE_CONST), sizeof(NEIGHBOR_OFFLOAD_STATE_CACHED),
               sizeof(NEIGHBOR_OFFLOAD_STATE_DELEGATED)},
        [2] = {sizeof(PATH_OFFLOAD_STATE_CONST), sizeof(PATH_OFFLOAD_STATE_CACHED), sizeof(PATH_OFFLOAD_STATE_DELEGATED)},
        [3] = {sizeof(TCP_OFFLOAD_STATE_CONST), sizeof(TCP_OFFLOAD_STATE_CACHED), sizeof(TCP_OFFLOAD_STATE_DELEGATED)}};
    unsigned layer = flue_tree_layer(h.type[n]);
    uint8_t *at = (uint8_t *)(h.node[n] + 1);

    memset(at, 0, STATE_ROOM);
    for (unsigned c = 0; c < 3; c++) {
        PATH_OFFLOAD_STATE_CONST path = {.SourceAddress = h.address[0], .DestinationAddress = h.address[1]};
        TCP_OFFLOAD_STATE_CONST tcp = {.RemotePort = (uint16_t)n, .RemoteMss = 1460};
        TCP_OFFLOAD_STATE_DELEGATED delegated = {.State = TcpConnectionEstablished, .SndUna = 100 * n, .SndNxt = 100 * n};
        if ((classes_of(h.type[n]) & 1u << c) == 0)
            continue;
        uint32_t length = native[layer][c] + 4u * h.padding[n];
        if (layer == 2 && c == 0)
            memcpy(at, &path, sizeof path);
        if (layer == 3 && c == 0)
            memcpy(at, &tcp, sizeof tcp);
        if (layer == 3 && c == 2)
            memcpy(at, &delegated, sizeof delegated);
        memcpy(at, &length, sizeof length);
        at += length;
    }
}

/* What an ended terminate left in the host's memory, and what is the host's again. */
static void node_ended(unsigned n, enum flue_tree_op op)
{
    node_t *node = h.node[n];
    unsigned type = node->Header.Type;

    if (op == FLUE_TREE_TERMINATE && node->Status == NDIS_STATUS_SUCCESS && type == h.type[n] &&
        flue_tree_layer(type) == FLUE_LAYER_TCP && (classes_of(type) & FLUE_TREE_DELEGATED) != 0 &&
        flue_tree_state_classes(op, type) == FLUE_TREE_DELEGATED) {
        TCP_OFFLOAD_STATE_DELEGATED d;
        memcpy(&d, flue_ndis_state_first(node), offsetof(TCP_OFFLOAD_STATE_DELEGATED, DWnd));
        if (d.BufferedData != NULL)
            require(MiniportTcpOffloadReceiveReturn(h.target, d.BufferedData) == NDIS_STATUS_SUCCESS);
    }
    bool taken = op == FLUE_TREE_INITIATE && h.is_new[n] &&
                 (node->Status == NDIS_STATUS_SUCCESS || node->Status == NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS);
    for (NET_BUFFER_LIST *list = node->NetBufferListChain; !taken && list != NULL; list = list->Next)
        for (unsigned p = 0; p < PACKETS; p++)
            if (list == &h.packet[p].list)
                h.packet[p].given = false;
    node->NetBufferListChain = NULL;
    node_reset(n);
}

static void completed(enum flue_tree_op op, node_t *root)
{
    unsigned r = number_of(root), count = 0;

    require(r < NODES && h.busy[r] == root && h.op[r] == op);
    h.completed++;
    for (unsigned n = 0; n < NODES; n++)
        if (h.busy[n] == root) {
            h.busy[n] = NULL;
            node_ended(n, op);
            count++;
        }
    require(count > 0);
    require(root->Status != FRESH || root->Header.Size != sizeof *root); /* what is no block list is not touched */
}

#define COMPLETE(name, op)                                                                                                     \
    static void name(NDIS_HANDLE miniport, node_t *root)                                                                       \
    {                                                                                                                          \
        (void)miniport;                                                                                                        \
        completed(op, root);                                                                                                   \
    }
COMPLETE(initiate_done, FLUE_TREE_INITIATE)
COMPLETE(query_done, FLUE_TREE_QUERY)
COMPLETE(update_done, FLUE_TREE_UPDATE)
COMPLETE(invalidate_done, FLUE_TREE_INVALIDATE)
COMPLETE(terminate_done, FLUE_TREE_TERMINATE)

static void sends_done(NDIS_HANDLE miniport, NET_BUFFER_LIST *list)
{
    (void)miniport;
    for (NET_BUFFER_LIST *next; list != NULL; list = next) {
        struct packet *p = NULL;
        next = list->Next;
        for (unsigned i = 0; i < PACKETS; i++)
            if (list == &h.packet[i].list)
                p = &h.packet[i];
        require(p != NULL && p->given);
        p->given = false;
    }
}

static void event(NDIS_HANDLE object, uint32_t event, uint32_t information)
{
    (void)object;
    require(event == TcpIndicateRetrieve || event == TcpIndicateAbort);
    require(information < MaxUploadReason);
}

static void neighbor_event(NDIS_HANDLE miniport, node_t *node, uint32_t code)
{
    (void)miniport;
    require(code == NeighborReachabilityQuery && node->NextBlock == NULL);
}

static bool is_paused(void *ctx)
{
    (void)ctx;
    return h.paused || h.closed;
}

static bool is_closed(void *ctx)
{
    (void)ctx;
    return h.closed;
}

static bool is_uploading(void *ctx)
{
    (void)ctx;
    return h.uploading;
}

/* ---- the device ------------------------------------------------------------------------------------------------------ */

/* Spoil an answer: words of the buffer, or of the completion. */
static void lie(struct fake *f, const struct flue_sqe *sqe, uint8_t *buffer, struct flue_admin_done *done)
{
    uint32_t spoil = take(h.in, 1);

    (void)f;
    if (spoil < 160)
        return;
    for (unsigned i = 0; i < (spoil & 3) && sqe->length >= 4; i++) {
        uint32_t at = take(h.in, 2) % (sqe->length / 4) * 4, word = take(h.in, 2), how = take(h.in, 1);
        uint32_t value = (how & 1) != 0 ? word << 16 | word : word;
        memcpy(buffer + at, &value, 4);
    }
    if ((spoil & 0x0C) == 0x0C)
        done->result = take(h.in, 2);
    if ((spoil & 0x1C) == 0x10)
        done->status = take(h.in, 1) % 2 == 0 ? (uint32_t)NDIS_STATUS_REQUEST_ABORTED : 0xC0000000u | take(h.in, 1);
    if ((spoil & 0x1C) == 0x14)
        done->detail = (enum flue_admin_detail)(take(h.in, 1) % 48);
}

static enum flue_err restart(void *ctx)
{
    (void)ctx;
    if (take(h.in, 1) % 4 == 0)
        return FLUE_ETIMEOUT;
    fake_abort(h.fake);
    return FLUE_OK;
}

/* ---- operations ------------------------------------------------------------------------------------------------------ */

static void node_make(struct input *in)
{
    unsigned n = take(in, 1) % NODES, type = take(in, 1) % 19;

    if (h.busy[n] != NULL)
        return;
    h.type[n] = (uint8_t)(flue_tree_layer(type) != FLUE_LAYER_NONE ? type : NeighborOffloadState);
    h.padding[n] = (uint8_t)(take(in, 1) % 8);
    h.node[n]->Header = (NDIS_OBJECT_HEADER){.Type = (uint8_t)type, .Revision = 1, .Size = sizeof *h.node[n]};
    node_reset(n);
}

static void node_link(struct input *in)
{
    unsigned n = take(in, 1) % NODES, to = take(in, 1) % (NODES + 4);
    bool below = take(in, 1) % 2 != 0;

    if (h.busy[n] != NULL)
        return;
    if (below)
        h.node[n]->DependentBlockList = to < NODES ? h.node[to] : NULL;
    else
        h.node[n]->NextBlock = to < NODES ? h.node[to] : NULL;
}

/* Values of a state, not its pointers; a length only to one that cannot be, or the layout would be another. */
static void node_poke(struct input *in)
{
    static const uint32_t lengths[] = {0, 4, 7, 513, 516, 0xFFFFFFFFu, 0x80000000u};
    unsigned n = take(in, 1) % NODES, what = take(in, 1), at = take(in, 1);
    uint32_t value = take(in, 4);
    uint8_t *state = (uint8_t *)(h.node[n] + 1);

    if (h.busy[n] != NULL)
        return;
    switch (what % 8) {
    case 0:
        memcpy(state, &lengths[at % 7], 4);
        break;
    case 1:
        h.node[n]->Header.Size = (uint16_t)value;
        break;
    case 2:
        h.node[n]->Header.Revision = (uint8_t)value;
        break;
    case 3: /* a context: forged, another's, none, or a place without one */
        h.cell[n] = (at & 3) == 0 ? (void *)(uintptr_t)value : (at & 3) == 1 ? h.cell[value % NODES] : NULL;
        break;
    case 4:
        h.node[n]->MiniportOffloadContext = at % 4 == 0 ? NULL : &h.cell[at % 4 == 1 ? value % NODES : n];
        break;
    default: /* behind the header of the first structure, but for the pointers of a path and of a connection's delegated state
              */
        if (flue_tree_layer(h.type[n]) == FLUE_LAYER_NEIGHBOR || (h.type[n] == TcpOffloadState && at % 32 < 4) ||
            h.type[n] == TcpOffloadCachedState || h.type[n] == TcpOffloadConstState ||
            (h.type[n] == TcpOffloadDelegatedState && at % 32 < 16))
            memcpy(state + 8 + 4 * (at % 32 < 16 ? at % 32 : 0), &value, 4);
    }
}

/* A packet that is the host's, with as many bytes as it has, or says it has. */
static struct packet *packet_get(struct input *in)
{
    struct packet *p = &h.packet[take(in, 1) % PACKETS];
    uint32_t length = take(in, 1);

    if (p->given)
        return NULL;
    memset(p, 0, sizeof *p);
    p->piece = (MDL){.MappedSystemVa = p->bytes, .ByteCount = sizeof p->bytes};
    p->buffer = (NET_BUFFER){.CurrentMdl = &p->piece, .MdlChain = &p->piece, .DataLength = length % 40};
    p->list.FirstNetBuffer = length < 250 ? &p->buffer : NULL;
    return p;
}

static void start(struct input *in)
{
    enum flue_tree_op op = (enum flue_tree_op)(take(in, 1) % FLUE_TREE_OPS);
    unsigned root = take(in, 1) % NODES;
    bool seen[NODES] = {false};

    reach(root, seen);
    for (unsigned n = 0; n < NODES; n++)
        if (seen[n] && h.busy[n] != NULL)
            return;
    for (unsigned n = 0; n < NODES; n++)
        for (unsigned m = 0; m < NODES; m++) /* a cell is its tree's as well */
            if (seen[n] && h.busy[m] != NULL && h.node[n]->MiniportOffloadContext == h.node[m]->MiniportOffloadContext)
                return;
    for (unsigned n = 0; n < NODES; n++)
        if (seen[n]) {
            h.busy[n] = h.node[root];
            h.node[n]->Status = (NDIS_STATUS)FRESH;
            h.is_new[n] = h.node[n]->MiniportOffloadContext != NULL && *h.node[n]->MiniportOffloadContext == NULL;
        }
    if (op == FLUE_TREE_INITIATE && h.node[root]->MiniportOffloadContext != NULL) {
        struct packet *p = packet_get(in);
        unsigned n = take(in, 1) % NODES;
        if (p != NULL && seen[n] && h.node[n]->NetBufferListChain == NULL && h.node[n]->Header.Type == TcpOffloadState) {
            h.node[n]->NetBufferListChain = &p->list;
            p->given = true;
        }
    }
    h.op[root] = op;
    h.called++;
    unsigned before = h.completed;
    flue_target_entry[op](h.target, h.node[root]);
    require(h.completed == before); /* never from inside */
}

static void send(struct input *in)
{
    unsigned n = take(in, 1) % NODES;
    struct packet *p = packet_get(in);

    if (p == NULL)
        return;
    p->given = true;
    if (MiniportTcpOffloadSend(h.target, h.cell[n], &p->list) != NDIS_STATUS_PENDING)
        p->given = false;
}

static void notice(struct input *in)
{
    uint32_t kind = take(in, 1) % 8, status = take(in, 1) % 16, layer = take(in, 1) % 4, row = take(in, 1) % 8;

    flue_target_notice(h.target, (enum flue_cqe_kind)kind, status,
                       kind == FLUE_CQ_TABLE_ERROR ? FLUE_PUT(TABLE_ERROR_TABLE, layer) | FLUE_PUT(TABLE_ERROR_ROW, row)
                                                   : FLUE_PUT(HANDLE_KIND, layer) | FLUE_PUT(HANDLE_INDEX, row) |
                                                         FLUE_PUT(HANDLE_GENERATION, take(in, 1) % 4));
}

static void step(struct input *in)
{
    struct flue_admin_done done = {0};
    uint32_t a;

    switch (take(in, 1) % 16) {
    case 0:
    case 1:
        node_make(in);
        break;
    case 2:
    case 3:
        node_link(in);
        break;
    case 4:
        node_poke(in);
        break;
    case 5:
    case 6:
    case 7:
        start(in);
        break;
    case 8:
    case 9:
        flue_target_run(h.target);
        (void)fake_step(h.fake);
        break;
    case 10:
        flue_target_run(h.target);
        a = take(in, 1);
        if (a % 4 == 0)
            fake_abort(h.fake);
        else
            fake_step_backwards(h.fake);
        break;
    case 11:
        a = take(in, 1);
        h.paused = (a & 1) != 0;
        h.closed = (a & 6) == 6;
        h.uploading = (a & 8) != 0;
        h.fake->room = 1 + (a >> 4);
        h.fake->refuse_memory = a == 0xFF;
        break;
    case 12:
        notice(in);
        break;
    case 13:
        send(in);
        break;
    case 14: /* the device loses or corrupts an object, and starts anew */
        a = take(in, 2);
        struct fake_row *row = &h.fake->rows[1 + a % 3][a / 4 % ROWS];
        if (row->used && (a & 0x100) != 0)
            row->corrupt = true;
        else if (row->used)
            row->state[a >> 9 & 31] ^= 1;
        if ((a & 0x4000) != 0)
            flue_target_stopped(h.target);
        else
            (void)!flue_target_reconcile(h.target);
        break;
    case 15:
        a = take(in, 1);
        if (a == 0)
            flue_target_done(h.target, &done); /* nobody sent that */
        else if (a < 64)
            (void)!flue_target_upload_all(h.target);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct flue_target_params params = {
        .ndis = {.complete = {initiate_done, query_done, update_done, invalidate_done, terminate_done},
                 .tcp_event = event,
                 .send_complete = sends_done,
                 .offload_event = neighbor_event},
        .gate = {.paused = is_paused, .closed = is_closed, .uploading = is_uploading},
        .restarts = 2,
        .rows = {0, ROWS, ROWS, ROWS}};

    memset(&h, 0, sizeof h);
    h.in = &in;
    h.fake = fake_new(ROWS, ROWS, ROWS);
    h.fake->lie = lie;
    fake_ops(h.fake, &params.ops);
    params.ops.restart = restart;
    require(flue_target_create(&params, &h.target) == FLUE_OK);
    h.fake->target = h.target;
    for (unsigned n = 0; n < NODES; n++) {
        h.node[n] = calloc(1, sizeof *h.node[n] + STATE_ROOM);
        require(h.node[n] != NULL);
        h.node[n]->MiniportOffloadContext = &h.cell[n];
        h.node[n]->NdisOffloadHandle = &h.cell[n];
        h.node[n]->Header = (NDIS_OBJECT_HEADER){.Type = NeighborOffloadState, .Revision = 1, .Size = sizeof *h.node[n]};
        h.type[n] = NeighborOffloadState;
        node_reset(n);
    }
    while (in.len > 0)
        step(&in);
    h.paused = h.closed = false;
    for (unsigned i = 0; i < 64 && flue_target_outstanding(h.target) > 0; i++) {
        flue_target_run(h.target);
        while (fake_step(h.fake))
            ;
    }
    require(flue_target_destroy(h.target) == FLUE_OK);
    require(h.completed == h.called);
    for (unsigned p = 0; p < PACKETS; p++)
        require(!h.packet[p].given);
    for (unsigned i = 0; i < 16; i++)
        require(h.fake->region[i] == NULL);
    for (unsigned n = 0; n < NODES; n++)
        free(h.node[n]);
    fake_free(h.fake);
    return 0;
}
