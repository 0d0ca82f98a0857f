/* SQLite as a source. Connections cannot see the same state of a file that others write, so one
 * rank reads it. */
#include "base/memory.h"
#include "database/sqlite_file.h"
#include "ingest/source_kind.h"

#include <string.h>

static const char scheme[] = "sqlite:";
enum { ESTIMATED_BYTES = 12 /* of one value as text */ };

struct Database {
    SqliteFile file;
    char *path;
};

static bool is_sqlite(const char *url)
{
    return strncmp(url, scheme, sizeof scheme - 1) == 0;
}

static Status check(const char *url, Error *error)
{
    Status status = STATUS_OK;
    if (url[sizeof scheme - 1] == '\0')
        FAIL(error, STATUS_USAGE, "%s names no file; write it as sqlite:FILE", url);
out:
    return status;
}

/* What SQLite does not understand is for the user to mend. */
static Status refused(const Database *database, Status status, Error *error)
{
    int code = sqlite3_errcode(database->file.db) & 0xff;
    if (status == STATUS_IO && (code == SQLITE_ERROR || code == SQLITE_NOTADB))
        error->status = STATUS_INPUT;
    return status == STATUS_OK ? STATUS_OK : error->status;
}

static void close_sqlite(Database **database)
{
    if (*database != NULL) {
        sqlite_file_close(&(*database)->file);
        mem_free(&(*database)->path);
    }
    mem_free(database);
}

static Status open_sqlite(const char *url, const char *snapshot, int64_t timeout_s,
                          Database **database, Error *error)
{
    Status status;
    (void)timeout_s; /* SQLite's own wait for writers is short */
    vesper_assert(snapshot == NULL);
    *database = mem_new(1, sizeof **database);
    (*database)->path = mem_copy_string(url + sizeof scheme - 1);
    TRY(check(url, error));
    TRY(sqlite_file_open_reading(&(*database)->file, (*database)->path, error));
out:
    if (status != STATUS_OK)
        close_sqlite(database);
    return status;
}

static Status describe(Database *database, const char *sql, SourceQuery *query, Error *error)
{
    Status status;
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_file_prepare(&database->file, &statement, error, "%s", sql));
    for (int i = 0; i < sqlite3_column_count(statement); i++)
        query_add_column(query, sqlite3_column_name(statement, i), VALUE_OTHER);
out:
    status = refused(database, status, error);
    sqlite3_finalize(statement);
    return status;
}

static Status ask(Database *database, const char *sql, Buffer *values, int n, Error *error)
{
    Status status;
    bool row = false;
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_file_prepare(&database->file, &statement, error, "%s", sql));
    TRY(sqlite_file_step(&database->file, statement, &row, error));
    for (int i = 0; i < n && row; i++)
        buffer_append_bytes(&values[i], sqlite_file_text(statement, i));
out:
    status = refused(database, status, error);
    sqlite3_finalize(statement);
    return status;
}

static void append_row(sqlite3_stmt *statement, char delimiter, Buffer *line)
{
    int n = sqlite3_column_count(statement);
    buffer_clear(line);
    for (int i = 0; i < n; i++) {
        if (i > 0)
            buffer_append(line, &delimiter, 1);
        csv_append_field(line, sqlite_file_text(statement, i), delimiter);
    }
    if (line->size == 0)
        buffer_append_string(line, "\"\""); /* an empty line would be no row */
    buffer_append(line, "\n", 1);
}

static Status read_rows(Database *database, const char *sql, char delimiter, QueryFile *file,
                        Error *error)
{
    Status status;
    bool row = false;
    Buffer line = {0};
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_file_prepare(&database->file, &statement, error, "%s", sql));
    for (;;) {
        TRY(sqlite_file_step(&database->file, statement, &row, error));
        if (!row)
            break;
        append_row(statement, delimiter, &line);
        TRY(query_file_write(file, buffer_view(&line), error));
    }
out:
    status = refused(database, status, error);
    sqlite3_finalize(statement);
    buffer_free(&line);
    return status;
}

static Status measure(Database *database, const char *sql, int64_t *rows, int64_t *bytes,
                      Error *error)
{
    Status status;
    sqlite3_stmt *statement = NULL;
    TRY(sqlite_file_prepare(&database->file, &statement, error, "%s", sql));
    TRY(sqlite_file_ask(&database->file, rows, error, NULL, "SELECT count(*) FROM (%s)", sql));
    *bytes = *rows * sqlite3_column_count(statement) * ESTIMATED_BYTES;
out:
    status = refused(database, status, error);
    sqlite3_finalize(statement);
    return status;
}

const DatabaseKind source_sqlite = {
    QUERY_SQLITE, is_sqlite, check, open_sqlite, close_sqlite,
    NULL,         describe,  ask,   read_rows,   measure,
};
