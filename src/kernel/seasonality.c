/* Seasonality by the autocorrelation at the season, indices by classical decomposition. */
#include "kernel/seasonality.h"

#include <math.h>

enum { LANES = 4, M4_SEASONS = 3, THETA_SEASONS = 2, THETA_SEASON_LEAST = 4 };
static const double CRITICAL = 1.645;
static const double THETA_INDEX_LEAST = 0.01;

/* Sums in LANES parts, which the compiler can add at once. */
static double sum_of(const double *y, int n)
{
    double parts[LANES] = {0.0};
    int t = 0;
    for (; t + LANES <= n; t += LANES)
        for (int lane = 0; lane < LANES; lane++)
            parts[lane] += y[t + lane];
    for (; t < n; t++)
        parts[0] += y[t];
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

/* Sum of (y(t) - mean) (y(t + lag) - mean). */
static double autocovariance(const double *y, int n, double mean, int lag)
{
    double parts[LANES] = {0.0};
    const double *later = y + lag;
    int t = 0;
    for (; t + LANES <= n - lag; t += LANES)
        for (int lane = 0; lane < LANES; lane++)
            parts[lane] += (y[t + lane] - mean) * (later[t + lane] - mean);
    for (; t < n - lag; t++)
        parts[0] += (y[t] - mean) * (later[t] - mean);
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

bool season_is_significant(SeriesView series)
{
    int n = series.n;
    if (series.season < 2 || n <= series.season)
        return false;
    double mean = sum_of(series.y, n) / n;
    double variance = autocovariance(series.y, n, mean, 0);
    if (!(variance > 0.0))
        return false;
    double squares = 0.0;
    for (int lag = 1; lag < series.season; lag++) {
        double r = autocovariance(series.y, n, mean, lag) / variance;
        squares += r * r;
    }
    double at_season = autocovariance(series.y, n, mean, series.season) / variance;
    return fabs(at_season) > CRITICAL * sqrt((1.0 + 2.0 * squares) / n);
}

/* Mean over the season around t, which lies season / 2 or more from either end. */
static double centred_average(SeriesView series, int t)
{
    int half = series.season / 2;
    const double *first = series.y + t - half;
    if (series.season % 2 == 1)
        return sum_of(first, series.season) / series.season;
    double ends = 0.5 * (first[0] + first[series.season]);
    return (ends + sum_of(first + 1, series.season - 1)) / series.season;
}

bool season_indices(SeriesView series, SeasonKind kind, double *indices)
{
    int season = series.season;
    int half = season / 2;
    if (season < 2 || series.n / season < 2)
        return false;
    for (int place = 0; place < season; place++) {
        double sum = 0.0;
        int count = 0;
        for (int t = place < half ? place + season : place; t + half < series.n; t += season) {
            double average = centred_average(series, t);
            sum += kind == SEASON_ADDITIVE ? series.y[t] - average : series.y[t] / average;
            count++;
        }
        indices[place] = sum / count;
    }
    double mean = sum_of(indices, season) / season;
    bool is_finite = true;
    for (int place = 0; place < season; place++) {
        indices[place] = kind == SEASON_ADDITIVE ? indices[place] - mean : indices[place] / mean;
        is_finite = is_finite && isfinite(indices[place]);
    }
    return is_finite;
}

static bool all_above(const double *values, int n, double least)
{
    for (int i = 0; i < n; i++)
        if (!(values[i] > least))
            return false;
    return true;
}

/* Which kind of season the rule finds; its indices [season] out, unless it is SEASON_NONE. */
static SeasonKind find_season(SeriesView series, SeasonRule rule, double *indices)
{
    bool is_long = rule == SEASON_RULE_M4 ? series.n / M4_SEASONS >= series.season
                                          : series.season >= THETA_SEASON_LEAST &&
                                                series.n / THETA_SEASONS >= series.season;
    if (series.season < 2 || !is_long || !season_is_significant(series))
        return SEASON_NONE;
    double least = rule == SEASON_RULE_M4 ? 0.0 : THETA_INDEX_LEAST;
    if (all_above(series.y, series.n, 0.0) &&
        season_indices(series, SEASON_MULTIPLICATIVE, indices) &&
        all_above(indices, series.season, least))
        return SEASON_MULTIPLICATIVE;
    if (rule == SEASON_RULE_THETA && season_indices(series, SEASON_ADDITIVE, indices))
        return SEASON_ADDITIVE;
    return SEASON_NONE;
}

int64_t season_adjust_work(int n, int season)
{
    return (int64_t)n + season;
}

SeasonAdjustment season_adjust(SeriesView series, SeasonRule rule, double *work)
{
    double *indices = work;
    double *adjusted = work + series.season;
    SeasonAdjustment adjustment = {.kind = find_season(series, rule, indices),
                                   .series = {series.y, series.n, 1},
                                   .season = series.season,
                                   .indices = indices};
    if (adjustment.kind == SEASON_NONE)
        return adjustment;
    for (int t = 0, place = 0; t < series.n; t++) {
        adjusted[t] = adjustment.kind == SEASON_ADDITIVE ? series.y[t] - indices[place]
                                                         : series.y[t] / indices[place];
        place = place + 1 == series.season ? 0 : place + 1;
    }
    adjustment.series.y = adjusted;
    return adjustment;
}

FitOutcome season_restore(const SeasonAdjustment *adjustment, int horizon, double *mean)
{
    bool is_finite = true;
    for (int step = 0; step < horizon; step++) {
        int64_t t = (int64_t)adjustment->series.n + step;
        if (adjustment->kind == SEASON_ADDITIVE)
            mean[step] += adjustment->indices[t % adjustment->season];
        else if (adjustment->kind == SEASON_MULTIPLICATIVE)
            mean[step] *= adjustment->indices[t % adjustment->season];
        is_finite = is_finite && isfinite(mean[step]);
    }
    return is_finite ? FIT_OK : FIT_NOT_FINITE;
}

int64_t naive2_work(int n, int season, int horizon)
{
    (void)horizon;
    return season_adjust_work(n, season);
}

FitOutcome naive2_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    if (series.n < 1)
        return FIT_TOO_SHORT;
    SeasonAdjustment adjustment = season_adjust(series, SEASON_RULE_M4, work);
    for (int step = 0; step < horizon; step++)
        mean[step] = adjustment.series.y[series.n - 1];
    return season_restore(&adjustment, horizon, mean);
}
