/* The built-in sales tables; see tables.h. */
#include "sales/tables.h"

#include <stdio.h>

static const char *const names[SALES_TABLES] = {
    [SALES_DAILY] = "sales_daily",
    [SALES_MONTHLY] = "sales_monthly",
    [SALES_MONTHLY_COUNTRY] = "sales_monthly_country",
    [SALES_PRODUCT_TOTAL] = "product_total",
    [SALES_ORDER_VALUE_MONTHLY] = "order_value_monthly",
    [SALES_COMPARE] = "sales_compare",
    [SALES_MOVERS] = "sales_movers",
    [SALES_CUSTOMER_SUMMARY] = "customer_summary",
    [SALES_CUSTOMER_MODEL] = "customer_model",
    [SALES_COHORT_MONTH] = "cohort_month",
    [SALES_ABC_XYZ] = "abc_xyz",
    [SALES_BASKET_PAIRS] = "basket_pairs",
    [SALES_FUNNEL_DAILY] = "funnel_daily",
    [SALES_CART_ABANDONED] = "cart_abandoned",
    [SALES_PRODUCT_RATING] = "product_rating",
    [SALES_STOCK_RISK] = "stock_risk",
};

const char *sales_table_name(SalesTable table)
{
    return names[table];
}

SalesTable sales_table_by_name(Bytes name)
{
    int table = 0;
    while (table < SALES_TABLES && !bytes_equal(name, bytes_of(names[table])))
        table++;
    return (SalesTable)table;
}

static void add_measures(AggregateSpec *spec, const Measure *measures, size_t n)
{
    for (size_t i = 0; i < n; i++)
        spec->measures[spec->n_measures++] = measures[i];
}

static void add_dimension(AggregateSpec *spec, DimensionKind kind)
{
    spec->by[spec->n_by++] = (Dimension){.kind = kind};
}

#define ADD_MEASURES(spec, ...)                                                                    \
    add_measures(spec, (const Measure[]){__VA_ARGS__},                                             \
                 sizeof(const Measure[]){__VA_ARGS__} / sizeof(Measure))
#define WHAT_SOLD                                                                                  \
    MEASURE_GROSS, MEASURE_RETURNED, MEASURE_NET, MEASURE_DISCOUNT, MEASURE_UNITS,                 \
        MEASURE_UNITS_RETURNED, MEASURE_ORDERS, MEASURE_CUSTOMERS

AggregateSpec sales_table_spec(SalesTable table)
{
    AggregateSpec spec = {.n_by = 0};
    switch (table) {
    case SALES_DAILY:
    case SALES_MONTHLY:
        add_dimension(&spec, table == SALES_DAILY ? DIMENSION_DAY : DIMENSION_MONTH);
        ADD_MEASURES(&spec, WHAT_SOLD, MEASURE_LINES, MEASURE_AVERAGE_ORDER_VALUE);
        break;
    case SALES_MONTHLY_COUNTRY:
        add_dimension(&spec, DIMENSION_MONTH);
        add_dimension(&spec, DIMENSION_COUNTRY);
        ADD_MEASURES(&spec, WHAT_SOLD);
        break;
    case SALES_PRODUCT_TOTAL:
        add_dimension(&spec, DIMENSION_PRODUCT);
        ADD_MEASURES(&spec, WHAT_SOLD, MEASURE_FIRST_DAY, MEASURE_LAST_DAY);
        break;
    case SALES_ORDER_VALUE_MONTHLY:
        add_dimension(&spec, DIMENSION_ORDER_MONTH);
        ADD_MEASURES(&spec, MEASURE_ORDERS, MEASURE_MEDIAN_ORDER_VALUE, MEASURE_P95_ORDER_VALUE);
        break;
    default:
        return spec;
    }
    (void)snprintf(spec.name, sizeof spec.name, "%s", names[table]);
    return spec;
}
