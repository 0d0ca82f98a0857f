/* Rounding: forecasts of series become whole units, and each node's whole number is the sum of its
 * series'. docs/methods/reconciliation.md.
 *
 * In every period each series, each node of the chain and each cell gets its value rounded down or
 * up: never more than 1 away. A node that cuts across the chain is a sum of cells. Over the periods
 * what rounding owes a series or node is carried on, so that the sum over the horizon stays close
 * as well (kernel/apportion.h). */
#ifndef VESPER_FORECAST_ROUNDING_H
#define VESPER_FORECAST_ROUNDING_H

#include "forecast/hierarchy.h"

/* Series of a cell are rounded in runs of so many, each on one rank: a run adds up to a whole
 * number that is within 1 of its value as well. */
enum { ROUNDING_RUN = 256 };

/* bottom [n x width] of this rank's series, from 0 on; units [n x width] out; node_units [n_nodes x
 * width] out, on every rank. Exact, the same at any number of ranks. STATUS_INPUT if there are more
 * than 2^50 units in all. Collective. */
Status rounding_units(Comm *comm, const Hierarchy *hierarchy, const double *bottom, int64_t width,
                      int64_t *units, int64_t *node_units, Error *error) VESPER_MUST_USE;

#endif
