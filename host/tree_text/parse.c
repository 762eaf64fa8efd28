/* Reading the tree text: lines, words, indentation.  The form is in docs/cli.md. */
#define _GNU_SOURCE /* strcasestr */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "tree_text.h"

#define WORDS_MAX   128u /* in a line */
#define WORD_MAX    95u  /* characters */
#define DEPTHS      3u
#define WAIT_MAX_US 86400000000u
#define VLANS_MAX   16u

struct word {
    unsigned column;
    char text[WORD_MAX + 1];
};

/* A growing array of the script. */
struct room {
    size_t steps, items, objects, pairs;
};

struct parser {
    struct flue_text_script *script;
    struct room room;
    struct flue_text_values *declared; /* of each object: the values last written */
    size_t declared_room;
    struct flue_text_error *error;
    enum flue_err failed;

    unsigned line;
    unsigned indent; /* of the line */
    struct word words[WORDS_MAX];
    unsigned word_count;

    struct flue_text_step *operation; /* whose nodes may follow; index, because the array grows */
    size_t operation_index;
    bool in_operation;
    unsigned indents[DEPTHS]; /* of the open levels */
    unsigned depth;           /* levels open */
};

/* Note the first error; false, so that it can be returned. */
__attribute__((format(printf, 3, 4))) static bool fail(struct parser *p, unsigned column, const char *format, ...)
{
    va_list args;

    if (p->failed != FLUE_OK)
        return false;
    p->failed = FLUE_EARG;
    p->error->line = p->line;
    p->error->column = column;
    va_start(args, format);
    vsnprintf(p->error->text, sizeof p->error->text, format, args);
    va_end(args);
    return false;
}

/* Make room for one more element; null when there is none (which is the error then). */
static void *grow(struct parser *p, void *array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return array;
    size_t more = *room == 0 ? 16 : *room * 2;
    void *moved = realloc(array, more * size);
    if (moved == NULL) {
        fail(p, 0, "out of memory");
        p->failed = FLUE_ENOMEM;
        return NULL;
    }
    *room = more;
    return moved;
}

static struct flue_text_step *step_add(struct parser *p, enum flue_text_step_kind kind)
{
    struct flue_text_script *s = p->script;
    struct flue_text_step *steps = grow(p, s->steps, &p->room.steps, s->step_count, sizeof *steps);

    if (steps == NULL)
        return NULL;
    s->steps = steps;
    struct flue_text_step *step = &steps[s->step_count++];
    *step = (struct flue_text_step){.kind = kind, .line = p->line, .object = FLUE_TEXT_OBJECT_NO};
    step->first = kind == FLUE_STEP_OPERATION ? s->item_count : s->pair_count;
    return step;
}

