/* RedisPlace: where a Redis server is, as a target's URL says it. */
#ifndef VESPER_PUBLISH_REDIS_PLACE_H
#define VESPER_PUBLISH_REDIS_PLACE_H

#include "publish/target_place.h"

enum {
    REDIS_NAME_SIZE = 64,
    REDIS_PORT = 6379,
    REDIS_GRACE_S = 90000 /* 25 hours: until the next night is there */
};

typedef struct RedisPlace {
    char host[TARGET_HOST_SIZE]; /* or an address, IPv6 without brackets */
    int port;
    int db;
    char user[TARGET_USER_SIZE];          /* "": the server's default user */
    char shop[REDIS_NAME_SIZE];           /* letters, digits, _ and - */
    int64_t grace_s;                      /* how long a night that was replaced stays */
    char password_file[TARGET_PATH_SIZE]; /* "": none is named */
} RedisPlace;

/* `place` is //[USER@]HOST[:PORT][/DB][?shop=NAME&grace=SECONDS&password_file=FILE]. STATUS_USAGE
 * for anything else, a password in it above all; the message then shows nothing of `place`. Local.
 */
Status redis_place_read(const char *place, RedisPlace *redis, Error *error) VESPER_MUST_USE;

/* What is in the file that the place names, or else in the variable VESPER_REDIS_PASSWORD; empty
 * without either. STATUS_USAGE for a file that others may read. Local. */
Status redis_place_password(const RedisPlace *redis, Buffer *password,
                            Error *error) VESPER_MUST_USE;

#endif
