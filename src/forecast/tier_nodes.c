/* See tier_nodes.h. */
#include "forecast/tier_nodes.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Levels below the total: of the category paths, and what the series are grouped by. */
enum { LEVELS_MAX = CATEGORY_LEVELS_MAX + 1 };

typedef struct Levels {
    const Shop *shop;
    const SeriesSet *set;
    int n;
    HierarchyLevel levels[LEVELS_MAX];
    char names[LEVELS_MAX][COLUMN_NAME_SIZE];
    int32_t *codes[LEVELS_MAX];
} Levels;

void tier_nodes_free(TierNodes *nodes)
{
    backtest_free(&nodes->backtest);
    nodes->set.calendar = (Calendar){0}; /* of the series */
    series_set_free(&nodes->set);
    mem_free(&nodes->history);
    hierarchy_free(&nodes->hierarchy);
    *nodes = (TierNodes){0};
}

/* ---- levels ---- */

/* Add a level; its codes are places in bytewise order, so that nodes come in that order. */
static Status add_level(Levels *levels, const char *name, int32_t **places, Error *error)
{
    Status status;
    int l = levels->n;
    TRY(mem_resize(&levels->codes[l], levels->set->n, sizeof **places, "levels of series", error));
    (void)snprintf(levels->names[l], COLUMN_NAME_SIZE, "%s", name);
    levels->levels[l] = (HierarchyLevel){.name = levels->names[l], .codes = levels->codes[l]};
    levels->n++;
    *places = levels->codes[l];
out:
    return status;
}

/* Paths of k components, while there are any longer ones. */
static Status add_category(Levels *levels, int k, Error *error)
{
    Status status;
    const Shop *shop = levels->shop;
    const CategoryLevel *level = &shop->levels[k];
    const int32_t *products = table_column_const(&levels->set->keys, "product")->data;
    char name[COLUMN_NAME_SIZE];
    int32_t *places;
    (void)snprintf(name, sizeof name, "category_%d", k);
    TRY(add_level(levels, name, &places, error));
    for (int64_t i = 0; i < levels->set->n; i++) {
        int32_t path = shop->catalogue.category[products[i]];
        places[i] = path < 0 ? -1 : level->names.place[level->of_category[path]];
    }
out:
    return status;
}

static Status add_group(Levels *levels, const char *name, const Names *names, Error *error)
{
    Status status = STATUS_OK;
    const Column *column = table_find_const(&levels->set->keys, name);
    int32_t *places;
    if (column == NULL)
        return STATUS_OK;
    TRY(add_level(levels, name, &places, error));
    for (int64_t i = 0; i < levels->set->n; i++) {
        int32_t code = (int32_t)column_integer(column, i);
        places[i] = code < 0 ? -1 : names->place[code];
    }
out:
    return status;
}

static Status add_levels(Levels *levels, Error *error)
{
    Status status = STATUS_OK;
    const Shop *shop = levels->shop;
    for (int k = 1; k <= CATEGORY_LEVELS_MAX && shop->levels[k].names.count > 0; k++) {
        bool is_deeper = k == 1 || shop->levels[k].names.count > shop->levels[k - 1].names.count;
        if (is_deeper)
            TRY(add_category(levels, k, error));
    }
    TRY(add_group(levels, "country", &shop->country, error));
    TRY(add_group(levels, "channel", &shop->channel, error));
out:
    return status;
}

Bytes tier_node_name(const Hierarchy *hierarchy, const Shop *shop, int32_t node)
{
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

/* Nodes of this rank, an even share, as a set of series of their own. */
static Status take_nodes(const Calendar *calendar, const double *histories, int32_t first,
                         int32_t end, SeriesSet *nodes, Error *error)
{
    static const char what[] = "history of categories";
    Status status;
    int32_t periods = calendar->n;
    int64_t room = (int64_t)(end - first) * periods;
    nodes->calendar = *calendar;
    nodes->first = first;
    nodes->n = end - first;
    TRY(mem_resize(&nodes->begin, nodes->n + 1, sizeof *nodes->begin, what, error));
    TRY(mem_resize(&nodes->start, nodes->n, sizeof *nodes->start, what, error));
    TRY(mem_resize(&nodes->records, room, sizeof *nodes->records, what, error));
    nodes->begin[0] = 0;
    for (int32_t node = first; node < end; node++) {
        const double *history = histories + (int64_t)node * periods;
        int64_t i = node - first;
        int32_t start = 0;
        while (start < periods && isnan(history[start]))
            start++;
        nodes->start[i] = nodes->calendar.first + start;
        nodes->begin[i + 1] = nodes->begin[i] + periods - start;
        memcpy(nodes->records + nodes->begin[i], history + start,
               (size_t)(periods - start) * sizeof *history);
    }
out:
    return status;
}

/* Collective. */
static Status add_up_histories(Comm *comm, const SeriesSet *set, TierNodes *nodes, Error *error)
{
    Status status;
    int64_t size = (int64_t)nodes->hierarchy.n_nodes * set->calendar.n;
    TRY_ALL(
        comm,
        mem_resize(&nodes->history, size, sizeof *nodes->history, "history of categories", error),
        error);
    TRY(hierarchy_sum_history(comm, &nodes->hierarchy, set, nodes->history, error));
out:
    return status;
}

/* Every model but the one across series. Collective. */
static Status forecast_nodes(Comm *comm, const SeriesSet *set, const Backtest *of_series,
                             TierNodes *nodes, Error *error)
{
    Status status;
    BacktestOptions options = of_series->options;
    int64_t n = nodes->hierarchy.n_nodes;
    int32_t first = (int32_t)(n * comm_rank(comm) / comm_size(comm));
    int32_t end = (int32_t)(n * (comm_rank(comm) + 1) / comm_size(comm));
    options.models &= ~(1U << SERIES_POOLED);
    options.is_scattered = true;
    TRY_ALL(comm, take_nodes(&set->calendar, nodes->history, first, end, &nodes->set, error),
            error);
    TRY(backtest_run(comm, &nodes->set, &options, &nodes->backtest, error));
out:
    return status;
}

Status tier_nodes_make(Comm *comm, const Shop *shop, const SeriesSet *set, const Backtest *backtest,
                       TierNodes *nodes, Error *error)
{
    Status status;
    Levels levels = {.shop = shop, .set = set};
    tier_nodes_free(nodes);
    TRY_ALL(comm, add_levels(&levels, error), error);
    TRY(hierarchy_build(comm, set->n, levels.levels, levels.n, &nodes->hierarchy, error));
    TRY(add_up_histories(comm, set, nodes, error));
    TRY(forecast_nodes(comm, set, backtest, nodes, error));
out:
    for (int l = 0; l < LEVELS_MAX; l++)
        mem_free(&levels.codes[l]);
    return status;
}
