/* The target: contexts, order, what is handed over and comes back, recovery. */
#include "ndis_rig.h"

#include "slots.h"

/* ---- operations -------------------------------------------------------------------------------------------------- */

/* CH-015, CH-036, CH-124: many at once, each completed once with its root; fewer commands fit than are asked for. */
TEST(overlapping_operations_all_complete_once)
{
    node_t *roots[100];
    rig_open(100, 4, 4);
    rig.fake->room = 3;
    for (unsigned i = 0; i < 100; i++) {
        roots[i] = new_neighbor();
        MiniportInitiateOffload(rig.target, roots[i]);
    }
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 0);
    CHECK_EQ(flue_target_outstanding(rig.target), 100);
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 100);
    for (unsigned i = 0; i < 100; i++) {
        CHECK_EQ(roots[i]->Status, NDIS_STATUS_SUCCESS);
        CHECK(rig.notes[i].who == roots[i]);
    }
    for (unsigned i = 0; i < 10; i++) /* one object, many queries */
        MiniportQueryOffload(rig.target, refer(roots[0], NeighborOffloadState, ALL));
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_QUERY], 10);
    CHECK_EQ(flue_target_outstanding(rig.target), 0);
    rig_close();
}

/* CH-024, CH-025, CH-120: contexts of nothing, of what is gone and of another layer stay with the driver. */
TEST(forged_stale_and_wrong_contexts_never_reach_the_device)
{
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    void *context = *c.tcp->MiniportOffloadContext, *cell;
    unsigned before = rig.fake->commands;
    node_t *q;
    for (unsigned bit = 0; bit < 64; bit++) {
        q = refer(c.tcp, TcpOffloadState, ALL);
        cell = (void *)((uintptr_t)context ^ (uintptr_t)1 << bit);
        q->MiniportOffloadContext = &cell;
        run_op(FLUE_TREE_QUERY, q);
        CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    }
    q = refer(c.tcp, NeighborOffloadState, ALL);
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(flue_target_detail(q), FLUE_AD_WRONG_KIND);
    q = refer(c.path, Ip6OffloadState, ALL); /* it is IPv4 */
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(flue_target_detail(q), FLUE_AD_WRONG_KIND);
    CHECK_EQ(rig.fake->commands, before);
    run_op(FLUE_TREE_TERMINATE, refer_full(c.tcp));
    q = refer(c.tcp, TcpOffloadState, ALL);
    before = rig.fake->commands;
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(q), FLUE_AD_STALE);
    CHECK_EQ(rig.fake->commands, before);
    rig_close();
}

/* CH-129, CH-150: a path moves to another neighbor, then the old one can go; before, it cannot. */
TEST(a_relinked_path_frees_its_old_neighbor)
{
    struct flue_target_object object;
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    node_t *n2 = new_neighbor(), *up, *down, *end;
    run_op(FLUE_TREE_INITIATE, n2);
    end = refer_full(c.neighbor);
    run_op(FLUE_TREE_TERMINATE, end);
    CHECK_EQ(end->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(end), FLUE_AD_BUSY);
    up = refer_full(n2);
    down = add(up, refer_full(c.path));
    run_op(FLUE_TREE_UPDATE, up);
    CHECK_EQ(down->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(flue_target_object(rig.target, *c.path->MiniportOffloadContext, &object), FLUE_OK);
    CHECK(object.parent == *n2->MiniportOffloadContext);
    end = refer_full(c.neighbor);
    run_op(FLUE_TREE_TERMINATE, end);
    CHECK_EQ(end->Status, NDIS_STATUS_SUCCESS);
    CHECK(rig.fault == NULL);
    rig_close();
}

/* CH-137: an invalidated object stays until it is terminated. */
TEST(invalidate_marks_and_keeps)
{
    struct flue_target_object object;
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    run_op(FLUE_TREE_INVALIDATE, refer_full(c.neighbor));
    CHECK_EQ(flue_target_object(rig.target, *c.neighbor->MiniportOffloadContext, &object), FLUE_OK);
    CHECK(object.invalidated && object.dependents == 1);
    rig_close();
}

/* CH-196: a late initiate waits for the RESUME, existing objects go on. */
TEST(an_initiate_during_a_pause_waits)
{
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    node_t *late = new_neighbor();
    rig.paused = true;
    MiniportInitiateOffload(rig.target, late);
    run_op(FLUE_TREE_QUERY, refer(c.tcp, TcpOffloadState, ALL));
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 1);
    rig.paused = false;
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 2);
    CHECK_EQ(late->Status, NDIS_STATUS_SUCCESS);
    rig_close();
}

/* CH-196: what is at the device is completed, what waits for its queue is held back, and taken after the RESUME. */
TEST(a_pause_finishes_what_is_under_way_and_holds_the_rest)
{
    node_t *n[10];
    rig_open(16, 4, 4);
    rig.fake->room = 3;
    for (unsigned i = 0; i < 10; i++) {
        n[i] = new_neighbor();
        MiniportInitiateOffload(rig.target, n[i]);
    }
    flue_target_run(rig.target);
    rig.paused = true;
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 3);
    CHECK_EQ(rig.fake->commands, 3);
    CHECK_EQ(flue_target_outstanding(rig.target), 7);
    node_t *end = refer_full(n[0]);
    run_op(FLUE_TREE_TERMINATE, end); /* of what is there, at once */
    CHECK_EQ(end->Status, NDIS_STATUS_SUCCESS);
    rig.paused = false;
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 10);
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQ(n[i]->Status, NDIS_STATUS_SUCCESS);
    rig_close();
}

