/* Writing the tree text. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include "tree_text.h"

#define VALUE_MAX 128u
#define LINE_MAX_ 110u

static void pair_print(FILE *out, enum flue_text_field field, uint64_t value)
{
    char text[VALUE_MAX];

    flue_text_value(field, value, text, sizeof text);
    fprintf(out, " %s=%s", flue_text_field_info(field)->name, text);
}

static void ends_print(FILE *out, const struct flue_text_item *item)
{
    const struct flue_text_values *v = &item->values;

    if (item->layer == FLUE_LAYER_PATH) {
        char source[INET6_ADDRSTRLEN] = "", destination[INET6_ADDRSTRLEN] = "";
        inet_ntop(v->ipv6 ? AF_INET6 : AF_INET, v->source, source, sizeof source);
        inet_ntop(v->ipv6 ? AF_INET6 : AF_INET, v->destination, destination, sizeof destination);
        fprintf(out, " %s -> %s", source, destination);
    } else {
        fprintf(out, " %" PRIu64 " -> %" PRIu64, v->field[FLUE_F_LOCAL_PORT], v->field[FLUE_F_REMOTE_PORT]);
    }
}

static void item_print(FILE *out, const struct flue_text_script *script, enum flue_tree_op op,
                       const struct flue_text_item *item)
{
    uint64_t given = item->given;

    fprintf(out, "%*s", 2 * (int)(item->depth + 1), "");
    if (item->kind == FLUE_NODE_PLACEHOLDER) {
        fputs("placeholder\n", out);
        return;
    }
    bool link = item->kind == FLUE_NODE_REFERENCE && op == FLUE_TREE_INITIATE;
    fprintf(out, "%s %s", link ? "link" : flue_text_layer_name(item->layer), script->objects[item->object].name);
    if (item->has_ends) {
        ends_print(out, item);
        if (item->layer == FLUE_LAYER_TCP)
            given &= ~(UINT64_C(1) << FLUE_F_LOCAL_PORT | UINT64_C(1) << FLUE_F_REMOTE_PORT);
    }
    fprintf(out, " %s", flue_text_part_name(item->part));
    if (item->has_context)
        fprintf(out, " context=0x%" PRIX64, item->context);
    for (unsigned f = 0; f < FLUE_TEXT_FIELDS; f++)
        if ((given >> f & 1) != 0)
            pair_print(out, (enum flue_text_field)f, item->values.field[f]);
    fputc('\n', out);
}

static void operation_print(FILE *out, const struct flue_text_script *script, const struct flue_text_step *step)
{
    fprintf(out, "%s%s\n", flue_text_op_name(step->op), step->all ? " all" : "");
    for (size_t i = 0; i < step->count; i++)
        item_print(out, script, step->op, &script->items[step->first + i]);
}

static void setting_print(FILE *out, const struct flue_text_script *script, const struct flue_text_step *step)
{
    const struct flue_text_pair *pairs = script->pairs + step->first;

    fputs(step->group == FLUE_CFG_LIMITS     ? "limit"
          : step->group == FLUE_CFG_VLANS    ? "vlans"
          : step->group == FLUE_CFG_SWITCHES ? "switch"
                                             : "parameters",
          out);
    if (step->group == FLUE_CFG_VLANS && step->count == 0)
        fputs(" none", out);
    for (size_t i = 0; i < step->count; i++) {
        const char *name = flue_text_setting_name(step->group, pairs[i].key);
        if (step->group == FLUE_CFG_VLANS)
            fprintf(out, " %" PRIu64, pairs[i].value);
        else if (step->group == FLUE_CFG_SWITCHES)
            fprintf(out, " %s %s", name, pairs[i].value != 0 ? "on" : "off");
        else
            fprintf(out, step->group == FLUE_CFG_LIMITS ? " %s %" PRIu64 : " %s=%" PRIu64, name, pairs[i].value);
    }
    fputc('\n', out);
}

static void expect_print(FILE *out, const struct flue_text_script *script, const struct flue_text_step *step)
{
    static const size_t prefix = sizeof "NDIS_STATUS_" - 1;

    fprintf(out, "expect %s", step->object == FLUE_TEXT_OBJECT_NO ? "operation" : script->objects[step->object].name);
    if (step->has_status)
        fprintf(out, " %s", flue_ndis_status_name(step->status) + prefix);
    if (step->has_detail)
        fprintf(out, " %s", flue_text_detail_name(step->detail));
    for (size_t i = 0; i < step->count; i++)
        pair_print(out, (enum flue_text_field)script->pairs[step->first + i].key, script->pairs[step->first + i].value);
    fputc('\n', out);
}

void flue_text_print(FILE *out, const struct flue_text_script *script)
{
    for (size_t i = 0; i < script->step_count; i++) {
        const struct flue_text_step *step = &script->steps[i];
        switch (step->kind) {
        case FLUE_STEP_OPERATION:
            operation_print(out, script, step);
            break;
        case FLUE_STEP_SETTING:
            setting_print(out, script, step);
            break;
        case FLUE_STEP_EXPECT:
            expect_print(out, script, step);
            break;
        case FLUE_STEP_WAIT:
            fprintf(out, "wait %" PRIu64 "us\n", step->wait_us);
            break;
        case FLUE_STEP_LIST:
            fputs("list\n", out);
            break;
        }
    }
}

void flue_text_values_print(FILE *out, const char *indent, enum flue_tree_layer layer, enum flue_text_part part,
                            const struct flue_text_values *values)
{
    size_t width = 0;

    for (unsigned f = 0; f < FLUE_TEXT_FIELDS; f++) {
        const struct flue_text_field_info *info = flue_text_field_info((enum flue_text_field)f);
        char value[VALUE_MAX];
        if (info->layer != layer || info->part != part)
            continue;
        flue_text_value((enum flue_text_field)f, values->field[f], value, sizeof value);
        size_t more = strlen(info->name) + strlen(value) + 2;
        if (width == 0 || width + more > LINE_MAX_) {
            fprintf(out, "%s%s", width > 0 ? "\n" : "", indent);
            width = 0;
        }
        fprintf(out, "%s%s=%s", width > 0 ? " " : "", info->name, value);
        width += more;
    }
    if (width > 0)
        fputc('\n', out);
}
