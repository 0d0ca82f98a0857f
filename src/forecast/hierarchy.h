/* Hierarchy: which series add up to what. Above the series stand nodes: the total, and on each
 * level one node for every code that a series has there (category paths of one component, of two,
 * ...; countries; brands). Nodes are few, and every rank knows them all; a series is its rank's.
 *
 * Sums over series are exact sums (kernel/exact_sum.h), made of integers: each rank adds up its own
 * and no order is to be kept, so that the same bits come out at any number of ranks. Sums of floats
 * in the order of blocks would need the nodes' whole table once a block, or pass it from rank to
 * rank. */
#ifndef VESPER_FORECAST_HIERARCHY_H
#define VESPER_FORECAST_HIERARCHY_H

#include "forecast/series.h"

enum { HIERARCHY_LEVELS_MAX = 12 }; /* with the total */

/* A level as its series say it. */
typedef struct HierarchyLevel {
    const char *name;
    const int32_t
        *codes; /* [n] of this rank's series; -1, not known, is a node of its own. Nodes
                   are sorted by code: places in bytewise order serve better than codes. */
} HierarchyLevel;

/* All zero is empty. But for what is marked as this rank's, the same on every rank. */
typedef struct Hierarchy {
    int64_t n, first, total; /* series of this rank; of lower ranks; of all */
    int n_levels;            /* level 0 is the total */
    char names[HIERARCHY_LEVELS_MAX][COLUMN_NAME_SIZE];
    /* Whether each node of the level lies within one node of the level of the chain before it. The
     * chain is a tree from the total down: total, category, subcategory. A level that cuts across
     * it, as countries do, is no part of it. */
    bool is_chain[HIERARCHY_LEVELS_MAX];
    int32_t first_node[HIERARCHY_LEVELS_MAX + 1]; /* nodes of level l: [first_node[l], first_node[l
                                                     + 1]) */
    int32_t n_nodes;
    int32_t *code;     /* [n_nodes] what it is called on its level; 0 of the total */
    int32_t *parent;   /* [n_nodes] its node on the level of the chain before its own; -1 of the
                          total;   0 of nodes that are no part of the chain */
    int64_t *n_series; /* [n_nodes] */
    int32_t *same;     /* [n_nodes] the first node that has just the same series: often itself */
    /* A cell is all series that have the same nodes on every level. Sorted by codes, level by
     * level. */
    int32_t n_cells;
    int32_t *cell_nodes;  /* [n_cells x n_levels] */
    int64_t *cell_series; /* [n_cells] */
    int64_t *cell_before; /* [n_cells] of those, how many lower ranks hold: this rank's */
    int32_t *cell;        /* [n] this rank's */
} Hierarchy;

/* Levels from the coarse to the fine, those of the chain among them: a level is part of the chain
 * if it can be. Names and their number are the same on every rank. Collective. */
Status hierarchy_build(Comm *comm, int64_t n, const HierarchyLevel *levels, int n_levels,
                       Hierarchy *hierarchy, Error *error) VESPER_MUST_USE;
void hierarchy_free(Hierarchy *hierarchy);

int hierarchy_level_of(const Hierarchy *hierarchy, int32_t node);
int hierarchy_finest(const Hierarchy *hierarchy); /* the last level of the chain */

/* Whether a node has a forecast of its own to add: it has more than one series, and no node before
 * it has the same. A category with one product, or the only one of its parent, says nothing new. */
static inline bool hierarchy_is_distinct(const Hierarchy *hierarchy, int32_t node)
{
    return hierarchy->n_series[node] > 1 && hierarchy->same[node] == node;
}

/* sums [n_nodes x width] := of each node the sum of its series' rows; values [n x width]. What is
 * not finite is not known, and is left out; where nothing is known the sum is NaN. factor [n]: what
 * each row is multiplied by first; NULL: 1. Collective. */
Status hierarchy_sum(Comm *comm, const Hierarchy *hierarchy, const double *values,
                     const double *factor, int64_t width, double *sums,
                     Error *error) VESPER_MUST_USE;
/* The same of cells: sums [n_cells x width]. Collective. */
Status hierarchy_sum_cells(Comm *comm, const Hierarchy *hierarchy, const double *values,
                           const double *factor, int64_t width, double *sums,
                           Error *error) VESPER_MUST_USE;
/* The nodes' histories: sums [n_nodes x calendar.n] of the set's values; NaN before a node's first
 * sale, and where none of its series is known. Collective. */
Status hierarchy_sum_history(Comm *comm, const Hierarchy *hierarchy, const SeriesSet *set,
                             double *sums, Error *error) VESPER_MUST_USE;
/* Of whole numbers, none of them missing. Collective. */
void hierarchy_sum_units(Comm *comm, const Hierarchy *hierarchy, const int64_t *values,
                         int64_t width, int64_t *sums);

#endif
