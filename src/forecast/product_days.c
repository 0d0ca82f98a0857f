/* See product_days.h. */
#include "forecast/product_days.h"

#include "base/fault.h"
#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

void product_days_free(ProductDays *days)
{
    mem_free(&days->starts);
    mem_free(&days->list);
    *days = (ProductDays){0};
}

static Status check_products(const Shop *shop, const char *table, const Table *rows, Error *error)
{
    const int32_t *product = table_column_const(rows, "product")->data;
    for (int64_t i = 0; i < rows->rows; i++) {
        if (product[i] < 0 || product[i] >= shop->product.count)
            return error_set(error, STATUS_IO, __FILE__, __LINE__,
                             "store is damaged: its %s hold product code %" PRId32
                             ", which its dictionary does not have; run vesper verify",
                             table, product[i]);
    }
    return STATUS_OK;
}

/* Rows come as they were taken in; the sort is stable. */
static Status list_ranges(const Shop *shop, const char *table, Table *rows, ProductDays *days,
                          Error *error)
{
    static const SortKey keys[] = {{"product", false}, {"first_day", false}};
    Status status = STATUS_OK;
    int64_t n = 0;
    int32_t products = shop->product.count;
    TRY(fault_point("forecast.product_days", error));
    TRY(check_products(shop, table, rows, error));
    int32_t *product = table_column(rows, "product")->data;
    for (int64_t i = 0; i < rows->rows; i++)
        product[i] = shop->product.place[product[i]];
    TRY(table_sort(rows, keys, 2, error));
    TRY(mem_resize(&days->list, rows->rows, sizeof *days->list, table, error));
    TRY(mem_resize(&days->starts, (int64_t)products + 1, sizeof *days->starts, table, error));
    memset(days->starts, 0, ((size_t)products + 1) * sizeof *days->starts);
    product = table_column(rows, "product")->data;
    const int32_t *first = table_column_const(rows, "first_day")->data;
    const int32_t *last = table_column_const(rows, "last_day")->data;
    const Column *depth = table_find_const(rows, "depth");
    for (int64_t i = 0; i < rows->rows; i++) {
        if (i + 1 < rows->rows && product[i + 1] == product[i] && first[i + 1] == first[i])
            continue;
        days->list[n++] = (DayRange){.first = first[i],
                                     .last = last[i] == DAY_NONE ? INT32_MAX : last[i],
                                     .depth = depth ? ((const int32_t *)depth->data)[i] : 1};
        days->starts[product[i] + 1] = n;
    }
    for (int32_t p = 0; p < products; p++) {
        if (days->starts[p + 1] == 0)
            days->starts[p + 1] = days->starts[p];
    }
out:
    return status;
}

Status product_days_read(Comm *comm, Store *store, const Shop *shop, const char *table,
                         ProductDays *days, Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    *days = (ProductDays){.is_known = store_has_column(store, table, "last_day")};
    if (!days->is_known)
        return STATUS_OK;
    TRY(store_read_global(comm, store, table, &rows, error));
    TRY_ALL(comm, list_ranges(shop, table, &rows, days, error), error);
out:
    table_free(&rows);
    return status;
}

bool product_days_has(const ProductDays *days, int32_t product)
{
    return days->is_known && days->starts[product] < days->starts[product + 1];
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

void product_days_depths(const ProductDays *days, int32_t product, int32_t first, int32_t last,
                         int32_t *depths)
{
    memset(depths, 0, ((size_t)(last - first) + 1) * sizeof *depths);
    for (int64_t k = days->starts[product]; k < days->starts[product + 1]; k++) {
        const DayRange *range = &days->list[k];
        int32_t end = least(range->last, last);
        for (int32_t day = most(range->first, first); day <= end; day++)
            depths[day - first] = most(depths[day - first], range->depth);
    }
}
