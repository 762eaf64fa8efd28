/* Diverted frames that the driver forwards: the same effect as from the wire, every refusal by name (docs/tcp.md section 6). */
#include <stdlib.h>
#include <string.h>
#include "detour.h"

static const struct live_start plain = {.timestamps = true, .sack = true, .scale = 2, .snd = 1000, .rcv = 2000, .delay_us = 50};

static void detour(unsigned width, bool ipv6)
{
    struct live_rig *rig = live_rig_open(width, width != 32, 1u << 20);
    struct detour d;
    struct live live, *all[1] = {&live};
    struct live_start start = plain;
    struct flue_conn_view view;
    detour_open(&d, rig);
    start.ipv6 = ipv6;
    live_prepare(rig, &live, &start);
    live_enter(&live);
    live_peer_push(&live, 100000);
    live_run(rig, 2000);
    unsigned kept = d.kept_count;
    CHECK(kept >= 10, "%u frames were diverted, the peer's window is 10", kept);
    detour_forward(&d);
    CHECK(d.fate[FLUE_FORWARD_DONE] >= kept && d.fate[FLUE_FORWARD_DONE] == d.sum, "%u of %u were processed",
          d.fate[FLUE_FORWARD_DONE], d.sum);
    live_run(rig, 100);
    CHECK(flue_conn_look(live.conn, &view) == FLUE_OK);
    CHECK(view.rcv_nxt - start.rcv >= 10 * 1400, "%u bytes are in the ring before START", view.rcv_nxt - start.rcv);
    uint32_t last = d.newest;
    for (unsigned i = 0; i < 4 && !live_begin(&live, &last); i++) {
        live_run(rig, 50);
        detour_forward(&d);
        last = d.newest;
    }
    CHECK(live_exchange(rig, all, 1, 50000, 100000, 5000000), "%llu to the peer, %llu to the adapter",
          (unsigned long long)live.peer_received, (unsigned long long)live.received);
    CHECK_EQ(live.peer.reasons[FLUE_TCP_R_RETRANSMIT] + live.peer.reasons[FLUE_TCP_R_RTO], 0);
    CHECK_EQ(d.sum, d.fate[FLUE_FORWARD_DONE]);
    live_freeze(&live);
    live_close(&live);
    detour_close(&d);
    live_rig_close(rig);
}

/* CH-096, HND-002, HND-003: what was diverted before START is forwarded, and the stream has no hole; nothing is sent twice. */
TEST(frames_diverted_before_start_are_forwarded_and_nothing_is_lost)
{
    const char *only = getenv("RIG_WIDTH");
    for (unsigned width = 32; width <= 128; width *= 2)
        if (!only || strtoul(only, NULL, 10) == width)
            detour(width, width == 64);
}

/* ---- the same segments from the wire and forwarded ---------------------------------------------------------------------- */

struct script {
    const char *name;
    unsigned count;
    struct {
        uint32_t at; /* after the first sequence number */
        uint16_t len;
        uint8_t flags;
    } seg[4];
};

static const struct script scripts[] = {
    {"in order", 2, {{0, 1000, FLUE_TCP_ACK}, {1000, 500, FLUE_TCP_ACK | FLUE_TCP_PSH}}},
    {"out of order, then the gap", 3, {{1000, 500, FLUE_TCP_ACK}, {3000, 100, FLUE_TCP_ACK}, {0, 1000, FLUE_TCP_ACK}}},
    {"old bytes again", 2, {{0, 1000, FLUE_TCP_ACK}, {500, 1000, FLUE_TCP_ACK}}},
    {"FIN", 2, {{0, 700, FLUE_TCP_ACK}, {700, 300, FLUE_TCP_ACK | FLUE_TCP_PSH | FLUE_TCP_FIN}}},
    {"FIN above a gap", 2, {{700, 300, FLUE_TCP_ACK | FLUE_TCP_FIN}, {0, 700, FLUE_TCP_ACK}}},
    {"RST", 2, {{0, 100, FLUE_TCP_ACK}, {100, 0, FLUE_TCP_RST}}},
    {"RST elsewhere in the window", 1, {{50, 0, FLUE_TCP_RST}}},
    {"SYN", 2, {{0, 0, FLUE_TCP_SYN}, {0, 100, FLUE_TCP_ACK}}},
    {"URG", 2, {{0, 100, FLUE_TCP_ACK}, {100, 100, FLUE_TCP_ACK | FLUE_TCP_URG}}},
    {"no ACK", 1, {{0, 100, 0}}},
    {"outside the window", 1, {{1u << 28, 100, FLUE_TCP_ACK}}},
};

