/* Pairs of random baskets, spread over the ranks, against a table of all pairs: long and short
 * rows, messages cut small, everything on one rank. */
#include "sales/pairs.h"

#include "base/memory.h"
#include "base/random.h"
#include "rank/suites.h"

#include <stdlib.h>
#include <string.h>

typedef struct BasketShape {
    int64_t products;
    int64_t baskets;
    int64_t items_max;
    int64_t min_orders;
    int64_t message_words;
    int skew;     /* draws of which a product is the smallest: the larger, the more popular a few */
    int one_rank; /* all baskets on the last rank */
} BasketShape;

/* A naive count: [products x products], and on the diagonal the orders of each product. */
static void count_basket(const int32_t *items, int64_t n, int64_t products, int64_t *counts)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < n; k++)
            counts[items[i] * products + items[k]]++;
    }
}

/* Different products of basket `b`. */
static int64_t make_basket(const BasketShape *shape, int64_t b, int32_t *items)
{
    Random random = random_stream(77, (uint64_t)b);
    bool *taken = mem_new(shape->products, sizeof *taken);
    int64_t n = 0, draws = 1 + random_below(&random, shape->items_max);
    for (int64_t i = 0; i < draws; i++) {
        int64_t product = shape->products;
        for (int k = 0; k < shape->skew; k++) {
            int64_t draw = random_below(&random, shape->products);
            product = draw < product ? draw : product;
        }
        if (!taken[product])
            items[n++] = (int32_t)product;
        taken[product] = true;
    }
    mem_free(&taken);
    return n;
}

static void keep_basket(Baskets *baskets, const int32_t *items, int64_t n)
{
    baskets->orders++;
    for (int64_t i = 0; i < n; i++)
        baskets->product_orders[items[i]]++;
    if (n < 2)
        return;
    mem_grow(&baskets->items, baskets->n + n, sizeof *baskets->items);
    for (int64_t i = 0; i < n; i++)
        baskets->items[baskets->n++] = (uint32_t)items[i] | (i == 0 ? BASKET_FIRST : 0);
}

/* Every rank counts all baskets naively and keeps its own. */
static void make_baskets(const BasketShape *shape, Baskets *own, int64_t *counts)
{
    int rank = comm_rank(rank_comm()), size = comm_size(rank_comm());
    Error error = {0};
    int32_t *items = mem_new(shape->items_max, sizeof *items);
    CU_ASSERT_EQUAL(baskets_init(own, (int32_t)shape->products, &error), STATUS_OK);
    for (int64_t b = 0; b < shape->baskets; b++) {
        int64_t n = make_basket(shape, b, items);
        count_basket(items, n, shape->products, counts);
        /* The middle rank stays empty. */
        int owner = shape->one_rank ? size - 1 : (int)(b % size);
        if (owner == size / 2 && size > 2)
            owner = 0;
        if (owner == rank)
            keep_basket(own, items, n);
    }
    mem_free(&items);
}

static void check_pairs(const BasketShape *shape)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Table pairs = {0};
    Baskets baskets = {0};
    int64_t n = shape->products;
    int64_t *counts = mem_new(n * n, sizeof *counts), *got = mem_new(n * n, sizeof *got);
    int64_t *orders = mem_new(n, sizeof *orders);
    int32_t *sorted = mem_new(n, sizeof *sorted);
    PairOptions options = {.min_orders = shape->min_orders, .message_words = shape->message_words};
    make_baskets(shape, &baskets, counts);
    for (int64_t i = 0; i < n; i++) {
        orders[i] = counts[i * n + i];
        sorted[i] = (int32_t)(n - 1 - i); /* ids in falling order of codes */
    }
    PairTotals totals = {.orders = 1, .n_products = n, .of_product = orders, .sorted = sorted};
    CU_ASSERT_EQUAL(pairs_count(comm, &baskets, &totals, &options, &pairs, &error), STATUS_OK);
    for (int64_t i = 0; i < pairs.rows; i++) {
        int32_t a = ((int32_t *)pairs.columns[0].data)[i],
                b = ((int32_t *)pairs.columns[1].data)[i];
        CU_ASSERT(0 <= a && a < b && b < n);
        got[sorted[b] * n + sorted[a]] += ((int64_t *)pairs.columns[2].data)[i];
    }
    comm_sum_i64(comm, got, n * n);
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = i + 1; k < n; k++) {
            int64_t expected = counts[i * n + k];
            wrong += got[i * n + k] != (expected >= shape->min_orders ? expected : 0);
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    baskets_free(&baskets);
    table_free(&pairs);
    mem_free(&counts);
    mem_free(&got);
    mem_free(&orders);
    mem_free(&sorted);
}

