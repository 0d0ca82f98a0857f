/* vesper forecast: how much of each product will be asked for, and when to reorder it.
 *
 * Question: what will the shop's customers ask for in the next weeks, how sure is that, and what
 * must be ordered now? In: the store's orders, products, promotions, stock-outs and holidays. Out:
 * results of this generation: forecast_daily, forecast_total, forecast_accuracy, demand_anomaly,
 * inventory_plan (docs/tables.md).
 *
 * With --evaluate nothing is written; a table on stdout has a row a model, one for the mix of
 * them and, of a store, one for what would be published, measured at several origins of the store's
 * history or of --series FILE, or by --test FILE, what came after. Means over the series and
 * origins (docs/methods/forecast_accuracy.md):
 *   sMAPE          percent
 *   MASE, RMSSE    1: as the naive forecast did in the past
 *   OWA            1: as Naive2
 *   bias           share of what came
 *   pinball        of the quantiles, scaled as RMSSE
 *   WRMSSE         of all --levels, weighted; only with these
 *   within 80 %    share of what came between low_80 and high_80
 *   seconds        of all threads and ranks */
#include "as_of.h"
#include "forecast/series_files.h"
#include "forecast_table.h"
#include "options.h"
#include "part.h"
#include "predict.h"
#include "stage.h"
#include "summary.h"

#include <stdlib.h>
#include <string.h>

Status choose_forecasts(Run *run, Error *error)
{
    return comm_agree(run->comm, forecast_options_read(run->config, &run->forecast_options, error),
                      error);
}

static const char *scratch_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder != NULL ? folder : "/tmp";
}

static Status read_files(Run *run, Error *error)
{
    Status status;
    const ForecastOptions *options = &run->forecast_options;
    SeriesFileOptions files = {.frequency = options->plan.series.frequency,
                               .season = options->plan.backtest.season,
                               .ahead = options->plan.backtest.horizon,
                               .cost = options->plan.series.cost,
                               .folder = scratch_folder()};
    TRY(series_files_read(run->comm, options->series, &files, &run->series, &run->series_lines,
                          error));
    if (options->test != NULL)
        TRY(series_files_read_actual(run->comm, options->test, &files, &run->series,
                                     &run->series_after, &run->series_after_lines, error));
out:
    return status;
}

static Status read_series(Run *run, Error *error)
{
    Status status;
    const ForecastOptions *options = &run->forecast_options;
    if (options->series != NULL) {
        TRY(read_files(run, error));
    } else {
        TRY(shop_open(run->comm, run->store, &run->shop, error));
        SeriesReadOptions own = options->plan.series;
        own.place = (SpoolPlace){.folder = scratch_folder()};
        TRY(series_read(run->comm, run->store, &run->shop, &own, &run->series, &run->series_pieces,
                        error));
    }
    stage_note(run, "series=%lld", (long long)run->series.total);
out:
    return status;
}

/* With --test from the end of the series, else from origins before it; each learns from those that
 * came before it. */
static Status measure_models(Run *run, Error *error)
{
    Status status;
    Backtest backtest = {0};
    BacktestOptions options = run->forecast_options.plan.backtest;
    int past = options.n_origins - 1;
    bool has_test = run->series_after != NULL;
    int measured = has_test ? 1 : run->forecast_options.measured;
    options.n_origins = past + measured + (has_test ? 0 : 1);
    options.place = (SpoolPlace){.folder = scratch_folder()};
    AccuracyLevels levels = {0};
    TierNodes nodes = {0};
    bool has_store = run->forecast_options.series == NULL;
    const char *wanted = config_text(run->config, "levels");
    if (wanted != NULL)
        TRY(accuracy_levels_make(run->comm, &run->series, wanted, &levels, error));
    TRY(backtest_run(run->comm, &run->series, &options, &backtest, error));
    backtest.after = run->series_after;
    if (has_store)
        TRY(tier_nodes_make(run->comm, &run->shop, &run->series, &backtest, &nodes, error));
    ForecastMeasures asked = {.first = has_test ? 0 : 1,
                              .n_origins = measured,
                              .n_before = past,
                              .levels = wanted != NULL ? &levels : NULL,
                              .nodes = has_store ? &nodes : NULL,
                              .reconcile = run->forecast_options.plan.reconcile};
    TRY(forecast_measure(run->comm, &run->series, &backtest, &asked, &run->forecast_accuracies,
                         error));
out:
    accuracy_levels_free(&levels);
    tier_nodes_free(&nodes);
    backtest_free(&backtest);
    return status;
}

