/* A device that lies to the target: a named fault, FAILURE for the operation, nothing believed. */
#include "ndis_rig.h"

#include "slots.h"

/* ---- lies -------------------------------------------------------------------------------------------------------- */

static struct flue_tree_node *wire_node(uint8_t *buffer, unsigned n)
{
    return (struct flue_tree_node *)(void *)(buffer + sizeof(struct flue_tree_header)) + n;
}

typedef void lie_fn(struct fake *f, const struct flue_sqe *sqe, uint8_t *buffer, struct flue_admin_done *done);

#define LIE(name)                                                                                                              \
    static void name(__attribute__((unused)) struct fake *f, __attribute__((unused)) const struct flue_sqe *sqe,               \
                     __attribute__((unused)) uint8_t *buffer, __attribute__((unused)) struct flue_admin_done *done)

/* Of an initiate of neighbor (node 0), path (1), connections (2, 3). */
LIE(partial_connection)
{
    wire_node(buffer, 2)->status = (uint32_t)NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS;
}
LIE(unknown_status)
{
    wire_node(buffer, 3)->status = 0xC0DEC0DE;
    wire_node(buffer, 3)->handle = 0;
}
LIE(status_of_another_layer)
{
    wire_node(buffer, 3)->status = (uint32_t)NDIS_STATUS_OFFLOAD_NEIGHBOR_ENTRIES;
    wire_node(buffer, 3)->handle = 0;
}
LIE(wrong_kind)
{
    wire_node(buffer, 2)->handle = wire_node(buffer, 1)->handle;
}
LIE(handle_beyond_the_table)
{
    wire_node(buffer, 2)->handle |= FLUE_HANDLE_INDEX_MASK;
}
LIE(generation_zero)
{
    wire_node(buffer, 2)->handle &= ~FLUE_HANDLE_GENERATION_MASK;
}
LIE(one_handle_twice)
{
    wire_node(buffer, 3)->handle = wire_node(buffer, 2)->handle;
}
LIE(no_handle)
{
    wire_node(buffer, 2)->handle = 0;
}
LIE(handle_of_a_refused_one)
{
    wire_node(buffer, 3)->status = (uint32_t)NDIS_STATUS_FAILURE;
}
LIE(taken_under_a_refused_parent)
{
    wire_node(buffer, 1)->status = (uint32_t)NDIS_STATUS_FAILURE;
    wire_node(buffer, 1)->handle = 0;
}
LIE(parent_does_not_follow)
{
    wire_node(buffer, 0)->status = (uint32_t)NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS;
}
LIE(silent_parent)
{
    wire_node(buffer, 3)->status = (uint32_t)NDIS_STATUS_FAILURE; /* and its parent stays SUCCESS */
    wire_node(buffer, 3)->handle = 0;
}
LIE(unknown_detail)
{
    wire_node(buffer, 2)->word7 = 200;
}
LIE(fewer_nodes)
{
    done->result--;
}
LIE(more_nodes)
{
    done->result = 0xFFFFFFFF;
}
LIE(positive_status)
{
    done->status = 0x40020004;
}
LIE(not_written_back)
{
    memset(wire_node(buffer, 0), 0, 4 * sizeof(struct flue_tree_node));
}
LIE(pending)
{
    wire_node(buffer, 2)->status = (uint32_t)NDIS_STATUS_PENDING;
}

