/* Sales: what sold, to whom, where, when; who the customers are and whether they come back.
 *
 * One pass over this rank's partitions fills the accumulators of all tables asked for (pass.h);
 * then the ranks add them up, table by table. Sums are exact integers; what is a real number is
 * computed from them in an order that depends on neither ranks nor threads. gross = sum of quantity
 * * price over lines with quantity > 0; returned = sum of |quantity| * price over returns; net =
 * gross - returned (order_lines.h). */
#ifndef VESPER_SALES_SALES_H
#define VESPER_SALES_SALES_H

#include "sales/pairs.h"
#include "sales/tables.h"
#include "store/results.h"

typedef struct SalesOptions {
    bool tables[SALES_TABLES]; /* built-in tables that are asked for */
    AggregateSpec *aggregates; /* [n_aggregates] group-bys of the ini, owned */
    int n_aggregates;
    int threads; /* of each rank */
    int64_t pair_min_orders;
    double pair_min_confidence; /* in the better direction */
    double pair_min_lift;
    int64_t pair_limit;   /* pairs at most; 0: all */
    int64_t pair_days;    /* only baskets of so many days up to the night's; 0: all */
    int64_t movers_limit; /* products a scope and direction */
    int64_t cart_days;    /* carts older than this are forgotten */
    bool customer_value;  /* fit the models of customer_summary and customer_model */
} SalesOptions;

void sales_options_free(SalesOptions *options);

/* What a person is told at the end; the figures are there if sales_daily was asked for. */
typedef struct SalesSummary {
    bool has_figures;
    int64_t lines, orders, customers;
    int64_t gross_minor, returned_minor;
    int32_t first_day, last_day; /* DAY_NONE in an empty store */
} SalesSummary;

/* Compute and write the tables asked for. Collective. */
Status sales_run(Comm *comm, Store *store, const SalesOptions *options, ResultWriter *writer,
                 SalesSummary *summary, Error *error) VESPER_MUST_USE;

#endif
