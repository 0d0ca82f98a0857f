/* Watch: what a run leaves for those who watch over it, however it ends: the log's form, metrics
 * and lineage. */
#ifndef VESPER_JOBS_WATCH_H
#define VESPER_JOBS_WATCH_H

#include "job.h"

/* Once the options are known: set the log's level and form, and say that the run began. Fails now
 * where the files could not be written at the end. Collective. */
Status watch_begin(Run *run, Error *error) VESPER_MUST_USE;

/* The run ended with `ended`, `failure` if that is not STATUS_OK: write --metrics and --lineage. A
 * failure stays what it was; files of a run that did well must be written. Returns how the run
 * ended then. Collective. */
Status watch_end(Run *run, Status ended, Error *failure) VESPER_MUST_USE;

#endif
