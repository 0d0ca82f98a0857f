/* Learning of intervals; see intervals.h. How they are asked for: interval_quantiles.c. */
#include "forecast/intervals.h"

#include "base/fault.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS, COUNTS }; /* kinds */
/* So many errors of its own count as much as the group's. */
static const double OWN_HALF = 64;
static const int ladder[INTERVAL_LENGTHS] = {1, 2, 4, 7, 14, 28, 56};

typedef struct Learning {
    const IntervalInput *input;
    IntervalModel *model;
    int64_t *keys;   /* [kinds x bins] series by key */
    int64_t *growth; /* [horizon x bins] errors of numbers by size */
} Learning;

static void learning_free(Learning *learning)
{
    mem_free(&learning->keys);
    mem_free(&learning->growth);
}

void interval_model_free(IntervalModel *model)
{
    mem_free(&model->histograms);
    mem_free(&model->growth);
    mem_free(&model->errors);
    mem_free(&model->is_count);
    mem_free(&model->is_negative);
    mem_free(&model->key);
    mem_free(&model->scale);
    mem_free(&model->level);
    mem_free(&model->own_weight);
    mem_free(&model->own);
    *model = (IntervalModel){0};
}

static int64_t histogram_size(const IntervalModel *model)
{
    return (int64_t)INTERVAL_KINDS * (INTERVAL_GROUPS + 1) * model->n_lengths * SPREAD_BINS;
}

static int64_t *histogram_of(const IntervalModel *model, int kind, int group, int length)
{
    int64_t place = (int64_t)kind * (INTERVAL_GROUPS + 1) + group;
    return model->histograms + (place * model->n_lengths + length) * SPREAD_BINS;
}

/* The lengths of the ladder up to the first that is no shorter than the longest sum. */
static void choose_lengths(const IntervalInput *input, IntervalModel *model)
{
    model->n_lengths = 1;
    model->lengths[0] = ladder[0];
    while (model->n_lengths < INTERVAL_LENGTHS && ladder[model->n_lengths] <= input->horizon &&
           ladder[model->n_lengths - 1] < input->longest) {
        model->lengths[model->n_lengths] = ladder[model->n_lengths];
        model->n_lengths++;
    }
}

static Status make_counts(int64_t **counts, int64_t n, Error *error)
{
    Status status;
    TRY(mem_resize(counts, n, sizeof **counts, "errors by size", error));
    memset(*counts, 0, (size_t)n * sizeof **counts);
out:
    return status;
}

static Status make_room(Learning *learning, Error *error)
{
    Status status;
    const IntervalInput *input = learning->input;
    IntervalModel *model = learning->model;
    int64_t periods = (int64_t)input->n_origins * input->horizon;
    static const char what[] = "intervals";
    TRY(fault_point("forecast.intervals", error));
    TRY(make_counts(&learning->keys, (int64_t)INTERVAL_KINDS * SPREAD_BINS, error));
    TRY(make_counts(&learning->growth, (int64_t)input->horizon * SPREAD_BINS, error));
    TRY(make_counts(&model->histograms, histogram_size(model), error));
    TRY(mem_resize(&model->errors, periods * SPREAD_PIECES, sizeof *model->errors, what, error));
    TRY(mem_resize(&model->growth, input->horizon, sizeof *model->growth, what, error));
out:
    return status;
}

/* Room for n series at hand. */
static Status make_series(IntervalModel *model, int64_t n, Error *error)
{
    static const char what[] = "intervals of series";
    Status status = STATUS_OK;
    int64_t rows = n * model->n_lengths;
    TRY(mem_resize(&model->is_count, n, sizeof *model->is_count, what, error));
    TRY(mem_resize(&model->is_negative, n, sizeof *model->is_negative, what, error));
    TRY(mem_resize(&model->key, n, sizeof *model->key, what, error));
    TRY(mem_resize(&model->scale, n, sizeof *model->scale, what, error));
    TRY(mem_resize(&model->level, n, sizeof *model->level, what, error));
    TRY(mem_resize(&model->own_weight, rows, sizeof *model->own_weight, what, error));
    TRY(mem_resize(&model->own, rows * SPREAD_OWN, sizeof *model->own, what, error));
out:
    return status;
}

/* ---- what each series is like ---- */

/* Sums of one series over the periods of the backtest that are known. */
typedef struct Level {
    int64_t n;
    double size, error; /* sums of |y|, |y - f| */
    bool is_negative;
} Level;

static Level level_of(const double *forecast, const double *actual, int64_t periods)
{
    Level level = {0};
    for (int64_t t = 0; t < periods; t++) {
        double error = fabs(actual[t] - forecast[t]);
        if (isnan(error))
            continue;
        level.n++;
        level.size += fabs(actual[t]);
        level.error += error;
        level.is_negative = level.is_negative || actual[t] < 0;
    }
    return level;
}

