/* Verbs of the control plane: OID requests, offloaded objects, PAUSE and RESUME, the management processor. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "control.h"
#include "flue/ndis/oid.h"

#define OID_BYTES_MAX 1024u

/* ---- OID requests ------------------------------------------------------------------------------------------------ */

/* Bytes of a text of hex digits; false when it is none or too long. */
static bool hex_read(const char *text, uint8_t *data, size_t cap, uint32_t *len)
{
    *len = 0;
    for (; text[0] != '\0'; text += 2) {
        unsigned byte;
        if (*len == cap || !isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
            sscanf(text, "%2x", &byte) != 1)
            return false;
        data[(*len)++] = (uint8_t)byte;
    }
    return true;
}

cJSON *verb_oid(struct daemon *d, const cJSON *request)
{
    const cJSON *type = cJSON_GetObjectItem(request, "type"), *name = cJSON_GetObjectItem(request, "oid");
    const cJSON *data = cJSON_GetObjectItem(request, "data"), *wanted = cJSON_GetObjectItem(request, "length");
    uint8_t buffer[OID_BYTES_MAX] = {0};
    char hex[2 * OID_BYTES_MAX + 1] = "";
    uint32_t oid, length = 0, done = 0;

    if (!cJSON_IsString(type) || (strcmp(type->valuestring, "query") != 0 && strcmp(type->valuestring, "set") != 0))
        return error_answer("oid: its type is query or set");
    bool set = strcmp(type->valuestring, "set") == 0;
    if (!cJSON_IsString(name) || !flue_ndis_oid_find(name->valuestring, &oid))
        return error_answer("oid: there is no such OID");
    if (set && (!cJSON_IsString(data) || !hex_read(data->valuestring, buffer, sizeof buffer, &length)))
        return error_answer("oid: the data of a set are hex digits, two a byte");
    if (!set) {
        if (!cJSON_IsNumber(wanted) || !(wanted->valuedouble >= 0 && wanted->valuedouble <= OID_BYTES_MAX))
            return error_answer("oid: a query needs the length of its buffer");
        length = (uint32_t)wanted->valuedouble;
    }
    NDIS_STATUS status = offload_oid(d->offload, set, oid, buffer, length, &done);
    bool good = status == NDIS_STATUS_SUCCESS || status == NDIS_STATUS_PENDING;
    cJSON *answer = good ? ok_answer() : error_answer(flue_ndis_status_name(status));
    cJSON_AddStringToObject(answer, "status", flue_ndis_status_name(status));
    for (uint32_t i = 0; i < done; i++)
        snprintf(hex + 2 * i, 3, "%02x", buffer[i]);
    if (good && !set)
        cJSON_AddStringToObject(answer, "data", hex);
    return answer;
}

/* ---- offloaded objects ------------------------------------------------------------------------------------------- */

static void handle_add(cJSON *to, const char *name, uint32_t handle)
{
    static const char *const kinds[] = {"?", "neighbor", "path", "connection"};
    char text[40] = "-";

    if (handle != 0)
        snprintf(text, sizeof text, "%s/%u/%u", kinds[handle >> FLUE_HANDLE_KIND_SHIFT],
                 (unsigned)((handle & FLUE_HANDLE_GENERATION_MASK) >> FLUE_HANDLE_GENERATION_SHIFT),
                 (unsigned)(handle & FLUE_HANDLE_INDEX_MASK));
    cJSON_AddStringToObject(to, name, text);
}

static const char *row_state(enum flue_row_state state)
{
    switch (state) {
#define X(name, value, text)                                                                                                   \
    case FLUE_ROW_##name:                                                                                                      \
        return #name;
        FLUE_ROW_LIST(X)
#undef X
    default:
        return "?";
    }
}

static void mac_add(cJSON *to, const char *name, const uint8_t mac[6])
{
    char text[18];

    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    cJSON_AddStringToObject(to, name, text);
}

static void address_add(cJSON *to, const char *name, const uint8_t address[16], bool ipv6)
{
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(ipv6 ? AF_INET6 : AF_INET, address, text, sizeof text);
    cJSON_AddStringToObject(to, name, text);
}

