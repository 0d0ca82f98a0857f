/* MariadbPlace: which database of which MariaDB server, as a target's URL says it. */
#ifndef VESPER_PUBLISH_MARIADB_PLACE_H
#define VESPER_PUBLISH_MARIADB_PLACE_H

#include "publish/target_place.h"

typedef struct MariadbPlace {
    TargetServer server; /* its path is not kept */
    char database[TARGET_USER_SIZE + 1];
    char socket[TARGET_PATH_SIZE]; /* the paths: "" for none */
    char ssl_ca[TARGET_PATH_SIZE];
    char option_file[TARGET_PATH_SIZE];
} MariadbPlace;

/* `place` is //[USER@]HOST[:PORT]/DATABASE[?socket=FILE&ssl_ca=FILE&option_file=FILE]. STATUS_USAGE
 * for anything else, a password in it above all; the message then shows nothing of `place`. Local.
 */
Status mariadb_place_read(const char *place, MariadbPlace *mariadb, Error *error) VESPER_MUST_USE;

#endif
