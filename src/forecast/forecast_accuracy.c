/* See forecast_accuracy.h. */
#include "forecast/forecast_accuracy.h"

#include "base/memory.h"
#include "forecast/interval_around.h"
#include "kernel/forecast_errors.h"

#include <math.h>
#include <string.h>

/* Those of the M5 competition (Makridakis et al. 2022). */
static const double probabilities[] = {0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995};
enum { N_PROBABILITIES = sizeof probabilities / sizeof probabilities[0] };
static const double INTERVAL_MASS = 0.8;

/* Sums over series of one model at one origin. */
typedef enum Figure {
    SUM_SERIES,
    SUM_SMAPE,
    SUM_MASE,
    SERIES_MASE,
    SUM_RMSSE,
    SERIES_RMSSE,
    SUM_ACTUAL,
    SUM_FORECAST,
    SUM_PINBALL,
    SERIES_PINBALL,
    PERIODS_INSIDE,
    PERIODS,
    SUM_WRMSSE, /* over origins */
    ORIGINS_WRMSSE,
    FIGURES
} Figure;

/* ---- one series ---- */

/* Room for a horizon. */
typedef struct Room {
    double *actual, *mean, *low, *high;
    double *quantiles; /* [horizon x N_PROBABILITIES] */
} Room;

static Room room_make(int horizon)
{
    return (Room){.actual = mem_new(horizon, sizeof(double)),
                  .mean = mem_new(horizon, sizeof(double)),
                  .low = mem_new(horizon, sizeof(double)),
                  .high = mem_new(horizon, sizeof(double)),
                  .quantiles = mem_new((int64_t)horizon * N_PROBABILITIES, sizeof(double))};
}

static void room_free(Room *room)
{
    mem_free(&room->actual);
    mem_free(&room->mean);
    mem_free(&room->low);
    mem_free(&room->high);
    mem_free(&room->quantiles);
}

static void add_means(const ForecastErrors *errors, const Outlook *outlook, double *sums)
{
    double mase = forecast_mase(errors, outlook->absolute_scale);
    double rmsse = forecast_rmsse(errors, outlook->squared_scale);
    sums[SUM_SERIES] += 1.0;
    sums[SUM_SMAPE] += forecast_smape(errors);
    if (!isnan(mase)) {
        sums[SUM_MASE] += mase;
        sums[SERIES_MASE] += 1.0;
    }
    if (!isnan(rmsse)) {
        sums[SUM_RMSSE] += rmsse;
        sums[SERIES_RMSSE] += 1.0;
    }
    sums[SUM_ACTUAL] += errors->actual;
    sums[SUM_FORECAST] += errors->forecast;
}

static void add_intervals(const IntervalModel *intervals, int64_t i, int horizon,
                          const Outlook *outlook, const Room *room, double *sums)
{
    double pinball = 0.0;
    interval_around(intervals, i, room->mean, INTERVAL_MASS, room->low, room->high);
    for (int h = 0; h < horizon; h++) {
        if (isnan(room->actual[h]))
            continue;
        sums[PERIODS] += 1.0;
        sums[PERIODS_INSIDE] += room->low[h] <= room->actual[h] && room->actual[h] <= room->high[h];
    }
    intervals_quantiles(intervals, i, room->mean, probabilities, N_PROBABILITIES, room->quantiles);
    for (int k = 0; k < N_PROBABILITIES; k++) {
        QuantileErrors errors = {0};
        for (int h = 0; h < horizon; h++)
            forecast_quantile_add(&errors, probabilities[k], &room->actual[h],
                                  &room->quantiles[h * N_PROBABILITIES + k], 1);
        pinball += forecast_pinball(&errors) / N_PROBABILITIES;
    }
    if (outlook->squared_scale > 0.0) {
        sums[SUM_PINBALL] += pinball / sqrt(outlook->squared_scale);
        sums[SERIES_PINBALL] += 1.0;
    }
}

static void add_series(const ModelIntervals *intervals, int64_t i, int origin, const Room *room,
                       double *sums)
{
    const ModelForecasts *from = &intervals->from;
    int horizon = from->backtest->options.horizon;
    ForecastErrors errors = {0};
    Outlook outlook = backtest_outlook(from->backtest, from->set, i, origin, room->actual);
    if (outlook.known == 0 || !model_forecast(from, i, origin, room->mean))
        return;
    forecast_errors_add(&errors, room->actual, room->mean, horizon);
    add_means(&errors, &outlook, sums);
    add_intervals(&intervals->model, i, horizon, &outlook, room, sums);
}

