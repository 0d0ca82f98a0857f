/* Publish into an SQLite file: load beside, read back, switch in one transaction.
 *
 * The file is in WAL mode, so readers never wait for the load and see one night in each of their
 * transactions. Every step can die: what a dead run left under NAME__next is dropped by the next.
 */
#include "base/fault.h"
#include "database/sqlite_file.h"
#include "publish/cell.h"
#include "publish/sql_target.h"
#include "publish/target.h"

#include <string.h>
#include <unistd.h>

typedef struct Publication {
    SqliteFile file;
    SqlTarget target;
    int64_t schema_version;              /* after NAME__next were made */
    uint64_t checksums[RESULT_READ_MAX]; /* of the rows as sent */
    Cell cells[TABLE_COLUMNS_MAX];
    Buffer scratch;
} Publication;

/* ---- SQLite's SQL ---- */

static Status run_statement(void *database, const char *sql, Buffer *answer, Error *error)
{
    SqliteFile *file = database;
    sqlite3_stmt *statement = NULL;
    bool more;
    Status status;
    TRY(sqlite_file_prepare(file, &statement, error, "%s", sql));
    TRY(sqlite_file_step(file, statement, &more, error));
    while (more && answer != NULL) {
        const void *text = sqlite3_column_text(statement, 0);
        if (text != NULL)
            buffer_append(answer, text, sqlite3_column_bytes(statement, 0));
        buffer_append_string(answer, "\n");
        TRY(sqlite_file_step(file, statement, &more, error));
    }
out:
    sqlite3_finalize(statement);
    return status;
}

static Status rename_table(void *database, const char *from, const char *to, Error *error)
{
    return sqlite_file_run(database, error, "ALTER TABLE \"%s\" RENAME TO \"%s\"", from, to);
}

static const SqlDialect dialect = {
    .whole = "INTEGER",
    .text = "TEXT",
    .day = "TEXT",
    .keyed_end = " WITHOUT ROWID",
    .how_many = "SELECT count(*) FROM sqlite_master WHERE name COLLATE NOCASE = ",
    .elsewhere = "file",
    .records_end = "",
    .run = run_statement,
    .rename = rename_table,
};

static const char *type_of(const ColumnSpec *column)
{
    static const char *const types[] = {
        [CELL_NULL] = "", [CELL_INTEGER] = "INTEGER", [CELL_REAL] = "REAL", [CELL_TEXT] = "TEXT"};
    return types[cell_column_kind(column->type, column->unit)];
}

/* ---- loading ---- */

/* Sorted by its key and without a separate index: readers look rows up by key. */
static Status create_next(Publication *publication, const ResultTable *table, Error *error)
{
    Buffer sql = {0};
    Status status;
    TRY(sqlite_file_run(&publication->file, error, "DROP TABLE IF EXISTS \"%s__next\"",
                        table->name));
    sql_target_append_columns(&sql, table, type_of);
    bool has_key = table->key[0] != '\0'; /* a table of one row has none */
    if (has_key) {
        buffer_append_string(&sql, ", PRIMARY KEY (");
        sql_target_append_key(&sql, table->key);
        buffer_append_string(&sql, ")");
    }
    TRY(sqlite_file_run(&publication->file, error, "CREATE TABLE \"%s__next\" (%s)%s", table->name,
                        buffer_string(&sql), has_key ? dialect.keyed_end : ""));
out:
    buffer_free(&sql);
    return status;
}

/* Make NAME__next of every table, empty. The schema's version tells the switch whether anybody
 * else, another publisher above all, has made or dropped tables since. */
static Status create_all_next(Publication *publication, Error *error)
{
    SqliteFile *file = &publication->file;
    ResultReader *reader = publication->target.reader;
    Status status;
    TRY(sqlite_file_run(file, error, "BEGIN IMMEDIATE"));
    for (int i = 0; i < results_count(reader); i++)
        TRY(create_next(publication, results_table(reader, i), error));
    TRY(sqlite_file_ask(file, &publication->schema_version, error, NULL, "PRAGMA schema_version"));
    TRY(sqlite_file_run(file, error, "COMMIT"));
out:
    return status;
}

static int bind_cell(sqlite3_stmt *statement, int at, const Cell *cell)
{
    switch (cell->kind) {
    case CELL_NULL:
        break;
    case CELL_INTEGER:
        return sqlite3_bind_int64(statement, at, cell->integer);
    case CELL_REAL:
        return sqlite3_bind_double(statement, at, cell->real);
    case CELL_TEXT:
        return sqlite3_bind_text64(statement, at, cell->text.data ? cell->text.data : "",
                                   (sqlite3_uint64)cell->text.size, SQLITE_STATIC, SQLITE_UTF8);
    }
    return sqlite3_bind_null(statement, at);
}

