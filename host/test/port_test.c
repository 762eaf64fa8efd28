/*
 * The port between a TAP and the adapter: a socket pair stands for the TAP, the scriptable adapter for the other side.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "check.h"
#include "flue/linux.h"
#include "flue/sum.h"
#include "rig.h"

#define PACKET_MAX 70000u

/* ---- a TAP of our own: these take the place of host/linux/tap.c -------------------------------------------------------- */

struct flue_tap {
    int fd;
    uint32_t offload;
};

static struct flue_tap tap;
static int kernel_fd; /* the other end */
static struct mock m;
static struct flue_port *port;
static struct flue_adapter *adapter;
static struct {
    unsigned at; /* writes of the adapter before it */
    uint32_t mask;
} mask_log[16];
static unsigned mask_count;
static bool mask_fails;

int flue_tap_fd(const struct flue_tap *t)
{
    return t->fd;
}

uint32_t flue_tap_offload(const struct flue_tap *t)
{
    return t->offload;
}

enum flue_err flue_tap_offload_set(struct flue_tap *t, uint32_t offload)
{
    if (mask_fails)
        return FLUE_EIO;
    mask_log[mask_count].at = m.log_count;
    mask_log[mask_count++ % 16].mask = offload;
    t->offload = offload;
    return FLUE_OK;
}

/* ---- fixture ------------------------------------------------------------------------------------------------------ */

