/* What the verbs of the control socket share. */
#ifndef FLUED_CONTROL_H
#define FLUED_CONTROL_H

#include <cjson/cJSON.h>
#include "flued.h"

void add_number(cJSON *to, const char *name, uint64_t value);
cJSON *error_answer(const char *text);
cJSON *ok_answer(void);

/* ---- control_plane.c ----------------------------------------------------------------------------------------------- */

cJSON *verb_oid(struct daemon *d, const cJSON *request);
cJSON *verb_objects(struct daemon *d, const cJSON *request);
cJSON *verb_offload(struct daemon *d, const cJSON *request);

/* ---- control_relay.c ------------------------------------------------------------------------------------------------ */

cJSON *verb_adopt(struct daemon *d, const cJSON *request);
cJSON *verb_move(struct daemon *d, const cJSON *request);
cJSON *verb_connections(struct daemon *d, const cJSON *request);

/* State of the management processor and what is outstanding, into the answer of `stat`. */
void add_processor(const struct daemon *d, cJSON *answer);

#endif
