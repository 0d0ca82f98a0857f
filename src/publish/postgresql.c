/* Publish into a schema of a PostgreSQL database: load beside, read back, switch in one
 * transaction.
 *
 * Each table is loaded in a transaction of its own, gets its key while a second connection reads
 * its rows back, and waits beside those in force; what a dead run left under NAME__next is dropped
 * by the next. Why it is done so: docs/decisions/0007-postgresql-publish.md. */
#include "publish/postgresql_rows.h"
#include "publish/postgresql_switch.h"
#include "publish/target.h"

#include "base/fault.h"

#include <string.h>

enum { SEND_BYTES = 1 << 17 };

typedef struct Publication {
    PostgresqlSession session;
    PostgresqlSession reader; /* reads back while the first one is at work */
    SqlTarget target;
    PostgresqlRows rows;                 /* of one table, on their way */
    uint64_t checksums[RESULT_READ_MAX]; /* of the rows as sent */
} Publication;

/* ---- loading ---- */

/* Whoever may read the table in force may read the one that comes after it. */
static Status grant_as_before(Publication *publication, const char *name, Error *error)
{
    PostgresqlStatements grants = {0};
    Buffer query = {0};
    Status status;
    buffer_printf(&query,
                  "SELECT 'GRANT ' || privilege_type || ' ON \"%s__next\" TO '"
                  " || CASE grantee WHEN 0 THEN 'PUBLIC'"
                  " ELSE quote_ident(pg_get_userbyid(grantee)) END"
                  " || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"
                  " FROM pg_class, aclexplode(relacl)"
                  " WHERE relnamespace = current_schema()::regnamespace AND relname = '%s'"
                  " AND relkind IN ('r', 'p') AND grantee <> relowner",
                  name, name);
    TRY(postgresql_session_collect(&publication->session, buffer_string(&query), &grants, error));
    TRY(postgresql_session_run_all(&publication->session, &grants, error));
out:
    postgresql_statements_free(&grants);
    buffer_free(&query);
    return status;
}

/* Columns of the key cannot be NULL: said now, while there are no rows to look through. */
static Status forbid_null(Publication *publication, const ResultTable *table, Error *error)
{
    Buffer changes = {0};
    Status status = STATUS_OK;
    for (const char *at = table->key; *at != '\0';) {
        size_t size = strcspn(at, ",");
        buffer_printf(&changes, "%sALTER COLUMN \"%.*s\" SET NOT NULL", at > table->key ? ", " : "",
                      (int)size, at);
        at += size + (at[size] == ',');
    }
    if (changes.size > 0)
        TRY(postgres_run(publication->session.postgres, error, "ALTER TABLE \"%s__next\" %s",
                         table->name, buffer_string(&changes)));
out:
    buffer_free(&changes);
    return status;
}

static Status create_next(Publication *publication, const ResultTable *table, Error *error)
{
    Postgres *postgres = publication->session.postgres;
    Buffer columns = {0};
    Status status;
    TRY(postgres_run(postgres, error, "DROP TABLE IF EXISTS \"%s__next\"", table->name));
    sql_target_append_columns(&columns, table, postgresql_rows_type);
    TRY(postgres_run(postgres, error, "CREATE TABLE \"%s__next\" (%s)", table->name,
                     buffer_string(&columns)));
    TRY(forbid_null(publication, table, error));
    TRY(grant_as_before(publication, table->name, error));
out:
    buffer_free(&columns);
    return status;
}

static Status send(Publication *publication, Error *error)
{
    PostgresqlRows *rows = &publication->rows;
    Status status =
        postgres_copy_write(publication->session.postgres, (Bytes){rows->bytes, rows->size}, error);
    rows->size = 0;
    return status;
}

