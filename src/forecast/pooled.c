/* See pooled.h. Each thread sums the Gram matrices of whole blocks of series, in fixed point
 * (kernel/ridge.h), once for the rows of the last periods and once for all before them: the first
 * choose lambda, both together give the coefficients. */
#include "forecast/pooled.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "kernel/dense.h"
#include "kernel/ridge.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum {
    PIECE = 256,       /* rows of one BLAS call */
    FOLDS = 2,         /* rows to learn from, rows to choose by */
    WINDOWS_BEFORE = 2 /* rolling windows that a series is old before it is learned from */
};

static const uint64_t seed = 0x706f6f6c6564; /* of the horizons that rows are drawn with */
static const double number_max = 64;         /* in a row; larger ones are cut */
static const double step_most = 6;           /* usual steps from the level that a target may lie */
static const double lambdas[] = {1, .3, .1, .03, .01, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5, 1e-6};
enum { N_LAMBDAS = sizeof lambdas / sizeof lambdas[0], USUAL_LAMBDA = 4 };

/* What one thread works in. */
typedef struct Accumulator {
    double *history;  /* [feature_history_work] */
    double *rows;     /* [groups x FOLDS x PIECE x width] */
    double *grams;    /* [groups x FOLDS x width x width], of the block */
    int64_t *sums;    /* [groups x FOLDS x ridge_packed(width)], of all its blocks */
    int64_t *n_rows;  /* [groups x FOLDS] */
    int64_t *n_piece; /* [groups x FOLDS] rows that wait in `rows` */
} Accumulator;

typedef struct Learning {
    const SeriesSet *set;
    const PooledOptions *options;
    PooledModel *model;
    int32_t until;
    int32_t split; /* periods from it on choose lambda */
    int32_t step;  /* every so manieth target is learned from */
    int64_t width; /* of a row: features, target */
    int n_sums;    /* groups x FOLDS */
    int bits;
    Accumulator *threads; /* [options->threads] */
    double *doubles;
    int64_t *integers;
} Learning;

/* ---- what there is to learn from ---- */

static void set_groups(int horizon, PooledModel *model)
{
    int last = model->plan.window;
    for (int first = 1; first <= horizon; last *= 2) {
        PooledGroup *group = &model->groups[model->n_groups++];
        bool is_end = last >= horizon || model->n_groups == POOLED_GROUPS_MAX;
        *group = (PooledGroup){.first = first, .last = is_end ? horizon : last};
        first = group->last + 1;
    }
}

static int32_t longest(const SeriesSet *set, int32_t until)
{
    int32_t length = 0;
    for (int64_t i = 0; i < set->n; i++)
        if (until - set->start[i] > length)
            length = until - set->start[i];
    return length;
}

static int32_t divisor(int32_t a, int32_t b)
{
    return b == 0 ? a : divisor(b, a % b);
}

/* Which targets are learned from, and how large sums can get. Collective. */
static void plan_rows(Comm *comm, Learning *learning)
{
    const PooledModel *model = learning->model;
    int64_t limit = learning->options->rows > 0 ? learning->options->rows : POOLED_ROWS;
    int64_t periods = 0;
    for (int64_t i = 0; i < learning->set->n; i++)
        if (learning->until > learning->set->start[i])
            periods += learning->until - learning->set->start[i];
    comm_sum_i64(comm, &periods, 1);
    learning->step = (int32_t)((periods * model->n_groups + limit - 1) / limit);
    if (learning->step < 1)
        learning->step = 1;
    while (divisor(learning->step, model->plan.season) > 1)
        learning->step++;
    learning->bits = ridge_bits(periods / learning->step + learning->set->total, number_max);
}

/* Where the last periods begin: a horizon of them, at most a quarter of the history. */
static int32_t split_of(const Learning *learning)
{
    int32_t quarter = (learning->until - learning->set->calendar.first) / 4;
    int32_t kept = learning->options->horizon;
    return learning->until - (kept < quarter ? kept : quarter);
}

