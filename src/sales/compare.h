/* sales_compare: each day, week, month, quarter and year beside the one before it and the one a
 * year before, made of groups by each of these periods. */
#ifndef VESPER_SALES_COMPARE_H
#define VESPER_SALES_COMPARE_H

#include "sales/aggregate.h"

#include <math.h>

/* What is grouped for sales_compare: one spec a scope, in the order day, week, month, quarter,
 * year; internal, not published. Each scope has its own groups, as the customers of a week are not
 * the sum of its days' customers. */
enum { COMPARE_SCOPES = 5 };
void compare_specs(AggregateSpec specs[COMPARE_SCOPES]);

/* sales_compare (docs/tables.md) on rank 0, by scope and start; rows->rows is 0 on the others.
 * groups [COMPARE_SCOPES] are freed. Collective. */
Status compare_rows(Comm *comm, const Shop *shop, Groups *groups, Table *rows,
                    Error *error) VESPER_MUST_USE;

/* now / before - 1; NaN if there was nothing before, or more came back than was sold: growth from
 * below zero has no meaning as a share. */
static inline double relative_change(int64_t now, int64_t before)
{
    return before <= 0 ? (double)NAN : (double)now / (double)before - 1;
}

#endif
