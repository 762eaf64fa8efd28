/*
 * The text form of state trees: any bytes are read or refused with a place inside the text, and what was read is printed to
 * something that reads the same.
 */
#include <stdlib.h>
#include <string.h>
#include "tree_text.h"

static void require(bool truth)
{
    if (!truth)
        abort();
}

static char *printed(const struct flue_text_script *script, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);

    require(out != NULL);
    flue_text_print(out, script);
    fclose(out);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flue_text_script *first, *second;
    struct flue_text_error error;
    size_t once_len, twice_len, lines = 1;

    if (flue_text_parse((const char *)data, size, &first, &error) != FLUE_OK) {
        for (size_t i = 0; i < size; i++)
            lines += data[i] == '\n';
        require(first == NULL && error.text[0] != '\0' && error.line <= lines && error.column <= size + 1);
        return 0;
    }
    for (size_t i = 0; i < first->item_count; i++) {
        const struct flue_text_item *item = &first->items[i];
        require(item->depth < 3 && item->layer < FLUE_TEXT_LAYERS && item->part < FLUE_PARTS);
        require(item->object < (int)first->object_count);
        require(item->kind == FLUE_NODE_PLACEHOLDER || item->object >= 0);
    }
    char *once = printed(first, &once_len);
    require(flue_text_parse(once, once_len, &second, &error) == FLUE_OK);
    char *twice = printed(second, &twice_len);
    require(once_len == twice_len && memcmp(once, twice, once_len) == 0);
    require(first->item_count == second->item_count && first->pair_count == second->pair_count);
    free(once);
    free(twice);
    flue_text_free(first);
    flue_text_free(second);
    return 0;
}
