/* Theta models: exponential smoothing drawn to a line, with everything fitted. Local.
 *
 * Fiorucci, Pellegrini, Louzada, Petropoulos, Koehler 2016, "Models for optimising the theta method
 * and their relationship to state space models", International Journal of Forecasting 32(4). With
 * the line A + B t, the weight w = 1 - 1 / theta and the level l,
 *
 *     mu(t) = l(t-1) + w (A (1 - alpha)^(t-1) + B (1 - (1 - alpha)^t) / alpha)
 *     l(t)  = alpha y(t) + (1 - alpha) l(t-1)
 *
 * The line is at each t that through the values before t. Fitted by least squares: for one alpha
 * the best l(0) and w are a linear problem with an exact answer, so that the search is along alpha
 * alone. docs/methods/theta.md */
#ifndef VESPER_KERNEL_DYNAMIC_THETA_H
#define VESPER_KERNEL_DYNAMIC_THETA_H

#include "kernel/fit.h"

#include <stdint.h>

typedef enum ThetaVariant {
    THETA_DYNAMIC,   /* DOTM */
    THETA_SMOOTHING, /* theta = 1, without a line: simple exponential smoothing */
    THETA_VARIANTS
} ThetaVariant;

typedef struct ThetaFit {
    double alpha;          /* in [0.1, 0.99], of THETA_SMOOTHING in [0.0001, 0.9999] */
    double weight;         /* w, in [0, 1] */
    double initial;        /* l(0) */
    double level;          /* l(n) */
    double squared_errors; /* sum of (y(t) - mu(t))^2; of THETA_DYNAMIC from t = 3 on */
} ThetaFit;

enum { THETA_VALUES_LEAST = 4 };

/* Fit to y [n], n >= THETA_VALUES_LEAST (THETA_SMOOTHING: 1). `work` as for
 * dynamic_theta_forecast. About 45 passes over the values, 10 ns each. */
ThetaFit theta_fit(const double *y, int n, ThetaVariant variant, double *work);

/* DOTM of the series adjusted by SEASON_RULE_THETA, with the season put back; a step ahead takes
 * forecasts for values. FIT_TOO_SHORT with fewer than THETA_VALUES_LEAST. */
FitOutcome dynamic_theta_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t dynamic_theta_work(int n, int season, int horizon);

#endif
