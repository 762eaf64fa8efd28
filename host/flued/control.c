/*
 * Control socket: one JSON object a line in, one out.
 *
 *   {"verb": "caps"}                                            what the adapter can, what is set, what Linux sees
 *   {"verb": "set", "switches": {"lso-v2-ipv4": "off"}}         change settings
 *   {"verb": "stat"}                                            every counter
 *   {"verb": "pcap"}                                            where the capture is; it is flushed first
 *   {"verb": "pcap", "action": "start", "path": "/a/b"}         begin one; "stop" ends it
 *   {"verb": "wire", "tx": "drop=0.01", "rx": ""}               change the wire's impairments
 *   {"verb": "fault", "faults": ["csum", "lso-seq", "place"]}   break the RTL on purpose; "processor" makes its next start trap
 *   {"verb": "log", "level": "debug"}
 *   {"verb": "reset"}                                           function reset of the adapter
 *   {"verb": "oid", "type": "query", "oid": "OID_...", "length": 20}     one OID request; "data" of a set and of the answer
 *                                                               is in hex, the answer has "status", "NDIS_STATUS_SUCCESS"
 *   {"verb": "objects"}                                         what the adapter holds of offloaded state
 *   {"verb": "offload", "action": "pause"}                      or "upload-all", "resume", "restart" (of the processor)
 *   {"verb": "adopt"}, a connected TCP socket beside it         the answer has "id", and a local stream socket beside it
 *   {"verb": "move", "id": 1, "to": "adapter"}                  or "kernel": where an adopted connection lives
 *   {"verb": "connections"}                                     every adopted connection, and those that ended; "brief": true
 *                                                               does not ask the engine
 *   {"verb": "stop"}
 *
 * An answer has "ok": true, or "ok": false and "error": a sentence.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"

#define LINE_MAX_BYTES 8192u
#define BACKLOG        8

struct client {
    int fd;
    int passed_fd; /* came with a request and was not taken, -1 none */
    size_t len_bytes;
    char line[LINE_MAX_BYTES];
};

/* ---- answers ----------------------------------------------------------------------------------------------------- */

void add_number(cJSON *to, const char *name, uint64_t value)
{
    cJSON_AddNumberToObject(to, name, (double)value);
}

cJSON *error_answer(const char *text)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddBoolToObject(answer, "ok", false);
    cJSON_AddStringToObject(answer, "error", text);
    return answer;
}

cJSON *ok_answer(void)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddBoolToObject(answer, "ok", true);
    return answer;
}

static void add_adapter(const struct daemon *d, cJSON *answer)
{
    const struct flue_identity *id = flue_adapter_identity(d->adapter);
    char contract[32];
    cJSON *adapter = cJSON_AddObjectToObject(answer, "adapter");
    snprintf(contract, sizeof contract, "%u.%u", id->major, id->minor);
    cJSON_AddStringToObject(adapter, "contract", contract);
    add_number(adapter, "width_bits", id->width_bits);
    add_number(adapter, "regions", id->region_count);
    add_number(adapter, "max_frame_bytes", id->max_frame_bytes);
    cJSON_AddBoolToObject(adapter, "fault_injection", id->faults);
}

/* What `ethtool -k` shows for the mask in force (linux-host.md 1.2). */
static void add_linux(const struct daemon *d, cJSON *answer)
{
    static const struct {
        const char *feature;
        uint32_t bit;
    } rows[] = {{"tx-checksum-ip-generic", FLUE_TUN_CSUM},
                {"tx-tcp-segmentation", FLUE_TUN_TSO4},
                {"tx-tcp6-segmentation", FLUE_TUN_TSO6},
                {"tx-tcp-ecn-segmentation", FLUE_TUN_TSO_ECN}};
    uint32_t mask = flue_tap_offload(d->host_tap);
    cJSON *linux_features = cJSON_AddObjectToObject(answer, "linux");

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cJSON_AddStringToObject(linux_features, rows[i].feature, (mask & rows[i].bit) != 0 ? "on" : "off");
}

