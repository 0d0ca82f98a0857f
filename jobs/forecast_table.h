/* The table of `vesper forecast --evaluate` on stdout. */
#ifndef VESPER_JOBS_FORECAST_TABLE_H
#define VESPER_JOBS_FORECAST_TABLE_H

#include "job.h"

/* Rank 0 prints. Local. */
void forecast_table_print(const Run *run);

#endif
