/* What one model, or the mix, forecast in a backtest, and the intervals around it: batch by batch,
 * so that memory does not grow with the series. */
#ifndef VESPER_FORECAST_MODEL_INTERVALS_H
#define VESPER_FORECAST_MODEL_INTERVALS_H

#include "forecast/combination.h"
#include "forecast/intervals.h"

typedef struct ModelForecasts {
    const SeriesSet *set;
    const Backtest *backtest;
    SeriesModel model;
    const Combination *combination; /* of SERIES_COMBINED and SERIES_PUBLISHED */
    /* Of SERIES_PUBLISHED, that is the mix but at one origin: */
    const double *published; /* [n x horizon] */
    int published_from;
} ModelForecasts;

/* mean [horizon] out; false: there is no forecast. Series i is at hand (backtest_load). Local. */
bool model_forecast(const ModelForecasts *from, int64_t i, int origin, double *mean);

/* All zero is empty. */
typedef struct ModelIntervals {
    ModelForecasts from;
    int first, n_origins;      /* origins that they are learned from */
    double *forecast, *actual; /* [batch x n_origins x horizon] */
    double *scale;             /* [batch] */
    bool *is_count;            /* [batch] */
    IntervalModel model;
} ModelIntervals;

/* From the origins [first, first + n_origins). longest: of intervals.h. Collective. */
Status model_intervals_learn(Comm *comm, const ModelForecasts *from, int first, int n_origins,
                             int longest, ModelIntervals *intervals, Error *error) VESPER_MUST_USE;
/* Have series i at hand in intervals->model, and in the backtest. Local; one thread. */
Status model_intervals_load(ModelIntervals *intervals, int64_t i, Error *error) VESPER_MUST_USE;
void model_intervals_free(ModelIntervals *intervals);

#endif
