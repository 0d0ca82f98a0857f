/* What is known of a store's series beside what was sold: prices, promotions, days out of
 * stock, category, brand. Inside series_read. */
#ifndef VESPER_FORECAST_SERIES_KNOWN_H
#define VESPER_FORECAST_SERIES_KNOWN_H

#include "forecast/product_days.h"
#include "forecast/series.h"

/* Days of the periods of a calendar, for depths. All zero is empty. */
typedef struct PeriodDays {
    int32_t first;   /* period */
    int32_t *begins; /* [periods + 1] first day of each period */
    int32_t *depths; /* [days] */
} PeriodDays;

Status period_days_make(const Calendar *calendar, PeriodDays *days, Error *error) VESPER_MUST_USE;
void period_days_free(PeriodDays *days);

/* shares [n]: of periods from `start` on the greatest depth of a product's day, as a share; of
 * longer periods the mean over their days. Local. */
void series_promotion_shares(const ProductDays *promotions, int32_t product, int32_t start,
                             int32_t n, PeriodDays *days, double *shares);

/* values [n] of periods from `start` on: 0 becomes NaN where the product was out of stock on all
 * days of the period that were open by the calendar of days, at least one. Returns of how many.
 * Local. */
int32_t series_mask_stockouts(const ProductDays *stockouts, int32_t product, const Calendar *daily,
                              int32_t start, int32_t n, PeriodDays *days, double *values);

/* The mean prices of periods in prices [length], NaN where nothing was paid, become the last one
 * known over the median of the series, for `ahead` periods more too. room [length] is used. Local.
 */
void series_finish_prices(double *prices, int32_t length, int32_t ahead, double *room);

/* Add the statics `category` (top level) and `brand` of the column `product`. Local. */
Status series_add_catalogue(const Shop *shop, SeriesSet *set, Error *error) VESPER_MUST_USE;

#endif
