/*
 * libflue, everything at once: the driver (flue/core.h), sums (flue/sum.h) and Linux's TAP (flue/linux.h).
 *
 *   struct flue_handlers h = {.ctx = me, .tx_done = sent, .rx_done = received};
 *   flue_adapter_open(link, NULL, &h, &adapter);
 *   flue_encap_set(adapter, FLUE_ENCAP_ON, FLUE_ENCAP_ON);
 *   flue_mem_alloc(adapter, 65536, FLUE_ACCESS_READ, &mem);
 *   flue_tx_put(adapter, &(struct flue_tx_packet){.frags = &frag, .frag_count = 1});
 *   flue_tx_kick(adapter);
 *   flue_poll(adapter, 64, &handled);
 *   flue_adapter_close(adapter);
 */
#ifndef FLUE_FLUE_H
#define FLUE_FLUE_H

#include "flue/core.h"
#include "flue/linux.h"
#include "flue/sum.h"

#endif
