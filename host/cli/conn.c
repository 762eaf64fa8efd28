/* The verb conn: run-time parameters of connections, and what is offloaded. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "cli.h"
#include "flue/ndis/offload.h"
#include "flue/ndis/oid.h"

#define WATCH_MAX_S 3600u

static const struct {
    const char *name;
    size_t at;
    bool byte;
} runtime[] = {
#define RUNTIME(member, is_byte)                                                                                               \
    {                                                                                                                          \
#member, offsetof(NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS, member), is_byte                                             \
    }
    RUNTIME(TicksPerSecond, false),
    RUNTIME(TcpAckFrequency, true),
    RUNTIME(TcpDelayedAckTicks, true),
    RUNTIME(TcpMaximumRetransmissions, true),
    RUNTIME(TcpDoubtReachabilityRetransmissions, true),
    RUNTIME(TcpSwsPreventionTicks, false),
    RUNTIME(TcpDuplicateAckThreshold, false),
    RUNTIME(TcpPushTicks, false),
    RUNTIME(NceStaleTicks, false),
};

/* "NAME=VALUE" into the structure; null, or what is wrong. */
static const char *runtime_read(NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS *p, char *text)
{
    static char wrong[160];
    char *equals = strchr(text, '='), *end;

    if (equals == NULL) {
        snprintf(wrong, sizeof wrong, "'%.60s' is not NAME=VALUE", text);
        return wrong;
    }
    *equals = '\0';
    unsigned long long value = strtoull(equals + 1, &end, 10);
    for (size_t i = 0; i < COUNT(runtime); i++) {
        uint8_t *at = (uint8_t *)p + runtime[i].at;
        uint64_t largest = runtime[i].byte ? UINT8_MAX : UINT32_MAX;
        if (strcasecmp(runtime[i].name, text) != 0)
            continue;
        if (equals[1] < '0' || equals[1] > '9' || *end != '\0' || strlen(equals + 1) > 10 || value > largest) {
            snprintf(wrong, sizeof wrong, "%s is a number from 0 to %" PRIu64 ", not '%.40s'", runtime[i].name, largest,
                     equals + 1);
            return wrong;
        }
        if (runtime[i].byte)
            *at = (uint8_t)value;
        else
            memcpy(at, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
        return NULL;
    }
    snprintf(wrong, sizeof wrong, "there is no run-time parameter '%.60s'", text);
    return wrong;
}

static void runtime_report(cJSON *to, const NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS *p)
{
    for (size_t i = 0; i < COUNT(runtime); i++) {
        uint32_t value = 0;
        memcpy(&value, (const uint8_t *)p + runtime[i].at, runtime[i].byte ? 1 : 4);
        cJSON_AddNumberToObject(to, runtime[i].name, value);
    }
}

static int number_of(const cJSON *object, const char *name)
{
    return (int)cJSON_GetNumberValue(cJSON_GetObjectItem(object, name));
}

/* "192.0.2.1:443", "[2001:db8::1]:443", "02:00:00:00:00:01"; port < 0: none. */
static const char *end_text(char text[80], const char *address, int port)
{
    bool ipv6 = strchr(address, '.') == NULL;

    if (port < 0)
        snprintf(text, 80, "%s", address);
    else if (address[0] == '\0')
        snprintf(text, 80, "?:%d", port);
    else
        snprintf(text, 80, ipv6 ? "[%s]:%d" : "%s:%d", address, port);
    return text;
}

/* What the object connects, local end first. */
static void ends_print(const cJSON *object)
{
    bool ports = cJSON_GetObjectItem(object, "local_port") != NULL;
    char here[80], there[80];

    if (!ports && cJSON_GetObjectItem(object, "source") == NULL) {
        puts("-");
        return;
    }
    printf("%s -> %s", end_text(here, text_of(object, "source"), ports ? number_of(object, "local_port") : -1),
           end_text(there, text_of(object, "destination"), ports ? number_of(object, "remote_port") : -1));
    if (number_of(object, "vlan") > 0)
        printf(", VLAN %d", number_of(object, "vlan"));
    putchar('\n');
}

static double value_of(const cJSON *object, const char *name)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(object, name));
}

/* "1.2 M", "0": bytes or bits a second, in five characters. */
static const char *short_text(char text[16], double value)
{
    static const char unit[] = " kMG";
    unsigned u = 0;
    for (; value >= 9999.5 && unit[u + 1] != '\0'; u++)
        value /= 1000;
    snprintf(text, 16, u == 0 ? "%.0f" : "%.0f %c", value, unit[u]);
    return text;
}

