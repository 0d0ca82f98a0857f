/* Forecasts without a model, the rivals that a model has to beat: conventions in kernel/fit.h.
 * Hyndman, Athanasopoulos 2021, "Forecasting: principles and practice", section 5.2. Local.
 *
 * None needs work space, and none fails on zeros. A constant series is forecast as its constant, to
 * the last bit. */
#ifndef VESPER_KERNEL_NAIVE_H
#define VESPER_KERNEL_NAIVE_H

#include "kernel/fit.h"

enum {
    NAIVE_AVERAGE_SEASONS = 4, /* of a moving average: 28 days */
    NAIVE_AVERAGE_PERIODS = 8, /* the same, without a season */
    NAIVE_MEAN_SEASONS = 8     /* of a seasonal mean */
};

/* The last value, for ever. n >= 1. */
int64_t naive_work(int n, int season, int horizon);
FitOutcome naive_forecast(SeriesView series, int horizon, double *mean, double *work);

/* The last value of the same position of the season. season > 1, n >= season. */
int64_t seasonal_naive_work(int n, int season, int horizon);
FitOutcome seasonal_naive_forecast(SeriesView series, int horizon, double *mean, double *work);

/* The mean of the last NAIVE_AVERAGE_SEASONS whole seasons, or of as many as there are; of all
 * values if there is none; of the last NAIVE_AVERAGE_PERIODS without a season. n >= 1. */
int64_t moving_average_work(int n, int season, int horizon);
FitOutcome moving_average_forecast(SeriesView series, int horizon, double *mean, double *work);

/* The mean of the same position in the last NAIVE_MEAN_SEASONS seasons, or in as many as there are.
 * season > 1, n >= season. */
int64_t seasonal_mean_work(int n, int season, int horizon);
FitOutcome seasonal_mean_forecast(SeriesView series, int horizon, double *mean, double *work);

#endif
