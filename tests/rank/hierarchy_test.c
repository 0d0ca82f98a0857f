/* Hierarchies: nodes, chains and cells against what the codes say; sums against sums of all series,
 * the same bits wherever the series lie. */
#include "forecast/hierarchy.h"

#include "base/memory.h"
#include "rank/hierarchy_model.h"
#include "rank/model.h"
#include "rank/suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const HierarchyModel models[] = {
    {.n = 1000, .n_levels = 3, .counts = {5, 4, 3}, .is_nested = {false, true, true}, .seed = 1},
    {.n = 500, .n_levels = 3, .counts = {4, 3, 6}, .is_nested = {false, true, false}, .seed = 2},
    /* a level that is none of the chain, between two that are */
    {.n = 300,
     .n_levels = 4,
     .counts = {3, 7, 2, 5},
     .is_nested = {false, false, false, true},
     .seed = 3},
    {.n = 200, .n_levels = 2, .counts = {90, 1}, .is_nested = {false, true}, .seed = 4},
    {.n = 65, .n_levels = 1, .counts = {1}, .seed = 5},
    {.n = 40,
     .n_levels = 4,
     .counts = {1, 1, 1, 2},
     .is_nested = {false, true, true, true},
     .seed = 6},
    {.n = 130, .n_levels = 0, .seed = 7},
    {.n = 1, .n_levels = 2, .counts = {3, 3}, .seed = 8},
    {.n = 0, .n_levels = 2, .counts = {3, 3}, .seed = 9},
};
enum { N_MODELS = sizeof models / sizeof models[0] };

/* ---- structure ---- */

static bool same_series(const HierarchyModel *model, const Hierarchy *h, int32_t a, int32_t b)
{
    for (int64_t i = 0; i < model->n; i++) {
        if (hierarchy_model_is_in(model, h, a, i) != hierarchy_model_is_in(model, h, b, i))
            return false;
    }
    return true;
}

/* Whether all series of a node are in another; `outer` gets one of the first series. */
static bool lies_within(const HierarchyModel *model, const Hierarchy *h, int32_t inner, int level,
                        int32_t *outer)
{
    *outer = -1;
    for (int64_t i = 0; i < model->n; i++) {
        if (!hierarchy_model_is_in(model, h, inner, i))
            continue;
        for (int32_t node = h->first_node[level]; *outer < 0; node++)
            if (hierarchy_model_is_in(model, h, node, i))
                *outer = node;
        if (!hierarchy_model_is_in(model, h, *outer, i))
            return false;
    }
    return true;
}

static void check_nodes(const HierarchyModel *model, const Hierarchy *h)
{
    CU_ASSERT_EQUAL(h->total, model->n);
    CU_ASSERT_EQUAL(h->n_levels, model->n_levels + 1);
    for (int32_t node = 0; node < h->n_nodes; node++) {
        int level = hierarchy_level_of(h, node);
        int64_t count = 0;
        int32_t first_same = 0;
        for (int64_t i = 0; i < model->n; i++)
            count += hierarchy_model_is_in(model, h, node, i);
        CU_ASSERT_EQUAL(h->n_series[node], count);
        CU_ASSERT(count > 0 || node == 0);
        CU_ASSERT(node == h->first_node[level] || h->code[node] > h->code[node - 1]);
        while (!same_series(model, h, first_same, node))
            first_same++;
        CU_ASSERT_EQUAL(h->same[node], first_same);
    }
    for (int l = 0; l < h->n_levels && model->n > 0; l++) {
        int64_t count = 0;
        for (int32_t node = h->first_node[l]; node < h->first_node[l + 1]; node++)
            count += h->n_series[node];
        CU_ASSERT_EQUAL(count, model->n);
    }
}

static void check_chain(const HierarchyModel *model, const Hierarchy *h)
{
    int above = 0;
    CU_ASSERT(h->is_chain[0]);
    CU_ASSERT_EQUAL(h->parent[0], -1);
    for (int l = 1; l < h->n_levels; l++) {
        bool is_chain = true;
        int32_t outer;
        for (int32_t node = h->first_node[l]; node < h->first_node[l + 1]; node++)
            is_chain = is_chain && lies_within(model, h, node, above, &outer);
        CU_ASSERT_EQUAL(h->is_chain[l], is_chain);
        for (int32_t node = h->first_node[l]; node < h->first_node[l + 1]; node++) {
            if (is_chain && lies_within(model, h, node, above, &outer))
                CU_ASSERT_EQUAL(h->parent[node], outer);
            if (!is_chain)
                CU_ASSERT_EQUAL(h->parent[node], 0);
        }
        above = is_chain ? l : above;
    }
    CU_ASSERT_EQUAL(hierarchy_finest(h), above);
}

