/* Cell: one value as a database holds it, so that what was sent and what is read back can be
 * compared. */
#ifndef VESPER_PUBLISH_CELL_H
#define VESPER_PUBLISH_CELL_H

#include "base/civil.h"
#include "table/table.h"

typedef enum CellKind { CELL_NULL, CELL_INTEGER, CELL_REAL, CELL_TEXT } CellKind;

/* `text` may point into `own`: a cell is filled in place and not copied. */
typedef struct Cell {
    CellKind kind;
    int64_t integer;
    double real;
    Bytes text;
    char own[CIVIL_TEXT_SIZE];
} Cell;

/* What kind a column's values have when they are there: days and months become text (YYYY-MM-DD,
 * YYYY-MM), every other whole number stays one. */
CellKind cell_column_kind(ColumnType type, ColumnUnit unit);

/* Value of `row`; DAY_NONE, MONEY_NONE and NaN are CELL_NULL. Local. */
void cell_read(const Column *column, int64_t row, Cell *cell);

/* A whole number or a real as text that reads back as the same value, the shortest of 15 to 17
 * digits. Local. */
enum { CELL_NUMBER_SIZE = 40 };
void cell_print_number(const Cell *cell, char text[CELL_NUMBER_SIZE]);

/* Hash of one row: kinds and values, each text with its length. `scratch` is emptied first. The
 * checksum of a table is the sum of its rows' hashes modulo 2^64, whatever their order. Local. */
uint64_t cell_row_hash(const Cell *cells, int n_cells, Buffer *scratch);

#endif
