/* ICMP errors about a live connection: the engine takes no notice of any, and each goes to the host's stack as it is. */
#include "live.h"
#include "packet.h"

enum { IP4 = 20, IP6 = 40, ETH = 14, ICMP = 8, PROTO_ICMP = 1, PROTO_ICMP6 = 58, SMALL_MTU = 600 };

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

/* An error that quotes a segment of ours with this sequence number. */
static size_t error_frame(const struct flue_tcp_ends *e, unsigned type, unsigned code, uint32_t seq, uint8_t *f)
{
    size_t ip = e->ipv6 ? IP6 : IP4, address = e->ipv6 ? 16 : 4;
    uint8_t *icmp = f + ETH + ip, *quote = icmp + ICMP, *tcp = quote + ip;
    size_t bytes = ICMP + ip + 8, len = ETH + ip + bytes;
    memset(f, 0, len);
    memcpy(f, e->mac_there, 6);
    memcpy(f + 6, e->mac_here, 6);
    put16(f + 12, e->ipv6 ? 0x86DD : 0x0800);
    for (unsigned quoted = 0; quoted < 2; quoted++) { /* the packet's own header, from the peer, and the quoted one, from us */
        uint8_t *h = quoted ? quote : f + ETH;
        const uint8_t *from = quoted ? e->ip_there : e->ip_here, *to = quoted ? e->ip_here : e->ip_there;
        uint32_t total = quoted ? 1000 : (uint32_t)bytes;
        h[0] = e->ipv6 ? 0x60 : 0x45;
        put16(h + (e->ipv6 ? 4 : 2), e->ipv6 ? total : total + IP4);
        h[e->ipv6 ? 6 : 9] = quoted ? 6 : e->ipv6 ? PROTO_ICMP6 : PROTO_ICMP;
        h[e->ipv6 ? 7 : 8] = 64;
        memcpy(h + (e->ipv6 ? 8 : 12), from, address);
        memcpy(h + (e->ipv6 ? 24 : 16), to, address);
        if (!e->ipv6)
            put16(h + 10, ~(uint32_t)flue_pkt_sum(h, IP4, 0) & 0xFFFF);
    }
    put16(tcp, e->port_there);
    put16(tcp + 2, e->port_here);
    put32(tcp + 4, seq);
    icmp[0] = (uint8_t)type;
    icmp[1] = (uint8_t)code;
    put32(icmp + 4, SMALL_MTU);
    uint32_t pseudo = e->ipv6 ? flue_pkt_sum(f + ETH + 8, 32, PROTO_ICMP6 + (uint32_t)bytes) : 0;
    put16(icmp + 2, ~(uint32_t)flue_pkt_sum(icmp, bytes, pseudo) & 0xFFFF);
    return len;
}

struct kind {
    bool ipv6;
    unsigned type, codes;
};

/* Unreachable, source quench, time exceeded, parameter problem; unreachable, too big, time exceeded, parameter problem. */
static const struct kind KINDS[] = {{false, 3, 16}, {false, 4, 1}, {false, 11, 2}, {false, 12, 3},
                                    {true, 1, 7},   {true, 2, 1},  {true, 3, 2},   {true, 4, 3}};

static unsigned inject_all(struct live_rig *rig, struct live *live)
{
    struct rig *r = rig->t->rig;
    unsigned count = 0;
    for (unsigned k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
        for (unsigned code = 0; KINDS[k].ipv6 == live->start.ipv6 && code < KINDS[k].codes; code++) {
            uint8_t frame[ETH + IP6 + ICMP + IP6 + 8];
            uint32_t una = live->start.snd + (uint32_t)live->peer_received;
            const uint32_t seqs[] = {una - 1, una, una + 1448, una + 0x40000000, (uint32_t)flue_rng_next(&r->rng)};
            for (unsigned i = 0; i < sizeof seqs / sizeof *seqs; i++, count++)
                CHECK(flue_sim_wire_send(r->sim, frame, error_frame(&live->ends, KINDS[k].type, code, seqs[i], frame)) ==
                      FLUE_OK);
            live_run(rig, 200);
            live_push(live, live->sent + 3000);
            live_pull(live);
            live_peer_pull(live);
        }
    return count;
}

static void errors_in_mid_stream(bool ipv6)
{
    const struct live_start start = {
        .ipv6 = ipv6, .timestamps = true, .sack = true, .scale = 2, .snd = 0xFFFFE000, .rcv = 77, .delay_us = 100};
    struct live_rig *rig = live_rig_open(32, false, 1u << 20);
    struct live live, *all[1] = {&live};
    live_open(rig, &live, &start);
    CHECK(live_exchange(rig, all, 1, 20000, 20000, 5000000));
    unsigned before = rig->t->rig->ins;
    unsigned count = inject_all(rig, &live);
    CHECK(live_exchange(rig, all, 1, live.sent + 20000, 40000, 5000000), "%llu of %llu to the peer",
          (unsigned long long)live.peer_received, (unsigned long long)live.sent);
    CHECK_EQ(rig->t->rig->ins - before, count); /* the host has every error, and nothing else */
    uint32_t longest = 0;
    for (unsigned i = 0; i < rig->t->rig->outs; i++)
        longest = rig->t->rig->out[i].len > longest ? (uint32_t)rig->t->rig->out[i].len : longest;
    CHECK_EQ(longest, 1514); /* "too big" has changed nothing */
    live_freeze(&live);
    CHECK_EQ(live.frozen.word0 & 15, FLUE_TCP_ESTABLISHED);
    CHECK(live.frozen.cwnd >= 10 * LIVE_MSS, "cwnd %u", live.frozen.cwnd);
    live_close(&live);
    live_rig_close(rig);
}

/* TCP-037, TCP-039: nothing ends or slows down, whatever sequence number is quoted; hard errors are the host's to judge. */
TEST(icmp_errors_change_nothing_and_go_to_the_host_ipv4)
{
    errors_in_mid_stream(false);
}

/* TCP-037, TCP-039 */
TEST(icmp_errors_change_nothing_and_go_to_the_host_ipv6)
{
    errors_in_mid_stream(true);
}

TEST_MAIN(1)
