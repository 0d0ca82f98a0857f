/* Models of intermittent demand; see intermittent.h. */
#include "kernel/intermittent.h"

#include <math.h>

static const double ALPHA = .1;
/* Where the smoothing of buckets looks for its alpha. */
static const double ALPHA_LEAST = .1, ALPHA_MOST = .3;
/* Alphas tried at once, and how often around the best: to 1e-5 in the end. */
enum { TRIALS = 8, ROUNDS = 8 };

/* A series' demand, summed up. */
typedef struct Demand {
    int64_t n;    /* periods with demand */
    int last;     /* the last of them, from 1 */
    double size;  /* smoothed */
    double gap;   /* smoothed periods from one to the next */
    double share; /* smoothed share of periods that have demand */
} Demand;

static double demand_of(double value)
{
    return value > 0 ? value : 0;
}

static Demand summarise(SeriesView series)
{
    Demand demand = {0};
    for (int t = 0; t < series.n; t++) {
        double y = series.y[t];
        double has_demand = y > 0;
        demand.share += t == 0 ? has_demand : ALPHA * (has_demand - demand.share);
        if (!(y > 0))
            continue;
        double gap = (double)(t + 1 - demand.last);
        demand.size += demand.n == 0 ? y : ALPHA * (y - demand.size);
        demand.gap += demand.n == 0 ? gap : ALPHA * (gap - demand.gap);
        demand.last = t + 1;
        demand.n++;
    }
    return demand;
}

static FitOutcome judge(SeriesView series, const Demand *demand)
{
    if (series.n == 0)
        return FIT_TOO_SHORT;
    return demand->n == 0 ? FIT_NO_DEMAND : FIT_OK;
}

static FitOutcome fill(double rate, int horizon, double *mean)
{
    if (!isfinite(rate))
        return FIT_NOT_FINITE;
    for (int h = 0; h < horizon; h++)
        mean[h] = rate;
    return FIT_OK;
}

/* ---- sizes and gaps ---- */

/* NOLINTBEGIN(readability-non-const-parameter): one type for all models */
FitOutcome croston_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    (void)work;
    Demand demand = summarise(series);
    FitOutcome outcome = judge(series, &demand);
    return outcome == FIT_OK ? fill(demand.size / demand.gap, horizon, mean) : outcome;
}

FitOutcome sba_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    (void)work;
    Demand demand = summarise(series);
    FitOutcome outcome = judge(series, &demand);
    double rate = (1 - ALPHA / 2) * (demand.size / demand.gap);
    return outcome == FIT_OK ? fill(rate, horizon, mean) : outcome;
}

FitOutcome tsb_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    (void)work;
    Demand demand = summarise(series);
    FitOutcome outcome = judge(series, &demand);
    return outcome == FIT_OK ? fill(demand.share * demand.size, horizon, mean) : outcome;
}
/* NOLINTEND(readability-non-const-parameter) */

/* ---- buckets ---- */

/* sums [n / level] out: demand in buckets of `level` periods, the last of which ends the series;
 * returns how many. */
static int make_buckets(SeriesView series, int level, double *sums)
{
    int n = series.n / level;
    int t = series.n - n * level;
    for (int b = 0; b < n; b++) {
        double sum = 0;
        for (int k = 0; k < level; k++)
            sum += demand_of(series.y[t++]);
        sums[b] = sum;
    }
    return n;
}

/* What smoothing x [n >= 1] forecasts by each alpha, and its sum of squared errors on the way. */
static void smooth(const double *x, int n, const double alphas[TRIALS], double next[TRIALS],
                   double errors[TRIALS])
{
    for (int k = 0; k < TRIALS; k++) {
        next[k] = x[0];
        errors[k] = 0;
    }
    for (int t = 1; t < n; t++) {
        for (int k = 0; k < TRIALS; k++) {
            double miss = x[t] - next[k];
            errors[k] += miss * miss;
            next[k] += alphas[k] * miss;
        }
    }
}

/* The forecast by the alpha whose squared error is least: the best of eight, then of eight between
 * its neighbours, and so on. */
static double smooth_best(const double *x, int n)
{
    double low = ALPHA_LEAST, high = ALPHA_MOST, forecast = x[0];
    for (int round = 0; round < ROUNDS; round++) {
        double alphas[TRIALS], next[TRIALS], errors[TRIALS];
        double step = (high - low) / (TRIALS - 1);
        int best = 0;
        for (int k = 0; k < TRIALS; k++)
            alphas[k] = low + step * k;
        smooth(x, n, alphas, next, errors);
        for (int k = 1; k < TRIALS; k++) {
            if (errors[k] < errors[best])
                best = k;
        }
        forecast = next[best];
        low = fmax(alphas[best] - step, ALPHA_LEAST);
        high = fmin(alphas[best] + step, ALPHA_MOST);
    }
    return forecast;
}

static double bucket_rate(SeriesView series, int level, double *sums)
{
    return smooth_best(sums, make_buckets(series, level, sums)) / level;
}

/* At least 1: the first demand is at 1 or later. */
static int mean_interval(const Demand *demand)
{
    return (int)rint((double)demand->last / (double)demand->n);
}

FitOutcome adida_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    Demand demand = summarise(series);
    FitOutcome outcome = judge(series, &demand);
    if (outcome != FIT_OK)
        return outcome;
    return fill(bucket_rate(series, mean_interval(&demand), work), horizon, mean);
}

FitOutcome imapa_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    Demand demand = summarise(series);
    FitOutcome outcome = judge(series, &demand);
    if (outcome != FIT_OK)
        return outcome;
    int most = mean_interval(&demand);
    double sum = 0;
    for (int level = 1; level <= most; level++)
        sum += bucket_rate(series, level, work);
    return fill(sum / most, horizon, mean);
}

/* ---- room ---- */

int64_t croston_work(int n, int season, int horizon)
{
    (void)n, (void)season, (void)horizon;
    return 0;
}

int64_t sba_work(int n, int season, int horizon)
{
    return croston_work(n, season, horizon);
}

int64_t tsb_work(int n, int season, int horizon)
{
    return croston_work(n, season, horizon);
}

int64_t adida_work(int n, int season, int horizon)
{
    (void)season, (void)horizon;
    return n;
}

int64_t imapa_work(int n, int season, int horizon)
{
    return adida_work(n, season, horizon);
}
