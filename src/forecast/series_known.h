/* What is known of a store's series beside what was sold: prices, promotions, category, brand.
 * Inside series_read. */
#ifndef VESPER_FORECAST_SERIES_KNOWN_H
#define VESPER_FORECAST_SERIES_KNOWN_H

#include "forecast/series.h"
#include "shop/shop.h"

/* Promotions of a product; of equal product and first day the latest row. */
typedef struct Promotion {
    int32_t product; /* place */
    int32_t first_day, last_day;
    int32_t depth; /* ten-thousandths */
} Promotion;

/* All zero is empty. */
typedef struct Promotions {
    bool is_known;   /* the store has the table */
    int64_t *starts; /* [products + 1] first of each product, by place */
    Promotion *list; /* by product and first day */
} Promotions;

/* From the store's table `promotions`. Collective. */
Status series_promotions_read(Comm *comm, Store *store, const Shop *shop, Promotions *promotions,
                              Error *error) VESPER_MUST_USE;
void series_promotions_free(Promotions *promotions);

/* Days of the periods of a calendar, for depths. All zero is empty. */
typedef struct PromotionDays {
    int32_t *begins; /* [periods + 1] first day of each period, from calendar.first */
    int32_t *depths; /* [days] */
} PromotionDays;

Status series_promotion_days(const Calendar *calendar, PromotionDays *days,
                             Error *error) VESPER_MUST_USE;
void series_promotion_days_free(PromotionDays *days);
/* shares [n]: of periods from `start` on the greatest depth of a product's day, as a share; of
 * longer periods the mean over their days. Local. */
void series_promotion_shares(const Promotions *promotions, int32_t product,
                             const Calendar *calendar, int32_t start, int32_t n,
                             PromotionDays *days, double *shares);

/* The mean prices of periods in prices [length], NaN where nothing was paid, become the last one
 * known over the median of the series, for `ahead` periods more too. room [length] is used. Local.
 */
void series_finish_prices(double *prices, int32_t length, int32_t ahead, double *room);

/* Add the statics `category` (top level) and `brand` of the column `product`. Local. */
Status series_add_catalogue(const Shop *shop, SeriesSet *set, Error *error) VESPER_MUST_USE;

#endif
