/* See result_join.h. */
#include "changes/result_join.h"

#include "base/fault.h"

#include <string.h>

int result_table_find(const ResultReader *reader, const char *name)
{
    for (int i = 0; i < results_count(reader); i++) {
        if (strcmp(results_table(reader, i)->name, name) == 0)
            return i;
    }
    return -1;
}

/* ---- one table ---- */

static int find_column(const ResultTable *table, const char *name, size_t length)
{
    for (int i = 0; i < table->n_columns; i++) {
        if (strlen(table->names[i]) == length && strncmp(table->names[i], name, length) == 0)
            return i;
    }
    return -1;
}

static void find_keys(ResultCursor *cursor, const ResultTable *table)
{
    for (const char *name = table->key; *name;) {
        size_t length = strcspn(name, ",");
        vesper_assert(cursor->n_keys < RESULT_KEYS_MAX);
        cursor->keys[cursor->n_keys++] = find_column(table, name, length);
        name += length;
        name += *name == ',';
    }
}

static Status load_block(ResultCursor *cursor, Error *error)
{
    Status status = STATUS_OK;
    cursor->row = cursor->at % RESULT_BLOCK;
    if (cursor->at == cursor->rows || cursor->row > 0)
        return STATUS_OK;
    TRY(fault_point("changes.block", error));
    TRY(results_read_block(cursor->reader, cursor->table, cursor->at / RESULT_BLOCK, &cursor->block,
                           error));
out:
    return status;
}

static Status open_cursor(ResultCursor *cursor, ResultReader *reader, const char *name,
                          Error *error)
{
    Status status = STATUS_OK;
    int table = result_table_find(reader, name);
    if (table < 0)
        return STATUS_OK;
    *cursor = (ResultCursor){
        .reader = reader, .table = table, .rows = results_table(reader, table)->rows};
    find_keys(cursor, results_table(reader, table));
    TRY(load_block(cursor, error));
out:
    return status;
}

static bool is_past(const ResultCursor *cursor)
{
    return cursor->at == cursor->rows;
}

static Status next_row(ResultCursor *cursor, Error *error)
{
    cursor->at++;
    return load_block(cursor, error);
}

/* ---- two tables ---- */

static int compare_values(const Column *a, int64_t row_a, const Column *b, int64_t row_b)
{
    if (a->type == COLUMN_TEXT)
        return bytes_compare(column_text(a, row_a), column_text(b, row_b));
    int64_t left = column_integer(a, row_a), right = column_integer(b, row_b);
    return left < right ? -1 : left > right;
}

static void find_side(ResultJoin *join)
{
    const ResultCursor *before = &join->before, *after = &join->after;
    join->side = is_past(after) ? -1 : is_past(before);
    if (is_past(before) || is_past(after))
        return;
    for (int k = 0; k < before->n_keys && join->side == 0; k++)
        join->side = compare_values(&before->block.columns[before->keys[k]], before->row,
                                    &after->block.columns[after->keys[k]], after->row);
}

static bool have_same_key(const ResultCursor *before, const ResultCursor *after)
{
    if (!before->reader || !after->reader)
        return false;
    const ResultTable *a = results_table(before->reader, before->table);
    const ResultTable *b = results_table(after->reader, after->table);
    bool same = strcmp(a->key, b->key) == 0;
    for (int k = 0; k < before->n_keys && same; k++)
        same = a->columns[before->keys[k]].type == b->columns[after->keys[k]].type;
    return same;
}

Status result_join_open(ResultJoin *join, ResultReader *before, ResultReader *after,
                        const char *table, Error *error)
{
    Status status;
    *join = (ResultJoin){.side = 0};
    TRY(open_cursor(&join->before, before, table, error));
    TRY(open_cursor(&join->after, after, table, error));
    join->is_comparable = have_same_key(&join->before, &join->after);
    if (join->is_comparable)
        find_side(join);
out:
    return status;
}

void result_join_close(ResultJoin *join)
{
    table_free(&join->before.block);
    table_free(&join->after.block);
    *join = (ResultJoin){.side = 0};
}

bool result_join_has(const ResultJoin *join)
{
    return join->is_comparable && !(is_past(&join->before) && is_past(&join->after));
}

Status result_join_next(ResultJoin *join, Error *error)
{
    Status status = STATUS_OK;
    int side = join->side;
    if (side <= 0)
        TRY(next_row(&join->before, error));
    if (side >= 0)
        TRY(next_row(&join->after, error));
    find_side(join);
out:
    return status;
}

/* ---- values ---- */

int result_join_column(const ResultJoin *join, const char *name)
{
    if (!join->is_comparable)
        return -1;
    const ResultTable *a = results_table(join->before.reader, join->before.table);
    const ResultTable *b = results_table(join->after.reader, join->after.table);
    int at = find_column(a, name, strlen(name));
    bool same = at >= 0 && at == find_column(b, name, strlen(name)) &&
                a->columns[at].type == b->columns[at].type;
    return same ? at : -1;
}

int64_t result_cursor_integer(const ResultCursor *cursor, int column)
{
    return is_past(cursor) ? 0 : column_integer(&cursor->block.columns[column], cursor->row);
}

Bytes result_cursor_text(const ResultCursor *cursor, int column)
{
    return is_past(cursor) ? bytes_of("")
                           : column_text(&cursor->block.columns[column], cursor->row);
}

const ResultCursor *result_join_row(const ResultJoin *join)
{
    return join->side <= 0 ? &join->before : &join->after;
}
