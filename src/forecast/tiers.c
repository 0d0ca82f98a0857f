/* See tiers.h. */
#include "forecast/tiers.h"

#include "base/memory.h"
#include "forecast/rounding.h"
#include "forecast/tier_intervals.h"

#include <math.h>
#include <string.h>

const double tiers_probabilities[TIERS_QUANTILES] = {0.1, 0.5, 0.9};

typedef struct Building {
    Comm *comm;
    const SeriesSet *set;
    const Backtest *backtest;
    const Combination *combination;
    const TierNodes *nodes;
    Tiers *tiers;
    int horizon;
    int origin;             /* that is forecast from */
    int origins;            /* with those before it */
    double *residuals;      /* [n x past origins x horizon] */
    double *node_forecasts; /* [n_nodes x origins x horizon] */
    double *node_residuals; /* [n_nodes x past origins x horizon] */
} Building;

static void building_free(Building *building)
{
    mem_free(&building->residuals);
    mem_free(&building->node_forecasts);
    mem_free(&building->node_residuals);
}

void tiers_free(Tiers *tiers)
{
    mem_free(&tiers->mean);
    mem_free(&tiers->units);
    mem_free(&tiers->source);
    mem_free(&tiers->node_mean);
    mem_free(&tiers->node_units);
    mem_free(&tiers->node_quantiles);
    *tiers = (Tiers){0};
}

/* ---- forecasts by themselves ---- */

/* This rank's series: the mix from the end, and what it missed from the origins before. */
static Status forecast_series(Building *building, Error *error)
{
    static const char what[] = "forecasts of series";
    Status status;
    Tiers *tiers = building->tiers;
    const SeriesSet *set = building->set;
    int horizon = building->horizon;
    int64_t past = (int64_t)(building->origins - 1) * horizon;
    double *mean = mem_new(horizon, sizeof *mean);
    TRY(mem_resize(&tiers->mean, set->n * horizon, sizeof *tiers->mean, what, error));
    TRY(mem_resize(&tiers->units, set->n * horizon, sizeof *tiers->units, what, error));
    TRY(mem_resize(&tiers->source, set->n, sizeof *tiers->source, what, error));
    TRY(mem_resize(&building->residuals, set->n * past, sizeof *building->residuals, what, error));
    for (int64_t i = 0; i < set->n; i++) {
        TRY(backtest_load(building->backtest, i, error));
        tiers->source[i] =
            (uint8_t)combination_forecast(building->combination, set, building->backtest, i,
                                          building->origin, tiers->mean + i * horizon);
        for (int o = 1; o < building->origins; o++) {
            double *row = building->residuals + i * past + (int64_t)(o - 1) * horizon;
            int origin = building->origin + o;
            (void)backtest_came(building->backtest, set, i, origin, row);
            (void)combination_forecast(building->combination, set, building->backtest, i, origin,
                                       mean);
            for (int h = 0; h < horizon; h++)
                row[h] -= mean[h];
        }
    }
out:
    mem_free(&mean);
    return status;
}

static Status keep_node(Building *building, int32_t node, Error *error)
{
    Status status;
    const SeriesSet *nodes = &building->nodes->set;
    const Backtest *backtest = &building->nodes->backtest;
    int64_t i = node - nodes->first;
    int horizon = building->horizon;
    int64_t past = (int64_t)(building->origins - 1) * horizon;
    TRY(backtest_load(backtest, i, error));
    for (int o = 0; o < building->origins; o++) {
        double *mean = building->node_forecasts + ((int64_t)node * building->origins + o) * horizon;
        int origin = building->origin + o;
        if (combination_forecast(building->combination, nodes, backtest, i, origin, mean) !=
            FORECAST_MIX) {
            for (int h = 0; h < horizon; h++)
                mean[h] = NAN;
        }
        if (o == 0)
            continue;
        double *row = building->node_residuals + node * past + (int64_t)(o - 1) * horizon;
        (void)backtest_came(backtest, nodes, i, origin, row);
        for (int h = 0; h < horizon; h++)
            row[h] -= mean[h];
    }
out:
    return status;
}

static Status keep_nodes(Building *building, Error *error)
{
    Status status = STATUS_OK;
    const SeriesSet *nodes = &building->nodes->set;
    for (int64_t i = 0; i < nodes->n; i++)
        TRY(keep_node(building, (int32_t)(nodes->first + i), error));
out:
    return status;
}

/* Values of every rank's nodes everywhere. */
static void share_nodes(Comm *comm, int32_t n_nodes, int64_t width, double *values)
{
    int size = comm_size(comm);
    int64_t *bytes = mem_new(size, sizeof *bytes);
    for (int r = 0; r < size; r++) {
        int64_t first = (int64_t)n_nodes * r / size, end = (int64_t)n_nodes * (r + 1) / size;
        bytes[r] = (end - first) * width * (int64_t)sizeof *values;
    }
    comm_gather_in_place(comm, values, bytes);
    mem_free(&bytes);
}

