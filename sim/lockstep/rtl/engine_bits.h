/* Events and actions as the packed structs of rtl/tcp/flue_tcp_pkg.sv have them. */
#ifndef FLUE_LOCKSTEP_ENGINE_BITS_H
#define FLUE_LOCKSTEP_ENGINE_BITS_H

#include "engine.h"
#include "tcp.h"

void engine_put_event(uint32_t *data, const struct flue_tcp_event *event);
void engine_put_access(uint32_t *data, bool write, unsigned word, uint32_t value);

/* Each sets its part of `out`; call it when the output is valid. */
void engine_verdict(const struct engine_out *o, struct flue_tcp_actions *out);
void engine_tx(const struct engine_out *o, struct flue_tcp_actions *out);
void engine_tell(const struct engine_out *o, struct flue_tcp_actions *out);
void engine_record(const struct engine_out *o, struct flue_tcp *record);

#endif
