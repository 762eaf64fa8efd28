/*
 * What is always watched.  A violated rule is kept as one sentence with time, port and rule; the first one stays.
 */
#ifndef FLUE_MONITOR_H
#define FLUE_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

struct flue_monitor {
    uint64_t now_us; /* kept up to date by whoever clocks */
    uint64_t cycle;
    uint64_t violations;
    char first[320];
};

/* Record a violation at a port: printf-like, the rule in words with what was seen. */
void flue_monitor_fail(struct flue_monitor *mon, const char *port, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

#endif