static Status send_block(Publication *publication, const ResultTable *table, const Table *rows,
                         Error *error)
{
    const Column *columns[TABLE_COLUMNS_MAX];
    Status status;
    for (int c = 0; c < table->n_columns; c++)
        columns[c] = table_column_const(rows, table->columns[c].name);
    TRY(fault_point("publish.load", error));
    TRY(target_safe_point(table, "loaded", error));
    for (int64_t row = 0; row < rows->rows; row++) {
        postgresql_rows_add(&publication->rows, columns, table->n_columns, row);
        if (publication->rows.size >= SEND_BYTES)
            TRY(send(publication, error));
    }
out:
    return status;
}

static Status copy_table(Publication *publication, int i, Error *error)
{
    ResultReader *reader = publication->target.reader;
    const ResultTable *table = results_table(reader, i);
    Postgres *postgres = publication->session.postgres;
    Buffer sql = {0};
    Table rows = {0};
    Status status;
    buffer_printf(&sql, "COPY \"%s__next\" FROM STDIN (FORMAT binary, FREEZE)", table->name);
    TRY(postgres_copy_begin(postgres, buffer_string(&sql), error));
    publication->rows.size = 0;
    publication->rows.checksum = 0;
    postgresql_rows_begin(&publication->rows);
    for (int64_t block = 0; block * RESULT_BLOCK < table->rows; block++) {
        TRY(results_read_block(reader, i, block, &rows, error));
        TRY(send_block(publication, table, &rows, error));
    }
    postgresql_rows_end(&publication->rows);
    TRY(send(publication, error));
    TRY(postgres_copy_end(postgres, error));
    publication->checksums[i] = publication->rows.checksum;
out:
    table_free(&rows);
    buffer_free(&sql);
    return status;
}

/* Made and filled in one transaction, so that the rows can be frozen: any reader sees them, however
 * old its snapshot, and no vacuum comes back for them. */
static Status load_table(Publication *publication, int i, Error *error)
{
    const ResultTable *table = results_table(publication->target.reader, i);
    Postgres *postgres = publication->session.postgres;
    Status status;
    TRY(postgres_run(postgres, error, "BEGIN"));
    TRY(create_next(publication, table, error));
    TRY(copy_table(publication, i, error));
    TRY(postgres_run(postgres, error, "COMMIT"));
out:
    return status;
}

static Status verify_table(Publication *publication, int i, Error *error)
{
    const ResultTable *table = results_table(publication->target.reader, i);
    Postgres *postgres = publication->reader.postgres;
    PostgresqlRows back = {0};
    Buffer sql = {0};
    Bytes piece;
    bool more = true;
    Status status;
    TRY(fault_point("publish.verify", error));
    TRY(target_safe_point(table, "read back", error));
    buffer_printf(&sql, "COPY \"%s__next\" (", table->name);
    sql_target_append_columns(&sql, table, NULL);
    buffer_append_string(&sql, ") TO STDOUT (FORMAT binary)");
    TRY(postgres_copy_begin(postgres, buffer_string(&sql), error));
    while (more) {
        TRY(postgres_copy_read(postgres, &piece, &more, error));
        if (more)
            postgresql_rows_read(&back, piece);
    }
    TRY(sql_target_compare(&publication->target, table, back.count,
                           back.checksum == publication->checksums[i], error));
out:
    buffer_free(&sql);
    return status;
}

/* The index of the key is built while the rows are read back. */
static Status add_key_and_verify(Publication *publication, int i, Error *error)
{
    const ResultTable *table = results_table(publication->target.reader, i);
    Postgres *postgres = publication->session.postgres;
    Buffer index = {0};
    Error key_error;
    Status status;
    buffer_printf(&index, "CREATE UNIQUE INDEX \"%s__next_pkey\" ON \"%s__next\" (", table->name,
                  table->name);
    sql_target_append_key(&index, table->key);
    buffer_append_string(&index, ")");
    TRY(postgres_start(postgres, buffer_string(&index), error));
    status = verify_table(publication, i, error);
    Status key_status = postgres_finish(postgres, &key_error);
    if (status != STATUS_OK)
        goto out;
    if (key_status != STATUS_OK) {
        *error = key_error;
        status = key_status;
        goto out;
    }
    TRY(postgres_run(postgres, error,
                     "ALTER TABLE \"%s__next\" ADD CONSTRAINT \"%s__next_pkey\""
                     " PRIMARY KEY USING INDEX \"%s__next_pkey\"",
                     table->name, table->name, table->name));
out:
    buffer_free(&index);
    return status;
}