/* By which the series is put into a group: its level in scales. */
static int key_bin(const IntervalModel *model, int64_t k, const Level *level)
{
    double size = model->is_count[k] ? model->level[k] : level->size / (double)level->n;
    return spread_bin(model->scale[k] > 0 ? size / model->scale[k] : 0);
}

/* Kinds, scales, levels and keys of a batch, which is then at hand. */
static Status describe(IntervalModel *model, const IntervalBatch *batch, Error *error)
{
    Status status;
    int64_t periods = (int64_t)model->n_origins * model->horizon;
    TRY(make_series(model, batch->n, error));
    model->first = batch->first;
    model->n = batch->n;
    for (int64_t k = 0; k < batch->n; k++) {
        const double *forecast = batch->forecast + k * periods;
        Level level = level_of(forecast, batch->actual + k * periods, periods);
        double scale = batch->scale[k];
        model->is_count[k] = batch->is_count[k];
        model->is_negative[k] = !model->is_count[k] && level.is_negative;
        if (!(scale > 0))
            scale = level.n > 0 ? level.error / (double)level.n : 0;
        model->scale[k] = isfinite(scale) ? scale : 0;
        model->level[k] = interval_rate(forecast, periods);
        bool has_errors = level.n > 0 && (model->is_count[k] || model->scale[k] > 0);
        model->key[k] = (int16_t)(has_errors ? key_bin(model, k, &level) : -1);
    }
out:
    return status;
}

static void count_growth(Learning *learning, const IntervalBatch *batch, int64_t k)
{
    const IntervalInput *input = learning->input;
    int64_t periods = (int64_t)input->n_origins * input->horizon;
    const double *forecast = batch->forecast + k * periods, *actual = batch->actual + k * periods;
    for (int64_t t = 0; t < periods; t++) {
        double error = fabs(actual[t] - forecast[t]) / learning->model->scale[k];
        if (!isnan(error))
            learning->growth[t % input->horizon * SPREAD_BINS + spread_bin(error)]++;
    }
}

/* How many series have which key, and how errors grow. */
static Status count_series(Learning *learning, Error *error)
{
    Status status = STATUS_OK;
    const IntervalInput *input = learning->input;
    const IntervalModel *model = learning->model;
    IntervalBatch batch;
    for (int64_t i = 0; i < input->n; i += batch.n) {
        TRY(input->batch_from(input->context, i, &batch, error));
        TRY(describe(learning->model, &batch, error));
        for (int64_t k = 0; k < batch.n; k++) {
            if (model->key[k] < 0)
                continue;
            learning->keys[model->is_count[k] * SPREAD_BINS + model->key[k]]++;
            if (!model->is_count[k])
                count_growth(learning, &batch, k);
        }
    }
out:
    return status;
}

/* Tenths of the series of all ranks; those in one bin stay together. */
static void set_groups(const Learning *learning)
{
    IntervalModel *model = learning->model;
    for (int kind = 0; kind < INTERVAL_KINDS; kind++) {
        const int64_t *keys = learning->keys + kind * SPREAD_BINS;
        int64_t total = 0, below = 0;
        for (int bin = 0; bin < SPREAD_BINS; bin++)
            total += keys[bin];
        for (int bin = 0; bin < SPREAD_BINS; bin++) {
            int64_t group = total > 0 ? INTERVAL_GROUPS * below / total : 0;
            model->group_of_bin[kind][bin] =
                (int8_t)(group < INTERVAL_GROUPS ? group : INTERVAL_GROUPS - 1);
            below += keys[bin];
        }
    }
}

static void add_up(int64_t *counts)
{
    for (int bin = 1; bin < SPREAD_BINS; bin++)
        counts[bin] += counts[bin - 1];
}

/* The median size of the errors k periods ahead, of all from k / 1.5 to 1.5 k. */
static void set_growth(Learning *learning)
{
    IntervalModel *model = learning->model;
    for (int k = 1; k <= model->horizon; k++) {
        int64_t sizes[SPREAD_BINS] = {0};
        for (int near = (2 * k + 2) / 3; near <= 3 * k / 2 && near <= model->horizon; near++) {
            for (int bin = 0; bin < SPREAD_BINS; bin++)
                sizes[bin] += learning->growth[(int64_t)(near - 1) * SPREAD_BINS + bin];
        }
        add_up(sizes);
        double median = 1;
        if (sizes[SPREAD_BINS - 1] > 0)
            median = spread_quantile(&(Spread){.histogram = sizes}, .5);
        model->growth[k - 1] = median > 1e-3 ? median : 1;
    }
}

/* ---- errors ---- */

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Sums over `length` periods from `from` on: those that are known must be half of them. */
static bool sum_window(const double *forecast, const double *actual, int from, int length,
                       double *forecasts, double *actuals)
{
    int known = 0;
    *forecasts = *actuals = 0;
    for (int h = from; h < from + length; h++) {
        if (isnan(actual[h] - forecast[h]))
            continue;
        known++;
        *forecasts += forecast[h];
        *actuals += actual[h];
    }
    return 2 * known >= length && known > 0;
}

