/* Reading the tree text: statements, line by line.  The form is in docs/cli.md. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "parse_internal.h"

/* ---- statements -------------------------------------------------------------------------------------------------- */

/* Nodes on the operation's own line: names, or `all`. */
static bool short_form(struct parser *p, struct flue_text_step *step)
{
    if (p->word_count == 2 && strcmp(text_word(p, 1), "all") == 0) {
        if (step->op == FLUE_TREE_INITIATE)
            return text_fail(p, text_column(p, 1), "initiate needs its tree, not 'all'");
        step->all = true;
        p->in_operation = false;
        return true;
    }
    if (p->word_count > 1 && step->op == FLUE_TREE_INITIATE)
        return text_fail(p, text_column(p, 1), "the tree of initiate is in indented lines below it");
    for (unsigned i = 1; i < p->word_count; i++) {
        struct flue_text_item item = {.line = p->line, .column = text_column(p, i), .kind = FLUE_NODE_REFERENCE};
        bool begins;
        if (!text_item_object(p, &item, i, &begins))
            return false;
        item.layer = p->script->objects[item.object].layer;
        item.part = text_part_default(step->op, item.layer, 0);
        item.values = p->declared[item.object];
        if (text_item_add(p, &item) == NULL)
            return false;
        p->in_operation = false;
    }
    return true;
}

static bool operation_read(struct parser *p, enum flue_tree_op op)
{
    struct flue_text_step *step = text_step_add(p, FLUE_STEP_OPERATION);

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
    return text_fail(p, 1, "%s has no nodes: indent them below it%s", flue_text_op_name(step->op),
                     step->op == FLUE_TREE_INITIATE ? "" : ", or name them behind it");
}

/* `limit NAME VALUE ...`, `limit none`. */
static bool limit_read(struct parser *p)
{
    struct flue_text_step *step = text_step_add(p, FLUE_STEP_SETTING);
    unsigned key;
    uint64_t value;

    if (step == NULL)
        return false;
    step->group = FLUE_CFG_LIMITS;
    if (p->word_count < 2)
        return text_fail(p, text_column(p, 1), "limit needs NAME VALUE, or none");
    if (p->word_count == 2 && strcmp(text_word(p, 1), "none") == 0) {
        for (key = 0; flue_text_setting_name(FLUE_CFG_LIMITS, key) != NULL; key++)
            if (!text_pair_add(p, key, UINT32_MAX))
                return false;
        return true;
    }
    for (unsigned i = 1; i < p->word_count; i += 2) {
        if (!flue_text_setting_find(FLUE_CFG_LIMITS, text_word(p, i), &key))
            return text_fail(
                p, text_column(p, i),
                "'%.40s' has no limit; there are neighbors, paths, connections, hw_addresses, ip_addresses, vlans, "
                "rcv_wnd, path_mtu, xmit_buffers, rcv_buffers",
                text_word(p, i));
        if (!text_number_at(p, i + 1, UINT32_MAX, &value) || !text_pair_add(p, key, value))
            return false;
    }
    return true;
}

/* `vlans 5 6`, `vlans none`. */
static bool vlans_read(struct parser *p)
{
    struct flue_text_step *step = text_step_add(p, FLUE_STEP_SETTING);
    uint64_t value;

    if (step == NULL)
        return false;
    step->group = FLUE_CFG_VLANS;
    if (p->word_count < 2)
        return text_fail(p, text_column(p, 1), "vlans needs their ids, or none");
    if (p->word_count == 2 && strcmp(text_word(p, 1), "none") == 0)
        return true;
    if (p->word_count - 1 > VLANS_MAX)
        return text_fail(p, text_column(p, VLANS_MAX + 1), "more than %u VLANs", VLANS_MAX);
    for (unsigned i = 1; i < p->word_count; i++)
        if (!text_number_at(p, i, 4095, &value) || !text_pair_add(p, i - 1, value))
            return false;
    return true;
}

/* `switch ipv4 off ...`. */
static bool switch_read(struct parser *p)
{
    struct flue_text_step *step = text_step_add(p, FLUE_STEP_SETTING);
    unsigned key;

    if (step == NULL)
        return false;
    step->group = FLUE_CFG_SWITCHES;
    if (p->word_count < 2)
        return text_fail(p, text_column(p, 1), "switch needs NAME on, or NAME off");
    for (unsigned i = 1; i < p->word_count; i += 2) {
        bool on = strcmp(text_word(p, i + 1), "on") == 0;
        if (!flue_text_setting_find(FLUE_CFG_SWITCHES, text_word(p, i), &key))
            return text_fail(p, text_column(p, i),
                             "there is no switch '%.40s'; there are ipv4, ipv6, encap_ipv4, encap_ipv6, paused",
                             text_word(p, i));
        if (!on && strcmp(text_word(p, i + 1), "off") != 0)
            return text_fail(p, text_column(p, i + 1), "%s is on or off, not '%.40s'", text_word(p, i), text_word(p, i + 1));
        if (!text_pair_add(p, key, on))
            return false;
    }
    return true;
}

