/* The target: data handed over with a connection, sends, and what stays until its terminate. */
#include "ndis_packets.h"

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
