/* What the verbs of flue share. */
#ifndef FLUE_CLI_H
#define FLUE_CLI_H

#include <cjson/cJSON.h>
#include <stdbool.h>

enum { STATUS_OK = 0, STATUS_REFUSED = 1, STATUS_USAGE = 2, STATUS_NO_DAEMON = 3, STATUS_DIFFERS = 4 };

extern bool json; /* --json was given */

/* Print "flue: ..." on stderr; returns status. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Run a tree file on a device in this process (docs/cli.md); the exit status. */
int verb_tree(int argc, char **argv);

#endif
