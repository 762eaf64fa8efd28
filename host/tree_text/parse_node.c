/* Reading the tree text: objects, and the nodes of an operation with their fields. */
#define _GNU_SOURCE /* strcasestr */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "parse_internal.h"

/* ---- objects ----------------------------------------------------------------------------------------------------- */

int text_object_find(const struct parser *p, const char *name)
{
    for (size_t i = 0; i < p->script->object_count; i++)
        if (strcmp(p->script->objects[i].name, name) == 0)
            return (int)i;
    return FLUE_TEXT_OBJECT_NO;
}

bool text_name_ok(struct parser *p, unsigned i)
{
    static const char *const taken[] = {"all", "operation", "none"};
    const char *name = text_word(p, i);

    if (i >= p->word_count)
        return text_fail(p, text_column(p, i), "a name is missing");
    if (!isalpha((unsigned char)name[0]))
        return text_fail(p, text_column(p, i), "'%.40s' is not a name: a name begins with a letter", name);
    if (strlen(name) > FLUE_TEXT_NAME_MAX)
        return text_fail(p, text_column(p, i), "the name '%.40s' has more than %u characters", name, FLUE_TEXT_NAME_MAX);
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("_.-", *c) == NULL)
            return text_fail(p, text_column(p, i), "'%c' cannot be part of a name", *c);
    for (size_t k = 0; k < sizeof taken / sizeof taken[0]; k++)
        if (strcmp(name, taken[k]) == 0)
            return text_fail(p, text_column(p, i), "'%s' has a meaning of its own and cannot be a name", name);
    return true;
}

static int object_add(struct parser *p, const char *name, enum flue_tree_layer layer)
{
    struct flue_text_script *s = p->script;
    struct flue_text_object *objects = text_grow(p, s->objects, &p->room.objects, s->object_count, sizeof *objects);

    if (objects == NULL)
        return FLUE_TEXT_OBJECT_NO;
    s->objects = objects;
    struct flue_text_values *declared = text_grow(p, p->declared, &p->declared_room, s->object_count, sizeof *declared);
    if (declared == NULL)
        return FLUE_TEXT_OBJECT_NO;
    p->declared = declared;
    int index = (int)s->object_count++;
    objects[index] = (struct flue_text_object){.layer = layer, .line = p->line};
    memcpy(objects[index].name, name, strlen(name) + 1);
    memset(&declared[index], 0, sizeof declared[index]);
    return index;
}

/* ---- fields of a node -------------------------------------------------------------------------------------------- */

/* Fields of the layer whose name contains what was written, for a message. */
static const char *field_hint(enum flue_tree_layer layer, const char *name)
{
    static _Thread_local char text[120];
    size_t at = (size_t)snprintf(text, sizeof text, "; there is");

    for (unsigned f = 0; f < FLUE_TEXT_FIELDS; f++) {
        const struct flue_text_field_info *info = flue_text_field_info((enum flue_text_field)f);
        if (info->layer == layer && strcasestr(info->name, name) != NULL && at + strlen(info->name) + 2 < sizeof text)
            at += (size_t)snprintf(text + at, sizeof text - at, " %s", info->name);
    }
    return at > strlen("; there is") ? text : "";
}

bool text_field_find(struct parser *p, unsigned i, enum flue_tree_layer layer, const char *name, enum flue_text_field *field)
{
    for (unsigned f = 0; f < FLUE_TEXT_FIELDS; f++) {
        const struct flue_text_field_info *info = flue_text_field_info((enum flue_text_field)f);
        if (info->layer == layer && strcasecmp(info->name, name) == 0) {
            *field = (enum flue_text_field)f;
            return true;
        }
    }
    return text_fail(p, text_column(p, i), "a %s has no field '%.40s'%s", flue_text_layer_name(layer), name,
                     name[0] != '\0' ? field_hint(layer, name) : "");
}

/* Cut word i at its `=`; the two halves are valid until the next line. */
bool text_assignment(struct parser *p, unsigned i, const char **name, const char **value)
{
    char *equals = strchr(p->words[i].text, '=');

    if (equals == NULL)
        return text_fail(p, text_column(p, i), "'%.40s' is not NAME=VALUE", text_word(p, i));
    *equals = '\0';
    *name = p->words[i].text;
    *value = equals + 1;
    return true;
}

