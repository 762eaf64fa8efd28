/*
 * flue: the command that talks to a running flued, and replays recordings without one.
 */
#define _GNU_SOURCE
#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "cli.h"
#include "flue/sim.h"

static const char usage[] =
    "usage: flue [--socket PATH] [--json] VERB [arguments]\n"
    "\n"
    "  caps                      what the adapter can, what is set, what Linux's `ethtool -k` shows\n"
    "  caps --set SWITCH=VALUE   change a switch (may be repeated; all of them or none); VALUE is on or off, and for\n"
    "                            checksums and vlan also tx, rx or both\n"
    "  params [NAME=VALUE ...]   the offloads as OID_TCP_OFFLOAD_PARAMETERS names them: what the hardware can, what is on\n"
    "                            now; with values all of them are set, or none\n"
    "  encap [ipv4=F] [ipv6=F]   framing offloads are active for (OID_OFFLOAD_ENCAPSULATION); F: 802.3, llc-snap, off\n"
    "  conn [--set NAME=VALUE]   adopted connections, offloaded neighbors, paths and connections, and the run-time parameters\n"
    "                            of connections\n"
    "  conn --watch[=SECONDS]    the adopted connections again and again: where, rates, windows, round trip, what was sent "
    "again\n"
    "  offload ID                move an adopted connection into the adapter; `upload ID` moves it back (ids: conn)\n"
    "  offload pause|upload-all|resume|restart\n"
    "                            what the adapter tells the host of connection offload; restart: of its processor, warm\n"
    "  stat [--reset GROUP] [TEXT]\n"
    "                            every counter; with TEXT those whose name contains it; GROUP of the offload statistics to\n"
    "                            begin anew first: tcp4, tcp6, ip4, ip6, all\n"
    "  pcap [where]              where the capture is; it is complete up to now when the command returns\n"
    "  pcap start FILE           begin a capture of every port (pcapng)\n"
    "  pcap stop                 end it\n"
    "  wire [--tx TEXT] [--rx TEXT]\n"
    "                            impairments of the wire, such as drop=0.01,reorder=0.01,delay=200us; \"\" for none\n"
    "  fault [csum] [lso-seq] [place] [processor]\n"
    "                            break the adapter on purpose; without a name, mend it; processor: it traps, once\n"
    "  log [LEVEL]               show or set the daemon's log level: error, warn, info, debug\n"
    "  reset                     function reset of the adapter\n"
    "  stop                      end the daemon: what was begun is finished first\n"
    "  replay RECORD [--fst FILE] [--from US] [--to US] [--model-dir DIR]\n"
    "                            run a recording (`flued --record`) again, compare, and write waves; needs no daemon\n"
    "  tree FILE [--device model|rtl] [--dump FILE] [--check] [--width N] [--model-dir DIR]\n"
    "                            run a tree of offload state (docs/cli.md) on a device of its own and print what becomes of\n"
    "                            every node; --dump writes the buffers, --check only reads and prints the tree; no daemon\n"
    "\n"
    "  --socket PATH   of the daemon [$FLUE_SOCKET, else /run/flued.sock]\n"
    "  --json          the answer as one JSON object\n"
    "\n"
    "Exit status: 0 done; 1 refused by the daemon, or an error; 2 wrong usage; 3 no daemon; 4 the replay differs.\n";

static const char *socket_path;
bool json;

