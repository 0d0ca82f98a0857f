/* What changed between two nights (changes.h), beside plain loops over what was written. Tables are
 * written by all ranks and compared by the first. */
#include "base/memory.h"
#include "changes/changes.h"
#include "changes/result_join.h"
#include "rank/store_fixture.h"
#include "rank/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NIGHTS = 2,
    PRODUCTS = RESULT_BLOCK + 9000, /* that a night may have; more than a block of rows */
    CUSTOMERS = 900,
    SERIES = 60,
    HORIZON = 14,
    CATEGORIES = 5,
    SEGMENTS = 4,
    LIMIT = 7
};

static const char *const segments[SEGMENTS] = {"champions", "lost", "loyal", "new"};

static int64_t noise(int64_t what, int64_t night, int64_t i, int64_t most)
{
    return (int64_t)(model_noise(what, night, i) % (uint64_t)most);
}

/* ---- what the nights say ---- */

static bool has_product(int night, int64_t i)
{
    return noise(1, night, i, 12) > 0;
}

/* Half of them stay as they were. */
static int64_t product_value(int night, int64_t i, int what)
{
    return noise(2 + what, noise(9, 0, i, 2) ? 0 : night, i, what == 0 ? 100000 : 50) -
           (what == 0 ? 5000 : 0);
}

static bool has_customer(int night, int64_t i)
{
    return noise(20, night, i, 9) > 0;
}

static int segment_of(int night, int64_t i)
{
    return (int)noise(21, noise(22, 0, i, 3) ? 0 : night, i, SEGMENTS);
}

static int64_t net_of(int night, int64_t i)
{
    return noise(23, night, i, 9000) - 1000;
}

static bool has_series(int night, int64_t i)
{
    return noise(30, night, i, 10) > 0;
}

static int64_t units_of(int night, int64_t i, int day)
{
    return noise(31, night * 1000 + day, i, 20);
}

/* First day that a night forecasts; apart: no day in common. */
static int first_day_of(int night, bool apart)
{
    return 19000 + night * (apart ? 100 : 3);
}

/* ---- writing ---- */

static const ColumnSpec product_columns[] = {{"product_id", COLUMN_TEXT, UNIT_NONE},
                                             {"net", COLUMN_I64, UNIT_MONEY_MINOR},
                                             {"units", COLUMN_I64, UNIT_COUNT},
                                             {"units_returned", COLUMN_I64, UNIT_COUNT}};
static const ColumnSpec customer_columns[] = {{"customer", COLUMN_TEXT, UNIT_NONE},
                                              {"segment", COLUMN_TEXT, UNIT_NONE},
                                              {"net", COLUMN_I64, UNIT_MONEY_MINOR}};
static const ColumnSpec daily_columns[] = {{"product_id", COLUMN_TEXT, UNIT_NONE},
                                           {"day", COLUMN_I32, UNIT_DAY},
                                           {"units", COLUMN_I64, UNIT_COUNT}};
static const ColumnSpec total_columns[] = {{"level", COLUMN_TEXT, UNIT_NONE},
                                           {"name", COLUMN_TEXT, UNIT_NONE},
                                           {"day", COLUMN_I32, UNIT_DAY},
                                           {"units", COLUMN_I64, UNIT_COUNT}};

/* "p000012"; below 0 the prefix alone. */
static void name_of(const char *prefix, int64_t i, char name[32])
{
    if (i < 0)
        snprintf(name, 32, "%s", prefix);
    else
        snprintf(name, 32, "%s%06ld", prefix, (long)i);
}

static Status set_text(Table *rows, int column, const char *prefix, int64_t i, Error *error)
{
    char text[32];
    name_of(prefix, i, text);
    return table_set_last_text(rows, &rows->columns[column], bytes_of(text), error);
}

static int64_t *last_i64(Table *rows, int column)
{
    return &((int64_t *)rows->columns[column].data)[rows->rows - 1];
}

static Status add_product(Table *rows, int night, int64_t i, Error *error)
{
    Status status = STATUS_OK;
    if (!has_product(night, i))
        return STATUS_OK;
    TRY(table_add_row(rows, error));
    TRY(set_text(rows, 0, "p", i, error));
    for (int k = 0; k < 3; k++)
        *last_i64(rows, 1 + k) = product_value(night, i, k);
out:
    return status;
}