/* Errors of the sums of the k-th series of a batch over windows of one length, into model->errors;
 * returns how many. Windows of counts overlap, by three quarters at most; those of numbers begin
 * with the next period, as their errors grow with the horizon, but single periods are all taken.
 *   independent out: how many windows would fit side by side */
static int64_t collect(const IntervalModel *model, const IntervalBatch *batch, int64_t k,
                       int length, double *independent)
{
    int stride = length / 4 > 1 ? length / 4 : 1;
    int last = model->is_count[k] || length == 1 ? model->horizon - length : 0;
    int64_t n = 0, windows = 0;
    for (int origin = 0; origin < model->n_origins; origin++) {
        int64_t row = (k * model->n_origins + origin) * model->horizon;
        double rate = interval_rate(batch->forecast + row, model->horizon);
        for (int from = 0; from <= last; from += stride) {
            double mean, came;
            if (!sum_window(batch->forecast + row, batch->actual + row, from, length, &mean, &came))
                continue;
            windows++;
            if (model->is_count[k]) {
                spread_count_points(came, spread_mean(mean, rate, model->level[k]),
                                    model->errors + n);
                n += SPREAD_PIECES;
            } else {
                double growth = length == 1 ? model->growth[from] : sqrt(length);
                model->errors[n++] = (came - mean) / (model->scale[k] * growth);
            }
        }
    }
    *independent = (double)windows * (last > 0 ? fmin((double)stride / length, 1) : 1);
    return n;
}

/* Errors of all series into the histograms of their groups. */
static Status count_errors(Learning *learning, Error *error)
{
    Status status = STATUS_OK;
    const IntervalInput *input = learning->input;
    const IntervalModel *model = learning->model;
    IntervalBatch batch;
    for (int64_t i = 0; i < input->n; i += batch.n) {
        TRY(input->batch_from(input->context, i, &batch, error));
        TRY(describe(learning->model, &batch, error));
        for (int64_t row = 0; row < batch.n * model->n_lengths; row++) {
            int64_t k = row / model->n_lengths;
            int length = (int)(row % model->n_lengths),
                kind = model->is_count[k] ? COUNTS : NUMBERS;
            double independent;
            if (model->key[k] < 0)
                continue;
            int64_t *histogram =
                histogram_of(model, kind, model->group_of_bin[kind][model->key[k]], length);
            int64_t n = collect(model, &batch, k, model->lengths[length], &independent);
            for (int64_t e = 0; e < n; e++)
                histogram[spread_bin(model->errors[e])]++;
        }
    }
out:
    return status;
}

Status intervals_take(IntervalModel *model, const IntervalBatch *batch, Error *error)
{
    Status status;
    TRY(describe(model, batch, error));
    for (int64_t row = 0; row < batch->n * model->n_lengths; row++) {
        int64_t k = row / model->n_lengths, n = 0;
        double independent = 0;
        if (model->key[k] >= 0)
            n = collect(model, batch, k, model->lengths[row % model->n_lengths], &independent);
        model->own_weight[row] = n > 0 ? (float)(independent / (independent + OWN_HALF)) : 0;
        if (n == 0)
            continue;
        qsort(model->errors, (size_t)n, sizeof *model->errors, compare_doubles);
        spread_condense(model->errors, n, model->own + row * SPREAD_OWN);
    }
out:
    return status;
}

/* Running counts, and those of all groups together. */
static void pool(IntervalModel *model)
{
    for (int kind = 0; kind < INTERVAL_KINDS; kind++) {
        for (int length = 0; length < model->n_lengths; length++) {
            int64_t *all = histogram_of(model, kind, INTERVAL_GROUPS, length);
            for (int group = 0; group < INTERVAL_GROUPS; group++) {
                int64_t *counts = histogram_of(model, kind, group, length);
                add_up(counts);
                for (int bin = 0; bin < SPREAD_BINS; bin++)
                    all[bin] += counts[bin];
            }
        }
    }
}

Status intervals_learn(Comm *comm, const IntervalInput *input, IntervalModel *model, Error *error)
{
    Status status;
    *model = (IntervalModel){.n_origins = input->n_origins, .horizon = input->horizon};
    Learning learning = {.input = input, .model = model};
    choose_lengths(input, model);
    TRY_ALL(comm, make_room(&learning, error), error);
    TRY_ALL(comm, count_series(&learning, error), error);
    comm_sum_i64(comm, learning.keys, (int64_t)INTERVAL_KINDS * SPREAD_BINS);
    comm_sum_i64(comm, learning.growth, (int64_t)input->horizon * SPREAD_BINS);
    set_groups(&learning);
    set_growth(&learning);
    TRY_ALL(comm, count_errors(&learning, error), error);
    model->n = 0; /* what is at hand has no errors of its own */
    comm_sum_i64(comm, model->histograms, histogram_size(model));
    pool(model);
out:
    learning_free(&learning);
    if (status != STATUS_OK)
        interval_model_free(model);
    return status;
}