/* A segment of the peer, written by the test. */
static size_t frame_of(const struct live *live, uint32_t at, uint16_t len, uint8_t flags, uint8_t *frame)
{
    uint8_t payload[1448];
    struct flue_tcp_seg seg = {.seq = live->start.rcv + at,
                               .ack = live->start.snd,
                               .wnd = 1000,
                               .flags = flags,
                               .len = len,
                               .has_ts = live->start.timestamps,
                               .ts_val = 5000};
    for (unsigned i = 0; i < len; i++)
        payload[i] = live_byte(at + i, 1);
    return flue_tcp_frame_build(&live->ends, &seg, payload, frame);
}

static void delegated(struct live *live, struct flue_wire_tcp_delegated *state)
{
    struct tree tree;
    uint32_t none[TCP_WORDS] = {0};
    tree_clear(&tree);
    tree_add(&tree, FLUE_NODE_REFERENCE, 0, TcpOffloadDelegatedState, none)->handle = live->handle;
    trees_run(live->rig->t, FLUE_OP_QUERY, &tree);
    CHECK(tree.item[0].status == TREE_OK, "query: %08X", tree.item[0].status);
    memcpy(state, tree.item[0].state, sizeof *state);
}

static unsigned uploads(const struct live *live)
{
    unsigned n = 0;
    for (unsigned i = 0; i < live->rig->t->notices; i++)
        n += live->rig->t->notice[i].kind == FLUE_CQ_UPLOAD_REQUEST && live->rig->t->notice[i].result == live->handle;
    return n;
}

static void same_effect(struct live_rig *rig, struct detour *d, const struct script *s, bool ipv6)
{
    struct live twin[2]; /* from the wire, forwarded */
    struct flue_wire_tcp_delegated state[2];
    struct flue_conn_view view[2];
    unsigned asked[2];
    struct live_start start = plain;
    start.ipv6 = ipv6;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t frame[FLUE_TCP_FRAME_HEADERS + 1448], byte[4096];
        uint32_t last = 0;
        live_prepare(rig, &twin[i], &start);
        live_enter(&twin[i]);
        if (i == 0)
            CHECK(live_begin(&twin[i], &last));
        for (unsigned k = 0; k < s->count; k++) {
            size_t len = frame_of(&twin[i], s->seg[k].at, s->seg[k].len, s->seg[k].flags, frame);
            CHECK(flue_sim_wire_send(rig->t->rig->sim, frame, len) == FLUE_OK);
            live_run(rig, 200);
            CHECK(d->kept_count == i, "%s, segment %u: %u diverted", s->name, k, d->kept_count);
            unsigned taken = d->fate[FLUE_FORWARD_DONE];
            detour_forward(d);
            CHECK(d->fate[FLUE_FORWARD_DONE] == taken + i, "%s, segment %u", s->name, k);
            live_run(rig, 200);
        }
        live_run(rig, 45000);         /* a delayed ACK too */
        asked[i] = uploads(&twin[i]); /* before any command: the note alone wakes the firmware */
        delegated(&twin[i], &state[i]);
        CHECK(flue_conn_look(twin[i].conn, &view[i]) == FLUE_OK);
        for (uint32_t n = view[i].rcv_nxt - start.rcv, at = 0; at < n; at++) {
            CHECK(flue_conn_peek_received(twin[i].conn, start.rcv + at, byte, 1) == FLUE_OK);
            CHECK(byte[0] == live_byte(at, 1), "%s: byte %u", s->name, at);
        }
        live_freeze(&twin[i]);
        live_close(&twin[i]);
    }
    CHECK_EQ(state[0].word0, state[1].word0);
    CHECK_EQ(state[0].rcv_nxt, state[1].rcv_nxt);
    CHECK_EQ(state[0].snd_una, state[1].snd_una);
    CHECK_EQ(state[0].snd_wnd, state[1].snd_wnd);
    CHECK_EQ(state[0].send_wl1, state[1].send_wl1);
    CHECK_EQ(state[0].ts_recent, state[1].ts_recent);
    CHECK_EQ(state[0].receive_backlog, state[1].receive_backlog);
    CHECK(view[0].state == view[1].state && view[0].ended == view[1].ended && view[0].rcv_nxt == view[1].rcv_nxt,
          "%s: state %u, end %u from the wire, %u, %u forwarded", s->name, view[0].state, view[0].ended, view[1].state,
          view[1].ended);
    CHECK(asked[0] == asked[1] && asked[0] == (strcmp(s->name, "URG") == 0),
          "%s: %u uploads asked for from the wire, %u forwarded", s->name, asked[0], asked[1]);
}

