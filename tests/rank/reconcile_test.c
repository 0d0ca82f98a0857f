/* Reconciled forecasts against the textbook's (reconcile_book.h), and their edges. */
#include "forecast/reconcile.h"

#include "base/memory.h"
#include "rank/hierarchy_model.h"
#include "rank/model.h"
#include "rank/reconcile_book.h"
#include "rank/suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HORIZON = 3, PERIODS_MAX = 200 };

static const HierarchyModel shops[] = {
    {.n = 80, .n_levels = 2, .counts = {3, 2}, .is_nested = {false, true}, .seed = 11},
    {.n = 130, .n_levels = 3, .counts = {3, 2, 4}, .is_nested = {false, true, false}, .seed = 12},
    {.n = 20, .n_levels = 3, .counts = {2, 2, 3}, .is_nested = {false, true, true}, .seed = 13},
    {.n = 70, .n_levels = 1, .counts = {60}, .seed = 14}, /* most with one series */
    {.n = 66, .n_levels = 2, .counts = {1, 1}, .is_nested = {false, true}, .seed = 15},
    {.n = 10, .n_levels = 0, .seed = 16},
    {.n = 1, .n_levels = 1, .counts = {1}, .seed = 17},
    {.n = 0, .n_levels = 1, .counts = {1}, .seed = 18},
};
enum { N_SHOPS = sizeof shops / sizeof shops[0] };

/* What the residuals of a case are like. */
typedef enum Residuals {
    PLAIN,
    WITH_GAPS,
    SOME_UNKNOWN,
    ALL_UNKNOWN,
    SOME_ZERO,
    RESIDUALS
} Residuals;

/* Between -1 and 1. */
static double noise(int64_t a, int64_t b, int64_t c)
{
    return (double)(int64_t)(model_noise(a, b, c) % 2000001) / 1e6 - 1;
}

/* All of a case on every rank: of series, then the hierarchy's nodes. */
typedef struct Case {
    const HierarchyModel *model;
    Hierarchy h;
    int64_t periods;
    double *bottom, *bottom_residuals,
        *history;                              /* [n x HORIZON], [n x periods], [n] of all series */
    double *own, *own_residuals, *own_history; /* this rank's */
    double *nodes, *node_residuals;            /* [n_nodes x ...] */
} Case;

static double residual_of(Residuals kind, int64_t i, int64_t t, double common)
{
    double value = (1 + (double)(model_noise(i, 1, 1) % 9)) * (noise(i, t, 2) + common);
    if (kind == ALL_UNKNOWN || (kind == SOME_UNKNOWN && i % 5 == 0 && t > i % 3))
        return (double)NAN;
    if (kind == WITH_GAPS && model_noise(i, t, 3) % 4 == 0)
        return (double)NAN;
    return kind == SOME_ZERO && i % 4 == 0 ? 0 : value;
}

static void case_start(Case *c, const HierarchyModel *model, ModelLayout layout, int64_t periods,
                       Residuals kind)
{
    *c = (Case){.model = model, .periods = periods};
    hierarchy_model_build(model, layout, &c->h);
    int64_t n = model->n, n_nodes = c->h.n_nodes;
    c->bottom = mem_new(n * HORIZON, sizeof(double));
    c->bottom_residuals = mem_new(n * periods, sizeof(double));
    c->history = mem_new(n, sizeof(double));
    c->nodes = mem_new(n_nodes * HORIZON, sizeof(double));
    c->node_residuals = mem_new(n_nodes * periods, sizeof(double));
    for (int64_t i = 0; i < n; i++) {
        c->history[i] = 40 + 20 * noise(i, 0, 9);
        for (int64_t t = 0; t < HORIZON; t++)
            c->bottom[i * HORIZON + t] = 50 + 20 * noise(i, t, 4);
        for (int64_t t = 0; t < periods; t++)
            c->bottom_residuals[i * periods + t] = residual_of(kind, i, t, .4 * noise(0, t, 5));
    }
    for (int64_t node = 0; node < n_nodes; node++) {
        for (int64_t t = 0; t < HORIZON; t++)
            c->nodes[node * HORIZON + t] =
                (double)c->h.n_series[node] * (50 + 5 * noise(node, t, 6));
        for (int64_t t = 0; t < periods; t++)
            c->node_residuals[node * periods + t] =
                sqrt((double)c->h.n_series[node] + 1) *
                residual_of(kind, 1000 + node, t, .4 * noise(0, t, 5));
    }
    c->own = hierarchy_model_own(&c->h, c->bottom, HORIZON);
    c->own_residuals = hierarchy_model_own(&c->h, c->bottom_residuals, periods);
    c->own_history = hierarchy_model_own(&c->h, c->history, 1);
}

