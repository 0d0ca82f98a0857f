/* PostgreSQL as a source: COPY of one query, in a transaction that only reads. */
#include "base/memory.h"
#include "database/postgres.h"
#include "database/sql.h"
#include "ingest/source_kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Types by their OIDs, which are fixed in pg_type. */
enum {
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_MONEY = 790,
    OID_DATE = 1082,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184
};

enum { LOCK_WAIT_S = 60 };

struct Database {
    Postgres *postgres;
};

/* What the server does not understand or allow is for the user to mend: class 42 is syntax, names
 * and rights, class 22 values. */
static Status refused(const Database *database, Status status, Error *error)
{
    const char *state = postgres_state(database->postgres);
    if (status == STATUS_IO && (strncmp(state, "42", 2) == 0 || strncmp(state, "22", 2) == 0))
        error->status = STATUS_INPUT;
    return status == STATUS_OK ? STATUS_OK : error->status;
}

static void close_postgres(Database **database)
{
    if (*database != NULL)
        postgres_close(&(*database)->postgres);
    mem_free(database);
}

static Status begin(Postgres *postgres, const char *snapshot, int64_t timeout_s, Error *error)
{
    Status status;
    Buffer sql = {0};
    TRY(postgres_run(postgres, error, "SET statement_timeout = '%" PRId64 "s'", timeout_s));
    TRY(postgres_run(postgres, error, "SET lock_timeout = '%ds'", LOCK_WAIT_S));
    TRY(postgres_run(postgres, error, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    if (snapshot != NULL) {
        buffer_append_string(&sql, "SET TRANSACTION SNAPSHOT ");
        sql_append_text(&sql, snapshot);
        TRY(postgres_run(postgres, error, "%s", buffer_string(&sql)));
    }
out:
    buffer_free(&sql);
    return status;
}

static Status open_postgres(const char *url, const char *snapshot, int64_t timeout_s,
                            Database **database, Error *error)
{
    Status status;
    *database = mem_new(1, sizeof **database);
    TRY(postgres_open(url, &(*database)->postgres, error));
    TRY(begin((*database)->postgres, snapshot, timeout_s, error));
out:
    if (status != STATUS_OK)
        close_postgres(database);
    return status;
}

static ValueKind kind_of(uint32_t type)
{
    switch (type) {
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return VALUE_INTEGER;
    case OID_TIMESTAMPTZ:
        return VALUE_INSTANT;
    case OID_TIMESTAMP:
        return VALUE_LOCAL_TIME;
    case OID_DATE:
        return VALUE_DAY;
    case OID_BOOL:
        return VALUE_BOOL;
    case OID_MONEY:
        return VALUE_MONEY;
    default:
        return VALUE_OTHER;
    }
}

static Status describe(Database *database, const char *sql, SourceQuery *query, Error *error)
{
    Status status;
    TRY(postgres_describe(database->postgres, sql, error));
    for (int i = 0; i < postgres_columns(database->postgres); i++)
        query_add_column(query, postgres_column_name(database->postgres, i),
                         kind_of(postgres_column_type(database->postgres, i)));
out:
    return refused(database, status, error);
}

static Status ask(Database *database, const char *sql, Buffer *values, int n, Error *error)
{
    Status status;
    TRY(postgres_run(database->postgres, error, "%s", sql));
    for (int i = 0; i < n && postgres_rows(database->postgres) > 0; i++) {
        const char *value = postgres_value(database->postgres, 0, i);
        buffer_append_string(&values[i], value != NULL ? value : "");
    }
out:
    return refused(database, status, error);
}

static Status share(Database *database, Buffer *snapshot, Error *error)
{
    return ask(database, "SELECT pg_export_snapshot()", snapshot, 1, error);
}

static Status read_rows(Database *database, const char *sql, char delimiter, QueryFile *file,
                        Error *error)
{
    Status status;
    Buffer copy = {0};
    Bytes row;
    bool found = true;
    char text[2] = {delimiter, '\0'};
    buffer_printf(&copy, "COPY (%s) TO STDOUT (FORMAT csv, DELIMITER ", sql);
    sql_append_text(&copy, text);
    buffer_append_string(&copy, ")");
    TRY(postgres_copy_begin(database->postgres, buffer_string(&copy), error));
    for (;;) {
        TRY(postgres_copy_read(database->postgres, &row, &found, error));
        if (!found)
            break;
        TRY(query_file_write(file, row, error));
    }
out:
    buffer_free(&copy);
    return refused(database, status, error);
}

/* From the first line of the plan: "... (cost=0.00..1.05 rows=5 width=44)". */
static Status measure(Database *database, const char *sql, int64_t *rows, int64_t *bytes,
                      Error *error)
{
    Status status;
    TRY(postgres_run(database->postgres, error, "EXPLAIN %s", sql));
    const char *plan = postgres_value(database->postgres, 0, 0);
    const char *rows_at = plan != NULL ? strstr(plan, "rows=") : NULL;
    const char *width_at = plan != NULL ? strstr(plan, "width=") : NULL;
    *rows = rows_at != NULL ? strtoll(rows_at + strlen("rows="), NULL, 10) : 0;
    *bytes = width_at != NULL ? *rows * strtoll(width_at + strlen("width="), NULL, 10) : 0;
out:
    return refused(database, status, error);
}

const DatabaseKind source_postgres = {
    QUERY_POSTGRES, postgres_is_url, postgres_check_url, open_postgres,
    close_postgres, share,           describe,           ask,
    read_rows,      measure,
};