static Status finish_table(Publication *publication, int i, Error *error)
{
    const ResultTable *table = results_table(publication->target.reader, i);
    Status status;
    if (table->key[0] != '\0')
        TRY(add_key_and_verify(publication, i, error));
    else /* a table of one row has none */
        TRY(verify_table(publication, i, error));
    TRY(postgres_run(publication->session.postgres, error, "ANALYZE \"%s__next\"", table->name));
out:
    return status;
}

static Status load_and_switch(Publication *publication, Error *error)
{
    const SqlTarget *target = &publication->target;
    int n_tables = results_count(target->reader);
    Status status;
    for (int i = 0; i < n_tables; i++)
        TRY(load_table(publication, i, error));
    for (int i = 0; i < n_tables; i++)
        TRY(finish_table(publication, i, error));
    TRY(sql_target_create_runs(target, error));
    TRY(postgresql_switch(&publication->session, target, sql_target_switch, error));
out:
    if (status != STATUS_OK) {
        postgresql_session_roll_back(&publication->session);
        sql_target_drop_next(target);
    }
    return status;
}

/* ---- the target ---- */

Status postgresql_check(const char *place, Error *error)
{
    Buffer url = {0};
    postgresql_session_url(place, &url);
    Status status = postgres_check_url(buffer_string(&url), error);
    buffer_free(&url);
    return status;
}

Status postgresql_reach(const char *place, const PublishOptions *options, Error *error)
{
    PostgresqlSession session = {0};
    Status status = postgresql_session_open(&session, place, options, error);
    postgresql_session_close(&session);
    return status;
}

Status postgresql_publish(ResultReader *reader, const PublishedRun *run, const char *place,
                          const PublishOptions *options, PublishSummary *summary, Error *error)
{
    Publication publication = {0};
    PostgresqlSession *session = &publication.session;
    bool in_force;
    Status status;
    TRY(postgresql_session_open(session, place, options, error));
    publication.target = (SqlTarget){&postgresql_session_dialect, session,
                                     buffer_string(&session->url), reader, run};
    TRY(fault_point("publish.open", error));
    TRY(postgresql_session_make_schema(session, error));
    TRY(postgresql_session_lock(session, error));
    TRY(sql_target_is_in_force(&publication.target, &in_force, error));
    if (!in_force) {
        TRY(sql_target_check_foreign(&publication.target, error));
        TRY(postgresql_switch_check_dependents(session, error));
        TRY(postgresql_session_open(&publication.reader, place, options, error));
        TRY(load_and_switch(&publication, error));
        TRY(fault_point("publish.done", error));
    }
    sql_target_summarise(&publication.target, !in_force, summary);
out:
    postgresql_session_close(session);
    postgresql_session_close(&publication.reader);
    postgresql_rows_free(&publication.rows);
    return status;
}

Status postgresql_roll_back(const char *place, const PublishOptions *options,
                            RollbackSummary *summary, Error *error)
{
    PostgresqlSession session = {0};
    SqlTarget target;
    Status status;
    TRY(postgresql_session_open(&session, place, options, error));
    target =
        (SqlTarget){&postgresql_session_dialect, &session, buffer_string(&session.url), NULL, NULL};
    TRY(postgresql_session_lock(&session, error));
    TRY(sql_target_find_previous(&target, summary, error));
    TRY(postgresql_switch_check_dependents(&session, error));
    TRY(postgresql_switch(&session, &target, sql_target_switch_back, error));
out:
    postgresql_session_close(&session);
    return status;
}
