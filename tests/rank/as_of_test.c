/* The store as of a day (store_see_until), beside plain loops over what came in. */
#include "base/hash.h"
#include "base/memory.h"
#include "rank/history_model.h"
#include "rank/model.h"
#include "rank/suites.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_DAY = 19000, DAYS = 40 };

static const ShopShape shape = {.customers = 60,
                                .orders = 120,
                                .products = 40,
                                .countries = 4,
                                .lines_min = 1,
                                .lines_max = 4,
                                .first_day = FIRST_DAY,
                                .n_days = DAYS,
                                .anonymous = .2,
                                .returns = .1,
                                .cancelled = .1,
                                .replaced = .2,
                                .batches = 2};

/* ---- who is seen, by plain loops ---- */

typedef struct Expected {
    int32_t until;
    int32_t *product; /* [products] new code, -1: not seen */
    int32_t *customer;
    int64_t lines; /* in force */
    int64_t first, last;
} Expected;

static void mark(int32_t *codes, int32_t code)
{
    if (code >= 0)
        codes[code] = 0;
}

static void mark_all(const HistoryModel *model, Expected *expected)
{
    int32_t *product = expected->product, *customer = expected->customer;
    for (int64_t i = 0; i < model->orders.n; i++) {
        const ModelLine *line = &model->orders.lines[i];
        if (line->day > expected->until)
            continue;
        mark(product, line->product);
        mark(customer, line->customer);
        expected->lines += line->in_force;
        expected->first = line->day < expected->first ? line->day : expected->first;
        expected->last = line->day > expected->last ? line->day : expected->last;
    }
    for (int64_t i = 0; i < model->n_events; i++) {
        if (model->events[i].day > expected->until)
            continue;
        mark(product, model->events[i].product);
        mark(customer, model->events[i].customer);
    }
    for (int64_t i = 0; i < model->n_reviews; i++) {
        if (model->reviews[i].day > expected->until)
            continue;
        mark(product, model->reviews[i].product);
        mark(customer, model->reviews[i].customer);
    }
    for (int64_t i = 0; i < model->n_pairs; i++) {
        if (model->pairs[i].day > expected->until) /* not known: before all days */
            continue;
        mark(product, model->pairs[i].product);
        mark(customer, model->pairs[i].customer);
    }
}

static void expect(const HistoryModel *model, int32_t until, Expected *expected)
{
    int32_t products = model->orders.shape.products, customers = model->orders.shape.customers;
    *expected = (Expected){.until = until, .first = INT64_MAX, .last = INT64_MIN};
    expected->product = mem_new(products, sizeof(int32_t));
    expected->customer = mem_new(customers, sizeof(int32_t));
    for (int32_t i = 0; i < products; i++)
        expected->product[i] = -1;
    for (int32_t i = 0; i < customers; i++)
        expected->customer[i] = -1;
    mark_all(model, expected);
    int32_t n = 0;
    for (int32_t i = 0; i < products; i++)
        expected->product[i] = expected->product[i] < 0 ? -1 : n++;
    for (int32_t p = 0; p < MODEL_PARTITIONS; p++) {
        n = 0;
        for (int32_t i = p; i < customers; i += MODEL_PARTITIONS)
            expected->customer[i] = expected->customer[i] < 0 ? -1 : n++;
    }
}

static void expected_free(Expected *expected)
{
    mem_free(&expected->product);
    mem_free(&expected->customer);
}

/* ---- rows ---- */

static uint64_t row_hash(int64_t day, int64_t product, int64_t customer, int64_t value)
{
    const int64_t row[] = {day, product, customer, value};
    return hash64(row, sizeof row);
}

static int32_t renamed(const int32_t *codes, int32_t code)
{
    return code < 0 ? code : codes[code];
}

/* Sums of hashes of the partition's rows, in any order. */
static uint64_t expected_orders(const HistoryModel *model, const Expected *expected, int32_t p)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < model->orders.n; i++) {
        const ModelLine *line = &model->orders.lines[i];
        if (line->in_force && line->day <= expected->until && model_partition(line) == p)
            sum += row_hash(line->day, renamed(expected->product, line->product),
                            renamed(expected->customer, line->customer), line->quantity);
    }
    return sum;
}

static uint64_t expected_events(const HistoryModel *model, const Expected *expected, int32_t p)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < model->n_events; i++) {
        const HistoryEvent *event = &model->events[i];
        if (event->day <= expected->until && event->customer % MODEL_PARTITIONS == p)
            sum += row_hash(event->day, renamed(expected->product, event->product),
                            renamed(expected->customer, event->customer), event->kind);
    }
    return sum;
}

static int64_t value_at(const Table *rows, const char *column, int64_t row)
{
    return column_integer(table_column_const(rows, column), row);
}

static uint64_t sum_of(const Table *rows, const char *value)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < rows->rows; i++)
        sum += row_hash(value_at(rows, "day", i), value_at(rows, "product", i),
                        value_at(rows, "customer", i), value_at(rows, value, i));
    return sum;
}

/* Orders are numbered from 0 without a gap. */
static bool is_numbered(const Table *rows)
{
    int64_t last = -1;
    bool is_good = true;
    for (int64_t i = 0; i < rows->rows; i++) {
        int64_t order = value_at(rows, "order", i);
        is_good &= order == last || order == last + 1;
        last = order;
    }
    return is_good;
}

