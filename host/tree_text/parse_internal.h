/* What the parts of the reader share: its state, words, nodes. */
#ifndef FLUE_TEXT_PARSE_INTERNAL_H
#define FLUE_TEXT_PARSE_INTERNAL_H

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

/* ---- parse_words.c ----------------------------------------------------------------------------------------------- */

/* Note the first error; false, so that it can be returned. */
bool text_fail(struct parser *p, unsigned column, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Make room for one more element; null when there is none (which is the error then). */
void *text_grow(struct parser *p, void *array, size_t *room, size_t count, size_t size);

/* Begin a step; null without memory. */
struct flue_text_step *text_step_add(struct parser *p, enum flue_text_step_kind kind);

/* Add a pair to the newest step. */
bool text_pair_add(struct parser *p, unsigned key, uint64_t value);

/* Cut a line into words; `#` begins a comment.  A line without words has word_count 0. */
bool text_line_cut(struct parser *p, const char *line, size_t len);

/* Word i of the line; "" when there is none. */
const char *text_word(const struct parser *p, unsigned i);

/* Column of a word, or of the end of the line for the one that is missing. */
unsigned text_column(const struct parser *p, unsigned i);

/* False, with the error at the first word too many. */
bool text_words_at_most(struct parser *p, unsigned count);

/* A number of a setting or a VLAN. */
bool text_number_at(struct parser *p, unsigned i, uint64_t largest, uint64_t *value);

/* ---- parse_node.c ------------------------------------------------------------------------------------------------ */

/* Number of the object of this name; FLUE_TEXT_OBJECT_NO: there is none. */
int text_object_find(const struct parser *p, const char *name);

/* Word i can be a name: it is none of the words of the form. */
bool text_name_ok(struct parser *p, unsigned i);

/* The field of this name that a state of the layer has. */
bool text_field_find(struct parser *p, unsigned i, enum flue_tree_layer layer, const char *name, enum flue_text_field *field);

/* Cut word i at its `=`; the two halves are valid until the next line. */
bool text_assignment(struct parser *p, unsigned i, const char **name, const char **value);

/* State structures a reference gets when none are named. */
enum flue_text_part text_part_default(enum flue_tree_op op, enum flue_tree_layer layer, uint64_t given);

/* Add a node to the newest step; null without memory. */
struct flue_text_item *text_item_add(struct parser *p, const struct flue_text_item *item);

/* The object of a node, which a new one or a forged context may name for the first time. */
bool text_item_object(struct parser *p, struct flue_text_item *item, unsigned name_word, bool *begins);

/* The line as a node on this level. */
bool text_node_read(struct parser *p, unsigned depth);

/* The level an indented line is on; opens or closes levels. */
bool text_depth_of_line(struct parser *p, unsigned *depth);

#endif