/* CH-016, CH-023: whatever the device says, no context is written that it did not give rightly, and no node is left out. */
TEST(an_initiate_that_cannot_be_true_fails_whole)
{
    static lie_fn *const lies[] = {partial_connection,
                                   unknown_status,
                                   status_of_another_layer,
                                   wrong_kind,
                                   handle_beyond_the_table,
                                   generation_zero,
                                   one_handle_twice,
                                   no_handle,
                                   handle_of_a_refused_one,
                                   taken_under_a_refused_parent,
                                   parent_does_not_follow,
                                   silent_parent,
                                   unknown_detail,
                                   fewer_nodes,
                                   more_nodes,
                                   positive_status,
                                   not_written_back,
                                   pending};
    for (unsigned i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        rig_open_rows(4, 4, 4, 8);
        node_t *n = new_neighbor(), *p = add(n, new_path(false, 1));
        add(p, new_tcp(1));
        add(p, new_tcp(2));
        rig.fake->lie = lies[i];
        run_op(FLUE_TREE_INITIATE, n);
        if (rig.fault == NULL)
            printf("     lie %u was believed\n", i);
        CHECK(rig.fault != NULL && flue_target_fault(rig.target) == rig.fault);
        for (unsigned j = 0; j < rig.count; j++) {
            CHECK_EQ(rig.nodes[j]->Status, NDIS_STATUS_FAILURE);
            CHECK(rig.cells[j] == NULL);
        }
        CHECK(flue_target_next(rig.target, NULL) == NULL);
        /* it is not used any more, and everything still completes */
        unsigned commands = rig.fake->commands;
        rig.fake->lie = NULL;
        run_op(FLUE_TREE_INITIATE, n);
        CHECK_EQ(n->Status, NDIS_STATUS_FAILURE);
        CHECK_EQ(rig.fake->commands, commands);
        /* until it was restarted: what it took and did not say is terminated */
        CHECK_EQ(flue_target_reconcile(rig.target), FLUE_OK);
        rig_work();
        CHECK_EQ(flue_target_recovered(rig.target), FLUE_OK);
        CHECK_EQ(fake_used(rig.fake, 1) + fake_used(rig.fake, 2) + fake_used(rig.fake, 3), 0);
        run_op(FLUE_TREE_INITIATE, n);
        CHECK_EQ(n->Status, NDIS_STATUS_SUCCESS);
        rig_close();
    }
}

static uint8_t *delegated_of(uint8_t *buffer, unsigned n, bool all)
{
    return buffer + wire_node(buffer, n)->offset +
           (all ? sizeof(struct flue_wire_tcp_const) + sizeof(struct flue_wire_tcp_cached) : 0);
}

LIE(state_that_does_not_exist)
{
    uint32_t word = 15;
    memcpy(delegated_of(buffer, 0, FLUE_GET(SQE_OPCODE, sqe->word0) == FLUE_OP_QUERY), &word, 4);
}
LIE(reserved_bits)
{
    uint32_t word = 0x00000FF0 | TcpConnectionEstablished;
    memcpy(delegated_of(buffer, 0, FLUE_GET(SQE_OPCODE, sqe->word0) == FLUE_OP_QUERY), &word, 4);
}
LIE(incoherent)
{
    uint32_t word = 999;
    memcpy(delegated_of(buffer, 0, FLUE_GET(SQE_OPCODE, sqe->word0) == FLUE_OP_QUERY) +
               offsetof(struct flue_wire_tcp_delegated, snd_max),
           &word, 4);
}
LIE(reference_changed)
{
    wire_node(buffer, 0)->handle ^= 1;
}
LIE(partial_query)
{
    wire_node(buffer, 0)->status = (uint32_t)NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS;
}
LIE(entries_for_a_reference)
{
    wire_node(buffer, 0)->status = (uint32_t)NDIS_STATUS_OFFLOAD_TCP_ENTRIES;
}

/* CH-120, CH-121: a query's answer is judged too; the host's state stays as it was. */
TEST(a_query_or_terminate_that_cannot_be_true_fails)
{
    static lie_fn *const lies[] = {state_that_does_not_exist, reserved_bits, incoherent,
                                   reference_changed,         partial_query, entries_for_a_reference};
    for (unsigned i = 0; i < 2 * sizeof lies / sizeof lies[0]; i++) {
        rig_open(4, 4, 4);
        struct chain c = take_chain(1);
        bool query = i % 2 == 0;
        unsigned classes = query ? ALL : FLUE_TREE_DELEGATED;
        node_t *q = refer(c.tcp, query ? TcpOffloadState : TcpOffloadDelegatedState, classes);
        TCP_OFFLOAD_STATE_DELEGATED before = {.RcvNxt = 0xABCD}, after;
        state_set(q, classes, FLUE_TREE_DELEGATED, &before, sizeof before);
        rig.fake->lie = lies[i / 2];
        run_op(query ? FLUE_TREE_QUERY : FLUE_TREE_TERMINATE, q);
        CHECK(rig.fault != NULL);
        CHECK_EQ(q->Status, NDIS_STATUS_FAILURE);
        state_get(q, classes, FLUE_TREE_DELEGATED, &after, sizeof after);
        CHECK_EQ(after.RcvNxt, 0xABCD);
        rig_close();
    }
}

