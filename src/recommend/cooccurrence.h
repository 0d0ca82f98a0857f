/* Cooccurrence: what items have in common, row by row of the item-item matrix X'X.
 *
 * Row i has, for each item j, the sum over users u of x_ui * x_uj, added in the order of the users'
 * numbers in double precision: the same bits at any number of ranks and threads. */
#ifndef VESPER_RECOMMEND_COOCCURRENCE_H
#define VESPER_RECOMMEND_COOCCURRENCE_H

#include "recommend/sparse_side.h"

/* Called once for each row of this rank's items, from any thread `thread` in [0, threads).
 *   item     number of the row
 *   sums     [n_items] the row, dense
 *   touched  [n] the items with a sum that is not 0, ascending
 * Local. */
typedef void CooccurrenceVisit(void *context, int thread, int32_t item, const double *sums,
                               const int32_t *touched, int64_t n);

/* Visit the rows of this rank's items. Of X a rank holds at most about `memory` bytes at a time
 * (users who have its items come in blocks of items; 0: all at once). `values` false: X is taken as
 * 0 and 1. Collective. */
Status cooccurrence_visit(Comm *comm, const SparseSide *users, const SparseSide *items, bool values,
                          int threads, int64_t memory, CooccurrenceVisit *visit, void *context,
                          Error *error) VESPER_MUST_USE;

#endif
