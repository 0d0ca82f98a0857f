/* MariadbSession: a connection that publishes: its database, its limits, its SQL. All Local. */
#ifndef VESPER_PUBLISH_MARIADB_SESSION_H
#define VESPER_PUBLISH_MARIADB_SESSION_H

#include "database/maria.h"
#include "publish/sql_target.h"

/* All zero is none. */
typedef struct MariadbSession {
    Maria *maria;
    const PublishOptions *options;
    Buffer url;
    Buffer renames; /* that come into force together */
} MariadbSession;

extern const SqlDialect mariadb_session_dialect; /* its database is a MariadbSession */

/* Connect, and see that the database is there and may be written. */
Status mariadb_session_open(MariadbSession *session, const char *place,
                            const PublishOptions *options, Error *error) VESPER_MUST_USE;
void mariadb_session_close(MariadbSession *session);

/* What follows takes a target of this dialect. */

/* Keep other publishers out of the database until the session ends. STATUS_LOCKED if one stays. */
Status mariadb_session_lock(const SqlTarget *target, const PublishOptions *options,
                            Error *error) VESPER_MUST_USE;

/* Drop the tables that the last switch took out of force, whoever made it. */
Status mariadb_session_drop_retired(const SqlTarget *target, Error *error) VESPER_MUST_USE;

/* Make vesper_run and vesper_run_table, if need be, and copies of them for the switch to write. */
Status mariadb_session_copy_runs(const SqlTarget *target, Error *error) VESPER_MUST_USE;
/* After a failure, as well as the server allows: the copies go. */
void mariadb_session_drop_copies(const SqlTarget *target);

#endif
