/* Repeats and means of the last values. */
#include "kernel/naive.h"

#include <math.h>

/* Of `count` >= 1 values, each `stride` before the next, the last at y[last]. Taken around the last
 * one, so that equal values have their own mean exactly. */
static double mean_back(const double *y, int last, int stride, int count)
{
    double sum = 0.0;
    for (int i = 1; i < count; i++)
        sum += y[last - i * stride] - y[last];
    return y[last] + sum / count;
}

static FitOutcome repeat(double value, int horizon, double *mean)
{
    for (int h = 0; h < horizon; h++)
        mean[h] = value;
    return isfinite(value) ? FIT_OK : FIT_NOT_FINITE;
}

/* Each position of the season by the mean of its last `seasons` values. */
static FitOutcome repeat_season(SeriesView series, int seasons, int horizon, double *mean)
{
    if (series.season <= 1)
        return FIT_NO_SEASON;
    if (series.n < series.season)
        return FIT_TOO_SHORT;
    for (int h = 0; h < horizon; h++) {
        if (h >= series.season) {
            mean[h] = mean[h - series.season];
            continue;
        }
        int last = series.n - series.season + h;
        int there = last / series.season + 1;
        mean[h] = mean_back(series.y, last, series.season, there < seasons ? there : seasons);
        if (!isfinite(mean[h]))
            return FIT_NOT_FINITE;
    }
    return FIT_OK;
}

/* NOLINTBEGIN(readability-non-const-parameter): one type for all models */

int64_t naive_work(int n, int season, int horizon)
{
    (void)n, (void)season, (void)horizon;
    return 0;
}

FitOutcome naive_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    (void)work;
    return series.n < 1 ? FIT_TOO_SHORT : repeat(series.y[series.n - 1], horizon, mean);
}

int64_t seasonal_naive_work(int n, int season, int horizon)
{
    return naive_work(n, season, horizon);
}

FitOutcome seasonal_naive_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    (void)work;
    return repeat_season(series, 1, horizon, mean);
}

int64_t moving_average_work(int n, int season, int horizon)
{
    return naive_work(n, season, horizon);
}

FitOutcome moving_average_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    (void)work;
    if (series.n < 1)
        return FIT_TOO_SHORT;
    int count = NAIVE_AVERAGE_PERIODS;
    if (series.season > 1) {
        int seasons = series.n / series.season;
        count = series.season * (seasons < NAIVE_AVERAGE_SEASONS ? seasons : NAIVE_AVERAGE_SEASONS);
    }
    if (count == 0 || count > series.n)
        count = series.n;
    return repeat(mean_back(series.y, series.n - 1, 1, count), horizon, mean);
}

int64_t seasonal_mean_work(int n, int season, int horizon)
{
    return naive_work(n, season, horizon);
}

FitOutcome seasonal_mean_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    (void)work;
    return repeat_season(series, NAIVE_MEAN_SEASONS, horizon, mean);
}
/* NOLINTEND(readability-non-const-parameter) */
