/*
 * What every device must do with admin commands, whatever is behind its link: the mock's opposite.  Used by model_link_test.c
 * and, over the RTL, by sim/system.
 *
 * A case gets an opened adapter with its control plane started by admin_cases_start().  It returns null, or a sentence that
 * says what was wrong.
 */
#ifndef FLUE_TEST_ADMIN_CASES_H
#define FLUE_TEST_ADMIN_CASES_H

#include "flue/admin.h"

/* What came back, filled by the handlers. */
struct admin_cases {
    struct flue_adapter *a;
    struct flue_admin *admin;
    struct flue_mem mem; /* 16 KB, adapter may write; the cases build their buffers there */
    unsigned total, aborted, notices, traps;
    struct flue_admin_done last;
    uint64_t order; /* cookies of the last 16 completions, 4 bits each, newest lowest */
    char text[160];
};

/* Start the control plane of an adapter for the cases; ended by flue_admin_stop() or flue_adapter_close(). */
FLUE_MUST_CHECK enum flue_err admin_cases_start(struct admin_cases *c, struct flue_adapter *a);

struct admin_case {
    const char *name;
    const char *(*run)(struct admin_cases *c);
};
extern const struct admin_case admin_case_list[];
extern const unsigned admin_case_count;

#endif
