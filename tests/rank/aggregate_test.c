/* The group-by engine on random shops, against sums, sets and lists made line by line. */
#include "sales/aggregate.h"

#include "base/memory.h"
#include "base/random.h"
#include "rank/lines_model.h"
#include "rank/suites.h"
#include "sales/aggregate_internal.h"
#include "sales/line_block.h"

#include <string.h>

/* ---- the engine's answer ---- */

/* Several accumulators a rank, as threads have them; each partition goes to one of them. */
enum { THREADS = 3 };

static Status run_engine(const AggregateSpec *spec, const Shop *shop, const Lines *lines, int deal,
                         Groups *groups, Error *error)
{
    Comm *comm = rank_comm();
    Status status = STATUS_OK;
    Aggregate *aggregates[THREADS] = {NULL};
    LineBlock *block = NULL;
    for (int t = 0; t < THREADS; t++)
        TRY(aggregate_new(spec, shop, &aggregates[t], error));
    block = aggregates_block(aggregates, THREADS);
    line_block_lines = deal % 2 == 0 ? LINE_BLOCK : 97;
    for (int k = 0; k < PARTITIONS; k++) {
        int p = deal % 2 == 0 ? k : PARTITIONS - 1 - k;
        if ((p + deal) % comm_size(comm) != comm_rank(comm))
            continue;
        TRY(aggregates_add(&aggregates[(p / 2 + deal) % THREADS], 1, block, &lines[p].view, error));
    }
    for (int t = 1; t < THREADS; t++)
        TRY(aggregate_merge(aggregates[0], &aggregates[t], error));
    TRY(aggregate_combine(comm, &aggregates[0], groups, error));
out:
    line_block_lines = LINE_BLOCK;
    for (int t = 0; t < THREADS; t++)
        aggregate_free(&aggregates[t]);
    mem_free(&block);
    return status;
}

/* Groups of this rank that are not as expected. */
static int64_t count_wrong(const Groups *groups, const Entry *expected)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < groups->n; i++) {
        bool is_right = groups->keys[i] == expected[i].key;
        for (int s = 0; s < SUM_COUNT; s++)
            is_right &= !groups->sums[s] || groups->sums[s][i] == expected[i].sums[s];
        wrong += !is_right;
    }
    return wrong;
}

static void check_spec(const AggregateSpec *spec, int condition, const Shop *shop,
                       const Lines *lines, int deal)
{
    Comm *comm = rank_comm();
    Error error = {0};
    KeyLayout layout;
    Groups groups = {.n = 0};
    uint64_t expected_values;
    Entry *entries = mem_new((int64_t)PARTITIONS * LINES_MOST, sizeof *entries);
    CU_ASSERT_EQUAL(key_layout_make(spec, shop, &layout, &error), STATUS_OK);
    int64_t n =
        lines_model_groups(spec, condition, &layout, shop, lines, entries, &expected_values);
    CU_ASSERT_EQUAL(run_engine(spec, shop, lines, deal, &groups, &error), STATUS_OK);
    SumSet set = sum_set_of(spec);
    for (int w = 0; w < set.n_added; w++)
        CU_ASSERT(groups.sums[set.added[w]] != NULL || set.added[w] == SUM_LINES);
    int64_t before = comm_prefix_i64(comm, groups.n), got = groups.n;
    comm_sum_i64(comm, &got, 1);
    CU_ASSERT_EQUAL(got, n);
    if (got == n)
        CU_ASSERT_EQUAL(count_wrong(&groups, entries + before), 0);
    uint64_t values = 0;
    for (int64_t i = 0; i < groups.order_values.n; i++)
        values += lines_model_hash(groups.order_values.keys[i], groups.order_values.values[i]);
    int64_t halves[2] = {(int64_t)(values >> 32), (int64_t)(values & UINT32_MAX)};
    comm_sum_i64(comm, halves, 2);
    bool has_values = false;
    for (int m = 0; m < spec->n_measures; m++)
        has_values |= spec->measures[m] == MEASURE_MEDIAN_ORDER_VALUE;
    if (has_values)
        CU_ASSERT_EQUAL(((uint64_t)halves[0] << 32) + (uint64_t)halves[1], expected_values);
    groups_free(&groups);
    mem_free(&entries);
}

/* ---- tests ---- */

