/*
 * The verb caps: what the adapter can and does, as OIDs report it; changed by OID_TCP_OFFLOAD_PARAMETERS.
 *
 * A few switches have no published name (tags in the out-of-band block, counting of identifications, what is verified behind
 * options): those are the driver's own settings, and so are the adapter's identity and what Linux sees.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "flue/core.h"
#include "flue/ndis/offload.h"
#include "flue/ndis/oid.h"

#define PLACE(member) offsetof(NDIS_OFFLOAD_PARAMETERS, member)

/* Switches that an OID has a parameter for. */
static const struct published {
    enum flue_switch sw;
    size_t parameter;
} published[] = {
    {FLUE_SW_IP4_CSUM, PLACE(IPv4Checksum)},     {FLUE_SW_TCP4_CSUM, PLACE(TCPIPv4Checksum)},
    {FLUE_SW_UDP4_CSUM, PLACE(UDPIPv4Checksum)}, {FLUE_SW_TCP6_CSUM, PLACE(TCPIPv6Checksum)},
    {FLUE_SW_UDP6_CSUM, PLACE(UDPIPv6Checksum)}, {FLUE_SW_LSO_V1, PLACE(LsoV1)},
    {FLUE_SW_LSO_V2_IPV4, PLACE(LsoV2IPv4)},     {FLUE_SW_LSO_V2_IPV6, PLACE(LsoV2IPv6)},
};

/* ---- reports ----------------------------------------------------------------------------------------------------- */

static const char *directions(unsigned tx, unsigned rx)
{
    static const char *const names[] = {"off", "tx", "rx", "both"};
    return names[(tx == NDIS_OFFLOAD_SUPPORTED ? 1 : 0) + (rx == NDIS_OFFLOAD_SUPPORTED ? 2 : 0)];
}

static const char *reported(const NDIS_OFFLOAD *o, enum flue_switch sw)
{
    const NDIS_TCP_IP_CHECKSUM_OFFLOAD *s = &o->Checksum;
    uint32_t framings;

    switch (sw) {
    case FLUE_SW_IP4_CSUM:
        return directions(s->IPv4Transmit.IpChecksum, s->IPv4Receive.IpChecksum);
    case FLUE_SW_TCP4_CSUM:
        return directions(s->IPv4Transmit.TcpChecksum, s->IPv4Receive.TcpChecksum);
    case FLUE_SW_UDP4_CSUM:
        return directions(s->IPv4Transmit.UdpChecksum, s->IPv4Receive.UdpChecksum);
    case FLUE_SW_TCP6_CSUM:
        return directions(s->IPv6Transmit.TcpChecksum, s->IPv6Receive.TcpChecksum);
    case FLUE_SW_UDP6_CSUM:
        return directions(s->IPv6Transmit.UdpChecksum, s->IPv6Receive.UdpChecksum);
    case FLUE_SW_LSO_V1:
        framings = o->LsoV1.IPv4.Encapsulation;
        break;
    case FLUE_SW_LSO_V2_IPV4:
        framings = o->LsoV2.IPv4.Encapsulation;
        break;
    default:
        framings = o->LsoV2.IPv6.Encapsulation;
    }
    return framings != 0 ? "on" : "off";
}

static void text_set(cJSON *object, const char *name, const char *text)
{
    cJSON_DeleteItemFromObject(object, name);
    cJSON_AddStringToObject(object, name, text);
}

/* What the hardware can and what is in force, by their OIDs, into the driver's answer. */
static int report(cJSON *answer)
{
    NDIS_OFFLOAD hardware, current;
    cJSON *switches = cJSON_GetObjectItem(answer, "switches");

    int status = oid_request(false, OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, &hardware, sizeof hardware, false);
    if (status == STATUS_OK)
        status = oid_request(false, OID_TCP_OFFLOAD_CURRENT_CONFIG, &current, sizeof current, false);
    for (size_t i = 0; status == STATUS_OK && i < COUNT(published); i++) {
        cJSON *one = cJSON_GetObjectItem(switches, flue_switch_name(published[i].sw));
        if (one == NULL)
            return complain(STATUS_REFUSED, "the daemon does not know the switch %s", flue_switch_name(published[i].sw));
        text_set(one, "able", reported(&hardware, published[i].sw));
        text_set(one, "active", reported(&current, published[i].sw));
    }
    return status;
}

static double number_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static void caps_print(const cJSON *answer)
{
    const cJSON *one, *adapter = cJSON_GetObjectItem(answer, "adapter");

    printf("adapter: contract %s, %.0f bits wide, %.0f regions, frames of %.0f bytes%s\n\n", text_of(adapter, "contract"),
           number_of(adapter, "width_bits"), number_of(adapter, "regions"), number_of(adapter, "max_frame_bytes"),
           cJSON_IsTrue(cJSON_GetObjectItem(adapter, "fault_injection")) ? ", fault injection" : "");
    printf("%-14s %-6s %-6s %-6s\n", "switch", "able", "set", "active");
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(answer, "switches"))
        printf("%-14s %-6s %-6s %-6s\n", one->string, text_of(one, "able"), text_of(one, "set"), text_of(one, "active"));
    printf("\nlargest large send %.0f bytes, largest frame %.0f bytes\n\n%s, as `ethtool -k` shows it:\n",
           number_of(answer, "max_offload_bytes"), number_of(answer, "max_frame_bytes"), text_of(answer, "interface"));
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(answer, "linux")) printf("  %s: %s\n", one->string, one->valuestring);
}

