/* Order and limit of a table of groups, while it has numbers alone. */
#ifndef VESPER_SALES_GROUP_ORDER_H
#define VESPER_SALES_GROUP_ORDER_H

#include "sales/group_measures.h"

/* Sort and cut `numbers` (group_measures; sorted by key over the ranks) as the spec says.
 *
 * Rows stand by the spec's `order`, ties by all dimensions. Where the limit is one of each group of
 * `per`, these groups follow each other by the dimensions named there, each inside by `order`.
 * Unknown names come first among names, MONEY_NONE and DAY_NONE first among numbers (last where the
 * order is descending), NaN always last. The rows that stay are the first ones in that order. Each
 * rank gets the next run of them. Afterwards there may be more columns behind the measures.
 * Collective. */
Status group_order(Comm *comm, const AggregateSpec *spec, const KeyLayout *layout, Table *numbers,
                   Error *error) VESPER_MUST_USE;

#endif
