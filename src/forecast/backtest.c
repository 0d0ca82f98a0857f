/* See backtest.h. The checkpoint's key: backtest_key.c. */
#include "forecast/backtest.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/stop.h"
#include "forecast/backtest_key.h"
#include "forecast/calendar.h"
#include "kernel/forecast_errors.h"
#include "kernel/outliers.h"

#include <inttypes.h>
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
    SeriesMemory memory; /* of the series at hand */
    FitOutcome outcomes[SERIES_MODELS];
    double seconds[SERIES_MODELS];
    int64_t counts[SERIES_MODELS][FIT_OUTCOMES];
} Workspace;

typedef struct Fitting {
    const SeriesSet *set;
    Backtest *backtest;
    PooledModel *pooled; /* [n_origins]; NULL: none */
    int32_t longest;
    int n_threads;
    Workspace *spaces; /* [n_threads] */
    bool *is_whole;    /* [blocks of this rank] in the spool */
    Progress progress; /* in series of this rank */
    double told;       /* when the log had its last line of it */
} Fitting;

static int32_t length_before(const SeriesSet *set, const BacktestOptions *options, int64_t i,
                             int origin)
{
    int32_t n = series_length(set, i) - origin * options->horizon;
    return n > 0 ? n : 0;
}

/* ---- blocks of series ---- */

static int64_t block_series(const Backtest *backtest)
{
    return backtest->options.is_scattered ? 1 : SERIES_BLOCK;
}

static int64_t count_blocks(const Backtest *backtest)
{
    return (backtest->n + block_series(backtest) - 1) / block_series(backtest);
}

static int64_t series_width(const Backtest *backtest)
{
    return backtest->options.n_origins * backtest->batch->width;
}

/* Rows of a block of the batch at hand, which begins at series `first`. */
static float *block_rows(const Backtest *backtest, int64_t block)
{
    int64_t i = block * block_series(backtest) - backtest->batch->first;
    return backtest->batch->rows + i * series_width(backtest);
}

static float *row_at(const Backtest *backtest, int64_t i, int origin)
{
    const BacktestBatch *batch = backtest->batch;
    int64_t row = (i - batch->first) * backtest->options.n_origins + origin;
    return batch->rows + row * batch->width;
}

/* ---- memory ---- */

static void fitting_free(Fitting *fitting)
{
    for (int t = 0; fitting->spaces != NULL && t < fitting->n_threads; t++) {
        mem_free(&fitting->spaces[t].y);
        mem_free(&fitting->spaces[t].band);
        mem_free(&fitting->spaces[t].forecasts);
        mem_free(&fitting->spaces[t].spread);
        mem_free(&fitting->spaces[t].work);
    }
    for (int o = 0; fitting->pooled != NULL && o < fitting->backtest->options.n_origins; o++)
        pooled_free(&fitting->pooled[o]);
    mem_free(&fitting->pooled);
    mem_free(&fitting->spaces);
    mem_free(&fitting->is_whole);
}

static int64_t work_size(const Fitting *fitting)
{
    const BacktestOptions *options = &fitting->backtest->options;
    int season = fitting->set->calendar.open_season;
    int longer = frequency_longer_season(fitting->set->calendar.frequency, season);
    int64_t size = series_models_work(fitting->longest, season, longer, options->horizon);
    int64_t outliers = outliers_work(fitting->longest, season);
    size = outliers > size ? outliers : size;
    for (int o = 0; fitting->pooled != NULL && o < options->n_origins; o++) {
        int64_t own = pooled_work(&fitting->pooled[o], fitting->set);
        size = own > size ? own : size;
    }
    return size;
}

static Status spaces_make(Fitting *fitting, Error *error)
{
    static const char what[] = "work on forecasts";
    Status status = STATUS_OK;
    int horizon = fitting->backtest->options.horizon;
    for (int64_t i = 0; i < fitting->set->n; i++) {
        if (series_length(fitting->set, i) > fitting->longest)
            fitting->longest = series_length(fitting->set, i);
    }
    fitting->spaces = mem_new(fitting->n_threads, sizeof *fitting->spaces);
    for (int t = 0; t < fitting->n_threads; t++) {
        Workspace *space = &fitting->spaces[t];
        TRY(mem_resize(&space->y, fitting->longest, sizeof *space->y, what, error));
        TRY(mem_resize(&space->band, 4 * (int64_t)fitting->longest, sizeof *space->band, what,
                       error));
        TRY(mem_resize(&space->forecasts, (int64_t)SERIES_MODELS * horizon,
                       sizeof *space->forecasts, what, error));
        TRY(mem_resize(&space->spread, horizon, sizeof *space->spread, what, error));
        TRY(mem_resize(&space->work, work_size(fitting), sizeof *space->work, what, error));
    }
out:
    return status;
}

