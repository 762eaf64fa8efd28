/* Large send through the whole adapter: what leaves is what the plain model of section 3.2.2 says, frame by frame. */
#include "lso.h"
#include "rig.h"

enum { V2 = 1 << 30, V6 = 1u << 31 };

/* A large send and what it must become. */
struct large {
    uint8_t packet[70000];
    size_t hdr_len, pay_len;
    struct flue_pkt_hdr h;
    uint32_t mss, word;
    bool v1, id_15bit;
    uint32_t vlan;
};

/* Headers of `shape` as the template, checksum field the length-less sum (TO-056), random payload. */
static void make(struct rig *rig, struct large *l, struct flue_frames_shape shape, size_t pay_len, uint32_t mss, bool v1)
{
    shape.l4 = FLUE_FRAMES_TCP;
    shape.payload = 1;
    shape.padding = 0;
    shape.fragment = false;
    flue_frames_build(&rig->frames_state, &shape, l->packet);
    flue_pkt_parse(l->packet, 4096, &l->h);
    l->hdr_len = l->h.pay_off;
    l->pay_len = pay_len;
    l->mss = mss;
    l->v1 = v1;
    l->word = mss | (uint32_t)l->h.l4_off << 20 | (v1 ? 0 : V2) | (l->h.is_ipv6 ? V6 : 0);
    for (size_t i = 0; i < pay_len; i++)
        l->packet[l->hdr_len + i] = (uint8_t)flue_rng_next(&rig->rng);
    uint8_t *tcp = l->packet + l->h.l4_off;
    uint16_t partial = flue_pkt_pseudo(l->packet, &l->h, 0);
    tcp[16] = (uint8_t)(partial >> 8);
    tcp[17] = (uint8_t)partial;
    tcp[13] &= (uint8_t) ~(FLUE_PKT_SYN | FLUE_PKT_RST | FLUE_PKT_URG);
    size_t total = l->hdr_len - l->h.l3_off + pay_len;
    uint16_t given = v1 ? (uint16_t)total : (uint16_t)flue_rng_next(&rig->rng); /* TO-052: garbage for v2; TO-053 */
    uint8_t *ip = l->packet + l->h.l3_off;
    size_t at = l->h.is_ipv4 ? 2 : 4;
    ip[at] = (uint8_t)(given >> 8);
    ip[at + 1] = (uint8_t)given;
}

static void ask(struct rig *rig, const struct large *l, unsigned frags)
{
    CHECK(rig_put(rig, l->packet, l->hdr_len + l->pay_len, frags, &(struct flue_tx_packet){.lso = l->word, .vlan = l->vlan}) ==
          FLUE_OK);
}

/* Every frame of it left, in order and bit-exact (TO-048, TO-050, TO-051, TO-055, TO-062), and it is complete (TO-071, TO-072).
 */
static void expect(struct rig *rig, const struct large *l, const char *what)
{
    static uint8_t want[FLUE_FRAMES_MAX];
    struct flue_lso_request req = {.template = l->packet,
                                   .hdr_len = l->hdr_len,
                                   .l3_off = l->h.l3_off,
                                   .l4_off = l->h.l4_off,
                                   .payload = l->packet + l->hdr_len,
                                   .pay_len = l->pay_len,
                                   .mss = l->mss,
                                   .id_15bit = l->id_15bit && !l->v1};
    size_t count = flue_lso_count(&req);
    for (size_t i = 0; i < count; i++) {
        struct rig_frame *out = rig_next_out(rig);
        size_t len = flue_lso_frame(&req, i, true, want);
        if (l->vlan) {
            unsigned tci = (l->vlan & 7) << 13 | l->vlan >> 4;
            memmove(want + 16, want + 12, len - 12);
            want[12] = 0x81, want[13] = 0, want[14] = (uint8_t)(tci >> 8), want[15] = (uint8_t)tci;
            len += 4;
        }
        CHECK(out, "width %u, %s: frame %zu of %zu is missing", rig->width, what, i, count);
        if (!out)
            return;
        size_t at = 0;
        while (at < len && at < out->len && want[at] == out->data[at])
            at++;
        CHECK(at == len && out->len == len, "width %u, %s: frame %zu of %zu: %zu bytes, should be %zu; differs at %zu",
              rig->width, what, i, count, out->len, len, at);
    }
    struct flue_tx_done *d = rig_next_done(rig);
    CHECK(d && d->status == FLUE_ST_OK && d->frames == count, "width %u, %s: %s, %u frames, should be %zu", rig->width, what,
          d ? flue_status_name(d->status) : "no completion", d ? d->frames : 0, count);
    CHECK(d && d->lso == (l->v1 ? l->pay_len : V2), "width %u, %s: completion word 0x%x", rig->width, what, d ? d->lso : 0);
}

