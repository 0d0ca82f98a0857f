/* Seasonality of one series: is there any, its indices, and the series without it. Local.
 *
 * Test and decomposition are those of the benchmarks of the M4 competition (Makridakis, Spiliotis,
 * Assimakopoulos 2020, "The M4 Competition: 100,000 time series and 61 forecasting methods",
 * International Journal of Forecasting 36(1)). */
#ifndef VESPER_KERNEL_SEASONALITY_H
#define VESPER_KERNEL_SEASONALITY_H

#include "kernel/fit.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum SeasonKind {
    SEASON_NONE,
    SEASON_ADDITIVE,      /* indices have the mean 0, and are taken off */
    SEASON_MULTIPLICATIVE /* indices have the mean 1, and divide */
} SeasonKind;

/* When a series is adjusted, and how. Either needs season_is_significant. */
typedef enum SeasonRule {
    /* Of the M4 benchmarks: 3 seasons or more; multiplicative. A series with a value that is not
     * above 0 is left as it is. */
    SEASON_RULE_M4,
    /* Of the theta models (Fiorucci et al. 2016): a season of 4 or more, 2 of them or more;
     * multiplicative, but additive with a value that is not above 0 or an index below 0.01. */
    SEASON_RULE_THETA
} SeasonRule;

/* A series without its season, and what puts it back. */
typedef struct SeasonAdjustment {
    SeasonKind kind;
    SeriesView series;     /* in `work`, of season 1; with SEASON_NONE the values themselves */
    int season;            /* number of indices */
    const double *indices; /* [season] in `work`: entry i belongs to periods i, i + season, ...;
                              not set with SEASON_NONE */
} SeasonAdjustment;

/* Whether |r(m)| > 1.645 sqrt((1 + 2 sum of r(k)^2 over lags k below m) / n), r being the
 * autocorrelation with the mean taken off and divisor n, m the season; false for a constant series,
 * for m < 2 and for n <= m. Costs O(n m). */
bool season_is_significant(SeriesView series);

/* Classical decomposition: values against their centred moving average over one season (half
 * weights at the ends if it is even), averaged by place in the season, and brought to the mean of
 * `kind`, which is not SEASON_NONE. indices [season] out; false, and unset, with fewer than 2
 * seasons of values or where the arithmetic leaves the numbers. Costs O(n m). */
bool season_indices(SeriesView series, SeasonKind kind, double *indices);

int64_t season_adjust_work(int n, int season);
SeasonAdjustment season_adjust(SeriesView series, SeasonRule rule, double *work);
/* Put the season back on forecasts mean [horizon] of the adjusted series. FIT_NOT_FINITE if one of
 * them is no number. */
FitOutcome season_restore(const SeasonAdjustment *adjustment, int horizon, double *mean);

/* Naive 2 of the M4 benchmarks: the last value of the series adjusted by SEASON_RULE_M4, with the
 * season put back. FIT_TOO_SHORT without a value. */
FitOutcome naive2_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t naive2_work(int n, int season, int horizon);

#endif
