/* See backtest.h. */
#include "forecast/backtest.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "forecast/calendar.h"
#include "kernel/forecast_errors.h"
#include "kernel/outliers.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* What one thread works with; a series of n values at most, `horizon` periods ahead. */
typedef struct Workspace {
    double *y;         /* [n] open values */
    double *band;      /* [4 x n] what they are judged by */
    double *forecasts; /* [SERIES_MODELS x horizon] of open periods */
    double *spread;    /* [horizon] on the calendar */
    double *work;
    FitOutcome outcomes[SERIES_MODELS];
    double seconds[SERIES_MODELS];
    int64_t outliers; /* at the origin */
} Workspace;

typedef struct Fitting {
    const SeriesSet *set;
    Backtest *backtest;
    SeriesSet cut; /* the set as it was at the origin; what it borrows is the set's own */
    const PooledModel *pooled; /* of the origin; NULL: none */
    int origin;
    int32_t longest;
    int n_threads;
    Workspace *spaces; /* [n_threads] */
} Fitting;

static float *forecast_at(Backtest *backtest, int64_t i, int origin, SeriesModel model)
{
    int64_t row = (i * backtest->options.n_origins + origin) * SERIES_MODELS + model;
    return backtest->forecasts + row * backtest->options.horizon;
}

static uint8_t *outcomes_at(Backtest *backtest, int64_t i, int origin)
{
    return backtest->outcomes + (i * backtest->options.n_origins + origin) * SERIES_MODELS;
}

static int32_t length_before(const SeriesSet *set, const BacktestOptions *options, int64_t i,
                             int origin)
{
    int32_t n = series_length(set, i) - origin * options->horizon;
    return n > 0 ? n : 0;
}

/* ---- memory ---- */

static void spaces_free(Fitting *fitting)
{
    for (int t = 0; fitting->spaces != NULL && t < fitting->n_threads; t++) {
        mem_free(&fitting->spaces[t].y);
        mem_free(&fitting->spaces[t].band);
        mem_free(&fitting->spaces[t].forecasts);
        mem_free(&fitting->spaces[t].spread);
        mem_free(&fitting->spaces[t].work);
    }
    mem_free(&fitting->spaces);
}

static int64_t models_work(const Fitting *fitting)
{
    int season = fitting->set->calendar.open_season;
    int64_t fits = series_models_work(fitting->longest, season, fitting->backtest->options.horizon);
    int64_t outliers = outliers_work(fitting->longest, season);
    return fits > outliers ? fits : outliers;
}

static Status spaces_make(Fitting *fitting, Error *error)
{
    static const char what[] = "work on forecasts";
    Status status = STATUS_OK;
    int horizon = fitting->backtest->options.horizon;
    fitting->spaces = mem_new(fitting->n_threads, sizeof *fitting->spaces);
    for (int t = 0; t < fitting->n_threads; t++) {
        Workspace *space = &fitting->spaces[t];
        TRY(mem_resize(&space->y, fitting->longest, sizeof *space->y, what, error));
        TRY(mem_resize(&space->band, 4 * (int64_t)fitting->longest, sizeof *space->band, what,
                       error));
        TRY(mem_resize(&space->forecasts, (int64_t)SERIES_MODELS * horizon,
                       sizeof *space->forecasts, what, error));
        TRY(mem_resize(&space->spread, horizon, sizeof *space->spread, what, error));
        TRY(mem_resize(&space->work, models_work(fitting), sizeof *space->work, what, error));
    }
out:
    return status;
}

void backtest_free(Backtest *backtest)
{
    mem_free(&backtest->forecasts);
    mem_free(&backtest->outcomes);
    *backtest = (Backtest){0};
}

static Status results_make(const SeriesSet *set, Backtest *backtest, Error *error)
{
    Status status;
    int64_t rows = set->n * backtest->options.n_origins * SERIES_MODELS;
    TRY(fault_point("forecast.backtest", error));
    TRY(mem_resize(&backtest->forecasts, rows * backtest->options.horizon,
                   sizeof *backtest->forecasts, "forecasts of the models", error));
    TRY(mem_resize(&backtest->outcomes, rows, sizeof *backtest->outcomes, "forecasts of the models",
                   error));
out:
    return status;
}

/* ---- one series at one origin ---- */

