/* COPY's binary format: a signature, rows of fields with their lengths, an end mark; numbers are
 * big-endian. */
#include "publish/postgresql_rows.h"

#include "base/hash.h"
#include "base/memory.h"
#include "publish/cell.h"

#include <endian.h>
#include <limits.h>
#include <string.h>

enum { HEADER_SIZE = 19, EPOCH_DAY = 10957 /* 2000-01-01 */, LENGTH_SIZE = 4, FIXED_MAX = 8 };

/* The signature, no flags, no extension. */
static const char header[HEADER_SIZE] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";

void postgresql_rows_free(PostgresqlRows *rows)
{
    mem_free(&rows->bytes);
    *rows = (PostgresqlRows){0};
}

const char *postgresql_rows_type(const ColumnSpec *column)
{
    static const char *const types[] = {[CELL_NULL] = "",
                                        [CELL_INTEGER] = "bigint",
                                        [CELL_REAL] = "double precision",
                                        [CELL_TEXT] = "text COLLATE \"C\""};
    return column->unit == UNIT_DAY ? "date" : types[cell_column_kind(column->type, column->unit)];
}

static void make_room(PostgresqlRows *rows, int64_t bytes)
{
    if (rows->size + bytes <= rows->capacity)
        return;
    rows->capacity = 2 * (rows->size + bytes);
    mem_grow(&rows->bytes, rows->capacity, 1);
}

static void append(PostgresqlRows *rows, const void *bytes, int64_t size)
{
    memcpy(rows->bytes + rows->size, bytes, (size_t)size);
    rows->size += size;
}

static void append_16(PostgresqlRows *rows, int value)
{
    uint16_t big = htobe16((uint16_t)value);
    append(rows, &big, sizeof big);
}

static void append_32(PostgresqlRows *rows, int32_t value)
{
    uint32_t big = htobe32((uint32_t)value);
    append(rows, &big, sizeof big);
}

static void append_64(PostgresqlRows *rows, uint64_t value)
{
    uint64_t big = htobe64(value);
    append_32(rows, sizeof big);
    append(rows, &big, sizeof big);
}

static void append_cell(PostgresqlRows *rows, const Cell *cell)
{
    uint64_t bits;
    switch (cell->kind) {
    case CELL_NULL:
        append_32(rows, -1);
        break;
    case CELL_INTEGER:
        append_64(rows, (uint64_t)cell->integer);
        break;
    case CELL_REAL:
        memcpy(&bits, &cell->real, sizeof bits);
        append_64(rows, bits);
        break;
    case CELL_TEXT:
        vesper_assert(cell->text.size <= INT32_MAX);
        make_room(rows, LENGTH_SIZE + cell->text.size);
        append_32(rows, (int32_t)cell->text.size);
        if (cell->text.size > 0)
            append(rows, cell->text.data, cell->text.size);
        break;
    }
}

void postgresql_rows_begin(PostgresqlRows *rows)
{
    make_room(rows, HEADER_SIZE);
    append(rows, header, HEADER_SIZE);
}

void postgresql_rows_end(PostgresqlRows *rows)
{
    make_room(rows, LENGTH_SIZE);
    append_16(rows, -1);
}

void postgresql_rows_add(PostgresqlRows *rows, const Column *const *columns, int n_columns,
                         int64_t row)
{
    Cell cell;
    int64_t begin = rows->size;
    make_room(rows, LENGTH_SIZE);
    append_16(rows, n_columns);
    for (int c = 0; c < n_columns; c++) {
        make_room(rows, LENGTH_SIZE + FIXED_MAX);
        int64_t day = columns[c]->unit == UNIT_DAY ? column_integer(columns[c], row) : DAY_NONE;
        if (day != DAY_NONE) {
            append_32(rows, sizeof(int32_t));
            append_32(rows, (int32_t)(day - EPOCH_DAY));
        } else {
            cell_read(columns[c], row, &cell);
            append_cell(rows, &cell);
        }
    }
    rows->count++;
    rows->checksum += hash64(rows->bytes + begin, rows->size - begin);
}

void postgresql_rows_read(PostgresqlRows *rows, Bytes piece)
{
    static const char end[2] = {'\377', '\377'};
    if (bytes_start_with(piece, (Bytes){header, HEADER_SIZE}))
        piece = (Bytes){piece.data + HEADER_SIZE, piece.size - HEADER_SIZE};
    if (piece.size == 0 || bytes_equal(piece, (Bytes){end, sizeof end}))
        return;
    rows->count++;
    rows->checksum += hash64(piece.data, piece.size);
}