/* CH-097: in order, out of order, PSH, FIN, RST, SYN, URG: state, bytes and requests are those of the same segment from the
 * wire.
 */
TEST(a_forwarded_segment_has_the_effect_of_the_same_segment_from_the_wire)
{
    enum { SCRIPTS = sizeof scripts / sizeof *scripts, TOGETHER = 6 /* the tables hold 16 neighbors */ };
    for (unsigned first = 0; first < 2 * SCRIPTS; first += TOGETHER) {
        struct live_rig *rig = live_rig_open(32, false, 4u << 20);
        struct detour d;
        detour_open(&d, rig);
        rig->drop_percent = 100; /* the peers did not send that */
        for (unsigned i = first; i < first + TOGETHER && i < 2 * SCRIPTS; i++)
            same_effect(rig, &d, &scripts[i % SCRIPTS], i >= SCRIPTS);
        CHECK_EQ(d.kept_count, 0); /* none came back as a received frame */
        detour_close(&d);
        live_rig_close(rig);
    }
}

/* CH-098: a segment that begins with its TCP header; its options are parsed, and its checksum is checked like any. */
TEST(a_segment_without_ip_header_is_forwarded_with_its_options)
{
    struct live_rig *rig = live_rig_open(32, false, 4u << 20);
    struct detour d;
    detour_open(&d, rig);
    rig->drop_percent = 100; /* the peer did not send that */
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        struct live live;
        struct live_start start = plain;
        struct flue_wire_tcp_delegated state;
        uint8_t frame[FLUE_TCP_FRAME_HEADERS + 1448];
        size_t l4 = ipv6 ? 54 : 34;
        start.ipv6 = ipv6 == 1;
        live_prepare(rig, &live, &start);
        live_enter(&live);
        struct flue_forward_ends ends = {.ipv6 = start.ipv6};
        memcpy(ends.remote, live.ends.ip_here, 16); /* the peer's view */
        memcpy(ends.local, live.ends.ip_there, 16);
        size_t len = frame_of(&live, 0, 700, FLUE_TCP_ACK, frame);
        CHECK(flue_sim_wire_send(rig->t->rig->sim, frame, len) == FLUE_OK);
        live_run(rig, 200);
        CHECK_EQ(d.kept_count, 1 + ipv6);
        CHECK_EQ(detour_segment(&d, live.handle, &ends, frame + l4, len - l4), FLUE_FORWARD_DONE);
        delegated(&live, &state);
        CHECK_EQ(state.rcv_nxt, start.rcv + 700);
        CHECK_EQ(state.ts_recent, 5000);
        len = frame_of(&live, 700, 300, FLUE_TCP_ACK, frame);
        frame[len - 1] ^= 0x40;
        CHECK_EQ(detour_segment(&d, live.handle, &ends, frame + l4, len - l4), FLUE_FORWARD_BAD);
        frame[len - 1] ^= 0x40;
        ends.remote[ipv6 ? 15 : 3] ^= 4;
        CHECK_EQ(detour_segment(&d, live.handle, &ends, frame + l4, len - l4),
                 FLUE_FORWARD_BAD); /* the sum has the addresses in it */
        CHECK_EQ(flue_forward_segment(d.forward, live.handle, &ends, frame + l4, 19, NULL), FLUE_EARG);
        CHECK_EQ(flue_forward_segment(d.forward, live.handle, &ends, frame + l4, 1500, NULL), FLUE_EARG);
        delegated(&live, &state);
        CHECK_EQ(state.rcv_nxt, start.rcv + 700);
        live_freeze(&live);
        live_close(&live);
    }
    detour_close(&d);
    live_rig_close(rig);
}

