/* Whole units: they add up on every level, are rounded values wherever a tree allows, stay close
 * over the horizon, and do not depend on where series lie. */
#include "forecast/rounding.h"

#include "base/memory.h"
#include "rank/hierarchy_model.h"
#include "rank/model.h"
#include "rank/suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 28 };

static const HierarchyModel shops[] = {
    {.n = 1500, .n_levels = 2, .counts = {6, 4}, .is_nested = {false, true}, .seed = 1},
    {.n = 700, .n_levels = 3, .counts = {4, 3, 5}, .is_nested = {false, true, false}, .seed = 2},
    {.n = 900, .n_levels = 1, .counts = {1}, .seed = 3}, /* nearly all in one category */
    {.n = 300, .n_levels = 0, .seed = 4},
    {.n = 100, .n_levels = 2, .counts = {90, 3}, .is_nested = {false, true}, .seed = 5},
    {.n = 1, .n_levels = 1, .counts = {2}, .seed = 6},
    {.n = 0, .n_levels = 1, .counts = {2}, .seed = 7},
};
enum { N_SHOPS = sizeof shops / sizeof shops[0] };

typedef enum Kind { SLOW, MIXED, ALL_ZERO, WHOLE, HUGE_ONES, EQUAL, KINDS } Kind;

/* Slow: from .01 to .5 a period. Mixed: from .02 to 200. Both with a weekly swing. */
static double value_of(Kind kind, int64_t i, int64_t t)
{
    double share = (double)(model_noise(i, 5, 5) % 10000) / 10000;
    double swing = 1 + .4 * sin((double)(t % 7) + 6 * share);
    switch (kind) {
    case SLOW:
        return (.01 + .49 * share) * swing;
    case MIXED:
        return .02 * pow(1e4, share) * swing;
    case WHOLE:
        return (double)(model_noise(i, t, 1) % 20);
    case HUGE_ONES:
        return i < 30 ? 1e12 * share * swing : share;
    case EQUAL:
        return .1;
    default:
        return 0;
    }
}

static double *all_values(const HierarchyModel *model, Kind kind)
{
    double *all = mem_new(model->n * WIDTH, sizeof *all);
    for (int64_t k = 0; k < model->n * WIDTH; k++)
        all[k] = value_of(kind, k / WIDTH, k % WIDTH);
    return all;
}

typedef struct Rounded {
    Hierarchy h;
    int64_t *all;   /* [total x WIDTH] */
    int64_t *nodes; /* [n_nodes x WIDTH] */
} Rounded;

static void round_all(const HierarchyModel *model, ModelLayout layout, const double *values,
                      Rounded *rounded)
{
    Error error = {0};
    hierarchy_model_build(model, layout, &rounded->h);
    double *own = hierarchy_model_own(&rounded->h, values, WIDTH);
    int64_t *units = mem_new(rounded->h.n * WIDTH, sizeof *units);
    rounded->nodes = mem_new((int64_t)rounded->h.n_nodes * WIDTH, sizeof *rounded->nodes);
    CHECK_OK(rounding_units(rank_comm(), &rounded->h, own, WIDTH, units, rounded->nodes, &error));
    rounded->all = hierarchy_model_all(&rounded->h, units, WIDTH);
    mem_free(&own);
    mem_free(&units);
}

static void rounded_free(Rounded *rounded)
{
    hierarchy_free(&rounded->h);
    mem_free(&rounded->all);
    mem_free(&rounded->nodes);
}

/* Nodes are sums of series; those of the chain are their value rounded down or up. `slack`: what
 * fixed point may lose of a sum. */
static void check_nodes(const HierarchyModel *model, const Rounded *rounded, const double *values,
                        double slack)
{
    const Hierarchy *h = &rounded->h;
    for (int32_t node = 0; node < h->n_nodes; node++)
        for (int t = 0; t < WIDTH; t++) {
            int64_t sum = 0, units = rounded->nodes[node * WIDTH + t];
            double value = 0;
            for (int64_t i = 0; i < model->n; i++) {
                if (!hierarchy_model_is_in(model, h, node, i))
                    continue;
                sum += rounded->all[i * WIDTH + t];
                value += values[i * WIDTH + t];
            }
            CU_ASSERT_EQUAL(units, sum);
            if (h->is_chain[hierarchy_level_of(h, node)])
                CU_ASSERT(fabs((double)units - value) < 1 + slack);
        }
}

/* Series are rounded down or up, so that whole numbers stay; over the horizon they stay within
 * `most` of their value. */
