/* One connection to a PostgreSQL server. */
#include "database/postgres.h"

#include "base/memory.h"

#include <libpq-fe.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { STATE_SIZE = 6 };

struct Postgres {
    PGconn *connection;
    PGresult *result; /* of the last statement */
    char *row;        /* of a COPY TO; libpq's */
    char *url;
    char state[STATE_SIZE];
};

/* ---- before connecting ---- */

bool postgres_is_url(const char *url)
{
    return strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0;
}

static const char *option_value(const PQconninfoOption *options, const char *keyword)
{
    for (; options != NULL && options->keyword != NULL; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val != NULL && options->val[0] != '\0' ? options->val : NULL;
    }
    return NULL;
}

/* libpq marks what is secret with a star. */
static bool has_secret(const PQconninfoOption *options)
{
    for (; options->keyword != NULL; options++) {
        if (options->val != NULL && options->val[0] != '\0' && options->dispchar[0] == '*')
            return true;
    }
    return false;
}

/* libpq passes over a password file that others may read with a warning, and then fails for want of
 * a password. */
static Status check_password_file(const PQconninfoOption *options, Error *error)
{
    Status status = STATUS_OK;
    struct stat found;
    Buffer own = {0};
    PQconninfoOption *defaults = PQconndefaults(); /* of the environment and a service file */
    const char *path = option_value(options, "passfile");
    const char *home = getenv("HOME");
    if (option_value(defaults, "password") != NULL)
        goto out;
    if (path == NULL)
        path = option_value(defaults, "passfile");
    if (path == NULL && home != NULL) {
        buffer_printf(&own, "%s/.pgpass", home);
        path = buffer_string(&own);
    }
    if (path != NULL && stat(path, &found) == 0 && S_ISREG(found.st_mode) &&
        (found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        FAIL(error, STATUS_USAGE,
             "the password file %s may be read by others than its owner, so it is not used; "
             "chmod 600 it",
             path);
out:
    PQconninfoFree(defaults);
    buffer_free(&own);
    return status;
}

Status postgres_check_url(const char *url, Error *error)
{
    Status status = STATUS_OK;
    char *problem = NULL; /* not shown: it may repeat the URL with what is secret in it */
    PQconninfoOption *options = postgres_is_url(url) ? PQconninfoParse(url, &problem) : NULL;
    PQfreemem(problem);
    if (options == NULL)
        FAIL(error, STATUS_USAGE,
             "that is no URL of a PostgreSQL database; write it as "
             "postgresql://USER@HOST:PORT/DATABASE");
    if (has_secret(options))
        FAIL(error, STATUS_USAGE,
             "a password stands in the URL of a PostgreSQL database, where others can read it; "
             "put it into a password file (~/.pgpass, chmod 600), a service file or PGPASSWORD");
    TRY(check_password_file(options, error));
out:
    PQconninfoFree(options);
    return status;
}

/* ---- failures ---- */

/* `text` without the line ends that libpq puts behind its messages. */
static Bytes message_of(const char *text)
{
    Bytes message = bytes_of(text);
    while (message.size > 0 && strchr("\n\t ", message.data[message.size - 1]) != NULL)
        message.size--;
    return message;
}

/* What a user can do about it; NULL for what is nobody's everyday trouble. */
static const char *advice(const char *state)
{
    static const struct {
        const char *state, *text;
    } known[] = {
        {"25006", "name the server that may be written"},
        {"42501", "have the right granted to this role"},
        {"53100", "free some room on the server and run again"},
        {"53300", "run again when others have left, or raise max_connections"},
        {"57014", "run again, or raise the statement timeout"},
        {"57P01", "run again when the server is up"},
        {"57P02", "run again when the server is up"},
        {"57P03", "run again when the server is up"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(state, known[i].state) == 0)
            return known[i].text;
    }
    return NULL;
}

/* STATUS_IO for the last statement's failure, or that of the connection. */
static Status fail(Postgres *postgres, Error *error)
{
    const PGresult *result = postgres->result;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    Bytes message = message_of(primary ? primary : PQerrorMessage(postgres->connection));
    (void)snprintf(postgres->state, sizeof postgres->state, "%s", state ? state : "");
    const char *to_do = advice(postgres->state);
    if (PQstatus(postgres->connection) != CONNECTION_OK)
        to_do = "the connection was cut: run again";
    return error_set(error, STATUS_IO, __FILE__, __LINE__, "%s: %.*s%s%s%s%s%s%s", postgres->url,
                     (int)message.size, message.data, detail ? "; " : "", detail ? detail : "",
                     hint ? "; " : "", hint ? hint : "", to_do ? "; " : "", to_do ? to_do : "");
}

/* libpq's lines, one a host that it tried, without the indented ones, which ask what `advice` asks.
 */
static void append_tries(Buffer *text, const char *message)
{
    while (*message != '\0') {
        size_t length = strcspn(message, "\n");
        if (length > 0 && message[0] != '\t')
            buffer_printf(text, "%s%.*s", text->size > 0 ? "; " : "", (int)length, message);
        message += length + (message[length] == '\n');
    }
}

static Status fail_to_connect(Postgres *postgres, Error *error)
{
    Buffer tries = {0};
    append_tries(&tries, PQerrorMessage(postgres->connection));
    const char *advice = "is the server running, and are host, port, database and user right?";
    if (PQconnectionNeedsPassword(postgres->connection))
        advice = "put the password into a password file (~/.pgpass, chmod 600), a service file or "
                 "PGPASSWORD";
    Status status = error_set(error, STATUS_IO, __FILE__, __LINE__, "cannot connect to %s: %s; %s",
                              postgres->url, buffer_string(&tries), advice);
    buffer_free(&tries);
    return status;
}

const char *postgres_state(const Postgres *postgres)
{
    return postgres->state;
}

/* ---- connection ---- */

/* Notices are for people at a prompt; what matters comes as an error. */
static void ignore_notice(void *unused, const char *message)
{
    (void)unused;
    (void)message;
}

Status postgres_open(const char *url, Postgres **postgres, Error *error)
{
    /* The URL is expanded in its place: what stands before it is a default, what comes after it
     * overrides it. */
    static const char *const keywords[] = {
        "connect_timeout",  "keepalives_idle",           "keepalives_interval",
        "keepalives_count", "tcp_user_timeout",          "dbname",
        "client_encoding",  "fallback_application_name", NULL};
    const char *patience = getenv("PGCONNECT_TIMEOUT") == NULL ? "20" : NULL;
    /* A peer that is gone without a word is given up after a minute or so. */
    const char *const values[] = {patience, "30", "10", "3", "60000", url, "UTF8", "vesper", NULL};
    Status status;
    *postgres = NULL;
    TRY(postgres_check_url(url, error));
    Postgres *opened = mem_new(1, sizeof *opened);
    *postgres = opened;
    opened->url = mem_copy_string(url);
    opened->connection = PQconnectdbParams(keywords, values, 1);
    if (opened->connection == NULL)
        FAIL(error, STATUS_MEMORY, "out of memory connecting to %s", url);
    if (PQstatus(opened->connection) != CONNECTION_OK) {
        status = fail_to_connect(opened, error);
        goto out;
    }
    (void)PQsetNoticeProcessor(opened->connection, ignore_notice, NULL);
    TRY(postgres_run(opened, error, "SET TimeZone = 'UTC'"));
    TRY(postgres_run(opened, error, "SET DateStyle = 'ISO, YMD'"));
    TRY(postgres_run(opened, error, "SET IntervalStyle = 'postgres'"));
    TRY(postgres_run(opened, error, "SET extra_float_digits = 1"));
    TRY(postgres_run(opened, error, "SET standard_conforming_strings = on")); /* for sql.h */
out:
    if (status != STATUS_OK)
        postgres_close(postgres);
    return status;
}

static void forget_result(Postgres *postgres)
{
    PQclear(postgres->result);
    postgres->result = NULL;
    PQfreemem(postgres->row);
    postgres->row = NULL;
}

void postgres_close(Postgres **postgres)
{
    if (*postgres == NULL)
        return;
    forget_result(*postgres);
    PQfinish((*postgres)->connection);
    mem_free(&(*postgres)->url);
    mem_free(postgres);
}

/* ---- statements ---- */

/* Take over `result`, which must have the status `wanted` or `also`. */
static Status take_result(Postgres *postgres, PGresult *result, ExecStatusType wanted,
                          ExecStatusType also, Error *error)
{
    forget_result(postgres);
    postgres->result = result;
    ExecStatusType got = PQresultStatus(result);
    return got == wanted || got == also ? STATUS_OK : fail(postgres, error);
}

Status postgres_run(Postgres *postgres, Error *error, const char *format, ...)
{
    Buffer sql = {0};
    va_list values;
    va_start(values, format);
    buffer_vprintf(&sql, format, values);
    va_end(values);
    /* Parameters or not, this way only one statement can be run. */
    PGresult *result =
        PQexecParams(postgres->connection, buffer_string(&sql), 0, NULL, NULL, NULL, NULL, 0);
    buffer_free(&sql);
    return take_result(postgres, result, PGRES_TUPLES_OK, PGRES_COMMAND_OK, error);
}

Status postgres_start(Postgres *postgres, const char *sql, Error *error)
{
    forget_result(postgres);
    int sent = PQsendQueryParams(postgres->connection, sql, 0, NULL, NULL, NULL, NULL, 0);
    return sent == 1 ? STATUS_OK : fail(postgres, error);
}

/* libpq is ready for the next statement when it has no more results. */
static void skip_results(Postgres *postgres)
{
    for (PGresult *more = PQgetResult(postgres->connection); more != NULL;
         more = PQgetResult(postgres->connection))
        PQclear(more);
}

Status postgres_finish(Postgres *postgres, Error *error)
{
    Status status = take_result(postgres, PQgetResult(postgres->connection), PGRES_TUPLES_OK,
                                PGRES_COMMAND_OK, error);
    skip_results(postgres);
    return status;
}

Status postgres_describe(Postgres *postgres, const char *sql, Error *error)
{
    Status status;
    TRY(take_result(postgres, PQprepare(postgres->connection, "", sql, 0, NULL), PGRES_COMMAND_OK,
                    PGRES_COMMAND_OK, error));
    TRY(take_result(postgres, PQdescribePrepared(postgres->connection, ""), PGRES_COMMAND_OK,
                    PGRES_COMMAND_OK, error));
out:
    return status;
}

int postgres_rows(const Postgres *postgres)
{
    return PQntuples(postgres->result);
}

int postgres_columns(const Postgres *postgres)
{
    return PQnfields(postgres->result);
}

const char *postgres_column_name(const Postgres *postgres, int column)
{
    return PQfname(postgres->result, column);
}

uint32_t postgres_column_type(const Postgres *postgres, int column)
{
    return PQftype(postgres->result, column);
}

const char *postgres_value(const Postgres *postgres, int row, int column)
{
    if (PQgetisnull(postgres->result, row, column))
        return NULL;
    return PQgetvalue(postgres->result, row, column);
}

/* ---- COPY ---- */

Status postgres_copy_begin(Postgres *postgres, const char *sql, Error *error)
{
    return take_result(postgres, PQexec(postgres->connection, sql), PGRES_COPY_OUT, PGRES_COPY_IN,
                       error);
}

Status postgres_copy_end(Postgres *postgres, Error *error)
{
    if (PQresultStatus(postgres->result) == PGRES_COPY_IN &&
        PQputCopyEnd(postgres->connection, NULL) != 1) {
        forget_result(postgres);
        return fail(postgres, error);
    }
    Status status = take_result(postgres, PQgetResult(postgres->connection), PGRES_COMMAND_OK,
                                PGRES_COMMAND_OK, error);
    skip_results(postgres);
    return status;
}

Status postgres_copy_read(Postgres *postgres, Bytes *row, bool *found, Error *error)
{
    PQfreemem(postgres->row);
    postgres->row = NULL;
    int size = PQgetCopyData(postgres->connection, &postgres->row, 0);
    *found = size > 0;
    if (size > 0) {
        *row = (Bytes){postgres->row, size};
        return STATUS_OK;
    }
    if (size == -1)
        return postgres_copy_end(postgres, error);
    forget_result(postgres);
    return fail(postgres, error);
}

Status postgres_copy_write(Postgres *postgres, Bytes data, Error *error)
{
    while (data.size > 0) {
        int size = data.size < INT_MAX ? (int)data.size : INT_MAX;
        if (PQputCopyData(postgres->connection, data.data, size) != 1) {
            forget_result(postgres);
            return fail(postgres, error);
        }
        data = (Bytes){data.data + size, data.size - size};
    }
    return STATUS_OK;
}
