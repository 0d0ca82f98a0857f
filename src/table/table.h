/* Table: typed columns in memory, local to one rank.
 *
 * A column is a fixed-width array, or text (offsets and bytes). Rows are appended or gathered;
 * there is no missing value: a schema says what stands for one (for days, DAY_NONE).
 * Columns are read and written directly: after table_add_row the new value of an int32 column is
 * ((int32_t *)column->data)[table->rows - 1]. Growing may move `data`, never the Column itself.
 * After a failed call a table is good for table_free alone. */
#ifndef VESPER_TABLE_TABLE_H
#define VESPER_TABLE_TABLE_H

#include "base/bytes.h"

typedef enum ColumnType {
    COLUMN_I8,
    COLUMN_I16,
    COLUMN_I32,
    COLUMN_I64,
    COLUMN_F64,
    COLUMN_TEXT
} ColumnType;

/* What the number means; published tables and files carry it. */
typedef enum ColumnUnit {
    UNIT_NONE,
    UNIT_COUNT,
    UNIT_MONEY_MINOR, /* int64, money in the store's smallest unit */
    UNIT_DAY,         /* int32 */
    UNIT_MONTH,       /* int32 */
    UNIT_TIME_US,     /* int64 */
    UNIT_CODE,        /* int16/int32 code in a dictionary; -1 for none */
    UNIT_BOOL
} ColumnUnit;

enum { COLUMN_NAME_SIZE = 32, TABLE_COLUMNS_MAX = 32 };
#define DAY_NONE INT32_MIN   /* missing day or month */
#define MONEY_NONE INT64_MIN /* missing amount */

typedef struct ColumnSpec {
    const char *name;
    ColumnType type;
    ColumnUnit unit;
} ColumnSpec;

/* Texts that rows share: text i is bytes[ends[i - 1] (or 0), ends[i]). */
typedef struct TextList {
    int64_t n;
    const int64_t *ends;
    const char *bytes;
} TextList;

typedef struct Column {
    char name[COLUMN_NAME_SIZE];
    ColumnType type;
    ColumnUnit unit;
    void *data;    /* fixed width: [rows]; NULL for text, unless that is coded */
    int64_t *ends; /* text: end of row i in bytes, [rows]; row i starts at ends[i - 1], or 0 */
    char *bytes;   /* text */
    int64_t bytes_capacity;
    /* A text may be coded, which few functions here take: `data` [rows] are int32 places in a list
     * of at least one text, -1 for the empty text; ends and bytes are NULL. Borrowed. */
    TextList list;
} Column;

/* All zero is an empty table without columns. The table owns its columns' memory. */
typedef struct Table {
    int64_t rows;
    int64_t capacity;
    int n_columns;
    int n_text_columns;
    Column columns[TABLE_COLUMNS_MAX];
} Table;

/* Bytes of one element; 0 for text. */
size_t column_width(ColumnType type);

void table_init(Table *table, const ColumnSpec *specs, int n_specs);
void table_free(Table *table);
void table_move(Table *to, Table *from); /* frees `to` first; `from` becomes empty */

/* Room for `rows` rows in all fixed columns and text ends. */
Status table_reserve(Table *table, int64_t rows, Error *error) VESPER_MUST_USE;

/* Add one row of unset values at the end (growing by doubling); fill it through the columns.
 * Text columns get an empty text; set it with table_set_last_text before the next row. */
static inline VESPER_MUST_USE Status table_add_row(Table *table, Error *error);
Status table_set_last_text(Table *table, Column *column, Bytes text, Error *error) VESPER_MUST_USE;

/* Set `rows` fixed-width rows at once (contents unset). With text columns only 0, which empties
 * the table and keeps its memory. */
Status table_set_rows(Table *table, int64_t rows, Error *error) VESPER_MUST_USE;

Column *table_find(Table *table, const char *name); /* NULL if absent */
const Column *table_find_const(const Table *table, const char *name);
Column *table_column(Table *table, const char *name); /* absent: our bug */
const Column *table_column_const(const Table *table, const char *name);
/* Also of a coded column. */
Bytes column_text(const Column *column, int64_t row);
static inline bool column_is_coded(const Column *column)
{
    return column->list.n > 0;
}
/* Make a text column without rows coded: `codes` (mem_resize) becomes its own. */
void column_set_codes(Column *column, TextList list, int32_t *codes);
int64_t column_integer(const Column *column, int64_t row);     /* of whole numbers of any width */
int64_t column_text_bytes(const Column *column, int64_t rows); /* of the first `rows` rows */

/* Add a column whose values are not set (text: empty) to a table that may have rows. */
Status table_add_column(Table *table, ColumnSpec spec, Error *error) VESPER_MUST_USE;

/* Drop one column and free its memory; later ones move up. */
void table_drop(Table *table, const char *name);

/* Reorder in place: new row i is old row order[i]; order [n_rows] may leave rows out. One column
 * at a time, so that the extra memory is one column. */
Status table_gather(Table *table, const int64_t *order, int64_t n_rows,
                    Error *error) VESPER_MUST_USE;

/* Append rows [begin, end) of `from`, which has the same columns. */
Status table_append(Table *table, const Table *from, int64_t begin, int64_t end,
                    Error *error) VESPER_MUST_USE;

/* The two rare parts of table_add_row: more capacity; an empty text at the end of each text column.
 */
Status table_grow(Table *table, Error *error) VESPER_MUST_USE;
void table_start_texts(Table *table);

static inline Status table_add_row(Table *table, Error *error)
{
    if (table->rows == table->capacity) {
        Status status = table_grow(table, error);
        if (status != STATUS_OK)
            return status;
    }
    if (table->n_text_columns > 0)
        table_start_texts(table);
    table->rows++;
    return STATUS_OK;
}

#endif
