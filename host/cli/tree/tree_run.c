/* Running a script: block lists out of its nodes, one operation after the other, and what became of each node. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "../cli.h"
#include "tree.h"

#define DEPTHS       3u
#define LIST_ENTRIES 64u
#define TEXT_MAX     160u
#define LINE_WIDTH   112u
/* What a cell holds for an object that was not taken: a context that is never given out, so that it is refused and not
   taken for a new object. */
#define NO_CONTEXT ((void *)UINTPTR_MAX)

/* An object of the script as it stands now. */
struct held {
    void *context; /* as the target gave it; kept when the object is gone, to try it */
    bool alive;
    int parent; /* object, or FLUE_TEXT_OBJECT_NO */
    bool has_status;
    NDIS_STATUS status;
    enum flue_admin_detail detail;
    struct flue_text_values values;
};

/* A node of the operation under way. */
struct node {
    struct flue_text_item item;
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *list;
    void *cell;
    uint32_t handle; /* the device's, as it was before the operation */
    unsigned classes;
};

/* Data of a connection at hand-over, freed at the end of the run. */
struct data {
    struct data *next;
    NET_BUFFER_LIST list;
    NET_BUFFER buffer;
    MDL piece;
    uint8_t bytes[];
};

struct run {
    struct tree_device *device;
    const struct flue_text_script *script;
    const char *file;
    cJSON *steps; /* null: print */
    struct held *held;
    struct data *data;
    struct node *nodes;
    size_t node_count;
    struct flue_admin_done done; /* of the last operation or setting */
    bool has_done;
    unsigned unmet;
};

/* ---- building ---------------------------------------------------------------------------------------------------- */

static NET_BUFFER_LIST *data_new(struct run *run, uint64_t bytes)
{
    struct data *data = bytes <= UINT32_MAX ? calloc(1, sizeof *data + bytes) : NULL;

    if (data == NULL)
        return NULL;
    data->next = run->data;
    run->data = data;
    data->piece = (MDL){.MappedSystemVa = data->bytes, .ByteCount = (uint32_t)bytes};
    data->buffer = (NET_BUFFER){.CurrentMdl = &data->piece, .DataLength = (uint32_t)bytes, .MdlChain = &data->piece};
    data->list.FirstNetBuffer = &data->buffer;
    return &data->list;
}

/* Outstanding send data and buffered receive data of a new connection. */
static enum flue_err data_attach(struct run *run, struct node *n)
{
    uint64_t send = n->item.values.field[FLUE_F_SEND_BACKLOG], receive = n->item.values.field[FLUE_F_RCV_BACKLOG];
    TCP_OFFLOAD_STATE_DELEGATED s;
    void *state = flue_tree_node_state(n->list, n->classes, FLUE_TREE_DELEGATED);

    if (n->item.kind != FLUE_NODE_NEW || n->item.layer != FLUE_LAYER_TCP || state == NULL || (send == 0 && receive == 0))
        return FLUE_OK;
    memcpy(&s, state, sizeof s);
    if (send > 0 && (n->list->NetBufferListChain = data_new(run, send)) == NULL)
        return FLUE_ENOMEM;
    if (receive > 0 && (s.BufferedData = data_new(run, receive)) == NULL)
        return FLUE_ENOMEM;
    s.SendDataHead = s.SendDataTail = n->list->NetBufferListChain;
    memcpy(state, &s, sizeof s);
    return FLUE_OK;
}

static enum flue_err node_build(struct run *run, enum flue_tree_op op, struct node *n)
{
    const struct flue_text_item *item = &n->item;
    bool placeholder = item->kind == FLUE_NODE_PLACEHOLDER;
    /* The type of a placeholder is not read; it needs one to be built. */
    uint8_t type = placeholder ? NeighborOffloadState : flue_text_state_type(item->layer, item->part, item->values.ipv6);