static Status add_customer(Table *rows, int night, int64_t i, Error *error)
{
    Status status = STATUS_OK;
    if (!has_customer(night, i))
        return STATUS_OK;
    TRY(table_add_row(rows, error));
    TRY(set_text(rows, 0, "c", i, error));
    TRY(table_set_last_text(rows, &rows->columns[1], bytes_of(segments[segment_of(night, i)]),
                            error));
    *last_i64(rows, 2) = net_of(night, i);
out:
    return status;
}

static bool nights_are_apart;

static Status add_series(Table *rows, int night, int64_t i, Error *error)
{
    Status status = STATUS_OK;
    for (int h = 0; has_series(night, i) && h < HORIZON; h++) {
        int day = first_day_of(night, nights_are_apart) + h;
        TRY(table_add_row(rows, error));
        TRY(set_text(rows, 0, "p", i, error));
        ((int32_t *)rows->columns[1].data)[rows->rows - 1] = day;
        *last_i64(rows, 2) = units_of(night, i, day);
    }
out:
    return status;
}

/* The sum of a category's series (i % CATEGORIES), of all for -1. */
static int64_t total_units(int night, int64_t category, int day)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < SERIES; i++) {
        if (has_series(night, i) && (category < 0 || i % CATEGORIES == category))
            sum += units_of(night, i, day);
    }
    return sum;
}

/* i: the categories at two levels, then the total. */
static Status add_total(Table *rows, int night, int64_t i, Error *error)
{
    Status status = STATUS_OK;
    bool is_total = i == 2 * CATEGORIES;
    for (int h = 0; h < HORIZON; h++) {
        int day = first_day_of(night, nights_are_apart) + h;
        TRY(table_add_row(rows, error));
        TRY(set_text(rows, 0,
                     is_total         ? "total"
                     : i < CATEGORIES ? "category_1"
                                      : "category_2",
                     -1, error));
        TRY(set_text(rows, 1, is_total ? "" : "g", is_total ? -1 : i % CATEGORIES, error));
        ((int32_t *)rows->columns[2].data)[rows->rows - 1] = day;
        *last_i64(rows, 3) = total_units(night, is_total ? -1 : i % CATEGORIES, day);
    }
out:
    return status;
}

typedef Status AddRows(Table *rows, int night, int64_t i, Error *error);

static Status fill(Table *rows, int night, int64_t n, AddRows *add, Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(rank_comm()), size = comm_size(rank_comm());
    for (int64_t i = model_first(n, rank, size); i < model_first(n, rank + 1, size); i++)
        TRY(add(rows, night, i, error));
out:
    return status;
}

static Status write_table(ResultWriter *writer, const char *name, const char *key,
                          const ColumnSpec *columns, int n_columns, int night, int64_t n,
                          AddRows *add, Error *error)
{
    Status status;
    Table rows = {0};
    table_init(&rows, columns, n_columns);
    TRY_ALL(rank_comm(), fill(&rows, night, n, add, error), error);
    TRY(results_write(rank_comm(), writer, name, key, &rows, error));
out:
    table_free(&rows);
    return status;
}

/* `n_products` of them may be there. */
static Status write_night(Store *store, const char *run, int night, int64_t n_products,
                          bool is_whole, Error *error)
{
    Status status;
    ResultWriter *writer = NULL;
    TRY(results_begin(rank_comm(), store, run, &writer, error));
    TRY(write_table(writer, "product_total", "product_id", product_columns, 4, night, n_products,
                    add_product, error));
    if (is_whole) {
        TRY(write_table(writer, "customer_summary", "customer", customer_columns, 3, night,
                        CUSTOMERS, add_customer, error));
        TRY(write_table(writer, "forecast_daily", night == 0 ? "product_id,day" : "day,product_id",
                        daily_columns, 3, night, 0, add_series, error));
    }
    TRY(results_commit(rank_comm(), &writer, error));
out:
    results_discard(rank_comm(), &writer);
    return status;
}

