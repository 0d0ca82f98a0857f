/* Measures of groups: the numbers of a table of groups, before it has names. */
#ifndef VESPER_SALES_GROUP_MEASURES_H
#define VESPER_SALES_GROUP_MEASURES_H

#include "sales/aggregate.h"

/* Columns of the table of numbers that are no measures; none of a spec's is called so. */
#define GROUP_KEY "group key"

/* A column GROUP_KEY (I64), then the spec's measures; rows as the groups, which are emptied. A spec
 * without dimensions has one row, even of no lines: then on rank 0. Collective. */
Status group_measures(Comm *comm, const AggregateSpec *spec, Groups *groups, Table *numbers,
                      Error *error) VESPER_MUST_USE;

#endif
