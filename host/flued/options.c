/* Command line of flued. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "flued.h"

#define WIDTH_DEFAULT 128u
#define MTU_DEFAULT   1500u
#define IDLE_MAX_S    86400u
#define MTU_MIN       576u
#define MTU_MAX       9000u

static const char usage[] =
    "usage: flued [options]\n"
    "\n"
    "Joins a simulated adapter to Linux: one interface is the host that uses the adapter, a second one is\n"
    "the far end of the adapter's wire.  Runs in the foreground until SIGINT, SIGTERM or `flue stop`.\n"
    "\n"
    "Interfaces\n"
    "  --tap NAME              the host's interface [flue0]\n"
    "  --netns NS              network namespace of it: a name of `ip netns`, or a path\n"
    "  --address A/P           address of it, IPv4 or IPv6; may be repeated\n"
    "  --wire-tap NAME[@NS]    the far end's interface, without any offload [fluew0]\n"
    "  --wire-address A/P      address of it; may be repeated\n"
    "  --mtu N                 of both [1500]\n"
    "\n"
    "Adapter\n"
    "  --width N               data width in bits: 32, 64 or 128 [128]\n"
    "  --set SWITCH=VALUE      as `flue caps --set`; may be repeated\n"
    "  --settings FILE         standardized keywords, such as *LsoV2IPv4 = 0; read at start, kept when they change\n"
    "  --fault csum|lso-seq|place  break the RTL on purpose\n"
    "  --offload-after BYTES   an adopted connection moves into the adapter by itself after so many in the kernel [never]\n"
    "  --upload-idle SECONDS   and back after so long without one [never]\n"
    "\n"
    "Wire and simulator\n"
    "  --wire-tx TEXT          impairments away from the host, such as drop=0.01,reorder=0.01,delay=200us\n"
    "  --wire-rx TEXT          impairments towards the host\n"
    "  --seed N                of all randomness [drawn, and printed]\n"
    "  --pcap FILE             capture of every port (pcapng)\n"
    "  --record FILE           every input of the adapter, for `flue replay`\n"
    "  --fst FILE              waves (slow)\n"
    "  --model-dir DIR         where the adapter's models are\n"
    "\n"
    "  --socket PATH           control socket [$FLUE_SOCKET, else /run/flued.sock]\n"
    "  --log-level LEVEL       error, warn, info or debug [info]\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 stopped as told; 1 could not run; 2 bad option; 3 a simulation monitor was violated.\n";

enum {
    OPT_TAP = 256,
    OPT_NETNS,
    OPT_ADDRESS,
    OPT_WIRE_TAP,
    OPT_WIRE_ADDRESS,
    OPT_MTU,
    OPT_WIDTH,
    OPT_SET,
    OPT_SETTINGS,
    OPT_FAULT,
    OPT_OFFLOAD_AFTER,
    OPT_UPLOAD_IDLE,
    OPT_WIRE_TX,
    OPT_WIRE_RX,
    OPT_SEED,
    OPT_PCAP,
    OPT_RECORD,
    OPT_FST,
    OPT_MODEL_DIR,
    OPT_SOCKET,
    OPT_LOG_LEVEL,
    OPT_HELP,
    OPT_VERSION
};

static const struct option long_options[] = {
    {"tap", required_argument, NULL, OPT_TAP},
    {"netns", required_argument, NULL, OPT_NETNS},
    {"address", required_argument, NULL, OPT_ADDRESS},
    {"wire-tap", required_argument, NULL, OPT_WIRE_TAP},
    {"wire-address", required_argument, NULL, OPT_WIRE_ADDRESS},
    {"mtu", required_argument, NULL, OPT_MTU},
    {"width", required_argument, NULL, OPT_WIDTH},
    {"set", required_argument, NULL, OPT_SET},
    {"settings", required_argument, NULL, OPT_SETTINGS},
    {"fault", required_argument, NULL, OPT_FAULT},
    {"offload-after", required_argument, NULL, OPT_OFFLOAD_AFTER},
    {"upload-idle", required_argument, NULL, OPT_UPLOAD_IDLE},
    {"wire-tx", required_argument, NULL, OPT_WIRE_TX},
    {"wire-rx", required_argument, NULL, OPT_WIRE_RX},
    {"seed", required_argument, NULL, OPT_SEED},
    {"pcap", required_argument, NULL, OPT_PCAP},
    {"record", required_argument, NULL, OPT_RECORD},
    {"fst", required_argument, NULL, OPT_FST},
    {"model-dir", required_argument, NULL, OPT_MODEL_DIR},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

const char *setting_name(enum flue_switch sw, uint8_t way)
{
    static const char *const directed[] = {"off", "tx", "rx", "both"};
    if (way > FLUE_WAY_BOTH)
        return "?";
    return flue_switch_has_direction(sw) ? directed[way] : way == FLUE_WAY_OFF ? "off" : "on";
}

const char *setting_read(struct flue_config *request, const char *name, const char *value)
{
    static _Thread_local char text[128];
    enum flue_switch sw;

    if (flue_switch_find(name, &sw) != FLUE_OK) {
        snprintf(text, sizeof text, "there is no switch '%.40s'", name);
        return text;
    }
    bool directed = flue_switch_has_direction(sw);
    if (strcmp(value, "off") == 0)
        request->way[sw] = FLUE_WAY_OFF;
    else if (strcmp(value, "on") == 0)
        request->way[sw] = directed ? FLUE_WAY_BOTH : FLUE_WAY_ON;
    else if (directed && strcmp(value, "both") == 0)
        request->way[sw] = FLUE_WAY_BOTH;
    else if (directed && strcmp(value, "tx") == 0)
        request->way[sw] = FLUE_WAY_TX;
    else if (directed && strcmp(value, "rx") == 0)
        request->way[sw] = FLUE_WAY_RX;
    else {
        snprintf(text, sizeof text, "%.40s is %s, not '%.40s'", name, directed ? "off, tx, rx or both" : "on or off", value);
        return text;
    }
    return NULL;
}

static bool number_read(const char *text, unsigned long long min, unsigned long long max, unsigned long long *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 0);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *value >= min && *value <= max;
}

__attribute__((format(printf, 1, 2))) static int refuse(const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "flued: %s\nTry 'flued --help'.\n", text);
    return 2;
}

static int address_add(struct end_options *end, const char *option, char *address)
{
    if (end->address_count == ADDRESSES_MAX)
        return refuse("%s: more than %u addresses", option, ADDRESSES_MAX);
    if (strchr(address, '/') == NULL)
        return refuse("%s: '%s' lacks its prefix length, as in 192.0.2.1/24", option, address);
    end->address[end->address_count++] = address;
    return -1;
}

static int fault_read(struct options *o, const char *name)
{
    if (strcmp(name, "csum") == 0)
        o->fault |= FLUE_FAULT_CSUM_BIT_MASK;
    else if (strcmp(name, "lso-seq") == 0)
        o->fault |= FLUE_FAULT_LSO_SEQ_MASK;
    else if (strcmp(name, "place") == 0)
        o->fault |= FLUE_FAULT_PLACE_MASK;
    else
        return refuse("--fault: '%s' is not csum, lso-seq or place", name);
    return -1;
}

static int set_read(struct options *o, char *text)
{
    char *equals = strchr(text, '=');
    if (equals == NULL)
        return refuse("--set: '%s' is not SWITCH=VALUE", text);
    *equals = '\0';
    const char *wrong = setting_read(&o->settings, text, equals + 1);
    return wrong != NULL ? refuse("--set: %s", wrong) : -1;
}

/* One option; -1 to go on, else the exit status. */
static int option_apply(struct options *o, int option, char *arg)
{
    unsigned long long n;

    switch (option) {
    case OPT_TAP:
        o->host.name = arg;
        return -1;
    case OPT_NETNS:
        o->host.netns = arg;
        return -1;
    case OPT_ADDRESS:
        return address_add(&o->host, "--address", arg);
    case OPT_WIRE_ADDRESS:
        return address_add(&o->wire, "--wire-address", arg);
    case OPT_WIRE_TAP: {
        char *at = strchr(arg, '@');
        if (at != NULL) {
            *at = '\0';
            o->wire.netns = at + 1;
        }
        o->wire.name = arg;
        return -1;
    }
    case OPT_MTU:
        if (!number_read(arg, MTU_MIN, MTU_MAX, &n))
            return refuse("--mtu: '%s' is not a number from %u to %u", arg, MTU_MIN, MTU_MAX);
        o->mtu_bytes = (unsigned)n;
        return -1;
    case OPT_WIDTH:
        if (!number_read(arg, 32, 128, &n) || (n != 32 && n != 64 && n != 128))
            return refuse("--width: '%s' is not 32, 64 or 128", arg);
        o->sim.width = (unsigned)n;
        return -1;
    case OPT_SEED:
        if (!number_read(arg, 1, UINT64_MAX, &n))
            return refuse("--seed: '%s' is not a number from 1", arg);
        o->sim.seed = n;
        return -1;
    case OPT_SET:
        return set_read(o, arg);
    case OPT_SETTINGS:
        o->settings_path = arg;
        return -1;
    case OPT_FAULT:
        return fault_read(o, arg);
    case OPT_OFFLOAD_AFTER:
        if (!number_read(arg, 1, UINT64_MAX, &n))
            return refuse("--offload-after: '%s' is not a number of bytes from 1", arg);
        o->offload_after = n;
        return -1;
    case OPT_UPLOAD_IDLE:
        if (!number_read(arg, 1, IDLE_MAX_S, &n))
            return refuse("--upload-idle: '%s' is not a number of seconds from 1 to %u", arg, IDLE_MAX_S);
        o->upload_idle_us = n * 1000000u;
        return -1;
    case OPT_WIRE_TX:
        o->sim.wire_tx = arg;
        return -1;
    case OPT_WIRE_RX:
        o->sim.wire_rx = arg;
        return -1;
    case OPT_PCAP:
        o->sim.pcap_path = arg;
        return -1;
    case OPT_RECORD:
        o->sim.log_path = arg;
        return -1;
    case OPT_FST:
        o->sim.fst_path = arg;
        return -1;
    case OPT_MODEL_DIR:
        o->sim.model_dir = arg;
        return -1;
    case OPT_SOCKET:
        o->socket_path = arg;
        return -1;
    case OPT_LOG_LEVEL:
        return log_level_find(arg, &log_level) ? -1 : refuse("--log-level: '%s' is not error, warn, info or debug", arg);
    case OPT_HELP:
        fputs(usage, stdout);
        return 0;
    case OPT_VERSION:
        printf("flued, contract %u.%u\n", FLUE_CONTRACT_MAJOR, FLUE_CONTRACT_MINOR);
        return 0;
    }
    return 2;
}

int options_read(struct options *o, int argc, char **argv)
{
    const char *socket_path = getenv("FLUE_SOCKET");

    *o = (struct options){.host = {.name = "flue0"}, .wire = {.name = "fluew0"}, .mtu_bytes = MTU_DEFAULT};
    o->socket_path = socket_path != NULL ? socket_path : "/run/flued.sock";
    flue_sim_config_init(&o->sim);
    o->sim.width = WIDTH_DEFAULT;
    o->sim.mode = FLUE_SIM_LIVE;
    flue_config_keep(&o->settings);
    opterr = 0;
    for (;;) {
        int option = getopt_long(argc, argv, ":", long_options, NULL);
        if (option == -1)
            break;
        if (option == '?')
            return refuse("there is no option '%s'", argv[optind - 1]);
        if (option == ':')
            return refuse("%s needs a value", argv[optind - 1]);
        int status = option_apply(o, option, optarg);
        if (status >= 0)
            return status;
    }
    if (optind < argc)
        return refuse("'%s' is not an option", argv[optind]);
    return -1;
}
