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

/* One model's forecasts. */
typedef struct Source {
    const SeriesSet *set;
    const Backtest *backtest;
    SeriesModel model;
    const Combination *combination; /* of SERIES_COMBINED */
} Source;

static bool forecast_of(const Source *source, int64_t i, int origin, double *mean)
{
    int horizon = source->backtest->options.horizon;
    if (source->model == SERIES_COMBINED) {
        (void)combination_forecast(source->combination, source->set, source->backtest, i, origin,
                                   mean);
        return true;
    }
    const float *forecast = backtest_forecast(source->backtest, i, origin, source->model);
    for (int h = 0; h < horizon; h++)
        mean[h] = (double)forecast[h];
    return !isnan(mean[0]);
}

/* ---- intervals ---- */

typedef struct IntervalArrays {
    double *forecast, *actual; /* [n x origins x horizon] */
    double *scale;             /* [n] */
    bool *is_count;            /* [n] */
} IntervalArrays;

static void arrays_free(IntervalArrays *arrays)
{
    mem_free(&arrays->forecast);
    mem_free(&arrays->actual);
    mem_free(&arrays->scale);
    mem_free(&arrays->is_count);
}

static Status arrays_make(IntervalArrays *arrays, int64_t n, int64_t width, Error *error)
{
    static const char what[] = "errors of forecasts";
    Status status;
    TRY(mem_resize(&arrays->forecast, n * width, sizeof *arrays->forecast, what, error));
    TRY(mem_resize(&arrays->actual, n * width, sizeof *arrays->actual, what, error));
    TRY(mem_resize(&arrays->scale, n, sizeof *arrays->scale, what, error));
    TRY(mem_resize(&arrays->is_count, n, sizeof *arrays->is_count, what, error));
out:
    return status;
}

/* Whole pieces that are never below 0. */
static bool is_count(const SeriesSet *set, int64_t i)
{
    for (int64_t t = set->begin[i]; t < set->begin[i + 1]; t++) {
        double value = set->values[t];
        if (!isnan(value) && (value < 0.0 || value != floor(value)))
            return false;
    }
    return true;
}

static void gather(const Source *source, int first, int n_origins, IntervalArrays *arrays)
{
    int horizon = source->backtest->options.horizon;
    for (int64_t i = 0; i < source->set->n; i++) {
        arrays->is_count[i] = is_count(source->set, i);
        for (int o = 0; o < n_origins; o++) {
            int64_t row = (i * n_origins + o) * horizon;
            Outlook outlook =
                backtest_outlook(source->backtest, source->set, i, first + o, arrays->actual + row);
            if (o == 0)
                arrays->scale[i] = outlook.absolute_scale;
            if (!forecast_of(source, i, first + o, arrays->forecast + row)) {
                for (int h = 0; h < horizon; h++)
                    arrays->forecast[row + h] = NAN;
            }
        }
    }
}

Status forecast_intervals(Comm *comm, const SeriesSet *set, const Backtest *backtest,
                          SeriesModel model, const Combination *combination, int first,
                          int n_origins, int longest, IntervalModel *intervals, Error *error)
{
    Status status;
    IntervalArrays arrays = {0};
    int horizon = backtest->options.horizon;
    Source source = {set, backtest, model, combination};
    TRY_ALL(comm, arrays_make(&arrays, set->n, (int64_t)n_origins * horizon, error), error);
    gather(&source, first, n_origins, &arrays);
    IntervalInput input = {.n = set->n,
                           .n_origins = n_origins,
                           .horizon = horizon,
                           .longest = longest,
                           .forecast = arrays.forecast,
                           .actual = arrays.actual,
                           .scale = arrays.scale,
                           .is_count = arrays.is_count};
    TRY(intervals_learn(comm, &input, intervals, error));
out:
    arrays_free(&arrays);
    return status;
}

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

static void add_series(const Source *source, const IntervalModel *intervals, int64_t i, int origin,
                       const Room *room, double *sums)
{
    int horizon = source->backtest->options.horizon;
    ForecastErrors errors = {0};
    Outlook outlook = backtest_outlook(source->backtest, source->set, i, origin, room->actual);
    if (outlook.known == 0 || !forecast_of(source, i, origin, room->mean))
        return;
    forecast_errors_add(&errors, room->actual, room->mean, horizon);
    add_means(&errors, &outlook, sums);
    add_intervals(intervals, i, horizon, &outlook, room, sums);
}

/* ---- all series ---- */

