/* See tier_intervals.h. Every rank has all nodes, but learns from an even share of them: what it
 * counts is added up over the ranks. */
#include "forecast/tier_intervals.h"

#include "base/memory.h"

#include <math.h>

typedef struct Errors {
    double *forecast, *actual; /* [n x past origins x horizon] */
    double *scale;             /* [n] */
    bool *is_count;            /* [n] */
    int64_t width;             /* past origins x horizon */
    int32_t begin, end;        /* nodes that this rank learns from */
} Errors;

static void errors_free(Errors *errors)
{
    mem_free(&errors->forecast);
    mem_free(&errors->actual);
    mem_free(&errors->scale);
    mem_free(&errors->is_count);
}

static void gather(const NodeBacktest *nodes, int64_t node, Errors *errors)
{
    const double *history = nodes->history + node * nodes->n_periods;
    int64_t horizon = nodes->horizon;
    errors->scale[node] = NAN; /* that of the backtest */
    errors->is_count[node] = interval_is_count(history, nodes->n_periods);
    for (int o = 1; o < nodes->n_origins; o++) {
        const double *forecast = nodes->forecasts + (node * nodes->n_origins + o) * horizon;
        int64_t row = node * errors->width + (o - 1) * horizon,
                from = nodes->n_periods - (nodes->origin + o) * horizon;
        for (int64_t h = 0; h < horizon; h++) {
            bool is_known = !isnan(nodes->residuals[row + h]);
            errors->forecast[row + h] = forecast[h];
            errors->actual[row + h] = is_known ? history[from + h] : (double)NAN;
        }
    }
}

static Status errors_make(const NodeBacktest *nodes, Errors *errors, Error *error)
{
    static const char what[] = "errors of categories";
    Status status;
    int64_t n = nodes->n;
    errors->width = (int64_t)(nodes->n_origins - 1) * nodes->horizon;
    TRY(mem_resize(&errors->forecast, n * errors->width, sizeof(double), what, error));
    TRY(mem_resize(&errors->actual, n * errors->width, sizeof(double), what, error));
    TRY(mem_resize(&errors->scale, n, sizeof *errors->scale, what, error));
    TRY(mem_resize(&errors->is_count, n, sizeof *errors->is_count, what, error));
    for (int64_t node = 0; node < n; node++)
        gather(nodes, node, errors);
out:
    return status;
}

static IntervalBatch batch_of(const Errors *errors, int32_t begin, int32_t end)
{
    return (IntervalBatch){.n = end - begin,
                           .forecast = errors->forecast + begin * errors->width,
                           .actual = errors->actual + begin * errors->width,
                           .scale = errors->scale + begin,
                           .is_count = errors->is_count + begin};
}

static Status own_batch(void *context, int64_t first, IntervalBatch *batch, Error *error)
{
    const Errors *errors = context;
    (void)first; /* there is one batch */
    (void)error;
    *batch = batch_of(errors, errors->begin, errors->end);
    return STATUS_OK;
}

Status tier_intervals(Comm *comm, const NodeBacktest *nodes, const double *mean,
                      const double *probabilities, int n_probabilities, double *quantiles,
                      Error *error)
{
    Status status;
    Errors errors = {0};
    IntervalModel model = {0};
    TRY_ALL(comm, errors_make(nodes, &errors, error), error);
    errors.begin = (int32_t)((int64_t)nodes->n * comm_rank(comm) / comm_size(comm));
    errors.end = (int32_t)((int64_t)nodes->n * (comm_rank(comm) + 1) / comm_size(comm));
    IntervalInput input = {.n = errors.end - errors.begin,
                           .n_origins = nodes->n_origins - 1,
                           .horizon = nodes->horizon,
                           .longest = 1,
                           .batch_from = own_batch,
                           .context = &errors};
    TRY(intervals_learn(comm, &input, &model, error));
    IntervalBatch all = batch_of(&errors, 0, nodes->n);
    TRY_ALL(comm, intervals_take(&model, &all, error), error);
    for (int64_t node = 0; node < nodes->n; node++)
        intervals_quantiles(&model, node, mean + node * nodes->horizon, probabilities,
                            n_probabilities, quantiles + node * nodes->horizon * n_probabilities);
out:
    interval_model_free(&model);
    errors_free(&errors);
    return status;
}