static cJSON *verb_caps(struct daemon *d, const cJSON *request)
{
    struct flue_config caps, set, active;
    cJSON *answer = ok_answer();

    (void)request;
    flue_config_caps(d->adapter, &caps);
    flue_config_get(d->adapter, &set);
    flue_config_active(d->adapter, &active);
    add_adapter(d, answer);
    cJSON *switches = cJSON_AddObjectToObject(answer, "switches");
    for (unsigned i = 0; i < FLUE_SW_COUNT; i++) {
        enum flue_switch sw = (enum flue_switch)i;
        cJSON *one = cJSON_AddObjectToObject(switches, flue_switch_name(sw));
        cJSON_AddStringToObject(one, "able", setting_name(sw, caps.way[i]));
        cJSON_AddStringToObject(one, "set", setting_name(sw, set.way[i]));
        cJSON_AddStringToObject(one, "active", setting_name(sw, active.way[i]));
    }
    add_number(answer, "max_offload_bytes", set.max_offload_bytes);
    add_number(answer, "max_frame_bytes", set.max_frame_bytes);
    cJSON_AddStringToObject(answer, "interface", flue_tap_name(d->host_tap));
    add_number(answer, "offload_mask", flue_tap_offload(d->host_tap));
    add_linux(d, answer);
    return answer;
}

static cJSON *verb_set(struct daemon *d, const cJSON *request)
{
    struct flue_config config;
    const cJSON *one, *switches = cJSON_GetObjectItem(request, "switches");

    if (!cJSON_IsObject(switches) || switches->child == NULL)
        return error_answer("set: no switches are given");
    flue_config_keep(&config);
    cJSON_ArrayForEach(one, switches)
    {
        const char *wrong =
            cJSON_IsString(one) ? setting_read(&config, one->string, one->valuestring) : "a value is not a text";
        if (wrong != NULL)
            return error_answer(wrong);
    }
    const char *wrong = daemon_configure(d, &config);
    return wrong != NULL ? error_answer(wrong) : verb_caps(d, request);
}

static void add_wire(cJSON *to, const char *name, const struct flue_sim_wire_stats *w)
{
    cJSON *wire = cJSON_AddObjectToObject(to, name);
    add_number(wire, "frames_in", w->frames_in);
    add_number(wire, "bytes_in", w->bytes_in);
    add_number(wire, "frames_out", w->frames_out);
    add_number(wire, "bytes_out", w->bytes_out);
    add_number(wire, "dropped", w->dropped);
    add_number(wire, "queue_dropped", w->queue_dropped);
    add_number(wire, "duplicated", w->duplicated);
    add_number(wire, "reordered", w->reordered);
    add_number(wire, "flipped", w->flipped);
    add_number(wire, "truncated", w->truncated);
}

static void add_sim(const struct daemon *d, cJSON *answer)
{
    struct flue_sim_stats s;
    cJSON *sim = cJSON_AddObjectToObject(answer, "simulator");

    flue_sim_stats(d->sim, &s);
    add_number(sim, "cycles", s.cycles);
    add_number(sim, "clock_mhz", d->options->sim.clock_mhz);
    add_number(sim, "time_us", s.time_us);
    add_number(sim, "skipped_us", s.skipped_us);
    add_number(sim, "frames_checked", s.frames_checked);
    add_number(sim, "frames_exempt", s.frames_exempt);
    add_number(sim, "ip4_checksums", s.ip4_checksums);
    add_number(sim, "tcp_checksums", s.tcp_checksums);
    add_number(sim, "udp_checksums", s.udp_checksums);
    add_number(sim, "violations", s.violations);
    add_number(sim, "reg_reads", s.reg_reads);
    add_number(sim, "reg_writes", s.reg_writes);
    add_number(sim, "dma_read_bytes", s.dma_read_bytes);
    add_number(sim, "dma_write_bytes", s.dma_write_bytes);
    add_number(sim, "events", s.events);
    add_number(sim, "rx_stalled", s.rx_stalled);
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, flue_sim_seed(d->sim));
    cJSON_AddStringToObject(sim, "seed", seed); /* a JSON number holds 53 bits */
    add_wire(sim, "wire_tx", &s.wire_tx);
    add_wire(sim, "wire_rx", &s.wire_rx);
    const char *violation = flue_sim_violation(d->sim);
    if (violation != NULL)
        cJSON_AddStringToObject(sim, "violation", violation);
}