/* `parameters TicksPerSecond=100 ...`. */
static bool parameters_read(struct parser *p)
{
    struct flue_text_step *step = text_step_add(p, FLUE_STEP_SETTING);
    const char *name, *text;
    unsigned key;

    if (step == NULL)
        return false;
    step->group = FLUE_CFG_CONNECTION;
    if (p->word_count < 2)
        return text_fail(p, text_column(p, 1), "parameters needs NAME=VALUE");
    for (unsigned i = 1; i < p->word_count; i++) {
        char *end;
        if (!text_assignment(p, i, &name, &text))
            return false;
        if (!flue_text_setting_find(FLUE_CFG_CONNECTION, name, &key))
            return text_fail(p, text_column(p, i), "there is no run-time parameter '%.40s'", name);
        unsigned long long value = strtoull(text, &end, 10);
        if (!isdigit((unsigned char)text[0]) || *end != '\0' || strlen(text) > 10 || value > UINT32_MAX)
            return text_fail(p, text_column(p, i) + (unsigned)strlen(name) + 1, "%s is a number, not '%.40s'", name, text);
        if (!text_pair_add(p, key, value))
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
    struct flue_text_step *step = text_step_add(p, FLUE_STEP_WAIT);
    char *end = NULL;

    if (step == NULL)
        return false;
    unsigned long long n = strtoull(text_word(p, 1), &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (isdigit((unsigned char)text_word(p, 1)[0]) && strcmp(end, units[i].unit) == 0 && n <= WAIT_MAX_US / units[i].us) {
            step->wait_us = n * units[i].us;
            return text_words_at_most(p, 2);
        }
    return text_fail(p, text_column(p, 1), "wait needs a time such as 500us, 20ms or 3s, at most a day, not '%.40s'",
                     text_word(p, 1));
}

/* `expect NAME|operation [STATUS [DETAIL]] [FIELD=VALUE ...]`. */
static bool expect_read(struct parser *p)
{
    struct flue_text_step *step = text_step_add(p, FLUE_STEP_EXPECT);
    enum flue_text_field field;
    const char *name, *text;
    uint64_t value;

    if (step == NULL)
        return false;
    if (p->word_count < 3)
        return text_fail(p, text_column(p, p->word_count), "expect needs a name (or operation) and a status or FIELD=VALUE");
    bool operation = strcmp(text_word(p, 1), "operation") == 0;
    if (!operation && !text_name_ok(p, 1))
        return false;
    step->object = operation ? FLUE_TEXT_OBJECT_NO : text_object_find(p, text_word(p, 1));
    if (!operation && step->object == FLUE_TEXT_OBJECT_NO)
        return text_fail(p, text_column(p, 1), "nothing above is called '%s'", text_word(p, 1));
    for (unsigned i = 2; i < p->word_count; i++) {
        if (strchr(text_word(p, i), '=') != NULL) {
            if (operation)
                return text_fail(p, text_column(p, i), "an operation has no fields");
            if (!text_assignment(p, i, &name, &text) ||
                !text_field_find(p, i, p->script->objects[step->object].layer, name, &field))
                return false;
            const char *wrong = flue_text_value_read(field, text, &value);
            if (wrong != NULL)
                return text_fail(p, text_column(p, i) + (unsigned)strlen(name) + 1, "%s", wrong);
            if (!text_pair_add(p, field, value))
                return false;
        } else if (i == 2) {
            if (!flue_text_status_find(text_word(p, i), &step->status))
                return text_fail(p, text_column(p, i), "there is no status '%.60s'", text_word(p, i));
            step->has_status = true;
        } else if (i == 3 && step->has_status) {
            if (!flue_text_detail_find(text_word(p, i), &step->detail))
                return text_fail(p, text_column(p, i), "there is no detail '%.40s'", text_word(p, i));
            step->has_detail = true;
        } else {
            return text_fail(p, text_column(p, i), "'%.40s' is too much here", text_word(p, i));
        }
    }
    return true;
}

static bool list_read(struct parser *p)
{
    return text_step_add(p, FLUE_STEP_LIST) != NULL && text_words_at_most(p, 1);
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
        if (strcmp(text_word(p, 0), flue_text_op_name(ops[i])) == 0)
            return operation_read(p, ops[i]);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (strcmp(text_word(p, 0), statements[i].name) == 0)
            return statements[i].read(p);
    return text_fail(
        p, text_column(p, 0),
        "there is no statement '%.40s'; there are initiate, query, update, invalidate, terminate, expect, limit, vlans, "
        "switch, parameters, wait, list",
        text_word(p, 0));
}

static bool line_read(struct parser *p, const char *line, size_t len)
{
    unsigned depth = 0;

    if (!text_line_cut(p, line, len))
        return false;
    if (p->word_count == 0)
        return true;
    if (p->indent > 0 && !p->in_operation)
        return text_fail(p, p->indent + 1, "an indented line is a node of the operation above, and there is none");
    if (p->indent > 0)
        return text_depth_of_line(p, &depth) && text_node_read(p, depth);
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
        text_fail(p, 0, "the text has more than %u bytes", FLUE_TEXT_BYTES_MAX);
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
        text_fail(p, 0, "there is nothing to do in it");
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