void backtest_free(Backtest *backtest)
{
    spool_close(&backtest->spool);
    if (backtest->batch != NULL)
        mem_free(&backtest->batch->rows);
    mem_free(&backtest->batch);
    *backtest = (Backtest){0};
}

static Status batch_make(Backtest *backtest, Error *error)
{
    Status status;
    BacktestBatch *batch = mem_new(1, sizeof *batch);
    backtest->batch = batch;
    batch->width = (int64_t)SERIES_MODELS * backtest->options.horizon + 1;
    TRY(fault_point("forecast.backtest", error));
    TRY(mem_resize(&batch->rows, BACKTEST_BATCH * series_width(backtest), sizeof *batch->rows,
                   "forecasts of the models", error));
    /* What a block that ends early has after its last series is written too. */
    memset(batch->rows, 0, (size_t)(BACKTEST_BATCH * series_width(backtest)) * sizeof *batch->rows);
out:
    return status;
}

/* Collective. */
static Status backtest_make(Comm *comm, const SeriesSet *set, const BacktestOptions *options,
                            Backtest *backtest, Error *error)
{
    Status status;
    uint64_t key;
    backtest_free(backtest);
    backtest->options = *options;
    backtest->set = set;
    backtest->n = set->n;
    backtest->first_block = set->first / block_series(backtest);
    vesper_assert(set->n == 0 || set->first % block_series(backtest) == 0);
    TRY_ALL(comm, batch_make(backtest, error), error);
    TRY(backtest_key(comm, set, options, &key, error));
    TRY(spool_open(comm, &options->place, key,
                   block_series(backtest) * series_width(backtest) * (int64_t)sizeof(float),
                   &backtest->spool, error));
out:
    return status;
}

/* ---- one series at one origin ---- */

static void keep(Fitting *fitting, int64_t i, int origin, SeriesModel model, const double *forecast)
{
    int horizon = fitting->backtest->options.horizon;
    float *to = row_at(fitting->backtest, i, origin) + (int64_t)model * horizon;
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

static void fit_series(Fitting *fitting, int64_t i, int origin, Workspace *space)
{
    const SeriesSet *set = fitting->set;
    const BacktestOptions *options = &fitting->backtest->options;
    /* The series as it was at the origin: no value after it. */
    int64_t bounds[2] = {0, length_before(set, options, i, origin)};
    SeriesSet cut = {.calendar = set->calendar,
                     .n = 1,
                     .begin = bounds,
                     .start = &set->start[i],
                     .records = series_values(set, i)};
    cut.calendar.n -= origin * options->horizon;
    cut.calendar.ahead = options->horizon;
    int n = series_open(&cut, 0, space->y, NULL);
    int ahead = series_open_ahead(&cut, 0);
    SeriesView view = {.y = space->y, .n = n, .season = cut.calendar.open_season};
    int longer = frequency_longer_season(cut.calendar.frequency, view.season);
    float *replaced = row_at(fitting->backtest, i, origin) + fitting->backtest->batch->width - 1;
    *replaced = (float)replace_outliers(fitting, view, space);
    series_models_run(view, longer, options->models, ahead, &space->memory, space->forecasts,
                      space->outcomes, space->seconds, space->work);
    for (int m = 0; m < SERIES_MODELS; m++) {
        bool is_there = m != SERIES_POOLED && space->outcomes[m] == FIT_OK;
        if (is_there)
            series_spread(&cut, 0, space->forecasts + m * ahead, space->spread);
        keep(fitting, i, origin, (SeriesModel)m, is_there ? space->spread : NULL);
    }
    if (fitting->pooled == NULL)
        space->outcomes[SERIES_POOLED] = FIT_NOT_TRIED;
    if (fitting->pooled != NULL && fitting->pooled[origin].n_groups > 0 && n > 0) {
        double began = clock_seconds();
        pooled_forecast(&fitting->pooled[origin], set, i, set->start[i] + (int32_t)bounds[1],
                        options->horizon, space->spread, space->work);
        space->seconds[SERIES_POOLED] += clock_seconds() - began;
        keep(fitting, i, origin, SERIES_POOLED, space->spread);
        space->outcomes[SERIES_POOLED] = FIT_OK;
    }
    for (int m = 0; m < SERIES_MODELS; m++)
        space->counts[m][space->outcomes[m]]++;
}

/* From the first origin to the last: what a search finds is where the next begins, and none knows
 * of later values. */
static void fit_origins(Fitting *fitting, int64_t i, Workspace *space)
{
    memset(&space->memory, 0, sizeof space->memory);
    for (int o = fitting->backtest->options.n_origins - 1; o >= 0; o--)
        fit_series(fitting, i, o, space);
}

/* ---- all series ---- */

static void count_outliers(Backtest *backtest, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) {
        for (int o = 0; o < backtest->options.n_origins; o++)
            backtest->outliers[o] += (int64_t)row_at(backtest, i, o)[backtest->batch->width - 1];
    }
}

