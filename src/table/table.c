/* Tables: growth, gather and append of typed columns. */
#include "table/table.h"

#include "base/memory.h"

#include <string.h>

enum { FIRST_CAPACITY = 64, FIRST_BYTES = 256 };

size_t column_width(ColumnType type)
{
    switch (type) {
    case COLUMN_I8:
        return 1;
    case COLUMN_I16:
        return 2;
    case COLUMN_I32:
        return 4;
    case COLUMN_I64:
    case COLUMN_F64:
        return 8;
    case COLUMN_TEXT:
        break;
    }
    return 0;
}

static void column_init(Column *column, const ColumnSpec *spec)
{
    size_t length = strlen(spec->name);
    vesper_assert(length > 0 && length < COLUMN_NAME_SIZE);
    memset(column, 0, sizeof *column);
    memcpy(column->name, spec->name, length + 1);
    column->type = spec->type;
    column->unit = spec->unit;
}

static void column_free(Column *column)
{
    mem_free(&column->data);
    mem_free(&column->ends);
    mem_free(&column->bytes);
    column->bytes_capacity = 0;
}

/* Room for `rows` rows (without the bytes of texts). */
static Status column_reserve(Column *column, int64_t rows, Error *error)
{
    if (column->type == COLUMN_TEXT)
        return mem_resize(&column->ends, rows, sizeof *column->ends, column->name, error);
    return mem_resize(&column->data, rows, column_width(column->type), column->name, error);
}

/* Room for `size` bytes of text, growing by doubling. */
static Status column_reserve_bytes(Column *column, int64_t size, Error *error)
{
    if (size <= column->bytes_capacity)
        return STATUS_OK;
    int64_t capacity = column->bytes_capacity * 2;
    if (capacity < FIRST_BYTES)
        capacity = FIRST_BYTES;
    if (capacity < size)
        capacity = size;
    Status status = mem_resize(&column->bytes, capacity, 1, column->name, error);
    if (status == STATUS_OK)
        column->bytes_capacity = capacity;
    return status;
}

void table_init(Table *table, const ColumnSpec *specs, int n_specs)
{
    vesper_assert(n_specs >= 0 && n_specs <= TABLE_COLUMNS_MAX);
    memset(table, 0, sizeof *table);
    for (int i = 0; i < n_specs; i++) {
        column_init(&table->columns[i], &specs[i]);
        table->n_text_columns += specs[i].type == COLUMN_TEXT;
    }
    table->n_columns = n_specs;
}

void table_free(Table *table)
{
    for (int i = 0; i < table->n_columns; i++)
        column_free(&table->columns[i]);
    memset(table, 0, sizeof *table);
}

void table_move(Table *to, Table *from)
{
    if (to == from)
        return;
    table_free(to);
    *to = *from;
    memset(from, 0, sizeof *from);
}

Status table_add_column(Table *table, ColumnSpec spec, Error *error)
{
    vesper_assert(table->n_columns < TABLE_COLUMNS_MAX);
    Column *added = &table->columns[table->n_columns];
    column_init(added, &spec);
    if (table->capacity > 0) {
        Status status = column_reserve(added, table->capacity, error);
        if (status != STATUS_OK)
            return status;
        if (spec.type == COLUMN_TEXT)
            memset(added->ends, 0, (size_t)table->rows * sizeof *added->ends);
    }
    table->n_columns++;
    table->n_text_columns += spec.type == COLUMN_TEXT;
    return STATUS_OK;
}

Status table_reserve(Table *table, int64_t rows, Error *error)
{
    if (rows <= table->capacity)
        return STATUS_OK;
    for (int i = 0; i < table->n_columns; i++) {
        Status status = column_reserve(&table->columns[i], rows, error);
        if (status != STATUS_OK)
            return status;
    }
    table->capacity = rows;
    return STATUS_OK;
}

Status table_grow(Table *table, Error *error)
{
    int64_t rows = table->capacity * 2;
    return table_reserve(table, rows < FIRST_CAPACITY ? FIRST_CAPACITY : rows, error);
}

void table_start_texts(Table *table)
{
    for (int i = 0; i < table->n_columns; i++) {
        Column *column = &table->columns[i];
        if (column->type == COLUMN_TEXT)
            column->ends[table->rows] = column_text_bytes(column, table->rows);
    }
}