    n->classes = tree_item_classes(op, item);
    n->list = flue_tree_node_new((OFFLOAD_STATE_TYPE)type, n->classes, 0);
    if (n->list == NULL)
        return FLUE_ENOMEM;
    tree_values_store(n->list, n->classes, &n->item.values);
    if (placeholder)
        return FLUE_OK;
    struct held *held = &run->held[item->object];
    n->list->MiniportOffloadContext = &n->cell;
    n->list->NdisOffloadHandle = (NDIS_HANDLE)(uintptr_t)(item->object + 1); /* opaque to the target, the same in every run */
    if (item->has_context)
        n->cell = (void *)(uintptr_t)item->context;
    else if (item->kind == FLUE_NODE_REFERENCE)
        n->cell = held->context != NULL ? held->context : NO_CONTEXT;
    n->handle = n->cell != NO_CONTEXT ? tree_device_handle(run->device, n->cell) : 0;
    return data_attach(run, n);
}

/* Join the block lists by the nodes' depths. */
static void nodes_join(struct run *run)
{
    NDIS_MINIPORT_OFFLOAD_BLOCK_LIST *last[DEPTHS] = {NULL};

    for (size_t i = 0; i < run->node_count; i++) {
        struct node *n = &run->nodes[i];
        unsigned depth = n->item.depth;
        if (last[depth] != NULL)
            last[depth]->NextBlock = n->list;
        else if (depth > 0)
            last[depth - 1]->DependentBlockList = n->list;
        last[depth] = n->list;
        for (unsigned below = depth + 1; below < DEPTHS; below++)
            last[below] = NULL;
    }
}

static void nodes_free(struct run *run)
{
    for (size_t i = 0; i < run->node_count; i++)
        free(run->nodes[i].list);
    free(run->nodes);
    run->nodes = NULL;
    run->node_count = 0;
}

/* The object and, behind it, what depends on it: nodes of an operation on all. */
static void all_add(struct run *run, const struct flue_text_step *step, int object, unsigned depth)
{
    const struct flue_text_script *script = run->script;
    struct flue_text_item *item = &run->nodes[run->node_count++].item;
    bool tcp = script->objects[object].layer == FLUE_LAYER_TCP;

    *item = (struct flue_text_item){.line = step->line,
                                    .kind = FLUE_NODE_REFERENCE,
                                    .depth = depth,
                                    .object = object,
                                    .layer = script->objects[object].layer,
                                    .values = run->held[object].values};
    item->part = step->op == FLUE_TREE_QUERY              ? FLUE_PART_FULL
                 : step->op == FLUE_TREE_TERMINATE && tcp ? FLUE_PART_DELEGATED
                                                          : FLUE_PART_NONE;
    for (size_t i = 0; depth + 1 < DEPTHS && i < script->object_count; i++)
        if (run->held[i].alive && run->held[i].parent == object)
            all_add(run, step, (int)i, depth + 1);
}

static enum flue_err nodes_build(struct run *run, const struct flue_text_step *step)
{
    const struct flue_text_script *script = run->script;
    size_t room = step->all ? script->object_count : step->count;

    run->nodes = calloc(room > 0 ? room : 1, sizeof *run->nodes);
    if (run->nodes == NULL)
        return FLUE_ENOMEM;
    if (step->all) {
        for (size_t i = 0; i < script->object_count; i++)
            if (run->held[i].alive && (run->held[i].parent < 0 || !run->held[run->held[i].parent].alive))
                all_add(run, step, (int)i, 0);
    } else {
        for (; run->node_count < step->count; run->node_count++)
            run->nodes[run->node_count].item = script->items[step->first + run->node_count];
    }
    for (size_t i = 0; i < run->node_count; i++) {
        enum flue_err err = node_build(run, step->op, &run->nodes[i]);
        if (err != FLUE_OK)
            return err;
    }
    nodes_join(run);
    return FLUE_OK;
}