/* One block of a result is one transaction, so that other writers of the file get their turn. */
static Status load_block(Publication *publication, sqlite3_stmt *insert, const ResultTable *table,
                         const Table *rows, uint64_t *checksum, Error *error)
{
    SqliteFile *file = &publication->file;
    const Column *columns[TABLE_COLUMNS_MAX];
    bool row_out;
    Status status;
    for (int c = 0; c < table->n_columns; c++)
        columns[c] = table_column_const(rows, table->columns[c].name);
    TRY(sqlite_file_run(file, error, "BEGIN IMMEDIATE"));
    TRY(fault_point("publish.load", error));
    TRY(target_safe_point(table, "loaded", error));
    for (int64_t row = 0; row < rows->rows; row++) {
        int rc = SQLITE_OK;
        for (int c = 0; c < table->n_columns && rc == SQLITE_OK; c++) {
            cell_read(columns[c], row, &publication->cells[c]);
            rc = bind_cell(insert, c + 1, &publication->cells[c]);
        }
        if (rc != SQLITE_OK) {
            status = sqlite_file_fail(file, table->name, error);
            goto out;
        }
        *checksum += cell_row_hash(publication->cells, table->n_columns, &publication->scratch);
        TRY(sqlite_file_step(file, insert, &row_out, error));
        sqlite3_reset(insert);
    }
    TRY(sqlite_file_run(file, error, "COMMIT"));
out:
    return status;
}

static Status load_table(Publication *publication, int i, Error *error)
{
    const ResultTable *table = results_table(publication->target.reader, i);
    sqlite3_stmt *insert = NULL;
    Table rows = {0};
    Buffer places = {0};
    Status status;
    for (int c = 0; c < table->n_columns; c++)
        buffer_printf(&places, "%s?%d", c > 0 ? ", " : "", c + 1);
    TRY(sqlite_file_prepare(&publication->file, &insert, error,
                            "INSERT INTO \"%s__next\" VALUES (%s)", table->name,
                            buffer_string(&places)));
    for (int64_t block = 0; block * RESULT_BLOCK < table->rows; block++) {
        TRY(results_read_block(publication->target.reader, i, block, &rows, error));
        TRY(load_block(publication, insert, table, &rows, &publication->checksums[i], error));
    }
out:
    sqlite3_finalize(insert);
    table_free(&rows);
    buffer_free(&places);
    return status;
}

static void read_back_cell(sqlite3_stmt *statement, int at, Cell *cell)
{
    switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER:
        cell->kind = CELL_INTEGER;
        cell->integer = sqlite3_column_int64(statement, at);
        break;
    case SQLITE_FLOAT:
        cell->kind = CELL_REAL;
        cell->real = sqlite3_column_double(statement, at);
        break;
    case SQLITE_TEXT:
        cell->kind = CELL_TEXT;
        cell->text.data = (const char *)sqlite3_column_text(statement, at);
        cell->text.size = sqlite3_column_bytes(statement, at);
        break;
    default:
        cell->kind = CELL_NULL;
    }
}

static Status verify_table(Publication *publication, int i, Error *error)
{
    const ResultTable *table = results_table(publication->target.reader, i);
    SqliteFile *file = &publication->file;
    sqlite3_stmt *select = NULL;
    Buffer columns = {0};
    int64_t rows = 0;
    uint64_t checksum = 0;
    bool more;
    Status status;
    sql_target_append_columns(&columns, table, NULL);
    TRY(fault_point("publish.verify", error));
    TRY(target_safe_point(table, "read back", error));
    TRY(sqlite_file_prepare(file, &select, error, "SELECT %s FROM \"%s__next\"",
                            buffer_string(&columns), table->name));
    TRY(sqlite_file_step(file, select, &more, error));
    while (more) {
        for (int c = 0; c < table->n_columns; c++)
            read_back_cell(select, c, &publication->cells[c]);
        checksum += cell_row_hash(publication->cells, table->n_columns, &publication->scratch);
        rows++;
        TRY(sqlite_file_step(file, select, &more, error));
    }
    TRY(sql_target_compare(&publication->target, table, rows, checksum == publication->checksums[i],
                           error));
out:
    sqlite3_finalize(select);
    buffer_free(&columns);
    return status;
}

