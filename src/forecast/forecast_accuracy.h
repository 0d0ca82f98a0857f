/* Accuracy of forecasts: every model and the mix of them, against what came after past origins.
 * Definitions: docs/methods/forecast_accuracy.md. */
#ifndef VESPER_FORECAST_FORECAST_ACCURACY_H
#define VESPER_FORECAST_FORECAST_ACCURACY_H

#include "forecast/level_accuracy.h"
#include "forecast/model_intervals.h"
#include "forecast/tiers.h"

/* Means over series and origins; NaN where nothing could be measured. */
typedef struct ForecastAccuracy {
    int64_t series;  /* that had a forecast and what to measure it by, once an origin */
    double smape;    /* percent */
    double mase;     /* scaled by the steps of one season */
    double rmsse;    /* scaled by the steps of one period */
    double owa;      /* beside Naive2; NaN if that was not asked for */
    double bias;     /* (forecast - actual) / actual, of all units */
    double pinball;  /* over ACCURACY_QUANTILES, in the scale of RMSSE */
    double coverage; /* share of what came inside the interval that should hold 80 % */
    double wrmsse;   /* weighted, over levels; NaN if none were asked for */
    double seconds;  /* to forecast, of all ranks and threads */
    FitOutcome why;  /* what kept a model from most series that it has no forecast of; FIT_OK: it
                        has one of all that this run tried */
} ForecastAccuracy;

typedef struct ForecastAccuracies {
    SeriesModels models;                  /* measured */
    ForecastAccuracy of[SERIES_MEASURED]; /* of one that is not measured: no series */
} ForecastAccuracies;

/* What to measure. */
typedef struct ForecastMeasures {
    int first, n_origins; /* origins [first, first + n_origins) */
    int n_before; /* origins before each that the mix and the intervals there are learned from */
    const AccuracyLevels *levels; /* NULL: no WRMSSE */
    const TierNodes *nodes;       /* above the series; NULL: nothing is made to add up */
    ReconcileMethod reconcile;
} ForecastMeasures;

/* Every model and the mix; with nodes also what would have been published. Collective. */
Status forecast_measure(Comm *comm, const SeriesSet *set, const Backtest *backtest,
                        const ForecastMeasures *asked, ForecastAccuracies *accuracies,
                        Error *error) VESPER_MUST_USE;

#endif
