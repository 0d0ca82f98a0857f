/* Order values: median and 95th percentile by month, exact and distributed. */
#ifndef VESPER_SALES_ORDER_VALUE_H
#define VESPER_SALES_ORDER_VALUE_H

#include "sales/slots.h"

/* The orders with a sale; all zero is empty. */
typedef struct OrderValues {
    int64_t *values; /* [n] minor units */
    int32_t *months; /* [n] month slot of the earliest day with a sale */
    int64_t n;
    int64_t capacity;
} OrderValues;

void order_values_free(OrderValues *orders);
/* Room for `more` orders. Local. */
Status order_values_reserve(OrderValues *orders, int64_t more, Error *error) VESPER_MUST_USE;

/* order_value_monthly, on rank 0. No rank sees another's values: for every month and quantile a
 * bisection on the value counts, over all ranks, how many orders are not above it. Empties
 * `orders`. Collective. */
Status order_values_monthly(Comm *comm, OrderValues *orders, const KeyUnion *months, Table *rows,
                            Error *error) VESPER_MUST_USE;

#endif