int complain(int status, const char *format, ...)
{
    va_list args;
    fputs("flue: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs(status == STATUS_USAGE ? "\nTry 'flue --help'.\n" : "\n", stderr);
    return status;
}

/* ---- daemon ------------------------------------------------------------------------------------------------------ */

static bool send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* The line that answers; null with errno when there is none. */
static char *receive_line(int fd)
{
    char *line = NULL;
    size_t cap = 0;
    FILE *stream = fdopen(fd, "r");
    if (stream == NULL || getline(&line, &cap, stream) <= 0) {
        free(line);
        line = NULL;
    }
    if (stream != NULL)
        fclose(stream);
    return line;
}

/* Ask the daemon; the request is freed.  Null with a message when there is no answer. */
cJSON *ask_raw(cJSON *request)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *text = cJSON_PrintUnformatted(request), *line = NULL;
    cJSON *answer = NULL;
    int fd = -1;

    cJSON_Delete(request);
    if (strlen(socket_path) >= sizeof address.sun_path) {
        complain(STATUS_USAGE, "--socket: '%s' is too long", socket_path);
        goto out;
    }
    strcpy(address.sun_path, socket_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        complain(STATUS_NO_DAEMON, "no daemon at %s: %s", socket_path, strerror(errno));
        goto out;
    }
    if (!send_all(fd, text, strlen(text)) || !send_all(fd, "\n", 1)) {
        complain(STATUS_NO_DAEMON, "the daemon went away");
        goto out;
    }
    line = receive_line(fd);
    fd = -1;
    answer = line != NULL ? cJSON_Parse(line) : NULL;
    if (answer == NULL)
        complain(STATUS_NO_DAEMON, "the daemon gave no answer");
out:
    if (fd >= 0)
        close(fd);
    free(line);
    cJSON_free(text);
    return answer;
}

int answer_status(const cJSON *answer, bool quiet)
{
    const cJSON *error = cJSON_GetObjectItem(answer, "error");

    if (answer == NULL)
        return strlen(socket_path) >= sizeof((struct sockaddr_un *)0)->sun_path ? STATUS_USAGE : STATUS_NO_DAEMON;
    if (cJSON_IsTrue(cJSON_GetObjectItem(answer, "ok")))
        return STATUS_OK;
    return quiet ? STATUS_REFUSED : complain(STATUS_REFUSED, "%s", cJSON_IsString(error) ? error->valuestring : "refused");
}

void json_print(const cJSON *value)
{
    char *pretty = cJSON_Print(value);
    puts(pretty);
    cJSON_free(pretty);
}

int ask(cJSON *request, cJSON **answer)
{
    *answer = ask_raw(request);
    int status = answer_status(*answer, json);
    if (json && *answer != NULL)
        json_print(*answer);
    if (json || status != STATUS_OK) {
        cJSON_Delete(*answer);
        *answer = NULL;
    }
    return status;
}

cJSON *request_of(const char *verb)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "verb", verb);
    return request;
}

/* Ask, and print nothing but an error. */
static int ask_quietly(cJSON *request)
{
    cJSON *answer;
    int status = ask(request, &answer);
    cJSON_Delete(answer);
    return status;
}

const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

/* ---- verbs ------------------------------------------------------------------------------------------------------- */

static void print_numbers(const cJSON *object, const char *prefix, const char *filter)
{
    const cJSON *one;
    char name[96];

    cJSON_ArrayForEach(one, object)
    {
        snprintf(name, sizeof name, "%s.%s", prefix, one->string);
        if (cJSON_IsObject(one))
            print_numbers(one, name, filter);
        else if (filter == NULL || strstr(name, filter) != NULL) {
            if (cJSON_IsNumber(one))
                printf("%-32s %.0f\n", name, one->valuedouble);
            else if (cJSON_IsString(one))
                printf("%-32s %s\n", name, one->valuestring);
        }
    }
}