/* ---- the switch ---- */

/* The one transaction that readers notice. */
static Status switch_tables(Publication *publication, Error *error)
{
    SqliteFile *file = &publication->file;
    int64_t schema_version;
    Status status;
    TRY(sqlite_file_run(file, error, "BEGIN IMMEDIATE"));
    TRY(sqlite_file_ask(file, &schema_version, error, NULL, "PRAGMA schema_version"));
    if (schema_version != publication->schema_version)
        FAIL(error, STATUS_IO,
             "%s: another program made or dropped tables while the night was loaded; nothing was "
             "switched; run again",
             file->path);
    TRY(sql_target_create_runs(&publication->target, error));
    TRY(sql_target_switch(&publication->target, error));
    TRY(sqlite_file_run(file, error, "COMMIT"));
out:
    return status;
}

static Status load_and_switch(Publication *publication, Error *error)
{
    SqliteFile *file = &publication->file;
    int n_tables = results_count(publication->target.reader);
    Status status;
    TRY(sqlite_file_prepare_writing(file, error));
    TRY(create_all_next(publication, error));
    for (int i = 0; i < n_tables; i++)
        TRY(load_table(publication, i, error));
    TRY(sqlite_file_forget_cache(file, error));
    for (int i = 0; i < n_tables; i++)
        TRY(verify_table(publication, i, error));
    TRY(sqlite_file_sync_commits(file, error));
    TRY(switch_tables(publication, error));
out:
    if (status != STATUS_OK) {
        sqlite_file_roll_back(file);
        sql_target_drop_next(&publication->target);
    }
    return status;
}

/* ---- the target ---- */

/* `sqlite://shop.db` would mean /shop.db, which nobody who writes it means. */
static bool path_is_misread_url(const char *path)
{
    return strncmp(path, "//", 2) == 0 && path[2] != '/';
}

Status sqlite_check(const char *path, Error *error)
{
    Status status = STATUS_OK;
    if (path[0] == '\0' || path_is_misread_url(path))
        FAIL(error, STATUS_USAGE,
             "publish target 'sqlite:%s' names no file; write sqlite:shop.db or "
             "sqlite:/folder/shop.db",
             path);
out:
    return status;
}

Status sqlite_reach(const char *path, const PublishOptions *options, Error *error)
{
    (void)options;
    return sqlite_file_check_place(path, error);
}

Status sqlite_publish(ResultReader *reader, const PublishedRun *run, const char *path,
                      const PublishOptions *options, PublishSummary *summary, Error *error)
{
    Publication publication = {
        .target = {&dialect, &publication.file, path, .reader = reader, .run = run}};
    bool in_force;
    Status status;
    (void)options;
    TRY(sqlite_file_open(&publication.file, path, error));
    TRY(fault_point("publish.open", error));
    TRY(sql_target_is_in_force(&publication.target, &in_force, error));
    if (!in_force) {
        TRY(sql_target_check_foreign(&publication.target, error));
        TRY(load_and_switch(&publication, error));
        TRY(fault_point("publish.done", error));
        TRY(sqlite_file_checkpoint(&publication.file, error));
    }
    sql_target_summarise(&publication.target, !in_force, summary);
out:
    sqlite_file_close(&publication.file);
    buffer_free(&publication.scratch);
    return status;
}

Status sqlite_roll_back(const char *path, const PublishOptions *options, RollbackSummary *summary,
                        Error *error)
{
    SqliteFile file = {0};
    SqlTarget target = {&dialect, &file, path, NULL, NULL};
    Status status;
    (void)options;
    if (access(path, F_OK) != 0)
        FAIL(error, STATUS_USAGE, "%s: nothing to roll back: there is no such file", path);
    TRY(sqlite_file_open(&file, path, error));
    TRY(sql_target_find_previous(&target, summary, error));
    TRY(sqlite_file_prepare_writing(&file, error));
    TRY(sqlite_file_sync_commits(&file, error));
    TRY(sqlite_file_run(&file, error, "BEGIN IMMEDIATE"));
    TRY(sql_target_find_previous(&target, summary, error)); /* another publisher may have come */
    TRY(sql_target_switch_back(&target, error));
    TRY(sqlite_file_run(&file, error, "COMMIT"));
    TRY(sqlite_file_checkpoint(&file, error));
out:
    sqlite_file_roll_back(&file);
    sqlite_file_close(&file);
    return status;
}
