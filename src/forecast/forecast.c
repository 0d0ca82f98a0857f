/* The story of forecast; see forecast.h. */
#include "forecast/forecast.h"

#include "base/log.h"
#include "base/memory.h"
#include "kernel/outliers.h"

#include <math.h>
#include <string.h>

typedef struct ForecastRun {
    Comm *comm;
    Store *store;
    const ForecastPlan *plan;
    const char *name;
    ResultWriter *writer;
    ForecastSummary *summary;
    Shop shop;
    SeriesSet set;
    Backtest backtest;
    ForecastAccuracies accuracies;
    Combination combination;
    ModelIntervals intervals;
    TierNodes nodes;
    Tiers tiers;
    double stage_started;
} ForecastRun;

static void run_free(ForecastRun *run)
{
    shop_free(&run->shop);
    series_set_free(&run->set);
    backtest_free(&run->backtest);
    model_intervals_free(&run->intervals);
    tier_nodes_free(&run->nodes);
    tiers_free(&run->tiers);
}

static void log_stage(ForecastRun *run, const char *stage)
{
    double now = clock_seconds();
    log_line(LOG_INFO, LOG_ROOT, stage, "seconds=%.3f", now - run->stage_started);
    run->stage_started = now;
}

/* How many products of the catalogue have no series. Collective. */
static Status count_without_series(ForecastRun *run, Error *error)
{
    Status status;
    int64_t *series = NULL;
    int32_t n = run->shop.product.count;
    const int32_t *products =
        run->set.n > 0 ? table_column_const(&run->set.keys, "product")->data : NULL;
    TRY_ALL(run->comm, mem_resize(&series, n, sizeof *series, "series of products", error), error);
    memset(series, 0, (size_t)n * sizeof *series);
    for (int64_t i = 0; i < run->set.n; i++)
        series[products[i]]++;
    comm_sum_i64(run->comm, series, n);
    for (int32_t p = 0; p < n; p++) {
        run->summary->listed += run->shop.catalogue.is_listed[p];
        run->summary->without_series += run->shop.catalogue.is_listed[p] && series[p] == 0;
    }
out:
    mem_free(&series);
    return status;
}

static Status read_history(ForecastRun *run, Error *error)
{
    Status status;
    SeriesReadOptions options = run->plan->series;
    options.place = (SpoolPlace){.store = run->store, .run = run->name};
    TRY(shop_open(run->comm, run->store, &run->shop, error));
    TRY(series_read(run->comm, run->store, &run->shop, &options, &run->set, &run->summary->pieces,
                    error));
    TRY(count_without_series(run, error));
    run->summary->series = run->set.total;
    log_stage(run, "forecast.history");
out:
    return status;
}

static Status try_models(ForecastRun *run, Error *error)
{
    Status status;
    BacktestOptions options = run->plan->backtest;
    options.place = (SpoolPlace){.store = run->store, .run = run->name};
    TRY(backtest_run(run->comm, &run->set, &options, &run->backtest, error));
    TRY(tier_nodes_make(run->comm, &run->shop, &run->set, &run->backtest, &run->nodes, error));
    log_stage(run, "forecast.models");
out:
    return status;
}

/* The last origin, by what was known before it: the figures that the night is judged by. */
static Status measure(ForecastRun *run, Error *error)
{
    Status status = STATUS_OK;
    ForecastSummary *summary = run->summary;
    int before = run->plan->backtest.n_origins - 2;
    if (before < 1)
        return STATUS_OK;
    ForecastMeasures asked = {.first = 1,
                              .n_origins = 1,
                              .n_before = before,
                              .nodes = &run->nodes,
                              .reconcile = run->plan->reconcile};
    TRY(forecast_measure(run->comm, &run->set, &run->backtest, &asked, &run->accuracies, error));
    summary->published = run->accuracies.of[SERIES_PUBLISHED];
    summary->rival = run->accuracies.of[SERIES_SEASONAL_NAIVE];
    summary->has_season = summary->rival.series > 0;
    if (!summary->has_season)
        summary->rival = run->accuracies.of[SERIES_NAIVE2];
    summary->is_measured = summary->published.series > 0;
    log_stage(run, "forecast.measure");
out:
    return status;
}

/* Periods that the longest lead time and a review take. */
static int longest_cover(const ForecastRun *run)
{
    const Catalogue *catalogue = &run->shop.catalogue;
    int32_t lead = run->plan->lead_time_days;
    for (int32_t p = 0; p < run->shop.product.count; p++) {
        if (catalogue->lead_time_days[p] > lead)
            lead = catalogue->lead_time_days[p];
    }
    double days = (double)lead + run->plan->review_days;
    return 1 + (int)(days / frequency_days(run->plan->series.frequency));
}

/* Collective. */
static Status look_ahead(ForecastRun *run, Error *error)
{
    Status status;
    const BacktestOptions *options = &run->plan->backtest;
    int past = options->n_origins - 1;
    TRY(combination_learn(run->comm, &run->set, &run->backtest, 1, past, &run->combination, error));
    ModelForecasts mix = {.set = &run->set,
                          .backtest = &run->backtest,
                          .model = SERIES_COMBINED,
                          .combination = &run->combination};
    TRY(model_intervals_learn(run->comm, &mix, 1, past, longest_cover(run), &run->intervals,
                              error));
    TRY(tiers_forecast(run->comm, &run->set, &run->backtest, &run->combination, &run->nodes,
                       run->plan->reconcile, 0, past, &run->tiers, error));
    run->summary->reconciled = run->tiers.outcome;
    log_stage(run, "forecast.ahead");
out:
    return status;
}