/* Numbers of a thread's parts, each in cache lines of its own. */
static int64_t rounded(int64_t n)
{
    return (n + 7) / 8 * 8;
}

static Status make_room(Learning *learning, Error *error)
{
    Status status;
    int threads = learning->options->threads;
    int64_t width = learning->width, n = learning->n_sums;
    int64_t history =
        rounded(feature_history_work(learning->set, longest(learning->set, learning->until)));
    int64_t rows = rounded(n * PIECE * width), grams = rounded(n * width * width);
    int64_t sums = rounded(n * ridge_packed(width)), counts = rounded(n);
    TRY(fault_point("forecast.pooled", error));
    TRY(mem_resize(&learning->doubles, threads * (history + rows + grams),
                   sizeof *learning->doubles, "rows of the pooled model", error));
    TRY(mem_resize(&learning->integers, threads * (sums + 2 * counts), sizeof *learning->integers,
                   "sums of the pooled model", error));
    memset(learning->integers, 0,
           (size_t)(threads * (sums + 2 * counts)) * sizeof *learning->integers);
    learning->threads = mem_new(threads, sizeof *learning->threads);
    for (int k = 0; k < threads; k++) {
        Accumulator *thread = &learning->threads[k];
        thread->history = learning->doubles + k * (history + rows + grams);
        thread->rows = thread->history + history;
        thread->grams = thread->rows + rows;
        thread->sums = learning->integers + k * (sums + 2 * counts);
        thread->n_rows = thread->sums + sums;
        thread->n_piece = thread->n_rows + counts;
    }
out:
    return status;
}

/* ---- rows ---- */

static void flush(const Learning *learning, Accumulator *thread, int at)
{
    int64_t width = learning->width;
    ridge_add_rows(thread->rows + at * PIECE * width, thread->n_piece[at], width,
                   thread->grams + at * width * width);
    thread->n_rows[at] += thread->n_piece[at];
    thread->n_piece[at] = 0;
}

/* One row: everything times the root of its weight, that is the level in usual steps of the series:
 * so an error of the target in those counts the same in every series. Both are those of the origin:
 * weights that know of a large order to come would give it no say, and the mean would be too low.
 */
static void add_row(const Learning *learning, Accumulator *thread, const FeatureHistory *history,
                    int g, int32_t origin, int32_t target)
{
    const FeaturePlan *plan = &learning->model->plan;
    double level = feature_level(plan, history, origin);
    if (!(level > 0))
        return;
    bool is_last = history->set->start[history->i] + target >= learning->split;
    int at = g * FOLDS + is_last;
    double *row = thread->rows + (at * PIECE + thread->n_piece[at]) * learning->width;
    double root = level / feature_step(plan, history, origin), most = step_most / root;
    if (learning->options->half_life > 0)
        root *= exp2((target + 1 - history->n) / (2 * learning->options->half_life));
    feature_row(plan, history, origin, target, level, row);
    row[plan->n] = fmin(fmax(feature_value(history, target) / level, -1 - most), 1 + most);
    for (int64_t j = 0; j < learning->width; j++)
        row[j] = fmin(fmax(row[j] * root, -number_max), number_max);
    if (++thread->n_piece[at] == PIECE)
        flush(learning, thread, at);
}

static void add_series(const Learning *learning, Accumulator *thread, int64_t i)
{
    const SeriesSet *set = learning->set;
    const PooledModel *model = learning->model;
    Random random = random_stream(seed, (uint64_t)(set->first + i));
    FeatureHistory history;
    feature_history_make(&model->plan, set, i, learning->until, &history, thread->history);
    for (int32_t t = 0; t < history.n; t++) {
        if ((set->first + i + history.offset + t) % learning->step != 0 ||
            !feature_is_known(&history, t))
            continue;
        for (int g = 0; g < model->n_groups; g++) {
            const PooledGroup *group = &model->groups[g];
            int64_t longer = random_below(&random, (int64_t)group->last - group->first + 1);
            int32_t origin = t + 1 - group->first - (int32_t)longer;
            if (origin >= WINDOWS_BEFORE * model->plan.window)
                add_row(learning, thread, &history, g, origin, t);
        }
    }
}

