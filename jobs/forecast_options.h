/* ForecastOptions of a run, from its configuration. */
#ifndef VESPER_JOBS_FORECAST_OPTIONS_H
#define VESPER_JOBS_FORECAST_OPTIONS_H

#include "base/config.h"
#include "forecast/forecast.h"

typedef struct ForecastOptions {
    const char *series, *test; /* files of series, NULL: the store; `test` NULL: hold periods out */
    int measured;              /* origins that are measured with --evaluate */
    ForecastPlan plan;
} ForecastOptions;

/* STATUS_USAGE says which setting, and what is possible. Local; the same on every rank. */
Status forecast_options_read(const Config *config, ForecastOptions *options,
                             Error *error) VESPER_MUST_USE;

#endif
