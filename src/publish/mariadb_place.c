#include "publish/mariadb_place.h"

#include "publish/target_settings.h"

#include <string.h>

enum { SOCKET, SSL_CA, OPTION_FILE, SETTINGS };
static const char *const names[SETTINGS] = {"socket", "ssl_ca", "option_file"};

static Status read_paths(const Bytes *values, MariadbPlace *mariadb, Error *error)
{
    char *const paths[SETTINGS] = {mariadb->socket, mariadb->ssl_ca, mariadb->option_file};
    Status status = STATUS_OK;
    for (int i = 0; i < SETTINGS; i++)
        if (!target_place_copy(values[i], paths[i], TARGET_PATH_SIZE))
            FAIL(error, STATUS_USAGE, "the mysql:// target's %s= is too long a path", names[i]);
    if (mariadb->socket[0] != '\0' && strcmp(mariadb->server.host, "localhost") != 0)
        FAIL(error, STATUS_USAGE,
             "the mysql:// target's socket= is a file of this machine: its host is localhost");
out:
    return status;
}

Status mariadb_place_read(const char *place, MariadbPlace *mariadb, Error *error)
{
    Bytes bare, values[SETTINGS] = {{0}};
    Status status;
    *mariadb = (MariadbPlace){0};
    if (target_place_has_password(place))
        FAIL(error, STATUS_USAGE,
             "a password stands in the mysql:// target's URL, where others can read it; put it "
             "into the client's option file (~/.my.cnf, [client], chmod 600)");
    TRY(target_settings_read("mysql://", place, names, SETTINGS, &bare, values, error));
    if (!target_place_read_server(bare, &mariadb->server) || mariadb->server.path.size == 0 ||
        !target_place_copy(mariadb->server.path, mariadb->database, sizeof mariadb->database) ||
        strchr(mariadb->database, '/') != NULL)
        FAIL(error, STATUS_USAGE,
             "the mysql:// target names no server and database; write "
             "mysql://USER@HOST:PORT/DATABASE");
    mariadb->server.path = (Bytes){NULL, 0};
    TRY(read_paths(values, mariadb, error));
out:
    return status;
}
