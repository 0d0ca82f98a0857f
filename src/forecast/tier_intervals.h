/* Quantiles of what categories and the shop will be asked for, from the errors of their own
 * forecasts in the past, as those of series are (docs/methods/intervals.md). */
#ifndef VESPER_FORECAST_TIER_INTERVALS_H
#define VESPER_FORECAST_TIER_INTERVALS_H

#include "forecast/intervals.h"

/* Nodes with a backtest of their own: the same on every rank. */
typedef struct NodeBacktest {
    int32_t n;               /* nodes */
    int origin;              /* forecast from: 0 is the end of the history */
    int n_origins;           /* that, then those before it */
    int horizon;             /* periods */
    int32_t n_periods;       /* of history */
    const double *history;   /* [n x n_periods] NaN: not known */
    const double *forecasts; /* [n x n_origins x horizon] NaN: none */
    const double *residuals; /* [n x (n_origins - 1) x horizon] of past origins; NaN: closed, or not
                                known */
} NodeBacktest;

/* quantiles [n x horizon x n_probabilities] out, on every rank: around mean [n x horizon].
 * Collective.
 */
Status tier_intervals(Comm *comm, const NodeBacktest *nodes, const double *mean,
                      const double *probabilities, int n_probabilities, double *quantiles,
                      Error *error) VESPER_MUST_USE;

#endif