static void add_driver(const struct daemon *d, cJSON *answer)
{
    struct flue_core_stats c;
    struct flue_port_stats p;
    cJSON *driver = cJSON_AddObjectToObject(answer, "driver");

    flue_core_stats_get(d->adapter, &c);
    flue_port_stats_get(d->port, &p);
    add_number(driver, "events", c.events);
    add_number(driver, "polls", c.polls);
    add_number(driver, "queue_errors", c.queue_errors);
    add_number(driver, "resets", c.resets);
    add_number(driver, "tx_packets", p.tx_packets);
    add_number(driver, "tx_bytes", p.tx_bytes);
    add_number(driver, "tx_super", p.tx_super);
    add_number(driver, "tx_soft_csum", p.tx_soft_csum);
    add_number(driver, "tx_soft_gso", p.tx_soft_gso);
    add_number(driver, "tx_dropped", p.tx_dropped);
    add_number(driver, "tx_withheld", p.tx_withheld);
    add_number(driver, "tx_failed", p.tx_failed);
    add_number(driver, "tx_frames", p.tx_frames);
    add_number(driver, "rx_packets", p.rx_packets);
    add_number(driver, "rx_bytes", p.rx_bytes);
    add_number(driver, "rx_good", p.rx_good);
    add_number(driver, "rx_bad", p.rx_bad);
    add_number(driver, "rx_returned", p.rx_returned);
    add_number(driver, "rx_refused", p.rx_refused);
    add_number(driver, "wire_refused", d->wire_refused);
    add_number(driver, "loops", d->loops);
}

static cJSON *verb_stat(struct daemon *d, const cJSON *request)
{
    cJSON *answer = ok_answer(), *counters = cJSON_AddObjectToObject(answer, "adapter");

    (void)request;
    for (unsigned i = 0; i < FLUE_STAT_COUNT; i++) {
        uint64_t value;
        char name[32] = "";
        const char *upper = flue_stat_name(i);
        for (size_t c = 0; upper[c] != '\0' && c + 1 < sizeof name; c++)
            name[c] = (char)(upper[c] >= 'A' && upper[c] <= 'Z' ? upper[c] - 'A' + 'a' : upper[c]);
        if (flue_stat_read(d->adapter, i, &value) != FLUE_OK) {
            cJSON_Delete(answer);
            return error_answer("the adapter does not answer");
        }
        add_number(counters, name, value);
    }
    add_driver(d, answer);
    add_sim(d, answer);
    add_processor(d, answer);
    return answer;
}

static const char *pcap_start(struct daemon *d, const cJSON *path)
{
    if (!cJSON_IsString(path) || strlen(path->valuestring) >= sizeof d->pcap_path)
        return "pcap start needs a path";
    if (d->pcap_path[0] != '\0')
        return "a capture is being written; stop it first";
    if (flue_sim_pcap_open(d->sim, path->valuestring) != FLUE_OK)
        return flue_sim_open_error();
    strcpy(d->pcap_path, path->valuestring);
    return NULL;
}

static const char *pcap_stop(struct daemon *d)
{
    d->pcap_path[0] = '\0';
    return flue_sim_pcap_close(d->sim) == FLUE_OK ? NULL : "the capture could not be written to its end";
}

static cJSON *verb_pcap(struct daemon *d, const cJSON *request)
{
    const cJSON *item = cJSON_GetObjectItem(request, "action");
    const char *action = cJSON_IsString(item) ? item->valuestring : "where", *wrong = NULL;
    char path[sizeof d->pcap_path];

    if (strcmp(action, "start") == 0)
        wrong = pcap_start(d, cJSON_GetObjectItem(request, "path"));
    else if (strcmp(action, "stop") != 0 && strcmp(action, "where") != 0)
        wrong = "pcap is start, stop or where";
    strcpy(path, d->pcap_path);
    if (wrong == NULL && path[0] == '\0')
        wrong = "there is no capture";
    if (wrong == NULL && strcmp(action, "stop") == 0)
        wrong = pcap_stop(d);
    else if (wrong == NULL && flue_sim_pcap_flush(d->sim) != FLUE_OK)
        wrong = "the capture cannot be written";
    if (wrong != NULL)
        return error_answer(wrong);
    cJSON *answer = ok_answer();
    cJSON_AddStringToObject(answer, "path", path);
    return answer;
}