static Status write_forecast(Store *store, const char *run, int night, Error *error)
{
    Status status;
    ResultWriter *writer = NULL;
    TRY(results_begin(rank_comm(), store, run, &writer, error));
    TRY(write_table(writer, "forecast_daily", "product_id,day", daily_columns, 3, night, SERIES,
                    add_series, error));
    TRY(write_table(writer, "forecast_total", "level,name,day", total_columns, 4, night,
                    2 * CATEGORIES + 1, add_total, error));
    TRY(results_commit(rank_comm(), &writer, error));
out:
    results_discard(rank_comm(), &writer);
    return status;
}

/* ---- checking ---- */

typedef struct Expected {
    int64_t i, amount;
} Expected;

static int compare_expected(const void *left, const void *right)
{
    const Expected *a = left, *b = right;
    if (llabs(a->amount) != llabs(b->amount))
        return llabs(a->amount) > llabs(b->amount) ? -1 : 1;
    return (a->i > b->i) - (a->i < b->i);
}

/* The list has the largest of these, which are sorted here. */
static void check_list(const ChangeList *list, Expected *expected, int64_t n, const char *prefix)
{
    char name[32];
    qsort(expected, (size_t)n, sizeof *expected, compare_expected);
    int64_t most = n < list->limit ? n : list->limit;
    CU_ASSERT_EQUAL(list->n, most);
    for (int64_t i = 0; i < list->n && i < most; i++) {
        name_of(prefix, expected[i].i, name);
        CU_ASSERT_STRING_EQUAL(list->items[i].name, name);
        CU_ASSERT_EQUAL(list->items[i].amount, expected[i].amount);
    }
}

static int64_t change_of_product(int64_t i, int what)
{
    return (has_product(1, i) ? product_value(1, i, what) : 0) -
           (has_product(0, i) ? product_value(0, i, what) : 0);
}

static void check_products(const ProductChanges *changes, int64_t n)
{
    int64_t net = 0, units = 0, changed = 0, added = 0, n_up = 0, n_down = 0;
    Expected *up = mem_new(n, sizeof *up), *down = mem_new(n, sizeof *down);
    for (int64_t i = 0; i < n; i++) {
        int64_t amount = change_of_product(i, 0);
        int64_t pieces = change_of_product(i, 1) - change_of_product(i, 2);
        net += amount;
        units += pieces;
        changed += amount != 0 || pieces != 0;
        added += has_product(1, i) && !has_product(0, i);
        if (amount > 0)
            up[n_up++] = (Expected){i, amount};
        if (amount < 0)
            down[n_down++] = (Expected){i, amount};
    }
    CU_ASSERT(changes->is_there);
    CU_ASSERT_EQUAL(changes->net_minor, net);
    CU_ASSERT_EQUAL(changes->units, units);
    CU_ASSERT_EQUAL(changes->changed, changed);
    CU_ASSERT_EQUAL(changes->added, added);
    check_list(&changes->up, up, n_up, "p");
    check_list(&changes->down, down, n_down, "p");
    mem_free(&up);
    mem_free(&down);
}

static void check_customers(const CustomerChanges *changes)
{
    int64_t before = 0, after = 0, moved = 0, counts[SEGMENTS][SEGMENTS] = {{0}}, n = 0, sum = 0;
    Expected largest[CUSTOMERS];
    for (int64_t i = 0; i < CUSTOMERS; i++) {
        before += has_customer(0, i);
        after += has_customer(1, i);
        if (!has_customer(0, i) || !has_customer(1, i) || segment_of(0, i) == segment_of(1, i))
            continue;
        moved++;
        counts[segment_of(0, i)][segment_of(1, i)]++;
        if (net_of(1, i) > 0)
            largest[n++] = (Expected){i, net_of(1, i)};
    }
    CU_ASSERT(changes->is_there);
    CU_ASSERT_EQUAL(changes->before, before);
    CU_ASSERT_EQUAL(changes->after, after);
    CU_ASSERT_EQUAL(changes->after - changes->before, changes->added - changes->gone);
    CU_ASSERT_EQUAL(changes->moved, moved);
    check_list(&changes->customers, largest, n, "c");
    for (int from = 0; from < changes->n_segments; from++) {
        for (int to = 0; to < changes->n_segments; to++) {
            int a = 0, b = 0;
            while (strcmp(segments[a], changes->segments[from]) != 0)
                a++;
            while (strcmp(segments[b], changes->segments[to]) != 0)
                b++;
            CU_ASSERT_EQUAL(changes->counts[from][to], counts[a][b]);
            sum += changes->counts[from][to];
        }
    }
    CU_ASSERT_EQUAL(sum, moved);
    for (int64_t i = 1; i < changes->moves.n; i++)
        CU_ASSERT(changes->moves.items[i - 1].amount >= changes->moves.items[i].amount);
}