static int verb_stat(int argc, char **argv)
{
    static const char *const groups[] = {"adapter", "driver", "simulator", "processor", "offload"};
    static const struct option options[] = {{"reset", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        int reset = option == 'r' ? offload_stats_reset(optarg) : STATUS_USAGE;
        if (reset != STATUS_OK)
            return reset;
    }
    if (optind + 1 < argc)
        return complain(STATUS_USAGE, "stat: one text at most");
    cJSON *answer = ask_raw(request_of("stat"));
    int status = answer_status(answer, json);
    if (status == STATUS_OK) {
        cJSON *offload = cJSON_CreateObject();
        if (offload_stats(offload))
            cJSON_AddItemToObject(answer, "offload", offload);
        else
            cJSON_Delete(offload); /* no management processor */
    }
    if (json && answer != NULL)
        json_print(answer);
    for (size_t i = 0; !json && status == STATUS_OK && i < sizeof groups / sizeof groups[0]; i++)
        print_numbers(cJSON_GetObjectItem(answer, groups[i]), groups[i], optind < argc ? argv[optind] : NULL);
    cJSON_Delete(answer);
    return status;
}

static int verb_pcap(int argc, char **argv)
{
    const char *action = argc > 1 ? argv[1] : "where";
    bool start = strcmp(action, "start") == 0;
    cJSON *answer;

    if (argc > (start ? 3 : 2) || (start && argc < 3))
        return complain(STATUS_USAGE, "pcap: is where, stop, or start FILE");
    cJSON *request = request_of("pcap");
    cJSON_AddStringToObject(request, "action", action);
    if (start) {
        /* The daemon may be in another folder. */
        char *here = getcwd(NULL, 0), *path = NULL;
        if (asprintf(&path, "%s%s%s", argv[2][0] == '/' || here == NULL ? "" : here, argv[2][0] == '/' ? "" : "/", argv[2]) >=
            0)
            cJSON_AddStringToObject(request, "path", path);
        free(path);
        free(here);
    }
    int status = ask(request, &answer);
    if (answer != NULL)
        puts(text_of(answer, "path"));
    cJSON_Delete(answer);
    return status;
}

static int verb_wire(int argc, char **argv)
{
    static const struct option options[] = {
        {"tx", required_argument, NULL, 't'}, {"rx", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
    cJSON *request = request_of("wire");
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?') {
            cJSON_Delete(request);
            return STATUS_USAGE;
        }
        cJSON_AddStringToObject(request, option == 't' ? "tx" : "rx", optarg);
    }
    if (argc == 1 || optind < argc) {
        cJSON_Delete(request);
        return complain(STATUS_USAGE, "wire: needs --tx TEXT or --rx TEXT");
    }
    return ask_quietly(request);
}

static int verb_fault(int argc, char **argv)
{
    cJSON *request = request_of("fault"), *faults = cJSON_AddArrayToObject(request, "faults");
    for (int i = 1; i < argc; i++)
        cJSON_AddItemToArray(faults, cJSON_CreateString(argv[i]));
    return ask_quietly(request);
}

static int verb_log(int argc, char **argv)
{
    cJSON *request = request_of("log"), *answer;
    if (argc > 2) {
        cJSON_Delete(request);
        return complain(STATUS_USAGE, "log: one level at most");
    }
    if (argc == 2)
        cJSON_AddStringToObject(request, "level", argv[1]);
    int status = ask(request, &answer);
    if (answer != NULL)
        puts(text_of(answer, "level"));
    cJSON_Delete(answer);
    return status;
}

/* An adopted connection into the adapter, or back. */
static int move(const char *verb, const char *id, const char *to)
{
    char *end;
    unsigned long number = strtoul(id, &end, 10);
    if (end == id || *end != '\0' || number == 0 || number > UINT32_MAX)
        return complain(STATUS_USAGE, "%s: '%s' is not the id of a connection (flue conn)", verb, id);
    cJSON *request = request_of("move");
    cJSON_AddNumberToObject(request, "id", (double)number);
    cJSON_AddStringToObject(request, "to", to);
    return ask_quietly(request);
}

static int verb_upload(int argc, char **argv)
{
    if (argc != 2)
        return complain(STATUS_USAGE, "upload: takes the id of a connection (flue conn)");
    return move(argv[0], argv[1], "kernel");
}

static int verb_offload(int argc, char **argv)
{
    if (argc != 2)
        return complain(STATUS_USAGE, "offload: takes the id of a connection, or pause, upload-all, resume or restart");
    if (argv[1][0] >= '0' && argv[1][0] <= '9')
        return move(argv[0], argv[1], "adapter");
    cJSON *request = request_of("offload");
    cJSON_AddStringToObject(request, "action", argv[1]);
    return ask_quietly(request);
}

static int verb_plain(int argc, char **argv)
{
    if (argc > 1)
        return complain(STATUS_USAGE, "%s: takes no argument", argv[0]);
    return ask_quietly(request_of(argv[0]));
}

/* ---- replay ------------------------------------------------------------------------------------------------------ */

static bool time_read(const char *text, uint64_t *us)
{
    char *end;
    errno = 0;
    *us = strtoull(text, &end, 0);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-';
}

static int replay_result(const char *record, const struct flue_sim_replay_result *r)
{
    if (json) {
        cJSON *out = cJSON_CreateObject();
        cJSON_AddBoolToObject(out, "ok", r->equal);
        cJSON_AddNumberToObject(out, "cycles", (double)r->cycles);
        cJSON_AddNumberToObject(out, "first_us", (double)r->first_us);
        cJSON_AddNumberToObject(out, "last_us", (double)r->last_us);
        cJSON_AddNumberToObject(out, "seed", (double)r->seed);
        cJSON_AddNumberToObject(out, "width_bits", r->width);
        if (!r->equal)
            cJSON_AddNumberToObject(out, "differs_at_us", (double)r->differs_at_us);
        char *pretty = cJSON_Print(out);
        puts(pretty);
        cJSON_free(pretty);
        cJSON_Delete(out);
    } else {
        printf("%s: %llu cycles, %llu to %llu us, width %u, seed %llu: ", record, (unsigned long long)r->cycles,
               (unsigned long long)r->first_us, (unsigned long long)r->last_us, r->width, (unsigned long long)r->seed);
        if (r->equal)
            puts("as recorded");
        else
            printf("differs at %llu us\n", (unsigned long long)r->differs_at_us);
    }
    return r->equal ? STATUS_OK : STATUS_DIFFERS;
}

static int verb_replay(int argc, char **argv)
{
    static const struct option options[] = {{"fst", required_argument, NULL, 'w'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},
                                            {"model-dir", required_argument, NULL, 'm'},
                                            {NULL, 0, NULL, 0}};
    const char *fst = NULL, *models = NULL;
    struct flue_sim_replay_result result;
    uint64_t from_us = 0, to_us = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'w':
            fst = optarg;
            break;
        case 'm':
            models = optarg;
            break;
        case 'f':
        case 't':
            if (!time_read(optarg, option == 'f' ? &from_us : &to_us))
                return complain(STATUS_USAGE, "--%s: '%s' is not a time in us", option == 'f' ? "from" : "to", optarg);
            break;
        default:
            return STATUS_USAGE;
        }
    }
    if (optind + 1 != argc)
        return complain(STATUS_USAGE, "replay: needs one recording");
    enum flue_err err = flue_sim_replay(argv[optind], fst, from_us, to_us, models, &result);
    if (err != FLUE_OK)
        return complain(STATUS_REFUSED, "%s: %s", argv[optind], flue_sim_open_error());
    return replay_result(argv[optind], &result);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } verbs[] = {{"caps", verb_caps}, {"params", verb_params},   {"encap", verb_encap},  {"conn", verb_conn},
                 {"stat", verb_stat}, {"pcap", verb_pcap},       {"wire", verb_wire},    {"fault", verb_fault},
                 {"log", verb_log},   {"reset", verb_plain},     {"stop", verb_plain},   {"replay", verb_replay},
                 {"tree", verb_tree}, {"offload", verb_offload}, {"upload", verb_upload}};
    const char *environment = getenv("FLUE_SOCKET");
    int option;

    /* --json may stand anywhere, also behind the verb. */
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
            memmove(&argv[i], &argv[i + 1], (size_t)(argc - i) * sizeof argv[0]);
            argc--;
            i--;
        }
    socket_path = environment != NULL ? environment : "/run/flued.sock";
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (option) {
        case 's':
            socket_path = optarg;
            break;
        case 'j':
            json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return STATUS_OK;
        default:
            return STATUS_USAGE;
        }
    }
    if (optind == argc)
        return complain(STATUS_USAGE, "no verb");
    char **rest = argv + optind;
    int count = argc - optind;
    optind = 0; /* getopt begins anew for the verb */
    if (count > 1 && strcmp(rest[1], "--help") == 0) {
        fputs(usage, stdout);
        return STATUS_OK;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(rest[0], verbs[i].name) == 0)
            return verbs[i].run(count, rest);
    return complain(STATUS_USAGE, "there is no verb '%s'", rest[0]);
}
