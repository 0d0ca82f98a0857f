/* Tables of random groups against naive ones: every dimension and measure, orders, limits, shares.
 */
#include "sales/aggregate_rows.h"

#include "base/memory.h"
#include "rank/aggregate_model.h"
#include "rank/suites.h"

#include <string.h>

enum { GROUPS_MAX = 400 };

/* The rows of all ranks as text, on every rank. Collective. */
static Status gather_text(const Table *rows, Buffer *text, Error *error)
{
    Status status = STATUS_OK;
    Buffer own = {0};
    char *all = NULL;
    int64_t bytes = 0;
    model_write_rows(rows, &own);
    TRY(comm_gather_all(rank_comm(), own.data, own.size, &all, &bytes, NULL, error));
    buffer_append(text, all, bytes);
out:
    buffer_free(&own);
    mem_free(&all);
    return status;
}

/* At most n groups, spread in one way, against the model. Collective. */
static void check_spread(const AggregateSpec *spec, const Shop *shop, int64_t n, int spread)
{
    Comm *comm = rank_comm();
    Error error = {0};
    KeyLayout layout;
    Groups groups = {0};
    Table rows = {0};
    Buffer expected = {0}, got = {0};
    ModelGroup *all = mem_new(GROUPS_MAX, sizeof *all);
    Random random = random_stream(91, (uint64_t)n);
    model_layout(spec, shop, &layout);
    int64_t n_all = model_groups(&random, &layout, all, n);
    Status status =
        comm_agree(comm, model_share(spec, &layout, all, n_all, spread, &groups, &error), &error);
    if (status == STATUS_OK)
        status = aggregate_rows(comm, spec, shop, &groups, &rows, &error);
    if (status == STATUS_OK)
        status = gather_text(&rows, &got, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    model_table(spec, shop, &layout, all, n_all, &expected);
    CU_ASSERT_EQUAL(got.size, expected.size);
    CU_ASSERT_STRING_EQUAL(buffer_string(&got), buffer_string(&expected));
    CU_ASSERT_PTR_NULL(groups.keys);
    groups_free(&groups);
    table_free(&rows);
    buffer_free(&expected);
    buffer_free(&got);
    mem_free(&all);
}

static void check_spec(const AggregateSpec *spec, const Shop *shop)
{
    static const int64_t sizes[] = {0, 1, 2, 23, GROUPS_MAX};
    for (size_t i = spec->n_by == 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int spread = 0; spread < MODEL_SPREADS; spread++)
            check_spread(spec, shop, sizes[i], spread);
    }
}

/* Run `check` with a shop on every rank, if all of them have one. */
static void with_shop(void (*check)(const Shop *shop))
{
    Error error = {0};
    Shop shop = {0};
    Status status = comm_agree(rank_comm(), model_shop(&shop, &error), &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK)
        check(&shop);
    shop_free(&shop);
}

static AggregateSpec spec_of(int n_by, const DimensionKind *by, int n_measures,
                             const Measure *measures)
{
    AggregateSpec spec = {.n_by = n_by, .n_measures = n_measures};
    for (int i = 0; i < n_by; i++)
        spec.by[i] = (Dimension){by[i], 0};
    for (int m = 0; m < n_measures; m++)
        spec.measures[m] = measures[m];
    return spec;
}

/* ---- columns ---- */

static void check_each_dimension(const Shop *shop)
{
    for (int kind = 0; kind < DIMENSION_KINDS; kind++) {
        AggregateSpec spec = {.n_by = 1,
                              .by = {{(DimensionKind)kind, kind == DIMENSION_CATEGORY}},
                              .n_measures = 1,
                              .measures = {MEASURE_LINES}};
        check_spec(&spec, shop);
        spec.n_order = 1;
        spec.order[0] = (AggregateOrder){.descending = true};
        check_spec(&spec, shop);
    }
}

static void test_each_dimension(void)
{
    with_shop(check_each_dimension);
}

static void check_each_measure(const Shop *shop)
{
    for (int measure = 0; measure < MEASURE_COUNT; measure++) {
        AggregateSpec spec = {.n_by = 2,
                              .by = {{DIMENSION_MONTH, 0}, {DIMENSION_CHANNEL, 0}},
                              .n_measures = 1,
                              .measures = {(Measure)measure},
                              .n_order = 1,
                              .order = {{.is_measure = true}}};
        check_spec(&spec, shop);
        spec.order[0].descending = true;
        check_spec(&spec, shop);
        spec.limit = 7;
        check_spec(&spec, shop);
    }
}