Status table_set_last_text(Table *table, Column *column, Bytes text, Error *error)
{
    vesper_assert(table->rows > 0 && column->type == COLUMN_TEXT);
    int64_t start = column_text_bytes(column, table->rows - 1);
    Status status = column_reserve_bytes(column, start + text.size, error);
    if (status != STATUS_OK)
        return status;
    if (text.size > 0)
        memcpy(column->bytes + start, text.data, (size_t)text.size);
    column->ends[table->rows - 1] = start + text.size;
    return STATUS_OK;
}

Status table_set_rows(Table *table, int64_t rows, Error *error)
{
    vesper_assert(rows == 0 || table->n_text_columns == 0);
    Status status = table_reserve(table, rows, error);
    if (status == STATUS_OK)
        table->rows = rows;
    return status;
}

const Column *table_find_const(const Table *table, const char *name)
{
    for (int i = 0; i < table->n_columns; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    }
    return NULL;
}

Column *table_find(Table *table, const char *name)
{
    const Column *found = table_find_const(table, name);
    return found ? &table->columns[found - table->columns] : NULL;
}

const Column *table_column_const(const Table *table, const char *name)
{
    const Column *found = table_find_const(table, name);
    vesper_assert(found != NULL);
    return found;
}

Column *table_column(Table *table, const char *name)
{
    Column *found = table_find(table, name);
    vesper_assert(found != NULL);
    return found;
}

void column_set_codes(Column *column, TextList list, int32_t *codes)
{
    vesper_assert(column->type == COLUMN_TEXT && list.n > 0);
    column_free(column);
    column->list = list;
    column->data = codes;
}

static Bytes list_text(const TextList *list, int32_t code)
{
    if (code < 0)
        return bytes_of("");
    int64_t start = code > 0 ? list->ends[code - 1] : 0;
    int64_t size = list->ends[code] - start;
    return (Bytes){.data = size > 0 ? list->bytes + start : "", .size = size};
}

Bytes column_text(const Column *column, int64_t row)
{
    if (column_is_coded(column))
        return list_text(&column->list, ((const int32_t *)column->data)[row]);
    int64_t start = column_text_bytes(column, row);
    int64_t size = column->ends[row] - start;
    return (Bytes){.data = size > 0 ? column->bytes + start : "", .size = size};
}

int64_t column_text_bytes(const Column *column, int64_t rows)
{
    return column->ends && rows > 0 ? column->ends[rows - 1] : 0;
}

int64_t column_integer(const Column *column, int64_t row)
{
    switch (column->type) {
    case COLUMN_I8:
        return ((const int8_t *)column->data)[row];
    case COLUMN_I16:
        return ((const int16_t *)column->data)[row];
    case COLUMN_I32:
        return ((const int32_t *)column->data)[row];
    case COLUMN_I64:
        return ((const int64_t *)column->data)[row];
    case COLUMN_F64:
    case COLUMN_TEXT:
        break;
    }
    bug_abort(__FILE__, __LINE__, "not a column of whole numbers");
}

void table_drop(Table *table, const char *name)
{
    Column *column = table_column(table, name);
    table->n_text_columns -= column->type == COLUMN_TEXT;
    column_free(column);
    ptrdiff_t later = table->columns + table->n_columns - (column + 1);
    memmove(column, column + 1, (size_t)later * sizeof *column);
    table->n_columns--;
    memset(&table->columns[table->n_columns], 0, sizeof *column);
}

/* to[i] = from[order[i]]; inlined for each width, so that the copy is one move. */
static inline void gather_elements(char *to, const char *from, const int64_t *order, int64_t n,
                                   size_t width)
{
    for (int64_t i = 0; i < n; i++)
        memcpy(to + (size_t)i * width, from + (size_t)order[i] * width, width);
}

static void gather_fixed(char *to, const char *from, const int64_t *order, int64_t n, size_t width)
{
    switch (width) {
    case 1:
        gather_elements(to, from, order, n, 1);
        break;
    case 2:
        gather_elements(to, from, order, n, 2);
        break;
    case 4:
        gather_elements(to, from, order, n, 4);
        break;
    default:
        vesper_assert(width == 8);
        gather_elements(to, from, order, n, 8);
    }
}

/* Gather all columns of one width. An old array is the next column's temporary, unless it is much
 * larger than what is kept. */
