/* The built-in sales tables: their names, and the group-bys among them. */
#ifndef VESPER_SALES_TABLES_H
#define VESPER_SALES_TABLES_H

#include "sales/aggregate_spec.h"

typedef enum SalesTable {
    SALES_DAILY,
    SALES_MONTHLY,
    SALES_MONTHLY_COUNTRY,
    SALES_PRODUCT_TOTAL,
    SALES_ORDER_VALUE_MONTHLY,
    SALES_COMPARE,
    SALES_MOVERS,
    SALES_CUSTOMER_SUMMARY,
    SALES_CUSTOMER_MODEL,
    SALES_COHORT_MONTH,
    SALES_ABC_XYZ,
    SALES_BASKET_PAIRS,
    SALES_FUNNEL_DAILY,
    SALES_CART_ABANDONED,
    SALES_PRODUCT_RATING,
    SALES_STOCK_RISK,
    SALES_TABLES
} SalesTable;

const char *sales_table_name(SalesTable table);
/* SALES_TABLES if there is none of that name. */
SalesTable sales_table_by_name(Bytes name);

/* The group-by that a table is; name empty if it is none. */
AggregateSpec sales_table_spec(SalesTable table);

#endif
