/* One connection to an SQLite file. */
#include "database/sqlite_file.h"

#include "base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

/* Checkpoints wait shorter than writers: readers may stay for as long as they like. */
enum { CHECKPOINT_WAIT_MS = 2000 };

/* What a user can do about it; NULL for what is nobody's everyday trouble. */
static const char *advice(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another program is writing to it; run again when that has finished";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        return "give this user the right to write the file and its folder";
    case SQLITE_NOTADB:
        return "name another file, or move this one away";
    case SQLITE_CORRUPT:
        return "restore it from a copy, or move it away and run again";
    case SQLITE_FULL:
        return "free some room and run again";
    case SQLITE_IOERR:
        return "check the disk and run again";
    default:
        return NULL;
    }
}

Status sqlite_file_fail(const SqliteFile *file, const char *doing, Error *error)
{
    int code = sqlite3_extended_errcode(file->db);
    int primary = code & 0xff;
    Status status = primary == SQLITE_NOMEM ? STATUS_MEMORY : STATUS_IO;
    if (primary == SQLITE_CONSTRAINT || primary == SQLITE_MISUSE)
        status = STATUS_BUG;
    const char *what = sqlite3_errmsg(file->db), *to_do = advice(code);
    if (to_do == NULL)
        return error_set(error, status, __FILE__, __LINE__, "%s: %s, code %d, at: %s", file->path,
                         what, code, doing);
    return error_set(error, status, __FILE__, __LINE__, "%s: %s; %s", file->path, what, to_do);
}

Status sqlite_file_check_place(const char *path, Error *error)
{
    Status status = STATUS_OK;
    struct stat found;
    char *folder = mem_copy_string(path);
    char *slash = strrchr(folder, '/');
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode))
        FAIL(error, STATUS_IO, "%s: is a folder; name a file in it, e.g. sqlite:%s/shop.db", path,
             path);
    if (slash == NULL || slash == folder)
        goto out;
    *slash = '\0';
    if (stat(folder, &found) != 0)
        FAIL(error, STATUS_IO, "%s: cannot use folder %s: %s; make it, or name another file", path,
             folder, strerror(errno));
out:
    mem_free(&folder);
    return status;
}

static Status open_file(SqliteFile *file, const char *path, int flags, Error *error)
{
    Buffer plain = {0};
    Status status = STATUS_OK;
    file->path = path;
    /* SQLite gives `:memory:` and `file:...` a meaning of their own; with ./ before they are files.
     */
    buffer_printf(&plain, "%s%s", path[0] == '/' ? "" : "./", path);
    if (sqlite3_open_v2(buffer_string(&plain), &file->db, flags | SQLITE_OPEN_NOMUTEX, NULL) ==
        SQLITE_OK)
        sqlite3_busy_timeout(file->db, SQLITE_FILE_WAIT_MS);
    else
        status = sqlite_file_fail(file, "opening", error);
    buffer_free(&plain);
    return status;
}

Status sqlite_file_open(SqliteFile *file, const char *path, Error *error)
{
    Status status;
    TRY(sqlite_file_check_place(path, error));
    TRY(open_file(file, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error));
    TRY(sqlite_file_run(file, error, "PRAGMA legacy_alter_table = ON"));
    int64_t version;
    TRY(sqlite_file_ask(file, &version, error, NULL, "PRAGMA schema_version"));
out:
    return status;
}

Status sqlite_file_open_reading(SqliteFile *file, const char *path, Error *error)
{
    Status status = STATUS_OK;
    struct stat found;
    if (stat(path, &found) != 0)
        FAIL(error, STATUS_INPUT, "cannot find %s: %s", path, strerror(errno));
    TRY(sqlite_file_check_place(path, error));
    TRY(open_file(file, path, SQLITE_OPEN_READONLY, error));
    TRY(sqlite_file_run(file, error, "BEGIN"));
out:
    return status;
}

Bytes sqlite_file_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return (Bytes){text, text != NULL ? sqlite3_column_bytes(statement, column) : 0};
}

void sqlite_file_close(SqliteFile *file)
{
    sqlite3_close(file->db);
    file->db = NULL;
}