static void case_free(Case *c)
{
    hierarchy_free(&c->h);
    mem_free(&c->bottom);
    mem_free(&c->bottom_residuals);
    mem_free(&c->history);
    mem_free(&c->own);
    mem_free(&c->own_residuals);
    mem_free(&c->own_history);
    mem_free(&c->nodes);
    mem_free(&c->node_residuals);
}

/* What came out: series of all ranks, nodes. */
typedef struct Result {
    double *bottom, *nodes;
    ReconcileOutcome outcome;
} Result;

static void run(const Case *c, ReconcileMethod method, Result *result)
{
    Error error = {0};
    ReconcileInput input = {.horizon = HORIZON,
                            .bottom = c->own,
                            .nodes = c->nodes,
                            .periods = c->periods,
                            .bottom_residuals = c->own_residuals,
                            .node_residuals = c->node_residuals,
                            .history = c->own_history};
    double *own = mem_new(c->h.n * HORIZON, sizeof *own);
    result->nodes = mem_new((int64_t)c->h.n_nodes * HORIZON, sizeof(double));
    CHECK_OK(reconcile(rank_comm(), &c->h, method, &input, own, result->nodes, &result->outcome,
                       &error));
    result->bottom = hierarchy_model_all(&c->h, own, HORIZON);
    mem_free(&own);
}

static void result_free(Result *result)
{
    mem_free(&result->bottom);
    mem_free(&result->nodes);
}

/* ---- tests ---- */

/* Nodes are the sums of their series, to the last bit but one. */
static void check_adds_up(const Case *c, const Result *result)
{
    for (int32_t node = 0; node < c->h.n_nodes; node++)
        for (int t = 0; t < HORIZON; t++) {
            double sum = 0;
            for (int64_t i = 0; i < c->model->n; i++) {
                CU_ASSERT(result->bottom[i * HORIZON + t] >= 0);
                if (hierarchy_model_is_in(c->model, &c->h, node, i))
                    sum += result->bottom[i * HORIZON + t];
            }
            CU_ASSERT(fabs(sum - result->nodes[node * HORIZON + t]) <= 1e-13 * sum);
        }
}

static void check_book(const Case *c, ReconcileMethod method)
{
    Result result;
    BookInput input = {.model = c->model,
                       .hierarchy = &c->h,
                       .horizon = HORIZON,
                       .periods = c->periods,
                       .bottom = c->bottom,
                       .nodes = c->nodes,
                       .bottom_residuals = c->bottom_residuals,
                       .node_residuals = c->node_residuals};
    double lambda;
    int n_nodes;
    run(c, method, &result);
    double *series = reconcile_book(&input, method == RECONCILE_MINT, &lambda, &n_nodes);
    CU_ASSERT_DOUBLE_EQUAL(result.outcome.lambda, lambda, 1e-8);
    CU_ASSERT_EQUAL(result.outcome.used, method);
    CU_ASSERT_EQUAL(result.outcome.reason, RECONCILE_AS_ASKED);
    CU_ASSERT_EQUAL(result.outcome.n_nodes, n_nodes);
    for (int64_t k = 0; k < c->model->n * HORIZON; k++) {
        double want = series[k] > 0 ? series[k] : 0;
        CU_ASSERT(fabs(result.bottom[k] - want) <= 1e-7 * (100 + want));
    }
    check_adds_up(c, &result);
    mem_free(&series);
    result_free(&result);
}

static void test_textbook(void)
{
    static const int64_t periods[] = {0, 1, 2, 12, PERIODS_MAX};
    for (int s = 0; s < N_SHOPS; s++)
        for (int kind = 0; kind < RESIDUALS; kind++)
            for (int p = kind == PLAIN ? 0 : 3; p < (kind == PLAIN ? 5 : 4); p++) {
                Case c;
                case_start(&c, &shops[s], MODEL_SPREAD, periods[p], (Residuals)kind);
                check_book(&c, RECONCILE_WLS);
                check_book(&c, RECONCILE_MINT);
                case_free(&c);
            }
}