/* ---- tables ---- */

/* What all ranks found, together. */
typedef enum FoundSum {
    FOUND_FALLBACKS,
    FOUND_UNITS,
    FOUND_ANOMALIES,
    FOUND_OUTLIERS,
    FOUND_PLANNED,
    FOUND_STOCKED,
    FOUND_TO_ORDER,
    FOUND_SUMS
} FoundSum;

static void summarise(ForecastRun *run, int64_t anomalies, const InventoryCounts *inventory)
{
    ForecastSummary *summary = run->summary;
    int64_t sums[FOUND_SUMS] = {[FOUND_ANOMALIES] = anomalies,
                                [FOUND_OUTLIERS] = run->backtest.outliers[0],
                                [FOUND_PLANNED] = inventory->planned,
                                [FOUND_STOCKED] = inventory->stocked,
                                [FOUND_TO_ORDER] = inventory->to_order};
    int64_t cells = run->set.n * run->plan->backtest.horizon;
    for (int64_t i = 0; i < run->set.n; i++)
        sums[FOUND_FALLBACKS] += run->tiers.source[i] != FORECAST_MIX;
    for (int64_t k = 0; k < cells; k++)
        sums[FOUND_UNITS] += run->tiers.units[k];
    comm_sum_i64(run->comm, sums, FOUND_SUMS);
    summary->fallbacks = sums[FOUND_FALLBACKS];
    summary->units = sums[FOUND_UNITS];
    summary->anomalies = sums[FOUND_ANOMALIES];
    summary->outliers = sums[FOUND_OUTLIERS];
    summary->inventory = (InventoryCounts){.planned = sums[FOUND_PLANNED],
                                           .stocked = sums[FOUND_STOCKED],
                                           .to_order = sums[FOUND_TO_ORDER]};
}

static Status write_series(ForecastRun *run, const Forecasts *from, Error *error)
{
    Status status;
    Table rows = {0};
    Anomalies anomalies = {0};
    InventoryCounts inventory;
    const char *key = forecast_rows_key(from->grouping);
    InventoryTerms usual = {.on_hand = NAN,
                            .lead_days = (double)run->plan->lead_time_days,
                            .review_days = (double)run->plan->review_days,
                            .service_level = run->plan->service_level,
                            .holding_rate = run->plan->holding_rate};
    TRY_ALL(run->comm, forecast_daily_rows(from, &rows, error), error);
    TRY(results_write(run->comm, run->writer, "forecast_daily", key, &rows, error));
    TRY_ALL(
        run->comm,
        anomalies_find(&run->set, OUTLIERS_LIMIT_99, run->plan->anomaly_periods, &anomalies, error),
        error);
    TRY_ALL(run->comm, anomaly_rows(from, &anomalies, &rows, error), error);
    TRY(results_write(run->comm, run->writer, "demand_anomaly", key, &rows, error));
    TRY_ALL(run->comm, inventory_rows(from, &usual, &rows, &inventory, error), error);
    TRY(results_write(run->comm, run->writer, "inventory_plan", "product_id", &rows, error));
    summarise(run, anomalies.n, &inventory);
out:
    anomalies_free(&anomalies);
    table_free(&rows);
    return status;
}

static Status write_tables(ForecastRun *run, Error *error)
{
    Status status;
    Table rows = {0};
    Forecasts from = {.shop = &run->shop,
                      .grouping = run->plan->series.grouping,
                      .set = &run->set,
                      .backtest = &run->backtest,
                      .nodes = &run->nodes,
                      .tiers = &run->tiers,
                      .intervals = &run->intervals};
    TRY(write_series(run, &from, error));
    TRY_ALL(run->comm, forecast_total_rows(&from, &rows, error), error);
    TRY(results_write_root(run->comm, run->writer, "forecast_total", "level,name,day", &rows,
                           error));
    TRY_ALL(run->comm, forecast_accuracy_rows(&run->accuracies, &run->combination, &rows, error),
            error);
    TRY(results_write_root(run->comm, run->writer, "forecast_accuracy", "model", &rows, error));
    log_stage(run, "forecast.tables");
out:
    table_free(&rows);
    return status;
}

Status forecast_run(Comm *comm, Store *store, const ForecastPlan *plan, const char *name,
                    ResultWriter *writer, ForecastSummary *summary, Error *error)
{
    Status status;
    ForecastRun run = {.comm = comm,
                       .store = store,
                       .plan = plan,
                       .name = name,
                       .writer = writer,
                       .summary = summary,
                       .stage_started = clock_seconds()};
    *summary = (ForecastSummary){0};
    TRY(read_history(&run, error));
    TRY(try_models(&run, error));
    TRY(measure(&run, error));
    TRY(look_ahead(&run, error));
    TRY(write_tables(&run, error));
out:
    run_free(&run);
    return status;
}
