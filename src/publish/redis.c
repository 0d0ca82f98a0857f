/* Publish recommendation lists into Redis: load under a version of their own, read back, switch by
 * one key. What else a run has stays out: a page looks lists up, and reports want a database.
 *
 * The version's name holds a hash of what it is made of, so lists in force are never written over
 * by other ones. */
#include "publish/redis_lists.h"
#include "publish/redis_shop.h"
#include "publish/target.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/stop.h"

#include <stdio.h>
#include <string.h>

enum { LISTS_FORMAT = 1 }; /* of the JSON text */

typedef struct Publication {
    RedisShop shop;
    ResultReader *reader;
    const PublishedRun *run;
    char version[REDIS_VERSION_SIZE];
    int64_t lists[RESULT_READ_MAX];
    RedisPipe pipe;
    Buffer key;
    /* While lists are read back: hashes of those whose replies are awaited, a ring. */
    uint64_t expected[REDIS_IN_FLIGHT];
    int64_t asked, answered, wrong;
} Publication;

Status redis_check(const char *place, Error *error)
{
    RedisPlace ignored;
    return redis_place_read(place, &ignored, error);
}

Status redis_refuse_tls(const char *place, Error *error)
{
    (void)place;
    return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                     "rediss:// is not possible: the hiredis that Vesper is built with has no TLS; "
                     "use redis:// through a tunnel (stunnel) or on a private network");
}

Status redis_reach(const char *place, const PublishOptions *options, Error *error)
{
    RedisShop shop = {0};
    Status status = redis_shop_open(&shop, place, error);
    (void)options;
    redis_shop_close(&shop);
    return status;
}

static bool is_published(const Publication *publication, int i)
{
    return redis_lists_has(results_table(publication->reader, i));
}

static Status name_version(Publication *publication, Error *error)
{
    Status status = STATUS_OK;
    Buffer content = {0};
    buffer_printf(&content, "%d", LISTS_FORMAT);
    int tables = 0;
    for (int i = 0; i < results_count(publication->reader); i++) {
        const ResultTable *table = results_table(publication->reader, i);
        if (!is_published(publication, i))
            continue;
        tables++;
        buffer_printf(&content, " %s %lld %016llx", table->name, (long long)table->rows,
                      (unsigned long long)table->checksum);
    }
    if (tables == 0)
        FAIL(error, STATUS_USAGE,
             "redis:// takes recommendation lists, and run %s has none; let the night recommend "
             "(--recommend yes), or publish into another target",
             publication->run->run);
    (void)snprintf(publication->version, sizeof publication->version, "%s.%08llx",
                   publication->run->run,
                   (unsigned long long)(hash64(content.data, content.size) >> 32));
out:
    buffer_free(&content);
    return status;
}

static Status walk_tables(Publication *publication, RedisListTake take, RedisTake take_reply,
                          Error *error)
{
    Status status = STATUS_OK;
    publication->pipe =
        (RedisPipe){.link = &publication->shop.link, .take = take_reply, .context = publication};
    for (int i = 0; i < results_count(publication->reader); i++)
        if (is_published(publication, i))
            TRY(redis_lists_walk(publication->reader, i, take, publication, &publication->lists[i],
                                 error));
    TRY(redis_pipe_finish(&publication->pipe, error));
out:
    return status;
}

static Status send_list(void *context, Bytes key, Bytes json, Error *error)
{
    Publication *publication = context;
    Status status;
    Bytes full = redis_shop_key(&publication->shop, publication->version, key, &publication->key);
    TRY(stop_point(error, "while lists were loaded, before the switch"));
    TRY(redis_pipe_send(&publication->pipe, (Bytes[]){bytes_of("SET"), full, json, {NULL, 0}},
                        error));
out:
    return status;
}

static Status ask_list(void *context, Bytes key, Bytes json, Error *error)
{
    Publication *publication = context;
    Status status;
    Bytes full = redis_shop_key(&publication->shop, publication->version, key, &publication->key);
    uint64_t hash = hash64(json.data, json.size);
    TRY(stop_point(error, "while lists were read back, before the switch"));
    TRY(redis_pipe_send(&publication->pipe, (Bytes[]){bytes_of("GET"), full, {NULL, 0}}, error));
    publication->expected[publication->asked++ % REDIS_IN_FLIGHT] = hash;
out:
    return status;
}