static void test_bottom_up(void)
{
    for (int s = 0; s < N_SHOPS; s++) {
        Case c;
        Result result;
        case_start(&c, &shops[s], MODEL_SPREAD, 4, PLAIN);
        run(&c, RECONCILE_BOTTOM_UP, &result);
        CU_ASSERT_EQUAL(
            memcmp(result.bottom, c.bottom, (size_t)(c.model->n * HORIZON) * sizeof(double)), 0);
        check_adds_up(&c, &result);
        result_free(&result);
        case_free(&c);
    }
}

/* What a node of the chain gets, going up to the total: its own share of each parent's children. */
static double share_of(const Case *c, int32_t node, int t)
{
    if (node == 0)
        return c->nodes[t];
    double sum = 0;
    for (int32_t other = 1; other < c->h.n_nodes; other++) {
        if (c->h.parent[other] == c->h.parent[node] &&
            c->h.is_chain[hierarchy_level_of(&c->h, other)])
            sum += c->nodes[other * HORIZON + t];
    }
    return c->nodes[node * HORIZON + t] / sum * share_of(c, c->h.parent[node], t);
}

static void test_top_down(void)
{
    for (int s = 0; s < N_SHOPS; s++) {
        Case c;
        Result by_history, by_forecasts;
        case_start(&c, &shops[s], MODEL_SPREAD, 0, PLAIN);
        run(&c, RECONCILE_TOP_DOWN_HISTORY, &by_history);
        run(&c, RECONCILE_TOP_DOWN_FORECASTS, &by_forecasts);
        int finest = hierarchy_finest(&c.h);
        for (int64_t i = 0; i < c.model->n; i++)
            for (int t = 0; t < HORIZON; t++) {
                double history = 0, forecasts = 0;
                int32_t node = c.h.first_node[finest];
                while (!hierarchy_model_is_in(c.model, &c.h, node, i))
                    node++;
                for (int64_t j = 0; j < c.model->n; j++) {
                    history += c.history[j];
                    if (hierarchy_model_is_in(c.model, &c.h, node, j))
                        forecasts += c.bottom[j * HORIZON + t];
                }
                CU_ASSERT_DOUBLE_EQUAL(by_history.bottom[i * HORIZON + t],
                                       c.nodes[t] * c.history[i] / history, 1e-9);
                CU_ASSERT_DOUBLE_EQUAL(
                    by_forecasts.bottom[i * HORIZON + t],
                    share_of(&c, node, t) * c.bottom[i * HORIZON + t] / forecasts, 1e-9);
            }
        check_adds_up(&c, &by_history);
        check_adds_up(&c, &by_forecasts);
        result_free(&by_history);
        result_free(&by_forecasts);
        case_free(&c);
    }
}

/* Nothing to share by, nothing to share: equal parts, and 0. */
static void test_zeros(void)
{
    for (int method = 0; method < RECONCILE_METHODS; method++)
        for (int s = 0; s < N_SHOPS; s++) {
            Case c;
            Result result;
            case_start(&c, &shops[s], MODEL_SPREAD, 12, SOME_ZERO);
            memset(c.own, 0, (size_t)(c.h.n * HORIZON) * sizeof(double));
            memset(c.own_history, 0, (size_t)c.h.n * sizeof(double));
            for (int64_t k = HORIZON; k < c.h.n_nodes * HORIZON; k++)
                c.nodes[k] = 0;
            bool is_top_down =
                method == RECONCILE_TOP_DOWN_HISTORY || method == RECONCILE_TOP_DOWN_FORECASTS;
            for (int t = 0; t < HORIZON; t++)
                c.nodes[t] = is_top_down && c.model->n > 0 ? 60 : 0;
            run(&c, (ReconcileMethod)method, &result);
            for (int t = 0; t < HORIZON; t++)
                CU_ASSERT_DOUBLE_EQUAL(result.nodes[t], c.nodes[t], 1e-9);
            for (int64_t k = 0; k < c.model->n * HORIZON; k++) {
                if (method == RECONCILE_TOP_DOWN_HISTORY)
                    CU_ASSERT_DOUBLE_EQUAL(result.bottom[k], 60 / (double)c.model->n, 1e-9);
                CU_ASSERT(result.bottom[k] == 0 || is_top_down);
            }
            result_free(&result);
            case_free(&c);
        }
}