static void test_each_measure(void)
{
    with_shop(check_each_measure);
}

/* As many columns as there can be, and a key between any two measures. */
static void check_all_at_once(const Shop *shop)
{
    AggregateSpec spec = {.n_by = AGGREGATE_BY_MAX, .n_measures = MEASURE_COUNT, .limit = 9};
    static const DimensionKind by[AGGREGATE_BY_MAX] = {
        DIMENSION_QUARTER, DIMENSION_PRODUCT, DIMENSION_COHORT,  DIMENSION_COUNTRY,
        DIMENSION_HOUR,    DIMENSION_SEGMENT, DIMENSION_WEEKDAY, DIMENSION_CURRENCY};
    for (int i = 0; i < AGGREGATE_BY_MAX; i++)
        spec.by[i] = (Dimension){by[i], 0};
    for (int m = 0; m < MEASURE_COUNT; m++) {
        spec.measures[m] = (Measure)(MEASURE_COUNT - 1 - m);
        spec.order[spec.n_order++] =
            (AggregateOrder){.is_measure = true, .index = m, .descending = m % 2 == 0};
        if (m < AGGREGATE_BY_MAX)
            spec.order[spec.n_order++] = (AggregateOrder){.index = m, .descending = m % 3 == 0};
    }
    check_spec(&spec, shop);
    spec.n_per = 2;
    spec.per[0] = 6;
    spec.per[1] = 3;
    spec.limit = 2;
    check_spec(&spec, shop);
}

static void test_all_at_once(void)
{
    with_shop(check_all_at_once);
}

