/*
 * What runs connections: the reference model, or the RTL engine.  Dialogues and lockstep runs know only this.
 *
 * One event is one step: it returns when all actions of the event are known and the record is written.
 */
#ifndef FLUE_DIALOGUE_SUBJECT_H
#define FLUE_DIALOGUE_SUBJECT_H

#include "tcp.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tcp_subject {
    const char *name;
    void *self;
    unsigned rows; /* connections: 0 to rows - 1 */

    /* Write a record, mode EMPTY, into an empty row; the LOAD command brings it to life. */
    void (*write)(void *self, unsigned row, const struct flue_tcp *record);
    void (*step)(void *self, unsigned row, uint64_t now_us, const struct flue_tcp_event *event, struct flue_tcp_actions *out);
    void (*read)(void *self, unsigned row, struct flue_tcp *record);

    /* A bit of the row's memory changes; the second time it is as it was.  Null: the subject has no memory that could fail. */
    void (*flip)(void *self, unsigned row);
};

/* The reference model as a subject; freed with tcp_subject_model_free(). */
struct tcp_subject *tcp_subject_model(unsigned rows);
void tcp_subject_model_free(struct tcp_subject *subject);

#ifdef __cplusplus
}
#endif
#endif
