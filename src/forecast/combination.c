/* See combination.h. */
#include "forecast/combination.h"

#include "base/log.h"
#include "base/memory.h"
#include "forecast/calendar.h"
#include "kernel/convex_weights.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Products of errors: of a matrix the lower triangle, row by row. */
enum { WIDTH = SERIES_MODELS * (SERIES_MODELS + 1) / 2, ROUNDS = 3 };
/* A class with fewer series than this leans on all series. */
static const double PRIOR_SERIES = 300.0;
/* An error never counts as less than this share of the scale. */
static const double LEAST_ERROR = 0.05;
/* What is tried of them. 0: the past of a series by itself says nothing. */
static const double powers[] = {0.0, 0.5, 1.0, 2.0, 4.0};
enum { N_POWERS = sizeof powers / sizeof powers[0] };

const char *forecast_source_name(ForecastSource source)
{
    static const char *const names[] = {"mix", "new", "last value"};
    return names[source];
}

/* The models of a series at an origin: errors [models x known periods], one after another. A model
 * without forecast errs as the mean of the others. Returns how many periods are known. */
static int gather_errors(const SeriesSet *set, const Backtest *backtest, int64_t i, int origin,
                         double *actual, double *errors, Outlook *outlook)
{
    int horizon = backtest->options.horizon, known = 0;
    *outlook = backtest_outlook(backtest, set, i, origin, actual);
    for (int h = 0; h < horizon; h++) {
        double sum = 0.0;
        int n = 0;
        if (isnan(actual[h]))
            continue;
        for (int m = 0; m < SERIES_MODELS; m++) {
            double forecast = (double)backtest_forecast(backtest, i, origin, (SeriesModel)m)[h];
            errors[m * horizon + known] = forecast - actual[h];
            n += !isnan(forecast);
            sum += isnan(forecast) ? 0.0 : forecast - actual[h];
        }
        if (n == 0)
            return 0;
        for (int m = 0; m < SERIES_MODELS; m++) {
            if (isnan(errors[m * horizon + known]))
                errors[m * horizon + known] = sum / n;
        }
        known++;
    }
    return known;
}

/* sums [WIDTH] += products of the errors, each divided by the scale and by the error of the mix so
 * far: that turns least squares into the least mean of roots (iteratively reweighted). */
static void add_series(const double *errors, int known, int horizon, const Outlook *outlook,
                       const double *weights, double *sums)
{
    double square = 0.0;
    for (int h = 0; h < known; h++) {
        double error = 0.0;
        for (int m = 0; m < SERIES_MODELS; m++)
            error += weights[m] * errors[m * horizon + h];
        square += error * error;
    }
    double scale = sqrt(outlook->squared_scale);
    double root = fmax(sqrt(square / known), LEAST_ERROR * scale);
    double weight = 1.0 / (scale * root * known);
    for (int k = 0; k < SERIES_MODELS; k++) {
        for (int l = 0; l <= k; l++) {
            double sum = 0.0;
            for (int h = 0; h < known; h++)
                sum += errors[k * horizon + h] * errors[l * horizon + h];
            sums[k * (k + 1) / 2 + l] += weight * sum;
        }
    }
}

typedef struct Learning {
    const SeriesSet *set;
    const Backtest *backtest;
    int first, n_origins;
    double *actual, *errors;
    double *blocks; /* [blocks x DEMAND_CLASSES x (1 + WIDTH)]: how many series, and their sums */
} Learning;

enum { CLASS_WIDTH = 1 + WIDTH };

static Status sum_blocks(Learning *learning, const Combination *combination, Error *error)
{
    Status status = STATUS_OK;
    const SeriesSet *set = learning->set;
    int horizon = learning->backtest->options.horizon;
    for (int64_t i = 0; i < set->n; i++) {
        double *block = learning->blocks + i / SERIES_BLOCK * DEMAND_CLASSES * CLASS_WIDTH;
        TRY(backtest_load(learning->backtest, i, error));
        for (int o = learning->first; o < learning->first + learning->n_origins; o++) {
            Outlook outlook;
            int known = gather_errors(set, learning->backtest, i, o, learning->actual,
                                      learning->errors, &outlook);
            if (known == 0 || !(outlook.squared_scale > 0.0))
                continue;
            DemandClass demand = demand_class(learning->backtest, set, i, o);
            if (demand == DEMAND_NEW)
                continue;
            double *sums = block + demand * CLASS_WIDTH;
            sums[0] += 1.0;
            add_series(learning->errors, known, horizon, &outlook, combination->weights[demand],
                       sums + 1);
        }
    }
out:
    return status;
}

