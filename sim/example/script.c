/*
 * A script against the simulated adapter: a connection is loaded with a hole in front of it, the peer is this program.
 * Everything of it is in flue/sim.h, flue/sim_host.h and flue/conn.h; compile with `pkg-config --cflags --libs flue`.
 */
#include <stdio.h>
#include <string.h>
#include "flue/sim_host.h"

#define MUST(call)                                                                                                             \
    do {                                                                                                                       \
        enum flue_err err_ = (call);                                                                                           \
        if (err_ != FLUE_OK)                                                                                                   \
            return printf("%s: %s (%s)\n", #call, flue_err_name(err_), host ? flue_sim_host_error(host) : ""), 1;              \
    } while (0)

static const char GREETING[] = "bytes that were in flight when the connection came";

static void show(const uint8_t *f, size_t len, uint64_t at_us)
{
    const uint8_t *tcp = f + 34;
    uint32_t seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
    size_t data = 34 + (size_t)(tcp[12] >> 4) * 4, end = 14 + ((size_t)f[16] << 8 | f[17]);
    if (data > len || end > len || end < data)
        return;
    printf("%8llu us  seq %u, flags %02x, %zu bytes: %.*s\n", (unsigned long long)at_us, seq, tcp[13], end - data,
           (int)(end - data), (const char *)f + data);
}

int main(void)
{
    struct flue_sim_config cfg;
    struct flue_sim *sim = NULL;
    struct flue_sim_host *host = NULL;
    struct flue_sim_conn *conn = NULL;
    struct flue_sim_conn_state state;
    struct flue_sim_ends ends = {.mac_adapter = {2, 0, 0, 0, 0, 1}, .mac_peer = {2, 0, 0, 0, 0, 2}};
    uint8_t frame[2048];
    uint64_t at_us, begun_us;
    enum flue_sim_why why;
    size_t len;
    unsigned frames = 0;

    flue_sim_config_init(&cfg);
    cfg.width = 32;
    cfg.clock_mhz = 62;
    cfg.seed = 1;
    if (flue_sim_open(&cfg, &sim) != FLUE_OK)
        return puts(flue_sim_open_error()), 1;
    MUST(flue_sim_host_open(sim, NULL, &host));
    memcpy(ends.ip_adapter, (uint8_t[]){192, 0, 2, 1}, 4);
    memcpy(ends.ip_peer, (uint8_t[]){192, 0, 2, 2}, 4);
    ends.port_adapter = 7000;
    ends.port_peer = 80;

    flue_sim_conn_state_init(&state);
    state.snd_una = 1000;
    state.snd_nxt = state.snd_max = 1000 + (uint32_t)sizeof GREETING - 1;
    state.unacked = GREETING;
    state.unacked_bytes = sizeof GREETING - 1;
    state.retransmit_ms = 30;
    MUST(flue_sim_conn_hold(host, &ends, 16, 16, &conn));
    MUST(flue_sim_conn_load(conn, &state));
    begun_us = flue_sim_time_us(sim);
    MUST(flue_sim_conn_start(conn));

    /* The peer says nothing: one ACK of the start, then the timer sends the bytes again. */
    MUST(flue_sim_host_run(host, 50000, 0, &why));
    for (; flue_sim_wire_recv(sim, frame, sizeof frame, &len, &at_us) == FLUE_OK; frames++)
        show(frame, len < sizeof frame ? len : sizeof frame, at_us - begun_us);
    MUST(flue_sim_conn_freeze(conn, &state));
    printf("frozen: SND.UNA %u, SND.MAX %u, %u bytes not acknowledged, congestion window %u\n", state.snd_una, state.snd_max,
           state.unacked_bytes, state.cwnd);
    flue_sim_conn_close(conn);
    flue_sim_host_close(host);
    return flue_sim_close(sim) == FLUE_OK && frames == 2 && state.unacked_bytes == sizeof GREETING - 1 ? 0 : 1;
}
