/* STL: the values of each place in the season are smoothed over the seasons, what of that is trend
 * is filtered out, and the rest smoothed is the trend; twice. */
#include "kernel/mstl.h"

#include "kernel/ets.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { INNER_ROUNDS = 2, MSTL_ROUNDS = 2, JUMPS_A_WINDOW = 10 };

/* A local regression: over `window` values (odd), a constant or a line, worked out at every `jump`
 * values and interpolated between. */
typedef struct Loess {
    int window;
    int degree;
    int jump;
} Loess;

static Loess loess_of(int window, int degree)
{
    return (Loess){window, degree, (window + JUMPS_A_WINDOW - 1) / JUMPS_A_WINDOW};
}

static int odd_from(double least)
{
    int whole = (int)ceil(least);
    return whole % 2 == 1 ? whole : whole + 1;
}

/* Cleveland's tricube weights [left, right] of values around `at`; false if none has any. */
static bool weigh(const Loess *loess, int n, double at, int left, int right, double *weights)
{
    double reach = fmax(at - left, right - at);
    if (loess->window > n)
        reach += floor(0.5 * (loess->window - n));
    double far = 0.999 * reach;
    double near = 0.001 * reach;
    double sum = 0.0;
    for (int j = left; j <= right; j++) {
        double distance = fabs(j - at);
        double ratio = distance / reach;
        double rest = 1.0 - ratio * ratio * ratio;
        double weight = distance <= near ? 1.0 : rest * rest * rest;
        weights[j] = distance <= far ? weight : 0.0;
        sum += weights[j];
    }
    if (!(sum > 0.0))
        return false;
    for (int j = left; j <= right; j++)
        weights[j] /= sum;
    return true;
}

/* The regression's value at `at` from the values [left, right] of y [n]; `otherwise` where none is
 * near. */
static double loess_at(const Loess *loess, const double *y, int n, double at, int left, int right,
                       double otherwise, double *weights)
{
    if (!weigh(loess, n, at, left, right, weights))
        return otherwise;
    double mean = 0.0;
    double centre = 0.0;
    for (int j = left; j <= right; j++) {
        mean += weights[j] * y[j];
        centre += weights[j] * j;
    }
    if (loess->degree == 0)
        return mean;
    double spread = 0.0;
    double moment = 0.0;
    for (int j = left; j <= right; j++) {
        spread += weights[j] * (j - centre) * (j - centre);
        moment += weights[j] * (j - centre) * y[j];
    }
    bool is_spread = sqrt(spread) > 0.001 * (n - 1);
    return is_spread ? mean + moment / spread * (at - centre) : mean;
}

/* smooth [n] out. */
static void loess_smooth(const Loess *loess, const double *y, int n, double *smooth,
                         double *weights)
{
    int window = loess->window < n ? loess->window : n;
    int jump = loess->jump < n - 1 ? loess->jump : n - 1;
    int before = 0;
    for (int at = 0; n > 1 && at < n; at = at == n - 1 || at + jump < n ? at + jump : n - 1) {
        int left = at - window / 2;
        left = left < 0 ? 0 : left > n - window ? n - window : left;
        smooth[at] = loess_at(loess, y, n, at, left, left + window - 1, y[at], weights);
        for (int j = before + 1; j < at; j++)
            smooth[j] =
                smooth[before] + (smooth[at] - smooth[before]) * (j - before) / (at - before);
        before = at;
    }
    if (n == 1)
        smooth[0] = y[0];
}

/* Each place's values smoothed over the seasons, and one season more at either end: cycles
 * [n + 2 period] out. */
static void smooth_places(const Loess *loess, const double *y, int n, int period, double *cycles,
                          double *work)
{
    int longest = n / period + 1;
    double *values = work;
    double *smooth = values + longest;
    double *weights = smooth + longest;
    for (int place = 0; place < period; place++) {
        int count = (n - place - 1) / period + 1;
        int window = loess->window < count ? loess->window : count;
        for (int i = 0; i < count; i++)
            values[i] = y[place + i * period];
        loess_smooth(loess, values, count, smooth, weights);
        cycles[place] = loess_at(loess, values, count, -1.0, 0, window - 1, smooth[0], weights);
        for (int i = 0; i < count; i++)
            cycles[place + (i + 1) * period] = smooth[i];
        cycles[place + (count + 1) * period] = loess_at(loess, values, count, count, count - window,
                                                        count - 1, smooth[count - 1], weights);
    }
}

