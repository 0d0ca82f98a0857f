/* abc_xyz: which products earn most of the net, and which sell evenly. Classes need all products by
 * falling net: they are sorted over the ranks once for each of the two years, then by id. */
#include "sales/product_periods_internal.h"

#include "base/memory.h"

#include <math.h>

/* A product with net above 0 in either year. Classes are letters, 0 for none. */
static const ColumnSpec product_columns[] = {
    {"product", COLUMN_I32, UNIT_CODE},   {"net", COLUMN_I64, UNIT_MONEY_MINOR},
    {"units", COLUMN_I64, UNIT_COUNT},    {"units_cv", COLUMN_F64, UNIT_NONE},
    {"net_share", COLUMN_F64, UNIT_NONE}, {"net_cumulative_share", COLUMN_F64, UNIT_NONE},
    {"abc", COLUMN_I8, UNIT_NONE},        {"net_before", COLUMN_I64, UNIT_MONEY_MINOR},
    {"abc_before", COLUMN_I8, UNIT_NONE}, {"xyz_before", COLUMN_I8, UNIT_NONE},
};
enum {
    P_PRODUCT,
    P_NET,
    P_UNITS,
    P_CV,
    P_SHARE,
    P_CUMULATIVE,
    P_ABC,
    P_NET_BEFORE,
    P_ABC_BEFORE,
    P_XYZ_BEFORE
};

static const ColumnSpec row_columns[] = {
    {"product_id", COLUMN_TEXT, UNIT_NONE},
    {"net", COLUMN_I64, UNIT_MONEY_MINOR},
    {"units", COLUMN_I64, UNIT_COUNT},
    {"net_share", COLUMN_F64, UNIT_NONE},
    {"net_cumulative_share", COLUMN_F64, UNIT_NONE},
    {"abc", COLUMN_TEXT, UNIT_NONE},
    {"mean_units", COLUMN_F64, UNIT_NONE},
    {"units_cv", COLUMN_F64, UNIT_NONE},
    {"xyz", COLUMN_TEXT, UNIT_NONE},
    {"abc_before", COLUMN_TEXT, UNIT_NONE},
    {"xyz_before", COLUMN_TEXT, UNIT_NONE},
};

/* Population standard deviation / mean of the net units in the 13 blocks from `first`; NaN without
 * a mean above 0.
 *
 * With S the sum and d = 13 u - S it is sqrt(sum(d^2) / 13) / S: of whole numbers, which are exact
 * below 2^53, so that a product on a bound is in the class below it. */
static double units_cv(const ProductSales *sales, int first)
{
    int begin = block_class(first), end = block_class(first + YEAR_BLOCKS);
    int64_t sum = net_units(sales, begin, end);
    double squares = 0;
    if (sum <= 0)
        return (double)NAN;
    for (int block = first; block < first + YEAR_BLOCKS; block++) {
        int64_t units = net_units(sales, block_class(block), block_class(block + 1));
        double difference = YEAR_BLOCKS * (double)units - (double)sum;
        squares += difference * difference;
    }
    return sqrt(squares / YEAR_BLOCKS) / (double)sum;
}

static int8_t xyz_class(double cv)
{
    return cv <= 0.5 ? 'X' : cv <= 1 ? 'Y' : 'Z'; /* NaN: Z */
}

/* A begins below 80 % of the total, B below 95 %. before < total * 4 / 5 in whole numbers is
 * before < total - floor(total / 5), and nothing overflows. */
static int8_t abc_class(int64_t before, int64_t total)
{
    return before < total - total / 5 ? 'A' : before < total - total / 20 ? 'B' : 'C';
}

static Status take_products(const ProductPeriods *periods, Table *products, Error *error)
{
    Status status = STATUS_OK;
    ProductSales sales;
    int64_t at = 0;
    int middle = block_class(YEAR_BLOCKS);
    table_init(products, product_columns, sizeof product_columns / sizeof *product_columns);
    while (product_sales_next(periods, &at, &sales)) {
        int64_t net = sum_classes(sales.net, 0, middle);
        int64_t before = sum_classes(sales.net, middle, CLASSES);
        if (net <= 0 && before <= 0)
            continue;
        TRY(table_add_row(products, error));
        int64_t row = products->rows - 1;
        Column *columns = products->columns;
        ((int32_t *)columns[P_PRODUCT].data)[row] = sales.product;
        ((int64_t *)columns[P_NET].data)[row] = net;
        ((int64_t *)columns[P_UNITS].data)[row] = net_units(&sales, 0, middle);
        ((double *)columns[P_CV].data)[row] = net > 0 ? units_cv(&sales, 0) : (double)NAN;
        ((int64_t *)columns[P_NET_BEFORE].data)[row] = before;
        ((int8_t *)columns[P_XYZ_BEFORE].data)[row] =
            before > 0 ? xyz_class(units_cv(&sales, YEAR_BLOCKS)) : 0;
    }
out:
    return status;
}

/* Sort the products by a year's net, the most first, and find `before` [rows]: the net of those
 * ahead of each. *total: of all. Only products with net above 0 count. Collective. */
