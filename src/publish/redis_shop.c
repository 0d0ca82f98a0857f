/* RedisShop: which night is in force, and what becomes of the others. */
#include "publish/redis_shop.h"

#include "base/fault.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCAN_KEYS = 1000, KNOWN_MAX = 16 };

/* Behind the last argument of a command. */
#define END ((Bytes){NULL, 0})

Bytes redis_shop_key(const RedisShop *shop, const char *version, Bytes name, Buffer *key)
{
    buffer_clear(key);
    buffer_append_string(key, shop->prefix);
    if (version != NULL)
        buffer_printf(key, "%s:", version);
    buffer_append_bytes(key, name);
    return buffer_view(key);
}

static Status read_version(RedisShop *shop, const char *name, char version[REDIS_VERSION_SIZE],
                           Error *error)
{
    Status status;
    Buffer key = {0};
    redisReply *reply = NULL;
    Bytes full = redis_shop_key(shop, NULL, bytes_of(name), &key);
    version[0] = '\0';
    TRY(redis_link_ask(&shop->link, (Bytes[]){bytes_of("GET"), full, END}, &reply, error));
    if (reply->type == REDIS_REPLY_NIL)
        goto out;
    size_t size = reply->type == REDIS_REPLY_STRING ? (size_t)reply->len : 0;
    if (size == 0 || size >= REDIS_VERSION_SIZE || memchr(reply->str, ':', size) != NULL)
        FAIL(error, STATUS_IO,
             "redis://%s:%d: key %s is not what Vesper writes; remove it, or name another shop=",
             shop->place.host, shop->place.port, buffer_string(&key));
    memcpy(version, reply->str, size);
    version[size] = '\0';
out:
    freeReplyObject(reply);
    buffer_free(&key);
    return status;
}

static Status connect_shop(RedisShop *shop, Error *error)
{
    Status status;
    TRY(redis_link_open(&shop->link, &shop->place, error));
    TRY(read_version(shop, "version", shop->current, error));
    TRY(read_version(shop, "previous", shop->previous, error));
out:
    return status;
}

Status redis_shop_open(RedisShop *shop, const char *place, Error *error)
{
    Status status;
    TRY(redis_place_read(place, &shop->place, error));
    (void)snprintf(shop->prefix, sizeof shop->prefix, "vesper:{%s}:", shop->place.shop);
    TRY(connect_shop(shop, error));
out:
    return status;
}

void redis_shop_abandon(RedisShop *shop, const char *version)
{
    Error ignored;
    char loading[REDIS_VERSION_SIZE];
    Buffer key = {0};
    if (shop->link.place == NULL || shop->is_lost)
        return;
    redis_link_close(&shop->link);
    if (connect_shop(shop, &ignored) != STATUS_OK ||
        read_version(shop, "loading", loading, &ignored) != STATUS_OK ||
        strcmp(loading, version) != 0 || redis_shop_sweep(shop, true, &ignored) != STATUS_OK)
        return;
    Bytes loading_key = redis_shop_key(shop, NULL, bytes_of("loading"), &key);
    Status status =
        redis_link_do(&shop->link, (Bytes[]){bytes_of("UNLINK"), loading_key, END}, &ignored);
    (void)status; /* the next publication overwrites it */
    buffer_free(&key);
}

void redis_shop_close(RedisShop *shop)
{
    redis_link_close(&shop->link);
}

Status redis_shop_watch(RedisShop *shop, Error *error)
{
    Status status;
    Buffer loading = {0}, in_force = {0};
    Bytes loading_key = redis_shop_key(shop, NULL, bytes_of("loading"), &loading);
    Bytes version_key = redis_shop_key(shop, NULL, bytes_of("version"), &in_force);
    TRY(redis_link_do(&shop->link, (Bytes[]){bytes_of("WATCH"), loading_key, version_key, END},
                      error));
    TRY(read_version(shop, "version", shop->current, error));
    TRY(read_version(shop, "previous", shop->previous, error));
out:
    buffer_free(&loading);
    buffer_free(&in_force);
    return status;
}

