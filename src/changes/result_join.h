/* ResultJoin: the rows of one table of two nights side by side, in the order of their key. Block by
 * block: never more than one block of each is in memory. Local. */
#ifndef VESPER_CHANGES_RESULT_JOIN_H
#define VESPER_CHANGES_RESULT_JOIN_H

#include "store/results.h"

enum { RESULT_KEYS_MAX = 8 };

/* A row of a table of results. All zero is one of a table that there is not: without rows. */
typedef struct ResultCursor {
    ResultReader *reader;
    int table;       /* place in the reader */
    int64_t at, row; /* at hand: in the table, in the block; `at` is their number past the last */
    int64_t rows;
    Table block;
    int n_keys;
    int keys[RESULT_KEYS_MAX]; /* places of the columns */
} ResultCursor;

typedef struct ResultJoin {
    ResultCursor before, after;
    bool is_comparable; /* both nights have the table, by the same key */
    int side;           /* < 0: only the night before has the row at hand, > 0 only the later one */
} ResultJoin;

/* Begin at the first row of `table`. Tables are sorted by their key, as most are (docs/tables.md).
 */
Status result_join_open(ResultJoin *join, ResultReader *before, ResultReader *after,
                        const char *table, Error *error) VESPER_MUST_USE;
void result_join_close(ResultJoin *join);
/* Whether a row is at hand. */
bool result_join_has(const ResultJoin *join);
Status result_join_next(ResultJoin *join, Error *error) VESPER_MUST_USE;

/* Values of the row at hand: 0 and "" where the night does not have it. */
int64_t result_cursor_integer(const ResultCursor *cursor, int column);
Bytes result_cursor_text(const ResultCursor *cursor, int column);
/* The place of a column in the tables of both; -1 if one lacks it, or has it elsewhere. */
int result_join_column(const ResultJoin *join, const char *name);
/* The night's row, or where it has none that of the other: for the key. */
const ResultCursor *result_join_row(const ResultJoin *join);

/* The place of a table; -1: there is none. */
int result_table_find(const ResultReader *reader, const char *name);

#endif
