/* See hierarchy.h. Every rank tells the others which tuples of codes its series have; the different
 * ones, sorted, are the cells, and all the rest follows from them. */
#include "forecast/hierarchy.h"

#include "base/fault.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Codes on every level, 0 from the last level on. */
typedef struct Tuple {
    int32_t codes[HIERARCHY_LEVELS_MAX];
} Tuple;

static int compare_tuples(const void *left, const void *right)
{
    const Tuple *a = left, *b = right;
    for (int l = 0; l < HIERARCHY_LEVELS_MAX; l++) {
        if (a->codes[l] != b->codes[l])
            return a->codes[l] < b->codes[l] ? -1 : 1;
    }
    return 0;
}

static int compare_codes(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

/* How many different ones there are; they come to the front. */
static int64_t keep_different_tuples(Tuple *tuples, int64_t n)
{
    int64_t kept = 0;
    if (n > 0)
        qsort(tuples, (size_t)n, sizeof *tuples, compare_tuples);
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || compare_tuples(&tuples[i], &tuples[kept - 1]) != 0)
            tuples[kept++] = tuples[i];
    }
    return kept;
}

static int32_t keep_different_codes(int32_t *codes, int32_t n)
{
    int32_t kept = 0;
    if (n > 0)
        qsort(codes, (size_t)n, sizeof *codes, compare_codes);
    for (int32_t i = 0; i < n; i++) {
        if (i == 0 || codes[i] != codes[kept - 1])
            codes[kept++] = codes[i];
    }
    return kept;
}

/* Where a code that is there stands in codes [n], which are sorted. */
static int32_t find_code(const int32_t *codes, int32_t n, int32_t code)
{
    const int32_t *found = bsearch(&code, codes, (size_t)n, sizeof *codes, compare_codes);
    vesper_assert(found != NULL);
    return (int32_t)(found - codes);
}

void hierarchy_free(Hierarchy *hierarchy)
{
    mem_free(&hierarchy->code);
    mem_free(&hierarchy->parent);
    mem_free(&hierarchy->n_series);
    mem_free(&hierarchy->same);
    mem_free(&hierarchy->cell_nodes);
    mem_free(&hierarchy->cell_series);
    mem_free(&hierarchy->cell_before);
    mem_free(&hierarchy->cell);
    *hierarchy = (Hierarchy){0};
}

/* ---- cells ---- */

static Tuple tuple_of(const HierarchyLevel *levels, int n_levels, int64_t i)
{
    Tuple tuple = {0};
    for (int l = 0; l < n_levels; l++)
        tuple.codes[l + 1] = levels[l].codes[i];
    return tuple;
}

/* The different tuples of this rank's series. */
static Status own_tuples(int64_t n, const HierarchyLevel *levels, int n_levels, Tuple **tuples,
                         int64_t *n_tuples, Error *error)
{
    Status status;
    TRY(fault_point("forecast.hierarchy", error));
    TRY(mem_resize(tuples, n, sizeof **tuples, "categories of series", error));
    for (int64_t i = 0; i < n; i++)
        (*tuples)[i] = tuple_of(levels, n_levels, i);
    *n_tuples = keep_different_tuples(*tuples, n);
out:
    return status;
}

/* cell [n] and how many series of each cell are this rank's. */
static Status find_cells(Hierarchy *h, const HierarchyLevel *levels, int n_levels,
                         const Tuple *cells, Error *error)
{
    Status status;
    int64_t n_cells = h->n_cells;
    TRY(mem_resize(&h->cell, h->n, sizeof *h->cell, "categories of series", error));
    TRY(mem_resize(&h->cell_series, n_cells, sizeof *h->cell_series, "categories", error));
    TRY(mem_resize(&h->cell_before, n_cells, sizeof *h->cell_before, "categories", error));
    TRY(mem_resize(&h->cell_nodes, n_cells * h->n_levels, sizeof *h->cell_nodes, "categories",
                   error));
    memset(h->cell_series, 0, (size_t)n_cells * sizeof *h->cell_series);
    memset(h->cell_before, 0, (size_t)n_cells * sizeof *h->cell_before);
    for (int64_t i = 0; i < h->n; i++) {
        Tuple tuple = tuple_of(levels, n_levels, i);
        const Tuple *found = bsearch(&tuple, cells, (size_t)n_cells, sizeof *cells, compare_tuples);
        vesper_assert(found != NULL);
        h->cell[i] = (int32_t)(found - cells);
        h->cell_series[h->cell[i]]++;
    }
out:
    return status;
}

