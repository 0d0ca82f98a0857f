/* AccuracyTable: what came of `recommend --evaluate`, on stdout. Printed by rank 0. Local. */
#ifndef VESPER_JOBS_ACCURACY_TABLE_H
#define VESPER_JOBS_ACCURACY_TABLE_H

#include "job.h"

/* What was learned from and measured by, then one aligned table a protocol. */
void accuracy_table_print(const Run *run);

#endif
