/* cohort_month: the customers who first bought in a month, and what they did in later ones, made of
 * groups by cohort and month. */
#ifndef VESPER_SALES_COHORTS_H
#define VESPER_SALES_COHORTS_H

#include "sales/aggregate.h"

/* What is grouped for cohort_month. */
void cohort_spec(AggregateSpec *spec);

/* cohort_month (docs/tables.md) on rank 0, by cohort and month; rows->rows is 0 on the others.
 * Frees the groups. Collective. */
Status cohort_rows(Comm *comm, Groups *groups, Table *rows, Error *error) VESPER_MUST_USE;

#endif
