/* Records and actions as text and as bits, and where two of them differ. */
#ifndef FLUE_DIALOGUE_RECORD_H
#define FLUE_DIALOGUE_RECORD_H

#include "tcp_words.h"

#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is not valid (a deadline that is off, a range beyond the count) is no part of the state: it becomes 0. */
void tcp_record_canon(struct flue_tcp *record);

/* Write each difference as a line "name: A b, B c"; returns how many there are.  Records are compared in canonical form. */
unsigned tcp_record_diff(FILE *to, const char *a_name, const struct flue_tcp *a, const char *b_name, const struct flue_tcp *b);
unsigned tcp_actions_diff(FILE *to, const char *a_name, const struct flue_tcp_actions *a, const char *b_name,
                          const struct flue_tcp_actions *b);

/* One line each, no line end.  Sequence numbers are shown as they are. */
void tcp_event_print(FILE *to, const struct flue_tcp_event *event);
void tcp_actions_print(FILE *to, const struct flue_tcp_actions *actions);
void tcp_record_print(FILE *to, const struct flue_tcp *record); /* fields that are not 0, several lines */

#ifdef __cplusplus
}
#endif
#endif