/* ---- what became of it ------------------------------------------------------------------------------------------- */

static int parent_object(const struct run *run, size_t i)
{
    unsigned depth = run->nodes[i].item.depth;

    while (i-- > 0)
        if (run->nodes[i].item.depth + 1 == depth)
            return run->nodes[i].item.object;
    return FLUE_TEXT_OBJECT_NO;
}

/* Keep what an operation did to the objects it named. */
static void objects_follow(struct run *run, enum flue_tree_op op)
{
    for (size_t i = 0; i < run->node_count; i++) {
        struct node *n = &run->nodes[i];
        if (n->item.object == FLUE_TEXT_OBJECT_NO)
            continue;
        struct held *held = &run->held[n->item.object];
        held->has_status = true;
        held->status = n->list->Status;
        held->detail = flue_target_detail(n->list);
        tree_values_load(n->list, n->classes, op, &n->item.values);
        held->values = n->item.values;
        if (n->item.kind == FLUE_NODE_NEW && n->cell != NULL) {
            held->context = n->cell;
            held->alive = true;
            held->parent = parent_object(run, i);
        } else if (op == FLUE_TREE_TERMINATE && n->list->Status == NDIS_STATUS_SUCCESS) {
            held->alive = false;
        } else if (op == FLUE_TREE_UPDATE && n->item.depth > 0 && n->list->Status == NDIS_STATUS_SUCCESS) {
            held->parent = parent_object(run, i);
        }
    }
}

static void handle_add(cJSON *to, const char *name, uint32_t handle)
{
    char text[32];

    flue_text_handle(handle, text, sizeof text);
    cJSON_AddStringToObject(to, name, text);
}

/* Fields that came back, by their names. */
static void state_add(cJSON *to, const struct node *n)
{
    static const unsigned class_of[] = {[FLUE_PART_CONST] = FLUE_TREE_CONST,
                                        [FLUE_PART_CACHED] = FLUE_TREE_CACHED,
                                        [FLUE_PART_DELEGATED] = FLUE_TREE_DELEGATED};
    const struct flue_text_values *v = &n->item.values;
    char text[TEXT_MAX];
    cJSON *state = NULL;

    for (unsigned f = 0; f < FLUE_TEXT_FIELDS; f++) {
        const struct flue_text_field_info *info = flue_text_field_info((enum flue_text_field)f);
        if (info->layer != n->item.layer || (n->classes & class_of[info->part]) == 0)
            continue;
        if (state == NULL)
            state = cJSON_AddObjectToObject(to, "state");
        flue_text_value((enum flue_text_field)f, v->field[f], text, sizeof text);
        cJSON_AddStringToObject(state, info->name, text);
    }
    if (n->item.layer == FLUE_LAYER_PATH && (n->classes & FLUE_TREE_CONST) != 0) {
        int family = v->ipv6 ? AF_INET6 : AF_INET;
        if (state == NULL)
            state = cJSON_AddObjectToObject(to, "state");
        inet_ntop(family, v->source, text, sizeof text);
        cJSON_AddStringToObject(state, "SourceAddress", text);
        inet_ntop(family, v->destination, text, sizeof text);
        cJSON_AddStringToObject(state, "DestinationAddress", text);
    }
}

