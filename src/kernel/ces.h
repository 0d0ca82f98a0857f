/* Complex exponential smoothing. Local.
 *
 * Svetunkov, Kourentzes, Ord 2022, "Complex exponential smoothing", Naval Research Logistics 69(8).
 * A level l and an information potential c, and a complex smoothing parameter a0 + i a1:
 *
 *     y(t) = l(t-1) + e(t)
 *     l(t) = l(t-1) - (1 - a1) c(t-1) + (a0 - a1) e(t)
 *     c(t) = l(t-1) + (1 - a0) c(t-1) + (a0 + a1) e(t)
 *
 * which is simple smoothing by a0 - 1 where a1 = 1, draws towards 0 where it is less, and goes on
 * growing or falling where it is more. docs/methods/ces.md */
#ifndef VESPER_KERNEL_CES_H
#define VESPER_KERNEL_CES_H

#include "kernel/fit.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum CesSeason {
    CES_NONE,    /* as above: a0, a1 */
    CES_SIMPLE,  /* the same from the values one season back: a0, a1 */
    CES_PARTIAL, /* plus a seasonal part s(t) = s(t-m) + b e(t): a0, a1, b */
    CES_FULL,    /* plus a complex seasonal part, a pair that moves by lag m: a0, a1, b0, b1 */
    CES_SEASONS
} CesSeason;

enum {
    CES_PARAMETERS_MAX = 4,
    CES_SEASON_MAX = 60 /* a series with a longer season is taken as one without */
};

typedef struct CesFit {
    CesSeason season;
    double parameters[CES_PARAMETERS_MAX]; /* in the order above */
    double squared_errors;
    double aicc; /* n ln(squared errors) + 2 k + 2 k (k + 1) / (n - k - 1), k parameters and the
                    variance; INFINITY: no fit */
} CesFit;

int ces_parameter_count(CesSeason season);
/* Doubles of `work` for all functions below. */
int64_t ces_work(int n, int season, int horizon);

/* Whether old errors are forgotten: the roots of the polynomial that turns values into errors lie
 * outside the unit circle (eq. 17 of the paper where there is no season). lag: periods of a season.
 */
bool ces_is_stable(CesSeason season, int lag, const double *parameters, double *work);

/* Sum of squared errors one step ahead. The states that it begins with are found by going through
 * the series forwards and backwards. */
double ces_squared_errors(SeriesView series, CesSeason season, const double *parameters,
                          double *work);

/* Least squares over stable parameters in [0, 2]. Too few values (2 seasons, or 4 more than
 * parameters), or a season below 2: aicc is INFINITY and nothing else is set. */
CesFit ces_fit(SeriesView series, CesSeason season, double *work);

/* What was found of a series when it was shorter: a search of the longer one begins there. All zero
 * is nothing. */
typedef struct CesTried {
    CesFit fit;
    int n;         /* values of the series; 0: never fitted */
    double behind; /* how far its aicc was above the least */
} CesTried;
typedef struct CesBefore {
    CesTried tried[CES_SEASONS];
} CesBefore;

/* By one kind. */
FitOutcome ces_season_forecast(SeriesView series, CesSeason season, int horizon, double *mean,
                               double *work);
/* By the kind with the least aicc; equals: the simpler. FIT_TOO_SHORT with fewer than 6 values. */
FitOutcome ces_forecast(SeriesView series, int horizon, double *mean, double *work);
/* The same from `before`, which is then of this series. A kind that was so far behind that the
 * values since cannot have made up for it is not tried. */
FitOutcome ces_forecast_again(SeriesView series, int horizon, CesBefore *before, double *mean,
                              double *work);

#endif
