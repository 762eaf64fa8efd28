/* The far end of the wire in another process, as the clock sees it: flue/sim_peer.h has the rest. */
#ifndef FLUE_PEER_H
#define FLUE_PEER_H

#include "flue/sim.h"

/* As flue_sim_advance(), with the process that sim->peer speaks to. */
FLUE_MUST_CHECK enum flue_err flue_peer_advance(struct flue_sim *sim, uint64_t duration_us, unsigned until,
                                                enum flue_sim_why *why);

/* As flue_sim_advance(), without it. */
FLUE_MUST_CHECK enum flue_err flue_advance_alone(struct flue_sim *sim, uint64_t duration_us, unsigned until,
                                                 enum flue_sim_why *why);

#endif