static void add_block(const Learning *learning, Accumulator *thread, int64_t first, int64_t end)
{
    int64_t width = learning->width, square = width * width;
    memset(thread->grams, 0, (size_t)(learning->n_sums * square) * sizeof *thread->grams);
    for (int64_t i = first; i < end; i++)
        add_series(learning, thread, i);
    for (int at = 0; at < learning->n_sums; at++) {
        flush(learning, thread, at);
        ridge_fix(thread->grams + at * square, width, learning->bits,
                  thread->sums + at * ridge_packed(width));
    }
}

/* A batch of series at a time: its blocks among the threads. */
static Status add_own_blocks(const Learning *learning, Error *error)
{
    Status status = STATUS_OK;
    const SeriesSet *set = learning->set;
    for (int64_t begin = 0; begin < set->n; begin += SERIES_BATCH) {
        int64_t until = begin + SERIES_BATCH < set->n ? begin + SERIES_BATCH : set->n;
        TRY(series_load(set, begin, error));
#pragma omp parallel for schedule(dynamic) num_threads(learning->options->threads)
        for (int64_t first = begin; first < until; first += SERIES_BLOCK) {
            int64_t end = first + SERIES_BLOCK;
            add_block(learning, &learning->threads[omp_get_thread_num()], first,
                      end < until ? end : until);
        }
    }
out:
    return status;
}

/* All rows of all ranks into the sums of the first thread. Collective. */
static Status add_blocks(Comm *comm, Learning *learning, Error *error)
{
    Status status;
    int threads = learning->options->threads;
    int64_t sums = learning->n_sums * ridge_packed(learning->width);
    Accumulator *all = &learning->threads[0];
    vesper_assert(all != NULL);
    TRY_ALL(comm, add_own_blocks(learning, error), error);
    for (int k = 1; k < threads; k++) {
        const Accumulator *thread = &learning->threads[k];
        for (int64_t j = 0; j < sums; j++)
            all->sums[j] += thread->sums[j];
        for (int at = 0; at < learning->n_sums; at++)
            all->n_rows[at] += thread->n_rows[at];
    }
    comm_sum_i64(comm, all->sums, sums);
    comm_sum_i64(comm, all->n_rows, learning->n_sums);
out:
    return status;
}

/* ---- coefficients ---- */

/* The lambda whose coefficients, learned from the rows before, do best on the last periods. */
static double choose_lambda(const double *before, const double *last, int64_t width,
                            PooledGroup *group, double *work)
{
    double best = INFINITY, lambda = 0;
    for (int k = 0; k < N_LAMBDAS; k++) {
        if (!ridge_solve(before, width, lambdas[k], group->coefficients, work))
            continue;
        double loss = ridge_loss(last, width, group->coefficients);
        if (loss < best) {
            best = loss;
            lambda = lambdas[k];
        }
    }
    return lambda > 0 ? lambda : lambdas[USUAL_LAMBDA];
}

static void fit_group(const Learning *learning, int g, PooledGroup *group, double *work)
{
    int64_t width = learning->width, square = width * width;
    const Accumulator *all = &learning->threads[0];
    const int64_t *sums = all->sums + g * FOLDS * ridge_packed(width);
    double *before = work, *last = work + square, *rest = work + 2 * square;
    int64_t n_before = all->n_rows[g * FOLDS], n_last = all->n_rows[g * FOLDS + 1];
    ridge_unfix(sums, width, learning->bits, before);
    ridge_unfix(sums + ridge_packed(width), width, learning->bits, last);
    group->rows = n_before + n_last;
    group->error = NAN;
    double lambda = learning->options->lambda;
    if (!(lambda > 0))
        lambda = choose_lambda(before, last, width, group, rest);
    if (n_last > 0 && ridge_solve(before, width, lambda, group->coefficients, rest))
        group->error = sqrt(ridge_loss(last, width, group->coefficients) / (double)n_last);
    for (int64_t j = 0; j < square; j++)
        before[j] += last[j];
    bool is_learned = ridge_solve(before, width, lambda, group->coefficients, rest);
    group->lambda = is_learned ? lambda : 0;
    log_line(LOG_INFO, LOG_ROOT, "forecast.pooled",
             "horizons=%d-%d features=%d rows=%lld lambda=%g error=%.4f", group->first, group->last,
             learning->model->plan.n, (long long)group->rows, group->lambda, group->error);
}