static void check_partition(Store *store, const HistoryModel *model, const Expected *expected,
                            int32_t p)
{
    static const char *const columns[] = {"product", "customer", "quantity", "order"};
    static const char *const event_columns[] = {"customer", "product", "kind"};
    Error error = {0};
    Table rows = {0};
    char text[MODEL_TEXT_SIZE];
    CHECK_OK(store_read_partition(store, "orders", p, columns, 4, &rows, &error));
    CU_ASSERT(sum_of(&rows, "quantity") == expected_orders(model, expected, p));
    CU_ASSERT(is_numbered(&rows));
    CHECK_OK(store_read_partition(store, "events", p, event_columns, 3, &rows, &error));
    CU_ASSERT(sum_of(&rows, "kind") == expected_events(model, expected, p));
    CHECK_OK(store_read_partition(store, "customer_ids", p, NULL, 0, &rows, &error));
    int64_t n = 0;
    for (int32_t i = p; i < model->orders.shape.customers; i += MODEL_PARTITIONS) {
        if (expected->customer[i] < 0)
            continue;
        customer_text(i, text);
        CU_ASSERT(n < rows.rows && bytes_equal(column_text(&rows.columns[0], n), bytes_of(text)));
        n++;
    }
    CU_ASSERT_EQUAL(rows.rows, n);
    table_free(&rows);
}

static void check_shop(Store *store, const HistoryModel *model, const Expected *expected)
{
    Error error = {0};
    Shop shop;
    char text[MODEL_TEXT_SIZE];
    int32_t n = 0;
    int64_t min, max;
    CHECK_OK(shop_open(rank_comm(), store, &shop, &error));
    for (int32_t i = 0; i < model->orders.shape.products; i++) {
        if (expected->product[i] < 0)
            continue;
        product_text(i, text);
        CU_ASSERT(n < shop.product.count &&
                  bytes_equal(names_text(&shop.product, n), bytes_of(text)));
        n++;
    }
    CU_ASSERT_EQUAL(shop.product.count, n);
    CU_ASSERT_EQUAL(shop.first_day, expected->first);
    CU_ASSERT_EQUAL(shop.last_day, expected->last);
    CU_ASSERT_EQUAL(store_rows(store, "orders"), expected->lines);
    store_column_range(store, "orders", "product", &min, &max);
    CU_ASSERT(max < n);
    shop_free(&shop);
}

static void check_day(Store *store, const HistoryModel *model, int32_t day, bool is_all)
{
    Error error = {0};
    Expected expected;
    int32_t begin, end;
    expect(model, day, &expected);
    CHECK_OK(store_see_until(rank_comm(), store, day, &error));
    CU_ASSERT_EQUAL(store_seen_until(store), is_all ? DAY_NONE : day);
    store_owned(store, comm_rank(rank_comm()), comm_size(rank_comm()), &begin, &end);
    for (int32_t p = begin; p < end && !is_all; p++)
        check_partition(store, model, &expected, p);
    if (!is_all)
        check_shop(store, model, &expected);
    expected_free(&expected);
}

static void test_days(void)
{
    Error error = {0};
    HistoryModel model;
    HistoryStore the;
    history_model_make(&shape, 300, 60, 17, &model);
    CHECK_OK(history_store_make(rank_comm(), &model, &the, &error));
    int32_t first, last;
    CU_ASSERT(store_days(the.store, &first, &last));
    for (int32_t day = first; day < last; day += 3)
        check_day(the.store, &model, day, false);
    check_day(the.store, &model, last - 1, false);
    check_day(the.store, &model, last, true);
    CU_ASSERT_EQUAL(store_see_until(rank_comm(), the.store, first - 1, &error), STATUS_USAGE);
    CHECK_SAYS("the store's first day is");
    check_day(the.store, &model, DAY_NONE, true);
    CU_ASSERT_EQUAL(store_rows(the.store, "events"), model.n_events);
    history_store_remove(rank_comm(), &the);
    history_model_free(&model);
}

/* Nothing came in, and a failure on one rank is one everywhere and leaves everything seen. */
static void test_edges(void)
{
    Error error = {0};
    HistoryModel model;
    HistoryStore the;
    ShopShape empty = shape;
    int32_t first, last;
    empty.orders = 0;
    history_model_make(&empty, 0, 0, 1, &model);
    CHECK_OK(history_store_make(rank_comm(), &model, &the, &error));
    CU_ASSERT_FALSE(store_days(the.store, &first, &last));
    CHECK_OK(store_see_until(rank_comm(), the.store, FIRST_DAY, &error));
    CU_ASSERT_EQUAL(store_seen_until(the.store), DAY_NONE);
    history_store_remove(rank_comm(), &the);
    history_model_free(&model);
    history_model_make(&shape, 20, 20, 2, &model);
    CHECK_OK(history_store_make(rank_comm(), &model, &the, &error));
    for (int rank = 0; rank < comm_size(rank_comm()); rank++) {
        CU_ASSERT(model_arm(rank_comm(), "store.as_of", rank));
        CU_ASSERT_EQUAL(store_see_until(rank_comm(), the.store, FIRST_DAY + DAYS / 2, &error),
                        STATUS_IO);
        CU_ASSERT_EQUAL(store_seen_until(the.store), DAY_NONE);
    }
    CU_ASSERT(model_arm(rank_comm(), NULL, 0));
    check_day(the.store, &model, FIRST_DAY + DAYS / 2, false);
    history_store_remove(rank_comm(), &the);
    history_model_free(&model);
}

CU_TestInfo as_of_tests[] = {{"days", test_days}, {"edges", test_edges}, CU_TEST_INFO_NULL};