static Status rank_products(Comm *comm, Table *products, int net_column, int64_t **before,
                            int64_t *total, Error *error)
{
    Status status = STATUS_OK;
    const SortKey keys[] = {{product_columns[net_column].name, true}, {"product", false}};
    *total = 0;
    TRY(comm_sort_table(comm, products, keys, 2, error));
    TRY_ALL(comm, mem_resize(before, products->rows, sizeof **before, "cumulative net", error),
            error);
    const int64_t *net = products->columns[net_column].data;
    for (int64_t i = 0; i < products->rows && net[i] > 0; i++)
        *total += net[i];
    int64_t sum = comm_prefix_i64(comm, *total);
    comm_sum_i64(comm, total, 1);
    for (int64_t i = 0; i < products->rows && net[i] > 0; i++) {
        (*before)[i] = sum;
        sum += net[i];
    }
out:
    return status;
}

/* Classes of the year before. Collective. */
static Status classify_before(Comm *comm, Table *products, Error *error)
{
    Status status = STATUS_OK;
    int64_t *before = NULL, total;
    TRY(rank_products(comm, products, P_NET_BEFORE, &before, &total, error));
    const int64_t *net = products->columns[P_NET_BEFORE].data;
    int8_t *abc = products->columns[P_ABC_BEFORE].data;
    for (int64_t i = 0; i < products->rows; i++)
        abc[i] = net[i] > 0 ? abc_class(before[i], total) : 0;
out:
    mem_free(&before);
    return status;
}

/* Shares and classes of the latest year. Collective. */
static Status classify(Comm *comm, Table *products, Error *error)
{
    Status status = STATUS_OK;
    int64_t *before = NULL, total;
    TRY(rank_products(comm, products, P_NET, &before, &total, error));
    const int64_t *net = products->columns[P_NET].data;
    double *share = products->columns[P_SHARE].data;
    double *cumulative = products->columns[P_CUMULATIVE].data;
    int8_t *abc = products->columns[P_ABC].data;
    for (int64_t i = 0; i < products->rows; i++) {
        bool has_class = net[i] > 0;
        share[i] = has_class ? (double)net[i] / (double)total : (double)NAN;
        cumulative[i] = has_class ? (double)(before[i] + net[i]) / (double)total : (double)NAN;
        abc[i] = has_class ? abc_class(before[i], total) : 0;
    }
out:
    mem_free(&before);
    return status;
}

static Bytes class_text(const int8_t *letter)
{
    return (Bytes){.data = (const char *)letter, .size = *letter != 0};
}

static Status product_rows(const Shop *shop, const Table *products, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    const Column *from = products->columns;
    const int64_t *net = from[P_NET].data, *units = from[P_UNITS].data;
    const double *cv = from[P_CV].data;
    const int8_t *abc = from[P_ABC].data, *abc_before = from[P_ABC_BEFORE].data;
    const int8_t *xyz_before = from[P_XYZ_BEFORE].data;
    TRY(table_reserve(rows, products->rows, error));
    for (int64_t i = 0; i < products->rows; i++) {
        TRY(table_add_row(rows, error));
        Column *to = rows->columns;
        bool has_class = net[i] > 0;
        int8_t xyz = has_class ? xyz_class(cv[i]) : 0;
        Bytes id = product_id(shop, ((const int32_t *)from[P_PRODUCT].data)[i]);
        TRY(table_set_last_text(rows, &to[0], id, error));
        ((int64_t *)to[1].data)[i] = net[i];
        ((int64_t *)to[2].data)[i] = units[i];
        ((double *)to[3].data)[i] = ((const double *)from[P_SHARE].data)[i];
        ((double *)to[4].data)[i] = ((const double *)from[P_CUMULATIVE].data)[i];
        TRY(table_set_last_text(rows, &to[5], class_text(&abc[i]), error));
        ((double *)to[6].data)[i] = has_class ? (double)units[i] / YEAR_BLOCKS : (double)NAN;
        ((double *)to[7].data)[i] = cv[i];
        TRY(table_set_last_text(rows, &to[8], class_text(&xyz), error));
        TRY(table_set_last_text(rows, &to[9], class_text(&abc_before[i]), error));
        TRY(table_set_last_text(rows, &to[10], class_text(&xyz_before[i]), error));
    }
out:
    return status;
}

Status abc_xyz_rows(Comm *comm, const Shop *shop, const ProductPeriods *periods, Table *rows,
                    Error *error)
{
    static const SortKey by_product = {"product", false};
    Status status = STATUS_OK;
    Table products = {0};
    table_init(rows, row_columns, sizeof row_columns / sizeof *row_columns);
    TRY_ALL(comm, take_products(periods, &products, error), error);
    TRY(classify_before(comm, &products, error));
    TRY(classify(comm, &products, error));
    TRY(comm_sort_table(comm, &products, &by_product, 1, error));
    TRY_ALL(comm, product_rows(shop, &products, rows, error), error);
out:
    table_free(&products);
    return status;
}
