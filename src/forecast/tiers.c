/* See tiers.h. */
#include "forecast/tiers.h"

#include "base/memory.h"
#include "forecast/rounding.h"
#include "forecast/tier_intervals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Levels below the total: of the category paths, and what the series are grouped by. */
enum { LEVELS_MAX = CATEGORY_LEVELS_MAX + 1 };

const double tiers_probabilities[TIERS_QUANTILES] = {0.1, 0.5, 0.9};

typedef struct Building {
    Comm *comm;
    const Shop *shop;
    const SeriesSet *set;
    const Backtest *backtest;
    const Combination *combination;
    Tiers *tiers;
    int horizon, origins;
    int n_levels;
    HierarchyLevel levels[LEVELS_MAX];
    char names[LEVELS_MAX][COLUMN_NAME_SIZE];
    int32_t *codes[LEVELS_MAX];
    double *residuals;      /* [n x past origins x horizon] */
    double *node_history;   /* [n_nodes x periods] */
    double *node_forecasts; /* [n_nodes x origins x horizon] */
    double *node_residuals; /* [n_nodes x past origins x horizon] */
} Building;

static void building_free(Building *building)
{
    for (int l = 0; l < LEVELS_MAX; l++)
        mem_free(&building->codes[l]);
    mem_free(&building->residuals);
    mem_free(&building->node_history);
    mem_free(&building->node_forecasts);
    mem_free(&building->node_residuals);
}

void tiers_free(Tiers *tiers)
{
    hierarchy_free(&tiers->hierarchy);
    mem_free(&tiers->mean);
    mem_free(&tiers->units);
    mem_free(&tiers->source);
    mem_free(&tiers->node_mean);
    mem_free(&tiers->node_units);
    mem_free(&tiers->node_quantiles);
    *tiers = (Tiers){0};
}

/* ---- levels ---- */

/* Add a level; its codes are places in bytewise order, so that nodes come in that order. */
static Status add_level(Building *building, const char *name, int32_t **places, Error *error)
{
    Status status;
    int l = building->n_levels;
    TRY(mem_resize(&building->codes[l], building->set->n, sizeof **places, "levels of series",
                   error));
    (void)snprintf(building->names[l], COLUMN_NAME_SIZE, "%s", name);
    building->levels[l] = (HierarchyLevel){.name = building->names[l], .codes = building->codes[l]};
    building->n_levels++;
    *places = building->codes[l];
out:
    return status;
}

/* Paths of k components, while there are any longer ones. */
static Status add_category(Building *building, int k, Error *error)
{
    Status status;
    const Shop *shop = building->shop;
    const CategoryLevel *level = &shop->levels[k];
    const int32_t *products = table_column_const(&building->set->keys, "product")->data;
    char name[COLUMN_NAME_SIZE];
    int32_t *places;
    (void)snprintf(name, sizeof name, "category_%d", k);
    TRY(add_level(building, name, &places, error));
    for (int64_t i = 0; i < building->set->n; i++) {
        int32_t path = shop->catalogue.category[products[i]];
        places[i] = path < 0 ? -1 : level->names.place[level->of_category[path]];
    }
out:
    return status;
}

static Status add_group(Building *building, const char *name, const Names *names, Error *error)
{
    Status status = STATUS_OK;
    const Column *column = table_find_const(&building->set->keys, name);
    int32_t *places;
    if (column == NULL)
        return STATUS_OK;
    TRY(add_level(building, name, &places, error));
    for (int64_t i = 0; i < building->set->n; i++) {
        int32_t code = (int32_t)column_integer(column, i);
        places[i] = code < 0 ? -1 : names->place[code];
    }
out:
    return status;
}

static Status add_levels(Building *building, Error *error)
{
    Status status = STATUS_OK;
    const Shop *shop = building->shop;
    for (int k = 1; k <= CATEGORY_LEVELS_MAX && shop->levels[k].names.count > 0; k++) {
        bool is_deeper = k == 1 || shop->levels[k].names.count > shop->levels[k - 1].names.count;
        if (is_deeper)
            TRY(add_category(building, k, error));
    }
    TRY(add_group(building, "country", &shop->country, error));
    TRY(add_group(building, "channel", &shop->channel, error));
out:
    return status;
}

