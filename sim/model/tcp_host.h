/*
 * A host around the reference TCP: rings, payload and time, so that a connection can be the peer of an adapter or of
 * another one.  All times are virtual microseconds that the caller hands in, never backwards.
 *
 *   flue_tcp_host_open(&h, &config, now)       a connection in the state of config.record comes to life
 *   flue_tcp_host_receive(&h, now, seg, data)  a segment arrives
 *   flue_tcp_host_run(&h, now)                 do what is due; segments that leave go to config.emit
 *   flue_tcp_host_next(&h, now)                when to call run again
 *   write, read, finish                        the program above
 *
 * Payload is copied between ring and segment when the transfer completes, latency_us after it was ordered, as DMA would: a
 * ring position that is freed too early shows as a wrong byte.
 */
#ifndef FLUE_MODEL_TCP_HOST_H
#define FLUE_MODEL_TCP_HOST_H

#include "tcp.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FLUE_TCP_NEVER UINT64_MAX

struct flue_tcp_host_config {
    struct flue_tcp record; /* mode EMPTY, rings of rcv_buf and snd_buf bytes: each rounded up to a power of two */
    uint64_t latency_us;    /* of a transfer to or from a ring */
    void (*emit)(void *user, uint64_t now_us, const struct flue_tcp_seg *seg, const uint8_t *payload); /* borrowed */
    void *user;
};

struct flue_tcp_host_job; /* a transfer on its way */

struct flue_tcp_host {
    struct flue_tcp t;
    struct flue_tcp_host_config config;
    uint8_t *send_ring, *receive_ring;
    uint32_t send_mask, receive_mask;
    struct flue_tcp_host_job *first, **end; /* oldest first */
    uint32_t written;                       /* end of what the program wrote */
    uint32_t taken;                         /* the program read everything below */
    struct flue_tcp_tell told;              /* as the status line has it */
    bool finished;                          /* the program said so */
    bool wants, deadline_on;
    bool line_full; /* the caller's: its line takes no data now; ACKs and everything else go on */
    uint64_t deadline_us;
    enum flue_tcp_end ended; /* the last end that was told, FIN excepted */
    unsigned ends;           /* how many of those: at most one */
    bool fin;                /* the peer's FIN was told */
    bool frozen, upload;     /* notes */
    const char *broken;      /* the first invariant that was violated */
    uint64_t events, reasons[FLUE_TCP_REASONS];
};

/* False when memory is short.  Ended with flue_tcp_host_close(). */
bool flue_tcp_host_open(struct flue_tcp_host *h, const struct flue_tcp_host_config *config, uint64_t now_us);
void flue_tcp_host_close(struct flue_tcp_host *h);

size_t flue_tcp_host_write(struct flue_tcp_host *h, uint64_t now_us, const uint8_t *data, size_t len); /* bytes taken */
void flue_tcp_host_finish(struct flue_tcp_host *h, uint64_t now_us);                            /* FIN after what was written */
size_t flue_tcp_host_read(struct flue_tcp_host *h, uint64_t now_us, uint8_t *data, size_t len); /* bytes given */
void flue_tcp_host_command(struct flue_tcp_host *h, uint64_t now_us, enum flue_tcp_command command);
/* Load what was frozen, less what a hand-over leaves out (HND-007), start it and tell it where the rings are. */
void flue_tcp_host_reload(struct flue_tcp_host *h, uint64_t now_us);

/* Returns false when the segment was diverted (the connection is not alive here). */
bool flue_tcp_host_receive(struct flue_tcp_host *h, uint64_t now_us, const struct flue_tcp_seg *seg, const uint8_t *payload);

uint64_t flue_tcp_host_next(const struct flue_tcp_host *h, uint64_t now_us);
void flue_tcp_host_run(struct flue_tcp_host *h, uint64_t now_us);

#ifdef __cplusplus
}
#endif
#endif
