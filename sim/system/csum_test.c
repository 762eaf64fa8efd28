/* Checksum offload through the whole adapter, both directions, against the plain model of a frame (sections 3.1.2 and 3.1.3).
 */
#include "rig.h"

enum { ROUNDS = 40, IS_IPV4 = 1, IS_IPV6 = 2, WANT_TCP = 4, WANT_UDP = 8, WANT_IP = 16 };

static void show(const struct rig *rig, unsigned i, const uint8_t *want, size_t want_len, const struct rig_frame *seen)
{
    if (!seen) {
        CHECK(false, "width %u, frame %u: nothing left", rig->width, i);
        return;
    }
    size_t at = 0;
    while (at < want_len && at < seen->len && want[at] == seen->data[at])
        at++;
    CHECK(at == want_len && seen->len == want_len,
          "width %u, frame %u: %zu bytes, should be %zu; differs at %zu (0x%02x, should be 0x%02x)", rig->width, i, seen->len,
          want_len, at, at < seen->len ? seen->data[at] : 0, at < want_len ? want[at] : 0);
}

/* A frame of this build's size with the shape's lengths. */
static size_t build(struct rig *rig, struct flue_frames_shape *shape, uint8_t *frame)
{
    for (;;) {
        struct flue_pkt_hdr h;
        size_t n = flue_frames_build(&rig->frames_state, shape, frame);
        flue_pkt_parse(frame, n, &h);
        if (h.bad_hdr) /* more extension headers than are walked */
            shape->ext_headers = shape->ext_bytes = 0;
        else if (n <= 1514)
            return n;
        shape->payload /= 2;
        shape->padding = 0;
    }
}

/* The request for all sums of a finished frame, and the frame as the host hands it over: partial sum, no IP checksum. */
static uint32_t ask_all(uint8_t *frame, size_t len, struct rig *rig)
{
    struct flue_pkt_hdr h;
    flue_pkt_parse(frame, len, &h);
    uint32_t csum = h.is_ipv4 ? IS_IPV4 | WANT_IP : IS_IPV6;
    if (h.is_ipv4) {
        frame[h.l3_off + 10] = (uint8_t)flue_rng_next(&rig->rng);
        frame[h.l3_off + 11] = (uint8_t)flue_rng_next(&rig->rng);
    }
    if (!h.is_tcp && !h.is_udp)
        return csum;
    uint16_t partial = flue_pkt_pseudo(frame, &h, h.l3_end - h.l4_off);
    size_t at = h.l4_off + (h.is_tcp ? 16u : 6u);
    frame[at] = (uint8_t)(partial >> 8);
    frame[at + 1] = (uint8_t)partial;
    return csum | (h.is_tcp ? WANT_TCP | (uint32_t)h.l4_off << 16 : (uint32_t)WANT_UDP);
}

/* TO-019, TO-020, TO-021, TO-022, TO-024, TO-029: all stacks, options, extension headers, tags, lengths, padding */
RIG_TEST(transmit_sums_are_right_for_every_stack_and_length)
{
    uint8_t want[ROUNDS][FLUE_FRAMES_MAX], frame[FLUE_FRAMES_MAX];
    size_t len[ROUNDS];
    struct flue_frames_shape shape;
    for (unsigned i = 0; i < ROUNDS; i++) {
        do {
            shape = flue_frames_shape(&rig->frames_state, i < 8 ? i / 2 : 1400);
            shape.fragment = shape.udp_no_csum = false;
            if (shape.tags > 2)
                shape.tags = 2;
        } while (!shape.ip || (shape.l4 != FLUE_FRAMES_TCP && shape.l4 != FLUE_FRAMES_UDP));
        len[i] = build(rig, &shape, want[i]);
        memcpy(frame, want[i], len[i]);
        uint32_t csum = ask_all(frame, len[i], rig);
        CHECK(rig_put(rig, frame, len[i], 4, &(struct flue_tx_packet){.csum = csum}) == FLUE_OK);
    }
    CHECK(rig_settle(rig), "%s", flue_sim_violation(rig->sim));
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct flue_tx_done *d = rig_next_done(rig);
        CHECK(d && d->status == FLUE_ST_OK && d->frames == 1, "width %u, frame %u: %s", rig->width, i,
              d ? flue_status_name(d->status) : "no completion");
        if (d && d->status == FLUE_ST_OK)
            show(rig, i, want[i], len[i], rig_next_out(rig));
    }
    CHECK(rig_stat(rig, FLUE_STAT_TX_CSUM_L4) == ROUNDS);
}

