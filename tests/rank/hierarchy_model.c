/* See hierarchy_model.h. */
#include "rank/hierarchy_model.h"

#include "base/memory.h"
#include "rank/model.h"
#include "rank/suites.h"

#include <stdio.h>
#include <string.h>

int32_t hierarchy_model_code(const HierarchyModel *model, int level, int64_t i)
{
    uint64_t noise = model_noise(model->seed, level, i);
    int32_t code = (int32_t)(noise % (uint64_t)model->counts[level]);
    bool is_unknown = (noise >> 40) % 16 == 0;
    if (!model->is_nested[level])
        return is_unknown ? -1 : code;
    int32_t above = hierarchy_model_code(model, level - 1, i);
    return is_unknown ? above : (above + 2) * 100 + code;
}

void hierarchy_model_build(const HierarchyModel *model, ModelLayout layout, Hierarchy *hierarchy)
{
    Comm *comm = rank_comm();
    Error error = {0};
    static const char *const names[MODEL_LEVELS_MAX] = {"a", "b", "c", "d"};
    HierarchyLevel levels[MODEL_LEVELS_MAX] = {{0}};
    int32_t *codes[MODEL_LEVELS_MAX] = {NULL};
    int rank = comm_rank(comm), size = comm_size(comm);
    int64_t blocks = (model->n + SERIES_BLOCK - 1) / SERIES_BLOCK;
    int64_t first = model_first(blocks, rank, size) * SERIES_BLOCK;
    int64_t end = model_first(blocks, rank + 1, size) * SERIES_BLOCK;
    if (layout == MODEL_ON_ONE) {
        first = 0;
        end = rank == size - 1 ? model->n : 0;
    }
    first = first < model->n ? first : model->n;
    end = end < model->n ? end : model->n;
    for (int l = 0; l < model->n_levels; l++) {
        codes[l] = mem_new(end - first, sizeof **codes);
        for (int64_t i = first; i < end; i++)
            codes[l][i - first] = hierarchy_model_code(model, l, i);
        levels[l] = (HierarchyLevel){names[l], codes[l]};
    }
    CHECK_OK(hierarchy_build(comm, end - first, levels, model->n_levels, hierarchy, &error));
    for (int l = 0; l < model->n_levels; l++)
        mem_free(&codes[l]);
}

double *hierarchy_model_own(const Hierarchy *hierarchy, const double *all, int64_t width)
{
    double *own = mem_new(hierarchy->n * width, sizeof *own);
    if (hierarchy->n * width > 0)
        memcpy(own, all + hierarchy->first * width, (size_t)(hierarchy->n * width) * sizeof *own);
    return own;
}

void *hierarchy_model_all(const Hierarchy *hierarchy, const void *own, int64_t width)
{
    int64_t *all = mem_new(hierarchy->total * width, sizeof *all);
    if (hierarchy->n * width > 0)
        memcpy(all + hierarchy->first * width, own, (size_t)(hierarchy->n * width) * sizeof *all);
    comm_sum_i64(rank_comm(), all, hierarchy->total * width);
    return all;
}

bool hierarchy_model_is_in(const HierarchyModel *model, const Hierarchy *hierarchy, int32_t node,
                           int64_t i)
{
    int level = hierarchy_level_of(hierarchy, node);
    return level == 0 || hierarchy_model_code(model, level - 1, i) == hierarchy->code[node];
}
