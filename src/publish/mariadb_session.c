#include "publish/mariadb_session.h"

#include "base/fault.h"
#include "base/stop.h"
#include "database/sql.h"
#include "publish/mariadb_place.h"

#include <math.h>
#include <string.h>

enum { LOCK_WAIT_SECONDS = 30 /* outside the switch */ };

#define TABLE_END " ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

/* ---- MariaDB's SQL ---- */

static Status run_statement(void *database, const char *sql, Buffer *answer, Error *error)
{
    Maria *maria = ((MariadbSession *)database)->maria;
    bool more = true;
    Status status;
    if (answer == NULL)
        return maria_run_bytes(maria, bytes_of(sql), error);
    TRY(maria_select(maria, sql, error));
    while (more) {
        TRY(maria_fetch(maria, &more, error));
        if (more) {
            buffer_append_bytes(answer, maria_value(maria, 0));
            buffer_append_string(answer, "\n");
        }
    }
out:
    return status;
}

static Status rename_later(void *database, const char *from, const char *to, Error *error)
{
    (void)error;
    buffer_printf(&((MariadbSession *)database)->renames, "\"%s\" TO \"%s\", ", from, to);
    return STATUS_OK;
}

/* One statement renames all, atomically; the records of what is in force are tables among them.
 *
 * It locks one table after another, and if it waited for one while a reader's transaction, which
 * has that one, asked for another, the server would end the reader. So it does not wait at first,
 * and does so only when it was unlucky for half of its tries. */
static Status rename_now(void *database, Error *error)
{
    MariadbSession *session = database;
    const PublishOptions *options = session->options;
    bool done = false;
    Status status = STATUS_OK;
    for (int i = 0; i < options->lock_tries && !done; i++) {
        if (i > 0)
            sql_target_wait(options->lock_seconds);
        TRY(stop_point(error, "while other sessions used the tables, before the switch"));
        int wait = i < options->lock_tries / 2 ? 0 : (int)ceil(options->lock_seconds);
        TRY(maria_set_lock_wait(session->maria, wait, error));
        status = maria_run(session->maria, error,
                           "RENAME TABLE %s vesper_run TO vesper_run__retired,"
                           " vesper_run_table TO vesper_run_table__retired,"
                           " vesper_run__next TO vesper_run,"
                           " vesper_run_table__next TO vesper_run_table",
                           buffer_string(&session->renames));
        done = status == STATUS_OK;
        if (!done && !maria_was_locked_out(session->maria))
            goto out;
    }
    if (!done)
        FAIL(error, STATUS_IO,
             "%s: its tables were in use by other sessions in each of %d tries %g s apart; nothing "
             "was switched; end them, or raise --lock-tries, and run again",
             buffer_string(&session->url), options->lock_tries, options->lock_seconds);
    TRY(maria_set_lock_wait(session->maria, LOCK_WAIT_SECONDS, error));
    TRY(fault_point("publish.retire", error));
out:
    return status;
}

const SqlDialect mariadb_session_dialect = {
    .whole = "BIGINT",
    .text = "VARCHAR(64)", /* STORE_NAME_SIZE */
    .day = "DATE",
    .keyed_end = TABLE_END,
    .how_many = "SELECT count(*) FROM information_schema.tables"
                " WHERE table_schema = database() AND table_name = ",
    .elsewhere = "database",
    .run = run_statement,
    .records_end = "__next",
    .rename = rename_later,
    .renamed = rename_now,
};

Status mariadb_session_drop_retired(const SqlTarget *target, Error *error)
{
    Buffer names = {0}, drop = {0}, name = {0};
    int64_t records;
    Status status;
    TRY(sql_target_count(target, &records, error, "%s'vesper_run_table__retired'",
                         mariadb_session_dialect.how_many));
    if (records == 0)
        goto out;
    TRY(run_statement(target->database, "SELECT DISTINCT table_name FROM vesper_run_table__retired",
                      &names, error));
    for (const char *at = buffer_string(&names), *end; *at != '\0'; at = end + 1) {
        end = strchr(at, '\n');
        vesper_assert(end != NULL);
        buffer_clear(&name);
        buffer_printf(&name, "%.*s__retired", (int)(end - at), at);
        sql_append_name(&drop, buffer_string(&name));
        buffer_append_string(&drop, ", ");
    }
    /* What says which they are comes last. */
    TRY(sql_target_run(target, error,
                       "DROP TABLE IF EXISTS %s vesper_run__retired, vesper_run_table__retired",
                       buffer_string(&drop)));
out:
    buffer_free(&names);
    buffer_free(&drop);
    buffer_free(&name);
    return status;
}

