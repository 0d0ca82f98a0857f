/* Prices, promotions, days out of stock, category and brand of series; see series_known.h. */
#include "forecast/series_known.h"

#include "base/memory.h"
#include "forecast/calendar.h"

#include <math.h>
#include <stdlib.h>

static const double DEPTH_UNIT = 1e4;

/* ---- promotions and stock-outs ---- */

Status period_days_make(const Calendar *calendar, PeriodDays *days, Error *error)
{
    Status status;
    int32_t n = calendar->n + calendar->ahead;
    days->first = calendar->first;
    TRY(mem_resize(&days->begins, (int64_t)n + 1, sizeof *days->begins, "periods", error));
    for (int32_t t = 0; t <= n; t++)
        days->begins[t] = period_first_day(calendar->frequency, calendar->first + t);
    TRY(mem_resize(&days->depths, days->begins[n] - days->begins[0] + 1, sizeof *days->depths,
                   "days", error));
out:
    return status;
}

void period_days_free(PeriodDays *days)
{
    mem_free(&days->begins);
    mem_free(&days->depths);
}

void series_promotion_shares(const ProductDays *promotions, int32_t product, int32_t start,
                             int32_t n, PeriodDays *days, double *shares)
{
    const int32_t *begin = days->begins + (start - days->first);
    if (n == 0)
        return;
    product_days_depths(promotions, product, begin[0], begin[n] - 1, days->depths);
    for (int32_t t = 0; t < n; t++) {
        int64_t sum = 0;
        for (int32_t day = begin[t]; day < begin[t + 1]; day++)
            sum += days->depths[day - begin[0]];
        shares[t] = (double)sum / (DEPTH_UNIT * (begin[t + 1] - begin[t]));
    }
}

int32_t series_mask_stockouts(const ProductDays *stockouts, int32_t product, const Calendar *daily,
                              int32_t start, int32_t n, PeriodDays *days, double *values)
{
    const int32_t *begin = days->begins + (start - days->first);
    int32_t n_masked = 0;
    if (n == 0 || !product_days_has(stockouts, product))
        return 0;
    product_days_depths(stockouts, product, begin[0], begin[n] - 1, days->depths);
    for (int32_t t = 0; t < n; t++) {
        int32_t n_open = 0, n_out = 0;
        for (int32_t day = begin[t]; day < begin[t + 1]; day++) {
            bool is_open = !calendar_is_closed(daily, day);
            n_open += is_open;
            n_out += is_open && days->depths[day - begin[0]] > 0;
        }
        if (n_open == 0 || n_out < n_open || values[t] > 0)
            continue;
        values[t] = NAN;
        n_masked++;
    }
    return n_masked;
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