/* ---- refusals -------------------------------------------------------------------------------------------------------------
 */

/* CH-099: frames that no connection takes come back with the reason, whatever it is, and disturb nobody. */
TEST(a_frame_that_is_not_taken_comes_back_with_the_reason)
{
    struct live_rig *rig = live_rig_open(32, false, 4u << 20);
    struct detour d;
    struct live held, other, bulk, *all[1] = {&bulk};
    uint8_t frame[FLUE_TCP_FRAME_HEADERS + 2048], foreign[FLUE_TCP_FRAME_HEADERS + 2048];
    detour_open(&d, rig);
    live_open(rig, &bulk, &plain);
    live_open(rig, &other, &plain);
    live_push(&bulk, 40000);
    live_peer_push(&bulk, 40000);
    live_pull(&bulk);
    live_prepare(rig, &held, &plain);
    live_hold(&held);
    size_t len = frame_of(&held, 0, 300, FLUE_TCP_ACK, frame), foreign_len = frame_of(&other, 0, 300, FLUE_TCP_ACK, foreign);
    CHECK_EQ(detour_one(&d, held.handle, frame, len), FLUE_FORWARD_NOT_TAKEN); /* no state yet */
    live_close(&held);

    struct live frozen;
    struct tree tree;
    uint32_t none[TCP_WORDS] = {0};
    live_open(rig, &frozen, &plain);
    tree_clear(&tree);
    tree_add(&tree, FLUE_NODE_REFERENCE, 0, TcpOffloadDelegatedState, none)->handle = frozen.handle;
    trees_run(rig->t, FLUE_OP_TERMINATE | FLUE_SQE_KEEP_ENTRY_MASK, &tree);
    CHECK(tree.item[0].status == TREE_OK);
    len = frame_of(&frozen, 0, 300, FLUE_TCP_ACK, frame);
    CHECK_EQ(detour_one(&d, frozen.handle, frame, len), FLUE_FORWARD_NOT_TAKEN); /* it is with the host again */
    CHECK_EQ(d.kept_count, 0);
    live_run(rig, 300); /* what it had sent arrives */
    live_close(&frozen);

    struct live live;
    live_prepare(rig, &live, &plain);
    live_enter(&live);
    len = frame_of(&live, 0, 300, FLUE_TCP_ACK, frame);
    CHECK(flue_sim_wire_send(rig->t->rig->sim, frame, len) == FLUE_OK);
    live_run(rig, 200);
    CHECK_EQ(d.kept_count, 1);
    frame[len - 1] ^= 1;
    CHECK_EQ(detour_one(&d, live.handle, frame, len), FLUE_FORWARD_BAD); /* checksum */
    frame[len - 1] ^= 1;
    CHECK_EQ(detour_one(&d, live.handle, frame, len - 60), FLUE_FORWARD_BAD); /* cut off */
    CHECK_EQ(detour_one(&d, live.handle, frame, 14), FLUE_FORWARD_BAD);       /* no frame at all */
    CHECK_EQ(detour_one(&d, live.handle, foreign, foreign_len), FLUE_FORWARD_FOREIGN);
    CHECK_EQ(detour_one(&d, live.handle + (1u << FLUE_HANDLE_GENERATION_SHIFT), frame, len), FLUE_FORWARD_FOREIGN);
    CHECK_EQ(detour_one(&d, live.path, frame, len), FLUE_FORWARD_FOREIGN); /* no handle of a connection */
    memset(frame + len, 0, 1522 - len);
    CHECK_EQ(detour_one(&d, live.handle, frame, 1522), FLUE_FORWARD_BAD); /* longer than a frame without a tag */
    struct flue_rx_done done = {.len_bytes = 1523, .diverted = true, .conn_handle = live.handle};
    CHECK_EQ(flue_forward_put(d.forward, &done, frame, NULL), FLUE_EARG);
    done = (struct flue_rx_done){.len_bytes = (uint32_t)len, .conn_handle = live.handle};
    CHECK_EQ(flue_forward_put(d.forward, &done, frame, NULL), FLUE_EARG); /* not a diverted one */

    CHECK_EQ(detour_one(&d, live.handle, frame, len), FLUE_FORWARD_DONE); /* after all that */
    struct flue_conn_view view;
    live_run(rig, 100);
    CHECK(flue_conn_look(live.conn, &view) == FLUE_OK && view.rcv_nxt == plain.rcv + 300);
    CHECK(flue_conn_look(other.conn, &view) == FLUE_OK && view.rcv_nxt == plain.rcv);

    uint8_t reset[FLUE_TCP_FRAME_HEADERS];
    size_t reset_len = frame_of(&live, 300, 0, FLUE_TCP_RST, reset);
    CHECK_EQ(detour_one(&d, live.handle, reset, reset_len), FLUE_FORWARD_DONE);
    live_run(rig, 100);
    CHECK_EQ(detour_one(&d, live.handle, frame, len), FLUE_FORWARD_ABORTED);
    live_freeze(&live);
    CHECK_EQ(detour_one(&d, live.handle, frame, len), FLUE_FORWARD_FOREIGN); /* its handle is stale */

    CHECK(live_exchange(rig, all, 1, 40000, 40000, 5000000));
    CHECK_EQ(bulk.peer.reasons[FLUE_TCP_R_RETRANSMIT] + bulk.peer.reasons[FLUE_TCP_R_RTO], 0);
    live_close(&live);
    live_close(&other);
    live_close(&bulk);
    detour_close(&d);
    live_rig_close(rig);
}