static void test_pairs_of_many_shapes(void)
{
    static const BasketShape shapes[] = {
        {.products = 1, .baskets = 0, .items_max = 1, .min_orders = 1, .skew = 1},
        {.products = 2, .baskets = 9, .items_max = 3, .min_orders = 1, .skew = 1},
        {.products = 50, .baskets = 400, .items_max = 6, .min_orders = 1, .skew = 3},
        {.products = 50, .baskets = 400, .items_max = 6, .min_orders = 4, .skew = 3, .one_rank = 1},
        {.products = 300, .baskets = 200, .items_max = 40, .min_orders = 2, .skew = 2},
        {.products = 300, .baskets = 30, .items_max = 700, .min_orders = 9, .skew = 1},
        {.products = 700, .baskets = 300, .items_max = 5, .min_orders = 1, .skew = 1},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        /* A row a round, several, all in one. */
        for (int64_t words = 1; words <= PAIR_MESSAGE_WORDS; words *= 1024) {
            BasketShape shape = shapes[i];
            shape.message_words = words;
            check_pairs(&shape);
        }
    }
}

/* An order of 10,000 products is 5 * 10^7 pairs. */
static void test_a_very_large_order(void)
{
    enum { PRODUCTS = 10000 };
    Comm *comm = rank_comm();
    Error error = {0};
    Table pairs = {0};
    Baskets baskets = {0};
    int64_t *orders = mem_new(PRODUCTS, sizeof *orders);
    int32_t *sorted = mem_new(PRODUCTS, sizeof *sorted);
    PairOptions options = {.min_orders = 2, .message_words = PAIR_MESSAGE_WORDS};
    int32_t *items = mem_new(PRODUCTS, sizeof *items);
    for (int32_t i = 0; i < PRODUCTS; i++) {
        items[i] = PRODUCTS - 1 - i;
        sorted[i] = i;
        orders[i] = 1 + (i == 17 || i == 4711);
    }
    CU_ASSERT_EQUAL(baskets_init(&baskets, PRODUCTS, &error), STATUS_OK);
    if (comm_rank(comm) == 0)
        keep_basket(&baskets, items, PRODUCTS);
    if (comm_rank(comm) == comm_size(comm) - 1)
        keep_basket(&baskets, (int32_t[]){4711, 17}, 2);
    /* All products are kept, as if each were sold alone once more. */
    for (int32_t i = 0; i < PRODUCTS; i++)
        orders[i]++;
    PairTotals totals = {
        .orders = 3, .n_products = PRODUCTS, .of_product = orders, .sorted = sorted};
    CU_ASSERT_EQUAL(pairs_count(comm, &baskets, &totals, &options, &pairs, &error), STATUS_OK);
    int64_t found = pairs.rows;
    if (found == 1) {
        CU_ASSERT_EQUAL(((int32_t *)pairs.columns[0].data)[0], 17);
        CU_ASSERT_EQUAL(((int32_t *)pairs.columns[1].data)[0], 4711);
        CU_ASSERT_EQUAL(((int64_t *)pairs.columns[2].data)[0], 2);
    }
    comm_sum_i64(comm, &found, 1);
    CU_ASSERT_EQUAL(found, 1);
    baskets_free(&baskets);
    table_free(&pairs);
    mem_free(&orders);
    mem_free(&sorted);
    mem_free(&items);
}

/* ---- the table ---- */

typedef struct PairRow {
    int32_t a, b; /* products, in the order of ids */
    int64_t orders;
} PairRow;

static int compare_rows(const void *left, const void *right)
{
    const PairRow *x = left, *y = right;
    if (x->orders != y->orders)
        return x->orders > y->orders ? -1 : 1;
    return x->a != y->a ? (x->a > y->a) - (x->a < y->a) : (x->b > y->b) - (x->b < y->b);
}

/* Ids "p0", "p1", ... of less than ten products: their order is that of the codes. */
static void make_names(int32_t n, Names *names)
{
    static const ColumnSpec column = {"text", COLUMN_TEXT, UNIT_NONE};
    Error error = {0};
    Table texts = {0};
    Status status = STATUS_OK;
    table_init(&texts, &column, 1);
    for (int32_t i = 0; i < n; i++) {
        char id[] = {'p', (char)('0' + i), '\0'};
        TRY(table_add_row(&texts, &error));
        TRY(table_set_last_text(&texts, &texts.columns[0], bytes_of(id), &error));
    }
    TRY(names_make(names, &texts, &error));
out:
    CU_ASSERT_EQUAL(status, STATUS_OK);
    table_free(&texts);
}

