/* Summary: what was written, in a few lines for people. */
#ifndef VESPER_DATA_SUMMARY_H
#define VESPER_DATA_SUMMARY_H

#include "orders.h"

/* Print to stdout on rank 0; counts are each rank's own. Collective. */
void summary_print(Comm *comm, const Options *options, const Outputs *outputs, OrderCounts counts,
                   double seconds);

#endif
