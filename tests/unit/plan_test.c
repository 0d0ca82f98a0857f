/* The plan's formulae: they grow with what there is, shrink with ranks, and stay numbers. */
#include "plan/plan.h"
#include "unit/suites.h"

#include <math.h>

static const PlanSizes shop = {.new_bytes = 7.6e8,
                               .lines = 1e7,
                               .orders = 3.4e6,
                               .customers = 7.4e5,
                               .products = 5e4,
                               .events = 2e7,
                               .reviews = 1e5,
                               .days = 730};

static const PlanShape shape = {.ranks = 4,
                                .threads = 1,
                                .factors = 64,
                                .iterations = 16,
                                .ease_fixed = 2e8,
                                .ease_shared = 3e9,
                                .ease_weights = 1e8,
                                .list_length = 20,
                                .models = 21,
                                .origins = 5,
                                .horizon = 28,
                                .pair_min_orders = 20,
                                .has_recommend = true,
                                .has_forecast = true};

static bool is_sane(PlanNeed need)
{
    return isfinite(need.memory) && isfinite(need.sent) && isfinite(need.read) &&
           isfinite(need.written) && isfinite(need.seconds) && need.memory >= plan_base_memory() &&
           need.sent >= 0 && need.read >= 0 && need.written >= 0 && need.seconds > 0;
}

static PlanSizes times(double factor)
{
    PlanSizes sizes = shop;
    sizes.new_bytes *= factor;
    sizes.lines *= factor;
    sizes.orders *= factor;
    sizes.customers *= factor;
    sizes.products *= factor;
    sizes.events *= factor;
    sizes.reviews *= factor;
    return sizes;
}

static void test_names(void)
{
    for (int k = 0; k < PLAN_STAGES; k++)
        CU_ASSERT_EQUAL((int)plan_stage_by_name(plan_stage_name((PlanStage)k)), k);
    CU_ASSERT_EQUAL(plan_stage_by_name("record"), PLAN_STAGES);
}

static void test_grows_with_rows(void)
{
    for (int k = 0; k < PLAN_STAGES; k++) {
        PlanNeed before = plan_need((PlanStage)k, &(PlanSizes){0}, &shape);
        CU_ASSERT(is_sane(before));
        for (double factor = 1e-6; factor < 1e5; factor *= 3) {
            PlanSizes sizes = times(factor);
            PlanNeed need = plan_need((PlanStage)k, &sizes, &shape);
            CU_ASSERT(is_sane(need));
            CU_ASSERT(need.memory >= before.memory && need.sent >= before.sent);
            CU_ASSERT(need.read >= before.read && need.written >= before.written);
            CU_ASSERT(need.seconds >= before.seconds);
            before = need;
        }
    }
}

/* More ranks never need more of each, and what is cut among them is cut: with all of it a share
 * goes down nearly as their number goes up. */
static void test_shrinks_with_ranks(void)
{
    for (int k = 0; k < PLAN_STAGES; k++) {
        PlanShape one = shape;
        one.ranks = 1;
        PlanNeed before = plan_need((PlanStage)k, &shop, &one);
        CU_ASSERT_EQUAL(before.sent, 0);
        for (int ranks = 2; ranks <= 4096; ranks *= 2) {
            one.ranks = ranks;
            PlanNeed need = plan_need((PlanStage)k, &shop, &one);
            CU_ASSERT(is_sane(need));
            CU_ASSERT(need.memory <= before.memory);
            CU_ASSERT(need.sent >= before.sent);
            before = need;
        }
    }
    PlanSizes large = times(100);
    PlanShape eight = shape;
    eight.ranks = 8;
    double four = plan_need(PLAN_INGEST, &large, &shape).memory;
    CU_ASSERT(plan_need(PLAN_INGEST, &large, &eight).memory < 0.52 * four);
    large.products = shop.products;
    four = plan_need(PLAN_SALES, &large, &shape).memory;
    CU_ASSERT(plan_need(PLAN_SALES, &large, &eight).memory < 0.6 * four);
}

static void test_no_overflow(void)
{
    PlanSizes sizes = {.new_bytes = 1e13, .lines = 1e11};
    PlanShape many = shape;
    many.ranks = 1000;
    many.threads = 64;
    plan_fill_sizes(&sizes);
    CU_ASSERT(sizes.customers > 1e9 && sizes.orders > sizes.customers && sizes.products > 1e3);
    for (int k = 0; k < PLAN_STAGES; k++)
        CU_ASSERT(is_sane(plan_need((PlanStage)k, &sizes, &many)));
}

static void test_least_ranks(void)
{
    for (int k = 0; k < PLAN_STAGES; k++) {
        PlanStage stage = (PlanStage)k;
        PlanShape least = shape;
        double memory = 0.5 * (plan_need(stage, &shop, &shape).memory + plan_base_memory());
        least.ranks = plan_least_ranks(stage, &shop, &least, memory);
        if (least.ranks == 0)
            continue;
        CU_ASSERT(plan_need(stage, &shop, &least).memory <= memory);
        least.ranks--;
        CU_ASSERT(least.ranks == 0 || plan_need(stage, &shop, &least).memory > memory);
    }
    CU_ASSERT(plan_least_ranks(PLAN_INGEST, &shop, &shape, 200e6) > 4);
    CU_ASSERT_EQUAL(plan_least_ranks(PLAN_INGEST, &shop, &shape, 1e6), 0);
    CU_ASSERT_EQUAL(plan_least_ranks(PLAN_INGEST, &(PlanSizes){0}, &shape, 1e9), 1);
}

static void test_ease_and_budget(void)
{
    PlanShape other = shape;
    double all = plan_need(PLAN_RECOMMEND, &shop, &shape).memory;
    CU_ASSERT_EQUAL(plan_ease_memory(&shape), 2e8 + 3e9 / 4);
    other.ease_fixed = other.ease_shared = other.ease_weights = 0;
    CU_ASSERT_EQUAL(plan_ease_memory(&other), 0);
    CU_ASSERT(plan_need(PLAN_RECOMMEND, &shop, &other).memory < all);
    other.factors = 128;
    PlanShape limited = other;
    limited.learning_memory = 50e6;
    CU_ASSERT(plan_need(PLAN_RECOMMEND, &shop, &limited).memory <
              plan_need(PLAN_RECOMMEND, &shop, &other).memory);
}

static void test_text(void)
{
    CU_ASSERT_EQUAL(plan_text_bytes("orders", 10), 10 * plan_text_bytes("orders", 1));
    CU_ASSERT(plan_text_bytes("holidays", 1) > 0);
    CU_ASSERT(plan_text_bytes("stockouts", 1) > 0);
    CU_ASSERT_EQUAL(plan_text_bytes("sales", 5), 0);
}

CU_TestInfo plan_tests[] = {
    {"names", test_names},
    {"grows with rows", test_grows_with_rows},
    {"shrinks with ranks", test_shrinks_with_ranks},
    {"no overflow", test_no_overflow},
    {"least ranks", test_least_ranks},
    {"ease and budget", test_ease_and_budget},
    {"text", test_text},
    CU_TEST_INFO_NULL,
};