/* Forecasts that add up already stay as they are, to the last bit. */
static void test_coherent(void)
{
    static const ReconcileMethod methods[] = {RECONCILE_BOTTOM_UP, RECONCILE_WLS, RECONCILE_MINT,
                                              RECONCILE_TOP_DOWN_FORECASTS};
    Error error = {0};
    for (int s = 0; s < N_SHOPS; s++)
        for (int m = 0; m < 4; m++) {
            Case c;
            Result result;
            case_start(&c, &shops[s], MODEL_SPREAD, 12, PLAIN);
            CHECK_OK(hierarchy_sum(rank_comm(), &c.h, c.own, NULL, HORIZON, c.nodes, &error));
            run(&c, methods[m], &result);
            for (int64_t k = 0; k < c.model->n * HORIZON; k++)
                CU_ASSERT(fabs(result.bottom[k] - c.bottom[k]) <=
                          (m < 3 ? 0 : 1e-13 * c.bottom[k]));
            result_free(&result);
            case_free(&c);
        }
}

static void test_same_bits(void)
{
    for (int method = 0; method < RECONCILE_METHODS; method++)
        for (int s = 0; s < N_SHOPS; s++) {
            Result results[MODEL_LAYOUTS];
            int64_t n = shops[s].n * HORIZON, n_nodes = 0;
            for (int layout = 0; layout < MODEL_LAYOUTS; layout++) {
                Case c;
                case_start(&c, &shops[s], (ModelLayout)layout, 30, WITH_GAPS);
                run(&c, (ReconcileMethod)method, &results[layout]);
                n_nodes = (int64_t)c.h.n_nodes * HORIZON;
                case_free(&c);
            }
            CU_ASSERT_EQUAL(
                memcmp(results[0].bottom, results[1].bottom, (size_t)n * sizeof(double)), 0);
            CU_ASSERT_EQUAL(
                memcmp(results[0].nodes, results[1].nodes, (size_t)n_nodes * sizeof(double)), 0);
            CU_ASSERT_EQUAL(results[0].outcome.lambda, results[1].outcome.lambda);
            result_free(&results[0]);
            result_free(&results[1]);
        }
}

/* Nodes that are far below their series pull some of them below 0. */
static void test_negatives(void)
{
    for (int method = RECONCILE_WLS; method <= RECONCILE_MINT; method++) {
        Case c;
        Result result;
        int64_t zeros = 0;
        case_start(&c, &shops[1], MODEL_SPREAD, 12, PLAIN);
        for (int64_t k = 0; k < c.h.n_nodes * HORIZON; k++)
            c.nodes[k] *= .01;
        run(&c, (ReconcileMethod)method, &result);
        for (int64_t k = 0; k < c.model->n * HORIZON; k++)
            zeros += result.bottom[k] == 0;
        CU_ASSERT(zeros > 0);
        CU_ASSERT_EQUAL(result.outcome.n_negative, zeros);
        check_book(&c, (ReconcileMethod)method);
        result_free(&result);
        case_free(&c);
    }
}

/* A node without a forecast takes no part: as if it were not there. */
static void test_missing_nodes(void)
{
    Case c;
    Result without, alone;
    case_start(&c, &shops[0], MODEL_SPREAD, 0, PLAIN);
    for (int64_t node = 1; node < c.h.n_nodes; node++)
        c.nodes[node * HORIZON + 1] = (double)NAN;
    run(&c, RECONCILE_WLS, &without);
    CU_ASSERT_EQUAL(without.outcome.n_nodes, 1);
    double *totals = mem_new(HORIZON, sizeof *totals);
    memcpy(totals, c.nodes, HORIZON * sizeof *totals);
    case_free(&c);
    HierarchyModel flat = shops[0];
    flat.n_levels = 0;
    case_start(&c, &flat, MODEL_SPREAD, 0, PLAIN);
    memcpy(c.nodes, totals, HORIZON * sizeof *totals);
    run(&c, RECONCILE_WLS, &alone);
    CU_ASSERT_EQUAL(
        memcmp(without.bottom, alone.bottom, (size_t)(flat.n * HORIZON) * sizeof(double)), 0);
    result_free(&without);
    result_free(&alone);
    mem_free(&totals);
    case_free(&c);
}