/* The rows that `counts` gives, with the thresholds of `options`; returns how many. */
static int64_t expect_rows(const int64_t *counts, int64_t n, int64_t all,
                           const PairOptions *options, PairRow *rows)
{
    int64_t n_rows = 0;
    for (int32_t a = 0; a < n; a++) {
        for (int32_t b = a + 1; b < n; b++) {
            int64_t both = counts[a * n + b], fewer = counts[a * n + a];
            fewer = counts[b * n + b] < fewer ? counts[b * n + b] : fewer;
            double lift =
                (double)both * (double)all / (double)counts[a * n + a] / (double)counts[b * n + b];
            if (both >= options->min_orders && both > 0 &&
                (double)both / (double)fewer >= options->min_confidence &&
                lift >= options->min_lift)
                rows[n_rows++] = (PairRow){a, b, both};
        }
    }
    qsort(rows, (size_t)n_rows, sizeof *rows, compare_rows);
    return options->limit > 0 && n_rows > options->limit ? options->limit : n_rows;
}

static bool is_near(double a, double b)
{
    return a - b < 1e-12 * b && b - a < 1e-12 * b;
}

/* This rank's rows are [before, before + rows.rows) of the expected ones. */
static int64_t count_wrong(const Table *rows, const PairRow *expected, const int64_t *counts,
                           int64_t n, int64_t all)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < rows->rows; i++) {
        const PairRow *row = &expected[i];
        double both = (double)row->orders, of_a = (double)counts[row->a * n + row->a],
               of_b = (double)counts[row->b * n + row->b];
        double expect[] = {both / (double)all, both / of_a, both / of_b,
                           both / (double)all / (of_a / (double)all) / (of_b / (double)all)};
        char a[] = {'p', (char)('0' + row->a), '\0'}, b[] = {'p', (char)('0' + row->b), '\0'};
        bool is_right = bytes_equal(column_text(&rows->columns[0], i), bytes_of(a)) &&
                        bytes_equal(column_text(&rows->columns[1], i), bytes_of(b)) &&
                        ((int64_t *)rows->columns[2].data)[i] == row->orders;
        for (int k = 0; k < 4; k++)
            is_right = is_right && is_near(((double *)rows->columns[3 + k].data)[i], expect[k]);
        wrong += !is_right;
    }
    return wrong;
}

static void check_rows(const PairOptions *options)
{
    static const BasketShape shape = {
        .products = 9, .baskets = 120, .items_max = 5, .min_orders = 1, .skew = 2};
    enum { N = 9 };
    Comm *comm = rank_comm();
    Error error = {0};
    Baskets baskets = {0};
    Names names = {0};
    Table rows = {0};
    int64_t counts[N * N] = {0};
    PairRow expected[N * N];
    make_baskets(&shape, &baskets, counts);
    make_names(N, &names);
    int64_t n_expected = expect_rows(counts, N, shape.baskets, options, expected);
    CU_ASSERT_EQUAL(pairs_rows(comm, &baskets, &names, options, &rows, &error), STATUS_OK);
    int64_t before = comm_prefix_i64(comm, rows.rows), got = rows.rows;
    comm_sum_i64(comm, &got, 1);
    CU_ASSERT_EQUAL(got, n_expected);
    if (got == n_expected)
        CU_ASSERT_EQUAL(count_wrong(&rows, expected + before, counts, N, shape.baskets), 0);
    table_free(&rows);
    names_free(&names);
    baskets_free(&baskets);
}

