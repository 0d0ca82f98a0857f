/* What to forecast, how, and what to measure it by: the forecast options of a run. */
#include "forecast_options.h"

#include "base/suggest.h"

#include <stdlib.h>
#include <string.h>

enum { MEASURED_USUALLY = 3 };
static const SeriesModels USUAL = (1U << SERIES_MODELS) - 1;
/* Nanoseconds of all models for a series of n values and an origin: the line through what
 * bench/forecast.sh prints by length (2.9, 5.1, 8.5, 14.5, 28.7 ms for 90, 180, 365, 730, 1,460
 * days, three origins, seasons of 7). Only ratios matter. */
static const SeriesCost COST = {{1.3e6, 1.87e4, 0, 0}};

/* Refuse `word`, which is none of names [n]. */
static Status refuse_word(const char *setting, const char *what, Bytes word,
                          const char *const *names, int n, Error *error)
{
    Buffer text = {0};
    char wrong[64] = {0};
    memcpy(wrong, word.data, (size_t)(word.size < 63 ? word.size : 63));
    buffer_printf(&text, "%s: there is no %s '%s'", setting, what, wrong);
    suggest_words(&text, wrong, names, n, "");
    Status status = error_set(error, STATUS_USAGE, __FILE__, __LINE__, "%s", buffer_string(&text));
    buffer_free(&text);
    return status;
}

static Status read_models(const Config *config, SeriesModels *models, Error *error)
{
    static const char separators[] = ", ";
    Status status = STATUS_OK;
    const char *names[SERIES_MODELS];
    const char *at = config_text(config, "forecast-models");
    for (int m = 0; m < SERIES_MODELS; m++)
        names[m] = series_model_name((SeriesModel)m);
    *models = strcmp(at, "all") == 0 ? USUAL : 0;
    for (at += strspn(at, separators); *models != USUAL && *at != '\0';
         at += strspn(at, separators)) {
        Bytes name = {.data = at, .size = (int64_t)strcspn(at, separators)};
        SeriesModel model = series_model_by_name(name);
        if (model == SERIES_MODELS)
            TRY(refuse_word("--forecast-models (or models under [forecast])", "model", name, names,
                            SERIES_MODELS, error));
        *models |= 1U << model;
        at += name.size;
    }
    if (*models == 0)
        FAIL(error, STATUS_USAGE,
             "--forecast-models (or models under [forecast]) names no model; say 'all' for all of "
             "them");
    /* Rivals of every table. */
    *models |= 1U << SERIES_SEASONAL_NAIVE | 1U << SERIES_NAIVE2;
out:
    return status;
}

static Status read_frequency(const Config *config, Frequency *frequency, Error *error)
{
    Status status = STATUS_OK;
    const char *names[FREQUENCY_COUNT];
    Bytes name = bytes_of(config_text(config, "frequency"));
    for (int f = 0; f < FREQUENCY_COUNT; f++)
        names[f] = frequency_name((Frequency)f);
    *frequency = frequency_by_name(name);
    if (*frequency == FREQUENCY_COUNT)
        TRY(refuse_word("--frequency (or frequency under [forecast])", "frequency", name, names,
                        FREQUENCY_COUNT, error));
out:
    return status;
}

static Status read_grouping(const Config *config, SeriesGrouping *grouping, Error *error)
{
    static const char *const names[] = {"product", "country", "channel"};
    Status status = STATUS_OK;
    Bytes name = bytes_of(config_text(config, "forecast-by"));
    for (int g = 0; g < 3; g++) {
        *grouping = (SeriesGrouping)g;
        if (strcmp(name.data, names[g]) == 0)
            return STATUS_OK;
    }
    TRY(refuse_word("--forecast-by (or by under [forecast])", "grouping", name, names, 3, error));
out:
    return status;
}

static Status read_reconcile(const Config *config, ReconcileMethod *method, Error *error)
{
    Status status = STATUS_OK;
    const char *names[RECONCILE_METHODS];
    Bytes name = bytes_of(config_text(config, "reconcile"));
    for (int m = 0; m < RECONCILE_METHODS; m++) {
        names[m] = reconcile_name((ReconcileMethod)m);
        *method = (ReconcileMethod)m;
        if (strcmp(name.data, names[m]) == 0)
            return STATUS_OK;
    }
    TRY(refuse_word("--reconcile (or reconcile under [forecast])", "method", name, names,
                    RECONCILE_METHODS, error));
out:
    return status;
}

static Status read_source(const Config *config, ForecastOptions *options, Error *error)
{
    Status status = STATUS_OK;
    options->series = config_text(config, "series");
    options->test = config_text(config, "test");
    if (options->test != NULL && options->series == NULL)
        FAIL(error, STATUS_USAGE,
             "--test needs --series: what to learn from, and what came after it");
    if (options->series == NULL && options->plan.series.frequency == FREQUENCY_HOURLY)
        FAIL(error, STATUS_USAGE,
             "--frequency hourly is for files of series (--series FILE): a store's orders are "
             "forecast by day, week, month, quarter or year");
out:
    return status;
}

Status forecast_options_read(const Config *config, ForecastOptions *options, Error *error)
{
    Status status;
    ForecastPlan *plan = &options->plan;
    int threads = (int)config_int(config, "threads");
    int horizon = (int)config_int(config, "horizon");
    int season = (int)config_int(config, "season");
    *options = (ForecastOptions){.measured = MEASURED_USUALLY};
    if (config_is_set(config, "measure-origins"))
        options->measured = (int)config_int(config, "measure-origins");
    TRY(read_frequency(config, &plan->series.frequency, error));
    TRY(read_grouping(config, &plan->series.grouping, error));
    TRY(read_models(config, &plan->backtest.models, error));
    TRY(read_reconcile(config, &plan->reconcile, error));
    TRY(read_source(config, options, error));
    plan->series.until = DAY_NONE;
    plan->series.ahead = horizon;
    plan->series.least_periods = (int32_t)config_int(config, "least-periods");
    plan->series.cost = COST;
    plan->backtest.horizon = horizon;
    plan->backtest.season = season > 0 ? season : frequency_season(plan->series.frequency);
    plan->backtest.n_origins = 1 + (int)config_int(config, "learn-origins");
    plan->backtest.outlier_limit = config_real(config, "outlier-limit");
    plan->backtest.threads = threads;
    plan->backtest.pooled = (PooledOptions){.horizon = horizon, .threads = threads};
    plan->anomaly_periods = (int32_t)config_int(config, "anomaly-periods");
    plan->lead_time_days = (int32_t)config_int(config, "lead-time");
    plan->review_days = (int32_t)config_int(config, "review-days");
    plan->service_level = config_real(config, "service-level");
    plan->holding_rate = config_real(config, "holding-rate");
out:
    return status;
}
