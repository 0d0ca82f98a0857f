/* A season too long for a model to learn by itself, such as the year of weekly values: the series
 * without it, and what puts it back. Local.
 *
 * The season is STL's (mstl.h), as an average over years drawn towards none by as much as chance
 * would have made of it: Miller, Williams 2003, "Shrinkage estimators of time series seasonal
 * factors and their effect on forecasting accuracy", International Journal of Forecasting 19(4),
 * after James, Stein 1961. docs/methods/mstl.md */
#ifndef VESPER_KERNEL_LONG_SEASON_H
#define VESPER_KERNEL_LONG_SEASON_H

#include "kernel/fit.h"

/* More than so many seasons of values, or nothing is taken off. */
enum { LONG_SEASONS_LEAST = 2 };

typedef struct LongSeason {
    SeriesView series;   /* in `work`; without a season the values themselves */
    int period;          /* 0: no season was found */
    double share;        /* of STL's season that is believed, in (0, 1] */
    const double *ahead; /* [period] in `work`: what is added to the next periods */
} LongSeason;

/* period: 0, for none, or at least 2. */
LongSeason long_season_take(SeriesView series, int period, double *work);
int64_t long_season_work(int n, int period);
/* Put the season back on forecasts mean [horizon]. */
void long_season_restore(const LongSeason *season, int horizon, double *mean);

#endif
