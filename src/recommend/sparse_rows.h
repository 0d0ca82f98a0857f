/* Rows of one partition from lists of items in any order. Local. */
#ifndef VESPER_RECOMMEND_SPARSE_ROWS_H
#define VESPER_RECOMMEND_SPARSE_ROWS_H

#include "recommend/sparse_side.h"

/* Row r has items [starts[r], starts[r + 1]), which are sorted in place; repetitions are dropped,
 * values are 1. starts [n_rows + 1]. */
Status sparse_rows_fill(SparseRows *rows, int32_t n_rows, const int64_t *starts, int32_t *items,
                        Error *error) VESPER_MUST_USE;

#endif