/* The models asked for, and their sums: those of the class and, as a prior, of all. */
static void choose_weights(SeriesModels models, const double *own, const double *all,
                           double *weights)
{
    double errors[SERIES_MODELS * SERIES_MODELS], mixed[SERIES_MODELS];
    int asked[SERIES_MODELS], n = 0;
    for (int m = 0; m < SERIES_MODELS; m++) {
        weights[m] = 0.0;
        if (series_models_have(models, (SeriesModel)m))
            asked[n++] = m;
    }
    double prior = all[0] > 0.0 ? PRIOR_SERIES / all[0] : 0.0;
    for (int k = 0; k < n; k++) {
        for (int l = 0; l < n; l++) {
            int high = asked[k > l ? k : l], low = asked[k > l ? l : k];
            int at = 1 + high * (high + 1) / 2 + low;
            errors[k * n + l] = own[at] + prior * all[at];
        }
    }
    if (n > 0)
        convex_weights(errors, n, mixed);
    for (int k = 0; k < n; k++)
        weights[asked[k]] = mixed[k];
}

static void solve(SeriesModels models, const double *total, Combination *combination)
{
    double all[CLASS_WIDTH] = {0.0};
    for (int c = 0; c < DEMAND_CLASSES; c++) {
        for (int k = 0; k < CLASS_WIDTH; k++)
            all[k] += total[c * CLASS_WIDTH + k];
    }
    for (int c = 0; c < DEMAND_CLASSES; c++) {
        combination->learned_from[c] = (int64_t)total[c * CLASS_WIDTH];
        choose_weights(models, total + c * CLASS_WIDTH, all, combination->weights[c]);
    }
}

/* ---- new series ---- */

/* Of those that were new at an origin: roots of their units a period, and how many. */
typedef enum NewSum { NEW_ROOTS, NEW_SERIES, NEW_SUMS } NewSum;

static void add_new(Learning *learning, int64_t i, double *sums)
{
    for (int o = learning->first; o < learning->first + learning->n_origins; o++) {
        double came = 0.0;
        if (demand_class(learning->backtest, learning->set, i, o) != DEMAND_NEW)
            continue;
        Outlook outlook =
            backtest_outlook(learning->backtest, learning->set, i, o, learning->actual);
        for (int h = 0; h < learning->backtest->options.horizon; h++)
            came += isnan(learning->actual[h]) ? 0.0 : learning->actual[h];
        if (outlook.known == 0)
            continue;
        sums[NEW_ROOTS] += sqrt(fmax(came, 0.0) / outlook.known);
        sums[NEW_SERIES] += 1.0;
    }
}

static Status sum_new(Learning *learning, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < learning->set->n; i++) {
        TRY(series_load(learning->set, i, error));
        add_new(learning, i, learning->blocks + i / SERIES_BLOCK * NEW_SUMS);
    }
out:
    return status;
}

/* *mean: NaN if none was new. Collective. */
static Status learn_new(Comm *comm, Learning *learning, int64_t n_blocks, double *mean,
                        Error *error)
{
    Status status;
    double sums[NEW_SUMS];
    memset(learning->blocks, 0, (size_t)(n_blocks * NEW_SUMS) * sizeof *learning->blocks);
    TRY_ALL(comm, sum_new(learning, error), error);
    comm_sum_in_order_f64(comm, learning->blocks, n_blocks, NEW_SUMS, sums);
    double root = sums[NEW_SERIES] > 0.0 ? sums[NEW_ROOTS] / sums[NEW_SERIES] : NAN;
    *mean = root * root;
out:
    return status;
}

/* ---- a series by itself ---- */

/* A series with demand in so many periods of its past is believed half. */
static const double PRIOR_PERIODS = 10.0;

/* squares, known [SERIES_MODELS] += squared errors of each model at an origin, and how many;
 * returns the periods with demand. came [horizon]: room. */
static int add_squares(const SeriesSet *set, const Backtest *backtest, int64_t i, int origin,
                       double *came, double *squares, int *known)
{
    int asked = 0, n = backtest_came(backtest, set, i, origin, came);
    for (int h = 0; h < backtest->options.horizon; h++)
        asked += !isnan(came[h]) && came[h] != 0.0;
    for (int m = 0; m < SERIES_MODELS; m++) {
        const float *forecast = backtest_forecast(backtest, i, origin, (SeriesModel)m);
        if (isnan(forecast[0]))
            continue;
        known[m] += n;
        for (int h = 0; h < backtest->options.horizon; h++) {
            double miss = isnan(came[h]) ? 0.0 : (double)forecast[h] - came[h];
            squares[m] += miss * miss;
        }
    }
    return asked;
}

/* How much each model missed of a series at the origins from `first` to before `end`: its RMSE over
 * the mean of all models', drawn towards 1 where few periods had demand: where none had, the best
 * is whoever forecasts least. came [horizon]: room. */
