/* Running a script: block lists out of its nodes, one operation after the other. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "../cli.h"
#include "tree_run.h"

#define DEPTHS   3u
#define TEXT_MAX 160u
/* What a cell holds for an object that was not taken: a context that is never given out, so that it is refused and not
   taken for a new object. */
#define NO_CONTEXT ((void *)UINTPTR_MAX)

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
        cJSON *out = tree_step_begin(step, flue_text_op_name(step->op));
        objects_follow(run, step->op);
        if (run->node_count == 0)
            run->done = (struct flue_admin_done){.status = (uint32_t)NDIS_STATUS_SUCCESS};
        tree_done_add(out, &run->done);
        cJSON *nodes = cJSON_AddArrayToObject(out, "nodes");
        for (size_t i = 0; i < run->node_count; i++)
            cJSON_AddItemToArray(nodes, tree_node_report(run, step->op, &run->nodes[i]));
        tree_report(run, out);
    }
    nodes_free(run);
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
            err = tree_setting_run(&run, step);
            break;
        case FLUE_STEP_EXPECT:
            expect_run(&run, step);
            break;
        case FLUE_STEP_WAIT:
            err = tree_device_wait(device, step->wait_us);
            break;
        case FLUE_STEP_LIST:
            err = tree_list_run(&run, step);
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
