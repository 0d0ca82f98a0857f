/* A small store with the results of some nights, whose every value is known.
 *
 * Night n is run "night-n": `items` with nights_rows(n) rows, `totals` with one, and on odd nights
 * `odd_totals` too. Every table has a column `night`. */
#ifndef VESPER_TESTS_RANK_PUBLISH_NIGHTS_H
#define VESPER_TESTS_RANK_PUBLISH_NIGHTS_H

#include "store/results.h"

enum {
    NIGHTS_PATH_SIZE = 512,
    NIGHTS_LAST = 6,
    NIGHTS_FIRST_DAY = 19000,
    NIGHTS_FIRST_MONTH = 624
};

typedef struct Nights {
    char folder[NIGHTS_PATH_SIZE]; /* fresh; the same on every rank */
    Store *store;                  /* NULL if it could not be made */
} Nights;

/* Collective. */
Status nights_make(Comm *comm, Nights *nights, Error *error) VESPER_MUST_USE;
/* False if something is left of it. Collective. */
bool nights_remove(Comm *comm, Nights *nights);

void nights_run_name(int night, char name[STORE_NAME_SIZE]);
int64_t nights_rows(int night);           /* of `items` */
int64_t nights_net(int night, int64_t i); /* of item i, or MONEY_NONE */
int32_t nights_day(int64_t i);            /* or DAY_NONE */

#endif
