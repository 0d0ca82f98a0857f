/* Combination: one forecast from those of all models, weighted by how they did.
 *
 * Series are taken together by the class of their demand (Syntetos, Boylan, Croston 2005), since
 * the past of one series is too short to choose by: weights are those, not below zero and adding up
 * to one, that would have given the least mean RMSSE at the origins learned from. How far a series'
 * own past changes them is learned too: in proportion to a power of how much each model missed
 * there (Bates, Granger 1969). */
#ifndef VESPER_FORECAST_COMBINATION_H
#define VESPER_FORECAST_COMBINATION_H

#include "forecast/backtest.h"
#include "forecast/demand_class.h"

/* Where a forecast comes from. */
typedef enum ForecastSource {
    FORECAST_MIX,
    FORECAST_NEW,       /* what new series were asked for on average */
    FORECAST_LAST_VALUE /* no model had a forecast */
} ForecastSource;

const char *forecast_source_name(ForecastSource source);

typedef struct Combination {
    double weights[DEMAND_CLASSES][SERIES_MODELS];
    double power[DEMAND_CLASSES];         /* weights of a series are as those times RMSE^-power */
    int end;                              /* origins from this one on were not learned from */
    int64_t learned_from[DEMAND_CLASSES]; /* series and origins */
    /* Units an open period of a new series: the square of the mean of roots, which a few that took
     * off move less than the mean. NaN: there were none. */
    double new_mean;
} Combination;

/* Learn from origins [first, first + n_origins), where what came is known. Without any, weights are
 * equal over the models asked for. Collective; the same on every rank. */
Status combination_learn(Comm *comm, const SeriesSet *set, const Backtest *backtest, int first,
                         int n_origins, Combination *combination, Error *error) VESPER_MUST_USE;

/* mean [horizon] out, at an origin: of a new series what such series were asked for; of others the
 * mix, weights made up to one over the models that have a forecast; else the
 * last known value, or 0. Series i is at hand (backtest_load). Local. */
ForecastSource combination_forecast(const Combination *combination, const SeriesSet *set,
                                    const Backtest *backtest, int64_t i, int origin, double *mean);

#endif