/* Of one night, over the days that count. */
static int64_t sum_days(int night, bool apart, int64_t series, int64_t category)
{
    int64_t sum = 0;
    int first = first_day_of(night, apart), end = first + HORIZON;
    if (!apart) {
        first = first_day_of(1, apart);
        end = first_day_of(0, apart) + HORIZON;
    }
    for (int day = first; day < end; day++) {
        if (series < 0)
            sum += total_units(night, category, day);
        else if (has_series(night, series))
            sum += units_of(night, series, day);
    }
    return sum;
}

static void check_forecast(const ForecastChanges *changes, bool apart)
{
    Expected up[SERIES], down[SERIES], categories[CATEGORIES];
    int64_t n_up = 0, n_down = 0, n = 0;
    CU_ASSERT(changes->is_there && changes->has_products);
    CU_ASSERT_EQUAL(changes->n_common, apart ? 0 : HORIZON - 3);
    CU_ASSERT_EQUAL(changes->first_day, first_day_of(1, apart));
    CU_ASSERT_EQUAL(changes->last_day, first_day_of(apart, apart) + HORIZON - 1);
    CU_ASSERT_EQUAL(changes->before, sum_days(0, apart, -1, -1));
    CU_ASSERT_EQUAL(changes->after, sum_days(1, apart, -1, -1));
    for (int64_t i = 0; i < SERIES; i++) {
        int64_t amount = sum_days(1, apart, i, 0) - sum_days(0, apart, i, 0);
        if (amount > 0)
            up[n_up++] = (Expected){i, amount};
        if (amount < 0)
            down[n_down++] = (Expected){i, amount};
    }
    for (int64_t i = 0; i < CATEGORIES; i++) {
        int64_t amount = sum_days(1, apart, -1, i) - sum_days(0, apart, -1, i);
        if (amount != 0)
            categories[n++] = (Expected){i, amount};
    }
    check_list(&changes->up, up, n_up, "p");
    check_list(&changes->down, down, n_down, "p");
    check_list(&changes->categories, categories, n, "g");
}

static Status find(const Store *store, const char *const *runs, int64_t limit, Changes *changes,
                   Error *error)
{
    Status status;
    ResultReader *readers[NIGHTS] = {NULL};
    for (int night = 0; night < NIGHTS; night++)
        TRY(results_open(store, runs[night], &readers[night], error));
    TRY(changes_find(readers[0], readers[1], limit, changes, error));
out:
    results_close(&readers[0]);
    results_close(&readers[1]);
    return status;
}

static void test_changes(void)
{
    static const char *const runs[] = {"a", "b"};
    Error error = {0};
    Changes changes = {0};
    Store *store = store_fixture_open_empty();
    for (int night = 0; night < NIGHTS; night++)
        CHECK_OK(write_night(store, runs[night], night, PRODUCTS, true, &error));
    if (store_fixture_is_root()) {
        CHECK_OK(find(store, runs, LIMIT, &changes, &error));
        check_products(&changes.products, PRODUCTS);
        check_customers(&changes.customers);
        CU_ASSERT_FALSE(changes.forecast.is_there);
        CU_ASSERT_EQUAL(changes.n_tables, 2);
        CU_ASSERT_EQUAL(changes.n_same, 1);
        CU_ASSERT_STRING_EQUAL(changes.tables[0].name, "customer_summary");
        changes_free(&changes);
        CHECK_OK(find(store, runs, PRODUCTS, &changes, &error)); /* all of them */
        check_products(&changes.products, PRODUCTS);
        changes_free(&changes);
    }
    store_fixture_close(&store);
}

