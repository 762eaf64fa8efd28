#include "subject.h"

#include <stdlib.h>

static void write_record(void *self, unsigned row, const struct flue_tcp *record)
{
    struct flue_tcp *rows = self;
    rows[row] = *record;
}

static void step(void *self, unsigned row, uint64_t now_us, const struct flue_tcp_event *event, struct flue_tcp_actions *out)
{
    struct flue_tcp *rows = self;
    flue_tcp_step(&rows[row], now_us, event, out);
}

static void read_record(void *self, unsigned row, struct flue_tcp *record)
{
    struct flue_tcp *rows = self;
    *record = rows[row];
}

struct tcp_subject *tcp_subject_model(unsigned rows)
{
    struct tcp_subject *s = calloc(1, sizeof *s);
    struct flue_tcp *records = calloc(rows, sizeof *records);
    if (!s || !records)
        abort();
    *s = (struct tcp_subject){"model", records, rows, write_record, step, read_record};
    return s;
}

void tcp_subject_model_free(struct tcp_subject *subject)
{
    free(subject->self);
    free(subject);
}