static Status make_nodes(Building *building, Error *error)
{
    static const char what[] = "forecasts of categories";
    Status status;
    int64_t n = building->nodes->hierarchy.n_nodes;
    int64_t width = (int64_t)building->origins * building->horizon;
    Tiers *tiers = building->tiers;
    TRY(mem_resize(&building->node_forecasts, n * width, sizeof *building->node_forecasts, what,
                   error));
    TRY(mem_resize(&building->node_residuals, n * (width - building->horizon),
                   sizeof *building->node_residuals, what, error));
    TRY(mem_resize(&tiers->node_mean, n * building->horizon, sizeof *tiers->node_mean, what,
                   error));
    TRY(mem_resize(&tiers->node_units, n * building->horizon, sizeof *tiers->node_units, what,
                   error));
    TRY(mem_resize(&tiers->node_quantiles, n * building->horizon * TIERS_QUANTILES,
                   sizeof *tiers->node_quantiles, what, error));
out:
    return status;
}

/* What the nodes are forecast by themselves, and what that missed. Collective. */
static Status forecast_nodes(Building *building, Error *error)
{
    Status status;
    Comm *comm = building->comm;
    int64_t horizon = building->horizon, width = building->origins * horizon;
    int32_t n = building->nodes->hierarchy.n_nodes;
    TRY_ALL(comm, make_nodes(building, error), error);
    TRY_ALL(comm, keep_nodes(building, error), error);
    share_nodes(comm, n, width, building->node_forecasts);
    share_nodes(comm, n, width - horizon, building->node_residuals);
    for (int64_t node = 0; node < n; node++)
        memcpy(building->tiers->node_mean + node * horizon, building->node_forecasts + node * width,
               (size_t)horizon * sizeof(double));
out:
    return status;
}

/* Around the nodes' means that add up. Collective. */
static Status surround_nodes(Building *building, Error *error)
{
    Tiers *tiers = building->tiers;
    NodeBacktest nodes = {.n = building->nodes->hierarchy.n_nodes,
                          .origin = building->origin,
                          .n_origins = building->origins,
                          .horizon = building->horizon,
                          .n_periods = building->set->calendar.n,
                          .history = building->nodes->history,
                          .forecasts = building->node_forecasts,
                          .residuals = building->node_residuals};
    return tier_intervals(building->comm, &nodes, tiers->node_mean, tiers_probabilities,
                          TIERS_QUANTILES, tiers->node_quantiles, error);
}

/* ---- adding up ---- */

/* Mean of the known demand of each series before the origin, which lies `after` periods before its
 * end. */
static Status set_history(const SeriesSet *set, int32_t after, double **history, Error *error)
{
    Status status;
    TRY(mem_resize(history, set->n, sizeof **history, "demand of series", error));
    for (int64_t i = 0; i < set->n; i++) {
        double sum = 0.0;
        int32_t known = 0;
        TRY(series_load(set, i, error));
        const double *values = series_values(set, i);
        for (int32_t t = 0; t < series_length(set, i) - after; t++) {
            known += !isnan(values[t]);
            sum += isnan(values[t]) ? 0.0 : values[t];
        }
        (*history)[i] = sum / fmax(1.0, known);
    }
out:
    return status;
}

/* A series that no origin saw is left as it is forecast: its errors are taken for none, not for the
 * usual ones, which are those of the largest series. */
static void fill_unknown(const SeriesSet *set, int64_t periods, double *residuals)
{
    for (int64_t i = 0; i < set->n; i++) {
        double *row = residuals + i * periods;
        bool is_known = false;
        for (int64_t t = 0; t < periods; t++)
            is_known = is_known || !isnan(row[t]);
        for (int64_t t = 0; t < periods && !is_known; t++)
            row[t] = 0.0;
    }
}

/* Collective. */
static Status add_up(Building *building, ReconcileMethod method, Error *error)
{
    Status status;
    Comm *comm = building->comm;
    Tiers *tiers = building->tiers;
    double *history = NULL;
    TRY_ALL(comm, set_history(building->set, building->origin * building->horizon, &history, error),
            error);
    fill_unknown(building->set, (int64_t)(building->origins - 1) * building->horizon,
                 building->residuals);
    ReconcileInput input = {.horizon = building->horizon,
                            .bottom = tiers->mean,
                            .nodes = tiers->node_mean,
                            .periods = (int64_t)(building->origins - 1) * building->horizon,
                            .bottom_residuals = building->residuals,
                            .node_residuals = building->node_residuals,
                            .history = history};
    TRY(reconcile(comm, &building->nodes->hierarchy, method, &input, tiers->mean, tiers->node_mean,
                  &tiers->outcome, error));
    TRY(rounding_units(comm, &building->nodes->hierarchy, tiers->mean, building->horizon,
                       tiers->units, tiers->node_units, error));
out:
    mem_free(&history);
    return status;
}

Status tiers_forecast(Comm *comm, const SeriesSet *set, const Backtest *backtest,
                      const Combination *combination, const TierNodes *nodes,
                      ReconcileMethod method, int origin, int n_before, Tiers *tiers, Error *error)
{
    Status status;
    Building building = {.comm = comm,
                         .set = set,
                         .backtest = backtest,
                         .combination = combination,
                         .nodes = nodes,
                         .tiers = tiers,
                         .horizon = backtest->options.horizon,
                         .origin = origin,
                         .origins = 1 + n_before};
    tiers_free(tiers);
    TRY_ALL(comm, forecast_series(&building, error), error);
    TRY(forecast_nodes(&building, error));
    TRY(add_up(&building, method, error));
    TRY(surround_nodes(&building, error));
out:
    building_free(&building);
    return status;
}
