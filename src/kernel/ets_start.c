/* Where a search begins: season, level and slope by eye, so to speak. */
#include "kernel/ets_filter.h"

#include <math.h>

enum { FIRST_VALUES = 10 }; /* at least; two seasons if that is more */

static const double LEAST_SEASON = 0.01; /* of a factor */

/* The mean of a whole season around period t, season / 2 <= t < n - season / 2: the ends of an even
 * season count half. */
static double trend_at(const EtsPass *pass, int t)
{
    int half = pass->season / 2;
    double sum = 0.0;
    for (int i = t - half; i <= t + half; i++)
        sum += pass->y[i];
    if (pass->season % 2 == 0)
        sum -= 0.5 * (pass->y[t - half] + pass->y[t + half]);
    return sum / pass->season;
}

/* season [pass->season] out: mean distance (or ratio) of each position to the trend, less (or
 * divided by) their mean. */
static void decompose(const EtsPass *pass, bool multiplies, double *season)
{
    int n = pass->season;
    double counts[ETS_SEASON_MAX] = {0.0};
    for (int i = 0; i < n; i++)
        season[i] = 0.0;
    for (int t = n / 2; t < pass->n - n / 2; t++) {
        double trend = trend_at(pass, t);
        season[t % n] += multiplies ? pass->y[t] / trend : pass->y[t] - trend;
        counts[t % n] += 1.0;
    }
    double mean = 0.0;
    for (int i = 0; i < n; i++) {
        season[i] /= counts[i];
        if (multiplies)
            season[i] = fmax(season[i], LEAST_SEASON);
        mean += season[i] / n;
    }
    for (int i = 0; i < n; i++)
        season[i] = multiplies ? season[i] / mean : season[i] - mean;
}

void ets_start(const EtsPass *pass, EtsState *start)
{
    EtsModel model = pass->model;
    bool multiplies = model.season == ETS_SEASON_MULTIPLICATIVE;
    *start = (EtsState){.level = 0.0};
    if (model.season != ETS_SEASON_NONE)
        decompose(pass, multiplies, start->season);
    int n = 2 * pass->season > FIRST_VALUES ? 2 * pass->season : FIRST_VALUES;
    if (n > pass->n)
        n = pass->n;
    double middle = 0.5 * (n + 1);
    double mean = 0.0;
    double moment = 0.0;
    for (int t = 0; t < n; t++) {
        double season = start->season[t % pass->season];
        double y = pass->y[t];
        if (model.season != ETS_SEASON_NONE)
            y = multiplies ? y / season : y - season;
        mean += y / n;
        moment += y * (t + 1 - middle);
    }
    double slope = n > 1 ? 12.0 * moment / ((double)n * ((double)n * n - 1.0)) : 0.0;
    start->level = mean;
    if (model.trend == ETS_TREND_ADDITIVE || model.trend == ETS_TREND_DAMPED) {
        start->level = mean - slope * middle;
        start->slope = slope;
    } else if (model.trend != ETS_TREND_NONE) {
        /* The line's ratio at its middle, where it is above 0 if the values are. */
        start->slope = fmin(fmax(exp(slope / mean), 0.5), 2.0);
        start->level = mean * pow(start->slope, -middle);
    }
}
