/*
 * The reference model as a subject: records in rows, and what becomes of a row that fails its check (docs/tcp.md section 5).
 */
#include "subject.h"

#include <stdlib.h>
#include <string.h>

struct row {
    struct flue_tcp record;
    bool bad;
    bool wants, deadline_on; /* as scheduler and timers know it */
    uint32_t deadline;
};

static void write_record(void *self, unsigned row, const struct flue_tcp *record)
{
    struct row *r = (struct row *)self + row;
    r->record = *record;
}

/* Nothing is done, the frame is the host's, the firmware is told (HND-008). */
static void refuse(const struct flue_tcp_event *event, struct flue_tcp_actions *out)
{
    memset(out, 0, sizeof *out);
    out->reason = FLUE_TCP_R_BAD_ROW;
    out->has_verdict = event->kind == FLUE_TCP_EV_SEGMENT || event->kind == FLUE_TCP_EV_FORWARD;
    out->verdict = out->has_verdict ? FLUE_TCP_DIVERT : FLUE_TCP_HOST;
    out->note[out->notes++] = FLUE_TCP_UPLOAD_HARDWARE;
}

static void step(void *self, unsigned row, uint64_t now_us, const struct flue_tcp_event *event, struct flue_tcp_actions *out)
{
    struct row *r = (struct row *)self + row;
    bool command = event->kind == FLUE_TCP_EV_COMMAND;
    if (command && event->command == FLUE_TCP_CLEAR)
        r->bad = false;
    if (r->bad)
        refuse(event, out);
    else
        flue_tcp_step(&r->record, now_us, event, out);
    if (command && event->command == FLUE_TCP_SNAPSHOT) { /* it tells scheduler and timers nothing */
        out->wants = r->wants;
        out->deadline_on = r->deadline_on;
        out->deadline = r->deadline;
    }
    r->wants = out->wants;
    r->deadline_on = out->deadline_on;
    r->deadline = out->deadline;
}

static void read_record(void *self, unsigned row, struct flue_tcp *record)
{
    *record = ((struct row *)self)[row].record;
}

static void flip(void *self, unsigned row)
{
    struct row *r = (struct row *)self + row;
    r->bad = !r->bad;
}

struct tcp_subject *tcp_subject_model(unsigned rows)
{
    struct tcp_subject *s = calloc(1, sizeof *s);
    struct row *all = calloc(rows, sizeof *all);
    if (!s || !all)
        abort();
    *s = (struct tcp_subject){"model", all, rows, write_record, step, read_record, flip};
    return s;
}

void tcp_subject_model_free(struct tcp_subject *subject)
{
    free(subject->self);
    free(subject);
}
