/* The way back in Redis: the version before gets its life back and is put in force, if all its
 * lists are still there. */
#include "publish/redis_shop.h"
#include "publish/target.h"

#include "base/fault.h"

#include <jansson.h>
#include <string.h>

/* What publishing said of a version. */
typedef struct Described {
    char run[STORE_NAME_SIZE];
    int tables;
    int64_t lists;
} Described;

static bool parse_description(const redisReply *reply, Described *described)
{
    json_t *root = reply->type == REDIS_REPLY_STRING
                       ? json_loadb(reply->str, (size_t)reply->len, 0, NULL)
                       : NULL;
    const json_t *run = json_object_get(root, "run");
    json_t *tables = json_object_get(root, "tables");
    bool is_good = json_is_string(run) && json_string_length(run) < sizeof described->run &&
                   json_object_size(tables) > 0;
    if (is_good) {
        memcpy(described->run, json_string_value(run), json_string_length(run) + 1);
        described->tables = (int)json_object_size(tables);
        for (void *at = json_object_iter(tables); at != NULL;
             at = json_object_iter_next(tables, at))
            described->lists +=
                json_integer_value(json_object_get(json_object_iter_value(at), "lists"));
    }
    json_decref(root);
    return is_good;
}

static Status read_description(RedisShop *shop, const char *version, Described *described,
                               Error *error)
{
    Status status;
    Buffer key = {0};
    redisReply *reply = NULL;
    Bytes run_key = redis_shop_key(shop, version, bytes_of("run"), &key);
    TRY(redis_link_ask(&shop->link, (Bytes[]){bytes_of("GET"), run_key, {NULL, 0}}, &reply, error));
    if (!parse_description(reply, described))
        FAIL(error, STATUS_USAGE,
             "redis://%s:%d: no night to go back to: the lists of version %s are no longer there; "
             "'vesper publish' brings any night",
             shop->place.host, shop->place.port, version);
out:
    freeReplyObject(reply);
    buffer_free(&key);
    return status;
}

typedef struct Revival {
    RedisShop *shop;
    int64_t revived;
} Revival;

/* A key that comes again in the scan has no time to lose any more, and is not counted. */
static Status count_revived(void *context, const redisReply *reply, Error *error)
{
    Revival *revival = context;
    (void)error;
    revival->revived += reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
    return STATUS_OK;
}

static Status revive_keys(void *context, const redisReply *keys, Error *error)
{
    Revival *revival = context;
    RedisPipe pipe = {.link = &revival->shop->link, .take = count_revived, .context = revival};
    Status status = STATUS_OK;
    for (size_t i = 0; i < keys->elements; i++) {
        Bytes key = {keys->element[i]->str, (int64_t)keys->element[i]->len};
        TRY(redis_pipe_send(&pipe, (Bytes[]){bytes_of("PERSIST"), key, {NULL, 0}}, error));
    }
    TRY(redis_pipe_finish(&pipe, error));
out:
    return status;
}

/* The lists of the version before and its description stay for good. */
static Status revive(RedisShop *shop, int64_t lists, Error *error)
{
    Status status;
    Buffer begin = {0};
    Revival revival = {.shop = shop};
    TRY(redis_shop_sweep(shop, false, error)); /* after this, every key of it has a time to live */
    TRY(redis_shop_scan(shop, redis_shop_key(shop, shop->previous, bytes_of(""), &begin),
                        revive_keys, &revival, error));
    if (revival.revived != lists + 1) {
        TRY(redis_shop_sweep(shop, false, error));
        FAIL(error, STATUS_USAGE,
             "redis://%s:%d: no night to go back to: %lld of %lld lists of version %s are there; "
             "'vesper publish' brings any night",
             shop->place.host, shop->place.port, (long long)revival.revived - 1, (long long)lists,
             shop->previous);
    }
out:
    buffer_free(&begin);
    return status;
}

static Status switch_back(RedisShop *shop, RollbackSummary *summary, Error *error)
{
    Status status;
    Described before = {0}, withdrawn = {0};
    TRY(read_description(shop, shop->previous, &before, error));
    TRY(read_description(shop, shop->current, &withdrawn, error));
    TRY(revive(shop, before.lists, error));
    TRY(fault_point("publish.switch", error));
    TRY(redis_shop_switch_back(shop, shop->previous, error));
    summary->tables = before.tables;
    memcpy(summary->restored, before.run, sizeof summary->restored);
    memcpy(summary->withdrawn, withdrawn.run, sizeof summary->withdrawn);
out:
    return status;
}

Status redis_roll_back(const char *place, const PublishOptions *options, RollbackSummary *summary,
                       Error *error)
{
    RedisShop shop = {0};
    Status status;
    (void)options;
    TRY(redis_shop_open(&shop, place, error));
    TRY(redis_shop_watch(&shop, error));
    if (shop.current[0] == '\0' || shop.previous[0] == '\0')
        FAIL(error, STATUS_USAGE,
             "redis://%s:%d: no night to go back to: none is kept there before the one in force; "
             "'vesper publish' brings any other",
             shop.place.host, shop.place.port);
    TRY(switch_back(&shop, summary, error));
    TRY(redis_shop_sweep(&shop, false, error));
out:
    redis_shop_close(&shop);
    return status;
}
