/* See level_accuracy.h. */
#include "forecast/level_accuracy.h"

#include "base/memory.h"
#include "base/suggest.h"
#include "kernel/forecast_errors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void accuracy_levels_free(AccuracyLevels *accuracy)
{
    hierarchy_free(&accuracy->hierarchy);
    mem_free(&accuracy->weights);
    mem_free(&accuracy->node_weights);
    mem_free(&accuracy->history);
    *accuracy = (AccuracyLevels){0};
}

/* ---- levels ---- */

typedef struct Levels {
    int n;
    HierarchyLevel levels[HIERARCHY_LEVELS_MAX];
    char names[HIERARCHY_LEVELS_MAX][COLUMN_NAME_SIZE];
    int32_t *codes[HIERARCHY_LEVELS_MAX];
} Levels;

static Status refuse_column(const SeriesSet *set, const char *name, Error *error)
{
    const char *names[SERIES_STATIC_MAX + 1] = {"total"};
    Buffer text = {0};
    for (int k = 0; k < set->n_static; k++)
        names[k + 1] = set->static_names[k];
    buffer_printf(&text, "--levels: the series have no column '%.40s'", name);
    suggest_words(&text, name, names, set->n_static + 1, "");
    Status status = error_set(error, STATUS_USAGE, __FILE__, __LINE__, "%s", buffer_string(&text));
    buffer_free(&text);
    return status;
}

static Status find_column(const SeriesSet *set, Bytes word, int *column, Error *error)
{
    char name[COLUMN_NAME_SIZE] = {0};
    memcpy(name, word.data,
           (size_t)(word.size < COLUMN_NAME_SIZE ? word.size : COLUMN_NAME_SIZE - 1));
    for (*column = 0; *column < set->n_static; ++*column) {
        if (strcmp(set->static_names[*column], name) == 0)
            return STATUS_OK;
    }
    return refuse_column(set, name, error);
}

/* Codes of several columns become one: places in their product. */
static Status join_columns(const SeriesSet *set, Bytes spec, int32_t *codes, Error *error)
{
    Status status = STATUS_OK;
    int64_t product = 1;
    for (int64_t i = 0; i < set->n; i++)
        codes[i] = 0;
    for (int64_t at = 0; at <= spec.size;) {
        const char *end = memchr(spec.data + at, '*', (size_t)(spec.size - at));
        int64_t length = end == NULL ? spec.size - at : end - (spec.data + at);
        int column;
        TRY(find_column(set, (Bytes){.data = spec.data + at, .size = length}, &column, error));
        int64_t count = (int64_t)set->static_counts[column] + 1;
        product *= count;
        if (product > INT32_MAX)
            FAIL(error, STATUS_USAGE, "--levels '%.*s' has too many groups", (int)spec.size,
                 spec.data);
        for (int64_t i = 0; i < set->n; i++)
            codes[i] = (int32_t)(codes[i] * count + set->statics[column][i] + 1);
        at += length + 1;
    }
out:
    return status;
}

static Status read_levels(const SeriesSet *set, const char *text, Levels *levels, bool *has_total,
                          Error *error)
{
    static const char separators[] = ", ";
    Status status = STATUS_OK;
    *has_total = false;
    for (text += strspn(text, separators); *text != '\0'; text += strspn(text, separators)) {
        Bytes spec = {.data = text, .size = (int64_t)strcspn(text, separators)};
        int l = levels->n;
        text += spec.size;
        if (spec.size == 5 && memcmp(spec.data, "total", 5) == 0) {
            *has_total = true;
            continue;
        }
        if (l == HIERARCHY_LEVELS_MAX - 1)
            FAIL(error, STATUS_USAGE, "--levels names more than %d levels",
                 HIERARCHY_LEVELS_MAX - 1);
        TRY(mem_resize(&levels->codes[l], set->n, sizeof **levels->codes, "levels of series",
                       error));
        TRY(join_columns(set, spec, levels->codes[l], error));
        (void)snprintf(levels->names[l], COLUMN_NAME_SIZE, "level_%d", l + 1);
        levels->levels[l] = (HierarchyLevel){.name = levels->names[l], .codes = levels->codes[l]};
        levels->n++;
    }
out:
    return status;
}

/* ---- weights ---- */

static Status read_weights(const SeriesSet *set, AccuracyLevels *accuracy, Error *error)
{
    Status status;
    int column = -1;
    TRY(mem_resize(&accuracy->weights, set->n, sizeof *accuracy->weights, "weights of series",
                   error));
    for (int k = 0; k < set->n_dynamic; k++) {
        if (strcmp(set->dynamic_names[k], "weight") == 0)
            column = k;
    }
    for (int64_t i = 0; i < set->n; i++) {
        double weight = column < 0 ? 1.0 : 0.0;
        TRY(series_load(set, i, error));
        for (int32_t t = 0; column >= 0 && t < series_length(set, i); t++) {
            double known = series_dynamic(set, i, column)[t];
            weight = isnan(known) ? weight : known;
        }
        accuracy->weights[i] = weight;
    }
out:
    return status;
}

static Status make_nodes(const SeriesSet *set, AccuracyLevels *accuracy, Error *error)
{
    static const char what[] = "levels of series";
    Status status;
    int64_t n = accuracy->hierarchy.n_nodes;
    TRY(mem_resize(&accuracy->node_weights, n, sizeof *accuracy->node_weights, what, error));
    TRY(mem_resize(&accuracy->history, n * set->calendar.n, sizeof *accuracy->history, what,
                   error));
out:
    return status;
}

