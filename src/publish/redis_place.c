/* RedisPlace: the URL taken apart, and the password, which never stands in it. */
#include "publish/redis_place.h"

#include "publish/target_settings.h"
#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DB_MAX = 1 << 20, GRACE_MAX = 1 << 30, PASSWORD_MAX = 4096 };

static Status refuse_password(const char *place, Error *error)
{
    if (!target_place_has_password(place))
        return STATUS_OK;
    return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                     "the redis:// target has a password in its URL, where everybody sees it; set "
                     "VESPER_REDIS_PASSWORD, or add ?password_file=FILE");
}

static bool read_server(Bytes place, RedisPlace *redis)
{
    TargetServer server;
    int64_t db = 0;
    if (!target_place_read_server(place, &server) ||
        (server.path.size > 0 && !target_place_read_number(server.path, DB_MAX, &db)))
        return false;
    memcpy(redis->host, server.host, sizeof redis->host);
    memcpy(redis->user, server.user, sizeof redis->user);
    redis->port = server.port != 0 ? server.port : REDIS_PORT;
    redis->db = (int)db;
    return true;
}

/* Braces in a key say which node of a cluster has it, so none may stand in a shop's name. */
static bool read_shop(Bytes name, RedisPlace *redis)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return name.size > 0 && target_place_copy(name, redis->shop, sizeof redis->shop) &&
           strspn(redis->shop, allowed) == (size_t)name.size;
}

Status redis_place_read(const char *place, RedisPlace *redis, Error *error)
{
    enum { SHOP, GRACE, PASSWORD_FILE, SETTINGS };
    static const char *const names[SETTINGS] = {"shop", "grace", "password_file"};
    Bytes bare, values[SETTINGS] = {[SHOP] = {"shop", 4}};
    Status status;
    *redis = (RedisPlace){.grace_s = REDIS_GRACE_S};
    TRY(refuse_password(place, error));
    TRY(target_settings_read("redis://", place, names, SETTINGS, &bare, values, error));
    if (!read_server(bare, redis))
        FAIL(error, STATUS_USAGE,
             "the redis:// target names no server; write redis://HOST, redis://HOST:PORT/DB or "
             "redis://USER@HOST:PORT/DB");
    if (!read_shop(values[SHOP], redis))
        FAIL(error, STATUS_USAGE,
             "the redis:// target's shop= is a name of 1 to %d letters, digits, _ and -",
             REDIS_NAME_SIZE - 1);
    if (values[GRACE].data != NULL &&
        !target_place_read_number(values[GRACE], GRACE_MAX, &redis->grace_s))
        FAIL(error, STATUS_USAGE,
             "the redis:// target's grace= is a whole number of seconds, at most %d", GRACE_MAX);
    if (!target_place_copy(values[PASSWORD_FILE], redis->password_file,
                           sizeof redis->password_file))
        FAIL(error, STATUS_USAGE, "the redis:// target's password_file= is too long a path");
out:
    return status;
}

static Status read_password_file(const char *path, Buffer *password, Error *error)
{
    Status status;
    struct stat about;
    int fd = -1;
    char text[PASSWORD_MAX];
    TRY(files_open(path, false, &fd, error));
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size >= PASSWORD_MAX)
        FAIL(error, STATUS_USAGE, "password file %s is no file of one line", path);
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        FAIL(error, STATUS_USAGE,
             "password file %s may be read or changed by others than its owner; run chmod 0600 %s",
             path, path);
    TRY(files_read_at(fd, path, text, about.st_size, 0, error));
    text[about.st_size] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (text[0] == '\0')
        FAIL(error, STATUS_USAGE, "password file %s has no password in its first line", path);
    buffer_append_string(password, text);
out:
    explicit_bzero(text, sizeof text);
    if (fd >= 0)
        (void)close(fd);
    return status;
}

Status redis_place_password(const RedisPlace *redis, Buffer *password, Error *error)
{
    Status status = STATUS_OK;
    const char *variable = getenv("VESPER_REDIS_PASSWORD");
    if (redis->password_file[0] != '\0')
        return read_password_file(redis->password_file, password, error);
    if (variable != NULL)
        buffer_append_string(password, variable);
    if (redis->user[0] != '\0' && password->size == 0)
        FAIL(error, STATUS_USAGE,
             "the redis:// target names user %s but no password; set VESPER_REDIS_PASSWORD, or add "
             "?password_file=FILE",
             redis->user);
out:
    return status;
}