/* From this rank's counts to those of all, and of lower ranks. Collective. */
static Status count_cells(Comm *comm, Hierarchy *h, Error *error)
{
    Status status;
    char *gathered = NULL;
    int64_t bytes;
    TRY(comm_gather_all(comm, h->cell_series, h->n_cells * (int64_t)sizeof *h->cell_series,
                        &gathered, &bytes, NULL, error));
    const int64_t *counts = (const int64_t *)(const void *)gathered;
    for (int rank = 0; rank < comm_rank(comm); rank++)
        for (int32_t c = 0; c < h->n_cells; c++)
            h->cell_before[c] += counts[(int64_t)rank * h->n_cells + c];
    comm_sum_i64(comm, h->cell_series, h->n_cells);
out:
    mem_free(&gathered);
    return status;
}

/* ---- nodes ---- */

/* The different codes of each level, one level after another. */
static Status name_nodes(Hierarchy *h, const Tuple *cells, Error *error)
{
    Status status;
    TRY(mem_resize(&h->code, (int64_t)h->n_cells * h->n_levels + 1, sizeof *h->code, "categories",
                   error));
    h->code[0] = 0; /* the total, also of nothing */
    h->first_node[0] = 0;
    h->n_nodes = 1;
    for (int l = 1; l < h->n_levels; l++) {
        int32_t *codes = h->code + h->n_nodes;
        h->first_node[l] = h->n_nodes;
        for (int32_t c = 0; c < h->n_cells; c++)
            codes[c] = cells[c].codes[l];
        h->n_nodes += keep_different_codes(codes, h->n_cells);
    }
    h->first_node[h->n_levels] = h->n_nodes;
    for (int32_t c = 0; c < h->n_cells; c++) {
        int32_t *nodes = h->cell_nodes + (int64_t)c * h->n_levels;
        nodes[0] = 0;
        for (int l = 1; l < h->n_levels; l++)
            nodes[l] = h->first_node[l] + find_code(h->code + h->first_node[l],
                                                    h->first_node[l + 1] - h->first_node[l],
                                                    cells[c].codes[l]);
    }
    TRY(mem_resize(&h->code, h->n_nodes, sizeof *h->code, "categories", error));
    TRY(mem_resize(&h->parent, h->n_nodes, sizeof *h->parent, "categories", error));
    TRY(mem_resize(&h->n_series, h->n_nodes, sizeof *h->n_series, "categories", error));
    TRY(mem_resize(&h->same, h->n_nodes, sizeof *h->same, "categories", error));
out:
    return status;
}

static int32_t node_of(const Hierarchy *h, int32_t cell, int level)
{
    return h->cell_nodes[(int64_t)cell * h->n_levels + level];
}

/* Whether each node of a level lies within one of an earlier level: those are its parents then. */
static bool find_parents(Hierarchy *h, int level, int above)
{
    for (int32_t node = h->first_node[level]; node < h->first_node[level + 1]; node++)
        h->parent[node] = -1;
    for (int32_t c = 0; c < h->n_cells; c++) {
        int32_t *parent = &h->parent[node_of(h, c, level)];
        if (*parent >= 0 && *parent != node_of(h, c, above))
            return false;
        *parent = node_of(h, c, above);
    }
    return true;
}

static void find_chain(Hierarchy *h)
{
    int above = 0;
    h->parent[0] = -1;
    h->is_chain[0] = true;
    for (int l = 1; l < h->n_levels; l++) {
        h->is_chain[l] = find_parents(h, l, above);
        if (h->is_chain[l])
            above = l;
        else
            (void)find_parents(h, l, 0);
    }
}

/* Nodes of the same series. Whatever equals a node is, on its level, the node of the same first
 * cell; and it does if both have as many cells as they share. */
