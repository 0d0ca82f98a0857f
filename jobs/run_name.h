/* RunName: what the name of results says.
 *
 *   GENERATION-[KIND-][YYYYMMDD-]HASH, as 000007-1a2b3c4d or 000007-forecast-20240501-1a2b3c4d
 *
 * The day stands in results that were computed as of it; without one they are of all data. HASH is
 * of the options, so nights of different days that were computed alike share it. */
#ifndef VESPER_JOBS_RUN_NAME_H
#define VESPER_JOBS_RUN_NAME_H

#include "options.h"

enum { RUN_HASH_SIZE = 9 };

typedef struct RunName {
    int64_t generation;
    ResultPart part;
    int32_t as_of; /* DAY_NONE: of all data */
    char hash[RUN_HASH_SIZE];
} RunName;

/* "sales", "recommend" or "forecast". Local. */
const char *run_part_name(ResultPart part);

void run_name_print(const RunName *name, char text[STORE_NAME_SIZE]); /* Local. */

/* False for anything that is no such name. Local. */
bool run_name_parse(const char *text, RunName *name);

#endif
