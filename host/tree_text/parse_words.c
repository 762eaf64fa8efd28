/* Reading the tree text: the first error, growing arrays, lines cut into words. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "parse_internal.h"

/* Note the first error; false, so that it can be returned. */
bool text_fail(struct parser *p, unsigned column, const char *format, ...)
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
void *text_grow(struct parser *p, void *array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return array;
    size_t more = *room == 0 ? 16 : *room * 2;
    void *moved = realloc(array, more * size);
    if (moved == NULL) {
        text_fail(p, 0, "out of memory");
        p->failed = FLUE_ENOMEM;
        return NULL;
    }
    *room = more;
    return moved;
}

struct flue_text_step *text_step_add(struct parser *p, enum flue_text_step_kind kind)
{
    struct flue_text_script *s = p->script;
    struct flue_text_step *steps = text_grow(p, s->steps, &p->room.steps, s->step_count, sizeof *steps);

    if (steps == NULL)
        return NULL;
    s->steps = steps;
    struct flue_text_step *step = &steps[s->step_count++];
    *step = (struct flue_text_step){.kind = kind, .line = p->line, .object = FLUE_TEXT_OBJECT_NO};
    step->first = kind == FLUE_STEP_OPERATION ? s->item_count : s->pair_count;
    return step;
}

/* Add a pair to the newest step. */
bool text_pair_add(struct parser *p, unsigned key, uint64_t value)
{
    struct flue_text_script *s = p->script;
    struct flue_text_pair *pairs = text_grow(p, s->pairs, &p->room.pairs, s->pair_count, sizeof *pairs);

    if (pairs == NULL)
        return false;
    s->pairs = pairs;
    pairs[s->pair_count++] = (struct flue_text_pair){.key = key, .value = value};
    s->steps[s->step_count - 1].count++;
    return true;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* Cut a line into words; `#` begins a comment.  A line without words has word_count 0. */
bool text_line_cut(struct parser *p, const char *line, size_t len)
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
            return text_fail(p, column, "more than %u words in a line", WORDS_MAX);
        size_t n = 0;
        while (at < len && line[at] != ' ' && line[at] != '#' && line[at] != '\r') {
            unsigned char c = (unsigned char)line[at];
            if (c == '\t')
                return text_fail(p, (unsigned)at + 1, "a tab: indent and separate with spaces");
            if (c < 0x20 || c >= 0x7F)
                return text_fail(p, (unsigned)at + 1, "a byte 0x%02X that is no printable ASCII character", c);
            if (n == WORD_MAX)
                return text_fail(p, column, "a word of more than %u characters", WORD_MAX);
            word->text[n++] = (char)c;
            at++;
        }
        word->text[n] = '\0';
        word->column = column;
        p->word_count++;
    }
    return true;
}

const char *text_word(const struct parser *p, unsigned i)
{
    return i < p->word_count ? p->words[i].text : "";
}

/* Column of a word, or of the end of the line for the one that is missing. */
unsigned text_column(const struct parser *p, unsigned i)
{
    if (i < p->word_count)
        return p->words[i].column;
    return p->word_count == 0 ? 1 : p->words[p->word_count - 1].column + (unsigned)strlen(p->words[p->word_count - 1].text);
}

bool text_words_at_most(struct parser *p, unsigned count)
{
    return p->word_count <= count || text_fail(p, text_column(p, count), "'%.40s' is too much here", text_word(p, count));
}

/* A number of a setting or a VLAN. */
bool text_number_at(struct parser *p, unsigned i, uint64_t largest, uint64_t *value)
{
    const char *text = text_word(p, i);
    char *end;

    if (i >= p->word_count)
        return text_fail(p, text_column(p, i), "a number is missing");
    if (strcmp(text, "none") == 0 && largest == UINT32_MAX) {
        *value = UINT32_MAX;
        return true;
    }
    *value = strtoull(text, &end, text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || strlen(text) > 18 || *value > largest)
        return text_fail(p, text_column(p, i), "'%.40s' is not a number from 0 to %llu", text, (unsigned long long)largest);
    return true;
}
