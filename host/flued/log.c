/* Log lines. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "flued.h"

static const char *const names[LOG_LEVELS] = {"error", "warn", "info", "debug"};

enum log_level log_level = LOG_INFO;

const char *log_level_name(enum log_level level)
{
    return names[level];
}

bool log_level_find(const char *name, enum log_level *level)
{
    for (unsigned i = 0; i < LOG_LEVELS; i++)
        if (strcmp(name, names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

void log_line(enum log_level level, const char *format, ...)
{
    char text[512];
    va_list args;

    if (level > log_level)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "flued: %s: %s\n", names[level], text);
}
