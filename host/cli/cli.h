/* What the verbs of flue share. */
#ifndef FLUE_CLI_H
#define FLUE_CLI_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STATUS_OK = 0, STATUS_REFUSED = 1, STATUS_USAGE = 2, STATUS_NO_DAEMON = 3, STATUS_DIFFERS = 4 };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

extern bool json; /* --json was given */

/* Print "flue: ..." on stderr; returns status. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- daemon ------------------------------------------------------------------------------------------------------ */

cJSON *request_of(const char *verb);

/* Ask the daemon; the request is freed.  Null, with a message, when there is no answer. */
cJSON *ask_raw(cJSON *request);

/* Exit status an answer stands for (null: none came); prints its error unless quiet. */
int answer_status(const cJSON *answer, bool quiet);

void json_print(const cJSON *value);

/* Ask, and print the answer when it is wanted as JSON.  On success *answer is the caller's, else it is null. */
int ask(cJSON *request, cJSON **answer);

/* A text of an answer; "" when there is none. */
const char *text_of(const cJSON *object, const char *name);

/*
 * Query or set one OID: the buffer goes out for a set, comes back in a query (the rest of it is zeroed).  STATUS_OK, else
 * the exit status; the message names the OID and the NDIS status.
 */
int oid_request(bool set, uint32_t oid, void *buffer, size_t len, bool quiet);

/* ---- verbs ------------------------------------------------------------------------------------------------------- */

int verb_caps(int argc, char **argv);
int verb_params(int argc, char **argv);
int verb_encap(int argc, char **argv);
int verb_conn(int argc, char **argv);

/* Statistics of offloaded connections, by their OIDs; false when the daemon has none. */
bool offload_stats(cJSON *to);
int offload_stats_reset(const char *group);

/* Run a tree file on a device in this process (docs/cli.md); the exit status. */
int verb_tree(int argc, char **argv);

#endif
