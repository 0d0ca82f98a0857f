/* Postgres: one connection to a PostgreSQL server, with errors that people understand. All Local.
 *
 * Passwords come by libpq's own means alone (passfile, service file, PGPASSWORD): one in a URL is
 * refused, so a URL that was checked may be shown, logged and stored. */
#ifndef VESPER_DATABASE_POSTGRES_H
#define VESPER_DATABASE_POSTGRES_H

#include "base/bytes.h"

typedef struct Postgres Postgres;

/* True for postgresql:// and postgres://. */
bool postgres_is_url(const char *url);

/* STATUS_USAGE if libpq does not understand `url`, if a password stands in it (no message repeats
 * it), or if the password file that would be asked may be read by others. Nothing is opened. */
Status postgres_check_url(const char *url, Error *error) VESPER_MUST_USE;

/* Connect: text is UTF-8, dates are ISO, times of day are in UTC. Checks the URL first. */
Status postgres_open(const char *url, Postgres **postgres, Error *error) VESPER_MUST_USE;
void postgres_close(
    Postgres **postgres); /* accepts NULL in it; ends a transaction without effect */

/* Run one statement, and keep its result until the next call. */
Status postgres_run(Postgres *postgres, Error *error, const char *format, ...)
    VESPER_PRINTF(3, 4) VESPER_MUST_USE;
/* Let the server begin one statement; postgres_finish waits for its end, and comes next. */
Status postgres_start(Postgres *postgres, const char *sql, Error *error) VESPER_MUST_USE;
Status postgres_finish(Postgres *postgres, Error *error) VESPER_MUST_USE;
/* What one statement would return, without running it: columns, no rows. */
Status postgres_describe(Postgres *postgres, const char *sql, Error *error) VESPER_MUST_USE;

/* The result kept. */
int postgres_rows(const Postgres *postgres);
int postgres_columns(const Postgres *postgres);
const char *postgres_column_name(const Postgres *postgres, int column);
uint32_t postgres_column_type(const Postgres *postgres, int column);       /* its OID in pg_type */
const char *postgres_value(const Postgres *postgres, int row, int column); /* NULL for NULL */

/* Begin a COPY ... TO STDOUT or FROM STDIN, whichever the statement says. */
Status postgres_copy_begin(Postgres *postgres, const char *sql, Error *error) VESPER_MUST_USE;
/* One row of a COPY TO, valid until the next call; *found is false after the last. */
Status postgres_copy_read(Postgres *postgres, Bytes *row, bool *found,
                          Error *error) VESPER_MUST_USE;
/* Some bytes of a COPY FROM; they need not end with a row. */
Status postgres_copy_write(Postgres *postgres, Bytes data, Error *error) VESPER_MUST_USE;
Status postgres_copy_end(Postgres *postgres, Error *error) VESPER_MUST_USE;

/* SQLSTATE of the last failure, like 42P01; "" if the server gave none. */
const char *postgres_state(const Postgres *postgres);

#endif
