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

enum { PORT_MAX = 65535, DB_MAX = 1 << 20, GRACE_MAX = 1 << 30, PASSWORD_MAX = 4096 };

static bool copy_text(Bytes from, char *to, size_t size)
{
    if (from.size >= (int64_t)size)
        return false;
    if (from.size > 0)
        memcpy(to, from.data, (size_t)from.size);
    to[from.size] = '\0';
    return true;
}

/* A whole number from 0 to `max`. */
static bool read_number(Bytes text, int64_t max, int64_t *number)
{
    *number = 0;
    for (int64_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *number > max)
            return false;
        *number = *number * 10 + (text.data[i] - '0');
    }
    return text.size > 0 && *number <= max;
}

/* Cut `text` at its first `mark`: what is behind it goes to *rest, which is empty without one. */
static Bytes cut(Bytes text, char mark, Bytes *rest)
{
    const char *at = text.size > 0 ? memchr(text.data, mark, (size_t)text.size) : NULL;
    *rest = (Bytes){NULL, 0};
    if (at == NULL)
        return text;
    Bytes before = {text.data, at - text.data};
    *rest = (Bytes){at + 1, text.size - before.size - 1};
    return before;
}

/* Behind the first = stand values of settings, which may have any characters. */
static Status refuse_password(const char *place, Error *error)
{
    Bytes behind;
    Bytes before = cut((Bytes){place, (int64_t)strcspn(place, "=")}, '@', &behind);
    if (behind.data == NULL || memchr(before.data, ':', (size_t)before.size) == NULL)
        return STATUS_OK;
    return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                     "the redis:// target has a password in its URL, where everybody sees it; set "
                     "VESPER_REDIS_PASSWORD, or add ?password_file=FILE");
}

/* HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT. */
static bool read_address(Bytes address, RedisPlace *redis)
{
    Bytes host, port, behind;
    int64_t number = REDIS_PORT;
    if (address.size > 0 && address.data[0] == '[') {
        host = cut((Bytes){address.data + 1, address.size - 1}, ']', &behind);
        if (behind.data == NULL || (behind.size > 0 && behind.data[0] != ':'))
            return false;
        (void)cut(behind, ':', &port);
    } else {
        host = cut(address, ':', &port);
    }
    if (port.data != NULL && (!read_number(port, PORT_MAX, &number) || number == 0))
        return false;
    redis->port = (int)number;
    return host.size > 0 && copy_text(host, redis->host, sizeof redis->host) &&
           strcspn(redis->host, "%/?#@ \t\r\n") == strlen(redis->host);
}

static bool read_server(Bytes server, RedisPlace *redis)
{
    Bytes behind, db;
    int64_t number = 0;
    Bytes address = cut(server, '/', &db);
    Bytes user = cut(address, '@', &behind);
    if (behind.data != NULL) {
        if (user.size == 0 || !copy_text(user, redis->user, sizeof redis->user))
            return false;
        address = behind;
    }
    if (db.size > 0 && !read_number(db, DB_MAX, &number))
        return false;
    redis->db = (int)number;
    return read_address(address, redis);
}

/* Braces in a key say which node of a cluster has it, so none may stand in a shop's name. */
static bool read_shop(Bytes name, RedisPlace *redis)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return name.size > 0 && copy_text(name, redis->shop, sizeof redis->shop) &&
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
    if (!bytes_start_with(bare, bytes_of("//")) ||
        !read_server((Bytes){bare.data + 2, bare.size - 2}, redis))
        FAIL(error, STATUS_USAGE,
             "the redis:// target names no server; write redis://HOST, redis://HOST:PORT/DB or "
             "redis://USER@HOST:PORT/DB");
    if (!read_shop(values[SHOP], redis))
        FAIL(error, STATUS_USAGE,
             "the redis:// target's shop= is a name of 1 to %d letters, digits, _ and -",
             REDIS_NAME_SIZE - 1);
    if (values[GRACE].data != NULL && !read_number(values[GRACE], GRACE_MAX, &redis->grace_s))
        FAIL(error, STATUS_USAGE,
             "the redis:// target's grace= is a whole number of seconds, at most %d", GRACE_MAX);
    if (!copy_text(values[PASSWORD_FILE], redis->password_file, sizeof redis->password_file))
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