static void check_columns_and_units(const Shop *shop)
{
    static const DimensionKind by[] = {DIMENSION_WEEK, DIMENSION_COHORT, DIMENSION_PRODUCT,
                                       DIMENSION_YEAR};
    static const Measure measures[] = {MEASURE_NET, MEASURE_ORDERS, MEASURE_ITEMS_PER_ORDER,
                                       MEASURE_MIN_ORDER_VALUE, MEASURE_LAST_DAY};
    static const ColumnSpec expected[] = {
        {"week", COLUMN_I32, UNIT_DAY},
        {"cohort", COLUMN_TEXT, UNIT_NONE},
        {"product_id", COLUMN_TEXT, UNIT_NONE},
        {"year", COLUMN_I32, UNIT_NONE},
        {"net", COLUMN_I64, UNIT_MONEY_MINOR},
        {"orders", COLUMN_I64, UNIT_COUNT},
        {"items_per_order", COLUMN_F64, UNIT_NONE},
        {"min_order_value", COLUMN_I64, UNIT_MONEY_MINOR},
        {"last_day", COLUMN_I32, UNIT_DAY},
    };
    enum { COLUMNS = sizeof expected / sizeof *expected };
    AggregateSpec spec = spec_of(4, by, 5, measures);
    Error error = {0};
    Groups groups = {0};
    Table rows = {0};
    char key[STORE_NAME_SIZE * 2];
    model_layout(&spec, shop, &groups.layout);
    Status status = aggregate_rows(rank_comm(), &spec, shop, &groups, &rows, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    CU_ASSERT_EQUAL(rows.n_columns, COLUMNS);
    for (int c = 0; c < COLUMNS && c < rows.n_columns; c++) {
        CU_ASSERT_STRING_EQUAL(rows.columns[c].name, expected[c].name);
        CU_ASSERT_EQUAL(rows.columns[c].type, expected[c].type);
        CU_ASSERT_EQUAL(rows.columns[c].unit, expected[c].unit);
    }
    aggregate_key_columns(&spec, key);
    CU_ASSERT_STRING_EQUAL(key, "week,cohort,product_id,year");
    spec.n_by = 0;
    aggregate_key_columns(&spec, key);
    CU_ASSERT_STRING_EQUAL(key, "");
    table_free(&rows);
}

static void test_columns_and_units(void)
{
    with_shop(check_columns_and_units);
}

/* ---- one row ---- */

static void check_one_row(const Shop *shop)
{
    static const Measure measures[] = {MEASURE_NET,       MEASURE_AVERAGE_ORDER_VALUE,
                                       MEASURE_LINES,     MEASURE_P95_ORDER_VALUE,
                                       MEASURE_FIRST_DAY, MEASURE_LAST_DAY};
    AggregateSpec spec = spec_of(0, NULL, 6, measures);
    Error error = {0};
    Groups groups = {.layout = {.space = 1}};
    Table rows = {0};
    Buffer got = {0};
    check_spec(&spec, shop);
    spec.n_order = 1;
    spec.order[0] = (AggregateOrder){.is_measure = true, .descending = true};
    spec.limit = 3;
    check_spec(&spec, shop);
    Status status = aggregate_rows(rank_comm(), &spec, shop, &groups, &rows, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    CU_ASSERT_EQUAL(rows.rows, comm_rank(rank_comm()) == 0);
    if (status == STATUS_OK)
        status = gather_text(&rows, &got, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    CU_ASSERT_STRING_EQUAL(buffer_string(&got),
                           "0;nan;0;-9223372036854775808;-2147483648;-2147483648;\n");
    buffer_free(&got);
    table_free(&rows);
}

static void test_one_row(void)
{
    with_shop(check_one_row);
}

/* ---- orders and limits ---- */

static void draw_order(Random *random, AggregateSpec *spec)
{
    spec->n_order = (int)random_below(random, 4);
    for (int i = 0; i < spec->n_order; i++) {
        AggregateOrder *order = &spec->order[i];
        order->is_measure = random_below(random, 2) == 0;
        order->descending = random_below(random, 2) == 0;
        order->index = (int)random_below(random, order->is_measure ? spec->n_measures : spec->n_by);
    }
}

static void draw_limit(Random *random, AggregateSpec *spec)
{
    static const int64_t limits[] = {0, 1, 2, 3, 10, 100, 199, 201, 10000, INT64_MAX};
    spec->limit = limits[random_below(random, sizeof limits / sizeof *limits)];
    spec->n_per = (int)random_below(random, spec->n_by + 1);
    for (int i = 0; i < spec->n_per; i++)
        spec->per[i] = (int)random_below(random, spec->n_by);
}

static void check_random_specs(const Shop *shop)
{
    enum { SPECS = 150 };
    for (uint64_t s = 0; s < SPECS; s++) {
        Random random = random_stream(5, s);
        AggregateSpec spec = {.n_by = 1 + (int)random_below(&random, 3),
                              .n_measures = 1 + (int)random_below(&random, 3)};
        /* From different starting points: no dimension and no measure comes twice. */
        int64_t dimension = random_below(&random, DIMENSION_KINDS);
        int64_t measure = random_below(&random, MEASURE_COUNT);
        for (int i = 0; i < spec.n_by; i++)
            spec.by[i] = (Dimension){(DimensionKind)((dimension + 5 * i) % DIMENSION_KINDS), 0};
        for (int m = 0; m < spec.n_measures; m++)
            spec.measures[m] = (Measure)((measure + 5 * m) % MEASURE_COUNT);
        draw_order(&random, &spec);
        draw_limit(&random, &spec);
        check_spread(&spec, shop, GROUPS_MAX, (int)(s % MODEL_SPREADS));
        check_spread(&spec, shop, 40, (int)(s % MODEL_SPREADS));
    }
}

static void test_random_specs(void)
{
    with_shop(check_random_specs);
}

/* Per groups that are runs of the key, or not; small ones, and ones over several ranks. */
static void check_limits_per(const Shop *shop)
{
    static const DimensionKind by[] = {DIMENSION_CHANNEL, DIMENSION_DAY,
                                       DIMENSION_NEW_OR_RETURNING};
    static const Measure measures[] = {MEASURE_GROSS, MEASURE_ITEMS_PER_ORDER};
    for (int per = 0; per < 3; per++) {
        for (int64_t limit = 1; limit < 60; limit += 7) {
            AggregateSpec spec = spec_of(3, by, 2, measures);
            spec.limit = limit;
            spec.n_per = 1;
            spec.per[0] = per;
            check_spec(&spec, shop);
            spec.n_order = 1;
            spec.order[0] = (AggregateOrder){.is_measure = true, .index = 1, .descending = true};
            check_spec(&spec, shop);
            spec.n_order = 2;
            spec.order[0] = (AggregateOrder){.index = 1};
            spec.order[1] = (AggregateOrder){.is_measure = true};
            check_spec(&spec, shop);
        }
    }
}

static void test_limits_per(void)
{
    with_shop(check_limits_per);
}

CU_TestInfo aggregate_rows_tests[] = {
    {"each dimension", test_each_dimension},
    {"each measure", test_each_measure},
    {"all at once", test_all_at_once},
    {"columns and units", test_columns_and_units},
    {"one row", test_one_row},
    {"random specs", test_random_specs},
    {"limits per", test_limits_per},
    CU_TEST_INFO_NULL,
};