LIE(too_much_acknowledged)
{
    uint32_t word = 1000 + 500;
    for (size_t at = offsetof(struct flue_wire_tcp_delegated, snd_una); at <= offsetof(struct flue_wire_tcp_delegated, snd_max);
         at += 4)
        memcpy(delegated_of(buffer, 0, false) + at, &word, 4);
}

/* CH-050: bytes that were never given cannot have been acknowledged; the sends end REQUEST_ABORTED. */
TEST(more_acknowledged_than_given_is_a_lie)
{
    uint8_t bytes[100] = {0};
    MDL mdl = {.MappedSystemVa = bytes, .ByteCount = 100};
    NET_BUFFER packet = {.CurrentMdl = &mdl, .MdlChain = &mdl, .DataLength = 100};
    NET_BUFFER_LIST list = {.FirstNetBuffer = &packet};
    rig_open(4, 4, 4);
    struct chain c = {new_neighbor(), new_path(false, 1), new_tcp(1)};
    add(c.neighbor, c.path);
    add(c.path, c.tcp);
    c.tcp->NetBufferListChain = &list;
    run_op(FLUE_TREE_INITIATE, c.neighbor);
    rig.fake->lie = too_much_acknowledged;
    node_t *t = refer(c.tcp, TcpOffloadDelegatedState, FLUE_TREE_DELEGATED);
    run_op(FLUE_TREE_TERMINATE, t);
    CHECK(rig.fault != NULL);
    CHECK_EQ(t->Status, NDIS_STATUS_FAILURE);
    CHECK_EQ(list.Status, NDIS_STATUS_REQUEST_ABORTED);
    CHECK_EQ(packet.DataLength, 100);
    rig_close();
}

LIE(frees_under_dependents)
{
    wire_node(buffer, 0)->status = 0;
    wire_node(buffer, 0)->word7 = 0;
}

/* CH-149: an object with dependents cannot have been freed. */
TEST(a_free_under_dependents_is_a_lie)
{
    rig_open(4, 4, 4);
    struct chain c = take_chain(1);
    node_t *t = refer_full(c.path);
    rig.fake->lie = frees_under_dependents;
    run_op(FLUE_TREE_TERMINATE, t);
    CHECK(rig.fault != NULL);
    CHECK_EQ(t->Status, NDIS_STATUS_FAILURE);
    rig_close();
}

/* CH-015: a command ends once. */
TEST(a_doubled_or_unknown_end_is_a_lie)
{
    for (unsigned i = 0; i < 3; i++) {
        rig_open(4, 4, 4);
        take_chain(1);
        struct flue_admin_done done = {.cookie = (void *)(uintptr_t)(i == 0 ? 64 : i == 1 ? 5 : 0xFFFFFFFFFFu)};
        flue_target_done(rig.target, &done);
        CHECK(rig.fault != NULL);
        CHECK_EQ(rig.completed[FLUE_TREE_INITIATE], 1);
        rig_close();
    }
}