Status redis_shop_begin(RedisShop *shop, const char *version, Error *error)
{
    Status status;
    Buffer key = {0};
    Bytes loading_key = redis_shop_key(shop, NULL, bytes_of("loading"), &key);
    TRY(redis_link_do(&shop->link, (Bytes[]){bytes_of("SET"), loading_key, bytes_of(version), END},
                      error));
    TRY(redis_shop_watch(shop, error));
    TRY(redis_shop_sweep(shop, true, error));
    Bytes run_key = redis_shop_key(shop, version, bytes_of("run"), &key);
    if (strcmp(shop->current, version) != 0) /* if it is, its readers stay */
        TRY(redis_link_do(&shop->link, (Bytes[]){bytes_of("UNLINK"), run_key, END}, error));
out:
    buffer_free(&key);
    return status;
}

static Status queue_switch(RedisShop *shop, const char *version, Bytes run, Error *error)
{
    Status status;
    Buffer key = {0};
    RedisPipe pipe = {.link = &shop->link};
    TRY(redis_pipe_send(&pipe, (Bytes[]){bytes_of("MULTI"), END}, error));
    Bytes run_key = redis_shop_key(shop, version, bytes_of("run"), &key);
    TRY(redis_pipe_send(&pipe, (Bytes[]){bytes_of("SET"), run_key, run, END}, error));
    if (shop->current[0] != '\0' && strcmp(shop->current, version) != 0) {
        Bytes previous_key = redis_shop_key(shop, NULL, bytes_of("previous"), &key);
        TRY(redis_pipe_send(
            &pipe, (Bytes[]){bytes_of("SET"), previous_key, bytes_of(shop->current), END}, error));
    }
    Bytes version_key = redis_shop_key(shop, NULL, bytes_of("version"), &key);
    TRY(redis_pipe_send(&pipe, (Bytes[]){bytes_of("SET"), version_key, bytes_of(version), END},
                        error));
    Bytes loading_key = redis_shop_key(shop, NULL, bytes_of("loading"), &key);
    TRY(redis_pipe_send(&pipe, (Bytes[]){bytes_of("UNLINK"), loading_key, END}, error));
    TRY(redis_pipe_finish(&pipe, error));
out:
    buffer_free(&key);
    return status;
}

/* Let happen what is queued, or nothing if another program came between. */
static Status execute(RedisShop *shop, Error *error)
{
    Status status;
    redisReply *reply = NULL;
    TRY(redis_link_ask(&shop->link, (Bytes[]){bytes_of("EXEC"), END}, &reply, error));
    shop->is_lost = reply->type == REDIS_REPLY_NIL;
    if (reply->type != REDIS_REPLY_ARRAY)
        FAIL(error, STATUS_IO,
             "redis://%s:%d: another program published shop %s, or began to, at the same time; "
             "nothing was switched; run again",
             shop->place.host, shop->place.port, shop->place.shop);
    for (size_t i = 0; i < reply->elements; i++)
        if (reply->element[i]->type == REDIS_REPLY_ERROR)
            FAIL(error, STATUS_IO, "redis://%s:%d: the switch failed: %.300s", shop->place.host,
                 shop->place.port, reply->element[i]->str);
out:
    freeReplyObject(reply);
    return status;
}

Status redis_shop_switch(RedisShop *shop, const char *version, Bytes run, Error *error)
{
    Status status;
    TRY(queue_switch(shop, version, run, error));
    TRY(execute(shop, error));
    if (strcmp(shop->current, version) != 0)
        memcpy(shop->previous, shop->current, sizeof shop->previous);
    (void)snprintf(shop->current, sizeof shop->current, "%s", version);
out:
    return status;
}