/* TO-018: whatever other bits are set */
RIG_TEST(without_an_ip_flag_a_frame_leaves_bit_exact)
{
    uint8_t want[ROUNDS][FLUE_FRAMES_MAX];
    size_t len[ROUNDS];
    flue_sim_allow_bad_checksums(rig->sim, true);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct flue_frames_shape shape = flue_frames_shape(&rig->frames_state, 1400);
        len[i] = build(rig, &shape, want[i]);
        len[i] = flue_frames_damage(&rig->frames_state, want[i], len[i]);
        if (len[i] < 14)
            len[i] = 14;
        uint32_t others = (uint32_t)flue_rng_next(&rig->rng) & (WANT_TCP | WANT_UDP | WANT_IP | 0x3FF0000u);
        CHECK(rig_put(rig, want[i], len[i], 3, &(struct flue_tx_packet){.csum = others}) == FLUE_OK);
    }
    CHECK(rig_settle(rig), "%s", flue_sim_violation(rig->sim));
    for (unsigned i = 0; i < ROUNDS; i++)
        show(rig, i, want[i], len[i], rig_next_out(rig));
}

/* TO-026 */
RIG_TEST(one_checksum_asked_for_leaves_the_other_alone)
{
    struct flue_frames_shape shape = {.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 333};
    uint8_t good[FLUE_FRAMES_MAX], frame[FLUE_FRAMES_MAX], want[FLUE_FRAMES_MAX];
    size_t len = flue_frames_build(&rig->frames_state, &shape, good);
    flue_sim_allow_bad_checksums(rig->sim, true);
    for (unsigned which = 0; which < 2; which++) {
        memcpy(frame, good, len);
        uint32_t csum = ask_all(frame, len, rig);
        frame[24] = 0x12, frame[25] = 0x34;
        memcpy(want, frame, len);
        memcpy(want + (which ? 50 : 24), good + (which ? 50 : 24), 2);
        csum &= ~(uint32_t)(which ? WANT_IP : WANT_TCP);
        CHECK(rig_put(rig, frame, len, 2, &(struct flue_tx_packet){.csum = csum}) == FLUE_OK);
        CHECK(rig_settle(rig));
        show(rig, which, want, len, rig_next_out(rig));
    }
}

/* TO-023: payload is chosen so that the sum comes out as zero */
RIG_TEST(a_sum_of_zero_is_sent_as_ffff_for_udp_and_as_zero_for_tcp)
{
    for (unsigned tcp = 0; tcp < 2; tcp++) {
        struct flue_frames_shape shape = {.ip = 4, .l4 = tcp ? FLUE_FRAMES_TCP : FLUE_FRAMES_UDP, .payload = 40};
        uint8_t frame[FLUE_FRAMES_MAX];
        struct flue_pkt_hdr h;
        size_t len = flue_frames_build(&rig->frames_state, &shape, frame), at = tcp ? 50 : 40;
        flue_pkt_parse(frame, len, &h);
        uint16_t partial = flue_pkt_pseudo(frame, &h, h.l3_end - h.l4_off);
        frame[at] = (uint8_t)(partial >> 8);
        frame[at + 1] = (uint8_t)partial;
        frame[len - 2] = frame[len - 1] = 0;
        uint16_t rest =
            (uint16_t)~flue_pkt_sum(frame + h.l4_off, len - h.l4_off, 0); /* L4 starts even, so the last word is aligned */
        frame[len - 2] = (uint8_t)(rest >> 8);
        frame[len - 1] = (uint8_t)rest;
        uint32_t csum = IS_IPV4 | (tcp ? WANT_TCP | (uint32_t)h.l4_off << 16 : (uint32_t)WANT_UDP);
        CHECK(rig_put(rig, frame, len, 2, &(struct flue_tx_packet){.csum = csum}) == FLUE_OK);
        CHECK(rig_settle(rig), "%s", flue_sim_violation(rig->sim));
        struct rig_frame *out = rig_next_out(rig);
        CHECK(out && out->data[at] == (tcp ? 0 : 0xFF) && out->data[at + 1] == (tcp ? 0 : 0xFF), "width %u", rig->width);
    }
}

