/* Forecast errors: how far forecasts were from what came. Local, safe in threads.
 *
 * A period counts where both the actual value and the forecast are known: NaN is masked. Measures
 * come from sums that add up, so that origins and horizons may be put together; a measure that is
 * not defined (no period counts, a scale of 0) is NaN. The definitions: docs/methods/
 * forecast_accuracy.md. */
#ifndef VESPER_KERNEL_FORECAST_ERRORS_H
#define VESPER_KERNEL_FORECAST_ERRORS_H

#include <stdint.h>

/* ---- of forecasts of the mean ---- */

/* Sums over the periods that count. All zero: none. */
typedef struct ForecastErrors {
    int64_t n;
    double absolute;  /* |y - f| */
    double squared;   /* (y - f)^2 */
    double symmetric; /* |y - f| / (|y| + |f|), 0 where both are 0 */
    double actual;    /* y */
    double forecast;  /* f */
} ForecastErrors;

void forecast_errors_add(ForecastErrors *errors, const double *actual, const double *forecast,
                         int64_t n);
/* Put the sums of `others` to those of `errors`. */
void forecast_errors_merge(ForecastErrors *errors, const ForecastErrors *others);

double forecast_mae(const ForecastErrors *errors);  /* units */
double forecast_rmse(const ForecastErrors *errors); /* units */
double forecast_smape(const ForecastErrors *errors);
double forecast_bias(const ForecastErrors *errors); /* (sum f - sum y) / sum y */
double forecast_mase(const ForecastErrors *errors, double scale);
double forecast_rmsse(const ForecastErrors *errors, double scale);

/* Scales of y [n] in sample, over the pairs of periods that both are known: mean |y_t - y_(t-lag)|,
 * and mean (y_t - y_(t-1))^2. NaN without such a pair; 0 for a constant series, whose MASE and
 * RMSSE are NaN therefore. */
double forecast_scale_absolute(const double *y, int64_t n, int64_t lag);
double forecast_scale_squared(const double *y, int64_t n);

/* Half of the sMAPE and the MASE, each averaged over the series and divided by that of Naive2. */
double forecast_owa(double smape, double mase, double naive_smape, double naive_mase);

/* Weighted mean over n series; those whose RMSSE is NaN, and their weights, are left out. Weights
 * are at least 0. */
double forecast_wrmsse(const double *rmsse, const double *weights, int64_t n);

/* ---- of forecasts of quantiles ---- */

/* Sums over the periods that count. All zero: none. */
typedef struct QuantileErrors {
    int64_t n;
    int64_t below;   /* y < q */
    int64_t at_most; /* y <= q */
    double pinball;  /* (y - q) p from below, (q - y) (1 - p) from above */
} QuantileErrors;

/* quantiles [n]: forecasts of the value that y does not pass with probability p. */
void forecast_quantile_add(QuantileErrors *errors, double p, const double *actual,
                           const double *quantiles, int64_t n);
void forecast_quantile_merge(QuantileErrors *errors, const QuantileErrors *others);
double forecast_pinball(const QuantileErrors *errors); /* mean, units */

/* Periods whose value lay in an interval. Where many values are equal, those at its ends count in
 * `inside` and not in `between`: the interval is right if its probability lies in that range. */
typedef struct IntervalCoverage {
    int64_t n;
    int64_t inside;  /* low <= y <= high */
    int64_t between; /* low < y < high */
} IntervalCoverage;

void forecast_coverage_add(IntervalCoverage *coverage, const double *actual, const double *low,
                           const double *high, int64_t n);

#endif
