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

/* ---- of forecasts of quantiles ---- */

/* Sums over the periods that count. All zero: none. */
typedef struct QuantileErrors {
    int64_t n;
    double pinball; /* (y - q) p from below, (q - y) (1 - p) from above */
} QuantileErrors;

/* quantiles [n]: forecasts of the value that y does not pass with probability p. */
void forecast_quantile_add(QuantileErrors *errors, double p, const double *actual,
                           const double *quantiles, int64_t n);
double forecast_pinball(const QuantileErrors *errors); /* mean, units */

#endif
