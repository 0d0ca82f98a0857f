/* Calendar: on which days the shop sells nothing, past and ahead, and the values of a series
 * without them (docs/methods/series.md). Local, and the same on every rank, where no Comm is
 * taken. */
#ifndef VESPER_FORECAST_CALENDAR_H
#define VESPER_FORECAST_CALENDAR_H

#include "forecast/series.h"
#include "shop/shop.h"

/* Kept sales of the whole shop by day. All zero is empty. */
typedef struct CalendarDays {
    int32_t first;
    int32_t n;
    int64_t *lines;  /* [n] order lines */
    int64_t *orders; /* [n] each order on the first day of its kept sales */
} CalendarDays;

void calendar_days_free(CalendarDays *days);

/* The holidays of a country (its code; -1: of every country), as a table of `day` and `name` with
 * one row a day, in their order. Without the table `holidays` in the store there are none.
 * Collective. */
Status calendar_read_holidays(Comm *comm, Store *store, const Shop *shop, int32_t country,
                              Table *holidays, Error *error) VESPER_MUST_USE;

/* The periods from the first sale to the last period that ends on the last of the days or before,
 * and `ahead` more. Which are closed follows from the days; holidays as above. */
Status calendar_make(Frequency frequency, const CalendarDays *days, const Table *holidays,
                     int32_t ahead, Calendar *calendar, Error *error) VESPER_MUST_USE;

/* Periods that are all open, in seasons of `season` periods. */
Status calendar_make_open(Frequency frequency, int32_t first, int32_t n, int32_t ahead, int season,
                          Calendar *calendar, Error *error) VESPER_MUST_USE;

static inline bool calendar_is_closed(const Calendar *calendar, int32_t period)
{
    int64_t at = (int64_t)period - calendar->first;
    return calendar->is_closed != NULL && at >= 0 && at < (int64_t)calendar->n + calendar->ahead &&
           calendar->is_closed[at];
}

/* The values of the open periods of series i, oldest first, without gaps, for a model whose season
 * is calendar.open_season: y [length] and, unless NULL, where [length], the place of each in the
 * series. A value that is not known becomes the mean of the nearest known ones, before and after
 * it, at the same place of the season (days: the same weekday), or, without any such, the mean of
 * the nearest known ones before and after it. Returns how many; 0 if no value is known. */
int32_t series_open(const SeriesSet *set, int64_t i, double *y, int32_t *where);

/* How many of the `ahead` periods after series i are open, */
int32_t series_open_ahead(const SeriesSet *set, int64_t i);
/* and a forecast of these put back: open [series_open_ahead], all [ahead] out with 0 where closed.
 */
void series_spread(const SeriesSet *set, int64_t i, const double *open, double *all);

#endif