static void settle(struct rig *rig)
{
    CHECK(rig_settle(rig), "width %u: %s", rig->width, flue_sim_violation(rig->sim));
}

static void id_15bit(struct rig *rig, bool on)
{
    struct flue_config c;
    flue_config_keep(&c);
    c.way[FLUE_SW_LSO_ID_15BIT] = on;
    CHECK(flue_config_set(rig->adapter, &c) == FLUE_OK);
}

/* TO-047: section 7.1, both moduli; the wire bytes named there are checked one by one */
RIG_TEST(the_worked_vector_is_reproduced)
{
    static const uint8_t HEAD[66] = {
        0x02, 0,    0,    0,    0,    2,    0x02, 0,    0,    0,    0,    1,    0x08, 0x00, 0x45, 0x00, 0x00,
        0x00, 0x7F, 0xFE, 0x40, 0x00, 0x40, 0x06, 0,    0,    192,  0,    2,    1,    198,  51,   100,  2,
        0x04, 0x00, 0x01, 0xBB, 0xFF, 0xFF, 0xFC, 0x00, 0x01, 0x02, 0x03, 0x04, 0x80, 0x99, 0x20, 0x00, 0,
        0,    0,    0,    1,    1,    8,    10,   0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
    };
    static const unsigned LENGTH[3] = {1052, 1052, 552}, SEQ[3] = {0xFFFFFC00, 0xFFFFFFE8, 0x000003D0},
                          FLAGS[3] = {0x90, 0x10, 0x19};
    static const unsigned ID[2][3] = {{0x7FFE, 0x7FFF, 0x8000}, {0x7FFE, 0x7FFF, 0x0000}};
    static struct large l;
    for (unsigned modulus = 0; modulus < 2; modulus++) {
        memcpy(l.packet, HEAD, sizeof HEAD);
        l.hdr_len = sizeof HEAD;
        l.pay_len = 2500;
        for (size_t i = 0; i < l.pay_len; i++)
            l.packet[l.hdr_len + i] = (uint8_t)i;
        flue_pkt_parse(l.packet, l.hdr_len, &l.h);
        uint16_t partial = flue_pkt_pseudo(l.packet, &l.h, 0);
        l.packet[50] = (uint8_t)(partial >> 8);
        l.packet[51] = (uint8_t)partial;
        l.mss = 1000;
        l.word = 1000 | 34u << 20 | V2;
        l.v1 = false;
        l.id_15bit = modulus;
        id_15bit(rig, modulus);
        rig_forget(rig);
        ask(rig, &l, 3);
        settle(rig);
        for (unsigned i = 0; i < 3 && i < rig->outs; i++) {
            const uint8_t *f = rig->out[i].data;
            CHECK_EQ((unsigned)f[16] << 8 | f[17], LENGTH[i]);
            CHECK_EQ((unsigned)f[18] << 8 | f[19], ID[modulus][i]);
            CHECK_EQ((uint32_t)f[38] << 24 | (uint32_t)f[39] << 16 | (uint32_t)f[40] << 8 | f[41], SEQ[i]);
            CHECK_EQ(f[47], FLAGS[i]);
        }
        expect(rig, &l, "vector");
        CHECK(!rig_next_out(rig));
    }
}

/* TO-049, TO-060, TO-061, TO-064, TO-065, TO-066, TO-070, TO-073: random templates, sizes, cuts into fragments, tags, versions
 */
