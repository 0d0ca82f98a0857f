/* What stands in a target's URL: //[USER@]HOST[:PORT][/PATH], and small values. All Local. */
#ifndef VESPER_PUBLISH_TARGET_PLACE_H
#define VESPER_PUBLISH_TARGET_PLACE_H

#include "base/bytes.h"

enum { TARGET_HOST_SIZE = 256, TARGET_USER_SIZE = 64, TARGET_PATH_SIZE = 1024 };

typedef struct TargetServer {
    char user[TARGET_USER_SIZE]; /* "": none is named */
    char host[TARGET_HOST_SIZE]; /* or an address, IPv6 without brackets */
    int port;                    /* 0: none is named */
    Bytes path;                  /* behind the /; points into what was read */
} TargetServer;

/* True if a password stands before the host, which others could see there. */
bool target_place_has_password(const char *place);

/* False for what is no server. */
bool target_place_read_server(Bytes place, TargetServer *server);

/* False for a text that has no room in `to`, which ends with a NUL. */
bool target_place_copy(Bytes from, char *to, size_t size);

/* False for what is no whole number from 0 to `max`. */
bool target_place_read_number(Bytes text, int64_t max, int64_t *number);

#endif
