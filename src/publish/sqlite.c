/* Publish into an SQLite file: load beside, read back, switch in one transaction.
 *
 * The file is in WAL mode, so readers never wait for the load and see one night in each of their
 * transactions. Every step can die: what a dead run left under NAME__next is dropped by the next.
 */
#include "publish/target.h"

#include "base/fault.h"
#include "database/sqlite_file.h"
#include "publish/cell.h"

#include <string.h>

/* Names of the tables of one run that the file holds. */
typedef struct TableNames {
    int count;
    char names[RESULT_READ_MAX][STORE_NAME_SIZE];
} TableNames;

typedef struct Publication {
    SqliteFile file;
    ResultReader *reader;
    const PublishedRun *run;
    int n_tables;
    int64_t schema_version;              /* after NAME__next were made */
    uint64_t checksums[RESULT_READ_MAX]; /* of the rows as sent */
    Cell cells[TABLE_COLUMNS_MAX];
    Buffer scratch;
} Publication;

/* What vesper_run says of the run; NULL for a text that is empty. */
static Status bind_run(Publication *publication, sqlite3_stmt *statement, Error *error)
{
    const PublishedRun *run = publication->run;
    const char *as_of = run->as_of[0] ? run->as_of : NULL;
    const int64_t numbers[] = {run->generation,
                               run->money_decimals,
                               run->orders.read,
                               run->orders.stored,
                               run->orders.rejected,
                               run->orders.unchanged,
                               run->orders.replaced_orders,
                               run->rows_in_force};
    int rc = sqlite3_bind_text(statement, 1, run->run, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(statement, 2, as_of, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(statement, 3, run->currency, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(statement, 4, run->time_zone, -1, SQLITE_STATIC);
    for (int i = 0; i < (int)(sizeof numbers / sizeof *numbers) && rc == SQLITE_OK; i++)
        rc = sqlite3_bind_int64(statement, 5 + i, numbers[i]);
    return rc == SQLITE_OK ? STATUS_OK
                           : sqlite_file_fail(&publication->file, "writing vesper_run", error);
}

/* 1 if vesper_run and vesper_run_table say that this very run, with these tables, is in force. */
static Status run_is_recorded(Publication *publication, bool *recorded, Error *error)
{
    SqliteFile *file = &publication->file;
    sqlite3_stmt *statement = NULL;
    bool row;
    Status status;
    TRY(sqlite_file_prepare(
        file, &statement, error,
        "SELECT (SELECT count(*) FROM vesper_run_table t WHERE t.run = r.run)"
        " FROM vesper_run r WHERE current = 1 AND run = ?1 AND as_of IS ?2 AND currency = ?3"
        " AND time_zone = ?4 AND generation = ?5 AND money_decimals = ?6 AND rows_read = ?7"
        " AND rows_stored = ?8 AND rows_rejected = ?9 AND rows_unchanged = ?10"
        " AND replaced_orders = ?11 AND rows_in_force = ?12"));
    TRY(bind_run(publication, statement, error));
    TRY(sqlite_file_step(file, statement, &row, error));
    *recorded = row && sqlite3_column_int64(statement, 0) == publication->n_tables;
out:
    sqlite3_finalize(statement);
    return status;
}

/* As text, because SQLite's integers are signed. */
static void checksum_text(uint64_t checksum, char text[17])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++)
        text[i] = digits[(checksum >> (60 - 4 * i)) & 15];
    text[16] = '\0';
}

/* True if the table was published with this content, and still has as many rows. */
static Status table_is_in_force(Publication *publication, const ResultTable *table, bool *in_force,
                                Error *error)
{
    SqliteFile *file = &publication->file;
    char checksum[17];
    int64_t found, rows;
    Status status;
    *in_force = false;
    checksum_text(table->checksum, checksum);
    TRY(sqlite_file_ask(file, &found, error,
                        (const char *[]){publication->run->run, table->name, checksum, NULL},
                        "SELECT count(*) FROM vesper_run_table, sqlite_master"
                        " WHERE run = ?1 AND table_name = ?2 AND checksum = ?3"
                        " AND type = 'table' AND name = ?2"));
    if (found == 0)
        goto out;
    TRY(sqlite_file_ask(file, &rows, error, NULL, "SELECT count(*) FROM \"%s\"", table->name));
    *in_force = rows == table->rows;
out:
    return status;
}

static Status has_table(Publication *publication, const char *name, bool *there, Error *error)
{
    int64_t found = 0;
    Status status = sqlite_file_ask(&publication->file, &found, error, (const char *[]){name, NULL},
                                    "SELECT count(*) FROM sqlite_master WHERE name = ?1"
                                    " COLLATE NOCASE");
    *there = found > 0;
    return status;
}

/* Reads only: a night that is in force already leaves the file untouched. */
static Status run_is_in_force(Publication *publication, bool *in_force, Error *error)
{
    Status status;
    *in_force = false;
    TRY(has_table(publication, "vesper_run", in_force, error));
    if (*in_force)
        TRY(run_is_recorded(publication, in_force, error));
    for (int i = 0; i < publication->n_tables && *in_force; i++)
        TRY(table_is_in_force(publication, results_table(publication->reader, i), in_force, error));
out:
    return status;
}

/* A table of the same name that Vesper did not make belongs to somebody else. */
static Status check_foreign_tables(Publication *publication, Error *error)
{
    bool recorded, there;
    int64_t ours = 0;
    Status status;
    TRY(has_table(publication, "vesper_run_table", &recorded, error));
    for (int i = 0; i < publication->n_tables; i++) {
        const char *name = results_table(publication->reader, i)->name;
        TRY(has_table(publication, name, &there, error));
        if (there && recorded)
            TRY(sqlite_file_ask(&publication->file, &ours, error, (const char *[]){name, NULL},
                                "SELECT count(*) FROM vesper_run_table JOIN vesper_run USING (run)"
                                " WHERE current = 1 AND table_name = ?1"));
        if (there && ours == 0)
            FAIL(error, STATUS_IO,
                 "%s: has a table %s that Vesper did not publish; rename it there, or publish into "
                 "another file",
                 publication->file.path, name);
    }
out:
    return status;
}

/* Columns of `list` (comma between), quoted. */
static void append_key(Buffer *sql, const char *list)
{
    buffer_append_string(sql, "\"");
    for (const char *c = list; *c; c++) {
        if (*c == ',')
            buffer_append_string(sql, "\", \"");
        else
            buffer_append(sql, c, 1);
    }
    buffer_append_string(sql, "\"");
}

static void append_columns(Buffer *sql, const ResultTable *table, bool with_types)
{
    static const char *const types[] = {[CELL_NULL] = "",
                                        [CELL_INTEGER] = " INTEGER",
                                        [CELL_REAL] = " REAL",
                                        [CELL_TEXT] = " TEXT"};
    for (int c = 0; c < table->n_columns; c++) {
        const ColumnSpec *column = &table->columns[c];
        buffer_printf(sql, "%s\"%s\"%s", c > 0 ? ", " : "", column->name,
                      with_types ? types[cell_column_kind(column->type, column->unit)] : "");
    }
}

/* Sorted by its key and without a separate index: readers look rows up by key. */
static Status create_next(Publication *publication, const ResultTable *table, Error *error)
{
    Buffer sql = {0};
    Status status;
    TRY(sqlite_file_run(&publication->file, error, "DROP TABLE IF EXISTS \"%s__next\"",
                        table->name));
    append_columns(&sql, table, true);
    bool has_key = table->key[0] != '\0'; /* a table of one row has none */
    if (has_key) {
        buffer_append_string(&sql, ", PRIMARY KEY (");
        append_key(&sql, table->key);
        buffer_append_string(&sql, ")");
    }
    TRY(sqlite_file_run(&publication->file, error, "CREATE TABLE \"%s__next\" (%s)%s", table->name,
                        buffer_string(&sql), has_key ? " WITHOUT ROWID" : ""));
out:
    buffer_free(&sql);
    return status;
}

/* Make NAME__next of every table, empty. The schema's version tells the switch whether anybody
 * else, another publisher above all, has made or dropped tables since. */
static Status create_all_next(Publication *publication, Error *error)
{
    SqliteFile *file = &publication->file;
    Status status;
    TRY(sqlite_file_run(file, error, "BEGIN IMMEDIATE"));
    for (int i = 0; i < publication->n_tables; i++)
        TRY(create_next(publication, results_table(publication->reader, i), error));
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
    const ResultTable *table = results_table(publication->reader, i);
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
        TRY(results_read_block(publication->reader, i, block, &rows, error));
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
    const ResultTable *table = results_table(publication->reader, i);
    SqliteFile *file = &publication->file;
    sqlite3_stmt *select = NULL;
    Buffer columns = {0};
    int64_t rows = 0;
    uint64_t checksum = 0;
    bool more;
    Status status;
    append_columns(&columns, table, false);
    TRY(fault_point("publish.verify", error));
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
    if (rows != table->rows || checksum != publication->checksums[i])
        FAIL(error, STATUS_IO,
             "%s: table %s was read back with %lld of %lld rows%s; nothing was switched; check the "
             "disk and run again",
             file->path, table->name, (long long)rows, (long long)table->rows,
             rows == table->rows ? " but other values" : "");
out:
    sqlite3_finalize(select);
    buffer_free(&columns);
    return status;
}

/* Tables of the run in force (current 1) or of the one before (0). */
static Status read_names(Publication *publication, int current, TableNames *names, Error *error)
{
    SqliteFile *file = &publication->file;
    sqlite3_stmt *statement = NULL;
    bool more;
    Status status;
    names->count = 0;
    TRY(sqlite_file_prepare(file, &statement, error,
                            "SELECT table_name FROM vesper_run_table JOIN vesper_run USING (run)"
                            " WHERE current = %d ORDER BY 1",
                            current));
    TRY(sqlite_file_step(file, statement, &more, error));
    while (more) {
        Bytes name = {(const char *)sqlite3_column_text(statement, 0),
                      sqlite3_column_bytes(statement, 0)};
        if (names->count == RESULT_READ_MAX || name.data == NULL || !target_name_is_plain(name))
            FAIL(error, STATUS_IO,
                 "%s: table vesper_run_table was changed by hand; publish into a new file",
                 file->path);
        memcpy(names->names[names->count], name.data, (size_t)name.size);
        names->names[names->count++][name.size] = '\0';
        TRY(sqlite_file_step(file, statement, &more, error));
    }
out:
    sqlite3_finalize(statement);
    return status;
}

/* Put the tables in force out of it: they become NAME__previous in place of the older ones. If they
 * are an earlier publication of this same run they go, and the night before stays. */
static Status retire_tables(Publication *publication, bool same_run, Error *error)
{
    SqliteFile *file = &publication->file;
    TableNames names;
    bool there;
    Status status;
    if (!same_run) {
        TRY(read_names(publication, 0, &names, error));
        for (int i = 0; i < names.count; i++)
            TRY(sqlite_file_run(file, error, "DROP TABLE IF EXISTS \"%s__previous\"",
                                names.names[i]));
    }
    TRY(read_names(publication, 1, &names, error));
    for (int i = 0; i < names.count; i++) {
        const char *name = names.names[i];
        TRY(has_table(publication, name, &there, error));
        if (there && same_run)
            TRY(sqlite_file_run(file, error, "DROP TABLE \"%s\"", name));
        else if (there)
            TRY(sqlite_file_run(file, error, "ALTER TABLE \"%s\" RENAME TO \"%s__previous\"", name,
                                name));
    }
out:
    return status;
}

static Status record_table(Publication *publication, const ResultTable *table, Error *error)
{
    char checksum[17];
    int64_t none; /* an INSERT returns no row */
    checksum_text(table->checksum, checksum);
    return sqlite_file_ask(
        &publication->file, &none, error,
        (const char *[]){publication->run->run, table->name, checksum, NULL},
        "INSERT INTO vesper_run_table (run, table_name, rows, checksum) VALUES (?1, ?2, %lld, ?3)",
        (long long)table->rows);
}

/* vesper_run and vesper_run_table: this run in force, the one before kept, older ones gone. */
static Status record_run(Publication *publication, bool same_run, Error *error)
{
    SqliteFile *file = &publication->file;
    sqlite3_stmt *insert = NULL;
    bool row;
    Status status;
    TRY(sqlite_file_run(file, error,
                        "DELETE FROM vesper_run_table WHERE run IN"
                        " (SELECT run FROM vesper_run WHERE current = %d)",
                        same_run));
    TRY(sqlite_file_run(file, error, "DELETE FROM vesper_run WHERE current = %d", same_run));
    TRY(sqlite_file_run(file, error, "UPDATE vesper_run SET current = 0"));
    TRY(sqlite_file_prepare(
        file, &insert, error,
        "INSERT INTO vesper_run (run, as_of, currency, time_zone, generation, money_decimals,"
        " rows_read, rows_stored, rows_rejected, rows_unchanged, replaced_orders, rows_in_force,"
        " current) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1)"));
    TRY(bind_run(publication, insert, error));
    TRY(sqlite_file_step(file, insert, &row, error));
    for (int i = 0; i < publication->n_tables; i++)
        TRY(record_table(publication, results_table(publication->reader, i), error));
out:
    sqlite3_finalize(insert);
    return status;
}

static Status create_run_tables(Publication *publication, Error *error)
{
    SqliteFile *file = &publication->file;
    Status status;
    TRY(sqlite_file_run(file, error,
                        "CREATE TABLE IF NOT EXISTS vesper_run (run TEXT PRIMARY KEY,"
                        " current INTEGER, generation INTEGER, as_of TEXT, currency TEXT,"
                        " money_decimals INTEGER, time_zone TEXT, rows_read INTEGER,"
                        " rows_stored INTEGER, rows_rejected INTEGER, rows_unchanged INTEGER,"
                        " replaced_orders INTEGER, rows_in_force INTEGER) WITHOUT ROWID"));
    TRY(sqlite_file_run(file, error,
                        "CREATE TABLE IF NOT EXISTS vesper_run_table (run TEXT, table_name TEXT,"
                        " rows INTEGER, checksum TEXT, PRIMARY KEY (run, table_name))"
                        " WITHOUT ROWID"));
out:
    return status;
}

/* The one transaction that readers notice. */
static Status switch_tables(Publication *publication, Error *error)
{
    SqliteFile *file = &publication->file;
    int64_t schema_version, same_run;
    Status status;
    TRY(sqlite_file_run(file, error, "BEGIN IMMEDIATE"));
    TRY(sqlite_file_ask(file, &schema_version, error, NULL, "PRAGMA schema_version"));
    if (schema_version != publication->schema_version)
        FAIL(error, STATUS_IO,
             "%s: another program made or dropped tables while the night was loaded; nothing was "
             "switched; run again",
             file->path);
    TRY(create_run_tables(publication, error));
    TRY(sqlite_file_ask(file, &same_run, error, (const char *[]){publication->run->run, NULL},
                        "SELECT count(*) FROM vesper_run WHERE current = 1 AND run = ?1"));
    TRY(retire_tables(publication, same_run != 0, error));
    for (int i = 0; i < publication->n_tables; i++) {
        const char *name = results_table(publication->reader, i)->name;
        TRY(sqlite_file_run(file, error, "ALTER TABLE \"%s__next\" RENAME TO \"%s\"", name, name));
    }
    TRY(record_run(publication, same_run != 0, error));
    TRY(fault_point("publish.switch", error));
    TRY(sqlite_file_run(file, error, "COMMIT"));
out:
    return status;
}

/* After a failure, as well as the file allows: no half-loaded tables stay. */
static void drop_all_next(Publication *publication)
{
    Error ignored;
    sqlite_file_roll_back(&publication->file);
    for (int i = 0; i < publication->n_tables; i++)
        if (sqlite_file_run(&publication->file, &ignored, "DROP TABLE IF EXISTS \"%s__next\"",
                            results_table(publication->reader, i)->name) != STATUS_OK)
            return;
}

static Status load_and_switch(Publication *publication, Error *error)
{
    Status status;
    TRY(sqlite_file_prepare_writing(&publication->file, error));
    TRY(create_all_next(publication, error));
    for (int i = 0; i < publication->n_tables; i++)
        TRY(load_table(publication, i, error));
    TRY(sqlite_file_forget_cache(&publication->file, error));
    for (int i = 0; i < publication->n_tables; i++)
        TRY(verify_table(publication, i, error));
    TRY(sqlite_file_sync_commits(&publication->file, error));
    TRY(switch_tables(publication, error));
out:
    if (status != STATUS_OK)
        drop_all_next(publication);
    return status;
}

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

Status sqlite_publish(ResultReader *reader, const PublishedRun *run, const char *path,
                      PublishSummary *summary, Error *error)
{
    Publication publication = {.reader = reader, .run = run, .n_tables = results_count(reader)};
    bool in_force;
    Status status;
    TRY(sqlite_file_open(&publication.file, path, error));
    TRY(fault_point("publish.open", error));
    TRY(run_is_in_force(&publication, &in_force, error));
    if (!in_force) {
        TRY(check_foreign_tables(&publication, error));
        TRY(load_and_switch(&publication, error));
        TRY(fault_point("publish.done", error));
        TRY(sqlite_file_checkpoint(&publication.file, error));
    }
    summary->changed = !in_force;
    summary->tables = publication.n_tables;
    for (int i = 0; i < publication.n_tables; i++)
        summary->rows += results_table(reader, i)->rows;
out:
    sqlite_file_close(&publication.file);
    buffer_free(&publication.scratch);
    return status;
}