static AggregateSpec spec_of(Random *random, const int16_t *classes, const Shape *shape)
{
    AggregateSpec spec = {.name = "random",
                          .n_by = (int)random_below(random, 5),
                          .known_customers_only = random_unit(random) < 0.2,
                          .day_classes = {.first_day = shape->first_day,
                                          .n_days = shape->n_days,
                                          .class_of = classes,
                                          .n_classes = 4}};
    for (int b = 0; b < spec.n_by; b++) {
        spec.by[b].kind = (DimensionKind)random_below(random, DIMENSION_KINDS);
        spec.by[b].level = spec.by[b].kind == DIMENSION_CATEGORY ? (int)random_below(random, 2) : 0;
    }
    for (int m = 0; m < MEASURE_COUNT; m++) {
        if (random_unit(random) < 0.4)
            spec.measures[spec.n_measures++] = (Measure)m;
    }
    return spec;
}

/* So small that random shops meet every way of adding up. */
static const TupleLimits narrow_limits = {.set_aside_bytes = 4000,
                                          .step_bytes = 2048,
                                          .hot_tuples = 64,
                                          .place_bytes = 64,
                                          .sorted_tuples = 8};

static void check_shape(const Shape *shape, uint64_t seed, int rounds)
{
    Error error = {0};
    Shop shop = {0};
    Random random = random_stream(seed, 1);
    Lines *lines = mem_new(PARTITIONS, sizeof *lines);
    int16_t *classes = mem_new(shape->n_days, sizeof *classes);
    const int64_t dense_most = aggregate_dense_bytes_max;
    const TupleLimits limits = group_tuple_limits;
    CU_ASSERT_EQUAL(lines_model_shop(shape, &shop, &error), STATUS_OK);
    for (int32_t i = 0; i < shape->n_days; i++)
        classes[i] = (int16_t)(i % 5 - 1);
    for (int32_t p = 0; p < PARTITIONS; p++)
        lines_model_make(shape, &shop, p, &lines[p]);
    for (int round = 0; round < rounds; round++) {
        AggregateSpec spec = spec_of(&random, classes, shape);
        int condition = (int)random_below(&random, N_CONDITIONS);
        if (lines_model_conditions[condition])
            CU_ASSERT_EQUAL(
                where_parse(lines_model_conditions[condition], "test", &spec.where, &error),
                STATUS_OK);
        aggregate_dense_bytes_max =
            round % 2 == 0 ? dense_most : 0; /* cells, then lines set aside */
        if (round % 4 == 3)
            group_tuple_limits = narrow_limits;
        /* Prices beside the quantities, if what lines have is known: up to 5 and 1000. */
        shop.quantity_bits = round % 3 > 0 ? 4 : 0;
        shop.price_bits = round % 3 == 1 ? 11 : 60;
        if (round % 8 == 7) /* never rows: always shared out as they are */
            group_tuple_limits.set_aside_bytes = group_tuple_limits.hot_tuples = INT64_MAX;
        check_spec(&spec, condition, &shop, lines, round);
        group_tuple_limits = limits;
        where_free(&spec.where);
    }
    aggregate_dense_bytes_max = dense_most;
    shop_free(&shop);
    mem_free(&classes);
    mem_free(&lines);
}

static const Shape plain = {.first_day = 19700,
                            .n_days = 80,
                            .customers = 20,
                            .returns = 0.2,
                            .cancelled = 0.1,
                            .lines_most = 9};

static void test_random_group_bys(void)
{
    check_shape(&plain, 11, 60);
}

static void test_before_1970(void)
{
    Shape shape = plain;
    shape.first_day = -800;
    shape.n_days = 900;
    check_shape(&shape, 12, 30);
}

/* 300 years: keys spread so far that rows are sorted, not put into arrays. */
static void test_one_odd_day_far_away(void)
{
    Shape shape = plain;
    shape.n_days = 110000;
    check_shape(&shape, 13, 20);
}

/* More than 2^50 possible keys: they do not fit beside a line's quantity. */
static void test_very_many_keys(void)
{
    Shape shape = plain;
    shape.n_days = 110000;
    Shop shop = {0};
    Error error = {0};
    AggregateSpec spec = {.name = "many",
                          .n_by = 4,
                          .by = {{.kind = DIMENSION_PRODUCT},
                                 {.kind = DIMENSION_DAY},
                                 {.kind = DIMENSION_DAY},
                                 {.kind = DIMENSION_DAY}},
                          .n_measures = 5,
                          .measures = {MEASURE_NET, MEASURE_ORDERS, MEASURE_CUSTOMERS,
                                       MEASURE_MARGIN, MEASURE_LAST_DAY}};
    const TupleLimits limits = group_tuple_limits;
    Lines *lines = mem_new(PARTITIONS, sizeof *lines);
    CU_ASSERT_EQUAL(lines_model_shop(&shape, &shop, &error), STATUS_OK);
    for (int32_t p = 0; p < PARTITIONS; p++)
        lines_model_make(&shape, &shop, p, &lines[p]);
    check_spec(&spec, 0, &shop, lines, 0);
    group_tuple_limits = narrow_limits;
    check_spec(&spec, 0, &shop, lines, 1);
    group_tuple_limits = limits;
    shop_free(&shop);
    mem_free(&lines);
}

