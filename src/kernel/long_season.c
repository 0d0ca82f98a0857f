/* See long_season.h. */
#include "kernel/long_season.h"

#include "kernel/mstl.h"

#include <math.h>

enum {
    SEASON_WINDOW = 11,  /* years that a place of the season is smoothed over */
    SEASONS_AVERAGED = 7 /* which are as good as so many with equal weights */
};

/* Of the variance of the season how much is not chance: a place's mean over k seasons errs by 1/k
 * of the variance of one, which is k / (k - 1) of what is left. */
static double believed_share(const double *seasonal, const double *left, int n, int seasons)
{
    double found = 0.0, rest = 0.0;
    int k = seasons < SEASONS_AVERAGED ? seasons : SEASONS_AVERAGED;
    for (int t = 0; t < n; t++) {
        found += seasonal[t] * seasonal[t];
        rest += left[t] * left[t];
    }
    return found > 0.0 ? fmax(1.0 - rest / ((k - 1) * found), 0.0) : 0.0;
}

int64_t long_season_work(int n, int period)
{
    return 4 * (int64_t)n + (period > 1 ? stl_work(n, period) : 0);
}

LongSeason long_season_take(SeriesView series, int period, double *work)
{
    int n = series.n;
    double *seasonal = work, *trend = work + n, *adjusted = trend + n, *rest = adjusted + n;
    LongSeason season = {.series = series};
    if (period < 2 || (n - 1) / LONG_SEASONS_LEAST < period)
        return season;
    stl_decompose(series.y, n, period, SEASON_WINDOW, seasonal, trend, rest + n);
    for (int t = 0; t < n; t++)
        rest[t] = series.y[t] - seasonal[t] - trend[t];
    season.share = believed_share(seasonal, rest, n, n / period);
    if (!(season.share > 0.0))
        return season;
    for (int t = 0; t < n; t++) {
        seasonal[t] *= season.share;
        adjusted[t] = series.y[t] - seasonal[t];
    }
    season.series.y = adjusted;
    season.period = period;
    season.ahead = seasonal + n - period;
    return season;
}

void long_season_restore(const LongSeason *season, int horizon, double *mean)
{
    for (int h = 0; season->period > 0 && h < horizon; h++)
        mean[h] += season->ahead[h % season->period];
}