RIG_TEST(random_large_sends_are_those_of_the_model)
{
    enum { N = 10 };
    static struct large l[N];
    bool short_id = flue_rng_below(&rig->rng, 2);
    id_15bit(rig, short_id);
    for (unsigned i = 0; i < N; i++) {
        struct flue_frames_shape shape;
        do {
            shape = flue_frames_shape(&rig->frames_state, 1);
            shape.tags = i % 4 == 3 ? 1 : 0;
            shape.l4 = FLUE_FRAMES_TCP;
            shape.fragment = false;
            if (!shape.ip)
                shape.ip = 4;
            bool v1 = shape.ip == 4 && flue_rng_below(&rig->rng, 3) == 0;
            uint32_t mss = 1 + flue_rng_below(&rig->rng, flue_rng_below(&rig->rng, 4) ? 1380 : 40);
            static const int NEAR[] = {-1, 0, 1};
            size_t pay =
                flue_rng_below(&rig->rng, 3)
                    ? 1 + flue_rng_below(&rig->rng, mss * 12 < 20000 ? mss * 12 : 20000)
                    : (size_t)((int)mss * (int)(1 + flue_rng_below(&rig->rng, 3)) + NEAR[flue_rng_below(&rig->rng, 3)]);
            make(rig, &l[i], shape, pay ? pay : 1, mss, v1);
        } while (l[i].hdr_len > 128 || l[i].hdr_len + l[i].mss > 1514);
        l[i].id_15bit = short_id;
        l[i].vlan = i % 4 == 1 ? 5 | 0x123 << 4 : 0;
        ask(rig, &l[i], 1 + flue_rng_below(&rig->rng, 12));
    }
    settle(rig);
    for (unsigned i = 0; i < N; i++) {
        char what[48];
        snprintf(what, sizeof what, "request %u (%zu bytes by %u)", i, l[i].pay_len, l[i].mss);
        expect(rig, &l[i], what);
    }
    CHECK(!rig_next_out(rig));
    CHECK_EQ(rig_stat(rig, FLUE_STAT_TX_SUPER), N);
    CHECK_EQ(rig_stat(rig, FLUE_STAT_TX_FRAMES), rig->outs); /* TO-076 */
    uint64_t bytes = 0;
    for (unsigned i = 0; i < rig->outs; i++)
        bytes += rig->out[i].len;
    CHECK_EQ(rig_stat(rig, FLUE_STAT_TX_BYTES), bytes);
}

/* TO-049, TO-059, TO-075: the largest request, with all checksum switches off */
RIG_TEST(the_largest_request_goes_out_with_checksum_offload_off)
{
    static struct large l;
    struct flue_config c;
    flue_config_keep(&c);
    c.way[FLUE_SW_IP4_CSUM] = c.way[FLUE_SW_TCP4_CSUM] = c.way[FLUE_SW_TCP6_CSUM] = FLUE_WAY_OFF;
    CHECK(flue_config_set(rig->adapter, &c) == FLUE_OK);
    make(rig, &l, (struct flue_frames_shape){.ip = 6, .tcp_option_words = 3}, 65535, 1428, false);
    ask(rig, &l, 17);
    settle(rig);
    expect(rig, &l, "65535 bytes");
}

static void refused(struct rig *rig, const struct large *l, uint8_t status, const char *what)
{
    rig_forget(rig);
    ask(rig, l, 2);
    settle(rig);
    struct flue_tx_done *d = rig_next_done(rig);
    CHECK(d && d->status == status && d->frames == 0, "width %u, %s: %s, should be %s", rig->width, what,
          d ? flue_status_name(d->status) : "none", flue_status_name(status));
    CHECK(!rig_next_out(rig), "width %u, %s: a frame left", rig->width, what);
}