/* Add a pair to the newest step. */
static bool pair_add(struct parser *p, unsigned key, uint64_t value)
{
    struct flue_text_script *s = p->script;
    struct flue_text_pair *pairs = grow(p, s->pairs, &p->room.pairs, s->pair_count, sizeof *pairs);

    if (pairs == NULL)
        return false;
    s->pairs = pairs;
    pairs[s->pair_count++] = (struct flue_text_pair){.key = key, .value = value};
    s->steps[s->step_count - 1].count++;
    return true;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* Cut a line into words; `#` begins a comment.  A line without words has word_count 0. */
static bool line_cut(struct parser *p, const char *line, size_t len)
{
    size_t at = 0;

    p->word_count = 0;
    while (at < len && line[at] == ' ')
        at++;
    p->indent = (unsigned)at;
    while (at < len && line[at] != '#') {
        if (line[at] == ' ' || line[at] == '\r') {
            at++;
            continue;
        }
        struct word *word = &p->words[p->word_count];
        unsigned column = (unsigned)at + 1;
        if (p->word_count == WORDS_MAX)
            return fail(p, column, "more than %u words in a line", WORDS_MAX);
        size_t n = 0;
        while (at < len && line[at] != ' ' && line[at] != '#' && line[at] != '\r') {
            unsigned char c = (unsigned char)line[at];
            if (c == '\t')
                return fail(p, (unsigned)at + 1, "a tab: indent and separate with spaces");
            if (c < 0x20 || c >= 0x7F)
                return fail(p, (unsigned)at + 1, "a byte 0x%02X that is no printable ASCII character", c);
            if (n == WORD_MAX)
                return fail(p, column, "a word of more than %u characters", WORD_MAX);
            word->text[n++] = (char)c;
            at++;
        }
        word->text[n] = '\0';
        word->column = column;
        p->word_count++;
    }
    return true;
}

static const char *word(const struct parser *p, unsigned i)
{
    return i < p->word_count ? p->words[i].text : "";
}

/* Column of a word, or of the end of the line for the one that is missing. */
static unsigned column(const struct parser *p, unsigned i)
{
    if (i < p->word_count)
        return p->words[i].column;
    return p->word_count == 0 ? 1 : p->words[p->word_count - 1].column + (unsigned)strlen(p->words[p->word_count - 1].text);
}

static bool words_at_most(struct parser *p, unsigned count)
{
    return p->word_count <= count || fail(p, column(p, count), "'%.40s' is too much here", word(p, count));
}

/* A number of a setting or a VLAN. */
static bool number_at(struct parser *p, unsigned i, uint64_t largest, uint64_t *value)
{
    const char *text = word(p, i);
    char *end;

    if (i >= p->word_count)
        return fail(p, column(p, i), "a number is missing");
    if (strcmp(text, "none") == 0 && largest == UINT32_MAX) {
        *value = UINT32_MAX;
        return true;
    }
    *value = strtoull(text, &end, text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || strlen(text) > 18 || *value > largest)
        return fail(p, column(p, i), "'%.40s' is not a number from 0 to %llu", text, (unsigned long long)largest);
    return true;
}

/* ---- objects ----------------------------------------------------------------------------------------------------- */

static int object_find(const struct parser *p, const char *name)
{
    for (size_t i = 0; i < p->script->object_count; i++)
        if (strcmp(p->script->objects[i].name, name) == 0)
            return (int)i;
    return FLUE_TEXT_OBJECT_NO;
}

static bool name_ok(struct parser *p, unsigned i)
{
    static const char *const taken[] = {"all", "operation", "none"};
    const char *name = word(p, i);

    if (i >= p->word_count)
        return fail(p, column(p, i), "a name is missing");
    if (!isalpha((unsigned char)name[0]))
        return fail(p, column(p, i), "'%.40s' is not a name: a name begins with a letter", name);
    if (strlen(name) > FLUE_TEXT_NAME_MAX)
        return fail(p, column(p, i), "the name '%.40s' has more than %u characters", name, FLUE_TEXT_NAME_MAX);
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("_.-", *c) == NULL)
            return fail(p, column(p, i), "'%c' cannot be part of a name", *c);
    for (size_t k = 0; k < sizeof taken / sizeof taken[0]; k++)
        if (strcmp(name, taken[k]) == 0)
            return fail(p, column(p, i), "'%s' has a meaning of its own and cannot be a name", name);
    return true;
}

