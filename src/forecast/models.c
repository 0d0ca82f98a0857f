/* See models.h. */
#include "forecast/models.h"

#include "base/log.h"
#include "kernel/ces.h"
#include "kernel/dynamic_theta.h"
#include "kernel/ets.h"
#include "kernel/intermittent.h"
#include "kernel/mstl.h"
#include "kernel/naive.h"
#include "kernel/seasonality.h"
#include "kernel/theta.h"

#include <string.h>

typedef FitOutcome (*Forecast)(SeriesView series, int horizon, double *mean, double *work);
typedef int64_t (*Work)(int n, int season, int horizon);

/* Days of a week have a year above them, hours of a day a week. */
static int longer_season(int season)
{
    static const double weeks_a_year = 365.2425 / 7.0;
    if (season == 24)
        return 24 * 7;
    return season >= 5 && season <= 7 ? (int)(season * weeks_a_year + 0.5) : 0;
}

static FitOutcome two_seasons_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    int seasons[] = {series.season, longer_season(series.season)};
    return mstl_forecast(series, seasons[1] > 0 ? 2 : 1, seasons, horizon, mean, work);
}

static int64_t two_seasons_work(int n, int season, int horizon)
{
    int longer = longer_season(season);
    return mstl_work(n, longer > season ? longer : season, horizon);
}

/* Without a forecast of their own: those made of others, and those across series. */
static const struct {
    const char *name;
    Forecast forecast;
    Work work;
    bool is_adjusted; /* sees the series without its season */
} models[SERIES_MEASURED] = {
    [SERIES_NAIVE] = {"naive", naive_forecast, naive_work, false},
    [SERIES_SEASONAL_NAIVE] = {"seasonal", seasonal_naive_forecast, seasonal_naive_work, false},
    [SERIES_NAIVE2] = {"naive2", naive2_forecast, naive2_work, false},
    [SERIES_AVERAGE] = {"average", moving_average_forecast, moving_average_work, false},
    [SERIES_SEASON_AVERAGE] = {"weekdays", seasonal_mean_forecast, seasonal_mean_work, false},
    [SERIES_SES] = {"ses", ses_forecast, ses_work, true},
    [SERIES_HOLT] = {"holt", holt_forecast, holt_work, true},
    [SERIES_DAMPED] = {"damped", damped_forecast, damped_work, true},
    [SERIES_COMB] = {"comb", NULL, NULL, false},
    [SERIES_THETA] = {"theta", theta_forecast, theta_work, false},
    [SERIES_DYNAMIC_THETA] = {"dot", dynamic_theta_forecast, dynamic_theta_work, false},
    [SERIES_ETS] = {"ets", NULL, ets_work, false},
    [SERIES_CES] = {"ces", NULL, ces_work, false},
    [SERIES_MSTL] = {"mstl", two_seasons_forecast, two_seasons_work, false},
    [SERIES_MEDIAN] = {"median", NULL, NULL, false},
    [SERIES_CROSTON] = {"croston", croston_forecast, croston_work, false},
    [SERIES_SBA] = {"sba", sba_forecast, sba_work, false},
    [SERIES_TSB] = {"tsb", tsb_forecast, tsb_work, false},
    [SERIES_ADIDA] = {"adida", adida_forecast, adida_work, false},
    [SERIES_IMAPA] = {"imapa", imapa_forecast, imapa_work, false},
    [SERIES_POOLED] = {"pooled", NULL, NULL, false},
    [SERIES_COMBINED] = {"mix", NULL, NULL, false},
    [SERIES_PUBLISHED] = {"published", NULL, NULL, false},
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

int64_t series_models_work(int n, int season, int horizon)
{
    int64_t most = 0;
    for (int m = 0; m < SERIES_MODELS; m++) {
        int64_t own = models[m].work == NULL ? 0 : models[m].work(n, season, horizon);
        most = own > most ? own : most;
    }
    return season_adjust_work(n, season) + most;
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

/* The two that search longest begin where they ended before. */
static FitOutcome run_model(SeriesModel model, SeriesView series, int horizon, SeriesMemory *memory,
                            double *mean, double *work)
{
    switch (model) {
    case SERIES_ETS:
        return ets_forecast_again(series, horizon, &memory->ets, mean);
    case SERIES_CES:
        return ces_forecast_again(series, horizon, &memory->ces, mean, work);
    default:
        return models[model].forecast(series, horizon, mean, work);
    }
}

void series_models_run(SeriesView series, SeriesModels asked, int horizon, SeriesMemory *memory,
                       double *forecasts, FitOutcome *outcomes, double *seconds, double *work)
{
    SeasonAdjustment adjustment = season_adjust(series, SEASON_RULE_M4, work);
    double *rest = work + season_adjust_work(series.n, series.season);
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
            outcomes[m] =
                run_model((SeriesModel)m, models[m].is_adjusted ? adjustment.series : series,
                          horizon, memory, own, rest);
        if (outcomes[m] == FIT_OK && models[m].is_adjusted)
            outcomes[m] = season_restore(&adjustment, horizon, own);
        if (outcomes[m] == FIT_OK)
            keep_positive(series, horizon, own);
        seconds[m] += clock_seconds() - began;
    }
}