static void keep(Fitting *fitting, int64_t i, SeriesModel model, const double *forecast)
{
    int horizon = fitting->backtest->options.horizon;
    float *to = forecast_at(fitting->backtest, i, fitting->origin, model);
    for (int h = 0; h < horizon; h++)
        to[h] = forecast == NULL ? NAN : (float)forecast[h];
}

/* Replace what neither neighbours nor season explain (outliers.h); returns how many. */
static int replace_outliers(const Fitting *fitting, SeriesView view, Workspace *space)
{
    OutlierRule rule = {.limit = fitting->backtest->options.outlier_limit, .is_count = true};
    OutlierBand band = {.expected = space->band,
                        .low = space->band + view.n,
                        .high = space->band + 2 * (int64_t)view.n,
                        .deviation = space->band + 3 * (int64_t)view.n};
    if (!(rule.limit > 0.0) || outliers_find(view, &rule, &band, space->work) == 0)
        return 0;
    return outliers_replace(space->y, view.n, &band);
}

static void fit_series(Fitting *fitting, int64_t i, Workspace *space)
{
    const SeriesSet *cut = &fitting->cut;
    const BacktestOptions *options = &fitting->backtest->options;
    int n = series_open(cut, i, space->y, NULL);
    int ahead = series_open_ahead(cut, i);
    SeriesView view = {.y = space->y, .n = n, .season = cut->calendar.open_season};
    space->outliers += replace_outliers(fitting, view, space);
    series_models_run(view, options->models, ahead, space->forecasts, space->outcomes,
                      space->seconds, space->work);
    for (int m = 0; m < SERIES_MODELS; m++) {
        if (m == SERIES_POOLED)
            continue;
        if (space->outcomes[m] == FIT_OK)
            series_spread(cut, i, space->forecasts + m * ahead, space->spread);
        keep(fitting, i, (SeriesModel)m, space->outcomes[m] == FIT_OK ? space->spread : NULL);
    }
    space->outcomes[SERIES_POOLED] = FIT_TOO_SHORT;
    if (fitting->pooled != NULL && n > 0) {
        double began = clock_seconds();
        pooled_forecast(fitting->pooled, fitting->set, i, cut->start[i] + series_length(cut, i),
                        options->horizon, space->spread, space->work);
        space->outcomes[SERIES_POOLED] = FIT_OK;
        space->seconds[SERIES_POOLED] += clock_seconds() - began;
    }
    keep(fitting, i, SERIES_POOLED,
         space->outcomes[SERIES_POOLED] == FIT_OK ? space->spread : NULL);
    uint8_t *outcomes = outcomes_at(fitting->backtest, i, fitting->origin);
    for (int m = 0; m < SERIES_MODELS; m++)
        outcomes[m] = (uint8_t)space->outcomes[m];
}

/* ---- all series ---- */

/* Whether all series end with the calendar, so that one period is the origin of all. Collective. */
static bool end_together(Comm *comm, const SeriesSet *set)
{
    int64_t others = 0;
    for (int64_t i = 0; i < set->n; i++)
        others += set->start[i] + series_length(set, i) != set->calendar.first + set->calendar.n;
    comm_sum_i64(comm, &others, 1);
    return others == 0;
}

static void cut_free(SeriesSet *cut)
{
    mem_free(&cut->begin);
    mem_free(&cut->values);
}

/* What the models may see from the origin: no value after it. */
static Status cut_make(Fitting *fitting, Error *error)
{
    Status status;
    const SeriesSet *set = fitting->set;
    const BacktestOptions *options = &fitting->backtest->options;
    int64_t *begin = NULL;
    double *values = NULL;
    TRY(mem_resize(&begin, set->n + 1, sizeof *begin, "series before an origin", error));
    TRY(mem_resize(&values, set->begin[set->n], sizeof *values, "series before an origin", error));
    begin[0] = 0;
    for (int64_t i = 0; i < set->n; i++) {
        int32_t n = length_before(set, options, i, fitting->origin);
        memcpy(values + begin[i], set->values + set->begin[i], (size_t)n * sizeof *values);
        begin[i + 1] = begin[i] + n;
    }
    fitting->cut = *set;
    fitting->cut.calendar.n -= fitting->origin * options->horizon;
    fitting->cut.calendar.ahead = options->horizon;
    fitting->cut.begin = begin;
    fitting->cut.values = values;
out:
    if (status != STATUS_OK) {
        mem_free(&begin);
        mem_free(&values);
    }
    return status;
}