Status redis_shop_switch_back(RedisShop *shop, const char *version, Error *error)
{
    Status status;
    Buffer key = {0};
    RedisPipe pipe = {.link = &shop->link};
    TRY(redis_pipe_send(&pipe, (Bytes[]){bytes_of("MULTI"), END}, error));
    Bytes version_key = redis_shop_key(shop, NULL, bytes_of("version"), &key);
    TRY(redis_pipe_send(&pipe, (Bytes[]){bytes_of("SET"), version_key, bytes_of(version), END},
                        error));
    Bytes previous_key = redis_shop_key(shop, NULL, bytes_of("previous"), &key);
    TRY(redis_pipe_send(&pipe, (Bytes[]){bytes_of("UNLINK"), previous_key, END}, error));
    TRY(redis_pipe_finish(&pipe, error));
    TRY(execute(shop, error));
    (void)snprintf(shop->current, sizeof shop->current, "%s", version);
    shop->previous[0] = '\0';
out:
    buffer_free(&key);
    return status;
}

Status redis_shop_scan(RedisShop *shop, Bytes begin, RedisKeysTake take, void *context,
                       Error *error)
{
    Buffer pattern = {0}, cursor = {0};
    char count[24];
    redisReply *reply = NULL;
    Status status;
    (void)snprintf(count, sizeof count, "%d", SCAN_KEYS);
    buffer_append_bytes(&pattern, begin);
    buffer_append_string(&pattern, "*");
    buffer_append_string(&cursor, "0");
    do {
        freeReplyObject(reply);
        TRY(redis_link_ask(&shop->link,
                           (Bytes[]){bytes_of("SCAN"), buffer_view(&cursor), bytes_of("MATCH"),
                                     buffer_view(&pattern), bytes_of("COUNT"), bytes_of(count),
                                     END},
                           &reply, error));
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
            FAIL(error, STATUS_IO, "redis://%s:%d does not answer SCAN as Redis does",
                 shop->place.host, shop->place.port);
        buffer_clear(&cursor);
        buffer_append(&cursor, reply->element[0]->str, (int64_t)reply->element[0]->len);
        TRY(fault_point("publish.scan", error));
        TRY(take(context, reply->element[1], error));
    } while (strcmp(buffer_string(&cursor), "0") != 0);
out:
    freeReplyObject(reply);
    buffer_free(&pattern);
    buffer_free(&cursor);
    return status;
}

/* ---- what becomes of other versions ---- */

typedef enum Fate { FATE_STAY, FATE_EXPIRE, FATE_GO } Fate;

typedef struct Known {
    char version[REDIS_VERSION_SIZE];
    Fate fate;
} Known;

typedef struct Sweep {
    RedisShop *shop;
    bool removes_dead;
    char grace[24];
    int n_known; /* the newest KNOWN_MAX are in `known` */
    Known known[KNOWN_MAX];
    Fate *fates; /* of the keys of one step */
    Buffer key;
} Sweep;

/* The key of a version's run lives as long as its lists, and a little longer. */
static Status decide(Sweep *sweep, const char *version, Fate *fate, Error *error)
{
    enum { NO_KEY = -2, NO_TIME = -1 };
    Status status;
    redisReply *reply = NULL;
    Bytes key = redis_shop_key(sweep->shop, version, bytes_of("run"), &sweep->key);
    TRY(redis_link_ask(&sweep->shop->link, (Bytes[]){bytes_of("TTL"), key, END}, &reply, error));
    int64_t left = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
    *fate = left == NO_TIME                         ? FATE_EXPIRE
            : left == NO_KEY && sweep->removes_dead ? FATE_GO
                                                    : FATE_STAY;
out:
    freeReplyObject(reply);
    return status;
}

static Status find_fate(Sweep *sweep, Bytes version, Fate *fate, Error *error)
{
    Status status = STATUS_OK;
    int n = sweep->n_known < KNOWN_MAX ? sweep->n_known : KNOWN_MAX;
    *fate = FATE_STAY;
    if (version.size >= REDIS_VERSION_SIZE || bytes_equal(version, bytes_of(sweep->shop->current)))
        goto out;
    for (int i = 0; i < n; i++)
        if (bytes_equal(version, bytes_of(sweep->known[i].version))) {
            *fate = sweep->known[i].fate;
            goto out;
        }
    Known *known = &sweep->known[sweep->n_known++ % KNOWN_MAX];
    memcpy(known->version, version.data, (size_t)version.size);
    known->version[version.size] = '\0';
    TRY(decide(sweep, known->version, &known->fate, error));
    *fate = known->fate;
out:
    return status;
}

