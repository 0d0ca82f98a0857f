/* SourceQuery: what is asked of a database for one input, as SQL. Text alone: nothing is sent here.
 *
 * The rows are those of [TABLE] query or table. With a watermark they are those above the highest
 * value that was taken in, and of orders all lines of each order that has such a line, since an
 * order that comes again replaces its earlier version whole. */
#ifndef VESPER_INGEST_SOURCE_QUERY_H
#define VESPER_INGEST_SOURCE_QUERY_H

#include "ingest/mapping.h"

typedef enum QueryDialect { QUERY_POSTGRES, QUERY_SQLITE } QueryDialect;

/* What a column holds, as far as it matters; of SQLite's everything is VALUE_OTHER. */
typedef enum ValueKind {
    VALUE_OTHER,
    VALUE_INTEGER,
    VALUE_INSTANT,    /* timestamp with time zone */
    VALUE_LOCAL_TIME, /* timestamp without */
    VALUE_DAY,
    VALUE_BOOL,
    VALUE_MONEY /* PostgreSQL's own type, which writes currency signs */
} ValueKind;

typedef struct QueryColumn {
    char *name;
    ValueKind kind;
    bool is_wanted; /* it is read: mapped, or needed for its own sake */
} QueryColumn;

/* All zero is empty. */
typedef struct SourceQuery {
    QueryDialect dialect;
    InputTable table;
    const InputSettings *settings; /* borrowed */
    QueryColumn *columns;          /* that the query has */
    int n_columns;
    int order_id;       /* the column that names the order; -1 if it does not matter */
    int watermark;      /* column; -1 without one */
    int range_key;      /* column; -1 without one */
    bool is_key_unique; /* no two rows have the same range key */
    Buffer after;       /* rows above this value of the watermark; empty: all. SQLite: a literal */
    Buffer until;       /* and not past this one; empty: to the end */
} SourceQuery;

void query_init(SourceQuery *query, QueryDialect dialect, InputTable table,
                const InputSettings *settings);
void query_free(SourceQuery *query);
void query_add_column(SourceQuery *query, const char *name, ValueKind kind);

/* Find watermark and range_key among the columns. STATUS_USAGE for a column that is not there or of
 * the wrong kind. `shown` names the database. Local. */
Status query_find_columns(SourceQuery *query, const char *shown, Error *error) VESPER_MUST_USE;

/* Mark the columns that the table's mapping takes, and those needed for their own sake. Local. */
Status query_choose_columns(SourceQuery *query, const Config *config, const char *shown,
                            Error *error) VESPER_MUST_USE;

/* All columns, to learn what they are. */
void query_append_all(const SourceQuery *query, Buffer *sql);
/* One value: up to where rows are settled; false if the watermark's kind does not tell. */
bool query_append_until(const SourceQuery *query, const char *time_zone, Buffer *sql);
/* Four values: highest watermark of the new rows; then, 1 for yes: any row has none; values of
 * different types are mixed, which have no order that means anything; some rows are past `until`.
 */
void query_append_highest(const SourceQuery *query, Buffer *sql);
/* Three values: lowest and highest range key of the rows, and, 1 for yes: it is unique. */
void query_append_range(const SourceQuery *query, Buffer *sql);
/* The rows; a condition on the range key (query_append_share) may stand between the two. */
void query_append_rows(const SourceQuery *query, Buffer *sql);
void query_append_order(const SourceQuery *query, Buffer *sql);

/* " WHERE ..." for share `rank` of `size` of the range keys from `low` to `high`; rows without a
 * key are in the last one. Nothing for the only share. */
void query_append_share(const char *range_key, int64_t low, int64_t high, int rank, int size,
                        Buffer *sql);

/* The wanted columns as a CSV header. */
void query_append_header(const SourceQuery *query, Buffer *header);

#endif