static cJSON *node_report(const struct run *run, enum flue_tree_op op, const struct node *n)
{
    static const char *const kinds[] = {
        [FLUE_NODE_PLACEHOLDER] = "placeholder", [FLUE_NODE_REFERENCE] = "reference", [FLUE_NODE_NEW] = "new"};
    cJSON *node = cJSON_CreateObject();
    enum flue_admin_detail detail = flue_target_detail(n->list);
    bool named = n->item.object != FLUE_TEXT_OBJECT_NO;

    cJSON_AddStringToObject(node, "name", named ? run->script->objects[n->item.object].name : "placeholder");
    cJSON_AddNumberToObject(node, "depth", n->item.depth);
    cJSON_AddStringToObject(node, "kind", kinds[n->item.kind]);
    cJSON_AddStringToObject(node, "layer", flue_text_layer_name(n->item.layer));
    cJSON_AddStringToObject(node, "status", flue_ndis_status_name(n->list->Status));
    cJSON_AddStringToObject(node, "detail", flue_text_detail_name(detail));
    handle_add(node, "handle", n->item.kind == FLUE_NODE_NEW ? tree_device_handle(run->device, n->cell) : n->handle);
    if ((op == FLUE_TREE_QUERY || op == FLUE_TREE_TERMINATE) && n->list->Status == NDIS_STATUS_SUCCESS)
        state_add(node, n);
    return node;
}

static void done_add(cJSON *to, const struct flue_admin_done *done)
{
    cJSON_AddStringToObject(to, "status", flue_ndis_status_name((NDIS_STATUS)done->status));
    cJSON_AddStringToObject(to, "detail", flue_text_detail_name(done->detail));
}

static const char *string_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static void state_print(const cJSON *state, int indent)
{
    const cJSON *one;
    size_t width = 0;

    cJSON_ArrayForEach(one, state)
    {
        size_t more = strlen(one->string) + strlen(one->valuestring) + 2;
        if (width > 0 && width + more > LINE_WIDTH - (size_t)indent) {
            fputc('\n', stdout);
            width = 0;
        }
        printf("%*s%s=%s", width == 0 ? indent : 1, "", one->string, one->valuestring);
        width += more;
    }
    if (width > 0)
        fputc('\n', stdout);
}

static void nodes_print(const cJSON *nodes)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, nodes)
    {
        int indent = 2 + 2 * cJSON_GetObjectItem(one, "depth")->valueint;
        const char *detail = string_of(one, "detail");
        printf("%*s%-*s %-39s %-11s %s\n", indent, "", 20 - indent, string_of(one, "name"), string_of(one, "status"),
               strcmp(detail, "NONE") == 0 ? "-" : detail, string_of(one, "handle"));
        state_print(cJSON_GetObjectItem(one, "state"), indent + 4);
    }
}

/* The step's report to the list, or to the terminal. */
static void report(struct run *run, cJSON *step)
{
    const cJSON *nodes = cJSON_GetObjectItem(step, "nodes"), *objects = cJSON_GetObjectItem(step, "objects"), *one;

    if (run->steps != NULL) {
        cJSON_AddItemToArray(run->steps, step);
        return;
    }
    const char *detail = string_of(step, "detail");
    printf("%s (line %d): %s%s%s\n", string_of(step, "step"), cJSON_GetObjectItem(step, "line")->valueint,
           string_of(step, "status"), strcmp(detail, "NONE") == 0 ? "" : ", ", strcmp(detail, "NONE") == 0 ? "" : detail);
    nodes_print(nodes);
    cJSON_ArrayForEach(one, objects)
        printf("  %-18s %-20s depends on %-20s dependents %d, %s\n", string_of(one, "name"), string_of(one, "handle"),
               string_of(one, "parent"), cJSON_GetObjectItem(one, "dependents")->valueint, string_of(one, "state"));
    cJSON_Delete(step);
}

