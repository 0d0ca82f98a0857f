/* From groups to a table: names instead of codes, measures from sums, order and limit. */
#ifndef VESPER_SALES_AGGREGATE_ROWS_H
#define VESPER_SALES_AGGREGATE_ROWS_H

#include "sales/aggregate.h"

/* Columns of the rows' key, comma between, as results_write wants it: the dimensions; none of a
 * table without any, which has one row. */
void aggregate_key_columns(const AggregateSpec *spec, char key[STORE_NAME_SIZE * 2]);

/* The table: a column for each dimension, then for each measure, in the spec's order; sorted and
 * cut as the spec says, ties by the dimensions; each rank the next run of rows. Without `by` there
 * is one row, even of no lines. Frees the groups. Collective. */
Status aggregate_rows(Comm *comm, const AggregateSpec *spec, const Shop *shop, Groups *groups,
                      Table *rows, Error *error) VESPER_MUST_USE;

#endif
