#include "publish/postgresql_switch.h"

#include "base/stop.h"

#include <math.h>
#include <string.h>

/* The tables in force and those of the night before, as rows (oid, relname, in_force). */
#define PUBLISHED                                                                                  \
    "(SELECT c.oid, c.relname, r.current = 1 AS in_force"                                          \
    " FROM vesper_run_table t JOIN vesper_run r USING (run) JOIN pg_class c"                       \
    " ON c.relname = t.table_name || CASE r.current WHEN 1 THEN '' ELSE '__previous' END"          \
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p'))"

/* What is tied to a table, not to its name, as rows (published table p, dependency d). */
#define TIED                                                                                       \
    PUBLISHED " p JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass"                         \
              " AND d.refobjid = p.oid AND d.deptype = 'n'"                                        \
              " LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid"  \
              " LEFT JOIN pg_class v ON v.oid = w.ev_class"

Status postgresql_switch_check_dependents(PostgresqlSession *session, Error *error)
{
    Postgres *postgres = session->postgres;
    Status status;
    TRY(postgres_run(postgres, error, "SELECT to_regclass('vesper_run_table') IS NOT NULL"));
    if (strcmp(postgres_value(postgres, 0, 0), "t") != 0)
        goto out; /* nothing was published yet */
    TRY(postgres_run(
        postgres, error,
        "SELECT p.relname, coalesce('view ' || v.oid::regclass,"
        " pg_describe_object(d.classid, d.objid, 0)), current_user"
        " FROM " TIED " LEFT JOIN pg_constraint k"
        " ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid"
        " WHERE d.classid = 'pg_proc'::regclass OR (k.oid IS NOT NULL AND k.conrelid <> p.oid)"
        " OR (v.oid IS NOT NULL AND NOT (p.in_force AND v.relkind = 'v'"
        " AND pg_has_role(v.relowner, 'USAGE'))) ORDER BY 1, 2 LIMIT 1"));
    if (postgres_rows(postgres) > 0)
        FAIL(error, STATUS_IO,
             "%s: %s is tied to table %s and could not follow to the next night; drop it, or, if "
             "it is a view of a table in force, give it to the role %s",
             buffer_string(&session->url), postgres_value(postgres, 0, 1),
             postgres_value(postgres, 0, 0), postgres_value(postgres, 0, 2));
out:
    return status;
}

/* True for what says that a lock was not to be had, now. */
static bool is_for_want_of_a_lock(const char *state)
{
    return strcmp(state, "55P03") == 0 || /* lock_not_available */
           strcmp(state, "57014") == 0 || /* query_canceled: statement_timeout */
           strcmp(state, "40P01") == 0;   /* deadlock_detected */
}

/* All locks at once and before anything else, for as short as may be: while this waits, readers
 * wait behind it. Less than a server's deadlock_timeout, and no reader is ever its victim. */
static Status try_to_lock(PostgresqlSession *session, bool *got, Error *error)
{
    Postgres *postgres = session->postgres;
    Buffer tables = {0};
    Status status;
    *got = false;
    TRY(postgres_run(postgres, error, "BEGIN"));
    TRY(postgres_run(postgres, error,
                     "SELECT string_agg(DISTINCT ', ' || quote_ident(relname), '') FROM " PUBLISHED
                     " p"));
    const char *list = postgres_value(postgres, 0, 0);
    buffer_append_string(&tables, list != NULL ? list : "");
    TRY(postgres_run(postgres, error, "SET LOCAL statement_timeout = %.0f",
                     ceil(session->options->lock_seconds * 1e3)));
    status = postgres_run(postgres, error,
                          "LOCK TABLE vesper_run, vesper_run_table%s IN ACCESS EXCLUSIVE MODE",
                          buffer_string(&tables));
    *got = status == STATUS_OK;
    if (*got)
        TRY(postgres_run(postgres, error, "SET LOCAL statement_timeout = %.0f",
                         ceil(session->options->statement_seconds * 1e3)));
    else if (is_for_want_of_a_lock(postgres_state(postgres)))
        TRY(postgres_run(postgres, error, "ROLLBACK"));
out:
    buffer_free(&tables);
    return status;
}

static Status lock_tables(PostgresqlSession *session, Error *error)
{
    const PublishOptions *options = session->options;
    bool got = false;
    Status status = STATUS_OK;
    for (int i = 0; i < options->lock_tries && !got; i++) {
        if (i > 0)
            sql_target_wait(options->lock_seconds);
        TRY(stop_point(error, "while other sessions used schema %s, before the switch",
                       options->schema));
        TRY(try_to_lock(session, &got, error));
    }
    if (!got)
        FAIL(error, STATUS_IO,
             "%s: schema %s was in use by other sessions in each of %d tries of %g s; nothing was "
             "switched; end them, or raise --lock-tries, and run again",
             buffer_string(&session->url), options->schema, options->lock_tries,
             options->lock_seconds);
out:
    return status;
}

/* Views that read tables in force, as the statements that make them anew. */
static const char views_anew[] =
    "SELECT DISTINCT 'CREATE OR REPLACE VIEW ' || v.oid::regclass"
    " || coalesce(' WITH (' || array_to_string(v.reloptions, ', ') || ')', '')"
    " || ' AS ' || pg_get_viewdef(v.oid) FROM " TIED " WHERE p.in_force AND v.relkind = 'v'";

/* Old snapshots see no row that was written since, but frozen rows they do: so that whoever began
 * to read before the switch finds the run of the tables that he finds. */
static Status freeze(PostgresqlSession *session, const char *table, Error *error)
{
    Postgres *postgres = session->postgres;
    Buffer rows = {0}, sql = {0};
    Bytes row;
    bool more = true;
    Status status;
    buffer_printf(&sql, "COPY %s TO STDOUT", table);
    TRY(postgres_copy_begin(postgres, buffer_string(&sql), error));
    while (more) {
        TRY(postgres_copy_read(postgres, &row, &more, error));
        if (more)
            buffer_append_bytes(&rows, row);
    }
    TRY(postgres_run(postgres, error, "TRUNCATE %s", table));
    buffer_clear(&sql);
    buffer_printf(&sql, "COPY %s FROM STDIN (FREEZE)", table);
    TRY(postgres_copy_begin(postgres, buffer_string(&sql), error));
    TRY(postgres_copy_write(postgres, buffer_view(&rows), error));
    TRY(postgres_copy_end(postgres, error));
out:
    buffer_free(&rows);
    buffer_free(&sql);
    return status;
}

Status postgresql_switch(PostgresqlSession *session, const SqlTarget *target,
                         Status (*work)(const SqlTarget *target, Error *error), Error *error)
{
    Status status;
    TRY(lock_tables(session, error));
    TRY(postgresql_session_collect(session, views_anew, &session->views, error));
    TRY(work(target, error));
    TRY(freeze(session, "vesper_run", error));
    TRY(freeze(session, "vesper_run_table", error));
    TRY(postgres_run(session->postgres, error, "COMMIT"));
out:
    if (status != STATUS_OK)
        postgresql_session_roll_back(session);
    return status;
}
