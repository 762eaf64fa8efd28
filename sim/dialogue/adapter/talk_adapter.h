/* The words of the dialogues on the whole adapter, used through flue/sim_host.h. */
#ifndef FLUE_TALK_ADAPTER_H
#define FLUE_TALK_ADAPTER_H

#include "dialogue.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One adapter for all that follow; false, with a line printed, when it cannot be had. */
bool talk_adapter_open(uint64_t seed);
bool talk_adapter_close(void); /* false: a monitor was violated */

/* A dialogue by its name, null if there is none. */
const struct dialogue *talk_adapter_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
