/* The story of forecast; see forecast.h. */
#include "forecast/forecast.h"

#include "base/log.h"
#include "base/memory.h"
#include "forecast/forecast_rows.h"
#include "kernel/outliers.h"

#include <math.h>

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

static Status read_history(ForecastRun *run, Error *error)
{
    Status status;
    SeriesReadCounts counts;
    SeriesReadOptions options = run->plan->series;
    options.place = (SpoolPlace){.store = run->store, .run = run->name};
    TRY(shop_open(run->comm, run->store, &run->shop, error));
    TRY(series_read(run->comm, run->store, &run->shop, &options, &run->set, &counts, error));
    run->summary->series = run->set.total;
    run->summary->out_of_stock = counts.out_of_stock;
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
    summary->mix = run->accuracies.of[SERIES_COMBINED];
    summary->rival = run->accuracies.of[SERIES_SEASONAL_NAIVE];
    summary->is_measured = summary->mix.series > 0;
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

static Status write_rows(ForecastRun *run, const char *table, const char *key, Table *rows,
                         Error *error)
{
    Status status;
    TRY(results_write(run->comm, run->writer, table, key, rows, error));
    table_free(rows);
out:
    return status;
}

static Status find_anomalies(ForecastRun *run, Anomalies *anomalies, Error *error)
{
    Status status;
    bool *is_count = NULL;
    TRY(mem_resize(&is_count, run->set.n, sizeof *is_count, "kinds of series", error));
    for (int64_t i = 0; i < run->set.n; i++)
        is_count[i] = true;
    TRY(anomalies_find(&run->set, is_count, OUTLIERS_LIMIT_99, run->plan->anomaly_periods,
                       anomalies, error));
out:
    mem_free(&is_count);
    return status;
}

static void summarise(ForecastRun *run, int64_t anomalies, int64_t to_order)
{
    int64_t sums[5] = {0, 0, anomalies, to_order, run->backtest.outliers[0]};
    int64_t cells = run->set.n * run->plan->backtest.horizon;
    for (int64_t i = 0; i < run->set.n; i++)
        sums[0] += run->tiers.source[i] != FORECAST_MIX;
    for (int64_t k = 0; k < cells; k++)
        sums[1] += run->tiers.units[k];
    comm_sum_i64(run->comm, sums, 5);
    run->summary->fallbacks = sums[0];
    run->summary->units = sums[1];
    run->summary->anomalies = sums[2];
    run->summary->to_order = sums[3];
    run->summary->outliers = sums[4];
}

static Status write_series(ForecastRun *run, const Forecasts *from, Error *error)
{
    Status status;
    Table rows = {0};
    Anomalies anomalies = {0};
    int64_t to_order = 0;
    InventoryTerms usual = {.on_hand = NAN,
                            .lead_days = (double)run->plan->lead_time_days,
                            .review_days = (double)run->plan->review_days,
                            .service_level = run->plan->service_level,
                            .holding_rate = run->plan->holding_rate};
    TRY_ALL(run->comm, forecast_daily_rows(from, &rows, error), error);
    TRY(write_rows(run, "forecast_daily", forecast_rows_key(&run->set), &rows, error));
    TRY_ALL(run->comm, find_anomalies(run, &anomalies, error), error);
    TRY_ALL(run->comm, anomaly_rows(from, &anomalies, &rows, error), error);
    TRY(write_rows(run, "demand_anomaly", forecast_rows_key(&run->set), &rows, error));
    TRY_ALL(run->comm, inventory_rows(from, &usual, &rows, &to_order, error), error);
    TRY(write_rows(run, "inventory_plan", "product_id", &rows, error));
    summarise(run, anomalies.n, to_order);
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
