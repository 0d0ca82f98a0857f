/* stock_risk: how long the stock lasts, and what no longer sells. */
#include "sales/product_periods_internal.h"

#include <math.h>

static const ColumnSpec row_columns[] = {
    {"product_id", COLUMN_TEXT, UNIT_NONE},
    {"stock", COLUMN_I64, UNIT_COUNT},
    {"stock_value", COLUMN_I64, UNIT_MONEY_MINOR},
    {"first_day", COLUMN_I32, UNIT_DAY},
    {"last_day", COLUMN_I32, UNIT_DAY},
    {"days_since_sale", COLUMN_F64, UNIT_NONE},
    {"units_28", COLUMN_I64, UNIT_COUNT},
    {"units_84", COLUMN_I64, UNIT_COUNT},
    {"units_364", COLUMN_I64, UNIT_COUNT},
    {"days_of_cover", COLUMN_F64, UNIT_NONE},
    {"risk", COLUMN_TEXT, UNIT_NONE},
};

enum { DAYS_SELLING = 28, DAYS_SLOW = 84, DAYS_STALE = 364 };

static const char *risk_of(double days_since_sale)
{
    return days_since_sale < DAYS_SELLING ? "selling"
           : days_since_sale < DAYS_SLOW  ? "slow"
           : days_since_sale < DAYS_STALE ? "stale"
                                          : "dead"; /* NaN: never sold */
}

/* Stock times cost; MONEY_NONE if the cost is not known, or money cannot hold the value. */
static int64_t stock_value(int64_t stock, int64_t cost)
{
    int64_t value;
    if (cost == MONEY_NONE || __builtin_mul_overflow(stock, cost, &value))
        return MONEY_NONE;
    return value;
}

/* Add the row of one product; all sums of `sales` are 0 if it has no recent line. */
static Status add_product(const Shop *shop, const ProductDays *days, const ProductSales *sales,
                          Table *rows, Error *error)
{
    Status status = STATUS_OK;
    int32_t code = shop->product.code[days->product];
    int64_t stock = shop->catalogue.stock[code];
    int64_t units_84 = net_units(sales, 0, block_class(DAYS_SLOW / BLOCK_DAYS));
    bool is_sold = days->last_day != DAY_NONE;
    double since = is_sold ? (double)((int64_t)shop->as_of - days->last_day) : (double)NAN;
    TRY(table_add_row(rows, error));
    int64_t at = rows->rows - 1;
    TRY(table_set_last_text(rows, &rows->columns[0], names_text(&shop->product, code), error));
    ((int64_t *)rows->columns[1].data)[at] = stock;
    ((int64_t *)rows->columns[2].data)[at] = stock_value(stock, shop->catalogue.cost[code]);
    ((int32_t *)rows->columns[3].data)[at] = days->first_day;
    ((int32_t *)rows->columns[4].data)[at] = days->last_day;
    ((double *)rows->columns[5].data)[at] = since;
    ((int64_t *)rows->columns[6].data)[at] = net_units(sales, 0, block_class(1));
    ((int64_t *)rows->columns[7].data)[at] = units_84;
    ((int64_t *)rows->columns[8].data)[at] = net_units(sales, 0, block_class(YEAR_BLOCKS));
    ((double *)rows->columns[9].data)[at] =
        units_84 > 0 ? (double)stock * DAYS_SLOW / (double)units_84 : (double)NAN;
    TRY(table_set_last_text(rows, &rows->columns[10], bytes_of(risk_of(since)), error));
out:
    return status;
}

/* All products of this rank's run that are in stock, beside what they sold. */
static Status run_rows(const Shop *shop, const ProductPeriods *periods, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    ProductSales sales = {.product = -1};
    int64_t next_sales = 0, next_days = 0;
    for (int32_t product = periods->first_product; product < periods->end_product; product++) {
        ProductSales none = {.product = product};
        ProductDays days = {.product = product, .first_day = DAY_NONE, .last_day = DAY_NONE};
        while (sales.product < product && product_sales_next(periods, &next_sales, &sales))
            ;
        if (next_days < periods->n_days && periods->days[next_days].product == product)
            days = periods->days[next_days++];
        int32_t code = shop->product.code[product];
        if (!shop->catalogue.is_listed[code] || shop->catalogue.stock[code] <= 0)
            continue;
        TRY(add_product(shop, &days, sales.product == product ? &sales : &none, rows, error));
    }
out:
    return status;
}

Status stock_risk_rows(Comm *comm, const Shop *shop, const ProductPeriods *periods, Table *rows,
                       Error *error)
{
    Status status = STATUS_OK;
    table_init(rows, row_columns, sizeof row_columns / sizeof *row_columns);
    TRY_ALL(comm, run_rows(shop, periods, rows, error), error);
out:
    return status;
}
