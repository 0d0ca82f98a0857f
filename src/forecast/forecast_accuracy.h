/* Accuracy of forecasts: every model and the mix of them, against what came after past origins.
 * Definitions: docs/methods/forecast_accuracy.md. */
#ifndef VESPER_FORECAST_FORECAST_ACCURACY_H
#define VESPER_FORECAST_FORECAST_ACCURACY_H

#include "forecast/level_accuracy.h"
#include "forecast/model_intervals.h"

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
} ForecastAccuracy;

typedef struct ForecastAccuracies {
    SeriesModels models;                    /* measured */
    ForecastAccuracy of[SERIES_MODELS + 1]; /* the last: of the mix */
} ForecastAccuracies;

/* Measure at the origins [first, first + n_origins). The mix and the intervals of each are learned
 * from the `n_before` origins before it. levels: NULL: no WRMSSE. Collective. */
Status forecast_measure(Comm *comm, const SeriesSet *set, const Backtest *backtest, int first,
                        int n_origins, int n_before, const AccuracyLevels *levels,
                        ForecastAccuracies *accuracies, Error *error) VESPER_MUST_USE;

#endif