/* ---- all series ---- */

static Status sum_series(ModelIntervals *intervals, int origin, const Room *room, double *blocks,
                         Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < intervals->from.set->n; i++) {
        TRY(model_intervals_load(intervals, i, error));
        add_series(intervals, i, origin, room, blocks + i / SERIES_BLOCK * FIGURES);
    }
out:
    return status;
}

/* total [FIGURES] += sums of one model at one origin. Collective. */
static Status measure_model(Comm *comm, const ModelForecasts *from, int origin, int n_before,
                            const Room *room, double *blocks, double *total, Error *error)
{
    Status status;
    ModelIntervals intervals = {0};
    double sums[FIGURES];
    int64_t n_blocks = (from->set->n + SERIES_BLOCK - 1) / SERIES_BLOCK;
    TRY(model_intervals_learn(comm, from, origin + 1, n_before, 1, &intervals, error));
    memset(blocks, 0, (size_t)(n_blocks * FIGURES) * sizeof *blocks);
    TRY_ALL(comm, sum_series(&intervals, origin, room, blocks, error), error);
    comm_sum_in_order_f64(comm, blocks, n_blocks, FIGURES, sums);
    for (int f = 0; f < FIGURES; f++)
        total[f] += sums[f];
out:
    model_intervals_free(&intervals);
    return status;
}

/* forecast [n x horizon], NaN where there is none. */
static Status take_forecasts(const ModelForecasts *from, int origin, double **forecast,
                             Error *error)
{
    Status status;
    int horizon = from->backtest->options.horizon;
    TRY(mem_resize(forecast, from->set->n * horizon, sizeof **forecast, "forecasts to add up",
                   error));
    for (int64_t i = 0; i < from->set->n; i++) {
        double *own = *forecast + i * horizon;
        TRY(backtest_load(from->backtest, i, error));
        bool is_there = model_forecast(from, i, origin, own);
        for (int h = 0; !is_there && h < horizon; h++)
            own[h] = NAN;
    }
out:
    return status;
}

/* The model's WRMSSE at one origin is added to total. Collective. */
static Status measure_levels(Comm *comm, const ModelForecasts *from, const AccuracyLevels *levels,
                             int origin, double *total, Error *error)
{
    Status status;
    double *forecast = NULL, wrmsse;
    TRY_ALL(comm, take_forecasts(from, origin, &forecast, error), error);
    TRY(accuracy_levels_wrmsse(comm, levels, from->set, from->backtest, origin, forecast, &wrmsse,
                               error));
    if (!isnan(wrmsse)) {
        total[SUM_WRMSSE] += wrmsse;
        total[ORIGINS_WRMSSE] += 1.0;
    }
out:
    mem_free(&forecast);
    return status;
}

static ForecastAccuracy accuracy_of(const double *sums)
{
    return (ForecastAccuracy){.series = (int64_t)sums[SUM_SERIES],
                              .smape = sums[SUM_SMAPE] / sums[SUM_SERIES],
                              .mase = sums[SUM_MASE] / sums[SERIES_MASE],
                              .rmsse = sums[SUM_RMSSE] / sums[SERIES_RMSSE],
                              .owa = NAN,
                              .bias = (sums[SUM_FORECAST] - sums[SUM_ACTUAL]) / sums[SUM_ACTUAL],
                              .pinball = sums[SUM_PINBALL] / sums[SERIES_PINBALL],
                              .coverage = sums[PERIODS_INSIDE] / sums[PERIODS],
                              .wrmsse = sums[SUM_WRMSSE] / sums[ORIGINS_WRMSSE]};
}

/* outcomes [FIT_OUTCOMES]: the most frequent but FIT_OK. */
static FitOutcome usual_failure(const int64_t *outcomes)
{
    FitOutcome why = FIT_OK;
    for (int k = FIT_OK + 1; k < FIT_OUTCOMES; k++) {
        if (outcomes[k] > (why == FIT_OK ? 0 : outcomes[why]))
            why = (FitOutcome)k;
    }
    return why;
}

