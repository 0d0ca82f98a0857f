/* Outliers: values of one series that neither their neighbours nor the season explain. Local, safe
 * in threads. Method and limits: docs/methods/demand_anomaly.md.
 *
 * Expected is the median of the neighbours, with what the place in the season usually adds; the
 * usual deviation comes from the median and the 90 % quantile of all deviations, whichever is more,
 * so that up to a tenth of outliers does not spoil it. Counts are compared by their square roots,
 * whose deviation is at least that of Poisson's counts; where none is below 0, neither is the band.
 * Where most periods are 0, only the sizes of
 * the others are judged, by their logarithms. */
#ifndef VESPER_KERNEL_OUTLIERS_H
#define VESPER_KERNEL_OUTLIERS_H

#include "kernel/fit.h"

/* Two-sided 99 % of a normal distribution, in standard deviations. */
#define OUTLIERS_LIMIT_99 2.5758293035489004

typedef struct OutlierRule {
    double limit;  /* standard deviations, > 0 */
    bool is_count; /* pieces: at least Poisson's deviation */
} OutlierRule;

/* What was found for each value [n]. NaN where there is too little to tell. */
typedef struct OutlierBand {
    double *expected;  /* units */
    double *low;       /* units: an outlier is below */
    double *high;      /* or above */
    double *deviation; /* from expected, in usual deviations */
} OutlierBand;

/* The band of all values; returns how many lie outside. Values may be NaN here: not known, never
 * outside. `work` has outliers_work doubles. */
int outliers_find(SeriesView series, const OutlierRule *rule, const OutlierBand *band,
                  double *work);
int64_t outliers_work(int n, int season);

static inline bool outliers_is_one(const OutlierBand *band, const double *y, int t)
{
    return y[t] < band->low[t] || y[t] > band->high[t];
}

/* Replace what lies outside by the end of the band that it passed. y [n]; returns how many. */
int outliers_replace(double *y, int n, const OutlierBand *band);

#endif