static void open_port(struct flue_port_params params)
{
    struct flue_open_params open = {.txq_log2_slots = 6, .rxq_log2_slots = 4, .limit_us = 10000};
    int pair[2];

    mock_init(&m);
    mask_count = 0;
    mask_fails = false;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    tap = (struct flue_tap){.fd = pair[0]};
    kernel_fd = pair[1];
    int room = 1 << 20;
    setsockopt(kernel_fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    if (params.rx_buffers == 0)
        params.rx_buffers = 8;
    CHECK_EQ(flue_port_new(&tap, &params, &port), FLUE_OK);
    struct flue_handlers handlers = flue_port_handlers(port);
    CHECK_EQ(flue_adapter_open(&m.link, &open, &handlers, &adapter), FLUE_OK);
    CHECK_EQ(flue_encap_set(adapter, FLUE_ENCAP_ON, FLUE_ENCAP_ON), FLUE_OK);
    CHECK_EQ(flue_port_start(port, adapter), FLUE_OK);
}

static void close_port(void)
{
    flue_adapter_close(adapter);
    flue_port_free(port);
    close(tap.fd);
    close(kernel_fd);
    CHECK_EQ(m.maps, 0);
}

static void kernel_sends(const struct flue_vnet *vnet, const uint8_t *frame, size_t len)
{
    static uint8_t packet[PACKET_MAX];
    flue_vnet_store(vnet, packet);
    memcpy(packet + FLUE_VNET_BYTES, frame, len);
    CHECK_EQ(send(kernel_fd, packet, len + FLUE_VNET_BYTES, 0), (ssize_t)(len + FLUE_VNET_BYTES));
}

static struct flue_port_stats stats(void)
{
    struct flue_port_stats s;
    flue_port_stats_get(port, &s);
    return s;
}

static void poll_all(void)
{
    unsigned handled;
    CHECK_EQ(flue_poll(adapter, 1000, &handled), FLUE_OK);
}

static bool send_all(void)
{
    bool blocked;
    CHECK_EQ(flue_port_send(port, &blocked), FLUE_OK);
    return blocked;
}

static struct mock_slot tx_slot(unsigned index)
{
    return mock_slot(&m, FLUE_REG_TXQ_BASE, FLUE_REG_TXQ_CFG, (uint16_t)index);
}

/* Bytes a FRAG slot names. */
static uint8_t *frag_bytes(unsigned index)
{
    struct mock_slot s = tx_slot(index);
    return mock_memory(&m, FLUE_GET(SLOT_FRAG_REGION, s.w[0]), s.w[2], s.w[1]);
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* An IPv4 TCP frame with Linux's partial sum; the length. */
static size_t tcp_frame(uint8_t *f, size_t payload, unsigned mark)
{
    memset(f, 0, 54);
    put16(f + 12, 0x0800);
    f[14] = 0x45;
    put16(f + 16, (unsigned)(40 + payload));
    put16(f + 18, mark);
    f[22] = 64;
    f[23] = 6;
    f[26] = 192;
    f[30] = 192;
    put16(f + 24, (uint16_t)~flue_sum(f + 14, 20));
    put16(f + 34, 1024);
    f[46] = 0x50;
    f[47] = 0x18;
    for (size_t i = 0; i < payload; i++)
        f[54 + i] = (uint8_t)(i * 31 + mark);
    put16(f + 50, flue_sum_pseudo(f + 26, 8, 6, (uint32_t)(20 + payload)));
    return 54 + payload;
}

static const struct flue_vnet plain = {.flags = 1, .csum_start = 34, .csum_offset = 16};
static const struct flue_vnet super = {
    .flags = 1, .gso_type = 1, .hdr_len = 54, .gso_size = 1000, .csum_start = 34, .csum_offset = 16};

/* ---- transmit ----------------------------------------------------------------------------------------------------- */

/* The ring names the very buffer the TAP was read into: the driver copied nothing. */
TEST(a_packet_is_sent_from_where_it_was_read)
{
    uint8_t f[2000];
    open_port((struct flue_port_params){0});
    size_t len = tcp_frame(f, 700, 3);
    kernel_sends(&plain, f, len);
    CHECK(!send_all());
    CHECK_EQ(*mock_reg(&m, FLUE_REG_TXQ_TAIL), 2);
    CHECK_EQ(tx_slot(0).w[0], 1u | (uint32_t)len << 15);
    CHECK_EQ(tx_slot(0).w[2], 1u | 4u | 34u << 16);
    CHECK_EQ(tx_slot(1).w[1], len);
    CHECK_EQ(memcmp(frag_bytes(1), f, len), 0);
    mock_tx_done(&m, 2, FLUE_ST_OK);
    poll_all();
    struct flue_port_stats s = stats();
    CHECK(s.tx_packets == 1 && s.tx_bytes == len && s.tx_frames == 1 && s.tx_failed == 0 && s.tx_super == 0);
    close_port();
}

TEST(a_super_segment_becomes_one_request)
{
    static uint8_t f[PACKET_MAX];
    open_port((struct flue_port_params){0});
    size_t len = tcp_frame(f, 60000, 9);
    kernel_sends(&super, f, len);
    CHECK(!send_all());
    CHECK_EQ(*mock_reg(&m, FLUE_REG_TXQ_TAIL), 2);
    CHECK_EQ(tx_slot(0).w[1], 0x40000000u | 34u << 20 | 1000u);
    CHECK_EQ(tx_slot(1).w[1], len);
    CHECK_EQ(memcmp(frag_bytes(1) + 54, f + 54, 60000), 0);
    CHECK_EQ(stats().tx_super, 1);
    close_port();
}

/* With LSO off the segments are header and payload fragments; the payload stays where it was read. */
TEST(software_segments_share_the_payload_they_were_read_with)
{
    static uint8_t f[PACKET_MAX];
    struct flue_config request;
    open_port((struct flue_port_params){0});
    flue_config_keep(&request);
    request.way[FLUE_SW_LSO_V1] = request.way[FLUE_SW_LSO_V2_IPV4] = FLUE_WAY_OFF;
    CHECK_EQ(flue_port_config_set(port, &request), FLUE_OK);
    size_t len = tcp_frame(f, 2500, 5);
    kernel_sends(&super, f, len);
    CHECK(!send_all());
    CHECK_EQ(*mock_reg(&m, FLUE_REG_TXQ_TAIL), 9);
    const uint8_t *first = frag_bytes(2);
    for (unsigned i = 0; i < 3; i++) {
        unsigned bytes = i < 2 ? 1000 : 500;
        CHECK_EQ(tx_slot(3 * i).w[0], 1u | (54u + bytes) << 15);
        CHECK_EQ(tx_slot(3 * i).w[1] | tx_slot(3 * i).w[2], 0);
        CHECK_EQ(tx_slot(3 * i + 1).w[1], 54);
        CHECK_EQ(tx_slot(3 * i + 2).w[1], bytes);
        CHECK(frag_bytes(3 * i + 2) == first + 1000 * i);
        CHECK_EQ(memcmp(frag_bytes(3 * i + 2), f + 54 + 1000 * i, bytes), 0);
    }
    for (unsigned i = 1; i <= 3; i++)
        mock_tx_done(&m, (uint16_t)(3 * i), FLUE_ST_OK);
    poll_all();
    CHECK_EQ(stats().tx_soft_gso, 1);
    CHECK_EQ(stats().tx_frames, 3);
    close_port();
}

/* A ring of 64 slots takes 21 segments; the rest follows when there is room, in order. */
TEST(segments_that_do_not_fit_wait_for_room)
{
    static uint8_t f[PACKET_MAX];
    struct flue_config request;
    open_port((struct flue_port_params){0});
    flue_config_keep(&request);
    request.way[FLUE_SW_LSO_V1] = request.way[FLUE_SW_LSO_V2_IPV4] = FLUE_WAY_OFF;
    CHECK_EQ(flue_port_config_set(port, &request), FLUE_OK);
    size_t len = tcp_frame(f, 50000, 5);
    kernel_sends(&super, f, len);
    tcp_frame(f, 100, 6);
    kernel_sends(&plain, f, 154);
    unsigned done = 0;
    uint16_t index = 0;
    while (done < 50) {
        send_all();
        unsigned posted = (uint16_t)(*mock_reg(&m, FLUE_REG_TXQ_TAIL) - index) / 3;
        CHECK(posted > 0);
        for (unsigned i = 0; i < posted && done < 50; i++, done++) {
            struct mock_slot s = tx_slot(index + 2u);
            CHECK_EQ(s.w[1], 1000);
            CHECK_EQ(*frag_bytes(index + 2u), (uint8_t)(done * 1000 * 31 + 5));
            index = (uint16_t)(index + 3);
            mock_tx_done(&m, index, FLUE_ST_OK);
            poll_all();
        }
    }
    CHECK(!send_all());
    CHECK_EQ(tx_slot(index + 1u).w[1], 154);
    CHECK_EQ(stats().tx_packets, 2);
    close_port();
}

TEST(bytes_in_flight_are_bounded)
{
    static uint8_t f[PACKET_MAX];
    open_port((struct flue_port_params){.tx_bytes_in_flight = 100000});
    size_t len = tcp_frame(f, 40000, 1);
    for (unsigned i = 0; i < 5; i++)
        kernel_sends(&super, f, len);
    CHECK(send_all());
    CHECK_EQ(*mock_reg(&m, FLUE_REG_TXQ_TAIL), 6);
    mock_event(&m, FLUE_EV_TX_DONE | 2u << 16, FLUE_EVENT_TX_LSO_TYPE_MASK, 40);
    poll_all();
    CHECK(send_all());
    CHECK_EQ(*mock_reg(&m, FLUE_REG_TXQ_TAIL), 8);
    close_port();
}

TEST(buffers_run_out_and_come_back)
{
    uint8_t f[200];
    open_port((struct flue_port_params){.tx_buffers = 4});
    size_t len = tcp_frame(f, 100, 1);
    for (unsigned i = 0; i < 6; i++)
        kernel_sends(&plain, f, len);
    CHECK(send_all());
    CHECK_EQ(*mock_reg(&m, FLUE_REG_TXQ_TAIL), 8);
    for (unsigned i = 1; i <= 4; i++)
        mock_tx_done(&m, (uint16_t)(2 * i), i == 2 ? FLUE_ST_DISABLED : FLUE_ST_OK);
    poll_all();
    CHECK(!send_all());
    CHECK_EQ(*mock_reg(&m, FLUE_REG_TXQ_TAIL), 12);
    CHECK_EQ(stats().tx_failed, 1);
    close_port();
}

TEST(a_header_that_contradicts_its_frame_is_dropped_and_counted)
{
    uint8_t f[200];
    struct flue_vnet bad = plain;
    open_port((struct flue_port_params){.tx_buffers = 2});
    size_t len = tcp_frame(f, 100, 1);
    bad.csum_start = 5000;
    for (unsigned i = 0; i < 10; i++) /* more than there are buffers: none may be lost */
        kernel_sends(&bad, f, len);
    kernel_sends(&plain, f, len);
    send_all();
    CHECK_EQ(stats().tx_dropped, 10);
    CHECK_EQ(*mock_reg(&m, FLUE_REG_TXQ_TAIL), 2);
    close_port();
}

TEST(a_checksum_the_adapter_must_not_do_is_complete_before_it_leaves)
{
    uint8_t f[200];
    struct flue_config request;
    open_port((struct flue_port_params){0});
    flue_config_keep(&request);
    request.way[FLUE_SW_TCP4_CSUM] = FLUE_WAY_RX;
    CHECK_EQ(flue_port_config_set(port, &request), FLUE_OK);
    size_t len = tcp_frame(f, 101, 1);
    kernel_sends(&plain, f, len);
    CHECK(!send_all());
    CHECK_EQ(tx_slot(0).w[2], 0);
    const uint8_t *sent = frag_bytes(1);
    uint16_t pseudo = flue_sum_pseudo(sent + 26, 8, 6, 121);
    CHECK_EQ(flue_sum_add(pseudo, flue_sum(sent + 34, 121)), 0xFFFF);
    CHECK_EQ(stats().tx_soft_csum, 1);
    close_port();
}

/* ---- receive ------------------------------------------------------------------------------------------------------ */

static void adapter_receives(uint16_t slot, const uint8_t *frame, size_t len, uint32_t csum, uint32_t l4)
{
    struct mock_slot s = mock_slot(&m, FLUE_REG_RXQ_BASE, FLUE_REG_RXQ_CFG, slot);
    memcpy(mock_memory(&m, FLUE_GET(SLOT_FRAG_REGION, s.w[0]), s.w[2], len), frame, len);
    mock_event(&m, FLUE_EV_RX_DONE | FLUE_Q_RX << 4 | (uint32_t)(slot + 1) << 16, (uint32_t)len | l4 << 22, csum);
}

/* TO-186: header and partial sum for a verified frame; nothing for another; the buffer is posted again. */
TEST(received_frames_reach_the_tap)
{
    uint8_t f[300], got[400];
    open_port((struct flue_port_params){0});
    CHECK_EQ(*mock_reg(&m, FLUE_REG_RXQ_TAIL), 8);
    size_t len = tcp_frame(f, 200, 4);
    struct flue_vnet full = plain;
    CHECK_EQ(flue_soft_csum(&full, f, len), FLUE_OK);
    adapter_receives(0, f, len, FLUE_EVENT_RX_TCP_OK_MASK | FLUE_EVENT_RX_IP_OK_MASK, 34);
    adapter_receives(1, f, len, FLUE_EVENT_RX_TCP_BAD_MASK | FLUE_EVENT_RX_IP_OK_MASK, 34);
    poll_all();
    CHECK_EQ(recv(kernel_fd, got, sizeof got, 0), (ssize_t)(len + 12));
    struct flue_vnet v;
    flue_vnet_load(&v, got);
    CHECK_EQ(memcmp(&v, &plain, sizeof v), 0);
    CHECK_EQ(got[12 + 50] << 8 | got[12 + 51], flue_sum_pseudo(f + 26, 8, 6, 220));
    CHECK_EQ(memcmp(got + 12 + 52, f + 52, len - 52), 0);
    CHECK_EQ(recv(kernel_fd, got, sizeof got, 0), (ssize_t)(len + 12));
    static const uint8_t zero[12];
    CHECK_EQ(memcmp(got, zero, 12), 0);
    CHECK_EQ(memcmp(got + 12, f, len), 0);
    CHECK_EQ(flue_port_refill(port), FLUE_OK);
    CHECK_EQ(*mock_reg(&m, FLUE_REG_RXQ_TAIL), 10);
    struct flue_port_stats s = stats();
    CHECK(s.rx_packets == 2 && s.rx_good == 1 && s.rx_bad == 1 && s.rx_bytes == 2 * len);
    close_port();
}

/* 6.2, TO-186: a TAP carries the tag inside the frame, so what the adapter moved out of band goes back. */
TEST(a_tag_moved_out_of_band_is_put_back_for_the_tap)
{
    uint8_t f[300], got[400];
    open_port((struct flue_port_params){0});
    size_t len = tcp_frame(f, 200, 4);
    struct flue_vnet full = plain;
    CHECK_EQ(flue_soft_csum(&full, f, len), FLUE_OK);
    uint32_t tag = FLUE_PUT(EVENT_RX_VLAN, 1) | FLUE_PUT(EVENT_RX_VLAN_TCI, 0xA123);
    adapter_receives(0, f, len, FLUE_EVENT_RX_TCP_OK_MASK | FLUE_EVENT_RX_IP_OK_MASK | tag, 34);
    adapter_receives(1, f, len, tag, 34);
    poll_all();
    for (int good = 1; good >= 0; good--) {
        CHECK_EQ(recv(kernel_fd, got, sizeof got, 0), (ssize_t)(len + 4 + 12));
        struct flue_vnet v;
        flue_vnet_load(&v, got);
        CHECK_EQ(v.flags, good ? FLUE_VNET_NEEDS_CSUM : 0);
        CHECK_EQ(v.csum_start, good ? 38 : 0);
        CHECK_EQ(memcmp(got + 12, f, 12), 0);
        CHECK_EQ(memcmp(got + 12 + 12, "\x81\x00\xA1\x23", 4), 0);
        CHECK_EQ(memcmp(got + 12 + 16, f + 12, 38), 0);
        CHECK_EQ(memcmp(got + 12 + 56, f + 52, len - 52), 0);
    }
    close_port();
}

TEST(a_frame_the_kernel_refuses_is_counted)
{
    uint8_t f[300];
    open_port((struct flue_port_params){0});
    size_t len = tcp_frame(f, 200, 4);
    shutdown(kernel_fd, SHUT_RD);
    signal(SIGPIPE, SIG_IGN);
    adapter_receives(0, f, len, 0, 34);
    poll_all();
    CHECK_EQ(stats().rx_refused, 1);
    close_port();
}

TEST(buffers_come_back_after_a_reset_and_are_posted_again)
{
    open_port((struct flue_port_params){0});
    CHECK_EQ(flue_adapter_reset(adapter), FLUE_OK);
    CHECK_EQ(stats().rx_returned, 8);
    CHECK_EQ(flue_port_refill(port), FLUE_OK);
    CHECK_EQ(*mock_reg(&m, FLUE_REG_RXQ_TAIL), 8);
    CHECK_EQ(flue_adapter_drain(adapter), FLUE_OK);
    CHECK_EQ(flue_port_refill(port), FLUE_OK); /* nothing can be posted now, and nothing is lost */
    CHECK_EQ(flue_adapter_resume(adapter), FLUE_OK);
    CHECK_EQ(flue_port_refill(port), FLUE_OK);
    CHECK_EQ(flue_rx_outstanding(adapter), 8);
    close_port();
}

/* ---- settings ----------------------------------------------------------------------------------------------------- */

static unsigned cfg_written_at(void)
{
    return (unsigned)mock_last_write(&m, FLUE_REG_TX_CFG);
}

/* TO-188: what is taken away leaves the TAP before the adapter changes, what is added reaches it after. */
TEST(the_mask_is_tightened_first_and_loosened_last)
{
    struct flue_config request;
    open_port((struct flue_port_params){0});
    flue_config_keep(&request);
    CHECK_EQ(flue_port_config_set(port, &request), FLUE_OK);
    CHECK_EQ(mask_count, 1);
    CHECK_EQ(mask_log[0].mask, 0x0F);
    CHECK(mask_log[0].at > cfg_written_at());

    mask_count = 0;
    request.way[FLUE_SW_LSO_V2_IPV6] = FLUE_WAY_OFF;
    CHECK_EQ(flue_port_config_set(port, &request), FLUE_OK);
    CHECK_EQ(mask_count, 1);
    CHECK_EQ(mask_log[0].mask, 0x0B);
    CHECK(mask_log[0].at <= cfg_written_at());

    mask_count = 0; /* one goes, one comes: both, in this order */
    request.way[FLUE_SW_LSO_V2_IPV6] = FLUE_WAY_ON;
    request.way[FLUE_SW_LSO_V1] = request.way[FLUE_SW_LSO_V2_IPV4] = FLUE_WAY_OFF;
    CHECK_EQ(flue_port_config_set(port, &request), FLUE_OK);
    CHECK_EQ(mask_count, 2);
    CHECK_EQ(mask_log[0].mask, 0x01); /* neither segmentation: no ECN variant of it */
    CHECK_EQ(mask_log[1].mask, 0x0D);
    CHECK(mask_log[0].at <= cfg_written_at() && cfg_written_at() < mask_log[1].at);
    close_port();
}

TEST(a_refused_request_leaves_the_mask_as_it_was)
{
    struct flue_config request, now;
    open_port((struct flue_port_params){0});
    flue_config_keep(&request);
    CHECK_EQ(flue_port_config_set(port, &request), FLUE_OK);
    request.way[FLUE_SW_LSO_V2_IPV6] = FLUE_WAY_OFF;
    request.way[FLUE_SW_RX_IP_OPTS] = 77;
    CHECK_EQ(flue_port_config_set(port, &request), FLUE_EARG);
    CHECK_EQ(tap.offload, 0x0F);

    mask_fails = true; /* the kernel does not let go: the adapter keeps the ability */
    request.way[FLUE_SW_RX_IP_OPTS] = FLUE_WAY_KEEP;
    CHECK_EQ(flue_port_config_set(port, &request), FLUE_EIO);
    flue_config_get(adapter, &now);
    CHECK_EQ(now.way[FLUE_SW_LSO_V2_IPV6], FLUE_WAY_ON);
    close_port();
}

/* TO-171, TO-188: however the settings change, what is switched off leaves the interface within the call. */
TEST(what_is_switched_off_elsewhere_leaves_the_interface_at_once)
{
    struct flue_config request;
    open_port((struct flue_port_params){0});
    flue_config_keep(&request);
    CHECK_EQ(flue_port_config_set(port, &request), FLUE_OK);
    CHECK_EQ(tap.offload, 0x0F);
    request.way[FLUE_SW_LSO_V2_IPV6] = FLUE_WAY_OFF;
    CHECK_EQ(flue_config_set(adapter, &request), FLUE_OK); /* past the port */
    CHECK_EQ(tap.offload, 0x0B);
    CHECK_EQ(flue_encap_set(adapter, FLUE_ENCAP_OFF, FLUE_ENCAP_KEEP), FLUE_OK);
    CHECK_EQ(tap.offload, 0); /* no checksum of IPv4 any more */
    CHECK_EQ(flue_port_encap_set(port, FLUE_ENCAP_ON, FLUE_ENCAP_KEEP), FLUE_OK);
    CHECK_EQ(tap.offload, 0x0B);
    mask_fails = true;
    request.way[FLUE_SW_LSO_V2_IPV4] = request.way[FLUE_SW_LSO_V1] = FLUE_WAY_OFF;
    CHECK_EQ(flue_config_set(adapter, &request), FLUE_OK); /* cut by the driver instead */
    struct flue_port_stats stats;
    flue_port_stats_get(port, &stats);
    CHECK_EQ(stats.mask_refused, 1);
    close_port();
}