/* Linux hands over any start and place (6.3); the sum runs to the end of the frame. */
RIG_TEST(a_generic_request_sums_from_its_start_to_the_end)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct flue_frames_shape shape = {.ip = flue_rng_below(&rig->rng, 2) ? 4 : 6,
                                          .l4 = flue_rng_below(&rig->rng, 2) ? FLUE_FRAMES_TCP : FLUE_FRAMES_UDP,
                                          .payload = flue_rng_below(&rig->rng, 1300),
                                          .tags = (int)flue_rng_below(&rig->rng, 2)};
        uint8_t want[FLUE_FRAMES_MAX], frame[FLUE_FRAMES_MAX];
        struct flue_pkt_hdr h;
        size_t len = build(rig, &shape, want);
        memcpy(frame, want, len);
        flue_pkt_parse(frame, len, &h);
        uint16_t partial = flue_pkt_pseudo(frame, &h, h.l3_end - h.l4_off);
        uint8_t offset = h.is_tcp ? 16 : 6;
        frame[h.l4_off + offset] = (uint8_t)(partial >> 8);
        frame[h.l4_off + offset + 1] = (uint8_t)partial;
        CHECK(rig_put(rig, frame, len, 3,
                      &(struct flue_tx_packet){.generic = true, .csum_start = h.l4_off, .csum_offset = offset}) == FLUE_OK);
        CHECK(rig_settle(rig), "%s", flue_sim_violation(rig->sim));
        show(rig, i, want, len, rig_next_out(rig));
        rig_forget(rig);
    }
}

/* Ask, expect this status and nothing on the wire, then a good frame. */
static void refused(struct rig *rig, const uint8_t *frame, size_t len, uint32_t csum, uint8_t status, const char *what)
{
    rig_forget(rig);
    CHECK(rig_put(rig, frame, len, 2, &(struct flue_tx_packet){.csum = csum}) == FLUE_OK);
    CHECK(rig_settle(rig), "%s: %s", what, flue_sim_violation(rig->sim));
    struct flue_tx_done *d = rig_next_done(rig);
    CHECK(d && d->status == status && d->frames == 0, "width %u, %s: %s, should be %s", rig->width, what,
          d ? flue_status_name(d->status) : "none", flue_status_name(status));
    CHECK(!rig_next_out(rig), "width %u, %s: a frame left", rig->width, what);
}

/* TO-027 */
RIG_TEST(an_illegal_request_fails_and_emits_nothing)
{
    struct flue_frames_shape shape = {.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 100};
    uint8_t frame[FLUE_FRAMES_MAX];
    size_t len = flue_frames_build(&rig->frames_state, &shape, frame);
    uint64_t before = rig_stat(rig, FLUE_STAT_TX_REFUSED);
    refused(rig, frame, len, IS_IPV4 | IS_IPV6 | WANT_TCP | 34u << 16, FLUE_ST_BAD_REQUEST, "both IP flags");
    refused(rig, frame, len, IS_IPV4 | WANT_TCP | WANT_UDP | 34u << 16, FLUE_ST_BAD_REQUEST, "both L4 flags");
    refused(rig, frame, len, IS_IPV6 | WANT_IP, FLUE_ST_BAD_REQUEST, "IPv4 header checksum for IPv6");
    refused(rig, frame, len, IS_IPV4 | WANT_TCP | 1022u << 16, FLUE_ST_BAD_OFFSET, "offset outside the frame");
    refused(rig, frame, len, IS_IPV4 | WANT_TCP | 35u << 16, FLUE_ST_BAD_OFFSET, "odd offset");
    frame[20] |= 0x20; /* more fragments */
    refused(rig, frame, len, IS_IPV4 | WANT_TCP | 34u << 16, FLUE_ST_FRAGMENT, "fragment");
    CHECK_EQ(rig_stat(rig, FLUE_STAT_TX_REFUSED) - before, 6);
    rig_expect_alive(rig);
}

