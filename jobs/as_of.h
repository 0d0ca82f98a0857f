/* --as-of DATE: the night as it would have been had DATE been the last day of the data. */
#ifndef VESPER_JOBS_AS_OF_H
#define VESPER_JOBS_AS_OF_H

#include "job.h"

/* run->as_of := the day asked for. STATUS_USAGE if it is none, or if the data are not those of a
 * store (`has_store`). Collective. */
Status as_of_read(Run *run, bool has_store, Error *error) VESPER_MUST_USE;

/* A stage, if there is such a day: from here on the store is seen up to it (store_see_until).
 * Collective. */
Status as_of_look_back(Run *run, Error *error) VESPER_MUST_USE;

#endif
