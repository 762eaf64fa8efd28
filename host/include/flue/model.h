/*
 * A device without RTL: register file, region table, and the firmware compiled for the host over a table model
 * (docs/control-plane.md section 7).  No packets: transmit and receive queues take no traffic.
 */
#ifndef FLUE_MODEL_H
#define FLUE_MODEL_H

#include "flue/link.h"

#ifdef __cplusplus
extern "C" {
#endif

struct flue_model_params {
    uint32_t connections; /* 2 to 1024; 0 = 64 */
    uint32_t paths;       /* 0 = connections */
    uint32_t neighbors;   /* 2 to 256; 0 = 16 */
};

/* Time passes only in wait().  The link is closed with ops->close. */
FLUE_MUST_CHECK enum flue_err flue_model_link_open(const struct flue_model_params *params, struct flue_link **link);

/* Flip one bit of a row word without changing its check, as FAULT_TABLE does in RTL. */
void flue_model_flip(struct flue_link *link, unsigned table, unsigned row, unsigned word, unsigned bit);

#ifdef __cplusplus
}
#endif
#endif