static Status compare_list(void *context, const redisReply *reply, Error *error)
{
    Publication *publication = context;
    (void)error;
    uint64_t expected = publication->expected[publication->answered++ % REDIS_IN_FLIGHT];
    publication->wrong +=
        reply->type != REDIS_REPLY_STRING || hash64(reply->str, (int64_t)reply->len) != expected;
    return STATUS_OK;
}

/* Read every list of the version back; how many are missing or others stands in `wrong`. */
static Status read_back(Publication *publication, Error *error)
{
    publication->asked = publication->answered = publication->wrong = 0;
    return walk_tables(publication, ask_list, compare_list, error);
}

static Status verify(Publication *publication, Error *error)
{
    Status status;
    TRY(fault_point("publish.verify", error));
    TRY(read_back(publication, error));
    if (publication->wrong > 0)
        FAIL(error, STATUS_IO,
             "redis://%s:%d: %lld of %lld lists were read back missing or changed; nothing was "
             "switched; give the server room without eviction (maxmemory-policy noeviction) and "
             "run again",
             publication->shop.place.host, publication->shop.place.port,
             (long long)publication->wrong, (long long)publication->asked);
out:
    return status;
}

static void describe_text(Buffer *json, const char *name, const char *text)
{
    buffer_printf(json, "\"%s\":\"%s\",", name, text);
}

/* What vesper_run is in a database, as one JSON text; none of it needs escaping. */
static void describe(const Publication *publication, Buffer *json)
{
    const PublishedRun *run = publication->run;
    const char *between = "";
    buffer_append_string(json, "{");
    describe_text(json, "run", run->run);
    describe_text(json, "as_of", run->as_of);
    buffer_printf(json, "\"generation\":%lld,\"tables\":{", (long long)run->generation);
    for (int i = 0; i < results_count(publication->reader); i++) {
        const ResultTable *table = results_table(publication->reader, i);
        if (!is_published(publication, i))
            continue;
        buffer_printf(json, "%s\"%s\":{\"lists\":%lld,\"rows\":%lld,\"checksum\":\"%016llx\"}",
                      between, table->name, (long long)publication->lists[i],
                      (long long)table->rows, (unsigned long long)table->checksum);
        between = ",";
    }
    buffer_append_string(json, "}}");
}

static Status load_and_switch(Publication *publication, Error *error)
{
    Status status;
    Buffer run = {0};
    TRY(redis_shop_begin(&publication->shop, publication->version, error));
    TRY(fault_point("publish.load", error));
    TRY(walk_tables(publication, send_list, NULL, error));
    TRY(verify(publication, error));
    describe(publication, &run);
    TRY(fault_point("publish.switch", error));
    TRY(redis_shop_switch(&publication->shop, publication->version, buffer_view(&run), error));
out:
    if (status != STATUS_OK)
        redis_shop_abandon(&publication->shop, publication->version);
    buffer_free(&run);
    return status;
}

/* The version is in force, and every list of it is as it should be. */
static Status is_in_force(Publication *publication, bool *in_force, Error *error)
{
    Status status = STATUS_OK;
    *in_force = strcmp(publication->shop.current, publication->version) == 0;
    if (!*in_force)
        goto out;
    TRY(read_back(publication, error));
    *in_force = publication->wrong == 0;
out:
    return status;
}

Status redis_publish(ResultReader *reader, const PublishedRun *run, const char *place,
                     const PublishOptions *options, PublishSummary *summary, Error *error)
{
    Publication *publication = mem_new(1, sizeof *publication);
    bool in_force;
    Status status;
    (void)options;
    publication->reader = reader;
    publication->run = run;
    TRY(name_version(publication, error));
    TRY(redis_shop_open(&publication->shop, place, error));
    TRY(fault_point("publish.open", error));
    TRY(is_in_force(publication, &in_force, error));
    if (!in_force)
        TRY(load_and_switch(publication, error));
    TRY(fault_point("publish.done", error));
    TRY(redis_shop_sweep(&publication->shop, false, error));
    summary->changed = !in_force;
    for (int i = 0; i < results_count(reader); i++) {
        summary->tables += is_published(publication, i);
        summary->rows += is_published(publication, i) ? results_table(reader, i)->rows : 0;
    }
out:
    redis_shop_close(&publication->shop);
    buffer_free(&publication->key);
    mem_free(&publication);
    return status;
}