/* CH-194: notices that cannot be. */
TEST(notices_that_cannot_be_are_lies)
{
    static const struct {
        uint32_t kind, status, result;
    } notices[] = {{99, 0, 0},
                   {FLUE_CQ_UPLOAD_REQUEST, UploadRequested, 0},
                   {FLUE_CQ_UPLOAD_REQUEST, 0, 0xC0010000},
                   {FLUE_CQ_UPLOAD_REQUEST, MaxUploadReason, 0xC0010000},
                   {FLUE_CQ_UPLOAD_REQUEST, UploadRequested, 0x80010000},
                   {FLUE_CQ_ABORT_IND, 0, 0xC001FFFF},
                   {FLUE_CQ_ABORT_IND, 0, 0xC0000000},
                   {FLUE_CQ_NEIGHBOR_QUERY, 0, 0xC0010000},
                   {FLUE_CQ_TABLE_ERROR, 0, 0x8300FFFF}};
    for (unsigned i = 0; i < sizeof notices / sizeof notices[0]; i++) {
        rig_open_rows(4, 4, 4, 8);
        take_chain(1);
        rig.note_count = 0;
        flue_target_notice(rig.target, (enum flue_cqe_kind)notices[i].kind, notices[i].status, notices[i].result);
        CHECK(rig.fault != NULL);
        CHECK_EQ(rig.note_count, 0);
        rig_close();
    }
}

LIE(long_list)
{
    if (FLUE_GET(SQE_OPCODE, sqe->word0) == FLUE_OP_LIST)
        done->result = 0x10000;
}
LIE(backward_list)
{
    if (FLUE_GET(SQE_OPCODE, sqe->word0) == FLUE_OP_LIST && done->result > 0)
        memcpy(buffer + sizeof(struct flue_list_entry), buffer, sizeof(struct flue_list_entry)), done->result = 2;
}
LIE(forged_list)
{
    struct flue_list_entry entry = {.handle = 0x4001FFFF};
    if (FLUE_GET(SQE_OPCODE, sqe->word0) == FLUE_OP_LIST)
        memcpy(buffer, &entry, sizeof entry), done->result = 1;
}

/* CH-151: a list of objects that cannot be ends the recovery, not the program. */
TEST(a_list_that_cannot_be_is_a_lie)
{
    static lie_fn *const lies[] = {long_list, backward_list, forged_list};
    for (unsigned i = 0; i < 3; i++) {
        rig_open_rows(4, 4, 4, 8);
        take_chain(1);
        rig.fake->lie = lies[i];
        CHECK_EQ(flue_target_reconcile(rig.target), FLUE_OK);
        rig_work();
        CHECK_EQ(flue_target_recovered(rig.target), FLUE_EDEVICE);
        CHECK(rig.fault != NULL);
        rig_close();
    }
}

/* Random damage to what comes back: nodes, states, the command's own words. */
LIE(random_damage)
{
    for (unsigned i = 1 + check_random(4); i > 0; i--) {
        if (check_random(8) == 0)
            done->result ^= 1u << check_random(32);
        else if (check_random(8) == 0)
            done->status ^= 1u << check_random(32);
        else
            buffer[check_random(sqe->length)] ^= (uint8_t)(1u << check_random(8));
    }
}

/* CH-015, CH-016, CH-152: whatever is damaged, everything completes once and nothing leaks. */
TEST(random_damage_never_loses_an_operation)
{
    for (unsigned round = 0; round < 1500; round++) {
        rig_open_rows(8, 8, 16, 16);
        struct chain c = take_chain(1);
        rig.fake->lie = random_damage;
        for (unsigned i = 0; i < 6; i++) {
            enum flue_tree_op op = (enum flue_tree_op)check_random(FLUE_TREE_OPS);
            node_t *root;
            if (op == FLUE_TREE_INITIATE) {
                root = new_neighbor();
                add(add(root, new_path(false, 9)), new_tcp(9));
            } else if (op == FLUE_TREE_QUERY) {
                root = refer(c.tcp, TcpOffloadState, ALL);
            } else if (op == FLUE_TREE_UPDATE) {
                root = refer(c.neighbor, NeighborOffloadCachedState, FLUE_TREE_CACHED);
            } else {
                root = refer_full(c.neighbor);
                add(add(root, refer_full(c.path)), refer_full(c.tcp));
            }
            run_op(op, root);
            CHECK(root->Status != (NDIS_STATUS)0x12345678);
            if (check_random(4) == 0 && flue_target_reconcile(rig.target) == FLUE_OK)
                rig_work();
        }
        rig_close();
    }
}
