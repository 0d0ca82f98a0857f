/* Metrics: how the last run went, as a text file for Prometheus (docs/run.md). */
#ifndef VESPER_JOBS_METRICS_H
#define VESPER_JOBS_METRICS_H

#include "job.h"

/* STATUS_USAGE or STATUS_IO if --metrics FILE could not be written at the end. On rank 0. Local. */
Status metrics_check(const Run *run, Error *error) VESPER_MUST_USE;

/* Write --metrics FILE of a run that ended with `ended`: under another name first, then renamed, so
 * that a collector sees all of it. `reader`: what it made; NULL: nothing. On rank 0. Local. */
Status metrics_write(const Run *run, const ResultReader *reader, const PeakMemory *peak,
                     Status ended, Error *error) VESPER_MUST_USE;

#endif
