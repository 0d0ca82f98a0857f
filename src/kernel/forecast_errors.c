/* Measures of forecasts; see forecast_errors.h. */
#include "kernel/forecast_errors.h"

#include <math.h>

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

/* ---- of forecasts of the mean ---- */

void forecast_errors_add(ForecastErrors *errors, const double *actual, const double *forecast,
                         int64_t n)
{
    for (int64_t t = 0; t < n; t++) {
        double y = actual[t], f = forecast[t];
        double miss = fabs(y - f);
        if (isnan(miss))
            continue;
        errors->n++;
        errors->absolute += miss;
        errors->squared += miss * miss;
        errors->symmetric += miss > 0 ? miss / (fabs(y) + fabs(f)) : 0;
        errors->actual += y;
        errors->forecast += f;
    }
}

double forecast_smape(const ForecastErrors *errors)
{
    return 200 * ratio(errors->symmetric, (double)errors->n);
}

double forecast_bias(const ForecastErrors *errors)
{
    return errors->actual != 0 ? (errors->forecast - errors->actual) / errors->actual : NAN;
}

double forecast_mase(const ForecastErrors *errors, double scale)
{
    return ratio(ratio(errors->absolute, (double)errors->n), scale);
}

double forecast_rmsse(const ForecastErrors *errors, double scale)
{
    return sqrt(ratio(ratio(errors->squared, (double)errors->n), scale));
}

double forecast_scale_absolute(const double *y, int64_t n, int64_t lag)
{
    int64_t pairs = 0;
    double sum = 0;
    for (int64_t t = lag; t < n; t++) {
        double step = fabs(y[t] - y[t - lag]);
        if (isnan(step))
            continue;
        pairs++;
        sum += step;
    }
    return ratio(sum, (double)pairs);
}

double forecast_scale_squared(const double *y, int64_t n)
{
    int64_t pairs = 0;
    double sum = 0;
    for (int64_t t = 1; t < n; t++) {
        double step = y[t] - y[t - 1];
        if (isnan(step))
            continue;
        pairs++;
        sum += step * step;
    }
    return ratio(sum, (double)pairs);
}

double forecast_owa(double smape, double mase, double naive_smape, double naive_mase)
{
    return .5 * (ratio(smape, naive_smape) + ratio(mase, naive_mase));
}

/* ---- of forecasts of quantiles ---- */

void forecast_quantile_add(QuantileErrors *errors, double p, const double *actual,
                           const double *quantiles, int64_t n)
{
    for (int64_t t = 0; t < n; t++) {
        double miss = actual[t] - quantiles[t];
        if (isnan(miss))
            continue;
        errors->n++;
        errors->pinball += miss > 0 ? miss * p : -miss * (1 - p);
    }
}

double forecast_pinball(const QuantileErrors *errors)
{
    return ratio(errors->pinball, (double)errors->n);
}