static bool field_read(struct parser *p, unsigned i, struct flue_text_item *item)
{
    enum flue_text_field field;
    const char *name, *text;
    uint64_t value;

    if (!text_assignment(p, i, &name, &text))
        return false;
    unsigned value_column = text_column(p, i) + (unsigned)strlen(name) + 1;
    if (strcmp(name, "context") == 0) {
        char *end;
        item->context = strtoull(text, &end, 0);
        item->has_context = true;
        return (isdigit((unsigned char)text[0]) && *end == '\0' && strlen(text) <= 18) ||
               text_fail(p, value_column, "'%.40s' is not a context: a number such as 0x12345678", text);
    }
    if (!text_field_find(p, i, item->layer, name, &field))
        return false;
    if ((item->given >> field & 1) != 0)
        return text_fail(p, text_column(p, i), "%s is given twice", flue_text_field_info(field)->name);
    const char *wrong = flue_text_value_read(field, text, &value);
    if (wrong != NULL)
        return text_fail(p, value_column, "%s", wrong);
    item->values.field[field] = value;
    item->given |= UINT64_C(1) << field;
    return true;
}

/* `SOURCE -> DESTINATION` of a path, `LOCAL -> REMOTE` of a connection, at word i. */
static bool address_read(struct parser *p, unsigned i, uint8_t *address, bool *ipv6)
{
    memset(address, 0, 16);
    *ipv6 = strchr(text_word(p, i), ':') != NULL;
    if (inet_pton(*ipv6 ? AF_INET6 : AF_INET, text_word(p, i), address) == 1)
        return true;
    return text_fail(p, text_column(p, i), "'%.40s' is not an IPv4 or IPv6 address", text_word(p, i));
}

static bool ends_read(struct parser *p, unsigned i, struct flue_text_item *item)
{
    if (i + 2 >= p->word_count)
        return text_fail(p, text_column(p, i + 2), "what is behind the arrow is missing");
    item->has_ends = true;
    if (item->layer == FLUE_LAYER_PATH) {
        bool ipv6;
        if (!address_read(p, i, item->values.source, &item->values.ipv6) ||
            !address_read(p, i + 2, item->values.destination, &ipv6))
            return false;
        return ipv6 == item->values.ipv6 || text_fail(p, text_column(p, i + 2), "one address is IPv4, the other IPv6");
    }
    if (item->layer == FLUE_LAYER_TCP) {
        item->given |= UINT64_C(1) << FLUE_F_LOCAL_PORT | UINT64_C(1) << FLUE_F_REMOTE_PORT;
        return text_number_at(p, i, UINT16_MAX, &item->values.field[FLUE_F_LOCAL_PORT]) &&
               text_number_at(p, i + 2, UINT16_MAX, &item->values.field[FLUE_F_REMOTE_PORT]);
    }
    return text_fail(p, text_column(p, i), "a %s has no two ends", flue_text_layer_name(item->layer));
}

