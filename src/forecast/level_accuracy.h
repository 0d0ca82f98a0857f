/* WRMSSE: errors on every level of a hierarchy of series, weighted, as the M5 competition measures
 * (Makridakis, Spiliotis, Assimakopoulos 2022). docs/methods/forecast_accuracy.md. */
#ifndef VESPER_FORECAST_LEVEL_ACCURACY_H
#define VESPER_FORECAST_LEVEL_ACCURACY_H

#include "forecast/backtest.h"
#include "forecast/hierarchy.h"

/* All zero is empty. */
typedef struct AccuracyLevels {
    Hierarchy hierarchy;  /* the levels above the series */
    bool has_total;       /* asked for: the hierarchy has one in any case */
    double *weights;      /* [n] of this rank's series */
    double *node_weights; /* [n_nodes] sums of them, on every rank */
    double *history;      /* [n_nodes x periods] */
} AccuracyLevels;

/* `levels`: commas between, each `total` or static columns of the set joined by `*` ("state*shop").
 * The weight of a series is the last known value of its dynamic column `weight`; without that
 * column all weigh the same. STATUS_USAGE names what is not there. Collective. */
Status accuracy_levels_make(Comm *comm, const SeriesSet *set, const char *levels,
                            AccuracyLevels *accuracy, Error *error) VESPER_MUST_USE;
void accuracy_levels_free(AccuracyLevels *accuracy);

/* The mean over the levels and the series themselves of the weighted mean of RMSSE, from one
 * origin. forecast [n x horizon]  of this rank's series; a series without one is NaN: it counts as
 * 0 in sums and not at all by itself. What comes of a series that begins after the origin is in no
 * sum. NaN if nothing is known of what came. Collective. */
Status accuracy_levels_wrmsse(Comm *comm, const AccuracyLevels *accuracy, const SeriesSet *set,
                              const Backtest *backtest, int origin, const double *forecast,
                              double *wrmsse, Error *error) VESPER_MUST_USE;

#endif