/* CH-196, CH-199: without power an initiate ends with FAILURE, DISABLED, also one that waited for a RESUME. */
TEST(an_initiate_without_power_is_refused_not_held)
{
    rig_open(4, 4, 4);
    node_t *waits = new_neighbor(), *late = new_neighbor(), *below = add(late, new_path(false, 1));
    rig.paused = true;
    MiniportInitiateOffload(rig.target, waits);
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 0);
    rig.closed = true;
    rig_work();
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 1);
    run_op(FLUE_TREE_INITIATE, late);
    CHECK_EQ(rig.fake->commands, 0);
    CHECK_EQ(waits->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(late->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(below->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(flue_target_detail(waits), FLUE_AD_DISABLED);
    CHECK_EQ(flue_target_detail(late), FLUE_AD_DISABLED);
    CHECK(*late->MiniportOffloadContext == NULL);
    rig_close();
}

/* CH-016: no memory for the device is a status, not a crash. */
TEST(no_memory_for_the_device_fails_the_operation)
{
    rig_open(4, 4, 4);
    node_t *n = new_neighbor();
    rig.fake->refuse_memory = true;
    run_op(FLUE_TREE_INITIATE, n);
    CHECK_EQ(n->Status, NDIS_STATUS_FAILURE);
    CHECK(*n->MiniportOffloadContext == NULL);
    rig.fake->refuse_memory = false;
    run_op(FLUE_TREE_INITIATE, n);
    CHECK_EQ(n->Status, NDIS_STATUS_SUCCESS);
    rig_close();
}

/* ---- data at hand-over --------------------------------------------------------------------------------------------- */

struct packet {
    NET_BUFFER_LIST list;
    NET_BUFFER buffer;
    MDL first, second;
    uint8_t bytes[64];
};

/* A packet in two pieces that begins `offset` bytes into the first one. */
static void packet_make(struct packet *p, uint32_t offset, uint32_t length, struct packet *next)
{
    memset(p, 0, sizeof *p);
    for (unsigned i = 0; i < 64; i++)
        p->bytes[i] = (uint8_t)i;
    p->first = (MDL){.Next = &p->second, .MappedSystemVa = p->bytes, .ByteCount = 16};
    p->second = (MDL){.MappedSystemVa = p->bytes + 16, .ByteCount = 48};
    p->buffer = (NET_BUFFER){
        .CurrentMdl = &p->first, .CurrentMdlOffset = offset, .DataLength = length, .MdlChain = &p->first, .DataOffset = offset};
    p->list = (NET_BUFFER_LIST){.Next = next != NULL ? &next->list : NULL, .FirstNetBuffer = &p->buffer, .Status = 0x5555};
}

static void set_buffered(node_t *tcp, NET_BUFFER_LIST *list)
{
    TCP_OFFLOAD_STATE_DELEGATED d;
    state_get(tcp, ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
    d.BufferedData = list;
    state_set(tcp, ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
}

static uint32_t wire_word(const struct fake *f, size_t offset)
{
    uint32_t word;
    memcpy(&word, f->rows[3][0].state + sizeof(struct flue_wire_tcp_const) + sizeof(struct flue_wire_tcp_cached) + offset, 4);
    return word;
}

static void set_wire_word(struct fake *f, size_t offset, uint32_t word)
{
    memcpy(f->rows[3][0].state + sizeof(struct flue_wire_tcp_const) + sizeof(struct flue_wire_tcp_cached) + offset, &word, 4);
}

static struct chain take_with_data(struct packet p[3], struct packet *buffered)
{
    struct chain c = {new_neighbor(), new_path(false, 1), new_tcp(1)};
    packet_make(&p[2], 0, 30, NULL);
    packet_make(&p[1], 10, 20, &p[2]);
    packet_make(&p[0], 4, 40, &p[1]);
    c.tcp->NetBufferListChain = &p[0].list;
    if (buffered != NULL) {
        packet_make(buffered, 14, 25, NULL);
        set_buffered(c.tcp, &buffered->list);
    }
    add(c.neighbor, c.path);
    add(c.path, c.tcp);
    run_op(FLUE_TREE_INITIATE, c.neighbor);
    CHECK_EQ(c.tcp->Status, NDIS_STATUS_SUCCESS);
    return c;
}

/* CH-050, CH-051, CH-145, CH-146, CH-201: sends are completed or returned, never both; received data once. */
TEST(outstanding_data_comes_back_exactly_once)
{
    struct packet p[3], buffered;
    TCP_OFFLOAD_STATE_DELEGATED d;
    struct flue_target_stats stats;
    rig_open(4, 4, 4);
    struct chain c = take_with_data(p, &buffered);
    CHECK_EQ(wire_word(rig.fake, offsetof(struct flue_wire_tcp_delegated, send_backlog)), 90);
    CHECK_EQ(wire_word(rig.fake, offsetof(struct flue_wire_tcp_delegated, receive_backlog)), 25);
    memset(&buffered, 0xEE, sizeof buffered); /* CH-086: copied, the host's list is the host's again */

    uint32_t una = 1000 + 40 + 7; /* the first list and 7 bytes of the second were acknowledged */
    set_wire_word(rig.fake, offsetof(struct flue_wire_tcp_delegated, snd_una), una);
    set_wire_word(rig.fake, offsetof(struct flue_wire_tcp_delegated, snd_nxt), una);
    set_wire_word(rig.fake, offsetof(struct flue_wire_tcp_delegated, snd_max), una);
    rig.note_count = 0;
    node_t *t = refer(c.tcp, TcpOffloadDelegatedState, FLUE_TREE_DELEGATED);
    run_op(FLUE_TREE_TERMINATE, t);
    CHECK_EQ(t->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(rig.note_count, 2);
    CHECK(rig.notes[0].what == 'S' && rig.notes[0].who == &p[0].list && rig.notes[1].what == 'C');
    CHECK_EQ(p[0].list.Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(flue_ndis_slot(&p[0].list, TcpOffloadBytesTransferred), 40);
    CHECK_EQ(p[0].buffer.DataLength, 0);
    CHECK(t->NetBufferListChain == &p[1].list && p[1].list.Next == &p[2].list && p[2].list.Next == NULL);
    CHECK_EQ(p[1].buffer.DataLength, 13);
    CHECK(p[1].buffer.CurrentMdl == &p[1].second && p[1].buffer.CurrentMdlOffset == 1); /* 10 + 7 is byte 17 */
    CHECK_EQ(p[1].buffer.DataOffset, 17);
    CHECK_EQ(p[1].list.Status, 0x5555);
    state_get(t, FLUE_TREE_DELEGATED, FLUE_TREE_DELEGATED, &d, sizeof d);
    CHECK_EQ(d.SndUna, una);
    CHECK(d.SendDataHead == &p[1].list && d.SendDataTail == &p[2].list);
    CHECK(d.BufferedData != NULL && d.BufferedData->Next == NULL);
    CHECK_EQ(d.BufferedData->FirstNetBuffer->DataLength, 25);
    for (unsigned i = 0; i < 25; i++)
        CHECK_EQ(((uint8_t *)d.BufferedData->FirstNetBuffer->CurrentMdl->MappedSystemVa)[i], 14 + i);
    CHECK_EQ(flue_target_destroy(rig.target), FLUE_EAGAIN);
    CHECK_EQ(MiniportTcpOffloadReceiveReturn(rig.target, &p[2].list), NDIS_STATUS_SUCCESS); /* not one of ours */
    CHECK_EQ(MiniportTcpOffloadReceiveReturn(rig.target, d.BufferedData), NDIS_STATUS_SUCCESS);
    flue_target_stats(rig.target, &stats);
    CHECK_EQ(stats.lent, 0);
    rig_close();
}

/* CH-051: all acknowledged, a FIN too: nothing is returned. */
TEST(a_chain_that_was_acknowledged_whole_leaves_nothing)
{
    struct packet p[3];
    rig_open(4, 4, 4);
    struct chain c = take_with_data(p, NULL);
    for (size_t at = offsetof(struct flue_wire_tcp_delegated, snd_una); at <= offsetof(struct flue_wire_tcp_delegated, snd_max);
         at += 4)
        set_wire_word(rig.fake, at, 1000 + 90 + 1);
    node_t *t = refer(c.tcp, TcpOffloadDelegatedState, FLUE_TREE_DELEGATED);
    run_op(FLUE_TREE_TERMINATE, t);
    CHECK(t->NetBufferListChain == NULL);
    CHECK_EQ(p[2].list.Status, NDIS_STATUS_SUCCESS);
    rig_close();
}

/* The context of a node that is being completed. */
static void *context_at_completion;
static node_t *completing;
static void look_at_context(enum flue_tree_op op, node_t *root)
{
    (void)op;
    if (root == completing)
        context_at_completion = *root->MiniportOffloadContext;
}

/* CH-038: before an initiate completes its objects have no context; what asks for them anyway stays with the driver. */
TEST(an_object_has_no_context_before_its_initiate_completes)
{
    void *guess = (void *)(uintptr_t)1;
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    unsigned before = rig.fake->commands;
    node_t *n = new_neighbor(), *q;
    completing = n;
    rig.on_complete = look_at_context;
    MiniportInitiateOffload(rig.target, n);
    flue_target_run(rig.target); /* it is at the device */
    CHECK(*n->MiniportOffloadContext == NULL);
    for (unsigned op = FLUE_TREE_QUERY; op < FLUE_TREE_OPS; op++) {
        unsigned classes = op == FLUE_TREE_QUERY || op == FLUE_TREE_UPDATE ? FLUE_TREE_CACHED : 0;
        OFFLOAD_STATE_TYPE type = classes != 0 ? NeighborOffloadCachedState : NeighborOffloadState;
        q = refer(n, type, classes);
        flue_target_entry[op](rig.target, q);
        flue_target_run(rig.target);
        CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
        q = refer(n, type, classes);
        guess = (uint8_t *)*c.tcp->MiniportOffloadContext + 1; /* the next one given out, if they were counted up */
        q->MiniportOffloadContext = &guess;
        flue_target_entry[op](rig.target, q);
        flue_target_run(rig.target);
        CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    }
    CHECK_EQ(rig.fake->commands + rig.fake->queued, before + 1);
    CHECK(*n->MiniportOffloadContext == NULL);
    rig_work();
    CHECK_EQ(n->Status, NDIS_STATUS_SUCCESS);
    CHECK(context_at_completion != NULL && context_at_completion == *n->MiniportOffloadContext);
    q = refer(n, NeighborOffloadState, ALL);
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_SUCCESS);
    rig_close();
}

/* CH-138: whatever order the device answers in, a terminate completes after all that was asked of its objects before. */
TEST(a_terminate_completes_last)
{
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    struct packet p;
    node_t *update = refer(c.tcp, TcpOffloadCachedState, FLUE_TREE_CACHED), *invalidate = refer_full(c.tcp);
    node_t *end = refer(c.tcp, TcpOffloadDelegatedState, FLUE_TREE_DELEGATED), *queries[5], *after = new_neighbor();
    TCP_OFFLOAD_STATE_DELEGATED d;
    packet_make(&p, 0, 20, NULL);
    rig.note_count = 0;
    for (unsigned i = 0; i < 5; i++)
        MiniportQueryOffload(rig.target, queries[i] = refer(c.tcp, TcpOffloadState, ALL));
    MiniportUpdateOffload(rig.target, update);
    MiniportInvalidateOffload(rig.target, invalidate);
    CHECK_EQ(MiniportTcpOffloadSend(rig.target, *c.tcp->MiniportOffloadContext, &p.list), NDIS_STATUS_PENDING);
    MiniportTerminateOffload(rig.target, end);
    MiniportInitiateOffload(rig.target, after); /* of no concern to it */
    flue_target_run(rig.target);
    CHECK_EQ(rig.fake->queued, 9);
    fake_step_backwards(rig.fake);
    rig_work();
    CHECK_EQ(flue_target_outstanding(rig.target), 0);
    CHECK_EQ(rig.note_count, 10);
    CHECK_EQ(rig.notes[0].what, 'S'); /* what the connection would not send any more */
    CHECK(rig.notes[1].who == after && rig.notes[9].who == end);
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQ(queries[i]->Status, NDIS_STATUS_SUCCESS);
        state_get(queries[i], ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
        CHECK_EQ(d.SndUna, 1000);
    }
    CHECK_EQ(update->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(invalidate->Status, NDIS_STATUS_SUCCESS);
    CHECK_EQ(end->Status, NDIS_STATUS_SUCCESS);
    CHECK(rig.fault == NULL);
    /* and at the end of the target itself */
    MiniportQueryOffload(rig.target, queries[0] = refer(c.path, Ip4OffloadState, ALL));
    MiniportTerminateOffload(rig.target, end = refer_full(c.path));
    flue_target_run(rig.target);
    MiniportQueryOffload(rig.target, queries[1] = refer(c.neighbor, NeighborOffloadState, ALL));
    rig.note_count = 0;
    CHECK_EQ(flue_target_destroy(rig.target), FLUE_OK);
    CHECK(rig.note_count == 3 && rig.notes[2].who == end);
    fake_free(rig.fake);
    for (unsigned i = 0; i < rig.count; i++)
        free(rig.nodes[i]);
}

/* CH-108: after an abort, and in every state in which a FIN has gone, the connection keeps all it has until its terminate. */
TEST(a_connection_that_ended_keeps_its_resources)
{
    for (unsigned state = TcpConnectionEstablished; state <= TcpConnectionLastAck + 1; state++) { /* the last: an abort */
        struct packet p[3];
        struct flue_target_object object;
        TCP_OFFLOAD_STATE_DELEGATED d;
        rig_open(4, 4, 4);
        struct chain c = take_with_data(p, NULL);
        unsigned is = state <= TcpConnectionLastAck ? state : TcpConnectionEstablished;
        CHECK_EQ(flue_target_object(rig.target, *c.tcp->MiniportOffloadContext, &object), FLUE_OK);
        set_wire_word(rig.fake, 0, FLUE_PUT(WIRE_TCP_DELEGATED_STATE, is));
        if (is != state)
            flue_target_notice(rig.target, FLUE_CQ_ABORT_IND, 0, object.handle);
        for (unsigned i = 0; i < 3; i++) { /* asking does not end it */
            node_t *q = refer(c.tcp, TcpOffloadState, ALL);
            run_op(FLUE_TREE_QUERY, q);
            CHECK_EQ(q->Status, NDIS_STATUS_SUCCESS);
            state_get(q, ALL, FLUE_TREE_DELEGATED, &d, sizeof d);
            CHECK_EQ(d.State, is);
        }
        CHECK_EQ(flue_target_object(rig.target, *c.tcp->MiniportOffloadContext, &object), FLUE_OK);
        CHECK(object.send_bytes == 90 && !object.lost);
        CHECK_EQ(fake_used(rig.fake, 3), 1);
        node_t *busy = refer_full(c.path);
        run_op(FLUE_TREE_TERMINATE, busy); /* it still holds its path */
        CHECK_EQ(busy->Status, NDIS_STATUS_FAILURE);
        node_t *t = refer(c.tcp, TcpOffloadDelegatedState, FLUE_TREE_DELEGATED);
        run_op(FLUE_TREE_TERMINATE, t);
        CHECK_EQ(t->Status, NDIS_STATUS_SUCCESS);
        CHECK(t->NetBufferListChain == &p[0].list);
        CHECK_EQ(fake_used(rig.fake, 3), 0);
        rig_close();
    }
}

/* CH-052, CH-197: a send is always taken; it ends later, with UPLOAD_IN_PROGRESS from UPLOAD_ALL on, else it comes back. */
TEST(sends_while_everything_is_uploaded_end_unsent)
{
    struct packet p[3], late[2];
    rig_open(4, 4, 4);
    struct chain c = take_with_data(p, NULL);
    void *context = *c.tcp->MiniportOffloadContext;
    packet_make(&late[0], 0, 20, NULL);
    packet_make(&late[1], 0, 30, NULL);
    rig.note_count = 0;
    CHECK_EQ(MiniportTcpOffloadSend(rig.target, context, &late[0].list), NDIS_STATUS_PENDING);
    CHECK_EQ(flue_target_outstanding(rig.target), 1);
    rig_work();
    CHECK_EQ(flue_target_outstanding(rig.target), 0);
    CHECK_EQ(rig.note_count, 0); /* kept: nothing acknowledges it */
    rig.uploading = true;
    CHECK_EQ(MiniportTcpOffloadSend(rig.target, context, &late[1].list), NDIS_STATUS_PENDING);
    CHECK_EQ(rig.note_count, 0); /* never from inside */
    rig_work();
    CHECK_EQ(rig.note_count, 1);
    CHECK(rig.notes[0].what == 'S' && rig.notes[0].who == &late[1].list);
    CHECK_EQ((NDIS_STATUS)rig.notes[0].event, NDIS_STATUS_UPLOAD_IN_PROGRESS);
    CHECK_EQ(rig.notes[0].information, 0);
    CHECK_EQ(late[1].buffer.DataLength, 30);
    node_t *t = refer(c.tcp, TcpOffloadDelegatedState, FLUE_TREE_DELEGATED);
    run_op(FLUE_TREE_TERMINATE, t);
    CHECK_EQ(t->Status, NDIS_STATUS_SUCCESS);
    CHECK(t->NetBufferListChain == &p[0].list && p[2].list.Next == &late[0].list && late[0].list.Next == NULL);
    rig_close();
}

/* CH-059, CH-208: after a reason that has to be obeyed sends end with UPLOAD_IN_PROGRESS, after an abort with REQUEST_ABORTED.
 */
TEST(sends_after_an_upload_request_end_by_its_reason)
{
    for (uint32_t reason = LowActivity; reason <= MaxUploadReason; reason++) { /* the last: an abort */
        struct packet p[3], late;
        rig_open(4, 4, 4);
        struct chain c = take_with_data(p, NULL);
        struct flue_target_object object;
        bool choice = reason <= NoBufferPreposting || reason == HighFragmentation || reason == HighOutOfOrderPackets;
        CHECK_EQ(flue_target_object(rig.target, *c.tcp->MiniportOffloadContext, &object), FLUE_OK);
        if (reason < MaxUploadReason)
            flue_target_notice(rig.target, FLUE_CQ_UPLOAD_REQUEST, reason, object.handle);
        else
            flue_target_notice(rig.target, FLUE_CQ_ABORT_IND, 0, object.handle);
        CHECK_EQ(rig.notes[rig.note_count - 1].what, 'E');
        packet_make(&late, 0, 20, NULL);
        rig.note_count = 0;
        CHECK_EQ(MiniportTcpOffloadSend(rig.target, *c.tcp->MiniportOffloadContext, &late.list), NDIS_STATUS_PENDING);
        rig_work();
        CHECK_EQ(rig.note_count, choice ? 0 : 1);
        if (!choice)
            CHECK_EQ(late.list.Status, reason < MaxUploadReason ? NDIS_STATUS_UPLOAD_IN_PROGRESS : NDIS_STATUS_REQUEST_ABORTED);
        node_t *t = refer(c.tcp, TcpOffloadDelegatedState, FLUE_TREE_DELEGATED);
        run_op(FLUE_TREE_TERMINATE, t);
        CHECK_EQ(t->Status, NDIS_STATUS_SUCCESS); /* state and data are there until then */
        rig_close();
    }
}

/* CH-024, CH-086: a send for no connection is aborted; a chain that cannot be is not taken. */
TEST(a_send_that_cannot_be_touches_nothing)
{
    struct packet p;
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    rig.note_count = 0;
    packet_make(&p, 0, 20, NULL);
    void *wrong[] = {NULL, *c.path->MiniportOffloadContext, (uint8_t *)*c.tcp->MiniportOffloadContext + 1};
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(MiniportTcpOffloadSend(rig.target, wrong[i], &p.list), NDIS_STATUS_PENDING);
        rig_work();
        CHECK_EQ(p.list.Status, NDIS_STATUS_REQUEST_ABORTED);
        CHECK_EQ(rig.note_count, i + 1);
    }
    p.list.Next = &p.list;
    CHECK_EQ(MiniportTcpOffloadSend(rig.target, *c.tcp->MiniportOffloadContext, &p.list), NDIS_STATUS_INVALID_DATA);
    p.list.Next = NULL;
    p.buffer.DataLength = 65;
    CHECK_EQ(MiniportTcpOffloadSend(rig.target, *c.tcp->MiniportOffloadContext, &p.list), NDIS_STATUS_INVALID_DATA);
    CHECK_EQ(MiniportTcpOffloadSend(rig.target, *c.tcp->MiniportOffloadContext, NULL), NDIS_STATUS_INVALID_DATA);
    CHECK_EQ(flue_target_outstanding(rig.target), 0);
    rig_close();
}

/* CH-035: what was refused keeps its chain, untouched. */
TEST(a_refused_connection_keeps_its_sends)
{
    struct packet p;
    NET_BUFFER_LIST before;
    rig_open(4, 4, 0);
    node_t *n = new_neighbor(), *path = add(n, new_path(false, 1)), *t = add(path, new_tcp(1));
    packet_make(&p, 0, 20, NULL);
    before = p.list;
    t->NetBufferListChain = &p.list;
    run_op(FLUE_TREE_INITIATE, n);
    CHECK_EQ(t->Status, NDIS_STATUS_OFFLOAD_TCP_ENTRIES);
    CHECK(t->NetBufferListChain == &p.list && memcmp(&before, &p.list, sizeof before) == 0);
    CHECK_EQ(rig.note_count, 1); /* the completion alone */
    rig_close();
}

/* CH-086: chains that loop or say more than they have are refused. */
TEST(chains_that_cannot_be_are_refused)
{
    struct packet p;
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    for (unsigned i = 0; i < 4; i++) {
        node_t *link = refer_full(c.path), *t = add(link, new_tcp((uint16_t)(i + 2)));
        packet_make(&p, 0, 20, NULL);
        t->NetBufferListChain = &p.list;
        if (i == 0)
            p.list.Next = &p.list;
        else if (i == 1)
            p.buffer.DataLength = 65;
        else if (i == 2)
            p.buffer.Next = &p.buffer;
        else
            p.list.FirstNetBuffer = NULL;
        if (i == 1) {
            set_buffered(t, &p.list);
            t->NetBufferListChain = NULL;
        }
        run_op(FLUE_TREE_INITIATE, link);
        CHECK_EQ(t->Status, NDIS_STATUS_FAILURE);
        CHECK_EQ(flue_target_detail(t), FLUE_AD_VALUE);
    }
    rig_close();
}

/* ---- indications ------------------------------------------------------------------------------------------------- */

static uint32_t device_handle(const node_t *node)
{
    struct flue_target_object object;
    CHECK_EQ(flue_target_object(rig.target, *node->MiniportOffloadContext, &object), FLUE_OK);
    return object.handle;
}

/* CH-025, CH-037, CH-194: an indication waits for the completion call; it has the host's own handle. */
TEST(an_indication_waits_until_the_initiate_is_completed)
{
    rig_open(4, 4, 4);
    struct chain c = {new_neighbor(), new_path(false, 1), new_tcp(1)};
    add(c.neighbor, c.path);
    add(c.path, c.tcp);
    MiniportInitiateOffload(rig.target, c.neighbor);
    flue_target_run(rig.target);
    /* the first connection taken has row 0, generation 1 */
    flue_target_notice(rig.target, FLUE_CQ_UPLOAD_REQUEST, UploadRequested,
                       FLUE_PUT(HANDLE_KIND, 3) | FLUE_PUT(HANDLE_GENERATION, 1));
    CHECK_EQ(rig.note_count, 0);
    rig_work();
    CHECK_EQ(rig.note_count, 2);
    CHECK_EQ(rig.notes[0].what, 'C');
    CHECK(rig.notes[1].what == 'E' && rig.notes[1].who == c.tcp->NdisOffloadHandle);
    CHECK_EQ(rig.notes[1].event, TcpIndicateRetrieve);
    CHECK_EQ(rig.notes[1].information, UploadRequested);
    rig_close();
}

static node_t *terminate_on_event;
static void terminate_it(void *who, uint32_t event, uint32_t information)
{
    (void)who;
    (void)information;
    if (event == TcpIndicateRetrieve)
        MiniportTerminateOffload(rig.target, terminate_on_event);
}

/* CH-139: a terminate from inside an event completes after it; nothing is indicated in between. */
TEST(a_terminate_from_inside_an_event_ends_the_indications)
{
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    terminate_on_event = refer_full(c.tcp);
    rig.on_event = terminate_it;
    rig.note_count = 0;
    uint32_t handle = device_handle(c.tcp);
    flue_target_notice(rig.target, FLUE_CQ_UPLOAD_REQUEST, UploadRequested, handle);
    flue_target_notice(rig.target, FLUE_CQ_ABORT_IND, 0, handle);
    rig_work();
    CHECK_EQ(rig.note_count, 2);
    CHECK(rig.notes[0].what == 'E' && rig.notes[1].what == 'C');
    rig_close();
}

/* CH-151: corrupt state: FAILURE, Retrieve(HardwareFailure), Abort; the terminate ends sends REQUEST_ABORTED, itself last. */
TEST(a_corrupt_connection_is_reported_and_ended_once)
{
    struct packet p[3];
    rig_open(4, 4, 4);
    struct chain c = take_with_data(p, NULL);
    rig.fake->rows[3][0].corrupt = true;
    rig.note_count = 0;
    node_t *q = refer(c.tcp, TcpOffloadState, ALL), *t = refer_full(c.tcp);
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(rig.note_count, 3);
    CHECK(rig.notes[0].what == 'C' && rig.notes[1].event == TcpIndicateRetrieve && rig.notes[1].information == HardwareFailure);
    CHECK_EQ(rig.notes[2].event, TcpIndicateAbort);
    rig.note_count = 0;
    run_op(FLUE_TREE_TERMINATE, t);
    CHECK_EQ(t->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(rig.note_count, 4);
    for (unsigned i = 0; i < 3; i++)
        CHECK(rig.notes[i].what == 'S' && (NDIS_STATUS)rig.notes[i].event == NDIS_STATUS_REQUEST_ABORTED);
    CHECK_EQ(rig.notes[3].what, 'C');
    CHECK(flue_target_object(rig.target, *c.tcp->MiniportOffloadContext, &(struct flue_target_object){0}) == FLUE_EARG);
    rig_close();
}

/* CH-151: an error in a neighbor's row concerns all connections over it. */
TEST(a_table_error_names_the_connections_it_breaks)
{
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    rig.note_count = 0;
    flue_target_notice(rig.target, FLUE_CQ_TABLE_ERROR, 0,
                       FLUE_PUT(TABLE_ERROR_TABLE, FLUE_TBL_NEIGHBOR) | FLUE_TABLE_ERROR_VALID_MASK);
    CHECK_EQ(rig.note_count, 2);
    CHECK(rig.notes[0].who == c.tcp->NdisOffloadHandle);
    flue_target_notice(rig.target, FLUE_CQ_ABORT_IND, 0, device_handle(c.tcp) + FLUE_PUT(HANDLE_GENERATION, 5));
    struct flue_target_stats stats;
    flue_target_stats(rig.target, &stats);
    CHECK_EQ(stats.stale_notices, 1);
    CHECK(rig.fault == NULL);
    rig_close();
}

/* CH-125: a neighbor query asks the host in place and carries its answer down; its MAC stays. */
TEST(a_neighbor_query_is_answered_by_the_host)
{
    struct flue_wire_neighbor_cached wire;
    NEIGHBOR_OFFLOAD_STATE_CACHED mac = {.DlDestinationAddress = {1, 2, 3, 4, 5, 6}, .HostReachabilityDelta = 9};
    rig_open(4, 4, 4);
    node_t *n = new_neighbor();
    state_set(n, ALL, FLUE_TREE_CACHED, &mac, sizeof mac);
    run_op(FLUE_TREE_INITIATE, n);
    rig.answer_hrd = 0x12345;
    rig.note_count = 0;
    flue_target_notice(rig.target, FLUE_CQ_NEIGHBOR_QUERY, 0, device_handle(n));
    rig_work();
    CHECK_EQ(rig.note_count, 1);
    CHECK(rig.notes[0].what == 'N' && rig.notes[0].who == n->NdisOffloadHandle);
    CHECK_EQ(rig.notes[0].event, NeighborReachabilityQuery);
    CHECK_EQ(rig.notes[0].information, NeighborOffloadState);
    memcpy(&wire, rig.fake->rows[1][0].state + sizeof(struct flue_wire_neighbor_const), sizeof wire);
    CHECK_EQ(wire.host_reachability_delta, 0x12345);
    CHECK_EQ(wire.dl_destination, 0x04030201);
    CHECK(rig.fault == NULL);
    rig_close();
}

static node_t *again_root;
static void ask_again(enum flue_tree_op op, node_t *root)
{
    if (op == FLUE_TREE_INITIATE && root != again_root && rig.completed[op] == 1)
        MiniportInitiateOffload(rig.target, again_root);
}

/* CH-015: what is under way at the end is completed, once, also when a completion asks for more. */
TEST(the_end_completes_everything_under_way)
{
    rig_open(8, 8, 8);
    node_t *sent = new_neighbor(), *paused = new_neighbor();
    again_root = new_neighbor();
    rig.on_complete = ask_again;
    MiniportInitiateOffload(rig.target, sent);
    flue_target_run(rig.target);
    rig.paused = true;
    MiniportInitiateOffload(rig.target, paused);
    CHECK_EQ(flue_target_destroy(rig.target), FLUE_OK);
    CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 3);
    CHECK_EQ(sent->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(paused->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(again_root->Status, NDIS_STATUS_FAILURE);
    fake_free(rig.fake);
    for (unsigned i = 0; i < rig.count; i++)
        free(rig.nodes[i]);
}

/* ---- recovery and leaks ------------------------------------------------------------------------------------------ */

/* CH-151, CH-152: after a restart what is unknown is terminated, what is gone fails; commands in flight ended. */
TEST(a_restart_is_reconciled)
{
    rig_open(8, 8, 8);
    struct chain kept = take_chain(1), gone = take_chain(2), cut = {new_neighbor(), new_path(false, 3), new_tcp(3)};
    unsigned row = FLUE_GET(HANDLE_INDEX, device_handle(gone.tcp));
    struct fake_row *lost = &rig.fake->rows[3][row];
    lost->used = false;
    rig.fake->rows[2][FLUE_GET(HANDLE_INDEX, lost->parent)].refs--;
    /* objects whose answer never came */
    for (unsigned layer = 1; layer < 4; layer++)
        rig.fake->rows[layer][7] = (struct fake_row){.used = true, .generation = 9};
    add(cut.neighbor, cut.path);
    MiniportInitiateOffload(rig.target, cut.neighbor);
    flue_target_run(rig.target);
    CHECK_EQ(flue_target_reconcile(rig.target), FLUE_ESTATE);
    fake_abort(rig.fake);
    CHECK_EQ(cut.neighbor->Status, NDIS_STATUS_FAILURE);
    CHECK(*cut.neighbor->MiniportOffloadContext == NULL);
    rig.note_count = 0;
    CHECK_EQ(flue_target_reconcile(rig.target), FLUE_OK);
    rig_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    for (unsigned layer = 1; layer < 4; layer++)
        CHECK(!rig.fake->rows[layer][7].used);
    CHECK_EQ(rig.note_count, 2);
    CHECK(rig.notes[0].who == gone.tcp->NdisOffloadHandle && rig.notes[0].information == HardwareFailure);
    node_t *t = refer_full(gone.tcp);
    run_op(FLUE_TREE_TERMINATE, t);
    CHECK_EQ(t->Status, NDIS_STATUS_FAILURE);
    node_t *q = refer(kept.tcp, TcpOffloadState, ALL);
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_SUCCESS);
    rig_close();
}

static struct fake_row *device_row(const node_t *node)
{
    uint32_t handle = device_handle(node);
    return &rig.fake->rows[FLUE_GET(HANDLE_KIND, handle)][FLUE_GET(HANDLE_INDEX, handle)];
}

static void check_lost(const node_t *node, bool lost)
{
    struct flue_target_object object;
    CHECK_EQ(flue_target_object(rig.target, *node->MiniportOffloadContext, &object), FLUE_OK);
    CHECK_EQ(object.lost, lost);
}

/* CH-151, CH-152: an object under a known handle that is another one (its host, its key, what it depends on) is told apart. */
TEST(another_object_under_a_known_handle_is_not_taken_for_it)
{
    rig_open(16, 16, 16);
    struct chain kept = take_chain(1), host = take_chain(2), ports = take_chain(3), path = take_chain(4), mac = take_chain(5),
                 moved = take_chain(6), sick = take_chain(7), orphan = take_chain(8);
    device_row(host.tcp)->host_handle[1] ^= 1;
    device_row(ports.tcp)->state[5] ^= 1;
    device_row(path.path)->state[31] ^= 0x80;
    device_row(mac.neighbor)->state[0] ^= 1;
    /* a relink that was done and not answered */
    device_row(moved.path)->parent = device_handle(kept.neighbor);
    device_row(kept.neighbor)->refs++;
    device_row(moved.neighbor)->refs--;
    device_row(sick.path)->corrupt = true;
    device_row(orphan.tcp)->parent = device_handle(kept.path); /* no connection moves by itself */
    device_row(kept.path)->refs++;
    device_row(orphan.path)->refs--;
    rig.note_count = 0;
    CHECK_EQ(flue_target_reconcile(rig.target), FLUE_OK);
    rig_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    CHECK_EQ(rig.reconciles, 1);
    CHECK_EQ(rig.found.kept + rig.found.lost, 24);
    CHECK_EQ(rig.found.terminated, 1 + 1 + 2 + 3 + 1); /* host, ports, path, mac, orphan: with what is below */
    CHECK_EQ(rig.found.lost, rig.found.terminated + 1);
    check_lost(kept.tcp, false);
    check_lost(host.tcp, true);
    check_lost(host.path, false);
    check_lost(ports.tcp, true);
    check_lost(path.path, true);
    check_lost(path.tcp, true);
    check_lost(path.neighbor, false);
    check_lost(mac.neighbor, true);
    check_lost(mac.tcp, true);
    check_lost(moved.path, false);
    check_lost(moved.tcp, false);
    check_lost(sick.path, true);
    check_lost(sick.tcp, false); /* its own state is sound */
    check_lost(orphan.tcp, true);
    CHECK_EQ(fake_used(rig.fake, 1), 7);
    CHECK_EQ(fake_used(rig.fake, 2), 6);
    CHECK_EQ(fake_used(rig.fake, 3), 3);
    /* the path that moved holds its new neighbor, no longer the old one */
    node_t *old = refer_full(moved.neighbor), *t = refer_full(sick.tcp);
    run_op(FLUE_TREE_TERMINATE, old);
    CHECK_EQ(old->Status, NDIS_STATUS_SUCCESS);
    run_op(FLUE_TREE_TERMINATE, t);
    CHECK_EQ(t->Status, NDIS_STATUS_SUCCESS);
    for (unsigned i = 0; i < 3; i++) { /* what is lost ends, once */
        node_t *gone = refer_full(i == 0 ? mac.tcp : i == 1 ? mac.path : mac.neighbor);
        run_op(FLUE_TREE_TERMINATE, gone);
        CHECK_EQ(gone->Status, NDIS_STATUS_FAILURE);
        CHECK_EQ(flue_target_object(rig.target, *gone->MiniportOffloadContext, &(struct flue_target_object){0}), FLUE_EARG);
    }
    CHECK(rig.fault == NULL);
    rig_close();
}

/* CH-152: more objects than one command can ask for, every second one gone; paths of both versions. */
TEST(a_large_tree_is_reconciled_in_pieces)
{
    rig_open(900, 900, 900);
    node_t *first = NULL, *last = NULL, *paths[800];
    for (unsigned i = 0; i < 800; i++) {
        node_t *n = new_neighbor();
        paths[i] = add(n, new_path(i % 2 == 1, (uint8_t)i));
        add(paths[i], new_tcp((uint16_t)i));
        if (first == NULL)
            first = n;
        else
            last->NextBlock = n;
        last = n;
    }
    run_op(FLUE_TREE_INITIATE, first);
    for (unsigned i = 0; i < 800; i += 2) {
        struct fake_row *tcp = device_row(paths[i]->DependentBlockList);
        tcp->used = false;
        device_row(paths[i])->refs--;
    }
    CHECK_EQ(flue_target_reconcile(rig.target), FLUE_OK);
    rig_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    CHECK_EQ(rig.found.kept, 2000);
    CHECK_EQ(rig.found.lost, 400);
    CHECK_EQ(rig.found.terminated, 0);
    CHECK_EQ(flue_target_upload_all(rig.target), FLUE_OK);
    rig_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    for (unsigned layer = 1; layer < 4; layer++)
        CHECK_EQ(fake_used(rig.fake, layer), 0);
    rig_close();
}

/* CH-199: everything is terminated in order; sends end with UPLOAD_IN_PROGRESS, contexts are void. */
TEST(upload_all_leaves_nothing)
{
    struct packet p[3];
    rig_open(700, 700, 700);
    struct chain c = take_with_data(p, NULL);
    for (unsigned i = 0; i < 600; i++) {
        struct chain more = {new_neighbor(), new_path(false, 1), new_tcp(1)};
        add(more.neighbor, more.path);
        add(more.path, more.tcp);
        run_op(FLUE_TREE_INITIATE, more.neighbor);
    }
    rig.note_count = 0;
    CHECK_EQ(flue_target_upload_all(rig.target), FLUE_OK);
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_EAGAIN);
    rig_work();
    CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
    for (unsigned layer = 1; layer < 4; layer++)
        CHECK_EQ(fake_used(rig.fake, layer), 0);
    CHECK_EQ(rig.note_count, 3);
    CHECK_EQ((NDIS_STATUS)rig.notes[0].event, NDIS_STATUS_UPLOAD_IN_PROGRESS);
    CHECK(flue_target_next(rig.target, NULL) == NULL);
    node_t *q = refer(c.tcp, TcpOffloadState, ALL);
    run_op(FLUE_TREE_QUERY, q);
    CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
    rig_close();
}

/* CH-152: nothing is left over; a reused row's old context stays void. */
TEST(repeated_initiate_and_terminate_leak_nothing)
{
    struct flue_target_stats stats;
    rig_open(2, 2, 2);
    struct chain c = take_chain(1);
    void *first = *c.tcp->MiniportOffloadContext;
    for (unsigned round = 0; round < 20000; round++) {
        node_t *t = c.tcp;
        t->Header.Type = TcpOffloadState;
        run_op(FLUE_TREE_TERMINATE, t);
        CHECK_EQ(t->Status, NDIS_STATUS_SUCCESS);
        *t->MiniportOffloadContext = NULL;
        node_t link = {.Header = {.Type = Ip4OffloadState, .Size = sizeof link}};
        link.MiniportOffloadContext = c.path->MiniportOffloadContext;
        link.DependentBlockList = t;
        run_op(FLUE_TREE_INITIATE, &link);
        CHECK_EQ(link.Status, NDIS_STATUS_SUCCESS);
        CHECK(*t->MiniportOffloadContext != first);
    }
    flue_target_stats(rig.target, &stats);
    CHECK_EQ(stats.objects[3], 1);
    CHECK_EQ(stats.buffers, 0);
    CHECK_EQ(fake_used(rig.fake, 3), 1);
    rig_close();
}