static void check_series(const HierarchyModel *model, const Rounded *rounded, const double *values,
                         double most)
{
    for (int64_t i = 0; i < model->n; i++) {
        double owed = 0;
        for (int t = 0; t < WIDTH; t++) {
            double value = values[i * WIDTH + t], units = (double)rounded->all[i * WIDTH + t];
            CU_ASSERT(units == floor(value) || units == ceil(value));
            owed += value - units;
        }
        CU_ASSERT(fabs(owed) <= most);
    }
}

static void test_rounding(void)
{
    static const double most[KINDS] = {
        [SLOW] = 1.5, [MIXED] = 1.5, [HUGE_ONES] = 1.5, [EQUAL] = 1.01};
    for (int s = 0; s < N_SHOPS; s++)
        for (int kind = 0; kind < KINDS; kind++) {
            double *values = all_values(&shops[s], (Kind)kind);
            Rounded rounded[MODEL_LAYOUTS];
            for (int layout = 0; layout < MODEL_LAYOUTS; layout++)
                round_all(&shops[s], (ModelLayout)layout, values, &rounded[layout]);
            check_nodes(&shops[s], &rounded[0], values, kind == HUGE_ONES ? 1 : 1e-6);
            check_series(&shops[s], &rounded[0], values, most[kind]);
            CU_ASSERT_EQUAL(memcmp(rounded[0].all, rounded[1].all,
                                   (size_t)(shops[s].n * WIDTH) * sizeof(int64_t)),
                            0);
            rounded_free(&rounded[0]);
            rounded_free(&rounded[1]);
            mem_free(&values);
        }
}

/* No periods, no series; what is below 0 or not a number counts as 0. */
static void test_odd_values(void)
{
    Error error = {0};
    Hierarchy h;
    hierarchy_model_build(&shops[3], MODEL_SPREAD, &h);
    double *values = mem_new(h.n, sizeof *values);
    int64_t *units = mem_new(h.n, sizeof *units), total = -1;
    for (int64_t i = 0; i < h.n; i++)
        values[i] = (h.first + i) % 3 == 0 ? -5 : (h.first + i) % 3 == 1 ? (double)NAN : 2;
    CHECK_OK(rounding_units(rank_comm(), &h, values, 0, units, &total, &error));
    CU_ASSERT_EQUAL(total, -1);
    CHECK_OK(rounding_units(rank_comm(), &h, values, 1, units, &total, &error));
    CU_ASSERT_EQUAL(total, 200);
    for (int64_t i = 0; i < h.n; i++)
        CU_ASSERT_EQUAL(units[i], (h.first + i) % 3 == 2 ? 2 : 0);
    mem_free(&values);
    mem_free(&units);
    hierarchy_free(&h);
}

static void test_too_many(void)
{
    for (int layout = 0; layout < MODEL_LAYOUTS; layout++) {
        Error error = {0};
        Hierarchy h;
        hierarchy_model_build(&shops[3], (ModelLayout)layout, &h);
        double *values = mem_new(h.n, sizeof *values);
        int64_t *units = mem_new(h.n, sizeof *units), total;
        for (int64_t i = 0; i < h.n; i++)
            values[i] = 5e12; /* 1.5e15 in all */
        CU_ASSERT_EQUAL(rounding_units(rank_comm(), &h, values, 1, units, &total, &error),
                        STATUS_INPUT);
        CHECK_SAYS("larger unit");
        if (h.n > 0 && h.first + h.n == h.total)
            values[h.n - 1] = (double)INFINITY;
        CU_ASSERT_EQUAL(rounding_units(rank_comm(), &h, values, 1, units, &total, &error),
                        STATUS_INPUT);
        mem_free(&values);
        mem_free(&units);
        hierarchy_free(&h);
    }
}

static void test_faults(void)
{
    static const char *const sites[] = {"forecast.rounding", "comm.exchange"};
    Comm *comm = rank_comm();
    Hierarchy h;
    hierarchy_model_build(&shops[1], MODEL_SPREAD, &h);
    double *values = mem_new(h.n, sizeof *values);
    int64_t *units = mem_new(h.n, sizeof *units);
    int64_t *nodes = mem_new(h.n_nodes, sizeof *nodes);
    for (int s = 0; s < 2; s++)
        for (int rank = 0; rank < comm_size(comm); rank++) {
            Error error = {0};
            CU_ASSERT(model_arm(comm, sites[s], rank));
            CU_ASSERT_EQUAL(rounding_units(comm, &h, values, 1, units, nodes, &error), STATUS_IO);
            CU_ASSERT(model_arm(comm, NULL, 0));
        }
    mem_free(&values);
    mem_free(&units);
    mem_free(&nodes);
    hierarchy_free(&h);
}

CU_TestInfo rounding_tests[] = {{"whole units that add up", test_rounding},
                                {"odd values", test_odd_values},
                                {"too many units", test_too_many},
                                {"faults", test_faults},
                                CU_TEST_INFO_NULL};