static cJSON *verb_wire(struct daemon *d, const cJSON *request)
{
    static const struct {
        const char *key;
        enum flue_sim_port port;
    } ways[] = {{"tx", FLUE_SIM_WIRE_TX}, {"rx", FLUE_SIM_WIRE_RX}};

    for (unsigned i = 0; i < 2; i++) {
        const cJSON *text = cJSON_GetObjectItem(request, ways[i].key);
        if (text == NULL)
            continue;
        if (!cJSON_IsString(text) || flue_sim_wire_set(d->sim, ways[i].port, text->valuestring) != FLUE_OK)
            return error_answer(cJSON_IsString(text) ? flue_sim_open_error() : "impairments are a text");
    }
    return ok_answer();
}

static cJSON *verb_fault(struct daemon *d, const cJSON *request)
{
    const cJSON *one, *faults = cJSON_GetObjectItem(request, "faults");
    uint32_t bits = 0;
    bool processor = false;

    cJSON_ArrayForEach(one, faults)
    {
        if (cJSON_IsString(one) && strcmp(one->valuestring, "csum") == 0)
            bits |= FLUE_FAULT_CSUM_BIT_MASK;
        else if (cJSON_IsString(one) && strcmp(one->valuestring, "lso-seq") == 0)
            bits |= FLUE_FAULT_LSO_SEQ_MASK;
        else if (cJSON_IsString(one) && strcmp(one->valuestring, "place") == 0)
            bits |= FLUE_FAULT_PLACE_MASK;
        else if (cJSON_IsString(one) && strcmp(one->valuestring, "processor") == 0)
            processor = true;
        else
            return error_answer("a fault is csum, lso-seq, place or processor");
    }
    if (processor) {
        const char *wrong = offload_trap(d->offload);
        if (wrong != NULL || bits == 0) /* it says nothing of the others */
            return wrong != NULL ? error_answer(wrong) : ok_answer();
    }
    return flue_fault_set(d->adapter, bits) == FLUE_OK ? ok_answer() : error_answer("this adapter was built without faults");
}

static cJSON *verb_log(struct daemon *d, const cJSON *request)
{
    const cJSON *level = cJSON_GetObjectItem(request, "level");

    (void)d;
    if (level != NULL && (!cJSON_IsString(level) || !log_level_find(level->valuestring, &log_level)))
        return error_answer("the level is error, warn, info or debug");
    cJSON *answer = ok_answer();
    cJSON_AddStringToObject(answer, "level", log_level_name(log_level));
    return answer;
}

static cJSON *verb_reset(struct daemon *d, const cJSON *request)
{
    (void)request;
    if (daemon_reset(d) != FLUE_OK)
        return error_answer("the reset failed");
    log_line(LOG_INFO, "adapter was reset");
    return ok_answer();
}

static cJSON *verb_stop(struct daemon *d, const cJSON *request)
{
    (void)request;
    d->stop = true;
    return ok_answer();
}

static cJSON *answer_to(struct daemon *d, const char *line)
{
    static const struct {
        const char *verb;
        cJSON *(*answer)(struct daemon *d, const cJSON *request);
    } verbs[] = {{"caps", verb_caps},   {"set", verb_set},         {"stat", verb_stat},
                 {"pcap", verb_pcap},   {"wire", verb_wire},       {"fault", verb_fault},
                 {"log", verb_log},     {"reset", verb_reset},     {"stop", verb_stop},
                 {"oid", verb_oid},     {"objects", verb_objects}, {"offload", verb_offload},
                 {"adopt", verb_adopt}, {"move", verb_move},       {"connections", verb_connections}};
    cJSON *request = cJSON_Parse(line), *answer = NULL;
    const cJSON *verb = cJSON_GetObjectItem(request, "verb");

    if (!cJSON_IsString(verb))
        answer = error_answer("a request is a JSON object with a verb");
    for (size_t i = 0; answer == NULL && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verb->valuestring, verbs[i].verb) == 0)
            answer = verbs[i].answer(d, request);
    if (answer == NULL)
        answer = error_answer("there is no such verb");
    cJSON_Delete(request);
    return answer;
}

