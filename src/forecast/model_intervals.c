/* See model_intervals.h. */
#include "forecast/model_intervals.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

bool model_forecast(const ModelForecasts *from, int64_t i, int origin, double *mean)
{
    int horizon = from->backtest->options.horizon;
    if (from->model == SERIES_PUBLISHED && origin == from->published_from) {
        memcpy(mean, from->published + i * horizon, (size_t)horizon * sizeof *mean);
        return true;
    }
    if (from->model >= SERIES_COMBINED) {
        (void)combination_forecast(from->combination, from->set, from->backtest, i, origin, mean);
        return true;
    }
    const float *forecast = backtest_forecast(from->backtest, i, origin, from->model);
    for (int h = 0; h < horizon; h++)
        mean[h] = (double)forecast[h];
    return !isnan(mean[0]);
}

/* The k-th series of the batch is series i. */
static void gather(ModelIntervals *intervals, int64_t i, int64_t k)
{
    const ModelForecasts *from = &intervals->from;
    int horizon = from->backtest->options.horizon;
    intervals->is_count[k] =
        interval_is_count(series_values(from->set, i), series_length(from->set, i));
    for (int o = 0; o < intervals->n_origins; o++) {
        int64_t row = (k * intervals->n_origins + o) * horizon;
        Outlook outlook = backtest_outlook(from->backtest, from->set, i, intervals->first + o,
                                           intervals->actual + row);
        if (o == 0)
            intervals->scale[k] = outlook.absolute_scale;
        if (!model_forecast(from, i, intervals->first + o, intervals->forecast + row)) {
            for (int h = 0; h < horizon; h++)
                intervals->forecast[row + h] = NAN;
        }
    }
}

static Status batch_from(void *context, int64_t first, IntervalBatch *batch, Error *error)
{
    Status status = STATUS_OK;
    ModelIntervals *intervals = context;
    int64_t left = intervals->from.set->n - first;
    *batch = (IntervalBatch){.first = first,
                             .n = left < BACKTEST_BATCH ? left : BACKTEST_BATCH,
                             .forecast = intervals->forecast,
                             .actual = intervals->actual,
                             .scale = intervals->scale,
                             .is_count = intervals->is_count};
    for (int64_t k = 0; k < batch->n; k++) {
        TRY(backtest_load(intervals->from.backtest, first + k, error));
        gather(intervals, first + k, k);
    }
out:
    return status;
}

static Status make_batch(ModelIntervals *intervals, Error *error)
{
    static const char what[] = "errors of forecasts";
    Status status;
    int64_t n = BACKTEST_BATCH;
    int64_t width = (int64_t)intervals->n_origins * intervals->from.backtest->options.horizon;
    TRY(mem_resize(&intervals->forecast, n * width, sizeof(double), what, error));
    TRY(mem_resize(&intervals->actual, n * width, sizeof(double), what, error));
    TRY(mem_resize(&intervals->scale, n, sizeof *intervals->scale, what, error));
    TRY(mem_resize(&intervals->is_count, n, sizeof *intervals->is_count, what, error));
out:
    return status;
}

Status model_intervals_learn(Comm *comm, const ModelForecasts *from, int first, int n_origins,
                             int longest, ModelIntervals *intervals, Error *error)
{
    Status status;
    model_intervals_free(intervals);
    *intervals = (ModelIntervals){.from = *from, .first = first, .n_origins = n_origins};
    TRY_ALL(comm, make_batch(intervals, error), error);
    IntervalInput input = {.n = from->set->n,
                           .n_origins = n_origins,
                           .horizon = from->backtest->options.horizon,
                           .longest = longest,
                           .batch_from = batch_from,
                           .context = intervals};
    TRY(intervals_learn(comm, &input, &intervals->model, error));
out:
    return status;
}

Status model_intervals_load(ModelIntervals *intervals, int64_t i, Error *error)
{
    Status status;
    const IntervalModel *model = &intervals->model;
    IntervalBatch batch;
    TRY(backtest_load(intervals->from.backtest, i, error));
    if (i >= model->first && i < model->first + model->n)
        return STATUS_OK;
    TRY(batch_from(intervals, i - i % BACKTEST_BATCH, &batch, error));
    TRY(intervals_take(&intervals->model, &batch, error));
out:
    return status;
}

void model_intervals_free(ModelIntervals *intervals)
{
    mem_free(&intervals->forecast);
    mem_free(&intervals->actual);
    mem_free(&intervals->scale);
    mem_free(&intervals->is_count);
    interval_model_free(&intervals->model);
    *intervals = (ModelIntervals){0};
}