static void test_all_anonymous_all_returned(void)
{
    Shape shape = plain;
    shape.customers = 0;
    check_shape(&shape, 14, 12);
    shape = plain;
    shape.returns = 1;
    check_shape(&shape, 15, 12);
    shape = plain;
    shape.cancelled = 1;
    check_shape(&shape, 16, 12);
}

static void test_large_orders_and_missing_columns(void)
{
    Shape shape = plain;
    shape.lines_most = LINES_MOST;
    check_shape(&shape, 17, 20);
    shape = plain;
    shape.lacks_columns = true;
    check_shape(&shape, 18, 20);
}

static void test_empty_shop(void)
{
    Shop shop = {.partitions = PARTITIONS, .first_day = DAY_NONE, .last_day = DAY_NONE};
    AggregateSpec spec = {.name = "empty",
                          .n_by = 2,
                          .by = {{.kind = DIMENSION_MONTH}, {.kind = DIMENSION_COUNTRY}},
                          .n_measures = 1,
                          .measures = {MEASURE_NET}};
    Error error = {0};
    Groups groups = {.n = 0};
    Lines *none = mem_new(PARTITIONS, sizeof *none);
    CU_ASSERT_EQUAL(run_engine(&spec, &shop, none, 0, &groups, &error), STATUS_OK);
    CU_ASSERT_EQUAL(groups.n, 0);
    groups_free(&groups);
    mem_free(&none);
}

static void test_margins_that_do_not_fit_are_refused(void)
{
    Shop shop = {0};
    Error error = {0};
    AggregateSpec spec = {.name = "margin", .n_measures = 1, .measures = {MEASURE_MARGIN}};
    Aggregate *aggregate = NULL;
    Lines *lines = mem_new(1, sizeof *lines);
    CU_ASSERT_EQUAL(lines_model_shop(&plain, &shop, &error), STATUS_OK);
    lines_model_make(&plain, &shop, 0, lines);
    CU_ASSERT_FALSE(aggregate_takes_runs(&spec));
    CU_ASSERT_EQUAL(aggregate_new(&spec, &shop, &aggregate, &error), STATUS_OK);
    LineBlock *block = aggregates_block(&aggregate, 1);
    CU_ASSERT_EQUAL(aggregates_add(&aggregate, 1, block, &lines->view, &error), STATUS_OK);
    for (int32_t i = 0; i < shop.product.count; i++)
        shop.catalogue.cost[i] = INT64_MAX / 2;
    CU_ASSERT_EQUAL(aggregates_add(&aggregate, 1, block, &lines->view, &error), STATUS_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "the margins of the order lines of partition 0"));
    mem_free(&block);
    aggregate_free(&aggregate);
    shop_free(&shop);
    mem_free(&lines);
}

static void test_too_many_keys_are_refused(void)
{
    Shop shop = {.first_day = -700000, .last_day = 2900000};
    AggregateSpec spec = {.name = "huge", .n_by = 3};
    KeyLayout layout;
    Error error = {0};
    for (int b = 0; b < 3; b++)
        spec.by[b].kind = DIMENSION_DAY;
    CU_ASSERT_EQUAL(key_layout_make(&spec, &shop, &layout, &error), STATUS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "[aggregate.huge] by"));
}

CU_TestInfo aggregate_tests[] = {
    {"random group-bys", test_random_group_bys},
    {"before 1970", test_before_1970},
    {"one odd day far away", test_one_odd_day_far_away},
    {"very many keys", test_very_many_keys},
    {"all anonymous, all returned, all cancelled", test_all_anonymous_all_returned},
    {"large orders and missing columns", test_large_orders_and_missing_columns},
    {"an empty shop", test_empty_shop},
    {"margins that do not fit are refused", test_margins_that_do_not_fit_are_refused},
    {"too many keys are refused", test_too_many_keys_are_refused},
    CU_TEST_INFO_NULL,
};