/* Cells cut the series up, and know their own. */
static void check_cells(const HierarchyModel *model, const Hierarchy *h)
{
    int64_t sum = 0, *own = mem_new(h->n_cells, sizeof *own);
    for (int32_t c = 0; c < h->n_cells; c++)
        sum += h->cell_series[c];
    CU_ASSERT_EQUAL(sum, model->n);
    for (int64_t i = 0; i < h->n; i++) {
        const int32_t *nodes = h->cell_nodes + (int64_t)h->cell[i] * h->n_levels;
        for (int l = 0; l < h->n_levels; l++) {
            CU_ASSERT(nodes[l] >= h->first_node[l] && nodes[l] < h->first_node[l + 1]);
            CU_ASSERT(hierarchy_model_is_in(model, h, nodes[l], h->first + i));
        }
        own[h->cell[i]]++;
    }
    for (int32_t c = 0; c < h->n_cells; c++)
        CU_ASSERT_EQUAL(h->cell_before[c], comm_prefix_i64(rank_comm(), own[c]));
    mem_free(&own);
}

static void test_structure(void)
{
    for (int m = 0; m < N_MODELS; m++)
        for (int layout = 0; layout < MODEL_LAYOUTS; layout++) {
            Hierarchy h;
            hierarchy_model_build(&models[m], (ModelLayout)layout, &h);
            check_nodes(&models[m], &h);
            check_chain(&models[m], &h);
            check_cells(&models[m], &h);
            CU_ASSERT_STRING_EQUAL(h.names[0], "total");
            CU_ASSERT(h.n_levels < 2 || strcmp(h.names[1], "a") == 0);
            hierarchy_free(&h);
        }
}

/* ---- sums ---- */

enum { WIDTH = 5 };
#define VALUES_MOST 0x1p42 /* of up to 2^10 of them a sum loses less than 2^-95 of the largest */

/* Whole numbers, small and large ones, some of them missing; a column where all are missing. */
static double value_of(int64_t i, int64_t t, bool whole)
{
    uint64_t noise = model_noise(i, t, 77);
    if (t == WIDTH - 1 || noise % 7 == 0)
        return (double)NAN;
    double value = (double)(int64_t)(noise % 2000001) - 1000000;
    return whole ? value : value / 3 * exp2((double)(noise >> 32 & 63) - 40);
}

static double *all_values(int64_t n, bool whole)
{
    double *values = mem_new(n * WIDTH, sizeof *values);
    for (int64_t k = 0; k < n * WIDTH; k++)
        values[k] = value_of(k / WIDTH, k % WIDTH, whole);
    return values;
}

static void check_sums(const HierarchyModel *model, const Hierarchy *h, const double *all,
                       bool whole, const double *sums)
{
    for (int32_t node = 0; node < h->n_nodes; node++)
        for (int t = 0; t < WIDTH; t++) {
            double sum = 0, size = 0, got = sums[node * WIDTH + t];
            int64_t known = 0;
            for (int64_t i = 0; i < model->n; i++) {
                double value = all[i * WIDTH + t];
                if (!isfinite(value) || !hierarchy_model_is_in(model, h, node, i))
                    continue;
                known++;
                sum += value;
                size += fabs(value);
            }
            CU_ASSERT_EQUAL(isnan(got) != 0, known == 0);
            if (known == 0)
                continue;
            if (whole)
                CU_ASSERT_EQUAL(got, sum);
            CU_ASSERT(fabs(got - sum) <= 1e-13 * size + VALUES_MOST * 0x1p-94);
        }
}

static void test_sums(void)
{
    Error error = {0};
    for (int m = 0; m < N_MODELS; m++)
        for (int whole = 0; whole <= 1; whole++) {
            double *all = all_values(models[m].n, whole), *sums[MODEL_LAYOUTS];
            for (int layout = 0; layout < MODEL_LAYOUTS; layout++) {
                Hierarchy h;
                hierarchy_model_build(&models[m], (ModelLayout)layout, &h);
                double *own = hierarchy_model_own(&h, all, WIDTH);
                sums[layout] = mem_new((int64_t)h.n_nodes * WIDTH, sizeof **sums);
                CHECK_OK(hierarchy_sum(rank_comm(), &h, own, NULL, WIDTH, sums[layout], &error));
                check_sums(&models[m], &h, all, whole, sums[layout]);
                if (layout > 0)
                    CU_ASSERT_EQUAL(
                        memcmp(sums[layout], sums[0], (size_t)h.n_nodes * WIDTH * sizeof **sums),
                        0);
                mem_free(&own);
                hierarchy_free(&h);
            }
            mem_free(&sums[0]);
            mem_free(&sums[1]);
            mem_free(&all);
        }
}