/* TO-028, TO-045: a type that is off is refused; receive-only refuses as well */
RIG_TEST(a_checksum_that_is_switched_off_is_refused)
{
    static const struct {
        enum flue_switch sw;
        int ip;
        enum flue_frames_l4 l4;
    } ROW[] = {
        {FLUE_SW_TCP4_CSUM, 4, FLUE_FRAMES_TCP}, {FLUE_SW_UDP4_CSUM, 4, FLUE_FRAMES_UDP},
        {FLUE_SW_TCP6_CSUM, 6, FLUE_FRAMES_TCP}, {FLUE_SW_UDP6_CSUM, 6, FLUE_FRAMES_UDP},
        {FLUE_SW_IP4_CSUM, 4, FLUE_FRAMES_UDP},
    };
    for (unsigned i = 0; i < sizeof ROW / sizeof *ROW; i++) {
        struct flue_frames_shape shape = {.ip = ROW[i].ip, .l4 = ROW[i].l4, .payload = 77};
        uint8_t good[FLUE_FRAMES_MAX], frame[FLUE_FRAMES_MAX];
        size_t len = flue_frames_build(&rig->frames_state, &shape, good);
        for (unsigned way = 0; way < 4; way++) {
            struct flue_config c;
            flue_config_keep(&c);
            c.way[ROW[i].sw] = (uint8_t)way;
            CHECK(flue_config_set(rig->adapter, &c) == FLUE_OK);
            memcpy(frame, good, len);
            uint32_t csum = ask_all(frame, len, rig);
            if (ROW[i].sw != FLUE_SW_IP4_CSUM && ROW[i].ip == 4) {
                csum &= ~(uint32_t)WANT_IP;
                memcpy(frame + 24, good + 24, 2);
            }
            if (way == FLUE_WAY_OFF || way == FLUE_WAY_RX) {
                refused(rig, frame, len, csum, FLUE_ST_DISABLED, flue_switch_name(ROW[i].sw));
            } else {
                rig_forget(rig);
                CHECK(rig_put(rig, frame, len, 2, &(struct flue_tx_packet){.csum = csum}) == FLUE_OK);
                CHECK(rig_settle(rig));
                show(rig, way, good, len, rig_next_out(rig));
            }
        }
    }
}

/* --- Receive -------------------------------------------------------------------------------------------------------------- */