static void finish(Comm *comm, const Backtest *backtest, const double *totals,
                   ForecastAccuracies *accuracies)
{
    int64_t nanoseconds[SERIES_MODELS];
    int64_t outcomes[SERIES_MODELS][FIT_OUTCOMES];
    double seconds = 0.0;
    memcpy(outcomes, backtest->outcomes, sizeof outcomes);
    comm_sum_i64(comm, &outcomes[0][0], (int64_t)SERIES_MODELS * FIT_OUTCOMES);
    for (int m = 0; m < SERIES_MODELS; m++)
        nanoseconds[m] = (int64_t)(backtest->seconds[m] * 1e9);
    comm_sum_i64(comm, nanoseconds, SERIES_MODELS);
    for (int m = 0; m < SERIES_MEASURED; m++) {
        double own = m < SERIES_MODELS ? (double)nanoseconds[m] * 1e-9 : seconds;
        accuracies->of[m] = accuracy_of(totals + m * FIGURES);
        accuracies->of[m].seconds = own;
        accuracies->of[m].why = m < SERIES_MODELS ? usual_failure(outcomes[m]) : FIT_OK;
        seconds += m < SERIES_MODELS ? own : 0.0;
    }
    const ForecastAccuracy *naive = &accuracies->of[SERIES_NAIVE2];
    for (int m = 0; m < SERIES_MEASURED; m++) {
        ForecastAccuracy *own = &accuracies->of[m];
        if (series_models_have(accuracies->models, SERIES_NAIVE2))
            own->owa = forecast_owa(own->smape, own->mase, naive->smape, naive->mase);
    }
}

/* Whether there is anything to measure of a model, the mix or what is published. */
static bool is_asked(const ForecastMeasures *asked, SeriesModels models, int m)
{
    if (m == SERIES_PUBLISHED)
        return asked->nodes != NULL;
    return m == SERIES_COMBINED || series_models_have(models, (SeriesModel)m);
}

/* All models at one origin. Collective. */
static Status measure_origin(Comm *comm, const SeriesSet *set, const Backtest *backtest,
                             const ForecastMeasures *asked, int origin, const Room *room,
                             double *blocks, double *totals, Error *error)
{
    Status status;
    Combination combination;
    Tiers tiers = {0};
    TRY(combination_learn(comm, set, backtest, origin + 1, asked->n_before, &combination, error));
    if (asked->nodes != NULL)
        TRY(tiers_forecast(comm, set, backtest, &combination, asked->nodes, asked->reconcile,
                           origin, asked->n_before, &tiers, error));
    for (int m = 0; m < SERIES_MEASURED; m++) {
        ModelForecasts from = {.set = set,
                               .backtest = backtest,
                               .model = (SeriesModel)m,
                               .combination = &combination,
                               .published = tiers.mean,
                               .published_from = origin};
        double *total = totals + (int64_t)m * FIGURES;
        if (!is_asked(asked, backtest->options.models, m))
            continue;
        TRY(measure_model(comm, &from, origin, asked->n_before, room, blocks, total, error));
        if (asked->levels != NULL)
            TRY(measure_levels(comm, &from, asked->levels, origin, total, error));
    }
out:
    tiers_free(&tiers);
    return status;
}

Status forecast_measure(Comm *comm, const SeriesSet *set, const Backtest *backtest,
                        const ForecastMeasures *asked, ForecastAccuracies *accuracies, Error *error)
{
    Status status = STATUS_OK;
    int64_t n_blocks = (set->n + SERIES_BLOCK - 1) / SERIES_BLOCK;
    double *blocks = NULL;
    double *totals = mem_new((int64_t)SERIES_MEASURED * FIGURES, sizeof *totals);
    Room room = room_make(backtest->options.horizon);
    TRY_ALL(comm,
            mem_resize(&blocks, n_blocks * FIGURES, sizeof *blocks, "measures of forecasts", error),
            error);
    *accuracies = (ForecastAccuracies){.models = backtest->options.models};
    for (int o = asked->first; o < asked->first + asked->n_origins; o++)
        TRY(measure_origin(comm, set, backtest, asked, o, &room, blocks, totals, error));
    finish(comm, backtest, totals, accuracies);
out:
    room_free(&room);
    mem_free(&blocks);
    mem_free(&totals);
    return status;
}
