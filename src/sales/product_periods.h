/* Product periods: what each product sold in recent periods, and the tables made of it:
 * sales_movers, abc_xyz, stock_risk.
 *
 * Recent days fall into classes, counted back from the night's day (as_of): the day itself, the day
 * before, the rest of its week, the week before, the rest of 28 days, then blocks of 28 days, 26 in
 * all, 728 days. Periods are 1, 7, 28 and 364 days: whole weeks, so that weekdays compare with
 * their like. */
#ifndef VESPER_SALES_PRODUCT_PERIODS_H
#define VESPER_SALES_PRODUCT_PERIODS_H

#include "sales/aggregate.h"

typedef struct ProductPeriods ProductPeriods;

/* Two specs, internal: product x class of days, and each product over all time. They borrow from
 * *periods, which must outlive them and their groups. Local. */
enum { PRODUCT_SPECS = 2 };
Status product_periods_new(const Shop *shop, ProductPeriods **periods,
                           AggregateSpec specs[PRODUCT_SPECS], Error *error) VESPER_MUST_USE;
void product_periods_free(ProductPeriods **periods);

/* Take the groups of the two specs (freed): each rank then has all classes of its run of products,
 * and runs are by product id. Collective. */
Status product_periods_take(Comm *comm, const Shop *shop, ProductPeriods *periods, Groups *groups,
                            Error *error) VESPER_MUST_USE;

/* The tables (docs/tables.md); each rank the next run of rows. Collective. */

/* sales_movers, with at most `limit` products a scope and direction. */
Status movers_rows(Comm *comm, const Shop *shop, const ProductPeriods *periods, int64_t limit,
                   Table *rows, Error *error) VESPER_MUST_USE;
Status abc_xyz_rows(Comm *comm, const Shop *shop, const ProductPeriods *periods, Table *rows,
                    Error *error) VESPER_MUST_USE;
Status stock_risk_rows(Comm *comm, const Shop *shop, const ProductPeriods *periods, Table *rows,
                       Error *error) VESPER_MUST_USE;

#endif