/* Adopted connections: where each is, and how it does there. */
static void adopted_print(const cJSON *list)
{
    char out[16], in[16], rcv[16], snd[16], cwnd[16];
    const cJSON *one;

    printf("%-3s %-7s %-11s %-22s %-22s %8s %8s %8s %8s %8s %8s %5s %5s\n", "id", "where", "state", "local", "remote",
           "out b/s", "in b/s", "rcv wnd", "snd wnd", "cwnd", "RTT, ms", "again", "moves");
    cJSON_ArrayForEach(one, list) printf(
        "%-3d %-7s %-11s %-22s %-22s %8s %8s %8s %8s %8s %8.1f %5.0f %5d\n", number_of(one, "id"), text_of(one, "where"),
        text_of(one, "state"), text_of(one, "local"), text_of(one, "remote"), short_text(out, 1000 * value_of(one, "out_kbps")),
        short_text(in, 1000 * value_of(one, "in_kbps")), short_text(rcv, value_of(one, "rcv_wnd")),
        short_text(snd, value_of(one, "snd_wnd")), short_text(cwnd, value_of(one, "cwnd")), value_of(one, "srtt_us") / 1000,
        value_of(one, "again"), number_of(one, "moves_in") + number_of(one, "moves_out"));
    if (cJSON_GetArraySize(list) == 0)
        puts("(no connection was adopted)");
}

static void conn_print(const cJSON *answer)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, cJSON_GetObjectItem(answer, "parameters")) printf("%-36s %.0f\n", one->string, one->valuedouble);
    putchar('\n');
    adopted_print(cJSON_GetObjectItem(answer, "connections"));
    printf("\n%-20s %-8s %-20s %4s  %s\n", "handle", "state", "parent", "deps", "addresses and ports");
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(answer, "objects"))
    {
        printf("%-20s %-8s %-20s %4d  ", text_of(one, "handle"), text_of(one, "state"), text_of(one, "parent"),
               number_of(one, "dependents"));
        ends_print(one);
    }
}

/* The adopted connections again and again, until the daemon is gone or the user has enough. */
static int watch(unsigned seconds)
{
    int status = STATUS_OK;
    while (status == STATUS_OK) {
        cJSON *answer = ask_raw(request_of("connections"));
        status = answer_status(answer, false);
        if (status == STATUS_OK && json) {
            json_print(answer);
        } else if (status == STATUS_OK) {
            if (isatty(STDOUT_FILENO))
                fputs("\033[H\033[J", stdout);
            adopted_print(cJSON_GetObjectItem(answer, "connections"));
        }
        fflush(stdout);
        cJSON_Delete(answer);
        if (status == STATUS_OK)
            sleep(seconds);
    }
    return status;
}

int verb_conn(int argc, char **argv)
{
    static const struct option options[] = {
        {"set", required_argument, NULL, 's'}, {"watch", optional_argument, NULL, 'w'}, {NULL, 0, NULL, 0}};
    NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS p;
    char *sets[COUNT(runtime)];
    unsigned set_count = 0;
    int option;

    unsigned long every_s = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'w') {
            char *end = NULL;
            every_s = optarg == NULL ? 1 : strtoul(optarg, &end, 10);
            if (end != NULL && (*end != '\0' || every_s == 0 || every_s > WATCH_MAX_S))
                return complain(STATUS_USAGE, "--watch: '%s' is not a number of seconds from 1 to %u", optarg, WATCH_MAX_S);
            continue;
        }
        if (option != 's')
            return STATUS_USAGE;
        if (set_count == COUNT(sets))
            return complain(STATUS_USAGE, "conn: more than %zu settings", COUNT(sets));
        sets[set_count++] = optarg;
    }
    if (optind < argc)
        return complain(STATUS_USAGE, "conn: '%s' is not an option", argv[optind]);
    if (every_s > 0)
        return set_count > 0 ? complain(STATUS_USAGE, "conn: --set and --watch do not go together") : watch((unsigned)every_s);
    int status = oid_request(false, OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, &p, sizeof p, false);
    for (unsigned i = 0; status == STATUS_OK && i < set_count; i++) {
        const char *wrong = runtime_read(&p, sets[i]);
        if (wrong != NULL)
            return complain(STATUS_USAGE, "--set: %s", wrong);
    }
    if (status == STATUS_OK && set_count > 0) {
        p.Header = (NDIS_OBJECT_HEADER){.Type = NDIS_OBJECT_TYPE_DEFAULT,
                                        .Revision = NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS_1,
                                        .Size = NDIS_SIZEOF_TCP_CONNECTION_OFFLOAD_PARAMETERS_REVISION_1};
        status = oid_request(true, OID_TCP_CONNECTION_OFFLOAD_PARAMETERS, &p, p.Header.Size, false);
    }
    if (status != STATUS_OK)
        return status;
    cJSON *answer = ask_raw(request_of("objects"));
    status = answer_status(answer, false);
    if (status == STATUS_OK) {
        runtime_report(cJSON_AddObjectToObject(answer, "parameters"), &p);
        cJSON *adopted = ask_raw(request_of("connections"));
        cJSON *list = cJSON_DetachItemFromObject(adopted, "connections");
        cJSON_AddItemToObject(answer, "connections", list != NULL ? list : cJSON_CreateArray());
        cJSON_Delete(adopted);
        if (json)
            json_print(answer);
        else
            conn_print(answer);
    }
    cJSON_Delete(answer);
    return status;
}
