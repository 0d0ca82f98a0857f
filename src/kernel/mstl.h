/* Trend and seasons by local regression: STL and, for several seasons, MSTL. Local.
 *
 * Cleveland, Cleveland, McRae, Terpenning 1990, "STL: a seasonal-trend decomposition procedure
 * based on loess", Journal of Official Statistics 6(1); Bandara, Hyndman, Bergmeir 2021, "MSTL: a
 * seasonal-trend decomposition algorithm for time series with multiple seasonal patterns",
 * arXiv:2107.13462. Windows and rounds are the defaults of R's stl and mstl. docs/methods/mstl.md
 */
#ifndef VESPER_KERNEL_MSTL_H
#define VESPER_KERNEL_MSTL_H

#include "kernel/fit.h"

#include <stdint.h>

enum { MSTL_SEASONS_MAX = 6 };

/* Values y [n] = seasonal + trend + rest.
 *   period         at least 2, 2 period < n
 *   season_window  odd, at least 3: how many seasons a place's values are smoothed over
 *   seasonal, trend  [n] out
 * Two inner rounds, no robust ones. Some 100 operations a value. */
void stl_decompose(const double *y, int n, int period, int season_window, double *seasonal,
                   double *trend, double *work);
int64_t stl_work(int n, int period);

/* Values y [n] = sum of seasonals + trend + rest.
 *   periods    [n_periods] rising, each at least 2, 2 period < n; at most MSTL_SEASONS_MAX
 *   seasonals  [n_periods x n] out
 *   trend      [n] out; of zeros without a period
 *   adjusted   [n] out: the values without the seasonals
 * work: stl_work of the longest period. */
void mstl_decompose(const double *y, int n, int n_periods, const int *periods, double *seasonals,
                    double *trend, double *adjusted, double *work);

/* Each seasonal goes on as its last period; the series without them is forecast by a damped trend
 * (kernel/ets.h). Of seasons [n_seasons], rising, those of 2 or more count that fit in twice and
 * more; none: FIT_NO_SEASON. series.season is not looked at. */
FitOutcome mstl_forecast(SeriesView series, int n_seasons, const int *seasons, int horizon,
                         double *mean, double *work);
/* Enough for seasons up to `season`. */
int64_t mstl_work(int n, int season, int horizon);

#endif