static Status fit_groups(const Learning *learning, Error *error)
{
    Status status;
    PooledModel *model = learning->model;
    double *work = NULL;
    TRY(mem_resize(&work, 2 * learning->width * learning->width + ridge_work(learning->width),
                   sizeof *work, "the pooled model", error));
    for (int g = 0; g < model->n_groups; g++)
        fit_group(learning, g, &model->groups[g], work);
out:
    mem_free(&work);
    return status;
}

Status pooled_learn(Comm *comm, const SeriesSet *set, int32_t until, const PooledOptions *options,
                    PooledModel *model, Error *error)
{
    Status status;
    Learning learning = {.set = set, .options = options, .model = model, .until = until};
    vesper_assert(options->horizon > 0 && options->threads > 0);
    vesper_assert(until <= set->calendar.first + set->calendar.n);
    *model = (PooledModel){0};
    TRY(feature_plan_make(comm, set, until, &model->plan, error));
    set_groups(options->horizon, model);
    learning.width = model->plan.n + 1;
    learning.n_sums = model->n_groups * FOLDS;
    learning.split = split_of(&learning);
    plan_rows(comm, &learning);
    TRY_ALL(comm, make_room(&learning, error), error);
    dense_one_thread();
    TRY(add_blocks(comm, &learning, error));
    TRY_ALL(comm, comm_rank(comm) == 0 ? fit_groups(&learning, error) : STATUS_OK, error);
    comm_broadcast(comm, 0, model->groups, sizeof model->groups);
out:
    mem_free(&learning.threads);
    mem_free(&learning.doubles);
    mem_free(&learning.integers);
    if (status != STATUS_OK)
        pooled_free(model);
    return status;
}

void pooled_free(PooledModel *model)
{
    feature_plan_free(&model->plan);
    *model = (PooledModel){0};
}

/* ---- forecasts ---- */

int64_t pooled_work(const PooledModel *model, const SeriesSet *set)
{
    return model->plan.n + feature_history_work(set, set->calendar.n);
}

static const PooledGroup *group_of(const PooledModel *model, int h)
{
    int g = 0;
    while (g + 1 < model->n_groups && model->groups[g].last < h)
        g++;
    return &model->groups[g];
}

void pooled_forecast(const PooledModel *model, const SeriesSet *set, int64_t i, int32_t until,
                     int horizon, double *mean, double *work)
{
    const FeaturePlan *plan = &model->plan;
    const Calendar *calendar = &set->calendar;
    FeatureHistory history;
    double *x = work;
    vesper_assert(until - calendar->first + horizon <= calendar->n + calendar->ahead);
    feature_history_make(plan, set, i, until, &history, work + plan->n);
    double level = history.n > 0 ? feature_level(plan, &history, history.n) : 0;
    for (int h = 1; h <= horizon; h++) {
        int32_t target = history.n + h - 1;
        const PooledGroup *group = group_of(model, h);
        double sum = 0;
        mean[h - 1] = 0;
        if (!(level > 0) || calendar->is_closed[history.offset + target])
            continue;
        if (group->lambda > 0) {
            feature_row(plan, &history, history.n, target, level, x);
            for (int j = 0; j < plan->n; j++)
                sum += group->coefficients[j] * x[j];
            sum *= level;
        } else {
            sum = feature_naive(plan, &history, history.n, target);
        }
        mean[h - 1] = sum > 0 ? sum : 0;
    }
}
