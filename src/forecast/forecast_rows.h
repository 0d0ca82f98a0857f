/* Rows of the published forecast tables (docs/tables.md). Local: each rank makes those of its own
 * series, in the order of the tables' keys. */
#ifndef VESPER_FORECAST_FORECAST_ROWS_H
#define VESPER_FORECAST_FORECAST_ROWS_H

#include "forecast/anomalies.h"
#include "forecast/forecast_accuracy.h"
#include "forecast/inventory.h"
#include "forecast/series_read.h"
#include "forecast/tiers.h"

/* What the night found; all of this rank's series. */
typedef struct Forecasts {
    const Shop *shop;
    SeriesGrouping grouping;
    const SeriesSet *set;
    const Backtest *backtest;
    const TierNodes *nodes;
    const Tiers *tiers;
    ModelIntervals *intervals;
} Forecasts;

/* Keys of the two tables that have a row a series and period: "product_id,day", or with what the
 * series are grouped by between. */
const char *forecast_rows_key(SeriesGrouping grouping);

Status forecast_daily_rows(const Forecasts *from, Table *rows, Error *error) VESPER_MUST_USE;
Status anomaly_rows(const Forecasts *from, const Anomalies *anomalies, Table *rows,
                    Error *error) VESPER_MUST_USE;

/* Products that are planned for. */
typedef struct InventoryCounts {
    int64_t planned;
    int64_t stocked;  /* of them, whose stock is known */
    int64_t to_order; /* of those, to be ordered now */
} InventoryCounts;

/* Products with terms of their own or the plan's; none if series are of parts of products. */
Status inventory_rows(const Forecasts *from, const InventoryTerms *usual, Table *rows,
                      InventoryCounts *counts, Error *error) VESPER_MUST_USE;

/* Of all nodes, and of all models: whole on every rank. */
Status forecast_total_rows(const Forecasts *from, Table *rows, Error *error) VESPER_MUST_USE;
Status forecast_accuracy_rows(const ForecastAccuracies *accuracies, const Combination *combination,
                              Table *rows, Error *error) VESPER_MUST_USE;

#endif