static void own_errors(const SeriesSet *set, const Backtest *backtest, int64_t i, int first,
                       int end, double *came, double *misses)
{
    int known[SERIES_MODELS] = {0}, asked = 0, n = 0;
    double squares[SERIES_MODELS] = {0.0}, sum = 0.0;
    for (int o = first; o < end; o++)
        asked += add_squares(set, backtest, i, o, came, squares, known);
    for (int m = 0; m < SERIES_MODELS; m++) {
        misses[m] = known[m] > 0 ? sqrt(squares[m] / known[m]) : 0.0;
        sum += misses[m];
        n += known[m] > 0;
    }
    double belief = asked / (asked + PRIOR_PERIODS);
    for (int m = 0; m < SERIES_MODELS; m++) {
        double missed = known[m] > 0 && sum > 0.0 ? misses[m] * n / sum : 1.0;
        misses[m] = 1.0 + belief * (missed - 1.0) + LEAST_ERROR;
    }
}

/* The mix at an origin of weights times misses^-power, made up to one over the models that have a
 * forecast. False, and unset, if none has. */
static bool mix_models(const Backtest *backtest, int64_t i, int origin, const double *weights,
                       const double *misses, double power, double *mean)
{
    int horizon = backtest->options.horizon;
    double mass = 0.0;
    for (int h = 0; h < horizon; h++)
        mean[h] = 0.0;
    for (int m = 0; m < SERIES_MODELS; m++) {
        const float *forecast = backtest_forecast(backtest, i, origin, (SeriesModel)m);
        if (weights[m] == 0.0 || isnan(forecast[0]))
            continue;
        double weight = power > 0.0 ? weights[m] * pow(misses[m], -power) : weights[m];
        mass += weight;
        for (int h = 0; h < horizon; h++)
            mean[h] += weight * (double)forecast[h];
    }
    for (int h = 0; h < horizon && mass > 0.0; h++)
        mean[h] /= mass;
    return mass > 0.0;
}

/* RMSSE of a series with each power, at the origins that have some before them to tell by:
 * [DEMAND_CLASSES x N_POWERS] are added to. */
static void add_powers(Learning *learning, const Combination *combination, int64_t i, double *sums)
{
    const Backtest *backtest = learning->backtest;
    const SeriesSet *set = learning->set;
    int horizon = backtest->options.horizon, end = learning->first + learning->n_origins;
    double misses[SERIES_MODELS], *mean = learning->errors;
    for (int o = learning->first; o < end - 1; o++) {
        DemandClass demand = demand_class(backtest, set, i, o);
        own_errors(set, backtest, i, o + 1, end, learning->actual, misses);
        Outlook outlook = backtest_outlook(backtest, set, i, o, learning->actual);
        if (demand == DEMAND_NEW || outlook.known == 0 || !(outlook.squared_scale > 0.0))
            continue;
        for (int p = 0; p < N_POWERS; p++) {
            double square = 0.0;
            if (!mix_models(backtest, i, o, combination->weights[demand], misses, powers[p], mean))
                continue;
            for (int h = 0; h < horizon; h++) {
                double miss = isnan(learning->actual[h]) ? 0.0 : mean[h] - learning->actual[h];
                square += miss * miss;
            }
            sums[(int)demand * N_POWERS + p] +=
                sqrt(square / outlook.known / outlook.squared_scale);
        }
    }
}

static Status sum_powers(Learning *learning, const Combination *combination, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < learning->set->n; i++) {
        double *block = learning->blocks + i / SERIES_BLOCK * DEMAND_CLASSES * N_POWERS;
        TRY(backtest_load(learning->backtest, i, error));
        add_powers(learning, combination, i, block);
    }
out:
    return status;
}

/* The power with the least mean RMSSE in each class; as with weights, a class leans on all series.
 * Collective. */
static Status learn_powers(Comm *comm, Learning *learning, int64_t n_blocks,
                           Combination *combination, Error *error)
{
    Status status;
    double sums[DEMAND_CLASSES * N_POWERS], all[N_POWERS] = {0.0};
    int64_t learned_from = 0;
    memset(learning->blocks, 0,
           (size_t)(n_blocks * DEMAND_CLASSES * N_POWERS) * sizeof *learning->blocks);
    TRY_ALL(comm, sum_powers(learning, combination, error), error);
    comm_sum_in_order_f64(comm, learning->blocks, n_blocks, DEMAND_CLASSES * N_POWERS, sums);
    for (int c = 0; c < DEMAND_CLASSES; c++) {
        learned_from += combination->learned_from[c];
        for (int p = 0; p < N_POWERS; p++)
            all[p] += sums[c * N_POWERS + p];
    }
    for (int c = 0; c < DEMAND_CLASSES; c++) {
        double least = INFINITY, prior = learned_from > 0 ? PRIOR_SERIES / (double)learned_from : 0;
        for (int p = 0; p < N_POWERS; p++) {
            double missed = sums[c * N_POWERS + p] + prior * all[p];
            if (missed < least) {
                least = missed;
                combination->power[c] = powers[p];
            }
        }
        log_line(LOG_DEBUG, LOG_ROOT, "forecast.mix", "demand=%s learned_from=%" PRId64 " power=%g",
                 demand_class_name((DemandClass)c), combination->learned_from[c],
                 combination->power[c]);
    }
out:
    return status;
}