static Status gather_width(Table *table, size_t width, const int64_t *order, int64_t n_rows,
                           Error *error)
{
    Status status = STATUS_OK;
    void *spare = NULL;
    for (int i = 0; i < table->n_columns; i++) {
        Column *column = &table->columns[i];
        if (column_width(column->type) != width)
            continue;
        if (!spare)
            TRY(mem_resize(&spare, n_rows, width, column->name, error));
        gather_fixed(spare, column->data, order, n_rows, width);
        void *old = column->data;
        column->data = spare;
        spare = old;
        if (table->capacity / 2 > n_rows)
            mem_free(&spare);
    }
out:
    mem_free(&spare);
    return status;
}

static Status gather_text(Column *column, const int64_t *order, int64_t n_rows, Error *error)
{
    Status status;
    int64_t *ends = NULL;
    char *bytes = NULL;
    vesper_assert(!column_is_coded(column));
    TRY(mem_resize(&ends, n_rows, sizeof *ends, column->name, error));
    int64_t end = 0;
    for (int64_t i = 0; i < n_rows; i++) {
        end += column->ends[order[i]] - column_text_bytes(column, order[i]);
        ends[i] = end;
    }
    TRY(mem_resize(&bytes, end, 1, column->name, error));
    for (int64_t i = 0; i < n_rows; i++) {
        Bytes text = column_text(column, order[i]);
        memcpy(bytes + (ends[i] - text.size), text.data, (size_t)text.size);
    }
    mem_free(&column->ends);
    mem_free(&column->bytes);
    column->ends = ends;
    column->bytes = bytes;
    column->bytes_capacity = end;
    return STATUS_OK;
out:
    mem_free(&ends);
    mem_free(&bytes);
    return status;
}

Status table_gather(Table *table, const int64_t *order, int64_t n_rows, Error *error)
{
    Status status;
    static const size_t widths[] = {1, 2, 4, 8};
    if (n_rows == 0) {
        table->rows = 0;
        return STATUS_OK;
    }
    TRY(table_reserve(table, n_rows, error));
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        TRY(gather_width(table, widths[i], order, n_rows, error));
    for (int i = 0; i < table->n_columns; i++) {
        if (table->columns[i].type == COLUMN_TEXT)
            TRY(gather_text(&table->columns[i], order, n_rows, error));
    }
    table->rows = n_rows;
    table->capacity = n_rows;
out:
    return status;
}

static Status append_text(Column *to, int64_t rows, const Column *from, int64_t begin, int64_t end,
                          Error *error)
{
    int64_t to_start = column_text_bytes(to, rows);
    int64_t from_start = column_text_bytes(from, begin);
    int64_t size = column_text_bytes(from, end) - from_start;
    Status status = column_reserve_bytes(to, to_start + size, error);
    if (status != STATUS_OK)
        return status;
    if (size > 0)
        memcpy(to->bytes + to_start, from->bytes + from_start, (size_t)size);
    for (int64_t i = begin; i < end; i++)
        to->ends[rows + (i - begin)] = from->ends[i] - from_start + to_start;
    return STATUS_OK;
}

Status table_append(Table *table, const Table *from, int64_t begin, int64_t end, Error *error)
{
    Status status = STATUS_OK;
    int64_t added = end - begin;
    vesper_assert(table != from && table->n_columns == from->n_columns);
    vesper_assert(begin >= 0 && added >= 0 && end <= from->rows);
    if (added == 0)
        return STATUS_OK;
    if (table->rows + added > table->capacity) {
        int64_t doubled = table->capacity * 2;
        int64_t needed = table->rows + added;
        TRY(table_reserve(table, doubled > needed ? doubled : needed, error));
    }
    for (int i = 0; i < table->n_columns; i++) {
        Column *to = &table->columns[i];
        const Column *source = &from->columns[i];
        vesper_assert(to->type == source->type);
        vesper_assert(!column_is_coded(to) && !column_is_coded(source));
        size_t width = column_width(to->type);
        if (to->type == COLUMN_TEXT)
            TRY(append_text(to, table->rows, source, begin, end, error));
        else
            memcpy((char *)to->data + (size_t)table->rows * width,
                   (const char *)source->data + (size_t)begin * width, (size_t)added * width);
    }
    table->rows += added;
out:
    return status;
}