static void test_rows_and_thresholds(void)
{
    static const PairOptions options[] = {
        {.min_orders = 1, .message_words = PAIR_MESSAGE_WORDS},
        {.min_orders = 4, .message_words = 8},
        {.min_orders = 1, .min_confidence = 0.4, .message_words = PAIR_MESSAGE_WORDS},
        {.min_orders = 1, .min_lift = 1.1, .message_words = PAIR_MESSAGE_WORDS},
        {.min_orders = 1, .limit = 7, .message_words = PAIR_MESSAGE_WORDS},
        {.min_orders = 1, .limit = 3, .message_words = 8},
        {.min_orders = 1, .min_lift = 1.05, .limit = 5, .message_words = 8},
        {.min_orders = 2,
         .min_confidence = 0.3,
         .min_lift = 0.9,
         .limit = 1000,
         .message_words = 64},
        {.min_orders = 1000, .message_words = PAIR_MESSAGE_WORDS},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        check_rows(&options[i]);
}

/* ---- baskets from order lines ---- */

static void test_baskets_of_orders(void)
{
    /* order 0: two products, one twice; 1: one is returned; 2: all cancelled; 3: old; 4: begins
     * before its day's limit; 5: three products. */
    static const int32_t order[] = {0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5};
    static const int32_t day[] = {9, 9, 9, 9, 9, 9, 9, 4, 4, 5, 4, 5, 9, 9};
    static const int32_t product[] = {3, 1, 3, 2, 1, 1, 2, 1, 2, 1, 2, 0, 1, 2};
    static const int32_t quantity[] = {1, 2, 1, 1, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const int8_t cancelled[] = {0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0};
    static const uint32_t expected[] = {3 | BASKET_FIRST, 1, 0 | BASKET_FIRST, 1, 2};
    static const int64_t orders[] = {1, 2, 2, 1};
    const OrderLines lines = {.n = 14,
                              .order = order,
                              .day = day,
                              .product = product,
                              .quantity = quantity,
                              .cancelled = cancelled};
    Error error = {0};
    Baskets baskets = {0}, other = {0};
    CU_ASSERT_EQUAL(baskets_init(&baskets, 4, &error), STATUS_OK);
    CU_ASSERT_EQUAL(baskets_init(&other, 4, &error), STATUS_OK);
    CU_ASSERT_EQUAL(baskets_add(&baskets, &lines, 5, &error), STATUS_OK);
    CU_ASSERT(baskets.orders == 3 && baskets.n == 5);
    CU_ASSERT(memcmp(baskets.items, expected, sizeof expected) == 0);
    CU_ASSERT(memcmp(baskets.product_orders, orders, sizeof orders) == 0);
    CU_ASSERT_EQUAL(baskets_add(&other, &lines, INT32_MIN, &error), STATUS_OK);
    CU_ASSERT(other.orders == 5 && other.n == 9);
    CU_ASSERT_EQUAL(baskets_merge(&baskets, &other, &error), STATUS_OK);
    CU_ASSERT(baskets.orders == 8 && baskets.n == 14 && baskets.product_orders[1] == 6);
    CU_ASSERT(other.items == NULL);
    baskets_free(&baskets);
}

/* A basket past the limit gives no pairs, but its order counts. */
static void test_baskets_past_the_limit(void)
{
    enum { N = BASKET_PRODUCTS_MAX + 1 };
    Error error = {0};
    Baskets baskets = {0};
    int32_t *zeros = mem_new(N, sizeof *zeros), *ones = mem_new(N, sizeof *ones);
    int32_t *products = mem_new(N, sizeof *products);
    int8_t *cancelled = mem_new(N, sizeof *cancelled);
    for (int32_t i = 0; i < N; i++) {
        products[i] = i;
        ones[i] = 1;
    }
    OrderLines lines = {.n = N,
                        .order = zeros,
                        .day = zeros,
                        .product = products,
                        .quantity = ones,
                        .cancelled = cancelled};
    CU_ASSERT_EQUAL(baskets_init(&baskets, N, &error), STATUS_OK);
    CU_ASSERT_EQUAL(baskets_add(&baskets, &lines, 0, &error), STATUS_OK);
    CU_ASSERT(baskets.n == 0 && baskets.too_large == 1 && baskets.orders == 1);
    CU_ASSERT_EQUAL(baskets.product_orders[N - 1], 1);
    lines.n = BASKET_PRODUCTS_MAX;
    CU_ASSERT_EQUAL(baskets_add(&baskets, &lines, 0, &error), STATUS_OK);
    CU_ASSERT(baskets.n == BASKET_PRODUCTS_MAX && baskets.too_large == 1);
    baskets_free(&baskets);
    mem_free(&zeros);
    mem_free(&ones);
    mem_free(&products);
    mem_free(&cancelled);
}

CU_TestInfo pairs_tests[] = {
    {"pairs of many shapes", test_pairs_of_many_shapes},
    {"a very large order", test_a_very_large_order},
    {"rows and thresholds", test_rows_and_thresholds},
    {"baskets of orders", test_baskets_of_orders},
    {"baskets past the limit", test_baskets_past_the_limit},
    CU_TEST_INFO_NULL,
};
