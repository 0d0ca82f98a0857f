/* Fuzz: any text is a condition or is refused in one clear line, without a fault; what comes out of
 * it can be evaluated: operands stand before what joins them, values belong to their comparison. */
#include "sales/where_internal.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void stop_unless(bool is_well, const char *problem)
{
    if (is_well)
        return;
    (void)fprintf(stderr, "where_fuzz: %s\n", problem);
    abort();
}

static void check_comparison(const Where *where, const WhereNode *node)
{
    bool is_list = node->comparison == COMPARE_EQUAL || node->comparison == COMPARE_NOT_EQUAL;
    stop_unless(node->field < FIELD_KINDS, "there is no such field");
    stop_unless(node->level >= 0 && node->level <= CATEGORY_LEVELS_MAX, "level out of range");
    stop_unless(node->n_values == 1 || (is_list && node->n_values > 1), "number of values");
    stop_unless(node->first_value >= 0 && node->first_value + node->n_values <= where->n_values,
                "values out of range");
}

static void check_condition(const Where *where)
{
    int depth = 0;
    for (int i = 0; i < where->n_nodes; i++) {
        const WhereNode *node = &where->nodes[i];
        int operands = node->kind == NODE_COMPARE ? 0 : node->kind == NODE_NOT ? 1 : 2;
        stop_unless(depth >= operands, "an operator without its operands");
        depth += 1 - operands;
        if (node->kind == NODE_COMPARE)
            check_comparison(where, node);
    }
    stop_unless(depth == 1, "not one condition");
    for (int i = 0; i < where->n_values; i++)
        stop_unless(strlen(where->values[i].text) <= 1024, "a value is too long");
    stop_unless(where_needs(where) != 0, "no column is needed");
}

static void check_message(const Error *error, Bytes text)
{
    stop_unless(strncmp(error->message, "place: ", 7) == 0, "a message without its place");
    stop_unless(!strpbrk(error->message, "\n\r"), "a message of several lines");
    stop_unless(!bytes_are_utf8(text) || bytes_are_utf8(bytes_of(error->message)),
                "a character is cut in a message");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Error error = {0};
    Where *where = NULL;
    char *text = malloc(size + 1);
    stop_unless(text != NULL, "out of memory");
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (where_parse(text, "place", &where, &error) == STATUS_OK)
        check_condition(where);
    else
        check_message(&error, bytes_of(text));
    where_free(&where);
    stop_unless(where == NULL, "freed but not forgotten");
    free(text);
    return 0;
}
