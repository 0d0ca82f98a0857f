/* Maria: one connection to a MariaDB or MySQL server, with errors that people understand. All
 * Local.
 *
 * The password comes by the client's own means alone: its option file, or MYSQL_PWD. */
#ifndef VESPER_DATABASE_MARIA_H
#define VESPER_DATABASE_MARIA_H

#include "base/bytes.h"

typedef struct Maria Maria;

/* NULL, or 0, is what the option file says, or the client's default. */
typedef struct MariaAddress {
    const char *url; /* for messages */
    const char *host;
    const char *user;
    const char *database;
    const char *socket;
    const char *ssl_ca;      /* TLS, with a server whose certificate this one signed */
    const char *option_file; /* instead of ~/.my.cnf and what stands before it */
    int port;
    double statement_seconds; /* that any statement may take; 0: any time */
} MariaAddress;

/* STATUS_USAGE if the option file that would be read is not there or may be read by others than its
 * owner. Nothing is opened. */
Status maria_check_option_file(const char *option_file, Error *error) VESPER_MUST_USE;

/* Connect. From here on SQL is standard SQL, as in sql.h: "name", 'text' without backslashes;
 * values that do not fit are errors; text is UTF-8. */
Status maria_open(const MariaAddress *address, Maria **maria, Error *error) VESPER_MUST_USE;
void maria_close(Maria **maria); /* accepts NULL in it; ends a transaction without effect */

/* Run one statement; what it returns is not looked at. */
Status maria_run(Maria *maria, Error *error, const char *format, ...)
    VESPER_PRINTF(3, 4) VESPER_MUST_USE;
Status maria_run_bytes(Maria *maria, Bytes sql, Error *error) VESPER_MUST_USE;

/* Begin a statement whose rows are fetched as they come, up to the one that is not found. */
Status maria_select(Maria *maria, const char *sql, Error *error) VESPER_MUST_USE;
Status maria_fetch(Maria *maria, bool *found, Error *error) VESPER_MUST_USE;
/* A value of the row fetched, until the next is; its data is NULL for NULL. */
Bytes maria_value(const Maria *maria, int column);

/* Seconds that a statement waits for a table that others use; 0: not at all, where the server can
 * do that (MariaDB), else one. */
Status maria_set_lock_wait(Maria *maria, int seconds, Error *error) VESPER_MUST_USE;
/* True if the last failure was for want of a lock. */
bool maria_was_locked_out(const Maria *maria);

#endif