static void find_same(Hierarchy *h)
{
    int n_levels = h->n_levels;
    int32_t *n_cells = mem_new(h->n_nodes, sizeof *n_cells);
    int32_t *first_cell = mem_new(h->n_nodes, sizeof *first_cell);
    int32_t *shared = mem_new((int64_t)h->n_nodes * n_levels, sizeof *shared);
    for (int32_t node = 0; node < h->n_nodes; node++)
        h->same[node] = node;
    for (int32_t c = h->n_cells - 1; c >= 0; c--)
        for (int l = 0; l < n_levels; l++) {
            n_cells[node_of(h, c, l)]++;
            first_cell[node_of(h, c, l)] = c;
        }
    for (int32_t c = 0; c < h->n_cells; c++)
        for (int l = 1; l < n_levels; l++)
            for (int k = 0; k < l; k++) {
                int32_t node = node_of(h, c, l);
                shared[(int64_t)node * n_levels + k] +=
                    node_of(h, first_cell[node], k) == node_of(h, c, k);
            }
    for (int l = 1; l < n_levels; l++)
        for (int32_t node = h->first_node[l]; node < h->first_node[l + 1]; node++)
            for (int k = l - 1; k >= 0; k--) {
                int32_t other = node_of(h, first_cell[node], k);
                if (shared[(int64_t)node * n_levels + k] == n_cells[node] &&
                    n_cells[other] == n_cells[node])
                    h->same[node] = other;
            }
    mem_free(&n_cells);
    mem_free(&first_cell);
    mem_free(&shared);
}

static void count_series(Hierarchy *h)
{
    memset(h->n_series, 0, (size_t)h->n_nodes * sizeof *h->n_series);
    for (int32_t c = 0; c < h->n_cells; c++)
        for (int l = 0; l < h->n_levels; l++)
            h->n_series[node_of(h, c, l)] += h->cell_series[c];
}

static void name_levels(Hierarchy *h, const HierarchyLevel *levels, int n_levels)
{
    h->n_levels = n_levels + 1;
    snprintf(h->names[0], sizeof h->names[0], "total");
    for (int l = 0; l < n_levels; l++)
        snprintf(h->names[l + 1], sizeof h->names[l + 1], "%s", levels[l].name);
}

Status hierarchy_build(Comm *comm, int64_t n, const HierarchyLevel *levels, int n_levels,
                       Hierarchy *hierarchy, Error *error)
{
    Status status;
    Tuple *own = NULL;
    char *gathered = NULL;
    int64_t n_own = 0, bytes;
    vesper_assert(n_levels >= 0 && n_levels < HIERARCHY_LEVELS_MAX);
    *hierarchy = (Hierarchy){.n = n, .first = comm_prefix_i64(comm, n), .total = n};
    comm_sum_i64(comm, &hierarchy->total, 1);
    name_levels(hierarchy, levels, n_levels);
    TRY_ALL(comm, own_tuples(n, levels, n_levels, &own, &n_own, error), error);
    TRY(comm_gather_all(comm, own, n_own * (int64_t)sizeof *own, &gathered, &bytes, NULL, error));
    Tuple *cells = (Tuple *)(void *)gathered;
    int64_t n_cells = keep_different_tuples(cells, bytes / (int64_t)sizeof *cells);
    vesper_assert(n_cells * hierarchy->n_levels < INT32_MAX);
    hierarchy->n_cells = (int32_t)n_cells;
    TRY_ALL(comm, find_cells(hierarchy, levels, n_levels, cells, error), error);
    TRY(count_cells(comm, hierarchy, error));
    TRY_ALL(comm, name_nodes(hierarchy, cells, error), error);
    find_chain(hierarchy);
    find_same(hierarchy);
    count_series(hierarchy);
out:
    mem_free(&own);
    mem_free(&gathered);
    if (status != STATUS_OK)
        hierarchy_free(hierarchy);
    return status;
}

int hierarchy_level_of(const Hierarchy *hierarchy, int32_t node)
{
    int level = 0;
    while (node >= hierarchy->first_node[level + 1])
        level++;
    return level;
}

int hierarchy_finest(const Hierarchy *hierarchy)
{
    int level = hierarchy->n_levels - 1;
    while (!hierarchy->is_chain[level])
        level--;
    return level;
}