static Status job_evaluate(Run *run, Error *error)
{
    Status status;
    bool has_store = run->forecast_options.series == NULL;
    TRY(as_of_read(run, has_store, error));
    if (has_store) {
        TRY(stage_run(run, "open", open_to_read, error));
        TRY(as_of_look_back(run, error));
    }
    TRY(stage_run(run, "read", read_series, error));
    TRY(stage_run(run, "evaluate", measure_models, error));
    if (config_text(run->config, "run-record") != NULL)
        TRY(stage_run(run, "record", run_record_write_copy, error));
    forecast_table_print(run);
    summary_done(run);
out:
    return status;
}

static Status write_forecasts(Run *run, ResultWriter *writer, Error *error)
{
    Status status;
    TRY(forecast_run(run->comm, run->store, &run->forecast_options.plan,
                     run->parts[PART_FORECAST].name, writer, &run->forecast, error));
    stage_note(run, "series=%lld", (long long)run->forecast.series);
out:
    return status;
}

Status make_forecasts(Run *run, Error *error)
{
    return part_make(run, PART_FORECAST, write_forecasts, error);
}

/* Named beside the series of a file, other than by the ini, which may be a shop's. */
static bool names_store(const Config *config)
{
    const char *store = config_text(config, "store"), *usual = config_ini(config, "store", "path");
    return store != NULL && (usual == NULL || strcmp(store, usual) != 0);
}

/* The first of the flags that stands on the command line; NULL: none. An ini may be a shop's, with
 * more than a job needs. */
static const char *first_argument(const Config *config, const char *const *flags)
{
    while (*flags != NULL && !config_is_argument(config, *flags))
        flags++;
    return *flags;
}

/* What would have no effect is a mistake. */
static Status refuse_idle(const Run *run, Error *error)
{
    static const char *const measuring[] = {"series", "levels", "measure-origins"};
    static const char *const ordering[] = {"anomaly-periods", "lead-time",    "review-days",
                                           "service-level",   "holding-rate", NULL};
    static const char *const of_stores[] = {"forecast-by", "least-periods", "reconcile", NULL};
    Status status = STATUS_OK;
    const Config *config = run->config;
    const ForecastOptions *options = &run->forecast_options;
    bool is_measured = config_switch(config, "evaluate");
    const char *idle = first_argument(config, ordering);
    for (int k = 0; k < 3 && !is_measured; k++) {
        if (config_is_set(config, measuring[k]))
            FAIL(error, STATUS_USAGE, "--%s is for measuring models: give --evaluate with it",
                 measuring[k]);
    }
    if (is_measured && idle != NULL)
        FAIL(error, STATUS_USAGE, "--%s changes no forecast: --evaluate has no use for it", idle);
    idle = first_argument(config, of_stores);
    if (options->series != NULL && idle != NULL)
        FAIL(error, STATUS_USAGE,
             "--%s is for series of a store: those of --series are taken as they are", idle);
    if (options->series != NULL && names_store(config))
        FAIL(error, STATUS_USAGE,
             "--series and --store (or VESPER_STORE) name two sources of series: give one");
    if (options->test != NULL && config_is_set(config, "measure-origins"))
        FAIL(error, STATUS_USAGE,
             "--measure-origins holds ends of the series out, --test says what came after them: "
             "give one");
out:
    return status;
}

Status job_forecast(Run *run, Error *error)
{
    Status status;
    TRY(choose_forecasts(run, error));
    TRY(comm_agree(run->comm, refuse_idle(run, error), error));
    if (config_switch(run->config, "evaluate"))
        return job_evaluate(run, error);
    TRY(as_of_read(run, true, error));
    TRY(stage_run(run, "open", open_to_write, error));
    TRY(as_of_look_back(run, error));
    TRY(predict_check(run, (const PlanStage[]){PLAN_FORECAST}, 1, error));
    TRY(stage_run(run, "forecast", make_forecasts, error));
    TRY(stage_run(run, "record", run_record_write, error));
    summary_of_store(run);
    summary_of_forecast(run);
    summary_done(run);
out:
    return status;
}
