/* RedisShop: the nights of one shop in a Redis server.
 *
 *   vesper:{SHOP}:version          the version that is in force
 *   vesper:{SHOP}:previous         the one before it
 *   vesper:{SHOP}:loading          the one that is being loaded
 *   vesper:{SHOP}:VERSION:run      what that night is; set when all its lists are there
 *   vesper:{SHOP}:VERSION:TABLE:ID a list
 *
 * The braces keep all keys of a shop on one node of a cluster, as one transaction wants them. */
#ifndef VESPER_PUBLISH_REDIS_SHOP_H
#define VESPER_PUBLISH_REDIS_SHOP_H

#include "publish/redis_link.h"

enum { REDIS_VERSION_SIZE = 96 };

typedef struct RedisShop {
    RedisPlace place;
    RedisLink link;
    char prefix[REDIS_NAME_SIZE + 16]; /* vesper:{SHOP}: */
    char current[REDIS_VERSION_SIZE];  /* "": none */
    char previous[REDIS_VERSION_SIZE];
    bool is_lost; /* another program took the shop over */
} RedisShop;

/* Connect to `place` and read which versions there are. */
Status redis_shop_open(RedisShop *shop, const char *place, Error *error) VESPER_MUST_USE;
void redis_shop_close(RedisShop *shop); /* accepts one that was never opened */

/* The key of `name`, or of what `version` calls `name`. */
Bytes redis_shop_key(const RedisShop *shop, const char *version, Bytes name, Buffer *key);

/* From here on a switch fails if another program switches or begins to load. Reads again which
 * versions there are. */
Status redis_shop_watch(RedisShop *shop, Error *error) VESPER_MUST_USE;

/* Say that `version` is being loaded, watch, and take away what never became whole. */
Status redis_shop_begin(RedisShop *shop, const char *version, Error *error) VESPER_MUST_USE;

/* After a failure, as well as the server allows: nothing of a version that is not whole stays. */
void redis_shop_abandon(RedisShop *shop, const char *version);

/* Put `version` in force, with `run` as what it is, in one transaction. */
Status redis_shop_switch(RedisShop *shop, const char *version, Bytes run,
                         Error *error) VESPER_MUST_USE;

/* Put `version`, which is whole, in force again; there is none before it then. */
Status redis_shop_switch_back(RedisShop *shop, const char *version, Error *error) VESPER_MUST_USE;

/* Hand the keys of the shop that begin with `begin` to `take`, some hundreds at a time; some may
 * come twice. */
typedef Status (*RedisKeysTake)(void *context, const redisReply *keys, Error *error);
Status redis_shop_scan(RedisShop *shop, Bytes begin, RedisKeysTake take, void *context,
                       Error *error) VESPER_MUST_USE;

/* Every version that is whole but not in force gets the grace time to live, if it has none yet.
 * With `removes_dead`, versions that never became whole go at once. */
Status redis_shop_sweep(RedisShop *shop, bool removes_dead, Error *error) VESPER_MUST_USE;

#endif
