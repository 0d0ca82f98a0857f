/* One connection to a MariaDB server, by MariaDB Connector/C. */
#include "database/maria.h"

#include "base/memory.h"

#include <errmsg.h>
#include <errno.h>
#include <math.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    CONNECT_SECONDS = 20,
    GRACE_SECONDS = 60, /* after which a server that should have ended a statement is given up */
    MARIADB_LEAST = 100600,
    MYSQL_LEAST = 80000
};

struct Maria {
    MYSQL *connection;
    MYSQL_RES *result; /* whose rows are being fetched */
    MYSQL_ROW row;
    const unsigned long *lengths; /* of the row's values */
    char *url;
    unsigned code; /* of the last failure */
};

/* ---- before connecting ---- */

Status maria_check_option_file(const char *option_file, Error *error)
{
    Status status = STATUS_OK;
    struct stat about;
    Buffer path = {0};
    const char *home = getenv("HOME");
    if (option_file != NULL)
        buffer_append_string(&path, option_file);
    else if (home != NULL)
        buffer_printf(&path, "%s/.my.cnf", home);
    if (path.size == 0)
        goto out;
    if (stat(buffer_string(&path), &about) != 0) {
        if (option_file != NULL)
            FAIL(error, STATUS_USAGE, "option file %s cannot be read: %s", option_file,
                 strerror(errno));
    } else if (S_ISREG(about.st_mode) && (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        FAIL(error, STATUS_USAGE,
             "the option file %s may be read by others than its owner, so it is not used; "
             "chmod 600 it",
             buffer_string(&path));
    }
out:
    buffer_free(&path);
    return status;
}

/* ---- failures ---- */

/* What a user can do about it; NULL for what is nobody's everyday trouble. */
static const char *advice(unsigned code)
{
    static const char no_server[] = "is the server running, and are host, port and socket right?";
    static const struct {
        unsigned code;
        const char *text;
    } known[] = {
        {CR_CONNECTION_ERROR, no_server},
        {CR_CONN_HOST_ERROR, no_server},
        {CR_UNKNOWN_HOST, no_server},
        {CR_SERVER_GONE_ERROR, "the connection was cut: run again"},
        {CR_SERVER_LOST, "the connection was cut: run again"},
        {ER_CONNECTION_KILLED, "the connection was cut: run again"},
        {ER_SERVER_SHUTDOWN, "run again when the server is up"},
        {ER_TABLEACCESS_DENIED_ERROR, "docs/mariadb.sql shows the rights that it takes"},
        {ER_DBACCESS_DENIED_ERROR, "docs/mariadb.sql shows the rights that it takes"},
        {ER_BAD_DB_ERROR, "docs/mariadb.sql shows how it is made"},
        {ER_ACCESS_DENIED_ERROR,
         "put the password into the client's option file (~/.my.cnf, [client], chmod 600)"},
        {ER_LOCK_WAIT_TIMEOUT, "another session has it in use: run again"},
        {ER_STATEMENT_TIMEOUT, "run again, or raise the statement timeout"},
        {ER_RECORD_FILE_FULL, "free some room on the server and run again"},
        {ER_DISK_FULL, "free some room on the server and run again"},
        {ER_CON_COUNT_ERROR, "run again when others have left, or raise max_connections"},
        {CR_SSL_CONNECTION_ERROR, "does the server's certificate suit ssl_ca and the host's name?"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (code == known[i].code)
            return known[i].text;
    }
    return NULL;
}

/* STATUS_IO for the connection's last failure. */
static Status fail(Maria *maria, Error *error)
{
    maria->code = mysql_errno(maria->connection);
    const char *to_do = advice(maria->code);
    return error_set(error, STATUS_IO, __FILE__, __LINE__, "%s: %s%s%s", maria->url,
                     mysql_error(maria->connection), to_do ? "; " : "", to_do ? to_do : "");
}

bool maria_was_locked_out(const Maria *maria)
{
    return maria->code == ER_LOCK_WAIT_TIMEOUT || maria->code == ER_LOCK_DEADLOCK;
}

/* ---- connection ---- */

static void set_options(MYSQL *connection, const MariaAddress *address)
{
    static const my_bool yes = 1;
    unsigned connect = CONNECT_SECONDS, none = 0;
    (void)mysql_optionsv(connection, MYSQL_READ_DEFAULT_GROUP, "client");
    if (address->option_file != NULL)
        (void)mysql_optionsv(connection, MYSQL_READ_DEFAULT_FILE, address->option_file);
    (void)mysql_optionsv(connection, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
    (void)mysql_optionsv(connection, MYSQL_OPT_LOCAL_INFILE, &none); /* no server asks for files */
    if (address->statement_seconds > 0) {
        unsigned patience = (unsigned)ceil(address->statement_seconds) + GRACE_SECONDS;
        (void)mysql_optionsv(connection, MYSQL_OPT_READ_TIMEOUT, &patience);
        (void)mysql_optionsv(connection, MYSQL_OPT_WRITE_TIMEOUT, &patience);
    }
    if (address->ssl_ca != NULL) {
        (void)mysql_optionsv(connection, MYSQL_OPT_SSL_CA, address->ssl_ca);
        (void)mysql_optionsv(connection, MYSQL_OPT_SSL_ENFORCE, &yes);
        (void)mysql_optionsv(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
    }
}

static Status check_version(Maria *maria, Error *error)
{
    Status status = STATUS_OK;
    MYSQL *connection = maria->connection;
    unsigned long least = mariadb_connection(connection) ? MARIADB_LEAST : MYSQL_LEAST;
    if (mysql_get_server_version(connection) < least)
        FAIL(error, STATUS_IO,
             "%s: server version %s cannot rename tables at one stroke that survives a crash; "
             "MariaDB has to be 10.6 or later, MySQL 8.0 or later",
             maria->url, mysql_get_server_info(connection));
out:
    return status;
}

/* sql_mode makes it one language with other databases, whatever the server was told. */
static Status set_session(Maria *maria, double statement_seconds, Error *error)
{
    static const my_bool no = 0;
    bool is_mariadb = mariadb_connection(maria->connection);
    Status status;
    (void)mysql_optionsv(maria->connection, MYSQL_OPT_RECONNECT, &no); /* it would lose all this */
    if (mysql_set_character_set(maria->connection, "utf8mb4") != 0) {
        status = fail(maria, error);
        goto out;
    }
    TRY(maria_run(maria, error,
                  "SET autocommit = 1, sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,"
                  "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"));
    if (is_mariadb)
        TRY(maria_run(maria, error, "SET max_statement_time = %.3f", statement_seconds));
    else
        TRY(maria_run(maria, error, "SET max_execution_time = %.0f", statement_seconds * 1e3));
out:
    return status;
}

Status maria_open(const MariaAddress *address, Maria **maria, Error *error)
{
    Status status;
    *maria = NULL;
    TRY(maria_check_option_file(address->option_file, error));
    Maria *opened = mem_new(1, sizeof *opened);
    *maria = opened;
    opened->url = mem_copy_string(address->url);
    opened->connection = mysql_init(NULL);
    if (opened->connection == NULL)
        FAIL(error, STATUS_MEMORY, "out of memory connecting to %s", address->url);
    set_options(opened->connection, address);
    if (mysql_real_connect(opened->connection, address->host, address->user, NULL,
                           address->database, (unsigned)address->port, address->socket,
                           0) == NULL) {
        status = fail(opened, error);
        error_prefix(error, "cannot connect to the database");
        goto out;
    }
    TRY(check_version(opened, error));
    TRY(set_session(opened, address->statement_seconds, error));
out:
    if (status != STATUS_OK)
        maria_close(maria);
    return status;
}

static void forget_result(Maria *maria)
{
    mysql_free_result(maria->result); /* rows not fetched yet are read over */
    maria->result = NULL;
    maria->row = NULL;
}

void maria_close(Maria **maria)
{
    if (*maria == NULL)
        return;
    forget_result(*maria);
    if ((*maria)->connection != NULL)
        mysql_close((*maria)->connection);
    mem_free(&(*maria)->url);
    mem_free(maria);
}

/* ---- statements ---- */

static Status start(Maria *maria, Bytes sql, Error *error)
{
    forget_result(maria);
    maria->code = 0;
    if (mysql_real_query(maria->connection, sql.data, (unsigned long)sql.size) != 0)
        return fail(maria, error);
    maria->result = mysql_use_result(maria->connection);
    if (maria->result == NULL && mysql_errno(maria->connection) != 0)
        return fail(maria, error);
    return STATUS_OK;
}

Status maria_run_bytes(Maria *maria, Bytes sql, Error *error)
{
    bool more = true;
    Status status;
    TRY(start(maria, sql, error));
    while (more)
        TRY(maria_fetch(maria, &more, error));
out:
    return status;
}

Status maria_run(Maria *maria, Error *error, const char *format, ...)
{
    Buffer sql = {0};
    va_list values;
    va_start(values, format);
    buffer_vprintf(&sql, format, values);
    va_end(values);
    Status status = maria_run_bytes(maria, buffer_view(&sql), error);
    buffer_free(&sql);
    return status;
}

Status maria_select(Maria *maria, const char *sql, Error *error)
{
    return start(maria, bytes_of(sql), error);
}

Status maria_fetch(Maria *maria, bool *found, Error *error)
{
    Status status = STATUS_OK;
    maria->row = maria->result != NULL ? mysql_fetch_row(maria->result) : NULL;
    *found = maria->row != NULL;
    if (*found) {
        maria->lengths = mysql_fetch_lengths(maria->result);
    } else {
        if (mysql_errno(maria->connection) != 0)
            status = fail(maria, error);
        forget_result(maria);
    }
    return status;
}

Bytes maria_value(const Maria *maria, int column)
{
    return (Bytes){maria->row[column], (int64_t)maria->lengths[column]};
}

Status maria_set_lock_wait(Maria *maria, int seconds, Error *error)
{
    int least = mariadb_connection(maria->connection) ? 0 : 1;
    return maria_run(maria, error, "SET lock_wait_timeout = %d", seconds > least ? seconds : least);
}