/* total [FIGURES] += sums of one model at one origin. Collective. */
static Status measure_model(Comm *comm, const Source *source, int origin, int n_before,
                            const Room *room, double *blocks, double *total, Error *error)
{
    Status status;
    const SeriesSet *set = source->set;
    IntervalModel intervals = {0};
    double sums[FIGURES];
    int64_t n_blocks = (set->n + SERIES_BLOCK - 1) / SERIES_BLOCK;
    TRY(forecast_intervals(comm, set, source->backtest, source->model, source->combination,
                           origin + 1, n_before, 1, &intervals, error));
    memset(blocks, 0, (size_t)(n_blocks * FIGURES) * sizeof *blocks);
    for (int64_t i = 0; i < set->n; i++)
        add_series(source, &intervals, i, origin, room, blocks + i / SERIES_BLOCK * FIGURES);
    comm_sum_in_order_f64(comm, blocks, n_blocks, FIGURES, sums);
    for (int f = 0; f < FIGURES; f++)
        total[f] += sums[f];
out:
    interval_model_free(&intervals);
    return status;
}

/* The model's WRMSSE at one origin is added to total. Collective. */
static Status measure_levels(Comm *comm, const Source *source, const AccuracyLevels *levels,
                             int origin, double *total, Error *error)
{
    Status status;
    const SeriesSet *set = source->set;
    int horizon = source->backtest->options.horizon;
    double *forecast = NULL, wrmsse;
    TRY_ALL(comm,
            mem_resize(&forecast, set->n * horizon, sizeof *forecast, "forecasts to add up", error),
            error);
    for (int64_t i = 0; i < set->n; i++) {
        double *own = forecast + i * horizon;
        bool is_there = forecast_of(source, i, origin, own);
        for (int h = 0; !is_there && h < horizon; h++)
            own[h] = NAN;
    }
    TRY(accuracy_levels_wrmsse(comm, levels, set, source->backtest, origin, forecast, &wrmsse,
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

static void finish(Comm *comm, const Backtest *backtest, const double *totals,
                   ForecastAccuracies *accuracies)
{
    int64_t nanoseconds[SERIES_MODELS];
    for (int m = 0; m < SERIES_MODELS; m++)
        nanoseconds[m] = (int64_t)(backtest->seconds[m] * 1e9);
    comm_sum_i64(comm, nanoseconds, SERIES_MODELS);
    for (int m = 0; m <= SERIES_MODELS; m++) {
        accuracies->of[m] = accuracy_of(totals + m * FIGURES);
        accuracies->of[m].seconds = m < SERIES_MODELS ? (double)nanoseconds[m] * 1e-9 : 0.0;
    }
    const ForecastAccuracy *naive = &accuracies->of[SERIES_NAIVE2];
    for (int m = 0; m <= SERIES_MODELS; m++) {
        ForecastAccuracy *own = &accuracies->of[m];
        if (series_models_have(accuracies->models, SERIES_NAIVE2))
            own->owa = forecast_owa(own->smape, own->mase, naive->smape, naive->mase);
        accuracies->of[SERIES_COMBINED].seconds += m < SERIES_MODELS ? own->seconds : 0.0;
    }
}

Status forecast_measure(Comm *comm, const SeriesSet *set, const Backtest *backtest, int first,
                        int n_origins, int n_before, const AccuracyLevels *levels,
                        ForecastAccuracies *accuracies, Error *error)
{
    Status status = STATUS_OK;
    Combination combination;
    int64_t n_blocks = (set->n + SERIES_BLOCK - 1) / SERIES_BLOCK;
    double *blocks = NULL;
    double *totals = mem_new((SERIES_MODELS + 1) * FIGURES, sizeof *totals);
    Room room = room_make(backtest->options.horizon);
    TRY_ALL(comm,
            mem_resize(&blocks, n_blocks * FIGURES, sizeof *blocks, "measures of forecasts", error),
            error);
    *accuracies = (ForecastAccuracies){.models = backtest->options.models};
    for (int o = first; o < first + n_origins; o++) {
        TRY(combination_learn(comm, set, backtest, o + 1, n_before, &combination, error));
        for (int m = 0; m <= SERIES_MODELS; m++) {
            Source source = {set, backtest, (SeriesModel)m, &combination};
            double *total = totals + m * FIGURES;
            if (m < SERIES_MODELS && !series_models_have(accuracies->models, (SeriesModel)m))
                continue;
            TRY(measure_model(comm, &source, o, n_before, &room, blocks, total, error));
            if (levels != NULL)
                TRY(measure_levels(comm, &source, levels, o, total, error));
        }
    }
    finish(comm, backtest, totals, accuracies);
out:
    room_free(&room);
    mem_free(&blocks);
    mem_free(&totals);
    return status;
}
