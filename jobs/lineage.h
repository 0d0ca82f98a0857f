/* Lineage: what a run made out of what, as OpenLineage events (docs/run.md). */
#ifndef VESPER_JOBS_LINEAGE_H
#define VESPER_JOBS_LINEAGE_H

#include "job.h"

/* Append the event START to --lineage FILE, if there is one. On rank 0. Local. */
Status lineage_begin(Run *run, Error *error) VESPER_MUST_USE;

/* Append COMPLETE or, with `failure`, FAIL. `reader`: what the run made; NULL: nothing. On rank 0.
 * Local. */
Status lineage_end(const Run *run, const ResultReader *reader, const Error *failure,
                   Error *error) VESPER_MUST_USE;

#endif