Bytes tiers_node_name(const Tiers *tiers, const Shop *shop, int32_t node)
{
    const Hierarchy *hierarchy = &tiers->hierarchy;
    int level = hierarchy_level_of(hierarchy, node);
    int32_t place = hierarchy->code[node];
    const char *name = hierarchy->names[level];
    int components;
    if (level == 0 || place < 0)
        return bytes_of("");
    if (strcmp(name, "country") == 0)
        return names_text(&shop->country, shop->country.code[place]);
    if (strcmp(name, "channel") == 0)
        return names_text(&shop->channel, shop->channel.code[place]);
    components = name[strlen("category_")] - '0';
    return names_text(&shop->levels[components].names, shop->levels[components].names.code[place]);
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
        tiers->source[i] = (uint8_t)combination_forecast(
            building->combination, set, building->backtest, i, 0, tiers->mean + i * horizon);
        for (int o = 1; o < building->origins; o++) {
            double *row = building->residuals + i * past + (int64_t)(o - 1) * horizon;
            (void)backtest_outlook(building->backtest, set, i, o, row);
            (void)combination_forecast(building->combination, set, building->backtest, i, o, mean);
            for (int h = 0; h < horizon; h++)
                row[h] -= mean[h];
        }
    }
out:
    mem_free(&mean);
    return status;
}

/* Nodes of this rank, an even share, as a set of series of their own. */
static Status take_nodes(Building *building, int32_t first, int32_t end, SeriesSet *nodes,
                         Error *error)
{
    static const char what[] = "history of categories";
    Status status;
    int32_t periods = building->set->calendar.n;
    int64_t room = (int64_t)(end - first) * periods;
    nodes->calendar = building->set->calendar;
    nodes->first = first;
    nodes->n = end - first;
    TRY(mem_resize(&nodes->begin, nodes->n + 1, sizeof *nodes->begin, what, error));
    TRY(mem_resize(&nodes->start, nodes->n, sizeof *nodes->start, what, error));
    TRY(mem_resize(&nodes->values, room, sizeof *nodes->values, what, error));
    nodes->begin[0] = 0;
    for (int32_t node = first; node < end; node++) {
        const double *history = building->node_history + (int64_t)node * periods;
        int64_t i = node - first;
        int32_t start = 0;
        while (start < periods && isnan(history[start]))
            start++;
        nodes->start[i] = nodes->calendar.first + start;
        nodes->begin[i + 1] = nodes->begin[i] + periods - start;
        memcpy(nodes->values + nodes->begin[i], history + start,
               (size_t)(periods - start) * sizeof *history);
    }
out:
    return status;
}

static Status keep_node(Building *building, const SeriesSet *nodes, const Backtest *backtest,
                        int32_t node, Error *error)
{
    Status status;
    int64_t i = node - nodes->first;
    int horizon = building->horizon;
    int64_t past = (int64_t)(building->origins - 1) * horizon;
    TRY(backtest_load(backtest, i, error));
    for (int o = 0; o < building->origins; o++) {
        double *mean = building->node_forecasts + ((int64_t)node * building->origins + o) * horizon;
        if (combination_forecast(building->combination, nodes, backtest, i, o, mean) !=
            FORECAST_MIX) {
            for (int h = 0; h < horizon; h++)
                mean[h] = NAN;
        }
        if (o == 0)
            continue;
        double *row = building->node_residuals + node * past + (int64_t)(o - 1) * horizon;
        (void)backtest_outlook(backtest, nodes, i, o, row);
        for (int h = 0; h < horizon; h++)
            row[h] -= mean[h];
    }
out:
    return status;
}

static Status keep_nodes(Building *building, const SeriesSet *nodes, const Backtest *backtest,
                         Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < nodes->n; i++)
        TRY(keep_node(building, nodes, backtest, (int32_t)(nodes->first + i), error));
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
    int64_t n = building->tiers->hierarchy.n_nodes;
    int64_t width = (int64_t)building->origins * building->horizon;
    Tiers *tiers = building->tiers;
    TRY(mem_resize(&building->node_history, n * building->set->calendar.n,
                   sizeof *building->node_history, what, error));
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

