#include "rank/row_text.h"

#include "base/memory.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void row_text_number(Buffer *text, double value)
{
    if (isnan(value))
        buffer_append_string(text, "nan");
    else
        buffer_printf(text, "%.9g", value);
}

static void print_row(const Table *rows, int64_t row, Buffer *text)
{
    for (int c = 0; c < rows->n_columns; c++) {
        const Column *column = &rows->columns[c];
        buffer_append_string(text, c > 0 ? " " : "");
        if (column->type == COLUMN_TEXT)
            buffer_append_bytes(text, column_text(column, row));
        else if (column->type == COLUMN_F64)
            row_text_number(text, ((const double *)column->data)[row]);
        else
            buffer_printf(text, "%" PRId64, column_integer(column, row));
    }
    buffer_append_string(text, "\n");
}

/* The ranks' texts one after another (mem_free). Collective. */
static char *gather(const Buffer *own)
{
    Error error = {0};
    Buffer all = {0};
    char *bytes = NULL;
    int64_t n = 0;
    CU_ASSERT_EQUAL(comm_gather_all(rank_comm(), own->data, own->size, &bytes, &n, NULL, &error),
                    STATUS_OK);
    buffer_append(&all, bytes, n);
    char *text = mem_copy_string(buffer_string(&all));
    buffer_free(&all);
    mem_free(&bytes);
    return text;
}

char *row_text_gather(const Table *rows)
{
    Buffer own = {0};
    for (int64_t i = 0; i < rows->rows; i++)
        print_row(rows, i, &own);
    char *text = gather(&own);
    buffer_free(&own);
    return text;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *row_text_sort(const Buffer *own)
{
    char *text = gather(own), *place = NULL;
    char **lines = mem_new((int64_t)strlen(text) + 1, sizeof *lines);
    Buffer sorted = {0};
    size_t n = 0;
    for (char *line = strtok_r(text, "\n", &place); line; line = strtok_r(NULL, "\n", &place))
        lines[n++] = line;
    qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < n; i++)
        buffer_printf(&sorted, "%s\n", lines[i]);
    mem_free(&lines);
    mem_free(&text);
    text = mem_copy_string(buffer_string(&sorted));
    buffer_free(&sorted);
    return text;
}
