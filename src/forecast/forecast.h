/* Forecast: how much of each product will be asked for, and when to reorder it.
 *
 * Every model forecasts every series from several origins in the past; weights and intervals are
 * learned from what came then, and the last origin tells how good they are. From the end of the
 * history the same mix gives the night's forecasts, which are made to add up from product to
 * category to shop, and the inventory plan. */
#ifndef VESPER_FORECAST_FORECAST_H
#define VESPER_FORECAST_FORECAST_H

#include "forecast/forecast_rows.h"
#include "forecast/reconcile.h"
#include "forecast/series_read.h"
#include "store/results.h"

typedef struct ForecastPlan {
    SeriesReadOptions series;
    BacktestOptions backtest; /* origins: the end of the history and those learned from */
    ReconcileMethod reconcile;
    int32_t anomaly_periods; /* how far back demand_anomaly looks */
    int32_t lead_time_days;  /* of products that the catalogue says nothing of */
    int32_t review_days;     /* from one chance to order to the next */
    double service_level;    /* probability to have enough */
    double holding_rate;     /* of a piece's cost, a year; 0: not known */
} ForecastPlan;

/* What a person is told at the end. */
typedef struct ForecastSummary {
    int64_t series;
    SeriesReadCounts pieces;           /* that the series are made of, and others */
    int64_t listed;                    /* products of the catalogue, */
    int64_t without_series;            /* of which nothing was sold, or in too few periods */
    int64_t outliers;                  /* values that no model sees as they are */
    int64_t fallbacks;                 /* series that were not forecast by the mix */
    bool is_measured;                  /* the history was long enough */
    ForecastAccuracy published, rival; /* of what is published and of the seasonal naive, from the
                                          last origin; */
    bool has_season;                   /* without a season of the last value */
    int64_t units;                     /* forecast, all in all */
    int64_t anomalies;
    InventoryCounts inventory;
    ReconcileOutcome reconciled;
} ForecastSummary;

/* Compute and write forecast_daily, forecast_total, forecast_accuracy, demand_anomaly and
 * inventory_plan (docs/tables.md). name: of the results, for checkpoints: a run that was killed or
 * stopped goes on after the last batch of series that was forecast. Collective. */
Status forecast_run(Comm *comm, Store *store, const ForecastPlan *plan, const char *name,
                    ResultWriter *writer, ForecastSummary *summary, Error *error) VESPER_MUST_USE;

#endif