Status combination_learn(Comm *comm, const SeriesSet *set, const Backtest *backtest, int first,
                         int n_origins, Combination *combination, Error *error)
{
    static const double nothing[DEMAND_CLASSES * CLASS_WIDTH];
    Status status = STATUS_OK;
    int horizon = backtest->options.horizon;
    int64_t n_blocks = (set->n + SERIES_BLOCK - 1) / SERIES_BLOCK;
    double *total = mem_new(DEMAND_CLASSES * CLASS_WIDTH, sizeof *total);
    Learning learning = {.set = set, .backtest = backtest, .first = first, .n_origins = n_origins};
    learning.actual = mem_new(horizon, sizeof *learning.actual);
    learning.errors = mem_new((int64_t)SERIES_MODELS * horizon, sizeof *learning.errors);
    int64_t width = DEMAND_CLASSES * CLASS_WIDTH;
    TRY_ALL(comm,
            mem_resize(&learning.blocks, n_blocks * width, sizeof *learning.blocks,
                       "errors of the models", error),
            error);
    combination->end = first + n_origins;
    solve(backtest->options.models, nothing, combination);
    for (int round = 0; round < ROUNDS; round++) {
        memset(learning.blocks, 0, (size_t)(n_blocks * width) * sizeof *learning.blocks);
        TRY_ALL(comm, sum_blocks(&learning, combination, error), error);
        comm_sum_in_order_f64(comm, learning.blocks, n_blocks, width, total);
        solve(backtest->options.models, total, combination);
    }
    TRY(learn_powers(comm, &learning, n_blocks, combination, error));
    TRY(learn_new(comm, &learning, n_blocks, &combination->new_mean, error));
    if (isnan(combination->new_mean))
        log_line(LOG_INFO, LOG_ROOT, "forecast.mix", "origins=%d", n_origins);
    else
        log_line(LOG_INFO, LOG_ROOT, "forecast.mix", "origins=%d new=%.4f", n_origins,
                 combination->new_mean);
out:
    mem_free(&learning.actual);
    mem_free(&learning.errors);
    mem_free(&learning.blocks);
    mem_free(&total);
    return status;
}

/* The last known value before an origin, 0 if there is none. */
static double last_value(const SeriesSet *set, const Backtest *backtest, int64_t i, int origin)
{
    const double *values = series_values(set, i);
    for (int32_t t = series_length(set, i) - origin * backtest->options.horizon - 1; t >= 0; t--) {
        if (!isnan(values[t]) && !calendar_is_closed(&set->calendar, set->start[i] + t))
            return values[t];
    }
    return 0.0;
}

static void forecast_new(double units, const SeriesSet *set, const Backtest *backtest, int64_t i,
                         int origin, double *mean)
{
    int horizon = backtest->options.horizon;
    int32_t until = set->start[i] + series_length(set, i) - origin * horizon;
    for (int h = 0; h < horizon; h++)
        mean[h] = calendar_is_closed(&set->calendar, until + h) ? 0.0 : units;
}

ForecastSource combination_forecast(const Combination *combination, const SeriesSet *set,
                                    const Backtest *backtest, int64_t i, int origin, double *mean)
{
    DemandClass demand = demand_class(backtest, set, i, origin);
    double misses[SERIES_MODELS] = {0.0}, power = combination->power[demand];
    if (demand == DEMAND_NEW && !isnan(combination->new_mean)) {
        forecast_new(combination->new_mean, set, backtest, i, origin, mean);
        return FORECAST_NEW;
    }
    if (power > 0.0)
        own_errors(set, backtest, i, origin + 1, combination->end, mean, misses);
    if (mix_models(backtest, i, origin, combination->weights[demand], misses, power, mean))
        return FORECAST_MIX;
    double last = last_value(set, backtest, i, origin);
    for (int h = 0; h < backtest->options.horizon; h++)
        mean[h] = last;
    return FORECAST_LAST_VALUE;
}
