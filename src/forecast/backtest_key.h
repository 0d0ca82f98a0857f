/* The key of a backtest's checkpoint: a hash of what its forecasts are made from. */
#ifndef VESPER_FORECAST_BACKTEST_KEY_H
#define VESPER_FORECAST_BACKTEST_KEY_H

#include "forecast/backtest.h"

/* The same at any number of ranks. Collective. */
Status backtest_key(Comm *comm, const SeriesSet *set, const BacktestOptions *options, uint64_t *key,
                    Error *error) VESPER_MUST_USE;

#endif