/* CH-096, HND-008: drained or reset with frames on their way, the adapter gives every one back, and forwards again afterwards.
 */
TEST(every_frame_comes_back_when_the_adapter_is_drained_or_reset)
{
    for (unsigned reset = 0; reset < 2; reset++) {
        struct live_rig *rig = live_rig_open(32, false, 4u << 20);
        struct flue_adapter *a = rig->t->rig->adapter;
        struct detour d;
        struct live live;
        uint8_t frame[FLUE_TCP_FRAME_HEADERS + 1448];
        detour_open(&d, rig);
        rig->drop_percent = 100;
        live_prepare(rig, &live, &plain);
        live_enter(&live);
        size_t len = frame_of(&live, 0, 1400, FLUE_TCP_ACK, frame);
        CHECK(flue_sim_wire_send(rig->t->rig->sim, frame, len) == FLUE_OK);
        live_run(rig, 200);
        CHECK_EQ(d.kept_count, 1);
        struct flue_rx_done done = {.len_bytes = (uint32_t)len, .diverted = true, .conn_handle = live.handle};
        for (unsigned round = 0; round < 6; round++) {
            unsigned before = d.sum;
            for (unsigned i = 0; i < 4; i++)
                CHECK(flue_forward_put(d.forward, &done, frame, NULL) == FLUE_OK);
            CHECK(flue_forward_put(d.forward, &done, frame, NULL) == FLUE_EAGAIN);
            live_run(rig, 7 * round);
            CHECK((reset ? flue_adapter_reset(a) : flue_adapter_drain(a)) == FLUE_OK);
            CHECK_EQ(d.sum, before + 4);
            if (!reset) {
                CHECK(flue_forward_put(d.forward, &done, frame, NULL) == FLUE_ESTATE);
                CHECK(flue_adapter_resume(a) == FLUE_OK);
            }
            rig_refill(rig->t->rig);
            CHECK_EQ(detour_one(&d, live.handle, frame, len), reset ? FLUE_FORWARD_FOREIGN : FLUE_FORWARD_DONE);
        }
        CHECK_EQ(d.fate[FLUE_FORWARD_NOT_TAKEN] + d.fate[FLUE_FORWARD_BAD] + d.fate[FLUE_FORWARD_ABORTED], 0);
        CHECK(d.fate[FLUE_FORWARD_LOST] > 0);
        live_close(&live);
        detour_close(&d);
        live_rig_close(rig);
    }
}