static int64_t block_end(const Backtest *backtest, int64_t block)
{
    int64_t end = (block + 1) * block_series(backtest);
    return end < backtest->n ? end : backtest->n;
}

/* Which blocks an earlier run has left; *damaged: and how many of them were in vain. */
static Status find_whole(Fitting *fitting, int64_t *whole, int64_t *damaged, Error *error)
{
    Status status;
    Backtest *backtest = fitting->backtest;
    int64_t n_blocks = count_blocks(backtest);
    TRY(mem_resize(&fitting->is_whole, n_blocks, sizeof *fitting->is_whole, "batches of forecasts",
                   error));
    for (int64_t b = 0; b < n_blocks; b++) {
        SpoolState state;
        backtest->batch->first = b * block_series(backtest);
        TRY(spool_look(backtest->spool, backtest->first_block + b, block_rows(backtest, b), &state,
                       error));
        fitting->is_whole[b] = state == SPOOL_WHOLE;
        *damaged += state == SPOOL_DAMAGED;
        *whole += state == SPOOL_WHOLE;
        if (state == SPOOL_WHOLE)
            count_outliers(backtest, backtest->batch->first, block_end(backtest, b));
    }
out:
    return status;
}

static bool is_missing(const Fitting *fitting, int64_t i)
{
    return !fitting->is_whole[i / block_series(fitting->backtest)];
}

enum { SECONDS_BETWEEN_LINES = 60 };

/* The log has a line a minute, if it is of interest each batch. */
static void tell_progress(Fitting *fitting)
{
    double now = clock_seconds();
    bool is_due = now - fitting->told >= SECONDS_BETWEEN_LINES;
    log_line(is_due ? LOG_INFO : LOG_DEBUG, LOG_ROOT, "forecast.models",
             "done=%" PRId64 " of=%" PRId64 " seconds=%.0f", fitting->progress.done,
             fitting->progress.total, now - fitting->progress.started);
    if (is_due)
        fitting->told = now;
}

/* A batch from series `first` on, but for blocks that are there. */
static Status fit_batch(Fitting *fitting, int64_t first, Error *error)
{
    Status status;
    Backtest *backtest = fitting->backtest;
    int64_t end = first + BACKTEST_BATCH < backtest->n ? first + BACKTEST_BATCH : backtest->n;
    TRY(fault_point("forecast.batch", error));
    TRY(series_load(fitting->set, first, error));
    backtest->batch->first = first;
#pragma omp parallel for schedule(dynamic) num_threads(fitting->n_threads)
    for (int64_t i = first; i < end; i++) {
        if (!is_missing(fitting, i))
            continue;
        fit_origins(fitting, i, &fitting->spaces[omp_get_thread_num()]);
#pragma omp critical(forecast_progress)
        progress_add(&fitting->progress, 1);
    }
    for (int64_t b = first / block_series(backtest); b * block_series(backtest) < end; b++) {
        if (fitting->is_whole[b])
            continue;
        count_outliers(backtest, b * block_series(backtest), block_end(backtest, b));
        TRY(spool_write(backtest->spool, backtest->first_block + b, block_rows(backtest, b),
                        error));
    }
out:
    return status;
}

/* What of this rank is not there yet. */
static Status fit_missing(Fitting *fitting, Error *error)
{
    Status status;
    int64_t n = fitting->set->n, n_missing = 0;
    for (int64_t i = 0; i < n; i++)
        n_missing += is_missing(fitting, i);
    TRY(spaces_make(fitting, error));
    progress_begin(&fitting->progress, "forecast", "series", 1.0, n_missing);
    fitting->told = clock_seconds();
    for (int64_t first = 0; first < n; first += BACKTEST_BATCH) {
        bool any = false;
        for (int64_t i = first; i < n && i < first + BACKTEST_BATCH; i++)
            any = any || is_missing(fitting, i);
        if (any && stop_asked())
            TRY(stop_here(error, "before forecasts of series %" PRId64 " of %" PRId64 " of a rank",
                          first + 1, n));
        if (any) {
            TRY(fit_batch(fitting, first, error));
            tell_progress(fitting);
        }
    }
    for (int t = 0; t < fitting->n_threads; t++) {
        for (int m = 0; m < SERIES_MODELS; m++) {
            fitting->backtest->seconds[m] += fitting->spaces[t].seconds[m];
            for (int k = 0; k < FIT_OUTCOMES; k++)
                fitting->backtest->outcomes[m][k] += fitting->spaces[t].counts[m][k];
        }
    }
out:
    progress_end(&fitting->progress);
    return status;
}

