/* RedisLink: one connection to a Redis server, with errors that people understand. */
#ifndef VESPER_PUBLISH_REDIS_LINK_H
#define VESPER_PUBLISH_REDIS_LINK_H

#include "publish/redis_place.h"

#include <hiredis/hiredis.h>
#include <signal.h>

typedef struct RedisLink {
    redisContext *context; /* NULL: not connected */
    const RedisPlace *place;
    struct sigaction before; /* what SIGPIPE did: a server that goes is an error, not a signal */
} RedisLink;

/* Connect, give the password, choose the database. */
Status redis_link_open(RedisLink *link, const RedisPlace *place, Error *error) VESPER_MUST_USE;
void redis_link_close(RedisLink *link); /* accepts one that was never opened */

/* One command, and its reply: freeReplyObject. An error reply is STATUS_IO. Arguments end with one
 * whose data is NULL. */
Status redis_link_ask(RedisLink *link, const Bytes *arguments, redisReply **reply,
                      Error *error) VESPER_MUST_USE;
/* The same, for a reply that need not be looked at. */
Status redis_link_do(RedisLink *link, const Bytes *arguments, Error *error) VESPER_MUST_USE;

/* ---- many commands in flight ---- */

/* What is done with a reply, in the order of the commands. */
typedef Status (*RedisTake)(void *context, const redisReply *reply, Error *error);

/* At most REDIS_IN_FLIGHT commands wait for replies. After an error the link is good for
 * redis_link_close alone. */
enum { REDIS_IN_FLIGHT = 512 };
typedef struct RedisPipe {
    RedisLink *link;
    RedisTake take; /* NULL: replies are not looked at, but for errors */
    void *context;
    int in_flight;
} RedisPipe;

Status redis_pipe_send(RedisPipe *pipe, const Bytes *arguments, Error *error) VESPER_MUST_USE;
Status redis_pipe_finish(RedisPipe *pipe, Error *error) VESPER_MUST_USE;

#endif