static void test_forecasts(void)
{
    static const char *const runs[2][NIGHTS] = {{"a", "b"}, {"c", "d"}};
    Error error = {0};
    Changes changes = {0};
    Store *store = store_fixture_open_empty();
    for (int apart = 0; apart < 2; apart++) {
        nights_are_apart = apart;
        for (int night = 0; night < NIGHTS; night++)
            CHECK_OK(write_forecast(store, runs[apart][night], night, &error));
        if (!store_fixture_is_root())
            continue;
        CHECK_OK(find(store, runs[apart], LIMIT, &changes, &error));
        check_forecast(&changes.forecast, apart);
        CU_ASSERT_FALSE(changes.products.is_there || changes.customers.is_there);
        changes_free(&changes);
    }
    nights_are_apart = false;
    store_fixture_close(&store);
}

/* A night beside itself, beside an empty one, and one without tables; damage on the way. */
static void test_edges(void)
{
    static const char *const same[] = {"a", "a"}, *const grown[] = {"none", "a"};
    static const char *const part[] = {"a", "part"};
    Error error = {0};
    Changes changes = {0};
    Store *store = store_fixture_open_empty();
    CHECK_OK(write_night(store, "a", 1, 50, true, &error));
    CHECK_OK(write_night(store, "none", 0, 0, true, &error));
    CHECK_OK(write_night(store, "part", 1, 50, false, &error));
    if (store_fixture_is_root()) {
        CHECK_OK(find(store, same, LIMIT, &changes, &error));
        CU_ASSERT_EQUAL(changes.products.changed + changes.customers.moved, 0);
        CU_ASSERT_EQUAL(changes.n_tables, 0);
        CU_ASSERT_EQUAL(changes.n_same, 3);
        changes_free(&changes);
        CHECK_OK(find(store, grown, LIMIT, &changes, &error));
        CU_ASSERT_EQUAL(changes.products.added, changes.tables[1].after);
        CU_ASSERT_EQUAL(changes.tables[1].before, 0);
        changes_free(&changes);
        CHECK_OK(find(store, part, LIMIT, &changes, &error));
        CU_ASSERT(changes.products.is_there);
        CU_ASSERT_FALSE(changes.customers.is_there);
        CU_ASSERT_EQUAL(changes.n_tables, 2);
        CU_ASSERT_EQUAL(changes.tables[0].after, -1);
        changes_free(&changes);
        CU_ASSERT(model_arm(rank_comm(), "changes.block", 0));
        CU_ASSERT_EQUAL(find(store, same, LIMIT, &changes, &error), STATUS_IO);
        changes_free(&changes);
        CU_ASSERT(model_arm(rank_comm(), NULL, 0));
    }
    store_fixture_close(&store);
}

/* Nights that know a table by other keys are not compared by it. */
static void test_keys(void)
{
    Error error = {0};
    ResultJoin join;
    ResultReader *readers[NIGHTS] = {NULL};
    Store *store = store_fixture_open_empty();
    CHECK_OK(write_night(store, "a", 0, 9, true, &error));
    CHECK_OK(write_night(store, "b", 1, 9, true, &error));
    if (store_fixture_is_root()) {
        CHECK_OK(results_open(store, "a", &readers[0], &error));
        CHECK_OK(results_open(store, "b", &readers[1], &error));
        CHECK_OK(result_join_open(&join, readers[0], readers[1], "forecast_daily", &error));
        CU_ASSERT_FALSE(join.is_comparable || result_join_has(&join));
        CU_ASSERT_EQUAL(result_join_column(&join, "units"), -1);
        result_join_close(&join);
        results_close(&readers[0]);
        results_close(&readers[1]);
    }
    store_fixture_close(&store);
}

CU_TestInfo changes_tests[] = {{"changes", test_changes},
                               {"forecasts", test_forecasts},
                               {"edges", test_edges},
                               {"keys", test_keys},
                               CU_TEST_INFO_NULL};
