/* What a shop's products were asked for, from its store: units of kept sales (shop_is_kept_sale)
 * by product, or by product and country or channel, and period (docs/methods/series.md). */
#ifndef VESPER_FORECAST_SERIES_READ_H
#define VESPER_FORECAST_SERIES_READ_H

#include "forecast/series_place.h"
#include "shop/shop.h"

typedef enum SeriesGrouping {
    SERIES_OF_PRODUCTS,
    SERIES_BY_COUNTRY, /* of the order line; -1: none */
    SERIES_BY_CHANNEL
} SeriesGrouping;

typedef struct SeriesReadOptions {
    Frequency frequency; /* not hourly */
    SeriesGrouping grouping;
    int32_t until;         /* last day that counts; DAY_NONE: the shop's as_of */
    int32_t ahead;         /* periods to be forecast */
    int32_t least_periods; /* series that sold in fewer periods are left out */
    const char *country;   /* whose holidays count; NULL: the one that buys most */
    SeriesCost cost;
    SpoolPlace place; /* of what does not fit in memory */
} SeriesReadOptions;

/* Units, the same on every rank: kept = unfinished + left_out + those in the series. */
typedef struct SeriesReadCounts {
    int64_t kept;         /* units of kept sales up to `until` */
    int64_t unfinished;   /* of them in the period that has not ended by `until`: not in series */
    int64_t left_out;     /* the others of products that sold in too few whole periods, */
    int64_t short_series; /* and of how many series that would be */
    int64_t returned;     /* returned units up to `until`, all in all */
    int64_t out_of_stock; /* values of series that are not known for that */
} SeriesReadCounts;

/* Series of products that sold, sorted by product id, then by name of country or channel; from the
 * period of the first sale to the last whole period; a value is not known where nothing sold and
 * the table `stockouts` has the product out of stock on all open days of the period. Keys `product`
 * and `country` or `channel`; dynamic `price` (the last mean price paid, over the median of the
 * series) and `promotion`; static `category` and `brand`. The calendar is the shop's. STATUS_USAGE
 * for a country that the shop does not know. Collective. */
Status series_read(Comm *comm, Store *store, const Shop *shop, const SeriesReadOptions *options,
                   SeriesSet *set, SeriesReadCounts *counts, Error *error) VESPER_MUST_USE;

#endif