/* What behind the prefix stands before a colon; empty for a key that is of no version. */
static Bytes version_of(const Sweep *sweep, const redisReply *key)
{
    size_t prefix = strlen(sweep->shop->prefix), length = (size_t)key->len;
    const char *end = length > prefix ? memchr(key->str + prefix, ':', length - prefix) : NULL;
    return (Bytes){key->str + prefix, end != NULL ? end - key->str - (int64_t)prefix : 0};
}

static bool is_run_key(const redisReply *key, Bytes version)
{
    const char *name = version.data + version.size + 1;
    return key->str + key->len - name == 3 && memcmp(name, "run", 3) == 0;
}

static Status send_expire(Sweep *sweep, RedisPipe *pipe, Bytes key, Error *error)
{
    return redis_pipe_send(pipe, (Bytes[]){bytes_of("EXPIRE"), key, bytes_of(sweep->grace), END},
                           error);
}

/* What becomes of each key that one step of the scan found. */
static Status find_fates(Sweep *sweep, const redisReply *keys, Error *error)
{
    Status status;
    TRY(mem_resize(&sweep->fates, (int64_t)keys->elements, sizeof *sweep->fates, "keys", error));
    for (size_t i = 0; i < keys->elements; i++) {
        Bytes version = version_of(sweep, keys->element[i]);
        sweep->fates[i] = FATE_STAY;
        if (version.size > 0)
            TRY(find_fate(sweep, version, &sweep->fates[i], error));
        if (sweep->fates[i] == FATE_EXPIRE && is_run_key(keys->element[i], version))
            sweep->fates[i] = FATE_STAY;
    }
out:
    return status;
}

static Status sweep_keys(void *context, const redisReply *keys, Error *error)
{
    Sweep *sweep = context;
    Status status;
    RedisPipe pipe = {.link = &sweep->shop->link};
    TRY(find_fates(sweep, keys, error));
    for (size_t i = 0; i < keys->elements; i++) {
        Bytes key = {keys->element[i]->str, (int64_t)keys->element[i]->len};
        if (sweep->fates[i] == FATE_GO)
            TRY(redis_pipe_send(&pipe, (Bytes[]){bytes_of("UNLINK"), key, END}, error));
        else if (sweep->fates[i] == FATE_EXPIRE)
            TRY(send_expire(sweep, &pipe, key, error));
    }
    TRY(redis_pipe_finish(&pipe, error));
out:
    return status;
}

/* The run's keys last: a sweep that dies before is made again. */
static Status expire_runs(Sweep *sweep, Error *error)
{
    Status status = STATUS_OK;
    int n = sweep->n_known < KNOWN_MAX ? sweep->n_known : KNOWN_MAX;
    RedisPipe pipe = {.link = &sweep->shop->link};
    for (int i = 0; i < n; i++)
        if (sweep->known[i].fate == FATE_EXPIRE)
            TRY(send_expire(
                sweep, &pipe,
                redis_shop_key(sweep->shop, sweep->known[i].version, bytes_of("run"), &sweep->key),
                error));
    TRY(redis_pipe_finish(&pipe, error));
out:
    return status;
}

Status redis_shop_sweep(RedisShop *shop, bool removes_dead, Error *error)
{
    Sweep sweep = {.shop = shop, .removes_dead = removes_dead};
    Status status;
    (void)snprintf(sweep.grace, sizeof sweep.grace, "%lld", (long long)shop->place.grace_s);
    TRY(redis_shop_scan(shop, bytes_of(shop->prefix), sweep_keys, &sweep, error));
    TRY(expire_runs(&sweep, error));
out:
    mem_free(&sweep.fates);
    buffer_free(&sweep.key);
    return status;
}