static int object_add(struct parser *p, const char *name, enum flue_tree_layer layer)
{
    struct flue_text_script *s = p->script;
    struct flue_text_object *objects = grow(p, s->objects, &p->room.objects, s->object_count, sizeof *objects);

    if (objects == NULL)
        return FLUE_TEXT_OBJECT_NO;
    s->objects = objects;
    struct flue_text_values *declared = grow(p, p->declared, &p->declared_room, s->object_count, sizeof *declared);
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

static bool field_find(struct parser *p, unsigned i, enum flue_tree_layer layer, const char *name, enum flue_text_field *field)
{
    for (unsigned f = 0; f < FLUE_TEXT_FIELDS; f++) {
        const struct flue_text_field_info *info = flue_text_field_info((enum flue_text_field)f);
        if (info->layer == layer && strcasecmp(info->name, name) == 0) {
            *field = (enum flue_text_field)f;
            return true;
        }
    }
    return fail(p, column(p, i), "a %s has no field '%.40s'%s", flue_text_layer_name(layer), name,
                name[0] != '\0' ? field_hint(layer, name) : "");
}

/* Cut word i at its `=`; the two halves are valid until the next line. */
static bool assignment(struct parser *p, unsigned i, const char **name, const char **value)
{
    char *equals = strchr(p->words[i].text, '=');

    if (equals == NULL)
        return fail(p, column(p, i), "'%.40s' is not NAME=VALUE", word(p, i));
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

    if (!assignment(p, i, &name, &text))
        return false;
    unsigned value_column = column(p, i) + (unsigned)strlen(name) + 1;
    if (strcmp(name, "context") == 0) {
        char *end;
        item->context = strtoull(text, &end, 0);
        item->has_context = true;
        return (isdigit((unsigned char)text[0]) && *end == '\0' && strlen(text) <= 18) ||
               fail(p, value_column, "'%.40s' is not a context: a number such as 0x12345678", text);
    }
    if (!field_find(p, i, item->layer, name, &field))
        return false;
    if ((item->given >> field & 1) != 0)
        return fail(p, column(p, i), "%s is given twice", flue_text_field_info(field)->name);
    const char *wrong = flue_text_value_read(field, text, &value);
    if (wrong != NULL)
        return fail(p, value_column, "%s", wrong);
    item->values.field[field] = value;
    item->given |= UINT64_C(1) << field;
    return true;
}

/* `SOURCE -> DESTINATION` of a path, `LOCAL -> REMOTE` of a connection, at word i. */
static bool address_read(struct parser *p, unsigned i, uint8_t *address, bool *ipv6)
{
    memset(address, 0, 16);
    *ipv6 = strchr(word(p, i), ':') != NULL;
    if (inet_pton(*ipv6 ? AF_INET6 : AF_INET, word(p, i), address) == 1)
        return true;
    return fail(p, column(p, i), "'%.40s' is not an IPv4 or IPv6 address", word(p, i));
}

static bool ends_read(struct parser *p, unsigned i, struct flue_text_item *item)
{
    if (i + 2 >= p->word_count)
        return fail(p, column(p, i + 2), "what is behind the arrow is missing");
    item->has_ends = true;
    if (item->layer == FLUE_LAYER_PATH) {
        bool ipv6;
        if (!address_read(p, i, item->values.source, &item->values.ipv6) ||
            !address_read(p, i + 2, item->values.destination, &ipv6))
            return false;
        return ipv6 == item->values.ipv6 || fail(p, column(p, i + 2), "one address is IPv4, the other IPv6");
    }
    if (item->layer == FLUE_LAYER_TCP) {
        item->given |= UINT64_C(1) << FLUE_F_LOCAL_PORT | UINT64_C(1) << FLUE_F_REMOTE_PORT;
        return number_at(p, i, UINT16_MAX, &item->values.field[FLUE_F_LOCAL_PORT]) &&
               number_at(p, i + 2, UINT16_MAX, &item->values.field[FLUE_F_REMOTE_PORT]);
    }
    return fail(p, column(p, i), "a %s has no two ends", flue_text_layer_name(item->layer));
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
static enum flue_text_part part_default(enum flue_tree_op op, enum flue_tree_layer layer, uint64_t given)
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

static struct flue_text_item *item_add(struct parser *p, const struct flue_text_item *item)
{
    struct flue_text_script *s = p->script;

    if (s->item_count == FLUE_TEXT_NODES_MAX) {
        fail(p, column(p, 0), "more than %u nodes", FLUE_TEXT_NODES_MAX);
        return NULL;
    }
    struct flue_text_item *items = grow(p, s->items, &p->room.items, s->item_count, sizeof *items);
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
static bool item_object(struct parser *p, struct flue_text_item *item, unsigned name_word, bool *begins)
{
    if (!name_ok(p, name_word))
        return false;
    item->object = object_find(p, word(p, name_word));
    *begins = item->object == FLUE_TEXT_OBJECT_NO;
    if (!*begins && item->kind == FLUE_NODE_NEW && p->script->objects[item->object].layer != item->layer)
        return fail(p, column(p, name_word), "'%s' is a %s, see line %u", word(p, name_word),
                    flue_text_layer_name(p->script->objects[item->object].layer), p->script->objects[item->object].line);
    if (!*begins)
        return true;
    if (item->kind != FLUE_NODE_NEW && !item->has_context)
        return fail(p, column(p, name_word), "nothing above is called '%s'", word(p, name_word));
    item->object = object_add(p, word(p, name_word), item->layer);
    return item->object != FLUE_TEXT_OBJECT_NO;
}

static bool same_tree_twice(struct parser *p, const struct flue_text_item *item, unsigned name_word)
{
    const struct flue_text_step *step = &p->script->steps[p->operation_index];

    for (size_t i = step->first; i < p->script->item_count; i++)
        if (p->script->items[i].object == item->object && item->kind == FLUE_NODE_NEW)
            return fail(p, column(p, name_word), "'%s' is in this tree already, see line %u", word(p, name_word),
                        p->script->items[i].line);
    return true;
}

/* The layer a node line begins with, and what kind of node that makes. */
static bool head_read(struct parser *p, enum flue_tree_op op, struct flue_text_item *item)
{
    const char *head = word(p, 0);

    if (strcmp(head, "placeholder") == 0) {
        item->kind = FLUE_NODE_PLACEHOLDER;
        return words_at_most(p, 1);
    }
    if (strcmp(head, "link") == 0) {
        int object = p->word_count > 1 ? object_find(p, word(p, 1)) : FLUE_TEXT_OBJECT_NO;
        item->kind = FLUE_NODE_REFERENCE;
        if (op != FLUE_TREE_INITIATE)
            return fail(p, column(p, 0), "link is for initiate; elsewhere every node is a reference: neighbor, path or tcp");
        if (p->word_count < 2 || object == FLUE_TEXT_OBJECT_NO)
            return name_ok(p, 1) && fail(p, column(p, 1), "nothing above is called '%s'", word(p, 1));
        item->layer = p->script->objects[object].layer;
        return true;
    }
    for (unsigned layer = FLUE_LAYER_NEIGHBOR; layer < FLUE_TEXT_LAYERS; layer++)
        if (strcmp(head, flue_text_layer_name((enum flue_tree_layer)layer)) == 0) {
            item->kind = op == FLUE_TREE_INITIATE ? FLUE_NODE_NEW : FLUE_NODE_REFERENCE;
            item->layer = (enum flue_tree_layer)layer;
            return true;
        }
    return fail(p, column(p, 0), "a node begins with neighbor, path, tcp, %splaceholder, not '%.40s'",
                op == FLUE_TREE_INITIATE ? "link, " : "", head);
}

static bool item_rest(struct parser *p, enum flue_tree_op op, struct flue_text_item *item)
{
    bool has_part = false;

    for (unsigned i = 2; i < p->word_count; i++) {
        if (strcmp(word(p, i + 1), "->") == 0) {
            if (item->has_ends)
                return fail(p, column(p, i), "its two ends are given twice");
            if (!ends_read(p, i, item))
                return false;
            i += 2;
        } else if (strchr(word(p, i), '=') != NULL) {
            if (!field_read(p, i, item))
                return false;
        } else if (part_find(word(p, i), &item->part)) {
            if (has_part)
                return fail(p, column(p, i), "which state is wanted is given twice");
            has_part = true;
        } else {
            return fail(p, column(p, i), "'%.40s' is not NAME=VALUE, const, cached, delegated, full, none, or A -> B",
                        word(p, i));
        }
    }
    if (!has_part)
        item->part = item->kind == FLUE_NODE_NEW ? FLUE_PART_FULL : part_default(op, item->layer, item->given);
    if (item->given != 0 && item->part == FLUE_PART_NONE)
        return fail(p, column(p, 0), "fields are given, but no state goes with this node");
    if (item->has_context && item->kind == FLUE_NODE_NEW)
        return fail(p, column(p, 0), "a new object has no context yet");
    return true;
}

static bool node_read(struct parser *p, unsigned depth)
{
    enum flue_tree_op op = p->script->steps[p->operation_index].op;
    struct flue_text_item item = {.line = p->line, .depth = depth, .object = FLUE_TEXT_OBJECT_NO};
    bool begins = false;

    item.column = column(p, 0);
    if (!head_read(p, op, &item))
        return false;
    if (item.kind == FLUE_NODE_PLACEHOLDER)
        return item_add(p, &item) != NULL;
    char name[WORD_MAX + 1];
    strcpy(name, word(p, 1));
    if (!item_rest(p, op, &item) || !item_object(p, &item, 1, &begins) || !same_tree_twice(p, &item, 1))
        return false;
    if (item.kind == FLUE_NODE_NEW && begins && !item.has_ends && item.layer == FLUE_LAYER_PATH)
        return fail(p, column(p, 1), "path '%s' needs its addresses: SOURCE -> DESTINATION", name);
    if (item.kind == FLUE_NODE_NEW && begins && item.layer == FLUE_LAYER_TCP &&
        (item.given >> FLUE_F_LOCAL_PORT & item.given >> FLUE_F_REMOTE_PORT & 1) == 0)
        return fail(p, column(p, 1), "tcp '%s' needs its ports: LOCAL -> REMOTE", name);
    values_settle(p, &item, begins);
    return item_add(p, &item) != NULL;
}

/* The level an indented line is on; opens or closes levels. */
static bool depth_of_line(struct parser *p, unsigned *depth)
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
        return fail(p, p->indent + 1, "this indentation is that of no line above");
    if (p->depth == DEPTHS)
        return fail(p, p->indent + 1, "a tree has three levels: neighbor, path, tcp");
    *depth = p->depth;
    p->indents[p->depth++] = p->indent;
    return true;
}

/* ---- statements -------------------------------------------------------------------------------------------------- */

/* Nodes on the operation's own line: names, or `all`. */
static bool short_form(struct parser *p, struct flue_text_step *step)
{
    if (p->word_count == 2 && strcmp(word(p, 1), "all") == 0) {
        if (step->op == FLUE_TREE_INITIATE)
            return fail(p, column(p, 1), "initiate needs its tree, not 'all'");
        step->all = true;
        p->in_operation = false;
        return true;
    }
    if (p->word_count > 1 && step->op == FLUE_TREE_INITIATE)
        return fail(p, column(p, 1), "the tree of initiate is in indented lines below it");
    for (unsigned i = 1; i < p->word_count; i++) {
        struct flue_text_item item = {.line = p->line, .column = column(p, i), .kind = FLUE_NODE_REFERENCE};
        bool begins;
        if (!item_object(p, &item, i, &begins))
            return false;
        item.layer = p->script->objects[item.object].layer;
        item.part = part_default(step->op, item.layer, 0);
        item.values = p->declared[item.object];
        if (item_add(p, &item) == NULL)
            return false;
        p->in_operation = false;
    }
    return true;
}

static bool operation_read(struct parser *p, enum flue_tree_op op)
{
    struct flue_text_step *step = step_add(p, FLUE_STEP_OPERATION);

    if (step == NULL)
        return false;
    step->op = op;
    p->operation_index = p->script->step_count - 1;
    p->in_operation = true;
    p->depth = 0;
    return short_form(p, step);
}

static bool operation_end(struct parser *p)
{
    bool waiting = p->in_operation && p->script->steps[p->operation_index].count == 0;

    p->in_operation = false;
    if (!waiting)
        return true;
    const struct flue_text_step *step = &p->script->steps[p->operation_index];
    p->line = step->line;
    return fail(p, 1, "%s has no nodes: indent them below it%s", flue_text_op_name(step->op),
                step->op == FLUE_TREE_INITIATE ? "" : ", or name them behind it");
}

/* `limit NAME VALUE ...`, `limit none`. */
static bool limit_read(struct parser *p)
{
    struct flue_text_step *step = step_add(p, FLUE_STEP_SETTING);
    unsigned key;
    uint64_t value;

    if (step == NULL)
        return false;
    step->group = FLUE_CFG_LIMITS;
    if (p->word_count < 2)
        return fail(p, column(p, 1), "limit needs NAME VALUE, or none");
    if (p->word_count == 2 && strcmp(word(p, 1), "none") == 0) {
        for (key = 0; flue_text_setting_name(FLUE_CFG_LIMITS, key) != NULL; key++)
            if (!pair_add(p, key, UINT32_MAX))
                return false;
        return true;
    }
    for (unsigned i = 1; i < p->word_count; i += 2) {
        if (!flue_text_setting_find(FLUE_CFG_LIMITS, word(p, i), &key))
            return fail(p, column(p, i),
                        "'%.40s' has no limit; there are neighbors, paths, connections, hw_addresses, ip_addresses, vlans, "
                        "rcv_wnd, path_mtu, xmit_buffers, rcv_buffers",
                        word(p, i));
        if (!number_at(p, i + 1, UINT32_MAX, &value) || !pair_add(p, key, value))
            return false;
    }
    return true;
}

/* `vlans 5 6`, `vlans none`. */
static bool vlans_read(struct parser *p)
{
    struct flue_text_step *step = step_add(p, FLUE_STEP_SETTING);
    uint64_t value;

    if (step == NULL)
        return false;
    step->group = FLUE_CFG_VLANS;
    if (p->word_count < 2)
        return fail(p, column(p, 1), "vlans needs their ids, or none");
    if (p->word_count == 2 && strcmp(word(p, 1), "none") == 0)
        return true;
    if (p->word_count - 1 > VLANS_MAX)
        return fail(p, column(p, VLANS_MAX + 1), "more than %u VLANs", VLANS_MAX);
    for (unsigned i = 1; i < p->word_count; i++)
        if (!number_at(p, i, 4095, &value) || !pair_add(p, i - 1, value))
            return false;
    return true;
}

/* `switch ipv4 off ...`. */
static bool switch_read(struct parser *p)
{
    struct flue_text_step *step = step_add(p, FLUE_STEP_SETTING);
    unsigned key;

    if (step == NULL)
        return false;
    step->group = FLUE_CFG_SWITCHES;
    if (p->word_count < 2)
        return fail(p, column(p, 1), "switch needs NAME on, or NAME off");
    for (unsigned i = 1; i < p->word_count; i += 2) {
        bool on = strcmp(word(p, i + 1), "on") == 0;
        if (!flue_text_setting_find(FLUE_CFG_SWITCHES, word(p, i), &key))
            return fail(p, column(p, i), "there is no switch '%.40s'; there are ipv4, ipv6, encap_ipv4, encap_ipv6, paused",
                        word(p, i));
        if (!on && strcmp(word(p, i + 1), "off") != 0)
            return fail(p, column(p, i + 1), "%s is on or off, not '%.40s'", word(p, i), word(p, i + 1));
        if (!pair_add(p, key, on))
            return false;
    }
    return true;
}

/* `parameters TicksPerSecond=100 ...`. */
static bool parameters_read(struct parser *p)
{
    struct flue_text_step *step = step_add(p, FLUE_STEP_SETTING);
    const char *name, *text;
    unsigned key;

    if (step == NULL)
        return false;
    step->group = FLUE_CFG_CONNECTION;
    if (p->word_count < 2)
        return fail(p, column(p, 1), "parameters needs NAME=VALUE");
    for (unsigned i = 1; i < p->word_count; i++) {
        char *end;
        if (!assignment(p, i, &name, &text))
            return false;
        if (!flue_text_setting_find(FLUE_CFG_CONNECTION, name, &key))
            return fail(p, column(p, i), "there is no run-time parameter '%.40s'", name);
        unsigned long long value = strtoull(text, &end, 10);
        if (!isdigit((unsigned char)text[0]) || *end != '\0' || strlen(text) > 10 || value > UINT32_MAX)
            return fail(p, column(p, i) + (unsigned)strlen(name) + 1, "%s is a number, not '%.40s'", name, text);
        if (!pair_add(p, key, value))
            return false;
    }
    return true;
}

/* `wait 500ms`. */
static bool wait_read(struct parser *p)
{
    static const struct {
        const char *unit;
        uint64_t us;
    } units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}};
    struct flue_text_step *step = step_add(p, FLUE_STEP_WAIT);
    char *end = NULL;

    if (step == NULL)
        return false;
    unsigned long long n = strtoull(word(p, 1), &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (isdigit((unsigned char)word(p, 1)[0]) && strcmp(end, units[i].unit) == 0 && n <= WAIT_MAX_US / units[i].us) {
            step->wait_us = n * units[i].us;
            return words_at_most(p, 2);
        }
    return fail(p, column(p, 1), "wait needs a time such as 500us, 20ms or 3s, at most a day, not '%.40s'", word(p, 1));
}

/* `expect NAME|operation [STATUS [DETAIL]] [FIELD=VALUE ...]`. */
static bool expect_read(struct parser *p)
{
    struct flue_text_step *step = step_add(p, FLUE_STEP_EXPECT);
    enum flue_text_field field;
    const char *name, *text;
    uint64_t value;

    if (step == NULL)
        return false;
    if (p->word_count < 3)
        return fail(p, column(p, p->word_count), "expect needs a name (or operation) and a status or FIELD=VALUE");
    bool operation = strcmp(word(p, 1), "operation") == 0;
    if (!operation && !name_ok(p, 1))
        return false;
    step->object = operation ? FLUE_TEXT_OBJECT_NO : object_find(p, word(p, 1));
    if (!operation && step->object == FLUE_TEXT_OBJECT_NO)
        return fail(p, column(p, 1), "nothing above is called '%s'", word(p, 1));
    for (unsigned i = 2; i < p->word_count; i++) {
        if (strchr(word(p, i), '=') != NULL) {
            if (operation)
                return fail(p, column(p, i), "an operation has no fields");
            if (!assignment(p, i, &name, &text) || !field_find(p, i, p->script->objects[step->object].layer, name, &field))
                return false;
            const char *wrong = flue_text_value_read(field, text, &value);
            if (wrong != NULL)
                return fail(p, column(p, i) + (unsigned)strlen(name) + 1, "%s", wrong);
            if (!pair_add(p, field, value))
                return false;
        } else if (i == 2) {
            if (!flue_text_status_find(word(p, i), &step->status))
                return fail(p, column(p, i), "there is no status '%.60s'", word(p, i));
            step->has_status = true;
        } else if (i == 3 && step->has_status) {
            if (!flue_text_detail_find(word(p, i), &step->detail))
                return fail(p, column(p, i), "there is no detail '%.40s'", word(p, i));
            step->has_detail = true;
        } else {
            return fail(p, column(p, i), "'%.40s' is too much here", word(p, i));
        }
    }
    return true;
}

static bool list_read(struct parser *p)
{
    return step_add(p, FLUE_STEP_LIST) != NULL && words_at_most(p, 1);
}

static bool statement_read(struct parser *p)
{
    static const struct {
        const char *name;
        bool (*read)(struct parser *p);
    } statements[] = {{"limit", limit_read}, {"vlans", vlans_read},   {"switch", switch_read}, {"parameters", parameters_read},
                      {"wait", wait_read},   {"expect", expect_read}, {"list", list_read}};
    static const enum flue_tree_op ops[] = {FLUE_TREE_INITIATE, FLUE_TREE_QUERY, FLUE_TREE_UPDATE, FLUE_TREE_INVALIDATE,
                                            FLUE_TREE_TERMINATE};

    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(word(p, 0), flue_text_op_name(ops[i])) == 0)
            return operation_read(p, ops[i]);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (strcmp(word(p, 0), statements[i].name) == 0)
            return statements[i].read(p);
    return fail(
        p, column(p, 0),
        "there is no statement '%.40s'; there are initiate, query, update, invalidate, terminate, expect, limit, vlans, "
        "switch, parameters, wait, list",
        word(p, 0));
}

