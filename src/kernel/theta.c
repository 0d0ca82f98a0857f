/* The theta method: a regression on time and a level. */
#include "kernel/theta.h"

#include "kernel/dynamic_theta.h"
#include "kernel/seasonality.h"

#include <math.h>

enum { VALUES_LEAST = 2 };

/* The regression y = at_middle + slope (t - middle), t from 1. */
typedef struct Line {
    double middle, at_middle, slope;
} Line;

static Line regress(const double *y, int n)
{
    double count = n;
    Line line = {.middle = 0.5 * (count + 1.0)};
    double sum = 0.0;
    for (int t = 0; t < n; t++)
        sum += y[t];
    line.at_middle = sum / count;
    double moment = 0.0;
    for (int t = 0; t < n; t++)
        moment += (t + 1.0 - line.middle) * (y[t] - line.at_middle);
    line.slope = 12.0 * moment / (count * (count * count - 1.0));
    return line;
}

static double line_at(const Line *line, double t)
{
    return line->at_middle + line->slope * (t - line->middle);
}

int64_t theta_work(int n, int season, int horizon)
{
    return n + season_adjust_work(n, season) + dynamic_theta_work(n, 1, horizon);
}

FitOutcome theta_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    int n = series.n;
    if (n < VALUES_LEAST)
        return FIT_TOO_SHORT;
    double *second = work; /* [n] theta line 2 */
    double *rest = second + n;
    SeasonAdjustment adjustment = season_adjust(series, SEASON_RULE_M4, rest);
    const double *y = adjustment.series.y;
    Line line = regress(y, n);
    for (int t = 0; t < n; t++)
        second[t] = 2.0 * y[t] - line_at(&line, t + 1.0);
    rest += season_adjust_work(n, series.season);
    ThetaFit fit = theta_fit(second, n, THETA_SMOOTHING, rest);
    for (int step = 0; step < horizon; step++)
        mean[step] = 0.5 * (line_at(&line, n + step + 1.0) + fit.level);
    return season_restore(&adjustment, horizon, mean);
}

int64_t theta_drift_work(int n, int season, int horizon)
{
    return theta_work(n, season, horizon);
}

FitOutcome theta_drift_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    int n = series.n;
    if (n < VALUES_LEAST)
        return FIT_TOO_SHORT;
    SeasonAdjustment adjustment = season_adjust(series, SEASON_RULE_M4, work);
    Line line = regress(adjustment.series.y, n);
    double *rest = work + season_adjust_work(n, series.season);
    ThetaFit fit = theta_fit(adjustment.series.y, n, THETA_SMOOTHING, rest);
    double behind = (1.0 - pow(1.0 - fit.alpha, n)) / fit.alpha; /* periods the level lags */
    for (int step = 0; step < horizon; step++)
        mean[step] = fit.level + 0.5 * line.slope * (step + behind);
    return season_restore(&adjustment, horizon, mean);
}