/* Sums of cells add up to those of nodes; a factor multiplies its row. */
static void test_cells_and_factors(void)
{
    Error error = {0};
    const HierarchyModel *model = &models[1];
    Hierarchy h;
    hierarchy_model_build(model, MODEL_SPREAD, &h);
    double *all = all_values(model->n, true), *own = hierarchy_model_own(&h, all, WIDTH);
    double *factor = mem_new(h.n, sizeof *factor);
    double *cells = mem_new((int64_t)h.n_cells * WIDTH, sizeof *cells);
    double *nodes = mem_new((int64_t)h.n_nodes * WIDTH, sizeof *nodes);
    for (int64_t i = 0; i < h.n; i++)
        factor[i] = (double)((h.first + i) % 3);
    for (int64_t k = 0; k < model->n * WIDTH; k++)
        all[k] *= (double)(k / WIDTH % 3);
    CHECK_OK(hierarchy_sum(rank_comm(), &h, own, factor, WIDTH, nodes, &error));
    check_sums(model, &h, all, true, nodes);
    CHECK_OK(hierarchy_sum_cells(rank_comm(), &h, own, factor, WIDTH, cells, &error));
    for (int32_t node = 0; node < h.n_nodes; node++)
        for (int t = 0; t < WIDTH - 1; t++) {
            double sum = 0;
            for (int32_t c = 0; c < h.n_cells; c++) {
                double part = cells[c * WIDTH + t];
                if (h.cell_nodes[c * h.n_levels + hierarchy_level_of(&h, node)] == node)
                    sum += isnan(part) ? 0 : part;
            }
            CU_ASSERT(isnan(nodes[node * WIDTH + t]) || sum == nodes[node * WIDTH + t]);
        }
    mem_free(&all);
    mem_free(&own);
    mem_free(&factor);
    mem_free(&cells);
    mem_free(&nodes);
    hierarchy_free(&h);
}

/* Rows that begin at different periods are the same as rows with NaN before. */
static void test_history(void)
{
    Error error = {0};
    const HierarchyModel *model = &models[0];
    Hierarchy h;
    hierarchy_model_build(model, MODEL_SPREAD, &h);
    double *all = all_values(model->n, true);
    for (int64_t k = 0; k < model->n * WIDTH; k++)
        all[k] = k % WIDTH < k / WIDTH % WIDTH ? (double)NAN : all[k];
    double *own = hierarchy_model_own(&h, all, WIDTH);
    double *dense = mem_new((int64_t)h.n_nodes * WIDTH, sizeof *dense);
    double *ragged = mem_new((int64_t)h.n_nodes * WIDTH, sizeof *ragged);
    SeriesSet set = {.n = h.n, .calendar = {.first = 100, .n = WIDTH}};
    set.begin = mem_new(h.n + 1, sizeof *set.begin);
    set.start = mem_new(h.n, sizeof *set.start);
    set.records = mem_new(h.n * WIDTH, sizeof *set.records);
    for (int64_t i = 0; i < h.n; i++) {
        int64_t before = (h.first + i) % WIDTH;
        set.start[i] = 100 + (int32_t)before;
        set.begin[i + 1] = set.begin[i] + WIDTH - before;
        memcpy(series_values(&set, i), own + i * WIDTH + before,
               (size_t)(WIDTH - before) * sizeof *own);
    }
    CHECK_OK(hierarchy_sum(rank_comm(), &h, own, NULL, WIDTH, dense, &error));
    CHECK_OK(hierarchy_sum_history(rank_comm(), &h, &set, ragged, &error));
    for (int64_t k = 0; k < h.n_nodes * WIDTH; k++)
        CU_ASSERT(dense[k] == ragged[k] || (isnan(dense[k]) && isnan(ragged[k])));
    mem_free(&all);
    mem_free(&own);
    mem_free(&dense);
    mem_free(&ragged);
    series_set_free(&set);
    hierarchy_free(&h);
}

/* ---- failures ---- */

/* Wherever it fails, every rank hears of it and nothing is left. */
static void test_faults(void)
{
    static const char *const sites[] = {"forecast.hierarchy", "forecast.sums"};
    Comm *comm = rank_comm();
    for (int s = 0; s < 2; s++)
        for (int rank = 0; rank < comm_size(comm); rank++) {
            Error error = {0};
            Hierarchy h = {0};
            int32_t codes[2] = {0, 1};
            double values[2] = {1, 2}, sums[3];
            HierarchyLevel level = {"a", codes};
            CU_ASSERT(model_arm(comm, sites[s], rank));
            Status status = hierarchy_build(comm, 2, &level, 1, &h, &error);
            CU_ASSERT_EQUAL(status, s == 0 ? STATUS_IO : STATUS_OK);
            if (s == 1)
                CU_ASSERT_EQUAL(hierarchy_sum(comm, &h, values, NULL, 1, sums, &error), STATUS_IO);
            CU_ASSERT(model_arm(comm, NULL, 0));
            hierarchy_free(&h);
        }
}

CU_TestInfo hierarchy_tests[] = {{"structure", test_structure},
                                 {"sums", test_sums},
                                 {"cells and factors", test_cells_and_factors},
                                 {"history", test_history},
                                 {"faults", test_faults},
                                 CU_TEST_INFO_NULL};