/* Collective. */
static Status forecast_nodes(Building *building, Error *error)
{
    Status status;
    Comm *comm = building->comm;
    const Hierarchy *hierarchy = &building->tiers->hierarchy;
    SeriesSet nodes = {0};
    Backtest backtest = {0};
    BacktestOptions options = building->backtest->options;
    int64_t horizon = building->horizon, width = building->origins * horizon;
    int32_t n = hierarchy->n_nodes;
    int32_t first = (int32_t)((int64_t)n * comm_rank(comm) / comm_size(comm));
    int32_t end = (int32_t)((int64_t)n * (comm_rank(comm) + 1) / comm_size(comm));
    options.models &= ~(1U << SERIES_POOLED);
    options.is_scattered = true;
    TRY_ALL(comm, make_nodes(building, error), error);
    TRY(hierarchy_sum_history(comm, hierarchy, building->set, building->node_history, error));
    TRY_ALL(comm, take_nodes(building, first, end, &nodes, error), error);
    TRY(backtest_run(comm, &nodes, &options, &backtest, error));
    TRY_ALL(comm, keep_nodes(building, &nodes, &backtest, error), error);
    share_nodes(comm, n, width, building->node_forecasts);
    share_nodes(comm, n, width - horizon, building->node_residuals);
    for (int64_t node = 0; node < n; node++)
        memcpy(building->tiers->node_mean + node * horizon, building->node_forecasts + node * width,
               (size_t)horizon * sizeof(double));
out:
    nodes.calendar = (Calendar){0};
    series_set_free(&nodes);
    backtest_free(&backtest);
    return status;
}

/* Around the nodes' means that add up. Collective. */
static Status surround_nodes(Building *building, Error *error)
{
    Tiers *tiers = building->tiers;
    NodeBacktest nodes = {.n = tiers->hierarchy.n_nodes,
                          .n_origins = building->origins,
                          .horizon = building->horizon,
                          .n_periods = building->set->calendar.n,
                          .history = building->node_history,
                          .forecasts = building->node_forecasts,
                          .residuals = building->node_residuals};
    return tier_intervals(building->comm, &nodes, tiers->node_mean, tiers_probabilities,
                          TIERS_QUANTILES, tiers->node_quantiles, error);
}

/* ---- adding up ---- */

/* Mean demand of each series over its history. */
static void set_history(const SeriesSet *set, double *history)
{
    for (int64_t i = 0; i < set->n; i++) {
        double sum = 0.0;
        for (int64_t t = set->begin[i]; t < set->begin[i + 1]; t++)
            sum += isnan(set->values[t]) ? 0.0 : set->values[t];
        history[i] = sum / fmax(1.0, series_length(set, i));
    }
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
    TRY_ALL(comm,
            mem_resize(&history, building->set->n, sizeof *history, "demand of series", error),
            error);
    set_history(building->set, history);
    fill_unknown(building->set, (int64_t)(building->origins - 1) * building->horizon,
                 building->residuals);
    ReconcileInput input = {.horizon = building->horizon,
                            .bottom = tiers->mean,
                            .nodes = tiers->node_mean,
                            .periods = (int64_t)(building->origins - 1) * building->horizon,
                            .bottom_residuals = building->residuals,
                            .node_residuals = building->node_residuals,
                            .history = history};
    TRY(reconcile(comm, &tiers->hierarchy, method, &input, tiers->mean, tiers->node_mean,
                  &tiers->outcome, error));
    TRY(rounding_units(comm, &tiers->hierarchy, tiers->mean, building->horizon, tiers->units,
                       tiers->node_units, error));
out:
    mem_free(&history);
    return status;
}

Status tiers_forecast(Comm *comm, const Shop *shop, const SeriesSet *set, const Backtest *backtest,
                      const Combination *combination, ReconcileMethod method, Tiers *tiers,
                      Error *error)
{
    Status status;
    Building building = {.comm = comm,
                         .shop = shop,
                         .set = set,
                         .backtest = backtest,
                         .combination = combination,
                         .tiers = tiers,
                         .horizon = backtest->options.horizon,
                         .origins = backtest->options.n_origins};
    tiers_free(tiers);
    TRY_ALL(comm, add_levels(&building, error), error);
    TRY(hierarchy_build(comm, set->n, building.levels, building.n_levels, &tiers->hierarchy,
                        error));
    TRY_ALL(comm, forecast_series(&building, error), error);
    TRY(forecast_nodes(&building, error));
    TRY(add_up(&building, method, error));
    TRY(surround_nodes(&building, error));
out:
    building_free(&building);
    return status;
}
