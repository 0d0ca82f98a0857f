/* Names and texts inside SQL, quoted as the standard has it: so do PostgreSQL, SQLite, and MariaDB
 * in the mode that maria.h sets. */
#ifndef VESPER_DATABASE_SQL_H
#define VESPER_DATABASE_SQL_H

#include "base/bytes.h"

/* Append "name" or 'text'; what it holds can be nothing else in the statement. Local. */
void sql_append_name(Buffer *sql, const char *name);
void sql_append_text(Buffer *sql, const char *text);
void sql_append_bytes(Buffer *sql, Bytes text);

#endif