/* TO-063, TO-067, TO-068 */
RIG_TEST(a_bad_large_send_fails_and_emits_nothing)
{
    static struct large l;
    struct flue_frames_shape v4 = {.ip = 4};
    make(rig, &l, v4, 3000, 1000, false);
    l.word &= ~0xFFFFFu;
    refused(rig, &l, FLUE_ST_LSO_MSS, "MSS 0");
    static const struct {
        uint8_t flag;
        const char *name;
    } FLAG[] = {{FLUE_PKT_SYN, "SYN"}, {FLUE_PKT_RST, "RST"}, {FLUE_PKT_URG, "URG"}};
    for (unsigned i = 0; i < 3; i++) {
        make(rig, &l, v4, 3000, 1000, false);
        l.packet[l.h.l4_off + 13] |= FLAG[i].flag;
        refused(rig, &l, FLUE_ST_LSO_FLAGS, FLAG[i].name);
    }
    make(rig, &l, v4, 3000, 1000, false);
    l.packet[l.h.l3_off + 6] |= 0x20;
    refused(rig, &l, FLUE_ST_FRAGMENT, "more fragments");
    make(rig, &l, v4, 3000, 1000, false);
    l.packet[l.h.l3_off + 7] |= 1;
    refused(rig, &l, FLUE_ST_FRAGMENT, "fragment offset");
    make(rig, &l, v4, 3000, 1000, false);
    l.pay_len = 0;
    refused(rig, &l, FLUE_ST_LSO_LENGTH, "no payload");
    make(rig, &l, (struct flue_frames_shape){.ip = 6, .ext_bytes = 64, .tcp_option_words = 10}, 3000, 1000, false);
    CHECK(l.hdr_len > 128, "header of %zu", l.hdr_len);
    refused(rig, &l, FLUE_ST_LSO_HEADER, "long header");
    make(rig, &l, (struct flue_frames_shape){.ip = 4, .ip_option_words = 10, .tcp_option_words = 8}, 3000, 1000, false);
    CHECK_EQ(l.hdr_len, 126);
    rig_forget(rig);
    ask(rig, &l, 5);
    settle(rig);
    expect(rig, &l, "header of 126 bytes");
}

/* TO-069, TO-074 */
RIG_TEST(a_request_above_a_limit_that_shrank_or_after_lso_went_off_fails)
{
    static struct large l;
    struct flue_config c;
    flue_config_keep(&c);
    c.max_offload_bytes = 2999;
    CHECK(flue_config_set(rig->adapter, &c) == FLUE_OK);
    make(rig, &l, (struct flue_frames_shape){.ip = 4}, 3000, 1000, false);
    refused(rig, &l, FLUE_ST_LSO_LENGTH, "payload above the limit");
    flue_config_keep(&c);
    c.max_offload_bytes = 65535;
    c.way[FLUE_SW_LSO_V2_IPV4] = FLUE_WAY_OFF;
    CHECK(flue_config_set(rig->adapter, &c) == FLUE_OK);
    refused(rig, &l, FLUE_ST_DISABLED, "LSOv2 off");
    make(rig, &l, (struct flue_frames_shape){.ip = 4}, 3000, 1000, true);
    rig_forget(rig);
    ask(rig, &l, 4);
    settle(rig);
    expect(rig, &l, "LSOv1 still on");
    rig_expect_alive(rig);
}

/* The two faults that can be built in are seen by the monitors, and only while they are on. */
TEST(a_fault_in_the_rtl_is_seen_by_the_monitor)
{
    static struct large l;
    for (unsigned fault = 0; fault < 2; fault++) {
        struct rig *rig = rig_open(&(struct rig_options){.width = 64});
        make(rig, &l, (struct flue_frames_shape){.ip = 4}, 3000, 1000, false);
        enum flue_err err = flue_fault_set(rig->adapter, fault ? FLUE_FAULT_LSO_SEQ_MASK : FLUE_FAULT_CSUM_BIT_MASK);
        CHECK(err == FLUE_OK, "%s", flue_err_name(err));
        ask(rig, &l, 2);
        bool settled = rig_settle(rig);
        const char *said = flue_sim_violation(rig->sim);
        if (fault) { /* a wrong sequence number has a right checksum: the peer's stream differs */
            CHECK(settled && !said && rig->outs == 3);
            uint32_t seq0 = 0, seq1 = 0;
            for (int k = 0; k < 4 && rig->outs == 3; k++) {
                seq0 = seq0 << 8 | rig->out[0].data[38 + k];
                seq1 = seq1 << 8 | rig->out[1].data[38 + k];
            }
            CHECK_EQ(seq1, (seq0 + 1000) ^ 1); /* bit 0 of every second segment's number is flipped */
        } else {
            CHECK(said && strstr(said, "TCP checksum wrong"), "%s", said ? said : "nothing");
        }
        flue_adapter_close(rig->adapter);
        CHECK(flue_sim_close(rig->sim) == (fault ? FLUE_OK : FLUE_EMONITOR));
        for (unsigned i = 0; i < RIG_KEEP; i++) {
            free(rig->out[i].data);
            free(rig->in[i].data);
        }
        free(rig);
    }
}

TEST_MAIN(1)
