/* What became of the nodes of an operation, and what the device holds: as JSON, or for a terminal. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "tree_run.h"

#define LIST_ENTRIES 64u
#define LINE_WIDTH   112u
#define TEXT_MAX     160u

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

cJSON *tree_node_report(const struct run *run, enum flue_tree_op op, const struct node *n)
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

void tree_done_add(cJSON *to, const struct flue_admin_done *done)
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
void tree_report(struct run *run, cJSON *step)
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

cJSON *tree_step_begin(const struct flue_text_step *step, const char *name)
{
    cJSON *report = cJSON_CreateObject();
    cJSON_AddStringToObject(report, "step", name);
    cJSON_AddNumberToObject(report, "line", step->line);
    return report;
}

/* ---- the statement list ---------------------------------------------------------------------------------------- */

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

enum flue_err tree_list_run(struct run *run, const struct flue_text_step *step)
{
    cJSON *out = tree_step_begin(step, "list"), *objects = cJSON_CreateArray();
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
    tree_done_add(out, &run->done);
    cJSON_AddItemToObject(out, "objects", objects);
    if (err == FLUE_OK)
        tree_report(run, out);
    else
        cJSON_Delete(out);
    return err;
}
