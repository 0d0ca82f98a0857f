/* Cells: from a result's column to the value that a database holds. */
#include "publish/cell.h"

#include "base/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

CellKind cell_column_kind(ColumnType type, ColumnUnit unit)
{
    if (type == COLUMN_TEXT || unit == UNIT_DAY || unit == UNIT_MONTH)
        return CELL_TEXT;
    return type == COLUMN_F64 ? CELL_REAL : CELL_INTEGER;
}

static void read_date(const Column *column, int64_t row, Cell *cell)
{
    int64_t date = column_integer(column, row);
    if (date == DAY_NONE)
        return;
    if (column->unit == UNIT_DAY)
        civil_format_day((int32_t)date, cell->own);
    else
        civil_format_month((int32_t)date, cell->own);
    cell->kind = CELL_TEXT;
    cell->text = bytes_of(cell->own);
}

void cell_read(const Column *column, int64_t row, Cell *cell)
{
    cell->kind = CELL_NULL;
    if (column->type == COLUMN_TEXT) {
        cell->kind = CELL_TEXT;
        cell->text = column_text(column, row);
    } else if (column->unit == UNIT_DAY || column->unit == UNIT_MONTH) {
        read_date(column, row, cell);
    } else if (column->type == COLUMN_F64) {
        cell->real = ((const double *)column->data)[row] + 0.0; /* -0 becomes 0, as in SQLite */
        if (!isnan(cell->real))
            cell->kind = CELL_REAL;
    } else {
        cell->integer = column_integer(column, row);
        if (column->unit != UNIT_MONEY_MINOR || cell->integer != MONEY_NONE)
            cell->kind = CELL_INTEGER;
    }
}

void cell_print_number(const Cell *cell, char text[CELL_NUMBER_SIZE])
{
    enum { DIGITS_ENOUGH_MOSTLY = 15, DIGITS_ENOUGH = 17 };
    if (cell->kind == CELL_INTEGER) {
        (void)snprintf(text, CELL_NUMBER_SIZE, "%lld", (long long)cell->integer);
        return;
    }
    for (int digits = DIGITS_ENOUGH_MOSTLY; digits <= DIGITS_ENOUGH; digits++) {
        (void)snprintf(text, CELL_NUMBER_SIZE, "%.*g", digits, cell->real);
        if (strtod(text, NULL) == cell->real)
            return;
    }
}

uint64_t cell_row_hash(const Cell *cells, int n_cells, Buffer *scratch)
{
    buffer_clear(scratch);
    for (int c = 0; c < n_cells; c++) {
        const Cell *cell = &cells[c];
        char fixed[1 + sizeof(int64_t)] = {(char)cell->kind};
        if (cell->kind == CELL_INTEGER)
            memcpy(fixed + 1, &cell->integer, sizeof cell->integer);
        else if (cell->kind == CELL_REAL)
            memcpy(fixed + 1, &cell->real, sizeof cell->real);
        else if (cell->kind == CELL_TEXT)
            memcpy(fixed + 1, &cell->text.size, sizeof cell->text.size);
        buffer_append(scratch, fixed, sizeof fixed);
        if (cell->kind == CELL_TEXT)
            buffer_append_bytes(scratch, cell->text);
    }
    return hash64(scratch->data, scratch->size);
}