/* ---- start and release with frames on their way ---------------------------------------------------------------------------
 */

/* HND-003: START is answered "again" until it names the newest diverted frame. */
TEST(start_goes_on_only_when_it_names_the_newest_frame)
{
    struct live_rig *rig = live_rig_open(32, false, 1u << 20);
    struct detour d;
    struct live live;
    uint32_t last = 0;
    detour_open(&d, rig);
    live_prepare(rig, &live, &plain);
    live_enter(&live);
    live_peer_push(&live, 3 * LIVE_MSS);
    live_run(rig, 1000);
    CHECK_EQ(d.newest, d.kept_count);
    CHECK(!live_begin(&live, &last));
    CHECK_EQ(last, d.newest);
    detour_forward(&d);
    CHECK(live_begin(&live, &last));
    live_run(rig, 200);
    live_pull(&live);
    CHECK_EQ(live.received, 3 * LIVE_MSS);
    live_close(&live);
    detour_close(&d);
    live_rig_close(rig);
}

/* HND-003: a frame that meets START anywhere on its way is the engine's, or START is answered "again": it never goes on with a
 * frame that nobody named. */
TEST(start_looks_again_for_frames_that_were_on_their_way)
{
    enum { ROUNDS = 20, FILLER = 500 };
    struct live_rig *rig = live_rig_open(32, false, 1u << 20);
    struct detour d;
    struct live live;
    struct live_start start = plain;
    uint8_t filler[FILLER] = {2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 2, 0, 0x88, 0xB5}, frame[FLUE_TCP_FRAME_HEADERS + 1448];
    unsigned diverted = 0, taken = 0;
    start.timestamps = false; /* the same connection begins again and again */
    detour_open(&d, rig);
    rig->drop_percent = 100;
    live_prepare(rig, &live, &start);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct flue_conn_view view;
        uint32_t last = 0;
        live_enter(&live);
        live_run(rig, 100);
        size_t len = frame_of(&live, 0, 500, FLUE_TCP_ACK, frame);
        for (unsigned i = 0; i < round; i++) /* 2 us each */
            CHECK(flue_sim_wire_send(rig->t->rig->sim, filler, sizeof filler) == FLUE_OK);
        CHECK(flue_sim_wire_send(rig->t->rig->sim, frame, len) == FLUE_OK);
        bool started = live_begin(&live, &last);
        live_run(rig, 200);
        CHECK(flue_conn_look(live.conn, &view) == FLUE_OK);
        CHECK(started ? d.kept_count == 0 && view.rcv_nxt == start.rcv + 500
                      : d.kept_count == 1 && last <= 1, /* 0: it had no number yet */
              "round %u: START %s, %u frames diverted, %u bytes received", round, started ? "goes on" : "again", d.kept_count,
              view.rcv_nxt - start.rcv);
        diverted += d.kept_count;
        taken += started;
        detour_forget(&d);
        live_freeze(&live);
        flue_conn_close(live.conn);
    }
    CHECK(diverted > 0 && taken > 0, "%u diverted, %u the engine's: the frame never met START", diverted, taken);
    CHECK(flue_conn_open(rig->conns, LIVE_RING_LOG2, LIVE_RING_LOG2, &live.conn) == FLUE_OK);
    live_close(&live);
    detour_close(&d);
    live_rig_close(rig);
}

