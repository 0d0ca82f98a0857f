#include "publish/postgresql_session.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/stop.h"
#include "database/sql.h"
#include "publish/target.h"

#include <math.h>
#include <string.h>

/* ---- PostgreSQL's SQL ---- */

static Status run_statement(void *database, const char *sql, Buffer *answer, Error *error)
{
    Postgres *postgres = ((PostgresqlSession *)database)->postgres;
    Status status = postgres_run(postgres, error, "%s", sql);
    for (int row = 0; status == STATUS_OK && answer != NULL && row < postgres_rows(postgres);
         row++) {
        const char *value = postgres_value(postgres, row, 0);
        buffer_printf(answer, "%s\n", value != NULL ? value : "");
    }
    return status;
}

/* The index of the key goes along: the next night's needs the name. */
static Status rename_table(void *database, const char *from, const char *to, Error *error)
{
    Postgres *postgres = ((PostgresqlSession *)database)->postgres;
    Status status;
    TRY(postgres_run(postgres, error, "ALTER TABLE \"%s\" RENAME TO \"%s\"", from, to));
    TRY(postgres_run(postgres, error, "ALTER INDEX IF EXISTS \"%s_pkey\" RENAME TO \"%s_pkey\"",
                     from, to));
out:
    return status;
}

/* A view is tied to a table, not to its name, until it is made anew. */
static Status follow(void *database, Error *error)
{
    PostgresqlSession *session = database;
    return postgresql_session_run_all(session, &session->views, error);
}

const SqlDialect postgresql_session_dialect = {
    .whole = "bigint",
    .text = "text COLLATE \"C\"",
    .day = "date",
    .keyed_end = "",
    .how_many = "SELECT count(*) FROM pg_class"
                " WHERE relnamespace = current_schema()::regnamespace AND relname = ",
    .elsewhere = "schema",
    .records_end = "",
    .run = run_statement,
    .rename = rename_table,
    .renamed = follow,
};

Status postgresql_session_collect(PostgresqlSession *session, const char *query,
                                  PostgresqlStatements *statements, Error *error)
{
    Status status;
    TRY(postgres_run(session->postgres, error, "%s", query));
    int count = postgres_rows(session->postgres);
    mem_grow(&statements->texts, count, sizeof *statements->texts);
    for (; statements->count < count; statements->count++)
        statements->texts[statements->count] =
            mem_copy_string(postgres_value(session->postgres, statements->count, 0));
out:
    return status;
}

Status postgresql_session_run_all(PostgresqlSession *session,
                                  const PostgresqlStatements *statements, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < statements->count; i++)
        TRY(postgres_run(session->postgres, error, "%s", statements->texts[i]));
out:
    return status;
}

void postgresql_statements_free(PostgresqlStatements *statements)
{
    for (int i = 0; i < statements->count; i++)
        mem_free(&statements->texts[i]);
    mem_free(&statements->texts);
    statements->count = 0;
}

void postgresql_session_roll_back(PostgresqlSession *session)
{
    Error ignored;
    if (session->postgres != NULL && postgres_run(session->postgres, &ignored, "ROLLBACK") != 0)
        return; /* the connection is gone, and the transaction with it */
}

/* ---- schema ---- */

static Status check_schema_name(const char *schema, Error *error)
{
    Status status = STATUS_OK;
    if (!target_name_is_plain(bytes_of(schema)) || strncmp(schema, "pg_", 3) == 0)
        FAIL(error, STATUS_USAGE,
             "schema '%.80s' cannot be published into: a name has small letters, digits and "
             "underscores, and does not begin with pg_",
             schema);
out:
    return status;
}

/* True if `question`, which returns one value, says so. */
static Status ask(PostgresqlSession *session, bool *yes, Error *error, const char *question)
{
    Status status;
    *yes = false;
    TRY(postgres_run(session->postgres, error, "%s", question));
    const char *value =
        postgres_rows(session->postgres) > 0 ? postgres_value(session->postgres, 0, 0) : NULL;
    *yes = value != NULL && (strcmp(value, "t") == 0 || strcmp(value, "on") == 0);
out:
    return status;
}

static Status has_schema(PostgresqlSession *session, bool *there, Error *error)
{
    Buffer question = {0};
    buffer_printf(&question,
                  "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = '%s')",
                  session->options->schema);
    Status status = ask(session, there, error, buffer_string(&question));
    buffer_free(&question);
    return status;
}