/* TO-033 to TO-044: good and damaged frames of every stack, all switches drawn; bit-exact and in order (TO-037) */
RIG_TEST(receive_results_are_those_of_the_model)
{
    static uint8_t sent[ROUNDS][FLUE_FRAMES_MAX];
    size_t len[ROUNDS];
    struct flue_config c;
    flue_config_keep(&c);
    for (unsigned sw = FLUE_SW_RX_IP_OPTS; sw <= FLUE_SW_RX_TCP_OPTS; sw++)
        c.way[sw] = (uint8_t)flue_rng_below(&rig->rng, 2);
    for (unsigned sw = FLUE_SW_IP4_CSUM; sw <= FLUE_SW_UDP6_CSUM; sw++)
        c.way[sw] = flue_rng_below(&rig->rng, 5) ? FLUE_WAY_BOTH : (uint8_t)flue_rng_below(&rig->rng, 4);
    c.way[FLUE_SW_VLAN] = FLUE_WAY_OFF;
    CHECK(flue_config_set(rig->adapter, &c) == FLUE_OK);
    flue_config_get(rig->adapter, &c);
    struct flue_pkt_rx_cfg model = {
        .ip4_csum = c.way[FLUE_SW_IP4_CSUM] & FLUE_WAY_RX,
        .tcp4_csum = c.way[FLUE_SW_TCP4_CSUM] & FLUE_WAY_RX,
        .udp4_csum = c.way[FLUE_SW_UDP4_CSUM] & FLUE_WAY_RX,
        .tcp6_csum = c.way[FLUE_SW_TCP6_CSUM] & FLUE_WAY_RX,
        .udp6_csum = c.way[FLUE_SW_UDP6_CSUM] & FLUE_WAY_RX,
        .ip_opts = c.way[FLUE_SW_RX_IP_OPTS],
        .ip6_ext = c.way[FLUE_SW_RX_IP6_EXT],
        .tcp_opts = c.way[FLUE_SW_RX_TCP_OPTS],
    };
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct flue_frames_shape shape = flue_frames_shape(&rig->frames_state, 1400);
        len[i] = build(rig, &shape, sent[i]);
        if (i % 2)
            len[i] = flue_frames_damage(&rig->frames_state, sent[i], len[i]);
        if (len[i] < 14)
            len[i] = 14;
        CHECK(flue_sim_wire_send(rig->sim, sent[i], len[i]) == FLUE_OK);
        CHECK(rig_settle(rig), "%s", flue_sim_violation(rig->sim));
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct rig_frame *in = rig_next_in(rig);
        struct flue_pkt_hdr h;
        show(rig, i, sent[i], len[i], in);
        if (!in)
            break;
        flue_pkt_parse(sent[i], len[i], &h);
        uint16_t want = flue_pkt_rx_csum(sent[i], len[i], &model);
        CHECK(in->rx.csum == want, "width %u, frame %u of %zu bytes: results 0x%x, should be 0x%x", rig->width, i, len[i],
              in->rx.csum, want);
        CHECK(in->rx.l4_offset == (h.is_tcp || h.is_udp ? h.l4_off : 0), "width %u, frame %u: L4 at %u, should be %u",
              rig->width, i, in->rx.l4_offset, h.l4_off);
        CHECK(in->rx.ipv6 == h.is_ipv6);
    }
}

/* TO-031, TO-032 */
RIG_TEST(no_result_is_given_before_the_ip_version_is_activated)
{
    uint8_t frame[2][FLUE_FRAMES_MAX];
    size_t len[2];
    CHECK(flue_encap_set(rig->adapter, FLUE_ENCAP_OFF, FLUE_ENCAP_OFF) == FLUE_OK);
    for (unsigned v = 0; v < 2; v++) {
        struct flue_frames_shape shape = {.ip = v ? 6 : 4, .l4 = FLUE_FRAMES_TCP, .payload = 200};
        len[v] = flue_frames_build(&rig->frames_state, &shape, frame[v]);
    }
    for (unsigned step = 0; step < 3; step++) {
        if (step == 1)
            CHECK(flue_encap_set(rig->adapter, FLUE_ENCAP_ON, FLUE_ENCAP_KEEP) == FLUE_OK);
        if (step == 2)
            CHECK(flue_encap_set(rig->adapter, FLUE_ENCAP_KEEP, FLUE_ENCAP_ON) == FLUE_OK);
        for (unsigned v = 0; v < 2; v++) {
            CHECK(flue_sim_wire_send(rig->sim, frame[v], len[v]) == FLUE_OK);
            CHECK(rig_settle(rig));
            struct rig_frame *in = rig_next_in(rig);
            uint32_t want = step > v ? FLUE_PKT_TCP_OK | (v ? 0 : FLUE_PKT_IP_OK) : 0;
            CHECK(in && in->rx.csum == want, "width %u, step %u, IPv%u: 0x%x", rig->width, step, v ? 6 : 4,
                  in ? in->rx.csum : 0xFFFF);
        }
    }
}

/* TO-173: a frame that was judged before results were switched off, and is indicated after it, carries none */
RIG_TEST(no_result_is_indicated_after_it_was_switched_off)
{
    uint8_t frame[FLUE_FRAMES_MAX];
    struct flue_frames_shape shape = {.ip = 4, .l4 = FLUE_FRAMES_TCP, .payload = 200};
    size_t len = flue_frames_build(&rig->frames_state, &shape, frame);
    for (unsigned on = 0; on < 2; on++) {
        CHECK(flue_sim_wire_send(rig->sim, frame, len) == FLUE_OK);
        CHECK(flue_sim_settle(rig->sim, 1000) == FLUE_OK); /* the event is in memory, nobody has looked */
        struct flue_config c;
        flue_config_keep(&c);
        c.way[FLUE_SW_TCP4_CSUM] = on ? FLUE_WAY_BOTH : FLUE_WAY_TX;
        CHECK(flue_config_set(rig->adapter, &c) == FLUE_OK);
        CHECK(rig_settle(rig));
        struct rig_frame *in = rig_next_in(rig);
        CHECK(in && in->rx.csum == FLUE_PKT_IP_OK, "width %u, step %u: 0x%x", rig->width, on, in ? in->rx.csum : 0xFFFF);
    }
}

