/* PostgresqlRows: rows of a result as COPY ... (FORMAT binary) sends and returns them, counted and
 * with their checksum. All Local.
 *
 * A day is a date, any other whole number a bigint, a real a double precision, a month (YYYY-MM)
 * and whatever is text a text. A row has the same bytes on both ways, so its hash is that of its
 * bytes.
 */
#ifndef VESPER_PUBLISH_POSTGRESQL_ROWS_H
#define VESPER_PUBLISH_POSTGRESQL_ROWS_H

#include "table/table.h"

/* All zero is no rows. */
typedef struct PostgresqlRows {
    char *bytes; /* not sent yet */
    int64_t size;
    int64_t capacity;
    int64_t count;
    uint64_t checksum; /* sum of the rows' hashes modulo 2^64, whatever their order */
} PostgresqlRows;

void postgresql_rows_free(PostgresqlRows *rows);

/* The type of a column. Text sorts bytewise, as in the store and in SQLite. */
const char *postgresql_rows_type(const ColumnSpec *column);

/* What stands before the first row, and after the last. */
void postgresql_rows_begin(PostgresqlRows *rows);
void postgresql_rows_end(PostgresqlRows *rows);
void postgresql_rows_add(PostgresqlRows *rows, const Column *const *columns, int n_columns,
                         int64_t row);

/* Count one piece of what COPY TO returns: a row, with what stands before the first or after the
 * last. */
void postgresql_rows_read(PostgresqlRows *rows, Bytes piece);

#endif