static Status check_rights(PostgresqlSession *session, Error *error)
{
    const char *schema = session->options->schema, *url = buffer_string(&session->url);
    Buffer question = {0};
    bool there, granted;
    Status status;
    TRY(has_schema(session, &there, error));
    if (there)
        buffer_printf(&question,
                      "SELECT has_schema_privilege('%s', 'USAGE')"
                      " AND has_schema_privilege('%s', 'CREATE')",
                      schema, schema);
    else
        buffer_append_string(&question,
                             "SELECT has_database_privilege(current_database(), 'CREATE')");
    TRY(ask(session, &granted, error, buffer_string(&question)));
    if (!granted && there)
        FAIL(error, STATUS_IO,
             "%s: this role may not make tables in schema %s; docs/postgresql.sql shows how its "
             "owner allows it",
             url, schema);
    if (!granted)
        FAIL(error, STATUS_IO,
             "%s: has no schema %s, and this role may not make one; docs/postgresql.sql shows how "
             "the database's owner makes it",
             url, schema);
    TRY(ask(session, &granted, error, "SHOW transaction_read_only"));
    if (granted)
        FAIL(error, STATUS_IO, "%s: can only be read; name the server that may be written", url);
out:
    buffer_free(&question);
    return status;
}

Status postgresql_session_make_schema(PostgresqlSession *session, Error *error)
{
    bool there;
    Status status;
    TRY(has_schema(session, &there, error));
    if (!there)
        TRY(postgres_run(session->postgres, error, "CREATE SCHEMA \"%s\"",
                         session->options->schema));
out:
    return status;
}

/* ---- session ---- */

void postgresql_session_url(const char *place, Buffer *url)
{
    buffer_printf(url, "postgresql:%s", place);
}

/* Nothing waits for ever, and a server whose client is gone soon ends its work. */
static Status set_limits(PostgresqlSession *session, Error *error)
{
    Postgres *postgres = session->postgres;
    Status status;
    TRY(postgres_run(postgres, error, "SET search_path = \"%s\", pg_temp",
                     session->options->schema));
    TRY(postgres_run(postgres, error, "SET statement_timeout = %.0f",
                     ceil(session->options->statement_seconds * 1e3)));
    TRY(postgres_run(postgres, error, "SET lock_timeout = '30s'"));
    TRY(postgres_run(postgres, error,
                     "SELECT set_config(name, '5s', false) FROM pg_settings"
                     " WHERE name = 'client_connection_check_interval'"));
out:
    return status;
}

Status postgresql_session_open(PostgresqlSession *session, const char *place,
                               const PublishOptions *options, Error *error)
{
    Status status;
    session->options = options;
    postgresql_session_url(place, &session->url);
    TRY(check_schema_name(options->schema, error));
    TRY(postgres_open(buffer_string(&session->url), &session->postgres, error));
    TRY(set_limits(session, error));
    TRY(check_rights(session, error));
out:
    return status;
}

void postgresql_session_close(PostgresqlSession *session)
{
    postgres_close(&session->postgres);
    postgresql_statements_free(&session->views);
    buffer_free(&session->url);
}

/* Another publisher may soon be done; the server's side of one that was killed lives on until it
 * notices. */
Status postgresql_session_lock(PostgresqlSession *session, Error *error)
{
    const PublishOptions *options = session->options;
    Buffer question = {0}, name = {0};
    bool got = false;
    Status status = STATUS_OK;
    buffer_printf(&name, "vesper %s", options->schema);
    buffer_printf(&question, "SELECT pg_try_advisory_lock(%lld)",
                  (long long)hash64(name.data, name.size));
    for (int i = 0; i < options->lock_tries && !got; i++) {
        if (i > 0)
            sql_target_wait(options->lock_seconds);
        TRY(stop_point(error, "while another run published into schema %s", options->schema));
        TRY(ask(session, &got, error, buffer_string(&question)));
    }
    if (!got)
        FAIL(error, STATUS_LOCKED,
             "%s: another run publishes into schema %s; run again when it has finished",
             buffer_string(&session->url), options->schema);
out:
    buffer_free(&question);
    buffer_free(&name);
    return status;
}