/* Whether all series end with the calendar, so that one period is the origin of all. Collective. */
static bool end_together(Comm *comm, const SeriesSet *set)
{
    int64_t others = 0;
    for (int64_t i = 0; i < set->n; i++)
        others += set->start[i] + series_length(set, i) != set->calendar.first + set->calendar.n;
    comm_sum_i64(comm, &others, 1);
    return others == 0;
}

/* Collective. */
static Status learn_pooled(Comm *comm, Fitting *fitting, Error *error)
{
    Status status = STATUS_OK;
    const SeriesSet *set = fitting->set;
    const BacktestOptions *options = &fitting->backtest->options;
    if (!series_models_have(options->models, SERIES_POOLED) || !end_together(comm, set))
        return STATUS_OK;
    fitting->pooled = mem_new(options->n_origins, sizeof *fitting->pooled);
    for (int o = 0; o < options->n_origins; o++) {
        int32_t until = set->calendar.first + set->calendar.n - o * options->horizon;
        if (until > set->calendar.first)
            TRY(pooled_learn(comm, set, until, &options->pooled, &fitting->pooled[o], error));
    }
out:
    return status;
}

static void say_what_is_there(const Backtest *backtest, int64_t whole, int64_t damaged, int64_t all)
{
    if (damaged > 0)
        log_line(LOG_WARN, LOG_ROOT, "forecast.models",
                 "note=\"checkpoint %s is damaged: %" PRId64 " of %" PRId64
                 " blocks are forecast anew\"",
                 spool_name(backtest->spool), damaged, all);
    if (whole > 0)
        log_line(LOG_INFO, LOG_ROOT, "forecast.models",
                 "note=\"goes on: %" PRId64 " of %" PRId64 " blocks of series are there\"", whole,
                 all);
}

Status backtest_run(Comm *comm, const SeriesSet *set, const BacktestOptions *options,
                    Backtest *backtest, Error *error)
{
    Status status;
    Fitting fitting = {.set = set, .backtest = backtest, .n_threads = options->threads};
    int64_t counts[3] = {0};
    TRY(backtest_make(comm, set, options, backtest, error));
    TRY_ALL(comm, find_whole(&fitting, &counts[0], &counts[1], error), error);
    counts[2] = count_blocks(backtest);
    comm_sum_i64(comm, counts, 3);
    say_what_is_there(backtest, counts[0], counts[1], counts[2]);
    if (counts[0] < counts[2])
        TRY(learn_pooled(comm, &fitting, error));
    TRY_ALL(comm, fit_missing(&fitting, error), error);
    backtest->batch->n = 0;
out:
    fitting_free(&fitting);
    return status;
}

/* ---- a batch at hand ---- */

Status backtest_load(const Backtest *backtest, int64_t i, Error *error)
{
    Status status;
    BacktestBatch *batch = backtest->batch;
    TRY(series_load(backtest->set, i, error));
    if (i >= batch->first && i < batch->first + batch->n)
        goto out;
    batch->n = 0;
    batch->first = i - i % BACKTEST_BATCH;
    int64_t end =
        batch->first + BACKTEST_BATCH < backtest->n ? batch->first + BACKTEST_BATCH : backtest->n;
    for (int64_t b = batch->first / block_series(backtest); b * block_series(backtest) < end; b++)
        TRY(spool_read(backtest->spool, backtest->first_block + b, block_rows(backtest, b), error));
    batch->n = end - batch->first;
out:
    return status;
}

/* ---- what came ---- */

int backtest_came(const Backtest *backtest, const SeriesSet *set, int64_t i, int origin,
                  double *actual)
{
    int horizon = backtest->options.horizon, known = 0;
    const double *values = series_values(set, i);
    int32_t length = series_length(set, i);
    int32_t before = length_before(set, &backtest->options, i, origin);
    for (int h = 0; h < horizon; h++) {
        int32_t t = before + h;
        actual[h] = NAN;
        if (before == 0 || calendar_is_closed(&set->calendar, set->start[i] + t))
            continue;
        if (t < length)
            actual[h] = values[t];
        else if (backtest->after != NULL)
            actual[h] = backtest->after[i * horizon + t - length];
        known += !isnan(actual[h]);
    }
    return known;
}

Outlook backtest_outlook(const Backtest *backtest, const SeriesSet *set, int64_t i, int origin,
                         double *actual)
{
    const double *values = series_values(set, i);
    int32_t before = length_before(set, &backtest->options, i, origin);
    Outlook outlook = {.known = backtest_came(backtest, set, i, origin, actual)};
    if (before == 0)
        return outlook;
    outlook.absolute_scale = forecast_scale_absolute(values, before, backtest->options.season);
    outlook.squared_scale = forecast_scale_squared(values, before);
    return outlook;
}