/* Give every field that is not written its default, or what it follows. */
static void defaults_fill(struct flue_text_values *v, enum flue_tree_layer layer, uint64_t given)
{
    for (unsigned f = 0; f < FLUE_TEXT_FIELDS; f++) {
        const struct flue_text_field_info *info = flue_text_field_info((enum flue_text_field)f);
        if (info->layer == layer && (given >> f & 1) == 0)
            v->field[f] = info->follows == f ? info->start : v->field[info->follows];
    }
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

static bool part_find(const char *name, enum flue_text_part *part)
{
    for (unsigned i = 0; i < FLUE_PARTS; i++)
        if (strcmp(name, flue_text_part_name((enum flue_text_part)i)) == 0) {
            *part = (enum flue_text_part)i;
            return true;
        }
    return false;
}

/* State structures a reference gets when none are named. */
enum flue_text_part text_part_default(enum flue_tree_op op, enum flue_tree_layer layer, uint64_t given)
{
    switch (op) {
    case FLUE_TREE_QUERY:
        return FLUE_PART_FULL;
    case FLUE_TREE_UPDATE:
        return given != 0 ? FLUE_PART_CACHED : FLUE_PART_NONE;
    case FLUE_TREE_TERMINATE:
        return layer == FLUE_LAYER_TCP ? FLUE_PART_DELEGATED : FLUE_PART_NONE;
    default:
        return FLUE_PART_NONE;
    }
}

struct flue_text_item *text_item_add(struct parser *p, const struct flue_text_item *item)
{
    struct flue_text_script *s = p->script;

    if (s->item_count == FLUE_TEXT_NODES_MAX) {
        text_fail(p, text_column(p, 0), "more than %u nodes", FLUE_TEXT_NODES_MAX);
        return NULL;
    }
    struct flue_text_item *items = text_grow(p, s->items, &p->room.items, s->item_count, sizeof *items);
    if (items == NULL)
        return NULL;
    s->items = items;
    items[s->item_count] = *item;
    s->steps[p->operation_index].count++;
    return &items[s->item_count++];
}

/* Values of a node: what was said of its object before, what is written here, defaults for the rest. */
static void values_settle(struct parser *p, struct flue_text_item *item, bool begins)
{
    struct flue_text_values written = item->values;
    struct flue_text_values *v = &item->values;

    if (!begins && item->object != FLUE_TEXT_OBJECT_NO && p->script->objects[item->object].layer == item->layer) {
        *v = p->declared[item->object];
        for (unsigned f = 0; f < FLUE_TEXT_FIELDS; f++)
            if ((item->given >> f & 1) != 0)
                v->field[f] = written.field[f];
        if (item->has_ends && item->layer == FLUE_LAYER_PATH) {
            v->ipv6 = written.ipv6;
            memcpy(v->source, written.source, sizeof v->source);
            memcpy(v->destination, written.destination, sizeof v->destination);
        }
    } else {
        defaults_fill(v, item->layer, item->given);
    }
    if (item->object != FLUE_TEXT_OBJECT_NO && p->script->objects[item->object].layer == item->layer)
        p->declared[item->object] = *v;
}

/* The object of a node, which a new one or a forged context may name for the first time. */
bool text_item_object(struct parser *p, struct flue_text_item *item, unsigned name_word, bool *begins)
{
    if (!text_name_ok(p, name_word))
        return false;
    item->object = text_object_find(p, text_word(p, name_word));
    *begins = item->object == FLUE_TEXT_OBJECT_NO;
    if (!*begins && item->kind == FLUE_NODE_NEW && p->script->objects[item->object].layer != item->layer)
        return text_fail(p, text_column(p, name_word), "'%s' is a %s, see line %u", text_word(p, name_word),
                         flue_text_layer_name(p->script->objects[item->object].layer), p->script->objects[item->object].line);
    if (!*begins)
        return true;
    if (item->kind != FLUE_NODE_NEW && !item->has_context)
        return text_fail(p, text_column(p, name_word), "nothing above is called '%s'", text_word(p, name_word));
    item->object = object_add(p, text_word(p, name_word), item->layer);
    return item->object != FLUE_TEXT_OBJECT_NO;
}

static bool same_tree_twice(struct parser *p, const struct flue_text_item *item, unsigned name_word)
{
    const struct flue_text_step *step = &p->script->steps[p->operation_index];

    for (size_t i = step->first; i < p->script->item_count; i++)
        if (p->script->items[i].object == item->object && item->kind == FLUE_NODE_NEW)
            return text_fail(p, text_column(p, name_word), "'%s' is in this tree already, see line %u", text_word(p, name_word),
                             p->script->items[i].line);
    return true;
}

/* The layer a node line begins with, and what kind of node that makes. */
static bool head_read(struct parser *p, enum flue_tree_op op, struct flue_text_item *item)
{
    const char *head = text_word(p, 0);

    if (strcmp(head, "placeholder") == 0) {
        item->kind = FLUE_NODE_PLACEHOLDER;
        return text_words_at_most(p, 1);
    }
    if (strcmp(head, "link") == 0) {
        int object = p->word_count > 1 ? text_object_find(p, text_word(p, 1)) : FLUE_TEXT_OBJECT_NO;
        item->kind = FLUE_NODE_REFERENCE;
        if (op != FLUE_TREE_INITIATE)
            return text_fail(p, text_column(p, 0),
                             "link is for initiate; elsewhere every node is a reference: neighbor, path or tcp");
        if (p->word_count < 2 || object == FLUE_TEXT_OBJECT_NO)
            return text_name_ok(p, 1) && text_fail(p, text_column(p, 1), "nothing above is called '%s'", text_word(p, 1));
        item->layer = p->script->objects[object].layer;
        return true;
    }
    for (unsigned layer = FLUE_LAYER_NEIGHBOR; layer < FLUE_TEXT_LAYERS; layer++)
        if (strcmp(head, flue_text_layer_name((enum flue_tree_layer)layer)) == 0) {
            item->kind = op == FLUE_TREE_INITIATE ? FLUE_NODE_NEW : FLUE_NODE_REFERENCE;
            item->layer = (enum flue_tree_layer)layer;
            return true;
        }
    return text_fail(p, text_column(p, 0), "a node begins with neighbor, path, tcp, %splaceholder, not '%.40s'",
                     op == FLUE_TREE_INITIATE ? "link, " : "", head);
}

static bool item_rest(struct parser *p, enum flue_tree_op op, struct flue_text_item *item)
{
    bool has_part = false;

    for (unsigned i = 2; i < p->word_count; i++) {
        if (strcmp(text_word(p, i + 1), "->") == 0) {
            if (item->has_ends)
                return text_fail(p, text_column(p, i), "its two ends are given twice");
            if (!ends_read(p, i, item))
                return false;
            i += 2;
        } else if (strchr(text_word(p, i), '=') != NULL) {
            if (!field_read(p, i, item))
                return false;
        } else if (part_find(text_word(p, i), &item->part)) {
            if (has_part)
                return text_fail(p, text_column(p, i), "which state is wanted is given twice");
            has_part = true;
        } else {
            return text_fail(p, text_column(p, i), "'%.40s' is not NAME=VALUE, const, cached, delegated, full, none, or A -> B",
                             text_word(p, i));
        }
    }
    if (!has_part)
        item->part = item->kind == FLUE_NODE_NEW ? FLUE_PART_FULL : text_part_default(op, item->layer, item->given);
    if (item->given != 0 && item->part == FLUE_PART_NONE)
        return text_fail(p, text_column(p, 0), "fields are given, but no state goes with this node");
    if (item->has_context && item->kind == FLUE_NODE_NEW)
        return text_fail(p, text_column(p, 0), "a new object has no context yet");
    return true;
}

bool text_node_read(struct parser *p, unsigned depth)
{
    enum flue_tree_op op = p->script->steps[p->operation_index].op;
    struct flue_text_item item = {.line = p->line, .depth = depth, .object = FLUE_TEXT_OBJECT_NO};
    bool begins = false;

    item.column = text_column(p, 0);
    if (!head_read(p, op, &item))
        return false;
    if (item.kind == FLUE_NODE_PLACEHOLDER)
        return text_item_add(p, &item) != NULL;
    char name[WORD_MAX + 1];
    strcpy(name, text_word(p, 1));
    if (!item_rest(p, op, &item) || !text_item_object(p, &item, 1, &begins) || !same_tree_twice(p, &item, 1))
        return false;
    if (item.kind == FLUE_NODE_NEW && begins && !item.has_ends && item.layer == FLUE_LAYER_PATH)
        return text_fail(p, text_column(p, 1), "path '%s' needs its addresses: SOURCE -> DESTINATION", name);
    if (item.kind == FLUE_NODE_NEW && begins && item.layer == FLUE_LAYER_TCP &&
        (item.given >> FLUE_F_LOCAL_PORT & item.given >> FLUE_F_REMOTE_PORT & 1) == 0)
        return text_fail(p, text_column(p, 1), "tcp '%s' needs its ports: LOCAL -> REMOTE", name);
    values_settle(p, &item, begins);
    return text_item_add(p, &item) != NULL;
}

/* The level an indented line is on; opens or closes levels. */
bool text_depth_of_line(struct parser *p, unsigned *depth)
{
    while (p->depth > 0 && p->indent < p->indents[p->depth - 1])
        p->depth--;
    if (p->depth > 0 && p->indent == p->indents[p->depth - 1]) {
        *depth = p->depth - 1;
        return true;
    }
    /* A line that closed levels must be on one of them. */
    const struct flue_text_step *step = &p->script->steps[p->operation_index];
    const struct flue_text_item *above = step->count > 0 ? &p->script->items[p->script->item_count - 1] : NULL;
    if (above != NULL && above->depth >= p->depth)
        return text_fail(p, p->indent + 1, "this indentation is that of no line above");
    if (p->depth == DEPTHS)
        return text_fail(p, p->indent + 1, "a tree has three levels: neighbor, path, tcp");
    *depth = p->depth;
    p->indents[p->depth++] = p->indent;
    return true;
}