/* ---- socket ------------------------------------------------------------------------------------------------------ */

/* A socket of a daemon that is gone may be replaced; one that answers may not. */
static bool socket_is_stale(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return refused;
}

int control_listen(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = -1;

    if (strlen(path) >= sizeof address.sun_path) {
        log_line(LOG_ERROR, "--socket: '%s' is longer than %zu characters", path, sizeof address.sun_path - 1);
        return -1;
    }
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        goto failed;
    mode_t mask = umask(0077);
    int bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    if (bound != 0 && errno == EADDRINUSE && socket_is_stale(&address)) {
        unlink(path);
        bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    }
    umask(mask);
    if (bound != 0 || listen(fd, BACKLOG) != 0)
        goto failed;
    return fd;
failed:
    log_line(LOG_ERROR, "--socket: %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

struct client *control_accept(struct daemon *d)
{
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->passed_fd = -1;
    client->fd = accept4(d->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client->fd >= 0)
        return client;
    free(client);
    return NULL;
}

int control_fd(const struct client *client)
{
    return client->fd;
}

/* A line, with a descriptor beside it (-1: none). */
static bool send_with(int to, char *text, size_t len, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec iov = {text, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd >= 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    return sendmsg(to, &msg, MSG_NOSIGNAL) == (ssize_t)len;
}

/* Bytes into the client's line; a descriptor that came along becomes its newest. */
static ssize_t receive_with(struct client *client)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {client->line + client->len_bytes, sizeof client->line - 1 - client->len_bytes};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(client->fd, &msg, MSG_CMSG_CLOEXEC);

    for (struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL; c != NULL; c = CMSG_NXTHDR(&msg, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            if (client->passed_fd >= 0)
                close(client->passed_fd);
            memcpy(&client->passed_fd, CMSG_DATA(c), sizeof(int));
        }
    return n;
}

/* The answer fits a socket buffer; a client that does not read is dropped. */
static bool reply(const struct client *client, cJSON *answer, int fd)
{
    char *text = cJSON_PrintUnformatted(answer);
    bool sent = false;

    cJSON_Delete(answer);
    if (text != NULL) {
        size_t len = strlen(text);
        text[len] = '\n'; /* in the terminator's place: the length is counted */
        sent = send_with(client->fd, text, len + 1, fd);
    }
    cJSON_free(text);
    return sent;
}

static bool gone(struct client *client)
{
    close(client->fd);
    if (client->passed_fd >= 0)
        close(client->passed_fd);
    free(client);
    return false;
}

void control_drop(struct client *client)
{
    gone(client);
}

bool control_serve(struct daemon *d, struct client *client)
{
    ssize_t n = receive_with(client);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0)
        return gone(client);
    client->len_bytes += (size_t)n;
    client->line[client->len_bytes] = '\0';

    char *end;
    while ((end = memchr(client->line, '\n', client->len_bytes)) != NULL) {
        *end = '\0';
        d->passed_fd = client->passed_fd;
        d->answer_fd = -1;
        cJSON *answer = answer_to(d, client->line);
        client->passed_fd = d->passed_fd; /* -1: the verb took it */
        bool sent = reply(client, answer, d->answer_fd);
        if (d->answer_fd >= 0)
            close(d->answer_fd);
        if (!sent)
            return gone(client);
        size_t used = (size_t)(end + 1 - client->line);
        memmove(client->line, end + 1, client->len_bytes - used);
        client->len_bytes -= used;
    }
    if (client->len_bytes == sizeof client->line - 1)
        return gone(client); /* a line without end */
    return true;
}
