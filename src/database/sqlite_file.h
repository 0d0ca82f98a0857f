/* SqliteFile: one connection to an SQLite file, with errors that people understand. */
#ifndef VESPER_DATABASE_SQLITE_FILE_H
#define VESPER_DATABASE_SQLITE_FILE_H

#include "base/bytes.h"

#include <sqlite3.h>

typedef struct SqliteFile {
    sqlite3 *db;
    const char *path; /* as the user wrote it */
} SqliteFile;

/* STATUS_IO, clearer than SQLite's "unable to open database file", if `path` is a folder or stands
 * in none. */
Status sqlite_file_check_place(const char *path, Error *error) VESPER_MUST_USE;
/* Open or make the file. Nothing is written to a file that is there. Another program's write
 * transaction is waited for, SQLITE_FILE_WAIT_MS at most. */
enum { SQLITE_FILE_WAIT_MS = 10000 };
Status sqlite_file_open(SqliteFile *file, const char *path, Error *error) VESPER_MUST_USE;
/* Open a file that is there for reading alone, and begin a transaction: from the first statement on
 * nothing seems to change. STATUS_INPUT if it is not there. */
Status sqlite_file_open_reading(SqliteFile *file, const char *path, Error *error) VESPER_MUST_USE;
void sqlite_file_close(SqliteFile *file); /* accepts one that was never opened */

/* WAL mode, and settings for a fast load: a crash of the machine may lose the last commits but
 * never leaves a damaged file. */
Status sqlite_file_prepare_writing(SqliteFile *file, Error *error) VESPER_MUST_USE;
/* From here on a commit is on the disk when it returns, and all earlier ones with it. */
Status sqlite_file_sync_commits(SqliteFile *file, Error *error) VESPER_MUST_USE;
/* Later reads come from the file again, not from this connection's pages. */
Status sqlite_file_forget_cache(SqliteFile *file, Error *error) VESPER_MUST_USE;
/* Bring the write-ahead log into the file, so that the file alone can be copied. A reader in the
 * middle of a transaction may put this off until it is done; that is no error. */
Status sqlite_file_checkpoint(SqliteFile *file, Error *error) VESPER_MUST_USE;

/* Run one statement without values; what it returns is not looked at. */
Status sqlite_file_run(SqliteFile *file, Error *error, const char *format, ...)
    VESPER_PRINTF(3, 4) VESPER_MUST_USE;
/* One statement to be bound and stepped; sqlite3_finalize it. */
Status sqlite_file_prepare(SqliteFile *file, sqlite3_stmt **statement, Error *error,
                           const char *format, ...) VESPER_PRINTF(4, 5) VESPER_MUST_USE;
/* *row is true if there is one. */
Status sqlite_file_step(SqliteFile *file, sqlite3_stmt *statement, bool *row,
                        Error *error) VESPER_MUST_USE;
/* A value of the current row as text, empty for NULL; borrowed until the next step. */
Bytes sqlite_file_text(sqlite3_stmt *statement, int column);
/* First value of the first row, 0 without one. `texts`: values of ?1, ?2, ...; NULL-ended, or NULL.
 */
Status sqlite_file_ask(SqliteFile *file, int64_t *value, Error *error, const char *const *texts,
                       const char *format, ...) VESPER_PRINTF(5, 6) VESPER_MUST_USE;

/* STATUS_IO (or what else fits) for the connection's last error. */
Status sqlite_file_fail(const SqliteFile *file, const char *doing, Error *error);
/* End an open transaction without effect. Accepts a file that was never opened. */
void sqlite_file_roll_back(SqliteFile *file);

#endif
