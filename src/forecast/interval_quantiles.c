/* Asking for intervals; see intervals.h. */
#include "forecast/intervals.h"

#include <math.h>

/* A group with fewer errors is too thin: all series of its kind are taken. */
enum { ERRORS_LEAST = 400 };

/* Errors of sums of a length between two that were learned: `part` of the way from the one to the
 * other, by its logarithm. */
typedef struct Between {
    Spread low, high;
    double part; /* in [0, 1); 0: `high` does not matter */
} Between;

bool interval_is_count(const double *values, int64_t n)
{
    for (int64_t t = 0; t < n; t++) {
        if (!isnan(values[t]) && (values[t] < 0 || values[t] != floor(values[t])))
            return false;
    }
    return true;
}

double interval_rate(const double *mean, int64_t n)
{
    double sum = 0;
    int64_t known = 0;
    for (int64_t t = 0; t < n; t++) {
        if (isnan(mean[t]) || mean[t] == 0)
            continue;
        known++;
        sum += mean[t];
    }
    return known > 0 ? sum / (double)known : 0;
}

/* A series without errors of its own is put where its forecast belongs; -1: that is not known. */
static int group_of(const IntervalModel *model, int64_t at, double rate)
{
    const int8_t *groups = model->group_of_bin[model->is_count[at]];
    double scale = model->scale[at];
    if (model->key[at] >= 0)
        return groups[model->key[at]];
    return scale > 0 && isfinite(rate) ? groups[spread_bin(rate / scale)] : -1;
}

static const int64_t *group_histogram(const IntervalModel *model, int64_t at, int length,
                                      double rate)
{
    int group = group_of(model, at, rate);
    int64_t step = (int64_t)model->n_lengths * SPREAD_BINS;
    const int64_t *first = model->histograms +
                           (int64_t)model->is_count[at] * (INTERVAL_GROUPS + 1) * step +
                           (int64_t)length * SPREAD_BINS;
    const int64_t *all = first + INTERVAL_GROUPS * step;
    const int64_t *own = group >= 0 ? first + group * step : all;
    if (own[SPREAD_BINS - 1] >= ERRORS_LEAST)
        return own;
    return all[SPREAD_BINS - 1] > 0 ? all : NULL;
}

static Spread spread_of(const IntervalModel *model, int64_t at, int length, double rate)
{
    int64_t row = at * model->n_lengths + length;
    return (Spread){.base = model->is_count[at] ? SPREAD_GEOMETRIC : SPREAD_LAPLACE,
                    .own_weight = (double)model->own_weight[row],
                    .own = model->own + row * SPREAD_OWN,
                    .histogram = group_histogram(model, at, length, rate)};
}

static Between between(const IntervalModel *model, int64_t at, int length, double rate)
{
    int high = 0;
    while (high < model->n_lengths - 1 && model->lengths[high] < length)
        high++;
    int low = high > 0 && model->lengths[high] > length ? high - 1 : high;
    Between both = {.low = spread_of(model, at, low, rate),
                    .high = spread_of(model, at, high, rate)};
    if (low < high)
        both.part = log((double)length / model->lengths[low]) /
                    log((double)model->lengths[high] / model->lengths[low]);
    return both;
}

static double error_at(const Between *both, double p)
{
    double error = spread_quantile(&both->low, p);
    if (both->part > 0)
        error += both->part * (spread_quantile(&both->high, p) - error);
    return error;
}

/* What came if the error was this. unit: what errors of numbers are counted in. */
static double value_at(const IntervalModel *model, int64_t at, double mean, double rate,
                       double unit, double error)
{
    if (!isfinite(mean))
        return NAN;
    if (model->is_count[at])
        return spread_count(error, spread_mean(mean, rate, model->level[at]));
    double value = mean + unit * error;
    return value < 0 && !model->is_negative[at] && mean >= 0 ? 0 : value;
}

void intervals_quantiles(const IntervalModel *model, int64_t i, const double *mean,
                         const double *probabilities, int n, double *quantiles)
{
    double rate = interval_rate(mean, model->horizon);
    int64_t at = intervals_place(model, i);
    Between single = between(model, at, 1, rate);
    for (int k = 0; k < n; k++) {
        double error = error_at(&single, probabilities[k]);
        for (int h = 0; h < model->horizon; h++)
            quantiles[h * n + k] =
                value_at(model, at, mean[h], rate, model->scale[at] * model->growth[h], error);
    }
}

/* Numbers' errors in one period grow with the horizon, those of sums with the root of their length.
 */
static double sum_unit(const IntervalModel *model, int64_t at, int length)
{
    return model->scale[at] * (length > 1 ? sqrt(length) : model->growth[0]);
}

void intervals_sum_quantiles(const IntervalModel *model, int64_t i, const double *mean, int length,
                             double sum, const double *probabilities, int n, double *quantiles)
{
    int64_t at = intervals_place(model, i);
    double rate = interval_rate(mean, model->horizon), unit = sum_unit(model, at, length);
    Between both = between(model, at, length, rate);
    for (int k = 0; k < n; k++)
        quantiles[k] = value_at(model, at, sum, rate, unit, error_at(&both, probabilities[k]));
}

double intervals_sum_above(const IntervalModel *model, int64_t i, const double *mean, int length,
                           double sum, double stock)
{
    int64_t at = intervals_place(model, i);
    double rate = interval_rate(mean, model->horizon), unit = sum_unit(model, at, length), error;
    if (isnan(sum) || isnan(stock))
        return NAN;
    if (model->is_count[at])
        error = stock >= 0 ? spread_count_end(stock, spread_mean(sum, rate, model->level[at]))
                           : -INFINITY;
    else if (unit > 0)
        error = (stock - sum) / unit;
    else
        error = stock < sum ? -INFINITY : INFINITY;
    if (isinf(error))
        return error < 0;
    Between both = between(model, at, length, rate);
    double share = spread_share(&both.low, error);
    share += both.part * (spread_share(&both.high, error) - share);
    return fmin(fmax(1 - share, 0), 1);
}