void mariadb_session_drop_copies(const SqlTarget *target)
{
    Error ignored;
    if (sql_target_run(target, &ignored,
                       "DROP TABLE IF EXISTS vesper_run__next, vesper_run_table__next") !=
        STATUS_OK)
        return; /* the next publication drops them */
}

Status mariadb_session_copy_runs(const SqlTarget *target, Error *error)
{
    static const char *const records[] = {"vesper_run", "vesper_run_table"};
    Status status;
    TRY(sql_target_create_runs(target, error));
    for (int i = 0; i < 2; i++) {
        const char *name = records[i];
        TRY(sql_target_run(target, error, "DROP TABLE IF EXISTS %s__next", name));
        TRY(sql_target_run(target, error, "CREATE TABLE %s__next LIKE %s", name, name));
        TRY(sql_target_run(target, error, "INSERT INTO %s__next SELECT * FROM %s", name, name));
    }
out:
    return status;
}

/* ---- session ---- */

/* NULL for a text that is empty. */
static const char *given(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* As far as can be seen without making a table. */
static Status check_rights(MariadbSession *session, Error *error)
{
    Buffer answer = {0};
    Status status;
    TRY(run_statement(session, "SELECT @@read_only", &answer, error));
    if (strcmp(buffer_string(&answer), "0\n") != 0)
        FAIL(error, STATUS_IO, "%s: can only be read; name the server that may be written",
             buffer_string(&session->url));
    TRY(maria_run(session->maria, error,
                  "PREPARE vesper FROM 'CREATE TABLE vesper_run__next (run BIGINT)'"));
    TRY(maria_run(session->maria, error, "DEALLOCATE PREPARE vesper"));
out:
    buffer_free(&answer);
    return status;
}

Status mariadb_session_open(MariadbSession *session, const char *place,
                            const PublishOptions *options, Error *error)
{
    MariadbPlace where;
    Status status;
    session->options = options;
    buffer_printf(&session->url, "mysql:%s", place);
    TRY(mariadb_place_read(place, &where, error));
    const MariaAddress address = {.url = buffer_string(&session->url),
                                  .host = where.server.host,
                                  .user = given(where.server.user),
                                  .database = where.database,
                                  .socket = given(where.socket),
                                  .ssl_ca = given(where.ssl_ca),
                                  .option_file = given(where.option_file),
                                  .port = where.server.port,
                                  .statement_seconds = options->statement_seconds};
    TRY(maria_open(&address, &session->maria, error));
    TRY(maria_set_lock_wait(session->maria, LOCK_WAIT_SECONDS, error));
    TRY(check_rights(session, error));
out:
    return status;
}

void mariadb_session_close(MariadbSession *session)
{
    maria_close(&session->maria);
    buffer_free(&session->url);
    buffer_free(&session->renames);
}

/* Another publisher may soon be done; the server's side of one that was killed lives on until it
 * notices. The lock's name is one of the whole server. */
Status mariadb_session_lock(const SqlTarget *target, const PublishOptions *options, Error *error)
{
    int64_t got = 0;
    Status status = STATUS_OK;
    for (int i = 0; i < options->lock_tries && got == 0; i++) {
        if (i > 0)
            sql_target_wait(options->lock_seconds);
        TRY(stop_point(error, "while another run published into the database"));
        TRY(sql_target_count(target, &got, error,
                             "SELECT get_lock(concat('vesper ', md5(database())), 0)"));
    }
    if (got == 0)
        FAIL(error, STATUS_LOCKED,
             "%s: another run publishes into this database; run again when it has finished",
             target->name);
out:
    return status;
}
