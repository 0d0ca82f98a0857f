/* RedisLink: the only calls of hiredis. */
#include "publish/redis_link.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

enum { CONNECT_SECONDS = 10, REPLY_SECONDS = 60, ARGUMENTS_MAX = 8 };

/* What a user can do about an error reply, by its first word. */
static const char *advice(const char *reply)
{
    static const char *const known[][2] = {
        {"NOAUTH", "it wants a password: set VESPER_REDIS_PASSWORD, or add ?password_file=FILE"},
        {"WRONGPASS", "mend VESPER_REDIS_PASSWORD or the password file"},
        {"ERR invalid password", "mend VESPER_REDIS_PASSWORD or the password file"},
        {"NOPERM", "give the user the commands that docs/redis.md lists"},
        {"OOM", "give it more memory (maxmemory), or shorter lists (--list-length), and run again"},
        {"MOVED", "it is a node of a cluster, and another one, named there, has this shop's keys: "
                  "publish to that one"},
        {"READONLY", "it is a replica: publish to its primary"},
        {"MISCONF", "its disk is full or not writable: mend that and run again"},
        {"LOADING", "run again when it has loaded its data"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(reply, known[i][0], strlen(known[i][0])) == 0)
            return known[i][1];
    return "see the server's log";
}

static Status fail_reply(const RedisLink *link, const redisReply *reply, Error *error)
{
    return error_set(error, STATUS_IO, __FILE__, __LINE__, "redis://%s:%d says: %.300s; %s",
                     link->place->host, link->place->port, reply->str, advice(reply->str));
}

static Status fail_connection(const RedisLink *link, Error *error)
{
    const redisContext *context = link->context;
    const char *what = context != NULL && context->errstr[0] != '\0' ? context->errstr
                                                                     : "no memory for a connection";
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "redis://%s:%d: %s; see whether the server is up and run again",
                     link->place->host, link->place->port, what);
}

/* The reply that comes next; *reply is NULL after an error. */
static Status receive(RedisLink *link, redisReply **reply, Error *error)
{
    void *received = NULL;
    *reply = NULL;
    if (redisGetReply(link->context, &received) != REDIS_OK || received == NULL)
        return fail_connection(link, error);
    *reply = received;
    if ((*reply)->type != REDIS_REPLY_ERROR)
        return STATUS_OK;
    Status status = fail_reply(link, *reply, error);
    freeReplyObject(*reply);
    *reply = NULL;
    return status;
}

static Status append(RedisLink *link, const Bytes *arguments, Error *error)
{
    const char *texts[ARGUMENTS_MAX];
    size_t sizes[ARGUMENTS_MAX];
    int n = 0;
    for (; arguments[n].data != NULL; n++) {
        vesper_assert(n < ARGUMENTS_MAX);
        texts[n] = arguments[n].data;
        sizes[n] = (size_t)arguments[n].size;
    }
    return redisAppendCommandArgv(link->context, n, texts, sizes) == REDIS_OK
               ? STATUS_OK
               : fail_connection(link, error);
}

Status redis_link_ask(RedisLink *link, const Bytes *arguments, redisReply **reply, Error *error)
{
    Status status;
    *reply = NULL;
    TRY(append(link, arguments, error));
    TRY(receive(link, reply, error));
out:
    return status;
}

Status redis_link_do(RedisLink *link, const Bytes *arguments, Error *error)
{
    redisReply *reply;
    Status status = redis_link_ask(link, arguments, &reply, error);
    freeReplyObject(reply);
    return status;
}

static Status authenticate(RedisLink *link, Error *error)
{
    Buffer password = {0};
    Status status;
    TRY(redis_place_password(link->place, &password, error));
    if (password.size == 0)
        goto out;
    Bytes user = bytes_of(link->place->user), secret = buffer_view(&password);
    if (user.size > 0)
        TRY(redis_link_do(link, (Bytes[]){bytes_of("AUTH"), user, secret, {NULL, 0}}, error));
    else
        TRY(redis_link_do(link, (Bytes[]){bytes_of("AUTH"), secret, {NULL, 0}}, error));
out:
    if (password.size > 0)
        explicit_bzero(password.data, (size_t)password.size);
    buffer_free(&password);
    return status;
}

Status redis_link_open(RedisLink *link, const RedisPlace *place, Error *error)
{
    Status status;
    char db[16];
    struct timeval connect_time = {.tv_sec = CONNECT_SECONDS};
    struct timeval reply_time = {.tv_sec = REPLY_SECONDS};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    link->place = place;
    (void)sigaction(SIGPIPE, &ignore, &link->before);
    link->context = redisConnectWithTimeout(place->host, place->port, connect_time);
    if (link->context == NULL || link->context->err != 0 ||
        redisSetTimeout(link->context, reply_time) != REDIS_OK) {
        status = fail_connection(link, error);
        goto out;
    }
    TRY(authenticate(link, error));
    (void)snprintf(db, sizeof db, "%d", place->db);
    if (place->db != 0)
        TRY(redis_link_do(link, (Bytes[]){bytes_of("SELECT"), bytes_of(db), {NULL, 0}}, error));
out:
    return status;
}

void redis_link_close(RedisLink *link)
{
    if (link->place == NULL)
        return;
    if (link->context != NULL)
        redisFree(link->context);
    (void)sigaction(SIGPIPE, &link->before, NULL);
    *link = (RedisLink){0};
}

static Status take_one(RedisPipe *pipe, Error *error)
{
    redisReply *reply = NULL;
    Status status;
    TRY(receive(pipe->link, &reply, error));
    pipe->in_flight--;
    if (pipe->take != NULL)
        TRY(pipe->take(pipe->context, reply, error));
out:
    freeReplyObject(reply);
    return status;
}

Status redis_pipe_send(RedisPipe *pipe, const Bytes *arguments, Error *error)
{
    Status status = STATUS_OK;
    if (pipe->in_flight == REDIS_IN_FLIGHT)
        TRY(take_one(pipe, error));
    TRY(append(pipe->link, arguments, error));
    pipe->in_flight++;
out:
    return status;
}

Status redis_pipe_finish(RedisPipe *pipe, Error *error)
{
    Status status = STATUS_OK;
    while (pipe->in_flight > 0)
        TRY(take_one(pipe, error));
out:
    return status;
}