/* Means of `length` values: [n - length + 1] out. */
static void moving_average(const double *y, int n, int length, double *average)
{
    double sum = 0.0;
    for (int t = 0; t < length; t++)
        sum += y[t];
    average[0] = sum / length;
    for (int t = length; t < n; t++) {
        sum += y[t] - y[t - length];
        average[t - length + 1] = sum / length;
    }
}

int64_t stl_work(int n, int period)
{
    int64_t extended = (int64_t)n + 2 * (int64_t)period;
    return 4 * extended + 3 * (int64_t)(n / period + 1);
}

void stl_decompose(const double *y, int n, int period, int season_window, double *seasonal,
                   double *trend, double *work)
{
    const Loess by_place = loess_of(season_window, 0);
    const Loess low = loess_of(odd_from(period), 1);
    const Loess slow = loess_of(odd_from(1.5 * period / (1.0 - 1.5 / season_window)), 1);
    int extended = n + 2 * period;
    double *values = work;              /* [extended] what is being smoothed */
    double *cycles = values + extended; /* [extended] */
    double *average = cycles + extended;
    double *weights = average + extended;
    double *places = weights + extended;
    memset(trend, 0, (size_t)n * sizeof *trend);
    for (int round = 0; round < INNER_ROUNDS; round++) {
        for (int t = 0; t < n; t++)
            values[t] = y[t] - trend[t];
        smooth_places(&by_place, values, n, period, cycles, places);
        moving_average(cycles, extended, period, average);
        moving_average(average, extended - period + 1, period, values);
        moving_average(values, n + 2, 3, average);
        loess_smooth(&low, average, n, values, weights);
        for (int t = 0; t < n; t++)
            seasonal[t] = cycles[period + t] - values[t];
        for (int t = 0; t < n; t++)
            values[t] = y[t] - seasonal[t];
        loess_smooth(&slow, values, n, trend, weights);
    }
}

void mstl_decompose(const double *y, int n, int n_periods, const int *periods, double *seasonals,
                    double *trend, double *adjusted, double *work)
{
    int64_t size = (int64_t)n_periods * n;
    for (int64_t i = 0; i < size; i++)
        seasonals[i] = 0.0;
    for (int t = 0; t < n; t++) {
        adjusted[t] = y[t];
        trend[t] = 0.0;
    }
    int rounds = n_periods > 1 ? MSTL_ROUNDS : 1;
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < n_periods; i++) {
            double *seasonal = seasonals + (int64_t)i * n;
            for (int t = 0; t < n; t++)
                adjusted[t] += seasonal[t];
            stl_decompose(adjusted, n, periods[i], 11 + 4 * i, seasonal, trend, work);
            for (int t = 0; t < n; t++)
                adjusted[t] -= seasonal[t];
        }
}

int64_t mstl_work(int n, int season, int horizon)
{
    int64_t decomposing = stl_work(n, 2) + 8 * (int64_t)season;
    int64_t forecasting = damped_work(n, 1, horizon);
    return (MSTL_SEASONS_MAX + 2) * (int64_t)n +
           (decomposing > forecasting ? decomposing : forecasting);
}

FitOutcome mstl_forecast(SeriesView series, int n_seasons, const int *seasons, int horizon,
                         double *mean, double *work)
{
    int n = series.n;
    int periods[MSTL_SEASONS_MAX];
    int n_periods = 0;
    for (int i = 0; i < n_seasons && n_periods < MSTL_SEASONS_MAX; i++)
        if (seasons[i] > 1 && seasons[i] < n - seasons[i])
            periods[n_periods++] = seasons[i];
    if (n_periods == 0)
        return FIT_NO_SEASON;
    double *seasonals = work; /* [n_periods x n] */
    double *trend = seasonals + (int64_t)MSTL_SEASONS_MAX * n;
    double *adjusted = trend + n;
    double *rest = adjusted + n;
    mstl_decompose(series.y, n, n_periods, periods, seasonals, trend, adjusted, rest);
    FitOutcome outcome = damped_forecast((SeriesView){adjusted, n, 1}, horizon, mean, rest);
    if (outcome != FIT_OK)
        return outcome;
    bool is_finite = true;
    for (int step = 0; step < horizon; step++) {
        for (int i = 0; i < n_periods; i++)
            mean[step] += seasonals[(int64_t)i * n + n - periods[i] + step % periods[i]];
        is_finite = is_finite && isfinite(mean[step]);
    }
    return is_finite ? FIT_OK : FIT_NOT_FINITE;
}