/* Section 3.8: an outer 0x8100 tag goes out of band, a service tag (0x88A8) stays; results do not change (TO-044's padding
 * kept) */
RIG_TEST(a_received_tag_is_moved_out_of_band)
{
    struct flue_config c;
    flue_config_keep(&c);
    c.way[FLUE_SW_VLAN] = FLUE_WAY_BOTH;
    CHECK(flue_config_set(rig->adapter, &c) == FLUE_OK);
    for (unsigned i = 0; i < 5; i++) {
        unsigned tags = (i + 1) / 2; /* 0, then 1 and 2 with either type outside */
        bool stag = tags && i % 2 == 0, moved = tags && !stag;
        struct flue_frames_shape shape = {.ip = 4, .l4 = FLUE_FRAMES_UDP, .payload = 100 + i, .tags = (int)tags};
        uint8_t frame[FLUE_FRAMES_MAX], want[FLUE_FRAMES_MAX];
        struct flue_pkt_hdr h;
        size_t len = flue_frames_build(&rig->frames_state, &shape, frame), out_len = len;
        if (tags)
            memcpy(frame + 12, stag ? "\x88\xA8" : "\x81\x00", 2);
        flue_pkt_parse(frame, len, &h);
        memcpy(want, frame, len);
        if (moved) {
            memmove(want + 12, want + 16, len - 16);
            out_len -= 4;
        }
        CHECK(flue_sim_wire_send(rig->sim, frame, len) == FLUE_OK);
        CHECK(rig_settle(rig), "%s", flue_sim_violation(rig->sim));
        struct rig_frame *in = rig_next_in(rig);
        show(rig, i, want, out_len, in);
        if (in) {
            CHECK(in->rx.vlan == moved && (!moved || in->rx.vlan_tci == h.vlan_tci), "width %u, frame %u", rig->width, i);
            CHECK(in->rx.csum == (FLUE_PKT_UDP_OK | FLUE_PKT_IP_OK), "width %u, %u tags: 0x%x", rig->width, tags, in->rx.csum);
        }
    }
}

/* TO-029, 3.8: an out-of-band tag is inserted; the checksums are those without it */
RIG_TEST(a_tag_is_inserted_on_transmit)
{
    for (unsigned i = 0; i < 10; i++) {
        struct flue_frames_shape shape = {.ip = i % 2 ? 6 : 4, .l4 = FLUE_FRAMES_TCP, .payload = 1 + i * 37};
        uint8_t good[FLUE_FRAMES_MAX], frame[FLUE_FRAMES_MAX], want[FLUE_FRAMES_MAX];
        size_t len = flue_frames_build(&rig->frames_state, &shape, good);
        unsigned priority = flue_rng_below(&rig->rng, 8), id = 1 + flue_rng_below(&rig->rng, 4094), tci = priority << 13 | id;
        memcpy(frame, good, len);
        uint32_t csum = ask_all(frame, len, rig);
        memcpy(want, good, 12);
        want[12] = 0x81, want[13] = 0, want[14] = (uint8_t)(tci >> 8), want[15] = (uint8_t)tci;
        memcpy(want + 16, good + 12, len - 12);
        CHECK(rig_put(rig, frame, len, 3, &(struct flue_tx_packet){.csum = csum, .vlan = priority | id << 4}) == FLUE_OK);
        CHECK(rig_settle(rig), "%s", flue_sim_violation(rig->sim));
        show(rig, i, want, len + 4, rig_next_out(rig));
    }
    CHECK_EQ(rig_stat(rig, FLUE_STAT_TX_VLAN), 10);
}

TEST_MAIN(1)
