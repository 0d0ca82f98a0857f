/* See models.h. */
#include "forecast/models.h"

#include "base/log.h"
#include "kernel/ces.h"
#include "kernel/dynamic_theta.h"
#include "kernel/ets.h"
#include "kernel/intermittent.h"
#include "kernel/long_season.h"
#include "kernel/mstl.h"
#include "kernel/naive.h"
#include "kernel/seasonality.h"
#include "kernel/theta.h"

#include <string.h>

typedef FitOutcome (*Forecast)(SeriesView series, int horizon, double *mean, double *work);
typedef int64_t (*Work)(int n, int season, int horizon);

/* What a model sees of a series. */
typedef enum Seen {
    SEES_ALL,
    SEES_NO_SEASON, /* without its season, as in the M4 benchmarks */
    SEES_NO_YEAR    /* without the longer season, if there is no shorter one */
} Seen;

/* Without a forecast of their own: those made of others, those across series, and mstl. */
static const struct {
    const char *name;
    Forecast forecast;
    Work work;
    Seen seen;
} models[SERIES_MEASURED] = {
    [SERIES_NAIVE] = {"naive", naive_forecast, naive_work, SEES_ALL},
    [SERIES_SEASONAL_NAIVE] = {"seasonal", seasonal_naive_forecast, seasonal_naive_work, SEES_ALL},
    [SERIES_NAIVE2] = {"naive2", naive2_forecast, naive2_work, SEES_ALL},
    [SERIES_AVERAGE] = {"average", moving_average_forecast, moving_average_work, SEES_ALL},
    [SERIES_SEASON_AVERAGE] = {"weekdays", seasonal_mean_forecast, seasonal_mean_work, SEES_ALL},
    [SERIES_SES] = {"ses", ses_forecast, ses_work, SEES_NO_SEASON},
    [SERIES_HOLT] = {"holt", holt_forecast, holt_work, SEES_NO_SEASON},
    [SERIES_DAMPED] = {"damped", damped_forecast, damped_work, SEES_NO_SEASON},
    [SERIES_COMB] = {"comb", NULL, NULL, SEES_ALL},
    [SERIES_THETA] = {"theta", theta_forecast, theta_work, SEES_ALL},
    [SERIES_DYNAMIC_THETA] = {"dot", dynamic_theta_forecast, dynamic_theta_work, SEES_NO_YEAR},
    [SERIES_ETS] = {"ets", NULL, ets_work, SEES_NO_YEAR},
    [SERIES_CES] = {"ces", NULL, ces_work, SEES_NO_YEAR},
    [SERIES_MSTL] = {"mstl", NULL, NULL, SEES_ALL},
    [SERIES_MEDIAN] = {"median", NULL, NULL, SEES_ALL},
    [SERIES_CROSTON] = {"croston", croston_forecast, croston_work, SEES_ALL},
    [SERIES_SBA] = {"sba", sba_forecast, sba_work, SEES_ALL},
    [SERIES_TSB] = {"tsb", tsb_forecast, tsb_work, SEES_ALL},
    [SERIES_ADIDA] = {"adida", adida_forecast, adida_work, SEES_ALL},
    [SERIES_IMAPA] = {"imapa", imapa_forecast, imapa_work, SEES_ALL},
    [SERIES_POOLED] = {"pooled", NULL, NULL, SEES_ALL},
    [SERIES_COMBINED] = {"mix", NULL, NULL, SEES_ALL},
    [SERIES_PUBLISHED] = {"published", NULL, NULL, SEES_ALL},
};

/* Those that these two are made of: as many as there are, at least that many. */
enum { PARTS_MAX = 4, PARTS_LEAST = 2 };
static const SeriesModel comb_parts[] = {SERIES_SES, SERIES_HOLT, SERIES_DAMPED};
static const SeriesModel median_parts[] = {SERIES_ETS, SERIES_CES, SERIES_DYNAMIC_THETA,
                                           SERIES_THETA};

const char *series_model_name(SeriesModel model)
{
    return models[model].name;
}

SeriesModel series_model_by_name(Bytes name)
{
    for (int m = 0; m < SERIES_MODELS; m++) {
        const char *known = models[m].name;
        if ((int64_t)strlen(known) == name.size && memcmp(known, name.data, strlen(known)) == 0)
            return (SeriesModel)m;
    }
    return SERIES_MODELS;
}

int64_t series_models_work(int n, int season, int longer_season, int horizon)
{
    int64_t most = mstl_work(n, longer_season > season ? longer_season : season, horizon);
    for (int m = 0; m < SERIES_MODELS; m++) {
        int64_t own = models[m].work == NULL ? 0 : models[m].work(n, season, horizon);
        most = own > most ? own : most;
    }
    return season_adjust_work(n, season) + long_season_work(n, longer_season) + most;
}

/* What is asked for, and what it is made of. */
static SeriesModels with_parts(SeriesModels asked)
{
    if (series_models_have(asked, SERIES_COMB))
        asked |= 1U << SERIES_SES | 1U << SERIES_HOLT | 1U << SERIES_DAMPED;
    if (series_models_have(asked, SERIES_MEDIAN))
        asked |=
            1U << SERIES_ETS | 1U << SERIES_CES | 1U << SERIES_DYNAMIC_THETA | 1U << SERIES_THETA;
    return asked;
}