static Status enlarge_work(Fitting *fitting, const PooledModel *pooled, Error *error)
{
    Status status = STATUS_OK;
    int64_t size = models_work(fitting);
    if (pooled_work(pooled, fitting->set) > size)
        size = pooled_work(pooled, fitting->set);
    for (int t = 0; t < fitting->n_threads; t++)
        TRY(mem_resize(&fitting->spaces[t].work, size, sizeof *fitting->spaces[t].work,
                       "work on forecasts", error));
out:
    return status;
}

/* Collective. */
static Status run_origin(Comm *comm, Fitting *fitting, bool has_pooled, Error *error)
{
    Status status = STATUS_OK;
    const SeriesSet *set = fitting->set;
    const BacktestOptions *options = &fitting->backtest->options;
    PooledModel pooled = {0};
    TRY_ALL(comm, cut_make(fitting, error), error);
    int32_t until = set->calendar.first + fitting->cut.calendar.n;
    if (has_pooled && until > set->calendar.first) {
        TRY(pooled_learn(comm, set, until, &options->pooled, &pooled, error));
        TRY_ALL(comm, enlarge_work(fitting, &pooled, error), error);
        fitting->pooled = &pooled;
    }
#pragma omp parallel for schedule(dynamic) num_threads(fitting->n_threads)
    for (int64_t i = 0; i < set->n; i++)
        fit_series(fitting, i, &fitting->spaces[omp_get_thread_num()]);
    for (int t = 0; t < fitting->n_threads; t++) {
        fitting->backtest->outliers[fitting->origin] += fitting->spaces[t].outliers;
        fitting->spaces[t].outliers = 0;
    }
out:
    fitting->pooled = NULL;
    cut_free(&fitting->cut);
    pooled_free(&pooled);
    return status;
}

Status backtest_run(Comm *comm, const SeriesSet *set, const BacktestOptions *options,
                    Backtest *backtest, Error *error)
{
    Status status;
    backtest_free(backtest);
    backtest->options = *options;
    backtest->n = set->n;
    Fitting fitting = {.set = set, .backtest = backtest, .n_threads = options->threads};
    for (int64_t i = 0; i < set->n; i++) {
        if (series_length(set, i) > fitting.longest)
            fitting.longest = series_length(set, i);
    }
    TRY_ALL(comm, results_make(set, backtest, error), error);
    TRY_ALL(comm, spaces_make(&fitting, error), error);
    bool has_pooled = series_models_have(options->models, SERIES_POOLED) && end_together(comm, set);
    for (fitting.origin = 0; fitting.origin < options->n_origins; fitting.origin++)
        TRY(run_origin(comm, &fitting, has_pooled, error));
    for (int t = 0; t < fitting.n_threads; t++) {
        for (int m = 0; m < SERIES_MODELS; m++)
            backtest->seconds[m] += fitting.spaces[t].seconds[m];
    }
out:
    spaces_free(&fitting);
    return status;
}

/* ---- what came ---- */

Outlook backtest_outlook(const Backtest *backtest, const SeriesSet *set, int64_t i, int origin,
                         double *actual)
{
    const BacktestOptions *options = &backtest->options;
    const double *values = set->values + set->begin[i];
    int32_t length = series_length(set, i);
    int32_t before = length_before(set, options, i, origin);
    Outlook outlook = {0};
    if (before == 0) {
        for (int h = 0; h < options->horizon; h++)
            actual[h] = NAN;
        return outlook;
    }
    for (int h = 0; h < options->horizon; h++) {
        int32_t t = before + h;
        double came = NAN;
        if (t < length)
            came = values[t];
        else if (backtest->after != NULL)
            came = backtest->after[i * options->horizon + t - length];
        actual[h] = calendar_is_closed(&set->calendar, set->start[i] + t) ? NAN : came;
        outlook.known += !isnan(actual[h]);
    }
    outlook.absolute_scale = forecast_scale_absolute(values, before, options->season);
    outlook.squared_scale = forecast_scale_squared(values, before);
    return outlook;
}