/* The object's own part of the key. */
static void key_add(cJSON *to, const struct flue_object *object)
{
    if (!object->key)
        return;
    switch (object->layer) {
    case FLUE_LAYER_NEIGHBOR:
        mac_add(to, "source", object->source_mac);
        mac_add(to, "destination", object->target_mac);
        add_number(to, "vlan", object->vlan_id);
        break;
    case FLUE_LAYER_PATH:
        address_add(to, "source", object->local, object->ipv6);
        address_add(to, "destination", object->remote, object->ipv6);
        break;
    default:
        add_number(to, "local_port", object->local_port);
        add_number(to, "remote_port", object->remote_port);
    }
}

/* Paths come before their connections: the addresses of one are those of the path with its parent's handle. */
static void path_addresses(const cJSON *list, cJSON *to)
{
    const char *parent = cJSON_GetStringValue(cJSON_GetObjectItem(to, "parent"));
    const cJSON *one, *source, *destination;

    cJSON_ArrayForEach(one, list)
    {
        source = cJSON_GetObjectItem(one, "source");
        destination = cJSON_GetObjectItem(one, "destination");
        if (source == NULL || strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(one, "handle")), parent) != 0)
            continue;
        cJSON_AddStringToObject(to, "source", source->valuestring);
        cJSON_AddStringToObject(to, "destination", destination->valuestring);
        return;
    }
}

static void object_add(void *ctx, const struct flue_object *object)
{
    cJSON *one = cJSON_CreateObject();

    handle_add(one, "handle", object->handle);
    handle_add(one, "parent", object->parent);
    add_number(one, "dependents", object->dependents);
    cJSON_AddStringToObject(one, "state", object->corrupt ? "CORRUPT" : row_state(object->state));
    if (object->invalidated)
        cJSON_AddBoolToObject(one, "invalidated", true);
    key_add(one, object);
    if (object->layer == FLUE_LAYER_TCP)
        path_addresses(ctx, one);
    cJSON_AddItemToArray(ctx, one);
}

cJSON *verb_objects(struct daemon *d, const cJSON *request)
{
    cJSON *answer = ok_answer();

    (void)request;
    const char *wrong = offload_list(d->offload, object_add, cJSON_AddArrayToObject(answer, "objects"));
    if (wrong == NULL)
        return answer;
    cJSON_Delete(answer);
    return error_answer(wrong);
}

/* ---- processor and phase ------------------------------------------------------------------------------------------- */

void add_processor(const struct daemon *d, cJSON *answer)
{
    static const char *const operations[FLUE_TREE_OPS] = {"initiates", "queries", "updates", "invalidates", "terminates"};
    struct offload_state s;

    if (!offload_state(d->offload, &s))
        return;
    cJSON *processor = cJSON_AddObjectToObject(answer, "processor"), *outstanding;
    add_number(processor, "runs", s.runs);
    add_number(processor, "traps", s.traps);
    add_number(processor, "stops", s.stops);
    add_number(processor, "restarts", s.restarts);
    if (s.traps > 0) {
        char pc[16];
        snprintf(pc, sizeof pc, "0x%08" PRIx32, s.trap_pc);
        add_number(processor, "trap_cause", s.trap_cause);
        cJSON_AddStringToObject(processor, "trap_address", pc);
    }
    cJSON_AddStringToObject(processor, "phase", s.phase.name);
    outstanding = cJSON_AddObjectToObject(processor, "outstanding");
    for (unsigned op = 0; op < FLUE_TREE_OPS; op++)
        add_number(outstanding, operations[op], s.phase.operations[op]);
    add_number(outstanding, "sends", s.phase.sends);
    add_number(outstanding, "objects", s.phase.objects);
    add_number(outstanding, "buffers", s.phase.indicated);
}

cJSON *verb_offload(struct daemon *d, const cJSON *request)
{
    const cJSON *action = cJSON_GetObjectItem(request, "action");

    if (cJSON_IsString(action) && strcmp(action->valuestring, "restart") == 0) {
        const char *failed = offload_restart(d->offload);
        return failed != NULL ? error_answer(failed) : ok_answer();
    }
    const char *wrong = "offload is pause, upload-all, resume or restart";
    if (cJSON_IsString(action))
        wrong = offload_phase(d->offload, action->valuestring);
    return wrong != NULL ? error_answer(wrong) : ok_answer();
}
