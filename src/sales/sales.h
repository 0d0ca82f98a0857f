/* Sales: what sold, to whom, where, when.
 *
 * One pass over this rank's partitions fills dense accumulators; every figure is an exact integer.
 * A line with quantity > 0 is a sale, with quantity < 0 a return; a positive line of a cancelled
 * order is both at once and counts no order and no customer.
 *   gross = sum of q * price over sales; returned = sum of |q| * price over returns;
 *   net = gross - returned. Orders and customers are those with a sale. */
#ifndef VESPER_SALES_SALES_H
#define VESPER_SALES_SALES_H

#include "store/results.h"

typedef struct SalesOptions {
    int64_t
        pair_min_orders; /* basket_pairs keeps pairs bought together in at least so many orders */
} SalesOptions;

typedef struct SalesSummary {
    int64_t lines, orders, customers;
    int64_t gross_minor, returned_minor;
    int32_t first_day, last_day; /* DAY_NONE in an empty store */
} SalesSummary;

/* Compute and write sales_daily, sales_monthly_country, product_total, customer_summary,
 * cohort_month, basket_pairs and order_value_monthly. Collective. */
Status sales_run(Comm *comm, Store *store, const SalesOptions *options, ResultWriter *writer,
                 SalesSummary *summary, Error *error) VESPER_MUST_USE;

#endif
