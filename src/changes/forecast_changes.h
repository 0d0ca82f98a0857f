/* What a night forecasts otherwise than the night before. Local. */
#ifndef VESPER_CHANGES_FORECAST_CHANGES_H
#define VESPER_CHANGES_FORECAST_CHANGES_H

#include "changes/changes.h"

Status forecast_changes_find(ResultReader *before, ResultReader *after, int64_t limit,
                             ForecastChanges *changes, Error *error) VESPER_MUST_USE;

#endif
