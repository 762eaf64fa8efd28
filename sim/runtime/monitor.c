#include "monitor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void flue_monitor_fail(struct flue_monitor *mon, const char *port, const char *format, ...)
{
    va_list args;
    if (mon->violations++)
        return;
    int n = snprintf(mon->first, sizeof mon->first, "%" PRIu64 " us (cycle %" PRIu64 "), %s: ", mon->now_us, mon->cycle, port);
    va_start(args, format);
    vsnprintf(mon->first + n, sizeof mon->first - (size_t)n, format, args);
    va_end(args);
}
