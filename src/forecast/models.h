/* Models: every way to forecast a series by itself, behind one call. */
#ifndef VESPER_FORECAST_MODELS_H
#define VESPER_FORECAST_MODELS_H

#include "base/bytes.h"
#include "kernel/ces.h"
#include "kernel/ets.h"

/* In the order of the accuracy tables: rivals, smoothing, lumpy demand, all of them. */
typedef enum SeriesModel {
    SERIES_NAIVE,
    SERIES_SEASONAL_NAIVE,
    SERIES_NAIVE2,
    SERIES_AVERAGE,        /* mean of the last four seasons */
    SERIES_SEASON_AVERAGE, /* mean of the same place in the last eight seasons */
    SERIES_SES,
    SERIES_HOLT,
    SERIES_DAMPED,
    SERIES_COMB, /* mean of the three */
    SERIES_THETA,
    SERIES_DYNAMIC_THETA,
    SERIES_ETS,
    SERIES_CES,
    SERIES_MSTL,   /* the season and the one above it */
    SERIES_MEDIAN, /* of ets, ces, dynamic theta and theta */
    SERIES_CROSTON,
    SERIES_SBA,
    SERIES_TSB,
    SERIES_ADIDA,
    SERIES_IMAPA,
    SERIES_POOLED, /* across series: pooled.h */
    SERIES_MODELS,
    SERIES_COMBINED = SERIES_MODELS, /* the mix of them: combination.h */
    SERIES_PUBLISHED,                /* the mix after adding up: tiers.h */
    SERIES_MEASURED                  /* all that have a row in accuracy tables */
} SeriesModel;

const char *series_model_name(SeriesModel model);
/* SERIES_MODELS if there is no model of that name. */
SeriesModel series_model_by_name(Bytes name);

/* A set of models: bit 1 << model. */
typedef uint32_t SeriesModels;
static inline bool series_models_have(SeriesModels models, SeriesModel model)
{
    return (models >> model & 1U) != 0;
}

/* Doubles of workspace for series of n values at most. Local. */
int64_t series_models_work(int n, int season, int longer_season, int horizon);

/* What models that search found in a series when it was shorter. All zero is nothing. */
typedef struct SeriesMemory {
    EtsBefore ets;
    CesBefore ces;
} SeriesMemory;

/* Forecasts of those `asked` for but SERIES_POOLED, which is left alone: forecasts [SERIES_MODELS x
 * horizon] and outcomes [SERIES_MODELS]; the rows of others, and of those that fail, are unset. A
 * series that is nowhere negative has no negative forecasts. ses, holt, damped and comb see the
 * series adjusted as in the M4 benchmarks (seasonality.h). mstl has the series' season and the
 * longer one (0: none); dot, ets and ces see a series that has only the longer one without it
 * (long_season.h). Searches begin where those of `memory` ended, which is then of this series.
 * seconds [SERIES_MODELS] are added to. Local, safe in threads. */
void series_models_run(SeriesView series, int longer_season, SeriesModels asked, int horizon,
                       SeriesMemory *memory, double *forecasts, FitOutcome *outcomes,
                       double *seconds, double *work);

#endif
