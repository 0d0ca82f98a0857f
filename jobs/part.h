/* Part: what a night computes, each kind of results for itself. A part is named by the store's
 * generation, the options that shape it and the day it is as of, computed once, and kept until it
 * is published. */
#ifndef VESPER_JOBS_PART_H
#define VESPER_JOBS_PART_H

#include "job.h"

typedef Status (*PartWork)(Run *run, ResultWriter *writer, Error *error);

/* Let `work` write the results of a part, unless an earlier run had: run->parts[part] then says
 * so. Collective. */
Status part_make(Run *run, ResultPart part, PartWork work, Error *error) VESPER_MUST_USE;

/* The name of a part's results, of a generation as of a day (DAY_NONE: of all data), under the
 * options in force. Local. */
void part_name(const Run *run, ResultPart part, int64_t generation, int32_t as_of,
               char name[STORE_NAME_SIZE]);

/* Add a part to the name that is published: that of the sales, and the hash of each other part.
 * Local. */
void part_join_name(char published[STORE_NAME_SIZE], const char *name);

/* What publishing goes without, and how to come by it; nothing if no part is missing. Local. */
void part_append_missing(const Run *run, Buffer *text);

/* Set which parts the night has, and their names. Collective. */
Status part_choose(Run *run, Error *error) VESPER_MUST_USE;

/* Set their names as of a day (DAY_NONE: of all data); *is_there := they are all computed.
 * Collective. */
Status part_find(Run *run, int32_t as_of, bool *is_there, Error *error) VESPER_MUST_USE;

#endif