/* ---- changes ----------------------------------------------------------------------------------------------------- */

struct change {
    NDIS_OFFLOAD_PARAMETERS parameters;
    cJSON *own; /* switches without an OID */
    bool any_parameter;
};

/* The value of a parameter; 0: it is none of it. */
static uint8_t value_of(enum flue_switch sw, const char *text)
{
    static const char *const sums[] = {"off", "tx", "rx", "both", "on"};

    if (!flue_switch_has_direction(sw))
        return strcmp(text, "off") == 0  ? NDIS_OFFLOAD_PARAMETERS_LSOV2_DISABLED
               : strcmp(text, "on") == 0 ? NDIS_OFFLOAD_PARAMETERS_LSOV2_ENABLED
                                         : 0;
    for (uint8_t i = 0; i < COUNT(sums); i++)
        if (strcmp(sums[i], text) == 0)
            return i == 4 ? NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED : (uint8_t)(i + NDIS_OFFLOAD_PARAMETERS_TX_RX_DISABLED);
    return 0;
}

/* One "SWITCH=VALUE"; the daemon judges the names that are not here. */
static int change_add(struct change *change, char *text)
{
    char *equals = strchr(text, '=');

    if (equals == NULL)
        return complain(STATUS_USAGE, "--set: '%s' is not SWITCH=VALUE", text);
    *equals = '\0';
    for (size_t i = 0; i < COUNT(published); i++) {
        if (strcmp(flue_switch_name(published[i].sw), text) != 0)
            continue;
        uint8_t value = value_of(published[i].sw, equals + 1);
        if (value == 0)
            return complain(STATUS_REFUSED, "%s is %s, not '%.40s'", text,
                            flue_switch_has_direction(published[i].sw) ? "off, tx, rx or both" : "on or off", equals + 1);
        ((uint8_t *)&change->parameters)[published[i].parameter] = value;
        change->any_parameter = true;
        return STATUS_OK;
    }
    if (change->own == NULL)
        change->own = cJSON_CreateObject();
    cJSON_DeleteItemFromObject(change->own, text);
    cJSON_AddStringToObject(change->own, text, equals + 1);
    return STATUS_OK;
}

static int own_set(cJSON *switches)
{
    cJSON *request = request_of("set");

    cJSON_AddItemToObject(request, "switches", switches);
    cJSON *answer = ask_raw(request);
    int status = answer_status(answer, false);
    cJSON_Delete(answer);
    return status;
}

/* What the driver's own switches were, of those that change. */
static cJSON *own_before(const cJSON *own)
{
    cJSON *answer = ask_raw(request_of("caps")), *before = cJSON_CreateObject();
    const cJSON *one, *switches = cJSON_GetObjectItem(answer, "switches");

    cJSON_ArrayForEach(one, own)
    {
        const cJSON *was = cJSON_GetObjectItem(switches, one->string);
        if (was != NULL)
            cJSON_AddStringToObject(before, one->string, text_of(was, "set"));
    }
    cJSON_Delete(answer);
    return before;
}

/* All of it or nothing; not kept over a restart of the daemon. */
static int change_apply(struct change *change)
{
    int status = STATUS_OK;
    cJSON *before = NULL;

    if (change->own != NULL) {
        before = own_before(change->own);
        status = own_set(change->own);
        change->own = NULL;
    }
    if (status == STATUS_OK && change->any_parameter) {
        change->parameters.Header = (NDIS_OBJECT_HEADER){.Type = NDIS_OBJECT_TYPE_DEFAULT,
                                                         .Revision = NDIS_OFFLOAD_PARAMETERS_REVISION_6,
                                                         .Size = NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_6};
        change->parameters.Flags = NDIS_OFFLOAD_PARAMETERS_SKIP_REGISTRY_UPDATE;
        status = oid_request(true, OID_TCP_OFFLOAD_PARAMETERS, &change->parameters, change->parameters.Header.Size, false);
        if (status != STATUS_OK && before != NULL && before->child != NULL) {
            (void)own_set(before);
            before = NULL;
        }
    }
    cJSON_Delete(before);
    return status;
}

int verb_caps(int argc, char **argv)
{
    static const struct option options[] = {{"set", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
    struct change change = {.own = NULL};
    int option, status = STATUS_OK;

    while (status == STATUS_OK && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
        status = option == 's' ? change_add(&change, optarg) : STATUS_USAGE;
    if (status == STATUS_OK && optind < argc)
        status = complain(STATUS_USAGE, "caps: '%s' is not an option", argv[optind]);
    if (status == STATUS_OK)
        status = change_apply(&change);
    cJSON_Delete(change.own);
    if (status != STATUS_OK)
        return status;
    cJSON *answer = ask_raw(request_of("caps"));
    status = answer_status(answer, false);
    if (status == STATUS_OK)
        status = report(answer);
    if (status == STATUS_OK && json)
        json_print(answer);
    else if (status == STATUS_OK)
        caps_print(answer);
    cJSON_Delete(answer);
    return status;
}