/* Models of levels, trends and seasons that are searched for take long, and have nothing to find
 * where demand comes in fewer than a quarter of the periods: most products of a large shop. */
static const double SHARE_LEAST = 0.25;
static const SeriesModels DENSE = 1U << SERIES_HOLT | 1U << SERIES_DAMPED | 1U << SERIES_COMB |
                                  1U << SERIES_ETS | 1U << SERIES_CES | 1U << SERIES_MSTL |
                                  1U << SERIES_MEDIAN;

static bool is_sparse(SeriesView series)
{
    int asked = 0;
    for (int t = 0; t < series.n; t++)
        asked += series.y[t] != 0.0;
    return (double)asked < SHARE_LEAST * (double)series.n;
}

static void keep_positive(SeriesView series, int horizon, double *forecast)
{
    for (int t = 0; t < series.n; t++) {
        if (series.y[t] < 0.0)
            return;
    }
    for (int h = 0; h < horizon; h++)
        forecast[h] = forecast[h] > 0.0 ? forecast[h] : 0.0;
}

/* ascending [n] := values, then the mean of the middle one or two. */
static double median_of(double *values, int n)
{
    for (int i = 1; i < n; i++) {
        for (int k = i; k > 0 && values[k] < values[k - 1]; k--) {
            double lower = values[k];
            values[k] = values[k - 1];
            values[k - 1] = lower;
        }
    }
    return (values[(n - 1) / 2] + values[n / 2]) / 2.0;
}

/* The mean or the median of the forecasts of `parts` that there are. */
static FitOutcome join(const SeriesModel *parts, int n_parts, bool is_median, int horizon,
                       const double *forecasts, const FitOutcome *outcomes, double *joined)
{
    for (int h = 0; h < horizon; h++) {
        double values[PARTS_MAX], sum = 0.0;
        int n = 0;
        for (int k = 0; k < n_parts; k++) {
            if (outcomes[parts[k]] != FIT_OK)
                continue;
            values[n] = forecasts[(int)parts[k] * horizon + h];
            sum += values[n++];
        }
        if (n < PARTS_LEAST)
            return FIT_TOO_SHORT;
        joined[h] = is_median ? median_of(values, n) : sum / n;
    }
    return FIT_OK;
}

/* A series as models see it. */
typedef struct Views {
    SeriesView all;
    int longer_season;
    SeasonAdjustment adjustment; /* without its season */
    LongSeason year;             /* without the longer one */
} Views;

/* The two that search longest begin where they ended before. */
static FitOutcome run_model(SeriesModel model, const Views *views, int horizon,
                            SeriesMemory *memory, double *mean, double *work)
{
    const int seasons[] = {views->all.season, views->longer_season};
    Seen seen = models[model].seen;
    SeriesView series = seen == SEES_NO_SEASON ? views->adjustment.series
                        : seen == SEES_NO_YEAR ? views->year.series
                                               : views->all;
    FitOutcome outcome =
        model == SERIES_ETS    ? ets_forecast_again(series, horizon, &memory->ets, mean)
        : model == SERIES_CES  ? ces_forecast_again(series, horizon, &memory->ces, mean, work)
        : model == SERIES_MSTL ? mstl_forecast(series, 2, seasons, horizon, mean, work)
                               : models[model].forecast(series, horizon, mean, work);
    if (outcome == FIT_OK && seen == SEES_NO_SEASON)
        return season_restore(&views->adjustment, horizon, mean);
    if (outcome == FIT_OK && seen == SEES_NO_YEAR)
        long_season_restore(&views->year, horizon, mean);
    return outcome;
}

void series_models_run(SeriesView series, int longer_season, SeriesModels asked, int horizon,
                       SeriesMemory *memory, double *forecasts, FitOutcome *outcomes,
                       double *seconds, double *work)
{
    double *year_work = work + season_adjust_work(series.n, series.season);
    double *rest = year_work + long_season_work(series.n, longer_season);
    Views views = {.all = series,
                   .longer_season = longer_season,
                   .adjustment = season_adjust(series, SEASON_RULE_M4, work),
                   .year =
                       long_season_take(series, series.season > 1 ? 0 : longer_season, year_work)};
    SeriesModels left_out = is_sparse(series) ? DENSE : 0;
    asked = with_parts(asked);
    for (int m = 0; m < SERIES_MODELS; m++) {
        double *own = forecasts + m * horizon;
        double began = clock_seconds();
        outcomes[m] = FIT_TOO_SHORT;
        if (!series_models_have(asked, (SeriesModel)m) || m == SERIES_POOLED)
            continue;
        if (series_models_have(left_out, (SeriesModel)m)) {
            outcomes[m] = FIT_TOO_SPARSE;
            continue;
        }
        if (m == SERIES_COMB)
            outcomes[m] = join(comb_parts, 3, false, horizon, forecasts, outcomes, own);
        else if (m == SERIES_MEDIAN)
            outcomes[m] = join(median_parts, 4, true, horizon, forecasts, outcomes, own);
        else
            outcomes[m] = run_model((SeriesModel)m, &views, horizon, memory, own, rest);
        if (outcomes[m] == FIT_OK)
            keep_positive(series, horizon, own);
        seconds[m] += clock_seconds() - began;
    }
}