/* Without WAL, readers would wait for the load, or the load for readers. */
static Status use_wal(SqliteFile *file, Error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row;
    Status status;
    TRY(sqlite_file_prepare(file, &statement, error, "PRAGMA journal_mode = WAL"));
    TRY(sqlite_file_step(file, statement, &row, error));
    const char *mode = row ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (mode == NULL || strcmp(mode, "wal") != 0)
        FAIL(error, STATUS_IO,
             "%s: SQLite cannot keep a write-ahead log there; use a file on a local disk",
             file->path);
out:
    sqlite3_finalize(statement);
    return status;
}

Status sqlite_file_prepare_writing(SqliteFile *file, Error *error)
{
    Status status;
    if (sqlite3_db_readonly(file->db, "main") == 1)
        FAIL(error, STATUS_IO, "%s: may only be read; %s", file->path, advice(SQLITE_READONLY));
    TRY(use_wal(file, error));
    TRY(sqlite_file_run(file, error, "PRAGMA synchronous = NORMAL"));
    /* Debian's SQLite overwrites dropped tables with zeros by default, inside the switch. */
    TRY(sqlite_file_run(file, error, "PRAGMA secure_delete = FAST"));
    TRY(sqlite_file_run(file, error, "PRAGMA cache_size = -65536")); /* 64 MiB */
out:
    return status;
}

Status sqlite_file_sync_commits(SqliteFile *file, Error *error)
{
    return sqlite_file_run(file, error, "PRAGMA synchronous = FULL");
}

Status sqlite_file_forget_cache(SqliteFile *file, Error *error)
{
    return sqlite_file_run(file, error, "PRAGMA shrink_memory");
}

Status sqlite_file_checkpoint(SqliteFile *file, Error *error)
{
    sqlite3_busy_timeout(file->db, CHECKPOINT_WAIT_MS);
    int code = sqlite3_wal_checkpoint_v2(file->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(file->db, SQLITE_FILE_WAIT_MS);
    return code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY
               ? STATUS_OK
               : sqlite_file_fail(file, "bringing the write-ahead log into the file", error);
}

static Status prepare_list(SqliteFile *file, sqlite3_stmt **statement, Error *error,
                           const char *format, va_list values)
{
    Status status = STATUS_OK;
    *statement = NULL;
    char *sql = sqlite3_vmprintf(format, values);
    if (sql == NULL)
        FAIL(error, STATUS_MEMORY, "%s: no memory for a statement", file->path);
    if (sqlite3_prepare_v2(file->db, sql, -1, statement, NULL) != SQLITE_OK)
        status = sqlite_file_fail(file, sql, error);
out:
    sqlite3_free(sql);
    return status;
}

Status sqlite_file_prepare(SqliteFile *file, sqlite3_stmt **statement, Error *error,
                           const char *format, ...)
{
    va_list values;
    va_start(values, format);
    Status status = prepare_list(file, statement, error, format, values);
    va_end(values);
    return status;
}

Status sqlite_file_step(SqliteFile *file, sqlite3_stmt *statement, bool *row, Error *error)
{
    int code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return STATUS_OK;
    return sqlite_file_fail(file, sqlite3_sql(statement), error);
}

Status sqlite_file_run(SqliteFile *file, Error *error, const char *format, ...)
{
    sqlite3_stmt *statement = NULL;
    bool row;
    va_list values;
    va_start(values, format);
    Status status = prepare_list(file, &statement, error, format, values);
    va_end(values);
    if (status == STATUS_OK)
        status = sqlite_file_step(file, statement, &row, error);
    sqlite3_finalize(statement);
    return status;
}

Status sqlite_file_ask(SqliteFile *file, int64_t *value, Error *error, const char *const *texts,
                       const char *format, ...)
{
    sqlite3_stmt *statement = NULL;
    bool row;
    va_list values;
    *value = 0;
    va_start(values, format);
    Status status = prepare_list(file, &statement, error, format, values);
    va_end(values);
    if (status != STATUS_OK)
        goto out;
    for (int i = 0; texts != NULL && texts[i] != NULL; i++)
        if (sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC) != SQLITE_OK) {
            status = sqlite_file_fail(file, sqlite3_sql(statement), error);
            goto out;
        }
    TRY(sqlite_file_step(file, statement, &row, error));
    if (row)
        *value = sqlite3_column_int64(statement, 0);
out:
    sqlite3_finalize(statement);
    return status;
}

void sqlite_file_roll_back(SqliteFile *file)
{
    if (file->db != NULL && !sqlite3_get_autocommit(file->db))
        sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
}