static uint32_t release(struct live *live, uint32_t *detail)
{
    struct flue_admin_done done;
    struct flue_sqe sqe = {.word0 = FLUE_OP_RELEASE, .handle = live->handle};
    CHECK(trees_command(live->rig->t, &sqe, &done));
    *detail = done.detail;
    return done.status;
}

static void wire_send(struct live_rig *rig, const uint8_t *frame, size_t len, unsigned count)
{
    enum flue_sim_why why;
    unsigned handled;
    for (unsigned i = 0; i < count; i++) {
        CHECK(flue_sim_wire_send(rig->t->rig->sim, frame, len) == FLUE_OK);
        CHECK(flue_sim_advance(rig->t->rig->sim, 20, 0, &why) == FLUE_OK);
        CHECK(flue_poll(rig->t->rig->adapter, 100, &handled) == FLUE_OK);
    }
}

/* HND-003, HND-010: while a frame that hit the entry waits behind one without a buffer, the row is not given to anybody else.
 */
TEST(release_is_over_when_the_last_frame_that_hit_the_entry_has_arrived)
{
    struct live_rig *rig = live_rig_open(32, false, 1u << 20);
    struct detour d;
    struct live live, other;
    uint8_t plain_frame[60] = {2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 2, 0, 0x88, 0xB5}, frame[FLUE_TCP_FRAME_HEADERS + 1448];
    uint32_t detail;
    detour_open(&d, rig);
    live_prepare(rig, &live, &plain);
    live_hold(&live);
    live_run(rig, 200);
    CHECK_EQ(rig->t->rig->marker, live.handle);
    size_t len = frame_of(&live, 0, 500, FLUE_TCP_ACK, frame);
    rig->t->rig->refill = false;
    wire_send(rig, plain_frame, sizeof plain_frame, RIG_BUFFERS + 1); /* the last of them waits */
    wire_send(rig, frame, len, 2);
    rig->t->rig->marker = 0;
    CHECK(release(&live, &detail) != TREE_OK && detail == FLUE_AD_BUSY, "detail %u", detail);
    CHECK(release(&live, &detail) != TREE_OK && detail == FLUE_AD_BUSY, "detail %u", detail);
    CHECK_EQ(rig->t->rig->marker, 0);
    live_prepare(rig, &other, &plain);
    live_hold(&other);
    CHECK((other.handle & FLUE_HANDLE_INDEX_MASK) != (live.handle & FLUE_HANDLE_INDEX_MASK));
    rig->t->rig->marker = 0; /* of the hold */
    rig->t->rig->refill = true;
    rig_refill(rig->t->rig);
    live_run(rig, 500);
    CHECK_EQ(rig->t->rig->marker, other.handle); /* the later one */
    CHECK_EQ(d.kept_count, 2);
    CHECK(d.kept[0].rx.conn_handle == live.handle && d.kept[1].rx.number == 2);
    CHECK_EQ(release(&live, &detail), TREE_OK);
    wire_send(rig, frame, len, 1);
    live_run(rig, 200);
    CHECK_EQ(d.kept_count, 2); /* a frame of nobody now */
    live_close(&live);
    live_close(&other);
    detour_close(&d);
    live_rig_close(rig);
}

TEST_MAIN(1)