static cJSON *step_begin(const struct flue_text_step *step, const char *name)
{
    cJSON *report = cJSON_CreateObject();
    cJSON_AddStringToObject(report, "step", name);
    cJSON_AddNumberToObject(report, "line", step->line);
    return report;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static enum flue_err operation_run(struct run *run, const struct flue_text_step *step)
{
    enum flue_err err = tree_device_wait(run->device, 0);

    if (err == FLUE_OK)
        err = nodes_build(run, step);
    if (err == FLUE_OK && run->node_count > 0) {
        err = tree_device_operate(run->device, step->op, run->nodes[0].list, &run->done);
        run->has_done = err == FLUE_OK;
    }
    if (err == FLUE_OK) {
        cJSON *out = step_begin(step, flue_text_op_name(step->op));
        objects_follow(run, step->op);
        if (run->node_count == 0)
            run->done = (struct flue_admin_done){.status = (uint32_t)NDIS_STATUS_SUCCESS};
        done_add(out, &run->done);
        cJSON *nodes = cJSON_AddArrayToObject(out, "nodes");
        for (size_t i = 0; i < run->node_count; i++)
            cJSON_AddItemToArray(nodes, node_report(run, step->op, &run->nodes[i]));
        report(run, out);
    }
    nodes_free(run);
    return err;
}

/* Words of a configuration record: read it, change what the script says, write it. */
union record {
    struct flue_cfg_limits limits;
    struct flue_cfg_vlans vlans;
    struct flue_cfg_switches switches;
    struct flue_cfg_connection connection;
    uint32_t words[sizeof(struct flue_cfg_limits) / 4];
};

static size_t record_bytes(enum flue_config_group group)
{
    return group == FLUE_CFG_LIMITS     ? sizeof(struct flue_cfg_limits)
           : group == FLUE_CFG_VLANS    ? sizeof(struct flue_cfg_vlans)
           : group == FLUE_CFG_SWITCHES ? sizeof(struct flue_cfg_switches)
                                        : sizeof(struct flue_cfg_connection);
}

static void byte_set(uint32_t *word, uint32_t mask, unsigned shift, uint64_t value)
{
    *word = (*word & ~mask) | ((uint32_t)value << shift & mask);
}

/* A run-time parameter, by its place in the published structure. */
static void parameter_set(struct flue_cfg_connection *c, unsigned key, uint64_t value)
{
#define AT(member) offsetof(NDIS_TCP_CONNECTION_OFFLOAD_PARAMETERS, member)
#define BYTE(name) byte_set(&c->word1, FLUE_CFG_CONNECTION_##name##_MASK, FLUE_CFG_CONNECTION_##name##_SHIFT, value)
    switch (key) {
    case AT(TicksPerSecond):
        c->ticks_per_second = (uint32_t)value;
        break;
    case AT(TcpAckFrequency):
        BYTE(ACK_FREQUENCY);
        break;
    case AT(TcpDelayedAckTicks):
        BYTE(DELAYED_ACK_TICKS);
        break;
    case AT(TcpMaximumRetransmissions):
        BYTE(MAX_RETRANSMISSIONS);
        break;
    case AT(TcpDoubtReachabilityRetransmissions):
        BYTE(DOUBT_RETRANSMISSIONS);
        break;
    case AT(TcpSwsPreventionTicks):
        c->sws_prevention_ticks = (uint32_t)value;
        break;
    case AT(TcpDuplicateAckThreshold):
        c->duplicate_ack_threshold = (uint32_t)value;
        break;
    case AT(TcpPushTicks):
        c->push_ticks = (uint32_t)value;
        break;
    case AT(NceStaleTicks):
        c->nce_stale_ticks = (uint32_t)value;
        break;
    case AT(CongestionAlgorithm):
        c->congestion_algorithm = (uint32_t)value;
        break;
    default:
        break;
    }
#undef BYTE
#undef AT
}

static void record_change(union record *record, const struct flue_text_step *step, const struct flue_text_pair *pairs)
{
    if (step->group == FLUE_CFG_VLANS) {
        memset(&record->vlans, 0, sizeof record->vlans);
        record->vlans.count = (uint32_t)step->count;
    }
    for (size_t i = 0; i < step->count; i++) {
        uint32_t value = (uint32_t)pairs[i].value;
        switch (step->group) {
        case FLUE_CFG_LIMITS:
            record->words[pairs[i].key] = value;
            break;
        case FLUE_CFG_VLANS:
            record->vlans.ids[i / 2] |= value << (i % 2 == 0 ? FLUE_CFG_VLANS_LOW_SHIFT : FLUE_CFG_VLANS_HIGH_SHIFT);
            break;
        case FLUE_CFG_SWITCHES:
            record->switches.word0 = (record->switches.word0 & ~pairs[i].key) | (value != 0 ? pairs[i].key : 0);
            break;
        default:
            parameter_set(&record->connection, pairs[i].key, value);
            break;
        }
    }
}

static enum flue_err setting_run(struct run *run, const struct flue_text_step *step)
{
    static const char *const names[] = {[FLUE_CFG_CONNECTION] = "parameters",
                                        [FLUE_CFG_SWITCHES] = "switch",
                                        [FLUE_CFG_LIMITS] = "limit",
                                        [FLUE_CFG_VLANS] = "vlans"};
    union record record = {.words = {0}};
    size_t bytes = record_bytes(step->group);
    enum flue_err err = tree_device_call(run->device, FLUE_OP_GET_CONFIG, step->group, &record, bytes, &run->done);

    if (err == FLUE_OK && run->done.status == (uint32_t)NDIS_STATUS_SUCCESS) {
        record_change(&record, step, run->script->pairs + step->first);
        err = tree_device_call(run->device, FLUE_OP_SET_CONFIG, step->group, &record, bytes, &run->done);
    }
    run->has_done = err == FLUE_OK;
    if (err == FLUE_OK) {
        cJSON *out = step_begin(step, names[step->group]);
        done_add(out, &run->done);
        report(run, out);
    }
    return err;
}

/* The name of what the adapter calls by this handle. */
static const char *name_by_handle(const struct run *run, uint32_t handle)
{
    for (size_t i = 0; i < run->script->object_count; i++)
        if (run->held[i].alive && tree_device_handle(run->device, run->held[i].context) == handle)
            return run->script->objects[i].name;
    return "?";
}

static const char *row_state_name(uint32_t state)
{
    switch (state) {
#define X(name, value, text)                                                                                                   \
    case value:                                                                                                                \
        return #name;
        FLUE_ROW_LIST(X)
#undef X
    default:
        return "?";
    }
}

static enum flue_err list_run(struct run *run, const struct flue_text_step *step)
{
    cJSON *out = step_begin(step, "list"), *objects = cJSON_CreateArray();
    enum flue_err err = FLUE_OK;

    for (uint32_t kind = FLUE_TBL_NEIGHBOR; err == FLUE_OK && kind <= FLUE_TBL_CONNECTION; kind++) {
        struct flue_list_entry entries[LIST_ENTRIES];
        uint32_t from = kind << FLUE_HANDLE_KIND_SHIFT, count = LIST_ENTRIES;
        while (err == FLUE_OK && count == LIST_ENTRIES) {
            memset(entries, 0, sizeof entries);
            err = tree_device_call(run->device, FLUE_OP_LIST, from, entries, sizeof entries, &run->done);
            count = err == FLUE_OK && run->done.status == (uint32_t)NDIS_STATUS_SUCCESS ? run->done.result : 0;
            for (uint32_t i = 0; i < count && i < LIST_ENTRIES; i++) {
                cJSON *one = cJSON_CreateObject();
                if (entries[i].handle >> FLUE_HANDLE_KIND_SHIFT != kind) {
                    cJSON_Delete(one);
                    continue; /* of the next table: it is asked for itself */
                }
                cJSON_AddStringToObject(one, "name", name_by_handle(run, entries[i].handle));
                handle_add(one, "handle", entries[i].handle);
                handle_add(one, "parent", entries[i].parent);
                cJSON_AddNumberToObject(one, "dependents", entries[i].refs);
                cJSON_AddStringToObject(
                    one, "state",
                    row_state_name((entries[i].row_state & FLUE_ROW_HEAD_STATE_MASK) >> FLUE_ROW_HEAD_STATE_SHIFT));
                cJSON_AddItemToArray(objects, one);
                from = entries[i].handle + 1;
            }
        }
    }
    run->has_done = err == FLUE_OK;
    done_add(out, &run->done);
    cJSON_AddItemToObject(out, "objects", objects);
    if (err == FLUE_OK)
        report(run, out);
    else
        cJSON_Delete(out);
    return err;
}

/* ---- expectations ------------------------------------------------------------------------------------------------ */

__attribute__((format(printf, 3, 4))) static void unmet(struct run *run, const struct flue_text_step *step, const char *format,
                                                        ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fflush(stdout);
    fprintf(stderr, "%s:%u: %s %s\n", run->file, step->line,
            step->object == FLUE_TEXT_OBJECT_NO ? "operation" : run->script->objects[step->object].name, text);
    run->unmet++;
}

static void expect_run(struct run *run, const struct flue_text_step *step)
{
    const struct held *held = step->object == FLUE_TEXT_OBJECT_NO ? NULL : &run->held[step->object];
    bool known = held != NULL ? held->has_status : run->has_done;
    NDIS_STATUS status = held != NULL ? held->status : (NDIS_STATUS)run->done.status;
    enum flue_admin_detail detail = held != NULL ? held->detail : run->done.detail;

    if (!known) {
        unmet(run, step, "was in no operation yet");
        return;
    }
    if (step->has_status && status != step->status)
        unmet(run, step, "has status %s, expected %s", flue_ndis_status_name(status), flue_ndis_status_name(step->status));
    if (step->has_detail && detail != step->detail)
        unmet(run, step, "has detail %s, expected %s", flue_text_detail_name(detail), flue_text_detail_name(step->detail));
    for (size_t i = 0; held != NULL && i < step->count; i++) {
        const struct flue_text_pair *pair = &run->script->pairs[step->first + i];
        char actual[TEXT_MAX], expected[TEXT_MAX];
        if (held->values.field[pair->key] == pair->value)
            continue;
        flue_text_value((enum flue_text_field)pair->key, held->values.field[pair->key], actual, sizeof actual);
        flue_text_value((enum flue_text_field)pair->key, pair->value, expected, sizeof expected);
        unmet(run, step, "has %s=%s, expected %s", flue_text_field_info((enum flue_text_field)pair->key)->name, actual,
              expected);
    }
}

enum flue_err tree_run(struct tree_device *device, const struct flue_text_script *script, const char *file, cJSON *steps,
                       unsigned *unmet_count)
{
    struct run run = {.device = device, .script = script, .file = file, .steps = steps};
    enum flue_err err = FLUE_OK;

    *unmet_count = 0;
    run.held = calloc(script->object_count + 1, sizeof *run.held);
    if (run.held == NULL)
        return FLUE_ENOMEM;
    for (size_t i = 0; i < script->object_count; i++)
        run.held[i].parent = FLUE_TEXT_OBJECT_NO;
    for (size_t i = 0; err == FLUE_OK && i < script->step_count; i++) {
        const struct flue_text_step *step = &script->steps[i];
        switch (step->kind) {
        case FLUE_STEP_OPERATION:
            err = operation_run(&run, step);
            break;
        case FLUE_STEP_SETTING:
            err = setting_run(&run, step);
            break;
        case FLUE_STEP_EXPECT:
            expect_run(&run, step);
            break;
        case FLUE_STEP_WAIT:
            err = tree_device_wait(device, step->wait_us);
            break;
        case FLUE_STEP_LIST:
            err = list_run(&run, step);
            break;
        }
    }
    *unmet_count = run.unmet;
    if (err != FLUE_OK)
        complain(STATUS_REFUSED, "%s: %s", file, tree_device_fault(device, err));
    tree_device_close(device); /* gives back what it still holds of the data */
    while (run.data != NULL) {
        struct data *data = run.data;
        run.data = data->next;
        free(data);
    }
    free(run.held);
    return err;
}