static bool line_read(struct parser *p, const char *line, size_t len)
{
    unsigned depth = 0;

    if (!line_cut(p, line, len))
        return false;
    if (p->word_count == 0)
        return true;
    if (p->indent > 0 && !p->in_operation)
        return fail(p, p->indent + 1, "an indented line is a node of the operation above, and there is none");
    if (p->indent > 0)
        return depth_of_line(p, &depth) && node_read(p, depth);
    unsigned at = p->line;
    if (!operation_end(p))
        return false;
    p->line = at;
    return statement_read(p);
}

enum flue_err flue_text_parse(const char *text, size_t len, struct flue_text_script **script, struct flue_text_error *error)
{
    struct parser *p = calloc(1, sizeof *p);

    *script = NULL;
    memset(error, 0, sizeof *error);
    if (p != NULL)
        p->script = calloc(1, sizeof *p->script);
    if (p == NULL || p->script == NULL) {
        free(p);
        return FLUE_ENOMEM;
    }
    p->error = error;
    if (len > FLUE_TEXT_BYTES_MAX)
        fail(p, 0, "the text has more than %u bytes", FLUE_TEXT_BYTES_MAX);
    for (size_t at = 0; p->failed == FLUE_OK && at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line_len = end != NULL ? (size_t)(end - text) - at : len - at;
        p->line++;
        if (!line_read(p, text + at, line_len))
            break;
        at += line_len + 1;
    }
    if (p->failed == FLUE_OK && operation_end(p) && p->script->step_count == 0) {
        p->line = 0;
        fail(p, 0, "there is nothing to do in it");
    }
    enum flue_err err = p->failed;
    if (err == FLUE_OK)
        *script = p->script;
    else
        flue_text_free(p->script);
    free(p->declared);
    free(p);
    return err;
}

void flue_text_free(struct flue_text_script *script)
{
    if (script == NULL)
        return;
    free(script->steps);
    free(script->items);
    free(script->objects);
    free(script->pairs);
    free(script);
}
