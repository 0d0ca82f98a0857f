/* The theta method of two lines. Local.
 *
 * Assimakopoulos, Nikolopoulos 2000, "The theta model: a decomposition approach to forecasting",
 * International Journal of Forecasting 16(4). docs/methods/theta.md says how these two, and the
 * models of dynamic_theta.h, differ. */
#ifndef VESPER_KERNEL_THETA_H
#define VESPER_KERNEL_THETA_H

#include "kernel/fit.h"

#include <stdint.h>

/* As the M4 benchmarks have it: of the series adjusted by SEASON_RULE_M4, the mean of theta line 0,
 * the regression on time carried on, and of theta line 2, twice the series less line 0, carried on
 * by simple exponential smoothing; season put back. The benchmarks set what is below 0 to 0, which
 * is left to the caller. FIT_TOO_SHORT with fewer than 2 values. */
FitOutcome theta_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t theta_work(int n, int season, int horizon);

/* Smoothing of the adjusted series itself, plus a drift of half the slope of the regression on
 * time, as Hyndman, Billah 2003, "Unmasking the theta method", International Journal of Forecasting
 * 19(2), section 4, and R's forecast::thetaf have it. The same but for the level and alpha, which
 * are fitted to the series instead of line 2: the reference that `theta` is held against, no model
 * of the night. */
FitOutcome theta_drift_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t theta_drift_work(int n, int season, int horizon);

#endif
