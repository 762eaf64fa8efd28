/*
 * The far end of the simulated wire as another process, in virtual time, over a Unix stream socket (docs/peer.md has the
 * messages): any TCP stack that can be told what time it is can be the peer.
 *
 *   flue_sim_open(&cfg, &sim);                            flue/sim.h; virtual time, no on_frame
 *   flue_sim_peer_listen(sim, "peer.sock", 0, &peer);     the socket is there: start the process now
 *   flue_sim_peer_accept(peer);                           it has connected and said what it is
 *   flue_sim_advance(sim, 1000, 0, &why);                 time passes on both sides; so does flue_sim_host_run()
 *   flue_sim_peer_close(peer);  flue_sim_close(sim);
 *
 * The process is a guest: what it says is checked, and it has a limit of wall time for every turn.  One that breaks the rules,
 * goes away or says nothing makes flue_sim_advance() return FLUE_EPEER or FLUE_ETIMEOUT from then on; flue_sim_peer_error() is
 * one sentence with what it did and when; time stands until flue_sim_peer_close(), which comes before closing the driver: that
 * needs time.  Frames it sent pass the impairments of FLUE_SIM_WIRE_RX as those of
 * flue_sim_wire_send(), which may be used beside it; frames that reach it are not there for flue_sim_wire_recv().
 *
 * flue_sim_run() and flue_sim_settle() do not ask it.  A run repeats exactly when the process does.
 */
#ifndef FLUE_SIM_PEER_H
#define FLUE_SIM_PEER_H

#include <stdint.h>
#include "flue/err.h"
#include "flue/sim.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLUE_SIM_PEER_VERSION 1u
#define FLUE_SIM_PEER_MAGIC   UINT32_C(0x65756C66) /* "flue" */
#define FLUE_SIM_PEER_NEVER   UINT64_MAX

/* Messages, docs/peer.md: this header, little-endian, then `bytes` bytes. */
enum flue_sim_peer_type {
    FLUE_SIM_PEER_HELLO = 1, /* both ways, first: magic and version, 4 bytes each */
    FLUE_SIM_PEER_FRAME,     /* to the peer: it is time_us and this frame is there; from the peer: it leaves at time_us */
    FLUE_SIM_PEER_ADVANCE,   /* to the peer: it is time_us */
    FLUE_SIM_PEER_NEXT,      /* from the peer, ends its turn: nothing more before time_us, or never, unless a frame comes */
    FLUE_SIM_PEER_END,       /* both ways, last: text of at most 200 bytes, may be empty */
};

struct flue_sim_peer_head {
    uint32_t type;
    uint32_t bytes;
    uint64_t time_us;
};

/* Opaque; from flue_sim_peer_listen() or _attach() to flue_sim_peer_close(). */
struct flue_sim_peer;

/*
 * Make the socket at `path`, which must not exist, and listen; the file goes away when a process has connected.  Until then
 * flue_sim_advance() returns FLUE_ESTATE.
 *
 * patience_ms   wall time for the connection, and for each turn of the process, to 600,000; 0 = 5,000
 *
 * Returns FLUE_EARG    a path that is too long, patience out of range, live time, or frames go to on_frame
 *         FLUE_ESTATE  the simulator has a peer
 *         FLUE_EIO     the socket cannot be made; errno says why
 *         FLUE_ENOMEM
 */
FLUE_MUST_CHECK enum flue_err flue_sim_peer_listen(struct flue_sim *sim, const char *path, unsigned patience_ms,
                                                   struct flue_sim_peer **peer);

/*
 * Wait for the process and its HELLO.
 *
 * Returns FLUE_ETIMEOUT  nobody came, or it said nothing
 *         FLUE_EPEER     what it said is not HELLO of this version
 *         FLUE_ESTATE    it is connected already
 *         FLUE_EIO
 */
FLUE_MUST_CHECK enum flue_err flue_sim_peer_accept(struct flue_sim_peer *peer);

/* The same over a connected stream socket, such as one end of socketpair(); fd is the simulator's from here on, also when this
 * fails. */
FLUE_MUST_CHECK enum flue_err flue_sim_peer_attach(struct flue_sim *sim, int fd, unsigned patience_ms,
                                                   struct flue_sim_peer **peer);

/* What the call that failed found, one sentence; "" before. */
const char *flue_sim_peer_error(const struct flue_sim_peer *peer);

/* Say END and forget it; the simulator goes on without.  Frames it sent that are not on the wire yet are gone.  Null is
 * allowed; flue_sim_close() does it too. */
void flue_sim_peer_close(struct flue_sim_peer *peer);

#ifdef __cplusplus
}
#endif
#endif
