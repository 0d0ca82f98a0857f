/* Prices, promotions, category and brand of series; see series_known.h. */
#include "forecast/series_known.h"

#include "base/fault.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double DEPTH_UNIT = 1e4;

void series_promotions_free(Promotions *promotions)
{
    mem_free(&promotions->starts);
    mem_free(&promotions->list);
    *promotions = (Promotions){0};
}

/* ---- promotions ---- */

static Status check_products(const Shop *shop, const Table *rows, Error *error)
{
    const int32_t *product = table_column_const(rows, "product")->data;
    for (int64_t i = 0; i < rows->rows; i++) {
        if (product[i] < 0 || product[i] >= shop->product.count)
            return error_set(error, STATUS_IO, __FILE__, __LINE__,
                             "store is damaged: its promotions hold product code %" PRId32
                             ", which its dictionary does not have; run vesper verify",
                             product[i]);
    }
    return STATUS_OK;
}

/* Rows come as they were taken in; the sort is stable. */
static Status list_promotions(const Shop *shop, Table *rows, Promotions *promotions, Error *error)
{
    static const SortKey keys[] = {{"product", false}, {"first_day", false}};
    Status status = STATUS_OK;
    int64_t n = 0;
    int32_t products = shop->product.count;
    TRY(fault_point("forecast.promotions", error));
    TRY(check_products(shop, rows, error));
    int32_t *product = table_column(rows, "product")->data;
    for (int64_t i = 0; i < rows->rows; i++)
        product[i] = shop->product.place[product[i]];
    TRY(table_sort(rows, keys, 2, error));
    TRY(mem_resize(&promotions->list, rows->rows, sizeof *promotions->list, "promotions", error));
    TRY(mem_resize(&promotions->starts, (int64_t)products + 1, sizeof *promotions->starts,
                   "promotions", error));
    memset(promotions->starts, 0, ((size_t)products + 1) * sizeof *promotions->starts);
    product = table_column(rows, "product")->data;
    const int32_t *first = table_column_const(rows, "first_day")->data;
    const int32_t *last = table_column_const(rows, "last_day")->data;
    const int32_t *depth = table_column_const(rows, "depth")->data;
    for (int64_t i = 0; i < rows->rows; i++) {
        if (i + 1 < rows->rows && product[i + 1] == product[i] && first[i + 1] == first[i])
            continue;
        promotions->list[n++] = (Promotion){product[i], first[i], last[i], depth[i]};
        promotions->starts[product[i] + 1] = n;
    }
    for (int32_t p = 0; p < products; p++) {
        if (promotions->starts[p + 1] == 0)
            promotions->starts[p + 1] = promotions->starts[p];
    }
out:
    return status;
}

Status series_promotions_read(Comm *comm, Store *store, const Shop *shop, Promotions *promotions,
                              Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    *promotions = (Promotions){.is_known = store_has_column(store, "promotions", "depth")};
    if (!promotions->is_known)
        return STATUS_OK;
    TRY(store_read_global(comm, store, "promotions", &rows, error));
    TRY_ALL(comm, list_promotions(shop, &rows, promotions, error), error);
out:
    table_free(&rows);
    return status;
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* depths [last - first + 1] := the greatest of each day. */
static void depths_of_days(const Promotions *promotions, int32_t product, int32_t first,
                           int32_t last, int32_t *depths)
{
    memset(depths, 0, ((size_t)(last - first) + 1) * sizeof *depths);
    for (int64_t k = promotions->starts[product]; k < promotions->starts[product + 1]; k++) {
        const Promotion *promotion = &promotions->list[k];
        int32_t end = least(promotion->last_day, last);
        for (int32_t day = most(promotion->first_day, first); day <= end; day++)
            depths[day - first] = most(depths[day - first], promotion->depth);
    }
}

Status series_promotion_days(const Calendar *calendar, PromotionDays *days, Error *error)
{
    Status status;
    int32_t n = calendar->n + calendar->ahead;
    TRY(mem_resize(&days->begins, (int64_t)n + 1, sizeof *days->begins, "periods", error));
    for (int32_t t = 0; t <= n; t++)
        days->begins[t] = period_first_day(calendar->frequency, calendar->first + t);
    TRY(mem_resize(&days->depths, days->begins[n] - days->begins[0] + 1, sizeof *days->depths,
                   "days", error));
out:
    return status;
}

void series_promotion_days_free(PromotionDays *days)
{
    mem_free(&days->begins);
    mem_free(&days->depths);
}

void series_promotion_shares(const Promotions *promotions, int32_t product,
                             const Calendar *calendar, int32_t start, int32_t n,
                             PromotionDays *days, double *shares)
{
    const int32_t *begin = days->begins + (start - calendar->first);
    if (n == 0)
        return;
    depths_of_days(promotions, product, begin[0], begin[n] - 1, days->depths);
    for (int32_t t = 0; t < n; t++) {
        int64_t sum = 0;
        for (int32_t day = begin[t]; day < begin[t + 1]; day++)
            sum += days->depths[day - begin[0]];
        shares[t] = (double)sum / (DEPTH_UNIT * (begin[t + 1] - begin[t]));
    }
}

/* ---- prices ---- */

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void series_finish_prices(double *prices, int32_t length, int32_t ahead, double *room)
{
    int32_t n = 0;
    double last = NAN, median = NAN;
    for (int32_t t = 0; t < length; t++) {
        if (!isnan(prices[t]))
            room[n++] = prices[t];
    }
    qsort(room, (size_t)n, sizeof *room, compare_numbers);
    if (n > 0)
        median = (room[(n - 1) / 2] + room[n / 2]) / 2;
    for (int32_t t = 0; t < length + ahead; t++) {
        if (t < length && !isnan(prices[t]))
            last = prices[t] / median;
        prices[t] = last;
    }
}

/* ---- what a product is ---- */

Status series_add_catalogue(const Shop *shop, SeriesSet *set, Error *error)
{
    Status status = STATUS_OK;
    int32_t *category, *brand;
    const int32_t *product = table_column_const(&set->keys, "product")->data;
    TRY(series_add_static(set, "category", shop->levels[1].names.count, &category, error));
    TRY(series_add_static(set, "brand", shop->brand.count, &brand, error));
    for (int64_t i = 0; i < set->n; i++) {
        int32_t whole = shop->catalogue.category[product[i]];
        category[i] = whole < 0 ? -1 : shop->levels[1].of_category[whole];
        brand[i] = shop->catalogue.brand[product[i]];
    }
out:
    return status;
}
