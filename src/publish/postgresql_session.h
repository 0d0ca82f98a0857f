/* PostgresqlSession: a connection that publishes: its schema, its limits, its SQL. All Local. */
#ifndef VESPER_PUBLISH_POSTGRESQL_SESSION_H
#define VESPER_PUBLISH_POSTGRESQL_SESSION_H

#include "database/postgres.h"
#include "publish/sql_target.h"

/* Statements that a query returned, to be run later. All zero is none. */
typedef struct PostgresqlStatements {
    char **texts;
    int count;
} PostgresqlStatements;

/* All zero is none. */
typedef struct PostgresqlSession {
    Postgres *postgres;
    const PublishOptions *options;
    Buffer url;
    PostgresqlStatements views; /* that make the views of tables in force anew */
} PostgresqlSession;

extern const SqlDialect postgresql_session_dialect; /* its database is a PostgresqlSession */

/* The URL whose part from // on is `place`. */
void postgresql_session_url(const char *place, Buffer *url);

/* Connect, and see that the schema is there and may be written, or may be made. */
Status postgresql_session_open(PostgresqlSession *session, const char *place,
                               const PublishOptions *options, Error *error) VESPER_MUST_USE;
void postgresql_session_close(PostgresqlSession *session);

/* Make the schema if it is not there. */
Status postgresql_session_make_schema(PostgresqlSession *session, Error *error) VESPER_MUST_USE;
/* Keep other publishers out of the schema until the session ends. STATUS_LOCKED if one stays. */
Status postgresql_session_lock(PostgresqlSession *session, Error *error) VESPER_MUST_USE;

/* Collect what `query` returns, and run it. */
Status postgresql_session_collect(PostgresqlSession *session, const char *query,
                                  PostgresqlStatements *statements, Error *error) VESPER_MUST_USE;
Status postgresql_session_run_all(PostgresqlSession *session,
                                  const PostgresqlStatements *statements,
                                  Error *error) VESPER_MUST_USE;
void postgresql_statements_free(PostgresqlStatements *statements);

/* End a transaction without effect, if there is one and a connection. */
void postgresql_session_roll_back(PostgresqlSession *session);

#endif
