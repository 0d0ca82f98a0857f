/* Hierarchies for tests: codes and values that depend on the number of a series alone, so that
 * every rank knows all of them and any rank can hold any of them. */
#ifndef VESPER_TESTS_RANK_HIERARCHY_MODEL_H
#define VESPER_TESTS_RANK_HIERARCHY_MODEL_H

#include "forecast/hierarchy.h"

enum { MODEL_LEVELS_MAX = 4 };

typedef struct HierarchyModel {
    int64_t n;
    int n_levels;
    /* Different codes of each level; of one that is nested, within a code of the level before.
     * Nobody knows a code of about 1 of 16 series. */
    int32_t counts[MODEL_LEVELS_MAX];
    bool is_nested[MODEL_LEVELS_MAX];
    int64_t seed;
} HierarchyModel;

/* Who holds the series: uneven runs of whole blocks, nothing in the middle; or the last rank alone.
 */
typedef enum ModelLayout { MODEL_SPREAD, MODEL_ON_ONE, MODEL_LAYOUTS } ModelLayout;

int32_t hierarchy_model_code(const HierarchyModel *model, int level, int64_t i);

/* Collective. */
void hierarchy_model_build(const HierarchyModel *model, ModelLayout layout, Hierarchy *hierarchy);

/* Own rows of all rows [model->n x width] (mem_new). Local. */
double *hierarchy_model_own(const Hierarchy *hierarchy, const double *all, int64_t width);
/* Own rows of 8 bytes an element -> all rows (mem_new). Collective. */
void *hierarchy_model_all(const Hierarchy *hierarchy, const void *own, int64_t width);

/* Whether series i lies in a node, by its codes. */
bool hierarchy_model_is_in(const HierarchyModel *model, const Hierarchy *hierarchy, int32_t node,
                           int64_t i);

#endif
