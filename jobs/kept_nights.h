/* KeptNight: a night whose results the store keeps, found by what people call it. */
#ifndef VESPER_JOBS_KEPT_NIGHTS_H
#define VESPER_JOBS_KEPT_NIGHTS_H

#include "job.h"

typedef struct KeptNight {
    int64_t generation;
    int32_t as_of;                          /* DAY_NONE: of all data of the generation */
    int32_t day;                            /* last day of its data; DAY_NONE: there was none */
    char runs[PART_COUNT][STORE_NAME_SIZE]; /* "": it has none of that kind */
} KeptNight;

/* The night that is wanted: `last`, the one of the latest day (of the newest generation that has
 * it); `previous`, the one before that; a day; or the name of one of its runs, or under which it
 * was published. Where it has several runs of a kind, that which a name says, or else which the
 * options in force make. STATUS_USAGE if there is none, or if that does not decide. One rank.
 * Local. */
Status kept_night_find(const Run *run, const char *wanted, KeptNight *night,
                       Error *error) VESPER_MUST_USE;

/* Its runs, read as one. One rank. Local. */
Status kept_night_open(const Run *run, const KeptNight *night, ResultReader **reader,
                       Error *error) VESPER_MUST_USE;

#endif
