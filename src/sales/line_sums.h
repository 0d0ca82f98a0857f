/* LineSums: what each order line adds to the sums of its group. Local. */
#ifndef VESPER_SALES_LINE_SUMS_H
#define VESPER_SALES_LINE_SUMS_H

#include "sales/aggregate.h"

/* The sums that an aggregate holds: those that are added first, in the order of GroupSum. */
typedef struct SumSet {
    int n_added;
    GroupSum added[SUM_COUNT];
    bool orders, customers; /* among `added`; a line adds to them if it is the first of its order */
    bool has_days;          /* SUM_FIRST_DAY and SUM_LAST_DAY */
    bool order_values;
} SumSet;

SumSet sum_set_of(const AggregateSpec *spec);
int sum_set_word(const SumSet *set, GroupSum sum); /* its place in `added`; -1: not there */
uint32_t sum_set_needs(const SumSet *set);         /* LINES_... */

/* STATUS_INPUT if costs, values and discounts of the partition are so large that margins of all
 * partitions might leave int64. Local. */
Status line_margins_check(const OrderLines *lines, const Shop *shop, Error *error) VESPER_MUST_USE;

/* added [n] := what lines at[i] (NULL: begin + i) add to a sum that is none of orders, customers
 * and days. */
void line_sum_compute(GroupSum sum, const OrderLines *lines, const Shop *shop, int64_t begin,
                      const int32_t *at, int64_t n, int64_t *added);

#endif