Status accuracy_levels_make(Comm *comm, const SeriesSet *set, const char *levels,
                            AccuracyLevels *accuracy, Error *error)
{
    Status status;
    Levels read = {0};
    accuracy_levels_free(accuracy);
    TRY_ALL(comm, read_levels(set, levels, &read, &accuracy->has_total, error), error);
    TRY_ALL(comm, read_weights(set, accuracy, error), error);
    TRY(hierarchy_build(comm, set->n, read.levels, read.n, &accuracy->hierarchy, error));
    TRY_ALL(comm, make_nodes(set, accuracy, error), error);
    TRY(hierarchy_sum(comm, &accuracy->hierarchy, accuracy->weights, NULL, 1,
                      accuracy->node_weights, error));
    TRY(hierarchy_sum_history(comm, &accuracy->hierarchy, set, accuracy->history, error));
out:
    for (int l = 0; l < HIERARCHY_LEVELS_MAX; l++)
        mem_free(&read.codes[l]);
    return status;
}

/* ---- errors ---- */

typedef struct Measuring {
    double *actual;        /* [n x horizon] */
    double *node_actual;   /* [n_nodes x horizon] */
    double *node_forecast; /* [n_nodes x horizon] */
    double *blocks;        /* [n_blocks x 2] weighted RMSSE of series, and weights */
} Measuring;

static Status measuring_make(Measuring *measuring, const SeriesSet *set, int32_t n_nodes,
                             int horizon, Error *error)
{
    static const char what[] = "errors on levels";
    Status status;
    int64_t nodes = (int64_t)n_nodes * horizon;
    int64_t n_blocks = (set->n + SERIES_BLOCK - 1) / SERIES_BLOCK;
    TRY(mem_resize(&measuring->actual, set->n * horizon, sizeof(double), what, error));
    TRY(mem_resize(&measuring->node_actual, nodes, sizeof(double), what, error));
    TRY(mem_resize(&measuring->node_forecast, nodes, sizeof(double), what, error));
    TRY(mem_resize(&measuring->blocks, n_blocks * 2, sizeof(double), what, error));
    memset(measuring->blocks, 0, (size_t)n_blocks * 2 * sizeof(double));
out:
    return status;
}

static void add_weighted(const double *actual, const double *forecast, int horizon, double scale,
                         double weight, double *sums)
{
    ForecastErrors errors = {0};
    forecast_errors_add(&errors, actual, forecast, horizon);
    double rmsse = forecast_rmsse(&errors, scale);
    if (isnan(rmsse))
        return;
    sums[0] += weight * rmsse;
    sums[1] += weight;
}

static Status measure_series(const AccuracyLevels *accuracy, const SeriesSet *set,
                             const Backtest *backtest, int origin, const double *forecast,
                             Measuring *measuring, Error *error)
{
    Status status = STATUS_OK;
    int horizon = backtest->options.horizon;
    for (int64_t i = 0; i < set->n; i++) {
        double *actual = measuring->actual + i * horizon;
        TRY(series_load(set, i, error));
        Outlook outlook = backtest_outlook(backtest, set, i, origin, actual);
        add_weighted(actual, forecast + i * horizon, horizon, outlook.squared_scale,
                     accuracy->weights[i], measuring->blocks + i / SERIES_BLOCK * 2);
    }
out:
    return status;
}

/* Mean over the levels; the same on every rank. */
static double measure_levels(const AccuracyLevels *accuracy, const SeriesSet *set, int horizon,
                             int origin, const Measuring *measuring, const double *series)
{
    const Hierarchy *hierarchy = &accuracy->hierarchy;
    double sum = series[1] > 0.0 ? series[0] / series[1] : 0.0;
    int n = series[1] > 0.0, periods = set->calendar.n;
    for (int l = accuracy->has_total ? 0 : 1; l < hierarchy->n_levels; l++) {
        double level[2] = {0.0, 0.0};
        for (int32_t node = hierarchy->first_node[l]; node < hierarchy->first_node[l + 1]; node++) {
            double scale = forecast_scale_squared(accuracy->history + (int64_t)node * periods,
                                                  periods - (int64_t)origin * horizon);
            add_weighted(measuring->node_actual + (int64_t)node * horizon,
                         measuring->node_forecast + (int64_t)node * horizon, horizon, scale,
                         accuracy->node_weights[node], level);
        }
        sum += level[1] > 0.0 ? level[0] / level[1] : 0.0;
        n += level[1] > 0.0;
    }
    return n > 0 ? sum / n : NAN;
}

Status accuracy_levels_wrmsse(Comm *comm, const AccuracyLevels *accuracy, const SeriesSet *set,
                              const Backtest *backtest, int origin, const double *forecast,
                              double *wrmsse, Error *error)
{
    Status status;
    int horizon = backtest->options.horizon;
    Measuring measuring = {0};
    double series[2];
    int64_t n_blocks = (set->n + SERIES_BLOCK - 1) / SERIES_BLOCK;
    TRY_ALL(comm, measuring_make(&measuring, set, accuracy->hierarchy.n_nodes, horizon, error),
            error);
    TRY_ALL(comm, measure_series(accuracy, set, backtest, origin, forecast, &measuring, error),
            error);
    comm_sum_in_order_f64(comm, measuring.blocks, n_blocks, 2, series);
    TRY(hierarchy_sum(comm, &accuracy->hierarchy, measuring.actual, NULL, horizon,
                      measuring.node_actual, error));
    TRY(hierarchy_sum(comm, &accuracy->hierarchy, forecast, NULL, horizon, measuring.node_forecast,
                      error));
    *wrmsse = measure_levels(accuracy, set, horizon, origin, &measuring, series);
out:
    mem_free(&measuring.actual);
    mem_free(&measuring.node_actual);
    mem_free(&measuring.node_forecast);
    mem_free(&measuring.blocks);
    return status;
}
