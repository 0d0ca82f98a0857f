/* What the files of the group-by engine share. */
#ifndef VESPER_SALES_AGGREGATE_INTERNAL_H
#define VESPER_SALES_AGGREGATE_INTERNAL_H

#include "sales/aggregate.h"
#include "sales/group_rows.h"
#include "sales/line_sums.h"

/* An array of cells may take so many bytes; tests set it small. */
extern int64_t aggregate_dense_bytes_max;

/* Groups of one rank as cells by key. */
typedef struct AggregateCells {
    const SumSet *set;
    int64_t space;
    int64_t *cells;                /* [space x n_added] */
    int64_t *first_day, *last_day; /* [space]; NULL if not asked for */
} AggregateCells;

/* Keys and sums of `groups` from those of all ranks. Collective. */
Status aggregate_combine_cells(Comm *comm, const AggregateCells *cells, Groups *groups,
                               Error *error) VESPER_MUST_USE;
Status aggregate_combine_rows(Comm *comm, const SumSet *set, GroupRows *rows, Groups *groups,
                              Error *error) VESPER_MUST_USE;

#endif