/* Numbers that cannot be solved for, and too many of them: bottom-up, and why. */
static void test_fallbacks(void)
{
    static const HierarchyModel many = {.n = 60000, .n_levels = 1, .counts = {9000}, .seed = 21};
    Case c;
    Result result;
    case_start(&c, &shops[0], MODEL_SPREAD, 12, PLAIN);
    for (int64_t k = 0; k < c.h.n_nodes * 12; k++)
        c.node_residuals[k] = 1e200;
    run(&c, RECONCILE_WLS, &result);
    CU_ASSERT_EQUAL(result.outcome.used, RECONCILE_BOTTOM_UP);
    CU_ASSERT_EQUAL(result.outcome.reason, RECONCILE_SINGULAR);
    check_adds_up(&c, &result);
    result_free(&result);
    case_free(&c);
    case_start(&c, &many, MODEL_SPREAD, 0, PLAIN);
    run(&c, RECONCILE_MINT, &result);
    CU_ASSERT_EQUAL(result.outcome.used, RECONCILE_BOTTOM_UP);
    CU_ASSERT_EQUAL(result.outcome.reason, RECONCILE_TOO_MANY_NODES);
    CU_ASSERT_STRING_EQUAL(reconcile_name(result.outcome.used), "bottom_up");
    result_free(&result);
    case_free(&c);
}

/* Great forecasts, and far apart. */
static void test_large(void)
{
    for (int method = 0; method < RECONCILE_METHODS; method++) {
        Case c;
        Result result;
        case_start(&c, &shops[1], MODEL_SPREAD, 30, PLAIN);
        for (int64_t k = 0; k < c.h.n * HORIZON; k++)
            c.own[k] *= (c.h.first + k / HORIZON) % 2 ? 1e12 : 1e-6;
        for (int64_t k = 0; k < c.h.n_nodes * HORIZON; k++)
            c.nodes[k] *= 5e11;
        for (int64_t k = 0; k < c.h.n * 30; k++)
            c.own_residuals[k] *= (c.h.first + k / 30) % 2 ? 1e12 : 1e-6;
        for (int64_t k = 0; k < c.h.n_nodes * 30; k++)
            c.node_residuals[k] *= 1e12;
        run(&c, (ReconcileMethod)method, &result);
        CU_ASSERT_EQUAL(result.outcome.used, (ReconcileMethod)method);
        check_adds_up(&c, &result);
        result_free(&result);
        case_free(&c);
    }
}

static void test_faults(void)
{
    static const char *const sites[] = {"forecast.top_down", "forecast.projection",
                                        "forecast.shrinkage", "forecast.sums"};
    static const ReconcileMethod methods[] = {RECONCILE_TOP_DOWN_FORECASTS, RECONCILE_WLS,
                                              RECONCILE_MINT, RECONCILE_BOTTOM_UP};
    Comm *comm = rank_comm();
    Case c;
    case_start(&c, &shops[0], MODEL_SPREAD, 5, PLAIN);
    ReconcileInput input = {HORIZON,          c.own,        c.nodes, 5, c.own_residuals,
                            c.node_residuals, c.own_history};
    double *bottom = mem_new(c.h.n * HORIZON, sizeof *bottom);
    double *nodes = mem_new((int64_t)c.h.n_nodes * HORIZON, sizeof *nodes);
    for (int s = 0; s < 4; s++)
        for (int rank = 0; rank < comm_size(comm); rank++) {
            Error error = {0};
            ReconcileOutcome outcome;
            CU_ASSERT(model_arm(comm, sites[s], rank));
            CU_ASSERT_EQUAL(
                reconcile(comm, &c.h, methods[s], &input, bottom, nodes, &outcome, &error),
                STATUS_IO);
            CU_ASSERT(model_arm(comm, NULL, 0));
        }
    mem_free(&bottom);
    mem_free(&nodes);
    case_free(&c);
}

CU_TestInfo reconcile_tests[] = {{"least squares by the book", test_textbook},
                                 {"bottom-up", test_bottom_up},
                                 {"top-down", test_top_down},
                                 {"zeros", test_zeros},
                                 {"coherent forecasts stay", test_coherent},
                                 {"same bits", test_same_bits},
                                 {"negatives", test_negatives},
                                 {"nodes without a forecast", test_missing_nodes},
                                 {"fallbacks", test_fallbacks},
                                 {"large values", test_large},
                                 {"faults", test_faults},
                                 CU_TEST_INFO_NULL};
