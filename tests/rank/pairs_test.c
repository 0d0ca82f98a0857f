/* Pairs of random baskets, spread over the ranks, against a table of all pairs: long and short
 * rows, messages cut small, everything on one rank. */
#include "sales/pairs.h"

#include "base/memory.h"
#include "base/random.h"
#include "rank/suites.h"

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

static Status keep_basket(Baskets *baskets, const int32_t *items, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    if (n < 2)
        return STATUS_OK;
    TRY(baskets_reserve(baskets, n, error));
    for (int64_t i = 0; i < n; i++)
        baskets->items[baskets->n++] = (uint32_t)items[i] | (i == 0 ? BASKET_FIRST : 0);
out:
    return status;
}

/* Every rank counts all baskets naively and keeps its own. */
static Status make_baskets(const BasketShape *shape, Baskets *own, int64_t *counts, Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(rank_comm()), size = comm_size(rank_comm());
    int32_t *items = mem_new(shape->items_max, sizeof *items);
    for (int64_t b = 0; b < shape->baskets; b++) {
        int64_t n = make_basket(shape, b, items);
        count_basket(items, n, shape->products, counts);
        /* The middle rank stays empty. */
        int owner = shape->one_rank ? size - 1 : (int)(b % size);
        if (owner == size / 2 && size > 2)
            owner = 0;
        if (owner == rank)
            TRY(keep_basket(own, items, n, error));
    }
out:
    mem_free(&items);
    return status;
}

static void check_pairs(const BasketShape *shape)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Table pairs = {0};
    Baskets baskets = {0};
    int64_t n = shape->products;
    int64_t *counts = mem_new(n * n, sizeof *counts), *got = mem_new(n * n, sizeof *got);
    int64_t *orders = mem_new(n, sizeof *orders), *sorted = mem_new(n, sizeof *sorted);
    PairOptions options = {.min_orders = shape->min_orders, .message_words = shape->message_words};
    Status status = comm_agree(comm, make_baskets(shape, &baskets, counts, &error), &error);
    for (int64_t i = 0; i < n; i++) {
        orders[i] = counts[i * n + i];
        sorted[i] = n - 1 - i; /* ids in falling order of codes */
    }
    if (status == STATUS_OK)
        status = pairs_count(comm, &baskets, orders, sorted, n, &options, &pairs, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
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
    int64_t *orders = mem_new(PRODUCTS, sizeof *orders),
            *sorted = mem_new(PRODUCTS, sizeof *sorted);
    PairOptions options = {.min_orders = 2, .message_words = PAIR_MESSAGE_WORDS};
    Status status = STATUS_OK;
    int32_t *items = mem_new(PRODUCTS, sizeof *items);
    for (int32_t i = 0; i < PRODUCTS; i++) {
        items[i] = PRODUCTS - 1 - i;
        sorted[i] = i;
        orders[i] = 1 + (i == 17 || i == 4711);
    }
    if (comm_rank(comm) == 0)
        status = keep_basket(&baskets, items, PRODUCTS, &error);
    if (comm_rank(comm) == comm_size(comm) - 1 && status == STATUS_OK)
        status = keep_basket(&baskets, (int32_t[]){4711, 17}, 2, &error);
    /* All products are kept, as if each were sold alone once more. */
    for (int32_t i = 0; i < PRODUCTS; i++)
        orders[i]++;
    status = comm_agree(comm, status, &error);
    if (status == STATUS_OK)
        status = pairs_count(comm, &baskets, orders, sorted, PRODUCTS, &options, &pairs, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
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

CU_TestInfo pairs_tests[] = {
    {"pairs of many shapes", test_pairs_of_many_shapes},
    {"a very large order", test_a_very_large_order},
    CU_TEST_INFO_NULL,
};
