/* Dry run: what a night would do, without doing it. */
#ifndef VESPER_JOBS_DRY_RUN_H
#define VESPER_JOBS_DRY_RUN_H

#include "job.h"

/* Print the inputs with their sizes, the store, the generation and run that would come, the target
 * and an estimate of the memory per rank. Takes no lock, writes nothing. Collective. */
Status dry_run(Run *run, Error *error) VESPER_MUST_USE;

#endif
